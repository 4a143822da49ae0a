# Whole clusters for tests: each under a folder of its own, gone at the end, pass or fail.

BIN=${BIN:-$PWD/build/bin}
PATH=$BIN:$PATH

need_root() {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  unshare -n true 2>/dev/null || skip "cannot make network namespaces here"
  for p in conmon busybox ip; do command -v $p >/dev/null || skip "needs $p"; done
  [ -x /usr/lib/cni/ptp ] || skip "needs the CNI plugins"
}

# cluster_up [OPTION...]: sets DATA, KUBECONFIG.
cluster_up() {
  DATA=${DATA:-$BATS_FILE_TMPDIR/data}
  before=$(machine_state)
  export DATA before
  env=$(orch-up --data "$DATA" --listen 127.0.0.1:0 "$@") || return
  eval "$env"
  export KUBECONFIG
}

cluster_down() {
  [ -n "${DATA:-}" ] || return 0
  orch-down --data "$DATA" "$@" || { cat "$DATA"/log/*.log >&2; return 1; }
}

# What a cluster could leave behind, of this data folder only: tests run beside other clusters.
machine_state() {
  id=$(cluster_id)
  grep -c " $DATA/" /proc/mounts || :
  ip -o link | grep -c "$id" || :
  ip netns list | grep -c "$id" || :
  find /sys/fs/cgroup -type d -path "*orch*$id*" 2>/dev/null | wc -l
  grep -lsF "$DATA/" /proc/[0-9]*/cmdline | grep -v "/$$/" | wc -l
}
cluster_id() { [ -e "$DATA/run/cluster.json" ] && jq -r '.processes[] | .argv[]' "$DATA/run/cluster.json" | sed -n 's/^orch-\([0-9a-f]*\)-n1$/\1/p' | head -n 1 || echo none; }

# The image every test uses, made once a file: web:1 says "one", web:2 "two".
cluster_images() {
  for v in 1:one 2:two; do
    "$BATS_TEST_DIRNAME/../../scripts/busybox-image" "$BATS_FILE_TMPDIR/web-${v%:*}.tar" "web:${v%:*}" "www/index.html=${v#*:}"
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

fetch() { busybox wget -T 5 -qO- "http://$1:8080/"; }
