#!/usr/bin/env bats
# The agent is killed, wherever it is: containers go on, statuses catch up, nothing is left.

load node.bash

setup() {
	node_setup
	N=k$$x$RANDOM # a name that no other test has
}
teardown() { node_teardown; }

with_store() { # a store; no node yet
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	for _ in $(seq 600); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
}
node() { # [OPTION...]: of that store
	orch-node -s "unix:$T/sock" --name "$N" --data "$T/n" --pod-cidr "$CIDR" --backoff 0.1s "$@" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
}
api() { curl -s --fail-with-body --unix-socket "$T/sock" -H "Content-Type: ${TYPE:-application/json}" "http://orch$1" "${@:2}"; }
pods=/api/v1/namespaces/default/pods

create() { # NAME COMMAND [YAML] [YAML]: bound to the node
	pod "$@" | orch-parse | jq -c --arg n "$N" '.metadata.namespace = "default" | .spec.nodeName = $n' |
		api $pods --data-binary @- >/dev/null
}

until_api() { # PATH FILTER [SECONDS]
	local end=$((SECONDS + ${3:-60}))
	while [ $SECONDS -le $end ]; do
		if api "$1" | jq -e "$2" >/dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	echo "# $1: $2 never came true: $(api "$1" | jq -c .status)" >&2
	tail -n 100 "$T/err" >&2
	return 1
}
until_gone() { # POD [SECONDS]
	local end=$((SECONDS + ${2:-60}))
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
	death --first $((1 + RANDOM % 17)) --stride 17 --seconds 50
}

@test "killed twice, the second time while it takes over" {
	death --again --first $((60 + RANDOM % 41)) --stride 41 --seconds 25
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
	[ "$(grep -c 'not known yet' "$T/err")" -lt 1000 ] # it waits, not spins
}

left() { # what a pod may have left on the machine
	ls "$T/n/pods" "$T/n/log/pods" "$T/n/run/exits" "$T/n/run/runtime" "$T/n/run/attach" | grep -v '^/\|^$' || true
	find "$T/n/cni" -name '[0-9]*' 2>/dev/null
	grep -F "$T/n" /proc/self/mountinfo || true
	find /sys/fs/cgroup/{,*/}orch/"$N"-* -type d -name 'pod*' 2>/dev/null || true
}
until_clean() {
	for _ in $(seq 600); do [ -z "$(left)" ] && return 0; sleep 0.1; done
	left >&2
	return 1
}

@test "deleted, replaced by one of its name, or deleted by force while the node is away" {
	with_store
	node
	for p in a b c; do create $p "echo $p one; trap 'exit 0' TERM; while :; do sleep 0.1; done" '' 'restartPolicy: Always'; done
	for p in a b c; do until_api $pods/$p '.status.phase == "Running"'; done
	old=$(api $pods/b | jq -r .metadata.uid)
	end_node KILL
	api $pods/a -X DELETE >/dev/null # waits for the node
	api $pods/b -X DELETE --data-binary '{"gracePeriodSeconds": 0}' >/dev/null
	api $pods/c -X DELETE --data-binary '{"gracePeriodSeconds": 0}' >/dev/null
	create b "echo b two; trap 'exit 0' TERM; while :; do sleep 0.1; done" '' 'restartPolicy: Always'
	node
	until_gone a
	until_api $pods/b '.status.phase == "Running" and .status.containerStatuses[0].restartCount == 0'
	[ "$(api $pods/b | jq -r .metadata.uid)" != "$old" ]
	for _ in $(seq 600); do [ "$(ls "$T/n/pods" | wc -l)" = 1 ] && break; sleep 0.1; done
	[ "$(ls "$T/n/pods")" = "$(api $pods/b | jq -r .metadata.uid)" ]
	[ "$(logs b)" = "b two" ]
	api $pods/b -X DELETE >/dev/null
	until_gone b
	until_clean
}

