"""What the tests of the store share: its rows, and its sums as they should be."""
import collections
import json
import sqlite3

MINUTE = "mails accepted rejected deferred aborted unknown tls recipients bytes sessions notices".split()
HOURLY = "mails accepted rejected deferred tls recipients bytes delays".split()
KEY = 255
EDGES = 32
STREAMS = "smtp", "smtp_session", "notice", "software", "stats"


def days(store):
    return sorted(store.glob("[0-9]*-[0-9]*-[0-9]*.sqlite"))


def query(path, sql, *values):
    db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    db.row_factory = sqlite3.Row
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()


def count(store, stream="smtp"):
    return sum(query(path, "SELECT count(*) FROM " + stream)[0][0] for path in days(store))


def whole(path):
    """What is wrong with a file: its pages, its index of words."""
    db = sqlite3.connect(path)
    try:
        found = [row[0] for row in db.execute("PRAGMA integrity_check").fetchall() if row[0] != "ok"]
        # One whose tables were never written has none.
        if db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            db.execute("INSERT INTO find(find) VALUES('integrity-check')")
        db.rollback()
        return found
    except sqlite3.Error as e:
        return [str(e)]
    finally:
        db.close()


def small(text):
    """ASCII alone, cut at a whole character, as keys are."""
    data = text.encode()
    data = bytes(c + 32 if 65 <= c <= 90 else c for c in data)
    while len(data) > KEY:
        data = data[:KEY].decode(errors="ignore").encode()
    return data.decode()


def domain(address):
    name = address.rpartition("@")[2] if "@" in address else ""
    if name or address in ("", "<>"):
        return small(name or address)
    part = address.encode()[:KEY - 1].decode(errors="ignore")
    return small(part if part.endswith("@") else part + "@")


def host(*names):
    for name in names:
        if name:
            return name.encode()[:KEY // 2].decode(errors="ignore")
    return ""


def edges(mail):
    for hop in mail["hops"][:EDGES]:
        a = host(hop.get("from_rdns"), hop.get("from_helo"), hop.get("from_ip"))
        b = host(hop.get("by"), hop.get("by_ip"))
        if a and b:
            yield small(a + "\t" + b), hop.get("delay")
    first = host(mail["hops"][0].get("by") if mail["hops"] else None, mail["helo"], mail["id_orig_h"])
    yield small(first + "\t" + mail["id_resp_h"]), None


class Sums:
    """By minute and by hour, out of the rows of a day."""

    def __init__(self, path):
        self.minute = collections.defaultdict(lambda: dict.fromkeys(MINUTE, 0))
        self.hourly = collections.defaultdict(lambda: dict.fromkeys(HOURLY, 0))
        self.delay = collections.defaultdict(float)
        for row in query(path, "SELECT * FROM smtp"):
            self.add_mail(dict(row))
        for row in query(path, "SELECT * FROM smtp_session"):
            self.minute[row["id"] // 60000000]["sessions"] += 1
            version = json.loads(row["ssl"]).get("version") if row["ssl"] else None
            self.add("tls_version", row["id"], version or ("unknown" if row["tls"] else "none"))
        for row in query(path, "SELECT * FROM notice"):
            self.minute[row["id"] // 60000000]["notices"] += 1
            self.add("note", row["id"], row["note"])
            self.add("list", row["id"], row["list"])

    def add(self, dimension, ident, key, mail=None, recipients=None):
        if not key:
            return None
        place = dimension, ident // 3600000000, small(key)
        sums = self.hourly[place]
        sums["mails"] += 1
        if mail:
            sums["tls"] += mail["tls"]
            sums["bytes"] += mail["message_bytes"] or 0
            sums["recipients"] += len(mail["rcptto"]) if recipients is None else recipients
            if mail["disposition"] in sums:
                sums[mail["disposition"]] += 1
        return place

    def add_mail(self, mail):
        for name in ("rcptto", "hops"):
            mail[name] = json.loads(mail[name] or "[]")
        ident = mail["id"]
        m = self.minute[ident // 60000000]
        m["mails"] += 1
        m[mail["disposition"]] += 1
        m["tls"] += mail["tls"]
        m["recipients"] += len(mail["rcptto"])
        m["bytes"] += mail["message_bytes"] or 0
        self.add("client", ident, mail["id_orig_h"], mail)
        self.add("server", ident, mail["id_resp_h"], mail)
        self.add("sender", ident, domain(mail["mailfrom"]) if mail["mailfrom"] else None, mail)
        for name, number in collections.Counter(domain(r) for r in mail["rcptto"]).items():
            self.add("recipient", ident, name, mail, number)
        origin = json.loads(mail["origin"] or "{}")
        self.add("country", ident, origin.get("country"), mail)
        self.add("asn", ident, str(origin["asn"]) if origin.get("asn") else None, mail)
        reply = json.loads(mail["reply"] or "{}")
        if mail["disposition"] in ("rejected", "deferred"):
            self.add("reason", ident, "%s %s" % (reply.get("enhanced") or reply.get("code", 0), reply.get("stage", "")), mail)
        self.add("agent", ident, json.loads(mail["agent"] or "{}").get("name"), mail)
        self.add("sensor", ident, mail["sensor"], mail)
        seen = set()
        for key, delay in edges(mail):
            place = ("relay", ident // 3600000000, key)
            if key not in seen:
                self.add("relay", ident, key, mail)
            seen.add(key)
            if delay is not None and delay >= 0:
                self.hourly[place]["delays"] += 1
                self.delay[place] += delay


def wrong_sums(path):
    """Rows of minute and hourly that are not as the day's rows have them."""
    want = Sums(path)
    minute = {row["minute"]: {k: row[k] for k in MINUTE} for row in query(path, "SELECT * FROM minute")}
    rows = query(path, "SELECT * FROM hourly")
    hourly = {(row["dimension"], row["hour"], row["key"]): {k: row[k] for k in HOURLY} for row in rows}
    delay = {(row["dimension"], row["hour"], row["key"]): row["delay"] for row in rows}
    wrong = ["minute %s: %s, should be %s" % (k, minute.get(k), want.minute.get(k)) for k in {*minute, *want.minute} if minute.get(k) != want.minute.get(k)]
    wrong += ["%s: %s, should be %s" % (k, hourly.get(k), want.hourly.get(k)) for k in {*hourly, *want.hourly} if hourly.get(k) != want.hourly.get(k)]
    wrong += ["%s: delay %s, should be %s" % (k, v, want.delay.get(k, 0)) for k, v in delay.items() if abs(v - want.delay.get(k, 0)) > 1e-3 + abs(v) * 1e-9]
    return sorted(wrong)
