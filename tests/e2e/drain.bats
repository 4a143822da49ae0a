# A node is drained under a budget that the cluster's own loop keeps.
load cluster

setup_file() {
  need_root || return 0
  cluster_up --nodes 2
  cluster_images
}
teardown_file() { cluster_end; }

# budget SPEC: of the pods app=web
budget() {
  orch-apply <<END
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}, $1}
END
}
status() { orch-get poddisruptionbudget/web -o jsonl | jq -c ".status | $1"; }
# says SPEC-OF-STATUS VALUE: in the end
says() {
  for _ in $(seq 100); do [ "$(status "$1")" = "$2" ] && return; sleep 0.1; done
  status .
  return 1
}

@test "drain: the budget's numbers follow its pods" {
  web 4 1 | orch-apply
  budget "maxUnavailable: 25%"
  orch-wait --for=rollout --timeout=60s deployment/web
  says '[.disruptionsAllowed, .currentHealthy, .desiredHealthy, .expectedPods]' '[1,4,3,4]'
  orch-scale --replicas=2 deployment/web
  says '[.disruptionsAllowed, .currentHealthy, .desiredHealthy, .expectedPods]' '[1,2,1,2]'
  orch-delete deployment/web
  says '[.disruptionsAllowed, .currentHealthy, (.conditions[] | .status, .reason)]' '[0,0,"False","InsufficientPods"]'
}

@test "drain: pods go one after the other, as their replacements become ready" {
  web 4 1 | orch-apply
  budget "minAvailable: 3"
  orch-wait --for=rollout --timeout=60s deployment/web
  orch-watch pods -l app=web >"$BATS_TEST_TMPDIR/events" & watch=$!
  orch-drain --timeout=60s node-2
  orch-wait --for=rollout --timeout=60s deployment/web
  kill $watch
  [ "$(orch-get pods -l app=web --field-selector spec.nodeName=node-1 -o jsonl | jq -r 'select(.metadata.deletionTimestamp == null) | .metadata.name' | wc -l)" -eq 4 ]
  least=$(jq -n '
    reduce inputs as $e ({pods: {}, full: false, least: 9};
      .pods[$e.object.metadata.name] = ($e.type != "DELETED" and $e.object.metadata.deletionTimestamp == null and
        any($e.object.status.conditions[]?; .type == "Ready" and .status == "True"))
      | ([.pods[] | select(.)] | length) as $n
      | if $n >= 4 then .full = true else . end
      | if .full and $n < .least then .least = $n else . end) | .least' "$BATS_TEST_TMPDIR/events")
  [ "$least" -eq 3 ]
  orch-cordon --undo node-2
}

@test "drain: a budget that lets none go holds the node's pods; the message names it" {
  web 2 1 | orch-apply
  budget "maxUnavailable: 0"
  orch-wait --for=rollout --timeout=60s deployment/web
  says .expectedPods 2
  node=$(orch-get pods -l app=web -o jsonl | jq -r .spec.nodeName | head -n 1)
  run -1 orch-drain --timeout=2s "$node"
  [[ $output == *"budget default/web"* ]]
  [ "$(orch-get pods -l app=web -o jsonl | jq -r 'select(.metadata.deletionTimestamp == null) | .metadata.name' | wc -l)" -eq 2 ]
}
