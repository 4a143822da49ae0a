# A private registry (docker-registry with htpasswd) and a whole cluster: pulls with secrets, back-off, events.
load cluster

setup_file() {
  need_root || return 0
  command -v docker-registry >/dev/null || { echo "needs docker-registry" >"$BATS_FILE_TMPDIR/why"; return 0; }
  command -v skopeo >/dev/null || { echo "needs skopeo" >"$BATS_FILE_TMPDIR/why"; return 0; }
  if command -v htpasswd >/dev/null; then
    htpasswd -Bbn ann secret >"$BATS_FILE_TMPDIR/htpasswd"
  elif ! python3 -W ignore -c 'import crypt; print("ann:" + crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH)).replace("$2b$", "$2y$"))' >"$BATS_FILE_TMPDIR/htpasswd"; then
    echo "nothing makes a bcrypt hash" >"$BATS_FILE_TMPDIR/why"; return 0
  fi
  registry_up || return
  "$BATS_TEST_DIRNAME/../../scripts/busybox-image" "$BATS_FILE_TMPDIR/a.tar" web:1 /www/index.html=private
  for name in team/web team/second team/third; do
    skopeo copy -q --dest-tls-verify=false --dest-creds ann:secret "oci-archive:$BATS_FILE_TMPDIR/a.tar" "docker://127.0.0.1:$PORT/$name:1"
  done
  cluster_up
}
teardown_file() {
  [ ! -e "$BATS_FILE_TMPDIR/registry.pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/registry.pid")" || true
  cluster_end
}

registry_up() {
  for _ in 1 2 3 4 5; do
    export PORT=$((20000 + RANDOM % 20000))
    cat >"$BATS_FILE_TMPDIR/registry.yml" <<-END
	version: 0.1
	storage: {filesystem: {rootdirectory: $BATS_FILE_TMPDIR/registry}, redirect: {disable: true}}
	http: {addr: "127.0.0.1:$PORT"}
	auth: {htpasswd: {realm: test, path: $BATS_FILE_TMPDIR/htpasswd}}
	END
    docker-registry serve "$BATS_FILE_TMPDIR/registry.yml" >"$BATS_FILE_TMPDIR/registry.log" 2>&1 3>&- &
    echo $! >"$BATS_FILE_TMPDIR/registry.pid"
    for _ in $(seq 50); do
      if curl -s -o "$BATS_FILE_TMPDIR/null" "http://127.0.0.1:$PORT/v2/"; then return 0; fi
      kill -0 "$(cat "$BATS_FILE_TMPDIR/registry.pid")" 2>/dev/null || break
      sleep 0.1
    done
  done
  return 1
}

# pod NAME IMAGE [SECRET...]
pod() {
  local name=$1 image=$2 s
  shift 2
  cat <<-END
	apiVersion: v1
	kind: Pod
	metadata: {name: $name}
	spec:
	  terminationGracePeriodSeconds: 1
	  imagePullSecrets: [$(for s; do printf '{name: %s},' "$s"; done)]
	  containers: [{name: c, image: "127.0.0.1:$PORT/$image", command: [sleep, "1000"]}]
	END
}

# secret NAME PASSWORD: of the newer type; old_secret: of the older
secret() { echo '{"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/dockerconfigjson","metadata":{"name":"'"$1"'"},"stringData":{".dockerconfigjson":"{\"auths\":{\"127.0.0.1:'"$PORT"'/team\":{\"username\":\"ann\",\"password\":\"'"$2"'\"}}}"}}'; }
old_secret() { echo '{"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/dockercfg","metadata":{"name":"'"$1"'"},"stringData":{".dockercfg":"{\"http://127.0.0.1:'"$PORT"'\":{\"auth\":\"'"$(printf 'ann:%s' "$2" | base64)"'\"}}"}}'; }

events() { orch-get events -o jsonl | jq -r --arg n "$1" 'select(.involvedObject.name == $n) | "\(.type) \(.reason) \(.message)"'; }
# until_event POD REGEX
until_event() {
  for _ in $(seq 200); do
    if events "$1" | grep -qE "$2"; then return 0; fi
    sleep 0.1
  done
  events "$1"
  return 1
}

