#!/usr/bin/python3
"""mailtap web: who is let in: passwords, sessions, tokens, tries, TLS, what is left out for some, the audit."""
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import threading
import time
import warnings
from pathlib import Path

from tap import MAILTAP, done, ok, skip
from waiting import LONG, until
from webserver import ALWAYS, BORDER, ENV, Server, certificate, hash_password, store

ANNA = hash_password("correct horse")
OTTO = hash_password("Grüße: 'x' \\ \"y\"")


def token():
    lines = subprocess.run([MAILTAP, "web", "--make-token"], capture_output=True, timeout=LONG).stdout.decode().split()
    return lines


TOKEN, TOKEN_LINE = token()


def users_file(folder, anna=ANNA, more=""):
    path = folder / "users.yaml"
    path.write_text("- name: anna\n  password: %s\n  role: full\n- name: otto\n  password: %s\n  role: redacted\n"
                    "- name: nagios\n  role: redacted\n  tokens: [%s]\n%s" % (anna, OTTO, TOKEN_LINE, more))
    path.chmod(0o644)
    return path


def cookie(answer):
    return answer.header("set-cookie").split(";")[0]


def lines_for_the_file():
    ok(re.fullmatch(r"\$scrypt\$ln=\d+,r=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]{43}", ANNA), "a password becomes a line", ANNA)
    ok(hash_password("correct horse") != ANNA, "with a salt of its own")
    ok(re.fullmatch(r"[A-Za-z0-9_-]{43}", TOKEN) and re.fullmatch(r"\$sha256\$[0-9a-f]{64}", TOKEN_LINE), "a token and its line", TOKEN_LINE)
    for bad in (b"", b"\n", b"x" * 5000 + b"\n"):
        r = subprocess.run([MAILTAP, "web", "--hash-password"], input=bad, capture_output=True, timeout=LONG)
        ok(r.returncode == 2 and not r.stdout, "%d bytes are no password" % len(bad), r.stderr)
    # On a terminal, without echo.
    pid, fd = os.forkpty()
    if not pid:
        os.execv(MAILTAP, [MAILTAP, "web", "--hash-password"])
    seen = b""

    def read_until(what):
        nonlocal seen
        while what not in seen:
            seen += os.read(fd, 1000)
    read_until(b"Password: ")
    os.write(fd, b"hidden one\n")
    read_until(b"Again: ")
    os.write(fd, b"hidden one\n")
    read_until(b"$scrypt$")
    ok(b"hidden" not in seen, "on a terminal it is not shown", seen)
    os.waitpid(pid, 0)
    os.close(fd)


def wrong_files(folder):
    s1 = "$scrypt$ln=16,r=8,p=1$"
    tail = ANNA.split("$", 4)[3] + "$" + ANNA.rsplit("$", 1)[1]
    path = folder / "wrong.yaml"
    for text, part in (("- name: a\n  role: full\n", "neither password nor tokens"), ("- name: a\n  password: %s\n" % ANNA, "has no role"),
                       ("- role: full\n  password: %s\n" % ANNA, "has no name"), ("- name: a\n  role: ful\n  password: %s\n" % ANNA, "the nearest is 'full'"),
                       ("- name: a\n  role: full\n  password: secret\n", "--hash-password"), ("- nam: a\n", "nearest"), ("[]\n", "nobody"), ("", "nobody"),
                       ("- name: a\n  role: full\n  password: $scrypt$ln=30,r=8,p=1$%s\n" % tail, "--hash-password"),
                       ("- name: a\n  role: full\n  password: $scrypt$ln=18,r=16,p=1$%s\n" % tail, "--hash-password"),
                       ("- name: a\n  role: full\n  password: $scrypt$ln=16,r=8,p=1$%s\n" % tail[:-1], "--hash-password"),
                       ("- name: a\n  role: full\n  password: $scrypt$ln=1,r=1,p=1$%s\n" % tail, "--hash-password"),
                       ("- name: a\n  role: full\n  tokens: [x]\n", "--make-token"),
                       ("- {name: a, role: full, tokens: [%s]}\n" % ", ".join([TOKEN_LINE] * 9), "more than 8 tokens"),
                       ("- {name: a, role: full, tokens: [%s]}\n" % TOKEN_LINE * 2, "there twice"), ("- {name: '', role: full}\n", "name wants"),
                       ("- {name: %s, role: full}\n" % ("a" * 64), "name wants")):
        path.write_text(text)
        r = subprocess.run([MAILTAP, "web", str(folder / "store"), "--listen", "127.0.0.1:0", "-s", "web_users=%s" % path], capture_output=True, env=ENV, timeout=LONG)
        ok(r.returncode == 2 and part in r.stderr.decode() and "wrong.yaml" in r.stderr.decode(), "users: %s" % part, r.stderr)
    ok(s1 in ANNA, "lines are those of the default cost")


