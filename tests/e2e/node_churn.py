#!/usr/bin/env python3
"""Start and delete many pods at once, round after round.

usage: node_churn.py BIN FOLDER [--pods N] [--rounds N] [--name NODE] [--growth KIB]

FOLDER has image.tar.  Prints what each round took, and the agent's memory and descriptors after it.
Fails when something is left of the pods on the machine, or when the agent has more descriptors after
a round than after the first, or has grown by more than --growth KiB a round since the second.
"""
import argparse
import os
import signal
import sys
import time

from node_kill import Life, Wrong


class Churn(Life):
    def figures(self):
        pid = self.node.pid
        with open(f"/proc/{pid}/smaps_rollup") as f:
            memory = {line.split()[0]: int(line.split()[1]) for line in f if " kB" in line}
        with open(f"/proc/{pid}/stat") as f:
            ticks = sum(int(n) for n in f.read().rsplit(")", 1)[1].split()[11:13])
        return {"rss": memory["Rss:"], "dirty": memory["Private_Dirty:"], "cpu": ticks / os.sysconf("SC_CLK_TCK"),
                "fds": len(os.listdir(f"/proc/{pid}/fd"))}

    def phases(self):
        items = self.api("GET", "/api/v1/namespaces/default/pods")[1]["items"]
        return [p["status"].get("phase") for p in items]

    def wait_for(self, what, holds, seconds):
        end = time.monotonic() + seconds
        while not holds():
            if self.node.poll() is not None:
                raise Wrong(f"the node ended: {self.node.returncode}")
            if time.monotonic() > end:
                raise Wrong(f"{what}: it did not come to pass; {self.phases()}")
            time.sleep(0.2)

    def round(self, n):
        began = time.monotonic()
        for i in range(n):
            code, answer = self.api("POST", "/api/v1/namespaces/default/pods", {
                "metadata": {"name": f"p{i}"}, "spec": {
                    "nodeName": self.o.name, "terminationGracePeriodSeconds": 1,
                    "volumes": [{"name": "m", "emptyDir": {"medium": "Memory"}}, {"name": "c", "configMap": {"name": "conf"}}],
                    "containers": [{"name": "c", "image": "web:1", "command": ["sleep", "100000"],
                                    "volumeMounts": [{"name": "m", "mountPath": "/m"}, {"name": "c", "mountPath": "/c"}],
                                    "readinessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 10}}]}})
            if code != 201:
                raise Wrong(str(answer))
        self.wait_for("running", lambda: self.phases() == ["Running"] * n, 150 + n * 3)
        up = time.monotonic()
        full = self.figures()
        for i in range(n):
            self.api("DELETE", f"/api/v1/namespaces/default/pods/p{i}")
        self.wait_for("gone", lambda: not self.phases(), 150 + n * 3)
        gone = time.monotonic()
        try:
            self.wait_for("nothing left", lambda: not self.left(), 90)
        except Wrong as e:
            raise Wrong(f"{e}: {self.rest}") from e
        return up - began, gone - up, full


def main():
    p = argparse.ArgumentParser()
    p.add_argument("bin")
    p.add_argument("folder")
    p.add_argument("--pods", type=int, default=30)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--name", default="churn")
    p.add_argument("--growth", type=int, default=400)
    life = Churn(p.parse_args())
    o, after, bad = life.o, [], None
    try:
        life.begin()
        life.start_node(0, "--max-pods", str(o.pods))
        for i in range(o.rounds):
            up, down, full = life.round(o.pods)
            after.append(life.figures())
            print(f"round {i + 1}: {o.pods} pods running after {up:.1f} s, gone after {down:.1f} s; "
                  f"the agent with them {full['rss']} KiB, {full['fds']} descriptors, after them "
                  f"{after[i]['rss']} KiB ({after[i]['dirty']} its own), {after[i]['fds']} descriptors, "
                  f"{after[i]['cpu']:.1f} s of a processor", flush=True)
        life.node.send_signal(signal.SIGTERM)
        life.node.wait(90)
        if any(a["fds"] > after[0]["fds"] for a in after):
            bad = "descriptors are left open"
        if o.rounds > 2 and after[-1]["dirty"] - after[1]["dirty"] > o.growth * (o.rounds - 2):
            bad = "its memory grows from round to round"
    except (Wrong, OSError) as e:
        bad = str(e)
        with open(f"{life.top}/log-{o.name}") as f:
            print("    " + "    ".join(f.readlines()[-60:]), flush=True)
    finally:
        life.end()
    if bad:
        print(f"WRONG: {bad}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
