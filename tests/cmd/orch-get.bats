#!/usr/bin/env bats
load ../helper

setup_file() {
  start_store
  { deployment web 2; deployment api 1; configmap one; configmap two; } | orch-apply >/dev/null
}
teardown_file() { stop_all; }

@test "a pipe gets an object a line" {
  out=$(orch-get deployments)
  [ "$(json .metadata.name <<<"$out" | sort | xargs)" = "api web" ]
  [ "$(json '.kind + .apiVersion' <<<"$out" | sort -u)" = Deploymentapps/v1 ]
}

@test "the ways to address objects" {
  [ "$(orch-get deployment/web -o name)" = deployment.apps/web ]
  [ "$(orch-get deploy web api -o name | xargs)" = "deployment.apps/web deployment.apps/api" ]
  [ "$(orch-get deploy/web cm/one -o name | xargs)" = "deployment.apps/web configmap/one" ]
  [ "$(orch-get deployments,cm -o name | grep -c /)" -ge 4 ]
  [ "$(orch-get deployments configmaps -o name | grep -c /)" -ge 4 ]
  [ "$(orch-get Deployment.apps web -o name)" = deployment.apps/web ]
  [ "$(orch-get deployments -l app=web -o name)" = deployment.apps/web ]
  [ "$(orch-get deployments -l 'app notin (web)' -o name)" = deployment.apps/api ]
  [ "$(orch-get deployments --field-selector metadata.name=api -o name)" = deployment.apps/api ]
  [ "$(orch-get namespaces/default -o name)" = namespace/default ]
}

@test "a category stands for its kinds" {
  [ "$(orch-get all -o name | sort | xargs)" = "deployment.apps/api deployment.apps/web service/kubernetes" ]
  [ "$(orch-get all,cm -l app=web -o name)" = deployment.apps/web ]
  run ! orch-get all web
  [[ "$output" == *"'all' is a category of kinds: a name ('web') does not go with it"* ]]
  run ! orch-get al
  [[ "$output" == *"no kind 'al'"* ]]
}

@test "the objects that a stream names" {
  [ "$(deployment web 9 | orch-get -f - | json .spec.replicas)" = 2 ]
  deployment web 9 >"$BATS_TEST_TMPDIR/a.yaml"
  configmap one >"$BATS_TEST_TMPDIR/b.json"
  echo junk >"$BATS_TEST_TMPDIR/readme.txt"
  [ "$(orch-get -f "$BATS_TEST_TMPDIR" -o name | xargs)" = "deployment.apps/web configmap/one" ]
  [ "$(orch-get deployments | orch-get -o name | wc -l)" -eq 2 ]
}

@test "namespaces" {
  orch-api -d '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"other"}}' /api/v1/namespaces >/dev/null
  configmap far | orch-apply -n other >/dev/null
  [ "$(orch-get cm -n other -o name | grep -c configmap/far)" -eq 1 ]
  run -1 orch-get cm/far
  [ "$(orch-get cm -A | json 'select(.metadata.name == "far").metadata.namespace')" = other ]
  run -2 orch-get cm/far -A
}

@test "what is not there" {
  run -1 --separate-stderr orch-get deployment/web deployment/none deployment/api -o name
  [ "$output" = $'deployment.apps/web\ndeployment.apps/api' ]
  [[ $stderr == *'deployments.apps "none" not found'* ]]
  run -0 orch-get deployment/none --ignore-not-found
  [ -z "$output" ]
  run -2 orch-get gadgets
  [[ $output == *"no kind 'gadgets'"* ]]
}

@test "formats" {
  [ "$(orch-get deployments -o json | json '.kind + ":" + (.items | length | tostring)')" = List:2 ]
  [ "$(orch-get deployment/web -o json | json .kind)" = Deployment ]
  [ "$(orch-get deployments -o jsonpath='{.items[*].metadata.name}')" = "api web" ]
  [ "$(orch-get deployment/web -o jsonpath='{.spec.replicas}')" = 2 ]
  orch-get deployments -o table | head -n 1 | grep -q '^NAME '
  [ "$(orch-get deployments -o table --no-headers | wc -l)" -eq 2 ]
  orch-get deployment/web -o yaml | orch-get -f - -o name | grep -qx deployment.apps/web
  run -2 orch-get deployments -o nonsense
}

@test "mistakes are told" {
  run -2 orch-get deployment/web -l app=web
  run -2 orch-get deployment/
  run -2 orch-get pods,,services
  run -2 orch-get -l app=web </dev/null
  run -2 orch-get pods -f /nonexistent
  run -2 orch-get -f /nonexistent
  run -2 orch-get deployments -l 'a in ('
}

@test "a server that is not there is named" {
  run -3 env KUBECONFIG= orch-get pods -s http://127.0.0.1:1
  [[ $output == *"http://127.0.0.1:1"* ]]
  run -3 orch-get pods -s unix:/nonexistent/socket
  [[ $output == *"unix:/nonexistent/socket"* ]]
  run -2 env KUBECONFIG= orch-get pods
  [[ $output == *"no server is configured"* ]]
  run -2 orch-get pods -s ftp://x
  run -2 env KUBECONFIG=/nonexistent orch-get pods --context x
}

@test "the unix socket, ORCH_SERVER and kubeconfigs merged" {
  [ "$(ORCH_SERVER=unix:$STORE/socket KUBECONFIG='' orch-get deployment/web -o name)" = deployment.apps/web ]
  cat >"$BATS_TEST_TMPDIR/first" <<END
{"kind": "Config", "current-context": "mine", "contexts": [{"name": "mine", "context":
  {"cluster": "orch", "user": "admin", "namespace": "kube-system"}}]}
END
  run -2 orch-get pods --context none
  [[ $output == *"no context 'none'"* ]]
}

@test "a server with the wrong certificate is not trusted" {
  sed '/certificate-authority-data/d' "$KUBECONFIG" >"$BATS_TEST_TMPDIR/noca"
  run -2 orch-get pods --kubeconfig "$BATS_TEST_TMPDIR/noca"
  [[ $output == *"cannot trust server"* ]]
}

@test "a full output is a failure" {
  run -3 bash -c 'orch-get deployments >/dev/full'
}

@test "-w goes on with what changes" {
  configmap watched 1 | orch-apply
  { sleep 0.4; configmap watched 2 | orch-apply; } >/dev/null 3>&- &
  run -0 timeout 10 bash -c 'orch-get -w cm/watched -o jsonl | head -n 2'
  [ "$(json .data.key <<<"$output")" = "1
2" ]
  run -0 timeout 10 bash -c 'orch-get -w configmaps -o name | head -n 1' # nobody reads: it ends by itself
  run -0 timeout 10 bash -c 'orch-get --watch cm -o table | head -n 1'
  [[ $output == NAME*DATA*AGE ]]
}
