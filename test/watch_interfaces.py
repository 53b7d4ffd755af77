#!/usr/bin/python3
"""`mailtap watch` on interfaces of all kinds, that are idle, go down, go away and come back. usage: watch_interfaces.py MAILTAP [TEST...]"""
import time
from pathlib import Path

from netns import ip, veth
from tap import mailtap, run_tests
from waiting import until
from watching import Client, Mta, Watch, need_tools, ok, room, two_hosts

need_tools()
NEAR, FAR = two_hosts()


def one_mail(mta, name, namespace=NEAR, **options):
    c = Client(namespace, mta, **options)
    c.mail(name)
    c.quit()
    return c


def whole(watch, name):
    """The mail is there once, and nothing is wrong with it."""
    watch.find(msg_id="<%s>" % name)
    found = [r for r in watch.records() if r.get("msg_id") == "<%s>" % name]
    return len(found) == 1 and not found[0].get("flags") and found[0]["last_reply"] == "250 2.0.0 queued"


def loopback():
    for family, host in (("IPv4", "127.0.0.1"), ("IPv6", "::1")):
        with Mta(NEAR, host) as mta, Watch("lo", workers=4) as w:
            for i in range(8):
                one_mail(mta, "lo%d" % i)
            ok(all(whole(w, "lo%d" % i) for i in range(8)), "lo, %s: each mail once" % family, *w.records(), *w.lines)
            w.end()
            ok(w.count() == 8 and w.closing().get("sessions") == 8, "lo, %s: and nothing else" % family, w.closing())


def any_interface():
    with Mta(FAR) as mta, Mta(NEAR, "127.0.0.1") as own, Watch("any", workers=2) as w:
        one_mail(mta, "far")
        one_mail(own, "near")
        ok(whole(w, "far") and whole(w, "near"), "any: a mail of each interface", *w.records(), *w.lines)


def two_taps():
    """What goes and what comes back of a connection are at different interfaces."""
    veth(NEAR, FAR, "here2", "there2", "02:00:00:00:00:05", "02:00:00:00:00:06", "10.9.1", "fd0a::")
    for name in ("all", "default", "here", "here2"):
        Path("/proc/sys/net/ipv4/conf/%s/rp_filter" % name).write_text("0")
    with FAR:
        ip("route", "add", "10.9.0.1/32", "dev", "there2")
    with Mta(FAR) as mta:
        with Watch("here2", workers=4) as alone:
            one_mail(mta, "alone")
            alone.end()
        one = alone.closing()
        ok(one.get("sessions seen from one side only") == 1, "one interface sees one direction", one, *alone.records("smtp_session"))
        with Watch("here", "here2", workers=4) as w:
            for i in range(40):
                one_mail(mta, "both%d" % i)
            ok(all(whole(w, "both%d" % i) for i in range(40)), "a connection over two interfaces is one", *w.records(), *w.lines)
            ok(w.find("smtp_session") and not [r for r in w.records("smtp_session") if r.get("flags")], "none is one-sided", *w.records("smtp_session"))
            w.end()
        ok(w.closing().get("sessions") == 40, "40 connections, 40 sessions", w.closing())
    with FAR:
        ip("route", "del", "10.9.0.1/32", "dev", "there2")
    ip("link", "del", "here2")


def idle():
    """Nothing comes any more; connections end by the clock, those that were reset without a packet too."""
    with Mta(FAR) as mta, Watch("here", settings=["flow_timeout=2s"]) as w:
        c = Client(NEAR, mta)
        c.begin("half")
        began = time.monotonic()
        found = w.find("smtp", msg_id="<half>")
        took = time.monotonic() - began
        ok(found and found["flags"].get("unfinished"), "an idle connection's mail is recorded", found, *w.lines)
        ok(1.5 < took < 8, "after its time, without another packet", took)
        session = w.find("smtp_session")
        ok(session and session.get("end") == "timeout", "as timed out", session)
        c.close()
    with Watch("here") as w:
        ok(w.end() < 2, "a watch of a silent interface ends at once")
        ok(w.closing().get("mails") == 0, "it says so", *w.lines)


def flap_on(far=True):
    veth(NEAR, FAR, "flap", "flop", "02:00:00:00:00:03", "02:00:00:00:00:04", "10.6.0", "fd06::")


