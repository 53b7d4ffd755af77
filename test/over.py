#!/usr/bin/python3
"""Notices over all sensors: what the loader makes of the lines of several (src/over.c), by a program that has nothing else; and from two captures to one notice."""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from capturing import capture_of
from tap import SHARED, SOURCE, done, mailtap, ok, skip

OVER = sys.argv[2]
FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-over-"))
T = 1700000000
SERVER = "203.0.113.25"
QUIET = "country_databases=none"


def over(*given, settings=()):
    """What the program says to lines and words, each a line; its words begin with !."""
    args = [OVER]
    for s in (QUIET, *settings):
        args += ["-c" if isinstance(s, Path) else "-s", str(s)]
    data = b"".join(g if isinstance(g, bytes) else g.encode() + b"\n" for g in given)
    r = subprocess.run(args, input=data, capture_output=True, timeout=60)
    if r.returncode or b"Sanitizer" in r.stderr:
        ok(False, "the program ends well", r.stderr.decode(errors="replace")[-3000:])
    return r.stdout.splitlines(), r.stderr.decode()


def lines_of(*given, settings=()):
    return [x.decode() for x in over(*given, settings=settings)[0] if not x.startswith(b"!")]


def counts(*given, settings=()):
    found = [x for x in over(*given, "!counts", settings=settings)[0] if x.startswith(b"!counts ")]
    return json.loads(found[-1][len("!counts "):])


def line(path, at, written=None, **fields):
    """As an outbox has it."""
    head = '{"_path":"%s","_write_ts":%.6f,"ts":%.6f' % (path, T + (at if written is None else written), T + at)
    return head + "".join(",%s:%s" % (json.dumps(k.replace("__", ".")), json.dumps(v, separators=(",", ":"), ensure_ascii=False)) for k, v in fields.items()) + "}"


def notice(sensor, at, identifier="x", note="A::B", written=None, actions=("log",), suppress_for=3600.0, **more):
    return line("notice", at, written, note=note, msg="m", src="192.0.2.1", identifier=identifier, actions=list(actions), suppress_for=Raw(suppress_for), **more, sensor=sensor)


class Raw(float):
    """Printed as the sink prints seconds."""

    def __repr__(self):
        return "%.6f" % float(self)


def brief(lines):
    """Of notices: who, when, how many they stand for."""
    found = [json.loads(x) for x in lines]
    return [(n.get("sensor"), round(n["ts"] - T), n.get("folded", 1)) for n in found if n["_path"] == "notice"]


def mail(sensor, at, host="192.0.2.7", written=None, disposition="accepted", number=1, **more):
    fields = {"uid": "C%s%d" % (sensor, number), "id__orig_h": host, "id__orig_p": 1000 + number % 60000, "id__resp_h": SERVER, "id__resp_p": 25, "trans_depth": 1,
              "mailfrom": "a@example.org", "rcptto": ["b@example.net"], **more, "disposition": disposition, "tls": False, "is_webmail": False}
    return line("smtp", at, written, **fields, sensor=sensor)


def forged():
    """A stranger's notice cannot hold those like it for ever."""
    HOUR = 3600
    for what, first in (("window", notice("evil", 0, suppress_for=1e15)), ("time", notice("evil", 10 ** 9, written=0)), ("time before all", notice("evil", -10 ** 9, written=0))):
        got = brief(lines_of(first, notice("a", 200 * HOUR), notice("b", 200 * HOUR + 1), "!take"))
        ok([n[0] for n in got] == ["evil", "a"] and got[1][1] == 200 * HOUR, "a %s that is none ends" % what, got)


def there_and_back():
    paths = [SOURCE / "samples/border.pcap", SOURCE / "samples/week.pcap.zst"]
    if (SHARED / "captures").is_dir():
        paths += sorted(p for p in (SHARED / "captures").rglob("*") if ".pcap" in p.name or ".cap" in p.name)
    else:
        skip("real captures", "MAILTAP_SHARED is not set")
    r = mailtap("read", "-f", "json", "-s", "headers=all", "-s", "hash=all", "-s", "software=all", "-s", "sensor=a", *paths)
    back = subprocess.run([OVER, "--rows"], input=r.stdout, capture_output=True, timeout=120)
    given, got = r.stdout.splitlines(), back.stdout.splitlines()
    differ = [(a, b) for a, b in zip(given, got) if a != b]
    ok(len(given) > 1000 and len(given) == len(got) and not differ and not back.stderr, "each of %d lines is read as a record and printed as it was" % len(given), differ[:1], back.stderr[-2000:])


