# orch-store: groups that extension API servers answer (APIServices).

load ../helper

G=wardle.example.com
APIS=/apis/apiregistration.k8s.io/v1/apiservices
AGGREGATED='Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

# ask METHOD PATH [CURL-OPTION...] <BODY
ask() {
  local method=$1 path=$2 body=()
  shift 2
  case $method in POST | PUT) body=(-H 'Content-Type: application/json' --data-binary @-) ;;
    PATCH) body=(-H 'Content-Type: application/merge-patch+json' --data-binary @-) ;; HEAD) body=(-I) ;; esac
  curl -sS --max-time 20 --unix-socket "$STORE/socket" -X "$method" "${body[@]}" "$@" "http://x$path"
}
json() { jq -r "$@"; }

# certificate NAME SAN CA: NAME.crt and NAME.key, signed by CA.crt
certificate() {
  local d=$BATS_FILE_TMPDIR
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$d/$1.key" -out "$d/$1.csr" 2>/dev/null
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth' "$2" >"$d/$1.cnf"
  openssl x509 -req -in "$d/$1.csr" -CA "$d/$3.crt" -CAkey "$d/$3.key" -CAcreateserial -days 2 -extfile "$d/$1.cnf" -out "$d/$1.crt" 2>/dev/null
}

authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
    -keyout "$BATS_FILE_TMPDIR/$1.key" -out "$BATS_FILE_TMPDIR/$1.crt" 2>/dev/null
}

# extension: start the server, on the port it had before if there was one
extension() {
  local d=$BATS_FILE_TMPDIR old
  old=$(cat "$d/port" 2>/dev/null || echo 0)
  : >"$d/port"
  PORT=$old python3 "$BATS_TEST_DIRNAME/extension.py" "$d/wardle.crt" "$d/wardle.key" "$STORE/pki/front-proxy-ca.crt" "$d/ext" \
    >"$d/port" 2>"$d/extension.log" 3>&- &
  disown "$!"
  echo "$!" | tee "$d/extension.pid" >>"$d/pids"
  wait_for 10 test -s "$d/port"
}
extension_stop() {
  kill "$(cat "$BATS_FILE_TMPDIR/extension.pid")"
  wait_for 10 not kill -0 "$(cat "$BATS_FILE_TMPDIR/extension.pid")"
}
mode() { echo "$1" >"$BATS_FILE_TMPDIR/ext/mode"; }
seen() { tail -n "${1:-1}" "$BATS_FILE_TMPDIR/ext/seen"; }

# api VERSION [JQ-FILTER]: an APIService that leads to the extension server
api() {
  jq -nc --rawfile ca "$BATS_FILE_TMPDIR/ext-ca.crt" --arg v "$1" --arg g "$G" --argjson p "$(cat "$BATS_FILE_TMPDIR/port")" '
    {apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: {name: "\($v).\($g)"}, spec: {group: $g, version: $v,
    groupPriorityMinimum: 2000, versionPriority: 15, caBundle: ($ca | @base64),
    service: {namespace: "kube-system", name: "wardle", port: $p}}}' | jq -c "${2:-.}"
}
available() { ask GET "$APIS/$1" | json '.status.conditions[0] | "\(.status) \(.reason)"'; }
is_available() { [ "$(available "$1")" = "$2" ]; }
# touch_service: something has changed there: look again
touch_service() {
  echo '{"metadata": {"annotations": {"t": "'"$RANDOM$RANDOM"'"}}}' | ask PATCH /api/v1/namespaces/kube-system/services/wardle >/dev/null
}
# up [JQ-FILTER]: v1 is there and answers
up() {
  mode ""
  ask GET "$APIS/v1.$G" | grep -q '"uid"' || api v1 "${1:-.}" | ask POST "$APIS" >/dev/null
  touch_service
  wait_for 10 is_available "v1.$G" "True Passed"
}
flunder() { jq -nc --arg name "$1" --arg g "$G" '{apiVersion: "\($g)/v1", kind: "Flunder", metadata: {name: $name}}'; }
freshness() { ask GET /apis -H "$AGGREGATED" | json --arg g "$G" '.items[] | select(.metadata.name == $g) | .versions[0].freshness'; }
is_fresh() { [ "$(freshness)" = "$1" ]; }

setup_file() {
  local d=$BATS_FILE_TMPDIR
  echo 'secret,joe,7,"people"' >"$d/tokens"
  mkdir "$d/ext"
  : >"$d/ext/seen"
  start_store --token-auth-file "$d/tokens"
  authority ext-ca
  authority other-ca
  certificate wardle DNS:wardle.kube-system.svc ext-ca
  extension
  jq -nc '{apiVersion: "v1", kind: "Service", metadata: {name: "wardle"}, spec: {type: "ExternalName", externalName: "localhost"}}' |
    ask POST /api/v1/namespaces/kube-system/services >/dev/null
}
teardown_file() { stop_all; }

