"""The shapes zeek-json, ecs, ocsf and eve over all captures: each line is valid, each field is one that the schema has, with a value of its type
(shapes-*.tsv), and what -f json says can be got back from it. zeek-json is held to Zeek's own logs as well, eve to Suricata where it is installed."""
import base64
import copy
import datetime
import email.utils
import hashlib
import ipaddress
import json
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import zeek
from listed import Listed
from tap import SHARED, SOURCE, done, mailtap, need_shared, ok, skip

VENDOR = {"ecs": "smtp", "ocsf": "unmapped", "eve": "mailtap"}
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def unique(pairs):
    assert len({k for k, _ in pairs}) == len(pairs), "a key stands twice"
    return dict(pairs)


def parsed(output, ours=True):
    """Strict UTF-8, strict JSON, one object a line; nothing in it that a terminal would obey."""
    text = output.decode("utf-8", errors="strict")
    assert not ours or not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), "a control character"
    return [json.loads(line, object_pairs_hook=unique, parse_float=Decimal, parse_constant=lambda c: 1 / 0)
            for line in text.split("\n") if line]


def table(name):
    lines = (SOURCE / "test" / name).read_text().splitlines()
    head = lines[1].lstrip("# ").split("\t")
    return [dict(zip(head, x.split("\t"))) for x in lines[2:]]


def is_date(text):
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", text) and datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def is_ip(text):
    return str(ipaddress.ip_address(text)) == text


def is_int(value, least=-2**63, most=2**63):
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < most


TEXT = lambda v: isinstance(v, str)
TYPES = {
    "keyword": TEXT, "wildcard": TEXT, "text": TEXT, "string": TEXT, "date": is_date, "ip": is_ip, "long": is_int, "integer": is_int,
    "boolean": lambda v: isinstance(v, bool), "port": lambda v: is_int(v, 0, 65536), "timestamp": is_int,
    "time": lambda v: re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000", v),
    "email": lambda v: re.fullmatch(r"(?s).+@.+", v), "hostname": lambda v: re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", v),
}


def fits(kind, value):
    try:
        return bool(TYPES[kind](value))
    except (TypeError, ValueError):
        return False


def check(value, path, facts, faults, used):
    """Every field is one of the table, with its type and one of its values."""
    if path and path not in facts and isinstance(value, dict):
        if not any(f.startswith(path + ".") for f in facts):
            faults.append("%s: no such object" % path)
    elif path and path not in facts:
        faults.append("%s: no such field" % path)
        return
    kind, allowed = (facts[path]["type"], facts[path]["allowed"]) if path in facts else ("", "")
    if path in facts:
        used.add(path)
        if kind.endswith("[]") != isinstance(value, list):
            faults.append("%s: %s is to be %s" % (path, value, kind))
            return
    kind = kind.removesuffix("[]")
    for v in value if isinstance(value, list) else [value]:
        if isinstance(v, dict):
            if kind not in ("", "nested", "object"):
                faults.append("%s: an object, not %s" % (path, kind))
            if not v:
                faults.append("%s: an object with nothing in it" % path)
            for k, inner in v.items():
                check(inner, path + "." + k if path else k, facts, faults, used)
        elif not fits(kind, v) or (allowed and str(v) not in allowed.split("|")):
            faults.append("%s: %r is no %s %s" % (path, v, kind, allowed))
    if isinstance(value, list) and not value:
        faults.append("%s: an empty list" % path)


# --- Our record out of theirs ---

def seconds(text):
    text = text.replace("+0000", "Z")
    whole, micros = re.fullmatch(r"(.*?)(?:\.(\d{6}))?Z", text).groups()
    t = datetime.datetime.fromisoformat(whole + "+00:00") - EPOCH
    return Decimal(t.days * 86400 + t.seconds) + Decimal(micros or 0) / 1000000


