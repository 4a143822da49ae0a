#!/usr/bin/env bats
# What a server says and does not say; real containers are tests/e2e/remote.bats'.
load ../helper

setup_file() {
  python3 "$BATS_TEST_DIRNAME/remote.py" >"$BATS_FILE_TMPDIR/port" 2>"$BATS_FILE_TMPDIR/log.remote" 3>&- &
  echo $! >>"$BATS_FILE_TMPDIR/pids"
  disown
  wait_for 10 test -s "$BATS_FILE_TMPDIR/port"
}
teardown_file() { stop_all; }
setup() { export ORCH_SERVER=http://127.0.0.1:$(cat "$BATS_FILE_TMPDIR/port"); }

f() { timeout 20 orch-forward "$@" 3>&-; }
get='exec 5<>/dev/tcp/${ORCH_FORWARD_ADDRESS/:/\/}; echo hello >&5; cat <&5'

@test "where it listens; it ends by a signal, and then nobody listens" {
  orch-forward web :http :81 >"$BATS_TEST_TMPDIR/out" 3>&- &
  pid=$!
  wait_for 5 test -s "$BATS_TEST_TMPDIR/out"
  [ "$(jq -r .to "$BATS_TEST_TMPDIR/out" | sort -u | xargs)" = "pod/web:8080 pod/web:81" ]
  address=$(jq -rs '.[0].address' "$BATS_TEST_TMPDIR/out")
  [[ $address == 127.0.0.1:* ]]
  run -3 orch-forward web "${address#*:}:80"
  [[ $output == *"cannot listen on 127.0.0.1 port ${address#*:}: Address already in use" ]]
  (: >"/dev/tcp/${address/://}")
  kill -TERM "$pid"
  wait "$pid"
  run ! bash -c ": >/dev/tcp/${address/://}"
}

@test "a command while it forwards: its exit status, nothing printed but by it" {
  run -7 f web :80 --exec -- sh -c 'echo "$ORCH_FORWARD_ADDRESS"; exit 7'
  [[ $output =~ ^127.0.0.1:[0-9]+$ ]]
  run -143 f web :80 --exec -- sh -c 'kill $$'
  run -127 f web :80 --exec -- no-such-command
  run -0 f --address ::1 web :80 --exec -- sh -c 'echo "$ORCH_FORWARD_ADDRESS"'
  [[ $output =~ ^\[::1\]:[0-9]+$ ]]
  orch-forward web :80 --exec -- sleep 100 3>&- & pid=$!
  sleep 0.3
  kill "$pid"
  status=0
  wait "$pid" || status=$? # not in a subshell, as of `run`: it is no child of that
  [ "$status" = 143 ]
}

@test "a server that does not do it: the connection is reset, with a warning" {
  run ! f web :80 --exec -- bash -c "$get"
  [[ $output == *"warning: cannot forward to port 80 of 'web': the server answered 200 instead of opening a WebSocket"* ]]
}

@test "mistakes" {
  run -2 f
  run -2 f web
  run -2 f web 80 --exec
  run -2 f web :80 -- true
  run -2 f web x:80
  run -2 f web 70000:80
  run -2 f web 80:
  run -2 f --address nowhere web :80
  run -1 f web :zzz
  [[ $output == *"pod 'web' has no port 'zzz'" ]]
  run -1 f web :70000
  run -1 f nope :80
  ORCH_SERVER=http://127.0.0.1:1 run -3 f web :80
}
