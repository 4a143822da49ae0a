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
  orch-apply --server-side=false <<<'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"note"},"data":{"b":"<&>","a":"1"}}'
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

@test "one refused object: nothing is applied, and all that is wrong is told" {
  run -2 --separate-stderr orch-apply < <(configmap before; printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: "No"}\n---\napiVersion: x/v1\nkind: Nothing\nmetadata: {name: nn}\n'; configmap after)
  [ "$output" = "" ]
  [[ $stderr == *"standard input:4: cannot apply ConfigMap 'No'"* ]]
  [[ $stderr == *"no kind 'Nothing'"* ]]
  [[ $stderr == *"nothing is applied"* ]]
  run -1 orch-get cm/before
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

# --- server-side apply ---------------------------------------------------------------------------

managers() { orch-get "$1" | json '[.metadata.managedFields[] | .manager + ":" + .operation] | sort | join(" ")'; }

@test "the applier owns its fields and nothing else" {
  deployment owned 2 | orch-apply
  [ "$(managers deployment/owned)" = "orch-apply:Apply" ]
  [ "$(orch-get deployment/owned | json '.metadata.managedFields[0].fieldsV1["f:spec"] | keys | join(" ")')" = "f:replicas f:selector f:template" ]
  configmap owned | orch-apply --field-manager=ci
  [ "$(managers cm/owned)" = "ci:Apply" ]
}

@test "two managers: a conflict is told by field and owner, --force-conflicts takes it over" {
  deployment fight 2 | orch-apply --field-manager=alice
  run -3 --separate-stderr orch-apply --field-manager=bob < <(deployment fight 3 web:2)
  [ "$output" = "" ]
  [[ $stderr == *"cannot apply Deployment 'fight': 2 fields are managed by others; --force-conflicts takes them over"* ]]
  [[ $stderr == *'.spec.replicas is managed by "alice"'* ]]
  [[ $stderr == *'.spec.template.spec.containers[name="main"].image is managed by "alice"'* ]]
  [ "$(orch-get deployment/fight | json .spec.replicas)" = 2 ]
  run -3 orch-apply --dry-run=client --field-manager=bob < <(deployment fight 3)
  [[ $output == *'.spec.replicas is managed by "alice"'* ]]
  run -0 orch-apply --field-manager=bob --force-conflicts < <(deployment fight 3 web:2)
  [ "$output" = "deployment.apps/fight configured" ]
  [ "$(orch-get deployment/fight | json .spec.replicas)" = 3 ]
}

@test "a part of an object is enough where the rest is there" {
  deployment part 2 | orch-apply --field-manager=owner
  run -0 orch-apply --field-manager=labeller <<<'{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"part","labels":{"team":"a"}}}'
  [ "$output" = "deployment.apps/part configured" ]
  [ "$(orch-get deployment/part | json '[.metadata.labels.team, .spec.replicas] | @csv')" = '"a",2' ]
  run -2 orch-apply <<<'{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"whole"}}'
}

@test "what was applied client-side goes over: no conflict, and removed fields go" {
  old() { echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"mig"},"data":{"a":"1","b":"2"}}'; }
  old | orch-apply --server-side=false --field-manager=kubectl-client-side-apply
  orch-api -q -X PATCH -d '{"data":{"theirs":"3"}}' '/api/v1/namespaces/default/configmaps/mig?fieldManager=other'
  run -0 orch-apply --dry-run <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"mig"},"data":{"a":"9"}}'
  [ "$output" = "configmap/mig configured (dry run)" ]
  [ "$(managers cm/mig)" = "kubectl-client-side-apply:Update other:Update" ]
  run -0 orch-apply <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"mig"},"data":{"a":"9"}}'
  [ "$output" = "configmap/mig configured" ]
  [ "$(orch-get cm/mig | json .data)" = '{"a":"9","theirs":"3"}' ]
  [ "$(managers cm/mig)" = "orch-apply:Apply other:Update" ]
  [ "$(orch-get cm/mig | json '.metadata.annotations')" = null ]
  run -0 orch-apply --exit-code <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"mig"},"data":{"a":"9"}}'
}

