#!/usr/bin/python3
"""Questions to a store of all captures: the same records as `read -f json` prints; for values taken from the data, each field finds what
a filter in Python finds, and so do mixes of AND, OR and NOT; pages; files that are read-only, damaged, older, newer; hostile texts."""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import queries
from queries import RANDOM, SEED, STREAMS, quoted, words
from tap import MAILTAP, SOURCE, done, mailtap, ok, SHARED

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-query-"))
STORE = FOLDER / "store"
SETTINGS = ("-s", "headers=all", "-s", "hash=all", "-s", "mail_path_capture=all", "-s", "local_nets=10.0.0.0/8,192.168.0.0/16")


# ---- the store

def query(text, *args, store=STORE, want=0, **more):
    r = mailtap("query", store, text, *args, **more)
    if want is not None and r.returncode != want:
        ok(False, "query %r %s gives %d" % (text[:200], " ".join(args), want), r.returncode, r.stderr.decode(errors="replace"))
    return r


def lines_of(r):
    return r.stdout.decode().splitlines()


def build():
    captures = sorted(p for p in (SHARED / "captures").rglob("*") if p.is_file() and p.suffix not in (".tsv", ".md")) if SHARED.exists() else []
    captures.append(SOURCE / "samples/border.pcap")
    # The last share is of a sensor without a name.
    shares = (captures[::3], "Berlin-1"), (captures[1::3], "mx2"), (captures[2::3], "")
    printed = b"".join(mailtap("read", *some, *SETTINGS, "-s", "sensor=" + sensor, "-f", "json", timeout=400).stdout for some, sensor in shares if some)
    for some, sensor in shares:
        if some:
            mailtap("read", *some, *SETTINGS, "-s", "sensor=" + sensor, "-o", "sqlite:%s" % STORE, timeout=400)
    (FOLDER / "printed.json").write_bytes(printed)
    return printed.decode().split("\n")[:-1]


def whole(printed):
    got = lines_of(query("", "-f", "json", "--stream", "all"))
    wanted = set(printed)
    ok(len(got) == len(set(got)) or len(set(got)) == len(wanted), "no record is there twice", len(got), len(set(got)))
    ok(set(got) == wanted, "the store gives the lines that read prints", len(got), len(wanted), *sorted(set(got) - wanted)[:3], "missing", *sorted(wanted - set(got))[:3])
    for stream in STREAMS:
        ids = lambda *more: [int(json.loads(line)["id"]) for line in lines_of(query("", "--fields", "id", "-f", "json", "--stream", stream, *more))]
        times = ids()
        ok(times == sorted(times, reverse=True), "%s: newest first" % stream)
        ok(list(reversed(times)) == ids("--oldest"), "%s: oldest first, where that is wanted" % stream)
        ok(int(query("", "--count", "--stream", stream).stdout) == len(times), "%s: counted without reading" % stream)


# ---- forms

def on_terminal(environment):
    """What a terminal gets of a mail."""
    ours, theirs = os.openpty()
    run = subprocess.Popen([MAILTAP, "query", STORE, "", "--limit", "1"], stdout=theirs, env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **environment})
    os.close(theirs)
    got = b""
    try:
        while chunk := os.read(ours, 65536):
            got += chunk
    except OSError:
        pass
    os.close(ours)
    ok(run.wait(60) == 0 and got.endswith(b"\r\n"), "a line on a terminal")
    return got


