"""mailtap web over the tables of a real ClickHouse: the checks of test/api.py, whose numbers come of whole records, with the same captures; what else differs from a folder: who
decides of notices where, a server that is away, who logs in. Then each view of the page, once."""
import http.server
import os
import ssl
import subprocess
import sys
import tempfile
import threading
from http import client
from pathlib import Path

import api
import clickhouses
import nodes
import page
import waiting
from apiserver import Server, token_line
from tap import MAILTAP, SOURCE, done, ok, skip
from webserver import certificate

EACH = 45  # of the shared captures one in so many: each day of theirs costs this server a partition


def captures():
    ours = [c for c in api.captures() if SOURCE in c.parents]
    return [c for c in api.captures() if SOURCE not in c.parents][::EACH] + ours


def load(folder, server, database, files):
    """The lines; a third of the rows is there twice, as if they had been sent again."""
    server.ask("CREATE DATABASE " + database)
    lines = api.fill("clickhouse://127.0.0.1:%d/%s" % (server.http, database), files, "-s", "outbox_directory=%s" % (folder / "outbox"), "-s", "carry_timeout=120s", "-s", "carry_wait=180s")
    server.ask("SYSTEM STOP MERGES")
    for table in ("smtp", "smtp_session", "notice", "software"):
        server.ask("INSERT INTO %s SELECT * FROM %s WHERE record_hash %% 3 = 0" % (table, table), database)
    ok(server.number("SELECT count() FROM smtp", database) > server.number("SELECT count() FROM smtp FINAL", database) > 1000, "rows are there twice")
    return lines


def refused(port):
    """What is no store is said before anything is opened, without what may be a password."""
    for store, word in (("clickhous://127.0.0.1/db", "the nearest is clickhouse"), ("https://127.0.0.1:8123/db", "a store is a folder"), ("clickhouse://127.0.0.1:%d" % port, "DATABASE"),
                        ("clickhouse://mail:%s@127.0.0.1/db" % clickhouses.PASSWORD, "carry_user"), ("clickhouse://127.0.0.1/d-b", "letters")):
        r = subprocess.run([MAILTAP, "web", store, "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=waiting.LONG)
        ok(r.returncode == 2 and word in r.stderr and clickhouses.PASSWORD not in r.stderr, "refused: %s" % store.replace(clickhouses.PASSWORD, "..."), r.returncode, r.stderr)
    for option, word in (("web_directory=/nowhere", "/nowhere"), ("carry_password_file=/nowhere/word", "/nowhere/word")):
        r = subprocess.run([MAILTAP, "web", "clickhouse://127.0.0.1:%d/store" % port, "--listen", "127.0.0.1:0", "-s", option], capture_output=True, text=True, timeout=waiting.LONG)
        ok(r.returncode == 2 and word in r.stderr, "refused: %s" % option, r.returncode, r.stderr)


def undecided(web):
    """Without a folder for it nothing is decided, and all else works."""
    notice = web.get("/notices", limit=1)["notices"][0]
    for a in (web.send("POST", "/notices/%s/acknowledge" % notice["id"], {"remark": "x"}), web.send("POST", "/mutes", {"note": notice["note"]})):
        ok(a.status == 503 and "web_directory" in a.json()["error"]["text"], "what is decided of notices is not kept, and it is said which setting would", a.status, a.body)
    ok(web.get("/mutes")["mutes"] == [] and web.get("/notices/kinds")["kinds"] and web.get("/notices/" + notice["id"])["state"]["state"] == "open", "notices are shown")


def away(folder, clickhouse, store):
    """A server that is not there when web begins, comes, goes and comes again; it asks who one is."""
    word, wrong, audit = folder / "word", folder / "wrong", folder / "audit.json"
    word.write_text(clickhouses.PASSWORD + "\n")
    wrong.write_text("not-" + clickhouses.PASSWORD + "\n")
    clickhouse.kill()
    who = ["-s", "carry_user=mail", "-s", "carry_timeout=5s", "-s", "web_audit=%s" % audit]
    web = Server(store, *who, "-s", "carry_password_file=%s" % word)
    other = Server(store, *who, "-s", "carry_password_file=%s" % wrong)
    ok(any("shows %s" % store in line for line in web.said), "web begins without its server, and says what it shows", web.said)
    for path in ("/count", "/mails", "/top?by=client", "/timeline", "/health", "/notices"):
        a = web.ask(path)
        ok(a.status == 503 and "cannot be read now" in a.json()["error"]["text"], "%s says that the server is away" % path, a.status, a.body[:300])
    ok(web.ask("/me").status == 200, "who one is can be asked")
    ok(clickhouse.start(), "the server comes")
    ok(waiting.until(lambda: web.ask("/count").status == 200), "web goes on by itself", web.ask("/count").body[:300])
    a = other.ask("/count")
    ok(a.status == 503 and "carry_password_file" in a.json()["error"]["text"], "a wrong password is said", a.status, a.body[:300])
    undecided(web)
    clickhouse.kill()
    ok(web.ask("/mails").status == 503 and web.ask("/top?by=sender").status == 503, "it goes while web runs")
    ok(clickhouse.start() and waiting.until(lambda: web.ask("/mails").status == 200) and web.ask("/top?by=sender").status == 200, "and comes again")
    for w in (web, other):
        w.close()
    said = "".join(web.said + other.said) + audit.read_text()
    ok(clickhouses.PASSWORD not in said, "no password is told, nor in the audit")


def redacted(folder, store):
    """Those to whom records are redacted see no addresses and subjects here either, and what they count by a query they find by it; test/api_roles.py looks at every answer."""
    users = folder / "users.yaml"
    users.write_text("".join("- {name: %s, role: %s, tokens: ['%s']}\n" % (n, r, token_line(t)) for n, r, t in (("anna", "full", "f" * 43), ("bruno", "redacted", "r" * 43))))
    users.chmod(0o600)
    web = Server(store, "-s", "web_users=%s" % users, token="f" * 43)
    mails = web.get("/mails", limit=300, fields="all")["mails"]
    hidden = {m["mailfrom"] for m in mails if "@" in m.get("mailfrom", "")} | {m["subject"] for m in mails if len(m.get("subject", "")) > 12}
    web.token = "r" * 43
    seen = b"".join(web.ask(path, **params).body for path, params in (("/mails", {"limit": 300, "fields": "all"}), ("/export", {"format": "csv"}), ("/facets", {"fields": "sender,recipient,helo"}), ("/mails/" + mails[0]["id"], {}))).decode()
    ok(len(hidden) > 100 and len(seen) > 100000 and not [h for h in hidden if h in seen], "a redacted role sees no addresses and subjects", len(hidden), len(seen), *[h for h in hidden if h in seen][:3])
    facet = web.get("/facets", fields="sender")["facets"][0]["values"]
    ok(facet and all(v["value"].startswith("***@") and web.get("/count", q="from:" + v["value"])["count"] >= v["count"] for v in facet[:5]), "senders are counted by domain, as a query takes it", facet)
    ok(web.ask("/mails", q="from:anna").status == 403 and web.ask("/export", q="subject:x").status == 403, "what tells of persons may not be searched")
    web.close()


class Tls(http.server.BaseHTTPRequestHandler):
    """Hands on what comes by TLS to a server without it, and notes who logs in."""
    protocol_version, to, seen = "HTTP/1.1", None, []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.headers.get("X-ClickHouse-User"), self.headers.get("X-ClickHouse-Key")))
        c = client.HTTPConnection("127.0.0.1", self.to, timeout=60)
        c.request("POST", self.path, body, {k: v for k, v in self.headers.items() if k.startswith("X-")})
        r = c.getresponse()
        answer = r.read()
        self.send_response(r.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def by_tls(folder, to):
    """A server with a name and a certificate, who is believed where carry_ca_file says so; web is confined by then."""
    cert, key, _ = certificate(folder, "DNS:localhost")
    word = folder / "word-tls"
    word.write_text(clickhouses.PASSWORD)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    front = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tls)
    front.socket = context.wrap_socket(front.socket, server_side=True)
    Tls.to = to
    threading.Thread(target=front.serve_forever, daemon=True).start()
    store = "clickhouses://localhost:%d/store" % front.server_port
    who = ["-s", "carry_user=mail", "-s", "carry_password_file=%s" % word]
    web, other = Server(store, *who, "-s", "carry_ca_file=%s" % cert), Server(store, *who)
    ok(web.get("/count").get("count", 0) > 1000 and web.get("/top", by="client")["rows"] is not None, "a server is asked by TLS, under its name")
    ok(set(Tls.seen) == {("mail", clickhouses.PASSWORD)}, "and hears who asks", set(Tls.seen))
    a = other.ask("/count")
    ok(a.status == 503 and "certificate" in a.json()["error"]["text"], "one whose certificate nobody vouches for is not", a.status, a.body[:300])
    for w in (web, other):
        w.close()
    front.shutdown()


