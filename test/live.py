"""Live capture: in two network namespaces with a veth between them, all made here and gone with this process.
usage: live.py MAILTAP LIVE-RUN [TEST...]"""
import collections
import ipaddress
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

from hardwire import checksum
from netns import HERE, THERE, address_up, carrier, ip, ipv4, ipv6, namespaces, sender, tagged, tcp, veth
from tap import done, ok, skip
from waiting import LONG, until

RUN = sys.argv[2]


class Live:
    """live-run; its lines as they come."""

    def __init__(self, iface, sockets=1, filter=""):
        command = [RUN, iface, str(sockets), "100", filter]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.lines, self.complaints = [], []
        self.threads = [threading.Thread(target=self.read, args=a) for a in
                        ((self.process.stdout, self.lines), (self.process.stderr, self.complaints))]
        for t in self.threads:
            t.start()
        until(lambda: self.lines or not self.threads[0].is_alive())
        self.first = self.lines[0] if self.lines else ""

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def rows(self):
        """Of TCP segments: socket, hash % sockets, source, its port, destination, its port, length, link type."""
        return [line.split() for line in list(self.lines) if line.count(" ") == 7]

    def states(self):
        return [line.split()[2] for line in list(self.lines) if " state " in line]

    def wait(self, condition):
        return until(condition)

    def close(self):
        """Its statistics: socket: [received, dropped, dropped by the interface]."""
        try:
            self.process.stdin.close()
            self.process.wait(LONG)
        except subprocess.TimeoutExpired:
            self.process.kill()
        for t in self.threads:
            t.join()
        if self.complaints or self.process.returncode not in (0, 1):
            ok(False, "live-run ends without a complaint", self.process.returncode, "\n".join(self.complaints))
        return {int(line.split()[0]): [int(n) for n in line.split()[2:5]] for line in self.lines if " stats " in line}


def resent(s):
    """Bytes that TCP has sent again: tcpi_bytes_retrans."""
    return struct.unpack_from("Q", s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 216), 208)[0]


def serve(namespace, family, address, connections, back):
    """A server that sends back what it gets; `back` takes the bytes that it sent again, by port of the other side."""
    with namespace:
        listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, 2525))
    listener.listen(50)
    listener.settimeout(LONG)

    def run():
        for _ in range(connections):
            peer, other = listener.accept()
            peer.settimeout(LONG)
            while data := peer.recv(1 << 16):
                peer.sendall(data)
            back[other[1]] = resent(peer)
            peer.close()
        listener.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def talk(namespace, family, address, connections=12, size=2000):
    """TCP from here to there; what is sent comes back. By port of this side: the payload to be seen from it and to it, with what
    a busy machine made TCP send twice."""
    forth, back = {}, {}
    server = serve(namespace, family, address, connections, back)
    for _ in range(connections):
        with socket.socket(family) as s:
            s.settimeout(LONG)
            s.connect((address, 2525))
            sending = threading.Thread(target=s.sendall, args=(b"x" * size,))
            sending.start()
            got = 0
            while got < size:
                got += len(s.recv(1 << 16))
            sending.join()
            forth[s.getsockname()[1]] = resent(s)
    server.join(LONG)
    return {port: (size + forth[port], size + back[port]) for port in forth}


def connections_of(live):
    """Port of this side: its rows."""
    found = collections.defaultdict(list)
    for row in live.rows():
        found[int(row[3] if row[5] == "2525" else row[5])].append(row)
    return found


def finished(live, ports):
    """Each connection has been seen from its SYN to both FINs: at least 3 + 2 + 3 segments."""
    return lambda: all(len(connections_of(live).get(p, [])) >= 8 for p in ports)


def same_socket(live, ports, name, sockets=4):
    found = connections_of(live)
    astray = [r for p in ports for r in found[p] if r[0] != r[1]]
    ok(not astray, "%s: each packet is at the socket of its hash" % name, astray)
    ok(all({r[3] for r in found[p]} == {str(p), "2525"} for p in ports), "%s: both directions are seen" % name)
    used = {r[0] for p in ports for r in found[p]}
    ok(len(used) > 1 or sockets == 1, "%s: more than one socket has work" % name, used)


def plain(near, far):
    for family, address, name in ((socket.AF_INET, "10.9.0.2", "IPv4"), (socket.AF_INET6, "fd09::2", "IPv6")):
        live = Live("here", 4, "tcp port 2525")
        ok(live.first == "ready", "%s: four sockets share an interface" % name, live.lines)
        ports = talk(far, family, address)
        ok(live.wait(finished(live, ports)), "%s: all connections come" % name, *live.lines)
        same_socket(live, ports, name)
        stats = live.close()
        received = sum(s[0] for s in stats.values())
        ok(received == len(live.rows()) and not any(s[1] or s[2] for s in stats.values()),
           "%s: what came is counted, nothing is dropped" % name, stats, len(live.rows()))