@test "a reboot: only the disk is left; the pod comes again, and then goes without a trace" {
	with_store
	node
	create p 'touch /m/x; sleep 1000' 'volumeMounts: [{name: m, mountPath: /m}, {name: d, mountPath: /d}]' 'restartPolicy: Always
shareProcessNamespace: true
volumes: [{name: m, emptyDir: {medium: Memory}}, {name: d, emptyDir: {}}]
initContainers: [{name: i, image: "web:1", command: ["true"]}, {name: s, image: "web:1", restartPolicy: Always, command: [sleep, "1000"]}]'
	create gone 'sleep 1000' '' 'restartPolicy: Always'
	until_api $pods/p '.status.phase == "Running" and .status.containerStatuses[0].ready'
	until_api $pods/gone '.status.phase == "Running"'
	end_node KILL
	for _ in 1 2 3; do
		find /sys/fs/cgroup/{,*/}orch/"$N"-* -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u | xargs -r kill -9 2>/dev/null || true
		sleep 0.2
	done
	find /sys/fs/cgroup/{,*/}orch/"$N"-* -depth -type d -exec rmdir {} + 2>/dev/null || true
	grep -oF "$T/n/pods/" /proc/self/mountinfo >/dev/null
	awk -v t="$T/n/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo | sort -r | xargs umount
	rm -f "$T"/n/run/exits/*
	api $pods/gone -X DELETE --data-binary '{"gracePeriodSeconds": 0}' >/dev/null
	node
	until_api $pods/p '.status | .phase == "Running" and .containerStatuses[0].ready and .containerStatuses[0].restartCount == 1 and
	  .initContainerStatuses[1].restartCount == 1'
	for _ in $(seq 600); do [ "$(ls "$T/n/pods" | wc -l)" = 1 ] && break; sleep 0.1; done
	[ "$(ls "$T/n/pods" | wc -l)" = 1 ]
	api $pods/p -X DELETE >/dev/null
	until_gone p
	until_clean
}

@test "a name that is used again at once, ten times; one that is asked to hurry; a namespace that vanishes" {
	with_store
	node
	for i in $(seq 10); do # as a StatefulSet does, but without waiting for anything to run
		create p "echo $i; sleep 1000" '' 'restartPolicy: Always'
		[ $((i % 3)) = 0 ] || sleep "0.$((i * 37 % 60))"
		api $pods/p -X DELETE --data-binary "{\"gracePeriodSeconds\": $((i % 2))}" >/dev/null || true
		until_gone p
	done
	until_clean
	create slow 'trap "" TERM; while :; do sleep 0.1; done' 'lifecycle: {preStop: {exec: {command: [sleep, "100"]}}}' 'restartPolicy: Always'
	until_api $pods/slow '.status.phase == "Running"'
	api $pods/slow -X DELETE --data-binary '{"gracePeriodSeconds": 100}' >/dev/null
	sleep 0.5
	api $pods/slow -X DELETE --data-binary '{"gracePeriodSeconds": 1}' >/dev/null # cuts the hook off too
	until_gone slow
	create hurry 'trap "" TERM; while :; do sleep 0.1; done' '' 'restartPolicy: Always'
	until_api $pods/hurry '.status.phase == "Running"'
	api $pods/hurry -X DELETE --data-binary '{"gracePeriodSeconds": 100}' >/dev/null
	sleep 0.3
	api $pods/hurry -X DELETE --data-binary '{"gracePeriodSeconds": 0}' >/dev/null
	until_clean
	api /api/v1/namespaces --data-binary '{"metadata": {"name": "short"}}' >/dev/null
	pod x 'sleep 1000' | orch-parse | jq -c --arg n "$N" '.metadata.namespace = "short" | .spec.nodeName = $n' |
		api /api/v1/namespaces/short/pods --data-binary @- >/dev/null
	until_api /api/v1/namespaces/short/pods/x '.status.phase == "Running"'
	api /api/v1/namespaces/short -X DELETE >/dev/null
	api /api/v1/namespaces/short/pods/x -X DELETE --data-binary '{"gracePeriodSeconds": 0}' >/dev/null || true
	until_clean
}

@test "a pod that is deleted while its postStart hook runs ends as others do: with its preStop hook" {
	with_store
	node
	mkdir "$T/h"
	create p 'trap "echo term; exit 0" TERM; while :; do sleep 0.1; done' 'lifecycle:
  postStart: {exec: {command: [sh, -c, "echo post >>/h/said; sleep 100"]}}
  preStop: {exec: {command: [sh, -c, "echo pre >>/h/said"]}}
volumeMounts: [{name: h, mountPath: /h}]' "restartPolicy: Always
volumes: [{name: h, hostPath: {path: $T/h}}]"
	for _ in $(seq 600); do [ -e "$T/h/said" ] && break; sleep 0.1; done
	api $pods/p -X DELETE --data-binary '{"gracePeriodSeconds": 20}' >/dev/null
	until_gone p
	[ "$(cat "$T/h/said")" = $'post\npre' ]
	until_clean
}

@test "a static pod whose file is changed, or put back, while it ends: one at a time, none forgotten" {
	with_store
	mkdir "$T/m" "$T/h"
	static() { # SAYS
		pod a "echo $1 begins >>/h/said; trap 'sleep 1; echo $1 ends >>/h/said; exit 0' TERM; while :; do sleep 0.05; done" \
			'volumeMounts: [{name: h, mountPath: /h}]' "restartPolicy: Always
volumes: [{name: h, hostPath: {path: $T/h}}]" | sed 's/Seconds: 2$/Seconds: 10/' >"$T/m/.a"
		mv "$T/m/.a" "$T/m/a.yaml"
	}
	said() { for _ in $(seq 600); do [ "$(xargs <"$T/h/said")" = "$1" ] && return 0; sleep 0.1; done; cat "$T/h/said" "$T/err" >&2; return 1; }
	static one
	node --manifests "$T/m"
	until_api $pods/a-$N '.status.phase == "Running"'
	static two
	said 'one begins one ends two begins'
	rm "$T/m/a.yaml"
	for _ in $(seq 600); do grep -q "a-$N: ending it" "$T/err" && break; sleep 0.1; done
	sleep 0.5
	static two # the very same pod
	said 'one begins one ends two begins two ends two begins'
	rm "$T/m/a.yaml"
	for _ in $(seq 600); do [ "$(grep -c "a-$N: ending it" "$T/err")" = 3 ] && break; sleep 0.1; done
	end_node KILL
	static two
	node --manifests "$T/m"
	said 'one begins one ends two begins two ends two begins two ends two begins'
	until_api $pods/a-$N '.status.phase == "Running"'
	rm "$T/m/a.yaml"
	until_clean
}

@test "killed while it turns logs over: not one line is lost" {
	pod talk 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "line $i ........................................"; [ $((i % 30)) = 0 ] && sleep 0.05; done; echo end; sleep 1000' >"$T/in"
	start_node <"$T/in"
	until_status talk '.phase == "Running"' 60
	end_node KILL
	for i in $(seq 8); do
		start_node --container-log-max-size 10Ki --container-log-max-files 100 --container-log-monitor-interval 20ms <"$T/in"
		sleep "0.$((30 + i * 17 % 60))"
		end_node KILL
	done
	start_node --container-log-max-size 10Ki --container-log-max-files 100 --container-log-monitor-interval 20ms <"$T/in"
	folder=$(echo "$T"/n/log/pods/default_talk_*/c)
	for _ in $(seq 1200); do grep -q 'F end$' "$folder"/0.log* && break; sleep 0.1; done
	cat "$folder"/0.log.* "$folder/0.log" | sed -n 's/.* F line \([0-9]*\) .*/\1/p' | sort -n | uniq >"$T/numbers"
	[ "$(wc -l <"$T/numbers")" = 3000 ]
	[ "$(find "$folder" -name '*.tmp' | wc -l)" = 0 ]
}