SAME = lambda v: v
NANOS = lambda v: Decimal(v) / 10**9
LOWER = lambda v: v.lower()
BARE = lambda v: "<>" if v == "<>" else v[1:-1]
ENDS = {"id.orig_h": "source.ip", "id.orig_p": "source.port", "id.resp_h": "destination.ip", "id.resp_p": "destination.port"}
POINTS = {"id.orig_h": "src_endpoint.ip", "id.orig_p": "src_endpoint.port", "id.resp_h": "dst_endpoint.ip", "id.resp_p": "dst_endpoint.port"}
EVE = {"id.orig_h": "src_ip", "id.orig_p": "src_port", "id.resp_h": "dest_ip", "id.resp_p": "dest_port", "ts": ("timestamp", seconds)}
SSL = {"ssl.cipher": "tls.cipher", "ssl.ja3": "tls.client.ja3", "ssl.server_name": "tls.client.server_name", "ssl.ja3s": "tls.server.ja3s", "ssl.curve": "tls.curve",
       "ssl.next_protocol": "tls.next_protocol", "ssl.established": "tls.established", "ssl.certificate.sha256": ("tls.server.hash.sha256", LOWER),
       "ssl.certificate.subject": "tls.server.subject", "ssl.certificate.issuer": "tls.server.issuer", "ssl.certificate.san": "tls.server.x509.alternative_names",
       "ssl.certificate.serial": "tls.server.x509.serial_number"}
BACK = {
    ("ecs", "smtp"): {**ENDS, "subject": "email.subject", "queue_id": "email.local_id", "user_agent": "email.x_mailer", "tags": "tags", "disposition": "event.action",
                      "reply.text": "event.reason", "agent.name": "user_agent.name", "agent.version": "user_agent.version"},
    ("ecs", "smtp_session"): {**ENDS, **SSL, "duration": ("event.duration", NANOS), "end": "event.action", "reply.text": "event.reason"},
    ("ecs", "notice"): {**ENDS, "note": "event.action", "sub": "event.reason", "msg": "message", "list": "rule.ruleset"},
    ("ecs", "software"): {"name": "package.name", "version": "package.version", "unparsed_version": "package.description", "host": ("host.ip", lambda v: v[0])},
    ("ocsf", "smtp"): {**POINTS, "helo": "smtp_hello", "queue_id": "message_trace_uid", "subject": "email.subject", "msg_id": "email.message_uid",
                       "message_bytes": "email.size", "reply.text": "status_detail", "tags": "metadata.labels"},
    ("ocsf", "smtp_session"): {**POINTS, "uid": "connection_info.uid", "reply.text": "status_detail", "ssl.cipher": "tls.cipher", "ssl.server_name": "tls.sni",
                               "ssl.ja3": "tls.ja3_hash.value", "ssl.ja3s": "tls.ja3s_hash.value", "ssl.certificate.issuer": "tls.certificate.issuer",
                               "ssl.certificate.subject": "tls.certificate.subject", "ssl.certificate.serial": "tls.certificate.serial_number",
                               "ssl.certificate.self_signed": "tls.certificate.is_self_signed",
                               "ssl.certificate.sha256": ("tls.certificate.fingerprints", lambda v: v[0]["value"])},
    ("ocsf", "notice"): {**{k: ("evidences", lambda v, p=p: got(v[0], p)) for k, p in POINTS.items()}, "msg": "message", "sub": "status_detail", "folded": "count",
                         "note": "finding_info.title"},
    ("ocsf", "software"): {"host": "device.ip", "name": "package.name", "version": "package.version"},
    ("eve", "smtp"): {**EVE, "helo": "smtp.helo", "mailfrom": ("smtp.mail_from", BARE), "rcptto": ("smtp.rcpt_to", lambda v: [BARE(x) for x in v]), "from": "email.from",
                      "to": "email.to", "cc": "email.cc", "reply_to": "email.reply_to", "msg_id": "email.message_id", "subject": "email.subject",
                      "user_agent": "email.x_mailer", "x_originating_ip": "email.x_originating_ip", "in_reply_to": "email.in_reply_to", "date": "email.date"},
    ("eve", "smtp_session"): {**EVE, "ssl.server_name": "tls.sni", "ssl.ja3": "tls.ja3.hash", "ssl.ja3s": "tls.ja3s.hash", "ssl.certificate.subject": "tls.subject",
                              "ssl.certificate.issuer": "tls.issuerdn"},
    ("eve", "notice"): {**EVE, "note": "alert.signature", "kind": ("alert.category", lambda v: v or None)},
    ("eve", "software"): {"ts": ("timestamp", seconds)},
}
TIMES = {"ecs": "@timestamp", "ocsf": "metadata.original_time"}


def got(record, path):
    for name in path.split("."):
        if not isinstance(record, dict) or name not in record:
            return None
        record = record[name]
    return record


def put(record, path, value):
    *outer, last = [path] if path.startswith("id.") else path.split(".")
    for name in outer:
        record = record.setdefault(name, {})
    record[last] = value


