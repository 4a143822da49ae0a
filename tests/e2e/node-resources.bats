#!/usr/bin/env bats
# What pods ask for and may have: the cgroup tree, what the node counts, and whom it lets in.

load node.bash

setup() { node_setup; }
teardown() { node_teardown; }

uid() { jq -r --arg n "$1" 'select(.metadata.name == $n) | .metadata.uid' "$T/out" | tail -n 1; }

# group NAME: the cgroup of a pod, below the root of a tree
group() {
	local found
	found=$(find /sys/fs/cgroup -type d -path "*/orch/n-*/pod$(uid "$1")" -prune 2>/dev/null | head -n 1)
	echo "/orch/${found#*/orch/}"
}

# figure NAME V1-TREE V1-FILE V2-FILE: of a pod's cgroup, or of one by its path
figure() {
	local path=$1
	[ "${path:0:1}" = / ] || path=$(group "$1")
	if [ -e /sys/fs/cgroup/cgroup.controllers ]; then cat "/sys/fs/cgroup$path/$4"; else cat "/sys/fs/cgroup/$2$path/$3"; fi
}
shares() { figure "$1" cpu cpu.shares cpu.weight; }
memory() { figure "$1" memory memory.limit_in_bytes memory.max; }
quota() { figure "$1" cpu cpu.cfs_quota_us cpu.max | cut -d' ' -f1; }

# weight SHARES: what shares() then says
weight() { if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo $((1 + ($1 - 2) * 9999 / 262142)); else echo "$1"; fi; }

asks() { echo "resources: {requests: {$1}, limits: {$2}}"; }

@test "each class of pod has its place, weight and bounds" {
	{
		pod sure 'sleep 99' "$(asks 'cpu: 100m, memory: 32Mi' 'cpu: 100m, memory: 32Mi')"
		pod some 'sleep 99' "$(asks 'cpu: 250m' 'memory: 64Mi')"
		pod more 'sleep 99' "$(asks 'cpu: 150m' 'memory: 64Mi')"
		pod none 'sleep 99'
	} | start_node
	for p in sure some more none; do until_status $p '.phase == "Running"'; done

	[[ $(group sure) == /orch/n-*/pod* && $(group sure) != */burstable/* ]]
	[ "$(shares sure)" = "$(weight 102)" ]
	[ "$(memory sure)" = $((32 << 20)) ]
	[ "$(quota sure)" = 10000 ]

	[[ $(group some) == /orch/n-*/burstable/pod* ]]
	[ "$(shares some)" = "$(weight 256)" ]
	[ "$(memory some)" = $((64 << 20)) ]
	[[ $(quota some) == -1 || $(quota some) == max ]]
	[ "$(shares "$(dirname "$(group some)")")" = "$(weight 409)" ] # 400m

	[[ $(group none) == /orch/n-*/besteffort/pod* ]]
	[ "$(shares none)" = "$(weight 2)" ]
	[ "$(shares "$(dirname "$(group none)")")" = "$(weight 2)" ]

	# and the containers are in there
	pid=$(cat "$T"/n/pods/"$(uid none)"/containers/c-0/pid)
	grep -q ":$(group none)/c-0" "/proc/$pid/cgroup"
}

@test "a pod as a whole: limits of its own, and those of its containers only when each has one" {
	{
		pod whole 'sleep 99' '' 'resources: {requests: {cpu: 200m, memory: 16Mi}, limits: {cpu: 300m, memory: 48Mi}}'
		pod half 'sleep 99' "$(asks '' 'cpu: 100m, memory: 32Mi')"
		echo "  - {name: d, image: web:1, command: [sleep, '99']}"
		pod side 'sleep 99' "$(asks 'cpu: 10m' 'memory: 32Mi')" 'initContainers: [
  {name: s, image: web:1, command: [sleep, "99"], restartPolicy: Always, resources: {limits: {memory: 8Mi}}},
  {name: i, image: web:1, command: ["true"], resources: {limits: {memory: 50Mi}}}]'
	} | start_node
	for p in whole half side; do until_status $p '.phase == "Running"'; done
	[ "$(shares whole)" = "$(weight 204)" ]
	[ "$(quota whole)" = 30000 ]
	[ "$(memory whole)" = $((48 << 20)) ]
	[ "$(shares half)" = "$(weight 102)" ]
	[[ $(quota half) == -1 || $(quota half) == max ]]
	[[ $(memory half) == max || $(memory half) -gt $((1 << 40)) ]]
	[ "$(memory side)" = $((58 << 20)) ] # the init container beside the sidecar
}

@test "a pod whose containers have no limits is held to its own" {
	pod big 'dd if=/dev/zero of=/dev/null bs=64M count=9' '' 'restartPolicy: Never
resources: {limits: {memory: 24Mi}}' | run_pods || true
	[ "$(status big '.containerStatuses[0].state.terminated.exitCode')" = 137 ]
	[ "$(status big '.containerStatuses[0].state.terminated.reason')" = OOMKilled ]
}

