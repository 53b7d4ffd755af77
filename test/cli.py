#!/usr/bin/python3
"""The command line: what is refused and how, where output goes, and what happens when it cannot."""
import json
import os
import re
import signal
import struct
import subprocess
import tempfile
from pathlib import Path

from tap import MAILTAP, SOURCE, done, mailtap, ok

room = tempfile.TemporaryDirectory()
folder = Path(room.name)


def tcp(number, seconds, flags, seq, ack, payload=b"", to_server=True):
    """A packet of connection `number`: raw IPv4."""
    ends = [(bytes([198, 51, 100, number % 250 + 1]), 40000 + number), (bytes([203, 0, 113, 25]), 25)]
    (src, sport), (dst, dport) = ends if to_server else ends[::-1]
    segment = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 65535, 0, 0) + payload
    packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0, src, dst) + segment
    return struct.pack("<IIII", 1257170000 + seconds, 0, len(packet), len(packet)) + packet


def capture(name, mails):
    """A pcap of as many connections with one mail each."""
    talk = [(False, b"220 mx.example.net\r\n"), (True, b"EHLO client.example.org\r\n"), (False, b"250 mx.example.net\r\n"),
            (True, b"MAIL FROM:<alice@example.org>\r\n"), (False, b"250 ok\r\n"), (True, b"RCPT TO:<bob@example.net>\r\n"),
            (False, b"250 ok\r\n"), (True, b"DATA\r\n"), (False, b"354 go\r\n"),
            (True, b"Subject: mail of " + name.encode() + b"\r\n\r\ntext\r\n.\r\n"), (False, b"250 queued\r\n"), (True, b"QUIT\r\n"),
            (False, b"221 bye\r\n")]
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
    for number in range(mails):
        seq = [1000, 5000]  # server, client
        out.append(tcp(number, number, 2, seq[1] - 1, 0))
        out.append(tcp(number, number, 18, seq[0] - 1, seq[1], b"", False))
        for client, payload in talk:
            out.append(tcp(number, number, 24, seq[client], seq[not client], payload, client))
            seq[client] += len(payload)
        out.append(tcp(number, number, 17, seq[1], seq[0]))
        out.append(tcp(number, number, 17, seq[0], seq[1] + 1, b"", False))
    path = folder / name
    path.write_bytes(b"".join(out))
    return path


def text(result):
    return result.stderr.decode(errors="replace").replace(str(folder), "DIR")


def refused(name, code, pattern, *args):
    r = mailtap(*args)
    ok(r.returncode == code and re.search(pattern, text(r)), name, r.returncode, text(r), "wanted: " + pattern)
    return r


one = capture("one.pcap", 1)
many = capture("many.pcap", 400)

# Help and version go to standard output, and are no error.
for args in (("--help",), ("-h",), ("read", "--help"), ("read", "-h"), ("schema", "--help"), ("schema", "-h")):
    r = mailtap(*args)
    ok(r.returncode == 0 and r.stdout.startswith(b"usage: mailtap read FILE...") and not r.stderr, " ".join(args), text(r))
r = mailtap("--version")
version = re.search(r"version: '([^']+)'", (SOURCE / "meson.build").read_text())[1]
ok(r.returncode == 0 and r.stdout.decode() == "mailtap %s\n" % version, "--version tells the version of meson.build", r.stdout)

# Usage.
r = refused("no command", 2, r"\Amailtap: wants a command\nusage: mailtap read FILE")
ok(not r.stdout, "an error leaves standard output empty")
refused("an unknown command names the nearest", 2, r"\Amailtap: no command 'raed'; the nearest is 'read'; there are read, watch, query, web, load, settings, schema\n\Z", "raed")
refused("an unknown command of any length", 2, r"\Amailtap: no command 'x{60}'; there are ", "x" * 5000)
refused("an unknown long option names the nearest", 2, r"\Amailtap: no option '--evnts'; the nearest is '--events'; there are ", "read", "--evnts", one)
refused("an unknown short option", 2, r"\Amailtap: no option '-x'; ", "read", "-x", one)
refused("no file", 2, r"\Amailtap: read wants a file\nusage: ", "read")
refused("no file behind options", 2, r"\Amailtap: read wants a file\nusage: ", "read", "-f", "json")
for option in ("-c", "-s", "-f", "-o"):
    refused("%s without its value" % option, 2, r"\Amailtap: %s wants a value\n\Z" % option, "read", one, option)
