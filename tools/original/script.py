"""smtp-ext.bro as it should have been: a capture to its records and notices. Every rule of docs/differences-from-smtp-ext.md is a
switch here; without them all this is about what the script did on Bro 1.5.3, with them all what mailtap must do."""
import ipaddress
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from dialogue import Dialogue
from header import (address_of, decoded, file_names, header_and_body, inside, mentions, plain, read_fields, read_path,
                    split_addresses)

CAPTURE = {"AllHosts": "all", "LocalHosts": "local", "RemoteHosts": "remote", "NoHosts": "none"}
COUNTRIES = {"198.18.1.0/24": "CN", "198.18.2.0/24": "RU", "198.18.3.0/24": "US"}
TEXTS = ("helo", "mailfrom", "date", "from", "reply_to", "subject", "msg_id", "in_reply_to", "x_originating_ip",
         "received_from_originating_ip", "first_received", "second_received", "last_reply", "agent")
SETS = ("rcptto", "to", "files")
FIELDS = TEXTS + SETS + ("path", "is_webmail", "ts")
WEBMAIL = (rb"iPlanet Messenger|Sun Java\(tm\) System Messenger Express|SquirrelMail|NeoMail|Roundcube|RainLoop|SnappyMail|SOGoMail|"
           rb"Open-Xchange Mailer|Horde|.*(?:\(IMP\)|ZimbraWebClient|Internet Messaging Program)")
# What the script looked for in a refusal.
SCRIPT_LISTS = re.compile(rb"spamhaus\.org/|sophos\.com/security/|spamcop\.net/bl|cbl\.abuseat\.org/|sorbs\.net/|bsn\.borderware\.com/|"
                          rb"mail-abuse\.com/|bbl\.barracudacentral\.com/|psbl\.surriel\.com/|antispam\.imp\.ch/|dyndns\.com/.*spam|"
                          rb"rbl\.knology\.net/|intercept\.datapacket\.net/")


def words(config, name):
    """What the config adds to a set, or sets it to."""
    return [w.strip() for m in re.findall(r"redef (?:\w+::)?%s \+?= \{(.*?)\}" % name, config, re.S) for w in m.split(",") if w.strip()]


@dataclass
class Config:
    capture: str = "local"
    local_nets: list = field(default_factory=list)
    networks: list = field(default_factory=list)
    countries: list = field(default_factory=list)
    geoip: bool = False
    verify: bool = False
    strange: list = field(default_factory=list)  # lines that mean nothing here

    @classmethod
    def read(cls, text):
        known = r"(redef (SMTP::)?(mail_path_capture|local_nets|suspicious_origination_(networks|countries)) \+?= .*;|#flag:(geoip|checksums)|# .*|#|)\s*"
        strange = [line for line in text.split("\n") if not re.fullmatch(known, line)]
        text = "\n".join(line for line in text.split("\n") if not line.startswith("# "))
        capture = re.search(r"mail_path_capture = (?:\w+::)?(\w+)", text)
        nets = lambda name: [ipaddress.ip_network(n) for n in words(text, name)]
        countries = [w.strip('"') for w in words(text, "suspicious_origination_countries")]
        return cls(CAPTURE[capture[1]] if capture else "local", nets("local_nets"), nets("suspicious_origination_networks"), countries,
                   "#flag:geoip" in text, "#flag:checksums" in text, strange)

    def settings(self, mmdb):
        """As mailtap's. An empty country names none, so it cannot be given."""
        yield "mail_path_capture=" + self.capture
        if self.local_nets:
            yield "local_nets=" + ",".join(map(str, self.local_nets))
        if self.verify:
            yield "checksums=verify"
        yield "country_databases=" + str(mmdb)
        if self.networks:
            yield "suspicious_origination_networks=" + ",".join(map(str, self.networks))
        if any(self.countries):
            yield "suspicious_origination_countries=" + ",".join(filter(None, self.countries))


PRIVATE = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128")]


class Lists:
    """data/blocklists.yaml: the rows, of which one speaks for a refusal."""

    def __init__(self, path):
        self.rows = []
        for line in Path(path).read_text().split("\n"):
            if m := re.match(r"- name: (.*)", line):
                self.rows.append([m[1], None, [], False])
            elif m := re.match(r"  kind: (\w+)", line):
                self.rows[-1][1] = m[1]
            elif line == "  lists: domains":
                self.rows[-1][3] = True
            elif m := re.match(r"(?:  pattern:|    -) '(.*)'$", line):
                self.rows[-1][2].append(re.compile(m[1].replace("''", "'").replace("(*COMMIT)", "").encode(), re.I))
        self.rows.sort(key=lambda row: row[1] != "query_failed")

    def kind(self, text):
        """The kind, "domains" where the list has no addresses; None."""
        row = next((row for row in self.rows if any(p.search(text) for p in row[2])), None)
        return row and ("domains" if row[3] and row[1] == "listed" else row[1])


