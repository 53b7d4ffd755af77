#!/usr/bin/python3
"""Records as messages of syslog: by UDP, TCP and TLS, to receivers of the test and to rsyslog. usage: syslog.py MAILTAP [TEST...]"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import syslogpeer
import weekpart
from clickhouses import free_ports
from tap import MAILTAP as GIVEN, SOURCE, ok, run_tests, skip
from waiting import until

MAILTAP = os.path.abspath(GIVEN)
RSYSLOG = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin:/sbin")
FORMATS = ("json", "ecs", "ocsf", "eve", "zeek-json")
_rooms = [tempfile.TemporaryDirectory(prefix="mailtap-syslog-")]
WEEK = weekpart.make(Path(_rooms[0].name) / "part.pcap")


def room():
    _rooms.append(tempfile.TemporaryDirectory(prefix="mailtap-syslog-"))
    return Path(_rooms[-1].name)


def run(*args):
    p = subprocess.run([MAILTAP, "read", "-s", "country_databases=none", *map(str, args)], capture_output=True, text=True, timeout=120)
    if re.search(r"Sanitizer|runtime error", p.stderr) or p.returncode < 0:
        ok(False, "read ends without a crash", p.returncode, p.stderr[-3000:])
    return p


def send(folder, url, *settings, source=WEEK):
    given = ("outbox_directory=%s" % (folder / "outbox"), "sensor=west 1", "carry_wait=20s", *settings)
    # The last one of a name counts.
    return run(*[a for s in {s.split("=")[0]: s for s in given}.values() for a in ("-s", s)], "-o", url, source)


_known = {}


def records(form="json", *settings):
    """What is to arrive, as a list of texts."""
    key = form, settings
    if key not in _known:
        folder = room()
        run("-f", form, "-s", "sensor=west 1", *[a for s in settings for a in ("-s", s)], "-o", folder, WEEK)
        _known[key] = [line for f in sorted(folder.glob("*.log")) for line in f.read_text().splitlines()]
    return _known[key]


def bare(text):
    """A record without what an outbox adds."""
    r = json.loads(text)
    r.pop("_write_ts", None)
    return json.dumps(r, sort_keys=True)


def zeek_bare(text):
    r = json.loads(bare(text))
    r.pop("_path", None)
    return json.dumps(r, sort_keys=True)


def parsed(messages):
    """All of them, or None where one breaks a rule."""
    try:
        return [syslogpeer.parse(m) for m in messages]
    except ValueError as e:
        ok(False, "each message is one of RFC 5424", e)
        return []


def aside(folder):
    return [json.loads(line) for f in folder.glob("outbox/*/refused.ndjson") for line in f.read_text().splitlines()]


def waiting(folder):
    return [p for p in folder.glob("outbox/*/*.ndjson") if p.name != "refused.ndjson"]


def same(got, want, what, *details, strip=bare):
    a, b = sorted(map(strip, got)), sorted(map(strip, want))
    missing, more = [x for x in b if x not in set(a)], [x for x in a if x not in set(b)]
    return ok(a == b, what, "%d, not %d" % (len(a), len(b)), *missing[:2], "--", *more[:2], *details)


def datagrams():
    folder = room()
    with syslogpeer.Datagrams() as peer:
        p = send(folder, "syslog://localhost:%d" % peer.port, "syslog_bytes=64KiB")
        ok(p.returncode == 0 and until(lambda: len(peer.messages) == len(records())), "UDP: a message for each record", p.stderr, len(peer.messages), len(records()))
        found = parsed(peer.messages)
    same([m["msg"] for m in found], records(), "which is the record")
    ok(all(m["facility"] == 2 for m in found), "facility mail")
    ok({(m["id"] == "notice", m["severity"]) for m in found} == {(True, 4), (False, 6)}, "severity info, of notices warning", {(m["id"], m["severity"]) for m in found})
    ok({m["host"] for m in found} == {"west_1"} and {m["app"] for m in found} == {"mailtap"}, "HOSTNAME is the sensor's name, of what may stand there")
    ok(len({m["process"] for m in found}) == 1 and found[0]["process"].isdigit(), "PROCID is a process")
    ok(all(m["id"] == json.loads(m["msg"])["_path"] for m in found), "MSGID is the stream's path")
    ok(all(abs(json.loads(m["msg"])["ts"] - stamp(m["stamp"])) < 2e-6 for m in found), "TIMESTAMP is the record's own time")
    ok([int(m["data"]["meta"]["sequenceId"]) for m in found] == list(range(1, len(found) + 1)), "the sequence counts them, so that a receiver sees what is lost")
    ok({m["data"]["origin"]["software"] for m in found} == {"mailtap"}, "origin says what sends")


def stamp(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def streams():
    folder = room()
    with syslogpeer.Stream() as peer:
        p = send(folder, "syslog+tcp://localhost:%d" % peer.port, "syslog_facility=local4", "syslog_severity=debug", "syslog_notice_severity=alert", "syslog_bytes=64KiB", "batch_bytes=16KiB")
        ok(p.returncode == 0 and until(lambda: len(peer.messages()) >= len(records())), "TCP: messages by octet counting", p.stderr, len(peer.messages()))
        found = parsed(peer.messages())
        ok(len(peer.received) == 1 and not syslogpeer.frames(bytes(peer.received[0]))[1], "one connection, no byte between them")
    same([m["msg"] for m in found], records(), "each record once")
    ok({(m["facility"], m["id"] == "notice", m["severity"]) for m in found} == {(20, True, 1), (20, False, 7)}, "facility and severity as set")
    folder = room()
    with syslogpeer.Stream() as peer:
        p = send(folder, "syslog+tcp://127.0.0.1:%d" % peer.port, "syslog_framing=lines", "syslog_bytes=64KiB")
        ok(p.returncode == 0 and until(lambda: peer.received and bytes(peer.received[0]).count(b"\n") >= len(records())), "a line end behind each, where that is wanted", p.stderr)
        found = parsed(bytes(peer.received[0]).split(b"\n")[:-1])
    same([m["msg"] for m in found], records(), "each record once so too")


def shapes():
    for form in FORMATS[1:]:
        folder = room()
        with syslogpeer.Stream() as peer:
            p = send(folder, "syslog+tcp://127.0.0.1:%d" % peer.port, "carry_format=%s" % form, "syslog_bytes=1MiB")
            want = records(form)
            ok(p.returncode == 0 and until(lambda: len(peer.messages()) >= len(want)), "carry_format=%s: a message for each record of that shape" % form, p.stderr, len(peer.messages()))
            found = parsed(peer.messages())
        same([m["msg"] for m in found], want, "which is as -f %s has it" % form, strip=zeek_bare if form == "zeek-json" else bare)
        paths = {m["id"] for m in found}
        ok(paths == ({"smtp", "notice", "software"} if form == "zeek-json" else {"smtp", "smtp_session", "notice", "software"}), "MSGID is known in it", paths)
        ok(all(m["stamp"] != "-" for m in found) and {m["id"] == "notice" for m in found} == {True, False} and all((m["severity"] == 4) == (m["id"] == "notice") for m in found), "and the time, and which are notices")
        if form == "zeek-json":
            ok(all(re.match(r'\{"_path":"(smtp|notice|software)","_write_ts":\d+\.\d{6},"ts":', m["msg"]) for m in found), "Zeek's lines have _path and _write_ts in front", found[0]["msg"][:200])


def certificate(folder, name, subject):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=" + subject,
                    "-keyout", str(folder / (name + ".key")), "-out", str(folder / (name + ".pem"))], check=True, capture_output=True)
    return folder / (name + ".pem")


def encrypted():
    folder = room()
    right, wrong = certificate(folder, "right", "IP:127.0.0.1"), certificate(folder, "wrong", "DNS:log.example.org")
    with syslogpeer.Stream(syslogpeer.context(right)) as peer:
        p = send(folder, "syslogs://127.0.0.1:%d" % peer.port, "carry_ca_file=%s" % right, "syslog_bytes=64KiB")
        ok(p.returncode == 0 and until(lambda: len(peer.messages()) >= len(records())), "TLS: as by TCP", p.stderr, len(peer.messages()))
        same([m["msg"] for m in parsed(peer.messages())], records(), "each record once")
    for what, pem, ca in (("for another host", wrong, wrong), ("that nobody vouches for", right, None), ("of another authority", right, wrong)):
        folder = room()
        with syslogpeer.Stream(syslogpeer.context(pem)) as peer:
            p = send(folder, "syslogs://127.0.0.1:%d" % peer.port, *(["carry_ca_file=%s" % ca] if ca else []), "carry_wait=300ms")
            ok(p.returncode == 1 and waiting(folder) and not any(peer.received), "a certificate %s is not believed, and nothing is sent" % what, p.returncode, p.stderr, peer.received)
            ok(re.search("certificate|SSL", p.stderr), "which is said", p.stderr)
    ours, both = certificate(folder, "ours", "DNS:tap.example.org"), folder / "both.pem"
    both.write_text(ours.read_text() + ours.with_suffix(".key").read_text())
    for what, given in (("in two files", ("carry_cert_file=%s" % ours, "carry_key_file=%s" % ours.with_suffix(".key"))), ("in one", ("carry_cert_file=%s" % both,))):
        with syslogpeer.Stream(syslogpeer.context(right, ours)) as peer:
            p = send(room(), "syslogs://127.0.0.1:%d" % peer.port, "carry_ca_file=%s" % right, "syslog_bytes=64KiB", *given)
            ok(p.returncode == 0 and until(lambda: len(peer.messages()) >= len(records())), "our own certificate, %s, is shown to who asks for it" % what, p.stderr, len(peer.messages()))
    with syslogpeer.Stream(syslogpeer.context(right, ours)) as peer:
        for what, given in (("none", ()), ("another", ("carry_cert_file=%s" % wrong, "carry_key_file=%s" % wrong.with_suffix(".key")))):
            box = room()
            p = send(box, "syslogs://127.0.0.1:%d" % peer.port, "carry_ca_file=%s" % right, "carry_wait=300ms", "carry_timeout=500ms", *given)
            ok(p.returncode == 1 and not any(peer.received) and "%d records in an outbox" % len(records()) in p.stderr, "with %s nothing is lost" % what, p.stderr)
    for given, text in ((("carry_key_file=%s" % ours,), "carry_cert_file"), (("carry_cert_file=/nonexistent",), "/nonexistent"), (("carry_cert_file=%s" % MAILTAP,), "PEM")):
        p = send(room(), "syslogs://127.0.0.1", *given)
        ok(p.returncode == 2 and text in p.stderr, "%s is refused at the start" % given[0].replace(MAILTAP, "no certificate").replace(str(folder), ""), p.returncode, p.stderr)
    folder = room()
    with syslogpeer.Stream() as peer:
        p = send(folder, "syslogs://127.0.0.1:%d" % peer.port, "carry_wait=300ms", "carry_timeout=200ms")
        ok(p.returncode == 1 and waiting(folder) and b"_path" not in b"".join(map(bytes, peer.received)), "a receiver without TLS gets no record", p.stderr)


def away():
    for scheme, make in (("syslog", syslogpeer.Datagrams), ("syslog+tcp", syslogpeer.Stream)):
        folder, port = room(), free_ports(1)[0]
        p = send(folder, "%s://127.0.0.1:%d" % (scheme, port), "carry_wait=300ms", "syslog_bytes=64KiB")
        ok(p.returncode == 1 and waiting(folder) and re.search(r"(refused|connect).*records wait in", p.stderr), "%s: nobody listens: the records wait, and that is said" % scheme, p.returncode, p.stderr)
        with make(port=port) as peer:
            p = send(folder, "%s://127.0.0.1:%d" % (scheme, port), "syslog_bytes=64KiB", source=SOURCE / "samples/border.pcap")
            messages = (lambda: peer.messages) if scheme == "syslog" else peer.messages
            ok(p.returncode == 0 and not waiting(folder) and until(lambda: len(messages()) >= len(records())), "the next run sends them", p.stderr, len(messages()))
            found = {bare(m["msg"]) for m in parsed(messages())}
            ok(found >= set(map(bare, records())), "all of them")


def cut():
    folder = room()
    with syslogpeer.Stream(rude=[0, 1, 40000, 100000], polite=[None, None, None, None, 80000, 1]) as peer:
        p = send(folder, "syslog+tcp://127.0.0.1:%d" % peer.port, "batch_bytes=16KiB", "syslog_bytes=64KiB")
        ok(p.returncode == 0 and not waiting(folder), "a receiver that cuts connections, at once, amid a message, in order", p.returncode, p.stderr)
        ok(len(peer.received) >= 6, "is connected to again", len(peer.received))
        ok(until(lambda: {bare(m["msg"]) for m in parsed(peer.messages())} >= set(map(bare, records()))), "and in the end it has read every record", len(peer.messages()))
    # Its kernel takes them, and then it dies: what it had not read is sent again.
    folder = room()
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    process = subprocess.Popen([MAILTAP, "read", "-s", "country_databases=none", "-s", "outbox_directory=%s" % (folder / "outbox"), "-s", "batch_bytes=4KiB", "-s", "syslog_bytes=64KiB", "-s", "sensor=west 1",
                                "-o", "syslog+tcp://127.0.0.1:%d" % port, str(WEEK)], stderr=subprocess.PIPE, text=True)
    first, _ = silent.accept()
    ok(until(lambda: unread(first) > 50000), "a receiver that does not read, whose kernel takes", unread(first))
    silent.close()
    first.close()
    with syslogpeer.Stream(port=port) as peer:
        _, err = process.communicate(timeout=60)
        ok(process.returncode == 0, "when it dies, and another one is there", err)
        ok(until(lambda: {bare(m["msg"]) for m in parsed(peer.messages())} >= set(map(bare, records()))), "that one has read every record", len(peer.messages()), len(records()))


def unread(c):
    import fcntl
    import struct
    import termios
    return struct.unpack("i", fcntl.ioctl(c, termios.FIONREAD, b"\0" * 4))[0]


def too_long():
    for scheme, make, most in (("syslog+tcp", syslogpeer.Stream, "2KiB"), ("syslog", syslogpeer.Datagrams, "2KiB"), ("syslog+tcp", syslogpeer.Stream, "480B")):
        folder, bytes_most = room(), 2048 if most == "2KiB" else 480
        with make() as peer:
            p = send(folder, "%s://127.0.0.1:%d" % (scheme, peer.port), "syslog_bytes=%s" % most, "carry_wait=30s")
            messages = (lambda: peer.messages) if scheme == "syslog" else peer.messages
            refused = aside(folder)
            counted = re.search(r"(\d+) records carried over the network, (\d+) records that the other side refused", p.stderr)
            ok(p.returncode == 0 and counted and int(counted[1]) + int(counted[2]) == len(records()) and int(counted[2]) == len(refused) > 10, "%s: records over syslog_bytes=%s are put aside, and counted" % (scheme, most), p.stderr, len(refused))
            never = [r for r in refused if "however short" in r["error"]]
            until(lambda: len(messages()) >= len(records()) - len(never))
            found = parsed(messages())
        ok(len(found) == len(records()) - len(never) and all(len(m) <= bytes_most for m in messages()), "and sent without their longest fields, so that each message fits", len(found), len(never), max(map(len, messages())))
        whole = {(r["record"]["_path"], r["record"].get("uid"), r["record"].get("trans_depth"), r["record"]["ts"]): r["record"] for r in refused}
        short = [json.loads(m["msg"]) for m in found if "_left_out" in m["msg"]]
        good = True
        for s in short:
            left = s.pop("_left_out")
            w = whole.get((s["_path"], s.get("uid"), s.get("trans_depth"), s["ts"]), {})
            for name in left:
                outer, _, inner = name.partition(".")
                good &= name in w or inner in w.get(outer, {})
            good &= all(w.get(k) == v or (isinstance(v, dict) and v.items() <= w[k].items()) for k, v in s.items())
        ok(short and good and len(short) == len(refused) - len(never), "what was left out is named, the rest is as it was", len(short), len(refused), len(never))
        ok(sorted([bare(m["msg"]) for m in found if "_left_out" not in m["msg"]] + [bare(json.dumps(r["record"])) for r in refused]) == sorted(map(bare, records())), "nothing is missing")


def wrong():
    folder = room()
    for url, settings, text in (("syslog://", (), "no server"), ("syslog://127.0.0.1/x", (), "/x"), ("syslog://127.0.0.1:0", (), "127.0.0.1:0"), ("syslog://me:secret@127.0.0.1", (), "carry_password_file"),
                                ("sislog://127.0.0.1", (), "syslog"), ("syslog://127.0.0.1", ("syslog_facility=male",), "local0"), ("syslog://127.0.0.1", ("syslog_severity=9",), "debug"),
                                ("syslog+tcp://127.0.0.1", ("syslog_framing=tabs",), "octets or lines"), ("syslog+tcp://127.0.0.1", ("carry_format=xml",), "zeek-json"),
                                ("clickhouse://127.0.0.1/mail", ("carry_format=ecs",), "only json")):
        p = send(folder, url, *settings)
        ok(p.returncode == 2 and text in p.stderr and "secret" not in p.stderr, "%s %s is refused at the start" % (url.replace("secret", "..."), " ".join(settings)), p.returncode, p.stderr)


class Rsyslog:
    """The real one, of Debian, in a folder of its own, as this user or nobody."""

    def __init__(self, folder, server=None, client=None):
        """With `server` its TCP is TLS, and asks for the certificate `client`."""
        secret = ""
        if server:
            secret = ' StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid"'
        self.folder, self.tcp, self.udp, self.process = folder, free_ports(1)[0], free_ports(1)[0], None
        (folder / "work").mkdir()
        (folder / "conf").write_text("""global(workDirectory="{f}/work" maxMessageSize="64k"{certificates})
