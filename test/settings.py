#!/usr/bin/python3
"""The settings: what is printed, what is taken, and how a wrong one is refused. Each through the binary."""
import re
import struct
import tempfile
from pathlib import Path

from tap import done, mailtap, ok

room = tempfile.TemporaryDirectory()
folder = Path(room.name)
empty = folder / "empty.pcap"
empty.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
printed = mailtap("settings").stdout.decode()


def said(result):
    lines = result.stderr.decode(errors="replace").splitlines()
    return "\n".join(line.replace(str(folder) + "/", "") for line in lines if not re.search(r"\d packets, ", line))


def accepts(name, *arguments):
    result = mailtap("read", *arguments, empty)
    ok(result.returncode == 0 and not said(result), name, result.returncode, said(result))


def refuses(name, message, *arguments):
    """Exit code 2, and a message that fits the pattern from the program's name on."""
    result = mailtap("read", *arguments, empty)
    text = said(result)
    fits = re.fullmatch("mailtap: " + message, text)
    ok(result.returncode == 2 and fits and text.isprintable(), name, result.returncode, text, "wanted: " + message)


def file(text, name="t.yaml"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return "-c", path


def table():
    """name: (type and range, default), out of what is printed."""
    rows = re.findall(r"^# (.+)\n# (.+)\n(\w+): (.*)$", printed, re.M)
    return {name: (wants, default) for _, wants, name, default in rows}


def amounts(rows):
    """name: (lowest, highest, a step below, a step above) of each row that has a range."""
    for name, (wants, _) in rows.items():
        m = re.search(r", (\d+)(\w*) to (\d+)(\w*)$", wants)
        if m and not wants.startswith("list"):
            low, unit, high, high_unit = int(m[1]), m[2], int(m[3]), m[4]
            below = "0.999" if low == 1 and unit else str(low - 1)
            yield name, (m[1] + unit, m[3] + high_unit, below + unit, str(high + 1) + high_unit)


def wrong_amounts(rows):
    """The ends of each range are taken, a step beyond them and nonsense are not."""
    bad, kinds = [], set()
    ranges = dict(amounts(rows))
    for end in (0, 1):
        all_of_them = [arg for name in ranges for arg in ("-s", "%s=%s" % (name, ranges[name][end]))]
        r = mailtap("read", *all_of_them, empty)
        if r.returncode:
            bad.append(said(r))
    for name in ranges:
        wants = rows[name][0]
        nonsense = [] if wants.split()[0] in kinds else ["0", "-1", "", "x", "nan", "inf", "1e3"]
        kinds.add(wants.split()[0])
        for value in [*ranges[name][2:], *nonsense]:
            r = mailtap("read", "-s", "%s=%s" % (name, value), empty)
            if r.returncode != 2 or wants not in said(r):
                bad.append("%s=%s: %d %s" % (name, value, r.returncode, said(r)))
    return bad


rows = table()
ok(len(rows) >= 30 and len(rows) == len(re.findall(r"^\w+:", printed, re.M)), "every setting has meaning, type and default", printed)
ok(rows["max_layers"] == ("count, 4 to 64", "16"), "a count shows its range", rows["max_layers"])
ok(all(" to " in wants for wants, _ in rows.values() if wants.split()[0].rstrip(",") in ("count", "size", "duration")),
   "every amount has a range")
accepts("what settings prints is a file of settings", *file(printed))
bad = wrong_amounts(rows)
ok(not bad and len(dict(amounts(rows))) > 20, "every amount is held to its range, which the message tells", *bad)

accepts("an empty file", *file(""))
accepts("a file of comments", *file("# nothing\n\n# here\n"))
accepts("a document without content", *file("---\n"))
accepts("a YAML version", *file("%YAML 1.1\n---\nmax_flows: 3\n"))
accepts("braces and quotes", *file('{max_flows: "3", \'ports\': [25, "587"]}'))
accepts("CRLF and a byte order mark", *file(b"\xef\xbb\xbfmax_flows: 3\r\nports:\r\n  - 25\r\n"))
accepts("fractions and units", *file("total_bytes: 1.5GiB\ngap_wait: 250 ms\nhole_wait: 0.5s\nflow_timeout: 2H\n"))
accepts("lists in one line and in many", *file("ports: 25, 587\nlocal_nets:\n  - 10.0.0.0/8\n  - 2001:db8::/32\n  - 192.0.2.1\n"))
accepts("the whole address space", "-s", "local_nets=0.0.0.0/0,::/0")
accepts("-s with a list", "-s", "local_nets=10.0.0.0/8,192.0.2.0/24")
accepts("-s with an empty list", "-s", "tls_ports=")
accepts("-s over a file", *file("max_flows: 3\n"), "-s", "max_flows=4")

refuses("a wrong name names the nearest", r"t\.yaml:2:1: no setting 'max_flow'; the nearest is 'max_flows'", *file("ports: []\nmax_flow: 3\n"))
refuses("a wrong name by -s", r"-s: no setting 'Max-Flows'; the nearest is 'max_flows'", "-s", "Max-Flows=3")
refuses("a very long name", r"-s: no setting 'a{60}\.\.\.'", "-s", "a" * 5000 + "=3")
refuses("a very long name in a file", r"t\.yaml:1:\d+: .+", *file("b" * 5000 + ": 3\n"))
refuses("an empty name", r"t\.yaml:1:1: no setting '';.*", *file('"": 3\n'))
refuses("a name that goes on behind a zero byte", r"t\.yaml:1:1: no setting 'max_flows\?';.*", *file('"max_flows\\0": 3\n'))
refuses("a name that would colour the terminal", r"t\.yaml:1:1: no setting '\?\[31mports';.*", *file('"\\e[31mports": 3\n'))
refuses("-s without =", r"-s wants key=value, not 'max_flows'", "-s", "max_flows")
refuses("-s without a key", r"-s wants key=value, not '=3'", "-s", "=3")
refuses("a key twice in one file", r"t\.yaml:4:1: max_flows is there twice; first on line 1",
        *file("max_flows: 3\n\nports: []\nmax_flows: 3\n"))
refuses("a key twice by -s", r"-s: ports is there twice; write its items with commas between them", "-s", "ports=25", "-s", "ports=587")
refuses("an anchor", r"t\.yaml:1:12: anchors .*", *file("max_flows: &x 3\nmax_waiting: *x\n"))
refuses("an alias", r"t\.yaml:1:12: anchors .*", *file("max_flows: *x\n"))
refuses("a tag", r"t\.yaml:1:12: anchors .*", *file("max_flows: !!int 3\n"))
refuses("a tag on the whole", r"t\.yaml:1:1: anchors .*", *file("!x\nmax_flows: 3\n"))
refuses("a tag directive", r"t\.yaml:1:1: tags have no place in settings", *file("%TAG ! tag:example.org,2000:\n---\nmax_flows: 3\n"))
refuses("a merge key", r"t\.yaml:1:1: no setting '<<';.*", *file("<<: {max_flows: 3}\n"))
refuses("a second document", r"t\.yaml:2:1: a second document; settings are one", *file("max_flows: 3\n---\nports: []\n"))
refuses("a list for a count", r"t\.yaml:1:12: max_flows has no plain value; wanted: count, 1 to \d+", *file("max_flows: [3]\n"))
refuses("a level below", r"t\.yaml:2:3: max_flows has no plain value; .*", *file("max_flows:\n  most: 3\n"))
refuses("a level below a list", r"t\.yaml:2:5: ports; wanted: plain list of ports, 1 to 65535", *file("ports:\n  - a: 3\n"))
refuses("a list in a list", r"t\.yaml:1:13: ports; wanted: plain list of ports, 1 to 65535", *file("ports: [25, [26]]\n"))
refuses("a key without a value", r"t\.yaml:1:11: max_flows has no plain value; .*", *file("max_flows:\n"))
refuses("a list without a value", r"t\.yaml:1:7: ports has no plain value; .*\[\] is the empty one", *file("ports:\n"))
refuses("a list at the top", r"t\.yaml:1:1: wants 'name: value' lines, not a list", *file("- max_flows\n"))
refuses("a word at the top", r"t\.yaml:1:1: wants 'name: value' lines", *file("max_flows\n"))
refuses("a list for a name", r"t\.yaml:1:3: wants 'name: value' lines", *file("? [a]\n: b\n"))
refuses("broken YAML", r"t\.yaml:3:\d+: not YAML: .+", *file('ports: [25]\nmax_flows: "3\n'))
refuses("a tab for indentation", r"t\.yaml:2:\d+: not YAML: .+", *file("ports:\n\t- 25\n"))
refuses("binary garbage", r"t\.yaml:2:3: not YAML: .+", *file(b"# a\nab\x01\x02\xff\x00"))
refuses("garbage in another encoding", r"t\.yaml:\d+:\d+: .+", *file(b"\xff\xfe\x00\x01\x80\xd8"))
refuses("brackets without end", r"t\.yaml:\d+:\d+: .+", *file("[" * 100000))
refuses("a file that is too large", r"t\.yaml: larger than \d+ bytes, which no file of settings is", *file("#" * (2 << 20)))
refuses("a file without end", r"/dev/zero: larger than \d+ bytes, which no file of settings is", "-c", "/dev/zero")
refuses("a missing file", r"none\.yaml: No such file or directory", "-c", folder / "none.yaml")
refuses("a folder", r".+: Is a directory", "-c", folder)
long_name = "/".join(["x" * 200] * 2)
(folder / long_name).parent.mkdir(parents=True)
refuses("a long path keeps line and column", r"\.\.\.x+:1:1: no setting 'a';.*", *file("a: 3\n", long_name))

refuses("host bits in a network", r"-s: '10\.0\.0\.1/8' in local_nets has bits set beyond its /8: write 10\.0\.0\.0/8 or leave /8 off",
        "-s", "local_nets=10.0.0.1/8")
refuses("host bits in an IPv6 network", r"-s: '2001:db8::1/32' in local_nets .*: write 2001:db8::/32 or .*", "-s", "local_nets=2001:db8::1/32")
refuses("a prefix that is too long", r"-s: '10\.0\.0\.0/33' in local_nets is no network: .*", "-s", "local_nets=10.0.0.0/33")
refuses("no network", r"t\.yaml:3:5: 'fe80' in local_nets is no network: .*", *file("local_nets:\n  - 10.0.0.0/8\n  - fe80\n"))
refuses("octal or decimal", r"-s: '010\.0\.0\.0/8' in local_nets has leading zeros.*", "-s", "local_nets=010.0.0.0/8")
refuses("a network twice", r"-s: '10\.0\.0\.0/8' in local_nets is there twice", "-s", "local_nets=10.0.0.0/8,10.0.0.0/8")
refuses("too many networks", r"-s: local_nets holds 256 networks at most", "-s",
        "local_nets=" + ",".join("10.%d.%d.0/24" % (i // 250, i % 250) for i in range(257)))
accepts("as many as there may be", "-s", "local_nets=" + ",".join("10.%d.%d.0/24" % (i // 250, i % 250) for i in range(256)))
for port in ("0", "65536", "-1", "25x", "smtp", "+25", "", "99999999999999999999999"):
    refuses("port '%s'" % port, r"-s: '.*' in ports is no port: wants 1 to 65535", "-s", "ports=24,%s" % port)
refuses("a port twice", r"t\.yaml:1:13: '25' in ports is there twice", *file("ports: [25, 25]\n"))
refuses("too many ports", r"-s: ports holds 64 ports at most", "-s", "ports=" + ",".join(map(str, range(1, 66))))
refuses("a word that is none of the two", r"-s: 'yes' is no value for checksums; wanted: ignore or verify", "-s", "checksums=yes")
refuses("a duration without unit", r"-s: '30' is no value for flow_timeout; wanted: duration .*", "-s", "flow_timeout=30")
refuses("a size in a doubtful unit", r"-s: '1MB' is no value for flow_bytes; wanted: size .*", "-s", "flow_bytes=1MB")
for value in ("1.", "1.5.5KiB", ".5MiB", "1e6", "0x1000", "4096 4096", "18446744073709551616"):
    refuses("size '%s'" % value, r"-s: '.*' is no value for flow_bytes; wanted: size .*", "-s", "flow_bytes=" + value)
refuses("a fraction of a count", r"-s: '4\.5' is no value for max_layers; wanted: count, 4 to 64", "-s", "max_layers=4.5")
done()
