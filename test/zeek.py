"""-f zeek against Zeek's own smtp.log, field by field, and the form of the file.

zeek-differences.tsv lists what differs and why: file (a pattern), field (several with commas; `zeek row` and `mailtap row` stand
for a row that only one of both has), kind (a function of KINDS below that must agree, or - for any), reason. A difference that no
row of the list covers fails, and so does a row that covers none."""
import email.header
import json
import re
import struct
import tempfile
from pathlib import Path

from listed import Listed
from tap import SOURCE, done, mailtap, need_shared, ok

SETS = {"rcptto", "to", "cc"}
VECTORS = {"path", "fuids"}
MAIL_FIELDS = ("mailfrom", "rcptto", "date", "from", "to", "cc", "subject", "msg_id", "first_received")


def unescape(text):
    """\\xHH is a byte, two backslashes are one."""
    raw = re.sub(rb"\\(x([0-9a-f]{2})|\\)", lambda m: bytes([int(m[2], 16)]) if m[2] else b"\\", text.encode())
    return raw.decode(errors="surrogateescape")


def value(field, text):
    if text == "-":
        return None
    if field in SETS | VECTORS:
        return [] if text == "(empty)" else [unescape(t) for t in text.split(",")]
    return "" if text == "(empty)" else unescape(text)


class Log:
    def __init__(self, text):
        lines = text.split("\n")
        self.head = [x for x in lines if x.startswith("#") and not re.match(r"#(open|close)\t", x)]
        self.times = [x for x in lines if re.fullmatch(r"#(open|close)\t\d{4}(-\d\d){5}", x)]
        fields = next(x for x in self.head if x.startswith("#fields\t")).split("\t")[1:]
        self.rows = [dict(zip(fields, x.split("\t"), strict=True)) for x in lines if x and not x.startswith("#")]


def words(text):
    return "".join(t.decode(c or "ascii") if isinstance(t, bytes) else t for t, c in email.header.decode_header(text))


def ipv6_and_loopback(path):
    return path[:2] + [a for a in path[2:] if ":" not in a and a != "127.0.0.1"]


def unset(text):
    return text in ("-", "(empty)")


# What kind of difference a row of the list covers: f(Zeek's text, mailtap's, Zeek's row, mailtap's row).
KINDS = {
    "-": lambda z, m, zr, mr: True,
    "later": lambda z, m, zr, mr: float(m) > float(z),
    "earlier": lambda z, m, zr, mr: float(m) < float(z),
    "fewer": lambda z, m, zr, mr: int(z) < int(m),
    "unset": lambda z, m, zr, mr: unset(z) and not unset(m),
    "no ids": lambda z, m, zr, mr: m == "-" and z != "-",
    "one hop": lambda z, m, zr, mr: z == "-" and m == mr["first_received"],
    "words": lambda z, m, zr, mr: "=?" in z and words(unescape(z)) == unescape(m),
    "prefix": lambda z, m, zr, mr: len(z) == 4096 and m.startswith(z),
    "hundred": lambda z, m, zr, mr: len(z.split(",")) == 100 and set(z.split(",")) < set(m.split(",")),
    "hops": lambda z, m, zr, mr: ipv6_and_loopback(z.split(",")) == ipv6_and_loopback(m.split(",")),
    "quit": lambda z, m, zr, mr: z.startswith("221 ") and not m.startswith("221 "),
    "last line": lambda z, m, zr, mr: z[:4] == m[:4] and m.endswith(z[3:]),
    "no mail": lambda z, m, zr, mr: all(unset(zr[f]) for f in MAIL_FIELDS),
}


def known(listed, file, field, z, m, zr, mr):
    return listed.covers(file, field, lambda row: KINDS[row["kind"]](z, m, zr, mr))


def equal(field, z, m):
    return z == m or (field in SETS and set(z.split(",")) == set(m.split(",")))


