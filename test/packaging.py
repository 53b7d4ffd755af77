"""What stands around the binary: the man page, the completions, the unit, the sample of settings, make install."""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tap import MAILTAP, SOURCE, done, mailtap, ok, skip

MAILTAP = os.path.abspath(MAILTAP)
DIST = SOURCE / "dist"
HELP = mailtap("--help").stdout.decode()
# command: the options that its line of the usage text names
USAGE = {c: re.findall(r"\[(--?[a-z-]+)", rest) for c, rest in re.findall(r"^(?:usage:)? +mailtap ([a-z]+)(.*)$", HELP, re.M)}
SETTINGS = re.findall(r"^(\w+):", mailtap("settings").stdout.decode(), re.M)
BASH_TEST = r"""
compopt() { :; }
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_mailtap mailtap "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""
ZSH_TEST = r"""
compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -l -- ${(M)@:#$PREFIX*}; }
_files() { print FILES "$@"; }
_users() { print -l root; }
. "$1"; shift
words=("$@"); CURRENT=$#; PREFIX=$words[CURRENT]
_mailtap
"""


def run(*command, **options):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, **options)


def installed(folder):
    """Configures a build folder without building it, and takes what it makes of dist/."""
    r = run("meson", "setup", folder / "build", SOURCE, "--prefix=/usr")
    ok(r.returncode == 0, "meson configures", r.stdout[-2000:], r.stderr)
    return folder / "build/dist"


def of_man_page(page, folder):
    source = page.read_text()
    text = run("man", "-l", page, env=dict(os.environ, MANWIDTH="1000", MAN_KEEP_FORMATTING="", LC_ALL="C.UTF-8")).stdout
    if not text:
        return skip("the man page", "no man here")
    r = run("man", "--warnings", "-l", page, env=dict(os.environ, LC_ALL="C.UTF-8"))
    ok(r.returncode == 0 and not r.stderr, "man has no complaint", r.stderr)
    if shutil.which("mandoc"):
        lint = run("mandoc", "-Tlint", "-W", "warning", page)
        ok(lint.returncode == 0, "mandoc has no complaint", lint.stdout)
    ok("@" not in source, "the man page names the paths of the installation")
    for command, options in USAGE.items():
        ok(re.search(r"^ +mailtap (.* )?%s\b" % command, text, re.M), "the man page has command " + command, text[:1000])
        synopsis = re.search(r"^\.Cm %s\n(.*?)^\.Nm$" % command, source, re.M | re.S)
        named = ["-" + o for o in re.findall(r"^\.Op Fl (\S+)", synopsis[1] if synopsis else "", re.M)]
        ok(not options or sorted(named) == sorted(set(options)), "its options are those of the help", named, options)
    for option in set(re.findall(r"(?<!\w)--?[a-z][a-z-]*", HELP)):
        ok(re.search(r"(?<![\w-])%s\b" % option, text), "the man page has option " + option)
    for path in re.findall(r"^\.It Pa (/usr/share/mailtap/\S+)", source, re.M):
        ok(next(SOURCE.glob("*/" + Path(path).name), None) or (SOURCE / Path(path).name).is_dir(), "there is a source of " + path)
    shutil.copy(SOURCE / "samples/border.pcap", folder / "trace.pcap")
    for line in re.findall(r"^\.Dl (.*)$", source, re.M):
        line = line.replace(r"\(aq", "'").replace(r"\(dq", '"')
        if line.split()[1] == "watch": # test/service.py
            continue
        here = line.replace("/usr/share/mailtap", str(SOURCE)).replace("mailtap ", MAILTAP + " ", 1)
        (folder / "settings.yaml").write_text("local_nets: [192.0.2.0/24]\n")
        r = run("sh", "-c", here, cwd=folder)
        ok(r.returncode == 0 and (r.stdout or ">" in line or "-o" in line), "runs: " + line, r.stderr)


def completes(name, shell, script, file):
    def ask(*words):
        r = run(*shell, "-c", script, shell[0], file, MAILTAP, *words)
        return r.stdout.split(), r.stderr

    commands, err = ask("")
    ok(set(USAGE) <= set(commands) and "--version" in commands and not err, name + " completes commands", commands, err)
    options, err = ask("read", "-")
    ok(set(options) == {*USAGE["read"], "--help"} and not err, name + " completes options", options, err)
    ok(ask("read", "x.pcap", "--sc")[0] == ["--script"], name + " completes a long option", ask("read", "x.pcap", "--sc"))
    formats = ask("read", "-f", "")[0]
    ok(set(formats) == {"json", "text", "zeek", "smtp-ext", "zeek-json", "ecs", "ocsf", "eve"}, name + " completes formats", formats)
    settings, err = ask("read", "-s", "")
    ok([s.rstrip("=") for s in settings] == SETTINGS and not err, name + " completes settings", settings, err)
    ok(ask("settings", "")[0] == [], name + " has nothing behind settings", ask("settings", ""))
    ok(ask("no-such", "")[0] == [], name + " has nothing behind what is no command", ask("no-such", ""))


def of_unit(unit, folder):
    if not shutil.which("systemd-analyze") or "--offline" not in run("systemd-analyze", "--help").stdout:
        return skip("the unit is hardened", "no systemd-analyze with --offline")
    r = run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit)
    ok(r.returncode == 0 and not r.stderr, "the unit's exposure is 2.0 at most", r.stdout[-200:], r.stderr)
    copy = folder / unit.name
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=" + MAILTAP, unit.read_text()).replace("man:mailtap(1)", "https://example.org/"))
    r = run("systemd-analyze", "verify", "--man=no", copy)
    ok(r.returncode == 0 and unit.name not in r.stderr, "systemd takes the unit", r.stderr)


def of_sample(folder):
    """It is taken as it is, and with what stands in its comments."""
    sample = (DIST / "mailtap.yaml").read_text()
    (folder / "as-is.yaml").write_text(sample.replace("/var/lib/mailtap", str(folder)))
    (folder / "all.yaml").write_text(re.sub(r"(?m)^#(?=[a-z_]+:|  - )", "", sample).replace("/var/lib/mailtap", str(folder)))
    ok(len(re.findall(r"(?m)^[a-z_]+:", (folder / "all.yaml").read_text())) >= 7, "the sample has examples", (folder / "all.yaml").read_text())
    for name in ("as-is.yaml", "all.yaml"):
        r = mailtap("read", "-c", folder / name, "-s", "courier_wait=0s", SOURCE / "samples/border.pcap")
        ok(r.returncode in (0, 1) and b".yaml:" not in r.stderr, "the sample of settings is taken: " + name, r.stderr.decode()[-500:])


def of_versions():
    version = re.search(r"version: '([\d.]+)'", (SOURCE / "meson.build").read_text())[1]
    ok(mailtap("--version").stdout.decode() == "mailtap %s\n" % version, "--version says that of the project")
    changelog = (DIST / "debian/changelog").read_text()
    ok(re.match(r"mailtap \(%s\) " % re.escape(version), changelog), "the package has the version of the project", changelog[:40])
    needs = re.search(r'^build="(.*)"', (SOURCE / "tools/install-deps").read_text(), re.M)[1].split()
    control = re.search(r"^Build-Depends:(.*?)^\w", (DIST / "debian/control").read_text(), re.M | re.S)[1]
    missing = [n for n in needs if (n.endswith("-dev") and n != "libc6-dev") and n not in re.findall(r"[\w.+-]+", control)]
    ok(not missing, "the package is built with what install-deps installs", *missing)


def of_install(folder):
    """What make hands on; that it works is test/deb.py's. A changed file stays as it is."""
    rules = (DIST / "meson.build").read_text()
    missing = [p.name for p in (*SOURCE.glob("docs/*.md"), *SOURCE.glob("scripts/*.lua")) if "/%s'" % p.name not in rules]
    ok(not missing, "every page and every script is installed", *missing)
    for given, prefix, etc, to in (([], "/usr/local", "/etc", ""), (["PREFIX=/usr", "DESTDIR=/stage"], "/usr", "/etc", "/stage"),
                                   (["PREFIX=/opt/tap"], "/opt/tap", "/opt/tap/etc", "")):
        said = run("make", "-n", "-C", SOURCE, "install", *given).stdout
        ok("-Dprefix=%s -Dsysconfdir=%s\n" % (prefix, etc) in said and "DESTDIR=%s meson install" % to in said,
           "make install %s" % " ".join(given), said)
    tool = SOURCE / "tools/install-sample"
    for _ in range(2):
        r = run(tool, DIST / "mailtap.yaml", "/etc/mailtap", env=dict(os.environ, DESTDIR=str(folder / "to")))
        ok(r.returncode == 0, "install-sample works", r.stderr)
        file = folder / "to/etc/mailtap/mailtap.yaml"
        if _ == 0:
            file.write_text("changed\n")
    ok(file.read_text() == "changed\n", "settings that somebody changed stay as they are")


def main():
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        dist = installed(folder)
        of_man_page(dist / "mailtap.1", folder)
        completes("bash", ["bash"], BASH_TEST, DIST / "completion/mailtap.bash")
        if shutil.which("zsh"):
            completes("zsh", ["zsh", "-f"], ZSH_TEST, DIST / "completion/_mailtap")
        else:
            skip("zsh completes", "no zsh here")
        for unit in ("mailtap.service", "mailtap-web.service", "mailtap-load.service"):
            of_unit(dist / unit, folder)
        of_sample(folder)
        of_versions()
        of_install(folder)
    done()


main()
