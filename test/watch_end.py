#!/usr/bin/python3
"""How `mailtap watch` ends, and what outlives which end: signals, open sessions, lost processes, a full disk, no rights. usage: watch_end.py MAILTAP [TEST...]"""
import os
import pwd
import re
import shutil
import signal
import socket
import time
from pathlib import Path

from smalldisk import SmallDisk
from tap import run_tests, skip
from waiting import LONG, until
from watching import ROOT, THREAD_SANITIZER, Client, Mta, Sink, Source, Watch, alive, need_tools, ok, room, send_paced, status_of, two_hosts

need_tools("smtp-source", "smtp-sink")
NEAR, FAR = two_hosts()
SOON = 2  # seconds in which an init system wants us gone


def open_sessions(mta, count=20):
    clients = []
    for i in range(count):
        c = Client(NEAR, mta)
        c.begin("open%d" % i)
        clients.append(c)
    return clients


def flushes(sig, workers):
    """Open transactions are recorded, and that soon."""
    name = "%s, %d workers" % (signal.Signals(sig).name, workers)
    with Mta(FAR) as mta, Watch("here", workers=workers) as w:
        clients = open_sessions(mta)
        took = w.end(sig)
        ok(took < SOON, "%s: the end comes soon" % name, took)
        found = {r.get("msg_id"): r for r in w.records()}
        ok(sorted(found) == sorted("<open%d>" % i for i in range(20)), "%s: each open mail is recorded" % name, *found.values())
        ok(all(r.get("flags") == {"unfinished": True} for r in found.values()), "%s: as unfinished" % name, *found.values())
        sessions = w.records("smtp_session")
        ok(len(sessions) == 20 and all(r.get("end") for r in sessions), "%s: and each session" % name, *sessions[:3])
        for c in clients:
            c.close()


def told_to_end():
    flushes(signal.SIGTERM, 1)
    flushes(signal.SIGTERM, 4)
    flushes(signal.SIGINT, 2)


def terminal():
    """^C comes to all processes at once."""
    with Mta(FAR) as mta, Watch("here") as w:
        clients = open_sessions(mta, 3)
        for pid in (w.process.pid, *w.processes()):
            os.kill(pid, signal.SIGINT)
        w.end()
        ok(w.count() == 3 and len(w.said("watching")) == 1, "SIGINT to each process is one end", *w.lines)
        for c in clients:
            c.close()


def twice():
    with Watch("here") as w:
        for _ in range(20):
            w.tell(signal.SIGTERM)
        w.end()
        ok(w.code == 0 and len(w.said("packets, ")) == 1, "being told twice is no more", *w.lines)


def at_any_time():
    """Ended before it has begun."""
    left = []
    for i in range(12):
        w = Watch("here", workers=2, ready=False)
        until(w.processes if i else lambda: True)
        time.sleep(i * 0.03)  # another moment of the start each time
        w.end(code=-signal.SIGTERM if i == 0 else 0)
        left.append((w.code, w.lines))
    bad = [x for x in left[1:] if x[0] != 0]
    ok(not bad, "a start is ended at any moment", *bad)


