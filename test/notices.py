#!/usr/bin/python3
"""Notices: when they are raised, about whom, how repeats fold, and what the owner's policy does with them."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from capturing import capture_of
from tap import MAILTAP, SOURCE, done, mailtap, ok, skip

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-notices-"))
CLIENT, SERVER = "198.51.100.7", "203.0.113.25"
ZEN = "Client host [%s] blocked using zen.spamhaus.org"


def capture(*sessions):
    """A capture of sessions, each (seconds after the first, client, lines); gives back its path."""
    return capture_of(FOLDER, [(after, client, SERVER, lines) for after, client, lines in sessions])


def refused(*reply, after=0, client=CLIENT):
    """A session whose RCPT gets these lines."""
    return (after, client, ["S: 220 mx ESMTP", "C: EHLO c.example", "S: 250 mx", "C: MAIL FROM:<a@example.org>", "S: 250 ok", "C: RCPT TO:<b@example.net>",
                            *("S: " + r for r in reply), "C: QUIT", "S: 221 bye"])


def mail(*headers, after=0, client=CLIENT):
    return (after, client, ["S: 220 mx ESMTP", "C: EHLO c.example", "S: 250 mx", "C: MAIL FROM:<a@example.org>", "S: 250 ok", "C: RCPT TO:<b@example.net>",
                            "S: 250 ok", "C: DATA", "S: 354 go", *("C: " + h for h in headers), "C:", "C: .", "S: 250 queued", "C: QUIT", "S: 221 bye"])


def read(path, *settings, config=None):
    args = ["read", "-f", "json", "-s", "country_databases=none"]
    for s in settings:
        args += ["-s", s]
    if config is not None:
        (FOLDER / "config.yaml").write_text(config)
        args += ["-c", FOLDER / "config.yaml"]
    r = mailtap(*args, path)
    if r.returncode:
        ok(False, "mailtap ends well", r.stderr.decode())
    return [json.loads(line) for line in r.stdout.splitlines()], r.stderr.decode()


def notices(path, *settings, config=None):
    return [r for r in read(path, *settings, config=config)[0] if r["_path"] == "notice"]


def brief(found):
    return [(n["note"].partition("_")[2], n.get("host"), n.get("list"), n.get("kind"), n.get("folded", 1)) for n in found]


def expect(name, found, *wanted):
    ok(brief(found) == list(wanted), name, brief(found), list(wanted))


# Whom a refusal speaks of.
one = capture(refused("554 5.7.1 " + ZEN % CLIENT))
n = notices(one)
expect("the client's address beside a list", n, ("Blocked_Host", CLIENT, "Spamhaus ZEN", "listed", 1))
ok(n and n[0]["msg"] == CLIENT + " is on an SMTP block list" and n[0]["sub"] == "5.7.1 " + ZEN % CLIENT, "says so, and shows the reply", n)
ok(n and (n[0]["code"], n[0]["enhanced"], n[0]["removal"]) == (554, "5.7.1", "https://check.spamhaus.org/"), "with codes and removal page", n)
ok(n and (n[0]["src"], n[0]["dst"], n[0]["sender"], n[0]["trans_depth"], n[0]["suppress_for"]) == (CLIENT, SERVER, "a@example.org", 1, 3600.0), "with ends, sender and window", n)
expect("another address", notices(capture(refused("554 " + ZEN % "192.0.2.99"))), ("Error_Message", CLIENT, "Spamhaus ZEN", "listed", 1))
two = capture(refused("554 " + ZEN % "192.0.2.99" + ", not " + CLIENT))
expect("any address counts", notices(two), ("Blocked_Host", CLIENT, "Spamhaus ZEN", "listed", 1))
nat = capture(refused("554 " + ZEN % "192.0.2.99", client="10.1.2.3"))
expect("a NAT's outside address is ours", notices(nat, "local_nets=192.0.2.0/24"), ("Blocked_Host", "192.0.2.99", "Spamhaus ZEN", "listed", 1))
expect("without local_nets it is not", notices(nat), ("Error_Message", "10.1.2.3", "Spamhaus ZEN", "listed", 1))
own = capture(refused("554 mx[%s]: blocked using zen.spamhaus.org" % SERVER))
expect("the server's own address is not", notices(own, "local_nets=203.0.113.0/24"), ("Error_Message", CLIENT, "Spamhaus ZEN", "listed", 1))
expect("digits around make another number", notices(capture(refused("554 " + ZEN % ("1" + CLIENT)))), ("Error_Message", CLIENT, "Spamhaus ZEN", "listed", 1))

inbound = (0, "192.0.2.200", ["S: 220 mx", "C: EHLO c", "S: 250 mx", "C: MAIL FROM:<x@evil.example>", "S: 250 ok", "C: RCPT TO:<b@example.net>",
                              "S: 554 192.0.2.25 said: blocked using zen.spamhaus.org", "C: QUIT", "S: 221 bye"])
expect("nor is any of ours where a stranger talks to a server of ours", notices(capture(inbound), "local_nets=203.0.113.0/24,192.0.2.0/26"),
       ("Error_Message", "192.0.2.200", "Spamhaus ZEN", "listed", 1))
whose = [[n.get("local") for n in found] for found in (notices(nat, "local_nets=192.0.2.0/24"), notices(capture(inbound), "local_nets=203.0.113.0/24,192.0.2.0/26"), notices(nat))]
ok(whose == [[True], [False], [None]], "it says whether that host is one of ours, where these are known", whose)
expect("what the client wrote is not what the server says", notices(capture(refused("554 <%s@zen.spamhaus.org>: User unknown" % CLIENT))))
expect("neither an address", notices(capture(refused("554 <%s@evil.example> blocked using zen.spamhaus.org" % CLIENT))), ("Error_Message", CLIENT, "Spamhaus ZEN", "listed", 1))
expect("a list of domains says nothing of the address", notices(capture(refused("554 Client host [%s]; URL listed by multi.surbl.org" % CLIENT))),
       ("Error_Message", CLIENT, "SURBL", "listed", 1))
n = notices(capture(refused("554 [%s] blocked using dnsbl.sorbs.net" % CLIENT)))
ok(n and n[0]["retired"] == "2024-06-05", "a list that is gone is told as such", n)

# Which replies count.
expect("list and address on different lines", notices(capture(refused("554-5.7.1 Rejected: " + CLIENT, "554 5.7.1 see https://www.spamhaus.org/query/"))),
       ("Blocked_Host", CLIENT, "Spamhaus", "listed", 1))
expect("two lists in one reply are one notice", notices(capture(refused("554-" + ZEN % CLIENT, "554 and bl.spamcop.net"))), ("Blocked_Host", CLIENT, "Spamhaus ZEN", "listed", 1))
expect("4xx counts", notices(capture(refused("451 " + ZEN % CLIENT))), ("Blocked_Host", CLIENT, "Spamhaus ZEN", "listed", 1))
expect("2xx does not", notices(capture(refused("250 " + ZEN % CLIENT))))
expect("nor 421", notices(capture(refused("421 " + ZEN % CLIENT))))
greeting = (0, CLIENT, ["S: 554 " + ZEN % CLIENT, "C: QUIT", "S: 221 bye"])
n = notices(capture(greeting))
expect("the greeting does", n, ("Blocked_Host", CLIENT, "Spamhaus ZEN", "listed", 1))
ok(n and "trans_depth" not in n[0] and "sender" not in n[0], "and is no mail's", n)
resolver = capture(refused("554 5.7.1 Service unavailable; %s; Error: open resolver; https://www.spamhaus.org/returnc/pub/192.0.2.1" % (ZEN % CLIENT)))
n = notices(resolver)
expect("the receiver's own trouble lists nobody", n, ("Error_Message", CLIENT, "Spamhaus", "query_failed", 1))
expect("and is left out on wish", notices(resolver, "blocklist_kinds=listed"))
policy = capture(refused("550 5.7.26 This mail is unauthenticated, which poses a security risk to the sender and Gmail users, and has been blocked. gsmtp"))
expect("what is no list raises nothing", notices(policy))
n = notices(policy, "blocklist_kinds=listed,authentication")
ok([x["kind"] for x in n] == ["authentication"], "but may be asked for", n)
expect("text from nobody's list", notices(capture(refused("550 5.1.1 User unknown"))))
lists = FOLDER / "lists.yaml"
lists.write_text("- name: Ours\n  kind: listed\n  pattern: 'house rule 7'\n")
expect("a file of lists replaces ours", notices(capture(refused("550 House Rule 7, " + CLIENT), refused("554 " + ZEN % CLIENT, after=5)), "blocklists=%s" % lists),
       ("Blocked_Host", CLIENT, "Ours", "listed", 1))

# Folding.
run = capture(*(refused("554 " + ZEN % CLIENT, after=60 * i) for i in range(5)), refused("554 " + ZEN % "192.0.2.1", after=100),
              refused("554 bl.spamcop.net lists " + CLIENT, after=130))
Z = ("Blocked_Host", CLIENT, "Spamhaus ZEN", "listed")
E, C = ("Error_Message", CLIENT, "Spamhaus ZEN", "listed", 1), ("Blocked_Host", CLIENT, "SpamCop", "listed", 1)
found, said = read(run)
n = [r for r in found if r["_path"] == "notice"]
expect("repeats are folded and counted", n, Z + (1,), E, C, Z + (4,))
ok(n and round(n[-1]["ts"]) == 1795000240, "what stands for repeats shows the last", n[-1:])
ok("7 notices, 4 of them folded" in said, "the closing line counts both", said)
expect("within a window that ends", notices(run, "suppress_for=90s"), Z + (1,), Z + (1,), E, Z + (1,), C, Z + (1,), Z + (1,))
expect("or never", notices(run, "suppress_for=0s"), Z + (1,), Z + (1,), E, Z + (1,), C, Z + (1,), Z + (1,))
crowd = capture(*(refused("554 " + ZEN % ("198.51.100.%d" % i), after=i + 100 * k, client="198.51.100.%d" % i) for k in range(2) for i in range(1, 41)))
found, said = read(crowd, "max_suppressed=16")
ok(sum(r.get("folded", 1) for r in found if r["_path"] == "notice") == 80, "over max_suppressed none is lost", said)
ok("told early over max_suppressed" in said, "and it is said", said)

# Origins.
two = capture(mail("X-Originating-IP: [192.0.2.77]", "Received: from h (h [198.51.100.77]) by mx; Mon, 2 Nov 2009 13:38:21 -0500", "Subject: =?utf-8?q?caf=C3=A9?="))
nets = "suspicious_origination_networks=192.0.2.0/24,198.51.100.64/26"
n = notices(two, nets)
ok([x["host"] for x in n] == ["192.0.2.77", "198.51.100.77"] and {x["note"] for x in n} == {"SMTP::Suspicious_Origination"}, "X-Originating-IP and the oldest hop", n)
ok(n and n[0]["msg"] == "An email originated from 192.0.2.77." and n[0]["sub"] == "Subject: caf\u00e9", "with the subject", n)
ok(not notices(two), "no network, no notice")
same = capture(mail("X-Originating-IP: [192.0.2.77]", "Received: from h (h [192.0.2.77]) by mx; Mon, 2 Nov 2009 13:38:21 -0500"))
ok([x["host"] for x in notices(same, nets)] == ["192.0.2.77"], "the same address twice is one notice")
again = capture(*(mail("X-Originating-IP: [192.0.2.77]", after=60 * i) for i in range(3)))
ok([x.get("folded", 1) for x in notices(again, nets)] == [1, 2], "mails from it are folded like any notice", notices(again, nets))
found, _ = read(capture(mail("X-Originating-IP: [10.0.0.9]", "Received: from h ([198.51.100.77]) by mx; x"), mail("Subject: x", after=5), mail("X-Originating-IP: 192.0.2.5", after=9)))
ok([r["origin"] for r in found if r["_path"] == "smtp"] == [{"ip": "198.51.100.77"}, {"ip": CLIENT}, {"ip": "192.0.2.5"}], "origin: the first that is public", found)
found, _ = read(capture(mail("Received: from h ([10.0.0.3]) by mx; x", client="10.0.0.1")))
ok(found[0]["origin"] == {"ip": "10.0.0.3"}, "or the first that is known", found)

# The owner's policy.
rows = """
local_nets: [198.51.100.0/24]
notice_policy:
  - {note: "SMTP::Blocklist_Blocked_Host", only: {local_host: no}, actions: drop}
  - note: SMTP::Blocklist_*
    only: {networks: [198.51.100.8/32]}
    actions: [log]
    suppress_for: 1.5 s
  - {note: SMTP::Suspicious_Origination, actions: [drop], only: {countries: [ru]}}