@test "an import that is killed at any step: the next one works, and the node clears what is left" {
	command -v cc >/dev/null || skip "needs cc"
	cc -shared -fPIC -O1 -o "$T/mortal.so" "$TOP/tests/e2e/mortal.c" -ldl
	died=0
	for n in $(seq 1 11 1000); do
		rm -rf "$T/n/images"
		if LD_PRELOAD=$T/mortal.so MORTAL_AT=$n MORTAL_FILE=$T/mortal orch-image --data "$T/n" import "$T/image.tar" >/dev/null; then break; fi
		died=$((died + 1))
		orch-image --data "$T/n" list >/dev/null # nothing of it is broken
		[ $((died % 8)) = 1 ] || continue
		[ $((died % 16)) = 9 ] || orch-image --data "$T/n" import "$T/image.tar" >/dev/null
		orch-image --data "$T/n" import "$T/image.tar" >/dev/null
		run_pods < <(pod p 'cat /www/index.html')
		[ "$(logs p)" = hello ]
		[ -z "$(ls "$T/n/images" | grep tmp)" ]
		rm -rf "$T/n/log"
	done
	[ "$died" -gt 12 ]
}

@test "many pods at once, again and again: nothing is left, and the agent does not grow" {
	# By hand: node_churn.py BIN FOLDER --pods 200 --rounds 5
	command -v python3 >/dev/null && command -v iptables >/dev/null || skip "needs python3 and iptables"
	python3 "$TOP/tests/e2e/node_churn.py" "$BIN" "$T" --name "c$$" --pods 15 --rounds 3 3>&-
}

