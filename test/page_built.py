"""page/built is what page/src makes, byte for byte; its packages are fixed and their licences told."""
import json
import re
import subprocess
import tempfile
from pathlib import Path

import nodes
from tap import SOURCE, done, ok, skip

PAGE = SOURCE / "page"
BUILT = PAGE / "built"
FILES = ["favicon.svg", "index.html", "licences.txt", "page.css", "page.js"]
# What makes elements or code of text.
UNSAFE = r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|parseFromString|document\.write|\beval\(|new Function|javascript:"


def locked():
    about, lock = json.loads((PAGE / "package.json").read_text()), json.loads((PAGE / "package-lock.json").read_text())
    wanted = {**about["dependencies"], **about["devDependencies"]}
    ok(all(re.fullmatch(r"\d+\.\d+\.\d+", v) for v in wanted.values()), "package.json names exact versions", wanted)
    rows = {k: v for k, v in lock["packages"].items() if k}
    ok(all(rows["node_modules/" + n]["version"] == v for n, v in wanted.items()), "package-lock.json has them")
    ok(all("integrity" in r for r in rows.values()), "with a hash for each package")
    ok("http" not in (PAGE / "package-lock.json").read_text(), "and no registry")
    return about["dependencies"]


def imported():
    """Packages that page/src names; in style sheets a file beside one is none."""
    sources = [p for p in (PAGE / "src").rglob("*") if p.suffix in (".js", ".css")]
    names = {(p, m[1]) for p in sources for m in re.finditer(r"""(?:\bfrom|\bimport)\s*["']([\w@][^"':]*)["']""", p.read_text())}
    return {re.match(r"(@[^/]+/)?[^/]+", name)[0] for p, name in names if not (p.parent / name).exists()}


def committed(dependencies):
    ok(sorted(p.name for p in BUILT.iterdir()) == FILES, "page/built has its files", *BUILT.iterdir())
    page = (BUILT / "index.html").read_text()
    ok(not re.search(r"(src|href)=\"(?!/[\w.-]+\")|<script(?![^>]* src=)|<style|\bon\w+=|\bstyle=", page),
       "index.html has nothing inline, and nothing of another host", page)
    size = (BUILT / "page.js").stat().st_size
    ok(size < 500000, "page.js is small", size)
    told = re.findall(r"^(\S+) \d+\.\d+\.\d+ \(\S+\)$", (BUILT / "licences.txt").read_text(), re.M)
    ok(imported() <= set(dependencies), "what page/src imports stands in package.json", imported())
    ok(imported() <= set(told), "licences.txt has it", told)
    heads = (BUILT / "page.js").read_text()[:2000] + (BUILT / "page.css").read_text()[:2000]
    ok(all(name in heads for name in told), "and so have the heads of page.js and page.css", heads)
    sources = [p for p in (PAGE / "src").rglob("*") if p.suffix in (".js", ".html")]
    found = ["%s: %s" % (p.relative_to(SOURCE), m[0]) for p in sources for m in re.finditer(UNSAFE, p.read_text())]
    ok(sources and not found, "nothing in page/src makes elements or code of text", *found)


def built_again():
    lacking = nodes.missing("node", "npm")
    if lacking:
        return skip("page/built is built again", "there is no %s here" % lacking)
    if not nodes.packages():
        return None
    with tempfile.TemporaryDirectory() as name:
        r = subprocess.run(["node", PAGE / "build.mjs", Path(name) / "again"], capture_output=True, text=True, timeout=60)
        ok(r.returncode == 0 and not r.stderr, "node page/build.mjs", r.stdout, r.stderr)
        for file in FILES:
            again = Path(name) / "again" / file
            ok(again.exists() and again.read_bytes() == (BUILT / file).read_bytes(), "page/built/%s is what is built again" % file,
               "after a change: make page")


def countries():
    """What the page calls countries is understood in a query."""
    ours = set(re.findall(r'^QUERY_COUNTRY\("(..)", "(.*)"\)$', (SOURCE / "src/query/countries.def").read_text(), re.M))
    pages = set(re.findall(r"^([A-Z]{2}) \d{3} \S+ (.+)$", (PAGE / "src/map/countries.js").read_text(), re.M))
    ok(len(pages) > 240 and pages <= ours, "names of countries stand in queries' table too", *sorted(pages - ours)[:5])


def main():
    countries()
    committed(locked())
    built_again()
    done()


main()