"""
three = capture(refused("554 " + ZEN % CLIENT), refused("554 " + ZEN % "198.51.100.8", after=1, client="198.51.100.8"), refused("554 " + ZEN % "198.51.100.8", after=2, client="198.51.100.8"),
                refused("554 " + ZEN % "192.0.2.5", after=3, client="192.0.2.5"))
found, said = read(three, config=rows)
n = [r for r in found if r["_path"] == "notice"]
ok([(x["host"], x["suppress_for"]) for x in n] == [(CLIENT, 3600.0), ("198.51.100.8", 1.5), ("198.51.100.8", 1.5)], "the first row that fits decides", n)
ok("1 of them dropped" in said, "what is dropped is counted", said)
ok(all(x["actions"] == ["log"] for x in n), "actions are told", n)

# Countries and networks.
sys.path.insert(0, str(SOURCE / "tools/original"))
import mmdb  # noqa: E402

mmdb.write(FOLDER / "c.mmdb", {"198.18.1.0/24": "CN", "198.18.2.0/24": "RU"})
far = capture(mail("X-Originating-IP: 198.18.1.5", "Received: from h ([198.18.2.9]) by mx; x"))
r = mailtap("read", "-f", "json", "-s", "country_databases=%s" % (FOLDER / "c.mmdb"), "-s", "suspicious_origination_countries=cn,RU", far)
found = [json.loads(line) for line in r.stdout.splitlines()]
n = [x for x in found if x["_path"] == "notice"]
ok([(x["msg"], x["country"]) for x in n] == [("An email originated from CN (198.18.1.5).", "CN"), ("An email originated from RU (198.18.2.9).", "RU")], "countries out of a file", n)
ok([x["origin"] for x in found if x["_path"] == "smtp"] == [{"ip": "198.18.1.5", "country": "CN"}], "stand in the record", found)
(FOLDER / "only.yaml").write_text("""
country_databases: [%s]
suspicious_origination_countries: [CN, RU]
notice_policy:
  - {note: "SMTP::*", only: {countries: [ru]}, actions: drop}
