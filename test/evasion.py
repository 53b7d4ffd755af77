"""Packets that are meant to have a tap read something else than the receiver, or nothing at all.

Each case is a capture of its own: a connection with the mails "one" and "two", what is forged stands in or before "one". The mails must be
recorded as the receiver reads them, none may be lost, and where the receiver may have read two things the flag ambiguous says so."""
import ipaddress
import json
import random
import struct
import tempfile
from pathlib import Path

from hardwire import checksum, save
from tap import done, mailtap, ok

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
C, S = 0, 1
MD5 = b"\x13\x12" + bytes(16) + b"\1\1"
ENDS = {4: ("198.51.100.7", "192.0.2.25"), 6: ("2001:db8::7", "2001:db8::25")}


def stamp(value):
    return b"\1\1\x08\x0a" + struct.pack("!II", value, 0)


class Conn:
    def __init__(self, version=4, port=40000, t=1795000000.0, isn=(1000, 5000), server_port=25):
        self.version, self.port, self.server_port, self.t, self.frames = version, port, server_port, t, []
        self.window = [65535, 65535]  # what each side says that it takes
        self.isn, self.next = list(isn), [isn[0] + 1, isn[1] + 1]
        self.id = 100

    def tcp(self, d, flags, data, seq, ack, options=b"", urgent=0, bad_sum=False):
        """Both addresses, and a segment."""
        src, dst = (ipaddress.ip_address(a).packed for a in (ENDS[self.version] if d == C else ENDS[self.version][::-1]))
        ports = (self.port, self.server_port) if d == C else (self.server_port, self.port)
        tcp = struct.pack("!HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF if flags & ACK else 0, (5 + len(options) // 4) << 4, flags, self.window[d], 0, urgent) + options + data
        pseudo = src + dst + struct.pack("!IHBB", len(tcp), 0, 0, 6)
        return src, dst, tcp[:16] + struct.pack("!H", checksum(pseudo + tcp) ^ (0x5555 if bad_sum else 0)) + tcp[18:]

    def packet(self, src, dst, payload, ttl=64, ident=0, offset=0, total=None, bad_header=False, next_header=6):
        if self.version == 6:
            return struct.pack("!IHBB", 6 << 28, len(payload) if total is None else total, next_header, ttl) + src + dst + payload
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload) if total is None else total, ident, offset, ttl, 6, 0, src, dst)
        return ip[:10] + struct.pack("!H", checksum(ip) ^ (0x5555 if bad_header else 0)) + ip[12:] + payload

    def frame(self, packet):
        self.t += 0.01
        self.frames.append((self.t, b"\2\0\0\0\0\1\2\0\0\0\0\2" + (b"\x86\xdd" if self.version == 6 else b"\x08\0") + packet, None))

    def put(self, d, data=b"", flags=ACK, at=None, seq=None, ack=None, options=b"", urgent=0, bad_sum=False, chain=None, **ip):
        """A packet of side `d`; `at` is where its bytes lie from the next one on. Moves nothing on."""
        seq = self.next[d] + (at or 0) if seq is None else seq
        src, dst, tcp = self.tcp(d, flags, data, seq, self.next[1 - d] if ack is None else ack, options, urgent, bad_sum)
        if chain is not None:
            first, headers = chain
            self.frame(self.packet(src, dst, headers + tcp, next_header=first, **ip))
        else:
            self.frame(self.packet(src, dst, tcp, **ip))

    def say(self, d, data, **how):
        self.put(d, data, ACK | PSH, **how)
        self.next[d] += len(data)

    def hello(self, options=(b"", b"")):
        self.put(C, flags=SYN, seq=self.isn[C], options=options[C])
        self.put(S, flags=SYN | ACK, seq=self.isn[S], options=options[S])
        self.put(C)

    def greet(self):
        self.say(S, b"220 mx.example.net ESMTP\r\n")
        self.say(C, b"EHLO a.example.org\r\n")
        self.say(S, b"250 mx.example.net\r\n")

    def open(self):
        self.hello()
        self.greet()
        return self

    def command(self, text, reply=b"250 ok\r\n"):
        self.say(C, text)
        self.say(S, reply)

    def mail(self, name, say=None, **at):
        """`say` sends the message's text, where it is given; the others are called before the command of that name."""
        steps = ("mail", b"MAIL FROM:<%s@example.org>\r\n"), ("rcpt", b"RCPT TO:<b@example.net>\r\n"), ("data", b"DATA\r\n")
        for step, text in steps:
            if step in at:
                at[step]()
            self.command(text % name if b"%" in text else text, b"354 go on\r\n" if step == "data" else b"250 ok\r\n")
        if "text" in at:
            at["text"]()
        (say or (lambda text: self.say(C, text)))(self.text(name))
        self.put(S)
        if "dot" in at:
            at["dot"]()
        self.command(b".\r\n", b"250 queued %s\r\n" % name)
        return self

    @staticmethod
    def text(name):
        return b"Subject: %s\r\n\r\n" % name + b"A line of text.\r\n" * 10

    def close(self):
        self.command(b"QUIT\r\n", b"221 bye\r\n")
        self.put(C, flags=FIN | ACK)
        self.next[C] += 1
        self.put(S, flags=FIN | ACK)
        self.next[S] += 1
        self.put(C)
        return self

    def rest(self):
        return self.mail(b"two").close()


