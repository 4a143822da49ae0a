# orch-store: custom objects in versions that a webhook makes of each other.

setup() {
	BIN=${BIN:-build/bin}
	case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
	WEBHOOK=$BATS_TEST_DIRNAME/conversion.py
	cd "$BATS_TEST_TMPDIR"
	DATA=$BATS_TEST_TMPDIR/data
	SOCK=$(mktemp -u /tmp/orch-store-bats-XXXXXX.sock) # a socket's path is short
	OTHERS=
	certificate
	webhook
	start
}

start() {
	"$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0 --socket "$SOCK" 2>log 3>&- &
	PID=$!
	for _ in $(seq 400); do
		grep -q 'ready:' log && return
		kill -0 "$PID" 2>/dev/null || return 1
		sleep 0.02
	done
	return 1
}
stop() { kill "$PID" && wait "$PID"; }

# an authority, and a certificate of its for the webhook
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 \
		-subj /CN=authority 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout hook.key -out hook.csr -subj /CN=hook 2>/dev/null
	printf 'subjectAltName=IP:127.0.0.1,DNS:hook.tools.svc\n' >ext
	openssl x509 -req -in hook.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out hook.crt 2>/dev/null
	CA=$(base64 -w0 ca.crt)
}
webhook() {
	PORT=${1:-0} python3 "$WEBHOOK" hook.crt hook.key >port 2>hook.log 3>&- &
	HOOK=$!
	for _ in $(seq 400); do
		[ ! -s port ] || break
		sleep 0.02
	done
	PORT=$(cat port)
}

teardown() {
	rm -f mode
	kill "$PID" "$HOOK" $OTHERS 2>/dev/null || true
	wait "$PID" "$HOOK" $OTHERS 2>/dev/null || true
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
apply() { api PATCH "$1" "$2" -H 'Content-Type: application/apply-patch+yaml'; }
of() { jq -r "$1" <<<"$body"; }
spec() { jq -cS .spec <<<"$body"; }
# refused TEXT: 500 with it in the message, and without a reason
refused() { [ "$code $(of '.reason // "none"')" = "500 none" ] && [[ "$(of .message)" == *"$1"* ]] || { echo "$code: $body"; return 1; }; }

CRDS=/apis/apiextensions.k8s.io/v1/customresourcedefinitions
V1=/apis/example.com/v1/namespaces/default/things
V2=/apis/example.com/v2/namespaces/default/things
FAILED='conversion webhook for example.com/v1, Kind=Thing'

url() { printf '{"url":"https://127.0.0.1:%s%s","caBundle":"%s"}' "$PORT" "${1-/convert}" "${2-$CA}"; }
# conversion [CLIENTCONFIG] [REVIEW VERSIONS]
conversion() { printf '{"strategy":"Webhook","webhook":{"clientConfig":%s,"conversionReviewVersions":%s}}' "${1:-$(url)}" "${2:-[\"v1\"]}"; }

# crd [CONVERSION] [STORED VERSION]
crd() {
	local subs='"subresources":{"status":{},"scale":{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas"}},
"additionalPrinterColumns":[{"name":"Host","type":"string","jsonPath":".spec.host"}]'
	local common='"replicas":{"type":"integer"},"list":{"type":"array","items":{"type":"string"}}'
	local status='"status":{"type":"object","properties":{"replicas":{"type":"integer"},"word":{"type":"string"}}}'
	jq -c --arg stored "${2:-v1}" '.spec.versions[] |= (.storage = (.name == $stored))' <<E
{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com"},
"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"things","kind":"Thing"},"conversion":${1:-$(conversion)},"versions":[
{"name":"v1","served":true,$subs,"schema":{"openAPIV3Schema":{"type":"object","properties":{$status,"spec":{"type":"object","properties":{
  "hostPort":{"type":"string","default":"localhost:80"},$common}}}}}},
{"name":"v2","served":true,$subs,"selectableFields":[{"jsonPath":".spec.host"}],"schema":{"openAPIV3Schema":{"type":"object","properties":{$status,"spec":{"type":"object","properties":{
  "host":{"type":"string"},"port":{"type":"string"},"comment":{"type":"string"},$common}}}}}}]}}
