"""Logs that live on: full disks, rotation by us and by others, readers that are slow or gone; through sink-run.
usage: rotation.py MAILTAP SINK-RUN [TEST...]. Disks of 64 KiB are made in a mount namespace of its own, where that is allowed."""
import calendar
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from sinkrun import Run
from tap import done, ok, skip

T0 = calendar.timegm((2100, 1, 1, 0, 0, 0))  # a Friday; later than the time of any file
FULL = "No space left on device"


def may_mount():
    return subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0


def own_mounts():
    """Starts itself again where what it mounts is seen by nobody else."""
    if "MAILTAP_MOUNTS" not in os.environ and may_mount():
        os.environ["MAILTAP_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])


class Folder:
    """A folder for logs; `size` makes it a disk of its own."""

    def __init__(self, size=None, inodes=None):
        self.path = Path(tempfile.mkdtemp(prefix="mailtap-rotation-"))
        self.mounted = bool(size)
        if size:
            options = "size=%d" % size + (",nr_inodes=%d" % inodes if inodes else "")
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(self.path)], check=True)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        if self.mounted:
            subprocess.run(["umount", str(self.path)], check=True)
        shutil.rmtree(self.path)


def numbers(*files):
    """The numbers of the mails in them; a line that is not whole ends the test."""
    found = []
    for path in files:
        data = path.read_bytes()
        if data and not data.endswith(b"\n"):
            ok(False, "%s ends with a whole line" % path.name, data[-200:])
        for line in data.splitlines():
            try:
                found.append(int(json.loads(line)["uid"][1:]))
            except (ValueError, KeyError):
                ok(False, "every line of %s is whole" % path.name, line[:200])
    return found


def names(folder):
    return sorted(p.name for p in folder.iterdir() if p.stat().st_size)


def only(counts, **wanted):
    wanted = dict({"waiting": 0, "lost": 0, "rotations": 0, "failing": 0}, **wanted)
    return counts == dict(counts, **wanted)


