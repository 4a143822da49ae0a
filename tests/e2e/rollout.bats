# With the loops running: a rolling update, its wait, and the way back.
load cluster

setup_file() {
  need_root || return 0
  cluster_up
  cluster_images
}
teardown_file() { cluster_end; }

images() { orch-get pods -l app=web -o jsonl | jq -r 'select(.metadata.deletionTimestamp == null) | .spec.containers[0].image' | sort | uniq -c | sed 's/^ *//'; }

@test "rollout: four replicas come up" {
  web 4 1 | orch-apply
  orch-wait --for=rollout --timeout=60s deployment/web
  [ "$(images)" = "4 web:1" ]
}

@test "rollout: a new image replaces them, never fewer than three ready" {
  orch-watch pods -l app=web >"$BATS_TEST_TMPDIR/events" & watch=$!
  web 4 2 | orch-apply --exit-code || [ $? -eq 1 ]
  orch-wait --for=rollout --timeout=60s deployment/web
  kill $watch
  [ "$(images)" = "4 web:2" ]
  least=$(jq -n '
    reduce inputs as $e ({pods: {}, full: false, least: 9};
      .pods[$e.object.metadata.name] = ($e.type != "DELETED" and $e.object.metadata.deletionTimestamp == null and
        any($e.object.status.conditions[]?; .type == "Ready" and .status == "True"))
      | ([.pods[] | select(.)] | length) as $n
      | if $n >= 4 then .full = true else . end
      | if .full and $n < .least then .least = $n else . end) | .least' "$BATS_TEST_TMPDIR/events")
  [ "$least" -ge 3 ]
  ip=$(orch-get pods -l app=web -o jsonl | jq -r .status.podIP | head -n 1)
  [ "$(fetch "$ip")" = two ]
}

@test "rollout: the old ReplicaSet is kept as history" {
  [ "$(orch-get replicasets -l app=web -o jsonl | jq -r '.spec.replicas' | sort | xargs)" = "0 4" ]
  [ "$(orch-get deployment/web -o jsonl | jq -r '.metadata.annotations["deployment.kubernetes.io/revision"]')" = 2 ]
}

@test "rollout: applying the old revision rolls back onto its ReplicaSet" {
  web 4 1 | orch-apply
  orch-wait --for=rollout --timeout=60s deployment/web
  [ "$(images)" = "4 web:1" ]
  [ "$(orch-get replicasets -l app=web -o jsonl | wc -l)" -eq 2 ]
  [ "$(orch-get deployment/web -o jsonl | jq -r '.metadata.annotations["deployment.kubernetes.io/revision"]')" = 3 ]
}

@test "rollout: logs, exit codes and a table for people" {
  pod=$(orch-get pods -l app=web -o name | head -n 1)
  orch-logs "$pod"
  orch-get pods -o table | head -n 1 | grep -q '^NAME  *READY  *STATUS  *RESTARTS  *AGE'
  run -1 orch-get pod/none
  [[ $output == *'pods "none" not found'* ]]
}

@test "rollout: deleting the deployment takes ReplicaSets and Pods with it" {
  orch-delete deployment/web
  orch-wait --for=delete --timeout=30s pods -l app=web
  [ -z "$(orch-get replicasets -l app=web -o name)" ]
}

@test "rollout: every process of the cluster may be killed; it converges" {
  web 2 1 | orch-apply
  orch-wait --for=rollout --timeout=60s deployment/web
  uids=$(orch-get pods -l app=web -o jsonl | jq -r .status.containerStatuses[].containerID | sort)
  for pid in $(jq -r '.processes[].process.pid' "$DATA/run/cluster.json"); do kill -9 "$pid"; done
  for _ in $(seq 100); do orch-api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
  web 3 1 | orch-apply
  orch-wait --for=rollout --timeout=60s deployment/web
  # the containers that ran before still are the same ones
  now=$(orch-get pods -l app=web -o jsonl | jq -r .status.containerStatuses[].containerID | sort)
  [ -z "$(comm -23 <(echo "$uids") <(echo "$now"))" ]
}

@test "rollout: after orch-down nothing is left, and the next orch-up goes on" {
  marks=$(cluster_marks)
  orch-down --data "$DATA"
  nothing_left "$marks"
  cluster_up
  # what the store remembers of the time before is not yet what is
  for _ in $(seq 100); do
    ip=$(orch-get pods -l app=web -o jsonl | jq -r .status.podIP | head -n 1)
    page=$(fetch "$ip" 2>/dev/null) && break
    sleep 0.2
  done
  [ "$page" = one ]
  marks=$(cluster_marks)
  orch-down --data "$DATA" --purge
  nothing_left "$marks"
  [ ! -e "$DATA" ]
}
