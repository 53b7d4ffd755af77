"""The SMTP of one connection: mails with what belongs to each, as the RFCs have it. `on` tells whether a rule of the page is
applied; without its rules the dialogue is read as the script's analyser did it."""
import re
from dataclasses import dataclass, field

HELLOS = (b"HELO", b"EHLO", b"LHLO")
KNOWN = HELLOS + (b"MAIL", b"RCPT", b"DATA", b"BDAT", b"RSET", b"QUIT", b"NOOP", b"VRFY", b"EXPN", b"HELP", b"AUTH", b"STARTTLS")
FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
ENDS = (b".", b"BDAT LAST")
IDLE = 300 * 10**9
# The rules that it asks for.
RULES = frozenset(("bdat", "command-forms", "data-reply", "gap", "idle", "lhlo", "packets", "refused-mail", "rset", "trim"))


@dataclass
class Reply:
    time: int
    code: int
    lines: list
    answers: bytes = b""
    mail: object = None  # that it answers
    arrived: object = None  # that was the latest when it came
    before: bool = False  # no command had come yet

    @property
    def error(self):
        return self.code >= 400 and self.code != 421


@dataclass
class Mail:
    time: int
    number: int
    helo: bytes = None
    sender: bytes = None  # the argument of MAIL; None where it was not seen
    rcpts: list = field(default_factory=list)
    text: list = field(default_factory=list)  # bytes, or the length of a gap
    replies: list = field(default_factory=list)
    arrivals: list = field(default_factory=list)
    chunked: bool = False
    refused: bool = False
    accepted: int = 0
    later_helo: bytes = None
    idle: bool = False  # for longer than the script kept it
    forgotten: bool = False  # the script lost the name of the client with a mail before
    touched: int = 0
    body: list = field(default_factory=list)  # of it what came in one packet with the blank line
    headless: bool = False  # the script did not see that its header began


@dataclass
class Waiting:
    """A command that has no reply yet."""
    verb: bytes
    mail: object
    left: int = 0  # replies that it gets, once that is known


