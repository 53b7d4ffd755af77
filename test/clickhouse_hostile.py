#!/usr/bin/python3
"""A server that answers like ClickHouse and means harm: what it sends is bounded, cannot speak to a terminal, and what it says of errors stays off the page."""
import json
import os
import random
import resource
import struct
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tap import MAILTAP, done, ok
from apiserver import Server

DAY = 20422
ID = (DAY * 86400 + 43200) * 10 ** 6 << 10
COLUMNS = ("day", "id", "record_hash", "empties", "uid", "ts", "ts_us", "subject", "flags", "rcptto", "reply", "id_orig_h", "message_bytes", "duration", "tls", "headers", "files")
SECRET = "SELECT secret FROM smtp WHERE subject = 'Lohnliste'"


def number(n):
    return struct.pack("<Q", n & (1 << 64) - 1)


def text(b):
    n, head = len(b), b""
    while n > 127:
        head += bytes([n & 127 | 128])
        n >>= 7
    return head + bytes([n]) + b


def tables():
    return text(b"smtp") + text(b"") + text(b"MergeTree") + b"".join(text(b"smtp") + text(c.encode()) + text(b"String") for c in COLUMNS)


class Hostile:
    """`answer(sql)` -> status, pieces; NULL tables and days are answered well."""

    def __init__(self, answer):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                sql = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace")
                good = tables() if "system.tables" in sql else struct.pack("<H", DAY) + number(1) if "min_date" in sql else None
                status, pieces = (200, [good]) if good and not answer.all else answer(sql)
                self.send_response(status)
                self.end_headers()
                try:
                    for piece in pieces:
                        self.wfile.write(piece)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = "clickhouse://127.0.0.1:%d/mail" % self.http.server_port
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def kind(of_all=False):
    def mark(f):
        f.all = of_all
        return f
    return mark


@kind(True)
def says(sql):
    return 500, [b"Code: 62, e.displayText() = DB::Exception: \x1b]0;mine\x07\x1b[31m\rSyntax error: " + SECRET.encode()]


@kind()
def endless(sql):
    """Ids that nobody asked for, of one time."""
    return 200, (b"".join(number(ID) + number(i * 4096 + k) for k in range(4096)) for i in range(40000))


def value(column):
    if column.startswith("toUInt64"):
        return number(random.choice([0, 1, 1 << 63, -1, (1 << 63) - 1, -10 ** 6, -1500000, 10 ** 18]))
    if column.startswith("toFloat64"):
        return struct.pack("<d", random.choice([0.0, 1e308, -1e308, float("nan"), float("inf"), -0.0, 5e-324]))
    if column.startswith("toString"):
        return text(random.choice([b"", b"\0", b"\xff\xfe", b"{\"a\":\x1b}", b"[" * 100000, b"[" * 200 + b"]" * 200, b"x" * 100000, b"{}", b"[]", b"5", b"null", b"\"a\nb\"", b"{\"a\n\":1}", b"{\"code\":1e999}"]))
    return bytes([3]) + b"".join(text(random.choice([b"", b"\xff", b"\n", b"-uid", b"uid", b"-ts", b"x" * 5000])) for _ in range(3))


@kind()
def odd_values(sql):
    if "LIMIT 1 BY" not in sql:
        return 200, [b"".join(number(ID - i) + number(i) for i in range(200))]
    columns = sql.split(" FROM ")[0].split("SELECT ")[-1].split(", ")[2:]
    return 200, [b"".join(number(ID - i) + number(i) + b"".join(value(c) for c in columns) for i in range(200))]


def cut(answer):
    @kind()
    def half(sql):
        status, pieces = answer(sql)
        whole = b"".join(pieces)
        return status, [whole[:-random.randrange(1, 9)]]
    return half


def query(answer, *args, timeout=60):
    server = Hostile(answer)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    try:
        r = subprocess.run([MAILTAP, "query", server.url, "", "-s", "carry_timeout=5s", *args], capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        r = subprocess.CompletedProcess((), -1, b"", b"it goes on for ever")
    server.close()
    return r, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before


def page():
    server = Hostile(says)
    web = Server(server.url)
    try:
        for path in ("/mails", "/count", "/facets?fields=sender", "/top?by=sender", "/timeline", "/health", "/notices", "/export"):
            a = web.ask(path)
            ok(a.status == 503 and b"Lohnliste" not in a.body and b"code 62" in a.body, "%s does not repeat what the server says" % path, a.status, a.body[:300])
    finally:
        web.close()
        server.close()
    said = "".join(web.said)
    ok("Lohnliste" in said and "\x1b" not in said, "who runs it reads that", said[-500:])


def main():
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    random.seed(seed)
    print("# SEED=%d" % seed, flush=True)
    r, _ = query(says)
    ok(r.returncode == 1 and b"Syntax error" in r.stderr and not set(r.stderr) & set(b"\x1b\r\x07"), "an error is told, without signs to a terminal", r.stderr)
    r, more = query(endless, "--limit", "10")
    ok(r.returncode == 1 and b"have one id" in r.stderr and more < 300 << 10, "ids without end have one", r.returncode, r.stderr[-300:], more)
    for form in ("json", "csv", "text"):
        r, _ = query(odd_values, "-f", form)
        whole = form != "json" or all(json.loads(line) for line in r.stdout.splitlines())
        ok(r.returncode == 0 and whole and len(r.stdout) > 100000 and b"rror" not in r.stderr, "odd values as %s" % form, r.returncode, r.stderr[-1500:])
    r, _ = query(cut(odd_values))
    ok(r.returncode == 1 and b"amid a row" in r.stderr, "an answer that is cut", r.returncode, r.stderr[-1500:])
    page()
    done()


main()
