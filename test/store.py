#!/usr/bin/python3
"""The store of `mailtap read`: what is in it is what the json sink prints, once, with the sums of it. usage: store.py MAILTAP STORE-RUN [TEST...]"""
import collections
import csv
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import packets
import storing
from packets import CLIENT, SERVER
from tap import MAILTAP, SHARED, SOURCE, done, mailtap, ok, skip

RUN = os.path.abspath(sys.argv.pop(2))
# Beyond a midnight, and with what may come late.
START = packets.START // 86400 * 86400 + 86400
LOGGED = "smtp", "smtp_session", "notice", "software"


def room():
    folder = tempfile.TemporaryDirectory(prefix="mailtap-store-")
    _rooms.append(folder)
    return Path(folder.name)


_rooms = []


def read(*args, code=0, name="read", **more):
    r = mailtap("read", "-s", "country_databases=none", *args, **more)
    if code is not None and r.returncode != code:
        ok(False, name + ": exit code %d" % code, r.returncode, r.stderr.decode(errors="replace")[-1000:])
    return r


def closing(r):
    """The counts of the closing line."""
    line = [s for s in r.stderr.decode(errors="replace").splitlines() if " packets, " in s][-1]
    return {what: int(n) for n, _, what in (part.partition(" ") for part in line[len("mailtap: "):].split(", "))}


def known(r):
    return closing(r).get("records that the store had already", 0)


def lines(store):
    """All that it has, by stream."""
    r = subprocess.run([RUN, store], capture_output=True, timeout=60)
    if r.returncode or r.stderr:
        ok(False, "store-run ends well", r.stderr.decode(errors="replace")[-1000:])
    found = collections.defaultdict(list)
    for line in r.stdout.splitlines():
        found[line.split(b'"', 4)[3].decode()].append(line)
    return found


def log(folder, stream):
    path = folder / (stream + ".log")
    return path.read_bytes().splitlines() if path.exists() else []


def dump(store):
    """All tables of it but the index of words, for comparison."""
    out = {}
    for path in storing.days(store):
        for table in (*storing.STREAMS, "entry", "minute", "hourly"):
            out[path.name, table] = sorted(map(tuple, storing.query(path, "SELECT * FROM " + table)), key=str)
    return out


def faults(path):
    """What is wrong with the store of a capture."""
    folder = room()
    store, logs = folder / "store", folder / "logs"
    r = subprocess.run([MAILTAP, "read", path, "-f", "json", "-o", logs, "-o", "sqlite:%s" % store], capture_output=True, timeout=120)
    bad = [] if r.returncode == 0 and b"Sanitizer" not in r.stderr else ["exit code %d: %s" % (r.returncode, r.stderr[-1000:])]
    total, rows = 0, lines(store)
    for stream in LOGGED:
        want, got = log(logs, stream), rows[stream]
        total += len(want)
        # Records are in the order of their ends, notices are of an earlier time.
        if sorted(want) != sorted(got) or (stream in ("smtp", "smtp_session") and want != got):
            bad.append("%s: %d records, %d rows; differ: %s" % (stream, len(want), len(got), [p for p in zip(want, got) if p[0] != p[1]][:1]))
    for day in storing.days(store):
        bad += ["sums: " + w for w in storing.wrong_sums(day)[:3]] + storing.whole(day)
    r = subprocess.run([MAILTAP, "read", path, "-o", "sqlite:%s" % store], capture_output=True, timeout=120)
    again = sum(storing.count(store, stream) for stream in LOGGED)
    if known(r) != total or again != total:
        bad.append("read again: %d known, %d rows, should be %d: %s" % (known(r), again, total, r.stderr[-200:]))
    shutil.rmtree(folder)
    return bad


def captures():
    index = SHARED / "captures/INDEX.tsv"
    if not index.exists():
        return skip("shared captures", "%s is not there" % index)
    with open(SOURCE / "test/captures.tsv", encoding="utf-8", newline="") as f:
        files = [row["file"] for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(faults, [index.parent / name for name in files]))
    bad = ["%s: %s" % (name, text) for name, texts in zip(files, found) for text in texts]
    ok(not bad and files, "%d captures: rows give back the JSON of every record, sums are right, and a second reading adds nothing" % len(files), *bad[:10])
    return None


