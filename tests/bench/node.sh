#!/bin/sh
# node.sh - what a node costs and how fast it is, on a cluster of its own (store, loops, one node) in a network and a
# folder of their own; nothing is left behind.  Needs root and the runtime's packages.
# A bare run of such a container by the runtime, taken in between, says how busy the machine is: compare by it.
# NODE_MANY=200 adds figures of so many pods, NODE_CROWD=5000 of a cluster with so many Services and twice the pods.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
B=$(cd "${B:-build}" && pwd)

for p in conmon crun busybox ip unshare; do
	command -v $p >/dev/null || { echo "Node: left out, needs $p"; exit 0; }
done
[ "$(id -u)" -eq 0 ] || { echo "Node: left out, needs root"; exit 0; }
if [ -z "${NODE_ALONE-}" ]; then
	export B NODE_ALONE=1
	exec unshare --net sh "$here/node.sh"
fi

dir=$(mktemp -d)
PATH=$B/bin:$B/bench:$PATH
KUBECONFIG=$dir/admin.kubeconfig
export PATH KUBECONFIG
agent=''
tidy() {
	[ -z "$agent" ] || { kill "$agent" && wait "$agent" || :; }
	[ ! -d "$dir/n" ] || orch-node --clean --data "$dir/n"
	orch-down --data "$dir" --purge >/dev/null || :
	rm -rf "$dir"
}
trap tidy EXIT
trap 'exit 3' INT TERM

# --- figures ---------------------------------------------------------------------------------------------------------
line() { printf '  %-52s %14s   %s\n' "$1" "$2" "${3-}"; }
percentile() { sort -n | awk -v p="$1" '{ v[NR] = $1 } END { i = int(NR * p + 0.999999); print v[i < 1 ? 1 : i] }'; }
now() { date +%s%N; }
status() { awk -v f="$2:" '$1 == f { print $2 }' "/proc/$1/status"; }
pss() { awk '/^Pss:/ { s += $2 } END { print s + 0 }' "/proc/$1/smaps_rollup"; }
mb() { awk -v kb="$1" 'BEGIN { printf "%.2f MB", kb / 1024 }'; }
server() { cat "/proc/$agent/task/$agent/children" | tr ' ' '\n' | head -n 1; }
monitors() { grep -al "$dir/n/run/attach" /proc/[0-9]*/cmdline 2>/dev/null | sed -n 's,/proc/\([0-9]*\)/.*,\1,p' |
	while read -r p; do case $(cat "/proc/$p/comm" 2>/dev/null) in conmon) echo "$p" ;; esac; done; }
containers() { for f in "$dir"/n/pods/*/containers/*/pid; do echo "$(cat "$f")"; done | sort -n | tr '\n' ' '; }
# What the agent, all that it has waited for, its server and the monitors have used of the CPU, in ms.
used() {
	for p in "$agent" $(server) $(monitors); do cat "/proc/$p/stat" 2>/dev/null || :; done |
		awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); t += $12 + $13 + $14 + $15 } END { print t * 1000 / hz }'
}
# used_in SECONDS: percent of a core
used_in() {
	was=$(used)
	sleep "$1"
	awk -v a="$was" -v b="$(used)" -v s="$1" 'BEGIN { printf "%.2f %%", (b - a) / s / 10 }'
}

# --- what is measured ------------------------------------------------------------------------------------------------
start() {
	orch-node --name bench --data "$dir/n" --address 10.250.0.1 --pod-cidr 10.244.0.0/22 --max-pods 1000 2>>"$dir/node.log" &
	agent=$!
}

# pod [MEMBERS of the container] [MEMBERS of the spec]
pod() {
	printf '{"apiVersion":"v1","kind":"Pod","metadata":{},"spec":{"nodeName":"bench","terminationGracePeriodSeconds":1,%s
	"containers":[{"name":"c","image":"bench:1"%s}]}}' "${2-}" "${1-\"command\":[\"sleep\",\"9999\"]}"
}
sleeper=',"command":["sleep","9999"]'
web=',"command":["httpd","-f","-p","80","-h","/www"]'

bare_bundle() {
	mkdir -p "$dir/bare/rootfs/bin" "$dir/bare/rootfs/proc" "$dir/bare/rootfs/dev"
	cp "$(command -v busybox)" "$dir/bare/rootfs/bin/true"
	cat >"$dir/bare/config.json" <<-END
	{"ociVersion":"1.0.2","process":{"user":{"uid":0,"gid":0},"args":["/bin/true"],"env":[],"cwd":"/"},"root":{"path":"rootfs"},
	"mounts":[{"destination":"/proc","type":"proc","source":"proc"}],"linux":{"cgroupsPath":"/orch-bench-$$",
	"namespaces":[{"type":"pid"},{"type":"mount"},{"type":"network"},{"type":"ipc"},{"type":"uts"}],
	"resources":{"devices":[{"allow":false,"access":"rwm"}]}}}
	END
}
# crun run by itself, one after the other, 50 times: ms each.  It does not take to a v2 tree beside v1 ones.
bare() {
	unshare --mount sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null
		begun=$(date +%s%N) i=0
		while [ $i -lt 50 ]; do
			crun --cgroup-manager=cgroupfs --root "$1/run" run --bundle "$1" "bare-$$-$i" || exit 1
			i=$((i + 1))
		done
		echo $((($(date +%s%N) - begun) / 50000))' - "$dir/bare"
}
bare_line() {
	bare >"$dir/bare.us"
	line "the runtime alone: a bare run, mean of 50" "$(awk '{ printf "%.1f ms", $1 / 1000 }' "$dir/bare.us")"
}

