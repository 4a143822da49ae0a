#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

@test "created, unchanged, configured" {
  run -0 orch-apply < <(deployment web 2)
  [ "$output" = "deployment.apps/web created" ]
  before=$(orch-get deployment/web | json .metadata.resourceVersion)
  run -0 orch-apply --exit-code < <(deployment web 2)
  [ "$output" = "deployment.apps/web unchanged" ]
  [ "$(orch-get deployment/web | json .metadata.resourceVersion)" = "$before" ]
  run -1 orch-apply --exit-code < <(deployment web 2 web:2)
  [ "$output" = "deployment.apps/web configured" ]
  [ "$(orch-get deployment/web -o jsonpath='{.spec.template.spec.containers[0].image}')" = web:2 ]
}

@test "what was applied and is no longer wanted goes, what others set stays" {
  orch-apply <<END
{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"three","labels":{"ours":"1","old":"1"}},"data":{"a":"1","b":"2"}}
END
  orch-api -X PATCH -d '{"metadata":{"labels":{"theirs":"1"}},"data":{"c":"3"}}' /api/v1/namespaces/default/configmaps/three >/dev/null
  orch-apply <<END
{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"three","labels":{"ours":"2"}},"data":{"a":"1"}}
END
  [ "$(orch-get cm/three | json .data)" = '{"a":"1","c":"3"}' ]
  [ "$(orch-get cm/three | json '.metadata.labels | to_entries | map(.key + "=" + .value) | sort | join(" ")')" = "ours=2 theirs=1" ]
}

@test "lists merge by their keys" {
  list() { printf '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"lists"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[%s]}}}}\n' "$1"; }
  names() { orch-get deployment/lists | json '[.spec.template.spec.containers[] | .name + "=" + .image] | join(" ")'; }
  list '{"name":"one","image":"a:1"},{"name":"two","image":"b:1"}' | orch-apply
  # somebody injects a container, as a service mesh does
  orch-get deployment/lists | jq -c '.spec.template.spec.containers |= [{"name":"side","image":"s:1"}] + .' |
    orch-api -q -X PUT -d - /apis/apps/v1/namespaces/default/deployments/lists >/dev/null
  list '{"name":"two","image":"b:2"},{"name":"three","image":"c:1"}' | orch-apply
  [ "$(names)" = "side=s:1 two=b:2 three=c:1" ]
  list '{"name":"two","image":"b:2"},{"name":"three","image":"c:1"}' | orch-apply --exit-code
}

@test "a change of strategy takes the other strategy's fields along" {
  strategy() { deployment strat 1 | sed "s/^spec:/spec:\n  strategy: $1/"; }
  strategy '{type: RollingUpdate, rollingUpdate: {maxSurge: 1}}' | orch-apply
  strategy '{type: Recreate}' | orch-apply
  [ "$(orch-get deployment/strat | json .spec.strategy)" = '{"type":"Recreate"}' ]
}

@test "the same amount written otherwise is no change" {
  limits() { printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"limits"},"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"%s","memory":"%s"}}}]}}' "$1" "$2"; }
  limits 1000m 1024Mi | orch-apply
  run -0 orch-apply --exit-code < <(limits 1000m 1024Mi)
  [ "$output" = "pod/limits unchanged" ]
}

@test "a Secret's stringData is not a change for ever" {
  secret() { echo '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"k":"wörd"}}'; }
  secret | orch-apply
  [ "$(orch-get secret/s | json .data.k | base64 -d)" = wörd ]
  run -0 orch-apply --exit-code < <(secret)
  [ "$output" = "secret/s unchanged" ]
}

@test "the annotation is kubectl's to the letter" {
  orch-apply <<<'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"note"},"data":{"b":"<&>","a":"1"}}'
  [ "$(orch-get cm/note | jq -j '.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"] + "|"')" = '{"apiVersion":"v1","data":{"a":"1","b":"\u003c\u0026\u003e"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"note","namespace":"default"}}
|' ]
}

