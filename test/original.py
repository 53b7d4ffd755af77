#!/usr/bin/python3
"""Holds mailtap against smtp-ext.bro on Bro 1.5.3: the same captures, field by field, notice by notice.

Every difference must be one that a row of docs/differences-from-smtp-ext.md makes, and every row must be needed; tools/compare-original
does the same for any folder. What mailtap says is then changed here and there, and the comparison must see it."""
import copy
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from tap import MAILTAP, SOURCE, done, need_shared, ok

sys.path.insert(0, str(SOURCE / "tools/original"))

import compare  # noqa: E402
from script import FIELDS, Lists, Script  # noqa: E402

# A third faster; leaks are looked for by the tests that run fewer captures.
os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
RULES, LISTS = compare.read_page(), Lists(compare.LISTS)


def without_rules(case):
    """Fields and notices in which the switches, all off, do not give what the script gave."""
    script = Script(compare.connections(case.pcap.read_bytes(), case.config.verify), case.config, LISTS, lambda rule: False)
    value = compare.Counter((n["ends"], n["note"], n["msg"].encode(), n["sub"]) for n in script.notices)
    if value not in case.notices:
        yield "notices: %s" % value
    mails = [r for r in script.records if r["mailfrom"] and not r["lost"]]
    theirs = [[t for t in alt if t["mailfrom"]] for alt in case.records]
    # Of a mail that waited, the script may have told before it forgot it.
    if len(mails) != len(theirs[0]):
        mails = [r for r in script.records if r["mailfrom"]]
    if len(mails) != len(theirs[0]):
        yield "%d mails, not %d" % (len(mails), len(theirs[0]))
        return
    place = lambda r: r["ends"]
    for mail, *same in zip(sorted(mails, key=place), *(sorted(t, key=place) for t in theirs)):
        for name in FIELDS:
            got = compare.as_theirs(compare.script_value(mail, name))
            if name not in ("ts", "is_webmail") and got not in [compare.their_value(t, name) for t in same]:
                yield "%s: %r, not %r" % (name, got, compare.their_value(same[0], name))


def change(record, name):
    """Another value for a field."""
    value = record[name]
    if name == "path":
        record[name] = value[:2] + value[2:][::-1] if value[2:] != value[2:][::-1] else value + ["198.18.77.7"]
    elif isinstance(value, list):
        record[name] = value[1:]
    elif isinstance(value, bool):
        record[name] = not value
    elif isinstance(value, str):
        record[name] = value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"
    else:
        record[name] = value + 1


def changes(ours):
    """(what, ours with one thing changed)."""
    names = {name: compare.NAMES.get(name, name) for name in FIELDS}
    ours = copy.deepcopy(ours)
    for record in ours.records:  # the ancestor knew files with a name alone
        named = [f for f in record.pop("files", []) if "name" in f]
        record.update({"files": named} if named else {})
    for i, record in enumerate(ours.records):
        for name, key in names.items():
            if key in record:
                other = copy.deepcopy(ours)
                change(other.records[i], key)
                yield "another %s" % name, other
                if name not in ("ts", "path", "is_webmail"):
                    other = copy.deepcopy(ours)
                    del other.records[i][key]
                    yield "no %s" % name, other
            elif name not in ("ts", "path", "is_webmail"):
                other = copy.deepcopy(ours)
                other.records[i][key] = [{"name": "x"}] if name == "files" else ["x"] if name in compare.SETS else "x"
                yield "a new %s" % name, other
    for kind in ("records", "sessions", "notices", "folded"):
        for i in range(len(getattr(ours, kind))):
            other = copy.deepcopy(ours)
            del getattr(other, kind)[i]
            yield "one of the %s lost" % kind, other
            other = copy.deepcopy(ours)
            getattr(other, kind).append(copy.deepcopy(getattr(other, kind)[i]))
            if kind != "sessions":
                yield "one of the %s twice" % kind, other
    for i in range(len(ours.notices)):
        for key in ("note", "msg", "sub"):
            other = copy.deepcopy(ours)
            change(other.notices[i], key)
            yield "another %s of a notice" % key, other
    lines = ours.table.split(b"\n")
    for i, line in enumerate(lines[1:-1], 1):
        for k, value in enumerate(line.split(b"\t")):
            cells = line.split(b"\t")
            cells[k] = b"x" + value if not value.startswith(b"{") else b"{x" + value[1:]
            yield "table, another %s" % list(compare.COLUMNS)[k], copy.deepcopy(compare.Ours(
                ours.records, ours.sessions, ours.notices, ours.folded, b"\n".join(lines[:i] + [b"\t".join(cells)] + lines[i + 1:])))


CHANGED = ("hdr-folds", "path-mixed-all_nets", "recv-two-ips-one-line", "files-seg-whole", "real-smtplib-two", "bl-multiline-two",
           "bl-repeat", "susp-both-differ", "geo-both", "tx-three-mails-carry", "slow-body-9min", "tx-two-mails", "reply-then-ok",
           "tx-helo-only", "hdr-encoded", "xorig-garbage", "env-rcpts")


def main():
    cases = [compare.Case(path) for path in compare.cases_in(need_shared("original", "cases"))]
    ok(len(cases) > 250, "the cases are there", len(cases))
    compared, kept = {}, {}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        mailtap = compare.Mailtap(MAILTAP, folder)
        for case, ours in zip(cases, pool.map(mailtap.read, cases)):
            c = compared[case.name] = compare.Comparison(case, ours, RULES, LISTS)
            ok(not c.problems, case.name, *c.problems)
            if case.name in CHANGED:
                kept[case.name] = case, ours
    wrong = list(compare.page_problems(RULES, compared))
    ok(not wrong, "every row is needed, by the cases that it names", *wrong)
    unknown = sorted(n for r in RULES.values() for n in r.cases if n not in compared)
    ok(not unknown, "every case that the page names is there", *unknown)
    wrong = ["%s: %s" % (case.name, text) for case in cases for text in without_rules(case)]
    ok(not wrong, "without the rules this is what the script gave", *wrong)
    for name, (case, ours) in sorted(kept.items()):
        unseen, count = [], 0
        for what, other in changes(ours):
            count += 1
            if not compare.Comparison(case, other, RULES, LISTS).problems:
                unseen.append(what)
        ok(count and not unseen, "%s: all of %d changes are seen" % (name, count), *unseen)
    done()


main()
