"""The courier: its process against servers that work, fail, hang and come back; all on loopback.
usage: courier.py MAILTAP COURIER-RUN [TEST...]"""
import base64
import email
import email.policy
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from courierpeers import Http, Run, Smtp, adds_up, free_port, sendmail
from tap import done, ok, skip
from waiting import LONG, until

EMAIL, WEBHOOK, BOTH = 1, 2, 3


def parsed(mail):
    raw = mail.raw if hasattr(mail, "raw") else mail
    return email.message_from_bytes(raw, policy=email.policy.default)


def body(mail):
    return parsed(mail).get_content().replace("\r\n", "\n")


def subjects_in(mails):
    """Of all notices in the mails, in their order."""
    found = []
    for mail in mails:
        inner = re.findall(r"(?m)^\[\d+/\d+\] (.*)$", body(mail))
        found += inner or [parsed(mail)["Subject"].replace("[mailtap] ", "")]
    return found


def one_mail():
    server = Smtp()
    run = Run("email_to=abuse@example.org", "email_to=noc@example.org", "email_from=mailtap@example.org", email_server=server.url)
    run.push(EMAIL, "Späm from 192.0.2.1", "Grüße\\n.dot\\n..\\n.\\nend\\n" + "x" * 3000)
    ok(until(lambda: server.mails), "a notice is mailed at once", run.stderr())
    mail = server.mails[0]
    ok(mail.sender.startswith("MAIL FROM:<mailtap@example.org>"), "with its sender", mail.sender)
    ok(mail.recipients == ["abuse@example.org", "noc@example.org"], "to all recipients", mail.recipients)
    m = parsed(mail)
    ok(m["Subject"] == "[mailtap] Späm from 192.0.2.1", "the subject arrives", m["Subject"])
    ok(body(mail) == "Grüße\n.dot\n..\n.\nend\n" + "x" * 3000 + "\n", "the text arrives", mail.raw)
    ok(m["From"] == "mailtap@example.org" and m["To"] == "abuse@example.org, noc@example.org", "From and To", mail.raw)
    ok(m["Auto-Submitted"] == "auto-generated" and m["MIME-Version"] == "1.0" and not m.defects, "the header is whole", mail.raw)
    ok(abs(m["Date"].datetime.timestamp() - time.time()) < 60, "Date is now", m["Date"])
    ok(max(map(len, mail.raw.split(b"\r\n"))) <= 998 and b"\n" not in mail.raw.replace(b"\r\n", b""), "lines are short and end well")
    ident = m["Message-ID"].strip()
    forged = ident.replace("mailtap.", "mailtap.1")
    ok(run.say("own", ident, "mailtap@example.org") == "1", "the mail is known as our own", ident)
    ok(run.say("own", forged, "mailtap@example.org") == "0", "a forged one is not", forged)
    ok(run.say("own", ident, "spam@example.net") == "0", "nor one with another sender")
    counts = run.close()
    ok(counts["email"] == {"pushed": 1, "found": 0, "delivered": 1, "lost": 0, "left": 0}, "counted", counts)
    ok(run.stderr() == "mailtap: email: 1 notices delivered, 0 lost, 0 left in the spool\n", "said at the end", run.stderr())
    server.stop()


def digest():
    server = Smtp()
    run = Run(email_server=server.url, email_interval=1.5)
    run.push(EMAIL, "first", "text first\\n")
    until(lambda: server.mails)
    for i in range(5):
        run.push(EMAIL, "late %d" % i, "text %d\\n" % i)
    until(lambda: len(server.mails) > 1)
    run.push(EMAIL, "at the end")
    counts = run.close()
    ok(len(server.mails) == 3 and counts["email"]["delivered"] == 7, "the notices of an interval are one mail", counts, *subjects_in(server.mails))
    ok(server.mails[1].time - server.mails[0].time >= 1.4, "an interval passes between mails", [m.time for m in server.mails])
    ok(server.mails[2].time - server.mails[1].time < 1.4, "not so at the end")
    ok(parsed(server.mails[1])["Subject"] == "[mailtap] 5 notices", "a digest's subject", server.mails[1].raw)
    ok(subjects_in(server.mails[1:2]) == ["late %d" % i for i in range(5)] and all("text %d\n" % i in body(server.mails[1]) for i in range(5)),
       "each subject and text of a digest is there, in order", body(server.mails[1]))
    server.stop()


