"""A part of the sample week, for tests that send it many times: the day of its largest mail."""
import struct
import subprocess
from datetime import datetime, timezone

from tap import SOURCE

FIRST, LAST = (datetime(2026, 11, day, hour, tzinfo=timezone.utc).timestamp() for day, hour in ((20, 6), (20, 20)))


def make(path):
    data = subprocess.run(["zstd", "-dcq", str(SOURCE / "samples/week.pcap.zst")], check=True, capture_output=True).stdout
    kept, at = [data[:24]], 24
    while at < len(data):
        seconds, _, length, _ = struct.unpack_from("<IIII", data, at)
        if FIRST <= seconds < LAST:
            kept.append(data[at:at + 16 + length])
        at += 16 + length
    path.write_bytes(b"".join(kept))
    return path
