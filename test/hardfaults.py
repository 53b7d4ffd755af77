"""The faults of networks and taps, each a function on a Wire's packets, for hardtrace.py. Times say the order of capture."""
from hardwire import ACK, FIN, RST, SYN, Packet

LOSS = {
    "loss_body": ("text", "blob", "part"),
    "loss_head": ("hdr", "end"),
    "loss_cmd": ("mail", "rcpt", "data", "bdat", "cmd", "rset", "hello", "secret"),
    "loss_reply": ("reply", "go", "banner", "keywords", "challenge"),
    "loss_dot": ("dot",),
}


def real(w, d=None):
    return [p for p in w.packets if p.off is not None and p.data and (d is None or p.d == d)]


def later(w, at, seconds):
    """All packets from index `at` on come later."""
    for p in w.packets[at:]:
        p.t += seconds


def state(w, at):
    """How much of its stream each side has sent before packet `at`."""
    sent = [0, 0]
    for p in w.packets[:at]:
        if p.off is not None:
            sent[p.d] = max(sent[p.d], p.off + len(p.data))
    return sent


def amid(w, r):
    """An index somewhere after the handshake and before the end."""
    ends = [i for i, p in enumerate(w.packets) if p.flags & (FIN | RST)] + [len(w.packets)]
    return r.randrange(3, max(4, ends[0]))


def within(p, spans):
    return any(p.off < s.hi and s.lo < p.off + len(p.data) for s in spans)


def loss(w, r, talk, name):
    spans = [s for s in talk.spans if s.kind in LOSS[name] and (s.kind != "banner" or not talk.on & {"split", "tiny", "bytes1"})]
    if not spans:
        return
    chunks = [s for s in talk.spans if s.kind == "bdat"]  # without it the octets' end is a guess
    mails, resets = [s for s in talk.spans if s.kind == "mail"], [s for s in talk.spans if s.kind == "rset"]
    twice = not resets and "ehlo_mid" not in talk.on  # or two mails become one
    for _ in range(r.choice([1, 1, 1, 1 + twice])):
        s = r.choice(spans)
        hit = [p for p in real(w, s.side) if within(p, [s]) and not (p.d == 0 and within(p, chunks))]
        hit = [p for p in hit if p.d or not (within(p, mails) and within(p, resets))]
        if hit:
            gone = r.choice(hit)
            w.packets = [p for p in w.packets if p.d != gone.d or p.off is None or not p.data or p.off + len(p.data) <= gone.off or p.off >= gone.off + len(gone.data)]


def loss_syn(w, r, which):
    w.packets = [p for i, p in enumerate(w.packets) if not (p.flags & SYN and p.d in which)]
    if len(which) == 2:
        w.packets.pop(0)


def loss_fin(w, r):
    w.packets = [p for p in w.packets if not p.flags & FIN or p.data or r.random() < 0.4]


def merge(w, r):
    """Two taps, and the server's side has the faster clock: replies before their commands."""
    skew = r.choice([w.rtt, w.rtt * 2, 0.003, 0.008, 0.05])
    for p in w.packets:
        p.t -= skew * p.d


def reorder(w, r):
    jitter = r.choice([0.002, 0.01, 0.04])
    for p in w.packets[3:]:
        if not p.flags & (SYN | RST):
            p.t += r.uniform(0, jitter)


def churn(w, r):
    """Always some hole for seconds, but each for a moment only."""
    start = w.packets[0].t
    for i, p in enumerate(w.packets):
        p.t = start + i * 0.01
        if i > 3 and p.data and not p.flags & (SYN | RST):
            p.t += r.uniform(0, 0.1)


def rexmit_late(w, r):
    """Lost on its way to the tap, sent again after a time-out; what came after it waits, unacknowledged."""
    runs = [i for i, p in enumerate(w.packets) if p.data and p.off is not None and not p.flags & (SYN | FIN)]
    r.shuffle(runs)
    for i in runs:
        p, end = w.packets[i], i + 1
        while end < len(w.packets) and end < i + 40 and not w.packets[end].flags & (FIN | RST) and (w.packets[end].d == p.d or not w.packets[end].data):
            end += 1
        if not any(q.d == p.d and q.data for q in w.packets[i + 1 : end]):
            continue
        for q in w.packets[i + 1 : end]:
            if q.d != p.d:
                q.ack = p.seq
        rto = r.choice([0.2, 0.9, 1.5, 3.0, 10.0])
        later(w, end, rto)
        p.t = w.packets[end - 1].t + (rto * 0.9 if end == len(w.packets) or r.random() < 0.5 else 0.00001)
        return


def reseg(w, r):
    """Retransmissions cut otherwise than the first time."""
    for _ in range(r.choice([1, 3, 6])):
        at = amid(w, r)
        sent = state(w, at)
        d = r.randrange(2)
        stream = bytearray(sent[d])
        for p in real(w, d):
            if p.off < sent[d]:
                stream[p.off : p.off + len(p.data)] = p.data[: sent[d] - p.off]
        lo = r.randrange(max(0, sent[d] - 5000), sent[d]) if sent[d] else 0
        t, new = w.packets[at - 1].t, []
        while lo < sent[d]:
            n = r.randrange(1, 1400)
            t += 0.000001
            new.append(Packet(t, d, w.seq(d, lo), w.seq(1 - d, sent[1 - d]), ACK, bytes(stream[lo : min(lo + n, sent[d])]), lo))
            lo += n
        if r.random() < 0.3:
            r.shuffle(new)
            for i, p in enumerate(new):
                p.t = w.packets[at - 1].t + 0.000001 * (i + 1)
        w.packets[at:at] = new


