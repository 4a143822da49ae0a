BIN=${BIN:-$PWD/build/bin}

setup() {
  PATH=$BIN:$PATH
  DATA=$BATS_TEST_TMPDIR/data
  bats_require_minimum_version 1.5.0
}
teardown() { [ ! -e "$DATA/run/cluster.json" ] || orch-down --data "$DATA"; }

# A process has gone when it is no more, or waits for init to collect it.
gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

@test "orch-down: where there is no cluster it says so and exits 1" {
  run -1 orch-down --data "$DATA"
  [[ $output == *"no cluster in '$DATA'"* ]]
}

@test "orch-down: ends every process and keeps the objects" {
  orch-up --data "$DATA" --listen 127.0.0.1:0 --no-node
  pids=$(jq -r '.keeper.pid, .processes[].process.pid' "$DATA/run/cluster.json")
  orch-down --data "$DATA"
  for pid in $pids; do gone "$pid"; done
  [ ! -e "$DATA/run" ]
  [ -e "$DATA/admin.kubeconfig" ]
}

@test "orch-down: also when the keeper was killed" {
  orch-up --data "$DATA" --listen 127.0.0.1:0 --no-node
  pids=$(jq -r '.processes[].process.pid' "$DATA/run/cluster.json")
  kill -9 "$(jq .keeper.pid "$DATA/run/cluster.json")"
  orch-down --data "$DATA"
  for pid in $pids; do gone "$pid"; done
}

@test "orch-down: --purge removes the data folder" {
  orch-up --data "$DATA" --listen 127.0.0.1:0 --no-node
  orch-down --data "$DATA" --purge
  [ ! -e "$DATA" ]
}

@test "orch-down: while orch-up is at work, nothing stays behind" {
  for wait in 0.01 0.05 0.1; do
    orch-up --data "$DATA" --listen 127.0.0.1:0 --no-node >/dev/null 2>&1 3>&- & up=$!
    sleep $wait
    for _ in $(seq 100); do orch-down --data "$DATA" 2>/dev/null && break; sleep 0.02; done
    wait $up || :
    orch-down --data "$DATA" 2>/dev/null || :
    [ ! -e "$DATA/run/cluster.json" ]
    [ -z "$(grep -lsaF "$DATA/store.sock" /proc/[0-9]*/cmdline /proc/[0-9]*/environ)" ]
  done
}

@test "orch-down: two at once" {
  orch-up --data "$DATA" --listen 127.0.0.1:0 --no-node
  orch-down --data "$DATA" 3>&- & a=$!
  orch-down --data "$DATA" || :
  wait $a || :
  [ ! -e "$DATA/run" ]
}

@test "orch-down: what was written before a reboot names nobody" {
  orch-up --data "$DATA" --listen 127.0.0.1:0 --no-node
  orch-down --data "$DATA"
  mkdir "$DATA/run" && : >"$DATA/run/lock"
  sleep 100 3>&- & pid=$!
  start=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)
  jq -n --arg d "$DATA" --argjson p "$pid" --argjson s "$start" \
    '{dir: $d, boot: "another", listen: "", nodes: 0, namespaces: false, block: 0, keeper: {pid: $p, start: $s}, processes: []}' >"$DATA/run/cluster.json"
  orch-down --data "$DATA"
  kill -0 $pid
  kill $pid
}
