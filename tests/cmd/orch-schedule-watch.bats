# orch-schedule -w, and the scheduler by hand, against a server.

load ../helper

# Nobody says of these nodes that they are ready.
setup_file() { start_store --disable-admission-plugins TaintNodesByCondition; }
teardown_file() { stop_all; }

setup() {
	cd "$BATS_TEST_TMPDIR"
	orch-get -A pods -o jsonl | orch-delete -f - --grace-period=0 >/dev/null 2>&1 || true
	orch-get nodes -o jsonl | orch-delete -f - >/dev/null 2>&1 || true
	wait_for 10 empty
}
teardown() {
	[ -z "${scheduler-}" ] || { kill -KILL "$scheduler" && wait "$scheduler"; } 2>/dev/null || true
}

empty() { [ -z "$(orch-get -A pods nodes -o name 2>/dev/null)" ]; }
node() { # name cpu
	printf '{"apiVersion":"v1","kind":"Node","metadata":{"name":"%s"},"status":{"allocatable":{"cpu":"%s","memory":"8Gi","pods":"110"}}}\n' "$1" "$2"
}
pod() { # name cpu [priority]
	printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s","namespace":"default"},"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"%s"}}}]}}\n' "$1" "$2"
}
make_node() { node "$@" | orch-api -X POST /api/v1/nodes -d @- >/dev/null; }
make_pod() { pod "$@" | orch-api -X POST /api/v1/namespaces/default/pods -d @- >/dev/null; }

start_scheduler() {
	orch-schedule -w "$@" >log 2>&1 3>&- &
	scheduler=$!
	wait_for 10 grep -q ready log
}
node_of() { orch-get "pod/$1" -o json | jq -r '.spec.nodeName // ""'; }
on() { [ "$(node_of "$1")" = "$2" ]; }
condition() { orch-get "pod/$1" -o json | jq -r '.status.conditions[]? | select(.type == "PodScheduled") | .status + " " + (.reason // "") + " " + (.message // "")'; }
says() { [[ "$(condition "$1")" == $2 ]]; }
# Is what the pods on a node ask for no more than it has?
fits() { # millicores
	orch-get pods -o jsonl | jq -s --argjson have "$1" 'group_by(.spec.nodeName) |
		all(map(.spec.containers[0].resources.requests.cpu | sub("m$"; "") | tonumber) | add <= $have)' | grep -qx true
}

@test "by hand: get, schedule, act" {
	make_node n1 2
	make_pod a 1
	make_pod b 1500m
	orch-get nodes pods -A -o jsonl | orch-schedule --explain 2>why | tee plan.jsonl | orch-act >results
	[ "$(node_of a)" = n1 ]
	says b 'False Unschedulable 0/1 nodes are available: 1 Insufficient cpu.'
	grep -q '^default/a: n1' why
	# the second time there is nothing left to say
	[ -z "$(orch-get nodes pods -A -o jsonl | orch-schedule)" ]
	# and the old plan is refused: the pod has its node
	run orch-act <plan.jsonl
	[ "$status" -eq 3 ]
	on a n1
}

@test "places pods as they come, and those that found no room when room appears" {
	start_scheduler
	make_pod a 1
	wait_for 10 says a 'False Unschedulable no nodes available*'
	make_node n1 1
	wait_for 10 on a n1
	make_pod b 1
	wait_for 10 says b 'False Unschedulable 0/1 nodes are available: 1 Insufficient cpu.'
	orch-delete pod/a --grace-period=0 >/dev/null
	wait_for 15 on b n1
	says b 'True*'
	orch-get events -o jsonl | jq -r 'select(.involvedObject.name == "b") | .reason + ": " + .message' >events
	grep -qx 'FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.' events
	grep -qx 'Scheduled: Successfully assigned default/b to n1' events
	kill -TERM "$scheduler"
	wait "$scheduler"
}

