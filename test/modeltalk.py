"""Random SMTP dialogues, legal and not, for model.py: what a client says, in one of several ways of saying it. The same for the same seed."""
import base64
import random
import socket
import struct

HELLOS = ["EHLO c.example", "EHLO c.example", "EHLO c.example", "HELO c.example", "ehlo  d.example", "EHLO", "HELO bad.helo.example", "EHLO slow.helo.example",
          "EHLO [127.0.0.1]", "HELO ", "LHLO c.example"]
SENDERS = ["{0}@model.example"] * 14 + ["", "{0}@refused.example", "later@model.example", "nodata@model.example", "datalater@model.example",
                                        "gone@model.example", '"{0} x"@model.example', "@hop.example:{0}@model.example", "{0}"]
RCPTS = ["r{0}@here.example"] * 9 + ["nobody@here.example", "full@here.example", "r{0}@refused.example", "R{0}@Here.Example", "", '"a b"@here.example', "@a:r@here.example"]
OTHERS = ["NOOP", "NOOP", "NOOP with words", "VRFY r@here.example", "VRFY", "EXPN list", "HELP", "HELP MAIL", "ETRN here.example", "FROB", "TURN", "", " ", ".", "..", "RSET", "RSET x",
          "STARTTLS", "NOOP " + "long " * 700, "XFORWARD NAME=n.example", "XFORWARD", "XCLIENT HELO=x.example", "XCLIENT NONSENSE=1", "DATA", "DATA x", "RCPT", "MAIL", "MAIL FROM",
          "RCPT TO: nobody", "MAIL FROM:<unclosed", "RCPT TO:<unclosed", "BDAT", "BDAT x", "BDAT 5 FIRST", "BDAT -1", "BDAT 99999999999999999999", "QUITE", "MAILFROM:<x@y>",
          "Subject: no command", "NO\0OP", "N\xc3\xb6\xffOP", "rcpt to:<a@here.example> BOGUS=1", "Mail From:<p@model.example> SIZE=x", "QUIT x", "AUTH", "GET / HTTP/1.1"]
AUTHS = [["AUTH PLAIN " + base64.b64encode(b"\0model\0right").decode()], ["AUTH PLAIN " + base64.b64encode(b"\0model\0wrong").decode()],
         ["AUTH PLAIN", base64.b64encode(b"\0model\0right").decode()], ["AUTH LOGIN", "bW9kZWw=", "cmlnaHQ="], ["AUTH LOGIN", "bW9kZWw=", "d3Jvbmc="], ["AUTH LOGIN", "*"],
         ["AUTH LOGIN bW9kZWw=", "cmlnaHQ="], ["AUTH PLAIN", "no base64!"], ["AUTH CRAM-MD5"], ["AUTH LOGIN", "MAIL FROM:<not@model.example>"], ["auth plain ="], ["AUTH PLAIN", ""]]
MAIL_ARGS = [""] * 12 + [" SIZE=100", " SIZE=90000", " BODY=8BITMIME", " BODY=7BIT", " BODY=BINARYMIME", " SMTPUTF8", " BOGUS=1", " AUTH=<>", " RET=HDRS ENVID=x", " SIZE=10 SIZE=10"]
SMUGGLED = b"MAIL FROM:<smuggled@model.example>\r\nRCPT TO:<r0@here.example>\r\nDATA\r\nSubject: in it\r\n\r\nx\r\n"
RCPT_ARGS = [""] * 12 + [" NOTIFY=NEVER", " NOTIFY=FROG", " ORCPT=rfc822;x@here.example"]


class Step:
    """A command, or a text, or a secret: what one reply answers. A chunk stands behind its command."""

    def __init__(self, data, kind="command"):
        self.data, self.kind = data, kind