def rate():
    server = Smtp()
    run = Run(email_server=server.url, email_rate=3)
    for i in range(2):
        run.push(EMAIL, "n %d" % i)
        until(lambda: run.counts()["email"]["delivered"] == i + 1)
    for i in range(2, 6):
        run.push(EMAIL, "n %d" % i)
    until(lambda: len(server.mails) > 2, 0.5)
    ok(len(server.mails) == 2 and run.counts()["email"]["left"] == 4, "over the rate notices wait", len(server.mails))
    counts = run.close()
    ok(len(server.mails) == 3 and counts["email"]["delivered"] == 6, "the hour's last mail takes all of them at the end", counts)
    ok(subjects_in(server.mails) == ["n %d" % i for i in range(6)], "in order", subjects_in(server.mails))
    server.stop()
    server = Smtp()
    run = Run(email_server=server.url, email_rate=1)
    run.push(EMAIL, "one")
    until(lambda: run.counts()["email"]["delivered"])
    run.push(EMAIL, "two")
    began = time.monotonic()
    counts = run.close()
    ok(len(server.mails) == 1 and counts["email"]["lost"] == 1 and adds_up(counts["email"]), "at the end, too, the rate holds", counts)
    ok(time.monotonic() - began < 5, "and nobody waits for what cannot come", time.monotonic() - began)
    server.stop()


def refusals():
    for mode, reply, what in (("mail", b"451 4.3.0 try later", "MAIL gets a 451"), ("rcpt", b"550 5.1.1 nobody", "RCPT gets a 550"),
                              ("data", b"554 5.7.1 not so", "the message gets a 554"), ("data", b"452 4.3.1 full", "the message gets a 452")):
        server = Smtp(mode=mode, reply=reply, fails=3)
        run = Run(email_server=server.url)
        run.push(EMAIL, "one")
        run.push(EMAIL, "two")
        ok(until(lambda: run.counts()["email"]["delivered"] == 2), "%s: delivered later" % what, run.stderr())
        counts = run.close()
        said = re.findall(r"(?m)^mailtap: email: (.*); retrying$", run.stderr())
        ok(len(said) == 1 and reply.decode() in said[0] and server.url in said[0], "%s: said once, with the reply" % what, run.stderr())
        ok("email: %s: delivers again" % server.url in run.stderr(), "%s: the end of it is said" % what, run.stderr())
        ok(sorted(subjects_in(server.mails)) == ["one", "two"] and counts["email"]["lost"] == 0, "%s: nothing twice" % what, counts)
        server.stop()


def down_then_up():
    port = free_port()
    run = Run(email_server="smtp://127.0.0.1:%d" % port, webhook_url="http://127.0.0.1:%d/" % port, email_interval=0.1)
    for i in range(20):
        run.push(BOTH, "n %d" % i, json_text='{"n":%d}' % i)
    ok(until(lambda: run.stderr().count("Connection refused; retrying") == 2), "what is down is said", run.stderr())
    server = Smtp(port)
    ok(until(lambda: run.counts()["email"]["delivered"] == 20), "up again, all is delivered", run.stderr())
    server.stop()
    hook = Http(port)
    ok(until(lambda: run.counts()["webhook"]["delivered"] == 20), "by the webhook too", run.stderr())
    run.close()
    ok(subjects_in(server.mails) == ["n %d" % i for i in range(20)], "in order, nothing twice", subjects_in(server.mails))
    ok(hook.posts == ['{"n":%d}' % i for i in range(20)], "in order, nothing twice, by the webhook", hook.posts)
    ok(run.stderr().count("retrying") == 2, "an outage is said once", run.stderr())
    hook.stop()


