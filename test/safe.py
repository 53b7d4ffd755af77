#!/usr/bin/python3
"""No byte of the wire breaks what is printed: every byte, and the worst sequences there are, in every field that a stranger fills, through every
format. Each line parses, each table has its columns, nothing steers a terminal, and as many records come as mails were sent."""
import base64
import email
import email.policy
import json
import re
import tempfile
import urllib.parse
from pathlib import Path

from courierpeers import Http, Smtp
from packets import CLIENT, SERVER, capture, connection
from tap import done, mailtap, ok

room = tempfile.TemporaryDirectory(prefix="mailtap-safe-")
FOLDER = Path(room.name)
# What is no text: C0 and C1 controls, marks that turn the direction of writing, what separates lines, the byte order mark.
STEERS = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
NASTY = [
    "\x1b[2J", "\x1b]0;title\x07", "\x1b]8;;http://x/\x1b\\link", "\x1bP$q\"p\x1b\\", "\x1b[6n", "\x1b(0", "\x9b2J", "\x9d0;title\x9c", "\x90q\x9c", "\x84\x85\x8d",
    "\u202egpj.exe", "\u2066\u2067\u2068\u2069", "\u200e\u200f\u061c", "a\u2028b\u2029c", "\x0b\x0c\x1c\x1d\x1e\x85", "\ufeff\ufffe\uffff", "\u200b\u200d\u2060\u00ad",
    "e" + "\u0301" * 300, "\U000e0041\U0010ffff", "\ud800".encode("utf-8", "surrogatepass"), b"\xc0\xaf\xe0\x80\xaf\xf8\x88\x80\x80\x80", b"\xff\xfe\x00", b"\xf4\x90\x80\x80",
    b"\xe2\x80", b"\xf0\x9f", b"\xed\xa0\x80\xed\xb0\x80", "\t", "a\tb\tc", "-", "(empty)", ",", "a,b", "\\", "\\x09", "\\n", "\\\\", "\\u0000", "\"", "\\\"", "'", "{}[]:", "{\"a\":1}",
    "\"},\n{\"_path\":\"smtp\"", "\x00", "a\x00b", "%s%n%x%99999s", "%", "${jndi:ldap://x}", "]]", "--[[", "\\27[2J", "]]\nos.execute()", "<script>", "=?utf-8?B?", "=?utf-8?Q?=1b[2J?=",
    "=?utf-7?Q?+ABs-[2J?=", "=?iso-2022-jp?B?GyRCIUchRxsoQg==?=", "=?utf-8?B?4oCuZ3Bq?=", "=?x?Q?=00=0a=0d?=", "#", "#fields\tts", "!", "~", "x" * 5000,
    "\r\rX: y", "a\rb", "\rSubject: other\r", "\b\b\b\b\x7f", "\x0e\x0f\x18\x1a", "\x05", "\u115f\u3164\uffa0\u2800", "\ue000\uf8ff", "*" * 8, "\n..\n",
]


def raw(x):
    return x if isinstance(x, bytes) else x.encode("utf-8", "surrogatepass")


def word(value, charset="utf-8"):
    """An encoded word of the bytes, whatever they are."""
    return b"=?%s?B?%s?=" % (charset.encode(), base64.b64encode(value))


def in_line(value):
    return value.replace(b"\n", b"\r")


def message(v):
    """Every header that is read, and parts with names of all kinds. What may stand in a line stands there, the rest is encoded."""
    line, token = in_line(v), word(v)
    percent = urllib.parse.quote_from_bytes(v).encode()
    heads = [b"Received: from %s (%s [192.0.2.1]) by %s with %s; %s" % (line, line, line, line, line), b"Received: " + line, b"Date: " + line, b"From: " + token + b" <a@example.org>",
             b"From: \"" + line + b"\" <a@example.org>", b"To: \"" + line + b"\" <b@example.net>, " + token + b" <c@example.net>, " + line, b"Cc: " + line + b", " + token, b"Reply-To: " + token,
             b"Message-ID: <" + line + b"@x>", b"In-Reply-To: " + line, b"Subject: " + line + b" " + token + b" " + word(v, "iso-8859-1"), b"X-Originating-IP: [" + line + b"]",
             b"User-Agent: " + line, b"X-Mailer: " + line, b"X-" + line + b": " + line, b"MIME-Version: 1.0", b"Content-Type: multipart/mixed; boundary=\"b\""]
    parts = [b"Content-Type: " + line + b"/" + line + b"; name=\"" + line + b"\"", b"Content-Disposition: attachment; filename=\"" + line + b"\"",
             b"Content-Disposition: attachment; filename=" + token, b"Content-Disposition: attachment; filename*=utf-8''" + percent,
             b"Content-Disposition: attachment; filename*0*=utf-8''" + percent + b"; filename*1=\"" + line + b"\"", b"Content-Disposition: attachment; filename*=utf-7''" + percent,
             b"Content-Type: text/plain; name*=iso-8859-1'" + line + b"'" + percent]
    return b"\r\n".join([*heads, b"", *(b"--b\r\n" + p + b"\r\n\r\nx" for p in parts), b"--b--", line.replace(b"\r", b"") or b"x", b"."])