class Maker:
    """What a client is about to say: groups of Step, which a client that pipelines sends together."""

    def __init__(self, seed, number):
        self.rng = random.Random("%d/%d" % (seed, number))
        self.tag = "s%d-%d" % (seed, number)
        self.mails, self.number = 0, number
        r = self.rng.random()
        self.way = "lockstep" if r < 0.45 else "pipelined" if r < 0.75 else "blast"
        self.port = self.rng.choice([25, 25, 25, 26, 27])
        self.bare = self.rng.random() < 0.15  # some line ends are LF alone
        # A look-alike of the end with text behind it, which is no mail: where the server takes it, the text is longer here than there.
        self.two_ways = False
        self.wild = self.rng.choice([0, 0.1, 0.3, 0.6])  # how much is out of place

    def end(self):
        return b"\n" if self.bare and self.rng.random() < 0.5 else b"\r\n"

    def line(self, text):
        return text.encode("latin-1") + self.end()

    def chance(self, p):
        return self.rng.random() < p

    def mail_from(self):
        self.mails += 1
        a = self.rng.choice(SENDERS if self.chance(0.5) else SENDERS[:1]).format("%s-%d" % (self.tag, self.mails))
        form = self.rng.choice(["MAIL FROM:<%s>"] * 8 + ["mail from: <%s>", "MAIL FROM:%s", "MAIL FROM: %s ", "MAIL FROM :<%s>", "MAIL  FROM:<%s>"])
        return form % a + self.rng.choice(MAIL_ARGS if self.chance(0.6) else [""])

    def rcpt_to(self):
        a = self.rng.choice(RCPTS).format(self.rng.randrange(30))
        form = self.rng.choice(["RCPT TO:<%s>"] * 8 + ["rcpt to: <%s>", "RCPT TO:%s", "RCPT TO :<%s>"])
        return form % a + self.rng.choice(RCPT_ARGS if self.chance(0.3) else [""])

    def message(self):
        """Lines of a message, without their ends."""
        r = self.rng
        lines = [b"Message-ID: <%s-%d@model.example>" % (self.tag.encode(), self.mails)] if self.chance(0.9) else []
        if self.chance(0.8):
            lines.append(b"Subject: " + r.choice([b"a mail", b"a mail", b"=?utf-8?q?a_m=C3=A4il?=", b"a forbidden word", b"perhaps later"]))
        if self.chance(0.3):
            lines += [b"To: one@here.example,", b"\ttwo@here.example"]
        if self.chance(0.2):
            lines += [b"Content-Type: multipart/mixed; boundary=b", b"", b"--b", b"Content-Disposition: attachment; filename=f.bin",
                      b"Content-Transfer-Encoding: base64", b"", base64.b64encode(b"x" * r.randrange(60)), b"--b--"]
        else:
            lines.append(b"")
        some = [b"A line.", b"", b".", b"..", b". ", b"MAIL FROM:<in@text.example>", b"RSET", b"QUIT", b"DATA", b"BDAT 3 LAST", b"\xe4\xf6\xfc", b"250 2.0.0 Ok: queued as INTEXT", b"a\rb", b"y" * r.choice([126, 127, 128, 300, 990]),
                b"--b", b"RCPT TO:<in@text.example>", b"Tab\there"]
        lines += [r.choice(some) for _ in range(r.choice([0, 1, 3, 8, 20]))]
        if self.chance(0.04):
            lines += [b"z" * 76] * 130  # more than the server takes
        return lines

    def text(self):
        """What goes over the wire behind DATA."""
        parts = []
        for line in self.message():
            if line.startswith(b"."):
                stuffed = not (self.bare and self.chance(0.2))
                line = b"." * stuffed + line
                self.two_ways |= not stuffed
            parts.append(line + self.end())
        if self.bare and self.chance(0.3):
            parts.append(self.rng.choice([b"\n.\n", b"\n.\r\n", b"x\r\n.\n"]))
            parts.append(self.rng.choice([b"", b"", b"Still text.\r\n", SMUGGLED, SMUGGLED]))
            self.two_ways |= parts[-1] != SMUGGLED
        return Step(b"".join(parts) + b".\r\n", "text")

    def chunks(self):
        text = b"\r\n".join(self.message()) + self.rng.choice([b"\r\n", b"\r\n", b"\n", b""])
        text = text[:2500]
        cuts = sorted(self.rng.randrange(len(text) + 1) for _ in range(self.rng.choice([0, 0, 1, 2, 3])))
        pieces = [text[a:b] for a, b in zip([0] + cuts, cuts + [len(text)])]
        pieces = [p for p in pieces[:-1] if p] + pieces[-1:]  # Postfix 3.7 crashes behind an empty chunk that is not the last
        steps = []
        for i, piece in enumerate(pieces):
            last = i == len(pieces) - 1 and not (piece and self.chance(0.1))
            steps.append(Step(self.line("BDAT %d%s" % (len(piece), " LAST" if last else "")) + piece))
            if self.chance(self.wild * 0.3):
                steps.append(self.stray())
        if self.chance(0.15):
            steps.append(Step(self.line("BDAT 0 LAST")))
        return steps

    def stray(self):
        return self.rng.choice([lambda: Step(self.line(self.rng.choice(OTHERS))), lambda: Step(self.line(self.mail_from())), lambda: Step(self.line(self.rcpt_to())),
                                lambda: Step(self.line(self.rng.choice(HELLOS))), lambda: Step(self.line("DATA"), "data"), lambda: Step(b"BDAT 6\r\nX: y\r\n"),
                                lambda: Step(b"BDAT 6 LAST\r\nX: z\r\n"), lambda: Step(self.line("RSET"))])()

    def auth(self):
        return [Step(self.line(a), "command" if i == 0 else "secret") for i, a in enumerate(self.rng.choice(AUTHS))]

    def mail(self):
        """-> groups: the steps of each may be sent together."""
        group, groups = [], []

        def perhaps():
            if self.chance(self.wild * 0.4):
                group.append(self.stray())

        perhaps()
        if not self.chance(self.wild * 0.1):
            group.append(Step(self.line(self.mail_from())))
        perhaps()
        for _ in range(self.rng.choice([0, 1, 1, 1, 2, 3, 8]) if self.chance(0.4) else 1):
            group.append(Step(self.line(self.rcpt_to())))
            perhaps()
        if self.chance(self.wild * 0.15):
            groups += [group, self.auth()]
            group = []
        how = self.rng.random() * (0.6 if self.port == 26 and not self.chance(0.1) else 1)
        if how < 0.6:
            group.append(Step(self.line("DATA"), "data"))
            groups += [group, [self.text()]]
        elif how < 0.9:
            groups.append(group + self.chunks())
        else:
            groups.append(group + ([Step(self.line("RSET"))] if self.chance(0.7) else []))
        return groups

    def plan(self):
        groups = []
        if not self.chance(0.05):
            groups.append([Step(self.line(self.rng.choice(HELLOS[:4] if self.chance(0.8) else HELLOS)))])
        for _ in range(self.rng.choice([1, 1, 2, 3, 5])):
            if self.chance(0.1 + self.wild * 0.3):
                groups.append(self.auth())
            if self.chance(self.wild):
                groups.append([self.stray()])
            groups += self.mail()
        if self.chance(0.85):
            groups.append([Step(self.line("QUIT"))])
        return groups


