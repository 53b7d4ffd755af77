"""A `mailtap web` on loopback, and a client that shows raw answers."""
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import MAILTAP, SOURCE, ok
from waiting import LONG

# A second argument is a server that keeps its rights (web-run.c): a confined process cannot be looked at by LeakSanitizer, which would ptrace it.
LEAKS = len(sys.argv) > 2
PROGRAM = sys.argv[2] if LEAKS else MAILTAP
ENV = dict(os.environ, ASAN_OPTIONS="detect_leaks=%d" % LEAKS)

# What every answer has.
CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
       "base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
ALWAYS = {"content-security-policy": CSP, "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer",
          "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin"}


class Answer:
    """Of raw bytes: status, headers (names in small letters, lists of values), body."""

    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        m = re.fullmatch(r"HTTP/1\.[01] (\d+) .*", lines[0])
        self.raw, self.status, self.headers = raw, int(m.group(1)) if m else 0, {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.strip().lower(), []).append(value.strip())
        self.chunked = self.header("transfer-encoding") == "chunked"
        self.whole = True
        if self.chunked:
            self.body, self.whole = dechunk(self.body)

    def header(self, name):
        return ", ".join(self.headers.get(name.lower(), [])) or None

    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json()["error"]["text"]

    def __str__(self):
        return self.raw[:2000].decode(errors="replace")


def dechunk(body):
    out = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        try:
            size = int(size, 16)
        except ValueError:
            return out, False
        if not size:
            return out, True
        out, body = out + rest[:size], rest[size + 2:]
    return out, False


def store(folder, *captures):
    """A store made of captures."""
    r = subprocess.run([MAILTAP, "read", "-o", "sqlite:%s" % folder, *map(str, captures)], capture_output=True, timeout=6 * LONG)
    assert r.returncode == 0, r.stderr
    return folder


class Server:
    """Runs until its `with` ends; whatever a sanitizer says of it is a failure."""

    def __init__(self, folder, *args, listen="127.0.0.1:0", tls=None):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([PROGRAM, "web", str(folder), "--listen", listen, *map(str, args)], stdout=subprocess.PIPE, stderr=self.log, env=ENV)
        self.line = self.process.stdout.readline().decode()
        m = re.match(r"mailtap web: (https?)://(.*):(\d+)/ shows ", self.line)
        assert m, self.stderr()
        self.port, self.tls = int(m.group(3)), tls
        self.address = m.group(2).strip("[]")
        self.host = "%s:%d" % (m.group(2), self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self, sig=signal.SIGTERM):
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            code = self.process.wait(LONG)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        text = self.stderr()
        if "Sanitizer" in text or "runtime error" in text:
            ok(False, "the server ends without a crash", text[-3000:])
        return code

    def stderr(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def connect(self, timeout=LONG):
        s = socket.create_connection((self.address, self.port), timeout)
        return self.tls.wrap_socket(s, server_hostname="localhost") if self.tls else s

    def raw(self, data, timeout=LONG):
        """Sends bytes, reads until the server closes."""
        with self.connect(timeout) as s:
            try:
                s.sendall(data)
            except OSError:
                pass
            return Answer(drain(s))

    def ask(self, path, method="GET", body=None, host=None, timeout=LONG, **headers):
        """A request; header names have _ for -. body may be a dict."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: " + (host or self.host), "Connection: close"]
        lines += ["%s: %s" % (k.replace("_", "-"), v) for k, v in headers.items()]
        if body is not None:
            lines.append("Content-Length: %d" % len(body))
        elif method == "POST":
            lines.append("Content-Length: 0")
        return self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""), timeout)

    def csrf(self, **headers):
        return self.ask("/api/v1/me", **headers).json()["csrf"]

    def log_in(self, user, password, **headers):
        return self.ask("/api/v1/log-in", "POST", {"user": user, "password": password}, X_CSRF_Token=self.csrf(), **headers)


def drain(s):
    out = b""
    try:
        while True:
            got = s.recv(65536)
            if not got:
                return out
            out += got
    except OSError:
        return out


def hash_password(password):
    r = subprocess.run([MAILTAP, "web", "--hash-password"], input=password.encode() + b"\n", capture_output=True, timeout=LONG)
    assert r.returncode == 0, r.stderr
    return r.stdout.decode().strip()


def certificate(folder, names="DNS:localhost,IP:127.0.0.1"):
    """Paths of a new certificate and its key, and how a client believes them."""
    cert, key = Path(folder) / "cert.pem", Path(folder) / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=" + names], check=True, capture_output=True)
    context = ssl.create_default_context(cafile=str(cert))
    return cert, key, context


BORDER = SOURCE / "samples/border.pcap"