def pieces(data, most=30000):
    return [data[i:i + most] for i in range(0, len(data), most)]


def talk(v):
    """A connection with two mails of it, one of them refused, and a plain one behind."""
    line = in_line(v)
    reply = line.replace(b"\r", b" ")
    said = [b"220 " + reply, b"EHLO " + line, b"250-" + reply + b"\r\n250-" + reply + b"\r\n250 " + reply]
    for end in b"250 " + reply, b"554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org; " + reply:
        said += [b"MAIL FROM:<" + line + b"@example.org> X=" + line, b"250 " + reply, b"RCPT TO:<" + line + b">", b"250 " + reply, b"RCPT TO:<b@example.net>", b"550 " + reply,
                 b"DATA", b"354 " + reply, message(v), end]
    said += [b"VRFY " + line, b"252 " + reply, line, b"500 " + reply, b"MAIL FROM:<plain@example.org>", b"250 ok", b"RCPT TO:<plain@example.net>", b"250 ok", b"DATA", b"354 go",
             b"Subject: plain\r\n\r\nx\r\n.", b"250 ok", b"QUIT", b"221 " + reply]
    return [(CLIENT if i % 2 else SERVER, part) for i, line in enumerate(said) for part in pieces(line + b"\r\n")]


SCRIPT = r"""
local function all(...) local out = {} for i, v in ipairs{...} do out[i] = tostring(v) end return out end
function on_request(scene, command, argument) log("heard", {what = all(command, argument, argument:upper(), argument:reverse(), ("%q"):format(argument))}) end
function on_reply(scene, code, text, command) log("heard", {what = all(code, text, text:rep(2), text:gsub("%c", "?"))}) scene.tags[text] = true end
function on_data(scene, line, where) if where == "header" then log("heard", {[line:sub(1, 40)] = line, len = #line, byte = line:byte() or 0}) end end
function on_session(s) log("heard", {helo = s.helo or "", banner = s.banner or "", words = s.ehlo_keywords}) print(s.banner) end
function on_mail(m)
  local names = {}
  for _, f in ipairs(m.files) do names[#names + 1] = f.name .. f.type m.tags[f.name] = true end
  log("heard", {subject = m.subject or "", names = names, from = m.from or "", to = m.to})
  notice{note = "Test::Mail", msg = m.subject or "none", sub = m.mailfrom or "", identifier = m.uid .. tostring(m.trans_depth)}
  counter("c"):add(m.subject or "") lookup(m.subject or "") is_local(m.helo or "")
  if m.subject then error(m.subject) end
end
"""