@test "an APIService is taken up: it says so, and its group is there" {
  [ "$(ask GET "/apis/$G/v1" -o /dev/null -w '%{http_code}')" = 404 ]
  [ "$(api v1 | ask POST "$APIS" | jq -c '[.status, .spec.service.port > 0]')" = '[{},true]' ]
  wait_for 10 is_available "v1.$G" "True Passed"
  [ "$(ask GET "$APIS/v1.$G" | json '.status.conditions[0].message')" = "all checks passed" ]
  [ "$(ask GET "$APIS/v1.$G" -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io' | jq -c '.rows[0].cells[:3]')" = \
    '["v1.wardle.example.com","kube-system/wardle","True"]' ]
  [ "$(ask GET "/apis/$G/v1" | json '.kind, .resources[0].name')" = $'APIResourceList\nflunders' ]
  run ask GET "/apis/$G"
  [ "$(json '.kind, .preferredVersion.groupVersion' <<<"$output")" = $'APIGroup\nwardle.example.com/v1' ]
  # behind what is built in: 2000 is less than that
  [ "$(ask GET /apis | json '.groups[-1].name, .groups[0].name')" = $'wardle.example.com\napiregistration.k8s.io' ]
  run ask GET /apis -H "$AGGREGATED"
  [ "$(jq -c '.items[-1].versions[0] | [.version, .freshness, .resources[0].resource, .resources[0].subresources[0].subresource]' <<<"$output")" = \
    '["v1","Current","flunders","echo"]' ]
  ask GET / | grep -q "/apis/$G/v1"
}

@test "requests and answers pass as they are, from the front proxy for the user" {
  up
  run bash -c "$(declare -f ask flunder); G=$G; STORE=$STORE; flunder a | ask POST '/apis/$G/v1/namespaces/default/flunders?fieldManager=x&a=b%20c' -w ' %{http_code}'"
  [[ $output == *'"resourceVersion"'*' 201' ]]
  [ "$(seen | json '.path, .peer')" = $'/apis/wardle.example.com/v1/namespaces/default/flunders?fieldManager=x&a=b%20c\nfront-proxy-client' ]
  [ "$(seen | json '.body | fromjson | .metadata.name')" = a ]
  run ask GET "/apis/$G/v1/flunders" -H 'X-Remote-User: evil' -H 'X-Remote-Group: system:masters' -H 'x-remote-extra-scopes: all' \
    -H 'X-Remote-Uid: 1' -H 'Authorization: Basic eA==' -H 'X-Own: kept'
  [ "$(json '.items[0].metadata.name' <<<"$output")" = a ]
  [ "$(seen | jq -c '[.headers[] | select(.[0] | startswith("x-") or . == "authorization")]')" = \
    '[["x-own","kept"],["x-remote-user","system:admin"],["x-remote-group","system:masters"],["x-remote-group","system:authenticated"]]' ]
  run ask GET "/apis/$G/v1/namespaces/default/flunders/none" -w ' %{http_code}'
  [[ $output == *'not found'*' 404' ]]
  [ "$(ask HEAD "/apis/$G/v1/flunders" | head -1 | tr -d '\r')" = "HTTP/1.1 200 OK" ]
  [ "$(ask GET "/apis/$G/v1/empty" -w '%{http_code}')" = 204 ]
  run ask GET "/apis/$G/v1/redirect" -w ' %{http_code}'
  [ "$output" = $'the backend attempted to redirect this request, which is not permitted\n 502' ]
}

@test "who asks is told with uid and extras, as whom he asks when he impersonates" {
  up
  ask GET "/apis/$G/v1/flunders" -H 'Impersonate-User: jane' -H 'Impersonate-Uid: u-1' -H 'Impersonate-Group: a' -H 'Impersonate-Group: system:masters' \
    -H 'Impersonate-Extra-Acme.com%2Fproject: one' -H 'Impersonate-Extra-Acme.com%2Fproject: two' >/dev/null
  [ "$(seen | jq -c '[.headers[] | select(.[0] | startswith("x-remote") or startswith("impersonate"))]')" = \
    '[["x-remote-user","jane"],["x-remote-uid","u-1"],["x-remote-group","a"],["x-remote-group","system:masters"],["x-remote-group","system:authenticated"],["x-remote-extra-acme.com%2fproject","one"],["x-remote-extra-acme.com%2fproject","two"]]' ]
}

@test "who may not is refused before it is passed on" {
  up
  local before url
  url=$(sed -n 's/.*server: //p' "$KUBECONFIG")
  before=$(wc -l <"$BATS_FILE_TMPDIR/ext/seen")
  joe() { curl -sS --cacert "$STORE/pki/ca.crt" -H 'Authorization: Bearer secret' --path-as-is "$@"; }
  run joe "$url/apis/$G/v1/namespaces/default/flunders/a/echo"
  [ "$(json '.code, .message' <<<"$output")" = $'403\nflunders.wardle.example.com "a" is forbidden: User "joe" cannot get resource "flunders/echo" in API group "wardle.example.com" in the namespace "default"' ]
  [ "$(joe -X POST "$url/apis/$G/v1/flunders" | json .message)" = 'flunders.wardle.example.com is forbidden: User "joe" cannot create resource "flunders" in API group "wardle.example.com" at the cluster scope' ]
  [ "$(joe -I "$url/apis/$G/v1/flunders" -o /dev/null -w '%{http_code}')" = 403 ]
  # nor by a path that could be read in two ways
  for path in "/apis/$G/v1//flunders" "/apis/$G/v1/../v1/flunders" "/apis/$G/v1/%2e%2e/v1/flunders" "/apis/$G/v1/%2F/flunders"; do
    [[ $(joe "$url$path" -o /dev/null -w '%{http_code}') == 40[34] ]]
  done
  [ "$(wc -l <"$BATS_FILE_TMPDIR/ext/seen")" -eq "$before" ]
  [ "$(joe "$url/apis/$G/v1" | json .kind)" = APIResourceList ] # what everybody may see
  [ "$(curl -sS --cacert "$STORE/pki/ca.crt" "$url/apis/$G/v1" | json .code)" = 403 ]
}

