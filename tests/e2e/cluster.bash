# Whole clusters for tests: each under a folder of its own, gone at the end, pass or fail.

bats_require_minimum_version 1.5.0
BIN=${BIN:-$PWD/build/bin}
PATH=$BIN:$PATH

# bats cannot skip in setup_file: need_root leaves the reason in a file, and fails; setup skips by it.
need_root() {
  if [ "$(id -u)" -ne 0 ]; then
    why="needs root"
  elif ! unshare -n true 2>/dev/null; then
    why="cannot make network namespaces here"
  elif [ ! -x /usr/lib/cni/ptp ] || ! command -v conmon busybox ip >/dev/null; then
    why="needs conmon, busybox, ip and the CNI plugins"
  else
    return 0
  fi
  echo "$why" >"$BATS_FILE_TMPDIR/why"
  return 1
}
setup() { [ ! -s "$BATS_FILE_TMPDIR/why" ] || skip "$(cat "$BATS_FILE_TMPDIR/why")"; }

# cluster_up [OPTION...]: sets DATA, KUBECONFIG.
cluster_up() {
  DATA=${DATA:-$BATS_FILE_TMPDIR/data}
  export DATA
  env=$(orch-up --data "$DATA" --listen 127.0.0.1:0 "$@") || return
  eval "$env"
  export KUBECONFIG
}

# For teardown_file: ends it also when a test has failed half-way.
cluster_end() {
  [ -e "${DATA:-/nonexistent}/run/cluster.json" ] || return 0
  orch-down --data "$DATA" || { tail -n 20 "$DATA"/log/*.log >&2; return 1; }
}

# What this cluster's pods and names are called: taken before it ends, looked for after.
cluster_marks() {
  orch-get pods -A -o jsonl | jq -r .metadata.uid
  jq -r '.processes[].argv[] | select(startswith("orch-"))' "$DATA/run/cluster.json" | sed 's/-n[0-9]*$//; s/^orch-//' | sort -u
}

# nothing_left MARKS: no process, mount, namespace, link or cgroup of this cluster.
nothing_left() {
  ! grep -F " $DATA/" /proc/mounts || return 1
  for file in $(grep -lsaF "$DATA/" /proc/[0-9]*/cmdline); do
    [ -e "$file" ] || continue # the grep itself
    tr '\0' ' ' <"$file"
    echo "is still there: $file"
    return 1
  done
  for mark in $1; do
    ! ip -o link | grep -F "$mark" || return 1
    ! ip netns list | grep -F "$mark" || return 1
    [ -z "$(find /sys/fs/cgroup -type d -name "*$mark*" 2>/dev/null)" ] || return 1
  done
}

# The image every test uses, made once a file: web:1 says "one", web:2 "two".
cluster_images() {
  for v in 1:one 2:two; do
    "$BATS_TEST_DIRNAME/../../scripts/busybox-image" "$BATS_FILE_TMPDIR/web-${v%:*}.tar" "web:${v%:*}" "/www/index.html=${v#*:}"
    for n in "$DATA"/node-*; do orch-image --data "$n" import "$BATS_FILE_TMPDIR/web-${v%:*}.tar"; done
  done
}

# web REPLICAS VERSION: the manifest.
web() {
  cat <<END
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: $1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: httpd
        image: web:$2
        command: [httpd, -f, -p, "8080", -h, /www]
END
}

fetch() { curl -sSf -m 5 "http://$1:8080/"; }
