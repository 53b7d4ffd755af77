"""The samples are what their texts and scripts make, and hold the mails that were written into them."""
import collections
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from tap import SOURCE, done, mailtap, ok, skip

SAMPLES = SOURCE / "samples"

# The morning by hand: time, sender, recipients, the last reply's code, subject, files; or what else it was.
MORNING = [
    ("07:00:12", "lektorat@verlag.example.com", 1, "250", "Page proofs of chapter 4", 0),
    ("07:00:31", "studienbuero@uni.example.org", 1, "250", "Your application, number 26-11873", 0),
    ("07:00:49", "SRS0=k3Qp=7U=lists.example.com=bounces+chor@alumni.example.net", 1, "250",
     "[Chor] Rehearsal on Thursday moves to the large lecture hall", 0),
    ("07:01:06", "planung@bauamt.example.com", 1, "250", "Pläne Gebäude 12, Südflügel", 2),
    ("07:01:23", "f.lindner@stud.uni.example.org", 1, "554", None, 0),
    ("07:01:41", "rechnung@shop.example.net", 1, "550", "Ihre Rechnung 2026-104471", 0),
    ("07:01:58", "<>", 1, "250", "Mail delivery failed: returning message to sender", 0),
    ("07:02:15", "noreply@cloud.example.com", 1, "250", "Lab report.docx was shared with you", 0),
    ("07:02:32", "TLS"),
    ("07:02:50", "einladung@kongress.example.net", 8, "250", "Call for papers: low temperature physics 2027", 0),
    ("07:03:08", "karten@theater.example.com", 1, "250", "Ermäßigte Karten für die Eröffnung – € 7", 0),
    ("07:03:24", "r.hollis@college.example.net", 2, "250", "Your mailbox has reached its quota, verify now", 0),
    ("07:03:42", "scanner-nb3@uni.example.org", 1, "250", "Scan from NB3", 1),
    ("07:03:44", "r.hollis@college.example.net", 2, "452", "Your mailbox has reached its quota, verify now", 0),
    ("07:04:01", "newsletter@museum.example.com", 1, "450", None, 0),
    ("07:04:03", "newsletter@museum.example.com", 1, "250", "Night at the museum, 5 December", 0),
    ("07:04:19", "w.sato@institut.example.net", 1, "250", "Re: Sample holder", 0),
]


def row_of(r):
    time = datetime.fromtimestamp(r["ts"], timezone.utc).strftime("%H:%M:%S")
    if r["_path"] != "smtp":
        return (time, "TLS") if r.get("tls") else None
    return time, r.get("mailfrom"), len(r["rcptto"]), r["last_reply"][:3], r.get("subject"), sum("name" in f for f in r.get("files", ()))


def made_again():
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "again.pcap"
        texts = sorted((SAMPLES / "dialog").glob("*.txt"))
        r = subprocess.run([sys.executable, SOURCE / "tools/mkpcap", out, *texts], capture_output=True, text=True)
        return out.read_bytes() if out.exists() else r.stderr.encode()


def week_made_again():
    packed = SAMPLES / "week.pcap.zst"
    ok(packed.stat().st_size < 500000, "the week is small")
    if not shutil.which("zstd"):
        return skip("tools/mkweek makes samples/week.pcap.zst again", "no zstd here")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "week.pcap"
        r = subprocess.run([sys.executable, SOURCE / "tools/mkweek", out], capture_output=True, text=True)
        kept = subprocess.run(["zstd", "-dc", packed], capture_output=True).stdout
        return ok(out.exists() and out.read_bytes() == kept, "tools/mkweek makes samples/week.pcap.zst again",
                  "after a change: tools/mkweek samples/week.pcap.zst", r.stderr)


def week():
    """That each of what is in it comes through, some in known numbers."""
    week_made_again()
    r = mailtap("read", "-f", "json", "-c", SAMPLES / "week.yaml", "-s", "checksums=verify", "--script", SOURCE / "scripts/password-phish.lua", SAMPLES / "week.pcap.zst")
    rows, closing = [json.loads(line) for line in r.stdout.splitlines()], r.stderr.decode()
    ok(r.returncode == 0 and not any(w in closing for w in ("wrong", "broken", "not TCP", "gaps")), "nothing of the week is lost", closing)
    mails, sessions, notices = ([x for x in rows if x["_path"] == path] for path in ("smtp", "smtp_session", "notice"))
    known = len(mails), len(sessions), *[collections.Counter(m["disposition"] for m in mails)[d] for d in ("accepted", "rejected", "deferred")]
    ok(known == (1430, 1514, 1046, 303, 81), "its mails, sessions, and what became of them", known)
    ok(not any("flags" in m for m in mails), "none is cut or has a gap")
    hours = {int(m["ts"]) // 3600 for m in mails}
    ok(min(hours) >= 1794783600 // 3600 and max(hours) < 1795388400 // 3600 and len(hours) > 120, "they are of that week, in most hours of it", len(hours))
    kinds = {n["note"] for n in notices}
    ok(kinds >= {"SMTP::Blocklist_Blocked_Host", "SMTP::Smuggling_Attempt", "Phish::Possible_Password_Phish", "Phish::Possible_Password_Reply"}, "its notices", kinds)
    ok({s["ssl"]["version"] for s in sessions if "ssl" in s} == {"TLSv12", "TLSv13"}, "its TLS")
    ok(sum(l["outcome"] == "rejected" for s in sessions for l in s.get("logins", ())) == 44, "log-ins that were refused")
    ok(len({m["agent"]["name"] for m in mails if "agent" in m}) > 12 and sum("files" in m for m in mails) > 300, "its programs and attachments")
    ok(any("<script>" in m.get("subject", "") for m in mails) and any("\u202e" in f.get("name", "") for m in mails for f in m.get("files", ())), "and what is hostile")
    countries = {m["origin"]["country"] for m in mails if "country" in m.get("origin", {})}
    if not Path("/usr/share/libloc-location/location.db").exists():
        return skip("the countries from which mails come", "no libloc-database here")
    return ok(len(countries) >= 30, "the countries from which mails come", countries)


def main():
    capture = SAMPLES / "border.pcap"
    ok(made_again() == capture.read_bytes(), "tools/mkpcap makes samples/border.pcap again",
       "after a change: tools/mkpcap samples/border.pcap samples/dialog/*.txt")
    ok(capture.stat().st_size < 200000, "it is small")
    r = mailtap("read", "-f", "json", "-s", "checksums=verify", capture)
    rows, closing = [row_of(json.loads(line)) for line in r.stdout.splitlines()], r.stderr.decode()
    ok(r.returncode == 0, "mailtap reads it", closing)
    ok([row for row in rows if row] == MORNING, "its records are those of the morning", *rows)
    ok("16 sessions, 16 mails" in closing and not any(w in closing for w in ("wrong", "broken", "not TCP", "gaps")),
       "nothing of it is lost", closing)
    lines = [s for s in mailtap("read", "-f", "text", capture).stdout.decode().splitlines() if "  !!!  " not in s]
    ok(len(lines) == len(MORNING), "a line for each mail, and for the connection where none was seen", *lines)
    for row, line in zip(MORNING, lines):
        code = row[3] if len(row) > 3 else "TLS"
        ok(row[0] in line and code in line, "%s is %s in the text" % (row[0], code), line)
    secrets = [s for s in ("c2Nhbm5lci1uYjM=", "bm90LWEtc2VjcmV0", "not-a-secret")
               if s.encode() in mailtap("read", capture).stdout + mailtap("read", "--events", capture).stdout]
    ok(not secrets, "passwords stand in no record and no event", secrets)
    week()


main()
done()
