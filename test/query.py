#!/usr/bin/python3
"""Questions to a store of all captures: the same records as `read -f json` prints; for values taken from the data, each field finds what
a filter in Python finds, and so do mixes of AND, OR and NOT; pages; files that are read-only, damaged, older, newer; hostile texts."""
import ipaddress
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unicodedata
from pathlib import Path

from tap import MAILTAP, SOURCE, done, mailtap, ok, SHARED

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-query-"))
STORE = FOLDER / "store"
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 30)))
RANDOM = random.Random(SEED)
STREAMS = ("smtp", "smtp_session", "notice", "software")
SETTINGS = ("-s", "headers=all", "-s", "hash=all", "-s", "mail_path_capture=all", "-s", "local_nets=10.0.0.0/8,192.168.0.0/16")


# ---- what a query means, written down a second time

def words(text):
    """Letters and digits in a row, small, without diacritics."""
    found, word = [], ""
    for c in text:
        kind = unicodedata.category(c)
        if kind[0] in "LN" or kind == "Co":
            word += unicodedata.normalize("NFD", c.lower())[0]
        elif word and 0x300 <= ord(c) <= 0x331:
            continue
        elif word:
            found.append(word)
            word = ""
    return found + ([word] if word else [])


def lower(text):
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def says(text, phrase, start=False):
    have, want = words(text), words(phrase)
    if not want:
        return phrase in text
    for i in range(len(have) - len(want) + 1):
        piece = have[i:i + len(want)]
        if piece[:-1] == want[:-1] and (piece[-1].startswith(want[-1]) if start else piece[-1] == want[-1]):
            return True
    return False


def alike(text, pattern):
    return re.fullmatch(".*".join(map(re.escape, lower(pattern).split("*"))), lower(text), re.S) is not None


def at(value, path):
    """All values at a path like files[].members[].name."""
    if not path:
        return [] if value is None else [value]
    if path == "{}":
        return list(value or {})
    if path == "#":
        return [] if value is None else [len(value)]
    if path.startswith("[]"):
        return [v for item in value or [] for v in at(item, path[2:])]
    name = re.match(r"\.?([a-z0-9_]+)", path)
    return at((value or {}).get(name.group(1)), path[name.end():])


def column(record, path):
    for name in ("id.orig_h", "id.resp_h", "id.orig_p", "id.resp_p"):
        if path == name:
            return at(record.get(name), "")
    return at(record, path)


ADDRESSES = {"from": ["from", "sender", "reply_to"], "rcpt": ["to", "cc", "bcc"]}


def people(which):
    return ["addresses.%s[].addr" % n for n in ADDRESSES[which]]


