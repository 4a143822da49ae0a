"""An extension API server for tests: extension.py CERTIFICATE KEY FRONT-PROXY-CA FOLDER

It listens on $ADDRESS (127.0.0.1), prints its port, takes only clients with a certificate of the
front proxy's authority, and serves wardle.example.com/v1 and v1beta1 with one resource, flunders.
FOLDER/mode, read for each request, says how it behaves:
    (nothing)   well, with aggregated discovery
    legacy      no aggregated discovery, no OpenAPI
    hang        answers nothing
    fail        500 for everything
    broken      discovery is no JSON
    odd         discovery of the wrong types
    huge        discovery never ends
FOLDER/seen gets a line of JSON for each request.
"""

import http.server
import json
import os
import ssl
import sys
import threading
import time

GROUP = "wardle.example.com"
BASE = "/apis/" + GROUP
VERBS = ["create", "delete", "get", "list", "watch"]
folder = sys.argv[4]
flunders = {}
revision = 1
lock = threading.Condition()


def mode():
    try:
        with open(os.path.join(folder, "mode"), encoding="utf-8") as f:
            return f.read().strip()
    except FileNotFoundError:
        return ""


def resources():
    return [
        {"name": "flunders", "singularName": "flunder", "namespaced": True, "kind": "Flunder", "verbs": VERBS,
         "shortNames": ["fl"], "categories": ["all"]},
        {"name": "flunders/echo", "singularName": "", "namespaced": True, "kind": "Flunder", "verbs": ["get"]},
    ]


def aggregated():
    kind = {"group": GROUP, "version": "v1", "kind": "Flunder"}
    one = {"resource": "flunders", "responseKind": kind, "scope": "Namespaced", "singularResource": "flunder",
           "verbs": VERBS, "shortNames": ["fl"], "categories": ["all"],
           "subresources": [{"subresource": "echo", "responseKind": kind, "verbs": ["get"]}]}
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
            "items": [{"metadata": {"name": GROUP},
                       "versions": [{"version": v, "resources": [one], "freshness": "Current"} for v in ("v1", "v1beta1")]}]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, kind="application/json", headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def note(self, body):
        peer = dict(pair[0] for pair in self.connection.getpeercert()["subject"])
        line = json.dumps({"method": self.command, "path": self.path, "peer": peer.get("commonName"),
                           "headers": [[k.lower(), v] for k, v in self.headers.items()], "body": body})
        with lock, open(os.path.join(folder, "seen"), "a", encoding="utf-8") as f:
            f.write(line + "\n")

    def handle_one(self):
        how = mode()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path, _, query = self.path.partition("?")
        self.note(body)
        if how == "hang":
            time.sleep(3600)
        if how == "fail":
            return self.answer(500, {"kind": "Status", "code": 500})
        if path in ("/apis", BASE + "/v1", BASE + "/v1beta1"):
            return self.discovery(how, path)
        if path == "/openapi/v3" and how != "legacy":
            return self.answer(200, {"paths": {"apis/%s/v1" % GROUP: {
                "serverRelativeURL": "/openapi/v3/apis/%s/v1?hash=ABC" % GROUP},
                "apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=EVIL"}}})
        if path == "/openapi/v3/apis/%s/v1" % GROUP:
            return self.answer(200, {"openapi": "3.0.0", "info": {"title": "wardle", "version": "1"}, "paths": {},
                                     "components": {"schemas": {"Flunder": {"type": "object", "x-kubernetes-group-version-kind": [
                                         {"group": GROUP, "version": "v1", "kind": "Flunder"}]}}}})
        if path.startswith(BASE + "/v1/"):
            return self.resource(path[len(BASE) + 4:].split("/"), query, body)
        return self.answer(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})

    def discovery(self, how, path):
        if how == "broken":
            return self.answer(200, b"{\"kind\": \"APIGroup")
        if how == "odd":
            return self.answer(200, {"kind": "APIGroupDiscoveryList", "items": [3, {"metadata": {"name": GROUP}, "versions": [
                {"version": "v1", "resources": [7, {"resource": 5}, {"resource": "flunders", "scope": {}, "verbs": "get",
                                                                    "shortNames": [1, "fl"], "subresources": {"a": 1}}]}]}]})
        if how == "huge":
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            for _ in range(4000):
                self.wfile.write(b" " * 65536)
            self.close_connection = True
            return None
        if path == "/apis" and how != "legacy" and "as=APIGroupDiscoveryList" in self.headers.get("Accept", ""):
            return self.answer(200, aggregated(), "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
        if path == "/apis":
            return self.answer(200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": []})
        return self.answer(200, {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": path[6:], "resources": resources()})

    def resource(self, part, query, body):
        global revision
        if part[0] == "redirect":
            return self.answer(302, b"", headers=[("Location", "https://elsewhere.example.com/")])
        if part[0] == "empty":
            self.send_response(204)
            return self.end_headers()
        if part[-1] == "echo":
            return self.echo()
        if "watch=" in query:
            return self.watch()
        name = part[3] if len(part) > 3 else None
        if self.command == "POST":
            obj = json.loads(body)
            with lock:
                revision += 1
                obj["metadata"].update(namespace=part[1], resourceVersion=str(revision), uid="u%d" % revision,
                                       creationTimestamp="2026-01-01T00:00:00Z")
                flunders[obj["metadata"]["name"]] = obj
                lock.notify_all()
            return self.answer(201, obj)
        if name and name not in flunders:
            return self.answer(404, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 404,
                                     "reason": "NotFound", "message": 'flunders.%s "%s" not found' % (GROUP, name)})
        if self.command == "DELETE":
            return self.answer(200, flunders.pop(name))
        if name:
            return self.answer(200, flunders[name])
        return self.answer(200, {"kind": "FlunderList", "apiVersion": GROUP + "/v1",
                                 "metadata": {"resourceVersion": str(revision)}, "items": list(flunders.values())})

    def watch(self):
        """Each flunder from now on, as a chunk."""
        known = set(flunders)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        end = time.time() + 20
        while time.time() < end:
            with lock:
                lock.wait(0.2)
                new = [flunders[name] for name in flunders if name not in known]
            for obj in new:
                known.add(obj["metadata"]["name"])
                data = json.dumps({"type": "ADDED", "object": obj}).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def echo(self):
        """A tunnel that gives back what it gets."""
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        self.wfile.flush()
        self.close_connection = True
        while True:
            data = self.rfile.read1(4096)
            if not data:
                return
            self.wfile.write(data)
            self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_one


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def finish_request(self, request, client_address):
        try:
            request.do_handshake()
            super().finish_request(request, client_address)
        except (OSError, ssl.SSLError):
            pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.load_verify_locations(sys.argv[3])
context.verify_mode = ssl.CERT_REQUIRED
server = Server((os.environ.get("ADDRESS", "127.0.0.1"), int(os.environ.get("PORT", "0"))), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
