#!/usr/bin/env python3
"""Kill orch-node at its Nth step, for many N, in the life of a rich pod.

usage: node_kill.py BIN FOLDER [--first N] [--stride N] [--last N] [--seconds S] [--again] [--name NODE]

FOLDER has image.tar and mortal.so, and becomes the home of a store and a node.  For each N a node is
started that dies at its Nth step with an outward effect (mortal.c).  Meanwhile a pod is created,
becomes ready, its main container is killed and comes again, it is deleted.  As soon as the node has
died it is started anew.  Then: all this came to pass; no container ran twice at a time, or more often
than its restartCount says; nothing is left of the pod on the machine.

With --again the second node is killed as well, at a step of its own.
"""
import argparse
import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("orch", timeout=90)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(90)
        self.sock.connect(self.path)


class Wrong(Exception):
    pass


class Life:
    """A store, a node's folder, and pods that come and go."""

    def __init__(self, options):
        self.o = options
        self.top = os.path.abspath(options.folder)
        self.bin = os.path.abspath(options.bin)
        self.data = f"{self.top}/{options.name}"
        self.sock = f"{self.top}/sock-{options.name}"
        self.netns = f"orch-{options.name}-{os.getpid()}"
        self.node = None
        self.processes = []

    # --- programs -------------------------------------------------------------------------

    def run(self, *argv, check=True):
        return subprocess.run(argv, check=check, capture_output=True, text=True)

    def begin(self):
        self.run("ip", "netns", "add", self.netns)
        self.run("ip", "-n", self.netns, "link", "set", "lo", "up")
        self.run("ip", "-n", self.netns, "addr", "add", "192.0.2.7/32", "dev", "lo")
        self.run(f"{self.bin}/orch-image", "--data", self.data, "import", f"{self.top}/image.tar")
        log = open(f"{self.top}/store.log", "w")
        self.store = subprocess.Popen(
            [f"{self.bin}/orch-store", "--data", f"{self.top}/store-{self.o.name}", "--listen",
             "127.0.0.1:0", "--socket", self.sock], stderr=log)
        for _ in range(1200):
            try:
                if self.api("GET", "/readyz", raw=True)[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.05)
        base = "/api/v1/namespaces/default"
        self.api("POST", f"{base}/serviceaccounts", {"metadata": {"name": "default"}})
        self.api("POST", f"{base}/configmaps", {"metadata": {"name": "conf"}, "data": {"a": "1"}})
        self.api("POST", f"{base}/secrets", {"metadata": {"name": "sec"}, "stringData": {"b": "2"}})

    def end(self):
        if self.node and self.node.poll() is None:
            self.node.kill()
            self.node.wait()
        self.store.kill()
        self.store.wait()
        self.run(f"{self.bin}/orch-node", "--data", self.data, "--clean", check=False)
        self.run("ip", "netns", "del", self.netns, check=False)

    def api(self, method, path, body=None, raw=False):
        c = Unix(self.sock)
        try:
            c.request(method, path, json.dumps(body) if body else None,
                      {"Content-Type": "application/json"})
            r = c.getresponse()
            text = r.read()
            return r.status, text if raw else json.loads(text)
        finally:
            c.close()

    def start_node(self, at, *more):
        env = dict(os.environ)
        # An administrator's file, not of the node: what it killed last.
        if at:
            env.update(LD_PRELOAD=f"{self.top}/mortal.so", MORTAL_AT=str(at),
                       MORTAL_FILE=f"{self.top}/mortal-{self.o.name}")
        self.log = open(f"{self.top}/log-{self.o.name}", "a")
        self.node = subprocess.Popen(
            [f"{self.bin}/orch-node", "-s", f"unix:{self.sock}", "--name", self.o.name, "--data",
             self.data, "--netns", self.netns, "--address", "192.0.2.7", "--pod-cidr",
             "10.99.0.0/22", "--listen", "127.0.0.1:0", "--backoff", "0.1s", *more], env=env, stdout=self.log, stderr=self.log)

    # --- the life of a pod ------------------------------------------------------------------

    def pod(self, name, host):
        def says(who, then):
            return ["sh", "-c", f"echo x >>/h/starts-{who}; " + then, name + "/" + who]
        loop = "trap 'exit 0' TERM; touch /mem/ready; while :; do sleep 0.03; done"
        mounts = [{"name": "h", "mountPath": "/h"}, {"name": "mem", "mountPath": "/mem"},
                  {"name": "disk", "mountPath": "/disk"}]
        more = mounts + [{"name": "disk", "mountPath": "/sub", "subPath": "a/b"},
                         {"name": "conf", "mountPath": "/conf"}, {"name": "sec", "mountPath": "/sec"},
                         {"name": "all", "mountPath": "/all"}, {"name": "image", "mountPath": "/image"},
                         {"name": "conf", "mountPath": "/one", "subPath": "a"}]
        return {"metadata": {"name": name, "labels": {"l": "x"}}, "spec": {
            "nodeName": self.o.name, "serviceAccountName": "default",
            "terminationGracePeriodSeconds": 5, "shareProcessNamespace": True,
            "securityContext": {"fsGroup": 1234, "runAsUser": 0},
            "initContainers": [
                {"name": "side", "image": "web:1", "restartPolicy": "Always",
                 "command": says("side", loop), "volumeMounts": mounts},
                {"name": "init", "image": "web:1", "command": says("init", "echo made >/disk/made"),
                 "volumeMounts": mounts}],
            "containers": [
                {"name": "c", "image": "web:1", "command": says("c", "[ -e /disk/made ] || echo c >>/h/empty; " + loop),
                 "volumeMounts": more, "ports": [{"containerPort": 80, "hostPort": 8080}],
                 "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "echo x >>/h/stopped"]}}},
                 "readinessProbe": {"exec": {"command": ["ls", "/mem/ready"]}, "periodSeconds": 1}}],
            "volumes": [
                {"name": "h", "hostPath": {"path": host}}, {"name": "disk", "emptyDir": {}},
                {"name": "mem", "emptyDir": {"medium": "Memory"}}, {"name": "conf", "configMap": {"name": "conf"}},
                {"name": "sec", "secret": {"secretName": "sec"}},
                {"name": "image", "image": {"reference": "web:1"}},
                {"name": "all", "projected": {"sources": [
                    {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
                    {"downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
                    {"configMap": {"name": "conf"}}]}}]}}

    def until(self, what, holds, seconds=150):
        """Wait, and have a node all the while."""
        end = time.monotonic() + seconds
        while True:
            if self.node.poll() is not None:
                self.died += 1
                self.start_node(self.then.pop(0) if self.then else 0)
            self.look_for_twins()
            if (found := holds()):
                return found
            if time.monotonic() > end:
                raise Wrong(f"{what}: it did not come to pass")
            time.sleep(0.02)

    def look_for_twins(self):
        """Two first processes of one container: what they fork looks the same, but has another parent."""
        shells = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline") as f:
                    line = f.read().split("\0")
                if line[0] == "sh" and line[-2].startswith(self.name + "/"):
                    with open(f"/proc/{pid}/stat") as f:
                        shells[int(pid)] = line[-2], int(f.read().rsplit(")", 1)[1].split()[1])
            except (OSError, UnicodeDecodeError):
                pass
        first = [who for who, parent in shells.values() if parent not in shells]
        if len(first) != len(set(first)):
            raise Wrong(f"twice at a time: {first}")

    def get(self):
        return self.api("GET", f"/api/v1/namespaces/default/pods/{self.name}")

    def ready(self, restarts):
        code, pod = self.get()
        all_of = pod.get("status", {}).get("containerStatuses", []) + pod.get("status", {}).get("initContainerStatuses", [])
        if code != 200 or not all_of or not all(c["ready"] for c in all_of):
            return None
        count = {c["name"]: c["restartCount"] for c in all_of}
        if count != {"c": restarts, "side": 0, "init": 0}:
            if count["c"] < restarts:
                return None
            raise Wrong(f"restarts {count}, not {restarts} of c")
        return pod

    def one(self, n):
        self.name = f"p{n}"
        host = f"{self.top}/h-{self.o.name}-{n}"
        os.mkdir(host)
        self.died, self.then = 0, [n % 47 + 30] if self.o.again else []
        open(f"{self.top}/log-{self.o.name}", "w").close()
        self.start_node(n)
        code, pod = self.api("POST", "/api/v1/namespaces/default/pods", self.pod(self.name, host))
        if code != 201:
            raise Wrong(str(pod))
        uid = pod["metadata"]["uid"]
        self.until("ready", lambda: self.ready(0))
        self.crash(uid)
        self.until("ready again", lambda: self.ready(1))
        self.api("DELETE", f"/api/v1/namespaces/default/pods/{self.name}")
        self.until("gone", lambda: self.get()[0] == 404)
        self.until("nothing left", lambda: not self.left())
        self.check(host)
        shutil.rmtree(host)
        self.node.terminate()
        self.node.wait(90)
        return self.died

    def crash(self, uid):
        with open(f"{self.data}/pods/{uid}/containers/c-0/pid") as f:
            os.kill(int(f.read()), signal.SIGKILL)

    def check(self, host):
        def lines(name):
            try:
                with open(f"{host}/{name}") as f:
                    return f.read().split()
            except FileNotFoundError:
                return []
        starts = {w: len(lines(f"starts-{w}")) for w in ("c", "side", "init")}
        if lines("empty"):
            raise Wrong("without what its init container had made")
        if starts != {"c": 2, "side": 1, "init": 1}:
            raise Wrong(f"started {starts}")
        if not lines("stopped"):
            raise Wrong("its preStop hook was not called")

    # --- what must not be left -------------------------------------------------------------------

    def left(self):
        found = [f"{d}/{e}" for d in ("pods", "log/pods", "run/exits", "run/runtime", "run/attach")
                 if os.path.isdir(f"{self.data}/{d}") for e in os.listdir(f"{self.data}/{d}")]
        found += [f"run/{e}" for e in os.listdir(f"{self.data}/run") if e.startswith("try")]
        for folder in ("cni", "images"):
            for at, _, files in os.walk(f"{self.data}/{folder}"):
                if "/layers/" in at:
                    continue
                found += [f"{at}/{f}" for f in files if folder == "cni" and re.match(r"[0-9.]+$", f)
                          or ".tmp" in f or f.endswith(".new")]
        with open("/proc/self/mountinfo") as f:
            found += [line for line in f if self.data in line]
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    line = f.read().decode(errors="replace").split("\0")
                with open(f"/proc/{pid}/cgroup") as f:
                    group = f.read()
            except OSError:
                continue
            if (self.data + "/" in " ".join(line) or f"/orch/{self.o.name}-" in group) and int(pid) != self.node.pid:
                found.append(f"process {pid}: {' '.join(line)[:200]}")
        for at, folders, _ in os.walk("/sys/fs/cgroup"):
            if f"/orch/{self.o.name}-" in at:
                found += [f"{at}/{d}" for d in folders if d not in ("burstable", "besteffort", "monitors")]
        found += self.run("ip", "-n", self.netns, "-o", "link").stdout.splitlines()[1:]
        rules = self.run("ip", "netns", "exec", self.netns, "iptables", "-t", "nat", "-S").stdout
        found += [r for r in rules.splitlines() if "10.99." in r or "8080" in r]
        self.rest = found
        return found


def main():
    p = argparse.ArgumentParser()
    p.add_argument("bin")
    p.add_argument("folder")
    p.add_argument("--first", type=int, default=1)
    p.add_argument("--stride", type=int, default=1)
    p.add_argument("--last", type=int, default=100000)
    p.add_argument("--seconds", type=float, default=1e9)
    p.add_argument("--again", action="store_true")
    p.add_argument("--keep-going", action="store_true")
    p.add_argument("--name", default="mortal")
    life = Life(p.parse_args())
    o, bad, done, end = life.o, 0, 0, 0
    began = time.monotonic()
    try:
        life.begin()
        n = o.first
        while n <= o.last and time.monotonic() - began < o.seconds:
            try:
                open(f"{life.top}/mortal-{o.name}", "w").close()
                died = life.one(n)
                done += 1
                if died == 0:
                    end = n
                    break
                with open(f"{life.top}/mortal-{o.name}") as f:
                    print(f"{n}: fine after the death at {f.read().strip()}", flush=True)
            except (Wrong, OSError, subprocess.TimeoutExpired) as e:
                bad += 1
                with open(f"{life.top}/mortal-{o.name}") as f:
                    at = f.read().strip()
                print(f"{n}: WRONG after the death at {at}: {e}", flush=True)
                for line in getattr(life, "rest", []):
                    print(f"    left: {line.strip()}")
                with open(f"{life.top}/log-{o.name}") as f:
                    print("    " + "    ".join(f.readlines()[-40:]), flush=True)
                if hasattr(life, "name"):
                    print("    " + json.dumps(life.get()[1].get("status")), flush=True)
                if not o.keep_going:
                    break
                life.node.kill()
                life.node.wait()
                life.api("DELETE", f"/api/v1/namespaces/default/pods/{life.name}", {"gracePeriodSeconds": 0})
                life.run(f"{life.bin}/orch-node", "--data", life.data, "--clean", check=False)
            n += o.stride
    finally:
        life.end()
    took = time.monotonic() - began
    print(f"{done} deaths, {bad} wrong, {took:.0f} s" + (f"; the life has fewer than {end} steps" if end else ""))
    return 1 if bad or not done else 0


if __name__ == "__main__":
    sys.exit(main())