E
}
# until_is WHAT JQ PATH: until the answer's JQ is WHAT
until_is() {
	for _ in $(seq 300); do
		api GET "$3"
		[ "$(of "$2" 2>/dev/null)" != "$1" ] || return 0
		sleep 0.02
	done
	echo "$body"; return 1
}
things() {
	api POST $CRDS "$(crd "$@")"; [ "$code" = 201 ] || { echo "$body"; return 1; }
	until_is True '.status.conditions[]? | select(.type=="Established") | .status' $CRDS/things.example.com
}
# the definition with what jq makes of it, and until it is served so
redefine() {
	api GET $CRDS/things.example.com
	body=$(jq -c "$1" <<<"$body")
	api PUT $CRDS/things.example.com "$body"; [ "$code" = 200 ] || { echo "$body"; return 1; }
	sleep 0.3
}
# thing NAME HOSTPORT
thing() { api POST $V1 '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"'"$1"'"},"spec":{"hostPort":"'"$2"'"}}'; }
asked() { jq -s "${1:-length}" asked; }
# watch OUT PATH: a watch in the background
watch() {
	curl -sN --unix-socket "$SOCK" "http://x$2" >"$1" 3>&- &
	OTHERS="$OTHERS $!"
}
# until_lines N FILE
until_lines() {
	for _ in $(seq 300); do
		[ "$(wc -l <"$2")" -lt "$1" ] || return 0
		sleep 0.02
	done
	cat "$2"; return 1
}