def logging_in(s):
    me = s.ask("/api/v1/me").json()
    ok(me["log_in"] and me["user"] is None and me["role"] is None and me["first"] is None, "nobody is known at first, and nothing told", me)
    ok(s.ask("/").status == 200 and s.ask("/mails").status == 200, "the page itself comes")
    for path in ("/mails", "/mails/1", "/count", "/export", "/notices", "/fields", "/top"):
        a = s.ask("/api/v1" + path)
        ok(a.status == 401 and "log-in" in a.error, "%s wants a log-in" % path, a)
    no = s.ask("/api/v1/log-in", "POST", {"user": "anna", "password": "correct horse"})
    ok(no.status == 403, "a log-in wants the token against other sites", no)
    for user, password in (("anna", "wrong"), ("nobody", "correct horse"), ("ANNA", "correct horse"), ("nagios", ""), ("nagios", TOKEN), ("anna", "")):
        a = s.log_in(user, password)
        ok(a.status == 401 and a.header("set-cookie") is None and a.error == "no such user with that password", "%s with %r is refused" % (user, password[:8]), a)
    a = s.log_in("anna", "correct horse")
    ok(a.status == 204 and not a.body, "the right password opens", a)
    c = a.header("set-cookie")
    ok(re.fullmatch(r"mailtap=[A-Za-z0-9_-]{43}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict", c), "with a cookie that scripts cannot read", c)
    me = s.ask("/api/v1/me", Cookie=cookie(a)).json()
    ok(me["user"] == "anna" and me["role"] == "full" and me["first"], "which is anna", me)
    ok(s.ask("/api/v1/mails", Cookie=cookie(a)).status == 200, "and may look")
    ok(s.ask("/api/v1/mails", Cookie="x=1; %s; y=2" % cookie(a)).status == 200, "among other cookies")
    for bad in (cookie(a)[:-1], cookie(a) + "x", cookie(a) + "; " + cookie(a), "mailtap=", "Mailtap" + cookie(a)[7:]):
        ok(s.ask("/api/v1/mails", Cookie=bad).status == 401, "not with %s" % bad[-20:])
    ok(me["csrf"] != s.csrf(), "the token is the session's own")
    post = lambda **h: s.ask("/api/v1/mutes", "POST", {"note": "A::B", "remark": "r"}, Cookie=cookie(a), **h)
    ok(post(X_CSRF_Token=s.csrf()).status == 403 and post().status == 403, "and no other one counts")
    ok(post(X_CSRF_Token=me["csrf"]).status == 200, "this one does", post(X_CSRF_Token=me["csrf"]))
    ok(s.ask("/api/v1/log-out", "POST", Cookie=cookie(a)).status == 403, "leaving wants it too")
    out = s.ask("/api/v1/log-out", "POST", Cookie=cookie(a), X_CSRF_Token=me["csrf"])
    ok(out.status == 204 and "Max-Age=0" in out.header("set-cookie"), "a log-out ends it", out)
    ok(s.ask("/api/v1/mails", Cookie=cookie(a)).status == 401, "for good")
    a = s.log_in("otto", "Grüße: 'x' \\ \"y\"")
    ok(a.status == 204 and s.ask("/api/v1/me", Cookie=cookie(a)).json()["role"] == "redacted", "another one has another role", a)


