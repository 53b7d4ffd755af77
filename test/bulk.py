#!/usr/bin/python3
"""Records into the _bulk API of Elasticsearch and OpenSearch: a stand-in that fails in every way. usage: bulk.py MAILTAP [TEST...]"""
import ipaddress
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bulkpeer
import syslogpeer
import weekpart
from clickhouses import free_ports
from tap import MAILTAP as GIVEN, SOURCE, ok, run_tests
from waiting import until

MAILTAP = os.path.abspath(GIVEN)
WHOLE, BORDER = SOURCE / "samples/week.pcap.zst", SOURCE / "samples/border.pcap"
SECRET = "tr0ub4dor-secret"
_rooms = [tempfile.TemporaryDirectory(prefix="mailtap-bulk-")]
WEEK = weekpart.make(Path(_rooms[0].name) / "part.pcap")
_known = {}


def room():
    _rooms.append(tempfile.TemporaryDirectory(prefix="mailtap-bulk-"))
    return Path(_rooms[-1].name)


def run(*args, **more):
    p = subprocess.run([MAILTAP, "read", "-s", "country_databases=none", *map(str, args)], capture_output=True, text=True, timeout=120, **more)
    if re.search(r"Sanitizer|runtime error", p.stderr) or p.returncode < 0:
        ok(False, "read ends without a crash", p.returncode, p.stderr[-3000:])
    return p


def send(folder, url, *settings, source=WEEK):
    given = ("outbox_directory=%s" % (folder / "outbox"), "carry_wait=20s", *settings)
    return run(*[a for s in {s.split("=")[0]: s for s in given}.values() for a in ("-s", s)], "-o", url, source)


def records(form="ecs", source=WEEK):
    if (form, source) not in _known:
        folder = room()
        run("-f", form, "-o", folder, source)
        _known[form, source] = [(f.stem, json.loads(line)) for f in sorted(folder.glob("*.log")) for line in f.read_text().splitlines()]
    return _known[form, source]


def key(document):
    d = dict(document)
    d.pop("_write_ts", None)
    return json.dumps(d, sort_keys=True)


def holds(bulk, what, form="ecs", source=WEEK, index="mail", without=()):
    """Each record once, in its index."""
    got = sorted((i, key(d)) for (i, _), d in bulk.documents.items())
    want = sorted(("%s-%s" % (index, path), key(d)) for path, d in records(form, source) if key(d) not in without)
    missing, more = [x for x in want if x not in set(got)], [x for x in got if x not in set(want)]
    return ok(got == want and not bulk.problems, what, len(got), len(want), *missing[:1], *more[:1], *bulk.problems[:3])


def aside(folder):
    return [json.loads(line) for f in folder.glob("outbox/*/refused.ndjson") for line in f.read_text().splitlines()]


def waiting(folder):
    return [p for p in folder.glob("outbox/*/*.ndjson") if p.name != "refused.ndjson"]


