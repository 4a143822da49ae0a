#!/usr/bin/env bats
# What a server says and does not say; real containers are tests/e2e/remote.bats'.
load ../helper

setup_file() {
  export GONE=$BATS_FILE_TMPDIR/gone
  python3 "$BATS_TEST_DIRNAME/remote.py" >"$BATS_FILE_TMPDIR/port" 2>"$BATS_FILE_TMPDIR/log.remote" 3>&- &
  echo $! >>"$BATS_FILE_TMPDIR/pids"
  disown
  wait_for 10 test -s "$BATS_FILE_TMPDIR/port"
}
setup() { export ORCH_SERVER=http://127.0.0.1:$(cat "$BATS_FILE_TMPDIR/port"); }
teardown_file() { stop_all; }

x() { timeout 20 orch-exec "$@" 3>&-; }

@test "what is asked: container, streams, every word of the command" {
  run -0 --separate-stderr x web -- asked 'a b&c=d' '' -x
  [ "$output" = '{"command": ["asked", "a b&c=d", "-x"], "container": "a", "stderr": "true", "stdout": "true"}' ] ||
    [ "$output" = '{"command": ["asked", "a b&c=d", "", "-x"], "container": "a", "stderr": "true", "stdout": "true"}' ]
  [ "$stderr" = v5.channel.k8s.io ]
  run -0 --separate-stderr x -it -c b pod/web asked </dev/null
  [ "$output" = '{"command": ["asked"], "container": "b", "stdin": "true", "stdout": "true", "tty": "true"}' ]
  run -0 --separate-stderr x web asked v4
  [ "$stderr" = v4.channel.k8s.io ]
}

@test "messages in parts, a ping between, channels nobody knows; the exit status" {
  run -5 x web parts
  [ "$output" = "one and two" ]
}

@test "input, to its end; a status beyond a byte" {
  head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/big"
  run -44 x -i web count <"$BATS_TEST_TMPDIR/big"
  [ "$output" = 3000000 ]
  run -44 x -i web count </dev/null
  [ "$output" = 0 ]
}

@test "a connection that breaks, or ends too early, is 3; what came before it is printed" {
  run -3 --separate-stderr x web break
  [ "$output" = half ]
  [ "$stderr" = "orch-exec: cannot run 'break' in pod 'web': the command had not ended: the connection broke" ]
  run -3 x web bye
  [[ $output == *"the command had not ended: the server ended the connection" ]]
  run -3 x web reset
  [[ $output == *"(1011): all is lost"* ]]
  run -3 x web masked
  run -3 x web huge
  run -126 x web odd
}

@test "a server that refuses, or does not speak WebSocket" {
  run -2 x web forbidden
  [ "$output" = "orch-exec: cannot run 'forbidden' in pod 'web': you may not" ]
  run -3 x web html
  [[ $output == *"the server answered 502: <html>" ]]
  run -3 x web plain
  [[ $output == *"the server answered 200 instead of opening a WebSocket" ]]
  run -3 x web liar
  run -3 x web other
  [[ $output == *"v9.example"* ]]
  ORCH_SERVER=http://127.0.0.1:1 run -3 x web true
}

@test "ending us ends it" {
  orch-exec web sleep 3>&- &
  pid=$!
  sleep 0.3
  [ ! -e "$GONE" ]
  kill "$pid"
  wait_for 5 test -e "$GONE"
}

@test "an output that nobody reads, or that is full" {
  x web parts | true
  run -3 bash -c 'timeout 20 orch-exec web parts >/dev/full'
  [[ $output == *"cannot write output: No space left on device" ]]
}

@test "pods of a stream, and by label; lines with the pod's name; the worst status" {
  run -5 x --prefix -- parts <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"default"}}'
  [ "$output" = "[web] one and two" ]
  run -5 x -l app=web -- parts
  [ "$output" = "one and two" ]
  run -0 x -- parts </dev/null
  run -1 x -- parts <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"nope","namespace":"default"}}'
}

@test "mistakes" {
  run -2 x
  run -2 x web
  run -2 x web --
  run -2 x --
  run -2 x web -c a -- true
  [[ $output == *"the options come before the pod: '-c'"* ]]
  run -2 x -i -l app=web -- true
  run -2 x pod/b/c true
  run -1 x nope true
  run -1 x -c z web true
  [[ $output == *"pod 'web' has no container 'z'" ]]
}
