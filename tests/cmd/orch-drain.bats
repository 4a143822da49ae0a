#!/usr/bin/env bats
# Nodes, pods and budgets are made by hand, their status too: no loop runs here that would change them.
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }
setup() { N=n$BATS_TEST_NUMBER NS=ns$BATS_TEST_NUMBER && export N NS; }

begin() { # the test's node and namespace
  printf '{"apiVersion":"v1","kind":"Node","metadata":{"name":"%s","labels":{"test":"%s"}}}\n{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"%s"}}\n{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"%s"}}\n' \
    "$N" "$N" "$NS" "$NS" | orch-apply
}
# pod NAME [JQ]: a running, ready pod of a ReplicaSet on the node, labels app=web; JQ changes it.
pod() {
  local obj
  obj=$(jq -nc --arg name "$1" --arg ns "$NS" --arg node "$N" '{apiVersion:"v1",kind:"Pod",
    metadata:{name:$name,namespace:$ns,labels:{app:"web"},ownerReferences:[{apiVersion:"apps/v1",kind:"ReplicaSet",name:"web",uid:"u",controller:true}]},
    spec:{nodeName:$node,tolerations:[{operator:"Exists"}],containers:[{name:"main",image:"web:1"}]},
    status:{phase:"Running",conditions:[{type:"Ready",status:"True"}]}} | '"${2:-.}")
  orch-api -q -X POST -d "$obj" "/api/v1/namespaces/$NS/pods" >/dev/null
  orch-patch -n "$NS" "pod/$1" --subresource=status --type=merge -p "$(jq -c '{status}' <<<"$obj")" >/dev/null
}
# budget NAME ALLOWED HEALTHY DESIRED EXPECTED [SPEC]
budget() {
  printf '{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"%s","namespace":"%s"},"spec":{"selector":{"matchLabels":{"app":"web"}},%s}}\n' \
    "$1" "$NS" "${6:-\"minAvailable\":$4}" | orch-apply >/dev/null
  allow "$1" "$2" "$3" "$4" "$5"
}
allow() {
  orch-patch -n "$NS" "pdb/$1" --subresource=status --type=merge -p \
    "{\"status\":{\"observedGeneration\":9,\"disruptionsAllowed\":$2,\"currentHealthy\":$3,\"desiredHealthy\":$4,\"expectedPods\":$5,\"disruptedPods\":null}}" >/dev/null
}
pods() { orch-get -n "$NS" pods -o jsonl | json .metadata.name | tr '\n' ' '; }
# plan OPTION...: POD:ACTION of a dry run
plan() { orch-drain --dry-run=client "$@" "$N" | json 'select(.object.kind == "Pod") | "\(.object.metadata.name):\(.action)"' | tr '\n' ' '; }
gone() { [ -z "$(orch-get -n "$NS" pods -o jsonl)" ]; }
ending() { [ -n "$(orch-get -n "$NS" pods -o jsonl | json "select(.metadata.name == \"$1\").metadata.deletionTimestamp // empty")" ]; }

@test "cordon, evict, wait, done; again is nothing to do" {
  begin; pod a; pod b
  run -0 orch-drain "$N" --grace-period=0
  [[ $output == *"node/$N cordoned"*"pod $NS/a evicted"* && $output == *"pod $NS/b evicted"*"node/$N drained" ]]
  gone
  [ "$(orch-get "node/$N" | json .spec.unschedulable)" = true ]
  run -0 orch-drain "$N"
  [ "$output" = "node/$N already cordoned
node/$N drained" ]
}

@test "it waits until a pod has ended, and by its time at most" {
  begin; pod a
  run -3 orch-drain "$N" --timeout=1s
  [[ $output == *"left: pod $NS/a: evicted, has not ended yet"*"0 of 1 pods are gone"*"cannot drain: not within the time: 1 of the pods have not ended yet"* ]]
  ending a
  (sleep 1; orch-delete -n "$NS" pod/a --grace-period=0) >/dev/null 2>&1 3>&- &
  run -0 orch-drain "$N" --timeout=30s
  [[ $output == *"pod $NS/a evicted"*"node/$N drained" ]]
}

@test "what an option is missing for is refused and named, and nothing of the node is evicted" {
  begin; pod a; pod alone 'del(.metadata.ownerReferences)'
  pod data '.spec.volumes = [{name:"cache",emptyDir:{}}]'
  printf '{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"agent","namespace":"%s"},"spec":{"selector":{"matchLabels":{"d":"s"}},"template":{"metadata":{"labels":{"d":"s"}},"spec":{"containers":[{"name":"m","image":"i:1"}]}}}}\n' "$NS" | orch-apply
  pod agent-1 '.metadata.ownerReferences[0] |= (.kind = "DaemonSet" | .name = "agent")'
  pod orphan '.metadata.ownerReferences[0] |= (.kind = "DaemonSet" | .name = "gone")'
  pod mirror '.metadata.annotations = {"kubernetes.io/config.mirror":"x"} | del(.metadata.ownerReferences)'
  pod ended 'del(.metadata.ownerReferences) | .status.phase = "Succeeded" | .spec.volumes = [{name:"v",emptyDir:{}}]'
  run -2 orch-drain "$N"
  [[ $output == *"cannot drain node/$N: pod $NS/alone: no controller would make it again (--force evicts it)"* ]]
  [[ $output == *"pod $NS/data: what is in its emptyDir cache would be lost (--delete-emptydir-data lets it)"* ]]
  [[ $output == *"pod $NS/agent-1: of DaemonSet agent (--ignore-daemonsets leaves it alone)"* ]]
  [[ $output == *"pod $NS/orphan: its DaemonSet gone does not exist (--force evicts it)"* ]]
  [[ $output == *"pod $NS/mirror stays: a mirror pod"* && $output != *drained* ]]
  [ "$(pods)" = "a agent-1 alone data ended mirror orphan " ]
  [ "$(plan)" = "a:evict agent-1:refuse alone:refuse data:refuse ended:evict mirror:skip orphan:refuse " ]
  run -2 orch-drain --dry-run=client "$N" --force --ignore-daemonsets
  [ "$(plan --force --ignore-daemonsets --delete-emptydir-data)" = \
    "a:evict agent-1:skip alone:evict data:evict ended:evict mirror:skip orphan:evict " ]
  run -0 orch-drain "$N" --force --ignore-daemonsets --delete-emptydir-data --grace-period=0
  [[ $output == *"pod $NS/agent-1 stays: of DaemonSet agent"*"node/$N drained" ]]
  [ "$(pods)" = "agent-1 mirror " ]
}

@test "blocked by a budget: which one, its numbers, and who is not ready" {
  begin; pod a; pod b
  pod c '.status.conditions[0].status = "False" | .spec.nodeName = "elsewhere" | .status.containerStatuses =
    [{name:"main",image:"web:1",imageID:"",ready:false,restartCount:3,state:{waiting:{reason:"CrashLoopBackOff",message:"back-off 40s"}}}]'
  budget web 0 2 2 3
  run -1 orch-drain "$N" --timeout=1s --grace-period=0
  [[ $output == *"pod $NS/a has to wait: budget $NS/web (minAvailable 2): 2 healthy of 3, 2 needed, 0 may go; not ready: c on elsewhere: CrashLoopBackOff - back-off 40s"* ]]
  [ "$(grep -c 'has to wait' <<<"$output")" -eq 1 ] # the same is said once
  [[ $output == *"left: pod $NS/b: held by its budget: "*"cannot drain: not within the time: 2 of the pods are held by their budgets"* ]]
  [[ $output == *"0 of 2 pods are gone; the nodes stay cordoned, and another run goes on from here"* && $output != *drained* ]]
  [ "$(pods)" = "a b c " ]
}

@test "a budget that lets some go again is used at once" {
  begin; pod a; pod b
  budget web 1 2 1 2
  orch-drain "$N" --timeout=60s --grace-period=0 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  one_left() { [ "$(pods | wc -w)" -eq 1 ]; }
  wait_for 10 one_left
  sleep 3 # the pause before it is tried again is longer by now
  [ "$(pods | wc -w)" -eq 1 ]
  start=$(date +%s%N)
  allow web 1 2 1 2
  wait_for 10 gone
  [ $((($(date +%s%N) - start) / 1000000)) -lt 1500 ]
  wait $!
  grep -q "node/$N drained" "$BATS_TEST_TMPDIR/out"
}

@test "what two budgets count cannot be evicted" {
  begin; pod a
  budget one 1 1 0 1
  budget two 1 1 0 1
  run -1 orch-drain --dry-run=client "$N"
  [[ $output == *"budgets one and two both count it: such a pod cannot be evicted"* ]]
  run -1 orch-drain "$N" --timeout=1s
  [[ $output == *"pod $NS/a has to wait: "*"more than one PodDisruptionBudget"* ]]
  run -0 orch-drain "$N" --disable-eviction --grace-period=0
  [[ $output == *"pod $NS/a deleted"* ]]
}

@test "a dry run tells the turns that budgets allow, and why" {
  begin
  for i in 1 2 3 4; do pod "p$i"; done
  pod other '.metadata.labels.app = "x"'
  pod sick '.status.conditions[0].status = "False"'
  budget web 1 4 3 5
  run -0 orch-drain --dry-run=client "$N"
  [ "$(json 'select(.object.kind == "Pod") | [.object.metadata.name, .action, .turn, .budget.disruptionsAllowed]' <<<"$output")" = \
'["other","evict",1,null]
["p1","evict",1,1]
["p2","wait",2,1]
["p3","wait",2,1]
["p4","wait",3,1]
["sick","evict",1,1]' ]
  [[ $output == *"not ready: budget web lets it go"* ]]
  [ "$(orch-get "node/$N" | json .spec.unschedulable)" = null ]
  allow web 0 3 3 5
  run -1 orch-drain --dry-run=client "$N" -o table
  [[ ${lines[0]} == NODE*NAMESPACE*POD*ACTION*TURN*BUDGET*REASON ]]
  [[ ${lines[1]} == "$N"*cordon*"no new pods are placed there" ]]
  [[ $output == *p1*block*web*"budget web lets none go now: 3 of 5 healthy, 3 needed"* ]]
  allow web 0 5 5 5
  run -1 orch-drain --dry-run=client "$N"
  [[ $output == *"budget web never lets one go: all 5 of 5 pods are needed"* ]]
  [ "$(pods | wc -w)" -eq 6 ]
}

@test "with --dry-run=server the server is asked of each" {
  begin; pod a; pod b
  budget web 0 1 1 2
  run -1 orch-drain --dry-run=server "$N"
  [ "$(json 'select(.object.kind == "Pod") | [.action, .allowed]' <<<"$output")" = $'["block",false]\n["block",false]' ]
  [[ $output == *"the server: Cannot evict pod as it would violate"* ]]
  allow web 2 2 0 2
  run -0 orch-drain --dry-run "$N"
  [ "$(json 'select(.object.kind == "Pod") | [.action, .allowed]' <<<"$output")" = $'["evict",true]\n["evict",true]' ]
  [ "$(pods)" = "a b " ]
  ! ending a
  [ "$(orch-get "node/$N" | json .spec.unschedulable)" = null ]
}

@test "a dry run is a stream that orch-act carries out" {
  begin; pod a; pod b
  [ "$(pods)" = "a b " ]
  orch-drain --dry-run=client --grace-period=0 "$N" | jq -c 'select(.action == "patch" or .action == "evict")' | orch-act
  gone
  [ "$(orch-get "node/$N" | json .spec.unschedulable)" = true ]
}

@test "interrupted it says what is left; the next one goes on" {
  begin; pod a; pod b
  budget web 1 2 1 2
  orch-drain "$N" --grace-period=0 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  local drain=$!
  wait_for 10 grep -q 'has to wait' "$BATS_TEST_TMPDIR/out"
  wait_for 10 grep -q 'evicted' "$BATS_TEST_TMPDIR/out"
  kill -TERM "$drain"
  wait "$drain" && status=0 || status=$?
  [ "$status" -eq 3 ]
  grep -q "1 of 2 pods are gone" "$BATS_TEST_TMPDIR/out"
  grep -q "cannot drain: interrupted" "$BATS_TEST_TMPDIR/out"
  allow web 1 1 0 1
  run -0 orch-drain "$N" --grace-period=0
  gone
}

@test "some pods only, some nodes, and nodes of a stream" {
  begin; pod a; pod b '.metadata.labels.app = "db"'
  run -0 orch-drain "$N" --pod-selector=app=db --grace-period=0
  [ "$(pods)" = "a " ]
  run -0 orch-drain -l "test=$N" --grace-period=0
  gone
  pod c
  orch-get "node/$N" | orch-drain --grace-period=0 | grep -q "pod $NS/c evicted"
}

@test "a pod that is on its end for long is not waited for" {
  begin; pod a; pod b
  orch-delete -n "$NS" pod/a --grace-period=1 --wait=false
  sleep 3
  [ "$(plan --skip-wait-for-delete-timeout=1)" = "a:skip b:evict " ]
  run -0 orch-drain "$N" --skip-wait-for-delete-timeout=1 --grace-period=1 --timeout=30s
  [[ $output == *"pod $NS/a stays: should have ended"*"pod $NS/b left: too long on its end"*"node/$N drained"* ]]
}

@test "what is wrong" {
  begin; pod a
  run -1 orch-drain nosuch "$N" --grace-period=0
  [[ $output == *'cannot drain node/nosuch: nodes "nosuch" not found'*"node/$N drained"* ]]
  run -2 orch-drain pod/x
  run -2 orch-drain "$N" -o yaml --dry-run
  [[ $output == *"-o is table or jsonl, not 'yaml'"* ]]
  run -2 orch-drain "$N" -o jsonl
  run -2 orch-drain "$N" --grace-period=x
  run -2 orch-drain "$N" --pod-selector='a b'
  run -3 orch-drain --server http://127.0.0.1:1 "$N"
}

@test "nodes that end their pods: all at once, over two nodes" {
  begin
  orch-simnode --nodes 2 --prefix "$N-" --start-delay 10ms --stop-delay 500ms --heartbeat 2s >/dev/null 2>&1 3>&- &
  local sim=$! seconds
  running() { [ "$(orch-get -n "$NS" pods --field-selector status.phase=Running -o name | wc -l)" -eq 20 ]; }
  for i in 0 1; do
    for p in 0 1 2 3 4 5 6 7 8 9; do
      printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p%s%s","namespace":"%s","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":"u","controller":true}]},"spec":{"nodeName":"%s-%s","tolerations":[{"operator":"Exists"}],"containers":[{"name":"c","image":"i:1"}]}}\n' \
        "$i" "$p" "$NS" "$N" "$i"
    done
  done | orch-create -f - >/dev/null
  wait_for 10 running
  seconds=$SECONDS
  run -0 orch-drain "$N-0" "$N-1" --timeout=30s
  kill "$sim"
  wait "$sim" || true
  [ $((SECONDS - seconds)) -lt 8 ] # one after the other it would be ten
  [ "$(grep -c evicted <<<"$output")" -eq 20 ]
  [[ $output == *"node/$N-0 drained"*"node/$N-1 drained" ]]
  gone
}

@test "the server goes and comes back: it goes on" {
  begin; pod a; pod b
  budget web 1 2 1 2
  orch-drain --server "unix:$STORE/socket" "$N" --grace-period=0 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  local drain=$!
  wait_for 10 grep -q 'has to wait' "$BATS_TEST_TMPDIR/out"
  wait_for 10 grep -q 'evicted' "$BATS_TEST_TMPDIR/out"
  stop_store
  sleep 3 # it asks in vain
  start_store
  allow web 1 1 0 1
  wait_for 30 grep -q "node/$N drained" "$BATS_TEST_TMPDIR/out"
  wait "$drain"
  gone
}
