#!/usr/bin/env python3
"""What went wrong with other monitors (docs/peers.md) and is too large or too plain for a dialogue text: lines of lengths at the edges of usual
buffers wherever one may stand, each with a mail behind it that must be whole; encodings of every length; endless input of one side alone."""
import base64
import collections
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from capturing import capture_of
from tap import MAILTAP, SOURCE, done, ok, parts_of

# Around the sizes that programs like for their buffers, and around our own limits.
LENGTHS = [n + d for n in (78, 255, 512, 998, 1024, 4096, 8192, 16384, 65536) for d in (-2, -1, 0, 1, 2)]
BOUNDARY_MOST = 1020
NAME_MOST = 1000  # beyond that parameters may be cut

ENVELOPE = ["C: MAIL FROM:<a@example.net>", "S: 250 ok", "C: RCPT TO:<b@example.com>", "S: 250 ok", "C: DATA", "S: 354 go"]
NEXT = ["C: MAIL FROM:<next@example.net>", "S: 250 ok", "C: RCPT TO:<user@example.com>", "S: 250 ok", "C: DATA", "S: 354 go", "C: Subject: the next one", "C:",
        "C: text", "C: .", "S: 250 2.0.0 queued as NEXT", "C: QUIT", "S: 221 bye"]
HELLO = ["S: 220 mx ESMTP", "C: EHLO c", "S: 250 mx"]


def pad(text, length):
    """A line of that many bytes without its end."""
    return text + "x" * (length - len(text))


def mail(*lines):
    return [*HELLO, *ENVELOPE, *("C: " + line for line in lines), "C: .", "S: 250 ok"]


def parts(boundary):
    return mail("Content-Type: multipart/mixed;", ' boundary="%s"' % boundary, "", "--" + boundary, "Content-Disposition: attachment; filename=in.txt", "", "in",
                "--" + boundary + "--")


# name: (mails before the next one, a length -> the lines of a session up to it)
PLACES = {
    "a command": (0, lambda n: [*HELLO, "C: " + pad("NOOP ", n), "S: 250 ok"]),
    "an unknown command": (0, lambda n: [*HELLO, "C: " + pad("", n), "S: 500 what"]),
    "a hello": (0, lambda n: [HELLO[0], "C: " + pad("EHLO ", n), "S: 250 mx"]),
    "a refused MAIL": (1, lambda n: [*HELLO, "C: " + pad("MAIL FROM:<a@example.net> X=", n), "S: 501 too long"]),
    "a recipient": (1, lambda n: [*HELLO, *ENVELOPE[:2], "C: " + pad("RCPT TO:<", n), "S: 501 too long"]),
    "an AUTH": (0, lambda n: [*HELLO, "C: " + pad("AUTH PLAIN ", n), "S: 535 no"]),
    "an answer to AUTH": (0, lambda n: [*HELLO, "C: AUTH LOGIN", "S: 334 x", "C: " + pad("", n), "S: 535 no"]),
    "a reply": (0, lambda n: [*HELLO, "C: NOOP", "S: " + pad("250 ", n)]),
    "a line of a reply": (0, lambda n: [*HELLO, "C: NOOP", "S: " + pad("250-", n), "S: 250 ok"]),
    "a line without a code": (0, lambda n: [*HELLO, "C: NOOP", "S: 250-one", "S: " + pad("", n), "S: 250 ok"]),
    "a header field": (1, lambda n: mail(pad("Subject: ", n), "", "text")),
    "the name of a field": (1, lambda n: mail(pad("", n) + ": a", "", "text")),
    "a header without a colon": (1, lambda n: mail(pad("", n), "", "text")),
    "a text": (1, lambda n: mail("Subject: a", "", pad("", n))),
    "a text that begins with a dot": (1, lambda n: mail("Subject: a", "", pad("..", n))),
    "a boundary": (1, lambda n: parts(pad("", n))),
    "a file name": (1, lambda n: mail(pad('Content-Disposition: attachment; filename="', n) + '"', "", "in")),
    "an encoded word": (1, lambda n: mail(pad("Subject: =?utf-8?q?", n) + "?=", "", "in")),
}


def records(path, stream="smtp"):
    r = subprocess.run([MAILTAP, "read", "-f", "json", "-s", "country_databases=none", str(path)], capture_output=True, timeout=300)
    ok(r.returncode == 0, "it is read", r.stderr.decode(errors="replace")[-3000:])
    found = collections.defaultdict(list)  # by the number of the session
    for line in r.stdout.splitlines():
        record = json.loads(line)
        if record["_path"] == stream:
            found[record["id.orig_p"] - 40000].append(record)
    return found


