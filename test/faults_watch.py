#!/usr/bin/python3
"""Faults of the machine while `mailtap watch` runs: calls cut short or interrupted, memory that is out, threads and descriptors that are refused.
usage: faults_watch.py MAILTAP FAULT-INJECT [TEST...]"""
import os
import re
import signal
import socket
import struct
import sys

from tap import run_tests
from waiting import LONG, until
from watching import ENV, Client, Mta, Watch, need_tools, ok, port_free, room, two_hosts

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


def allocations():
    return struct.unpack("4q", PAGE.read_bytes())[0]


def spoilt():
    return struct.unpack("4q", PAGE.read_bytes())[1]


def fail_from_now(n):
    """The nth allocation from now on, or one soon after, as others may happen meanwhile."""
    with PAGE.open("r+b", buffering=0) as f:
        f.seek(16)
        f.write(struct.pack("q", allocations() + n))


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


# What no lack of memory excuses; that it aborts with a word is how a sensor ends by one.
LOUD = re.compile("Sanitizer|runtime error|Assertion|signal 11")


def half_lines(w):
    return [text[-200:] for stream in ("smtp", "smtp_session", "stats", "notice", "software") for text in w.contents(stream) if text and not text.endswith(b"\n")]


def dies_running(w, mta, n):
    """What is wrong with how a sensor dies of its nth allocation from now; None where nothing is."""
    c = Client(NEAR, mta)
    c.mail("before")
    if not w.find(msg_id="<before>"):
        return "no mail before"
    fail_from_now(n)
    for i in range(40):
        c.mail("meanwhile%d" % i)
        if w.said("the sensor was ended"):
            break
    c.quit()
    if not w.hear(r"the sensor was ended by signal 6|the sensor ended"):
        return "it goes on"
    if not w.said("out of memory"):
        return "it ends without a word"
    if not w.hear("the next sensor starts in 1 s") or not w.hear("watching .* worker", 2):
        return "no other one starts"
    c = Client(NEAR, mta)
    c.mail("after")
    c.quit()
    if not w.find(msg_id="<after>"):
        return "no mail after"
    if half_lines(w) or w.said("half a line"):
        return "half a line"
    ids = [r.get("msg_id") for r in w.records()]
    return None if len(ids) == len(set(ids)) else "a record twice"


def out_of_memory():
    """In a sensor that runs: it dies with a word, and the keeper starts another one."""
    bad, count = [], 24
    for k in range(count):
        n = 1 + k if k < 12 else int(12 * 1.3 ** (k - 11))
        with Mta(FAR) as mta, Watch("here", settings=["stats_interval=1s"], env=env()) as w:
            wrong = dies_running(w, mta, n)
            w.end(crash=LOUD)
        if wrong:
            bad.append("allocation %d: %s: %s" % (n, wrong, "\n".join(w.lines[-20:])))
    ok(not bad, "a running sensor: %d times another allocation fails; it dies with a word, the log is whole, and the next one goes on" % count, *bad[:4])


def out_of_memory_at_start():
    """Before it watches: the whole of it ends, with a word and an exit code. libseccomp falls over in some places by itself."""
    with Watch("here", env=env()) as w:
        count = allocations()
        w.end()
    bad, tried, ends = [], sorted({1, 2, 3, 5, 8, *(1 + count * i // 20 for i in range(20))}), {}
    for n in tried:
        w = Watch("here", env=env(allocation=n), ready=False)
        until(lambda: w.process.poll() is not None or w.said("watching"))
        w.end(code=None, crash=LOUD) if w.process.poll() is None else w.thread.join(LONG)
        code = w.process.wait()
        ends[code] = ends.get(code, 0) + 1
        if w.said("signal 6") and not w.said("out of memory"):
            bad.append("allocation %d: it dies without a word: %s" % (n, "\n".join(w.lines[-20:])))
        if not (code == 0 and w.said("watching")) and not (code in (1, 2) and w.said("^mailtap: |libseccomp")):
            bad.append("allocation %d: exit code %s: %s" % (n, code, "\n".join(w.lines[-20:])))
    ok(not bad and sum(ends.values()) > ends.get(0, 0), "a sensor that starts: %d of %d allocations fail in turn, and it ends with a word (%s)" % (len(tried), count, ends), *bad[:4])


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


def hangs():
    """A sensor that hangs before it is confined does not hold up the keeper, which can be told to end."""
    w = Watch("here", env=env(refuse="sendmsg:1"), ready=False)
    until(lambda: w.sensor() and PAGE.stat().st_size == 32 and spoilt())
    w.end(code=1)
    ok(w.said("the sensor does not get ready; it is killed") and w.said("ended by signal 9") and not w.said("watching"), "a sensor that hangs at its start is killed, and that is said", *w.lines)


run_tests([metrics, out_of_memory, out_of_memory_at_start, refused, refused_later, hangs])