def fill(path):
    """Until the disk is full."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass


def appends():
    with Folder() as folder:
        log = folder / "new" / "smtp.log"
        run = Run("json", folder / "new")
        ok(run.first == "open" and sorted(p.name for p in log.parent.iterdir()) == ["notice.log", "smtp.log", "smtp_session.log", "software.log", "stats.log"],
           "the folder and a file a stream are made", run.first)
        ok(oct(log.stat().st_mode) == "0o100640" and oct(log.parent.stat().st_mode) == "0o40750", "not for others to read", oct(log.stat().st_mode))
        counts = run.say("mails", 3, 10)
        ok(only(counts, written=0, waiting=3) and not log.stat().st_size, "lines wait for the clock", counts)
        counts = run.say("tick", T0)
        ok(only(counts, written=3) and numbers(log) == [0, 1, 2], "a second writes them", counts)
        run.say("mails", 1, 10)
        ok(only(run.say("tick", T0), written=3, waiting=1), "nothing is done twice in a second")
        ok(only(run.say("tick", T0 - 100), written=4), "a clock set back does not stop it")
        counts = run.say("mails", 1000, 1000)
        ok(counts["written"] > 900, "many lines do not wait", counts)
        run.say("entries", "mine", 2)
        run.say("notices", 2)
        ok(run.close() == "closed" and not run.said(), "it closes", run.said())
        ok(numbers(log) == list(range(1004)), "and all is there")
        ok(len((log.parent / "mine.log").read_bytes().splitlines()) == 2 and numbers(log.parent / "notice.log") == [1004, 1005],
           "in all streams")
        run = Run("json", folder / "new")
        run.say("mails", 1, 10)
        ok(run.close() == "closed" and numbers(log) == [*range(1004), 0], "the next one appends")
        before = log.read_bytes()
        log.write_bytes(before + b'{"uid":"C7' + b"x" * 10000)
        run = Run("json", folder / "new")
        run.say("mails", 1, 10)
        run.close()
        ok(numbers(log) == [*range(1004), 0, 0] and "ended in half a line; its 10010 bytes are cut off" in run.said(),
           "what a crash left of a line is cut off", run.said())
        log.write_bytes(b"x" * 5000)
        run = Run("json", folder / "new")
        run.say("mails", 1, 10)
        run.close()
        ok(numbers(log) == [0], "also where it is all there is", run.said())


def refused():
    with Folder() as folder:
        log = folder / "smtp.log"

        def tries(name, pattern):
            run = Run("json", folder)
            ok(re.fullmatch("refused: .*/smtp.log: " + pattern, run.first), name, run.first)
            run.close()

        log.symlink_to("elsewhere")
        tries("a link is not followed", "Too many levels of symbolic links")
        ok(not (folder / "elsewhere").exists(), "and nothing made at its end")
        log.unlink()
        os.mkfifo(log)
        tries("a pipe is no log", "is no plain file")
        log.unlink()
        log.mkdir()
        tries("a folder neither", "Is a directory")
        run = Run("json", folder / "no" / "such")
        ok(run.first.endswith("/no/such: No such file or directory"), "nor is a folder made in none", run.first)
        run.close()


def full_disk():
    with Folder(65536) as folder:
        log, other = folder / "smtp.log", folder / "other"
        run = Run("json", folder)
        counts = run.say("mails", 40, 1000)
        counts = run.say("tick", T0)
        ok(only(counts, written=40) and not run.said(), "a disk with room", counts)
        run.say("mails", 40, 1000)
        counts = run.say("tick", T0 + 1)
        ok(counts["failing"] == 1 and counts["lost"] == 0 and counts["written"] + counts["waiting"] == 80 and counts["waiting"] > 10,
           "a full disk: what finds no room waits", counts)
        ok(numbers(log) == list(range(counts["written"])), "no half line is left", counts)
        for second in range(5):
            run.say("mails", 1000, 1000)
            counts = run.say("tick", T0 + 2 + second)
        ok(counts["lost"] > 3000 and counts["written"] + counts["waiting"] + counts["lost"] == 5080, "then it is lost, and counted", counts)
        ok(counts["waiting"] * 1100 < 1.2 * 2 ** 20, "it waits within the limit", counts)
        ok(numbers(log) == list(range(counts["written"])), "still no half line", counts)
        ok(re.fullmatch("mailtap: .*/smtp.log: %s; .*\n" % FULL, run.said()), "it is said once", run.said())
        kept = counts["written"]
        log.unlink()
        subprocess.run(["mount", "-o", "remount,size=4m", str(folder)], check=True)
        lost, waiting = counts["lost"], counts["waiting"]
        counts = run.say("tick", T0 + 10)
        ok(only(counts, written=kept + waiting, lost=lost), "with room it is written again by itself", counts)
        ok(numbers(log) == list(range(kept, kept + waiting)), "what waited goes on where the disk was full")
        ok(run.said().count("\n") == 2 and run.said().endswith("/smtp.log: is written again; %d records were lost\n" % lost),
           "that is said too, with the loss", run.said())
        run.say("mails", 3, 10)
        ok(run.close() == "closed" and numbers(log)[-3:] == [5080, 5081, 5082], "and it goes on")
        fill(other)
        run = Run("json", folder, output_bytes=4096)
        run.say("mails", 1000, 2000)
        run.say("tick", T0 + 20)
        counts = run.say("mails", 1000, 2000)
        ok(counts["failing"] == 1 and counts["waiting"] in (1, 2), "a small output_bytes is kept to", counts)
        last = run.close()
        ok(re.fullmatch("closed: .*/smtp.log: %s; %d records are lost" % (FULL, counts["lost"] + counts["waiting"]), last),
           "at the end it says what is lost", last, counts)


def no_inodes():
    with Folder(65536, 2) as folder:
        run = Run("json", folder)
        ok(run.first == "open" and run.said().count(FULL) == 4, "a disk that takes no more files does not stop the start", run.first, run.said())
        run.say("notices", 2)
        counts = run.say("tick", T0)
        ok(only(counts, waiting=2, failing=4), "what is for them waits", counts)
        subprocess.run(["mount", "-o", "remount,nr_inodes=100", str(folder)], check=True)
        counts = run.say("tick", T0 + 1)
        ok(only(counts, written=2) and numbers(folder / "notice.log") == [0, 1], "until there is room", counts)
        ok(run.close() == "closed", "it closes")


def full_disk_zeek():
    """The head of a file on a full disk, and rotation there."""
    with Folder(16384) as folder:
        fill(folder / "other")
        run = Run("zeek", folder, rotate_interval=3600)
        ok(run.first == "open" and run.say("tick", T0)["failing"] == 3, "a full disk at the start", run.first)
        ok((folder / "smtp.log").stat().st_size == 0, "no half head is left")
        (folder / "other").unlink()
        run.say("mails", 2, 10)
        ok(only(run.say("tick", T0 + 1), written=2), "it is over")
        run.say("mails", 40, 1000)
        run.say("tick", T0 + 2)
        counts = run.say("tick", T0 + 3600)
        ok(counts["failing"] == 1 and counts["rotations"] == 0, "no rotation amid lines that wait", counts)
        lines = (folder / "smtp.log").read_text().splitlines()
        ok(len(lines) == 8 + counts["written"] and all(line.count("\t") == 26 for line in lines[8:]), "a head and whole rows", lines[:9])
        subprocess.run(["mount", "-o", "remount,size=1m", str(folder)], check=True)
        counts = run.say("tick", T0 + 3601)
        ok(only(counts, written=42, rotations=1), "then both", counts)
        run.close()


def campaign(seed):
    """Random fills, removals and rotations on a small disk: each mail is in one place, once, whole, in order, or lost."""
    rnd = random.Random(seed)
    with Folder(65536) as folder:
        other, log = folder / "other", folder / "smtp.log"
        rotates = rnd.choice([0, 20000])
        run = Run("json", folder, output_bytes=rnd.choice([4096, 65536, 1 << 20]), rotate_size=rotates)
        now, sent, seen, counts = T0, 0, [], {}
        for _ in range(60):
            now += rnd.choice([0, 1, 1, 5])
            what = rnd.randrange(7)
            if what < 3:
                count = rnd.choice([1, 5, 50])
                counts = run.say("mails", count, rnd.choice([0, 10, 500, 3000]))
                sent += count
            elif what == 3:
                try:
                    other.write_bytes(b"x" * rnd.choice([10000, 40000, 65536]))
                except OSError:
                    pass
            elif what == 4:
                other.unlink(missing_ok=True)
            elif what == 5:
                for path in sorted(folder.glob("smtp*.log"), key=lambda p: (p == log, p.stat().st_mtime_ns)):
                    seen += numbers(path)
                    path.unlink()
            else:
                counts = run.say("tick", now)
        other.unlink(missing_ok=True)
        counts = {"waiting": 1}
        for _ in range(200):
            for path in sorted(folder.glob("smtp*.log"), key=lambda p: (p == log, p.stat().st_mtime_ns)):
                seen += numbers(path)
                path.unlink()
            now += 1
            if not counts["waiting"]:
                break
            counts = run.say("tick", now)
        run.close()
        good = counts["written"] == len(seen) and counts["written"] + counts["lost"] == sent and sorted(set(seen)) == sorted(seen)
        if not rotates:
            good = good and seen == sorted(seen)
        return good, "seed %d: %s, sent %d, seen %d" % (seed, counts, sent, len(seen))


def campaigns():
    results = [campaign(seed) for seed in range(30)]
    ok(all(good for good, _ in results), "every mail is in one place or counted as lost, in 30 random runs",
       *[text for good, text in results if not good])


def by_size():
    with Folder() as folder:
        run = Run("json", folder, rotate_size=10000)
        run.say("tick", T0)
        (folder / "smtp-21000101T000000Z.log").write_bytes(b"not ours\n")
        (folder / "smtp-21000101T000000Z-2.log").write_bytes(b"nor this\n")
        counts = run.say("mails", 100, 1000)
        counts = run.say("tick", T0 + 1)
        ok(counts["written"] == 100 and counts["rotations"] == 12, "ten files and more", counts)
        ok((folder / "smtp-21000101T000000Z.log").read_bytes() == b"not ours\n" and
           (folder / "smtp-21000101T000000Z-2.log").read_bytes() == b"nor this\n", "nothing is overwritten", names(folder))
        (folder / "smtp-21000101T000000Z.log").unlink()
        (folder / "smtp-21000101T000000Z-2.log").unlink()
        aside = sorted(folder.glob("smtp-*.log"), key=lambda p: [int(x) for x in re.findall(r"\d+", p.name)])
        ok(numbers(*aside, folder / "smtp.log") == list(range(100)), "all is there, in the order of the names", names(folder))
        ok(all(9000 < p.stat().st_size <= 10000 for p in aside), "none is larger", [p.stat().st_size for p in aside])
        run.say("mails", 2, 20000)
        counts = run.say("tick", T0 + 2)
        ok(counts["rotations"] == 14, "a line that is too large has a file of its own", counts)
        ok(run.close() == "closed" and not run.said(), "it closes", run.said())


def by_time():
    with Folder() as folder:
        run = Run("json", folder, rotate_interval=3600)
        run.say("tick", T0 + 1800)
        run.say("mails", 2, 10)
        ok(only(run.say("tick", T0 + 3599), written=2), "nothing before the hour")
        run.say("mails", 1, 10)
        ok(only(run.say("tick", T0 + 3600), written=3, rotations=1), "at the hour it is rotated")
        ok(names(folder) == ["smtp-21000101T010000Z.log"] and numbers(folder / "smtp-21000101T010000Z.log") == [0, 1, 2],
           "what waited belongs to the old file", names(folder))
        ok(only(run.say("tick", T0 + 9 * 3600), written=3, rotations=1), "a file without a record is not rotated")
        run.say("mails", 1, 10)
        ok(only(run.say("tick", T0 + 9 * 3600 + 5), written=4, rotations=1), "it serves the hour that it is written in")
        ok(only(run.say("tick", T0 + 8 * 3600), written=4, rotations=1), "a clock set back does not rotate")
        run.close()
        run = Run("json", folder, rotate_interval=3600)
        ok(only(run.say("tick", T0 + 10 * 3600 + 7), rotations=1) and "smtp-21000101T100007Z.log" in names(folder),
           "a file of an earlier hour is rotated after a new start", names(folder))
        run.close()
    for interval, before, at in ((86400, T0 + 86399, T0 + 86400), (7 * 86400, T0 + 3 * 86400 - 1, T0 + 3 * 86400)):
        with Folder() as folder:
            run = Run("json", folder, rotate_interval=interval)
            run.say("tick", T0)
            run.say("mails", 1, 10)
            early, late = run.say("tick", before), run.say("tick", at)
            ok((early["rotations"], late["rotations"]) == (0, 1), "%d days begin at midnight, on Monday" % (interval / 86400), early, late)
            run.close()


def keeps():
    with Folder() as folder:
        strange = ["smtp-21000101T000000Z.log.gz", "smtp-21000101T000000.log", "smtp-ext-21000101T000000Z.log", "smtp_session-21000101T000000Z.log",
                   "smtp-21000101T000000Z-.log", "smtp-21000101T000000Z-01.log", "notice-20990101T000000Z.log"]
        for name in strange:
            (folder / name).write_bytes(b"x\n")
        run = Run("json", folder, rotate_interval=60, rotate_keep=3)
        for minute in range(20):
            run.say("tick", T0 + minute * 60)
            run.say("mails", 1, 10)
        ours = sorted(set(names(folder)) - set(strange))
        ok(ours == ["smtp-21000101T00%02d00Z.log" % m for m in (17, 18, 19)], "three files stay", ours)
        ok(set(strange) <= set(names(folder)), "what is not ours is not touched", names(folder))
        run.close()
    with Folder() as folder:
        run = Run("json", folder, rotate_size=3000, rotate_keep=12)
        run.say("tick", T0)
        run.say("mails", 50, 2000)
        run.say("tick", T0 + 1)
        ours = sorted(folder.glob("smtp-*.log"), key=lambda p: [int(x) for x in re.findall(r"\d+", p.name)])
        ok(numbers(*ours, folder / "smtp.log") == list(range(37, 50)), "the oldest go by their numbers, not by letters", names(folder))
        run.close()


def by_others():
    with Folder() as folder:
        log, old = folder / "smtp.log", folder / "old.log"
        run = Run("json", folder)
        run.say("mails", 2, 10)
        run.say("tick", T0)
        log.rename(old)
        run.say("mails", 2, 10)
        ok(only(run.say("tick", T0 + 1), written=4) and numbers(old) == [0, 1] and numbers(log) == [2, 3], "a file renamed by others is left alone")
        log.unlink()
        run.say("mails", 1, 10)
        run.say("reopen")
        ok(numbers(log) == [4], "a removed one is made anew, at once where that is asked for")
        log.rename(old)
        log.write_bytes(b'{"uid":"C77"}\n')
        run.say("mails", 1, 10)
        run.say("tick", T0 + 2)
        ok(numbers(log) == [77, 5] and numbers(old) == [4], "a file that others put there is taken up")
        shutil.copy(log, old)
        os.truncate(log, 0)
        run.say("mails", 1, 10)
        run.say("tick", T0 + 3)
        ok(numbers(log) == [6], "a file that others emptied has no hole", log.read_bytes()[:20])
        log.unlink()
        log.symlink_to(old)
        run.say("mails", 1, 10)
        counts = run.say("tick", T0 + 4)
        ok(only(counts, written=7, waiting=1, failing=1) and numbers(old) == [77, 5], "a link put there is not followed", counts)
        log.unlink()
        ok(only(run.say("tick", T0 + 5), written=8) and numbers(log) == [7], "when it is gone, writing goes on")
        ok(run.said().count("\n") == 2, "both were said", run.said())
        ok(run.close() == "closed", "it closes")


def mover(folder, stop):
    """Another process's work: renames the log whenever it is there."""
    for i in range(100000):
        if stop.is_set():
            return
        try:
            (folder / "smtp.log").rename(folder / ("moved-%06d" % i))
        except FileNotFoundError:
            pass
        time.sleep(0.0005)


