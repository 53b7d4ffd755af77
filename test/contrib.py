"""What stands in contrib: held to the names that mailtap gives, tried by the programs that are here. usage: contrib.py MAILTAP SINK-RUN"""
import fnmatch
import gzip
import json
import os
import pwd
import grp
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

try:
    import yaml
except ImportError:
    print("1..0 # SKIP python3-yaml is not installed")
    sys.exit(0)

from clickhouses import free_ports
from sinkrun import Run
from tap import MAILTAP, SOURCE, done, mailtap, ok, skip
from waiting import LONG, until

CONTRIB = SOURCE / "contrib"
T0 = 4102444800  # later than the time of any file
# What Prometheus itself says of a scrape.
OF_PROMETHEUS = {"up"}
WORDS = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def names_of_table():
    """{name of a metric: has it a worker?}, by the table that they come from."""
    rows = re.findall(r"^STAT\((\w+), (COUNTER|GAUGE), (FRONT|BACK),", (SOURCE / "src/record/stats.def").read_text(), re.M)
    return {"mailtap_%s%s" % (name, "_total" if kind == "COUNTER" else ""): place == "FRONT" for name, kind, place in rows}


def names_of_load():
    """The same of `mailtap load`, which has no workers; and what it does over all sensors."""
    rows = re.findall(r"^COUNT\((\w+), (true|false),", (SOURCE / "src/load/counts.def").read_text(), re.M)
    over = re.findall(r'^ *ROW\((\w+), "', (SOURCE / "src/over_page.c").read_text(), re.M)
    return {**{"mailtap_load_%s%s" % (name, "_total" if rises == "true" else ""): False for name, rises in rows},
            **{"mailtap_over_%s_total" % name: False for name in over}}


def fetch(port):
    with socket.create_connection(("127.0.0.1", port), LONG) as s:
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while part := s.recv(1 << 16):
            answer += part
    return answer.decode().partition("\r\n\r\n")[2]


def page(*command):
    """A real page of metrics, or None where this one does not start."""
    port, = free_ports(1)
    with tempfile.TemporaryFile() as err:
        p = subprocess.Popen([MAILTAP, *command, "--metrics", "127.0.0.1:%d" % port], stdout=subprocess.DEVNULL, stderr=err,
                             env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))

        def try_it():
            try:
                return p.poll() is not None or fetch(port)
            except OSError:
                return None
        got = until(try_it)
        if p.poll() is None:
            p.terminate()
        p.wait(LONG)
    return got if isinstance(got, str) else None


def same(what, table, text):
    if text is None:
        return skip("the page of %s has what the table says" % what, "it may not start")
    shown = {WORDS.match(l)[0]: "{worker=" in l for l in text.splitlines() if l and l[0] != "#"}
    return ok(set(table.items()) <= set(shown.items()), "the page of %s has what the table says" % what, set(table.items()) - set(shown.items()))


def of_metrics(folder):
    """Names with their labels, as Prometheus has them after a scrape."""
    table, load = names_of_table(), names_of_load()
    same("watch", table, page("watch", "lo", "-s", "capture_filter=tcp port 1", "-s", "country_databases=none", "-s", "capture_buffer=1MiB", "--workers", "1"))
    # Neither side needs to be there.
    box = folder / "load"
    box.mkdir()
    box.chmod(0o777)
    same("load", load, page("load", "nats://127.0.0.1:1/MAILS", "-o", "clickhouse://127.0.0.1:1/mails", "-s", "outbox_directory=%s" % box))
    return {**table, **load}


def used(expr):
    """Names of metrics in an expression."""
    return set(re.findall(r"\bmailtap_\w+|\bup\b", expr))


def promtool(folder, what, *files):
    return subprocess.run(["promtool", *what, *map(str, files)], cwd=folder, capture_output=True, text=True, timeout=60)


def series(table):
    """Two sensors, all of whose counters rise and whose gauges are 1."""
    found = []
    for sensor in ("a:9425", "b:9425"):
        who = 'job="mailtap",instance="%s"' % sensor
        found.append({"series": "up{%s}" % who, "values": "1x120"})
        for name, of_front in table.items():
            for worker in ('worker="0",', 'worker="1",') if of_front else ("",):
                found.append({"series": "%s{%s%s}" % (name, worker, who), "values": "0+5x120" if name.endswith("_total") else "1x120"})
    return found


