# Our own clients of what is inside of pods, with real containers: orch-exec.
load cluster

setup_file() {
  need_root || return 0
  export HOME=$BATS_FILE_TMPDIR
  cluster_up
  cluster_images
  orch-apply <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: c, image: "web:1", imagePullPolicy: Never, command: [httpd, -f, -p, "8080", -h, /www]}
  - {name: d, image: "web:1", imagePullPolicy: Never, command: [sleep, "1000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: other, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: c, image: "web:1", imagePullPolicy: Never, command: [sleep, "1000"]}]
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}}
END
  orch-wait --for=condition=Ready --timeout=60s pod/web pod/other
}
teardown_file() { cluster_end; }

setup() {
  [ ! -s "$BATS_FILE_TMPDIR/why" ] || skip "$(cat "$BATS_FILE_TMPDIR/why")"
  cd "$BATS_TEST_TMPDIR"
}

x() { timeout 30 orch-exec "$@" 3>&-; }

@test "orch-exec: both outputs, the exit status, no shell between" {
  run -7 --separate-stderr x web sh -c 'echo out; echo err >&2; exit 7'
  [ "$output $stderr" = "out err" ]
  [ "$(x -c d web -- echo 'a  b' '$HOME' '')" = 'a  b $HOME ' ]
  run -137 x web -- sh -c 'kill -9 $$'
  [ "$(x service/web hostname | grep -cx 'web\|other')" = 1 ]
}

@test "orch-exec: megabytes of binary both ways; standard input only when asked for" {
  head -c 4000000 /dev/urandom >big
  [ "$(x -i -c d web md5sum <big)" = "$(md5sum <big)" ]
  x -i web cat <big >back
  cmp big back
  x web -- head -c 20000000 /dev/zero | cmp -n 20000000 - /dev/zero
  [ "$(printf 'a\nb\n' | while read -r line; do x web -- sh -c "cat; echo $line"; done | xargs)" = "a b" ]
}

@test "orch-exec: what cannot be started" {
  run -126 x web no-such-command
  [[ $output == *"no-such-command"* ]]
  orch-get pods | jq -ce 'select(.metadata.name == "web") | .status.containerStatuses | all(.restartCount == 0)'
}

@test "orch-exec: a command whose client goes away is ended" {
  run -124 timeout 2 orch-exec web sleep 4321 3>&-
  gone() { ! x web -- pgrep -f 'sleep 432[1]'; }
  for _ in $(seq 50); do gone >/dev/null && break; sleep 0.1; done
  gone
}

@test "orch-exec: a terminal: its size, its keys, its end" {
  run timeout 40 python3 "$BATS_TEST_DIRNAME/terminal.py" 'tty; stty size; echo $((40+2))!' 'sleep 100' $'\x03echo rc $?' 'exit 4' -- orch-exec -it web sh 3>&-
  [[ $output == *"/dev/pts/"*"33 99"*"42!"*"rc 130"*"ended: 4" ]]
}

@test "orch-exec: the terminal is as before, however it ends" {
  cat >tty.sh <<'END'
before=$(stty -g)
eval "$1"
echo "# "
read -r _
[ "$before" = "$(stty -g)" ] && echo as it was
END
  for how in 'orch-exec -it web true' 'orch-exec -it web false' 'orch-exec -it -c z web true' 'orch-exec -it web no-such-command' \
    'timeout --foreground -s TERM 2 orch-exec -it web sleep 100' 'timeout --foreground -s HUP 2 orch-exec -it web sleep 100'; do
    run timeout 40 python3 "$BATS_TEST_DIRNAME/terminal.py" go -- bash tty.sh "$how" 3>&-
    [[ $output == *"as it was"* ]] || { echo "$how: $output"; return 1; }
  done
}

@test "orch-exec: every pod of a stream" {
  run -0 x -l app=web --prefix -- hostname
  [ "$(sort <<<"$output")" = $'[other] other\n[web] web' ]
  run -3 --separate-stderr bash -c 'orch-get pods | timeout 30 orch-exec -- sh -c "hostname; [ \$(hostname) = web ] || exit 3"' 3>&-
  [ "$(sort <<<"$output")" = $'other\nweb' ]
}
