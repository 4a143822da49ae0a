#!/bin/sh
# schedule.sh - decisions of orch-schedule as a filter: 5,000 nodes, 10,000 pending pods of 20 kinds.
# The time of reading the input alone (the nodes and pods, none of them pending) is taken off.
B=${B:-build}
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 3' INT TERM

input() { # SPEC-FRAGMENT SCHEDULER KINDS [METADATA-FRAGMENT]
	awk -v more="$1" -v name="$2" -v kinds="$3" -v meta="${4-}" 'BEGIN {
		for (i = 0; i < 5000; i++)
			printf "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"node-%05d\",\"labels\":{\"zone\":\"z%d\",\"kubernetes.io/hostname\":\"node-%05d\"}}," \
			    "\"status\":{\"allocatable\":{\"cpu\":\"8\",\"memory\":\"32Gi\",\"pods\":\"110\"}}}\n", i, i % 3, i
		for (i = 0; i < 10000; i++) {
			spec = more
			own = meta
			gsub(/APP/, "a" i % 20, spec)
			gsub(/APP/, "a" i % 20, own)
			printf "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"pod-%05d\",\"namespace\":\"default\",\"uid\":\"uid-%d\",\"labels\":{\"app\":\"a%d\"}%s}," \
			    "\"spec\":{\"schedulerName\":\"%s\",%s\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":{\"requests\":{\"cpu\":\"%dm\",\"memory\":\"%d\"}}}]}}\n", \
			    i, i, i % 20, own, name, spec, (i % 20 + 1) * 50, 268435456 + i % kinds
		}
	}' >"$tmp/in"
}

cpu() { # user time of one run in milliseconds, of three the least
	for _ in 1 2 3; do
		sh -c '"$1/bin/orch-schedule" <"$2" >/dev/null; times' sh "$B" "$tmp/in" | tail -n 1
	done | sed 's/[ms]/ /g' | awk '{ ms = ($1 * 60 + $2) * 1000; if (NR == 1 || ms < least) least = ms } END { printf "%d", least }'
}

bench() { # TITLE SPEC-FRAGMENT KINDS [METADATA-FRAGMENT]
	input "$2" nobody "$3" "${4-}"
	read=$(cpu)
	input "$2" default-scheduler "$3" "${4-}"
	all=$(cpu)
	awk -v title="$1" -v ms="$((all - read))" 'BEGIN {
		printf "  %-44s %8.3f ms CPU each %10.0f /s      aim 5000\n", title, ms / 10000, 10000 / (ms > 0 ? ms : 1) * 1000 }'
}

echo "orch-schedule, 5,000 nodes, 10,000 pending pods"
bench "20 kinds of pods" "" 20
bench "every pod another" "" 10000
bench "of 20 ReplicaSets (spread by default)" "" 20 \
	',"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"APP","uid":"APP","controller":true}]'
app='"labelSelector":{"matchLabels":{"app":"APP"}}'
bench "20 kinds, anti-affinity by host" \
	"\"affinity\":{\"podAntiAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"topologyKey\":\"kubernetes.io/hostname\",$app}]}}," 20
bench "20 kinds, spread over zones" \
	"\"topologySpreadConstraints\":[{\"maxSkew\":1,\"topologyKey\":\"zone\",\"whenUnsatisfiable\":\"DoNotSchedule\",$app}]," 20
