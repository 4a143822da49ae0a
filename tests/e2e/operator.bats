# The operator in shell of examples/operator, for real: a store, the loops of Deployments and of garbage, and the script.
load ../helper

setup_file() {
  start_store
  # by the socket: the port changes when the store is started again
  background env "ORCH_SERVER=unix:$STORE/socket" orch-reconcile -w deployment replicaset namespace garbage
  export EXAMPLE=$BATS_TEST_DIRNAME/../../examples/operator
  orch-apply <"$EXAMPLE/site.yaml"
  operator_start
}

teardown_file() {
  operator_end
  stop_all
}

setup() { cd "$BATS_TEST_TMPDIR"; }

operator_start() {
  mkdir -p "$STORE.tmp" # killed, it leaves its files
  TMPDIR=$STORE.tmp ORCH_SERVER=unix:$STORE/socket RESYNC=2 "$EXAMPLE/operator.sh" >>"$STORE.operator" 2>&1 3>&- &
  disown "$!"
  echo "$!" >"$STORE.operator.pid"
}

operator_end() { # [SIGNAL]
  local pid
  pid=$(cat "$STORE.operator.pid")
  kill "-${1:-TERM}" "$pid" 2>/dev/null || return 0
  wait_for 5 not kill -0 "$pid"
}

# site NAME CONTENT [REPLICAS]
site() { printf '{"apiVersion": "example.com/v1", "kind": "Site", "metadata": {"name": "%s"}, "spec": {"content": "%s", "replicas": %s}}\n' "$1" "$2" "${3:-1}"; }

ready() { # NAME: status, generation and message of its condition
  orch-get "site/$1" -o jsonl | jq -r '.metadata.generation as $g | .status | select(.observedGeneration == $g) | .conditions[] | select(.type == "Ready" and .observedGeneration == $g) | "\(.status) \(.message)"'
}

is() { [ "$(eval "$1")" = "$2" ] || { eval "$1"; return 1; }; }

# Nobody runs Pods here: all that are there get ready.
kubelet() {
  for pod in $(orch-get pods -o jsonl | jq -r 'select(.status.phase != "Running").metadata.name'); do
    orch-patch --subresource=status "pod/$pod" -p '{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}' || : # one that goes
  done
}

# Every site has its page and its entry, and nothing else has one.
consistent() {
  local want
  want=$(orch-get sites -o jsonl | jq -r '"\(.metadata.name) \(.spec.content)"' | sort)
  is "orch-get configmaps -l example.com/site -o jsonl | jq -r '\"\\(.metadata.name) \\(.data[\"index.html\"])\"' | sort" "$want"
  is "orch-get -n sites configmaps -o jsonl | jq -r 'select(.data.page) | \"\\(.metadata.name | sub(\"default.\"; \"\")) \\(.data.page)\"' | sort" "$want"
  is "orch-get deployments -o jsonl | jq -r .metadata.name | sort" "$(cut -d' ' -f1 <<<"$want")"
  is "orch-get sites -o jsonl | jq -c 'select(.status.observedGeneration != .metadata.generation)' | wc -l" 0
}