def key(row):
    return tuple(row[f] for f in ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"))


def pairs(zeek, mine, listed, file, faults):
    """Rows of the same connection, in order. A row of Zeek's without a mail has no partner."""
    for k in dict.fromkeys(map(key, zeek + mine)):
        zs, ms = [r for r in zeek if key(r) == k], [r for r in mine if key(r) == k]
        zs = [r for r in zs if not (KINDS["no mail"](0, 0, r, 0) and known(listed, file, "zeek row", "", "", r, None))]
        yield from zip(zs, ms)
        for alone, name in ((zs[len(ms):], "zeek row"), (ms[len(zs):], "mailtap row")):
            faults += ["%s: %s" % (name, list(r.values())[:12]) for r in alone if not known(listed, file, name, "", "", r, r)]


def compare(file, zeek, mine, listed):
    faults = []
    for z, m in pairs(zeek.rows, mine.rows, listed, file, faults):
        faults += ["%s: Zeek %s, mailtap %s" % (f, z[f][:200], m[f][:200]) for f in z
                   if not equal(f, z[f], m[f]) and not known(listed, file, f, z[f], m[f], z, m)]
    return faults


def same_as_json(capture, mine):
    """Unescaped, the table holds what the JSON holds; there X-Originating-IP is as written, in the table an address."""
    faults = []
    records = [json.loads(line) for line in mailtap("read", "-f", "json", capture).stdout.splitlines()]
    records = [r for r in records if r["_path"] == "smtp"]
    if len(records) != len(mine.rows):
        return ["%d rows, %d records" % (len(mine.rows), len(records))]
    for row, record in zip(mine.rows, records):
        for f, text in row.items():
            want, got = record.get(f), value(f, text)
            if isinstance(want, bool):
                want = "T" if want else "F"
            elif isinstance(want, (int, float)):
                want = "%.6f" % want if f == "ts" else str(want)
            if f == "x_originating_ip" and want and ":" not in want:
                want = ".".join(str(int(octet)) for octet in want.split("."))
            if want != got:
                faults.append("%s: table %r, JSON %r" % (f, got, want))
    return faults


def packets(path, turns):
    """A capture of one TCP connection to port 25; `turns`: (from the server?, bytes)."""
    seq, out = [100, 900], [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)]

    def put(side, flags, data=b""):
        ends = [(b"\xc0\x00\x02\x01", 40000), (b"\xc0\x00\x02\x02", 25)]
        (src, sport), (dst, dport) = ends[side], ends[not side]
        tcp = struct.pack(">HHIIBBHHH", sport, dport, seq[side], seq[not side], 0x50, flags, 8192, 0, 0) + data
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, src, dst) + tcp
        out.append(struct.pack("<IIII", 1000000000 + len(out), 0, len(ip), len(ip)) + ip)
        seq[side] += len(data) + bool(flags & 3)

    put(0, 2), put(1, 18), put(0, 16)
    for server, data in turns:
        put(server, 24, data)
    put(0, 17), put(1, 17), put(0, 16)
    path.write_bytes(b"".join(out))


# Header values, and how Zeek's ASCII writer shows them (threading/formatters/Ascii.cc, Desc.cc, with UTF-8 kept as it is).
SHOWN = [
    ("subject", b"Subject: a\tb\\c, \x1b[1m \xc3\xa9", "a\\x09b\\\\c, \\x1b[1m \u00e9"),
    ("from", b"From: -", "\\x2d"),
    ("reply_to", b"Reply-To: (empty)", "\\x28empty)"),
    ("date", b"Date:", "(empty)"),
    ("to", b'To: "a,b" <c@d>, "\\x2c" <e@f>', '"a\\x2cb" <c@d>,"\\\\x2c" <e@f>'),
    ("cc", b"Cc: -", "\\x2d"),
    ("in_reply_to", None, "-"),
]


def check_escapes():
    head = b"".join(line + b"\r\n" for _, line, _ in SHOWN if line)
    turns = [(1, b"220 m ESMTP\r\n"), (0, b"HELO c\r\n"), (1, b"250 m\r\n"), (0, b"MAIL FROM:<>\r\n"), (1, b"250 ok\r\n"),
             (0, b"RCPT TO:<a,b@c>\r\n"), (1, b"250 ok\r\n"), (0, b"DATA\r\n"), (1, b"354 go\r\n"),
             (0, head + b"\r\ntext\r\n.\r\n"), (1, b"250 ok\r\n"), (0, b"QUIT\r\n"), (1, b"221 bye\r\n")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "escapes.pcap")
        packets(path, turns)
        log = Log(mailtap("read", "-f", "zeek", path).stdout.decode())
        ok(not same_as_json(path, log), "escapes are undone by a reader", *same_as_json(path, log))
    row = log.rows[0] if len(log.rows) == 1 else {}
    for field, _, want in SHOWN + [("mailfrom", None, "<>"), ("rcptto", None, "a\\x2cb@c"), ("fuids", None, "-")]:
        ok(row.get(field) == want, "escaped as Zeek does: %s" % field, "have %s" % row.get(field), "want %s" % want)


def main():
    captures, zeek = need_shared("captures"), need_shared("zeek")
    listed = Listed(SOURCE / "test/zeek-differences.tsv", why="reason")
    logs = sorted(zeek.rglob("smtp.log"))
    ok(logs, "Zeek's logs are there")
    for path in logs:
        file = str(path.parent.relative_to(zeek))
        theirs = Log(path.read_text(encoding="utf-8"))
        mine = Log(mailtap("read", "-f", "zeek", captures / file).stdout.decode())
        faults = compare(file, theirs, mine, listed) + same_as_json(captures / file, mine)
        if mine.head != theirs.head:
            faults.append("header lines differ: %s" % mine.head)
        if [t.split("\t")[0] for t in mine.times] != ["#open", "#close"]:
            faults.append("#open and #close: %s" % mine.times)
        ok(not faults, file, *faults)
    check_escapes()
    idle = list(listed.idle())
    ok(not idle, "each row of the list covers a difference and has a reason", *idle)
    done()


if __name__ == "__main__":
    main()
