#!/usr/bin/python3
"""Received lines through the whole program: what only several of them together say, and all of those in the shared mails and captures."""
import ipaddress
import json
import re
import tempfile
from pathlib import Path

import jsonschema

from capturing import capture_of
from tap import done, mailtap, need_shared, ok

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-hops-"))
CLIENT = "192.0.2.7"
NEWEST = "Received: from b.example.net (b.example.net [198.51.100.2]) by c.example.com (Postfix) with ESMTPS id C; Mon, 23 Nov 2026 07:01:00 +0000"
MIDDLE = "Received: from a (unknown [10.0.0.1]) by b.example.net with ESMTP id B; Mon, 23 Nov 2026 08:00:30 +0100"
OLDEST = "Received: by a (Postfix, from userid 33) id A; Mon, 23 Nov 2026 07:00:40 +0000"


def session(number, lines):
    return (number, CLIENT, "203.0.113.25",
            ["S: 220 mx", "C: EHLO c", "S: 250 mx", "C: MAIL FROM:<m%d@example.net>" % number, "S: 250 ok", "C: RCPT TO:<b@example.com>", "S: 250 ok",
             "C: DATA", "S: 354 go", *("C: " + s.replace("\\", "\\\\") for s in lines), "C: ", "C: text", "C: .", "S: 250 queued", "C: QUIT", "S: 221 bye"])


def records(path, *args):
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", *args, path)
    ok(r.returncode == 0 and b"errors in scripts" not in r.stderr, "%s is read" % Path(path).name, r.stderr.decode(errors="replace"))
    return [json.loads(line) for line in r.stdout.splitlines()]


def mail(lines, *args):
    return next(r for r in records(capture_of(FOLDER, [session(0, lines)]), *args) if r["_path"] == "smtp")


def column(record, name):
    return [hop.get(name) for hop in record.get("hops", [])]


def same(name, got, want):
    ok(got == want, name, "got  %r" % (got,), "want %r" % (want,))


# One record.
way = [NEWEST, MIDDLE, OLDEST]
whole = mail(way)
same("a hop has all that its line says", whole["hops"][0],
     {"from_helo": "b.example.net", "from_rdns": "b.example.net", "from_ip": "198.51.100.2", "by": "c.example.com",
      "with": "ESMTPS", "id": "C", "time": 1795417260, "delay": 30})
same("newest first", column(whole, "id"), ["C", "B", "A"])
same("delays, of which one is negative", column(whole, "delay"), [30, -10, None])
same("an address that is not public", column(whole, "private"), [None, True, None])
undated = mail([NEWEST, "Received: from a by b; some day", OLDEST])
same("no delay where a time is not known", column(undated, "delay"), [None, None, None])
same("a line that says nothing is a hop", len(mail([NEWEST, "Received:", "Received: ???"])["hops"]), 3)
same("no line, no hops", mail(["Subject: s"]).get("hops"), None)
same("those of an attached mail are not its own", mail([OLDEST, "Content-Type: message/rfc822", "", NEWEST])["hops"], mail([OLDEST])["hops"])
HIDING = "=?utf-8?q?a_=28[192.0.2.99]=29?="
words = mail(["Received: from %s (b [198.51.100.2]) by c" % HIDING])
same("encoded words are not read", column(words, "from_ip") + column(words, "from_helo"), ["198.51.100.2", HIDING])

# Whose word it is.
for name, relays, want in (("nobody is trusted unless it is said", None, [False, False, False]),
                           ("the client alone", CLIENT, [True, False, False]),
                           ("the client and the next", CLIENT + ",198.51.100.0/24", [True, True, False]),
                           ("all of them", "192.0.2.0/24,198.51.100.0/24,10.0.0.0/8", [True, True, True]),
                           ("none where the client is not", "198.51.100.0/24,10.0.0.0/8", [False, False, False]),
                           ("one in between ends it", "192.0.2.0/24,10.0.0.0/8", [True, False, False])):
    got = mail(way, *(["-s", "trusted_relays=" + relays] if relays else []))
    same("trusted: " + name, [hop.get("trusted", False) for hop in got["hops"]], want)