def plain():
    folder = room()
    with bulkpeer.Bulk() as bulk:
        url = "elasticsearch://127.0.0.1:%d/mail" % bulk.port
        p = send(folder, url)
        ok(p.returncode == 0 and not waiting(folder) and "%d records carried" % len(records()) in p.stderr, "Elasticsearch takes all records", p.returncode, p.stderr)
        holds(bulk, "as documents of ECS, each in the index of its stream")
        ok(not bulk.zipped and not any("Authorization" in h for h in bulk.heads), "not packed over loopback; nobody logs in")
        p = send(room(), url)
        ok(p.returncode == 0 and bulk.creates == 2 * len(records()), "a capture read twice", p.stderr)
        holds(bulk, "is there once")
    for form in ("json", "ocsf", "eve"):
        with bulkpeer.Bulk() as bulk:
            p = send(room(), "opensearch://es.localhost:%d/logs-mailtap" % bulk.port, "carry_format=%s" % form, source=BORDER)
            stamps = {key(d): d.pop("@timestamp") for d in bulk.documents.values()}
            ok(p.returncode == 0 and len(stamps) == len(bulk.documents) and all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", s) for s in stamps.values()), "OpenSearch, carry_format=%s: with a @timestamp" % form, p.stderr)
            holds(bulk, "else as it is", form, BORDER, "logs-mailtap")
            ok(bulk.zipped, "packed where it is not known to be this machine")


def repeats():
    folder = room()
    seen = {}

    def busy(index, name, document):
        """Every third one has to be tried three times."""
        seen[name] = seen.get(name, 0) + 1
        return (429, "es_rejected_execution_exception", "rejected execution of coordinating operation") if hash(name) % 3 == 0 and seen[name] < 3 else None

    with bulkpeer.Bulk(item=busy, plan=[(503, '{"error":"no master","status":503}'), "cut", (429, ""), "before", (502, "<html>"), "short", (200, "not JSON"), (200, '{"took":1}'), (200, "{}"), (200, '{"items":[%s]}' % ",".join(['{"create":{"status":201}}'] * 9999)),
                                        (404, '{"error":{"reason":"no such thing"}}'), (200, '{"errors":false,"items":[]}')]) as bulk:
        p = send(folder, "elasticsearch://127.0.0.1:%d/mail" % bulk.port, "carry_wait=60s", "batch_bytes=32KiB")
        ok(p.returncode == 0 and not waiting(folder) and not aside(folder), "busy, cut, broken and wrong answers: all is sent again", p.returncode, p.stderr)
        holds(bulk, "nothing is lost, nothing is there twice")
        ok(re.search(r"status 503.*records wait in", p.stderr), "why is said", p.stderr)
        thirds = [n for n in seen.values()]
        ok(bulk.creates < 2.5 * len(records()), "of a batch only what was not taken is sent again", bulk.creates, len(records()), max(thirds))


def poisoned():
    folder = room()
    bad = {}

    def strict(index, name, document):
        if document["event"]["dataset"] == "mailtap.smtp" and int(document["source"]["port"]) % 10 == 7:
            bad[name] = document
            return 400, "document_parsing_exception", "[1:2] failed to parse field [source.ip] of type [ip] in document with id '%s'. Preview of field's value: 'private-value'" % name
        return None

    with bulkpeer.Bulk(item=strict) as bulk:
        p = send(folder, "elasticsearch://127.0.0.1:%d/mail" % bulk.port)
        refused = aside(folder)
        ok(p.returncode == 0 and len(bad) > 3 and sorted(key(r["record"]) for r in refused) == sorted(map(key, bad.values())), "records that are refused are put aside", p.stderr, len(bad), len(refused))
        ok(all("document_parsing_exception: [1:2] failed to parse field [source.ip]" in r["error"] for r in refused) and "private-value" not in p.stderr, "with why, and without a value of theirs in the log", refused[0]["error"], p.stderr)
        holds(bulk, "the others are there", without=set(map(key, bad.values())))
        ok("%d records carried over the network, %d records that the other side refused" % (len(records()) - len(bad), len(bad)) in p.stderr, "both are counted", p.stderr)
        ok(bulk.creates == len(records()), "and none holds up a batch: each was sent once", bulk.creates, len(records()))
    folder = room()

    def failing(index, name, document):
        """One makes it fail each time; a setting is wrong for a while, which is no record's fault."""
        if document["event"]["dataset"] == "mailtap.software" and document["package"]["name"] == "MFP Scan":
            return 500, "exception", "failed in processor"
        tried[name] = tried.get(name, 0) + 1
        return wrongs[tried[name]] if tried[name] < len(wrongs) else None

    tried = {}
    wrongs = [None, (400, "illegal_argument_exception", "pipeline with id [enrich] does not exist"), (400, "validation_exception", "this action would add [2] shards"), (404, "index_not_found_exception", "no such index"),
              (403, "cluster_block_exception", "index [mail] blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];")]
    with bulkpeer.Bulk(item=failing) as bulk:
        p = send(folder, "elasticsearch://127.0.0.1:%d/mail" % bulk.port, "carry_wait=60s", source=BORDER)
        refused = {key(r["record"]) for r in aside(folder)}
        ok(p.returncode == 0 and refused and refused == {key(d) for path, d in records(source=BORDER) if path == "software" and d["package"]["name"] == "MFP Scan"}, "a record that the server fails at is put aside in the end", p.stderr, len(refused))
        holds(bulk, "settings that are wrong for a while put none aside", source=BORDER, without=refused)
    folder = room()
    with bulkpeer.Bulk(most=20000) as bulk:
        p = send(folder, "elasticsearch://127.0.0.1:%d/mail" % bulk.port)
        refused = {key(r["record"]) for r in aside(folder)}
        large = {key(d) for _, d in records() if len(json.dumps(d)) > 21000}
        ok(p.returncode == 0 and len(refused) <= len(large) + 2 and large <= refused, "a request that is too large goes in halves; a record that is too large alone is put aside", p.returncode, p.stderr, len(refused), len(large))
        holds(bulk, "the others are there, once", without=refused)


def dies():
    folder = room()
    documents = {}
    port = free_ports(1)[0]
    bulk = bulkpeer.Bulk(port=port, documents=documents)
    url = "elasticsearch://127.0.0.1:%d,127.0.0.1:%d/mail" % (free_ports(1)[0], port)
    p = subprocess.Popen([MAILTAP, "read", "-s", "country_databases=none", "-s", "outbox_directory=%s" % (folder / "outbox"), "-s", "batch_bytes=4KiB", "-o", url, str(WEEK)], stderr=subprocess.PIPE, text=True)
    creates, problems = 0, []
    for count in (60, 200):
        ok(until(lambda: len(documents) > count), "%d documents, of two servers one is away" % count, len(documents))
        bulk.close()
        creates, problems = creates + bulk.creates, problems + bulk.problems
        time.sleep(0.3)
        bulk = bulkpeer.Bulk(port=port, documents=documents)
    _, err = p.communicate(timeout=60)
    ok(p.returncode == 0 and not problems, "a server that is killed twice in the midst", err, *problems[:3])
    holds(bulk, "nothing is lost, nothing is there twice")
    bulk.close()
    # Our own process dies.
    folder = room()
    with bulkpeer.Bulk() as bulk:
        for count in (60, 200):
            p = subprocess.Popen([MAILTAP, "read", "-s", "country_databases=none", "-s", "outbox_directory=%s" % (folder / "outbox"), "-s", "batch_bytes=4KiB", "-o", "elasticsearch://127.0.0.1:%d/mail" % bulk.port, str(WEEK)],
                                 stderr=subprocess.PIPE, text=True)
            until(lambda: len(bulk.documents) > count)
            p.kill()
            p.communicate()
        p = send(folder, "elasticsearch://127.0.0.1:%d/mail" % bulk.port)
        ok(p.returncode == 0 and not waiting(folder), "mailtap is killed twice, and started again with the same capture", p.stderr)
        holds(bulk, "each record is there once")


def away():
    folder, port = room(), free_ports(1)[0]
    url = "elasticsearch://127.0.0.1:%d/mail" % port
    p = send(folder, url, "carry_wait=300ms")
    ok(p.returncode == 1 and waiting(folder) and "records wait in" in p.stderr, "a server that is not there: the records wait, and that is said", p.stderr)
    with bulkpeer.Bulk(port=port) as bulk:
        p = send(folder, url)
        ok(p.returncode == 0 and not waiting(folder), "the next run sends them", p.stderr)
        holds(bulk, "and its own, each once")


def logins():
    folder = room()
    password = folder / "password"
    for url, settings, text, head in (("elasticsearch", ["carry_user=tap"], SECRET, bulkpeer.basic("tap", SECRET)), ("opensearch", ["carry_user=tap"], SECRET, bulkpeer.basic("tap", SECRET)),
                                      ("elasticsearch", [], "aWQ6" + SECRET, "ApiKey aWQ6" + SECRET), ("elasticsearch", [], "id:" + SECRET, bulkpeer.basic("id", SECRET).replace("Basic", "ApiKey"))):
        password.write_text(text + "\n")
        given = [*settings, "carry_password_file=%s" % password]
        with bulkpeer.Bulk(login=head) as bulk:
            box = room()
            p = send(box, "%s://127.0.0.1:%d/mail" % (url, bulk.port), *given, source=BORDER)
            ok(p.returncode == 0, "%s, %s: a log-in" % (url, head.split()[0]), p.stderr)
            holds(bulk, "by which all is taken", source=BORDER)
            password.write_text("x" + text)
            q = send(box, "%s://127.0.0.1:%d/mail" % (url, bulk.port), *given, "carry_wait=300ms", source=BORDER)
            ok(q.returncode == 1 and waiting(box) and "carry_user, carry_password_file" in q.stderr, "with a wrong one nothing is lost", q.stderr)
            everything = b"".join(f.read_bytes() for f in box.glob("outbox/**/*") if f.is_file()) + (p.stderr + q.stderr).encode()
            ok(SECRET.encode() not in everything, "and no password is shown")


def encrypted():
    folder = room()
    certificates = {}
    for name, subject in (("right", "IP:127.0.0.1"), ("wrong", "DNS:log.example.org")):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=" + subject,
                        "-keyout", str(folder / (name + ".key")), "-out", str(folder / (name + ".pem"))], check=True, capture_output=True)
        certificates[name] = folder / (name + ".pem")
    (folder / "password").write_text(SECRET)
    login = ["carry_user=tap", "carry_password_file=%s" % (folder / "password")]
    with bulkpeer.Bulk(syslogpeer.context(certificates["right"], certificates["wrong"])) as bulk:
        p = send(room(), "elasticsearchs://127.0.0.1:%d/mail" % bulk.port, "carry_ca_file=%s" % certificates["right"], "carry_cert_file=%s" % certificates["wrong"], "carry_key_file=%s" % (folder / "wrong.key"), source=BORDER)
        ok(p.returncode == 0, "TLS, with a certificate of ours", p.stderr)
        holds(bulk, "takes all too", source=BORDER)
    for name, ca in (("right", "right"), ("wrong", "wrong"), ("right", None), ("right", "wrong")):
        with bulkpeer.Bulk(syslogpeer.context(certificates[name])) as bulk:
            box = room()
            p = send(box, "elasticsearchs://127.0.0.1:%d/mail" % bulk.port, *login, *(["carry_ca_file=%s" % certificates[ca]] if ca else []), *([] if name == ca == "right" else ["carry_wait=300ms"]), source=BORDER)
            if name == ca == "right":
                ok(p.returncode == 0, "TLS", p.stderr)
                holds(bulk, "takes all", source=BORDER)
            else:
                ok(p.returncode == 1 and waiting(box) and not bulk.heads and re.search("certificate|SSL", p.stderr), "a certificate that is not vouched for is not believed, and no password is sent", p.stderr)