def of_dashboard(folder, table):
    board = json.loads((CONTRIB / "grafana.json").read_text())
    panels = [p for p in board["panels"] if p["type"] != "row"]
    targets = [(p["title"], t["expr"]) for p in panels for t in p["targets"]]
    variables = {v["name"] for v in board["templating"]["list"]}
    queries = [v["query"]["query"] for v in board["templating"]["list"] if v["type"] == "query"]
    ok(board["title"] == "mailtap" and "id" not in board and board["schemaVersion"] >= 36, "the dashboard can be imported", board.keys())
    ok(len(targets) > 40 and len({p["id"] for p in board["panels"]}) == len(board["panels"]), "its panels have numbers of their own")
    cells = [(x, y) for p in board["panels"] for g in [p["gridPos"]] for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])]
    ok(len(cells) == len(set(cells)) and all(x < 24 for x, _ in cells), "and places of their own")
    unknown = [(title, n) for title, e in (*targets, *(("a variable", q) for q in queries)) for n in used(e) - set(table) - OF_PROMETHEUS]
    ok(not unknown, "each metric of the dashboard is one of mailtap's", *unknown)
    bare = [title for title, e in targets for own in [len(re.findall(r"mailtap_(?:load|over)_\w+", e))]
            if len(re.findall(r"mailtap_\w+|\bup\b", e)) - own != e.count('{job=~"$job",instance=~"$instance"}') or own != e.count('{instance=~"$loader"}')]
    ok(not bare, "each is of the sensors that were chosen", *bare)
    loose = [(title, v) for title, e in targets for v in re.findall(r"\$(\w+)", e) if v not in variables | {"__rate_interval"}]
    ok(not loose and all(p["datasource"]["uid"] == "${datasource}" for p in panels), "each variable is there", *loose)
    wrong = [(title, n) for title, e in targets for n in re.findall(r"(?:rate|increase)\((mailtap_\w+)", e) if not n.endswith("_total")]
    wrong += [(title, n) for title, e in targets for n in used(e) if n.endswith("_total") and not re.search(r"(?:rate|increase)\(%s\{" % n, e)]
    ok(not wrong, "counters are rates, gauges are not", *wrong)
    if not shutil.which("promtool"):
        return skip("each expression gives a value", "no promtool")
    filled = [e.replace("$__rate_interval", "5m").replace("$job", ".+").replace("$instance", ".+").replace("$loader", ".+") for _, e in targets]
    rules = {"groups": [{"name": "panels", "rules": [{"record": "panel:%d" % i, "expr": "group(%s)" % e} for i, e in enumerate(filled)]}]}
    tests = {"rule_files": ["panels.yml"], "evaluation_interval": "1m", "tests": [{
        "interval": "1m", "input_series": series(table),
        "promql_expr_test": [{"expr": "panel:%d" % i, "eval_time": "90m", "exp_samples": [{"labels": "panel:%d" % i, "value": 1}]} for i in range(len(filled))]}]}
    (folder / "panels.yml").write_text(yaml.safe_dump(rules))
    (folder / "panels-test.yml").write_text(yaml.safe_dump(tests))
    r = promtool(folder, ("test", "rules"), "panels-test.yml")
    failed = [targets[int(n)] for n in re.findall(r'expr: "panel:(\d+)"', r.stdout + r.stderr)]
    ok(r.returncode == 0, "each of %d expressions gives a value" % len(filled), *failed, r.stdout[:500], r.stderr[:2000])


