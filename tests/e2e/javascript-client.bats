# Kubernetes' own client for JavaScript (npm's @kubernetes/client-node), unmodified, over TLS.
load ../helper
load clients

setup_file() {
  javascript_fetch >"$BATS_FILE_TMPDIR/why" || return 0
  start_store
}

teardown_file() {
  stop_all
}

setup() {
  clients_or_skip
}

js() { timeout 60 node "$BATS_TEST_DIRNAME/javascript_client.mjs" "$JAVASCRIPT" "$1" 3>&-; }

@test "JavaScript: create, replace, read, delete; errors in Kubernetes' words" {
  js crud
}

@test "JavaScript: every type of patch, scale and status" {
  js patches
}

@test "JavaScript: every kind of a workload through the dynamic client" {
  js kinds
}

@test "JavaScript: pages, selectors, deletion of a collection" {
  js lists
}

@test "JavaScript: a watch" {
  js watch
}

@test "JavaScript: an informer finds back after the store was started again" {
  port=$(sed -n 's/.*server: .*:\([0-9]*\)$/\1/p' "$KUBECONFIG")
  mkfifo "$BATS_TEST_TMPDIR/go"
  exec 8<>"$BATS_TEST_TMPDIR/go"
  js informer <&8 >"$BATS_TEST_TMPDIR/out" 2>&1 &
  pid=$!
  wait_for 20 grep -q ready "$BATS_TEST_TMPDIR/out"
  stop_store
  start_store --listen "127.0.0.1:$port"
  echo on >&8
  wait "$pid" || { cat "$BATS_TEST_TMPDIR/out"; false; }
}

@test "JavaScript: exec without a node, logs, who am I, version" {
  js exec
}