@test "unknown fields are refused, told, or dropped" {
  typo() { echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"typo"},"date":{"a":"1"}}'; }
  run -2 orch-apply < <(typo)
  [[ $output == *'.date: field not declared in schema'* ]]
  run -1 orch-get cm/typo
  run -0 --separate-stderr orch-apply --unknown=warn < <(typo)
  [[ $stderr == *'warning: standard input:1: unknown field "date"'* ]]
  run -0 --separate-stderr orch-apply --unknown=ignore < <(typo)
  [ "$stderr" = "" ]
}

@test "the same object twice in the input is a mistake" {
  run -2 orch-apply < <(configmap twice 1; configmap twice 2)
  [[ $output == *"the same object stands at standard input:2"* ]]
  run -1 orch-get cm/twice
}

# --- bundles ---------------------------------------------------------------------------------------

bundle() { # NAMESPACE: unsorted on purpose
  cat <<END
{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"$1"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}
{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"conf","namespace":"$1"},"data":{"a":"1"}}
{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"$1"}}
END
}

@test "a bundle with its namespace: in order, also as a dry run" {
  run -0 orch-apply --dry-run < <(bundle bun)
  [ "$output" = $'namespace/bun created (dry run)\nconfigmap/conf created (dry run)\ndeployment.apps/web created (dry run)' ]
  run -1 orch-get ns/bun
  run -0 orch-apply < <(bundle bun)
  [ "$output" = $'namespace/bun created\nconfigmap/conf created\ndeployment.apps/web created' ]
  run -0 orch-apply --exit-code < <(bundle bun)
  [ "$output" = $'namespace/bun unchanged\nconfigmap/conf unchanged\ndeployment.apps/web unchanged' ]
}

@test "what is to go into a new namespace is checked here first" {
  run -2 orch-apply < <(bundle bad | sed 's/"image":"i"/"image":7/')
  [[ $output == *"Deployment 'web'"*"nothing is applied"* ]]
  run -2 orch-apply < <(bundle bad | sed 's/,"image":"i"//')
  [[ $output == *"image: Required value"* ]]
  run -2 orch-apply < <(bundle bad | sed 's/"image"/"imagee"/')
  [[ $output == *'unknown field "spec.template.spec.containers[0].imagee"'* ]]
  run -1 orch-get ns/bad
}

@test "a Pod and what it cannot be without, in one stream" {
  needs() {
    echo '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"robot"},"spec":{"serviceAccountName":"robot","priorityClassName":"high","containers":[{"name":"c","image":"i"}]}}'
    echo '{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"robot"}}'
    echo '{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"high"},"value":5}'
  }
  run -2 orch-apply < <(needs | head -n 1)
  [[ $output == *"nothing is applied"* ]]
  run -0 orch-apply --dry-run < <(needs)
  [ "${#lines[@]}" = 3 ]
  run -2 orch-apply < <(needs | sed 's/,"image":"i"//') # checked here
  [[ $output == *"nothing is applied"* ]]
  run -1 orch-get sa/robot
  run -0 orch-apply < <(needs)
  [ "$output" = $'priorityclass.scheduling.k8s.io/high created\nserviceaccount/robot created\npod/robot created' ]
}

@test "five hundred objects in one stream" {
  many() { for i in $(seq 500); do echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"many-$i\"},\"data\":{\"v\":\"$1\"}}"; done; }
  run -0 orch-apply < <(many 1)
  [ "${#lines[@]}" = 500 ]
  [ "${lines[0]}" = "configmap/many-1 created" ]
  [ "${lines[499]}" = "configmap/many-500 created" ]
  [ "$(orch-apply < <(many 1) | grep -c unchanged)" = 500 ]
  # killed in the middle: the same input again makes it whole
  orch-apply < <(many 2) >"$BATS_TEST_TMPDIR/out" 2>/dev/null &
  pid=$!
  wait_for 10 grep -q configured "$BATS_TEST_TMPDIR/out"
  kill -KILL $pid
  orch-apply < <(many 2) >/dev/null
  [ "$(orch-get cm | json 'select(.metadata.name | startswith("many-")) | .data.v' | sort | uniq -c | tr -s ' ')" = " 500 2" ]
  orch-delete cm -l '!none' --wait=false >/dev/null
}

