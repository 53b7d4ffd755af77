"""Holds mailtap against smtp-ext.bro: each difference must be one that the rules of docs/differences-from-smtp-ext.md make."""
import json
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import mmdb
from dialogue import RULES as dialogue_rules
from dialogue import Dialogue
from script import COUNTRIES, FIELDS, SETS, TEXTS, Config, Script, escaped
from wire import connections

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs/differences-from-smtp-ext.md"
LISTS = ROOT / "data/blocklists.yaml"
NAMES = {"last_reply": "last_error", "agent": "user_agent"}  # ours
NOTES = {"SMTP::Blocklist_Blocked_Host": "SMTP_BL_Blocked_Host", "SMTP::Blocklist_Error_Message": "SMTP_BL_Error_Message",
         "SMTP::Suspicious_Origination": "SMTP_Suspicious_Origination"}
COLUMNS = {"ts": "ts", "orig_h": None, "orig_p": None, "resp_h": None, "resp_p": None, "helo": "helo", "message-id": "msg_id",
           "in-reply-to": "in_reply_to", "mailfrom": "mailfrom", "rcptto": "rcptto", "date": "date", "from": "from",
           "reply_to": "reply_to", "to": "to", "files": "files", "last_reply": "last_reply", "x-originating-ip": "x_originating_ip",
           "path": "path", "is_webmail": "is_webmail", "agent": "agent"}
RECORDS, NOTICES = "records", "notices"  # what a rule can be about beside fields


@dataclass
class Rule:
    name: str
    fields: set
    why: str
    cases: set


def read_page(path=PAGE):
    """The rules of the page's tables: | `name` | fields | what and why | cases |"""
    rules = {}
    for line in Path(path).read_text().split("\n"):
        m = re.fullmatch(r"\| `([\w-]+)` \| (.*?) \| (.*) \| (.*?) \|", line)
        if m:
            fields = set(re.findall(r"[\w-]+", m[2])) if m[2] != "all" else {*FIELDS, RECORDS, NOTICES}
            if m[1] in rules:
                raise ValueError("%s: %s stands there twice" % (path, m[1]))
            rules[m[1]] = Rule(m[1], fields, m[3], set(re.findall(r"[\w-]+", m[4])))
    return rules


# What the script gave.

def ends_of(m, first):
    return (m[first].decode(), int(m[first + 1])), (m[first + 2].decode(), int(m[first + 3]))


def events(data):
    """The records of an expected.txt, in the order of the events."""
    found = []
    for line in data.split(b"\n"):
        if m := re.match(rb"smtp_ext (\S+) (\S+):(\d+) > (\S+):(\d+)", line):
            found.append({"ts": m[1], "ends": ends_of(m, 2), **{name: [] for name in SETS}})
        elif m := re.match(rb"  (\w+)(\[\])?=(.*)", line, re.S):
            name = m[1].decode()
            if m[2]:
                found[-1][name].append(m[3])
            elif name not in SETS:
                found[-1][name] = m[3]
    return found


def raised(data):
    """The notices of a notice.txt."""
    found = []
    for line in data.split(b"\n"):
        if m := re.match(rb"\S+ (SMTP_\w+) \w+ (\S+):(\d+) > (\S+):(\d+)", line):
            found.append([ends_of(m, 2), m[1].decode()])
        elif m := re.match(rb"  (?:msg|sub)=(.*)", line, re.S):
            found[-1].append(m[1])
    return Counter(map(tuple, found))


class Case:
    def __init__(self, folder):
        self.name, self.pcap = folder.name, folder / "in.pcap"
        if not (folder / "expected.txt").exists():
            raise ValueError("expected.txt is not there")
        read = lambda path: path.read_bytes() if path.exists() else b""
        self.config = Config.read(read(folder / "config").decode())
        self.records = [events(read(p)) for p in [folder / "expected.txt", *sorted(folder.glob("expected.alt*.txt"))]]
        self.notices = [raised(read(p)) for p in [folder / "notice.txt", *sorted(folder.glob("notice.alt*.txt"))]]
        self.table = read(folder / "smtp-ext.log")
        missing = ["%s is not there, so it is not compared" % n for n in ("notice.txt", "smtp-ext.log") if not (folder / n).exists()]
        self.remarks = missing + ["config: this means nothing here: " + line for line in self.config.strange]
        self.has_notices = (folder / "notice.txt").exists()


