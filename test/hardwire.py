"""From a dialogue to packets for hardtrace.py: TCP as hosts speak it, the faults of networks and taps, a pcap file."""
import ipaddress
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class Packet:
    """`off`: where its data lies in the sender's stream; None: not the sender's (forged), or no part of the stream."""

    def __init__(self, t, d, seq, ack, flags, data=b"", off=None):
        self.t, self.d, self.seq, self.ack, self.flags, self.data, self.off = t, d, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, flags, data, off
        self.win, self.cap, self.stamp = 65535, None, None  # `stamp`: the time in the file, where it is not `t`

    def copy(self, **change):
        p = Packet(self.t, self.d, self.seq, self.ack, self.flags, self.data, self.off)
        p.__dict__.update(change)
        return p


def checksum(data):
    if len(data) & 1:
        data += b"\0"
    r = int.from_bytes(data, "big") % 65535
    return ~(r or (65535 if any(data) else 0)) & 0xFFFF


class Wire:
    def __init__(self, r, on, t, ends=None):
        self.r, self.on, self.t, self.packets = r, on, t, []
        v6 = r.random() < 0.15
        net = "2001:db8:%d::" if v6 else "198.1%d.0.0"
        c, s = (ipaddress.ip_address(net % (8 + i)) + r.randrange(1, 65000) for i in (0, 1))
        port = r.choice([25, 25, 25, 587])
        if "altport" in on:
            port = r.choice([10025, 2525, 10024, 30000])
        if "lmtp" in on:
            port = r.choice([24, 25] + ([] if on & {"midstream", "idle20"} else [10024]))
        self.ends = ends or ((c, r.randrange(32768, 61000)), (s, port))
        self.isn = [r.randrange(1 << 32), r.randrange(1 << 32)]
        if "wrap" in on:
            self.isn = [(1 << 32) - r.randrange(1, 3000), (1 << 32) - r.randrange(1, 300)]
        self.rtt = r.choice([0.0002, 0.002, 0.03])
        self.sent, self.mss = [0, 0], r.choice([536, 1448, 1448])
        self.vlan = [("vlan_one" in on and r.random() < 0.5), "vlan_one" in on]

    def seq(self, d, off=None):
        return self.isn[d] + 1 + (self.sent[d] if off is None else off)

    def step(self, share=1.0):
        self.t += self.rtt * share * self.r.uniform(0.3, 0.7)

    def add(self, d, flags, data=b"", off=None, seq=None, ack=None):
        p = Packet(self.t, d, self.seq(d) if seq is None else seq, self.seq(1 - d) if ack is None else ack, flags, data, off)
        self.packets.append(p)
        return p

    def ack(self, d):
        self.step(0.1)
        return self.add(d, ACK)

    def sizes(self, length):
        r, left = self.r, length
        while left:
            n = self.mss
            if "bytes1" in self.on:
                n = 1
            elif "tiny" in self.on:
                n = r.randrange(1, 40)
            elif "split" in self.on:
                n = r.choice([1, 2, 3, 7, 100, self.mss])
            n = min(n, left)
            yield n
            left -= n

    def write(self, d, data, flags=0, acks=True):
        at = 0
        for k, n in enumerate(self.sizes(len(data))):
            self.t += 0.00002 if "bytes1" in self.on else 0.0002
            last = at + n == len(data)
            self.add(d, ACK | (PSH if last else 0) | (flags if last else 0), data[at : at + n], self.sent[d])
            self.sent[d] += n
            at += n
            if acks and k % 2 and "bytes1" not in self.on:
                self.t += 0.00005
                self.add(1 - d, ACK)

    def syn(self, early=(b"", b"")):
        a, b = early
        self.add(0, SYN, a, 0 if a else None, self.isn[0], 0)
        self.sent[0] += len(a)
        self.step()
        self.add(1, SYN | ACK, b, 0 if b else None, self.isn[1])
        self.sent[1] += len(b)
        self.step()
        self.add(0, ACK)

    def finish(self, how):
        self.step()
        if how in ("fin", "sfin"):
            a = 0 if how == "fin" else 1
            self.add(a, FIN | ACK)
            self.step()
            self.add(1 - a, FIN | ACK, ack=self.seq(a) + 1)
            self.step()
            self.add(a, ACK, seq=self.seq(a) + 1, ack=self.seq(1 - a) + 1)
        elif how == "rst":
            self.add(0, RST | ACK)

    def build(self, talk):
        writes, on = list(talk.writes), self.on
        early = [b"", b""]
        if "tfo" in on:  # RFC 7413: the greeting in the SYN's answer; where the client speaks first its EHLO in the SYN
            d, data = writes[0]
            if d < 2 and len(data) < 1400:
                early[d] = writes.pop(0)[1]
        self.syn(early)
        tail = None
        if "fin_data" in on and talk.end in ("fin", "sfin") and len(writes) > 1 and writes[-1][0] == 1 and writes[-2][0] == 0:
            tail = writes[-2:]
            del writes[-2:]
        if "rst_data" in on and len(writes) > 1 and writes[-1][0] == 1 and writes[-2][0] == 0:
            self.reset_early, end = writes.pop(), "rst_data"
        else:
            end = talk.end
        for d, data in writes:
            if d == 2:
                self.t += data
            else:
                self.step()
                self.write(d, data)
                self.step()
                if self.r.random() < 0.5:
                    self.ack(1 - d)
        if tail:
            self.write(0, tail[0][1], FIN)
            self.sent[0] += 1
            self.step()
            self.write(1, tail[1][1], FIN)
            self.sent[1] += 1
            self.step()
            self.add(0, ACK)
        elif end == "rst_data":
            # The client is gone before the server's last words, which come all the same.
            self.step()
            self.add(0, RST | ACK)
            self.t += self.rtt * 0.2
            self.write(1, self.reset_early[1], acks=False)
            self.step()
            self.add(1, FIN | ACK)
            self.add(0, RST, seq=self.seq(0))
        else:
            self.finish(end)
        return self.packets

    def frame(self, p):
        (src, sp), (dst, dp) = self.ends[p.d], self.ends[1 - p.d]
        v6 = src.version == 6
        options = b"\x02\x04" + struct.pack("!H", self.mss) if p.flags & SYN else b""
        tcp = struct.pack("!HHIIBBHHH", sp, dp, p.seq, p.ack if p.flags & ACK else 0, (5 + len(options) // 4) << 4, p.flags, p.win, 0, 0) + options
        size = len(tcp) + len(p.data)
        pseudo = src.packed + dst.packed + (struct.pack("!IHBB", size, 0, 0, 6) if v6 else struct.pack("!BBH", 0, 6, size))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp + p.data)) + tcp[18:]
        if v6:
            ip, kind = struct.pack("!IHBB", 6 << 28, size, 6, 64) + src.packed + dst.packed, 0x86DD
        else:
            ip, kind = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + size, 0, 0x4000, 64, 6, 0, src.packed, dst.packed), 0x0800
            ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        tag = struct.pack("!HH", 0x8100, 7 + p.d) if self.vlan[p.d] else b""
        raw = b"\x02\0\0\0\0\1\x02\0\0\0\0\2" + tag + struct.pack("!H", kind) + ip + tcp + p.data
        if len(raw) < 60 and self.r.random() < 0.3:
            raw += b"\0" * (60 - len(raw))  # Ethernet's padding
        return raw

    def header_size(self, p):
        return 14 + (4 if self.vlan[p.d] else 0) + (40 if self.ends[0][0].version == 6 else 20) + (24 if p.flags & SYN else 20)


