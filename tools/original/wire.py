"""Captures to connections: what each side sent, in the order in which it could be read. It shares nothing with mailtap, and is as
simple as captures made for a test allow: Ethernet, whole IP packets, TCP."""
import ipaddress
import struct
from dataclasses import dataclass, field

FIN, SYN, RST = 1, 2, 4
TIMEOUT = 600 * 10**9  # after which mailtap takes an idle connection for ended


def packets(data):
    """(time in nanoseconds, frame) of each; pcap and pcapng, as little-endian machines write them."""
    if data[:4] == b"\xd4\xc3\xb2\xa1":
        at = 24
        while at < len(data):
            seconds, micros, size = struct.unpack_from("<III", data, at)
            yield seconds * 10**9 + micros * 1000, data[at + 16:at + 16 + size]
            at += 16 + size
        return
    if data[:4] != b"\x0a\x0d\x0d\x0a":
        raise ValueError("neither pcap nor pcapng, little-endian")
    at, units = 0, []
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 1:
            units.append(resolution(data[at + 16:at + size - 4]))
        elif kind == 6:
            which, high, low, length = struct.unpack_from("<IIII", data, at + 8)
            yield (high << 32 | low) * units[which], data[at + 28:at + 28 + length]
        at += size


def resolution(options):
    """Nanoseconds of an interface's unit: option 9, microseconds where there is none."""
    while len(options) >= 4:
        code, length = struct.unpack_from("<HH", options)
        if code == 9:
            return 10 ** (9 - options[4])
        options = options[4 + (length + 3) // 4 * 4:]
    return 1000


def checksum_good(pseudo, tcp):
    whole = pseudo + tcp + bytes(len(tcp) & 1)
    return int.from_bytes(whole, "big") % 65535 == 0


def segments(data, verify):
    """(time, source, destination, sequence number, acknowledgement, flags, payload) of each; ends are (address, port)."""
    for time, frame in packets(data):
        kind, at = struct.unpack_from("!H", frame, 12)[0], 14
        while kind in (0x8100, 0x88A8):
            kind, at = struct.unpack_from("!H", frame, at + 2)[0], at + 4
        ip = frame[at:]
        if kind == 0x800 and ip[9] == 6:
            head, end = (ip[0] & 15) * 4, struct.unpack_from("!H", ip, 2)[0]
            ends, tcp = (ip[12:16], ip[16:20]), ip[head:end]
        elif kind == 0x86DD and ip[6] == 6:
            end = 40 + struct.unpack_from("!H", ip, 4)[0]
            ends, tcp = (ip[8:24], ip[24:40]), ip[40:end]
        else:
            continue
        pseudo = ends[0] + ends[1] + struct.pack("!II", 6, len(tcp))
        if len(tcp) < 20 or verify and not checksum_good(pseudo, tcp):
            continue
        sport, dport, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", tcp)
        source, target = [(str(ipaddress.ip_address(end)), port) for end, port in zip(ends, (sport, dport))]
        yield time, source, target, seq, ack if flags & 16 else None, flags, tcp[(offset >> 4) * 4:]


@dataclass
class Side:
    next: int = None  # the sequence number that comes next
    waits: dict = field(default_factory=dict)  # pieces that came early, by their sequence number
    later: list = field(default_factory=list)  # (number of the packet, sequence number, length) of all pieces


@dataclass
class Connection:
    orig: tuple
    resp: tuple
    first: int  # time of the first packet
    syn: bool = False
    steps: list = field(default_factory=list)  # (time, side, bytes, or the length of a gap, number of the packet that let it through)
    sides: tuple = None
    last: int = 0
    end: int = 0  # of the capture
    packets: int = 0
    ended: list = field(default_factory=lambda: [False, False])

    def take(self, time, side, seq, ack, flags, payload):
        self.last = time
        self.packets += 1
        me, peer = self.sides[side], self.sides[1 - side]
        if flags & SYN:
            self.syn |= side == 0
            me.next = seq + 1 & 0xFFFFFFFF
        elif me.next is None:
            me.next = seq
        if ack is not None and peer.next is not None:
            self.acknowledged(time, 1 - side, ack)
        if payload and not flags & SYN and not all(self.ended):
            if len(payload) > len(me.waits.get(seq, (0, b""))[1]):
                me.waits[seq] = time, payload
            self.flow(side)
        if flags & FIN and not me.waits and distance(seq + len(payload), me.next) == 0:
            me.next = me.next + 1 & 0xFFFFFFFF
        if flags & (FIN | RST):
            self.ended[side] = True

    def flow(self, side):
        """Passes on what is in order."""
        me = self.sides[side]
        while ready := [seq for seq in me.waits if distance(seq, me.next) <= 0]:
            seq = min(ready, key=lambda s: distance(s, me.next))
            time, payload = me.waits.pop(seq)
            fresh = payload[-distance(seq, me.next):]
            if fresh:
                me.next = me.next + len(fresh) & 0xFFFFFFFF
                self.steps.append((time, side, fresh, self.packets))

    def acknowledged(self, time, side, ack):
        """What the peer got, and comes no more, is a gap."""
        me = self.sides[side]
        while (missing := distance(ack, me.next)) > 0:
            comes = any(number >= self.packets and distance(seq, me.next) <= 0 < distance(seq, me.next) + length
                        for number, seq, length in me.later)
            gap = min([distance(seq, me.next) for seq in me.waits] + [missing])
            if comes or gap == 1 and not me.waits:  # the end of a side takes a number too
                break
            self.skip(time, side, gap)

    def skip(self, time, side, gap):
        self.steps.append((time, side, gap, self.packets))
        self.sides[side].next = self.sides[side].next + gap & 0xFFFFFFFF
        self.flow(side)

    def finish(self):
        for side in (0, 1):
            while self.sides[side].waits:
                self.skip(self.last, side, min(distance(seq, self.sides[side].next) for seq in self.sides[side].waits))


def distance(a, b):
    return (a - b + 2**31) % 2**32 - 2**31


def connections(data, verify=False):
    """All of a capture, in the order of their first packets."""
    found, current, time, taken = [], {}, 0, []
    for time, source, target, seq, ack, flags, payload in segments(data, verify):
        begins = flags & SYN and ack is None
        c = current.get((source, target)) or current.get((target, source))
        if c is None or begins and any(c.ended) or time - c.last > TIMEOUT:
            if flags & RST:
                continue
            # Where the beginning was not seen, the lower port is the server's.
            orig, resp = (source, target) if begins or not flags & SYN and target[1] <= source[1] else (target, source)
            c = Connection(orig, resp, time, sides=(Side(), Side()))
            found.append(c)
            current.pop((resp, orig), None)
            current.pop((orig, resp), None)
            current[orig, resp] = c
        side = 0 if (source, target) == (c.orig, c.resp) else 1
        c.last, c.packets = time, c.packets + 1
        c.ended[side] |= bool(flags & (FIN | RST))
        c.sides[side].later.append((c.packets, seq, len(payload)))
        taken.append((c, time, side, seq, ack, flags, payload))
    for c in found:
        c.packets, c.ended = 0, [False, False]
    for c, *packet in taken:
        c.take(*packet)
    for c in found:
        c.finish()
        c.end = time
    return found
