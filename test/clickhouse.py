"""Records in tables of ClickHouse, by a real server: rows against a second computation, repeats, older tables, a server that is away, two shards of which one is
killed. The second argument makes captures."""
import http.server
import json
import os
import re
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from decimal import Decimal
from pathlib import Path

import clickhouses
from tap import MAILTAP, SHARED, SOURCE, done, mailtap, ok, skip
from waiting import until

STREAMS = ("smtp", "smtp_session", "notice", "software", "entry")
SCRIPT = """
function on_mail(mail)
  log("seen", { subject = mail.subject, quote = 'a "b" \\\\ c', many = { "x", "y" } })
end
"""


def load(text):
    return json.loads(text, parse_float=Decimal)


def domain(address):
    return "".join(c.lower() if c.isascii() else c for c in address.rpartition("@")[2]) if "@" in address else ""


def inner(record, *keys):
    """All that lies there, through lists."""
    found = [record]
    for key in keys:
        found = [v[key] for v in found if key in v]
        found = [w for v in found for w in (v if isinstance(v, list) else [v])]
    return found


def places():
    """{stream: {column: (keys, is it a list)}} of what lies inside of objects, by view/places.def and taken.def."""
    found = {}
    for stream, path in re.findall(r'^(?:PLACE|INSIDE)\((\w+), \w+, (?:\w+, )?"([^"]+)"', (SOURCE / "src/view/places.def").read_text() + (SOURCE / "src/clickhouse/taken.def").read_text(), re.M):
        column = path.replace("[]", "").replace(".", "_") if path != "addresses.from[].domain" else "from_domains"
        if "." in path:
            found.setdefault({"SMTP": "smtp", "SESSION": "smtp_session"}.get(stream, stream.lower()), {})[column] = (path.replace("[]", "").split("."), "[]" in path)
    return found


PLACES = places()


def small(text, most=255):
    """As a key has it: ASCII in small letters, cut at a whole character."""
    return "".join(c.lower() if c.isascii() else c for c in text.encode()[:most].decode(errors="ignore"))


def domain_key(address):
    domain = address.rpartition("@")[2] if "@" in address else ""
    return small(domain) if domain else small(address, 254) + ("@" if address not in ("", "<>") and not address.endswith("@") else "")


def edge(from_, to):
    return small(small(from_[0] or from_[1] or "", 127) or from_[2]) + "\t" + small(small(to[0], 127) or to[1])


def keys(record):
    """What mails are summed up by."""
    reply, hops, decided = record.get("reply", {}), record.get("hops", []), record["disposition"] in ("rejected", "deferred")
    edges = [(edge((h.get("from_rdns"), h.get("from_helo"), h.get("from_ip", "")), (h.get("by", ""), h.get("by_ip", ""))), h.get("delay")) for h in hops[:32]]
    edges = [(e, d) for e, d in edges if e[0] != "\t" and e[-1] != "\t"]
    edges.append((edge((hops[0].get("by") if hops else "", record.get("helo"), record["id.orig_h"]), ("", record["id.resp_h"])), None))
    return {"sender_key": domain_key(record.get("mailfrom", "")), "recipient_keys": [domain_key(a) for a in record.get("rcptto", [])],
            "reason_key": small("%s %s" % (reply.get("enhanced") or reply.get("code", 0), reply.get("stage", ""))) if decided else "",
            "agent_key": small(record.get("agent", {}).get("name", "")), "relays": [e for e, _ in edges],
            "relay_delays": [float(d) if d is not None and d >= 0 else None for _, d in edges],
            "sender_domain": domain(record.get("mailfrom", "")), "rcpt_domains": [domain(a) for a in record.get("rcptto", [])]}


