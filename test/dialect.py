#!/usr/bin/python3
"""Dialects: real clients talk to a server in the test, and what they say is fed to mailtap. The same client says the same whatever the addresses,
the names, the number of recipients and the way that the bytes are cut; two clients differ."""
import json
import shutil
import smtplib
import socket
import subprocess
import tempfile
import threading
from email.message import EmailMessage
from pathlib import Path

import packets
from packets import CLIENT, SERVER
from tap import SHARED, done, mailtap, ok, skip

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-dialect-"))


class Server:
    """Takes every mail of one connection, and notes what both sides say."""

    def __init__(self, offers=("PIPELINING", "SIZE 10000000", "8BITMIME")):
        self.offers, self.steps = offers, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def say(self, text):
        self.steps.append((SERVER, text.encode() + b"\r\n"))
        self.peer.sendall(text.encode() + b"\r\n")

    def answer(self, line):
        word = line.split()[0].upper() if line.split() else b""
        if word in (b"EHLO", b"LHLO"):
            self.say("\r\n".join(["250-mx", *("250-" + o for o in self.offers), "250 HELP"]))
        elif word == b"DATA":
            self.say("354 go")
            self.text = True
        else:
            self.say("221 bye" if word == b"QUIT" else "250 ok")
        return word != b"QUIT"

    def serve(self):
        self.peer, _ = self.listener.accept()
        self.peer.settimeout(20)
        self.text, rest, more = False, b"", True
        self.say("220 mx ESMTP")
        while more and (data := self.peer.recv(65536)):
            self.steps.append((CLIENT, data))
            rest += data
            while more and b"\n" in rest:
                if self.text and b"\n.\r\n" not in b"\n" + rest:
                    break
                if self.text:
                    rest = (b"\n" + rest).partition(b"\n.\r\n")[2]
                    self.text = False
                    self.say("250 taken")
                else:
                    line, _, rest = rest.partition(b"\n")
                    more = self.answer(line)
        self.peer.close()

    def end(self):
        self.thread.join(20)
        self.listener.close()
        return self.steps


def message(n):
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = "from%d@example.net" % n, "to%d@example.com" % n, "subject %d" % n
    if n % 2:
        m["Cc"], m["Reply-To"] = "copy@example.com", "answers@example.net"
    m.set_content("text of mail %d\n" * (n + 1))
    return m


def by_smtplib(port, n):
    with smtplib.SMTP("127.0.0.1", port, local_hostname="host%d.example.net" % n, timeout=20) as s:
        for i in range(1 + n % 2):
            s.sendmail("from%d@example.net" % i, ["to%d@example.com" % k for k in range(1 + n)], message(n).as_bytes())


def by_curl(port, n):
    mail = FOLDER / "mail"
    mail.write_bytes(message(n).as_bytes().replace(b"\n", b"\r\n"))
    to = [a for k in range(1 + n) for a in ("--mail-rcpt", "to%d@example.com" % k)]
    subprocess.run(["curl", "-s", "smtp://127.0.0.1:%d/host%d.example.net" % (port, n), "--mail-from", "from%d@example.net" % n, *to, "-T", mail], check=True, timeout=30)


def by_source(port, n):
    subprocess.run(["smtp-source", "-f", "from%d@example.net" % n, "-t", "to%d@example.com" % n, "-M", "host%d.example.net" % n, "-r", str(1 + n), "-c",
                    "127.0.0.1:%d" % port], check=True, timeout=30, capture_output=True)


PERL = """use Net::SMTP; my ($port, $n) = @ARGV;
my $s = Net::SMTP->new("127.0.0.1", Port => $port, Hello => "host$n.example.net", Timeout => 20) or die "no server";
$s->mail("from$n\\@example.net") or die; $s->to("to$_\\@example.com") or die for 0 .. $n;
$s->data("From: from$n\\@example.net\\nTo: to$n\\@example.com\\nMime-Version: 1.0\\nSubject: $n\\n\\ntext $n\\n") or die; $s->quit;"""


def by_perl(port, n):
    subprocess.run(["perl", "-e", PERL, str(port), str(n)], check=True, timeout=30)


CLIENTS = {"smtplib": ("python3", by_smtplib), "curl": ("curl", by_curl), "smtp-source": ("smtp-source", by_source), "Net::SMTP": ("perl", by_perl)}


def session_of(connections):
    path = packets.capture(FOLDER / "one.pcap", connections)
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", path)
    return [json.loads(line) for line in r.stdout.splitlines() if b'"_path":"smtp_session"' in line]


