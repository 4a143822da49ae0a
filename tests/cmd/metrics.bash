# Shared by the tests of orch-metrics and orch-top: a store, and nodes that say what they are told to (kubelet.py).

# node NAME JSON: what it says from now on
node() { jq -nc "$2" >"$K/$1.new" && mv "$K/$1.new" "$K/$1"; }
asked() { wc -l <"$K/$1.asked"; }

# kubelets NAME...: Nodes and their servers
kubelets() {
  local name port
  K=$BATS_FILE_TMPDIR/k
  export K
  mkdir -p "$K"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=node \
    -keyout "$K.key" -out "$K.crt" 2>/dev/null
  for name; do
    node "$name" '{cores: 0.5, bytes: 104857600, containers: []}'
    : >"$K/$name.asked"
  done
  python3 "$BATS_TEST_DIRNAME/kubelet.py" "$K.crt" "$K.key" "$K" "$@" >"$K.ports" 2>"$K.log" 3>&- &
  disown "$!"
  echo "$!" >>"$BATS_FILE_TMPDIR/pids"
  wait_for 30 grep -q "${*: -1}" "$K.ports"
  while read -r name port; do
    jq -nc --arg name "$name" --argjson port "$port" '{apiVersion: "v1", kind: "Node", metadata: {name: $name, labels: {n: $name}},
      status: {addresses: [{type: "InternalIP", address: "127.0.0.1"}], daemonEndpoints: {kubeletEndpoint: {Port: $port}},
        capacity: {cpu: "4", memory: "1Gi"}, allocatable: {cpu: "2", memory: "500Mi"}}}' >"$K/object"
    pin=$(openssl x509 -in "$K.crt" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)
    jq -c --arg pin "$pin" '.metadata.annotations["orch.io/server-pin"] = $pin | del(.status)' "$K/object" | orch-create >/dev/null
    jq -c '{status}' "$K/object" | api PATCH "/api/v1/nodes/$name/status" -H 'Content-Type: application/merge-patch+json' --data-binary @- >/dev/null
  done <"$K.ports"
}

# api METHOD PATH [CURL-OPTION...]: of the store
api() {
  local method=$1 path=$2
  shift 2
  curl -sS --max-time 20 --unix-socket "$STORE/socket" -X "$method" "$@" "http://x$path"
}

# pods NAMESPACE/NAME/NODE...: Pods of one container each, labelled by their name
pods() {
  local one
  for one; do
    jq -nc --arg one "$one" '($one | split("/")) as $p | {apiVersion: "v1", kind: "Pod", metadata: {namespace: $p[0], name: $p[1], labels: {app: $p[1]}},
      spec: {nodeName: $p[2], containers: [{name: "c", image: "i"}]}}'
  done | orch-create >/dev/null
}

# between VALUE LOW HIGH: a quantity of processor time, in millicores
between() {
  awk -v v="$1" -v low="$2" -v high="$3" 'BEGIN {
    u = substr(v, length(v)); n = v + 0
    if (u == "n") n /= 1e6; else if (u == "u") n /= 1e3; else if (u != "m") n *= 1000
    if (n < low || n > high) { print v " is not from " low "m to " high "m"; exit 1 } }'
}

# metrics_start [OPTION...]: orch-metrics; its pid in $P, what it says in the file $M
metrics_start() {
  M=$BATS_TEST_TMPDIR/metrics.log
  export M
  orch-metrics --register --metric-resolution 1s "$@" >>"$M" 2>&1 3>&- &
  P=$!
  disown "$P"
  echo "$P" >>"$BATS_FILE_TMPDIR/pids"
}

# metrics_up [OPTION...]: the same, and the store knows it
metrics_up() {
  metrics_start "$@"
  echo "$P" >"$BATS_FILE_TMPDIR/metrics.pid"
  wait_for 60 is_available True
}
metrics_down() {
  local pid
  pid=$(cat "$BATS_FILE_TMPDIR/metrics.pid")
  kill "-${1:-TERM}" "$pid" && wait_for 60 not kill -0 "$pid"
}
is_available() {
  [ "$(api GET /apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io | jq -r '.status.conditions[]? | select(.type == "Available").status')" = "$1" ]
}
