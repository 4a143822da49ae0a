#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

# reconcile NAME: what the Deployment's controller does, once
reconcile() { orch-observe "deployment/$1" | orch-reconcile deployment | orch-act >/dev/null; }
# status KIND NAME JSON: a status as a controller would write it
status() { orch-api -X PATCH -d "{\"status\":$3}" "/apis/apps/v1/namespaces/default/$1/$2/status" >/dev/null; }
template() { orch-get "$1" -o jsonl | json "${2:-.spec.template.spec.containers[0].image}"; }
# web NAME IMAGES: a Deployment that had one revision for each image
web() {
  local name=$1 image
  shift
  for image; do deployment "$name" 1 "$image" | orch-apply; reconcile "$name"; done >/dev/null
}

# set KIND NAME: a StatefulSet or DaemonSet with two ControllerRevisions, images web:1 and web:2
set_of() {
  local uid n
  orch-apply <<END >/dev/null
{"apiVersion":"apps/v1","kind":"$1","metadata":{"name":"$2"},"spec":{"selector":{"matchLabels":{"app":"$2"}},
 "template":{"metadata":{"labels":{"app":"$2"}},"spec":{"containers":[{"name":"main","image":"web:2"}]}}}}
END
  uid=$(orch-get "$1.apps/$2" -o jsonl | json .metadata.uid)
  for n in 1 2; do
    cat <<END
{"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"name":"$2-$n","labels":{"app":"$2"},
 "annotations":{"kubernetes.io/change-cause":"cause $n"},
 "ownerReferences":[{"apiVersion":"apps/v1","kind":"$1","name":"$2","uid":"$uid","controller":true}]},"revision":$n,
 "data":{"spec":{"template":{"\$patch":"replace","metadata":{"labels":{"app":"$2"}},"spec":{"containers":[{"name":"main","image":"web:$n"}]}}}}}
END
  done | orch-apply >/dev/null
}

