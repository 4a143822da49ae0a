#!/usr/bin/env bats
# Huge pages: what a Node says of them, who may use how many, and what a machine without cannot do.  And what else a node
# does not have.

bats_require_minimum_version 1.5.0
load node.bash

setup() {
	exec 8</sys/kernel/mm
	flock 8 # there is one machine
	before=$(cat /proc/sys/vm/nr_hugepages)
	node_setup
}
teardown() {
	node_teardown
	echo "$before" >/proc/sys/vm/nr_hugepages
	exec 8>&-
}

limited() { # is there a controller to hold anybody to anything?
	grep -qsw hugetlb /sys/fs/cgroup/cgroup.controllers /sys/fs/cgroup/unified/cgroup.controllers || [ -e /sys/fs/cgroup/hugetlb/cgroup.procs ]
}

need_pages() { # N: or skip
	[ -e /sys/kernel/mm/hugepages/hugepages-2048kB ] || skip "this machine has no huge pages of 2 MiB"
	limited || skip "this machine has no hugetlb controller"
	echo $((before + $1)) >/proc/sys/vm/nr_hugepages
	[ "$(cat /proc/sys/vm/nr_hugepages)" -ge $((before + $1)) ] || skip "this machine gives no huge pages"
}

server() {
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- 8>&- &
	echo $! >"$T/store.pid"
	for i in $(seq 600); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" >>"$T/out" 2>>"$T/err" 3>&- 8>&- &
	echo $! >"$T/node.pid"
	for i in $(seq 600); do api /api/v1/nodes/n1 2>/dev/null | jq -e '.status.allocatable.cpu' >/dev/null && break; sleep 0.1; done
}
bytes() { numfmt --from=auto; } # of "2Gi"
api() { curl -s --fail-with-body --unix-socket "$T/sock" -H "Content-Type: ${TYPE:-application/json}" "http://orch$1" "${@:2}"; }

