#!/usr/bin/env bats
# The resources of pods change while they run: what is allocated, what the cgroups have, what the status says.
# Likewise their images.

bats_require_minimum_version 1.5.0
load node.bash

setup() {
	node_setup
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	for i in $(seq 600); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
	start
	until_api /api/v1/nodes/n1 '.status.conditions[] | select(.type == "Ready") | .status == "True"'
}
teardown() { node_teardown; }

start() { # [OPTION...]
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" "$@" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
}

api() { curl -s --fail-with-body --unix-socket "$T/sock" -H "Content-Type: ${TYPE:-application/json}" "http://orch$1" "${@:2}"; }
pods=/api/v1/namespaces/default/pods

create() { # NAME COMMAND [YAML] [YAML] [FILTER]: bound to n1, and up
	pod "${@:1:4}" | orch-parse | jq -c '.metadata.namespace = "default" | .spec.nodeName = "n1" | '"${5:-.}" |
		api $pods --data-binary @- >/dev/null
	until_api $pods/"$1" '.status | .phase == "Running" and all(.containerStatuses[]; .state.running)'
}

# resize NAME CONTAINER RESOURCES [LIST]: ask for others
resize() {
	TYPE=application/strategic-merge-patch+json api $pods/"$1"/resize -X PATCH -d "$(
		jq -nc --arg c "$2" --argjson r "$3" --arg l "${4:-containers}" '{spec: {($l): [{name: $c, resources: $r}]}}'
	)" >"$T/resized" || { cat "$T/resized"; return 1; }
}

until_api() { # PATH FILTER [SECONDS]
	local end=$((SECONDS + ${3:-60}))
	while [ $SECONDS -le $end ]; do
		if api "$1" | jq -e "$2" >/dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	echo "# $1: $2 never came true: $(api "$1" | jq -c .status)" >&2
	cat "$T/err" >&2
	return 1
}

# settled NAME: what is asked for is what it has
settled() {
	until_api $pods/"$1" '.metadata.generation == .status.observedGeneration and
		all(.status.conditions[]; .type | startswith("PodResize") | not)'
}

uid() { api $pods/"$1" | jq -r .metadata.uid; }

