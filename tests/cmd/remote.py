#!/usr/bin/env python3
"""An API server for tests of programs that talk to a process in a container: it has the pod web, and what
its exec does is the first word of the command.  Prints its port."""
import base64
import hashlib
import io
import json
import os
import socket
import struct
import tarfile
import threading
import time
from urllib.parse import parse_qs, urlsplit

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default", "uid": "1"},
       "spec": {"containers": [{"name": "a", "image": "i", "ports": [{"name": "http", "containerPort": 8080}]}, {"name": "b", "image": "i"}]}}


class Gone(Exception):
    pass


class Connection:
    def __init__(self, s):
        self.s, self.f = s, s.makefile("rb")

    def head(self):
        lines = []
        while True:
            line = self.f.readline().decode().rstrip("\r\n")
            if not line:
                break
            lines.append(line)
        if not lines:
            raise Gone
        return lines[0].split()[1], {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}

    def answer(self, code, value):
        body = json.dumps(value).encode()
        self.s.sendall(b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (code, len(body)) + body)

    def status(self, code, reason, message):
        self.answer(code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code})

    def frame(self, first, data, mask=b""):
        n = len(data)
        bit = 0x80 if mask else 0
        size = bytes([bit | n]) if n < 126 else bytes([bit | 126]) + struct.pack(">H", n) if n < 65536 else bytes([bit | 127]) + struct.pack(">Q", n)
        self.s.sendall(bytes([first]) + size + mask + data)

    def send(self, channel, data):
        self.frame(0x82, bytes([channel]) + data)

    def message(self):
        first, second = self.exactly(2)
        assert second & 0x80, "a client masks"
        n = second & 127
        if n >= 126:
            n = int.from_bytes(self.exactly(2 if n == 126 else 8), "big")
        mask, data = self.exactly(4), self.exactly(n)
        whole = int.from_bytes(data, "big") ^ int.from_bytes((mask * (n // 4 + 1))[:n], "big")
        return first & 15, whole.to_bytes(n, "big")

    def exactly(self, n):
        data = self.f.read(n)
        if len(data) < n:
            raise Gone
        return data

    def ended(self, code=0):
        if code == 0:
            self.send(3, b'{"metadata":{},"status":"Success"}')
        else:
            self.send(3, json.dumps({"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated",
                                     "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}).encode())
        self.frame(0x88, struct.pack(">H", 1000))


def member(tar, name, type=tarfile.REGTYPE, to="", data=b"x\n"):
    t = tarfile.TarInfo(name)
    t.type, t.linkname, t.mode, t.mtime = type, to, 0o4640, 1000000000
    t.size = len(data) if type == tarfile.REGTYPE else 0
    tar.addfile(t, io.BytesIO(data))


def evil(name):
    """A stream that a container might send for /NAME."""
    out = io.BytesIO()
    tar = tarfile.open(fileobj=out, mode="w")
    if name == "up":
        member(tar, "up/../../up-out")
    elif name == "other":
        member(tar, "other", tarfile.DIRTYPE)
        member(tar, "elsewhere")
    elif name == "longer":
        member(tar, "longer-name")
    elif name == "absolute":
        member(tar, "/tmp/absolute-out")
    elif name == "through":
        member(tar, "through", tarfile.DIRTYPE)
        member(tar, "through/l", tarfile.SYMTYPE, "..")
        member(tar, "through/l/through-out")
    elif name == "swap":
        member(tar, "swap", tarfile.DIRTYPE)
        member(tar, "swap/d", tarfile.DIRTYPE)
        member(tar, "swap/d/e", tarfile.DIRTYPE)
        member(tar, "swap/s", tarfile.SYMTYPE, "d/e")
        member(tar, "swap/t", tarfile.SYMTYPE, "s/../../..")
        member(tar, "swap/s/f")
    elif name == "hard":
        member(tar, "hard", tarfile.DIRTYPE)
        member(tar, "hard/l", tarfile.LNKTYPE, "/etc/passwd")
        member(tar, "hard/m", tarfile.LNKTYPE, "hard/../../secret")
        member(tar, "hard/f")
        member(tar, "hard/g", tarfile.LNKTYPE, "hard/f")
    elif name == "device":
        member(tar, "device", tarfile.CHRTYPE)
    elif name == "half":
        member(tar, "half", data=b"x" * 100000)
        return out.getvalue()[:50000]
    elif name == "nothing":
        return b""
    elif name == "junk":
        return b"this is no archive\n" * 100
    tar.close()
    return out.getvalue()


def command(c, word, query, protocol):
    if word == "break":
        c.send(1, b"half")
        c.s.shutdown(socket.SHUT_RDWR)
    elif word == "bye":
        c.frame(0x88, struct.pack(">H", 1000))
    elif word == "reset":
        c.frame(0x88, struct.pack(">H", 1011) + b"all is lost")
    elif word == "masked":
        c.frame(0x82, b"\1x", b"\0\0\0\0")
    elif word == "huge":
        c.s.sendall(b"\x82\x7f" + struct.pack(">Q", 1 << 62))
    elif word == "parts":
        c.frame(0x02, b"\1one ")
        c.frame(0x89, b"are you there")
        c.frame(0x00, b"and ")
        c.frame(0x80, b"two")
        assert c.message() == (10, b"are you there")
        c.frame(0x82, b"")
        c.send(9, b"a channel of a later time")
        c.ended(5)
    elif word == "asked":
        c.send(1, json.dumps({k: v if k == "command" else v[0] for k, v in query.items()}, sort_keys=True).encode() + b"\n")
        c.send(2, protocol.encode() + b"\n")
        c.ended()
    elif word == "count":
        n = 0
        while True:
            opcode, data = c.message()
            if data == b"\xff\0":
                break
            n += len(data) - 1
        c.send(1, b"%d\n" % n)
        c.ended(300)
    elif word == "tar" and query["command"][1] == "cf":
        c.send(1, evil(query["command"][-1]))
        c.ended()
    elif word == "tar":
        c.send(2, b"tar: I do not want it\n")
        c.ended(1)
    elif word == "test":
        c.ended(1)
    elif word == "odd":
        c.send(3, b"no JSON")
    elif word == "sleep":
        try:
            c.message()
        except Gone:
            pass
        open(os.environ["GONE"], "w").close()
    time.sleep(0.1)


def serve(s):
    c = Connection(s)
    try:
        while True:
            path, headers = c.head()
            url = urlsplit(path)
            query = parse_qs(url.query)
            if url.path.endswith("/pods"):
                c.answer(200, {"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": [POD]})
            elif url.path.endswith("/pods/web"):
                c.answer(200, POD)
            elif url.path.endswith("/pods/web/exec"):
                word = query["command"][0]
                if word == "forbidden":
                    c.status(403, "Forbidden", "you may not")
                    continue
                if word == "html":
                    c.s.sendall(b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n<html>\n")
                    break
                if word == "plain":
                    c.answer(200, {})
                    continue
                protocol = headers["sec-websocket-protocol"].split(", ")[1 if len(query["command"]) > 1 and query["command"][1] == "v4" else 0]
                if word == "other":
                    protocol = "v9.example"
                key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
                accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
                if word == "liar":
                    accept = "x" + accept[1:] if accept[0] != "x" else "y" + accept[1:]
                c.s.sendall(("HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n" % (accept, protocol)).encode())
                command(c, word, query, protocol)
                break
            elif url.path.endswith("/pods/web/portforward"):
                c.answer(200, {})
            else:
                c.status(404, "NotFound", 'pods "%s" not found' % url.path.rsplit("/", 1)[1])
    except (Gone, OSError):
        pass
    s.close()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
