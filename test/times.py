#!/usr/bin/python3
"""A mail is dated by the packet that brought its MAIL, also where only a later reply shows that this was a command."""
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import SOURCE, done, mailtap, ok

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-times-"))


def packets(path):
    """(microseconds, payload) of each packet: Ethernet, IPv4 or IPv6, TCP, as tools/mkpcap writes them."""
    data, at = path.read_bytes(), 24
    unit = 1 if data[:4] == b"\xd4\xc3\xb2\xa1" else 1000
    while at < len(data):
        seconds, part, size, _ = struct.unpack_from("<IIII", data, at)
        frame, at = data[at + 16:at + 16 + size], at + 16 + size
        tcp = 14 + (40 if frame[14] >> 4 == 6 else 4 * (frame[14] & 15))
        yield seconds * 1000000 + part // unit, frame[tcp + 4 * (frame[tcp + 12] >> 4):]


texts = sorted((SOURCE / "test/dialog").glob("*.txt"))
held = 0
for text in texts:
    pcap = FOLDER / (text.stem + ".pcap")
    if subprocess.run([sys.executable, SOURCE / "tools/mkpcap", pcap, text], capture_output=True).returncode:
        continue  # what no capture can hold
    brought = {when for when, payload in packets(pcap) if b"mail from" in payload.lower()}
    mails = [r for r in map(json.loads, mailtap("read", "-f", "json", pcap).stdout.splitlines()) if r["_path"] == "smtp" and "mailfrom" in r]
    wrong = [(m["mailfrom"], m["ts"]) for m in mails if round(m["ts"] * 1e6) not in brought]
    ok(not wrong, text.stem, wrong, sorted(brought))
    held += len(mails)
ok(held > 50, "there were mails", held)
done()