PARTS = ["files[]", "parts[]"]
# stream -> field -> (kind, places of words, places of whole values)
FILE_NAMES = ["files[].name", "files[].members[].name", "parts[].members[].name"]
FIELDS = {
    "smtp": {
        "from": ("mail", ["mailfrom", "from", "sender", "reply_to"] + people("from"), ["mailfrom"] + people("from")),
        "rcpt": ("mail", ["rcptto[]", "to[]", "cc[]"] + people("rcpt"), ["rcptto[]"] + people("rcpt")),
        "subject": ("words", ["subject"], ["subject"]),
        "domain": ("domain", [], [p + "@" for p in ["mailfrom", "rcptto[]"] + people("from") + people("rcpt")] + ["urls[].host", "urls[].unwrapped_host", "authentication.dkim[].domain"]),
        "ip": ("net", [], ["id.orig_h"]),
        "server": ("net", [], ["id.resp_h"]),
        "host": ("host", ["helo", "hops[].from_helo", "hops[].from_rdns", "hops[].by"], ["id.orig_h", "id.resp_h", "path[]", "hops[].from_ip", "hops[].by_ip", "origin.ip"]),
        "port": ("number", [], ["id.resp_p"]),
        "helo": ("words", ["helo"], ["helo"]),
        "country": ("name", [], ["origin.country"]),
        "asn": ("number", [], ["origin.asn"]),
        "disposition": ("choice", [], ["disposition"]),
        "code": ("number", [], ["reply.code"]),
        "enhanced": ("name", [], ["reply.enhanced"]),
        "stage": ("choice", [], ["reply.stage"]),
        "reason": ("words", ["reply.text", "last_reply", "last_error"], ["reply.text", "last_reply", "last_error"]),
        "msgid": ("msgid", [], ["msg_id"]),
        "uid": ("name", [], ["uid"]),
        "depth": ("number", [], ["trans_depth"]),
        "queue": ("name", [], ["queue_id"]),
        "file": ("words", FILE_NAMES, FILE_NAMES),
        "type": ("name", [], [p + "." + n for p in PARTS for n in ("type", "mime_type")]),
        "hash": ("name", [], [p + "." + n for p in PARTS for n in ("sha256", "sha1", "md5")]),
        "encrypted": ("bool", [], ["files[].encrypted", "parts[].encrypted"]),
        "url": ("words", *[["urls[]." + n for n in ("url", "host", "host_unicode", "unwrapped", "unwrapped_host")]] * 2),
        "agent": ("words", ["user_agent", "agent.name"], ["user_agent", "agent.name"]),
        "tls": ("bool", [], ["tls"]),
        "webmail": ("bool", [], ["is_webmail"]),
        "size": ("number", [], ["message_bytes"]),
        "rcpts": ("number", [], ["rcptto#"]),
        "anomaly": ("name", [], ["anomalies[].name"]),
        "list": ("name", [], ["list.id"]),
        "dkim": ("name", [], ["authentication.dkim[].domain"]),
        "flag": ("choice", [], ["flags{}"]),
        "sensor": ("name", [], ["sensor"]),
    },
    "smtp_session": {
        "ip": ("net", [], ["id.orig_h"]),
        "server": ("net", [], ["id.resp_h"]),
        "host": ("host", ["helo"], ["id.orig_h", "id.resp_h"]),
        "port": ("number", [], ["id.resp_p"]),
        "helo": ("words", ["helo"], ["helo"]),
        "banner": ("words", ["banner"], ["banner"]),
        "uid": ("name", [], ["uid"]),
        "agent": ("words", ["server.name"], ["server.name"]),
        "tls": ("bool", [], ["tls"]),
        "version": ("name", [], ["ssl.version"]),
        "cipher": ("name", [], ["ssl.cipher"]),
        "sni": ("name", [], ["ssl.server_name"]),
        "ja3": ("name", [], ["ssl.ja3", "ssl.ja3s", "ssl.ja4"]),
        "user": ("name", [], ["logins[].user"]),
        "dialect": ("name", [], ["dialect"]),
        "mails": ("number", [], ["mails"]),
        "end": ("choice", [], ["end"]),
        "disposition": ("choice", [], ["disposition"]),
        "anomaly": ("name", [], ["anomalies[].name"]),
        "flag": ("choice", [], ["flags{}"]),
        "reason": ("words", ["reply.text", "last_reply", "last_error"], ["reply.text", "last_reply", "last_error"]),
        "sensor": ("name", [], ["sensor"]),
    },
    "notice": {
        "from": ("mail", ["sender"], ["sender"]),
        "ip": ("net", [], ["id.orig_h"]),
        "server": ("net", [], ["id.resp_h"]),
        "host": ("host", [], ["host"]),
        "local": ("bool", [], ["local"]),
        "note": ("name", [], ["note"]),
        "msg": ("words", ["msg", "sub"], ["msg", "sub"]),
        "uid": ("name", [], ["uid"]),
        "list": ("name", [], ["list"]),
        "kind": ("name", [], ["kind"]),
        "src": ("net", [], ["src"]),
        "dst": ("net", [], ["dst"]),
        "identifier": ("name", [], ["identifier"]),
        "action": ("name", [], ["actions[]"]),
        "code": ("number", [], ["code"]),
        "enhanced": ("name", [], ["enhanced"]),
        "sensor": ("name", [], ["sensor"]),
    },
    "software": {
        "ip": ("net", [], ["host"]),
        "uid": ("name", [], ["uid"]),
        "type": ("name", [], ["software_type"]),
        "agent": ("words", ["name", "unparsed_version"], ["name"]),
        "version": ("name", [], ["version"]),
        "kind": ("name", [], ["kind"]),
        "sensor": ("name", [], ["sensor"]),
    },
}
ANY = {"smtp": ["subject", "from", "rcpt", "file", "url"], "smtp_session": ["banner", "helo", "reason"], "notice": ["msg", "from"], "software": ["agent"]}


def texts(record, paths):
    """Of a path with an @ behind it only what has one."""
    return [v for p in paths for v in column(record, p.rstrip("@")) if p[-1] != "@" or "@" in v]


def quoted(value):
    return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')


def pattern_of(value):
    """A pattern that fits the value, which may be written without quotation marks."""
    a, b = sorted(RANDOM.sample(range(len(value) + 1), 2)) if len(value) > 1 else (0, 1)
    pattern = value[:a] + "*" + value[b:]
    if RANDOM.random() < 0.3:
        pattern = "*" + pattern[RANDOM.randrange(len(pattern)):]
    return pattern if not re.search(r'[\s()"]', pattern) and set(pattern) != {"*"} else None


def behind_at(value):
    return value.rpartition("@")[2]


class Term:
    """A term and, as a function of a record, what it means."""

    def __init__(self, text, test):
        self.text, self.test = text, test


