#!/usr/bin/env python3
"""The files of attachments: what is written, under which names, within which limits, and that it does not matter by how many workers."""
import hashlib
import json
import os
import shutil
import stat
import tempfile
from pathlib import Path

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
    write_capture(corpus, [crlf(p.read_bytes()) for p in sorted((SHARED / "mail").rglob("*")) if p.suffix in (".eml", ".msg", ".raw")])
    for limit in ("100000", "50"):
        seen = []
        for workers in (1, 3):
            folder = FOLDER / ("%s-%d" % (limit, workers))
            _, closing, text = run(corpus, folder, "--workers", workers, "-s", "extract_files=" + limit)
            files = there(folder)
            ok(all(sha(v) == k for k, v in files.items()), "%d files are what their names say" % len(files))
            seen.append((sorted(files), text, closing.split(",", 4)[4:]))
        ok(seen[0] == seen[1] and seen[0][0], "three workers write the same files and records as one", seen[0][2], seen[1][2])
else:
    skip("the shared mails", "they are not there")
done()
