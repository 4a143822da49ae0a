# orch-up without nodes: what needs no root.
BIN=${BIN:-$PWD/build/bin}

setup() {
  PATH=$BIN:$PATH
  DATA=$BATS_TEST_TMPDIR/data
  bats_require_minimum_version 1.5.0
}
teardown() { [ ! -e "$DATA/run/cluster.json" ] || orch-down --data "$DATA"; }

up() { orch-up --data "$DATA" --listen 127.0.0.1:0 --no-node "$@"; }

@test "orch-up: one line that sets KUBECONFIG, and a cluster that answers" {
  run --separate-stderr up
  [ "$status" -eq 0 ]
  [ "$output" = "export KUBECONFIG=$DATA/admin.kubeconfig" ]
  orch-get namespaces --kubeconfig "$DATA/admin.kubeconfig" -o name | grep -q namespace/default
}

@test "orch-up: loops run, each a process with a log" {
  up
  for loop in deployment replicaset namespace garbage node pvc-protection serviceaccount root-ca resourcequota disruption schedule metrics; do
    pid=$(jq -r --arg n "$loop" '.processes[] | select(.name == $n) | .process.pid' "$DATA/run/cluster.json")
    kill -0 "$pid"
    [ -e "$DATA/log/$loop.log" ]
  done
}

@test "orch-up: a cluster that is up is left alone" {
  up
  pid=$(jq .keeper.pid "$DATA/run/cluster.json")
  run up
  [ "$status" -eq 0 ]
  [[ $output == *"up already"* ]]
  [ "$pid" = "$(jq .keeper.pid "$DATA/run/cluster.json")" ]
}

@test "orch-up: a killed process comes back, objects and all" {
  up
  export KUBECONFIG=$DATA/admin.kubeconfig
  orch-api -X POST -d '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kept"}}' /api/v1/namespaces/default/configmaps
  pid=$(jq -r '.processes[] | select(.name == "store") | .process.pid' "$DATA/run/cluster.json")
  kill -9 "$pid"
  for _ in $(seq 100); do orch-get configmap/kept -o name 2>/dev/null && break; sleep 0.1; done
  [ "$(orch-get configmap/kept -o name)" = configmap/kept ]
}

@test "orch-up: after the keeper was killed, the next one starts afresh" {
  up
  kill -9 "$(jq .keeper.pid "$DATA/run/cluster.json")"
  for _ in $(seq 50); do run up; [[ $output == *"up already"* ]] || break; sleep 0.1; done
  [ "$status" -eq 0 ]
  [[ $output == *"earlier cluster"* ]]
  [ "$(grep -lsaF -- "--data$(printf '\1')$DATA" /proc/[0-9]*/cmdline | wc -l)" -le 1 ]
}

@test "orch-up: a port in use is named, and nothing stays behind" {
  up
  address=$(jq -r .listen "$DATA/run/cluster.json")
  run orch-up --data "$BATS_TEST_TMPDIR/other" --listen "$address" --no-node
  [ "$status" -eq 3 ]
  [[ $output == *"$address"* && $output == *"in use"* ]]
  [ ! -e "$BATS_TEST_TMPDIR/other/run" ]
}

@test "orch-up: nodes need root, and it says so" {
  [ "$(id -u)" -eq 0 ] && id nobody >/dev/null && command -v setpriv >/dev/null || skip "needs root and setpriv"
  mkdir "$BATS_TEST_TMPDIR/theirs" && chown nobody "$BATS_TEST_TMPDIR/theirs"
  chmod a+rx "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR" 2>/dev/null || :
  run setpriv --reuid=nobody --clear-groups "$BIN/orch-up" --data "$BATS_TEST_TMPDIR/theirs/c"
  [ "$status" -eq 2 ]
  [[ $output == *"--no-node"* ]]
}

@test "orch-up: an ordinary user has a cluster without nodes" {
  [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || skip "needs root and setpriv"
  chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR" 2>/dev/null || :
  mkdir "$BATS_TEST_TMPDIR/theirs" && chown nobody "$BATS_TEST_TMPDIR/theirs"
  as="setpriv --reuid=nobody --clear-groups"
  $as "$BIN/orch-up" --data "$BATS_TEST_TMPDIR/theirs/c" --listen 127.0.0.1:0 --no-node
  $as env KUBECONFIG="$BATS_TEST_TMPDIR/theirs/c/admin.kubeconfig" "$BIN/orch-get" namespaces -o name | grep -q namespace/default
  $as "$BIN/orch-down" --data "$BATS_TEST_TMPDIR/theirs/c" --purge
  [ ! -e "$BATS_TEST_TMPDIR/theirs/c" ]
}

@test "orch-up: a data folder that cannot be written is named" {
  touch "$BATS_TEST_TMPDIR/file"
  run orch-up --data "$BATS_TEST_TMPDIR/file/c" --no-node
  [ "$status" -ne 0 ]
  [[ $output == *"$BATS_TEST_TMPDIR/file"* ]]
}

@test "orch-up: a folder with spaces and quotes in its name" {
  DATA="$BATS_TEST_TMPDIR/it's a b"
  env=$(up)
  eval "$env"
  [ "$KUBECONFIG" = "$DATA/admin.kubeconfig" ]
  KUBECONFIG=$KUBECONFIG orch-get namespaces -o name | grep -q namespace/default
  orch-down --data "$DATA"
}

@test "orch-up: two at once make one cluster" {
  up >"$BATS_TEST_TMPDIR/1" 3>&- & a=$!
  up >"$BATS_TEST_TMPDIR/2" 3>&- & b=$!
  wait $a
  wait $b
  cmp "$BATS_TEST_TMPDIR/1" "$BATS_TEST_TMPDIR/2"
  [ "$(grep -lsaF -- "--data$(printf '\1')$DATA" /proc/[0-9]*/cmdline | wc -l)" -le 1 ]
}

@test "orch-up: the programs a node lacks are named, all at once, and nothing is started" {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  run -3 orch-up --data "$DATA" --listen 127.0.0.1:0 --runtime no-such-runtime
  [[ $output == *"missing"*"no-such-runtime"* ]]
  [ ! -e "$DATA" ]
}

@test "orch-up: a runtime that does not work is told soon" {
  [ "$(id -u)" -eq 0 ] && command -v conmon >/dev/null && [ -x /usr/lib/cni/ptp ] || skip "needs root, conmon and the CNI plugins"
  SECONDS=0
  run -3 orch-up --data "$DATA" --listen 127.0.0.1:0 --runtime /bin/false
  [[ $output == *"/bin/false"* ]]
  [ $SECONDS -lt 30 ]
  [ ! -e "$DATA/run" ]
}

@test "orch-up: mistakes in the call exit 2" {
  run -2 orch-up --data "$DATA" --no-node --nodes 2
  run -2 orch-up --data "$DATA" extra
  run -2 orch-up --data "$DATA" --nodes many
}