class Dialogue:
    def __init__(self, connection, on):
        self.on, self.now = on, connection.first
        self.mails, self.replies, self.helos = [], [], []
        # The client: what of it waits for the reply to the command `hold`, and the mode in which it is read.
        self.held, self.hold, self.unheard, self.mode, self.line = [], None, False, "command", b""
        self.spoke, self.bare_lf, self.lmtp, self.opaque, self.part = False, None, False, False, 0
        # The mail to which commands go, one that begins amid it, the one that began last.
        self.open = self.nested = self.latest = None
        # Its text: by lines, or by chunks.
        self.message, self.text_line, self.after_crlf, self.in_body = None, b"", True, False
        self.doubt, self.doubtful, self.blind_end = [], False, False
        self.chunk, self.last_chunk = 0, False
        # The server: the reply under way, and the commands that have none.
        self.heard = any(side == 1 for _, side, _, _ in connection.steps)
        self.server_line, self.reply, self.partial, self.lost_replies, self.late = b"", None, False, False, []
        self.queue = [Waiting(b"greeting", None)] if connection.syn else []
        # Bytes are missing; commands are; a pause was long.
        self.gap = self.lost = not connection.syn
        self.paused, before = False, connection.first
        # The script: it sees no commands; the packet with the blank line, of which it sees the rest.
        self.blind, self.skipped = False, None
        for self.now, side, what, self.packet in connection.steps:
            self.paused |= self.now - before > IDLE
            before = self.now
            if self.paused and not on("idle"):
                self.touch()
                break
            (self.client if side == 0 else self.server)(what)
        self.finish()
        self.now = connection.end
        self.touch(not all(connection.ended))

    def touch(self, looks=True):
        """The script's record of the latest mail is looked at; one that nothing looked at for five minutes was gone."""
        if self.latest and looks:
            self.latest.idle |= self.now - self.latest.touched > IDLE
            self.latest.touched = self.now

    # What the client sends.

    def client(self, what):
        self.settle()
        self.held.append((self.now, what, self.packet))
        self.run()

    def run(self, last=False):
        while self.held and not self.opaque:
            if self.hold and self.heard and not self.unheard and not last and not isinstance(self.held[0][1], int):
                return
            if self.hold:
                self.decide(None)
            now = self.now
            self.now, what, self.part = self.held.pop(0)
            time = self.now
            rest = self.client_gap(what) if isinstance(what, int) else self.consume(what)
            if rest:
                self.held.insert(0, (time, rest, self.part))
            self.now = now

    def consume(self, data):
        if self.mode == "message":
            return self.message_bytes(data)
        if self.mode == "chunk":
            part, rest = data[:self.chunk], data[self.chunk:]
            if self.open and self.open.chunked:
                self.open.text.append(part)
            self.chunk -= len(part)
            if not self.chunk:
                self.end_chunk()
            return rest
        if self.mode == "sniff":
            self.opaque = data[0] < 32
            self.mode = "command"
            return data
        part, newline, rest = data.partition(b"\n")
        self.line += part
        if newline:
            line, self.line = self.line, b""
            if self.mode == "secret":
                self.mode = "command"
                self.queue.append(Waiting(b"AUTH", None))
                self.hold = b"AUTH"
            else:
                self.command_line(line)
        return rest

    def command_line(self, line):
        crlf = line.endswith(b"\r")
        self.bare_lf = not crlf and self.bare_lf is not False
        line = line[:-1] if crlf else line
        if self.lost and self.mode == "resync":
            if not strict(line):
                return
            self.mode = "command"
        word, _, arg = line.partition(b" ") if b"\t" not in line.split(b" ")[0] else line.partition(b"\t")
        self.spoke = True
        self.command(word.upper(), arg.strip(b" \t"), arg.lstrip(b" \t"))

    def command(self, verb, arg, raw):
        self.touch()
        if verb in HELLOS and not (verb == b"LHLO" and not self.on("lhlo")):
            self.hello(verb, arg if self.on("trim") else raw)
        elif verb == b"MAIL" and (m := re.match(rb"from" + (rb"[ \t]*" if self.on("command-forms") else rb"") + rb":[ \t]*", raw, re.I)):
            self.mail_command(raw[m.end():])
        elif verb == b"RCPT" and (m := re.match(rb"to" + (rb"[ \t]*" if self.on("command-forms") else rb"") + rb":[ \t]*", raw, re.I)):
            self.needs_mail()
            target = self.open if self.on("rset") else self.latest
            if target:
                target.rcpts.append(raw[m.end():])
            self.queue.append(Waiting(b"RCPT", self.open))
        elif verb == b"DATA":
            self.needs_mail()
            self.queue.append(Waiting(b"DATA", self.open))
            if self.on("data-reply"):
                self.hold = b"DATA"
            else:
                self.begin_message()  # whatever the reply will be
        elif verb == b"BDAT" and self.on("bdat") and (m := re.fullmatch(rb"(\d+)(?:[ \t]+(LAST))?", arg, re.I)) and int(m[1]) < 2**63:
            self.needs_mail()
            self.queue.append(Waiting(b"BDAT LAST" if m[2] else b"BDAT", self.open))
            self.chunk, self.last_chunk, self.mode = int(m[1]), bool(m[2]), "chunk"
            if self.open:
                self.open.chunked = True
            if not self.chunk:
                self.end_chunk()
        elif verb in (b"RSET", b"QUIT", b"STARTTLS"):
            self.close()
            self.queue.append(Waiting(verb, None))
            self.hold = verb if verb == b"STARTTLS" else None
        elif verb == b"AUTH":
            self.queue.append(Waiting(verb, None))
            self.hold = verb
        else:
            self.queue.append(Waiting(verb if verb in KNOWN else b"?", self.open))

    def hello(self, verb, arg):
        self.helos.append(arg)
        if self.latest:
            self.latest.later_helo = arg
        self.queue.append(Waiting(verb, None))
        if self.open:
            self.hold = verb

    def mail_command(self, arg):
        mail = self.begin(arg)
        if self.open and self.heard and not self.open.refused and self.on("refused-mail"):
            self.nested, self.hold = mail, b"MAIL"
        else:
            self.open = mail
        self.lost = False
        self.queue.append(Waiting(b"MAIL", mail))

    def begin(self, sender):
        mail = Mail(self.now, len(self.mails) + 1, self.helos[-1] if self.helos else None, sender, touched=self.now, idle=self.paused)
        mail.forgotten = any(m.idle for m in self.mails)
        self.mails.append(mail)
        self.latest = mail
        return mail

    def needs_mail(self):
        """Where MAIL was lost, what goes with a mail begins one."""
        if not self.open and self.lost:
            self.open = self.begin(None)

    def close(self):
        self.open = self.message = None

    def end_chunk(self):
        self.mode = "command"
        if self.last_chunk:
            self.close()

    # The message.

    def begin_message(self):
        if not self.open and not self.on("data-reply"):
            self.open = self.latest
        if not self.open:
            self.open = self.begin(None)
        if self.on("data-reply"):
            self.open.text.clear()
        self.in_body = False
        # The script skipped the rest of a message once the packet with its blank line was read, also where that held the next one.
        self.open.headless |= self.skipped == self.part and not self.on("packets") or self.blind
        self.skipped = None
        self.mode, self.message, self.text_line, self.after_crlf = "message", self.open, b"", True
        self.message_text, self.doubt, self.doubtful, self.blind_end = self.open.text, [], False, False

    def message_bytes(self, data):
        """Only CRLF.CRLF ends a message, unless the client uses nothing but LF."""
        part, newline, rest = data.partition(b"\n")
        self.text_line += part + newline
        if not newline:
            if self.text_line == b"\r" and not self.in_body:
                self.in_body, self.skipped = True, self.part  # the script's analyser ended lines at CR
            return rest
        line, self.text_line = self.text_line, b""
        self.touch(line.strip(b"\r\n") == b"." or not self.in_body)
        if self.in_body and self.part == self.skipped:
            self.message.body.append(line)
        elif not line.strip(b"\r\n") and not self.in_body:
            self.in_body, self.skipped = True, self.part
        full = line.endswith(b"\r\n")
        if line in (b".\r\n", b".\n") and self.after_crlf and (full or self.bare_lf):
            self.end_message()
            return rest
        if line.startswith(b".") and self.after_crlf:
            line = line[1:]
        # After a gap, or what some servers take for the end, commands may be commands: the reply tells.
        if self.doubtful and (strict(line.strip()) or self.doubt and line.split()[:1] and line.split()[0].upper() in KNOWN):
            self.doubt.append((self.now, line, self.part))
            return rest
        self.take_doubt()
        self.doubtful |= line.strip(b"\r\n") == b"."
        self.after_crlf = full or bool(self.bare_lf)
        self.message.text.append(line)
        return rest

    def take_doubt(self):
        self.message.text += [line for _, line, _ in self.doubt]
        self.doubt = []

    def end_message(self):
        self.mode = "command"
        self.queue.append(Waiting(b".", self.open))
        self.close()

    def client_gap(self, length):
        self.gap = True
        if self.mode == "message":
            self.take_doubt()
            self.doubtful = True
            if self.text_line:
                self.message.text.append(self.text_line)
            self.message.text.append(length)
            self.text_line, self.after_crlf = b"", True
        elif self.mode == "chunk":
            taken = min(length, self.chunk)
            if self.open:
                self.open.text.append(taken)
            self.chunk -= taken
            if not self.chunk:
                self.end_chunk()
            if length > taken:
                self.mode, self.lost, self.line = "resync", True, b""
        else:
            self.mode, self.lost, self.line = "resync", True, b"" if self.on("gap") else self.line

    # What the server sends.

    def server(self, what):
        if isinstance(what, int):
            self.gap, self.server_line, self.reply, self.blind = True, b"", None, not self.on("gap")
            self.partial = self.lost_replies = True
            self.blind_end = True
            if self.message and not self.message.text:
                self.message.headless |= self.blind
            return
        if self.opaque:
            return
        *lines, self.server_line = (self.server_line + what).split(b"\n")
        for line in lines:
            self.reply_line(line.rstrip(b"\r"))

    def reply_line(self, line):
        m = re.fullmatch(rb"([2-5]\d\d)(?:([- \t])(.*))?", line, re.S)
        rest, self.partial = self.partial, False
        if not m:
            if self.reply and not rest:  # of a line whose beginning is lost
                self.reply.lines.append(line)
            return
        if not self.reply:
            self.reply = Reply(self.now, int(m[1]), [], arrived=self.latest, before=not self.spoke)
        self.reply.lines.append(m[3] or b"")
        self.reply.code = int(m[1])
        if m[2] != b"-":
            reply, self.reply = self.reply, None
            reply.time, self.blind = self.now, False
            self.replies.append(reply)
            if self.lost_replies and len(self.queue) > 1:
                self.late.append(reply)
                if len(self.late) == len(self.queue):
                    self.settle()
            else:
                self.lost_replies = bool(self.late)
                self.answered(reply)

    def settle(self):
        """Replies that came after a gap answer the newest commands, as the client waits for them."""
        if self.lost_replies:
            late, self.late, self.lost_replies = self.late, [], False
            del self.queue[:len(self.queue) - len(late)]
            for reply in late:
                self.answered(reply)
            if self.hold and not self.queue and self.on("gap"):
                self.unheard = True  # no reply will tell

    def answered(self, reply):
        head = self.queue[0] if self.queue else None
        # A reply that only a later command fits skips those before it.
        if head and not fits(head.verb, reply.code):
            later = [i for i, w in enumerate(self.queue) if fits(w.verb, reply.code)]
            if later:
                del self.queue[:later[0]]
                head = self.queue[0]
        lost_go_ahead = (head and head.verb == b"DATA" and self.gap and reply.code // 100 == 2 and self.held and
                         self.on("data-reply"))
        if lost_go_ahead:
            self.queue.pop(0)
            self.decide(354)
            self.run()
            head = self.queue[0] if self.queue else None
        if self.mode == "message" and not self.queue and self.seen_end():
            self.end_unseen()
            head = self.queue[0] if self.queue else None
        # A client that waits behind DATA got no 2xx for it: the reply answers something else.
        waits = head and head.verb == b"DATA" and self.hold == b"DATA" and not self.held and not self.line
        if not head or (self.gap or waits) and not fits(head.verb, reply.code):
            reply.mail = self.open
        else:
            # LMTP: the end of a message gets one for each recipient (RFC 2033).
            head.left = head.left or (max(1, head.mail.accepted) if self.lmtp and head.mail and head.verb in ENDS else 1)
            head.left -= 1
            if not head.left:
                self.queue.pop(0)
            reply.answers, reply.mail = head.verb, head.mail
        if reply.mail:
            reply.mail.replies.append(reply)
        # A DATA that is lost was taken.
        if reply.code == 354 and not reply.answers and self.gap and self.on("gap") and self.mode in ("resync", "command"):
            self.begin_message()
            reply.mail = self.open
        if reply.answers in HELLOS and reply.code < 300:
            self.lmtp = reply.answers == b"LHLO"
        if reply.answers == b"RCPT" and reply.code < 300 and reply.mail:
            reply.mail.accepted += 1
        if reply.answers == b"MAIL" and reply.code >= 400 and reply.mail is self.open and self.open:
            self.open.refused = True
        if reply.answers == b"DATA" and self.mode == "message" and not self.on("data-reply") and reply.code != 354:
            self.mode = "command"
        if self.hold == reply.answers and not self.queue:
            self.decide(reply.code)
            self.run()

    def seen_end(self):
        """The message may have ended: in a gap, or with a line that some servers take for the end."""
        text = b"".join(t for t in self.message.text[-2:] if isinstance(t, bytes))
        return self.gap or re.search(rb"\n\.\r?\n$", b"\n" + text)

    def end_unseen(self):
        """It has ended: what came since are commands."""
        lines, self.doubt = self.doubt, []
        if lines and self.blind_end:
            self.close()
        else:
            self.end_message()
        lost = any(isinstance(piece, int) for piece in self.message_text)
        self.mode, self.lost = ("resync", True) if lost else ("command", self.lost)
        self.held = lines + self.held
        self.run()

    def decide(self, code):
        verb, self.hold, self.unheard = self.hold, None, False
        taken = code is None or code < 400
        if verb == b"DATA":
            first = next((d for _, d, _ in self.held if isinstance(d, bytes)), b"").split(b"\n")[0]
            command = strict(first.strip(b"\r \t"))
            if code is None and not command or taken and code and (code // 100 != 2 or self.held and not command and self.on("data-reply")):
                self.begin_message()
        elif verb == b"AUTH":
            self.mode = "secret" if taken and code and code // 100 != 2 else "command"
        elif verb == b"STARTTLS":
            self.mode = "sniff" if taken and code else "command"
        elif verb == b"MAIL":
            nested, self.nested = self.nested, None
            if taken or self.open is None or self.open.refused:
                self.open = nested
                nested.refused = not taken
        elif verb in HELLOS and taken:
            self.close()

    def finish(self):
        self.settle()
        if self.mode == "message" and self.doubt and self.message:
            self.blind_end = True
            self.end_unseen()
        self.run(last=True)
        if self.hold and self.nested:
            self.decide(None)
        if self.mode == "message" and self.text_line:
            self.message.text.append(self.text_line)


def strict(line):
    """A command beyond doubt."""
    word, _, arg = line.partition(b" ")
    word, arg = word.upper(), arg.strip()
    if word in (b"DATA", b"RSET", b"QUIT", b"STARTTLS"):
        return not arg
    if word in HELLOS:
        return bool(arg)
    if word == b"BDAT":
        return bool(re.fullmatch(rb"\d+([ \t]+LAST)?", arg, re.I))
    return bool(re.match(rb"(MAIL[ \t]+FROM|RCPT[ \t]+TO)[ \t]*:[ \t]*(<[^>]*>|$)", line, re.I))


def fits(verb, code):
    if code >= 400:
        return True
    special = {354: (b"DATA", b"?"), 334: (b"AUTH", b"?"), 235: (b"AUTH", b"?"), 221: (b"QUIT",), 220: (b"greeting", b"STARTTLS", b"?")}
    return verb in special[code] if code in special else verb not in (b"DATA", b"greeting", b"STARTTLS")
