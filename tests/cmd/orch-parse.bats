# orch-parse: YAML and JSON in, one object a line out.

setup() {
	BIN=${BIN:-build/bin}
	cd "$BATS_TEST_TMPDIR"
}

parse() { "$BIN/orch-parse" "$@"; }

@test "YAML documents become lines" {
	run parse <<-'Y'
	# a comment
	---
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: a}
	data: {on: "yes", n: "1"}
	---
	---
	apiVersion: v1
	kind: Secret
	metadata: {name: b}
	Y
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	[ "${lines[0]}" = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"true":"yes","false":"1"}}' ]
}

@test "JSON of any layout: pretty, one after the other, lines" {
	run parse <<-'J'
	{
	  "apiVersion": "v1",
	  "kind": "Pod"
	}{"apiVersion":"v1","kind":"Pod"} {"apiVersion":"v1",
	"kind":"Node"}
	{"apiVersion":"v1","kind":"Service"}
	J
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 4 ]
	[ "${lines[3]}" = '{"apiVersion":"v1","kind":"Service"}' ]
}

@test "JSON, then YAML behind ---" {
	printf '{"apiVersion":"v1",\n"kind":"Pod"}\n---\napiVersion: v1\nkind: Node\n' >x
	run parse x
	[ "$status" -eq 0 ]
	[ "${lines[1]}" = '{"apiVersion":"v1","kind":"Node"}' ]
	printf '{"apiVersion":"v1",\n"kind":"Pod"}\n---\napiVersion: v1\nkind: [\n' >x
	run parse x
	[ "$status" -eq 2 ]
	[[ "$output" == *"x:6:1: "* || "$output" == *"x:5:"* ]]
}

@test "Lists are flattened, items inherit kind and apiVersion" {
	run parse <<-'J'
	{"apiVersion":"apps/v1","kind":"DeploymentList","items":[{"metadata":{"name":"a"}},
	 {"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod"}]}]}
	{"apiVersion":"v1","kind":"PodList","items":null}
	J
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	[[ "${lines[0]}" == *'"kind":"Deployment"'* ]]
	[[ "${lines[0]}" == *'"apiVersion":"apps/v1"'* ]]
	run parse <<<'{"apiVersion":"v1","kind":"List","items":[{"metadata":{}}]}'
	[ "$status" -eq 2 ]
	[[ "$output" == *"items[0]: not a Kubernetes object: it has no 'apiVersion'"* ]]
}

@test "numbers keep every digit" {
	run parse -a <<<'{"a":9223372036854775807,"b":0.1,"c":1.0}'
	[ "$output" = '{"a":9223372036854775807,"b":0.1,"c":1.0}' ]
	run parse -a <<<$'a: 9223372036854775807\nb: 0.1'
	[ "$output" = '{"a":9223372036854775807,"b":0.1}' ]
}

@test "a truncated value is an error, never the end" {
	for text in '{"a":1' '{"a":"x' '{"a":1}{' '[1,' '{"a":"\'; do
		printf %s "$text" >x
		run parse -a x
		[ "$status" -eq 2 ]
		[[ "$output" == *"the input ends inside a value that began on line 1"* ]]
	done
}

@test "mistakes are told with line and column" {
	printf '{"a":1}\n{"a":1,\n "b":tru}\n' >x
	run parse -a x
	[ "$status" -eq 2 ]
	[[ "$output" == *"x:3:"* ]]
	printf '{"a":1,"b":2,"a":3}' >x
	run parse -a x
	[ "$status" -eq 2 ]
	[[ "$output" == *"duplicate"* ]]
	printf '{"a":"\xff"}' >x
	run parse -a x
	[ "$status" -eq 2 ]
	[[ "$output" == *"x:1:"* ]]
	printf '{"a":"\\u0000"}' >x
	run parse -a x
	[ "$status" -eq 2 ]
	printf '{"a":1} nonsense' >x
	run parse -a x
	[ "$status" -eq 2 ]
	[[ "$output" == *"x:1:9: "* ]]
	printf 'a: 1\nb: x\0y\n' >x
	run parse -a x
	[ "$status" -eq 2 ]
	[[ "$output" == *"x:2:5: a NUL character"* ]]
}

@test "what is no object is refused" {
	run parse <<<'just text'
	[ "$status" -eq 2 ]
	[[ "$output" == *"standard input:1: not a Kubernetes object but a single value"* ]]
	run parse <<<'- a'
	[[ "$output" == *"but a list"* ]]
	run parse <<<'{"type":"ADDED","object":{"apiVersion":"v1","kind":"Pod"}}'
	[ "$status" -eq 2 ]
	[[ "$output" == *"an event or action"* ]]
	run parse <<<'kind: Pod'
	[[ "$output" == *"has no 'apiVersion'"* ]]
}

