# Two nodes in two network namespaces; one dies, its pods come back on the other.
load cluster

setup_file() {
  need_root || return 0
  cluster_up --nodes 2 --set node-monitor-grace-period=15s --set default-unreachable-toleration-seconds=1
  cluster_images
}
teardown_file() { cluster_end; }
teardown() { [ ! -e "$BATS_TEST_TMPDIR/fewer/run/cluster.json" ] || orch-down --data "$BATS_TEST_TMPDIR/fewer"; }

@test "nodes: pods spread over both" {
  web 4 1 | orch-apply
  orch-wait --for=rollout --timeout=60s deployment/web
  [ "$(orch-get pods -l app=web -o jsonl | jq -r .spec.nodeName | sort | uniq -c | xargs)" = "2 node-1 2 node-2" ]
}

@test "nodes: the machine reaches pods on each, and pods reach pods on the other" {
  for ip in $(orch-get pods -l app=web -o jsonl | jq -r .status.podIP); do [ "$(fetch "$ip")" = one ]; done
  to=$(orch-get pods -l app=web --field-selector spec.nodeName=node-2 -o jsonl | jq -r .status.podIP | head -n 1)
  ns=$(jq -r '.processes[] | select(.name == "node-1") | .argv[]' "$DATA/run/cluster.json" | grep '^orch-.*-n1$')
  [ "$(ip netns exec "$ns" curl -sSf -m 5 "http://$to:8080/")" = one ]
}

@test "nodes: one is killed; its pods come back on the other" {
  # the keeper would start it again: stop it for good by stopping the keeper first
  kill -9 "$(jq -r .keeper.pid "$DATA/run/cluster.json")"
  kill -9 "$(jq -r '.processes[] | select(.name == "node-2") | .process.pid' "$DATA/run/cluster.json")"
  orch-wait --for=condition=Ready=Unknown --timeout=40s node/node-2
  orch-wait --for=rollout --timeout=60s deployment/web
  for _ in $(seq 60); do
    here=$(orch-get pods -l app=web --field-selector spec.nodeName=node-1 -o jsonl | jq -r 'select(.status.phase == "Running") | .metadata.name' | wc -l)
    [ "$here" -eq 4 ] && break
    sleep 0.5
  done
  [ "$here" -eq 4 ]
}

@test "nodes: orch-down cleans up after a killed keeper and a killed node" {
  marks=$(cluster_marks)
  orch-down --data "$DATA" --purge
  nothing_left "$marks"
}

@test "nodes: two, then one: the other and its pods are forgotten" {
  DATA=$BATS_TEST_TMPDIR/fewer
  cluster_up --nodes 2
  orch-get node/node-2 -o name
  # the keeper dies: both nodes' containers are ended before their networks go
  kill -9 "$(jq -r .keeper.pid "$DATA/run/cluster.json")"
  cluster_up --nodes 1
  run -1 orch-get node/node-2 -o name
  [ "$(orch-get nodes -o name)" = node/node-1 ]
  marks=$(cluster_marks)
  orch-down --data "$DATA" --purge
  nothing_left "$marks"
}
