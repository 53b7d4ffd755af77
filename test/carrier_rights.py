"""The process of a carrier: what it may not do, while what it is told to send arrives. usage: carrier_rights.py MAILTAP CARRIER-RUN"""
import ctypes
import os
import pwd
import re
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tap import done, ok, skip
from waiting import until

RUN = sys.argv[2]
ROOT = os.getuid() == 0
RESOLVER = Path("/etc/resolv.conf")
# Each would answer EFAULT, EINVAL or the like if it was let through.
REFUSED = """execve execveat fork vfork ptrace process_vm_readv process_vm_writev bpf perf_event_open io_uring_setup userfaultfd memfd_create
    pidfd_open pidfd_getfd mount umount2 pivot_root chroot unshare setns keyctl add_key request_key init_module finit_module
    delete_module kexec_load reboot swapon settimeofday adjtimex clock_settime setuid setresuid setgid setgroups capset personality
    seccomp landlock_create_ruleset open_by_handle_at mknodat symlinkat linkat fchmodat fchownat setxattr truncate chdir bind listen
    sendfile splice tkill rt_sigqueueinfo setpriority setrlimit sethostname syslog quotactl acct kcmp shmget msgget semget mq_open
    inotify_init1 fanotify_init move_mount fsopen clone""".split()
SOCKETS = {"UNIX": (socket.AF_UNIX, socket.SOCK_STREAM, 0), "netlink": (socket.AF_NETLINK, socket.SOCK_RAW, 0), "packet": (socket.AF_PACKET, socket.SOCK_RAW, 0),
           "raw": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP), "SCTP": (socket.AF_INET, socket.SOCK_STREAM, 132),
           "MPTCP": (socket.AF_INET, socket.SOCK_STREAM, 262), "VSOCK": (40, socket.SOCK_STREAM, 0)}


class Peer:
    """Who the carrier sends to; {command: answer} of what arrived."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answers = {}
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            s, _ = self.listener.accept()
            data = b""
            while part := s.recv(4096):
                data += part
            s.close()
            for line in data.decode().splitlines():
                command, _, answer = line.partition("\t")
                self.answers[command] = answer


def without_landlock():
    """From here on this process's kernel has none."""
    lib = ctypes.CDLL("libseccomp.so.2")
    lib.seccomp_init.restype = ctypes.c_void_p
    allow, no_such_call = 0x7FFF0000, 0x00050000 | 38
    f = ctypes.c_void_p(lib.seccomp_init(allow))
    lib.seccomp_rule_add(f, no_such_call, lib.seccomp_syscall_resolve_name(b"landlock_create_ruleset"), 0)
    lib.seccomp_load(f)


def carry(folder, commands, host="127.0.0.1", free=False, password="-", **options):
    """({command: answer}, standard error) of a carrier in a folder of its own."""
    peer = Peer()
    r = subprocess.run([RUN, "probe://%s:%d/" % (host, peer.port), str(folder / "outbox"), str(int(free)), "20", str(password)],
                       input="".join(c.replace("PORT", str(peer.port)) + "\n" for c in commands), capture_output=True, text=True, timeout=60,
                       env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"), **options)
    if r.returncode:
        ok(False, "carrier-run ends well", r.returncode, r.stderr[-2000:])
    until(lambda: len(peer.answers) >= len(commands), 2)
    return {k.replace(str(peer.port), "PORT"): v for k, v in peer.answers.items()}, r.stderr


def prepare(room, user):
    folder = Path(room)
    folder.chmod(0o755)
    (folder / "foreign").write_text("foreign\n")
    (folder / "foreign").chmod(0o666)
    (folder / "secrets").mkdir(mode=0o755)
    (folder / "secrets/creds").write_text("creds\n")
    (folder / "outbox").mkdir(mode=0o700)
    if user and ROOT:
        os.chown(folder / "outbox", pwd.getpwnam(user).pw_uid, -1)
    return folder


def checks(who, answers, wanted):
    wrong = ["%s: %s, not %s" % (c, answers.get(c), w) for c, w in wanted.items() if not re.fullmatch(w, answers.get(c, "nothing"))]
    ok(not wrong, who, *wrong)


def version():
    """Of Landlock's ABI here."""
    return ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1)


