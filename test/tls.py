#!/usr/bin/python3
"""Real TLS, made here by OpenSSL: behind STARTTLS and from the first byte on, in both versions, at cuts, with gaps, and refused.

What mailtap says of it is held to what OpenSSL says, and JA3 and JA3S to tshark where it is there."""
import json
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

import packets
from packets import CLIENT, SERVER
from tap import done, mailtap, ok, skip

FOLDER = Path(tempfile.mkdtemp(prefix="mailtap-tls-"))
HOST = "mail.example.net"
HELLO = [(SERVER, b"220 mx ESMTP\r\n"), (CLIENT, b"EHLO c.example.org\r\n"), (SERVER, b"250-mx\r\n250 STARTTLS\r\n"),
         (CLIENT, b"STARTTLS\r\n"), (SERVER, b"220 go\r\n")]


def openssl(*args):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, timeout=60).stdout.decode()


def certificate(name, *more):
    key, cert = FOLDER / (name + ".key"), FOLDER / (name + ".pem")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "30", "-subj", "/C=DE/O=Beispiel, ä/CN=" + HOST, "-utf8",
            "-addext", "subjectAltName=DNS:%s,DNS:*.example.net,IP:192.0.2.25,IP:2001:db8::25,email:post@example.net" % HOST, *more)
    return key, cert


KEY, CERT = certificate("one")


def talk(version, alpn=True, names=True, ciphers=None, groups=None, verify=False):
    """-> what both sides sent, in order: (side, bytes); and OpenSSL's word on it. No network: both ends are objects of this process."""
    client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(CERT, KEY)
    for c in (client, server):
        c.minimum_version = c.maximum_version = version
        if ciphers:
            c.set_ciphers(ciphers)
    if groups:
        server.set_ecdh_curve(groups)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    if alpn:
        client.set_alpn_protocols(["smtp", "x-y"])
        server.set_alpn_protocols(["smtp"])
    wires = [ssl.MemoryBIO(), ssl.MemoryBIO()]  # to the client, to the server
    ends = [client.wrap_bio(wires[0], wires[1], server_hostname=HOST if names else None), server.wrap_bio(wires[1], wires[0], server_side=True)]
    done_, steps, error = [False, False], [], None

    def act(side, call):
        """Lets one end work and takes down what it sent."""
        nonlocal error
        outgoing = wires[1 - side]
        before = outgoing.read()
        outgoing.write(before)
        try:
            call()
            done_[side] = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as e:
            error = e.reason
            done_[side] = True
        after = outgoing.read()
        outgoing.write(after)
        if after[len(before):]:
            steps.append((side, after[len(before):]))

    for _ in range(8):
        for side in (CLIENT, SERVER):
            if not done_[side]:
                act(side, ends[side].do_handshake)
    if not error:
        act(CLIENT, lambda: ends[CLIENT].write(b"EHLO again\r\n"))
        act(SERVER, lambda: ends[SERVER].read(1000))
        act(SERVER, lambda: ends[SERVER].write(b"250 mx\r\n"))
    return steps, ends[CLIENT], error


def cut(steps, size):
    return [(side, data[i:i + size]) for side, data in steps for i in range(0, len(data), size)]


def sessions(name, connections, *args):
    path = packets.capture(FOLDER / (name + ".pcap"), connections)
    r = mailtap("read", "-f", "json", "-s", "country_databases=none", *args, path)
    return path, [json.loads(line) for line in r.stdout.splitlines() if b'"_path":"smtp_session"' in line]


def starttls(number, steps, **how):
    return packets.connection(number, HELLO + steps, **how)


def implicit(number, steps):
    """The same to port 465."""
    records = packets.connection(number, steps)
    return [r[:16] + r[16:36] + bytes(patch(bytearray(r[36:]))) for r in records]


def patch(tcp):
    for at in (0, 2):
        if tcp[at:at + 2] == b"\0\x19":
            tcp[at:at + 2] = (465).to_bytes(2, "big")
    return tcp


