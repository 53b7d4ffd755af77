#!/usr/bin/python3
"""Questions to tables of ClickHouse, by a real server: the lines that `read -f json` prints, and what each query means, as test/query.py has it for day
files. The second argument is test/query-run."""
import re
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import clickhouses
import queries
from tap import SHARED, SOURCE, done, mailtap, ok, skip

SETTINGS = ("-s", "headers=all", "-s", "hash=all", "-s", "mail_path_capture=all", "-s", "local_nets=10.0.0.0/8,192.168.0.0/16")
# Some whose records are of few days, each of which is a part of the tables' own, and which have all of what queries look at.
CAPTURES = ("ssl_state__ssl_state.*", "ntop+nDPI/smtp.pcap", "http__connect-with-smtp.pcap", "smtp__smtp-bdat-*", "smtp-errors__smtperr.pcap", "priority__smtp-lorem.pcap",
            "bug-6207-1__input.*", "smtp-subject-8859-b.pcap", "arkime_synthetic.pcap", "mail_sender_server_2.pcapng", "smtp_capture.pcapng", "*smtp-multi-mail.pcap", "evidence02*")


def captures():
    folder = SHARED / "captures"
    return sorted({p for name in CAPTURES for p in (folder.rglob(name.split("/")[-1]) if folder.exists() else ()) if p.is_file() and p.match("*/" + name)})


def load(folder, url):
    """-> the lines that are printed of them."""
    printed = []
    for some, sensor in (([SOURCE / "samples/border.pcap"], "Berlin-1"), (captures(), "")):
        args = ["read", *some, *SETTINGS, "-s", "sensor=" + sensor]
        if some:
            printed += mailtap(*args, "-f", "json", timeout=240).stdout.decode().split("\n")[:-1]
            r = mailtap(*args, "-s", "outbox_directory=%s" % (folder / "outbox"), "-s", "carry_wait=180s", "-s", "carry_timeout=120s", "-o", url, timeout=240)
            ok(r.returncode in (0, 1) and b"wait in" not in r.stderr, "captures go into tables", r.returncode, r.stderr.decode(errors="replace"))
    return printed


def whole(url, printed):
    r = mailtap("query", url, "", "-f", "json", "--oldest", "--stream", "all")
    got, wanted = r.stdout.decode().split("\n")[:-1], set(printed)
    ok(r.returncode == 0 and set(got) == wanted and len(got) == len(set(got)), "the tables give the %d lines that read prints" % len(wanted), r.stderr.decode(), len(got),
       *sorted(set(got) - wanted)[:3], "missing", *sorted(wanted - set(got))[:3])


class Between:
    """Stands between a client and the server, and does to each answer what `how` says: a function of the request and of the answer, which returns the
    bytes to give; None: none at all, for as long as the client waits."""

    def __init__(self, server):
        self.server, self.how, self.asked = server, lambda request, answer: answer, []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.http = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listening.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def take(self, sock):
        """A request as it came, with its body; b"": no more come."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = sock.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1))
        while len(body) < length:
            body += sock.recv(65536)
        return head.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n", 1) + b"\r\n\r\n" + body

    def serve(self, client):
        with client:
            request = self.take(client)
            if not request:
                return
            self.asked.append(request)
            with socket.create_connection(("127.0.0.1", self.server.http)) as s:
                s.sendall(request)
                answer = b""
                while piece := s.recv(1 << 20):
                    answer += piece
            answer = self.how(request, answer)
            if answer is None:
                client.recv(1)
                return
            try:
                client.sendall(answer)
            except OSError:
                pass


def body_of(answer, change):
    """The answer with its body changed, whole and in one piece."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"chunked" in head.lower():
        whole = b""
        while body:
            size, _, body = body.partition(b"\r\n")
            whole, body = whole + body[:int(size, 16)], body[int(size, 16) + 2:]
        head = re.sub(rb"(?i)\r\ntransfer-encoding: *chunked", b"", head)
    else:
        whole = body
    whole = change(whole)
    return re.sub(rb"(?i)\r\ncontent-length: *\d+", b"", head) + b"\r\nContent-Length: %d\r\n\r\n" % len(whole) + whole


def is_for_rows(request):
    return b"SELECT id, record_hash, empties" in request