def lie(r, data):
    return bytes(c ^ 0x20 if chr(c).isalpha() else c for c in data) if r.random() < 0.5 else r.randbytes(len(data))


def overlap_bad(w, r):
    """A second copy that says something else: the first one counts, delivered or still waiting."""
    for _ in range(r.choice([1, 4])):
        at = [i for i, p in enumerate(w.packets) if p.data and p.off is not None and not p.flags & SYN]
        if not at:
            return
        i = r.choice(at)
        p = w.packets[i]
        lo = r.randrange(len(p.data))
        bad = p.copy(t=p.t + 0.000001, seq=(p.seq + lo) & 0xFFFFFFFF, data=lie(r, p.data[lo:]), off=None, flags=ACK)
        w.packets.insert(i + 1, bad)
        if i and w.packets[i - 1].d == p.d and w.packets[i - 1].data and w.packets[i - 1].off is not None and p.t - w.packets[i - 1].t < 0.1 and r.random() < 0.7:
            w.packets[i - 1].t = bad.t + 0.000001
            w.packets[i - 1 : i + 2] = [p, bad, w.packets[i - 1]]


def keepalive(w, r):
    for _ in range(r.choice([1, 3])):
        at = amid(w, r)
        sent = state(w, at)
        d = r.randrange(2)
        if not sent[d]:
            continue
        wait = r.choice([0.01, 20, 75])
        later(w, at, wait)
        t = w.packets[at - 1].t + wait * 0.9
        data = r.choice([b"", b"\0", b"Q"])
        w.packets[at:at] = [Packet(t, d, w.seq(d, sent[d] - 1), w.seq(1 - d, sent[1 - d]), ACK, data),
                            Packet(t + 0.00001, 1 - d, w.seq(1 - d, sent[1 - d]), w.seq(d, sent[d]), ACK)]


def zerowin(w, r):
    at = [i for i, p in enumerate(w.packets) if p.d == 0 and len(p.data) > 1 and p.off is not None and not p.flags & (SYN | FIN)]
    if not at:
        return
    i = r.choice(at)
    p, wait = w.packets[i], r.choice([0.5, 3, 30])
    later(w, i, wait * 4)
    new = [Packet(p.t - wait * 4, 1, p.ack, p.seq, ACK)]
    for k in range(3):
        t = p.t - wait * (3 - k)
        new += [Packet(t, 0, p.seq, p.ack, ACK, p.data[:1], p.off), Packet(t + 0.00001, 1, p.ack, p.seq, ACK)]
    for q in new:
        q.win = 0 if q.d else q.win
    w.packets[i:i] = new + [Packet(p.t - 0.00001, 1, p.ack, p.seq, ACK)]


def forged(w, r, rst):
    """Far outside of any window: the hosts pay no heed to it."""
    at = amid(w, r)
    sent = state(w, at)
    d = r.randrange(2)
    far = r.choice([20 << 20, 1 << 28, (1 << 31) - 100000]) * r.choice([1, -1])
    wait = r.choice([0.0, 2.5, 40.0])
    later(w, at, wait + 0.00002)
    flags, data = (r.choice([RST, RST | ACK]), b"") if rst else (ACK, b"MAIL FROM:<trap@example.org>\r\n" * 3)
    w.packets.insert(at, Packet(w.packets[at - 1].t + 0.00001, d, w.seq(d, sent[d] + far), w.seq(1 - d, sent[1 - d]), flags, data))


def slow(w, r):
    """Minutes between segments, an hour in all."""
    for at in r.sample(range(3, len(w.packets)), min(20, len(w.packets) - 3)):
        later(w, at, r.choice([15, 100, 250]))


def syn_rexmit(w, r):
    syn, answer = w.packets[0], w.packets[1]
    later(w, 1, 1.0)
    new = [syn.copy(t=answer.t - 0.9)]
    if r.random() < 0.5:
        new.append(syn.copy(t=answer.t - 0.5, data=b"", off=None))
    w.packets[1:1] = new
    if r.random() < 0.5:
        w.packets.insert(len(new) + 2, answer.copy(t=answer.t + 0.000001))
    if r.random() < 0.5:  # a copy that took a longer way
        at = amid(w, r)
        w.packets.insert(at, syn.copy(t=w.packets[at - 1].t + 0.000001))


def dup(w, r):
    """A mirror port that shows every packet twice."""
    late = r.choice([0.0, 0.000005, 0.00005])
    w.packets = [q for p in w.packets for q in (p, p.copy(t=p.t + late))]


def snap(w, r):
    size = r.choice([160, 200, 400, 1000])
    for p in w.packets:
        p.cap = size


def clock(w, r):
    """The order in the file is right, the times are not quite."""
    for p in w.packets:
        p.stamp = p.t + r.uniform(-0.002, 0.002)


def one_side(w, d):
    w.packets = [p for p in w.packets if p.d == d]


SIMPLE = {
    "loss_syn": lambda w, r: loss_syn(w, r, (0,)), "loss_synack": lambda w, r: loss_syn(w, r, (1,)), "loss_bothsyn": lambda w, r: loss_syn(w, r, (0, 1)),
    "loss_fin": loss_fin, "merge": merge, "reorder": reorder, "churn": churn, "rexmit_late": rexmit_late, "reseg": reseg, "overlap_bad": overlap_bad,
    "keepalive": keepalive, "zerowin": zerowin, "rst_bad": lambda w, r: forged(w, r, True), "forged": lambda w, r: forged(w, r, False), "slow": slow,
    "syn_rexmit": syn_rexmit, "dup": dup, "snap": snap, "clock": clock, "one_client": lambda w, r: one_side(w, 0), "one_server": lambda w, r: one_side(w, 1),
}