def forms(rows):
    r = query("from:anna OR -from:anna", "-f", "text", "--limit", "300")
    read = set(mailtap("read", SOURCE / "samples/border.pcap", *SETTINGS, "-f", "text").stdout.decode().splitlines())
    mine = [l for l in lines_of(query("since:2026-11-23", "-f", "text", "--stream", "all")) if not l.startswith("{")]
    ok(set(mine) == read, "text: the lines of read -f text", *sorted(set(mine) ^ read)[:6])
    ok(len(lines_of(r)) == min(300, len(rows)), "text: a line a mail")
    import csv
    import io
    got = list(csv.DictReader(io.StringIO(query("", "-f", "csv", "--fields", "id,uid,subject,rcptto,tls,message_bytes").stdout.decode(), newline="")))
    safe = lambda v: "'" + v if v and v[0] in "=+-@\t\r" else v
    wanted = [{"id": str(i), "uid": r["uid"], "subject": safe(r.get("subject", "")), "rcptto": json.dumps(r["rcptto"], ensure_ascii=False, separators=(",", ":")) if "rcptto" in r else "",
               "tls": str(r["tls"]).lower(), "message_bytes": str(r.get("message_bytes", ""))} for i, _, r in rows]
    bad = [(g, w) for g, w in zip(got, wanted) if {k: v for k, v in g.items() if k != "rcptto"} != {k: v for k, v in w.items() if k != "rcptto"}]
    ok(len(got) == len(wanted) and not bad, "csv: chosen fields", *bad[:2])
    ok(all((json.loads(g["rcptto"]) if g["rcptto"] else None) == r.get("rcptto") for g, (_, _, r) in zip(got, rows)), "csv: lists as JSON")
    some = [json.loads(l) for l in lines_of(query("", "-f", "json", "--fields", "uid,subject,files"))]
    ok(some == [{k: r[k] for k in ("uid", "subject", "files") if k in r} for _, _, r in rows], "json: chosen fields")
    ok(query("", "-f", "csv").stdout == query("", "--fields", "all").stdout, "--fields all")
    for text, sign, where in (("from:anna dispostion:rejected", "disposition", "  " + 10 * " " + 10 * "^"), ("disposition:rejcted", "rejected", "^^^^^^^"), ("a (b", "parenthesis", "^")):
        r = query(text, want=2)
        err = r.stderr.decode()
        ok(sign in err and text in err and where in err.splitlines()[-1], "wrong: %s" % text, err)
    ok("disposition:rejected" in query("disposition:rejected", "--explain").stdout.decode(), "--explain")
    for args in (("--stream", "nothing"), ("-f", "xml"), ("--limit", "0"), ("--fields", "subjct"), ("--colour",), ("--stream", "all", "-f", "csv")):
        r = query("", *args, want=2)
    for args, sign in ((("-f", "xml"), "there are text, json, csv"), (("--limit",), "--limit wants a value"), (("-f",), "-f wants a value"), (("--stream", "notices"), "the nearest is 'notice'; there are smtp,")):
        r = query("", *args, want=2)
        ok(sign in r.stderr.decode(), "%s: %s" % (" ".join(args), sign), r.stderr.decode())
    for stream in ("smtp", "smtp_session", "notice", "software"):
        shown = len(lines_of(query("", "-f", "text", "--stream", stream)))
        ok(shown == int(query("", "--count", "--stream", stream).stdout) > 0, "text: a line for each of %s" % stream, shown)
    for environment, colours in (({}, True), ({"NO_COLOR": "1"}, False)):
        ok((b"\x1b[" in on_terminal(environment)) == colours, "on a terminal, %s" % environment)
    (FOLDER / "logs").mkdir()
    (FOLDER / "logs/smtp.log").write_text("{}\n")
    r = query("a", "--count", store=FOLDER / "logs", want=1)
    ok(r.stdout == b"0\n" and b"has no records" in r.stderr, "a folder that is no store is told", r.stderr.decode())
    r = mailtap("query", "from:anna")
    ok(r.returncode == 2 and b"before the query" in r.stderr, "a query without a folder", r.stderr.decode())
    ok(mailtap("query").returncode == 2 and mailtap("query", FOLDER / "nowhere", "a").returncode == 2, "no folder, no store")


# ---- files that are not as they should be

def sub_store(name, days):
    """A copy of the store with some of its days."""
    store = FOLDER / name
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir()
    for day in days:
        shutil.copy(day, store)
    return store


