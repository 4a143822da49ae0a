# A pod with users of its own (hostUsers: false) in a cluster: what is begun in it from outside.
load cluster.bash

setup_file() { need_root || return 0; cluster_up; }
teardown_file() { cluster_end; }

@test "exec, also with a terminal, and cp, in a pod with users of its own" {
  "$BATS_TEST_DIRNAME/../../scripts/busybox-image" "$BATS_TEST_TMPDIR/i.tar" web:1 /www/index.html=hello
  orch-image --data "$DATA/node-1" import "$BATS_TEST_TMPDIR/i.tar" >/dev/null
  orch-apply <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: u, namespace: default}
spec:
  hostUsers: false
  terminationGracePeriodSeconds: 1
  containers:
  - {name: c, image: 'web:1', imagePullPolicy: IfNotPresent, command: [sh, -c, 'while :; do sleep 0.2; done']}
Y
  orch-wait --for condition=Ready pod/u --timeout 30s
  run --separate-stderr orch-exec u -- sh -c 'id -u; awk "{ print \$3 }" /proc/self/uid_map; echo out >/dev/stdout; echo err >/dev/stderr; exit 3'
  [ "$status" -eq 3 ]
  [ "$output" = "0
65536
out" ]
  [ "$stderr" = err ]
  [ "$(echo in | orch-exec -i u -- cat)" = in ]
  script -qec "orch-exec -it u -- sh -c 'stat -c %u:%g \$(tty)'" /dev/null </dev/null | grep -q '0:5'
  echo hi >"$BATS_TEST_TMPDIR/f"
  orch-cp "$BATS_TEST_TMPDIR/f" u:/tmp/f
  [ "$(orch-exec u -- stat -c %u:%g /tmp/f)" = 0:0 ]
  orch-delete pod/u
}
