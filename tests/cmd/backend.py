"""A server for tests of what the store passes on: says what it was asked and by whom, echoes behind an
upgrade, ends a slow answer in its own time.  backend.py CRT KEY [CA]: with TLS; without arguments plain.
$ADDRESS is where it listens (127.0.0.1).  Prints its port."""
import os
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "upgrade" in self.headers.get("Connection", "").lower():
            return self.echo()
        if self.path.startswith("/containerLogs") and "follow=" in self.path:
            return self.slow()
        peer = getattr(self.connection, "getpeercert", dict)() or {}
        lines = [self.requestline, "peer=%s" % dict(x[0] for x in peer.get("subject", ())).get("commonName", "-")]
        lines += ["%s: %s" % (k.lower(), v) for k, v in self.headers.items()]
        text = "\n".join(lines).encode() + b"\n\n" + body
        self.send_response(404 if self.path.endswith("/missing") else 200)
        self.send_header("Content-Type", "text/x-test")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()  # and keeps the connection, whatever it was told
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = answer

    def slow(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for word in (b"one\n", b"two\n", b""):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(word), word))
            self.wfile.flush()
            time.sleep(0.3)
        self.close_connection = True

    def echo(self):
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers["Upgrade"])
        self.end_headers()
        self.wfile.write((self.path + " " + self.headers.get("Sec-WebSocket-Protocol", "-") + "\n").encode())
        while True:
            data = self.connection.recv(4096)
            if not data:
                break
            self.wfile.write(data.upper())
        self.close_connection = True

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer((os.environ.get("ADDRESS", "127.0.0.1"), 0), Backend)
if len(sys.argv) > 2:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[1], sys.argv[2])
    if len(sys.argv) > 3:
        tls.load_verify_locations(sys.argv[3])
        tls.verify_mode = ssl.CERT_OPTIONAL
    server.socket = tls.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
