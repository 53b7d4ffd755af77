"""Two sensors, each of which sees half of a spam run, a bus, a loader that is ended between them, and one notice in ClickHouse."""
import json

from capturing import capture_of
from courierpeers import Http
from tap import SOURCE, mailtap, ok

HOST, SERVER = "198.51.100.7", "203.0.113.25"
REFUSED = ["S: 220 mx ESMTP", "C: EHLO c.example", "S: 250 mx", "C: MAIL FROM:<a@example.org>", "S: 250 ok", "C: RCPT TO:<b@example.net>",
           "S: 554 5.7.1 Client host [%s] blocked using zen.spamhaus.org" % HOST, "C: QUIT", "S: 221 bye"]


def publish(folder, url, sensor, after):
    capture = capture_of(folder, [(20 * i + after, HOST, SERVER, REFUSED) for i in range(12)])
    given = ("outbox_directory=%s" % (folder / "sensors"), "sensor=%s" % sensor, "country_databases=none", "carry_wait=60s")
    r = mailtap("read", *[a for s in given for a in ("-s", s)], "--script", SOURCE / "scripts/spam-run.lua", "-o", url, capture)
    ok(r.returncode == 0 and b" 12 notices, 11 of them folded" in r.stderr, "sensor %s tells of the block list, and of no run" % sensor, r.stderr.decode())


def run(folder, bus, server, drain):
    """`drain` as in load.py."""
    url, state = bus.url("RUN"), folder / "state"
    state.mkdir(mode=0o777)
    state.chmod(0o777)  # root becomes somebody plain
    hook = Http()
    policy = folder / "policy.lua"
    policy.write_text('function on_notice(n) return {"log", "webhook"} end\n')
    settings = ("load_scripts=%s,%s" % (SOURCE / "scripts/spam-run.lua", policy), "webhook_url=%s" % hook.url, "load_state=%s" % (state / "load"), "sensor=center", "country_databases=none")
    said = []
    for sensor, after in (("a", 0), ("b", 10)):
        publish(folder, url, sensor, after)
        code, loader = drain(folder, url, server, "run", *settings)
        said.append(loader.words())
        ok(code == 0, "a loader takes what it has sent, and ends", code, loader.words())
    rows = [json.loads(r) for r in server.ask("SELECT note, sensor, identifier, sub, folded FROM notice FINAL ORDER BY ts FORMAT JSONEachRow", "run").splitlines()]
    spam = [r for r in rows if r["note"] == "SMTP::Spam_Run"]
    ok(len(spam) == 1 and spam[0]["sensor"] == "center" and spam[0]["identifier"] == "host " + HOST and "seen by 2 sensors" in spam[0]["sub"], "both halves are one notice, though the loader has ended between them", rows, *said)
    listed = [r for r in rows if r["note"] == "SMTP::Blocklist_Blocked_Host"]
    ok(len(listed) == 1 and listed[0]["sensor"] == "a", "and what both sensors say is there once", rows)
    ok(server.number("SELECT count() FROM smtp FINAL", "run") == 24, "with all mails")
    posts = [json.loads(p) for p in hook.posts]
    hook.stop()
    ok([(p["note"], p["sensor"], p["actions"]) for p in posts] == [("SMTP::Blocklist_Blocked_Host", "a", ["log", "webhook"]), ("SMTP::Spam_Run", "center", ["log", "webhook"])], "each of the two is posted once, by the loader", posts, *said)