r = refused("an unknown format gives the list", 2, r"\Amailtap: no format 'jsn'; the nearest is 'json'; there are json, text, zeek, smtp-ext, zeek-json, ecs, ocsf, eve\n\Z",
            "read", "-f", "jsn", one)
ok(not r.stdout, "an unknown format writes nothing")
refused("arguments that nothing takes", 2, r"\Amailtap: settings stands alone\n", "settings", "x")
refused("arguments that nothing takes, schema", 2, r"\Amailtap: schema takes no file\n", "schema", "x")

# Where output goes.
mails = lambda data: [json.loads(line) for line in data.splitlines()]
r = mailtap("read", one)
ok([m["_path"] for m in mails(r.stdout)] == ["smtp", "smtp_session"], "JSON is what a pipe gets", r.stdout[:500])
ok(re.fullmatch(r"mailtap: 17 packets, \d+ bytes, 1 sessions, 1 mails in [\d.]+ s\n", text(r)), "the closing line counts", text(r))
ok(mailtap("read", "-", stdin=one.read_bytes()).stdout == r.stdout, "- is standard input")
ok(mailtap("read", "-f", "json", "--", one).stdout == r.stdout, "-- ends the options")
logs = folder / "logs"
w = mailtap("read", "-o", logs, one)
ok(w.returncode == 0 and not w.stdout and sorted(os.listdir(logs)) == ["notice.log", "smtp.log", "smtp_session.log", "software.log"], "-o writes a file a stream", text(w))
ok((logs / "smtp.log").read_bytes() + (logs / "smtp_session.log").read_bytes() == r.stdout, "with the same lines")
w = mailtap("read", "-o", logs, one)
ok(w.returncode == 0 and (logs / "smtp.log").read_bytes().count(b"\n") == 1, "a second run writes them anew")
for form, names in (("zeek", ["notice.log", "smtp.log", "software.log"]), ("smtp-ext", ["smtp-ext.log"]), ("zeek-json", ["notice.log", "smtp.log", "software.log"]),
                    ("ecs", ["notice.log", "smtp.log", "smtp_session.log", "software.log"]), ("eve", ["notice.log", "smtp.log", "smtp_session.log", "software.log"]),
                    ("ocsf", ["notice.log", "smtp.log", "smtp_session.log", "software.log"]), ("text", ["mails.log"])):
    target = folder / form
    w = mailtap("read", "-f", form, "-o", target, one)
    ok(w.returncode == 0 and sorted(os.listdir(target)) == names and any(b"alice@example.org" in (target / n).read_bytes() for n in names), "-f %s -o" % form, text(w))

# Where it cannot.
plain = folder / "plain"
plain.write_text("kept")
refused("-o with a file in its place", 1, r"\Amailtap: DIR/plain/smtp\.log: Not a directory\n\Z", "read", "-o", plain, one)
ok(plain.read_text() == "kept", "which is left as it was")
refused("-o below a folder that is not there", 1, r"\Amailtap: DIR/no/such: No such file or directory\n\Z", "read", "-o", folder / "no/such", one)
refused("-o of endless length", 1, r"\Amailtap: .*: File name too long\n\Z", "read", "-o", folder / ("x" * 300), one)
refused("-o of endless depth", 1, r"\Amailtap: .*: (File name too long|No such file or directory)\n\Z", "read", "-o", folder / "/".join(["y" * 50] * 20), one)
(logs / "smtp.log").unlink()
(logs / "smtp.log").mkdir()
refused("-o where a folder has the file's name", 1, r"\Amailtap: DIR/logs/smtp\.log: Is a directory\n\Z", "read", "-o", logs, one)
if os.geteuid():
    locked = folder / "locked"
    locked.mkdir(mode=0o555)
    refused("-o in a folder that may not be written", 1, r"\Amailtap: DIR/locked/smtp\.log: Permission denied\n\Z", "read", "-o", locked, one)
else:
    refused("-o where nobody may write", 1, r"\Amailtap: /proc/self/x: No such file or directory\n\Z", "read", "-o", "/proc/self/x", one)


