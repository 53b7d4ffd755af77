"""Plays a whole made-up SMTP session for hardtrace.py: greeting, AUTH, TLS, mails of many kinds, oddities between them, the end."""
import base64
import hashlib

from hardtalk import Talk

MAIL_KINDS = ["empty", "nohdr", "data_refused", "refused", "rset_mid", "mail_mail", "nested", "ehlo_mid", "ehlo_mid_refused", "bdat", "bdat_refused", "bdat_rset"]
LAST_KINDS = ["vanish", "s421"]


def b64(text):
    return base64.b64encode(text.encode()).decode()


class Player(Talk):
    def secret(self, text):
        """A line of the client that must not be seen in any output."""
        if text not in ("*", "="):
            self.secrets.append(text)
        self.put(0, text.encode() + self.eol, "secret")

    def auth(self):
        r, wait = self.r, "mixes" not in self.on and not self.blast
        user, word = "user%d@example.com" % r.randrange(1000000), "pw-%x" % r.randrange(1 << 60)
        self.secrets.append(word)
        self.names.append(user)
        fate = r.choice(["ok", "ok", "bad", "cancel", "refused", "unknown"])
        end = {"ok": (235, "2.7.0 welcome"), "bad": (535, "5.7.8 no"), "cancel": (501, "5.7.0 cancelled")}.get(fate)
        form = r.choice(["plain-ir", "plain", "login", "login-ir", "cram", "tab", "empty"])
        plain = b64("\0%s\0%s" % (user, word))
        cram = "%s %s" % (user, hashlib.md5(word.encode()).hexdigest())
        self.secrets += [plain, b64(user), b64(word), b64(cram)]
        first = {"plain-ir": "AUTH PLAIN " + plain, "plain": "AUTH PLAIN", "login": "AUTH LOGIN", "login-ir": "AUTH LOGIN " + b64(user), "cram": "AUTH CRAM-MD5",
                 "tab": "AUTH PLAIN\t" + plain, "empty": "auth plain  =" }[form]
        turns = {"plain-ir": [], "tab": [], "plain": [("", plain)], "empty": [("", plain)], "login": [("VXNlcm5hbWU6", b64(user)), ("UGFzc3dvcmQ6", b64(word))],
                 "login-ir": [("UGFzc3dvcmQ6", b64(word))], "cram": [(b64("<1.2@mx.example.com>"), b64(cram))]}[form]
        self.put(0, first.encode() + self.eol, "cmd")
        if fate in ("refused", "unknown"):
            self.reply(*{"refused": (503, "5.5.1 AUTH not available"), "unknown": (504, "5.5.4 mechanism")}[fate])
            return self.sync()
        if fate == "cancel" and not turns:
            fate, end = "bad", (535, "5.7.8 no")
        for i, (challenge, answer) in enumerate(turns):
            self.put(1, b"334 " + challenge.encode() + self.eol, "challenge")
            if wait:
                self.sync()
            self.secret("*" if fate == "cancel" and i + 1 == len(turns) else answer)
        self.reply(*end)
        self.sync()

    def starttls(self, how):
        self.line("STARTTLS", "starttls")
        if how == "refused":
            self.reply(454, "4.7.0 TLS not available", None, "tls")
            return self.sync(True)
        self.reply(220, "2.0.0 Ready to start TLS", None, "tls")
        self.sync(True)
        self.tls, self.tls_start = True, "starttls"
        if how == "clear":
            return self.hello()
        r = self.r
        self.put(0, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + r.randbytes(506), "opaque")
        self.put(1, b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + r.randbytes(800), "opaque")
        self.sync(True)
        for _ in range(3):
            self.put(0, b"\x17\x03\x03\x02\x00" + r.randbytes(512), "opaque")
            self.put(1, b"\x17\x03\x03\x00\x40" + r.randbytes(64), "opaque")
            self.sync(True)
        self.end = r.choice(["fin", "rst", "vanish"])

    def xclient(self):
        self.cmd("XCLIENT ADDR=203.0.113.5 NAME=far.example.net", 220, "mx.example.com ESMTP", wait=True)
        self.hello()

    def between(self):
        """What belongs to no mail."""
        r = self.r
        kind = r.choice(["noop", "vrfy", "rset", "rset", "unknown", "mail", "help"] if "strays" not in self.on else ["rcpt", "data", "bdat"])
        if kind == "noop":
            self.cmd("NOOP", 250, "2.0.0 Ok")
        elif kind == "vrfy":
            self.cmd("VRFY anna", 252, "2.5.2 send some mail", wait=True)
        elif kind == "rset":
            self.reset()
        elif kind == "unknown":
            self.cmd("XFOO bar", 502, "5.5.2 what?")
        elif kind == "rcpt":
            self.cmd("RCPT TO:<nobody@example.org>", 503, "5.5.1 need MAIL")
        elif kind == "data":
            self.cmd("DATA", 503, "5.5.1 need RCPT", wait=True)
        elif kind == "mail":
            self.cmd(r.choice(["MAIL", "MAIL anna@example.com", "MAIL TO:<a@example.com>"]), 501, "5.5.4 syntax")
        elif kind == "help":
            self.cmd("HELP", 214, ["2.0.0 HELO EHLO MAIL", "2.0.0 RCPT DATA", "2.0.0 QUIT"], wait=True)
        else:
            octets = b"Subject: x\r\n\r\nMAIL FROM:<trap@example.org>\r\nDATA\r\n.\r\n"
            self.line("BDAT %d%s" % (len(octets), r.choice(["", " LAST"])), "cmd")
            self.put(0, octets, "octets")
            self.reply(503, "5.5.1 need MAIL")
            self.sync()

    def inside(self, m):
        """Commands and replies inside of a transaction that change nothing but last_reply."""
        r = self.r
        kind = r.choice(["noop", "unknown", "vrfy", "rcpt"])
        if kind == "noop":
            self.cmd("NOOP", 250, "2.0.0 still here", m, wait=True)
        elif kind == "unknown":
            self.cmd("XBAR", 500, "5.5.2 no such thing", m, wait=True)
        elif kind == "vrfy":
            self.cmd("VRFY bob", 252, "2.5.2 perhaps", m, wait=True)
        else:
            self.cmd("RCPT anna@example.com", 501, "5.5.4 syntax", m)

    def rcpt(self, m, code=250):
        super().rcpt(m, code)
        if "inside" in self.on and self.r.random() < 0.4:
            self.inside(m)

    def play(self):
        r, on = self.r, self.on
        if not self.greet():
            return self
        if "ehlo_refused" in on:
            self.hello("LHLO" if self.lmtp else "EHLO", code=r.choice([500, 502, 550]))
            self.hello("HELO" if not self.lmtp else "LHLO")
        elif "nohelo" not in on:
            self.hello()
        if "xclient" in on:
            self.xclient()
        for name, how in [("tls_refused", "refused"), ("tls_clear", "clear"), ("tls", "tls")]:
            if name in on:
                self.starttls(how)
                if name == "tls":
                    return self
        if "auth" in on:
            for _ in range(r.choice([1, 1, 2])):
                self.auth()
        self.mail_loop()
        return self

    def mail_loop(self):
        r, on = self.r, self.on
        kinds = ["plain"] + [k for k in MAIL_KINDS if k in on]
        count = 8 if "many" in on else r.choice([1, 1, 2, 3])
        for n in range(count):
            if on & {"between", "strays"} and r.random() < 0.6:
                self.between()
            if "rehello" in on and n and not self.pipe:
                self.hello()
            kind = kinds[-1] if n == 0 else r.choice(kinds)
            getattr(self, "mail_" + kind)()
        for k in LAST_KINDS:
            if k in on:
                getattr(self, "mail_" + k)()
                return
        if "noquit" in on:
            self.sync(True)
            self.end = r.choice(["fin", "rst", "vanish"])
            return
        self.cmd("QUIT", 221, "2.0.0 Bye")
        self.sync(True)
        self.end = r.choice(["fin", "fin", "fin", "sfin"])