def cases_in(folder):
    """The cases of a folder: each is a folder with in.pcap and what the script gave."""
    return sorted(p for p in Path(folder).iterdir() if (p / "in.pcap").exists())


# What mailtap gives.

@dataclass
class Ours:
    records: list = field(default_factory=list)  # smtp
    sessions: list = field(default_factory=list)
    notices: list = field(default_factory=list)  # none folded
    folded: list = field(default_factory=list)  # as mailtap folds them by default
    table: bytes = b""
    failed: str = ""  # what it said


class Mailtap:
    """Runs it. `mmdb`: where the file of countries may be written."""

    def __init__(self, path, folder):
        self.path, self.mmdb = str(path), Path(folder) / "countries.mmdb"
        mmdb.write(self.mmdb, COUNTRIES)
        self.elsewhere = Path(folder) / "elsewhere.mmdb"
        mmdb.write(self.elsewhere, {"192.0.2.255/32": "ZZ"})

    def run(self, case, form, *settings):
        given = [*case.config.settings(self.mmdb if case.config.geoip else self.elsewhere), *settings]
        args = [self.path, "read", *(a for s in given for a in ("-s", s)), "-f", form, str(case.pcap)]
        r = subprocess.run(args, capture_output=True, timeout=120)
        if r.returncode or b"Sanitizer" in r.stderr or b"runtime error" in r.stderr:
            raise RuntimeError("%s: %s" % (" ".join(args), r.stderr.decode(errors="replace")[-2000:]))
        return r.stdout

    def read(self, case):
        try:
            return self.read_all(case)
        except (RuntimeError, subprocess.TimeoutExpired) as e:
            return Ours(failed=str(e))

    def read_all(self, case):
        def records(*settings):
            return [json.loads(line) for line in self.run(case, "json", *settings).splitlines()]
        every = records(*["suppress_for=0s"])
        of = lambda lines, path: [r for r in lines if r["_path"] == path]
        return Ours(of(every, "smtp"), of(every, "smtp_session"), of(every, "notice"),
                    of(records(), "notice"), self.run(case, "smtp-ext"))


def our_ends(record):
    return (record["id.orig_h"], record["id.orig_p"]), (record["id.resp_h"], record["id.resp_p"])


def micros(seconds):
    return round(float(seconds) * 1e6)


def our_value(record, name):
    """In the form in which values are compared: bytes, sorted lists, path with whether it was cut."""
    value = record.get(NAMES.get(name, name))
    if name == "ts":
        return micros(value)
    if name == "path":
        return value, bool(record.get("flags", {}).get("path_cut"))
    if name == "is_webmail":
        return value
    if name == "files":
        value = [f["name"] for f in value or [] if "name" in f]
    return sorted(v.encode() for v in value or []) if name in SETS else (value or "").encode()


def their_value(record, name):
    if name == "ts":
        return micros(record["ts"])
    if name == "is_webmail":
        return record[name] == b"T"
    return sorted(record[name]) if name in SETS else record[name]


def script_value(record, name):
    if name == "ts":
        return record["ts"] and record["ts"] // 1000
    if name == "path":
        return record["path"], record["cut"]
    return sorted(record[name]) if name in SETS else record[name]


def as_theirs(value):
    """A value of the script without rules as an expected.txt has it."""
    if isinstance(value, list):
        return sorted(map(as_theirs, value))
    if isinstance(value, tuple):
        value = value[0].encode()
    return value.replace(b"\0", b"\\0") if isinstance(value, bytes) else value


# The table.

def render(record):
    """A record of ours as a row of smtp-ext.log."""
    def text(name):
        return escaped(our_value(record, name)) or b"\\N"

    def items(name, strip):
        values = record.get(name) or []
        values = [v["name"] if isinstance(v, dict) else v for v in values if not isinstance(v, dict) or "name" in v]
        return b"{" + b", ".join(escaped(re.sub(strip, "", v).encode()) for v in dict.fromkeys(values)) + b"}"

    row = {name: text(name) for name in COLUMNS.values() if name in TEXTS}
    sender = our_value(record, "mailfrom")
    row["mailfrom"] = escaped(sender if sender[:1] == b"<" else b"<" + sender + b">")
    row["rcptto"] = items("rcptto", "[\"'<>]")
    row["to"], row["files"] = items("to", "[\"']"), items("files", "[\"']")
    hops, cut = our_value(record, "path")
    bare = len(hops) <= 2 and not record.get("received_from_originating_ip")
    row["path"] = b"\\N" if bare else (("... " if cut else "") + " -> ".join(hops[::-1])).encode()
    row["is_webmail"] = b"T" if record["is_webmail"] else b"F"
    row["ts"] = b"%.15g" % float(record["ts"])
    return row