def states():
    days = sorted(STORE.glob("*.sqlite"), key=lambda p: -p.stat().st_size)[:4]
    store = sub_store("states", days)
    count = lambda want=0: query("", "--count", store=store, want=want)
    full = int(count().stdout)
    first = sorted(store.glob("*.sqlite"))[0]
    own = int(subprocess.run(["sqlite3", first, "select count(*) from smtp"], capture_output=True).stdout)

    if os.geteuid() == 0:
        for path in store.iterdir():
            path.chmod(0o444)
        store.chmod(0o555)
        FOLDER.chmod(0o755)
        r = mailtap_as_nobody("query", store, "", "--count")
        ok(r.returncode == 0 and int(r.stdout) == full, "a folder that may not be written to", r.stderr.decode())
        # As a writer leaves it that was not ended: in WAL mode, the log gone or not.
        store.chmod(0o755)
        db = sqlite3.connect(first)
        db.execute("PRAGMA journal_mode = WAL")
        db.close()
        store.chmod(0o555)
        r = mailtap_as_nobody("query", store, "", "--count")
        ok(r.returncode == 0 and int(r.stdout) == full, "in WAL mode without a log, not to be written to", r.stderr.decode())
        store.chmod(0o755)
        db = sqlite3.connect(first)
        db.execute("CREATE TABLE IF NOT EXISTS other(a)")
        db.commit()
        for suffix in ("-wal", "-shm"):
            Path(str(first) + suffix).chmod(0o444)
        store.chmod(0o555)
        r = mailtap_as_nobody("query", store, "", "--count")
        ok(r.returncode == 0 and int(r.stdout) == full, "beside a writer, not to be written to", r.stderr.decode())
        first.chmod(0)
        r = mailtap_as_nobody("query", store, "", "--count")
        ok(r.returncode == 1 and int(r.stdout) == full - own and ("%s: unable to open database file: Permission denied" % first).encode() in r.stderr, "a day that may not be read", r.stderr.decode())
        store.chmod(0o755)
        db.close()

    store = sub_store("states", days)
    first = sorted(store.glob("*.sqlite"))[0]
    data = first.read_bytes()
    for what, bad in (("cut", data[:5000]), ("empty", b""), ("no SQLite", b"x" * 9000), ("zeros in the middle", data[:4096] + bytes(len(data) - 8192) + data[-4096:])):
        first.write_bytes(bad)
        for text, args in (("", ("--count",)), ("-from:nobody", ("-f", "json")), ("subject:zzzz", ("--count",))):
            r = query(text, *args, store=store, want=None)
            good = r.returncode in (0, 1) and (r.returncode == 1) == (b"left out" in r.stderr)
            if args == ("--count",) and text == "":
                good = good and full - own <= int(r.stdout) <= full and (what == "zeros in the middle" or r.returncode == 1 or what == "empty")
            ok(good, "damaged, %s: %s" % (what, text or "all"), r.returncode, r.stdout[:200], r.stderr.decode())
    first.write_bytes(data)

    db = sqlite3.connect(first)
    db.execute("ALTER TABLE smtp DROP COLUMN subject")
    db.execute("ALTER TABLE smtp DROP COLUMN queue_id")
    db.commit()
    db.close()
    r = query("", "-f", "json", store=store)
    ok(len(lines_of(r)) == full and sum("subject" in json.loads(l) for l in lines_of(r)) < full, "an older file without two columns")
    ok(int(query("-subject:*", "--count", store=store).stdout) >= own, "what is not there is not found", own)
    ok(query("queue:x OR subject:\"a b\" OR subject:*a*", "--count", store=store).returncode == 0, "nor an error")

    db = sqlite3.connect(first)
    db.execute("PRAGMA user_version = 1000")
    db.commit()
    db.close()
    r = count(want=1)
    ok(int(r.stdout) == full - own and b"newer" in r.stderr, "a newer file is left out, and said", r.stdout, r.stderr.decode())

    bare = sub_store("bare", days[:1])
    db = sqlite3.connect(next(bare.glob("*.sqlite")))
    db.execute("INSERT INTO find(find) VALUES('delete-all')")
    db.commit()
    db.close()
    name = json.loads(lines_of(query("from:*", "--limit", "1", "-f", "json", store=bare))[0])["from"]
    term = "from:" + quoted(" ".join(words(name)[:2]))
    ok(lines_of(query(term, "-f", "json", store=bare)) == [] and lines_of(query("-(-%s)" % term, "-f", "json", store=bare)), "the index is what is asked first", term)

    hostile = sub_store("hostile", days[:1])
    first = next(hostile.glob("*.sqlite"))
    db = sqlite3.connect(first)
    db.executescript("DROP TABLE smtp; DROP TABLE notice; CREATE TABLE notice(id INTEGER PRIMARY KEY, note, msg, actions); INSERT INTO notice VALUES(1,x'ff00',3.5,'[[[');"
                     "CREATE VIEW smtp AS SELECT 1 AS id, load_extension('x') AS subject;")
    db.commit()
    db.close()
    for args in (("--stream", "all", "-f", "text"), ("--stream", "all", "-f", "json"), ("--stream", "notice", "-f", "text")):
        r = query("since:1970-01-01", *args, store=hostile, want=None)
        ok(r.returncode in (0, 1), "a file with another's tables: %s" % " ".join(args), r.returncode, r.stderr.decode())
    r = query("action:x", "--stream", "notice", store=hostile, want=None)
    ok(r.returncode in (0, 1), "JSON that is none", r.returncode, r.stderr.decode())


