# orch-store: the API, over its unix socket and over TLS.

setup() {
	BIN=${BIN:-build/bin}
	case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
	cd "$BATS_TEST_TMPDIR"
	DATA=$BATS_TEST_TMPDIR/data
	SOCK=$(mktemp -u /tmp/orch-store-bats-XXXXXX.sock) # a socket's path is short
}

teardown() {
	stop
	rm -f "$SOCK"
}

start() {
	: >log # not what the last one said
	"$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0 --socket "$SOCK" "$@" 2>log 3>&- &
	PID=$!
	for _ in $(seq 200); do
		grep -q 'ready:' log && return
		kill -0 "$PID" 2>/dev/null || return 1
		sleep 0.02
	done
	return 1
}

stop() {
	[ -z "${PID:-}" ] || { kill "$PID" 2>/dev/null || true; wait "$PID" || true; }
	PID=
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
NS=/api/v1/namespaces/default
cm() { printf '{"metadata":{"name":"%s"%s},"data":{"k":"v"}}' "$1" "${2:-}"; }
pod() { printf '{"metadata":{"name":"%s"},"spec":{%s"containers":[{"name":"c","image":"i"}]}}' "$1" "${2:-}"; }

@test "health, version and the namespaces that are always there" {
	start
	api GET /healthz; [ "$code $body" = "200 ok" ]
	api GET '/readyz?verbose'; [[ $body == *"readyz check passed"* ]]
	api GET /version; [ "$(of .minor)" = 36 ]
	api GET /api/v1/namespaces
	[ "$(of '[.items[].metadata.name] | join(" ")')" = "default kube-node-lease kube-public kube-system" ]
	[ "$(of '.items[0].status.phase + " " + .items[0].metadata.labels["kubernetes.io/metadata.name"]')" = "Active default" ]
}

@test "create, get, update, conflict, delete" {
	start
	api POST $NS/configmaps "$(cm a)"
	[ "$code" = 201 ]
	rv=$(of .metadata.resourceVersion)
	[ -n "$(of '.metadata.uid | select(length == 36)')" ]
	api POST $NS/configmaps "$(cm a)"
	[ "$code $(of .reason) $(of .message)" = '409 AlreadyExists configmaps "a" already exists' ]
	api PUT $NS/configmaps/a "$(cm a ",\"resourceVersion\":\"$rv\",\"labels\":{\"x\":\"y\"}")"
	[ "$code" = 200 ]
	api PUT $NS/configmaps/a "$(cm a ",\"resourceVersion\":\"$rv\"")"
	[ "$code $(of .reason)" = "409 Conflict" ]
	[[ $(of .message) == 'Operation cannot be fulfilled on configmaps "a": the object has been modified'* ]]
	api GET $NS/configmaps/a
	[ "$(of '.kind + .metadata.labels.x')" = ConfigMapy ]
	api DELETE $NS/configmaps/a
	[ "$(of '.status + " " + .details.name')" = "Success a" ]
	api GET $NS/configmaps/a
	[ "$code $(of .message)" = '404 configmaps "a" not found' ]
}

@test "generateName, generation, a write that changes nothing" {
	start
	api POST $NS/pods '{"metadata":{"generateName":"web-"},"spec":{"containers":[{"name":"c","image":"i"}]}}'
	[ "$code" = 201 ]
	[[ $(of .metadata.name) =~ ^web-[a-z0-9]{5}$ ]]
	d='{"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}'
	api POST /apis/apps/v1/namespaces/default/deployments "$d"
	[ "$code $(of .metadata.generation) $(of .spec.replicas)" = "201 1 1" ]
	merge /apis/apps/v1/namespaces/default/deployments/d '{"spec":{"replicas":3},"status":{"replicas":9}}'
	[ "$(of .metadata.generation) $(of .status.replicas)" = "2 null" ]
	rv=$(of .metadata.resourceVersion)
	merge /apis/apps/v1/namespaces/default/deployments/d '{"spec":{"replicas":3}}'
	[ "$(of .metadata.resourceVersion)" = "$rv" ]
	merge /apis/apps/v1/namespaces/default/deployments/d/status '{"spec":{"replicas":7},"status":{"replicas":3}}'
	[ "$(of .metadata.generation) $(of .spec.replicas) $(of .status.replicas)" = "2 3 3" ]
	merge /apis/apps/v1/namespaces/default/deployments/d/scale '{"spec":{"replicas":5}}'
	[ "$(of .kind) $(of .spec.replicas) $(of .status.selector)" = "Scale 5 a=b" ]
}

