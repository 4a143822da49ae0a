#!/usr/bin/env bats
# Static pods: out of a folder, with mirrors on the server.

load node.bash

setup() {
	node_setup
	serve
	mkdir "$T/m"
}
teardown() { node_teardown; }

serve() {
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	for i in $(seq 100); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
}

start() {
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" --manifests "$T/m" "$@" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
}

api() { curl -s --fail-with-body --unix-socket "$T/sock" -H "Content-Type: ${TYPE:-application/json}" "http://orch$1" "${@:2}"; }
pods=/api/v1/namespaces/default/pods

until_api() { # PATH FILTER
	for i in $(seq 300); do
		if api "$1" | jq -e "$2" >/dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	echo "# $1: $2 never came true: $(api "$1" | jq -c .)" >&2
	cat "$T/err" >&2
	return 1
}

gone() { for i in $(seq 200); do api "$1" >/dev/null || return 0; sleep 0.05; done; false; }
running='.status.phase == "Running" and .metadata.annotations["kubernetes.io/config.mirror"] != null'
started() { api $pods/"$1" | jq -r '.status.containerStatuses[0].containerID'; }

@test "static pods run, and have a mirror that follows them and is not run itself" {
	pod a 'sleep 1000' '' 'restartPolicy: Always' >"$T/m/a.yaml"
	pod hidden 'sleep 1000' >"$T/m/.b.yaml"
	start
	until_api $pods/a-n1 "$running"
	api $pods/a-n1 | jq -e '.metadata.annotations["kubernetes.io/config.source"] == "file" and
	  .metadata.ownerReferences[0].kind == "Node" and (.status.podIP | length > 0)'
	[ "$(ls "$T/n/pods" | wc -l)" = 1 ]
	# one who deletes the mirror does not end the pod
	id=$(started a-n1)
	uid=$(api $pods/a-n1 | jq -r .metadata.uid)
	api $pods/a-n1 -X DELETE >/dev/null
	until_api $pods/a-n1 "$running and .metadata.uid != \"$uid\""
	[ "$(started a-n1)" = "$id" ]
	# another file, another content, no file
	pod b 'sleep 1000' '' 'restartPolicy: Always' >"$T/m/.new" && mv "$T/m/.new" "$T/m/b.yaml"
	until_api $pods/b-n1 "$running"
	pod a 'sleep 2000' '' 'restartPolicy: Always' >"$T/m/a.yaml"
	until_api $pods/a-n1 "$running and (.spec.containers[0].command[2] == \"sleep 2000\")"
	[ "$(started a-n1)" != "$id" ]
	rm "$T/m/b.yaml"
	gone $pods/b-n1
	for i in $(seq 100); do [ "$(ls "$T/n/pods" | wc -l)" = 1 ] && break; sleep 0.1; done
	[ "$(ls "$T/n/pods" | wc -l)" = 1 ]
}

@test "a broken file is named, and its pod runs on; several pods in one file" {
	{ pod a 'sleep 1000'; pod b 'sleep 1000'; } >"$T/m/two.yaml"
	start
	until_api $pods/a-n1 "$running"
	until_api $pods/b-n1 "$running"
	id=$(started a-n1)
	echo 'kind: [' >"$T/m/two.yaml"
	for i in $(seq 100); do grep -q "cannot use manifest '$T/m/two.yaml'" "$T/err" && break; sleep 0.05; done
	grep -q "cannot use manifest '$T/m/two.yaml'" "$T/err"
	sleep 0.3
	[ "$(started a-n1)" = "$id" ]
	echo '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}' >"$T/m/two.yaml"
	for i in $(seq 100); do grep -q 'a ConfigMap is no Pod' "$T/err" && break; sleep 0.05; done
	grep -q 'a ConfigMap is no Pod' "$T/err"
	[ "$(started a-n1)" = "$id" ]
}

