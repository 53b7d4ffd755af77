"""Made-up messages for hardtrace.py: addresses, and a message as pieces, each of which says one thing."""
import base64

WORDS = "invoice report meeting lunch budget update contract photos server password ticket travel minutes draft final agenda".split()
PEOPLE = "anna bob carla dmitri eve feng gita hugo ines jan".split()
AGENTS = [("Mozilla Thunderbird 115.3", False), ("Roundcube Webmail/1.6.5", True), ("SquirrelMail/1.4.23", True), ("swaks v2020", False)]


def address(r, odd=False):
    plain = "%s.%s%d@%s" % (r.choice(PEOPLE), r.choice(WORDS), r.randrange(1000), r.choice("example.com example.org mail.example.edu".split()))
    if not odd or r.random() < 0.2:
        return plain
    return r.choice([
        '"john doe"@example.com', '"a>b"@example.com', '"a\\"b>"@example.org', '"x\\\\"@example.org', '"<>"@example.net',
        "@relay.example.com,@mx.example.org:" + plain, "jürgen@exämple.example", "用户@例え.example", "postmaster", "root@localhost",
        "user@[192.0.2.99]", "user@[IPv6:2001:db8::9]", "o'hara+tag=1@example.com", "%s@example.com" % ("l" * 200), "a%b!c@example.com",
    ])


def text_lines(r, count):
    return ["%s%s" % ("." if r.random() < 0.05 else "", " ".join(r.choice(WORDS) for _ in range(r.randrange(1, 12)))) for _ in range(count)]


TRAPS = [".", "..", ".foo", ". ", "MAIL FROM:<spam@example.org>", "RCPT TO:<trap@example.org>", "DATA", "QUIT", "RSET", "250 ok", "354 go on",
         "BDAT 10 LAST", "EHLO trap.example.org", "STARTTLS", "From: trap@example.org", "Subject: trap", "AUTH PLAIN AAAA", "", " . ", "\t", "221 bye",
         "\x0b", "caf\xe9", "From trap Mon Nov 23 2026", "=", "--"]


def header(r, name, value):
    """-> the wire, and the value as it is when unfolded."""
    blanks = [i for i, c in enumerate(value) if c == " "]
    if blanks and r.random() < 0.3:
        i = r.choice(blanks)
        blank = r.choice(" \t")
        return "%s: %s\r\n%s%s\r\n" % (name, value[:i], blank, value[i + 1 :]), value[:i] + blank + value[i + 1 :]
    return r.choice(["%s: %s\r\n", "%s: %s\r\n", "%s:%s\r\n"]) % (name, value), value


def hops(r, m, add):
    seen = []
    for n in range(r.choice([0, 1, 2, 4])):
        ip = r.choice(["8.8.%d.%d" % (r.randrange(256), r.randrange(256)), "10.1.%d.%d" % (r.randrange(256), r.randrange(1, 255)), "127.0.0.1", "203.0.113.9"])
        v = "from h%d.example.net (h%d.example.net [%s]) by mx%d.example.com with ESMTP id %x; Mon, 23 Nov 2026 07:%02d:11 +0000" % (n, n, ip, n, r.randrange(1 << 40), r.randrange(60))
        seen.append((ip, add("hop", r.choice(["Received", "RECEIVED", "received"]), v)))
    m.hops = [ip for ip, _ in seen if ip != "127.0.0.1"]
    if seen:
        m.fields["first_received"] = seen[-1][1]
        m.fields["second_received"] = seen[-2][1] if len(seen) > 1 else seen[-1][1]
    if m.hops:
        m.fields["received_from_originating_ip"] = m.hops[-1]