@test "killed at any step while it pulls an image: the next one goes on, nothing is left half" {
	command -v cc >/dev/null && command -v python3 >/dev/null || skip "needs cc and python3"
	cc -shared -fPIC -O1 -o "$T/mortal.so" "$TOP/tests/e2e/mortal.c" -ldl
	mkdir "$T/x"
	tar -C "$T/x" -xf "$T/image.tar"
	python3 "$TOP/tests/cmd/registry.py" "$T/x" >"$T/port" 2>"$T/served" 3>&- &
	echo $! >"$T/registry.pid"
	for _ in $(seq 300); do [ -s "$T/port" ] && break; sleep 0.1; done
	died=0
	for n in $(seq $((20 + RANDOM % 23)) 23 700); do
		rm -rf "$T/n/images" "$T/n/log"
		: >"$T/out"
		pod p 'cat /www/index.html; sleep 1000' | sed "s,web:1,127.0.0.1:$(cat "$T/port")/team/web:1," >"$T/in"
		LD_PRELOAD=$T/mortal.so MORTAL_AT=$n MORTAL_FILE=$T/mortal start_node --insecure <"$T/in"
		for _ in $(seq 1200); do
			[ "$(status p .phase 2>/dev/null)" != Running ] && [ -d "/proc/$(cat "$T/node.pid")/fd" ] || break
			sleep 0.05
		done
		if kill -0 "$(cat "$T/node.pid")" 2>/dev/null; then
			end_node # it came to run before that step
			break
		fi
		died=$((died + 1))
		: >"$T/out"
		start_node --insecure <"$T/in"
		until_status p '.phase == "Running" and .containerStatuses[0].restartCount == 0' 60
		for _ in $(seq 300); do [ "$(logs p)" = hello ] && break; sleep 0.1; done
		[ "$(logs p)" = hello ]
		for _ in $(seq 300); do ls "$T/n/images" | grep -q tmp || break; sleep 0.1; done
		end_node
		[ -z "$(ls "$T/n/images" | grep tmp)" ]
		echo "# $n: $(cat "$T/mortal"): $(find "$T"/n/{images/partial,pods,run/exits,run/runtime} -mindepth 1)"
		[ -z "$(find "$T"/n/{images/partial,pods,run/exits,run/runtime} -mindepth 1)" ]
	done
	[ "$died" -gt 3 ]
}

