#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

ago() { date -u -d "-$1 seconds" +%Y-%m-%dT%H:%M:%SZ; }
# event NAME KIND OBJECT SECONDS [MORE]: an Event about it, so long ago; MORE is a jq filter
event() {
  jq -cn --arg n "$1" --arg k "$2" --arg o "$3" --arg t "$(ago "$4")" '{apiVersion: "v1", kind: "Event",
    metadata: {name: $n, namespace: "default"}, type: "Normal", reason: "Started", message: ("message of " + $n),
    involvedObject: {apiVersion: "v1", kind: $k, name: $o, namespace: "default"}, firstTimestamp: $t, lastTimestamp: $t, count: 1} | '"${5:-.}"
}

@test "in the order of time, as a table and as a stream" {
  { event two Pod a 50; event three Pod b 10; event one Pod a 3000; } | orch-apply >/dev/null
  [ "$(orch-events | json .metadata.name | tr '\n' ' ')" = "one two three " ]
  run -0 orch-events -o table
  [[ ${lines[0]} == "LAST SEEN"*TYPE*REASON*OBJECT*MESSAGE ]]
  [[ ${lines[1]} =~ ^50m\ +Normal\ +Started\ +Pod/a\ +"message of one"$ ]]
  [[ ${lines[2]} =~ ^5[0-9]s\  ]]
  [ "$(orch-events -o table --no-headers | wc -l)" -eq 3 ]
  orch-events -A -o table | grep -qE '^default +50m'
  [ "$(orch-events -o name | head -n 1)" = event/one ]
}

@test "of an object, of a kind, of a type" {
  orch-apply <<<"$(event warn Pod c 5 '.type = "Warning"')"
  event ofdep Deployment c 5 '.involvedObject.apiVersion = "apps/v1"' | orch-apply
  names() { orch-events "$@" | json .metadata.name | sort | tr '\n' ' '; }
  [ "$(names pod/c)" = "warn " ]
  [ "$(names --for pod/c --for=deployment/c)" = "ofdep warn " ]
  [ "$(names --for=pod/a pod/c)" = "one two warn " ]
  [ "$(names deployments)" = "ofdep " ]
  [ "$(names --types=Warning)" = "warn " ]
  [ "$(names --types=warning,normal pod/c deploy/c)" = "ofdep warn " ]
  [ "$(names pod/nosuch)" = "" ]
  [ "$(names --field-selector type=Warning)" = "warn " ]
}

@test "for what a stream names, and only the very object" {
  configmap x | orch-apply
  uid=$(orch-get cm/x -o jsonl | json .metadata.uid)
  event x1 ConfigMap x 5 ".involvedObject.uid = \"$uid\"" | orch-apply
  event x0 ConfigMap x 50 '.involvedObject.uid = "another"' | orch-apply
  [ "$(orch-get cm/x -o jsonl | orch-events -f - | json .metadata.name)" = x1 ]
  [ "$(orch-events cm/x | wc -l)" -eq 2 ]
  [ "$(orch-events -f - </dev/null)" = "" ]
}

@test "series and counts, of both APIs; Events in a stream are printed" {
  {
    event s1 Pod s 600 '.count = 7 | .lastTimestamp = "'"$(ago 120)"'"'
    event s2 Pod s 600 'del(.firstTimestamp, .lastTimestamp, .count) | .eventTime = "'"$(date -u -d '-1 hour' +%Y-%m-%dT%H:%M:%S.000000Z)"'"
      | .series = {count: 3, lastObservedTime: "'"$(date -u -d '-240 seconds' +%Y-%m-%dT%H:%M:%S.000000Z)"'"}'
    printf '{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"s3","namespace":"default"},"type":"Warning","reason":"R","note":"new words","regarding":{"kind":"Node","name":"n1"},"eventTime":"%s","series":{"count":2,"lastObservedTime":"%s"}}\n' \
      "$(date -u -d '-1 hour' +%Y-%m-%dT%H:%M:%S.000000Z)" "$(date -u -d '-30 seconds' +%Y-%m-%dT%H:%M:%S.000000Z)"
  } >"$BATS_TEST_TMPDIR/events"
  KUBECONFIG=/nonexistent run -0 orch-events -f "$BATS_TEST_TMPDIR/events" -o table
  [[ ${lines[1]} =~ ^4m[0-9s]*\ "(x3 over 60m)" ]]
  [[ ${lines[2]} =~ ^2m[0-9s]*\ "(x7 over 10m)" ]]
  [[ ${lines[3]} =~ ^3[0-9]s\ "(x2 over 60m)"\ +Warning\ +R\ +Node/n1\ +"new words" ]]
  [ "$(orch-events -f - --types Warning -o name <"$BATS_TEST_TMPDIR/events")" = event.events.k8s.io/s3 ]
}

@test "-w goes on" {
  event w1 Pod w 20 | orch-apply
  { sleep 0.4; { event other Pod o 1; event w2 Pod w 1; } | orch-apply
    sleep 0.2; event w2 Pod w 1 '.count = 2' | orch-apply; } >/dev/null 3>&- &
  run -0 orch-events -w --timeout=2 pod/w
  [ "$(json '[.metadata.name, .count]' <<<"$output")" = '["w1",1]
["w2",1]
["w2",2]' ]
  run -0 timeout 5 bash -c 'orch-events -w | head -n 1'
  run -0 orch-events -w --timeout=0.3 -o table pod/w
  [[ ${lines[1]} == *Pod/w* ]]
}

@test "what is in no namespace has its events in default" {
  event n1 Node n1 5 'del(.involvedObject.namespace)' | orch-apply
  [ "$(orch-events -n kube-system node/n1 | json .metadata.name)" = n1 ]
  [ -z "$(orch-events -n kube-system)" ]
}

@test "wrong usage" {
  run -2 orch-events --types=Bad
  [[ $output == *"'Bad' is neither Normal nor Warning"* ]]
  run -2 orch-events --timeout=3s
  run -2 orch-events nosuchkind/x
  run -2 orch-events -A pod/x
  run -2 orch-events -f - pod/x </dev/null
  run -2 orch-events -f - <<<'{"a":'
  run -2 orch-events -f /nonexistent-file
  run -3 orch-events -s unix:/nonexistent
}
