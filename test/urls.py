#!/usr/bin/python3
"""URLs through the whole program: one mail by hand, and those of the shared mails, held to an independent reading by Python's email, html.parser and re."""
import base64
import email
import email.policy
import html.parser
import json
import re
import tempfile
from pathlib import Path

import jsonschema

from mailwire import write_capture
from tap import done, mailtap, need_shared, ok, parts_of

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-urls-"))


def records(messages, *args):
    capture = FOLDER / "mails.pcap"
    write_capture(capture, messages)
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", "-s", "hash=none", *args, capture)
    ok(r.returncode == 0, "%d mails are read" % len(messages), r.stderr.decode(errors="replace"))
    found = [json.loads(line) for line in r.stdout.splitlines()]
    return [r for r in found if r["_path"] == "smtp"]


def same(name, got, want):
    ok(got == want, name, "got  %r" % (got,), "want %r" % (want,))


# What a browser and a mail program read, by other means.
LINKS = {"href", "src", "action", "background", "formaction", "data", "poster", "xlink:href", "longdesc", "cite"}
SCANNED = {"style", "srcset", "imagesrcset"}
BEGIN = r"(?:(?:https?|(?<![a-z])ftp)://|(?<![a-z0-9._@-])www\.)"
ENDS = "\x00-\x20\x7f<>\"`\\\\\u00a0\u00ab\u00bb\u2000-\u200b\u2018-\u201f\u2028\u2029\u202f\u2039\u203a\u3000-\u303f"
URL = re.compile(BEGIN + "[^" + ENDS + "]+", re.I)
QUOTED = re.compile(BEGIN + "[^" + ENDS + "'()]+", re.I)


def cut_brackets(url):
    depth = 0
    for i, c in enumerate(url):
        depth += (c == "[") - (c == "]")
        if depth < 0:
            return url[:i]
    return url


def in_text(text):
    for m in URL.finditer(text):
        url = cut_brackets(m[0])
        while url and (url[-1] in ".,;:!?'*" or (url[-1] == ")" and url.count(")") > url.count("(")) or (url[-1] == "}" and url.count("}") > url.count("{"))):
            url = url[:-1]
        yield url


def in_quotes(text):
    for m in QUOTED.finditer(text):
        yield cut_brackets(m[0]).rstrip(",")


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found, self.in_link, self.raw = [], False, False

    def handle_starttag(self, tag, attrs):
        self.raw = tag in ("script", "style")
        for name, value in attrs:
            value = value or ""
            if name in LINKS:
                url = re.sub("[\t\r\n]", "", value).strip("".join(map(chr, range(33))))
                if re.match(r"https?:|ftp:|[/\\]{2}.|www\.", url, re.I):
                    self.found.append(url)
                    self.in_link |= tag in ("a", "area") and name == "href"
            elif name in SCANNED or (name == "content" and tag == "meta"):
                self.found += in_quotes(value)

    def handle_endtag(self, tag):
        self.raw = False
        self.in_link &= tag != "a"

    def handle_data(self, data):
        if self.raw:
            self.found += in_quotes(data)
        elif not self.in_link:
            self.found += in_text(data)

    def handle_comment(self, data):
        if data.startswith("[if"):  # for Outlook
            inside = Page()
            inside.feed(data.split(">", 1)[-1])
            inside.close()
            self.found += inside.found


