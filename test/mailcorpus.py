#!/usr/bin/env python3
"""Public test mails through the whole program: one SMTP session each, in one capture. What comes out is valid, and says what
the mail's own expected parse says, or Python's reader where there is none. Every difference has a row with its reason."""
import email
import email.header
import email.policy
import email.utils
import json
import re
import tempfile
import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema

from mailwire import write_capture
from tap import done, mailtap, need_shared, ok

# (who reads, mail, field): why mailtap says something else. A row that no difference needs fails the test.
XML = "the expected parse is no XML: it has control characters in it"
BLANK = "Python puts a blank between words of us-ascii and of another charset; RFC 2047 6.2 has none"
COLON = "Python knows no field with a blank before its colon (RFC 5322 4.5); mailtap does"
INSIDE = "Python leaves encoded words alone that touch other text; mail programs decode them"
ESCAPES = "mail-parser takes every backslash for an escape; mail programs keep those of a path"
DIFFERENCES = {
    ("mime4j", "mimetools-testmsgs/2002_06_12_doublebound.msg", "unreadable"): XML,
    ("mime4j", "mimetools-testmsgs/twopart.msg", "unreadable"): XML,
    ("python", "mimetools-testmsgs/intl.msg", "subject"): BLANK,
    ("mime4j", "mimetools-testmsgs/intl.msg", "subject"): BLANK,
    ("python", "testmsgs/obsolete.msg", "subject"): COLON,
    ("python", "testmsgs/obsolete.msg", "date"): COLON,
    ("mime4j", "testmsgs/obsolete.msg", "subject"): COLON,
    ("mime4j", "testmsgs/obsolete.msg", "date"): COLON,
    ("python", "malformed/019.eml", "subject"): COLON,
    ("python", "malformed/019.eml", "msg_id"): COLON,
    ("python", "malformed/019.eml", "date"): COLON,
    ("python", "mimetools-testmsgs/multi-2evil.msg", "files"): INSIDE,
    ("mime4j", "mimetools-testmsgs/multi-2evil.msg", "files"): INSIDE,
    ("mime4j", "mimetools-testmsgs/multi-2gifs-base64.msg", "files"): "a mail attached under base64, against RFC 2046 5.2.1, is a leaf",
    ("python", "mimetools-testmsgs/multi-badnames.msg", "files"): "a boundary without its closing quote: Python finds no parts",
    ("python", "malformed/017.eml", "files"): "no semicolon before the boundary: Python finds no parts",
    ("mail-parser", "malformed/017.eml", "files"): "no semicolon before the boundary: mail-parser finds no parts",
    ("mail-parser", "legacy/035.eml", "files"): ESCAPES,
    ("mail-parser", "legacy/039.eml", "files"): ESCAPES,
    ("mail-parser", "thirdparty/015.eml", "files"): "an unclosed multipart in an attached mail: mail-parser loses the parts behind it",
}

MESSAGES = {".eml", ".msg", ".raw"}
TEXTS = MESSAGES | {".txt", ".out"}  # the rest is no mail, but comes over the wire as one


def plain(text):
    """Blanks and forms of characters do not matter."""
    return unicodedata.normalize("NFC", " ".join((text or "").split()))


def decoded(text):
    """Encoded words, as Python reads them."""
    try:
        return str(email.header.make_header(email.header.decode_header(text)))
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return text


def recode(text):
    """What Python keeps of bytes that are not ASCII."""
    raw = text.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("windows-1252", "replace")


def header_of(message, name):
    values = [v for n, v in message.raw_items() if n.lower() == name]
    return plain(decoded(recode(values[-1].replace("\n", "").replace("\r", "")))) if values else None


def name_of(message):
    name = message.get_filename()
    return None if name is None else plain(decoded(recode(name)))


def by_python(raw):
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    names = [name_of(part) for part in message.walk()]
    return {"subject": header_of(message, "subject"), "from": header_of(message, "from"), "msg_id": header_of(message, "message-id"),
            "date": header_of(message, "date"), "files": sorted(n for n in names if n is not None)}


def rust_parts(message):
    for part in message["parts"]:
        yield part
        body = part["body"]
        if isinstance(body, dict) and "Message" in body:
            yield from rust_parts(body["Message"])


