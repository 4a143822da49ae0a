# orch-store: kinds that CustomResourceDefinitions make, from their beginning to their end.

setup() {
	BIN=${BIN:-build/bin}
	case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
	cd "$BATS_TEST_TMPDIR"
	DATA=$BATS_TEST_TMPDIR/data
	SOCK=$(mktemp -u /tmp/orch-store-bats-XXXXXX.sock) # a socket's path is short
	start
}

start() {
	: >log # not what the last one said
	"$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0 --socket "$SOCK" 2>log 3>&- &
	PID=$!
	for _ in $(seq 200); do
		grep -q 'ready:' log && return
		kill -0 "$PID" 2>/dev/null || return 1
		sleep 0.02
	done
	return 1
}

stop() { kill "$PID" && wait "$PID"; }

teardown() {
	kill "$PID" 2>/dev/null || true
	wait "$PID" || true
	rm -f "$SOCK"
}

# api METHOD PATH [BODY] [CURL OPTION...]: the answer is in $body, its status in $code
api() {
	local method=$1 path=$2 data=${3:-} type='Content-Type: application/json'
	shift 2; [ $# -eq 0 ] || shift
	[[ "$*" != *Content-Type* ]] || type='X-Other: type'
	code=$(curl -s -o out -w '%{http_code}' --unix-socket "$SOCK" -X "$method" \
		${data:+-d "$data"} -H "$type" "$@" "http://x$path")
	body=$(cat out)
}
merge() { api PATCH "$1" "$2" -H 'Content-Type: application/merge-patch+json'; }
of() { jq -r "$1" <<<"$body"; }

CRDS=/apis/apiextensions.k8s.io/v1/customresourcedefinitions
THINGS=/apis/example.com/v1/namespaces/default/things
SIZE='"type":"object","properties":{"size":{"type":"integer","minimum":1,"default":3},"color":{"type":"string"}}'

# crd PLURAL KIND [WORDS OF THE VERSION] [SPEC'S SCHEMA] [WORDS OF THE NAMES]
crd() {
	printf '{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"%s.example.com"},
"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"%s","kind":"%s"%s},"versions":[
{"name":"v1","served":true,"storage":true%s,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{%s},
"status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}]}}' "$1" "$1" "$2" "${5:-}" "${3:-}" "${4:-$SIZE}"
}
condition() { of ".status.conditions[]? | select(.type==\"$1\") | .status + \" \" + .reason"; }
# until_is PATH CONDITION WANT
until_is() {
	for _ in $(seq 200); do
		api GET "$1"
		[ "$(condition "$2")" != "$3" ] || return 0
		sleep 0.01
	done
	echo "$body"; return 1
}
# until_code CODE PATH
until_code() {
	for _ in $(seq 300); do
		api GET "$2"
		[ "$code" != "$1" ] || return 0
		sleep 0.01
	done
	echo "$code: $body"; return 1
}
things() {
	api POST $CRDS "$(crd things Thing "$@")"; [ "$code" = 201 ]
	until_is $CRDS/things.example.com Established 'True InitialNamesAccepted'
}
thing() { api POST "$THINGS${3:-}" '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"'"$1"'"},"spec":'"${2:-{\}}"'}'; }

@test "a kind comes, is everywhere, and goes with all that is of it" {
	things
	api GET /apis/example.com/v1; [ "$(of '[.resources[].name] | join(" ")')" = things ]
	api GET /apis '' -H 'Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
	[ "$(of '.items[] | select(.metadata.name=="example.com") | .versions[0].resources[0].responseKind.kind')" = Thing ]
	api GET /openapi/v3; url=$(of '.paths["apis/example.com/v1"].serverRelativeURL')
	api GET "$url"; [ "$(of '.components.schemas["com.example.v1.Thing"].properties.spec.properties.size.type')" = integer ]
	api GET /openapi/v2; [ "$(of '.definitions["com.example.v1.Thing"].properties.spec.properties.color.type')" = string ]
	thing a '{"color":"red","other":1}'
	[ "$code $(of '.spec | tojson')" = '201 {"color":"red","size":3}' ]
	thing b '{"size":0}'
	[ "$code $(of '.details.causes[0].field')" = "422 spec.size" ]
	thing c '{"other":1}' '?fieldValidation=Strict'; [ "$code" = 400 ]
	api GET /metrics
	[[ $body == *'apiserver_storage_objects{resource="things.example.com"} 1'* ]]
	[[ $body == *'apiserver_resource_objects{group="example.com",resource="things"} 1'* ]]
	[[ $body == *'code="422",component="apiserver",dry_run="",group="example.com",resource="things",scope="resource",subresource="",verb="POST",version="v1"} 1'* ]]
	api DELETE $CRDS/things.example.com; [ "$code $(of .kind)" = "200 CustomResourceDefinition" ]
	until_code 404 $CRDS/things.example.com
	until_code 404 $THINGS; [ "$body" = "404 page not found" ]
	api GET /metrics; [[ $body != *'objects{resource="things.example.com"}'* ]]
	api GET /apis; [ "$(of '[.groups[].name | select(.=="example.com")] | length')" = 0 ]
	api GET /openapi/v3; [ "$(of '.paths["apis/example.com/v1"]')" = null ]
	# and when it comes again, nothing is left of the old ones
	things; api GET $THINGS; [ "$(of '.items | length')" = 0 ]
}

@test "definitions and their objects are there again after a restart" {
	things ',"additionalPrinterColumns":[{"name":"Size","type":"integer","jsonPath":".spec.size"}]'
	thing a; thing b '{"size":9}'
	stop; : >log; start
	api GET $THINGS; [ "$(of '[.items[] | .kind + .metadata.name + (.spec.size|tostring)] | join(" ")')" = 'Thinga3 Thingb9' ]
	api GET $THINGS '' -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io'
	[ "$(of '[.rows[].cells | tojson] | join(" ")')" = '["a",3] ["b",9]' ]
	merge $THINGS/a '{"spec":{"size":5}}'; [ "$code $(of .metadata.generation)" = "200 2" ]
}

@test "names that another one of the group has are refused until they are free" {
	things
	api POST $CRDS "$(crd items Thing)"; [ "$code" = 201 ]
	until_is $CRDS/items.example.com NamesAccepted 'False ListKindConflict'
	[ "$(condition Established) $(of .status.acceptedNames.kind)" = "False NotAccepted " ]
	until_code 404 /apis/example.com/v1/items
	api DELETE $CRDS/things.example.com
	until_code 404 $CRDS/things.example.com
	until_is $CRDS/items.example.com Established 'True InitialNamesAccepted'
	until_code 200 /apis/example.com/v1/items
}

@test "a definition waits for instances that something holds" {
	things
	api POST $THINGS '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"held","finalizers":["example.com/f"]}}'
	thing free
	api DELETE $CRDS/things.example.com
	[ "$(condition Terminating)" = 'True InstanceDeletionPending' ]
	until_is $CRDS/things.example.com Terminating 'True InstanceDeletionInProgress'
	api GET $THINGS; [ "$(of '[.items[].metadata.name] | join(" ")')" = held ]
	thing late; [ "$code" = 405 ]
	[ "$(of .message)" = "create not allowed while custom resource definition is terminating" ]
	merge $THINGS/held '{"metadata":{"finalizers":null}}'; [ "$code" = 200 ]
	until_code 404 $CRDS/things.example.com
}

@test "a definition that was being deleted when the store died ends, and nothing new is made meanwhile" {
	things
	api POST $THINGS '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"held","finalizers":["example.com/f"]}}'
	api DELETE $CRDS/things.example.com
	until_is $CRDS/things.example.com Terminating 'True InstanceDeletionInProgress'
	kill -9 "$PID"; wait "$PID" || true
	start
	thing late; [ "$code" = 405 ]
	merge $THINGS/held '{"metadata":{"finalizers":null}}'; [ "$code" = 200 ]
	until_code 404 $CRDS/things.example.com
	things; api GET $THINGS; [ "$(of '.items | length')" = 0 ]
}

@test "what is written through another version gets the defaults of the one it is kept in" {
	api POST $CRDS '{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com"},
		"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"things","kind":"Thing"},"versions":[
		{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"a":{"type":"string"},"both":{"type":"string"}}}}}}},
		{"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"a":{"type":"string"},"both":{"type":"string","default":"B"},"new":{"type":"string","default":"N"}}}}}}}]}}'
	[ "$code" = 201 ]; until_code 200 $THINGS
	thing old '{"a":"1"}'
	api GET $CRDS/things.example.com
	merge $CRDS/things.example.com "$(of '{spec: {versions: [.spec.versions[] | .storage |= not]}} | tojson')"
	[ "$code $(of '.status.storedVersions | join(" ")')" = "200 v1 v2" ]
	# kept in v1, which has no defaults
	api GET "${THINGS/v1/v2}/old"; [ "$(of '.spec | tojson')" = '{"a":"1"}' ]
	# written through v1 and kept in v2, as soon as that is what counts
	for i in $(seq 200); do thing "new-$i" '{"a":"1"}'; [ "$(of .spec.both)" = null ] || break; sleep 0.01; done
	[ "$(of '.spec | tojson')" = '{"a":"1","both":"B"}' ]
	merge $THINGS/old '{"metadata":{"labels":{"x":"y"}}}'
	[ "$code $(of '.spec | tojson')" = '200 {"a":"1","both":"B"}' ]
	api GET "${THINGS/v1/v2}/old"; [ "$(of '.spec | tojson')" = '{"a":"1","both":"B","new":"N"}' ]
}

