#!/usr/bin/env bats
# Before the machine goes down: pods end group by group, and everybody knows why.

load node.bash
load ../logind.bash

setup() { node_setup; }
teardown() {
	node_teardown
	logind_down "$T"
}

with_store() { # [OPTION...]: a store, and a node of it
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	for _ in $(seq 100); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
	go_on "$@"
}
go_on() {
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" "$@" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
}
api() { curl -s --fail-with-body --unix-socket "$T/sock" -H "Content-Type: ${TYPE:-application/json}" "http://orch$1" "${@:2}"; }
pods=/api/v1/namespaces/default/pods

create() { # PRIORITY NAME COMMAND [YAML] [YAML]: bound to n1
	local priority=$1 class
	shift
	case $priority in
	2000000000) class=system-cluster-critical ;;
	2000001000) class=system-node-critical ;;
	*)
		class=p$priority
		api /apis/scheduling.k8s.io/v1/priorityclasses --data-binary '{"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
		  "metadata": {"name": "'"$class"'"}, "value": '"$priority"'}' >/dev/null || true
		;;
	esac
	pod "$@" | orch-parse | jq -c --arg p "$class" --argjson g "${GRACE:-2}" '.metadata.namespace = "default" | .spec.nodeName = "n1" |
		.spec.priorityClassName = $p | .spec.terminationGracePeriodSeconds = $g' |
		api $pods --data-binary @- >/dev/null
}
until_api() { # PATH FILTER [SECONDS]
	local end=$((SECONDS + ${3:-20}))
	while [ $SECONDS -le $end ]; do
		if api "$1" | jq -e "$2" >/dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	echo "# $1: $2 never came true: $(api "$1" | jq -c .status)" >&2
	cat "$T/err" >&2
	return 1
}
power() { kill -"$1" "$(cat "$T/node.pid")"; } # PWR: it fails, USR2: it is back

running='.status.phase == "Running" and .status.containerStatuses[0].ready'
terminated='.status.phase == "Failed" and .status.reason == "Terminated" and
  .status.message == "Pod was terminated in response to imminent node shutdown." and
  (.status.conditions | any(.type == "DisruptionTarget" and .status == "True" and .reason == "TerminationByKubelet"
    and .message == "Pod was terminated in response to imminent node shutdown."))'
going='.status.conditions | any(.type == "Ready" and .status == "False" and .reason == "KubeletNotReady" and .message == "node is shutting down")'
ready='.status.conditions | any(.type == "Ready" and .status == "True")'
finished() { api $pods/"$1" | jq -r '.status.containerStatuses[0].state.terminated.finishedAt | fromdate'; }

@test "SIGPWR: groups one after the other, each with its time; hooks run; new pods are refused; SIGUSR2 takes it back" {
	with_store --shutdown-grace-period-by-pod-priority 0=20s,1000=3s,2000000000=20s
	# ends only when it is killed, which its own grace period (2 s) says, not its group's
	create 0 low 'trap "" TERM; while :; do sleep 0.1; done'
	# is killed when its group's time is over, not its own
	GRACE=600 create 1500 middle 'trap "" TERM; while :; do sleep 0.1; done' ''
	GRACE=30 create 2000001000 high 'sleep 1000' 'lifecycle: {preStop: {exec: {command: [sh, -c, "echo bye >/proc/1/fd/1"]}}}'
	create 0 done 'true'
	create 0 before 'sleep 1000' 'env: [{name: A, valueFrom: {configMapKeyRef: {name: none, key: a}}}]'
	for p in low middle high; do until_api $pods/$p "$running"; done
	until_api $pods/done '.status.phase == "Succeeded"'
	until_api $pods/before '.status.containerStatuses[0].state.waiting.reason == "CreateContainerConfigError"'
	power PWR
	until_api /api/v1/nodes/n1 "$going"
	create 0 late 'sleep 1000'
	until_api $pods/late '.status.phase == "Failed" and .status.reason == "NodeShutdown" and
	  .status.message == "Pod was rejected: Pod was rejected as the node is shutting down."'
	api $pods/high | jq -e "$running"
	for p in low before middle high; do until_api $pods/$p "$terminated"; done
	grep -q "the machine may go down: all pods have ended" "$T/err" || sleep 1
	grep -q "the machine may go down: all pods have ended" "$T/err"
	[ "$(finished low)" -le "$(finished middle)" ]
	[ "$(finished middle)" -le "$(finished high)" ]
	api $pods/middle | jq -e '.status.containerStatuses[0].state.terminated.exitCode == 137'
	api $pods/done | jq -e '.status.phase == "Succeeded" and (.status | has("reason") | not)'
	logs high | grep -qx bye
	until_api /api/v1/namespaces/default/events '[.items[] | select(.involvedObject.kind == "Node" and .reason == "Shutdown") | .message]
	  == ["Shutdown manager detected shutdown event"]'
	[ -z "$(processes "$T/n/run")" ]

	end_node KILL # and it is still so
	go_on --shutdown-grace-period 20s
	sleep 1
	api /api/v1/nodes/n1 | jq -e "$going"
	power USR2
	until_api /api/v1/nodes/n1 "$ready"
	create 0 next 'sleep 1000'
	until_api $pods/next "$running"
	api $pods/low | jq -e "$terminated" # replaced elsewhere, if it is to be
}

