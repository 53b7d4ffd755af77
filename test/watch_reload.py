#!/usr/bin/python3
"""SIGHUP to `mailtap watch`: other settings, scripts and databases, all of them or none, and no connection is lost. usage: watch_reload.py MAILTAP [TEST...]"""
import re
import signal
import time

from tap import run_tests
from waiting import until
from watching import ENV, THREAD_SANITIZER, Client, Mta, Sink, Watch, need_tools, ok, room, send_paced, status_of, two_hosts

need_tools("smtp-source", "smtp-sink")
NEAR, FAR = two_hosts()
# AddressSanitizer keeps what is freed for a while, which looks like a leak.
LEAN = dict(ENV, ASAN_OPTIONS=ENV["ASAN_OPTIONS"] + ":quarantine_size_mb=1")
RECEIVED = ["Received: from c.example ([198.51.100.7]) by d.example; Wed, 25 Nov 2026 04:00:00 +0000",
            "Received: from b.example ([203.0.113.9]) by c.example; Wed, 25 Nov 2026 03:59:00 +0000"]


class Folder:
    """Settings, block lists and a script, of which there are versions."""

    def __init__(self):
        self.path = room()
        self.settings, self.lists, self.script = (self.path / n for n in ("mailtap.yaml", "lists.yaml", "script.lua"))
        self.write("one")

    def write(self, version, more=""):
        net = {"one": "192.0.2.0/24", "two": "198.51.100.0/24"}[version]
        drop = {"one": "[]", "two": "\n  - {note: Test::Word, actions: drop}"}[version]
        self.settings.write_text("mail_path_capture: local\nlocal_nets: [%s]\nblocklists: %s\nnotice_policy: %s\nsuppress_for: 0s\n%s" %
                                 (net, self.lists, drop, more))
        self.lists.write_text("- name: List %s\n  kind: listed\n  pattern: 'list %s'\n" % (version, version))
        self.script.write_text("""
local seen = counter("mails", {expire = 3600})
function on_data(scene, line, where)
  if line == "first half" or line == "second half" then scene.tags["front_%s"] = true end
end
function on_mail(mail)
  mail.tags["back_%s"] = true
  notice{note = "Test::Word", msg = "back %s " .. seen:add("all")}
end
""" % (version, version, version))

    def watch(self, **options):
        return Watch("here", args=["-c", self.settings, "--script", self.script], **options)


def tell(client, name):
    client.mail(name, header=RECEIVED)
    client.refused("list one")
    client.refused("list two")


def lists_of(watch, client):
    """The lists that notices about this client name."""
    return sorted(r["list"] for r in watch.records("notice") if r.get("list") and r["id.orig_p"] == client.port)


def everything():
    """Each kind of setting, before and after, and a connection that is open meanwhile."""
    for workers in (1, 3):
        f = Folder()
        with Mta(FAR) as mta, f.watch(workers=workers) as w:
            before, across = Client(NEAR, mta), Client(NEAR, mta)
            tell(before, "before")
            before.quit()
            across.begin("across", header=RECEIVED)
            # What a session began under is decided at its first packets, so it has to be seen before the reload.
            w.find(msg_id="<before>")
            f.write("two")
            said = w.reload()
            ok(said[-1:] == ["mailtap: settings, scripts and databases are loaded anew"], "%d workers: it is said" % workers, *said)
            after = Client(NEAR, mta)
            across.finish()
            tell(across, "across2")
            tell(after, "after")
            for c in (across, after):
                c.quit()
            mails = {n: w.find(msg_id="<%s>" % n) for n in ("before", "across", "across2", "after")}
            w.wait_records(3, "smtp_session")
            w.end()
            problems(w, workers, mails, (before, across, after))