one_by_one() {
	was=$(cat "$dir/bare.us")
	pod "$sleeper" | pods one s 100 >"$dir/ms"
	bare_line
	line "create to Running, p50, in bare runs" "$(percentile 0.5 <"$dir/ms" |
		awk -v a="$was" -v b="$(cat "$dir/bare.us")" '{ printf "%.1f", $1 * 2000 / (a + b) }')"
	line "create to Running, p50 of 100" "$(percentile 0.5 <"$dir/ms") ms" "aim 150 ms"
	line "create to Running, p99" "$(percentile 0.99 <"$dir/ms") ms" "aim 400 ms"
	pods delete s 100 >/dev/null
}

bursts() {
	for i in 1 2 3; do
		pod "$sleeper" | pods all "b$i" 50 >>"$dir/made"
		pods delete "b$i" 50 >>"$dir/deleted"
	done
	line "50 at once, all Running, median of 3" "$(percentile 0.5 <"$dir/made") ms" "aim 6000 ms"
	line "50 deleted that ignore TERM, grace 1 s, median of 3" "$(percentile 0.5 <"$dir/deleted") ms" "aim 3000 ms"
}

thirty() {
	probe='{"httpGet":{"path":"/","port":80},"periodSeconds":10}'
	pod "$web,\"readinessProbe\":$probe,\"livenessProbe\":$probe" '"restartPolicy":"Never",' | pods all w 30 >/dev/null
	pods ready w 30 >/dev/null
	sleep 2
	line "agent with 30 pods, resident" "$(mb "$(status "$agent" VmRSS)")" "aim 12 MB"
	line "agent with 30 pods, PSS; anonymous" "$(mb "$(pss "$agent")")" "$(mb "$(status "$agent" RssAnon)")"
	line "its server of logs and terminals, PSS" "$(mb "$(pss "$(server)")")"
	line "monitor, PSS a pod" "$(mb "$(for p in $(monitors); do pss "$p"; done | percentile 0.5)")" "aim 1 MB"
	line "30 pods with two HTTP probes every 10 s" "$(used_in 30)" "aim 1 % of a core"
}

# A container that ends while nobody looks, and the time until its status says so.
restart() {
	was=$(containers)
	ready=$(orch-get nodes bench | jq -c '.status.conditions[] | select(.type == "Ready") | [.status, .lastTransitionTime]')
	kill -9 "$agent"
	wait "$agent" 2>/dev/null || :
	kill -9 "${was%% *}"
	sleep 0.5
	start
	line "agent started again: statuses right after" "$(pods failed w 1) ms" "aim 1000 ms"
	sleep 1
	still=0
	for p in ${was#* }; do [ ! -d "/proc/$p" ] || still=$((still + 1)); done
	line "containers that run on" "$still of 29" "aim 29"
	[ "$ready" = "$(orch-get nodes bench | jq -c '.status.conditions[] | select(.type == "Ready") | [.status, .lastTransitionTime]')" ] &&
		same=yes || same=no
	line "node Ready all along" "$same" "aim yes"
	pods delete w 30 >/dev/null
}

many() {
	few=$(status "$agent" VmRSS)
	pod "$sleeper" | pods all m "$1" >"$dir/ms"
	line "$1 pods at once, all Running" "$(cat "$dir/ms") ms"
	sleep 3
	line "agent with them, resident" "$(mb "$(status "$agent" VmRSS)")" "$((($(status "$agent" VmRSS) - few) * 1024 / $1)) bytes a pod"
	line "$1 pods, idle" "$(used_in 20)"
	pods delete m "$1" >"$dir/ms"
	line "$1 deleted that ignore TERM, grace 1 s" "$(cat "$dir/ms") ms"
}

crowd() {
	was=$(status "$agent" VmRSS)
	awk -v n="$1" 'BEGIN { print "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"crowd\"}}"; for (i = 0; i < n; i++) {
		printf "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s%d\",\"namespace\":\"crowd\",\"labels\":{\"app\":\"web\"}},", i
		printf "\"spec\":{\"selector\":{\"app\":\"web\"},\"ports\":[{\"name\":\"http\",\"port\":80,\"targetPort\":8080}]}}\n"
		for (k = 0; k < 2; k++)
			printf "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"x%d-%d\",\"namespace\":\"crowd\",\"labels\":{\"app\":\"x\"}}," \
			    "\"spec\":{\"nodeName\":\"elsewhere-%d\",\"containers\":[{\"name\":\"web\",\"image\":\"registry.example.com/team/web:1.2.3\"}]}}\n", i, k, i % 100
	} }' >"$dir/crowd"
	orch-create -f - <"$dir/crowd" >/dev/null
	sleep 5
	line "agent beside $1 Services, $((2 * $1)) pods elsewhere" "$(mb "$(status "$agent" VmRSS)")" "was $(mb "$was")"
	pod "$sleeper" | pods one c 20 >"$dir/ms"
	line "create to Running there, p50 of 20" "$(percentile 0.5 <"$dir/ms") ms"
}

# --- the run ---------------------------------------------------------------------------------------------------------
ip link set lo up
ip link add e0 type veth peer name e1
ip addr add 10.250.0.1/24 dev e0
ip link set e0 up
ip link set e1 up
orch-up --data "$dir" --listen 127.0.0.1:0 --no-node >/dev/null 2>&1
"$here/../../scripts/busybox-image" "$dir/image.tar" bench:1 /www/index.html=hello
orch-image --data "$dir/n" import "$dir/image.tar" >/dev/null
bare_bundle
start
orch-wait --for=condition=Ready --timeout=30s node/bench >/dev/null

echo "Node (one cluster, image present, one container a pod)"
bare_line
one_by_one
bursts
bare_line
thirty
restart
bare_line
[ -z "${NODE_MANY-}" ] || many "$NODE_MANY"
[ -z "${NODE_CROWD-}" ] || crowd "$NODE_CROWD"
