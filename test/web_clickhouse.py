"""mailtap web over the tables of a real ClickHouse: the checks of test/api.py, whose numbers come of whole records, with the same captures; what else differs from a folder: who
decides of notices where, a server that is away, who logs in. Then each view of the page, once."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import api
import clickhouses
import waiting
from apiserver import Server
from tap import MAILTAP, SOURCE, done, mailtap, ok

USER = ["-s", "carry_user=mail"]


def load(folder, server, database, files):
    server.ask("CREATE DATABASE " + database)
    return api.fill("clickhouse://127.0.0.1:%d/%s" % (server.http, database), files, "-s", "outbox_directory=%s" % (folder / "outbox"), "-s", "carry_timeout=120s", "-s", "carry_wait=180s")


def main():
    if not clickhouses.SERVER:
        print("1..0 # SKIP there is no clickhouse-server here")
        sys.exit(0)
    with tempfile.TemporaryDirectory(prefix="mailtap-web-clickhouse-") as name:
        folder = Path(name)
        http, tcp = clickhouses.free_ports(2)
        clickhouse = clickhouses.Server(folder / "server", http, tcp)
        try:
            ok(clickhouse.start(), "a server of ClickHouse begins")
            lines = load(folder, clickhouse, "store", api.captures())
            marks = folder / "marks"
            marks.mkdir()
            web = Server("clickhouse://127.0.0.1:%d/store" % http, "-s", "web_directory=%s" % marks)
            api.checks(web, lines, lambda i: i >> 10)
            web.close()
        finally:
            clickhouse.kill()
    done()


if __name__ == "__main__":
    main()
