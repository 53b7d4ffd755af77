#!/usr/bin/python3
"""Agents and software: what a mail's program and a server's greeting are told as, whose software is told of, once, and the same
whatever the number of workers; other tables of agents; what a wrong one says."""
import json
import tempfile
from pathlib import Path

from capturing import capture_of
from tap import SHARED, SOURCE, done, mailtap, ok, skip

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-software-"))
CLIENT, SERVER = "10.0.0.7", "10.0.0.25"
HOP = "Received: from [10.0.9.%d] by x.example with %s; Wed, 25 Nov 2026 04:00:00 +0000"


def session(*headers, after=0, client=CLIENT, server=SERVER, banner="mx.example ESMTP Postfix (Debian/GNU)"):
    lines = ["S: 220 " + banner, "C: EHLO c.example", "S: 250 mx", "C: MAIL FROM:<a@example.org>", "S: 250 ok", "C: RCPT TO:<b@example.net>", "S: 250 ok"]
    if headers:
        lines += ["C: DATA", "S: 354 go", *("C: " + h for h in headers), "C:", "C: .", "S: 250 queued"]
    return (after, client, server, lines + ["C: QUIT", "S: 221 bye"])


def read(sessions, *settings, form="json", more=()):
    args = ["read", "-f", form, "-s", "country_databases=none", *more]
    for s in settings:
        args += ["-s", s]
    r = mailtap(*args, capture_of(FOLDER, sessions))
    if r.returncode:
        ok(False, "mailtap ends well", r.stderr.decode())
    return r


def records(sessions, *settings, stream="software"):
    found = [json.loads(line) for line in read(sessions, *settings).stdout.splitlines()]
    return [r for r in found if r["_path"] == stream]


def brief(found):
    return [(r["host"], r.get("host_p"), r["software_type"].partition("::")[2], r["name"], r.get("version"), r.get("kind")) for r in found]


def expect(name, found, *wanted):
    ok(brief(found) == list(wanted), name, *brief(found), "wanted", *wanted)


POSTFIX = (SERVER, 25, "MAIL_SERVER", "Postfix", None, "mta")
FOO = (CLIENT, None, "MAIL_CLIENT", "Foo", "1.2", None)


def fields():
    m = records([session("User-Agent: Roundcube Webmail/1.6.1")], stream="smtp")[0]
    ok((m["agent"], m["is_webmail"]) == ({"name": "Roundcube", "version": "1.6.1", "kind": "webmail"}, True), "a webmail program", m)
    m = records([session("X-Mailer: Foo/1.2 (x)")], stream="smtp")[0]
    ok((m["agent"], m["is_webmail"]) == ({"name": "Foo", "version": "1.2"}, False), "a program that nobody knows", m)
    m = records([session("Subject: x")], stream="smtp")[0]
    ok("agent" not in m and not m["is_webmail"], "a mail that names none", m)
    m = records([session("User-Agent: Roundcube Webmail/1", "X-Mailer: Mutt 1.0us")], stream="smtp")[0]
    ok((m["agent"]["name"], m["is_webmail"], m["user_agent"]) == ("Mutt", False, "Mutt 1.0us"), "of two the last one, as ever", m)
    s = records([session()], stream="smtp_session")[0]
    ok(s["server"] == {"name": "Postfix", "kind": "mta"}, "a server", s)
    s = records([session(banner="postfix.example ESMTP")], stream="smtp_session")[0]
    ok("server" not in s, "a greeting that names none", s)


def webmail_of_old():
    """What was taken for webmail before there was a table."""
    texts = ["iPlanet Messenger Express 5.2", "Sun Java(tm) System Messenger Express 6.1", "SquirrelMail/1.4.23", "NeoMail 1.27", "Roundcube Webmail/1.4",
             "RainLoop/1.12.1", "SnappyMail/2.22", "SOGoMail 5.8.4", "Open-Xchange Mailer v7.10", "Horde Application Framework 5",
             "Internet Messaging Program (IMP) H3", "x (IMP)", "Zimbra 8 (ZimbraWebClient - GC)", "Internet Messaging Program 3"]
    found = records([session("User-Agent: " + t, after=i) for i, t in enumerate(texts)], stream="smtp")
    ok([m["user_agent"] for m in found if m["is_webmail"]] == texts, "all that was webmail still is", *[m for m in found if not m["is_webmail"]])


