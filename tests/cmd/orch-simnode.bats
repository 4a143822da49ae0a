# orch-simnode - pretend nodes against a store.

load ../helper

setup_file() {
  start_store
  orch-api -X POST /api/v1/namespaces -d '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"t"}}' >/dev/null
}
teardown_file() { stop_all; }

setup() { cd "$BATS_TEST_TMPDIR"; }
teardown() {
  end_sim KILL || true
  [ -z "${others-}" ] || kill -KILL $others 2>/dev/null || true
  orch-get -A pods -o jsonl | orch-delete -f - --grace-period=0 >/dev/null 2>&1 || true
  orch-get nodes -o jsonl | orch-delete -f - >/dev/null 2>&1 || true
  wait_for 10 nothing
}
nothing() { [ -z "$(orch-get -A pods nodes -o name 2>/dev/null)" ]; }

sim() { # OPTION...
  orch-simnode --start-delay 50ms-100ms --stop-delay 10ms "$@" >sim.log 2>&1 3>&- &
  sim=$!
}
end_sim() { # [SIGNAL]: its exit status
  local pid=${sim-}
  [ -n "$pid" ] || return 0
  sim=
  kill "-${1:-TERM}" "$pid"
  wait "$pid"
}
ready_nodes() { orch-get nodes -o jsonl | jq -r 'select(any(.status.conditions[]?; .type == "Ready" and .status == "True")) | .metadata.name' | wc -l; }
nodes_are() { [ "$(ready_nodes)" -eq "$1" ] && [ "$(orch-get -n kube-node-lease leases -o name | wc -l)" -ge "$1" ]; }
pod() { # NAME NODE POLICY [SPEC-FRAGMENT]
  printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s","namespace":"t"},"spec":{"nodeName":"%s","restartPolicy":"%s",%s"containers":[{"name":"c","image":"i:1"}]}}\n' "$1" "$2" "$3" "${4-}"
}
make() { "$@" | orch-create -f - >/dev/null; }
of_pod() { orch-get -n t "pod/$1" -o json | json "$2"; } # NAME FILTER
is() { [ "$(of_pod "$1" "$2")" = "$3" ]; }
gone() { ! orch-get -n t "pod/$1" -o name >/dev/null 2>&1; }
phases() { [ "$(orch-get -n t pods -o jsonl | json .status.phase | sort | uniq -c | awk '{printf "%s %s ", $1, $2}')" = "$1" ]; }
renewed() { orch-get -n kube-node-lease "lease/$1" -o json | json .spec.renewTime; }
later_than() { [[ "$(renewed "$1")" > "$2" ]]; }

@test "a dozen nodes: Node, status, Lease; heartbeats go on" {
  sim --nodes 12 --cpu 8 --memory 32Gi --pods 50 --label zone=a,disk=ssd --taint sim=yes:NoSchedule --heartbeat 1s
  wait_for 10 nodes_are 12
  orch-get node/sim-11 -o json >node
  json '.metadata.labels | [.zone, .disk, ."kubernetes.io/hostname", ."kubernetes.io/os", ."orch.io/simulated"]' <node | grep -qxF '["a","ssd","sim-11","linux","true"]'
  [ "$(json '.status.allocatable | [.cpu, .memory, .pods]' <node)" = '["8","32Gi","50"]' ]
  [ "$(json '.spec.taints[0] | [.key, .value, .effect]' <node)" = '["sim","yes","NoSchedule"]' ]
  [ "$(json '[.spec.podCIDR, .status.addresses[0].address]' <node)" = '["10.128.11.0/24","10.128.11.1"]' ]
  # a Lease goes with its Node
  [ "$(orch-get -n kube-node-lease lease/sim-11 -o json | json '.metadata.ownerReferences[0].uid')" = "$(json .metadata.uid <node)" ]
  local was
  was=$(renewed sim-3)
  wait_for 5 later_than sim-3 "$was"
  end_sim
  # without --remove they stay
  [ "$(orch-get nodes -o name | wc -l)" -eq 12 ]
}

@test "a pod: pending, running, ready; deleted within its grace" {
  sim --nodes 3 --start-delay 700ms
  wait_for 10 nodes_are 3
  make pod a sim-1 Always '"initContainers":[{"name":"i","image":"i:2"},{"name":"s","image":"i:3","restartPolicy":"Always"}],'
  wait_for 5 is a '[.status.phase, .status.containerStatuses[0].state.waiting.reason, .status.hostIP]' '["Pending","PodInitializing","10.128.1.1"]'
  wait_for 5 is a .status.phase Running
  of_pod a .status >status
  [ "$(json '.podIP, .podIPs[0].ip' <status | sort -u)" = 10.128.1.2 ]
  [ "$(json '[.conditions[] | select(.status == "True") | .type] | sort' <status)" = '["ContainersReady","Initialized","PodReadyToStartContainers","Ready"]' ]
  [ "$(json '.containerStatuses[0] | [.ready, .started, .restartCount, .image, (.state | keys[0])]' <status)" = '[true,true,0,"i:1","running"]' ]
  [ "$(json '[.initContainerStatuses[] | [.name, .ready, (.state | keys[0])]]' <status)" = '[["i",true,"terminated"],["s",true,"running"]]' ]
  # not its business: a pod of another node
  make pod other elsewhere Always
  orch-delete -n t pod/a >/dev/null
  wait_for 5 gone a
  is other .status.phase Pending
  # the address is free again
  make pod b sim-1 Always
  wait_for 5 is b .status.podIP 10.128.1.2
}