@test "what a kind of the cluster says about a namespace does not count" {
	api POST $CRDS "$(crd things Thing | jq -c '.spec.scope = "Cluster" | .metadata.namespace = "default"')"
	[ "$code $(of .metadata.namespace)" = "201 null" ]
	local all=/apis/example.com/v1/things said='"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"a","namespace":"default"}'
	until_code 200 $all
	api POST $all "{$said}"; [ "$code $(of .metadata.namespace)" = "201 null" ]
	api PUT $all/a "$(of '.metadata.namespace = "default" | .spec.size = 5 | tojson')"
	[ "$code $(of '[.metadata.namespace, .spec.size] | tojson')" = "200 [null,5]" ]
	merge $all/a '{"metadata":{"namespace":"other","labels":{"x":"y"}}}'; [ "$code $(of .metadata.namespace)" = "200 null" ]
	api PATCH "$all/b?fieldManager=m" "{${said/\"a\"/\"b\"}}" -H 'Content-Type: application/apply-patch+yaml'
	[ "$code $(of .metadata.namespace)" = "201 null" ]
}

@test "a changed schema counts at once, and shows its defaults on what is there" {
	things
	thing a '{"color":"red"}'
	curl -sN --unix-socket "$SOCK" "http://x$THINGS?watch=true&timeoutSeconds=20" >events & watch=$!
	api PUT $CRDS/things.example.com "$(jq -c '.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.note = {"type":"string","default":"new"} | del(.metadata.managedFields)' <<<"$(api GET $CRDS/things.example.com; echo "$body")")"
	[ "$code $(of .metadata.generation)" = "200 2" ]
	for _ in $(seq 200); do api GET $THINGS/a; [ "$(of .spec.note)" != new ] || break; sleep 0.01; done
	[ "$(of '.spec | tojson')" = '{"color":"red","size":3,"note":"new"}' ]
	api GET $THINGS; [ "$(of '.items[0].spec.note')" = new ]
	wait "$watch" # it saw the old kind: it ends, and its client comes again
	[ "$(jq -r .type events)" = ADDED ]
}

