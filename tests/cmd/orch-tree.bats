#!/usr/bin/env bats
load ../helper

setup_file() {
  start_store
  deployment web 2 | orch-apply
  orch-observe deployment/web | orch-reconcile deployment | orch-act
  orch-observe replicasets | orch-reconcile replicaset | orch-act
  configmap alone | orch-apply
}
teardown_file() { stop_all; }

pod() { orch-get pods -l app=web -o jsonl | json .metadata.name | head -n 1; }

@test "what a Deployment owns, of all kinds" {
  run -0 orch-tree deployment/web
  [ "${#lines[@]}" -eq 5 ]
  [[ ${lines[0]} == NAME*READY*STATUS ]]
  [[ ${lines[1]} == deployment.apps/web*0/2 ]]
  [[ ${lines[2]} == "└─ replicaset.apps/web-"* ]]
  [[ ${lines[3]} == "   ├─ pod/web-"*Pending ]]
  [[ ${lines[4]} == "   └─ pod/web-"*Pending ]]
  uid=$(orch-get "pod/$(pod)" -o jsonl | json .metadata.uid)
  orch-apply <<<"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"of-pod\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"$(pod)\",\"uid\":\"$uid\"}]}}"
  orch-tree deploy web | grep -q '─ secret/of-pod'
  [ "$(orch-tree --no-headers --ascii "pod/$(pod)" | sed -n 2p)" = '`- secret/of-pod' ]
  orch-delete secret/of-pod
}

@test "from the top" {
  [ "$(orch-tree -u "pod/$(pod)")" = "$(orch-tree deployment/web)" ]
  [ "$(orch-tree --up pods)" = "$(orch-tree deployment/web)" ]
  [ "$(orch-tree -u cm/alone --no-headers)" = configmap/alone ]
}

@test "a stream is all there is" {
  [ "$(orch-get deployments,replicasets,pods | orch-tree)" = "$(orch-tree deployment/web)" ]
  orch-get pods | orch-tree | grep -q "(its owner ReplicaSet/web-"
  [ -z "$(orch-tree </dev/null)" ]
  orch-watch --timeout=0.3 deployments,pods | orch-tree | grep -qx 'deployment.apps/web *0/2'
}

@test "as objects, from the top down" {
  [ "$(orch-tree deployment/web -o name | sed 's/-.*//' | tr '\n' ' ')" = "deployment.apps/web replicaset.apps/web pod/web pod/web " ]
  orch-tree deployment/web -o jsonl | orch-select pods | json .kind | sort -u | grep -qx Pod
}

@test "something outside namespaces has its own anywhere" {
  orch-apply <<<'{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"far"}}'
  uid=$(orch-get namespace/far -o jsonl | json .metadata.uid)
  orch-apply -n far <<<"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"in-far\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"name\":\"far\",\"uid\":\"$uid\"}]}}"
  run -0 orch-tree ns/far
  [[ ${lines[1]} == namespace/far*Active ]]
  [[ ${lines[2]} == "└─ configmap/in-far"* ]]
  orch-tree -u -n far cm/in-far | grep -q '^namespace/far'
  orch-tree -A deployments | grep -qE '^default +deployment.apps/web'
}

@test "errors and odd input" {
  run -1 --separate-stderr orch-tree deployment/nosuch deployment/web
  [[ $output == *"replicaset.apps/web-"* ]]
  [[ $stderr == *'cannot get deployment/nosuch'* ]]
  run -2 --separate-stderr orch-tree <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}{"apiVersion'
  [[ $output == *configmap/a* ]]
  run -2 orch-tree -u </dev/null
  run -2 orch-tree -f x deployment/web
  run -2 orch-tree nosuchkind/x
  run -2 orch-tree -o nosuchformat deployment/web
  run -3 orch-tree -s unix:/nonexistent deployment/web
}
