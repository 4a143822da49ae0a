# orch-store: custom resources and definitions made to hurt.  Whatever comes is answered in bounded
# time (of the processor: other work on the machine does not count) and memory, with the right status
# and words, and the store goes on.

bats_require_minimum_version 1.5.0

setup() {
	BIN=${BIN:-build/bin}
	case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
	cd "$BATS_TEST_TMPDIR"
	SOCK=$(mktemp -u /tmp/orch-store-bats-XXXXXX.sock) # a socket's path is short
	limit='prlimit --data=536870912' seconds=8
	# a sanitizer needs more of everything
	! grep -q __asan_init "$BIN/orch-store" || { limit='' seconds=60; }
	start
}

start() {
	$limit "$BIN/orch-store" --data data --listen 127.0.0.1:0 --socket "$SOCK" 2>log 3>&- &
	PID=$!
	for _ in $(seq 400); do
		! grep -q 'ready:' log || return 0
		kill -0 "$PID" 2>/dev/null || return 1
		sleep 0.02
	done
	return 1
}

teardown() {
	kill "$PID" 2>/dev/null || true
	wait "$PID" || true
	rm -f "$SOCK"
}

cpu() { awk '{ sub(/.*\) /, ""); print ($12 + $13) / '"$(getconf CLK_TCK)"' }' "/proc/$PID/stat"; }
resident() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$PID/status"; }

# api METHOD PATH [CURL OPTION...]: the answer is in the file out, its status in $code
api() {
	local method=$1 path=$2 before
	shift 2
	before=$(cpu)
	code=$(curl -s -o out -w '%{http_code}' --unix-socket "$SOCK" -X "$method" \
		-H "Content-Type: ${TYPE:-application/json}" "$@" "http://x$path")
	awk -v a="$before" -v b="$(cpu)" -v most="$seconds" 'BEGIN { exit b - a > most }' ||
		{ echo "$method $path: from $before to $(cpu) s"; return 1; }
}
# send METHOD PATH PYTHON [CURL OPTION...]: the body is what the expression gives, of type $TYPE
send() {
	local method=$1 path=$2 expression=$3
	shift 3
	make "$expression" >body
	api "$method" "$path" --data-binary @body "$@"
}
says() { grep -qF -- "$1" out || { echo "not '$1' but: $(head -c 600 out)"; return 1; }; }
of() { jq -r "$1" <out; }
usable() {
	api GET /api/v1/namespaces/default
	[ "$code" = 200 ]
	[ "$(of .metadata.name)" = default ]
}

make() {
	python3 -c '
import json, sys
sys.setrecursionlimit(100000)
O = {"type": "object"}
OPEN = dict(O, **{"x-kubernetes-preserve-unknown-fields": True})
S = {"type": "string"}
I = {"type": "integer"}
def fields(**f): return dict(O, properties=f)
def items(of, **more): return dict({"type": "array", "items": of}, **more)
def ruled(schema, *rules): return dict(schema, **{"x-kubernetes-validations": [{"rule": r} for r in rules]})
def crd(plural, spec, **version):
    v = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": fields(spec=spec)}}
    v.update(version)
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": plural + ".example.com"}, "spec": {"group": "example.com",
        "scope": "Namespaced", "names": {"plural": plural, "kind": plural.capitalize()}, "versions": [v]}}
def thing(name, **spec):
    return {"apiVersion": "example.com/v1", "kind": "Things", "metadata": {"name": name}, "spec": spec}
def raw(value, mark, text): return json.dumps(value).replace(json.dumps(mark), text)
v = eval(sys.argv[1])
sys.stdout.write(v if isinstance(v, str) else json.dumps(v))' "$1"
}

CRDS=/apis/apiextensions.k8s.io/v1/customresourcedefinitions
THINGS=/apis/example.com/v1/namespaces/default/things
# things SPEC [WORDS]: the definition of things is accepted and served
things() {
	send POST $CRDS "crd('things', $1${2:+, $2})"
	[ "$code" = 201 ] || { head -c 600 out; return 1; }
	for _ in $(seq 200); do
		api GET "$THINGS"
		[ "$code" != 200 ] || return 0
		sleep 0.02
	done
	return 1
}
# refused SPEC WORDS: the definition is not
refused() {
	send POST $CRDS "crd('things', $1)"
	[ "$code" = 422 ] || { echo "$code"; head -c 600 out; return 1; }
	says "$2"
}

