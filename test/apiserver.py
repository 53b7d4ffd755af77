"""A real mailtap web over a store, and its answers, held to the API's own description."""
import atexit
import csv
import hashlib
import http.client
import io
import json
import os
import re
import signal
import subprocess
import threading
import urllib.parse

import jsonschema
import waiting
from tap import MAILTAP, ok

FREE = {"row"}  # schemas of objects that have members beyond those that are named


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def token_line(token):
    return "$sha256$" + hashlib.sha256(token.encode()).hexdigest()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def lines(self):
        return [json.loads(line) for line in self.body.decode().split("\n")[:-1]]

    def rows(self):
        """Of CSV: each a dict of texts."""
        return list(csv.DictReader(io.StringIO(self.body.decode(), newline="")))


class Server:
    """`token`: what is asked is asked with it; None: nobody logs in. `user`: whose process it is."""

    def __init__(self, store, *options, token=None, user=None):
        self.said, self.at, self.token, self.asked = [], None, token, set()
        self.process = subprocess.Popen([MAILTAP, "web", str(store), "--listen", "127.0.0.1:0", *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, user=user,
                                        env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))  # no process may look into a confined one
        atexit.register(end, self.process)
        threading.Thread(target=self.listen, daemon=True).start()
        if not waiting.until(lambda: self.at or self.process.poll() is not None) or not self.at:
            raise RuntimeError("mailtap web says no address: %s" % self.said)
        self.csrf = self.ask("/me").json()["csrf"]
        self.api = self.ask("/openapi.json").json()
        for name, schema in self.api["components"]["schemas"].items():
            if name not in FREE:
                schema["additionalProperties"] = False

    def listen(self):
        for line in self.process.stdout:
            self.said.append(line)
            found = re.search(r"http://([\w.]+:\d+)", line)
            if found and not self.at:
                self.at = found[1]

    def ask(self, path, method="GET", body=None, headers=None, **params):
        """`path` stands behind /api/v1; parameters are encoded, those that are None left out."""
        params = {k: v for k, v in params.items() if v is not None}
        url = "/api/v1" + path + ("?" + urllib.parse.urlencode(params) if params else "")
        heads = dict(headers or {})
        if self.token:
            heads["Authorization"] = "Bearer " + self.token
        if body is not None:
            body = json.dumps(body).encode()
            heads["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(self.at, timeout=60)
        try:
            connection.request(method, url, body, heads)
            r = connection.getresponse()
            return Answer(r.status, r.headers, r.read())
        finally:
            connection.close()

    def schema_of(self, path, method="get", status=200):
        """The pattern of the path, and the schema of its answer."""
        plain = path.split("?")[0]
        for pattern, methods in sorted(self.api["paths"].items(), key=lambda p: "{" in p[0]):
            if method in methods and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern.removeprefix("/api/v1")), plain):
                answers = methods[method]["responses"]
                content = answers.get(str(status), answers["default"]).get("content", {})
                return pattern, content.get("application/json", {}).get("schema")
        return None, None

    def get(self, path, status=200, **params):
        """A JSON answer of that status that is as it is described; what is wrong with it is told."""
        a = self.ask(path, **params)
        name = "GET %s %s" % (path, params)
        if a.status != status:
            ok(False, name + " is %d" % status, a.status, a.body[:2000])
            return {}
        value = a.json()
        pattern, schema = self.schema_of(path, status=status)
        if status == 200:
            self.asked.add(pattern)
        fault = self.fault(value, schema)
        if fault:
            ok(False, name + " is as openapi.json says", fault)
        return value

    def fault(self, value, schema):
        if schema is None:
            return None
        whole = {**schema, "components": self.api["components"]}
        errors = list(jsonschema.Draft202012Validator(whole).iter_errors(value))
        return "; ".join("%s: %s" % ("/".join(map(str, e.path)), e.message[:300]) for e in errors[:5])

    def send(self, method, path, body=None, csrf=True):
        return self.ask(path, method, body, {"X-CSRF-Token": self.csrf} if csrf else {})

    def close(self):
        code = end(self.process)
        ok(code == 0 and not any("Sanitizer" in line or "runtime error" in line for line in self.said), "mailtap web ends well", code, *self.said[-40:])
