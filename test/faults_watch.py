#!/usr/bin/python3
"""Faults of the machine while `mailtap watch` runs: calls cut short or interrupted, threads and descriptors that are refused.
usage: faults_watch.py MAILTAP FAULT-INJECT [TEST...]"""
import os
import re
import signal
import socket
import struct
import sys

from waiting import LONG, until
from watching import ENV, Client, Mta, Watch, need_tools, ok, port_free, room, run_tests, two_hosts

SHIM = os.path.abspath(sys.argv.pop(2))
need_tools()
NEAR, FAR = two_hosts()
FOLDER = room()
PAGE = FOLDER / "page"  # struct page of fault-inject.c
REFUSED = {"pthread_create": "Resource temporarily unavailable", "fork": "Resource temporarily unavailable", "eventfd": "Too many open files",
           "signalfd": "Too many open files", "socketpair": "Too many open files"}


def env(**faults):
    given = {"FAULT_" + k.upper(): str(v) for k, v in {"forks": 1, "count": PAGE, **faults}.items()}
    return dict(ENV, LD_PRELOAD=SHIM, ASAN_OPTIONS=ENV["ASAN_OPTIONS"] + ":verify_asan_link_order=0:abort_on_error=0:handle_abort=0", **given)


def spoilt():
    return struct.unpack("4q", PAGE.read_bytes())[1]


def scrape(port):
    with socket.create_connection(("127.0.0.1", port), LONG) as s:
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        with s.makefile("rb") as f:
            head, _, body = f.read().partition(b"\r\n\r\n")
    return head.decode(), body.decode()


def whole_page(head, body):
    length = re.search(r"Content-Length: (\d+)", head)
    return head.startswith("HTTP/1.1 200 OK\r\n") and length and int(length[1]) == len(body) and body.endswith("\n") and "mailtap_records_total " in body


def metrics():
    """A scrape gets the whole page, whatever is interrupted."""
    for seed in range(1, 5):
        port = port_free()
        with Mta(FAR) as mta, Watch("here", args=["--metrics", "127.0.0.1:%d" % port], env=env(calls=seed)) as w:
            before = spoilt()
            c = Client(NEAR, mta)
            c.mail("seed%d" % seed)
            c.quit()
            pages = [scrape(port) for _ in range(20)]
            bad = [p for p in pages if not whole_page(*p)]
            during = spoilt() - before
            ok(not bad and during > 40, "metrics: 20 scrapes are whole, %d calls spoilt, seed %d" % (during, seed), len(bad), *bad[:2], *w.lines)
            ok(w.find(msg_id="<seed%d>" % seed), "and a mail is recorded", *w.lines)
            w.end()
            ok(not w.said("refused") and len(w.said("watching")) == 1, "by one sensor", *w.lines)


def refused():
    """Threads and descriptors that the machine does not give."""
    for call, which in (("pthread_create", 1), ("pthread_create", 3), ("eventfd", 4), ("eventfd", 5), ("eventfd", 7), ("signalfd", 1)):
        # libpcap has taken an eventfd for each of three sockets by then; its threads begin together, or not at all.
        w = Watch("here", workers=3, env=env(refuse="%s:%d" % (call, which)), ready=False)
        ended = call == "signalfd"  # before the settings were known to be right
        until(lambda: w.process.poll() is not None if ended else w.said("watching"))
        if w.process.poll() is None:
            w.end()
        w.thread.join(LONG)
        name = "a sensor's call %d of %s is refused: " % (which, call)
        ok(len(w.said("^mailtap: .*" + REFUSED[call])) == 1 and not w.said("Assertion|signal 6|Sanitizer"), name + "it says so, once", *w.lines)
        if ended:
            ok(w.process.wait() == 2, name + "and an exit code", w.process.returncode, *w.lines)
        else:
            ok(w.said("the next sensor starts in 1 s") and len(w.said("watching")) == 1 and w.process.wait() == 0, name + "and the next sensor watches", w.process.returncode, *w.lines)
    for call in ("signalfd", "socketpair", "fork"):
        w = Watch("here", env=env(forks=0, refuse=call + ":1"), ready=False)
        until(lambda: w.process.poll() is not None)
        if w.process.poll() is None:
            w.end()
        w.thread.join(LONG)
        name = "the keeper's %s is refused: " % call
        ok(len(w.said("^mailtap: .*" + REFUSED[call])) == 1 and not w.said("Assertion|Sanitizer"), name + "it says so, once", *w.lines)
        ok(w.process.wait() == 1, name + "and ends with an exit code", w.process.returncode, *w.lines)


def refused_later():
    """A keeper that cannot start the next sensor waits, and then can."""
    for call in ("socketpair", "fork"):
        with Watch("here", env=env(forks=0, refuse=call + ":2")) as w:
            os.kill(w.sensor(), signal.SIGKILL)
            ok(w.hear("a sensor cannot be started: %s: %s" % (call, REFUSED[call])) and w.hear("watching", 2), "a later %s is refused: it is said, and tried again" % call, *w.lines)
            ok(len(w.said("cannot be started")) == 1 and w.said("the next sensor starts in 2 s"), "after a while", *w.lines)
            w.end()


run_tests([metrics, refused, refused_later])