def down_for_ever():
    for kept in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            where = {"spool_directory": folder + "/spool"} if kept else {}
            port = free_port()
            run = Run(email_server="smtp://127.0.0.1:%d" % port, webhook_url="http://127.0.0.1:%d/" % port, spool_bytes=1000, courier_wait=0.3,
                      **where)
            for i in range(100):
                run.push(BOTH, "n %d" % i, json_text='{"n":%d}' % i)
            until(lambda: sum(run.counts()[t]["lost"] for t in ("email", "webhook")) > 100)
            counts = run.close()
            how = "with a spool directory" if kept else "without one"
            for name, t in counts.items():
                ok(t["pushed"] == 100 and adds_up(t) and t["delivered"] == 0, "%s, %s: each is accounted for" % (name, how), t)
                ok(t["lost"] < 100 and 0 < t["left"] if kept else t["lost"] == 100, "%s, %s: lost over the bound" % (name, how), t)
                ok(len(re.findall("mailtap: %s: spool of 1000 bytes is full" % name, run.stderr())) == 1, "the first loss is said", run.stderr())
                ok("mailtap: %s: 0 notices delivered, %d lost, %d left" % (name, t["lost"], t["left"]) in run.stderr(), "and the sum", run.stderr())
            if kept:
                files = sorted(p.name for p in Path(folder, "spool").iterdir())
                ok(sum(f.startswith("email-") for f in files) == counts["email"]["left"], "what is left are files", files, counts)


def survives():
    with tempfile.TemporaryDirectory() as folder:
        spool, server, hook = Path(folder, "spool"), Smtp(), Http()
        run = Run(email_server=server.url, spool_directory=spool)
        run.push(EMAIL, "sent")
        until(lambda: server.mails)
        ident = parsed(server.mails.pop())["Message-ID"]
        run.close()
        dead = free_port()
        run = Run(email_server="smtp://127.0.0.1:%d" % dead, webhook_url="http://127.0.0.1:%d" % dead, spool_directory=spool)
        ok(run.say("own", ident, "mailtap@example.org") == "1", "a mail sent before is known as our own after a restart")
        for i in range(30):
            run.push(BOTH, "n %d" % i, json_text='{"n":%d}' % i)
        ok(until(lambda: len(list(spool.glob("*-*"))) == 60), "each notice is a file", len(list(spool.glob("*-*"))))
        ok(oct(spool.stat().st_mode & 0o777) == "0o700" and all(p.stat().st_mode & 0o777 == 0o600 for p in spool.iterdir()), "nobody else may read them")
        other = Run(email_server=server.url, spool_directory=spool, expect="")
        ok(other.process.wait() == 1 and "another mailtap uses it" in other.stderr(), "two couriers do not share a spool", other.stderr())
        run.kill()
        run = Run(email_server=server.url, webhook_url=hook.url, spool_directory=spool)
        run.push(BOTH, "new", json_text='{"n":30}')
        counts = run.close()
        ok(counts["email"] == {"pushed": 1, "found": 30, "delivered": 31, "lost": 0, "left": 0} == counts["webhook"],
           "after SIGKILL the next courier delivers", counts, run.stderr())
        ok(subjects_in(server.mails) == ["n %d" % i for i in range(30)] + ["new"], "in order", subjects_in(server.mails))
        ok(hook.posts == ['{"n":%d}' % i for i in range(31)], "in order, by the webhook", hook.posts)
        ok(not list(spool.glob("*-*")), "and the files are gone", *spool.iterdir())
        server.stop()
        hook.stop()


def sensor_dies():
    with tempfile.TemporaryDirectory() as folder:
        spool, server = Path(folder, "spool"), Smtp()
        run = Run(email_server=server.url, email_interval=1000, spool_directory=spool)
        run.push(EMAIL, "first")
        until(lambda: server.mails)
        run.push(EMAIL, "second")
        until(lambda: list(spool.glob("email-*")))
        run.kill(child=False)
        run2 = Run(email_server=server.url, spool_directory=spool)
        counts = run2.close()
        ok(subjects_in(server.mails) == ["first", "second"], "where the sensor alone dies nothing is lost or twice", counts, *subjects_in(server.mails))
        ok("the sensor died" in run.stderr(), "and its courier says so", run.stderr())
        server.stop()
    server = Smtp()
    run = Run(email_server=server.url, email_interval=1000)
    run.push(EMAIL, "first")
    until(lambda: server.mails)
    run.push(EMAIL, "second")
    until(lambda: run.counts()["email"]["left"] == 1)
    run.kill(child=False)
    ok(until(lambda: len(server.mails) == 2), "without a directory its courier delivers the rest", run.stderr())
    ok(until(lambda: not Path("/proc/%d" % run.pid).exists()), "and ends")
    server.stop()