@test "killed in the middle: the next node goes on with it, and SIGTERM leaves containers alone" {
	with_store --shutdown-grace-period 30s --shutdown-grace-period-critical-pods 10s
	GRACE=20 create 0 slow 'trap "sleep 4; exit 0" TERM; while :; do sleep 0.1; done' ''
	create 2000000000 critical 'sleep 1000'
	for p in slow critical; do until_api $pods/$p "$running"; done
	power PWR
	until_api /api/v1/nodes/n1 "$going"
	sleep 1
	end_node KILL
	go_on --shutdown-grace-period 30s --shutdown-grace-period-critical-pods 10s
	for p in slow critical; do until_api $pods/$p "$terminated"; done
	api $pods/slow | jq -e '.status.containerStatuses[0] | .restartCount == 0 and .state.terminated.exitCode == 0'
	[ "$(finished slow)" -le "$(finished critical)" ]
	power USR2
	until_api /api/v1/nodes/n1 "$ready"
	create 0 still 'sleep 1000'
	until_api $pods/still "$running"
	id=$(api $pods/still | jq -r '.status.containerStatuses[0].containerID')
	end_node TERM
	[ -n "$(processes "$T/n/run")" ]
	go_on
	sleep 1
	api $pods/still | jq -e --arg id "$id" '.status.containerStatuses[0] | .containerID == $id and .restartCount == 0'
	power PWR # without the option
	for _ in $(seq 50); do grep -q 'pods run on, for there is no --shutdown-grace-period' "$T/err" && break; sleep 0.1; done
	grep -q 'pods run on, for there is no --shutdown-grace-period' "$T/err"
	api $pods/still | jq -e "$running"
}

@test "logind: the lock is held until the statuses are told, and taken again when it is cancelled" {
	logind_up "$T"
	with_store --shutdown-grace-period 15s
	GRACE=10 create 0 a 'trap "sleep 2; exit 0" TERM; while :; do sleep 0.1; done' ''
	until_api $pods/a "$running"
	until_locks 1
	[ "$(logind locks)" = "shutdown orch-node delay" ]
	logind prepare true
	until_api /api/v1/nodes/n1 "$going"
	[ "$(logind locks | wc -l)" = 1 ]
	until_locks 0
	api $pods/a | jq -e "$terminated"
	logind prepare false
	until_api /api/v1/nodes/n1 "$ready"
	until_locks 1
	create 0 b 'sleep 1000'
	until_api $pods/b "$running"

	# the store is away: it is not waited for longer than there is time
	kill -STOP "$(cat "$T/store.pid")"
	kill -9 "$(cat "$T/store.pid")"
	logind prepare true
	until_locks 0 25
	grep -q 'the machine may go down: the time of the pods that are left is over' "$T/err"
	[ -z "$(processes "$T/n/run")" ]
}

# of a node's epoll descriptors: what they listen to and the node has closed
stale() {
	local pid info tfd ino
	pid=$(cat "$T/node.pid")
	for info in /proc/"$pid"/fdinfo/*; do
		sed -n 's/^tfd: *\([0-9]*\) .* ino:\([0-9a-f]*\) .*/\1 \2/p' "$info" 2>/dev/null || true
	done | while read -r tfd ino; do
		[ "$(stat -L -c %i "/proc/$pid/fd/$tfd" 2>/dev/null)" = "$((16#$ino))" ] || echo "$tfd"
	done
}

