#!/usr/bin/python3
"""Refusals: the block lists in data/ against verdicts written by hand (replies-verdicts.tsv), against every list that the
ancestor and Zeek knew, and against texts made to stall a matcher."""
import hashlib
import re
import subprocess
import sys
import tempfile

from tap import SHARED, SOURCE, done, ok, skip

RUN = sys.argv[2]
LISTS = SOURCE / "data/blocklists.yaml"
# What a change of the patterns must not go below: of the replies that a list or provider speaks in, how many are found, with
# their name and kind; of the others, how many are taken for one of those. And of listings, which raise a notice, alone.
RECALL, FALSE_ALARMS, LISTED_RECALL, LISTED_FALSE_ALARMS = 0.98, 0, 1.0, 0


def verdicts_of(lines, lists=LISTS):
    """(name, kind, page, date, code, enhanced code) per line, and what was counted."""
    data = "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")
    r = subprocess.run([RUN, str(lists)], input=data, capture_output=True, timeout=50)
    if r.returncode:
        ok(False, "replies-run ends well", r.stderr.decode(errors="replace")[-3000:])
        done()
    counted = {k: float(v) for k, v in re.findall(r"(\w+)=([\d.]+)", r.stderr.decode())}
    return [tuple(line.split("\t")) for line in r.stdout.decode("utf-8", "surrogateescape").splitlines()], counted


def joined(text):
    """Bounces keep the code in front of the further lines of a reply; a reply as mailtap joins it has none."""
    code = text[:3]
    return text[:4] + re.sub(r"(?<= )%s[- ](?=\S)" % re.escape(code), "", text[4:])