def ours_of(shape, path, theirs):
    """The record as -f json has it."""
    rest = copy.deepcopy(theirs.get(VENDOR[shape], {}))
    back = dict(BACK[shape, path])
    if shape in TIMES:
        back["ts"] = (TIMES[shape], seconds)
    for mine, his in back.items():
        his, how = his if isinstance(his, tuple) else (his, SAME)
        value = got(theirs, his)
        if value is not None and how(value) is not None:
            put(rest, mine, how(value))
    return {**rest, "_path": path}


def rounded(value):
    """Numbers as numbers: what is written as a text in between compares as well."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(value) if isinstance(value, Decimal) else value


def lost(shape, record, theirs):
    have, want = rounded(ours_of(shape, record["_path"], theirs)), rounded(record)
    for k in sorted({*have, *want}):
        a, b = have.get(k), want.get(k)
        if a != b and not (isinstance(b, float) and a is not None and float(a) == b):
            yield "%s: %s says %r, json %r" % (k, shape, a, b)


# --- Values that are told in another way, by a mapping of its own ---

def community_id(r):
    ends = [(ipaddress.ip_address(r[k + "_h"]).packed, r[k + "_p"]) for k in ("id.orig", "id.resp")]
    (a, ap), (b, bp) = sorted(ends)
    digest = hashlib.sha1(b"\0\0" + a + b + b"\x06\0" + ap.to_bytes(2, "big") + bp.to_bytes(2, "big")).digest()
    return "1:" + base64.b64encode(digest).decode()


def iso(text):
    """The date of a header, where all readers agree on it."""
    if not re.fullmatch(r"\w{3}, \d\d? \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}( \(\w+\))?", text):
        return None
    try:
        t = email.utils.parsedate_to_datetime(text).astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def people(r, field):
    return [m["addr"] for m in r.get("addresses", {}).get(field, []) if "addr" in m] or None


def mailboxes(values):
    return [v for v in values or [] if "@" in v.strip("@")] or None


def expected(shape, r):
    """Path in theirs: value, None for one that is to be absent. In the order of the streams' facts."""
    path, connected = r["_path"], "uid" in r and "id.orig_h" in r
    outcome = {"accepted": 0, "rejected": 1, "deferred": 1, "aborted": 1}.get(r.get("disposition"), 2)
    if shape == "ecs":
        yield "event.dataset", "mailtap." + path
        yield "event.kind", "alert" if path == "notice" else "event"
        if connected:
            yield "network.community_id", community_id(r)
        if path == "smtp":
            yield "event.id", "%s-%d" % (r["uid"], r["trans_depth"])
            yield "event.outcome", ("success", "failure", "unknown")[outcome]
            for f in ("from", "to", "cc", "bcc", "reply_to"):
                yield "email.%s.address" % f, people(r, f)
            yield "email.sender.address", (people(r, "sender") or [None])[0]
            yield "email.attachments", [{"file": {k: v for k, v in (
                ("name", f.get("name")), ("extension", extension(f.get("name", ""))), ("mime_type", f.get("mime_type", f.get("type"))), ("size", f["size"]),
                ("hash", {h: f[h] for h in ("md5", "sha1", "sha256") if h in f} or None)) if v is not None}} for f in r.get("files", [])] or None
            if iso(r.get("date", "")):
                yield "email.origination_timestamp", iso(r["date"])
            yield "email.message_id", re.sub("^<(.+)>$", r"\1", r.get("msg_id", "").strip()) or None
    elif shape == "ocsf":
        yield "class_uid", {"smtp": 4009, "smtp_session": 4001, "notice": 2004, "software": 5020}[path]
        yield "time", int(r["ts"] * 1000)
        yield "metadata.log_name", path
        if path == "smtp":
            yield "status_id", (1, 2, 0)[outcome]
            yield "email.smtp_to", mailboxes(r.get("rcptto"))
            yield "email.smtp_from", (mailboxes([r.get("mailfrom", "")]) or [None])[0]
            yield "email.from", (mailboxes(people(r, "from")) or [None])[0]
            yield "email.to", mailboxes(people(r, "to"))
            yield "email.cc", mailboxes(people(r, "cc"))
            files = got(r, "files") or []
            yield "email.files", None if not files else [{k: v for k, v in (
                ("name", f.get("name")), ("type_id", 1), ("ext", extension(f.get("name", ""))), ("mime_type", f.get("mime_type", f.get("type"))), ("size", f["size"]),
                ("hashes", [{"algorithm_id": i, "algorithm": a, "value": f[h]} for i, a, h in ((1, "MD5", "md5"), (2, "SHA-1", "sha1"), (3, "SHA-256", "sha256"))
                            if h in f] or None)) if v is not None} for f in files]
    elif shape == "eve":
        if connected:
            yield "community_id", community_id(r)
            yield "proto", "TCP"
        yield "event_type", {"smtp": "smtp", "smtp_session": "flow", "notice": "alert", "software": "mailtap_software"}[path]
        if path == "smtp":
            yield "tx_id", r["trans_depth"] - 1
            yield "email.attachment", [f["name"] for f in r.get("files", []) if "name" in f] or None
            yield "email.url", [u["url"] for u in r.get("urls", [])] or None


