# orch-store: how it reads and writes: forms of bodies and answers, versions, web sockets.
load ../helper

setup_file() {
  printf '%s\n' 'root-token,boss,1,system:masters' 'other-token,somebody,2' >"$BATS_FILE_TMPDIR/tokens"
  start_store --token-auth-file "$BATS_FILE_TMPDIR/tokens"
}
teardown_file() { stop_all; }

# api METHOD PATH [BODY] [CURL OPTION...]: the answer is in $body, its status in $code, its head in $head
api() {
  local method=$1 path=$2 data=${3:-} type='Content-Type: application/json'
  shift 2; [ $# -eq 0 ] || shift
  [[ "$*" != *Content-Type* ]] || type='X-Other: type'
  code=$(curl -s -D "$BATS_TEST_TMPDIR/head" -o "$BATS_TEST_TMPDIR/out" -w '%{http_code}' \
    --unix-socket "$STORE/socket" -X "$method" ${data:+--data-binary "$data"} -H "$type" "$@" "http://x$path")
  body=$(cat "$BATS_TEST_TMPDIR/out")
  head=$(tr -d '\r' <"$BATS_TEST_TMPDIR/head")
}
of() { jq -r "$1" <<<"$body"; }
NS=/api/v1/namespaces/default

@test "a key that stands twice in YAML is a matter of fieldValidation" {
  twice=$'metadata:\n  name: twice\ndata:\n  a: "1"\n  a: "2"\nbogus: 1\n'
  yaml() { api POST "$NS/configmaps?fieldValidation=$1" "$twice" -H 'Content-Type: application/yaml'; }
  yaml Strict
  [ "$code $(of .message)" = '400 ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:
  line 5: key "a" already set in map, unknown field "bogus"' ]
  yaml Warn
  [ "$code $(of .data.a)" = '201 2' ]
  [[ $head == *'Warning: 299 - "line 5: key \"a\" already set in map"'* ]]
  [[ $head == *'Warning: 299 - "unknown field \"bogus\""'* ]]
  api DELETE $NS/configmaps/twice
  yaml Ignore
  [ "$code $(of .data.a)" = '201 2' ]
  [[ $head != *Warning* ]]
}

@test "YAML answers are folded as the real server does" {
  api GET "$NS/configmaps?watch=true" '' -H 'Accept: application/yaml'
  [ "$code" = 406 ]
  [[ $body == *$'stream=watch,\n  application/vnd.kubernetes.protobuf'* ]]
}

@test "a continue token that is none is told apart" {
  api GET "$NS/configmaps?limit=1&continue=abc"
  [[ $(of .message) == *"invalid character 'i' looking for beginning of value" ]]
  api GET "$NS/configmaps?limit=1&continue=ab*c"
  [[ $(of .message) == *"illegal base64 data at input byte 2" ]]
  api GET "$NS/configmaps?limit=1&continue=$(printf '{"v":"meta.k8s.io/v1","start":"a/b"}' | base64 -w0 | tr -d =)"
  [[ $(of .message) == *"incorrect encoded start resourceVersion (version meta.k8s.io/v1)" ]]
  api GET "$NS/configmaps?limit=1&continue=$(printf '{"v":"meta.k8s.io/v1","rv":5}' | base64 -w0 | tr -d =)"
  [[ $(of .message) == *"encoded start key empty (version meta.k8s.io/v1)" ]]
}

@test "a component status that is not there is named in the singular" {
  api GET /api/v1/componentstatuses/nope
  [ "$code $(of .message) $(of .details.kind)" = '404 componentstatus "nope" not found componentstatus' ]
}

@test "what a strategic merge patch makes is told in the words of Go's converter" {
  api POST $NS/pods '{"metadata":{"name":"words"},"spec":{"containers":[{"name":"c","image":"i"}]}}'
  words() {
    api PATCH $NS/pods/words "$1" -H 'Content-Type: application/strategic-merge-patch+json'
    [ "$code" = 422 ]
    [[ $(of .message) == ' "" is invalid: patch: Invalid value: "map[apiVersion:v1 kind:Pod metadata:map['*"]\": $2" ]]
  }
  words '{"metadata":{"labels":"x"}}' 'cannot restore map from string'
  words '{"spec":{"nodeSelector":[]}}' 'cannot restore map from slice'
  words '{"spec":{"securityContext":5}}' 'cannot restore struct from: int64'
  words '{"metadata":{"finalizers":{}}}' 'cannot restore slice from map'
  words '{"spec":{"hostname":true}}' 'cannot convert bool to string'
  words '{"spec":{"priority":"x"}}' 'cannot convert string to int32'
  api DELETE "$NS/pods/words?gracePeriodSeconds=0"
}

AS=/apis/autoscaling
HPA=namespaces/default/horizontalpodautoscalers
@test "an autoscaler is one object in two versions" {
  api POST $AS/v2/$HPA '{"metadata":{"name":"two","labels":{"a":"b"}},"spec":{"scaleTargetRef":{"kind":"Deployment","name":"d","apiVersion":"apps/v1"},"maxReplicas":3,
    "metrics":[{"type":"Pods","pods":{"metric":{"name":"q"},"target":{"type":"AverageValue","averageValue":"10"}}}],"behavior":{"scaleDown":{"stabilizationWindowSeconds":10}}}}'
  [ "$code" = 201 ]
  api GET $AS/v1/$HPA/two
  [ "$(of .apiVersion) $(of '.spec | keys | join(" ")')" = "autoscaling/v1 maxReplicas minReplicas scaleTargetRef" ]
  [ "$(of '.metadata.annotations["autoscaling.alpha.kubernetes.io/metrics"]')" = '[{"type":"Pods","pods":{"metricName":"q","targetAverageValue":"10"}}]' ]
  version=$(of .metadata.resourceVersion)
  # written back as it was read: nothing changes
  api PUT $AS/v1/$HPA/two "$body"
  [ "$code $(of .metadata.resourceVersion)" = "200 $version" ]
  # a change through one is seen through the other, and each writer keeps his version
  api PATCH "$AS/v1/$HPA/two?fieldManager=old" '{"spec":{"targetCPUUtilizationPercentage":70}}' -H 'Content-Type: application/merge-patch+json'
  [ "$code" = 200 ]
  api GET $AS/v2/$HPA/two
  [ "$(of '[.spec.metrics[].type] | join(" ")') $(of '.spec.behavior.scaleDown.stabilizationWindowSeconds')" = "Pods Resource 10" ]
  [ "$(of '[.metadata.managedFields[] | .manager + "=" + .apiVersion] | sort | join(" ")')" = "curl=autoscaling/v2 old=autoscaling/v1" ]
  [ "$(of '.metadata.managedFields[] | select(.manager=="curl").fieldsV1["f:spec"] | has("f:metrics")')" = false ]
  # its status, too
  api PATCH $AS/v2/$HPA/two/status '{"status":{"currentReplicas":2,"conditions":[{"type":"AbleToScale","status":"True"}]}}' -H 'Content-Type: application/merge-patch+json'
  api GET $AS/v1/$HPA/two/status
  [ "$(of '.status.currentReplicas') $(of '.metadata.annotations["autoscaling.alpha.kubernetes.io/conditions"]')" = '2 [{"type":"AbleToScale","status":"True","lastTransitionTime":null}]' ]
  api PATCH $AS/v1/$HPA/two '{"metadata":{"annotations":null},"spec":{"maxReplicas":5}}' -H 'Content-Type: application/merge-patch+json'
  api GET $AS/v2/$HPA/two
  [ "$(of '.status.conditions[0].type') $(of .spec.maxReplicas) $(of '.spec.metrics | length')" = "AbleToScale 5 1" ]
  api DELETE $AS/v1/$HPA/two
  api GET $AS/v2/$HPA/two
  [ "$code" = 404 ]
}

