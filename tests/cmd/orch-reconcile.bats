load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  cat >web.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default, uid: d1, resourceVersion: "1", generation: 1}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: a}]}
YAML
}

@test "a deployment's plan is a ReplicaSet, and that one's two Pods, through one pipe" {
  orch-reconcile deployment <web.yaml | jq -c 'select(.action == "create") | .object * {metadata: {uid: "r1"}}' |
    orch-reconcile replicaset | jq -r 'select(.action == "create") | .object.kind' >out
  [ "$(cat out)" = $'Pod\nPod' ]
}

@test "the same input and time give the same plan, every time" {
  orch-reconcile -t 2026-01-01T00:00:00Z deployment <web.yaml >one
  orch-reconcile -t 1767225600 deployment <web.yaml >two
  cmp one two
  [ -s one ]
}

@test "every action says what, why, by whom and for what" {
  orch-reconcile deployment <web.yaml | jq -e 'select((.action and .object and .reason and .by == "deployment" and
    .for == "apps/v1/Deployment/default/web") | not)' >bad || true
  [ ! -s bad ]
}

@test "a great many Pods are not planned at once" {
  sed 's/kind: Deployment/kind: ReplicaSet/; s/replicas: 2/replicas: 502/' web.yaml | orch-reconcile replicaset >plan
  [ "$(jq -r 'select(.action == "create").object.metadata.name' plan | sort -u | wc -l)" -eq 500 ]
}

@test "controllers are found by the words for their kind, and listed" {
  orch-reconcile deploy <web.yaml | grep -q ReplicaSet
  orch-reconcile deployments.apps <web.yaml | grep -q ReplicaSet
  orch-reconcile --list | grep -q '^replicaset'
}

@test "one object can be named; one that is not there is a no" {
  sed 's/name: web,/name: other,/' web.yaml | cat web.yaml <(echo ---) - >two.yaml
  orch-reconcile deployment <two.yaml | jq -r .for | sort -u >for
  [ "$(wc -l <for)" -eq 2 ]
  orch-reconcile deployment deploy/other <two.yaml | jq -r .for | sort -u >for
  [ "$(cat for)" = apps/v1/Deployment/default/other ]
  run -1 --separate-stderr orch-reconcile deployment deploy/none <two.yaml
  [ -z "$output" ]
  [[ $stderr == *"no deployment 'none' in the input"* ]]
  run -0 --separate-stderr orch-reconcile -n elsewhere deployment <two.yaml
  [ -z "$output" ]
}

@test "nothing of its kind in the input is worth a warning, not a failure" {
  run -0 --separate-stderr orch-reconcile replicaset <web.yaml
  [ -z "$output" ]
  [[ $stderr == *"warning"*"no ReplicaSet.apps"* ]]
  run -0 --separate-stderr orch-reconcile deployment </dev/null
  [[ $stderr == *warning* ]]
}

@test "wrong usage" {
  run -2 orch-reconcile
  run -2 orch-reconcile nosuch </dev/null
  [[ $output == *"no controller 'nosuch'"* ]]
  run -2 orch-reconcile deployment a b </dev/null
  run -2 orch-reconcile deployment web </dev/null
  [[ $output == *"'web' is not KIND/NAME"* ]]
  run -2 orch-reconcile deployment nosuch/web </dev/null
  run -2 orch-reconcile -t yesterday deployment </dev/null
  [[ $output == *"'yesterday'"* ]]
  run -2 orch-reconcile --set grace deployment </dev/null
  run -2 orch-reconcile -w --exhaustive deployment </dev/null
}

@test "broken input is refused with its place" {
  run -2 orch-reconcile deployment <<<'{"kind":'
  [[ $output == *"standard input"* ]]
  run -2 orch-reconcile deployment <<<'[1]'
  run -2 --separate-stderr orch-reconcile deployment < <(sed 's/matchLabels: {app: web}/matchLabels: {app: other}/' web.yaml)
  [ -z "$output" ]
  [[ $stderr == *"apps/v1/Deployment/default/web"*"not matched by spec.selector"* ]]
}