def problems(w, workers, mails, clients):
    before, across, after = clients
    own, far = ["10.9.0.2", "10.9.0.1"], ["198.51.100.7"]
    ok(mails["before"] and mails["before"]["path"][:3] == own + far and len(mails["before"]["path"]) == 3, "%d workers: before, the path ends at once" % workers,
       mails["before"])
    ok(mails["after"] and mails["after"]["path"] == own + far + ["203.0.113.9"], "%d workers: after, it goes on" % workers, mails["after"])
    ok(mails["across"] and mails["across"]["path"] == mails["across2"]["path"] == mails["before"]["path"],
       "%d workers: an open connection goes on as it began" % workers, mails["across"], mails["across2"])
    ok(mails["before"]["tags"] == ["front_one", "back_one"], "%d workers: scripts before" % workers, mails["before"].get("tags"))
    ok(mails["after"]["tags"] == ["front_two", "back_two"], "%d workers: scripts after" % workers, mails["after"].get("tags"))
    ok(mails["across"]["tags"] == ["front_one", "back_two"], "%d workers: scripts of both for what is open" % workers, mails["across"].get("tags"))
    words = [r["msg"] for r in w.records("notice") if r["note"] == "Test::Word"]
    ok(words == ["back one 1", "back one 2", "back one 3"], "%d workers: the policy changes" % workers, *words)
    ok(lists_of(w, before) == lists_of(w, across) == ["List one"] and lists_of(w, after) == ["List two"], "%d workers: block lists change" % workers,
       [lists_of(w, c) for c in clients], *w.records("notice"))
    found = w.records()
    ok(len([r for r in found if r.get("msg_id") == "<across>"]) == 1 and mails["across"].get("flags") == {"path_cut": True}, "%d workers: the open mail is one, and whole" % workers,
       *found)
    ok(len(w.records("smtp_session")) == 3 and not [r for r in w.records("smtp_session") if r.get("flags")], "%d workers: three sessions" % workers)


def counters_stay():
    """Counters of scripts live over a reload."""
    f = Folder()
    with Mta(FAR) as mta, f.watch(workers=2) as w:
        for i in range(6):
            c = Client(NEAR, mta)
            c.mail("m%d" % i)
            c.quit()
            w.find(msg_id="<m%d>" % i)
            w.reload()
        w.end()
        said = [r["msg"] for r in w.records("notice")]
        ok(said == ["back one %d" % (i + 1) for i in range(6)], "counters of scripts stay", *said)


def agents():
    """Another table of agents holds for connections that begin later; what is known of hosts lives on; a wrong table changes nothing."""
    f = Folder()
    table = f.path / "agents.yaml"
    row = "- {name: %s, kind: %s, pattern: Foo, example: Foo/1.2}\n"
    for workers in (1, 3):
        table.write_text(row % ("Foo One", "tool"))
        f.write("one", "agents: %s\n" % table)
        with Mta(FAR) as mta, f.watch(workers=workers) as w:
            mails = {}

            def mail(name):
                client = Client(NEAR, mta)
                client.mail(name, header=["X-Mailer: Foo/1.2"])
                client.quit()
                mails[name] = w.find(msg_id="<%s>" % name)

            mail("before")
            w.reload()
            mail("same")
            table.write_text(row % ("Foo Two", "wemail"))
            said = w.reload()
            ok(re.search(r"agents.yaml:1:25: no kind 'wemail'; the nearest is 'webmail'", "\n".join(said)), "%d workers: a wrong table is named" % workers, *said)
            mail("wrong")
            table.write_text(row % ("Foo Two", "webmail"))
            w.reload()
            mail("after")
            w.wait_records(4, "smtp_session")
            w.end()
            got = [(mails[n]["agent"]["name"], mails[n]["is_webmail"]) for n in ("before", "same", "wrong", "after")]
            ok(got == [("Foo One", False)] * 3 + [("Foo Two", True)], "%d workers: agents change, once they are right" % workers, *got)
            told = [(r["host"], r["name"]) for r in w.records("software") if r["software_type"] != "SMTP::MAIL_SERVER"]
            ok(told == [("10.9.0.1", "Foo One"), ("10.9.0.1", "Foo Two")], "%d workers: what is known of a host lives on" % workers, *w.records("software"))


