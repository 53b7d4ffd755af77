"""From a bus into ClickHouse: mailtap load, killed in the midst, with a server that is killed too, with messages that are no records. usage: load.py MAILTAP MAKE-CAPTURES KAFKA-MOCK"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import clickhouses
import kafkas
import loadover
import natsbus
from tap import MAILTAP, SOURCE, done, mailtap, ok
from waiting import until

MAILS = 1500
WORD = "bus-Zeppelin_7"
# What docs/load.md says that a loader needs; all others may do anything.
RIGHTS = """authorization { users: [ { user: any, password: any },
  { user: loader, password: "%s", permissions: {
    publish: ["$JS.API.CONSUMER.INFO.MAILS.*", "$JS.API.CONSUMER.DURABLE.CREATE.MAILS.*", "$JS.API.CONSUMER.MSG.NEXT.MAILS.*", "$JS.ACK.MAILS.>",
              "$JS.API.CONSUMER.INFO.RUN.*", "$JS.API.CONSUMER.DURABLE.CREATE.RUN.*", "$JS.API.CONSUMER.MSG.NEXT.RUN.*", "$JS.ACK.RUN.>"],
    subscribe: ["_INBOX.>"] } } ] }
no_auth_user: any
""" % WORD
TABLES = {"smtp": "smtp", "smtp_session": "smtp_session", "notice": "notice", "software": "software"}
if not natsbus.SERVER or not clickhouses.SERVER:
    print("1..0 # SKIP no nats-server, or no clickhouse-server, is installed")
    sys.exit(0)


class Loader:
    """mailtap load in the background; its words go to a file of their own."""
    count = 0

    def __init__(self, folder, source, server, database, *settings, more=()):
        Loader.count += 1
        self.path = folder / ("words-%d" % Loader.count)
        if source.startswith("nats:"):
            settings = ("load_user=loader", "load_password_file=%s" % (folder / "word"), *settings)
        own = ("outbox_directory=%s" % (folder / "outbox"), "load_redeliver=1s", "load_wait=100ms", "carry_timeout=5s", "stats_interval=1s")
        given = [s for s in own if s.split("=")[0] not in [g.split("=")[0] for g in settings]] + list(settings)
        with self.path.open("wb") as words:
            self.process = subprocess.Popen([MAILTAP, "load", source, "-o", "clickhouse://127.0.0.1:%d/%s" % (server.http, database), *more,
                                             *[a for s in given for a in ("-s", s)]], stdout=words, stderr=words,
                                            env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))  # no process may look into a confined one

    def words(self):
        return self.path.read_text(errors="replace")

    def says(self, text, seconds=20):
        return until(lambda: text in self.words() or self.process.poll() is not None, seconds) and text in self.words()

    def end(self, sig=signal.SIGTERM, seconds=20):
        """-> exit code"""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if re.search("Sanitizer|runtime error", self.words()):
            ok(False, "load ends without a crash", self.words()[-3000:])
        return self.process.returncode

    def again(self):
        """What its lines say of messages that came again."""
        return re.findall(r"(\d+) of the messages not for the first time", self.words())

    def numbers(self):
        """Of its closing line: messages, records, again, inserted, aside."""
        found = re.findall(r"(\d+) messages with (\d+) records taken, (\d+) of .*?; (\d+) records inserted, (\d+) put aside", self.words())
        return tuple(int(n) for n in found[-1]) if found else None


def drain(folder, source, server, database, *settings):
    """Until nothing is left. -> (exit code, loader)"""
    loader = Loader(folder, source, server, database, *settings, more=("--until-empty",))
    try:
        return loader.process.wait(60), loader
    except subprocess.TimeoutExpired:
        return loader.end(signal.SIGKILL), loader


def publish(folder, url, capture, sensor, *settings):
    given = ("outbox_directory=%s" % (folder / "sensors"), "sensor=%s" % sensor, "country_databases=none", "carry_wait=60s", *settings)
    r = mailtap("read", *[a for s in given if s != "sensor=" for a in ("-s", s)], "-o", url, capture)
    ok(r.returncode == 0, "%s sends its records" % (sensor or "a sensor without a name"), r.stderr.decode())


def wanted(capture, sensor):
    """How many records of each table a capture has."""
    r = mailtap("read", "-f", "json", "-s", "sensor=%s" % sensor, "-s", "country_databases=none", capture)
    counts = {}
    for line in set(r.stdout.splitlines()):
        table = json.loads(line)["_path"]
        counts[table] = counts.get(table, 0) + 1
    return counts


def rows(server, database, final="FINAL", where=""):
    return {t: server.number("SELECT count() FROM %s %s %s" % (t, final, where), database) for t in TABLES}


def aside(folder):
    return [json.loads(line) for f in folder.glob("outbox/load-*/refused.ndjson") for line in f.read_text().splitlines()]


def counted(server, table="smtp", database="mail"):
    return int(server.try_ask("SELECT count() FROM %s" % table, database) or 0)


def consumer(bus, group):
    return bus.ask(lambda c: c.request("$JS.API.CONSUMER.INFO.MAILS.%s" % group))


def handed_out(bus, group):
    """What a further member of the group is given now: the head of a message, or of the word that there is none."""
    def pull(client):
        body = b'{"batch":1,"no_wait":true}'
        client.send(b"PUB $JS.API.CONSUMER.MSG.NEXT.MAILS.%s %s %d\r\n%s\r\n" % (group.encode(), client.inbox.encode(), len(body), body))
        words = client.file.readline().split()
        return words[0].decode() + " " + client.file.read(int(words[-1]) + 2).decode(errors="replace")[:60]
    return bus.ask(pull)


def raw(bus, subject, *messages):
    """Messages as they are; JetStream acknowledges each."""
    return bus.ask(lambda c: all(c.request(subject, m) for m in messages))


def page(port):
    """The metrics of a loader."""
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=10) as r:
        return {n: int(v) for n, v in re.findall(r"^mailtap_((?:load|over)_\w+) (\d+)$", r.read().decode(), re.M)}


def usage(folder):
    url = "clickhouse://127.0.0.1:9/x"
    box = ("-s", "outbox_directory=%s" % (folder / "outbox"))
    for args, text in (((), "address of a bus"), (("nats://h/s",), "wants -o"), (("nast://h/s", "-o", url), "the nearest is 'nats"), (("nats://h", "-o", url), "STREAM"),
                       (("nats://h/s", "-o", "clickhose://h/d"), "the nearest is 'clickhouse"), (("nats://h/s", "-o", "nats://h/s"), "fills ClickHouse"),
                       (("nats://h/s", "-o", "clickhouse://h"), "DATABASE"), (("nats://h/s", "-o", url, "--until-emty"), "the nearest is '--until-empty'"),
                       (("nats://a:secret-7@h/s", "-o", url), "load_user"), (("nats://h/s", "-o", url, "-s", "load_group=a.b"), "load_group"),
                       (("kafka://h/t", "-o", url, "-s", "load_user=x"), "load_password_file"), (("nats+tls://h/t", "-o", url, "-s", "load_key_file=x"), "load_cert_file"), (("nats://h/s", "x", "-o", url), "one bus"),
                       (("nats://h/s", "-o", url, "-s", "load_bites=1MiB"), "load_bytes")):
        r = mailtap("load", *args, *box)
        ok(r.returncode == 2 and text in r.stderr.decode() and "secret-7" not in r.stderr.decode(), "refused: load %s" % " ".join(args).replace("secret-7", "..."), r.stderr.decode())
    r = mailtap("load", "nats://h/s", "-o", url)
    ok(r.returncode == 2 and "outbox_directory" in r.stderr.decode(), "it wants a folder for what is refused", r.stderr.decode())


def dies(folder, bus, server, times):
    """Kills a loader when some of a backlog has arrived; whether it held any then."""
    before = counted(server)
    loader = Loader(folder, bus.url("MAILS"), server, "mail", "load_bytes=64KiB")
    until(lambda: counted(server) > before, 20)
    loader.end(signal.SIGKILL)
    info = consumer(bus, "mailtap")
    print("# killed %d times: %d messages held, %d left" % (times, info["num_ack_pending"], info["num_pending"]))
    return info["num_ack_pending"] > 0


def killed(folder, bus, server, captures, stream, wants):
    """Loaders that are killed, and ended, while records come; the server killed and started again."""
    source = bus.url("MAILS")
    port = natsbus.free_ports(1)[0]
    waiting = Loader(folder, source, server, "mail", more=("--metrics", "127.0.0.1:%d" % port))
    ok(waiting.says("there is no stream MAILS"), "a loader waits for the first sensor", waiting.words())
    status = dict(line.split(":\t", 1) for line in Path("/proc/%d/status" % waiting.process.pid).read_text().splitlines())
    ok(status["Uid"].split()[0] != "0" and int(status["CapEff"], 16) == 0 and status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", "as a plain user, who may do little", status["Uid"])
    ok(page(port)["load_source_down"] == 1, "and says so to Prometheus")
    publish(folder, source, captures["west"], "west", "batch_bytes=16KiB")
    ok(until(lambda: counted(server) > 0, 20), "records arrive", waiting.words())
    # More than that where this machine was too busy to say within load_redeliver that it is at it.
    ok(until(lambda: page(port)["load_records_total"] >= wants), "all of them, and it counts them", page(port), wants)
    found = page(port)
    ok(found["load_messages_total"] > 10 and found["load_source_down"] == found["load_refused_total"] == 0 and until(lambda: page(port)["load_inserted_total"] >= wants), "as it counts what has arrived", found)
    ok(until(lambda: page(port)["over_lines_total"] >= wants) and found["over_unread_total"] == 0, "and what it looks at over all sensors", found)
    ok(waiting.end() == 0, "SIGTERM ends it", waiting.words())
    stream.kill_first()
    publish(folder, source, captures["east"], "east", "batch_bytes=16KiB")
    ok(any(dies(folder, bus, server, n) for n in range(1, 6)), "another is killed while it holds a batch")
    two = [Loader(folder, source, server, "mail", "load_bytes=64KiB") for _ in range(2)]
    ok(until(lambda: sum(int(n) for l in two for n in l.again()) > 0, 20), "two others go on, with what it held", two[0].words(), two[1].words())
    server.kill()
    publish(folder, source, captures["north"], "north", "batch_bytes=16KiB")
    ok(all(l.says("records wait in the bus") for l in two), "the server is killed: that is said", two[0].words())
    ok(server.start(), "and started again")
    ok(all(l.says("takes records again") for l in two), "both go on", *[l.words() for l in two])
    codes = [l.end() for l in two]
    ok(codes[0] in (0, 1) and codes[1] in (0, 1), "SIGTERM ends them", codes, *[l.words() for l in two])
    numbers = [l.numbers() for l in two]
    ok(all(n and n[0] > 0 for n in numbers), "they have shared the work", numbers)
    code, last = drain(folder, source, server, "mail")
    ok(code == 0, "--until-empty takes the rest, and ends", code, last.words())


def odd(folder, bus, server):
    """Messages that are no records, and records that the server refuses."""
    good = b'{"_path":"smtp","ts":%d.5,"uid":"P%d","sensor":"odd","mailfrom":"p@example.net"}'
    strange = [b"\x00\xff\xfe garbage \n\n", b"no json at all", b'{"_path":"smtp","ts":1.5,"uid":"cut',
               b'{"not":"ours"}', b"", b"[" * 10000,
               b"\n".join([good % (1, 1), b'{"half', good % (2, 2), b'{"ts":1,"_path":"smtp"}', good % (3, 3)]) + b"\n",
               b'{"_path":"smtp","ts":4.5,"uid":"P4","trans_depth":"many","sensor":"odd"}\n' + good % (5, 5),
               b'{"_path":"smtp","ts":6.5,"uid":"P6"}']
    ok(raw(bus, "MAILS.north_2", *strange), "messages that are no records are published")
    code, loader = drain(folder, bus.url("MAILS"), server, "mail")
    names = server.ask("SELECT uid, sensor FROM smtp FINAL WHERE uid LIKE 'P%' ORDER BY uid FORMAT TSV", "mail").split()
    ok(code == 0 and names == ["P1", "odd", "P2", "odd", "P3", "odd", "P5", "odd", "P6", "north_2"], "they hold up no record; one without a sensor has that of its subject", code, names, loader.words())
    found = aside(folder)
    ok(len(found) == 8 and loader.numbers()[4] == 8, "each of them is put aside, and counted", len(found), loader.words(), *[str(f)[:200] for f in found])
    ok(any(isinstance(f["record"], dict) and f["record"].get("trans_depth") == "many" for f in found) and any("garbage" in str(f["record"]) for f in found), "as it was")


def held(folder, bus, server):
    """What a loader holds while the server is away is not handed out again."""
    server.kill()
    holder = Loader(folder, bus.url("MAILS"), server, "again", "load_group=patient", "load_bytes=64MiB", "load_wait=1s", "load_redeliver=2s")
    ok(holder.says("records wait in the bus"), "a loader holds a batch that the server does not take", holder.words())
    before = consumer(bus, "patient")
    time.sleep(3.5)  # more than load_redeliver
    other, after = handed_out(bus, "patient"), consumer(bus, "patient")
    ok(before["num_ack_pending"] == after["num_ack_pending"] > 0 == after["num_pending"], "it has all that there is, for longer than load_redeliver", before, after)
    ok("404 No Messages" in other and after["num_redelivered"] == 0, "and the bus hands none of it out again", other, after)
    began = time.monotonic()
    code = holder.end()
    ok(code == 1 and time.monotonic() - began < 6 and "the bus keeps it" in holder.words(), "SIGTERM ends it all the same, and says that the batch did not arrive", code, holder.words())
    began = time.monotonic()
    code, loader = drain(folder, bus.url("MAILS"), server, "again", "load_group=patient", "carry_wait=1s")
    ok(code == 1 and time.monotonic() - began < 12, "--until-empty gives up after carry_wait", code, loader.words())
    ok(server.start(), "the server is started again")


def tls(folder, server):
    """A bus that wants to be shown a certificate, and shows one itself; the loader ends as it should behind TLS, too."""
    for name in ("bus", "own"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", folder / (name + ".key"), "-out", folder / (name + ".pem")], check=True, capture_output=True)
    room = folder / "tls"
    room.mkdir()
    bus = natsbus.Servers(room, more='tls { cert_file: "%s", key_file: "%s", ca_file: "%s", verify: true }' % (folder / "bus.pem", folder / "bus.key", folder / "own.pem"))
    bus.start_all()
    try:
        ok(bus.wait_listening(), "a server that speaks TLS starts")
        own = ["%s_%s=%s" % (whose, what, folder / file) for whose in ("carry", "load") for what, file in (("ca_file", "bus.pem"), ("cert_file", "own.pem"), ("key_file", "own.key"))]
        publish(folder, bus.url("MAILS", "nats+tls"), SOURCE / "samples/border.pcap", "west", *[s for s in own if s.startswith("carry")])
        code, loader = drain(folder, bus.url("MAILS", "nats+tls"), server, "tls", *[s for s in own if s.startswith("load")])
        ok(code == 0 and loader.numbers()[0] == 1 and server.number("SELECT count() FROM smtp FINAL", "tls") == 16, "its messages are loaded", code, loader.words())
        code, loader = drain(folder, bus.url("MAILS", "nats+tls"), server, "tls", "carry_wait=1s", "load_group=other")
        ok(code == 1 and "certificate" in loader.words() and loader.numbers()[0] == 0, "a certificate that nobody vouches for is said, and nothing is taken", code, loader.words())
    finally:
        bus.stop()


class Kafka:
    """The same from Kafka, beside the rest, as a group takes its time: six seconds until it gives up who was killed."""

    def __init__(self, folder, server, capture):
        self.folder, self.server = folder, server
        self.cluster = kafkas.Cluster(sys.argv[3])
        publish(folder, self.cluster.url, capture, "west", "batch_bytes=16KiB")
        self.first = Loader(folder, self.cluster.url, server, "kafka", "load_bytes=64KiB")

    def kill_first(self):
        ok(until(lambda: counted(self.server, "smtp", "kafka") > 100, 20), "Kafka: records arrive", self.first.words())
        self.first.end(signal.SIGKILL)
        self.second = Loader(self.folder, self.cluster.url, self.server, "kafka", "carry_wait=60s", more=("--until-empty",))

    def end(self, want):
        ok(until(lambda: self.second.process.poll() is not None, 40) and self.second.end() == 0, "Kafka: after a loader that was killed another goes on, to the end", self.second.words())
        total, numbers = sum(want.values()), self.second.numbers()
        ok(numbers and 0 < numbers[0] < total, "with what the first one has not committed, and no more", numbers, total)
        got = rows(self.server, "kafka")
        ok(got == {t: want.get(t, 0) for t in TABLES}, "and each record is there, exactly once", got, want)

    def stop(self):
        self.cluster.__exit__()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # root becomes somebody plain
        (folder / "word").write_text(WORD + "\n")
        usage(folder)
        captures = {n: folder / (n + ".pcap") for n in ("west", "east", "north")}
        for i, (n, path) in enumerate(captures.items()):
            subprocess.run([sys.argv[2], path, ("small", "varied", "small")[i], str(MAILS + i)], check=True)
        want = [wanted(path, n) for n, path in captures.items()]
        http, tcp = natsbus.free_ports(2)
        bus, server, stream = natsbus.Servers(folder, more=RIGHTS), clickhouses.Server(folder / "click", http, tcp), None
        bus.start_all()
        try:
            if ok(server.start(), "a server of ClickHouse starts") and ok(bus.wait_ready(), "and one of NATS"):
                stream = Kafka(folder, server, captures["west"])
                killed(folder, bus, server, captures, stream, sum(want[0].values()))
                got = rows(server, "mail")
                ok(got == {t: sum(w.get(t, 0) for w in want) for t in TABLES}, "each record of three sensors is there, exactly once", got, want, rows(server, "mail", ""))
                odd(folder, bus, server)
                held(folder, bus, server)
                tls(folder, server)
                loadover.run(folder, bus, server, drain)
                stream.end(want[0])
        finally:
            server.kill()
            bus.stop()
            if stream:
                stream.stop()
    done()


main()
