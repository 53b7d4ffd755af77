#!/usr/bin/python3
"""URLs through the whole program: one mail by hand, and those of the shared mails, held to an independent reading by Python's email, html.parser and re."""
import base64
import email
import email.policy
import html.parser
import json
import re
import sys
import tempfile
from pathlib import Path

import jsonschema

from mailwire import write_capture
from tap import done, mailtap, need_shared, ok

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


if __name__ == "__main__" and "--show" in sys.argv:
    for path, got, record in corpus():
        want = {readable(u) for u in by_python(path.read_bytes())}
        for url in sorted(got - want):
            print("ours  ", path.name, repr(url))
        for url in sorted(want - got):
            print("python", path.name, repr(url))
    sys.exit()
