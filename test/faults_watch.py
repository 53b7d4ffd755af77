#!/usr/bin/python3
"""Faults of the machine while `mailtap watch` runs: calls cut short or interrupted.
usage: faults_watch.py MAILTAP FAULT-INJECT [TEST...]"""
import os
import re
import socket
import struct
import sys

from waiting import LONG
from watching import ENV, Client, Mta, Watch, need_tools, ok, port_free, room, run_tests, two_hosts

SHIM = os.path.abspath(sys.argv.pop(2))
need_tools()
NEAR, FAR = two_hosts()
FOLDER = room()
PAGE = FOLDER / "page"  # struct page of fault-inject.c


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


run_tests([metrics])
