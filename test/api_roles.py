"""The API of mailtap web for those to whom records are redacted, and while a writer goes on."""
import json
import os
import re
import socket
import sqlite3
import subprocess
import tempfile
import threading
import urllib.parse
from pathlib import Path

import waiting
from apiserver import Server, token_line
from tap import MAILTAP, SHARED, SOURCE, done, mailtap, ok, skip
from webserver import dechunk

WEEK = SOURCE / "samples/week.pcap.zst"
FULL, REDACTED = "f" * 43, "r" * 43
STREAMS = ("smtp", "smtp_session", "notice", "software", "stats")


def texts(value):
    """All texts in a JSON value, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for v in value.values():
            yield from texts(v)
    elif isinstance(value, list):
        for v in value:
            yield from texts(v)


def addresses_in(text):
    return re.findall(r"[^\s<>\"'(),:;@]+(?=@)", text)


class Secrets:
    """What no answer may have: local parts as words, subjects and file names as they are."""

    def __init__(self, records):
        self.words, self.wholes, self.domains, public = set(), set(), set(), []
        for mail in records["smtp"]:
            people = [mail.get("mailfrom", ""), *mail.get("rcptto", []), mail.get("from", ""), *mail.get("to", []), *mail.get("cc", []), mail.get("reply_to", ""), mail.get("sender", "")]
            people += [m.get("addr", "") for group in mail.get("addresses", {}).values() for m in group]
            people += [r.get("orcpt", "") for r in mail.get("rcpt", [])]
            for p in people:
                self.words.update(w.lower() for w in addresses_in(p))
            self.wholes.update([mail.get("subject", ""), *(f.get("name", "") for f in mail.get("files", [])), *(f.get("attached", {}).get("subject", "") for f in mail.get("files", []))])
            self.wholes.update(m.get("name", "") for f in mail.get("files", []) for m in f.get("members", []))
            self.wholes.update(m.get("name", "") for group in mail.get("addresses", {}).values() for m in group)
            self.wholes.update(urllib.parse.urlsplit(u["url"]).path for u in mail.get("urls", []) if len(urllib.parse.urlsplit(u["url"]).path) > 8)
            public += [mail.get("helo", ""), *texts(mail.get("agent", {})), mail.get("user_agent", ""), *texts([h.get("by", "") for h in mail.get("hops", [])]), *texts([h.get("from_rdns", "") for h in mail.get("hops", [])]),
                       *texts([h.get("from_helo", "") for h in mail.get("hops", [])]), *texts(mail.get("reply", {})), *texts(mail.get("list", {}).get("id", "")), mail.get("last_reply", ""), mail.get("last_error", ""), *(u.get("host", "") for u in mail.get("urls", []))]
            self.domains.update(label for p in people for label in p.rpartition("@")[2].lower().strip(">").split("."))
        for session in records["smtp_session"]:
            public += [session.get("banner", ""), session.get("helo", "")]
            self.words.update(w.lower() for login in session.get("logins", []) for w in addresses_in(login.get("user", "")))
        public = " ".join(public).lower()
        self.words = {w for w in self.words if len(w) >= 5 and w not in public and w not in self.domains and not re.fullmatch(r"[\d.]+", w)}
        self.wholes = {w.lower() for w in self.wholes if len(w) >= 8 and w.lower() not in public}
        self.plain = {w for w in self.words if re.fullmatch(r"[\w.+=-]+", w)}

    def found_in(self, text):
        text = text.lower()
        found = [w for w in self.wholes if w in text]
        # A word of the letters that words have stands alone where it is all of such a run; each text is gone through once for all of these.
        found += self.plain.intersection(re.findall(r"[\w.+=-]+", text))
        return found + [w for w in self.words - self.plain if w in text and re.search(r"(?<![\w.+=-])%s(?![\w.+=-])" % re.escape(w), text)]


def answers(server, records, ids):
    """All that the redacted role can get at: name and text."""
    paths = [("/export", {"stream": s, "format": f}) for s in STREAMS for f in ("ndjson", "csv", "json")]
    paths += [("/mails", {"limit": 1000, "fields": "all", "format": f}) for f in ("json", "csv", "ndjson")] + [("/mails", {"limit": 1000, "q": "is:rejected"})]
    paths += [("/mails/%d" % i, {}) for i in ids["smtp"][::60]] + [("/notices/%d" % i, {}) for i in ids["notice"][::25]]
    paths += [("/sessions/" + r["uid"], {}) for r in records["smtp_session"][::150]]
    paths += [("/top", {"by": by, "since": 0, "limit": 1000, "format": f}) for by in ("client", "server", "sender", "recipient", "country", "asn", "reason", "list", "note", "agent", "tls_version") for f in (("json", "csv") if by in ("sender", "recipient") else ("json",))]
    paths += [("/notices", {"limit": 1000, "format": f}) for f in ("json", "csv")] + [("/notices/kinds", {}), ("/mutes", {}), ("/map", {"since": 0}), ("/paths", {"since": 0, "limit": 1000}), ("/health", {"since": 0}), ("/count", {}), ("/timeline", {})]
    paths += [("/facets", {"limit": 1000}), ("/facets", {"fields": "sender,recipient,helo,stage,enhanced,tag,list,dkim,type,queue", "limit": 1000})]
    hosts = {r["id.orig_h"] for r in records["smtp"][::10]} | {r["id.resp_h"] for r in records["smtp"][::10]} | {r["mailfrom"].rpartition("@")[2] for r in records["smtp"][::10] if "@" in r.get("mailfrom", "")}
    paths += [("/hosts/" + urllib.parse.quote(h, safe=""), {"since": 0}) for h in sorted(hosts)[:6] if re.fullmatch(r"[\w.:-]+", h)]
    for path, params in paths:
        a = server.ask(path, **params)
        text = a.body.decode()
        if a.headers["Content-Type"].startswith("application/json"):
            text = "\n".join(texts(json.loads(text)))
        elif a.headers["Content-Type"].startswith("application/x-ndjson"):
            text = "\n".join("\n".join(texts(line)) for line in a.lines())
        yield "%s %s" % (path, params), a.status, text


def roles(folder, store):
    users = folder / "users.yaml"
    users.write_text("- name: anna\n  role: full\n  tokens: ['%s']\n- name: bruno\n  role: redacted\n  tokens: ['%s']\n" % (token_line(FULL), token_line(REDACTED)))
    users.chmod(0o600)
    server = Server(store, "-s", "web_users=%s" % users, token=FULL)
    lines = {s: server.ask("/export", stream=s, format="ndjson").lines() for s in STREAMS}
    ids = {s: [int(r["id"]) for r in rs] for s, rs in lines.items()}
    secrets = Secrets(lines)
    ok(len(secrets.words) > 50 and len(secrets.wholes) > 100, "there is something to hide", len(secrets.words), len(secrets.wholes))
    seen = secrets.found_in("\n".join(t for s in STREAMS for t in texts(lines[s])))
    ok(len(seen) > 0.9 * len(secrets.words | secrets.wholes), "the full role sees it", len(seen))
    server.token = None
    ok(server.ask("/mails").status == 401, "nobody sees anything without a log-in")
    server.token = REDACTED
    asked, bytes_seen, leaks, wrong = 0, 0, {}, []
    for name, status, text in answers(server, lines, ids):
        asked, bytes_seen = asked + 1, bytes_seen + len(text)
        if status != 200:
            wrong.append((name, status, text[:200]))
        for w in secrets.found_in(text):
            leaks.setdefault(w, (name, text[max(0, text.lower().find(w) - 40):][:120]))
    ok(not wrong, "%d questions of the redacted role are answered" % asked, *wrong[:5])
    ok(not leaks, "none of %d answers (%d bytes) has a local part, a subject, a name of a person or file, or a URL's path" % (asked, bytes_seen), len(leaks), *((w[:60], name) for w, name in sorted(leaks.items())[:30]))
    victim = next(r for r in lines["smtp"] if "@" in r.get("mailfrom", ""))
    local, _, domain = victim["mailfrom"].partition("@")
    for q in ("from:" + local, "rcpt:%s*" % local[:3], local, "subject:invoice", "file:*.pdf", "url:login", "-(subject:x)", "is:rejected OR from:a*@%s" % domain, "msgid:x", "reason:x", 'from:"*@%s"' % "*a*"):
        for path in ("/mails", "/count", "/facets", "/timeline", "/export"):
            a = server.ask(path, q=q)
            ok(a.status == 403 and "persons" in a.json()["error"]["text"], "%s q=%s is refused" % (path, q), a.status, a.body[:200])
    ok(server.ask("/notices", q="msg:x").status == 403 and server.ask("/export", stream="smtp_session", q="user:a").status == 403, "so are searches of other streams")
    ok(server.ask("/facets", fields="subject").status == 403, "and facets")
    n = server.get("/count", q="from:*@" + domain)["count"]
    ok(n > 0 and server.get("/count", q="subject:*")["count"] > 0, "domains and what is there may be searched", n)
    facet = server.get("/facets", fields="sender")["facets"][0]["values"]
    ok(facet and all(v["value"].startswith("***@") and server.get("/count", q="from:" + v["value"])["count"] > 0 for v in facet), "senders are counted by domain, as a query takes it", facet)
    server.token = FULL
    n = next(i for i in ids["notice"])
    remark = "anna.secret@example.org called"
    ok(server.send("POST", "/notices/%d/acknowledge" % n, {"remark": remark}).status == 204, "a program with a token needs no other")
    state = server.get("/notices/%d" % n)["state"]
    ok(state["by"] == "anna" and state["remark"] == remark, "who did it is known", state)
    server.token = REDACTED
    state = server.get("/notices/%d" % n)["state"]
    ok("anna.secret" not in state["remark"], "a remark loses its local parts", state)
    refused = [server.send("POST", "/mutes", {"note": "SMTP::Blocklist_Blocked_Host", "identifier": i}).status for i in ("anna@example.org", "198.51.100.77")]
    ok(refused == [403, 200], "nor does a mute tell whether an address is a notice's identifier", refused)
    server.close()


def live(folder):
    """A writer at work: what is read meanwhile is whole, and grows."""
    raw = subprocess.run(["zstd", "-dc", WEEK], capture_output=True, check=True).stdout
    store = folder / "live"
    writer = subprocess.Popen([MAILTAP, "read", "-", "-o", "sqlite:%s" % store, "-s", "store_commit=20ms"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    writer.stdin.write(raw[:len(raw) // 8])
    writer.stdin.flush()
    waiting.until(lambda: list(store.glob("*.sqlite")))
    server = Server(store)
    feeding = threading.Thread(target=lambda: [writer.stdin.write(raw[at:at + 65536]) or writer.stdin.flush() for at in range(len(raw) // 8, len(raw), 65536)] and writer.stdin.close())
    feeding.start()
    before, rounds = 0, 0
    while True:
        over = not feeding.is_alive() and writer.poll() is not None
        n = server.get("/count")["count"]
        page = [int(m["id"]) for m in server.get("/mails", limit=1000)["mails"]]
        lines = server.ask("/export", format="ndjson", fields="ts").lines()
        ids = [int(x["id"]) for x in lines]
        if not (n >= before and page == sorted(set(page), reverse=True) and ids == sorted(set(ids), reverse=True) and len(ids) >= n):
            ok(False, "what is read while it is written is whole", n, before, len(page), len(ids))
            break
        before, rounds = n, rounds + 1
        total = server.get("/top", by="server", since=0)["total"]["mails"]
        more = server.get("/count")
        said, more = more, more["count"]
        if not n <= total <= more:
            ok(False, "sums are of what is there", n, total, said, server.get("/count"), server.ask("/mails", limit=1).body)
            break
        if over:
            break
    feeding.join()
    ok(writer.wait() == 0 and n == 1430 and rounds > 1, "at its end all is there, after %d looks" % rounds, n)
    server.close()


def crafted(folder):
    """A file of a day that somebody else made: what is no JSON where JSON should be stays a text, and whole answers stay JSON."""
    store = folder / "crafted"
    mailtap("read", WEEK, "-o", "sqlite:%s" % store)
    day = max(store.glob("*.sqlite"))
    db = sqlite3.connect(day)
    columns = [r[1] for r in db.execute("PRAGMA table_info(smtp)")]
    db.execute("CREATE TABLE loose(id INTEGER PRIMARY KEY, %s)" % ", ".join('"%s"' % c for c in columns[1:]))
    db.execute("INSERT INTO loose SELECT * FROM smtp LIMIT 12")
    db.execute("DROP TABLE smtp")
    db.execute("ALTER TABLE loose RENAME TO smtp")
    ids = [i for i, in db.execute("SELECT id FROM smtp")]
    odd = [{"rcptto": "=cmd|anna.secret@example.org"}, {"rcptto": '["anna.secret@example.org"'}, {"rcptto": '["a@b"],"subject":"x"}\n{"evil":1'}, {"files": "[" * 5000 + "]" * 5000},
           {"subject": 5, "mailfrom": b"anna.secret@\xff\xfe", "rcptto": b'\xff\x00"'}, {"message_bytes": float("inf"), "tls": "anna.secret@example.org"}, {"message_bytes": float("-inf"), "files": "nan"},
           {"ts": "anna.secret@x", "id_orig_h": "no address <b>", "origin": '"anna.secret@x"'}, {"anomalies": '{"name":7}', "tags": '"anna.secret@x"', "reply": "[1,\n2]"}, {"files": b'[{"name":"a\xc3"}]', "anomalies": b'["\xff"]'}]
    for i, values in zip(ids, odd):
        db.execute("UPDATE smtp SET %s WHERE id = ?" % ", ".join('"%s" = ?' % c for c in values), [*values.values(), i])
    db.execute("UPDATE smtp SET mailfrom = 'hildegard', rcptto = '[\"hildegard\"]', addresses = '{\"from\":[{\"addr\":\"hildegard\"}]}' WHERE id = ?", (ids[-1],))
    db.commit()
    db.close()
    users = folder / "users.yaml"
    server = Server(store, "-s", "web_users=%s" % users, token=FULL)
    for server.token in (FULL, REDACTED):
        wrong = []
        for path, params in [("/mails", {"limit": 20}), ("/mails", {"limit": 20, "fields": "all"}), ("/export", {"fields": "rcptto,files,reply", "format": "ndjson"}), ("/export", {"format": "ndjson"}), ("/export", {"format": "json"})] + [("/mails/%d" % i, {}) for i in ids]:
            a = server.ask(path, **params)
            try:
                rows = a.lines() if params.get("format") == "ndjson" else [a.json()]
                if a.status != 200 or (server.token == REDACTED and "anna.secret" in a.body.decode()):
                    wrong.append((path, params, a.status, len(rows), a.body[:200]))
            except (ValueError, RecursionError) as e:
                wrong.append((path, params, e))
        ok(not wrong, "answers about a crafted file are JSON, for %s" % ("all" if server.token == FULL else "the redacted role"), *wrong[:5])
        ok(not re.search(rb'(^|,)"?=', server.ask("/export", format="csv", fields="rcptto").body, re.M), "and their CSV has no formulas")
    values = [v["value"] for v in server.get("/facets", fields="domain", limit=1000)["facets"][0]["values"]]
    ok(values and "hildegard" not in values, "a name without a domain is none", values)
    found = [server.get("/count", q=q)["count"] for q in ("domain:hildegard", "domain:hilde*", "domain:h* id:%d" % ids[-1])]
    ok(found == [0, 0, 0], "and cannot be searched as one", found)
    server.close()
    db = sqlite3.connect(day)
    db.execute("UPDATE smtp SET rcptto = ? WHERE id = ?", (json.dumps(["a@b"] * 300000), ids[-1]))
    db.commit()
    db.close()
    server = Server(store, "-s", "web_seconds=100ms")
    a = server.ask("/export", q=" OR ".join("domain:*%d*" % i for i in range(100)), format="ndjson")
    ok(a.status == 503 and "web_seconds" in a.json()["error"]["text"], "an export that comes no further ends", a.status, a.body[:200])
    server.close()
    lines = mailtap("query", store, "", "-f", "json", "--limit", "20").stdout.splitlines()
    ok(len(lines) == 20 and all(isinstance(json.loads(line), dict) for line in lines), "what is found on the command line is JSON too")


def slow_client(folder):
    """Who stops taking an export keeps nothing from being written, and no log from being emptied."""
    store = folder / "slow"
    mailtap("read", WEEK, "-o", "sqlite:%s" % store)
    server = Server(store)
    host, _, port = server.at.partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(b"GET /api/v1/export?format=ndjson HTTP/1.1\r\nHost: %s\r\n\r\n" % server.at.encode())
        begun = s.recv(2000)
        ok(begun.startswith(b"HTTP/1.1 200"), "an export has begun", begun[:200])
        r = mailtap("read", SOURCE / "samples/border.pcap", WEEK, "-o", "sqlite:%s" % store)
        logs = [(p.name, p.stat().st_size) for p in store.glob("*-wal") if p.stat().st_size]
        ok(r.returncode == 0 and not logs, "a writer ends its days meanwhile", r.stderr[-500:], logs)
        s.settimeout(60)
        rest, piece = begun, b"x"
        while piece and not rest.endswith(b"\r\n0\r\n\r\n"):
            piece = s.recv(1 << 20)
            rest += piece
    body, whole = dechunk(rest.partition(b"\r\n\r\n")[2])
    lines = len(re.findall(rb'\{"id":"\d+"', body))
    ok(whole and lines >= 1430 and rest.endswith(b"0\r\n\r\n"), "then the export goes on to its end", lines)
    server.close()


def unwritable(folder):
    """Where nothing can be written all can be read."""
    if os.geteuid():
        skip("a folder that cannot be written", "wants root, which can give it away")
        return
    store = folder / "ro"
    mailtap("read", WEEK, "-o", "sqlite:%s" % store)
    folder.chmod(0o755)
    for path in [*store.iterdir(), store]:
        os.chown(path, 65534, 65534)
    store.chmod(0o555)
    server = Server(store, user=65534)
    notice = server.get("/notices", limit=1)["notices"][0]
    a = server.send("POST", "/notices/%s/acknowledge" % notice["id"], {"remark": "x"})
    ok(a.status == 503 and "cannot be kept" in a.json()["error"]["text"], "what is decided cannot be kept, and this is said", a.status, a.body)
    a = server.send("POST", "/mutes", {"note": notice["note"]})
    ok(a.status == 503, "neither can a mute", a.status, a.body)
    ok(server.get("/mutes")["mutes"] == [] and server.get("/notices/kinds")["kinds"] and server.get("/notices/" + notice["id"])["state"]["state"] == "open" and server.get("/count")["count"] == 1430, "all else is answered")
    server.close()


def main():
    if not WEEK.exists():
        print("1..0 # SKIP %s is not there" % WEEK)
        return
    with tempfile.TemporaryDirectory(prefix="mailtap-roles-") as name:
        folder = Path(name)
        files = [WEEK, SOURCE / "samples/border.pcap"] + sorted(p for p in SHARED.glob("captures/**/*.pcap*") if p.is_file() and p.stat().st_size < 100000)
        r = mailtap("read", *files, "-o", "sqlite:%s" % (folder / "store"))
        ok(r.returncode in (0, 1), "captures go into a store", r.stderr[-1000:])
        roles(folder, folder / "store")
        live(folder)
        crafted(folder)
        slow_client(folder)
        unwritable(folder)
    done()


if __name__ == "__main__":
    main()
