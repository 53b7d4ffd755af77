"""A real Postfix on loopback, in a network namespace and a folder of its own, for model.py: what it accepted and refused, by its own log,
and the packets of it by tcpdump. It delivers nothing, and nothing of it is left."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from netns import Namespace
from waiting import until

# Port: what makes the server there another one.
PORTS = {
    25: {"smtpd_forbid_bare_newline": "no"},
    26: {"smtpd_forbid_bare_newline": "normalize", "smtpd_helo_required": "yes", "smtpd_delay_reject": "yes", "smtpd_discard_ehlo_keywords": "chunking",
         "smtpd_data_restrictions": "$model_data,reject_unauth_pipelining"},  # Postfix 3.7 crashes where it refuses a chunk by that
    27: {"smtpd_forbid_bare_newline": "reject"},
}
MAX_SIZE = 8000
SNAP = "20000"  # more than any segment has; tcpdump's buffer has room for so many packets of this size
MAIN = """
compatibility_level = 3.6
config_directory = {home}/etc
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/log/maillog
maillog_file_prefixes = {home}
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.model.example
mydomain = model.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
default_transport = discard:
relay_transport = discard:
virtual_transport = discard:
alias_maps =
alias_database =
local_recipient_maps =
local_header_rewrite_clients =
enable_long_queue_ids = yes
duplicate_filter_limit = 0
message_size_limit = {max_size}
smtpd_recipient_limit = 6
smtpd_recipient_overshoot_limit = 1
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 100
smtpd_hard_error_limit = 14
smtpd_junk_command_limit = 100
smtpd_client_port_logging = yes
smtpd_forbid_bare_newline_exclusions =
smtpd_timeout = 20
smtpd_delay_reject = no
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_helo_restrictions = check_helo_access {helo}
smtpd_sender_restrictions = check_sender_access {sender}
smtpd_recipient_restrictions = check_recipient_access {recipient}
model_data = check_sender_access {data}
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
header_checks = regexp:{home}/etc/header_checks
"""
# Received is taken out, so that a mail's size is that of what the client sent.
HEADER_CHECKS = "/^Received:.*\\(Postfix\\) with/ IGNORE\n/^Subject:.*forbidden/ REJECT a word of it\n/^Subject:.*later/ REJECT 4.7.1 not now\n"
MASTER = """
{smtpd}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def access(*pairs):
    return "inline:{%s}" % ", ".join("{ %s = %s }" % p for p in pairs)


ACCESS = {
    "helo": access(("bad.helo.example", "REJECT no such host"), ("slow.helo.example", "450 4.7.1 come again")),
    "sender": access(("refused.example", "REJECT we know you"), ("later@model.example", "450 4.7.1 later"), ("gone@model.example", "421 4.7.0 go away")),
    "recipient": access(("nobody@here.example", "550 5.1.1 no such user"), ("full@here.example", "452 4.2.2 mailbox full"), ("refused.example", "REJECT")),
    "data": access(("nodata@model.example", "REJECT no data of you"), ("datalater@model.example", "451 4.7.1 no data now")),
}


def skip_all(why):
    print("1..0 # SKIP " + why)
    sys.exit(0)


