#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

action() { jq -c --arg a "$1" --argjson more "${2:-{\}}" '{action: $a, object: ., reason: "a test"} + $more'; }
cm() { configmap "$@" | tail -n 1 | jq -c '.metadata.namespace = "default"'; }

@test "in order, a result line each" {
  run -0 orch-act < <(cm one | action create; cm one changed | jq -c 'del(.metadata.resourceVersion)' | action patch; cm one | action delete)
  [ "$(json '.action + " " + .ref + " " + .result' <<<"$output")" = "create v1/ConfigMap/default/one done
patch v1/ConfigMap/default/one done
delete v1/ConfigMap/default/one done" ]
}

@test "an empty plan needs no server" {
  KUBECONFIG='' run -0 orch-act </dev/null
}

@test "a stale plan is refused and harms nothing" {
  cm stale | action create | orch-act
  orch-get cm/stale >"$BATS_TEST_TMPDIR/old"
  orch-api -X PATCH -d '{"data":{"key":"theirs"}}' /api/v1/namespaces/default/configmaps/stale >/dev/null
  run -3 orch-act < <(jq -c '.data.key = "ours"' "$BATS_TEST_TMPDIR/old" | action update)
  [ "$(json .result <<<"$output")" = conflict ]
  [ "$(orch-get cm/stale | json .data.key)" = theirs ]
  orch-delete cm/stale
  cm stale | action create | orch-act
  run -3 orch-act < <(action delete <"$BATS_TEST_TMPDIR/old")
  [ "$(json .result <<<"$output")" = conflict ]
  orch-get cm/stale >/dev/null
}

@test "what is so already" {
  cm owner | action create | orch-act
  uid=$(orch-get cm/owner | json .metadata.uid)
  owned() { cm owned | jq -c --arg u "$uid" '.metadata.ownerReferences = [{apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: $u, controller: true}]'; }
  owned | action create | orch-act
  run -0 orch-act < <(owned | action create)
  [ "$(json .result <<<"$output")" = exists ]
  run -1 orch-act < <(cm owned | action create)
  [ "$(json .result <<<"$output")" = exists ]
  run -0 orch-act < <(cm nobody | action delete)
  [ "$(json .result <<<"$output")" = gone ]
  run -1 orch-act < <(cm nobody | action patch)
  [ "$(json .result <<<"$output")" = gone ]
}

@test "status, binding, events" {
  orch-apply <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}'
  orch-get pod/p | jq -c '.status.phase = "Running"' | action update-status | orch-act
  [ "$(orch-get pod/p | json .status.phase)" = Running ]
  echo '{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p","namespace":"default"},"target":{"apiVersion":"v1","kind":"Node","name":"n1"}}' | action bind | orch-act
  [ "$(orch-get pod/p | json .spec.nodeName)" = n1 ]
  event() { echo '{"apiVersion":"v1","kind":"Event","metadata":{"name":"p.1","namespace":"default"},"involvedObject":{"kind":"Pod","name":"p","namespace":"default"},"reason":"R","message":"m","type":"Normal","count":1,"lastTimestamp":"2026-01-01T00:00:00Z"}' | action event; }
  { event; event; event; } | orch-act
  [ "$(orch-get events/p.1 | json .count)" = 3 ]
}

@test "one refusal does not stop the others, unless it should" {
  plan() { cm a | action create; cm 'Bad Name' | action create; cm b | action create; }
  run -2 orch-act < <(plan)
  [ "$(json .result <<<"$output" | xargs)" = "done refused done" ]
  orch-delete cm a b
  run -2 orch-act --stop-on-error < <(plan)
  [ "$(json .result <<<"$output" | xargs)" = "done refused" ]
}

@test "a dry run" {
  run -0 orch-act --dry-run < <(cm dry | action create)
  [ "$(json '.result, .dryRun' <<<"$output" | xargs)" = "done true" ]
  run -1 orch-get cm/dry
}

@test "what is no action" {
  run -2 orch-act <<<'{"kind":"Pod"}'
  run -2 orch-act <<<'{"action":"dance","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}}'
  run -2 orch-act <<<'{"action":"create"}'
  run -2 orch-act <<<'{"action":'
  run -2 orch-act --nonsense </dev/null
}

@test "apply: fields are the applier's, taken over, and gone when they are applied no more" {
  cm mine theirs | orch-apply --field-manager=other
  run -0 orch-act < <(cm mine ours | jq -c '.data.more = "x"' | action apply '{"by": "a loop&x", "for": "it"}')
  [ "$(json '[.action, .ref, .result, .for]' <<<"$output")" = '["apply","v1/ConfigMap/default/mine","done","it"]' ]
  [ "$(orch-get configmap/mine -o jsonl | json '[.data.key, .data.more, (.metadata.managedFields | map(.manager) | sort)]')" = '["ours","x",["a loop&x"]]' ]
  orch-act < <(cm mine ours | action apply '{"by": "a loop&x"}')
  [ "$(orch-get configmap/mine -o jsonl | json '.data | keys')" = '["key"]' ]
  run -0 orch-act --dry-run < <(cm fresh x | action apply)
  run -1 orch-get configmap/fresh
  run -3 orch-act < <(cm fresh x | jq -c '.metadata.uid = "7d2c7f2b-0c1b-4b5f-8b4e-0d2f5f6f7a10"' | action apply)
  [ "$(json .result <<<"$output")" = conflict ]
  run -0 orch-act < <(jq -nc '{action: "apply", subresource: "status", by: "me", object: {apiVersion: "v1", kind: "Namespace", metadata: {name: "default"}, status: {conditions: [{type: "X", status: "True"}]}}}')
  [ "$(orch-get namespace/default -o jsonl | json '.status.conditions[].type')" = X ]
}

@test "a namespace that is taken to be empty must be" {
  cm there | orch-apply
  run -3 orch-act < <(cm other | action create '{"empty": "default"}')
  [[ $(json '.result + " " + .message' <<<"$output") == "conflict namespace 'default' is not empty"* ]]
  run -1 orch-get configmap/other
  run -0 orch-act < <(cm other | action create '{"empty": "no-such-namespace"}')
}