@test "status and scale are subresources of their own" {
	things ',"subresources":{"status":{},"scale":{"specReplicasPath":".spec.size","statusReplicasPath":".status.n","labelSelectorPath":".status.sel"}}'
	thing a '{"size":2}'
	merge $THINGS/a '{"status":{"n":7}}'; [ "$(of '.status')" = null ]
	merge $THINGS/a/status '{"status":{"n":1,"sel":"a=b"},"spec":{"size":8}}'
	[ "$code $(of '[.spec.size, .status.n, .metadata.generation] | join(" ")')" = "200 2 1 1" ]
	api GET $THINGS/a/scale
	[ "$(of '[.kind, .spec.replicas, .status.replicas, .status.selector] | join(" ")')" = "Scale 2 1 a=b" ]
	merge $THINGS/a/scale '{"spec":{"replicas":6}}'; [ "$code $(of .spec.replicas)" = "200 6" ]
	api GET $THINGS/a; [ "$(of '[.spec.size, .metadata.generation] | join(" ")')" = "6 2" ]
}

@test "only JSON and YAML, and no strategic patches" {
	things
	thing a
	api GET $THINGS/a '' -H 'Accept: application/vnd.kubernetes.protobuf'
	[ "$code $(of .message)" = '406 only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf' ]
	api GET $THINGS/a '' -H 'Accept: application/vnd.kubernetes.protobuf, application/json'; [ "$code" = 200 ]
	# the format is known to the decoder, custom objects are not in it
	api POST $THINGS 'x' -H 'Content-Type: application/vnd.kubernetes.protobuf'
	[ "$code $(of .message)" = '400 the object provided is unrecognized (must be of type Thing): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (78)' ]
	printf 'k8s\0\n\x17\n\x0eexample.com/v1\x12\x05Thing\x12\0' >proto
	api POST $THINGS '' --data-binary @proto -H 'Content-Type: application/vnd.kubernetes.protobuf'
	[ "$code" = 400 ]; [[ "$(of .message)" = *'object *unstructured.Unstructured does not implement the protobuf marshalling interface and cannot be encoded to a protobuf message' ]]
	api POST $THINGS 'x' -H 'Content-Type: text/plain'; [ "$code" = 415 ]
	api PATCH $THINGS/a '{}' -H 'Content-Type: application/strategic-merge-patch+json'; [ "$code" = 415 ]
	api PATCH "$THINGS/two?fieldManager=t" '{apiVersion: example.com/v1, kind: Thing, metadata: {name: two}, spec: {color: blue}}' \
		-H 'Content-Type: application/apply-patch+yaml'
	[ "$code $(of '.metadata.managedFields[0].fieldsV1["f:spec"] | keys | join(" ")')" = "201 f:color" ]
}

