#!/usr/bin/env python3
"""GMime as a second reader of the shared mails: header fields, parts, names, sizes and hashes of what they decode to. Every
difference has a row in gmime-differences.tsv (mail, field, who is right, why), and a row that no difference needs fails."""
import collections
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

from listed import Listed
from mailwire import crlf, write_capture
from tap import SOURCE, done, mailtap, need_shared, ok, parts_of

MESSAGES = {".eml", ".msg", ".raw"}
TABLE = SOURCE / "test/gmime-differences.tsv"


def plain(text):
    """Blanks and forms of characters do not matter."""
    return unicodedata.normalize("NFC", " ".join((text or "").split()))


def ours(record):
    files = [{k: f.get(k) for k in ("depth", "type", "name", "size", "sha256")} for f in parts_of(record)]
    return {"from": plain(record.get("from")), "subject": plain(record.get("subject")), "date": plain(record.get("date")), "msg_id": plain(record.get("msg_id")), "parts": files}


def theirs(line):
    h = line["headers"]
    return {"from": plain(h.get("From")), "subject": plain(h.get("Subject")), "date": plain(h.get("Date")), "msg_id": plain(h.get("Message-ID")), "parts": line["parts"]}


def differences(a, b):
    """Names of what differs; of parts the tree first, as nothing else can be compared where it differs."""
    for field in ("from", "subject", "date", "msg_id"):
        if a[field] != b[field]:
            yield field, a[field], b[field]
    tree = lambda m: [(p["depth"], p["type"]) for p in m["parts"]]
    if tree(a) != tree(b):
        yield "tree", tree(a), tree(b)
        return
    for p, q in zip(a["parts"], b["parts"]):
        if (p["name"] or "") != (q.get("name") or ""):
            yield "name", p["name"], q.get("name")
        if p["size"] != q["size"]:
            yield "size", (p["type"], p["size"]), q["size"]
        elif p["size"] and p["sha256"] != q["sha256"]:
            yield "hash", p, q


def stands(message, part):
    """An attached mail's hash is that of bytes of the mail, as they came."""
    return any(hashlib.sha256(message[m.end():m.end() + part["size"]]).hexdigest() == part["sha256"] for m in re.finditer(rb"^\r\n", message, re.M))


def main():
    folder = need_shared("mail")
    reader = sys.argv[2]
    mails = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in MESSAGES)
    messages = [crlf(p.read_bytes()) for p in mails]
    listed, met = Listed(TABLE, name="mail"), set()
    with tempfile.TemporaryDirectory(prefix="mailtap-gmime-") as name:
        work = Path(name)
        for i, m in enumerate(messages):
            (work / ("%04d" % i)).write_bytes(m)
        write_capture(work / "mails.pcap", messages)
        r = mailtap("read", "-f", "json", "-s", "country_databases=none", "-s", "transaction_bytes=16MiB", work / "mails.pcap")
        ok(r.returncode == 0, "the mails are read", r.stderr.decode(errors="replace"))
        records = {int(x["mailfrom"][1:].split("@")[0]): x for x in map(json.loads, r.stdout.splitlines()) if x["_path"] == "smtp"}
        second = subprocess.run([reader, *(work / ("%04d" % i) for i in range(len(mails)))], capture_output=True, check=True)
        read = [json.loads(line) for line in second.stdout.splitlines()]
    ok(len(read) == len(mails) == len(records), "both read every mail", len(read), len(mails), len(records))
    equal = collections.Counter()
    for i, path in enumerate(mails):
        mail = str(path.relative_to(folder))
        found = {}
        for field, a, b in differences(ours(records[i]), theirs(read[i])):
            found.setdefault(field, (a, b))
        inner = [p for p in ours(records[i])["parts"] if p["type"] == "message/rfc822" and p["sha256"]]
        encoded = any(f.get("encoding", "7bit").lower() in ("base64", "quoted-printable") for f in parts_of(records[i]) if f["type"] == "message/rfc822")
        if inner and not encoded:
            ok(all(stands(messages[i], p) for p in inner), "%s: attached mails have their bytes as they came" % path.name, inner)
        equal["parts"] += len(parts_of(records[i]))
        for field, (a, b) in found.items():
            met.add(mail)
            if not listed.covers(mail, field):
                ok(False, "%s: %s" % (mail, field), "mailtap %.600r" % (a,), "GMime   %.600r" % (b,))
    idle = list(listed.idle())
    ok(not idle, "every explanation is needed: %d of %d mails, %d parts" % (len(met), len(mails), equal["parts"]), *idle)
    ok(all(row["right"] in ("mailtap", "GMime", "both") for row in listed.rows), "every row says who is right")
    done()


main()
