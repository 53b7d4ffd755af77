#!/usr/bin/env python3
"""Random SMTP dialogues with a real Postfix: what it logged as accepted is what mailtap recorded, and nothing that it refused looks accepted.

model.py MAILTAP                       the test
model.py MAILTAP --hunt FROM TO        many seeds; prints what differs
model.py MAILTAP --show SEED NUMBER    one dialogue, as a text of test/dialog, and what mailtap makes of it
"""
import collections
import concurrent.futures
import json
import re
import sys

from modelserver import Server, read_log
from modeltalk import Maker, Talk
from tap import done, mailtap, ok

SEEDS = [1, 2, 3]
DIALOGUES = 120  # a seed
SHOWN = 4090     # characters of a text that an event shows
# As Postfix's closing line names commands.
NAMES = {"HELO": "helo", "EHLO": "ehlo", "MAIL": "mail", "RCPT": "rcpt", "DATA": "data", "BDAT": "bdat", "RSET": "rset", "NOOP": "noop", "VRFY": "vrfy",
         "AUTH": "auth"}


def unescape(text):
    return re.sub(rb"\\(n|r|x[0-9a-f]{2})", lambda m: {b"n": b"\n", b"r": b"\r"}.get(m[1]) or bytes([int(m[1][1:], 16)]), text.encode())


class Seen:
    """What mailtap says of one connection."""

    def __init__(self):
        self.mails, self.session, self.replies, self.texts, self.rcpts, self.cut = {}, None, [], collections.defaultdict(bytes), collections.defaultdict(list), set()

    def event(self, text):
        kind, _, rest = text.partition(" ")
        m = re.match(r"mail=(\d+) ?(.*)", rest, re.S)
        if not m:
            return
        mail, rest = int(m[1]), m[2]
        if kind == "message-begin":
            self.texts[mail] = b""
        elif kind == "message-data":
            if len(text) >= SHOWN:
                self.cut.add(mail)
            self.texts[mail] += unescape(rest)
        elif kind == "command" and rest[:5].strip() == "RCPT":
            self.rcpts[mail].append([rest[5:], None])
        elif kind == "reply":
            verb, code, said = (rest.split(" ", 2) + [""])[:3]
            self.replies.append((verb, int(code), said, mail))
            if verb == "RCPT":
                for r in self.rcpts[mail]:
                    if r[1] is None:
                        r[1] = int(code)
                        break


def read(pcap):
    """-> {client port: Seen}"""
    seen, uids = collections.defaultdict(Seen), {}
    for line in mailtap("read", pcap, "-f", "json").stdout.splitlines():
        r = json.loads(line)
        if r["_path"] not in ("smtp", "smtp_session"):
            continue
        s = seen[r["id.orig_p"]]
        uids[r["uid"]] = s
        if r["_path"] == "smtp":
            s.mails[r["trans_depth"]] = r
        else:
            s.session = r
    for line in mailtap("read", pcap, "--events").stdout.decode().splitlines():
        parts = line.split(" ", 2)
        if len(parts) == 3 and parts[1] in uids:
            uids[parts[1]].event(parts[2])
    return seen


HEADER = re.compile(rb"[!-9;-~]+[ \t]*:")


def size_in_queue(text):
    """A record a line: its type, its length, of 7 bits a byte, and the line; and an empty line behind the headers."""
    lines = re.split(rb"\r?\n", text)
    if not lines[-1]:
        lines.pop()
    at = 0
    while at < len(lines) and (HEADER.match(lines[at]) or at and lines[at][:1] in (b" ", b"\t")):
        at += 1
    if at < len(lines) and lines[at]:
        lines.insert(at, b"")
    return sum(len(line) + 2 + (len(line) > 127) for line in lines)


def read_otherwise(text):
    """A dot behind a bare LF is text; what this server does with it is known too late. It may be the end, stuffing, or a line that goes."""
    texts = [text]
    for pattern, instead in ((rb"\n\.\r?\n$", b"\n"), (rb"(?<=\r\n)\n$", b""), (rb"(?<!\r)\n\.(\r?\n)", b"\n"), (rb"(?s)(?<=\r\n)\n(?!.*\r\n\n)", b""),
                             (rb"(?<!\r)\n\.", b"\n")):
        texts += [re.sub(pattern, instead, t) for t in texts]
    return texts


