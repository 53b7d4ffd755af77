"""Connections to packets, and these to a capture file: raw IPv4, no faults but those that are asked for."""
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = 0, 1
START = 1795000000


def record(seconds, packet):
    return struct.pack("<IIII", int(seconds), int(seconds % 1 * 1000000), len(packet), len(packet)) + packet


def segment(number, side, flags, seq, ack, payload=b""):
    """Of connection `number`; side is who sends it."""
    ends = [(bytes([198, 51, 100 + number // 50000, number % 250 + 1]), 1025 + number % 50000), (bytes([203, 0, 113, 25]), 25)]
    (src, sport), (dst, dport) = ends[side], ends[1 - side]
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 65535, 0, 0) + payload
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, src, dst) + tcp


def connection(number, steps, begin=True, end=True, sides=(True, True), unseen=(), apart=0.001, pause=5.0):
    """Records of a capture. `steps`: (side, bytes), a packet each; those whose index stands in `unseen` the tap has missed. Without
    `begin` there is no handshake, without `end` no FIN. After what was missed comes a pause, so that it counts as lost."""
    time, seq, out = START + number * 0.01, [1000, 5000], []

    def send(side, flags, payload=b"", seen=True):
        nonlocal time
        time += apart if seen else pause
        if seen and sides[side]:
            out.append(record(time, segment(number, side, flags, seq[side], seq[1 - side] if flags & ACK else 0, payload)))
        seq[side] += len(payload) + bool(flags & (SYN | FIN))

    for side, flags in ((CLIENT, SYN), (SERVER, SYN | ACK), (CLIENT, ACK)):
        send(side, flags, seen=begin)
    for i, (side, payload) in enumerate(steps):
        send(side, PSH | ACK, payload, i not in unseen)
        send(1 - side, ACK)
    for side in (CLIENT, SERVER) if end else ():
        send(side, FIN | ACK)
    return out


def capture(path, connections):
    """A file of them, one after the other."""
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101) + b"".join(b"".join(c) for c in connections))
    return path
