"""Capture files of every kind, made from one small dialogue, read by the program: exit code, messages, records."""
import bz2
import gzip
import json
import re
import struct
import subprocess
import tempfile
from pathlib import Path

from tap import done, mailtap, ok

CLIENT, SERVER = bytes([198, 51, 100, 7]), bytes([192, 0, 2, 25])
MAIL = (b"From: a@example.com\r\nTo: b@example.org\r\nSubject: in a file\r\nMessage-ID: <1@example.com>\r\n\r\n"
        + b"A line of the message.\r\n" * 10 + b".\r\n")
LINES = [("S", b"220 mx.example.org ESMTP\r\n"), ("C", b"EHLO client.example.com\r\n"),
         ("S", b"250 mx.example.org\r\n"),
         ("C", b"MAIL FROM:<a@example.com>\r\n"), ("S", b"250 ok\r\n"),
         ("C", b"RCPT TO:<b@example.org>\r\n"), ("S", b"250 ok\r\n"),
         ("C", b"DATA\r\n"), ("S", b"354 go on\r\n"), ("C", MAIL), ("S", b"250 queued as 17\r\n"),
         ("C", b"QUIT\r\n"), ("S", b"221 bye\r\n")]


def ipv4(src, dst, segment, protocol=6):
    h = bytearray(struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0x4000, 64, protocol, 0, src, dst))
    total = sum(struct.unpack(">10H", h))
    total = (total & 0xffff) + (total >> 16)
    struct.pack_into(">H", h, 10, 0xffff - (total & 0xffff) - (total >> 16))
    return bytes(h) + segment


def dialogue():
    """IP packets: the handshake, the lines, the end."""
    seq, packets = {"C": 1000, "S": 5000}, []

    def send(side, flags, data=b""):
        other = "S" if side == "C" else "C"
        ports, ends = ((40000, 25), (CLIENT, SERVER)) if side == "C" else ((25, 40000), (SERVER, CLIENT))
        ack = seq[other] if flags & 16 else 0
        packets.append(ipv4(*ends, struct.pack(">HHIIBBHHH", *ports, seq[side], ack, 0x50, flags, 8192, 0, 0) + data))
        seq[side] += len(data) + (flags & 3 != 0)

    send("C", 2), send("S", 18), send("C", 16)
    for side, data in LINES:
        send(side, 24, data)
    send("C", 17), send("S", 17), send("C", 16)
    return packets


PACKETS = dialogue()
LAST_OF_MAIL = 3 + 11  # packets until the reply to the message
START = 1790000000
FRAMES = [b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + p for p in PACKETS]


def pcap(packets=FRAMES, link=1, order="<", nano=False, magic=None, snap=65535, version=(2, 4)):
    magic = magic or (0xa1b23c4d if nano else 0xa1b2c3d4)
    out = struct.pack(order + "IHHiIII", magic, *version, 0, 0, snap, link)
    for i, p in enumerate(packets):
        part = 250000 * (1000 if nano else 1)
        out += struct.pack(order + "IIII", START + i, part, min(len(p), snap), len(p))
        if magic == 0xa1b2cd34:
            out += struct.pack(order + "IHBB", 2, 0x800, 0, 0)
        out += p[:snap]
    return out


def block(kind, body, order="<"):
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def section(order="<"):
    return block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1), order)


def interface(link, order="<", resolution=None, offset=None, snap=0):
    options = b""
    if resolution is not None:
        options += struct.pack(order + "HHB3x", 9, 1, resolution)
    if offset is not None:
        options += struct.pack(order + "HHq", 14, 8, offset)
    return block(1, struct.pack(order + "HHI", link, 0, snap) + options + bytes(4), order)


def enhanced(packet, ticks, number=0, order="<", captured=None):
    captured = len(packet) if captured is None else captured
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xffffffff, captured, len(packet))
    return block(6, head + packet[:captured], order)