def extension(name):
    last = re.split(r"[/\\]", name)[-1]
    return last.rsplit(".", 1)[1] if "." in last[1:] or (last != name and "." in last) else None


def equal(path, a, b):
    return a == b or (path.endswith("email.message_id") and (a or "").strip() == (b or "").strip())


def check_shape(shape, facts, records, used):
    """`records`: pairs of ours and theirs."""
    faults = []
    for mine, theirs in records:
        known = facts[theirs.get("class_uid")] if shape == "ocsf" else facts
        check({k: v for k, v in theirs.items() if k != VENDOR[shape]}, "", known, faults, used)
        faults += ["%s is to be there" % f for f, row in known.items() if row.get("required") and got(theirs, f) is None and "." not in f]
        faults += lost(shape, mine, theirs)
        faults += ["%s: %r is to be %r" % (p, got(theirs, p), want) for p, want in expected(shape, mine) if not equal(p, got(theirs, p), want)]
    return faults


# --- Zeek ---

def cell(field, value):
    """A value of its JSON as the table has it."""
    def text(s, in_set):
        if not s:
            return "(empty)"
        out = "".join("\\\\" if c == "\\" else "\\x%02x" % ord(c) if ord(c) < 32 or ord(c) == 127 or (in_set and c == ",") else
                      "".join("\\x%02x" % b for b in c.encode()) if steers(c) else c for c in s)
        return "\\x%02x%s" % (ord(s[0]), out[1:]) if s in ("-", "(empty)") else out
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, list):
        return ",".join(text(v, True) for v in value)
    if isinstance(value, Decimal):
        return "%.6f" % value
    return str(value) if isinstance(value, int) else text(value, False)


def steers(c):
    return 0x80 <= ord(c) < 0xa0 or c in "\u061c\u200e\u200f\u2028\u2029\ufeff" or "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"


def check_zeek(folder, theirs, listed, file):
    """Each file of zeek-json has the rows of -f zeek's, and smtp.log those of Zeek's."""
    faults = []
    for name in ("smtp", "notice", "software"):
        rows = zeek.Log((folder / "zeek" / (name + ".log")).read_text(encoding="utf-8"))
        records = parsed((folder / "zeek-json" / (name + ".log")).read_bytes())
        fields = next(h for h in rows.head if h.startswith("#fields\t")).split("\t")[1:]
        strange = {k for r in records for k in r} - set(fields)
        faults += ["%s: Zeek has no column %s" % (name, k) for k in strange]
        faults += ["%s: ts %r is no number with a point" % (name, r["ts"]) for r in records if not isinstance(r["ts"], Decimal)]
        table = [{f: cell(f, r.get(f)) for f in fields} for r in records]
        if len(table) != len(rows.rows):
            faults.append("%s: %d rows, %d records" % (name, len(rows.rows), len(table)))
        faults += ["%s: %s: table %r, JSON %r" % (name, f, a[f], b[f]) for a, b in zip(rows.rows, table) for f in fields if a[f] != b[f]]
        if name == "smtp" and theirs:
            rows.rows = table
            faults += zeek.compare(file, theirs, rows, listed)
    return faults


# --- What scripts write ---

SCRIPT = """function on_mail(mail)
  mail.tags.seen = true
  log("mine", { who = mail.mailfrom, depth = mail.trans_depth, list = mail.rcptto })
  notice { note = "Mail::Mine", msg = "x", sub = mail.subject }
end
"""
HEAD = (b'From: "A" <a@example.org>\r\nTo: b@example.net\r\nBcc: c@example.net, "D" <d@example.net>\r\nMessage-ID: <1@example.org>\r\nSubject: =?utf-8?q?h=C3=A9?=\r\n'
        b"X-Originating-IP: [192.0.2.77]\r\n\r\nhttp://example.com/a http://[2001:db8::1]/\r\n.\r\n")