def payload(rows, port):
    """Bytes sent from and to a port of this side."""
    return (sum(int(r[6]) for r in rows if r[3] == str(port)), sum(int(r[6]) for r in rows if r[5] == str(port)))


def large(near, far):
    size = 3000000
    live = Live("here", 2, "tcp port 2525")
    (port, expected), = talk(far, socket.AF_INET, "10.9.0.2", 1, size).items()
    live.wait(lambda: payload(live.rows(), port) == expected)
    stats = live.close()
    lengths = [int(r[6]) for r in live.rows()]
    sums = payload(live.rows(), port)
    ok(sums == expected, "no byte of 3 MB is missing, in either direction", sums, expected, stats)
    ok(max(lengths) > 10000, "frames over the MTU come whole", max(lengths))


def loopback(near, far):
    for iface, sockets in (("lo", 1), ("lo", 4), ("any", 4)):
        name = "%s, %d sockets" % (iface, sockets)
        live = Live(iface, sockets, "tcp port 2525")
        ports = talk(near, socket.AF_INET, "127.0.0.1")
        ok(live.wait(finished(live, ports)), "%s: all connections come" % name, *live.lines)
        same_socket(live, ports, name, sockets)
        (big, expected), = talk(near, socket.AF_INET, "127.0.0.1", 1, 1000000).items()
        live.wait(lambda: payload(live.rows(), big) == expected)
        live.close()
        twice = [p for p in ports if payload(live.rows(), p) != ports[p]]
        ok(not twice, "%s: each packet comes once" % name, *[r for p in twice for r in connections_of(live)[p]])
        sums = payload(live.rows(), big)
        ok(sums == expected, "%s: and whole" % name, sums, expected, max(int(r[6]) for r in live.rows()))
        ok({r[7] for r in live.rows()} == {"113" if iface == "any" else "1"}, "%s: the link type is said" % name)


def frames(near, far, make, count=12):
    """`make(i, forth)` frames: those forth sent here, those back sent there, so that both ways are seen here."""
    with sender(near, "here") as out, sender(far, "there") as back:
        for i in range(count):
            for f in make(i, True):
                out.send(f)
            for f in make(i, False):
                back.send(f)


def ends(i, forth, v6=False):
    a, b = ("fd09::%x" % (100 + i), "fd09::25") if v6 else ("10.8.0.%d" % (100 + i), "10.8.1.25")
    return (a, b, 30000 + i, 25) if forth else (b, a, 25, 30000 + i)


def vlan(near, far):
    stacks = {"802.1Q": [(0x8100, 0x4005)], "QinQ": [(0x88a8, 7), (0x8100, 0x6005)], "three tags": [(0x8100, 1)] * 3,
              "tag 9100": [(0x9100, 7), (0x8100, 5)], "options": []}
    for name, tags in stacks.items():
        for v6 in (False, True):
            def make(i, forth):
                src, dst, sport, dport = ends(i, forth, v6)
                segment = tcp(sport, dport)
                packet = ipv6(src, dst, 6, segment) if v6 else ipv4(src, dst, 6, segment, options=b"\x01" * (i % 3 * 4))
                way = (HERE, THERE) if forth else (THERE, HERE)
                yield tagged(packet, *tags, src=way[0], dst=way[1])
            live = Live("here", 4)
            frames(near, far, make)
            live.wait(lambda: len(live.rows()) >= 24)
            live.close()
            rows = [r for r in live.rows() if "25" in (r[3], r[5])]
            what = "%s, IPv%d" % (name, 6 if v6 else 4)
            ok(len(rows) == 24, "%s: all segments come, from both sides" % what, *rows)
            ok(not [r for r in rows if r[0] != r[1]] and len({r[0] for r in rows}) > 1, "%s: each at the socket of its hash" % what, *rows)


def summed(src, dst, segment):
    """With its checksum, without which nothing is taken out of fragments."""
    a, b = (ipaddress.ip_address(x).packed for x in (src, dst))
    pseudo = a + b + (struct.pack("!HBBH", 0, 0, 6, len(segment)) if len(a) == 4 else struct.pack("!IHBB", len(segment), 0, 0, 6))
    return segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]


