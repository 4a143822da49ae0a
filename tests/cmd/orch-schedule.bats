# orch-schedule: nodes and pods in, bindings out.

setup() {
	BIN=${BIN:-build/bin}
	case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
	cd "$BATS_TEST_TMPDIR"
}

schedule() { "$BIN/orch-schedule" --time 2026-01-01T00:00:00Z "$@"; }
node() { # name cpu
	printf '{"apiVersion":"v1","kind":"Node","metadata":{"name":"%s"},"status":{"allocatable":{"cpu":"%s","memory":"8Gi","pods":"110"}}}\n' "$1" "$2"
}
pod() { # name cpu
	printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s","namespace":"default","uid":"uid-%s"},"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"%s","memory":"1Gi"}}}]}}\n' "$1" "$1" "$2"
}
binds() { jq -r 'select(.action == "bind") | "\(.object.metadata.name) \(.object.target.name)"'; }

@test "a pending pod is bound, with an event" {
	run schedule < <(node n1 4; pod web 500m)
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	[ "$(jq -c '[.action,.object.kind,.object.metadata,.object.target,.by,.for]' <<<"${lines[0]}")" = \
		'["bind","Binding",{"name":"web","namespace":"default","uid":"uid-web"},{"apiVersion":"v1","kind":"Node","name":"n1"},"schedule","v1/Pod/default/web"]' ]
	[ "$(jq -r '.object | .type + " " + .reason + " " + .source.component + ": " + .message' <<<"${lines[1]}")" = \
		"Normal Scheduled default-scheduler: Successfully assigned default/web to n1" ]
}

@test "a pod that fits nowhere gets a condition and an event" {
	run schedule < <(node n1 1; node n2 1; pod web 2)
	[ "$status" -eq 0 ]
	[ "$(jq -r .action <<<"${lines[0]}")" = update-status ]
	[ "$(jq -c '.object.status.conditions[0] | [.type,.status,.reason,.message,.lastTransitionTime]' <<<"${lines[0]}")" = \
		'["PodScheduled","False","Unschedulable","0/2 nodes are available: 2 Insufficient cpu.","2026-01-01T00:00:00Z"]' ]
	[ "$(jq -r .object.reason <<<"${lines[1]}")" = FailedScheduling ]
}

@test "--exit-code says no" {
	run schedule --exit-code < <(node n1 1; pod web 2)
	[ "$status" -eq 1 ]
	run schedule --exit-code < <(node n1 4; pod web 2)
	[ "$status" -eq 0 ]
}

@test "each decision sees those before it" {
	run schedule < <(node n1 2; node n2 2; pod a 1500m; pod b 1500m; pod c 1500m)
	[ "$(printf '%s\n' "${lines[@]}" | binds | cut -d' ' -f2 | sort | tr '\n' ' ')" = "n1 n2 " ]
}

@test "--scoring most packs, least spreads" {
	input() { node n1 4; node n2 4; for i in a b c; do pod $i 1; done; }
	[ "$(input | schedule --scoring=most | binds | cut -d' ' -f2 | sort -u | wc -l)" -eq 1 ]
	[ "$(input | schedule --scoring=least | binds | cut -d' ' -f2 | sort -u | wc -l)" -eq 2 ]
}

@test "the same input gives the same output, in any order" {
	input() { for n in n1 n2 n3 n4 n5; do node $n 4; done; for p in a b c d e f g; do pod $p 100m; done; }
	input | schedule >one
	input | tac | schedule >two
	cmp one two
}

@test "--explain shows verdicts on stderr and leaves the actions alone" {
	{ node n1 1; node n2 4; pod web 2; } >in
	schedule <in >plain
	schedule --explain <in >actions 2>why
	cmp plain actions
	grep -q '^default/web: n2 is the best of 1 that fit$' why
	grep -q '^  n1    NodeResourcesFit: Insufficient cpu$' why
	grep -Eq '^  n2    [0-9]+ = TaintToleration 300 \+ NodeResourcesFit [0-9]+' why
}

@test "--explain=json is one object a pod" {
	{ node n1 1; node n2 4; pod web 2; } >in
	schedule --explain=json <in 2>why >/dev/null
	[ "$(jq -c '[.pod,.node,.nodes[0].filter,.nodes[0].reasons]' why)" = '["default/web","n2","NodeResourcesFit",["Insufficient cpu"]]' ]
	[ "$(jq '.nodes[1] | .total == ([.scores[]] | add)' why)" = true ]
	schedule --explain-to=file <in >/dev/null
	cmp why file
}

@test "--scheduler-name" {
	{ node n1 4; pod mine 1 | jq -c '.spec.schedulerName = "mine"'; pod plain 1; } >in
	[ "$(schedule <in | binds)" = "plain n1" ]
	[ "$(schedule --scheduler-name=mine <in | binds)" = "mine n1" ]
}

@test "Lists, files and YAML" {
	{ node n1 4; pod web 1; } | jq -s '{apiVersion: "v1", kind: "List", items: .}' >list.json
	[ "$(schedule list.json | binds)" = "web n1" ]
	node n1 4 >node.json
	cat >pod.yaml <<-'Y'
	apiVersion: v1
	kind: Pod
	metadata:
	  name: web
	spec:
	  containers: [{name: c}]
	Y
	[ "$(schedule node.json pod.yaml | binds)" = "web n1" ]
}

@test "nothing in, nothing out" {
	run schedule </dev/null
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "odd input is taken for what it is" {
	run schedule < <(echo '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"},"spec":7,"status":{"allocatable":{"cpu":[],"pods":"x"}}}'
		echo '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":"none","tolerations":{"a":1},"affinity":[],"nodeSelector":[1]}}'
		echo '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"q"}}')
	[ "$status" -eq 0 ]
	[ "$(jq -r 'select(.action == "update-status") | .reason' <<<"$output" | sort -u)" = "0/1 nodes are available: 1 Too many pods." ]
}

@test "broken input exits 2 and names the place" {
	run schedule < <(node n1 4; echo '{"apiVersion":')
	[ "$status" -eq 2 ]
	[[ "$output" == *"standard input:"* ]]
	run schedule missing.yaml
	[ "$status" -eq 2 ]
	[[ "$output" == *missing.yaml* ]]
}

@test "wrong options" {
	for o in --scoring=worst --explain=xml --time=yesterday --nonsense; do
		run schedule $o </dev/null
		[ "$status" -eq 2 ] || { echo "$o: $status"; false; }
	done
	run schedule -w file
	[ "$status" -eq 2 ]
	run schedule --explain-to=/no/such/folder/x </dev/null
	[ "$status" -eq 2 ]
	[[ "$output" == *"/no/such/folder/x"* ]]
}

@test "-w waits for a server, and SIGTERM ends it" {
	"$BIN/orch-schedule" -w --server "unix:$PWD/none" 2>log &
	pid=$!
	for i in $(seq 100); do grep -q none log && break; sleep 0.1; done
	kill -TERM $pid
	wait $pid
	grep -q "^orch-schedule: .*none" log
}

@test "a full disk is noticed" {
	run bash -c "'$BIN/orch-schedule' < <(echo '{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"}}') >/dev/full"
	[ "$status" -eq 3 ]
}
