#!/usr/bin/env python3
"""Writes a capture of SMTP sessions with many faults and oddities, and beside it what can be known of each from the packets.

hardtrace.py OUT.pcap TRUTH.jsonl [--sessions N] [--seed S] [--only NAME]... [--session I]

Each line of the truth is one pair of ends: {"key", "mails", "sessions", "secrets", "about"}; hardtruth.py says what an
expectation is.
"""
import argparse
import json
import random

import hardfaults
import hardtruth
import hardwire
from hardplay import LAST_KINDS, MAIL_KINDS, Player

# Of these a session has one at most.
WINDOWS = ["midstream", "cutoff", "idle20"]
LOSSES = list(hardfaults.LOSS) + ["loss_syn", "loss_synack", "loss_bothsyn", "loss_fin", "one_client", "one_server", "snap"] + WINDOWS
# Of these two may meet.
BENIGN = ["merge", "reorder", "churn", "rexmit_late", "reseg", "overlap_bad", "keepalive", "zerowin", "rst_bad", "forged", "slow", "syn_rexmit", "dup", "clock"]
SHAPES = ["bytes1", "tiny", "split", "wrap", "vlan_one", "tfo", "fin_data", "rst_data", "altport", "reuse", "big"]
TALK = ["pipe", "mixes", "blast", "eager", "lmtp", "barelf", "odd", "addrs", "replies", "longgreet", "traps", "xclient", "auth", "tls", "tls_refused", "tls_clear",
        "ehlo_refused", "nohelo", "rehello", "between", "strays", "inside", "many", "noquit"]
SPECIAL = ["tls_implicit", "other"]
ALL = LOSSES + BENIGN + SHAPES + TALK + MAIL_KINDS + LAST_KINDS + SPECIAL


def pick(r):
    on = set()
    for names, share in [(TALK, 0.1), (MAIL_KINDS, 0.08), (LAST_KINDS, 0.06), (SHAPES, 0.05)]:
        on |= {n for n in names if r.random() < share}
    if r.random() < 0.4:
        on.add(r.choice(LOSSES))
    if r.random() < 0.5:
        on |= {r.choice(BENIGN) for _ in range(r.choice([1, 1, 2]))}
    if r.random() < 0.06:
        on = {r.choice(SPECIAL)}
    return on


def tame(on, r):
    """Takes out what would make even the truth a guess."""
    lossy = on & set(LOSSES)
    if lossy - {"loss_syn", "loss_synack", "loss_fin"}:
        on -= {"tls_clear", "ehlo_mid_refused", "nested", "traps", "blast", "eager", "strays", "reseg", "mail_mail", "tfo", "rexmit_late"} | ({"mixes"} if lossy & set(WINDOWS) else set()) | ({"mixes", "pipe", "replies"} if "snap" in on else set())
        on -= {"reorder", "merge", "churn", "clock", "rexmit_late", "syn_rexmit", "keepalive", "forged", "rst_bad", "altport", "overlap_bad", "dup"} if lossy & set(WINDOWS) else set()
        on -= {"bdat", "bdat_refused", "bdat_rset"} if lossy & set(WINDOWS) or "snap" in on or (on & {"pipe", "mixes"} and "loss_reply" not in on) else set()
        on -= {"refused"} | ({"between", "inside"} if on & {"pipe", "mixes"} else set())
        on |= {"strict"}
    if on & {"one_client", "one_server"}:
        on -= {"forged", "slow"}
    if on & {"reorder", "churn"}:
        on -= {"reseg", "forged"}
    if "one_client" in on:
        on -= {"altport"} if "nohelo" in on else set()
        on -= {"data_refused", "odd", "eager", "blast", "mixes", "bdat_refused", "forged", "rst_bad"}
    if lossy & {"loss_synack", "loss_syn", "loss_bothsyn"}:
        on -= {"tfo", "syn_rexmit", "merge", "rexmit_late"} | ({"reuse", "reorder", "churn", "overlap_bad"} if "loss_synack" in on else set()) | ({"reorder", "churn", "reuse"} if "loss_bothsyn" in on else set())
    if on & {"midstream", "idle20"}:
        on -= {"reuse"}
    if on & {"reuse", "idle20"}:
        on -= {"merge", "clock", "dup"}
    if "bytes1" in on:
        on -= {"big", "slow", "many"} | ({"replies", "longgreet"} if lossy & set(WINDOWS) else set())
    if "tiny" in on:
        on -= {"big"}
    if "churn" in on and lossy:
        on -= {"churn"}
    if "churn" in on:
        on |= {"big"}
        on -= {"bytes1", "tiny", "slow"}
    if "rst_data" in on:
        on -= {"fin_data", "noquit", "vanish", "s421", "tls", "slow"}
    if on & {"tfo", "loss_synack", "big"}:
        on -= {"blast"}  # what is sent before anything of the server is seen, or is more than may be held, is guessed at
    if on & {"churn", "reorder", "merge", "clock"}:
        on -= {"overlap_bad", "keepalive"}  # which copy is the first must stay sure
    if "slow" in on:
        on -= {"overlap_bad"}
    if "churn" in on:
        on -= {"reorder", "merge", "clock"}
    if on & {"reseg", "rst_data", "slow", "zerowin", "keepalive", "forged", "rst_bad"}:
        on -= {"rexmit_late"}  # a hole may be no older than the longest wait
    if "nohelo" in on:
        on -= {"between", "strays", "xclient"}
    if "lmtp" in on:
        on -= {"bdat_refused", "nohelo"}
    return on