scratch = tempfile.TemporaryDirectory()
folder = Path(scratch.name)


def records(conn, *settings):
    path = folder / "x.pcap"
    save(path, conn.frames)
    args = [a for s in settings for a in ("-s", s)]
    r = mailtap("read", "-f", "json", *args, path)
    return [json.loads(line) for line in r.stdout.splitlines()], r.stderr.decode(errors="replace")


def shown(r):
    return r.get("mailfrom"), r.get("subject"), r.get("last_reply"), tuple(k for k, v in r.get("flags", {}).items() if v)


def expect(name, conn, one=(), two=(), settings=(), sender="one", subject="one", sessions=1, skip_one=False):
    """`one` and `two` are the flags that each mail must have, and no other."""
    found, err = records(conn, *settings)
    mails = [shown(r) for r in found if r["_path"] == "smtp"]
    want = [] if skip_one else [(sender + "@example.org" if sender else None, subject, "250 queued one", tuple(one))]
    want.append(("two@example.org", "two", "250 queued two", tuple(two)))
    count = sum(r["_path"] == "smtp_session" for r in found)
    return ok(mails == want and count == sessions, name, "got %s" % mails, "not %s" % want, "%d sessions" % count, err)


AMBIGUOUS = ("ambiguous",)
FROM_ONE, FROM_BAD = b"MAIL FROM:<one@example.org>\r\n", b"MAIL FROM:<bad@example.org>\r\n"


