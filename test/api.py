"""The API of mailtap web, over a store of real captures: every answer is as openapi.json says, and every number as a second computation over the records gives it."""
import json
import tempfile
import urllib.parse
from collections import Counter
from pathlib import Path

import apitruth
from apiserver import Server
from tap import SHARED, SOURCE, done, mailtap, ok, skip

STREAMS = ("smtp", "smtp_session", "notice", "software", "stats")
MICRO = apitruth.MICRO


def captures():
    found = sorted(p for p in SHARED.glob("captures/**/*.pcap*") if p.is_file())
    return found + sorted((SOURCE / "samples").glob("*.pcap*"))


class Truth:
    """All that is in the store, by what the export tells: ids and records, newest first."""

    def __init__(self, server, micros=lambda i: i):
        self.records, self.micros = {}, micros
        for stream in STREAMS:
            lines = server.ask("/export", stream=stream, format="ndjson").lines()
            self.records[stream] = [(int(r.pop("id")), r) for r in lines]
        self.mails = self.records["smtp"]
        times = [micros(i) for i, _ in self.mails]
        self.since, self.until = min(times) // MICRO, max(times) // MICRO + 1

    def mails_in(self, since, until):
        return [r for i, r in self.mails if since * MICRO <= self.micros(i) < until * MICRO]


def same(name, got, want):
    """Two values that print the same way; the first differences are told."""
    if got == want:
        return ok(True, name)
    details = [got, want]
    if isinstance(got, dict) and isinstance(want, dict):
        details = ["%s: got %s, want %s" % (k, got.get(k), want.get(k)) for k in sorted(set(got) | set(want), key=str) if got.get(k) != want.get(k)][:10]
    elif isinstance(got, list) and isinstance(want, list):
        details = ["%d: got %s, want %s" % (n, g, w) for n, (g, w) in enumerate(zip(got, want)) if g != w][:5] + ["%d and %d" % (len(got), len(want))]
    return ok(False, name, *[str(d)[:1500] for d in details])


def export(server, truth, lines):
    """The export has every line that read prints, once."""
    found = Counter(json.dumps(r, sort_keys=True) for stream in STREAMS for _, r in truth.records[stream])
    printed = Counter(json.dumps(json.loads(line), sort_keys=True) for line in lines)
    lacking = [k for k in printed if k not in found]
    ok(not lacking and sum(found.values()) <= sum(printed.values()) and set(found) == set(printed), "the export has all %d lines of read" % len(printed),
       *[k[:300] for k in lacking[:3]], len(found))
    for stream in STREAMS:
        ids = [i for i, _ in truth.records[stream]]
        ok(ids == sorted(ids, reverse=True) and len(ids) == len(set(ids)), "stream %s: newest first, each id once" % stream)
    a = server.ask("/export", format="csv", fields="ts,mailfrom,subject,rcptto")
    rows = a.rows()
    ok(a.status == 200 and len(rows) == len(truth.mails), "the export as CSV has a row for each mail", a.status, len(rows))
    whole = server.get("/export", stream="notice", format="json")
    same("the export as JSON", [int(r["id"]) for r in whole["records"]], [i for i, _ in truth.records["notice"]])
    part = server.ask("/export", q="is:rejected", format="ndjson").lines()
    same("the export of a query", [int(r["id"]) for r in part], [i for i, r in truth.mails if r["disposition"] == "rejected"])


def cell(value):
    """As a cell of CSV shows it."""
    if isinstance(value, str):
        return "'" + value if value[:1] in tuple("=+-@\t\r") and value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def same_cell(text, value):
    if value is None:
        return text == ""
    if isinstance(value, (dict, list)):
        return json.loads(text) == value
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        return float(text) == value
    return text == cell(value)


