"""Real captures: the number of mails and sessions in each, records that fit the schema, and every output format on every file.

captures.tsv: file, mails (records in stream smtp), sessions (records in stream smtp_session), tshark (MAIL commands that tshark
4.0 finds), why (needed where mails and tshark differ). The list names every file of the folder's INDEX.tsv."""
import csv
import json
import re

import jsonschema

from tap import SOURCE, done, mailtap, need_shared, ok

FORMATS = ("-f text", "-f zeek", "-f smtp-ext", "--events")
# All of Unicode's control characters but the newline and the tab.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def text_faults(what, out):
    try:
        text = out.decode("utf-8")
    except UnicodeDecodeError as e:
        return ["%s: not UTF-8 at byte %d: %r" % (what, e.start, out[max(0, e.start - 20):e.start + 20])]
    found = CONTROL.search(text)
    if found:
        return ["%s: control character U+%04X: %r" % (what, ord(found[0]), text[max(0, found.start() - 20):found.start() + 20])]
    return []


def run(path, *args):
    r = mailtap("read", *args, path)
    what = " ".join(args)
    faults = text_faults(what, r.stdout)
    if r.returncode != 0:
        faults.append("%s: exit code %d: %s" % (what, r.returncode, r.stderr.decode(errors="replace")[:300]))
    return r.stdout.decode(errors="replace"), faults


def json_faults(path, row, validator):
    out, faults = run(path, "-f", "json")
    count = {"smtp": 0, "smtp_session": 0}
    for line in out.splitlines():
        try:
            record = json.loads(line)
        except ValueError as e:
            faults.append("not JSON: %s: %s" % (e, line[:100]))
            continue
        count[record.get("_path")] = count.get(record.get("_path"), 0) + 1
        faults += ["schema: %s: %s" % (e.json_path, e.message[:200]) for e in validator.iter_errors(record)]
    for stream, column in (("smtp", "mails"), ("smtp_session", "sessions")):
        if count[stream] != int(row[column]):
            faults.append("%d %s, should be %s; %s" % (count[stream], column, row[column], row["why"]))
    return faults


def main():
    index = need_shared("captures", "INDEX.tsv")
    folder = index.parent
    with open(SOURCE / "test/captures.tsv", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    with open(index, encoding="utf-8", newline="") as f:
        indexed = {r["file"] for r in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)}
    listed = [r["file"] for r in rows]
    ok(len(listed) == len(set(listed)) and set(listed) == indexed, "the list names each capture once",
       *sorted(indexed.symmetric_difference(listed)))
    schema = json.loads(mailtap("schema").stdout)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)
    for row in rows:
        faults = []
        if row["mails"] != row["tshark"] and not row["why"]:
            faults.append("mails and tshark differ without a reason")
        if not (folder / row["file"]).exists():
            faults.append("no such capture")
        else:
            faults += json_faults(folder / row["file"], row, validator)
            for args in FORMATS:
                faults += run(folder / row["file"], *args.split())[1]
        ok(not faults, row["file"], *faults)
    done()


main()
