#!/usr/bin/python3
"""`mailtap watch` with several workers on what the kernel cannot spread by connection: tunnels, fragments. usage: watch_tunnels.py MAILTAP [TEST...]"""
import threading

from netns import ip
from tap import run_tests, skip
from watching import Client, Mta, Sink, Watch, need_tools, ok, once_each, send_paced, two_hosts

need_tools("smtp-source", "smtp-sink")
NEAR, FAR = two_hosts()
WORKERS = 4


def talk(mta, count, at_once=8):
    """`count` sessions of two mails each, some of them at the same time."""
    def some(first):
        for i in range(first, count, at_once):
            c = Client(NEAR, mta)
            c.mail("m%d-1" % i)
            c.mail("m%d-2" % i)
            c.quit()
    threads = [threading.Thread(target=some, args=(k,)) for k in range(at_once)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def stats_of(watch):
    """The last record of each worker, and that of all."""
    return {r.get("worker", "all"): r for r in watch.records("stats")}


def whole(watch, count, name, passed=True):
    """Each mail once, each session whole; packets went from worker to worker, none was dropped there."""
    mails, sessions = watch.records(), watch.records("smtp_session")
    ids = sorted(r.get("msg_id", "") for r in mails)
    ok(ids == sorted("<m%d-%d>" % (i, k) for i in range(count) for k in (1, 2)), "%s: each mail once" % name, len(ids), *ids[:9], *watch.lines)
    flagged = [r for r in mails + sessions if r.get("flags")]
    ok(len(sessions) == count and not flagged, "%s: each session whole" % name, len(sessions), *flagged[:5])
    stats = stats_of(watch)
    everything = stats.get("all", {})
    ok(not everything.get("ring_drops") and not everything.get("kernel_drops") and not everything.get("gaps"), "%s: nothing is dropped" % name, everything)
    ok(bool(everything.get("passed_on")) == passed, "%s: packets %s passed on" % (name, "were" if passed else "were not"), everything)
    busy = [w for w, s in stats.items() if w != "all" and s["sessions"]]
    ok(len(busy) > 1, "%s: more than one worker has sessions" % name, *stats.values())


def vxlan(name, forth, back, port):
    """A tunnel; `forth` and `back` are (from, to) outside. Whether this kernel can."""
    made = ip("link", "add", name, "type", "vxlan", "id", str(port), "local", forth[0], "remote", forth[1], "dstport", str(port), "nolearning", check=False)
    if made:
        ip("addr", "add", "10.7.0.1/24", "dev", name)
        ip("link", "set", name, "up")
        with FAR:
            ip("link", "add", name, "type", "vxlan", "id", str(port), "local", back[0], "remote", back[1], "dstport", str(port), "nolearning")
            ip("addr", "add", "10.7.0.2/24", "dev", name)
            ip("link", "set", name, "up")
    return made


def remove(name):
    ip("link", "del", name)
    with FAR:
        ip("link", "del", name)


def tunnel():
    """One pair of addresses outside: all comes to one socket, and goes on to four workers."""
    if not vxlan("vx", ("10.9.0.1", "10.9.0.2"), ("10.9.0.2", "10.9.0.1"), 4789):
        return skip("VXLAN", "this kernel has none")
    with Mta(FAR, "10.7.0.2") as mta, Watch("here", workers=WORKERS) as w:
        talk(mta, 40)
        w.end()
        whole(w, 40, "VXLAN")
    with Mta(FAR, "10.7.0.2") as mta, Watch("here", workers=WORKERS) as w, Sink(FAR, "10.7.0.2:2525"):
        send_paced(w, NEAR, 2000, "10.7.0.2:2525")
        w.end()
        once_each(w, 2000, "VXLAN, smtp-source")
    return remove("vx")


def tunnel_of_two_ways():
    """The directions have other addresses outside, so each comes to another socket."""
    ip("addr", "add", "10.9.0.11/24", "dev", "here")
    with FAR:
        ip("addr", "add", "10.9.0.22/24", "dev", "there")
    if not vxlan("vy", ("10.9.0.1", "10.9.0.2"), ("10.9.0.22", "10.9.0.11"), 4790):
        return skip("VXLAN of two ways", "this kernel has none")
    with Mta(FAR, "10.7.0.2") as mta, Watch("here", workers=WORKERS) as w:
        talk(mta, 40)
        w.end()
        whole(w, 40, "VXLAN of two ways")
    with Sink(FAR, "10.7.0.2:2525"), Watch("here", workers=WORKERS) as w:
        send_paced(w, NEAR, 2000, "10.7.0.2:2525")
        w.end()
        once_each(w, 2000, "VXLAN of two ways, smtp-source")
    return remove("vy")


def fragments():
    """Segments that the way out of here has to cut."""
    ip("link", "set", "here", "mtu", "576")
    with FAR:
        ip("link", "set", "there", "mtu", "576")
    made = vxlan("vz", ("10.9.0.1", "10.9.0.2"), ("10.9.0.2", "10.9.0.1"), 4789)
    if not made:
        return skip("fragments", "this kernel has no VXLAN to make them by")
    # More than the way takes: the packets outside are fragmented.
    ip("link", "set", "vz", "mtu", "1400")
    with FAR:
        ip("link", "set", "vz", "mtu", "1400")
    with Mta(FAR, "10.7.0.2") as mta, Watch("here", workers=WORKERS) as w:
        for i in range(20):
            c = Client(NEAR, mta)
            c.begin("m%d-1" % i)
            c.send(*["x" * 70] * 300)
            c.finish()
            c.mail("m%d-2" % i)
            c.quit()
        w.end()
        whole(w, 20, "VXLAN in fragments")
    remove("vz")
    return ip("link", "set", "here", "mtu", "1500")


def plain():
    """The kernel spreads what is in no tunnel; nothing is passed on."""
    with Mta(FAR) as mta, Watch("here", workers=WORKERS) as w:
        talk(mta, 40)
        w.end()
        whole(w, 40, "no tunnel", passed=False)


run_tests([plain, tunnel, tunnel_of_two_ways, fragments])
