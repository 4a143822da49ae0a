# orch-store: the tokens of ServiceAccounts, made, used and refused.

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
	"$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0 --socket "$SOCK" "$@" 2>log 3>&- &
	PID=$!
	for _ in $(seq 200); do
		grep -q 'ready:' log && break
		kill -0 "$PID" 2>/dev/null || return 1
		sleep 0.02
	done
	URL=$(sed -n 's/.*ready: \([^,]*\),.*/\1/p' log)
}

stop() {
	[ -z "${PID:-}" ] || { kill "$PID" 2>/dev/null || true; wait "$PID" || true; }
	PID=
}

# api METHOD PATH [BODY] [CURL OPTION...]: as an administrator, on the socket
api() {
	local method=$1 path=$2 data=${3:-}
	shift 2; [ $# -eq 0 ] || shift
	code=$(curl -s -o out -w '%{http_code}' --unix-socket "$SOCK" -X "$method" \
		${data:+-d "$data"} -H 'Content-Type: application/json' "$@" "http://x$path")
	body=$(cat out)
}
# as TOKEN METHOD PATH [BODY]: on the TLS port, with a token and without a certificate
as() {
	code=$(curl -s -o out -w '%{http_code}' --cacert "$DATA/pki/ca.crt" -X "$2" \
		-H "Authorization: Bearer $1" -H 'Content-Type: application/json' ${4:+-d "$4"} "$URL$3")
	body=$(cat out)
}
of() { jq -r "$1" <<<"$body"; }
NS=/api/v1/namespaces/default
SELF=/apis/authentication.k8s.io/v1/selfsubjectreviews
account() { api POST $NS/serviceaccounts "{\"metadata\":{\"name\":\"$1\"}}"; [ "$code" = 201 ]; }
token() { api POST $NS/serviceaccounts/$1/token "${2:-{\}}"; [ "$code" = 201 ]; TOKEN=$(of .status.token); }
# the Nth part of TOKEN, decoded
part() {
	python3 -c 'import base64,sys; p=sys.argv[1].split(".")[int(sys.argv[2])]
sys.stdout.buffer.write(base64.urlsafe_b64decode(p+"="*(-len(p)%4)))' "$TOKEN" "$1"
}
claim() { part 1 | jq -r "$1"; }
me() { as "$TOKEN" POST $SELF '{}'; }

@test "a token is a signed JWT, which other tools verify" {
	start
	account web
	token web
	[ "$(of '[.kind, .apiVersion, .metadata.name, .spec.expirationSeconds] | join(" ")')" = "TokenRequest authentication.k8s.io/v1 web 3600" ]
	[ "$(claim '[.iss, .sub, .aud[0], .["kubernetes.io"].namespace, .["kubernetes.io"].serviceaccount.name] | join(" ")')" = "https://kubernetes.default.svc system:serviceaccount:default:web https://kubernetes.default.svc default web" ]
	[ "$(claim '.exp - .iat')" = 3600 ]
	[ "$(claim '.nbf == .iat')" = true ]
	[ "$(claim .jti | wc -c)" = 37 ]
	# ECDSA: what stands in the token is r and s, what openssl wants is their DER
	part 2 >raw
	[ "$(wc -c <raw)" = 64 ]
	python3 - <<-'EOF'
		raw = open("raw", "rb").read()
		def integer(b):
		    b = b.lstrip(b"\0") or b"\0"
		    b = b"\0" + b if b[0] & 0x80 else b
		    return b"\2" + bytes([len(b)]) + b
		body = integer(raw[:32]) + integer(raw[32:])
		open("der", "wb").write(b"\x30" + bytes([len(body)]) + body)
	EOF
	openssl pkey -in "$DATA/pki/sa.key" -pubout -out pub.pem
	printf %s "${TOKEN%.*}" >signed
	openssl dgst -sha256 -verify pub.pem -signature der signed
	printf x >>signed
	! openssl dgst -sha256 -verify pub.pem -signature der signed
	[ "$(stat -c %a "$DATA/pki/sa.key")" = 600 ]
}

@test "the key set is that key, and its name is the hash of it" {
	start
	account web
	token web
	api GET /openid/v1/jwks '' -H 'Accept: application/jwk-set+json'
	[ "$code" = 200 ]
	[ "$(of '.keys[0] | [.kty, .crv, .alg, .use] | join(" ")')" = "EC P-256 ES256 sig" ]
	[ "$(of '.keys[0].kid')" = "$(part 0 | jq -r .kid)" ]
	openssl pkey -in "$DATA/pki/sa.key" -pubout -outform DER >pub.der
	[ "$(of '.keys[0].kid')" = "$(openssl dgst -sha256 -binary pub.der | base64 | tr '+/' '-_' | tr -d =)" ]
	# the point: the last 64 bytes of the public key
	tail -c 64 pub.der | head -c 32 | base64 | tr '+/' '-_' | tr -d = >x
	[ "$(of '.keys[0].x')" = "$(cat x)" ]
	api GET /openid/v1/jwks '' -H 'Accept: text/html'
	[ "$code $(of .reason)" = "406 NotAcceptable" ]
	api GET /.well-known/openid-configuration
	[ "$(of '.issuer + " " + .jwks_uri')" = "https://kubernetes.default.svc $URL/openid/v1/jwks" ]
	api POST /openid/v1/jwks '{}'; [ "$code" = 405 ]
	as "$TOKEN" GET /openid/v1/jwks; [ "$code" = 200 ]
	[ "$(curl -s -o out -w '%{http_code}' --cacert "$DATA/pki/ca.crt" "$URL/openid/v1/jwks")" = 403 ]
}

@test "the key stays over a restart, and an RSA key that is there is used" {
	start
	account web
	token web
	stop
	start
	me
	[ "$code $(of .status.userInfo.username)" = "201 system:serviceaccount:default:web" ]
	stop
	openssl genrsa -out "$DATA/pki/sa.key" 2048 2>/dev/null
	start
	me
	[ "$code" = 401 ] # signed by the other key
	token web
	[ "$(part 0 | jq -r .alg)" = RS256 ]
	me
	[ "$code" = 201 ]
	part 2 >raw
	openssl pkey -in "$DATA/pki/sa.key" -pubout -out pub.pem
	printf %s "${TOKEN%.*}" >signed
	openssl dgst -sha256 -verify pub.pem -signature raw signed
	api GET /openid/v1/jwks '' -H 'Accept: */*'
	[ "$(of '.keys[0] | [.kty, .alg, .e] | join(" ")')" = "RSA RS256 AQAB" ]
	stop
	openssl ecparam -name secp384r1 -genkey -noout -out "$DATA/pki/sa.key"
	run "$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0 --socket "$SOCK"
	[ "$status" != 0 ]
	[[ $output == *"neither ECDSA on P-256 nor RSA"* ]]
}

@test "who has a token is its ServiceAccount" {
	start
	account web
	token web
	me
	[ "$(of '.status.userInfo.groups | join(" ")')" = "system:serviceaccounts system:serviceaccounts:default system:authenticated" ]
	[ "$(of '.status.userInfo.extra["authentication.kubernetes.io/credential-id"][0]')" = "JTI=$(claim .jti)" ]
	[ "$(of .status.userInfo.uid)" = "$(claim '.["kubernetes.io"].serviceaccount.uid')" ]
	as "$TOKEN" GET $NS/configmaps
	[ "$code $(of .message)" = '403 configmaps is forbidden: User "system:serviceaccount:default:web" cannot list resource "configmaps" in API group "" in the namespace "default"' ]
	as "$TOKEN" GET /apis/apps/v1; [ "$code" = 200 ]
	# also on the socket, where it says more than the peer does
	api POST $SELF '{}' -H "Authorization: Bearer $TOKEN"
	[ "$(of .status.userInfo.username)" = system:serviceaccount:default:web ]
	api GET /readyz # while the store remembers it, the account must still be there
	api DELETE $NS/serviceaccounts/web
	me
	[ "$code $(of .message)" = "401 Unauthorized" ]
	account web # another of the same name
	me
	[ "$code" = 401 ]
}

@test "a token that was touched is none" {
	start
	account web
	token web
	good=$TOKEN
	for TOKEN in "x$good" "${good}x" "${good%?}" "${good%.*}." "${good%.*}" "$good.x" . .. a.b.c \
		"$(printf '{"alg":"none"}' | base64 | tr -d =).$(cut -d. -f2 <<<"$good").${good##*.}" \
		"$(printf '{"alg":"none"}' | base64 | tr -d =).$(cut -d. -f2 <<<"$good")." \
		"$(printf '{"alg":"HS256"}' | base64 | tr -d =).$(cut -d. -f2 <<<"$good").${good##*.}" \
		"$(head -c 40000 /dev/zero | tr '\0' a)"; do
		me
		[ "$code $(of .message)" = "401 Unauthorized" ]
	done
	# others' credentials are none of ours: nobody asks
	for header in 'Basic YTpi' 'Bearer ' 'Bearer' 'Digest x'; do
		code=$(curl -s -o out -w '%{http_code}' --cacert "$DATA/pki/ca.crt" -H "Authorization: $header" "$URL$NS/pods")
		[ "$code" = 403 ]
		grep -q 'User \\"system:anonymous\\" cannot list' out
	done
	TOKEN=$good
	me
	[ "$code" = 201 ]
}

@test "nobody may see whether the server is well, and nothing with --anonymous-auth=false" {
	start
	c() { curl -s -o out -w '%{http_code}' --cacert "$DATA/pki/ca.crt" "$URL$1"; }
	[ "$(c /livez)$(c /version)" = 200200 ]
	[ "$(c /apis) $(jq -r .message out)" = '403 forbidden: User "system:anonymous" cannot get path "/apis"' ]
	[ "$(c /api/v1/namespaces/default)" = 403 ]
	stop
	start --anonymous-auth false
	[ "$(c /livez) $(c /apis) $(jq -r .message out)" = '200 401 Unauthorized' ]
	run "$BIN/orch-store" --data "$DATA" --anonymous-auth maybe
	[ "$status" = 2 ]
}

@test "what a request may ask for" {
	start
	account web
	post() { api POST $NS/serviceaccounts/web/token "$1"; echo "$code $(of '.details.causes[0].message // .message')"; }
	post '{"spec":{"expirationSeconds":599}}'
	[ "$code $(of .message)" = '422 TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes' ]
	post '{"spec":{"expirationSeconds":4294967297}}'; [ "$code" = 422 ]
	post '{"spec":{"expirationSeconds":4294967296}}'; [ "$code" = 201 ]
	post '{"metadata":{"name":"other"}}'
	[ "$code $(of '.details.causes[0].field')" = "422 metadata.name" ]
	post '{"metadata":{"namespace":"other"}}'; [ "$code" = 422 ]
	post '{"metadata":{"uid":"other"}}'
	[ "$code $(of '.details.kind')" = "409 TokenRequest" ]
	post '{"kind":"Pod","apiVersion":"v1"}'; [ "$code" = 400 ]
	post ''; [ "$code" = 400 ]
	api POST $NS/serviceaccounts/none/token '{}'; [ "$code" = 404 ]
	api GET $NS/serviceaccounts/web/token; [ "$code" = 405 ]
	token web '{"spec":{"audiences":["vault","other"],"expirationSeconds":900}}'
	[ "$(claim '.aud | join(" ")')" = "vault other" ]
	me
	[ "$code" = 401 ] # it is for somebody else
}

@test "a token ends with what it is bound to" {
	start
	account web
	pod() { api POST $NS/pods '{"metadata":{"name":"p"},"spec":{"serviceAccountName":"'$1'","nodeName":"'$2'","containers":[{"name":"c","image":"i"}]}}'; [ "$code" = 201 ]; }
	api POST /api/v1/nodes '{"metadata":{"name":"n"}}'
	pod web n
	api POST $NS/serviceaccounts/web/token '{"spec":{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p","uid":"no"}}}'
	[ "$code $(of .message)" = '409 Operation cannot be fulfilled on Pod "p": the UID in the bound object reference (no) does not match the UID in record. The object might have been deleted and then recreated' ]
	account other
	api POST $NS/serviceaccounts/other/token '{"spec":{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p"}}}'
	[ "$code" = 400 ]
	token web '{"spec":{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p"}}}'
	[ "$(claim '.["kubernetes.io"] | [.pod.name, .node.name] | join(" ")')" = "p n" ]
	me
	[ "$(of '.status.userInfo.extra | [.["authentication.kubernetes.io/pod-name"][0], .["authentication.kubernetes.io/node-name"][0]] | join(" ")')" = "p n" ]
	api PATCH $NS/pods/p '{"metadata":{"labels":{"a":"b"}}}' -H 'Content-Type: application/merge-patch+json'
	me
	[ "$code" = 201 ] # another version of the same Pod
	api DELETE /api/v1/nodes/n
	me
	[ "$code" = 201 ]
	api DELETE "$NS/pods/p?gracePeriodSeconds=0"
	me
	[ "$code" = 401 ]
	# a Secret and a Node likewise
	api POST $NS/secrets '{"metadata":{"name":"s"}}'
	token web '{"spec":{"boundObjectRef":{"kind":"Secret","apiVersion":"v1","name":"s"}}}'
	me; [ "$code" = 201 ]
	api DELETE $NS/secrets/s
	me; [ "$code" = 401 ]
	api POST /api/v1/nodes '{"metadata":{"name":"n"}}'
	token web '{"spec":{"boundObjectRef":{"kind":"Node","apiVersion":"v1","name":"n"}}}'
	me; [ "$code" = 201 ]
	api DELETE /api/v1/nodes/n
	me; [ "$code" = 401 ]
	api POST $NS/serviceaccounts/web/token '{"spec":{"boundObjectRef":{"kind":"Deployment","apiVersion":"apps/v1","name":"d"}}}'
	[ "$code $(of .message)" = "400 cannot bind token to object of type apps/v1, Kind=Deployment" ]
}

@test "what a projected volume asks for is extended by a year, and told on" {
	start
	account web
	api POST $NS/pods '{"metadata":{"name":"p"},"spec":{"serviceAccountName":"web","containers":[{"name":"c","image":"i"}]}}'
	bound='"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p"}'
	token web "{\"spec\":{\"expirationSeconds\":3607,$bound}}"
	[ "$(claim '[.exp - .iat, .["kubernetes.io"].warnafter - .iat] | join(" ")')" = "31536000 3607" ]
	token web "{\"spec\":{\"expirationSeconds\":3607,\"audiences\":[\"a\"],$bound}}"
	[ "$(claim '[.exp - .iat, .["kubernetes.io"].warnafter] | join(" ")')" = "3607 " ]
	token web '{"spec":{"expirationSeconds":3607}}'
	[ "$(claim '.exp - .iat')" = 3607 ]
}

@test "a TokenReview says whose a token is, and for whom" {
	start
	account web
	token web '{"spec":{"audiences":["https://kubernetes.default.svc","vault"]}}'
	review() { api POST /apis/authentication.k8s.io/v1/tokenreviews "{\"spec\":{\"token\":\"$1\"${2:-}}}"; }
	review "$TOKEN"
	[ "$(of '.status | [.authenticated, .user.username, .audiences[]] | join(" ")')" = "true system:serviceaccount:default:web https://kubernetes.default.svc" ]
	review "$TOKEN" ',"audiences":["x","vault"]'
	[ "$(of '.status | [.authenticated, .audiences[]] | join(" ")')" = "true vault" ]
	review "$TOKEN" ',"audiences":["x"]'
	[ "$(of .status.error)" = '[invalid bearer token, token audiences ["https://kubernetes.default.svc" "vault"] is invalid for the target audiences ["x"]]' ]
	[ "$(of .status.authenticated)" = null ]
	review nonsense
	[ "$(of .status.error)" = 'invalid bearer token' ]
	api DELETE $NS/serviceaccounts/web
	review "$TOKEN"
	[ "$(of .status.error)" = '[invalid bearer token, serviceaccounts "web" not found]' ]
}

@test "another issuer" {
	start --service-account-issuer https://issuer.example
	account web
	token web
	[ "$(claim '.iss + " " + .aud[0]')" = "https://issuer.example https://issuer.example" ]
	me; [ "$code" = 201 ]
	stop
	start
	me; [ "$code" = 401 ]
}

@test "tokens from a file" {
	printf '%s\n' 'secret,ann,17,"dev,ops"' 'root,"the ""boss""",,system:masters' '' 'plain,bob,18' >tokens
	start --token-auth-file "$PWD/tokens"
	as secret POST $SELF '{}'
	[ "$(of '.status.userInfo | [.username, .uid, .groups[]] | join(" ")')" = "ann 17 dev ops system:authenticated" ]
	as plain POST $SELF '{}'
	[ "$(of '.status.userInfo | [.username, .groups[]] | join(" ")')" = "bob system:authenticated" ]
	as root GET /api/v1/nodes; [ "$code" = 200 ]
	as secret GET /api/v1/nodes; [ "$code" = 403 ]
	for bad in secre secrets Secret ''; do
		as "$bad" POST $SELF '{}'
		[ "$code" = "$([ -n "$bad" ] && echo 401 || echo 403)" ]
	done
	api POST /apis/authentication.k8s.io/v1/tokenreviews '{"spec":{"token":"root"}}'
	[ "$(of '.status | [.authenticated, .user.username, .audiences[]] | join(" ")')" = 'true the "boss" https://kubernetes.default.svc' ]
	api POST /apis/authentication.k8s.io/v1/tokenreviews '{"spec":{"token":"root","audiences":["x"]}}'
	[ "$(of .status.error)" = 'invalid bearer token' ]
	stop
	for line in 'a,b' ',b,c' 'a'; do
		echo "$line" >tokens
		run "$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0 --socket "$SOCK" --token-auth-file tokens
		[ "$status" = 2 ]
		[[ $output == *"cannot use 'tokens': line 1:"* ]]
	done
	run "$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0 --socket "$SOCK" --token-auth-file nowhere
	[ "$status" != 0 ]
}