def rights(web, user):
    """Of the process: whom it became, and that calls are filtered."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/%d/status" % web.process.pid).read_text().splitlines() if ":\t" in line)
    ok(status["Seccomp"] == "2" and int(status["CapEff"], 16) == 0, "web gives up its rights", status.get("Seccomp"), status.get("CapEff"))
    if user is not None:
        ok(status["Uid"].split()[0] == str(user), "and becomes whoever owns the folder of what is decided", status["Uid"])


def shown(base):
    """Each view of the page, once."""
    if page.lacking() or not nodes.packages():
        return skip("the page in a browser", page.lacking() or "no packages")
    page.in_browser({"base": base, "shots": str(page.SHOTS / "clickhouse"), "chromium": page.chromium(), "since": page.SINCE, "until": page.UNTIL, "kinds": ["light"]}, ["views"])


def main():
    if not clickhouses.SERVER:
        print("1..0 # SKIP there is no clickhouse-server here")
        sys.exit(0)
    with tempfile.TemporaryDirectory(prefix="mailtap-web-clickhouse-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        port, tcp = clickhouses.free_ports(2)
        store = "clickhouse://127.0.0.1:%d/store" % port
        clickhouse = clickhouses.Server(folder / "server", port, tcp)
        try:
            ok(clickhouse.start(), "a server of ClickHouse begins")
            lines = load(folder, clickhouse, "store", captures())
            marks = folder / "marks"
            marks.mkdir()
            user = None if os.geteuid() else 65534
            if user:
                os.chown(marks, user, user)
            decided = ["-s", "web_directory=%s" % marks]
            web = Server(store, *decided)
            rights(web, user)
            api.checks(web, lines, lambda i: i >> 10)
            shown("http://" + web.at)
            web.close()
            redacted(folder, store)
            by_tls(folder, port)
            refused(port)
            away(folder, clickhouse, store)
        finally:
            clickhouse.kill()
    done()


if __name__ == "__main__":
    main()