# figure NAME[/CONTAINER-N] V1-TREE V1-FILE V2-FILE: of a pod's cgroup, or one in it
figure() {
	local name=${1%%/*} below=${1#"${1%%/*}"} path
	path=$(find /sys/fs/cgroup -type d -path "*/orch/n1-*/pod$(uid "$name")" -prune 2>/dev/null | head -n 1)
	path=/orch/${path#*/orch/}$below
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then cat "/sys/fs/cgroup$path/$4"; else cat "/sys/fs/cgroup/$2$path/$3"; fi
}
shares() { figure "$1" cpu cpu.shares cpu.weight; }
memory() { figure "$1" memory memory.limit_in_bytes memory.max; }
quota() { figure "$1" cpu cpu.cfs_quota_us cpu.max | cut -d' ' -f1; }
weight() { if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo $((1 + ($1 - 2) * 9999 / 262142)); else echo "$1"; fi; }

asks() { echo "{requests: {$1}, limits: {$2}}"; }
json() { jq -nc "{requests: {$1}, limits: {$2}}"; }
reasons() { api /api/v1/namespaces/default/events | jq -r --arg n "$1" '[.items[] | select(.involvedObject.name == $n and (.reason | startswith("Resize"))) | .reason] | join(" ")'; }

@test "more and less, without a restart: cgroups, status, conditions, events" {
	create p 'sleep 99' "resources: $(asks 'cpu: 100m, memory: 32Mi' 'cpu: 200m, memory: 64Mi')"
	api $pods/p | jq -e '.status.containerStatuses[0] | .allocatedResources == {cpu: "100m", memory: "32Mi"} and
		.resources == {requests: {cpu: "100m", memory: "32Mi"}, limits: {cpu: "200m", memory: "64Mi"}}'
	id=$(api $pods/p | jq -r '.status.containerStatuses[0].containerID')
	resize p c "$(json 'cpu: "300m", memory: "48Mi"' 'cpu: "500m", memory: "128Mi"')"
	until_api $pods/p '.status.containerStatuses[0].resources == {requests: {cpu: "300m", memory: "48Mi"}, limits: {cpu: "500m", memory: "128Mi"}}'
	settled p
	[ "$(memory p)" = $((128 << 20)) ] && [ "$(memory p/c-0)" = $((128 << 20)) ]
	[ "$(quota p)" = 50000 ] && [ "$(quota p/c-0)" = 50000 ]
	[ "$(shares p)" = "$(weight 307)" ]
	[ -e /sys/fs/cgroup/cgroup.controllers ] || [ "$(shares p/c-0)" = 307 ]
	api $pods/p | jq -e --arg id "$id" '.status | .qosClass == "Burstable" and .observedGeneration == 2 and
		(.containerStatuses[0] | .containerID == $id and .restartCount == 0 and .allocatedResources == {cpu: "300m", memory: "48Mi"})'
	resize p c "$(json 'cpu: "50m", memory: "16Mi"' 'cpu: "60m", memory: "24Mi"')"
	until_api $pods/p '.status.containerStatuses[0].resources.limits == {cpu: "60m", memory: "24Mi"}'
	settled p
	[ "$(memory p)" = $((24 << 20)) ] && [ "$(memory p/c-0)" = $((24 << 20)) ]
	[ "$(quota p)" = 6000 ] && [ "$(quota p/c-0)" = 6000 ]
	api $pods/p | jq -e '.status.containerStatuses[0].restartCount == 0'
	for i in $(seq 300); do [[ $(reasons p) == *ResizeCompleted*ResizeCompleted* ]] && break; sleep 0.1; done
	[ "$(reasons p | tr ' ' '\n' | sort | uniq -c | tr -s ' ' | tr '\n' ';')" = " 2 ResizeCompleted; 2 ResizeStarted;" ]
	api /api/v1/namespaces/default/events | jq -e '[.items[] | select(.reason == "ResizeStarted") | .message] | any(
		startswith("Pod resize started: ") and (ltrimstr("Pod resize started: ") | fromjson |
			.generation == 2 and .containers[0] == {name: "c", resources: {limits: {cpu: "500m", memory: "128Mi"}, requests: {cpu: "300m", memory: "48Mi"}}}))'
}

@test "a limit below what is in use is refused, and set when it no longer is" {
	create p 'head -c 40000000 /dev/zero >/dev/shm/x; touch /full; while :; do [ -e /give ] && rm -f /dev/shm/x; sleep 0.1; done' \
		"resources: $(asks 'cpu: 100m, memory: 16Mi' 'memory: 96Mi')"
	pid=$(cat "$T"/n/pods/"$(uid p)"/containers/c-0/pid)
	for i in $(seq 600); do [ -e "/proc/$pid/root/full" ] && break; sleep 0.1; done
	resize p c "$(json 'cpu: "150m", memory: "16Mi"' 'memory: "20Mi"')"
	until_api $pods/p '[.status.conditions[] | select(.type == "PodResizeInProgress")][0] |
		.status == "True" and .reason == "Error" and .observedGeneration == 2 and
		(.message | test("^cannot decrease memory limits: \\[attempting to set pod memory limit \\(20971520\\) below current usage \\([0-9]+\\), attempting to set container \"c\" memory limit \\(20971520\\) below current usage \\([0-9]+\\)]$"))'
	[ "$(memory p)" = $((96 << 20)) ] && [ "$(memory p/c-0)" = $((96 << 20)) ]
	# allocated, and not what it has
	api $pods/p | jq -e '.status.containerStatuses[0] | .allocatedResources == {cpu: "150m", memory: "16Mi"} and
		.resources == {requests: {cpu: "100m", memory: "16Mi"}, limits: {memory: "96Mi"}}'
	until_api /api/v1/namespaces/default/events '[.items[] | select(.reason == "ResizeError" and .type == "Warning")] | length >= 1'
	touch "/proc/$pid/root/give"
	until_api $pods/p '.status.containerStatuses[0].resources == {requests: {cpu: "150m", memory: "16Mi"}, limits: {memory: "20Mi"}}'
	settled p
	[ "$(memory p)" = $((20 << 20)) ]
	api $pods/p | jq -e '.status.containerStatuses[0].restartCount == 0'
}

@test "resizePolicy RestartContainer: it begins again, whatever its restartPolicy; others run on" {
	create p 'trap "exit 0" TERM; echo "$CPU $MEM"; while :; do sleep 0.1; done' "$(cat <<-END
		resources: $(asks 'cpu: 100m, memory: 32Mi' 'cpu: 100m, memory: 64Mi')
		resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}, {resourceName: cpu, restartPolicy: NotRequired}]
		env:
		- {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
		- {name: MEM, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
		END
	)" 'restartPolicy: OnFailure' '.spec.terminationGracePeriodSeconds = 30 | .spec.containers += [.spec.containers[0] | .name = "d" | del(.env, .resizePolicy) | .command = ["sleep", "99"] |
		.resources = {limits: {cpu: "50m", memory: "16Mi"}}]'
	resize p c "$(json 'cpu: "200m", memory: "32Mi"' 'cpu: "200m", memory: "64Mi"')"
	settled p
	api $pods/p | jq -e '.status.containerStatuses[0] | .restartCount == 0 and .resources.limits.cpu == "200m"'
	[ "$(quota p)" = 25000 ] && [ "$(quota p/c-0)" = 20000 ]
	resize p c "$(json 'cpu: "200m", memory: "32Mi"' 'cpu: "200m", memory: "96Mi"')"
	until_api $pods/p '.status.containerStatuses[0] | .restartCount == 1 and .state.running and .resources.limits.memory == "96Mi" and
		.lastState.terminated.exitCode == 0'
	settled p
	[ "$(logs p c 0)" = "100 64" ] && [ "$(logs p c 1)" = "200 96" ]
	[ "$(memory p)" = $((112 << 20)) ] && [ "$(memory p/c-1)" = $((96 << 20)) ] && [ "$(quota p/c-1)" = 20000 ]
	api $pods/p | jq -e '.status.containerStatuses[1] | .restartCount == 0 and .resources.limits == {cpu: "50m", memory: "16Mi"}'
	until_api /api/v1/namespaces/default/events '[.items[] | select(.reason == "Killing" and .message == "Container c resize requires restart")] | length == 1'
	# less: the pod's bound follows when the container has it
	resize p c "$(json 'cpu: "200m", memory: "16Mi"' 'cpu: "200m", memory: "32Mi"')"
	until_api $pods/p '.status.containerStatuses[0] | .restartCount == 2 and .state.running'
	settled p
	[ "$(memory p)" = $((48 << 20)) ] && [ "$(memory p/c-2)" = $((32 << 20)) ]
}

