#!/usr/bin/python3
"""Holds mailtap against smtp-ext.bro on Bro 1.5.3: the same captures, field by field.

Every difference must be in ancestor-differences.tsv, with the reason why ours is right; every row there must still be needed."""
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

from tap import done, mailtap, need_shared, ok

# A third faster; leaks are looked for by the tests that run fewer captures.
os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
CASES = need_shared("original", "cases")
TABLE = Path(__file__).with_name("ancestor-differences.tsv")
COLUMNS = ("ts orig_h orig_p resp_h resp_p helo message-id in-reply-to mailfrom rcptto date from reply_to to files last_reply "
           "x-originating-ip path is_webmail agent").split()
SETS = ("rcptto", "to", "files")
# What the table has no column for: compared with the record that the script handed to its event.
BEYOND = ("subject", "first_received", "second_received", "received_from_originating_ip")
CAPTURE = {"AllHosts": "all", "LocalHosts": "local", "RemoteHosts": "remote", "NoHosts": "none"}


def arguments(config):
    capture = re.search(r"mail_path_capture = (\w+)", config)
    yield from ("-s", "mail_path_capture=" + (CAPTURE[capture[1]] if capture else "local"))
    nets = re.search(r"local_nets \+= \{ (.*?) \}", config)
    if nets:
        yield from ("-s", "local_nets=" + nets[1])
    if "#flag:checksums" in config:
        yield from ("-s", "checksums=verify")


def rows(text):
    lines = text.split("\n")
    if lines[0].split("\t") != COLUMNS:
        raise ValueError("the header is " + lines[0])
    return [dict(zip(COLUMNS, line.split("\t"))) for line in lines[1:] if line]


def events(path):
    """The records of expected.txt that the ancestor logged."""
    found = []
    for line in path.read_text("latin1").split("\n"):
        if line.startswith("smtp_ext "):
            found.append({})
        m = re.match(r"  (\w+)=(.*)", line)
        if m:
            found[-1][m[1]] = m[2]
    return [r for r in found if r["mailfrom"]]


def comparable(field, value):
    """Sets in one order, as the ancestor's was that of a hash."""
    return sorted(value[1:-1].split(", ")) if field in SETS else value


def run(case):
    """The rows of one case: ours and theirs, each (row, what the table has no column for)."""
    config = case.joinpath("config").read_text()
    args = ("read", *arguments(config), case / "in.pcap")
    table = mailtap(*args, "-f", "smtp-ext").stdout.decode("latin1")
    mails = [json.loads(line) for line in mailtap(*args, "-f", "json").stdout.splitlines()]
    mails = [m for m in mails if m["_path"] == "smtp" and m.get("mailfrom")]
    beyond = [{f: m.get(f, "").encode().decode("latin1") for f in BEYOND} for m in mails]
    ours = list(zip(rows(table), beyond))
    alternatives = [events(p) for p in sorted(case.glob("expected*.txt"))]
    theirs = list(zip(rows(case.joinpath("smtp-ext.log").read_text("latin1")), zip(*alternatives)))
    order = lambda pair: (pair[0]["orig_h"], int(pair[0]["orig_p"]))
    return sorted(ours, key=order), sorted(theirs, key=order)


def differences(ours, theirs):
    """(field, ours, theirs) of each."""
    if len(ours) != len(theirs):
        yield "rows", len(ours), len(theirs)
        return
    for (row, beyond), (their_row, records) in zip(ours, theirs):
        for field in COLUMNS:
            wanted = [their_row[field]]
            if field in ("path", "x-originating-ip"):
                wanted += [r[field.replace("-", "_")] for r in records]
            if comparable(field, row[field]) not in [comparable(field, w) for w in wanted]:
                yield field, row[field], their_row[field]
        for field in BEYOND:
            if beyond[field] not in [r[field] for r in records]:
                yield field, beyond[field], records[0][field]


def listed():
    for line in TABLE.read_text().split("\n"):
        if line and not line.startswith("#"):
            case, field, reason = line.split("\t")
            yield case, field, reason


cases = sorted(p for p in CASES.iterdir() if p.is_dir())
ok(len(cases) > 250, "the cases are there", len(cases))
reasons = list(listed())
used = set()
with ThreadPoolExecutor(2) as pool:
    for case, (ours, theirs) in zip(cases, pool.map(run, cases)):
        unknown = []
        for field, a, b in differences(ours, theirs):
            fits = [r for r in reasons if fnmatchcase(case.name, r[0]) and fnmatchcase(field, r[1])]
            used.update(fits)
            if not fits:
                unknown.append("%s: ours %r, theirs %r" % (field, a, b))
        ok(not unknown, case.name, *unknown)
ok(all(len(r[2]) > 20 for r in reasons), "every difference says why")
ok(len(set(reasons)) == len(reasons), "no difference is listed twice")
for row in reasons:
    if row not in used:
        ok(False, "the difference %s, %s is still there" % row[:2])
ok(used == set(reasons), "every difference listed is one")
done()
