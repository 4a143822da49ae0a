# orch-store: what it passes on, to nodes' servers and to what listens in pods, behind services, on nodes.

load ../helper

# backend NAME [ARGUMENT...]: start one; its port in $BATS_FILE_TMPDIR/NAME.port
backend() {
  local name=$1
  shift
  python3 "$BATS_TEST_DIRNAME/backend.py" "$@" >"$BATS_FILE_TMPDIR/$name.port" 2>"$BATS_FILE_TMPDIR/$name.log" 3>&- &
  disown "$!"
  echo "$!" >>"$BATS_FILE_TMPDIR/pids"
  wait_for 10 test -s "$BATS_FILE_TMPDIR/$name.port"
}

port() { cat "$BATS_FILE_TMPDIR/$1.port"; }

# node NAME PORT PIN [ADDRESS]
node() {
  jq -nc --arg name "$1" --argjson port "$2" --arg pin "$3" '{apiVersion: "v1", kind: "Node",
    metadata: {name: $name, annotations: {"orch.io/server-pin": $pin}}}' | ask POST /api/v1/nodes >/dev/null
  jq -nc --argjson port "$2" --arg address "${4:-127.0.0.1}" '{status: {addresses: [{type: "InternalIP", address: $address}],
    daemonEndpoints: {kubeletEndpoint: {Port: $port}}}}' |
    ask PATCH "/api/v1/nodes/$1/status" -H 'Content-Type: application/merge-patch+json' >/dev/null
}

# pod NAME NODE [IP]
pod() {
  jq -nc --arg name "$1" --arg node "$2" '{apiVersion: "v1", kind: "Pod", metadata: {name: $name},
    spec: {nodeName: $node, containers: [{name: "c", image: "i"}]}}' | ask POST /api/v1/namespaces/default/pods >/dev/null
  [ -z "${3:-}" ] || echo '{"status": {"podIP": "'"$3"'", "podIPs": [{"ip": "'"$3"'"}]}}' |
    ask PATCH "/api/v1/namespaces/default/pods/$1/status" -H 'Content-Type: application/merge-patch+json' >/dev/null
}

# ask METHOD PATH [CURL-OPTION...] <BODY
ask() {
  local method=$1 path=$2 body=()
  shift 2
  case $method in POST | PUT | PATCH) body=(-H 'Content-Type: application/json' --data-binary @-) ;; HEAD) body=(-I) ;; esac
  [ "$#" -eq 0 ] || [ "${1#-H}" = "$1" ] || body=(--data-binary @-)
  curl -sS --max-time 20 --unix-socket "$STORE/socket" -X "$method" "${body[@]}" "$@" "http://x$path"
}

pin_of() { openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1; }

setup_file() {
  echo 'secret,somebody,1,"system:masters"' >"$BATS_FILE_TMPDIR/tokens"
  start_store --token-auth-file "$BATS_FILE_TMPDIR/tokens"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=node \
    -keyout "$BATS_FILE_TMPDIR/n.key" -out "$BATS_FILE_TMPDIR/n.crt" 2>/dev/null
  backend tls "$BATS_FILE_TMPDIR/n.crt" "$BATS_FILE_TMPDIR/n.key" "$STORE/pki/ca.crt"
  backend plain
  node n1 "$(port tls)" "$(pin_of "$BATS_FILE_TMPDIR/n.crt")"
  node other "$(port tls)" 00
  node away 1 00
  pod web n1 127.0.0.1
  pod nowhere ""
  pod untrusted other
  pod unreachable away
  pod lost no-such-node
}

teardown_file() { stop_all; }

# inside: what pods and services lead to is never a loopback address, so a second store and its backends live
# in a network namespace, at 198.51.100.1; sets STORE, PLAIN and TLS (ports).
inside() {
  [ "$(id -u)" -eq 0 ] || skip "needs root: it takes a network namespace"
  local dir=$BATS_FILE_TMPDIR
  STORE=$dir/inside
  [ -e "$dir/inside.plain" ] || background unshare -n sh -c 'ip link set lo up; ip addr add 198.51.100.1/32 dev lo
    export ADDRESS=198.51.100.1 dir=$2
    python3 "$1" >"$dir/inside.plain" & one=$!
    python3 "$1" "$dir/n.crt" "$dir/n.key" >"$dir/inside.tls" & two=$!
    orch-store --data "$dir/inside" --listen 127.0.0.1:0 --socket "$dir/inside/socket" & three=$!
    trap "kill $one $two $three; wait; exit" TERM; wait' - "$BATS_TEST_DIRNAME/backend.py" "$dir"
  wait_for 10 test -s "$dir/inside.plain" -a -s "$dir/inside.tls" -a -S "$STORE/socket"
  PLAIN=$(cat "$dir/inside.plain")
  TLS=$(cat "$dir/inside.tls")
  ask GET "$P/web" | grep -q '"uid"' || { pod web "" 198.51.100.1; pod nowhere ""; pod loop "" 127.0.0.1; }
}

