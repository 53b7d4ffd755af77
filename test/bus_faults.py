#!/usr/bin/python3
"""What becomes of records while a bus is away, full, wrong or hostile. usage: bus_faults.py MAILTAP [TEST...]"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import bulkpeer
import natsbus
import natskeys
import syslogpeer
from smalldisk import SmallDisk
from tap import MAILTAP as GIVEN, SOURCE, run_tests, skip
from waiting import LONG, until
from watching import ENV, ROOT, Mta, Source, Watch, alive, need_tools, ok, room, status_of, two_hosts

if not natsbus.SERVER:
    print("1..0 # SKIP no nats-server is installed")
    sys.exit(0)
need_tools("smtp-source", "smtp-sink", "openssl")
NEAR, FAR = two_hosts()
MAILTAP = os.path.abspath(GIVEN)
SOON = 2
SECRET = "tr0ub4dor-secret"
MAIL = """C: MAIL FROM:<%s@example.net>
S: 250 ok
%sC: DATA
S: 354 go
C: Subject: %s
C:
C: text
C: .
S: 250 ok
"""


class Server:
    """One nats-server; `with` ends it."""

    def __init__(self, more="", started=True):
        self.servers = natsbus.Servers(room(), 1, more)
        self.url = self.servers.url("MAILS")
        if started:
            self.start()

    def start(self, user=None, password=None):
        self.login = user, password
        self.servers.start(0)
        self.servers.wait_ready(LONG, user, password)

    def stop(self):
        self.servers.stop()

    def records(self):
        """Of all messages, in their order."""
        found = []

        def look(client):
            found.clear()
            for _, data in client.messages("MAILS"):
                found.extend(json.loads(line) for line in data.splitlines())
            return True
        self.servers.ask(look, *self.login)
        return found

    def mails(self):
        return [r["mailfrom"] for r in self.records() if r["_path"] == "smtp"]

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.stop()


def capture(folder, count, start=0, rcpts=1, subject="short"):
    """So many mails, one a session: from m<number>@example.net."""
    text = folder / ("d%d.txt" % start)
    one = "".join("C: RCPT TO:<%s%d@example.com>\nS: 250 ok\n" % ("r" * 40, i) for i in range(rcpts))
    sessions = []
    for i in range(start, start + count):
        sessions.append("@client 198.51.100.7:%d\n@time %d\nS: 220 mx ESMTP\nC: EHLO c\nS: 250 mx\n%sC: QUIT\nS: 221 bye\n"
                        % (10000 + i, 1795000000 + i, MAIL % ("m%d" % i, one, subject)))
    path = folder / ("c%d.pcap" % start)
    files = []
    for i, s in enumerate(sessions):
        f = folder / ("s%d.txt" % (start + i))
        f.write_text(s)
        files.append(f)
    subprocess.run([sys.executable, SOURCE / "tools/mkpcap", path, *files], check=True)
    text.unlink(missing_ok=True)
    return path


def read(folder, url, source, *settings, **more):
    given = ("outbox_directory=%s" % (folder / "outbox"), "country_databases=none", *settings)
    p = subprocess.run([MAILTAP, "read", *[a for s in given for a in ("-s", s)], "-o", url, str(source)], capture_output=True, text=True, timeout=60, **more)
    if re.search(r"Sanitizer|runtime error", p.stderr) or p.returncode < 0:
        ok(False, "read ends without a crash", p.returncode, p.stderr[-3000:])
    return p


def waiting(folder):
    return sorted(p for p in folder.glob("outbox/*/*.ndjson") if p.name != "refused.ndjson")


def names(first, end):
    return ["m%d@example.net" % i for i in range(first, end)]


def away_at_start():
    folder = room()
    with Server(started=False) as server:
        began = time.monotonic()
        p = read(folder, server.url, capture(folder, 20), "carry_wait=500ms")
        ok(p.returncode == 1 and time.monotonic() - began < 10, "a bus that is not there: read ends, and says by its code that not all is done", p.returncode, p.stderr)
        ok(re.search(r"records wait in .*outbox/nats-", p.stderr), "where the records wait is said", p.stderr)
        ok(re.search(r"mails in .*, 40 records in an outbox for the next run", p.stderr), "and how many", p.stderr)
        ok(waiting(folder) and all(f.stat().st_mode & 0o77 == 0 and f.parent.stat().st_mode & 0o77 == 0 for f in waiting(folder)), "nobody else can read them")
        server.start()
        p = read(folder, server.url, capture(folder, 3, 20))
        ok(p.returncode == 0 and not waiting(folder), "the next run carries them", p.returncode, p.stderr)
        ok(server.mails() == names(0, 23), "before its own, in their order", server.mails())
        ok("46 records carried" in p.stderr, "and counts them", p.stderr)


def clock_back():
    folder = room()
    with Server() as server:
        (folder / "outbox").mkdir()
        read(folder, "nats://127.0.0.1:9/MAILS", capture(folder, 1), "carry_wait=0s")
        box = next((folder / "outbox").glob("*"))
        future = {"_path": "smtp", "mailfrom": "future@example.net"}
        for old in waiting(folder):
            old.unlink()
        # A year from now, by a clock that was wrong then.
        number = int((time.time() + 365 * 86400) * 1e6)
        (box / ("%016x-00000007-1.ndjson" % number)).write_text(json.dumps(future) + "\n")
        box.rename(folder / "outbox" / re.sub(r"[^A-Za-z0-9.]+", "-", server.url))
        p = read(folder, server.url, capture(folder, 2), "batch_bytes=4KiB")
        ok(p.returncode == 0 and not waiting(folder), "after a clock was set back all is carried", p.stderr)
        ok(server.mails() == ["future@example.net", *names(0, 2)], "and what came first goes first", server.mails())


def outbox_full():
    folder = room()
    with Server(started=False) as server:
        p = read(folder, server.url, capture(folder, 200), "carry_wait=300ms", "outbox_bytes=64KiB", "batch_bytes=4KiB")
        lost = re.search(r"(\d+) records lost, (\d+) of the lost ones for want of room", p.stderr)
        ok(p.returncode == 1 and lost and lost[1] == lost[2], "a full outbox: what is lost is counted", p.stderr)
        held = sum(f.stat().st_size for f in waiting(folder))
        ok(50000 < held <= 65536, "it holds outbox_bytes at most", held)
        ok(len(re.findall(r"the outbox is full", p.stderr)) == 1, "said once", p.stderr)
        server.start()
        p = read(folder, server.url, capture(folder, 1, 500), "outbox_bytes=64KiB")
        found = server.records()
        ok(lost and len(found) == 400 - int(lost[1]) + 2, "the rest arrives", len(found), lost and lost[0])
        mails = [r["mailfrom"] for r in found if r["_path"] == "smtp"]
        ok(len(mails) > 20 and mails[:-1] == names(0, len(mails) - 1) and mails[-1] == "m500@example.net", "it is the oldest that was kept", mails[:3], mails[-3:])
        again = folder / "again"
        again.mkdir()
        p = read(again, server.url, capture(again, 300, 600), "outbox_bytes=64KiB", "batch_bytes=4KiB")
        ok(p.returncode == 0 and "lost" not in p.stderr and server.mails()[-300:] == names(600, 900), "read waits for room where the bus takes records", p.stderr)


def poisoned():
    folder = room()
    with Server("max_payload: 16384") as server:
        good, bad = capture(folder, 10), capture(folder, 1, 100, rcpts=400)
        more = capture(folder, 10, 200)
        whole = folder / "all.pcap"
        whole.write_bytes(good.read_bytes() + bad.read_bytes()[24:] + more.read_bytes()[24:])
        p = read(folder, server.url, whole)
        ok(p.returncode == 0 and not waiting(folder), "a record larger than the bus takes holds up no other", p.stderr)
        ok(server.mails() == names(0, 10) + names(200, 210), "which arrive in their order", server.mails())
        aside = [f for f in folder.glob("outbox/*/refused.ndjson")]
        lines = [json.loads(line) for line in aside[0].read_text().splitlines()] if aside else []
        ok(len(lines) == 1 and lines[0]["record"]["mailfrom"] == "m100@example.net" and "max_payload is 16384" in lines[0]["error"], "it is put aside, with what was wrong", *lines)
        ok("1 records that the other side refused" in p.stderr, "and counted", p.stderr)
        ok(len(server.records()) == 41, "its session arrives", len(server.records()))


def secrets():
    folder = room()
    password = folder / "password"
    password.write_text(SECRET + "\nmore\n")
    with Server('authorization { user: tap, password: "%s" }' % SECRET, started=False) as server:
        server.start("tap", SECRET)
        login = ("carry_user=tap", "carry_password_file=%s" % password)
        p = read(folder, server.url, capture(folder, 2), *login)
        ok(p.returncode == 0 and server.mails() == names(0, 2), "who logs in may write", p.stderr)
        p = read(folder, server.url, capture(folder, 1, 5), "carry_wait=500ms")
        ok(p.returncode == 1 and "uthorization" in p.stderr, "who does not is told so", p.stderr)
        password.write_text("wrong-" + SECRET)
        q = read(folder, server.url, capture(folder, 1, 6), "carry_wait=500ms", *login)
        ok(q.returncode == 1 and "uthorization" in q.stderr and SECRET not in q.stderr, "a wrong password is not repeated", q.stderr)
        password.write_text(SECRET)
        r = read(folder, server.url, capture(folder, 1, 7), *login)
        ok(r.returncode == 0 and server.mails() == names(0, 2) + names(5, 8), "with the right one nothing is lost", r.stderr)
        s = read(folder, server.url.replace("//", "//tap:%s@" % SECRET), capture(folder, 1))
        ok(s.returncode == 2 and "carry_password_file" in s.stderr and SECRET not in s.stderr, "one in the address is refused, and not repeated", s.stderr)
        password.unlink()
        t = read(folder, server.url, capture(folder, 1), *login)
        ok(t.returncode == 2 and str(password) in t.stderr, "a file that is not there is an error at the start", t.stderr)
        everything = b"".join(f.read_bytes() for f in folder.glob("outbox/**/*") if f.is_file())
        ok(SECRET.encode() not in everything, "nor is it in the outbox")
    rights = 'publish: ["MAILS.>", "$JS.API.STREAM.INFO.MAILS", "$JS.API.STREAM.CREATE.MAILS"], subscribe: ["_INBOX.>"]'
    with Server('authorization { users: [ { user: tap, password: "%s", permissions: { %s } } ] }' % (SECRET, rights), started=False) as server:
        password.write_text(SECRET)
        server.servers.start(0)
        server.servers.wait_listening()
        p = read(folder, server.url, capture(folder, 1), *login)
        ok(p.returncode == 0 and "1 mails" in p.stderr, "the rights that docs/bus.md gives are enough", p.stderr)
    with Server('authorization { token: "%s" }' % SECRET, started=False) as server:
        password.write_text(SECRET)
        server.servers.start(0)
        server.servers.wait_listening()
        p = read(folder, server.url, capture(folder, 1), "carry_password_file=%s" % password)
        ok(p.returncode == 0, "a token alone is a log-in too", p.stderr)


def credentials():
    folder = room()
    config, text = natskeys.make(folder)
    creds = folder / "tap.creds"
    creds.write_text(text)
    with Server(config, started=False) as server:
        server.servers.start(0)
        ok(server.servers.wait_listening(), "a server whose users have credentials")
        p = read(folder, server.url, capture(folder, 3), "carry_password_file=%s" % creds, "carry_wait=10s")
        ok(p.returncode == 0 and "6 records carried" in p.stderr, "such a file is a log-in", p.stderr)
        p = read(folder, server.url, capture(folder, 1), "carry_wait=500ms")
        ok(p.returncode == 1, "which is needed", p.stderr)
        creds.write_text(text.replace("SEED-----\nSU", "SEED-----\nSX"))
        p = read(folder, server.url, capture(folder, 1), "carry_password_file=%s" % creds, "carry_wait=500ms")
        ok(p.returncode == 1 and text.split("\n")[5] not in p.stderr and waiting(folder), "one that is damaged is none, and is not shown", p.stderr)


def certificate(folder, name, subject):
    for args in (["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=" + subject,
                  "-keyout", folder / (name + ".key"), "-out", folder / (name + ".pem")],):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)
    return folder / (name + ".pem")


def encrypted():
    folder = room()
    for name, subject, want in (("right", "IP:127.0.0.1", 0), ("wrong", "DNS:bus.example.org", 1)):
        pem = certificate(folder, name, subject)
        with Server('tls { cert_file: "%s", key_file: "%s" }' % (pem, pem.with_suffix(".key")), started=False) as server:
            server.servers.start(0)
            url = server.url.replace("nats:", "nats+tls:")

            server.servers.wait_listening()
            p = read(folder, url, capture(folder, 2), "carry_wait=2s", "carry_ca_file=%s" % pem)
            ok(p.returncode == want, "TLS, a certificate for the %s host" % name, p.returncode, p.stderr)
            if want:
                continue
            q = read(folder, url, capture(folder, 1), "carry_wait=2s")
            ok(q.returncode == 1, "one that nobody vouches for is not believed", q.returncode, q.stderr)
            q = read(folder, url, capture(folder, 1), "carry_wait=1s", "carry_ca_file=/nonexistent")
            ok(q.returncode == 1 and "/nonexistent" in q.stderr, "a file of certificates that is not there is said", q.returncode, q.stderr)


def shown():
    """Our own certificate."""
    folder = room()
    pem, ours = certificate(folder, "right", "IP:127.0.0.1"), certificate(folder, "ours", "DNS:tap.example.org")
    with Server('tls { cert_file: "%s", key_file: "%s", ca_file: "%s", verify: true }' % (pem, pem.with_suffix(".key"), ours), started=False) as server:
        server.servers.start(0)
        server.servers.wait_listening()
        url = server.url.replace("nats:", "nats+tls:")
        p = read(folder, url, capture(folder, 2), "carry_ca_file=%s" % pem, "carry_wait=1s")
        ok(p.returncode == 1 and waiting(folder), "a bus that wants a certificate of ours", p.stderr)
        p = read(folder, url, capture(folder, 2, 2), "carry_ca_file=%s" % pem, "carry_cert_file=%s" % ours, "carry_key_file=%s" % ours.with_suffix(".key"))
        ok(p.returncode == 0 and not waiting(folder), "takes what waits, once it sees it", p.stderr)


def wrong_addresses():
    folder = room()
    for url, text in (("nats://127.0.0.1", "STREAM"), ("nats://127.0.0.1/", "STREAM"), ("nats://127.0.0.1/a.b", "STREAM"), ("nats:///MAILS", "server"), ("nats://127.0.0.1:99999/MAILS", "99999"),
                      ("natz://127.0.0.1/MAILS", "nats")):
        p = read(folder, url, SOURCE / "samples/week.pcap.zst")
        ok(p.returncode == 2 and text in p.stderr, "%s is refused at the start" % url, p.returncode, p.stderr)
    p = subprocess.run([MAILTAP, "read", "-o", "nats://127.0.0.1/MAILS", str(SOURCE / "samples/week.pcap.zst")], capture_output=True, text=True)
    ok(p.returncode == 2 and "outbox_directory" in p.stderr, "without a place to wait in there is no such output", p.stderr)


def disk_full():
    if not ROOT:
        return skip("a full disk", "root makes the small disk")
    folder = room()
    with SmallDisk(128 << 10) as disk, Server(started=False) as server:
        box = str(disk.folder) + "/outbox"
        p = subprocess.run([MAILTAP, "read", "-s", "outbox_directory=" + box, "-s", "carry_wait=500ms", "-s", "batch_bytes=8KiB", "-s", "country_databases=none", "-o", server.url,
                            str(capture(folder, 300))], capture_output=True, text=True, timeout=60, preexec_fn=disk.enter, env=ENV)
        lost = re.search(r"(\d+) records lost", p.stderr)
        ok(p.returncode == 1 and lost and "No space left" in p.stderr, "a full disk: what is lost is counted, and why is said", p.returncode, p.stderr)
        server.start()
        p = subprocess.run([MAILTAP, "read", "-s", "outbox_directory=" + box, "-s", "country_databases=none", "-o", server.url, str(capture(folder, 1, 900))], capture_output=True, text=True,
                           timeout=60, preexec_fn=disk.enter, env=ENV)
        found = server.records()
        # The first of the outbox may not have gone yet when that one's came.
        more = re.search(r"(\d+) records lost", p.stderr)
        ok(lost and len(found) == 602 - int(lost[1]) - int(more[1] if more else 0), "the rest arrives, no half record", len(found), p.stderr)


def size_limit():
    folder = room()
    with Server() as server:
        def limit():
            import resource
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        p = read(folder, server.url, capture(folder, 20), "batch_bytes=4KiB", preexec_fn=limit)
        ok(p.returncode == 1 and "File too large" in p.stderr and "records lost" in p.stderr, "a limit on files is an error that is counted, not an end", p.returncode, p.stderr)


class Deaf:
    """As much of a NATS server as a carrier speaks to, whose answers to batches are those of a list, each once; then it takes them. `seen`: the id of each, and whether
    its file was still there."""

    def __init__(self, folder, answers):
        self.folder, self.answers, self.seen, self.taken = folder, list(answers), [], {}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "nats://127.0.0.1:%d/MAILS" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def batch(self, head, body):
        """The answer, None for silence, False for the end of the connection."""
        name = re.search(rb"Nats-Msg-Id: *(\S+)", head)[1].decode()
        self.seen.append((name, bool(waiting(self.folder))))
        answer = self.answers.pop(0) if self.answers else {"stream": "MAILS", "seq": len(self.seen)}
        if answer and "error" not in answer:
            self.taken[name] = body
        return answer

    def serve(self, peer):
        try:
            with peer, peer.makefile("rwb") as f:
                f.write(b'INFO {"server_id":"x","version":"2.9.10","headers":true,"jetstream":true,"max_payload":1048576,"proto":1}\r\n')
                f.flush()
                for line in f:
                    words = line.split()
                    verb, answer = words[0].upper(), None
                    if verb == b"PING":
                        f.write(b"PONG\r\n")
                    elif verb == b"PUB":
                        f.read(int(words[-1]) + 2)
                        answer = {"type": "io.nats.jetstream.api.v1.stream_info_response", "config": {"name": "MAILS"}, "created": "2026-01-01T00:00:00Z",
                                  "state": {"messages": 0, "bytes": 0, "first_seq": 0, "last_seq": 0, "consumer_count": 0}}
                    elif verb == b"HPUB":
                        whole = f.read(int(words[-1]) + 2)
                        head = int(words[-2])
                        answer = self.batch(whole[:head], whole[head:-2])
                        if answer is False:
                            return
                    if answer:
                        text = json.dumps(answer).encode()
                        f.write(b"MSG %s 1 %d\r\n%s\r\n" % (words[2], len(text), text))
                    f.flush()
        except (OSError, ValueError):
            pass

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.listener.close()


def unacknowledged():
    """A batch is sent again, the same, until it is acknowledged; only then it is taken out."""
    folder = room()
    error = {"error": {"code": 503, "err_code": 10077, "description": "failed to store"}}
    answers = [None, False, error, {"stream": "OTHER", "seq": 1}]
    with Deaf(folder, answers) as bus:
        p = read(folder, bus.url, capture(folder, 5))
        ok(p.returncode == 0 and not waiting(folder), "silence, a broken line, an error, another stream: in the end it is carried", p.returncode, p.stderr)
        ok(len(bus.seen) == len(answers) + 1 and len({name for name, _ in bus.seen}) == 1, "the same batch each time", *bus.seen)
        ok(all(there for _, there in bus.seen), "and its file is there until then", *bus.seen)
        lines = [json.loads(line) for body in bus.taken.values() for line in body.splitlines()]
        ok(len(lines) == 10 and [r["mailfrom"] for r in lines if r["_path"] == "smtp"] == names(0, 5), "whole", len(lines))
        ok("10 records carried" in p.stderr, "counted once", p.stderr)
    too_large = {"error": {"code": 400, "err_code": 10054, "description": "message size exceeds maximum allowed"}}
    with Deaf(folder, [too_large]) as bus:
        p = read(folder, bus.url, capture(folder, 4, 10))
        ok(p.returncode == 0 and len(bus.taken) == 2 and sum(b.count(b"\n") for b in bus.taken.values()) == 8, "a batch over the stream's own limit goes in halves", p.stderr, len(bus.taken))


def watch_settings(folder, *more):
    """The folder of outboxes is made by watch, for whom it becomes."""
    return ["outbox_directory=%s" % (folder / "outbox"), "batch_wait=100ms", *more]


def carrier_of(w):
    found = until(lambda: [p for p, n in w.processes().items() if n == "mailtap-carrier"])
    return found[0] if found else None


def has_thread(w, name):
    return any(p.read_text() == name + "\n" for p in Path("/proc/%d/task" % w.sensor()).glob("*/comm"))


def watch_carries():
    folder = room()
    with Server() as server, Mta(FAR), Watch("here", settings=watch_settings(folder), args=["-o", server.url]) as w:
        Source(NEAR, 50, "10.9.0.2:25").wait()
        w.wait_records(50)
        ok(until(lambda: len(server.mails()) >= 50), "what watch sees is in the stream soon", len(server.mails()), *w.lines)
        ok(has_thread(w, "mailtap-outbox"), "a thread of the sensor waits for the disk")
        pid = carrier_of(w)
        ok(pid and status_of(pid)["Uid"].split()[0] != "0" or not ROOT, "who carries it is not root", pid)
        fds = sorted(os.readlink("/proc/%d/fd/%s" % (pid, n)) for n in os.listdir("/proc/%d/fd" % pid))
        odd = [f for f in fds if not re.search(r"^/dev/null$|outbox|^pipe:|^socket:|eventpoll|eventfd|^/dev/urandom$|^/proc/(%d|sys/vm/overcommit_memory)$" % pid, f)]
        ok(not odd and sum(f.startswith("socket:") for f in fds) <= 2, "and has nothing of the sensor's", fds)
        capability = int(status_of(pid)["CapEff"], 16)
        ok(capability == 0 or not ROOT, "nor rights", hex(capability))
        ok(status_of(pid)["Seccomp"] == "2" and status_of(pid)["NoNewPrivs"] == "1", "and is confined", status_of(pid))
        said = w.reload()
        ok(any("loaded anew" in line for line in said), "a reload leaves it as it is", *said)
        Source(NEAR, 5, "10.9.0.2:25").wait()
        ok(until(lambda: len(server.mails()) >= 55), "and records go on", *w.lines)
        os.kill(w.sensor(), signal.SIGKILL)
        ok(w.hear("watching", 2), "another sensor takes its place", *w.lines)
        Source(NEAR, 5, "10.9.0.2:25").wait()
        ok(until(lambda: len(server.mails()) >= 60), "with another carrier", len(server.mails()), *w.lines)
        took = w.end()
        ok(took < SOON, "it ends soon", took)
    ok(not waiting(folder), "and nothing is left", waiting(folder))


def watch_alone():
    """The bus is a host that takes connections and says nothing."""
    folder = room()
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent, Mta(FAR):
        url = "nats://127.0.0.1:%d/MAILS" % silent.getsockname()[1]
        settings = watch_settings(folder, "stats_interval=1s", "outbox_bytes=64KiB", "batch_bytes=4KiB", "sensor=here1")
        with Watch("here", settings=settings, args=["-o", url]) as w:
            Source(NEAR, 300, "10.9.0.2:25").wait()
            ok(w.wait_records(300) == 300, "a bus that is silent does not keep the logs waiting")
            notice = w.find("notice", note="Output::Outbox_Full")
            ok(notice and "lost" in notice["msg"] and notice["sensor"] == "here1", "a notice says that the outbox is full", notice)
            stats = until(lambda: [r for r in w.records("stats") if r.get("outputs_down") and r.get("outbox_records") and "worker" not in r])
            ok(stats, "stats say that it cannot be reached and what waits", *w.records("stats")[-2:])
            carrier = carrier_of(w)
            os.kill(carrier, signal.SIGKILL)
            ok(w.hear("its carrier has ended"), "a carrier that is gone is said", *w.lines)
            ok(until(lambda: [r for r in w.records("stats") if r.get("outputs_failing")]), "and counted")
            ok(w.sensor() and alive(w.sensor()), "the sensor lives on")
            took = w.end(code=1)
            ok(took < SOON, "the end comes soon", took)
            ok(w.said(r"\d+ records wait in .* for the next run"), "what is left is said", *w.lines)
        more = ["-o", url, "-o", url.replace("MAILS", "OTHER"), "-o", url.replace("nats:", "kafka:")]
        with Watch("here", settings=[*settings, "outbox_sync=no"], args=more) as w:
            ok(until(lambda: sum(n == "mailtap-carrier" for n in w.processes().values()) == 3), "three such outputs, three carriers", w.processes())
            Source(NEAR, 5, "10.9.0.2:25").wait()
            ok(until(lambda: len({f.parent for f in waiting(folder)}) == 3), "each with an outbox", waiting(folder)[-3:])
            ok(not has_thread(w, "mailtap-outbox"), "who forces nothing to the disk has no thread for it")
            took = w.end(code=1)
            ok(took < SOON, "the end comes soon with all of them in the midst of a try too", took)


def watch_others():
    """Syslog and Elasticsearch over TLS, beside each other, by carriers that are nobody."""
    folder = room()
    pem, password = certificate(folder, "right", "IP:127.0.0.1"), folder / "password"
    password.write_text(SECRET)
    # Whoever it becomes reads the certificate at each connection; the password was read before.
    pem.chmod(0o644)
    password.chmod(0o600)
    more = ["carry_ca_file=%s" % pem, "carry_password_file=%s" % password, "carry_user=tap", "sensor=here1"]
    with syslogpeer.Stream(syslogpeer.context(pem)) as log, syslogpeer.Datagrams() as plain, bulkpeer.Bulk(syslogpeer.context(pem), login=bulkpeer.basic("tap", SECRET)) as bulk, Mta(FAR):
        urls = ["syslogs://127.0.0.1:%d" % log.port, "syslog://127.0.0.1:%d" % plain.port, "elasticsearchs://127.0.0.1:%d/mail" % bulk.port]
        with Watch("here", settings=watch_settings(folder, *more), args=[a for u in urls for a in ("-o", u)]) as w:
            Source(NEAR, 20, "10.9.0.2:25").wait()
            ok(until(lambda: sum(i == "mail-smtp" for i, _ in bulk.documents) == 20), "what watch sees is in Elasticsearch soon, by TLS and a log-in", len(bulk.documents), *w.lines)
            for what, messages in (("TLS", log.messages), ("UDP", lambda: plain.messages)):
                ok(until(lambda: sum(syslogpeer.parse(m)["id"] == "smtp" for m in list(messages())) == 20), "and at a receiver of syslog, by %s" % what, len(messages()), *w.lines)
                ok({syslogpeer.parse(m)["host"] for m in messages()} == {"here1"} and SECRET.encode() not in b"".join(messages()), "by the sensor's name, and without the password")
            pids = [p for p, n in w.processes().items() if n == "mailtap-carrier"]
            ok(len(pids) == 3 and not any(ROOT and status_of(p)["Uid"].split()[0] == "0" for p in pids), "who carries it is not root", pids)
            ok(w.end() < SOON, "it ends soon")
    ok(not waiting(folder), "and nothing is left", waiting(folder))


if __name__ == "__main__":
    run_tests([away_at_start, clock_back, outbox_full, poisoned, secrets, credentials, encrypted, shown, wrong_addresses, disk_full, size_limit, unacknowledged, watch_carries, watch_alone, watch_others])
