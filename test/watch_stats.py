#!/usr/bin/python3
"""What `mailtap watch` says of itself: stats, the closing line, SIGUSR1, a page for Prometheus, notices of what it does not see. usage: watch_stats.py MAILTAP [TEST...]"""
import json
import os
import re
import signal
import socket
import struct
import sys
import threading
import time

from netns import ipv4, sender, tagged
from tap import mailtap, run_tests
from waiting import LONG, until
from watching import Client, Mta, Sink, Source, Watch, need_tools, ok, port_free, two_hosts

try:
    import jsonschema
except ImportError:
    print("1..0 # SKIP python3-jsonschema is not installed")
    sys.exit(0)

need_tools("smtp-source", "smtp-sink")
NEAR, FAR = two_hosts()
SCHEMA = jsonschema.Draft202012Validator(json.loads(mailtap("schema").stdout))
STREAM = next(s for s in json.loads(mailtap("schema").stdout)["oneOf"] if s["properties"]["_path"].get("const") == "stats")
GAUGES = "flows_now", "sessions_now", "outputs_failing", "outputs_down", "outbox_records", "held_bytes"


def invalid(records):
    return [e.message for r in records for e in jsonschema.Draft202012Validator(STREAM).iter_errors(r)]


def numbers(record):
    return {k: v for k, v in record.items() if isinstance(v, int) and k != "ts"}


def falls(records):
    """Counters that went back from one record to the next of the same worker."""
    last, found = {}, []
    for r in records:
        before = last.get(r.get("worker"), {})
        found += [(r.get("worker"), k) for k, v in numbers(r).items() if k not in GAUGES and v < before.get(k, 0)]
        last[r.get("worker")] = numbers(r)
    return found