P=/api/v1/namespaces/default/pods

@test "a log is asked for at the node, by the store's own name, with the options that were given" {
  run ask GET "$P/web/log?tailLines=5&timestamps=true&limitBytes=100&pretty=true" -H 'Authorization: Basic x' -H 'Impersonate-User: y' -H 'Impersonate-Group: system:masters'
  [ "${lines[0]}" = "GET /containerLogs/default/web/c?timestamps=true&tailLines=5&limitBytes=100 HTTP/1.1" ]
  [ "${lines[1]}" = "peer=kube-apiserver-kubelet-client" ]
  [[ $output != *authorization* && $output != *impersonate* ]]
  [[ $output == *"connection: close"* ]]
}

@test "a log that goes on comes as it is written" {
  run ask GET "$P/web/log?follow=true" -N
  [ "$output" = $'one\ntwo' ]
}

@test "a pod that is nowhere yet has said nothing, and has no terminal" {
  run ask GET "$P/nowhere/log" -w '%{http_code} %{size_download}'
  [ "$output" = "204 0" ]
  run ask GET "$P/nowhere/exec?command=a&stdout=1"
  [ "$(json .code,.message <<<"$output")" = $'400\npod nowhere does not have a host assigned' ]
}

@test "which container: the only one, a known one, one of several" {
  [ "$(ask GET "$P/web/log?container=d" | json .code,.message)" = $'400\ncontainer d is not valid for pod web' ]
  jq -nc '{apiVersion: "v1", kind: "Pod", metadata: {name: "two"}, spec: {nodeName: "n1",
    initContainers: [{name: "i", image: "i"}], containers: [{name: "a", image: "i"}, {name: "b", image: "i"}]}}' |
    ask POST "$P" >/dev/null
  [ "$(ask GET "$P/two/log" | json .message)" = "a container name must be specified for pod two, choose one of: [a b] or one of the init containers: [i]" ]
  run ask GET "$P/two/log?container=i"
  [[ ${lines[0]} == "GET /containerLogs/default/two/i HTTP/1.1" ]]
}

@test "options of a log that make no sense" {
  run ask GET "$P/web/log?tailLines=-1&limitBytes=0"
  [ "$(json '.code,.reason,(.details.causes|map(.field)|join(","))' <<<"$output")" = $'422\nInvalid\ntailLines,limitBytes' ]
  [ "$(ask GET "$P/web/log?sinceSeconds=1&sinceTime=2020-01-01T00:00:00Z" | json .code)" = 422 ]
  [ "$(ask GET "$P/web/log?tailLines=many" | json .code)" = 400 ]
}

@test "a node that cannot be reached, is not there, or has another key" {
  run ask GET "$P/unreachable/log"
  [ "$(json .code,.message <<<"$output")" = $'500\nGet "https://127.0.0.1:1/containerLogs/default/unreachable/c": dial tcp 127.0.0.1:1: connect: connection refused' ]
  [ "$(ask GET "$P/lost/log" | json .code,.message)" = $'404\nnodes "no-such-node" not found' ]
  run ask GET "$P/untrusted/log"
  [ "$(json .code <<<"$output")" = 500 ]
  [[ $output == *"the server's key is not the one it is known by"* ]]
  run ask GET "$P/unreachable/exec?command=a&stdout=1" -H 'Connection: Upgrade' -H 'Upgrade: websocket'
  [ "$(json .message <<<"$output")" = "error dialing backend: dial tcp 127.0.0.1:1: connect: connection refused" ]
}

@test "exec, attach and portforward need an upgrade and become a tunnel" {
  [ "$(ask GET "$P/web/exec?command=a&stdout=1" | json .code,.message)" = $'400\nUpgrade request required' ]
  for what in "exec?command=sh&command=a%20b%26c&stdin=true&stdout=1&tty=false /exec/default/web/c?input=1&output=1&command=sh&command=a%20b%26c" \
    "attach?stdout=1&stderr=1 /attach/default/web/c?output=1&error=1" "portforward?ports=80 /portForward/default/web?ports=80"; do
    run python3 - "$STORE/socket" "$P/web/${what% *}" <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(("GET %s HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: "
           "base64url.bearer.authorization.k8s.io.c2VjcmV0, v5.channel.k8s.io\r\n\r\nearly " % sys.argv[2]).encode())
got = b""
def until(what):
    global got
    while what not in got:
        more = s.recv(4096)
        if not more:
            sys.exit(got.decode())
        got += more
until(b"EARLY ")
s.sendall(b"later")
until(b"LATER")
s.shutdown(socket.SHUT_WR)
while True:
    more = s.recv(4096)
    if not more:
        break
    got += more
print(got.decode().split("\r\n\r\n", 1)[1])
END
    [ "${lines[0]}" = "${what#* } v5.channel.k8s.io" ]
    [ "${lines[1]}" = "EARLY LATER" ]
  done
}