def folding():
    a, b = notice("a", 0), notice("b", 5)
    got = lines_of(a, b, notice("a", 10, "y"), notice("b", 12), "!take", mail("a", 3700), "!take")
    ok(got[0] == a, "the first notice goes on as it is", got[:1])
    ok(brief(got) == [("a", 0, 1), ("a", 10, 1), ("b", 12, 2)], "repeats of other sensors are one more at the end of the window", brief(got))
    last = json.loads(got[-2])
    ok(last["_write_ts"] == last["ts"] and last["note"] == "A::B" and last["actions"] == ["log"], "with what the last of them says", last)
    ok(got[-1] == mail("a", 3700), "what is no notice goes on as it is", got[-1])
    got = lines_of(notice("a", 0), notice("b", 1, note="A::C"), notice("b", 2, "z"), "!take")
    ok(len(got) == 3, "another note or identifier is no repeat", got)
    got = lines_of(notice("a", 0), notice("b", 1), notice("a", 2800, written=3610, folded=5), notice("b", 3650), mail("a", 7500), "!take", "!finish")
    ok(brief(got) == [("a", 0, 1), ("a", 2800, 6), ("b", 3650, 1)], "what sensors have folded counts as so many", brief(got))
    got = lines_of(notice("a", 0), notice("b", 1, suppress_for=0.0), "!take")
    ok(len(got) == 2, "nothing is folded that shall not be", got)
    got = lines_of(notice("a", 0, actions=["log", "email"]), notice("b", 1), "!take", "!finish")
    ok(brief(got) == [("a", 0, 1), ("b", 1, 1)] and json.loads(got[1])["folded"] == 1, "what one sensor was mailed about folds with what another one only logged", got)
    got = lines_of(notice("a", 0), notice("b", 1), "!take", "!tick 100", "!tick 130", "!tick 3800")
    ok(brief(got) == [("a", 0, 1), ("b", 1, 1)], "where nothing comes for long the wall clock ends a window", got)
    ok(len(lines_of(notice("a", 0), notice("b", 1), "!take", "!tick 100", "!tick 1000")) == 1, "but not before its time")
    got = lines_of(*(notice("ab"[i % 2], 0.001 * i, str(i % 40)) for i in range(4000)), "!take", "!finish", settings=["max_suppressed=16"])
    ok(sum(n for _, _, n in brief(got)) == 4000, "what is told early over max_suppressed is counted too", len(got))


def lateness():
    late = [mail("a", 4000), notice("b", 5, written=5)]
    ok(len(lines_of(notice("a", 0), *late, "!take")) == 3 and counts(notice("a", 0), *late, "!take")["late"] == 1, "one that comes after the window and its lateness goes on, and is counted as late")
    summary = notice("b", 5, folded=7)
    ok(counts(mail("a", 3700), summary, "!take")["late"] == 0, "but not one that stands for repeats, as it shows the last of them")
    got = lines_of(notice("a", 0), mail("a", 3630), notice("b", 5), "!take")
    ok(len(got) == 2, "within load_lateness it still is a repeat", got)
    got = lines_of(notice("a", 0), mail("a", 3630), notice("b", 5), "!take", settings=["load_lateness=10s"])
    ok(len(got) == 3, "which is a setting", got)
    future = mail("wrong", 50 * 365 * 86400)
    c = counts(notice("a", 0), future, notice("b", 5), "!take")
    ok((c["ahead"], c["late"], c["folded"]) == (1, 0, 1), "a sensor whose clock is years ahead makes nobody late", c)


