"""Traces with the truth beside them: mailtap must find every mail, invent none, and have every field right.

The generator and the scorer are part of the shared folder. The generator sometimes loses a segment for good (it holds one back to swap
it, and forgets it), and then its truth names files that never were in the capture. Each difference must be of that kind: the name is
nowhere in the capture's bytes, and the record says that there is a gap."""
import re
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import done, mailtap, need_shared, ok

SESSIONS = 150


def trace(folder, seed):
    pcap, truth, out = folder / "t.pcap", folder / "t.truth", folder / "t.json"
    subprocess.run([sys.executable, need_shared("tools", "trace.py"), pcap, truth, "--sessions", str(SESSIONS), "--seed", str(seed), "--body", "8"], check=True)
    out.write_bytes(mailtap("read", "-f", "json", pcap).stdout)
    score = subprocess.run([sys.executable, need_shared("tools", "score.py"), truth, out, "--show", "100"], capture_output=True, text=True, check=True).stdout
    return score, pcap.read_bytes(), out.read_text()


def is_lost_file(line, capture, output):
    """A DIFF line on files, of which each one that is missing was lost for good by the generator."""
    m = re.match(r"DIFF files (\[.*?\]) want (\[.*\])$", line)
    if not m:
        return False
    got, want = (re.findall(r"'([^']*)'", part) for part in m.groups())
    record = [r for r in output.splitlines() if all('"name":"%s"' % n in r for n in got)]
    return (set(got) < set(want) and not any(n.encode() in capture for n in set(want) - set(got))
            and any('"gap":true' in r for r in record))


def main():
    with tempfile.TemporaryDirectory() as name:
        for seed in (1, 2, secrets.randbelow(1 << 31)):
            score, capture, output = trace(Path(name), seed)
            lines = score.splitlines()
            found = re.match(r"found (\d+) of (\d+) \(.*?\), (\d+) that", lines[-1])
            ok(found and found[1] == found[2] and found[3] == "0", "seed %d: every mail is found, none is invented" % seed, lines[-1])
            wrong = [l for l in lines if l.startswith(("DIFF", "MISSING")) and not is_lost_file(l, capture, output)]
            ok(not wrong, "seed %d: every field of every mail that was in the capture is right" % seed, "\n".join(wrong))
    done()


main()
