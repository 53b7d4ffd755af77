"""Captures of what hostile senders write, for the page: scripts wherever a text of theirs is shown, and characters that mean more than themselves."""
import base64
import subprocess
import sys

from tap import SOURCE

SCRIPT = "<script>window.hacked=1</script>"
IMAGE = "<img src=x onerror=window.hacked=1>"
# Of one mail each, in its subject, the name of its sender and that of its file.
ODD = [chr(c) for c in (*range(1, 9), 11, 12, *range(14, 32), 127)] + ["\u2028", "\u2029", "\u202e", "\u2066", "\u200b", "\ufeff", "\u00ad", "\ufffe", "\U0001f4a9",
       "a\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301", "\"'><b>", "{{7*7}}", "${7*7}", "&lt;script&gt;", "%3Cscript%3E", "\\\"><", "javascript:window.hacked=1", "data:text/html,<script>window.hacked=1</script>"]
TIME = 1795380000  # within the sample's week


def escaped(text):
    return "".join("\\x%02X" % b if b < 32 or b > 126 or b == 92 else chr(b) for b in text.encode())


def encoded(text):
    return "=?UTF-8?Q?%s?=" % "".join("=%02X" % b for b in text.encode())


def notices():
    """A reply that names a list, and more; a greeting, a user and a mail program's name that are tags."""
    return """@client 192.0.2.25:52001
@server 203.0.113.66:25
@time %d
S: 220 %s ESMTP Postfix %s
C: EHLO %s
S: 250-%s
S: 250-AUTH PLAIN
S: 250 %s
C: MAIL FROM:<"%s"@uni.example.org>
S: 250 ok
C: RCPT TO:<"%s"@evil.example>
S: 554 5.7.1 Client host [192.0.2.25] blocked using zen.spamhaus.org; %s %s https://www.spamhaus.org/query/ip/192.0.2.25
C: QUIT
S: 221 %s
""" % (TIME, IMAGE.replace(" ", "/"), SCRIPT, SCRIPT, IMAGE.replace(" ", "/"), SCRIPT, SCRIPT, SCRIPT, SCRIPT, IMAGE, SCRIPT)


def odd():
    """Many mails in one session."""
    lines = ["@client 203.0.113.67:52002", "@time %d" % (TIME + 60), "S: 220 mx1.uni.example.org ESMTP Postfix", "C: EHLO evil.example", "S: 250 mx1.uni.example.org"]
    for i, text in enumerate(ODD):
        lines += ["C: MAIL FROM:<odd%d@evil.example>" % i, "S: 250 ok", "C: RCPT TO:<kasse@uni.example.org>", "S: 250 ok", "C: DATA", "S: 354 go",
                  "C: Received: from %s (%s [203.0.113.68]) by %s with ESMTP; Sun, 22 Nov 2026 20:40:00 +0000" % (("x" + SCRIPT,) * 3),
                  "C: Subject: odd %d %s end" % (i, encoded(text)), "C: From: %s <odd%d@evil.example>" % (encoded("name " + text + " end"), i), "C: X-Mailer: %s/1" % escaped(text.strip() or "x"),
                  "C: Content-Type: application/octet-stream; name=\"=?UTF-8?B?%s?=\"" % base64.b64encode(("file " + text + ".txt").encode()).decode(), "C:",
                  "C: x", "C: .", "S: 250 2.0.0 Ok: queued as " + escaped(text.strip() or "x")]
    return "\n".join(lines + ["C: QUIT", "S: 221 bye", ""])


def captures(folder):
    """-> the file of a capture in the folder."""
    texts = []
    for name, text in (("notices", notices()), ("odd", odd())):
        texts.append(folder / (name + ".txt"))
        texts[-1].write_text(text)
    subprocess.run([sys.executable, SOURCE / "tools/mkpcap", folder / "hostile.pcap", *texts], check=True)
    return folder / "hostile.pcap"
