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

# A chart of our own: hooks of every moment, what is kept, a test, a subchart's values.
app() {
  mkdir -p app/templates
  cat >app/Chart.yaml <<'END'
{apiVersion: v2, name: app, version: 0.1.0, appVersion: "1", description: an app}
END
  echo '{replicas: 1, image: "web:1", note: hello}' >app/values.yaml
  echo 'It says {{ .Values.note }}.' >app/templates/NOTES.txt
  cat >app/templates/app.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, labels: {app: {{ .Release.Name }}}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: c, image: {{ .Values.image | quote }}, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {selector: {app: {{ .Release.Name }}}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-kept, annotations: {helm.sh/resource-policy: keep}}
data: {note: {{ .Values.note | quote }}, {{- if (lookup "v1" "Namespace" "" "default") }} found: "yes" {{- end }}}
END
  for moment in pre-install post-install pre-upgrade post-upgrade pre-rollback post-delete; do
    cat >"app/templates/hook-$moment.yaml" <<END
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-$moment
  annotations: {helm.sh/hook: $moment, helm.sh/hook-weight: "1", helm.sh/hook-delete-policy: before-hook-creation}
data: {revision: {{ .Release.Revision | quote }}}
END
  done
  cat >app/templates/test.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: {{ .Release.Name }}-test, annotations: {helm.sh/hook: test}}
spec: {restartPolicy: Never, containers: [{name: t, image: t}]}
END
}

kc() { timeout 30 kubectl "$@" 3>&-; }

# Until it is ended, what nodes would say: pods of applications run, those of tests have succeeded.
play_nodes() {
  while sleep 0.2; do
    for p in $(kc get pods --field-selector status.phase=Pending -o name); do
      case $p in
        *-test) kc patch "$p" --subresource=status --type=merge -p '{"status":{"phase":"Succeeded"}}' ;;
        *) kc patch "$p" --subresource=status --type=merge -p '{"status":{"phase":"Running","conditions":[
          {"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}' ;;
      esac
    done
  done >/dev/null 2>&1
}

@test "helm: a chart with hooks is linted, shown, rendered, installed, tested, upgraded, rolled back" {
  app
  h lint app
  h show values app | grep -q 'note: hello'
  h template x app --set replicas=7 | grep -q 'replicas: 7'
  h install x app --dry-run=server | grep -q 'found: "yes"'
  [ -z "$(h list -q)" ]
  play_nodes &
  nodes=$!
  h install x app --wait --timeout 20s >out
  grep -q 'It says hello.' out
  grep -q '^STATUS: deployed' out
  [ "$(kc get deploy x -o jsonpath='{.status.readyReplicas}')" = 1 ]
  [ "$(kc get cm x-pre-install x-post-install -o jsonpath='{.items[*].data.revision}')" = "1 1" ]
  [[ "$(h test x --timeout 20s)" == *"Phase:          Succeeded"* ]]
  h upgrade x app --set replicas=2 --set note=again --wait --timeout 20s
  [ "$(kc get cm x-pre-upgrade x-post-upgrade -o jsonpath='{.items[*].data.revision}')" = "2 2" ]
  h upgrade x app --reuse-values --set image=web:2 --wait --timeout 25s
  [ "$(kc get deploy x -o jsonpath='{.spec.replicas} {.spec.template.spec.containers[0].image}')" = "2 web:2" ]
  [ "$(h get values x -o json | jq -c .)" = '{"image":"web:2","note":"again","replicas":2}' ]
  h get values x --all | grep -q 'note: again'
  h get manifest x | grep -q 'kind: Service'
  h get notes x | grep -q 'It says again.'
  [ "$(h get hooks x | grep -c 'helm.sh/hook":\|helm.sh/hook:')" -eq 7 ]
  [ "$(h get metadata x -o json | jq -r '"\(.version) \(.status) \(.revision)"')" = "0.1.0 deployed 3" ]
  h get all x >/dev/null
  h rollback x 1 --wait --timeout 25s
  [ "$(kc get cm x-pre-rollback -o jsonpath='{.data.revision}')" = 1 ]
  [ "$(kc get deploy x -o jsonpath='{.spec.replicas} {.spec.template.spec.containers[0].image}')" = "1 web:1" ]
  [ "$(h history x -o json | jq -c '[.[] | [.revision, .status]]')" = \
    '[[1,"superseded"],[2,"superseded"],[3,"superseded"],[4,"deployed"]]' ]
  [ "$(h list -o json | jq -r '.[] | "\(.name) \(.revision) \(.status) \(.chart)"')" = "x 4 deployed app-0.1.0" ]
  kill "$nodes"
  wait "$nodes" || :
}

@test "helm: what fails is rolled back, and what is there already is not taken" {
  [ -d app ] || app
  run h upgrade x app --set image=web:3 --wait --timeout 2s --rollback-on-failure
  [ "$status" -ne 0 ]
  [ "$(kc get deploy x -o jsonpath='{.spec.template.spec.containers[0].image}')" = web:1 ]
  [ "$(h history x -o json | jq -r '.[-1].status, .[-2].status' | paste -sd' ')" = "deployed failed" ]
  run h upgrade x app --set replicas=many
  [ "$status" -ne 0 ]
  [[ $output == *"replicas"* ]]
  kc create configmap w-kept
  run h install w app
  [ "$status" -ne 0 ]
  [[ $output == *'ConfigMap "w-kept" in namespace "default" exists and cannot be imported into the current release'* ]]
  h install w app --take-ownership --force-conflicts
  h upgrade --install z app --namespace other --create-namespace
  [ "$(h list -A -q | sort | paste -sd" ")" = "w x z" ]
  [ "$(kc get secret -n other -l owner=helm -o jsonpath='{.items[*].type}')" = helm.sh/release.v1 ]
}

@test "helm: uninstall keeps what it must, its history too when asked" {
  h uninstall x --keep-history
  [ "$(kc get cm x-kept -o name)" = configmap/x-kept ]
  [ "$(kc get cm x-post-delete -o name)" = configmap/x-post-delete ]
  run kc get deploy x
  [ "$status" -eq 1 ]
  [ "$(h list --uninstalled -q)" = x ]
  h rollback x 1
  [ "$(kc get deploy x -o jsonpath='{.spec.replicas}')" = 1 ]
  h uninstall x --wait --timeout 20s
  h uninstall w --no-hooks --cascade foreground --wait --timeout 20s
  h uninstall z --namespace other
  [ -z "$(h list -A -q)" ]
  [ -z "$(kc get secret -A -l owner=helm -o name)" ]
  run h status x
  [ "$status" -ne 0 ]
  [[ $output == *"not found"* ]]
}