def copies():
    """The same bytes more than once."""
    for what, first, second, told in (("the same", FROM_ONE, FROM_ONE, ()), ("another text after it", FROM_ONE, FROM_BAD, AMBIGUOUS), ("another text before it", FROM_BAD, FROM_ONE, AMBIGUOUS)):
        c = Conn().open()
        # At once, and the second time before the server has said that it has the first.
        c.put(C, first)
        c.say(C, second)
        c.say(S, b"250 ok\r\n")
        c.command(b"RCPT TO:<b@example.net>\r\n")
        c.command(b"DATA\r\n", b"354 go on\r\n")
        c.say(C, c.text(b"one"))
        c.command(b".\r\n", b"250 queued one\r\n")
        expect("a copy of what was read: " + what, c.rest(), told, told, sender="bad" if first is FROM_BAD else "one")
        c = Conn().open()
        # Behind a hole that is filled afterwards.
        c.put(C, first[4:], at=4)
        c.put(C, second[4:], at=4)
        c.say(C, first[:4])
        c.next[C] += len(first) - 4
        c.say(S, b"250 ok\r\n")
        c.command(b"RCPT TO:<b@example.net>\r\n")
        c.command(b"DATA\r\n", b"354 go on\r\n")
        c.say(C, c.text(b"one"))
        c.command(b".\r\n", b"250 queued one\r\n")
        expect("a copy of what waits: " + what, c.rest(), told, told, sender="bad" if first is FROM_BAD else "one")

    # A part of the first copy is acknowledged; the tap may have all of these packets at hand at once.
    for ahead, told in ((0, ()), (1, AMBIGUOUS)):
        c = Conn()

        def in_part(data):
            if ahead:
                c.put(S, ack=c.next[C] + 50)  # nothing of it was sent yet
            c.say(C, data)
            if not ahead:
                c.put(S, ack=c.next[C] - len(data) + 50)
            c.put(C, b"Subject: bad" + data[12:], at=-len(data))

        c.open().mail(b"one", in_part)
        expect("a copy, a part of which is acknowledged%s" % (" before it was sent" if ahead else ""), c.rest(), told, told)

    text = Conn.text(b"one")
    for what, change, told in (("the same", lambda t: t, ()), ("a byte differs", lambda t: t[:-1] + b"#", AMBIGUOUS)):
        for size, step in ((40, 20), (20, 40), (60, 7), (1, 1), (3, 2)):
            c = Conn()

            def overlapping(data, order=1):
                spans = [(at, min(at + size, len(data))) for at in range(0, len(data), step)]
                for at, end in spans[::order]:
                    c.put(C, data[at:end], at=at)
                for at in range(0, len(data), size):
                    c.put(C, change(data[at : at + size]) if at == 2 * size else data[at : at + size], at=at)
                c.next[C] += len(data)

            c.open().mail(b"one", overlapping)
            expect("overlaps of %d bytes, %d apart: %s" % (size, step, what), c.rest(), told, told)
            c = Conn()
            c.open().mail(b"one", lambda data: overlapping(data, -1))
            expect("the same backward: %s, %d, %d" % (what, size, step), c.rest(), told, told)

    c = Conn().open()
    c.command(FROM_ONE)
    c.put(C, FROM_BAD, at=-len(FROM_BAD))
    c.command(b"RCPT TO:<b@example.net>\r\n")
    c.command(b"DATA\r\n", b"354 go on\r\n")
    c.say(C, c.text(b"one"))
    c.command(b".\r\n", b"250 queued one\r\n")
    expect("a copy of what the receiver has acknowledged: it is not read", c.rest())

    for at in range(0, len(text), 13):
        c = Conn()

        def one_byte(data):
            c.say(C, data)
            c.put(C, bytes([data[at] ^ 1]), at=at - len(data))

        c.open().mail(b"one", one_byte)
        expect("one byte of a copy differs, at %d" % at, c.rest(), AMBIGUOUS, AMBIGUOUS)

    c = Conn()
    long = Conn.text(b"one") + b"x" * 1000 + b"\r\n"

    def flight(data):
        for at in range(0, 40):
            c.say(C, long if not at else b"y" * 1000 + b"\r\n")
        c.put(C, b"z", at=-1000 * 20)

    c.open().mail(b"one", flight)
    found, err = records(c.rest())
    mails = [shown(r)[:2] for r in found if r["_path"] == "smtp"]
    ok(len(mails) == 2 and "1 segments sent again that were not compared" in err, "more than is kept: that it was not compared is told", mails, err)

    c = Conn().open()
    c.put(C)
    c.put(S, b"\0", at=-1)
    c.put(C, b"\0", at=-1)
    expect("keep-alives with a byte of garbage", c.mail(b"one").rest())

    c = Conn().open()
    c.mail(b"one", mail=lambda: c.put(S, b"250-sizes\r\n250 mx.example.net\r\n", at=-len(b"250 mx.example.net\r\n"), ack=c.next[C]))
    expect("another copy of a reply that the client has not acknowledged", c.rest(), AMBIGUOUS, AMBIGUOUS)


def urgent():
    for pointer in (1, 5, 0, 60000):
        c = Conn()

        def shout(data):
            c.put(C, data[:30], ACK | URG, urgent=pointer)
            c.next[C] += 30
            c.say(C, data[30:])

        c.open().mail(b"one", shout)
        expect("urgent data, pointer %d" % pointer, c.rest(), AMBIGUOUS, AMBIGUOUS)


