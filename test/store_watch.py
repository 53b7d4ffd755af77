#!/usr/bin/python3
"""The store of `mailtap watch`: what a confined sensor writes, what it does where it cannot, which days it keeps. usage: store_watch.py MAILTAP [TEST...]"""
import os
import re
import shutil
import sqlite3
import time

from smalldisk import SmallDisk
from tap import run_tests, skip
from waiting import LONG, until
from watching import ROOT, Client, Mta, Watch, need_tools, ok, room, two_hosts

need_tools()
NEAR, FAR = two_hosts()
MAILS = "SELECT msg_id FROM smtp ORDER BY id"
LATE = 3  # seconds in which a mail is in the store, on a busy machine too


def today(days=0):
    return time.strftime("%Y-%m-%d.sqlite", time.gmtime(time.time() + 86400 * days))


def rows(path, sql=MAILS, *values):
    """[] where it is not there yet."""
    try:
        db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()
    except sqlite3.Error:
        return []


def rows_seen(folder, sql):
    """Of a copy, as SQLite does not open a file through /proc."""
    copy = room()
    for path in folder.glob("2*.sqlite*"):
        shutil.copy(path, copy / path.name)
    return rows(copy / today(), sql)


def mails(store, sql=MAILS):
    return [row[0] for path in sorted(store.glob("*.sqlite")) for row in rows(path, sql)]


def send(mta, *names):
    c = Client(NEAR, mta)
    for name in names:
        c.mail(name)
    c.quit()


def watch(store, *args, **more):
    return Watch("here", args=["-o", "sqlite:%s" % store, *args], **more)


def confined():
    """All that SQLite does is permitted, and what it makes belongs to whom the sensor has become."""
    store = room() / "store"
    with Mta(FAR) as mta, watch(store, settings=["stats_interval=1s"]) as w:
        send(mta, *("confined%d" % i for i in range(20)))
        began = time.monotonic()
        found = until(lambda: len(mails(store)) == 20)
        ok(found and time.monotonic() - began < LATE, "a confined sensor writes to the store, soon", len(mails(store)), *w.lines)
        ok(w.wait_records(20) == 20, "and to its logs", *w.lines)
        wal = store / (today() + "-wal")
        ok(wal.exists(), "while it does there is a log beside the file", *store.iterdir())
        modes = {path.name: path.stat().st_mode & 0o777 for path in store.iterdir()}
        ok(all(mode == 0o640 for mode in modes.values()), "which is not for everybody", modes)
        if ROOT:
            ok(all(path.stat().st_uid != 0 for path in (store, *store.iterdir())), "and is the plain user's")
        sensor = w.sensor()
        threads = [open("/proc/%d/task/%s/comm" % (sensor, t)).read().strip() for t in os.listdir("/proc/%d/task" % sensor)]
        ok("mailtap-store" in threads, "by a thread of that name", threads)
        w.end()
        ok(not w.said("refused|should not happen"), "no call of it was refused", *w.lines)
        ok(not w.said("lost"), "nothing is lost", *w.lines)
        path = store / today()
        ok([p.name for p in store.iterdir()] == [path.name], "at its end one file is left", *store.iterdir())
        ok(rows(path, "PRAGMA journal_mode") == [("delete",)] and rows(path, "PRAGMA integrity_check") == [("ok",)], "which is whole, and can be read from anywhere")
        ok(len(rows(path, "SELECT * FROM stats")) >= 2 and len(rows(path, "SELECT * FROM smtp_session")) == 1, "it has all streams")
    with Mta(FAR) as mta, watch(store) as w:
        send(mta, "again")
        ok(until(lambda: "<again>" in mails(store)) and len(mails(store)) == 21, "another watch goes on in it", *mails(store), *w.lines)


def alone():
    """Without logs."""
    store = room() / "store"
    with Mta(FAR) as mta, Watch("here", args=["-o", "sqlite:%s" % store], stdout=open(os.devnull, "w")) as w:
        send(mta, "alone")
        ok(until(lambda: mails(store) == ["<alone>"]), "the store alone", *mails(store), *w.lines)