def courier_dies():
    server = Smtp(mode="hang")
    run = Run(email_server=server.url)
    run.push(EMAIL, "one")
    until(lambda: server.sessions)
    os.kill(run.pid, signal.SIGKILL)
    for i in range(50):
        run.push(EMAIL, "n %d" % i)
        until(lambda: "is gone" in run.stderr(), 0.1)
    counts = run.close(code=3)
    ok(counts["email"] == {"pushed": 51, "found": 0, "delivered": 0, "lost": 51, "left": 0}, "where the courier dies the loss is counted", counts)
    ok(run.stderr().count("is gone") == 1, "and said", run.stderr())
    server.stop()


def webhooks():
    hook = Http()
    run = Run(webhook_url=hook.url)
    texts = ['{"subject":"Grüße %d","quote":"\\\\""}' % i for i in range(50)]
    for text in texts:
        run.push(BOTH, "no email is set", json_text=text.replace("\\", "\\\\"))
    counts = run.close()
    ok(counts["webhook"]["delivered"] == 50 and counts["email"]["pushed"] == 0, "notices are posted, each for itself", counts)
    ok(hook.posts == texts, "as they are, in order", *hook.posts[:3])
    ok(hook.asked[0][:3] == ("POST", "/hook", "application/json"), "by POST of JSON", hook.asked[0])
    hook.stop()
    for status in (500, 404, 429, 302):
        elsewhere = Http()
        hook = Http(status=status, fails=2, location=elsewhere.url)
        run = Run(webhook_url=hook.url)
        for i in range(3):
            run.push(WEBHOOK, "", json_text='{"n":%d}' % i)
        ok(until(lambda: len(hook.posts) == 3), "after status %d it is tried again" % status, run.stderr())
        ok(run.close()["webhook"]["lost"] == 0 and hook.posts == ['{"n":%d}' % i for i in range(3)], "in order", hook.posts)
        ok("webhook: http://127.0.0.1:%d: HTTP status %d; retrying" % (hook.port, status) in run.stderr(), "it is said, without the URL's path", run.stderr())
        ok(not elsewhere.asked, "no redirect is followed", elsewhere.asked)
        hook.stop()
        elsewhere.stop()


def one_hangs():
    server, hook = Smtp(), Http(hang=True)
    run = Run(email_server=server.url, webhook_url=hook.url, timeout=LONG, courier_wait=0.5)
    run.push(BOTH, "one")
    until(lambda: hook.asked)
    run.push(BOTH, "two")
    ok(until(lambda: subjects_in(server.mails) == ["one", "two"], 3), "a webhook that hangs does not hold up email", run.stderr())
    began = time.monotonic()
    counts = run.close()
    ok(time.monotonic() - began < 4 and counts["webhook"]["lost"] == 2, "nor the end of the program", time.monotonic() - began, counts)
    server.stop()
    hook.stop()
    server, hook = Smtp(mode="hang"), Http()
    run = Run(email_server=server.url, webhook_url=hook.url, timeout=1, courier_wait=0.5)
    run.push(BOTH, "one", json_text='{"n":1}')
    until(lambda: server.sessions)
    run.push(BOTH, "two", json_text='{"n":2}')
    ok(until(lambda: len(hook.posts) == 2, 3), "a mail server that hangs does not hold up the webhook", run.stderr())
    ok(until(lambda: "; retrying" in run.stderr(), 5), "its delivery times out", run.stderr())
    server.mode = "ok"
    ok(until(lambda: len(server.mails) == 1, 5), "and is tried again", run.stderr())
    run.close()
    server.stop()
    server = Smtp(mode="noquit")
    run = Run(email_server=server.url, webhook_url=hook.url, timeout=LONG)
    run.push(EMAIL, "one")
    until(lambda: server.mails)
    run.push(BOTH, "two", json_text='{"n":3}')
    ok(until(lambda: len(hook.posts) == 3 and len(server.mails) == 2, 8), "a mail server that does not answer QUIT holds up nothing", len(server.mails))
    counts = run.close()
    ok(counts["email"]["delivered"] == 2, "what it took is delivered", counts)
    server.stop()
    hook.stop()