@test "over restarts of node and store: the container is not touched; a removed file ends it later" {
	pod a 'sleep 1000' '' 'restartPolicy: Always' >"$T/m/a.yaml"
	start
	until_api $pods/a-n1 "$running"
	id=$(started a-n1)
	kill -9 "$(cat "$T/node.pid")"
	start
	sleep 1
	[ "$(started a-n1)" = "$id" ]
	kill -9 "$(cat "$T/store.pid")"
	sleep 0.5
	serve
	until_api $pods/a-n1 "$running"
	[ "$(started a-n1)" = "$id" ]
	kill -9 "$(cat "$T/node.pid")"
	rm "$T/m/a.yaml"
	start
	gone $pods/a-n1
	for i in $(seq 100); do [ -z "$(ls "$T/n/pods")" ] && break; sleep 0.1; done
	[ -z "$(ls "$T/n/pods")" ]
}

unserve() { kill -9 "$(cat "$T/store.pid")"; rm -f "$T/store.pid"; }
says() { for i in $(seq 200); do grep -q "$1" "$T/err" && return; sleep 0.05; done; cat "$T/err"; false; }

@test "without its server: static pods begin, what ran goes on, and it joins later" {
	pod a 'sleep 1000' '' 'restartPolicy: Always' >"$T/m/a.yaml"
	start --backoff 0.5s
	until_api $pods/a-n1 "$running"
	# a pod of the server's, that ends now and then
	pod own 'n=$(cat /d/n 2>/dev/null); echo $((n + 1)) >/d/n; sleep 2' 'volumeMounts: [{name: d, mountPath: /d}]' \
		$'restartPolicy: Always\nnodeName: n1\nvolumes: [{name: d, emptyDir: {}}]' >"$T/own.yaml"
	TYPE=application/yaml api $pods -X POST --data-binary @"$T/own.yaml" >/dev/null
	until_api $pods/own '.status.phase == "Running"'
	id=$(started a-n1)
	unserve
	kill -9 "$(cat "$T/node.pid")"
	start --backoff 0.5s
	says 'waiting for unix:'
	count=$(find "$T/n/pods" -name n -path '*d/n')
	for i in $(seq 200); do [ "$(cat "$count")" -ge 3 ] && break; sleep 0.1; done
	[ "$(cat "$count")" -ge 3 ]
	# the network is the one it had; a file's pod begins
	pod b 'echo begun; sleep 1000' '' 'restartPolicy: Always' >"$T/m/b.yaml"
	for i in $(seq 200); do grep -qs begun "$T"/n/log/pods/default_b-n1_*/c/0.log && break; sleep 0.05; done
	grep -q begun "$T"/n/log/pods/default_b-n1_*/c/0.log
	serve
	until_api $pods/b-n1 "$running"
	until_api $pods/own '.status.containerStatuses[0].restartCount >= 2'
	[ "$(started a-n1)" = "$id" ]
	api $pods/own -X DELETE >/dev/null
	gone $pods/own
}

@test "never joined yet, its server away: a static pod of the host's network runs, the others wait for an address" {
	api /api/v1/nodes -X POST -d '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"},"spec":{"podCIDR":"'"$CIDR"'","podCIDRs":["'"$CIDR"'"]}}' >/dev/null
	unserve
	{ pod host 'echo begun; sleep 1000' '' $'restartPolicy: Always\nhostNetwork: true'; pod net 'sleep 1000' '' 'restartPolicy: Always'; } >"$T/m/two.yaml"
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --manifests "$T/m" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
	says 'pod default/net-n1: .*the server has not said yet'
	for i in $(seq 100); do grep -qs begun "$T"/n/log/pods/default_host-n1_*/c/0.log && break; sleep 0.05; done
	grep -q begun "$T"/n/log/pods/default_host-n1_*/c/0.log
	serve
	until_api $pods/host-n1 "$running"
	until_api $pods/net-n1 "$running and (.status.podIP | startswith(\"${CIDR%.*}.\"))"
}