def has_host(url):
    """Enough of one to lead anywhere."""
    rest = re.sub(r"^(https?:|ftp:)?[/\\]*", "", url, flags=re.I)
    host = re.split(r"[/\\?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    if url.lower().startswith("www."):
        return re.fullmatch(r"www\.[\w-]+(\.[\w-]+)+\.*(:\d*)?", host, re.I) is not None
    return re.fullmatch(r"(\[[0-9a-f:.]+\]|[\w%-]+(\.[\w%-]+)*)\.*(:.*)?", host, re.I) is not None


def by_python(raw):
    found = []
    for part in email.message_from_bytes(raw, policy=email.policy.compat32).walk():
        kind, name = part.get_content_type(), part.get_filename() or ""
        if part.is_multipart() or kind in ("message/rfc822", "message/global"):
            continue
        page = kind in ("text/html", "application/xhtml+xml", "image/svg+xml") or str(name).lower().endswith((".html", ".htm", ".xhtml", ".shtml", ".svg"))
        if not page and not kind.startswith(("text/", "message/")) and not str(name).lower().endswith((".txt", ".url", ".ics", ".csv")):
            continue
        text = (part.get_payload(decode=True) or b"").decode("utf-8", "surrogateescape")
        if page:
            reader = Page()
            reader.feed(text)
            reader.close()
            found += reader.found
        else:
            found += in_text(text)
    return [u.encode("utf-8", "surrogateescape") for u in found if has_host(u)]


def corpus():
    folder = need_shared("mail")
    paths = sorted(p for p in folder.rglob("*") if p.suffix in (".eml", ".msg", ".raw"))
    found = {r.get("mailfrom"): r for r in records([p.read_bytes() for p in paths])}
    for number, path in enumerate(paths):
        record = found.get("m%d@corpus.example" % number, {})
        yield path, {u["url"] for u in record.get("urls", [])}, record


def readable(url):
    try:
        return url.decode("utf-8")
    except UnicodeDecodeError:
        return url.decode("windows-1252", "replace")


def held_to_python():
    """Every URL of every shared mail, both ways."""
    faults, count = [], 0
    for path, got, record in corpus():
        want = {readable(u) for u in by_python(path.read_bytes())}
        count += len(want)
        faults += ["%s: not by Python: %r" % (path.name, u) for u in sorted(got - want)]
        faults += ["%s: by Python alone: %r" % (path.name, u) for u in sorted(want - got)]
    ok(not faults and count > 80, "%d URLs of the shared mails are those that Python finds" % count, *faults)


PAGE = """<html><body><p>See https://text.example/a?b=3D1&amp;c, write to www.text.example.</p>
<a href=3D"https://nam.safelinks.protection.outlook.com/?url=3Dhttps%3A%2F%2Fwww.g=
oogle.com%2Furl%3Fq%3Dhttps%253A%252F%252Fevil.example%252Fx&amp;data=3D1">https://www.ba=
nk.com/login</a><a href=3D"http://b=C3=BCcher.example/">b=C3=BCcher</a>
<a href=3D"http://0x7f.1/">x</a><a href=3D"https://text.example/a?b=3D1&amp;c">again</a><img src=3D"cid:1"></body></html>
"""
MIXED = """From: a@example.net
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain

Plain <http://plain.example/a>.
--x
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

%s--x
Content-Type: application/octet-stream; name="invoice.HTM"
Content-Transfer-Encoding: base64

%s
--x
Content-Type: image/png
Content-Transfer-Encoding: base64

%s
--x
Content-Type: message/rfc822

Subject: attached

http://attached.example
--x--
""" % (PAGE, base64.encodebytes(b"<form action='http://form.example/'>").decode(), base64.encodebytes(b"http://picture.example").decode())


def by_hand():
    raw = MIXED.encode()
    mail = records([raw])[0]
    urls = mail["urls"]
    same("all of them, in order, each once", [u["url"] for u in urls],
         ["http://plain.example/a", "https://text.example/a?b=1&c", "www.text.example",
          "https://nam.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F%252Fevil.example%252Fx&data=1",
          "http://b\u00fccher.example/", "http://0x7f.1/", "http://form.example/", "http://attached.example"])
    same("where they stand", [u["source"] for u in urls], ["text", "text", "text", "html", "html", "html", "html", "text"])
    same("in which part", [parts_of(mail)[u["part"]]["type"] for u in urls],
         ["text/plain"] + 5 * ["text/html"] + ["application/octet-stream", "text/plain"])
    same("hosts", [u["host"] for u in urls], ["plain.example", "text.example", "www.text.example", "nam.safelinks.protection.outlook.com",
                                              "xn--bcher-kva.example", "127.0.0.1", "form.example", "attached.example"])
    same("as people read them", [u.get("host_unicode") for u in urls if "host_unicode" in u], ["b\u00fccher.example"])
    same("what is wrapped twice", (urls[3].get("unwrapped"), urls[3].get("unwrapped_host")), ("https://evil.example/x", "evil.example"))
    same("a link that shows another host", [u.get("text") for u in urls if "text" in u], ["https://www.bank.com/login"])
    odd = [a for a in mail["anomalies"] if a["name"] == "link_text_other"]
    same("and that it does", odd, [{"name": "link_text_other", "offset": len(raw[:raw.index(b"<html>")].replace(b"\n", b"\r\n")), "text": "https://www.bank.com/login"}])
    ok("truncated" not in mail.get("flags", {}), "nothing was cut")

    same("none, where none are wanted", [r.get("urls") for r in records([raw], "-s", "url_items=0")], [None])
    few = records([raw], "-s", "url_items=2")[0]
    same("two, where that is the limit", ([u["url"] for u in few["urls"]], few["flags"]), ([u["url"] for u in urls[:2]], {"truncated": True}))
    exact = records([raw], "-s", "url_items=8")[0]
    same("all, where the limit is just met", (exact["urls"], exact.get("flags")), (urls, mail.get("flags")))
    long = records([b"Subject: x\n\nhttp://a.example/" + b"x" * 64 + b" http://b.example\n"], "-s", "url_bytes=64B")[0]
    same("a long one is cut", ([u["url"] for u in long["urls"]], long["flags"]), (["http://a.example/" + "x" * 47, "http://b.example"], {"truncated": True}))
    latin = records([b"Content-Type: text/plain; charset=iso-8859-1\n\nhttp://a.example/\xfc http://a.example/\xfc\n"])[0]
    same("bytes that are no UTF-8", [u["url"] for u in latin["urls"]], ["http://a.example/\u00fc"])
    many = "".join("http://h%d.example/ http://h%d.example/\n" % (i, i // 2) for i in range(3000)).encode()
    same("many", len(records([b"Subject: x\n\n" + many], "-s", "url_items=5000", "-s", "transaction_bytes=4MiB")[0]["urls"]), 3000)

    validator = jsonschema.Draft202012Validator(json.loads(mailtap("schema").stdout))
    invalid = [e.message for e in validator.iter_errors(mail)]
    ok(not invalid, "the schema knows all of it", *invalid)
    script = FOLDER / "urls.lua"
    script.write_text("""function on_mail(mail)
  local u = mail.urls[4]
  log("seen", {count = #mail.urls, host = u.host, unwrapped = u.unwrapped, text = u.text, part = u.part})
end
""")
    capture = FOLDER / "mails.pcap"
    write_capture(capture, [raw])
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", "--script", script, capture)
    seen = [json.loads(line) for line in r.stdout.splitlines() if b'"seen"' in line]
    same("a script sees them", [{k: v for k, v in s.items() if k not in ("_path", "ts")} for s in seen],
         [{"count": 8, "host": urls[3]["host"], "unwrapped": urls[3]["unwrapped"], "text": urls[3]["text"], "part": 1}])


by_hand()
held_to_python()
done()
