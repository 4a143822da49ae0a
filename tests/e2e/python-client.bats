# Kubernetes' own client for Python (Debian's python3-kubernetes), unmodified, over TLS.
load ../helper
load clients

setup_file() {
  if [ ! -x /usr/bin/python3 ] || ! /usr/bin/python3 -c 'import kubernetes' 2>/dev/null; then
    echo "python3-kubernetes is not installed" >"$BATS_FILE_TMPDIR/why"
    return
  fi
  start_store
}

teardown_file() {
  stop_all
}

setup() {
  clients_or_skip
}

py() { TMPDIR=$BATS_TEST_TMPDIR timeout 60 /usr/bin/python3 "$BATS_TEST_DIRNAME/python_client.py" "$1" 3>&-; }

@test "Python: create, replace, read, delete, evict; errors in Kubernetes' words" {
  py crud
}

@test "Python: types of patches, scale and status" {
  py patches
}

@test "Python: every kind of a workload through the dynamic client, and from YAML" {
  py kinds
}

@test "Python: pages, selectors, deletion of a collection" {
  py lists
}

@test "Python: a watch goes on where it was after the store was started again" {
  port=$(sed -n 's/.*server: .*:\([0-9]*\)$/\1/p' "$KUBECONFIG")
  mkfifo "$BATS_TEST_TMPDIR/go"
  exec 8<>"$BATS_TEST_TMPDIR/go"
  py watches <&8 >"$BATS_TEST_TMPDIR/out" 2>&1 &
  pid=$!
  wait_for 20 grep -q ready "$BATS_TEST_TMPDIR/out"
  stop_store
  start_store --listen "127.0.0.1:$port"
  echo on >&8
  wait "$pid" || { cat "$BATS_TEST_TMPDIR/out"; false; }
}

@test "Python: leader election by a ConfigMap and by Leases" {
  py leaders
}

@test "Python: exec without a node, logs, reviews, tokens" {
  py others
}
