#!/usr/bin/python3
"""Passwords and what else AUTH carries appear nowhere: marked secrets in every place where a client can put one, whole, a byte a packet, with
each packet lost in turn, one side alone; looked for in every format, in what scripts hear, in notices by email and webhook, in what is said."""
import base64
import json
import random
import tempfile
from pathlib import Path

from courierpeers import Http, Smtp, free_port
from packets import CLIENT, SERVER, capture, connection
from tap import done, mailtap, ok

room = tempfile.TemporaryDirectory(prefix="mailtap-passwords-")
FOLDER = Path(room.name)
WINDOW = 6  # so many bytes of a secret in a row are too many
r = random.Random(7)
marks = set()
names = set()  # of users: they stand in logins, if anywhere


def windows(data):
    return {data[i:i + WINDOW] for i in range(len(data) - WINDOW + 1)}


def secret(before=b"", length=30):
    """A payload that no other text looks like."""
    value = before + bytes(r.choice(b"ghjkqvwxyzGHJKQVWXYZ23456789") for _ in range(length))
    marks.update(windows(value[len(before):]))
    text = base64.b64encode(value)
    marks.update(windows(text[(len(before) * 4 + 2) // 3:].rstrip(b"=")))
    return text


def user():
    """A name in the place where LOGIN has it: it may be told, but not as it was sent."""
    value = bytes(r.choice(b"ghjkqvwxyzGHJKQVWXYZ23456789") for _ in range(30))
    names.update(windows(value))
    text = base64.b64encode(value)
    marks.update(windows(text.rstrip(b"=")))
    return text


HELLO = [b"220 mx ESMTP", b"EHLO client.example", b"250-mx\r\n250 AUTH PLAIN LOGIN"]
MAIL = [b"MAIL FROM:<a@example.org>", b"250 ok", b"RCPT TO:<b@example.net>", b"250 ok", b"DATA", b"354 go", b"Subject: s\r\n\r\ntext\r\n.", b"250 taken"]
BYE = [b"QUIT", b"221 bye"]
YES, NO = b"235 2.7.0 ok", b"535 5.7.8 no"


def dialogues():
    """(name, lines by turns, beginning with the server's; "" where nothing is said)."""
    ask = b"334 VXNlcm5hbWU6"
    yield "PLAIN at once", [b"AUTH PLAIN " + secret(b"\0me\0"), YES]
    yield "PLAIN when asked", [b"AUTH PLAIN", b"334 ", secret(b"\0me\0"), YES]
    yield "LOGIN", [b"AUTH LOGIN", ask, user(), b"334 UGFzc3dvcmQ6", secret(), YES]
    yield "LOGIN with the name at once", [b"auth login " + user(), b"334 UGFzc3dvcmQ6", secret(), YES]
    yield "CRAM-MD5, a secret challenge", [b"AUTH CRAM-MD5", b"334 " + secret(), secret(length=60), YES]
    yield "XOAUTH2", [b"AUTH XOAUTH2 " + secret(b"user=me\1auth=Bearer ", 400), b"334 " + secret(), b"", NO]
    yield "NTLM", [b"AUTH NTLM", b"334 NTLM supported", secret(b"NTLMSSP\0"), b"334 " + secret(b"NTLMSSP\0", 200), secret(b"NTLMSSP\0", 200), YES]
    yield "SCRAM, four steps", [b"AUTH SCRAM-SHA-256 " + secret(), b"334 " + secret(), secret(), b"334 " + secret(), b"=", YES]
    yield "LOGIN pipelined", [b"AUTH LOGIN\r\n%s\r\n%s" % (user(), secret()), ask, b"", b"334 UGFzc3dvcmQ6", b"", YES]
    yield "pipelined, with the mail behind", [b"AUTH PLAIN\r\n%s\r\n%s" % (secret(), b"\r\n".join(MAIL[:4:2])), b"334 \r\n" + YES + b"\r\n250 ok\r\n250 ok"]
    yield "refused, and sent all the same", [b"AUTH LOGIN\r\n%s\r\n%s" % (user(), secret()), b"503 5.5.1 none here\r\n500 what?\r\n500 what?"]
    for text in b"500 5.5.1 Command unrecognized: \"%s\"", b"500 5.3.3 Unrecognized command '%s'", b"502-unknown\r\n502 (%s)", b"550 Blocked by Spamhaus ZEN <%s>", b"501 %s":
        one, two = user(), secret()
        yield "refused and repeated: " + text.decode(), [b"AUTH LOGIN\r\n%s\r\n%s" % (one, two), b"503 none here\r\n%s\r\n%s" % (text % one, text % two)]
    one, two = secret(), secret(b"\0me\0")
    yield "no command before it", [one, b"500 unrecognized " + one, two, b"421 what is " + two]
    yield "the line repeated", [b"AUTH PLAIN " + two, b"501 5.5.2 bad syntax: AUTH PLAIN " + two]
    yield "a part of the line repeated", [b"AUTH PLAIN " + two, b"501 5.5.2 bad syntax: AUTH PLAIN " + two[:20] + b"..."]
    yield "the answer repeated", [b"AUTH PLAIN", b"334 ", two, b"535 5.7.8 wrong: " + two]
    yield "the challenge repeated", [b"AUTH LOGIN", b"334 " + one, user(), b"535 5.7.8 Error: authentication failed: " + one]
    yield "given up, then once more", [b"AUTH LOGIN", ask, b"*", b"501 given up", b"AUTH LOGIN", ask, user(), b"334 UGFzc3dvcmQ6", b"*", b"501 given up"]
    yield "given up, and sent all the same", [b"AUTH LOGIN", ask, b"*\r\n" + secret(), b"501 given up\r\n500 what?"]
    yield "nobody answers", [b"AUTH PLAIN " + secret(), b"", b"AUTH LOGIN", b"", user(), b"", secret(), b""]
    yield "nobody answers, and a mail goes on", [b"AUTH LOGIN", b"", user(), b"", secret(), b"", *MAIL]
    yield "before STARTTLS is answered", [b"STARTTLS\r\nAUTH PLAIN " + secret(), b"454 no\r\n" + YES]
    yield "amid a mail", [*MAIL[:4], b"AUTH PLAIN " + secret(), b"503 not now", b"AUTH LOGIN", ask, user(), NO, *MAIL[4:]]
    yield "tabs, blanks, an equals sign", [b"AUTH\tPLAIN\t" + secret(), NO, b" AUTH PLAIN " + secret(), b"500 no", b"AUTH=PLAIN " + secret(), b"500 no",
                                           b"AUTH  PLAIN  " + secret(), NO, b"AUTH " + secret(), NO]
    yield "Exchange's own", [b"X-EXPS LOGIN", ask, secret(), b"334 UGFzc3dvcmQ6", secret(), YES, b"X-EXPS NTLM " + secret(), b"334 " + secret(), secret(), YES]
    yield "of endless length", [b"AUTH PLAIN " + secret(b"\0me\0", 9000), b"500 line too long", b"AUTH PLAIN", b"334 ", secret(b"\0me\0", 9000), b"500 line too long"]
    yield "a lone line end", [b"AUTH LOGIN\n" + user() + b"\n" + secret(), ask + b"\n334 UGFzc3dvcmQ6\n" + NO]


def with_turns(lines):
    """The client's and the server's by turns; where one has none it says nothing."""
    return [(CLIENT if i % 2 else SERVER, line + b"\r\n") for i, line in enumerate([*HELLO, *lines]) if line]


def variants(steps, number):
    """The same dialogue, as taps may see it."""
    def add(steps, **how):
        out.append(connection(number + len(out), steps, **how))
    out = []
    add(steps)
    add(steps, sides=(True, False))
    add(steps, sides=(False, True))
    add(steps, begin=False, sides=(True, False))
    if sum(len(b) for _, b in steps) < 3000:
        add([(side, bytes([c])) for side, data in steps for c in data])
    for i in range(len(steps)):
        add(steps, unseen={i})
        add(steps, unseen={i, i + 1})
        add(steps[i:], begin=False)
        add(steps[:i + 1], end=False)
        side, data = steps[i]
        if len(data) < 12 or i < len(HELLO):
            continue
        for at in (3, 5, len(data) // 2, len(data) - 9, len(data) - 2):
            cut = [*steps[:i], (side, data[:at]), (side, data[at:]), *steps[i + 1:]]
            add(cut, unseen={i})
            add(cut, unseen={i + 1})
            add(cut, unseen={i}, sides=(side == CLIENT, side == SERVER))
    return out


SCRIPT = """
local function tell(stream, fields) log(stream, fields) end
function on_request(scene, command, argument) tell("heard", {command = command, argument = argument}) end
function on_reply(scene, code, text, command) tell("heard", {code = code, text = text, command = command}) end
function on_data(scene, line, where) tell("heard", {line = line}) end
function on_session(s)
  tell("heard", {helo = s.helo or "", reply = s.last_reply or "", error = s.last_error or "", banner = s.banner or ""})
  if s.last_error then print(s.last_error) end
end
function on_mail(m) notice{note = "Test::Mail", msg = m.last_error or m.last_reply or "none", sub = m.subject or "", identifier = m.uid} end
"""


def leaks(outputs, hidden=marks):
    """[(output, what was around it)]"""
    found = []
    for name, data in outputs.items():
        for i in range(len(data) - WINDOW + 1):
            if data[i:i + WINDOW] in hidden:
                found.append((name, data[max(0, i - 200):i + 60]))
                break
    return found


def run(path, *args):
    """All that it prints and writes."""
    out = Path(tempfile.mkdtemp(dir=FOLDER))
    result = mailtap("read", "-s", "country_databases=none", *args, path)
    folder = mailtap("read", "-s", "country_databases=none", *args, "-o", out, path)
    outputs = {"standard output": result.stdout, "standard error": result.stderr, "standard error of -o": folder.stderr}
    outputs.update({p.name: p.read_bytes() for p in out.iterdir()})
    ok(result.returncode == 0 and folder.returncode == 0, "it reads", result.stderr.decode(errors="replace")[-2000:])
    return outputs


def who(path, script):
    """Names of users: in logins and their events alone, and nowhere where the owner says so."""
    outputs = run(path, "-f", "json", "--script", script)
    found = leaks({k: v for k, v in outputs.items() if k not in ("smtp_session.log", "standard output")}, names)
    ok(not found, "no name of a user but in sessions", *found)
    sessions = [json.loads(line) for line in outputs["smtp_session.log"].splitlines()]
    told = [login["user"].encode() for s in sessions for login in s.pop("logins", ()) if "user" in login]
    found = leaks({"sessions": json.dumps(sessions).encode()}, names)
    ok(not found and len(told) > 100, "and there in logins", len(told), *found)
    ok(all(windows(t) <= names for t in told if t != b"me"), "where nothing else is told", told[:5])
    found = leaks(run(path, "-f", "json", "--script", script, "--events", "-s", "auth_user=no"), marks | names)
    ok(not found, "auth_user=no: no name anywhere", *found)


def over_the_wire():
    groups, number, plain = [], 0, []
    for name, lines in dialogues():
        made = variants(with_turns(lines), number)
        number += len(made)
        groups.append((name, made))
    path = capture(FOLDER / "all.pcap", [c for _, made in groups for c in made])
    script = FOLDER / "all.lua"
    script.write_text(SCRIPT)
    ok(number > 1000, "%d connections carry secrets" % number)
    for args in (("-f", "json", "--script", script, "--events"), ("-f", "text", "--script", script), ("-f", "zeek"), ("-f", "smtp-ext"), ("-f", "ecs"), ("-f", "eve"),
                 ("-f", "json", "--workers", "3"), ("-f", "json", "-s", "ports=25", "--events"), ("-f", "json", "-s", "hold_bytes=1KiB", "-s", "command_bytes=512B", "--events")):
        outputs = run(path, *args)
        found = leaks(outputs)
        size = sum(map(len, outputs.values()))
        ok(not found and size > 20000, "no secret in %d bytes of %s" % (size, " ".join(a.name if isinstance(a, Path) else a for a in args)), *found)
        if found:  # in which dialogue?
            for name, made in groups:
                found = leaks(run(capture(FOLDER / "one.pcap", made), *args))
                plain.append((name, found)) if found else None
            print("\n".join("# leaks: %s: %s" % item for item in plain), flush=True)
            break
    who(path, script)
    smtp, http = Smtp(), Http()
    policy = FOLDER / "policy.yaml"
    policy.write_text("email_server: %s\nwebhook_url: %s\nemail_from: mailtap@example.org\nemail_to: [x@example.org]\nemail_interval: 1s\nemail_rate: 10000\n"
                      "blocklist_kinds: [listed, query_failed, policy, rate_limit, authentication]\nsuppress_for: 0s\n"
                      "notice_policy:\n  - {note: \"*\", actions: [log, email, webhook]}\n" % (smtp.url, http.url))
    few = capture(FOLDER / "few.pcap", [c for _, made in groups for c in made[::9]])
    outputs = run(few, "-f", "json", "-c", policy, "--script", script)
    outputs["email"] = b"\n".join(m.raw for m in smtp.mails)
    outputs["webhook"] = b"\n".join(p if isinstance(p, bytes) else p.encode() for p in http.posts)
    ok(len(outputs["email"]) > 1000 and len(http.posts) > 50, "notices go out by email and webhook", len(outputs["email"]), len(http.posts))
    found = leaks(outputs)
    ok(not found, "without a secret in them", *found)


def of_settings():
    """The owner's own passwords."""
    password = secret().decode().rstrip("=")
    marks.update(windows(password.encode()))
    keyfile = FOLDER / "password"
    keyfile.write_text(password + "\n")
    path = capture(FOLDER / "blocked.pcap", [connection(1, with_turns([*MAIL[:2], b"RCPT TO:<b@example.net>", b"554 5.7.1 blocked using zen.spamhaus.org", *BYE]))])
    policy = FOLDER / "settings.yaml"
    smtp, http, closed = Smtp(auth=True), Http(status=403), free_port()
    rows = "email_from: m@example.org\nemail_to: [x@example.org]\nretry_first: 50ms\nretry_most: 100ms\ncourier_wait: 1s\nnotice_policy:\n  - {note: \"*\", actions: [log, %s]}\n"
    mail = "email_server: smtp://127.0.0.1:%d\nemail_user: me\nemail_password_file: %s\n"
    marks.update(windows(base64.b64encode(b"\0me\0" + password.encode())[8:-4]))
    wrong = Smtp(auth=True, mode="auth", reply=b"535 5.7.8 wrong:")
    cases = {  # name: settings, what is said, in which no password is
        "a server that takes them": (mail % (smtp.port, keyfile), "1 notices delivered"),
        "a server that is not there": (mail % (closed, keyfile), "Connection refused; retrying"),
        "a server that refuses them": (mail % (wrong.port, keyfile), "(535 5.7.8); retrying"),
        "no webhook there": ("webhook_url: http://me:%s@127.0.0.1:%d/%s?key=%s\n" % (password, closed, password, password), "http://127.0.0.1:%d: Connection refused" % closed),
        "a webhook that refuses": ("webhook_url: http://me:%s@127.0.0.1:%d/%s\n" % (password, http.port, password), "403"),
        "an at sign in it": ("webhook_url: http://me:@%s@127.0.0.1:%d/\n" % (password, closed), "http://127.0.0.1:%d" % closed),
        "a slash in it": ("webhook_url: http://me:1/%s@127.0.0.1:%d/\n" % (password, closed), "webhook: http://...: "),
        "a slash before it": ("webhook_url: http://me:/%s@127.0.0.1:%d/\n" % (password, closed), "http://..."),
        "a hash behind it": ("webhook_url: http://me:%s#x@127.0.0.1:%d/\n" % (password, closed), "http://... is no URL"),
        "another scheme": ("webhook_url: ftp://me:%s@127.0.0.1/\n" % password, "ftp://127.0.0.1: the scheme must be"),
        "no scheme": ("webhook_url: me:%s@127.0.0.1\n" % password, "webhook_url"),
        "no host": ("webhook_url: 'http://me:%s@'\n" % password, "is no URL"),
        "nothing behind it": ("webhook_url: 'http://me:%s'\n" % password, "http://... is no URL"),
        "an email server with it": ("email_server: smtp://me:%s@127.0.0.1\n" % password, "a user stands in email_user"),
        "an email server of another scheme": ("email_server: http://me:%s@127.0.0.1\n" % password, "the scheme must be"),
    }
    for name, (text, says) in cases.items():
        policy.write_text(text + rows % ("email" if "email" in text else "webhook"))
        for kind in "json", "text":
            result = mailtap("read", "-f", kind, "-c", policy, "-s", "country_databases=none", path)
            found = leaks({"standard output": result.stdout, "standard error": result.stderr})
            ok(not found and says.encode() in result.stderr, "settings, %s, %s" % (name, kind), *found, result.stderr.decode(errors="replace"))
    result = mailtap("read", "-f", "json", "-s", "webhook_url=http://me:%s@[::1/" % password, path)
    ok(not leaks({"err": result.stderr}) and b"is no URL" in result.stderr, "nor where it is no URL at all", result.stderr)


over_the_wire()
of_settings()
done()