def term_of_words(name, field, value, prefix):
    kind, word_places, whole_places = field
    whole = lambda r, test: any(test(v) for v in texts(r, whole_places) if isinstance(v, str))
    spoken = lambda r, test: any(test(v) for v in texts(r, word_places) if isinstance(v, str))
    choice = RANDOM.random()
    pattern = pattern_of(value)
    if choice < 0.3 and pattern and kind != "host":
        return Term(prefix + pattern, lambda r: whole(r, lambda v: alike(v, pattern)))
    domain = value.rpartition("@")[2]
    if kind == "mail" and "@" in value and choice < 0.45 and domain and not re.search(r'[\s()"*>]', domain):
        return Term(prefix + "*@" + domain, lambda r: whole(r, lambda v: lower(v).endswith("@" + lower(domain))))
    if kind == "mail" and "@" in value and not re.search(r"[\s<]", value) and choice < 0.7:
        return Term(prefix + quoted(value), lambda r: whole(r, lambda v: lower(v) == lower(value)))
    have = re.findall(r"\w+", value)
    if not have:
        return None
    begin = RANDOM.randrange(len(have))
    phrase = " ".join(have[begin:begin + RANDOM.choice((1, 1, 2, 3))])
    if not words(phrase) or not re.fullmatch(r"[A-Za-z0-9äöüßéèáàñçÄÖÜ_ ]+", phrase):
        return None
    return Term(prefix + quoted(phrase), lambda r: spoken(r, lambda v: says(v, phrase)))


def term_of_network(prefix, places, value):
    try:
        a = ipaddress.ip_address(value)
    except ValueError:
        return None
    bits = RANDOM.choice([a.max_prefixlen, a.max_prefixlen, a.max_prefixlen - 8, a.max_prefixlen - 3, 16, 7])
    net = ipaddress.ip_network((a, bits), strict=False)

    def test(r):
        return any(ipaddress.ip_address(v) in net for v in texts(r, places) if isinstance(v, str) and ipaddress.ip_address(v).version == a.version)
    return Term(prefix + (value if bits == a.max_prefixlen else "%s/%d" % (value, bits)), test)


def term_of_number(prefix, places, value):
    sign, compare = RANDOM.choice([("", int.__eq__), (">", int.__gt__), (">=", int.__ge__), ("<", int.__lt__), ("<=", int.__le__)])
    value += RANDOM.choice((0, 0, 1))
    return Term("%s%s%d" % (prefix, sign, value), lambda r: any(compare(v, value) for v in texts(r, places)))


def term_of_name(prefix, kind, places, value):
    strip = (lambda v: v.strip("<> ")) if kind == "msgid" else (lambda v: v)
    pattern = pattern_of(strip(value))
    have = lambda r: [strip(v) for v in texts(r, places)]
    if RANDOM.random() < 0.3 and pattern and kind != "choice":
        if kind == "msgid" and (pattern[0] == "<" or pattern[-1] == ">"):
            return None
        return Term(prefix + pattern, lambda r: any(alike(v, pattern) for v in have(r)))
    if not strip(value) or (kind == "msgid" and (strip(value)[0] in "<>" or strip(value)[-1] in "<>")):
        return None
    return Term(prefix + quoted(strip(value).swapcase() if RANDOM.random() < 0.3 and kind != "msgid" else strip(value)), lambda r: any(lower(v) == lower(strip(value)) for v in have(r)))


def term_of_domain(prefix, places, value):
    labels = behind_at(value).strip(".").split(".")
    domain = ".".join(labels[RANDOM.randrange(len(labels)):])
    if not re.fullmatch(r"[A-Za-z0-9.-]+", domain) or domain[0] in ".":
        return None

    def test(r):
        return any(lower(behind_at(v)) == lower(domain) or lower(behind_at(v)).endswith("." + lower(domain)) for v in texts(r, places))
    return Term(prefix + quoted(domain), test)


def term_of(stream, name, field, value):
    """A random term that may find the record which the value is of; or None."""
    kind, word_places, places = field
    prefix = name + ":"
    if RANDOM.random() < 0.05:
        all_places = set(word_places) | set(places)
        return Term(prefix + "*", lambda r: bool(texts(r, all_places)))
    if kind == "bool":
        yes = RANDOM.random() < 0.5
        return Term(prefix + ("yes" if yes else "no"), lambda r: any(v is True for v in texts(r, places)) == yes)
    if kind == "number":
        return term_of_number(prefix, places, value)
    if "\0" in value or not value:
        return None
    if kind in ("words", "mail"):
        return term_of_words(name, field, value, prefix)
    if kind == "host":
        return term_of_network(prefix, places, value) or term_of_words(name, field, value, prefix)
    if kind == "net":
        return term_of_network(prefix, places, value)
    if kind == "domain":
        return term_of_domain(prefix, places, value)
    return term_of_name(prefix, kind, places, value)


