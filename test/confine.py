#!/usr/bin/python3
"""A confined process: what it may not do any more, and what it still must be able to do. usage: confine.py MAILTAP CONFINE-RUN"""
import os
import pwd
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import done, ok, skip

RUN = sys.argv[2]
ROOT = os.getuid() == 0
COUNTRIES = Path("/usr/share/libloc-location/location.db")
# A thread of LeakSanitizer's would ptrace the process at its end.
ENV = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")

# Each would answer EFAULT, EINVAL or the like if it was let through.
REFUSED = """socket socketpair connect bind listen execve execveat fork vfork ptrace process_vm_readv process_vm_writev bpf
    perf_event_open io_uring_setup userfaultfd memfd_create pidfd_open pidfd_getfd mount umount2 pivot_root chroot unshare setns
    keyctl add_key request_key init_module finit_module delete_module kexec_load reboot swapon settimeofday adjtimex
    clock_settime setuid setresuid setgid setgroups capset personality seccomp landlock_create_ruleset open_by_handle_at mknodat
    symlinkat linkat fchmodat fchownat setxattr truncate chdir dup2 dup3 sendmmsg sendfile splice tkill
    rt_sigqueueinfo setpriority setrlimit sethostname syslog quotactl acct kcmp modify_ldt iopl shmget msgget semget
    mq_open inotify_init1 fanotify_init move_mount fsopen clone""".split()


