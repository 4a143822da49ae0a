bats_require_minimum_version 1.5.0

setup() {
  BIN=${BIN:-build/bin}
  PATH=$BIN:$PATH
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
  run -2 orch-reconcile -w --complete deployment </dev/null
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
