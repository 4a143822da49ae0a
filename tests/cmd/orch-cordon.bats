#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

node() { printf '{"apiVersion":"v1","kind":"Node","metadata":{"name":"%s","labels":{"rack":"%s"}}}\n' "$1" "${2:-r0}"; }
unschedulable() { orch-get "node/$1" -o jsonl | json .spec.unschedulable; }

@test "cordon and undo; what is so already is said" {
  node a | orch-apply
  run -0 orch-cordon a
  [ "$output" = "node/a cordoned" ]
  [ "$(unschedulable a)" = true ]
  run -0 orch-cordon node/a
  [ "$output" = "node/a already cordoned" ]
  orch-get node/a | json '.metadata.managedFields[] | select(.manager == "orch-cordon") | .fieldsV1' | grep -q unschedulable
  run -0 orch-cordon --undo a
  [ "$output" = "node/a uncordoned" ]
  [ "$(unschedulable a)" = null ]
  run -0 orch-cordon --undo a
  [ "$output" = "node/a already uncordoned" ]
}

@test "by labels, all, and in a pipe" {
  { node b1 b; node b2 b; node b3 c; } | orch-apply
  run -0 orch-cordon -l rack=b
  [ "$output" = $'node/b1 cordoned\nnode/b2 cordoned' ]
  [ "$(unschedulable b3)" = null ]
  [ "$(orch-get nodes -l rack=b | orch-cordon --undo -o jsonl | json '[.metadata.name, .spec.unschedulable]')" = \
    $'["b1",null]\n["b2",null]' ]
  orch-cordon --all
  [ -z "$(orch-get nodes | json 'select(.spec.unschedulable != true)')" ]
  run -0 orch-cordon --undo -f <(node b3)
  [ "$output" = "node/b3 uncordoned" ]
}

@test "of a stream only the very node" {
  node c | orch-apply
  orch-get node/c -o jsonl >"$BATS_TEST_TMPDIR/c"
  orch-delete node/c
  node c | orch-apply
  run -3 orch-cordon <"$BATS_TEST_TMPDIR/c"
  [[ $output == *"another one of the same name"* ]]
  [ "$(unschedulable c)" = null ]
}

@test "dry runs change nothing" {
  node d | orch-apply
  for mode in "" =server =client; do
    [ "$(orch-cordon --dry-run$mode d)" = "node/d cordoned (dry run)" ]
    [ "$(orch-cordon --dry-run$mode d -o jsonl | json .spec.unschedulable)" = true ]
  done
  [ "$(unschedulable d)" = null ]
}

@test "what is wrong" {
  node e | orch-apply
  run -1 --separate-stderr orch-cordon nosuch e
  [ "$output" = "node/e cordoned" ]
  [[ $stderr == *'cannot cordon node/nosuch: nodes "nosuch" not found'* ]]
  run -1 orch-cordon --undo nosuch
  [[ $output == *'cannot uncordon node/nosuch'* ]]
  run -2 orch-cordon pod/x
  [[ $output == *"cannot cordon: 'pod/x' is a Pod, not a node"* ]]
  run -2 orch-cordon <<<"$(configmap x)"
  [[ $output == *"is a ConfigMap, not a node"* ]]
  run -2 orch-cordon a/b/c
  run -2 orch-cordon e -l rack=r0
  run -3 orch-cordon --server http://127.0.0.1:1 e
  run -0 orch-cordon <<<""
  [ -z "$output" ]
}