@test "capacity and allocatable have every size; memory that is huge pages is no other" {
	server
	for d in /sys/kernel/mm/hugepages/*; do
		kb=${d##*hugepages-}
		kb=${kb%kB}
		want=$(($(cat "$d/nr_hugepages") * kb * 1024))
		name=hugepages-$([ "$kb" -ge 1048576 ] && echo $((kb >> 20))Gi || { [ "$kb" -ge 1024 ] && echo $((kb >> 10))Mi || echo "${kb}Ki"; })
		api /api/v1/nodes/n1 | jq -r --arg n "$name" '.status.capacity[$n]' >"$T/has"
		[ "$(bytes <"$T/has")" = "$want" ]
	done
	had=$(api /api/v1/nodes/n1 | jq -r .status.allocatable.memory | bytes)
	need_pages 4
	for i in $(seq 600); do
		[ "$(api /api/v1/nodes/n1 | jq -r '.status.allocatable["hugepages-2Mi"]' | bytes)" = $(((before + 4) * 2097152)) ] && break
		sleep 0.1
	done
	[ "$(api /api/v1/nodes/n1 | jq -r '.status.allocatable["hugepages-2Mi"]' | bytes)" = $(((before + 4) * 2097152)) ]
	[ "$(api /api/v1/nodes/n1 | jq -r .status.allocatable.memory | bytes)" = $((had - 4 * 2097152)) ]
}

@test "a container uses what it asks for, and no more; one that asks for none has none" {
	need_pages 8
	local volumes='restartPolicy: Never
volumes:
- {name: h, emptyDir: {medium: HugePages-2Mi}}
- {name: g, emptyDir: {medium: HugePages}}'
	{
		pod some 'grep -c " /h hugetlbfs .*pagesize=2M" /proc/mounts; grep -c " /g hugetlbfs" /proc/mounts
			fallocate -l 4194304 /h/a && echo two; fallocate -l 2097152 /g/b 2>/dev/null || echo no third; rm /h/a; fallocate -l 2097152 /g/b && echo one
			while [ ! -e /h/hooked ]; do sleep 0.1; done; [ -e /h/escaped ] || echo nor has its hook' \
			"$(printf 'resources: {limits: {hugepages-2Mi: 4Mi, memory: 64Mi}}\nvolumeMounts: [{name: h, mountPath: /h}, {name: g, mountPath: /g}]')" "$volumes" |
			orch-parse | jq -c '.spec.containers += [.spec.containers[0] | .name = "d" | .resources = {} |
				.command = ["sh", "-c", "fallocate -l 2097152 /h/d 2>/dev/null || echo none for me; while [ ! -e /h/hooked ]; do sleep 0.1; done"] |
				.lifecycle = {postStart: {exec: {command: ["sh", "-c", "fallocate -l 2097152 /h/p 2>/dev/null && touch /h/escaped; touch /h/hooked"]}}}]'
	} >"$T/in"
	run_pods <"$T/in" || { cat "$T/err" "$T/out"; false; }
	[ "$(logs some c)" = $'1\n1\ntwo\nno third\none\nnor has its hook' ]
	[ "$(logs some d)" = "none for me" ]
}

@test "of a pod as a whole: its containers share what it has" {
	need_pages 8
	pod both 'fallocate -l 4194304 /h/a && echo two; touch /h/ready; while [ -e /h/ready ]; do sleep 0.1; done' \
		'volumeMounts: [{name: h, mountPath: /h}]' 'restartPolicy: Never
resources: {requests: {cpu: 10m}, limits: {hugepages-2Mi: 6Mi, memory: 64Mi}}
volumes: [{name: h, emptyDir: {medium: HugePages-2Mi}}]' |
		orch-parse | jq -c '.spec.containers += [.spec.containers[0] | .name = "d" |
			.command = ["sh", "-c", "while [ ! -e /h/ready ]; do sleep 0.1; done; fallocate -l 4194304 /h/b 2>/dev/null || echo not two; rm -f /h/b; fallocate -l 2097152 /h/c && echo one; rm /h/ready"]]' >"$T/in"
	run_pods <"$T/in" || { cat "$T/err" "$T/out"; false; }
	[ "$(logs both c)" = two ]
	[ "$(logs both d)" = $'not two\none' ]
}

@test "more than there is left is refused by name; nothing of it stays" {
	need_pages 4
	{
		pod a 'sleep 1' "resources: {limits: {hugepages-2Mi: $(((before + 2) * 2))Mi, memory: 32Mi}}"
		pod b 'sleep 1' 'resources: {limits: {hugepages-2Mi: 6Mi, memory: 32Mi}}'
	} >"$T/in"
	run_pods <"$T/in" || true
	jq -se 'map(select(.metadata.name == "a")) | last | .status.phase == "Succeeded"' "$T/out"
	jq -se --arg u $(((before + 2) * 2097152)) --arg c $(((before + 4) * 2097152)) 'map(select(.metadata.name == "b")) | last | .status |
		.phase == "Failed" and .reason == "OutOfhugepages-2Mi" and
		.message == "Pod was rejected: Node didn'"'"'t have enough resource: hugepages-2Mi, requested: 6291456, used: \($u), capacity: \($c)"' "$T/out"
	for uid in $(jq -r .metadata.uid "$T/out" | sort -u); do
		orch-node --data "$T/n" --clean
		[ -z "$(find /sys/fs/cgroup -type d -name "pod$uid" 2>/dev/null)" ]
	done
}

@test "devices that nobody gives are refused; what the Node has been given by hand is counted" {
	pod none 'echo ran' 'resources: {limits: {example.com/dongle: 1}}' >"$T/in"
	run ! run_pods <"$T/in"
	jq -se 'last | .status | .phase == "Failed" and .reason == "OutOfexample.com/dongle" and
		.message == "Pod was rejected: Node didn'"'"'t have enough resource: example.com/dongle, requested: 1, used: 0, capacity: 0"' "$T/out"
	server
	TYPE=application/merge-patch+json api /api/v1/nodes/n1/status -X PATCH -d '{"status": {"capacity": {"example.com/dongle": "2"}, "allocatable": {"example.com/dongle": "2"}}}' >/dev/null
	for p in a:1 b:2 c:1; do
		pod ${p%:*} 'sleep 99' "resources: {limits: {example.com/dongle: ${p#*:}}}" | orch-parse |
			jq -c '.metadata.namespace = "default" | .spec.nodeName = "n1"' | api /api/v1/namespaces/default/pods --data-binary @- >/dev/null
		for i in $(seq 600); do
			api /api/v1/namespaces/default/pods/${p%:*} | jq -e '.status.phase == "Running" or .status.phase == "Failed"' >/dev/null && break
			sleep 0.1
		done
	done
	api /api/v1/namespaces/default/pods | jq -e '[.items[] | [.metadata.name, .status.phase, .status.reason]] == [
		["a", "Running", null], ["b", "Failed", "OutOfexample.com/dongle"], ["c", "Running", null]]'
	# and it stays what it was
	api /api/v1/nodes/n1 | jq -e '.status.allocatable["example.com/dongle"] == "2"'
}