# --- all or nothing --------------------------------------------------------------------------------

# A refusal that no dry run foresees: the quota counts only what is really written.
@test "--all-or-nothing puts everything back: content, managers, and what was created" {
  orch-apply <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"back"},"data":{"a":"1"}}'
  orch-api -q -X PATCH -d '{"data":{"theirs":"1"}}' '/api/v1/namespaces/default/configmaps/back?fieldManager=other'
  before=$(orch-get cm/back | json '{data, managedFields: .metadata.managedFields}')
  refusing() {
    echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"back"},"data":{"a":"2","b":"2"}}'
    echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"fresh"},"data":{"a":"2"}}'
    echo '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"doomed"}}'
    echo '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"nope","namespace":"doomed"},"spec":{"priorityClassName":"no-such-class","containers":[{"name":"c","image":"i"}]}}'
  }
  run -2 --separate-stderr orch-apply --all-or-nothing < <(refusing)
  [ "$output" = "" ]
  [[ $stderr == *"cannot apply Pod 'nope'"* ]]
  [[ $stderr == *"configmap/fresh deleted again"* ]]
  [[ $stderr == *"configmap/back put back"* ]]
  [ "$(orch-get cm/back | json '{data, managedFields: .metadata.managedFields}')" = "$before" ]
  run -1 orch-get cm/fresh
  [ "$(orch-get ns/doomed --ignore-not-found | json '.status.phase')" != Active ]
}

# --- applysets ---------------------------------------------------------------------------------------

cm() { echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"$1\",\"namespace\":\"${2:-default}\"}}"; }

@test "an applyset prunes what is no longer in the input, in every namespace it was in" {
  orch-apply < <(bundle setns) >/dev/null
  run -0 orch-apply --applyset app --prune < <(cm one; cm two; cm three setns)
  [ "$output" = $'configmap/one created\nconfigmap/two created\nconfigmap/three created' ]
  id=$(orch-get secret/app | json '.metadata.labels["applyset.kubernetes.io/id"]')
  # base64(sha256("app.default.Secret."))
  [ "$id" = "applyset-$(printf 'app.default.Secret.' | sha256sum | cut -c1-64 | xxd -r -p | base64 | tr '+/' '-_' | tr -d '=')-v1" ]
  [ "$(orch-get secret/app | json '.metadata.annotations["applyset.kubernetes.io/contains-group-kinds", "applyset.kubernetes.io/additional-namespaces"]' | xargs)" = "ConfigMap setns" ]
  [ "$(orch-get cm -A -l "applyset.kubernetes.io/part-of=$id" -o name | wc -l)" = 3 ]
  run -0 orch-apply --applyset app --prune --dry-run < <(cm one)
  [ "$output" = $'configmap/one unchanged (dry run)\nconfigmap/two pruned (dry run)\nconfigmap/three pruned (dry run)' ]
  run -0 orch-apply --applyset app --prune --dry-run=client < <(cm one)
  [ "$output" = $'configmap/one unchanged (dry run)\nconfigmap/two pruned (dry run)\nconfigmap/three pruned (dry run)' ]
  orch-get cm/two >/dev/null
  run -0 orch-apply --applyset app --prune < <(cm one)
  [ "$output" = $'configmap/one unchanged\nconfigmap/two pruned\nconfigmap/three pruned' ]
  [ "$(orch-get secret/app | json '.metadata.annotations["applyset.kubernetes.io/additional-namespaces"]')" = "" ]
  run -0 orch-apply --applyset app --prune --exit-code < <(cm one)
  orch-get cm/conf -n setns >/dev/null # never was a member
}