def amid_writing():
    with Folder() as folder:
        stop = threading.Event()
        thread = threading.Thread(target=mover, args=(folder, stop))
        run = Run("json", folder, rotate_size=150000)
        thread.start()
        for i in range(300):
            run.say("mails", 100, 700)
            counts = run.say("tick", T0 + i)
        stop.set()
        thread.join()
        run.close()
        files = list(folder.glob("moved-*")) + list(folder.glob("smtp*.log"))
        found = numbers(*[f for f in files if f.name != "smtp_session.log"])
        moved = len(list(folder.glob("moved-*")))
        ok(sorted(found) == list(range(30000)), "30000 mails under a log that others keep moving: each once, whole", len(found), counts)
        ok(moved > 20 and counts["lost"] == 0 and counts["failing"] == 0, "it was moved often", moved, counts, run.said())


def frames():
    with Folder() as folder:
        log = folder / "smtp.log"

        def heads(path=log):
            return [line.split("\t")[0] if line.startswith("#") else "." for line in path.read_text().splitlines()]

        head = ["#separator \\x09", "#set_separator", "#empty_field", "#unset_field", "#path", "#open", "#fields", "#types"]
        run = Run("zeek", folder, rotate_interval=3600)
        ok(heads() == head, "a new file has its head at once", heads())
        run.say("tick", T0)
        run.say("mails", 2, 10)
        run.say("tick", T0 + 3600)
        aside = folder / "smtp-21000101T010000Z.log"
        ok(heads(aside) == [*head, ".", ".", "#close"] and heads() == head, "a rotated one is closed", heads(aside), heads())
        ok(aside.read_text().splitlines()[-1] == "#close\t2100-01-01-01-00-00", "by the clock")
        run.say("mails", 1, 10)
        run.say("tick", T0 + 3601)
        log.rename(folder / "old")
        run.say("mails", 1, 10)
        run.say("tick", T0 + 3602)
        ok(heads(folder / "old") == [*head, ".", "#close"] and heads() == [*head, "."], "so is one that others renamed", heads(folder / "old"))
        os.truncate(log, 0)
        run.say("mails", 1, 10)
        run.say("tick", T0 + 3603)
        ok(heads() == [*head, "."], "one that others emptied has a head again", heads())
        run.close()
        ok(heads() == [*head, ".", "#close"], "the end closes", heads())
        run = Run("zeek", folder)
        ok(heads() == [*head, ".", "#close"], "a new start alone adds nothing", heads())
        run.close()
        run = Run("zeek", folder)
        run.say("mails", 1, 10)
        run.close()
        ok(heads() == [*head, ".", "#close", *head, ".", "#close"], "what is added to a closed file has a head", heads())
    with Folder() as folder:
        log = folder / "smtp-ext.log"
        for _ in range(2):
            run = Run("smtp-ext", folder, rotate_size=400)
            run.say("tick", T0)
            run.say("mails", 2, 10)
            run.say("notices", 1)
            run.close()
        starts = [path.read_text().count("orig_h") for path in folder.iterdir()]
        ok(len(starts) > 1 and set(starts) == {1} and log.read_text().startswith("ts\torig_h"), "smtp-ext has one head a file", starts)
    with Folder() as folder:
        for _ in range(2):
            run = Run("text", folder)
            run.say("mails", 2, 10)
            run.close()
        ok(len((folder / "mails.log").read_text().splitlines()) == 4, "text is appended to")


