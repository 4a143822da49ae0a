# orch-print: the object stream for people and scripts.
bats_require_minimum_version 1.5.0

setup() {
	BIN=${BIN:-build/bin}
	cd "$BATS_TEST_TMPDIR"
	cat >pod <<-'J'
	{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"a","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"app":"web","example.com/tier":"front"}},"spec":{"nodeName":"n1","containers":[{"name":"c","image":"i"}]},"status":{"phase":"Running","podIP":"10.0.0.1","containerStatuses":[{"name":"c","ready":true,"restartCount":0,"state":{"running":{}}}]}}
	J
	cat >more <<-'J'
	{"apiVersion":"v1","kind":"Pod","metadata":{"name":"database-0","namespace":"a"},"spec":{"containers":[{},{}]},"status":{"phase":"Pending"}}
	{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"a","creationTimestamp":"2025-01-01T00:00:00Z"},"spec":{"replicas":2}}
	{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}
	J
	cat pod more >all
}

print() { "$BIN/orch-print" -t 2026-01-01T00:10:00Z "$@"; }

@test "a table, as kubectl prints it" {
	run print pod
	[ "$status" -eq 0 ]
	[ "$output" = 'NAME   READY   STATUS    RESTARTS   AGE
web    1/1     Running   0          10m' ]
	run print -o wide pod
	[ "${lines[0]}" = 'NAME   READY   STATUS    RESTARTS   AGE   IP         NODE   NOMINATED NODE   READINESS GATES' ]
	run print --no-headers pod
	[ "$output" = 'web   1/1   Running   0     10m' ]
}

@test "a table per kind, names with the kind" {
	run print all
	[ "$status" -eq 0 ]
	diff - <(echo "$output") <<-'T'
	NAME             READY   STATUS    RESTARTS   AGE
	pod/web          1/1     Running   0          10m
	pod/database-0   0/2     Pending   0          <unknown>

	NAME                  READY   UP-TO-DATE   AVAILABLE   AGE
	deployment.apps/web   0/2     0            0           365d

	NAME      STATUS    ROLES    AGE         VERSION
	node/n1   Unknown   <none>   <unknown>   
	T
}

@test "the namespace shows when there are several, or with -A" {
	run print <<-'J'
	{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"x","namespace":"a"}}
	{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"y","namespace":"bb"}}
	J
	[ "${lines[0]}" = 'NAMESPACE   NAME   AGE' ]
	[ "${lines[2]}" = 'bb          y      <unknown>' ]
	run print -A pod
	[[ "${lines[0]}" == 'NAMESPACE   NAME '* ]]
	run print -A <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"x"}}'
	[[ "${lines[0]}" == 'NAME '* ]]
}

@test "labels: all, or some as columns" {
	run print --show-labels pod
	[[ "${lines[0]}" == *' LABELS' ]]
	[[ "${lines[1]}" == *' app=web,example.com/tier=front' ]]
	run print -L example.com/tier,none pod
	[[ "${lines[0]}" == *' AGE   TIER    NONE' ]]
	[[ "${lines[1]}" == *' 10m   front   <none>' ]]
}