@test "OpenAPI: version 3 says all of a schema, version 2 what its clients can place" {
	local e='"e":{"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true}'
	things ',"selectableFields":[{"jsonPath":".spec.n"}]' '"type":"object","required":["n"],"properties":{"n":{"type":"string","nullable":true,"default":"x"},"i":{"x-kubernetes-int-or-string":true},'"$e"'}'
	api GET /openapi/v3; api GET "$(of '.paths["apis/example.com/v1"].serverRelativeURL')"
	[ "$(of '[.paths | keys[] | select(test("/watch/"))] | length')" = 0 ]
	body=$(jq -c '.components.schemas["com.example.v1.Thing"]' <<<"$body")
	[ "$(of '.["x-kubernetes-selectable-fields"] | tojson')" = '[{"fieldPath":"spec.n"}]' ]
	[ "$(of '.properties.spec.properties | [.i.anyOf, .e.required, (.e.properties | keys), .n.nullable] | tojson')" = '[[{"type":"integer"},{"type":"string"}],["kind","apiVersion"],["apiVersion","kind","metadata"],true]' ]
	api GET /openapi/v2
	[ "$(of '.definitions["com.example.v1.Thing"].properties.spec | [.required, .properties.n, .properties.i, .properties.e] | tojson')" = \
		'[null,{},{"x-kubernetes-int-or-string":true},{"x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true}]' ]
}

@test "a definition's status carries metadata, and it is replaced by who has seen it" {
	things
	api GET $CRDS/things.example.com
	api PUT $CRDS/things.example.com "$(of 'del(.metadata.resourceVersion) | tojson')"
	[ "$code $(of '.details.causes[0].field')" = "422 metadata.resourceVersion" ]
	merge $CRDS/things.example.com/status '{"metadata":{"labels":{"a":"b"}},"spec":{"scope":"Cluster"}}'
	[ "$code $(of .metadata.labels.a) $(of .spec.scope)" = "200 b Namespaced" ]
}