# What one server of ours took from whom is the last thing known for sure: what is older may be made up.
FORGED = "Received: from made (up.example [198.51.100.77]) by a with ESMTP id F; Mon, 23 Nov 2026 07:00:10 +0000"
SAID = "X-Originating-IP: [203.0.113.99]"
for name, relays, lines, want in (
        ("without relays it is what the mail says first", None, [SAID, NEWEST, FORGED], "203.0.113.99"),
        ("of a client that is no relay, the client", "198.51.100.0/24", [SAID, NEWEST, FORGED], CLIENT),
        ("whom our relay took it from", CLIENT, [SAID, NEWEST, FORGED], "198.51.100.2"),
        ("whom the last of our relays took it from", CLIENT + ",198.51.100.2", [SAID, NEWEST, FORGED], "198.51.100.77"),
        ("all of it is ours: what they say of its beginning", CLIENT + ",198.51.100.0/24", [SAID, NEWEST, FORGED], "203.0.113.99"),
        ("a program on a relay may make up the lines before its own", CLIENT + ",198.51.100.0/24", [SAID, NEWEST, OLDEST, FORGED], "198.51.100.2")):
    got = mail(lines, *(["-s", "trusted_relays=" + relays] if relays else []))
    same("origin: " + name, got["origin"]["ip"], want)
suspicious = records(capture_of(FOLDER, [session(0, [NEWEST, FORGED])]), "-s", "trusted_relays=" + CLIENT, "-s", "suspicious_origination_networks=198.51.100.2/32")
same("origin: it is judged too", [(r["note"], r["host"]) for r in suspicious if r["_path"] == "notice"], [("SMTP::Suspicious_Origination", "198.51.100.2")])

no_address = mail([OLDEST, NEWEST], "-s", "trusted_relays=0.0.0.0/0,::/0")
same("trusted: behind a line without an address none is", column(no_address, "trusted"), [True, None])

# The limit.
many = [MIDDLE.replace("id B", "id %d" % i) for i in range(101)]
for limit, count, args in ((100, 100, []), (3, 3, ["-s", "hop_items=3"]), (101, 101, ["-s", "hop_items=101"])):
    got = mail(many, *args)
    same("of 101 lines %d are kept" % count, column(got, "id"), [str(i) for i in range(count)])
    same("and that is said" if limit < 101 else "and nothing said", got.get("flags"), {"truncated": True} if limit < 101 else None)

# Scripts see the same.
script = FOLDER / "hops.lua"
script.write_text("""function on_mail(mail)
  local h = mail.hops
  log("seen", {count = #h, ["for"] = h[1]["for"] or "none", from = h[1].from_ip, delay = h[2].delay, none = h[3].from_ip == nil and h[3].delay == nil})
end
""")
seen = [r for r in records(capture_of(FOLDER, [session(0, way)]), "--script", script) if r["_path"] == "seen"]
same("a script sees them", [{k: v for k, v in r.items() if k not in ("_path", "ts")} for r in seen],
     [{"count": 3, "for": "none", "from": "198.51.100.2", "delay": -10, "none": True}])
script.write_text('function on_mail(mail) log("seen", {count = #mail.hops, empty = next(mail.hops[2]) == nil}) end')
seen = [r for r in records(capture_of(FOLDER, [session(0, [NEWEST, "Received:", OLDEST])]), "--script", script) if r["_path"] == "seen"]
same("and one that says nothing as an empty table", [(r["count"], r["empty"]) for r in seen], [(3, True)])

# Real lines. What is read of them is held against two plain questions that need no grammar.
BRACKETED = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f.:]{3,})(?:%\w+)?\]", re.I)
NO_VALUE = re.compile(r"\([^()]*(?:\([^()]*\)[^()]*)*\)")


def address(text):
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def from_clause(value):
    """Up to the word that names the server, outside of comments."""
    hidden = NO_VALUE.sub(lambda m: "_" * len(m[0]), value)
    begin = re.search(r"(?:^|\s)from\s", hidden)
    if not begin:
        return ""
    end = re.search(r"\s(by|with|id|for|via)\s|;", hidden[begin.end():])
    return value[begin.start():begin.end() + end.start()] if end else value[begin.start():]


