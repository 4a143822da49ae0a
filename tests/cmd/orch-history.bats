#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

# version KIND/NAME: its resourceVersion now
version() { orch-get "$1" -o jsonl | json .metadata.resourceVersion; }
value() { orch-get "cm/$1" -o jsonl | json .data.key; }
# cm NAME VALUE...: a ConfigMap that had these values, one after the other
cm() { local name=$1 v; shift; for v; do configmap "$name" "$v" | orch-apply >/dev/null; done; }

@test "log: every version, when, who and what" {
  deployment a 1 | orch-apply
  orch-scale --replicas=3 deployment/a
  orch-label deployment/a tier=web app-
  orch-rollout restart deployment/a
  run -0 orch-history deployment/a -o table
  [ "${#lines[@]}" -eq 5 ]
  [[ ${lines[0]} == VERSION*TIME*WHO*CHANGE ]]
  [[ ${lines[1]} == *" orch-apply "*created ]]
  [[ ${lines[2]} == *" orch-scale "*"spec.replicas: 1 -> 3" ]]
  [[ ${lines[3]} == *" orch-label "*"-metadata.labels.app, +metadata.labels.tier: web" ]]
  [[ ${lines[4]} == *" orch-rollout "*"+spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]: 20"* ]]
  [[ ${lines[4]} =~ 20[0-9-]+T[0-9:]+Z ]]
  [ "$(awk 'NR > 1 {print $1}' <<<"$output" | tail -n 1)" = "$(version deployment/a)" ]
}

