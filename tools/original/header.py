"""What a mail's text says: fields, words, addresses, the hosts of its Received lines, the names of its files. `on` tells whether
a rule of the page is applied; without it a value is what smtp-ext.bro made of the same lines."""
import base64
import codecs
import ipaddress
import quopri
import re
from itertools import groupby

HEADER_BYTES = 65536
SINGLE = {b"date": "date", b"from": "from", b"reply-to": "reply_to", b"message-id": "msg_id", b"in-reply-to": "in_reply_to",
          b"subject": "subject", b"user-agent": "agent", b"x-mailer": "agent"}
OTHERS = (b"to", b"received", b"x-originating-ip")
# Fields whose folds the script took; of the others they got lost.
FOLDED = (b"from", b"reply-to", b"message-id", b"subject", b"user-agent", b"x-mailer", b"received")


def split_lines(text, on):
    """Lines of a message; a gap is an int between them."""
    out = []
    for piece in joined(text):
        if isinstance(piece, int):
            out.append(piece)
        elif on("line-ends"):
            lines = re.split(rb"\r{0,2}\n", piece)
            out += lines[:-1] if not lines[-1] else lines
        else:
            lines = re.split(rb"\r\n|\n|\r", piece)
            out += lines[:-1] if not lines[-1] else lines
    return out


def joined(text):
    """Pieces that follow each other as one."""
    for gap, pieces in groupby(text, lambda piece: isinstance(piece, int)):
        if gap:
            yield from pieces
        else:
            yield b"".join(pieces)


def header_and_body(text, on):
    """The lines of the header, which a gap breaks (None), and those of the body."""
    lines, header, after_gap = split_lines(text, on), [], False
    for i, line in enumerate(lines):
        if isinstance(line, int):
            if not on("gap"):
                return header, []
            header.append(None)
            after_gap = True
        elif not line:
            return header, lines[i + 1:]
        elif after_gap and header[-1] is None and i and isinstance(lines[i - 1], int):
            continue  # the rest of a line
        elif after_gap and not line[0] in b" \t" and not re.match(rb"[!-9;-~]+[ \t]*:", line):
            return header, lines[i:]  # the gap held the blank line
        else:
            header.append(line)
    return header, []


def fields_of(lines, on):
    """[name, first line's value, folds] of each."""
    out, current = [], None
    for line in lines:
        if line is None:
            current = None
        elif line[:1] in (b" ", b"\t"):
            if current:
                current[2].append(line)
        else:
            m = re.match(rb"([!-9;-~]+)([ \t]*):(.*)", line, re.S)
            current = None
            if m and (not m[2] or on("blank-before-colon")):
                current = [m[1].lower(), m[3], []]
                out.append(current)
    return out


def drop_first_nul(lines):
    """The script's analyser dropped the first zero byte of a connection."""
    for i, line in enumerate(lines):
        if line and b"\0" in line:
            return lines[:i] + [line.replace(b"\0", b"", 1)] + lines[i + 1:]
    return lines


def value_of(name, first, folds, on):
    if not on("lost-folds") and name not in FOLDED:
        folds = []
    if on("unfold"):
        value = first + b"".join(folds)
        value = value[:HEADER_BYTES - len(name) - 1] if on("header-limit") else value
    else:
        value = first.lstrip(b" \t") + b"".join(fold[1:] for fold in folds)
    return value.strip(b" \t") if on("trim") else value.lstrip(b" \t") if on("unfold") else value


def read_fields(lines, on):
    """{field: bytes or a list}, and the Received headers as [first, folds]."""
    got = {"to": [], "received": []}
    if not on("nul"):
        lines = drop_first_nul(lines)
    for name, first, folds in fields_of(lines, on):
        if name not in SINGLE and name not in OTHERS:
            continue
        if not first and not on("empty-header"):
            if name == b"received":
                got["received"].append((None, first, folds))  # it begins a hop all the same
            continue
        nul = not on("nul") and b"\0" in first
        raw = folds
        value = value_of(name, first, folds, on)
        if not on("lost-folds") and raw and name not in (b"message-id", b"received"):
            # The script asked whether the value, not the field's name, was "in-reply-to".
            if name == b"in-reply-to" and value == b"in-reply-to":
                value += raw[0][1:]
            elif got.get("in_reply_to") == b"in-reply-to":
                got["in_reply_to"] += raw[0][1:]
                value = value_of(name, first, raw[1:], on)
        if nul and name != b"x-originating-ip":
            continue
        if name == b"to":
            got["to"].append(value)
        elif name == b"received":
            got["received"].append((value, first, folds))
        elif name == b"x-originating-ip":
            got["x_originating_ip"] = originating(value, first, on) or got.get("x_originating_ip", b"")
        else:
            got[SINGLE[name]] = value
    return got