def programs(s):
    auth = "Bearer " + TOKEN
    me = s.ask("/api/v1/me", Authorization=auth).json()
    ok(me["user"] == "nagios" and me["role"] == "redacted", "a token is a user", me)
    ok(s.ask("/api/v1/count", Authorization=auth).status == 200, "who may look")
    ok(s.ask("/api/v1/mutes", "POST", {"note": "A::B", "remark": "r"}, Authorization=auth).status == 200, "and needs no token against other sites")
    for bad in ("Bearer " + TOKEN[:-1], "Bearer " + TOKEN + "x", "Bearer ", "Bearer", "Basic " + TOKEN, TOKEN, "Bearer " + TOKEN_LINE):
        a = s.ask("/api/v1/count", Authorization=bad)
        ok(a.status == 401 and a.header("www-authenticate"), "not with %s" % bad[:12], a)
    anna = cookie(s.log_in("anna", "correct horse"))
    ok(s.ask("/api/v1/count", Authorization="Bearer x", Cookie=anna).status == 401, "a wrong token is not made good by a cookie")


def left_out(s):
    """What people write and to whom is in no answer for those who may not see it."""
    anna = cookie(s.log_in("anna", "correct horse"))
    otto = {"Authorization": "Bearer " + TOKEN}
    full = s.ask("/api/v1/export?stream=smtp&format=ndjson", Cookie=anna)
    mails = [json.loads(l) for l in full.body.splitlines()]
    locals_ = {a.partition("@")[0] for m in mails for a in [m.get("mailfrom", ""), *m.get("rcptto", [])] if "@" in a}
    subjects = {m["subject"] for m in mails if m.get("subject")}
    files = {f["name"] for m in mails for f in m.get("files", []) if "name" in f}
    ok(len(locals_) > 10 and len(subjects) > 5, "the sample has persons and subjects", locals_)
    ident = mails[0]["id"]
    for path in ("/export?format=ndjson", "/export?format=csv", "/export", "/mails?limit=50", "/mails?fields=all", "/mails?format=csv", "/mails/" + ident, "/notices", "/notices?format=csv",
                 "/facets", "/facets?fields=from,rcpt", "/top?by=sender", "/top?by=recipient", "/export?stream=notice", "/export?stream=smtp_session", "/sessions/" + mails[0]["uid"],
                 "/hosts/uni.example.org", "/paths"):
        a = s.ask("/api/v1" + path, **otto)
        text = a.body.decode()
        found = [l for l in locals_ if re.search(r"(?<![\w.-])%s(%%40|@)" % re.escape(l), text)]
        found += [x for x in subjects | files if json.dumps(x)[1:-1] in text or x in text]
        ok(a.status in (200, 403) and not found, "%s names nobody" % path, a.status, found, text[:500])
    a = s.ask("/api/v1/mails/" + ident, **otto).json()["record"]
    ok(a["mailfrom"] in ("<>", "***@" + mails[0]["mailfrom"].partition("@")[2]), "but domains", a)
    ok(s.ask("/api/v1/mails?q=subject:museum", **otto).status == 403, "nor can it be searched for")
    ok(s.ask("/api/v1/mails?q=subject:museum", Cookie=anna).status == 200, "unless by those who may see it")


def tries(folder):
    with Server(folder / "store", "-s", "web_users=%s" % users_file(folder), "-s", "web_log_ins=3") as s:
        statuses = [s.log_in("anna", "wrong").status for _ in range(5)]
        ok(statuses == [401, 401, 401, 429, 429], "after so many tries there is a pause", statuses)
        a = s.log_in("anna", "correct horse")
        ok(a.status == 429 and 1 <= int(a.header("retry-after")) <= 20, "for the right password too", a)
        ok(s.log_in("otto", "x").status == 429, "for all of that address")
    with Server(folder / "store", "-s", "web_users=%s" % users_file(folder), "-s", "web_log_ins=2") as s:
        statuses = [s.log_in("anna", "correct horse").status for _ in range(4)]
        ok(statuses == [204] * 4, "who knows the password may come again", statuses)
    with Server(folder / "store", "-s", "web_users=%s" % users_file(folder), "-s", "web_log_ins=1000") as s:
        csrf, results = s.csrf(), []
        began = time.monotonic()

        def one():
            a = s.ask("/api/v1/log-in", "POST", {"user": "x", "password": "y"}, timeout=6 * LONG, X_CSRF_Token=csrf)
            results.append((a.status, a.header("retry-after")))
        threads = [threading.Thread(target=one) for _ in range(40)]
        for t in threads:
            t.start()
        quick = s.ask("/api/v1/openapi.json")
        for t in threads:
            t.join(6 * LONG)
        counts = {c: [r[0] for r in results].count(c) for c in (401, 429)}
        ok(quick.status == 200 and counts[401] + counts[429] == 40 and counts[429] >= 20, "of many at once few wait, and the others are told to", counts, time.monotonic() - began)
        ok(all(r[1] for r in results if r[0] == 429), "when to come again", results)


