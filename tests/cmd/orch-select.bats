# orch-select: pass on the objects that match.

setup() {
	BIN=${BIN:-build/bin}
	cd "$BATS_TEST_TMPDIR"
	cat >objects <<-'J'
	{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-1","namespace":"a","labels":{"app":"web","tier":"x"}},"status":{"phase":"Running"}}
	{"apiVersion":"v1","kind":"Pod","metadata":{"name":"db-0","namespace":"b","labels":{"app":"db"}},"status":{"phase":"Pending"}}
	{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"a"}}
	{"apiVersion":"example.com/v1","kind":"Policy","metadata":{"name":"p"}}
	{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}
	J
}

# the names that are passed on, in one line
names() { "$BIN/orch-select" "$@" <objects | jq -r .metadata.name | paste -sd' '; }

@test "everything passes without conditions" {
	run "$BIN/orch-select" -f objects
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat objects)" ]
}

@test "by kind, in all the ways to write it" {
	[ "$(names pods)" = "web-1 db-0" ]
	[ "$(names po,deploy)" = "web-1 db-0 web" ]
	[ "$(names Pod deployments.apps)" = "web-1 db-0 web" ]
	[ "$(names deployment/web)" = "web" ]
	[ "$(names pods/web-1 no)" = "web-1 n1" ]
	[ "$(names all)" = "web-1 db-0 web" ]
}

@test "a kind that the schema does not know" {
	[ "$(names Policy)" = "p" ]
	[ "$(names policies)" = "p" ]
	[ "$(names policies.example.com)" = "p" ]
	[ "$(names policy.example.org)" = "" ]
	[ "$(names widgets)" = "" ]
}

@test "by namespace, labels, fields and name" {
	[ "$(names -n a)" = "web-1 web" ]
	[ "$(names -l app=web)" = "web-1" ]
	[ "$(names -l 'app in (web,db),tier')" = "web-1" ]
	[ "$(names --field-selector status.phase=Pending)" = "db-0" ]
	[ "$(names -N 'web*')" = "web-1 web" ]
	[ "$(names -v pods)" = "web p n1" ]
	[ "$(names -n a pods -l app=web)" = "web-1" ]
}

@test "events and actions are judged by their object" {
	run "$BIN/orch-select" -l app=db <<-'J'
	{"type":"ADDED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"app":"db"}}}}
	{"type":"ADDED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"app":"web"}}}}
	{"action":"delete","object":{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"app":"db"}}},"reason":"x"}
	J
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	[[ "${lines[1]}" == '{"action":"delete"'* ]]
}

@test "--exit-code: 1 when nothing was passed on" {
	run "$BIN/orch-select" --exit-code -f objects services
	[ "$status" -eq 1 ]
	run "$BIN/orch-select" --exit-code -f objects pods
	[ "$status" -eq 0 ]
}

@test "YAML in, and a pipe" {
	run bash -c "printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Node\n' |
	    '$BIN/orch-parse' | '$BIN/orch-select' nodes"
	[ "$output" = '{"apiVersion":"v1","kind":"Node"}' ]
}

@test "a line is passed on at once" {
	mkfifo in out
	"$BIN/orch-select" pods <in >out &
	exec 7>in 8<out
	head -n 1 objects >&7
	read -r -t 5 line <&8
	[ "$line" = "$(head -n 1 objects)" ]
	exec 7>&- 8<&-
	wait
}

@test "mistakes" {
	run "$BIN/orch-select" -l 'a in b' -f objects
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot select by labels 'a in b': "* ]]
	run "$BIN/orch-select" --field-selector 'a' -f objects
	[ "$status" -eq 2 ]
	run "$BIN/orch-select" pod/ -f objects
	[ "$status" -eq 2 ]
	[[ "$output" == *"'pod/' is not KIND or KIND/NAME"* ]]
	run "$BIN/orch-select" <<<'{"a":1}'
	[ "$status" -eq 2 ]
}

@test "custom kinds by short name and category: --crds, and what the stream has told" {
	crd=$BATS_TEST_DIRNAME/../manifests/widgets.yaml
	echo '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"},"spec":{"size":1}}' >widget
	for word in wd toys wd/w widgets.v1.example.com Widget all; do
		run bash -c "cat objects widget | '$BIN/orch-select' --crds '$crd' $word | jq -r .kind | tail -1"
		[ "$output" = Widget ]
	done
	run bash -c "'$BIN/orch-parse' widget '$crd' widget | '$BIN/orch-select' wd | wc -l"
	[ "$output" = 1 ]
	run "$BIN/orch-select" --crds "$crd" wd/x <widget
	[ -z "$output" ]
}