@test "no room now: Deferred, until others go; never: Infeasible; taken back: neither" {
	cpus=$(api /api/v1/nodes/n1 | jq -r '.status.allocatable.cpu | tonumber * 1000')
	create big 'trap exit TERM; while :; do sleep 0.1; done' "resources: {requests: {cpu: $((cpus / 2))m}}"
	create low 'sleep 99' 'resources: {requests: {cpu: 100m}}'
	api /apis/scheduling.k8s.io/v1/priorityclasses -d '{"metadata": {"name": "high"}, "value": 1000}' >/dev/null
	create high 'sleep 99' 'resources: {requests: {cpu: 100m}}' '' '.spec.priorityClassName = "high"'
	ask() { resize "$1" c "{\"requests\": {\"cpu\": \"$2\"}}"; }
	pending='[.status.conditions[] | select(.type == "PodResizePending")][0]'
	ask low $((cpus + 1))m
	until_api $pods/low "$pending | .status == \"True\" and .reason == \"Infeasible\" and .observedGeneration == 2 and
		.message == \"Node didn't have enough capacity: cpu, requested: $((cpus + 1)), capacity: $cpus\""
	[ "$(shares low)" = "$(weight 102)" ]
	ask low 100m
	settled low
	ask low $((cpus * 6 / 10))m
	until_api $pods/low "$pending | .reason == \"Deferred\" and
		.message == \"Node didn't have enough resource: cpu, requested: $((cpus * 6 / 10)), used: $((cpus / 2 + 100)), capacity: $cpus\""
	ask high $((cpus * 6 / 10))m
	until_api $pods/high "$pending | .reason == \"Deferred\""
	api $pods/low | jq -e '.status | .observedGeneration == 4 and .containerStatuses[0].allocatedResources.cpu == "100m"'
	# it asked later, and has the higher priority
	api $pods/big -X DELETE >/dev/null
	settled high
	api $pods/low | jq -e "$pending | .reason == \"Deferred\""
	api $pods/high -X DELETE >/dev/null
	settled low
	api $pods/low | jq -e '. as $p | .status.containerStatuses[0] | .allocatedResources == $p.spec.containers[0].resources.requests and .resources.requests == .allocatedResources'
	[ "$(shares low)" = "$(weight $((cpus * 6 / 10 * 1024 / 1000)))" ]
	[[ " $(reasons low) " == *" ResizeInfeasible "* && " $(reasons low) " == *" ResizeDeferred "* ]]
}

