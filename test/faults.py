#!/usr/bin/python3
"""Faults of the machine: the Nth allocation fails, calls are cut short or interrupted. Nothing crashes, nothing is silent, nothing is half.
usage: faults.py MAILTAP SINK-RUN FAULT-INJECT"""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import storing
from tap import MAILTAP, SOURCE, done, ok, skip

SINK_RUN, SHIM = sys.argv[2:4]
PCAP = SOURCE / "samples/border.pcap"
room = tempfile.TemporaryDirectory(prefix="mailtap-faults-")
FOLDER = Path(room.name)
ENV = dict(os.environ, LD_PRELOAD=os.path.abspath(SHIM), ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0:abort_on_error=0:handle_abort=0")
ABORTED = -6


def run(command, stdin=None, **faults):
    env = dict(ENV, **{"FAULT_" + k.upper(): str(v) for k, v in faults.items()})
    return subprocess.run([str(c) for c in command], stdin=stdin, capture_output=True, timeout=60, env=env)


def counted():
    """Allocations and spoilt calls."""
    return struct.unpack("4q", (FOLDER / "count").read_bytes())[:2]


def allocations(command):
    """How many it makes."""
    r = run(command, count=FOLDER / "count")
    ok(r.returncode in (0, 1), "without a fault it runs: " + " ".join(map(str, command[1:4])), r.returncode, r.stderr.decode()[-1000:])
    return counted()[0]


def thinned(count, most):
    """All of the first ones, then ever fewer."""
    some = {*range(1, min(count, most // 3) + 1)}
    left = most - len(some)
    return sorted(some | {min(count, int(count ** (i / left)) + 1) for i in range(left)} | {count * i // left + 1 for i in range(left)})


def fault(r, whole):
    """What is wrong with how it ended; None where nothing is."""
    err = r.stderr.decode(errors="replace")
    if "out of memory" in err and "sanitizer_linux_libcdep" in err:
        return None  # its own end, where a thread gets no memory
    if "Sanitizer" in err or "runtime error" in err:
        return "a sanitizer speaks"
    if r.returncode == ABORTED:
        return None if "out of memory" in err else "it aborts without a word"
    if r.returncode < 0:
        return "signal %d" % -r.returncode
    if r.returncode in (1, 2):
        return None if re.search(r"^mailtap: ", err, re.M) else "an error without a word"
    return None if r.returncode == whole.returncode and (r.stdout == whole.stdout or re.search("memory", err, re.I)) else "other output without a word, exit code %d" % r.returncode


def out_of_memory():
    script = FOLDER / "script.lua"
    script.write_text('local c = counter("c", {expire = 10})\nfunction on_mail(m) c:add(m.mailfrom or "") log("mine", {subject = m.subject or ""}) notice{note = "A::B", msg = "x"} end\n'
                      'function on_reply(s, code, text) if s.mail then s.tags[text:sub(1, 5)] = true end end\nfunction on_data(s, line) end\n')
    settings = FOLDER / "settings.yaml"
    settings.write_text("webhook_url: http://127.0.0.1:1/\ncourier_wait: 0s\nlocal_nets: [192.0.2.0/24]\nnotice_policy:\n  - {note: \"*\", actions: [log, webhook]}\n")
    packed = FOLDER / "packed.pcap.gz"
    packed.write_bytes(subprocess.run(["gzip", "-c", PCAP], stdout=subprocess.PIPE, check=True).stdout)
    cases = {
        "json": ([MAILTAP, "read", "-s", "country_databases=none", "-f", "json", PCAP], 120),
        "text, with countries, packed": ([MAILTAP, "read", "-f", "text", packed], 50),
        "scripts, settings, a courier": ([MAILTAP, "read", "-c", settings, "--script", script, "-s", "country_databases=none", "-f", "json", PCAP], 120),
        "three workers": ([MAILTAP, "read", "-s", "country_databases=none", "-f", "json", "--workers", "3", PCAP], 40),
        "settings": ([MAILTAP, "settings"], 3),
    }
    for name, (command, most) in cases.items():
        whole, count, bad, ends = run(command), allocations(command), [], {}
        tried = thinned(count, most)
        for n in tried:
            for forever in ({}, {"forever": 1}) if n % 4 == 0 else ({},):
                try:
                    r = run(command, allocation=n, **forever)
                except subprocess.TimeoutExpired:
                    bad.append("allocation %d: hangs" % n)
                    continue
                wrong = fault(r, whole)
                ends[r.returncode] = ends.get(r.returncode, 0) + 1
                if wrong:
                    bad.append("allocation %d%s: %s: %s" % (n, " and all after it" if forever else "", wrong, r.stderr.decode(errors="replace")[-1500:]))
        ok(not bad, "%s: %d of %d allocations fail in turn, and it ends with a word (%s)" % (name, len(tried), count, ", ".join("%d: %d times" % e for e in sorted(ends.items()))), *bad[:6])


def out_of_memory_opening():
    """Where an input is opened, which comes after what a read of no file allocates."""
    bad, tries = [], 0
    for tool in ("gzip", "zstd", "lz4"):
        if not shutil.which(tool):
            skip("no memory for what unpacks " + tool, "it is not installed")
            continue
        packed = FOLDER / ("packed." + tool)
        packed.write_bytes(subprocess.run([tool, "-c", PCAP], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
        command = [MAILTAP, "read", "-s", "country_databases=none", "-f", "json"]
        run([*command, FOLDER / "nowhere"], count=FOLDER / "count")
        first, whole = counted()[0], run([*command, packed])
        for n in range(first, first + 12):
            r = run([*command, packed], allocation=n)
            wrong = fault(r, whole)
            tries += 1
            if wrong:
                bad.append("%s, allocation %d: %s: %s" % (tool, n, wrong, r.stderr.decode(errors="replace")[-800:]))
    ok(not bad, "%d allocations around the opening of packed files fail in turn, and it ends with a word" % tries, *bad[:4])


def half_calls():
    """Whatever reads, writes or waits is at random cut short or interrupted: the output is the same."""
    packed = FOLDER / "calls.pcap.gz"
    packed.write_bytes(subprocess.run(["gzip", "-c", PCAP], stdout=subprocess.PIPE, check=True).stdout)
    for name, args in (("a file", [PCAP]), ("a packed file", [packed]), ("three workers", ["--workers", "3", PCAP]), ("standard input", ["-"]), ("into a folder", ["-o", FOLDER / "out", PCAP])):
        command, bad = [MAILTAP, "read", "-s", "country_databases=none", "-f", "json", *args], []
        spoilt = []

        def once(**faults):
            with PCAP.open("rb") as f:
                r = run(command, stdin=f, count=FOLDER / "count", **faults)
                spoilt.append(counted()[1])
            files = {p.name: p.read_bytes() for p in (FOLDER / "out").iterdir()} if "-o" in args else {}
            return r.returncode, r.stdout, files, re.sub(rb" in [0-9.]+ s", b"", r.stderr)
        whole = once()
        for seed in range(1, 13):
            got = once(calls=seed)
            if got != whole:
                bad.append("seed %d: %s" % (seed, got[3].decode(errors="replace")[-1000:]))
        ok(not bad and whole[0] == 0 and not spoilt[0] and sum(spoilt) > 12, "%d calls are cut short or interrupted, the output is the same: %s" % (sum(spoilt), name), *bad[:4])


def of_store():
    """Whatever fails while a store is written: it ends with a word, the store is whole, and the next one completes it."""
    store = FOLDER / "store"
    command = [MAILTAP, "read", "-s", "country_databases=none", "-o", "sqlite:%s" % store, PCAP]

    def rows():
        return sorted(row for path in storing.days(store) for t in storing.STREAMS for row in map(tuple, storing.query(path, "SELECT * FROM " + t)))

    def next_one(r, whole):
        wrong = fault(r, whole)
        if not wrong:
            again = run(command)
            wrong = "the next one fails: %s" % again.stderr.decode(errors="replace")[-500:] if again.returncode else None
        bad = [w for path in storing.days(store) for w in storing.whole(path) + storing.wrong_sums(path)]
        if bad or rows() != want:
            wrong = wrong or "the store is not as it should be: %s" % bad[:3]
        shutil.rmtree(store, ignore_errors=True)
        return wrong
    count = allocations(command)
    want, bad, spoilt = rows(), [], 0
    shutil.rmtree(store)
    tried = thinned(count, 60)[20:]
    for n in tried:
        r = run(command, allocation=n)
        wrong = next_one(r, r)
        bad += ["allocation %d: %s: %s" % (n, wrong, r.stderr.decode(errors="replace")[-800:])] if wrong else []
    ok(want and not bad, "a store: %d of %d allocations fail in turn, it ends with a word, and the next one completes it" % (len(tried), count), *bad[:4])
    bad = []
    for seed in range(1, 9):
        r = run(command, calls=seed, count=FOLDER / "count")
        spoilt += counted()[1]
        wrong = "exit code %d" % r.returncode if r.returncode else next_one(r, r)
        bad += ["seed %d: %s: %s" % (seed, wrong, r.stderr.decode(errors="replace")[-800:])] if wrong else []
    ok(not bad and spoilt > 12, "a store: %d calls are cut short or interrupted, and nothing is lost" % spoilt, *bad[:4])


def refused():
    """Threads and descriptors that the machine does not give: no packet is taken by some of the workers alone."""
    for call, which, word in (("pthread_create", 1, "Resource temporarily unavailable"), ("pthread_create", 4, "Resource temporarily unavailable"), ("eventfd", 1, "Too many open files")):
        r = run([MAILTAP, "read", "-s", "country_databases=none", "-f", "json", "--workers", "3", PCAP], refuse="%s:%d" % (call, which))
        err = r.stderr.decode()
        ok(r.returncode in (1, 2) and not r.stdout and re.search("^mailtap: .*" + word, err, re.M) and not re.search("Assertion|Sanitizer", err),
           "call %d of %s is refused: it says so, with an exit code" % (which, call), r.returncode, err[-1000:])
    courier = ["-s", "webhook_url=http://127.0.0.1:1/", "-s", "country_databases=none"]
    for call, word in (("socketpair", "Too many open files"), ("fork", "Resource temporarily unavailable")):
        r = run([MAILTAP, "read", *courier, PCAP], refuse=call + ":1")
        ok(r.returncode == 2 and re.search("^mailtap: courier: .*" + word, r.stderr.decode(), re.M), "%s is refused to the courier: it says so, with an exit code" % call, r.returncode, r.stderr.decode()[-1000:])


def mails_in(*files):
    return [int(json.loads(line)["uid"][1:]) for p in files for line in p.read_bytes().splitlines()]


def lasting_sink():
    """The same of a log that lives on; and its folder vanishes and comes back."""
    for seed in range(1, 9):
        folder = FOLDER / ("log-%d" % seed)
        folder.mkdir()
        (folder / "smtp.log").write_bytes(b'{"uid":"C0' + b"x" * 9000)  # what a power cut left
        answers, theirs = os.pipe()
        p = subprocess.Popen([SINK_RUN, "json", str(folder), str(theirs), "rotate_size=20000"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=[theirs],
                             env=dict(ENV, FAULT_CALLS=str(seed), FAULT_COUNT=str(FOLDER / "count")))
        os.close(theirs)
        said = os.fdopen(answers)
        counts = [said.readline()]
        for second in range(10):
            for words in "mails 20 1000", "tick %d" % (4102444800 + second):
                p.stdin.write(words.encode() + b"\n")
                p.stdin.flush()
                counts.append(said.readline())
        p.stdin.close()
        last, err, code = said.readline().strip(), p.stderr.read().decode(), p.wait(30)
        ok("ended in half a line; its 9010 bytes are cut off" in err, "half a line that was there is cut off", err[-600:])
        found = mails_in(*sorted(folder.glob("smtp-*.log")), folder / "smtp.log")
        spoilt = counted()[1]
        ok(spoilt > 10 and code == 0 and last == "closed" and sorted(found) == list(range(200)), "a log that lives on has each line once, %d calls spoilt, seed %d" % (spoilt, seed), code, last, counts[-1], err[-600:], len(found))


if __name__ == "__main__":
    out_of_memory()
    out_of_memory_opening()
    half_calls()
    of_store()
    lasting_sink()
    refused()
    done()