def mailtap_as_nobody(*args):
    def drop():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    binary = FOLDER / "mailtap"
    if not binary.exists():
        shutil.copy(MAILTAP, binary)
        binary.chmod(0o755)
    return subprocess.run([binary, *map(str, args)], capture_output=True, preexec_fn=drop, timeout=60)


# ---- hostile texts

def hostile():
    texts = ["'", "\"", "\"\"", "a\"b", "';DROP TABLE smtp;--", "\" OR 1=1 --", "subject:\"x\\\" OR key : kt0\"", "from:\"{subject} : a\"", "NEAR(a b)", "a NEAR b", "key:kt0", "subject:\"^a\"",
             "*", "**", "a* *b *", "subject:\"*\"", "(" * 100, ")" * 100, "-" * 5000, "NOT " * 3000, "a " * 4000, "a" * 100000, "\"" + "a " * 4000 + "\"", "x:" * 4000, "subject:" + "*a" * 3000,
             "any:" + "*" * 8000, "é" * 4000, "\u202eabc", "subject:\u0301", "subject:\u200b", "ip:::", "ip:1.2.3.4/33", "ip:1.2.3.4/", "size:>99999999999999999999", "since:99999999999999999999", "since:-1",
             "id:99999999999999999999999", "id:>9223372036854775807", "id:<0", "code:>", "until:9999-12-31T23:59:59-23:59", "duration:>1", "a OR OR b", "OR", "NOT", "(OR)", "\\", "\"\\\"", "a\\", ":a", "a:", "::", "0x1:1"]
    faults = []
    for text in texts:
        for args in (("--count",), ("-f", "json", "--limit", "3", "--stream", "all")):
            r = query(text, *args, want=None)
            if r.returncode not in (0, 2):
                faults.append((text[:100], r.returncode, r.stderr.decode(errors="replace")[-500:]))
    pieces = ["subject:", "from:", "-", "(", ")", "\"", " ", " OR ", " NOT ", "*", "\\", "ip:", "10.0.0.0/8", "é", "a", "kt0", "key : ", "{", "}", "^", "+", "'", ";", "--", "size:>", "10M", "\n", "\u00ad", "<", ">", "=", "since:", "7d"]
    for _ in range(60):
        text = "".join(RANDOM.choice(pieces) for _ in range(RANDOM.randrange(1, 25)))
        r = query(text, "--count", want=None)
        if r.returncode not in (0, 2):
            faults.append((text, r.returncode, r.stderr.decode(errors="replace")[-500:]))
    for raw in (b"a\xffb", b"\xc3", b"\xed\xa0\x80", b"subject:\xf5"):
        r = subprocess.run([MAILTAP, "query", STORE, raw], capture_output=True, timeout=60)
        if r.returncode != 2 or b"UTF-8" not in r.stderr:
            faults.append((raw, r.returncode, r.stderr))
    ok(not faults, "hostile texts are read or refused", *faults)
    took = time.monotonic()
    query("subject:" + "*a" * 3000, "--count")
    ok(time.monotonic() - took < 20, "a pattern of many stars takes no long time")


def main():
    print("# SEED=%d" % SEED, flush=True)
    printed = build()
    whole(printed)
    store = queries.Store(sys.argv[2], STORE)
    rows, _ = queries.hold(store)
    store.close()
    forms(rows)
    states()
    hostile()
    shutil.rmtree(FOLDER, ignore_errors=True)
    done()


main()
