"""What hostile senders try costs no more than its size, little memory, and no mail behind it.

test/hostile.c writes each shape as a connection that ends with a usual mail. Three things are held of it:
  the next mail is recorded right, as is the number of mails, by the binary under test;
  twice as much of it takes at most GROWTH times the instructions, as time is noisy, and at most BYTE a byte of the capture, as
  what is square up to a limit is linear beyond it: callgrind counts those of the release build (MAILTAP_RELEASE), file by file;
  at full size that build takes at most MEMORY more than for the usual mail alone, and SECONDS."""
import base64
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tap import MAILTAP, done, ok, skip
from waiting import until, waits_for_input

HOSTILE = sys.argv[2]
RELEASE = os.environ.get("MAILTAP_RELEASE")
GROWTH = 2.3
BYTE = 600  # instructions
MEMORY = 2048  # KiB
SECONDS = 60  # on a busy machine too
# Of the build that is measured: without what fills each block that is freed, as that would be counted.
ENV = {k: v for k, v in os.environ.items() if k != "MALLOC_PERTURB_"}
FIELD_MOST = 60000  # of test/hostile.c

# size: of it, and of its double, instructions are counted; full: what it is tried with outright.
Case = collections.namedtuple("Case", "name shape size full args", defaults=[()])

FIELDS = [
    ("encoded words without end", "Subject", "=?a?q?x"),
    ("encoded words, many charsets", "Subject", "=?utf-8?q?a?= =?iso-2022-jp?b?YQ==?= =?koi8-r?q?=C1?= "),
    ("quotes without end", "To", '"\\"'),
    ("comments without end", "To", "("),
    ("brackets without end", "To", "<"),
    ("groups", "Cc", "a:;"),
    ("parameters without semicolons", "Content-Type: x; b", 'a=""'),
    ("sections of a parameter", "Content-Type: x; b", 'name*1*=%41;'),
    ("quotes in parameters", "Content-Disposition: x; b", 'filename*0="\\""'),
    ("comments in parameters", "Content-Type", "("),
    ("numbers of an address", "Received: from a", "1:"),
    ("brackets of addresses", "Received: from a", "[1."),
    ("comments of a hop", "Received: from a", "("),
    ("clauses of a hop", "Received: from a", ") "),
    ("colons", "Received: from a", "::"),
    ("words of a hop", "Received: from a", "b "),
    ("comments of a hop that end", "Received: from a", "(b@c (helo=d [1.2)) "),
    ("quotes of a hop", "Received: from a by", '"<\\( '),
    ("dates of a hop", "Received: from a", ";(1 Jan "),
    ("comments of a date", "Received: from a; 1", "(b)"),
    ("an origin", "X-Originating-IP", "f:"),
]
TEXTS = ["w", "www.", "/", "://", "http://", "http://a.b ", "http://\u00e4.b ", "http://xn--4ca.b ", "http://a(b", "http://%30x ", "ftp://1.", "(http://a]"]
PAGES = ["<", "</", "<!--", "<!-", "&", "&#x0", "&amp", "<a ", "<a b=", "<a href='", "<a href='http://a.b/'>c.com", "<a href=http://a.b>http://\u00e4.b</a>",
         "<a href=//a.b>www.c.d.e</a>", "<script>", "<style></", "<p style='x'>", "<img srcset='http://a.b '>", "<a href=http://google.com/url?q=http://c.d/>"]


def in_base64(text):
    """Over and over, as it is in base64."""
    return base64.b64encode(text * 3).decode() + "\r\n"