def whose():
    expect("a server and a client", records([session("X-Mailer: Foo/1.2")]), FOO, POSTFIX)
    r = records([session("X-Mailer: Foo/1.2")])
    ok(r[0]["unparsed_version"] == "Foo/1.2" and r[1]["unparsed_version"] == "mx.example ESMTP Postfix (Debian/GNU)" and r[0]["uid"] == r[1]["uid"],
       "with what they say and the connection", r)
    hops = [HOP % (2, "ESMTP"), HOP % (3, "ESMTP")]
    expect("it runs on the oldest hop", records([session(*hops, "X-Mailer: Foo/1.2")]), ("10.0.9.3", *FOO[1:]), POSTFIX)
    web = [HOP % (2, "ESMTP"), HOP % (3, "HTTP")]
    expect("webmail behind a browser on the one above", records([session(*web, "X-Mailer: SnappyMail/2.1")]),
           ("10.0.9.2", None, "WEBMAIL_SERVER", "SnappyMail", "2.1", "webmail"), POSTFIX)
    out = [session("X-Mailer: Foo/1.2", client="198.51.100.7")]
    expect("a stranger's program is not told of", records(out), POSTFIX)
    expect("nor where it claims a host of ours", records([session(HOP % (3, "ESMTP"), "X-Mailer: Foo/1.2", client="198.51.100.7")]), POSTFIX)
    expect("but is, where it is in local_nets", records(out, "local_nets=198.51.100.0/24"), ("198.51.100.7", *FOO[1:]), POSTFIX)
    expect("or all are asked for", records(out, "software=all"), ("198.51.100.7", *FOO[1:]), POSTFIX)
    expect("or none", records(out, "software=none"))


def once():
    many = [session("X-Mailer: Foo/%s" % v, after=a) for a, v in ((0, "1.2"), (10, "1.2"), (20, "1.3"), (30, "1.2"), (90, "1.2"))]
    new = (*FOO[:4], "1.3", None)
    expect("once, and each version", records(many), FOO, POSTFIX, new)
    expect("and again after software_expires", records(many, "software_expires=1m"), FOO, POSTFIX, new, FOO, POSTFIX)
    crowd = [session("X-Mailer: Foo/1.2", after=i, client="10.0.1.%d" % (i % 20)) for i in range(40)]
    r = read(crowd, "software_hosts=16")
    ok(r.stdout.count(b'"software"') > 40 and b"programs of hosts forgotten early over software_hosts" in r.stderr, "over software_hosts the oldest goes, and is counted",
       r.stderr.decode())


