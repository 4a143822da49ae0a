#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

@test "an object, and then it is gone" {
  configmap one | orch-apply
  run -0 orch-delete configmap/one
  [ "$output" = "configmap/one deleted" ]
  run -1 orch-get configmap/one
  run -1 orch-delete configmap/one
  [[ $output == *'configmaps "one" not found'* ]]
  run -0 orch-delete --ignore-not-found configmap/one
  [ -z "$output" ]
}

@test "by selector, by --all, and not by a kind alone" {
  deployment a 1 | orch-apply
  deployment b 1 | orch-apply
  run -2 orch-delete deployments
  [[ $output == *"--all"* ]]
  [ "$(orch-delete deployments -l app=a -o name)" = deployment.apps/a ]
  [ "$(orch-delete deployments --all -o name)" = deployment.apps/b ]
}

@test "a stream says which, and a uid in it must still be the same" {
  { configmap x; configmap y; } | orch-apply
  orch-get cm x y >"$BATS_TEST_TMPDIR/objects"
  orch-delete cm/y
  configmap y | orch-apply
  run -3 --separate-stderr orch-delete <"$BATS_TEST_TMPDIR/objects"
  [ "$output" = "configmap/x deleted" ]
  orch-get cm/y >/dev/null
  run -0 orch-delete -f - < <(configmap y)
}

@test "it waits for finalizers, for as long as it may" {
  orch-apply <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"held","finalizers":["example.com/hold"]}}'
  run -3 orch-delete --timeout=0.3 cm/held
  [[ $output == *"still there after 0.3"* ]]
  run -0 orch-delete --wait=false cm/held
  orch-get cm/held >/dev/null
  { sleep 0.3; orch-api -X PATCH -d '{"metadata":{"finalizers":null}}' /api/v1/namespaces/default/configmaps/held; } >/dev/null 3>&- &
  run -0 orch-delete --timeout=10s cm/held
  run -1 orch-get cm/held
}

@test "many at once" {
  for i in $(seq 30); do configmap "many-$i" | sed 's/"name":"\([a-z0-9-]*\)"/"name":"\1","labels":{"m":"1"}/'; done | orch-apply >/dev/null
  [ "$(orch-delete cm -l m=1 | wc -l)" -eq 30 ]
  [ -z "$(orch-get cm -l m=1)" ]
}

@test "options are sent, a dry run deletes nothing" {
  configmap dry | orch-apply
  for mode in --dry-run --dry-run=server --dry-run=client; do
    [ "$(orch-delete $mode cm/dry)" = "configmap/dry deleted (dry run)" ]
    run -1 orch-delete $mode cm/none
    run -3 orch-delete $mode < <(orch-get cm/dry | jq '.metadata.uid = "another"')
  done
  run -2 orch-delete --dry-run=maybe cm/dry
  orch-get cm/dry >/dev/null
  orch-delete --cascade=orphan --grace-period=5 --wait=false cm/dry
  [ "$(orch-get cm/dry -o jsonl | jq -r .metadata.finalizers[])" = orphan ]
  run -2 orch-delete --cascade=down cm/dry
  run -2 orch-delete --now --grace-period=1 cm/dry
  run -2 orch-delete --wait=maybe cm/dry
  run -2 orch-delete --grace-period=-1 cm/dry
}

@test "an unset variable or a name like a path deletes nothing" {
  for mistake in 'pods -l ""' 'pods --field-selector ""' 'pods --all -n ""' 'pod/..' 'pod ..' 'pod/a%2fb' 'pods --all -n ..'; do
    run eval "orch-delete $mistake"
    [ "$status" -eq 2 ] || { echo "$mistake: $output"; return 1; }
  done
  run orch-delete <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":".."}}'
  [ "$status" -eq 2 ]
  orch-get ns default -o name
}

@test "-o prints the objects as they were" {
  { configmap was; configmap also; } | orch-apply >/dev/null
  [ "$(orch-delete cm/was -o jsonl | json .metadata.name)" = was ]
  [ "$(orch-delete cm/also -o jsonpath={.kind})" = ConfigMap ]
  run -1 orch-delete cm/was -o json
  run -2 orch-delete cm/was -o nonsense
}
