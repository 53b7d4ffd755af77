"""What courier.py lets the courier talk to, on loopback: an SMTP server and an HTTP server that can fail in every way, a
stand-in for sendmail; and the program with the courier itself."""
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tap import ok
from waiting import LONG, until

RUN = sys.argv[2]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Mail:
    def __init__(self, sender, recipients, data):
        self.sender, self.recipients, self.raw = sender, recipients, data
        self.time = time.monotonic()


class Smtp:
    """mode: ok; mail, rcpt or data: that step gets `reply`; auth: with what was sent behind it; hang: no word; noquit: none to QUIT. `fails` > 0: so many times only."""

    def __init__(self, port=0, mode="ok", reply=b"451 4.3.0 try later", fails=0, auth=False):
        self.mode, self.reply, self.fails, self.auth = mode, reply, fails, auth
        self.mails, self.sessions, self.credentials, self.open = [], 0, None, []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.url = "smtp://127.0.0.1:%d" % self.port
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.sessions += 1
            self.open.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _fails_at(self, step):
        if self.mode != step:
            return False
        if self.fails:
            self.fails -= 1
            if not self.fails:
                self.mode = "ok"
        return True

    def _serve(self, peer):
        try:
            if self.mode != "hang":
                self._talk(peer.makefile("rwb", buffering=0))
                peer.close()
        except OSError:
            pass

    def _talk(self, f):
        sender, recipients = None, []
        f.write(b"220 test ESMTP\r\n")
        for line in iter(f.readline, b""):
            word = line[:4].upper()
            if word == b"EHLO":
                f.write(b"250-test\r\n250-SIZE 9999999\r\n%s250 8BITMIME\r\n" % (b"250-AUTH PLAIN\r\n" if self.auth else b""))
            elif word == b"AUTH":
                self.credentials = line.split()[-1] if len(line.split()) > 2 else None
                if not self.credentials:
                    f.write(b"334 \r\n")
                    self.credentials = f.readline().strip()
                f.write(self.reply + b" " + self.credentials + b"\r\n" if self._fails_at("auth") else b"235 fine\r\n")
            elif word == b"MAIL":
                sender, recipients = line.strip().decode(), []
                f.write(self.reply + b"\r\n" if self._fails_at("mail") else b"250 fine\r\n")
            elif word == b"RCPT":
                recipients.append(line.strip().decode()[8:].strip("<>"))
                f.write(self.reply + b"\r\n" if self._fails_at("rcpt") else b"250 fine\r\n")
            elif word == b"DATA":
                f.write(b"354 go on\r\n")
                data = b""
                for text in iter(f.readline, b".\r\n"):
                    if not text:
                        return
                    data += text[1:] if text.startswith(b".") else text
                if self._fails_at("data"):
                    f.write(self.reply + b"\r\n")
                    continue
                self.mails.append(Mail(sender, recipients, data))
                f.write(b"250 2.0.0 queued\r\n")
            elif word == b"QUIT":
                if self.mode == "noquit":
                    f.read(1)
                    return
                f.write(b"221 bye\r\n")
                return
            else:
                f.write(b"500 what?\r\n")

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for peer in self.open:
            peer.close()


class Http:
    """status: what it answers; hang: it answers when `released` is set. `fails` > 0: so many times only."""

    def __init__(self, port=0, status=200, fails=0, hang=False, location=None):
        outer = self
        self.status, self.fails, self.hang, self.location = status, fails, hang, location
        self.posts, self.asked, self.released = [], [], threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.asked.append((self.command, self.path, self.headers.get("Content-Type"), body))
                if outer.hang:
                    outer.released.wait(LONG)
                status = outer.status
                if outer.fails:
                    outer.fails -= 1
                    if not outer.fails:
                        outer.status = 200
                if status // 100 == 2:
                    outer.posts.append(body.decode())
                self.send_response(status)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET = do_PUT = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.port = self.server.server_address[1]
        self.url = "http://127.0.0.1:%d/hook" % self.port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def sendmail(folder, script):
    """A program that keeps each run's arguments and input in folder/N, then does what `script` says."""
    path = Path(folder) / "sendmail"
    path.write_text('#!/bin/sh\nn=$(ls "%s" | grep -c "^[0-9]*[.]in$")\nprintf "%%s\\n" "$@" >"%s/$n.args"\ncat >"%s/$n.part"\n'
                    'mv "%s/$n.part" "%s/$n.in"\n%s\n' % (*[folder] * 5, script))
    path.chmod(0o700)
    return "sendmail:%s" % path


class Run:
    """The program. The reply to each command is read before the next; stderr goes to a file."""

    def __init__(self, *settings, expect="started", **named):
        self.err = tempfile.TemporaryFile()
        named = [("%s=%s" % (k, v)) for k, v in named.items()]
        if any(s.startswith("email_server") for s in named) and not any(s.startswith("email_to") for s in settings):
            settings = ("email_from=mailtap@example.org", "email_to=abuse@example.org", *settings)
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        # What the program has open beside its streams: the courier must not keep it.
        self.extra, inherited = os.pipe()
        self.process = subprocess.Popen([RUN, *settings, *named], pass_fds=[inherited], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.err, text=True, env=env, encoding="utf-8", errors="surrogateescape")
        os.close(inherited)
        self.began = self.process.stdout.readline().strip()
        if self.began != expect:
            ok(False, "courier-run starts", self.began, self.stderr())
        self.pid = self.child()

    def child(self):
        try:
            words = Path("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)).read_text().split()
        except OSError:
            words = []
        return int(words[0]) if words else None

    def say(self, *fields):
        self.process.stdin.write("\t".join(map(str, fields)) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def push(self, actions, subject, text="text\\n", json_text="{}"):
        return self.say("push", actions, json_text, subject, text)

    def counts(self):
        return json.loads(self.say("counts"))

    def stderr(self, crash=None):
        """What was said. In no code but that of the library `crash` may it have crashed."""
        self.err.seek(0)
        text = self.err.read().decode(errors="replace")
        if crash and crash in text:
            return text
        if "Sanitizer" in text or "runtime error" in text:
            ok(False, "no sanitizer speaks", text[-3000:])
        return text

    def close(self, code=0):
        """Ends the input; the last counts. None: any exit code will do."""
        os.close(self.extra)
        self.process.stdin.close()
        line = self.process.stdout.readline()
        self.process.stdout.close()
        if self.process.wait(timeout=60) != code and code is not None:
            ok(False, "courier-run ends with %d" % code, self.process.returncode, self.stderr())
        return json.loads(line) if line else None

    def kill(self, child=True):
        """As a machine in need does: no word to anybody."""
        for pid in [self.pid] * child + [self.process.pid]:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        if child:
            until(lambda: not Path("/proc/%d" % self.pid).exists() or "Z" in Path("/proc/%d/stat" % self.pid).read_text())


def adds_up(tally):
    return tally["pushed"] + tally["found"] == tally["delivered"] + tally["lost"] + tally["left"]