PACKED = "Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
OPEN = in_base64(b"PK\3\4\24\0\10\0\0\0" + bytes(16) + b"\1\0\0\0a\0")
TNEF = "Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"\x78\x9f\x3e\x22\0\0").decode()
ARCHIVES = [
    ("local headers", PACKED, b"PK\3\4\24\0\0\0\0\0" + bytes(16) + b"\1\0\0\0a"),
    ("no headers", PACKED + in_base64(b"PK\3\4junk"), b"PK\3\4"),
    ("descriptors of no member", PACKED + OPEN, b"PK\7\10"),
    ("directories of another archive", PACKED + OPEN, b"PK\1\2"),
    ("beginnings of headers", PACKED + OPEN, b"PPK"),
    ("entries of a directory", PACKED, b"PK\1\2\24\0\24\0\0\0\0\0" + bytes(16) + b"\1" + bytes(17) + b"b"),
    ("attachments of TNEF", TNEF, b"\2\2\x90\6\0" + bytes(6)),
    ("properties of TNEF", TNEF + base64.b64encode(b"\2\5\x90\6\0\xff\xff\xff\xff\xff\xff\xff\xff\x1e\0\x07\x37\1").decode(), b"\0\0\0\4\0\0\0aaaa\x1e\0\x07\x37\1"),
]
REFUSALS = ["1:", "1a ", "1.", "::", "f:", "IPv6:", "<", "<a@", "<a@b>", "spamhaus "]
EVERY_FIELD = ("To: a@example.com\r\nCc: b@example.com\r\nFrom: c@example.com\r\nSubject: s\r\nDate: d\r\nMessage-ID: <m>\r\n"
               "Received: from a ([192.0.2.1]) by b\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n"
               "Content-Disposition: attachment; filename=a\r\n")

CASES = [
    Case("a line without end", "line", 1000000, 100000000),
    Case("a reply's line without end", "reply-line", 1000000, 100000000),
    Case("a reply of many lines", "reply-lines", 20000, 1000000),
    Case("recipients", "recipients", 2000, 1000000),
    Case("empty transactions", "transactions", 300, 1000000),
    Case("the same, pipelined", "transactions-pipelined", 300, 1000000),
    Case("chunks of a byte", "chunks", 2000, 1000000),
    Case("NOOP, pipelined", "pipelined", 4000, 1000000, ("NOOP\r\n", "250 2.0.0 Ok\r\n")),
    Case("the same with replies that do not fit", "pipelined", 2000, 1000000, ("NOOP\r\n", "354 Go ahead\r\n")),
    # Beyond what is held until the reply: 256 KiB.
    Case("DATA, pipelined", "pipelined", 20000, 100000, ("DATA\r\n", "250 2.0.0 Ok\r\n")),
    Case("logins, pipelined", "pipelined", 20000, 100000, ("AUTH PLAIN AHVzZXIAcHc=\r\n", "235 2.7.0 ok\r\n")),
    Case("parts", "parts", 2000, 100000),
    Case("nested multiparts", "nested", 2000, 10000),
    Case("nested mails", "nested-mails", 10000, 10000),
    Case("boundary look-alikes", "lookalikes", 500, 100000),
    Case("a header without end", "header", 1000000, 100000000),
    Case("the same, folded", "header", 200000, 100000000, ("abcdef\r\n ", "Subject")),
    Case("To: again and again", "headers", 5000, 1000000, ("To: a@example.com\r\n",)),
    Case("every header again and again", "headers", 300, 100000, (EVERY_FIELD,)),
    Case("programs again and again", "headers", 2000, 100000, ("X-Mailer: " + "Microsoft Outlook " * 20 + "\r\n",)),
    Case("addresses in To", "header", 17 * 50000, 17 * 500000, ("a@example.com,\r\n ", "To")),
    Case("a body, a byte a packet", "body", 2000, 1000000, ("text\r\n", "8bit")),
    Case("the same in base64", "body", 2000, 1000000, ("Y=Wj\r\n", "base64")),
    Case("the same in quoted-printable", "body", 2000, 1000000, ("=41= \t\r\n", "quoted-printable")),
    Case("the same before DATA is answered", "body-unasked", 10000, 1000000),
    Case("the same behind a look-alike of its end", "body-in-doubt", 3000, 1000000),
    Case("the same with commands", "body-in-doubt", 3000, 1000000, ("NOOP\r\n",)),
    Case("mails in mails", "smuggled", 200, 100000),
    Case("many mails in one", "smuggled-together", 200, 1000),
    Case("more of them than are kept", "smuggled-together", 10000, 1000000),
    Case("a greeting, a byte a packet", "greeting", 1900, 3900, ("220-",)),
    *(Case("bytes out of order: " + order, "scattered", 900, 1000000, (order,)) for order in ("reverse", "random", "behind")),
    Case("holes that never fill", "holes", 3000, 1000000),
    Case("the same, acknowledged", "holes", 3000, 1000000, ("x", "acked")),
    *(Case("a field of " + name, "fields", 30000, 8000000, (filler, field)) for name, field, filler in FIELDS),
    *(Case("a text of " + t, "text", 30000, 8000000, (t, "Content-Type: text/plain")) for t in TEXTS),
    *(Case("a page of " + t, "text", 30000, 8000000, (t, "Content-Type: text/html")) for t in PAGES),
    # More than what the longest header of a member may take, which is told once it is whole.
    *(Case("an archive of " + name, "text", 200000, 8000000, (in_base64(b), head)) for name, head, b in ARCHIVES),
    # Until the first ones are told, memory for their texts grows: that is over by then.
    *(Case("refusals of " + filler, "refusals", 32000, 1000000, (filler,)) for filler in REFUSALS),
]