def pcapng(order="<", resolution=None, offset=None, units=1000000, extra=b""):
    out = section(order) + interface(1, order, resolution, offset)
    for i, p in enumerate(FRAMES):
        out += enhanced(p, (START + i - (offset or 0)) * units + units // 4, 0, order) + extra
    return out


def simple():
    return section() + interface(1) + b"".join(block(3, struct.pack("<I", len(p)) + p) for p in FRAMES)


def mixed():
    """A section a packet; link types, byte orders and resolutions take turns."""
    out = b""
    for i, p in enumerate(PACKETS):
        order = "<>"[i % 2]
        links = [(1, FRAMES[i]), (101, p), (113, struct.pack(">HHH8xH", 0, 1, 6, 0x800) + p),
                 (0, struct.pack(order + "I", 2) + p)]
        link, packet = links[i % 4]
        out += section(order) + interface(105, order) + interface(link, order, resolution=9)
        out += enhanced(packet, (START + i) * 10**9 + 250000000, 1, order)
    return out


def tool(name, *args):
    return lambda data: subprocess.run([name, *args], input=data, stdout=subprocess.PIPE, check=True).stdout


zst, lz4 = tool("zstd", "-q", "-c"), tool("lz4", "-q", "-c")
tmp = tempfile.TemporaryDirectory()
counter = 0


def run(data, *args, stdin=False):
    """Exit code, records by stream, standard error."""
    global counter
    counter += 1
    path = Path(tmp.name) / ("%d.pcap" % counter)
    path.write_bytes(data)
    r = mailtap("read", "-" if stdin else path, "-f", "json", *args, stdin=data if stdin else None)
    return r.returncode, [json.loads(line) for line in r.stdout.splitlines()], r.stderr.decode().replace(str(path), "FILE")


def check(name, data, code=0, says=(), mails=1, time=True, packets=None, args=(), stdin=False, **fields):
    """One file: exit code, texts on standard error, number of mails, and fields of the mail."""
    got, records, err = run(data, *args, stdin=stdin)
    found = [r for r in records if r["_path"] == "smtp"]
    wrong = []
    if got != code:
        wrong.append("exit code %d, not %d" % (got, code))
    wrong += ["does not say: " + text for text in says if text not in err]
    if not says and err.count("\n") != 1:
        wrong.append("says more than its last line")
    if packets is not None and "mailtap: %d packets, " % packets not in err:
        wrong.append("counts other than %d packets" % packets)
    if len(found) != mails:
        wrong.append("%d mails, not %d" % (len(found), mails))
    for r in found[:1]:
        fields = {"mailfrom": "a@example.com", "rcptto": ["b@example.org"], "id.orig_h": "198.51.100.7", "id.resp_p": 25,
                  **fields}
        wrong += ["%s is %r, not %r" % (k, r.get(k), v) for k, v in fields.items() if r.get(k) != v]
        if time and abs(r["ts"] - (START + 6.25)) > 0.000001:
            wrong.append("time is %r, not %r" % (r["ts"], START + 6.25))
    ok(not wrong, name, *wrong, err)
    return found[0] if found else None


def dialects():
    for order in "<>":
        side = "little" if order == "<" else "big"
        for nano in False, True:
            check("pcap, %s endian, %s" % (side, "nanoseconds" if nano else "microseconds"), pcap(order=order, nano=nano),
                  packets=len(FRAMES), subject="in a file", last_reply="250 queued as 17")
        check("pcap, %s endian, Kuznetzov's" % side, pcap(order=order, magic=0xa1b2cd34), packets=len(FRAMES))
        check("pcapng, %s endian" % side, pcapng(order), packets=len(FRAMES))
        check("pcapng, %s endian, nanoseconds" % side, pcapng(order, 9, units=10**9), packets=len(FRAMES))
        check("pcapng, %s endian, 1/2^20 s and an offset" % side, pcapng(order, 0x94, START - 1000, 2**20), packets=len(FRAMES))
    for link in 12, 14, 101, 228:
        check("pcap, raw IP as link type %d" % link, pcap(PACKETS, link))
    check("pcap, frames with their FCS", pcap([f + b"\xde\xad\xbe\xef" for f in FRAMES], 0x24000001 | 1 << 26))
    check("pcap, frames padded to 60 bytes", pcap([f.ljust(60, b"\0") for f in FRAMES]))
    check("pcap, BSD loopback", pcap([struct.pack("<I", 2) + p for p in PACKETS], 0))
    check("pcapng, a section a packet, of different links and orders", mixed(), packets=len(FRAMES))
    check("pcapng, packets without a time", simple(), packets=len(FRAMES), time=False)


def said_and_skipped():
    other = block(5, bytes(20)) + block(0x0bad, b"\0\0\0\1hello")
    check("pcapng, blocks of other types are counted", pcapng(extra=other), packets=len(FRAMES),
          says=["%d blocks without a packet skipped" % (2 * len(FRAMES))])
    stray = enhanced(FRAMES[0], START * 1000000, 7)
    check("pcapng, packets of an unknown interface are counted", pcapng(extra=stray), packets=len(FRAMES),
          says=["%d blocks without a packet skipped" % len(FRAMES)])
    arp, stump = b"\2" * 12 + b"\x08\x06" + bytes(28), b"\2" * 12 + b"\x08\0" + b"\x45" * 9
    check("packets that are not TCP are counted", pcap(FRAMES + [arp, stump]),
          says=[", 1 packets not TCP", ", 1 broken packets skipped"])
    bad = FRAMES[:6] + [FRAMES[6][:24] + b"\xbe\xef" + FRAMES[6][26:]] + FRAMES[7:]
    check("a wrong IP checksum is no matter", pcap(bad))
    check("unless it is to be verified: all these segments have none", pcap(bad), mails=0, args=("-s", "checksums=verify"),
          says=[", %d packets with a wrong checksum skipped" % len(FRAMES)])
    r = check("packets that the snap length cut: the headers of the mail are there, its end is not", pcap(snap=14 + 40 + 80),
              says=["1 packets cut by the snap length"], subject="in a file")
    lost = len(MAIL) - 80
    _, _, err = run(pcap(snap=14 + 40 + 80))
    ok(r and "%d bytes in gaps" % lost in err, "and what was cut is counted as a gap of %d bytes" % lost, r, err)
    check("packets cut inside of the TCP header", pcap(snap=14 + 30), mails=0,
          says=["%d packets cut by the snap length" % len(FRAMES), "%d of them too short for TCP" % len(FRAMES)])


def tunnels():
    def vxlan(p):
        udp = b"\x12\xb5\x12\xb5" + struct.pack(">HHII", 16 + 14 + len(p), 0, 0x08000000, 0x6400) + FRAMES[0][:14] + p
        return FRAMES[0][:14] + ipv4(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), udp, 17)

    check("VXLAN", pcap([vxlan(p) for p in PACKETS]))
    check("VXLAN, cut: the same gap inside of it", pcap([vxlan(p) for p in PACKETS], snap=14 + 20 + 8 + 8 + 14 + 40 + 80),
          says=["%d bytes in gaps" % (len(MAIL) - 80)])
    gre = [FRAMES[0][:14] + ipv4(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), b"\0\0\x08\0" + p, 47) for p in PACKETS]
    check("GRE", pcap(gre))
    tagged = [f[:12] + b"\x81\0\0\1" * 12 + f[12:] for f in FRAMES]
    check("twelve VLAN tags", pcap(tagged))
    check("are too many where four layers are allowed", pcap(tagged), mails=0, args=("-s", "max_layers=4"),
          says=["%d packets with too many layers" % len(FRAMES)])
    deep = [f[:12] + b"\x81\0\0\1" * 62 + f[12:] for f in FRAMES]
    check("sixty-two of them where sixty-four layers are", pcap(deep), args=("-s", "max_layers=64"))


