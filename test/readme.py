"""The README promises nothing that is not so: its sample output, its commands, its links."""
import os
import re
import signal
import subprocess
import tempfile
import threading
import urllib.request
from pathlib import Path

from tap import MAILTAP, SOURCE, done, mailtap, ok

TEXT = (SOURCE / "README.md").read_text()


def make_run():
    """What `make run` does once it has built: prints the morning, and shows the week, its last line being where."""
    with tempfile.TemporaryDirectory(prefix="mailtap-run-") as name:
        built = Path(name) / "mailtap"
        built.symlink_to(Path(MAILTAP).resolve())
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        env["ASAN_OPTIONS"] = "detect_leaks=0"  # no process may look into a confined one
        p = subprocess.Popen(["make", "-s", "-C", SOURCE, "-o", built, "run", "BUILD=" + name, "LISTEN=127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env=env, text=True, start_new_session=True)
        late = threading.Timer(40, os.killpg, (p.pid, signal.SIGKILL))
        late.start()
        try:
            lines = []
            for line in p.stdout:
                lines.append(line)
                if "http://127.0.0.1:" in line:
                    break
            address = re.search(r"http://[\d.:]+/", lines[-1] if lines else "")
            ok(any("Page proofs of chapter 4" in line for line in lines), "make run prints the mails of the morning", *lines[-20:])
            ok(address, "its last line is the page's address", *lines[-3:])
            page = urllib.request.urlopen(address[0], timeout=20).read().decode() if address else ""
            ok("<title>mailtap</title>" in page and "/page.js" in page, "where the page is", page)
            ok(len(list((Path(name) / "sample").glob("20*.sqlite"))) == 8, "of the week's days")
        finally:
            late.cancel()
            os.killpg(p.pid, signal.SIGTERM)
            p.communicate(timeout=20)


def main():
    shown = [l for l in re.search(r"^```\n(.*?)^```", TEXT, re.S | re.M)[1].splitlines() if l]
    printed = mailtap("read", "-f", "text", SOURCE / "samples/border.pcap").stdout.decode().splitlines()
    ok(len(shown) >= 5, "the README shows output")
    for line in shown:
        ok(line in printed, "is printed: " + line[:60], line)
    help_text = mailtap("--help").stdout.decode()
    for option in re.findall(r"^\| `(-[a-z-]+)", TEXT, re.M):
        ok(option in help_text, "the help knows " + option, help_text)
    for page in ("README.md", "ARCHITECTURE.md", "HACKING.md"):
        for link in re.findall(r"\]\(([^)#]+)", (SOURCE / page).read_text()):
            ok((SOURCE / link).exists(), "%s: %s exists" % (page, link))
        for path in re.findall(r"`((?:src|test|tools|samples|docs|bench)/[\w./-]*\w)`", (SOURCE / page).read_text()):
            ok((SOURCE / path).exists(), "%s: %s exists" % (page, path))
    makefile = (SOURCE / "Makefile").read_text()
    for target in set(re.findall(r"`?make (run|page|test|bench|install)\b", TEXT)):
        ok(re.search(r"^%s:" % target, makefile, re.M), "make knows " + target)
    make_run()
    done()


main()
