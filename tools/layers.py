#!/usr/bin/python3
"""Checks that every file under src/ includes only its own folder and those that the table permits. usage: tools/layers.py

The table is the one in ARCHITECTURE.md; where both differ, that is an error too."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAY = {
    "base": [],
    "capture": ["base"],
    "decode": ["base", "capture"],
    "flow": ["base", "decode"],
    "mail": ["base"],
    "record": ["base", "mail"],
    "rule": ["base", "mail", "record"],
    "script": ["base", "mail", "record"],
    "sink": ["base", "mail", "record"],
    "query": ["base"],
    "view": ["base", "record", "sink", "query"],
    "store": ["base", "record", "sink", "query", "view"],
    "clickhouse": ["base", "record", "sink", "query", "view"],
    "carrier": ["base", "record", "sink", "clickhouse"],
    "load": ["base", "sink", "clickhouse", "carrier"],
    "courier": ["base"],
    "web": ["base", "query", "view", "store"],
}


def faults_of(path):
    folder = path.parent.name
    for number, line in enumerate(path.read_text().splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not m:
            continue
        target = m.group(1).split("/")[0] if "/" in m.group(1) else None
        where = "%s:%d" % (path.relative_to(ROOT), number)
        if path.parent == ROOT / "src":
            continue
        if target is None:
            yield "%s: %s: say the folder" % (where, m.group(1))
        elif target != folder and target not in MAY[folder]:
            yield "%s: %s/ may not include %s/" % (where, folder, target)


def table_faults():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for folder, allowed in MAY.items():
        row = re.search(r"^\| `%s/` \|[^|]*\| ([^|]*) \|" % folder, text, re.M)
        said = re.findall(r"\w+", row.group(1)) if row else None
        if said != allowed:
            yield "ARCHITECTURE.md: the row of %s/ says %s, tools/layers.py %s" % (folder, said, allowed)


def main():
    faults = list(table_faults())
    for folder in sorted(p for p in (ROOT / "src").iterdir() if p.is_dir()):
        if folder.name not in MAY:
            faults.append("src/%s/: not in the table of tools/layers.py" % folder.name)
            continue
        for path in sorted(folder.glob("*.[ch]")):
            faults += faults_of(path)
    print("\n".join(faults) or "every include is permitted")
    return bool(faults)


sys.exit(main())