def rust_addresses(value):
    """Bare addresses of {"Address": {"List": [...]}} or groups, to any depth."""
    if isinstance(value, dict):
        if value.get("address"):
            yield value["address"]
        for inner in value.values():
            yield from rust_addresses(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from rust_addresses(inner)


def rust_attributes(value):
    found = value.get("ContentType", {}).get("attributes") if isinstance(value, dict) else None
    return {a["name"]: a["value"] for a in found or []}


def by_mail_parser(raw, path):
    message = json.loads(path.with_suffix(".json").read_bytes())
    want, names = {}, []
    for header in message["parts"][0]["headers"]:
        name, value = header["name"], header["value"]
        if name == "subject" and "Text" in value:
            want["subject"] = plain(value["Text"])
        elif name in ("from", "to") and "Address" in value:
            want[name + "_addresses"] = list(rust_addresses(value))
        elif name == "message_id" and "Text" in value:
            want["msg_id"] = plain("<%s>" % value["Text"])
        elif name == "date" and "DateTime" in value:
            want["datetime"] = tuple(value["DateTime"][k] for k in ("year", "month", "day", "hour", "minute", "second"))
    for part in rust_parts(message):
        by_header = {h["name"]: rust_attributes(h["value"]) for h in part["headers"] if isinstance(h["name"], str)}
        name = by_header.get("content_disposition", {}).get("filename", by_header.get("content_type", {}).get("name"))
        if name is not None:
            names.append(plain(name))
    return {**want, "files": sorted(names)}


def by_mime4j(raw, path):
    """The tree is theirs; a field's value is read by Python."""
    root = ElementTree.fromstring(path.with_suffix(".xml").read_bytes())
    blocks = []
    for header in root.iter("header"):
        fields = [f.text.strip("\r\n") for f in header.iter("field")]
        blocks.append(email.message_from_string("\n".join(fields) + "\n\n", policy=email.policy.compat32))
    names = [name_of(block) for block in blocks]
    return {"subject": header_of(blocks[0], "subject"), "from": header_of(blocks[0], "from"), "msg_id": header_of(blocks[0], "message-id"),
            "date": header_of(blocks[0], "date"), "files": sorted(n for n in names if n is not None)}


def differences(record, want):
    for field, value in want.items():
        if field == "files":
            got = sorted(plain(f["name"]) for f in record.get("files", []) if "name" in f)
        elif field.endswith("_addresses"):
            text = record.get(field.split("_")[0], "")
            got = value if all(a in ("\n".join(text) if isinstance(text, list) else text) for a in value) else text
        elif field == "datetime":
            date = email.utils.parsedate(record.get("date", ""))
            got = date and date[:6]
        else:
            got = plain(record[field]) if field in record else None
        if not same(got, value):
            yield field, got, value


def same(got, value):
    """U+FFFD in what is expected stands for bytes that its reader gave up on."""
    if isinstance(got, list) and isinstance(value, list):
        return len(got) == len(value) and all(map(same, got, value))
    if isinstance(value, str) and isinstance(got, str) and "\ufffd" in value:
        return re.fullmatch(re.sub("\ufffd+", ".+", re.escape(value)), got) is not None
    return got == value


def readings(path, raw):
    """All that is known of what this mail says."""
    if path.suffix in MESSAGES:
        yield "python", lambda: by_python(raw)
    if path.with_suffix(".json").exists() and path.suffix == ".eml":
        yield "mail-parser", lambda: by_mail_parser(raw, path)
    if path.with_suffix(".xml").exists() and path.suffix == ".msg":
        yield "mime4j", lambda: by_mime4j(raw, path)


def main():
    folder = need_shared("mail")
    paths = sorted(p for p in folder.rglob("*") if p.suffix in TEXTS)
    raws = [p.read_bytes() for p in paths]
    with tempfile.TemporaryDirectory() as scratch:
        capture = Path(scratch, "corpus.pcap")
        write_capture(capture, raws)
        result = mailtap("read", capture)
    ok(result.returncode == 0, "the corpus is read", result.stderr.decode(errors="replace"))
    try:
        text = result.stdout.decode("utf-8")
    except UnicodeDecodeError as e:
        text = result.stdout.decode("utf-8", "replace")
        ok(False, "output is valid UTF-8", e)
    records = [json.loads(line) for line in text.splitlines()]
    validator = jsonschema.Draft202012Validator(json.loads(mailtap("schema").stdout))
    invalid = [e.message for r in records for e in validator.iter_errors(r)]
    ok(not invalid, "%d records are valid against the schema" % len(records), *invalid[:5])
    mails = {r.get("mailfrom"): r for r in records if r["_path"] == "smtp"}
    ok(len(paths) == len(mails) == sum(r["_path"] == "smtp" for r in records), "%d mails, a record each" % len(paths), len(mails))

    used, compared, faults = set(), {}, []
    for number, (path, raw) in enumerate(zip(paths, raws)):
        record = mails.get("m%d@corpus.example" % number, {})
        for oracle, read in readings(path, raw):
            try:
                want = read()
            except (ElementTree.ParseError, ValueError) as e:
                want = {"unreadable": repr(e)}
            compared[oracle] = compared.get(oracle, 0) + len(want)
            for field, got, value in differences(record, want):
                row = (oracle, path.parent.name + "/" + path.name, field)
                if row in DIFFERENCES:
                    used.add(row)
                else:
                    faults.append("%r: %r, expected %r" % (row, got, value))
    ok(not faults, "they say what is expected: %s" % ", ".join("%s %d" % c for c in sorted(compared.items())), *faults)
    unused = set(DIFFERENCES) - used
    ok(not unused, "every known difference is one", *sorted(unused))
    done()


main()