def characters(data, name):
    """Its text; None, and a failed check, where it is no UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as e:
        ok(False, name + " is UTF-8", e, data[max(0, e.start - 200):e.start + 50])
        return None


def lines(data, name, allowed=""):
    """Its lines, which are the same by whatever rule lines are told. Nothing in them steers."""
    text = characters(data, name) or ""
    found = [(line, m) for line in text.split("\n") for m in [STEERS.search(line.translate({ord(c): None for c in allowed}))] if m]
    ok(text.endswith("\n") and not found, name + ": nothing that steers, and whole lines", *("%r in %r" % (m[0], line[max(0, m.start() - 60):m.end() + 20]) for line, m in found[:5]))
    ok(allowed or text.count("\n") == len(text.splitlines()), name + ": no other line ends")
    return text.split("\n")[:-1]


def strict(line):
    def no(value):
        raise ValueError(value)
    return json.loads(line, parse_constant=no)


def parsed(data, name):
    out, bad = [], []
    for line in lines(data, name):
        try:
            out.append(strict(line))
        except ValueError as e:
            bad.append("%s: %s" % (e, line[:300]))
    ok(not bad, name + ": each line is JSON", *bad[:3])
    return out


def table(data, name, columns):
    rows = [line.split("\t") for line in lines(data, name, "\t") if not line.startswith("#") and not line.startswith("ts\t")]
    ok(all(len(row) == columns for row in rows), name + ": %d columns in each row" % columns, *[row for row in rows if len(row) != columns][:3])
    return rows


def run(*args, path):
    r = mailtap("read", "-s", "country_databases=none", "-s", "software=all", *args, path)
    lines(r.stderr, "standard error of " + " ".join(a.name if isinstance(a, Path) else a for a in args))
    return r


def main():
    values = [b"x" + bytes([c]) + b"y" for c in range(256)] + [bytes([c]) for c in range(256)] + [raw(x) for x in NASTY] + [b"x" + raw(x) + b"y" for x in NASTY] + [bytes(range(256))]
    path = capture(FOLDER / "all.pcap", [connection(i, talk(v)) for i, v in enumerate(values)])
    script = FOLDER / "all.lua"
    script.write_text(SCRIPT)
    mails = 3 * len(values)

    records = parsed(run("-f", "json", path=path).stdout, "json")
    plain = [r for r in records if r.get("subject") == "plain" and r["mailfrom"] == "plain@example.org" and r["rcptto"] == ["plain@example.net"] and not any("name" in f for f in r.get("files", [])) and not r.get("flags")]
    count = sum(r["_path"] == "smtp" for r in records)
    ok(count == mails and len(plain) == len(values), "json: %d mails, and the plain one behind each is whole" % mails, count, len(plain))
    kept = [r["subject"] for r in records if r["_path"] == "smtp" and r.get("trans_depth") == 1]
    ok(sum("\u202e" in s for s in kept) >= 2 and sum("\x1b" in s for s in kept) >= 6, "json: whoever parses it gets what was sent")

    for kind, columns in ("zeek", 27), ("smtp-ext", 20):
        rows = table(run("-f", kind, path=path).stdout, kind, columns)
        ok(len(rows) == mails - (kind == "smtp-ext") * sum(not r.get("mailfrom") for r in records if r["_path"] == "smtp"), kind + ": a row a mail", len(rows), mails)
    text = lines(run("-f", "text", path=path).stdout, "text")
    ok(sum(bool(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  (\d{3}|---|TLS|!!!)  ", line)) for line in text) == len(text) >= mails, "text: a line begins as one does", *text[:2])
    events = run("-f", "json", "--events", path=path)
    for kind in ("zeek", "json"):
        folder = FOLDER / kind
        r = run("-f", kind, "-o", folder, "--script", script, "--events", path=path)
        ok(r.returncode == 0, "into a folder, %s" % kind, r.stderr)
        for file in sorted(folder.iterdir()):
            name = "%s of -f %s" % (file.name, kind)
            if file.name == "events.log":
                ok(re.fullmatch(rb"[\n -~]*", file.read_bytes()), name + ": ASCII alone")
            elif kind == "json":
                parsed(file.read_bytes(), name)
            elif file.name in ("smtp.log", "notice.log", "software.log"):
                table(file.read_bytes(), name, {"smtp.log": 27, "notice.log": 26, "software.log": 11}[file.name])
    ok((FOLDER / "json" / "heard.log").exists() and (FOLDER / "json" / "heard.log").stat().st_size > 100000, "scripts hear all of it")
    ok(re.fullmatch(rb"(\d+\.\d+ C\w{17} [ -~]*|\{[^\n]*\})(\n(\d+\.\d+ C\w{17} [ -~]*|\{[^\n]*\}))*\n", events.stdout), "--events: a line an event")
    for args in ("-f", "text", "--script", script), ("-f", "json", "--script", script):
        lines(run(*args, path=path).stdout, " ".join(map(str, args[:3])))
    letters(capture(FOLDER / "few.pcap", [connection(i, talk(v)) for i, v in enumerate(values[::3])]), script)


def letters(path, script):
    """Notices on their way out."""
    smtp, http = Smtp(), Http()
    policy = FOLDER / "policy.yaml"
    policy.write_text("email_server: %s\nwebhook_url: %s\nemail_from: m@example.org\nemail_to: [x@example.org]\nemail_interval: 1s\nemail_rate: 10000\nsuppress_for: 0s\ncourier_wait: 60s\n"
                      "notice_policy:\n  - {note: \"*\", actions: [log, email, webhook]}\n" % (smtp.url, http.url))
    run("-f", "json", "-c", policy, "--script", script, path=path)
    posts = [p if isinstance(p, bytes) else p.encode() for p in http.posts]
    found = parsed(b"".join(p.strip() + b"\n" for p in posts), "webhook")
    ok(len(found) > 200 and all(r["_path"] == "notice" for r in found), "webhook: a notice a post", len(found))
    bad = []
    for m in smtp.mails:
        mail = email.message_from_bytes(m.raw, policy=email.policy.default)
        names = sorted(k.lower() for k in mail.keys())
        body = mail.get_content()
        if names != sorted({*names}) or set(names) - {"from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type", "content-transfer-encoding"} or \
                mail.defects or STEERS.search(body.replace("\r\n", "").replace("\n", "")) or STEERS.search(mail["subject"]) or any(len(s) > 998 for s in m.raw.split(b"\r\n")) or b"\n" in m.raw.replace(b"\r\n", b""):
            bad.append(m.raw[:1500])
    ok(len(smtp.mails) > 0 and not bad, "email: %d mails with our headers alone, clean lines" % len(smtp.mails), *bad[:2])


main()
done()
