#!/usr/bin/env bats
# A runtime that hangs, crashes or goes; a network plugin that hangs; a monitor that is killed. The
# node stays usable for everybody else, says what is wrong, and nothing is left.

load node.bash

setup() {
	LONG=$((1000000 + $$ * 10 + RANDOM % 10)) # seconds that only this test sleeps
	node_setup
	mkdir "$T/bin"
	# says nothing for the verbs in $T/hang, and dies with a word for those in $T/crash
	cat >"$T/bin/crun" <<-END
	#!/bin/sh
	for verb; do case \$verb in create|start|kill|delete|exec|list|run) break ;; esac; done
	if grep -qsxe "\$verb" -e all "$T/hang"; then sleep $LONG; fi
	if grep -qsx "\$verb" "$T/crash"; then echo "boom: out of cheese" >&2; exit 1; fi
	exec /usr/bin/crun "\$@"
	END
	chmod +x "$T/bin/crun"
	[ -x /usr/bin/crun ] || skip "needs crun"
}
teardown() {
	node_teardown
	for p in $(hanging); do kill -9 "$p" 2>/dev/null || true; done
}

hanging() { [ "$LONG" -gt 1000000 ] && grep -alzx "0*$LONG" /proc/[0-9]*/cmdline 2>/dev/null | sed -n 's,^/proc/\([0-9]*\)/.*,\1,p' || true; }
none_hangs() { for _ in $(seq 50); do [ -z "$(hanging)" ] && return; sleep 0.1; done; ps -ef | grep "sleep $LONG" >&2; return 1; }

with_store() { # [OPTION...]: a store, and a node of it
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	for _ in $(seq 100); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" --runtime "$T/bin/crun" --runtime-request-timeout 3s "$@" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
}
api() { curl -s --fail-with-body --unix-socket "$T/sock" -H "Content-Type: ${TYPE:-application/json}" "http://orch$1" "${@:2}"; }
pods=/api/v1/namespaces/default/pods
events=/api/v1/namespaces/default/events
create() { # NAME COMMAND [YAML] [YAML]: bound to n1
	pod "$@" | orch-parse | jq -c '.metadata.namespace = "default" | .spec.nodeName = "n1"' |
		api $pods --data-binary @- >"$T/created" || { cat "$T/created" >&2; return 1; }
}
until_api() { # PATH FILTER [SECONDS]
	local end=$((SECONDS + ${3:-20}))
	while [ $SECONDS -le $end ]; do
		if api "$1" | jq -e "$2" >/dev/null 2>&1; then return 0; fi
		sleep 0.1
	done
	echo "# $1: $2 never came true: $(api "$1" | jq -c 'if .items then [.items[] | [.involvedObject.name, .reason, .message]] else .status end')" >&2
	cat "$T/err" >&2
	return 1
}
event() { # POD REASON REGEX: was told
	until_api $events ".items | any(.involvedObject.name == \"$1\" and .reason == \"$2\" and (.message | test(\"$3\")))" "${4:-20}"
}
still() { # PATH FILTER: true now
	api "$1" | jq -e "$2" >/dev/null || { api "$1" | jq -c .status >&2; cat "$T/err" >&2; return 1; }
}
gone() { for _ in $(seq 150); do api "$1" >/dev/null || return 0; sleep 0.1; done; return 1; }

http='livenessProbe: {httpGet: {port: 80, path: /index.html}, periodSeconds: 1, timeoutSeconds: 3}
readinessProbe: {httpGet: {port: 80, path: /index.html}, periodSeconds: 1, timeoutSeconds: 3}'
web='httpd -f -h /www'
well='.status.phase == "Running" and .status.containerStatuses[0].ready and .status.containerStatuses[0].restartCount == 0'
ready='.status.conditions | any(.type == "Ready" and .status == "True")'
down='.status.conditions | any(.type == "Ready" and .status == "False" and .reason == "KubeletNotReady" and .message == "container runtime is down")'

