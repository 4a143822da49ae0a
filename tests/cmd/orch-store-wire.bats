# orch-store: how it reads and writes: forms of bodies and answers, versions, web sockets.
load ../helper

setup_file() { start_store; }
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
