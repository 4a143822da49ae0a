#!/usr/bin/env bats
# orch-node with a server: what it says to it and does for it.

load node.bash

setup() {
	node_setup
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	for i in $(seq 100); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
	start
}
teardown() { node_teardown; }

start() { # [OPTION...]
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" "$@" >>"$T/out" 2>>"$T/err" 3>&- &
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
	cat "$T/err" >&2
	return 1
}

@test "the Node: labels, capacity, addresses, Ready, a Lease that is renewed" {
	until_api /api/v1/nodes/n1 '.status.conditions[] | select(.type == "Ready") | .status == "True"'
	api /api/v1/nodes/n1 | jq -e '.metadata.labels["kubernetes.io/hostname"] == "n1" and .status.nodeInfo.operatingSystem == "linux"'
	api /api/v1/nodes/n1 | jq -e --arg c "$CIDR" '.spec.podCIDR == $c and (.status.capacity.pods == "110")'
	api /api/v1/nodes/n1 | jq -e --arg d "$T/n/log/pods" '.metadata.annotations["orch.io/log-dir"] == $d'
	lease=/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1
	until_api $lease '.spec.holderIdentity == "n1"'
	first=$(api $lease | jq -r .spec.renewTime)
	until_api $lease ".spec.renewTime != \"$first\"" 13
}

