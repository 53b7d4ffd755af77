#!/usr/bin/env python3
"""Parts through the whole program: their rows, their hashes, what their first bytes say, which is held to libmagic."""
import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import math
import shutil
import struct
import subprocess
import tempfile
import zipfile
from pathlib import Path

from mailwire import write_capture
from tap import done, mailtap, ok, parts_of, skip

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-parts-"))


def archive(*files, stored=False):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as z:
        for name, content in files:
            z.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def office(folder):
    return archive(("[Content_Types].xml", b"<x/>"), ("_rels/.rels", b"<y/>"), (folder + "/a.xml", b"z"))


FILES = {
    "exe": b"MZ\x90\0" + b"\0" * 56 + struct.pack("<I", 64) + b"PE\0\0\x4c\x01" + b"\0" * 200,
    "macho": bytes.fromhex("cffaedfe07000001030000000200000010000000") + b"\0" * 60,
    "class": bytes.fromhex("cafebabe00000034") + b"\0\x10" * 20,
    "rar": b"Rar!\x1a\x07\x01\x00" + b"\0" * 50,
    "7z": b"7z\xbc\xaf\x27\x1c\0\4" + b"\0" * 50,
    "gz": gzip.compress(b"abc"), "bz2": bz2.compress(b"abc"), "xz": lzma.compress(b"abc"), "zst": bytes.fromhex("28b52ffd") + b"\x24" * 20,
    "ace": b"\0" * 7 + b"**ACE**" + b"\0" * 30, "lzh": b"\x20\x30-lh5-" + b"\0" * 40,
    "pdf": b"%PDF-1.4\n%abc", "rtf": b"{\\rtf1\\ansi abc}", "ps": b"%!PS-Adobe-3.0\n",
    "png": bytes.fromhex("89504e470d0a1a0a0000000d49484452") + b"\0" * 30, "jpg": bytes.fromhex("ffd8ffe000104a46494600010101") + b"\0" * 30,
    "gif": b"GIF89a\1\0\1\0" + b"\0" * 20, "webp": b"RIFF\x10\0\0\0WEBPVP8 " + b"\0" * 20,
    "bmp": b"BM" + struct.pack("<IHHIIiiHH", 100, 0, 0, 54, 40, 4, 4, 1, 24) + b"\0" * 60,
    "tiff": b"II*\0\x08\0\0\0" + b"\0" * 30, "ico": bytes.fromhex("000001000100101000000100200068040000160000002800") + b"\0" * 60,
    "html": b"<html><body>x", "doctype": b"\n  <!DOCTYPE html>\n<p>", "table": b"<table><tr>", "comment": b"<!-- x --><html>",
    "xml": b'<?xml version="1.0"?><a/>', "svg": b'<svg xmlns="http://www.w3.org/2000/svg">',
    "lnk": bytes.fromhex("4c0000000114020000000000c000000000000046") + b"\0" * 60, "chm": b"ITSF\3\0\0\0\x60\0\0\0\1\0\0\0" + b"\0" * 60,
    "tnef": bytes.fromhex("789f3e22010001") + b"\0" * 30,
    "sh": b"#!/bin/sh\necho\n", "python": b"#!/usr/bin/env python3\nimport os\n", "perl": b"#!/usr/bin/perl\nuse strict;\n", "php": b"<?php echo 1;",
    "mp3": bytes.fromhex("fffb9064") + b"\0" * 600, "mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "mov": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    "m4a": b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42", "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "wav": b"RIFF\x10\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0" + b"\0" * 20, "avi": b"RIFF\x10\0\0\0AVI LIST" + b"\0" * 50, "flac": b"fLaC\0\0\0\x22" + b"\0" * 30,
    "ttf": b"\0\1\0\0\0\x0c\0\x80\0\3\0\x40OS/2" + b"\0" * 40, "otf": b"OTTO\0\x0c" + b"\0" * 40, "woff": b"wOFF\0\1\0\0" + b"\0" * 40,
    "pem": b"-----BEGIN CERTIFICATE-----\nMIIB\n", "pgp": b"-----BEGIN PGP MESSAGE-----\n\nhQEM", "pgpsig": b"-----BEGIN PGP SIGNATURE-----\n\niQ",
    "pgpkey": b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ", "pgpsigned": b"-----BEGIN PGP SIGNED MESSAGE-----\n",
    "ole": bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504, "tar": None,
    "txt": b"hello world\n", "latin1": "h\xe9llo w\xf6rld\n".encode("latin-1"), "utf8": "h\xe9llo".encode(), "utf16": "hello".encode("utf-16"),
    "ics": b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "vcf": b"BEGIN:VCARD\r\nVERSION:3.0\r\n", "mail": b"Received: from x\r\n",
    "zip": archive(("a.txt", b"x")), "empty.zip": b"PK\5\6" + b"\0" * 18,
    "docx": office("word"), "xlsx": office("xl"), "pptx": office("ppt"),
    "odt": archive(("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", b"x"), stored=True),
    "epub": archive(("mimetype", b"application/epub+zip"), ("content.xml", b"x"), stored=True),
    "jar": archive(("META-INF/MANIFEST.MF", b"x"), ("A.class", b"y")), "apk": archive(("AndroidManifest.xml", b"x"), ("classes.dex", b"y")),
    "elf": Path("/bin/true").read_bytes()[:4000], "noise": bytes(range(256)) * 40, "zero": b"\0" * 100000,
    "cab": b"MSCF\0\0\0\0" + b"\0" * 60,
}
FILES["tar"] = (b"a.txt" + b"\0" * 95 + b"0000644\0" + b"0001750\0" * 2 + b"00000000001\0" + b"14200000000\0" + b"010000\0 0" + b"\0" * 100 + b"ustar  \0").ljust(1024, b"\0")