def any_term(stream, value):
    """Without a field: a word, perhaps its start."""
    have = [w for w in re.findall(r"[A-Za-z0-9]+", value) if w not in ("OR", "AND", "NOT")]
    if not have:
        return None
    word, start = RANDOM.choice(have), False
    if len(word) > 3 and RANDOM.random() < 0.4:
        word, start = word[:-1], True
    places = [p for f in ANY[stream] for p in FIELDS[stream][f][1]]
    return Term(word + "*" * start, lambda r: any(says(v, word, start) for v in texts(r, places)))


def mix(terms, depth=0):
    """Terms in a random tree."""
    if depth == 3 or RANDOM.random() < 0.3 * depth:
        return RANDOM.choice(terms)
    kind = RANDOM.choice(("and", "and", "or", "not"))
    if kind == "not":
        part = mix(terms, depth + 1)
        return Term("-(%s)" % part.text if " " in part.text or RANDOM.random() < 0.5 else "NOT " + part.text, lambda r: not part.test(r))
    parts = [mix(terms, depth + 1) for _ in range(RANDOM.choice((2, 2, 3)))]
    if kind == "and":
        return Term("(%s)" % " ".join(p.text for p in parts), lambda r: all(p.test(r) for p in parts))
    return Term("(%s)" % " OR ".join(p.text for p in parts), lambda r: any(p.test(r) for p in parts))


# ---- the store

def query(text, *args, store=STORE, want=0, **more):
    r = mailtap("query", store, text, *args, **more)
    if want is not None and r.returncode != want:
        ok(False, "query %r %s gives %d" % (text[:200], " ".join(args), want), r.returncode, r.stderr.decode(errors="replace"))
    return r


def lines_of(r):
    return r.stdout.decode().splitlines()


def build():
    captures = sorted(p for p in (SHARED / "captures").rglob("*") if p.is_file() and p.suffix not in (".tsv", ".md")) if SHARED.exists() else []
    captures.append(SOURCE / "samples/border.pcap")
    # The last share is of a sensor without a name.
    shares = (captures[::3], "Berlin-1"), (captures[1::3], "mx2"), (captures[2::3], "")
    printed = b"".join(mailtap("read", *some, *SETTINGS, "-s", "sensor=" + sensor, "-f", "json", timeout=400).stdout for some, sensor in shares if some)
    for some, sensor in shares:
        if some:
            mailtap("read", *some, *SETTINGS, "-s", "sensor=" + sensor, "-o", "sqlite:%s" % STORE, timeout=400)
    (FOLDER / "printed.json").write_bytes(printed)
    return printed.decode().split("\n")[:-1]


def whole(printed):
    got = lines_of(query("", "-f", "json", "--stream", "all"))
    wanted = set(printed)
    ok(len(got) == len(set(got)) or len(set(got)) == len(wanted), "no record is there twice", len(got), len(set(got)))
    ok(set(got) == wanted, "the store gives the lines that read prints", len(got), len(wanted), *sorted(set(got) - wanted)[:3], "missing", *sorted(wanted - set(got))[:3])
    for stream in STREAMS:
        times = [int(json.loads(line)["id"]) for line in lines_of(query("", "--fields", "id", "-f", "json", "--stream", stream))]
        ok(times == sorted(times, reverse=True), "%s: newest first" % stream)
        ok(list(reversed(times)) == [int(json.loads(l)["id"]) for l in lines_of(query("", "--fields", "id", "-f", "json", "--oldest", "--stream", stream))], "%s: oldest first, where that is wanted" % stream)
        ok(int(query("", "--count", "--stream", stream).stdout) == len(times), "%s: counted without reading" % stream)


def load(stream):
    lines = lines_of(query("", "-f", "json", "--stream", stream))
    ids = [int(json.loads(line)["id"]) for line in lines_of(query("", "-f", "json", "--fields", "id", "--stream", stream))]
    assert len(lines) == len(ids)
    return [(i, line, json.loads(line)) for i, line in zip(ids, lines)]


def check(stream, term, rows):
    """What is wrong with a term, as lines; and whether it found anything."""
    wanted = [line for _, line, record in rows if term.test(record)]
    r = query(term.text, "-f", "json", "--stream", stream, want=None)
    got = lines_of(r)
    faults = []
    if r.returncode:
        faults = [term.text, r.stderr.decode(errors="replace")]
    elif got != wanted:
        faults = ["%s %s: %d instead of %d" % (stream, term.text, len(got), len(wanted)), "too many: %s" % [l[:300] for l in got if l not in wanted][:1],
                  "missing: %s" % [l[:300] for l in wanted if l not in got][:1]]
    elif RANDOM.random() < 0.3:
        count = query(term.text, "--count", "--stream", stream).stdout.strip()
        if count != b"%d" % len(wanted):
            faults = ["%s %s: counted %s instead of %d" % (stream, term.text, count.decode(), len(wanted))]
    return faults, bool(wanted)


