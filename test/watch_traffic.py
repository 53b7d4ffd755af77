#!/usr/bin/python3
"""`mailtap watch` on traffic of Postfix's test programs between two hosts: each mail is found once. usage: watch_traffic.py MAILTAP [TEST...]"""
import hashlib
import signal

from tap import run_tests
from waiting import until
from watching import Sink, Source, Watch, need_tools, ok, once_each, room, send_paced, two_hosts

need_tools("smtp-source", "smtp-sink")
NEAR, FAR = two_hosts()
COUNT = 10000


def one_worker():
    with Sink(FAR), Watch("here", settings=["capture_buffer=64MiB"]) as w:
        send_paced(w, NEAR, COUNT, "10.9.0.2:2525")
        w.end()
        once_each(w, COUNT, "one worker")
        ok(w.count("smtp_session") == COUNT, "as many sessions are recorded", w.count("smtp_session"))


def four_workers_disturbed():
    """Four workers; reloads, rotation by size, and files that somebody renames, all amid the traffic."""
    moved = []

    def disturb(sent):
        before, reloads = w.count(), len(w.said("loaded anew"))
        until(lambda: w.count() >= before + 50, 2)
        path = w.folder / "smtp.log"
        if path.exists() and sent % 2000 == 0:
            moved.append(path.rename(w.folder / ("smtp.moved%d.log" % sent)))
        w.tell(signal.SIGHUP)
        w.hear("loaded anew", reloads + 1)

    with Sink(FAR, "10.9.0.2:2526"), Watch("here", workers=4, settings=["rotate_size=100KiB", "capture_buffer=64MiB"]) as w:
        send_paced(w, NEAR, COUNT, "10.9.0.2:2526", disturb)
        w.end()
        once_each(w, COUNT, "four workers, reloads, rotation")
        rotated = [p.name for p in w.files("smtp") if p.name.startswith("smtp-2")]
        reloads = len(w.said("loaded anew"))
        ok(len(moved) > 2 and reloads == COUNT / 500 and len(rotated) > 10, "all that happened amid it", moved, reloads, rotated)


def one_connection_many_mails():
    """Mails one after another in few connections, larger than a segment, at a worker each."""
    with Sink(FAR, "10.9.0.2:2527"), Watch("here", workers=4, settings=["capture_buffer=64MiB"]) as w:
        Source(NEAR, 1000, "10.9.0.2:2527", ["-d", "-s", "5", "-l", "20000"]).wait()
        w.wait_records(1000)
        w.end()
        once_each(w, 1000, "five connections, four workers")
        ok(w.count("smtp_session") == 5, "in five sessions", w.count("smtp_session"))


def attachments_kept():
    """Confined, it writes attachments too, and what it does for that is refused nowhere."""
    files, text = room() / "files", room() / "mail"
    text.write_bytes(b"Subject: x\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjQK\n")
    with Sink(FAR, "10.9.0.2:2528"), Watch("here", workers=2, settings=["extract_directory=%s" % files, "extract=all"]) as w:
        Source(NEAR, 20, "10.9.0.2:2528", ["-d", "-s", "4", "-F", str(text)]).wait()
        w.wait_records(20)
        w.end()
        want = hashlib.sha256(b"%PDF-1.4\n").hexdigest()
        kept = sorted(p.name for p in files.iterdir() if p.suffix != ".eml")
        named = [r["extracted"] for r in w.records("smtp")]
        ok(len(named) == 20 and all(hashlib.sha256((files / n).read_bytes()).hexdigest() + ".eml" == n for n in named), "whole mails are there", named)
        ok(kept == [want] and (files / want).read_bytes() == b"%PDF-1.4\n", "the file is there once", *files.iterdir())
        ok(not w.said("refused|could not be written"), "nothing was refused", *w.lines)


run_tests([one_worker, four_workers_disturbed, one_connection_many_mails, attachments_kept])
