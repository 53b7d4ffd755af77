#!/usr/bin/python3
"""SIGKILL at any moment, a hundred times: the store is whole, what ended more than a second before is in it, its sums are those of its rows, and the next one goes on in the
same file. usage: store_kill.py MAILTAP"""
import os
import random
import signal
import subprocess
import threading
import time

import packets
import storing
from packets import ACK, CLIENT, FIN, PSH, SERVER, SYN
from tap import MAILTAP, run_tests
from waiting import LONG, until, waits_for_input
from watching import Client, Mta, Watch, alive, need_tools, ok, room, two_hosts

FEEDERS, KILLS_EACH, WATCHES = 4, 23, 8
AGO = 1.0  # seconds before the kill
PACE = 0.004  # seconds between mails

need_tools()
NEAR, FAR = two_hosts()


def mail_packets(number, name):
    """A connection with a mail, all of it now; the time at which it ended."""
    steps = [(SERVER, b"220 mx.example ESMTP\r\n"), (CLIENT, b"HELO c.example\r\n"), (SERVER, b"250 mx\r\n"), (CLIENT, b"MAIL FROM:<a@x%d.example>\r\n" % (number % 50)),
             (SERVER, b"250 ok\r\n"), (CLIENT, b"RCPT TO:<b@y.example>\r\n"), (SERVER, b"250 ok\r\n"), (CLIENT, b"DATA\r\n"), (SERVER, b"354 go\r\n"),
             (CLIENT, b"Subject: words of %s\r\nMessage-ID: <%s>\r\n\r\n%s\r\n.\r\n" % (name.encode(), name.encode(), b"text " * 40)), (SERVER, b"250 queued\r\n"), (CLIENT, b"QUIT\r\n")]
    seq, out = [1000, 5000], []
    now = time.time()

    def send(side, flags, payload=b""):
        out.append(packets.record(now, packets.segment(number, side, flags, seq[side], seq[1 - side] if flags & ACK else 0, payload)))
        seq[side] += len(payload) + bool(flags & (SYN | FIN))

    for side, flags in ((CLIENT, SYN), (SERVER, SYN | ACK), (CLIENT, ACK)):
        send(side, flags)
    for side, payload in steps:
        send(side, PSH | ACK, payload)
    for side in (CLIENT, SERVER):
        send(side, FIN | ACK)
    return b"".join(out), now


def stored(store):
    """Names by their ids' order; [] where no file is there yet."""
    names = []
    for path in storing.days(store):
        tables = {row[0] for row in storing.query(path, "SELECT name FROM sqlite_schema")}
        if "smtp" in tables:
            names += [row[0][1:-1] for row in storing.query(path, "SELECT msg_id FROM smtp ORDER BY id")]
    return names


def faults(store):
    bad = []
    for path in storing.days(store):
        bad += storing.whole(path)
        if storing.query(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'smtp'")[0][0]:
            bad += storing.wrong_sums(path)[:3]
    return bad


class Feeder(threading.Thread):
    """One that is fed at a steady pace, killed, and started again."""

    def __init__(self, number):
        super().__init__()
        self.number, self.bad, self.kills, self.sent, self.had = number, [], 0, 0, set()
        self.store = room() / "store"
        self.draw = random.Random(number)

    def run(self):
        try:
            for i in range(KILLS_EACH):
                self.once(i)
        except Exception as e:  # its thread would end without a word
            self.bad.append("%s: %s" % (type(e).__name__, e))

    def feed(self, p, seconds, name):
        ended, until_time = {}, time.time() + seconds
        while time.time() < until_time:
            self.sent += 1
            key = "%s-%d" % (name, self.sent)
            data, ended[key] = mail_packets(self.sent, key)
            p.stdin.write(data)
            p.stdin.flush()
            time.sleep(PACE)
        return ended

    def once(self, i):
        args = ["-s", "country_databases=none", "-o", "sqlite:%s" % self.store] + (["--workers", "2"] if self.number % 2 else ["--workers", "1"])
        p = subprocess.Popen([os.path.abspath(MAILTAP), "read", "-", *args], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        # Some at the very beginning, most while it works: what it was handed before it read at all says nothing of it.
        early = i % 4 == 0
        p.stdin.write(packets.struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
        p.stdin.flush()
        if not early:
            until(lambda: waits_for_input(p))
        ended = self.feed(p, self.draw.random() * 0.5 if early else 0.3 + self.draw.random() * 1.4, "f%d-%d" % (self.number, i))
        if p.poll() is not None:
            self.bad.append("kill %d: it had ended by itself: %s" % (i, p.returncode))
        killed = time.time()
        p.kill()
        p.wait()
        p.stdin.close()
        self.kills += 1
        self.judge("kill %d" % i, ended, killed)

    def judge(self, what, ended, killed):
        names = stored(self.store) if self.store.exists() else []
        there = set(names)
        due = {name for name, end in ended.items() if end < killed - AGO}
        if len(names) != len(there):
            self.bad.append(what + ": a mail is there twice")
        if due - there:
            self.bad.append("%s: %d of %d mails are not there: %s" % (what, len(due - there), len(due), sorted(due - there)[:3]))
        if self.had - there:
            self.bad.append("%s: %d mails of before are gone" % (what, len(self.had - there)))
        mine = [name in there for name in ended]
        if mine != sorted(mine, reverse=True):
            self.bad.append(what + ": there is a gap")
        self.bad += [what + ": " + text for text in (faults(self.store) if self.store.exists() else [])]
        self.had = there


def killed_readers():
    feeders = [Feeder(n) for n in range(FEEDERS)]
    for f in feeders:
        f.start()
    for f in feeders:
        f.join()
    for f in feeders:
        ok(not f.bad and f.kills == KILLS_EACH and f.had, "a reader of a pipe, killed %d times: %d of %d mails are stored, in %d file(s)" %
           (f.kills, len(f.had), f.sent, len(storing.days(f.store))), *f.bad[:8])


def send_for(mta, name, until_time):
    """Mails one after the other; when each was taken."""
    ended, n = {}, 0
    c = Client(NEAR, mta)
    while time.time() < until_time:
        n += 1
        c.mail("%s-%d" % (name, n))
        ended["%s-%d" % (name, n)] = time.time()
        time.sleep(PACE)
    return ended, c


def killed_watches():
    store, draw, bad, before, count = room() / "store", random.Random(5), [], set(), 0
    with Mta(FAR) as mta:
        for i in range(WATCHES):
            w = Watch("here", args=["-o", "sqlite:%s" % store], workers=1 + i % 2)
            sensor = w.sensor()
            ended, client = send_for(mta, "w%d" % i, time.time() + 0.2 + 2 * draw.random())
            killed = time.time()
            w.process.kill()
            os.kill(sensor, signal.SIGKILL)
            w.process.wait()
            until(lambda: not alive(sensor))
            client.close()
            there = set(stored(store)) if store.exists() else set()
            due = {name for name, end in ended.items() if end < killed - AGO}
            bad += ["kill %d: %d of %d mails are not there" % (i, len(due - there), len(due))] if due - there else []
            bad += ["kill %d: %d mails of before are gone" % (i, len(before - there))] if before - there else []
            bad += ["kill %d: %s" % (i, text) for text in (faults(store) if store.exists() else [])]
            before, count = there, count + len(ended)
            w.thread.join(LONG)
    ok(not bad and before, "a watch, killed %d times: %d of %d mails are stored, in %d file(s)" % (WATCHES, len(before), count, len(storing.days(store))), *bad[:8])


run_tests([killed_readers, killed_watches])