TURNS = [(1, b"220 m ESMTP\r\n"), (0, b"HELO c\r\n"), (1, b"250 m\r\n"), (0, b"MAIL FROM:<>\r\n"), (1, b"250 ok\r\n"), (0, b"RCPT TO:<b@example.net>\r\n"),
         (1, b"250 ok\r\n"), (0, b"DATA\r\n"), (1, b"354 go\r\n"), (0, HEAD), (1, b"250 ok queued as 4ABCDEF123\r\n"), (0, b"QUIT\r\n"), (1, b"221 bye\r\n")]


def check_scripts(facts, used):
    """Tags, a notice and a line of a script; and in the mail what few captures have."""
    with tempfile.TemporaryDirectory() as folder:
        path, script = Path(folder, "one.pcap"), Path(folder, "one.lua")
        zeek.packets(path, TURNS)
        script.write_text(SCRIPT)
        told = {s: parsed(mailtap("read", "-f", s, "--script", script, path).stdout) for s in ("json", *VENDOR)}
        records = told["json"]
        ok({r["_path"] for r in records} >= {"mine", "smtp", "smtp_session", "notice"}, "the script wrote its line, and raised its notice")
        for shape in VENDOR:
            pairs = list(zip(records, told[shape]))
            own = [(m, t) for m, t in pairs if m["_path"] == "mine"]
            faults = check_shape(shape, facts[shape], [p for p in pairs if p not in own], used[shape])
            faults += ["%s: %r" % (m, t) for m, t in own if {k: v for k, v in t[VENDOR[shape]].items() if k != "_path"} != {k: v for k, v in m.items() if k not in ("ts", "_path")}]
            ok(len(own) == 1 and len(told[shape]) == len(records) and not faults, "with a script: " + shape, *faults)
        mail = next(t for m, t in zip(records, told["ecs"]) if m["_path"] == "smtp")
        ok(mail["tags"] == ["seen"] and got(mail, "email.bcc.address") == ["c@example.net", "d@example.net"], "tags and Bcc are in ecs", mail)
        ok("mailfrom" in mail["smtp"] and "c" in got(mail, "related.hosts") and "192.0.2.77" in got(mail, "related.ip"), "related names what is", mail)
        mail = next(t for m, t in zip(records, told["ocsf"]) if m["_path"] == "smtp")
        ok("smtp_from" not in mail["email"] and mail["email"]["urls"][1] == {"url_string": "http://[2001:db8::1]/"}, "the null sender is no address, an IPv6 address no host name", mail["email"])
        mail = next(t for m, t in zip(records, told["eve"]) if m["_path"] == "smtp")
        ok(mail["smtp"]["mail_from"] == "<>", "eve has the null sender as Suricata has it", mail["smtp"])


# --- Suricata ---

SURICATA = """%YAML 1.1
---
outputs:
  - eve-log:
      enabled: yes
      filetype: regular
      filename: eve.json
      types:
        - smtp:
            custom: [reply-to, bcc, message-id, subject, x-mailer, user-agent, x-originating-ip, in-reply-to, date]
app-layer:
  protocols:
    smtp:
      enabled: yes
      mime:
        decode-mime: yes
        extract-urls: yes
"""
COMPARED = ("smtp.helo", "smtp.rcpt_to", "email.from", "email.to", "email.cc", "email.subject", "email.message_id", "email.date", "email.attachment", "email.reply_to")


def plain(value):
    if isinstance(value, list):
        return [plain(v) for v in value]
    return re.sub(r"\s+", " ", zeek.words(value)).strip() if isinstance(value, str) and "=?" in value else re.sub(r"\s+", " ", value or "").strip() or None