# What libmagic says else, and why ours stays.
MAGIC = {
    "jar": ("application/zip", "without Java's own mark in the archive's first entry libmagic does not look at its name"),
    "noise": ("image/x-tga", "libmagic guesses an image from a few bytes that are not much of a mark"),
    "cab": ("text/plain", "libmagic says more of whole cabinets; this one is a mark alone"),
}


def boundary_mail(parts):
    out = [b"From: a@example.net", b'Content-Type: multipart/mixed; boundary="b"', b""]
    for head, body in parts:
        out += [b"--b", *head, b"", body]
    return b"\r\n".join([*out, b"--b--", b""])


def attachment(name, content):
    text = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return ([b"Content-Type: application/x-test", b"Content-Transfer-Encoding: base64", b"Content-Disposition: Attachment; filename=" + name.encode()], text.rstrip())


def rows(message, *args):
    path = FOLDER / "mail.pcap"
    write_capture(path, [message])
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", *args, path)
    ok(r.returncode == 0, "the capture is read", r.stderr.decode(errors="replace"))
    record = next(x for x in map(json.loads, r.stdout.splitlines()) if x["_path"] == "smtp")
    return parts_of(record)


def entropy(content):
    counts = [content.count(bytes([i])) for i in range(256)]
    return -sum(n / len(content) * math.log2(n / len(content)) for n in counts if n)


found = rows(boundary_mail([attachment(name, content) for name, content in FILES.items()]), "-s", "hash=all")
ok([f["name"] for f in found] == list(FILES), "each part has its row, in order", [f.get("name") for f in found])
for row, (name, content) in zip(found, FILES.items()):
    want = {h: hashlib.new(h, content).hexdigest() for h in ("md5", "sha1", "sha256")}
    got = {h: row.get(h) for h in want}
    ok(got == want and row["size"] == len(content), "%s: hashes and size" % name, got, want, row)
    ok(abs(row["entropy"] - entropy(content)) < 6e-5, "%s: entropy" % name, row["entropy"], entropy(content))
    ok((row["type"], row["disposition"], row["encoding"], row["depth"]) == ("application/x-test", "attachment", "base64", 1), "%s: what it declares" % name, row)

if shutil.which("file"):
    for row, (name, content) in zip(found, FILES.items()):
        r = subprocess.run(["file", "--brief", "--mime-type", "-"], input=content, capture_output=True)
        magic = r.stdout.decode().strip()
        ours, (other, why) = row.get("mime_type"), MAGIC.get(name, (None, ""))
        ok(ours == magic if name not in MAGIC else ours != magic == other, "%s: libmagic says %s" % (name, magic), ours, why)
