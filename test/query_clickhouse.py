#!/usr/bin/python3
"""Questions to tables of ClickHouse, by a real server: the lines that `read -f json` prints, and what each query means, as test/query.py has it for day
files. The second argument is test/query-run."""
import sys
import tempfile
from pathlib import Path

import clickhouses
import queries
from tap import SHARED, SOURCE, done, mailtap, ok, skip

SETTINGS = ("-s", "headers=all", "-s", "hash=all", "-s", "mail_path_capture=all", "-s", "local_nets=10.0.0.0/8,192.168.0.0/16")
# Some whose records are of few days, each of which is a part of the tables' own, and which have all of what queries look at.
CAPTURES = ("ssl_state__ssl_state.*", "ntop+nDPI/smtp.pcap", "http__connect-with-smtp.pcap", "smtp__smtp-bdat-*", "smtp-errors__smtperr.pcap", "priority__smtp-lorem.pcap",
            "bug-6207-1__input.*", "smtp-subject-8859-b.pcap", "arkime_synthetic.pcap", "mail_sender_server_2.pcapng", "smtp_capture.pcapng", "*smtp-multi-mail.pcap", "evidence02*")


def captures():
    folder = SHARED / "captures"
    return sorted({p for name in CAPTURES for p in (folder.rglob(name.split("/")[-1]) if folder.exists() else ()) if p.is_file() and p.match("*/" + name)})


def load(folder, url):
    """-> the lines that are printed of them."""
    printed = []
    for some, sensor in (([SOURCE / "samples/border.pcap"], "Berlin-1"), (captures(), "")):
        args = ["read", *some, *SETTINGS, "-s", "sensor=" + sensor]
        if some:
            printed += mailtap(*args, "-f", "json", timeout=240).stdout.decode().split("\n")[:-1]
            r = mailtap(*args, "-s", "outbox_directory=%s" % (folder / "outbox"), "-s", "carry_wait=180s", "-s", "carry_timeout=120s", "-o", url, timeout=240)
            ok(r.returncode in (0, 1) and b"wait in" not in r.stderr, "captures go into tables", r.returncode, r.stderr.decode(errors="replace"))
    return printed


def whole(url, printed):
    r = mailtap("query", url, "", "-f", "json", "--oldest", "--stream", "all")
    got, wanted = r.stdout.decode().split("\n")[:-1], set(printed)
    ok(r.returncode == 0 and set(got) == wanted and len(got) == len(set(got)), "the tables give the %d lines that read prints" % len(wanted), r.stderr.decode(), len(got),
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
