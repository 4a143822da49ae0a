# The bundles of examples/crds, as operators and gateways bring them: installed, used, changed and taken away with
# kubectl, helm and orch-apply, each against a store of its own.
load cluster
load clients

BUNDLES="certs gateways monitors"

setup_file() {
  clients_fetch >"$BATS_FILE_TMPDIR/why" || return 0
  clients_home "$BATS_FILE_TMPDIR"
  for bundle in $BUNDLES; do
    cp -r "$BATS_TEST_DIRNAME/../../examples/crds/$bundle" "$BATS_FILE_TMPDIR/"
    BIN=$BIN "$BATS_TEST_DIRNAME/../../examples/crds/expand" "$bundle" >"$BATS_FILE_TMPDIR/$bundle/crds.yaml"
  done
}

setup() {
  cd "$BATS_FILE_TMPDIR"
  clients_or_skip
  store=$BATS_TEST_TMPDIR/store
  orch-store -d "$store" -l 127.0.0.1:0 >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
  echo $! >"$BATS_TEST_TMPDIR/pid"
  export KUBECONFIG=$store/admin.kubeconfig
  for _ in $(seq 100); do
    ! grep -q '^orch-store: ready' "$BATS_TEST_TMPDIR/log" || return 0
    sleep 0.1
  done
  cat "$BATS_TEST_TMPDIR/log"
  return 1
}

teardown() {
  [ -e "$BATS_TEST_TMPDIR/pid" ] || return 0
  kill "$(cat "$BATS_TEST_TMPDIR/pid")"
}

k() { timeout 60 kubectl "$@" 3>&-; }

# Until kubectl can use what a bundle defines.
established() { k wait --for=condition=Established --timeout=10s -f "$1/crds.yaml"; }

installed() {
  k apply --server-side -f "$1/crds.yaml"
  established "$1"
  k apply --server-side -f "$1/objects.yaml"
}

# refused FILE: the lines "# refused: ..." above each document are the causes of its refusal, all, in this order.
refused() {
  local document object path n=0
  rm -rf document && mkdir document
  awk '/^---$/ { n++; next } { print >("document/" n + 0) }' "$1"
  for document in document/[0-9]*; do
    grep -q '^kind:' "$document" || continue
    n=$((n + 1))
    object=$(orch-parse <"$document")
    path=$(jq -r '"/apis/\(.apiVersion)/namespaces/default/\(.kind | ascii_downcase)s"' <<<"$object")
    orch-api -X POST -d @- "$path" <<<"$object" >answer 2>/dev/null || :
    sed -n 's/^# refused: //p' "$document" >want
    jq -r '.details.causes[] | "\(.field): \(.message)"' answer | diff want -
    # kubectl says as much
    run k create -n default -f "$document"
    [ "$status" -eq 1 ]
    [[ $output == *"is invalid: "* ]]
    [[ $output == *"$(sed 's/: Invalid value: ".*//; q' want)"* ]]
  done
  [ "$n" -ge 8 ]
}

# versions: every object's kind, name and resourceVersion.
versions() { k get -f "$1/objects.yaml" -o json | jq -c '.items[] | [.kind, .metadata.name, .metadata.resourceVersion]'; }

# A bundle in every way that kubectl has; what is applied a second time changes nothing.
ways() {
  local before
  k apply -f "$1/crds.yaml"
  established "$1"
  k apply -f "$1/objects.yaml"
  before=$(versions "$1")
  k apply -f "$1/objects.yaml"
  [ "$(versions "$1")" = "$before" ]
  [ -z "$(k diff -f "$1/crds.yaml" -f "$1/objects.yaml")" ]
  k replace -f "$1/crds.yaml"
  k replace -f "$1/objects.yaml"
  k apply --server-side --force-conflicts -f "$1/crds.yaml" -f "$1/objects.yaml"
  [ -z "$(k diff --server-side --force-conflicts -f "$1/crds.yaml" -f "$1/objects.yaml")" ]
  before=$(versions "$1")
  k apply --server-side -f "$1/objects.yaml"
  [ "$(versions "$1")" = "$before" ]
  k get -f "$1/objects.yaml" -o yaml | k replace -f -
  [ "$(versions "$1")" = "$before" ]
}

# A bundle whose objects are created in the order in which they are written.
created() {
  k create -f "$1/crds.yaml"
  established "$1"
  k create -f "$1/objects.yaml"
  run k create -f "$1/objects.yaml"
  [ "$status" -eq 1 ]
  [[ $output == *"already exists"* ]]
}

# A bundle in one stream, first as a dry run, by orch-apply; twice.
streamed() {
  { cat "$1/objects.yaml"; echo ---; cat "$1/crds.yaml"; } >"$1/all.yaml"
  orch-apply --dry-run=server -f "$1/all.yaml" >dry
  run orch-kinds
  [[ $output != *example* ]]
  orch-apply -f "$1/all.yaml" >wet
  diff <(sed 's/ (dry run)//' dry | sort) <(sort wet)
  [ "$(grep -vc ' created$' wet)" -eq 0 ]
  orch-apply -f "$1/all.yaml" >again
  [ "$(grep -vc ' unchanged$' again)" -eq 0 ]
  orch-diff -f "$1/all.yaml"
  k diff --server-side --field-manager=orch-apply -f "$1/objects.yaml"
}

for_each_bundle() {
  local bundle
  for bundle in $BUNDLES; do
    echo "bundle $bundle"
    "$1" "$bundle"
  done
}

@test "bundles: kubectl apply, replace and server-side apply" {
  for_each_bundle ways
}

@test "bundles: kubectl create" {
  for_each_bundle created
}

@test "bundles: orch-apply, definitions and objects in one stream" {
  for_each_bundle streamed
}

@test "bundles: what is invalid is refused for what is wrong" {
  for bundle in $BUNDLES; do
    k apply --server-side -f "$bundle/crds.yaml"
    established "$bundle"
    refused "$bundle/invalid.yaml"
  done
}
