#!/usr/bin/python3
"""Header fields through the whole program: addresses, fields of lists, names of all, authentication; addresses and results of checks held against
other readers of them. Every difference has a row with its reason; docs/differences.md says the same in words."""
import email
import email.errors
import email.policy
import email.utils
import json
import sys
import tempfile
from pathlib import Path

import jsonschema

from capturing import capture_of
from mailcorpus import TEXTS, plain, write_capture
from tap import done, mailtap, need_shared, ok, skip

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-headers-"))
seen = []  # every record, for the schema


def session(lines, sender="m@example.net", helo="c"):
    return (0, "192.0.2.7", "203.0.113.25",
            ["S: 220 mx", "C: EHLO " + helo, "S: 250 mx", "C: MAIL FROM:<%s>" % sender, "S: 250 ok", "C: RCPT TO:<b@example.com>", "S: 250 ok",
             "C: DATA", "S: 354 go", *("C: " + s.replace("\\", "\\\\") for s in lines), "C: ", "C: text", "C: .", "S: 250 queued", "C: QUIT", "S: 221 bye"])


def records(path, *args):
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", *args, path)
    ok(r.returncode == 0 and b"errors in scripts" not in r.stderr, "%s is read" % Path(path).name, r.stderr.decode(errors="replace"))
    found = [json.loads(line) for line in r.stdout.splitlines()]
    seen.extend(found)
    return found


def mail(lines, *args, **envelope):
    return next(r for r in records(capture_of(FOLDER, [session(lines, **envelope)]), *args) if r["_path"] == "smtp")


def same(name, got, want):
    ok(got == want, name, "got  %r" % (got,), "want %r" % (want,))


def anomalies(record):
    return [(a["name"], a.get("text")) for a in record.get("anomalies", []) if a["name"] in ("name_is_address", "idn_broken")]


# Addresses.
got = mail(["From: \"Example, Alice\" <alice@Example.ORG>", "Sender: bob@example.org", "Reply-To: Carol <carol@example.org>",
            "To: Friends: dave@example.org, E <e@example.org>;", "To: f@example.org", "Cc: undisclosed-recipients:;", "Bcc: g@example.org (G)"])["addresses"]
same("each field has its mailboxes", got,
     {"from": [{"name": "Example, Alice", "addr": "alice@example.org", "domain": "example.org"}], "sender": [{"addr": "bob@example.org", "domain": "example.org"}],
      "reply_to": [{"name": "Carol", "addr": "carol@example.org", "domain": "example.org"}],
      "to": [{"addr": "dave@example.org", "domain": "example.org", "group": "Friends"},
             {"name": "E", "addr": "e@example.org", "domain": "example.org", "group": "Friends"}, {"addr": "f@example.org", "domain": "example.org"}],
      "cc": [{"group": "undisclosed-recipients"}], "bcc": [{"name": "G", "addr": "g@example.org", "domain": "example.org"}]})
same("of two From the last counts, as in from", [m["addr"] for m in mail(["From: a@b.org", "From: c@d.org"])["addresses"]["from"]], ["c@d.org"])
same("a field without any", mail(["From: ", "To: , ,", "Subject: s"]).get("addresses"), None)
both = mail(["From: jürgen@bücher.example", "To: a@xn--bcher-kva.example, b@BÜCHER.example"])["addresses"]
same("a domain in both forms", [(m["addr"], m["domain_unicode"]) for m in both["from"] + both["to"]],
     [("jürgen@xn--bcher-kva.example", "bücher.example"), ("a@xn--bcher-kva.example", "bücher.example"), ("b@xn--bcher-kva.example", "bücher.example")])
broken = mail(["From: a@i❤.example", "To: b@xn--zzzzz---.example"])
same("what is no such domain stays as it is", [m for k in ("from", "to") for m in broken["addresses"][k]],
     [{"addr": "a@i❤.example", "domain": "i❤.example"}, {"addr": "b@xn--zzzzz---.example", "domain": "xn--zzzzz---.example"}])