@test "create and start hang: said of that pod, the others go on, and it begins when the runtime is back" {
	with_store
	create a "$web" "$http"
	until_api $pods/a "$well"
	for verb in create start; do
		reason=$([ $verb = create ] && echo CreateContainerError || echo RunContainerError)
		echo $verb >"$T/hang"
		create b-$verb 'sleep 1000' # Never: it has not run
		create c-$verb 'sleep 1000'
		event b-$verb Failed "Error: runtime call '$verb': .*context deadline exceeded"
		until_api $pods/b-$verb ".status.phase == \"Pending\" and .status.containerStatuses[0].state.waiting.reason == \"$reason\""
		still $pods/a "$well"
		still /api/v1/nodes/n1 "$ready"
		api $pods/c-$verb -X DELETE >/dev/null # in the middle of it
		gone $pods/c-$verb
		rm "$T/hang"
		until_api $pods/b-$verb "$well" 25
		none_hangs
	done
	still $pods/a "$well"
	[ "$(ls "$T/n/run/runtime" | wc -l)" = 3 ]
	for p in a b-create b-start; do api $pods/$p -X DELETE >/dev/null; done
	for p in a b-create b-start; do gone $pods/$p; done
	[ -z "$(ls "$T/n/run/runtime")$(processes "$T/n/run")" ]
}

@test "exec hangs: probes and hooks by it end in time, with all they have started" {
	with_store
	create a "$web" "$http"
	create e 'sleep 1000' 'livenessProbe: {exec: {command: ["true"]}, periodSeconds: 2, failureThreshold: 2}' 'restartPolicy: Always'
	create h 'sleep 1000' 'lifecycle: {preStop: {exec: {command: ["true"]}}}'
	for p in a e h; do until_api $pods/$p "$well"; done
	echo exec >"$T/hang"
	event e Unhealthy 'Liveness probe failed: '
	until_api $pods/e '.status.containerStatuses[0].restartCount >= 1'
	api $pods/h -X DELETE >/dev/null
	gone $pods/h # its grace period is 2 s
	still $pods/a "$well"
	rm "$T/hang"
	until_api $pods/e '.status.containerStatuses[0].ready'
	none_hangs
}

@test "kill and delete hang: pods end all the same" {
	with_store
	printf 'kill\ndelete\n' >"$T/hang"
	create a 'trap "" TERM; while :; do sleep 0.1; done'
	until_api $pods/a "$well"
	api $pods/a -X DELETE >/dev/null
	gone $pods/a
	none_hangs
	[ -z "$(processes "$T/n/run")" ]
}

@test "it says nothing to anybody: the Node is not ready, what runs goes on, and it is ready again" {
	with_store
	create a "$web" "$http"
	until_api $pods/a "$well"
	echo all >"$T/hang"
	create b 'sleep 1000'
	until_api /api/v1/nodes/n1 "$down" 60
	event b Failed 'context deadline exceeded'
	still $pods/a "$well"
	grep -q 'container runtime is down: ' "$T/err"
	rm "$T/hang"
	until_api /api/v1/nodes/n1 "$ready" 45
	until_api $pods/b "$well" 40
	still $pods/a "$well"
	none_hangs
}

@test "the runtime has gone: probes by it do not count, no pod fails; it is back, all go on" {
	with_store
	create a "$web" "$http"
	create e 'sleep 1000' 'livenessProbe: {exec: {command: ["true"]}, periodSeconds: 1, failureThreshold: 1}'
	until_api $pods/a "$well"
	until_api $pods/e "$well"
	chmod -x "$T/bin/crun" # and not executable is as good as not there
	event e Unhealthy "Liveness probe errored and resulted in unknown state: container runtime is down: .*Permission denied"
	mv "$T/bin/crun" "$T/bin/away"
	create b 'sleep 1000'
	event b Failed "Error: container runtime is down: .*No such file or directory"
	until_api $pods/b '.status.phase == "Pending"'
	until_api /api/v1/nodes/n1 "$down" 60
	still $pods/a "$well"
	still $pods/e "$well"
	chmod +x "$T/bin/away"
	mv "$T/bin/away" "$T/bin/crun"
	until_api /api/v1/nodes/n1 "$ready"
	until_api $pods/b "$well" 40
	still $pods/e "$well"
}