@test "selectable fields select, and versions are deprecated with a warning" {
	things ',"deprecated":true,"selectableFields":[{"jsonPath":".spec.color"}]'
	thing a '{"color":"red"}'; thing b '{"color":"blue"}'
	api GET "$THINGS?fieldSelector=spec.color%3Dred"; [ "$(of '[.items[].metadata.name] | join(" ")')" = a ]
	api GET "$THINGS?fieldSelector=spec.size%3D3"; [ "$code" = 400 ]
	curl -s -o out -D head --unix-socket "$SOCK" "http://x$THINGS"
	grep -q '^Warning: 299 - "example.com/v1 Thing is deprecated"' head
}

@test "two hundred definitions come and go" {
	for i in $(seq 200); do api POST $CRDS "$(crd "n${i}s" "N$i")"; [ "$code" = 201 ]; done
	for i in $(seq 200); do until_code 200 "/apis/example.com/v1/n${i}s" || break; done
	api GET /apis/example.com/v1; [ "$(of '.resources | length')" = 200 ]
	api DELETE $CRDS; [ "$code" = 200 ]
	for _ in $(seq 500); do api GET $CRDS; [ "$(of '.items | length')" != 0 ] || break; sleep 0.02; done
	[ "$(of '.items | length')" = 0 ]
	until_code 404 /apis/example.com/v1
	kill -0 "$PID"
}