def cannot_rename():
    """A folder in which nothing can be renamed: the log grows on."""
    with Folder() as folder:
        run = Run("json", folder, rotate_size=5000)
        run.say("tick", T0)
        run.say("mails", 2, 1000)
        run.say("tick", T0 + 1)
        if subprocess.run(["chattr", "+a", str(folder / "smtp.log")], capture_output=True).returncode:
            skip("append-only logs", "chattr cannot do it here")
            run.close()
            return
        try:
            run.say("mails", 20, 1000)
            counts = run.say("tick", T0 + 2)
            run.say("mails", 20, 1000)
            counts = run.say("tick", T0 + 3)
            ok(only(counts, written=42) and run.said().count("cannot be rotated: Operation not permitted") == 1,
               "a log that cannot be renamed grows on, which is said once", counts, run.said())
            half = (folder / "smtp.log").stat().st_size + 5500
            resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (half, resource.RLIM_INFINITY))
            run.say("mails", 20, 1000)
            counts = run.say("tick", T0 + 4)
            raw = (folder / "smtp.log").read_bytes()
            ok(counts["failing"] == 1 and len(raw) == half and raw[-1:] == b"x", "half a line that cannot be cut off stays", counts)
            run.say("mails", 5, 1000)
            resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            counts = run.say("tick", T0 + 5)
            ok(only(counts, written=67) and numbers(folder / "smtp.log") == list(range(67)), "and is completed when that is possible", counts)
            run.say("mails", 1, 10)
            ok(run.close() == "closed", "it closes")
        finally:
            subprocess.run(["chattr", "-a", str(folder / "smtp.log")])


