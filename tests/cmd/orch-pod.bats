# One pod by hand: manifests and messages; what needs containers is in tests/e2e/pod.bats.
BIN=${BIN:-build/bin}

setup() {
	T=$(mktemp -d)
	[ "$(id -u)" = 0 ] || skip "containers need root"
}

teardown() { [ -z "${T:-}" ] || rm -rf "$T"; }

pod() { "$BIN/orch-pod" --root "$T/r" --images "$T/i" "$@"; }

@test "wrong usage exits 2" {
	run pod
	[ "$status" -eq 2 ]
	run pod walk
	[ "$status" -eq 2 ]
	[[ $output == *"'walk' is none of run, start, bundle, logs, stop, list"* ]]
	for v in stop logs; do
		run pod $v
		[ "$status" -eq 2 ]
	done
	run pod run a b </dev/null
	[ "$status" -eq 2 ]
}

@test "what is not there: exit 1 and the name" {
	for v in logs stop; do
		run pod $v nobody
		[ "$status" -eq 1 ]
		[[ $output == *nobody* ]]
	done
	run pod list
	[ "$status" -eq 0 ] && [ -z "$output" ]
	run pod stop ../x
	[ "$status" -eq 2 ]
}

@test "manifests: none, several, of that name, not valid" {
	run pod run </dev/null
	[ "$status" -eq 2 ]
	[[ $output == *"the input holds no pod, nor a workload that makes one"* ]]
	p() { printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec: {containers: [{name: c, image: none:1%s}]}\n---\n' "$1" "${2:-}"; }
	run pod run < <(p a; p b)
	[ "$status" -eq 2 ]
	[[ $output == *"standard input:6: the input holds more than one pod or workload"* ]]
	run pod run c < <(p a; p b)
	[ "$status" -eq 2 ]
	[[ $output == *"no pod or workload 'c'"* ]]
	run pod run < <(p a ', imagePullPolicy: Sometimes')
	[ "$status" -eq 2 ]
	[[ $output == *'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes"'* ]]
	run pod run < <(p a ', imagePolicy: x')
	[ "$status" -eq 2 ]
	[[ $output == *'unknown field "spec.containers[0].imagePolicy"'* ]]
	run pod run < <(printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {}}\n')
	[ "$status" -eq 2 ]
	[[ $output == *'spec.template.spec.containers: Required value'* ]]
	[ ! -e "$T/r" ] || [ -z "$(ls "$T/r")" ]
}
