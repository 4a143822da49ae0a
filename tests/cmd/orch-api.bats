#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

@test "body out, exit by status" {
  [ "$(orch-api /readyz)" = ok ]
  run -1 --separate-stderr orch-api /api/v1/namespaces/none
  [ "$(json .reason <<<"$output")" = NotFound ]
  [[ $stderr == *'namespaces "none" not found'* ]]
  run -1 --separate-stderr orch-api -q /api/v1/namespaces/none
  [ -z "$stderr" ]
  run -2 orch-api api/v1
  run -2 orch-api
  run -2 orch-api / /
}

@test "methods, bodies, headers" {
  configmap a | tail -n 1 | orch-api -d - /api/v1/namespaces/default/configmaps >/dev/null
  run -1 orch-api -q -d "$(configmap a | tail -n 1)" /api/v1/namespaces/default/configmaps
  echo '{"data":{"key":"new"}}' >"$BATS_TEST_TMPDIR/patch"
  [ "$(orch-api -X PATCH -d "@$BATS_TEST_TMPDIR/patch" /api/v1/namespaces/default/configmaps/a | json .data.key)" = new ]
  [ "$(orch-api -H 'Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' /api/v1/namespaces/default/configmaps/a | json .kind)" ]
  orch-api -X DELETE /api/v1/namespaces/default/configmaps/a >/dev/null
  run -2 orch-api -q -d 'no json' /api/v1/namespaces/default/configmaps
  run -2 orch-api -H nonsense /readyz
  run -2 orch-api -d @/nonexistent /readyz || [ "$status" -eq 1 ]
}

@test "a watch comes through as it happens" {
  orch-api '/api/v1/namespaces/default/configmaps?watch=true' >"$BATS_TEST_TMPDIR/out" 3>&- &
  watch=$!
  configmap seen | orch-apply
  wait_for 5 grep -q '"seen"' "$BATS_TEST_TMPDIR/out"
  kill "$watch"
}