else:
    skip("types as libmagic has them", "file is not installed")

# What a setting leaves out, and what it does not.
message = boundary_mail([([b"Content-Type: text/plain; charset=utf-8"], b"text"), attachment("a.txt", b"hello")])
none, usual = rows(message, "-s", "hash=none"), rows(message)
ok(none == [{"type": "text/plain", "size": 4, "mime_type": "text/plain", "part": 0, "depth": 1},
            {"name": "a.txt", "type": "application/x-test", "size": 5, "mime_type": "text/plain", "disposition": "attachment", "encoding": "base64", "part": 1, "depth": 1}],
   "without hashes a part is still told", none)
ok(usual == [{**none[0], "sha256": hashlib.sha256(b"text").hexdigest(), "entropy": 1.5},
             {**none[1], "sha256": hashlib.sha256(b"hello").hexdigest(), "entropy": 1.9219}], "SHA-256 is usual", usual)

# An attached mail is what a mail program saves; what it says of itself stands beside it.
inner = b"From: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\nSubject: =?utf-8?q?gr=C3=BCn?=\r\nMessage-ID: <inner@example.org>\r\nSubject: second\r\n\r\n-- \r\ntext\r\n"
deep = rows(boundary_mail([([b"Content-Type: message/rfc822"], inner)]))
ok([(f["type"], f["depth"]) for f in deep] == [("text/plain", 2), ("message/rfc822", 1)], "an attached mail stands behind what is in it", deep)
ok(deep[1].get("attached") == {"from": "J\xf6rg <j@example.org>", "subject": "gr\xfcn", "msg_id": "<inner@example.org>"}, "it says who wrote it", deep[1])
ok(deep[1].get("sha256") == hashlib.sha256(inner).hexdigest() and deep[1]["size"] == len(inner), "it has the hash of its text as it came", deep[1])

# The name as written.
named = rows(boundary_mail([([b"Content-Type: text/plain; name*=UTF-8''gr%C3%BCn.txt"], b"a"), ([b"Content-Disposition: inline; filename=\"=?utf-8?q?gr=C3=BCn.txt?=\""], b"b"),
                            ([b"Content-Disposition: attachment; filename*0=a; filename*1=\"b.txt\""], b"c")]))
ok([(f["name"], f.get("name_raw")) for f in named] == [("gr\xfcn.txt", "UTF-8''gr%C3%BCn.txt"), ("gr\xfcn.txt", "=?utf-8?q?gr=C3=BCn.txt?="), ("ab.txt", None)],
   "a name is told as it is written too, where that differs", named)

# What pretends to be something else; of each kind the mail tells of the first, each part of its own.
odd = [([b"Content-Type: image/png; name=a.png"], FILES["sh"]), ([b"Content-Disposition: attachment; filename=\"Rechnung.pdf  .exe\""], b"MZ"),
       ([b"Content-Disposition: attachment; filename=\"C:\\temp\\a.txt\""], b"x"), ([b"Content-Type: application/pdf; name=b.pdf"], FILES["sh"]),
       ([b"Content-Type: image/png; name=c.png", b"Content-Disposition: inline; filename=d.png", b"Content-Transfer-Encoding: base64"], b"eA==x")]
path = FOLDER / "odd.pcap"
write_capture(path, [boundary_mail(odd)])
record = next(x for x in map(json.loads, mailtap("read", "-f", "json", path).stdout.splitlines()) if x["_path"] == "smtp")
ok([f.get("anomalies", []) for f in parts_of(record)] == [["type_disguised"], ["filename_double"], ["filename_path"], ["type_disguised"], ["filename_conflict", "base64_garbage"]],
   "each part says what is odd in it", parts_of(record))
ok(sorted((a["name"], a.get("text")) for a in record["anomalies"]) ==
   [("base64_garbage", None), ("filename_conflict", "c.png"), ("filename_double", "Rechnung.pdf  .exe"), ("filename_path", "C:\\temp\\a.txt"), ("type_disguised", "text/x-shellscript")],
   "so does the mail, the first of each", record["anomalies"])
at = boundary_mail(odd).index(FILES["sh"])
ok(next(a["offset"] for a in record["anomalies"] if a["name"] == "type_disguised") == at, "with its place", record["anomalies"], at)
done()