@test "registry: without a login a pod waits in ImagePullBackOff, and events say why" {
  pod none team/web:1 | orch-apply
  until_event none '^Warning Failed Failed to pull image "127.0.0.1:[0-9]+/team/web:1": .*no credentials'
  until_event none '^Warning Failed Error: ErrImagePull$'
  until_event none '^Normal BackOff Back-off pulling image "127.0.0.1:[0-9]+/team/web:1"$'
  until_event none '^Warning Failed Error: ImagePullBackOff$'
  orch-get pod/none -o jsonl | jq -e '.status.phase == "Pending" and (.status.containerStatuses[0].state.waiting | .reason == "ImagePullBackOff" and (.message | startswith("Back-off pulling image \"127.0.0.1")) and (.message | contains(": ErrImagePull: ")))'
  orch-delete pod/none
}

@test "registry: a secret of either type lets a pod pull; a wrong one beside it does no harm" {
  { secret wrong nope; echo; old_secret right secret; } | orch-apply
  pod both team/web:1 wrong missing right | orch-apply
  orch-wait --for=condition=Ready --timeout=30s pod/both
  orch-get pod/both -o jsonl | jq -e --arg p "$PORT" '.status.containerStatuses[0] | (.imageID | startswith("127.0.0.1:\($p)/team/web@sha256:")) and .image == "127.0.0.1:\($p)/team/web:1"'
  orch-delete pod/both
}

@test "registry: the login comes later, and so does the pod" {
  pod late team/second:1 later | orch-apply
  until_event late '^Normal BackOff'
  secret later secret | orch-apply
  orch-wait --for=condition=Ready --timeout=30s pod/late
  orch-delete pod/late
}

@test "registry: a secret that kubectl makes" {
  command -v kubectl >/dev/null || skip "needs kubectl"
  pod kubectl team/third:1 made | orch-apply
  until_event kubectl '^Warning Failed Failed to pull image "127.0.0.1:[0-9]+/team/third:1": .*no credentials'
  timeout 30 kubectl create secret docker-registry made --docker-server="127.0.0.1:$PORT" --docker-username=ann --docker-password=secret 3>&-
  orch-wait --for=condition=Ready --timeout=30s pod/kubectl
  orch-delete pod/kubectl secret/made
}

@test "registry: the Node lists what it has, by digest and by name" {
  orch-get node/node-1 -o jsonl | jq -r '.status.images[].names[]' >"$BATS_TEST_TMPDIR/names" || true
  for _ in $(seq 150); do
    orch-get node/node-1 -o jsonl | jq -r '.status.images[]?.names[]' >"$BATS_TEST_TMPDIR/names"
    if grep -q "team/web:1" "$BATS_TEST_TMPDIR/names"; then break; fi
    sleep 0.1
  done
  grep -qE "^127.0.0.1:$PORT/team/web@sha256:" "$BATS_TEST_TMPDIR/names"
  grep -qx "127.0.0.1:$PORT/team/web:1" "$BATS_TEST_TMPDIR/names"
}

@test "registry: a node whose disk stays full says so in events of its own" {
  mkdir "$BATS_TEST_TMPDIR/small"
  mount -t tmpfs -o size=4m tmpfs "$BATS_TEST_TMPDIR/small" || skip "cannot mount here"
  head -c 3M /dev/zero >"$BATS_TEST_TMPDIR/small/full"
  orch-node --name full --data "$BATS_TEST_TMPDIR/small/n" --pod-cidr 10.99.99.0/24 --image-gc-period 300ms --image-gc-high-threshold 50 --image-gc-low-threshold 40 2>"$BATS_TEST_TMPDIR/log" 3>&- &
  pid=$!
  failed=0
  { until_event full '^Warning FreeDiskSpaceFailed Failed to garbage collect required amount of images' && until_event full '^Warning ImageGCFailed '; } || failed=1
  orch-get events -n default -o jsonl | jq -s 'map(select(.reason == "ImageGCFailed")) | .[0].involvedObject' >"$BATS_TEST_TMPDIR/of"
  kill "$pid"
  wait "$pid" || true
  orch-node --data "$BATS_TEST_TMPDIR/small/n" --clean
  umount "$BATS_TEST_TMPDIR/small"
  orch-delete node/full
  cat "$BATS_TEST_TMPDIR/log"
  [ "$failed" = 0 ]
  jq -e '.kind == "Node" and .name == "full" and .uid == "full"' "$BATS_TEST_TMPDIR/of"
}
