# orch-store: asking as somebody else, by Impersonate- headers.
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

# api METHOD PATH [BODY] [CURL OPTION...]: the answer is in $body, its status in $code
api() {
  local method=$1 path=$2 data=${3:-}
  shift 2; [ $# -eq 0 ] || shift
  code=$(curl -s -o "$BATS_TEST_TMPDIR/out" -w '%{http_code}' --unix-socket "$STORE/socket" -X "$method" \
    ${data:+--data-binary "$data"} -H 'Content-Type: application/json' "$@" "http://x$path")
  body=$(cat "$BATS_TEST_TMPDIR/out")
}
of() { jq -r "$1" <<<"$body"; }
me() { # [CURL OPTION...]: "NAME: GROUP GROUP"
  api POST /apis/authentication.k8s.io/v1/selfsubjectreviews '{}' "$@"
  of '.status.userInfo | "\(.username): \(.groups | join(" "))"'
}

@test "a user, his groups, his uid and what else is said of him" {
  [ "$(me -H 'Impersonate-User: joe')" = "joe: system:authenticated" ]
  [ "$(me -H 'impersonate-user: joe' -H 'Impersonate-Group: a' -H 'Impersonate-Group: ,,b')" = "joe: a ,,b system:authenticated" ]
  [ "$(me -H 'Impersonate-User: system:anonymous')" = "" ] # who may not even ask
  api POST /apis/authentication.k8s.io/v1/selfsubjectreviews '{}' -H 'Impersonate-User: joe' -H 'Impersonate-Uid: 7' \
    -H 'Impersonate-Extra-Team%2fX: one' -H 'Impersonate-Extra-Team%2fX: two'
  [ "$(of '.status.userInfo | [.uid, .extra["team/x"]] | tojson')" = '["7",["one","two"]]' ]
}

@test "a ServiceAccount comes with the groups of its namespace" {
  [ "$(me -H 'Impersonate-User: system:serviceaccount:ns:web')" = \
    "system:serviceaccount:ns:web: system:serviceaccounts system:serviceaccounts:ns system:authenticated" ]
  [ "$(me -H 'Impersonate-User: system:serviceaccount:ns:web' -H 'Impersonate-Group: g')" = \
    "system:serviceaccount:ns:web: g system:authenticated" ]
}

@test "what somebody else may not do is refused in his name" {
  api GET /api/v1/namespaces/default/pods '' -H 'Impersonate-User: joe'
  [ "$code $(of .message)" = '403 pods is forbidden: User "joe" cannot list resource "pods" in API group "" in the namespace "default"' ]
  api GET /api/v1/namespaces/default/pods '' -H 'Impersonate-User: joe' -H 'Impersonate-Group: system:masters'
  [ "$code" = 200 ]
  api GET /api/v1/namespaces/default/pods '' -H 'Impersonate-Group: system:masters'
  [ "$code" = 500 ]
  [[ $body == *'requested [{Group  system:masters  authentication.k8s.io/v1  }] without impersonating a user'* ]]
}

@test "who signs is who is impersonated, and not everybody may impersonate" {
  request=$(openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null -subj /CN=joe 2>/dev/null | base64 -w0)
  api POST /apis/certificates.k8s.io/v1/certificatesigningrequests \
    '{"metadata":{"name":"r"},"spec":{"request":"'"$request"'","signerName":"example.com/x","usages":["client auth"]}}' \
    -H 'Impersonate-User: joe' -H 'Impersonate-Group: system:masters' -H 'Impersonate-Uid: 7' -H 'Impersonate-Extra-K: v'
  [ "$code" = 201 ]
  [ "$(of '.spec | [.username, .uid, .groups, .extra] | tojson')" = \
    '["joe","7",["system:masters","system:authenticated"],{"k":["v"]}]' ]
  api POST /api/v1/namespaces/default/serviceaccounts '{"metadata":{"name":"robot"}}'
  api POST /api/v1/namespaces/default/serviceaccounts/robot/token '{}'
  token=$(of .status.token)
  code=$(curl -s -o "$BATS_TEST_TMPDIR/out" -w '%{http_code}' --unix-socket "$STORE/socket" \
    -H "Authorization: Bearer $token" -H 'Impersonate-User: admin' http://x/api/v1/pods)
  body=$(cat "$BATS_TEST_TMPDIR/out")
  [ "$code $(of .message)" = '403 users "admin" is forbidden: User "system:serviceaccount:default:robot" cannot impersonate resource "users" in API group "" at the cluster scope' ]
}
