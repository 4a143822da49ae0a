#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

@test "0 the same, 1 different, and only what differs" {
  deployment web 2 | orch-apply
  run -0 orch-diff < <(deployment web 2)
  [ "$output" = "" ]
  run -1 orch-diff < <(deployment web 3)
  [[ $output == "--- live/default/deployment.apps/web"$'\n'"+++ wanted/default/deployment.apps/web"$'\n'"@@ "* ]]
  [[ $output == *$'\n-  replicas: 2\n+  replicas: 3\n'* ]]
  [[ $output != *managedFields* && $output != *resourceVersion* && $output != *generation* ]]
  [ "$(orch-get deployment/web | json .spec.replicas)" = 2 ]
}

@test "the diff is one that patch understands" {
  command -v patch >/dev/null || skip "no patch"
  configmap p 1 | orch-apply
  orch-get cm/p -o yaml | sed '/managedFields/,/time:/d' | grep -vE 'creationTimestamp|resourceVersion|uid' >"$BATS_TEST_TMPDIR/live"
  run -1 orch-diff < <(configmap p 2)
  patch -s "$BATS_TEST_TMPDIR/live" <<<"$output"
  grep -q 'key: "2"' "$BATS_TEST_TMPDIR/live"
}

@test "a new object is shown whole, with its new namespace as well" {
  run -1 orch-diff < <(echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"n","namespace":"fresh"},"data":{"a":"b"}}'; echo '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"fresh"}}')
  [[ $output == "--- /dev/null"$'\n'"+++ wanted/namespace/fresh"* ]]
  [[ $output == *"--- /dev/null"$'\n'"+++ wanted/fresh/configmap/n"$'\n'"@@ -0,0 +1,7 @@"* ]]
  [[ $output != *uid* && $output != *creationTimestamp* ]]
  run -1 orch-get ns/fresh
}

@test "what a Secret holds is not shown, that it changes is" {
  secret() { echo "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},\"stringData\":{\"same\":\"pssst\",\"other\":\"$1\"$2}}"; }
  secret hush1 ',"old":"x"' | orch-apply
  secret hush1 ',"old":"x"' | orch-apply --server-side=false --field-manager=other >/dev/null # the annotation holds it all
  run -1 orch-diff --force-conflicts < <(secret hush2 ',"new":"y"')
  [[ $output == *$'-  other: \'*** (before)\'\n'* ]]
  [[ $output == *$'+  other: \'*** (after)\'\n'* ]]
  [[ $output == *"+  new: '***'"* ]]
  for word in pssst hush "$(printf pssst | base64)" "$(printf hush1 | base64)" "$(printf hush2 | base64)"; do
    [[ $output != *"$word"* ]]
  done
}

@test "-o tells which; nothing when nothing differs" {
  { configmap a 1; configmap b 1; } | orch-apply
  run -1 orch-diff -o name < <(configmap a 1; configmap b 2; configmap c 3)
  [ "$output" = $'configmap/b\nconfigmap/c' ]
  [ "$(orch-diff -o jsonl < <(configmap b 2) | json .data.key)" = 2 ]
  run -0 orch-diff -o name < <(configmap a 1)
  [ "$output" = "" ]
}

@test "what would be pruned is shown as removed" {
  cm() { echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"$1\"}}"; }
  orch-apply --applyset set < <(cm stays; cm goes)
  run -0 orch-diff --applyset set < <(cm stays)
  run -1 orch-diff --applyset set --prune < <(cm stays)
  [[ $output == "--- live/default/configmap/goes"$'\n'"+++ /dev/null"$'\n'"@@ -1,"*" +0,0 @@"* ]]
  [[ $output != *stays* ]]
  orch-get cm/goes >/dev/null
  run -1 orch-diff --prune -l '!x' < <(cm other) # by labels, members of sets are not touched
  [[ $output != *goes* ]]
}

@test "a conflict is an error, with its manager" {
  configmap con 1 | orch-apply --field-manager=alice
  run -3 orch-diff < <(configmap con 2)
  [[ $output == *'.data.key is managed by "alice"'* ]]
  run -1 orch-diff --force-conflicts < <(configmap con 2)
  run -1 orch-diff --field-manager=alice < <(configmap con 2)
}

@test "mistakes are 2 and more, and the rest is compared" {
  run -2 orch-diff < <(echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"No"}}'; configmap fine)
  [[ $output == *"cannot apply ConfigMap 'No'"* && $output == *"+++ wanted/default/configmap/fine"* ]]
  run -2 orch-diff -n nowhere < <(configmap a)
  run -2 orch-diff -U x </dev/null
  run -2 orch-diff -f /nonexistent
  run -2 orch-diff -A < <(configmap a)
  run -3 orch-diff -s unix:/nonexistent < <(configmap a)
  run -0 orch-diff </dev/null
}

@test "another program can compare" {
  configmap ext 1 | orch-apply
  export TMPDIR=$BATS_TEST_TMPDIR
  run -1 orch-diff --external 'diff -ruN' < <(configmap ext 2)
  [[ $output == *"live/v1.ConfigMap.default.ext"*"wanted/v1.ConfigMap.default.ext"* ]]
  ORCH_DIFF='diff -rqN' run -1 orch-diff < <(configmap ext 2)
  [[ $output == "Files "*" differ" ]]
  run -0 orch-diff --external 'diff -ruN' < <(configmap ext 1)
  run -2 orch-diff --external 'exit 7; :' < <(configmap ext 1)
  [ -z "$(ls "$BATS_TEST_TMPDIR")" ]
}

@test "client-side: the annotation's record is what is compared with" {
  old() { echo "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"cs\"},\"data\":$1}"; }
  old '{"a":"1","b":"2"}' | orch-apply --server-side=false
  run -1 orch-diff --server-side=false < <(old '{"a":"1"}')
  [[ $output == *$'-  b: "2"'* && $output != *last-applied* ]]
  run -0 orch-diff --server-side=false < <(old '{"a":"1","b":"2"}')
}
