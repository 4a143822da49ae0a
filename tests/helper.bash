# Shared by the tests of programs that need a server: `load ../helper` and then
#
#	setup_file()    { start_store; }
#	teardown_file() { stop_all; }
#
# Each test file has its own store in its own folder; files run in parallel.

bats_require_minimum_version 1.5.0

BIN=${BIN:-build/bin}
case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
PATH=$BIN:$PATH
export BIN PATH
export HOME=${BATS_FILE_TMPDIR:-/nonexistent} # nobody's kubeconfig
unset ORCH_SERVER

# start_store [OPTION...]: an empty store; sets STORE (its folder) and KUBECONFIG.
start_store() {
  export STORE=${STORE:-$BATS_FILE_TMPDIR/store}
  export KUBECONFIG=$STORE/admin.kubeconfig
  mkdir -p "$STORE"
  background orch-store --data "$STORE" --listen 127.0.0.1:0 --socket "$STORE/socket" "$@"
  echo "$!" >"$STORE.pid"
  wait_for 10 orch-api -q /readyz || { cat "$BATS_FILE_TMPDIR"/log.* >&2; return 1; }
}

# stop_store [SIGNAL]: end the store (KILL: as a crash would) and wait for it. start_store begins it again.
stop_store() {
  local pid
  pid=$(cat "$STORE.pid") && rm "$STORE.pid"
  kill "-${1:-TERM}" "$pid" 2>/dev/null
  wait_for 10 not kill -0 "$pid" 2>/dev/null
}

# background COMMAND...: start it with its output in a log; stop_all ends it. $! is its pid.
background() {
  local log=$BATS_FILE_TMPDIR/log.$1.$RANDOM
  "$@" >"$log" 2>&1 3>&- &
  disown "$!" # its end is no news
  echo "$!" >>"$BATS_FILE_TMPDIR/pids"
}

# stop_all: end what background and start_store began; for teardown_file, whatever happened before.
stop_all() {
  local pid
  for pid in $(cat "$BATS_FILE_TMPDIR/pids" 2>/dev/null); do
    kill "$pid" 2>/dev/null || continue
    wait_for 5 not kill -0 "$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null
  done
  rm -f "$BATS_FILE_TMPDIR/pids"
  return 0
}

# wait_for SECONDS COMMAND...: until it succeeds; its last output and failure when it does not.
wait_for() {
  local end=$((SECONDS + $1)) out
  shift
  until out=$("$@" 2>&1); do
    [ "$SECONDS" -lt "$end" ] || { echo "waited in vain for: $*: $out" >&2; return 1; }
    sleep 0.05
  done
}

not() { ! "$@"; }

# json FILTER <OUTPUT: jq -r, compact.
json() { jq -rc "$@"; }

# deployment NAME REPLICAS [IMAGE], configmap NAME [VALUE]: manifests for tests.
deployment() {
  cat <<END
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1, labels: {app: $1}}
spec:
  replicas: $2
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec: {containers: [{name: main, image: "${3:-web:1}"}]}
END
}
configmap() {
  printf -- '---\n{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s"},"data":{"key":"%s"}}\n' "$1" "${2:-value}"
}