same("and is told of once", anomalies(broken), [("idn_broken", "i❤.example")])
for line, told in (('From: "ceo@bank.example" <x@evil.example>', "ceo@bank.example"), ("From: =?utf-8?q?ceo=40bank=2Eexample?= <x@evil.example>", "ceo@bank.example"),
                   ("Reply-To: The boss, <ceo@bank.example> <x@evil.example>", "<ceo@bank.example>"), ("From: a@b.example <A@B.example>", None),
                   ("From: =?utf-8?q?ceo=40bank=2Eexample?=", "ceo@bank.example"), ("To: a@b.example <c@d.example>", None), ("From: meet @ 9.30 <c@d.example>", None)):
    same("a name that is an address: " + line, anomalies(mail([line])), [("name_is_address", told)] if told else [])
many = mail(["To: " + ", ".join("u%d@example.org" % i for i in range(20))], "-s", "list_items=8")
same("list_items ends the list", (len(many["addresses"]["to"]), len(many["to"]), many.get("flags")), (8, 8, {"truncated": True}))

# Fields of text.
LIST = ["List-Id: \"The list\" <list.example.org>", "List-Unsubscribe: <mailto:u@example.org?subject=x>,", " <https://example.org/a/", " b>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Post: NO (closed)", "List-Help: <mailto:h@example.org> (help)", "List-Owner: <mailto:o@example.org>", "List-Archive: <https://example.org/>", "List-Subscribe: <mailto:s@example.org>"]
got = mail([*LIST, "Precedence: bulk", "References: <1@a> <2@a>", " <3@a>,<4@a> five", "Auto-Submitted: auto-replied; x=y", "Return-Path: <a@example.org>"])
same("a mailing list", got["list"],
     {"id": "list.example.org", "unsubscribe_post": "List-Unsubscribe=One-Click", "unsubscribe": ["mailto:u@example.org?subject=x", "https://example.org/a/b"],
      "subscribe": ["mailto:s@example.org"], "help": ["mailto:h@example.org"], "post": ["NO (closed)"], "owner": ["mailto:o@example.org"], "archive": ["https://example.org/"], "precedence": "bulk"})
same("references", got["references"], ["<1@a>", "<2@a>", "<3@a>", "<4@a>", "five"])
same("single texts", (got["auto_submitted"], got["return_path"]), ("auto-replied; x=y", "a@example.org"))
same("a null return path", mail(["Return-Path: <>"])["return_path"], "<>")
FIELDS = ["subject: =?utf-8?q?=C3=A4?=", "X-Thing: 1", "x-thing: 2", "Received: from a by b"]
same("names as written, in order", mail(FIELDS)["header_names"], ["subject", "X-Thing", "x-thing", "Received"])
same("values only where asked for", mail(FIELDS).get("headers"), None)
same("values", mail(FIELDS, "-s", "headers=all")["headers"],
     [{"name": "subject", "value": "ä"}, {"name": "X-Thing", "value": "1"}, {"name": "x-thing", "value": "2"}, {"name": "Received", "value": "from a by b"}])
for limit, left in ((4, 4), (3, 3)):
    got = mail(FIELDS, "-s", "headers=all", "-s", "header_items=%d" % limit)
    same("header_items %d" % limit, (len(got["header_names"]), len(got["headers"]), got.get("flags")), (left, left, None if left == 4 else {"truncated": True}))
long_names = ["%s-%d: v" % ("N" * (i * 9 % 80 + 1), i) for i in range(60)]
same("long names, and many", mail(long_names)["header_names"], [s.split(":")[0] for s in long_names])

# Authentication.
SIGNED = ["DKIM-Signature: v=1; a=rsa-sha256; d=Mail.Example.ORG; s=sel; i=@mail.example.org; t=1700000000; x=1700600000;", "\tl=20; h=from:to; bh=YQ==; b=YQ=="]
AUTHRES = ["Authentication-Results: mx.example.com; dkim=Pass (ok) header.d=example.org;", "\tspf=fail reason=\"not ours\" smtp.mailfrom=a@example.org",
           "Authentication-Results: mx.example.com; none", "Authentication-Results: spf=pass smtp.mailfrom=x", "ARC-Authentication-Results: i=1; mx.example.com; arc=none"]
got = mail([*AUTHRES, *SIGNED, "From: a@example.org", "ARC-Seal: i=1; cv=none; a=rsa-sha256; d=example.net; s=arc; b=YQ==",
            "ARC-Message-Signature: i=1; a=rsa-sha256; d=example.net; s=arc; b=YQ==",
            "Received-SPF: Fail (mx: no) client-ip=192.0.2.9; envelope-from=\"a@example.org\"; helo=h; receiver=mx; identity=mailfrom; mechanism=-all"],
           "-s", "trusted_authserv=MX.example.com", sender="b@example.org")["authentication"]