def too_large():
    """A limit on the size of files, as another full disk that needs no mount."""
    with Folder() as folder:
        limit = 50500
        run = Run("json", folder, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)))
        run.say("mails", 60, 1000)
        counts = run.say("tick", T0)
        ok(counts["failing"] == 1 and numbers(folder / "smtp.log") == list(range(counts["written"])), "a file at its limit has whole lines", counts)
        (folder / "smtp.log").rename(folder / "old")
        counts = run.say("tick", T0 + 1)
        ok(only(counts, written=60) and numbers(folder / "old", folder / "smtp.log") == list(range(60)), "another file takes the rest", counts)
        run.close()


def half_head():
    """A limit in the middle of a head."""
    with Folder() as folder:
        log = folder / "smtp.log"
        run = Run("zeek", folder, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY)))
        ok(run.first.startswith("refused: ") and not log.stat().st_size, "half a head is cut off", run.first)
        run.close()
        run = Run("zeek", folder)
        run.say("mails", 1, 10)
        run.say("tick", T0)
        resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
        log.rename(folder / "old")
        run.say("mails", 1, 10)
        counts = run.say("tick", T0 + 1)
        ok(counts["failing"] == 1 and not log.stat().st_size, "also amid a run", counts)
        resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        run.say("tick", T0 + 2)
        ok(len(log.read_text().splitlines()) == 9 and log.read_text().startswith("#separator"), "then it is whole")
        run.close()


