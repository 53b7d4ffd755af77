"""Records into a topic of Kafka, over the mock cluster of librdkafka. usage: kafka.py MAILTAP KAFKA-MOCK MAKE-CAPTURES"""
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kafkas import Cluster
from tap import MAILTAP, done, ok
from waiting import until

TOO_LARGE, STORAGE, NOT_ENOUGH_REPLICAS = 10, 56, 19
MAILS = 1000


def start(folder, url, source, *settings, stdin=None):
    given = ("outbox_directory=%s" % (folder / "outbox"), "country_databases=none", "carry_timeout=2s", *settings)
    words = (folder / "words").open("ab")
    p = subprocess.Popen([MAILTAP, "read", *[a for s in given for a in ("-s", s)], "-o", url, str(source)], stdin=stdin, stdout=subprocess.DEVNULL, stderr=words)
    words.close()
    return p


def read(folder, *args):
    """(exit code, words)"""
    (folder / "words").unlink(missing_ok=True)
    p = start(folder, *args)
    p.wait(90)
    words = (folder / "words").read_text()
    if re.search("Sanitizer|runtime error", words) or p.returncode < 0:
        ok(False, "read ends without a crash", p.returncode, words[-3000:])
    return p.returncode, words


def waiting(folder):
    return [p for p in folder.glob("outbox/*/*.ndjson") if p.name != "refused.ndjson"]


def keys(messages):
    return [(r["uid"], r["trans_depth"], r["ts"], r["mailfrom"]) for _, r in messages if r["_path"] == "smtp"]


def arrives(folder, capture):
    with Cluster(sys.argv[2]) as cluster:
        code, words = read(folder, cluster.url, capture)
        found = cluster.messages()
        ok(code == 0 and not waiting(folder), "all is carried", code, words)
        ok(len(found) == 2 * MAILS and len(set(keys(found))) == len(keys(found)) == MAILS, "each record is a message, once", len(found))
        ok(all(key == r["uid"] for key, r in found), "whose key is its uid")
        ok("%d records carried" % (2 * MAILS) in words, "counted", words)
    uids = {r["uid"] for _, r in found}
    for form in ("ecs", "ocsf", "eve", "zeek-json"):
        with Cluster(sys.argv[2]) as cluster:
            code, words = read(folder, cluster.url, capture, "carry_format=%s" % form)
            found = cluster.messages()
            ok(code == 0 and len(found) == (MAILS if form == "zeek-json" else 2 * MAILS) and {key for key, _ in found} == uids, "in the shape %s too" % form, code, words, len(found), *found[:1])


def broker_down(folder, capture):
    with Cluster(sys.argv[2]) as cluster:
        size = capture.stat().st_size
        whole = capture.read_bytes()
        p = start(folder, cluster.url, "-", "batch_bytes=16KiB", "carry_wait=60s", stdin=subprocess.PIPE)
        p.stdin.write(whole[:size // 2])
        p.stdin.flush()
        ok(until(lambda: len(cluster.messages()) > 100, 30), "messages come")
        for n in (1, 2, 3):
            cluster.tell("down %d" % n)
        p.stdin.write(whole[size // 2:])
        p.stdin.close()
        ok(until(lambda: "records wait in" in (folder / "words").read_text(), 30), "all brokers are gone: that is said")
        ok(waiting(folder), "and records wait")
        for n in (1, 2, 3):
            cluster.tell("up %d" % n)
        p.wait(90)
        words = (folder / "words").read_text()
        found = cluster.messages()
        ok(p.returncode == 0 and not waiting(folder), "with the brokers back all is carried", p.returncode, words)
        ok(len(set(keys(found))) == MAILS, "each mail at least once", len(set(keys(found))), words)
        print("# %d messages for %d records" % (len(found), 2 * MAILS))


def errors(folder, capture):
    with Cluster(sys.argv[2]) as cluster:
        cluster.tell("error %d 3" % NOT_ENOUGH_REPLICAS)
        code, words = read(folder, cluster.url, capture, "carry_wait=60s")
        found = cluster.messages()
        ok(code == 0 and len(set(keys(found))) == MAILS, "too few replicas for a while: it is tried again", code, len(found), words)
    with Cluster(sys.argv[2]) as cluster:
        cluster.tell("error %d 1" % TOO_LARGE)
        code, words = read(folder, cluster.url, capture, "batch_bytes=16KiB")
        ok(code == 0 and len(set(keys(cluster.messages()))) == MAILS and not waiting(folder), "a refusal of messages together: the halves go", code, words)
    with tempfile.TemporaryDirectory() as name:
        other = Path(name)
        code, words = read(other, "kafka://127.0.0.1:9/mail", capture, "carry_wait=3s")
        ok(code == 1 and re.search(r"not acknowledged: .*refused", words), "nobody there: said, with why", code, words)
        box = next((other / "outbox").glob("*"))
        for old in waiting(other):
            old.unlink()
        giant = {"_path": "smtp", "uid": "Cx", "mailfrom": "giant@example.net", "subject": "x" * 1100000}
        small = {"_path": "smtp", "uid": "Cy", "mailfrom": "small@example.net", "trans_depth": 1, "ts": 1.5}
        (box / ("%016x-00000007-3.ndjson" % 7)).write_text("".join(json.dumps(r, separators=(",", ":")) + "\n" for r in (small, giant, dict(small, ts=2.5))))
        with Cluster(sys.argv[2]) as cluster:
            box.rename(other / "outbox" / re.sub(r"[^A-Za-z0-9.]+", "-", cluster.url))
            code, words = read(other, cluster.url, capture, "carry_wait=30s")
            found = cluster.messages()
            ok([r["ts"] for k, r in found if r.get("mailfrom") == "small@example.net"] == [1.5, 2.5], "a record too large for Kafka holds up no other, nor doubles it", code, words)
            aside = list(other.glob("outbox/*/refused.ndjson"))
            lines = [json.loads(line) for line in aside[0].read_text().splitlines()] if aside else []
            ok(len(lines) == 1 and lines[0]["record"]["mailfrom"] == "giant@example.net" and "1000000" in lines[0]["error"], "it is put aside", len(lines))


def usage(folder, capture):
    for settings, text in ((("carry_user=tap",), "carry_password_file"), (("carry_password_file=/etc/hostname",), "carry_user")):
        code, words = read(folder, "kafka://127.0.0.1/mail", capture, *settings)
        ok(code == 2 and text in words, "half a log-in is refused", code, words)
    secret = folder / "secret"
    secret.write_text("tr0ub4dor-secret\n")
    code, words = read(folder, "kafka://127.0.0.1:9/mail", capture, "carry_wait=1s", "carry_user=tap", "carry_password_file=%s" % secret)
    ok(code == 1 and "tr0ub4dor" not in words, "a password is in no text", code, words)
    code, words = read(folder, "kafka+tls://127.0.0.1:9/mail", capture, "carry_wait=1s", "carry_ca_file=/nonexistent")
    ok(code == 1 and "ssl.ca.location" in words, "a file of certificates that is not there is said", code, words)


def main():
    with tempfile.TemporaryDirectory() as name:
        capture = Path(name) / "mails.pcap"
        subprocess.run([sys.argv[3], capture, "small", str(MAILS)], check=True)
        for test in (arrives, broker_down, errors, usage):
            began = time.monotonic()
            folder = Path(name) / test.__name__
            folder.mkdir()
            test(folder, capture)
            print("# %s: %.1f s" % (test.__name__, time.monotonic() - began), flush=True)
    done()


main()