@test "a node that is killed in between goes on: allocated, actuated and put off are remembered" {
	create p 'head -c 40000000 /dev/zero >/dev/shm/x; touch /full; while :; do [ -e /give ] && rm -f /dev/shm/x; sleep 0.1; done' \
		"resources: $(asks 'cpu: 100m, memory: 16Mi' 'memory: 96Mi')"
	create q 'trap "sleep 1; exit 0" TERM; while :; do sleep 0.1; done' "$(cat <<-END
		resources: $(asks 'cpu: 10m, memory: 16Mi' 'memory: 32Mi')
		resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]
		END
	)" 'restartPolicy: OnFailure' '.spec.terminationGracePeriodSeconds = 10'
	pid=$(cat "$T"/n/pods/"$(uid p)"/containers/c-0/pid)
	for i in $(seq 600); do [ -e "/proc/$pid/root/full" ] && break; sleep 0.1; done
	resize p c "$(json 'cpu: "150m", memory: "16Mi"' 'memory: "20Mi"')"
	until_api $pods/p 'any(.status.conditions[]; .type == "PodResizeInProgress" and .reason == "Error")'
	resize q c "$(json 'cpu: "10m", memory: "16Mi"' 'memory: "48Mi"')"
	until_api /api/v1/namespaces/default/events '[.items[] | select(.reason == "Killing")] | length == 1'
	end_node KILL
	# what is asked for meanwhile, what it gives back, who ends
	touch "/proc/$pid/root/give"
	resize q c "$(json 'cpu: "20m", memory: "16Mi"' 'memory: "64Mi"')"
	sleep 1.5
	start
	settled p
	settled q
	api $pods/p | jq -e '.status.containerStatuses[0] | .restartCount == 0 and .resources == {requests: {cpu: "150m", memory: "16Mi"}, limits: {memory: "20Mi"}}'
	[ "$(memory p/c-0)" = $((20 << 20)) ]
	until_api $pods/q '.status.containerStatuses[0] | .state.running and .restartCount >= 1 and
		.resources == {requests: {cpu: "20m", memory: "16Mi"}, limits: {memory: "64Mi"}}'
	[ "$(memory q)" = $((64 << 20)) ]
}

@test "a node that is killed again and again while sizes change comes to what was asked for last" {
	create p 'sleep 99' "resources: $(asks 'cpu: 100m, memory: 16Mi' 'cpu: 100m, memory: 32Mi')"
	for n in 1 2 3 4 5 6; do
		resize p c "$(json "cpu: \"${n}0m\", memory: \"16Mi\"" "cpu: \"${n}00m\", memory: \"$((32 + n))Mi\"")"
		sleep 0.0$n
		end_node KILL
		start
	done
	until_api $pods/p '.status.containerStatuses[0] | .restartCount == 0 and .resources == {requests: {cpu: "60m", memory: "16Mi"}, limits: {cpu: "600m", memory: "38Mi"}}'
	settled p
	[ "$(memory p)" = $((38 << 20)) ] && [ "$(memory p/c-0)" = $((38 << 20)) ]
	[ "$(quota p)" = 60000 ] && [ "$(quota p/c-0)" = 60000 ]
}