def expected(end):
    """By OpenSSL's own word."""
    name, version, _ = end.cipher()
    return {"version": {"TLSv1.2": "TLSv12", "TLSv1.3": "TLSv13"}[end.version()], "cipher": NAMES[name], "server_name": HOST}


STANDARD = openssl("ciphers", "-stdname", "ALL:COMPLEMENTOFALL").splitlines()
NAMES = {line.split(" - ")[1].split()[0]: line.split(" - ")[0].strip() for line in STANDARD}
DATES = openssl("x509", "-in", CERT, "-noout", "-subject", "-issuer", "-serial", "-fingerprint", "-sha256", "-startdate", "-enddate", "-nameopt", "RFC2253,-esc_msb,utf8")
FACTS = dict(line.split("=", 1) for line in DATES.splitlines())


def part(record, want):
    got = record.get("ssl", {})
    return {k: got.get(k) for k in want} == want


def check_certificate(got):
    epoch = lambda text: int(ssl.cert_time_to_seconds(text))
    want = {"subject": FACTS["subject"], "issuer": FACTS["issuer"], "san": [HOST, "*.example.net", "192.0.2.25", "2001:db8::25", "post@example.net"],
            "not_valid_before": epoch(FACTS["notBefore"]), "not_valid_after": epoch(FACTS["notAfter"]), "serial": FACTS["serial"],
            "sha256": FACTS["sha256 Fingerprint"].replace(":", "").lower(), "self_signed": True}
    ok(got == want, "the certificate is what OpenSSL reads in it", "got  %r" % got, "want %r" % want)


def versions():
    for version, secret in ((ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)):
        steps, end, _ = talk(version)
        shown = expected(end)
        name = shown["version"]
        path, all_ = sessions(name, [starttls(0, steps), implicit(1, steps), *(starttls(2 + i, cut(steps, n)) for i, n in enumerate((1, 2, 5, 7, 100, 1000)))])
        ok(len(all_) == 8 and all(part(s, dict(shown, established=True)) for s in all_), "%s is read behind STARTTLS, from the first byte on, and in pieces" % name, all_[:2])
        ok(len({json.dumps(s.get("ssl")) for s in all_}) == 1, "%s: all of these say the same" % name, all_)
        ok([s["tls_start"] for s in all_[:2]] in (["starttls", "implicit"], ["implicit", "starttls"]), "%s: how it began is told" % name, all_[:2])
        got = all_[0]["ssl"]
        ok(got.get("alpn") == ["smtp", "x-y"], "%s: the offered protocols" % name, got)
        ok(got.get("next_protocol") == (None if secret else "smtp"), "%s: the chosen one, where it is readable" % name, got)
        ok(got.get("ja4", "").startswith("t%sd" % ("13" if secret else "12")) and got["ja4"][8:10] == "sp", "%s: JA4" % name, got)
        if secret:
            ok("certificate" not in got and "cert_chain" not in got, "TLSv13 hides the certificate", got)
        else:
            check_certificate(got["certificate"])
            ok(got.get("cert_chain") == 1, "the chain is counted", got)
        against_tshark(name, path, got)
        gaps(name, steps, got)


def against_tshark(name, path, got):
    if not shutil.which("tshark"):
        skip("%s: JA3 and JA3S are tshark's" % name, "no tshark")
        return
    r = subprocess.run(["tshark", "-r", path, "-Y", "tls.handshake.type<=2 && tcp.stream==0", "-T", "fields", "-e", "tls.handshake.ja3", "-e", "tls.handshake.ja3s"],
                       capture_output=True, text=True, timeout=60)
    theirs = r.stdout.split()
    ok([got["ja3"], got["ja3s"]] == theirs[:2], "%s: JA3 and JA3S are tshark's" % name, theirs, got)