def programs():
    with tempfile.TemporaryDirectory() as folder:
        server = sendmail(folder, "[ $n -gt 1 ] || exit 75")
        run = Run("email_from=mailtap@example.org", "email_to=abuse@example.org", "email_to=noc@example.org", email_server=server)
        run.push(EMAIL, "one", ".\\n.dot\\nend\\n")
        run.push(EMAIL, "two")
        ok(until(lambda: run.counts()["email"]["delivered"] == 2), "a sendmail program is tried again until it takes the mail", run.stderr())
        run.close()
        last = max(Path(folder).glob("*.in"), key=lambda p: int(p.stem))
        mails = [p.read_bytes() for p in sorted(Path(folder).glob("*.in"), key=lambda p: int(p.stem))][2:]
        ok(sorted(subjects_in(mails)) == ["one", "two"] and b".\n.dot\nend\n" in b"".join(mails), "it gets the mail", *mails)
        ok(b"\r" not in mails[0], "with the line ends of a text file", mails[0])
        ok(last.with_suffix(".args").read_text().split() == ["-i", "-f", "mailtap@example.org", "--", "abuse@example.org", "noc@example.org"],
           "and who it is from and to", last.with_suffix(".args").read_text())
        ok("%s: exit code 75; retrying" % server in run.stderr(), "its failure is said", run.stderr())
    with tempfile.TemporaryDirectory() as folder:
        server = sendmail(folder, 'if [ $n = 0 ]; then sleep 600 & echo $! >"%s/pid"; wait; fi' % folder)
        run = Run(email_server=server, timeout=1)
        run.push(EMAIL, "one")
        ok(until(lambda: run.counts()["email"]["delivered"] == 1), "one that hangs is tried again", run.stderr())
        ok("took too long and was killed; retrying" in run.stderr(), "after it was killed", run.stderr())
        pid = int(Path(folder, "pid").read_text())
        ok(until(lambda: not Path("/proc/%d" % pid).exists() or "Z" in Path("/proc/%d/stat" % pid).read_text()), "with what it started")
        run.close()


def injection():
    server = Smtp()
    run = Run(email_server=server.url)
    run.push(EMAIL, "x\\r\\nBcc: evil@example.net\\r\\n\\r\\nbody", "t\\r\\n.\\r\\nMAIL FROM:<a@b>\\r\\n\\0\\n")
    run.push(EMAIL, "y\\nX-Evil: 1\\0\\x7f", "z\\n")
    ok(until(lambda: run.counts()["email"]["delivered"] == 2), "hostile texts are delivered", run.stderr())
    run.close()
    for mail in server.mails:
        names = [k.lower() for k in parsed(mail).keys()]
        ok(names == ["from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type", "content-transfer-encoding"],
           "no text of theirs is a header", mail.raw)
        ok(mail.recipients == ["abuse@example.org"], "or a recipient", mail.recipients)
    ok(".\nMAIL FROM:<a@b>\n" in "".join(map(body, server.mails)), "or a command", *[m.raw for m in server.mails])
    ok(len(server.mails) == server.sessions, "each mail is one", len(server.mails), server.sessions)
    server.stop()


def never_blocks():
    for stopped in (True, False):
        run = Run(email_server="smtp://127.0.0.1:%d" % free_port(), webhook_url="http://127.0.0.1:%d" % free_port(), courier_wait=1,
                  spool_bytes=400000)
        if stopped:
            os.kill(run.pid, signal.SIGSTOP)
        seconds = float(run.say("flood", 10000, BOTH))
        how = "a courier that is stopped" if stopped else "targets that are dead"
        ok(seconds < 3, "10000 notices with %s take %.3f s" % (how, seconds))
        if stopped:
            ok(run.counts()["email"]["lost"] > 0, "what is over the backlog is lost", run.counts())
            os.kill(run.pid, signal.SIGCONT)
        counts = run.close()
        ok(all(t["pushed"] == 10000 and adds_up(t) for t in counts.values()), "each of them is accounted for", counts)
    run = Run(email_server="smtp://127.0.0.1:%d" % free_port(), courier_wait=0.5)
    os.kill(run.pid, signal.SIGSTOP)
    run.say("flood", 10000, EMAIL)
    began = time.monotonic()
    counts = run.close(code=3)
    ok(time.monotonic() - began < 10, "nor does a stopped courier hold up the end", time.monotonic() - began)
    ok(counts["email"]["lost"] == 10000 and "was killed" in run.stderr(), "which says what is lost", counts, run.stderr())
    server = Smtp()
    run = Run(email_server=server.url, spool_bytes=1 << 24)
    run.say("flood", 10000, EMAIL)
    while run.counts()["email"]["left"] and run.say("poll"):
        if len(server.mails) > 60:
            break
    counts = run.close()
    want = ["notice %d" % i for i in range(1, 10001)]
    ok(counts["email"]["delivered"] == 10000 and subjects_in(server.mails) == want, "with a target that works all 10000 arrive, in order", counts)
    server.stop()


