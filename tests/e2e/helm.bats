# helm, unmodified: a chart's life.
load cluster
load clients

setup_file() {
  clients_fetch >"$BATS_FILE_TMPDIR/why" || return 0
  clients_home "$BATS_FILE_TMPDIR"
  cluster_up --no-node 3>&-
}

teardown_file() {
  cluster_end
}

setup() {
  cd "$BATS_FILE_TMPDIR"
  clients_or_skip
}

h() { timeout 30 helm "$@" 3>&-; }

@test "helm: create, install, list, upgrade, history, rollback, status, uninstall" {
  h create chart
  h install r chart --server-side=false
  [ "$(h list -q)" = r ]
  [ "$(kubectl get deploy r-chart -o jsonpath='{.spec.replicas}')" = 1 ]
  h upgrade r chart --server-side=false --set replicaCount=2
  [ "$(kubectl get deploy r-chart -o jsonpath='{.spec.replicas}')" = 2 ]
  [ "$(h history r -o json | jq -c '[.[].status]')" = '["superseded","deployed"]' ]
  h rollback r 1 --server-side=false
  [ "$(kubectl get deploy r-chart -o jsonpath='{.spec.replicas}')" = 1 ]
  [[ "$(h status r)" == *"STATUS: deployed"* ]]
  [[ "$(h get manifest r)" == *"kind: Deployment"* ]]
  h uninstall r --wait
  [ -z "$(h list -q)" ]
  run kubectl get deploy r-chart
  [ "$status" -eq 1 ]
}
