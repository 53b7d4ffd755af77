"""From a capture to a mailbox: notices by email and webhook, as the policy says, and never about mail of our own."""
import email
import email.policy
import json
import tempfile
import time
from pathlib import Path

from capturing import capture_of
from courierpeers import Http, Smtp, free_port
from tap import done, mailtap, ok

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-delivery-"))
CLIENT, SERVER, US = "198.51.100.7", "203.0.113.25", "mailtap@example.org"


def capture(*sessions):
    """A capture of sessions, each (client, lines), a second apart."""
    return capture_of(FOLDER, [(i, client, SERVER, lines) for i, (client, lines) in enumerate(sessions)])


def start(sender):
    return ["S: 220 mx", "C: EHLO c", "S: 250 mx", "C: MAIL FROM:<%s>" % sender, "S: 250 ok", "C: RCPT TO:<b@example.net>"]


def refused(host, client=CLIENT, sender="a@example.org"):
    return client, [*start(sender), "S: 554 5.7.1 Client host [%s] blocked using zen.spamhaus.org" % host, "C: QUIT", "S: 221 bye"]


def mail(lines, client=CLIENT, sender="a@example.org"):
    return client, [*start(sender), "S: 250 ok", "C: DATA", "S: 354 go", *("C: " + s for s in lines), "C: .", "S: 250 ok", "C: QUIT", "S: 221 bye"]


def read(path, policy, *args, **settings):
    config = FOLDER / "config.yaml"
    values = dict(country_databases="none", email_from=US, email_to="[abuse@example.org, noc@example.org]", retry_first="50ms", retry_most="200ms", courier_wait="10s")
    values.update(settings)
    rows = "".join("  - %s\n" % row for row in policy)
    config.write_text("".join("%s: %s\n" % pair for pair in values.items()) + ("notice_policy:\n" + rows if rows else ""))
    r = mailtap("read", "-f", "json", "-c", config, *args, path)
    return r.returncode, [json.loads(s) for s in r.stdout.splitlines() if b'"_path":"notice"' in s], r.stderr.decode()


def parsed(m):
    return email.message_from_bytes(m.raw, policy=email.policy.default)


BOTH = ['{note: "*", actions: [log, email, webhook]}']
blocked = capture(refused(CLIENT))

smtp, http = Smtp(), Http()
code, notices, said = read(blocked, BOTH, email_server=smtp.url, webhook_url=http.url, sensor="west")
ok(code == 0 and len(smtp.mails) == 1 and len(http.posts) == 1, "a notice goes both ways", code, said)
ok([n["actions"] for n in notices] == [["log", "email", "webhook"]], "the record says so", notices)
ok([json.loads(p) for p in http.posts] == notices, "the webhook gets the record", http.posts)
m = parsed(smtp.mails[0])
ok(m["Subject"] == "[mailtap] 198.51.100.7 is on an SMTP block list: Spamhaus ZEN", "the mail's subject", m["Subject"])
text = m.get_content()
for part in ("SMTP::Blocklist_Blocked_Host", "2026-11-18 ", "198.51.100.7, port 40000", "203.0.113.25, port 25", "a@example.org", "Spamhaus ZEN",
             "https://check.spamhaus.org/", "5.7.1 Client host [198.51.100.7] blocked", notices[0]["uid"], "west"):
    ok(part in text, "its text has " + part.strip(), text)
ok("1 notices delivered" in said, "what became of it is said", said)

smtp.mails.clear()
code, notices, _ = read(blocked, ['{note: "*", actions: email}'], email_server=smtp.url)
ok(code == 0 and not notices and len(smtp.mails) == 1, "without log it is mailed alone", notices)
smtp.mails.clear()
rows = ['{note: "SMTP::Blocklist_*", only: {local_host: yes}, actions: [log, email]}']
three = capture(refused(CLIENT), refused("192.0.2.9", client="192.0.2.9"), refused(CLIENT), refused(CLIENT))
code, notices, _ = read(three, rows, email_server=smtp.url, local_nets="[198.51.100.0/24]")
ok([(n["host"], n["actions"], n.get("folded", 1)) for n in notices] == [(CLIENT, ["log", "email"], 1), ("192.0.2.9", ["log"], 1), (CLIENT, ["log", "email"], 2)],
   "a row's condition decides", notices)
