# kubectl 1.20, Debian's own: clients that are years older than the server work as well.
load ../helper
load clients

setup_file() {
  old_fetch >"$BATS_FILE_TMPDIR/why" || return 0
  start_store
  export PATH=$CLIENTS/old:$PATH
}

teardown_file() {
  stop_all
}

setup() {
  cd "$BATS_TEST_TMPDIR"
  clients_or_skip
}

k() { timeout 30 kubectl "$@" 3>&-; }

@test "kubectl 1.20: version, api-resources, explain" {
  [[ "$(k version --short)" == *"Client Version: v1.20"*"Server Version: v1.36"* ]]
  k api-resources >out
  grep -Eq '^deployments +deploy +apps/v1 +true +Deployment$' out
  k api-versions | grep -qx batch/v1
  [[ "$(k explain deployment.spec.replicas)" == *"replicas"*"<integer>"* ]] # by OpenAPI v2, in protobuf
  [[ "$(k explain pods --recursive)" == *"terminationGracePeriodSeconds"* ]]
  [[ "$(k auth can-i '*' '*')" == *yes* ]]
}

@test "kubectl 1.20: create makes what it knows" {
  k create namespace n
  k create -n n configmap c --from-literal=x=y
  k create -n n secret generic s --from-literal=x=y
  k create -n n serviceaccount robot
  k create -n n deployment d --image=i --replicas=2
  k create -n n service clusterip d --tcp=80:80
  k create -n n job j --image=i -- true
  k create -n n role r --verb=get --resource=pods
  k create -n n rolebinding rb --role=r --user=me
  k create -n n quota q --hard=pods=30
  k create -n n ingress i --rule="example.com/*=d:80"
  k create -n n priorityclass pc --value=10
  k run -n n pod --image=i
  k expose -n n pod pod --port=80
  [ "$(k get -n n configmap c -o jsonpath='{.data.x}')" = y ]
  [[ "$(k get -n n all)" == *"pod/pod"*"service/d"*"deployment.apps/d"* ]]
  [[ "$(k get -n n all)" == *"job.batch/j"* ]]
  [[ "$(k describe -n n deploy d)" == *"Replicas:"*"2 desired"* ]]
  [[ "$(k describe -n n pod pod)" == *"Image:"* ]]
  run k create -n n configmap c --from-literal=x=y
  [ "$status" -eq 1 ]
  [[ $output == *'configmaps "c" already exists'* ]]
  k delete priorityclass pc
}

@test "kubectl 1.20: apply, diff, edit, patch, label, scale, set, delete" {
  deployment web 2 >web.yaml
  [ "$(k apply -f web.yaml)" = "deployment.apps/web created" ]
  [ "$(k apply -f web.yaml)" = "deployment.apps/web unchanged" ]
  deployment web 3 >new.yaml
  run k diff -f new.yaml
  [ "$status" -eq 1 ]
  [[ $output == *"-  replicas: 2"*"+  replicas: 3"* ]]
  [ "$(k apply -f new.yaml)" = "deployment.apps/web configured" ]
  k label deploy web tier=front
  k annotate deploy web why=because
  [ "$(k get deploy -l tier=front -o name)" = deployment.apps/web ]
  k scale deploy web --replicas=1
  k set image deploy/web main=web:2
  k set env deploy/web A=b
  k patch deploy web --type=json -p '[{"op":"replace","path":"/spec/replicas","value":4}]'
  k patch deploy web -p '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"}]}}}}'
  EDITOR="sed -i s/replicas:.*/replicas:\ 5/" k edit deploy web
  [ "$(k get deploy web -o jsonpath='{.spec.replicas} {.spec.template.spec.containers[*].name}')" = "5 side main" ]
  k get deploy web -o wide | grep -Eq 'READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS'
  k apply --server-side --force-conflicts -f web.yaml
  [ "$(k get deploy web -o jsonpath='{.spec.replicas}')" = 2 ]
  k rollout restart deploy/web
  k get deploy web -o yaml | sed 's/web:1/web:4/' | k replace -f -
  k delete -f web.yaml --cascade=background
  run k get deploy web
  [ "$status" -eq 1 ]
  [[ $output == *'deployments.apps "web" not found'* ]]
  sed 's/replicas:/replicsa:/' web.yaml >bad.yaml
  run k apply -f bad.yaml # its own check, by OpenAPI v2
  [ "$status" -eq 1 ]
  [[ $output == *'unknown field "replicsa" in io.k8s.api.apps.v1.DeploymentSpec'* ]]
}

@test "kubectl 1.20: a watch, and waiting" {
  timeout 20 kubectl get configmaps -l w=1 --watch --output-watch-events --no-headers >seen 3>&- &
  pid=$!
  sleep 0.5
  k create configmap w --from-literal=a=b --dry-run=client -o yaml | k label --local -f - w=1 -o yaml | k create -f -
  k patch configmap w -p '{"data":{"c":"d"}}'
  (sleep 1; k delete configmap w) &
  k wait --for=delete configmap/w --timeout=10s
  wait_for 5 grep -q DELETED seen
  kill "$pid" && wait "$pid" || :
  [ "$(awk '{print $1, $2, $3}' seen)" = "$(printf 'ADDED w 1\nMODIFIED w 2\nDELETED w 2')" ]
}
