"""Mail on any port, told by what both sides say; `ports` pins it, `tls_ports` says where TLS from the first byte on is mail."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import SOURCE, done, mailtap, ok

MAIL = """S: 220 mx.example.com ESMTP
C: EHLO client.example.net
S: 250 mx.example.com
C: MAIL FROM:<a@example.net>
S: 250 ok
C: RCPT TO:<b@example.com>
S: 250 ok
C: DATA
S: 354 go
C: Subject: found
C:
C: .
S: 250 ok
C: QUIT
S: 221 bye
"""
ODD = MAIL.replace("220 mx.example.com ESMTP", "220 hello").replace("EHLO client.example.net", "XYZZY")
FTP = "S: 220 ftp.example.com ready\nC: USER anna\nS: 331 password\nC: PASS x\nS: 230 ok\n"
HTTP = "C: GET / HTTP/1.1\nC:\nS: HTTP/1.1 200 OK\nS:\nS: 250 ok\n"


def records(folder, text, port, *settings):
    """Subjects of the mails, and the sessions, in a capture of one dialogue."""
    dialog, pcap = folder / "d.txt", folder / "d.pcap"
    dialog.write_text("@server 192.0.2.25:%d\n" % port + text)
    subprocess.run([sys.executable, SOURCE / "tools/mkpcap", pcap, dialog], check=True)
    out = [json.loads(l) for l in mailtap("read", "-f", "json", pcap, *[a for s in settings for a in ("-s", s)]).stdout.splitlines()]
    return [r.get("subject") for r in out if r["_path"] == "smtp"], [r for r in out if r["_path"] == "smtp_session"]


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for port in (25, 587, 10025):
            ok(records(folder, MAIL, port)[0] == ["found"], "a mail on port %d" % port)
        ok(records(folder, ODD, 25)[0] == ["found"], "on port 25 a plain 220 is enough, whatever the client says first")
        ok(records(folder, ODD, 10025) == ([], []), "elsewhere it is not")
        ok(records(folder, ODD, 10025, "ports=10025")[0] == ["found"], "but where the port is pinned it is")
        ok(records(folder, MAIL, 25, "ports=10025,26") == ([], []), "what is not on a pinned port is not looked at")
        for what, text in (("FTP", FTP), ("HTTP", HTTP)):
            ok(records(folder, text, 2121) == ([], []), "%s is no mail" % what)
        tls = records(folder, "TLS\n", 465)
        ok(tls[0] == [] and [s.get("tls_start") for s in tls[1]] == ["implicit"], "TLS from the first byte on: a session on port 465", tls)
        ok(records(folder, "TLS\n", 443) == ([], []), "and none on port 443")
        ok(len(records(folder, "TLS\n", 8465, "tls_ports=8465")[1]) == 1, "unless tls_ports names it")
        ok(records(folder, "TLS\n", 465, "tls_ports=8465") == ([], []), "which then stands alone")
    done()


main()