def is_next(m):
    wanted = {"mailfrom": "next@example.net", "rcptto": ["user@example.com"], "subject": "the next one", "last_reply": "250 2.0.0 queued as NEXT"}
    never = ("flags", "from", "last_error", "anomalies")
    text = [(f["type"], f["size"]) for f in parts_of(m)] == [("text/plain", 6)]
    return all(m.get(k) == v for k, v in wanted.items()) and not any(k in m for k in never) and text


def lengths(folder):
    cases = [(name, n) for name in PLACES for n in LENGTHS]
    found = records(capture_of(folder, [(i, "198.51.100.7", "192.0.2.25", PLACES[name][1](n) + NEXT) for i, (name, n) in enumerate(cases)]))
    wrong = collections.defaultdict(list)
    for i, (name, n) in enumerate(cases):
        mails = found[i]
        good = len(mails) == PLACES[name][0] + 1 and is_next(mails[-1])
        if name == "a boundary" and n <= BOUNDARY_MOST:
            good &= [(f["name"], f["type"], f["size"]) for f in mails[0].get("files", []) if "name" in f] == [("in.txt", "text/plain", 2)]
        if name == "a file name" and n <= NAME_MOST:
            good &= next(f for f in mails[0]["files"] if "name" in f)["name"] == "x" * (n - 43)
        if not good:
            wrong[name].append((n, mails))
    for name in PLACES:
        ok(not wrong[name], "behind %s of each of %d lengths the next mail is whole" % (name, len(LENGTHS)), *wrong[name][:3])


def wrapped(text, width):
    return ["C: " + text[at:at + width] for at in range(0, len(text), width)]


def encodings(folder):
    """Name and content of a file, both of as many bytes: each length, in lines of several widths, padded and not."""
    sessions, kinds, most = [], [], 70
    for width, padded in ((76, True), (76, False), (75, True), (5, True), (4, True), (3, False), (1, True)):
        lines = [*HELLO, *ENVELOPE, "C: Content-Type: multipart/mixed; boundary=b", "C:"]
        for n in range(most):
            text = base64.b64encode(b"n" * n).decode()
            text = text if padded else text.rstrip("=")
            lines += ["C: --b", 'C: Content-Disposition: attachment; filename="f=?utf-8?b?%s?="' % text, "C: Content-Transfer-Encoding: base64", "C:"]
            lines += wrapped(text, width)
        sessions.append((len(sessions), "198.51.100.7", "192.0.2.25", [*lines, "C: --b--", "C: .", "S: 250 ok", *NEXT]))
        kinds.append("base64 of every length in lines of %d, %s" % (width, "padded" if padded else "not padded"))
    found = records(capture_of(folder, sessions))
    want = [("f" + "n" * n, n) for n in range(most)]
    for i, name in enumerate(kinds):
        got = [(f["name"], f["size"]) for f in found[i][0].get("files", []) if "name" in f]
        ok(got == want and is_next(found[i][-1]), name, [pair for pair in zip(got, want) if pair[0] != pair[1]][:5], len(got))


# What stands in a message -> what the notice names as the end that some servers see, or None.
INNER = ["C: MAIL FROM:<smuggled@example.net>", "C: RCPT TO:<b@example.com>", "C: DATA", "C: Subject: inner", "C:", "C: inner"]
SMUGGLED = {
    "LF . LF": (["C: text\\n.\\n\\", *INNER], "<LF>.<LF>"),
    "LF . CRLF": (["C: text\\n.", *INNER], "<LF>.<CRLF>"),
    "CR . CR": (["C: text\\r.\\r\\", *INNER], "<CR>.<CR>"),
    "CRLF . LF": (["C: text", "C: .\\n\\", *INNER], "<CRLF>.<LF>"),
    "CR . CR behind what is bare": (["C: a\\rb\\nc", "C: " + "x" * 256 + "\\", "C: text\\r.\\r\\", *INNER], "<CR>.<CR>"),
    "the same without commands": (["C: text\\n.\\ntext"], None),
    "commands alone": (["C: text", *INNER], None),
    "a stuffed dot": (["C: text", "C: ..", *INNER], None),
}


def smuggling(folder):
    """Whoever reads on as the message's own text must still be told of it, where the server does the same."""
    sessions = [(i, "198.51.100.%d" % (i + 1), "192.0.2.25", [*HELLO, *ENVELOPE, "C: Subject: outer", "C:", *lines, "C: .", "S: 250 ok", *NEXT])
                for i, (lines, _) in enumerate(SMUGGLED.values())]
    path = capture_of(folder, sessions)
    mails, told = records(path), records(path, "notice")
    for i, (name, (_, end)) in enumerate(SMUGGLED.items()):
        notices = [n for n in told[i] if n["note"] == "SMTP::Smuggling_Attempt"]
        right = len(notices) == (end is not None) and all(" %s in it" % end in n["msg"] for n in notices)
        ok(right and len(mails[i]) == 2 and mails[i][0]["subject"] == "outer" and is_next(mails[i][-1]), "smuggling: " + name, told[i], mails[i])