def handshakes():
    hello = b"EHLO a.example.org\r\n"
    for what, again, told in (("the same", hello, ()), ("another text", b"EHLO b.example.org\r\n", AMBIGUOUS)):
        c = Conn()
        c.put(C, hello, SYN, seq=c.isn[C])
        c.put(S, flags=SYN | ACK, seq=c.isn[S])
        c.say(S, b"220 mx.example.net ESMTP\r\n")
        c.say(C, again)
        c.say(S, b"250 mx.example.net\r\n")
        expect("data in SYN that is sent again: " + what, c.mail(b"one").rest(), told, told)

    for number in (2000, 900, 1 << 31, 1010):
        c = Conn()
        c.put(C, flags=SYN, seq=c.isn[C])
        c.put(C, flags=SYN, seq=number)
        c.put(S, flags=SYN | ACK, seq=c.isn[S])
        c.put(C)
        c.greet()
        expect("a SYN with another number, %d, before the answer" % number, c.mail(b"one").rest())
        c = Conn()
        c.put(C, flags=SYN, seq=number)
        c.put(C, flags=SYN, seq=c.isn[C])
        c.put(S, flags=SYN | ACK, seq=c.isn[S])
        c.put(C)
        c.greet()
        expect("the same, and the second one was answered, %d" % number, c.mail(b"one").rest())
        c = Conn()
        c.put(C, flags=SYN, seq=number)
        c.put(C, flags=SYN, seq=c.isn[C])
        c.put(C, flags=SYN, seq=number + 7)
        c.put(S, flags=SYN | ACK, seq=c.isn[S])
        c.put(C)
        c.greet()
        expect("the second of three was answered, %d" % number, c.mail(b"one").rest())
        for d in (C, S):
            c = Conn()
            c.hello()
            c.put(d, flags=SYN | (ACK if d else 0), seq=number)
            c.greet()
            expect("a SYN of side %d with another number, %d, after the handshake" % (d, number), c.mail(b"one").rest())
            c = Conn().open()
            for step in ("mail", "data", "text", "dot"):
                c.frames, c = [], Conn()
                forge = lambda: [c.put(d, flags=SYN | (ACK if d else 0), seq=number), c.put(d, b"data", flags=SYN | (ACK if d else 0), seq=number)]
                c.open().mail(b"one", **{step: forge})
                expect("the same amid a mail, before its " + step, c.rest())
    for d in (C, S):
        for seq in (900, 77777, 1 << 31):
            c = Conn()
            c.put(d, b"NOISE before anybody spoke\r\n", seq=seq)
            c.open()
            expect("data of side %d before the handshake, %d" % (d, seq), c.mail(b"one").rest())
            c = Conn()
            c.put(C, flags=SYN, seq=c.isn[C])
            c.put(d, b"NOISE before anybody spoke\r\n", seq=seq)
            c.put(S, flags=SYN | ACK, seq=c.isn[S])
            c.put(C)
            c.greet()
            expect("data of side %d amid the handshake, %d" % (d, seq), c.mail(b"one").rest())


def ends():
    """RST and FIN that the receiver ignores."""
    for step in ("mail", "text", "dot"):
        for off in (-5000, -1, 100000000, 1 << 31):
            c = Conn()

            def both(flags, **how):
                for d in (C, S):
                    c.put(d, flags=flags, at=off, **how)

            for flags, name in ((RST, "RST"), (RST | ACK, "RST with ACK"), (FIN | ACK, "FIN"), (FIN | ACK | PSH, "FIN with PSH")):
                c = Conn()
                c.open().mail(b"one", **{step: lambda: [both(flags), setattr(c, "t", c.t + 3)]})
                expect("%s of both sides %d off, before a mail's %s" % (name, off, step), c.rest())
        for flags, name in ((RST, "RST"), (FIN | ACK, "FIN")):
            c = Conn()
            c.open().mail(b"one", **{step: lambda: [[c.put(d, flags=flags, options=MD5) for d in (C, S)], setattr(c, "t", c.t + 3)]})
            expect("%s with a signature, before a mail's %s" % (name, step), c.rest())
        c = Conn()
        c.open().mail(b"one", **{step: lambda: [c.put(d, flags=FIN | ACK, at=7) for d in (C, S)]})
        expect("FIN of both sides a little ahead, before a mail's " + step, c.rest())
        c = Conn()
        c.open().mail(b"one", **{step: lambda: c.put(C, b"why I went", flags=RST, at=100000000)})
        expect("RST with data, before a mail's " + step, c.rest())


