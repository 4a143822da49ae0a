#!/usr/bin/env bats
load ../helper

setup_file() { start_store; configmap old | orch-apply >/dev/null; }
teardown_file() { stop_all; }

# events FILTER: what the watch has written by now.
events() { json '[.type, .object.metadata.name, .object.data.key // ""] | join(" ")' <"$BATS_TEST_TMPDIR/out" | grep -v kube-root || :; }
saw() { events | grep -qx "$1"; }
begin() {
  orch-watch "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  watch=$!
}
teardown() { [ -z "${watch:-}" ] || kill "$watch" 2>/dev/null || :; }

@test "what is there, then what happens" {
  begin configmaps
  wait_for 5 saw "ADDED old value"
  configmap a | orch-apply
  configmap a new | orch-apply
  orch-delete cm/a
  wait_for 5 saw "DELETED a new"
  [ "$(events)" = $'ADDED old value\nADDED a value\nMODIFIED a new\nDELETED a new' ]
}

@test "only what is new; only what matches" {
  begin configmaps --only-new -l app=x
  sleep 0.3
  configmap b | orch-apply
  orch-api -X PATCH -d '{"metadata":{"labels":{"app":"x"}}}' /api/v1/namespaces/default/configmaps/b >/dev/null
  wait_for 5 saw "ADDED b value"
  orch-api -X PATCH -d '{"metadata":{"labels":{"app":"y"}}}' /api/v1/namespaces/default/configmaps/b >/dev/null
  wait_for 5 saw "DELETED b value"
  [ "$(events | wc -l)" -eq 2 ]
}

@test "one object, and several kinds" {
  begin configmap/old deployments
  deployment w 1 | orch-apply
  configmap c | orch-apply
  wait_for 5 saw "ADDED w "
  [ "$(events | sort)" = $'ADDED old value\nADDED w ' ]
}

@test "a time limit is no failure" {
  run -0 orch-watch configmaps --timeout 0.3 -o name
  [[ $output == *configmap/old* ]]
}

@test "it ends when nobody reads" {
  run -0 timeout 5 bash -c 'orch-watch configmaps | head -n 1'
  [ "$(json .type <<<"$output")" = ADDED ]
}

@test "the server comes back: nothing is lost" {
  port=$(sed -n 's|.*https://127.0.0.1:||p' "$KUBECONFIG")
  configmap before | orch-apply
  begin configmaps
  wait_for 5 saw "ADDED before value"
  stop_store KILL
  sleep 0.7
  STORE=$STORE start_store --listen "127.0.0.1:$port"
  configmap after | orch-apply
  wait_for 20 saw "ADDED after value"
  [ "$(events | grep -c ' before ')" -eq 1 ]
  grep -q "trying again" "$BATS_TEST_TMPDIR/err"
}

@test "everything comes again every so often" {
  configmap again | orch-apply
  begin --resync=0.3 configmaps
  wait_for 5 eval '[ "$(events | grep -c "MODIFIED again value")" -ge 3 ]'
  [ "$(events | grep -c 'ADDED again')" -eq 1 ]
  orch-delete configmap/again
  wait_for 5 saw "DELETED again value"
  events | sed '/DELETED again/,$!d' | not grep 'MODIFIED again'
}

@test "mistakes" {
  run -2 orch-watch configmaps --resync 0
  run -2 orch-watch
  run -2 orch-watch gadgets
  run -2 orch-watch configmaps --timeout soon
  run -2 orch-watch configmaps -o nonsense
}
