#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

@test "a stream is created in its order; what is there is 1 and left alone" {
  run -0 orch-create < <(configmap a; deployment b 1; configmap c)
  [ "$output" = $'configmap/a created\ndeployment.apps/b created\nconfigmap/c created' ]
  run -1 orch-create < <(configmap a other; configmap d)
  [[ $output == *"standard input:2: cannot create ConfigMap 'a': configmaps \"a\" already exists"* ]]
  [[ $output == *"configmap/d created"* ]]
  [ "$(orch-get cm/a | json .data.key)" = value ]
  [ "$(orch-get cm/a | json '.metadata.managedFields[].manager')" = orch-create ]
}

@test "names for the next program; generateName; what a server sets is not sent" {
  run -0 orch-create -o name <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"gen-"}}'
  [[ $output == configmap/gen-????? ]]
  orch-get "$output" >/dev/null
  configmap copy | orch-create
  orch-api -q -X POST -d '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"copies"}}' /api/v1/namespaces
  orch-get cm/copy | jq -c '.metadata.namespace = "copies"' | orch-create
  [ "$(orch-get cm/copy -n copies | json .metadata.uid)" != "$(orch-get cm/copy | json .metadata.uid)" ]
}

@test "many at once" {
  for i in $(seq 200); do configmap "m$i"; done | orch-create -o name >"$BATS_TEST_TMPDIR/names"
  [ "$(cat "$BATS_TEST_TMPDIR/names")" = "$(for i in $(seq 200); do echo "configmap/m$i"; done)" ]
}

@test "dry runs: server checks, client prints and needs no server" {
  run -0 orch-create --dry-run < <(configmap dry)
  [ "$output" = "configmap/dry created (dry run)" ]
  run -1 orch-get cm/dry
  export ORCH_SERVER=unix:/nonexistent KUBECONFIG=/nonexistent
  run -0 orch-create --dry-run=client -n there <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}'
  [ "$output" = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"there"}}' ]
  run -2 orch-create --dry-run=client <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"Not A Name"}}'
  run -2 orch-create --dry-run=client <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"date":{}}'
  [[ $output == *'unknown field "date"'* ]]
  run -0 orch-create --dry-run=client <<<'{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"}}'
  run -3 orch-create < <(configmap x)
}

# made NAME OPTION...: the manifest that the options make
made() { orch-create --dry-run=client "$@"; }

@test "configmaps: files, folders, environment files, literals, and what is no text" {
  cd "$BATS_TEST_TMPDIR"
  mkdir -p dir/sub && echo one >dir/one && echo two >dir/two.conf && printf '\377\376' >bin
  printf '\357\273\277# comment\nA=1\r\n\n  B=x=y\nHERE\nNOTHERE\n' >env
  [ "$(HERE=there made cm c --from-file=dir --from-file=renamed=dir/one --from-env-file=env --from-literal=l=v=w --from-literal=empty= | json -c .data)" = '{"one":"one\n","two.conf":"two\n","renamed":"one\n","A":"1","B":"x=y","HERE":"there","l":"v=w","empty":""}' ]
  [ "$(made cm c --from-file=bin | json -c '[.data, .binaryData] | @json')" = '[null,{"bin":"//4="}]' ]
  [ "$(made cm/c --from-literal=a=b | json .metadata.name)" = c ]
  run -2 made cm c --from-file=dir/one --from-literal=one=2
  [[ $output == *"key 'one' is there twice"* ]]
  run -2 made cm c --from-file=nothere
  run -2 made cm c --from-file=k=dir
  run -2 made cm c --from-file='bad key=bin'
  run -2 made cm c --from-literal=novalue
  printf '1A=x\n' >env2
  run -2 made cm c --from-env-file=env2
  [[ $output == *"env2:1: '1A' cannot be the name of a variable"* ]]
  run -0 orch-create cm real --from-file=dir
  [ "$(orch-get cm/real | json '.data | keys | join(" ")')" = "one two.conf" ]
  made cm real --from-literal=new=1 | orch-apply --force-conflicts
}

