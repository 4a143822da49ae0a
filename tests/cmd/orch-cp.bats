#!/usr/bin/env bats
# What a container may send that it should not; real containers are tests/e2e/remote.bats'.
load ../helper

setup_file() {
  python3 "$BATS_TEST_DIRNAME/remote.py" >"$BATS_FILE_TMPDIR/port" 2>"$BATS_FILE_TMPDIR/log.remote" 3>&- &
  echo $! >>"$BATS_FILE_TMPDIR/pids"
  disown
  wait_for 10 test -s "$BATS_FILE_TMPDIR/port"
}
teardown_file() { stop_all; }
setup() {
  export ORCH_SERVER=http://127.0.0.1:$(cat "$BATS_FILE_TMPDIR/port")
  mkdir -p "$BATS_TEST_TMPDIR/a/b"
  cd "$BATS_TEST_TMPDIR/a/b"
  echo secret >../secret
}

c() { timeout 20 orch-cp "$@" 3>&-; }

@test "nothing is made outside of what was asked for" {
  for name in up other longer absolute; do
    run -2 c web:/$name .
    [[ $output == *"which was not asked for" ]]
  done
  [ ! -e elsewhere ] && [ ! -e longer-name ] && [ ! -e ../up-out ] && [ ! -e /tmp/absolute-out ]
  run ! c web:/through .
  [[ $output == *"'through/l' is not copied: it is a link that leads elsewhere"* ]]
  [ ! -e through-out ]
  [ "$(find .. -name '*-out' -not -path '../b/through/*')" = "" ]
}

@test "links within the tree, not out of it; no devices" {
  run ! c web:/swap .
  [[ $output == *"'swap/t' is not copied"* && $output == *symlink* ]] # and nothing is written through the one that stays
  [ ! -e swap/d/e/f ]
  run -1 c web:/hard .
  [ "$(ls hard | xargs)" = "f g" ]
  [ hard/f -ef hard/g ]
  [ "$(stat -c '%a %Y' hard/f)" = "640 1000000000" ] || [ "$(stat -c '%a %Y' hard/f)" = "4640 1000000000" ]
  run -1 c web:/device .
  [ ! -e device ]
}

@test "a stream that breaks off, or is none; tar's own words" {
  run -2 c web:/nothing .
  [[ $output == *"nothing came" ]]
  run -3 c web:/half .
  run -3 c web:/junk .
  [[ $output == *"cannot copy '/junk' to '.': "* ]]
  run -1 c ../secret web:/x
  [ "$output" = "orch-cp: cannot copy with pod 'web', container 'a': tar ended with 1: tar: I do not want it" ]
}

@test "mistakes" {
  run -2 c
  run -2 c web:/x
  run -2 c a b
  run -2 c web:/a web:/b
  run -2 c web: .
  run -2 c nothing web:/x
  run -2 c web:/up no/such/folder
  run -1 c nope:/x .
  run -1 c -c z web:/x .
  ORCH_SERVER=http://127.0.0.1:1 run -3 c web:/x .
}
