#!/usr/bin/python3
"""The JSON Schema that mailtap prints, the records against it, and the reference pages made of it."""
import copy
import json
import subprocess
import sys
import tempfile

from tap import MAILTAP, SHARED, SOURCE, done, mailtap, ok, skip

try:
    import jsonschema
except ImportError:
    print("1..0 # SKIP python3-jsonschema is not installed")
    sys.exit(0)

schema = json.loads(mailtap("schema").stdout)
try:
    jsonschema.Draft202012Validator.check_schema(schema)
    ok(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema", "the schema is one of draft 2020-12")
except jsonschema.SchemaError as err:
    ok(False, "the schema is one of draft 2020-12", err)
validator = jsonschema.Draft202012Validator(schema)
# What scripts write has names of its own.
streams = {s["properties"]["_path"].get("const", "*"): s for s in schema["oneOf"]}
ok(sorted(streams) == ["*", "notice", "smtp", "smtp_session", "software", "stats"], "a schema a stream", sorted(streams))
# Stats come of watch alone: watch_stats.py has all fields of them.
READ = "smtp", "smtp_session", "notice", "software"


def described(where, node):
    """Names of properties without a sentence that describes them."""
    for name, value in node.get("properties", {}).items():
        text = value.get("description", "")
        if len(text) < 8 or not text.endswith("."):
            yield "%s.%s: %r" % (where, name, text)
        yield from described(where + "." + name, value)
        yield from described(where + "." + name + "[]", value.get("items", {}))


for path, stream in streams.items():
    bad = list(described(path, stream))
    ok(not bad and stream["description"], "every field of %s is described" % path, *bad)


def records(capture):
    with tempfile.TemporaryDirectory() as folder:
        r = mailtap("read", "-s", "sensor=west", "-f", "json", "--extract", folder, "-s", "extract=all", "-s", "suspicious_origination_networks=0.0.0.0/1,128.0.0.0/1", "-s", "headers=all", "-s", "software=all", capture)
    return [json.loads(line) for line in r.stdout.splitlines()]


def wrong(record):
    """None, or what the stream's own schema says, which is plainer than oneOf's verdict."""
    if validator.is_valid(record):
        return None
    stream = streams.get(record.get("_path"), schema)
    return next((e.message for e in jsonschema.Draft202012Validator(stream).iter_errors(record)), "no stream takes it")


captures = sorted((SOURCE / "samples").rglob("*.pcap*"))
shared = SHARED / "captures"
if shared.exists():
    every = sorted(p for p in shared.rglob("*.pcap*") if p.stat().st_size < 300000)
    captures += every[::max(1, len(every) // 30)]
else:
    skip("shared captures", "%s is not there: set MAILTAP_SHARED" % shared)
seen = {}
for capture in captures:
    found = records(capture)
    bad = [w for w in map(wrong, found) if w]
    name = capture.name if capture.is_relative_to(SOURCE) else str(capture.relative_to(shared))
    ok(not bad, "%d records of %s" % (len(found), name), *bad[:5])
    for record in found:
        for field in record:
            seen.setdefault((record["_path"], field), record)
for path in READ:
    missing = [f for f in streams[path]["properties"] if (path, f) not in seen]
    ok(len(missing) < 4, "nearly all fields of %s occur in them" % path, missing)

# The schema must be able to say no.
good = {path: next(r for (p, _), r in seen.items() if p == path) for path in READ}
good["*"] = {"_path": "mail_metrics", "ts": 1.5, "mails": 3, "hosts": ["a", "b"]}
good["stats"] = {"_path": "stats", "ts": 1.5, **{name: 0 for name in streams["stats"]["required"] if name not in ("_path", "ts")}}
files = seen.get(("smtp", "files"), good["smtp"])


def spoiled(base, change):
    record = copy.deepcopy(base)
    change(record)
    return record


refusals = {
    "an unknown field": (good["smtp"], lambda r: r.update(colour="red")),
    "an unknown stream": (good["smtp"], lambda r: r.update(_path="Mail")),
    "no stream": (good["smtp"], lambda r: r.pop("_path")),
    "a missing time": (good["smtp"], lambda r: r.pop("ts")),
    "a time as text": (good["smtp"], lambda r: r.update(ts="2009")),
    "a port over 65535": (good["smtp"], lambda r: r.update({"id.resp_p": 65536})),
    "a negative count": (good["smtp"], lambda r: r.update(trans_depth=-1)),
    "a name for an address": (good["smtp"], lambda r: r.update({"id.orig_h": "client.example"})),
    "a name in the path": (good["smtp"], lambda r: r.update(path=["client.example"])),
    "null": (good["smtp"], lambda r: r.update(subject=None)),
    "an empty list": (good["smtp"], lambda r: r.update(rcptto=[])),
    "a text for a list": (good["smtp"], lambda r: r.update(rcptto="bob@example.net")),
    "1 for true": (good["smtp"], lambda r: r.update(tls=1)),
    "a flag that is false": (good["smtp"], lambda r: r.update(flags={"gap": False})),
    "an unknown flag": (good["smtp"], lambda r: r.update(flags={"odd": True})),
    "no flag in flags": (good["smtp"], lambda r: r.update(flags={})),
    "a file without size": (files, lambda r: r.update(files=[{"name": "a", "type": "text/plain"}])),
    "a stream of mailtap's own in a script's words": (good["*"], lambda r: r.update(_path="notice")),
    "a script's stream with a name that is no file's": (good["*"], lambda r: r.update(_path="../x")),
    "a negative count in stats": (good["stats"], lambda r: r.update(packets=-1)),
    "an unknown count in stats": (good["stats"], lambda r: r.update(parcels=1)),
    "stats without a count": (good["stats"], lambda r: r.pop("records_lost")),
    "a notice without a name": (good["notice"], lambda r: r.pop("note")),
    "a mail's field in a session": (good["smtp_session"], lambda r: r.update(subject="x")),
}
for name, (base, change) in refusals.items():
    ok(wrong(base) is None and wrong(spoiled(base, change)), "refused: " + name)

r = subprocess.run([SOURCE / "tools/mkdocs", MAILTAP, "--check"], capture_output=True, text=True)
ok(r.returncode == 0, "docs/records.md and docs/settings.md are up to date", r.stdout, r.stderr)
done()
