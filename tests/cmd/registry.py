"""A registry for tests of pulling: serves an OCI layout, asks for a token, sends blobs by way of a
redirect, and breaks off each first download of a blob in the middle.  With "slow" it does not break
off but sends slowly, and writes how many downloads are under way.  Prints its port."""
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

layout, served = sys.argv[1], set()
slow = len(sys.argv) > 2 and sys.argv[2] == "slow"
lock, busy = threading.Lock(), 0


class Registry(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def reply(self, code, body=b"", **headers):
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def blob(self, digest):
        with open(os.path.join(layout, "blobs/sha256", digest[7:]), "rb") as f:
            return f.read()

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/token":
            ok = "service=test" in query and "scope=repository:team/web:pull" in query
            return self.reply(200 if ok else 400, json.dumps({"token": "secret"} if ok else {}).encode())
        if path.startswith("/elsewhere/"):
            return self.send_blob(path.rsplit("/", 1)[1])
        if self.headers.get("Authorization") != "Bearer secret":
            realm = f"http://127.0.0.1:{self.server.server_port}/token"
            return self.reply(401, WWW_Authenticate=f'Bearer realm="{realm}",service="test",scope="x"')
        if path == "/v2/team/web/manifests/1":
            with open(os.path.join(layout, "index.json"), "rb") as f:
                return self.reply(200, self.blob(json.load(f)["manifests"][0]["digest"]))
        if path.startswith("/v2/team/web/blobs/"):
            return self.reply(307, Location="/elsewhere/" + path.rsplit("/", 1)[1])
        self.reply(404)

    def send_blob(self, digest):
        data, start = self.blob(digest), 0
        if self.headers.get("Range"):
            start = int(self.headers["Range"][6:].split("-")[0])
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if slow:
            return self.send_slowly(data[start:], start)
        if digest not in served and len(data) > 1000:
            served.add(digest)
            self.wfile.write(data[: len(data) // 2])
            return
        self.wfile.write(data[start:])
        print("from", start, file=sys.stderr, flush=True)

    def send_slowly(self, data, start):
        global busy
        with lock:
            busy += 1
            print("busy", busy, "from", start, file=sys.stderr, flush=True)
        try:
            for i in range(9):
                self.wfile.write(data[len(data) * i // 10:len(data) * (i + 1) // 10])
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            data = b""
        with lock:
            busy -= 1  # before its end is seen
        self.wfile.write(data[len(data) * 9 // 10:])

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
print(server.server_port, flush=True)
server.serve_forever()