def expected(line):
    """(table, row): what a line should be, by what JSON says alone."""
    record = load(line)
    ts = Decimal(record["ts"])
    row = {"ts": min(max(int(ts), 0), 4291747199), "ts_us": int(ts * 1000000), "empties": []}
    if record["_path"] not in STREAMS:
        return "entry", {**row, "path": record["_path"], "record": line, "sensor": record.get("sensor", "")}
    for key, value in record.items():
        if key == "flags":
            value = list(value)
        elif isinstance(value, (dict, list)) and not (isinstance(value, list) and isinstance(value[0], str)):
            value = json.loads(json.dumps(value, default=str))
        if key not in ("_path", "ts"):
            row[key.replace(".", "_")] = int(value) if isinstance(value, bool) else value
            row["empties"] += [key.replace(".", "_")] if value == "" else []
    for column, (path, is_list) in PLACES.get(record["_path"], {}).items():
        values = [int(v) if isinstance(v, bool) else v for v in inner(record, *path)]
        row["empties"] += [column] if values == [""] and not is_list else []
        row[column] = values if is_list else values[0] if values else None
    return record["_path"], {**row, **(keys(record) if record["_path"] == "smtp" else {})}


def nothing(value):
    return value in ("", 0, "0", [], None)


def differs(raw, wanted):
    """The columns of a row of the server that are not as they should be."""
    wrong = []
    for key, value in raw.items():
        want = wanted.get(key)
        if key in ("id", "record_hash", "day", "t", "d"):
            continue
        if key == "ts":
            value = raw["t"]
        if isinstance(want, (dict, list)) and isinstance(value, str) and value:
            value = json.loads(json.dumps(load(value), default=str))
        elif isinstance(want, Decimal):
            value, want = float(value), float(want)
        elif isinstance(want, int) and isinstance(value, str):
            value = int(value)
        elif isinstance(want, list) and want and isinstance(want[0], int):
            value = [int(v) for v in value]
        if key == "empties":
            value, want = sorted(value), sorted(want)
        if value != want and not (nothing(value) and nothing(want)):
            wrong.append((key, value, want))
    if int(raw["id"]) & 1023 != int(raw["record_hash"]) & 1023 or (int(raw["id"]) >> 10) // 86400000000 != raw["d"] or abs((int(raw["id"]) >> 10) - int(raw["ts_us"])) > 100 * 86400000000:
        wrong.append(("id", raw["id"], raw["record_hash"], raw["d"], raw["ts_us"]))
    return wrong


def key_of(row):
    return json.dumps(["" if nothing(row.get(k)) else str(row[k]) for k in ("ts_us", "uid", "trans_depth", "note", "path", "host", "name")])


def rows_of(server, table, database):
    more = ", sender_domain, rcpt_domains" if table == "smtp" else ""
    return server.ask("SELECT *, toUInt32(ts) AS t, toUInt16(day) AS d%s FROM %s FINAL FORMAT JSONEachRow" % (more, table), database).splitlines()


def differences(server, lines, database):
    """Of all tables, both ways: [] where the rows are what the lines say. Lines that say the same may be one row, or be complete at several times."""
    wanted = {t: {} for t in STREAMS}
    for line in lines:
        table, row = expected(line)
        wanted[table].setdefault(key_of(row), []).append(row)
    wrong = []
    for table in STREAMS:
        met = set()
        for text in rows_of(server, table, database):
            raw = load(text)
            like = wanted[table].get(key_of(raw), [])
            faults = [differs(raw, w) for w in like]
            if [] not in faults:
                wrong.append("%s: a row that no line has: %s %s" % (table, faults, text[:600]))
            met |= {id(w) for w, f in zip(like, faults) if not f}
        wrong += ["%s: missing %s" % (table, str(w)[:600]) for v in wanted[table].values() for w in v if id(w) not in met]
    return wrong


def read(folder, server, database, files, *more, where="clickhouse://127.0.0.1"):
    """-> (exit code, what it said)."""
    # Each insert makes some hundred files for each day that is in it.
    args = ["-s", "outbox_directory=%s" % (folder / "outbox"), "-s", "batch_bytes=16MiB", "-s", "batch_wait=1m", "-s", "carry_timeout=120s", "-o", "%s:%d/%s" % (where, server.http, database)]
    if not any(str(m).startswith("carry_wait=") for m in more):
        args += ["-s", "carry_wait=180s"]
    r = mailtap("read", *args, *more, *files, timeout=240)
    return r.returncode, r.stderr.decode(errors="replace")