@test "sidecars are resized, init containers that end are not; a bound where there was none" {
	create p 'sleep 99' 'resources: {requests: {cpu: 10m}}' '' '.spec.initContainers = [
		(.spec.containers[0] | .name = "i" | .command = ["true"] | .resources = {requests: {cpu: "5m"}}),
		(.spec.containers[0] | .name = "s" | .command = ["sleep", "99"] | .restartPolicy = "Always" | .resources = {requests: {cpu: "10m"}})]'
	resize p s '{"requests": {"cpu": "30m"}, "limits": {"cpu": "70m", "memory": "32Mi"}}' initContainers
	until_api $pods/p '.status.initContainerStatuses[1].resources == {requests: {cpu: "30m", memory: "32Mi"}, limits: {cpu: "70m", memory: "32Mi"}}'
	settled p
	[ "$(memory p/s-0)" = $((32 << 20)) ] && [ "$(quota p/s-0)" = 7000 ]
	[[ $(quota p) == -1 || $(quota p) == max ]] # c has none
	api $pods/p | jq -e '.status.initContainerStatuses[0] | .resources == {requests: {cpu: "5m"}}'
	run ! resize p i '{"requests": {"cpu": "6m"}}' initContainers
	[[ $output == *"resources for non-sidecar init containers are immutable"* ]]
}

@test "a pod's own figures by environment and file: the file follows" {
	create p 'sleep 99' "$(cat <<-END
		resources: $(asks 'cpu: 100m' 'memory: 64Mi')
		volumeMounts: [{name: v, mountPath: /v}]
		END
	)" "$(printf 'restartPolicy: Never\nvolumes:\n- name: v\n  downwardAPI: {items: [{path: m, resourceFieldRef: {containerName: c, resource: limits.memory, divisor: 1Mi}}, {path: c, resourceFieldRef: {containerName: c, resource: limits.cpu}}]}')"
	pid=$(cat "$T"/n/pods/"$(uid p)"/containers/c-0/pid)
	[ "$(cat "/proc/$pid/root/v/m")" = 64 ]
	[ "$(cat "/proc/$pid/root/v/c")" = "$(api /api/v1/nodes/n1 | jq -r .status.allocatable.cpu)" ] # it has no limit: what there is
	resize p c "$(json 'cpu: "100m", memory: "64Mi"' 'memory: "80Mi"')"
	settled p
	for i in $(seq 300); do [ "$(cat "/proc/$pid/root/v/m")" = 80 ] && break; sleep 0.1; done
	[ "$(cat "/proc/$pid/root/v/m")" = 80 ]
}

@test "a pod that asks for itself: its group, and the limits that its containers have of it" {
	create p 'while :; do sleep 0.1; done' '' 'resources: {requests: {cpu: 100m, memory: 16Mi}, limits: {cpu: 300m, memory: 64Mi}}' \
		'.spec.restartPolicy = "OnFailure" | .spec.containers += [.spec.containers[0] | .name = "d" | .resources = {limits: {cpu: "50m", memory: "16Mi"}}] +
		[.spec.containers[0] | .name = "e" | .resizePolicy = [{resourceName: "memory", restartPolicy: "RestartContainer"}]]'
	[ "$(memory p)" = $((64 << 20)) ] && [ "$(memory p/c-0)" = $((64 << 20)) ] && [ "$(memory p/d-0)" = $((16 << 20)) ]
	api $pods/p | jq -e '.status | .resources == {requests: {cpu: "100m", memory: "16Mi"}, limits: {cpu: "300m", memory: "64Mi"}} and
		.allocatedResources == {cpu: "100m", memory: "16Mi"} and .containerStatuses[0].resources == {}'
	TYPE=application/merge-patch+json api $pods/p/resize -X PATCH \
		-d '{"spec": {"resources": {"requests": {"cpu": "200m"}, "limits": {"cpu": "400m", "memory": "96Mi"}}}}' >/dev/null
	until_api $pods/p '.status | .resources == {requests: {cpu: "200m", memory: "16Mi"}, limits: {cpu: "400m", memory: "96Mi"}}'
	until_api $pods/p '[.status.containerStatuses[] | .restartCount] == [0, 0, 1] and all(.status.containerStatuses[]; .state.running)'
	settled p
	[ "$(memory p)" = $((96 << 20)) ] && [ "$(quota p)" = 40000 ] && [ "$(shares p)" = "$(weight 204)" ]
	[ "$(memory p/c-0)" = $((96 << 20)) ] && [ "$(quota p/c-0)" = 40000 ] && [ "$(memory p/d-0)" = $((16 << 20)) ] && [ "$(memory p/e-1)" = $((96 << 20)) ]
	api $pods/p | jq -e '.status | .qosClass == "Burstable" and .allocatedResources == {cpu: "200m", memory: "16Mi"}'
}

