#!/usr/bin/python3
"""Faults of the machine around the courier: calls cut short or interrupted, a full disk under the spool. Each notice arrives once, or is counted and said.
usage: faults_courier.py MAILTAP COURIER-RUN FAULT-INJECT [TEST...]"""
import os
import re
import struct
import sys
import tempfile
from pathlib import Path

from courierpeers import Http, Run, Smtp, adds_up, free_port, sendmail
from tap import done, ok
from waiting import until

SHIM = sys.argv[3]
EMAIL, WEBHOOK, BOTH = 1, 2, 3
room = tempfile.TemporaryDirectory(prefix="mailtap-faults-courier-")
FOLDER = Path(room.name)
LONG_TEXT = "x" * 500  # of which a read gets a piece


class Faulty(Run):
    """A program with a courier whose calls, and those of the courier, fail as `faults` say."""

    def __init__(self, faults, *settings, **named):
        self.count = FOLDER / "count"
        before = dict(os.environ)
        os.environ.update({"FAULT_" + k.upper(): str(v) for k, v in {"forks": 0, **faults}.items()}, FAULT_COUNT=str(self.count), LD_PRELOAD=os.path.abspath(SHIM),
                          ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0")
        try:
            super().__init__(*settings, **named)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def spoilt(self):
        return struct.unpack("4q", self.count.read_bytes())[1]

    def allocations(self):
        return struct.unpack("4q", self.count.read_bytes())[0]


def numbers(texts):
    """Of the notices in mails or posts, in their order."""
    return [int(n) for text in texts for n in re.findall(r"notice number (\d+)\b", text)]


def unfolded(mails):
    """The texts of mails; each notice's number is in its text once, and not in its subject."""
    return [(m if isinstance(m, bytes) else m.raw).decode().replace("=\r\n", "").replace("=\n", "") for m in mails]


def push(run, first, last, actions=BOTH):
    for i in range(first, last):
        run.push(actions, "subject", "notice number %d\\n%s\\n" % (i, LONG_TEXT), json_text='{"n":"notice number %d","text":"%s"}' % (i, LONG_TEXT))


def spoilt_calls():
    """Both ways at once, found in the spool and new, by pieces and interruptions alone."""
    for seed in range(1, 7):
        with tempfile.TemporaryDirectory() as folder:
            where, smtp, http = {"spool_directory": folder + "/spool"}, Smtp(), Http()
            dead = "127.0.0.1:%d" % free_port()
            run = Faulty({"calls": seed}, email_server="smtp://" + dead, webhook_url="http://" + dead, courier_wait=0.3, **where)
            push(run, 0, 20)
            left, first = run.close(), run.spoilt()
            run = Faulty({"calls": seed + 100}, email_server=smtp.url, webhook_url=http.url, **where)
            push(run, 20, 40)
            counts = run.close()
            name = "seed %d, %d calls spoilt: " % (seed, first + run.spoilt())
            ok(all(t["left"] == 20 and not t["lost"] for t in left.values()) and first > 20, name + "what cannot be delivered is kept", left, run.stderr())
            ok(numbers(unfolded(smtp.mails)) == list(range(40)), name + "each notice is mailed once", numbers(unfolded(smtp.mails)), counts, run.stderr())
            ok(numbers(http.posts) == list(range(40)), name + "and posted once", numbers(http.posts), run.stderr())
            ok(all(t == {"pushed": 20, "found": 20, "delivered": 40, "lost": 0, "left": 0} for t in counts.values()), name + "and so counted", counts)
            ok("retrying" not in run.stderr() and "cannot" not in run.stderr() and not list(Path(folder, "spool").glob("*-*")), name + "nothing is tried twice, nothing stays", run.stderr())
            smtp.stop()
            http.stop()


def spoilt_program():
    """The same through a program's standard input."""
    for seed in range(1, 7):
        with tempfile.TemporaryDirectory() as folder:
            run = Faulty({"calls": seed}, email_server=sendmail(folder, "exit 0"))
            push(run, 0, 10, EMAIL)
            counts = run.close()
            mails = [p.read_bytes() for p in sorted(Path(folder).glob("*.in"), key=lambda p: int(p.stem))]
            name = "sendmail, seed %d, %d calls spoilt: " % (seed, run.spoilt())
            ok(numbers(unfolded(mails)) == list(range(10)), name + "each notice is handed over once", numbers(unfolded(mails)), run.stderr())
            ok(counts["email"]["delivered"] == 10 and "retrying" not in run.stderr(), name + "at the first try", counts, run.stderr())


def key():
    """The key of one's own mails outlives a start with spoilt calls."""
    for seed in range(1, 13):
        with tempfile.TemporaryDirectory() as folder:
            keys = []
            for again in range(2):
                run = Faulty({"calls": seed + 50 * again}, webhook_url="http://127.0.0.1:%d/" % free_port(), spool_directory=folder + "/spool")
                run.close()
                keys.append(Path(folder, "spool/key").read_bytes())
            ok(len(keys[0]) == 32 and keys[0] == keys[1], "seed %d: the key is written and read whole" % seed, keys, run.stderr())


def full_disk():
    """The spool takes some notices, then no more."""
    for size in (100, 700, 2000, 7000):
        with tempfile.TemporaryDirectory() as folder:
            spool, dead = Path(folder, "spool"), "127.0.0.1:%d" % free_port()
            run = Faulty({"disk": size, "calls": size}, email_server="smtp://" + dead, webhook_url="http://" + dead, spool_directory=spool, courier_wait=0.3)
            push(run, 0, 10)
            until(lambda: all(t["left"] == 10 for t in run.counts().values()))
            counts = run.close()
            name = "a disk that takes %d bytes: " % size
            ok(all(adds_up(t) and t["pushed"] == 10 and t["lost"] for t in counts.values()), name + "what has no file is lost at the end, and counted", counts)
            for target, t in counts.items():
                files = sorted(spool.glob(target + "-*"))
                ok(len(files) == t["left"], name + "%s: what is left are files" % target, [p.name for p in files], t)
                ok(run.stderr().count("mailtap: %s: spool directory: No space left on device" % target) == 1, name + "%s: it is said once" % target, run.stderr())
                ok("mailtap: %s: 0 notices delivered, %d lost, %d left" % (target, t["lost"], t["left"]) in run.stderr(), name + "%s: and the sum" % target, run.stderr())
            ok(not list(spool.glob("*.tmp")), name + "no half file stays", *spool.iterdir())
            smtp, http = Smtp(), Http()
            found = Run(email_server=smtp.url, webhook_url=http.url, spool_directory=spool).close()
            ok([found[t]["delivered"] for t in counts] == [counts[t]["left"] for t in counts], name + "what is left is whole, and delivered by the next", found)
            mailed, posted = numbers(unfolded(smtp.mails)), numbers(http.posts)
            ok(len(mailed) == counts["email"]["left"] == len(set(mailed)) and len(posted) == counts["webhook"]["left"] == len(set(posted)), name + "once", mailed, posted)
            smtp.stop()
            http.stop()


def full_but_delivered():
    """A disk that is full costs safety, not notices."""
    with tempfile.TemporaryDirectory() as folder:
        smtp, http = Smtp(), Http()
        run = Faulty({"disk": 40}, email_server=smtp.url, webhook_url=http.url, spool_directory=folder + "/spool")
        push(run, 0, 10)
        counts = run.close()
        ok(numbers(unfolded(smtp.mails)) == numbers(http.posts) == list(range(10)), "a full disk: each notice is delivered all the same, once", counts, run.stderr())
        ok("notices wait in memory alone" in run.stderr(), "and it is said", run.stderr())
        smtp.stop()
        http.stop()


def full_at_once():
    """Not even the key fits."""
    with tempfile.TemporaryDirectory() as folder:
        run = Faulty({"disk": 5}, expect="", webhook_url="http://127.0.0.1:%d/" % free_port(), spool_directory=folder + "/spool")
        ok(run.process.wait() == 1 and "/spool/key: No space left on device" in run.stderr(), "a disk that is full from the start is an error, and said", run.stderr())
        run = Run(webhook_url="http://127.0.0.1:%d/" % free_port(), spool_directory=folder + "/spool")
        run.close()
        ok(len(Path(folder, "spool/key").read_bytes()) == 32 and not list(Path(folder, "spool").glob("*.tmp")), "and the next start is whole", *Path(folder, "spool").iterdir())


def out_of_memory():
    """In the courier's process: what it had is counted as lost, or in the spool for the next one."""
    smtp, http = Smtp(), Http()
    run = Faulty({"forks": 1}, email_server=smtp.url, webhook_url=http.url)
    push(run, 0, 10)
    run.close()
    count, bad, died = run.allocations(), [], 0
    smtp.stop()
    http.stop()
    tried = sorted({*range(1, 11), *(int(count ** (i / 20)) + 1 for i in range(21)), *(1 + count * i // 20 for i in range(20))})
    for n in tried:
        with tempfile.TemporaryDirectory() as folder:
            smtp, http, where = Smtp(), Http(), {"spool_directory": folder + "/spool"} if n % 2 else {}
            run = Faulty({"forks": 1, "allocation": n}, email_server=smtp.url, webhook_url=http.url, **where)
            push(run, 0, 10)
            counts = run.close(code=None)
            died += run.process.returncode == 3
            said, mailed, posted = run.stderr(crash="libcrypto"), numbers(unfolded(smtp.mails)), numbers(http.posts)
            # OpenSSL itself falls over where its beginning gets no memory.
            dies = run.process.returncode == 3 and ("out of memory" in said or "libcrypto" in said) and "mailtap: courier: the process that delivers notices " in said
            lives = run.process.returncode == 0 and all(t["delivered"] == 10 for t in counts.values())
            fine = all(adds_up(t) and t["pushed"] == 10 and (where or not t["left"]) for t in counts.values()) and (dies or lives)
            if where:
                Run(email_server=smtp.url, webhook_url=http.url, **where).close()
            for target, found in (("email", numbers(unfolded(smtp.mails))), ("webhook", numbers(http.posts))):
                # A delivery whose end it did not live to see is made again, and one whose end libcurl had no memory to tell of.
                missing, twice = 10 - len(set(found)), len(found) - len(set(found))
                again = len(re.findall(r"^mailtap: %s: .*Out of memory; retrying" % target, said, re.M)) * (10 if target == "email" else 1)
                fine &= missing <= counts[target]["lost"] and twice <= (10 if target == "email" else 1) * dies + again
            if not fine:
                bad.append("allocation %d, %s: exit code %d, %s, mailed %s, posted %s: %s" % (n, where, run.process.returncode, counts, mailed, posted, said[-800:]))
            smtp.stop()
            http.stop()
    ok(not bad and died > 1, "%d of %d allocations of the courier fail in turn, %d times it dies of it: each notice is delivered, or counted and said" % (len(tried), count, died), *bad[:5])


for test in (spoilt_calls, spoilt_program, key, full_disk, full_but_delivered, full_at_once, out_of_memory):
    if test.__name__ in sys.argv[4:] or not sys.argv[4:]:
        print("# " + test.__name__, flush=True)
        test()
done()
