"""No Python file uses a name that nothing defines, or has one that nothing uses: else a test's rarest branch fails by itself."""
import shutil
import subprocess

from tap import SOURCE, done, ok, skip


def is_python(path):
    with path.open("rb") as f:
        first = f.readline(80)
    return path.suffix == ".py" or first.startswith(b"#!") and b"python3" in first


def main():
    files = sorted(p for folder in ("test", "bench", "tools", "contrib", "page") for p in (SOURCE / folder).glob("**/*")
                   if p.is_file() and "node_modules" not in p.parts and is_python(p))
    if not shutil.which("pyflakes3"):
        skip("every Python file passes pyflakes", "pyflakes3 is not installed")
        done()
    r = subprocess.run(["pyflakes3", *files], capture_output=True, text=True)
    ok(len(files) > 100 and r.returncode == 0, "%d Python files pass pyflakes" % len(files), r.stdout[:2000], r.stderr[:2000])
    done()


main()