bodies = "".join(parsed(x).get_content() for x in smtp.mails)
ok(bodies.count("SMTP::Blocklist_Blocked_Host") == 2 and "2, of which this is the last" in bodies, "repeats are mailed as one", bodies)

script = FOLDER / "decide.lua"
script.write_text('function on_notice(n) if n.host == "192.0.2.9" then return {"email"} elseif n.host == "192.0.2.8" then return "drop" end end\n')
smtp.mails.clear()
some = capture(refused("192.0.2.9", client="192.0.2.9"), refused("192.0.2.8", client="192.0.2.8"), refused(CLIENT))
code, notices, said = read(some, [], "--script", script, email_server=smtp.url)
ok(code == 0 and [n["host"] for n in notices] == [CLIENT] and len(smtp.mails) == 1 and "1 of them dropped" in said, "a script may decide instead", notices, said)

# Mail of our own.
spool = FOLDER / "spool"
smtp.mails.clear()
read(blocked, BOTH[:1], email_server=smtp.url, webhook_url=http.url, spool_directory=spool)
ours = smtp.mails[0].raw.decode().replace("\r\n", "\n").split("\n")
ours.insert(0, "X-Originating-IP: [192.0.2.77]")
origin = dict(email_server=smtp.url, webhook_url=http.url, spool_directory=spool, suspicious_origination_networks="[192.0.2.0/24]")
for name, session, mailed in (("our own mail", mail(ours, sender=US), False),
                              ("one with its Message-ID and another sender", mail(ours), True),
                              ("one with a forged Message-ID", mail([s.replace("mailtap.", "mailtap.1") for s in ours], sender=US), True)):
    smtp.mails.clear(), http.posts.clear()
    code, notices, said = read(capture(session), BOTH, **origin)
    ok(len(notices) == 1 and (bool(smtp.mails), bool(http.posts)) == (mailed, mailed), "about %s %s" % (name, "somebody is mailed" if mailed else "nobody is mailed"), notices, said)
    ok(("about mail of our own" in said) != mailed and ("email" in notices[0]["actions"]) == mailed, "and it is said", said)
for name, client, mailed in (("a client of ours", CLIENT, False), ("a private client", "10.0.0.1", False), ("a stranger who takes our name", "192.0.2.1", True)):
    smtp.mails.clear()
    code, notices, said = read(capture(refused(client, client=client, sender=US)), BOTH[:1], email_server=smtp.url, webhook_url=http.url, local_nets="[198.51.100.0/24]")
    ok(len(notices) == 1 and bool(smtp.mails) == mailed, "our sender refused, from " + name, notices, said)

# What is only logged must not swallow what somebody is to know.
smtp.mails.clear()
mixed = capture(refused("192.0.2.25", client="192.0.2.25", sender=US), refused("192.0.2.25", client="192.0.2.25"), refused("192.0.2.25", client="192.0.2.25", sender=US))
code, notices, said = read(mixed, BOTH[:1], email_server=smtp.url, webhook_url=http.url, local_nets="[192.0.2.0/24]")
ok(len(smtp.mails) == 1 and [n["actions"] for n in notices if "email" in n["actions"]] == [["log", "email", "webhook"]], "a refusal of ours does not fold one of others", notices)
script.write_text('function on_notice(n) return {"log", "email"} end\n')
smtp.mails.clear()
code, notices, said = read(capture(*[refused(CLIENT)] * 3), ['{note: "*", actions: drop}'], "--script", script, email_server=smtp.url)
ok([(n["actions"], n.get("folded", 1)) for n in notices] == [(["log", "email"], 1), (["log", "email"], 2)], "what a script decides holds for the repeats", notices)
code, notices, said = read(blocked, [], "--script", script)
ok(code == 0 and notices[0]["actions"] == ["log"] and "email is wanted for SMTP::Blocklist_Blocked_Host, but email_server is not set" in said,
   "without a target it is not done, and that is said", notices, said)
