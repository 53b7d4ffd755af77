#!/usr/bin/python3
"""The bytes of each part of the shared test mails, held to the parses that lie beside them: what mail-parser (Rust) and mime4j (Java) decoded of it.

part-differences.tsv lists what differs: reader, mail, right (mailtap, the reader, or both), why. A mail that differs without a row fails, and so does a
row that no difference needs."""
import hashlib
import json
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from listed import Listed
from mailwire import write_capture
from tap import SOURCE, done, mailtap, need_shared, ok, parts_of


def digests(data):
    """Of the same text with both kinds of line ends: a parse may have been made of a file that had the other kind; and without the last one."""
    crlf = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    forms = {data, crlf, crlf.replace(b"\r\n", b"\n")}
    return {hashlib.sha256(f).hexdigest() if f else None for f in forms}


def rust_leaves(message):
    """What each leaf holds: digests that are right, or None where the parse has text of another charset than ours."""
    for part in message["parts"]:
        kind, body = next(iter(part["body"].items())) if isinstance(part["body"], dict) else (part["body"], None)
        if kind == "Multipart":
            continue
        if kind == "Message":
            yield from rust_leaves(body)
        elif kind in ("Text", "Html"):
            yield digests(body.encode()) if body.isascii() else None
        else:
            yield digests(bytes(body))


def java_leaves(path):
    root = ElementTree.fromstring(path.with_name(path.stem + "_decoded.xml").read_bytes())
    for body in root.iter():
        if body.tag in ("text-body", "binary-body"):
            yield digests(path.with_name(body.attrib["name"]).read_bytes())


def readings(path):
    if path.suffix == ".eml" and path.with_suffix(".crlf.json").exists():
        yield "mail-parser", lambda: list(rust_leaves(json.loads(path.with_suffix(".crlf.json").read_bytes())))
    if path.suffix == ".msg" and path.with_name(path.stem + "_decoded.xml").exists():
        yield "mime4j", lambda: list(java_leaves(path))


def differs(ours, want):
    """Attached mails are rows of ours, and of theirs what is in them alone."""
    ours = [f for f in ours if not f["type"].startswith("message/rfc822") or f.get("encoding", "").lower() in ("base64", "quoted-printable")]
    if len(ours) != len(want):
        return "%d leaves, expected %d" % (len(ours), len(want))
    wrong = [i for i, (f, w) in enumerate(zip(ours, want)) if w is not None and f.get("sha256") not in w]
    return "other bytes in leaves %s" % wrong if wrong else None


def main():
    folder = need_shared("mail")
    paths = sorted(p for p in folder.rglob("*") if any(True for _ in readings(p)))
    with tempfile.TemporaryDirectory() as scratch:
        capture = Path(scratch, "corpus.pcap")
        write_capture(capture, [p.read_bytes() for p in paths])
        r = mailtap("read", "-f", "json", "-s", "country_databases=none", capture)
    mails = {m["mailfrom"]: m for m in map(json.loads, r.stdout.splitlines()) if m["_path"] == "smtp"}
    ok(len(mails) == len(paths), "%d mails, a record each" % len(paths), len(mails))
    listed, faults, equal = Listed(SOURCE / "test/part-differences.tsv", name="mail", field="reader"), [], {}
    for number, path in enumerate(paths):
        record = mails.get("m%d@corpus.example" % number, {})
        for reader, read in readings(path):
            mail = path.parent.name + "/" + path.name
            try:
                want = read()
                wrong = differs(parts_of(record), want)
            except ElementTree.ParseError as e:
                wrong = "unreadable: %s" % e
            if not wrong:
                equal[reader] = equal.get(reader, 0) + sum(w is not None for w in want)
            elif not listed.covers(mail, reader):
                faults.append("%s %s: %s" % (reader, mail, wrong))
    ok(not faults, "their parts hold what is expected: %s" % ", ".join("%s %d" % e for e in sorted(equal.items())), *faults)
    ok(min(equal.get("mail-parser", 0), equal.get("mime4j", 0)) > 100, "there are as many as there were", equal)
    idle = list(listed.idle())
    ok(not idle, "every listed difference is one", *idle)
    done()


main()