class Passwords(threading.Thread):
    """Dovecot's side of its authentication protocol: the password is "right"."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        os.chmod(path, 0o666)
        self.server.listen(50)

    def run(self):
        while True:
            try:
                peer = self.server.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    @staticmethod
    def serve(peer):
        peer.sendall(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0\nDONE\n")
        steps = {}
        for line in peer.makefile("rb"):
            word, *rest = line.rstrip(b"\n").split(b"\t")
            if word not in (b"AUTH", b"CONT"):
                continue
            number, given = rest[0], [r for r in rest if r.startswith(b"resp=")]
            answer = given[0][5:] if given else rest[1] if word == b"CONT" and len(rest) > 1 else None
            if word == b"AUTH":
                steps[number] = 2 if rest[1] == b"LOGIN" and answer is None else 1
            else:
                steps[number] -= 1
            if steps[number] and answer is None or word == b"CONT" and steps[number] > 0:
                peer.sendall(b"CONT\t%s\t%s\n" % (number, b"UGFzc3dvcmQ6"))
            elif answer and b"cmlnaHQ" in answer:
                peer.sendall(b"OK\t%s\tuser=model\n" % number)
            else:
                peer.sendall(b"FAIL\t%s\tuser=model\n" % number)


class Server:
    """Postfix and tcpdump, running; `with` ends them. Then `log` and `pcap` are whole."""

    def __init__(self):
        if os.geteuid():
            skip_all("Postfix runs as root only")
        os.environ["PATH"] += ":/usr/sbin:/sbin"
        for name in "postfix", "tcpdump":
            if not shutil.which(name):
                skip_all("there is no %s (tools/install-deps test)" % name)
        self.folder = tempfile.TemporaryDirectory(prefix="mailtap-model-")
        self.home = Path(self.folder.name)
        self.home.chmod(0o755)
        self.pcap, self.maillog = self.home / "model.pcap", self.home / "log/maillog"
        try:
            self.net = Namespace()
        except (OSError, RuntimeError) as e:
            skip_all("no network namespace can be made here: %s" % e)
        self.master = self.tcpdump = None

    def configure(self):
        for name in "etc", "queue", "log":
            (self.home / name).mkdir()
        (self.home / "data").mkdir(mode=0o700)
        shutil.chown(self.home / "data", "postfix")
        for name in "active bounce corrupt defer deferred flush hold incoming private saved trace".split():
            (self.home / "queue" / name).mkdir(mode=0o700)
            shutil.chown(self.home / "queue" / name, "postfix")
        (self.home / "queue/pid").mkdir()
        for name, mode in (("maildrop", 0o1730), ("public", 0o2710)):
            (self.home / "queue" / name).mkdir()
            shutil.chown(self.home / "queue" / name, "postfix", "postdrop")
            (self.home / "queue" / name).chmod(mode)
        smtpd = "".join("127.0.0.1:%d inet n - n - - smtpd%s\n" % (port, "".join(" -o %s=%s" % o for o in options.items()))
                        for port, options in PORTS.items())
        (self.home / "etc/main.cf").write_text(MAIN.format(home=self.home, max_size=MAX_SIZE, **ACCESS))
        (self.home / "etc/master.cf").write_text(MASTER.format(smtpd=smtpd))
        (self.home / "etc/header_checks").write_text(HEADER_CHECKS)
        self.passwords = Passwords(self.home / "queue/private/auth")
        self.passwords.start()

    def __enter__(self):
        try:
            self.configure()
        except LookupError as e:
            skip_all("Postfix is not installed whole: %s" % e)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that __exit__ ends it
        command = ["tcpdump", "-i", "lo", "-p", "-n", "-s", SNAP, "-B", "131072", "--immediate-mode", "-U", "-Z", "root", "-w", str(self.pcap), "tcp"]
        self.said = open(self.home / "said", "wb+")
        with self.net:
            self.tcpdump = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.said, stderr=self.said)
            started = until(lambda: b"listening on" in (self.home / "said").read_bytes() or self.tcpdump.poll() is not None)
            r = subprocess.run(["postfix", "-c", str(self.home / "etc"), "start"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        pid = self.home / "queue/pid/master.pid"
        until(lambda: self.maillog.exists() and b"daemon started" in self.maillog.read_bytes(), 10)
        if not started or self.tcpdump.poll() is not None or r.returncode or not pid.exists():
            log = self.maillog.read_text(errors="replace") if self.maillog.exists() else ""
            self.__exit__(None, None, None)
            skip_all("Postfix does not start here: %s" % " / ".join((r.stderr + log).split("\n"))[-1500:])
        return self

    def connect(self, port, own=0):
        """To a port of the server, from one's own."""
        with self.net:
            s = socket.socket()
        s.settimeout(4)
        s.bind(("127.0.0.1", own))
        s.connect(("127.0.0.1", port))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def settle(self, ports):
        """Waits until every connection is over by the log, those from these ports among them, all mails are out of the queue, and all packets are on disk."""
        def over():
            lines = [line for line in self.maillog.read_bytes().splitlines() if b"connect from " in line]
            ended = [line for line in lines if b" disconnect from " in line]
            text = b"\n".join(ended)
            return 2 * len(ended) == len(lines) and all(b"]:%d " % p in text for p in ports)

        def empty():
            text = self.maillog.read_bytes()
            return len(set(re.findall(rb"(\w+): from=.*\(queue active\)", text))) <= text.count(b": removed")

        good = until(over) and until(empty)
        try:
            last = self.connect(25)
            last.sendall(b"NOOP the very last\r\n")
            last.close()
        except OSError:
            return False
        return until(lambda: b"NOOP the very last" in self.pcap.read_bytes()[-4000:]) and good

    def __exit__(self, kind, value, trace):
        subprocess.run(["postfix", "-c", str(self.home / "etc"), "stop"], stdin=subprocess.DEVNULL, capture_output=True)
        if self.tcpdump:
            self.tcpdump.send_signal(signal.SIGINT)
            self.tcpdump.wait(20)
        self.log = self.maillog.read_text(errors="surrogateescape") if self.maillog.exists() else ""
        self.passwords.server.close()
        self.said.close()
        dropped = re.search(rb"(\d+) packets dropped by kernel", (self.home / "said").read_bytes())
        self.dropped = not dropped or int(dropped[1])

    def close(self):
        self.folder.cleanup()


