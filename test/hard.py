#!/usr/bin/env python3
"""Traces that are harder than real ones, with the truth about them: every record must say what can be known, and no more.

hard.py MAILTAP                 the test
hard.py MAILTAP --hunt FROM TO  many seeds, prints what differs (a line of hardtrace.py's arguments brings each back)
"""
import collections
import json
import sys
import tempfile
from pathlib import Path

import hardtrace
import hardtruth
import hardwire
from tap import done, mailtap, ok

SEEDS = [1, 2, 3, 4]


def records(out):
    """-> {ends: ([mails], [sessions])}, and what is wrong in the lines themselves."""
    got = collections.defaultdict(lambda: ([], []))
    bad, depths = [], collections.defaultdict(list)
    for line in out.splitlines():
        r = json.loads(line)
        key = (r["id.orig_h"], r["id.orig_p"], r["id.resp_h"], r["id.resp_p"])
        got[key][r["_path"] != "smtp"].append(r)
        if r["_path"] == "smtp":
            depths[r["uid"]].append(r["trans_depth"])
        elif sorted(depths[r["uid"]]) != list(range(1, r["mails"] + 1)):
            bad.append("%s: mails %d, but trans_depth %s" % (key, r["mails"], depths[r["uid"]]))
    return got, bad


def without_login(out, dump, name):
    """Is the name of a user there, but for the places where a login has it?"""
    return any(name in data.replace(b'"user":"%s"' % name, b"").replace(b" user=%s" % name, b"") for data in (out, dump))


def check(seed, sessions, only=(), index=None, events=True):
    """-> texts of what differs."""
    frames, truth = hardtrace.make(seed, sessions, only, index)
    with tempfile.TemporaryDirectory() as tmp:
        pcap = Path(tmp) / "hard.pcap"
        hardwire.save(pcap, frames)
        out = mailtap("read", pcap, "-f", "json").stdout
        dump = mailtap("read", pcap, "--events").stdout if events else b""
    got, wrong = records(out.decode())
    for t in truth:
        mails, sessions_ = got.pop(tuple(t["key"]), ([], []))
        bad = hardtruth.align(t["mails"], mails) + ["session: " + b for b in hardtruth.align(t["sessions"], sessions_)]
        bad += ["secret %r is shown" % s for s in t["secrets"] if s.encode() in out or s.encode() in dump]
        bad += ["user %r is shown outside of logins" % s for s in t["names"] if without_login(out, dump, s.encode())]
        if bad:
            names = " ".join("--only " + n for n in only)
            wrong.append("--seed %d --sessions %d --session %d %s (%s) %s\n    %s" % (seed, t["n"] + 1, t["n"], names, " ".join(t["about"]), t["key"], "\n    ".join(bad)))
    return wrong + ["records of %s, which is no mail or has other ends" % (k,) for k in got]


def hunt(first, last):
    for seed in range(first, last):
        for text in check(seed, 200):
            print(text, flush=True)


def main():
    if "--hunt" in sys.argv:
        i = sys.argv.index("--hunt")
        hunt(int(sys.argv[i + 1]), int(sys.argv[i + 2]))
        return
    for name in hardtrace.ALL:
        wrong = check(1, 8, [name], events=name == "auth")
        ok(not wrong, "%s alone" % name, *wrong[:3])
    # The same on every run, so that a change answers for itself alone; --hunt looks for what nobody knows yet.
    for seed in SEEDS:
        wrong = check(seed, 120)
        ok(not wrong, "everything at once, seed %d" % seed, *wrong[:6])
    done()


main()