def put(folder, server, database, lines):
    """A batch of lines into the outbox, as if it had waited."""
    box = folder / "outbox" / ("clickhouse-127.0.0.1-%d-%s" % (server.http, database))
    box.mkdir(parents=True, exist_ok=True)
    (box / ("%016x-00000000-%d.ndjson" % (time.time_ns() // 1000, len(lines)))).write_bytes(b"".join(l + b"\n" for l in lines))
    return box


def counts(server, database, final="FINAL"):
    return [server.number("SELECT count() FROM %s %s" % (t, final), database) for t in STREAMS]


def try_captures(folder, server, files, script):
    lines = mailtap("read", "-f", "json", "--script", script, *files, timeout=240).stdout.decode().splitlines()
    code, said = read(folder, server, "mail", files, "--script", script)
    ok(code in (0, 1) and "wait in" not in said, "all captures go into a database that was not there", code, said)
    wrong = differences(server, lines, "mail")
    ok(len(lines) > 2 and not wrong, "each distinct record of %d is a row, and says the same" % len(lines), *wrong[:4])
    r = mailtap("query", "clickhouse://127.0.0.1:%d/mail" % server.http, "", "-f", "json", "--oldest", "--stream", "all")
    got = r.stdout.decode().splitlines()
    ok(r.returncode == 0 and len(got) == len(set(got)) and set(got) == set(lines), "mailtap query gives back these very lines, each once", r.stderr.decode(),
       *sorted(set(got) - set(lines))[:2], "missing", *sorted(set(lines) - set(got))[:2])
    once = counts(server, "mail")
    read(folder, server, "mail", files, "--script", script)
    ok(counts(server, "mail") == once, "all of them again: under FINAL none is there twice", once, counts(server, "mail"), counts(server, "mail", ""))
    return lines


def try_older(folder, server, capture):
    server.ask("CREATE DATABASE older")
    server.ask("CREATE TABLE smtp (day Date, ts DateTime('UTC'), ts_us UInt32, sensor String, uid String, trans_depth UInt64, gone String, record_hash UInt64) "
               "ENGINE = ReplacingMergeTree() PARTITION BY toYYYYMMDD(day) ORDER BY (day, sensor, ts, ts_us, uid, trans_depth, record_hash)", "older")
    code, said = read(folder, server, "older", [capture])
    got = server.ask("SELECT subject, rcpt_domains FROM smtp WHERE subject != '' LIMIT 1", "older")
    ok(code == 0 and "example" in got, "columns that an older table lacks are added, and filled", code, said, got)


def try_words(folder, server, capture):
    word, right = folder / "word", folder / "right"
    word.write_text("not-Zeppelin\n")
    right.write_text(clickhouses.PASSWORD + "\n")
    code, said = read(folder, server, "words", [capture], "-s", "carry_user=mail", "-s", "carry_password_file=%s" % word, "-s", "carry_wait=4s")
    ok(code and "does not take this user and password" in said and "not-Zeppelin" not in said, "a wrong password is said, and not shown", code, said)
    code, said = read(folder, server, "words", [capture], "-s", "carry_user=mail", "-s", "carry_password_file=%s" % right)
    ok(code == 0 and server.number("SELECT count() FROM smtp FINAL", "words") == 1, "with the right one what waited goes, once", code, said)
    for url, words in (("clickhouse://mail:secret-7@127.0.0.1/x", "carry_user"), ("clickhouse://127.0.0.1/", "database"), ("clickhouse://127.0.0.1:99999/x", "port"),
                       ("clickhouse://127.0.0.1/a'b", "database"), ("clickhouse:///x", "host")):
        r = mailtap("read", "-s", "outbox_directory=%s" % (folder / "outbox"), "-o", url, capture)
        ok(r.returncode == 2 and words in r.stderr.decode() and "secret-7" not in r.stderr.decode(), "refused: %s" % url.replace("secret-7", "..."), r.returncode, r.stderr.decode())
    for host in ("192.0.2.1", "127.example.org"):
        r = mailtap("read", "-s", "outbox_directory=%s" % (folder / "outbox"), "-s", "carry_user=mail", "-s", "carry_password_file=%s" % right, "-o", "clickhouse://%s/x" % host, capture)
        ok(r.returncode == 2 and "clickhouses://" in r.stderr.decode(), "a password goes over no network without TLS: %s" % host, r.returncode, r.stderr.decode())


def try_poison(folder, server, lines, capture):
    good = [l.encode() for l in dict.fromkeys(lines) if '"_path":"smtp"' in l][:9]
    own = next(l for l in mailtap("read", "-f", "json", capture).stdout.splitlines() if b'"_path":"smtp"' in l)
    bad = [b'{"_path":"smtp","ts":1.5,"uid":"x","trans_depth":"many"}', b'{"_path":"smtp","ts":1', b"\xff\xfe", b'{"_path":"smtp","ts":1.0,"uid":"\\x"}']
    box = put(folder, server, "poison", good[:3] + bad[:2] + good[3:6] + bad[2:] + good[6:])
    code, said = read(folder, server, "poison", [capture])
    aside = (box / "refused.ndjson").read_bytes() if (box / "refused.ndjson").exists() else b""
    ok(all(b in aside for b in bad) and aside.count(b"\n") == len(bad), "lines that are no records are put aside", code, said, aside)
    ok(server.number("SELECT count() FROM smtp FINAL", "poison") == len({*good, own}), "and all others arrive", said)
    ok(not list(box.glob("*-*.ndjson")), "nothing waits then", list(box.iterdir()))
    server.ask("CREATE DATABASE odd")
    server.ask("CREATE TABLE smtp (day Date, id UInt64, uid String, helo UInt8, subject Nullable(String), mailfrom String ALIAS uid, record_hash UInt64) "
               "ENGINE = ReplacingMergeTree() PARTITION BY toYYYYMMDD(day) ORDER BY (day, id, record_hash)", "odd")
    many = [b'{"_path":"smtp","ts":%d.0,"uid":"u","subject":"%s"}' % (i, b"x" * 4000) for i in range(2000)]
    box = put(folder, server, "odd", [b'{"_path":"smtp","ts":1.0,"uid":"a"}', b'{"_path":"smtp","ts":2.0,"uid":"b","helo":"secret-helo"}', b'{"_path":"smtp","ts":3.0,"uid":"c","reply":{"code":250}}', *many])
    code, said = read(folder, server, "odd", [capture])
    uids = server.ask("SELECT uid, count(), sum(reply_code) FROM smtp FINAL WHERE uid IN ('a', 'b', 'c', 'u') GROUP BY uid ORDER BY uid", "odd").split()
    ok(uids == ["a", "1", "0", "b", "1", "0", "c", "1", "250", "u", "2000", "0"], "columns of other types get no values, and no row waits for them", said, uids)
    ok(all("column %s of table smtp" % c in said for c in ("helo", "subject", "mailfrom")) and "column uid" not in said and "secret-helo" not in said, "which is said, without values", said)


def try_away(folder, server, capture):
    server.kill()
    code, said = read(folder, server, "away", [capture], "-s", "carry_wait=300ms")
    ok(code and "wait in" in said, "a server that is away at the start: records wait", code, said)
    ok(server.start(), "it comes back")
    code, said = read(folder, server, "away", [capture])
    ok(code == 0 and server.number("SELECT count() FROM smtp FINAL", "away") == 1 and server.number("SELECT count() FROM smtp", "away") == 2,
       "and has them then, the same mail of both runs once", code, said)


def unpack(body):
    """Frames of LZ4 as ClickHouse has them: a checksum, which is zero, the method, both sizes."""
    out = bytearray()
    while body:
        method, size, wanted = struct.unpack("<BII", body[16:25])
        frame, body, begin, i = body[25:16 + size], body[16 + size:], len(out), 0
        assert method == 0x82
        while i < len(frame):
            token = frame[i]
            i += 1
            lengths = []
            for length in (token >> 4, token & 15):
                if lengths:
                    out += frame[i:i + lengths[0]]
                    i += lengths[0]
                    if i == len(frame):
                        break
                    back = frame[i] | frame[i + 1] << 8
                    i += 2
                more = 255 if length == 15 else 0
                while more == 255:
                    more = frame[i]
                    length += more
                    i += 1
                lengths.append(length)
            for _ in range(lengths[1] + 4 if len(lengths) > 1 else 0):
                out.append(out[-back])
        assert len(out) - begin == wanted
    return bytes(out)


class Stub(http.server.BaseHTTPRequestHandler):
    """Says that it knows one setting and has no tables, takes all, and keeps what it was sent."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = b"s\thttp_native_compression_disable_checksumming_on_decompress\t\t\n" if b"system.settings" in body else b""
        self.server.asked.append((self.path, dict(self.headers), unpack(body) if "decompress=1" in self.path else body))
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


def try_elsewhere(folder, server, capture):
    """0.0.0.0 leads here, but is not known to: bodies are packed. A stub has the TLS that Debian's server lacks."""
    code, said = read(folder, server, "packed", [capture], where="clickhouse://0.0.0.0")
    ok(code == 0 and server.ask("SELECT subject FROM smtp", "packed") == "found\n", "packed bodies", code, said)
    for name in ("right", "other"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=stub", "-addext", "subjectAltName=IP:0.0.0.0",
                        "-keyout", folder / (name + ".key"), "-out", folder / (name + ".pem")], check=True, capture_output=True)
    stub = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    stub.asked, stub.http = [], stub.server_address[1]
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "right.pem", folder / "right.key")
    stub.socket = tls.wrap_socket(stub.socket, server_side=True)
    stub.handle_error = lambda *args: None
    threading.Thread(target=stub.serve_forever, daemon=True).start()
    words = ("-s", "carry_user=mail", "-s", "carry_password_file=%s" % (folder / "right"))
    for how in ((), ("-s", "carry_ca_file=%s" % (folder / "other.pem"))):
        code, said = read(folder, stub, "tls", [capture], *words, *how, "-s", "carry_wait=4s", where="clickhouses://0.0.0.0")
        ok(code and "certificate" in said and not stub.asked, "TLS: a certificate that nobody vouches for gets no record, %s" % (how[1:] or "by the system's authorities",), code, said, stub.asked)
    code, said = read(folder, stub, "tls", [capture], *words, "-s", "carry_ca_file=%s" % (folder / "right.pem"), where="clickhouses://0.0.0.0")
    blocks = [body for path, _, body in stub.asked if "INTO%20smtp%20FORMAT%20Native" in path and "decompress=1" in path]
    ok(code == 0 and sum(b.count(b"\x05found") for b in blocks) == 3, "with carry_ca_file they go, packed", code, said, blocks)
    ok(all(h.get("X-ClickHouse-Key") == clickhouses.PASSWORD and h.get("X-ClickHouse-User") == "mail" and clickhouses.PASSWORD not in path for path, h, _ in stub.asked),
       "and the password in a header alone", stub.asked[:1])
    stub.shutdown()


def kill_in_the_midst(folder, shards, source, process, mails):
    """Kills the second shard once the first has some, and starts it again."""
    ok(until(lambda: (int(shards[0].try_ask("SELECT count() FROM two.smtp_local") or 0)) > mails // 20, 60), "two shards: the first has some")
    shards[1].kill()
    ok(process.poll() is None, "the second is killed in the midst")
    time.sleep(1)
    ok(shards[1].start(), "and comes back")


def try_shards(folder, make_captures, mails):
    ports = clickhouses.free_ports(4)
    shards = [clickhouses.Server(folder / ("shard%d" % i), ports[i], ports[2 + i], ports[2:]) for i in range(2)]
    capture = folder / "many.pcap"
    subprocess.run([make_captures, str(capture), "small", str(mails)], check=True)
    try:
        if not ok(all([s.start() for s in shards]), "two servers start"):
            return
        sql = mailtap("schema", "--clickhouse", "--cluster", "two", "--database", "two").stdout.decode()
        for s in shards:
            s.ask("CREATE DATABASE two")
            for statement in sql.split(";\n"):
                if "CREATE" in statement:
                    s.ask(statement, "two")
        with (folder / "words").open("wb") as words:
            p = subprocess.Popen([MAILTAP, "read", "-s", "outbox_directory=%s" % (folder / "outbox"), "-s", "carry_wait=120s", "-s", "batch_bytes=256KiB", "-o",
                                  "clickhouse://127.0.0.1:%d/two" % ports[0], str(capture)], stderr=words)
        kill_in_the_midst(folder, shards, capture, p, mails)
        code = p.wait(180)
        said = (folder / "words").read_text()
        ok(code == 0 and "takes records again" in said, "its end: all are carried, after a while without", code, said)
        per = [s.number("SELECT count() FROM smtp_local FINAL", "two") for s in shards]
        ok(sum(per) == mails and min(per) > mails // 3, "nothing lost, nothing double under FINAL: %d mails on both shards" % mails, per)
        ok([s.number("SELECT count() FROM smtp FINAL", "two") for s in shards] == [mails] * 2, "each tells all by the table over both")
        asked = [mailtap("query", "clickhouse://127.0.0.1:%d/two" % s.http, *how).stdout for s in shards for how in (("", "--count"), ("subject:* -has:notice", "--count"), ("", "-f", "json", "--limit", "5", "--fields", "uid"))]
        ok([int(n) for n in (asked[0], asked[3])] == [mails] * 2 and asked[:3] == asked[3:] and len(asked[2].splitlines()) == 5, "and mailtap query asks either for all", asked)
        ok(shards[0].number("SELECT uniqExact(uid, trans_depth) FROM smtp", "two") == mails, "and each is another mail")
    finally:
        for s in shards:
            s.kill()


def main():
    text = mailtap("schema", "--clickhouse").stdout.decode()
    ok(text == (SOURCE / "contrib/clickhouse.sql").read_text(), "contrib/clickhouse.sql is what mailtap schema --clickhouse prints: tools/mkdocs")
    ok("Distributed(two," in mailtap("schema", "--clickhouse", "--cluster", "two").stdout.decode(), "--cluster")
    ok("NOT TESTED" in mailtap("schema", "--clickhouse", "--modern").stdout.decode(), "--modern says that it is not tested")
    for args in (("--clickhouse", "--cluster", "a b"), ("--cluster", "x"), ("--clickhouse", "--database", "x"), ("--clickhouse", "--cluster", "x", "--database", "1"), ("--clickhose",), ("--clickhouse", "x")):
        ok(mailtap("schema", *args).returncode == 2, "schema %s is refused" % " ".join(args))
    if not clickhouses.SERVER:
        skip("a real server", "no clickhouse-server is installed (tools/install-deps test)")
        done()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dialog, capture, script = folder / "d.txt", folder / "d.pcap", folder / "s.lua"
        dialog.write_text("S: 220 mx.example.com ESMTP\nC: EHLO client.example.net\nS: 250 mx.example.com\nC: MAIL FROM:<a@example.net>\nS: 250 ok\n"
                          "C: RCPT TO:<b@EXAMPLE.com>\nS: 250 ok\nC: DATA\nS: 354 go\nC: Subject: found\nC:\nC: .\nS: 250 ok\nC: QUIT\nS: 221 bye\n")
        subprocess.run([sys.executable, SOURCE / "tools/mkpcap", capture, dialog], check=True)
        script.write_text(SCRIPT)
        files = sorted((SHARED / "captures").rglob("*.pcap*")) if (SHARED / "captures").exists() else [capture]
        http, tcp = clickhouses.free_ports(2)
        server = clickhouses.Server(folder / "one", http, tcp)
        try:
            if ok(server.start(), "a server starts"):
                lines = try_captures(folder, server, files, script)
                try_older(folder, server, capture)
                try_words(folder, server, capture)
                try_poison(folder, server, lines, capture)
                try_elsewhere(folder, server, capture)
                try_away(folder, server, capture)
        finally:
            server.kill()
        try_shards(folder, sys.argv[2], int(os.environ.get("MAILTAP_CLICKHOUSE_MAILS", "5000")))
    done()


main()