same("results", got["results"],
     [{"authserv_id": "mx.example.com", "method": "dkim", "result": "pass", "comment": "ok", "properties": ["header.d=example.org"], "trusted": True},
      {"authserv_id": "mx.example.com", "method": "spf", "result": "fail", "reason": "not ours", "properties": ["smtp.mailfrom=a@example.org"], "trusted": True},
      {"authserv_id": "mx.example.com", "result": "none", "trusted": True}, {"method": "spf", "result": "pass", "properties": ["smtp.mailfrom=x"]},
      {"authserv_id": "mx.example.com", "method": "arc", "result": "none", "arc_instance": 1}])
same("a signature", got["dkim"], [{"domain": "mail.example.org", "selector": "sel", "algorithm": "rsa-sha256", "identity": "@mail.example.org", "time": 1700000000,
                                   "expires": 1700600000, "length_limited": True}])
same("a chain of ARC", got["arc"], [{"instance": 1, "cv": "none", "domain": "example.net", "selector": "arc", "message_domain": "example.net"}])
same("Received-SPF", got["spf"], [{"result": "fail", "comment": "mx: no", "client_ip": "192.0.2.9", "envelope_from": "a@example.org", "helo": "h", "receiver": "mx",
                                   "identity": "mailfrom", "mechanism": "-all"}])
same("nobody is trusted unless it is said", [r.get("trusted") for r in mail(AUTHRES)["authentication"]["results"]], [None] * 5)
for writer, sender, spf, signers, dkim in (("a@example.org", "b@example.org", "strict", [], None), ("a@example.org", "b@bounce.example.org", "relaxed", ["example.org"], "strict"),
                                           ("a@example.org", "b@example.net", "no", ["x.net", "m.example.org"], "relaxed"), ("a@x.co.uk", "b@y.co.uk", "no", ["co.uk"], "no"),
                                           ("a@bücher.example", "b@xn--bcher-kva.example", "strict", [], None), ("a@example.org", "", "relaxed", [], None)):
    got = mail(["From: " + writer, *("DKIM-Signature: v=1; d=%s; s=s; b=" % d for d in signers)], sender=sender, helo="mail.example.org").get("authentication", {})
    same("alignment of %s with %s and %s" % (writer, sender or "<>", signers), (got.get("aligned_spf"), got.get("aligned_dkim")), (spf, dkim))
same("no From, no alignment", mail(["Subject: s"]).get("authentication"), None)
for field in ("Authentication-Results: a", "ARC-Seal: i=%d", "DKIM-Signature: d=a", "Received-SPF: pass"):
    key = {"Au": "results", "AR": "arc", "DK": "dkim", "Re": "spf"}[field[:2]]
    got = mail([(field + ("; spf=pass" if key == "results" else "")).replace("%d", str(i)) for i in range(1, 13)], "-s", "list_items=8")
    same("list_items ends " + key, (len(got["authentication"][key]), got.get("flags")), (8, {"truncated": True}))

# Scripts see the same.
script = FOLDER / "headers.lua"
script.write_text("""function on_mail(mail)
  local a = mail.addresses
  log("seen", {from = a.from[1].addr, none = #a.cc == 0, list = mail.list == nil, names = #mail.header_names, spf = mail.authentication.aligned_spf})
end
""")
got = [r for r in records(capture_of(FOLDER, [session(["From: A <a@example.net>", "To: b@example.com"])]), "--script", script) if r["_path"] == "seen"]
same("a script sees them", [{k: v for k, v in r.items() if k not in ("_path", "ts")} for r in got], [{"from": "a@example.net", "none": True, "list": True, "names": 2, "spf": "strict"}])

