"""What the tests of the page share: Node, and the packages of page/package-lock.json."""
import fcntl
import hashlib
import shutil
import subprocess

from tap import SOURCE, ok

PAGE = SOURCE / "page"
MODULES = PAGE / "node_modules"


def missing(*programs):
    """The first of them that this machine lacks, or None."""
    return next((p for p in programs if not shutil.which(p)), None)


def version():
    return int(subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.lstrip("v").split(".")[0])


def packages():
    """Whether page/node_modules is what the lock says; where not, npm ci makes it so. Tests may ask at the same time."""
    lock, stamp = (PAGE / "package-lock.json").read_bytes(), MODULES / ".made-of"
    wanted = hashlib.sha256(lock).hexdigest()
    with open(PAGE / "package-lock.json", "rb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return True
        r = subprocess.run(["npm", "ci"], cwd=PAGE, capture_output=True, text=True, timeout=150)
        if ok(r.returncode == 0, "npm ci", r.stdout, r.stderr):
            stamp.write_text(wanted)
    return r.returncode == 0