@test "nesting is bounded" {
	printf '%0100000d' 0 | tr 0 '[' >x
	run parse -a x
	[ "$status" -eq 2 ]
	[[ "$output" == *"nested"* ]]
	(echo 'a:'; yes '  [' | head -n 5000) >x
	run parse -a x
	[ "$status" -eq 2 ]
	[[ "$output" == *"nested"* ]]
}

@test "a line is delivered as soon as it is there" {
	mkfifo in out
	parse <in >out &
	exec 7>in 8<out
	echo '{"apiVersion":"v1","kind":"Pod"}' >&7
	read -r -t 5 line <&8
	[ "$line" = '{"apiVersion":"v1","kind":"Pod"}' ]
	printf '{"apiVersion":"v1",' >&7
	! read -r -t 0.2 line <&8
	printf '"kind":"Node"}\n' >&7
	read -r -t 5 line <&8
	[ "$line" = '{"apiVersion":"v1","kind":"Node"}' ]
	exec 7>&- 8<&-
	wait
}

@test "files, folders and -" {
	mkdir d
	echo '{"apiVersion":"v1","kind":"A"}' >d/1.json
	echo '{apiVersion: v1, kind: B}' | sed 's/^/--- /' >d/2.yaml
	echo nonsense >d/README
	run parse d - <<<'{"apiVersion":"v1","kind":"C"}'
	[ "$status" -eq 0 ]
	[ "$output" = '{"apiVersion":"v1","kind":"A"}
{"apiVersion":"v1","kind":"B"}
{"apiVersion":"v1","kind":"C"}' ]
	run parse missing.yaml
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot open 'missing.yaml'"* ]]
}

@test "-w says where each object came from" {
	printf 'apiVersion: v1\nkind: A\n---\napiVersion: v1\nkind: B\n' >x
	run bash -c "'$BIN/orch-parse' -w x 2>&1 >/dev/null"
	[ "$output" = 'x:1
x:4' ]
}

@test "YAML in all its clothes" {
	[ "$(printf '\xef\xbb\xbfa: 1\n---\nb: 2\n' | parse -a | paste -sd' ')" = '{"a":1} {"b":2}' ]
	[ "$(printf 'a: 1\r\nb:\r\n- x\r\n---\r\nc: |\r\n  t\r\n' | parse -a | paste -sd' ')" = '{"a":1,"b":["x"]} {"c":"t\n"}' ]
	[ "$(printf '# c\n%%YAML 1.1\n---\na: 1\n---\nb: 2\n' | parse -a | paste -sd' ')" = '{"a":1} {"b":2}' ]
	[ "$(printf 'a: b\n' | iconv -t UTF-16 | parse -a)" = '{"a":"b"}' ]
	[ "$(printf -- '--- |\n  text\n--- "x"\n--- {a: 1}\n---\n- 1' | parse -a | paste -sd' ')" = '"text\n" "x" {"a":1} [1]' ]
	[ "$(printf 'a: &x {b: [1, 2]}\nc: *x\n' | parse -a)" = '{"a":{"b":[1,2]},"c":{"b":[1,2]}}' ]
	[ "$(printf -- '---\n# only a comment\n---\n' | parse -a)" = '' ]
}

@test "mistakes in a later document are told with their own line" {
	printf 'a: 1\n---\n\nb: 1\nb: 2\n' >x
	run parse -a x
	[ "$status" -eq 2 ]
	[ "${lines[0]}" = '{"a":1}' ]
	[[ "${lines[1]}" == *"x:5:1: duplicate key 'b'" ]]
	printf 'a: 1\n---\nb: .inf\n' >x
	run parse -a x
	[[ "${lines[1]}" == *"x:3:4: JSON cannot hold .inf"* ]]
}

@test "a YAML document is delivered when its end is known" {
	mkfifo in out
	parse <in >out &
	exec 7>in 8<out
	printf 'apiVersion: v1\nkind: Pod\n---\n' >&7
	read -r -t 5 line <&8
	[ "$line" = '{"apiVersion":"v1","kind":"Pod"}' ]
	exec 7>&- 8<&-
	wait
}

@test "YAML in flow style, also where JSON would begin" {
	[ "$("$BIN/orch-parse" <<<'{apiVersion: v1, kind: A, metadata: {name: a}}' | jq -r .metadata.name)" = a ]
	[ "$(printf "{'apiVersion': v1, kind: A}\n---\n{apiVersion: v1, kind: B}\n" | "$BIN/orch-parse" | jq -r .kind | xargs)" = "A B" ]
	[ "$(printf '\n { # why\n  apiVersion: v1, kind: A}\n' | "$BIN/orch-parse")" = '{"apiVersion":"v1","kind":"A"}' ]
	run "$BIN/orch-parse" <<<'{"apiVersion": "v1", kind: A}'
	[ "$status" -eq 2 ]
}