def endings(talk, on):
    base = {"fin": ["quit", "fin"], "sfin": ["quit", "fin"], "rst": ["rst"], "vanish": ["eof", "timeout", "shed"]}[talk.end]
    if "rst_data" in on:
        base = ["rst", "quit", "fin"]
    return base


def connect(r, on, t, ends=None):
    """-> (talk, wire), faults included."""
    talk = Player(r, on).play()
    w = hardwire.Wire(r, on, t, ends)
    talk.ends = w.ends
    w.build(talk)
    w.stream = list(talk.sent)
    for name in list(hardfaults.LOSS):
        if name in on:
            hardfaults.loss(w, r, talk, name)
    order = [n for n in hardfaults.SIMPLE if n in on]
    order.sort(key=lambda n: (n == "overlap_bad", n in ("reorder", "merge", "churn"), n in ("snap", "dup", "clock", "one_client", "one_server")))
    for name in order:
        hardfaults.SIMPLE[name](w, r)
        w.packets.sort(key=lambda p: p.t)
    return talk, w


def windows(r, on, w):
    """The captures that the packets make: [(packets, one of several or cut, other possible endings)]."""
    n = len(w.packets)
    k = r.randrange(2, n) if n > 3 else n
    if "midstream" in on:
        w.packets = w.packets[k:]
        return [(w.packets, True, [])]
    if "cutoff" in on:
        w.packets = w.packets[:k]
        return [(w.packets, True, ["eof", "timeout"])]
    if "idle20" in on:
        hardfaults.later(w, k, 1200)
        return [(w.packets[:k], True, ["timeout"]), (w.packets[k:], True, [])]
    return [(w.packets, False, [])]


def implicit_tls(r, t):
    w = hardwire.Wire(r, set(), t)
    w.ends = (w.ends[0], (w.ends[1][0], 465))
    w.syn()
    w.write(0, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + r.randbytes(506))
    w.write(1, b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + r.randbytes(3000))
    w.finish("fin")
    e = {"tls": ["is", True], "tls_start": ["is", "implicit"], "helo": ["is", None], "banner": ["is", None], "gap": ["is", False], "midstream": ["is", False], "end": ["in", ["fin", "quit"]]}
    return w, e


def session(r, on, t):
    """-> (frames, truth). A frame: (order, time in the file, bytes, captured length)."""
    truth = {"mails": [], "sessions": [], "secrets": [], "names": [], "about": sorted(on)}
    wires = []
    if "other" in on:
        wires.append(hardwire.other_traffic(r, t))
    elif "tls_implicit" in on:
        w, e = implicit_tls(r, t)
        wires.append(w)
        truth["sessions"].append([True, e])
    else:
        for n in range(3 if "reuse" in on else 1):
            if n:
                t = max(p.t for p in wires[-1].packets) + r.choice([0.001, 0.3, 5, 90])
            talk, w = connect(r, on, t, wires[0].ends if n else None)
            wires.append(w)
            truth["secrets"] += talk.secrets
            truth["names"] += talk.names
            for packets, part, other in windows(r, on, w):
                ending = endings(talk, on) + other + (["reuse"] if "reuse" in on else [])
                ending += ["rst", "fin", "quit", "eof", "timeout"] if on & set(LOSSES) or "reuse" in on else []
                got = hardtruth.settle(talk, w, packets, part, ending)
                truth["mails"] += got["mails"]
                truth["sessions"] += [got["session"]] if got["session"] else []
    frames = [(p.t, p.t if p.stamp is None else p.stamp, w.frame(p), p.cap) for w in wires for p in w.packets]
    w = wires[0]
    truth["key"] = [str(w.ends[0][0]), w.ends[0][1], str(w.ends[1][0]), w.ends[1][1]]
    return frames, truth


def make(seed, sessions, only=(), index=None):
    frames, truth, t = [], [], 1795000000.0
    for n in range(sessions):
        r = random.Random((seed << 32) + n)
        t += r.expovariate(20)
        on = tame(set(only) if only else pick(r), r)
        if index is not None and n != index:
            continue
        got, say = session(r, on, t)
        frames += got
        say["n"] = n
        truth.append(say)
    frames.sort(key=lambda f: f[0])
    return [f[1:] for f in frames], truth


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("pcap")
    p.add_argument("truth")
    p.add_argument("--sessions", type=int, default=100)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--only", action="append", choices=ALL, metavar="NAME", default=[], help="these faults and oddities, and no others: " + " ".join(ALL))
    p.add_argument("--session", type=int, help="this session of the trace alone")
    a = p.parse_args()
    frames, truth = make(a.seed, a.sessions, a.only, a.session)
    hardwire.save(a.pcap, frames)
    with open(a.truth, "w", encoding="utf-8") as f:
        for line in truth:
            f.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
