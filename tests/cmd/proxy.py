"""A server between a client and orch-store, that refuses some requests: python3 proxy.py SOCKET PORTFILE

RULES, in the environment, has one a line: METHOD PATTERN STATUS REASON MESSAGE. A request whose "METHOD path content-type" has
the PATTERN (a regular expression) is answered with that. With STATUS 0, MESSAGE is a command that is run first; then the
next rule is looked at. With STATUS ECHO, MESSAGE is a file: while it is there, the request's own body is the answer, with 201, and
404 while it is not. What no rule answers goes to the store.
"""
import http.client
import http.server
import json
import os
import re
import socket
import subprocess
import sys

RULES = [line.split(None, 4) for line in os.environ.get("RULES", "").splitlines() if line.strip()]


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refused(self, sent):
        what = "%s %s" % (self.path, self.headers.get("Content-Type", ""))
        for method, pattern, status, reason, message in RULES:
            if method != self.command or not re.search(pattern, what):
                continue
            if status == "0":
                subprocess.run(message, shell=True, check=False)
                continue
            if status == "ECHO" and os.path.exists(message):
                self.answer(201, [("Content-Type", "application/json")], sent)
                return True
            if status == "ECHO":
                status, message = "404", "the server could not find the requested resource"
            body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
                    "message": message, "code": int(status)}
            self.answer(int(status), [("Content-Type", "application/json")], json.dumps(body).encode())
            return True
        return False

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.refused(body):
            return
        store = Unix("store")
        store.request(self.command, self.path, body or None, dict(self.headers))
        reply = store.getresponse()
        if "watch=" in self.path and reply.status == 200:
            self.stream(reply)
        else:
            self.answer(reply.status, reply.getheaders(), reply.read())
        store.close()

    def stream(self, reply):
        """A watch: each event as it comes."""
        self.send_response(200)
        self.send_header("Content-Type", reply.getheader("Content-Type"))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while data := reply.read1(65536):
                self.wfile.write(data)
                self.wfile.flush()
        except OSError:
            pass  # one of them has gone

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[2] + ".new", "w") as f:
    f.write(str(server.server_port))
os.rename(sys.argv[2] + ".new", sys.argv[2])
server.serve_forever()