def bare(address):
    """As Postfix logs it: without a source route."""
    address = re.sub(r"^@[^:]*:", "", "" if address in (None, "<>") else address)
    return address if not address or "@" in address else address + "@mx.model.example"


def accepted(qid, mail, s, talk):
    """A mail in the queue. -> texts of what differs."""
    found = [r for r in s.mails.values() if ("queued as " + qid) in r.get("last_reply", "")]
    told = ("queued as " + qid).encode() in b"".join(d for side, d in talk.said if side == "S")
    if len(found) != 1:
        return ["%s: accepted, in %d records" % (qid, len(found))] if told or found else []
    r = found[0]
    number, bad = r["trans_depth"], []
    taken = {bare(a) for a, code in s.rcpts[number] if code and code < 300}
    if bare(r.get("mailfrom")) != mail["from"]:
        bad.append("sender %r, in the log %r" % (r.get("mailfrom"), mail["from"]))
    if {a.lower() for a in taken} != {a.lower() for a in mail["rcpts"]}:
        bad.append("recipients %s, in the log %s" % (sorted(taken), sorted(mail["rcpts"])))
    if [a for a, _ in s.rcpts[number]] != r.get("rcptto", []):
        bad.append("rcptto %s, commands %s" % (r.get("rcptto"), s.rcpts[number]))
    text = s.texts[number]
    sizes = {size_in_queue(t) for t in read_otherwise(text)}
    if number not in s.cut and not talk.m.two_ways and mail["size"] not in sizes:
        bad.append("size %d, in the log %d: %r" % (size_in_queue(s.texts[number]), mail["size"], s.texts[number]))
    # Behind a line that is no header Postfix has none; mailtap goes on, as mail programs do.
    if HEADER.match(text) and r.get("msg_id", "") != mail.get("msg_id", ""):
        bad.append("msg_id %r, in the log %r" % (r.get("msg_id"), mail.get("msg_id")))
    if set(r.get("flags", {})) - {"path_cut"}:
        bad.append("flags %s" % r["flags"])
    return ["%s, mail %d: %s" % (qid, number, b) for b in bad]


def counted(counts, s, gone):
    """Each reply is the right command's: by the numbers of Postfix's closing line."""
    got, other, over, begun = collections.defaultdict(lambda: [0, 0]), 0, 0, 0
    for verb, code, said, _ in s.replies:
        other += verb == "?"
        begun += (code == 354) - (verb == ".")  # a text without its end
        name = {".": "data"}.get(verb) or NAMES.get(verb)
        if not name or code in (334, 354, 421) or (name == "data" and verb != "." and code < 400):
            continue
        if "too many recipients" in said:  # the first one over the limit counts as taken
            over += 1
        got[name][0] += code < 400
        got[name][1] += 1
    bad = []
    for name in sorted(set(NAMES.values())):
        want, have = counts.get(name, (0, 0)), tuple(got[name])
        # What has no path or no number is another command to mailtap.
        slack = over if name == "rcpt" else 0
        have_all = have[1] + (begun if name == "data" else 0)
        if not have[0] <= want[0] <= have[0] + slack or (not gone and not have[1] <= want[1] <= have_all + other):
            bad.append("%s: %d of %d taken by the replies, %d of %d by the log" % (name, *have, *want))
    return bad


