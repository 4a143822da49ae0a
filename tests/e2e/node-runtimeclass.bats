# RuntimeClasses: which runtime runs a pod. Real containers, crun and runc.
load node.bash

setup() {
	node_setup
	command -v crun >/dev/null && command -v runc >/dev/null || skip "needs crun and runc"
}
teardown() { node_teardown; }

class() { printf -- '---\napiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: %s}\nhandler: %s\n' "$1" "$2"; }

@test "the handler of its class runs a pod: containers, probes, hooks; and so it stays when the node comes again" {
	{
		pod plain 'sleep 60'
		pod other 'echo by runc; trap "cat /tmp/pre; exit" TERM; while :; do sleep 0.1; done' 'lifecycle: {preStop: {exec: {command: [sh, -c, "echo pre >/tmp/pre"]}}}
readinessProbe: {exec: {command: [test, "!", -e, /tmp/no]}, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 20}' 'restartPolicy: Never
runtimeClassName: second'
		class second runc
	} >"$T/in"
	start_node --runtime crun --runtime-handler runc=runc <"$T/in"
	until_status plain '.phase == "Running"'
	until_status other '.conditions[] | select(.type == "Ready").status == "True"'
	[ "$(for f in "$T"/n/pods/*/containers/c-0/runtime; do basename "$(head -n 1 "$f")"; done | sort | tr '\n' ' ')" = "crun runc " ]
	[ "$(ls "$T/n/run/runtime" | wc -l)" -eq 1 ]
	[ "$(ls "$T/n/run/handlers/runc" | wc -l)" -eq 1 ]
	ls -d "$T"/n/run/handlers/runc/*/state.json >/dev/null

	# a node that knows no such handler any more still looks after what runs
	end_node KILL
	: >"$T/out"
	start_node --runtime crun <"$T/in"
	no=/proc/$(cat "$(dirname "$(grep -l runc "$T"/n/pods/*/containers/c-0/runtime)")/pid")/root/tmp/no
	: >"$no"
	until_status other '.conditions[] | select(.type == "Ready").status == "False"'
	rm "$no"
	until_status other '.conditions[] | select(.type == "Ready").status == "True"'
	end_node
	[ "$(logs other)" = "by runc
pre" ]
	[ -z "$(ls "$T/n/pods")" ]
}

@test "another default runtime: what runs goes on as it began, and leaves nothing" {
	live='livenessProbe: {exec: {command: [sh, -c, "echo x >>/tmp/tries"]}, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 20}'
	of() { # POD: its folder
		echo "$T/n/pods/$(jq -rs --arg n "$1" 'map(select(.metadata.name == $n)) | last | .metadata.uid' "$T/out")"
	}
	tries() { wc -l <"/proc/$(cat "$(of "$1")/containers/c-0/pid")/root/tmp/tries"; }
	more() { # POD: its probe goes on
		local from end=$((SECONDS + 30))
		from=$(tries "$1")
		while [ "$(tries "$1")" -lt $((from + 3)) ]; do
			[ $SECONDS -le $end ] || { echo "# $1 is not probed" >&2 && return 1; }
			sleep 0.1
		done
	}
	{
		pod old 'sleep 1000' "$live" 'restartPolicy: Always'
		pod other 'sleep 1000' "$live" 'restartPolicy: Always
runtimeClassName: second'
		class second runc
	} >"$T/in"
	start_node --runtime crun --runtime-handler runc=runc <"$T/in"
	for p in old other; do until_status $p '.phase == "Running"'; more $p; done
	end_node KILL

	pod new 'sleep 1000' "$live" 'restartPolicy: Always' >>"$T/in"
	start_node --runtime "$(command -v runc)" <"$T/in"
	until_status new '.phase == "Running"'
	for p in old other new; do more $p; done
	for p in old other new; do status $p '.containerStatuses[0].restartCount == 0' | grep -qx true; done
	[ "$(sed 's,.*/,,' "$(of old)"/containers/c-0/runtime "$(of other)"/containers/c-0/runtime "$(of new)"/containers/c-0/runtime | tr '\n' ' ')" = "crun runtime runc runc runc runtime " ]
	# who guesses at the default sees the same
	jq -cs 'map(select(.metadata.name == "new")) | last | del(.status) + {spec: {containers: [{name: "c", livenessProbe: {exec: {command: ["true"]}, timeoutSeconds: 20}}]}}' "$T/out" |
		orch-probe --data "$T/n" >"$T/tried"
	end_node
	[ -z "$(ls "$T/n/pods")" ]
	[ -z "$(find "$T/n/run/runtime/" "$T/n/run/handlers/" -mindepth 1 2>/dev/null)" ]
}

@test "no such class, no such handler: the pod waits, and says so as a kubelet does" {
	{
		pod nothing true '' 'restartPolicy: Never
runtimeClassName: none'
		pod unknown true '' 'restartPolicy: Never
runtimeClassName: gone'
		class gone vm
	} | start_node --runtime crun --runtime-handler runc=runc
	until_status nothing '.containerStatuses[0].state.waiting.message == "runtimeclass.node.k8s.io \"none\" not found"'
	until_status unknown '.containerStatuses[0].state.waiting.message == "failed to get sandbox runtime: no runtime for \"vm\" is configured"'
	grep -q 'Failed to create pod sandbox: runtimeclass.node.k8s.io "none" not found' "$T/err"
}