@test "guaranteed pods stay so; the smallest limits; a limit that no kernel takes" {
	create p 'sleep 99' "resources: $(asks 'cpu: 1m, memory: 32Mi' 'cpu: 1m, memory: 32Mi')"
	[ "$(quota p/c-0)" = 1000 ] # a millisecond is the least
	api $pods/p | jq -e '.status | .qosClass == "Guaranteed" and .containerStatuses[0].resources.limits.cpu == "1m"'
	resize p c "$(json 'cpu: "5m", memory: "32Mi"' 'cpu: "5m", memory: "32Mi"')"
	until_api $pods/p '.status.containerStatuses[0] | .resources == {requests: {cpu: "5m", memory: "32Mi"}, limits: {cpu: "5m", memory: "32Mi"}}'
	settled p
	[ "$(quota p/c-0)" = 1000 ]
	resize p c "$(json 'cpu: "25m", memory: "33333333"' 'cpu: "25m", memory: "33333333"')" # no whole pages
	until_api $pods/p '.status.containerStatuses[0].resources.limits == {cpu: "25m", memory: "33333333"}'
	settled p
	[ "$(quota p/c-0)" = 2500 ] && [ "$(memory p/c-0)" = $((33333333 / 4096 * 4096)) ]
	run ! resize p c "$(json 'cpu: "25m", memory: "32Mi"' 'cpu: "50m", memory: "32Mi"')"
	[[ $output == *"Pod QOS Class may not change as a result of resizing"* ]]
	create q 'sleep 99' "resources: $(asks 'cpu: 10m' 'cpu: 9E')" # more than anybody can count is no bound
	[[ $(quota q/c-0) == -1 || $(quota q/c-0) == max ]]
}

@test "taken back while it fails: the old limits, and no error any more" {
	create p 'head -c 40000000 /dev/zero >/dev/shm/x; touch /full; while :; do sleep 0.1; done' "resources: $(asks 'memory: 16Mi' 'memory: 96Mi')"
	pid=$(cat "$T"/n/pods/"$(uid p)"/containers/c-0/pid)
	for i in $(seq 600); do [ -e "/proc/$pid/root/full" ] && break; sleep 0.1; done
	resize p c "$(json 'memory: "16Mi"' 'memory: "20Mi"')"
	until_api $pods/p 'any(.status.conditions[]; .type == "PodResizeInProgress" and .reason == "Error")'
	resize p c "$(json 'memory: "16Mi"' 'memory: "96Mi"')"
	settled p
	api $pods/p | jq -e '.status.containerStatuses[0] | .restartCount == 0 and .resources.limits.memory == "96Mi"'
	[ "$(memory p/c-0)" = $((96 << 20)) ]
}

@test "a runtime that hangs in its update is given up, told, and asked again" {
	[ -x /usr/bin/crun ] || skip "needs crun"
	mkdir "$T/bin"
	printf '#!/bin/sh\ncase " $* " in *" update "*) while [ -e %s/hang ]; do sleep 0.1; done ;; esac\nexec /usr/bin/crun "$@"\n' "$T" >"$T/bin/crun"
	chmod +x "$T/bin/crun"
	end_node
	start --runtime "$T/bin/crun" --runtime-request-timeout 2s
	create p 'sleep 999' "resources: $(asks 'memory: 16Mi' 'memory: 32Mi')"
	touch "$T/hang"
	resize p c "$(json 'memory: "16Mi"' 'memory: "48Mi"')"
	until_api $pods/p 'any(.status.conditions[]; .type == "PodResizeInProgress" and .reason == "Error" and
		(.message | test("runtime call .update.: .* did not end within 2 s: context deadline exceeded")))'
	rm "$T/hang"
	settled p
	[ "$(memory p/c-0)" = $((48 << 20)) ]
}