def into(name, args, open_output, pattern, code=1):
    out = open_output()
    r = subprocess.run([MAILTAP, *map(str, args)], stdout=out, stderr=subprocess.PIPE, timeout=60)
    os.close(out)
    ok(r.returncode == code and re.search(pattern, text(r)) and "Sanitizer" not in text(r), name, r.returncode, text(r))


def closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return writer


full = lambda: os.open("/dev/full", os.O_WRONLY)
for args in (["read", one], ["read", many], ["read", "-f", "text", one], ["read", "-f", "text", many], ["read", "-f", "zeek", one],
             ["read", "-f", "smtp-ext", one], ["read", "--events", one], ["read", "--events", many], ["settings"], ["schema"], ["--help"], ["--version"]):
    name = " ".join(str(a).replace(str(folder) + "/", "") for a in args)
    into("a full disk: " + name, args, full, r"mailtap: standard output: No space left on device\n")
    # Who had enough, as head has, wants no words; the counts of read are told.
    into("a closed pipe: " + name, args, closed_pipe, r"\Amailtap: \d+ packets, [^\n]*\n\Z" if args[0] == "read" else r"\A\Z", -signal.SIGPIPE)
store = folder / "store"
mailtap("read", "-o", "sqlite:%s" % store, many)
for args in (["query", store, ""], ["query", store, "", "-f", "text"], ["query", store, "", "-f", "csv"], ["query", store, "", "--count"], ["query", store, "", "--stream", "all", "-f", "text"]):
    into("a full disk: query " + " ".join(args[3:]), args, full, r"mailtap: standard output: No space left on device\n")
    into("a closed pipe: query " + " ".join(args[3:]), args, closed_pipe, r"\A\Z", -signal.SIGPIPE)
into("a closed pipe beside a store", ["read", "--events", "-o", "sqlite:%s" % (folder / "beside"), many], closed_pipe, r"mailtap: standard output: Broken pipe\n")
r = mailtap("query", folder / "beside", "", "--count")
ok(int(r.stdout) == len(mails(mailtap("query", store, "").stdout)), "which has all of it", text(r))
disk = folder / "disk"
disk.mkdir()
(disk / "smtp.log").symlink_to("/dev/full")
refused("a full disk below -o", 1, r"mailtap: DIR/disk/smtp\.log: No space left on device\n", "read", "-o", disk, many)

# Several files.
two = capture("two.pcap", 2)
r = mailtap("read", one, two)
subjects = [m["subject"] for m in mails(r.stdout) if m["_path"] == "smtp"]
ok(r.returncode == 0 and subjects == ["mail of one.pcap"] + ["mail of two.pcap"] * 2, "several files in one run", subjects, text(r))
missing = folder / "missing.pcap"
broken = folder / "broken.pcap"
broken.write_bytes(b"no capture at all")
cut = folder / "cut.pcap"
cut.write_bytes(two.read_bytes()[:-7])
r = mailtap("read", one, missing, broken, cut)
subjects = [m["subject"] for m in mails(r.stdout) if m["_path"] == "smtp"]
ok(r.returncode == 1 and len(subjects) == 3, "the good ones are read where others are not", r.returncode, subjects, text(r))
ok(re.search(r"^mailtap: DIR/missing\.pcap: No such file or directory$", text(r), re.M), "a missing file is named", text(r))
ok(re.search(r"^mailtap: DIR/broken\.pcap: \w+", text(r), re.M), "a file that is no capture is named", text(r))
ok(re.search(r"^mailtap: DIR/cut\.pcap: \w+", text(r), re.M), "a file that ends too early is named", text(r))
ok("3 sessions, 3 mails" in text(r), "the closing line counts all", text(r))
r = mailtap("read", missing)
ok(r.returncode == 1 and not r.stdout, "nothing but a missing file", text(r))
r = mailtap("read", folder)
ok(r.returncode == 1 and re.search(r"^mailtap: DIR: \w+", text(r)), "a folder for a file", text(r))
r = mailtap("read", "-c", missing, one)
ok(r.returncode == 2 and not r.stdout, "missing settings stop before anything is read", text(r))
done()