@test "patches: merge, JSON, strategic merge" {
	start
	api POST $NS/pods "$(pod p)"
	api PATCH $NS/pods/p '[{"op":"test","path":"/spec/containers/0/image","value":"i"},{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]' \
		-H 'Content-Type: application/json-patch+json'
	[ "$code $(of .metadata.labels.a)" = "200 b" ]
	api PATCH $NS/pods/p '[{"op":"remove","path":"/spec/nothing"}]' -H 'Content-Type: application/json-patch+json'
	[ "$code $(of .reason)" = "422 Invalid" ]
	api PATCH $NS/pods/p '{"spec":{"containers":[{"name":"c","image":"j"}]}}' \
		-H 'Content-Type: application/strategic-merge-patch+json'
	[ "$code $(of .spec.containers[0].image) $(of '.spec.containers | length')" = "200 j 1" ]
	api PATCH $NS/pods/p '{}' -H 'Content-Type: application/apply-patch+json'
	[ "$code" = 415 ]
}

@test "server-side apply: owners, conflicts, force, what is no longer said" {
	start
	cm() { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata: %s\n' "$1"; }
	ssa() { api PATCH "$NS/configmaps/x?$1" "$2" -H 'Content-Type: application/apply-patch+yaml'; }
	ssa '' "$(cm '{}')"
	[ "$code $(of .reason)" = "422 Invalid" ]
	ssa fieldManager=a "$(cm '{k: "1", l: "1"}')"
	[ "$code $(of .data.k)" = "201 1" ]
	ssa fieldManager=b "$(cm '{k: "2"}')"
	[ "$code $(of '.details.causes[0].field')" = "409 .data.k" ]
	ssa 'fieldManager=b&force=true' "$(cm '{k: "2"}')"
	[ "$code $(of .data.k)" = "200 2" ]
	rv=$(of .metadata.resourceVersion)
	ssa fieldManager=b "$(cm '{k: "2"}')"
	[ "$(of .metadata.resourceVersion)" = "$rv" ]
	ssa fieldManager=a "$(cm '{}')"
	[ "$(of '.data | keys | join(" ")')" = "k" ]
	api PATCH "$NS/configmaps/x?fieldManager=u" '{"data":{"k":"3"}}' -H 'Content-Type: application/merge-patch+json'
	[ "$(of '[.metadata.managedFields[] | .manager + " " + .operation] | join(", ")')" = "a Apply, u Update" ]
	ssa fieldManager=b '{'
	[ "$code" = 400 ]
	ssa 'fieldManager=b&fieldValidation=Strict' "$(cm '{k: "3", k: "4"}')"
	[ "$code $(of .message)" = '400 error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:
  line 5: key "k" already set in map' ]
	ssa 'fieldManager=b&force=true' "$(cm '{k: "3", k: "4"}')"
	[ "$code $(of .data.k)" = "200 4" ]
}

@test "lists: selectors, pages that show one revision" {
	start
	for n in a b c d e; do api POST $NS/configmaps "$(cm $n ",\"labels\":{\"n\":\"$n\"}")"; done
	api GET "$NS/configmaps?labelSelector=n%20in%20(a,d)"
	[ "$(of '[.items[].metadata.name] | join(" ")')" = "a d" ]
	api GET "$NS/configmaps?fieldSelector=metadata.name%3Db"
	[ "$(of '[.items[].metadata.name] | join(" ")')" = b ]
	api GET "$NS/configmaps?fieldSelector=data.k%3Db"
	[ "$code" = 400 ]
	api GET "$NS/configmaps?limit=2"
	[ "$(of .metadata.remainingItemCount)" = 3 ]
	token=$(of .metadata.continue) rv=$(of .metadata.resourceVersion)
	api DELETE $NS/configmaps/d
	api POST $NS/configmaps "$(cm bb)"
	merge $NS/configmaps/c '{"data":{"k":"new"}}'
	api GET "$NS/configmaps?limit=10&continue=$token"
	[ "$(of '[.items[].metadata.name] | join(" ")')" = "c d e" ]
	[ "$(of .items[0].data.k) $(of .metadata.resourceVersion)" = "v $rv" ]
	api GET "$NS/configmaps?continue=nonsense"
	[ "$code $(of .reason)" = "400 BadRequest" ]
}

@test "watch: from a version, selectors as transitions, initial events" {
	start
	api GET $NS/configmaps; rv=$(of .metadata.resourceVersion)
	api POST $NS/configmaps "$(cm a)"
	merge $NS/configmaps/a '{"metadata":{"labels":{"in":"yes"}}}'
	merge $NS/configmaps/a '{"metadata":{"labels":{"in":"no"}}}'
	api DELETE $NS/configmaps/a
	api POST $NS/configmaps "$(cm b)"
	api GET "$NS/configmaps?watch=1&timeoutSeconds=1&resourceVersion=$rv"
	[ "$(jq -r .type out | tr '\n' ' ')" = "ADDED MODIFIED MODIFIED DELETED ADDED " ]
	api GET "$NS/configmaps?watch=1&timeoutSeconds=1&resourceVersion=$rv&labelSelector=in%3Dyes"
	[ "$(jq -r '.type + .object.metadata.labels.in' out | tr '\n' ' ')" = "ADDEDyes DELETEDyes " ]
	api GET "$NS/configmaps?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
	[ "$(jq -r '.type + (.object.metadata.name // .object.metadata.annotations["k8s.io/initial-events-end"])' out | tr '\n' ' ')" = "ADDEDb BOOKMARKtrue " ]
	for q in sendInitialEvents=true sendInitialEvents=false; do
		api GET "$NS/configmaps?$q"; [ "$code $(of '.details.causes[0].field')" = "422 sendInitialEvents" ]
	done
}

@test "a live watch hears of what happens" {
	start
	curl -sN --unix-socket "$SOCK" "http://x$NS/pods?watch=1&timeoutSeconds=2&fieldSelector=spec.nodeName%3Dn1" >events 3>&- &
	sleep 0.3
	api POST $NS/pods "$(pod p)"
	api POST $NS/pods "$(pod q '"nodeName":"n2",')"
	api POST $NS/pods/p/binding '{"metadata":{"name":"p"},"target":{"kind":"Node","name":"n1"}}'
	[ "$code $(of .status)" = "201 Success" ]
	wait $!
	[ "$(jq -r '.type + " " + .object.metadata.name' events)" = "ADDED p" ]
}

@test "finalizers hold, grace is given to pods that run" {
	start
	api POST $NS/configmaps "$(cm a ',"finalizers":["example.com/f"]')"
	api DELETE $NS/configmaps/a
	[ -n "$(of '.metadata.deletionTimestamp // empty')" ]
	merge $NS/configmaps/a '{"metadata":{"finalizers":null}}'
	api GET $NS/configmaps/a; [ "$code" = 404 ]
	api POST $NS/pods "$(pod p '"nodeName":"n1",')"
	api DELETE $NS/pods/p
	[ "$(of .metadata.deletionGracePeriodSeconds)" = 30 ]
	api GET $NS/pods/p; [ "$code" = 200 ]
	api DELETE "$NS/pods/p?gracePeriodSeconds=0"
	api GET $NS/pods/p; [ "$code" = 404 ]
	api POST $NS/pods "$(pod q)"
	api DELETE $NS/pods/q
	api GET $NS/pods/q; [ "$code" = 404 ]
}

@test "preconditions, propagation, collections" {
	start
	api POST $NS/configmaps "$(cm a)"
	api DELETE $NS/configmaps/a '{"preconditions":{"uid":"nope"}}'
	[ "$code $(of .reason)" = "409 Conflict" ]
	api DELETE $NS/configmaps/a '{"propagationPolicy":"Orphan"}'
	[ "$(of '.metadata.finalizers[0]')" = orphan ]
	api POST $NS/configmaps "$(cm b ',"labels":{"x":"y"}')"
	api POST $NS/configmaps "$(cm c)"
	api DELETE "$NS/configmaps?labelSelector=x%3Dy"
	[ "$(of '.kind + " " + .items[0].metadata.name')" = "ConfigMapList b" ]
	api GET $NS/configmaps/c; [ "$code" = 200 ]
}

@test "a namespace ends through its finalizer" {
	start
	api POST /api/v1/namespaces '{"metadata":{"name":"t"}}'
	api POST /api/v1/namespaces/nope/configmaps "$(cm a)"
	[ "$code $(of .message)" = '404 namespaces "nope" not found' ]
	api DELETE /api/v1/namespaces/t
	[ "$(of .status.phase)" = Terminating ]
	api POST /api/v1/namespaces/t/configmaps "$(cm a)"
	[ "$code $(of '.details.causes[0].reason')" = "403 NamespaceTerminating" ]
	api PUT /api/v1/namespaces/t/finalize '{"metadata":{"name":"t"},"spec":{"finalizers":[]}}'
	[ "$code" = 200 ]
	api GET /api/v1/namespaces/t; [ "$code" = 404 ]
	api DELETE /api/v1/namespaces/default; [ "$code" = 403 ]
}

@test "dry run, strict fields, YAML" {
	start
	api POST "$NS/configmaps?dryRun=All" "$(cm a)"
	[ "$code" = 201 ]
	api GET $NS/configmaps/a; [ "$code" = 404 ]
	api POST "$NS/configmaps?fieldValidation=Strict" '{"metadata":{"name":"a"},"bogus":1}'
	[ "$code" = 400 ]
	[[ $(of .message) == *'strict decoding error: unknown field "bogus"' ]]
	api POST "$NS/configmaps" '{"metadata":{"name":"a"},"bogus":1}' -D headers
	[ "$code" = 201 ]
	grep -qi '^warning: 299 - "unknown field \\"bogus\\""' headers
	api POST $NS/configmaps $'metadata: {name: yy}\ndata: {a: "1"}' -H 'Content-Type: application/yaml'
	[ "$code $(of .data.a)" = "201 1" ]
}

@test "what is wrong is refused with a Status" {
	start
	api GET /nothing; [ "$code $body" = "404 404 page not found" ]
	api GET /api/v1/bogus; [ "$code $(of .reason)" = "404 NotFound" ]
	api POST /api/v1/configmaps "$(cm a)"; [ "$code $(of .reason)" = "405 MethodNotAllowed" ]
	api POST $NS/configmaps '{"metadata":'; [ "$code $(of .reason)" = "400 BadRequest" ]
	api POST $NS/configmaps '[]'; [ "$code" = 400 ]
	api POST $NS/configmaps 'a,b' -H 'Content-Type: text/csv'; [ "$code" = 415 ]
	api GET $NS/configmaps '' -H 'Accept: text/html'; [ "$code" = 406 ]
	api POST $NS/configmaps '{"metadata":{"name":"A_b"}}'; [ "$code $(of .reason)" = "422 Invalid" ]
	api GET "$NS/configmaps?watch=1&resourceVersion=abc"; [ "$code" = 500 ]
	api GET "$NS/configmaps?resourceVersion=99999999"; [ "$code $(of .reason)" = "504 Timeout" ]
}

@test "discovery and OpenAPI" {
	start
	api GET /apis/apps/v1
	[ "$(of '.resources[] | select(.name == "deployments") | "\(.shortNames[0]) \(.storageVersionHash)"')" = "deploy 8aSe+NMegvE=" ]
	api GET /apis '' -H 'Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
	[ "$(of .kind)" = APIGroupDiscoveryList ]
	etag=$(curl -s -o /dev/null -D - --unix-socket "$SOCK" -H 'Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' \
		http://x/apis | sed -n 's/^[Ee][Tt]ag: \(.*\)\r$/\1/p')
	api GET /apis '' -H 'Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' -H "If-None-Match: $etag"
	[ "$code" = 304 ]
	api GET /openapi/v3
	api GET "$(of '.paths["apis/apps/v1"].serverRelativeURL')"
	[ "$(of '.components.schemas["io.k8s.api.apps.v1.DeploymentSpec"].properties.replicas.format')" = int32 ]
	api GET /api/v1/namespaces/default '' -H 'Accept: application/yaml'
	[[ $body == *"name: default"* ]]
}

@test "reviews answer who somebody is and what he may do" {
	start
	authn=/apis/authentication.k8s.io/v1 authz=/apis/authorization.k8s.io/v1
	api POST $authn/selfsubjectreviews '{}'
	[ "$code $(of '.kind + " " + .status.userInfo.username')" = "201 SelfSubjectReview system:admin" ]
	[ "$(of '.status.userInfo.groups | join(" ")')" = "system:masters system:authenticated" ]
	api POST $authz/selfsubjectaccessreviews '{"spec":{"resourceAttributes":{"verb":"delete","resource":"pods"}}}'
	[ "$(of .status.allowed)" = true ]
	api POST $authz/subjectaccessreviews '{"spec":{"user":"ann","groups":["system:authenticated"],"resourceAttributes":{"verb":"get","resource":"pods"}}}'
	[ "$(of .status.allowed)" = false ]
	api POST $authz/subjectaccessreviews '{"spec":{"user":"ann","groups":["system:authenticated"],"nonResourceAttributes":{"path":"/api"}}}'
	[ "$(of .status.allowed)" = true ]
	api POST $authz/subjectaccessreviews '{"spec":{}}'
	[ "$code $(of '[.details.causes[].field] | join(" ")')" = "422 spec.resourceAttributes spec.user" ]
	api POST $authz/selfsubjectrulesreviews '{"spec":{"namespace":"default"}}'
	[ "$(of '.status.resourceRules[0].verbs[0]')" = '*' ]
	api POST $authz/selfsubjectrulesreviews '{"spec":{}}'; [ "$code" = 400 ]
	api POST $authz/namespaces/default/localsubjectaccessreviews '{"spec":{"user":"ann","resourceAttributes":{"namespace":"x","verb":"get","resource":"pods"}}}'
	[ "$code" = 400 ]
	api POST $authn/tokenreviews '{"spec":{"token":"x"}}'
	[ "$(of '[.status.authenticated, .status.error] | @csv')" = ',"invalid bearer token"' ]
	api GET $authz/subjectaccessreviews; [ "$code" = 405 ]
}

@test "the old way to watch, and odd paths" {
	start
	api POST $NS/configmaps "$(cm a)"
	api POST $NS/configmaps "$(cm b)"
	api GET '/api/v1/watch/namespaces/default/configmaps/b?timeoutSeconds=1'
	[ "$(jq -r '.type + " " + .object.metadata.name' out)" = "ADDED b" ]
	api GET '/api/v1/watch/configmaps?timeoutSeconds=1'
	[ "$(jq -r 'select(.object.metadata.namespace == "default") | .object.metadata.name' out | tr '\n' ' ')" = "a b " ]
	api DELETE /api/v1/watch/namespaces/default/configmaps/b; [ "$code" = 405 ]
	api GET $NS/configmaps/b; [ "$code" = 200 ]
	api DELETE /api/v1/watch/namespaces/default/configmaps; [ "$code" = 405 ]
	api POST /api/v1/watch/namespaces/default/configmaps "$(cm c)"; [ "$code" = 405 ]
	api GET /api/v1/namespaces//configmaps; [ "$code $(of .kind)" = "200 ConfigMapList" ]
	api POST /api/v1/namespaces//configmaps "$(cm d)"; [ "$code" = 405 ]
	api GET /api/v1//configmaps; [ "$code $(of .reason)" = "404 NotFound" ]
	api GET /api/v1/bindings; [ "$code" = 404 ]
}

@test "long answers are compressed for who asks" {
	start
	big=$(head -c 200000 /dev/zero | tr '\0' x)
	printf '{"metadata":{"name":"big"},"data":{"k":"%s"}}' "$big" >big.json
	api POST $NS/configmaps @big.json; [ "$code" = 201 ]
	for path in $NS/configmaps/big $NS/configmaps; do
		api GET $path '' -H 'Accept-Encoding: gzip' --compressed -D head
		grep -qi '^content-encoding: gzip' head
		[ "$(of '.. | .k? // empty | length')" = 200000 ]
		api GET $path '' -H 'Accept-Encoding: gzip;q=0, br' -D head
		! grep -qi '^content-encoding' head
		[ "$(of '.. | .k? // empty | length')" = 200000 ]
	done
	api GET $NS/configmaps '' -H 'Accept-Encoding: gzip' -D head -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io'
	! grep -qi '^content-encoding' head # a short one
}

@test "OpenAPI is kept by its hash, and there is version 2" {
	start
	api GET /openapi/v3
	url=$(of '.paths["apis/apps/v1"].serverRelativeURL')
	api GET "$url" '' -D head
	grep -qi '^cache-control: public, immutable' head
	etag=$(sed -n 's/^[Ee][Tt]ag: \(.*\)\r$/\1/p' head)
	[[ $url == *"${etag//\"/}" ]]
	api GET "$url" '' -H "If-None-Match: $etag"; [ "$code" = 304 ]
	api GET "${url%hash=*}hash=0"; [ "$code" = 301 ]
	api GET /openapi/v3/apis/apps/v9; [ "$code" = 404 ]
	api GET /openapi/v2
	[ "$(of '.definitions["io.k8s.api.core.v1.PodSpec"].properties.containers["x-kubernetes-patch-merge-key"]')" = name ]
	api GET /openapi/v2 '' -H 'Accept: application/com.github.proto-openapi.spec.v2@v1.0+protobuf' -D head
	grep -qi '^content-type: application/com.github.proto-openapi' head
	api GET /openapi/v2 '' -H 'Accept: text/html'; [ "$code" = 406 ]
	api GET /openapi/v2 '' -H 'Accept-Encoding: gzip' -D head --compressed
	grep -qi '^content-encoding: gzip' head
	[ "$(of .swagger)" = 2.0 ]
}

@test "tables and metadata alone, also in a watch" {
	start
	table='Accept: application/json;as=Table;v=v1;g=meta.k8s.io'
	api POST $NS/configmaps "$(cm a)"; rv=$(of .metadata.resourceVersion)
	api GET $NS/configmaps '' -H "$table"
	[ "$(of '[.columnDefinitions[].name] | join(" ")') $(of '.rows[0].cells[0:2] | join(" ")')" = "Name Data Age a 1" ]
	api GET $NS/configmaps/a '' -H 'Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'
	[ "$(of .kind) $(of .metadata.name) $(of .data)" = "PartialObjectMetadata a null" ]
	api GET "$NS/configmaps?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true" '' -H "$table"
	[ "$(jq -c '[.type, .object.kind, (.object.columnDefinitions | type), .object.rows[0].cells[0]]' out | tr '\n' ' ')" = \
		'["ADDED","Table","array","a"] ["BOOKMARK","Table","null",""] ' ]
}

@test "protobuf: objects, lists, Statuses and watches, both ways" {
	local pb='application/vnd.kubernetes.protobuf' version
	start
	printf 'k8s\0\n\17\n\2v1\22\11ConfigMap\22\r\n\3\n\1p\22\6\n\1k\22\1v' >p.pb
	api POST $NS/configmaps '' -H "Content-Type: $pb" --data-binary @p.pb
	[ "$code $(of .data.k)" = "201 v" ]
	version=$(of .metadata.resourceVersion)
	# what is read can be written, and changes nothing
	api GET $NS/configmaps/p '' -H "Accept: $pb" 2>/dev/null; mv out p.pb
	[ "$(head -c 3 p.pb)" = k8s ]
	api PUT $NS/configmaps/p '' -H "Content-Type: $pb" --data-binary @p.pb
	[ "$code $(of .metadata.resourceVersion)" = "200 $version" ]
	api GET $NS/configmaps '' -H "Accept: $pb,application/json" 2>/dev/null; grep -aq ConfigMapList out
	api GET $NS/configmaps/p '' -H "Accept: $pb;as=PartialObjectMetadata;v=v1;g=meta.k8s.io" 2>/dev/null
	grep -aq PartialObjectMetadata out
	api GET $NS/configmaps/none '' -H "Accept: $pb" 2>/dev/null; [ "$code" = 404 ]; grep -aq NotFound out
	api GET "$NS/configmaps?watch=1&timeoutSeconds=1" '' -H "Accept: $pb;stream=watch" 2>/dev/null
	[ "$(od -An -N4 -tu1 out | xargs)" = "0 0 0 $(($(wc -c <out) - 4))" ]
	api POST $NS/configmaps '' -H "Content-Type: $pb" --data-binary "{}"
	[ "$code" = 400 ]; [[ $(of .message) == *"expected prefix [107 56 115 0] ({})" ]]
	printf 'k8s\0\n\17\n\2v1\22\11ConfigMap\22\2\12\5' >bad.pb
	api POST $NS/configmaps '' -H "Content-Type: $pb" --data-binary @bad.pb
	[ "$code" = 400 ]; [[ $(of .message) == "ConfigMap in version"*"'metadata': the message is cut off"* ]]
	api GET $NS/configmaps '' -H "Accept: $pb;as=Table;v=v1;g=meta.k8s.io"; [ "$code" = 406 ]
	api DELETE $NS/configmaps/p '' -H "Accept: $pb" 2>/dev/null; [ "$code" = 200 ]; grep -aq Success out
}

@test "every answer says what the request is called in logs" {
	start
	one=$(curl -si --unix-socket "$SOCK" http://x/api/v1/namespaces/nope | sed -n 's/^Audit-Id: \([0-9a-f-]*\).*/\1/p')
	[ "${#one}" -eq 36 ]
	curl -si -H 'Audit-ID: mine' --unix-socket "$SOCK" http://x/api/v1/namespaces | grep -q '^Audit-Id: mine'
	! curl -si -H "Audit-ID: $(printf '%070d' 1)" --unix-socket "$SOCK" http://x/api/v1/namespaces | grep -q '^Audit-Id: 0000'
}

@test "TLS: the kubeconfig's certificate is let in, nobody is not" {
	start
	url=$(grep -o 'https://[^,]*' log)
	grep -q "server: $url" "$DATA/admin.kubeconfig"
	c() { curl -s -o out -w '%{http_code}' --cacert "$DATA/pki/ca.crt" "$@"; }
	[ "$(c --cert "$DATA/pki/admin.crt" --key "$DATA/pki/admin.key" "$url/api/v1/nodes")" = 200 ]
	[ "$(c "$url/api/v1/nodes")" = 403 ]
	[ "$(c "$url/readyz")" = 200 ]
	[ "$(stat -c %a "$DATA/admin.kubeconfig")" = 600 ]
}

@test "what was written is there after a restart, with its history" {
	start
	api POST $NS/configmaps "$(cm a)"; rv=$(of .metadata.resourceVersion)
	merge $NS/configmaps/a '{"data":{"k":"2"}}'
	stop
	start
	api GET $NS/configmaps/a; [ "$(of .data.k)" = 2 ]
	api GET "$NS/configmaps?watch=1&timeoutSeconds=1&resourceVersion=$rv"
	[ "$(jq -r .type out)" = MODIFIED ]
}

@test "figures" {
	start --metrics 127.0.0.1:0
	api GET $NS/configmaps
	api GET /metrics
	[[ $body == *'apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="configmaps",scope="namespace",subresource="",verb="LIST",version="v1"} 1'* ]]
	[[ $body == *'apiserver_storage_objects{resource="namespaces"} 4'* ]]
	if command -v promtool >/dev/null; then promtool check metrics <out; fi
}

@test "a second store, a used port, a broken database: said, exit 3" {
	start
	run "$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0
	[ "$status" -eq 3 ]
	[[ $output == *"another orch-store is running on it" ]]
	port=$(grep -o 'https://[^,]*' log | sed 's/.*://')
	run "$BIN/orch-store" --data "$BATS_TEST_TMPDIR/other" --listen "127.0.0.1:$port"
	[ "$status" -eq 3 ]
	[[ $output == *"127.0.0.1:$port"*"in use"* ]]
	stop
	head -c 8192 /dev/urandom >"$DATA/store.db"; rm -f "$DATA"/store.db-*
	run "$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0
	[ "$status" -eq 3 ]
	[[ $output == *"store.db': file is not a database" ]]
	run "$BIN/orch-store"
	[ "$status" -eq 2 ]
}

@test "what the HTTP layer refuses under /api is a Status too" {
	start
	head -c 3145729 /dev/zero | tr '\0' x >big
	for path in $NS/configmaps /apis/apps/v1/namespaces/default/deployments; do
		code=$(curl -s -o out -w '%{http_code} %{content_type}' --unix-socket "$SOCK" -H 'Expect:' \
			-H 'Content-Type: application/json' --data-binary @big "http://x$path")
		[ "$code" = '413 application/json' ]
		[ "$(jq -r '"\(.kind) \(.reason) \(.code) \(.message)"' out)" = \
			'Status RequestEntityTooLarge 413 Request entity too large: limit is 3145728' ]
	done
	code=$(curl -s -o out -w '%{http_code}' --unix-socket "$SOCK" -H 'Expect:' --data-binary @big http://x/apix)
	[ "$code $(wc -c <out)" = '413 0' ]
	# the request line was understood, its framing not
	code=$(curl -s -o out -w '%{http_code}' --unix-socket "$SOCK" -H 'Content-Length: x' "http://x$NS/pods")
	[ "$code $(jq -r .reason out)" = '400 BadRequest' ]
}

@test "a port beyond 65535 and data of a newer schema are refused" {
	run "$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:99999
	[ "$status" -eq 2 ]
	[[ $output == *"cannot listen on '127.0.0.1:99999': a port is no larger than 65535" ]]
	python3 -c "import sqlite3,sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA user_version=3')" "$DATA/store.db"
	run "$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0
	[ "$status" -eq 3 ]
	[[ $output == *"cannot open '$DATA/store.db': it is of a newer orch-store (schema 3, this one knows 2)" ]]
}

@test "nothing is acknowledged once the database was removed" {
	start
	api POST $NS/configmaps "$(cm a)"; [ "$code" = 201 ]
	rm -r "$DATA"
	api POST $NS/configmaps "$(cm b)"
	[ "$code $(of .reason)" = "503 ServiceUnavailable" ]
	[[ $(of .message) == *"store.db': the file is not there any more"* ]]
	api GET $NS/configmaps/a; [ "$code" = 200 ]
}

@test "a quiet watch gets its bookmark before the history is written over" {
	start
	curl -sN --unix-socket "$SOCK" "http://x$NS/secrets?watch=1&allowWatchBookmarks=true&resourceVersion=4&timeoutSeconds=20" >watch &
	W=$!
	api POST $NS/configmaps "$(cm a)"
	for i in $(seq 1100); do
		printf 'url = "http://x%s/configmaps/a"\nrequest = PATCH\nheader = "Content-Type: application/merge-patch+json"\ndata = "{\\"data\\":{\\"k\\":\\"%s\\"}}"\noutput = /dev/null\nsilent\nunix-socket = "%s"\nnext\n' \
			"$NS" "$i" "$SOCK"
	done | sed '$d' >config
	curl -K config
	for _ in $(seq 100); do if grep -q BOOKMARK watch; then break; fi; sleep 0.05; done
	kill "$W" 2>/dev/null || true
	[ "$(jq -r '.object.metadata.resourceVersion | tonumber > 500' watch | head -1)" = true ]
}

@test "odd requests: bytes that are no UTF-8, a negative limit, HEAD for the health" {
	start
	api GET "$NS/configmaps/%ff%fe"
	[ "$code $(of .reason) $(of .message)" = $'404 NotFound configmaps "\uFFFD\uFFFD" not found' ]
	api GET '/api/v1/namespaces?labelSelector=%ff'
	[ "$code $(of '.message | length > 0')" = '400 true' ]
	api GET '/api/v1/namespaces?limit=-1'
	[ "$code $(of '.items | length')" = '200 4' ]
	code=$(curl -s -o out -w '%{http_code}' -I --unix-socket "$SOCK" http://x/readyz)
	[ "$code" = 200 ]
}

@test "a changed byte in the database is found, data of the first schema are read" {
	start
	api POST $NS/configmaps '{"metadata":{"name":"a"},"data":{"k":"recognizable"}}'; [ "$code" = 201 ]
	stop
	cp -r "$DATA" spoilt
	sed -i 's/recognizable/recognizably/' spoilt/store.db
	run "$BIN/orch-store" --data spoilt --listen 127.0.0.1:0 --socket "$SOCK"
	[ "$status" -eq 3 ]
	[[ $output == *"cannot read change "*" of '/v1/configmaps/default/a': its checksum is wrong" ]]
	python3 -c "import sqlite3,sys; c = sqlite3.connect(sys.argv[1])
c.executescript('ALTER TABLE changes DROP COLUMN sum; PRAGMA user_version=1')" "$DATA/store.db"
	start
	api GET $NS/configmaps/a; [ "$code $(of .data.k)" = "200 recognizable" ]
	api POST $NS/configmaps "$(cm b)"; [ "$code" = 201 ]
	stop; start
	api GET $NS/configmaps; [ "$(of '.items | length')" = 2 ]
}

@test "the kubeconfig is written when it is missing or says something else, and left alone otherwise" {
	start
	port=$(sed -n 's/.*:\([0-9]*\), revision.*/\1/p' log)
	before=$(stat -c %i "$DATA/admin.kubeconfig")
	stop
	chmod 644 "$DATA/admin.kubeconfig"
	start --listen "127.0.0.1:$port"
	[ "$(stat -c '%i %a' "$DATA/admin.kubeconfig")" = "$before 600" ]
	stop
	rm "$DATA/admin.kubeconfig"
	start
	grep -q server: "$DATA/admin.kubeconfig"
	[ "$(stat -c %a "$DATA/admin.kubeconfig")" = 600 ]
}

@test "a version that is not reached yet" {
	start
	for q in '' '&watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan'; do
		api GET "$NS/configmaps?resourceVersion=99999$q"
		[ "$code $(of '"\(.reason) \(.details.causes[0].reason) \(.details.retryAfterSeconds)"')" = \
			'504 Timeout ResourceVersionTooLarge 1' ]
		[[ "$(of .message)" =~ ^'Timeout: Too large resource version: 99999, current: '[0-9]+$ ]]
	done
	# a plain watch waits for it
	api GET "$NS/configmaps?resourceVersion=99999&watch=1&timeoutSeconds=1"
	[ "$code$body" = 200 ]
}

@test "--history says how long changes are remembered" {
	fill() { # more changes than are kept in any case
		local i
		api POST $NS/configmaps "$(cm old)"
		for i in $(seq 1100); do
			printf 'next\nunix-socket = "%s"\nurl = "http://x%s/configmaps/old"\nrequest = PATCH\nheader = "Content-Type: application/merge-patch+json"\ndata = "{\\"data\\":{\\"k\\":\\"%s\\"}}"\noutput = /dev/null\n' "$SOCK" "$NS" "$i"
		done | sed 1d >curls
		curl -s -K curls
	}
	start --history 1s
	fill
	sleep 2.5
	api POST $NS/configmaps "$(cm last)" # what is too old goes with a write
	sleep 0.5
	api GET "$NS/configmaps?resourceVersion=60&resourceVersionMatch=Exact"; [ "$code" = 410 ]
	stop
	rm -rf "$DATA"
	start --history=1h
	fill
	sleep 2.5
	api POST $NS/configmaps "$(cm last)"
	sleep 0.5
	api GET "$NS/configmaps?resourceVersion=60&resourceVersionMatch=Exact"; [ "$code" = 200 ]
	stop
	run "$BIN/orch-store" --data "$DATA" --history soon; [ "$status" -eq 2 ]
	run "$BIN/orch-store" --data "$DATA" --history=-5m; [ "$status" -eq 2 ]
}
