"""What queries mean, written down a second time, and a store of any kind held to it: for values taken from the data each field finds what a
filter in Python finds, and so do mixes of AND, OR and NOT; times, ids, pages."""
import ipaddress
import json
import os
import random
import re
import subprocess
import time
import unicodedata

from tap import ok

SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 30)))
RANDOM = random.Random(SEED)
STREAMS = ("smtp", "smtp_session", "notice", "software")


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

class Wrong(Exception):
    """What a store says instead of an answer."""


class Store:
    """A store of any kind, asked by test/query-run. `micros` of an id are the time at which its record ended."""

    def __init__(self, program, where, micros=lambda i: i, window=0):
        self.micros = micros
        self.process = subprocess.Popen([program, str(where), str(window)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, form, text, stream, oldest=False, limit=0, seconds=0):
        """-> (lines, what its end says)."""
        query = text.encode()
        self.process.stdin.write(b"%s %s %s %d %f %d\n" % (stream.encode(), form.encode(), b"oldest" if oldest else b"newest", limit, seconds, len(query)) + query)
        self.process.stdin.flush()
        lines = []
        while not (line := self.process.stdout.readline()).startswith(b"= "):
            if not line:
                raise Wrong("it ended with %s" % self.process.wait(60))
            lines.append(line.decode().rstrip("\n"))
        code, said = line.decode(errors="replace")[2:].rstrip("\n").split(" ", 1)
        if code == "3":
            return lines, int(said)
        if code != "0":
            raise Wrong("%s: %s" % (code, said))
        return lines, said

    def rows(self, text, stream="smtp", **how):
        """[(id, line)]"""
        return [(int(i), line) for i, line in (l.split("\t", 1) for l in self.ask("rows", text, stream, **how)[0])]

    def lines(self, text, stream="smtp", **how):
        return [line for _, line in self.rows(text, stream, **how)]

    def count(self, text, stream="smtp", **how):
        return int(self.ask("count", text, stream, **how)[1].split()[0])

    def within(self, seconds, text, stream="smtp", oldest=False):
        """As rows, but goes on behind where a deadline ended it. -> ([(id, line)], how often it went on)"""
        found, place, times = [], "", 0
        while True:
            lines, end = self.ask("rows", "(%s)%s" % (text, place) if text else place, stream, oldest=oldest, seconds=seconds)
            found += [(int(i), line) for i, line in (l.split("\t", 1) for l in lines)]
            if not isinstance(end, int):
                return found, times
            times, place = times + 1, " id:%s%d" % (">" if oldest else "<", end)

    def load(self, stream="smtp"):
        """[(id, line, record)], newest first."""
        return [(i, line, json.loads(line)) for i, line in self.rows("", stream)]

    def close(self):
        self.process.stdin.close()
        return ok(self.process.wait(60) == 0, "who asked ends well")


# ---- held to what they mean

def check(store, stream, term, rows):
    """What is wrong with a term, as lines; and whether it found anything."""
    wanted = [line for _, line, record in rows if term.test(record)]
    try:
        got = store.lines(term.text, stream)
        if got != wanted:
            return ["%s %s: %d instead of %d" % (stream, term.text, len(got), len(wanted)), "too many: %s" % [l[:300] for l in got if l not in wanted][:1],
                    "missing: %s" % [l[:300] for l in wanted if l not in got][:1]], bool(wanted)
        if RANDOM.random() < 0.3 and (count := store.count(term.text, stream)) != len(wanted):
            return ["%s %s: counted %d instead of %d" % (stream, term.text, count, len(wanted))], bool(wanted)
    except Wrong as e:
        return [term.text, str(e)], bool(wanted)
    return [], bool(wanted)


def fields(store, stream, rows, times):
    terms = []
    for name, field in FIELDS[stream].items():
        values = [v for _, _, r in rows for v in texts(r, set(field[1] + field[2]))]
        faults, found, tried = [], 0, 0
        if not values:
            ok(store.count(name + ":*", stream) == 0, "%s %s: no record has it" % (stream, name))
            continue
        for _ in range(40 * times):
            term = term_of(stream, name, field, RANDOM.choice(values))
            if not term:
                continue
            bad, hit = check(store, stream, term, rows)
            faults += bad
            found += hit
            tried += 1
            terms.append(term)
            if tried == times or len(faults) > 10:
                break
        # Of a few records none may be met.
        ok(not faults and (found or len(rows) < 50), "%s %s: %d terms find what they shall" % (stream, name, tried), *faults)
    return terms


def anything(store, stream, rows, times):
    values = [v for _, _, r in rows for f in ANY[stream] for v in texts(r, FIELDS[stream][f][1])]
    terms = [t for t in (any_term(stream, RANDOM.choice(values)) for _ in range(times)) if t]
    faults = [line for t in terms for line in check(store, stream, t, rows)[0]]
    ok(not faults, "%s: %d terms without a field" % (stream, len(terms)), *faults)
    return terms


def mixes(store, stream, rows, terms, times):
    found, faults = 0, []
    for _ in range(times):
        bad, hit = check(store, stream, mix(terms), rows)
        faults += bad
        found += hit
    ok(not faults and (found > times // 5 or len(rows) < 50), "%s: %d mixes of AND, OR and NOT, %d of which find something" % (stream, times, found), *faults)


def order(store, stream):
    ids = [i for i, _ in store.rows("", stream)]
    ok(ids == sorted(ids, reverse=True), "%s: newest first" % stream)
    ok(ids[::-1] == [i for i, _ in store.rows("", stream, oldest=True)], "%s: oldest first, where that is wanted" % stream)
    ok(store.count("", stream) == len(ids), "%s: counted" % stream)


def times_and_ids(store, rows):
    faults = []
    stamp = lambda i: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(store.micros(i) // 1000000)) + ".%06dZ" % (store.micros(i) % 1000000)
    for _ in range(12):
        a, b = sorted(RANDOM.choice(rows)[0] for _ in range(2))
        at, bt = store.micros(a), store.micros(b)
        for text, test in (("since:%s until:%s" % (stamp(a), stamp(b)), lambda i, t: at <= t < bt), ("id:>%d id:<=%d" % (a, b), lambda i, t: a < i <= b),
                           ("-since:%s" % stamp(b), lambda i, t: t < bt), ("(since:%s OR id:%d)" % (stamp(b), a), lambda i, t: t >= bt or i == a)):
            wanted = [line for i, line, _ in rows if test(i, store.micros(i))]
            if store.lines(text) != wanted or store.count(text) != len(wanted):
                faults.append(text)
    ok(not faults, "times and ids", *faults)


def has(store, rows):
    faults = []
    for name, (kind, word_places, places) in FIELDS["smtp"].items():
        wanted = sum(bool(texts(r, set(word_places) | set(places))) for _, _, r in rows)
        for text, number in (("has:" + name, wanted), ("-has:" + name, len(rows) - wanted), ("has:%s has:%s" % (name, name), wanted)):
            if store.count(text) != number:
                faults.append("%s: not %d" % (text, number))
    ok(not faults, "has: each field", *faults)


def noticed(store, rows):
    about = {(r["uid"], r.get("trans_depth")) for _, _, r in store.load("notice") if "uid" in r}
    wanted = [line for _, line, r in rows if (r["uid"], r["trans_depth"]) in about]
    ok(wanted and store.lines("has:notice") == wanted, "has:notice", len(wanted))


def pages(store, rows, terms, times=6):
    faults = []
    for term in [Term("", lambda r: True), *RANDOM.sample(terms, min(times, len(terms)))]:
        for oldest in (False, True):
            size, got, place = RANDOM.choice((1, 7, 50)), [], None
            wanted = [i for i, _, r in (reversed(rows) if oldest else rows) if term.test(r)][:20 * size]
            while len(got) < len(wanted):
                more = "" if place is None else " id:%s%d" % (">" if oldest else "<", place)
                page = [i for i, _ in store.rows("(%s)%s" % (term.text, more) if term.text else more, oldest=oldest, limit=size)]
                if not page:
                    break
                got += page
                place = page[-1]
            if got[:len(wanted)] != wanted:
                faults += [term.text, "%s of %d" % ("oldest" if oldest else "newest", size), got[:10], wanted[:10]]
    ok(not faults, "pages put together are the whole", *faults)


def hold(store, share=1.0):
    """All of it; `share` of the terms that the data gives. -> (mails, terms)"""
    some = lambda n: max(1, round(n * share))
    for stream in STREAMS:
        order(store, stream)
    rows, every = store.load(), []
    for stream in STREAMS:
        here = rows if stream == "smtp" else store.load(stream)
        terms = fields(store, stream, here, some(6 if stream == "smtp" else 3)) + anything(store, stream, here, some(10))
        mixes(store, stream, here, terms, some(40 if stream == "smtp" else 10))
        every += terms if stream == "smtp" else []
    times_and_ids(store, rows)
    has(store, rows)
    noticed(store, rows)
    pages(store, rows, every)
    return rows, every