def other_traffic(r, t):
    """Connections that are not mail, some of which look a little like it."""
    w = Wire(r, set(), t)
    kind = r.choice(["http", "ftp", "pop3", "imap", "random", "tls", "ssh"])
    port = {"http": 80, "ftp": 21, "pop3": 110, "imap": 143, "random": r.randrange(1024, 9000), "tls": 443, "ssh": 22}[kind]
    w.ends = (w.ends[0], (w.ends[1][0], port))
    script = {
        "http": [(0, b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\nEHLO a\r\nMAIL FROM:<trap@example.org>\r\nRCPT TO:<a@example.org>\r\n"), (1, b"HTTP/1.1 200 OK\r\n\r\n250 ok\r\n")],
        "ftp": [(1, b"220 ProFTPD ready\r\n"), (0, b"USER anonymous\r\n"), (1, b"331 pass\r\n"), (0, b"PASS x@example.org\r\n"), (1, b"230 in\r\n"), (0, b"NOOP\r\n"), (1, b"200 ok\r\n"), (0, b"QUIT\r\n"), (1, b"221 bye\r\n")],
        "pop3": [(1, b"+OK ready\r\n"), (0, b"USER a\r\n"), (1, b"+OK\r\n"), (0, b"RETR 1\r\n"), (1, b"+OK\r\nFrom: trap@example.org\r\nSubject: trap\r\n\r\nMAIL FROM:<trap@example.org>\r\n.\r\n"), (0, b"QUIT\r\n"), (1, b"+OK\r\n")],
        "imap": [(1, b"* OK IMAP4rev1\r\n"), (0, b"a1 LOGIN a b\r\n"), (1, b"a1 OK\r\n"), (0, b"a2 APPEND x {40}\r\n"), (1, b"+ go\r\n"), (0, b"MAIL FROM:<trap@example.org>\r\nDATA\r\n.\r\n"), (1, b"a2 OK\r\n")],
        "random": [(r.randrange(2), r.randbytes(r.randrange(1, 3000))) for _ in range(6)],
        "tls": [(0, b"\x16\x03\x01\x02\0" + r.randbytes(512)), (1, b"\x16\x03\x03\0\x7a" + r.randbytes(800))],
        "ssh": [(1, b"SSH-2.0-OpenSSH_9\r\n"), (0, b"SSH-2.0-x\r\n"), (1, r.randbytes(300)), (0, r.randbytes(300))],
    }[kind]
    w.syn()
    for d, data in script:
        w.step()
        w.write(d, data)
    w.finish(r.choice(["fin", "rst", "vanish"]))
    return w


def save(path, frames, snap=262144):
    """frames: [(time, bytes, captured length or None)], written in that order."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snap, 1))
        for t, raw, cap in frames:
            us = round(t * 1e6)
            cap = len(raw) if cap is None else min(cap, len(raw))
            f.write(struct.pack("<IIII", us // 1000000, us % 1000000, cap, len(raw)) + raw[:cap])
