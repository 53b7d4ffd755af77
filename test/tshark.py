#!/usr/bin/python3
"""What tshark finds in the shared captures, held to our records: senders and recipients of the envelope, and of each message the fields that both
know.

tshark-differences.tsv lists what differs: file (a pattern), field, right (mailtap, tshark, or both where it is a matter of form), why. A difference
that no row covers fails, and so does a row that covers none."""
import collections
import csv
import email.header
import json
import re
import shutil
import subprocess
import sys

from listed import Listed
from tap import SOURCE, done, mailtap, need_shared, ok

IMF = {"from": "imf.from", "subject": "imf.subject", "msg_id": "imf.message_id", "date": "imf.date"}
ENVELOPE = {"mailfrom": re.compile(r"MAIL\s+FROM:\s*(?:<([^>]*)>|([^\s]*))", re.I), "rcptto": re.compile(r"RCPT\s+TO:\s*(?:<([^>]*)>|([^\s]*))", re.I)}


def plain(text):
    """A value as a person reads it: words decoded, folds as one blank."""
    text = re.sub(r"\\[rnt]", " ", text)
    try:
        text = "".join(part if isinstance(part, str) else part.decode(code or "latin-1", "replace") for part, code in email.header.decode_header(text))
    except (LookupError, ValueError, email.errors.HeaderParseError):
        pass
    return " ".join(text.split())


def tshark(path):
    fields = ["smtp.command_line", *IMF.values()]
    r = subprocess.run(["tshark", "-n", "-r", path, "-Y", "smtp || imf", "-T", "json", *(x for f in fields for x in ("-e", f))], capture_output=True, timeout=120)
    found = {name: collections.Counter() for name in (*ENVELOPE, *IMF)}
    for packet in json.loads(r.stdout or b"[]"):
        layers = packet["_source"]["layers"]
        for line in layers.get("smtp.command_line", []):
            for name, form in ENVELOPE.items():
                m = form.match(line)
                if m:
                    found[name][(m[1] if m[1] is not None else m[2]) or "<>"] += 1
        for name, field in IMF.items():
            found[name].update(plain(v) for v in layers.get(field, []))
    return found


def ours(path):
    found = {name: collections.Counter() for name in (*ENVELOPE, *IMF)}
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", path)
    for record in map(json.loads, r.stdout.splitlines()):
        if record["_path"] != "smtp":
            continue
        for name in found:
            value = record.get(name)
            found[name].update(value if isinstance(value, list) else [plain(value)] if value is not None else [])
    return found


def main():
    if not shutil.which("tshark"):
        print("1..0 # SKIP tshark is not there: tools/install-deps test")
        sys.exit(0)
    folder = need_shared("captures")
    listed = Listed(SOURCE / "test/tshark-differences.tsv")
    with open(folder / "INDEX.tsv", encoding="utf-8", newline="") as f:
        files = sorted({row["file"] for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)})
    values = 0
    for file in files:
        theirs, mine = tshark(folder / file), ours(folder / file)
        values += sum(sum(c.values()) for c in mine.values())
        differs = ["%s: only tshark %r, only mailtap %r" % (name, dict(theirs[name] - mine[name]), dict(mine[name] - theirs[name]))
                   for name in theirs if theirs[name] != mine[name] and not listed.covers(file, name)]
        ok(not differs, "%s as tshark reads it" % file, *differs)
    ok(values > 500, "%d values were compared" % values)
    idle = list(listed.idle())
    ok(not idle, "every listed difference is one", *idle)
    done()


main()