def packet(number, side, seq, payload, flags=0x18):
    ends = [(bytes([198, 51, 100, 7]), 40000 + number), (bytes([192, 0, 2, 25]), 25)]
    (src, sport), (dst, dport) = ends[side], ends[1 - side]
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, 1, 0x50, flags, 65535, 0, 0) + payload
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, src, dst) + tcp


# What one side says without end: (side, bytes that are said again and again).
FLOODS = {
    "requests for web pages": (0, b"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 9\r\n\r\n{\"a\": 1}\n"),
    "a web server": (1, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntext"),
    "a POP3 client": (0, b"USER a\r\nRETR 1\r\nDELE 1\r\nNOOP\r\n"),
    "a POP3 server": (1, b"+OK 120 octets\r\nSubject: a\r\n\r\ntext\r\n.\r\n"),
    "an FTP server": (1, b"220-one\r\n220 two\r\n331 pass\r\n230 in\r\n"),
    "an SMTP client": (0, b"EHLO c\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.com>\r\nRSET\r\nNOOP\r\n"),
    "recipients": (0, b"RCPT TO:<b@example.com>\r\n"),
    "an SMTP server": (1, b"250-a\r\n250 ok\r\n550 no\r\n354 go\r\n"),
    "an answer without end": (1, b"220-" + b"x" * 90 + b"\r\n"),
    "TLS": (0, bytes.fromhex("160301020001000000")),
    "no line ends": (0, b"abcdefgh"),
    "NULs": (0, bytes(64)),
    "noise": (0, random.Random(1).randbytes(1 << 16)),
}


def flood(folder, size, name):
    """A capture of all of them, one after the other; of some packets the tap has seen nothing."""
    path, seconds = folder / name, 1795000000
    with path.open("wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
        for number, (side, text) in enumerate(FLOODS.values()):
            block, seq = text * (20000 // len(text) + 1), 1
            for at in range(0, size, 1400):
                data = block[at % len(text):][:1400]
                if at // 1400 % 500 != 499:
                    p = packet(number, side, seq, data)
                    f.write(struct.pack("<IIII", seconds, at // 1400 % 1000000, len(p), len(p)) + p)
                seq += len(data)
            seconds += 60
    return path


def memory(path):
    """-> KiB at most, seconds. What is freed is given back at once, or the sanitizer's share would hide what is ours."""
    env = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=0:detect_leaks=1:malloc_context_size=0")
    begin = time.monotonic()
    command = [MAILTAP, "read", "-f", "json", "--workers", "1", "-s", "country_databases=none", str(path)]
    script = "import resource, subprocess, sys; r = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode; print(r, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    r = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, timeout=300, env=env)
    code, most = r.stdout.split()
    ok(code == "0", "%s is read" % path.name, r.stderr[-3000:])
    return int(most), time.monotonic() - begin, r.stderr


def one_sided(folder):
    few, many = 1 << 19, 3 << 20
    least, once, _ = memory(flood(folder, few, "few.pcap"))
    most, often, err = memory(flood(folder, many, "many.pcap"))
    figures = "%d KiB for %d bytes each, %d KiB for %d; %.1f s, %.1f s" % (least, few, most, many, once, often)
    ok(most <= least + 5120, "%d kinds of endless input of one side stay within memory" % len(FLOODS), figures, err)
    print("# " + figures)


def tests_named():
    """docs/peers.md names tests that there are."""
    wrong, rows = [], 0
    for line in (SOURCE / "docs/peers.md").read_text().splitlines():
        cells = [cell.strip() for cell in re.split(r"\s*\|", line)[1:-1]]
        if len(cells) != 4 or cells[0] in ("peer, number", "where", "---"):
            continue
        rows += 1
        if not cells[3] and not re.search("planned|does not concern", cells[2]):
            wrong.append("no test: " + line)
        for text in cells[3].split("; "):
            kind, _, names = text.partition(" ")
            if kind == "dialog":
                wrong += [text for name in names.split(", ") if not (SOURCE / "test/dialog" / (name + ".txt")).exists()]
            elif kind == "unit":
                file, _, cases = names.partition(": ")
                source = SOURCE / "test/unit" / (file + ".c")
                body = source.read_text() if source.exists() else ""
                wrong += [text for case in cases.split(", ") if not re.search(r"^static void %s\(" % case if case else ".", body, re.M)]
    ok(rows > 70 and not wrong, "docs/peers.md: %d rows, each with tests that there are, or with the reason" % rows, *wrong)


def main():
    tests_named()
    with tempfile.TemporaryDirectory() as name:
        lengths(Path(name))
        encodings(Path(name))
        smuggling(Path(name))
        one_sided(Path(name))
    done()


main()