def zeek_log():
    folder = Path(tempfile.mkdtemp(dir=FOLDER))
    texts = ["Mutt/1.5.20 (2009-12-10)", "Claws Mail 3.17.5-dirty (GTK+)", "aerc 0.20.1-0-g2ecb8770224a", "iPhone Mail (21G93)", "K-9 Mail for Android", "Foo 1.2.3.4.5"]
    read([session("X-Mailer: " + t, after=i) for i, t in enumerate(texts)], form="zeek", more=("-o", folder))
    lines = (folder / "software.log").read_text().splitlines()
    head = [x for x in lines if x.startswith("#fields") or x.startswith("#types")]
    ok(head == ["#fields\tts\thost\thost_p\tsoftware_type\tname\tversion.major\tversion.minor\tversion.minor2\tversion.minor3\tversion.addl\tunparsed_version",
                "#types\ttime\taddr\tport\tenum\tstring\tcount\tcount\tcount\tcount\tstring\tstring"], "software.log has Zeek's columns", *head)
    rows = ["\t".join(x.split("\t")[1:]) for x in lines if not x.startswith("#")]
    client = CLIENT + "\t-\tSMTP::MAIL_CLIENT\t"
    want = [client + "Mutt\t1\t5\t20\t-\t-\tMutt/1.5.20 (2009-12-10)", SERVER + "\t25\tSMTP::MAIL_SERVER\tPostfix\t-\t-\t-\t-\t-\tmx.example ESMTP Postfix (Debian/GNU)",
            client + "Claws Mail\t3\t17\t5\t-\tdirty\t" + texts[1], client + "aerc\t0\t20\t1\t0\tg2ecb8770224a\t" + texts[2],
            client + "iPhone Mail\t21\t-\t-\t-\tG93\t" + texts[3], client + "K-9 Mail\t-\t-\t-\t-\t-\t" + texts[4], client + "Foo\t1\t2\t3\t4\t5\t" + texts[5]]
    ok(rows == want, "and versions in their parts", *rows)


def own_table():
    table = FOLDER / "agents.yaml"
    table.write_text("- {name: House, kind: webmail, pattern: Foo, example: Foo/1.2}\n")
    m = records([session("X-Mailer: Foo/1.2")], "agents=%s" % table, stream="smtp")[0]
    ok(m["agent"] == {"name": "House", "version": "1.2", "kind": "webmail"} and m["is_webmail"], "a table of one's own", m)
    s = records([session()], "agents=%s" % table, stream="smtp_session")[0]
    ok("server" not in s, "takes the place of ours", s)
    for text, says in (("- {name: A, kind: webmial, pattern: A}\n", ":1:19: no kind 'webmial'; the nearest is 'webmail'"),
                       ("- {name: A, kind: mta, patern: A}\n", ":1:24: no key 'patern'; the nearest is 'pattern'")):
        table.write_text(text)
        for workers in (1, 2):
            r = mailtap("read", "--workers", workers, "-s", "agents=%s" % table, SOURCE / "samples/border.pcap")
            ok(r.returncode and (str(table) + says) in r.stderr.decode(), "%d workers refuse a wrong one: %s" % (workers, says), r.stderr.decode())
    r = mailtap("read", "-s", "software=sometimes", SOURCE / "samples/border.pcap")
    ok(r.returncode and b"'sometimes' is no value for software; wanted: all, local or none" in r.stderr, "a wrong scope is named", r.stderr.decode())


def real_captures():
    """All real captures as one run: the number of workers changes nothing, and what is told is what was told before."""
    if not (SHARED / "captures").exists():
        skip("software in real captures", "%s is not there: set MAILTAP_SHARED" % SHARED)
        return
    files = sorted(p for p in (SHARED / "captures").rglob("*.pcap") if p.is_file())
    out = {}
    for workers in (1, 2, 3):
        r = mailtap("read", "-f", "json", "--workers", workers, "-s", "country_databases=none", "-s", "software=all", *files)
        out[workers] = [line for line in r.stdout.splitlines() if line.startswith(b'{"_path":"software"')]
    ok(len(out[1]) > 50, "real captures show software: %d" % len(out[1]))
    ok(out[1] == out[2] == out[3], "the same with 1, 2 and 3 workers")
    found = {(r["software_type"][6:], r["name"], r.get("version")) for r in map(json.loads, out[1])}
    for want in (("MAIL_SERVER", "Exim", "4.69"), ("MAIL_SERVER", "Postfix", None), ("MAIL_SERVER", "Gmail", None), ("MAIL_CLIENT", "Outlook", "12.0"),
                 ("MAIL_CLIENT", "Thunderbird", "17.0.8")):
        ok(want in found, "among them %s %s %s" % want, *sorted(map(str, found)))


for test in (fields, webmail_of_old, whose, once, zeek_log, own_table, real_captures):
    test()
done()
