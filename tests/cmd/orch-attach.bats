#!/usr/bin/env bats
# Mistakes; real containers are tests/e2e/remote.bats'.
load ../helper

@test "wrong usage exits 2" {
  run -2 orch-attach
  run -2 orch-attach a b
  run -2 orch-attach -x a
}

@test "a server that is not there is named, exit 3" {
  run -3 orch-attach -s "unix:$BATS_TEST_TMPDIR/none" web
  [[ $output == *"$BATS_TEST_TMPDIR/none"* ]]
}
