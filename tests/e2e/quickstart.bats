# README's first command, twice: nothing left behind by the first, nothing in the way of the second.
load cluster

setup_file() {
  need_root || return 0
  export ORCH_DATA=$BATS_FILE_TMPDIR/data ORCH_LISTEN=127.0.0.1:0 DATA=$BATS_FILE_TMPDIR/data
}
teardown_file() { cluster_end; }

once() {
  cd "$BATS_TEST_DIRNAME/../.."
  run scripts/quickstart
  [ "$status" -eq 0 ]
  [[ $output == *"hello from orch"* ]]
  KUBECONFIG=$DATA/admin.kubeconfig
  export KUBECONFIG
  marks=$(cluster_marks)
  orch-down --data "$DATA"
  nothing_left "$marks"
}

@test "quickstart: ends with the page, and leaves nothing after orch-down" { once; }
@test "quickstart: a second time as well" { once; }