def once_more():
    a, b, c = notice("a", 0), notice("b", 5), mail("a", 6)
    got = lines_of(a, b, c, "!take", a, b, c, "!take", "!finish")
    ok(got[:4] == [a, c, a, c] and brief(got[4:]) == [("b", 5, 1)], "lines that come again go on if they did, and count once", got)
    n = counts(a, b, c, "!take", a, b, c, "!take")
    ok((n["again"], n["folded"], n["notices"], n["lines"]) == (2, 1, 2, 6), "and are counted as such", n)
    many = [notice("a", i * 0.001, "n%d" % i, suppress_for=60.0) for i in range(100)]
    ok(counts(*many, "!take", *many, "!take", settings=["load_seen=100"])["again"] == 100, "so many are remembered")
    ok(counts(*many, "!take", *many, "!take", settings=["load_seen=99"])["again"] == 0, "and no more, the oldest is forgotten")


def hostile():
    bad = [b"", b"{}", b"null", b"\xff\xfe\x00", b'{"_path":"notice"', b'{"_path":"notice","ts":1.0,"note":[]}', b'{"_path":"notice","_write_ts":1e999,"ts":1}', b'{"_path":"notice","ts":5.0,"x":' + b"[" * 100000,
           b'{"_path":"notice","ts":5.0,"note":"A::B","actions":["log","nonsense"],"suppress_for":-1.000000}', b'{"_path":"smtp","ts":5.0,"files":[{"attached":' * 1000,
           b'{"_path":"notice","ts":99999999999.0,"note":"A::B","identifier":"x","suppress_for":99999999999999999999999999999999.000000,"folded":18446744073709551615}', b'{"@timestamp":"2026-01-01","event":{}}',
           b'{"_path":"smtp","ts":-99999999999.0}', b'{"_path":"smtp","ts":99999999999.0}', b'{"_path":"smtp","ts":0.0}',
           b'{"_path":"notice","ts":-99999999999.0,"note":"A::B","identifier":"x","suppress_for":1.000000}']
    script = FOLDER / "all.lua"
    script.write_text("local c = counter('c', {expire = 5})\nfunction on_mail(m) c:add(m.uid or 'x') end\nfunction on_session(s) end\nfunction on_notice(n) end\nfunction on_tick(t) end\n")
    state = FOLDER / "hostile-state"
    got, said = over(*(x + b"\n" for x in bad), b'{"_path":"notice","ts":5.0,"note":"A::C"}\n', "!take", "!finish", "!save now", settings=["load_scripts=%s" % script, "load_state=%s" % state])
    kept = [x for x in bad if x]
    ok([x for x in kept if x not in got] == [] and not said, "lines that are no records of ours go on as they are", [x[:80] for x in kept if x not in got], said)
    got, said = over("!save now", settings=["load_scripts=%s" % script, "load_state=%s" % state])
    ok(not said, "and what is left of them can be read back", said)


def policies():
    script = FOLDER / "notices.lua"
    script.write_text('function on_notice(n) if n.note == "A::B" and n.sensor == "b" then return "drop" end end\n')
    s = ["load_scripts=%s" % script]
    got = lines_of(notice("b", 0), notice("a", 1), notice("b", 2, "y", "A::C"), "!take", settings=s)
    ok(brief(got) == [("a", 1, 1), ("b", 2, 1)], "on_notice of the loader drops notices of sensors", got)
    n = counts(notice("b", 0), notice("a", 1), notice("b", 0), "!take", settings=s)
    ok((n["dropped"], n["again"], n["notices"]) == (1, 1, 2), "which is counted, once", n)
    script.write_text('function on_notice(n) return {"log", "email"} end\n')
    got, said = over(notice("b", 0), "!take", settings=s)
    ok(got == [notice("b", 0).encode()] and "email is wanted for A::B, but email_server is not set" in said, "what there is no target for is said", got, said)


    policy = FOLDER / "policy.yaml"
    policy.write_text("local_nets: [192.0.2.0/28]\nwebhook_url: http://127.0.0.1:9/\nnotice_policy:\n  - {note: A::B, only: {local_host: no}, actions: drop}\n"
                      "  - {note: A::D, actions: log, suppress_for: 10s}\n  - {note: A::E, actions: [log, webhook]}\n")
    got = lines_of(notice("a", 0), notice("b", 1).replace("192.0.2.1", "192.0.2.99"), notice("a", 2, "y"), "!take", settings=[policy])
    ok(got == [notice("a", 0), notice("a", 2, "y")], "so does the policy, by its conditions", got)
    got = lines_of(notice("a", 0, note="A::D"), notice("b", 5, note="A::D"), notice("b", 11, note="A::D"), "!take", "!finish", settings=[policy])
    ok(brief(got) == [("a", 0, 1), ("b", 5, 1), ("b", 11, 1)] and json.loads(got[0])["suppress_for"] == 10 and list(json.loads(got[0]))[1] == "_write_ts", "its suppress_for stands in place of the sensor's", got)
    got = lines_of(notice("a", 0, note="A::E"), notice("b", 5, note="A::E", actions=["log", "webhook"]), "!take", "!finish", settings=[policy])
    ok([json.loads(x)["actions"] for x in got] == [["log", "webhook"]] * 2, "what it does besides stands in actions", got)