def gaps(name, steps, whole):
    """Each packet of the handshake missing in turn: what is said is true, and TLS is known to have begun."""
    records = [starttls(i, steps, unseen=(len(HELLO) + i,)) for i in range(len(steps) - 2)]
    _, all_ = sessions(name + "-gaps", records)
    ok(len(all_) == len(records) and all(s["tls"] or "gap" in s.get("flags", {}) for s in all_), "%s: with a packet missing there is a record" % name, all_)
    true = lambda s: all(v == whole[k] or k == "established" and v is not True for k, v in s.get("ssl", {}).items())
    ok(all(true(s) for s in all_), "%s: and what it says is true" % name, all_)
    _, (one,) = sessions(name + "-client", [starttls(0, steps, sides=(True, False))])
    ok(one["ssl"] == {k: whole[k] for k in ("server_name", "alpn", "ja3", "ja4")}, "%s: of the client alone its hello" % name, one)


def disordered(number, steps, apart):
    """The packets of the handshake with each second one after its neighbour, or each of them twice."""
    out = starttls(number, cut(steps, 100))
    for i in range(5 + len(HELLO) * 2, len(out) - 6, apart):
        out[i], out[i + 1] = out[i][:8] + out[i + 1][8:], out[i + 1][:8] + out[i][8:]
    return out


def orders():
    for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
        steps, _, _ = talk(version)
        twice = [r for r in starttls(9, steps) for _ in range(2)]
        _, all_ = sessions("orders", [starttls(0, steps), *(disordered(i, steps, i) for i in (2, 3, 5)), twice])
        ok(len(all_) == 5 and len({json.dumps(s.get("ssl")) for s in all_}) == 1 and all_[0]["ssl"]["established"], "%s: in other orders, and twice" % version.name, all_)


def refusals():
    steps, end, error = talk(ssl.TLSVersion.TLSv1_2, verify=True)
    _, (s,) = sessions("refused12", [starttls(0, steps)])
    ok(error and part(s, {"established": False, "last_alert": "unknown_ca"}), "a client that does not trust the server (TLS 1.2)", error, s)
    steps, end, error = talk(ssl.TLSVersion.TLSv1_3, verify=True)
    _, (s,) = sessions("refused13", [starttls(0, steps)])
    ok(error and part(s, {"established": False}), "the same in TLS 1.3", error, s)
    steps, end, error = talk(ssl.TLSVersion.TLSv1_3, groups="secp521r1")
    _, (s,) = sessions("retry", [starttls(0, steps)])
    ok(not error and part(s, {"established": True, "hello_retry": True, "curve": "secp521r1", "version": "TLSv13"}), "HelloRetryRequest", error, s)
    steps, end, error = talk(ssl.TLSVersion.TLSv1_2, names=False, alpn=False, ciphers="AES256-SHA:@SECLEVEL=0")
    _, (s,) = sessions("rsa", [starttls(0, steps)])
    ok(part(s, {"cipher": "TLS_RSA_WITH_AES_256_CBC_SHA", "curve": None, "server_name": None, "alpn": None, "established": True}), "neither name nor group", error, s)
    ok(s["ssl"]["ja4"].startswith("t12i") and s["ssl"]["ja4"][8:10] == "00", "JA4 without both", s)


def limits():
    steps, end, _ = talk(ssl.TLSVersion.TLSv1_2)
    _, (s,) = sessions("limit", [starttls(0, steps)], "-s", "tls_bytes=1KiB")
    fits = len(ssl.PEM_cert_to_DER_cert(CERT.read_text())) <= 1018
    ok(fits or ("certificate" not in s["ssl"] and s["flags"] == {"truncated": True} and s["ssl"]["established"]), "over tls_bytes the certificate is left out, and that is said", s)
    _, (s,) = sessions("names", [starttls(0, steps)], "-s", "list_items=8")
    ok(len(s["ssl"]["certificate"]["san"]) == 5 and "flags" not in s, "few names are within list_items", s)


versions()
orders()
refusals()
limits()
shutil.rmtree(FOLDER)
done()