@test "secrets: base64, types, certificates, kubectl's words" {
  cd "$BATS_TEST_TMPDIR"
  [ "$(made secret s --from-literal=p=wörd | json '[.type, .data.p] | join(" ")')" = "Opaque $(printf wörd | base64)" ]
  [ "$(made secret generic s --from-literal=p=1 | json '[.metadata.name, .type] | join(" ")')" = "s Opaque" ]
  echo cert >c && echo key >k
  [ "$(made secret s --cert=c --key=k | json '[.type, (.data | keys | join(","))] | join(" ")')" = "kubernetes.io/tls tls.crt,tls.key" ]
  [ "$(made secret tls s --cert=c --key=k | json .type)" = kubernetes.io/tls ]
  run -2 made secret s --cert=c
  run -2 made secret tls s --from-literal=a=b # the schema knows what a certificate needs
  [ "$(made secret s --type=example.com/x | json .type)" = example.com/x ]
}

@test "deployments, jobs, cronjobs" {
  run -0 orch-create deployment d --image=reg:5000/team/web:1 --image=side@sha256:aa --replicas=3 --port=80
  [ "$(orch-get deployment/d | json '[.spec.replicas, (.spec.template.spec.containers[] | .name)] | join(" ")')" = "3 web side" ]
  [ "$(made deploy d --image=i -- sleep 1 --x | json '.spec.template.spec.containers[0].command | join(" ")')" = "sleep 1 --x" ]
  run -0 orch-create job j --image=i -- true
  [ "$(orch-get job/j | json .spec.template.spec.restartPolicy)" = Never ]
  run -0 orch-create cronjob nightly --image=i --schedule='0 3 * * *' -- backup -v
  run -0 orch-create job now --from=cronjob/nightly
  [ "$(orch-get job/now | json '[.metadata.ownerReferences[0].name, .metadata.annotations["cronjob.kubernetes.io/instantiate"], (.spec.template.spec.containers[0].command | join(" "))] | join(" ")')" = "nightly manual backup -v" ]
  run -1 orch-create job now2 --from=cronjob/none
  run -2 orch-create job now2 --from=deployment/d
  run -2 orch-create cronjob c --image=i
  run -2 orch-create cronjob c --image=i --schedule='never'
  run -2 orch-create deployment d2
  run -2 orch-create deployment d2 --image=i --replicas=-1
}

@test "services, namespaces, serviceaccounts" {
  run -0 orch-create svc s --tcp=80:8080 --tcp=443
  [ "$(orch-get svc/s | json '[.spec.type, .spec.selector.app, (.spec.ports[] | "\(.name)=\(.port):\(.targetPort)")] | join(" ")')" = "ClusterIP s 80-8080=80:8080 443=443:443" ]
  [ "$(made service nodeport n --tcp=80:http | json '[.spec.type, .spec.ports[0].targetPort] | join(" ")')" = "NodePort http" ]
  [ "$(made service n --external-name=db.example.com | json '[.spec.type, .spec.externalName] | join(" ")')" = "ExternalName db.example.com" ]
  run -2 made service n --type=odd --tcp=80
  run -2 made service n --tcp=http
  run -2 made service n --type=ExternalName
  run -0 orch-create ns made
  [ "$output" = "namespace/made created" ]
  run -0 orch-create sa robot -n made
  run -1 orch-create sa robot -n made
  run -1 orch-create sa robot -n nowhere
}

@test "mistakes" {
  run -2 orch-create pod p --image=i
  [[ $output == *"'pod' is none of"* ]]
  run -2 orch-create configmap
  run -2 orch-create ns n --image=i
  [[ $output == *"--image does not go with namespace"* ]]
  run -2 orch-create ns n extra
  run -2 orch-create ns n -f x
  run -2 orch-create -f /nonexistent
  run -2 orch-create < <(configmap half; echo '--- {"apiVersion": "v1", "ki')
  [[ $output == *"nothing is created"* ]]
  run -1 orch-get cm/half
  run -2 orch-create <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{}}'
  run -2 orch-create <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"t"},"date":{"a":"b"}}'
  run -0 --separate-stderr orch-create --unknown=warn <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"t"},"date":{"a":"b"}}'
  [[ $stderr == *'warning: standard input:1: unknown field "date"'* ]]
}