LINE = re.compile(r"^\w+ +\d+ [\d:]+ \S+ postfix/([\w/]+)\[\d+\]: (.*)$")


def read_log(text):
    """-> {queue id: {"port", "from", "size", "rcpts", ...}}, {client port: {verb: (good, all)}}, [(client port, verb, code, text)] of refusals,
    and lines that are none of these."""
    mails, sessions, refused, odd = {}, {}, [], []
    for line in text.splitlines():
        m = LINE.match(line)
        if not m:
            odd.append(line)
            continue
        who, what = m.groups()
        got = re.match(r"([0-9A-Za-z]{10,}): (.*)", what)
        if got:
            mail = mails.setdefault(got[1], {"rcpts": set(), "queued": False})
            rest = got[2]
            if (c := re.match(r"client=\S+\[127\.0\.0\.1\]:(\d+)", rest)):
                mail["port"] = int(c[1])
            elif (c := re.match(r"from=<(.*)>, size=(\d+), nrcpt=(\d+)", rest)) and who == "qmgr":
                mail.update({"from": c[1], "size": int(c[2]), "nrcpt": int(c[3]), "queued": True})
            elif who == "cleanup" and (c := re.match(r"message-id=(.*)", rest)):
                mail["msg_id"] = "" if c[1] == "<>" else c[1]
            elif who == "discard" and (c := re.match(r"to=<(.*?)>, ", rest)):
                mail["rcpts"].add(c[1])
        if (c := re.match(r"(?:NOQUEUE|[0-9A-Za-z]{10,}): reject: ([A-Z-]+) from \S+\[127\.0\.0\.1\]:(\d+): (\d\d\d) (.*?); (?:from=|proto=|helo=)", what)):
            refused.append((int(c[2]), c[1], int(c[3]), c[4]))
        elif (c := re.match(r"disconnect from \S+\[127\.0\.0\.1\]:(\d+)(.*)", what)):
            counts = {}
            for name, number in re.findall(r"(\w+)=([\d/]+)", c[2]):
                good, _, all_ = number.partition("/")
                counts[name] = (int(good), int(all_ or good))
            sessions[int(c[1])] = counts
        elif re.match(r"(warning|fatal|panic|error):", what):
            odd.append(line)
    return mails, sessions, refused, odd
