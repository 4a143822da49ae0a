#!/usr/bin/env bats
# The clock is set while a node runs, by hours: nothing of it notices. Only the node's own clock
# (libfaketime), not this machine's.

load node.bash

setup() {
	FAKE=$(echo /usr/lib/*/faketime/libfaketime.so.1)
	[ -e "$FAKE" ] || skip "needs libfaketime"
	node_setup
	echo +0h >"$T/clock"
}
teardown() { node_teardown; }

set_clock() { # +5h: as it is now, but for so much
	echo "$1" >"$T/clock.new"
	mv "$T/clock.new" "$T/clock"
}

with_store() { # [OPTION...]: a store, and a node of it whose clock can be set
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	for _ in $(seq 100); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
	go_on "$@"
}
go_on() {
	FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_TIMESTAMP_FILE=$T/clock FAKETIME_NO_CACHE=1 LD_PRELOAD=$FAKE \
		orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" "$@" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
}
api() { curl -s --fail-with-body --unix-socket "$T/sock" -H "Content-Type: ${TYPE:-application/json}" "http://orch$1" "${@:2}"; }
pods=/api/v1/namespaces/default/pods
lease=/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1
create() { # NAME COMMAND [YAML] [YAML]: bound to n1
	pod "$@" | orch-parse | jq -c '.metadata.namespace = "default" | .spec.nodeName = "n1"' |
		api $pods --data-binary @- >"$T/created" || { cat "$T/created" >&2; return 1; }
}
until_api() { # PATH FILTER [SECONDS]
	local end=$((SECONDS + ${3:-15}))
	while [ $SECONDS -le $end ]; do
		if api "$1" | jq -e "$2" >/dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	echo "# $1: $2 never came true: $(api "$1" | jq -c .status)" >&2
	cat "$T/err" >&2
	return 1
}
for_seconds() { # SECONDS PATH FILTER: true all along
	local end=$((SECONDS + $1))
	while [ $SECONDS -lt $end ]; do
		api "$2" | jq -e "$3" >/dev/null || { api "$2" | jq -c .status >&2; return 1; }
		sleep 0.2
	done
}
restarts() { api $pods/"$1" | jq .status.containerStatuses[0].restartCount; }
probed='readinessProbe: {exec: {command: ["true"]}, periodSeconds: 1}
livenessProbe: {exec: {command: ["true"]}, periodSeconds: 1, failureThreshold: 1}'
well='.status.phase == "Running" and .status.containerStatuses[0].ready and .status.containerStatuses[0].restartCount == 0'

# set STEP: what goes on meanwhile stays as it is, and what waits waits neither longer nor shorter
try() {
	with_store --backoff 6s
	create a 'sleep 1000' "$probed"
	create b 'sleep 1; exit 1' '' 'restartPolicy: Always'
	create d 'sleep 1000' '' 'activeDeadlineSeconds: 18
restartPolicy: Always'
	create g 'trap "" TERM; while :; do sleep 0.2; done'
	api /api/v1/namespaces/default/serviceaccounts --data-binary '{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}' >/dev/null
	create t 'while :; do md5sum </t/token; sleep 0.5; done' 'volumeMounts: [{name: t, mountPath: /t}]' \
		'serviceAccountName: default
volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: token, expirationSeconds: 3600}}]}}]'
	until_api $pods/a "$well"
	until_api $pods/d "$well"
	until_api $pods/t "$well"
	until_api $pods/g '.status.phase == "Running"'
	until_api $pods/b '.status.containerStatuses[0] | .restartCount == 1 and .state.waiting.reason == "CrashLoopBackOff"'
	before=$(api $pods/d | jq -r .status.startTime)
	token=$(logs t | tail -n 1)
	api $pods/g -X DELETE >/dev/null # killed 2 s later
	set_clock "$1"
	for_seconds 3 $pods/b '.status.containerStatuses[0].restartCount == 1' # of 6
	api $pods/d | jq -e '.status.phase == "Running"'
	for _ in $(seq 40); do api $pods/g >/dev/null || break; sleep 0.1; done
	run api $pods/g
	[ "$status" -ne 0 ]
	until_api $pods/b '.status.containerStatuses[0].restartCount == 2' 8
	until_api $pods/d '.status.phase == "Failed" and .status.reason == "DeadlineExceeded"' 20
	api $pods/d | jq -e --arg at "$before" '.status.startTime == $at'
	# probes are still made, also those of a container that begins now
	create new 'sleep 3; touch /tmp/up; sleep 1000' 'readinessProbe: {exec: {command: [test, -e, /tmp/up]}, periodSeconds: 1}
livenessProbe: {exec: {command: [test, "!", -e, /tmp/down]}, periodSeconds: 1, failureThreshold: 2}
startupProbe: {exec: {command: ["true"]}, initialDelaySeconds: 1}' 'restartPolicy: Always'
	until_api $pods/new "$well"
	api $pods/a | jq -e "$well"
	# the time of the node's words is the new one; its Lease is renewed, its token replaced
	grep -q "the clock was set $2 by 1[78][0-9][0-9][0-9] s" "$T/err"
	[ "$(logs t | tail -n 1)" != "$token" ]
	[ "$(logs t | sort -u | wc -l)" -le 4 ] # not again and again
	at=$(api $lease | jq -r .spec.renewTime)
	until_api $lease ".spec.renewTime != \"$at\"" 12
	api /api/v1/nodes/n1 | jq -e '.status.conditions | any(.type == "Ready" and .status == "True")'
}

@test "five hours forward" { try +5h forward; }

@test "five hours back" { try -5h back; }

@test "the clock is set while no node runs: no container is touched, none waits for hours" {
	with_store --backoff 6s
	create a 'sleep 1000' "$probed"
	create b 'sleep 1; exit 1' '' 'restartPolicy: Always'
	create d 'sleep 1000' '' 'activeDeadlineSeconds: 15
restartPolicy: Always'
	until_api $pods/a "$well"
	until_api $pods/d "$well"
	until_api $pods/b '.status.containerStatuses[0] | .restartCount == 1 and .state.waiting.reason == "CrashLoopBackOff"'
	end_node
	set_clock -5h
	go_on --backoff 6s
	until_api $pods/b '.status.containerStatuses[0].restartCount == 2' 10
	end_node KILL
	set_clock +7h
	go_on --backoff 6s
	sleep 1
	api $pods/d | jq -e '.status.phase == "Running"'
	until_api $pods/d '.status.phase == "Failed"' 15
	api $pods/a | jq -e "$well"
	end_node
	go_on --backoff 6s
	for_seconds 3 $pods/a "$well"
}