def rows(data):
    lines = data.split(b"\n")
    if lines[0].decode().split("\t") != list(COLUMNS):
        raise ValueError("the header is %r" % lines[0])
    return [dict(zip(COLUMNS, line.split(b"\t"))) for line in lines[1:] if line]


def unordered(column, value):
    """The script's sets had the order of a hash."""
    return sorted(value[1:-1].split(b", ")) if column in SETS else value


# The comparison.

class Comparison:
    """One case. `problems`: differences that no rule explains; `needed`: {rule: what it explains}."""

    def __init__(self, case, ours, rules, lists):
        self.case, self.ours, self.rules, self.lists = case, ours, rules, lists
        self.problems, self.needed, self.known, self.dialogues = [], {}, {}, {}
        if ours.failed:
            self.problem(ours.failed)
            return
        self.connections = connections(case.pcap.read_bytes(), case.config.verify)
        self.asked, base = set(), frozenset()
        self.script(base)
        self.compare_sessions()
        self.pairs = list(self.aligned())
        changed = self.compare_records()
        self.compare_table(changed)
        if self.case.has_notices:
            self.compare_notices()

    def script(self, off=frozenset()):
        """What it gives without the rules in `off`."""
        if off and self.asked.isdisjoint(off):
            off = frozenset()
        if off not in self.known:
            def on(rule):
                if rule not in self.rules:
                    raise KeyError("%s has no row in %s" % (rule, PAGE.name))
                if not off:
                    self.asked.add(rule)
                return rule not in off

            def dialogue(c, on):
                place = c.orig, c.resp, c.first, "ports" in off, off & dialogue_rules
                if place not in self.dialogues:
                    self.dialogues[place] = Dialogue(c, on)
                return self.dialogues[place]
            self.known[off] = Script(self.connections, self.case.config, self.lists, on, dialogue)
        return self.known[off]

    def problem(self, *text):
        self.problems.append(" ".join(map(str, text)))

    def need(self, rules, what):
        for rule in rules:
            self.needed.setdefault(rule, set()).add(what)

    def explain(self, what, ours, theirs, value):
        """`value(script)` must be ours with all rules, and each rule that is needed for that is noted."""
        about = sorted(r.name for r in self.rules.values() if what in r.fields)
        if value(self.script()) != ours:
            self.problem("%s: ours %r, theirs %r, by the rules %r" % (what, ours, theirs, value(self.script())))
            return
        needed = [r for r in about if r in self.asked and value(self.script(frozenset([r]))) != ours]
        if not needed:
            # Two rules may each be enough: then one that cannot be left out together with the others.
            off = frozenset()
            for r in about:
                if value(self.script(off | {r})) == ours:
                    off |= {r}
                else:
                    needed.append(r)
        if not needed:
            self.problem("%s: ours %r, theirs %r, which no row of the page explains" % (what, ours, theirs))
        self.need(needed, what)

    # Records.

    def find(self, script, key):
        """The mail that began then on this connection; the n-th of those."""
        ends, began, n = key
        found = [r for r in script.records if r["ends"] == ends and abs(r["began"] // 1000 - began) <= 1]
        return found[n] if n < len(found) else None

    def keys(self):
        count = Counter()
        for r in self.ours.records:
            place = our_ends(r), micros(r["ts"])
            yield (*place, count[place])
            count[place] += 1

    def aligned(self):
        """Pairs (ours, index in theirs), one of them None: those that belong together, by connection, in order."""
        theirs = list(enumerate(self.case.records[0]))
        ours = sorted(zip(self.keys(), self.ours.records), key=lambda pair: (pair[0][1], pair[1]["trans_depth"]))
        for ends in dict.fromkeys([k[0] for k, _ in ours] + [t["ends"] for _, t in theirs]):
            a = [pair for pair in ours if pair[0][0] == ends]
            b = [pair for pair in theirs if pair[1]["ends"] == ends]
            yield from align(a, b)

    def compare_records(self):
        """Gives back which fields of which records are not the script's: {id(record): names}."""
        changed = {}
        for mine, index in self.pairs:
            if mine is None:
                self.only_theirs(self.case.records[0][index])
                continue
            key, record = mine
            theirs = [alt[index] for alt in self.case.records if index is not None and index < len(alt)]
            if not theirs:
                self.only_ours(key)
            changed[id(record)] = set()
            for name in FIELDS:
                value = our_value(record, name)
                if theirs and value in [their_value(t, name) for t in theirs] and name != "is_webmail":
                    continue
                changed[id(record)].add(name)
                in_script = lambda script, name=name: (lambda r: r and script_value(r, name))(self.find(script, key))
                if theirs and name != "is_webmail":  # which the script never set
                    self.explain(name, value, their_value(theirs[0], name), in_script)
                elif in_script(self.script()) != value:
                    self.problem("%s: ours %r, by the rules %r" % (name, value, in_script(self.script())))
        return changed

    def only_ours(self, key):
        there = lambda script: (lambda r: bool(r) and not r["lost"])(self.find(script, key))
        self.explain(RECORDS, True, False, there)

    def only_theirs(self, theirs):
        """A record of the script's that we have not: no mail, or what it took for one."""
        if is_bare(theirs):
            sessions = [s for s in self.script().sessions if s["ends"] == theirs["ends"]]
            if not any(self.is_session(theirs, s) for s in sessions):
                self.problem("records: the helo %r and last_reply %r are those of no session" % (theirs["helo"], theirs["last_reply"]))
            elif not any(our_ends(s) == theirs["ends"] for s in self.ours.sessions):
                self.problem("records: no session for helo %r" % theirs["helo"])
            self.need(["session-record"], RECORDS)
            return
        count = lambda script: sum(r["ends"] == theirs["ends"] and bare(r["mailfrom"]) == bare(theirs["mailfrom"]) for r in script.records)
        mine = sum(our_ends(r) == theirs["ends"] and bare(our_value(r, "mailfrom")) == bare(theirs["mailfrom"]) for r in self.ours.records)
        self.explain(RECORDS, mine, "a mail from %r" % theirs["mailfrom"], count)

    @staticmethod
    def is_session(theirs, session):
        texts = {b"%d %s" % (e.code, escaped(line.lstrip(b" \t"))) for e in session["errors"] for line in e.lines}
        helo = not theirs["helo"] or theirs["helo"].strip(b" \t") in [h.strip(b" \t") for h in session["helos"]]
        return helo and (not theirs["last_reply"] or theirs["last_reply"] in texts)

    def compare_sessions(self):
        key = lambda s: (s["ends"], s["first"] // 1000)
        wanted = {key(s): (s["helo"], s["last_error"]) for s in self.script().sessions}
        got = {(our_ends(s), micros(s["ts"])): (s.get("helo", "").encode(), s.get("last_error", "").encode()) for s in self.ours.sessions}
        for place in sorted({*wanted, *got}):
            if wanted.get(place) != got.get(place):
                self.problem("smtp_session of %s: ours %r, by the rules %r" % (place[0], got.get(place), wanted.get(place)))

    def compare_table(self, changed):
        """A column is what the script's is, or, where the record differs, what the record has."""
        if not self.case.table:
            return
        ours, theirs = rows(self.ours.table), rows(self.case.table)
        mails = [r for r in self.ours.records if r.get("mailfrom")]
        if len(ours) != len(mails):
            self.problem("table: %d rows for %d mails" % (len(ours), len(mails)))
            return
        partner = {id(mine[1]): index for mine, index in self.pairs if mine}
        logged = [i for i, t in enumerate(self.case.records[0]) if t["mailfrom"]]
        if len(logged) != len(theirs):
            self.problem("table: the script's own has %d rows for %d events" % (len(theirs), len(logged)))
            return
        for row, record in zip(ours, mails):
            wanted = render(record)
            where = [record[n] for n in ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")]
            if [row[c].decode() for c in ("orig_h", "orig_p", "resp_h", "resp_p")] != list(map(str, where)):
                self.problem("table: row of %s" % where)
            index = partner[id(record)]
            their = theirs[logged.index(index)] if index in logged else None
            for column, name in COLUMNS.items():
                if not name or their and unordered(column, row[column]) == unordered(column, their[column]):
                    continue
                one_table_rule = their and self.table_rule(name, row[column], their[column])
                if row[column] != wanted[name] or name not in changed[id(record)] and not one_table_rule and not self.random(index, name):
                    all_three = row[column], wanted[name], their and their[column]
                    self.problem("table, %s: ours %r, the record's %r, theirs %r" % (column, *all_three))

    def table_rule(self, name, ours, theirs):
        """The table of the script cut a recipient at its first blank, and had brackets only where the client gave them."""
        if name == "rcptto" and unordered(name, re.sub(rb" [^,}]*", b"", ours)) == unordered(name, theirs):
            self.need(["quoted-blank"], name)
            return True
        if name == "mailfrom" and ours == b"<" + theirs + b">":
            self.need(["brackets"], name)
            return True
        return False

    def random(self, index, name):
        """The script's table shows one of the events that are equally right."""
        return len({repr(their_value(alt[index], name)) for alt in self.case.records if index is not None and index < len(alt)}) > 1

    # Notices.

    def compare_notices(self):
        form = lambda n: (our_ends(n), NOTES.get(n["note"], n["note"]), n["msg"].encode(), n.get("sub", "").encode())
        known = [n for n in self.ours.notices if n["note"] in NOTES.keys() | NOTES.values()]
        if len(known) < len(self.ours.notices):
            self.need(["new-notices"], NOTICES)
        ours = Counter(map(form, known))
        value = lambda script: Counter((n["ends"], n["note"], n["msg"].encode(), n["sub"]) for n in script.notices)
        if ours not in self.case.notices:
            theirs = self.case.notices[0]
            self.explain(NOTICES, sorted((ours - theirs).elements()), sorted((theirs - ours).elements()),
                         lambda script: sorted((value(script) - theirs).elements()) + sorted(((theirs - ours) & value(script)).elements()))
        total = Counter()
        for n in self.ours.folded:
            total[n["note"], n.get("identifier")] += n.get("folded", 1)
        each = Counter((n["note"], n.get("identifier")) for n in self.ours.notices)
        if total != each:
            self.problem("notices: %s, but folded %s" % (dict(each), dict(total)))
        if len(self.ours.folded) < len(self.ours.notices):
            self.need(["folded-notices"], NOTICES)


def bare(sender):
    sender = sender.decode("utf-8", "replace").encode()
    return re.sub(rb"^<([^>]*)>.*", rb"\1", sender).strip(b"<>")


def is_bare(theirs):
    """Nothing but what a client without a mail gives."""
    return not any(theirs[n] for n in TEXTS + SETS + ("path",) if n not in ("helo", "last_reply"))


def likeness(mine, theirs):
    """None: not the same mail."""
    a, b = bare(our_value(mine, "mailfrom")), bare(theirs["mailfrom"])
    # The script cut a sender at its first blank; what it gave before a mail is like no mail with contents.
    full = any(our_value(mine, n) for n in ("rcptto", "from", "to", "subject"))
    if a != b and a.split(b" ")[0] != b or not b and is_bare(theirs) and full:
        return None
    return 10 + sum(our_value(mine, n) == their_value(theirs, n) for n in FIELDS)


def align(ours, theirs):
    """The pairing in order with the most likeness."""
    best = [[(0, [])] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for i in range(len(ours) + 1):
        for j in range(len(theirs) + 1):
            ways = [(0, [])] if not i and not j else []
            if i:
                ways.append((best[i - 1][j][0], best[i - 1][j][1] + [(ours[i - 1], None)]))
            if j:
                ways.append((best[i][j - 1][0], best[i][j - 1][1] + [(None, theirs[j - 1][0])]))
            if i and j and (like := likeness(ours[i - 1][1], theirs[j - 1][1])) is not None:
                ways.append((best[i - 1][j - 1][0] + like, best[i - 1][j - 1][1] + [(ours[i - 1], theirs[j - 1][0])]))
            best[i][j] = max(ways, key=lambda way: way[0])
    return best[-1][-1][1]


def page_problems(rules, done):
    """What is wrong with the page, after all cases were compared: {case: Comparison}."""
    for rule in rules.values():
        needed = {name for name, c in done.items() if rule.name in c.needed}
        if not needed:
            yield "no case needs the row %s" % rule.name
        for name in sorted(rule.cases & set(done)):
            if name not in needed:
                yield "%s does not need the row %s" % (name, rule.name)
        if not rule.cases:
            yield "the row %s names no case" % rule.name
        if len(rule.why) < 20:
            yield "the row %s says no why" % rule.name
