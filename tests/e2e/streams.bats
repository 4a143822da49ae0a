# What goes through the store to a node's own server: logs, commands, terminals, files, ports; with kubectl.
load cluster
load clients

setup_file() {
  need_root || return 0
  clients_fetch >"$BATS_FILE_TMPDIR/why" || return 0
  clients_home "$BATS_FILE_TMPDIR"
  cluster_up
  cluster_images
  pods | orch-apply
  orch-wait --for=condition=Ready --timeout=60s pod/web pod/sh
}
teardown_file() { cluster_end; }

setup() {
  [ ! -s "$BATS_FILE_TMPDIR/why" ] || skip "$(cat "$BATS_FILE_TMPDIR/why")"
  cd "$BATS_TEST_TMPDIR"
}

k() { timeout 30 kubectl "$@" 3>&-; }

pods() {
  cat <<'END'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: web:1
    imagePullPolicy: Never
    command: [sh, -c, "echo first; echo second >&2; httpd -p 8080 -h /www; i=0; while sleep 0.2; do i=$((i+1)); echo line $i; done"]
  - {name: d, image: "web:1", imagePullPolicy: Never, command: [sh, -c, "echo from d; sleep 1000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: sh}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: c, image: "web:1", imagePullPolicy: Never, stdin: true, tty: true, command: [sh]}
END
}

@test "streams: logs, of one container, in part, with times, as they grow" {
  run k logs web -c c --limit-bytes=13
  [ "$output" = $'first\nsecond' ]
  [ "$(k logs web -c d)" = "from d" ]
  [[ $(k logs web -c c --tail=1) == "line "* ]]
  [[ $(k logs web -c c --timestamps --limit-bytes=300 | head -n 1) =~ ^20[0-9-]+T[0-9:.]+[+Z].*\ first$ ]]
  run -124 timeout 2 kubectl logs -f web -c c --tail=1 3>&-
  [ "${#lines[@]}" -gt 4 ]
  [ -z "$(k logs web -c c --since-time=2100-01-01T00:00:00Z)" ]
}

@test "streams: logs are followed across the end of a file" {
  k logs -f web -c d --tail=0 >followed & pid=$!
  k exec web -c d -- sh -c 'yes 0123456789012345678901234567890123456789012345678901234567890123456789 | head -c 12000000 >/proc/1/fd/1'
  for _ in $(seq 200); do ls "$DATA"/*/log/pods/default_web_*/d/0.log.* >turned 2>/dev/null && break; sleep 0.1; done
  [ -s turned ]
  k exec web -c d -- sh -c 'echo behind >/proc/1/fd/1'
  for _ in $(seq 100); do grep -q 'behind$' followed && break; sleep 0.1; done
  kill "$pid"
  grep -q 'behind$' followed
}

@test "streams: what logs there are not" {
  run ! k logs web -c c --previous
  [[ $output == *'previous terminated container "c" in pod "web" not found'* ]]
  run ! k logs web -c nobody
  [[ $output == *"container nobody is not valid for pod web"* ]]
}

@test "streams: a log that is followed ends with its container, and is there before the next begins" {
  orch-apply <<'END'
apiVersion: v1
kind: Pod
metadata: {name: once}
spec:
  restartPolicy: Never
  containers: [{name: c, image: "web:1", imagePullPolicy: Never, command: [sh, -c, "for i in 1 2 3; do echo $i; sleep 0.3; done"]}]
END
  orch-wait --for=jsonpath='{.status.containerStatuses[0].started}'=true --timeout=30s pod/once || true
  run k logs -f once
  [ "$output" = $'1\n2\n3' ]
}

@test "streams: a command: both outputs, its input, its exit status" {
  run -3 --separate-stderr k exec web -c c -- sh -c 'echo out; echo err >&2; exit 3'
  [ "$output" = out ]
  [[ $stderr == "err"*"command terminated with exit code 3" ]]
  [ "$(printf 'a\nb' | k exec -i web -c d -- wc -c)" = 3 ]
  head -c 3000000 /dev/urandom >big
  [ "$(k exec -i web -c d -- md5sum <big)" = "$(md5sum <big)" ]
  [ "$(k exec web -c d -- sh -c 'head -c 3000000 /dev/zero' | wc -c)" = 3000000 ]
}

@test "streams: a command that is not there" {
  run -1 k exec web -c c -- no-such-command
  [[ $output == *no-such-command* ]]
}

@test "streams: a command whose client goes away is ended" {
  run -124 timeout 2 kubectl exec web -c c -- sleep 4321 3>&-
  gone() { ! k exec web -c c -- pgrep -f 'sleep 432[1]'; }
  for _ in $(seq 50); do gone >/dev/null && break; sleep 0.1; done
  gone
}

@test "streams: a terminal: its size, its keys, its end" {
  run timeout 40 python3 "$BATS_TEST_DIRNAME/terminal.py" 'tty; stty size; echo $((40+2))!' 'sleep 100' $'\x03echo rc $?' 'exit 4' -- kubectl exec -it web -c c -- sh 3>&-
  [[ $output == *"/dev/pts/"*"33 99"*"42!"*"rc 130"*"ended: 4" ]]
}

@test "streams: a container's own terminal" {
  run timeout 40 python3 "$BATS_TEST_DIRNAME/terminal.py" 'for i in 1 2 3 4 5; do stty size | grep -q "33 9[9]" && break; sleep 1; done; echo $((40+2))!; stty size' 'exit 5' \
    -- kubectl attach -it sh 3>&-
  echo "$output"
  [[ $output == *"42!"*"33 99"* ]] # kubectl says a size one larger before it says the real one
  orch-wait --for=jsonpath='{.status.containerStatuses[0].restartCount}'=1 --timeout=30s pod/sh
}

@test "streams: kubectl debug: a container beside the others of a running pod" {
  run timeout 40 python3 "$BATS_TEST_DIRNAME/terminal.py" 'ls /proc/1/root/www/; echo $((40+2))!' 'exit 5' -- \
    kubectl debug -it web --image=web:1 --image-pull-policy=Never --container=dbg --target=c -- sh 3>&-
  [[ $output == *index.html*42!* ]]
  k logs web -c dbg | grep -q '42!'
  [ "$(k get pod web -o 'jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.exitCode}')" = 5 ]
}

@test "streams: files there and back" {
  mkdir tree && echo one >tree/a && head -c 100000 /dev/urandom >tree/b
  k cp tree web:/tmp/tree -c c
  k cp web:/tmp/tree back -c c
  diff -r tree back
}

@test "streams: ports" {
  kubectl port-forward pod/web :8080 :1 >ports 2>&1 3>&- & pid=$!
  for _ in $(seq 100); do [ "$(grep -c '127.0.0.1' ports)" -ge 2 ] && break; sleep 0.1; done
  port=$(sed -n 's/Forwarding from 127.0.0.1:\([0-9]*\) -> 8080/\1/p' ports)
  other=$(sed -n 's/Forwarding from 127.0.0.1:\([0-9]*\) -> 1$/\1/p' ports)
  for _ in 1 2 3 4 5 6 7 8; do curl -sS -m 10 "http://127.0.0.1:$port/" >>pages & done
  wait $(jobs -p | grep -vx "$pid")
  [ "$(sort pages | uniq -c | xargs)" = "8 one" ]
  run ! curl -sS -m 5 "http://127.0.0.1:$other/"
  kill "$pid" 2>>ports || : # a port that refuses ends kubectl, sooner or later
  grep "cannot connect to port 1 in the pod: Connection refused" ports
}

@test "streams: the clients before WebSocket: SPDY/3.1" {
  export KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false KUBECTL_PORT_FORWARD_WEBSOCKETS=false # as before 1.30
  run -3 --separate-stderr k exec web -c c -- sh -c 'echo out; echo err >&2; exit 3'
  [ "$output" = out ]
  [[ $stderr == "err"* ]]
  [ "$(echo in | k exec -i web -c c -- cat)" = in ]
  run timeout 40 python3 "$BATS_TEST_DIRNAME/terminal.py" 'echo $((40+2))!; stty size' 'exit 4' -- kubectl exec -it web -c c -- sh 3>&-
  [[ $output == *"42!"*"33 99"*"ended: 4" ]]
  kubectl port-forward pod/web :8080 >ports 2>&1 3>&- & pid=$!
  for _ in $(seq 100); do grep -q '127.0.0.1' ports && break; sleep 0.1; done
  [ "$(curl -sS -m 10 "http://127.0.0.1:$(sed -n 's/Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' ports)/")" = one ]
  kill "$pid"
}

@test "streams: the node's server lets nobody in but the store" {
  where=$(orch-get node/node-1 -o jsonpath='{.status.addresses[0].address}:{.status.daemonEndpoints.kubeletEndpoint.Port}')
  [ "$(curl -sk "https://$where/healthz")" = ok ]
  [ "$(curl -sk -o /dev/null -w '%{http_code}' "https://$where/containerLogs/default/web/c")" = 403 ]
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /O=system:masters/CN=admin \
    -keyout own.key -out own.crt 2>/dev/null
  run ! curl -sk --cert own.crt --key own.key "https://$where/containerLogs/default/web/c"
}

@test "streams: the server and the node come back, also when they are killed" {
  node=$(pgrep -o -f "orch-node --name node-1 --data $DATA/")
  kill -KILL "$(cat "/proc/$node/task/$node/children" | cut -d' ' -f1)"
  for _ in $(seq 150); do [ "$(k exec web -c d -- echo back 2>/dev/null)" = back ] && break; sleep 0.2; done
  [ "$(k exec web -c d -- echo back)" = back ]
  kill -KILL "$node"
  for _ in $(seq 150); do sleep 0.2; [ "$(k exec web -c d -- echo again 2>/dev/null)" = again ] && break; done
  [ "$(k exec web -c d -- echo again)" = again ]
}

@test "streams: orch-logs takes the same way" {
  orch-logs pod/web -c c | grep -x first # of d another test has turned over the log
}