@test "schemas that are nested ten thousand deep are refused, hundreds are not" {
	send POST $CRDS "raw(crd('things', '@'), '@', '{\"type\":\"object\",\"properties\":{\"a\":' * 10000 + '{\"type\":\"string\"}' + '}}' * 10000)"
	[ "$code" = 400 ]
	says 'exceeded max depth'
	send POST $CRDS "raw(crd('things', '@'), '@', '{\"type\":\"object\",\"allOf\":[' * 10000 + '{}' + ']}' * 10000)"
	[ "$code" = 400 ]
	says 'exceeded max depth'
	things "json.loads('{\"type\":\"object\",\"properties\":{\"a\":' * 900 + '{\"type\":\"string\"}' + '}}' * 900)"
	send POST $THINGS "raw(thing('deep', a='@'), '@', '{\"a\":' * 899 + '\"x\"' + '}' * 899)"
	[ "$code" = 201 ]
	[ "$(grep -o '"a":' out | wc -l)" -ge 900 ]
	send POST $THINGS "raw(thing('bad', a='@'), '@', '{\"a\":' * 899 + '1' + '}' * 899)"
	[ "$code" = 422 ]
	says 'must be of type string'
	usable
}

@test "alternatives in alternatives are asked once each" {
	things "dict(OPEN, allOf=[json.loads('{\"allOf\":[' * 300 + '{\"minProperties\":1}' + ']}' * 300)])"
	send POST $THINGS "thing('a', x=1)"; [ "$code" = 201 ]
	send POST $THINGS "thing('b')"; [ "$code" = 422 ]
	api DELETE $CRDS/things.example.com
	wait_gone
	things "dict(OPEN, anyOf=[dict(anyOf=[dict(anyOf=[dict(required=['n%d%d%d' % (i, j, k)]) for k in range(20)]) for j in range(20)]) for i in range(20)])"
	send POST $THINGS "thing('a', n191919=1)"; [ "$code" = 201 ]
	send POST $THINGS "thing('b', **{'x%d' % i: i for i in range(50000)})"; [ "$code" = 422 ]
	usable
}

wait_gone() {
	for _ in $(seq 300); do
		api GET "$CRDS/things.example.com"
		[ "$code" != 404 ] || return 0
		sleep 0.02
	done
	return 1
}

@test "a list of sixty thousand allowed values" {
	things "fields(l=items(dict(S, enum=['choice %d' % i for i in range(60000)])))"
	send POST $THINGS "thing('a', l=['none'])"
	[ "$code" = 422 ]
	says 'Unsupported value: \"none\": supported values: \"choice 0\", \"choice 1\"'
	send POST $THINGS "thing('a', l=['none'] * 100000)"
	[ "$code" = 422 ]
	[ "$(stat -c %s out)" -lt 10000000 ]
	send POST $THINGS "thing('a', l=['choice 59999'] * 70000)"
	[ "$code" = 201 ]
	usable
}

@test "patterns that make others try for ever" {
	things "fields(a=dict(S, pattern='^(a+)+\$'), b=dict(S, pattern='^(a|aa|a*b?)*c\$'), c=dict(S, pattern='(x+x+)+y'))"
	for field in a b c; do
		send POST $THINGS "thing('$field', $field='a' * 100000 + 'x' * 100000)"
		[ "$code" = 422 ]
		says "spec.$field in body should match"
	done
	send POST $THINGS "thing('good', a='a' * 1000000)"
	[ "$code" = 201 ]
	send POST $CRDS "crd('others', fields(a=dict(S, pattern='((a{1,100}){1,100}){1,100}b')))"
	[ "$code" = 422 ]
	says 'must be a valid regular expression'
	usable
}