def wrong():
    folder = room()
    (folder / "password").write_text(SECRET)
    file = "carry_password_file=%s" % (folder / "password")
    for url, settings, text in (("elasticsearch://127.0.0.1", (), "INDEX"), ("elasticsearch://127.0.0.1/Mail", (), "small letters"), ("elasticsearch://127.0.0.1/_mail", (), "small letters"), ("elasticsearch://127.0.0.1/a*", (), "a*"),
                                ("elasticsearch://u:%s@127.0.0.1/mail" % SECRET, (), "carry_password_file"), ("elasticsearch://127.0.0.1/mail", ("carry_user=tap",), "carry_password_file"),
                                ("opensearch://127.0.0.1/mail", (file,), "carry_user"), ("elasticsearch://192.0.2.1/mail", (file,), "elasticsearchs://"), ("elasticsearch://127.0.0.1,192.0.2.1/mail", (file,), "elasticsearchs://"),
                                ("elasticserch://127.0.0.1/mail", (), "elasticsearch"), ("elasticsearch://127.0.0.1/mail", ("carry_user=a:b", file), "colon")):
        p = send(folder, url, *settings, source=BORDER)
        ok(p.returncode == 2 and text in p.stderr and SECRET not in p.stderr, "%s %s is refused at the start" % (url.replace(SECRET, "..."), " ".join(s.split("=")[0] for s in settings)), p.returncode, p.stderr)