@test "a watch goes on, and ends with its client" {
  up
  ask GET "/apis/$G/v1/flunders?watch=1" -N >"$BATS_TEST_TMPDIR/events" 3>&- &
  local pid=$!
  seen_one() { # until the watch has begun there is nothing to be seen
    flunder "w$RANDOM" | ask POST "/apis/$G/v1/namespaces/default/flunders" >/dev/null
    grep -q ADDED "$BATS_TEST_TMPDIR/events"
  }
  wait_for 10 seen_one
  kill -0 "$pid" # and it goes on
  kill "$pid"
}

@test "an upgrade is a tunnel" {
  up
  run python3 - "$STORE/socket" "/apis/$G/v1/namespaces/default/flunders/a/echo" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(sys.argv[1])
s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n" % sys.argv[2].encode())
head = b""
while b"\r\n\r\n" not in head:
    head += s.recv(4096)
print(head.split(b"\r\n")[0].decode())
for word in (b"hello ", b"again"):
    s.sendall(word)
    print(s.recv(4096).decode(), end="")
PY
  [ "$output" = $'HTTP/1.1 101 Switching Protocols\nhello again' ]
  [ "$(seen | jq -c '[.headers[] | select(.[0] == "x-remote-user")]')" = '[["x-remote-user","system:admin"]]' ]
}

@test "OpenAPI: the document is in the index and passed on; nobody can put in another's" {
  up
  run ask GET /openapi/v3
  [ "$(json --arg k "apis/$G/v1" '.paths[$k].serverRelativeURL' <<<"$output")" = "/openapi/v3/apis/$G/v1?hash=ABC" ]
  [[ $(json '.paths["apis/apps/v1"].serverRelativeURL' <<<"$output") != *EVIL* ]]
  [ "$(ask GET "/openapi/v3/apis/$G/v1?hash=ABC" | json .info.title)" = wardle ]
}

@test "why it is not available" {
  jq -nc '{apiVersion: "v1", kind: "Service", metadata: {name: "s"}, spec: {ports: [{name: "https", port: 443}, {name: "other", port: 444}]}}' |
    ask POST /api/v1/namespaces/default/services >/dev/null
  jq -nc '{apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: {name: "v1.why.example.com"}, spec: {group: "why.example.com",
    version: "v1", groupPriorityMinimum: 10, versionPriority: 10, service: {namespace: "default", name: "none"}}}' | ask POST "$APIS" >/dev/null
  wait_for 10 is_available v1.why.example.com "False ServiceNotFound"
  message() { ask GET "$APIS/v1.why.example.com" | json '.status.conditions[0].message'; }
  [ "$(message)" = 'service/none in "default" is not present' ]
  echo '{"spec": {"service": {"name": "s", "port": 445}}}' | ask PATCH "$APIS/v1.why.example.com" >/dev/null
  wait_for 10 is_available v1.why.example.com "False ServicePortError"
  [ "$(message)" = 'service/s in "default" is not listening on port 445' ]
  echo '{"spec": {"service": {"port": 443}}}' | ask PATCH "$APIS/v1.why.example.com" >/dev/null
  wait_for 10 is_available v1.why.example.com "False EndpointsNotFound"
  [ "$(message)" = 'cannot find endpointslices for service/s in "default"' ]
  jq -nc '{apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: {name: "s-1", labels: {"kubernetes.io/service-name": "s"}},
    addressType: "IPv4", endpoints: [{addresses: ["192.0.2.7"], conditions: {ready: true}}], ports: [{name: "other", port: 1}]}' |
    ask POST /apis/discovery.k8s.io/v1/namespaces/default/endpointslices >/dev/null
  wait_for 10 is_available v1.why.example.com "False MissingEndpoints"
  [ "$(message)" = 'endpointslices for service/s in "default" have no addresses with port name "https"' ]
  [ "$(ask GET "$APIS/v1.why.example.com" -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io' | json '.rows[0].cells[2]')" = "False (MissingEndpoints)" ]
  run ask GET /apis/why.example.com/v1/things -w ' %{http_code} %{content_type}'
  [ "$output" = $'service unavailable\n 503 text/plain; charset=utf-8' ]
  ask GET /apis | json '.groups[].name' | grep -qx why.example.com # as Kubernetes lists it all the same
  # nothing has changed: nothing is written
  local was
  was=$(ask GET "$APIS/v1.why.example.com" | json .metadata.resourceVersion)
  sleep 1
  [ "$(ask GET "$APIS/v1.why.example.com" | json .metadata.resourceVersion)" = "$was" ]
  ask DELETE "$APIS/v1.why.example.com" >/dev/null
}

