#!/usr/bin/env python3
"""The files of attachments and of whole mails: what is written, under which names, within which limits, and that it does not matter by how many workers."""
import hashlib
import json
import os
import shutil
import stat
import tempfile
from pathlib import Path

from capturing import capture_of
from mailwire import crlf, write_capture
from tap import SHARED, done, mailtap, ok, parts_of, skip

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-extract-"))


def mail(*parts):
    out = [b"From: a@example.net", b'Content-Type: multipart/mixed; boundary="b"', b""]
    for head, body in parts:
        out += [b"--b", *head, b"", body]
    return b"\r\n".join([*out, b"--b--", b""])


def named(name, body):
    return [b"Content-Disposition: attachment; filename=" + name], body


def sha(data):
    return hashlib.sha256(data).hexdigest()


def run(path, folder, *args):
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", "--extract", folder, *args, path)
    ok(r.returncode == 0, "read --extract %s" % " ".join(map(str, args)), r.stderr.decode(errors="replace"))
    rows = [f for x in map(json.loads, r.stdout.splitlines()) if x["_path"] == "smtp" for f in parts_of(x)]
    return rows, r.stderr.decode(errors="replace").splitlines()[-1], r.stdout


def there(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


path = FOLDER / "mails.pcap"
write_capture(path, [mail(([b"Content-Type: text/plain"], b"a text"), named(b"../../a.txt", b"one"), ([b"Content-Type: image/png"], b"two")),
                     mail(named(b"b.txt", b"one"), named(b"empty", b""), ([b"Content-Type: message/rfc822"], b"Subject: x\r\n\r\ninner"))])
out = FOLDER / "out"
rows, closing, _ = run(path, out)
want = {sha(x): x for x in (b"one", b"two", b"Subject: x\r\n\r\ninner")}
ok(there(out) == want, "each file once, by its hash, and no other", sorted(there(out)), sorted(want))
ok([f.get("extracted") for f in rows] == [None, sha(b"one"), sha(b"two"), sha(b"one"), None, None, sha(b"Subject: x\r\n\r\ninner")], "rows name their files", rows)
ok("3 files extracted" in closing, "the closing line counts them", closing)
ok(all(stat.S_IMODE(os.stat(p).st_mode) == 0o600 for p in out.iterdir()) and stat.S_IMODE(out.stat().st_mode) == 0o700, "nobody else may read them")
again, closing, _ = run(path, out)
ok(there(out) == want and again == rows and "extracted" not in closing, "what is there already stays, and is named", closing)

# Limits.
few, closing, _ = run(path, FOLDER / "few", "-s", "extract_files=1")
ok(list(there(FOLDER / "few")) == [sha(b"one")] and "1 files extracted, 2 files not extracted over a limit" in closing, "a limit of files", closing)
ok([f.get("extracted") for f in few] == [None, sha(b"one"), None, sha(b"one"), None, None, None], "who has the same bytes is named beyond it", few)
run(path, FOLDER / "bytes", "-s", "extract_bytes=5B")
ok(sorted(there(FOLDER / "bytes")) == [sha(b"one")], "a limit of bytes", there(FOLDER / "bytes"))
large = FOLDER / "large.pcap"
write_capture(large, [mail(named(b"a", b"x" * 1025), named(b"b", b"y" * 1024))])
_, closing, _ = run(large, FOLDER / "large", "-s", "extract_part_bytes=1KiB")
ok(list(there(FOLDER / "large")) == [sha(b"y" * 1024)] and "1 files not extracted over a limit" in closing, "a limit of one part", closing)
_, _, bare = run(large, FOLDER / "bare", "-s", "hash=none")
ok(len(there(FOLDER / "bare")) == 2, "without hashes in the settings files have their names too")

# Whole mails.
def mails(path, folder, *args):
    _, closing, text = run(path, folder, *args)
    return [x.get("extracted") for x in map(json.loads, text.splitlines()) if x["_path"] == "smtp"], closing, text


def eml(text):
    return sha(text) + ".eml"


plain = crlf(b"Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\nlast")
odd = b"Subject: bare\r\n\r\na\rb\0\r\r\n" + b"x" * 70000 + b"\r\n"
two = mail(named(b"b.txt", b"one"))
texts = [plain, odd, plain, two]
path_mails = FOLDER / "whole.pcap"
write_capture(path_mails, texts)
want_mails = {eml(x): x for x in texts}
names, closing, _ = mails(path_mails, FOLDER / "whole", "-s", "extract=mails")
ok(there(FOLDER / "whole") == want_mails, "each mail once, byte for byte as it was sent, and no part", sorted(there(FOLDER / "whole")))
ok(names == [eml(x) for x in texts], "records name their mails", names)
ok("3 files extracted" in closing, "the closing line counts them", closing)
_, _, bare = run(path_mails, FOLDER / "whole-bare", "-s", "extract=mails", "-s", "hash=none")
ok(there(FOLDER / "whole-bare") == want_mails and b"sha256" not in bare, "without hashes of parts too")
names, _, _ = mails(path_mails, FOLDER / "all", "-s", "extract=all")
ok(there(FOLDER / "all") == {**want_mails, sha(b"one"): b"one"} and names == [eml(x) for x in texts], "all: mails and parts", sorted(there(FOLDER / "all")))
names, _, _ = mails(path_mails, FOLDER / "files")
ok(names == [None] * 4 and sorted(there(FOLDER / "files")) == [sha(b"one")], "no mails where none are wanted", names)
names, closing, _ = mails(path_mails, FOLDER / "few-mails", "-s", "extract=mails", "-s", "extract_files=1")
ok(names == [eml(plain), None, eml(plain), None] and "1 files extracted, 2 files not extracted over a limit" in closing, "a limit of files holds for mails", names, closing)
names, closing, _ = mails(path_mails, FOLDER / "small-mails", "-s", "extract=mails", "-s", "extract_part_bytes=64KiB")
ok(names == [eml(plain), None, eml(plain), eml(two)] and "1 files not extracted over a limit" in closing, "and so does the limit of one", names, closing)
names, _, _ = mails(path_mails, FOLDER / "bytes-mails", "-s", "extract=mails", "-s", "extract_bytes=%dB" % len(plain))
ok(names == [eml(plain), None, eml(plain), None], "and that of bytes", names)


def packets(data):
    """The head of a capture, then each packet with its own."""
    out, at = [data[:24]], 24
    while at < len(data):
        size = 16 + int.from_bytes(data[at + 8:at + 12], "little")
        out.append(data[at:at + size])
        at += size
    return out


def without(path, lost, ret):
    """The same capture without the packets whose number among those with over a thousand bytes is in `lost`."""
    head, *rest = packets(path.read_bytes())
    large = [p for p in rest if len(p) > 1000]
    ret.write_bytes(head + b"".join(p for p in rest if p not in [large[i] for i in lost]))


gap, end = FOLDER / "gap.pcap", FOLDER / "end.pcap"
without(path_mails, {5}, gap)
names, _, _ = mails(gap, FOLDER / "gap", "-s", "extract=mails")
ok(names == [eml(plain), None, eml(plain), eml(two)] and len(there(FOLDER / "gap")) == 2, "a mail with a gap is not written", names)
write_capture(end, [odd])
end.write_bytes(b"".join(packets(end.read_bytes())[:40]))
names, _, _ = mails(end, FOLDER / "end", "-s", "extract=mails")
ok(names == [None] and not there(FOLDER / "end"), "nor one whose end was not seen", names)

# Chunks: one lost whole, command and all, amid a mail, then the first of another.
chunked = capture_of(FOLDER, [(0, "198.51.100.7", "192.0.2.25", """S: 220 mx ESMTP
C: EHLO c
S: 250-mx
S: 250 CHUNKING
C: MAIL FROM:<a@one.example>
S: 250 ok
C: RCPT TO:<b@one.example>
S: 250 ok
C: BDAT 12
C: Subject: a
S: 250 ok
C: BDAT 4 LAST
C: .b
S: 250 ok
C: MAIL FROM:<a@two.example>
S: 250 ok
C: RCPT TO:<b@two.example>
S: 250 ok
C: BDAT 12
C: Subject: c
S: 250 ok
GAP C 21
S: 250 ok
C: BDAT 4 LAST
C: .d
S: 250 ok
C: MAIL FROM:<a@three.example>
S: 250 ok
C: RCPT TO:<b@three.example>
S: 250 ok
GAP C 21
S: 250 ok
C: BDAT 12 LAST
C: Subject: e
S: 250 ok
C: QUIT
S: 221 bye
""".splitlines())])
names, _, text = mails(chunked, FOLDER / "chunked", "-s", "extract=mails")
ok(len(names) == 3 and names[0] == eml(b"Subject: a\r\n.b\r\n") and names[1:] == [None, None], "of chunks all must be seen", names, text)


def lost_chunk(first):
    """A mail in three chunks, of which the second was not seen, its command neither."""
    lines = ["C: BDAT %d" % sum(len(x) + 2 for x in first), *("C: " + x for x in first), "S: 250 ok", "GAP C 14", "S: 250 ok", "C: BDAT 8 LAST", "C: ", "C: more", "S: 250 ok"]
    path = capture_of(FOLDER, [(0, "198.51.100.7", "192.0.2.25",
                                ["S: 220 mx ESMTP", "C: EHLO c", "S: 250-mx", "S: 250 CHUNKING", "C: MAIL FROM:<a@one.example>", "S: 250 ok", "C: RCPT TO:<b@one.example>",
                                 "S: 250 ok", *lines, "C: QUIT", "S: 221 bye"])])
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", path)
    return [f for x in map(json.loads, r.stdout.splitlines()) if x["_path"] == "smtp" for f in parts_of(x)]


for name, first in (("its text", ["Subject: a", "", "text"]), ("its header", ["Subject: a"])):
    found = lost_chunk(first)
    ok(found and not any("sha256" in f for f in found), "a chunk that was lost in %s leaves no hash" % name, found)

# Somebody else's things under such a name stay as they are.
trap, secret = FOLDER / "trap", FOLDER / "secret"
trap.mkdir()
secret.write_bytes(b"mine")
(trap / sha(b"one")).symlink_to(secret)
(trap / sha(b"two")).mkdir()
rows, closing, _ = run(path, trap)
ok(secret.read_bytes() == b"mine" and (trap / sha(b"one")).is_symlink(), "no link is followed", rows)
ok([f.get("extracted") for f in rows] == [None] * 6 + [sha(b"Subject: x\r\n\r\ninner")], "and it is not told as a file of ours", rows)

# A folder that takes nothing costs files alone.
if os.path.exists("/dev/full") and os.getuid() == 0 and shutil.which("unshare"):
    r = mailtap("read", "-f", "json", "--extract", "/proc/self/fd", path)
    ok(r.returncode == 0 and len([x for x in r.stdout.splitlines() if b'"smtp"' in x]) == 2, "a folder that takes no files stops nothing", r.stderr.decode(errors="replace"))
    ok(b"files that could not be written" in r.stderr, "and is told", r.stderr.decode(errors="replace"))
r = mailtap("read", "--extract", FOLDER / "mails.pcap", path)
ok(r.returncode == 2 and b"mails.pcap" in r.stderr, "a folder that is none is said", r.stderr.decode(errors="replace"))

# All of the shared mails, by one worker and by three, with a limit amid them.
if (SHARED / "mail").is_dir():
    corpus = FOLDER / "corpus.pcap"
    sent = [p for p in sorted((SHARED / "mail").rglob("*")) if p.suffix in (".eml", ".msg", ".raw")]
    write_capture(corpus, [crlf(p.read_bytes()) for p in sent])
    for limit, what in (("100000", "files"), ("50", "files"), ("50", "all"), ("100000", "mails")):
        seen = []
        for workers in (1, 3):
            folder = FOLDER / ("%s-%s-%d" % (what, limit, workers))
            _, closing, text = run(corpus, folder, "--workers", workers, "-s", "extract_files=" + limit, "-s", "extract=" + what)
            files = there(folder)
            ok(all(k in (sha(v), eml(v)) for k, v in files.items()), "%d files are what their names say" % len(files))
            if what == "mails":
                ok(set(files) == {eml(crlf(p.read_bytes())) for p in sent}, "all mails, and no others", len(files), len(sent))
            seen.append((sorted(files), text, closing.split(",", 4)[4:]))
        ok(seen[0] == seen[1] and seen[0][0], "three workers write the same files and records as one", seen[0][2], seen[1][2])
else:
    skip("the shared mails", "they are not there")
done()