def leaves(value, path=""):
    if isinstance(value, dict):
        for k, v in value.items():
            yield from leaves(v, path + "." + k if path else k)
    elif isinstance(value, list):
        for v in value:
            yield from leaves(v, path)
    else:
        yield path, value


def is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


FITS = {"keyword": lambda v: isinstance(v, str), "text": lambda v: isinstance(v, str), "ip": lambda v: isinstance(v, str) and is_address(v), "boolean": lambda v: isinstance(v, bool),
        "long": lambda v: isinstance(v, int) and not isinstance(v, bool) and -2**63 <= v < 2**63, "double": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
        "date": lambda v: isinstance(v, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", v)}


def template():
    """The ready-made template says of each value what it is."""
    text = json.loads((SOURCE / "contrib/elasticsearch-template.json").read_text())
    types = {}

    def walk(properties, path):
        for name, m in properties.items():
            here = path + name
            if "type" in m and m["type"] != "nested":
                types[here] = m["type"]
            walk(m.get("properties", {}), here + ".")
    walk(text["template"]["mappings"]["properties"], "")
    folder = room()
    dialogs = sorted(p for p in (SOURCE / "test/dialog").glob("*.txt"))
    subprocess.run([sys.executable, SOURCE / "tools/mkpcap", folder / "dialogs.pcap", *dialogs], check=True)
    documents = [d for source in (WHOLE, BORDER, folder / "dialogs.pcap") for _, d in records("ecs", source)]
    seen, strange, misfits = set(), set(), {}
    for d in documents:
        for path, value in leaves(d):
            seen.add(path)
            if path not in types:
                strange.add(path)
            elif not FITS[types[path]](value):
                misfits.setdefault(path, (types[path], value))
    ok(len(documents) > 3200 and len(seen) > 200, "many documents, with many fields", len(documents), len(seen))
    ok(not strange, "each field has a mapping", *sorted(strange)[:20])
    ok(not misfits, "which takes its values", *sorted(misfits.items())[:20])
    ok(types["@timestamp"] == "date" and types["source.ip"] == "ip" and types["smtp.mailfrom"] == "keyword", "by the types of ECS")
    settings = text["template"]["settings"]
    ok(len(types) < settings["index.mapping.total_fields.limit"] and settings["index.mapping.ignore_malformed"], "more than there are may come, and a value that does not fit refuses no record", len(types))
    ok(text["index_patterns"] == ["mailtap-*", "logs-mailtap-*", "logs-mailtap.*"] and text["data_stream"] == {}, "for the indexes of which docs/elasticsearch.md tells")


def main():
    run_tests([plain, repeats, poisoned, dies, away, logins, encrypted, wrong, template])


main()
