"""What mailtap says of a capture does not depend on what TCP repairs, nor on encapsulation and file format.

Every dialogue without gaps is played plainly and with faults; the records must be the same. Each one is played over IPv4
and over IPv6, and all of them stand in one capture, so that a variant takes one run."""
import ipaddress
import json
import sys
import tempfile
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from pathlib import Path

from tap import SOURCE, done, mailtap, ok

sys.dont_write_bytecode = True
mkpcap = SourceFileLoader("mkpcap", str(SOURCE / "tools/mkpcap")).load_module()

SMALL = 1500  # bytes of a dialogue that is also sent in tiny segments
# The hellos of made up TLS are random bytes, others with each seed; tls.py has real ones in other orders.
VARYING = ("ts", "uid", "duration", "seconds", "ssl")
LOSSES = ("not TCP", "too short", "broken", "wrong checksum", "missing fragments", "gaps", "shed")
ALL = ["--shuffle", "--repeat", "--overlap"]


def variants():
    for seed in "1", "2", "3":
        for fault in ALL:
            yield [fault, "--seed", seed]
        yield [*ALL, "--seed", seed]
    for mss in "1", "3", "13", "41", "100":
        yield ["--mss", mss]
        yield [*ALL, "--mss", mss, "--seed", mss]
    for skew in "3", "40", "-3":
        yield ["--skew", skew]
    yield [*ALL, "--skew", "9", "--seed", "4"]
    for link in mkpcap.LINKS:
        yield ["--link", link]
    yield ["--link", "sll2", *ALL, "--mss", "536", "--fragment", "200", "--ipv6-ext"]
    for size in "8", "64", "1000":
        yield ["--fragment", size]
    yield ["--fragment", "120", "--shuffle"]
    yield ["--ipv6-ext"]
    yield ["--ipv6-ext", "--fragment", "400"]
    for form in mkpcap.FORMATS:
        for order in mkpcap.ORDERS:
            yield ["--format", form, "--byte-order", order]
            yield ["--format", form, "--byte-order", order, "--nano", "--link", "null"]


def over_ipv6(d):
    """The same dialogue between addresses that end in the four bytes of its own ones."""
    six = lambda end: (bytes.fromhex("20010db80000000000000000") + end[0][-4:], end[1])
    return replace(d, client=six(d.client), server=six(d.server))


def load():
    """{name: dialogue}, each with ends of its own."""
    found, taken = {}, set()
    for path in sorted([*SOURCE.glob("samples/dialog/*.txt"), *SOURCE.glob("test/dialog/*.txt")]):
        d = mkpcap.parse(path)
        if any(step[0] == "gap" for step in d.steps):
            continue
        port = d.client[1] or 40000
        while (d.client[0], port, d.server) in taken:
            port += 1
        taken.add((d.client[0], port, d.server))
        name = str(path.relative_to(SOURCE))
        found[name] = replace(d, client=(d.client[0], port))
        found[name + " over IPv6"] = over_ipv6(found[name])
    return found


def fits(d, options):
    """Big mails in tiny segments take too long; and skewed lines need a beginning to show their order."""
    size = sum(len(step[2]) for step in d.steps if step[0] == "send")
    heard = {step[1] for step in d.steps if step[0] == "send"}
    return (options.mss >= 20 or size <= SMALL) and (not options.skew or (d.start == "syn" and heard == {0, 1}))


def records_of(dialogues, options, path):
    """({uid: its records without what may vary}, losses named in the closing line)."""
    path.write_bytes(mkpcap.capture(dialogues, options))
    r = mailtap("read", "-s", "checksums=verify", "-s", "suppress_for=0s", path)
    found = {}
    for line in r.stdout.splitlines():
        record = json.loads(line)
        found.setdefault(record["uid"], []).append({k: v for k, v in record.items() if k not in VARYING})
    return found, [word for word in LOSSES if word in r.stderr.decode(errors="replace")]


def ends_of(d):
    return frozenset((str(ipaddress.ip_address(address)), port) for address, port in (d.client, d.server))


def ends_in(records):
    r = records[0]
    return frozenset(((r["id.orig_h"], r["id.orig_p"]), (r["id.resp_h"], r["id.resp_p"])))


def difference(plain, other):
    """The first field that differs, as text."""
    for a, b in zip(plain, other):
        for key in sorted(a.keys() | b.keys()):
            if a.get(key) != b.get(key):
                return "%s %s: %.200s is now %.200s" % (a["_path"], key, a.get(key), b.get(key))
    return "%d records are now %d" % (len(plain), len(other))


def differences(plain, other, found):
    """One line for each dialogue of `found` whose records are not the plain ones."""
    names = {ends_of(d): name for name, d in found.items()}
    for uid in plain.keys() | other.keys():
        name = names.get(ends_in(plain.get(uid) or other[uid]))
        if name and plain.get(uid) != other.get(uid):
            yield name + ": " + difference(plain.get(uid, []), other.get(uid, []))


def main():
    found = load()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.pcap"
        plain, losses = records_of(found.values(), mkpcap.arguments(["-", "-"]), path)
        ok(len(plain) > 20, "there are records to compare")
        for arguments in variants():
            options = mkpcap.arguments([*arguments, "-", "-"])
            played = {name: d for name, d in found.items() if fits(d, options)}
            other, lost = records_of(played.values(), options, path)
            worse = sorted(differences(plain, other, played)) + ["%s: packets are lost" % w for w in lost if w not in losses]
            ok(not worse, "the same with " + " ".join(arguments), *worse,
               "to see one: tools/mkpcap %s x.pcap NAME" % " ".join(arguments))


main()
done()