def full_disk():
    """What finds no room waits, then is lost and counted; when there is room again it goes on."""
    with SmallDisk(16 << 20) as disk:
        if not disk.ready:
            return skip("a full disk", "no file system can be mounted here")
        store, seen = disk.folder / "store", disk.seen / "store"
        settings = ["store_queue_bytes=1MiB", "stats_interval=1s"]
        with Mta(FAR) as mta, watch(store, settings=settings, preexec=disk.enter) as w:
            send(mta, "before")
            ok(until(lambda: rows_seen(seen, MAILS) == [("<before>",)]), "a mail before the disk is full", *w.lines)
            with open(disk.seen / "ballast", "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(b"x" * 4096)
                except OSError:
                    pass
            send(mta, *("full%d" % i for i in range(600)))
            ok(w.hear(r"2.*\.sqlite: (database or disk is full|disk I/O error); what finds no room to wait is counted and lost"), "a full disk is said", *w.lines)
            ok(w.wait_records(601) == 601, "the logs go on", w.count())
            ok(len(w.said("what finds no room")) == 1, "it is said once", *w.lines)
            stats = until(lambda: [r for r in w.records("stats") if r["outputs_failing"]])
            ok(stats, "and stats tell that an output fails", *w.records("stats")[-1:])
            os.unlink(disk.seen / "ballast")
            ok(w.hear(r"store: is written again; \d+ records were lost"), "that it is over is said", *w.lines)
            send(mta, "after")
            ok(until(lambda: ("<after>",) in rows_seen(seen, MAILS)), "writing goes on", *w.lines)
            w.end()
            there = sum(rows_seen(seen, "SELECT count(*) FROM " + stream)[0][0] for stream in ("smtp", "smtp_session", "stats"))
            made = sum(w.count(stream) for stream in ("smtp", "smtp_session", "stats"))
            lost = w.closing().get("records lost", 0)
            ok(lost and there + lost == made, "what is not there is counted as lost", there, lost, made)
            ok(rows_seen(seen, "PRAGMA integrity_check") == [("ok",)], "the file is whole")
            ok(rows_seen(seen, "SELECT sum(mails) FROM minute") == rows_seen(seen, "SELECT count(*) FROM smtp"), "and its sums are those of its rows")
    return None


def retention():
    """Whole days go, the oldest first, never today."""
    store = room() / "store"
    store.mkdir()
    store.chmod(0o777)
    names = [today(-days) for days in (1, 2, 5, 6, 400)]
    for name in names:
        db = sqlite3.connect(store / name)
        db.execute("CREATE TABLE x(y)")
        db.commit()
        db.close()
    for name in names[3:]:
        (store / (name + "-wal")).touch()
    (store / "page.sqlite").touch()
    (store / "2020-02-31.sqlite").touch()
    with Mta(FAR) as mta, watch(store, settings=["store_days=6"]) as w:
        ok(w.hear("dropped, over store_days", 2), "days that are too old are dropped, and that is said", *w.lines)
        send(mta, "today")
        ok(until(lambda: (store / today()).exists()), "today is begun")
        w.end()
        ok(w.closing().get("days of the store dropped") == 2, "they are counted", *w.lines[-1:])
    left = sorted(p.name for p in store.iterdir())
    ok(left == sorted([*names[:3], today(), "page.sqlite", "2020-02-31.sqlite"]), "with what stands beside them; the others stay, and what is no day", *left)
    for name in names[:3]:
        (store / name).write_bytes(b"x" * 100000)
    most = (store / today()).stat().st_size + 250000
    with Mta(FAR) as mta, watch(store, settings=["store_bytes=%dB" % most]) as w:
        ok(w.hear("dropped, over store_bytes", 1), "over a number of bytes the oldest ones go", *w.lines)
        w.end()
    left = sorted(p.name for p in store.iterdir() if re.match("2.*-..-..[.]sqlite$", p.name))
    ok(left == sorted(["2020-02-31.sqlite", *names[:2], today()]) and len(w.said(": dropped, ")) == 1, "and no more than have to", left, *w.lines)
    with Mta(FAR) as mta, watch(store, settings=["store_bytes=1B", "store_days=1"]) as w:
        w.hear("dropped", 1)
        w.end()
    ok((store / today()).exists() and not (store / names[0]).exists(), "today stays")
    ok(mails(store) == ["<today>"], "as it was", *mails(store))


def ends_days():
    """What a killed watch has left of an earlier day becomes one file."""
    store = room() / "store"
    store.mkdir()
    store.chmod(0o777)
    path = store / today(-3)
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE x(y)")
    db.execute("INSERT INTO x VALUES(1)")
    db.commit()
    for end in ("", "-wal", "-shm"):
        shutil.copy(str(path) + end, str(store / "kept") + end)
    db.close()
    for end in ("", "-wal", "-shm"):
        os.rename(str(store / "kept") + end, str(path) + end)
        os.chmod(str(path) + end, 0o666)
    with Watch("here", args=["-o", "sqlite:%s" % store]) as w:
        ok(until(lambda: sorted(p.name for p in store.iterdir()) == [path.name]), "an earlier day is ended", *store.iterdir(), *w.lines)
        w.end()
    ok(rows(path, "SELECT * FROM x") == [(1,)] and rows(path, "PRAGMA journal_mode") == [("delete",)], "with all that was in it")


def damaged():
    """Such a file is put aside; one of a newer program is left alone."""
    store = room() / "store"
    store.mkdir()
    store.chmod(0o777)
    path = store / today()
    path.write_bytes(b"no database" * 1000)
    path.chmod(0o666)
    with Mta(FAR) as mta, watch(store) as w:
        send(mta, "new")
        ok(until(lambda: mails(store) == ["<new>"]), "a damaged day is begun anew", *w.lines)
        ok(w.hear(r"file is not a database; it is put aside as .*\.sqlite\.damaged, and a new one is begun"), "which is said", *w.lines)
        w.end()
    ok((store / (today() + ".damaged")).read_bytes() == b"no database" * 1000, "the old one is there as it was", *store.iterdir())
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()
    w = watch(store, ready=False)
    until(lambda: w.process.poll() is not None)
    ok(w.process.wait() == 2 and w.hear(r"made by a newer mailtap \(schema 99, this one knows 1\)"), "one of a newer program is no place to write to", *w.lines)
    ok(not w.said("watching") and rows(path, "PRAGMA user_version") == [(99,)], "and stays as it is", *w.lines)


def taken_away():
    """The file, or the folder, while it is written."""
    store = room() / "store"
    with Mta(FAR) as mta, watch(store) as w:
        send(mta, "first")
        ok(until(lambda: mails(store) == ["<first>"]), "a mail before the file goes", *w.lines)
        for path in store.iterdir():
            path.unlink()
        send(mta, "second")
        ok(until(lambda: mails(store) == ["<second>"]) and w.said("was taken away; a new one is begun"), "a file that is taken away is begun anew, and that is said", *mails(store), *w.lines)
        shutil.rmtree(store)
        store.mkdir()
        store.chmod(0o777)
        send(mta, "third")
        ok(w.hear("is another folder now; a new sensor writes there", seconds=LONG + 10) and w.hear("watching", 2), "for another folder a new sensor is started", *w.lines)
        send(mta, "fourth")
        ok(until(lambda: "<fourth>" in mails(store)), "which writes there", *mails(store), *w.lines)
        w.end(code=None)
        ok(not w.said("refused"), "no call was refused", *w.lines)


def reader():
    """Who reads sees what is there, and holds up nobody; nor does another umask."""
    store = room() / "store"
    with Mta(FAR) as mta, watch(store) as w:
        send(mta, "one")
        until(lambda: mails(store) == ["<one>"])
        db = sqlite3.connect("file:%s?mode=ro" % (store / today()), uri=True, isolation_level=None)
        db.execute("BEGIN")
        ok(db.execute("SELECT count(*) FROM smtp").fetchone() == (1,), "a reader beside the writer")
        send(mta, *("more%d" % i for i in range(50)))
        ok(until(lambda: len(mails(store)) == 51), "the writer goes on", *w.lines)
        ok(db.execute("SELECT count(*) FROM smtp").fetchone() == (1,), "the reader sees what was there when it began")
        began = time.monotonic()
        w.end()
        ok(time.monotonic() - began < 2, "and the end waits for no reader for long", time.monotonic() - began)
        db.execute("COMMIT")
        db.close()
    with Mta(FAR) as mta, watch(store, preexec=lambda: os.umask(0o077)) as w:
        send(mta, "two")
        ok(until(lambda: "<two>" in mails(store)), "the next one goes on", *w.lines)
        w.end()
        ok(not w.said("refused") and [p.name for p in store.iterdir()] == [today()], "and ends it", *w.lines, *store.iterdir())


run_tests([confined, alone, full_disk, retention, ends_days, damaged, taken_away, reader])
