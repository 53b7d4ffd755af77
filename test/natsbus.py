"""Servers of NATS on this machine, each with a folder and ports of its own, and as much of its protocol as a test needs to look into a stream."""
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from waiting import until

SERVER = shutil.which("nats-server") or ("/usr/sbin/nats-server" if Path("/usr/sbin/nats-server").exists() else None)


def free_ports(count):
    """Ports that nobody listens on now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


class Client:
    """One connection; requests one at a time."""

    def __init__(self, port, user=None, password=None, timeout=5):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.file = self.socket.makefile("rb")
        self.info = json.loads(self.file.readline().split(b" ", 1)[1])
        options = {"verbose": False, "pedantic": False, "lang": "python", "version": "0", "headers": True, "no_responders": True}
        if user:
            options.update(user=user, **{"pass": password})
        self.inbox = "_INBOX.%s" % base64.b32encode(os.urandom(10)).decode()
        self.send(b"CONNECT " + json.dumps(options).encode() + b"\r\nSUB " + self.inbox.encode() + b" 1\r\nPING\r\n")
        while True:
            line = self.file.readline()
            if line.startswith(b"PONG"):
                return
            if not line or line.startswith(b"-ERR"):
                raise ConnectionError(line)

    def send(self, text):
        self.socket.sendall(text)

    def request(self, subject, body=b"{}"):
        """The answer as JSON, None where nobody answers."""
        self.send(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), self.inbox.encode(), len(body), body))
        while True:
            line = self.file.readline()
            if not line:
                raise ConnectionError("closed")
            words = line.split()
            if words[0] == b"PING":
                self.send(b"PONG\r\n")
            elif words[0] == b"MSG":
                return json.loads(self.file.read(int(words[-1]) + 2))
            elif words[0] == b"HMSG":
                self.file.read(int(words[-1]) + 2)
                return None
            elif words[0] == b"-ERR":
                raise ConnectionError(line)

    def stream(self, name):
        """What the server says of it, or None."""
        info = self.request("$JS.API.STREAM.INFO.%s" % name)
        return info if info and "state" in info else None

    def messages(self, name):
        """All of a stream, as (id, bytes); none where nobody has made it yet."""
        stream = self.stream(name)
        last = stream["state"]["last_seq"] if stream else 0
        for seq in range(1, last + 1):
            m = self.request("$JS.API.STREAM.MSG.GET.%s" % name, json.dumps({"seq": seq}).encode())
            if not m or "message" not in m:
                raise LookupError("message %d of %d: %s" % (seq, last, m))
            head = base64.b64decode(m["message"].get("hdrs", "")).decode()
            ids = [l.split(":", 1)[1].strip() for l in head.splitlines() if l.lower().startswith("nats-msg-id:")]
            yield (ids[0] if ids else None, base64.b64decode(m["message"].get("data", "")))

    def close(self):
        self.socket.close()


class Servers:
    """`count` of them, a cluster where they are several. `more` goes into the configuration of each."""

    def __init__(self, folder, count=1, more=""):
        self.folder = Path(folder)
        self.ports, self.routes = free_ports(count), free_ports(count)
        self.processes = [None] * count
        for i in range(count):
            routes = ", ".join("nats://127.0.0.1:%d" % p for k, p in enumerate(self.routes) if k != i)
            cluster = 'cluster { name: test, listen: "127.0.0.1:%d", routes: [%s] }\n' % (self.routes[i], routes) if count > 1 else ""
            (self.folder / ("n%d.conf" % i)).write_text('server_name: n%d\nlisten: "127.0.0.1:%d"\njetstream { store_dir: "%s", max_file_store: 4G }\n%s%s\n'
                                                        % (i, self.ports[i], self.folder / ("n%d" % i), cluster, more))

    def start(self, i):
        log = (self.folder / ("n%d.log" % i)).open("a")
        self.processes[i] = subprocess.Popen([SERVER, "-c", str(self.folder / ("n%d.conf" % i))], stdout=log, stderr=log)
        log.close()

    def start_all(self):
        for i in range(len(self.ports)):
            self.start(i)

    def kill(self, i):
        self.processes[i].send_signal(signal.SIGKILL)
        self.processes[i].wait()
        self.processes[i] = None

    def stop(self):
        for i, p in enumerate(self.processes):
            if p:
                self.kill(i)

    def url(self, stream, scheme="nats"):
        return "%s://%s/%s" % (scheme, ",".join("127.0.0.1:%d" % p for p in self.ports), stream)

    def ask(self, what, user=None, password=None):
        """what(client), of the first server that answers; None where none does."""
        for i, port in enumerate(self.ports):
            if not self.processes[i]:
                continue
            try:
                client = Client(port, user, password)
                try:
                    answer = what(client)
                finally:
                    client.close()
                if answer:
                    return answer
            except (OSError, ValueError, LookupError):
                pass
        return None

    def wait_ready(self, seconds=30, user=None, password=None):
        """JetStream has a leader that answers."""
        def ready(client):
            answer = client.request("$JS.API.INFO")
            return answer and "error" not in answer
        return until(lambda: self.ask(ready, user, password), seconds)

    def wait_listening(self, seconds=30):
        """The first one greets whoever connects, even if it wants TLS or a log-in from him then."""
        def greets():
            try:
                with socket.create_connection(("127.0.0.1", self.ports[0]), 5) as s:
                    return s.recv(4096).startswith(b"INFO ")
            except OSError:
                return False
        return until(greets, seconds)

    def leader(self, stream):
        """The number of the server that leads the stream, or None."""
        info = self.ask(lambda c: c.stream(stream))
        name = (info or {}).get("cluster", {}).get("leader")
        return int(name[1:]) if name else None
