"""What the tests in Python share: TAP lines out, the binary under test, the folder of shared captures."""
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

SOURCE = Path(os.environ.get("MAILTAP_SOURCE", Path(__file__).resolve().parent.parent))
# A relative path is one from the project's root, wherever the test is run.
SHARED = (SOURCE / (os.environ.get("MAILTAP_SHARED") or "../shared")).resolve()
MAILTAP = sys.argv[1] if len(sys.argv) > 1 else str(SOURCE / "build/mailtap")

_count = 0
_failed = 0


def ok(condition, name, *details):
    """One check. `details` are printed where it fails."""
    global _count, _failed
    _count += 1
    _failed += not condition
    print("%s %d - %s" % ("ok" if condition else "not ok", _count, name.replace("#", "")), flush=True)
    if not condition:
        for d in details:
            for line in str(d).splitlines()[:40]:
                print("#   " + line, flush=True)
    return condition


def skip(name, why):
    global _count
    _count += 1
    print("ok %d - %s # SKIP %s" % (_count, name, why), flush=True)


def done():
    """The plan, and the exit code."""
    print("1..%d" % _count, flush=True)
    sys.exit(1 if _failed else 0)


def need_shared(*parts):
    """The path inside of the shared folder; ends the test as skipped where it is not there."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        print("1..0 # SKIP %s is not there: set MAILTAP_SHARED" % path)
        sys.exit(0)
    return path


def parts_of(record):
    """All parts of a mail, in their order."""
    return sorted(record.get("files", []) + record.get("parts", []), key=lambda f: f["part"])


def mailtap(*args, stdin=None, timeout=120):
    """Runs the binary; gives back its result with bytes in stdout and stderr."""
    r = subprocess.run([MAILTAP, *map(str, args)], input=stdin, capture_output=True, timeout=timeout)
    if b"Sanitizer" in r.stderr or b"runtime error" in r.stderr or r.returncode < 0:
        ok(False, "mailtap %s ends without a crash" % " ".join(map(str, args)), r.stderr.decode(errors="replace")[-3000:])
    return r


def run_tests(tests):
    """Those named on the command line, or all; each by its time."""
    for test in tests:
        if len(sys.argv) <= 2 or test.__name__ in sys.argv[2:]:
            began = time.monotonic()
            try:
                test()
            except Exception:  # a test that breaks is a failed one, and the others run
                ok(False, test.__name__ + " comes to its end", traceback.format_exc())
            print("# %s: %.1f s" % (test.__name__, time.monotonic() - began), flush=True)
    done()