@test "its certificate must be the authority's and for its name, or nobody looks" {
  up
  jq -nc --rawfile ca "$BATS_FILE_TMPDIR/other-ca.crt" '{spec: {caBundle: ($ca | @base64)}}' | ask PATCH "$APIS/v1.$G" >/dev/null
  wait_for 10 is_available "v1.$G" "True Passed" # Kubernetes does not look here, either
  run ask GET "/apis/$G/v1/flunders" -w ' %{http_code}'
  [ "$output" = $'error trying to reach service: tls: failed to verify certificate: x509: certificate signed by unknown authority\n 503' ]
  wait_for 10 is_fresh Stale
  echo '{"spec": {"caBundle": null}}' | ask PATCH "$APIS/v1.$G" >/dev/null # the system's authorities
  [[ $(ask GET "/apis/$G/v1/flunders") == *"signed by unknown authority"* ]]
  echo '{"spec": {"insecureSkipTLSVerify": true}}' | ask PATCH "$APIS/v1.$G" >/dev/null
  wait_for 10 is_available "v1.$G" "True Passed"
  [ "$(ask GET "/apis/$G/v1/flunders" | json .kind)" = FlunderList ]
  jq -nc '{apiVersion: "v1", kind: "Service", metadata: {name: "other"}, spec: {type: "ExternalName", externalName: "localhost"}}' |
    ask POST /api/v1/namespaces/kube-system/services >/dev/null
  api v1 '.spec.service.name = "other" | .spec.insecureSkipTLSVerify = false' | ask PATCH "$APIS/v1.$G" >/dev/null
  wait_for 10 is_available "v1.$G" "True Passed"
  [ "$(ask GET "/apis/$G/v1/flunders")" = "error trying to reach service: tls: failed to verify certificate: x509: certificate is valid for wardle.kube-system.svc, not other.kube-system.svc" ]
  ask DELETE "$APIS/v1.$G" >/dev/null
}

@test "a server that goes and comes back" {
  up
  local since
  since=$(ask GET "$APIS/v1.$G" | json '.status.conditions[0].lastTransitionTime')
  extension_stop
  run ask GET "/apis/$G/v1/flunders" -w ' %{http_code}'
  [[ $output == "error trying to reach service: dial tcp "*": connect: connection refused"$'\n'" 503" ]]
  touch_service
  wait_for 10 is_available "v1.$G" "False FailedDiscoveryCheck"
  [[ $(ask GET "$APIS/v1.$G" | json '.status.conditions[0].message') == 'failing or missing response from https://localhost:'*': connect: connection refused' ]]
  [ "$(ask GET "/apis/$G/v1/flunders")" = "service unavailable" ]
  ask GET /metrics | grep -qx "aggregator_unavailable_apiservice{name=\"v1.$G\"} 1"
  ask GET /metrics | grep -qx 'aggregator_unavailable_apiservice{name="v1.apps"} 0'
  run ask GET /apis -H "$AGGREGATED" # what was there is still known
  [ "$(jq -c '.items[-1].versions[0] | [.freshness, .resources[0].resource]' <<<"$output")" = '["Stale","flunders"]' ]
  sleep 1 # of which times are made
  extension
  touch_service
  wait_for 10 is_available "v1.$G" "True Passed"
  [ "$(ask GET "/apis/$G/v1/flunders" | json .kind)" = FlunderList ]
  wait_for 10 is_fresh Current
  [ "$(ask GET "$APIS/v1.$G" | json '.status.conditions[0].lastTransitionTime')" != "$since" ]
}

@test "a server that hangs holds up nobody else" {
  up
  mode hang
  touch_service
  local begun=$SECONDS pids=()
  for i in 1 2 3 4 5 6 7 8; do
    ask GET "/apis/$G/v1/flunders" >/dev/null 3>&- &
    pids+=("$!")
  done
  sleep 0.3
  ask GET /api/v1/namespaces -o /dev/null
  ask GET /apis -o /dev/null
  ask GET /apis -H "$AGGREGATED" -o /dev/null
  ask GET /openapi/v3 -o /dev/null
  flunder x | jq -c '.kind = "ConfigMap" | .apiVersion = "v1"' | ask POST /api/v1/namespaces/default/configmaps >/dev/null
  [ "$((SECONDS - begun))" -lt 10 ] # a client of the hanging one waits 20
  kill "${pids[@]}"
  wait_for 30 is_available "v1.$G" "False FailedDiscoveryCheck"
  [[ $(ask GET "$APIS/v1.$G" | json '.status.conditions[0].message') == *"context deadline exceeded"* ]]
  mode ""
}

