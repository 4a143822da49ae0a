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

@test "helm: the same by server-side apply, which is its default" {
  [ -d chart ] || h create chart
  h install s chart
  [ "$(kubectl get deploy s-chart -o json --show-managed-fields | jq -r '.metadata.managedFields[] | select(.operation == "Apply") | .manager')" = helm ]
  h upgrade s chart --set replicaCount=2
  [ "$(kubectl get deploy s-chart -o jsonpath='{.spec.replicas}')" = 2 ]
  kubectl patch deploy s-chart --type merge -p '{"spec":{"replicas":5}}' 3>&-
  run h upgrade s chart --set replicaCount=3
  [ "$status" -ne 0 ]
  [[ $output == *"conflict"*".spec.replicas"* ]]
  h upgrade s chart --set replicaCount=3 --force-conflicts
  [ "$(kubectl get deploy s-chart -o jsonpath='{.spec.replicas}')" = 3 ]
  h rollback s 1
  [ "$(kubectl get deploy s-chart -o jsonpath='{.spec.replicas}')" = 1 ]
  h uninstall s --wait
}