def down_and_up():
    flap_on()
    with Mta(FAR, "10.6.0.2") as mta, Mta(FAR) as other, Watch("flap", "here", workers=2, settings=["stats_interval=1s"]) as w:
        one_mail(mta, "before")
        open_since = Client(NEAR, other)
        open_since.begin("through")
        ip("link", "set", "flap", "down")
        ok(w.hear("^mailtap: flap: the interface is down$"), "down is said", *w.lines)
        one_mail(other, "other")
        ok(whole(w, "other"), "the other interface goes on", *w.lines)
        ip("link", "set", "flap", "up")
        ok(w.hear("^mailtap: flap: is up again$"), "up is said, without a packet", *w.lines)
        until(lambda: can_talk(mta))
        one_mail(mta, "after")
        open_since.finish()
        open_since.quit()
        ok(whole(w, "before") and whole(w, "after"), "capture goes on", *w.records(), *w.lines)
        ok(whole(w, "through"), "a connection of the other one is whole", *w.records())
        ok(w.find("stats", interface_downs=1), "it is counted once", *w.records("stats")[-3:])
        w.end()
        ok(len(w.said("is down")) == 1 and len(w.said("is up again")) == 1, "all is said once", *w.lines)
    ip("link", "del", "flap")


def can_talk(mta):
    try:
        Client(NEAR, mta, hello=False).reset()
        return True
    except OSError:
        return False


def gone_and_back():
    """The only interface goes, and comes back under its name; it is up a while after it is there."""
    flap_on()
    with Watch("flap") as w:
        with Mta(FAR, "10.6.0.2") as mta:
            one_mail(mta, "first")
            ok(whole(w, "first"), "first a mail", *w.lines)
        ip("link", "del", "flap")
        ok(w.hear("flap: the interface is gone"), "gone is said", *w.lines)
        ok(w.hear("flap is gone; waiting for it"), "and that it is waited for", *w.lines)
        count = len(w.lines)
        ip("link", "add", "flap", "type", "veth", "peer", "name", "flop")
        starts = until(lambda: len(w.lines) > count, 2)
        ok(not starts, "one that is down is not taken yet", *w.lines[count:])
        ip("link", "del", "flap")
        flap_on()
        ok(w.hear("mailtap: watching flap", 2), "a new sensor takes it", *w.lines)
        with Mta(FAR, "10.6.0.2") as mta:
            one_mail(mta, "second")
            ok(whole(w, "second") and whole(w, "first"), "and goes on in the same files", *w.records(), *w.lines)
        w.end()
    ip("link", "del", "flap")


def one_of_two_gone():
    """The other one goes on, without a new start; that comes when the lost one is back."""
    flap_on()
    with Watch("flap", "here", workers=2) as w, Mta(FAR) as other:
        through = Client(NEAR, other)
        through.begin("through")
        ip("link", "del", "flap")
        ok(w.hear("flap: the interface is gone"), "gone is said", *w.lines)
        one_mail(other, "meanwhile")
        through.finish()
        through.quit()
        ok(whole(w, "meanwhile") and whole(w, "through"), "the other one goes on, open connections too", *w.records(), *w.lines)
        ok(len(w.said("watching")) == 1, "without a new start", *w.lines)
        flap_on()
        ok(w.hear("flap.* again"), "that it is back is said", *w.lines)
        ok(w.hear("mailtap: watching flap, here", 2), "a new sensor takes both", *w.lines)
        with Mta(FAR, "10.6.0.2") as mta:
            one_mail(mta, "new")
            one_mail(other, "old")
            ok(whole(w, "new") and whole(w, "old"), "mails of both", *w.records(), *w.lines)
        w.end()
        ok(sorted(r["msg_id"] for r in w.records()) == ["<meanwhile>", "<new>", "<old>", "<through>"], "nothing twice", *w.records())
    ip("link", "del", "flap")


def down_at_first():
    flap_on()
    ip("link", "set", "flap", "down")
    with Watch("flap", ready=False) as w:
        ok(w.hear("^mailtap: flap is down; waiting for it$"), "one that is down is waited for", *w.lines)
        ok(w.end() < 2, "which can be ended", *w.lines)
    with Watch("flap", "here") as w, Mta(FAR) as other, Mta(FAR, "10.6.0.2") as mta:
        ok(w.said("^mailtap: flap is down; waiting for it$"), "one of two that is down is waited for", *w.lines)
        one_mail(other, "meanwhile")
        ok(whole(w, "meanwhile"), "the other one is watched", *w.lines)
        ip("link", "set", "flap", "up")
        ok(w.hear("mailtap: watching flap, here", 1), "then both are", *w.lines)
        until(lambda: can_talk(mta))
        one_mail(mta, "flap")
        one_mail(other, "here")
        ok(whole(w, "flap") and whole(w, "here") and whole(w, "meanwhile"), "mails of both", *w.records(), *w.lines)
    ip("link", "del", "flap")