def mail(number, name, rcpt="b@y.example", at=0.0, subject="s", reply="250 2.0.0 queued"):
    """A connection with a mail that ends `at` seconds after START."""
    steps = [(SERVER, b"220 mx.example ESMTP\r\n"), (CLIENT, b"EHLO c.example\r\n"), (SERVER, b"250 mx.example\r\n"), (CLIENT, b"MAIL FROM:<a@x.example>\r\n"),
             (SERVER, b"250 2.1.0 Ok\r\n"), (CLIENT, b"RCPT TO:<%s>\r\n" % rcpt.encode()), (SERVER, b"250 2.1.5 Ok\r\n"), (CLIENT, b"DATA\r\n"),
             (SERVER, b"354 go\r\n"), (CLIENT, b"Subject: %s\r\nMessage-ID: <%s>\r\n\r\ntext\r\n.\r\n" % (subject.encode(), name.encode())),
             (SERVER, reply.encode() + b"\r\n"), (CLIENT, b"QUIT\r\n"), (SERVER, b"221 bye\r\n")]
    before = packets.START
    packets.START = START + at - number * 0.01
    try:
        return packets.connection(number, steps)
    finally:
        packets.START = before


def capture(folder, name, connections):
    return packets.capture(folder / name, connections)


def ids(store):
    return [(path.name, *row) for path in storing.days(store) for row in storing.query(path, "SELECT id, msg_id FROM smtp ORDER BY id")]


def twice():
    """The same mails, by other ways: the same files of packets again, beside others, in another order."""
    folder = room()
    a = capture(folder, "a.pcap", [mail(i, "a%d" % i, at=i) for i in range(50)])
    b = capture(folder, "b.pcap", [mail(100 + i, "b%d" % i, at=i + 0.5) for i in range(50)])
    store = folder / "store"
    r = read(a, "-o", "sqlite:%s" % store)
    ok(storing.count(store) == 50 and known(r) == 0, "a capture is stored", r.stderr)
    first = dump(store)
    r = read(a, "-o", "sqlite:%s" % store)
    ok(known(r) == 100 and dump(store) == first, "read twice it is there once: not a row, not a sum differs", r.stderr)
    r = read(b, "-o", "sqlite:%s" % store)
    ok(storing.count(store) == 100 and known(r) == 0, "another capture of the same day comes to it", r.stderr)
    other = folder / "other"
    read(b, "-o", "sqlite:%s" % other)
    read(a, "-o", "sqlite:%s" % other)
    ok(dump(other) == dump(store), "in any order")
    found = [row[1] for row in ids(store)]
    ok(found == sorted(set(found)), "ids are unique, and in the order of time")
    bad = [w for path in storing.days(store) for w in storing.wrong_sums(path) + storing.whole(path)]
    ok(not bad, "sums are those of the rows", *bad)


def at_once():
    """Two of them write to one store."""
    folder = room()
    files = [capture(folder, "%d.pcap" % k, [mail(k * 1000 + i, "m%d-%d" % (k, i), at=i * 0.001) for i in range(400)]) for k in range(2)]
    store = folder / "store"
    running = [subprocess.Popen([MAILTAP, "read", f, "-s", "store_commit=10ms", "-o", "sqlite:%s" % store], stderr=subprocess.PIPE) for f in files for _ in range(2)]
    ends = [(p.communicate(timeout=120)[1], p.returncode) for p in running]
    ok(all(code == 0 for _, code in ends), "four processes write to one store at once", *ends)
    ok(storing.count(store) == 800 and storing.count(store, "smtp_session") == 800, "each record is there once", storing.count(store), *ends)
    everything = [row[0] for path in storing.days(store) for table in storing.STREAMS for row in storing.query(path, "SELECT id FROM " + table)]
    ok(len(everything) == len(set(everything)), "with an id of its own")
    bad = [w for path in storing.days(store) for w in storing.wrong_sums(path) + storing.whole(path)]
    ok(not bad, "and the sums are right", *bad[:5])