def said_by_server(text):
    """Without mail addresses in brackets, which a server repeats."""
    return re.sub(rb"<([^>]*)>", lambda m: b"<" + (b" " * len(m[1]) if b"@" in m[1] else m[1]) + b">", text)


def is_smtp(connection, on):
    ports = connection.resp[1] in (25, 587)
    if not on("ports") and not ports:
        return False
    if not on("ipv6") and ":" in connection.orig[0]:
        return False
    sides = {side for _, side, _, _ in connection.steps}
    if not on("one-sided") and len(sides) < 2:
        return False
    if not on("midstream") and not connection.syn:
        return False
    text = [b"".join(what for _, s, what, _ in connection.steps if s == side and isinstance(what, bytes)) for side in (0, 1)]
    client = re.search(rb"(?:^|\n)(?:HELO|EHLO|LHLO)[ \t]|(?:^|\n)MAIL FROM[ \t]*:|(?:^|\n)RCPT TO[ \t]*:", text[0], re.I)
    return bool(client) or ports and bool(re.match(rb"[2-5]\d\d", text[1]))


def without_proxy(connection):
    """Without what was said to an HTTP proxy before it connected."""
    first = next((what for _, side, what, _ in connection.steps if side == 0), b"")
    if not isinstance(first, bytes) or not first.startswith(b"CONNECT "):
        return connection
    left, out = [b"", b""], []
    done = [False, False]
    for time, side, what, packet in connection.steps:
        if not done[side] and isinstance(what, bytes):
            left[side] += what
            if b"\r\n\r\n" not in left[side]:
                continue
            what, done[side] = left[side].split(b"\r\n\r\n", 1)[1], True
        if what:
            out.append((time, side, what, packet))
    return replace(connection, steps=out)


def path_of(text):
    """The path after FROM: or TO:, up to its closing bracket outside of quotes, or to the first blank."""
    bracket, quoted, i = text[:1] == b"<", False, 0
    i = int(bracket)
    while i < len(text):
        c = text[i:i + 1]
        if c == b"\\" and quoted:
            i += 1
        elif c == b'"':
            quoted = not quoted
        elif not quoted and (c == b">" if bracket else c in (b" ", b"\t")):
            break
        i += 1
    i = min(i, len(text))
    return b"<>" if bracket and i == 1 and i < len(text) else text[int(bracket):i]


def escaped(text):
    """As fmt of Bro 1.5 wrote it."""
    byte = lambda c: b"\\x%02x" % c if c > 127 else b"\\0" if not c else b"^" + bytes([c ^ 64]) if c < 32 or c == 127 else bytes([c])
    return b"".join(map(byte, text))