@test "a node that starts finds pods wherever the one before it had put them; nothing is left" {
	pod p 'sleep 99' "$(asks 'cpu: 10m' '')" | start_node
	until_status p '.phase == "Running"'
	pid=$(cat "$T"/n/pods/*/containers/c-0/pid)
	mark=$(group p | cut -d/ -f3)
	end_node KILL
	start_node <"$T/pods"
	for i in $(seq 50); do grep -q "still running" "$T/err" && break; sleep 0.1; done
	grep -q "still running" "$T/err"
	kill -0 "$pid"
	end_node
	[ -z "$(find /sys/fs/cgroup -type d -name "$mark")" ]
}

@test "whom there is no room for is refused, and says what there is" {
	cpus=$(getconf _NPROCESSORS_ONLN)
	{
		pod small 'sleep 1' "$(asks 'cpu: 100m' '')"
		pod big 'sleep 1' "$(asks "cpu: $cpus" '')"
		pod fat 'sleep 1' "$(asks 'memory: 900Ti' '')"
		pod third 'sleep 1'
	} | run_pods --max-pods 2 --system-reserved cpu=50m || true
	[ "$(status small .phase)" = Succeeded ]
	[ "$(status big .phase)" = Failed ]
	[ "$(status big .reason)" = OutOfcpu ]
	[ "$(status big .message)" = "Pod was rejected: Node didn't have enough resource: cpu, requested: ${cpus}000, used: 100, capacity: $((cpus * 1000 - 50))" ]
	[ "$(status fat .reason)" = OutOfmemory ]
	[ "$(status third .phase)" = Succeeded ] # the refused take no room
	{
		pod a 'sleep 1'
		pod b 'sleep 1'
	} | run_pods --max-pods 1 || true
	[ "$(status b .message)" = "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 1, capacity: 1" ]
}

@test "what is reserved: all pods together are kept off it" {
	all=$(($(awk '/^MemTotal/ { print $2 }' /proc/meminfo) * 1024))
	pod p 'sleep 99' | start_node --kube-reserved memory=100Mi --system-reserved memory=28Mi,pid=100
	until_status p '.phase == "Running"'
	above=$(dirname "$(dirname "$(group p)")")
	# less what huge pages take, which another test may have asked for just then
	limit=$(figure "$above" memory memory.limit_in_bytes memory.max)
	[ "$limit" -le $((all - (128 << 20))) ]
	[ "$limit" -gt $((all - (256 << 20))) ]
	[ "$(figure "$above" pids pids.max pids.max)" = $(($(cat /proc/sys/kernel/pid_max) - 100)) ]
}

@test "reserves that cannot be read" {
	for o in --kube-reserved=cpu --system-reserved=disk=1 --kube-reserved=memory=-1 --eviction-hard=memory.free'<1' \
		--eviction-hard='memory.available<100%' '--eviction-hard=pid.available<1,pid.available<2'; do
		run orch-node --data "$T/n" --name n --pods /dev/null "$o"
		[ "$status" = 2 ] || [ "$status" = 1 ]
		[[ $output == *"cannot read --"* ]]
	done
}

@test "when memory is short, who uses more than asked for goes, and says why" {
	{
		pod hog 'dd if=/dev/zero of=/dev/shm/x bs=1M count=40; sleep 99' "$(asks 'memory: 1Mi' '')"
		pod calm 'sleep 99' "$(asks 'memory: 100Mi' '')"
		pod modest 'dd if=/dev/zero of=/dev/shm/x bs=1M count=20; sleep 99'
		pod dear 'dd if=/dev/zero of=/dev/shm/x bs=1M count=50; sleep 99' '' 'priority: 10'
	} | start_node --eviction-hard 'memory.available<99%,pid.available<1'
	for p in hog calm modest dear; do until_status $p '.phase == "Running"'; done
	until_status hog '.phase == "Failed" and .containerStatuses[0].state.terminated.exitCode == 137' 20
	[ "$(status hog .reason)" = Evicted ]
	[[ $(status hog .message) =~ ^The\ node\ was\ low\ on\ resource:\ memory\.\ Threshold\ quantity:\ [0-9]+(Ki|Mi|Gi)?,\ available:\ [0-9]+(Ki|Mi|Gi)?\.\ Container\ c\ was\ using\ 4[0-9]+Ki,\ request\ is\ 1Mi,\ has\ larger\ consumption\ of\ memory\.\ $ ]]
	[ "$(status hog '.conditions[] | select(.type == "DisruptionTarget") | .status + .reason')" = TrueTerminationByKubelet ]
	for p in calm modest dear; do [ "$(status $p .phase)" = Running ]; done # one at a time
	until_status modest '.reason == "Evicted"' 20
	[ "$(status calm .phase)$(status dear .phase)" = RunningRunning ]
}