@test "what is decided can be seen by hand" {
  operator_end
  site hand hello | orch-apply
  orch-get site/hand -o jsonl | jq -nc -f "$EXAMPLE/decide.jq" >plan
  [ "$(jq -r '.action + " " + .object.kind' plan)" = "patch Site" ]
  orch-act <plan
  run -3 orch-act <plan # stale by now
  orch-get site/hand -o jsonl | jq -nc -f "$EXAMPLE/decide.jq" >plan
  [ "$(jq -r '"\(.action) \(.object.kind) \(.subresource // "")"' plan)" = "apply ConfigMap 
apply ConfigMap 
apply Deployment 
apply Site status" ]
  orch-act <plan
  operator_start
  consistent
  orch-delete site/hand
}

@test "a site is made, and is ready when its servers are" {
  site home hello 2 | orch-apply
  wait_for 10 is 'ready home' "False 0 of 2 servers are ready"
  [ "$(orch-get site/home -o jsonl | jq -c .metadata.finalizers)" = '["example.com/directory"]' ]
  [ "$(orch-get configmap/home -o jsonl | jq -r '.data["index.html"]')" = hello ]
  [ "$(orch-get -n sites configmap/default.home -o jsonl | jq -r .data.page)" = hello ]
  wait_for 10 is 'orch-get pods -o name | wc -l' 2
  kubelet
  wait_for 10 is 'ready home' "True 2 of 2 servers are ready"
}

@test "a change is followed, and what others change is put right" {
  site home bye 3 | orch-apply
  wait_for 10 is 'ready home' "False 2 of 3 servers are ready"
  [ "$(orch-get configmap/home -o jsonl | jq -r '.data["index.html"]')" = bye ]
  wait_for 10 is 'orch-get pods -o name | wc -l' 3
  kubelet
  wait_for 10 is 'ready home' "True 3 of 3 servers are ready"
  since=$(orch-get site/home -o jsonl | jq -r '.status.conditions[0].lastTransitionTime')
  orch-patch configmap/home -p '{"data": {"index.html": "no"}}'
  wait_for 10 is 'orch-get configmap/home -o jsonl | jq -r ".data[]"' bye
  orch-delete configmap/home
  wait_for 10 orch-get configmap/home
  orch-scale --replicas=1 deployment/home
  wait_for 10 is 'orch-get deployment/home -o jsonl | jq .spec.replicas' 3
  orch-delete -n sites configmap/default.home # nobody watches these: the next look at everything finds it
  wait_for 10 orch-get -n sites configmap/default.home
}

@test "a site that goes takes all with it, its entry by the finalizer" {
  site gone x | orch-apply
  wait_for 10 orch-get deployment/gone configmap/gone
  wait_for 10 orch-get -n sites configmap/default.gone
  orch-delete --timeout=10s site/gone
  run ! orch-get -n sites configmap/default.gone
  wait_for 10 not orch-get deployment/gone
  wait_for 10 not orch-get configmap/gone
}

@test "without the operator a site waits, and goes when it is back" {
  site waits x | orch-apply
  wait_for 10 orch-get -n sites configmap/default.waits
  operator_end
  orch-delete --wait=false site/waits
  site later y | orch-apply
  sleep 0.3
  orch-get site/waits -n default
  orch-get -n sites configmap/default.waits
  operator_start
  wait_for 10 not orch-get site/waits
  run ! orch-get -n sites configmap/default.waits
  wait_for 10 consistent
}

@test "one that cannot be is told, and is in nobody's way" {
  long=$(printf 'x%.0s' $(seq 64)) # no label can have this value
  site "$long" x | orch-apply
  site fine y | orch-apply
  wait_for 10 orch-get configmap/fine
  wait_for 10 grep -q 'must be no more than 63' "$STORE.operator"
  orch-delete --timeout=10s "site/$long"
  wait_for 10 consistent
}

@test "hundreds of sites" {
  for i in $(seq 300); do site "many-$i" "page $i" 0; done | orch-apply >/dev/null
  wait_for 90 consistent
  for i in $(seq 300); do site "many-$i" "other $i" 0; done | orch-apply >/dev/null
  wait_for 90 consistent
  orch-get sites -o jsonl | jq -c 'select(.metadata.name | startswith("many-"))' | orch-delete --timeout=20s >/dev/null
  wait_for 90 consistent
}

@test "killed at any moment and started again, it comes to the same" {
  for n in 1 2 3 4 5 6 7 8; do
    { for i in $(seq 10); do site "kill-$i" "round $n"; done; } | orch-apply >/dev/null
    [ $((n % 2)) -eq 0 ] || orch-delete --wait=false "site/kill-$n" site/kill-9 >/dev/null
    sleep "0.$((RANDOM % 30 + 10))"
    operator_end KILL
    operator_start
  done
  wait_for 90 consistent
  orch-get sites -o jsonl | jq -c 'select(.metadata.name | startswith("kill-"))' | orch-delete --timeout=20s >/dev/null
  wait_for 90 consistent
}

@test "the store is killed and started again, with changes while the operator cannot see" {
  stop_store KILL
  sleep 0.5
  start_store
  for i in 1 2 3; do site "after-$i" "page" ; done | orch-apply
  wait_for 90 consistent
  stop_store
  start_store
  orch-delete --timeout=20s site/after-1 site/after-2 site/after-3
  wait_for 90 consistent
}

@test "the watches of one that was killed end by themselves" {
  wait_for 10 is "grep -lsaF -- '--resync=2s' /proc/[0-9]*/cmdline | xargs -r grep -lsaF orch-watch | while read -r f; do grep -qsaF '$STORE' \"\${f%cmdline}environ\" && echo \$f; done | wc -l" 2
}