def stands_alone(value, found):
    """In brackets or parentheses, or as the word behind "from" or "by"; else it may be a build, an id or a date."""
    value = re.sub(r"IPv6:", "", value, flags=re.I)
    for m in re.finditer(r"[0-9A-Fa-f.:]{3,}", value):
        for text in (m[0], m[0].rsplit(":", 1)[0], m[0].lstrip(":")):
            if address(text) != found:
                continue
            before, behind = value[:m.start()], value[m.start() + len(text):]
            if re.search(r"(\[|\(|\([^\s()]*@|(^|\s)from\s+|(^|\s)by\s+)$", before, re.I) and re.match(r"(%\w+)?(\]|\)|:\d+\]?\)|\s|;|$)", behind):
                return True
    return False


def faults_of(value, hop):
    found = [address(m[1]) for m in BRACKETED.finditer(from_clause(value))]
    for a in found:
        if a and a != address(hop.get("from_ip", "")) and str(a) not in hop.get("from_helo", ""):
            yield "%s was not found: %r %r" % (a, value, hop)
    for name in ("from_ip", "by_ip"):
        if name in hop and not stands_alone(value, address(hop[name])):
            yield "%s %s is none: %r" % (name, hop[name], value)


def mails_of(folder):
    """The Received lines in each file, unfolded, and as they are."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        text = path.read_bytes().decode("latin-1").replace("\r\n", "\n")
        found = [m[0].rstrip("\n") for m in re.finditer(r"(?im)^received:(?:.*\n)(?:[ \t]+\S.*\n)*", text)]
        if found:
            yield found


def compare(what, pairs, least):
    faults = [fault for value, hop in pairs for fault in faults_of(value, hop)]
    bracketed = sum(len(BRACKETED.findall(from_clause(value))) for value, hop in pairs)
    ok(not faults, "%s: of %d lines %d bracketed addresses are found, and no other number is taken for one" % (what, len(pairs), bracketed), *faults)
    ok(bracketed >= least, "%s: there are as many as there were" % what, bracketed)


folder, index = need_shared("mail"), need_shared("captures", "INDEX.tsv")
sessions = [session(i, [line for field in found for line in field.split("\n")]) for i, found in enumerate(mails_of(folder))]
read = [r for r in records(capture_of(FOLDER, sessions)) if r["_path"] == "smtp"]
pairs = [(re.sub(r"\n", "", field.split(":", 1)[1]).strip(), hop)
         for found, record in zip(mails_of(folder), sorted(read, key=lambda r: int(r["mailfrom"][1:-12]))) for field, hop in zip(found, record["hops"])]
same("a record for each of them, a hop for each line", [len(r["hops"]) for r in sorted(read, key=lambda r: int(r["mailfrom"][1:-12]))],
     [len(found) for found in mails_of(folder)])
compare("mails", pairs, 100)
validator = jsonschema.Draft202012Validator(json.loads(mailtap("schema").stdout))
invalid = [e.message for r in [whole, undated, *read] for e in validator.iter_errors(r)]
ok(not invalid, "their records fit the schema", *invalid[:5])

pairs, undated, hops = [], 0, 0
for row in index.read_text(encoding="utf-8").splitlines()[1:]:
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", index.parent / row.split("\t")[0])
    for record in (json.loads(line) for line in r.stdout.splitlines()):
        if "hops" not in record or record.get("flags", {}).get("gap") or record.get("flags", {}).get("truncated"):
            continue
        hops += len(record["hops"])
        undated += sum("time" not in hop for hop in record["hops"])
        pairs.append((record["first_received"], record["hops"][-1]))
        if len(record["hops"]) > 1:
            pairs.append((record["second_received"], record["hops"][-2]))
compare("captures", pairs, 30)
ok(undated * 20 < hops, "of %d hops in captures %d have no time" % (hops, undated))
done()
