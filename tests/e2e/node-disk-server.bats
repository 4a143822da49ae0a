#!/usr/bin/env bats
# A node whose disk is short of room, as its server sees it.

load node.bash

setup() {
	node_setup
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	for _ in $(seq 100); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
}
teardown() {
	if [ -n "${T:-}" ] && mountpoint -q "$T/n"; then
		[ ! -e "$T/node.pid" ] || end_node KILL
		[ ! -d "$T/n/run" ] || orch-node --data "$T/n" --clean
		umount "$T/n"
	fi
	node_teardown
}

# small_disk SIZE [OPTION]: the node's folder is on a file system of its own
small_disk() {
	mv "$T/n" "$T/full"
	mkdir "$T/n"
	mount -t tmpfs -o "mode=0711,size=$1${2:+,$2}" orch-test "$T/n" || skip "cannot mount a tmpfs"
	cp -a "$T/full/." "$T/n"
	rm -r "$T/full"
}

api() { curl -s --fail-with-body --unix-socket "$T/sock" -H "Content-Type: application/json" "http://orch$1" "${@:2}"; }
pods=/api/v1/namespaces/default/pods

create() { # NAME COMMAND [YAML] [YAML]: bound to n1
	pod "$@" | orch-parse | jq -c '.metadata.namespace = "default" | .spec.nodeName = "n1"' |
		api $pods --data-binary @- >/dev/null
}

until_api() { # PATH FILTER [SECONDS]
	local end=$((SECONDS + ${3:-60}))
	while [ $SECONDS -le $end ]; do
		if api "$1" | jq -e "$2" >/dev/null 2>&1; then return 0; fi
		sleep 0.1
	done
	echo "# $1: $2 never came true: $(api "$1" | jq -c .)" >&2
	cat "$T/err" >&2
	return 1
}

@test "DiskPressure: said, tainted, a pod evicted, new ones refused, and over when there is room" {
	small_disk 32m
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" --minimum-image-ttl-duration 1h \
		--eviction-hard 'nodefs.available<10Mi' --eviction-pressure-transition-period 10s >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
	orch-reconcile -s "unix:$T/sock" -w node 2>"$T/loop.log" 3>&- &
	echo $! >"$T/loop.pid"
	until_api /api/v1/nodes/n1 '.status.conditions[] | select(.type == "DiskPressure") | .status == "False" and .reason == "KubeletHasNoDiskPressure"'
	create hog 'dd if=/dev/zero of=/x bs=64k count=368 2>/dev/null; sleep 1000'
	until_api /api/v1/nodes/n1 '.status.conditions[] | select(.type == "DiskPressure") | .status == "True" and .reason == "KubeletHasDiskPressure"'
	until_api /api/v1/nodes/n1 '.spec.taints | any(.key == "node.kubernetes.io/disk-pressure" and .effect == "NoSchedule")'
	until_api $pods/hog '.status.phase == "Failed" and .status.reason == "Evicted"'
	api $pods/hog | jq -e '.status.message | startswith("The node was low on resource: ephemeral-storage. Threshold quantity: 10Mi, available: ")'
	api $pods/hog | jq -e '.status.conditions | any(.type == "DisruptionTarget" and .status == "True" and .reason == "TerminationByKubelet")'
	create late 'sleep 1000'
	until_api $pods/late '.status.phase == "Failed"'
	api $pods/late | jq -e '.status.reason == "Evicted" and .status.message == "Pod was rejected: The node had condition: [DiskPressure]. "'
	events=/api/v1/namespaces/default/events
	until_api $events '.items | any(.reason == "Evicted" and .involvedObject.name == "hog" and .type == "Warning")'
	until_api $events '.items | any(.reason == "EvictionThresholdMet" and .involvedObject.kind == "Node" and .message == "Attempting to reclaim ephemeral-storage")'
	until_api $events '.items | any(.reason == "NodeHasDiskPressure" and .involvedObject.kind == "Node" and .type == "Normal")'
	# what was evicted gives its room back, and the condition goes
	until_api /api/v1/nodes/n1 '.status.conditions[] | select(.type == "DiskPressure") | .status == "False"'
	until_api /api/v1/nodes/n1 '.spec.taints // [] | all(.key != "node.kubernetes.io/disk-pressure")'
	create then 'sleep 1000'
	until_api $pods/then '.status.phase == "Running"'
}

@test "ephemeral-storage: capacity, and a pod that asks for more than there is" {
	small_disk 32m
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" \
		--system-reserved ephemeral-storage=8Mi --eviction-hard 'nodefs.available<10%' >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
	until_api /api/v1/nodes/n1 '.status.capacity["ephemeral-storage"] == "32Mi" or .status.capacity["ephemeral-storage"] == "32768Ki"'
	api /api/v1/nodes/n1 | jq -e '.status.allocatable["ephemeral-storage"] | test("^2181[0-9]+$|^2130[0-9]Ki$")'
	create fits 'sleep 1000' 'resources: {requests: {ephemeral-storage: 16Mi}}'
	until_api $pods/fits '.status.phase == "Running"'
	create more 'sleep 1000' 'resources: {limits: {ephemeral-storage: 16Mi}}'
	until_api $pods/more '.status.phase == "Failed" and .status.reason == "OutOfephemeral-storage"'
	api $pods/more | jq -e '.status.message | startswith("Pod was rejected: Node didn\u0027t have enough resource: ephemeral-storage, requested: 16777216, used: 16777216, capacity: 2")'
	# and a scheduler knows it
	orch-get nodes pods -s "unix:$T/sock" -o jsonl | jq -c 'del(.spec.taints)' >"$T/snapshot"
	pod free 'sleep 1' 'resources: {requests: {ephemeral-storage: 16Mi}}' | orch-parse | jq -c '.metadata.namespace = "default" | .metadata.uid = "u"' >>"$T/snapshot"
	orch-schedule <"$T/snapshot" >"$T/plan"
	grep -q 'Insufficient ephemeral-storage' "$T/plan"
}
