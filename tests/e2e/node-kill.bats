#!/usr/bin/env bats
# The agent is killed, wherever it is: containers go on, statuses catch up, nothing is left.

load node.bash

setup() { node_setup; }
teardown() { node_teardown; }

with_store() { # a store; no node yet
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	for _ in $(seq 100); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
}
node() { # [OPTION...]: of that store
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" --backoff 0.1s "$@" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
}
api() { curl -s --fail-with-body --unix-socket "$T/sock" -H "Content-Type: ${TYPE:-application/json}" "http://orch$1" "${@:2}"; }
pods=/api/v1/namespaces/default/pods

create() { # NAME COMMAND [YAML] [YAML]: bound to n1
	pod "$@" | orch-parse | jq -c '.metadata.namespace = "default" | .spec.nodeName = "n1"' |
		api $pods --data-binary @- >/dev/null
}

until_api() { # PATH FILTER [SECONDS]
	local end=$((SECONDS + ${3:-15}))
	while [ $SECONDS -le $end ]; do
		if api "$1" | jq -e "$2" >/dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	echo "# $1: $2 never came true: $(api "$1" | jq -c .status)" >&2
	tail -n 100 "$T/err" >&2
	return 1
}
until_gone() { # POD [SECONDS]
	local end=$((SECONDS + ${2:-15}))
	while api "$pods/$1" >/dev/null; do
		[ $SECONDS -le $end ] || return 1
		sleep 0.05
	done
}

# death [OPTION...]: nodes that die at one step after the other; see node_kill.py
death() {
	command -v cc >/dev/null && command -v python3 >/dev/null || skip "needs cc and python3"
	command -v iptables >/dev/null || skip "needs iptables"
	cc -shared -fPIC -O1 -o "$T/mortal.so" "$TOP/tests/e2e/mortal.c" -ldl
	python3 "$TOP/tests/e2e/node_kill.py" "$BIN" "$T" --name "d$$" "$@" 3>&-
}

@test "killed at any step of a pod's life: a sample of the steps" {
	# By hand all of them: node_kill.py BIN FOLDER --keep-going
	death --first $((1 + RANDOM % 17)) --stride 17 --seconds 75
}

@test "killed twice, the second time while it takes over" {
	death --again --first $((60 + RANDOM % 41)) --stride 41 --seconds 30
}

@test "a container that ended while the node was away is started again, once" {
	with_store
	node
	create p 'sleep 1000' '' 'restartPolicy: Always'
	until_api $pods/p '.status.phase == "Running"'
	pid=$(cat "$T"/n/pods/*/containers/c-0/pid)
	end_node KILL
	kill -9 "$pid"
	sleep 0.3
	node
	until_api $pods/p '.status.containerStatuses[0] | .restartCount == 1 and .ready'
	[ "$(grep -c 'not known yet' "$T/err")" -lt 20 ] # it waits, not spins
}
