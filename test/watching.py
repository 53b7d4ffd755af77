"""What the tests of `mailtap watch` share: a watch that runs, its records, traffic by Postfix's test programs or by hand."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from netns import namespaces
from tap import MAILTAP, ok
from waiting import LONG, until

ROOT = os.geteuid() == 0
# A confined process cannot be looked at by LeakSanitizer, which would ptrace it.
ENV = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", LC_ALL="C.UTF-8")
LIMIT = 120  # seconds of a program of ours
# Its run time has a thread and much memory of its own.
THREAD_SANITIZER = b"__tsan_init" in Path(MAILTAP).read_bytes()
DEFAULTS = "country_databases=none", "capture_buffer=16MiB"
CRASH = re.compile(r"Sanitizer|runtime error|Assertion|signal 6|signal 11")

_rooms = []


def room():
    """A folder for this test, gone at its end; other users may come in."""
    folder = tempfile.TemporaryDirectory(prefix="mailtap-watch-")
    _rooms.append(folder)
    os.chmod(folder.name, 0o755)
    return Path(folder.name)


class Watch:
    """`mailtap watch`, running; `with` ends it. Its lines on standard error are in `lines`."""

    def __init__(self, *interfaces, settings=(), workers=1, args=(), folder=None, ready=True, env=ENV, stdout=None, defaults=DEFAULTS, preexec=None):
        self.folder = folder or room() / "log"
        command = [os.path.abspath(MAILTAP), "watch", *interfaces, "-f", "json", "--workers", str(workers)]
        if stdout is None:
            command += ["-o", str(self.folder)]
        given = {s.split("=")[0] for s in settings}
        for s in (*(d for d in defaults if d.split("=")[0] not in given), *settings):
            command += ["-s", s]
        self.process = subprocess.Popen([*command, *map(str, args)], stdin=subprocess.DEVNULL, stdout=stdout or subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, errors="replace", env=env, preexec_fn=preexec)
        self.lines = []
        self.code = None
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        if ready and not self.hear(r"mailtap: watching .* worker"):
            self.end(code=None)
            raise RuntimeError("watch does not start")

    def listen(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def said(self, pattern, after=0):
        return [line for line in self.lines[after:] if re.search(pattern, line)]

    def hear(self, pattern, count=1, seconds=LONG, after=0):
        """Waits for so many lines of it, as long as it can speak; gives back those that there are."""
        until(lambda: len(self.said(pattern, after)) >= count or not self.thread.is_alive(), seconds)
        return self.said(pattern, after)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.end()

    def tell(self, sig):
        self.process.send_signal(sig)

    def reload(self, says=r"loaded anew|old settings stay"):
        """SIGHUP, and what came of it."""
        before = len(self.lines)
        self.tell(signal.SIGHUP)
        self.hear(says, after=before)
        return self.lines[before:]

    def processes(self, parent=None):
        """{pid: name} of all below it."""
        found = {}
        for pid in children(parent or self.process.pid):
            found[pid] = status_of(pid).get("Name", "")
            found.update(self.processes(pid))
        return found

    def sensor(self):
        """Its process, as soon as it is there."""
        def find():
            return [pid for pid, name in self.processes().items() if name == "mailtap-sensor"]
        found = until(find)
        return found[0] if found else None

    def end(self, sig=signal.SIGTERM, code=0, crash=CRASH):
        """Ends it; seconds that took. A crash, a leftover or another exit code than `code` is a failed check."""
        below = list(self.processes())
        began = time.monotonic()
        self.tell(sig)
        try:
            self.process.wait(LONG)
        except subprocess.TimeoutExpired:
            ok(False, "watch ends when told to", *self.lines[-20:])
            for pid in (self.process.pid, *below):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait()
        took = time.monotonic() - began
        self.code = self.process.returncode
        self.thread.join(LONG)
        left = [pid for pid in below if not until(lambda: not alive(pid), 5)]
        bad = [line for line in self.lines if crash.search(line)]
        if bad or code not in (None, self.code) or left:
            ok(False, "watch ends well", "exit code %s, not %s; left over: %s" % (self.code, code, left), *self.lines[-40:])
        return took

    def files(self, stream):
        return sorted(p for p in self.folder.glob("*") if re.fullmatch(stream + r"([-.].*)?\.log(\..*)?", p.name))

    def contents(self, stream):
        """Of each of its files. A rotation between the listing and the reading begins anew: files may have got other names."""
        while True:
            try:
                return [path.read_bytes() for path in self.files(stream)]
            except FileNotFoundError:
                pass

    def records(self, stream="smtp"):
        """What all files of the stream hold. Half a line is a failed check."""
        return [json.loads(line) for text in self.contents(stream) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]

    def count(self, stream="smtp"):
        return sum(text.count(b"\n") for text in self.contents(stream))

    def wait_records(self, count, stream="smtp", seconds=LONG):
        """Until so many are there; how many are."""
        until(lambda: self.count(stream) >= count, seconds)
        return self.count(stream)

    def find(self, stream="smtp", seconds=LONG, **fields):
        """The first record with these fields, once it is there."""
        def look():
            return [r for r in self.records(stream) if all(r.get(k) == v for k, v in fields.items())]
        found = until(look, seconds)
        return found[0] if found else None

    def closing(self):
        """The counts of the closing line."""
        lines = self.said(r"^mailtap: \d+ packets, .* mails in ")
        if not lines:
            return {}
        return {name: int(n) for n, name in re.findall(r"(\d+) ([^,]+?)(?: in [\d.]+ s)?(?:,|$)", lines[-1])}


def children(pid):
    try:
        return [int(n) for n in Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split()]
    except OSError:
        return []


def status_of(pid):
    try:
        return dict(line.split(":\t", 1) for line in Path("/proc/%d/status" % pid).read_text().splitlines() if ":\t" in line)
    except OSError:
        return {}


def alive(pid):
    return status_of(pid).get("State", "X")[0] not in "XZ"


class Sink:
    """smtp-sink in a namespace; `with` ends it."""

    def __init__(self, namespace, address="10.9.0.2:2525", options=()):
        with namespace:
            self.process = subprocess.Popen(["smtp-sink", *(["-u", "nobody"] if ROOT else []), *options, address, "1000"],
                                            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/")
            host, port = address.rsplit(":", 1)
            self.there = until(lambda: listens(int(port)) or self.process.poll() is not None)
        if self.process.poll() is not None:
            ok(False, "smtp-sink starts", self.process.stderr.read())

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def port_free():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def listens(port):
    """In the namespace of this thread."""
    for name in ("tcp", "tcp6"):
        for line in Path("/proc/thread-self/net/" + name).read_text().splitlines()[1:]:
            part = line.split()
            if part[3] == "0A" and int(part[1].rsplit(":", 1)[1], 16) == port:
                return True
    return False


class Source:
    """smtp-source in a namespace: `count` mails, each with recipients and a Message-ID of its own."""

    def __init__(self, namespace, count, address="10.9.0.2:2525", options=("-s", "20", "-l", "400"), to="b@y.example"):
        with namespace:
            self.process = subprocess.Popen(["smtp-source", "-N", "-m", str(count), "-M", "source.example", "-f", "a@x.example", "-t", to,
                                             *options, address], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                            text=True)

    def wait(self, seconds=LIMIT):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
        code, text = self.process.wait(), self.process.stderr.read()
        self.process.stderr.close()
        if code:
            ok(False, "smtp-source sends its mails", code, text)
        return code == 0


def send_paced(watch, namespace, count, address, meanwhile=lambda sent: None, piece=500):
    """`count` mails, in pieces; at most two of them have not been recorded yet, so that a busy machine does not let the capture buffer overflow."""
    already = watch.count()
    for sent in range(0, count, piece):
        watch.wait_records(already + sent - piece, seconds=LIMIT)
        source = Source(namespace, min(piece, count - sent), address, to="b%d@y.example" % sent)
        meanwhile(sent)
        source.wait()
    return watch.wait_records(already + count, seconds=LIMIT)


class Mta:
    """A server that says yes to all, but "550 " and the local part's text to recipients at refused.example. `with` ends it."""

    def __init__(self, namespace, host="10.9.0.2", port=25):
        with namespace:
            self.listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=100)
        self.address = host, port
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    @staticmethod
    def answer(line):
        verb = line[:4].upper()
        refused = re.search(rb"<([^@]*)@refused\.example>", line)
        if verb == b"DATA":
            return b"354 go on"
        if verb == b"QUIT":
            return b"221 2.0.0 bye"
        if verb == b"RCPT" and refused:
            return b"550 " + refused[1].replace(b"_", b" ")
        return b"250 2.1.0 Ok"

    def serve(self, peer):
        try:
            with peer, peer.makefile("rwb") as f:
                in_data = False
                f.write(b"220 mx.example ESMTP\r\n")
                f.flush()
                for line in f:
                    if in_data and line != b".\r\n":
                        continue
                    said = b"250 2.0.0 queued" if in_data else self.answer(line)
                    in_data = said.startswith(b"354")
                    f.write(said + b"\r\n")
                    f.flush()
                    if said.startswith(b"221"):
                        return
        except OSError:
            pass  # the client went away


