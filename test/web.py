#!/usr/bin/python3
"""mailtap web: what every answer has, who is let in by which name, hostile requests, many clients, the end.
usage: web.py MAILTAP [WEB-RUN]   with the second: whether what hostile clients do leaves anything behind"""
import gzip
import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from jsonschema import Draft202012Validator

from tap import MAILTAP, SOURCE, done, mailtap, ok
from waiting import LONG, until
from webserver import ALWAYS, BORDER, ENV, LEAKS, Answer, Server, drain, store

VIEWS = ["/", "/mails", "/mails?q=from:anna", "/mails/1764484200000000", "/hosts", "/hosts/192.0.2.1", "/map", "/paths", "/notices", "/notices/12",
         "/log-in"]


def missing_headers(answer):
    return {k: answer.header(k) for k, v in ALWAYS.items() if answer.header(k) != v}


def the_page(s):
    index = (SOURCE / "page/built/index.html").read_bytes()
    for path in VIEWS:
        a = s.ask(path)
        ok(a.status == 200 and a.body == index and a.header("content-type") == "text/html; charset=utf-8", "%s is the page" % path, a)
    for name, kind in (("page.js", "text/javascript; charset=utf-8"), ("page.css", "text/css; charset=utf-8"), ("favicon.svg", "image/svg+xml")):
        a = s.ask("/" + name)
        ok(a.status == 200 and a.body == (SOURCE / "page/built" / name).read_bytes() and a.header("content-type") == kind, "%s is a file of it" % name, a)
        again = s.ask("/" + name, If_None_Match='"x", ' + a.header("etag"))
        ok(again.status == 304 and not again.body and again.header("etag") == a.header("etag"), "which is not sent twice", again)
        ok(s.ask("/" + name, If_None_Match='"x"').status == 200, "but where it has changed")
        packed = s.ask("/" + name, Accept_Encoding="br, gzip;q=0.5")
        if packed.header("content-encoding"):
            ok(gzip.decompress(packed.body) == a.body, "and can be compressed", packed)
        ok(s.ask("/" + name, Accept_Encoding="gzip;q=0").body == a.body, "but need not")
    head = s.ask("/", "HEAD")
    ok(head.status == 200 and not head.body and head.header("content-length") == str(len(index)), "HEAD has no body", head)
    for path in ("/x", "/mails/", "/mails/1/2", "/page.js/", "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/mails/..%2f..", "/index.html%00"):
        a = s.ask(path)
        ok(a.status == 404 or (path == "/mails/..%2f.." and a.body == index), "%s is nothing" % path, a)
    ok(s.ask("/", "POST", b"x").status == 405, "nothing is posted to the page")


def every_answer(s):
    paths = [*VIEWS[:3], "/page.js", "/x", "/api/v1/me", "/api/v1/mails", "/api/v1/mails?x=1", "/api/v1/none", "/api/v1/openapi.json", "/api/v1/export",
             "/api/v1/mails/1", "/api/v1"]
    for path in paths:
        a = s.ask(path)
        ok(not missing_headers(a), "%s has all headers" % path, missing_headers(a), a)
        if path.startswith("/api"):
            ok(a.header("cache-control") == "no-store" and a.header("content-type") == "application/json", "and stays in no cache", a)
        else:
            ok(a.header("cache-control") in ("no-cache", "no-store"), "and is asked for again", a)
        ok(a.header("server") is None and a.header("access-control-allow-origin") is None, "and says nothing else")
    for a in (s.ask("/", host="evil.example"), s.ask("/api/v1/me", "DELETE"), s.ask("/", "PUT", b"")):
        ok(a.status in (403, 405) and not missing_headers(a), "an error has them too", a)


