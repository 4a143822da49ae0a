# Our own clients of what is inside of pods, with real containers: orch-exec, orch-forward, orch-cp.
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

f() { timeout 30 orch-forward "$@" 3>&-; }

@test "orch-forward: many connections at a time, of a pod, of a service's port" {
  eight='for i in 1 2 3 4 5 6 7 8; do curl -sS -m 10 "http://$ORCH_FORWARD_ADDRESS/" & done; wait'
  [ "$(f web :8080 --exec -- sh -c "$eight" | sort | uniq -c | xargs)" = "8 one" ]
  orch-exec other -- sh -c 'mkdir -p /www; httpd -p 8080 -h /www; echo one >/www/index.html'
  [ "$(f service/web :http --exec -- sh -c "$eight" | sort | uniq -c | xargs)" = "8 one" ]
  [ "$(f service/web :80 --exec -- sh -c 'curl -sS "http://$ORCH_FORWARD_ADDRESS/"')" = one ]
}

@test "orch-forward: megabytes, both ways at a time, and each way ends by itself" {
  head -c 8000000 /dev/urandom >big
  cat >talk.py <<'END'
import os, socket, sys, threading
host, port = os.environ["ORCH_FORWARD_ADDRESS"].rsplit(":", 1)
s = socket.create_connection((host, int(port)))
def send():
    s.sendall(open("big", "rb").read())
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
while data := s.recv(65536):
    sys.stdout.buffer.write(data)
END
  x -c d web -- sh -c 'nc -l -p 7001 -e cat & nc -l -p 7002 -e md5sum & wait' &
  sleep 1
  f web :7001 --exec -- python3 talk.py >back
  cmp big back
  [ "$(f web :7002 --exec -- python3 talk.py)" = "$(md5sum <big)" ]
  wait
}

@test "orch-forward: a port where nobody listens is a reset connection, not the end" {
  run ! f web :9 :8080 --exec -- sh -c 'curl -sS -m 10 "http://$ORCH_FORWARD_ADDRESS/"'
  [[ $output == *"cannot forward to port 9 of 'web': cannot connect to port 9 in the pod: Connection refused"* ]]
  [[ $output == *"(56)"* || $output == *"(52)"* ]]
}

@test "orch-forward: pods may change behind it" {
  web 1 1 | sed 's/name: web}/name: dep}/; s/app: web/app: dep/g' | orch-apply
  orch-wait --for=condition=Available --timeout=60s deployment/dep
  orch-forward deployment/dep :8080 >out 2>err 3>&- &
  pid=$!
  for _ in $(seq 50); do [ -s out ] && break; sleep 0.1; done
  url=http://$(jq -rs '.[0].address' out)/
  [ "$(curl -sS -m 10 "$url")" = one ]
  orch-delete "pod/$(orch-get pods -l app=dep | jq -r .metadata.name)"
  orch-wait --for=condition=Available --timeout=60s deployment/dep
  for _ in $(seq 100); do [ "$(curl -sS -m 10 "$url" 2>&1)" = one ] && break; sleep 0.2; done
  [ "$(curl -sS -m 10 "$url")" = one ]
  kill "$pid"
  wait "$pid"
}

c() { timeout 30 orch-cp "$@" 3>&-; }

@test "orch-cp: a tree there and back: links, modes, times, holes, long names, megabytes" {
  mkdir -p tree/sub
  echo one >tree/a
  chmod 750 tree/a
  touch -d 2001-02-03T04:05:06Z tree/a
  head -c 3000000 /dev/urandom >tree/sub/big
  ln -s sub/big tree/l && ln -s ../a tree/sub/up && ln tree/a tree/hard
  truncate -s 5M tree/hole && printf x >>tree/hole
  echo long >"tree/$(printf 'n%.0s' $(seq 150))"
  c tree web:/tmp/tree
  c web:/tmp/tree back
  diff -r tree back
  [ "$(readlink back/sub/up) $(stat -c '%a %Y' back/a)" = "../a 750 981173106" ]
  [ "$(x web -- stat -c '%a %Y' /tmp/tree/a)" = "750 981173106" ]
  c tree/a web:/tmp/tree # into the folder, as cp does
  c tree/a web:/tmp/other
  mkdir d
  c web:/tmp/other d
  run -1 c web:/tmp/tree/sub/. d # of which one link leads out
  cmp d/other tree/a
  cmp d/big tree/sub/big
  c -c d - web:/tmp < <(tar cf - tree/a)
  [ "$(c -c d web:/tmp/tree - | tar xOf - tree/a)" = one ]
}

@test "orch-cp: what is not there, there or here" {
  run -1 c web:/nope x
  [[ $output == *"tar ended with 1: "*"nope"* ]]
  [ ! -e x ]
  echo >x
  run -1 c x web:/no/such/folder
  run -2 c nope web:/tmp
  run -2 c web:/etc/hosts no/such/folder
  x web -- sh -c 'mkdir -p /tmp/bad && ln -s /etc/passwd /tmp/bad/p && mkfifo /tmp/bad/f && echo x >/tmp/bad/ok'
  run -1 c web:/tmp/bad bad
  [ "$(ls bad)" = ok ]
}

@test "orch-attach: what a container writes, and to it; its end is ours" {
  orch-apply <<'END'
apiVersion: v1
kind: Pod
metadata: {name: lines}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  containers:
  - {name: c, image: "web:1", imagePullPolicy: Never, stdin: true, command: [sh, -c, 'while read -r l; do echo "got $l"; echo "err $l" >&2; [ "$l" != end ] || exit 4; done']}
  - {name: deaf, image: "web:1", imagePullPolicy: Never, command: [sleep, "1000"]}
END
  orch-wait --for=condition=Ready --timeout=60s pod/lines
  (echo one; sleep 1; echo two; sleep 5) | timeout 3 orch-attach -i lines >out 2>err 3>&- || [ $? = 124 ]
  [ "$(paste -sd, out) $(grep -v warning err | paste -sd,)" = "got one,got two err one,err two" ]
  run -4 timeout 20 orch-attach -i pod/lines <<<end 3>&-
  [[ $output == *"got end"* ]]
  run -1 orch-attach -c none lines
  run timeout 2 orch-attach -i -c deaf lines </dev/null 3>&-
  [[ $output == *"container 'deaf' has no standard input (stdin: true): nothing is sent"* ]]
  run -1 orch-attach nobody
  orch-delete pod/lines --grace-period=0
}
