"""Mails into a stream of NATS, over a cluster of three whose leaders are killed, and with the sensor killed too. The second argument makes captures.
MAILTAP_BUS_MAILS: how many mails (20000; 200000 is the count that docs/bus.md speaks of)."""
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import natsbus
from tap import MAILTAP, done, ok
from waiting import until

MAILS = int(os.environ.get("MAILTAP_BUS_MAILS", "20000"))
if not natsbus.SERVER:
    print("1..0 # SKIP no nats-server is installed")
    sys.exit(0)


def start(folder, url, source, *settings, stdin=None):
    """mailtap read in the background; its words go to a file."""
    words = (folder / "words").open("ab")
    more = [a for s in ("outbox_directory=%s" % (folder / "outbox"), "sensor=west.1", *settings) for a in ("-s", s)]
    p = subprocess.Popen([MAILTAP, "read", *more, "-o", url, str(source)], stdin=stdin, stdout=subprocess.PIPE, stderr=words)
    words.close()
    return p


def waiting_in(folder):
    return sorted(folder.glob("outbox/*/*.ndjson"))


def feed(process, path, start_at, end):
    """Bytes of the capture into its standard input; whether it took them."""
    try:
        with path.open("rb") as f:
            f.seek(start_at)
            left = end - start_at
            while left:
                piece = f.read(min(1 << 16, left))
                process.stdin.write(piece)
                left -= len(piece)
        process.stdin.flush()
        return True
    except BrokenPipeError:
        return False


def last_seq(servers):
    return servers.ask(lambda c: (c.stream("MAILS") or {}).get("state", {}).get("last_seq", 0)) or 0


def lose_leader(servers, note):
    """Kills whoever leads the stream; its number."""
    leader = until(lambda: servers.leader("MAILS"), 20)
    if not ok(leader is not None, "%s: the stream has a leader" % note):
        return None
    servers.kill(leader)
    return leader


def later(seconds, what, *args):
    t = threading.Timer(seconds, what, args)
    t.start()
    return t


def keys_of(servers):
    """How often each mail is in the stream; the ids of all messages; records without the sensor's name."""
    keys, ids, strange = {}, [], 0

    def collect(client):
        nonlocal strange
        keys.clear()
        ids.clear()
        for name, data in client.messages("MAILS"):
            ids.append(name)
            for line in data.splitlines():
                strange += b'"sensor":"west.1"' not in line
                if line.startswith(b'{"_path":"smtp",'):
                    r = json.loads(line)
                    key = (r["uid"], r["trans_depth"], r["ts"], r["mailfrom"])
                    keys[key] = keys.get(key, 0) + 1
        return True
    # A server that has just joined may not have caught up with the leader yet.
    ok(until(lambda: servers.ask(collect), 30), "all messages of the stream can be read")
    return keys, ids, strange


def cluster(folder, capture):
    servers = natsbus.Servers(folder, 3)
    began = time.monotonic()
    servers.start_all()
    try:
        if not ok(servers.wait_ready(), "three servers are one cluster"):
            return
        url, size = servers.url("MAILS"), capture.stat().st_size
        batches = "batch_bytes=%d" % (131072 if MAILS > 50000 else 32768)
        first = start(folder, url, "-", batches, "carry_wait=60s", stdin=subprocess.PIPE)
        ok(feed(first, capture, 0, size // 4), "the first quarter is read")
        ok(until(lambda: last_seq(servers) > 5, 30), "batches arrive")
        before = last_seq(servers)
        one = lose_leader(servers, "first")
        ok(feed(first, capture, size // 4, size * 5 // 8), "it reads on while the stream's leader is gone")
        timer = later(3, servers.start, one)
        ok(until(lambda: servers.leader("MAILS") not in (None, one) and last_seq(servers) > before, 30), "another leader takes batches")
        began_again = last_seq(servers) + len(waiting_in(folder))
        first.kill()
        first.wait()
        ok(first.returncode == -9, "the sensor is killed in the midst")
        second = start(folder, url, capture, batches, "carry_wait=60s")
        timer.join()
        # Five eighths of the mails were in the first run too; of the others one in the midst of which a leader dies.
        ok(until(lambda: last_seq(servers) > began_again * 1.75 or second.poll() is not None, 60) and second.poll() is None, "a new one carries on")
        two = lose_leader(servers, "second")
        timer = later(3, servers.start, two)
        code = until(lambda: second.poll() is not None, 90) and second.returncode
        timer.join()
        words = (folder / "words").read_text()
        ok(code == 0, "the second run ends well", code, words)
        ok(not waiting_in(folder), "nothing waits in the outbox", waiting_in(folder)[:5])
        ok(until(lambda: servers.leader("MAILS") is not None, 20), "the stream has a leader at the end")
        keys, ids, strange = keys_of(servers)
        print("# %d mails, %d of them twice or more, %d messages, %.1f s" % (len(keys), sum(n > 1 for n in keys.values()), len(ids), time.monotonic() - began))
        ok(len(keys) == MAILS, "each of %d mails is in the stream at least once, and once by its key" % MAILS, len(keys), words)
        ok(len({k[3] for k in keys}) == MAILS, "and no two of them are one")
        ok(all(ids) and len(set(ids)) == len(ids), "each message has an id of its own")
        ok(strange == 0, "each record says which sensor it is of", strange)
        info = servers.ask(lambda c: c.stream("MAILS"))
        ok(info["config"]["num_replicas"] == 3 and info["config"]["subjects"] == ["MAILS.>"], "the stream was made with three replicas", info["config"])
        ok(info["state"].get("num_subjects", 1) == 1 and "west_1" in str(servers.ask(lambda c: c.request("$JS.API.STREAM.INFO.MAILS", b'{"subjects_filter": ">"}'))),
           "its one subject names the sensor")
        ok("takes records again" in words, "that it could not be reached, and can again, was said", words)
    finally:
        servers.stop()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        capture = folder / "mails.pcap"
        subprocess.run([sys.argv[2], capture, "small", str(MAILS)], check=True)
        cluster(folder, capture)
    done()


main()
