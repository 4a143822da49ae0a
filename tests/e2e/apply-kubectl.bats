# orch-apply and kubectl apply on the same objects.
load ../helper
load clients

setup_file() {
  clients_fetch >"$BATS_FILE_TMPDIR/why" || return 0
  start_store
  clients_home "$BATS_FILE_TMPDIR"
}
teardown_file() { stop_all; }
setup() { clients_or_skip; }

k() { timeout 30 kubectl "$@" 3>&-; }
managers() { orch-get "$1" | json '[.metadata.managedFields[] | .manager + ":" + .operation] | sort | join(" ")'; }

@test "what kubectl applied client-side, orch-apply goes on with, and the other way round" {
  cm() { echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"both\"},\"data\":$1}"; }
  cm '{"a":"1","b":"1"}' | k apply -f -
  k patch cm both --type=merge -p '{"data":{"theirs":"1"}}'
  run -0 orch-apply < <(cm '{"a":"2"}')
  [ "$output" = "configmap/both configured" ]
  [ "$(orch-get cm/both | json .data)" = '{"a":"2","theirs":"1"}' ]
  [ "$(managers cm/both)" = "kubectl-patch:Update orch-apply:Apply" ]
  run -0 orch-apply --exit-code < <(cm '{"a":"2"}')
  # server-side kubectl is another manager: a conflict, until it takes over
  run k apply --server-side -f - < <(cm '{"a":"3"}')
  [ "$status" -ne 0 ]
  [[ $output == *'conflict with "orch-apply"'* ]]
  k apply --server-side --force-conflicts -f - < <(cm '{"a":"3"}')
  run -3 orch-apply < <(cm '{"a":"2"}')
  [[ $output == *'.data.a is managed by "kubectl"'* ]]
}

@test "kubectl's applysets are left to kubectl, and ours to us; members are found by the same label" {
  export KUBECTL_APPLYSET=true
  cm() { echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"$1\",\"namespace\":\"default\"}}"; }
  cm one | k apply -n default --server-side --applyset=theirs --prune -f -
  run -2 orch-apply --applyset theirs --prune < <(cm one)
  [[ $output == *"kept by 'kubectl/"* ]]
  run -2 orch-apply --applyset ours --prune < <(cm one)
  [[ $output == *"part of another applyset"* ]]
  orch-apply --applyset ours --prune < <(cm two)
  run k apply -n default --server-side --applyset=ours --prune -f - < <(cm two)
  [[ $output == *'managed by tooling "orch-apply"'* ]]
  id=$(k get secret ours -o 'jsonpath={.metadata.labels.applyset\.kubernetes\.io/id}')
  [ "$(k get cm -l "applyset.kubernetes.io/part-of=$id" -o name)" = configmap/two ]
  # the id is the one that kubectl would have given: it takes a set over when told that it may
  k annotate secret ours applyset.kubernetes.io/tooling=kubectl/v1.35.2 --overwrite
  k apply -n default --server-side --force-conflicts --applyset=ours --prune -f - < <(cm three)
  run -1 orch-get cm/two
}

@test "the same dry run, the same diff" {
  cm() { echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"d\"},\"data\":{\"v\":\"$1\"}}"; }
  cm 1 | orch-apply
  ours=$(orch-diff < <(cm 2) | grep '^[-+] ' || true)
  theirs=$(k diff --server-side --field-manager=orch-apply -f - < <(cm 2) | grep '^[-+] ' || true)
  [ -n "$ours" ] && [ "$ours" = "$theirs" ]
  run -0 k diff --server-side --field-manager=orch-apply -f - < <(cm 1)
  run -0 orch-diff < <(cm 1)
}