def compressed():
    half = len(pcap()) // 2
    parts = pcap()[:half], pcap()[half:]
    for name, pack in (("gz", gzip.compress), ("zst", zst), ("lz4", lz4)):
        for what, data in (("pcap", pcap(order=">")), ("pcapng", pcapng())):
            check("%s, %s" % (what, name), pack(data), packets=len(FRAMES))
        check("pcap, %s in two parts" % name, pack(parts[0]) + pack(parts[1]), packets=len(FRAMES))
        check("pcap, %s, from standard input" % name, pack(pcap()), packets=len(FRAMES), stdin=True)
        whole = pack(pcap())
        check("%s, the last byte missing" % name, whole[:-1], 1,
              ["mailtap: FILE: the compressed data ends too early, after"], packets=len(FRAMES))
        check("%s, cut in the second part" % name, pack(pcap()[:half]) + pack(pcap()[half:])[:40], 1,
              ["mailtap: FILE: the compressed data ends too early, after"], last_reply="250 ok")
        check("%s, cut in its header" % name, whole[:5], 1, ["mailtap: FILE: the compressed data ends too early"], mails=0)
        check("%s, something else behind it" % name, whole + b"and more", 1, ["data is damaged, after %d packets" % len(FRAMES)])
        check("%s, a text in it" % name, pack(b"Dear reader,\n" * 10), 1, ["mailtap: FILE: not a capture file"], mails=0)
    check("bzip2 is not read", bz2.compress(pcap()), 1, ["mailtap: FILE: is compressed by bzip2, which is not read here: bzcat FILE | mailtap read -"],
          mails=0)
    check("pcap, from standard input", pcap(), packets=len(FRAMES), stdin=True)
    check("pcapng, from standard input", pcapng(), packets=len(FRAMES), stdin=True)
    got, _, err = run(b"", stdin=True)
    ok(got == 1 and "mailtap: -: is empty, not a capture file" in err, "nothing on standard input", err)


