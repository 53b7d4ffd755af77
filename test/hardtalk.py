"""Made-up SMTP dialogues for hardtrace.py: what both sides write, and the truth about each mail in it.

A Talk is a list of writes in causal order, and of spans: which bytes of which side's stream say what. The wire (hardwire.py) may
lose some of the bytes; hardtruth.py then works out from the spans what can still be known.
"""
from hardmail import address, compose


class Mail:
    def __init__(self, helo, tls):
        self.helo, self.tls = helo, tls
        self.mailfrom, self.rcpts, self.replies, self.fields, self.files = None, [], [], {}, []
        self.accepted, self.msg, self.hops = 0, [], []


class Span:
    """Bytes lo..hi of one side's stream. `group`: number of the exchange, all of whose bytes may be in flight at once."""

    def __init__(self, side, lo, hi, kind, mail, key, group):
        self.side, self.lo, self.hi, self.kind, self.mail, self.key, self.group = side, lo, hi, kind, mail, key, group
        self.piece = None


class Talk:
    def __init__(self, r, on):
        self.r, self.on = r, on
        self.sent, self.spans, self.writes, self.pending, self.group = [0, 0], [], [], ([], []), 0
        self.mails, self.open, self.helo, self.tls, self.tls_start = [], None, None, False, None
        self.banner, self.last, self.keywords, self.end, self.secrets, self.names = None, None, None, "fin", [], []
        self.eol = b"\n" if "barelf" in on else b"\r\n"
        self.lmtp, self.pipe, self.blast = "lmtp" in on, "pipe" in on or "mixes" in on or "blast" in on, "blast" in on
        self.eager = self.blast or "eager" in on

    # What goes out
    def put(self, side, data, kind, mail=None, key=None):
        s = Span(side, self.sent[side], self.sent[side] + len(data), kind, mail, key, self.group)
        self.spans.append(s)
        self.pending[side].append(data)
        self.sent[side] += len(data)
        return s

    def sync(self, force=False):
        """The client waits for all replies."""
        if self.blast and not force:
            return
        if self.pending[0]:
            self.writes.append((0, b"".join(self.pending[0])))
        parts = list(self.pending[1])
        if len(parts) > 1 and ("tiny" in self.on or self.r.random() < 0.7):
            parts = [b"".join(parts)]
        self.writes += [(1, p) for p in parts]
        self.pending = ([], [])
        self.group += 1

    def pause(self, seconds):
        self.sync(True)
        self.writes.append((2, seconds))

    def reply(self, code, text, mail=None, kind="reply", key=None):
        lines = text if isinstance(text, list) else [text]
        if "replies" in self.on and lines is not text:
            lines = self.r.choice([[""], [text], [text, text + " again"], ["one", "", "three"], ["x" * 70] * 9, ["", ""]])
        wire = b""
        for i, line in enumerate(lines):
            sep = "-" if i + 1 < len(lines) else " " if line or self.r.random() < 0.5 else ""
            wire += b"%d%s%s" % (code, sep.encode(), line.encode()) + self.eol
        said = ("%d %s" % (code, " ".join(lines))).rstrip(" ")
        s = self.put(1, wire, kind, mail, key)
        s.text, s.code = said, code
        self.last = said
        if mail:
            mail.replies.append(s)
        return said

    def line(self, text, kind, mail=None, key=None):
        if "odd" in self.on:
            verb = self.r.choice([str.upper, str.lower, str.title, str])(text[:4])
            text = verb + text[4:] + self.r.choice(["", "", " ", "\t"])
        return self.put(0, text.encode() + self.eol, kind, mail, key)

    def cmd(self, text, code, said, mail=None, kind="cmd", wait=False):
        self.line(text, kind, mail)
        self.reply(code, said, mail)
        if wait or not self.pipe:
            self.sync()

    # The session
    def greet(self):
        r, text = self.r, self.r.choice(["mx.example.com ESMTP Postfix", "mx.example.com ESMTP", "mx.example.com SMTP ready; be nice"])
        lines = [text]
        if "longgreet" in self.on:
            lines += ["Rule %d: no unsolicited mail. %s" % (i, "All is logged. " * 4) for i in range(r.choice([3, 30, 90]))]
        code = 220
        if "s421" in self.on and not self.on & {"altport", "lmtp"} and r.random() < 0.2:
            code = r.choice([421, 554])
        self.banner = self.reply(code, lines, None, "banner")[4:]
        if not self.blast or r.random() < 0.6:
            self.sync(True)
        if code != 220:
            if code == 554 and r.random() < 0.5:
                self.cmd("QUIT", 221, "2.0.0 bye")
            self.sync(True)
            self.end = "sfin"
        return code == 220

    def hello(self, verb=None, code=250, mail=None):
        r = self.r
        helo = "c%d.example.net" % r.randrange(10000)
        if "odd" in self.on:
            helo = r.choice([helo, "[192.0.2.7]", "[IPv6:2001:db8::7]", "localhost"])
        verb = verb or ("LHLO" if self.lmtp else r.choice(["EHLO", "EHLO", "HELO"]))
        self.helo = helo
        self.line("%s %s" % (verb, helo), "hello")
        if code != 250:
            self.reply(code, "5.5.1 not now")
        elif verb == "HELO":
            self.reply(250, "mx.example.com")
        else:
            words = ["PIPELINING", "SIZE 52428800", "CHUNKING", "STARTTLS", "AUTH LOGIN PLAIN CRAM-MD5", "8BITMIME"]
            words = r.sample(words, r.randrange(1, len(words)))
            self.reply(250, ["mx.example.com"] + words, None, "keywords")
            self.keywords = words
        self.sync()

    def begin(self, mailfrom=None, code=250):
        r = self.r
        m = self.open = Mail(self.helo, self.tls)
        self.mails.append(m)
        a = mailfrom or r.choice([address(r, "addrs" in self.on)] * 4 + ["<>"])
        m.mailfrom = a
        forms = ["MAIL FROM:<%s>", "MAIL FROM:<%s> SIZE=1000 BODY=8BITMIME"]
        if "odd" in self.on:
            forms += ["MAIL FROM: <%s>", "MAIL FROM:<%s>size=3", "MAIL  FROM:<%s>", "MAIL FROM :<%s>", "MAIL From:<%s> AUTH=<>", "MAIL\tFROM:<%s>"]
            if "strict" not in self.on and a != "<>" and " " not in a and a.isascii() and '"' not in a and not a.startswith("@"):
                forms += ["MAIL FROM:%s", "MAIL FROM: %s SIZE=4"]
        self.line(r.choice(forms) % ("" if a == "<>" else a), "mail", m)
        self.reply(code, "2.1.0 Ok" if code < 300 else "5.7.1 sender refused", m)
        if not self.pipe:
            self.sync()
        return m

    def rcpt(self, m, code=250):
        a = address(self.r, "addrs" in self.on)
        forms = ["RCPT TO:<%s>"]
        if "odd" in self.on:
            forms += ["RCPT TO: <%s>", "RCPT to:<%s> NOTIFY=NEVER", "RCPT TO:<%s>notify=never", "RCPT  TO:<%s>"]
        m.rcpts.append((a, self.line(self.r.choice(forms) % a, "rcpt", m)))
        m.accepted += code < 300
        self.reply(code, "2.1.5 Ok" if code < 300 else self.r.choice(["5.1.1 no such user", "4.7.1 greylisted", "5.7.1 no"]), m)
        if not self.pipe:
            self.sync()

    def envelope(self, refused=0.0):
        m = self.begin()
        for _ in range(self.r.choice([1, 1, 2, 3, 12])):
            self.rcpt(m, self.r.choice([550, 451, 554]) if self.r.random() < refused else 250)
        return m

    def final(self, m):
        """The replies to the end of data. The transaction is over with them."""
        r = self.r
        for _ in range(m.accepted if self.lmtp and m.accepted else 1):
            code, text = r.choice([(250, "2.0.0 Ok: queued as %X")] * 6 + [(550, "5.7.1 Message %X refused"), (452, "4.3.1 no room for %X")])
            self.reply(code, text % r.randrange(1 << 40), m)
        self.open = None
        if not (self.pipe and r.random() < 0.6):
            self.sync()

    def pieces(self, m, msg, stuff, lo=0, hi=1 << 60):
        """Bytes lo..hi of the message, each piece of it a span."""
        at = 0
        m.msg = msg
        for i, (kind, key, data) in enumerate(msg):
            part = data[max(0, lo - at) : max(0, hi - at)]
            at += len(data)
            if not part:
                continue
            plain = len(part)
            if stuff:
                nl = self.eol + b"."
                part = (b"." if part.startswith(b".") else b"") + part.replace(nl, nl + b".")
            s = self.put(0, part, kind, m, key)
            s.piece, s.plain = i, plain

    def message(self, m, form):
        msg = compose(self.r, m, form, self.on)
        if self.eol == b"\n":
            msg = [(k, key, d.replace(b"\r\n", b"\n")) for k, key, d in msg]
        return msg

    # Mails
    def mail_plain(self, form="plain"):
        m = self.envelope(0.4 if "mixes" in self.on else 0.1)
        self.data(m, form)

    def data(self, m, form="plain"):
        if not m.accepted:
            return self.no_recipients(m)
        self.line("DATA", "data", m)
        self.reply(354, "End data with <CR><LF>.<CR><LF>", m, "go")
        if not self.eager:
            self.sync()
        self.pieces(m, self.message(m, form), True)
        self.put(0, b"." + self.eol, "dot", m)
        self.final(m)

    def no_recipients(self, m):
        """RFC 2920 3.1: DATA that was sent along may be accepted all the same, and is then ended at once."""
        self.line("DATA", "data", m)
        if self.r.random() < 0.5 and not self.blast:
            self.reply(354, "go on", m, "go")
            self.sync()
            self.put(0, b"." + self.eol, "dot", m)
            self.reply(554, "5.5.1 no valid recipients", m)
        else:
            self.reply(self.r.choice([554, 503]), "5.5.1 no valid recipients", m)
            self.sync()
            self.reset()
        self.open = None
        self.sync()

    def reset(self):
        self.line("RSET", "rset")
        self.reply(250, "2.0.0 Reset")
        self.open = None
        if not self.pipe:
            self.sync()

    def mail_empty(self):
        self.data(self.envelope(), "empty")

    def mail_nohdr(self):
        self.data(self.envelope(), "nohdr")

    def mail_data_refused(self):
        m = self.envelope(0.3)
        self.line("DATA", "data", m)
        self.reply(self.r.choice([451, 554]), "4.3.0 not now", m)
        if self.eager:  # the text comes all the same, and each line of it is an unknown command
            for text in ["Subject: for the bin", "hello", "."]:
                self.line(text, "cmd", m)
                self.reply(502, "5.5.2 what?", m)
        self.sync()
        self.reset()

    def mail_refused(self):
        m = self.begin(code=self.r.choice([550, 451]))
        if self.pipe:
            for _ in range(2):
                self.rcpt(m, 503)
            self.line("DATA", "data", m)
            self.reply(503, "5.5.1 no MAIL", m)
            self.sync()
        if self.r.random() < 0.5 or self.on & {"between", "strays"}:
            self.reset()
        self.open = None

    def mail_rset_mid(self):
        m = self.begin()
        for _ in range(self.r.randrange(3)):
            self.rcpt(m)
        self.reset()

    def mail_mail_mail(self):
        """A second MAIL, which the server takes."""
        m = self.begin()
        self.rcpt(m)
        self.rcpt(self.begin())
        self.data(self.open)

    def mail_nested(self):
        """A second MAIL is refused (RFC 5321 4.1.1.2): the first one stays open, and the refused one is over first."""
        m = self.begin()
        self.rcpt(m)
        self.begin(code=503)
        self.mails.insert(-1, self.mails.pop())
        self.open = m
        if self.r.random() < 0.5:
            self.rcpt(m)
            self.data(m)
        else:
            self.reset()

    def mail_ehlo_mid(self):
        self.rcpt(self.begin())
        self.open = None
        self.hello()

    def mail_ehlo_mid_refused(self):
        m = self.begin()
        self.rcpt(m)
        self.hello(code=self.r.choice([503, 501]))
        self.rcpt(m)
        self.data(m)

    def chunks(self, m, form="plain"):
        msg = self.message(m, form)
        size = sum(len(d) for _, _, d in msg)
        cuts = sorted(self.r.randrange(size + 1) for _ in range(self.r.choice([0, 1, 2, 5])))
        if self.r.random() < 0.3:
            cuts.append(size)  # so that BDAT 0 LAST ends it
        cuts.append(size)
        lo = 0
        for i, hi in enumerate(cuts):
            last = i + 1 == len(cuts)
            yield msg, lo, hi, last
            lo = hi

    def mail_bdat(self):
        m = self.envelope()
        for msg, lo, hi, last in self.chunks(m):
            self.line("BDAT %d%s" % (hi - lo, " LAST" if last else ""), "bdat", m)
            self.pieces(m, msg, False, lo, hi)
            if not last:
                self.reply(250, "2.0.0 %d octets" % (hi - lo), m)
                if not self.pipe:
                    self.sync()
        self.final(m)

    def mail_bdat_refused(self):
        """The octets of a refused chunk come all the same (RFC 3030 2)."""
        m = self.envelope()
        bad = self.r.randrange(3)
        for i, (msg, lo, hi, last) in enumerate(self.chunks(m)):
            self.line("BDAT %d%s" % (hi - lo, " LAST" if last else ""), "bdat", m)
            self.pieces(m, msg, False, lo, hi)
            self.reply(250 if i < bad and not last else self.r.choice([554, 452]), "chunk %d" % i, m)
            if not self.pipe:
                self.sync()
                if i >= bad:
                    break
        self.reset()

    def mail_bdat_rset(self):
        m = self.envelope()
        msg, lo, hi, last = next(iter(self.chunks(m)))
        hi = max(1, hi // 2)
        self.line("BDAT %d" % hi, "bdat", m)
        self.pieces(m, msg, False, 0, hi)
        self.reply(250, "got it", m)
        if not self.pipe:
            self.sync()
        self.reset()

    def mail_vanish(self):
        """The client is gone amid of it: the record says what was known."""
        m = self.envelope()
        if self.r.random() < 0.8:
            self.line("DATA", "data", m)
            self.reply(354, "go", m, "go")
            self.sync()
            msg = self.message(m, "plain")
            size = sum(len(d) for _, _, d in msg)
            self.pieces(m, msg, True, 0, self.r.randrange(size))
        self.sync(True)
        self.end = self.r.choice(["fin", "rst", "vanish"])

    def mail_s421(self):
        m = self.begin()
        where = self.r.randrange(3)
        if where == 0:
            self.rcpt(m)
            self.sync(True)
            self.reply(421, "4.4.2 timeout", m)
        elif where == 1:
            self.line("RCPT TO:<late@example.org>", "rcpt", m)
            m.rcpts.append(("late@example.org", self.spans[-1]))
            self.reply(550, "5.1.1 no", m)
            self.line("RCPT TO:<later@example.org>", "rcpt", m)
            m.rcpts.append(("later@example.org", self.spans[-1]))
            self.reply(421, "4.7.0 too many errors", m)
        else:
            self.rcpt(m)
            self.line("DATA", "data", m)
            self.reply(354, "go", m, "go")
            self.sync(True)
            msg = self.message(m, "plain")
            self.pieces(m, msg, True, 0, self.r.randrange(1, sum(len(d) for _, _, d in msg)))
            self.sync(True)
            self.reply(421, "4.3.2 shutting down", m)
        self.sync(True)
        self.end = "sfin"


