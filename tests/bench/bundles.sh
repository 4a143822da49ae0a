#!/bin/sh
# bundles.sh - the largest of the bundles in examples/crds (definitions of more than 2,000 fields, and objects of
# theirs) on an empty store: orch-apply beside kubectl, one after the other on the same machine.
set -eu
bin=$(cd "$B/bin" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../e2e/clients.bash"

command -v jq >/dev/null || { echo "Bundles: left out, needs jq"; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bundle=$here/../../examples/crds
BIN=$bin "$bundle/expand" monitors >"$dir/crds.yaml"
{ cat "$dir/crds.yaml"; echo ---; cat "$bundle/monitors/objects.yaml"; } >"$dir/all.yaml"
export KUBECONFIG="$dir/store/admin.kubeconfig" KUBECACHEDIR="$dir/cache" HOME="$dir"

with_orch() { "$bin/orch-apply" -f "$dir/all.yaml"; }
# kubectl has to be told when the kinds are there
with_kubectl() {
	"$CLIENTS/kubectl" apply --server-side -f "$dir/crds.yaml"
	"$CLIENTS/kubectl" wait --for=condition=Established --timeout=10s -f "$dir/crds.yaml"
	"$CLIENTS/kubectl" apply --server-side -f "$bundle/monitors/objects.yaml"
}
# The CPU of a process so far in ms, by its clock ticks.
cpu() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print int(($12 + $13) * 1000 / hz) }' "/proc/$1/stat"; }

# A line: ms until it was applied, ms of CPU of the client and of the store.
once() {
	rm -rf "$dir/store" "$dir/cache" "$dir/log"
	"$bin/orch-store" -d "$dir/store" -l 127.0.0.1:0 2>"$dir/log" >"$dir/log" &
	store=$!
	until grep -qs ready: "$dir/log"; do kill -0 $store; sleep 0.05; done
	was=$(cpu $store)
	start=$(date +%s%N)
	(
		"$@" >"$dir/out" 2>&1 || cat "$dir/out" >&2
		times >"$dir/times"
	)
	end=$(date +%s%N)
	# the second line is what the children used: 0m0.12s 0m0.03s
	client=$(awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, p, /[ms]/); t += p[1] * 60 + p[2] } print int(t * 1000) }' "$dir/times")
	echo "$(((end - start) / 1000000)) $client $(($(cpu $store) - was))"
	kill $store
	wait $store || :
}

# median NAME COMMAND
median() {
	for _ in 1 2 3 4 5; do once "$2"; done | sort -n | awk -v name="$1" 'NR == 3 {
		printf "  %-48s %6d ms   client %d ms CPU, store %d ms CPU\n", name, $1, $2, $3 }'
}

echo "Bundles (4 definitions with $("$bin/orch-parse" <"$dir/crds.yaml" |
	jq -s '[.[].spec.versions[].schema.openAPIV3Schema | .. | objects | .properties? | objects | length] | add') fields, 5 objects; median of 5)"
median "orch-apply" with_orch
if [ -x "$CLIENTS/kubectl" ]; then
	median "kubectl apply --server-side, wait, apply" with_kubectl
fi