def check_suricata(captures, mine):
    listed = Listed(SOURCE / "test/shapes-suricata.tsv", why="reason")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "s.yaml").write_text(SURICATA)
        ran, mails = 0, 0
        for file in captures:
            out = Path(folder, "eve.json")
            out.unlink(missing_ok=True)
            subprocess.run(["suricata", "-c", Path(folder, "s.yaml"), "-r", SHARED / "captures" / file, "-l", folder, "-k", "none", "--runmode", "single", "-S", "/dev/null"],
                           capture_output=True, timeout=60, check=False)
            theirs = [r for r in parsed(out.read_bytes(), ours=False)] if out.exists() else []
            theirs = [r for r in theirs if r["event_type"] == "smtp" and got(r, "smtp.mail_from") and "email" in r]
            ran, faults, left = ran + 1, [], [r for r in mine[file] if r["event_type"] == "smtp"]
            for t in theirs:
                key = lambda r: (r["src_ip"], r["src_port"], r["dest_ip"], r["dest_port"], got(r, "smtp.mail_from").strip("<>"))
                same = [m for m in left if got(m, "smtp.mail_from") and "email" in m and key(m) == key(t)]
                if not same:
                    if not listed.covers(file, "record"):
                        faults.append("Suricata alone has %s" % (key(t),))
                    continue
                m, mails = same[0], mails + 1
                left.remove(m)
                for f in COMPARED:
                    a, b = plain(got(t, f)), plain(got(m, f))
                    if f == "smtp.rcpt_to":
                        a, b = [[x.strip("<>") for x in v or []] for v in (a, b)]
                    if a is not None and a != b and not listed.covers(file, f):
                        faults.append("%s: Suricata %r, mailtap %r" % (f, a, b))
            ok(not faults, "eve against Suricata: " + file, *faults)
    ok(ran and mails > 20, "mails that both have: %d" % mails)
    idle = list(listed.idle())
    ok(not idle, "each row of shapes-suricata.tsv covers a difference and has a reason", *idle)


def run_all(path, folder):
    """What json and the shapes say of a capture, and the folders of both forms of Zeek's."""
    with ThreadPoolExecutor(6) as pool:
        runs = {s: pool.submit(mailtap, "read", "-f", s, "-s", "hash=all", "-s", "headers=all", path) for s in ("json", *VENDOR)}
        for form in ("zeek", "zeek-json"):
            runs[form] = pool.submit(mailtap, "read", "-f", form, "-o", folder / form, path)
        return {s: parsed(r.result().stdout) for s, r in runs.items()}


def main():
    captures, logs = need_shared("captures"), SHARED / "zeek"
    files = sorted(str(p.relative_to(captures)) for p in captures.rglob("*") if p.is_file() and p.suffix != ".tsv")
    paths = {f: captures / f for f in files}
    paths.update({"samples/" + p.name: p for p in sorted((SOURCE / "samples").glob("*.pcap*"))})
    listed = Listed(SOURCE / "test/zeek-differences.tsv", why="reason")
    facts = {s: {r["name"]: r for r in table("shapes-%s.tsv" % s)} for s in ("ecs", "eve")}
    rows = table("shapes-ocsf.tsv")
    facts["ocsf"] = {c: {r["name"]: r for r in sorted(rows, key=lambda r: r["class"] != "*") if r["class"] in ("*", str(c))} for c in (4009, 4001, 2004, 5020, 0)}
    used, eve, streams = {s: set() for s in VENDOR}, {}, set()
    for file, path in paths.items():
        faults = []
        with tempfile.TemporaryDirectory() as folder:
            told = run_all(path, Path(folder))
            records = told["json"]
            streams |= {r["_path"] for r in records}
            for shape in VENDOR:
                if len(told[shape]) != len(records):
                    faults.append("%s: %d records, json %d" % (shape, len(told[shape]), len(records)))
                faults += ["%s: %s" % (shape, x) for x in check_shape(shape, facts[shape], list(zip(records, told[shape])), used[shape])]
            eve[file] = told["eve"]
            log = logs / file / "smtp.log"
            faults += check_zeek(Path(folder), zeek.Log(log.read_text(encoding="utf-8")) if log.exists() else None, listed, file)
        ok(not faults, file, *faults)
    check_scripts(facts, used)
    ok(streams >= {"smtp", "smtp_session", "notice", "software"}, "the captures have all streams", streams)
    for shape in VENDOR:
        names = {r["name"] for r in table("shapes-%s.tsv" % shape)}
        print("# %s: no capture has %s" % (shape, ", ".join(sorted(names - used[shape])) or "nothing less"))
    if shutil.which("suricata"):
        check_suricata([f for f in files if f.startswith(("OISF+suricata-verify/", "zeek+zeek/smtp", "arkime+arkime/smtp"))][:60], eve)
    else:
        skip("eve against Suricata", "suricata is not installed")
    done()


main()
