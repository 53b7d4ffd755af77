"""What a connection costs that says nothing, and that a flood of half-open ones costs no mail.

Memory is that of the release build (MAILTAP_RELEASE), as sanitizers take some of their own."""
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import MAILTAP, done, ok, skip
from waiting import until, waits_for_input

IDLE = sys.argv[2]
RELEASE = os.environ.get("MAILTAP_RELEASE")
# Bytes each. An open mail keeps what its record will say: of each recipient its answer, of MAIL its parameters.
MOST = {"ehlo": 1536, "mail": 1536, "rcpt": 3328, "banner": 1024, "synack": 384}
FEW, MANY = 1000, 21000


def command(binary, path, workers, *settings):
    return [binary, "read", "-f", "json", "--workers", str(workers), *(a for s in ("country_databases=none", *settings) for a in ("-s", s)), path]


def memory(path, *settings):
    """-> KiB that the release build took when all of the capture was read, and its closing line.

    The figure that wait4() gives would begin with the memory of the Python that started it."""
    with tempfile.TemporaryFile("w+") as err, path.open("rb") as f:
        p = subprocess.Popen(command(RELEASE, "-", 1, *settings), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=err)
        shutil.copyfileobj(f, p.stdin)
        p.stdin.flush()
        until(lambda: waits_for_input(p))
        most = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/%d/status" % p.pid).read_text())[1])
        p.stdin.close()
        p.wait(30)
        err.seek(0)
        return most, err.read()


def capture(folder, count, kind, mails=0):
    path = folder / ("%s-%d.pcap" % (kind, count))
    subprocess.run([IDLE, path, str(count), kind, str(mails)], check=True)
    return path


def cost(folder, kind):
    """Bytes that one more connection takes, all in all; or why they are not known."""
    taken = []
    for count in (FEW, MANY):
        path = capture(folder, count, kind)
        most, err = memory(path, "max_sessions=100000")
        path.unlink()
        if "shed" in err or ", %d sessions," % (0 if kind == "synack" else count) not in err:
            return None, err
        taken.append(most)
    return (taken[1] - taken[0]) * 1024 / (MANY - FEW), ""


def measure(folder):
    for kind, most in MOST.items():
        name = "a connection that idles after %s takes up to %d bytes" % (kind, most)
        if not RELEASE:
            skip(name, "MAILTAP_RELEASE names no release build")
            continue
        each, why = cost(folder, kind)
        ok(each is not None and 100 < each <= most, name, why or "%.0f bytes" % each)


def flood(path, workers, mails, limit, count):
    """Half of the mails are under way all the time, the others come amid the flood."""
    with_ = "with %d worker%s " % (workers, "s" if workers > 1 else "")
    r = subprocess.run(command(MAILTAP, path, workers, "max_flows=%d" % limit), capture_output=True, timeout=60)
    records, err = [json.loads(line) for line in r.stdout.splitlines()], r.stderr.decode()
    got = collections.Counter(r["_path"] for r in records)
    ok(got == {"smtp": mails, "smtp_session": mails}, with_ + "a flood of half-open connections costs no mail", got, err)
    ok(not any(r.get("flags") or r.get("end", "quit") != "quit" for r in records), with_ + "nor a part of one", err)
    shed = re.search(r"(\d+) connections without a byte shed", err)
    # Of workers one may be far ahead, and its limit be that of all.
    least = count - limit * workers
    ok(shed and least <= int(shed[1]) <= count + mails - limit and "connections shed" not in err, with_ + "it is told how many were given up", err)


def floods(folder):
    mails, limit, count = 200, 2000, 60000
    path = capture(folder, count, "synack", mails)
    for workers in (1, 3):
        flood(path, workers, mails, limit, count)
    name = "memory is bounded under it"
    if not RELEASE:
        skip(name, "MAILTAP_RELEASE names no release build")
        return
    few, _ = memory(capture(folder, 2 * limit, "synack", mails), "max_flows=%d" % limit)
    many, _ = memory(path, "max_flows=%d" % limit)
    ok(many < few + 1024, name, "%d KiB after %d of them, %d KiB after %d" % (few, 2 * limit, many, count))


def main():
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder))
        floods(Path(folder))
    done()


main()