@test "what it says of itself is taken only where it is right" {
  up
  versions() { ask GET /apis -H "$AGGREGATED" | jq -c --arg g "$G" '.items[] | select(.metadata.name == $g) | .versions[0]'; }
  again() { # in this mode, as one that is new
    mode "$1"
    ask DELETE "$APIS/v1.$G" >/dev/null
    api v1 | ask POST "$APIS" >/dev/null
  }
  again odd
  wait_for 10 is_available "v1.$G" "True Passed"
  [ "$(versions | jq -c '.resources')" = '[{"resource":"flunders","scope":"Cluster","singularResource":"","shortNames":["fl"],"subresources":[]}]' ]
  again broken
  wait_for 10 is_available "v1.$G" "True Passed"
  [ "$(versions)" = '{"version":"v1","freshness":"Stale"}' ]
  again huge
  wait_for 10 is_available "v1.$G" "False FailedDiscoveryCheck"
  [ "$(versions)" = '{"version":"v1","freshness":"Stale"}' ]
  again fail
  wait_for 10 is_available "v1.$G" "False FailedDiscoveryCheck"
  [[ $(ask GET "$APIS/v1.$G" | json '.status.conditions[0].message') == *"bad status from https://localhost:"*"/apis/$G/v1: 500" ]]
  again legacy
  wait_for 10 is_available "v1.$G" "True Passed"
  [ "$(versions | jq -c '[.freshness, .resources[0].resource, .resources[0].scope, .resources[0].shortNames, .resources[0].subresources[0].subresource]')" = \
    '["Current","flunders","Namespaced",["fl"],"echo"]' ]
  ask GET /openapi/v3 | json '.paths | keys[]' | not grep -q wardle
  mode ""
}

@test "the priorities say which version is preferred, and which group comes first" {
  up
  api v1beta1 '.spec.versionPriority = 100 | .spec.groupPriorityMinimum = 17900' | ask POST "$APIS" >/dev/null
  wait_for 10 is_available "v1beta1.$G" "True Passed"
  run ask GET /apis
  [ "$(jq -c '.groups[1] | [.name, .preferredVersion.version, [.versions[].version]]' <<<"$output")" = '["wardle.example.com","v1beta1",["v1beta1","v1"]]' ]
  [ "$(ask GET /apis -H "$AGGREGATED" | jq -c '.items[1] | [.metadata.name, [.versions[].version]]')" = '["wardle.example.com",["v1beta1","v1"]]' ]
  # of built-in groups, too
  echo '{"spec": {"groupPriorityMinimum": 19000}}' | ask PATCH "$APIS/v1.policy" >/dev/null
  [ "$(ask GET /apis | json '.groups[1].name')" = policy ]
  echo '{"spec": {"groupPriorityMinimum": 17100}}' | ask PATCH "$APIS/v1.policy" >/dev/null
  ask DELETE "$APIS/v1beta1.$G" >/dev/null
}

@test "once it is deleted nothing is passed on" {
  up
  ask DELETE "$APIS/v1.$G" >/dev/null
  [ "$(ask GET "/apis/$G/v1/flunders")" = "404 page not found" ]
  [ "$(ask GET "/apis/$G" -o /dev/null -w '%{http_code}')" = 404 ]
  ask GET /apis | json '.groups[].name' | not grep -qx "$G"
  ask GET /apis -H "$AGGREGATED" | json '.items[].metadata.name' | not grep -qx "$G"
  ask GET /openapi/v3 | json '.paths | keys[]' | not grep -q wardle
}

crd() {
  jq -nc '{apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: {name: "things.crd.example.com"},
    spec: {group: "crd.example.com", scope: "Namespaced", names: {plural: "things", kind: "Thing"}, versions: [
      {name: "v1", served: true, storage: true, schema: {openAPIV3Schema: {type: "object"}}},
      {name: "v1beta1", served: true, storage: false, schema: {openAPIV3Schema: {type: "object"}}}]}}' |
    ask POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions >/dev/null
}
has() { [ "$(ask GET "$APIS/$1" -o /dev/null -w '%{http_code}')" = 200 ]; }

@test "each group and version of custom kinds has an APIService of its own" {
  crd
  wait_for 10 has v1.crd.example.com
  wait_for 10 has v1beta1.crd.example.com
  [ "$(ask GET "$APIS/v1.crd.example.com" | jq -c '[.metadata.labels, .spec, .status.conditions[0].reason]')" = \
    '[{"kube-aggregator.kubernetes.io/automanaged":"true"},{"group":"crd.example.com","version":"v1","groupPriorityMinimum":1000,"versionPriority":100},"Local"]' ]
  # it comes back, and is put right
  local uid
  uid=$(ask GET "$APIS/v1.crd.example.com" | json .metadata.uid)
  ask DELETE "$APIS/v1.crd.example.com" >/dev/null
  wait_for 10 has v1.crd.example.com
  [ "$(ask GET "$APIS/v1.crd.example.com" | json .metadata.uid)" != "$uid" ]
  echo '{"spec": {"versionPriority": 7}}' | ask PATCH "$APIS/v1.crd.example.com" >/dev/null
  right() { [ "$(ask GET "$APIS/v1.crd.example.com" | json .spec.versionPriority)" = 100 ]; }
  wait_for 10 right
  # a version that is served no more
  ask GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.crd.example.com | jq -c '{spec} | .spec.versions[1].served = false' |
    ask PATCH /apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.crd.example.com >/dev/null
  wait_for 10 not has v1beta1.crd.example.com
  ask DELETE /apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.crd.example.com >/dev/null
  wait_for 10 not has v1.crd.example.com
}

