#!/usr/bin/python3
"""The page, in a browser, over stores that the test makes: test/page.mjs says what is looked at. Also page/test, by node --test."""
import atexit
import base64
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nodes
import pagehostile
import waiting
from tap import MAILTAP, SOURCE, done, mailtap, ok

SAMPLES = SOURCE / "samples"
SHOTS = Path(MAILTAP).resolve().parent / "page-shots"
SINCE, UNTIL = 1794783600, 1795388400  # of samples/week.pcap.zst
SECONDS = 280  # for all of the browser's checks; a machine with nothing else to do takes a fifth of it
USERS = {"anna": ("full", "correct horse"), "bruno": ("redacted", "battery staple")}


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class Server:
    """mailtap web; `base` is its address, `said` what it wrote."""

    def __init__(self, store, *options):
        self.said, self.base = [], None
        self.process = subprocess.Popen([MAILTAP, "web", store, "--listen", "127.0.0.1:0", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))  # no process may look into a confined one
        atexit.register(end, self.process)
        threading.Thread(target=self.listen, daemon=True).start()
        if not waiting.until(lambda: self.base or self.process.poll() is not None) or not self.base:
            raise RuntimeError("mailtap web says no address: %s" % self.said)

    def listen(self):
        for line in self.process.stdout:
            self.said.append(line)
            found = re.search(r"https?://[\w.:\[\]-]+", line)
            if found and not self.base:
                self.base = found[0].rstrip("/")

    def close(self):
        code = end(self.process)
        ok(code == 0 and not any("Sanitizer" in line or "runtime error" in line for line in self.said), "mailtap web ends well", code, *self.said[-40:])


def store_of(folder, capture, *more):
    r = mailtap("read", *more, "-c", SAMPLES / "week.yaml", "--script", SOURCE / "scripts/password-phish.lua", "-o", "sqlite:%s" % folder, capture)
    ok(r.returncode == 0 and list(Path(folder).glob("*.sqlite")), "mailtap read puts %s into a store" % capture.name, r.stderr.decode())


def scrypt(password):
    """A line of the users' file, cheap to check."""
    plain = lambda data: base64.b64encode(data).decode().rstrip("=")
    salt = b"sixteen bytes, i"
    return "$scrypt$ln=10,r=8,p=1$%s$%s" % (plain(salt), plain(hashlib.scrypt(password.encode(), salt=salt, n=1 << 10, r=8, p=1, dklen=32)))


