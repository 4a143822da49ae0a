# orch-kinds: the kinds of the API.

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
