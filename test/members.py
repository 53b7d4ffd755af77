#!/usr/bin/python3
"""What attached archives have in them, through the whole program: archives that Python and others write."""
import base64
import io
import json
import struct
import tempfile
import zipfile
from pathlib import Path

import jsonschema

from mailwire import write_capture
from tap import done, mailtap, ok

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-members-"))
HEAD = b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\ntext\n--x\nContent-Type: application/octet-stream; name=\"%s\"\nContent-Transfer-Encoding: base64\n\n%s--x--\n"


def records(attached, *args, name=b"a.bin"):
    capture = FOLDER / "mails.pcap"
    write_capture(capture, [HEAD % (name, base64.encodebytes(a)) for a in attached])
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", *args, capture)
    ok(r.returncode == 0, "%d mails are read" % len(attached), r.stderr.decode(errors="replace"))
    found = [json.loads(line) for line in r.stdout.splitlines()]
    return [r for r in found if r["_path"] == "smtp"]


def file_of(attached, *args, **names):
    return records([attached], *args, **names)[0]["files"][0]


def same(name, got, want):
    ok(got == want, name, "got  %r" % (got,), "want %r" % (want,))


class Stream(io.RawIOBase):
    """Cannot seek, so that sizes stand behind members."""

    def __init__(self):
        super().__init__()
        self.bytes = b""

    def writable(self):
        return True

    def write(self, data):
        self.bytes += bytes(data)
        return len(data)


def archive(members, to=None, method=zipfile.ZIP_DEFLATED):
    to = to or io.BytesIO()
    with zipfile.ZipFile(to, "w", method) as z:
        for name, data in members:
            z.writestr(name, data)
    return to.bytes if isinstance(to, Stream) else to.getvalue()


def tnef(files):
    def attribute(tag, value):
        return struct.pack("<BII", 2, tag, len(value)) + value + b"\0\0"

    out = struct.pack("<IH", 0x223E9F78, 1)
    for short, name, data in files:
        text = name.encode("utf-16le") + b"\0\0"
        properties = struct.pack("<IHHII", 1, 0x1F, 0x3707, 1, len(text)) + text + b"\0" * (-len(text) % 4)
        out += attribute(0x69002, b"\1" + b"\0" * 13) + attribute(0x18010, short + b"\0") + attribute(0x6800F, data) + attribute(0x69005, properties)
    return out


# zip -P x: "secret.txt", and an archive; its bytes, as no program of the tests writes them.
ENCRYPTED = bytes.fromhex(
    "504b03040a00090000000000210036bc1e5d12000000060000000a00000073656372"
    "65742e747874" + "00" * 18 + "504b01021e030a00090000000000210036bc1e5d12000000060000000a0000000000"
    "00000100000080010000000073656372" "65742e747874504b0506000000000100010038000000" "3a0000000000")

MEMBERS = [("a.txt", b"hello"), ("Ordner/\u00fcber.docm", b"x" * 5000), ("inner.ZIP", archive([("deep", b"")])), ("empty/", b"")]
ROWS = [{"name": "a.txt", "size": 5}, {"name": "Ordner/\u00fcber.docm", "size": 5000}, {"name": "inner.ZIP", "size": 108, "archive": True}, {"name": "empty/"}]

for kind, raw in (("deflated", archive(MEMBERS)), ("stored", archive(MEMBERS, method=zipfile.ZIP_STORED)),
                  ("streamed", archive(MEMBERS, Stream())), ("streamed, stored", archive(MEMBERS, Stream(), zipfile.ZIP_STORED)),
                  ("behind a program", b"MZ" + b"\x90" * 3000 + archive(MEMBERS))):
    mail = records([raw])[0]
    same(kind, mail["files"][0].get("members"), ROWS)
    same(kind + ": nested, not encrypted", (mail["files"][0].get("nested"), mail["files"][0].get("encrypted")), (True, None))
    ok("anomalies" not in mail, kind + ": nothing odd", mail.get("anomalies"))

document = archive([("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>"), ("word/vbaProject.bin", b"\0" * 100)])
same("a document with macros", [m["name"] for m in file_of(document)["members"]], ["[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"])
locked = file_of(ENCRYPTED)
same("a password", (locked.get("members"), locked.get("encrypted")), ([{"name": "secret.txt", "size": 6, "encrypted": True}], True))
same("no archive", file_of(b"PK is how this begins, but it is none").get("members"), None)
same("an empty archive", file_of(archive([])).get("members"), None)

# What unpackers may take for different things.
plain = archive([("harmless.txt", b"x"), ("b", b"y")])
at, last, over = plain.rindex(b"harmless.txt"), plain.rindex(b"PK\1\2"), plain.rindex(b"PK\5\6")
for kind, raw, evidence in (("another name in the directory", plain[:at] + b"harmless.exe" + plain[at + 12:], "harmless.exe"),
                            ("a member that the directory does not have", plain[:last] + plain[over:], "b")):
    odd = records([raw])[0].get("anomalies", [])
    same("told: " + kind, [(a["name"], a["text"]) for a in odd], [("archive_conflict", evidence)])
same("two archives in one file", records([plain + archive([("c", b"z")])])[0].get("anomalies"), None)

same("TNEF", file_of(tnef([(b"LONGNA~1.DOC", "long name.docx", b"12345"), (b"A", "\u20ac.zip", b"")]), name=b"winmail.dat")["members"],
     [{"name": "long name.docx", "size": 5}, {"name": "\u20ac.zip", "archive": True}])

# Limits.
many = archive([("m%d" % i, b"") for i in range(300)])
got = records([many])[0]
same("as many as are wanted", ([m["name"] for m in got["files"][0]["members"]], got["flags"]), (["m%d" % i for i in range(100)], {"truncated": True}))
same("or more", len(file_of(many, "-s", "member_items=300")["members"]), 300)
same("an archive behind the limit is known", file_of(archive([("a", b""), ("b.7z", b"")]), "-s", "member_items=1").get("nested"), True)
broken = file_of(archive(MEMBERS)[:100])
same("the beginning of an archive", [m["name"] for m in broken["members"]], ["a.txt", "Ordner/\u00fcber.docm"])

record = records([archive(MEMBERS)])[0]
invalid = [e.message for e in jsonschema.Draft202012Validator(json.loads(mailtap("schema").stdout)).iter_errors(record)]
ok(not invalid, "the schema knows all of it", *invalid)
done()