def strict(folder, who, other, landlock=True, **options):
    """A server by its number: nothing is looked up, so nothing of /etc is needed."""
    files, ports = landlock and version() > 0, landlock and version() >= 4
    box = folder / "outbox"
    refused = {"read %s" % p: "EACCES" for p in ("/etc/passwd", "/etc/hosts", folder / "foreign", folder / "secrets/creds", "/proc/1/status")}
    refused |= {"write %s" % p: "EACCES" for p in (folder / "foreign", folder / "new", "/tmp/mailtap-foreign")}
    refused |= {"list %s" % p: "EACCES" for p in ("/etc", "/")}
    works = {"write %s" % (box / "made"): "ok", "list %s" % box: "ok", "connect PORT": "ok", "udp 9": "ok", "thread": ".*", "read /dev/urandom": "ok"}
    never = {"run /bin/true": "EPERM", "bind 0": "EPERM", **{"call " + c: "EPERM|unknown" for c in REFUSED},
             **{"socket %d %d %d" % s: "EPERM" for s in SOCKETS.values()}}
    has = {"status Seccomp:": r"Seccomp:\s2", "status NoNewPrivs": r"NoNewPrivs:\s1", "status CapEff": r"CapEff:\s0+2?" if ROOT and "user" not in options else r"CapEff:\s0+",
           "status CapInh": r"CapInh:\s0+"}
    elsewhere = {"connect %d" % other: "EACCES"}
    answers, said = carry(folder, [*refused, *works, *never, *has, *elsewhere], **options)
    checks(who + ": it sends, writes its outbox, and connects", answers, works)
    checks(who + ": %d calls and kinds of sockets are refused, and programs" % len(never), answers, never)
    checks(who + ": it has no capability but that of root's own run", answers, has)
    if not landlock:
        checks(who + ": permissions alone guard files", answers, {"read %s" % (folder / "foreign"): "ok", "connect %d" % other: "ok"})
        ok(not said, who + ": nothing is said", said)
        return
    if files:
        checks(who + ": foreign files are neither read nor written", answers, refused)
    else:
        skip(who + ": foreign files", "no Landlock")
    if ports:
        checks(who + ": it connects to no other port", answers, elsewhere)
    else:
        skip(who + ": other ports", "no Landlock that knows ports")
    ok(not said, who + ": nothing is said", said)


def named(folder, who, **options):
    """A name: the resolver works, of /etc as little as that takes."""
    lookups = {"lookup localhost": "ok", "read /etc/hosts": "ok", "read /etc/resolv.conf": "ok", "thread": "ok"}
    answers, _ = carry(folder, list(lookups), host="localhost", **options)
    checks(who + ": names are looked up, in threads too", answers, lookups)
    # As the file is renamed onto, unless it is a link or mounted.
    whole = "user" in options or not ROOT
    if version() > 0 and (not whole or RESOLVER.is_symlink() or RESOLVER.stat().st_dev != Path("/etc").stat().st_dev):
        answers, _ = carry(folder, ["read /etc/passwd", "read /etc/shadow"], host="localhost", **options)
        checks(who + ": the rest of /etc is not read", answers, {"read /etc/passwd": "EACCES", "read /etc/shadow": "EACCES"})
    if version() > 0:
        answers, _ = carry(folder, ["read /root/.profile", "list /etc", "read %s" % (folder / "foreign")], host="localhost", **options)
        checks(who + ": nothing else is", answers, {c: "EACCES" for c in answers} or {"read": "EACCES"})


def secrets(folder):
    """Credentials are read again, also those that were renamed there."""
    creds = folder / "secrets/creds"
    answers, _ = carry(folder, ["read %s" % creds, "write %s" % creds, "list %s" % creds.parent], password=creds)
    checks("credentials are read, and not written", answers, {"read %s" % creds: "ok", "write %s" % creds: "EACCES", "list %s" % creds.parent: "EACCES"})


def free(folder, other):
    """Who gives up nothing may do all that; else the others would show nothing."""
    commands = ["read /etc/passwd", "write %s" % (folder / "foreign"), "connect %d" % other, "bind 0", "socket %d %d %d" % SOCKETS["UNIX"], "list /etc"]
    answers, _ = carry(folder, commands, free=True)
    checks("a carrier that is not confined may do all that", answers, {c: "ok" for c in commands})


def main():
    other = socket.create_server(("127.0.0.1", 0))
    port = other.getsockname()[1]
    users = [(None, "root" if ROOT else "here")] + ([("nobody", "nobody")] if ROOT else [])
    for user, who in users:
        options = {"user": user, "extra_groups": []} if user else {}
        with tempfile.TemporaryDirectory() as room:
            strict(prepare(room, user), who, port, **options)
        with tempfile.TemporaryDirectory() as room:
            named(prepare(room, user), who, **options)
        with tempfile.TemporaryDirectory() as room:
            strict(prepare(room, user), who + " without Landlock", port, landlock=False, preexec_fn=without_landlock if ROOT or user else None, **options)
    with tempfile.TemporaryDirectory() as room:
        folder = prepare(room, None)
        secrets(folder)
        free(folder, port)
    if ROOT:
        with tempfile.TemporaryDirectory() as room:
            folder = prepare(room, "nobody")
            answers, said = carry(folder, ["write %s" % (folder / "outbox/made")])
            checks("root carries from another user's outbox", answers, {"write %s" % (folder / "outbox/made"): "ok"})
            ok(not list((folder / "outbox").glob("*.ndjson")) and not said, "and empties it", *(folder / "outbox").iterdir(), said)
    done()


main()