class Client:
    """One connection to an Mta, step by step."""

    def __init__(self, namespace, mta, source=None, hello=True):
        with namespace:
            self.socket = socket.socket(socket.AF_INET6 if ":" in mta.address[0] else socket.AF_INET)
        self.socket.settimeout(LONG)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(mta.address)
        self.port = self.socket.getsockname()[1]
        self.file = self.socket.makefile("rwb")
        if hello:
            self.reply()
            self.say("EHLO client.example")

    def reply(self):
        return self.file.readline().decode().rstrip()

    def send(self, *lines):
        for line in lines:
            self.file.write(line.encode() + b"\r\n")
        self.file.flush()

    def say(self, line):
        self.send(line)
        return self.reply()

    def begin(self, name, rcpt="b@y.example", header=()):
        """A mail up to the middle of its text."""
        self.say("MAIL FROM:<a@x.example>")
        self.say("RCPT TO:<%s>" % rcpt)
        self.say("DATA")
        self.send(*header, "Message-ID: <%s>" % name, "Subject: " + name, "", "first half")

    def finish(self):
        self.send("second half")
        return self.say(".")

    def mail(self, name, rcpt="b@y.example", header=()):
        self.begin(name, rcpt, header)
        return self.finish()

    def refused(self, text, sender="a@x.example"):
        """A mail whose only recipient is refused with this text."""
        self.say("MAIL FROM:<%s>" % sender)
        self.say("RCPT TO:<%s@refused.example>" % text.replace(" ", "_"))
        return self.say("RSET")

    def quit(self):
        self.say("QUIT")
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def reset(self):
        """Goes without a word: nothing is sent from here on."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()


def need_tools(*more):
    for tool in ("ip", *more):
        if not shutil.which(tool) and not shutil.which(tool, path="/usr/sbin:/sbin"):
            print("1..0 # SKIP %s is not installed" % tool)
            sys.exit(0)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    ENV["PATH"] = os.environ["PATH"]


def two_hosts():
    """(near, far) with a veth between them, `here` 10.9.0.1 and `there` 10.9.0.2; we are near. Ports do not run out."""
    near, far = namespaces(root=False)
    for namespace in (near, far):
        with namespace:
            Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("1024 65535")
            Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0")
    return near, far


def once_each(watch, count, name):
    """All of `count` mails are in the records, none twice."""
    mails = watch.records()
    ids = [r.get("msg_id") for r in mails]
    rcpts = [r["rcptto"][0] for r in mails if r.get("rcptto")]
    odd = [r for r in mails if r.get("flags") or not r.get("last_reply", "").startswith("250 ") or len(r.get("rcptto", [])) != 1]
    counts = watch.closing()
    drops = {k: v for k, v in counts.items() if "dropped" in k or "lost" in k or "gap" in k}
    ok(len(mails) == count and len(set(ids)) == count and len(set(rcpts)) == count, "%s: each of %d mails is found once" % (name, count),
       "%d records, %d Message-IDs, %d recipients" % (len(mails), len(set(ids)), len(set(rcpts))), counts, *watch.lines[-5:])
    ok(not odd and not drops, "%s: all of them whole, nothing dropped" % name, drops, *odd[:5])
