"""A registry that means harm: the first part of a repository's name says how.  Serves the OCI layout
given as its argument, spoilt accordingly.  Prints its port and that of another host it redirects to;
writes to stderr what it was asked for, and any login that came where it does not belong."""
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

layout = sys.argv[1]
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
blobs, images, asked, spoilt = {}, {}, {}, {}


def put(data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    blobs[digest] = data
    return {"digest": digest, "size": len(data)}


def read(digest):
    if digest not in blobs:
        with open(os.path.join(layout, "blobs/sha256", digest[7:]), "rb") as f:
            blobs[digest] = f.read()
    return blobs[digest]


with open(os.path.join(layout, "index.json"), "rb") as f:
    base = json.loads(read(json.load(f)["manifests"][0]["digest"]))
config = json.loads(read(base["config"]["digest"]))


def tar(*members, zipped=True):
    """Of (name, type, mode or link or bytes, more...) a layer: its descriptor and its diff_id."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for name, kind, what in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if isinstance(what, bytes):
                info.size = len(what)
            elif isinstance(what, str):
                info.linkname = what
            t.addfile(info, io.BytesIO(what) if isinstance(what, bytes) else None)
    return layer(out.getvalue(), zipped)


def layer(plain, zipped=True, media="application/vnd.oci.image.layer.v1.tar+gzip"):
    d = put(gzip.compress(plain, 9, mtime=0) if zipped else plain)
    return dict(d, mediaType=media), "sha256:" + hashlib.sha256(plain).hexdigest()


def image(layers=(), diffs=(), **changes):
    """The manifest of the layout's image with more layers on top."""
    c = dict(config, rootfs={"type": "layers", "diff_ids": config["rootfs"]["diff_ids"] + list(diffs)})
    c.update(changes.pop("config", {}))
    m = dict(base, config=dict(base["config"], **put(json.dumps(c).encode())), layers=base["layers"] + list(layers))
    m.update(changes)
    return m


def more(*pairs):
    return image([p[0] for p in pairs], [p[1] for p in pairs])


def lie(**changes):
    """The layout's layer with a descriptor that is not so."""
    return dict(base, layers=[dict(base["layers"][0], **changes)])


def make(mode):
    F, D, S, L, C = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
    if mode in ("trickle", "stall", "truncated", "wrongdigest"):  # a layer that no other image has
        own = tar((mode, F, os.urandom(200000)))
        spoilt[mode] = own[0]["digest"]
        return more(own)
    if mode == "wrongdiff":
        return image([tar(("f", F, b"1"))[0]], ["sha256:" + "1" * 64])
    if mode == "wrongsize":
        return lie(size=base["layers"][0]["size"] - 10)
    if mode == "longer":
        return lie(size=base["layers"][0]["size"] + 10)
    if mode == "negative":
        return lie(size=-5)
    if mode == "nodigest":
        return lie(digest="../../../etc/passwd")
    if mode == "sha512":
        return lie(digest="sha512:" + "0" * 128)
    if mode == "foreign":
        return lie(mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", urls=["http://127.0.0.1:1/x"])
    if mode == "schema1":
        return {"schemaVersion": 1, "name": "x", "fsLayers": [{"blobSum": "sha256:" + "0" * 64}], "history": []}
    if mode == "artifact":
        return dict(base, config=dict(put(b"{}"), mediaType="application/vnd.cncf.helm.config.v1+json"))
    if mode == "mips":
        return image(config={"architecture": "mips"})
    if mode == "noplatform":
        d = dict(put(json.dumps(base).encode()), mediaType=MANIFEST, platform={"os": "windows", "architecture": "amd64"})
        return {"schemaVersion": 2, "mediaType": INDEX, "manifests": [d]}
    if mode == "indexofindex":
        d = dict(put(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()), mediaType=INDEX)
        return {"schemaVersion": 2, "mediaType": INDEX, "manifests": [d]}
    if mode == "attested":  # what buildx makes: an attestation beside the image
        d = dict(put(json.dumps(base).encode()), mediaType=MANIFEST)
        unknown = dict(d, digest="sha256:" + "2" * 64, platform={"os": "unknown", "architecture": "unknown"})
        a = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
        return {"schemaVersion": 2, "mediaType": INDEX, "manifests": [unknown, dict(d, platform={"os": "linux", "architecture": a})]}
    if mode == "many":
        return more(*[tar(("f%d" % i, F, b"%d" % i)) for i in range(126)])
    if mode == "toomany":
        return more(*[tar(("f%d" % i, F, b"%d" % i)) for i in range(127)])
    if mode == "empty":
        return more(tar(), layer(b"", zipped=False), layer(b"\0" * 1024))
    if mode == "dotdot":
        return more(tar(("../../escaped", F, b"x")))
    if mode == "absolute":
        return more(tar(("/etc/absolute", F, b"x")))
    if mode == "hardlink":
        return more(tar(("in", D, None), ("in/passwd", L, "../../../../../../etc/passwd")))
    if mode == "hardabsolute":
        return more(tar(("passwd", L, "/etc/shadow")))
    if mode == "symlink":
        return more(tar(("out", S, "/tmp"), ("out/escaped", F, b"x")))
    if mode == "whiteout":
        return more(tar(("gone/a", F, b"1"), ("kept/b", F, b"2"), ("opaque/c", F, b"3")),
                    tar((".wh.gone", F, b""), ("opaque/.wh..wh..opq", F, b""), ("opaque/new", F, b"4")))
    if mode == "outwhiteout":
        return more(tar(("out", S, "/tmp"), ("out/.wh.x", F, b"")))
    if mode == "dotwhiteout":
        return more(tar(("a/.wh...", F, b"")))
    if mode == "names":
        return more(tar(("F\u0151tan\u00fas\u00edtv\u00e1ny", F, b"name"), ("d/" * 60 + "x" * 200, F, b"long"), ("l", S, "\u0151")))
    if mode == "noname":
        return more(layer(b"\0" * 100 + b"0000644\0" * 6 + b"\0" * 364))
    if mode == "cut":
        return more(layer(gzip.decompress(blobs[tar(("f", F, b"x" * 9000))[0]["digest"]])[:2000]))
    if mode == "notar":
        return more(layer(b"this is no archive" * 100))
    if mode == "twice":  # a file, and a folder of its name
        return more(tar(("x", F, b"1"), ("x", D, None), ("x/y", F, b"2"), ("x", F, b"3")))
    if mode == "nested":
        return more(layer(gzip.compress(b"\0" * 10240)))
    if mode == "deep":
        return b'{"schemaVersion":2,"layers":' + b"[" * 100000 + b"]" * 100000 + b"}"
    if mode == "html":
        return b"<html>please log in</html>"
    return base


class Registry(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def reply(self, code, body=b"", **headers):
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def at(self, port=None):
        return f"http://127.0.0.1:{port or self.server.server_port}"

    def do_GET(self):
        login = self.headers.get("Authorization", "")
        print(self.server.server_port, self.path, login, file=sys.stderr, flush=True)
        path, _, query = self.path.partition("?")
        if path == "/token":
            return self.token(query)
        if not path.startswith("/v2/"):
            return self.elsewhere(path, login)
        mode = path.split("/")[2]
        asked[mode] = asked.get(mode, 0) + 1
        if not self.spoil(mode, path, login):
            self.serve(mode, path)

    def token(self, query):
        if "tokenloop" in query:
            return self.reply(401, WWW_Authenticate=f'Bearer realm="{self.at()}/token"')
        if "tokenbroken" in query:
            return self.reply(200, b"<html>")
        if "tokenlines" in query:
            return self.reply(200, json.dumps({"token": "a\r\nX-Evil: yes"}).encode())
        self.reply(200, b'{"token": "t"}')

    def elsewhere(self, path, login):
        if login:
            print("LEAKED", login, file=sys.stderr, flush=True)
        self.reply(200, read(path.rsplit("/", 1)[1]))

    def spoil(self, mode, path, login):
        """True when it has been answered."""
        n, blob = asked[mode], "/blobs/" in path
        if mode == "hang":
            time.sleep(3600)
        elif mode == "down" and os.path.exists(os.path.join(layout, "down")):
            self.reply(503)
        elif mode == "busy" and n == 1:
            self.reply(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}', Retry_After="1")
        elif mode == "busyever":
            self.reply(429, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}', Retry_After="3600")
        elif mode == "broken":
            self.reply(500, b"<html>oops</html>")
        elif mode == "brokenblob" and blob:
            self.reply(500)
        elif mode == "noblob" and blob and base["layers"][0]["digest"] in path:
            self.reply(404)
        elif mode in ("norealm", "badrealm", "filerealm", "tokenloop", "tokenbroken", "loop") or (
                mode == "tokenlines" and not login.startswith("Bearer")):
            realm = {"norealm": "", "badrealm": 'realm="no url at all"', "filerealm": 'realm="file:///etc/passwd"'}.get(
                mode, f'realm="{self.at()}/token"')
            self.reply(401, WWW_Authenticate=f"Bearer {realm}")
        elif mode == "redirects":
            self.reply(302, Location=self.path)
        elif mode == "redirectfile":
            self.reply(302, Location="file:///etc/passwd")
        elif mode == "private" and not login:
            self.reply(401, WWW_Authenticate='Basic realm="x"')
        elif mode == "private" and blob:
            self.reply(307, Location=self.at(other.server_port) + "/x/" + path.rsplit("/", 1)[1])
        elif mode == "huge":
            self.stream(100 << 20)
        elif blob and path.endswith(spoilt.get(mode, "?")) and mode != "wrongdigest":
            self.part(mode, read(spoilt[mode]))
        elif blob and path.endswith(spoilt.get(mode, "?")):
            data = bytearray(read(spoilt[mode]))
            data[1000] ^= 1
            self.reply(200, bytes(data))
        else:
            return False
        return True

    def stream(self, size):
        self.send_response(200)
        self.end_headers()
        try:
            while size > 0:
                size -= self.wfile.write(b" " * 65536)
        except OSError:
            pass

    def part(self, mode, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:50] if mode == "truncated" else data[:1000])
        try:
            for i in range(0 if mode == "truncated" else 1000):
                time.sleep(1)
                if mode == "trickle":
                    self.wfile.write(data[1000 + i:1001 + i])
                    self.wfile.flush()
        except OSError:
            pass

    def serve(self, mode, path):
        if "/manifests/" not in path:
            digest = path.rsplit("/", 1)[1]
            try:
                return self.reply(200, read(digest))
            except OSError:
                return self.reply(404)
        if path.rsplit("/", 1)[1].startswith("sha256:"):
            return self.reply(200, read(path.rsplit("/", 1)[1]))
        if mode not in images:
            made = make(mode)
            images[mode] = made if isinstance(made, bytes) else json.dumps(made).encode()
        self.reply(200, images[mode], Content_Type=MANIFEST)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
other = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
threading.Thread(target=other.serve_forever, daemon=True).start()
print(server.server_port, other.server_port, flush=True)
server.serve_forever()
