#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

@test "what the input does not say is gone" {
  echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"x":"1"}},"data":{"a":"1","b":"2"}}' | orch-apply
  run -0 orch-replace < <(configmap a new)
  [ "$output" = "configmap/a replaced" ]
  [ "$(orch-get cm/a | json '[.data, .metadata.labels] | @json')" = '[{"key":"new"},null]' ]
  run -0 orch-replace < <(configmap a new)
  [ "$output" = "configmap/a replaced (no change)" ]
  [ "$(orch-get cm/a | json '[.metadata.managedFields[].manager] | unique | join(" ")')" = orch-replace ]
}

@test "with a resourceVersion only that version" {
  configmap b 1 | orch-apply
  old=$(orch-get cm/b)
  orch-patch cm/b -p '{"data":{"theirs":"1"}}'
  run -3 orch-replace < <(jq -c '.data.key = "2"' <<<"$old")
  [[ $output == *"the object has been modified"* ]]
  [ "$(orch-get cm/b | json .data)" = '{"key":"1","theirs":"1"}' ]
  run -0 orch-replace < <(orch-get cm/b | jq -c '.data.key = "2"')
  [ "$(orch-get cm/b | json .data)" = '{"key":"2","theirs":"1"}' ]
}

@test "status is its own; dry runs" {
  deployment c 1 | orch-apply
  orch-replace --subresource status < <(orch-get deployment/c | jq -c '.status.replicas = 4 | .spec.replicas = 9')
  [ "$(orch-get deployment/c | json '[.status.replicas, .spec.replicas] | @csv')" = 4,1 ]
  for mode in server client; do
    run -0 orch-replace --dry-run=$mode < <(deployment c 7)
    [ "$output" = "deployment.apps/c replaced (dry run)" ]
    run -2 orch-replace --dry-run=$mode < <(deployment c -7)
    run -2 orch-replace --dry-run=$mode < <(deployment c 1 | sed 's/replicas/replicaz/')
  done
  [ "$(orch-get deployment/c | json .spec.replicas)" = 1 ]
}

@test "--force takes what is immutable, waits, and makes what is not there" {
  fixed() { echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"d\"},\"immutable\":true,\"data\":{\"v\":\"$1\"}}"; }
  run -0 orch-replace --force < <(fixed 1)
  [ "$output" = "configmap/d created" ]
  uid=$(orch-get cm/d | json .metadata.uid)
  run -2 orch-replace < <(fixed 2)
  run -0 orch-replace --force --dry-run < <(fixed 2)
  [ "$(orch-get cm/d | json .data.v)" = 1 ]
  run -0 orch-replace --force < <(fixed 2)
  [ "$output" = "configmap/d replaced" ]
  [ "$(orch-get cm/d | json .data.v)" = 2 ]
  [ "$(orch-get cm/d | json .metadata.uid)" != "$uid" ]
  # one with a finalizer does not go
  orch-patch cm/d --type=merge -p '{"metadata":{"finalizers":["a/b"]}}'
  run -3 orch-replace --force --timeout=0.3s < <(fixed 3)
  [[ $output == *"still there after 0.3s"* ]]
  orch-patch cm/d --type=merge -p '{"metadata":{"finalizers":null}}'
}

@test "--force loses nothing when the new one is refused" {
  pod() { echo "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"e\"},\"spec\":{$1\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"; }
  pod | orch-create
  run -2 orch-replace --force < <(pod | sed 's/,"image":"i"//')
  [[ $output == *"image: Required value"* ]] # found here, before anything is deleted
  uid=$(orch-get pod/e | json .metadata.uid)
  run -2 orch-replace --force --grace-period=0 < <(pod '"priorityClassName":"no-such-class",')
  [[ $output == *"the former one is there again"*"no-such-class"* ]]
  [ "$(orch-get pod/e | json .spec.priorityClassName)" = null ]
  [ "$(orch-get pod/e | json .metadata.uid)" != "$uid" ]
}

@test "unknown fields" {
  configmap f | orch-apply
  typo() { configmap f v2 | sed 's/"data"/"date"/'; }
  run -2 orch-replace < <(typo)
  [[ $output == *'unknown field "date"'* ]]
  run -0 --separate-stderr orch-replace --unknown=warn < <(typo)
  [[ $stderr == *'warning: '*'unknown field "date"'* ]]
  run -0 --separate-stderr orch-replace --unknown=ignore < <(typo)
  [ -z "$stderr" ]
}

@test "mistakes" {
  run -1 orch-replace < <(configmap none)
  run -2 orch-replace -f /nonexistent
  run -2 orch-replace --force --subresource=status < <(configmap none)
  run -2 orch-replace --grace-period=1 < <(configmap none)
  run -2 orch-replace --timeout=soon --force < <(configmap none)
  run -2 orch-replace -l a=b < <(configmap none)
  run -2 orch-replace --unknown=maybe < <(configmap none)
  run -3 orch-replace -s unix:/nonexistent < <(configmap none)
  run -1 orch-replace < <(configmap none; configmap g; configmap a last) # one failure does not stop the others
  [[ $output == *"configmap/a replaced"* ]]
}