def compare(talks, log, pcap):
    """-> {number of the dialogue: texts}, and how many mails were accepted, refusals told."""
    mails, sessions, refused, odd = read_log(log)
    seen, bad = read(pcap), collections.defaultdict(list)
    by_port = {t.client: t for t in talks}
    for qid, mail in mails.items():
        if mail["queued"] and mail.get("port") in by_port:
            t = by_port[mail["port"]]
            bad[t.number] += accepted(qid, mail, seen[t.client], t)
    for t in talks:
        s = seen[t.client]
        for r in s.mails.values():
            q = re.search(r"queued as (\w+)", r.get("last_reply", ""))
            if q and not mails.get(q[1], {}).get("queued"):
                bad[t.number].append("looks accepted: %s" % r["last_reply"])
            elif q and sum(q[0] in x.get("last_reply", "") for x in s.mails.values()) > 1:
                bad[t.number].append("twice: %s" % r["last_reply"])
        gone = any(code in (421, 521) or "bare <LF>" in said for _, code, said, _ in s.replies)
        if not t.cut and not t.m.two_ways and t.client in sessions:
            bad[t.number] += counted(sessions.get(t.client, {}), s, gone)
    told = collections.Counter()
    for port, s in seen.items():
        for verb, code, said, _ in s.replies:
            told[port, {".": "END-OF-MESSAGE", "BDAT": "END-OF-MESSAGE"}.get(verb, verb), code] += 1
    count = collections.Counter((p, verb, code) for p, verb, code, _ in refused)
    for (port, verb, code), n in count.items():
        t = by_port.get(port)
        if t and not t.cut and not t.m.two_ways and port in sessions and code != 421 and told[port, verb, code] < n and verb in ("MAIL", "RCPT", "DATA", "END-OF-MESSAGE"):
            bad[t.number].append("%s refused by %d %d times in the log, %d times in the replies" % (verb, code, n, told[port, verb, code]))
    return {n: texts for n, texts in bad.items() if texts}, sum(m["queued"] for m in mails.values()), len(refused), odd


def run(seed, numbers, again=2):
    """Dialogues of one seed. -> the dialogues, and what compare gives."""
    with Server() as server:
        def one(number):
            t = Talk(Maker(seed, number), server.connect)
            t.number = number
            return t.run()

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            talks = list(pool.map(one, numbers))
        settled = server.settle([t.client for t in talks if not t.cut])
    if server.dropped and again:  # a busy machine: the capture is no witness
        server.close()
        return run(seed, numbers, again - 1)
    result = compare(talks, server.log, server.pcap)
    events = mailtap("read", server.pcap, "--events").stdout.decode() if len(talks) == 1 else ""
    server.close()
    return talks, result, settled, events, server


def report(seed, talks, bad):
    return ["--show %d %d (%s, port %d, client %d):\n    %s" % (seed, n, talks[n].m.way, talks[n].m.port, talks[n].client, "\n    ".join(texts)) for n, texts in sorted(bad.items())]


def hunt(first, last):
    totals = collections.Counter()
    for seed in range(first, last):
        talks, (bad, accepted_, refused, odd), settled, *_ = run(seed, range(DIALOGUES))
        totals.update(dialogues=len(talks), accepted=accepted_, refused=refused, differ=len(bad))
        for text in report(seed, talks, bad):
            print(text, flush=True)
        print("seed %d: settled %s, %s" % (seed, settled, dict(totals)), flush=True)
        for line in odd[:3]:
            print("    log: " + line, flush=True)


def show(seed, number):
    talks, (bad, *_), _, events, server = run(seed, [number])
    print(talks[0].text())
    print("".join(line + "\n" for line in server.log.splitlines() if "smtpd" in line or "qmgr" in line))
    print(events)
    for texts in bad.values():
        print("\n".join(texts))


def main():
    if "--hunt" in sys.argv:
        i = sys.argv.index("--hunt")
        return hunt(int(sys.argv[i + 1]), int(sys.argv[i + 2]))
    if "--show" in sys.argv:
        i = sys.argv.index("--show")
        return show(int(sys.argv[i + 1]), int(sys.argv[i + 2]))
    for seed in SEEDS:
        talks, (bad, taken, refused, _), settled, *_ = run(seed, range(DIALOGUES))
        ok(settled and taken > DIALOGUES / 4 and refused > DIALOGUES / 4, "seed %d: %d dialogues with Postfix, %d mails accepted, %d refusals logged" % (
            seed, len(talks), taken, refused), settled)
        ok(not bad, "seed %d: what mailtap recorded is what Postfix did" % seed, *report(seed, talks, bad)[:6])
    done()


if __name__ == "__main__":
    main()