def faults(folder, server, printed):
    """Whatever the server does, no row is given twice or made up, and what is missing is said."""
    between = Between(server)
    url = "clickhouse://127.0.0.1:%d/mail" % between.http
    mails = {l for l in printed if l.startswith('{"_path":"smtp",')}
    ask = lambda *args: mailtap("query", url, "", "-f", "json", *args, "-s", "carry_timeout=2s")
    r = ask()
    ok(r.returncode == 0 and set(r.stdout.decode().splitlines()) == mails, "through what stands between", r.stderr.decode())
    half = lambda b: b[:len(b) // 2]
    cases = (("an answer that is cut", lambda q, a: half(a) if is_for_rows(q) else a), ("one that is cut to its half, and says so itself", lambda q, a: body_of(a, half) if is_for_rows(q) else a),
             ("nonsense", lambda q, a: body_of(a, lambda b: b"\xff" * 4000) if is_for_rows(q) else a), ("texts of any length", lambda q, a: body_of(a, lambda b: b[:16] + b"\xff\xff\xff\xff\x7f" + b[17:]) if is_for_rows(q) else a),
             ("an error in place of rows", lambda q, a: body_of(a, lambda b: b"Code: 241, e.displayText() = DB::Exception: Memory limit exceeded") if is_for_rows(q) else a),
             ("nothing at all", lambda q, a: b"" if is_for_rows(q) else a), ("no answer", lambda q, a: None if is_for_rows(q) else a),
             ("nonsense of ids", lambda q, a: body_of(a, lambda b: b + b"x") if b"LIMIT" in q and not is_for_rows(q) else a))
    for what, how in cases:
        between.how = how
        began = time.monotonic()
        r = ask()
        got = r.stdout.decode(errors="replace").splitlines()
        ok(r.returncode == 1 and r.stderr and not set(got) - mails and len(got) < len(mails) and time.monotonic() - began < 60, "%s: it is said" % what, r.returncode, len(got), r.stderr.decode())
    # Other rows than were asked for, of another order: none is given twice, or that was not found.
    between.how = lambda q, a: body_of(a, lambda b: b + b) if is_for_rows(q) else a
    r = ask()
    got = r.stdout.decode().splitlines()
    ok(sorted(got) == sorted(mails), "rows that come twice are given once", len(got), len(mails), r.stderr.decode())
    between.how = lambda q, a: a
    # A server that is slow: smaller parts of the question are asked until they are not too slow.
    slow = []

    def first_slow(request, answer):
        if b"count()" in request and b"FINAL" in request and len(slow) < 2:
            slow.append(request)
            return None
        return answer
    between.how = first_slow
    r = mailtap("query", url, "", "--count", "-s", "carry_timeout=5s")
    ok(r.returncode == 0 and int(r.stdout) == len(mails) and len(slow) == 2, "what takes too long is asked in smaller parts", r.stdout, r.stderr.decode())


def windows(program, server, rows, terms):
    """A day or more is asked for in many parts, each of a few rows; and what a deadline ends goes on where it was ended."""
    between = Between(server)
    store = queries.Store(program, "clickhouse://127.0.0.1:%d/mail" % between.http, lambda i: i >> 10, 5)
    queries.order(store, "smtp")
    queries.mixes(store, "smtp", rows, terms, 6)
    queries.pages(store, rows, terms, 1)
    whole = len(between.asked)
    for oldest in (False, True):
        def slow(request, answer):
            time.sleep(0.03)
            return answer
        between.how = slow
        wanted = [(i, l) for i, l, _ in (rows[::-1] if oldest else rows)]
        got, times = store.within(0.25, "", oldest=oldest)
        ok(got == wanted and times, "what a deadline ended %d times is whole, %s first" % (times, "oldest" if oldest else "newest"), len(got), len(wanted))
    ok(whole > 100, "in many parts", whole)
    store.close()


def says(words, url, *args, code=1):
    r = mailtap("query", url, "", "--count", *args)
    ok(r.returncode == code and words in r.stderr.decode() and clickhouses.PASSWORD not in r.stderr.decode(), "%s %s: %s" % (re.sub(r":\d+/", ":PORT/", url), " ".join(str(a)[:20] for a in args if a != "-s"), words), r.returncode,
       r.stderr.decode())


def errors(folder, server):
    url = "clickhouse://127.0.0.1:%d/" % server.http
    word, right = folder / "word", folder / "right"
    word.write_text("not-Zeppelin\n")
    right.write_text(clickhouses.PASSWORD + "\n")
    server.ask("CREATE DATABASE bare")
    server.ask("CREATE DATABASE older")
    server.ask("CREATE TABLE smtp (day Date, uid String, record_hash UInt64) ENGINE = ReplacingMergeTree() PARTITION BY toYYYYMMDD(day) ORDER BY (day, record_hash)", "older")
    says("not the tables of mailtap", url + "bare")
    says("not the tables of mailtap", url + "nowhere")
    says("an older mailtap", url + "older")
    says("does not take this user and password", url + "mail", "-s", "carry_user=mail", "-s", "carry_password_file=%s" % word)
    says("carry_password_file", url + "mail", "-s", "carry_password_file=%s" % right, code=2)
    says("clickhouses://", "clickhouse://192.0.2.1/mail", "-s", "carry_user=mail", "-s", "carry_password_file=%s" % right, code=2)
    says("onnect", "clickhouse://127.0.0.1:%d/mail" % clickhouses.free_ports(1)[0])
    says("carry_user", "clickhouse://a:%s@127.0.0.1/mail" % clickhouses.PASSWORD, code=2)
    says("the nearest is clickhouse", "clickhose://127.0.0.1/mail", code=2)
    says("carry_usr", url + "mail", "-s", "carry_usr=x", code=2)
    settings = folder / "settings.yaml"
    settings.write_text("carry_user: mail\ncarry_password_file: %s\n" % right)
    r = mailtap("query", url + "mail", "-subject:zzzz", "-c", settings, "--count")
    ok(r.returncode == 0 and int(r.stdout) > 0, "-c behind a query that begins with a sign", r.returncode, r.stderr.decode())
    r = mailtap("query", url + "mail", "subject:*a*'b OR id:1", "--explain")
    ok(r.returncode == 0 and b"PREWHERE" in r.stdout and b"\\'b" in r.stdout, "--explain", r.stdout, r.stderr)


def repeats(folder, server, printed):
    """What is loaded again is there once; so it is in counts."""
    url = "clickhouse://127.0.0.1:%d/mail" % server.http
    before = server.number("SELECT count() FROM smtp", "mail")
    for table in ("smtp", "smtp_session", "notice", "software"):
        server.ask("INSERT INTO %s SELECT * FROM %s" % (table, table), "mail")
    after = server.number("SELECT count() FROM smtp", "mail")
    whole(url, printed)
    count = mailtap("query", url, "", "--count").stdout
    ok(after > before and int(count) == sum(l.startswith('{"_path":"smtp",') for l in set(printed)), "rows that are there twice count once", before, after, count)


def same_ids(program, server):
    """Records of one id: pages have all of them, whatever their size."""
    names = server.ask("SELECT name FROM system.columns WHERE database = 'mail' AND table = 'smtp' AND default_kind = ''", "mail").split()
    other = {"record_hash": "record_hash + number + 1", "uid": "concat(uid, toString(number))"}
    store = queries.Store(program, "clickhouse://127.0.0.1:%d/mail" % server.http)
    middle = store.rows("")[10][0]
    server.ask("INSERT INTO smtp (%s) SELECT %s FROM (SELECT * FROM smtp WHERE id = %d LIMIT 1) CROSS JOIN (SELECT number FROM numbers(3))"
               % (", ".join(names), ", ".join(other.get(n, n) for n in names), middle), "mail")
    faults = []
    for oldest in (False, True):
        wanted = store.lines("", oldest=oldest)
        for size in (1, 2, 3, 7):
            got, place = [], ""
            while page := store.rows(place, oldest=oldest, limit=size):
                got += page
                place = "id:%s%d" % (">" if oldest else "<", page[-1][0])
            if [l for _, l in got] != wanted:
                faults.append("%s, %d: %d of %d" % ("oldest" if oldest else "newest", size, len(got), len(wanted)))
    ok(not faults and len(store.rows("id:%d" % middle)) == 4, "records of one id are on one page", *faults)
    store.close()


def main():
    print("# SEED=%d" % queries.SEED, flush=True)
    if not clickhouses.SERVER:
        skip("a real server", "no clickhouse-server is installed (tools/install-deps test)")
        done()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        http, tcp = clickhouses.free_ports(2)
        server = clickhouses.Server(folder / "server", http, tcp)
        url = "clickhouse://127.0.0.1:%d/mail" % http
        try:
            if ok(server.start(), "a server starts"):
                printed = load(folder, url)
                whole(url, printed)
                store = queries.Store(sys.argv[2], url, lambda i: i >> 10)
                rows, terms = queries.hold(store, 0.4)
                store.close()
                windows(sys.argv[2], server, rows, terms)
                repeats(folder, server, printed)
                faults(folder, server, printed)
                errors(folder, server)
                same_ids(sys.argv[2], server)
        finally:
            server.kill()
    done()


main()
