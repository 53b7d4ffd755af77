#!/usr/bin/python3
"""Holds files and functions to their sizes. usage: tools/limits.py [--list]

A .c file has at most 600 lines (aim at 400), a header 150, a function 100 (aim at 60). --list shows what is over the aim."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST = {".c": 600, ".h": 150, "function": 100}
AIM = {".c": 400, ".h": 150, "function": 60}


def functions(lines):
    """Name, first line and length of each: from a brace in column 0 to its end in column 0."""
    start = None
    for i, line in enumerate(lines):
        if line == "{":
            start = i
        elif line == "}" and start is not None:
            head = "\n".join(lines[max(0, start - 4):start])
            name = re.findall(r"(\w+)\(", head)
            yield name[-1] if name else "?", start + 1, i - start + 1
            start = None


def sizes():
    for path in sorted([*ROOT.glob("src/**/*.[ch]"), *ROOT.glob("test/**/*.[ch]"), *ROOT.glob("bench/*.c")]):
        lines = path.read_text().splitlines()
        name = str(path.relative_to(ROOT))
        # A header of the tests holds functions, which no other file links.
        yield name, ".c" if name.startswith("test/unit") else path.suffix, len(lines)
        for function, line, length in functions(lines):
            yield "%s:%d %s" % (name, line, function), "function", length


def main():
    over = [s for s in sizes() if s[2] > MOST[s[1]]]
    if "--list" in sys.argv:
        over = [s for s in sizes() if s[2] > AIM[s[1]]]
    for name, kind, length in over:
        print("%s: %d lines; a %s has %d at most" % (name, length, kind, MOST[kind]))
    if not over:
        print("every file and function is small enough")
    return bool(over) and "--list" not in sys.argv


sys.exit(main())
