"""On a terminal a long read shows how far it is, and wipes that away before its closing line; elsewhere it does not."""
import os
import subprocess
import tempfile
import time
from pathlib import Path

from tap import MAILTAP, SOURCE, done, ok, skip

SAMPLE = SOURCE / "samples/border.pcap"


def slow_read(stderr):
    """Reads a pipe that brings its packets over a second and a half."""
    data = SAMPLE.read_bytes()
    # 4096 packets pass between two looks at the clock, so there must be many: the capture's packets again and again.
    many = data[:24] + data[24:] * 40
    p = subprocess.Popen([MAILTAP, "read", "-f", "json", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr)
    step = len(many) // 15
    for at in range(0, len(many), step):
        p.stdin.write(many[at:at + step])
        p.stdin.flush()
        time.sleep(0.1)
    p.stdin.close()
    return p


def on_terminal(ours, theirs):
    p = slow_read(theirs)
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 4096):
            text += piece
    except OSError:
        pass  # the other end is closed
    p.wait(30)
    return text.decode()


def main():
    try:
        text = on_terminal(*os.openpty())
        ok("packets, " in text.split("mailtap:")[0] and "\r-: " in text, "a terminal shows how far reading is", repr(text))
        ok("\r\x1b[Kmailtap: " in text, "and the closing line stands alone", repr(text))
    except OSError as e:
        skip("a terminal shows how far reading is", "no terminal can be had here: %s" % e)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "err"
        with path.open("wb") as err:
            slow_read(err).wait(30)
        quiet = path.read_text()
        ok(quiet.startswith("mailtap: ") and quiet.count("\n") == 1 and "\r" not in quiet, "a file gets the closing line alone", repr(quiet))
    done()


main()
