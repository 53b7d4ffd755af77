#!/usr/bin/python3
"""Agents: data/agents.yaml against real texts with what they say (agents.tsv), and against itself: a row for each example, an
example for each row, the kinds that its head explains."""
import re
import subprocess
import sys

from tap import SHARED, SOURCE, done, ok, skip

RUN = sys.argv[2]
DATA = SOURCE / "data/agents.yaml"
GREET = ("mta", "security_gateway", "hosted")


def asked(lines, data=DATA):
    """(name, version, kind) of each (side, text)."""
    r = subprocess.run([RUN, str(data)], input="".join("%s\t%s\n" % line for line in lines).encode("utf-8", "surrogateescape"),
                       capture_output=True, timeout=50)
    if r.returncode:
        ok(False, "agents-run ends well", r.stderr.decode(errors="replace")[-3000:])
        done()
    return [tuple(line.split("\t")) for line in r.stdout.decode("utf-8", "surrogateescape").splitlines()]


def rows_of(path):
    """name, kind, examples; the file has a row a line."""
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.startswith("- "):
            continue
        m = re.match(r"- \{name: (?:'([^']+)'|([^',]+)), kind: (\w+), pattern: '([^']+)', (?:version: '[^']+', )?example: (.+)\}$", line)
        if not m:
            ok(False, "agents.yaml:%d is a row as all are, with an example" % number, line)
            continue
        texts = [a or b for a, b in re.findall(r"'([^']*)'|\"([^\"]*)\"", m[5])]
        rows.append((m[1] or m[2], m[3], texts))
    return rows


def own_examples(rows):
    lines = [("greeting" if kind in GREET else "agent", text) for _, kind, texts in rows for text in texts]
    want = [(name, kind) for name, kind, texts in rows for _ in texts]
    got = [(name, kind) for name, _, kind in asked(lines)]
    wrong = ["%s: wanted %s, got %s" % (line[1], w, g) for line, w, g in zip(lines, want, got) if w != g]
    ok(len(got) == len(want) and not wrong, "each of %d examples is what its row says" % len(want), "\n".join(wrong))
    ok(all(texts for _, _, texts in rows), "each of %d rows has an example" % len(rows))


def head_explains(rows):
    head = DATA.read_text().split("\n- ")[0]
    explained = set(re.findall(r"^#            (\w+)  +\w", head, re.M))
    used = {kind for _, kind, _ in rows}
    ok(used == explained, "the head explains the kinds that are used, and no other", "%s\n%s" % (sorted(used), sorted(explained)))


def truths():
    """Texts of other sources than the table, with what a person reads in them."""
    want, lines = [], []
    for line in (SOURCE / "test/agents.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            side, name, version, kind, text = line.split("\t")
            lines.append((side, text))
            want.append((name, version, kind))
    wrong = ["%s: wanted %s, got %s" % (line[1], w, g) for line, w, g in zip(lines, want, asked(lines)) if w != g]
    ok(len(lines) > 80 and not wrong, "%d texts say what a person reads in them" % len(lines), "\n".join(wrong))


def real_mails():
    """Nearly all that real mails name is known; nothing in them upsets the matcher."""
    if not (SHARED / "mail").exists():
        skip("user agents of real mails", "%s is not there: set MAILTAP_SHARED" % SHARED)
        return
    texts = set()
    for path in (SHARED / "mail").rglob("*"):
        if path.is_file():
            for m in re.finditer(rb"^(?:User-Agent|X-Mailer):[ \t]*([^\r\n]+)", path.read_bytes(), re.M | re.I):
                texts.add(m[1].decode("utf-8", "surrogateescape").replace("</field>", "").strip())
    texts = sorted(texts)
    got = asked([("agent", t) for t in texts])
    unknown = [t for t, g in zip(texts, got) if g[2] == "-"]
    ok(texts and len(unknown) <= len(texts) * 0.1, "of %d user agents of real mails nine in ten are known" % len(texts), "\n".join(unknown))


rows = rows_of(DATA)
own_examples(rows)
head_explains(rows)
truths()
real_mails()
done()
