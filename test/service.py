"""The service as the unit of systemd starts it: its command, as a plain user with its capabilities, in namespaces made here.

What the unit forbids beyond that and can be forbidden here is: memory that is written and executed, all of /proc but processes, new
privileges."""
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import MAILTAP, SOURCE, done, mailtap, ok
from waiting import until

LONG = 30  # seconds in which what should happen has happened, on a busy machine too
SAMPLE = SOURCE / "samples/border.pcap"
UNIT = (SOURCE / "dist/mailtap.service.in").read_text()
CLONE_NEWNET, CLONE_NEWNS, PR_SET_MDWE = 0x40000000, 0x20000, 65
libc = ctypes.CDLL(None, use_errno=True)


def skip_all(why):
    print("1..0 # SKIP " + why)
    sys.exit(0)


def run(*command):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=LONG)


def enter_namespaces():
    """This process is in them from here on, and they end with it."""
    if os.getuid() or libc.unshare(CLONE_NEWNET | CLONE_NEWNS):
        skip_all("needs root, for namespaces")
    commands = ("mount --make-rprivate /", "mount -t proc -o hidepid=invisible,subset=pid proc /proc", "ip link set lo up",
                "ip link add tap0 type veth peer name tap1", "ip link set tap0 up", "ip link set tap1 up")
    for command in commands:
        r = run(*command.split())
        if r.returncode:
            skip_all("%s: %s" % (command, r.stderr.strip()))


def packets(path):
    """The bytes of each."""
    data, at = path.read_bytes(), 24
    assert data[:4] == b"\xd4\xc3\xb2\xa1" and struct.unpack_from("<I", data, 20)[0] == 1, "an Ethernet pcap"
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + size]
        at += 16 + size


def send(path):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind(("tap1", 0))
        for packet in packets(path):
            s.send(packet)


def forbid():
    """As MemoryDenyWriteExecute does; an older kernel has nothing like it for us."""
    libc.prctl(PR_SET_MDWE, 1, 0, 0, 0)


def of_unit(name):
    return re.search(r"^%s=(.*)$" % name, UNIT, re.M)[1]


class Service:
    def __init__(self, folder, *command, **options):
        self.errors = folder / "stderr"
        with open(self.errors, "wb") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=err, stderr=err, cwd="/",
                                            env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"), **options)

    def said(self):
        return self.errors.read_text(errors="replace")

    def says(self, pattern):
        return until(lambda: re.search(pattern, self.said(), re.M) or self.process.poll() is not None and re.search(pattern, self.said(), re.M), LONG)

    def children(self):
        pid = self.process.pid
        text = Path("/proc/%d/task/%d/children" % (pid, pid)).read_text()
        return [int(p) for p in text.split()]

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(LONG)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "no end"


def command_of(folder):
    """ExecStart, with folders of ours in place of those of the machine."""
    command = of_unit("ExecStart").replace("@bindir@/mailtap", os.path.abspath(MAILTAP)).replace("$INTERFACES", "tap0").replace(" $STORE", "")
    command = command.replace("@sysconfdir@", str(folder / "etc")).replace("/var/log/mailtap", str(folder / "log"))
    caps = ",".join("+" + c.lower().replace("cap_", "") for c in of_unit("AmbientCapabilities").split())
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs", "--inh-caps=-all," + caps,
            "--ambient-caps=-all," + caps, "--bounding-set=-all," + caps, *command.split()]


def prepare(folder):
    folder.chmod(0o755)
    (folder / "etc/mailtap").mkdir(parents=True)
    for name in ("log", "state"):
        (folder / name).mkdir()
        shutil.chown(folder / name, "nobody", "nogroup")
    sample = (SOURCE / "dist/mailtap.yaml").read_text()
    (folder / "etc/mailtap/mailtap.yaml").write_text(
        sample.replace("/var/lib/mailtap", str(folder / "state")) + "webhook_url: http://127.0.0.1:9/\n")


def status(pid, row):
    return re.search(r"^%s:\s*(.*)$" % row, Path("/proc/%d/status" % pid).read_text(), re.M)[1]


def mails_in(folder):
    log = folder / "log/smtp.log"
    return [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")] if log.exists() else []


def as_unit(folder):
    wanted = [json.loads(line) for line in mailtap("read", "-f", "json", SAMPLE).stdout.splitlines()]
    wanted = sum(r["_path"] == "smtp" for r in wanted)
    s = Service(folder, *command_of(folder), preexec_fn=forbid)
    if not ok(s.says(r"^mailtap: watching tap0 "), "it starts by the command of the unit", s.said()):
        s.end()
        return
    sensor = s.children()[0]
    ok(all(int(status(sensor, row), 16) == 0 for row in ("CapEff", "CapPrm", "CapInh", "CapAmb")), "its sensor has no capability")
    ok(status(sensor, "Seccomp") == "2" and status(sensor, "NoNewPrivs") == "1", "its sensor is confined")
    send(SAMPLE)
    ok(until(lambda: len(mails_in(folder)) >= wanted - 3, LONG), "mails are logged", len(mails_in(folder)), wanted, s.said())
    s.process.send_signal(getattr(signal, "SIG" + of_unit("ExecReload").split()[1].lstrip("-")))
    ok(s.says("loaded anew"), "it is reloaded as the unit says", s.said())
    s.process.send_signal(signal.SIGUSR1)
    ok(s.says("^mailtap: all: .*packets"), "it says how it is", s.said())
    code = s.end()
    ok(code in (0, 1), "it ends when it is told to", code, s.said())
    ok(len(mails_in(folder)) == wanted, "all mails are logged", len(mails_in(folder)), wanted)
    ok(not re.search("refused|cannot be|not permitted|denied|Sanitizer|runtime error", s.said()), "nothing was refused to it", s.said())


def without_keeper(folder):
    """Who is killed cannot end its sensor; a sensor that became another user ends all the same."""
    s = Service(folder, os.path.abspath(MAILTAP), "watch", "tap0", "-o", str(folder / "log"), "--user", "nobody",
                "-s", "country_databases=none")
    ok(s.says(r"^mailtap: watching tap0 "), "it starts as root", s.said())
    sensor = s.children()[0]
    ok(status(sensor, "Uid").split()[0] != "0", "its sensor is another user")
    ok("none" not in s.said(), "country_databases: none is no file", s.said())
    s.process.kill()
    s.process.wait(LONG)
    gone = until(lambda: not Path("/proc/%d" % sensor).exists() or status(sensor, "State")[0] == "Z", LONG)
    ok(gone, "no sensor stays without its keeper")
    if not gone:
        os.kill(sensor, signal.SIGKILL)


def main():
    for tool in ("ip", "setpriv", "mount"):
        if not shutil.which(tool):
            skip_all("no %s here" % tool)
    enter_namespaces()
    with tempfile.TemporaryDirectory() as room:
        prepare(Path(room))
        as_unit(Path(room))
    with tempfile.TemporaryDirectory() as room:
        prepare(Path(room))
        without_keeper(Path(room))
    done()


main()