def lists(server, truth):
    """Paging to the end; the three formats say the same."""
    ids, before = [], None
    while True:
        page = server.get("/mails", limit=37, before=before)
        ids += [int(m["id"]) for m in page["mails"]]
        before = page["next"]
        if not before or len(ids) > 2 * len(truth.mails):
            break
    same("pages of mails have each once", ids, [i for i, _ in truth.mails])
    whole = server.get("/mails", limit=1000, fields="all")["mails"]
    same("fields=all has whole records", [(int(m.pop("id")), m) for m in whole], [(i, {k: v for k, v in r.items() if k != "_path"}) for i, r in truth.mails[:1000]])
    for path, member, params in (("/mails", "mails", {"limit": 1000}), ("/notices", "notices", {"limit": 1000}), ("/top", "rows", {"by": "sender", "limit": 1000, "since": truth.since}),
                                 ("/map", "countries", {"since": truth.since}), ("/paths", "edges", {"since": truth.since}), ("/notices/kinds", "kinds", {})):
        rows = server.get(path, **params)[member]
        lines = server.ask(path, format="ndjson", **params).lines()
        same("%s as NDJSON says the same" % path, lines, rows)
        a = server.ask(path, format="csv", **params)
        cells = a.rows()
        bad = [(c, r) for c, r in zip(cells, rows) for k in c if not (path == "/paths" and k == "delay" and r[k] is None) and not same_cell(c[k], r.get(k))]
        ok(len(cells) == len(rows) and not bad and a.headers["Content-Type"].startswith("text/csv"), "%s as CSV says the same" % path, len(cells), len(rows), *bad[:2])
        ok(b"\r\n" in a.body and not any(line[:1] in (b"=", b"@") for line in a.body.split(b"\r\n")), "%s: no cell is a formula" % path)
    guarded = [m for _, m in truth.mails if m.get("subject", " ")[:1] in tuple("=+-@\t\r")]
    rows = server.ask("/export", format="csv", fields="subject").rows()
    starts = [r["subject"] for r in rows if r["subject"][:1] in tuple("=+-@\t\r") and r["subject"]]
    ok(not starts and sum(r["subject"].startswith("'") for r in rows) >= len(guarded), "%d subjects that look like formulas are guarded" % len(guarded), *starts[:3])


