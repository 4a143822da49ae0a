#!/bin/sh
# simnode.sh - pretend nodes and their pods on a store of their own: memory (PSS) and CPU of orch-simnode.
# SIM_NODES and SIM_PODS say how many; the aim is 300 MB for 5,000 nodes and 50,000 pods.
set -eu
bin=$(cd "${B:-build}/bin" && pwd)
nodes=${SIM_NODES:-5000} pods=${SIM_PODS:-5000}
dir=$(mktemp -d)
export KUBECONFIG="$dir/store/admin.kubeconfig" HOME="$dir"
store='' sim=''
trap 'kill $sim $store 2>/dev/null || :; wait; rm -rf "$dir"' EXIT
trap 'exit 3' INT TERM

start() {
	rm -f "$dir/log"
	"$bin/orch-simnode" --nodes "$nodes" --qps 5000 --start-delay 0 --metrics 127.0.0.1:0 2>"$dir/log" &
	sim=$!
	until grep -qs 'metrics on port' "$dir/log"; do kill -0 $sim; sleep 0.05; done
	port=$(sed -n 's/.*metrics on port //p' "$dir/log")
}
figure() { "$bin/orch-api" -s "http://127.0.0.1:$port" /metrics | awk -v name="$1" '$1 == name { print $2; found = 1 } END { if (!found) print 0 }'; }
until_figure() { while [ "$(figure "$1")" -lt "$2" ]; do kill -0 $sim; sleep 0.2; done; }
now() { date +%s%N; }
seconds() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f s", (b - a) / 1e9 }'; }
pss() { awk '/^Pss:/ { print $2 }' "/proc/$sim/smaps_rollup"; }
cpu() { figure process_cpu_seconds_total; }
line() { printf '  %-48s %s\n' "$@"; }
mb() { awk -v kb="$1" 'BEGIN { printf "%.1f MB", kb / 1000 }'; }

echo "Pretend nodes ($nodes nodes, $pods pods; orch-store beside them)"
"$bin/orch-store" -d "$dir/store" -l 127.0.0.1:0 >"$dir/store.log" 2>&1 &
store=$!
until grep -qs ready: "$dir/store.log"; do kill -0 $store; sleep 0.05; done
begun=$(now)
start
until_figure 'orch_simnode_requests_total{request="node-status"}' "$nodes"
line "all nodes ready" "$(seconds "$begun")"
empty=$(pss)
line "memory without pods" "$(mb "$empty")   aim 300 MB for 5,000 nodes and 50,000 pods"
was=$(cpu)
sleep 20
line "CPU of the heartbeats" "$(awk -v a="$was" -v b="$(cpu)" -v n="$nodes" 'BEGIN {
	printf "%.1f %% of a core, %.0f us each", (b - a) * 5, (b - a) * 1e6 / (n * 2) }')"
was=$(cpu)
begun=$(now)
for part in 0 1 2 3; do
	awk -v n="$pods" -v nodes="$nodes" -v part=$part 'BEGIN {
		for (i = part; i < n; i += 4)
			printf "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web-%d-%d\",\"namespace\":\"default\",\"labels\":{\"app\":\"web\"}}," \
			    "\"spec\":{\"nodeName\":\"sim-%d\",\"containers\":[{\"name\":\"web\",\"image\":\"registry.example.com/team/web:1.2.3\"}]}}\n", i % 97, i, i % nodes
	}' | "$bin/orch-create" -f - >/dev/null &
	parts="${parts-} $!"
done
wait $parts
until_figure 'orch_simnode_pods{state="running"}' "$pods"
line "pods made and running" "$(seconds "$begun")   $(awk -v a="$was" -v b="$(cpu)" -v n="$pods" 'BEGIN { printf "%.0f us CPU each, heartbeats included", (b - a) * 1e6 / n }')"
full=$(pss)
line "memory with them" "$(mb "$full")   $(awk -v a="$empty" -v b="$full" -v n="$pods" 'BEGIN { printf "%.0f bytes a pod", (b - a) * 1000 / n }')"
line "highest lateness of a heartbeat; errors" "$(figure orch_simnode_heartbeat_lateness_max_seconds) s; $(figure orch_simnode_errors_total)"
kill $sim
wait $sim
begun=$(now)
start
until_figure 'orch_simnode_pods{state="running"}' "$pods"
line "started again: all pods found" "$(seconds "$begun")"
line "highest resident memory on the way" "$(mb "$(awk '/^VmHWM:/ { print $2 }' "/proc/$sim/status")")"