# of two versions: in v1beta1 there is spec.b, which v1 does not know
two_versions() {
	local a='"a":{"type":"string"}'
	api POST $CRDS "$(jq -nc --argjson one "{$a}" --argjson two "{$a,\"b\":{\"type\":\"string\"}}" '
		def v($n; $p): {name: $n, served: true, storage: ($n == "v1"), schema: {openAPIV3Schema:
			{type: "object", properties: {spec: {type: "object", properties: $p}}}}};
		{apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: {name: "things.example.com"},
		 spec: {group: "example.com", scope: "Namespaced", names: {plural: "things", kind: "Thing"}, versions: [v("v1"; $one), v("v1beta1"; $two)]}}')"
	[ "$code" = 201 ]; until_is $CRDS/things.example.com Established 'True InitialNamesAccepted'
}

@test "an object that does not fit the version an owner has written in has no owners any more" {
	two_versions
	thing x '{"a":"1"}'
	merge /apis/example.com/v1beta1/namespaces/default/things/x '{"spec":{"a":"2"}}'
	[ "$code $(of '[.metadata.managedFields[].apiVersion] | join(" ")')" = "200 example.com/v1 example.com/v1beta1" ]
	merge $THINGS/x '{"spec":{"a":"3"}}'
	merge /apis/example.com/v1beta1/namespaces/default/things/x '{"spec":{"b":"z"}}'
	[ "$code $(of '.metadata.managedFields') $(of .metadata.generation)" = "200 null 4" ]
	# an apply says what is wrong
	thing y '{"a":"1"}'
	api PATCH '/apis/example.com/v1beta1/namespaces/default/things/y?fieldManager=me' \
		'{"apiVersion":"example.com/v1beta1","kind":"Thing","metadata":{"name":"y"},"spec":{"b":"z"}}' -H 'Content-Type: application/apply-patch+yaml'
	[ "$code $(of .message)" = "500 failed to convert new object: .spec.b: field not declared in schema" ]
}

@test "an apply whose list item lacks a key has no place for it; other patches force nothing" {
	things '' '"type":"object","properties":{"l":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k","p"],"items":{"type":"object","required":["k"],"properties":{"k":{"type":"string"},"p":{"type":"string","default":"q"}}}}}'
	config='{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"x"},"spec":{"l":[{"p":"a"}]}}'
	api PATCH "$THINGS/x?fieldManager=m" "$config" -H 'Content-Type: application/apply-patch+yaml'
	[ "$code" = 500 ]; [[ "$(of .message)" = *': .spec.l: element 0: associative list with keys has an element that omits key field "k" (and doesn'*' have default value)' ]]
	thing x '{}'
	merge "$THINGS/x?force=false" '{}'
	[ "$code $(of .message)" = '422 PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch' ]
}

@test "a refused patch shows the object with its keys in order" {
	things; thing a
	merge "$THINGS/a?fieldValidation=Strict" '{"spec":{"other":1}}'
	[ "$code" = 422 ]; [[ "$(of '.details.causes[0].message')" == *'\"metadata\":{\"creationTimestamp\":'*'\"generation\":1,\"managedFields\":['*'\"spec\":{\"other\":1,\"size\":3}}'* ]]
}

@test "the numbers of a scale are looked at, and there is none without a number" {
	api POST $CRDS "$(crd things Thing ',"subresources":{"status":{},"scale":{"specReplicasPath":".spec.n","statusReplicasPath":".status.n","labelSelectorPath":".status.s"}}' \
		'"type":"object","x-kubernetes-preserve-unknown-fields":true')"
	until_is $CRDS/things.example.com Established 'True InitialNamesAccepted'
	thing a '{"n":"x"}'
	[ "$code $(of '.details.causes[0] | .field + ": " + .message')" = "422 .spec.n: Invalid value: 0: .spec.n accessor error: x is of the type string, expected int64" ]
	thing a '{"n":3000000000}'
	[ "$(of '.details.causes[0].message')" = "Invalid value: 3000000000: should be less than or equal to 2147483647" ]
	thing a
	api GET $THINGS/a/scale
	[ "$code $(of .message)" = '500 Internal error occurred: the spec replicas field ".spec.n" does not exist' ]
	merge $THINGS/a/scale '{"metadata":{"resourceVersion":"1"}}'
	[ "$code $(of .message)" = '400 the spec replicas field ".spec.n" cannot be empty' ]
	api PUT $THINGS/a/scale '{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"a","namespace":"default"},"spec":{"replicas":2}}'
	[ "$code $(of .spec.replicas)" = "200 2" ]
	merge $THINGS/a/scale '{"spec":{"replicas":-1}}'
	[ "$code $(of '.details.kind + " " + .details.causes[0].field')" = "422 Thing .spec.n" ]
	merge $THINGS/a/status '{"status":{"n":-1,"s":1}}'
	[ "$(of '[.details.causes[] | .field + ": " + .message] | join("; ")')" = '.status.n: Invalid value: -1: should be a non-negative integer; .status.s: Invalid value: "": .status.s accessor error: 1 is of the type int64, expected string' ]
}

@test "a write to the status looks at nothing else, and owns what it says in vain" {
	things ',"subresources":{"status":{}}'
	thing a
	merge $CRDS/things.example.com "$(jq -nc --argjson c "$(crd things Thing ',"subresources":{"status":{}}')" \
		'$c | .spec.versions[0].schema.openAPIV3Schema.required = ["more"] | .spec.versions[0].schema.openAPIV3Schema.properties.more = {type: "string"} | {spec}')"
	[ "$code" = 200 ]
	for _ in $(seq 100); do merge $THINGS/a '{"spec":{"size":4}}'; [ "$code" != 200 ] || continue; break; done
	[ "$(of '.details.causes[0].field')" = more ]
	merge $THINGS/a/status '{"metadata":{"labels":{"a":"b"}},"status":{"x":1}}'
	[ "$code $(of .metadata.labels) $(of .status.x)" = "200 null 1" ]
	[ "$(of '.metadata.managedFields[] | select(.subresource) | .fieldsV1 | keys | join(" ")')" = "f:metadata f:status" ]
}

@test "lists that are maps may be put in another order, wrong as they are; rules see what was in atomic maps" {
	local l='"l":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object","required":["k"],"properties":{"k":{"type":"string"}}}'
	local m='"m":{"type":"object","x-kubernetes-map-type":"atomic","properties":{"n":{"type":"integer","x-kubernetes-validations":[{"rule":"self >= oldSelf"}]}}}'
	things '' "\"type\":\"object\",\"properties\":{$l},\"o\":{\"type\":\"string\"},$m}"
	thing a '{"l":[{"k":"a"},{"k":"b"}],"m":{"n":3}}'; [ "$code" = 201 ]
	merge $CRDS/things.example.com "$(jq -nc --argjson c "$(crd things Thing '' "\"type\":\"object\",\"properties\":{$l,\"maxItems\":1},\"o\":{\"type\":\"string\"},$m}")" '$c | {spec}')"
	[ "$code" = 200 ]
	for _ in $(seq 100); do thing b '{"l":[{"k":"a"},{"k":"b"}]}' '?dryRun=All'; [ "$code" = 201 ] || break; done
	merge $THINGS/a '{"spec":{"l":[{"k":"b"},{"k":"a"}],"o":"x"}}'; [ "$code" = 200 ]
	merge $THINGS/a '{"spec":{"l":[{"k":"b"},{"k":"c"}]}}'; [ "$code $(of '.details.causes[0].field')" = "422 spec.l" ]
	merge $THINGS/a '{"spec":{"m":{"n":2}}}'; [ "$code $(of '.details.causes[0].field')" = "422 spec.m.n" ]
}

@test "definitions: what is refused is shown as Kubernetes' own structs, unknown formats are warned about" {
	local crd; crd=$(crd things Thing '' '"type":"object","properties":{"a":{"type":"string","format":"wide"},"b":{"type":"integer","format":"int32"}}')
	api POST "$CRDS?dryRun=All" "$crd" -D heads
	[ "$code" = 201 ]; grep -qi '^warning: 299 - "unrecognized format \\"wide\\""' heads; [ "$(grep -ci '^warning' heads)" = 1 ]
	# one schema for all versions is moved, and then fields to select by must be the same, too
	api POST "$CRDS?dryRun=All" "$(jq -c '.spec.versions += [.spec.versions[0] | .name = "v2" | .storage = false | .selectableFields = [{jsonPath: ".spec.a"}]]' <<<"$crd")"
	[ "$code $(of '.details.causes[] | .field')" = "422 spec.versions[1].selectableFields" ]
	api POST "$CRDS?dryRun=All" "$(jq -c '.spec.versions[0].schema.openAPIV3Schema.enum = [1] | .spec.versions[0].subresources.status = {}' <<<"$crd")"
	[ "$(of '.details.causes[0].message' | sed 's/^Invalid value: //; s/: only \[Desc.*//' | jq -r '[keys_unsorted[3], .Type, .Enum[0], .Properties.spec.Properties.b.Format] | join(" ")')" = "Description object 1 int32" ]
	api POST "$CRDS?dryRun=All" "$(jq -c '.spec.versions[0] |= (.deprecated = true | .deprecationWarning = "a\u200bb")' <<<"$crd")"
	[[ "$(of '.details.causes[0].message')" = *"non-printable character found at index 1" ]]
}

@test "objects within objects have metadata as at the top; a finalizer may have any name" {
	local e='"e":{"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true}'
	local l='"l":{"type":"array","x-kubernetes-preserve-unknown-fields":true,"items":{"type":"object","properties":{"a":{"type":"object"}}}}'
	things '' "\"type\":\"object\",\"properties\":{$e,$l,\"m\":{\"type\":\"object\",\"additionalProperties\":true}}"
	thing a '{"e":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","bogus":1,"creationTimestamp":null},"more":1},"z":1,"l":[{"b":1,"a":{"c":1}}],"m":{"k":{"v":1}}}' '?fieldValidation=Warn' -D heads
	[ "$code $(of '.spec | tojson')" = '201 {"e":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"more":1},"l":[{"b":1,"a":{}}],"m":{"k":{}}}' ]
	thing b '{"e":{"apiVersion":"v1","kind":"Pod","metadata":{"bogus":1}},"z":1,"z":2}' '?fieldValidation=Strict'
	[ "$(of .message)" = 'Thing in version "v1" cannot be handled as a Thing: strict decoding error: duplicate field "spec.z", unknown field "spec.z", unknown field "spec.e.metadata.bogus"' ]
	thing b '{"e":{"apiVersion":"v1","kind":"Pod","metadata":{"labels":1}}}'
	[ "$code $(of .message)" = '400 Thing in version "v1" cannot be handled as a Thing: spec.e.metadata: Invalid value: {"labels":1}: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type map[string]string' ]
	thing b '{"e":{"kind":"","metadata":{"namespace":"A"}}}'
	[ "$code $(of '[.details.causes[].field] | join(" ")')" = "422 spec.e.apiVersion spec.e.kind spec.e.metadata.namespace" ]
	api POST $THINGS '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"f","finalizers":["short"]}}' -D heads
	[ "$code" = 201 ]; grep -q 'metadata.finalizers: \\"short\\": prefer a domain-qualified finalizer name' heads
	api PATCH $THINGS/f '{"metadata":{"labels":{"a":"b"}}}' -H 'Content-Type: application/merge-patch+json' -D heads
	[ "$code $(grep -ci ^warning heads)" = "200 0" ]
}

@test "applying the same again is no write, also where defaults stand in lists that are applied as a whole" {
	things '' '"type":"object","properties":{"refs":{"type":"array","items":{"type":"object","properties":{"kind":{"type":"string","default":"A"},"name":{"type":"string"}}}}}'
	config='{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"x"},"spec":{"refs":[{"name":"a"}]}}'
	for _ in 1 2; do
		api PATCH "$THINGS/x?fieldManager=m" "$config" -H 'Content-Type: application/apply-patch+yaml'
		[ "$(of .spec.refs[0].kind)" = A ]
		seen="${seen:-} $(of .metadata.resourceVersion) $(of .metadata.managedFields[0].time)"
		[ -n "${second:-}" ] || sleep 1.1
		second=1
	done
	read -r one at two then <<<"$seen"
	[ "$one $at" = "$two $then" ]
}

@test "custom resources have their own words for what is not there or not done" {
	things ',"additionalPrinterColumns":[{"name":"O","type":"string","jsonPath":".status.o","description":"its o"},{"name":"S","type":"integer","jsonPath":".spec.size"},{"name":"bad","type":"string","jsonPath":".spec["},{"name":"after","type":"date","jsonPath":".x"}]'
	api POST $THINGS '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"a"},"status":{"o":{"b":1,"a":[2]}}}'
	api GET $THINGS '' -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io'
	[ "$(of '[.columnDefinitions[1:][].description] | join("; ")')" = 'its o; Custom resource definition column (in JSONPath format): .spec.size' ]
	[ "$(of '.rows[0].cells | tojson')" = '["a","{\"a\":[2],\"b\":1}",null]' ]
	merge $THINGS/a '{"status":{"o":null}}'; merge $THINGS/a '{"status":{"p":1}}'
	api GET $THINGS/a/status; [ "$code $(of .message)" = '404 things.example.com "a" not found' ]
	api POST /apis/example.com/v1/things '{}'; [ "$code $body" = '404 404 page not found' ]
	api PUT $THINGS '{}'; [ "$code $(of .message)" = '405 update is not supported on resources of kind "things.example.com"' ]
	api PATCH $THINGS/a '{}' -H 'Content-Type: text/plain'; [ "$code" = 415 ]; [[ "$(of .message)" = *"include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml" ]]
	merge $THINGS/a '{"apiVersion":"example.com/v2"}'; [ "$code $(of '.details.causes[0] | .field + ": " + .message')" = '422 apiVersion: Invalid value: "example.com/v2": must be example.com/v1' ]
	api POST $THINGS '{"kind":"Thing","metadata":{"name":"b"}}'; [ "$code $(of .message)" = '400 the API version in the data () does not match the expected API version (example.com/v1)' ]
	api DELETE $THINGS/a '{"preconditions":{"uid":"x"}}'; [ "$code $(of .details.kind)" = "409 Thing" ]; [[ "$(of .message)" = *'on Thing.example.com "a": the UID in the precondition (x)'* ]]
}