def wrong():
    """The old ones stay, with a word that names the place; and it goes on."""
    f = Folder()
    garbage = f.path / "garbage.mmdb"
    garbage.write_text("this is no database\n" * 100)
    good = {p: p.read_text() for p in (f.settings, f.lists, f.script)}
    cases = [
        ("an unknown setting", f.settings, good[f.settings] + "fow_timeout: 3s\n", r"mailtap.yaml:6:\d+: .*flow_timeout"),
        ("no value of it", f.settings, good[f.settings] + "flow_timeout: soon\n", r"mailtap.yaml:6:\d+: .*flow_timeout"),
        ("broken YAML", f.settings, good[f.settings] + "ports: [25\nx: {", r"mailtap.yaml:\d+"),
        ("an action without a target", f.settings, good[f.settings].replace("notice_policy: []", "notice_policy:\n  - {note: Test::Word, actions: [email]}"),
         r"email_server is not set|email_to is not set"),
        ("a script with an error of syntax", f.script, "function on_mail(mail)\n  if then\nend\n", r"script.lua:2: "),
        ("a script that fails", f.script, "\n\nlocal x = nil + 1\n", r"script.lua:3: "),
        ("a script without an end", f.script, "while true do end\n", r"script.lua:1: "),
        ("a block list with a wrong pattern", f.lists, "- name: A\n  kind: listed\n  pattern: 'x('\n", r"lists.yaml:3"),
        ("a block list of an unknown kind", f.lists, "- name: A\n  kind: lasted\n  pattern: 'x'\n", r"lists.yaml:2"),
        ("a database that is none", f.settings, good[f.settings] + "country_databases: [%s]\n" % garbage, r"garbage.mmdb"),
        ("a database that is not there", f.settings, good[f.settings] + "country_databases: [%s]\n" % (f.path / "none.mmdb"), r"none.mmdb"),
        ("no settings file", f.settings, None, r"mailtap.yaml: No such file"),
        ("no script", f.script, None, r"script.lua: No such file|script.lua.* No such file"),
        ("no block lists", f.lists, None, r"lists.yaml: No such file"),
    ]
    with Mta(FAR) as mta, Watch("here", args=["-c", f.settings, "--script", f.script], defaults=(), settings=["capture_buffer=16MiB"], workers=2) as w:
        across = Client(NEAR, mta)
        across.begin("across")
        for i, (name, path, text, says) in enumerate(cases):
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
            said = w.reload()
            complaint = [s for s in said if s.startswith("mailtap: the old settings stay: ")]
            ok(len(complaint) == 1 and re.search(says, complaint[0]), "refused at a reload: " + name, *said)
            path.write_text(good[path])
            c = Client(NEAR, mta)
            c.mail("m%d" % i)
            c.quit()
            found = w.find(msg_id="<m%d>" % i)
            ok(found and found["tags"] == ["front_one", "back_one"], "the old ones stay: " + name, found, *w.lines[-5:])
        f.write("two")
        ok("loaded anew" in w.reload()[-1], "what is right is taken again", *w.lines[-3:])
        across.finish()
        across.quit()
        found = w.find(msg_id="<across>")
        ok(found and found["tags"] == ["front_one", "back_two"] and not found.get("flags"), "a connection over all of that is whole", found)
        w.end()
        ok(len(w.said("^mailtap: watching")) == 1, "by one sensor", *w.lines)


def fixed():
    """What counts from the start only is named."""
    f = Folder()
    with f.watch() as w:
        f.write("one", "rotate_size: 1MiB\nuser: daemon\ncapture_filter: tcp\nspool_bytes: 1MiB\nflow_timeout: 5m\n")
        said = "\n".join(w.reload())
        named = re.findall(r"^mailtap: (\w+) has changed; that counts from the next start on$", said, re.M)
        ok(sorted(named) == ["capture_filter", "rotate_size", "spool_bytes", "user"], "settings of the start are named", said)
        said = "\n".join(w.reload())
        w.end()


