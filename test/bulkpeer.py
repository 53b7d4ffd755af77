"""A stand-in for the _bulk API of Elasticsearch and OpenSearch, on loopback: it keeps documents by index and _id, and fails in every way that is asked for."""
import base64
import gzip
import http.server
import json
import socket
import threading


class Refused(Exception):
    pass


class Bulk:
    """`plan` has what becomes of the next requests, one each: None, all goes well; (status, text) of HTTP; "cut": the connection ends before the answer, what was sent is taken; "before": the same, and
    nothing is taken; "short": an answer that tells of fewer items; "silent". `item(index, id, document)` gives (status, type, reason) of a record, or None."""

    def __init__(self, context=None, port=0, item=None, plan=(), most=None, login=None, documents=None):
        self.documents = {} if documents is None else documents
        self.item, self.plan, self.most, self.login = item, list(plan), most, login
        self.requests, self.zipped, self.heads, self.problems, self.creates = [], 0, [], [], 0
        self.lock, self.open = threading.Lock(), []
        bulk = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body at once: in two pieces the second one waits for an acknowledgement of the first

            def log_message(self, *args):
                pass

            def setup(self):
                super().setup()
                bulk.open.append(self.request)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with bulk.lock:
                    answer = bulk.answer(self, body)
                if answer is None:
                    self.close_connection = True
                    self.request.shutdown(socket.SHUT_RDWR)
                    return
                status, data = answer
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 50

            def handle_error(self, *args):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def problem(self, text):
        self.problems.append(text)

    def answer(self, handler, body):
        self.heads.append(dict(handler.headers))
        plan = self.plan.pop(0) if self.plan else None
        if plan == "silent":
            threading.Event().wait(2)
            return None
        if plan == "before":
            return None
        if isinstance(plan, tuple):
            self.requests.append(0)
            return plan[0], plan[1].encode()
        if self.login and handler.headers["Authorization"] != self.login:
            return 401, b'{"error":{"type":"security_exception","reason":"missing authentication credentials"},"status":401}'
        if self.most and len(body) > self.most:
            return 413, b""
        if handler.headers["Content-Encoding"] == "gzip":
            self.zipped += 1
            body = gzip.decompress(body)
        path, _, query = handler.path.partition("?")
        if path != "/_bulk" or handler.headers["Content-Type"] != "application/x-ndjson" or not body.endswith(b"\n"):
            self.problem((handler.path, handler.headers["Content-Type"], body[-10:]))
        lines = body.split(b"\n")[:-1]
        items, errors = [], False
        for action, document in zip(lines[::2], lines[1::2]):
            items.append({"create": self.create(json.loads(action), json.loads(document))})
            errors |= "error" in items[-1]["create"]
        self.requests.append(len(items))
        if plan == "cut":
            return None
        if plan == "short":
            items = items[:-1]
        return 200, json.dumps({"errors": errors, "items": items}).encode()

    def create(self, action, document):
        if list(action) != ["create"] or set(action["create"]) != {"_index", "_id"}:
            self.problem(action)
        index, name = action["create"]["_index"], action["create"]["_id"]
        if index != index.lower() or index[0] in "-_." or not 0 < len(name.encode()) <= 512:
            self.problem(action)
        # As a data stream wants it.
        if "@timestamp" not in document:
            self.problem(document)
        self.creates += 1
        said = self.item(index, name, document) if self.item else None
        if said:
            return {"status": said[0], "error": {"type": said[1], "reason": said[2]}}
        if (index, name) in self.documents:
            return {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "[%s]: version conflict, document already exists (current version [1])" % name}}
        self.documents[index, name] = document
        return {"status": 201}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        for c in self.open:
            try:
                c.close()
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()


def basic(user, password):
    return "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
