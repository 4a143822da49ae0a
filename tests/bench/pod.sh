#!/bin/sh
# pod.sh - how long a bound pod takes to run, image present: from before the request that creates it with its
# nodeName to the return of orch-wait (two program starts included).  Needs root and the runtime's packages.
set -eu
bin=$B/bin
here=$(dirname "$0")

for p in conmon busybox ip; do
	command -v $p >/dev/null || { echo "Pods: left out, needs $p"; exit 0; }
done
[ "$(id -u)" -eq 0 ] || { echo "Pods: left out, needs root"; exit 0; }

data=$(mktemp -d)
trap '"$bin/orch-down" --data "$data" --purge' EXIT
KUBECONFIG=$data/admin.kubeconfig
export KUBECONFIG
"$bin/orch-up" --data "$data" --listen 127.0.0.1:0 >/dev/null 2>&1
"$here/../../scripts/busybox-image" "$data/image.tar" bench:1
"$bin/orch-image" --data "$data/node-1" import "$data/image.tar" >/dev/null

pod() {
	printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s"},"spec":{"nodeName":"node-1","terminationGracePeriodSeconds":0,
	"containers":[{"name":"c","image":"bench:1","command":["sleep","1000"]}]}}' "$1"
}

echo "Pods (image present, one container, one after the other)"
for i in 1 2 3 4 5 6 7 8 9 10 11; do
	start=$(date +%s%N)
	pod "p$i" | "$bin/orch-api" -X POST -d @- /api/v1/namespaces/default/pods >/dev/null
	"$bin/orch-wait" --for=jsonpath='{.status.phase}'=Running --timeout=20s "pod/p$i"
	echo $((($(date +%s%N) - start) / 1000000))
done | sort -n | awk '{ ms[NR] = $1 } END {
	printf "  %-48s %6d ms              aim 500\n", "from bind to Running, median of " NR, ms[int((NR + 1) / 2)]
	printf "  %-48s %6d ms\n", "slowest", ms[NR] }'