def modes():
    given = [notice("a", 0), notice("b", 1), mail("a", 2), line("mine", 3, x=1), "!take", "!finish"]
    ok(lines_of(*given, settings=["load_notices=pass"]) == given[:4], "pass: all go on")
    ok(lines_of(*given, settings=["load_notices=others"]) == given[2:4], "others: all but notices")
    got = lines_of(*given, settings=["load_notices=only"])
    ok(got[0] == given[0] and brief(got) == [("a", 0, 1), ("b", 1, 1)] and len(got) == 2, "only: nothing but notices", got)


COUNTING = """
local rejects = counter("rejects", {expire = 600})
function on_mail(m)
  if m.disposition == "rejected" and rejects:add(m.orig_h) == 6 then
    notice { note = "Test::Rejects", identifier = m.orig_h, msg = m.orig_h .. " is rejected", suppress_for = 600 }
    log("rejects", { host = m.orig_h })
  end
end
"""


def scripts():
    script = FOLDER / "count.lua"
    script.write_text(COUNTING)
    s = ["load_scripts=%s" % script, "sensor=center"]
    run = [mail("ab"[i % 2], i, disposition="rejected", number=i) for i in range(8)]
    got = lines_of(*run, "!take", settings=s)
    made = [json.loads(x) for x in got if x not in run]
    ok(len(made) == 2 and [x for x in got if x in run] == run, "a counter over two sensors raises one notice", made)
    n = next((x for x in made if x["_path"] == "notice"), {})
    ok((n.get("sensor"), n.get("note"), n.get("host"), n.get("ts"), n.get("_write_ts"), n.get("actions")) == ("center", "Test::Rejects", "192.0.2.7", T + 5, T + 5, ["log"]), "which bears the loader's name and the record's time", n)
    ok(list(n)[:3] == ["_path", "_write_ts", "ts"], "and looks as lines of sensors do", n)
    ok({"_path": "rejects", "_write_ts": T + 5, "ts": T + 5, "host": "192.0.2.7", "sensor": "center"} in made, "and so do lines of scripts", made)
    def rejected(sensor, at, number):
        return [mail(sensor, at, disposition="rejected", number=1000 * len(sensor) + at % 997 + i) for i in range(number)]

    clock = mail("b", 700, host="192.0.2.99")
    apart = [*rejected("a", 0, 3), clock, *rejected("lagging", 5, 3), "!take"]
    ok(counts(*apart, settings=[*s, "load_lateness=20m"])["raised"] == 1, "a sensor that lags behind counts at its own time")
    ok(counts(*apart, settings=s)["raised"] == 0, "but not by more than load_lateness")
    apart = [*rejected("a", 0, 3), *rejected("b", 620, 5), *rejected("lagging", 10, 1), "!take"]
    ok(counts(*apart, settings=[*s, "load_lateness=20m"])["raised"] == 0, "what lies further apart than the window does not add up, whichever comes first")
    ok(counts(*run, "!take", *run, "!take", settings=s)["raised"] == 1, "lines that come again are not counted again")
    ok(counts(*(m for m in run[:5] for _ in range(2)), "!take", settings=s)["raised"] == 0, "nor within a batch")
    script.write_text("function on_mail(m) m.tags.seen = true; if not m.tags.seen then error('no tag') end end\nfunction on_reply() end\n")
    got, said = over(run[0], "!take", "!counts", settings=s)
    ok(got[0] == run[0].encode() and b'"script_errors":0' in got[1] and "on_reply" in said, "tags stay in the loader; what a script cannot hear is said", got, said)
    r = subprocess.run([OVER, "-s", QUIET, "-s", "load_scripts=%s" % (FOLDER / "none.lua")], input=b"", capture_output=True, timeout=60)
    ok(r.returncode == 1 and b"none.lua" in r.stderr, "a script that is not there ends it", r.stderr)