def secured(folder):
    """What makes web ask who one is: a certificate, and users."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    (folder / "users.yaml").write_text("".join("- {name: %s, role: %s, password: \"%s\"}\n" % (name, role, scrypt(password)) for name, (role, password) in USERS.items()))
    for file in ("key.pem", "users.yaml"):
        (folder / file).chmod(0o600)
    settings = {"web_certificate": "cert.pem", "web_key": "key.pem", "web_users": "users.yaml"}
    return [a for name, file in settings.items() for a in ("-s", "%s=%s" % (name, folder / file))]


def now(folder, number, subject, reply="250 ok", age=60):
    """A capture of one mail of this minute, or some seconds ago."""
    text, capture = folder / ("now%d.txt" % number), folder / ("now%d.pcap" % number)
    text.write_text("\n".join(["@client 198.51.100.%d:40000" % number, "@time %d" % (time.time() - age + number), "S: 220 mx.example.org ESMTP", "C: HELO a.example.net", "S: 250 ok", "C: MAIL FROM:<a@example.net>",
                               "S: 250 ok", "C: RCPT TO:<b@example.org>", "S: 250 ok", "C: DATA", "S: 354 go", "C: Subject: " + subject, "C:", "C: text", "C: .", "S: " + reply, "C: QUIT", "S: 221 bye", ""]))
    subprocess.run([sys.executable, SOURCE / "tools/mkpcap", capture, text], check=True)
    return capture


def sensors(folder):
    """A store of two sensors: one fares well, the other lost packets and has told nothing of itself for 20 minutes. A day
    that the last half hour reaches has a file, by a mail."""
    refused = "554 5.7.1 Service unavailable; Client host [198.51.100.11] blocked using zen.spamhaus.org"
    for sensor, numbers in (("mx-north", (10, 11, 12)), ("mx-south", (11,))):
        for number in numbers:
            store_of(folder / "sensors", now(folder, number, "mail %d" % number, refused if number == 11 else "250 ok", 1800 if number == 12 else 60), "-s", "sensor=" + sensor)
    at = time.time()
    rows = [(at - 60 * n - 20, "mx-north", 50000 - 1000 * n, 0) for n in range(30)] + [(at - 60 * n - 20, "mx-south", 20000 - 100 * n, 2000 - 40 * n) for n in range(20, 30)]
    for when, sensor, packets, drops in rows:
        day = folder / "sensors" / time.strftime("%Y-%m-%d.sqlite", time.gmtime(when))
        db = sqlite3.connect(day)
        db.execute("INSERT INTO stats(id, ts, sensor, packets, kernel_drops, mails, sessions) VALUES(?, ?, ?, ?, ?, 0, 0)", (int(when * 1e6) + len(sensor) + (sensor == "mx-south"), int(when * 1e6), sensor, packets, drops))
        db.commit()
        db.close()
    return folder / "sensors"


def of_node():
    """Those of the page's parts that need no browser."""
    tests = sorted((nodes.PAGE / "test").glob("*.test.mjs"))
    if not tests:
        return
    r = subprocess.run(["node", "--test", "--test-reporter=tap", *tests], capture_output=True, text=True, timeout=60)
    for result, name in re.findall(r"^ *(not ok|ok) \d+ - (.*)$", r.stdout, re.M):
        if not name.endswith(".mjs"):
            ok(result == "ok", "node: " + name.partition(" # ")[0], r.stdout if result != "ok" else "")
    ok(r.returncode == 0, "node --test page/test", r.stdout[-3000:])


def in_browser(given, parts=None):
    p = subprocess.Popen(["node", SOURCE / "test/page.mjs", json.dumps(given), *(parts or os.environ.get("PAGE_PARTS", "").split())], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watch = threading.Timer(SECONDS, p.kill)
    watch.start()
    errors = []
    reader = threading.Thread(target=lambda: errors.extend(p.stderr))
    reader.start()
    for line in p.stdout:
        if not line.startswith("{"):
            print("# " + line, end="")
            continue
        check = json.loads(line)
        ok(check["ok"], check["name"], *check["details"])
    code = p.wait()
    watch.cancel()
    reader.join()
    ok(code == 0, "node test/page.mjs comes to its end within %d s" % SECONDS, code, *errors[-20:])


def chromium():
    return next((shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)), None)


def lacking():
    """What a browser's checks want and is not here, or None."""
    program = nodes.missing("node", "npm") or (None if chromium() else "chromium")
    if program:
        return "there is no %s here" % program
    return "playwright-core wants node 20, here is %d" % nodes.version() if nodes.version() < 20 else None


def main():
    if lacking():
        print("1..0 # SKIP " + lacking())
        sys.exit(0)
    if not nodes.packages():
        done()
    of_node()
    with tempfile.TemporaryDirectory(prefix="mailtap-page-") as name:
        folder = Path(name)
        for capture in (SAMPLES / "week.pcap.zst", pagehostile.captures(folder)):
            store_of(folder / "store", capture)
        store_of(folder / "live", now(folder, 1, "the first mail"))
        servers = [Server(folder / "store"), Server(folder / "store", *secured(folder)), Server(folder / "live"), Server(sensors(folder))]
        more = [MAILTAP, "read", "-o", "sqlite:%s" % (folder / "live"), now(folder, 2, "the second mail")]
        in_browser({"base": servers[0].base, "secure": servers[1].base, "users": {name: password for name, (_, password) in USERS.items()}, "shots": str(SHOTS), "live": {"base": servers[2].base, "more": [str(a) for a in more]},
                    "sensors": servers[3].base, "chromium": chromium(), "since": SINCE, "until": UNTIL})
        for server in servers:
            server.close()
    done()


if __name__ == "__main__":
    main()
