#!/usr/bin/env bats
# What pods store: limits, and what goes when the disk is short of room.

load node.bash

setup() { node_setup; }
teardown() { node_teardown; }

# failed NAME: reason and message of a pod that was evicted
failed() { status "$1" '"\(.reason)|\(.message)"'; }
write() { echo "dd if=/dev/zero of=$1 bs=64k count=$2 2>/dev/null; sleep 1000"; } # PATH TIMES

@test "ephemeral-storage: who stores more than it may is evicted, in the kubelet's words" {
	LIMIT='resources: {limits: {ephemeral-storage: 1Mi}}'
	{
		pod layer "$(write /x 32)" "$LIMIT"
		pod log 'i=0; while [ $i -lt 16 ]; do head -c 131072 /dev/zero | tr "\0" "x"; echo; i=$((i + 1)); done; sleep 1000' "$LIMIT"
		pod volume "$(write /e/x 32)" "$LIMIT
volumeMounts: [{name: e, mountPath: /e}]" 'volumes: [{name: e, emptyDir: {}}]'
		pod memory "$(write /e/x 32)" "$LIMIT
volumeMounts: [{name: e, mountPath: /e}]" 'volumes: [{name: e, emptyDir: {medium: Memory}}]'
		pod fits "$(write /x 12)" "$LIMIT"
		pod free "$(write /x 64)"
		# the pod may have 9 MiB, this container one of them
		pod two "$(write /x 32)" "$LIMIT"
		echo '  - {name: d, image: web:1, command: [sleep, "1000"], resources: {limits: {ephemeral-storage: 8Mi}}}'
		pod critical "$(write /x 32)" "$LIMIT" 'priority: 2000000000'
	} | start_node
	for p in layer log volume; do
		until_status $p '.phase == "Failed"' 30
		[ "$(failed $p)" = 'Evicted|Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ' ]
	done
	until_status two '.phase == "Failed"' 30
	[ "$(failed two)" = 'Evicted|Container c exceeded its local ephemeral storage limit "1Mi". ' ]
	[ "$(status two '[.containerStatuses[].state.terminated.exitCode] | tostring')" = '[137,137]' ]
	sleep 6
	for p in memory fits free critical; do [ "$(status $p .phase)" = Running ]; done
}

@test "ephemeral-storage: folders a thousand deep, moved about, and files of several names" {
	deep="d=\$(yes d/ | head -n 1500 | tr -d '\n'); mkdir -p /e/\$d; cd /e/\$d"
	LIMIT='resources: {limits: {ephemeral-storage: 32Mi}}'
	{
		pod deep "$deep; dd if=/dev/zero of=x bs=1M count=40 2>/dev/null; sleep 1000" "$LIMIT"
		pod moving "$deep; cd /e; while :; do mv d f; mv f d; sleep 0.01; done" "$LIMIT"
		pod linked 'dd if=/dev/zero of=/x bs=1M count=12 2>/dev/null; ln /x /y; ln /x /z; truncate -s 9G /w; sleep 1000' "$LIMIT"
	} | start_node
	until_status deep '.reason == "Evicted"' 30
	sleep 5
	[ "$(status moving .phase)" = Running ]
	[ "$(status linked .phase)" = Running ]
	end_node # and all of it can be removed again
	[ -z "$(ls -A "$T/n/pods")" ]
}