@test "names" {
	[ "$(print -o name all)" = 'pod/web
pod/database-0
deployment.apps/web
node/n1' ]
}

@test "json: one object as itself, several as a List" {
	run print -o json pod
	[ "${lines[0]}" = '{' ]
	[ "${lines[1]}" = '    "apiVersion": "v1",' ]
	[ "$(print -o json all | jq -c '[.kind, .apiVersion, (.items|length)]')" = '["List","v1",4]' ]
	[ "$(print --list -o json pod | jq -c '[.kind, (.items|length)]')" = '["List",1]' ]
	[ "$(print --list -o json </dev/null | jq -c .items)" = '[]' ]
	[ "$(print -o json </dev/null)" = '' ]
	[ "$(print -e -o json all | jq -s length)" = 4 ]
	[ "$(print -k -o json pod | sed -n 2p)" = '    "kind": "Pod",' ]
}

@test "yaml: documents that orch-parse reads again" {
	print -o yaml all >y
	[ "$(grep -c '^---$' y)" = 3 ]
	diff <(jq -cS . all) <("$BIN/orch-parse" y | jq -cS .)
	diff <(cat pod) <(print -k -o yaml pod | "$BIN/orch-parse")
	[ "$(print --list -o yaml all | sed -n 1,2p)" = 'apiVersion: v1
items:' ]
}

@test "jsonl passes through" {
	diff all <(print -o jsonl all)
}

@test "jsonpath" {
	[ "$(print -o jsonpath='{.metadata.name}' pod)" = web ]
	[ "$(print -o jsonpath='{.items[*].metadata.name}' all)" = 'web database-0 web n1' ]
	[ "$(print -o jsonpath='{range .items[*]}{.kind}{"\t"}{.metadata.name}{"\n"}{end}' more)" = "$(printf 'Pod\tdatabase-0\nDeployment\tweb\nNode\tn1')" ]
	[ "$(print -e -o jsonpath='{.metadata.name}' all)" = 'web
database-0
web
n1' ]
	[ "$(print --list -o jsonpath='{.items[0].kind}' pod)" = Pod ]
	echo -n '{.kind}' >template
	[ "$(print -o jsonpath-file=template pod)" = Pod ]
}

@test "custom columns" {
	run print -o custom-columns=NAME:.metadata.name,IMAGES:.spec.containers[*].image,NODE:spec.nodeName all
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 'NAME         IMAGES   NODE' ]
	[ "${lines[1]}" = 'web          i        n1' ]
	[ "${lines[2]}" = 'database-0   <none>   <none>' ]
	printf 'A  B\n.kind {.metadata.name}\n' >columns
	run print --no-headers -o custom-columns-file=columns pod
	[ "$output" = 'Pod   web' ]
}

@test "what could disturb a terminal is made harmless" {
	run print <<<'{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"a\u001b[31m\nb"}}'
	[[ "${lines[1]}" == 'a^[[31m...'* ]]
}

@test "mistakes" {
	run print -o nonsense pod
	[ "$status" -eq 2 ]
	[[ "$output" == *"unknown output format 'nonsense'"* ]]
	run print -o jsonpath='{.a' pod
	[ "$status" -eq 2 ]
	[[ "$output" == *"at character 4 of the template"* ]]
	run print -o custom-columns=A pod
	[ "$status" -eq 2 ]
	run print -o jsonpath-file=missing pod
	[ "$status" -eq 2 ]
	run print --list --each pod
	[ "$status" -eq 2 ]
	run print -t yesterday pod
	[ "$status" -eq 2 ]
	run print <<<'{"a":1}'
	[ "$status" -eq 2 ]
}

@test "a pipe from YAML to a table" {
	run bash -c "printf 'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {k: v}}\n' |
	    '$BIN/orch-parse' | '$BIN/orch-select' cm | '$BIN/orch-print'"
	[ "${lines[1]}" = 'c      1      <unknown>' ]
}

# --- custom kinds

widgets() { # the definition of a kind, and NAME:SIZE...
	cat <<-'Y'
	apiVersion: apiextensions.k8s.io/v1
	kind: CustomResourceDefinition
	metadata: {name: widgets.example.com}
	spec:
	  group: example.com
	  scope: Namespaced
	  names: {plural: widgets, kind: Widget, shortNames: [wd], categories: [toys]}
	  versions:
	  - name: v1
	    served: true
	    storage: true
	    additionalPrinterColumns:
	    - {name: Size, type: integer, jsonPath: .spec.size}
	    - {name: Color, type: string, jsonPath: .spec.color, priority: 1}
	    schema:
	      openAPIV3Schema:
	        type: object
	        properties:
	          spec: {type: object, properties: {size: {type: integer}, color: {type: string}}}
	Y
}
widget() { # NAME SIZE
	printf '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"%s"},"spec":{"size":%s,"color":"red"}}\n' "$1" "$2"
}

@test "custom: columns of a definition, before its objects, between them and behind, and from a file" {
	cd "$BATS_TEST_TMPDIR"
	widgets >crd.yaml
	widget a 1 >a.json
	widget b 2 >b.json
	want=$'NAME   SIZE\na      1\nb      2'
	[ "$("$BIN/orch-print" --crds crd.yaml a.json b.json)" = "$want" ]
	want=$'NAME                   SIZE   COLOR\nwidget.example.com/a   1      red\nwidget.example.com/b   2      red'
	for order in "crd.yaml a.json b.json" "a.json crd.yaml b.json" "a.json b.json crd.yaml"; do
		run "$BIN/orch-print" -o wide $order
		[ "$status" -eq 0 ]
		[[ "$output" == *"$want"* ]]
	done
}

@test "custom: without a definition a kind has its names and ages" {
	run "$BIN/orch-print" -t 2026-01-01T00:00:00Z <<<'{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a","creationTimestamp":"2025-12-31T23:00:00Z"}}'
	[ "$output" = $'NAME   AGE\na      60m' ]
}

@test "custom: a definition that is none is said, and no more" {
	cd "$BATS_TEST_TMPDIR"
	widgets | sed 's/type: object$/type: thing/' >crd.yaml
	run --separate-stderr "$BIN/orch-print" --crds crd.yaml <<<'{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a"}}'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "NAME   AGE" ]
	[[ "$stderr" == *"warning: crd.yaml:1: cannot learn from 'widgets.example.com': "*'Unsupported value: "thing"'* ]]
}
