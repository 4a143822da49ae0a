#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

node() { printf '{"apiVersion":"v1","kind":"Node","metadata":{"name":"%s","labels":{"rack":"%s"}}}\n' "$1" "${2:-r0}"; }
# without those that the store gives a node that is not ready
own() { json '[.spec.taints[]? | select(.key | contains("/") | not) | "\(.key)=\(.value // ""):\(.effect)"]'; }
taints() { orch-get "node/$1" -o jsonl | own; }

@test "set, change and remove" {
  node a | orch-apply
  run -0 orch-taint a use=build:NoSchedule slow:PreferNoSchedule
  [ "$output" = "node/a tainted" ]
  [ "$(taints a)" = '["use=build:NoSchedule","slow=:PreferNoSchedule"]' ]
  run -0 orch-taint a use=build:NoSchedule
  [ "$output" = "node/a unchanged" ]
  run -1 orch-taint a use=test:NoSchedule more:NoSchedule
  [[ $output == *"already has use taint(s) with same effect(s) and --overwrite is false: 'use:NoSchedule' has the value 'build'"* ]]
  [ "$(taints a)" = '["use=build:NoSchedule","slow=:PreferNoSchedule"]' ]
  run -0 orch-taint --overwrite a use=test:NoSchedule
  [ "$output" = "node/a modified" ]
  [ "$(taints a)" = '["use=test:NoSchedule","slow=:PreferNoSchedule"]' ]
  run -0 orch-taint use:NoExecute node/a # another effect is another taint
  [ "$output" = "node/a tainted" ]
  run -0 orch-taint a use:NoSchedule-
  [ "$output" = "node/a untainted" ]
  [ "$(taints a)" = '["use=:NoExecute","slow=:PreferNoSchedule"]' ]
  run -0 orch-taint a use- slow- new:NoSchedule
  [ "$output" = "node/a modified" ]
  [ "$(taints a)" = '["new=:NoSchedule"]' ]
  run -0 orch-taint a new-
  [ "$(taints a)" = '[]' ]
}

@test "what is not there cannot be removed" {
  node b | orch-apply
  orch-taint b k:NoSchedule
  run -1 orch-taint b k:NoExecute-
  [[ $output == *'cannot taint node/b: taint "k:NoExecute" not found'* ]]
  run -1 orch-taint b other- k-
  [[ $output == *'taint "other" not found'* ]]
  [ "$(taints b)" = '["k=:NoSchedule"]' ]
}

@test "taints that are none" {
  node c | orch-apply
  for bad in k= k=v k:Never k=v: k=v:NoSchedule:x 'k!:NoSchedule' k='v v':NoSchedule =v:NoSchedule - ':NoSchedule' 'k=v-'; do
    run -2 orch-taint c "$bad"
    [[ $output == "orch-taint: cannot taint: "* ]]
  done
  run -2 orch-taint c k:NoSchedule k=v:NoSchedule
  [[ $output == *"duplicated taints with the same key and effect: k=v:NoSchedule"* ]]
  run -2 orch-taint c k:NoSchedule k-
  [[ $output == *"can not both modify and remove the following taint(s) in the same command: k"* ]]
  run -0 orch-taint c k:NoSchedule
  run -0 orch-taint c k:NoExecute k:NoSchedule-
  [ "$output" = "node/c modified" ]
  run -2 orch-taint c
  run -2 orch-taint pod/x k:NoSchedule
}

@test "many, by version and as dry runs" {
  { node d1 d; node d2 d; } | orch-apply
  run -0 orch-taint -l rack=d k=1:NoSchedule
  [ "$output" = $'node/d1 tainted\nnode/d2 tainted' ]
  [ "$(orch-get nodes -l rack=d | orch-taint --overwrite k=2:NoSchedule -o jsonl | json '.spec.taints[0].value')" = $'2\n2' ]
  for mode in "" =server =client; do
    run -0 orch-taint --dry-run$mode d1 k-
    [ "$output" = "node/d1 untainted (dry run)" ]
    [ "$(orch-taint --dry-run$mode d1 k- -o jsonl | own)" = '[]' ]
  done
  [ "$(taints d1)" = '["k=2:NoSchedule"]' ]
  run -3 orch-taint --resource-version=1 d1 k-
  [[ $output == *"not 1"* ]]
  run -1 --separate-stderr orch-taint nosuch d1 k-
  [ "$output" = "node/d1 untainted" ]
}

@test "writers at the same moment lose nothing" {
  node e | orch-apply
  for i in 1 2 3 4 5 6; do orch-taint e "k$i:NoSchedule" >/dev/null & done
  wait
  [ "$(taints e | json length)" = 6 ]
}

@test "as a filter" {
  { node f x; configmap g | tail -n 1; node h y; } >"$BATS_TEST_TMPDIR/in"
  run -0 orch-taint --local boot:NoSchedule <"$BATS_TEST_TMPDIR/in"
  [ "$(json '[.metadata.name, .spec.taints[0].key]' <<<"$output")" = $'["f","boot"]\n["g",null]\n["h","boot"]' ]
  [ "$(orch-taint --local boot:NoSchedule -l rack=y <"$BATS_TEST_TMPDIR/in" | json '.spec.taints | length')" = $'0\n0\n1' ]
  [ "$(orch-taint --local boot:NoSchedule <"$BATS_TEST_TMPDIR/in" | orch-taint --local -l rack boot- | json .spec.taints)" = $'null\nnull\nnull' ]
  [ "$(printf '{"type":"ADDED","object":%s}\n' "$(node i)" | orch-taint --local k:NoExecute | json '[.type, .object.spec.taints[0].effect]')" = '["ADDED","NoExecute"]' ]
  orch-taint --local k:NoSchedule -o yaml < <(node j) | grep -q 'effect: NoSchedule'
  run -1 orch-taint --local k- < <(node l)
  [[ $output == *"v1/Node/l"*'taint "k" not found'* ]]
  run -2 orch-taint --local n1 k:NoSchedule </dev/null
}