@test "an applyset leaves alone what is another's, and keeps away from other tools" {
  orch-apply --applyset configmap/left --prune < <(cm shared) >/dev/null
  run -2 orch-apply --applyset right --prune < <(cm shared)
  [[ $output == *"is part of another applyset"*"nothing is applied"* ]]
  run -1 orch-get secret/right
  orch-apply -l 'a notin (b)' --prune < <(cm else) # by labels: members of applysets are not its
  orch-get cm/shared >/dev/null
  orch-api -q -X PATCH -d '{"metadata":{"annotations":{"applyset.kubernetes.io/tooling":"kubectl/v1.35"}}}' /api/v1/namespaces/default/configmaps/left
  run -2 orch-apply --applyset configmap/left --prune < <(cm shared)
  [[ $output == *"kept by 'kubectl/v1.35'"* ]]
  run -2 orch-apply --applyset configmap/shared --prune < <(cm other)
  [[ $output == *"no applyset"* ]]
  run -2 orch-apply --applyset deployment/x --prune < <(cm other)
}

@test "nothing is pruned after a failure, nor from empty input" {
  orch-apply --applyset safe --prune < <(cm safe-1; cm safe-2) >/dev/null
  run -2 orch-apply --applyset safe --prune < <(cm safe-1; echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NO"}}')
  run -2 orch-apply --applyset safe --prune </dev/null
  orch-get cm safe-1 safe-2 >/dev/null
}

@test "a kind that is gone from the server does not keep a set from being pruned" {
  orch-apply --applyset gone --prune < <(cm g1; cm g2) >/dev/null
  orch-patch secret/gone -p '{"metadata":{"annotations":{"applyset.kubernetes.io/contains-group-kinds":"ConfigMap,Widget.example.com"}}}'
  run -0 orch-apply --applyset gone --prune < <(cm g1)
  [ "$output" = $'configmap/g1 unchanged\nconfigmap/g2 pruned' ]
  [ "$(orch-get secret/gone | json '.metadata.annotations["applyset.kubernetes.io/contains-group-kinds"]')" = ConfigMap ]
  # of a group that is there nobody knows
  orch-patch secret/gone -p '{"metadata":{"annotations":{"applyset.kubernetes.io/contains-group-kinds":"ConfigMap,Widget.apps"}}}'
  run -2 orch-apply --applyset gone --prune < <(cm g1)
  [[ $output == *"cannot look for what to prune of Widget.apps"* ]]
}

@test "an applyset in the namespace that the bundle makes" {
  run -0 orch-apply --applyset rel --prune -n relns < <(bundle relns)
  [ "$output" = $'namespace/relns created\nconfigmap/conf created\ndeployment.apps/web created' ]
  [ "$(orch-get secret/rel -n relns | json '.metadata.annotations["applyset.kubernetes.io/contains-group-kinds"]')" = "ConfigMap,Deployment.apps,Namespace" ]
}

# --- servers that refuse: tests/cmd/proxy.py stands between ------------------------------------------

# between RULES: sets ORCH_SERVER
between() {
  command -v python3 >/dev/null || skip "no python3"
  RULES=$1 background python3 "$BATS_TEST_DIRNAME/proxy.py" "$STORE/socket" "$BATS_TEST_TMPDIR/port"
  wait_for 10 test -f "$BATS_TEST_TMPDIR/port"
  export ORCH_SERVER=http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port") KUBECONFIG=/nonexistent
}

@test "a kind that the server cannot apply is merged here, and that is told" {
  between 'PATCH configmaps.*apply-patch 415 UnsupportedMediaType no'
  run -0 --separate-stderr orch-apply < <(configmap old 1; deployment newer 1)
  [ "$output" = $'configmap/old created\ndeployment.apps/newer created' ]
  [[ $stderr == *"warning: the server has no server-side apply for configmaps: merging here"* ]]
  run -0 --separate-stderr orch-apply --exit-code < <(configmap old 1)
  run -1 --separate-stderr orch-apply --exit-code < <(configmap old 2)
  [ "$output" = "configmap/old configured" ]
  [ "$(orch-get cm/old | json '.metadata.managedFields[0].operation')" = Update ]
  run -0 orch-apply --dry-run < <(configmap old 3)
  [[ $output == *"configmap/old configured (dry run)"* ]]
  [ "$(orch-get cm/old | json .data.key)" = 2 ]
}

@test "a webhook that takes no dry run: a warning, and it is applied" {
  between 'PATCH configmaps/hook.*dryRun 400 BadRequest admission webhook "w" does not support dry run'
  run -0 --separate-stderr orch-apply < <(configmap hook 1)
  [ "$output" = "configmap/hook created" ]
  [[ $stderr == *"ConfigMap 'hook' cannot be tried out"* ]]
  run -0 orch-apply < <(configmap hook 1)
  [[ $output == *"configmap/hook unchanged"* ]]
}

@test "without --all-or-nothing the others are applied" {
  between 'PATCH configmaps/w2\?((?!dryRun).)*$ 403 Forbidden exceeded quota'
  run -2 --separate-stderr orch-apply < <(configmap w1; configmap w2; configmap w3)
  [ "$output" = $'configmap/w1 created\nconfigmap/w3 created' ]
  [[ $stderr == *"cannot apply ConfigMap 'w2': exceeded quota"* ]]
  run -2 --separate-stderr orch-apply --applyset keeps --prune < <(configmap w1; configmap w2)
  [[ $stderr == *"nothing is pruned"* ]]
}

@test "--all-or-nothing: what others did meanwhile stays, what cannot be put back is told by 3" {
  configmap mine 1 | orch-apply
  deployment undone 1 | orch-apply
  configmap theirs 1 | orch-apply
  state() { for o in cm/mine deployment/undone; do orch-get "$o" | json '{data, spec, managedFields: .metadata.managedFields, labels: .metadata.labels}'; done; }
  before=$(state)
  mkdir "$BATS_TEST_TMPDIR/bin"
  cat >"$BATS_TEST_TMPDIR/between" <<END
export KUBECONFIG=$KUBECONFIG
$BIN/orch-patch cm/theirs --type=merge -p '{"data":{"meanwhile":"1"}}'
END
  between "PATCH statefulsets/.*((?!dryRun).)*$ 0 run grep -q . /dev/null; [ -e $BATS_TEST_TMPDIR/armed ] && sh $BATS_TEST_TMPDIR/between
PATCH statefulsets/last\?((?!dryRun).)*\$ 403 Forbidden exceeded quota"
  touch "$BATS_TEST_TMPDIR/armed"
  input() {
    configmap mine 2; configmap theirs 2; configmap fresh 2; deployment undone 5 web:7
    deployment last 1 | sed 's/Deployment/StatefulSet/; s/^spec:/spec:\n  serviceName: x/'
  }
  run -2 --separate-stderr orch-apply --all-or-nothing < <(input)
  [ "$output" = "" ]
  [[ $stderr == *"exceeded quota"*"deployment.apps/undone put back"*"configmap/fresh deleted again"*"configmap/theirs put back"*"configmap/mine put back"* ]]
  [ "$(state)" = "$before" ]
  run -1 orch-get cm/fresh
  [ "$(orch-get cm/theirs | json .data)" = '{"key":"1","meanwhile":"1"}' ]
  # somebody replaces it in between: that is not ours to undo
  echo "export KUBECONFIG=$STORE/admin.kubeconfig; $BIN/orch-delete cm/theirs; echo '{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"theirs\"}}' | $BIN/orch-create" >"$BATS_TEST_TMPDIR/between"
  run -3 --separate-stderr orch-apply --all-or-nothing < <(input)
  [[ $stderr == *"cannot put configmap/theirs back: somebody has replaced it"*"configmap/mine put back"*"not everything could be put back"* ]]
  [ "$(orch-get cm/theirs | json .data)" = null ]
  [ "$(state)" = "$before" ]
}

@test "--all-or-nothing takes the applyset's record back as well" {
  between 'PATCH secrets/no\?((?!dryRun).)*$ 403 Forbidden no'
  cm() { echo "{\"apiVersion\":\"v1\",\"kind\":\"$2\",\"metadata\":{\"name\":\"$1\"}}"; }
  run -2 orch-apply --all-or-nothing --applyset configmap/rec --prune < <(cm yes ConfigMap; cm no Secret)
  run -1 orch-get cm/rec
  run -0 orch-apply --applyset configmap/rec --prune < <(cm yes ConfigMap)
  run -2 orch-apply --all-or-nothing --applyset configmap/rec --prune < <(cm yes ConfigMap; cm no Secret)
  [ "$(orch-get cm/rec | json '.metadata.annotations["applyset.kubernetes.io/contains-group-kinds"]')" = ConfigMap ]
}

@test "killed between two writes: the record knows, and the next run prunes" {
  cm() { echo "{\"apiVersion\":\"v1\",\"kind\":\"$2\",\"metadata\":{\"name\":\"$1\"}}"; }
  orch-apply --applyset kill --prune < <(cm k1 ConfigMap) >/dev/null
  between "PATCH configmaps/k2\?((?!dryRun).)*\$ 0 x kill -KILL \$(cat $BATS_TEST_TMPDIR/pid)
PATCH configmaps/k2\?((?!dryRun).)*\$ 503 ServiceUnavailable gone"
  { cm sk Secret; cm k2 ConfigMap; } >"$BATS_TEST_TMPDIR/in"
  run sh -c 'echo $$ >"$0/pid"; exec orch-apply --applyset kill --prune -f "$0/in"' "$BATS_TEST_TMPDIR"
  [ "$status" = 137 ]
  unset ORCH_SERVER
  export KUBECONFIG=$STORE/admin.kubeconfig
  orch-get secret/sk cm/k1 >/dev/null
  # another input than the one that was killed: the Secret is remembered
  run -0 orch-apply --applyset kill --prune < <(cm k3 ConfigMap)
  [ "$(sort <<<"$output")" = $'configmap/k1 pruned\nconfigmap/k3 created\nsecret/sk pruned' ]
}

@test "an object that somebody made anew is not pruned by what was known of the old one" {
  cm() { echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"$1\"}}"; }
  orch-apply --applyset anew --prune < <(cm s1; cm s2) >/dev/null
  echo "export KUBECONFIG=$KUBECONFIG; $BIN/orch-delete cm/s2; echo '{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"s2\"}}' | $BIN/orch-create" >"$BATS_TEST_TMPDIR/between"
  between "DELETE configmaps/s2 0 x sh $BATS_TEST_TMPDIR/between"
  run -3 orch-apply --applyset anew --prune < <(cm s1)
  [[ $output == *"cannot prune configmap 's2'"* ]]
  run -0 orch-apply --applyset anew --prune --exit-code < <(cm s1)
  orch-get cm/s2 >/dev/null # it is no member any more
}

@test "a definition and its custom resources in one stream" {
  between "PATCH /apis/example.com/v1/namespaces/default/widgets/w ECHO NotFound $BATS_TEST_TMPDIR/served"
  widgets() {
    echo '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"},"spec":{"size":3}}'
    echo "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\",\"metadata\":{\"name\":\"widgets.example.com\"},\"spec\":{\"group\":\"example.com\",\"scope\":\"Namespaced\",\"names\":{\"plural\":\"widgets\",\"singular\":\"widget\",\"kind\":\"Widget\",\"listKind\":\"WidgetList\"},\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true,\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}}}]}}"
  }
  run -0 --separate-stderr orch-apply --dry-run < <(widgets)
  [ "$output" = $'customresourcedefinition.apiextensions.k8s.io/widgets.example.com created (dry run)\nwidget.example.com/w created (dry run)' ]
  [[ $stderr == *"warning: the server has no 'widgets.example.com' yet: its objects are checked by it, here" ]]
  run -3 --separate-stderr orch-apply --timeout 0.5s < <(widgets)
  [[ $stderr == *"cannot apply Widget 'w': the server has not begun to serve its kind within 0.5s" ]]
  orch-delete crd/widgets.example.com
  # served a moment after the definition was written
  { wait_for 10 orch-get crd/widgets.example.com; sleep 0.3; touch "$BATS_TEST_TMPDIR/served"; } >/dev/null 3>&- &
  run -0 orch-apply < <(widgets)
  [ "$output" = $'customresourcedefinition.apiextensions.k8s.io/widgets.example.com created\nwidget.example.com/w created' ]
  run -2 orch-apply < <(widgets | head -n 1 | sed 's/Widget/Gadget/')
  [[ $output == *"cannot apply Gadget 'w': the server has no kind 'Gadget' in 'example.com/v1'"* ]]
}

@test "--all-or-nothing while controllers work" {
  deployment busy 1 | orch-apply
  background orch-reconcile -w all
  wait_for 10 sh -c 'orch-get deployment/busy | jq -e ".status.replicas == 1"'
  between 'PATCH ingresses/last\?((?!dryRun).)*$ 0 x sleep 1
PATCH ingresses/last\?((?!dryRun).)*$ 403 Forbidden exceeded quota'
  state() { orch-get deployment/busy | json '{spec, labels: .metadata.labels, mine: [.metadata.managedFields[] | select(.manager == "orch-apply")]}'; }
  before=$(state)
  run -2 --separate-stderr orch-apply --all-or-nothing < <(deployment busy 3 web:9; deployment made 2; echo ---
    echo '{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"last"},"spec":{"defaultBackend":{"service":{"name":"x","port":{"number":80}}}}}')
  [[ $stderr == *"deployment.apps/made deleted again"*"deployment.apps/busy put back"* ]]
  [[ $stderr != *"cannot put"* ]]
  [ "$(state)" = "$before" ]
  wait_for 10 sh -c 'orch-get deployment/busy | jq -e ".status.updatedReplicas == 1 and .status.observedGeneration == .metadata.generation"'
  wait_for 10 sh -c '[ -z "$(orch-get rs -l app=made -o name)" ]'
}

@test "--all-or-nothing, interrupted: back as it was" {
  configmap before 1 | orch-apply
  between "PATCH secrets/slow\?((?!dryRun).)*\$ 0 x touch $BATS_TEST_TMPDIR/there; sleep 1"
  { configmap before 2; configmap new; echo '--- {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "slow"}}'
    deployment later 1; } >"$BATS_TEST_TMPDIR/in"
  orch-apply --all-or-nothing -f "$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  pid=$!
  wait_for 10 test -e "$BATS_TEST_TMPDIR/there"
  kill -TERM $pid
  status=0
  wait $pid || status=$?
  [ $status = 3 ]
  grep -q 'interrupted' "$BATS_TEST_TMPDIR/out"
  grep -q 'secret/slow deleted again' "$BATS_TEST_TMPDIR/out"
  [ "$(orch-get cm/before | json .data.key)" = 1 ]
  [ -z "$(orch-get --ignore-not-found cm/new secret/slow deployment/later)" ]
}

@test "a status that moves meanwhile is no change" {
  deployment moving 1 | orch-apply
  echo "export KUBECONFIG=$KUBECONFIG; $BIN/orch-patch deployment/moving --subresource=status --type=merge -p \"{\\\"status\\\":{\\\"observedGeneration\\\":\$\$}}\"" >"$BATS_TEST_TMPDIR/between"
  between "PATCH deployments/moving 0 x sh $BATS_TEST_TMPDIR/between"
  run -0 orch-apply --exit-code < <(deployment moving 1)
  [ "$output" = "deployment.apps/moving unchanged" ]
  [ "$(orch-get deployment/moving | json .status.observedGeneration)" != null ]
}
