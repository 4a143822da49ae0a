#!/bin/sh
# churn.sh - pods started and deleted all at once, round after round: how long each takes, and what the agent is afterwards.
# PODS (30) and ROUNDS (3) say how many; PODS=200 ROUNDS=5 is the figure that reliability goes by.  Needs root.
set -eu
here=$(dirname "$0")

for p in conmon busybox ip iptables python3; do
	command -v $p >/dev/null || { echo "Many pods: left out, needs $p"; exit 0; }
done
[ "$(id -u)" -eq 0 ] || { echo "Many pods: left out, needs root"; exit 0; }

data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
"$here/../../scripts/busybox-image" "$data/image.tar" web:1
echo "Many pods at once, again and again"
python3 "$here/../e2e/node_churn.py" "$B/bin" "$data" --pods "${PODS:-30}" --rounds "${ROUNDS:-3}" --name "b$$"
