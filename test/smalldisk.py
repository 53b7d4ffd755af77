"""A small file system that can be full, for tests of what watch does then."""
import ctypes
import os
import subprocess
from pathlib import Path

from watching import room

CLONE_NEWNS = 0x20000


class SmallDisk:
    """A file system of its own in a mount namespace that this process makes; the folder that others see is in /proc."""

    def __init__(self, size):
        self.folder = room() / "disk"
        self.folder.mkdir()
        script = "mount -t tmpfs -o size=%d,mode=0777 none %s && echo ready && exec sleep 1000" % (size, self.folder)
        self.process = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", script], stdout=subprocess.PIPE, text=True)
        self.ready = self.process.stdout.readline() == "ready\n"
        self.seen = Path("/proc/%d/root%s" % (self.process.pid, self.folder))

    def enter(self):
        """For preexec_fn: what is started there sees it."""
        fd = os.open("/proc/%d/ns/mnt" % self.process.pid, os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
