"""Captures out of dialogues, for tests that make many."""
import itertools
import subprocess
import sys

from tap import SOURCE

_numbers = itertools.count(1)


def capture_of(folder, sessions):
    """A new capture in `folder` of sessions, each (seconds after the first, client, server, lines as tools/mkpcap reads them); gives back its path."""
    name = "capture-%d" % next(_numbers)
    texts = []
    for i, (after, client, server, lines) in enumerate(sessions):
        path = folder / ("%s-%d.txt" % (name, i))
        head = "@client %s:%d\n@server %s:25\n@time %.3f\n\n" % (client, 40000 + i, server, 1795000000 + after)
        path.write_text(head + "\n".join(lines) + "\n")
        texts.append(path)
    out = folder / (name + ".pcap")
    subprocess.run([sys.executable, SOURCE / "tools/mkpcap", out, *texts], check=True)
    return out
