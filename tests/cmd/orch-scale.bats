#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

replicas() { orch-get "deployment/$1" -o jsonl | json .spec.replicas; }
# running NAME N: a status as its controller would write it
running() { orch-api -X PATCH -d "{\"status\":{\"replicas\":$2}}" "/apis/apps/v1/namespaces/default/deployments/$1/status" >/dev/null; }

@test "a number, through the scale subresource" {
  deployment a 1 | orch-apply
  run -0 orch-scale --replicas=3 deployment/a
  [ "$output" = "deployment.apps/a scaled" ]
  [ "$(replicas a)" = 3 ]
  orch-get deployment/a -o jsonl | json '.metadata.managedFields[].manager' | grep -qx orch-scale
  run -0 orch-scale --replicas=3 deployment/a
  [ "$output" = "deployment.apps/a unchanged" ]
  run -0 orch-scale --replicas=4 --field-manager=me deploy a
  [ "$(replicas a)" = 4 ]
  orch-get deployment/a -o jsonl | json '.metadata.managedFields[].manager' | grep -qx me
}

@test "only from a number, only of a version" {
  deployment b 2 | orch-apply
  run -1 orch-scale --replicas=5 --current-replicas=3 deployment/b
  [[ $output == *"cannot scale deployment.apps/b: it has 2 replicas, not 3"* ]]
  version=$(orch-get deployment/b -o jsonl | json .metadata.resourceVersion)
  run -0 orch-scale --replicas=5 --current-replicas=2 --resource-version="$version" deployment/b
  run -3 orch-scale --replicas=6 --resource-version="$version" deployment/b
  [[ $output == *", not $version"* ]]
  [ "$(replicas b)" = 5 ]
}

@test "several, by selector, by --all and by stream; a kind alone is not enough" {
  for d in c1 c2 c3; do deployment $d 1; done | sed 's/labels: {app: c/labels: {tier: c, app: c/' | orch-apply
  run -2 orch-scale --replicas=2 deployments
  [[ $output == *"--all"* ]]
  [ "$(orch-scale --replicas=2 deployments -l tier=c | wc -l)" -eq 3 ]
  orch-get deployment/c1 deployment/c2 | orch-scale --replicas=4 -o jsonl | json '[.metadata.name, .spec.replicas]' >"$BATS_TEST_TMPDIR/out"
  [ "$(cat "$BATS_TEST_TMPDIR/out")" = '["c1",4]
["c2",4]' ]
  [ "$(replicas c3)" = 2 ]
  orch-scale --replicas=0 --all deployments
  [ "$(replicas c3)" = 0 ]
}

@test "one that fails does not stop the others, and the worst counts" {
  deployment d 1 | orch-apply
  configmap d | orch-apply
  run -2 --separate-stderr orch-scale --replicas=2 deployment/none cm/d deployment/d
  [ "$output" = "deployment.apps/d scaled" ]
  [[ $stderr == *'cannot scale deployment.apps/none: deployments.apps "none" not found'* ]]
  [[ $stderr == *"cannot scale configmap/d: a ConfigMap cannot be scaled"* ]]
  run -1 orch-scale --replicas=2 deployment/none
}

@test "a stream's uid must still be the same" {
  deployment e 1 | orch-apply
  orch-get deployment/e >"$BATS_TEST_TMPDIR/e"
  orch-delete deployment/e
  deployment e 1 | orch-apply
  run -3 orch-scale --replicas=2 <"$BATS_TEST_TMPDIR/e"
  [[ $output == *"another one of the same name"* ]]
  [ "$(replicas e)" = 1 ]
}

@test "a dry run changes nothing" {
  deployment f 1 | orch-apply
  for mode in "" =server =client; do
    run -0 orch-scale --dry-run$mode --replicas=2 deployment/f
    [ "$output" = "deployment.apps/f scaled (dry run)" ]
  done
  [ "$(orch-scale --dry-run --replicas=2 deployment/f -o jsonl | json .spec.replicas)" = 2 ]
  [ "$(replicas f)" = 1 ]
}

@test "--timeout waits until there are as many" {
  deployment g 1 | orch-apply
  running g 1
  { sleep 0.3; running g 2; sleep 0.2; running g 3; } 3>&- &
  run -0 orch-scale --replicas=3 --timeout=10s deployment/g
  [ "$(orch-get deployment/g -o jsonl | json .status.replicas)" = 3 ]
  run -3 orch-scale --replicas=4 --timeout=0.3 deployment/g
  [[ $output == *"deployment.apps/g: it has 3 of 4 replicas"* ]]
  [ "$(replicas g)" = 4 ]
  { sleep 0.3; orch-scale --replicas=7 deployment/g; } >/dev/null 3>&- &
  run -3 orch-scale --replicas=5 --timeout=0.8 deployment/g
  [[ $output == *"somebody has scaled it to 7"* ]]
  { sleep 0.3; orch-delete deployment/g; } >/dev/null 3>&- &
  run -1 orch-scale --replicas=6 --timeout=10s deployment/g
  [[ $output == *"has been deleted"* ]]
}

@test "wrong usage" {
  run -2 orch-scale deployment/a
  [[ $output == usage* ]]
  for bad in -1 x 99999999999 ''; do run -2 orch-scale --replicas="$bad" deployment/a; done
  run -2 orch-scale --replicas=1 --timeout=soon deployment/a
  run -2 orch-scale --replicas=1 --dry-run=never deployment/a
  run -2 orch-scale --replicas=1 nosuchkinds/a
  run -2 orch-scale --replicas=1 <<<'{"a":'
  run -0 orch-scale --replicas=1 </dev/null
  ORCH_SERVER=unix:/nonexistent run -3 orch-scale --replicas=1 -s unix:/nonexistent deployment/a
}