class Confined:
    """One process; ask() hands it a command and gives back its answer."""

    def __init__(self, *arguments, under=(), **options):
        self.process = subprocess.Popen([*under, RUN, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace", env=ENV, **options)
        self.report = []
        for line in self.process.stdout:
            if line == "ready\n":
                break
            self.report.append(line.rstrip("\n"))

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def end(self):
        """Exit code, what was printed after the last answer, standard error."""
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


def answers(c, name, command, pattern="ok"):
    got = c.ask(command)
    ok(re.fullmatch(pattern, got), name, "%s: %s" % (command, got), "wanted: " + pattern)


def ends_well(c, name):
    code, out, err = c.end()
    ok(code == 0 and not err, name + " ends without complaint", code, out, err)
    return out


def landlock(c):
    return int(re.search(r"landlock (\d+)", c.report[0])[1]) if c.report else 0


def prepare(folder):
    folder.chmod(0o755)
    for name in ("settings", "linked", "elsewhere", "log"):
        (folder / name).mkdir()
    (folder / "log").chmod(0o777)
    (folder / "settings/mailtap.yaml").write_text("one\n")
    (folder / "settings/target.yaml").write_text("through a link\n")
    (folder / "elsewhere/file").write_text("foreign\n")
    (folder / "elsewhere/file").chmod(0o666)
    (folder / "linked/link.yaml").symlink_to("../settings/target.yaml")


def still_works(c, folder, who):
    """What a sensor goes on doing for months."""
    settings = folder / "settings/mailtap.yaml"
    answers(c, who + ": settings are read", "read %s" % settings, "ok .*")
    (folder / "settings/next").write_text("two\n")
    (folder / "settings/next").rename(settings)
    answers(c, who + ": settings are read that were renamed onto them", "read %s" % settings, "ok two")
    answers(c, who + ": settings are read through a link", "read %s" % (folder / "linked/link.yaml"), "ok through a link")
    answers(c, who + ": a log is written, renamed, removed", "rotate %s" % (folder / "log"))
    answers(c, who + ": a store's file is locked, mapped, and given a mode", "store 600 %s" % (folder / "log"))
    answers(c, who + ": but none that makes it another user's program", "store 4755 %s" % (folder / "log"), "EPERM")
    answers(c, who + ": a folder that is there is seen to be", "mkdir %s" % (folder / "log"), "EEXIST")
    answers(c, who + ": a log is made and emptied", "write %s" % (folder / "log/fresh"))
    for charset in ("KOI8-R", "EUC-KR", "BIG5", "WINDOWS-1251"):
        answers(c, "%s: charset %s is loaded" % (who, charset), "iconv " + charset, r"ok .+")
    if COUNTRIES.exists():
        answers(c, who + ": a database of countries is opened", "country %s" % COUNTRIES, "ok US")
    else:
        skip(who + ": a database of countries is opened", "libloc-database is not installed")
    answers(c, who + ": a thread starts and ends", "thread", "ok worker")
    answers(c, who + ": there is time, of a zone", "time", r"ok \d{4} \w+")
    answers(c, who + ": the courier's socket works", "pair", "ok hello")
    answers(c, who + ": a connection is accepted", "accept", "ok metric")
    for path in ("/dev/null", "/dev/urandom", "/proc/self/stat", "/proc/sys/vm/overcommit_memory", "/sys/class/net/lo/statistics/rx_missed_errors"):
        answers(c, "%s: %s is read" % (who, path), "read " + path, "ok.*")
    answers(c, who + ": /dev/null is written", "write /dev/null", "EINVAL")
    got = c.ask("capture")
    if got == "none":
        skip(who + ": a capture is read and cannot send", "no right to open one")
    else:
        ok(got == "ok and cannot send", who + ": a capture is read and cannot send", got)


def is_refused(c, folder, who):
    for path in ("/etc/shadow", "/etc/passwd", folder / "elsewhere/file", "/proc/1/status"):
        answers(c, "%s: %s is not read" % (who, path), "read %s" % path, "EACCES")
    for path in (folder / "elsewhere/file", folder / "settings/mailtap.yaml", folder / "new", "/dev/urandom", "/tmp/mailtap-foreign"):
        answers(c, "%s: %s is not written" % (who, path), "write %s" % path, "EACCES|EPERM")
    for path in (folder / "made", folder / "log/made"):
        answers(c, "%s: no folder is made" % who, "mkdir %s" % path, "EACCES|EPERM")
    ok((folder / "elsewhere/file").read_text() == "foreign\n", who + ": a foreign file stays as it was")
    let = [(name, got) for name in REFUSED for got in [c.ask("call " + name)] if got not in ("EPERM", "unknown")]
    ok(not let, who + ": %d calls are refused" % len(REFUSED), *let)
    answers(c, who + ": the parent is sent no signal", "kill %d" % os.getpid(), "EPERM")


def has_no_rights(c, who, uid=None, bounding="0+"):
    for row in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        answers(c, "%s: %s is empty" % (who, row), "status " + row, r"ok %s:\s0+" % row)
    answers(c, who + ": the bounding set is empty", "status CapBnd", r"ok CapBnd:\s" + bounding)
    answers(c, who + ": no new privileges", "status NoNewPrivs", r"ok NoNewPrivs:\s1")
    answers(c, who + ": the filter is there", "status Seccomp:", r"ok Seccomp:\s2")
    if uid is not None:
        answers(c, who + ": it is another user", "status Uid", r"ok Uid:(\s%d){4}" % uid)
        answers(c, who + ": it is in no other group", "status Groups", r"ok Groups:\s*")


def lists(folder):
    reads = ["--read", COUNTRIES] if COUNTRIES.exists() else []
    return ["--reread", folder / "settings/mailtap.yaml", "--reread", folder / "linked/link.yaml", "--write", folder / "log", *reads]


def whole(folder, who, *arguments, uid=None, bounding="0+", files=True, **options):
    c = Confined(*lists(folder), *arguments, **options)
    ok(c.report and c.report[0].startswith("confined: ") and not [l for l in c.report[1:] if "still user root" not in l],
       who + " is confined without a remark", *c.report, c.process.stderr.read() if c.process.poll() else "")
    if files and landlock(c):
        still_works(c, folder, who)
        is_refused(c, folder, who)
    elif files:
        still_works(c, folder, who)
        skip(who + ": files are guarded", "this kernel has no Landlock")
    has_no_rights(c, who, uid, bounding)
    return ends_well(c, who)


def of_paths(folder):
    """What is not there or not the user's is said; the rest works."""
    hidden = folder / "hidden"
    hidden.mkdir(mode=0o700)
    secret, later = folder / "linked/secret", folder / "linked/later"
    secret.write_text("s\n")
    secret.chmod(0)
    c = Confined("--read", folder / "none", "--write", hidden, "--read", folder / "elsewhere/file", "--reread", secret, "--reread", later,
                 user="nobody" if ROOT else None)
    text = "\n".join(c.report)
    ok(re.search(r"^remark: \S+/none: cannot be read by user \d+: No such file or directory$", text, re.M), "a missing path is said", text)
    if ROOT:
        ok(re.search(r"^remark: \S+/hidden: cannot be written by user \d+: Permission denied$", text, re.M), "another's folder is said", text)
    ok(re.search(r"^remark: \S+/secret: cannot be read again by user \d+: Permission denied$", text, re.M), "what was read and cannot be read again is said", text)
    ok("later" not in text, "of a file that may come later nothing is said", text)
    later.write_text("come\n")
    answers(c, "it is read once it is there", "read %s" % later, "ok come")
    answers(c, "one file alone is read", "read %s" % (folder / "elsewhere/file"), "ok foreign")
    if landlock(c):
        answers(c, "another is not", "read %s" % (folder / "settings/mailtap.yaml"), "EACCES")
    answers(c, "a file that is for reading is not written", "write %s" % (folder / "elsewhere/file"), "EACCES" if landlock(c) else "ok|EACCES")
    ends_well(c, "a process with missing paths")


def refusals_are_told():
    c = Confined("--told")
    for name in ("socket", "socket", "execve", "socket"):
        answers(c, "told: %s is refused" % name, "call " + name, "EPERM")
    answers(c, "told: a thread works", "thread", "ok worker")
    out = ends_well(c, "a process whose parent is told")
    ok(out == "refused: socket 3 execve 1\n", "the parent is told which calls were refused, and nothing else", out)
    c = Confined("--told")
    said = c.ask("abort")
    code, out, _ = c.end()
    ok(code == 134 and said == "refused:" and not out, "abort works, and the parent hears the end", code, said, out)


def users_are_refused():
    for user, why in (("root", "EINVAL: .*'root' has root's rights"), ("nobody-of-this-name", "ENOENT: .*no user 'nobody-of-this-name'")):
        c = Confined("--user", user)
        ok(re.search(why, "\n".join(c.report)), "user %s is refused" % user, *c.report)
        c.end()
    if not ROOT:
        return
    c = Confined("--user", "daemon", user="nobody", group="nogroup", extra_groups=[])
    ok(re.match("EPERM: ", "\n".join(c.report)), "who has no right to become another user is told so", *c.report)
    c.end()


def signals(folder):
    """The courier may be ended."""
    sleeper = subprocess.Popen(["sleep", "60"])
    c = Confined("--child", sleeper.pid)
    answers(c, "the child may be sent signals", "kill %d" % sleeper.pid)
    answers(c, "the parent may not", "kill %d" % os.getpid(), "EPERM")
    ends_well(c, "a process with a child")
    sleeper.kill()
    sleeper.wait()


def main():
    for name in ("confined", "as nobody", "told"):
        with tempfile.TemporaryDirectory() as room:
            folder = Path(room)
            prepare(folder)
            nobody = pwd.getpwnam("nobody")
            if name == "confined":
                whole(folder, "here", bounding="0+" if ROOT else r"\w+")
                of_paths(folder)
            elif not ROOT:
                skip(name, "needs root")
            elif name == "as nobody":
                whole(folder, "dropped", "--user", "nobody", uid=nobody.pw_uid)
                whole(folder, "plain", user="nobody", group="nogroup", extra_groups=[], uid=nobody.pw_uid, bounding=r"\w+")
                # As systemd starts it by our unit.
                whole(folder, "of the unit", under=["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs",
                                                    "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw", "--bounding-set=-all,+net_raw"],
                      uid=nobody.pw_uid, bounding="0+2000")
            else:
                whole(folder, "by number", "--user", str(nobody.pw_uid), "--told", uid=nobody.pw_uid)
    refusals_are_told()
    users_are_refused()
    signals(None)
    done()


main()
