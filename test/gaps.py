#!/usr/bin/env python3
"""Fifty real mails, each amid two others in a connection, with a gap that begins at every offset, and one side alone: gaps-run.c says what must hold.

gaps.py MAILTAP GAPS-RUN            the test: some of the offsets
gaps.py MAILTAP GAPS-RUN --hunt     all offsets, larger mails too
"""
import subprocess
import sys

from tap import need_shared

FILES, RUNS = 50, 60000


def mails(largest):
    """Some of each size and collection, always the same."""
    found = sorted((p.stat().st_size, str(p)) for p in need_shared("mail").rglob("*") if p.suffix in (".eml", ".msg", ".raw"))
    found = [f for f in found if 200 <= f[0] <= largest]
    return [found[i * len(found) // FILES] for i in range(FILES)]


def main():
    hunt = "--hunt" in sys.argv
    chosen = mails(60000 if hunt else 8000)
    # Three ways to send it and six lengths of gaps; the two other mails and all replies have some 3500 bytes.
    offsets = 18 * sum(size + 3500 for size, _ in chosen)
    every = 1 if hunt else offsets // RUNS
    sys.exit(subprocess.run([sys.argv[2], str(every), *(path for _, path in chosen)]).returncode)


main()