def headers(r, m, out):
    def add(key, name, value):
        wire, said = header(r, name, value)
        out.append(("hdr", key, wire.encode()))
        return said

    hops(r, m, add)
    rows = [
        ("date", "Date", "Mon, 23 Nov 2026 07:%02d:%02d +0000" % (r.randrange(60), r.randrange(60)), 0.9),
        ("from", "From", r.choice(['"Anna Q. Doe" <%s>', "%s", "<%s>"]) % address(r), 0.95),
        ("to", "To", [address(r) for _ in range(r.choice([1, 1, 2, 5]))], 0.9),
        ("cc", "Cc", [address(r) for _ in range(r.choice([1, 2]))], 0.3),
        ("reply_to", "Reply-To", address(r), 0.3),
        ("msg_id", r.choice(["Message-ID", "Message-Id"]), "<%x.%x@example.com>" % (r.randrange(1 << 48), r.randrange(1 << 30)), 0.95),
        ("in_reply_to", "In-Reply-To", "<%x@example.org>" % r.randrange(1 << 48), 0.3),
        ("subject", "Subject", " ".join(r.choice(WORDS) for _ in range(r.randrange(1, 12))) + " %d" % r.randrange(10000), 0.95),
        ("user_agent", r.choice(["User-Agent", "X-Mailer"]), r.choice(AGENTS), 0.5),
        ("x_originating_ip", "X-Originating-IP", "198.18.7.%d" % r.randrange(256), 0.2),
    ]
    r.shuffle(rows)
    for key, name, value, share in rows:
        if r.random() < 0.25:  # what a reader that loses its place in the line takes for the field
            add("decoy", r.choice(["X-", "Resent-", "Original-"]) + r.choice(["From", "To", "Subject", "Message-ID", "Date", "Received"]), "decoy from trap [9.9.9.9] by x")
        if r.random() > share:
            continue
        if key == "user_agent":
            m.fields["is_webmail"] = value[1]
            value = value[0]
        if isinstance(value, list):
            add(key, name, ", ".join(value))
            m.fields[key] = value
        elif key == "x_originating_ip":
            add(key, name, "[%s]" % value)
            m.fields[key] = value
        else:
            m.fields[key] = add(key, name, value)


def multipart(r, m, out, big):
    b = "=_b%x" % r.randrange(1 << 60)
    out.append(("hdr", "type", b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary="%s"\r\n' % b.encode()))
    out.append(("end", None, b"\r\n"))
    out.append(("part", None, ("preamble\r\n--%s\r\nContent-Type: text/plain\r\n\r\n" % b).encode()))
    out.append(("text", None, ("\r\n".join(text_lines(r, r.randrange(1, 20))) + "\r\n").encode()))
    for k in range(r.choice([1, 1, 2, 3])):
        name = "%s-%d.%s" % (r.choice(WORDS), r.randrange(1000), r.choice(["pdf", "docx", "zip", "iso"]))
        blob = r.randbytes(int(r.expovariate(1 / big)) + 60)
        disp = r.choice(['Content-Disposition: attachment; filename="%s"', 'content-disposition: ATTACHMENT;\r\n FILENAME=%s']) % name
        out.append(("part", k, ("\r\n--%s\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n%s\r\n\r\n" % (b, disp)).encode()))
        out.append(("blob", k, base64.encodebytes(blob).replace(b"\n", b"\r\n")))
        m.files.append([name, "application/octet-stream", len(blob)])
    out.append(("part", "close", ("\r\n--%s--\r\n" % b).encode()))


def compose(r, m, form, on):
    """-> [(kind, key, bytes)]; fills m.fields, m.files, m.hops. Each piece begins at the start of a line."""
    out = []
    m.hops = []
    if form == "empty":
        return out
    if form == "nohdr":
        return [("text", None, ("\r\n".join(["just text without any field"] + text_lines(r, 5)) + "\r\n").encode())]
    headers(r, m, out)
    if r.random() < 0.4:
        multipart(r, m, out, 60000 if "big" in on else 3000)
        return out
    out.append(("hdr", "type", b"Content-Type: text/plain; charset=utf-8\r\n"))
    if r.random() < 0.05:
        return out  # no blank line: no body at all
    out.append(("end", None, b"\r\n"))
    lines = text_lines(r, r.choice([0, 1, 30]) * (20 if "big" in on else 1))
    if "traps" in on:
        lines += r.sample(TRAPS, 12)
        r.shuffle(lines)
    out += [("text", None, (line + "\r\n").encode("latin-1")) for line in lines]
    return out