def same_time(folder):
    with Server(folder / "store", "-s", "web_users=%s" % users_file(folder), "-s", "web_log_ins=1000") as s:
        csrf = s.csrf()

        def work():
            """Of the server's processor time so far, as the clock is others' too."""
            return sum(map(int, Path("/proc/%d/stat" % s.process.pid).read_text().rpartition(")")[2].split()[11:13]))

        def took(user):
            before = work()
            for _ in range(4):
                s.ask("/api/v1/log-in", "POST", {"user": user, "password": "wrong"}, timeout=3 * LONG, X_CSRF_Token=csrf)
            return work() - before
        known, unknown, tokens = took("anna"), took("nobody"), took("nagios")
        ok(known > 4 and unknown > known / 2 and tokens > known / 2, "a wrong user takes as long as a wrong password", known, unknown, tokens)


def expiry(folder):
    with Server(folder / "store", "-s", "web_users=%s" % users_file(folder), "-s", "web_session_idle=1s") as s:
        c = cookie(s.log_in("anna", "correct horse"))
        ok(s.ask("/api/v1/count", Cookie=c).status == 200, "a session holds")
        # It must not be asked meanwhile, as that would keep it.
        time.sleep(1.2)
        ok(s.ask("/api/v1/count", Cookie=c).status == 401, "and ends where nobody uses it")
    with Server(folder / "store", "-s", "web_users=%s" % users_file(folder), "-s", "web_session_most=2s") as s:
        a = s.log_in("anna", "correct horse")
        c, began = cookie(a), time.monotonic()
        ok("Max-Age=2;" in a.header("set-cookie"), "the cookie says how long it counts", a)
        ok(until(lambda: s.ask("/api/v1/count", Cookie=c).status == 401), "and in use too, some time")
        ok(time.monotonic() - began > 1, "but not before", time.monotonic() - began)


def reload(folder):
    audit = folder / "log" / "audit.log"
    audit.parent.mkdir()
    path = users_file(folder, more="- name: eve\n  password: %s\n  role: full\n" % ANNA)
    with Server(folder / "store", "-s", "web_users=%s" % path, "-s", "web_audit=%s" % audit) as s:
        anna, eve = cookie(s.log_in("anna", "correct horse")), cookie(s.log_in("eve", "correct horse"))
        ok(s.ask("/api/v1/count?q=subject:%0a%22%1b[31m", Cookie=anna).status in (200, 400), "a question with control characters")
        s.ask("/api/v1/mails?limit=3", Cookie=anna)
        s.ask("/api/v1/export?stream=smtp_session&fields=helo,banner&format=csv", Cookie=anna)
        s.log_in("anna\n", "wrong")
        lines = audit.read_bytes()
        ok(b"\x1b" not in lines and not [c for c in lines if c < 32 and c != 10], "the audit has none", lines)
        rows = [json.loads(l) for l in lines.splitlines()]
        ok(all({"ts", "address", "method", "path", "status", "rows", "milliseconds"} <= set(r) for r in rows), "each line is whole", rows)
        ok([(r["user"], r["path"], r["status"], r["rows"]) for r in rows if r["path"] == "/api/v1/mails"] == [("anna", "/api/v1/mails", 200, 3)], "who saw how much", rows)
        ok(until(lambda: any((r.get("stream"), r.get("fields"), r.get("format"), r.get("limit", "")) == ("smtp_session", "helo,banner", "csv", "") for r in map(json.loads, audit.read_bytes().splitlines()) if r["path"] == "/api/v1/export")), "and what of it", rows)
        ok([r["user"] for r in rows if r["path"] == "/api/v1/log-in"] == ["anna", "eve", "anna\n"], "and who tried to come in", rows)
        ok(any(r.get("q") == 'subject:\n"\x1b[31m' for r in rows), "and what was asked", rows)
        ok(b"correct horse" not in lines and b"wrong" not in lines, "but no password")
        ok(stat.S_IMODE(audit.stat().st_mode) == 0o640, "others cannot read it", oct(audit.stat().st_mode))
        # The file is moved away; eve goes; anna gets another password.
        audit.rename(folder / "log" / "audit.1")
        new = folder / "users.new"
        new.write_text("- name: anna\n  password: %s\n  role: full\n" % hash_password("another"))
        new.chmod(0o644)
        new.rename(path)
        s.process.send_signal(signal.SIGHUP)
        ok(until(lambda: s.ask("/api/v1/count", Cookie=eve).status == 401), "whoever is gone is out")
        ok(s.ask("/api/v1/count", Cookie=anna).status == 401, "and whose password has changed", s.stderr())
        ok(s.log_in("anna", "another").status == 204 and s.log_in("anna", "correct horse").status == 401, "the new one counts")
        ok(until(audit.exists) and (folder / "log" / "audit.1").read_bytes().startswith(lines), "a new audit begins", s.stderr())
        path.write_text("- name: anna\n")
        s.process.send_signal(signal.SIGHUP)
        ok(until(lambda: "the users stay as they were" in s.stderr()), "a wrong file is said", s.stderr())
        ok(s.log_in("anna", "another").status == 204, "and changes nothing")