def names(s):
    for host in ("127.0.0.1:%d", "localhost:%d", "LOCALHOST:%d", "[::1]:%d"):
        ok(s.ask("/api/v1/me", host=host % s.port).status == 200, "%s is its name" % host)
    for host in ("localhost", "127.0.0.1", "127.0.0.1:1", "evil.example:%d" % s.port, "localhost.evil.example:%d" % s.port, "127.0.0.2:%d" % s.port,
                 "0.0.0.0:%d" % s.port, "", "localhost:%d:%d" % (s.port, s.port), "user@localhost:%d" % s.port, "localhost:0%d" % s.port, "%00"):
        a = s.raw(b"GET /api/v1/me HTTP/1.1\r\nHost: " + host.encode() + b"\r\nConnection: close\r\n\r\n")
        ok(a.status in (400, 403), "'%s' is not" % host, a)
    ok(s.raw(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").status in (400, 403), "one without a name is refused")
    ok(s.raw(b"GET / HTTP/1.0\r\n\r\n").status == 403, "in HTTP/1.0 too")
    two = b"GET / HTTP/1.1\r\nHost: %s\r\nHost: evil\r\nConnection: close\r\n\r\n" % s.host.encode()
    ok(s.raw(two).status == 400, "two names are refused", s.raw(two))


def other_sites(s):
    token = s.csrf()
    for site in ("cross-site", "same-site", "nonsense"):
        ok(s.ask("/api/v1/me", Sec_Fetch_Site=site).status == 403, "a request of a %s is refused" % site)
        ok(s.ask("/mails", Sec_Fetch_Site=site).status == 200, "but the page itself may be linked to")
    for site in ("same-origin", "none"):
        ok(s.ask("/api/v1/me", Sec_Fetch_Site=site).status == 200, "one of %s is not" % site)
    post = lambda **h: s.ask("/api/v1/mutes", "POST", {"note": "X::Y", "remark": "r"}, **h)
    ok(post().status == 403 and "X-CSRF-Token" in post().error, "a change wants the token", post())
    ok(post(X_CSRF_Token="x" * len(token)).status == 403, "and the right one")
    ok(post(X_CSRF_Token=token[:-1]).status == 403 and post(X_CSRF_Token=token + "x").status == 403, "all of it")
    ok(post(X_CSRF_Token=token, Origin="http://evil.example").status == 403, "and its own origin")
    ok(post(X_CSRF_Token=token, Origin="null").status == 403, "null is none")
    ok(post(X_CSRF_Token=token, Origin="http://localhost:%d" % s.port).status == 403, "another name of ours is another origin")
    a = post(X_CSRF_Token=token, Origin="http://" + s.host)
    ok(a.status == 200, "with both it is done", a)


def parameters(s):
    for query, part in (("limit=x", "limit wants a number"), ("limit=0", "limit wants at least 1"), ("limit=1&limit=2", "limit is there twice"), ("limt=1", "the nearest is limit"),
                        ("q=%", "percent codes"), ("q=%4", "percent codes"), ("q=%zz", "percent codes"), ("q=%00", "percent codes"),
                        ("q=%ff%fe", "UTF-8"), ("q=%c0%80", "UTF-8"), ("since=yesterday", "since wants a time"), ("since=-1", "wants a time"),
                        ("since=99999999999999999999", "wants a time"), ("before=99999999999999999999", "wants a number"), ("before=-1", "wants a number"),
                        ("format=xml", "there are: json csv ndjson"), ("%6c=1", "takes no 'l'"), ("limit=1;drop", "wants a number")):
        a = s.ask("/api/v1/mails?" + query)
        ok(a.status == 400 and part in a.error, "%s is refused: %s" % (query, part), a)
    for query in ("", "&&", "q=", "q=%20", "limit=1", "since=2026-11-30", "since=2026-11-30T06:30:00%2B01:00", "until=1764484200.25", "since=7d", "l%69mit=1"):
        ok(s.ask("/api/v1/mails?" + query).status == 200, "'%s' is fine" % query, s.ask("/api/v1/mails?" + query))
    # The longest query, in the longest way to write it.
    ok(s.ask("/api/v1/mails?q=" + "%C3%A4" * 4000).status == 200, "a query of 8000 bytes is fine")
    ok(s.ask("/api/v1/mails/x").status == 400, "an id is a number")
    ok(s.ask("/api/v1/mails/%00").status == 400, "of whole characters")
    ok(s.ask("/api/v1/mails/1").status == 404, "and of a mail that there is")
    a = s.ask("/api/v1/malis")
    ok(a.status == 404 and "the nearest is /mails" in a.error, "the nearest path is named", a)
    ok(s.ask("/api/v1/mails", "DELETE").header("allow") == "GET", "a method that a path has not is refused")
    a = s.ask('/api/v1/mails?q=<script>alert("1")</script>&x=<b>')
    ok(b"<" not in a.body and a.status == 400, "what was asked is not markup in the answer", a)


def formats(s):
    rows = s.ask("/api/v1/mails?limit=5").json()["mails"]
    lines = s.ask("/api/v1/mails?limit=5&format=ndjson")
    ok([json.loads(l) for l in lines.body.splitlines()] == rows and lines.header("content-type") == "application/x-ndjson", "NDJSON has the same rows", lines)
    csv = s.ask("/api/v1/mails?limit=5&format=csv")
    ok(csv.header("content-type").startswith("text/csv") and csv.body.count(b"\r\n") == 6, "CSV too, under their names", csv)
    ok(csv.header("x-mailtap-next") == rows[-1]["id"], "the next page stands in a header", csv)
    whole = s.ask("/api/v1/export?format=ndjson")
    ok(whole.whole and len(whole.body.splitlines()) == 16, "an export has all of them", whole)
    packed = s.ask("/api/v1/export?format=ndjson", Accept_Encoding="gzip")
    ok(packed.header("content-encoding") == "gzip" and gzip.decompress(packed.body) == whole.body, "compressed too", packed)


def description(s):
    printed = mailtap("web", "--openapi").stdout
    ok(printed == (SOURCE / "docs/openapi.json").read_bytes(), "docs/openapi.json is current: mailtap web --openapi >docs/openapi.json")
    doc = json.loads(printed)
    ok(s.ask("/api/v1/openapi.json").json() == doc, "the server gives the same")
    ok(doc["openapi"] == "3.1.0" and doc["info"]["title"] and doc["paths"], "it is OpenAPI 3.1")
    refs = []

    def walk(node):
        if isinstance(node, dict):
            refs.extend(v for k, v in node.items() if k == "$ref")
            for v in node.values():
                walk(v)
        elif isinstance(node, list):
            for v in node:
                walk(v)
    walk(doc)
    there = {"#/components/schemas/" + n for n in doc["components"]["schemas"]}
    ok(refs and set(refs) <= there, "whatever it refers to is there", set(refs) - there)
    ok(len({o["operationId"] for p in doc["paths"].values() for o in p.values()}) == sum(len(p) for p in doc["paths"].values()), "each operation has a name of its own")
    for path, methods in doc["paths"].items():
        for method, op in methods.items():
            named = {p["name"] for p in op["parameters"] if p["in"] == "path"}
            if named != {p for p in path.replace("}", "{").split("{")[1::2]}:
                ok(False, "%s %s names what is in its path" % (method, path), named)
    for name, schema in doc["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
    for path, methods in doc["paths"].items():
        if "{" in path or "get" not in methods:
            continue
        schema = methods["get"]["responses"]["200"]["content"]["application/json"].get("schema")
        a = s.ask("/api/v1" + path + ("?by=client" if path == "/top" else ""))
        if not schema or not a.whole:
            continue
        faults = [e.message for e in Draft202012Validator({**schema, "components": doc["components"]}).iter_errors(a.json())]
        ok(a.status == 200 and not faults, "the answer to %s is as described" % path, faults[:3], a)
    error = s.ask("/api/v1/mails?limit=x").json()
    ok(not list(Draft202012Validator({"$ref": "#/components/schemas/error", "components": doc["components"]}).iter_errors(error)), "an error is too", error)


def hostile(s):
    """Whatever is sent, there is an error or nothing; then the server answers still."""
    host = b"Host: " + s.host.encode() + b"\r\n"
    end = b"Connection: close\r\n\r\n"
    cases = {
        "a long address": b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\n" + host + end,
        "a longer one": b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n" + host + end,
        "a huge header": b"GET / HTTP/1.1\r\n" + host + b"X: " + b"a" * 1000000 + b"\r\n" + end,
        "many headers": b"GET / HTTP/1.1\r\n" + host + b"X: a\r\n" * 100000 + end,
        "many parameters": b"GET /api/v1/mails?" + b"a&" * 15000 + b" HTTP/1.1\r\n" + host + end,
        "a NUL in the address": b"GET /api/v1/me\0x HTTP/1.1\r\n" + host + end,
        "a NUL in a header": b"GET /api/v1/me HTTP/1.1\r\n" + host + b"Cookie: a\0b\r\n" + end,
        "bytes in the address": b"GET /\xff\xfe HTTP/1.1\r\n" + host + end,
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500),
        "lines without end": b"\r\n" * 50000,
        "another version": b"GET / HTTP/9.9\r\n" + host + end,
        "an absolute address": b"GET http://evil.example/ HTTP/1.1\r\n" + host + end,
        "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\n" + host + end,
        "TRACE": b"TRACE / HTTP/1.1\r\n" + host + b"Cookie: secret=1\r\n" + end,
        "OPTIONS": b"OPTIONS * HTTP/1.1\r\n" + host + end,
        "a method of 4 kB": b"A" * 4096 + b" / HTTP/1.1\r\n" + host + end,
        "a body too large": b"POST /api/v1/log-in HTTP/1.1\r\n" + host + b"Content-Length: 100000\r\n" + end + b"x" * 100000,
        "a length that is none": b"POST /api/v1/log-in HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n" + end,
        "a length beyond all": b"POST /api/v1/log-in HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999999\r\n" + end,
        "two lengths": b"POST /api/v1/log-in HTTP/1.1\r\n" + host + b"Content-Length: 1\r\nContent-Length: 2\r\n" + end + b"xx",
        "length and chunks": b"POST /api/v1/log-in HTTP/1.1\r\n" + host + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n" + end + b"0\r\n\r\n",
        "chunks that are none": b"POST /api/v1/log-in HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n" + end + b"zz\r\n\r\n",
        "a folded header": b"GET / HTTP/1.1\r\n" + host + b"X: a\r\n b\r\n" + end,
        "a GET with a body": b"GET /api/v1/me?x=1 HTTP/1.1\r\n" + host + b"Content-Length: 1000000\r\n" + end + b"x" * 1000000,
    }
    for name, data in cases.items():
        a = s.raw(data)
        fine = name in ("an absolute address", "OPTIONS", "a folded header", "a NUL in the address", "length and chunks", "lines without end", "a NUL in a header")
        ok(a.status >= 400 or not a.raw or (fine and a.status == 200), "%s: an error or nothing" % name, a.status, a)
        ok(b"secret" not in a.body and b"/work" not in a.raw, "which gives nothing away", a)
    for body in (b"", b"{", b"[]", b"{}", b'{"user":{}}', b'{"user":"a","user":"b"}', b'{"usr":"a"}', b'{"user":"a\\u0000"}', b"[" * 5000, b'{"user":1,"password":"x"} x',
                 b"\xff\xfe", b'{"user":"\xff"}'):
        a = s.ask("/api/v1/log-in", "POST", body, X_CSRF_Token=s.csrf())
        ok(a.status in (400, 429), "the body %r is refused" % body[:30], a)
    ok(s.ask("/api/v1/me").status == 200, "the server answers still", s.stderr())


def cut_at_every_byte(s):
    request = b"GET /api/v1/me HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % s.host.encode()
    for cut in range(1, len(request), 7):
        with s.connect() as c:
            c.sendall(request[:cut])
            c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            c.sendall(request[cut:])
            if Answer(drain(c)).status != 200:
                ok(False, "a request in two pieces, cut at %d" % cut)
    ok(True, "a request may come in pieces")
    for cut in range(1, len(request), 7):
        with s.connect() as c:
            c.sendall(request[:cut])
    ok(s.ask("/api/v1/me").status == 200, "and may end early")


def keeps_alive(s):
    with s.connect() as c:
        f = c.makefile("rb")
        for path in ("/", "/api/v1/me", "/api/v1/mails?limit=1", "/api/v1/mails?limit=x", "/page.js", "/x"):
            c.sendall(b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (path.encode(), s.host.encode()))
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = f.readline()
                assert line, "closed at %s" % path
                head += line
            body = f.read(int(Answer(head).header("content-length")))
            ok(Answer(head).status in (200, 400, 404), "a connection serves %s after another" % path, head, body)


def many(s):
    """Two hundred at once, half of whom say nothing more."""
    silent = [s.connect() for _ in range(90)]
    for c in silent:
        c.sendall(b"GET /")
    results = []

    def one(i):
        results.append(s.ask("/api/v1/mails?limit=3&q=subject:a%d" % (i % 5)).status)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(110)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(LONG)
    ok(len(results) == 110 and set(results) <= {200, 503}, "200 clients at once: each is answered", results)
    ok(results.count(200) >= 60, "most of them with what they want", results)
    for c in silent:
        c.close()
    ok(s.ask("/api/v1/me").status == 200, "and then others")


def slow_clients(folder):
    with Server(folder, "-s", "web_client_timeout=1s") as s:
        host = b"Host: %s\r\n" % s.host.encode()
        with s.connect() as c:
            c.settimeout(0.2)
            began = time.monotonic()
            c.sendall(b"GET / HTTP/1.1\r\n" + host)
            # A byte every now and then keeps nobody.
            closed = False
            while not closed and time.monotonic() - began < LONG:
                try:
                    c.sendall(b"X")
                    closed = not c.recv(1)
                except TimeoutError:
                    pass
                except OSError:
                    closed = True
            ok(closed, "who sends byte by byte is cut off", time.monotonic() - began)
        with s.connect() as c:
            ok(until(lambda: not c.recv(1)), "and who says nothing")
        with s.connect() as c:
            c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            c.sendall(b"GET /api/v1/export?format=ndjson HTTP/1.1\r\n" + host + b"\r\n")
            ok(s.ask("/api/v1/me").status == 200, "who does not read keeps nobody else waiting")


def shifted(pcap, seconds):
    """A capture as if it had been taken at another time."""
    out, at = bytearray(pcap), 24
    while at < len(out):
        ts, _, size, _ = struct.unpack_from("<IIII", out, at)
        struct.pack_into("<I", out, at, ts + seconds)
        at += 16 + size
    return bytes(out)


def exports(folder):
    """More than fits on the way: in pieces, at the client's pace, to the end or not at all."""
    # More than a socket's buffer takes: the same week four times.
    week = subprocess.run(["zstd", "-dcq", SOURCE / "samples/week.pcap.zst"], capture_output=True, check=True).stdout
    captures = [folder.with_name("week%d.pcap" % i) for i in range(4)]
    for i, path in enumerate(captures):
        path.write_bytes(shifted(week, (i - 4) * 7 * 86400))
    store(folder, *captures)
    with Server(folder, "-s", "web_client_timeout=2s") as s:
        count = s.ask("/api/v1/count").json()["count"]
        whole = s.ask("/api/v1/export?format=ndjson")
        ok(whole.chunked and whole.whole and len(whole.body.splitlines()) == count > 1000, "a large export comes in pieces", whole.status, len(whole.body))
        ok(len(whole.body) > 1 << 20, "and is larger than what waits for a client", len(whole.body))
        packed = s.ask("/api/v1/export?format=ndjson", Accept_Encoding="gzip")
        ok(packed.whole and gzip.decompress(packed.body) == whole.body, "compressed it is the same")
        ok(json.loads(s.ask("/api/v1/export").body)["records"][-1] == json.loads(whole.body.splitlines()[-1]), "and as one JSON text")
        request = b"GET /api/v1/export?format=ndjson HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % s.host.encode()
        with small(s) as c:
            c.sendall(request)
            got, last = b"", time.monotonic()
            while True:
                # Slower than the server, but no piece takes two seconds.
                time.sleep(0.002)
                piece = c.recv(16384)
                if not piece:
                    break
                got += piece
            ok(Answer(got).whole and Answer(got).body == whole.body, "a slow client gets all of it", len(got), time.monotonic() - last)
        held = [small(s) for _ in range(3)]
        for c in held:
            c.sendall(request)
        ok(s.ask("/api/v1/mails?limit=1").status == 200, "clients who do not read keep no question waiting")
        # Two are worked on; for both the server's patience ends, then the third one's turn is over too.
        ok(until(lambda: s.ask("/api/v1/export?format=ndjson").whole, 2 * LONG), "nor exports for long", s.stderr())
        # Which two these are the threads decide; the third begins when one of them is given up, or is told to come later.
        cut = [a for a in (Answer(drain(c)) for c in held) if not a.whole or a.status == 503]
        ok(len(cut) >= 2, "what they get is not taken for the whole", len(cut))
        for c in held:
            c.close()
        for _ in range(5):
            with small(s) as c:
                c.sendall(request)
                c.recv(1000)
        ok(until(lambda: s.ask("/api/v1/export?format=ndjson").whole), "clients who go amid it leave nothing behind", s.stderr())
        with small(s) as c:
            c.sendall(request)
            got = c.recv(1000)
            began = time.monotonic()
            ok(s.end() == 0 and time.monotonic() - began < 10, "the server ends amid an export", time.monotonic() - began)
            got = Answer(got + drain(c))
            ok(got.status == 200 and not got.whole, "which looks cut off", len(got.raw))


def small(s):
    """A connection that takes little at a time."""
    c = socket.socket()
    c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    c.settimeout(LONG)
    c.connect((s.address, s.port))
    return c


def ends(folder):
    for sig in (signal.SIGTERM, signal.SIGINT):
        s = Server(folder)
        idle = s.connect()
        s.ask("/api/v1/me")
        ok(s.end(sig) == 0, "%s ends it" % sig.name, s.stderr())
        idle.close()
    s = Server(folder)
    stop = threading.Event()
    seen = set()

    def keep():
        while not stop.is_set():
            try:
                seen.add(s.ask("/api/v1/mails?limit=1").status)
            except OSError:
                pass
    threads = [threading.Thread(target=keep) for _ in range(8)]
    for t in threads:
        t.start()
    until(lambda: 200 in seen)
    began = time.monotonic()
    code = s.end()
    stop.set()
    for t in threads:
        t.join(LONG)
    ok(code == 0 and time.monotonic() - began < 10, "amid requests too", code, s.stderr())
    ok(seen <= {200, 503, 0}, "which are answered or not", seen)


def begins(folder):
    free = Server(folder)
    ok(free.line == "mailtap web: http://%s/ shows %s\n" % (free.host, folder), "it says where it is", free.line)
    r = mailtap("web", folder, "--listen", free.host)
    ok(r.returncode == 2 and b"another program has that port" in r.stderr, "a port that is taken is refused", r.stderr)
    free.end()
    six = Server(folder, listen="[::1]:0")
    ok(six.ask("/api/v1/me").status == 200 and "[::1]" in six.line, "IPv6 too", six.line)
    six.end()
    for args, part in ((["--listen", "0.0.0.0:0"], b"wants TLS"), (["--listen", "[::]:0"], b"wants TLS"), (["--listen", "192.0.2.1:8025"], b"wants TLS"),
                       (["--listen", "localhost:80"], b"wants ADDRESS:PORT"), (["--listen", "127.0.0.1"], b"wants ADDRESS:PORT"),
                       (["--listen", "127.0.0.1:99999"], b"wants ADDRESS:PORT"), (["--listen", "::1:80"], b"wants ADDRESS:PORT"),
                       (["-s", "web_key=/x"], b"wants web_certificate"), (["-s", "web_certificate=/x"], b"wants web_key"),
                       (["-s", "web_users=/nowhere/users"], b"/nowhere/users"), (["-s", "web_audit=/nowhere/audit"], b"/nowhere/audit: No such file"),
                       (["--lisen", "x"], b"the nearest is '--listen'"), (["another"], b"one store"), (["--listen"], b"wants a value"),
                       (["-s", "web_threads=0"], b"web_threads")):
        r = subprocess.run([MAILTAP, "web", str(folder), *args], capture_output=True, env=ENV, timeout=LONG)
        ok(r.returncode == 2 and part in r.stderr, "%s: refused, and said why" % " ".join(args), r.stderr)
    r = mailtap("web", "sqlite:/nowhere/as/written")
    ok(b"mailtap: /nowhere/as/written: No such file" in r.stderr, "a folder may be given as -o takes it", r.stderr)
    r = mailtap("web", "/nowhere/at/all")
    ok(r.returncode == 2 and b"/nowhere/at/all: No such file" in r.stderr, "a folder that is not there is named", r.stderr)
    ok(mailtap("web").returncode == 2 and b"wants a store" in mailtap("web").stderr, "and one must be given")


def proxied(folder):
    """Behind a proxy the name is the proxy's."""
    with Server(folder, "-s", "web_hosts=mail.example.org, other.example:8443") as s:
        for host, good in (("mail.example.org", True), ("mail.example.org:443", True), ("MAIL.example.org", True), ("other.example:8443", True),
                           ("other.example", False), ("other.example:1", False), ("x.mail.example.org", False), ("mail.example.orgx", False)):
            ok((s.ask("/api/v1/me", host=host).status == 200) == good, "%s: %s" % (host, "let in" if good else "refused"))
        a = s.ask("/api/v1/mutes", "POST", {"note": "A::B", "remark": "r"}, host="mail.example.org", X_CSRF_Token=s.csrf(), Origin="https://mail.example.org")
        ok(a.status == 200, "its origin is ours", a)


def main():
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = store(Path(name) / "store", BORDER)
        with Server(folder) as s:
            for test in (parameters, other_sites, hostile, cut_at_every_byte, keeps_alive, many) if LEAKS else (the_page, every_answer, names, other_sites, parameters, formats, description, hostile, cut_at_every_byte, keeps_alive, many):
                test(s)
            ok(s.end() == 0, "it ends well", s.stderr())
        slow_clients(folder)
        exports(Path(name) / "week")
        if not LEAKS:
            ends(folder)
            begins(folder)
            proxied(folder)
    done()


main()
