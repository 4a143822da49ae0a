#!/bin/bash
# operator.sh - an operator in shell: makes of each Site (site.yaml) what decide.jq says, for ever.
#
#	orch-apply <site.yaml && ./operator.sh
#
# ORCH_SERVER or KUBECONFIG say where.  It may be killed at any time and started again: it keeps nothing that
# the API server does not have.  RESYNC: seconds after which every Site is looked at again, whatever happened.
set -u -o pipefail
here=$(dirname "$0")
work=$(mktemp -d) || exit 3
keys_pid=
trap 'kill $keys_pid 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 0' TERM INT

# NAMESPACE/NAME of each Site to which something has happened: to itself, or to what it owns.  orch-watch begins with
# what is there, goes on after a lost connection where it was, and when that is forgotten tells the difference.
keys() {
  trap 'kill $(jobs -p) 2>/dev/null' EXIT
  trap 'exit 0' TERM
  orch-watch -A --resync="${RESYNC:-60}s" sites |
    jq -r --unbuffered '.object.metadata | "\(.namespace)/\(.name)"' &
  orch-watch -A --resync="${RESYNC:-60}s" -l example.com/site deployments configmaps |
    jq -r --unbuffered '.object.metadata | "\(.namespace)/\(.labels["example.com/site"])"' &
  wait -n # neither is any good without the other
}

# The Sites of these keys and their Deployments, as they are now.
observe() {
  jq -Rc 'split("/") | {namespace: .[0], name: .[1]} as $it | select(.[1])
    | {apiVersion: "example.com/v1", kind: "Site", metadata: $it}, {apiVersion: "apps/v1", kind: "Deployment", metadata: $it}' |
    orch-get --ignore-not-found -o jsonl -f -
}

# The keys of plans that were not carried out to the end.
undone() {
  jq -rn --slurpfile plan "$work/plan" --slurpfile results "$work/results" '
    def count: group_by(.for) | map({(.[0].for): length}) | add // {};
    ($results | map(select(.result | IN("done", "exists", "gone"))) | count) as $done
    | $plan | count | to_entries[] | select($done[.key] != .value) | .key | split("/")[-2:] | join("/")'
}

# One step for all these Sites at once: observe, decide, act.  Prints the keys that have to come again.
step() {
  sort -u >"$work/keys"
  if observe <"$work/keys" >"$work/objects" && jq -nc -f "$here/decide.jq" <"$work/objects" >"$work/plan"; then
    orch-act <"$work/plan" >"$work/results" || jq -c 'select(.message and .result != "conflict")' "$work/results" >&2
    undone
  else
    cat "$work/keys"
  fi
}

exec 3< <(keys)
keys_pid=$!
todo='' pause=1
while :; do
  # what could not be done is tried again after a while, or with the next that comes
  read -r -t "$([ -n "$todo" ] && echo "$pause" || echo 86400)" key <&3
  status=$?
  [ "$status" -eq 0 ] || [ "$status" -gt 128 ] || exit 3 # the watches have ended
  for ((n = 0; status == 0 && n < 1000; n++)); do        # all that is there by now is one batch
    todo+=$key$'\n'
    read -r -t 0.02 key <&3
    status=$?
  done
  todo=$(step <<<"$todo")
  pause=$((${#todo} == 0 ? 1 : pause < 32 ? pause * 2 : pause))
  [ -z "$todo" ] || todo+=$'\n'
done