@test "the runtime crashes: its words are told, and what is restarted is tried again" {
	with_store --backoff 1s
	echo create >"$T/crash"
	create a 'sleep 1000'
	create b 'sleep 1000' '' 'restartPolicy: Always'
	until_api $pods/a '.status.phase == "Failed" and .status.containerStatuses[0].state.terminated.reason == "StartError"
	  and (.status.containerStatuses[0].state.terminated.message | test("boom: out of cheese"))'
	event b Failed 'boom: out of cheese'
	rm "$T/crash"
	until_api $pods/b '.status.phase == "Running" and .status.containerStatuses[0].ready'
	echo start >"$T/crash"
	create c 'sleep 1000' '' 'restartPolicy: Always'
	event c Failed 'boom: out of cheese'
	rm "$T/crash"
	until_api $pods/c '.status.phase == "Running" and .status.containerStatuses[0].ready'
	[ "$(ls "$T/n/run/runtime" | wc -l)" = 2 ]
}

@test "conmon is killed: nobody would see the end of its container, so that begins again" {
	with_store --backoff 1s
	create a "$web" "$http"
	create b 'sleep 1000' '' 'restartPolicy: Always'
	create c 'sleep 1000'
	for p in a b c; do until_api $pods/$p "$well"; done
	for p in b c; do
		uid=$(api $pods/$p | jq -r .metadata.uid)
		pid=$(cat "$T/n/pods/$uid/containers/c-0/pid")
		kill -9 "$(cat "$T/n/pods/$uid/containers/c-0/monitor")"
		for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
		run kill -0 "$pid"
		[ "$status" -ne 0 ]
	done
	until_api $pods/b '.status.containerStatuses[0] | .ready and .restartCount == 1 and .lastState.terminated.reason == "ContainerStatusUnknown"'
	until_api $pods/c '.status.phase == "Failed" and .status.containerStatuses[0].state.terminated.exitCode == 137'
	still $pods/a "$well"
	[ "$(ls "$T/n/run/runtime" | wc -l)" = 2 ]
}

@test "a network plugin hangs: the sandbox is not made, or not taken down, in time; and then it is" {
	cni=/usr/lib/cni
	[ -x $cni/ptp ] || cni=/opt/cni/bin
	mkdir "$T/cni"
	ln -s $cni/* "$T/cni/"
	rm "$T/cni/ptp"
	printf '#!/bin/sh\ngrep -qsx "$CNI_COMMAND" %s && sleep %s\nexec %s/ptp\n' "$T/hang" "$LONG" $cni >"$T/cni/ptp"
	chmod +x "$T/cni/ptp"
	with_store --cni-path "$T/cni"
	create a "$web" "$http"
	until_api $pods/a "$well"
	echo ADD >"$T/hang"
	create b 'sleep 1000'
	event b FailedCreatePodSandBox 'ptp.*context deadline exceeded'
	still $pods/a "$well"
	rm "$T/hang"
	until_api $pods/b "$well" 30
	echo DEL >"$T/hang"
	api $pods/b -X DELETE >/dev/null
	event b FailedKillPod 'error killing pod: .*context deadline exceeded'
	api $pods/b >/dev/null
	rm "$T/hang"
	gone $pods/b
	still $pods/a "$well"
	none_hangs
}

@test "a node does not begin with a runtime that hangs: it says so" {
	echo run >"$T/hang"
	status=0
	timeout 30 orch-node --data "$T/n" --name n --pod-cidr "$CIDR" --runtime "$T/bin/crun" --runtime-request-timeout 2s --pods /dev/null --once 2>"$T/bad" || status=$?
	[ $status = 3 ]
	grep -q "the container runtime .* does not work here: runtime call 'run': .*context deadline exceeded" "$T/bad"
	none_hangs
}