def cut():
    whole = pcap()
    check("a cut last packet: all before it counts", whole[:-3], 1, ["mailtap: FILE: truncated dump file",
          ", after %d packets" % (len(FRAMES) - 1)], packets=len(FRAMES) - 1, last_reply="250 queued as 17")
    check("a file that ends inside of a packet's header", whole[:-len(FRAMES[-1]) - 5], 1,
          [", after %d packets" % (len(FRAMES) - 1)])
    check("a file that ends with the reply to the message", pcap(FRAMES[:LAST_OF_MAIL]), packets=LAST_OF_MAIL,
          last_reply="250 queued as 17")
    check("the same, cut in the packet after", pcap(FRAMES[:LAST_OF_MAIL + 1])[:-2], 1, ["after %d packets" % LAST_OF_MAIL],
          last_reply="250 queued as 17")
    ng = pcapng()
    check("a pcapng that ends inside of a block", ng[:-5], 1,
          ["mailtap: FILE: ends inside a block, after %d packets" % (len(FRAMES) - 1)], packets=len(FRAMES) - 1)
    wrong = bytearray(ng)
    wrong[-4] ^= 4
    check("a block whose lengths differ", bytes(wrong), 1, ["mailtap: FILE: has a block whose two lengths differ, after"],
          packets=len(FRAMES) - 1)
    check("a block of an impossible length", ng + struct.pack("<II", 6, 13) + bytes(20), 1,
          ["mailtap: FILE: has a block of an impossible length, after %d packets" % len(FRAMES)], packets=len(FRAMES))
    check("a packet of an impossible length", whole + struct.pack("<IIII", START, 0, 1 << 30, 1 << 30), 1,
          ["mailtap: FILE: invalid packet capture length 1073741824", "after %d packets" % len(FRAMES)], packets=len(FRAMES))
    # Whatever byte it ends at: never a crash, always one message, or none at the end of a packet.
    tried, wrong = 0, []
    for name, data in (("pcap", whole), ("pcapng", ng), ("gz", gzip.compress(whole)), ("zst", zst(whole)), ("lz4", lz4(ng))):
        for at in range(0, len(data), 211):
            code, _, err = run(data[:at])
            tried += 1
            if code not in (0, 1) or (code == 1) != (re.search("^mailtap: FILE: ", err, re.M) is not None):
                wrong.append("%s, %d bytes: code %d\n%s" % (name, at, code, err))
    ok(not wrong, "%d files cut somewhere end with a message" % tried, *wrong)


def no_capture_at_all():
    check("a file of xz", b"\xfd7zXZ\x00" + bytes(40), 1, ["mailtap: FILE: is compressed by xz, which is not read here: xzcat FILE | mailtap read -"], mails=0)
    check("an empty file", b"", 1, ["mailtap: FILE: is empty, not a capture file", "mailtap: 0 packets"], mails=0)
    check("a text file", b"Dear reader,\nthis is no capture.\n", 1,
          ["mailtap: FILE: not a capture file: unknown file format"], mails=0)
    check("a file shorter than a header", pcap()[:20], 1, ["mailtap: FILE: not a capture file: "], mails=0)
    check("a file of another major version", pcap(version=(9, 9)), 1, ["mailtap: FILE: not a capture file: "], mails=0)
    check("a header and nothing else", pcap([]), mails=0, packets=0)
    check("a section and nothing else", section(), mails=0, packets=0)
    check("a link type that nobody knows", pcap(FRAMES, 147), mails=0, says=["%d packets not TCP" % len(FRAMES)])
    r = mailtap("read", tmp.name, "-f", "json")
    ok(r.returncode == 1 and b": is a folder\n" in r.stderr, "a folder", r.stderr)
    r = mailtap("read", tmp.name + "/none", "-f", "json")
    ok(r.returncode == 1 and b"/none: No such file or directory\n" in r.stderr, "a file that is not there", r.stderr)


def several():
    folder = Path(tmp.name)
    (folder / "a.pcap").write_bytes(pcap(FRAMES[:8]))
    (folder / "b.pcapng").write_bytes(section() + interface(1) + b"".join(
        enhanced(p, (START + 8 + i) * 1000000 + 250000) for i, p in enumerate(FRAMES[8:])))
    (folder / "bad.pcap").write_bytes(b"not one")
    r = mailtap("read", folder / "a.pcap", folder / "bad.pcap", folder / "b.pcapng", "-f", "json")
    found = [json.loads(line) for line in r.stdout.splitlines()]
    ok(r.returncode == 1 and b"bad.pcap: not a capture file" in r.stderr, "of three files one is none: it is named", r.stderr)
    ok([m.get("subject") for m in found if m["_path"] == "smtp"] == ["in a file"],
       "and the dialogue goes on from the first to the third", found)


def wrong_arguments():
    for args, text in (([], ""), (["read"], "read wants a file"), (["read", "--nonsense", "x"], ""),
                       (["read", "-f", "xml", "x"], "no format 'xml'"), (["reed", "x"], "no command 'reed'"),
                       (["read", "-s", "max_layer=3", "x"], "the nearest is 'max_layers'")):
        r = mailtap(*args)
        ok(r.returncode == 2 and text.encode() in r.stderr and not r.stdout, "exit code 2: mailtap " + " ".join(args),
           r.returncode, r.stderr)


for part in dialects, said_and_skipped, tunnels, compressed, cut, no_capture_at_all, several, wrong_arguments:
    part()
tmp.cleanup()
done()
