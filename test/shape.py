"""The shape of the tree: who includes whom, how large files and functions are, what the file heads say."""
import re
import subprocess
import sys

from tap import SOURCE, done, ok


def run(tool):
    r = subprocess.run([sys.executable, SOURCE / "tools" / tool], capture_output=True, text=True)
    ok(r.returncode == 0, "tools/" + tool, r.stdout + r.stderr)


def main():
    run("layers.py")
    run("limits.py")
    for path in sorted((SOURCE / "src").glob("**/*.c")):
        head = path.read_text()[:1500]
        comment = re.match(r"/\* %s:(.*?)\*/" % re.escape(path.name), head, re.S)
        ok(comment and (path.name == "main.c" or re.search(r"\b(In|Out|Owns):?\b", comment[1])), "%s opens with what it is" % path.name, head[:200])
    built = (SOURCE / "src/meson.build").read_text() + (SOURCE / "meson.build").read_text()
    for path in sorted((SOURCE / "src").glob("**/*.c")):
        ok(path.name in built, "%s is built" % path.name)
    done()


main()