@test "status follows a Deployment, in kubectl's words" {
  deployment a 2 | orch-apply
  { sleep 0.2; status deployments a '{"observedGeneration":1,"replicas":1,"updatedReplicas":1}'
    sleep 0.2; status deployments a '{"replicas":3,"updatedReplicas":2}'
    sleep 0.2; status deployments a '{"replicas":2,"readyReplicas":2,"availableReplicas":1}'
    sleep 0.2; status deployments a '{"availableReplicas":2}'; } 3>&- &
  run -0 --separate-stderr orch-rollout status --timeout=20s deployment/a
  [ "$output" = 'Waiting for deployment spec update to be observed...
Waiting for deployment "a" rollout to finish: 1 out of 2 new replicas have been updated...
Waiting for deployment "a" rollout to finish: 1 old replicas are pending termination...
Waiting for deployment "a" rollout to finish: 1 of 2 updated replicas are available...
deployment "a" successfully rolled out' ]
  [ -z "$stderr" ]
  run -0 orch-rollout status deployment/a # at once
  run -0 orch-rollout status <<<"$(orch-get deployment/a -o jsonl)"
}

@test "status says why it waits, and what has failed" {
  deployment b 1 | orch-apply
  status deployments b '{"observedGeneration":1,"replicas":1,"updatedReplicas":1}'
  orch-apply <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b1","labels":{"app":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}'
  run -3 orch-rollout status --watch=false deployment/b
  [ "$output" = 'Waiting for deployment "b" rollout to finish: 0 of 1 updated replicas are available...' ]
  { sleep 0.3; orch-api -X PATCH -d '{"status":{"containerStatuses":[{"name":"c","state":{"waiting":{"reason":"ImagePullBackOff","message":"no such image"}}}]}}' /api/v1/namespaces/default/pods/b1/status; } >/dev/null 3>&- &
  run -3 --separate-stderr orch-rollout status --timeout=1 deployment/b
  [[ $output == *'updated replicas are available... (Warning: ImagePullBackOff - no such image)' ]]
  [[ $stderr == "orch-rollout: rollout of deployment.apps/b: not done within 1: "*"no such image)" ]]
  run -3 orch-rollout status --timeout=0 deployment/b
  status deployments b '{"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded"}]}'
  run -1 orch-rollout status deployment/b
  [[ $output == *'deployment "b" exceeded its progress deadline'* ]]
  { sleep 0.3; orch-delete deployment/c; } >/dev/null 3>&- &
  deployment c 1 | orch-apply
  run -1 orch-rollout status deployment/c
  [[ $output == *"it has been deleted"* ]]
  deployment paused 1 | orch-apply
  orch-rollout pause deployment/paused
  run -3 orch-rollout status --watch=false deployment/paused
  [[ $output == *"(Warning: it is paused)"* ]]
}

@test "status of StatefulSets and DaemonSets, several at once" {
  set_of StatefulSet s; set_of DaemonSet d
  { sleep 0.2; status statefulsets s '{"observedGeneration":1,"replicas":1}'
    status daemonsets d '{"observedGeneration":1,"desiredNumberScheduled":2,"updatedNumberScheduled":1,"currentNumberScheduled":0,"numberMisscheduled":0,"numberReady":0}'
    sleep 0.2; status statefulsets s '{"readyReplicas":1,"updatedReplicas":1}'
    status daemonsets d '{"updatedNumberScheduled":2,"numberAvailable":1}'
    sleep 0.2; status daemonsets d '{"numberAvailable":2}'; } 3>&- &
  run -0 orch-rollout status --timeout=20s statefulset/s daemonset/d
  grep -qx 'Waiting for statefulset spec update to be observed...' <<<"$output"
  grep -qx 'Waiting for 1 pods to be ready...' <<<"$output"
  grep -qx 'partitioned roll out complete: 1 new pods have been updated...' <<<"$output"
  grep -qx 'Waiting for daemon set "d" rollout to finish: 1 out of 2 new pods have been updated...' <<<"$output"
  grep -qx 'Waiting for daemon set "d" rollout to finish: 1 of 2 updated pods are available...' <<<"$output"
  grep -qx 'daemon set "d" successfully rolled out' <<<"$output"
  orch-api -X PATCH -d '{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}' /apis/apps/v1/namespaces/default/daemonsets/d >/dev/null
  run -2 orch-rollout status daemonset/d
  [[ $output == *"only available for RollingUpdate strategy type"* ]]
}

@test "history and its templates" {
  deployment h 1 web:1 | orch-annotate --local kubernetes.io/change-cause='the first' | orch-apply
  reconcile h
  deployment h 1 web:2 | orch-apply
  orch-annotate deployment/h kubernetes.io/change-cause-
  reconcile h
  run -0 orch-rollout history deployment/h
  [ "${lines[0]}" = deployment.apps/h ]
  [ "$(awk '{print $1}' <<<"$output" | tr '\n' ' ')" = 'deployment.apps/h REVISION 1 2 ' ]
  [[ ${lines[2]} == *"the first" ]]
  [[ ${lines[3]} == *"<none>" ]]
  [ "$(orch-rollout history --revision=1 deployment/h | sed -n 1p)" = "# deployment.apps/h with revision #1" ]
  orch-rollout history --revision=1 deployment/h | grep -q 'image: web:1'
  [ "$(orch-rollout history --revision=2 deployment/h -o jsonl | json '[.kind, .spec.template.spec.containers[0].image]')" = '["ReplicaSet","web:2"]' ]
  [ "$(orch-rollout history deployment/h -o name | wc -l)" -eq 2 ]
  run -1 orch-rollout history --revision=7 deployment/h
  [[ $output == *"it has no revision 7, only 1 to 2"* ]]
  set_of StatefulSet hs
  run -0 orch-rollout history statefulset/hs
  [[ $output == *"cause 1"* ]]
  orch-rollout history --revision=1 statefulset/hs | grep -q 'image: web:1'
}

@test "undo" {
  web u web:1 web:2 web:3
  run -0 orch-rollout undo deployment/u
  [ "$output" = "deployment.apps/u rolled back" ]
  [ "$(template deployment/u)" = web:2 ]
  [ "$(template deployment/u '.spec.template.metadata.labels | keys')" = '["app"]' ] # not the hash
  reconcile u
  run -0 orch-rollout undo --to-revision=1 deployment/u
  [ "$(template deployment/u)" = web:1 ]
  run -0 orch-rollout undo --to-revision=1 deployment/u
  [ "$output" = "deployment.apps/u skipped rollback (current template already matches revision 1)" ]
  reconcile u
  run -1 orch-rollout undo --to-revision=2 deployment/u # it became revision 4
  [[ $output == *"it has no revision 2"* ]]
  for mode in server client; do
    run -0 orch-rollout undo --dry-run=$mode deployment/u
    [ "$output" = "deployment.apps/u rolled back (dry run)" ]
    [ "$(orch-rollout undo --dry-run=$mode deployment/u -o jsonl | json '.spec.template.spec.containers[0].image')" = web:2 ]
  done
  [ "$(template deployment/u)" = web:1 ]
  web once web:1
  run -1 orch-rollout undo deployment/once
  [[ $output == *"there is no revision before the latest"* ]]
  orch-rollout pause deployment/u
  run -1 orch-rollout undo deployment/u
  [[ $output == *"it is paused"* ]]
}

@test "undo of sets by their ControllerRevisions" {
  for kind in StatefulSet DaemonSet; do
    set_of $kind back
    [ "$(template $kind.apps/back)" = web:2 ]
    run -0 orch-rollout undo "$kind.apps/back"
    [ "$(template $kind.apps/back)" = web:1 ]
    run -0 orch-rollout undo --to-revision=1 "$kind.apps/back"
    [[ $output == *"already matches revision 1"* ]]
    orch-delete "controllerrevision/back-1" "controllerrevision/back-2" "$kind.apps/back"
  done
}

@test "a revision that holds nothing useful is refused" {
  set_of StatefulSet odd
  uid=$(orch-get statefulset/odd -o jsonl | json .metadata.uid)
  n=10
  for data in '{"spec":7}' '{"spec":{"template":{"$patch":"bad"}}}' '{"spec":{"template":null}}'; do
    n=$((n + 1))
    orch-api -X POST -d '{"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"name":"odd-'$n'","labels":{"app":"odd"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"StatefulSet","name":"odd","uid":"'"$uid"'","controller":true}]},"revision":'$n',"data":'"$data"'}' \
      /apis/apps/v1/namespaces/default/controllerrevisions >/dev/null
    for command in "undo --to-revision=$n" "history --revision=$n"; do run -2 orch-rollout $command statefulset/odd; done
  done
  [ "$(template statefulset/odd)" = web:2 ]
}

@test "restart, pause, resume" {
  deployment r 1 | orch-apply
  set_of DaemonSet r
  run -0 orch-rollout restart deployment/r daemonset/r
  [ "$output" = "deployment.apps/r restarted
daemonset.apps/r restarted" ]
  template deployment/r '.spec.template.metadata.annotations."kubectl.kubernetes.io/restartedAt"' | grep -qE '^20[0-9-]+T[0-9:]+Z$'
  run -0 orch-rollout pause deployment/r
  [ "$output" = "deployment.apps/r paused" ]
  run -0 orch-rollout pause deployment/r
  [ "$output" = "deployment.apps/r already paused" ]
  run -1 orch-rollout restart deployment/r
  [[ $output == *"it is paused"* ]]
  run -0 orch-rollout resume deployment/r
  [ "$output" = "deployment.apps/r resumed" ]
  [ "$(template deployment/r .spec.paused)" = null ]
  run -0 orch-rollout resume deployment/r
  [ "$output" = "deployment.apps/r already resumed" ]
  run -2 orch-rollout pause daemonset/r
  [[ $output == *"a DaemonSet cannot be paused"* ]]
}

@test "with the controllers running: out, and back" {
  ready() { # make every Pod of app live ready, as a node would
    local pod
    for pod in $(orch-get pods -l app=live -o jsonl | json .metadata.name); do
      orch-api -X PATCH -d '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}' \
        "/api/v1/namespaces/default/pods/$pod/status" >/dev/null || true # it may be gone by now
    done
  }
  background orch-reconcile -w deployment
  background orch-reconcile -w replicaset
  deployment live 2 web:1 | orch-apply
  { until [ -e "$BATS_TEST_TMPDIR/end" ] || [ "$SECONDS" -gt 100 ]; do sleep 0.1; ready; done; } >/dev/null 2>&1 3>&- &
  run -0 --separate-stderr orch-rollout status --timeout=30s deployment/live
  [ "${lines[-1]}" = 'deployment "live" successfully rolled out' ]
  orch-apply <<<"$(deployment live 2 web:2)"
  run -0 orch-rollout status --timeout=30s deployment/live
  [[ $output == *"Waiting for deployment"*'deployment "live" successfully rolled out' ]]
  orch-rollout undo deployment/live -o jsonl | orch-rollout status --timeout=30s
  [ "$(template deployment/live)" = web:1 ]
  [ "$(orch-rollout history deployment/live -o jsonl | json '.spec.template.spec.containers[0].image' | tr '\n' ' ')" = "web:2 web:1 " ]
  touch "$BATS_TEST_TMPDIR/end"
  wait
}

@test "wrong usage" {
  configmap x | orch-apply
  run -2 orch-rollout
  run -2 orch-rollout begin deployment/a
  [[ $output == *"none of status, history, undo"* ]]
  for command in status history undo restart pause resume; do
    run -2 orch-rollout $command cm/x
    [[ $output == *"a ConfigMap"* ]]
    run -1 orch-rollout $command deployment/nosuch
  done
  run -2 orch-rollout undo --timeout=3s deployment/a
  run -2 orch-rollout restart --revision=3 deployment/a
  run -2 orch-rollout status --to-revision=3 deployment/a
  run -2 orch-rollout undo --to-revision=x deployment/a
  run -2 orch-rollout restart deployments
  [[ $output == *"--all"* ]]
  run -3 orch-rollout -s unix:/nonexistent status deployment/a
}