# Other readers of addresses, over the shared mails. (who, mail, field): why they say something else.
COMMA = "two mailboxes without a comma: Python takes the first, mailtap the last, and has the other in the name"
USER = "a word alone: RFC 5322 has no such mailbox; mail-parser takes it for a name, mailtap for a user of this host, as Python does"
COLON = "Python knows no field with a blank before its colon (RFC 5322 4.5); mailtap does"
REFUSES = "a decoded name with a line's end in it: Python refuses the whole field"
DIFFERENCES = {
    ("python", "mail/malformed-multiple-address-header-values.raw", "from"): COMMA,
    ("python", "mail/qp-utf8-header-recursed.raw", "from"): REFUSES,
    ("python", "malformed/019.eml", "to"): COLON,
    ("mail-parser", "rfc/001.eml", "from"): USER,
    ("mail-parser", "rfc/001.eml", "to"): USER,
    ("mail-parser", "rfc/004.eml", "from"): USER,
    ("mail-parser", "rfc/004.eml", "to"): USER,
}
KEYS = ("from", "sender", "reply_to", "to", "cc", "bcc")
SINGLE = ("from", "sender", "reply_to")  # the last one counts


def folded(addr):
    local, at, domain = (addr or "").rpartition("@")
    return local + at + domain.lower() if at else addr or ""


