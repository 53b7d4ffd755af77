#!/usr/bin/python3
"""docs/scripting.md: every script in it runs, and it names all hooks and functions that there are."""
import json
import re
import tempfile
from pathlib import Path

from tap import SOURCE, done, mailtap, ok

TEXT = (SOURCE / "docs/scripting.md").read_text()
PCAP = SOURCE / "samples/border.pcap"
FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-scripting-"))


def run(text, *args):
    path = FOLDER / "script.lua"
    path.write_text(text)
    return mailtap("read", "-f", "json", "--script", path, *args, PCAP)


blocks = re.findall(r"^```lua\n(.*?)^```", TEXT, re.S | re.M)
ok(len(blocks) >= 5, "there are scripts in it")
for block in blocks:
    r = run(block, "-s", "local_nets=192.0.2.0/24")
    ok(r.returncode == 0 and b"errors in scripts" not in r.stderr, "runs: " + block.split("\n")[0], r.stderr.decode())

# What Lua has besides goes by its own manual.
known = run('names = {} for name in pairs(_G) do names[#names + 1] = name end\nfunction on_tick() log("globals", {all = names}) end')
names = {n for line in known.stdout.splitlines() if b'"globals"' in line for n in json.loads(line)["all"]} - {"names"}
ok(len(names) > 25, "it has globals", known.stderr.decode())
for name in sorted(names - {"_G"}):
    ok(re.search(r"`[^`]*\b%s\b" % re.escape(name), TEXT), "it names " + name)
for name in ("on_mail", "on_session", "on_request", "on_reply", "on_data", "on_notice", "on_tick"):
    ok(re.search(r"^\| `%s\(" % name, TEXT, re.M), "its table has " + name)
for script in sorted((SOURCE / "scripts").glob("*.lua")):
    ok("scripts/" + script.name in TEXT, "it names " + script.name)
    r = mailtap("read", "-f", "json", "--script", script, PCAP)
    ok(r.returncode == 0 and b"errors" not in r.stderr, script.name + " runs", r.stderr.decode())
r = run("function on_mial(mail) end")
ok(r.returncode == 2 and b"script.lua:1: on_mial is no hook; the nearest is on_mail" in r.stderr, "a misspelt hook is refused", r.stderr.decode())
r = run("function on_mail(mail)\n  local x = mail.sunject\nend")
ok(r.returncode == 0 and b"script.lua:2: no field 'sunject' in mail; the nearest is 'subject'" in r.stderr and b"16 errors in scripts" in r.stderr, "an error has file and line, and is counted", r.stderr.decode())
r = run("function on_mail(mail) while true do end end", "-s", "script_steps=100000")
ok(r.returncode == 0 and b"16 errors in scripts, 16 of them stopped by a limit" in r.stderr, "an endless loop ends", r.stderr.decode())
r = run("function on_data() while true do end end", "-s", "script_steps=100000")
ok(r.returncode == 0 and re.search(rb"\b(\d+) messages that on_data heard no more of", r.stderr) and b"hears no more of this message" in r.stderr, "at every line, too", r.stderr.decode()[-600:])
done()