def fragments(near, far):
    data = os.urandom(3000)

    def make(i, forth):
        src, dst, sport, dport = ends(i, forth)
        whole = summed(src, dst, tcp(sport, dport, data))
        way = (HERE, THERE) if forth else (THERE, HERE)
        for at in range(0, len(whole), 1000):
            part = whole[at:at + 1000]
            yield tagged(ipv4(src, dst, 6, part, 77 + i, at, at + 1000 < len(whole)), src=way[0], dst=way[1])

    def make6(i, forth):
        src, dst, sport, dport = ends(i, forth, True)
        whole = summed(src, dst, tcp(sport, dport, data))
        way = (HERE, THERE) if forth else (THERE, HERE)
        for at in range(0, len(whole), 1000):
            head = struct.pack("!BBHI", 6, 0, at | (at + 1000 < len(whole)), 99 + i)
            yield tagged(ipv6(src, dst, 44, head + whole[at:at + 1000]), src=way[0], dst=way[1])

    for name, maker in (("IPv4", make), ("IPv6", make6)):
        live = Live("here", 4)
        frames(near, far, maker)
        live.wait(lambda: len(live.rows()) >= 24)
        live.close()
        rows = [r for r in live.rows() if r[6] == "3000"]
        ok(len(rows) == 24, "fragments of %s: each datagram is whole at one socket" % name, *live.lines)
        by_pair = collections.defaultdict(set)
        for r in rows:
            by_pair[frozenset((r[2], r[4]))].add(r[0])
        ok(all(len(s) == 1 for s in by_pair.values()) and len({r[0] for r in rows}) > 1,
           "fragments of %s: both directions are at one socket" % name, dict(by_pair))


def vxlan(near, far):
    def add(peer, mine, device, host):
        return ip("link", "add", "tunnel", "type", "vxlan", "id", "5", "remote", peer, "local", mine, "dstport", "4789", "dev", device,
                  check=False) and address_up("tunnel", "10.7.0.%d/24" % host) is None

    made = add("10.9.0.2", "10.9.0.1", "here", 1)
    with far:
        made = made and add("10.9.0.1", "10.9.0.2", "there", 2)
    if not made:
        return skip("VXLAN", "this kernel has none")
    live = Live("here", 4)
    ports = talk(far, socket.AF_INET, "10.7.0.2")
    ok(live.wait(finished(live, ports)), "VXLAN: what is inside comes", *live.lines)
    live.close()
    used = {r[0] for p in ports for r in connections_of(live)[p]}
    ok(len(used) == 1, "VXLAN: goes by the addresses outside, to one socket", used)
    return ip("link", "del", "tunnel")


def filters(near, far):
    live = Live("here", 2, "host 10.9.0.77 or tcp port 2525")
    talk(far, socket.AF_INET6, "fd09::2", 2)
    with sender(far, "there") as s:
        s.send(tagged(ipv4("10.9.0.2", "10.9.0.1", 6, tcp(1, 9))))
        s.send(tagged(ipv4("10.9.0.77", "10.9.0.1", 6, tcp(1, 10))))
    live.wait(lambda: any(r[5] == "10" for r in live.rows()))
    live.close()
    ok(any(r[5] == "10" for r in live.rows()) and not any(r[5] == "9" for r in live.rows()) and
       not any(" other" in line for line in live.lines), "a filter keeps out what it does not name", *live.lines)
    for text, says in (("port frog", "frog"), ("tcp) or (udp", "syntax error"), ("host", "syntax error")):
        live = Live("here", 2, text)
        live.close()
        ok(live.first.startswith("error EINVAL here: the filter '%s' is wrong: " % text) and says in live.first,
           "a wrong filter is refused: %s" % text, *live.lines)


def names(near, far):
    for name, nearest in (("hear", "here"), ("xlo", "lo"), ("nflog", None), ("a-name-longer-than-any", None), ("", None)):
        live = Live(name)
        live.close()
        expected = "error ENODEV there is no interface '%s'" % name
        ok(live.first.startswith(expected) and (not nearest or live.first.endswith("did you mean '%s'?" % nearest)),
           "no such interface: '%s'" % name, *live.lines)
    try:
        shown = subprocess.run([RUN, "here", "1", "1"], user=65534, extra_groups=[], stdin=subprocess.DEVNULL, capture_output=True,
                               text=True, timeout=LONG).stdout
        ok(shown.startswith("error EPERM here: no right to capture packets") and "CAP_NET_RAW" in shown, "without rights it says so", shown)
    except (OSError, subprocess.SubprocessError) as e:
        skip("without rights it says so", "cannot become another user: %s" % e)


def one_segment(far, iface, port):
    with sender(far, iface) as s:
        s.send(tagged(ipv4("10.9.0.2", "10.9.0.1", 6, tcp(port, 25))))