@test "what holds a deleted pod sees its last status" {
  sim --nodes 1
  wait_for 10 nodes_are 1
  for p in a:Always b:Never; do make pod "${p%:*}" sim-0 "${p#*:}"; done
  for p in a b; do
    wait_for 5 is $p .status.phase Running
    orch-patch -n t pod/$p -p '{"metadata":{"finalizers":["example.com/hold"]}}' >/dev/null
    orch-delete -n t pod/$p --wait=false >/dev/null
  done
  wait_for 5 is a '[.status.phase, .status.containerStatuses[0].state.terminated.exitCode]' '["Succeeded",0]'
  wait_for 5 is b '[.status.phase, .status.containerStatuses[0].state.terminated.exitCode]' '["Failed",143]'
  for p in a b; do orch-patch -n t pod/$p -p '{"metadata":{"finalizers":null}}' >/dev/null; done
  wait_for 5 gone a
  wait_for 5 gone b
}

@test "failure rates 0 and 1" {
  sim --nodes 12 --run-time 100ms-300ms --failure-rate 0
  wait_for 10 nodes_are 12
  for i in $(seq 10); do pod "n$i" "sim-$i" Never; pod "o$i" "sim-$i" OnFailure; done | orch-create -f - >/dev/null
  wait_for 20 phases '20 Succeeded '
  end_sim
  orch-get -n t pods -o jsonl | orch-delete -f - --grace-period=0 >/dev/null
  sim --nodes 12 --run-time 100ms-300ms --failure-rate 1 --backoff 300ms
  for i in $(seq 10); do pod "n$i" "sim-$i" Never; done | orch-create -f - >/dev/null
  wait_for 20 phases '10 Failed '
  is n3 '.status.containerStatuses[0].state.terminated.exitCode' 1
  # OnFailure: again and again
  make pod again sim-0 OnFailure
  wait_for 20 is again '[.status.phase, (.status.containerStatuses[0] | .restartCount >= 2, .lastState.terminated.exitCode)]' '["Running",true,1]'
}

@test "the same seed, the same fate" {
  local s
  for s in 7 7 8; do
    sim --nodes 2 --run-time 0 --failure-rate 0.5 --seed $s
    for i in $(seq 24); do pod "p$i" sim-1 Never; done | orch-create -f - >/dev/null
    wait_for 20 over 24
    orch-get -n t pods -o jsonl | json '[.metadata.name, .status.phase]' >>fate
    echo -- >>fate
    end_sim
    orch-get -n t pods -o jsonl | orch-delete -f - --grace-period=0 >/dev/null
  done
  csplit -s -f fate. fate '/^--/' '{*}'
  cmp <(sed 1d fate.01) fate.00
  run ! cmp -s <(sed 1d fate.02) fate.00
  grep -q Failed fate.00
  grep -q Succeeded fate.00
}
over() { [ "$(orch-get -n t pods -o jsonl | json 'select(.status.phase == "Failed" or .status.phase == "Succeeded") | 1' | wc -l)" -eq "$1" ]; }

@test "started again it finds its nodes and pods" {
  sim --nodes 4 --run-time 1h
  wait_for 10 nodes_are 4
  make pod a sim-2 Always
  make pod b sim-2 Never
  wait_for 5 phases '2 Running '
  local uid
  uid=$(orch-get node/sim-2 -o json | json .metadata.uid)
  end_sim
  orch-delete -n t pod/a --wait=false >/dev/null
  make pod c sim-2 Always
  sleep 0.3
  is c .status.phase Pending
  sim --nodes 4 --run-time 1h
  wait_for 5 gone a
  wait_for 5 is c .status.phase Running
  # b runs on, and no two have one address
  is b '[.status.phase, .status.containerStatuses[0].restartCount]' '["Running",0]'
  [ "$(of_pod b .status.podIP)" != "$(of_pod c .status.podIP)" ]
  [ "$(orch-get node/sim-2 -o json | json .metadata.uid)" = "$uid" ]
  # one that should have ended long ago ends
  end_sim
  sim --nodes 4 --run-time 0
  wait_for 5 is b .status.phase Succeeded
}

@test "a store that goes and comes back" {
  sim --nodes 12 --heartbeat 1s
  wait_for 10 nodes_are 12
  make pod a sim-2 Always
  wait_for 5 is a .status.phase Running
  local was port
  port=$(sed -n 's,.*server: https://127.0.0.1:,,p' "$KUBECONFIG")
  was=$(renewed sim-5)
  stop_store KILL
  sleep 1.5
  background orch-store --data "$STORE" --listen "127.0.0.1:$port" --socket "$STORE/socket"
  echo "$!" >"$STORE.pid"
  wait_for 10 orch-api -q /readyz
  wait_for 10 later_than sim-5 "$was"
  make pod b sim-2 Always
  wait_for 10 is b .status.phase Running
  orch-delete -n t pod/a >/dev/null
  wait_for 10 gone a
  # it says so once, not for every request
  [ "$(grep -c 'waiting for' sim.log)" -le 1 ]
  grep -q 'answers again' sim.log
}