class Talk:
    """A connection on which a plan is carried out. `said` is what both sides said, as the client knows it; `cut`: not all of it was answered."""

    def __init__(self, maker, connect):
        self.m, self.rng = maker, maker.rng
        self.said, self.over, self.cut = [], False, False
        self.socket = connect(maker.port, 20000 + maker.number)
        self.client = self.socket.getsockname()[1]
        self.reader = self.socket.makefile("rb")

    def send(self, data):
        self.said.append(("C", data))
        at = 0
        try:
            while at < len(data):
                size = self.rng.choice([1, 3, 20, 700]) if self.rng.random() < 0.15 else 700
                self.socket.sendall(data[at:at + size])
                at += size
        except OSError:
            self.over = self.cut = True

    def reply(self):
        """Its code; None where the connection is over."""
        code = None
        try:
            while not self.over:
                line = self.reader.readline()
                if not line:
                    self.over = True
                    return None
                self.said.append(("S", line))
                if line[3:4] != b"-":
                    code = int(line[:3])
                    break
        except (OSError, ValueError):  # each waits for the other, or the server's RST took replies away
            self.over = self.cut = True
        return code

    def group(self, steps):
        """Sends them together, takes as many replies, and goes on where a reply asks for it."""
        if not steps or self.over:
            return
        # Whatever the server takes DATA or AUTH for, nothing may stand behind it: what it is depends on the reply.
        for i, s in enumerate(steps):
            if s.kind in ("data", "text", "secret") or b"AUTH" in s.data.upper()[:5] or s.data.upper()[:4] == b"DATA":
                self.exchange(steps[:i + 1])
                self.group(steps[i + 1:])
                return
        self.exchange(steps)

    def exchange(self, steps):
        if self.m.way == "lockstep":
            for s in steps:
                self.one(s)
            return
        live = [s for s in steps if s.kind != "secret" or self.asked == 334]
        if steps[0].kind == "text":
            return self.one(steps[0])
        self.send(b"".join(s.data for s in live))
        for _ in live:
            self.asked = self.reply()
        self.answer()

    asked = None

    def one(self, s):
        if self.over or (s.kind == "secret" and self.asked != 334) or (s.kind == "text" and self.asked != 354):
            return
        self.send(s.data)
        self.asked = self.reply()

    def answer(self):
        """An AUTH goes on where nothing more of it was to be said."""
        if self.asked == 334:
            self.send(b"*\r\n")
            self.asked = self.reply()

    def text_wanted(self, steps):
        """A stray DATA was taken: there has to be a text."""
        return self.asked == 354 and not (steps and steps[0].kind == "text")

    def run(self):
        groups = self.m.plan()
        stop = self.rng.randrange(1, len(groups) + 1) if self.rng.random() < 0.12 else None
        how = self.rng.choice(["close", "reset", "half"])
        if self.m.way == "blast":
            self.blast(groups, stop, how)
        else:
            self.reply()
            for i, steps in enumerate(groups):
                if self.text_wanted(steps):
                    self.one(self.m.text())
                if self.asked == 334 and steps[0].kind != "secret":
                    self.answer()
                if i == stop:
                    self.cut = True
                    if self.rng.random() < 0.5 and not self.over:  # amid a line, or a text
                        data = b"".join(s.data for s in steps)
                        self.send(data[:self.rng.randrange(len(data) + 1)])
                    self.finish(how)
                    return self
                self.group(steps)
            if self.text_wanted(None):
                self.one(self.m.text())
            self.finish("half")
        return self

    def blast(self, groups, stop, how):
        """Everything at once, whatever the server says to it."""
        if self.rng.random() < 0.5:
            self.reply()
        data = b"".join(s.data for g in groups[:stop] for s in g)
        if stop and self.rng.random() < 0.5:
            data = data[:self.rng.randrange(len(data) + 1)]
        self.cut = bool(stop)
        self.send(data)
        self.finish(how if stop else "half")

    def finish(self, how):
        try:
            if how == "reset":
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif how == "half":
                self.socket.shutdown(socket.SHUT_WR)
                while self.reply() is not None or not self.over:
                    pass
        except OSError:
            pass
        self.reader.close()
        self.socket.close()

    def text(self):
        """As a dialogue text of test/dialog."""
        out = []
        for side, data in self.said:
            for line in data.splitlines(keepends=True) if side == "S" else data.split(b"\n"):
                if side == "C":
                    line += b"\n"
                shown = "".join(chr(c) if 32 <= c < 127 and c != 92 else "\\\\" if c == 92 else "\\x%02x" % c for c in line)
                shown = shown[:-8] if shown.endswith("\\x0d\\x0a") else shown[:-4] + "\\n\\" if shown.endswith("\\x0a") else shown + "\\"
                out.append("%s: %s" % (side, shown))
            if side == "C":
                last = out.pop()  # what stands behind the last LF
                if last not in ("C: \\n\\",):
                    out.append(last[:-3] + "\\")
        return "\n".join(out)
