# kubectl, unmodified, changes the resources of pods that run.
load cluster
load clients

setup_file() {
  need_root || return 0
  clients_fetch >"$BATS_FILE_TMPDIR/why" || return 0
  clients_home "$BATS_FILE_TMPDIR"
  cluster_up 3>&-
  cluster_images
}

teardown_file() {
  cluster_end
}

setup() {
  cd "$BATS_TEST_TMPDIR"
  clients_or_skip
}

k() { timeout 120 kubectl "$@" 3>&-; }

# settled POD: what is asked for is what it has
settled() {
  for _ in $(seq 300); do
    k get pod "$1" -o json | jq -e '.metadata.generation == .status.observedGeneration and all(.status.conditions[]; .type | startswith("PodResize") | not) and
      .spec.containers[0].resources == .status.containerStatuses[0].resources' >/dev/null && return
    sleep 0.1
  done
  k get pod "$1" -o yaml
  return 1
}

@test "kubectl: patch and edit --subresource resize, describe, get events" {
  cat >pod.yaml <<-END
	apiVersion: v1
	kind: Pod
	metadata: {name: p, labels: {app: p}}
	spec:
	  terminationGracePeriodSeconds: 0
	  containers:
	  - name: c
	    image: web:1
	    command: [sleep, "99"]
	    resources: {requests: {cpu: 100m, memory: 16Mi}, limits: {cpu: 200m, memory: 32Mi}}
	END
  k apply -f pod.yaml
  k wait pod/p --for=condition=Ready --timeout=100s
  started=$(k get pod p -o jsonpath='{.status.containerStatuses[0].state.running.startedAt}')
  k patch pod p --subresource resize -p '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"150m"},"limits":{"memory":"48Mi"}}}]}}'
  settled p
  [ "$(k exec p -- sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max')" = $((48 << 20)) ]
  KUBE_EDITOR="sed -i 's/cpu: 200m/cpu: 250m/'" k edit pod p --subresource resize
  settled p
  [ "$(k get pod p -o jsonpath='{.spec.containers[0].resources.limits.cpu}')" = 250m ]
  [ "$(k get pod p -o jsonpath='{.status.containerStatuses[0].state.running.startedAt} {.status.containerStatuses[0].restartCount}')" = "$started 0" ]
  k get pod p -o json | jq '.spec.containers[0].resources = {requests: {cpu: "120m", memory: "16Mi"}, limits: {cpu: "300m", memory: "48Mi"}}' |
    k replace --subresource resize -f -
  settled p
  k patch pod p --subresource resize -p '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"1000"},"limits":{"cpu":"1000"}}}]}}'
  k wait pod/p --for=condition=PodResizePending --timeout=100s
  k describe pod p >described
  grep -q 'PodResizePending *True' described
  grep -q "ResizeInfeasible.*Node didn't have enough capacity: cpu, requested: 1000000" described
  grep -q 'ResizeStarted' described && grep -q 'ResizeCompleted' described
  run ! k patch pod p -p '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"1"}}}]}}'
  [[ $output == *"pod updates may not change fields"* ]]
}

@test "kubectl: what waits for room is counted by the scheduler" {
  cpus=$(k get nodes -o json | jq '.items[0].status.allocatable.cpu | tonumber * 1000')
  for p in big wants; do
    k run $p --image=web:1 --image-pull-policy=IfNotPresent --restart=Never --overrides='{"spec":{"terminationGracePeriodSeconds":0,"containers":[{"name":"'$p'","image":"web:1","command":["sleep","99"],"resources":{"requests":{"cpu":"'$((cpus * 3 / 10))'m"}}}]}}'
  done
  k wait pod/big pod/wants --for=condition=Ready --timeout=100s
  k patch pod wants --subresource resize -p '{"spec":{"containers":[{"name":"wants","resources":{"requests":{"cpu":"'$((cpus * 8 / 10))'m"}}}]}}'
  k wait pod/wants --for='jsonpath={.status.conditions[?(@.type=="PodResizePending")].reason}=Deferred' --timeout=100s
  # there is room for it on the node, but that is spoken for
  k run later --image=web:1 --restart=Never --overrides='{"spec":{"terminationGracePeriodSeconds":0,"containers":[{"name":"later","image":"web:1","command":["sleep","99"],"resources":{"requests":{"cpu":"'$((cpus / 10))'m"}}}]}}'
  k wait pod/later --for=condition=PodScheduled=false --timeout=100s
  k delete pod big
  settled wants
  k wait pod/later --for=condition=Ready --timeout=100s
}