def signals():
    server = Smtp()
    run = Run(email_server=server.url)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(run.pid, number)
    run.push(EMAIL, "one")
    ok(until(lambda: server.mails), "signals for the sensor do not end the courier", run.stderr())
    links = {os.readlink(p) for p in Path("/proc/%d/fd" % run.pid).iterdir()}
    stdout = os.readlink("/proc/%d/fd/1" % run.process.pid)
    ok(stdout not in links, "the courier does not keep the sensor's output open", stdout, links)
    ok(os.readlink("/proc/self/fd/%d" % run.extra) not in links, "nor else anything", links)
    run.close()
    server.stop()


def password():
    server = Smtp(auth=True)
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("se cret\n")
        file.flush()
        run = Run(email_server=server.url, email_user="mailtap", email_password_file=file.name)
        run.push(EMAIL, "one")
        ok(until(lambda: server.mails), "a mail with a password is sent", run.stderr())
        ok(server.credentials and base64.b64decode(server.credentials) == b"\0mailtap\0se cret", "with the right one", server.credentials)
        run.close()
    server.stop()


def settings():
    for arguments, says in (({"email_server": "ftp://x"}, "the scheme must be smtp or smtps"), ({"webhook_url": "file:///x"}, "the scheme must be http"),
                            ({"email_server": "smtp://x", "email_password_file": "/x", "email_user": "x"}, "/x: No such file"),
                            ({"webhook_url": "http://x", "spool_directory": "/dev/null/x"}, "spool_directory: /dev/null/x")):
        run = Run(expect="", **arguments)
        ok(run.process.wait() == 1 and says in run.stderr(), "refused: %s" % says, run.stderr())
    run = Run(expect="nothing to do")
    run.push(BOTH, "x")
    ok(run.say("own", "<a@b>", "a@b") == "0" and run.close()["email"]["pushed"] == 0, "without targets there is nothing to do")


def postfix():
    program = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
    if not program:
        skip("mails to Postfix's smtp-sink", "it is not installed (package postfix)")
        return
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        os.chmod(folder, 0o777)
        # As root it insists on being somebody else.
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        sink = subprocess.Popen([program, *user, "-d", "mail.", "127.0.0.1:%d" % port, "100"], cwd=folder, stderr=subprocess.DEVNULL)
        run = Run("email_from=mailtap@example.org", "email_to=abuse@example.org", "email_to=noc@example.org",
                  email_server="smtp://127.0.0.1:%d" % port, email_interval=1)
        for i in range(3):
            run.push(EMAIL, "Spam %d" % i, "Text %d\\n.\\n" % i)
        until(lambda: run.counts()["email"]["delivered"] >= 1)
        counts = run.close()
        sink.terminate()
        sink.wait()
        files = sorted(Path(folder).glob("mail.*"), key=lambda p: p.stat().st_mtime_ns)
        whole = "".join(p.read_bytes().decode() for p in files)
        ok(counts["email"]["delivered"] == 3 and files, "Postfix's smtp-sink takes the mails", counts, run.stderr())
        ok(all("Spam %d" % i in whole and "Text %d" % i in whole for i in range(3)), "with all texts", whole)
        ok("X-Mail-Args: <mailtap@example.org>" in whole and "X-Rcpt-Args: <noc@example.org>" in whole, "and its envelope", whole)


def main():
    for test in (one_mail, digest, rate, refusals, down_then_up, down_for_ever, survives, sensor_dies, courier_dies, webhooks, one_hangs, programs,
                 injection, never_blocks, signals, password, settings, postfix):
        if test.__name__ in sys.argv[3:] or not sys.argv[3:]:
            print("# " + test.__name__, flush=True)
            test()
    done()


main()