def timeline(server, truth):
    for step in (60, 3600, 86400):
        span = {"since": truth.since, "until": truth.until}
        if (truth.until - truth.since) / step > 4000:
            span = {"since": truth.until - 400 * step, "until": truth.until}
        t = server.get("/timeline", step=step, **span)
        want = {k: Counter() for k in ("mails", "accepted", "rejected", "deferred", "tls", "bytes", "sessions", "notices")}
        low, high = t["since"] * MICRO, t["until"] * MICRO
        for i, r in truth.mails:
            if not low <= truth.micros(i) < high:
                continue
            at = truth.micros(i) // MICRO // step * step
            want["mails"][at] += 1
            if r["disposition"] in want:
                want[r["disposition"]][at] += 1
            want["tls"][at] += r["tls"]
            want["bytes"][at] += r.get("message_bytes", 0)
        for stream, name in (("smtp_session", "sessions"), ("notice", "notices")):
            for i, _ in truth.records[stream]:
                if low <= truth.micros(i) < high:
                    want[name][truth.micros(i) // MICRO // step * step] += 1
        got = {k: Counter({at: n for at, n in zip(t["times"], v) if n}) for k, v in t["series"].items()}
        same("the timeline by %d s" % step, got, {k: +v for k, v in want.items()})
        ok(t["times"] == list(range(t["since"], t["until"], step)) and all(len(v) == len(t["times"]) for v in t["series"].values()), "its times are equally spaced")
        q = server.get("/timeline", step=step, q="is:rejected", **span)
        same("a query's timeline", q["series"]["rejected"], t["series"]["rejected"])
        same("a query's timeline has four series", sorted(q["series"]), ["accepted", "deferred", "mails", "rejected"])
    t = server.get("/timeline", since=truth.since, until=truth.until)
    ok(len(t["times"]) <= 502, "a step is chosen", t["step"], len(t["times"]))


def top(server, truth):
    span = {"since": truth.since, "until": truth.until}
    for by in ("client", "server", "sender", "recipient", "country", "asn", "agent", "reason", "sensor"):
        got = server.get("/top", by=by, limit=1000, **span)
        want = apitruth.top(by, [r for _, r in truth.mails])
        same("/top by %s" % by, {r.pop("key"): r for r in got["rows"]}, want)
        few = server.get("/top", by=by, limit=3, **span)
        same("/top by %s: the others" % by, apitruth.total([*(({k: v for k, v in r.items() if k != "key"}) for r in few["rows"]), few["others"]]), few["total"])
        same("/top by %s: the total" % by, few["total"], apitruth.total(want.values()))
    for by, field in (("note", "note"), ("list", "list")):
        got = server.get("/top", by=by, limit=1000, **span)
        same("/top by %s" % by, Counter({r["key"]: r["mails"] for r in got["rows"]}), Counter(r[field].lower() for _, r in truth.records["notice"] if r.get(field)))
    got = server.get("/top", by="tls_version", limit=100, **span)
    same("/top by tls_version has all sessions", got["total"]["mails"], len(truth.records["smtp_session"]))
    rejected = [r["rejected"] for r in server.get("/top", by="client", order="rejected", limit=20, **span)["rows"]]
    ok(rejected == sorted(rejected, reverse=True) and rejected[0] > 0, "/top in the order of what was rejected", rejected)
    half = (truth.since + truth.until) // 2
    part = server.get("/top", by="client", limit=1000, since=half, until=truth.until)
    ok(part["since"] <= half < part["since"] + 3600 and part["since"] % 3600 == 0, "/top says which hours it counts", part["since"], half)
    same("/top of some hours", {r.pop("key"): r for r in part["rows"]}, apitruth.top("client", truth.mails_in(part["since"], part["until"])))


def around(server, truth):
    """The map, the paths, hosts."""
    span = {"since": truth.since, "until": truth.until}
    mails = [r for _, r in truth.mails]
    m = server.get("/map", **span)
    want = apitruth.top("country", mails)
    same("the map", {c.pop("country"): c for c in m["countries"]}, want)
    same("the map: unknown", apitruth.total([*want.values(), m["unknown"]]), apitruth.total(apitruth.top("client", mails).values()))
    p = server.get("/paths", limit=1000, **span)
    want = apitruth.paths(mails)
    edges = {(e["from"], e["to"]): e["mails"] for e in p["edges"]}
    best = sorted((n for n, _ in want.values()), reverse=True)[:1000]
    same("the paths: the edges with the most mails", sorted(edges.values(), reverse=True), best)
    same("the paths: each edge", edges, {k: want.get(k, [None])[0] for k in edges})
    delays = {(e["from"], e["to"]): e["delay"] for e in p["edges"]}
    ok(all((d is None) == (not want[k][1]) and (d is None or abs(d - sum(want[k][1]) / len(want[k][1])) < 1e-3) for k, d in delays.items()), "the paths: mean delays")
    ok({n["id"] for n in p["nodes"]} == {x for e in edges for x in e}, "the paths: nodes are those of the edges")
    node = p["nodes"][0]
    ours = server.get("/paths", host=node["id"], **span)["edges"]
    ok(ours and all(node["id"] in (e["from"], e["to"]) for e in ours), "the paths of one host", ours[:3])
    for kind, out, come in (("address", "client", "server"), ("domain", "sender", "recipient")):
        sent, came = apitruth.top(out, mails), apitruth.top(come, mails)
        names = [k for k, _ in sorted(sent.items(), key=lambda s: -s[1]["mails"])[:4]] + [k for k, _ in sorted(came.items(), key=lambda s: -s[1]["mails"])[:4]]
        for name in names:
            if "@" in name or "." not in name and ":" not in name:
                continue
            h = server.get("/hosts/" + urllib.parse.quote(name, safe=""), **span)
            zero = apitruth.sums()
            same("host %s: what it sent" % name, h["out"], sent.get(name, zero))
            same("host %s: what came" % name, h["in"], came.get(name, zero))
            ok(h["kind"] == kind and sum(h["timeline"]["series"]["out"]) == h["out"]["mails"] and sum(h["timeline"]["series"]["in"]) == h["in"]["mails"], "host %s: its timeline" % name)
            if kind != "address":
                continue
            times = [truth.micros(i) for i, r in truth.mails if name in (r["id.orig_h"], r["id.resp_h"])]
            same("host %s: when it was seen" % name, [h["first_seen"], h["last_seen"]], [min(times) / MICRO, max(times) / MICRO])
            servers = Counter(r["id.resp_h"] for r in mails if r["id.orig_h"] == name)
            same("host %s: to whom it sent" % name, Counter({p["key"]: p["mails"] for p in h["peers"] if p["direction"] == "out"}), Counter(dict(servers.most_common(20))))
            speak = [i for i, r in truth.records["notice"] if name in (r.get("host"), r.get("src"))]
            ok(set(speak[:50]) <= {int(n["id"]) for n in h["notices"]} or len(h["notices"]) == 50, "host %s: notices" % name, len(speak), len(h["notices"]))
    h = server.get("/hosts/203.0.113.250", **span)
    ok(h["out"]["mails"] == 0 and h["first_seen"] is None, "a host that nobody knows is answered")


def counts(server, truth):
    for q, want in (("is:rejected", lambda r: r["disposition"] == "rejected"), ("tls:yes", lambda r: r["tls"]), ("size:>10000", lambda r: r.get("message_bytes", 0) > 10000),
                    ("code:>=500 -is:deferred", lambda r: r.get("reply", {}).get("code", 0) >= 500 and r["disposition"] != "deferred"), ("sensor:here-1 -is:accepted", lambda r: r["sensor"] == "Here-1" and r["disposition"] != "accepted"), ("has:file", lambda r: r.get("files") or any(m.get("name") for p in r.get("parts", []) for m in p.get("members", [])))):
        n = server.get("/count", q=q)
        same("/count of %s" % q, n["count"], sum(1 for _, r in truth.mails if want(r)))
    same("/count of all", server.get("/count")["count"], len(truth.mails))
    f = server.get("/facets", fields="disposition,country,client,server,tls,code,anomaly,sender,sensor", limit=1000)
    mails = [r for _, r in truth.mails]
    want = {
        "disposition": Counter(r["disposition"] for r in mails),
        "country": Counter(r["origin"]["country"] for r in mails if r.get("origin", {}).get("country")),
        "client": Counter(r["id.orig_h"] for r in mails),
        "sensor": Counter(r["sensor"] for r in mails),
        "server": Counter(r["id.resp_h"] for r in mails),
        "code": Counter(str(r["reply"]["code"]) for r in mails if r.get("reply", {}).get("code")),
        "anomaly": Counter(a["name"] for r in mails for a in r.get("anomalies", [])),
    }
    got = {x["field"]: Counter({v["value"]: v["count"] for v in x["values"]}) for x in f["facets"]}
    ok(f["of"] == len(truth.mails) and f["complete"], "facets look at all mails", f["of"])
    for field, values in want.items():
        same("facets: %s" % field, got[field], values)
    same("facets come in the order asked for", [x["field"] for x in f["facets"]], ["disposition", "country", "client", "server", "tls", "code", "anomaly", "sender", "sensor"])
    for field in ("disposition", "tls", "sender", "sensor"):
        for v in [x for x in f["facets"] if x["field"] == field][0]["values"][:5]:
            n = server.get("/count", q='%s:"%s"' % (field, v["value"].replace("\\", "\\\\").replace('"', '\\"')))["count"]
            ok(n >= v["count"], "a facet's value is a term: %s" % field, v, n)


def one(server, truth):
    """A mail, a connection, a notice, with what belongs to them."""
    sessions = {r["uid"]: r for _, r in truth.records["smtp_session"]}
    odd = [m for m in truth.mails if m[1].get("anomalies")][:5]
    noticed = [m for m in truth.mails if any(n.get("uid") == m[1]["uid"] for _, n in truth.records["notice"])][:5]
    for i, r in truth.mails[:5] + odd + noticed:
        m = server.get("/mails/%d" % i)
        same("mail %d is the record" % i, m["record"], r)
        same("mail %d: its connection" % i, m["session"] and {k: v for k, v in m["session"].items() if k != "id"}, sessions.get(r["uid"]))
        same("mail %d: what is odd" % i, [(a["name"], a["offset"], a.get("text")) for a in m["anomalies"]], [(a["name"], a["offset"], a.get("text")) for a in r.get("anomalies", [])])
        ok(all(len(a["explained"]) > 20 and "newer or older" not in a["explained"] for a in m["anomalies"]), "mail %d: why" % i)
        want = {j for j, x in truth.mails if x["uid"] == r["uid"] and j != i}
        ok({int(n["id"]) for n in m["neighbours"] if n["relation"] == "session"} == want or len(want) > 40, "mail %d: others of its connection" % i, want)
        ok(all(n["id.orig_h"] == r["id.orig_h"] and n["uid"] != r["uid"] for n in m["neighbours"] if n["relation"] == "client"), "mail %d: others of its client" % i)
        want = {j for j, x in truth.records["notice"] if x.get("uid") == r["uid"]}
        ok({int(n["id"]) for n in m["notices"]} == want, "mail %d: notices" % i, want, [n["id"] for n in m["notices"]])
        s = server.get("/sessions/" + r["uid"])
        ok({int(n["id"]) for n in s["mails"]} == {j for j, x in truth.mails if x["uid"] == r["uid"]} or len(s["mails"]) == 50, "connection %s has its mails" % r["uid"])
    for i, r in truth.records["notice"][:5]:
        n = server.get("/notices/%d" % i)
        same("notice %d is the record" % i, n["record"], r)
        mail = [j for j, x in truth.mails if x["uid"] == r.get("uid") and x["trans_depth"] == r.get("trans_depth")]
        same("notice %d: its mail" % i, n["mail"], str(mail[0]) if mail else None)
    server.get("/mails/2", 404)
    server.get("/notices/2", 404)
    server.get("/sessions/Cnone", 404)
    f = server.get("/fields")
    schema = json.loads(mailtap("schema").stdout)
    ok([s["path"] for s in f["streams"]] == list(STREAMS) and len(f["anomalies"]) > 30 and schema, "/fields names the streams")
    for q in f["query"]:
        stream = {"smtp": "/count", "notice": "/notices"}.get(q["streams"][0] if q["streams"] else "")
        if stream:
            server.get(stream, q=q["example"])
    h = server.get("/health", since=truth.since, until=truth.until)
    ok(h["store"]["days"] > 0 and len(h["times"]) == len(h["series"]["packets"]), "/health has the store and its series")


def marks(server, truth):
    notices = truth.records["notice"]
    first, second = notices[0], next(n for n in notices if n[1].get("identifier") != notices[0][1].get("identifier"))
    a = server.send("POST", "/notices/%d/acknowledge" % first[0], {"remark": "seen"}, csrf=False)
    ok(a.status == 403, "a change without the token is refused", a.status, a.body)
    a = server.send("POST", "/notices/%d/acknowledge" % first[0], {"remark": "seen, <b>done</b>"})
    ok(a.status == 204, "a notice is acknowledged", a.status, a.body)
    n = server.get("/notices/%d" % first[0])
    ok(n["state"]["state"] == "acknowledged" and n["state"]["remark"] == "seen, <b>done</b>" and n["history"][0]["what"] == "acknowledged", "who asks sees it", n["state"], n["history"])
    kept = server.get("/notices", state="acknowledged", limit=1000)["notices"]
    ok([int(x["id"]) for x in kept] == [first[0]], "/notices of that state has it alone", len(kept))
    a = server.send("POST", "/mutes", {"note": second[1]["note"], "identifier": second[1]["identifier"], "remark": "known"})
    ok(a.status == 200, "a notice is muted", a.status, a.body)
    mute = a.json()["id"]
    like = [i for i, r in notices if r["note"] == second[1]["note"] and r.get("identifier") == second[1]["identifier"] and i != first[0]]
    muted = server.get("/notices", state="muted", limit=1000)["notices"]
    same("/notices that are muted", [int(x["id"]) for x in muted], like)
    ok(all(x["mute"] == mute for x in muted), "they say by which mute")
    everything = server.get("/notices", state="all", limit=1000)["notices"]
    opened = server.get("/notices", state="open", limit=1000)["notices"]
    ok(len(everything) == min(1000, len(notices)) and len(opened) == len(notices) - len(like) - 1, "/notices by state add up", len(everything), len(opened), len(like))
    pages, before = [], None
    while True:
        page = server.get("/notices", state="open", limit=7, before=before)
        pages += [x["id"] for x in page["notices"]]
        before = page["next"]
        if not before:
            break
    same("pages of open notices", pages, [x["id"] for x in opened])
    kinds = {k["note"]: k for k in server.get("/notices/kinds")["kinds"]}
    same("kinds: all counted", sum(k["open"] + k["acknowledged"] + k["muted"] for k in kinds.values()), len(notices))
    ok(kinds[second[1]["note"]]["muted"] == len(like), "kinds: muted", kinds)
    found = {k["note"]: k["open"] + k["acknowledged"] + k["muted"] for k in server.get("/notices/kinds", q="sensor:there -list:Spamhaus*")["kinds"]}
    same("kinds of a query", found, dict(Counter(r["note"] for _, r in notices if r["sensor"] == "there" and not r.get("list", "").lower().startswith("spamhaus"))))
    ok([m["id"] for m in server.get("/mutes")["mutes"]] == [mute], "/mutes has it")
    for body, word in (({}, "note"), ({"note": "x", "until": 1}, "until"), ({"note": "x", "remark": "r" * 3000}, "remark"), ({"nott": "x"}, "note"), ({"note": ["x"]}, "body")):
        a = server.send("POST", "/mutes", body)
        ok(a.status == 400 and word in a.json()["error"]["text"], "a wrong mute is refused: %s" % word, a.status, a.body[:300])
    ok(server.send("DELETE", "/mutes/" + mute).status == 204 and server.send("DELETE", "/mutes/" + mute).status == 404, "a mute is ended once")
    ok(server.send("DELETE", "/notices/%d/acknowledge" % first[0]).status == 204, "an acknowledgement is taken back")
    ok(server.send("DELETE", "/notices/%d/acknowledge" % first[0]).status == 404, "only once")
    ok(server.send("POST", "/notices/17/acknowledge", {}).status == 404, "there is no such notice")
    n = server.get("/notices/%d" % first[0])
    same("the history", [e["what"] for e in n["history"]], ["reopened", "acknowledged"])
    ok(n["state"]["state"] == "open", "it is open again")


def hostile(server):
    """What is wrong is named, and nothing falls over."""
    for path, params, word in (("/mails", {"q": "subjct:x"}, "subject"), ("/mails", {"q": "country:germany"}, "DE"), ("/mails", {"q": "disposition=rejected"}, "disposition:rejected"), ("/mails", {"q": "((("}, ""), ("/mails", {"q": "size:>x"}, ""), ("/mails", {"limit": "x"}, "limit"), ("/mails", {"limit": -1}, "limit"), ("/mails", {"limit": 0}, "limit"), ("/top", {"limit": "0"}, "limit"), ("/mails", {"limit": "00"}, "limit"),
                               ("/mails", {"before": "1e9"}, "before"), ("/mails", {"fields": "subjekt"}, "subject"), ("/mails", {"format": "xml"}, "csv"), ("/mails", {"lmit": 1}, "limit"),
                               ("/mails", {"since": "yesterday"}, "since"), ("/timeline", {"step": 61}, "step"), ("/timeline", {"step": 60, "since": 0}, "step"), ("/timeline", {"since": 200, "until": 100}, "since"),
                               ("/top", {"by": "clients"}, "client"), ("/top", {"order": "x"}, "order"), ("/facets", {"fields": "contry"}, "country"), ("/facets", {"fields": ",".join(["size"] * 30)}, "fields"),
                               ("/notices", {"state": "opened"}, "open"), ("/export", {"stream": "smpt"}, "smtp"), ("/hosts/a%20b", {}, "host"), ("/hosts/" + "a" * 300, {}, "host"), ("/mails/x", {}, "id"),
                               ("/mails", {"q": "x" * 9000}, ""), ("/mails", {"q": "a " * 200}, "")):
        a = server.ask(path, **params)
        good = a.status == 400 and not server.fault(a.json(), {"$ref": "#/components/schemas/error"})
        ok(good and word in a.body.decode(), "refused: %s %s" % (path, str(params)[:60]), a.status, a.body[:300])
    e = server.ask("/mails", q="from:anna subjct:x").json()["error"]
    ok(e["at"] == 10 and e["len"] >= 6 and e["nearest"] == "subject", "an error points at the word", e)
    for path in ("/mails/%FF", "/mails?q=%00", "/mails?q=%ff%fe", "/mails?q=a&q=b", "/mails/18446744073709551616", "/hosts/%2e%2e%2f", "/nothing", "/mails?limit=99999999999999999999"):
        a = server.ask(path)
        ok(400 <= a.status < 500, "refused: %s" % path, a.status, a.body[:200])
    for path in ("/hosts/a)b", "/hosts/%28", "/hosts/a%22b", "/hosts/<>", "/hosts/a:b:c"):
        a = server.ask(path)
        ok(a.status == 400, "refused: %s" % path, a.status, a.body[:200])
    for path in ("/hosts/OR", "/hosts/-x", "/hosts/" + urllib.parse.quote("b\u00fccher.example"), "/hosts/2001:DB8::1", "/hosts/xn--", "/hosts/..", "/hosts/_dmarc.example.com"):
        server.get(path)
    for uid in ("a" * 9000, "%22", "%28%29", "a%20OR%20b", "*", "-", "%5C", "%27"):
        a = server.ask("/sessions/" + uid)
        ok(a.status == 404, "no connection: %s" % uid[:20], a.status, a.body[:200])
    for q in ("'; DROP TABLE smtp; --", 'subject:"\\"', "from:%", "text:NEAR(a b)", "subject:a* OR -(b)", 'any:"(key : x)"', "\u202e", "a" * 500, "id:1 OR id:2", "host:::", "since:1970", "until:9999-12-31"):
        a = server.ask("/mails", q=q)
        ok(a.status in (200, 400), "survives q=%s" % q[:40].encode("ascii", "backslashreplace").decode(), a.status, a.body[:200])
    for params in ({"limit": 1}, {"before": 1}, {"before": 2**63 - 1}, {"since": "2030-01-01"}, {"until": 0}, {"fields": "id"}, {"fields": ""}, {"fields": "all,all"}):
        server.get("/mails", **params)
    ok(server.ask("/mails", "POST", {}).status == 405, "a method that a path has not")


def fill(output, files, *options):
    """Has two sensors fill a store; the lines of its records."""
    lines, runs = [], []
    for sensor, some in (("Here-1", files[::2]), ("there", files[1::2])):
        lines += mailtap("read", *some, "-s", "sensor=" + sensor, "-f", "json").stdout.splitlines()
        runs.append(mailtap("read", *some, "-s", "sensor=" + sensor, "-o", output, *options, timeout=240))
    ok(all(r.returncode in (0, 1) for r in runs) and lines, "captures go into a store", *[r.stderr[-2000:] for r in runs])
    return lines


def checks(server, lines, micros=lambda i: i):
    """All of them, over what `lines` are the records of; micros(id) is when it was."""
    truth = Truth(server, micros)
    export(server, truth, lines)
    lists(server, truth)
    timeline(server, truth)
    top(server, truth)
    around(server, truth)
    counts(server, truth)
    one(server, truth)
    marks(server, truth)
    hostile(server)
    lacking = {p.removeprefix("/api/v1") for p, m in server.api["paths"].items() if "get" in m} - {p.removeprefix("/api/v1") for p in server.asked} - {"/openapi.json", "/me"}
    ok(not lacking, "every path was asked", lacking)
    return truth


def main():
    with tempfile.TemporaryDirectory(prefix="mailtap-api-") as name:
        store, files = Path(name) / "store", captures()
        if not (SHARED / "captures").is_dir():
            skip("shared captures", "MAILTAP_SHARED is not there")
        lines = fill("sqlite:%s" % store, files)
        server = Server(store)
        checks(server, lines)
        server.close()
    done()


if __name__ == "__main__":
    main()