def lines_of(path):
    """The last column is the text; the first names the mail that it was taken from."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as f:
        return [joined(line.rstrip("\n").split("\t")[-1]) for line in f]


def truths():
    """{file: (sha256, {line: (name, kind)})}"""
    files = {}
    for line in (SOURCE / "test/replies-verdicts.tsv").read_text().splitlines():
        if line.startswith("#"):
            continue
        file, numbers, name, *rest = line.split("\t")
        if numbers == "sha256":
            files[file] = (name, {})
            continue
        first, _, last = numbers.partition("-")
        for number in range(int(first), int(last or first) + 1):
            ok(number not in files[file][1], "%s:%d has one verdict" % (file, number)) if number in files[file][1] else None
            files[file][1][number] = (name, rest[0])
    return files


def hold_file(file, sha, truth, every):
    path = SHARED / "replies" / file
    if not path.exists():
        skip("verdicts on " + file, "%s is not there: set MAILTAP_SHARED" % path)
        return
    if not ok(hashlib.sha256(path.read_bytes()).hexdigest() == sha, file + " is the version that the verdicts are for"):
        return
    lines = lines_of(path)
    got, counted = verdicts_of(lines)
    builtin, counted_builtin = verdicts_of(lines, "-")
    ok(got == builtin and counted["limits"] == counted_builtin["limits"], "the built-in lists say the same of every line of " + file)
    wrong = []
    found = spoken = alarms = listed = listed_found = listed_alarms = 0
    for number, (text, verdict) in enumerate(zip(lines, got), 1):
        want = truth.get(number, ("-", "-"))
        fits = want == verdict[:2]
        if not fits:
            wrong.append("%s:%d: wanted %s, got %s: %s" % (file, number, want, verdict[:2], text[:100]))
        spoken += want[0] != "-"
        found += fits and want[0] != "-"
        alarms += want[0] == "-" and verdict[0] != "-"
        listed += want[1] == "listed"
        listed_found += fits and want[1] == "listed"
        listed_alarms += want[1] != "listed" and verdict[1] == "listed"
    print("# %s: %d replies; %d of %d found with name and kind, %d false alarms; listings %d of %d, %d false alarms" % (
        file, len(lines), found, spoken, alarms, listed_found, listed, listed_alarms))
    if every:
        ok(len(truth) == len(lines), "every line of %s has a verdict" % file, len(truth), len(lines))
        ok(not wrong, "every line of %s gets its verdict" % file, *wrong)
        return
    ok(found >= RECALL * spoken, "%s: recall is at least %g" % (file, RECALL), *wrong)
    ok(alarms <= FALSE_ALARMS, "%s: at most %d false alarms" % (file, FALSE_ALARMS), *wrong)
    ok(listed_found >= LISTED_RECALL * listed, "%s: recall of listings is at least %g" % (file, LISTED_RECALL), *wrong)
    ok(listed_alarms <= LISTED_FALSE_ALARMS, "%s: at most %d false listings" % (file, LISTED_FALSE_ALARMS), *wrong)


# (what the ancestor and Zeek look for, the row that must speak)
FORERUNNERS = [
    ("spamhaus.org/", "Spamhaus"),
    ("sophos.com/security/", "Sophos"),
    ("spamcop.net/bl", "SpamCop"),
    ("cbl.abuseat.org/", "Spamhaus XBL"),
    ("sorbs.net/", "SORBS"),
    ("bsn.borderware.com/", "BorderWare"),
    ("mail-abuse.com/", "Trend Micro ERS"),
    ("bbl.barracudacentral.com/", "Barracuda"),
    ("psbl.surriel.com/", "PSBL"),
    ("antispam.imp.ch/", "ImproWare (SwiNOG)"),
    ("dyndns.com/support/kb/of-spam", "Dyn"),
    ("rbl.knology.net/", "WOW! (Knology)"),
    ("intercept.datapacket.net/", "DataPacket Intercept"),
    ("b.barracudacentral.com/", "Barracuda"),
    ("uceprotect.net/", "UCEPROTECT"),
    ("hostkarma.junkemailfilter.com/", "Hostkarma"),
]

# (reply, name, kind): how servers say it, where the collections have no such text, or one only.
SAID = [
    ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "Spamhaus ZEN", "listed"),
    ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using ZEN.SPAMHAUS.ORG", "Spamhaus ZEN", "listed"),
    ("550 5.7.1 Service unavailable, Client host [192.0.2.1] blocked using Spamhaus. To request removal from this list see "
     "http://www.spamhaus.org/lookup.lasso (AS16012611)", "Spamhaus", "listed"),
    ("554 5.7.1 Service unavailable; Sender address [a@example.com] blocked using dbl.spamhaus.org; "
     "https://www.spamhaus.org/query/domain/example.com", "Spamhaus DBL", "listed"),
    ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; Error: open resolver; "
     "https://check.spamhaus.org/returnc/pub/192.0.2.53/", "Spamhaus", "query_failed"),
    ("550 5.7.1 blocked using sbl.spamhaus.org; https://www.spamhaus.org/returnc/vol/", "Spamhaus", "query_failed"),
    ("554 5.7.1 Client host [192.0.2.1] blocked using bl.example.net; Error: open resolver", "block list query", "query_failed"),
    ("554 5.7.1 Service unavailable; Client host [mail.example.com] blocked using multi.uribl.com; 127.0.0.1 -> Query Refused. "
     "See http://uribl.com/refused.shtml for more information [Your DNS IP: 192.0.2.53]", "URIBL", "query_failed"),
    ("554 5.7.1 Service unavailable; Client host [mail.example.com] blocked using multi.uribl.com", "URIBL", "listed"),
    ("550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part "
     "of their network is on our block list (S3140). You can also refer your provider to "
     "http://mail.live.com/mail/troubleshooting.aspx#errors.", "Microsoft Outlook.com", "listed"),
    ("550 5.7.1 messages weren't accepted (S3150).", "Microsoft Outlook.com", "listed"),
    ("550 5.7.511 Access denied, banned sender[192.0.2.1]. To request removal from this list please forward this message to "
     "delist@messaging.microsoft.com.", "Microsoft 365", "listed"),
    ("451 4.7.500 Access denied, please try again later", "Microsoft 365", "rate_limit"),
    ("421 4.7.28 Gmail has detected an unusual rate of mail originating from your IP address 192.0.2.1. To protect our users "
     "4.7.28 from spam, mail has been temporarily rate limited.", "Google", "rate_limit"),
    ("550 5.7.1 [192.0.2.1 12] Our system has detected an unusual rate of 5.7.1 unsolicited mail originating from your IP "
     "address. To protect our 5.7.1 users from spam, mail sent from your IP address has been blocked.", "Google", "listed"),
    ("421 4.7.27 Your email has been rate limited because SPF authentication didn't pass. Gmail requires all bulk email senders "
     "to authenticate their email with SPF.", "Google", "authentication"),
    ("553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred; Retrying will NOT succeed.", "Yahoo", "listed"),
    ("553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list", "Spamhaus", "listed"),
    ("554 mx.example.net Your access to this mail system has been rejected due to the sending MTA's poor reputation. If you "
     "believe that this failure is in error, please contact the intended recipient", "Cisco Talos", "listed"),
    ("554-resimta-po-11v.sys.comcast.net 192.0.2.1 found on one or more DNSBLs, see "
     "http://postmaster.comcast.net/smtp-error-codes.php#BL000010", "Cloudmark CSI", "listed"),
    ("550 5.7.1 Service unavailable; Client Host [192.0.2.1] blocked using Trend Micro RBL+.", "Trend Micro ERS", "listed"),
    ("553 5.3.0 flpd594 DNSBL:RBL 521< 192.0.2.1 >_is_blocked.For assistance forward this email to abuse_rbl@abuse-att.net",
     "AT&T", "listed"),
    ("554 gmx.net (mxgmx104) Nemesis ESMTP Service not available No SMTP service IP address is block listed. For explanation "
     "visit https://postmaster.gmx.net/en/case?c=r0201&i=ip&v=192.0.2.1", "GMX, WEB.DE, mail.com", "listed"),
    ("554 5.7.1 Client host [192.0.2.1] blocked using ix.dnsbl.manitu.net", "NiX Spam", "listed"),
    ("550 5.7.1 192.0.2.1 has been blocked using combined.mail.abusix.zone", "Abusix", "listed"),
    ("550 Rejected: 192.0.2.1 is listed at bl.example.org", "unnamed list", "listed"),
    ("554 5.7.1 This message has been blocked because it is from a FortiGuard - AntiSpam black IP address.", "FortiGuard", "listed"),
    ("550 Black listed at hostkarma http://ipadmin.junkemailfilter.com/remove.php?ip=192.0.2.1", "Hostkarma", "listed"),
    ("421 Too many spams from your IP (192.0.2.1), please visit http://postmaster.free.fr/", "Free", "listed"),
    ("421 4.7.1 Messages to a@icloud.com deferred due to excessive volume. Try again later - "
     "https://support.apple.com/en-us/HT204137", "Apple iCloud", "rate_limit"),
    ("550 5.7.0 Your server IP address is in the SpamHaus SBL-XBL database, bye", "Spamhaus ZEN", "listed"),
    ("550 5.2.1 Your IP address 192.0.2.1 is blacklisted using SPAMHAUS-XBL.", "Spamhaus XBL", "listed"),
    ("421 4.7.1 Service unavailable; Client host [192.0.2.1] blocked using grey.rbl", "-", "-"),
    ("554 5.7.1 Connection refused. IB105. bizsmtp 192.0.2.1 is listed on the Exploits Block List (XBL)", "Spamhaus XBL", "listed"),
    # No list speaks here.
    ("550 5.1.1 <info@spamhaus.org>: Recipient address rejected: User unknown", "-", "-"),
    ("550 5.1.1 <blacklist@example.com>: Recipient address rejected: User unknown", "-", "-"),
    ("550 5.1.1 <rbl@mail.sorbs.example>... User unknown", "-", "-"),
    ("550 5.1.1 The email account that you tried to reach does not exist. https://support.google.com/mail/?p=NoSuchUser", "-", "-"),
    ("550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550", "-", "-"),
    ("451 4.7.1 Greylisting in action, please come back later", "-", "-"),
    ("452 4.2.2 Mailbox full", "-", "-"),
    ("", "-", "-"),
]


def held(cases, what):
    got, _ = verdicts_of([text for text, _, _ in cases])
    wrong = ["wanted %s, %s; got %s: %s" % (name, kind, verdict[:2], text[:120])
             for (text, name, kind), verdict in zip(cases, got) if verdict[:2] != (name, kind)]
    ok(not wrong and len(got) == len(cases), what, *wrong)


def ancestors_notices():
    """What the ancestor raised a block list notice for is a listing here."""
    cases = SHARED / "original/cases"
    if not cases.exists():
        skip("the ancestor's notices", "%s is not there: set MAILTAP_SHARED" % cases)
        return
    texts = []
    for path in sorted(cases.glob("*/notice.txt")):
        found = re.findall(r"(?m)^\S+ SMTP_BL_.*\n +msg=.*\n +sub=(.*)$", path.read_text(errors="surrogateescape"))
        texts += ["550 " + text for text in found]
    ok(len(texts) > 30, "the ancestor raised such notices", len(texts))
    got, _ = verdicts_of(texts)
    wrong = [text[:120] for text, verdict in zip(texts, got) if verdict[1] != "listed"]
    ok(not wrong, "the %d replies that the ancestor raised a notice for are listings" % len(texts), *wrong)


def codes():
    cases = [("554 5.7.1 blocked", "554", "5.7.1"), ("451 4.7.650 x", "451", "4.7.650"), ("550 #5.1.0 Address rejected.", "550", "5.1.0"),
             ("553 http://www.spamhaus.org/query/bl?ip=192.0.2.1", "553", "-"), ("550 5.7.1.2 is an address", "550", "-"),
             ("550 5.7", "550", "-"), ("554 5.7.1", "554", "5.7.1"), ("550 9.7.1 x", "550", "-"), ("550 5.07.1 x", "550", "-"),
             ("550 5.7.1000 x", "550", "-"), ("550 5.7.26: x", "550", "5.7.26")]
    got, _ = verdicts_of([c[0] for c in cases])
    wrong = [(c, v) for c, v in zip(cases, got) if v[4:] != c[1:]]
    ok(not wrong, "code and enhanced code are given beside the row", *wrong)


def hostile_texts():
    """16 KiB of what makes patterns go on: their beginnings without their ends."""
    seeds = [text[4:] for text, _, _ in SAID if len(text) > 20]
    seeds += ["dyndns.com/", "postmaster.gmx.net/c=", "very low reputation of the ", "unusual rate of unsolicited mail ", "ip address ",
              "spamhaus.", "reputation ", "messages from ", "spf ", "dmarc ", "aup#i", "a", " ", "\\", "1.", "<", "blocked ",
              "ip is ", "message not accepted ", "(ip ", "your ip address ", "poor a b ", "x.x.x.x.", "using a.b.c.d.", "comcast ", "zen.", "rbl ", "blocked using ",
              "has been temporarily ", "p=", "reverse dns ", "no ", "domain ", "nemesis esmtp service not available "]
    for seed in seeds:
        for cut in sorted({len(seed), max(1, len(seed) - 1), max(1, len(seed) * 2 // 3)}):
            yield "550 " + (seed[:cut] * 16384)[:16380]


def hostile(lists, how):
    texts = list(hostile_texts())
    _, plain = verdicts_of(["550 " + "x y " * 4095] * len(texts), lists)
    got, counted = verdicts_of(texts, lists)
    print("# %s: %d texts of 16 KiB: %.2f ms each; of harmless words: %.2f ms; %d limits hit" % (
        how, len(texts), counted["ms"] / len(texts), plain["ms"] / len(texts), counted["limits"]))
    ok(counted["limits"] == 0, how + ": the patterns stay below their limits on hostile texts", counted)
    ok(counted["ms"] < 20 * max(len(texts), plain["ms"]), how + ": hostile texts take not much longer than others", counted, plain)
    return got


def without_jit():
    """The same lists, interpreted, as where no memory may be executed."""
    plain, count = re.subn(r"(?m)^( +(?:- |pattern: )')", r"\1(*NO_JIT)", LISTS.read_text())
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(plain)
        f.flush()
        ok(count > 100, "every pattern can be told not to use JIT", count)
        got = hostile(f.name, "interpreted")
        said, _ = verdicts_of([text for text, _, _ in SAID], f.name)
    ok(got == hostile(LISTS, "JIT"), "both read hostile texts alike")
    ok(said == verdicts_of([text for text, _, _ in SAID])[0], "and what servers say")
    _, counted = verdicts_of(["550 " + "a" * 20000])
    ok(counted["cut"] == 1, "a reply of 20,000 bytes is cut, and counted")


def main():
    for file, (sha, truth) in truths().items():
        hold_file(file, sha, truth, every=file.startswith("replies-naming"))
    held([("550 5.7.1 see http://www.%s?ip=192.0.2.1" % text, name, "listed") for text, name in FORERUNNERS],
         "what the ancestor and Zeek found is found")
    held([("550 x" + text.replace("support/", "y/"), name, "listed") for text, name in FORERUNNERS], "and with anything in front of it")
    held(SAID, "what servers say is read as it is meant")
    ancestors_notices()
    codes()
    without_jit()
    done()


main()
