#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

@test "a strategic patch is the default, and says when nothing changes" {
  deployment a 1 | orch-apply
  run -0 orch-patch deployment/a -p '{"spec":{"replicas":4,"template":{"spec":{"containers":[{"name":"main","image":"web:2"}]}}}}'
  [ "$output" = "deployment.apps/a patched" ]
  [ "$(orch-get deployment/a | json '[.spec.replicas, .spec.template.spec.containers[0].image, (.spec.template.spec.containers | length)] | join(" ")')" = "4 web:2 1" ]
  run -0 orch-patch deployment/a -p 'spec: {replicas: 4}'
  [ "$output" = "deployment.apps/a patched (no change)" ]
  [ "$(orch-get deployment/a | json '[.metadata.managedFields[] | .manager] | sort | join(" ")')" = "orch-apply orch-patch" ]
}

@test "merge, json and apply" {
  echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b","finalizers":["a/b"]},"data":{"x":"1","y":"2"}}' | orch-api -q -d - /api/v1/namespaces/default/configmaps
  orch-patch cm/b --type=merge -p '{"data":{"x":null,"z":"3"}}'
  [ "$(orch-get cm/b | json .data)" = '{"y":"2","z":"3"}' ]
  orch-patch cm/b -p '[{"op":"test","path":"/data/y","value":"2"},{"op":"remove","path":"/metadata/finalizers"}]'
  [ "$(orch-get cm/b | json .metadata.finalizers)" = null ]
  run -0 orch-patch cm/b --type=apply --field-manager=me -p '{"data":{"mine":"1"}}'
  run -0 orch-patch cm/b --type=apply --field-manager=me -p '{"data":{"other":"1"}}'
  [ "$(orch-get cm/b | json '.data | keys | join(" ")')" = "other y z" ]
  run -3 orch-patch cm/b --type=apply --field-manager=you -p '{"data":{"other":"2"}}'
  [[ $output == *'conflict with "me"'* ]]
  run -0 orch-patch cm/b --type=apply --field-manager=you --force-conflicts -p '{"data":{"other":"2"}}'
  [ "$(orch-get cm/b | json .data.other)" = 2 ]
  run -1 orch-patch cm/none --type=apply -p '{"data":{"a":"1"}}' # does not create
}

@test "subresources, versions, dry runs" {
  deployment c 1 | orch-apply
  orch-patch deployment/c --subresource=scale --type=merge -p '{"spec":{"replicas":3}}'
  [ "$(orch-get deployment/c | json .spec.replicas)" = 3 ]
  orch-patch deployment/c --subresource=status --type=merge -p '{"status":{"replicas":3}}'
  [ "$(orch-get deployment/c | json .status.replicas)" = 3 ]
  run -0 orch-patch deployment/c --subresource=scale -p '{"spec":{"replicas":3}}' --type=merge
  [ "$output" = "deployment.apps/c patched (no change)" ]
  for mode in server client; do
    run -0 orch-patch deployment/c --dry-run=$mode -p '{"spec":{"replicas":9}}'
    [ "$output" = "deployment.apps/c patched (dry run)" ]
    [ "$(orch-patch deployment/c --dry-run=$mode -o jsonl -p '{"spec":{"replicas":9}}' | json .spec.replicas)" = 9 ]
  done
  [ "$(orch-get deployment/c | json .spec.replicas)" = 3 ]
  rv=$(orch-get deployment/c | json .metadata.resourceVersion)
  orch-patch deployment/c --resource-version="$rv" -p '{"spec":{"replicas":5}}'
  run -3 orch-patch deployment/c --resource-version="$rv" -p '{"spec":{"replicas":6}}'
  [[ $output == *"the object has been modified"* ]]
  [ "$(orch-get deployment/c | json .spec.replicas)" = 5 ]
}