@test "log in a pipe is an event stream, by operand and by stream" {
  cm b 1 2 3
  orch-history log cm/b >"$BATS_TEST_TMPDIR/events"
  [ "$(json '[.type, .object.kind, .object.data.key]' <"$BATS_TEST_TMPDIR/events")" = '["ADDED","ConfigMap","1"]
["MODIFIED","ConfigMap","2"]
["MODIFIED","ConfigMap","3"]' ]
  orch-get cm/b -o jsonl | orch-history | cmp - "$BATS_TEST_TMPDIR/events"
  [ "$(orch-history log -o name cm/b | sort -u)" = configmap/b ]
  cm b2 1
  run -0 orch-history log -o table cm/b cm/b2
  [ "$(grep ^configmap <<<"$output" | tr '\n' ' ')" = "configmap/b configmap/b2 " ]
}

@test "show a version: by number, counted back, by time" {
  cm c 1 2 3
  second=$(orch-history log cm/c | json 'select(.object.data.key == "2") | .object.metadata.resourceVersion')
  shown() { orch-history show cm/c "$@" -o jsonl | json .data.key; }
  [ "$(shown)" = 3 ]
  [ "$(shown "$second")" = 2 ]
  cm other 1 # a later version of the store's, at which it was still the same
  [ "$(shown "$(version cm/other)")" = 3 ]
  [ "$(shown '~0')" = 3 ]
  [ "$(shown '~')" = 2 ]
  [ "$(shown '~2')" = 1 ]
  [ "$(shown @0s)" = 3 ]
  [ "$(shown "$(date -u +%Y-%m-%dT%H:%M:%SZ)")" = 3 ]
  [ "$(orch-history show cm/c '~1' -o yaml | grep -c 'key: "2"')" = 1 ]
  run -1 orch-history show cm/c '~3'
  [[ $output == *"it has only 3 versions, so there is no ~3"* ]]
  run -1 orch-history show cm/c @1h
  [[ $output == *"it did not exist at @1h"* ]]
  run -1 orch-history show cm/c 1
  run -1 orch-history show cm/c 999999999
  [[ $output == *"there is no revision 999999999 yet"* ]]
  run -2 orch-history show cm/c yesterday
  [[ $output == *"'yesterday' is no version"* ]]
  run -2 orch-history show cm/c 2999-01-01T00:00:00Z
}

@test "diff" {
  cm d 1 2 3
  run -0 orch-history diff cm/d
  [[ $output == "--- configmap/d "*"+++ configmap/d "* ]]
  grep -qx -- '-  key: "2"' <<<"$output"
  grep -qx -- '+  key: "3"' <<<"$output"
  not grep -q resourceVersion <<<"$output"
  grep -qx -- '-  key: "1"' <<<"$(orch-history diff cm/d '~2')"
  grep -qx -- '+  key: "1"' <<<"$(orch-history diff cm/d '~0' '~2')"
  run -0 orch-history diff cm/d '~1' '~1'
  [ -z "$output" ]
  run -1 orch-history diff --exit-code cm/d
  run -0 orch-history diff --exit-code cm/d '~1' '~1'
  orch-apply <<<'{"apiVersion":"v1","kind":"Secret","metadata":{"name":"d"},"stringData":{"a":"very-secret-1","b":"x"}}'
  orch-apply <<<'{"apiVersion":"v1","kind":"Secret","metadata":{"name":"d"},"stringData":{"a":"very-secret-2","b":"x"}}'
  run -0 orch-history diff secret/d
  not grep -qe "$(printf very-secret | base64 | cut -c1-12)" -e very-secret <<<"$output"
  grep -q '^+.*[*][*][*] (after)' <<<"$output"
  run -0 orch-history secret/d -o table
  [[ $output == *"data.a: *** -> ***"* ]]
  not grep -qe "$(printf very-secret | base64 | cut -c1-12)" -e very-secret <<<"$output"
}

@test "revert writes old content as a new version" {
  cm e 1 2 3
  run -0 orch-history revert cm/e '~1' --dry-run
  [ "$(value e)" = 3 ]
  run -0 orch-history revert cm/e '~2'
  [[ $output == "configmap/e reverted to revision "* ]]
  [ "$(value e)" = 1 ]
  run -0 orch-history revert cm/e '~0'
  [ "$output" = "configmap/e unchanged" ]
  [ "$(orch-history log cm/e | wc -l)" -eq 4 ]
  [ "$(orch-get cm/e -o jsonl | orch-history revert '~1' -o jsonl | json .data.key)" = 3 ]
  orch-history cm/e -o table | grep -q ' orch-history '
  deployment e 1 | orch-apply
  orch-api -X PATCH -d '{"status":{"replicas":1,"observedGeneration":1}}' /apis/apps/v1/namespaces/default/deployments/e/status >/dev/null
  deployment e 2 | orch-apply
  run -0 orch-history revert deployment/e '~2'
  [ "$(orch-get deployment/e -o jsonl | json '[.spec.replicas, .status.replicas]')" = '[1,1]' ]
}

@test "what was deleted is shown and brought back" {
  cm f 1 2
  uid=$(orch-get cm/f -o jsonl | json .metadata.uid)
  orch-delete cm/f
  run -0 orch-history log cm/f -o table
  [[ ${lines[3]} == *deleted ]]
  run -0 --separate-stderr orch-history show cm/f -o jsonl
  [ "$(json .data.key <<<"$output")" = 2 ]
  [[ $stderr == *"was deleted at revision"* ]]
  run -0 orch-history revert cm/f '~1'
  [[ $output == "configmap/f recreated as of revision "* ]]
  [ "$(value f)" = 2 ]
  [ "$(orch-get cm/f -o jsonl | json .metadata.uid)" != "$uid" ]
  [ "$(orch-history log cm/f | json .type | tr '\n' ' ')" = 'ADDED MODIFIED DELETED ADDED ' ]
}

@test "what is forgotten is said" {
  cm g 1 2 3
  before=$(version cm/g)
  big=$(head -c 900000 /dev/zero | tr '\0' x)
  configmap big | orch-apply
  for i in $(seq 60); do
    printf '{"data":{"k":"%s%s"}}' "$i" "$big" >"$BATS_TEST_TMPDIR/patch"
    orch-api -X PATCH -d @"$BATS_TEST_TMPDIR/patch" /api/v1/namespaces/default/configmaps/big >/dev/null
  done
  forgotten() { [ "$(orch-history log cm/g | wc -l)" -eq 1 ]; }
  wait_for 20 forgotten
  run -0 orch-history log cm/g -o table
  [[ ${lines[1]} == *"(what was before is forgotten)" ]]
  [ "$(orch-history show cm/g -o jsonl | json .data.key)" = 3 ]
  run -1 orch-history diff cm/g
  [[ $output == *"~1 is forgotten: its history begins at revision $before"* ]]
  run -1 orch-history revert cm/g 3
  [[ $output == *"3 is forgotten"* ]]
  run -1 orch-history log cm/nosuch
  [[ $output =~ "nothing is remembered of it; the history begins at revision "[0-9]+ ]]
  [ "$(value g)" = 3 ]
}

@test "wrong usage" {
  cm h 1
  run -2 orch-history revert cm/h
  [[ $output == *"to which version"* ]]
  run -2 orch-history log cm/h 3
  [[ $output == *"'3' is no KIND/NAME"* ]]
  run -2 orch-history show cm/h 1 2
  run -2 orch-history configmaps
  run -2 orch-history -A cm/h
  run -2 orch-history --exit-code log cm/h
  run -2 orch-history nosuch/h
  run -3 orch-history -s unix:/nonexistent cm/h
}