class Hanging:
    """Takes connections and says nothing, as a web server that hangs."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.url = "http://127.0.0.1:%d/hook" % self.listener.getsockname()[1]
        return self

    def __exit__(self, *args):
        self.listener.close()


def webhook_hangs():
    policy = room() / "policy.yaml"
    with Hanging() as target, Mta(FAR) as mta:
        policy.write_text("notice_policy:\n  - {note: \"*\", actions: [log, webhook]}\nwebhook_url: %s\nsuppress_for: 0s\n" % target.url)
        with Watch("here", args=["-c", policy]) as w:
            for i in range(3):
                c = Client(NEAR, mta)
                c.refused("blocked using zen.spamhaus.org")
                c.quit()
            w.find("notice")
            target.listener.settimeout(LONG)
            peer, _ = target.listener.accept()
            clients = open_sessions(mta, 5)
            took = w.end(code=1)  # what was not delivered is lost
            ok(took < SOON, "a webhook that hangs does not hold up the end", took, *w.lines)
            ok(w.said(r"notice.* lost|lost .*notice|not delivered"), "what it did not take is said", *w.lines)
            ok(len([r for r in w.records() if r.get("msg_id")]) == 5, "and open mails are recorded", *w.records())
            peer.close()
            for c in clients:
                c.close()


def sensor_killed():
    with Mta(FAR) as mta, Watch("here") as w:
        c = Client(NEAR, mta)
        c.mail("first")
        c.quit()
        w.find(msg_id="<first>")
        first = w.sensor()
        os.kill(first, signal.SIGKILL)
        ok(w.hear(r"^mailtap: the sensor was ended by signal 9"), "it is said that a sensor was killed", *w.lines)
        ok(w.hear(r"^mailtap: the next sensor starts in 1 s"), "and when the next one starts", *w.lines)
        ok(w.hear("^mailtap: watching", 2), "which it does", *w.lines)
        c = Client(NEAR, mta)
        c.mail("second")
        c.quit()
        ok(w.find(msg_id="<second>"), "and finds mails", *w.lines)
        os.kill(w.sensor(), signal.SIGKILL)
        ok(w.hear(r"^mailtap: the next sensor starts in 2 s"), "the next wait is longer", *w.lines)
        took = w.end()
        ok(took < SOON, "while it waits it can be ended", took)
        ok(sorted(r["msg_id"] for r in w.records()) == ["<first>", "<second>"], "no mail twice", *w.records())


def sensor_ended():
    """By somebody who does not know of the keeper."""
    with Watch("here") as w:
        os.kill(w.sensor(), signal.SIGTERM)
        ok(w.hear("^mailtap: watching", 2), "a sensor that was told to end is started anew", *w.lines)


def keeper_killed():
    with Mta(FAR) as mta, Watch("here") as w:
        clients = open_sessions(mta, 3)
        below = list(w.processes())
        w.process.kill()
        w.process.wait()
        ok(until(lambda: not any(alive(pid) for pid in below), 5), "without its keeper a sensor ends", {p: status_of(p).get("Name") for p in below})
        w.thread.join(LONG)
        ok(len(w.records()) == 3, "and records what is open", *w.records(), *w.lines)
        for c in clients:
            c.close()


def keeper_stopped():
    """A keeper that does not run for a while holds up no capture."""
    with Mta(FAR) as mta, Watch("here") as w:
        w.tell(signal.SIGSTOP)
        c = Client(NEAR, mta)
        c.mail("meanwhile")
        c.quit()
        ok(w.find(msg_id="<meanwhile>"), "capture needs no keeper", *w.lines)
        w.tell(signal.SIGCONT)


def rights():
    hook = room() / "hook.yaml"
    hook.write_text("notice_policy:\n  - {note: \"*\", actions: [log, webhook]}\nwebhook_url: http://127.0.0.1:9/\n")
    with Watch("here", workers=2, args=["-c", hook]) as w:
        sensor = w.sensor()
        others = [pid for pid in w.processes() if pid != sensor]
        uid = str(pwd.getpwnam("nobody").pw_uid) if ROOT and not has_user("mailtap") else None
        for name, pids in (("sensor", [sensor]), ("courier", others)):
            ok(len(pids) == 1, "there is one %s" % name, w.processes())
            for pid in pids:
                s = status_of(pid)
                if uid:
                    ok(set(s["Uid"].split()) == {uid}, "the %s is another user" % name, s["Uid"])
                    ok(not s["Groups"].split(), "the %s has no other groups" % name, s["Groups"])
                caps = {s[k].strip().strip("0") for k in ("CapEff", "CapPrm", "CapInh", "CapAmb")}
                ok(caps == {""}, "the %s has no capabilities" % name, caps)
        s = status_of(sensor)
        ok(s["Seccomp"].strip() == "2" and s["NoNewPrivs"].strip() == "1", "the sensor may call little", s["Seccomp"], s["NoNewPrivs"])
        threads = [dict(line.split(":\t", 1) for line in (t / "status").read_text().splitlines() if ":\t" in line)
                   for t in Path("/proc/%d/task" % sensor).iterdir()]
        threads = [t for t in threads if t["Name"].startswith("mailtap-sensor") or not THREAD_SANITIZER]
        ok(len(threads) >= 3 and all(t["Seccomp"].strip() == "2" and not t["CapEff"].strip("0") for t in threads), "nor may any of its threads",
           [(t["Name"], t["Seccomp"], t["CapEff"]) for t in threads])
        w.end()
        ok(not w.said("was refused"), "it needs no call that it may not make", *w.lines)


def spool():
    """Made by root for the user who writes in it; what was left there is delivered after the next start."""
    settings, folder = room() / "spool.yaml", room() / "spool"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.write_text("notice_policy:\n  - {note: \"*\", actions: [log, webhook]}\nwebhook_url: http://127.0.0.1:%d/\nspool_directory: %s\n"
                            % (silent.getsockname()[1], folder))
        with Mta(FAR) as mta, Watch("here", args=["-c", settings]) as w:
            user = int(status_of(w.sensor())["Uid"].split()[0])
            c = Client(NEAR, mta)
            c.refused("blocked using zen.spamhaus.org")
            c.quit()
            ok(w.find("notice"), "a watch with a spool directory works", *w.lines)
            w.end()
    ok({p.stat().st_uid for p in (folder, *folder.iterdir())} == {user}, "the folder and what is in it belong to who writes there", user, *folder.iterdir())
    ok(list(folder.glob("webhook-*")), "a notice was left there", *folder.iterdir())
    with Watch("here", args=["-c", settings]) as w:
        w.end()
        ok(w.said("webhook: .* 1 left"), "and found again", *w.lines)
    if ROOT:
        os.chown(folder, 0, 0)
        w = Watch("here", args=["-c", settings], ready=False)
        ok(w.hear("must belong to the user who writes in it, uid %d" % user), "a folder of somebody else is refused", *w.lines)
        w.process.wait(LONG)


def has_user(name):
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def full_disk():
    with SmallDisk(4 << 20) as disk:
        if not disk.ready:
            return skip("a full disk", "no file system can be mounted here")
        settings = ["output_bytes=64KiB", "stats_interval=1s", "capture_buffer=64MiB"]
        with Sink(FAR, "10.9.0.2:2525"), Mta(FAR) as mta, Watch("here", settings=settings, folder=disk.folder / "log", preexec=disk.enter) as w:
            w.folder = disk.seen / "log"
            send_paced(w, NEAR, 200, "10.9.0.2:2525", piece=200)
            full = disk.seen / "ballast"
            with open(full, "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(b"x" * 4096)
                except OSError:
                    pass
            Source(NEAR, 1000, "10.9.0.2:2525", to="c@y.example").wait()
            ok(w.hear(r"smtp.log: .*No space left on device"), "a full disk is said", *w.lines)
            until(lambda: mails_counted(w) >= 1200)
            os.unlink(full)
            ok(w.hear(r"smtp.log: is written again; \d+ records were lost"), "that it is over is said", *w.lines)
            c = Client(NEAR, mta)
            c.mail("after")
            c.quit()
            ok(w.find(msg_id="<after>"), "writing goes on", *w.lines)
            ok(w.find("stats") and counted(w, "records_lost") > 0, "what was lost is counted", *w.records("stats")[-3:])
            w.end(code=0)
            last = w.records("stats")[-2]
            ok(last["mails"] == 1201 and last["kernel_drops"] == 0, "capture went on meanwhile", last)
            there, lost = w.count() + w.count("smtp_session"), w.closing().get("records lost", 0)
            ok(there + lost == 2402 and lost > 500, "what is not in the files is what was lost", there, lost)
            ids = [r["msg_id"] for r in w.records()]
            ok(len(ids) == len(set(ids)), "no record twice, no half line", len(ids))
    return None


def folder_gone():
    with Mta(FAR) as mta, Watch("here", settings=["stats_interval=1s"]) as w:
        c = Client(NEAR, mta)
        c.mail("before")
        ok(w.find(msg_id="<before>"), "a mail before the log folder goes")
        shutil.rmtree(w.folder)
        c.mail("meanwhile")
        ok(w.hear(r"/smtp.log: No such file or directory"), "that the log folder is gone is said", *w.lines)
        c.quit()
        w.folder.mkdir(mode=0o777)
        w.folder.chmod(0o777)
        ok(w.hear(r"log is another folder now; a new sensor writes there") and w.hear(r"watching .* worker", 2), "when it is back a new sensor starts", *w.lines)
        ok(w.said(r"\d+ records (are|were) lost|\d+ records lost"), "what was lost meanwhile is said", *w.lines)
        c = Client(NEAR, mta)
        c.mail("after")
        c.quit()
        ok(w.find(msg_id="<after>"), "and writing goes on", *w.lines)
        w.end(code=0)


def mails_counted(watch):
    """By standard error, as the logs are full."""
    before = len(watch.lines)
    watch.tell(signal.SIGUSR1)
    said = watch.hear("^mailtap: all: ", after=before)
    return int(re.search(r"(\d+) mails", said[0])[1]) if said else 0


def counted(watch, name):
    found = [r for r in watch.records("stats") if "worker" not in r]
    return found[-1][name] if found else 0


run_tests([told_to_end, terminal, twice, at_any_time, webhook_hangs, sensor_killed, sensor_ended, keeper_killed, keeper_stopped, rights, spool, full_disk, folder_gone])
