# orch-validate: pass on what an API would accept.
bats_require_minimum_version 1.5.0

setup() {
	BIN=${BIN:-build/bin}
	cd "$BATS_TEST_TMPDIR"
	cat >web.yaml <<-'Y'
	# a comment
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: ok}
	---
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: web}
	spec:
	  replicas: -1
	  selector: {matchLabels: {app: web}}
	  template:
	    metadata: {labels: {app: wrong}}
	    spec: {containers: [{name: c, image: busybox}]}
	Y
	cat >pod.json <<-'J'
	{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"busybox:1"}]}}
	J
}

@test "valid objects go on as they came, invalid ones are named with file, line and field" {
	run --separate-stderr "$BIN/orch-validate" web.yaml
	[ "$status" -eq 2 ]
	[ "$output" = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"ok"}}' ]
	[[ "$stderr" == *'orch-validate: web.yaml:6: Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'* ]]
	[[ "$stderr" == *'web.yaml:6: Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: {"app":"wrong"}: `selector` does not match template `labels`'* ]]
}

@test "a line of JSON is passed on byte for byte" {
	run "$BIN/orch-validate" <pod.json
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat pod.json)" ]
}

@test "-d fills in the defaults, and a second time changes nothing" {
	"$BIN/orch-validate" -d pod.json >once
	[ "$(jq -r '.spec.restartPolicy, .spec.containers[0].imagePullPolicy' once | paste -sd' ')" = "Always IfNotPresent" ]
	"$BIN/orch-validate" -d once >twice
	cmp once twice
}

@test "quantities become canonical under -d, and only then" {
	json='{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","resources":{"limits":{"memory":"1024Mi"}}}]}}'
	[ "$("$BIN/orch-validate" -d <<<"$json" | jq -r '.spec.containers[0].resources.limits.memory')" = 1Gi ]
	[ "$("$BIN/orch-validate" <<<"$json")" = "$json" ]
}

@test "unknown fields: an error with a hint, a warning, or nothing" {
	json='{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"w"},"spec":{"replica":1,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}'
	run --separate-stderr "$BIN/orch-validate" <<<"$json"
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[ "$stderr" = "orch-validate: standard input:1: Deployment.apps \"w\": unknown field \"spec.replica\" (did you mean 'replicas'?)" ]
	run --separate-stderr "$BIN/orch-validate" --unknown=warn <<<"$json"
	[ "$status" -eq 0 ]
	[ "$output" = "$json" ]
	[[ "$stderr" == *'warning: '*'unknown field "spec.replica"'* ]]
	run --separate-stderr "$BIN/orch-validate" --unknown=ignore <<<"$json"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
}

@test "unknown kinds" {
	json='{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"}}'
	run "$BIN/orch-validate" <<<"$json"
	[ "$status" -eq 2 ]
	[[ "$output" == *"Widget.example.com \"w\": no kind 'Widget' in 'example.com/v1'" ]]
	run "$BIN/orch-validate" --unknown ignore <<<"$json"
	[ "$status" -eq 0 ]
	[ "$output" = "$json" ]
}

@test "wrong types" {
	run "$BIN/orch-validate" <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","stdin":"yes"}]}}'
	[ "$status" -eq 2 ]
	[[ "$output" == *'is invalid: json: cannot unmarshal string into Go struct field Container.spec.containers.stdin of type bool' ]]
}

@test "-q: only the verdict" {
	run --separate-stderr "$BIN/orch-validate" -q web.yaml
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[ -n "$stderr" ]
	run "$BIN/orch-validate" -q pod.json
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "a List is checked item by item" {
	run --separate-stderr "$BIN/orch-validate" <<<'{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}},{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"A"}}]}'
	[ "$status" -eq 2 ]
	[ "$output" = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}' ]
	[[ "$stderr" == *'ConfigMap "A" is invalid: metadata.name: '* ]]
}

@test "a pipe, and files by -f" {
	run bash -c "'$BIN/orch-parse' web.yaml | '$BIN/orch-validate' 2>/dev/null | jq -r .metadata.name"
	[ "$output" = ok ]
	run "$BIN/orch-validate" -q -f pod.json -f pod.json
	[ "$status" -eq 0 ]
}

@test "mistakes" {
	run "$BIN/orch-validate" --unknown=maybe pod.json
	[ "$status" -eq 2 ]
	[[ "$output" == *"--unknown is error, warn or ignore, not 'maybe'"* ]]
	run "$BIN/orch-validate" missing.yaml
	[ "$status" -eq 2 ]
	run "$BIN/orch-validate" <<<'{"a":'
	[ "$status" -eq 2 ]
	run "$BIN/orch-validate" <<<'{"a":1}'
	[ "$status" -eq 2 ]
	run "$BIN/orch-validate" </dev/null
	[ "$status" -eq 0 ]
}

@test "what people write is valid, and stays so with its defaults" {
	manifests=$BATS_TEST_DIRNAME/../manifests/valid.yaml
	run "$BIN/orch-validate" -q "$manifests"
	[ -z "$output" ]
	[ "$status" -eq 0 ]
	"$BIN/orch-validate" -d "$manifests" >once
	"$BIN/orch-validate" -d once >twice
	cmp once twice
	[ "$(wc -l <once)" -eq "$(grep -c '^kind:' "$manifests")" ]
}