def records():
    with Sink(FAR), Watch("here", workers=3, settings=["stats_interval=1s", "sensor=west"]) as w:
        Source(NEAR, 500).wait()
        w.wait_records(500)
        ok(w.wait_records(12, "stats") >= 12, "stats come each second", *w.lines)
        w.tell(signal.SIGUSR1)
        ok(w.hear(r"^mailtap: all: \d+ packets") and len(w.said(r"^mailtap: worker [012]: \d+ packets")) == 3, "SIGUSR1 shows them", *w.lines)
        shown = w.said(r"^mailtap: all: ")
        ok(shown and " 500 sessions, 500 mails in " in shown[0], "with what there was", *shown)
        w.end()
    found = w.records("stats")
    ok(not invalid(found), "they are as the schema says", *invalid(found)[:5])
    missing = [name for name in STREAM["properties"] if not any(name in r for r in found)]
    ok(not missing, "every field of the stream occurs", missing)
    ok([r.get("worker") for r in found] == [None, "0", "1", "2"] * (len(found) // 4), "one of all, one of each worker", [r.get("worker") for r in found])
    gaps = [b["ts"] - a["ts"] for a, b in zip(found[::4], found[4::4])]
    ok(all(0.9 < g < 5 for g in gaps[:-1]), "a second apart", gaps)
    ok(not falls(found), "counters only rise", falls(found))
    last, workers = numbers(found[-4]), [numbers(r) for r in found[-3:]]
    unequal = {k: v for k, v in last.items() if any(x.get(k) for x in workers) and v != sum(x[k] for x in workers)}
    ok(not unequal, "all is the sum of the workers", unequal)
    ok(last["mails"] == 500 and last["sessions"] == last["sessions_ended"] == 500 and last["flows"] >= 500, "the last one counts all", last)
    ok(last["flows_now"] == last["sessions_now"] == last["held_bytes"] == 0, "nothing is open at the end", last)
    ok(last["records"] == w.count() + w.count("smtp_session") + len(found) - 4 + w.count("notice") + w.count("software"), "records written before it are counted", last["records"])
    closing = w.closing()
    ok(closing.get("mails") == 500 and closing.get("sessions") == 500 and closing.get("packets") == last["packets"], "the closing line says the same", closing, last)


def fetch(port, request=b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", host="127.0.0.1"):
    """(status line, header, body)."""
    with socket.create_connection((host, port), LONG) as s:
        s.sendall(request)
        answer = b""
        while part := s.recv(1 << 16):
            answer += part
    head, _, body = answer.decode().partition("\r\n\r\n")
    status, _, header = head.partition("\r\n")
    return status, header, body


def parse(page):
    """{(name, labels): value}; what is not of the exposition format is an error."""
    values, types, helped, said = {}, {}, set(), None
    for line in page.split("\n")[:-1]:
        if m := re.fullmatch(r"# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)", line):
            if m[1] in helped or "\\" in m[2]:
                raise ValueError("help twice, or an escape: " + line)
            helped.add(m[1])
            said = m[1]
        elif m := re.fullmatch(r"# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)", line):
            if m[1] in types or m[1] != said:
                raise ValueError("type twice, or not after its help: " + line)
            types[m[1]] = m[2]
        elif m := re.fullmatch(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (\d+(?:\.\d+)?)', line):
            if types.get(m[1]) is None or m[1] != said or (m[1], m[2]) in values:
                raise ValueError("no type, not in its group, or twice: " + line)
            if (types[m[1]] == "counter") != m[1].endswith("_total"):
                raise ValueError("counters, and they alone, end in _total: " + line)
            values[m[1], m[2]] = float(m[3])
        else:
            raise ValueError("no line of the format: %r" % line)
    if set(types) != helped or {n for n, _ in values} != helped:
        raise ValueError("a name without help, type or value")
    if not page.endswith("\n"):
        raise ValueError("the last line has no end")
    return values


def parsed(port):
    status, header, body = fetch(port)
    try:
        return parse(body)
    except ValueError as e:
        ok(False, "the page is of the exposition format", e, status, header, body[:500])
        return {}


def metrics():
    port = port_free()
    with Mta(FAR) as mta, Watch("here", workers=2, args=["--metrics", "127.0.0.1:%d" % port]) as w:
        status, header, body = fetch(port)
        ok(status == "HTTP/1.1 200 OK" and "text/plain; version=0.0.4" in header, "a page comes", status, header)
        ok("Content-Length: %d" % len(body) in header, "with its length", header, len(body))
        first = parsed(port)
        ok(len({n for n, _ in first}) > 40, "each count is there", len(first))
        for i in range(3):
            c = Client(NEAR, mta)
            c.mail("m%d" % i)
            c.quit()
        w.wait_records(3)
        until(lambda: sum(v for (n, _), v in parsed(port).items() if n == "mailtap_mails_total") == 3)
        second = parsed(port)
        mails = {labels: v for (n, labels), v in second.items() if n == "mailtap_mails_total"}
        ok(set(mails) == {'{worker="0"}', '{worker="1"}'} and sum(mails.values()) == 3, "counts rise, of each worker", mails)
        ok(second["mailtap_records_total", None] >= 3, "what is counted once has no worker", second.get(("mailtap_records_total", None)))
        back = [k for k, v in first.items() if k[0].endswith("_total") and second[k] < v]
        ok(not back, "counters only rise", back)
        requests(port)
        strangers(port, w, mta)
        w.end()
    ok(not w.said("metrics"), "none of that is worth a word", *w.lines)


def requests(port):
    cases = [
        (b"GET /metrics HTTP/1.0\r\n\r\n", "200"),
        (b"GET /metrics?x=1 HTTP/1.1\r\nHost: y\r\n\r\n", "200"),
        (b"GET / HTTP/1.1\r\nHost: y\r\n\r\n", "404"),
        (b"GET /metricsx HTTP/1.1\r\nHost: y\r\n\r\n", "404"),
        (b"GET /../../etc/passwd HTTP/1.1\r\n\r\n", "404"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "405"),
        (b"HEAD /metrics HTTP/1.1\r\n\r\n", "405"),
        (b"\r\n\r\n", "405"),
        (b"GET\r\n\r\n", "405"),
        (bytes(range(256)) + b"\r\n\r\n", "405"),
    ]
    for request, code in cases:
        try:
            status = fetch(port, request)[0]
        except OSError as e:
            status = str(e)
        ok(status.startswith("HTTP/1.1 %s " % code), "metrics: %r is answered %s" % (request[:20], code), status)
    for what, request in (("an endless line", b"GET /" + b"x" * 100000), ("an endless header", b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 20000)):
        try:
            answer = fetch(port, request)
        except OSError as e:
            answer = ("", "", str(e))
        ok(not answer[0], "metrics: %s is hung up on" % what, answer)


def strangers(port, w, mta):
    """Those that connect and say nothing, or byte by byte, or do not read."""
    idle = [socket.create_connection(("127.0.0.1", port), LONG) for _ in range(20)]
    ok(parsed(port).get(("mailtap_records_total", None)), "metrics: 20 that say nothing do not keep others off")
    slow = socket.create_connection(("127.0.0.1", port), LONG)
    for byte in b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r":
        slow.sendall(bytes([byte]))
    ok(parsed(port).get(("mailtap_records_total", None)), "metrics: nor does one that is slow")
    slow.sendall(b"\n")
    ok(slow.recv(15) == b"HTTP/1.1 200 OK", "metrics: which is answered in the end")
    deaf = [socket.socket() for _ in range(5)]
    for s in deaf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.connect(("127.0.0.1", port))
        s.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
    ok(parsed(port).get(("mailtap_records_total", None)), "metrics: nor do those that do not read")
    for s in deaf[:3]:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    count = w.count()
    c = Client(NEAR, mta)
    c.mail("meanwhile")
    c.quit()
    ok(w.wait_records(count + 1) == count + 1, "metrics: capture goes on meanwhile", *w.lines)
    usage = cpu(w.sensor())
    time.sleep(1)  # what it uses in a second is what is measured
    usage = cpu(w.sensor()) - usage
    ok(usage < 0.5, "metrics: and they cost no time", usage)
    for s in idle + deaf[3:] + [slow]:
        s.close()


def cpu(pid):
    with open("/proc/%d/stat" % pid) as f:
        part = f.read().rsplit(")", 1)[1].split()
    return (int(part[11]) + int(part[12])) / os.sysconf("SC_CLK_TCK")


def metrics_elsewhere():
    port = port_free()
    with Watch("here", args=["--metrics", "[::1]:%d" % port]):
        ok(fetch(port, host="::1")[0] == "HTTP/1.1 200 OK", "metrics: on IPv6 too")
        r = mailtap("watch", "here", "--metrics", "[::1]:%d" % port)
        ok(r.returncode == 2 and b"Address already in use" in r.stderr, "metrics: where another one is, that is said", r.returncode, r.stderr)


def flood(count):
    """Frames that pass `here`."""
    with sender(FAR, "there") as s:
        frame = tagged(ipv4("10.9.0.2", "10.9.0.1", 17, struct.pack("!HHHH", 1, 7, 1408, 0) + b"x" * 1400))
        for _ in range(count):
            s.send(frame)


def told_lost(watch):
    """Packets that notices say the kernel dropped."""
    return sum(int(re.search(r"dropped by the kernel (\d+)", r["sub"])[1]) for r in watch.records("notice"))


def loss():
    settings = ["capture_buffer=1MiB", "stats_interval=1s", "suppress_for=0s"]
    with Watch("here", settings=settings) as w:
        sensor = w.sensor()
        flood(2000)
        until(lambda: w.records("stats") and w.records("stats")[-1]["packets"] > 1900)
        os.kill(sensor, signal.SIGSTOP)
        try:
            flood(20000)
        finally:
            os.kill(sensor, signal.SIGCONT)
        # What was lost may be told of in two parts.
        until(lambda: told_lost(w) > 10000)
        found = w.records("notice")
        ok(found and {r["note"] for r in found} == {"Capture::Loss"}, "loss raises a notice", *found, *w.lines)
        ok(found and all(re.search(r"\d\.\d % of the packets were dropped here", r["msg"]) for r in found), "which says how much", *found)
        ok(told_lost(w) > 10000 and all(", by the interface 0, between workers 0;" in r["sub"] for r in found), "and where", *found)
        count = len(w.records("stats"))
        w.wait_records(count + 6, "stats")
        ok(w.count("notice") == len(found) < 3, "and it is not raised again where nothing more was lost", *w.records("notice"))
        w.end()
        last = w.records("stats")[-1]
        ok(last["kernel_drops"] > 10000 and w.closing().get("packets dropped by the kernel") == last["kernel_drops"], "it is counted", last, w.closing())
    with Watch("here", settings=[*settings, "loss_threshold=100%"]) as w:
        os.kill(w.sensor(), signal.SIGSTOP)
        flood(20000)
        os.kill(w.sensor(), signal.SIGCONT)
        until(lambda: any(r["kernel_drops"] for r in w.records("stats")))
        w.end()
        ok(not w.count("notice"), "100% is never", *w.records("notice"))


def one_sided():
    settings = ["capture_filter=dst port 25", "stats_interval=1s", "suppress_for=0s"]
    with Mta(FAR) as mta, Watch("here", settings=settings) as w:
        for i in range(12):
            c = Client(NEAR, mta)
            c.mail("m%d" % i)
            c.quit()
        found = w.find("notice", note="Capture::One_Sided")
        ok(found and re.search(r"only one direction was seen of \d+ of \d+ SMTP connections", found["msg"]), "one direction alone raises a notice", found, *w.lines,
           *w.records("stats")[-2:])
        w.end()
        ok(w.closing().get("sessions seen from one side only") == 12, "each session is counted", w.closing())
    with Mta(FAR) as mta, Watch("here", settings=settings[1:]) as w:
        for i in range(12):
            c = Client(NEAR, mta)
            c.mail("m%d" % i)
            c.quit()
        w.wait_records(12, "smtp_session")
        w.wait_records(len(w.records("stats")) + 4, "stats")
        w.end()
        ok(not w.count("notice"), "both do not", *w.records("notice"))


def to_standard_output():
    """Records of all streams, in order."""
    reader, writer = os.pipe()
    lines = []

    def read():
        with os.fdopen(reader) as f:
            lines.extend(f)
    thread = threading.Thread(target=read)
    thread.start()
    with Mta(FAR) as mta, Watch("here", settings=["stats_interval=1s"], stdout=writer) as w:
        os.close(writer)
        c = Client(NEAR, mta)
        c.mail("m")
        c.quit()
        until(lambda: any('"smtp_session"' in line for line in list(lines)))
        w.end()
    thread.join(LONG)
    found = [json.loads(line) for line in lines]
    ok({r["_path"] for r in found} == {"smtp", "smtp_session", "stats"}, "all streams come to standard output", *lines)
    bad = [r for r in found if not SCHEMA.is_valid(r)]
    ok(not bad, "all as the schema says", *bad)


run_tests([records, metrics, metrics_elsewhere, loss, one_sided, to_standard_output])
