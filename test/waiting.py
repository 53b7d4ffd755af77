"""Waiting for a condition, with a limit."""
import fcntl
import struct
import termios
import time
from pathlib import Path

LONG = 20  # seconds in which a thing that should happen has happened, on a busy machine too


def until(condition, seconds=LONG):
    """The first true value of it, or the last false one."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.01)


def waits_for_input(p):
    """All that was written to the process's standard input was read, and it sleeps: it wants more."""
    left = struct.unpack("i", fcntl.ioctl(p.stdin, termios.FIONREAD, b"\0" * 4))[0]
    return not left and Path("/proc/%d/stat" % p.pid).read_text().rpartition(")")[2].split()[0] == "S"
