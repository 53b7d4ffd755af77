"""What the API should say, computed a second time over whole records. A mail here is (id, record)."""
from collections import defaultdict

MICRO = 1000000
HOUR = 3600


def sums():
    return {"mails": 0, "accepted": 0, "rejected": 0, "deferred": 0, "tls": 0, "recipients": 0, "bytes": 0}


def count(s, mail, recipients=None):
    s["mails"] += 1
    if mail.get("disposition") in s:
        s[mail["disposition"]] += 1
    s["tls"] += mail["tls"]
    s["recipients"] += len(mail.get("rcptto", [])) if recipients is None else recipients
    s["bytes"] += mail.get("message_bytes", 0)


def small(text):
    """Small letters of ASCII, no more than a key has room for."""
    return text.encode().lower()[:255].decode(errors="ignore")


def domain(address):
    """What has none is told from a domain by an @ behind it."""
    found = small(address.rpartition("@")[2]) if "@" in address else ""
    if found or address == "<>":
        return found or address
    name = small(address).encode()[:254].decode(errors="ignore")
    return name if name.endswith("@") else name + "@"


def hop_name(*texts):
    return next((t for t in texts if t), "").encode()[:127]


def way(mail):
    """Edges with the delay of each, None where it is not known."""
    hops = mail.get("hops", [])
    for hop in hops[:32]:
        source = hop_name(hop.get("from_rdns"), hop.get("from_helo"), hop.get("from_ip"))
        by = hop_name(hop.get("by"), hop.get("by_ip"))
        if source and by:
            yield source.decode(errors="ignore").lower(), by.decode(errors="ignore").lower(), hop.get("delay")
    last = hop_name(hops[0].get("by") if hops else None, mail.get("helo"), mail["id.orig_h"])
    yield last.decode(errors="ignore").lower(), mail["id.resp_h"], None


def reason(mail):
    r = mail.get("reply", {})
    return "%s %s" % (r.get("enhanced") or r.get("code", 0), r.get("stage", ""))


def keys(by, mail):
    """Of one mail: its keys, each with the recipients that count there."""
    everyone = len(mail.get("rcptto", []))
    if by == "client":
        return {mail["id.orig_h"]: everyone}
    if by == "server":
        return {mail["id.resp_h"]: everyone}
    if by == "sender":
        return {domain(mail["mailfrom"]): everyone} if mail.get("mailfrom") else {}
    if by == "recipient":
        found = defaultdict(int)
        for r in mail.get("rcptto", []):
            if r:
                found[domain(r)] += 1
        return found
    if by == "country":
        return {c: everyone for c in [mail.get("origin", {}).get("country")] if c}
    if by == "asn":
        return {str(n): everyone for n in [mail.get("origin", {}).get("asn")] if n}
    if by == "agent":
        return {small(n): everyone for n in [mail.get("agent", {}).get("name")] if n}
    if by == "sensor":
        return {small(n): everyone for n in [mail.get("sensor")] if n}
    if by == "reason":
        return {small(reason(mail)): everyone} if mail.get("disposition") in ("rejected", "deferred") else {}
    raise KeyError(by)


def top(by, mails):
    found = defaultdict(sums)
    for mail in mails:
        for key, recipients in keys(by, mail).items():
            count(found[key], mail, recipients)
    return found


def total(all_sums):
    found = sums()
    for s in all_sums:
        for k in found:
            found[k] += s[k]
    return found


def paths(mails):
    """(from, to): mails, delays."""
    found = {}
    for mail in mails:
        seen = set()
        for source, to, delay in way(mail):
            edge = found.setdefault((source, to), [0, []])
            if (source, to) not in seen:
                edge[0] += 1
                seen.add((source, to))
            if delay is not None and delay >= 0:
                edge[1].append(delay)
    return found


def hours(ids, since, until):
    """The bounds of whole hours, in ids."""
    return since // HOUR * HOUR * MICRO, -(-until // HOUR) * HOUR * MICRO