""" % (FOLDER / "c.mmdb"))
chinese = refused("554 " + ZEN % "198.18.1.7", client="198.18.1.7", after=9)
r = mailtap("read", "-f", "json", "-c", FOLDER / "only.yaml", far, capture(chinese))
n = [x for x in map(json.loads, r.stdout.splitlines()) if x["_path"] == "notice"]
ok([(x["host"], x["country"]) for x in n] == [("198.18.1.5", "CN"), ("198.18.1.7", "CN")], "a row may be for a country; a listed host has one", n)
debian = Path("/usr/share/libloc-location/location.db")
google = capture(mail("X-Originating-IP: 8.8.8.8"))
if debian.exists():
    r = mailtap("read", "-f", "json", google)
    origin = json.loads(r.stdout.splitlines()[0])["origin"]
    ok(origin == {"ip": "8.8.8.8", "country": "US", "asn": 15169, "as_name": "GOOGLE"}, "Debian's database is the default", origin, r.stderr.decode())
    hidden = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', debian.parent]
    if subprocess.run([*hidden, "true"], capture_output=True).returncode:
        skip("where it is not there", "a folder cannot be hidden here")
    else:
        r = subprocess.run([*hidden, MAILTAP, "read", "-f", "json", "-s", nets, google, two], capture_output=True, text=True)
        ok(r.returncode == 0 and r.stderr.count("no country database") == 1, "where it is not there, that is said once", r.stderr)
        ok('"SMTP::Suspicious_Origination"' in r.stdout and '"origin":{"ip":"8.8.8.8"}' in r.stdout, "and detection by network goes on", r.stdout)
else:
    skip("Debian's database is the default", "libloc-database is not installed")


def refuses(name, config, *wanted):
    (FOLDER / "bad.yaml").write_text(config)
    r = mailtap("read", "-c", FOLDER / "bad.yaml", one)
    said = r.stderr.decode()
    ok(r.returncode == 2 and all(w in said for w in wanted), "refused: " + name, said)


refuses("a misspelt notice", "notice_policy:\n  - {note: SMTP::Blocklist_Blocked_Hots, actions: [log]}\n", "bad.yaml:2:", "the nearest is 'SMTP::Blocklist_Blocked_Host'")
refuses("a misspelt beginning", "notice_policy:\n  - {note: 'SMTP::Blocklst_*', actions: [log]}\n", "the nearest is 'SMTP::Blocklist_Blocked_Host'")
refuses("a beginning in the wrong case", "notice_policy:\n  - {note: 'smtp::*', actions: [log]}\n", "the nearest is 'SMTP::")
refuses("a star amid a name", "notice_policy:\n  - {note: 'SMTP::*Host', actions: [log]}\n", "is no notice")
refuses("a name of the script smtp-ext.bro", "notice_policy:\n  - {note: SMTP_BL_Blocked_Host, actions: [log]}\n", "is called SMTP::Blocklist_Blocked_Host here")
refuses("an empty condition", "notice_policy:\n  - {note: '*', actions: drop, only: {networks: []}}\n", "wanted: networks")
refuses("a condition twice", "notice_policy:\n  - {note: '*', actions: log, only: {local_host: yes, local_host: no}}\n", "local_host is there twice")
refuses("a network with more bits than its prefix", "notice_policy:\n  - {note: '*', actions: log, only: {networks: [10.0.0.1/8]}}\n", "without bits beyond the prefix")
refuses("a misspelt action", "notice_policy:\n  - {note: '*', actions: [log, emial]}\n", "bad.yaml:2:", "the nearest is 'email'")
refuses("a misspelt condition", "notice_policy:\n  - {note: '*', actions: [log], only: {local_hosts: yes}}\n", "the nearest is 'local_host'")
refuses("a misspelt key", "notice_policy:\n  - {note: '*', action: [log]}\n", "the nearest is 'actions'")
refuses("drop with log", "notice_policy:\n  - {note: '*', actions: [log, drop]}\n", "drop goes with no other action")
refuses("a damaged database", "country_databases: [%s]\n" % one, "1.pcap: ")
refuses("no actions", "notice_policy:\n  - {note: '*'}\n", "wants note and actions")
refuses("a key twice", "notice_policy:\n  - {note: '*', note: '*', actions: log}\n", "note is there twice")
refuses("a word for rows", "notice_policy: log\n", "notice_policy")
refuses("a mapping for rows", "notice_policy: {note: x}\n", "notice_policy")
refuses("a network that is none", "notice_policy:\n  - {note: '*', actions: log, only: {networks: [10.0.0]}}\n", "wanted: networks")
refuses("a country that is none", "suspicious_origination_countries: [Russia]\n", "'Russia'", "two letters")
refuses("a kind that is none", "blocklist_kinds: [lsited]\n", "the nearest is 'listed'")
refuses("a file of lists that is not there", "blocklists: /nonexistent/lists.yaml\n", "/nonexistent/lists.yaml: No such file")
refuses("a database that is not there", "country_databases: [/nonexistent/x.mmdb]\n", "/nonexistent/x.mmdb: No such file")
done()