def clients():
    found = {}
    for name, (program, send) in CLIENTS.items():
        if not shutil.which(program):
            skip("%s says the same each time" % name, "no " + program)
            continue
        plays = []
        for n in range(3):
            server = Server()
            send(server.port, n)
            plays.append(server.end())
        all_ = session_of([packets.connection(i, steps) for i, steps in enumerate(plays)])
        said = {s.get("dialect") for s in all_}
        ok(len(all_) == 3 and len(said) == 1 and None not in said, "%s says the same each time" % name, *[s.get("dialect") for s in all_])
        whole = all_[0].get("dialect")
        cuts = [packets.connection(i, [(side, data[k:k + size]) for side, data in plays[0] for k in range(0, len(data), size)]) for i, size in enumerate((1, 3, 10))]
        said = {s.get("dialect") for s in session_of(cuts)}
        ok(said == {whole}, "%s: however it is cut" % name, said, whole)
        found[name] = whole
        print("# %s: %s" % (name, whole), flush=True)
        gaps = [packets.connection(i, plays[0], unseen={i}) for i in range(1, len(plays[0]) - 1)]
        said = {s.get("dialect") for s in session_of(gaps)}
        ok(said <= {None, whole} and None in said, "%s: with a packet missing it is not told" % name, said)
    ok(len(set(found.values())) == len(found) and len(found) > 1, "two clients differ", found)


def bad(old, new):
    """A dialogue in which one thing is otherwise: that letter, or that section, is another one."""
    base = ["EHLO c.example.net\r\n", "MAIL FROM:<a@example.net> SIZE=100 BODY=8BITMIME\r\n", "RCPT TO:<b@example.com>\r\n", "DATA\r\n",
            "From: a@example.net\r\nMessage-ID: <1@example.net>\r\nMIME-Version: 1.0\r\n\r\ntext\r\n.\r\n", "QUIT\r\n"]
    lines = [(line.replace(old, new) if old else line) for line in base]
    steps = [(SERVER, b"220 mx ESMTP\r\n")]
    for line in lines:
        if line:
            steps += [(CLIENT, line.encode()), (SERVER, b"354 go\r\n" if line.startswith("DATA") else b"221 bye\r\n" if line.startswith("QUIT") else b"250 ok\r\n")]
    return session_of([packets.connection(0, steps)])[0].get("dialect")


def letters():
    plain = bad("", "")
    ok(plain.startswith("sd1_eufcts_EMRDQ_SB_hi03-"), "each letter is as docs/dialect.md says", plain)
    for old, new, want in (("EHLO", "HELO", "sd1_h"), ("EHLO", "ehlo", "sd1_em"), ("c.example.net", "c", "sd1_eub"), ("c.example.net", "[192.0.2.1]", "sd1_eul"),
                           ("c.example.net", "192.0.2.1", "sd1_eui"), ("c.example.net", "c d", "sd1_euo"), ("QUIT\r\n", "QUIT\n", "sd1_eufm"),
                           (":<", ": <", "sd1_eufcs"), ("QUIT\r\n", "", "sd1_eufcts_EMRD_"), (" SIZE=100", "", "sd1_eufcts_EMRDQ_B_"),
                           ("Message-ID", "Message-Id", "sd1_eufcts_EMRDQ_SB_hm03-"), ("From: ", "FROM: ", "sd1_eufcts_EMRDQ_SB_ho03-"),
                           ("From: a@example.net\r\n", "Received: by a\r\nFrom: a@example.net\r\n", plain.replace("hi03", "ri03")),
                           ("From: a@example.net\r\n", "From: a@example.net\r\nCc: c@example.com\r\n", plain), ("a@example.net", "x@example.com", plain)):
        got = bad(old, new)
        ok(got.startswith(want), "%r for %r: %s" % (new, old, want), got)
    ok(bad("From: a@example.net\r\nMessage-ID: <1@example.net>\r\n", "Message-ID: <1@example.net>\r\nFrom: a@example.net\r\n")[:-8] == plain[:-8] !=
       bad("From: a@example.net\r\nMessage-ID: <1@example.net>\r\n", "Message-ID: <1@example.net>\r\nFrom: a@example.net\r\n"), "the order of fields is in the hash")


def captures():
    folder = SHARED / "captures"
    if not folder.exists():
        skip("clients in captures", "no shared captures")
        return
    by = {}
    for path in ("initconf+phish-analysis/BogusSiteURL-example.pcap", "initconf+phish-analysis/FileDownload-example.pcap", "arkime+arkime/smtp-subject-8859-multi.pcap",
                 "arkime+arkime/smtp-subject-utf8-mixed.pcap", "arkime+arkime/smtp-zip.pcap", "arkime+arkime/smtp-subject-8859-b.pcap", "arkime+arkime/smtp-subject-gb2312-b.pcap"):
        r = mailtap("read", "-f", "json", "-s", "country_databases=none", folder / path)
        rows = [json.loads(line) for line in r.stdout.splitlines()]
        agent = next(m["user_agent"].split("/")[0].split("(")[0] for m in rows if m["_path"] == "smtp" and "user_agent" in m)
        by.setdefault(agent, set()).update(s["dialect"] for s in rows if "dialect" in s)
    ok(len(by) == 3 and all(len(d) == 1 for d in by.values()), "in captures the same client is the same", by)
    ok(len(set.union(*by.values())) == 3, "and others are others", by)


clients()
letters()
captures()
shutil.rmtree(FOLDER)
done()