def workers():
    folder = room()
    path = capture(folder, "a.pcap", [mail(i, "m%d" % i, rcpt="b@y%d.example" % (i % 7), at=i // 3 * 7.7) for i in range(600)])
    dumps = []
    for n in (1, 2, 4):
        store = folder / ("store%d" % n)
        read(path, "--workers", n, "-o", "sqlite:%s" % store)
        dumps.append(dump(store))
    ok(dumps[0] == dumps[1] == dumps[2] and dumps[0], "several workers make the same store")


def midnight():
    """A mail is in the file of the day on which it ended."""
    folder = room()
    path = capture(folder, "a.pcap", [mail(i, "m%d" % i, at=86400 - 10 + i) for i in range(20)])
    store = folder / "store"
    read(path, "-o", "sqlite:%s" % store)
    names = [time.strftime("%Y-%m-%d.sqlite", time.gmtime(START + 86400 * k)) for k in (0, 1)]
    ok([p.name for p in storing.days(store)] == names, "a file a day", *storing.days(store))
    found = collections.Counter(name for name, *_ in ids(store))
    ok(found[names[0]] == 10 and found[names[1]] == 10, "each mail on its day", found)
    edges = [(row[1] // 1000000 - START) // 86400 for row in ids(store)]
    ok(edges == [0] * 10 + [1] * 10, "ids are of the day", edges)
    ok(not list(store.glob("*-wal")) and not list(store.glob("*-shm")), "at the end nothing is beside them", *store.iterdir())
    many = capture(folder, "many.pcap", [mail(i, "d%d" % i, at=86400 * (i * 7 % 40)) for i in range(200)])
    store = folder / "many"
    r = read(many, "-s", "flow_timeout=1s", "-o", "sqlite:%s" % store)
    ok(len(storing.days(store)) == 40 and storing.count(store) == 200, "times that jump among forty days", len(storing.days(store)), r.stderr)


def events_and_formats():
    """Several outputs at once, each as if it was alone."""
    folder = room()
    path = capture(folder, "a.pcap", [mail(0, "m0")])
    read(path, "-f", "zeek", "-o", folder / "logs", "-o", "sqlite:%s" % (folder / "store"), "-o", folder / "more")
    ok((folder / "logs/smtp.log").read_bytes()[:4] == b"#sep" and storing.count(folder / "store") == 1, "a folder in another format, and the store")
    ok((folder / "more/smtp.log").exists(), "and another folder")
    r = read(path, "--events", "-o", "sqlite:%s" % (folder / "events"))
    ok(b" command mail=0 EHLO" in r.stdout and storing.count(folder / "events") == 1, "events on standard output beside the store", r.stdout[:200])
    r = read(path, "-o", "sqlite:%s" % (folder / "alone"))
    ok(not r.stdout, "the store alone: standard output is silent")
    for given, text in (("slite:x", "no kind of output 'slite'; the nearest is 'sqlite'"), ("sqlite:", "-o wants a folder"), ("SQLite:x", "the nearest is 'sqlite'")):
        r = read(path, "-o", given, code=2)
        ok(text.encode() in r.stderr and len(r.stderr.splitlines()) == 1, "-o %s is a wrong argument" % given, r.stderr)
    r = read(path, "-o", folder / "x", "-o", folder / "x", code=2)
    ok(b"is there twice" in r.stderr, "so is a folder that is there twice", r.stderr)
    r = subprocess.run([os.path.abspath(MAILTAP), "read", path, "-o", "./a:b"], capture_output=True, cwd=folder)
    ok(r.returncode == 0 and (folder / "a:b/smtp.log").exists(), "a folder with a colon in its name is written ./", r.stderr)


def entries():
    """What scripts write."""
    folder = room()
    script = folder / "s.lua"
    script.write_text('function on_mail(m) log("mine", {subject = m.subject, n = 3}) end\n')
    path = capture(folder, "a.pcap", [mail(i, "m%d" % i, subject="subject %d" % i) for i in range(3)])
    read(path, "--script", script, "-f", "json", "-o", folder / "logs", "-o", "sqlite:%s" % (folder / "store"))
    want, got = log(folder / "logs", "mine"), lines(folder / "store")["mine"]
    ok(want and want == got, "lines of scripts are in entry, as JSON", want[:1], got[:1])


def sensors():
    """Two of them see the same connections, at the same microseconds."""
    folder = room()
    script = folder / "s.lua"
    script.write_text('function on_mail(m) log("mine", {subject = m.subject}) log("own", {sensor = "the script\'s"}) end\n')
    path = capture(folder, "a.pcap", [mail(i, "m%d" % i, at=i // 2, reply="554 5.7.1 Service unavailable; Client host [198.51.100.1] blocked using zen.spamhaus.org") for i in range(20)])
    store = folder / "store"
    got = [read(path, "--script", script, "-s", "sensor=" + name, "-o", "sqlite:%s" % store) for name in ("a", "b", "", "a", "b", "")]
    # A mail, its session, two lines, and notices.
    ok([known(r) for r in got[:3]] == [0] * 3 and [known(r) for r in got[3:]] == [known(got[3])] * 3 and known(got[3]) >= 80, "what another sensor saw is another record", *[r.stderr for r in got])
    names = {s: collections.Counter(row[0] for day in storing.days(store) for row in storing.query(day, "SELECT sensor FROM " + s)) for s in ("smtp", "smtp_session", "notice")}
    ok(all(set(c) == {"a", "b", None} and len(set(c.values())) == 1 for c in names.values()) and names["smtp"]["a"] == names["smtp_session"]["a"] == 20, "each has all of it", names)
    mine = collections.Counter(json.loads(line).get("sensor") for line in lines(store)["mine"])
    own = collections.Counter(json.loads(line).get("sensor") for line in lines(store)["own"])
    ok(mine == {"a": 20, "b": 20, None: 20} and own == {"the script's": 60}, "lines of scripts too, but where the script says what sensor is", mine, own)
    sums = [(row[0], row[1]) for day in storing.days(store) for row in storing.query(day, "SELECT key, sum(mails) FROM hourly WHERE dimension = 'sensor' GROUP BY 1 ORDER BY 1")]
    ok(sums == [("a", 20), ("b", 20)] and found(store, "key : kma") == found(store, "key : kmb") == ["<m%d>" % i for i in range(20)], "there are sums and tokens of it", sums)
    bad = [w for day in storing.days(store) for w in storing.wrong_sums(day) + storing.whole(day)]
    ok(not bad, "and the sums are right", *bad[:5])


def found(store, match, table="smtp", column="msg_id"):
    return [row[0] for path in storing.days(store) for row in
            storing.query(path, "SELECT %s FROM %s WHERE id IN (SELECT rowid FROM find WHERE find MATCH ?) ORDER BY id" % (column, table), match)]


def words():
    folder = room()
    mails = [mail(0, "one", subject="Grüße aus Köln", rcpt="anna@sub.example.org"), mail(1, "two", subject="invoice 4711", at=1),
             mail(2, "three", subject="offer", at=2, reply="550 5.7.1 listed at zen.example")]
    store = folder / "store"
    read(capture(folder, "a.pcap", mails), "-o", "sqlite:%s" % store)
    for match, want in (("subject : gruße", ["<one>"]), ("subject : KOLN", ["<one>"]), ("invoice", ["<two>"]), ("recipient : \"anna sub example org\"", ["<one>"]), ("text : listed", ["<three>"]),
                        ("key : kdrejected", ["<three>"]), ("key : kdaccepted", ["<one>", "<two>"]), ("key : kgexampleorg", ["<one>"]), ("key : kfxexample", ["<one>", "<two>", "<three>"]),
                        ("key : kr550 AND key : ke571", ["<three>"]), ("key : kt0 NOT key : kr250", ["<three>"]), ("key : ki" + "c63364" + "*", ["<one>", "<two>", "<three>"]),
                        ("key : ks" + "cb007119", ["<one>", "<two>", "<three>"]), ("off*", ["<three>"]), ("key : kzcut", [])):
        got = found(store, match)
        ok(got == want, "found by " + match, got)
    uid = storing.query(storing.days(store)[0], "SELECT uid FROM smtp")[0][0]
    ok(found(store, "key : kq" + uid.lower(), "smtp_session", "uid") == [uid], "the session of a mail is found by its uid")
    ok(found(store, "key : ku" + uid.lower(), "smtp", "uid") == [uid], "and the mail by its session's")
    cut = folder / "cut"
    long = mail(0, "long", subject=" ".join("w%d" % i for i in range(3000)))
    read(capture(folder, "long.pcap", [long]), "-s", "store_find_bytes=1KiB", "-o", "sqlite:%s" % cut)
    ok(found(cut, "key : kzcut") == ["<long>"], "what a limit has cut is told")


def refusals():
    """Folders and files that cannot be written: an error at once, with a text."""
    folder = room()
    path = capture(folder, "a.pcap", [mail(i, "m%d" % i, at=i) for i in range(100)])
    (folder / "file").touch()
    r = read(path, "-o", "sqlite:%s" % (folder / "file"), code=1)
    ok(b"file: Not a directory" in r.stderr, "a file in place of the folder", r.stderr)
    r = read(path, "-o", "sqlite:%s" % (folder / "no/such"), code=1)
    ok(b"no/such: No such file or directory" in r.stderr, "a folder that cannot be made", r.stderr)
    store = folder / "newer"
    store.mkdir()
    day = store / time.strftime("%Y-%m-%d.sqlite", time.gmtime(START))
    db = sqlite3.connect(day)
    db.execute("PRAGMA user_version = 2")
    db.commit()
    db.close()
    before = day.read_bytes()
    r = read(path, "-o", "sqlite:%s" % store, "-o", folder / "logs", code=1)
    ok(b"made by a newer mailtap (schema 2, this one knows 1)" in r.stderr, "a newer program's file", r.stderr)
    ok(day.read_bytes() == before, "which stays as it was")
    store = folder / "damaged"
    store.mkdir()
    day = store / day.name
    day.write_bytes(b"nothing" * 5000)
    r = read(path, "-o", "sqlite:%s" % store)
    ok(b"is put aside as" in r.stderr and storing.count(store) == 100 and (store / (day.name + ".damaged")).exists(), "a damaged one is put aside", r.stderr)
    # Damaged in the middle: what is found once it is written to.
    data = bytearray(day.read_bytes())
    for at in range(4096 * 2, len(data), 4096):
        data[at:at + 200] = b"\xff" * 200
    day.write_bytes(data)
    r = read(capture(folder, "b.pcap", [mail(500 + i, "n%d" % i, at=i + 0.5) for i in range(100)]), "-o", "sqlite:%s" % store)
    ok(b"is put aside as" in r.stderr and storing.count(store) == 100 and (store / (day.name + ".damaged-1")).exists(), "one whose middle is damaged too", r.stderr, *store.iterdir())
    if os.geteuid():
        store = folder / "locked"
        store.mkdir(mode=0o555)
        r = read(path, "-o", "sqlite:%s" % store, code=1)
        ok(b"Permission denied" in r.stderr, "a folder that may not be written", r.stderr)
    else:
        skip("a folder that may not be written", "root may")


def full():
    """A file that may not grow stands for a full disk: an error at once, and what was written before is whole."""
    folder = room()
    path = capture(folder, "a.pcap", [mail(i, "m%d" % i, at=i * 0.1, subject="s" * 900) for i in range(3000)])
    bad, wrote = [], set()
    for size in (20000, 200000, 1000000, 3000000):
        store = folder / ("store%d" % size)

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        p = subprocess.run([MAILTAP, "read", path, "-s", "store_commit=10ms", "-s", "store_queue_bytes=1MiB", "-o", "sqlite:%s" % store], capture_output=True, preexec_fn=limit,
                           restore_signals=False, timeout=60)
        text = p.stderr.decode(errors="replace")
        if p.returncode != 1 or text.count("sqlite: ") != 1 or "Sanitizer" in text:
            bad.append("%d bytes: exit code %d: %s" % (size, p.returncode, text))
        for day in storing.days(store):
            bad += storing.whole(day)
            if storing.query(day, "SELECT count(*) FROM sqlite_schema")[0][0]:
                bad += storing.wrong_sums(day)[:3]
                wrote.add(storing.count(store))
        r = read(path, "-o", "sqlite:%s" % store)
        if storing.count(store) != 3000 or any(storing.wrong_sums(day) for day in storing.days(store)):
            bad.append("%d bytes: the next one does not go on: %s" % (size, r.stderr))
    ok(not bad and len(wrote) > 1, "a disk that is full at once or later: an error, whole files, and the next one goes on (rows before: %s)" % sorted(wrote), *bad[:6])


def odd_times():
    """A capture without times, and one from the far future."""
    folder = room()
    for name, at in (("epoch", -START), ("future", 2**32 - 10 - START)):
        store = folder / name
        path = capture(folder, name + ".pcap", [mail(i, "m%d" % i, at=at + 0.3) for i in range(1, 30)])
        data = path.read_bytes()
        if name == "epoch":
            # All packets at one time.
            out, offset = [data[:24]], 24
            while offset < len(data):
                size = int.from_bytes(data[offset + 8:offset + 12], "little")
                out.append(b"\0" * 8 + data[offset + 8:offset + 16 + size])
                offset += 16 + size
            path.write_bytes(b"".join(out))
        r = read(path, "-o", "sqlite:%s" % store)
        again = read(path, "-o", "sqlite:%s" % store)
        ok(storing.count(store) == 29 and known(again) == 58, "times of " + name, r.stderr, again.stderr, *ids(store)[:3])


TESTS = [captures, twice, at_once, workers, midnight, events_and_formats, entries, sensors, words, refusals, full, odd_times]
for test in TESTS:
    if len(sys.argv) <= 2 or test.__name__ in sys.argv[2:]:
        try:
            began = time.monotonic()
            test()
            print("# %s: %.1f s" % (test.__name__, time.monotonic() - began), flush=True)
        except Exception:  # a test that breaks is a failed one, and the others run
            ok(False, test.__name__ + " comes to its end", traceback.format_exc())
done()
