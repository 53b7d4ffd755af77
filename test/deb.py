"""The Debian package: it is built, installed, upgraded, removed and purged, in a copy of this machine that is thrown away.

usage: deb.py MAILTAP. The copy is an overlay in a mount namespace of its own, so the machine itself stays as it is."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import SOURCE, done, ok, skip

# $1: an empty folder. It becomes a tmpfs with the copy's changes in up/ and the copy in root/. The script that follows on standard
# input is run in the copy, and its output is ours.
COPY = r"""
set -e
mount -t tmpfs tmpfs "$1"
cd "$1"
mkdir up work root
mount -t overlay overlay -o lowerdir=/,upperdir=up,workdir=work root
mount -t proc proc root/proc
mount -t tmpfs tmpfs root/dev
mount -t tmpfs tmpfs root/run
mount -t tmpfs tmpfs root/tmp
mknod -m 666 root/dev/null c 1 3
mknod -m 666 root/dev/urandom c 1 9
cp "$2" root/tmp/mailtap.deb
exec chroot root sh -s
"""
# A line "== NAME" opens a part of the output.
INSIDE = r"""
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
exec 2>&1
dpkg -P mailtap >/dev/null
touch /tmp/begun; sleep 0.01
echo == install; dpkg -i /tmp/mailtap.deb; echo rc $?
echo == files; dpkg -L mailtap
echo == missing; dpkg -V mailtap
echo == runs; mailtap --version; mailtap settings >/dev/null; echo rc $?
echo == user; getent passwd mailtap; getent group mailtap
echo == enabled; systemctl is-enabled mailtap.service; find /etc/systemd -name 'mailtap*'
echo == conffiles; dpkg-query -W -f '${Conffiles}\n' mailtap | sed 's/ [0-9a-f]*$//'
echo "# mine" >>/etc/mailtap/mailtap.yaml
mkdir -p /var/log/mailtap /var/lib/mailtap; echo line >/var/log/mailtap/smtp.log; chown -R mailtap /var/log/mailtap
echo == upgrade; dpkg -i /tmp/mailtap.deb; echo rc $?; tail -n 1 /etc/mailtap/mailtap.yaml
echo == remove; dpkg -r mailtap; echo rc $?
echo == kept; ls /etc/mailtap/mailtap.yaml /etc/default/mailtap /var/log/mailtap/smtp.log; getent passwd mailtap; ls /usr/bin/mailtap
echo == purge; dpkg -P mailtap; echo rc $?; dpkg -s mailtap 2>&1 | head -n 1
echo == left; find /etc /usr /lib /var /run -xdev -newer /tmp/begun -name '*mailtap*'; getent passwd mailtap; getent group mailtap
echo == end
"""


def skip_all(why):
    print("1..0 # SKIP " + why)
    sys.exit(0)


def run(*command, seconds=60, **options):
    return subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, **options)


def is_built(folder):
    r = run("nice", SOURCE / "tools/mkdeb", folder, seconds=600)
    debs = sorted(folder.glob("mailtap_*.deb"))
    if ok(r.returncode == 0 and len(debs) == 1, "the package is built", r.stdout):
        return debs[0]
    return done()


def is_whole(deb):
    depends = run("dpkg-deb", "-f", deb, "Depends").stdout
    ok(all(name in depends for name in ("libpcap", "libcurl4", "libseccomp2", "adduser")), "it needs what it is linked with", depends)
    if shutil.which("lintian"):
        r = run("lintian", "--allow-root", "--fail-on=error,warning", deb)
        ok(r.returncode == 0, "lintian has no complaint", r.stdout)


def parts_of(text):
    return {name: body for name, body in re.findall(r"^== (\w+)\n(.*?)(?=^== )", text, re.M | re.S)}


def lives(deb, folder):
    """Installed, upgraded, removed, purged."""
    (folder / "copy").mkdir()
    r = run("unshare", "--mount", "--propagation", "private", "sh", "-c", COPY, "sh", folder / "copy", deb, input=INSIDE)
    p = parts_of(r.stdout)
    if not p:
        return skip("it installs and goes", "no copy of this machine can be made: " + r.stdout[-200:].replace("\n", " "))
    ok(p["install"].endswith("rc 0\n") and "rror" not in p["install"], "it installs", p["install"])
    for path in ("/usr/bin/mailtap", "/lib/systemd/system/mailtap.service", "/usr/share/man/man1/mailtap.1.gz", "/etc/mailtap/mailtap.yaml",
                 "/etc/default/mailtap", "/usr/share/mailtap/blocklists.yaml", "/usr/share/mailtap/agents.yaml", "/usr/share/mailtap/scripts/reject-rates.lua",
                 "/usr/share/bash-completion/completions/mailtap", "/usr/share/zsh/vendor-completions/_mailtap"):
        ok("\n%s\n" % path in p["files"], "it has " + path, p["files"])
    ok(not p["missing"], "all of it is there", p["missing"])
    ok(re.fullmatch(r"mailtap [\d.]+\nrc 0\n", p["runs"]), "what it installed runs", p["runs"])
    ok(re.search(r"^mailtap:x:\d+:\d+:.*nologin\nmailtap:x:", p["user"]), "it makes its user, who cannot log in", p["user"])
    ok(p["enabled"] == "disabled\n", "the service is not enabled", p["enabled"])
    ok(p["conffiles"].split() == ["/etc/default/mailtap", "/etc/mailtap/load.yaml", "/etc/mailtap/mailtap.yaml"], "what one is to change is a conffile", p["conffiles"])
    ok(p["upgrade"].endswith("rc 0\n# mine\n"), "another version leaves changes alone", p["upgrade"])
    ok(p["remove"].endswith("rc 0\n"), "it is removed", p["remove"])
    ok(re.fullmatch(r"(/\S+\n){3}mailtap:.*\nls: .*/usr/bin/mailtap.*\n", p["kept"]), "then settings, logs and the user stay", p["kept"])
    ok("rc 0\n" in p["purge"] and "rror" not in p["purge"] and "not installed" in p["purge"], "it is purged", p["purge"])
    ok(not p["left"], "nothing is left", p["left"])


def main():
    for tool in ("dpkg-buildpackage", "dh", "unshare"):
        if not shutil.which(tool):
            skip_all("no %s here" % tool)
    if os.getuid():
        skip_all("needs root, for a mount namespace")
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        deb = is_built(folder)
        is_whole(deb)
        lives(deb, folder)
    done()


main()