# name: (series that make it fire, series that do not, minutes). Counters are of one sensor; "5": what a minute adds; "=5": a value.
RISES, STAYS = "5", "0"
ALERTS = {
    "MailtapDown": ({"up": "=0"}, {"up": "=1"}, 10),
    "MailtapSilent": ({"packets_total": STAYS}, {"packets_total": RISES}, 30),
    "MailtapNoMail": ({"packets_total": RISES, "sessions_total": "0+5x1440 7200x400"}, {"packets_total": RISES, "sessions_total": "0+5x1840"}, 1600),
    "MailtapPacketLoss": ({"packets_total": "100", "kernel_drops_total": "2", "interface_drops_total": STAYS, "ring_drops_total": STAYS},
                          {"packets_total": "1000", "kernel_drops_total": "2", "interface_drops_total": STAYS, "ring_drops_total": STAYS}, 30),
    "MailtapGaps": ({"gap_bytes_total": "20", "stream_bytes_total": "1000"}, {"gap_bytes_total": "5", "stream_bytes_total": "1000"}, 40),
    "MailtapOneSided": ({"one_sided_total": "6", "sessions_ended_total": "10"}, {"one_sided_total": "1", "sessions_ended_total": "1"}, 40),
    "MailtapInterfaceDown": ({"interface_downs_total": "0x20 1x20"}, {"interface_downs_total": "1x40"}, 25),
    "MailtapRestarts": ({"records_total": "5 0 5 0 5 0 5x40"}, {"records_total": "5 0 5x40"}, 30),
    "MailtapShed": ({"shed_total": RISES, "holes_given_up_total": STAYS}, {"shed_total": STAYS, "holes_given_up_total": STAYS}, 40),
    "MailtapRecordsLost": ({"records_lost_total": RISES}, {"records_lost_total": STAYS}, 30),
    "MailtapOutboxFull": ({"outbox_lost_total": RISES}, {"outbox_lost_total": STAYS}, 30),
    "MailtapOutboxStuck": ({"outbox_records": "=9", "records_carried_total": STAYS}, {"outbox_records": "=9", "records_carried_total": RISES}, 40),
    "MailtapOutputDown": ({"outputs_down": "=1"}, {"outputs_down": "=0"}, 30),
    "MailtapOutputFailing": ({"outputs_failing": "=1"}, {"outputs_failing": "=0"}, 30),
    "MailtapRefused": ({"records_refused_total": RISES}, {"records_refused_total": STAYS}, 30),
    "MailtapLoadDown": ({"load_source_down": "=1", "load_target_down": "=0"}, {"load_source_down": "=0", "load_target_down": "=0"}, 20),
    "MailtapLoadBehind": ({"load_waiting": "1000+10x120"}, {"load_waiting": "3000-10x120"}, 90),
    "MailtapLoadLost": ({"load_lost_total": RISES}, {"load_lost_total": STAYS}, 30),
    "MailtapLoadRefused": ({"load_refused_total": RISES}, {"load_refused_total": STAYS}, 30),
    "MailtapScripts": ({"script_errors_total": RISES, "script_stops_total": STAYS}, {"script_errors_total": STAYS, "script_stops_total": STAYS}, 40),
}


def fires(alert, rows, minutes, firing, table):
    """A test of promtool's: does this alert fire, of these series?"""
    def values(text):
        return text if " " in text or "x" in text else "%sx%d" % (text[1:], minutes) if text[0] == "=" else "0+%sx%d" % (text, minutes)

    def labels(name):
        return '{%sjob="mailtap",instance="a:9425"}' % ('worker="0",' if table.get(name) else "")
    full = {n if n == "up" else "mailtap_" + n: v for n, v in rows.items()}
    wanted = "count(ALERTS{alertname=\"%s\",alertstate=\"firing\"}) or vector(0)" % alert
    return {"interval": "1m", "input_series": [{"series": n + labels(n), "values": values(v)} for n, v in full.items()],
            "promql_expr_test": [{"expr": wanted, "eval_time": "%dm" % minutes, "exp_samples": [{"labels": "{}", "value": int(firing)}]}]}


def of_alerts(folder, table):
    path = CONTRIB / "prometheus-rules.yml"
    rules = [r for g in yaml.safe_load(path.read_text())["groups"] for r in g["rules"]]
    ok({r["alert"] for r in rules} == set(ALERTS), "each alert is tried here", {r["alert"] for r in rules} ^ set(ALERTS))
    unknown = [(r["alert"], n) for r in rules for n in used(r["expr"]) - set(table) - OF_PROMETHEUS]
    ok(not unknown, "each metric of the alerts is one of mailtap's", *unknown)
    ok(all(r["labels"]["severity"] in ("critical", "warning") and "instance" in r["annotations"]["summary"] for r in rules), "each says how bad it is, and of whom")
    if not shutil.which("promtool"):
        return skip("each alert fires where it shall", "no promtool")
    shutil.copy(path, folder / "rules.yml")
    r = promtool(folder, ("check", "rules"), "rules.yml")
    ok(r.returncode == 0, "Prometheus takes the rules", r.stdout, r.stderr)
    tests = {"rule_files": ["rules.yml"], "evaluation_interval": "1m",
             "tests": [fires(name, rows, minutes, i == 0, table) for name, (bad, good, minutes) in ALERTS.items() for i, rows in enumerate((bad, good))]}
    (folder / "alerts-test.yml").write_text(yaml.safe_dump(tests, width=1000))
    r = promtool(folder, ("test", "rules"), "alerts-test.yml")
    ok(r.returncode == 0, "each of %d alerts fires where it shall, and only there" % len(rules), r.stdout[:200], r.stderr[:3000])
    return None