@test "rules that would cost too much are refused when they are made, or when they are asked" {
	refused "ruled(fields(l=items(S)), 'self.l.all(x, self.l.exists(y, y == x))')" \
		'estimated rule cost exceeds budget by factor of more than 100x'
	refused "ruled(fields(l=items(I, maxItems=5)), 'self.l.all(x, ' * 40 + 'true' + ')' * 40)" Invalid
	refused "ruled(fields(l=I), '(' * 5000 + 'self.l' + ')' * 5000 + ' > 0')" Invalid
	refused "ruled(fields(l=I), ' && '.join('self.l != %d' % i for i in range(10000)))" Invalid
	refused "ruled(fields(l=S), \"'a'.matches('((((a{1,1000}){1,1000}){1,1000}){1,1000})')\")" Invalid
	refused "ruled(fields(l=S), 'self.l == \"' + 'x' * 900000 + '\" ||')" 'exceeds limit'
	things "fields(l=ruled(items(I), 'self.all(x, x >= 0)', '!self.exists(x, x < 0)'))"
	send POST $THINGS "thing('a', l=[0] * 700000)"
	[ "$code" = 422 ]
	says 'actual cost limit exceeded'
	send POST $THINGS "thing('b', l=[0] * 1000)"
	[ "$code" = 201 ]
	usable
}

@test "rules by the hundreds, all of them broken" {
	things "ruled(fields(l=items(I, maxItems=100)), *['self.l.all(x, x != %d)' % i for i in range(500)])"
	send POST $THINGS "thing('a', l=list(range(100)))"
	[ "$code" = 422 ]
	[ "$(of '.details.causes | length')" = 100 ]
	send POST $THINGS "thing('a', l=list(range(500, 600)))"
	[ "$code" = 201 ]
	usable
}

@test "long lists whose items have keys, and long sets" {
	things "fields(m=items(fields(k=S, v=I) | dict(required=['k']), **{'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k']}),
		s=items(S, **{'x-kubernetes-list-type': 'set'}))"
	send POST $THINGS "thing('m', m=[dict(k='%d' % i, v=i) for i in range(18000)])"
	[ "$code" = 201 ]
	send PUT $THINGS/m "dict(thing('m', m=[dict(k='%d' % i, v=i) for i in range(17999, -1, -1)]), metadata=dict(name='m', resourceVersion='$(of .metadata.resourceVersion)'))"
	[ "$code" = 200 ]
	[ "$(of '.spec.m[0].k')" = 17999 ]
	send POST $THINGS "thing('t', m=[dict(k='%d' % (i % 60000), v=i) for i in range(70000)])"
	[ "$code" = 422 ]
	says 'spec.m[60000]: Duplicate value: {\"k\":\"0\"}'
	send POST $THINGS "thing('s', s=['%d' % i for i in range(45000)])"
	[ "$code" = 201 ]
	send POST $THINGS "thing('t', s=['x'] * 200000)"
	[ "$code" = 422 ]
	says 'Duplicate value'
	send POST $THINGS "thing('t', m=[dict(k='%d' % i, v=i) for i in range(70000)])"
	[ "$code" = 413 ]
	usable
}

@test "server-side apply of long lists by two managers" {
	things "fields(m=items(fields(k=S, v=I) | dict(required=['k']), **{'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k']}),
		s=items(S, **{'x-kubernetes-list-type': 'set'}))"
	local TYPE=application/apply-patch+yaml
	send PATCH "$THINGS/m?fieldManager=one" "thing('m', m=[dict(k='%d' % i, v=i) for i in range(10000)])"
	[ "$code" = 201 ]
	send PATCH "$THINGS/m?fieldManager=two" "thing('m', m=[dict(k='%d' % i, v=0) for i in range(10000)])"
	[ "$code" = 409 ]
	[ "$(stat -c %s out)" -lt 10000000 ]
	send PATCH "$THINGS/s?fieldManager=one" "thing('s', s=['%d' % i for i in range(20000)])"
	[ "$code" = 201 ]
	send PATCH "$THINGS/s?fieldManager=two" "thing('s', s=['%d' % i for i in range(10000, 30000)])"
	[ "$code" = 200 ]
	[ "$(of '.spec.s | length')" = 30000 ]
	send PATCH "$THINGS/s?fieldManager=one" "thing('s', s=[])"
	[ "$code" = 200 ]
	[ "$(of '.spec.s | length')" = 20000 ]
	usable
}

