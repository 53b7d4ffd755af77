"""Two sensors in one store, one of which sees what the other sees too: what belongs to whose records, sums by sensor, and the health of each."""
import sqlite3
import tempfile
from pathlib import Path

import apitruth
import packets
from apiserver import Server
from packets import CLIENT, SERVER
from tap import done, mailtap, ok

LISTED = b"554 5.7.1 Service unavailable; Client host [198.51.100.1] blocked using zen.spamhaus.org\r\n"
MICRO = apitruth.MICRO


def mail(number, reply):
    steps = [(SERVER, b"220 mx.example ESMTP\r\n"), (CLIENT, b"EHLO c.example\r\n"), (SERVER, b"250 mx.example\r\n")]
    for n in range(2):
        steps += [(CLIENT, b"MAIL FROM:<a@x.example>\r\n"), (SERVER, b"250 2.1.0 Ok\r\n"), (CLIENT, b"RCPT TO:<b@y.example>\r\n"), (SERVER, b"250 2.1.5 Ok\r\n"), (CLIENT, b"DATA\r\n"), (SERVER, b"354 go\r\n"),
                  (CLIENT, b"Subject: mail %d of %d\r\n\r\ntext\r\n.\r\n" % (n, number)), (SERVER, reply)]
    return packets.connection(number, steps + [(CLIENT, b"QUIT\r\n"), (SERVER, b"221 bye\r\n")])


def add_stats(store, at, sensor, **counts):
    """A record of stream stats, as watch writes them."""
    day = next(iter(sorted(store.glob("*.sqlite"))))
    db = sqlite3.connect(day)
    names = ["id", "ts", "sensor", *counts]
    db.execute("INSERT INTO stats(%s) VALUES(%s)" % (",".join(names), ",".join("?" * len(names))), [int(at * MICRO) + (ord(sensor[0]) if sensor else 0), int(at * MICRO), sensor, *counts.values()])
    db.commit()
    db.close()


def belongs(server):
    """A mail that both saw: each of its records has what its own sensor saw."""
    mails = server.get("/mails", fields="all", limit=100)["mails"]
    shared = [m for m in mails if sum(m["uid"] == o["uid"] for o in mails) == 4]
    ok(len(mails) == 14 and len(shared) == 8 and {m["sensor"] for m in shared} == {"here", "There"}, "both sensors' records of the same mails are there", len(mails), len(shared))
    bad = []
    for m in shared:
        one = server.get("/mails/" + m["id"])
        twin = [o["id"] for o in mails if o["uid"] == m["uid"] and o["sensor"] == m["sensor"] and o["id"] != m["id"]]
        bad += [m] if one["session"]["sensor"] != m["sensor"] or [n["id"] for n in one["neighbours"] if n["relation"] == "session"] != twin or {n.get("sensor") for n in one["notices"]} != {m["sensor"]} else []
        session = server.get("/sessions/" + m["uid"], sensor=m["sensor"])
        bad += [session] if session["session"]["sensor"] != m["sensor"] or len(session["mails"]) != 2 else []
    ok(not bad, "a mail's session, neighbours and notices are of its sensor", *bad[:2])
    ok(len(server.get("/sessions/" + shared[0]["uid"])["mails"]) == 4, "a connection that is asked for without one has all mails")
    notices = server.get("/notices", limit=100)["notices"]
    of = {n["id"]: server.get("/notices/" + n["id"]) for n in notices}
    sensor_of = {m["id"]: m["sensor"] for m in mails}
    ok(notices and all(sensor_of[n["mail"]] == n["record"]["sensor"] for n in of.values()), "a notice's mail is of its sensor", len(notices))