@test "who takes the label away has the group for himself" {
  crd
  wait_for 10 has v1.crd.example.com
  # without that it is put right
  api v1 '{spec: {service: .spec.service, insecureSkipTLSVerify: true}}' | ask PATCH "$APIS/v1.crd.example.com" >/dev/null
  is_local() { [ "$(ask GET "$APIS/v1.crd.example.com" | jq -c '.spec.service')" = null ] && is_available v1.crd.example.com "True Local"; }
  wait_for 10 is_local
  [ "$(ask GET /apis/crd.example.com/v1 | json '.resources[0].name')" = things ]
  api v1 '{metadata: {labels: {"kube-aggregator.kubernetes.io/automanaged": null}}, spec: {service: .spec.service, insecureSkipTLSVerify: true}}' |
    ask PATCH "$APIS/v1.crd.example.com" >/dev/null
  wait_for 10 is_available v1.crd.example.com "False FailedDiscoveryCheck" # it knows nothing of that group
  [ "$(ask GET /apis/crd.example.com/v1/things)" = "service unavailable" ]
  # its definition goes, it stays
  ask DELETE /apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.crd.example.com >/dev/null
  sleep 0.5
  has v1.crd.example.com
  ask DELETE "$APIS/v1.crd.example.com" >/dev/null
  sleep 0.3
  not has v1.crd.example.com
}

@test "an APIService that is there before the definition keeps the group" {
  jq -nc '{apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: {name: "v1.crd.example.com"}, spec: {group: "crd.example.com",
    version: "v1", groupPriorityMinimum: 10, versionPriority: 10, service: {namespace: "default", name: "none"}}}' | ask POST "$APIS" >/dev/null
  wait_for 10 is_available v1.crd.example.com "False ServiceNotFound"
  crd
  wait_for 10 has v1beta1.crd.example.com
  [ "$(ask GET /apis/crd.example.com/v1/things)" = "service unavailable" ]
  wait_for 10 ask GET /apis/crd.example.com/v1beta1/things -f -o /dev/null # the other version is the definition's
  [ "$(ask GET /apis/crd.example.com | jq -c '[.versions[].version]')" = '["v1beta1","v1"]' ] # 100 comes before 10
  # and leaves it when it goes
  ask DELETE "$APIS/v1.crd.example.com" >/dev/null
  wait_for 10 is_available v1.crd.example.com "True Local"
  [ "$(ask GET /apis/crd.example.com/v1/things | json .kind)" = ThingList ]
  ask DELETE /apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.crd.example.com >/dev/null
  wait_for 10 not has v1.crd.example.com
}

@test "an APIService without a service is local, whether there is anything or not" {
  jq -nc '{apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: {name: "v1.local.example.com"}, spec: {group: "local.example.com",
    version: "v1", groupPriorityMinimum: 10, versionPriority: 10}}' | ask POST "$APIS" >"$BATS_TEST_TMPDIR/answer"
  [ "$(jq -c '.status.conditions[0] | [.status, .reason, .message]' "$BATS_TEST_TMPDIR/answer")" = '["True","Local","Local APIServices are always available"]' ]
  [ "$(ask GET /apis/local.example.com | json .kind)" = APIGroup ]
  [ "$(ask GET /apis/local.example.com/v1 -o /dev/null -w '%{http_code}')" = 404 ]
  ask GET /apis -H "$AGGREGATED" | json '.items[].metadata.name' | not grep -qx local.example.com
  # from one that leads elsewhere to a local one
  echo '{"spec": {"service": {"name": "none", "namespace": "default"}}}' | ask PATCH "$APIS/v1.local.example.com" >/dev/null
  wait_for 10 is_available v1.local.example.com "False ServiceNotFound"
  echo '{"spec": {"service": null}}' | ask PATCH "$APIS/v1.local.example.com" >/dev/null
  wait_for 10 is_available v1.local.example.com "True Local"
  ask DELETE "$APIS/v1.local.example.com" >/dev/null
}

@test "built-in ones come back; what is changed is put right at the next start" {
  ask DELETE "$APIS/v1.apps" >/dev/null
  wait_for 10 has v1.apps
  [ "$(ask GET "$APIS/v1.apps" | json '.metadata.labels["kube-aggregator.kubernetes.io/automanaged"], .spec.groupPriorityMinimum')" = $'onstart\n17800' ]
  echo '{"spec": {"groupPriorityMinimum": 5}}' | ask PATCH "$APIS/v1.apps" >/dev/null
  echo '{"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": null}}, "spec": {"groupPriorityMinimum": 6}}' | ask PATCH "$APIS/v1.batch" >/dev/null
  jq -nc '{apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: {name: "v9.apps", labels: {"kube-aggregator.kubernetes.io/automanaged": "onstart"}},
    spec: {group: "apps", version: "v9", groupPriorityMinimum: 10, versionPriority: 10}}' | ask POST "$APIS" >/dev/null
  sleep 0.5
  [ "$(ask GET "$APIS/v1.apps" | json .spec.groupPriorityMinimum)" = 5 ]
  has v9.apps
  stop_store
  start_store --token-auth-file "$BATS_FILE_TMPDIR/tokens"
  [ "$(ask GET "$APIS/v1.apps" | json .spec.groupPriorityMinimum)" = 17800 ]
  [ "$(ask GET "$APIS/v1.batch" | json .spec.groupPriorityMinimum)" = 6 ] # whoever took its label away has it
  wait_for 10 not has v9.apps
  echo '{"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}}}' | ask PATCH "$APIS/v1.batch" >/dev/null
}