@test "a pod that is bound runs; a deleted one ends politely and is gone" {
	create web 'trap "echo bye; exit" TERM; httpd -h /www; while :; do sleep 0.1; done'
	until_api $pods/web '.status.phase == "Running" and (.status.conditions[] | select(.type == "Ready") | .status == "True")'
	ip=$(api $pods/web | jq -r .status.podIP)
	for i in $(seq 50); do [ "$(busybox wget -qO- "http://$ip/")" = hello ] && break; sleep 0.1; done
	[ "$(busybox wget -qO- "http://$ip/")" = hello ]
	api /api/v1/namespaces/default/events | jq -e '[.items[].reason] | index("Started")' >/dev/null
	log=$(echo "$T"/n/log/pods/default_web_*/c/0.log)
	exec 5<"$log"
	api $pods/web -X DELETE >/dev/null
	for i in $(seq 100); do api $pods/web >/dev/null || break; sleep 0.1; done
	run api $pods/web
	[ "$status" != 0 ]
	grep -q bye <&5
	for i in $(seq 50); do [ -z "$(ls "$T/n/pods")" ] && break; sleep 0.1; done
	[ -z "$(ls "$T/n/pods")" ]
	[ -z "$(ip route show "$ip")" ]
}

@test "ConfigMaps and Secrets come from the server; a late one is waited for" {
	create late 'cat /c/key; echo $S; sleep 100' 'volumeMounts: [{name: c, mountPath: /c}]
env: [{name: S, valueFrom: {secretKeyRef: {name: sec, key: k}}}]' 'volumes: [{name: c, configMap: {name: conf}}]'
	until_api $pods/late '.status.containerStatuses[0].state.waiting.message | test("conf")'
	api /api/v1/namespaces/default/secrets -d '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"sec"},"data":{"k":"c2VjcmV0"}}' >/dev/null
	api /api/v1/namespaces/default/configmaps -d '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"conf"},"data":{"key":"value\n"}}' >/dev/null
	until_api $pods/late '.status.phase == "Running"'
	[ "$(logs late | tr '\n' ' ')" = "value secret " ]
}

@test "kill -9 of the node while pods come and go: it catches up" {
	create a 'sleep 100'
	create b 'sleep 100'
	until_api $pods/a '.status.phase == "Running"'
	until_api $pods/b '.status.phase == "Running"'
	end_node KILL
	api "$pods/a?gracePeriodSeconds=0" -X DELETE >/dev/null
	api $pods/b -X DELETE >/dev/null
	create c 'sleep 100'
	start
	until_api $pods/c '.status.phase == "Running"'
	for i in $(seq 100); do [ "$(ls "$T/n/pods" | wc -l)" = 1 ] && break; sleep 0.1; done
	[ "$(ls "$T/n/pods" | wc -l)" = 1 ]
	[ "$(api $pods | jq '.items | length')" = 1 ]
}

@test "what ended while the node was away is told, though nothing follows" {
	create once 'until [ -e /tmp/end ]; do sleep 0.1; done'
	until_api $pods/once '.status.phase == "Running"'
	end_node KILL
	touch "/proc/$(cat "$T"/n/pods/*/containers/c-0/pid)/root/tmp/end"
	for i in $(seq 50); do [ -n "$(ls "$T/n/run/exits")" ] && break; sleep 0.1; done
	start
	until_api $pods/once '.status.phase == "Succeeded"'
}

@test "a pod that was said to be unready for the node's silence is said to be ready again" {
	create up 'sleep 100'
	until_api $pods/up '.status.conditions[] | select(.type == "Ready") | .status == "True"'
	api $pods/up | jq '.status.conditions |= map(if .type == "Ready" then .status = "False" | .reason = "NodeNotReady" else . end)' |
		api $pods/up/status -X PUT --data-binary @- >/dev/null
	until_api $pods/up '.status.conditions[] | select(.type == "Ready") | .status == "True" and .reason == null'
}

@test "a node that lost all it knew goes by what the server knows: counts go on, one that runs once does not run twice" {
	create never 'sleep 100'
	create init 'cat /e/made && sleep 100' 'volumeMounts: [{name: e, mountPath: /e}]' 'restartPolicy: Always
volumes: [{name: e, emptyDir: {}}]
initContainers: [{name: i, image: "web:1", command: [touch, /e/made], volumeMounts: [{name: e, mountPath: /e}]}]'
	until_api $pods/never '.status.phase == "Running"'
	until_api $pods/init '.status.phase == "Running"'
	end_node
	orch-node --data "$T/n" --clean
	start
	until_api $pods/never '.status.phase == "Failed" and .status.containerStatuses[0].state.terminated.reason == "ContainerStatusUnknown"'
	until_api $pods/init '.status.containerStatuses[0] | .ready and .restartCount == 1'
}

@test "the server is away for a while: containers run on, news is told later" {
	create a 'sleep 2; exit 3'
	create b 'sleep 100'
	until_api $pods/b '.status.phase == "Running"'
	kill -9 "$(cat "$T/store.pid")"
	sleep 2.5
	kill -0 "$(cat "$T/node.pid")"
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	until_api $pods/a '.status.phase == "Failed" and .status.containerStatuses[0].state.terminated.exitCode == 3' 30
	until_api $pods/b '.status.phase == "Running" and .status.containerStatuses[0].restartCount == 0' 30
}

@test "the Node is deleted: it registers again; conditions others wrote are put right" {
	until_api /api/v1/nodes/n1 '.status.conditions | length > 0'
	api /api/v1/nodes/n1 -X DELETE
	until_api /api/v1/nodes/n1 '.status.conditions[] | select(.type == "Ready") | .status == "True"' 15
	TYPE=application/merge-patch+json api /api/v1/nodes/n1/status -X PATCH -d '{"status":{"conditions":[{"type":"Ready","status":"Unknown"}]}}'
	until_api /api/v1/nodes/n1 '.status.conditions[] | select(.type == "Ready") | .status == "True"' 15
}

@test "events: one that repeats itself is counted" {
	create crash 'exit 1'  '' 'restartPolicy: Always'
	until_api /api/v1/namespaces/default/events '.items[] | select(.reason == "Started" and .involvedObject.name == "crash") | .count == 2'
}

@test "figures" {
	port=$((20000 + RANDOM % 12000)) # below what the kernel gives out by itself
	end_node TERM
	start --metrics 127.0.0.1:$port
	create a 'sleep 100'
	until_api $pods/a '.status.phase == "Running"'
	for i in $(seq 50); do curl -s "http://127.0.0.1:$port/metrics" | grep -qx 'orch_node_running_containers 1' && break; sleep 0.1; done
	curl -s "http://127.0.0.1:$port/metrics" | grep -qx 'orch_node_running_containers 1'
}

@test "allocatable is less than capacity by what is reserved and must be left; a pod for another node is refused" {
	end_node TERM
	start --kube-reserved cpu=100m,memory=64Mi --system-reserved cpu=50m --eviction-hard 'memory.available<36Mi,nodefs.available<10%'
	until_api /api/v1/nodes/n1 '.status.allocatable.cpu | endswith("m")'
	api /api/v1/nodes/n1 | jq -e --argjson n "$(getconf _NPROCESSORS_ONLN)" '.status.allocatable.cpu == "\($n * 1000 - 150)m" and .status.capacity.cpu == "\($n)"'
	api /api/v1/nodes/n1 | jq -e 'def b: if endswith("Ki") then rtrimstr("Ki") | tonumber * 1024 elif endswith("Mi") then rtrimstr("Mi") | tonumber * 1048576
		elif endswith("Gi") then rtrimstr("Gi") | tonumber * 1073741824 else tonumber end; .status | (.capacity.memory | b) - (.allocatable.memory | b) == 104857600
		and ((.allocatable["ephemeral-storage"] | b) / (.capacity["ephemeral-storage"] | b) * 1000 | round == 900)'
	create there 'sleep 1' '' 'nodeSelector: {kubernetes.io/hostname: n2}'
	until_api $pods/there '.status.phase == "Failed" and .status.reason == "NodeAffinity" and .status.message ==
		"Pod was rejected: Predicate NodeAffinity failed: node(s) didn'"'"'t match Pod'"'"'s node affinity/selector"'
	create here 'sleep 1' '' 'nodeSelector: {kubernetes.io/hostname: n1}
restartPolicy: Never'
	until_api $pods/here '.status.phase == "Succeeded"'
}