@test "an object that cannot be reconciled does not stop the others" {
  sed 's/name: web,/name: bad,/; s/replicas: 2/strategy: {type: Sideways}/' web.yaml | cat - <(echo ---) web.yaml >two.yaml
  run -2 --separate-stderr orch-reconcile deployment <two.yaml
  [[ $output == *ReplicaSet* ]]
  [[ $stderr == *"'Sideways' is no strategy"* ]]
}

# --- against an API server -----------------------------------------------------------------

# What a scheduler and a kubelet would do, once: Pods get a node, become ready, and end when they should.
agents_once() {
  orch-get pods -A -o jsonl | jq -c '
    {object: (. | del(.metadata.resourceVersion)), by: "agents", for: "test", reason: "test"} as $a
    | if .metadata.deletionTimestamp then
        if .spec.nodeName then $a + {action: "delete", options: {gracePeriodSeconds: 0}} else empty end
      elif (.spec.nodeName | not) then
        $a + {action: "bind", object: {apiVersion: "v1", kind: "Binding", metadata: {name: .metadata.name,
          namespace: .metadata.namespace}, target: {apiVersion: "v1", kind: "Node", name: "n1"}}}
      elif (.status.conditions // [] | any(.type == "Ready")) then empty
      else $a + {action: "update-status"} | .object.status += {phase: "Running", conditions: ((.object.status.conditions // []) +
          [{type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z"}])}
      end' | orch-act >/dev/null 2>&1 || true
}
agents() {
  while agents_once; do sleep 0.05; done
}
# One node, its agents and, unless $1 is "bare", all controllers, for the rest of this file.
cluster() { # [bare]
  if [ ! -e "$BATS_FILE_TMPDIR/agents" ]; then
    touch "$BATS_FILE_TMPDIR/agents"
    node n1
    agents 3>&- &
    echo "$!" >>"$BATS_FILE_TMPDIR/pids"
  fi
  if [ "$1" != bare ] && [ ! -e "$BATS_FILE_TMPDIR/controllers" ]; then
    touch "$BATS_FILE_TMPDIR/controllers"
    background orch-reconcile -w all
  fi
}

# A Node that reported long ago in the future.
node() {
  printf 'apiVersion: v1\nkind: Node\nmetadata: {name: %s}\n' "$1" | orch-apply
  orch-get "node/$1" -o jsonl | jq -c '{action: "update-status", by: "t", for: "t", reason: "t", object: (.status.conditions =
    [{type: "Ready", status: "True", lastHeartbeatTime: "2099-01-01T00:00:00Z", lastTransitionTime: "2026-01-01T00:00:00Z"}])}' | orch-act
}

ready_pods() { # LABEL IMAGE
  orch-get pods -l "app=$1" -o jsonl | jq -c --arg image "$2" 'select((.metadata.deletionTimestamp | not) and
    .spec.containers[0].image == $image and any(.status.conditions[]?; .type == "Ready" and .status == "True"))' | wc -l
}
rolled_out() { # NAME REPLICAS IMAGE
  [ "$(ready_pods "$1" "$3")" -eq "$2" ] && [ "$(orch-get pods -l "app=$1" -o jsonl | wc -l)" -eq "$2" ] &&
    orch-get "deployment/$1" -o jsonl | jq -e --argjson n "$2" '.status.updatedReplicas == $n and .status.availableReplicas == $n and
      .status.replicas == $n and .status.observedGeneration == .metadata.generation and (.status.unavailableReplicas | not)'
}

@test "by hand: observe, reconcile, act, until nothing is left to do" {
  deployment hand 2 | orch-apply
  orch-observe deployment/hand | orch-reconcile deployment | tee plan | orch-act
  orch-observe replicasets | orch-reconcile replicaset | orch-act
  [ "$(orch-get pods -l app=hand -o jsonl | wc -l)" -eq 2 ]
  agents_once
  agents_once
  orch-observe replicasets | orch-reconcile replicaset | orch-act
  orch-observe deployment/hand | orch-reconcile deployment | orch-act
  rolled_out hand 2 web:1
  [ -z "$(orch-observe deployment/hand | orch-reconcile deployment)" ]
  [ -z "$(orch-observe replicasets | orch-reconcile replicaset)" ]
  # the first plan again: what exists is not made twice, what has changed is refused
  run -3 orch-act <plan
  [ "$(orch-get replicasets -l app=hand -o jsonl | wc -l)" -eq 1 ]
  orch-delete deployment/hand replicaset --all
  orch-delete pod --all --grace-period 0
}

@test "for ever: killed at random moments, it still gets there" {
  cluster bare
  for i in $(seq 12); do
    orch-reconcile -w all 3>&- 2>>loop.log &
    loop=$!
    deployment web $((i % 4 + 2)) "web:$((i % 3))" | orch-apply
    sleep "0.$((RANDOM % 5))"
    kill -9 "$loop"
    wait "$loop" || true
  done
  cluster
  deployment web 5 web:9 | orch-apply
  wait_for 30 rolled_out web 5 web:9
  # rolled back by applying an old manifest: the old ReplicaSet again, with a new revision
  deployment web 3 web:1 | orch-apply
  wait_for 30 rolled_out web 3 web:1
  [ "$(orch-get replicasets -l app=web -o jsonl | jq -r '.spec.template.spec.containers[0].image' | sort | uniq -d)" = "" ]
  # and with the deployment goes what it owns
  orch-delete deployment/web
  wait_for 30 gone "replicasets,pods" -l app=web
}

gone() { [ -z "$(orch-get "$@" -o jsonl)" ]; }

@test "for ever: a namespace is emptied and goes" {
  cluster
  printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: old}\n' | orch-apply
  { configmap c; deployment web 3; } | orch-apply -n old
  wait_for 20 rolled_out_in old 3
  orch-delete namespace/old --wait=false
  wait_for 30 not orch-get namespace/old -o name
  gone pods,replicasets,deployments,configmaps,events -n old
}

rolled_out_in() { [ "$(orch-get pods -n "$1" -o jsonl | jq -c 'select(.status.phase == "Running")' | wc -l)" -eq "$2" ]; }

@test "for ever: ends cleanly on SIGTERM, serves metrics, says what it does" {
  orch-reconcile -w --metrics 127.0.0.1:0 deployment 3>&- 2>log &
  loop=$!
  wait_for 5 grep -q ready log
  kill "$loop"
  wait "$loop"
}

@test "once: a server that is not there is not waited for" {
  run -3 orch-reconcile -w --once --server "unix:$BATS_TEST_TMPDIR/none" --request-timeout 1s deployment
  [[ $output == *"$BATS_TEST_TMPDIR/none"* ]]
}

@test "once: ends by itself" {
  deployment once 1 | orch-apply
  run -0 orch-reconcile -w --once deployment replicaset
  [ "$(orch-get pods -l app=once -o jsonl | wc -l)" -eq 1 ]
}

@test "a target of a custom kind is one that the input says is served" {
  cat >"$BATS_TEST_TMPDIR/in" <<'END'
{"apiVersion": "apidiscovery.k8s.io/v2", "kind": "APIGroupDiscovery", "metadata": {"name": "example.com"}, "versions": [{"version": "v1", "resources": [
  {"resource": "widgets", "responseKind": {"group": "example.com", "version": "v1", "kind": "Widget"}, "scope": "Namespaced", "verbs": ["list", "delete"]}]}]}
{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"namespace": "d", "name": "a", "uid": "a", "ownerReferences": [{"apiVersion": "example.com/v1", "kind": "Widget", "name": "x", "uid": "x"}]}}
{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"namespace": "d", "name": "b", "uid": "b", "ownerReferences": [{"apiVersion": "example.com/v1", "kind": "Widget", "name": "x", "uid": "x"}]}}
END
  for word in widget Widgets widgets.example.com; do
    [ "$(orch-reconcile garbage "$word/b" <"$BATS_TEST_TMPDIR/in" | jq -r .object.metadata.name)" = b ]
  done
  run -1 orch-reconcile garbage widget/c <"$BATS_TEST_TMPDIR/in"
  run -2 orch-reconcile garbage widgets.example.org/b <"$BATS_TEST_TMPDIR/in"
  [[ $output == *"no kind 'widgets.example.org'"* ]]
}
