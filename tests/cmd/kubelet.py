"""The servers of some nodes, for tests: kubelet.py CRT KEY FOLDER NAME...

Each NAME listens on a port of 127.0.0.1, which is printed ("NAME PORT"), and answers /metrics/resource
by FOLDER/NAME, read each time: JSON of
    cores, bytes    of the node: how many cores it keeps busy, how much memory it has
    containers      a list of [namespace, pod, container, cores, bytes]
    since           when their counters began (0: when this program was started)
    swap            in use, of the node and of each container (absent: not told)
    started         when the containers say that they were started, in seconds (absent: not told)
    mode            hang, fail, broken: answer so
FOLDER/NAME.asked gets a line, the time, for each question.
"""
import json
import os
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

crt, key, folder = sys.argv[1:4]
BEGAN = time.time() - 1000


class Kubelet(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.server.node
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            say = json.load(f)
        with open(os.path.join(folder, name + ".asked"), "a", encoding="utf-8") as f:
            f.write("%.3f\n" % time.time())
        mode = say.get("mode")
        if mode == "hang":
            time.sleep(3600)
        text = "node_cpu_usage_seconds_total{\n" if mode == "broken" else figures(say)
        self.send_response(500 if mode == "fail" else 404 if self.path != "/metrics/resource" else 200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def figures(say):
    now = time.time()
    age = now - (say.get("since") or BEGAN)
    stamp = int(now * 1000)
    lines = ["# HELP node_cpu_usage_seconds_total [STABLE] ...", "# TYPE node_cpu_usage_seconds_total counter",
             "node_cpu_usage_seconds_total %r %d" % (age * say["cores"], stamp),
             "node_memory_working_set_bytes %r %d" % (float(say["bytes"]), stamp)]
    if "swap" in say:
        lines.append("node_swap_usage_bytes %d %d" % (say["swap"], stamp))
    for ns, pod, container, cores, size in say["containers"]:
        where = '{container="%s",namespace="%s",pod="%s"}' % (container, ns, pod)
        lines.append("container_cpu_usage_seconds_total%s %r %d" % (where, age * cores, stamp))
        lines.append("container_memory_working_set_bytes%s %r %d" % (where, float(size), stamp))
        if "started" in say:
            lines.append("container_start_time_seconds%s %r %d" % (where, float(say["started"]), stamp))
        if "swap" in say:
            lines.append("container_swap_usage_bytes%s %d %d" % (where, say["swap"], stamp))
    return "\n".join(lines) + "\nscrape_error 0\n"


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(crt, key)
for name in sys.argv[4:]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Kubelet)
    server.daemon_threads = True
    server.node = name
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(name, server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever).start()
