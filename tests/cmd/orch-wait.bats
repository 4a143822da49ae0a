#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

pod() { printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s","labels":{"app":"%s"}},"spec":{"containers":[{"name":"c","image":"i"}]}}\n' "$1" "${2:-x}"; }
status() { orch-api -X PATCH -d "{\"status\":$2}" "/api/v1/namespaces/default/pods/$1/status" >/dev/null; }
ready() { status "$1" "{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"${2:-True}\",\"reason\":\"R\",\"message\":\"M\"}]}"; }

@test "a condition that comes" {
  pod one | orch-apply
  { sleep 0.3; ready one; } 3>&- &
  run -0 orch-wait --for=condition=Ready pod/one
  run -0 orch-wait --for=condition=ready=true pod/one
  ready one False
  run -0 orch-wait --for=condition=Ready=False pod/one
}

@test "what does not exist yet is waited for" {
  { sleep 0.3; pod late | orch-apply; ready late; } >/dev/null 3>&- &
  run -0 orch-wait --for=condition=Ready --timeout=10s pod/late -o name
  [ "$output" = pod/late ]
  { sleep 0.3; pod later many | orch-apply; } >/dev/null 3>&- &
  run -0 orch-wait --for=create --timeout=10s pods -l app=many
}

@test "a time-out says what is missing, and exits 3" {
  pod slow | orch-apply
  run -3 orch-wait --for=condition=Ready --timeout=0.3 pod/slow pod/nothere
  [[ $output == *"pod/slow: it has no condition Ready"* ]]
  [[ $output == *"pod/nothere: it does not exist"* ]]
  ready slow False
  run -3 orch-wait --for=condition=Ready --timeout=0 pod/slow
  [[ $output == *"condition Ready is False (R): M; phase Running"* ]]
  status slow '{"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"ImagePullBackOff","message":"no such image"}}}]}'
  run -3 orch-wait --for=condition=Ready --timeout=0 pod/slow
  [[ $output == *"container 'c' waits: ImagePullBackOff: no such image"* ]]
  run -3 orch-wait --for='jsonpath={.status.phase}=Failed' --timeout=0 pod/slow
  [[ $output == *"{.status.phase} is 'Running', not 'Failed'"* ]]
  run -3 orch-wait --for=create --timeout=0 pods -l no=one
  [[ $output == *"there is none"* ]]
  run -3 orch-wait --for=delete --timeout=0 pod/slow
  [[ $output == *"it is still there"* ]]
}

@test "an expression" {
  pod expr | orch-apply
  { sleep 0.2; status expr '{"phase":"Running","podIP":"10.0.0.9"}'; } 3>&- &
  run -0 orch-wait --for='jsonpath={.status.phase}=Running' pod/expr
  run -0 orch-wait --for='jsonpath=.status.podIP' pod/expr
  [ "$(orch-wait --for='jsonpath={.status.podIP}' pod/expr -o jsonl | json .status.podIP)" = 10.0.0.9 ]
}

@test "gone, also when one of the same name comes back" {
  pod gone | orch-apply
  run -0 orch-wait --for=delete pod/never
  { sleep 0.3; orch-delete --grace-period=0 pod/gone; pod gone | orch-apply; } >/dev/null 2>&1 3>&- &
  run -0 orch-wait --for=delete --timeout=10s pod/gone
}

@test "rollouts" {
  deployment web 2 | orch-apply
  run -3 orch-wait --for=rollout --timeout=0 deployment/web
  [[ $output == *"its controller has not looked at it yet"* ]]
  roll() { orch-api -X PATCH -d "{\"status\":$1}" /apis/apps/v1/namespaces/default/deployments/web/status >/dev/null; }
  roll '{"observedGeneration":1,"replicas":2,"updatedReplicas":1,"readyReplicas":2,"availableReplicas":2}'
  run -3 orch-wait --for=rollout --timeout=0 deployment/web
  [[ $output == *"1 of 2 replicas are updated"* ]]
  roll '{"replicas":3,"updatedReplicas":2}'
  run -3 orch-wait --for=rollout --timeout=0 deployment/web
  [[ $output == *"1 old replicas are still there"* ]]
  { sleep 0.2; roll '{"replicas":2,"updatedReplicas":2,"readyReplicas":2,"availableReplicas":2}'; } 3>&- &
  run -0 orch-wait --for=rollout --timeout=10s deployment/web
  roll '{"updatedReplicas":1,"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"too slow"}]}'
  run -1 orch-wait --for=rollout deployment/web
  [[ $output == *"too slow"* ]]
  run -2 orch-wait --for=rollout namespace/default
}

@test "objects of a stream; no object, nothing to wait for" {
  pod s1 | orch-apply -o jsonl | orch-wait --for=create
  orch-wait --for=condition=Ready </dev/null
}

@test "mistakes" {
  run -2 orch-wait pod/x
  run -2 orch-wait --for=happiness pod/x
  run -2 orch-wait --for=condition= pod/x
  run -2 orch-wait --for=create gadgets
  run -3 orch-wait --for=create --timeout=0.2 -s http://127.0.0.1:1 pod/x
}

@test "mistakes are told before the wait" {
  run -2 orch-wait --for=create cm/never -o nonsense --timeout=20s
  run -2 orch-wait --for='jsonpath={.a' cm/never --timeout=20s
  [[ $output == *"'}' missing"* ]]
}

@test "what a stream named and is not there is called by its name" {
  run -3 orch-wait --for=create --timeout=0 <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"never"}}'
  [[ $output == *"configmap/never: it does not exist"* ]]
  run -2 orch-wait --for=create cm/never -o jsonpath-file=/nonexistent
}