module(load="imtcp"{secret})
module(load="imudp")
template(name="one" type="list") {{ constant(value="{{") property(name="msgid" format="jsonf") constant(value=",") property(name="hostname" format="jsonf") constant(value=",")
  property(name="app-name" format="jsonf") constant(value=",") property(name="timereported" dateFormat="rfc3339" format="jsonf") constant(value=",") property(name="syslogfacility-text" format="jsonf") constant(value=",")
  property(name="syslogseverity-text" format="jsonf") constant(value=",") property(name="structured-data" format="jsonf") constant(value=",") property(name="msg" format="jsonf") constant(value="}}\\n") }}
ruleset(name="all") {{ action(type="omfile" file="{f}/all" template="one") }}
input(type="imtcp" address="127.0.0.1" port="{t}" ruleset="all")
input(type="imudp" address="127.0.0.1" port="{u}" ruleset="all" rcvbufSize="4m")
""".format(f=folder, t=self.tcp, u=self.udp, secret=secret, certificates=server and ' DefaultNetstreamDriverCAFile="%s" DefaultNetstreamDriverCertFile="%s" DefaultNetstreamDriverKeyFile="%s"'
                   % (client, server, server.with_suffix(".key")) or ""))

    def start(self):
        os.chmod(self.folder, 0o777)
        os.chmod(self.folder / "work", 0o777)
        # Confined users of their own are what distributions start it as.
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen([RSYSLOG, "-n", "-f", str(self.folder / "conf"), "-i", str(self.folder / "pid")], stdout=out, stderr=out, cwd=self.folder, **user)
        return until(self.listens)

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.tcp)) == 0

    def kill(self, how=signal.SIGKILL):
        if self.process:
            self.process.send_signal(how)
            self.process.wait()
        self.process = None
        (self.folder / "pid").unlink(missing_ok=True)

    def messages(self):
        f = self.folder / "all"
        text = f.read_text() if f.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.kill()


def rsyslog():
    if not RSYSLOG:
        return skip("rsyslog", "it is not installed")
    snippet = re.search(r"rsyslog, each record.*?```\n(.*?)```", (SOURCE / "docs/syslog.md").read_text(), re.S)[1]
    (room() / "conf").write_text(snippet)
    p = subprocess.run([RSYSLOG, "-N1", "-f", Path(_rooms[-1].name) / "conf"], capture_output=True, text=True)
    ok(p.returncode == 0 and "rror" not in p.stderr, "rsyslog takes the configuration of docs/syslog.md", p.stderr)
    with Rsyslog(room()) as server:
        ok(server.start(), "rsyslog is there", (server.folder / "out").read_text())
        folder = room()
        p = send(folder, "syslog+tcp://127.0.0.1:%d" % server.tcp, "syslog_bytes=64KiB")
        ok(p.returncode == 0 and until(lambda: len(server.messages()) >= len(records())), "rsyslog takes them by TCP", p.stderr, len(server.messages()))
        found = server.messages()
        same([m["msg"] for m in found], records(), "and reads each as it is", *(server.folder / "out").read_text().splitlines()[-3:])
        ok({(m["hostname"], m["app-name"], m["syslogfacility-text"]) for m in found} == {("west_1", "mailtap", "mail")} and all(m["msgid"] == json.loads(m["msg"])["_path"] for m in found), "with all of the header", *found[:1])
        ok(all(m["structured-data"].startswith("[origin software=\"mailtap\"") for m in found) and {m["syslogseverity-text"] for m in found} == {"info", "warning"}, "and of the structured data", *found[:1])
        (server.folder / "all").unlink()
        server.kill(signal.SIGTERM)
        server.start()
        p = send(room(), "syslog://127.0.0.1:%d" % server.udp, "syslog_bytes=64KiB")
        ok(p.returncode == 0 and until(lambda: len(server.messages()) >= len(records())), "and by UDP", p.stderr, len(server.messages()))
        # Killed in the midst.
        server.kill(signal.SIGTERM)
        (server.folder / "all").unlink()
        server.start()
        folder = room()
        process = subprocess.Popen([MAILTAP, "read", "-s", "country_databases=none", "-s", "outbox_directory=%s" % (folder / "outbox"), "-s", "batch_bytes=4KiB", "-s", "syslog_bytes=64KiB", "-s", "sensor=west 1",
                                    "-o", "syslog+tcp://127.0.0.1:%d" % server.tcp, str(WEEK)], stderr=subprocess.PIPE, text=True)
        for count in (60, 200):
            until(lambda: len(server.messages()) > count)
            server.kill()
            server.start()
        _, err = process.communicate(timeout=60)
        ok(process.returncode == 0, "rsyslog is killed twice in the midst, and started again", err)
        ok(until(lambda: {bare(m["msg"]) for m in server.messages() if whole(m["msg"])} >= set(map(bare, records()))), "and has every record in the end", len(server.messages()), len(records()))


def rsyslog_tls():
    if not RSYSLOG or not list(Path("/usr/lib").glob("*/rsyslog/lmnsd_ossl.so")):
        return skip("rsyslog with TLS", "it is not installed")
    folder = room()
    folder.chmod(0o755)
    right, ours = certificate(folder, "right", "IP:127.0.0.1"), certificate(folder, "ours", "DNS:tap.example.org")
    for key in folder.glob("*.key"):
        key.chmod(0o644)
    with Rsyslog(room(), right, ours) as server:
        ok(server.start(), "rsyslog is there, with TLS", (server.folder / "out").read_text())
        url, ca = "syslogs://127.0.0.1:%d" % server.tcp, "carry_ca_file=%s" % right
        box = room()
        p = send(box, url, ca, "syslog_bytes=64KiB", "carry_wait=500ms")
        ok(p.returncode == 1 and waiting(box) and not server.messages(), "it wants our certificate, and nothing is lost without", p.stderr, len(server.messages()))
        p = send(box, url, ca, "syslog_bytes=64KiB", "carry_cert_file=%s" % ours, "carry_key_file=%s" % ours.with_suffix(".key"))
        ok(p.returncode == 0 and until(lambda: len(server.messages()) >= 2 * len(records())), "with it all arrives", p.stderr, len(server.messages()), (server.folder / "out").read_text())
        same([m["msg"] for m in server.messages()], 2 * records(), "each record of both runs once")


def whole(text):
    try:
        return bool(json.loads(text))
    except ValueError:
        return False


def main():
    run_tests([datagrams, streams, shapes, encrypted, away, cut, too_long, wrong, rsyslog, rsyslog_tls])


main()