def insertions():
    """Copies that never arrive, or that the receiver drops."""
    bad, good = Conn.text(b"bad"), Conn.text(b"one")

    def inserted(**how):
        c = Conn()

        def say(data):
            c.put(C, bad, **how)
            c.say(C, good)

        return c.open().mail(b"one", say).rest()

    expect("a copy with a low TTL", inserted(ttl=2), AMBIGUOUS, AMBIGUOUS, subject="bad")
    expect("a copy with a wrong checksum", inserted(bad_sum=True), AMBIGUOUS, AMBIGUOUS, subject="bad")
    expect("the same where checksums are verified", inserted(bad_sum=True), settings=["checksums=verify"])
    expect("a copy with a wrong IP checksum, verified", inserted(bad_header=True), settings=["checksums=verify"])
    expect("a copy with an old time stamp", inserted(options=stamp(1)), AMBIGUOUS, AMBIGUOUS, subject="bad")
    expect("a copy with a signature", inserted(options=MD5))
    expect("a copy without ACK", inserted(flags=PSH))
    expect("a copy without any flag", inserted(flags=0))
    expect("a copy whose packet is longer than it is", inserted(total=1400))
    expect("a copy of no length in a header that is none", inserted(total=19))

    c = Conn()

    def overrun(data):
        for at in (70000, 1 << 20, 1 << 24, 1 << 30):
            c.put(C, bad, at=at)
        c.say(C, data)

    c.open().mail(b"one", overrun)
    expect("data beyond the window", c.rest())

    r, c = random.Random(5), Conn()

    def flood():
        for _ in range(3000):
            flags = r.choice([ACK, ACK, PSH | ACK, RST, RST | ACK, FIN | ACK, SYN, SYN | ACK])
            c.put(r.randrange(2), b"x" * r.randrange(40), flags=flags, seq=(c.next[C] + (1 << 29) + r.randrange(1 << 31)), ack=r.randrange(1 << 32))

    c.open().mail(b"one", text=flood)
    expect("3000 random packets amid a mail", c.rest())