@test "what orch-get prints can be edited and applied" {
  deployment edit 1 | orch-apply
  run -0 orch-apply < <(orch-get deployment/edit | jq '.spec.replicas = 4')
  [ "$output" = "deployment.apps/edit configured" ]
  [ "$(orch-get deployment/edit | json .spec.replicas)" = 4 ]
}

@test "a dry run changes nothing and finds what is wrong" {
  for mode in --dry-run --dry-run=server --dry-run=client; do
    run -0 orch-apply $mode < <(configmap dry)
    [ "$output" = "configmap/dry created (dry run)" ]
  done
  run -1 orch-get cm/dry
  run -2 orch-apply --dry-run <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"Not A Name"}}'
  run -2 orch-apply --dry-run=maybe </dev/null
}

@test "prune takes what is no longer in the input, and nothing else" {
  labelled() { configmap "$1" | sed 's/"name":"\([a-z]*\)"/"name":"\1","labels":{"set":"p"}/'; }
  { labelled keep; labelled drop; } | orch-apply
  labelled handmade | tail -n 1 | orch-api -q -d - /api/v1/namespaces/default/configmaps >/dev/null
  configmap unlabelled | orch-apply
  run -1 orch-apply --prune -l set=p --dry-run --exit-code < <(labelled keep)
  [[ $output == *"configmap/drop pruned (dry run)"* ]]
  orch-get cm/drop >/dev/null
  run -0 orch-apply --prune -l set=p < <(labelled keep)
  [ "$output" = $'configmap/keep unchanged\nconfigmap/drop pruned' ]
  orch-get cm keep handmade unlabelled >/dev/null
  run -2 orch-apply --prune </dev/null
  run -2 orch-apply --prune -l set=p </dev/null
  [[ $output == *"everything would be pruned"* ]]
  run -2 orch-apply --exit-code -n nowhere < <(labelled keep) # 1 would say: changed
}

@test "one refusal does not stop the others" {
  run -2 --separate-stderr orch-apply < <(configmap before; printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: "No"}\n---\napiVersion: x/v1\nkind: Nothing\nmetadata: {name: nn}\n'; configmap after)
  [ "$output" = $'configmap/before created\nconfigmap/after created' ]
  [[ $stderr == *"standard input:4: cannot apply ConfigMap 'No'"* ]]
  [[ $stderr == *"no kind 'Nothing'"* ]]
}

@test "a manifest that ends in the middle changes nothing" {
  run -2 orch-apply < <(configmap half; echo '--- {"apiVersion": "v1", "ki')
  [[ $output == *"nothing is applied"* ]]
  run -1 orch-get cm/half
  run -2 orch-apply -f /nonexistent
  run -2 orch-apply <<<'{"kind":"ConfigMap","metadata":{"name":"x"}}'
}

@test "namespaces: -n and the object's own must agree" {
  run -2 orch-apply -n kube-system <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"n","namespace":"default"}}'
  orch-apply -n kube-system < <(configmap n)
  [ "$(orch-get cm/n -n kube-system -o name)" = configmap/n ]
}

@test "output for the next program" {
  [ "$(configmap out | orch-apply -o jsonl | json .metadata.uid)" = "$(orch-get cm/out | json .metadata.uid)" ]
  [ "$(configmap out | orch-apply -o name)" = configmap/out ]
}

@test "many writers of one object: nobody's field is lost" {
  orch-apply <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"busy"},"data":{"x":"0"}}'
  for i in 1 2 3 4 5 6; do
    orch-api -X PATCH -d "{\"data\":{\"k$i\":\"1\"}}" /api/v1/namespaces/default/configmaps/busy >/dev/null &
    echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"busy\"},\"data\":{\"x\":\"$i\"}}" | orch-apply &
  done
  wait
  [ "$(orch-get cm/busy | json '.data | length')" = 7 ]
}
