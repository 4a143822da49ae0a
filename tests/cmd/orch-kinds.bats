# orch-kinds: the kinds of the API.
bats_require_minimum_version 1.5.0

setup() { BIN=${BIN:-build/bin}; }

@test "a table with every kind" {
	run "$BIN/orch-kinds"
	[ "$status" -eq 0 ]
	[[ "${lines[0]}" =~ ^NAME\ +SHORT\ +APIVERSION\ +NAMESPACED\ +KIND$ ]]
	[[ "$output" =~ $'\n'pods\ +po\ +v1\ +true\ +Pod$'\n' ]]
	[[ "$output" =~ $'\n'nodes\ +no\ +v1\ +false\ +Node$'\n' ]]
	[ "${#lines[@]}" -gt 65 ]
}

@test "wide adds verbs and categories" {
	run "$BIN/orch-kinds" -o wide deploy
	[[ "${lines[0]}" == *VERBS*CATEGORIES ]]
	[[ "${lines[1]}" == *"get,list,watch,create,update,patch,delete,deletecollection  all" ]]
}

@test "no line ends in blanks" {
	run bash -c "'$BIN/orch-kinds' -o wide | grep ' \$'"
	[ "$status" -eq 1 ]
}

@test "-o name" {
	run "$BIN/orch-kinds" -o name deploy po
	[ "$output" = $'pods\ndeployments.apps' ]
}

@test "-o jsonl" {
	run bash -c "'$BIN/orch-kinds' -o jsonl | jq -r 'select(.subresources | index(\"scale\")) | .name' | paste -sd' '"
	[ "$output" = "replicationcontrollers deployments replicasets statefulsets" ]
}

@test "by group, scope, verb and category" {
	[ "$("$BIN/orch-kinds" --group batch -o name | paste -sd' ')" = "cronjobs.batch jobs.batch" ]
	[[ "$("$BIN/orch-kinds" --group= -o name | paste -sd' ')" == *" pods "* ]]
	[[ "$("$BIN/orch-kinds" --namespaced=false -o name | paste -sd' ')" == *" nodes "* ]]
	[[ "$("$BIN/orch-kinds" --namespaced -o name | paste -sd' ')" != *" nodes "* ]]
	[[ "$("$BIN/orch-kinds" --verb watch -o name)" != *tokenreviews* ]]
	[[ "$("$BIN/orch-kinds" --category all -o name | paste -sd' ')" == "pods replicationcontrollers services "* ]]
}

@test "--no-headers" {
	run "$BIN/orch-kinds" --no-headers pods
	[ "${#lines[@]}" -eq 1 ]
}

@test "nothing fits: 1" {
	run "$BIN/orch-kinds" --group example.com
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	run "$BIN/orch-kinds" gadgets
	[ "$status" -eq 1 ]
	[ "$output" = "orch-kinds: cannot list 'gadgets': no such kind" ]
}

@test "mistakes" {
	run "$BIN/orch-kinds" -o yaml
	[ "$status" -eq 2 ]
	run "$BIN/orch-kinds" --verb fly
	[ "$status" -eq 2 ]
}

@test "the schema compiler names file and line of a mistake" {
	schema=$BIN/../tool/schema
	[ -x "$schema" ] || skip "not built here"
	cd "$BATS_TEST_TMPDIR"
	printf 'api v1 core.v1\nkind X\n  @resource xs\n  a  Missing  #1\n' >x.kinds
	run "$schema" x.kinds
	[ "$status" -eq 1 ]
	[ "$output" = "x.kinds:4: unknown type 'Missing'" ]
	printf 'api v1 core.v1\ntype X\n  a  string  #1\n  b  int32  #1\n' >x.kinds
	run "$schema" x.kinds
	[ "$output" = "x.kinds:4: 'a' and 'b' have the same number" ]
	printf 'api v1 core.v1\ntype X\n  a  []Y  #1 map(k)\ntype Y\n  b  string\n' >x.kinds
	run "$schema" x.kinds
	[ "$output" = "x.kinds:3: 'core.v1.Y' has no field 'k'" ]
	printf 'kind X\n' >x.kinds
	run "$schema" x.kinds
	[ "$output" = "x.kinds:1: no 'api' line before 'X'" ]
}

@test "custom kinds, from a file" {
	crd=$BATS_TEST_DIRNAME/../manifests/widgets.yaml
	run "$BIN/orch-kinds" --crds "$crd" --no-headers -o wide wd
	[[ "$output" =~ ^widgets\ +wd\ +example.com/v1\ +true\ +Widget\ .*\ all,toys$ ]]
	run "$BIN/orch-kinds" --crds "$crd" -o jsonl --category toys
	[ "$(jq -r '.apiVersion' <<<"$output" | paste -sd' ')" = "example.com/v1 example.com/v1beta1" ]
	[ "$(jq -rc '.subresources' <<<"$output" | head -1)" = '["status","scale"]' ]
}
