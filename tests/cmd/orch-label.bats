#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

tags() { orch-get "$1" -o jsonl | json ".metadata.labels"; }

@test "set and remove, and nothing else is touched" {
  deployment a 1 | orch-apply
  spec=$(orch-get deployment/a -o jsonl | json .spec)
  run -0 orch-label deployment/a tier=web owner=me
  [ "$output" = "deployment.apps/a labeled" ]
  [ "$(tags deployment/a | json '[.tier, .owner]')" = '["web","me"]' ]
  run -0 orch-label owner- deploy a nothere-
  [ "$output" = "deployment.apps/a labeled" ]
  [ "$(tags deployment/a | json '[.tier, .owner]')" = '["web",null]' ]
  [ "$(orch-get deployment/a -o jsonl | json .spec)" = "$spec" ]
  run -0 orch-label deployment/a tier=web owner-
  [ "$output" = "deployment.apps/a unchanged" ]
  orch-get deployment/a -o jsonl | json '.metadata.managedFields[] | select(.manager == "orch-label") | .fieldsV1' |
    grep -q '"f:tier"'
  run -0 orch-label deployment/a example.com/Key=1 empty=
  [ "$(tags deployment/a | json '[."example.com/Key", .empty]')" = '["1",""]' ]
}

@test "what has another value is changed only with --overwrite" {
  configmap b | orch-apply
  orch-label cm/b tier=web
  run -1 orch-label cm/b tier=db more=1
  [[ $output == *"cannot label configmap/b: its label 'tier' is 'web' already"* ]]
  [ "$(tags cm/b | json '[.tier, .more]')" = '["web",null]' ]
  run -0 orch-label --overwrite cm/b tier=db more=1
  [ "$(tags cm/b | json '[.tier, .more]')" = '["db","1"]' ]
}

@test "only of a version, and of a stream only the very object" {
  configmap c | orch-apply
  orch-get cm/c -o jsonl >"$BATS_TEST_TMPDIR/c"
  version=$(json .metadata.resourceVersion <"$BATS_TEST_TMPDIR/c")
  run -0 orch-label --resource-version="$version" cm/c v=1
  run -3 orch-label --resource-version="$version" --overwrite cm/c v=2
  [[ $output == *"not $version"* ]]
  orch-delete cm/c
  configmap c | orch-apply
  run -3 orch-label v=3 <"$BATS_TEST_TMPDIR/c"
  [[ $output == *"another one of the same name"* ]]
  run -0 orch-label -f - v=3 < <(configmap c)
  [ "$(tags cm/c | json .v)" = 3 ]
}

@test "many: by selector, --all and in a pipe" {
  for i in 1 2 3; do configmap "d$i"; done | orch-label --local set=d | orch-apply
  run -2 orch-label configmaps x=1
  [[ $output == *"--all"* ]]
  [ "$(orch-label -l set=d configmaps x=1 | wc -l)" -eq 3 ]
  [ "$(orch-get cm -l set=d | orch-label --overwrite x=2 -o jsonl | json .metadata.labels.x | sort -u)" = 2 ]
  orch-label --all configmaps all=1
  [ -z "$(orch-get cm | json "select(.metadata.labels.all != \"1\")")" ]
  run -1 --separate-stderr orch-label cm/nosuch cm/d1 y=1
  [ "$output" = "configmap/d1 labeled" ]
  [[ $stderr == *'cannot label configmap/nosuch: configmaps "nosuch" not found'* ]]
}

@test "--list" {
  configmap e | orch-apply
  orch-label cm/e b=2 a=1
  [ "$(orch-label --list cm/e | grep -v kubectl)" = "a=1
b=2" ]
  orch-label --list configmaps | grep -qx 'configmap/e a=1'
  configmap e2 | orch-apply
  orch-label cm/e2 $(orch-label --list cm/e | grep -v kubectl) # what is listed can be set
  [ "$(tags cm/e2 | json '[.a, .b]')" = '["1","2"]' ]
  run -1 orch-label --list cm/nosuch
}

@test "dry runs change nothing" {
  configmap f | orch-apply
  for mode in "" =server =client; do
    [ "$(orch-label --dry-run$mode cm/f x=1)" = "configmap/f labeled (dry run)" ]
    [ "$(orch-label --dry-run$mode cm/f x=1 -o jsonl | json .metadata.labels.x)" = 1 ]
  done
  [ "$(tags cm/f | json .x)" = null ]
}

@test "--local is a filter that needs no server" {
  export KUBECONFIG=/nonexistent
  { deployment g 1; configmap h; } | orch-label --local x=1 app- >"$BATS_TEST_TMPDIR/out"
  [ "$(json '[.metadata.name, .metadata.labels]' <"$BATS_TEST_TMPDIR/out")" = '["g",{"x":"1"}]
["h",{"x":"1"}]' ]
  # the rest passes as it is, byte by byte, and so does what -l does not select
  line='{"kind":"ConfigMap",  "apiVersion":"v1","metadata":{"name":"i","labels":{"x":"1"}}}'
  [ "$(orch-label --local x=1 <<<"$line")" = "$line" ]
  [ "$(orch-label --local -l no=such y=1 <<<"$line")" = "$line" ]
  [ "$(orch-label --local x- <<<"$line" | json .metadata.labels)" = null ]
  run -1 orch-label --local x=2 <<<"$line"
  [[ $output == *"standard input:1: v1/ConfigMap/i: its label 'x' is '1' already"* ]]
  [ "$(orch-label --local --overwrite x=2 <<<"{\"type\":\"ADDED\",\"object\":$line}" | json '[.type, .object.metadata.labels.x]')" = '["ADDED","2"]' ]
  [ "$(orch-label --local y=2 -o name <<<"$line")" = configmap/i ]
  run -2 orch-label --local x=1 <<<'{"a":'
  run -2 orch-label --local cm/x x=1
}

@test "wrong usage" {
  run -2 orch-label cm/a
  [[ $output == *"nothing to do"* ]]
  run -2 orch-label cm/a x=1 x-
  [[ $output == *"'x' stands there twice"* ]]
  for bad in -=1 =1 a/b/c=1 'sp ace=1' /x=1; do run -2 orch-label -- cm/a "$bad"; done
  run -2 orch-label --list cm/a x=1
  run -2 orch-label nosuchkind/a x=1
  run -3 orch-label -s unix:/nonexistent cm/a x=1
  run -2 orch-label $'cm/a' $'x=\xff'
  run -2 orch-label cm/a 'x=not a value'
}