@test "what there is is taken up again at a start" {
  up
  stop_store
  start_store --token-auth-file "$BATS_FILE_TMPDIR/tokens"
  wait_for 10 is_available "v1.$G" "True Passed"
  [ "$(ask GET "/apis/$G/v1/flunders" | json .kind)" = FlunderList ]
  wait_for 10 is_fresh Current
}

@test "extension servers find whom to trust" {
  run ask GET /api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication
  [ "$(json '.data["requestheader-client-ca-file"]' <<<"$output")" = "$(cat "$STORE/pki/front-proxy-ca.crt")" ]
  [ "$(json '.data["client-ca-file"]' <<<"$output")" = "$(cat "$STORE/pki/ca.crt")" ]
  [ "$(jq -c '.data | [."requestheader-allowed-names", ."requestheader-username-headers", ."requestheader-uid-headers", ."requestheader-group-headers", ."requestheader-extra-headers-prefix"]' <<<"$output")" = \
    '["[\"front-proxy-client\"]","[\"X-Remote-User\"]","[\"X-Remote-Uid\"]","[\"X-Remote-Group\"]","[\"X-Remote-Extra-\"]"]' ]
  openssl verify -CAfile "$STORE/pki/front-proxy-ca.crt" "$STORE/pki/front-proxy-client.crt"
  not openssl verify -CAfile "$STORE/pki/ca.crt" "$STORE/pki/front-proxy-client.crt"
}

# whoami CURL-OPTION...: what the server makes of it
whoami() {
  curl -sS --cacert "$STORE/pki/ca.crt" -H 'Content-Type: application/json' -d '{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}' \
    "$@" "$(sed -n 's/.*server: //p' "$STORE/admin.kubeconfig")/apis/authentication.k8s.io/v1/selfsubjectreviews" | jq -c 'if .kind == "Status" then .code else .status.userInfo end'
}

@test "a proxy in front may say whom it speaks for, nobody else" {
  local front=(--cert "$STORE/pki/front-proxy-client.crt" --key "$STORE/pki/front-proxy-client.key") pki=$STORE/pki
  local words=(-H 'X-Remote-User: jane' -H 'X-Remote-Group: a' -H 'X-Remote-Group: b' -H 'X-Remote-Uid: 7' -H 'X-Remote-Extra-Acme.com%2fp: x')
  [ "$(whoami "${front[@]}" "${words[@]}")" = '{"username":"jane","uid":"7","groups":["a","b","system:authenticated"],"extra":{"acme.com/p":["x"]}}' ] ||
    [ "$(whoami "${front[@]}" "${words[@]}")" = '{"username":"jane","groups":["a","b","system:authenticated"],"uid":"7","extra":{"acme.com/p":["x"]}}' ]
  [ "$(whoami "${front[@]}")" = 401 ] # it is nobody by itself
  [ "$(whoami "${front[@]}" -H 'X-Remote-User;')" = 401 ]
  [[ $(whoami --cert "$pki/admin.crt" --key "$pki/admin.key" "${words[@]}") == '{"username":"admin",'* ]]
  [ "$(whoami -H 'Authorization: Bearer secret' "${words[@]}" | jq -r .username)" = joe ]
  # the authority is for proxies alone, and for those it names
  cp "$pki/front-proxy-ca.crt" "$BATS_FILE_TMPDIR/front.crt"
  cp "$pki/front-proxy-ca.key" "$BATS_FILE_TMPDIR/front.key"
  certificate somebody DNS:x front
  [ "$(whoami --cert "$BATS_FILE_TMPDIR/somebody.crt" --key "$BATS_FILE_TMPDIR/somebody.key" "${words[@]}")" = 401 ]
}