@test "server-side apply through both versions" {
  ssa() { api PATCH "$AS/$1/$HPA/ssa?fieldManager=$2&force=${4:-false}" "{\"apiVersion\":\"autoscaling/$1\",\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":{\"name\":\"ssa\"},\"spec\":{\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"d\"},$3}}" -H 'Content-Type: application/apply-patch+yaml'; }
  ssa v1 one '"maxReplicas":3,"minReplicas":2,"targetCPUUtilizationPercentage":50'
  [ "$code" = 201 ]
  ssa v2 two '"maxReplicas":4'
  [ "$code $(of '.details.causes[0].field')" = "409 .spec.maxReplicas" ]
  ssa v2 two '"maxReplicas":4' true
  [ "$code $(of '.spec.metrics[0].resource.target.averageUtilization')" = "200 50" ]
  # what the first no longer says goes, although it was said in the other version
  ssa v2 one '"maxReplicas":4'
  [ "$code $(of .spec.minReplicas) $(of '[.metadata.managedFields[].apiVersion] | join(" ")')" = "200 1 autoscaling/v2 autoscaling/v2" ]
}

@test "an Event is one object in two groups" {
  new=/apis/events.k8s.io/v1/namespaces/default/events
  api POST $NS/events '{"metadata":{"name":"core"},"involvedObject":{"namespace":"default","kind":"Pod","name":"p"},"reason":"R","message":"m","source":{"component":"c"},"count":2,"type":"Normal"}'
  [ "$code" = 201 ]
  since=$(of .metadata.resourceVersion)
  api GET "$new?fieldSelector=regarding.name=p,regarding.kind=Pod"
  [ "$(of '.items[0] | .note + .deprecatedSource.component + (.deprecatedCount|tostring)') $(of .apiVersion)" = "mc2 events.k8s.io/v1" ]
  api POST $new '{"metadata":{"name":"new"},"eventTime":"2026-01-02T03:04:05.000006Z","reportingController":"c.example.com/x","reportingInstance":"i","action":"Do","reason":"Why","type":"Normal","note":"n","regarding":{"namespace":"default","kind":"Pod","name":"p2"}}'
  [ "$code $(of .note)" = "201 n" ]
  api GET "$NS/events?fieldSelector=involvedObject.name=p2,reportingComponent=c.example.com/x"
  [ "$(of '.items[0].message')" = n ]
  # each group has its own rules
  api POST $new '{"metadata":{"name":"bad"},"regarding":{"namespace":"default"}}'
  [ "$code" = 422 ]
  # watched through the other one, as JSON, a table and protobuf
  api GET "$NS/events?watch=true&timeoutSeconds=1&resourceVersion=$since"
  [ "$(of '.object | .apiVersion + .message')" = v1n ]
  api GET "$new?watch=true&timeoutSeconds=1"
  [ "$(jq -r '.object | .apiVersion + .note' <<<"$body" | sort | tr '\n' ' ')" = "events.k8s.io/v1m events.k8s.io/v1n " ]
  table='Accept: application/json;as=Table;v=v1;g=meta.k8s.io'
  api GET "$new?watch=true&timeoutSeconds=1" '' -H "$table"
  [ "$(jq -r '.object.rows[0].cells[6]' <<<"$body" | sort | tr '\n' ' ')" = "m n " ]
  [ "$(jq -s '[.[].object.columnDefinitions | type] | join(" ")' <<<"$body")" = '"array null"' ]
  api GET "$new" '' -H 'Accept: application/vnd.kubernetes.protobuf'
  grep -aq 'events.k8s.io/v1' "$BATS_TEST_TMPDIR/out"
  api DELETE "$new?fieldSelector=regarding.name=p"
  api GET $NS/events/core
  [ "$code" = 404 ]
}

@test "a Pod that goes at once is changed first" {
  api POST $NS/pods '{"metadata":{"name":"brief"},"spec":{"containers":[{"name":"c","image":"i"}]}}'
  since=$(of .metadata.resourceVersion)
  api DELETE $NS/pods/brief
  [ "$code $(of .metadata.deletionGracePeriodSeconds)" = "200 0" ]
  api GET "$NS/pods?watch=true&timeoutSeconds=1&resourceVersion=$since&fieldSelector=metadata.name=brief"
  [ "$(jq -sr '[.[] | .type + (.object.metadata | has("deletionTimestamp") | tostring)] | join(" ")' <<<"$body")" = "MODIFIEDtrue DELETEDtrue" ]
  [ "$(jq -sr '[.[].object.metadata.resourceVersion] | unique | length' <<<"$body")" = 2 ]
  api POST $NS/pods '{"metadata":{"name":"brief"},"spec":{"containers":[{"name":"c","image":"i"}]}}'
  since=$(of .metadata.resourceVersion)
  api DELETE "$NS/pods?fieldSelector=metadata.name=brief"
  api GET "$NS/pods?watch=true&timeoutSeconds=1&resourceVersion=$since&fieldSelector=metadata.name=brief"
  [ "$(jq -sr '[.[].type] | join(" ")' <<<"$body")" = "MODIFIED DELETED" ]
}

socket() { python3 "$BATS_TEST_DIRNAME/websocket.py" "$STORE/socket" "$@"; }
@test "a watch over WebSocket: a message for each event" {
  api POST $NS/configmaps '{"metadata":{"name":"ws","labels":{"ws":"1"}}}'
  since=$(of .metadata.resourceVersion)
  api PUT $NS/configmaps/ws '{"metadata":{"name":"ws","labels":{"ws":"1"}},"data":{"a":"b"}}'
  # texts, the first protocol that was offered, pings answered, and the end
  run socket "$NS/configmaps?watch=true&timeoutSeconds=1&labelSelector=ws=1" -p 'mine, yours' -s 9:hello
  [ "${lines[0]}" = "HTTP/1.1 101 Switching Protocols" ]
  [ "${lines[1]}" = "Sec-WebSocket-Protocol: mine" ]
  grep -q '^10 hello$' <<<"$output"
  [ "$(sed -n 's/^1 //p' <<<"$output" | jq -r '.type + .object.data.a')" = ADDEDb ]
  [ "${lines[-1]}" = "8 1000" ]
  # protobuf is binary, and has no length in front
  run socket "$NS/configmaps?watch=true&resourceVersion=$since&labelSelector=ws=1" -H 'Accept: application/vnd.kubernetes.protobuf;stream=watch' -n 1
  [[ ${lines[1]} =~ ^2\ [0-9]+$ ]]
  [ "${lines[2]}" = "8 1000" ]
  # rows of a table
  run socket "$NS/configmaps?watch=true&labelSelector=ws=1" -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io' -n 1
  [ "$(sed -n 's/^1 //p' <<<"$output" | jq -r '.object.kind + .object.rows[0].cells[0]')" = Tablews ]
}

@test "a WebSocket that breaks the protocol is closed, and one whose handshake is wrong refused" {
  run socket "$NS/configmaps?watch=true&resourceVersion=1" -s 1:x --unmasked
  [ "${lines[-1]}" = "8 1002" ]
  run socket "$NS/configmaps?watch=true" --key short
  [ "${lines[0]}" = "HTTP/1.1 400 Bad Request" ]
  # a message that nobody reads does no harm
  run socket "$NS/configmaps?watch=true&resourceVersion=1&timeoutSeconds=1" -s 1:x -s 2:y -s 8:
  [ "${lines[-1]}" = "8 1000" ]
}

@test "a list that is sent empty where null is written is somebody's" {
  api POST /apis/storage.k8s.io/v1/csinodes '{"metadata":{"name":"empty"},"spec":{"drivers":[]}}'
  [ "$code $(of .spec.drivers) $(of '.metadata.managedFields[0].fieldsV1["f:spec"] | keys[0]')" = "201 null f:drivers" ]
  api POST /apis/rbac.authorization.k8s.io/v1/clusterroles '{"metadata":{"name":"empty"}}'
  [ "$code $(of .rules) $(of .metadata.managedFields)" = "201 null null" ]
}

@test "a token can come as a subprotocol of a WebSocket" {
  offer() { printf 'base64url.bearer.authorization.k8s.io.%s' "$(printf %s "$1" | base64 | tr '+/' '-_' | tr -d =)"; }
  watch="$NS/configmaps?watch=true&resourceVersion=1&timeoutSeconds=1"
  run socket "$watch" -p "$(offer root-token), mine"
  [ "${lines[0]} ${lines[1]}" = "HTTP/1.1 101 Switching Protocols Sec-WebSocket-Protocol: mine" ]
  run socket "$watch" -p "mine, $(offer other-token)" # the socket's owner would be allowed to
  [ "${lines[0]}" = "HTTP/1.1 403 Forbidden" ]
  for bad in "$(offer nobody), mine" "$(offer root-token)" "$(offer root-token), $(offer root-token), mine" "$(offer ''), mine"; do
    run socket "$watch" -p "$bad"
    [ "${lines[0]}" = "HTTP/1.1 401 Unauthorized" ]
  done
}
