"""The same output, byte for byte, whatever the number of workers.

workers.py MAILTAP                    the test
workers.py MAILTAP --hunt FROM TO     many seeds, prints those that differ
"""
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import hardtrace
import hardwire
import waiting
from tap import MAILTAP, SHARED, SOURCE, done, mailtap, ok

COUNTS = (2, 3, 8)
# Everything that waits or times out does so often, and ties are likely.
HURRIED = ("-s", "flow_timeout=2s", "-s", "gap_wait=20ms", "-s", "hole_wait=50ms", "-s", "ignored_timeout=1s", "-s", "closed_timeout=50ms")


def told(r):
    return re.sub(rb" in [0-9.]+ s", b"", r.stderr)


def differing(args, counts=COUNTS):
    """Which numbers of workers give something else than one does."""
    one = mailtap("read", "-f", "json", "--workers", 1, *args)
    bad = []
    for n in counts:
        r = mailtap("read", "-f", "json", "--workers", n, *args)
        if (r.stdout, told(r), r.returncode) != (one.stdout, told(one), one.returncode):
            bad.append("%d workers" % n)
    return bad


def make(folder, seed, sessions):
    pcap = Path(folder) / ("%d.pcap" % seed)
    hardwire.save(pcap, hardtrace.make(seed, sessions, (), None)[0])
    return pcap


def hunt(first, last):
    for seed in range(first, last):
        with tempfile.TemporaryDirectory() as folder:
            pcap = make(folder, seed, 200)
            for more in ((), HURRIED):
                for bad in differing((pcap, *more)):
                    print("seed %d %s: %s" % (seed, " ".join(more), bad), flush=True)


def hard(folder):
    traces = [make(folder, seed, 100) for seed in (5, 6)]
    for pcap in traces:
        for name, more in (("", ()), (", hurried", HURRIED)):
            bad = differing((pcap, *more))
            ok(not bad, "the hard trace %s%s" % (pcap.stem, name), *bad)
    bad = differing((SOURCE / "samples/border.pcap", *traces, traces[0], *HURRIED))
    ok(not bad, "several files, the first of them again", *bad)


def ties(folder):
    """Connections that are reset, the last one first, and that are all due at the first packet after a silence."""
    wires = []
    for i in range(30):
        w = hardwire.Wire(random.Random(i), (), 1700000000 + i * 0.1)
        w.syn()
        for d, text in (1, b"220 ready\r\n"), (0, b"EHLO a\r\n"), (1, b"250 ok\r\n"), (0, b"MAIL FROM:<m%d@example.net>\r\n" % i), (1, b"250 ok\r\n"):
            w.step()
            w.write(d, text)
        w.t = 1700000010 - i * 0.00002
        w.finish("rst")
        wires.append(w)
    last = hardwire.Wire(random.Random(99), (), 1700000020)
    last.syn()
    frames = sorted(((p.t, w.frame(p), None) for w in (*wires, last) for p in w.packets), key=lambda p: p[0])
    pcap = Path(folder) / "ties.pcap"
    hardwire.save(pcap, frames)
    ok(len(mailtap("read", "-f", "json", pcap).stdout.splitlines()) == 60, "each of them has its records")
    bad = differing((pcap,))
    ok(not bad, "connections that are due at once", *bad)


def real():
    files = [f for f in sorted((SHARED / "captures").rglob("*")) if f.is_file() and ".pcap" in f.name and f.stat().st_size < 1 << 20]
    bad = [f.name for f in files if differing((f,), (3,))]
    ok(not bad, "%d real captures" % len(files), *bad)


def alone():
    sample = SOURCE / "samples/border.pcap"
    want = mailtap("read", "--events", "--workers", 1, sample)
    got = mailtap("read", "--events", "--workers", 4, sample)
    ok(got.stdout == want.stdout and b"one worker" in got.stderr, "events are in their order, as one worker tells them", got.stderr)
    got = mailtap("read", "-f", "json", "--workers", 4, "--script", SOURCE / "scripts/password-phish.lua", sample)
    ok(b"one worker" in got.stderr, "a script that hears events has one worker", got.stderr)
    got = mailtap("read", "-f", "json", "--workers", 4, "--script", SOURCE / "scripts/mail-metrics.lua", sample)
    ok(b"one worker" not in got.stderr, "one that hears records has as many as are wanted", got.stderr)
    bad = differing((sample, "--script", SOURCE / "scripts/mail-metrics.lua"))
    ok(not bad, "and says the same", *bad)


def output_fails():
    with open("/dev/full", "w") as full:
        r = subprocess.run([MAILTAP, "read", "-f", "json", "--workers", "3", str(SOURCE / "samples/border.pcap")], stdout=full, stderr=subprocess.PIPE, timeout=60)
    ok(r.returncode == 1 and b"No space left" in r.stderr, "output that fails ends it, with a word", r.stderr)


def pipe():
    """Who reads from a pipe gets what came, though more may come."""
    data = (SOURCE / "samples/border.pcap").read_bytes()
    want = len(mailtap("read", "-f", "json", SOURCE / "samples/border.pcap").stdout.splitlines())
    cut = data[:-1000]  # amid a packet
    for n, options in (1, ("-f", "json")), (3, ("-f", "json")), (1, ("--events",)):
        with tempfile.TemporaryFile() as out:
            p = subprocess.Popen([MAILTAP, "read", *options, "--workers", str(n), "-"], stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE)
            p.stdin.write(cut)
            p.stdin.flush()
            some = waiting.until(lambda: os.pread(out.fileno(), 1 << 20, 0).count(b"\n") >= want // 2)
            p.stdin.write(data[-1000:])
            p.stdin.close()
            said = p.stderr.read()
            ok(some and p.wait(60) == 0, "%s, %d workers: a pipe that stays open holds nothing up" % (options[-1], n), said)
            whole = mailtap("read", *options, SOURCE / "samples/border.pcap").stdout
            ok(os.pread(out.fileno(), 1 << 24, 0) == whole, "and all of it comes at its end")


def numbers():
    for text in ("0", "65", "-1", "x", "", "1x"):
        r = mailtap("read", "--workers", text, SOURCE / "samples/border.pcap")
        ok(r.returncode == 2 and b"--workers wants a number from 1 to 64, or auto" in r.stderr, "--workers '%s' is refused" % text, r.stderr)
    r = mailtap("read", "--workers", "auto", SOURCE / "samples/border.pcap")
    ok(r.returncode == 0, "--workers auto", r.stderr)


def main():
    if "--hunt" in sys.argv:
        i = sys.argv.index("--hunt")
        hunt(int(sys.argv[i + 1]), int(sys.argv[i + 2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        hard(folder)
        ties(folder)
    real()
    alone()
    output_fails()
    pipe()
    numbers()
    done()


main()