@test "objects and definitions of a megabyte and more" {
	things "fields(**{'f%d' % i: dict(S, description='x' * 100) for i in range(7000)})"
	send POST $THINGS "thing('a', **{'f%d' % i: 'v' * 150 for i in range(7000)})"
	[ "$code" = 201 ]
	send POST $THINGS "thing('b', **{'g%d' % i: 'v' for i in range(100000)})"
	[ "$code" = 201 ]
	[ "$(of '.spec | length')" = 0 ]
	send POST "$THINGS?fieldValidation=Strict" "thing('c', **{'g%d' % i: 'v' for i in range(100000)})"
	[ "$code" = 400 ]
	[ "$(stat -c %s out)" -lt 10000000 ]
	send POST $THINGS "thing('d', f0='x' * 2900000)"
	[ "$code" = 413 ]
	send POST $THINGS "thing('d', f0='x' * 3500000)"
	[ "$code" = 413 ]
	send POST $CRDS "crd('others', dict(O, description='x' * 2000000))"
	[ "$code" = 413 ]
	api GET /openapi/v3/apis/example.com/v1
	[ "$code" = 200 ]
	[ "$(of '.components.schemas["com.example.v1.Things"].properties.spec.properties | length')" = 7000 ]
	usable
}

@test "printer columns that look everywhere" {
	local n=0 path
	for path in '.spec' ".spec' + '..*' * 20 + '" ".spec' + '[*]' * 200 + '" '.spec.l[0:1000000:1]' ".spec[\\'' + 'a' * 100000 + '\\']"; do
		send POST $CRDS "crd('things', OPEN, additionalPrinterColumns=[dict(name='c', type='string', jsonPath='$path')])"
		[ "$code" = 201 ] || [ "$code" = 422 ]
		[ "$code" = 201 ] || continue
		n=$((n + 1))
		for _ in $(seq 200); do
			send POST $THINGS "thing('a', l=[dict(a=[dict(b=[[[[1]]]])])] * 20000)"
			[ "$code" != 404 ] || { sleep 0.02; continue; }
			break
		done
		[ "$code" = 201 ]
		api GET $THINGS -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io'
		[ "$code" = 200 ]
		[ "$(of '.rows | length')" = 1 ]
		api DELETE $CRDS/things.example.com
		wait_gone
	done
	[ "$n" -ge 3 ]
	usable
}

@test "a thousand definitions at once, and gone again: others are served, memory comes back" {
	api GET /api/v1/namespaces/default
	local least; least=$(resident)
	make "'\n'.join(json.dumps(crd('t%dx' % i, fields(**{'f%d' % j: dict(S, description='x' * 60) for j in range(50)}))) for i in range(1000))" |
		split -l 1 -a 4 -d - crd.
	for i in $(seq -w 0 999); do
		printf 'url = "http://x%s"\nunix-socket = "%s"\ndata-binary = "@crd.0%s"\nheader = "Content-Type: application/json"\noutput = /dev/null\nwrite-out = "%%{http_code}\\n"\nnext\n' $CRDS "$SOCK" "$i"
	done | sed '$d' >create
	curl -s --parallel --parallel-max 8 -K create >codes &
	local maker=$!
	while kill -0 $maker 2>/dev/null; do
		usable
	done
	wait $maker
	[ "$(sort codes | uniq -c | awk '{ print $1, $2 }')" = '1000 201' ]
	for _ in $(seq 200); do
		api GET /apis/example.com/v1
		[ "$(of '.resources | length')" != 1000 ] || break
		sleep 0.02
	done
	[ "$(of '.resources | length')" = 1000 ]
	api DELETE $CRDS
	for _ in $(seq 500); do
		api GET /apis/example.com/v1
		[ "$code" != 404 ] || break
		sleep 0.02
	done
	[ "$code" = 404 ]
	[ -n "$limit" ] || return 0
	for _ in $(seq 100); do # what changed in the last minutes is remembered, and no more
		[ "$(resident)" -ge $((least + 60)) ] || return 0
		sleep 0.1
	done
	echo "$(resident) MB, $least at the beginning"
	return 1
}