def counts(server):
    top = server.get("/top", by="sensor", since=packets.START - 60, until=packets.START + 600)
    ok({r["key"]: r["mails"] for r in top["rows"]} == {"here": 10, "there": 4}, "/top by sensor", top["rows"])
    facets = server.get("/facets", fields="sensor")["facets"][0]["values"]
    ok([(v["value"], v["count"]) for v in facets] == [("here", 10), ("There", 4)], "/facets of sensor", facets)
    for q, n in (("sensor:here", 10), ("sensor:there", 4), ("-sensor:there", 10), ("sensor:th*", 4), ("has:sensor", 14), ("sensor:her", 0)):
        ok(server.get("/count", q=q)["count"] == n, "/count of %s" % q, server.get("/count", q=q))
    ok(len(server.get("/notices", q="sensor:There", limit=100)["notices"]) == 4, "notices of a sensor")


def health(server, store):
    """Their counters have nothing to do with each other."""
    begin = packets.START // 60 * 60
    for minute in range(5):
        add_stats(store, begin + 60 * minute, "here", packets=100000 + 100 * minute, kernel_drops=7, sessions=minute, sessions_ended=minute, one_sided=0)
    for minute in range(3):
        add_stats(store, begin + 60 * minute, "There", packets=(10, 60, 20)[minute], kernel_drops=(0, 50, 1)[minute])
    span = {"since": begin, "until": begin + 300}
    h = server.get("/health", **span)
    ok(h["series"]["packets"] == [0, 150, 120, 100, 100] and sum(h["series"]["kernel_drops"]) == 51, "/health: rises are each sensor's own", h["series"])
    found = {s["sensor"]: s for s in h["sensors"]}
    ok(list(found) == ["There", "here"] and h["sensors_over"] == 0, "/health: its sensors", found)
    here, there = found["here"], found["There"]
    ok(here["sums"]["packets"] == 400 and here["loss"] == 0 and here["last"] - begin - 240 < 1 and here["every"] == 60 and here["one_sided"] == 0, "/health: one that fares well", here)
    ok(there["sums"]["packets"] == 70 and abs(there["loss"] - 51 / 121) < 1e-6 and there["last"] - begin - 120 < 1 and there["one_sided"] is None, "/health: one that lost packets, began anew, and fell silent", there)
    ok(h["last"]["sensor"] == "here", "/health: the last record", h["last"])
    one = server.get("/health", sensor="there", **span)
    ok(one["series"]["packets"] == [0, 50, 20, 0, 0] and one["last"]["sensor"] == "There" and one["loss"] == there["loss"] and one["sensors"] == h["sensors"], "/health of one sensor", one)
    rows = server.ask("/health", sensor="here", format="csv", **span).rows()
    ok([int(r["packets"]) for r in rows] == [0, 100, 100, 100, 100], "/health of one sensor as CSV", rows)
    none = server.get("/health", sensor="", **span)
    ok(sum(none["series"]["packets"]) == 0 and none["last"] is None, "/health of one without a name, where there is none", none["last"])
    later = server.get("/health", since=begin + 20 * 3600, until=begin + 20 * 3600 + 300)
    ok([(s["sensor"], s["sums"]["packets"], round(s["last"] - begin)) for s in later["sensors"]] == [("There", 0, 120), ("here", 0, 240)], "/health: those that fell silent are known for a day", later["sensors"])


def main():
    with tempfile.TemporaryDirectory(prefix="mailtap-sensors-") as name:
        folder = Path(name)
        store = folder / "store"
        both = packets.capture(folder / "both.pcap", [mail(i, LISTED) for i in range(2)])
        one = packets.capture(folder / "one.pcap", [mail(i, b"250 2.0.0 queued\r\n") for i in range(10, 13)])
        for sensor, files in (("here", [both, one]), ("There", [both])):
            r = mailtap("read", *files, "-s", "sensor=" + sensor, "-o", "sqlite:%s" % store)
            ok(r.returncode == 0, "sensor %s fills the store" % sensor, r.stderr)
        server = Server(store)
        belongs(server)
        counts(server)
        health(server, store)
        server.close()
    done()


if __name__ == "__main__":
    main()
