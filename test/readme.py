"""The README promises nothing that is not so: its sample output, its commands, its links."""
import re

from tap import SOURCE, done, mailtap, ok

TEXT = (SOURCE / "README.md").read_text()


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
    for target in set(re.findall(r"`?make (run|test|bench|install)\b", TEXT)):
        ok(re.search(r"^%s:" % target, makefile, re.M), "make knows " + target)
    done()


main()