script.write_text('function on_mail(m) notice{note = "Big::One", msg = ("\\1"):rep(300000)} end\n')
http.posts.clear()
code, notices, said = read(capture(mail(["Subject: x", "", "x"])), ['{note: "*", actions: webhook}'], "--script", script, webhook_url=http.url)
ok(code == 0 and len(http.posts) == 1 and len(json.loads(http.posts[0])["msg"]) > 8000, "a notice of endless length is cut, not broken", said)
picky = Http(status=422, fails=5)
both = capture(refused(CLIENT), refused("192.0.2.9", client="192.0.2.9"))
code, notices, said = read(both, ['{note: "*", actions: webhook}'], webhook_url=picky.url, retry_most="60ms")
ok(code == 1 and [json.loads(p)["host"] for p in picky.posts] == ["192.0.2.9"] and "it is given up" in said and "1 lost" in said,
   "what a receiver never takes holds nothing up", code, picky.posts, said)
picky.stop()
code, notices, said = read(blocked, [], email_server=smtp.url)
ok(code == 0 and "email_server is set, but no row of notice_policy has the action email" in said, "a server that nothing is sent to is told of", said)
nat = capture(refused("192.0.2.25", client="10.0.0.5"))
code, notices, said = read(nat, rows, email_server=smtp.url, local_nets="[192.0.2.0/24]")
ok(notices[0]["actions"] == ["log", "email"], "behind a NAT the host is local", notices)

# Where the target is down.
down = "smtp://127.0.0.1:%d" % free_port()
mail_only = ['{note: "*", actions: [log, email]}']
code, notices, said = read(blocked, mail_only, email_server=down, courier_wait="300ms")
ok(code == 1 and len(notices) == 1 and "1 lost" in said, "what cannot be delivered is counted, said, and an error", code, said)
kept = FOLDER / "kept"
code, notices, said = read(blocked, mail_only, email_server=down, courier_wait="300ms", spool_directory=kept)
ok(code == 0 and "1 left in the spool" in said, "a spool keeps it", code, said)
smtp.mails.clear()
code, notices, said = read(capture(mail(["Subject: x", "", "x"])), mail_only, email_server=smtp.url, spool_directory=kept)
ok(code == 0 and len(smtp.mails) == 1, "for the next start", code, said)
many = capture(*(refused("198.51.%d.%d" % (i // 200, i % 200 + 1), client="198.51.%d.%d" % (i // 200, i % 200 + 1)) for i in range(600)))
hung = Smtp(mode="hang")
began = time.monotonic()
code, notices, said = read(many, mail_only, email_server=hung.url, courier_wait="200ms", spool_bytes="64KiB")
took = time.monotonic() - began
ok(len(notices) == 600 and "600 notices" in said and code == 1, "a target that hangs holds nothing up", len(notices), said)
ok(took < 10, "not even for a while", took)
hung.stop()


def refuses(name, policy, *wanted, **settings):
    code, _, said = read(blocked, policy, **settings)
    ok(code == 2 and all(w in said for w in wanted), "refused: " + name, code, said)


refuses("email without a server", mail_only, "email for *", "email_server is not set")
refuses("a webhook without an address", BOTH, "webhook_url is not set", email_server=smtp.url)
refuses("a server of unknown kind", mail_only, "email_server", email_server="smpt://127.0.0.1")
refuses("a mail without recipients", mail_only, "email_to", email_server=smtp.url, email_to="[]")
smtp.stop(), http.stop()
done()
