#!/usr/bin/python3
"""Questions to tables of ClickHouse, by a real server: the lines that `read -f json` prints, and what each query means, as test/query.py has it for day
files. The second argument is test/query-run."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import clickhouses
import queries
from tap import SHARED, SOURCE, done, mailtap, ok, skip

SETTINGS = ("-s", "headers=all", "-s", "hash=all", "-s", "mail_path_capture=all", "-s", "local_nets=10.0.0.0/8,192.168.0.0/16")
SCRIPT = """
function on_mail(mail)
  log("seen", { subject = mail.subject, quote = 'a "b" \\\\ c', many = { "x", "y" } })
end
"""


def captures():
    every = sorted(p for p in (SHARED / "captures").rglob("*") if p.is_file() and p.suffix not in (".tsv", ".md")) if SHARED.exists() else []
    return every + [SOURCE / "samples/border.pcap"]


def load(folder, url):
    """-> the lines that are printed of them."""
    printed = []
    (folder / "s.lua").write_text(SCRIPT)
    for some, sensor in ((captures()[::2], "Berlin-1"), (captures()[1::2], "")):
        if not some:
            continue
        args = ["read", *some, *SETTINGS, "-s", "sensor=" + sensor, "--script", folder / "s.lua"]
        printed += mailtap(*args, "-f", "json", timeout=240).stdout.decode().split("\n")[:-1]
        r = mailtap(*args, "-s", "outbox_directory=%s" % (folder / "outbox"), "-s", "carry_wait=180s", "-s", "carry_timeout=120s", "-o", url, timeout=240)
        ok(r.returncode in (0, 1) and b"wait in" not in r.stderr, "captures go into tables", r.returncode, r.stderr.decode(errors="replace"))
    return printed


def whole(url, printed):
    r = mailtap("query", url, "", "-f", "json", "--oldest", "--stream", "all")
    got, wanted = r.stdout.decode().split("\n")[:-1], set(printed)
    ok(r.returncode == 0 and set(got) == wanted and len(got) == len(set(got)), "all tables give the lines that read prints", r.stderr.decode(), len(got), len(wanted),
       *sorted(set(got) - wanted)[:3], "missing", *sorted(wanted - set(got))[:3])


def main():
    print("# SEED=%d" % queries.SEED, flush=True)
    if not clickhouses.SERVER:
        skip("a real server", "no clickhouse-server is installed (tools/install-deps test)")
        done()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        http, tcp = clickhouses.free_ports(2)
        server = clickhouses.Server(folder / "server", http, tcp)
        url = "clickhouse://127.0.0.1:%d/mail" % http
        try:
            if ok(server.start(), "a server starts"):
                printed = load(folder, url)
                whole(url, printed)
                store = queries.Store(sys.argv[2], url, lambda i: i >> 10)
                queries.hold(store, 0.5)
                store.close()
        finally:
            server.kill()
    done()


main()
