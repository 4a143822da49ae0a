# A Deployment becomes running containers with a store and a node and no loop at all: every phase is run by hand.
load cluster

setup_file() {
  need_root || return 0
  export DATA=$BATS_FILE_TMPDIR/data
  mkdir -p "$DATA"
  orch-store --data "$DATA" --listen 127.0.0.1:0 3>&- 2>"$DATA/store.log" & echo $! >"$DATA/pids"
  export ORCH_SERVER=unix:$DATA/store.sock
  for _ in $(seq 100); do orch-api /readyz >/dev/null 2>&1 && break; sleep 0.05; done
  mkdir -p "$DATA/node-1"
  cluster_images
  ip netns add "orch-hand-$$"
  echo "orch-hand-$$" >"$DATA/netns"
  orch-node --name node-1 --data "$DATA/node-1" --netns "orch-hand-$$" --pod-cidr 10.199.1.0/24 3>&- 2>"$DATA/node.log" & echo $! >>"$DATA/pids"
  orch-wait --for=condition=Ready --timeout=30s node/node-1
}

teardown_file() {
  [ -e "$DATA/pids" ] || return 0
  tac "$DATA/pids" | while read -r pid; do kill "$pid" 2>/dev/null; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done; done
  orch-node --data "$DATA/node-1" --clean
  ip netns del "$(cat "$DATA/netns")"
}

@test "by hand: a manifest is parsed, checked, defaulted and applied through pipes" {
  web 2 1 >"$BATS_TEST_TMPDIR/web.yaml"
  run bash -c 'set -o pipefail; cat "$1" | orch-parse | orch-validate -d | orch-apply' _ "$BATS_TEST_TMPDIR/web.yaml"
  [ "$status" -eq 0 ]
  [[ $output == *"deployment.apps/web created"* ]]
}

@test "by hand: the deployment's plan is one ReplicaSet, and acting on it makes it" {
  orch-observe deployment/web | orch-reconcile deployment | tee "$BATS_FILE_TMPDIR/plan.jsonl" | orch-act
  [ "$(jq -r 'select(.action == "create") | .object.kind' "$BATS_FILE_TMPDIR/plan.jsonl")" = ReplicaSet ]
  [ "$(orch-get replicasets -o jsonl | wc -l)" -eq 1 ]
}

@test "by hand: a stale plan is refused and harms nothing" {
  orch-get deployment/web -o jsonl | jq -c '.spec.replicas = 9 | {action: "update", object: ., reason: "test", by: "test", for: "x"}' >"$BATS_TEST_TMPDIR/stale.jsonl"
  orch-get deployment/web -o jsonl | jq '.metadata.labels.touched = "yes"' | orch-apply
  run orch-act <"$BATS_TEST_TMPDIR/stale.jsonl"
  [ "$status" -eq 3 ]
  [[ $output == *conflict* ]]
  [ "$(orch-get deployment/web -o jsonl | jq .spec.replicas)" -eq 2 ]
  orch-act <"$BATS_FILE_TMPDIR/plan.jsonl" || :
  [ "$(orch-get replicasets -o jsonl | wc -l)" -eq 1 ]
}

@test "by hand: the ReplicaSet's plan is two Pods" {
  orch-observe replicasets | orch-reconcile replicaset | orch-act
  [ "$(orch-get pods -l app=web -o jsonl | wc -l)" -eq 2 ]
  [ -z "$(orch-get pods -l app=web -o jsonl | jq -r '.spec.nodeName // empty')" ]
}

@test "by hand: a new node is ready: it loses the taint it came with" {
  orch-get node/node-1 -o jsonl | jq -e 'any(.spec.taints[]; .key == "node.kubernetes.io/not-ready")'
  orch-observe nodes | orch-reconcile node | orch-act
  orch-get node/node-1 -o jsonl | jq -e '[.spec.taints[]?] == []'
}

@test "by hand: the scheduler explains itself and binds them" {
  orch-get nodes pods | orch-schedule --explain 2>"$BATS_TEST_TMPDIR/why" | orch-act
  grep -q NodeResourcesFit "$BATS_TEST_TMPDIR/why"
  [ "$(orch-get pods -l app=web -o jsonl | jq -r .spec.nodeName | sort -u)" = node-1 ]
}

@test "by hand: with only orch-node running, containers run and serve" {
  orch-wait --for=condition=Ready --timeout=30s pods -l app=web
  ip=$(orch-get pods -l app=web -o jsonl | jq -r .status.podIP | head -n 1)
  [ "$(ip netns exec "$(cat "$DATA/netns")" curl -sSf -m 5 "http://$ip:8080/")" = one ]
}

@test "by hand: nothing is left to do" {
  orch-observe replicasets | orch-reconcile replicaset | orch-act
  [ -z "$(orch-observe replicasets | orch-reconcile replicaset)" ]
  orch-observe deployment/web | orch-reconcile deployment | orch-act
  [ -z "$(orch-observe deployment/web | orch-reconcile deployment)" ]
  [ -z "$(orch-get nodes pods | orch-schedule)" ]
}
