#!/usr/bin/python3
"""Scripts under `mailtap watch`: the hooks of the dialogue run in each worker, all others once. usage: watch_scripts.py MAILTAP [TEST...]"""
import threading

from tap import run_tests
from watching import Client, Mta, Watch, need_tools, ok, room, two_hosts

need_tools()
NEAR, FAR = two_hosts()
WORKERS = 3
COUNT = 24


def script(text):
    path = room() / "script.lua"
    path.write_text(text)
    return path


def mails(mta, first=0, count=COUNT, refuse=False):
    """In as many connections, so that each worker has some."""
    for i in range(first, first + count):
        c = Client(NEAR, mta)
        c.mail("m%d" % i)
        if refuse:
            c.refused("no such user")
        c.quit()


HOOKS = """
local requests, replies, lines = counter("requests", {expire = 3600}), counter("replies", {expire = 3600}), counter("lines", {expire = 3600})
local mails, sessions = counter("mails", {expire = 3600}), counter("sessions", {expire = 3600})
function on_request(scene, command, argument)
  requests:add(command)
  if command == "QUIT" then log("front_lines", {port = scene.orig_p, what = command}) end
end
function on_reply(scene, code, text, command)
  replies:add(command)
  if code >= 500 and command == "RCPT" then
    scene.tags.refused = true
    notice{note = "Test::Front", msg = "front " .. text, identifier = scene.uid}
  end
end
function on_data(scene, line, where)
  lines:add(where)
  if line == "first half" then scene.tags.heard = true end
end
function on_mail(mail)
  local n = mails:add("all")
  notice{note = "Test::Back", msg = "back " .. n, identifier = mail.uid .. mail.trans_depth}
end
function on_session(session)
  sessions:add("all")
end
function on_notice(n)
  if n.note == "Test::Back" and n.msg == "back 1" then return "drop" end
end
tick_every = 1
function on_tick(seconds)
  log("ticks", {mails = mails:get("all"), sessions = sessions:get("all"), data = requests:get("DATA"), quit = requests:get("QUIT"),
      rcpt = replies:get("RCPT"), header = lines:get("header"), body = lines:get("body"), at = seconds})
end
"""


def hooks():
    with Mta(FAR) as mta, Watch("here", workers=WORKERS, args=["--script", script(HOOKS)]) as w:
        mails(mta, refuse=True)
        w.wait_records(2 * COUNT)
        idle = w.count("ticks")
        ok(w.wait_records(idle + 3, "ticks") >= idle + 3, "on_tick comes without traffic too", *w.records("ticks"), *w.lines)
        w.end()
    busy = {r["worker"] for r in w.records("stats") if r.get("worker") and r["mails"]}
    ok(len(busy) > 1, "more than one worker has mails", busy)
    tagged = sorted(" ".join(r["tags"]) for r in w.records())
    ok(tagged == ["heard"] * COUNT + ["refused"] * COUNT, "tags of on_data and on_reply are in the records", *tagged[:5])
    found = w.records("front_lines")
    ok(len(found) == COUNT and {r["what"] for r in found} == {"QUIT"} and len({r["port"] for r in found}) == COUNT, "each line of a worker's script once", *found[:5])
    notices = w.records("notice")
    front = [r for r in notices if r["note"] == "Test::Front"]
    ok(len(front) == COUNT and {r["msg"] for r in front} == {"front no such user"}, "each notice of a worker's script once", len(front), *front[:3])
    ok(len({r["uid"] for r in front}) == COUNT and all(r["id.orig_p"] for r in front), "with its connection", *front[:3])
    back = sorted(int(r["msg"].split()[1]) for r in notices if r["note"] == "Test::Back")
    ok(back == list(range(2, 2 * COUNT + 1)), "on_mail hears each mail once; on_notice has its word", *back)
    last = w.records("ticks")[-1]
    wanted = {"mails": 2 * COUNT, "sessions": COUNT, "data": COUNT, "quit": COUNT, "rcpt": 2 * COUNT, "header": 3 * COUNT, "body": 2 * COUNT}
    got = {k: last.get(k) for k in wanted}
    ok(got == wanted, "counters are those of all workers", got, wanted)
    times = [r["at"] for r in w.records("ticks")]
    ok(len(times) == len(set(times)) and times == sorted(times), "on_tick is called once for each second", times)


def errors():
    """A script that goes wrong in the workers is told of, counted, and hurts nothing."""
    path = script("function on_data(scene, line, where)\n  if line == 'first half' then error('broken here') end\nend\nfunction on_mail(mail)\n  mail.tags.seen = true\nend\n")
    with Mta(FAR) as mta, Watch("here", workers=WORKERS, args=["--script", path], settings=["stats_interval=1s"]) as w:
        mails(mta)
        w.wait_records(COUNT)
        ok(w.hear(r"script.lua:2: broken here"), "an error of a worker's script is said, with its place", *w.lines)
        ok(w.find("stats", script_errors=COUNT), "and counted", *w.records("stats")[-4:])
        ok(all(r.get("tags") == ["seen"] for r in w.records()), "the other hooks go on", *w.records()[:3])
        w.end()
        ok(w.closing().get("errors in scripts") == COUNT, "the closing line counts them", w.closing())


def endless():
    """One worker in a loop, up to its limit, holds up neither the others nor the end."""
    path = script("function on_data(scene, line, where)\n  if line == 'loop' then while true do end end\nend\n")
    with Mta(FAR) as mta, Watch("here", workers=WORKERS, args=["--script", path], settings=["script_steps=10000000"]) as w:
        c = Client(NEAR, mta)
        c.begin("looping")
        c.send(*["loop"] * 3)
        c.finish()
        mails(mta)
        c.quit()
        ok(w.wait_records(COUNT + 1) == COUNT + 1, "a script that loops is stopped, and all goes on", w.count(), *w.lines)
        ok(w.said(r"script.lua:2: stopped after 10000000 steps"), "with a word", *w.lines)
        w.end()
        ok(w.closing().get("of them stopped by a limit", 0) == 3, "that is counted", w.closing())


def many_lines():
    """Scripts that tell a lot: all of it arrives, in the order of each connection."""
    path = script("function on_data(scene, line, where)\n  if where == 'body' then log('lines', {uid = scene.uid, text = line}) end\nend\n")
    with Mta(FAR) as mta, Watch("here", workers=WORKERS, args=["--script", path], settings=["output_bytes=64MiB"]) as w:
        def send(first):
            for i in range(first, first + 4):
                c = Client(NEAR, mta)
                c.begin("m%d" % i)
                c.send(*["line %d" % k for k in range(500)])
                c.finish()
                c.quit()
        threads = [threading.Thread(target=send, args=(4 * i,)) for i in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        w.wait_records(12)
        w.end()
        found = {}
        for r in w.records("lines"):
            found.setdefault(r["uid"], []).append(r["text"])
        wanted = ["line %d" % k for k in range(500)]
        bad = [uid for uid, texts in found.items() if [t for t in texts if t.startswith("line")] != wanted]
        ok(len(found) == 12 and not bad, "6,000 lines of scripts, each connection's in order", len(found), bad)


run_tests([hooks, errors, endless, many_lines])