def fields(stream, rows, times):
    terms = []
    for name, field in FIELDS[stream].items():
        values = [v for _, _, r in rows for v in texts(r, set(field[1] + field[2]))]
        faults, found, tried = [], 0, 0
        if not values:
            ok(int(query(name + ":*", "--count", "--stream", stream).stdout) == 0, "%s %s: no record has it" % (stream, name))
            continue
        for _ in range(40 * times):
            term = term_of(stream, name, field, RANDOM.choice(values))
            if not term:
                continue
            bad, hit = check(stream, term, rows)
            faults += bad
            found += hit
            tried += 1
            terms.append(term)
            if tried == times or len(faults) > 10:
                break
        # Of a few records none may be met.
        ok(not faults and (found or len(rows) < 50), "%s %s: %d terms find what they shall" % (stream, name, tried), *faults)
    return terms


def anything(stream, rows, times):
    values = [v for _, _, r in rows for f in ANY[stream] for v in texts(r, FIELDS[stream][f][1])]
    terms = [t for t in (any_term(stream, RANDOM.choice(values)) for _ in range(times)) if t]
    faults = [line for t in terms for line in check(stream, t, rows)[0]]
    ok(not faults, "%s: %d terms without a field" % (stream, len(terms)), *faults)
    return terms


def mixes(stream, rows, terms, times):
    found, faults = 0, []
    for _ in range(times):
        bad, hit = check(stream, mix(terms), rows)
        faults += bad
        found += hit
    ok(not faults and (found > times // 5 or len(rows) < 50), "%s: %d mixes of AND, OR and NOT, %d of which find something" % (stream, times, found), *faults)


def times_and_ids(rows):
    faults = []
    stamp = lambda i: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(i // 1000000)) + ".%06dZ" % (i % 1000000)
    for _ in range(12):
        a, b = sorted(RANDOM.choice(rows)[0] for _ in range(2))
        for text, test in (("since:%s until:%s" % (stamp(a), stamp(b)), lambda i: a <= i < b), ("id:>%d id:<=%d" % (a, b), lambda i: a < i <= b),
                           ("-since:%s" % stamp(b), lambda i: i < b), ("(since:%s OR id:%d)" % (stamp(b), a), lambda i: i >= b or i == a)):
            wanted = [line for i, line, _ in rows if test(i)]
            if lines_of(query(text, "-f", "json")) != wanted or int(query(text, "--count").stdout) != len(wanted):
                faults.append(text)
    ok(not faults, "times and ids", *faults)


def has(rows):
    faults = []
    for name, (kind, word_places, places) in FIELDS["smtp"].items():
        wanted = sum(bool(texts(r, set(word_places) | set(places))) for _, _, r in rows)
        for text, number in (("has:" + name, wanted), ("-has:" + name, len(rows) - wanted), ("has:%s has:%s" % (name, name), wanted)):
            if int(query(text, "--count").stdout) != number:
                faults.append("%s: not %d" % (text, number))
    ok(not faults, "has: each field", *faults)


def noticed(rows):
    about = {(r["uid"], r.get("trans_depth")) for _, _, r in load("notice") if "uid" in r}
    wanted = [line for _, line, r in rows if (r["uid"], r["trans_depth"]) in about]
    ok(wanted and lines_of(query("has:notice", "-f", "json")) == wanted, "has:notice", len(wanted))


def pages(rows, terms):
    faults = []
    for term in [Term("", lambda r: True), *RANDOM.sample(terms, min(6, len(terms)))]:
        for order in ((), ("--oldest",)):
            size, got, place = RANDOM.choice((1, 7, 50)), [], None
            wanted = [i for i, _, r in (rows if not order else reversed(rows)) if term.test(r)][:20 * size]
            while len(got) < len(wanted):
                more = "" if place is None else " id:%s%d" % (">" if order else "<", place)
                page = [int(json.loads(l)["id"]) for l in lines_of(query("(%s)%s" % (term.text, more) if term.text else more, "-f", "json", "--fields", "id", "--limit", str(size), *order))]
                if not page:
                    break
                got += page
                place = page[-1]
            if got[:len(wanted)] != wanted:
                faults += [term.text, "%s of %d" % (order, size), got[:10], wanted[:10]]
    ok(not faults, "pages put together are the whole", *faults)


# ---- forms

def on_terminal(environment):
    """What a terminal gets of a mail."""
    ours, theirs = os.openpty()
    run = subprocess.Popen([MAILTAP, "query", STORE, "", "--limit", "1"], stdout=theirs, env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **environment})
    os.close(theirs)
    got = b""
    try:
        while chunk := os.read(ours, 65536):
            got += chunk
    except OSError:
        pass
    os.close(ours)
    ok(run.wait(60) == 0 and got.endswith(b"\r\n"), "a line on a terminal")
    return got


def forms(rows):
    r = query("from:anna OR -from:anna", "-f", "text", "--limit", "300")
    read = set(mailtap("read", SOURCE / "samples/border.pcap", *SETTINGS, "-f", "text").stdout.decode().splitlines())
    mine = [l for l in lines_of(query("since:2026-11-23", "-f", "text", "--stream", "all")) if not l.startswith("{")]
    ok(set(mine) == read, "text: the lines of read -f text", *sorted(set(mine) ^ read)[:6])
    ok(len(lines_of(r)) == min(300, len(rows)), "text: a line a mail")
    import csv
    import io
    got = list(csv.DictReader(io.StringIO(query("", "-f", "csv", "--fields", "id,uid,subject,rcptto,tls,message_bytes").stdout.decode(), newline="")))
    safe = lambda v: "'" + v if v and v[0] in "=+-@\t\r" else v
    wanted = [{"id": str(i), "uid": r["uid"], "subject": safe(r.get("subject", "")), "rcptto": json.dumps(r["rcptto"], ensure_ascii=False, separators=(",", ":")) if "rcptto" in r else "",
               "tls": str(r["tls"]).lower(), "message_bytes": str(r.get("message_bytes", ""))} for i, _, r in rows]
    bad = [(g, w) for g, w in zip(got, wanted) if {k: v for k, v in g.items() if k != "rcptto"} != {k: v for k, v in w.items() if k != "rcptto"}]
    ok(len(got) == len(wanted) and not bad, "csv: chosen fields", *bad[:2])
    ok(all((json.loads(g["rcptto"]) if g["rcptto"] else None) == r.get("rcptto") for g, (_, _, r) in zip(got, rows)), "csv: lists as JSON")
    some = [json.loads(l) for l in lines_of(query("", "-f", "json", "--fields", "uid,subject,files"))]
    ok(some == [{k: r[k] for k in ("uid", "subject", "files") if k in r} for _, _, r in rows], "json: chosen fields")
    ok(query("", "-f", "csv").stdout == query("", "--fields", "all").stdout, "--fields all")
    for text, sign, where in (("from:anna dispostion:rejected", "disposition", "  " + 10 * " " + 10 * "^"), ("disposition:rejcted", "rejected", "^^^^^^^"), ("a (b", "parenthesis", "^")):
        r = query(text, want=2)
        err = r.stderr.decode()
        ok(sign in err and text in err and where in err.splitlines()[-1], "wrong: %s" % text, err)
    ok("disposition:rejected" in query("disposition:rejected", "--explain").stdout.decode(), "--explain")
    for args in (("--stream", "nothing"), ("-f", "xml"), ("--limit", "0"), ("--fields", "subjct"), ("--colour",), ("--stream", "all", "-f", "csv")):
        r = query("", *args, want=2)
    for args, sign in ((("-f", "xml"), "there are text, json, csv"), (("--limit",), "--limit wants a value"), (("-f",), "-f wants a value"), (("--stream", "notices"), "the nearest is 'notice'; there are smtp,")):
        r = query("", *args, want=2)
        ok(sign in r.stderr.decode(), "%s: %s" % (" ".join(args), sign), r.stderr.decode())
    for stream in ("smtp", "smtp_session", "notice", "software"):
        shown = len(lines_of(query("", "-f", "text", "--stream", stream)))
        ok(shown == int(query("", "--count", "--stream", stream).stdout) > 0, "text: a line for each of %s" % stream, shown)
    for environment, colours in (({}, True), ({"NO_COLOR": "1"}, False)):
        ok((b"\x1b[" in on_terminal(environment)) == colours, "on a terminal, %s" % environment)
    (FOLDER / "logs").mkdir()
    (FOLDER / "logs/smtp.log").write_text("{}\n")
    r = query("a", "--count", store=FOLDER / "logs", want=1)
    ok(r.stdout == b"0\n" and b"has no records" in r.stderr, "a folder that is no store is told", r.stderr.decode())
    r = mailtap("query", "from:anna")
    ok(r.returncode == 2 and b"folder before the query" in r.stderr, "a query without a folder", r.stderr.decode())
    ok(mailtap("query").returncode == 2 and mailtap("query", FOLDER / "nowhere", "a").returncode == 2, "no folder, no store")


# ---- files that are not as they should be

def sub_store(name, days):
    """A copy of the store with some of its days."""
    store = FOLDER / name
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir()
    for day in days:
        shutil.copy(day, store)
    return store


def states():
    days = sorted(STORE.glob("*.sqlite"), key=lambda p: -p.stat().st_size)[:4]
    store = sub_store("states", days)
    count = lambda want=0: query("", "--count", store=store, want=want)
    full = int(count().stdout)
    first = sorted(store.glob("*.sqlite"))[0]
    own = int(subprocess.run(["sqlite3", first, "select count(*) from smtp"], capture_output=True).stdout)

    if os.geteuid() == 0:
        for path in store.iterdir():
            path.chmod(0o444)
        store.chmod(0o555)
        FOLDER.chmod(0o755)
        r = mailtap_as_nobody("query", store, "", "--count")
        ok(r.returncode == 0 and int(r.stdout) == full, "a folder that may not be written to", r.stderr.decode())
        # As a writer leaves it that was not ended: in WAL mode, the log gone or not.
        store.chmod(0o755)
        db = sqlite3.connect(first)
        db.execute("PRAGMA journal_mode = WAL")
        db.close()
        store.chmod(0o555)
        r = mailtap_as_nobody("query", store, "", "--count")
        ok(r.returncode == 0 and int(r.stdout) == full, "in WAL mode without a log, not to be written to", r.stderr.decode())
        store.chmod(0o755)
        db = sqlite3.connect(first)
        db.execute("CREATE TABLE IF NOT EXISTS other(a)")
        db.commit()
        for suffix in ("-wal", "-shm"):
            Path(str(first) + suffix).chmod(0o444)
        store.chmod(0o555)
        r = mailtap_as_nobody("query", store, "", "--count")
        ok(r.returncode == 0 and int(r.stdout) == full, "beside a writer, not to be written to", r.stderr.decode())
        first.chmod(0)
        r = mailtap_as_nobody("query", store, "", "--count")
        ok(r.returncode == 1 and int(r.stdout) == full - own and ("%s: unable to open database file: Permission denied" % first).encode() in r.stderr, "a day that may not be read", r.stderr.decode())
        store.chmod(0o755)
        db.close()

    store = sub_store("states", days)
    first = sorted(store.glob("*.sqlite"))[0]
    data = first.read_bytes()
    for what, bad in (("cut", data[:5000]), ("empty", b""), ("no SQLite", b"x" * 9000), ("zeros in the middle", data[:4096] + bytes(len(data) - 8192) + data[-4096:])):
        first.write_bytes(bad)
        for text, args in (("", ("--count",)), ("-from:nobody", ("-f", "json")), ("subject:zzzz", ("--count",))):
            r = query(text, *args, store=store, want=None)
            good = r.returncode in (0, 1) and (r.returncode == 1) == (b"left out" in r.stderr)
            if args == ("--count",) and text == "":
                good = good and full - own <= int(r.stdout) <= full and (what == "zeros in the middle" or r.returncode == 1 or what == "empty")
            ok(good, "damaged, %s: %s" % (what, text or "all"), r.returncode, r.stdout[:200], r.stderr.decode())
    first.write_bytes(data)

    db = sqlite3.connect(first)
    db.execute("ALTER TABLE smtp DROP COLUMN subject")
    db.execute("ALTER TABLE smtp DROP COLUMN queue_id")
    db.commit()
    db.close()
    r = query("", "-f", "json", store=store)
    ok(len(lines_of(r)) == full and sum("subject" in json.loads(l) for l in lines_of(r)) < full, "an older file without two columns")
    ok(int(query("-subject:*", "--count", store=store).stdout) >= own, "what is not there is not found", own)
    ok(query("queue:x OR subject:\"a b\" OR subject:*a*", "--count", store=store).returncode == 0, "nor an error")

    db = sqlite3.connect(first)
    db.execute("PRAGMA user_version = 1000")
    db.commit()
    db.close()
    r = count(want=1)
    ok(int(r.stdout) == full - own and b"newer" in r.stderr, "a newer file is left out, and said", r.stdout, r.stderr.decode())

    bare = sub_store("bare", days[:1])
    db = sqlite3.connect(next(bare.glob("*.sqlite")))
    db.execute("INSERT INTO find(find) VALUES('delete-all')")
    db.commit()
    db.close()
    name = json.loads(lines_of(query("from:*", "--limit", "1", "-f", "json", store=bare))[0])["from"]
    term = "from:" + quoted(" ".join(words(name)[:2]))
    ok(lines_of(query(term, "-f", "json", store=bare)) == [] and lines_of(query("-(-%s)" % term, "-f", "json", store=bare)), "the index is what is asked first", term)

    hostile = sub_store("hostile", days[:1])
    first = next(hostile.glob("*.sqlite"))
    db = sqlite3.connect(first)
    db.executescript("DROP TABLE smtp; DROP TABLE notice; CREATE TABLE notice(id INTEGER PRIMARY KEY, note, msg, actions); INSERT INTO notice VALUES(1,x'ff00',3.5,'[[[');"
                     "CREATE VIEW smtp AS SELECT 1 AS id, load_extension('x') AS subject;")
    db.commit()
    db.close()
    for args in (("--stream", "all", "-f", "text"), ("--stream", "all", "-f", "json"), ("--stream", "notice", "-f", "text")):
        r = query("since:1970-01-01", *args, store=hostile, want=None)
        ok(r.returncode in (0, 1), "a file with another's tables: %s" % " ".join(args), r.returncode, r.stderr.decode())
    r = query("action:x", "--stream", "notice", store=hostile, want=None)
    ok(r.returncode in (0, 1), "JSON that is none", r.returncode, r.stderr.decode())


def mailtap_as_nobody(*args):
    def drop():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    binary = FOLDER / "mailtap"
    if not binary.exists():
        shutil.copy(MAILTAP, binary)
        binary.chmod(0o755)
    return subprocess.run([binary, *map(str, args)], capture_output=True, preexec_fn=drop, timeout=60)


# ---- hostile texts

def hostile():
    texts = ["'", "\"", "\"\"", "a\"b", "';DROP TABLE smtp;--", "\" OR 1=1 --", "subject:\"x\\\" OR key : kt0\"", "from:\"{subject} : a\"", "NEAR(a b)", "a NEAR b", "key:kt0", "subject:\"^a\"",
             "*", "**", "a* *b *", "subject:\"*\"", "(" * 100, ")" * 100, "-" * 5000, "NOT " * 3000, "a " * 4000, "a" * 100000, "\"" + "a " * 4000 + "\"", "x:" * 4000, "subject:" + "*a" * 3000,
             "any:" + "*" * 8000, "é" * 4000, "\u202eabc", "subject:\u0301", "subject:\u200b", "ip:::", "ip:1.2.3.4/33", "ip:1.2.3.4/", "size:>99999999999999999999", "since:99999999999999999999", "since:-1",
             "id:99999999999999999999999", "id:>9223372036854775807", "id:<0", "code:>", "until:9999-12-31T23:59:59-23:59", "duration:>1", "a OR OR b", "OR", "NOT", "(OR)", "\\", "\"\\\"", "a\\", ":a", "a:", "::", "0x1:1"]
    faults = []
    for text in texts:
        for args in (("--count",), ("-f", "json", "--limit", "3", "--stream", "all")):
            r = query(text, *args, want=None)
            if r.returncode not in (0, 2):
                faults.append((text[:100], r.returncode, r.stderr.decode(errors="replace")[-500:]))
    pieces = ["subject:", "from:", "-", "(", ")", "\"", " ", " OR ", " NOT ", "*", "\\", "ip:", "10.0.0.0/8", "é", "a", "kt0", "key : ", "{", "}", "^", "+", "'", ";", "--", "size:>", "10M", "\n", "\u00ad", "<", ">", "=", "since:", "7d"]
    for _ in range(60):
        text = "".join(RANDOM.choice(pieces) for _ in range(RANDOM.randrange(1, 25)))
        r = query(text, "--count", want=None)
        if r.returncode not in (0, 2):
            faults.append((text, r.returncode, r.stderr.decode(errors="replace")[-500:]))
    for raw in (b"a\xffb", b"\xc3", b"\xed\xa0\x80", b"subject:\xf5"):
        r = subprocess.run([MAILTAP, "query", STORE, raw], capture_output=True, timeout=60)
        if r.returncode != 2 or b"UTF-8" not in r.stderr:
            faults.append((raw, r.returncode, r.stderr))
    ok(not faults, "hostile texts are read or refused", *faults)
    took = time.monotonic()
    query("subject:" + "*a" * 3000, "--count")
    ok(time.monotonic() - took < 20, "a pattern of many stars takes no long time")


def main():
    print("# SEED=%d" % SEED, flush=True)
    printed = build()
    whole(printed)
    rows = load("smtp")
    every = []
    for stream in STREAMS:
        here = rows if stream == "smtp" else load(stream)
        terms = fields(stream, here, 6 if stream == "smtp" else 3) + anything(stream, here, 10)
        mixes(stream, here, terms, 40 if stream == "smtp" else 10)
        every += terms if stream == "smtp" else []
    times_and_ids(rows)
    has(rows)
    noticed(rows)
    pages(rows, every)
    forms(rows)
    states()
    hostile()
    shutil.rmtree(FOLDER, ignore_errors=True)
    done()


main()
