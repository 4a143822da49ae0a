#!/usr/bin/env bats
# The store is away: stopped, started anew from its files, hanging, refusing. Pods go on as if it
# were there, and when it is back it hears of all within seconds.

load node.bash

setup() {
	node_setup
	AWAY=${AWAY:-25} # seconds
}
teardown() { node_teardown; }

store() {
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	for _ in $(seq 100); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
}
node() { # URL [OPTION...]
	local url=$1
	shift
	orch-node -s "$url" --name n1 --data "$T/n" --pod-cidr "$CIDR" --backoff 1s --sync-frequency 2s "$@" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
}
api() { curl -s --fail-with-body --unix-socket "$T/sock" -H "Content-Type: ${TYPE:-application/json}" "http://orch$1" "${@:2}"; }
pods=/api/v1/namespaces/default/pods
events=/api/v1/namespaces/default/events
lease=/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1
create() { # NAME COMMAND [YAML] [YAML]: bound to n1
	pod "$@" | orch-parse | jq -c '.metadata.namespace = "default" | .spec.nodeName = "n1"' |
		api $pods --data-binary @- >"$T/created" || { cat "$T/created" >&2; return 1; }
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
gone() { for _ in $(seq 150); do api "$1" >/dev/null || return 0; sleep 0.1; done; return 1; }

well='.status.phase == "Running" and .status.containerStatuses[0].ready and .status.containerStatuses[0].restartCount == 0'
ready='.status.conditions | any(.type == "Ready" and .status == "True")'
cid() { api $pods/"$1" | jq -r '.status.containerStatuses[0].containerID'; }
said() { cat "$T"/n/log/pods/default_"$1"_*/c/*.log 2>/dev/null | wc -l; } # lines, of all its runs that are kept
# what this node itself knows of a pod
known() { jq "$2" "$T/n/pods/$1/state.json"; }

# pods of all fates: their turn comes some seconds after they have begun
begin() {
	create a 'httpd -f -h /www' 'readinessProbe: {httpGet: {port: 80, path: /index.html}, periodSeconds: 1, timeoutSeconds: 3}
livenessProbe: {httpGet: {port: 80, path: /index.html}, periodSeconds: 1, timeoutSeconds: 3}'
	create ends 'while [ ! -e /s/end ]; do sleep 0.2; done' 'volumeMounts: [{name: s, mountPath: /s}]' "volumes: [{name: s, hostPath: {path: $T/s}}]
restartPolicy: Never"
	create again 'while [ ! -e /s/end ]; do sleep 0.2; done; exit 1' 'volumeMounts: [{name: s, mountPath: /s}]' "volumes: [{name: s, hostPath: {path: $T/s}}]
restartPolicy: Always"
	create sick 'sleep 1000' 'volumeMounts: [{name: s, mountPath: /s}]
livenessProbe: {exec: {command: [test, "!", -e, /s/end]}, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 1}' "volumes: [{name: s, hostPath: {path: $T/s}}]
restartPolicy: Always"
	create full 'while [ ! -e /s/end ]; do sleep 0.2; done; dd if=/dev/zero of=/e/big bs=1M count=9 2>/dev/null; sleep 1000' \
		'volumeMounts: [{name: s, mountPath: /s}, {name: e, mountPath: /e}]' "volumes: [{name: s, hostPath: {path: $T/s}}, {name: e, emptyDir: {sizeLimit: 2Mi}}]"
	for p in a ends again sick full; do until_api $pods/$p "$well"; done
	a=$(cid a)
	for p in ends again sick full; do eval "u_$p=$(api $pods/$p | jq -r .metadata.uid)"; done
}
# the server is away: their turn comes, and this node goes by it; $1 seconds for that
fates() {
	local end=$((SECONDS + $1))
	touch "$T/s/end"
	while [ $SECONDS -lt $end ]; do
		if known "$u_ends" '.containers[0].state == 2' | grep -q true && known "$u_full" '.failReason == "Evicted"' | grep -q true &&
			known "$u_again" '.containers[0].restarts >= 2' | grep -q true && known "$u_sick" '.containers[0].restarts >= 1' | grep -q true; then
			return
		fi
		sleep 0.2
	done
	for p in $u_ends $u_full $u_again $u_sick; do known "$p" '[.failReason, .containers[0].state, .containers[0].restarts]' -c >&2; done
	cat "$T/err" >&2
	return 1
}
# it is back: it hears of all
heard() {
	until_api $pods/ends '.status.phase == "Succeeded"' 8
	until_api $pods/full '.status.phase == "Failed" and .status.reason == "Evicted"' 5
	until_api $pods/again '.status.containerStatuses[0].restartCount >= 2' 5
	until_api $pods/sick '.status.containerStatuses[0].restartCount >= 1' 5
	until_api $pods/a "$well" 5
	[ "$(cid a)" = "$a" ]
	until_api $events '.items | any(.involvedObject.name == "full" and .reason == "Evicted")' 10
	# each is told once, however often it was said
	[ "$(api "$events?fieldSelector=involvedObject.name=again,reason=BackOff" | jq '.items | length')" -le 1 ]
	at=$(api $lease | jq -r .spec.renewTime)
	until_api $lease ".spec.renewTime != \"$at\"" 15
	until_api /api/v1/nodes/n1 "$ready" 5
	create next 'sleep 1000'
	until_api $pods/next "$well" 10
	api $pods/a -X DELETE >/dev/null
	gone $pods/a
}

@test "stopped, and started again from its files" {
	mkdir "$T/s"
	store
	api /api/v1/namespaces/default/configmaps --data-binary '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": "one"}}' >/dev/null
	api /api/v1/namespaces/default/serviceaccounts --data-binary '{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}' >/dev/null
	node "unix:$T/sock"
	begin
	create t 'while :; do md5sum </t/token; cat /t/k; sleep 1; done' 'volumeMounts: [{name: t, mountPath: /t}]' \
		'serviceAccountName: default
volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: token, expirationSeconds: 3600}}, {configMap: {name: m}}]}}]'
	until_api $pods/t "$well"
	kill "$(cat "$T/store.pid")"
	while kill -0 "$(cat "$T/store.pid")" 2>/dev/null; do sleep 0.05; done
	began=$SECONDS
	fates 60
	while [ $((SECONDS - began)) -lt "$AWAY" ]; do sleep 0.5; done
	kill -0 "$(cat "$T/node.pid")"
	lines=$(wc -l <"$T/err")
	[ "$lines" -lt 200 ] # it does not cry all the time
	store
	heard
	TYPE=application/merge-patch+json api /api/v1/namespaces/default/configmaps/m -X PATCH --data-binary '{"data": {"k": "two"}}' >/dev/null
	for _ in $(seq 100); do logs t | grep -qx two && break; sleep 0.1; done
	logs t | grep -qx two
	api $pods/t | jq -e "$well"
}

@test "it hangs: nobody waits for it" {
	mkdir "$T/s"
	store
	node "unix:$T/sock"
	begin
	kill -STOP "$(cat "$T/store.pid")"
	# runs of 2 s, one after the other: none begins late
	fates 60
	from=$(known "$u_again" '.containers[0].restarts')
	sleep 12
	kill -0 "$(cat "$T/node.pid")"
	[ "$(known "$u_again" '.containers[0].restarts')" -gt "$from" ]
	kill -CONT "$(cat "$T/store.pid")"
	heard
}

@test "killed in the middle of a write, by another store over the same files; pods deleted meanwhile" {
	mkdir "$T/s"
	store
	node "unix:$T/sock"
	begin
	create b 'sleep 1000'
	until_api $pods/b "$well"
	kill -9 "$(cat "$T/store.pid")"
	fates 60
	# somebody deletes one before the node hears of the new one
	kill -STOP "$(cat "$T/node.pid")"
	store
	api $pods/b -X DELETE >/dev/null
	kill -CONT "$(cat "$T/node.pid")"
	gone $pods/b
	heard
}

@test "500, 429, resets, one after the other" {
	mkdir "$T/s"
	store
	echo pass >"$T/mode"
	python3 "$TOP/tests/e2e/moody.py" "$T/port" "$T/sock" "$T/mode" 2>"$T/moody.log" 3>&- &
	echo $! >"$T/moody.pid"
	for _ in $(seq 100); do [ -s "$T/port" ] && break; sleep 0.05; done
	node "http://127.0.0.1:$(cat "$T/port")"
	begin
	turn() { echo "$1" >"$T/mode.new" && mv "$T/mode.new" "$T/mode"; }
	turn 429
	fates 60
	for how in 500 reset hang; do
		turn $how
		from=$(known "$u_again" '.containers[0].restarts')
		sleep 8
		kill -0 "$(cat "$T/node.pid")"
	done
	turn pass
	heard
	[ "$(wc -l <"$T/err")" -lt 300 ]
}