@test "behind a request that is no tunnel nothing else gets through" {
  run python3 - "$STORE/socket" "$P/web/log" <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(("GET %s HTTP/1.1\r\nHost: x\r\n\r\nGET /exec/default/web/c HTTP/1.1\r\nHost: x\r\n\r\n" % sys.argv[2]).encode())
got = b""
while True:
    more = s.recv(4096)
    if not more:
        break
    got += more
print(got.count(b"HTTP/1.1 200"), b"/exec/" in got, b"Connection: close" in got)
END
  [ "$output" = "1 False True" ]
}

@test "proxy to a pod: any method, path and query as they were sent, the answer as it is" {
  inside
  for method in GET PUT POST DELETE PATCH OPTIONS; do
    run ask "$method" "$P/http:web:$PLAIN/proxy/a%2Fb//c?d=e%20f&g" -H 'X-Mine: 1' <<<body
    [ "${lines[0]}" = "$method /a%2Fb//c?d=e%20f&g HTTP/1.1" ]
    [[ $output == *"x-mine: 1"* ]]
    case $method in P*) [[ $output == *body* ]] ;; esac
  done
  run ask HEAD "$P/web:$PLAIN/proxy/"
  [[ ${lines[0]} == "HTTP/1.1 200"* ]]
  run ask GET "$P/web:$PLAIN/proxy/missing" -w '%{http_code} %{content_type}'
  [[ $output == *"404 text/x-test" ]]
  run ask GET "$P/https:web:$TLS/proxy/x"
  [ "${lines[0]}" = "GET /x HTTP/1.1" ]
  [ "${lines[1]}" = "peer=-" ] # the store does not show pods who it is
}

@test "proxy without a slash at its end is sent there" {
  run ask GET "$P/web:1/proxy?a=b" -o /dev/null -w '%{http_code} %{redirect_url}'
  [ "$output" = "301 http://x$P/web:1/proxy/?a=b" ]
  run ask GET "$P/web:1/proxy/deeper/proxy" -o /dev/null -w '%{http_code}'
  [ "$output" != 301 ] # that path is the Pod's
}

@test "proxy to what is not there, or must not be reached" {
  inside
  [ "$(ask GET "$P/nobody:80/proxy/" | json .code,.message)" = $'404\npods "nobody" not found' ]
  for pod in nowhere loop; do
    [ "$(ask GET "$P/$pod:80/proxy/" | json .code,.message)" = $'400\naddress not allowed' ]
  done
  run ask GET "$P/web:1/proxy/"
  [ "$(json .code,.reason,.message <<<"$output")" = $'503\nServiceUnavailable\nerror trying to reach service: dial tcp 198.51.100.1:1: connect: connection refused' ]
  [ "$(ask GET "$P/gopher:web:1/proxy/" | json .code)" = 400 ]
}

@test "proxy to a service goes to one of its ready endpoints" {
  inside
  S=/api/v1/namespaces/default/services
  echo '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"name": "http", "port": 8080}]}}' |
    ask POST "$S" >/dev/null
  [ "$(ask GET "$S/web:http/proxy/" | json .code,.message)" = $'503\nno endpoints available for service "web"' ]
  jq -nc --argjson port "$PLAIN" '{apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice",
    metadata: {name: "web-1", labels: {"kubernetes.io/service-name": "web"}}, addressType: "IPv4",
    ports: [{name: "http", port: $port}], endpoints: [{addresses: ["192.0.2.1"], conditions: {ready: false}},
    {addresses: ["198.51.100.1"]}]}' | ask POST /apis/discovery.k8s.io/v1/namespaces/default/endpointslices >/dev/null
  for name in web:http web:8080 http:web:http; do
    run ask GET "$S/$name/proxy/index"
    [ "${lines[0]}" = "GET /index HTTP/1.1" ]
  done
  [ "$(ask GET "$S/web:81/proxy/" | json .code,.message)" = $'503\nno service port 81 found for service "web"' ]
}

@test "proxy to a node: its server as the store, other ports as anybody" {
  run ask GET /api/v1/nodes/n1/proxy/healthz
  [ "${lines[0]}" = "GET /healthz HTTP/1.1" ]
  [ "${lines[1]}" = "peer=kube-apiserver-kubelet-client" ]
  [ "$(ask GET "/api/v1/nodes/n1:$(port plain)/proxy/x" | json .code,.message)" = $'400\naddress not allowed' ]
  [ "$(ask GET /api/v1/nodes/none/proxy/ | json .code)" = 404 ]
  # a node that says it is where the store is makes nobody an administrator
  url=$(sed -n "s/ *server: //p" "$KUBECONFIG")
  node itself "${url##*:}" "$(pin_of "$STORE/pki/server.crt")"
  [ "$(ask GET /api/v1/nodes/itself/proxy/api/v1/secrets | json .code)" = 403 ]
  inside
  node inner "$TLS" "$(pin_of "$BATS_FILE_TMPDIR/n.crt")" 198.51.100.1
  run ask GET "/api/v1/nodes/inner:$PLAIN/proxy/x"
  [ "${lines[1]}" = "peer=-" ]
}