def originating(value, first, on):
    found = list(addresses(value, on)) if on("nul") or b"\0" not in value else []
    if found:
        return found[0]
    return b"" if on("originating-address") else b"X-Originating-IP:" + first


# Text.

WORD = re.compile(rb"=\?([^?\s]{1,79})\?([bBqQ])\?((?:(?!\?=|=\?[^=]).)*)\?=", re.S)


def to_utf8(charset, data):
    charset = charset.split(b"*")[0].decode("latin1").lower()
    if charset in ("us-ascii", "ascii", "utf-8", "utf8", "iso-8859-1"):
        try:
            return data.decode("utf-8" if charset != "iso-8859-1" else "latin-1" if not any(0x80 <= b < 0xA0 for b in data) else "cp1252")
        except UnicodeDecodeError:
            return data.decode("cp1252", "replace")
    try:
        return codecs.decode(data, charset, "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def plain(data, on):
    if not on("utf8"):
        return data
    return to_utf8(b"us-ascii", data).encode()



def decoded(value, on):
    """Encoded words as their text (RFC 2047); blanks between two go."""
    if not on("decode"):
        return plain(value, on)
    out, at, run = b"", 0, []

    def flush():
        nonlocal out, run
        done = []
        for charset, data in run:
            if done and done[-1][0].lower() == charset.lower():
                done[-1][1] += data
            else:
                done.append([charset, data])
        out += b"".join(to_utf8(charset, data).encode() for charset, data in done)
        run = []

    while m := WORD.search(value, at):
        between = value[at:m.start()]
        if not run or between.strip(b" \t\r\n"):
            flush()
            out += plain(between, on)
        run.append((m[1], word_bytes(m[2], m[3])))
        at = m.end()
    flush()
    return out + plain(value[at:], on)


def word_bytes(kind, text):
    if kind in b"qQ":
        return quopri.decodestring(text.replace(b"_", b" "), header=False) if b"=" in text else text.replace(b"_", b" ")
    text = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
    return base64.b64decode(text + b"=" * (-len(text) % 4) if len(text) % 4 != 1 else text[:-1])


def split_addresses(value):
    """The addresses of a list, with their names; the name of a group goes."""
    out, start, i, at = [], 0, 0, False
    pairs = {ord('"'): b'"', ord("<"): b">"}
    while i < len(value):
        c = value[i]
        end = -1
        if c == ord("\\"):
            i += 2
            continue
        if c in pairs:
            m = re.compile(rb'"(?:\\.|[^"\\])*"' if c == ord('"') else rb"<[^>]*(?=>)", re.S).match(value, i)
            end = m.end() if m else -1
        elif c == ord("("):
            depth, end = 0, i
            while end < len(value):
                if value[end] == ord("\\"):
                    end += 1
                elif value[end] == ord("("):
                    depth += 1
                elif value[end] == ord(")"):
                    depth -= 1
                    if not depth:
                        break
                end += 1
            end = end + 1 if end < len(value) else -1
        if end > i:
            i = end
            continue
        if c in b",;":
            out.append(value[start:i])
            start, at = i + 1, False
        elif c == ord("@"):
            at = True
        elif c == ord(":") and not at:
            start = i + 1
        i += 1
    return [part.strip(b" \t") for part in out + [value[start:]] if part.strip(b" \t")]


# Addresses in text.

FOUR = rb"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}"
SIX = (rb"([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}", rb"(([0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4})*)?)::(([0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4})*)?)",
       rb"(([0-9A-Fa-f]{1,4}:){6})([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)",
       rb"(([0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4})*)?)::(([0-9A-Fa-f]{1,4}:)*)([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)")
SCRIPT = [re.compile(p) for p in (FOUR, *SIX)]
OPENS, CLOSES, RUN = b" \t[(:=,<\"@", b" \t]),;>:\"\r\n%", re.compile(rb"[0-9A-Fa-f.:]+")


def script_addresses(text):
    """find_ip_addresses of the script's library: no word boundaries, the longest match at each place, in text order."""
    at = 0
    while at < len(text):
        found = max((m.end() for p in SCRIPT if (m := p.match(text, at))), default=at)
        if found == at:
            at += 1
            continue
        part = text[at:found]
        if not re.fullmatch(FOUR, part) or all(int(x) < 256 for x in part.split(b".")):
            yield part
        at = found


def parsed(text):
    try:
        address = ipaddress.ip_address(text.decode("ascii"))
        return getattr(address, "ipv4_mapped", None) or address
    except ValueError:
        return None


def four(text):
    """As C programs read it: zeros in front do not matter."""
    parts = text.split(b".")
    if len(parts) != 4 or not all(p.isdigit() and len(p) <= 3 and int(p) < 256 for p in parts):
        return None
    return ipaddress.ip_address(".".join(str(int(p)) for p in parts))


def address_of(text):
    return four(text) or parsed(text)


def addresses(text, on):
    """Addresses as written, in text order."""
    if not on("address-alone"):
        yield from script_addresses(text)
        return
    at = run_end = 0
    tried = False
    while at < len(text):
        if at and text[at - 1] not in OPENS:
            at += 1
            continue
        at += 5 * (text[at:at + 5].lower() == b"ipv6:")
        run = RUN.match(text, at)
        if not run:
            at += 1
            continue
        if at >= run_end:
            run_end, tried = run.end(), False
        # A port may follow an IPv4 address; a run is held against IPv6 once.
        for six, part in ((False, run[0].split(b":")[0]), (True, run[0])):
            if six and tried:
                continue
            tried |= six
            end = at + len(part)
            if (end == len(text) or text[end] in CLOSES) and address_of(part):
                yield part
                at = end - 1
                break
        at += 1


def mentions(text, on):
    """Addresses that a reply names: amid words, but not inside of longer numbers."""
    if not on("reply-addresses"):
        yield from filter(None, map(address_of, script_addresses(text)))
        return
    for m in re.finditer(rb"[0-9A-Fa-f:.]+", re.sub(rb"(?i)ipv6:", b" ", text)):
        run = m[0].strip(b".")
        six = (parsed(run) or parsed(run.rstrip(b":"))) if b":" in run and not text[m.end():m.end() + 1].isalpha() else None
        if six:
            yield six
            continue
        yield from filter(None, (four(part[0].strip(b".")) for part in re.finditer(rb"[0-9.]+", run)))


# Received lines.

CLAUSES = rb"(?:by|with|id|via|for)[ \t]"


def from_clause(value):
    """Up to the next clause, outside of comments."""
    value = value.strip(b" \t")
    if not re.match(rb"from[ \t(\[]", value, re.I):
        return b""
    for comments in (True, False):
        depth = words = 0
        end = None
        for i in range(4, len(value)):
            c = value[i:i + 1]
            if comments and c == b"(":
                depth += 1
            elif c == b")" and depth:
                depth -= 1
            elif not depth and c == b";":
                end = i
                break
            if depth or c not in (b" ", b"\t", b")"):
                continue
            if re.match(CLAUSES if words else rb"by[ \t]", value[i + 1:], re.I):
                end = i + 1
                break
            words += i + 1 < len(value) and value[i + 1:i + 2] not in (b" ", b"\t")
        if end is not None:
            return value[:end]
        if not depth:
            return value
    return value


def claimed(clause, at):
    """Did the client say this address of itself?"""
    before = clause[:at]
    if before.lower().endswith(b"ipv6:"):
        before = before[:-5]
    return bool(re.search(rb"(?:helo|ehlo|lhlo)[][ \t(:=,<\"@?]{0,8}$", before[-12:], re.I))


def sending_host(value, on):
    """The second address of the from clause, of those that were looked up; the first where there is no second."""
    clause, best, seen, claim, at = from_clause(value), None, 0, False, 0
    for text in addresses(clause, on):
        at = clause.index(text, at)
        helo = claimed(clause, at)
        at += len(text)
        if seen == 2:
            break
        if helo and (seen or claim):
            continue
        claim |= helo
        seen += not helo
        best = text
    return best


PRIVATE = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")]
PRIVATE_SIX = [ipaddress.ip_network(n) for n in ("fc00::/7", "fe80::/10", "::1/128")]


def inside(address, nets):
    return any(address.version == n.version and address in n for n in nets)


def goes_on(address, config):
    local = inside(address, config.local_nets)
    if inside(address, PRIVATE + PRIVATE_SIX):
        return True
    return {"local": local, "remote": not local, "all": True, "none": False}[config.capture]


def hop_texts(received, on):
    """Addresses that a Received header offers, as written."""
    for value, first, folds in received:
        if on("from-clause"):
            text = sending_host(value, on) if value else None
            if text:
                yield text
        else:
            for line in [first] + folds:
                found = list(addresses(line, on)) if on("nul") or b"\0" not in line else []
                if found:
                    yield found[min(1, len(found) - 1)]


def read_path(received, orig, resp, config, on):
    """Hops, nearest first, whether the path was cut, and the last one's text."""
    path, last, cut = [], b"", False
    for text in hop_texts(received, on):
        hop = address_of(text) if on("ipv6-hop") or b":" not in text else ipaddress.ip_address("0.0.0.0")
        if hop is None or hop == ipaddress.ip_address("127.0.0.1") or on("ipv6-hop") and hop == ipaddress.ip_address("::1"):
            continue
        last = text
        if not on("hop-repeats") or str(hop) != (path[-1] if path else orig):
            path.append(str(hop))
        if not goes_on(hop, config):
            cut = True
            break
    if on("path-list"):
        return [resp, orig] + path, cut, last
    return ("... " * cut + " -> ".join(path[::-1] + [orig, resp]) if last else ""), cut, last


# Files.

def parameters(value, on):
    """Those of Content-Disposition or Content-Type (RFC 2045, RFC 2231)."""
    plainly, parts = {}, {}
    for m in re.finditer(rb";?[ \t]*([^;=]+?)[ \t]*=[ \t]*(?:\"((?:\\.|[^\"\\])*)\"?|([^;]*))", value.partition(b";")[2], re.S):
        name, text = m[1].strip().lower(), re.sub(rb'\\([\\"])', rb"\1", m[2]) if m[2] is not None else (m[3] or b"").strip()
        base, star, section = name.partition(b"*")
        if not star:
            plainly.setdefault(base, decoded(text, on))
        elif section in (b"",):
            parts.setdefault(base, {})[-1] = (True, text)
        elif s := re.fullmatch(rb"(\d+)(\*?)", section):
            parts.setdefault(base, {}).setdefault(int(s[1]), (bool(s[2]), text))
    for base, sections in parts.items():
        if -1 in sections:
            sections = {-1: sections[-1]}
        charset, data = b"us-ascii", b""
        for number in sorted(sections):
            extended, text = sections[number]
            if extended and number <= 0 and text.count(b"'") >= 2:
                charset, _, text = text.split(b"'", 2)
            data += re.sub(rb"%([0-9A-Fa-f]{2})", lambda h: bytes([int(h[1], 16)]), text) if extended else text
        plainly[base] = to_utf8(charset, data).encode() if any(e for e, _ in sections.values()) else decoded(data, on)
    return plainly


class Tree:
    """Parts by their boundaries; a mail inside of a mail has parts too."""

    def __init__(self, on):
        self.on, self.names = on, []

    def part(self, lines, outer=()):
        header, body = [], []
        for i, line in enumerate(lines):
            if line is None or isinstance(line, int):
                header.append(None)
            elif not line:
                body = lines[i + 1:]
                break
            elif self.is_boundary(line, outer):
                body = lines[i:]
                break
            else:
                header.append(line)
        kind, name, boundary, disposition = b"text/plain", None, None, None
        transfer = b""
        seen = set()
        for field, first, folds in fields_of(header, self.on):
            value = (first + b"".join(folds)).strip(b" \t")
            if field in seen and field != b"content-disposition":
                continue
            seen.add(field)
            if field == b"content-type":
                kind = re.split(rb"[; \t(]", value)[0].lower()
                params = parameters(value, self.on)
                name, boundary = params.get(b"name"), params.get(b"boundary")
            elif field == b"content-disposition" and disposition is None:
                disposition = parameters(value, self.on).get(b"filename")
            elif field == b"content-transfer-encoding":
                transfer = value.lower()
        file = disposition if disposition is not None else name
        if kind.startswith(b"multipart/") and boundary:
            return self.multipart(body, boundary, outer)
        if kind in (b"message/rfc822", b"message/global") and transfer in (b"", b"7bit", b"8bit", b"binary"):
            rest = self.part(body, outer)
            if file is not None:
                self.names.append(file)
            return rest
        if file is not None:
            self.names.append(file)
        return next((body[i:] for i, line in enumerate(body) if not isinstance(line, int) and self.is_boundary(line, outer)), [])

    def is_boundary(self, line, outer):
        text = line.rstrip(b" \t\r")
        return any(text in (b"--" + b, b"--" + b + b"--") for b in outer)

    def multipart(self, lines, boundary, outer):
        """The lines from the boundary of an outer one on."""
        i = 0
        while i < len(lines):
            line = lines[i]
            text = b"" if isinstance(line, int) else line.rstrip(b" \t\r")
            if text == b"--" + boundary:
                lines, i = self.part(lines[i + 1:], outer + (boundary,)), 0
                continue
            if text == b"--" + boundary + b"--":
                i += 1
                while i < len(lines) and (isinstance(lines[i], int) or not self.is_boundary(lines[i], outer)):
                    i += 1
                return lines[i:]
            if text and self.is_boundary(line, outer):
                return lines[i:]
            i += 1
        return []


def file_names(mail, on):
    header, body = header_and_body(mail.text, on)
    if not on("packets"):
        # The script had those lines of the body that came in one packet with the blank line.
        body = split_lines(mail.body, on)
    if on("parts"):
        tree = Tree(on)
        tree.part(split_lines(mail.text, on) if on("packets") else header + [b""] + body)
        return tree.names
    lines = [l for l in body if not isinstance(l, int) and re.match(rb"content-dis.*filename", l, re.I)]
    return [re.sub(rb"^.*filename=", b"", l, flags=re.I) for l in lines]