@test "orch-inhibit ends while a job goes on that was begun beside it: nobody listens to what it was" {
	logind_up "$T"
	pod a 'sleep 1000' 'lifecycle: {postStart: {exec: {command: [sleep, "1000"]}}}' >"$T/in"
	start_node --shutdown-grace-period 15s <"$T/in"
	until_locks 1
	for _ in $(seq 200); do compgen -G "$T/n/pods/*/containers/c-0/launched" >/dev/null && break; sleep 0.1; done
	compgen -G "$T/n/pods/*/containers/c-0/launched"
	first=$(pgrep -P "$(cat "$T/node.pid")" orch-inhibit)
	kill "$first"
	for _ in $(seq 300); do next=$(pgrep -P "$(cat "$T/node.pid")" orch-inhibit) && [ "$next" != "$first" ] && break; sleep 0.1; done
	[ "$next" != "$first" ]
	for _ in $(seq 50); do [ -n "$(stale)" ] || break; sleep 0.1; done
	[ -z "$(stale)" ]
}

@test "no bus: said once, and the node goes on; the machine that stays up while the node was away" {
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/none
	with_store --shutdown-grace-period 15s
	create 0 a 'sleep 1000'
	until_api $pods/a "$running"
	[ "$(grep -c "cannot reach the system bus" "$T/err")" = 1 ]
	grep -q "the machine's shutdown will not wait for pods; SIGPWR ends them too" "$T/err"
	end_node

	logind_up "$T"
	go_on --shutdown-grace-period 15s
	until_locks 1
	logind prepare true
	until_api $pods/a "$terminated"
	until_locks 0
	end_node
	logind prepare false # nobody hears
	go_on --shutdown-grace-period 15s
	until_api /api/v1/nodes/n1 "$ready"
	create 0 b 'sleep 1000'
	until_api $pods/b "$running"
}

@test "static pods are the machine's: they end too, and begin again when it stays up" {
	mkdir "$T/m"
	pod s 'sleep 1000' '' 'restartPolicy: Always' >"$T/m/s.yaml"
	with_store --shutdown-grace-period 15s --manifests "$T/m"
	until_api $pods/s-n1 "$running"
	power PWR
	until_api $pods/s-n1 "$terminated"
	pod t 'sleep 1000' '' 'restartPolicy: Always' >"$T/m/.t" && mv "$T/m/.t" "$T/m/t.yaml"
	until_api $pods/t-n1 '.status.reason == "NodeShutdown"'
	power USR2
	for p in s t; do until_api $pods/$p-n1 "$running and (.status | has(\"reason\") | not)"; done
	# the machine went down, and is up again
	power PWR
	for p in s t; do until_api $pods/$p-n1 "$terminated"; done
	end_node KILL
	sed -i 's/^[^ ]*/0-0/' "$T/n/run/shutdown"
	go_on --shutdown-grace-period 15s --manifests "$T/m"
	for p in s t; do until_api $pods/$p-n1 "$running and (.status | has(\"reason\") | not)"; done
}

@test "without a server: SIGPWR ends the pods of a file" {
	{ pod a 'sleep 1000'; pod b 'sleep 1000' '' 'priority: 2000000000'; } | start_node --once --shutdown-grace-period 20s --shutdown-grace-period-critical-pods 10s
	until_status a '.phase == "Running"'
	until_status b '.phase == "Running"'
	power PWR
	until_status a '.phase == "Failed" and .reason == "Terminated"'
	until_status b '.phase == "Failed" and .reason == "Terminated"'
	for _ in $(seq 100); do kill -0 "$(cat "$T/node.pid")" 2>/dev/null || break; sleep 0.1; done
	[ -z "$(processes "$T/n/run")" ]
}

@test "options that do not fit together are refused" {
	for bad in "--shutdown-grace-period 10s --shutdown-grace-period-critical-pods 20s" \
		"--shutdown-grace-period 10s --shutdown-grace-period-by-pod-priority 0=1s" \
		"--shutdown-grace-period-by-pod-priority 0=1s,0=2s" "--shutdown-grace-period-by-pod-priority high=1s" \
		"--shutdown-grace-period-by-pod-priority 5" "--shutdown-grace-period-by-pod-priority 1=-2s" "--shutdown-grace-period soon"; do
		status=0
		orch-node --data "$T/x" --pods /dev/null --once $bad 2>"$T/bad" || status=$?
		[ $status = 2 ]
		grep -q -- "--shutdown-grace-period" "$T/bad"
	done
}