def limits_change():
    """Of settings that count at once: time-outs, of what is open too."""
    f = Folder()
    with Mta(FAR) as mta, f.watch() as w:
        c = Client(NEAR, mta)
        c.begin("idle")
        f.write("one", "flow_timeout: 2s\nstats_interval: 1s\n")
        w.reload()
        found = w.find("smtp_session", end="timeout")
        ok(found, "a new flow_timeout holds for what is open", *w.records("smtp_session"), *w.lines)
        ok(w.wait_records(2, "stats") >= 2, "a new stats_interval holds at once", *w.records("stats"))
        c.close()


def memory(pid):
    return int(status_of(pid)["VmRSS"].split()[0])


def storm():
    """Many reloads, traffic meanwhile, a connection over all of them; memory comes back."""
    f = Folder()
    with Mta(FAR) as mta, Sink(FAR, "10.9.0.2:2525"), f.watch(workers=4, settings=["capture_buffer=64MiB"], env=LEAN) as w:
        sensor = w.sensor()
        across = Client(NEAR, mta)
        across.begin("across")
        sizes = []

        def disturb(sent):
            for _ in range(20):
                w.tell(signal.SIGHUP)
            done = len(w.said("loaded anew"))
            w.hear("loaded anew", done + 1)
            sizes.append(memory(sensor))
        ok(send_paced(w, NEAR, 3000, "10.9.0.2:2525", disturb, piece=100) == 3000, "a storm of reloads: all mails come", *w.lines[-3:])
        across.finish()
        across.quit()
        ok(w.find(msg_id="<across>"), "and the one that was open")
        reloads = len(w.said("loaded anew"))
        ok(reloads >= 30 and not w.said("old settings stay"), "a storm of reloads: %d" % reloads, *w.lines[-3:])
        tagged = [r for r in w.records() if "back_one" not in r.get("tags", []) or r["msg_id"] == "<across>" and len(r["tags"]) != 2]
        ok(not tagged, "each mail is heard by scripts", *tagged[:3])
        ok(len(w.records("notice")) == 3001, "notices too", len(w.records("notice")))
        w.end()
    ok(sizes[-1] - sizes[5] < 40000 or THREAD_SANITIZER, "memory stays", *sizes)


def many_open():
    """A generation of settings goes with its last connection."""
    f = Folder()
    with Mta(FAR) as mta, f.watch(workers=2, env=LEAN) as w:
        sensor = w.sensor()
        sizes = []
        for turn in range(4):
            clients = []
            for i in range(10):
                c = Client(NEAR, mta)
                c.begin("t%d-%d" % (turn, i))
                clients.append(c)
                w.reload()
            for c in clients:
                c.finish()
                c.quit()
            until(lambda: w.count() == 10 * (turn + 1))
            sizes.append(memory(sensor))
        ok(w.count() == 40 and not [r for r in w.records() if r.get("flags")], "connections of many generations are whole", w.count())
        ok(sizes[3] - sizes[1] < 30000, "and what they had is given back", *sizes)
        w.end()


def at_the_start():
    """A SIGHUP amid the start, and many one after another, end nothing."""
    f = Folder()
    w = f.watch(ready=False)
    end = time.monotonic() + 5
    until(w.processes)
    while not w.said("watching") and time.monotonic() < end:
        w.tell(signal.SIGHUP)
        time.sleep(0.001)
    ok(w.hear("watching"), "signals amid the start do not end it", *w.lines)
    w.tell(signal.SIGHUP)
    w.end()  # a reload that nobody takes any more
    ok(w.code == 0, "nor does the end amid a reload fail", *w.lines)


run_tests([everything, counters_stay, agents, wrong, fixed, limits_change, storm, many_open, at_the_start])