@test "killed while it evicts a pod: it is evicted all the same, once" {
	with_store
	for at in 0 0.05 0.1 0.15 0.2 0.3; do
		node
		create p 'dd if=/dev/zero of=/d/x bs=1M count=5 2>/dev/null; trap "" TERM; while :; do sleep 0.1; done' \
			'volumeMounts: [{name: d, mountPath: /d}]' 'restartPolicy: Always
volumes: [{name: d, emptyDir: {sizeLimit: 1Mi}}]'
		for _ in $(seq 1200); do grep -q 'Usage of EmptyDir' "$T/err" && break; sleep 0.05; done
		sleep $at
		end_node KILL
		node
		until_api $pods/p '.status | .phase == "Failed" and .reason == "Evicted" and .containerStatuses[0].restartCount == 0 and
		  .containerStatuses[0].state.terminated != null'
		api $pods/p -X DELETE >/dev/null
		until_gone p
		until_clean
		end_node
		: >"$T/err"
	done
}

@test "killed while the runtime makes a container, or a plugin the network: that is not done beside the next" {
	mkdir "$T/h" "$T/cni"
	runtime=$(command -v crun || command -v runc)
	printf '#!/bin/sh\ncase "$*" in *" create "*) [ -e %s/fast ] || sleep 1;; esac\nexec %s "$@"\n' "$T" "$runtime" >"$T/crun"
	for p in ptp host-local portmap; do
		printf '#!/bin/sh\n[ "$CNI_COMMAND" != ADD ] || [ -e %s/fast ] || sleep 1\nexec %s/%s\n' "$T" \
			"$([ -x /usr/lib/cni/ptp ] && echo /usr/lib/cni || echo /opt/cni/bin)" $p >"$T/cni/$p"
	done
	chmod +x "$T/crun" "$T"/cni/*
	start() { start_node --runtime "$T/crun" --cni-path "$T/cni" <"$T/in"; }
	pod p "echo x >>/h/begun; trap 'exit 0' TERM; while :; do sleep 0.05; done" 'volumeMounts: [{name: h, mountPath: /h}]' "restartPolicy: Always
volumes: [{name: h, hostPath: {path: $T/h}}]" >"$T/in"
	start
	for _ in $(seq 600); do [ -e "$T"/n/pods/*/network ] && break; sleep 0.05; done
	sleep 0.3
	end_node KILL # a plugin is at it
	start
	for _ in $(seq 600); do [ -e "$T"/n/pods/*/containers/c-0/config.json ] && break; sleep 0.05; done
	sleep 0.3
	end_node KILL # the runtime is
	touch "$T/fast"
	start
	until_status p '.phase == "Running" and .containerStatuses[0].restartCount == 0' 60
	sleep 1.5
	[ "$(cat "$T/h/begun")" = x ]
	[ "$(processes "$T/n" | wc -l)" -le 2 ] # conmon, and orch-node
	[ "$(find "$T/n/cni" -name '10.*' | wc -l)" = 1 ]
	until_status p '.phase == "Running" and .containerStatuses[0].restartCount == 0' 60
	end_node
	[ -z "$(find "$T"/n/{pods,run/exits,run/runtime} -mindepth 1)" ]
	[ -z "$(find "$T/n/cni" -name '10.*')" ]
}

@test "killed before it is anything: --clean still finds what it made" {
	command -v cc >/dev/null || skip "needs cc"
	cc -shared -fPIC -O1 -o "$T/mortal.so" "$TOP/tests/e2e/mortal.c" -ldl
	for n in $(seq $((5 + RANDOM % 5)) 5 60); do
		rm -rf "$T/n"
		timeout 60 env LD_PRELOAD="$T/mortal.so" MORTAL_AT=$n MORTAL_FILE="$T/mortal" \
			orch-node --data "$T/n" --name "$N" --pods - --once </dev/null >/dev/null 2>&1 3>&- || true
		[ ! -d "$T/n" ] || orch-node --data "$T/n" --clean
		for _ in $(seq 600); do [ -n "$(ls -d /sys/fs/cgroup/{,*/}orch/"$N"-* 2>/dev/null)" ] || break; sleep 0.1; done
		echo "# $n: $(cat "$T/mortal")"
		[ -z "$(ls -d /sys/fs/cgroup/{,*/}orch/"$N"-* 2>/dev/null)" ]
	done
}
