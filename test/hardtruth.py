"""What of a dialogue can be known from the packets that a tap saw, for hardtrace.py; and the comparison with what mailtap said.

An expectation is one of ["is", value] (None: absent), ["maybe", value] (that or absent), ["in", [values]], ["any"].
"""
from hardwire import FIN, SYN

SINGLE = ["date", "from", "to", "cc", "reply_to", "msg_id", "in_reply_to", "subject", "x_originating_ip", "user_agent"]
HOP = ["first_received", "second_received", "received_from_originating_ip", "path"]
ANY = ["any"]


def merge_ranges(ranges):
    out = []
    for lo, hi in sorted(ranges):
        if out and lo <= out[-1][1]:
            out[-1][1] = max(out[-1][1], hi)
        else:
            out.append([lo, hi])
    return out


class View:
    """The bytes of both streams that the tap saw (`cover`), and those that it must have missed (`lost`)."""

    def __init__(self, wire, packets):
        self.cover, self.lost, self.doubt, self.base, self.syn = [], [], [], [0, 0], any(p.flags & SYN for p in packets)
        self.heard = [any(p.d == d for p in packets) for d in (0, 1)]
        for d in (0, 1):
            mine = [p for p in packets if p.d == d]
            got = []
            for p in mine:
                if p.off is not None and p.data:
                    n = len(p.data) if p.cap is None else max(0, min(len(p.data), p.cap - wire.header_size(p)))
                    got.append((p.off, p.off + n))
            acks = [(p.ack - wire.isn[d] - 1) & 0xFFFFFFFF for p in packets if p.d != d and p.flags & 16 and not p.flags & 4] or [0]
            full = [p.off + len(p.data) for p in mine if p.off is not None]
            full += [(p.seq - wire.isn[d] - 1) & 0xFFFFFFFF for p in mine if p.flags & FIN and p.off is None]
            ends = [min(a, wire.stream[d]) for a in full + acks if a <= wire.stream[d] + 1]
            if not self.syn:
                self.base[d] = min((lo for lo, _ in got), default=wire.sent[d])
            end = max(ends, default=0) if mine else 0
            self.cover.append(merge_ranges(got))
            at, lost = self.base[d], []
            for lo, hi in self.cover[d] + [[end, end]]:
                if lo > at:
                    lost.append((at, lo))
                at = max(at, hi)
            self.lost.append(lost)
            resets = [(p.ack - wire.isn[d] - 1) & 0xFFFFFFFF for p in packets if p.d != d and p.flags & 4 and p.off is None]
            self.doubt.append(max([a for a in resets if a <= wire.stream[d]], default=0) > end)  # only a RST speaks of more

    def has(self, side, lo, hi):
        return lo == hi or any(a <= lo and hi <= b for a, b in self.cover[side])

    def full(self, s):
        return self.has(s.side, s.lo, s.hi)

    def touched(self, s):
        return any(a < s.hi and s.lo < b for a, b in self.lost[s.side])

    def none(self, s):
        return not any(a < s.hi and s.lo < b for a, b in self.cover[s.side])


def headers(e, m, spans, v, talk):
    """The expectations about what the message says."""
    parts = {}
    for s in spans:
        if s.piece is not None:
            parts.setdefault(s.piece, []).append(s)

    def whole(i):
        got = parts.get(i, [])
        return sum(s.plain for s in got) == len(m.msg[i][2]) and all(map(v.full, got))

    def edge(i, last):
        if i < 0 or i >= len(m.msg):
            return True
        got = parts.get(i)
        if not got:
            return False
        s = got[-1 if last else 0]
        return v.has(0, s.hi - 1, s.hi) if last else v.has(0, s.lo, s.lo + 1)

    gates = [s for s in spans if s.kind in ("data", "go", "bdat")]
    sure = all(map(v.full, gates)) and gates
    before = [s for s in spans if gates and s.side == 0 and s.hi <= gates[0].lo]
    begun = not gates or gates[0].kind != "bdat" or (before and all(map(v.full, before)))  # a chunk before it may have been missed
    hop = True
    for i, (kind, key, _) in enumerate(m.msg):
        if kind != "hdr" or key == "decoy":
            continue
        state = "is" if whole(i) and edge(i - 1, True) and edge(i + 1, False) else "maybe" if whole(i) else "any"
        if state == "any" and all(v.none(s) for s in parts.get(i, [])):
            state = "none"
        if not sure or (i == 0 and not begun):
            state = "any"
        if key == "hop":
            hop &= state == "is"
        elif key in SINGLE:
            e[key] = ["is", None] if state == "none" else ANY if state == "any" else [state, m.fields[key]]
    for key in HOP:
        e[key] = e[key] if hop else ANY
    e["is_webmail"] = e["is_webmail"] if e["user_agent"][0] == "is" and (e["user_agent"][1] or "is_webmail" not in m.fields) else ANY
    end = [i for i, p in enumerate(m.msg) if p[0] == "end"]
    if end and not whole(end[0]) and "traps" in talk.on and end[0] in parts:
        e["from"] = e["subject"] = ANY
    shape = [i for i, p in enumerate(m.msg) if p[0] in ("part", "end") or p[1] == "type"]
    if not sure or not all(map(whole, shape)):
        e["files"] = ANY
        return
    blobs = {p[1]: i for i, p in enumerate(m.msg) if p[0] == "blob"}
    e["files"] = ["is", [[n, t, size if whole(blobs[k]) else None] for k, (n, t, size) in enumerate(m.files)] or None]