def numbers(*files):
    """The numbers of the mails in them."""
    found = []
    for path in files:
        for line in (gzip.open(path) if path.suffix == ".gz" else path.open("rb")):
            found.append(int(json.loads(line)["uid"][1:]))
    return found


class Follower:
    """Reads what patterns match as Filebeat and Vector are told to: a file is its inode, and is read on from where it was."""

    def __init__(self, folder, patterns):
        self.folder, self.patterns = folder, patterns
        self.open, self.seen = {}, []

    def look(self):
        for path in self.folder.iterdir():
            if any(fnmatch.fnmatch(path.name, p) for p in self.patterns) and path.stat().st_ino not in self.open:
                self.open[path.stat().st_ino] = path.open("rb")
        for file in self.open.values():
            for line in file:
                record = json.loads(line)
                self.seen += [int(record["uid"][1:])] if "mailfrom" in record else []


def of_logrotate(folder):
    """Debian's, over a log that goes on; who follows the files by their inodes sees each record once."""
    text = (CONTRIB / "logrotate").read_text()
    rotates = shutil.which("logrotate", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    patterns = of_patterns()
    if not rotates:
        return skip("logrotate rotates a log that is written", "no logrotate")
    with tempfile.TemporaryDirectory() as room:
        logs = Path(room)
        logs.chmod(0o750)
        me = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
        (folder / "conf").write_text(text.replace("/var/log/mailtap", str(logs)).replace("su mailtap mailtap", "su %s %s" % me))
        (folder / "conf").chmod(0o644)
        run, follower, sent = Run("json", logs), Follower(logs, patterns), 0
        for day in range(4):
            sent += 50
            run.say("mails", 50, 100)
            run.say("tick", T0 + 10 * day)
            follower.look()
            r = subprocess.run([rotates, "-f", "-s", folder / "state", folder / "conf"], capture_output=True, text=True, timeout=60)
            if r.returncode or "error" in r.stderr:
                ok(False, "logrotate takes it", r.stderr)
            # What comes before mailtap has looked goes to the old file, or to the new one.
            sent += 5
            run.say("mails", 5, 100)
            counts = run.say("tick", T0 + 10 * day + 1)
            follower.look()
        ok(run.close() == "closed" and not run.said(), "mailtap says nothing of it", run.said())
        follower.look()
        there = sorted(p for p in logs.iterdir() if p.name.startswith("smtp.log"))
        ok([p.name for p in there] == ["smtp.log", "smtp.log.1", "smtp.log.2.gz", "smtp.log.3.gz", "smtp.log.4.gz"], "logrotate rotates a log that is written", *there)
        ok(sorted(numbers(*there)) == list(range(sent)) and counts["lost"] == 0, "each record is in one file, once", counts)
        ok(sorted(follower.seen) == list(range(sent)), "who follows the inodes sees each once", len(follower.seen), sent)
    with tempfile.TemporaryDirectory() as room:
        logs = Path(room)
        run, follower = Run("json", logs, rotate_size=4000), Follower(logs, patterns)
        for second in range(20):
            run.say("mails", 10, 100)
            run.say("tick", T0 + second)
            if second % 3 == 0:
                follower.look()
        counts = run.say("tick", T0 + 30)
        follower.look()
        ok(counts["rotations"] > 5 and sorted(follower.seen) == list(range(200)), "so it is when mailtap itself rotates", counts, len(follower.seen))
        run.close()
    return None


def of_patterns():
    """Those of the two readers, which are the same."""
    beat = yaml.safe_load((CONTRIB / "filebeat.yml").read_text())
    vector = tomllib.loads((CONTRIB / "vector.toml").read_text())
    both = beat["filebeat.inputs"][0]["paths"], vector["sources"]["mailtap"]["include"]
    ok(both[0] == both[1] and all(p.startswith("/var/log/mailtap/") for p in both[0]), "both read the same files, where the service writes them", *both)
    names = [p.rsplit("/", 1)[1] for p in both[0]]
    taken = [n for n in ("smtp.log", "smtp_session.log", "smtp-21000101T000000Z.log", "smtp-21000101T000000Z-1.log", "smtp.log.1") if any(fnmatch.fnmatch(n, p) for p in names)]
    left = [n for n in ("smtp.log.2.gz", "smtp-21000101T000000Z.log.gz", "events.log.gz") if any(fnmatch.fnmatch(n, p) for p in names)]
    ok(len(taken) == 5 and not left, "also what was rotated, but nothing compressed", taken, left)
    return names


def field(record, path):
    for part in path.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record


def of_readers():
    """Fields that they name are in each line; what they call one another is there."""
    lines = [json.loads(l) for l in mailtap("read", "-f", "ecs", "-s", "sensor=west", SOURCE / "samples/border.pcap").stdout.splitlines()]
    text = (CONTRIB / "filebeat.yml").read_text()
    beat = yaml.safe_load(text)
    processors = [next(iter(p)) for p in beat["filebeat.inputs"][0]["processors"]]
    ok(processors == ["rename", "fingerprint", "decode_json_fields", "drop_fields"], "Filebeat hashes the line before it is decoded", processors)
    named = {f.split("]")[0] for f in re.findall(r"%\{\[([^}]*)\}", text)} | {"event.dataset"}
    vector = (CONTRIB / "vector.toml").read_text()
    v = tomllib.loads(vector)
    made = set(re.findall(r"^\.(\w+) =", vector, re.M))
    named |= {f for f in re.findall(r"\{\{ ([\w.]+) \}\}", vector) if f not in made} | {"@timestamp", "observer.name"}
    missing = [(n, l.get("event", {}).get("dataset")) for n in named for l in lines if not field(l, n)]
    ok(len(lines) > 20 and not missing, "each line has the fields %s" % " ".join(sorted(named)), *missing[:5])
    known = set(v["sources"]) | set(v["transforms"]) | {t + ".dropped" for t, x in v["transforms"].items() if x.get("reroute_dropped")}
    inputs = [i for x in (*v["transforms"].values(), *v["sinks"].values()) for i in x["inputs"]]
    ok(set(inputs) <= known and {"mailtap_ecs.dropped"} <= set(inputs), "Vector's parts are joined, also for lines that are none", inputs)
    ok(v["sources"]["mailtap"]["max_line_bytes"] >= 6 * 512 * 1024, "Vector's lines may be as long as a record, all of it escaped")
    ok("logs-mailtap.smtp-default" in text and {"logs-%s-default" % l["event"]["dataset"] for l in lines} >= {"logs-mailtap.smtp-default", "logs-mailtap.notice-default"},
       "data streams are those that the text names")
    template = json.loads((CONTRIB / "elasticsearch-template.json").read_text())
    ok(all(any(fnmatch.fnmatch("logs-%s-default" % l["event"]["dataset"], p) for p in template["index_patterns"]) for l in lines), "and the template is for them", template["index_patterns"])


def of_readme():
    text = (CONTRIB / "README.md").read_text()
    rows = set(re.findall(r"^\| `([\w.-]+)` \|", text, re.M))
    there = {p.name for p in CONTRIB.iterdir()} - {"README.md"}
    ok(rows == there, "README.md tells of each file, and of no other", rows ^ there)
    rules = (SOURCE / "dist/meson.build").read_text()
    missing = [n for n in (*there, "README.md") if "'../contrib/%s'" % n not in rules]
    ok(not missing, "make install takes each", *missing)
    dead = [l for l in re.findall(r"\]\((\.\./docs/[\w.-]+)\)", text) if not (CONTRIB / l).exists()]
    ok(not dead, "its links lead somewhere", *dead)


def main():
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        folder.chmod(0o755)
        table = of_metrics(folder)
        of_dashboard(folder, table)
        of_alerts(folder, table)
        of_logrotate(folder)
        of_readers()
        of_readme()
    done()


main()