def now_and_then():
    """A log that fails at every second tick."""
    with Folder() as folder:
        log = folder / "smtp.log"
        run = Run("json", folder, output_bytes=4096)

        def fails(now):
            log.unlink()
            log.symlink_to("elsewhere")
            run.say("mails", 10, 1000)
            return run.say("tick", now)

        def works(now):
            log.unlink()
            return run.say("tick", now)

        for second in range(0, 40, 2):
            bad, good = fails(T0 + second), works(T0 + second + 1)
        ok(bad["failing"] == 1 and good["failing"] == 0 and run.said().count("\n") == 2, "what fails now and then is told of once a minute", run.said())
        told = int(re.findall(r"(\d+) records were lost", run.said())[0])
        fails(T0 + 40)
        run.say("tick", T0 + 62)
        ok(run.said().count("\n") == 3, "but what lasts is told of", run.said())
        counts = works(T0 + 63)
        ok(run.said().endswith(" %d records were lost\n" % (counts["lost"] - told)), "with all losses since", run.said(), counts)
        fails(T0 + 64)
        counts = works(T0 + 65)
        ok(run.said().count("\n") == 4 and run.close() == "closed" and run.said().count("\n") == 5, "what is untold is told at the end", run.said())
        losses = [int(n) for n in re.findall(r"(\d+) records were lost", run.said())]
        ok(sum(losses) == counts["lost"], "nothing is left out", losses, counts)