@test "what is allocated cannot be recorded: nothing has it, it is not tried all the time, and then it is" {
	create p 'sleep 999' "resources: $(asks 'memory: 16Mi' 'memory: 32Mi')"
	settled p
	folder=$T/n/pods/$(uid p)
	rm "$folder/state.json"
	mkdir "$folder/state.json"
	resize p c "$(json 'memory: "16Mi"' 'memory: "48Mi"')"
	for i in $(seq 600); do grep -q 'cannot record pod default/p: ' "$T/err" && break; sleep 0.1; done
	before=$SECONDS
	for i in $(seq 20); do # each is something that happens
		TYPE=application/merge-patch+json api $pods/p -X PATCH -d "{\"metadata\": {\"labels\": {\"n\": \"$i\"}}}" >/dev/null
		sleep 0.1
	done
	[ "$(grep -c 'cannot record pod default/p: ' "$T/err")" -le $((2 + (SECONDS - before) / 5)) ]
	[ "$(memory p)" = $((32 << 20)) ]
	[ "$(memory p/c-0)" = $((32 << 20)) ]
	jq -e '.spec.containers[0].resources.limits.memory == "32Mi"' "$folder/pod.json"
	rmdir "$folder/state.json"
	until_api $pods/p '.status.containerStatuses[0].resources.limits.memory == "48Mi"'
	settled p
	[ "$(memory p)" = $((48 << 20)) ]
	[ "$(memory p/c-0)" = $((48 << 20)) ]
	jq -e '.spec.containers[0].resources.limits.memory == "48Mi"' "$folder/pod.json"
}

image() { # NAME IMAGE: another one
	TYPE=application/strategic-merge-patch+json api $pods/"$1" -X PATCH -d "{\"spec\": {\"containers\": [{\"name\": \"c\", \"image\": \"$2\"}]}}" >/dev/null
}

@test "another image, and the node is killed before the container has ended: it begins again all the same" {
	orch-image --data "$T/n" import "$T/image.tar" web:2 >/dev/null
	create p 'trap "" TERM; while :; do sleep 0.1; done' 'imagePullPolicy: IfNotPresent' '' '.spec.terminationGracePeriodSeconds = 8'
	image p web:2
	until_api /api/v1/namespaces/default/events 'any(.items[]; .reason == "Killing" and .message == "Container c definition changed, will be restarted")'
	end_node KILL
	start
	until_api $pods/p '.status.phase == "Running" and (.status.containerStatuses[0] |
		.image == "docker.io/library/web:2" and .restartCount == 1 and .state.running != null and .lastState.terminated.exitCode == 137)'
	run ! grep 'resize requires restart' "$T/err"
}

@test "another image while a container starts with the old one, and is in its postStart hook" {
	orch-image --data "$T/n" import "$T/image.tar" web:2 >/dev/null
	pod p 'trap "exit 0" TERM; while :; do sleep 0.1; done' "$(cat <<-END
		imagePullPolicy: IfNotPresent
		volumeMounts: [{name: v, mountPath: /v}]
		lifecycle: {postStart: {exec: {command: [sh, -c, '[ -e /v/hooked ] && exit; touch /v/hooked; sleep 300']}}}
		END
	)" "$(printf 'restartPolicy: Never\nvolumes: [{name: v, emptyDir: {}}]')" | orch-parse |
		jq -c '.metadata.namespace = "default" | .spec.nodeName = "n1"' | api $pods --data-binary @- >/dev/null
	for i in $(seq 600); do
		pid=$(cat "$T"/n/pods/*/containers/c-0/pid 2>/dev/null) && [ -e "/proc/$pid/root/v/hooked" ] && break
		sleep 0.1
	done
	image p web:2
	until_api $pods/p '.status.phase == "Running" and (.status.containerStatuses[0] |
		.image == "docker.io/library/web:2" and .restartCount == 1 and .state.running != null and .lastState.terminated.exitCode == 0)'
	[ ! -e "$T/n/pods/$(uid p)/containers/c-0" ]
}