@test "a handler that is not there, does not work, has a bad name or comes twice keeps the node from starting" {
	printf '#!/bin/sh\nexit 1\n' >"$T/broken" && chmod 755 "$T/broken"
	refuses() { # MESSAGE OPTION...
		local says=$1 code=0
		shift
		timeout 30 orch-node --data "$T/n" --name n --pods - --once "$@" </dev/null 2>"$T/e" || code=$?
		[ $code -ne 0 ] && [[ $(cat "$T/e") == *"$says"* ]]
	}
	refuses "runtime handler 'x': cannot find the container runtime '/none'" --runtime-handler x=/none
	refuses "runtime handler 'x': the container runtime '$T/broken' does not work here" --runtime-handler "x=$T/broken"
	refuses "runtime handler 'X' is not NAME=PATH" --runtime-handler X=runc
	refuses "runtime handler 'x' is not NAME=PATH" --runtime-handler x
	refuses "there are two runtime handlers 'x'" --runtime-handler x=runc --runtime-handler x=crun
}

@test "overhead counts in the pod's control group" {
	pod big 'sleep 60' 'resources: {limits: {memory: 64Mi, cpu: 100m}}' 'restartPolicy: Never
overhead: {memory: 16Mi}' | start_node
	until_status big '.phase == "Running"'
	if [ -d /sys/fs/cgroup/memory ]; then
		limit=$(cat /sys/fs/cgroup/memory/orch/n-*/podstatic-*/memory.limit_in_bytes | sort -n | head -1)
	else
		limit=$(cat /sys/fs/cgroup/orch/n-*/podstatic-*/memory.max | sort -n | head -1)
	fi
	[ "$limit" -eq $((80 << 20)) ]
}

@test "orch-pod: the class comes from the same stream; without it that is told" {
	{
		pod p 'echo ran' '' 'restartPolicy: Never
runtimeClassName: second'
		class second runc
	} >"$T/p.yaml"
	[ "$(orch-pod --images "$T/n" --root "$T/pods" --runtime crun --runtime-handler runc=runc run <"$T/p.yaml" 2>"$T/e")" = ran ]
	[ ! -s "$T/e" ]
	code=0
	orch-pod --images "$T/n" --root "$T/pods" run <"$T/p.yaml" >/dev/null 2>"$T/e" || code=$?
	[ $code -ne 0 ]
	grep -q 'no runtime for "runc" is configured' "$T/e"
	[ "$(pod p 'echo ran' '' 'restartPolicy: Never
runtimeClassName: second' | orch-pod --images "$T/n" --root "$T/pods" run 2>"$T/e")" = ran ]
	grep -q 'spec.runtimeClassName is not honoured: there is no such RuntimeClass' "$T/e"
}

@test "with a server: the Node says what its runtimes can do; the class is looked up; exec and ephemeral containers with users of their own" {
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	api() { curl -s --fail-with-body --unix-socket "$T/sock" -H "Content-Type: ${TYPE:-application/json}" "http://orch$1" "${@:2}"; }
	pods=/api/v1/namespaces/default/pods
	until_api() {
		local end=$((SECONDS + 15))
		while [ $SECONDS -le $end ]; do api "$1" 2>/dev/null | jq -e "$2" >/dev/null 2>&1 && return 0; sleep 0.1; done
		echo "$1: $2: $(api "$1" | jq -c .status)" >&2
		cat "$T/err" >&2
		return 1
	}
	for i in $(seq 100); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" --runtime crun --runtime-handler runc=runc >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
	until_api /api/v1/nodes/n1 '[.status.runtimeHandlers[] | {name: (.name // ""), features}] == [
	  {name: "", features: {recursiveReadOnlyMounts: true, userNamespaces: true}},
	  {name: "runc", features: {recursiveReadOnlyMounts: true, userNamespaces: true}}]
	  and .status.features == {supplementalGroupsPolicy: true}'
	class second runc | orch-parse | api /apis/node.k8s.io/v1/runtimeclasses --data-binary @- >/dev/null
	pod p 'cat /proc/self/uid_map; sleep 100' 'securityContext: {runAsUser: 1000}' 'hostUsers: false
runtimeClassName: second' | orch-parse | jq -c '.metadata.namespace = "default" | .spec.nodeName = "n1"' | api $pods --data-binary @- >/dev/null
	until_api $pods/p '.status.phase == "Running" and .status.containerStatuses[0].user.linux.uid == 1000'
	TYPE=application/strategic-merge-patch+json api $pods/p/ephemeralcontainers -X PATCH --data-binary '{"spec": {"ephemeralContainers": [
	  {"name": "look", "image": "web:1", "targetContainerName": "c", "command": ["sh", "-c", "id -u; cat /proc/self/uid_map; ps -o comm | grep -c sleep"]}]}}' >/dev/null
	until_api $pods/p '.status.ephemeralContainerStatuses[0].state.terminated.exitCode == 0'
	first=$(logs p | awk '{ print $2 }')
	[ "$(logs p look | tr -s ' ')" = "0
 0 $first 65536
1" ]
}