def mails(case, size):
    if case.shape in ("line", "reply-line", "reply-lines", "pipelined", "greeting"):
        return 1
    if case.shape.startswith("transactions"):
        return size + 1
    if case.shape == "smuggled":
        return 2 * size + 1
    if case.shape == "smuggled-together":  # trials of one message; more of it than is kept is text
        return 18 if size <= 1000 else 2
    return -(-size // FIELD_MOST) + 1 if case.shape == "fields" else 2


def hostile(out, number, case, size):
    return [HOSTILE, str(out), str(number), case.shape, str(size), *case.args]


def command(binary, *paths):
    return [binary, "read", "-f", "json", "--workers", "1", "-s", "country_databases=none", *map(str, paths)]


def held_right(records, count):
    """What is wrong with the last mail of one connection, and its number of mails; empty where nothing is."""
    found = [r for r in records if r["_path"] == "smtp"]
    sessions = [r for r in records if r["_path"] == "smtp_session"]
    wanted = {"mailfrom": "next@example.net", "rcptto": ["user@example.com"], "from": "Next <next@example.net>", "to": ["user@example.com"],
              "subject": "the next one", "msg_id": "<next@example.net>", "last_reply": "250 2.0.0 Ok: queued as NEXT",
              "files": [{"name": "next.txt", "type": "text/plain", "size": 5}]}
    last = dict(found[-1]) if found else {}
    last["files"] = [{k: f[k] for k in ("name", "type", "size")} for f in last.get("files", [])]
    wrong = ["%s: %r" % (k, last.get(k)) for k, v in wanted.items() if last.get(k) != v]
    wrong += ["%s: %r" % (k, last[k]) for k in ("flags", "cc", "date", "last_error", "first_received", "x_originating_ip") if k in last]
    if len(sessions) != 1 or sessions[0]["mails"] != count or sessions[0]["end"] != "quit":
        wrong.append("sessions: %r" % [(s["mails"], s["end"]) for s in sessions])
    return wrong


def next_mails(paths):
    r = subprocess.run(command(MAILTAP, *paths), capture_output=True, timeout=120)
    records = collections.defaultdict(list)
    for line in r.stdout.splitlines():
        record = json.loads(line)
        records[record["id.orig_p"] - 40000].append(record)
    ok(r.returncode == 0, "all of it is read", r.stderr.decode(errors="replace")[-3000:])
    for i, case in enumerate(CASES):
        wrong = held_right(records[2 * i], mails(case, case.size))
        ok(not wrong, "%s: the next mail is recorded right" % case.name, *wrong)


def instructions(paths, folder):
    """Of each file but the last: callgrind tells its count whenever libpcap is given a file."""
    out = folder / "callgrind"
    r = subprocess.run(["valgrind", "--tool=callgrind", "--dump-before=pcap_fopen_offline*", "--callgrind-out-file=%s" % out, *command(RELEASE, *paths)],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300, env=ENV)
    parts = sorted(folder.glob("callgrind.*"), key=lambda p: int(p.suffix[1:]))
    counts = [int(re.search(r"^totals: (\d+)", p.read_text(), re.M)[1]) for p in parts]
    if r.returncode or len(counts) != len(paths):
        return [], r.stderr + "%d parts for %d files" % (len(counts), len(paths))
    return counts[1:], ""


def growth(paths, usual, folder):
    why = "MAILTAP_RELEASE names no release build" if not RELEASE else "" if shutil.which("valgrind") else "there is no valgrind"
    if why:
        skip("twice as much takes twice as long", why)
        return
    # Patterns of the block lists are compiled when a refusal first needs them, which is no part of what a byte takes.
    first = [p for case, p in zip(CASES, paths[::2]) if case.shape == "refusals"]
    counts, err = instructions([*first, usual, *paths, usual], folder)
    counts = counts[len(first):]
    if not ok(counts, "instructions are counted", err):
        return
    least = usual.stat().st_size
    for i, case in enumerate(CASES):
        once, twice = counts[1 + 2 * i] - counts[0], counts[2 + 2 * i] - counts[0]
        if not 0 < once <= twice <= GROWTH * once:
            once, twice = again(usual, paths[2 * i:2 * i + 2], folder) or (once, twice)
        each = twice / (paths[2 * i + 1].stat().st_size - least)
        figures = "%.2f times as much, %.0f instructions a byte" % (twice / once, each)
        ok(once > 0 and twice <= GROWTH * once, "%s: twice as much takes twice as long" % case.name, figures, once, twice)
        ok(each <= BYTE, "%s: no byte takes long" % case.name, figures)
        print("# %s | %s | %s" % (case.name, case.size, figures))


def again(usual, pair, folder):
    """Where memory lies decides whether a block that grows is copied, which changes from run to run: the median of three more."""
    found = []
    for _ in range(3):
        for old in folder.glob("callgrind*"):
            old.unlink()
        counts, err = instructions([*pair, usual, *pair, usual], folder)
        counts = counts[len(pair):]
        if not counts:
            print("# not counted again: %s" % err[-300:].replace("\n", " "))
            return None
        found.append((counts[1] - counts[0], counts[2] - counts[0]))
    return sorted(found, key=lambda f: f[1] / f[0])[1]


def play(case, size):
    """-> the last records, the closing line, KiB at most."""
    with tempfile.TemporaryFile("w+") as err:
        p = subprocess.Popen(command(RELEASE, "-"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, env=ENV)
        tail = subprocess.Popen(["tail", "-n", "4"], stdin=p.stdout, stdout=subprocess.PIPE)
        p.stdout.close()
        try:
            subprocess.run(hostile("-", 0, case, size), stdout=p.stdin, timeout=SECONDS)
            until(lambda: waits_for_input(p), SECONDS)
            most = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/%d/status" % p.pid).read_text())[1])
            p.stdin.close()
            p.wait(SECONDS)
        except subprocess.TimeoutExpired:
            most = None
        finally:
            p.kill()
            p.wait()
        records = [json.loads(line) for line in tail.communicate()[0].splitlines()]
        err.seek(0)
        return records, err.read(), most


def full_size():
    if not RELEASE:
        skip("full size", "MAILTAP_RELEASE names no release build")
        return
    least = play(CASES[0], 0)[2]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda case: play(case, case.full), CASES))
    for case, (records, err, most) in zip(CASES, results):
        if not ok(most, "%s: %d of it are read in time" % (case.name, case.full), err):
            continue
        wrong = held_right(records, mails(case, case.full))
        ok(not wrong, "%s: at full size the next mail is recorded right" % case.name, *wrong, err)
        if most > least + MEMORY:
            # What is mapped, and where the allocator puts it, changes from run to run: the median of three more.
            again = sorted(play(case, case.full)[2] or 1 << 40 for _ in range(3))
            print("# %s: %d KiB, then %s" % (case.name, most, again))
            most = again[1]
        ok(most <= least + MEMORY, "%s: memory is bounded" % case.name, "%d KiB, %d without it" % (most, least))
        print("# %s | %d | %d KiB more" % (case.name, case.full, most - least))


def main():
    with tempfile.TemporaryDirectory() as name:
        folder, paths = Path(name), []
        for i, case in enumerate(CASES):
            for k in range(2):
                paths.append(folder / ("%d.pcap" % len(paths)))
                subprocess.run(hostile(paths[-1], 2 * i + k, case, case.size << k), check=True)
        usual = folder / "usual.pcap"
        subprocess.run(hostile(usual, 1000, Case("", "pipelined", 0, 0, ("", "")), 0), check=True)
        next_mails(paths)
        growth(paths, usual, folder)
    full_size()
    done()


main()