def restarts():
    script, state = FOLDER / "count2.lua", FOLDER / "state"
    script.write_text(COUNTING)
    s = ["load_scripts=%s" % script, "load_state=%s" % state, "load_save=0s"]
    run = [mail("ab"[i % 2], i, disposition="rejected", number=i) for i in range(6)]
    a, b = notice("a", 0), notice("b", 7)
    # Killed between saving and acknowledging: all comes again.
    ok(lines_of(a, b, *run[:4], "!take", "!save", settings=s) == [a, *run[:4]], "a first run")
    got = lines_of(a, b, *run[:4], "!take", *run[4:], "!take", "!finish", "!save now", settings=s)
    made = [json.loads(x) for x in got if x not in (a, *run)]
    ok([x["_path"] for x in made] == ["notice", "rejects"] and a in got and b not in got, "counters go on after a restart, and what was folded stays so", got)
    got = lines_of(notice("a", 8), mail("a", 3700), "!take", "!finish", settings=s)
    ok(brief(got) == [("a", 8, 2)], "so do windows, with what they have counted", got)
    # Killed before saving: the same batch gives the same lines, so whoever has them knows them.
    state.unlink()
    first, second = (lines_of(a, b, *run, "!take", settings=s) for _ in range(2))
    ok(first == second and len(first) == 9, "what was not saved is done again, byte for byte", first, second)
    over(a, b, *run[:3], "!take", "!save", settings=s)
    half = state.read_bytes()
    state.write_bytes(half[:len(half) // 2])
    got, said = over(*(x for x in run), "!take", "!save now", settings=s)
    ok("is %s.bad now" % state in said and Path(str(state) + ".bad").exists() and len(got) >= 6, "a damaged state is put aside", said)
    script.write_text("function on_mail(m) end\n")
    got, said = over("!counts", settings=s)
    ok("keys of counters that no script has now" in said, "counters that no script has are given up, and that is said", said)
    got, said = over(a, "!take", "!save now", settings=["load_state=%s" % (FOLDER / "no/where")])
    ok(any(x.startswith(b"!error load_state") for x in got), "where it cannot be written that is said", got, said)
    state.unlink()
    over(a, "!take", "!save", b, "!take", "!save", settings=["load_state=%s" % state, "load_save=1h"])
    ok(state.read_text().count("seen") == 1, "load_save is kept to", state.read_text())


def lives(dice, batches, settings):
    """A loader that is killed again and again. -> what the database has, how often it was killed"""
    database, at, killed = set(), 0, 0
    while at < len(batches):
        count = min(dice.randint(1, 6), len(batches) - at)
        # It dies before the last of these batches has arrived, before that is saved, before the bus is told; or it ends.
        death = dice.choice(("arriving", "saving", "telling", "none"))
        words = []
        for i, batch in enumerate(batches[at:at + count]):
            last = i == count - 1
            words += [*batch, "!take", "!counts"]
            if not last or death in ("telling", "none"):
                words.append("!save")
        if death == "none":
            words += ["!finish", "!save now"]
        parts, part = [], []
        for x in over(*words, settings=settings)[0]:
            if x.startswith(b"!counts"):
                parts.append(part)
                part = []
            else:
                part.append(x)
        for i, got in enumerate(parts):
            if i < count - 1 or death != "arriving":
                database.update(got)
        database.update(part)
        killed += death != "none"
        at += count - (death != "none")
        if death != "none" and dice.random() < 0.3:
            break
    return database, at, killed


def whatever_happens():
    """Whenever a loader dies, and whichever sensor lags behind: no notice is lost or counted twice, and what a script counts it counts once."""
    script = FOLDER / "count3.lua"
    script.write_text(COUNTING)
    killed = 0
    for seed in range(5):
        dice = random.Random(seed)
        state = FOLDER / ("lives-%d" % seed)
        settings = ["load_scripts=%s" % script, "load_state=%s" % state, "load_save=0s", "sensor=center"]
        given = [notice(dice.choice("abc"), i * 0.5, "n%d" % dice.randint(0, 5), suppress_for=dice.choice((20.0, 60.0))) for i in range(300)]
        given += [mail(dice.choice("abc"), i, host="192.0.2.%d" % (i % 9), number=i, disposition=dice.choice(("rejected", "accepted"))) for i in range(150)]
        # Sensor c is half a minute behind.
        given.sort(key=lambda x: json.loads(x)["ts"] + (30 if json.loads(x)["sensor"] == "c" else 0))
        rejected = [json.loads(x)["id.orig_h"] for x in given if '"rejected"' in x]
        batches = [given[i:i + 25] for i in range(0, len(given), 25)]
        database, at = set(), 0
        while at < len(batches):
            more, gone, deaths = lives(dice, batches[at:], settings)
            database |= more
            at += gone
            killed += deaths
        database.update(over("!tick 1", "!tick 100000", settings=settings)[0])
        rows = [json.loads(x) for x in database]
        notices = [r for r in rows if r.get("note") == "A::B"]
        told = sorted(r["host"] for r in rows if r.get("note") == "Test::Rejects")
        ok(sum(r.get("folded", 1) for r in notices) == 300 and len(notices) < 100, "each of 300 notices is in one record, whenever the loader dies (%d)" % seed, sum(r.get("folded", 1) for r in notices), len(notices))
        ok(told == sorted(h for h in set(rejected) if rejected.count(h) >= 6) and sum(r["_path"] == "smtp" for r in rows) == 150, "and each host that is rejected too often in one notice (%d)" % seed, told)
    ok(killed > 20, "%d deaths" % killed)


def spam_run():
    """Two sensors, each of which sees half."""
    script = SOURCE / "scripts/spam-run.lua"
    dialog = ["S: 220 mx ESMTP", "C: EHLO c.example", "S: 250 mx", "C: MAIL FROM:<a@example.org>", "S: 250 ok", "C: RCPT TO:<b@example.net>", "S: 550 no such user", "C: QUIT", "S: 221 bye"]
    seen = []
    for name, offset in (("a", 0), ("b", 1)):
        capture = capture_of(FOLDER, [(20 * i + 10 * offset, "198.51.100.7", SERVER, dialog) for i in range(12)])
        r = mailtap("read", "-f", "json", "-s", QUIET, "-s", "sensor=" + name, "--script", script, capture)
        seen.append(r.stdout.splitlines())
    ok(all(len(x) == 24 and not any(b'"notice"' in y for y in x) for x in seen), "neither half of a run is one for its sensor", [len(x) for x in seen])
    given = [x.decode() for x in seen[0][:10] + seen[1] + seen[0][10:]]
    got = lines_of(*given, "!take", "!finish", settings=["load_scripts=%s" % script, "sensor=center"])
    n = [json.loads(x) for x in got if x not in given]
    ok(len(n) == 1 and (n[0]["note"], n[0]["host"], n[0]["identifier"], n[0]["sensor"]) == ("SMTP::Spam_Run", "198.51.100.7", "host 198.51.100.7", "center"), "both together are one notice", n)
    ok(n and n[0]["sub"] == "refused: 20 in 600 seconds, seen by 2 sensors", "which says by how many it is seen", n)
    run = [mail("ab"[i % 2], i, host="192.0.2.%d" % (i % 9), number=i, subject="Re: Invoice  %d" % i) for i in range(60)]
    n = [json.loads(x) for x in lines_of(*run, "!take", "!finish", settings=["load_scripts=%s" % script]) if x not in run]
    ok(len(n) == 1 and n[0]["identifier"] == "subject re: invoice #" and "50 mails from 9 hosts" in n[0]["sub"], "one subject of many hosts is a run too", n)
    run = [mail("ab"[i % 2], i, host="192.0.2.1", number=i, subject="Newsletter") for i in range(60)]
    ok(counts(*run, "!take", settings=["load_scripts=%s" % script])["raised"] == 0, "of one host it is none")


there_and_back()
folding()
forged()
lateness()
once_more()
hostile()
policies()
modes()
scripts()
restarts()
whatever_happens()
spam_run()
done()
