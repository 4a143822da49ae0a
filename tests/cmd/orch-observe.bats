#!/usr/bin/env bats
load ../helper

setup_file() {
  start_store
  deployment web 2 | orch-apply >/dev/null
  deployment other 1 | orch-apply >/dev/null
}
teardown_file() { stop_all; }

kinds() { json .kind | sort | uniq -c | xargs; }

@test "observe, reconcile, act: until nothing is left to do" {
  orch-observe deployment/web | orch-reconcile deployment | orch-act
  [ "$(orch-get replicasets -o name | wc -l)" -eq 1 ]
  orch-observe replicasets | orch-reconcile replicaset | orch-act
  [ "$(orch-get pods -l app=web -o name | wc -l)" -eq 2 ]
  for _ in 1 2 3; do
    orch-observe replicasets | orch-reconcile replicaset | orch-act
    orch-observe deployment/web | orch-reconcile deployment | orch-act
  done
  [ -z "$(orch-observe replicasets | orch-reconcile replicaset)" ]
  [ -z "$(orch-observe deployment/web | orch-reconcile deployment)" ]
}

@test "an object brings what its controller reads, and not what belongs to others" {
  orch-observe deployment/other | orch-reconcile deployment | orch-act
  [ "$(orch-observe deployment/web | json 'select(.kind == "Deployment").metadata.name')" = web ]
  [ "$(orch-observe deployment/web | kinds)" = "1 Deployment 2 Pod 1 ReplicaSet" ]
  [ "$(orch-observe deployment/web --whole | kinds)" = "1 Deployment 2 Pod 2 ReplicaSet" ]
}

@test "a controller by name, and all" {
  [ "$(orch-observe deployment | kinds)" = "2 Deployment 2 Pod 2 ReplicaSet" ]
  orch-observe all -A >"$BATS_TEST_TMPDIR/all"
  [ "$(json .metadata.uid <"$BATS_TEST_TMPDIR/all" | grep -v null | sort | uniq -d | wc -l)" -eq 0 ]
  [ "$(json 'select(.kind == "Deployment").metadata.name' <"$BATS_TEST_TMPDIR/all" | wc -l)" -eq 2 ]
}

@test "mistakes" {
  run -1 orch-observe deployment/none
  run -2 orch-observe
  run -2 orch-observe configmaps
  [[ $output == *"no controller works on configmaps"* ]]
}

@test "the loop does the same by itself, also across a crash of the store" {
  port=$(sed -n 's|.*https://127.0.0.1:||p' "$KUBECONFIG")
  background orch-reconcile -w deployment replicaset --metrics 127.0.0.1:0
  loop=$!
  deployment grow 3 | orch-apply
  pods() { [ "$(orch-get pods -l app="$1" -o name | wc -l)" -eq "$2" ]; }
  wait_for 10 pods grow 3
  stop_store KILL
  sleep 0.5
  start_store --listen "127.0.0.1:$port"
  deployment grow 5 | orch-apply
  wait_for 20 pods grow 5
  # no more than asked for, ever
  sleep 0.5
  pods grow 5
  kill -TERM "$loop"
  wait_for 5 not kill -0 "$loop"
}