def over_tls(folder):
    cert, key, context = certificate(folder)
    users = users_file(folder)
    tls = ["-s", "web_certificate=%s" % cert, "-s", "web_key=%s" % key]
    r = subprocess.run([MAILTAP, "web", str(folder / "store"), "--listen", "0.0.0.0:0", *tls], capture_output=True, env=ENV, timeout=LONG)
    ok(r.returncode == 2 and b"wants users" in r.stderr, "another address wants users beside TLS", r.stderr)
    with Server(folder / "store", *tls, "-s", "web_users=%s" % users, tls=context) as s:
        ok(s.line.startswith("mailtap web: https://"), "it says https", s.line)
        a = s.ask("/", host="localhost:%d" % s.port)
        ok(a.status == 200 and a.header("strict-transport-security") == "max-age=31536000", "over TLS there is HSTS", a)
        ok(all(a.header(k) == v for k, v in ALWAYS.items()), "beside the others")
        a = s.log_in("anna", "correct horse")
        c = a.header("set-cookie")
        ok(c.startswith("__Host-mailtap=") and c.endswith("; Secure"), "the cookie is for TLS alone", c)
        ok(s.ask("/api/v1/count", Cookie=cookie(a)).status == 200, "and counts")
        ok(s.ask("/api/v1/count", Cookie=cookie(a).replace("__Host-", "")).status == 401, "under that name alone")
        post = lambda origin: s.ask("/api/v1/mutes", "POST", {"note": "A::B", "remark": "r"}, Authorization="Bearer " + TOKEN, Origin=origin)
        ok(post("https://" + s.host).status == 200 and post("http://" + s.host).status == 403, "its origin is https")
        export = s.ask("/api/v1/export?format=ndjson", Cookie=cookie(a))
        ok(export.whole and len(export.body.splitlines()) == 16, "an export comes in pieces", export)
        clear = Server.raw.__get__(s)
        s.tls = None
        a = clear(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        ok(a.status in (0, 400, 426) and b"<script" not in a.body, "clear text gets nothing", a)
        for name, version in (("1.0", ssl.TLSVersion.TLSv1), ("1.1", ssl.TLSVersion.TLSv1_1)):
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
            old.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                old.minimum_version = old.maximum_version = version
            try:
                with socket.create_connection((s.address, s.port), LONG) as plain, old.wrap_socket(plain):
                    ok(False, "TLS %s is refused" % name)
            except (ssl.SSLError, OSError):
                ok(True, "TLS %s is refused" % name)
    with Server(folder / "store", *tls, "-s", "web_users=%s" % users, listen="0.0.0.0:0", tls=context) as s:
        s.address = "127.0.0.1"
        ok(s.ask("/api/v1/me", host="localhost:%d" % s.port).status == 200, "with both it listens on all addresses")
        ok(s.ask("/api/v1/me", host="127.0.0.1:%d" % s.port).status == 200, "by all names of its certificate")
        ok(s.ask("/api/v1/me", host="0.0.0.0:%d" % s.port).status == 403, "and no other")
    wild, wild_key, _ = certificate(folder, "DNS:*.example.org")
    with Server(folder / "store", "-s", "web_certificate=%s" % wild, "-s", "web_key=%s" % wild_key, "-s", "web_users=%s" % users, tls=insecure()) as s:
        for host, good in (("a.example.org", True), ("a.b.example.org", False), ("example.org", False), (".example.org", False), ("xexample.org", False)):
            ok((s.ask("/api/v1/me", host="%s:%d" % (host, s.port)).status == 200) == good, "*.example.org %s %s" % ("has" if good else "has not", host))
    other = folder / "other"
    other.mkdir()
    _, wrong, _ = certificate(other)
    for c, k, part in ((wild, wrong, b"is not the key of"), (wrong, wrong, b"no certificate in PEM"), (wild, wild, b"no private key"),
                       ("/nowhere/c", wrong, b"/nowhere/c: No such file"), (folder, wrong, b"Is a directory")):
        r = subprocess.run([MAILTAP, "web", str(folder / "store"), "--listen", "127.0.0.1:0", "-s", "web_certificate=%s" % c, "-s", "web_key=%s" % k], capture_output=True, env=ENV, timeout=LONG)
        ok(r.returncode == 2 and part in r.stderr, "a wrong file is refused: %s" % part.decode(), r.stderr)


def insecure():
    c = ssl.create_default_context()
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    return c


def confined(folder):
    """What the process has left."""
    with Server(folder / "store", "-s", "web_users=%s" % users_file(folder)) as s:
        status = Path("/proc/%d/status" % s.process.pid).read_text()
        value = lambda name: re.search(r"(?m)^%s:\s+(.*)$" % name, status).group(1)
        ok(int(value("CapEff"), 16) == 0 and int(value("CapPrm"), 16) == 0, "no capability is left", status)
        ok(value("NoNewPrivs") == "1" and value("Seccomp") == "2", "and few system calls", status)
        threads = {Path(t, "status").read_text().split("Seccomp:\t")[1][0] for t in Path("/proc/%d/task" % s.process.pid).iterdir()}
        ok(threads == {"2"}, "in all threads", threads)
    if os.geteuid():
        skip("as root it becomes another user", "this is not root")
        return
    own = folder / "own"
    store(own, BORDER)
    for path in (own, *own.iterdir()):
        os.chown(path, 65534, 65534)
    with Server(own) as s:
        status = Path("/proc/%d/status" % s.process.pid).read_text()
        ok(re.search(r"(?m)^Uid:\s+65534\s+65534\s+65534\s+65534$", status) and "\nGroups:\t \n" in status, "root becomes the owner of the store", status)
        a = s.ask("/api/v1/mutes", "POST", {"note": "A::B", "remark": "r"}, X_CSRF_Token=s.csrf())
        ok(a.status == 200 and s.ask("/api/v1/count").json()["count"] == 16, "and reads it, and keeps what is decided", a)
    with Server(folder / "store", "--user", "nobody") as s:
        ok(re.search(r"(?m)^Uid:\s+65534\s", Path("/proc/%d/status" % s.process.pid).read_text()), "or whom one says")
        a = s.ask("/api/v1/count")
        ok(a.status in (200, 503) and b"page.sqlite" not in a.body, "who sees what that one may read", a)
    r = subprocess.run([MAILTAP, "web", str(own), "--user", "no-such-user"], capture_output=True, env=ENV, timeout=LONG)
    ok(r.returncode == 2 and b"no user 'no-such-user'" in r.stderr, "a user who is not there is refused", r.stderr)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        store(folder / "store", BORDER)
        lines_for_the_file()
        wrong_files(folder)
        with Server(folder / "store", "-s", "web_users=%s" % users_file(folder), "-s", "web_log_ins=1000") as s:
            logging_in(s)
            programs(s)
            left_out(s)
        for test in (tries, same_time, expiry, reload, over_tls, confined):
            test(folder)
    done()


main()