def standard_output():
    with tempfile.TemporaryFile() as out:
        run = Run("json", None, stdout=out)
        run.say("mails", 2, 10)
        run.say("notices", 1)
        run.say("mails", 1, 10)
        ok(only(run.say("tick", T0), written=4), "standard output is written by the clock")
        run.say("mails", 1, 10)
        ok(only(run.say("tick", T0), written=5), "each time")
        run.say("entries", "mine", 1)
        ok(run.close() == "closed", "it closes")
        out.seek(0)
        lines = [json.loads(line) for line in out.read().splitlines()]
        ok([line.get("uid") for line in lines] == ["C0", "C1", "C2", "C3", "C4", None], "all streams in their order", lines)
    with tempfile.TemporaryFile() as out:
        run = Run("zeek", None, stdout=out)
        run.say("mails", 2, 10)
        run.say("notices", 1)
        run.close()
        out.seek(0)
        lines = out.read().decode().splitlines()
        ok(len(lines) == 11 and lines[-1].startswith("#close"), "zeek's table goes there with head and end", lines)


def slow_reader():
    reader, writer = os.pipe()
    run = Run("json", None, stdout=writer, output_bytes=100000)
    os.close(writer)
    start = time.monotonic()
    counts = run.say("mails", 1000, 1000)
    ok(counts["failing"] == 1 and counts["lost"] > 500 and time.monotonic() - start < 10, "a reader that stops stops nothing", counts)
    ok("standard output: nobody reads it" in run.said(), "it is said", run.said())
    lines = []
    thread = threading.Thread(target=lambda: lines.extend(os.fdopen(reader, "rb").read().splitlines()))
    thread.start()
    for i in range(1000):
        counts = run.say("tick", T0 + i)
        if not counts["waiting"]:
            break
        time.sleep(0.01)
    ok(only(counts, written=1000 - counts["lost"], lost=counts["lost"]), "when it reads again, writing goes on", counts)
    run.say("mails", 3, 10)
    ok(run.close() == "closed" and run.said().count("\n") == 2, "both were said once", run.said())
    thread.join()
    found = [int(json.loads(line)["uid"][1:]) for line in lines]
    ok(found == list(range(counts["written"])) + [1000, 1001, 1002], "the lines that it gets are whole", found[-5:])


def no_reader():
    reader, writer = os.pipe()
    run = Run("json", None, stdout=writer)
    os.close(writer)
    os.close(reader)
    run.say("mails", 3, 10)
    counts = run.say("tick", T0)
    ok(only(counts, written=0, waiting=3, failing=1) and "standard output: Broken pipe" in run.said(), "a reader that is gone is said", counts, run.said())
    counts = run.say("mails", 3000, 1000)
    ok(counts["lost"] > 1500, "what is for it is counted", counts)
    last = run.close()
    ok(re.fullmatch("closed: standard output: Broken pipe; 3003 records are lost", last), "the end says how much", last)


def full_stdout():
    with Folder(16384) as folder:
        out = open(folder / "out", "wb")
        run = Run("json", None, stdout=out)
        run.say("mails", 30, 1000)
        counts = run.say("tick", T0)
        ok(counts["failing"] == 1 and numbers(folder / "out") == list(range(counts["written"])), "a full disk behind standard output", counts)
        subprocess.run(["mount", "-o", "remount,size=1m", str(folder)], check=True)
        counts = run.say("tick", T0)
        ok(only(counts, written=30) and numbers(folder / "out") == list(range(30)), "and room again", counts)
        run.close()
        out.close()


own_mounts()
PLAIN = [appends, refused, by_size, by_time, keeps, by_others, amid_writing, frames, cannot_rename, too_large, half_head, now_and_then, standard_output, slow_reader, no_reader]
DISKS = [full_disk, no_inodes, full_disk_zeek, full_stdout, campaigns]
wanted = sys.argv[3:]
for test in PLAIN + DISKS:
    if wanted and test.__name__ not in wanted:
        continue
    if test in DISKS and "MAILTAP_MOUNTS" not in os.environ:
        skip(test.__name__, "no small disk can be mounted here")
    else:
        test()
done()