def errors(replies):
    bad = [s.text for s in replies if s.code >= 400 and s.code != 421]
    return bad[-1] if bad else None


def replies_of(e, m, spans, v, talk, shaky):
    seen = [s for s in m.replies if v.full(s)]
    e["last_reply"], e["last_error"] = ["is", seen[-1].text if seen else None], ["is", errors(seen)]
    groups = {s.group for s in spans}
    own = [s.text for s in m.replies] + [None]
    if m.replies and (m.replies[-1].group in shaky or max(groups) + 1 in shaky):
        alone = len([s for s in talk.spans if s.group == m.replies[-1].group and s.side == 1]) == 1
        e["last_reply"] = ["in", own] if alone and max(groups) + 1 not in shaky else ANY
    if groups & shaky or max(groups) + 1 in shaky or not all(map(v.full, m.replies)):
        e["last_error"] = ANY if any(s.group in shaky for s in m.replies) or max(groups) + 1 in shaky else e["last_error"]


def mail(m, talk, v, shaky):
    """-> (must the record be there, expectations), or None where nothing of the mail was seen."""
    spans = [s for s in talk.spans if s.mail is m]
    opening = [s for s in spans if s.kind == "mail"][0]
    doors = [s for s in spans if s.kind in ("rcpt", "data", "bdat") and v.full(s)]
    go = [s for s in spans if s.kind == "go" and not v.none(s)]
    if not v.heard[0] or not (v.full(opening) or doors or go):
        return None
    must = v.full(opening) or bool(doors)
    e = {k: ["is", m.fields.get(k)] for k in SINGLE + HOP}
    path = [str(talk.ends[1][0]), str(talk.ends[0][0])]
    for ip in m.hops:
        path += [ip] if path[-1] != ip else []
    e["path"] = ["is", path]
    e["tls"], e["is_webmail"] = ["is", m.tls], ["is", m.fields.get("is_webmail", False)]
    e["mailfrom"] = ["is", m.mailfrom] if v.full(opening) else ["is", None]
    e["rcptto"] = ["is", [a for a, s in m.rcpts if v.full(s)] or None]
    earlier = talk.spans[: talk.spans.index(spans[0])]
    if any(s.kind == "dot" and s.group == opening.group and not v.full(s) for s in earlier):
        must, e["mailfrom"], e["rcptto"] = False, ["maybe", m.mailfrom], ANY  # where the text before it ends is a guess
    before = [s for s in earlier if s.kind == "hello"]
    e["helo"] = ["is", m.helo] if not before or v.full(before[-1]) else ANY if any(map(v.full, before)) else ["is", None]
    if before and any(v.touched(s) for s in before) and not v.full(before[-1]):
        e["helo"] = ANY
    headers(e, m, spans, v, talk)
    replies_of(e, m, spans, v, talk, shaky)
    if talk.lmtp and not all(v.full(s) for s in talk.spans if s.kind in ("hello", "keywords", "rcpt", "reply")):
        e["last_reply"] = e["last_error"] = ANY  # how many replies will come is not known
    if "replies" in talk.on and not all(v.full(s) or v.none(s) for s in m.replies):
        e["last_reply"] = e["last_error"] = ANY  # some lines of a reply
    if not v.heard[1]:
        e["last_reply"] = e["last_error"] = ["is", None]
    groups = [s.group for s in spans]
    tail = "loss_fin" in talk.on  # an acknowledged FIN that was not seen may have been a byte
    early = [lo for lo, hi in v.lost[1] if any(lo < s.lo < hi for s in spans if s.side == 1 and s.group == min(groups))]
    if any(v.doubt) and m is talk.mails[-1]:
        gap = ANY
    elif any(v.touched(s) for s in spans if s.side == 0 or not early):
        gap = ["is", True]
    elif early or shaky & set(range(min(groups) - 1, max(groups) + 2)):
        gap = ANY
    else:
        gap = ANY if tail and m is talk.mails[-1] else ["is", False]
    e["gap"], e["midstream"], e["one_sided"] = gap, ["is", not v.syn], ["is", v.heard != [True, True]]
    if v.heard == [True, True] and v.part:
        e["one_sided"] = ANY
    return must, e


