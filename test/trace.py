"""Traces with the truth beside them: mailtap must find every mail, invent none, and have every field right.

The generator and the scorer are part of the shared folder. The generator sometimes loses a segment for good (it holds one back to swap
it, and forgets it), so its truth then tells what nobody could see. Which connections have such a hole is found here from the packets
alone: on all others the scorer must see no difference; on these every mail must still be there with its envelope, and say so (flags.gap)."""
import collections
import ipaddress
import json
import secrets
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import done, mailtap, need_shared, ok

SESSIONS = 150


def segments(pcap):
    """(client, port), the client's sequence number and bytes, for each packet from a client (to port 25 or 587)."""
    data, at = pcap.read_bytes(), 24
    while at < len(data):
        size = struct.unpack("<I", data[at + 8:at + 12])[0]
        p, at = data[at + 16:at + 16 + size], at + 16 + size
        kind, ip = struct.unpack("!H", p[12:14])[0], 14
        if kind == 0x8100:
            kind, ip = struct.unpack("!H", p[16:18])[0], 18
        if kind == 0x800:
            source, tcp, end = p[ip + 12:ip + 16], ip + 20, ip + struct.unpack("!H", p[ip + 2:ip + 4])[0]
        else:
            source, tcp, end = p[ip + 8:ip + 24], ip + 40, ip + 40 + struct.unpack("!H", p[ip + 4:ip + 6])[0]
        sport, dport, seq = struct.unpack("!HHI", p[tcp:tcp + 8])
        if dport in (25, 587):
            yield (str(ipaddress.ip_address(source)), sport), seq, end - tcp - 20, p[tcp + 13] & 2


def holed(pcap):
    """The connections of which some bytes of the client are in no packet."""
    first, seen = {}, collections.defaultdict(list)
    for key, seq, length, syn in segments(pcap):
        first.setdefault(key, seq + bool(syn))
        if length:
            seen[key].append(((seq - first[key]) % (1 << 32), length))
    holes = set()
    for key, pieces in seen.items():
        reach = 0
        for start, length in sorted(pieces):
            if start > reach:
                holes.add(key)
            reach = max(reach, start + length)
    return holes


def key_of(record, names):
    return str(ipaddress.ip_address(record[names[0]])), record[names[1]]


def envelope(mail):
    sender = (mail.get("mailfrom") or "").strip("<>")
    return sender, tuple(sorted(mail.get("rcptto") or []))


def check(folder, seed):
    pcap, truth, out = folder / "t.pcap", folder / "t.truth", folder / "t.json"
    subprocess.run([sys.executable, need_shared("tools", "trace.py"), pcap, truth, "--sessions", str(SESSIONS), "--seed", str(seed), "--body", "8"],
                   check=True)
    output = mailtap("read", "-f", "json", pcap).stdout.decode().splitlines()
    holes = holed(pcap)
    wanted = [(key_of(t, ("orig_h", "orig_p")), t) for t in map(json.loads, truth.read_text().splitlines())]
    got = [(key_of(r, ("id.orig_h", "id.orig_p")), r) for r in map(json.loads, output)]
    truth.write_text("".join(json.dumps(t) + "\n" for key, t in wanted if key not in holes))
    out.write_text("".join(json.dumps(r) + "\n" for key, r in got if key not in holes))
    score = subprocess.run([sys.executable, need_shared("tools", "score.py"), truth, out, "--show", "20"], capture_output=True, text=True,
                           check=True).stdout
    last = score.splitlines()[-1]
    ok("(100.000 %), 0 that the truth has not; all fields right in 100.000 %" in last, "seed %d: %s" % (seed, last), score)
    for hole in sorted(holes):
        mails = [r for key, r in got if key == hole and r["_path"] == "smtp"]
        ok(sorted(map(envelope, mails)) == sorted(envelope(t) for key, t in wanted if key == hole and t.get("mail")),
           "seed %d: a connection with a hole has all its mails" % seed, hole, [envelope(m) for m in mails])
        ok(any(m.get("flags", {}).get("gap") for m in mails), "and one of them says that there is a gap", hole)


def main():
    with tempfile.TemporaryDirectory() as name:
        for seed in (1, 2, secrets.randbelow(1 << 31)):
            check(Path(name), seed)
    done()


main()
