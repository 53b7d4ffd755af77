"""Receivers of syslog for a test, on loopback, and a parser that takes RFC 5424 at its word."""
import re
import socket
import ssl
import struct
import threading

# RFC 5424 6, as its grammar has it.
PRINT = r"[\x21-\x7e]"
STAMP = r"(?P<stamp>-|\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))"
NAME = r"[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}"
VALUE = r'"(?:[^"\\\]]|\\["\\\]])*"'
ELEMENT = r"\[%s(?: %s=%s)*\]" % (NAME, NAME, VALUE)
MESSAGE = re.compile(r"<(?P<pri>0|[1-9]\d{0,2})>(?P<version>[1-9]\d{0,2}) %s (?P<host>-|%s{1,255}) (?P<app>-|%s{1,48}) (?P<process>-|%s{1,128}) (?P<id>-|%s{1,32}) (?P<data>-|(?:%s)+)(?: (?P<msg>.*))?"
                     % (STAMP, PRINT, PRINT, PRINT, PRINT, ELEMENT), re.S)
# Those of which RFC 5424 7 says what may stand in them.
REGISTERED = {"timeQuality": {"tzKnown", "isSynced", "syncAccuracy"}, "origin": {"ip", "enterpriseId", "software", "swVersion"}, "meta": {"sequenceId", "sysUpTime", "language"}}


def parse(message):
    """Its parts; ValueError where it is no message of RFC 5424."""
    m = MESSAGE.fullmatch(message.decode("utf-8"))
    if not m or int(m["pri"]) > 191 or m["version"] != "1":
        raise ValueError(message[:200])
    found = m.groupdict()
    found["data"] = {}
    for element in re.findall(ELEMENT, m["data"]):
        name = re.match(NAME, element[1:])[0]
        params = {k: v[1:-1] for k, v in re.findall("(%s)=(%s)" % (NAME, VALUE), element)}
        if name in found["data"] or ("@" not in name and not set(params) <= REGISTERED.get(name, set())):
            raise ValueError(element)
        found["data"][name] = params
    found["facility"], found["severity"] = divmod(int(m["pri"]), 8)
    return found


def frames(data):
    """Messages by octet counting (RFC 6587 3.4.1), and what is left behind the last whole one."""
    found, at = [], 0
    while at < len(data):
        m = re.compile(rb"([1-9]\d*) ").match(data, at)
        if not m:
            if not re.fullmatch(rb"(?:[1-9]\d*)?", data[at:]):
                raise ValueError(data[at:at + 100])
            break
        if m.end() + int(m[1]) > len(data):
            break
        found.append(data[m.end():m.end() + int(m[1])])
        at = m.end() + int(m[1])
    return found, data[at:]


class Datagrams:
    def __init__(self, port=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUFFORCE if hasattr(socket, "SO_RCVBUFFORCE") else socket.SO_RCVBUF, 16 << 20)
        self.socket.bind(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.messages = []
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        try:
            while True:
                self.messages.append(self.socket.recv(70000))
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.socket.shutdown(socket.SHUT_RDWR) if False else self.socket.close()


class Stream:
    """TCP, or TLS by `context`. `rude`: of the first connections, how many bytes are read before each is reset; None: it is closed in order after so many."""

    def __init__(self, context=None, port=0, rude=(), polite=()):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.context, self.rude, self.polite = context, list(rude), list(polite)
        self.received, self.failures, self.open = [], [], []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        try:
            while True:
                raw, _ = self.listener.accept()
                self.received.append(bytearray())
                self.open.append(raw)
                threading.Thread(target=self.take, args=(raw, self.received[-1], self.rude.pop(0) if self.rude else None, self.polite.pop(0) if self.polite else None), daemon=True).start()
        except OSError:
            pass

    def take(self, raw, into, rude, polite):
        try:
            c = self.context.wrap_socket(raw, server_side=True) if self.context else raw
            while rude is None or len(into) < rude:
                data = c.recv(65536 if rude is None else min(65536, rude - len(into)))
                if not data:
                    return
                into += data
                if polite is not None and len(into) >= polite:
                    c.close()
                    return
            # Unread bytes and a reset: as of a process that was killed.
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            c.close()
        except (OSError, ValueError) as e:
            self.failures.append(e)

    def messages(self):
        return [m for data in list(self.received) for m in frames(bytes(data))[0]]

    def close(self):
        self.listener.close()
        for c in self.open:
            c.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()


def context(pem, client=None):
    """`client`: who has to show that certificate, or one that it signed."""
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(pem, pem.with_suffix(".key"))
    if client:
        c.verify_mode = ssl.CERT_REQUIRED
        c.load_verify_locations(client)
    return c
