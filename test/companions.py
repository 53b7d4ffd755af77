#!/usr/bin/python3
"""The scripts that ship in scripts/: what each finds, and what it lets pass."""
import json
import tempfile
from pathlib import Path

from capturing import capture_of
from tap import SOURCE, done, mailtap, ok

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-companions-"))
SCRIPTS = SOURCE / "scripts"


def capture(sessions):
    """A capture of (seconds, client, server, lines)."""
    return capture_of(FOLDER, sessions)


def talk(after, client, rcpts=(("b@example.net", "250 ok"),), sender="a@example.org", lines=None, server="203.0.113.25", greeting="EHLO"):
    text = ["S: 220 mx", "C: %s c" % greeting, "S: 250 mx", "C: MAIL FROM:<%s>" % sender, "S: 250 ok"]
    for rcpt, reply in rcpts:
        text += ["C: RCPT TO:<%s>" % rcpt, "S: " + reply]
    if lines is not None:
        text += ["C: DATA", "S: 354 go", *("C: " + s for s in lines), "C: .", "S: 250 queued"]
    return after, client, server, [*text, "C: QUIT", "S: 221 bye"]


def run(script, path, *settings):
    args = [a for s in ("country_databases=none", "local_nets=192.0.2.0/24", *settings) for a in ("-s", s)]
    r = mailtap("read", "-f", "json", "--script", script, *args, path)
    records = [json.loads(line) for line in r.stdout.splitlines()]
    ok(r.returncode == 0 and b"errors in scripts" not in r.stderr, "%s runs without an error" % Path(script).name, r.stderr.decode())
    return records


def changed(name, **values):
    """The script with other numbers at its top, as its user would write them."""
    lines = (SCRIPTS / name).read_text().split("\n")
    for key, value in values.items():
        at = next(i for i, line in enumerate(lines) if line.startswith(key + " = "))
        lines[at] = "%s = %s" % (key, value)
    path = FOLDER / name
    path.write_text("\n".join(lines))
    return path


def notices(records):
    return [(r["note"], r.get("host"), r.get("folded", 1)) for r in records if r["_path"] == "notice"]


# Reject rates.
BAD, GOOD = [("x@example.net", "550 5.1.1 no such user")], [("b@example.net", "250 ok")]


def traffic(client, total, bad, step=5, start=0):
    """So many connections, the refused ones spread evenly."""
    return [talk(start + i * step, client, BAD if (i + 1) * bad // total > i * bad // total else GOOD) for i in range(total)]


rates = SCRIPTS / "reject-rates.lua"
found = notices(run(rates, capture(traffic("192.0.2.7", 310, 155))))
ok(found and {n[:2] for n in found} == {("SMTP::Possible_Internal_Spam", "192.0.2.7")}, "one of ours that is refused too often", found)
few = changed("reject-rates.lua", spam_threshold=30)
ok(notices(run(few, capture(traffic("198.51.100.7", 40, 20))))[0][:2] == ("SMTP::Possible_Spam", "198.51.100.7"), "a host from outside")
servers = changed("reject-rates.lua", spam_threshold=30, mail_servers='{"192.0.2.25"}')
found = run(servers, capture(traffic("192.0.2.25", 40, 20)))
ok(notices(found)[0][:2] == ("SMTP::Strange_Reject_Behavior", "192.0.2.25"), "a mail server of ours")
first = next(r for r in found if r["_path"] == "notice")
ok(first["sub"] == "connections: 30, rejected: 46 percent" and "percentage of mail from 192.0.2.25" in first["msg"], "with its numbers", first)
ok(not notices(run(few, capture(traffic("198.51.100.7", 29, 29)))), "too few connections to tell")
ok(not notices(run(few, capture(traffic("198.51.100.7", 40, 8)))), "a rate as it should be")
ok(not notices(run(few, capture(traffic("198.51.100.7", 25, 25) + traffic("198.51.100.7", 25, 25, start=3700)))), "an hour later it counts anew")
many = [talk(i, "198.51.100.7", BAD * 9 if i < 8 else GOOD) for i in range(40)]
ok(not notices(run(few, capture(many))), "many refusals in a connection are one refused connection")

# Phishing.
PHISH = ["From: Help Desk <help@uni.example.org>", "Reply-To: Team <Answers@phish.example>", "Subject: Quota", "", "Send us your PassWord now."]
staff = lambda n, start=0: [("u%d@uni.example.org" % i, "250 ok") for i in range(start, start + n)]
phish = SCRIPTS / "password-phish.lua"
wave = [talk(10 * i, "198.51.100.9", staff(20, 20 * i), "spam@phish.example", PHISH) for i in range(4)]
answer = talk(500, "192.0.2.10", [("answers@phish.example", "250 ok")], "u3@uni.example.org", ["Subject: Re: Quota", "", "secret"], server="198.51.100.1")
records = run(phish, capture([*wave, answer]))
got = [(r["note"], r["msg"]) for r in records if r["_path"] == "notice"]
ok(got == [("Phish::Possible_Password_Phish", "spam@phish.example (answers to answers@phish.example) may be phishing - Quota"),
           ("Phish::Possible_Password_Reply", "u3@uni.example.org replied to answers@phish.example - Re: Quota")], "the phisher, and who answered", got)
mails = [r for r in records if r["_path"] == "smtp"]
ok([m.get("tags") for m in mails] == [["password"]] * 2 + [["password", "phishing"]] + [["password"]] + [["phishing_answer"]], "mails are tagged", [m.get("tags") for m in mails])
log = [r for r in records if r["_path"] == "password_mail"]
ok(len(log) == 4 and log[0]["mailfrom"] == "spam@phish.example" and len(log[0]["rcptto"]) == 20, "and logged", log[:1])
ok(not notices(run(phish, capture([talk(0, "198.51.100.9", staff(60), "news@example.com", ["Subject: News", "", "Nothing new."])]))), "other mail is none")
ok(not notices(run(phish, capture([talk(0, "192.0.2.9", staff(60), "it@uni.example.org", PHISH)]))), "nor is what our own hosts send")
ok(not notices(run(phish, capture([*wave[:2], answer]))), "nor a few")
ignoring = changed("password-phish.lua", ignore_senders='{"Spam@phish.example"}')
ok(not notices(run(ignoring, capture(wave))), "nor whom the owner trusts")
slow = [talk(3700 * i, "198.51.100.9", staff(20, 20 * i), "spam@phish.example", PHISH) for i in range(4)]
ok(not notices(run(phish, capture(slow))), "nor what takes hours")

# Metrics.
minutes = [talk(21, "198.51.100.1", lines=["", "x"]), talk(22, "192.0.2.1", BAD), talk(50, "198.51.100.2", BAD), talk(90, "192.0.2.1", lines=["", "x"]), talk(220, "198.51.100.1", lines=["", "x"])]
records = [r for r in run(SCRIPTS / "mail-metrics.lua", capture(minutes)) if r["_path"] == "mail_metrics"]
values = [[r[k] for k in ("total", "inbound", "inbound_err", "outbound", "outbound_err")] for r in records]
ok(values == [[3, 2, 1, 1, 1], [1, 0, 0, 1, 0], [1, 1, 0, 0, 0]], "mails a minute, the last one too", records)
ok([r["ts"] % 60 for r in records[:2]] == [0, 0], "at full minutes", records)
done()
