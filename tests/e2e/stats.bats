# What pods use, as a node tells it through the store.
load cluster

setup_file() {
  need_root || return 0
  cluster_up
  cluster_images
  pods | orch-apply
  orch-wait --for=condition=Ready --timeout=60s pod/busy pod/idle
  for _ in $(seq 300); do orch-logs idle | grep -q said && break; sleep 0.1; done
}
teardown_file() { cluster_end; }

pods() {
  cat <<'END'
apiVersion: v1
kind: Pod
metadata: {name: busy}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: c, image: "web:1", imagePullPolicy: Never, command: [sh, -c, "while :; do :; done"], resources: {limits: {memory: 64Mi}}}
  - {name: d, image: "web:1", imagePullPolicy: Never, command: [sleep, "1000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: idle}
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{name: e, emptyDir: {}}, {name: m, emptyDir: {medium: Memory}}]
  containers:
  - name: c
    image: web:1
    imagePullPolicy: Never
    command: [sh, -c, "for f in /x /e/y /m/z; do dd if=/dev/zero of=$f bs=64k count=32; done; for i in 1 2 3; do : >/e/$i; done; echo said; sleep 1000"]
    volumeMounts: [{name: e, mountPath: /e}, {name: m, mountPath: /m}]
END
}

node() { orch-get pod "$1" -o json | jq -r .spec.nodeName; }

# raw NODE PATH
raw() {
  local c=$BATS_TEST_TMPDIR
  jq -rn --rawfile k <(orch-parse <"$KUBECONFIG") '$k | fromjson | .users[0].user["client-certificate-data"]' | base64 -d >"$c/crt"
  orch-parse <"$KUBECONFIG" | jq -r '.users[0].user["client-key-data"]' | base64 -d >"$c/key"
  orch-parse <"$KUBECONFIG" | jq -r '.clusters[0].cluster["certificate-authority-data"]' | base64 -d >"$c/ca"
  curl -sSf -m 20 --cacert "$c/ca" --cert "$c/crt" --key "$c/key" \
    "$(orch-parse <"$KUBECONFIG" | jq -r '.clusters[0].cluster.server')/api/v1/nodes/$1/proxy/$2"
}

@test "stats: the Summary tells what node, pods and containers use" {
  s=$(raw "$(node busy)" stats/summary)
  jq -e --arg n "$(node busy)" '.node | .nodeName == $n and .cpu.usageNanoCores > 0 and .memory.workingSetBytes > 0 and .memory.availableBytes > 0
    and .fs.capacityBytes > .fs.availableBytes and .rlimit.curproc > 0' <<<"$s"
  p=$(jq -c '.pods[] | select(.podRef.name == "busy")' <<<"$s")
  jq -e '.podRef.namespace == "default" and (.podRef.uid | length > 0) and ([.containers[].name] | sort == ["c", "d"])' <<<"$p"
  jq -e '.process_stats.process_count >= 2 and .network.name == "eth0" and .cpu.usageCoreNanoSeconds > 0' <<<"$p"
  jq -e '.containers[] | select(.name == "c") | .memory | .workingSetBytes > 0 and .availableBytes + .workingSetBytes == 67108864' <<<"$p"
  # who works, and who sleeps
  jq -e '(.containers[] | select(.name == "c") | .cpu.usageNanoCores) > 20000000 and (.containers[] | select(.name == "d") | .cpu.usageNanoCores) < 20000000' <<<"$p"
  # a rate is since the last time, and holds for a second
  sleep 1.2
  a=$(raw "$(node busy)" stats/summary | jq '.pods[] | select(.podRef.name == "busy") | .cpu')
  b=$(raw "$(node busy)" 'stats/summary?only_cpu_and_memory=true')
  jq -e --argjson a "$a" '.pods[] | select(.podRef.name == "busy") | .cpu | .usageNanoCores > 20000000 and .usageCoreNanoSeconds >= $a.usageCoreNanoSeconds' <<<"$b"
  jq -e '.node.fs == null and (.pods | all(.network == null))' <<<"$b"
}

@test "stats: the Summary tells what pods store, as it was counted" {
  p=$(raw "$(node idle)" stats/summary | jq -c '.pods[] | select(.podRef.name == "idle")')
  jq -e '.containers[0].rootfs | .usedBytes >= 2097152 and .usedBytes < 2300000 and .inodesUsed >= 2 and .capacityBytes > .availableBytes' <<<"$p"
  jq -e '.containers[0].logs | .usedBytes > 0 and .usedBytes < 1000000 and .inodesUsed == 2' <<<"$p"
  jq -e '.volume | map(select(.name == "e"))[0] | .usedBytes >= 2097152 and .usedBytes < 2300000 and .inodesUsed == 5' <<<"$p"
  jq -e '.volume | map(select(.name == "m"))[0] | .usedBytes >= 2097152 and .inodesUsed == 2' <<<"$p"
  # in memory is not on the disk
  jq -e '."ephemeral-storage" | .usedBytes >= 4194304 and .usedBytes < 5000000' <<<"$p"
}

@test "stats: figures for Prometheus" {
  n=$(node idle)
  raw "$n" metrics/resource >"$BATS_TEST_TMPDIR/m"
  grep -Eqx 'container_memory_working_set_bytes\{container="c",namespace="default",pod="idle"\} [0-9.e+]+ [0-9]{13}' "$BATS_TEST_TMPDIR/m"
  grep -Eq '^pod_cpu_usage_seconds_total\{namespace="default",pod="idle"\} [0-9]' "$BATS_TEST_TMPDIR/m"
  grep -Eq '^node_memory_working_set_bytes [0-9]' "$BATS_TEST_TMPDIR/m"
  grep -qx 'resource_scrape_error 0' "$BATS_TEST_TMPDIR/m"
  # every figure has its type, once
  [ "$(grep -c '^# TYPE' "$BATS_TEST_TMPDIR/m")" = "$(sed -nE 's/^([a-z_]+).*/\1/p' "$BATS_TEST_TMPDIR/m" | sort -u | wc -l)" ]
  raw "$n" metrics/cadvisor | grep -Eq '^container_cpu_usage_seconds_total\{container="c",cpu="total",id="/orch/[^"]*/besteffort/pod[^"]*/c-0",image="web:1",.*pod="idle"\} '
}

@test "stats: only for who may ask the node" {
  n=$(node idle)
  a=$(orch-get node "$n" -o json | jq -r '(.status.addresses[] | select(.type == "InternalIP") | .address) + ":" + (.status.daemonEndpoints.kubeletEndpoint.Port | tostring)')
  run ! curl -skf -m 5 "https://$a/stats/summary"
}