@test "objects of a stream, of a selector, of all" {
  for i in 1 2 3; do configmap "d$i"; done | orch-label --local set=d | orch-apply
  run -0 orch-patch -p '{"data":{"p":"1"}}' < <(orch-get cm d1 d2)
  [ "$output" = $'configmap/d1 patched\nconfigmap/d2 patched' ]
  run -0 orch-patch cm -l set=d -p '{"data":{"p":"1"}}'
  [ "$output" = $'configmap/d1 patched (no change)\nconfigmap/d2 patched (no change)\nconfigmap/d3 patched' ]
  run -2 orch-patch cm -p '{"data":{"p":"1"}}'
  # one that is another by now
  old=$(orch-get cm/d3)
  orch-delete cm/d3 && configmap d3 | orch-apply
  run -3 orch-patch -p '{"data":{"p":"2"}}' <<<"$old"
  [[ $output == *"another one of the same name"* ]]
}

@test "--local is a filter" {
  export ORCH_SERVER=unix:/nonexistent
  run -0 orch-patch --local deployment/e -p 'spec: {replicas: 7}' < <(deployment e 1; configmap f)
  [ "$(json '[.kind, .spec.replicas] | join(" ")' <<<"$output")" = $'Deployment 7\nConfigMap ' ]
  [ "$(deployment e 1 | orch-patch --local -p '{"spec":{"template":{"spec":{"containers":[{"name":"main","env":[{"name":"A","value":"b"}]}]}}}}' | json '.spec.template.spec.containers[0] | keys | join(" ")')" = "env image name" ]
  [ "$(deployment e 1 | orch-patch --local --type=merge -p '{"spec":{"template":{"spec":{"containers":[{"name":"x"}]}}}}' | json '.spec.template.spec.containers[0] | keys | join(" ")')" = name ]
  [ "$(configmap g | orch-patch --local --type=apply -p '{"data":{"n":"1"}}' | json '[.data.n, .metadata.managedFields] | @json')" = '["1",null]' ]
  [ "$(echo '{"apiVersion":"x/v1","kind":"Widget","metadata":{"name":"w"},"list":[1]}' | orch-patch --local -p '{"list":[2]}' | json -c .list)" = '[2]' ]
  [ "$(echo '{"type":"ADDED","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"w"}}}' | orch-patch --local -p '{"data":{"a":"b"}}')" = '{"type":"ADDED","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"w"},"data":{"a":"b"}}}' ]
  [ "$(configmap h | orch-patch --local -o yaml -p '{"data":{"key":"v2"}}' | grep key)" = "  key: v2" ]
  # what cannot be patched does not go on
  run -2 --separate-stderr orch-patch --local -p '[{"op":"remove","path":"/spec/replicas"}]' < <(deployment i 1; configmap j)
  [ "$(json .kind <<<"$output")" = Deployment ]
  [[ $stderr == *"cannot patch ConfigMap 'j'"* ]]
  run -2 orch-patch --local --type=json -p '[{"op":"replace","path":"/kind","value":"Pod"}]' < <(configmap k)
}

@test "a patch from a file, and mistakes" {
  configmap l | orch-apply
  echo 'data: {from: file}' >"$BATS_TEST_TMPDIR/p.yaml"
  orch-patch cm/l --patch-file "$BATS_TEST_TMPDIR/p.yaml"
  orch-patch cm/l --patch-file - <<<'{"data":{"stdin":"1"}}'
  [ "$(orch-get cm/l | json '.data | keys | join(" ")')" = "from key stdin" ]
  run -2 orch-patch cm/l
  run -2 orch-patch cm/l -p '{' ; [[ $output == *"cannot read the patch"* ]]
  run -2 orch-patch cm/l -p '{} {}'
  run -2 orch-patch cm/l -p ''
  run -2 orch-patch cm/l -p '"text"'
  run -2 orch-patch cm/l --type=json -p '{"a":1}'; [[ $output == *"a list of operations"* ]]
  run -2 orch-patch cm/l --type=merge -p '[]'
  run -2 orch-patch cm/l --type=odd -p '{}'
  run -2 orch-patch cm/l --patch-file /nonexistent
  run -2 orch-patch cm/l -p '{}' --patch-file x
  run -2 orch-patch cm/l -p '{"data":7}'
  run -1 orch-patch cm/none -p '{"data":{"a":"b"}}'
  run -3 orch-patch -s unix:/nonexistent cm/l -p '{}'
}