@test "other headers and another authority, by options" {
  local d=$BATS_TEST_TMPDIR
  authority own-ca
  certificate me DNS:x own-ca
  certificate you DNS:x own-ca
  mkdir "$d/store"
  run -2 orch-store -d "$d/store" --proxy-client-cert-file "$BATS_FILE_TMPDIR/me.crt"
  [[ $output == *"go together"* ]]
  STORE=$d/store background orch-store -d "$d/store" -l 127.0.0.1:0 --socket "$d/store/socket" --requestheader-client-ca-file "$BATS_FILE_TMPDIR/own-ca.crt" \
    --proxy-client-cert-file "$BATS_FILE_TMPDIR/me.crt" --proxy-client-key-file "$BATS_FILE_TMPDIR/me.key" --requestheader-allowed-names you,they \
    --requestheader-username-headers X-A,X-User --requestheader-group-headers X-Group --requestheader-extra-headers-prefix X-More-
  local pid=$!
  STORE=$d/store
  wait_for 10 test -S "$STORE/socket" -a -s "$STORE/admin.kubeconfig"
  wait_for 10 ask GET /readyz -f -o /dev/null
  [ ! -e "$STORE/pki/front-proxy-ca.crt" ]
  [ "$(whoami --cert "$BATS_FILE_TMPDIR/you.crt" --key "$BATS_FILE_TMPDIR/you.key" -H 'X-User: jane' -H 'X-Remote-User: x' -H 'X-Group: g' -H 'X-More-K: v' | jq -c '[.username, .groups, .extra]')" = \
    '["jane",["g","system:authenticated"],{"k":["v"]}]' ]
  [ "$(whoami --cert "$BATS_FILE_TMPDIR/me.crt" --key "$BATS_FILE_TMPDIR/me.key" -H 'X-User: jane')" = 401 ]
  [ "$(ask GET /api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication | jq -c '.data | [."requestheader-allowed-names", ."requestheader-username-headers"]')" = \
    '["[\"you\",\"they\"]","[\"X-A\",\"X-User\"]"]' ]
  kill "$pid"
  wait_for 10 not kill -0 "$pid"
}

@test "behind a Service with endpoints: one that is ready" {
  [ "$(id -u)" -eq 0 ] || skip "needs root: it takes a network namespace"
  local dir=$BATS_FILE_TMPDIR/inside own=$BATS_FILE_TMPDIR
  mkdir -p "$dir/ext"
  # endpoints are never loopback addresses, so a second store and its server live in a network namespace, at 198.51.100.1
  background unshare -n sh -c 'ip link set lo up; ip addr add 198.51.100.1/32 dev lo
    orch-store --data "$1" --listen 127.0.0.1:0 --socket "$1/socket" & one=$!
    while ! [ -s "$1/pki/front-proxy-ca.crt" ] || ! [ -S "$1/socket" ]; do sleep 0.1; done
    ADDRESS=198.51.100.1 PORT=8443 python3 "$2" "$3/wardle.crt" "$3/wardle.key" "$1/pki/front-proxy-ca.crt" "$1/ext" >"$1/port" & two=$!
    trap "kill $one $two; wait; exit" TERM; wait' - "$dir" "$BATS_TEST_DIRNAME/extension.py" "$own"
  wait_for 10 test -s "$dir/port"
  STORE=$dir
  jq -nc '{apiVersion: "v1", kind: "Service", metadata: {name: "wardle"}, spec: {ports: [{name: "web", port: 443}]}}' |
    ask POST /api/v1/namespaces/kube-system/services >/dev/null
  slice() { jq -nc --argjson ready "$1" '{apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: {name: "w", labels: {"kubernetes.io/service-name": "wardle"}},
    addressType: "IPv4", endpoints: [{addresses: ["198.51.100.1"], conditions: {ready: $ready}}, {addresses: ["198.51.100.9"], conditions: {ready: false}}], ports: [{name: "web", port: 8443}]}'; }
  slice true | ask POST /apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices >/dev/null
  api v1 'del(.spec.service.port)' | ask POST "$APIS" >/dev/null
  wait_for 10 is_available "v1.$G" "True Passed"
  for i in 1 2 3 4 5; do [ "$(ask GET "/apis/$G/v1/flunders" | json .kind)" = FlunderList ]; done
  slice false | ask PATCH /apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/w >/dev/null
  wait_for 10 is_available "v1.$G" "False MissingEndpoints"
  [ "$(ask GET "/apis/$G/v1/flunders")" = "service unavailable" ]
  # Endpoints do where there are no slices
  ask DELETE /apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/w >/dev/null
  wait_for 10 is_available "v1.$G" "False EndpointsNotFound"
  jq -nc '{apiVersion: "v1", kind: "Endpoints", metadata: {name: "wardle"}, subsets: [{addresses: [{ip: "198.51.100.1"}], ports: [{name: "web", port: 8443}]}]}' |
    ask POST /api/v1/namespaces/kube-system/endpoints >/dev/null
  wait_for 10 is_available "v1.$G" "True Passed"
  [ "$(ask GET "/apis/$G/v1/flunders" | json .kind)" = FlunderList ]
}

@test "kubectl sees it as any other group" {
  command -v kubectl >/dev/null || skip "no kubectl"
  up
  export HOME=$BATS_TEST_TMPDIR
  run kubectl get apiservices "v1.$G"
  [[ ${lines[0]} =~ ^NAME\ +SERVICE\ +AVAILABLE\ +AGE$ ]]
  [[ ${lines[1]} =~ ^v1.wardle.example.com\ +kube-system/wardle\ +True ]]
  [[ $(kubectl api-resources --api-group="$G" --no-headers) =~ ^flunders\ +fl\ +wardle.example.com/v1\ +true\ +Flunder$ ]]
  flunder k | kubectl create -n default -f -
  [ "$(kubectl get fl k -n default -o name)" = "flunder.$G/k" ]
  kubectl delete fl k -n default
  run -1 kubectl get fl k -n default
  [[ $output == *NotFound* ]]
}
