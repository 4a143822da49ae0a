"""A conversion webhook for tests: v1 has spec.hostPort "h:p", v2 has spec.host and spec.port, v3 like v2.
conversion.py CRT KEY: prints its port.  The file `mode` says how to misbehave; each question is noted in
`asked`, a line of JSON."""
import copy
import json
import os
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def mode():
    try:
        with open("mode") as f:
            return f.read().strip()
    except FileNotFoundError:
        return ""


def convert(obj, version):
    """One object in another version."""
    obj = copy.deepcopy(obj)
    spec = obj.setdefault("spec", {})
    group = version.split("/")[0]
    if version == group + "/v1":
        if "host" in spec or "port" in spec:
            spec["hostPort"] = "%s:%s" % (spec.pop("host", ""), spec.pop("port", ""))
    elif "hostPort" in spec:
        spec["host"], _, spec["port"] = spec.pop("hostPort").partition(":")
    obj["apiVersion"] = version
    return obj


def spoil(objects, how):
    """What no webhook should answer."""
    first = objects[0]
    meta = first["metadata"]
    if how == "fewer":
        objects.pop()
    elif how == "more":
        objects.append(first)
    elif how == "order":
        objects.reverse()
    elif how == "version":
        first["apiVersion"] = "example.com/v9"
    elif how == "group":
        first["apiVersion"] = "v1"
    elif how == "kind":
        first["kind"] = "Other"
    elif how in ("name", "namespace", "uid"):
        meta[how] = "other"
    elif how == "metadata":
        first["metadata"] = dict(meta, finalizers=["example.com/x"], generation=77, creationTimestamp=None,
                                 resourceVersion="1", ownerReferences=7, labels={"from": "webhook"},
                                 annotations={"also": "webhook"})
    elif how == "nometadata":
        del first["metadata"]
    elif how == "textmetadata":
        first["metadata"] = "text"
    elif how == "badlabel":
        meta["labels"] = {"a b": "c"}
    elif how == "intlabel":
        meta["labels"] = {"a": 1}
    elif how == "listlabels":
        meta["labels"] = ["a"]
    elif how == "nullobject":
        objects[0] = None
    elif how == "nokind":
        objects[0] = {}
    elif how == "unknown":
        first["spec"].update(surprise=1, comment=None)
        first["other"] = {"a": 1}


def frame(review, how):
    """The answer to a ConversionReview."""
    request = review["request"]
    objects = [convert(o, request["desiredAPIVersion"]) for o in request["objects"]]
    spoil(objects, how)
    response = {"uid": request["uid"], "result": {"status": "Success"}, "convertedObjects": objects}
    answer = {"apiVersion": review["apiVersion"], "kind": "ConversionReview", "response": response}
    if how == "failure":
        answer["response"] = {"uid": request["uid"], "result": {"status": "Failure", "message": "not today"}}
    elif how.startswith("only "):  # this one cannot be converted
        if any(o["metadata"]["name"] == how[5:] for o in request["objects"]):
            answer["response"] = {"uid": request["uid"], "result": {"status": "Failure", "message": "never " + how[5:]}}
    elif how == "quiet":
        response["result"] = {"status": "Failure"}
    elif how == "noresult":
        del response["result"]
    elif how == "wronguid":
        response["uid"] = "another"
    elif how == "noresponse":
        del answer["response"]
    elif how == "noobjects":
        del response["convertedObjects"]
    elif how == "v1beta1":
        answer["apiVersion"] = "apiextensions.k8s.io/v1beta1"
    elif how == "otherkind":
        answer = {"apiVersion": "v1", "kind": "Pod"}
    return json.dumps(answer).encode()


class Webhook(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer in one piece

    def send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 307:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def huge(self):
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(200):
                self.wfile.write(b'{"a":"' + b"x" * (1 << 20))
        except OSError:
            pass
        self.close_connection = True

    def do_POST(self):
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = review["request"]
        how = mode()
        with open("asked", "a") as f:
            f.write(json.dumps({"path": self.path, "host": self.headers["Host"], "review": review["apiVersion"],
                                "to": request["desiredAPIVersion"], "n": len(request["objects"]),
                                "versions": ["resourceVersion" in o["metadata"] for o in request["objects"]]}) + "\n")
        while mode() == "slow":
            time.sleep(0.05)
        if how == "huge":
            self.huge()
        elif how == "deep":
            self.send(200, b'{"response":' + b"[" * 100000 + b"]" * 100000 + b"}")
        elif how == "text":
            self.send(200, b"hello there")
        elif how == "empty":
            self.send(200, b"")
        elif how == "number":
            self.send(200, b"17")
        elif how == "hangup":
            self.close_connection = True
        elif how == "500":
            self.send(500, b"out of order")
        elif how in ("404", "307", "503"):
            self.send(int(how), b"{}")
        elif how == "status":
            self.send(409, b'{"kind":"Status","apiVersion":"v1","status":"Failure","message":"in words"}')
        else:
            self.send(200, frame(review, how))

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):  # who hangs up is no news
        pass


server = Server(("127.0.0.1", int(os.environ.get("PORT", "0"))), Webhook)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