@test "an uncordoned node is used at once" {
	node n1 1 | jq -c '.spec.unschedulable = true' | orch-api -X POST /api/v1/nodes -d @- >/dev/null
	start_scheduler
	make_pod a 500m
	wait_for 10 says a '*1 node(s) were unschedulable.'
	orch-api -X PATCH /api/v1/nodes/n1 -H 'Content-Type: application/merge-patch+json' -d '{"spec":{"unschedulable":null}}' >/dev/null
	wait_for 10 on a n1
}

@test "pods of other schedulers and gated pods are left alone" {
	make_node n1 4
	start_scheduler
	pod other 1 | jq -c '.spec.schedulerName = "other"' | orch-api -X POST /api/v1/namespaces/default/pods -d @- >/dev/null
	pod gated 1 | jq -c '.spec.schedulingGates = [{name: "example.com/g"}]' | orch-api -X POST /api/v1/namespaces/default/pods -d @- >/dev/null
	make_pod mine 1
	wait_for 10 on mine n1
	[ -z "$(node_of other)$(node_of gated)" ]
	orch-api -X PATCH /api/v1/namespaces/default/pods/gated -H 'Content-Type: application/merge-patch+json' -d '{"spec":{"schedulingGates":null}}' >/dev/null
	wait_for 10 on gated n1
}

@test "kill -9 loses nothing and never overcommits" {
	for i in 1 2 3 4 5; do make_node n$i 4; done
	for i in $(seq 40); do pod p$i 500m; done | orch-apply -f - >/dev/null
	for round in 1 2 3; do
		orch-schedule -w >log 2>&1 3>&- &
		scheduler=$!
		sleep 0.0$((round * 2))
		kill -KILL "$scheduler"
		wait "$scheduler" 2>/dev/null || true
	done
	start_scheduler
	wait_for 20 bash -c '[ "$(orch-get pods -o jsonl | jq -s "map(select(.spec.nodeName)) | length")" = 40 ]'
	fits 4000
}

@test "two schedulers do not fight over a pod" {
	for i in 1 2 3; do make_node n$i 8; done
	start_scheduler
	orch-schedule -w >log2 2>&1 3>&- &
	second=$!
	for i in $(seq 30); do pod p$i 100m; done | orch-apply -f - >/dev/null
	wait_for 20 bash -c '[ "$(orch-get pods -o jsonl | jq -s "map(select(.spec.nodeName)) | length")" = 30 ]'
	kill -TERM "$second"
	wait "$second"
	kill -0 "$scheduler"
	[ "$(cat log log2 | grep -c 'bound to')" -eq 30 ]
}

@test "a restarted server is no end" {
	make_node n1 4
	start_scheduler --server "unix:$STORE/socket"
	stop_store KILL
	start_store --disable-admission-plugins TaintNodesByCondition
	make_pod a 1
	wait_for 20 on a n1
}

@test "a server that dies amid the work is waited for" {
	for i in 1 2 3; do make_node n$i 8; done
	start_scheduler --server "unix:$STORE/socket"
	for i in $(seq 60); do pod p$i 100m; done | orch-apply -f - >/dev/null &
	apply=$!
	sleep 0.05
	stop_store KILL
	wait $apply || true
	start_store --disable-admission-plugins TaintNodesByCondition
	for i in $(seq 60); do pod p$i 100m; done | orch-apply -f - >/dev/null
	wait_for 30 bash -c '[ "$(orch-get pods -o jsonl | jq -s "map(select(.spec.nodeName)) | length")" = 60 ]'
	fits 8000
}

@test "--metrics and --explain-to" {
	make_node n1 1
	start_scheduler --metrics 127.0.0.1:0 --explain-to=why
	make_pod a 1
	make_pod b 1
	wait_for 10 on a n1
	wait_for 10 says b 'False*'
	port=$(sed -n 's/.*metrics on port //p' log)
	curl -fsS "http://127.0.0.1:$port/metrics" >metrics
	grep -qx 'orch_schedule_attempts_total{result="scheduled"} 1' metrics
	grep -q '^orch_schedule_attempts_total{result="unschedulable"} [1-9]' metrics
	grep -qx 'orch_schedule_pending 1' metrics
	jq -se 'map(select(.pod == "default/a"))[0].node == "n1"' why >/dev/null
}