def unknown(name):
    """Bytes without a charset, which the others leave as they are, and mailtap reads as windows-1252."""
    raw = name.encode("utf-8", "surrogateescape")
    try:
        return plain(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return plain(raw.decode("windows-1252", "replace"))


def ours(record, key):
    return [(plain(m.get("name")), m.get("addr", ""), plain(m.get("group"))) for m in record.get("addresses", {}).get(key, [])]


def of_group(name, members):
    return [(n, a, name) for n, a in members] or [("", "", name)]


def by_python(value, text):
    """Of one field that Python has read out of that text. email.headerregistry leaves out names in comments, as mailers wrote them once; email.utils has them."""
    found = []
    for g in value.groups:
        members = [(unknown(a.display_name), "" if a.addr_spec == "<>" else folded(a.addr_spec)) for a in g.addresses]
        found += of_group(unknown(g.display_name or ""), members)
    if len(found) == 1 and not found[0][0]:
        found = [(plain(email.utils.parseaddr(text)[0]), *found[0][1:])]
    return [m for m in found if any(m)]


def python_fields(raw, key):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    try:
        name = key.replace("_", "-")
        texts = [str(v) for n, v in message.raw_items() if n.lower() == name]
        values = [v for v in map(by_python, message.get_all(name, []), texts) if v]
        values = values[-1:] if key in SINGLE else values
    except (ValueError, email.errors.HeaderParseError):
        return [("refused", "", "")]
    return sum(values, [])


def parser_fields(path, key):
    found = []
    for header in json.loads(path.with_suffix(".json").read_bytes())["parts"][0]["headers"]:
        value = header["value"].get("Address") if isinstance(header["value"], dict) else None
        if header["name"] != key or not value:
            continue
        member = lambda a: (plain(a["name"]), folded(a["address"]))
        here = [(*member(a), "") for a in value.get("List", [])]
        for g in value.get("Group", []):
            here += of_group(plain(g["name"]), [member(a) for a in g["addresses"]])
        found = here if key in SINGLE else found + here
    return found


def alike(got, want):
    """U+FFFD stands for bytes that the other reader gave up on."""
    return len(got) == len(want) and all(g[1:] == w[1:] and (g[0] == w[0] or ("\ufffd" in w[0] and len(g[0]) == len(w[0]))) for g, w in zip(got, want))


folder, index = need_shared("mail"), need_shared("captures", "INDEX.tsv")
paths = sorted(p for p in folder.rglob("*") if p.suffix in TEXTS)
capture = FOLDER / "corpus.pcap"
write_capture(capture, [p.read_bytes() for p in paths])
mails = {r.get("mailfrom"): r for r in records(capture) if r["_path"] == "smtp"}
used, faults, compared = set(), [], {}
for number, path in enumerate(paths):
    record = mails["m%d@corpus.example" % number]
    readers = [("python", lambda key: python_fields(path.read_bytes(), key))]
    if path.suffix == ".eml" and path.with_suffix(".json").exists():
        readers.append(("mail-parser", lambda key: parser_fields(path, key)))
    for who, read in readers:
        for key in KEYS:
            want, row = read(key), (who, path.parent.name + "/" + path.name, key)
            compared[who] = compared.get(who, 0) + len(want)
            if alike(ours(record, key), want):
                continue
            used.add(row)
            if row not in DIFFERENCES:
                faults.append("%r: %r, expected %r" % (row, ours(record, key), want))
ok(not faults, "shared mails name whom the others say: %s" % ", ".join("%s %d" % c for c in sorted(compared.items())), *faults)
ok(compared["python"] > 400 and compared["mail-parser"] > 150, "there are as many as there were", compared)
ok(not set(DIFFERENCES) - used, "every known difference is one", *sorted(set(DIFFERENCES) - used))

faults, count = [], 0
for row in index.read_text(encoding="utf-8").splitlines()[1:]:
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", "-s", "headers=all", "-s", "address_items=1000", index.parent / row.split("\t")[0])
    for record in (json.loads(line) for line in r.stdout.splitlines()):
        for key in KEYS if record["_path"] == "smtp" and not record.get("flags", {}).get("gap") else ():
            values = [h["value"] for h in record.get("headers", []) if h["name"].lower() == key.replace("_", "-")]
            values = values[-1:] if key in SINGLE else values
            if not all(v.isascii() for v in values):
                continue  # decoded: what was hidden may look like a sign
            want = sum((by_python(email.policy.default.header_factory(key.replace("_", "-"), v), v) for v in values), [])
            count += len(want)
            if not alike(ours(record, key), want):
                faults.append("%s: %r: %r, expected %r" % (row.split("\t")[0], values, ours(record, key), want))
ok(not faults, "so do captures: python %d" % count, *faults)
ok(count > 200, "there are as many as there were", count)

# Another reader of results.
sys.path.append("/usr/lib/python3/dist-packages")  # where Debian has it, whichever Python runs this
try:
    import authres
except ImportError:
    authres = None
LINES = {
    "example.org 1; none": None,
    "example.com; spf=pass smtp.mailfrom=example.net": None,
    "example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=pass smtp.mailfrom=example.net": None,
    "example.com; dkim=pass reason=\"good signature\" header.i=@mail-router.example.net; dkim=fail reason=\"bad signature\" header.i=@newyork.example.com": None,
    "mx.google.com; dkim=pass header.i=@example.org header.s=sel header.b=AbC/dE+f; spf=pass (google.com: domain of b@example.org designates 192.0.2.1 as permitted sender)"
    " smtp.mailfrom=b@example.org; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org": None,
    "mail.example.com; dkim=pass (2048-bit key; unprotected) header.d=example.org header.i=@example.org header.b=\"AbCd/+\"; dkim-atps=neutral": None,
    "mail.example.com; iprev=pass policy.iprev=192.0.2.1 (mail.example.org)": None,
    "gmx.net; dkim=pass header.i=@proxforge.de": None,
    "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; dkim=pass (signature was verified) header.d=example.org":
        "no authserv-id, as Exchange Online writes it: authres takes \"spf\" for one and refuses the rest",
    "mx.example.com; dmarc=pass action=none header.from=example.org; compauth=pass reason=100":
        "a property without a ptype, as Exchange writes it: authres refuses the whole field",
    "mx.yahoo.com; dkim=pass header.i=@example.org; dmarc=pass(p=REJECT) header.from=example.org;":
        "a semicolon at the end, as Yahoo writes it: authres refuses the whole field",
}


def by_authres(line):
    try:
        header = authres.all_features().parse_value(line)
    except authres.core.AuthResError as e:
        return repr(e)
    found = [(r.method, r.result, r.reason, ["%s.%s=%s" % (p.type, p.name, p.value) for p in r.properties]) for r in header.results]
    return [(header.authserv_id, *f) for f in found] or [(header.authserv_id, None, "none", None, [])]


if authres:
    for line, why in LINES.items():
        got = [(r.get("authserv_id"), r.get("method"), r["result"], r.get("reason"), r.get("properties", []))
               for r in mail(["Authentication-Results: " + line])["authentication"]["results"]]
        want = by_authres(line)
        ok((got == want) == (why is None), "authres%s: %s" % (" does not say so, " + why if why else "", line[:60]), "got  %r" % (got,), "want %r" % (want,))
else:
    skip("results as authres reads them", "python3-authres is not installed")

validator = jsonschema.Draft202012Validator(json.loads(mailtap("schema").stdout))
invalid = [e.message for r in seen for e in validator.iter_errors(r)]
ok(not invalid, "%d records fit the schema" % len(seen), *invalid[:5])
done()