def part(c, ident, payload, offset, end, more, **how):
    src, dst, _ = c.tcp(C, ACK, b"", 0, 0)
    if c.version == 4:
        c.frame(c.packet(src, dst, payload[offset:end], ident=ident, offset=offset // 8 | (0x2000 if more else 0), **how))
    else:
        c.frame(c.packet(src, dst, struct.pack("!BBHI", 6, 0, offset | more, ident) + payload[offset:end], next_header=44, **how))


def fragments():
    for version in (4, 6):
        def sent(parts, text=None, again=False, other=None):
            """Fragments (from, to, of which version) of the mail's text, and the text again where the receiver has to drop them."""
            c = Conn(version)

            def say(data):
                whole = c.tcp(C, ACK, text or data, c.next[C], c.next[S])[2]
                false = c.tcp(C, ACK, other or Conn.text(b"bad"), c.next[C], c.next[S])[2]
                for at, to, real in parts:
                    part(c, 7, whole if real else false, at, to or len(whole), to is not None)
                if again:
                    c.put(C, text or data)
                c.next[C] += len(text or data)

            return c.open().mail(b"one", say).rest()

        name = "fragments over IPv%d: " % version
        expect(name + "repeats and overlaps of the same", sent([(0, 64, 1), (32, 96, 1), (0, 64, 1), (96, None, 1), (64, 104, 1)][:4]))
        expect(name + "a later copy of a byte differs", sent([(0, 64, 1), (24, 64, 0), (64, None, 1)]), AMBIGUOUS, AMBIGUOUS)
        expect(name + "the first copy of a byte is false", sent([(24, 64, 0), (0, 64, 1), (64, None, 1)], again=True))
        expect(name + "the first copy is false, and nothing is sent again", sent([(24, 64, 0), (0, 64, 1), (64, None, 1)]), ("gap",), (), subject=None)
        # Both readings have the same checksum.
        real, false = (b"Subject: one\r\n\r\n%sefgh, and more of it\r\n" % word for word in (b"abcd", b"cdab"))
        expect(name + "two readings with the same checksum", sent([(32, 40, 0), (0, 40, 1), (40, None, 1)], real, other=false), AMBIGUOUS, AMBIGUOUS)
        expect(name + "an end that contradicts the first one", sent([(0, 64, 1), (64, None, 1)][:1] + [(64, None, 1)]))

        c = Conn(version)

        def reused(data):
            whole = c.tcp(C, ACK, data[:60], c.next[C], c.next[S])[2]
            part(c, 7, whole, 0, 40, True)  # the tap missed its other half
            c.next[C] += 60
            whole = c.tcp(C, ACK, data[60:], c.next[C], c.next[S])[2]
            part(c, 7, whole, 0, 40, True)
            part(c, 7, whole, 40, len(whole), False)
            c.next[C] += len(data) - 60

        c.open().mail(b"one", reused)
        expect(name + "a number used again", c.rest(), ("gap",), (), subject=None)


def chains():
    """IPv6 headers before TCP."""
    options = lambda following, words=0: bytes([following, words, 1, 4 + 8 * words]) + bytes(4 + 8 * words)
    routing = lambda following: bytes([following, 0, 4, 0, 0, 0, 0, 0])
    atomic = lambda following: bytes([following, 0, 0, 0, 1, 2, 3, 4])
    chains = {
        "hop by hop, destination, routing, fragment, destination": (0, options(60) + options(43) + routing(44) + atomic(60) + options(6)),
        "a long destination header": (60, options(6, 30)),
        "twelve of them": (60, options(60) * 11 + options(6)),
    }
    for name, chain in chains.items():
        c = Conn(6)

        def say(data):
            c.put(C, data, chain=chain)
            c.next[C] += len(data)

        c.open().mail(b"one", say)
        expect("extension headers: " + name, c.rest())
    c = Conn(6)

    def too_many(data):
        c.put(C, data, chain=(60, options(60) * 30 + options(6)))
        c.next[C] += len(data)

    c.open().mail(b"one", too_many)
    expect("more extension headers than max_layers: a gap", c.rest(), ("gap",), (), subject=None)
    c = Conn(6)

    def broken(data):
        c.put(C, data, chain=(60, bytes([6, 255, 0, 0, 0, 0, 0, 0])))
        c.say(C, data)

    c.open().mail(b"one", broken)
    expect("an extension header longer than its packet", c.rest())


def scaling(shift):
    return b"\3\3" + bytes([shift]) + b"\1"


def windows():
    """More than the receiver's window takes, in order: it drops what is over, and takes the next copy of it."""
    ways = {  # how the window stands in the server's packets, and by which power of two it is to be read
        "no scaling": (lambda c: c.hello(), 0),
        "scaled": (lambda c: c.hello((scaling(7), scaling(3))), 3),
        "scaling that one side lacks": (lambda c: c.hello((b"", scaling(3))), 0),
        "scaling seen of one side": (lambda c: (c.put(S, flags=SYN | ACK, seq=c.isn[S], options=scaling(3)), c.put(C)), 3),
        "scaled, its SYN missed": (lambda c: None, 3),
    }

    def overrun(hello, shift, room, falsely, again=None, acked=None):
        """`room` bytes fit, of `falsely` bytes more the receiver takes nothing."""
        c = Conn()
        hello(c)
        c.greet()

        def say(data):
            data += (b"y" * 70 + b"\r\n") * ((room + falsely) // 72 + 10)
            false = data[:room] + bytes([data[room] ^ 1]) + data[room + 1 :] if again is None else again(data)
            for at in range(0, room + falsely, 1400):
                c.put(C, false[at : min(at + 1400, room + falsely)], at=at)
            c.next[C] += room
            c.window[S] = 0
            c.put(S)
            c.window[S] = 65535
            c.put(S)
            for at in range(room, len(data), 1400):
                c.say(C, data[at : at + 1400])
                c.put(S)

        def window():
            c.window[S] = room >> shift
            c.put(S)

        return c.mail(b"one", say, text=window).rest()

    same = lambda data: data
    for way, (hello, shift) in ways.items():
        large = 65528 if not shift else 96000
        seen = ("midstream",) if "missed" in way else ()
        for room, falsely in ((40, 30), (40, 1), (4096, 8000), (large, 1), (large, 30), (large, 20000)):
            where = "%s, %d bytes beyond %d" % (way, falsely, room)
            both = seen + AMBIGUOUS
            expect("a window overrun, and other bytes instead: " + where, overrun(hello, shift, room, falsely), both, both)
            if room < large:
                expect("the same bytes again: " + where, overrun(hello, shift, room, falsely, same), seen, seen)
            elif falsely > 1400:
                expect("the same bytes again, that cannot be compared: " + where, overrun(hello, shift, room, falsely, same), both, both)

    for way, (hello, shift) in ways.items():
        if "missed" in way or "seen" in way:
            continue
        c = Conn()
        hello(c)
        c.greet()

        def resent(data):
            data += b"y" * 50000 + b"\r\n"
            for at in range(0, len(data), 1400):
                c.put(C, data[at : at + 1400], at=at)
            c.put(C, data[28000:29400], at=28000)
            c.next[C] += len(data)

        c.window[S] = 60000 >> shift
        found, err = records(c.mail(b"one", resent).rest())
        mails = [shown(r) for r in found if r["_path"] == "smtp"]
        fine = all(not m[3] for m in mails) and len(mails) == 2
        ok(fine and "1 segments sent again that were not compared" in err, "within the window, sent again behind what is kept: " + way, mails, err)


def lengths():
    """An IP length that is not the frame's."""
    junk = b".\r\nMAIL FROM:<bad@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"
    for version in (4, 6):
        header = 20 if version == 4 else 0
        said = lambda data: header + 20 + len(data)

        def sent(how):
            c = Conn(version)
            return c.open().mail(b"one", lambda data: how(c, data)).rest()

        def trailer(c, data):
            c.put(C, data + junk, total=said(data))
            c.next[C] += len(data)

        def cut(c, data):
            c.put(C, data, total=said(data) - 30)
            c.next[C] += len(data)

        def longer(c, data):
            c.put(C, data, total=said(data) + 30)
            c.next[C] += len(data)

        def captured(c, data, total=None, less=30):
            c.put(C, data, total=total)
            t, frame, _ = c.frames.pop()
            c.frames.append((t, frame, len(frame) - less))
            c.next[C] += len(data)

        name = "IPv%d: " % version
        expect(name + "a packet shorter than its frame", sent(trailer))
        expect(name + "the same, and its sender goes on behind the whole", sent(cut), ("gap",))
        lost = sent(longer)
        expect(name + "a packet longer than its frame", lost, ("gap",), subject=None)
        ok("1 broken packets skipped" in records(lost)[1], name + "it is counted", records(lost)[1])
        expect(name + "a packet of which the capture has a part", sent(captured), ("gap",))
        expect(name + "a packet of which it has no text", sent(lambda c, data: captured(c, data, less=len(data))), ("gap",), subject=None)
        expect(name + "and that says to be longer than it was", sent(lambda c, data: captured(c, data, said(data) + 1)), ("gap",), subject=None)


def unknown():
    """FIN and RST that the receiver does not get, before it is known what the connection is."""
    steps = ["SYN", "handshake", "greeting begun", "greeting", "EHLO"]
    for port in (25, 4711):
        for step in steps:
            for pause in (0, 3, 40):
                for flags, sides in ((RST, (S,)), (RST, (C,)), (RST | ACK, (C, S)), (FIN | ACK, (C, S)), (FIN | ACK, (S, C))):
                    c = Conn(server_port=port)

                    def at(now):
                        if now != step:
                            return
                        for d in sides:
                            c.put(d, flags=flags, seq=c.isn[C] + 1 if now == "SYN" and d == C else None)
                        c.t += pause

                    c.put(C, flags=SYN, seq=c.isn[C])
                    at("SYN")
                    c.put(S, flags=SYN | ACK, seq=c.isn[S])
                    c.put(C)
                    at("handshake")
                    c.say(S, b"220 mx.exa")
                    at("greeting begun")
                    c.say(S, b"mple.net ESMTP\r\n")
                    at("greeting")
                    c.say(C, b"EHLO a.example.org\r\n")
                    at("EHLO")
                    c.say(S, b"250 mx.example.net\r\n")
                    found, err = records(c.mail(b"one").rest())
                    mails = [shown(r) for r in found if r["_path"] == "smtp"]
                    # Where the forged end is the next thing to come, the rest is one more connection, whose beginning was not seen.
                    want = [(n + "@example.org", n, "250 queued " + n) for n in ("one", "two")]
                    fine = [m[:3] for m in mails] == want and all(m[3] in ((), ("midstream",)) for m in mails)
                    ok(fine, "flags %d of %s behind %s, %g s, port %d" % (flags, sides, step, pause, port), mails, err)



copies()
urgent()
handshakes()
ends()
insertions()
fragments()
chains()
windows()
lengths()
unknown()
done()