def downs(near, far):
    veth(near, far, "flap", "flop", "02:00:00:00:00:03", "02:00:00:00:00:04", "10.6.0", "fd06::")
    ip("link", "set", "flap", "down")
    live = Live("flap")
    live.close()
    ok(live.first.startswith("error ENETDOWN flap: is down"), "an interface that is down is not opened", live.first)
    ip("link", "set", "flap", "up")
    live = Live("flap", 4)
    for turn in range(1, 3):
        ip("link", "set", "flap", "down")
        ok(live.wait(lambda: live.states().count("ENETDOWN") == 4 * turn), "going down is told by all sockets", *live.lines)
        ip("link", "set", "flap", "up")
        ok(live.wait(lambda: live.states().count("up") == 4 * turn), "so is coming up", *live.lines)
        with far:
            carrier("flop")
        before = len(live.rows())
        for port in range(1000, 1012):
            one_segment(far, "flop", port)
        live.wait(lambda: len(live.rows()) >= before + 12)
        rows = live.rows()[before:]
        ok(len(rows) == 12 and not [r for r in rows if r[0] != r[1]], "capture goes on, each packet at its socket", *live.lines)
    ip("link", "del", "flap")
    ok(live.wait(lambda: "ENODEV" in live.states()), "being deleted is told", *live.lines)
    live.process.wait(LONG)
    live.close()
    ok(live.states()[-4:].count("ENODEV") == 4 and live.process.returncode == 0, "by all sockets", *live.lines)

    veth(near, far, "flap", "flop", "02:00:00:00:00:03", "02:00:00:00:00:04", "10.6.0", "fd06::")
    live = Live("flap")
    ip("link", "set", "flap", "down")
    live.wait(lambda: live.states()[-1:] == ["ENETDOWN"])
    ip("link", "set", "flap", "name", "flip")
    ip("link", "set", "flip", "up")
    live.wait(lambda: live.states()[-1:] == ["up"])
    with far:
        carrier("flop")
    one_segment(far, "flop", 1000)
    ok(live.wait(live.rows) and live.states() == ["ENETDOWN", "up"], "another name, given while it is down, does not matter", *live.lines)
    ip("link", "set", "flip", "down")
    live.wait(lambda: live.states()[-1:] == ["ENETDOWN"])
    ip("link", "del", "flip")
    ok(live.wait(lambda: "ENODEV" in live.states()), "and while it is down", *live.lines)
    live.close()


def idle(near, far):
    live = Live("here", 2, "tcp port 9")
    began = time.monotonic()
    stats = live.close()
    ok(live.first == "ready" and stats and time.monotonic() - began < LONG / 2, "an idle interface holds up nothing", *live.lines)
    live = Live("here", 1, "tcp port 25")
    waits = []
    for port in range(2000, 2005):
        began = time.monotonic()
        one_segment(far, "there", port)
        live.wait(lambda: any(r[3] == str(port) for r in live.rows()))
        waits.append(time.monotonic() - began)
    live.close()
    ok(min(waits) < 0.2, "a lone packet comes soon", waits)


def groups(near, far):
    lives = [Live("here", 3, "tcp port 2525") for _ in range(2)]
    ports = talk(far, socket.AF_INET, "10.9.0.2", 20)
    for live in lives:
        ok(live.wait(finished(live, ports)), "two processes on one interface each see all", *live.lines)
        same_socket(live, ports, "each of two processes", 3)
        live.close()


def start(near, far):
    """Packets are on their way while the sockets are opened."""
    stop = threading.Event()

    def send():
        with sender(far, "there") as s:
            port = 1024
            while not stop.is_set():
                port += 1
                s.send(tagged(ipv4("10.9.0.2", "10.9.%d.%d" % (port >> 16, port >> 8 & 255), 6, tcp(port & 0xffff, 25))))

    thread = threading.Thread(target=send)
    thread.start()
    live = Live("here", 8, "tcp port 25")
    live.wait(lambda: len(live.lines) > 1000)
    stop.set()
    thread.join()
    live.close()
    rows = live.rows()
    counts = collections.Counter((r[4], r[3]) for r in rows)
    ok(len(rows) >= 1000 and max(counts.values()) == 1, "while sockets are opened no packet comes twice", counts.most_common(5))
    ok(not [r for r in rows if r[0] != r[1]], "nor to another socket", [r for r in rows if r[0] != r[1]][:9])


def overflow(near, far):
    """More than the ring holds, while nobody reads."""
    live = Live("here", 1, "udp port 7")
    os.kill(live.process.pid, 19)
    count = 30000
    with sender(far, "there") as s:
        frame = tagged(ipv4("10.9.0.2", "10.9.0.1", 17, struct.pack("!HHHH", 1, 7, 1408, 0) + b"x" * 1400))
        for _ in range(count):
            s.send(frame)
    os.kill(live.process.pid, 18)
    stats = live.close()[0]
    ok(stats[0] + stats[1] == count and stats[1] > 0, "what the buffer has no room for is counted", stats)


TESTS = [plain, large, loopback, vlan, fragments, vxlan, filters, names, downs, idle, groups, start, overflow]


def main():
    if not shutil.which("ip"):
        print("1..0 # SKIP no ip command (package iproute2)")
        sys.exit(0)
    near, far = namespaces()
    for test in TESTS:
        if len(sys.argv) <= 3 or test.__name__ in sys.argv[3:]:
            test(near, far)
    done()


main()