def replaced():
    """Deleted and made anew between two looks."""
    flap_on()
    with Watch("flap", "here") as w:
        ip("link", "del", "flap")
        flap_on()
        ok(w.hear("mailtap: watching flap, here", 2), "a new sensor takes the new interface", *w.lines)
        with Mta(FAR, "10.6.0.2") as mta:
            one_mail(mta, "new")
            ok(whole(w, "new"), "its mails are found", *w.records(), *w.lines)
        w.end()
    ip("link", "del", "flap")


def many():
    names = ["v%d" % i for i in range(8)]
    for i, name in enumerate(names):
        veth(NEAR, FAR, name, "w%d" % i, "02:00:00:00:01:%02x" % i, "02:00:00:00:02:%02x" % i, "10.8.%d" % i, "fd08:%x::" % i)
    all16 = [n for n in names] + ["p%d" % i for i in range(8)]
    for i in range(4):
        ip("link", "add", "p%d" % (2 * i), "type", "veth", "peer", "name", "p%d" % (2 * i + 1))
        for k in (2 * i, 2 * i + 1):
            ip("link", "set", "p%d" % k, "up")
    with Watch(*all16, workers=3, settings=["capture_buffer=1MiB"]) as w:
        for i in range(8):
            with Mta(FAR, "10.8.%d.2" % i) as mta:
                one_mail(mta, "m%d" % i)
        ok(all(whole(w, "m%d" % i) for i in range(8)), "16 interfaces: each mail once", *w.records(), *w.lines)
        ok(w.end() < 2, "16 interfaces: ended soon")
    with Watch("here", workers=64, settings=["capture_buffer=1MiB"]) as w, Mta(FAR) as mta:
        for i in range(20):
            one_mail(mta, "w%d" % i)
        ok(all(whole(w, "w%d" % i) for i in range(20)), "64 workers: each mail once", *w.records(), *w.lines)
        took = w.end()
        ok(took < 3, "64 workers: ended soon", took)
    r = mailtap("watch", *all16, "here")
    ok(r.returncode == 2 and b"up to 16 interfaces" in r.stderr, "17 are too many", r.stderr)
    for name in names + ["p0", "p2", "p4", "p6"]:
        ip("link", "del", name)


def wrong_arguments():
    inside = room()
    (inside / "file").write_text("")
    cases = [
        ("no interface", [], "watch wants an interface"),
        ("no such interface", ["hear"], "there is no interface 'hear'; did you mean 'here'?"),
        ("one of two is not there", ["here", "lost9"], "there is no interface 'lost9'"),
        
        ("a bad filter", ["here", "-s", "capture_filter=port frog"], "here: the filter 'port frog' is wrong"),
        ("--events", ["here", "--events"], "--events is for read"),
        ("a folder in a folder that is not there", ["here", "-o", inside / "none/log"], "none/log: No such file or directory"),
        ("a file for a folder", ["here", "-o", inside / "file"], "file: Not a directory"),
        ("an unknown user", ["here", "--user", "nobody-of-this-name"], "no user 'nobody-of-this-name'"),
        ("root as the user", ["here", "--user", "root"], "'root' has root's rights"),
        ("a setting that is not there", ["here", "-s", "fow_timeout=2s"], "flow_timeout"),
        ("a script that is not there", ["here", "--script", inside / "none.lua"], "none.lua"),
        ("block lists that are not there", ["here", "-s", "blocklists=%s/none.yaml" % inside], "none.yaml"),
        ("a settings file that is not there", ["here", "-c", inside / "none.yaml"], "none.yaml"),
        ("an address for metrics that is none", ["here", "--metrics", "localhost"], "--metrics wants ADDRESS:PORT"),
        ("an address for metrics that is not ours", ["here", "--metrics", "192.0.2.1:9"], "--metrics 192.0.2.1:9: "),
    ]
    for name, args, says in cases:
        r = mailtap("watch", *args)
        text = r.stderr.decode()
        ok(r.returncode == 2 and says in text and text.startswith("mailtap: "), "refused: " + name, r.returncode, text)
        ok(len(text.splitlines()) == 1 or "usage:" in text, "in a line: " + name, text)


run_tests([loopback, any_interface, two_taps, idle, down_and_up, gone_and_back, one_of_two_gone, down_at_first, replaced, many, wrong_arguments])