class Script:
    """`found`: the connections of the capture; `dialogue`: what reads one."""

    def __init__(self, found, config, lists, on, dialogue=Dialogue):
        self.config, self.lists, self.on = config, lists, on
        self.records, self.sessions, self.notices = [], [], []
        for c in found:
            c = without_proxy(c) if on("ports") else c
            if not is_smtp(c, on):
                continue
            d = dialogue(c, on)
            records = [self.record(c, d, m) for m in d.mails]
            self.records += records
            self.session(c, d)
            self.block_lists(c, d)
            for r in records:
                self.origins(c, r)

    def sender(self, arg):
        if arg is None:
            return b""
        if self.on("quoted-blank"):
            path = path_of(arg)
            whole = path if path == b"<>" or arg[:1] != b"<" else b"<" + path + b">"
        else:
            whole = re.split(rb"[ \t]", arg)[0]
        return whole[1:-1] if self.on("brackets") and whole != b"<>" and whole[:1] == b"<" else whole

    def recipient(self, arg):
        if self.on("parameters"):
            path = path_of(arg)
            arg = path if path == b"<>" or arg[:1] != b"<" else b"<" + path + b">"
        return arg[1:-1] if self.on("brackets") and arg != b"<>" and arg[:1] == b"<" and arg[-1:] == b">" else arg

    def record(self, c, d, mail):
        on = self.on
        header, _ = header_and_body(mail.text, on) if not mail.headless else ([], [])
        got = read_fields(header, on)
        received = got["received"]
        text = lambda name: decoded(got.get(name) or b"", on)
        path, cut, last = read_path(received, c.orig[0], c.resp[0], self.config, on)
        values = [v for v, _, _ in received if v is not None]
        first = decoded(values[-1], on) if values else b""
        if len(values) > 1:
            second = decoded(values[-2], on)
        elif values and not on("second-received"):
            second = decoded(received[-1][1].strip(b" \t") if on("trim") else received[-1][1].lstrip(b" \t"), on)
        else:
            second = first
        to = [decoded(t, on) for v in got["to"] for t in (split_addresses(v) if on("address-list") else [v])]
        agent = text("agent")
        helo = mail.helo if on("helo-of-mail") else mail.later_helo or mail.helo
        helo = helo if on("idle") or not mail.forgotten else b""
        record = {"ts": mail.time if on("time") else None, "number": mail.number, "began": mail.time,
                  "ends": (c.orig, c.resp), "mail": mail,
                  "helo": plain(helo or b"", on), "mailfrom": plain(self.sender(mail.sender), on),
                  "rcptto": [plain(self.recipient(r), on) for r in mail.rcpts], "to": to,
                  "files": [plain(f, on) for f in file_names(mail, on)] if mail.text else [],
                  "agent": agent, "is_webmail": bool(re.match(WEBMAIL, agent, re.I | re.S)),
                  "lost": mail.idle and not on("idle"),
                  "x_originating_ip": got.get("x_originating_ip", b""), "received_from_originating_ip": last,
                  "first_received": first, "second_received": second, "path": path, "cut": cut,
                  "last_reply": self.last_reply(d, mail)}
        record.update({name: text(name) for name in ("date", "from", "reply_to", "subject", "msg_id", "in_reply_to")})
        if not on("repeats"):
            for name in SETS:
                record[name] = list(dict.fromkeys(record[name]))
        return record

    def last_reply(self, d, mail):
        mine = [r for r in d.replies if (r.mail if self.on("reply-pairing") else r.arrived) is mail and r.error]
        return self.reply_text(mine[-1]) if mine else b""

    def reply_text(self, reply):
        lines = reply.lines if self.on("reply-lines") else reply.lines[-1:]
        text = b"%d " % reply.code + (b" ".join(lines) if self.on("trim") else b" ".join(lines).lstrip(b" \t"))
        text = text.rstrip(b" ") if self.on("trim") else text
        return plain(text, self.on) if self.on("utf8") else escaped(text)

    def session(self, c, d):
        outside = [r for r in d.replies if r.error and not r.mail]
        self.sessions.append({"ends": (c.orig, c.resp), "first": c.first, "helo": plain(d.helos[-1], self.on) if d.helos else b"",
                              "helos": d.helos, "last_error": self.reply_text(outside[-1]) if outside else b"",
                              "errors": [r for r in d.replies if r.error], "idle": any(m.idle for m in d.mails)})

    # Notices.

    def notice(self, c, note, msg, sub):
        sub = plain(sub, self.on)
        self.notices.append({"ends": (c.orig, c.resp), "note": note, "msg": msg, "sub": sub})

    def block_lists(self, c, d):
        on = self.on
        for reply in d.replies:
            if not reply.error or reply.before and not on("greeting-notice"):
                continue
            for text in [b" ".join(reply.lines)] if on("reply-lines") else reply.lines:
                kind = self.lists.kind(said_by_server(text)) if on("list-forms") else "listed" if SCRIPT_LISTS.search(text) else None
                if kind in ("listed", "domains", "query_failed"):
                    self.block_list(c, text, kind)

    def block_list(self, c, text, kind):
        on, host = self.on, ipaddress.ip_address(c.orig[0])
        found = list(mentions(said_by_server(text) if on("reply-addresses") else text, on))
        if on("reply-addresses"):
            local = lambda a: inside(a, self.config.local_nets) or inside(a, PRIVATE)
            stranger = not local(host) and local(ipaddress.ip_address(c.resp[0]))
            ours = [a for a in found if inside(a, self.config.local_nets) and str(a) != c.resp[0] and not stranger]
            named = None if kind == "domains" else host if host in found else ours[0] if ours else None
        else:
            named = host if found[:1] == [host] else None
        if kind == "query_failed":
            self.notice(c, "SMTP_BL_Error_Message", "%s was refused by a server that could not ask an SMTP block list" % host, text)
        elif named:
            self.notice(c, "SMTP_BL_Blocked_Host", "%s is on an SMTP block list" % named, text)
        else:
            self.notice(c, "SMTP_BL_Error_Message", "%s received an error message mentioning an SMTP block list" % host, text)

    def origins(self, c, record):
        texts = [record["x_originating_ip"], record["received_from_originating_ip"]]
        for text in texts[:1] + [t for t in texts[1:] if t != texts[0]]:
            address = address_of(text) if text else None
            if address is None and text and not self.on("originating-address"):
                address = ipaddress.ip_address("0.0.0.0")
            if address is None:
                continue
            country = next((code for net, code in COUNTRIES.items() if address.version == 4 and address in ipaddress.ip_network(net)), "")
            country = country if self.config.geoip else ""
            wanted = [w.upper() for w in self.config.countries] if self.on("country-case") else self.config.countries
            wanted = [w for w in wanted if w] if self.on("empty-country") else wanted
            if country in wanted or inside(address, self.config.networks):
                form = "An email originated from %s." % address if not country and self.on("unknown-country") else \
                    "An email originated from %s (%s)." % (country, address)
                subject = record["subject"] if self.on("utf8") else escaped(record["subject"])
                self.notice(c, "SMTP_Suspicious_Origination", form, b"Subject: " + subject)
