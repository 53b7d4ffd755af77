"""Every C file is as clang-format leaves it."""
import shutil
import subprocess

from tap import SOURCE, done, ok, skip


def main():
    files = sorted(p for folder in ("src", "test", "bench") for p in (SOURCE / folder).glob("**/*.[ch]"))
    if not shutil.which("clang-format"):
        skip("every file is formatted", "clang-format is not installed")
        done()
    r = subprocess.run(["clang-format", "--dry-run", "--Werror", *files], capture_output=True, text=True)
    ok(r.returncode == 0, "%d files are as clang-format leaves them" % len(files), r.stderr[:2000])
    done()


main()