def settle(talk, wire, packets, part, ending):
    """One capture of one connection -> its truth: {"mails": [[must, expectations]], "session": [must, expectations]}."""
    v = View(wire, packets)
    v.part = part
    shaky = {s.group for s in talk.spans if v.touched(s)}
    for d in (0, 1):
        if v.base[d]:
            shaky |= {s.group for s in talk.spans if s.side == d and s.lo <= v.base[d] <= s.hi}
    mails = [x for x in (mail(m, talk, v, shaky) for m in talk.mails) if x]
    hellos = [s for s in talk.spans if s.kind == "hello"]
    replies = [s for s in talk.spans if hasattr(s, "text")]
    seen = [s for s in replies if v.full(s)]
    e = {"banner": ANY, "helo": ANY, "tls": ["is", talk.tls], "tls_start": ["is", talk.tls_start], "end": ["in", ending], "last_reply": ANY}
    if replies and v.full(replies[0]) and v.heard[1]:
        e["banner"] = ["is" if v.syn else "maybe", talk.banner or ""]
    if all(map(v.full, hellos)):
        e["helo"] = ["is", talk.helo]
    if not part and replies and v.full(replies[-1]) and replies[-1].group not in shaky:
        e["last_reply"] = ["is", replies[-1].text]
    tls = [s for s in talk.spans if s.kind in ("starttls", "tls", "opaque")]
    if not all(map(v.full, tls)) or (tls and v.heard != [True, True]):
        e["tls"] = e["tls_start"] = ANY
        for m in mails:
            m[1]["tls"] = ANY
    missing = any(v.lost)
    last = max((s.group for s in talk.spans), default=0)
    sure = not shaky & {last, last - 1}
    readable = any(v.touched(s) for s in talk.spans if s.kind != "opaque")
    e["gap"] = ["is", missing] if (sure and readable) or not missing else ANY
    if ("loss_fin" in talk.on or any(v.doubt)) and not missing:
        e["gap"] = ANY
    e["midstream"], e["one_sided"] = ["is", not v.syn], ["is", v.heard != [True, True]] if not part else ANY
    if not v.syn and not (v.cover[0] and v.cover[1]):
        e["one_sided"] = ANY
    must = any(m[0] for m in mails) or (not part and bool(seen or hellos) and not missing and v.heard[1])
    possible = must or bool(packets)
    return {"mails": [list(m) for m in mails], "session": [must, e] if possible else None}


# The comparison

def same(want, got):
    if want[0] == "any":
        return True
    if want[0] == "in":
        return got in want[1]
    if want[0] == "maybe" and got is None:
        return True
    if isinstance(want[1], list) and want[1] and isinstance(want[1][0], list):  # files: a size may be unknown
        return bool(got) and len(got) == len(want[1]) and all(g[:2] == w[:2] and w[2] in (None, g[2]) for g, w in zip(got, want[1]))
    return got == want[1]


def flat(record):
    """A record with its flags beside its fields."""
    r = dict(record)
    flags = r.pop("flags", {})
    for k in ("gap", "one_sided", "midstream", "truncated"):
        r[k] = flags.get(k, False)
    if "files" in r:
        r["files"] = [[f["name"], f["type"], f["size"]] for f in r["files"]] or None
    return r


def differences(expected, record):
    r = flat(record)
    bad = ["%s: got %.300r want %.300r" % (k, r.get(k), w) for k, w in sorted(expected.items()) if not same(w, r.get(k))]
    return bad + (["truncated: got True"] if r["truncated"] and not r["gap"] else [])


def align(wanted, got):
    """Which record is which expectation, in order, so that the least is wrong. -> texts of what is wrong."""
    best = {(0, 0): (0, [])}

    def offer(key, cost, text):
        if key not in best or cost < best[key][0]:
            best[key] = (cost, text)

    for i in range(len(wanted) + 1):
        for j in range(len(got) + 1):
            if (i, j) not in best:
                continue
            cost, text = best[(i, j)]
            if i < len(wanted):
                must = wanted[i][0]
                name = "%s %s" % (wanted[i][1].get("mailfrom", ""), wanted[i][1].get("msg_id", ""))
                offer((i + 1, j), cost + 8 * must, text + (["missing: %s" % name] if must else []))
            if j < len(got):
                extra = {k: got[j].get(k) for k in ("mailfrom", "rcptto", "msg_id", "last_reply", "end") if got[j].get(k) is not None}
                offer((i, j + 1), cost + 8, text + ["too many: %.300r" % extra])
            if i < len(wanted) and j < len(got):
                bad = differences(wanted[i][1], got[j])
                label = "record %d" % (j + 1)
                offer((i + 1, j + 1), cost + len(bad), text + ["%s: %s" % (label, b) for b in bad])
    return best[(len(wanted), len(got))][1]