@test "an object is read in the version that it is not kept in, asked for once" {
	things; thing a h:1; [ "$code" = 201 ]
	api GET $V1/a; [ "$code $(of .spec.hostPort)" = "200 h:1" ]
	[ ! -e asked ]
	api GET $V2/a; [ "$code $(of '.apiVersion + " " + (.spec | tojson)')" = '200 example.com/v2 {"host":"h","port":"1"}' ]
	revision=$(of .metadata.resourceVersion)
	[ "$(asked '.[0] | [.path, .review, .to, (.n|tostring), (.versions[0]|tostring)] | join(" ")' | tr -d '"')" = \
		"/convert?timeout=30s apiextensions.k8s.io/v1 example.com/v2 1 false" ]
	api GET $V1/a; [ "$(of .metadata.resourceVersion)" = "$revision" ]
	api GET $V2/a; api GET $V2/a; [ "$(of .spec.host)" = h ]
	[ "$(asked)" = 1 ]
}

@test "a list asks once for all of them, in order" {
	things
	for i in $(seq 30); do thing "t$((i + 100))" "h$i:$i"; done
	api GET $V2; [ "$code $(of '.apiVersion + " " + .kind')" = "200 example.com/v2 ThingList" ]
	[ "$(of '[.items[] | .metadata.name + .spec.host] | join(" ")')" = "$(for i in $(seq 30); do printf 't%dh%d ' $((i + 100)) $i; done | sed 's/ $//')" ]
	[ "$(asked '[.[].n]|tojson' | tr -d '"')" = "[30]" ]
	thing u h99:1
	api GET /apis/example.com/v2/things; [ "$(of '.items | length')" = 31 ]
	[ "$(asked '[.[].n]|tojson' | tr -d '"')" = "[30,1]" ] # the others are known
}

@test "writes in another version are kept in the one that is stored" {
	things
	api POST "$V2?dryRun=All" '{"apiVersion":"example.com/v2","kind":"Thing","metadata":{"name":"d"},"spec":{"host":"h","port":"1","comment":"c"}}'
	[ "$code $(spec) $(of '.metadata.resourceVersion')" = '201 {"host":"h","port":"1"} null' ]
	api GET $V1/d; [ "$code" = 404 ]
	api POST $V2 '{"apiVersion":"example.com/v2","kind":"Thing","metadata":{"name":"a"},"spec":{"host":"h","port":"1","comment":"c"}}'
	# what the kept version cannot say is lost
	[ "$code $(of '.apiVersion + (.spec|tojson)')" = '201 example.com/v2{"host":"h","port":"1"}' ]
	api GET $V1/a; [ "$(spec)" = '{"hostPort":"h:1"}' ]
	api GET $V2/a; body=$(jq -c '.spec.port="2"' <<<"$body")
	api PUT $V2/a "$body"; [ "$code $(of '.spec.port + (.metadata.generation|tostring)')" = "200 22" ]
	merge $V2/a '{"spec":{"host":"i"}}'; [ "$code $(of .spec.host)" = "200 i" ]
	merge $V2/a '{"spec":{"host":"x"}}' ; api PATCH "$V2/a?dryRun=All" '[{"op":"replace","path":"/spec/host","value":"dry"}]' -H 'Content-Type: application/json-patch+json'
	[ "$code $(of .spec.host)" = "200 dry" ]
	api GET $V1/a; [ "$(of .spec.hostPort)" = x:2 ]
	revision=$(of .metadata.resourceVersion)
	merge $V2/a '{"spec":{"host":"x"}}'; [ "$code $(of .metadata.resourceVersion)" = "200 $revision" ] # nothing to write
	api PUT $V2/a '{"apiVersion":"example.com/v2","kind":"Thing","metadata":{"name":"a","resourceVersion":"1"},"spec":{}}'; [ "$code" = 409 ]
	api DELETE $V2/a; [ "$code $(of .status)" = "200 Success" ]
	api GET $V1/a; [ "$code" = 404 ]
}

@test "status and scale are seen and written in another version" {
	things; thing a h:1
	merge $V2/a/status '{"status":{"word":"w","replicas":2},"spec":{"host":"no"}}'
	[ "$code $(of '.status.word + .spec.host')" = "200 wh" ]
	merge $V2/a/scale '{"spec":{"replicas":4}}'; [ "$code $(of '(.spec.replicas|tostring) + (.status.replicas|tostring)')" = "200 42" ]
	api GET $V2/a/scale; [ "$(of .spec.replicas)" = 4 ]
	api PUT $V2/a/scale '{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"a"},"spec":{"replicas":5}}'; [ "$code" = 200 ]
	api GET $V1/a; [ "$(spec)" = '{"hostPort":"h:1","replicas":5}' ]
	echo failure >mode
	merge $V2/a/scale '{"spec":{"replicas":6}}'; refused 'conversion webhook for example.com/v2, Kind=Thing failed: not today'
	merge $V2/a/status '{"status":{"word":"x"}}'; refused 'Kind=Thing failed: not today'
}

@test "owners of fields in two versions" {
	things
	apply "$V1/a?fieldManager=one" '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"hostPort":"h:1"}}'
	[ "$code" = 201 ]
	apply "$V2/a?fieldManager=two" '{"apiVersion":"example.com/v2","kind":"Thing","metadata":{"name":"a"},"spec":{"host":"h","port":"1","replicas":3}}'
	[ "$code" = 200 ]
	[ "$(of '[.metadata.managedFields[] | .manager + " " + .apiVersion + " " + (.fieldsV1["f:spec"] | keys | join(","))] | sort | join("; ")')" = \
		"one example.com/v1 f:hostPort; two example.com/v2 f:host,f:port,f:replicas" ]
	apply "$V2/a?fieldManager=two" '{"apiVersion":"example.com/v2","kind":"Thing","metadata":{"name":"a"},"spec":{"host":"other","port":"1","replicas":3}}'
	[ "$code $(of '[.details.causes[].field]|join(" ")')" = "409 .spec.hostPort" ]
	apply "$V2/a?fieldManager=two&force=true" '{"apiVersion":"example.com/v2","kind":"Thing","metadata":{"name":"a"},"spec":{"host":"other","port":"1","replicas":3}}'
	[ "$code" = 200 ]
	[ "$(of '[.metadata.managedFields[].manager] | join(" ")')" = two ]
	api GET $V1/a; [ "$(spec)" = '{"hostPort":"other:1","replicas":3}' ]
	# what nobody says any more goes, also where it was said in another version
	apply "$V1/a?fieldManager=two" '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"hostPort":"other:1"}}'
	[ "$code $(spec)" = '200 {"hostPort":"other:1"}' ]
}

@test "a list or an object of a webhook that is down, and of one that is not to be trusted" {
	things; thing a h:1; thing b h:2
	kill "$HOOK"; wait "$HOOK" || true
	api GET $V2/a; refused "$FAILED failed: Post \"https://127.0.0.1:$PORT/convert?timeout=30s\": dial tcp 127.0.0.1:$PORT: connect: connection refused"
	api GET $V2; refused "$FAILED failed: Post"
	api GET $V1/a; [ "$code" = 200 ]
	thing c h:3; [ "$code" = 201 ]
	merge $V1/a '{"spec":{"replicas":1}}'; [ "$code" = 200 ]
	merge $V2/a '{"spec":{"replicas":2}}'; refused "$FAILED failed"
	api DELETE $V2/a; refused "$FAILED failed"
	api DELETE $V2; refused "$FAILED failed"
	api POST $V2 '{"apiVersion":"example.com/v2","kind":"Thing","metadata":{"name":"n"},"spec":{"host":"h","port":"1"}}'
	refused 'conversion webhook for example.com/v2, Kind=Thing failed: Post'
	webhook "$PORT"
	api GET $V2; [ "$code $(of '.items|length')" = "200 3" ]
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -out x.crt -days 2 -subj /CN=stranger 2>/dev/null
	redefine ".spec.conversion.webhook.clientConfig.caBundle = \"$(base64 -w0 x.crt)\""
	api GET $V2/a; refused 'x509: certificate signed by unknown authority'
	redefine 'del(.spec.conversion.webhook.clientConfig.caBundle)'
	api GET $V2/a; refused 'x509: certificate signed by unknown authority'
	redefine ".spec.conversion.webhook.clientConfig = $(url | sed s/127.0.0.1/localhost/)"
	api GET $V2/a; refused 'x509: certificate is valid for'
}

# bad MODE WORDS: what an object is told when the webhook behaves like this
bad() {
	echo "$1" >mode
	api GET $V2/a; refused "$2"
	[ "$(of .code)" = 500 ]
}

@test "a webhook that answers what it must not" {
	things; thing a h:1
	bad failure "$FAILED failed: not today"
	bad quiet "$FAILED failed: response.result.status was 'Failure', not 'Success'"
	bad noresult "$FAILED failed: response.result.status was '', not 'Success'"
	bad wronguid "$FAILED failed: expected response.uid=\""
	bad noresponse "$FAILED failed: no response provided"
	bad v1beta1 "$FAILED failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got apiextensions.k8s.io/v1beta1, Kind=ConversionReview"
	bad otherkind "$FAILED failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /v1, Kind=Pod"
	bad fewer "$FAILED returned 0 objects, expected 1"
	bad more "$FAILED returned 2 objects, expected 1"
	bad noobjects "$FAILED returned 0 objects, expected 1"
	bad version "$FAILED returned invalid object at index 0: invalid groupVersion (expected example.com/v2, received example.com/v9)"
	bad group "invalid groupVersion (expected example.com/v2, received v1)"
	bad kind "$FAILED returned invalid object at index 0: invalid kind (expected Thing, received Other)"
	bad name "$FAILED returned invalid object: must have the same name: a != other"
	bad namespace "must have the same namespace: default != other"
	bad uid "must have the same UID: "
	bad nometadata "$FAILED returned invalid object: must have the same name: a != "
	bad textmetadata "$FAILED returned invalid object"
	bad badlabel "$FAILED returned invalid metadata: metadata.labels: Invalid value: \"a b\""
	bad intlabel "$FAILED returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object"
	bad listlabels "$FAILED returned invalid metadata: invalid metadata.labels of type []interface {} in converted object"
	bad nullobject "$FAILED "
	bad nokind "$FAILED "
	bad text "$FAILED failed: couldn't get version/kind; json parse error: invalid character 'h' looking for beginning of value"
	bad empty "$FAILED failed: couldn't get version/kind; json parse error: unexpected end of JSON input"
	bad number "$FAILED failed: "
	bad deep "$FAILED failed: couldn't get version/kind; json parse error"
	bad huge "$FAILED failed: Post"
	bad hangup "$FAILED failed: Post"
	bad 500 "$FAILED failed: an error on the server (\"out of order\") has prevented the request from succeeding"
	bad 404 "$FAILED failed: the server could not find the requested resource"
	bad 503 "$FAILED failed: the server is currently unable to handle the request"
	bad 307 "$FAILED failed: the server responded with the status code 307"
	bad status "$FAILED failed: in words"
	rm mode
	api GET $V2/a; [ "$code" = 200 ]
}

@test "of metadata only labels and annotations are the webhook's, and what the schema does not know goes" {
	things; thing a h:1; api GET $V1/a; was=$(of '.metadata | del(.labels, .annotations) | tojson')
	echo metadata >mode
	api GET $V2/a; [ "$code $(of '.metadata | [.labels.from, .annotations.also] | join(" ")')" = "200 webhook webhook" ]
	[ "$(of '.metadata | del(.labels, .annotations) | tojson')" = "$was" ]
	# selectors see what is shown
	api GET "$V2?labelSelector=from%3Dwebhook"; [ "$(of '.items | length')" = 1 ]
	api GET "$V1?labelSelector=from%3Dwebhook"; [ "$(of '.items | length')" = 0 ]
	echo unknown >mode
	thing b h:2; api GET $V2/b; [ "$code $(of 'keys|join(" ")') $(spec)" = '200 apiVersion kind metadata spec {"host":"h","port":"2"}' ]
}

@test "lists of some: selectors, pages, tables, metadata alone, and a deletion" {
	things
	for i in $(seq 12); do thing "t$((i + 10))" "h$((i % 3)):$i"; done
	api GET "$V2?fieldSelector=spec.host%3Dh1"; [ "$(of '[.items[].metadata.name] | join(" ")')" = "t11 t14 t17 t20" ]
	api GET "$V2?limit=5"; [ "$(of '[.items[].spec.port] | join(" ") ') $(of .metadata.remainingItemCount)" = "1 2 3 4 5 7" ]
	api GET "$V2?limit=5&continue=$(of .metadata.continue)"; [ "$(of '[.items[].spec.port] | join(" ")')" = "6 7 8 9 10" ]
	api GET "$V2?limit=3&fieldSelector=spec.host%3Dh1"; [ "$(of '[.items[].metadata.name] | join(" ")')" = "t11 t14 t17" ]
	api GET "$V2?limit=3&fieldSelector=spec.host%3Dh1&continue=$(of .metadata.continue)"
	[ "$(of '[.items[].metadata.name] | join(" ")') $(of .metadata.continue)" = "t20 " ]
	[ "$(asked '[.[].n] | add')" = 12 ]
	api GET $V2 '' -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io'
	[ "$(of '.rows[3].cells | tojson')" = '["t14","h1"]' ]
	api GET $V2/t12 '' -H 'Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'
	[ "$(of '.kind + .metadata.name')" = PartialObjectMetadatat12 ]
	api DELETE "$V2?fieldSelector=spec.host%3Dh1"; [ "$code $(of '[.items[].spec.port]|join(" ")')" = "200 1 4 7 10" ]
	api GET $V1; [ "$(of '.items|length')" = 8 ]
	echo failure >mode; thing z z:1
	api GET $V2; refused "$FAILED failed: not today"
}

@test "a webhook behind a Service, by the older review, at a path" {
	api POST /api/v1/namespaces '{"metadata":{"name":"tools"}}'
	api POST /api/v1/namespaces/tools/services '{"metadata":{"name":"hook"},"spec":{"type":"ExternalName","externalName":"localhost"}}'
	[ "$code" = 201 ]
	local service='{"service":{"namespace":"tools","name":"hook","path":"/a/b/","port":'"$PORT"'},"caBundle":"'"$CA"'"}'
	things "$(conversion "$service" '["v9","v1beta1","v1"]')"; thing a h:1
	api GET $V2/a; [ "$code $(spec)" = '200 {"host":"h","port":"1"}' ] || { echo "$body"; return 1; }
	[ "$(asked '.[0] | .path + " " + .review + " " + .host' | tr -d '"')" = "/a/b?timeout=30s apiextensions.k8s.io/v1beta1 hook.tools.svc:$PORT" ]
	# the older review never looked at the uid
	echo wronguid >mode; merge $V1/a '{"spec":{"replicas":1}}'
	api GET $V2/a; [ "$code" = 200 ]
	api DELETE /api/v1/namespaces/tools/services/hook
	merge $V1/a '{"spec":{"replicas":2}}'
	api GET $V2/a; refused "$FAILED failed: Post \"https://hook.tools.svc:$PORT/a/b?timeout=30s\": "
}

# types FILE: "ADDED a h" and so on
types() { jq -r '[.type, .object.metadata.name // .object.message, .object.spec.host // ""] | join(" ")' "$1"; }

@test "a watch in another version: what there is, what happens, and selectors" {
	things; thing a h:1; thing b i:2
	watch all "$V2?watch=true"
	watch some "$V2?watch=true&fieldSelector=spec.host%3Dh"
	watch kept "$V1?watch=true"
	until_lines 2 all; until_lines 1 some; until_lines 2 kept
	[ "$(types all | sort | tr '\n' ';')" = "ADDED a h;ADDED b i;" ]
	[ "$(asked '[.[].n] | add')" -le 4 ]
	merge $V1/b '{"spec":{"hostPort":"h:3"}}'; until_lines 3 all; until_lines 2 some
	merge $V2/a '{"spec":{"host":"k"}}'; until_lines 4 all; until_lines 3 some
	api DELETE $V1/b; until_lines 5 all; until_lines 4 some; until_lines 5 kept
	[ "$(types all | tail -n 3 | tr '\n' ';')" = "MODIFIED b h;MODIFIED a k;DELETED b h;" ]
	[ "$(types some | tr '\n' ';')" = "ADDED a h;ADDED b h;DELETED a h;DELETED b h;" ]
	[ "$(jq -r '.object.apiVersion' all kept | sort | uniq -c | tr -s ' ' | tr '\n' ';')" = " 5 example.com/v1; 5 example.com/v2;" ]
	[ "$(jq -r '[.type, .object.spec.hostPort] | join(" ")' kept | tail -n 1)" = "DELETED h:3" ]
	# from a version on, with the state before as it was seen then
	since=$(jq -r .object.metadata.resourceVersion all | sed -n 3p)
	watch later "$V2?watch=true&resourceVersion=$since&fieldSelector=spec.host%3Dh"
	until_lines 2 later; [ "$(types later | tr '\n' ';')" = "DELETED a h;DELETED b h;" ]
	# all at once and a mark
	watch list "$V2?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
	until_lines 2 list; [ "$(types list | tr '\n' ';')" = "ADDED a k;BOOKMARK  ;" ]
	[ "$(sed -n 2p list | jq -r '.object.apiVersion + .object.metadata.annotations["k8s.io/initial-events-end"]')" = example.com/v2true ]
}

@test "a watch whose webhook fails gets an error, and ends; others go on" {
	things; thing a h:1
	watch all "$V2?watch=true"; local one=${OTHERS##* }
	watch kept "$V1?watch=true"
	until_lines 1 all; until_lines 1 kept
	echo 'only c' >mode
	thing b h:2; thing c h:3; thing d h:4
	until_lines 3 all; wait "$one"
	[ "$(types all | tr '\n' ';')" = "ADDED a h;ADDED b h;ERROR $FAILED failed: never c ;" ]
	[ "$(tail -n 1 all | jq -r '.object | [.kind, .code, .reason] | join(" ")')" = "Status 500 InternalError" ]
	until_lines 4 kept
	watch again "$V2?watch=true"; wait "${OTHERS##* }"
	[ "$(types again)" = "ERROR $FAILED failed: never c " ]
	rm mode
	watch once "$V2?watch=true"; until_lines 4 once
}

@test "a webhook that does not answer keeps nobody else waiting, and ends with the server" {
	things; thing a h:1; thing b h:2
	echo slow >mode
	for i in $(seq 40); do # more than there are threads for it
		curl -s --unix-socket "$SOCK" "http://x$V2/a" >"slow$i" 3>&- &
		OTHERS="$OTHERS $!"
	done
	watch all "$V2?watch=true"
	sleep 0.3
	begun=$(date +%s%N)
	api GET $V1/a; [ "$code" = 200 ]
	api GET $V1; [ "$code" = 200 ]
	thing c h:3; [ "$code" = 201 ]
	merge $V1/b '{"spec":{"replicas":1}}'; [ "$code" = 200 ]
	api GET /api/v1/namespaces; [ "$code" = 200 ]
	api POST /api/v1/namespaces/default/configmaps '{"metadata":{"name":"c"}}'; [ "$code" = 201 ]
	watch maps "/api/v1/namespaces/default/configmaps?watch=true"; until_lines 1 maps
	watch kept "$V1?watch=true"; until_lines 3 kept
	api POST $CRDS "$(crd | jq -c '.metadata.name="others.example.com" | .spec.names={plural:"others",kind:"Other"} | del(.spec.conversion)')"
	until_is True '.status.conditions[]? | select(.type=="Established") | .status' $CRDS/others.example.com
	api GET /apis/example.com/v2/others; [ "$code" = 200 ]
	api DELETE $V1/c; [ "$code" = 200 ]
	[ $((($(date +%s%N) - begun) / 1000000)) -lt 5000 ]
	rm mode
	for _ in $(seq 300); do grep -L '"host":"h"' slow* >left || true; [ -s left ] || break; sleep 0.02; done
	[ ! -s left ]
	until_lines 2 all
	echo slow >mode
	merge $V1/a '{"spec":{"replicas":9}}'
	curl -s --unix-socket "$SOCK" "http://x$V2/a" >last 3>&- & OTHERS="$OTHERS $!"
	sleep 0.3; begun=$(date +%s%N); stop
	[ $((($(date +%s%N) - begun) / 1000000)) -lt 5000 ]
	start
}

@test "the storage version changes: what there is stays as it is until it is written" {
	things; thing a h:1; thing b i:2
	redefine '.spec.versions[0].storage=false | .spec.versions[1].storage=true'
	[ "$(of '.status.storedVersions | join(" ")')" = "v1" ] || api GET $CRDS/things.example.com
	api GET $CRDS/things.example.com; [ "$(of '.status.storedVersions | join(" ")')" = "v1 v2" ]
	api GET $V1/a; [ "$(spec)" = '{"hostPort":"h:1"}' ]; [ ! -e asked ]
	api GET $V2/a; [ "$(spec)" = '{"host":"h","port":"1"}' ]; [ "$(asked)" = 1 ]
	api POST $V2 '{"apiVersion":"example.com/v2","kind":"Thing","metadata":{"name":"n"},"spec":{"host":"n","port":"3","comment":"kept"}}'
	[ "$code $(of .spec.comment)" = "201 kept" ]
	api GET $V1; [ "$(of '[.items[].spec.hostPort] | join(" ")')" = "h:1 i:2 n:3" ]
	api GET $V2; [ "$(of '[.items[].spec.port] | join(" ")')" = "1 2 3" ]
	stop; : >log; rm asked; start
	api GET $V1/b; [ "$(spec)" = '{"hostPort":"i:2"}' ]; [ ! -e asked ]
	api GET $V2/b; [ "$(spec)" = '{"host":"i","port":"2"}' ]; revision=$(of .metadata.resourceVersion)
	# an update that changes nothing writes it in the version that is stored now, once
	merge $V2/b '{}'; [ "$code" = 200 ]; written=$(of .metadata.resourceVersion); [ "$written" -gt "$revision" ]
	merge $V2/b '{}'; [ "$(of .metadata.resourceVersion)" = "$written" ]
	echo failure >mode
	api GET $V2/b; [ "$code" = 200 ]
	api GET $V1/b; refused 'conversion webhook for example.com/v2, Kind=Thing failed: not today'
	watch all "$V2?watch=true"; until_lines 1 all; [ "$(types all)" = "ERROR $FAILED failed: not today " ]
	rm mode
	merge $V2/a '{}'; echo failure >mode
	watch rest "$V2?watch=true"; until_lines 3 rest; [ "$(types rest | sort | tr '\n' ';')" = "ADDED a h;ADDED b i;ADDED n n;" ]
	# a version that something may be kept in cannot go
	api GET $CRDS/things.example.com; body=$(jq -c 'del(.spec.versions[0])' <<<"$body")
	api PUT $CRDS/things.example.com "$body"; [ "$code" = 422 ]
	[[ "$(of .message)" == *'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions'* ]]
	merge $CRDS/things.example.com/status '{"status":{"storedVersions":["v2"]}}'; [ "$code" = 200 ]
	redefine 'del(.spec.versions[0])'
	api GET $V2/a; [ "$(spec)" = '{"host":"h","port":"1"}' ]
	api GET $V1/a; [ "$code" = 404 ]
	# and with all of them, whatever the webhook says
	api DELETE $CRDS/things.example.com
	for _ in $(seq 200); do api GET $CRDS/things.example.com; [ "$code" != 404 ] || break; sleep 0.02; done
	[ "$code" = 404 ]
}

@test "finalizers, namespaces and definitions that end" {
	things
	api POST /api/v1/namespaces '{"metadata":{"name":"n"}}'
	api POST "${V1/default/n}" '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"a","finalizers":["example.com/f"]},"spec":{"hostPort":"h:1"}}'
	[ "$code" = 201 ]
	A2=${V2/default/n}/a
	api DELETE "$A2"; [ "$code $(of '.spec.host + (.metadata.deletionTimestamp | type)')" = "200 hstring" ]
	api GET "$A2"; [ "$(of .metadata.generation)" = 2 ]
	merge "$A2" '{"metadata":{"finalizers":null}}'; [ "$code $(of .spec.host)" = "200 h" ]
	api GET "$A2"; [ "$code" = 404 ]
	# the definition goes although nobody converts
	thing z z:1; echo failure >mode
	redefine '.spec.versions[0].storage=false | .spec.versions[1].storage=true'
	api DELETE $CRDS/things.example.com
	for _ in $(seq 200); do api GET $CRDS/things.example.com; [ "$code" != 404 ] || break; sleep 0.02; done
	[ "$code" = 404 ]
}

@test "what a definition may say about its webhook" {
	# no REPLACEMENT FIELD WORDS: refused with a cause for the field
	no() {
		api POST $CRDS "$(crd "$1")"; [ "$code" = 422 ] || { echo "$code: $body"; return 1; }
		[ "$(of "[.details.causes[] | select(.field==\"spec.conversion.$2\") | .message | select(contains(\"$3\"))] | length")" = 1 ] || { echo "$body"; return 1; }
	}
	no '{"strategy":"Webhook"}' webhookClientConfig 'required when strategy is set to Webhook'
	no '{"strategy":"Webhook"}' conversionReviewVersions 'Required value'
	no '{"strategy":"Other"}' strategy 'Unsupported value'
	no "$(conversion | sed s/Webhook/None/)" webhookClientConfig 'should not be set when strategy is not set to Webhook'
	no "$(conversion '{}')" webhookClientConfig 'exactly one of url or service is required'
	no "$(conversion '{"url":"https://a","service":{"name":"a","namespace":"b"}}')" webhookClientConfig 'exactly one of url or service is required'
	no "$(conversion '{"url":"http://a/b"}')" webhookClientConfig.url "'https' is the only allowed URL scheme"
	no "$(conversion '{"url":"https:///b"}')" webhookClientConfig.url 'host must be specified'
	no "$(conversion '{"url":"https://u:p@a/b"}')" webhookClientConfig.url 'user information is not permitted in the URL'
	no "$(conversion '{"url":"https://a/b?c=d"}')" webhookClientConfig.url 'query parameters are not permitted in the URL'
	no "$(conversion '{"url":"https://a/b#c"}')" webhookClientConfig.url 'fragments are not permitted in the URL'
	no "$(conversion '{"service":{"namespace":"b"}}')" webhookClientConfig.service.name 'service name is required'
	no "$(conversion '{"service":{"name":"b"}}')" webhookClientConfig.service.namespace 'service namespace is required'
	no "$(conversion '{"service":{"name":"b","namespace":"c","port":70000}}')" webhookClientConfig.service.port 'port is not valid'
	no "$(conversion '{"service":{"name":"b","namespace":"c","path":"a"}}')" webhookClientConfig.service.path 'must start with a'
	no "$(conversion "$(url)" '["v9"]')" conversionReviewVersions 'must include at least one of v1, v1beta1'
	no "$(conversion "$(url)" '["v1","v1"]')" 'conversionReviewVersions[1]' 'duplicate version'
	no "$(conversion "$(url)" '["V1","v1"]')" 'conversionReviewVersions[0]' 'DNS-1035'
	api POST $CRDS "$(crd | jq -c '.spec.preserveUnknownFields=true')"; [ "$code" = 422 ]
	# a bundle may be no bundle until the definition is served, and then while it was none before
	things "$(conversion "$(url /convert bm8gUEVN)")"
	redefine '.metadata.labels.a="b"'
	redefine ".spec.conversion.webhook.clientConfig.caBundle=\"$CA\""
	api GET $CRDS/things.example.com
	api PUT $CRDS/things.example.com "$(jq -c '.spec.conversion.webhook.clientConfig.caBundle="bm8gUEVN"' <<<"$body")"
	[ "$code $(of '.details.causes[0].field')" = "422 spec.conversion.webhookClientConfig.caBundle" ]
	[[ "$(of .message)" == *'Invalid value: []byte{0x6e, 0x6f, 0x20, 0x50, 0x45, 0x4d}: unable to load root certificates: unable to parse bytes as PEM block'* ]]
	# the port of a Service is 443 if it says nothing
	redefine '.spec.conversion.webhook.clientConfig={service:{name:"a",namespace:"b"}}'
	api GET $CRDS/things.example.com; [ "$(of .spec.conversion.webhook.clientConfig.service.port)" = 443 ]
}
