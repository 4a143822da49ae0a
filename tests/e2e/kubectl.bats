# kubectl, unmodified, against a cluster without nodes: real work with nothing but the generated kubeconfig.
load cluster
load clients

setup_file() {
  clients_fetch >"$BATS_FILE_TMPDIR/why" || return 0
  clients_home "$BATS_FILE_TMPDIR"
  cluster_up --no-node 3>&-
  cd "$BATS_FILE_TMPDIR"
  web >web.yaml
}

teardown_file() {
  cluster_end
}

setup() {
  cd "$BATS_FILE_TMPDIR"
  clients_or_skip
}

k() { timeout 30 kubectl "$@" 3>&-; }

web() {
  cat <<END
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: ${1:-2}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: "web:${2:-1}", ports: [{containerPort: 80}], env: [{name: A, value: b}]}
      - {name: d, image: "side:1"}
END
}

# run_pods SELECTOR: what a node would say of them.
run_pods() {
  local p
  for p in $(k get pods -l "$1" -o name); do
    k patch "$p" --subresource=status --type=merge -p '{"status":{"phase":"Running","conditions":[
      {"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}' >/dev/null || :
  done
}

# rolled_out DEPLOYMENT: its pods are run until the rollout is done.
rolled_out() {
  local i
  for i in $(seq 20); do
    run_pods app=web
    k rollout status "deployment/$1" --timeout=1s && return
  done
  return 1
}

@test "kubectl: version, api-resources, explain, raw" {
  [[ "$(k version)" == *"Server Version: v1.36"* ]]
  k api-resources >out
  grep -Eq '^deployments +deploy +apps/v1 +true +Deployment$' out
  grep -Eq '^nodes +no +v1 +false +Node$' out
  [[ "$(k api-resources --api-group=apps --verbs=list -o name)" == *deployments.apps* ]]
  k api-versions | grep -qx autoscaling/v2
  [[ "$(k explain deployment.spec.replicas)" == *"FIELD: replicas <integer>"* ]]
  [[ "$(k explain pods --recursive)" == *"terminationGracePeriodSeconds"*"<integer>"* ]]
  # by OpenAPI v2, in protobuf
  [[ "$(k explain deploy.spec.strategy.rollingUpdate --output=plaintext-openapiv2)" == *"maxSurge"* ]]
  [ "$(k get --raw /readyz)" = ok ]
  [[ "$(k cluster-info)" == *"is running at"* ]]
  [[ "$(k auth whoami -o jsonpath='{.status.userInfo.groups}')" == *system:masters* ]]
  [ "$(k auth can-i delete pods -n kube-system)" = yes ]
  [[ "$(k auth can-i --list)" == *'*.*'* ]]
}

@test "kubectl: create makes every kind it knows" {
  k create namespace n
  k config set-context --current --namespace=n
  k create configmap c --from-literal=x=y
  k create secret generic s --from-literal=x=y
  k create serviceaccount robot
  k create deployment d --image=i --replicas=0
  k create service clusterip d --tcp=80:80
  k create job j --image=i -- true
  k create cronjob cj --image=i --schedule='0 0 * * *' -- true
  k create role r --verb=get --resource=pods
  k create rolebinding rb --role=r --user=me
  k create clusterrole cr --verb=get --resource=nodes
  k create clusterrolebinding crb --clusterrole=cr --user=me
  k create quota q --hard=pods=3
  k create poddisruptionbudget p --selector=app=d --min-available=1
  k create ingress i --rule="example.com/*=d:80"
  k create priorityclass pc --value=10
  k run pod --image=i
  k expose pod pod --port=80
  k autoscale deployment d --max=3
  [ "$(k get configmap c -o jsonpath='{.data.x}')" = y ]
  [ "$(k get secret s -o go-template='{{.data.x | base64decode}}')" = y ]
  run k create configmap c --from-literal=x=y
  [ "$status" -eq 1 ]
  [ "$output" = 'error: failed to create configmap: configmaps "c" already exists' ]
  run k create deployment D --image=i
  [ "$status" -eq 1 ]
  [[ $output == *'Deployment.apps "D" is invalid: metadata.name: Invalid value: "D"'* ]]
  k create deployment e --image=i --dry-run=server -o yaml | grep -q 'imagePullPolicy: Always'
  run k get deployment e
  [ "$status" -eq 1 ]
  k config set-context --current --namespace=
  k delete namespace n --timeout=20s
  run k get namespace n
  [ "$output" = 'Error from server (NotFound): namespaces "n" not found' ]
  k delete priorityclass/pc clusterrole/cr clusterrolebinding/crb
}

@test "kubectl: apply, diff, get in every form, describe" {
  [ "$(k apply -f web.yaml)" = "deployment.apps/web created" ]
  [ "$(k apply -f web.yaml)" = "deployment.apps/web unchanged" ]
  web 3 >new.yaml
  run k diff -f new.yaml
  [ "$status" -eq 1 ]
  [[ $output == *"-  replicas: 2"*"+  replicas: 3"* ]]
  [ "$(k apply -f new.yaml)" = "deployment.apps/web configured" ]
  k wait --for=jsonpath='{.status.replicas}'=3 deployment/web --timeout=10s
  [ "$(k get deploy web -o jsonpath='{.spec.template.spec.containers[*].image}')" = "web:1 side:1" ]
  [ "$(k get deploy -o name)" = deployment.apps/web ]
  [ "$(k get deploy -o custom-columns=N:.metadata.name,R:.spec.replicas --no-headers | tr -s ' ')" = "web 3" ]
  [ "$(k get deploy web -o json | jq -c '[.kind, .apiVersion]')" = '["Deployment","apps/v1"]' ]
  [ "$(k get deploy web -o yaml | orch-parse | jq -r .metadata.name)" = web ]
  k get deploy >out
  grep -Eq '^NAME +READY +UP-TO-DATE +AVAILABLE +AGE$' out
  grep -Eq '^web +0/3 +3 +0 ' out
  k get rs,pods -o wide | grep -Eq 'CONTAINERS +IMAGES +SELECTOR'
  [ "$(k get pods -l app=web --no-headers --sort-by=.metadata.name | wc -l)" -eq 3 ]
  [[ "$(k get pods --show-labels --chunk-size=2)" == *"pod-template-hash="* ]]
  [[ "$(k get all)" == *"replicaset.apps/web-"* ]]
  [[ "$(k describe deploy web)" == *"Replicas:"*"3 desired"*"ScalingReplicaSet"* ]]
  [[ "$(k describe pods -l app=web)" == *"FailedScheduling"* ]]
  [[ "$(k get events --field-selector reason=ScalingReplicaSet)" == *"deployment/web"* ]]
}

@test "kubectl: label, annotate, patch, set, scale, edit, replace" {
  k label deploy web tier=front
  [ "$(k get deploy -l tier=front -o name)" = deployment.apps/web ]
  run k label deploy web tier=back
  [ "$status" -eq 1 ]
  k label deploy web tier-
  k annotate deploy web why=because
  k scale deploy web --replicas=1
  run k scale deploy web --replicas=2 --current-replicas=7
  [ "$status" -eq 1 ]
  k patch deploy web -p '{"spec":{"template":{"spec":{"containers":[{"name":"d","image":"side:2"}]}}}}'
  [ "$(k get deploy web -o jsonpath='{.spec.template.spec.containers[*].image}')" = "web:1 side:2" ]
  k patch deploy web --type=json -p '[{"op":"replace","path":"/spec/replicas","value":2}]'
  k patch deploy web --type=merge -p '{"spec":{"minReadySeconds":1}}'
  k patch deploy web --subresource=scale --type=merge -p '{"spec":{"replicas":3}}'
  k set image deploy/web c=web:3
  k set env deploy/web Z=1
  k set resources deploy/web -c c --limits=cpu=1
  [ "$(k get deploy web -o json | jq -c '.spec.template.spec.containers[0] | [.image, .env[1].name, .resources.limits.cpu]')" = \
    '["web:3","Z","1"]' ]
  EDITOR="sed -i s/minReadySeconds:.*/minReadySeconds:\ 0/" k edit deploy web
  k get deploy web -o yaml | sed 's/web:3/web:4/' >old.yaml
  k replace -f old.yaml
  sed -i 's/resourceVersion: .*/resourceVersion: "1"/' old.yaml
  run k replace -f old.yaml
  [ "$status" -eq 1 ]
  [[ $output == *"the object has been modified; please apply your changes to the latest version"* ]]
}

@test "kubectl: rollout status, history, undo, pause, restart; wait" {
  k delete deploy web
  k apply -f web.yaml
  run k rollout status deploy/web --timeout=1s
  [ "$status" -eq 1 ]
  rolled_out web
  k wait --for=condition=Available deploy/web --timeout=5s
  k wait --for=condition=Ready pods -l app=web --timeout=5s
  k set image deploy/web c=web:2
  rolled_out web
  [ "$(k rollout history deploy/web | grep -c '^[12] ')" -eq 2 ]
  [[ "$(k rollout history deploy/web --revision=2)" == *"web:2"* ]]
  k rollout undo deploy/web
  rolled_out web
  [ "$(k get deploy web -o jsonpath='{.spec.template.spec.containers[0].image}')" = web:1 ]
  k rollout pause deploy/web
  run k rollout pause deploy/web
  [ "$status" -eq 1 ]
  k rollout resume deploy/web
  k rollout restart deploy/web
  k get deploy web -o yaml | grep -q kubectl.kubernetes.io/restartedAt
}

@test "kubectl: a watch shows what happens; delete waits" {
  timeout 20 kubectl get configmaps -l w=1 --watch --output-watch-events --no-headers >seen 3>&- &
  pid=$!
  sleep 0.5
  k create configmap w --from-literal=a=b --dry-run=client -o yaml | k label --local -f - w=1 -o yaml | k create -f -
  k patch configmap w -p '{"data":{"c":"d"}}'
  k delete configmap w
  for _ in $(seq 100); do
    if grep -q DELETED seen; then break; fi
    sleep 0.05
  done
  kill "$pid" && wait "$pid" || :
  [ "$(awk '{print $1, $2, $3}' seen)" = "$(printf 'ADDED w 1\nMODIFIED w 2\nDELETED w 2')" ]
  k wait --for=delete configmap/w --timeout=5s
  k delete -f web.yaml --cascade=foreground --timeout=20s
  [ -z "$(k get pods -l app=web -o name)" ]
}

@test "kubectl: what is wrong is said in Kubernetes' words" {
  sed 's/replicas:/replicsa:/' web.yaml >bad.yaml
  run k apply -f bad.yaml
  [ "$status" -eq 1 ]
  [[ $output == *'strict decoding error: unknown field "spec.replicsa"'* ]]
  k apply --validate=warn -f bad.yaml 2>&1 | grep -q 'Warning: unknown field "spec.replicsa"'
  run k patch deploy web --type=merge -p '{"spec":{"selector":{"matchLabels":{"app":"x"}}}}'
  [ "$status" -eq 1 ]
  [[ $output == *"field is immutable"* ]]
  run k get nothing
  [ "$status" -eq 1 ]
  [[ $output == *"the server doesn't have a resource type \"nothing\""* ]]
  run k get deploy nope
  [ "$output" = 'Error from server (NotFound): deployments.apps "nope" not found' ]
  run k delete pod nope
  [ "$output" = 'Error from server (NotFound): pods "nope" not found' ]
}

@test "kubectl: apply --server-side, conflicts, from client-side and back" {
  cm() { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owned}\ndata: %s\n' "$1"; }
  owners() { k get cm owned -o json --show-managed-fields | jq -r '[.metadata.managedFields[] | "\(.manager) \(.operation)"] | sort | join(", ")'; }
  [ "$(cm '{a: "1", b: "1"}' | k apply --server-side -f -)" = "configmap/owned serverside-applied" ]
  [ "$(owners)" = "kubectl Apply" ]
  run k apply --server-side --field-manager=other -f <(cm '{a: "2"}')
  [ "$status" -eq 1 ]
  [[ $output == *'Apply failed with 1 conflict: conflict with "kubectl": .data.a'* ]]
  cm '{a: "2"}' | k apply --server-side --field-manager=other --force-conflicts -f -
  [ "$(owners)" = "kubectl Apply, other Apply" ]
  cm '{}' | k apply --server-side -f -
  [ "$(k get cm owned -o json | jq -c .data)" = '{"a":"2"}' ]
  [ "$(cm '{a: "2"}' | k apply --server-side --field-manager=other --dry-run=server -f -)" = "configmap/owned serverside-applied (server dry run)" ]
  k label cm owned l=m
  [ "$(owners)" = "kubectl Apply, kubectl-label Update, other Apply" ]
  k delete cm owned

  cm '{a: "1", b: "1"}' | k apply -f -
  [ "$(owners)" = "kubectl-client-side-apply Update" ]
  cm '{a: "2"}' | k apply --server-side -f - # takes over what it had applied, and drops b
  [ "$(k get cm owned -o json | jq -c .data)" = '{"a":"2"}' ]
  [ "$(owners)" = "kubectl Apply, kubectl-last-applied Apply" ]
  cm '{a: "2"}' | k apply -f - # writes the annotation in its own words
  [ "$(cm '{a: "2"}' | k apply -f -)" = "configmap/owned unchanged" ]
  run k diff --server-side -f <(cm '{a: "3"}')
  [ "$status" -eq 1 ]
}