@test "a node that somebody deletes registers again" {
  sim --nodes 2 --heartbeat 500ms
  wait_for 10 nodes_are 2
  local uid
  uid=$(orch-get node/sim-1 -o json | json .metadata.uid)
  orch-delete node/sim-1 >/dev/null
  orch-delete -n kube-node-lease lease/sim-1 >/dev/null # as the garbage collector does
  wait_for 10 nodes_are 2
  [ "$(orch-get node/sim-1 -o json | json .metadata.uid)" != "$uid" ]
  # a Lease that a former node of the name left behind goes with the new one
  end_sim
  orch-delete node/sim-0 >/dev/null
  sim --nodes 2 --heartbeat 500ms
  wait_for 10 nodes_are 2
  wait_for 5 owned sim-0
}

owned() { [ "$(orch-get -n kube-node-lease "lease/$1" -o json | json '.metadata.ownerReferences[].uid')" = "$(orch-get "node/$1" -o json | json .metadata.uid)" ]; }

@test "--fail-node: heartbeats stop, pods wait; then all goes on" {
  sim --nodes 2 --heartbeat 200ms --fail-node 1 --fail-time 2s -v
  wait_for 10 grep -q 'node sim-1: silent' sim.log
  local was
  was=$(renewed sim-1)
  make pod a sim-1 Always
  sleep 0.8
  [ "$(renewed sim-1)" = "$was" ]
  is a .status.phase Pending
  wait_for 10 later_than sim-1 "$was"
  wait_for 10 is a .status.phase Running
}

@test "a Deployment, with loops and scheduler" {
  others=
  orch-reconcile -w deployment replicaset node garbage >loops.log 2>&1 3>&- &
  others="$others $!"
  orch-schedule -w >schedule.log 2>&1 3>&- &
  others="$others $!"
  sim --nodes 12 --heartbeat 1s # the collector takes Leases that former nodes left behind
  wait_for 20 nodes_are 12
  untainted() { [ "$(orch-get nodes -o jsonl | jq -c 'select(.spec.taints)' | wc -l)" -eq 0 ]; }
  wait_for 20 untainted # a new node is not ready until the loop has seen that it is
  deployment web 100 | orch-apply -n t -f - >/dev/null
  orch-wait -n t deployment/web --for rollout --timeout 60s
  # on all nodes, every pod with its own address
  [ "$(orch-get -n t pods -o jsonl | json .spec.nodeName | sort -u | wc -l)" -eq 12 ]
  [ "$(orch-get -n t pods -o jsonl | json .status.podIP | sort -u | wc -l)" -eq 100 ]
  orch-scale -n t deployment/web --replicas 3 >/dev/null
  wait_for 30 phases '3 Running '
  orch-delete -n t deployment/web >/dev/null
  wait_for 30 phases ''
}

@test "--metrics, --remove" {
  sim --nodes 5 --remove --metrics 127.0.0.1:0 --prefix x-
  wait_for 10 nodes_are 5
  make pod a x-2 Always
  wait_for 5 is a .status.phase Running
  local port
  port=$(sed -n 's/.*metrics on port //p' sim.log)
  orch-api -s "http://127.0.0.1:$port" /metrics >figures
  grep -qx 'orch_simnode_nodes 5' figures
  grep -qx 'orch_simnode_pods{state="running"} 1' figures
  awk '/^orch_simnode_requests_total{request="lease"}/ && $2 >= 5 { ok = 1 } END { exit !ok }' figures
  end_sim
  [ -z "$(orch-get nodes -o name)" ]
  run ! grep -q /x- <(orch-get -n kube-node-lease leases -o name)
}

@test "wrong words" {
  for words in '--nodes 0' '--nodes 40000' '--pods 300' '--failure-rate 2' '--failure-rate x' '--run-time 2s-1s' \
    '--run-time -' '--cpu lots' '--label x' '--taint x:Never' '--prefix Sim_' '--heartbeat 1ms' \
    '--nodes 5000 --qps 10' 'operand'; do
    run -2 --separate-stderr orch-simnode $words
    [ -z "$output" ]
    [ -n "$stderr" ]
  done
  # nobody may create nodes without credentials
  printf '{clusters: [{name: c, cluster: {server: "%s", insecure-skip-tls-verify: true}}], users: [{name: u, user: {}}], contexts: [{name: x, context: {cluster: c, user: u}}], current-context: x}' \
    "$(sed -n 's/.*server: //p' "$KUBECONFIG")" >anonymous
  run -2 orch-simnode --kubeconfig anonymous
  [[ "$output" == *"cannot create node"* ]]
}
