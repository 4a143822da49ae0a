#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

tags() { orch-get "$1" -o jsonl | json ".metadata.annotations"; }

@test "set and remove, and nothing else is touched" {
  deployment a 1 | orch-apply
  spec=$(orch-get deployment/a -o jsonl | json .spec)
  run -0 orch-annotate deployment/a tier=web owner=me
  [ "$output" = "deployment.apps/a annotated" ]
  [ "$(tags deployment/a | json '[.tier, .owner]')" = '["web","me"]' ]
  run -0 orch-annotate owner- deploy a nothere-
  [ "$output" = "deployment.apps/a annotated" ]
  [ "$(tags deployment/a | json '[.tier, .owner]')" = '["web",null]' ]
  [ "$(orch-get deployment/a -o jsonl | json .spec)" = "$spec" ]
  run -0 orch-annotate deployment/a tier=web owner-
  [ "$output" = "deployment.apps/a unchanged" ]
  orch-get deployment/a -o jsonl | json '.metadata.managedFields[] | select(.manager == "orch-annotate") | .fieldsV1' |
    grep -q '"f:tier"'
  run -0 orch-annotate deployment/a example.com/Key=1 empty=
  [ "$(tags deployment/a | json '[."example.com/Key", .empty]')" = '["1",""]' ]
}

@test "what has another value is changed only with --overwrite" {
  configmap b | orch-apply
  orch-annotate cm/b tier=web
  run -1 orch-annotate cm/b tier=db more=1
  [[ $output == *"cannot annotate configmap/b: its annotation 'tier' is 'web' already"* ]]
  [ "$(tags cm/b | json '[.tier, .more]')" = '["web",null]' ]
  run -0 orch-annotate --overwrite cm/b tier=db more=1
  [ "$(tags cm/b | json '[.tier, .more]')" = '["db","1"]' ]
}

@test "only of a version, and of a stream only the very object" {
  configmap c | orch-apply
  orch-get cm/c -o jsonl >"$BATS_TEST_TMPDIR/c"
  version=$(json .metadata.resourceVersion <"$BATS_TEST_TMPDIR/c")
  run -0 orch-annotate --resource-version="$version" cm/c v=1
  run -3 orch-annotate --resource-version="$version" --overwrite cm/c v=2
  [[ $output == *"not $version"* ]]
  orch-delete cm/c
  configmap c | orch-apply
  run -3 orch-annotate v=3 <"$BATS_TEST_TMPDIR/c"
  [[ $output == *"another one of the same name"* ]]
  run -0 orch-annotate -f - v=3 < <(configmap c)
  [ "$(tags cm/c | json .v)" = 3 ]
}

@test "many: by selector, --all and in a pipe" {
  for i in 1 2 3; do configmap "d$i"; done | orch-label --local set=d | orch-apply
  run -2 orch-annotate configmaps x=1
  [[ $output == *"--all"* ]]
  [ "$(orch-annotate -l set=d configmaps x=1 | wc -l)" -eq 3 ]
  [ "$(orch-get cm -l set=d | orch-annotate --overwrite x=2 -o jsonl | json .metadata.annotations.x | sort -u)" = 2 ]
  orch-annotate --all configmaps all=1
  [ -z "$(orch-get cm | json "select(.metadata.annotations.all != \"1\")")" ]
  run -1 --separate-stderr orch-annotate cm/nosuch cm/d1 y=1
  [ "$output" = "configmap/d1 annotated" ]
  [[ $stderr == *'cannot annotate configmap/nosuch: configmaps "nosuch" not found'* ]]
}

@test "--list" {
  configmap e | orch-apply
  orch-annotate cm/e b=2 a=1
  [ "$(orch-annotate --list cm/e | grep -v kubectl)" = "a=1
b=2" ]
  orch-annotate --list configmaps | grep -qx 'configmap/e a=1'
  configmap e2 | orch-apply
  orch-annotate cm/e2 $(orch-annotate --list cm/e | grep -v kubectl) # what is listed can be set
  [ "$(tags cm/e2 | json '[.a, .b]')" = '["1","2"]' ]
  run -1 orch-annotate --list cm/nosuch
}

@test "dry runs change nothing" {
  configmap f | orch-apply
  for mode in "" =server =client; do
    [ "$(orch-annotate --dry-run$mode cm/f x=1)" = "configmap/f annotated (dry run)" ]
    [ "$(orch-annotate --dry-run$mode cm/f x=1 -o jsonl | json .metadata.annotations.x)" = 1 ]
  done
  [ "$(tags cm/f | json .x)" = null ]
}

@test "--local is a filter that needs no server" {
  export KUBECONFIG=/nonexistent
  { deployment g 1; configmap h; } | orch-annotate --local x=1 app- >"$BATS_TEST_TMPDIR/out"
  [ "$(json '[.metadata.name, .metadata.annotations]' <"$BATS_TEST_TMPDIR/out")" = '["g",{"x":"1"}]
["h",{"x":"1"}]' ]
  # the rest passes as it is, byte by byte, and so does what -l does not select
  line='{"kind":"ConfigMap",  "apiVersion":"v1","metadata":{"name":"i","annotations":{"x":"1"}}}'
  [ "$(orch-annotate --local x=1 <<<"$line")" = "$line" ]
  [ "$(orch-annotate --local -l no=such y=1 <<<"$line")" = "$line" ]
  [ "$(orch-annotate --local x- <<<"$line" | json .metadata.annotations)" = null ]
  run -1 orch-annotate --local x=2 <<<"$line"
  [[ $output == *"standard input:1: v1/ConfigMap/i: its annotation 'x' is '1' already"* ]]
  [ "$(orch-annotate --local --overwrite x=2 <<<"{\"type\":\"ADDED\",\"object\":$line}" | json '[.type, .object.metadata.annotations.x]')" = '["ADDED","2"]' ]
  [ "$(orch-annotate --local y=2 -o name <<<"$line")" = configmap/i ]
  run -2 orch-annotate --local x=1 <<<'{"a":'
  run -2 orch-annotate --local cm/x x=1
}

@test "wrong usage" {
  run -2 orch-annotate cm/a
  [[ $output == *"nothing to do"* ]]
  run -2 orch-annotate cm/a x=1 x-
  [[ $output == *"'x' stands there twice"* ]]
  for bad in -=1 =1 a/b/c=1 'sp ace=1' /x=1; do run -2 orch-annotate -- cm/a "$bad"; done
  run -2 orch-annotate --list cm/a x=1
  run -2 orch-annotate nosuchkind/a x=1
  run -3 orch-annotate -s unix:/nonexistent cm/a x=1
  run -2 orch-annotate $'cm/a' $'x=\xff'
  configmap any | orch-apply
  orch-annotate cm/any 'note=any text = goes' $'lines=a\nb'
  [ "$(tags cm/any | json .note)" = 'any text = goes' ]
  [ "$(orch-annotate --list cm/any | sed -n 's/^lines=//p')" = '"a\nb"' ]
}
