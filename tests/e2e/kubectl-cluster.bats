# kubectl, unmodified: nodes, who may do what, certificates, events, and what needs a node when there is none.
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
  cd "$BATS_TEST_TMPDIR"
  clients_or_skip
}

k() { timeout 30 kubectl "$@" 3>&-; }

# fails WORDS COMMAND...: it must fail, and say so
fails() {
  local words=$1
  shift
  run "$@"
  [ "$status" -ne 0 ] && [[ $output == *"$words"* ]] || { echo "$status: $output"; return 1; }
}

# eventually COMMAND...: it succeeds within ten seconds
eventually() {
  for _ in $(seq 100); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  "$@"
}

node() { echo '{"apiVersion":"v1","kind":"Node","metadata":{"name":"'"$1"'"},"status":{"capacity":{"memory":"1Gi"}}}'; }
on_node() { # NAME NODE [LABEL]: a pod that is already there
  echo '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"'"$1"'","labels":{"a":"'"${3:-x}"'"}},"spec":{"terminationGracePeriodSeconds":0,"nodeName":"'"$2"'","containers":[{"name":"c","image":"i"}]}}'
}

@test "kubectl: label, taint, cordon and drain nodes" {
  node n1 | k create -f -
  k label node n1 disk=ssd
  k taint node n1 dedicated=a:PreferNoSchedule
  [ "$(k get node n1 -o json | jq -r '.spec.taints[] | select(.key == "dedicated") | "\(.value) \(.effect)"')" = "a PreferNoSchedule" ]
  k taint node n1 dedicated-
  k cordon n1
  [ "$(k get node n1 -o jsonpath='{.spec.unschedulable}')" = true ]
  [[ "$(k get nodes)" == *"NotReady,SchedulingDisabled"* || "$(k get nodes)" == *"Unknown,SchedulingDisabled"* ]]
  k uncordon n1
  on_node free n1 | k create -f -
  on_node kept n1 kept | k create -f -
  k create pdb kept --selector=a=kept --min-available=1
  k patch pdb kept --subresource=status --type=merge -p '{"status":{"observedGeneration":1,"disruptionsAllowed":0,"currentHealthy":1,"desiredHealthy":1,"expectedPods":1}}'
  k patch pod kept --subresource=status --type=merge -p '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}'
  k drain n1 --force --dry-run=client >out
  grep -q "evicting pod default/free" out
  # what the budget protects is not evicted: the drain goes on trying
  fails "Cannot evict pod as it would violate the pod's disruption budget" \
    k drain n1 --force --pod-selector=a=kept --timeout=2s
  k get pod kept
  k delete pdb kept
  k drain n1 --force >out 2>&1
  grep -q 'node/n1 drained' out
  k describe node n1 | grep -q 'Unschedulable: *true'
  k delete pod --all --force --grace-period=0
  k delete node n1
}

@test "kubectl: who am I, what may I, and as somebody else" {
  [ "$(k auth can-i create deployments.apps -n kube-system)" = yes ]
  [ "$(k auth can-i get pods --subresource=log)" = yes ]
  [ "$(k auth can-i '*' '*')" = yes ]
  [ "$(k auth can-i get /readyz)" = yes ]
  [ "$(k auth whoami -o json | jq -r .kind)" = SelfSubjectReview ]
  fails no k auth can-i delete nodes --as=joe
  [[ "$(k auth whoami --as=joe --as-group=a --as-group=b)" == *joe*"[a b system:authenticated]"* ]]
  fails 'User "joe" cannot list resource "pods" in API group "" in the namespace "default"' k get pods --as=joe
  k get pods --as=joe --as-group=system:masters
  printf 'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: default, labels: {t: r}}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}\n' >role.yaml
  k auth reconcile -f role.yaml
  k auth reconcile -f role.yaml --remove-extra-permissions
  k delete role -l t=r
  k create serviceaccount robot
  token=$(k create token robot --duration=10m)
  [ "$(k auth whoami --token="$token" --client-certificate= --client-key= -o jsonpath='{.status.userInfo.username}' --kubeconfig <(bare))" = \
    system:serviceaccount:default:robot ]
  fails 'serviceaccounts "nobody" not found' k create token nobody
}

# The kubeconfig without its certificate of an administrator.
bare() {
  kubectl config view --raw -o json 3>&- | jq 'del(.users[].user["client-certificate-data"], .users[].user["client-key-data"])'
}

@test "kubectl: certificates are asked for, approved and denied" {
  request=$(openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null -subj /CN=joe 2>/dev/null | base64 -w0)
  for name in yes no; do
    echo '{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":"'"$name"'"},"spec":{"request":"'"$request"'","signerName":"example.com/x","usages":["client auth"]}}' | k create -f -
  done
  [[ "$(k get csr)" == *yes*example.com/x*Pending* ]]
  k certificate approve yes
  k certificate deny no
  [ "$(k get csr -o jsonpath='{.items[*].status.conditions[*].type}')" = "Denied Approved" ]
  k describe csr yes | grep -q 'Requesting User: *'
  k delete csr yes no
}

@test "kubectl: events, by what they are about and of which type" {
  k create deployment e --image=i
  told() { k events --for=deployment/e | grep -q ScalingReplicaSet; }
  eventually told
  [[ "$(k events --for=deployment/e)" == *Normal*ScalingReplicaSet*Deployment/e* ]]
  [[ "$(k get events --field-selector involvedObject.kind=Deployment,reason=ScalingReplicaSet -o wide)" == *deployment/e* ]]
  [[ "$(k events -A --types=Normal --no-headers)" == *SuccessfulCreate* ]]
  k get events --sort-by=.lastTimestamp >/dev/null
  [[ "$(k get events.v1.events.k8s.io -o jsonpath='{.items[*].regarding.kind}')" == *Deployment* ]]
  k delete deploy e
}

@test "kubectl: what needs a node says clearly that there is none" {
  k run p --image=i
  eventually k get pod p
  fails 'pod p does not have a host assigned' k exec p -- true
  fails 'pod p does not have a host assigned' k attach p
  fails 'pod p does not have a host assigned' k cp "$BATS_TEST_FILENAME" p:/x
  fails 'pod is not running. Current status=Pending' k port-forward p 0:80
  [ -z "$(k logs p)" ]
  fails 'container nope is not valid for pod p' k logs p -c nope
  fails 'pods "nope" not found' k logs nope
  fails 'pods "nope" not found' k exec nope -- true
  eventually fails 'metrics not available yet' k top pods
  k debug p --image=busybox -c look --attach=false --profile=general
  [ "$(k get pod p -o jsonpath='{.spec.ephemeralContainers[*].name}')" = look ]
  k debug p --copy-to=copy --image=busybox --attach=false --profile=general
  k delete pod p copy --now
}

@test "kubectl: proxy, raw requests, cluster-info, explain of everything" {
  timeout 20 kubectl proxy --port=0 >proxy 3>&- &
  pid=$!
  eventually grep -q 'Starting to serve' proxy
  url=http://$(sed -n 's/.*on //p' proxy)
  [ "$(curl -s "$url/readyz")" = ok ]
  [ "$(curl -s "$url/api/v1/namespaces/default" | jq -r .metadata.name)" = default ]
  kill "$pid"
  k get --raw /apis/apps/v1 | jq -e '.resources[] | select(.name == "deployments")'
  echo '{"metadata":{"name":"raw"}}' | k create --raw /api/v1/namespaces/default/configmaps -f -
  echo '{"metadata":{"name":"raw"},"data":{"a":"b"}}' | k replace --raw /api/v1/namespaces/default/configmaps/raw -f - | jq -e '.data.a == "b"'
  k delete --raw /api/v1/namespaces/default/configmaps/raw
  fails 'the object provided is unrecognized (must be of type Namespace)' k create --raw /api/v1/namespaces -f <(echo 'kind: Pod')
  k cluster-info dump --output-directory=dump >/dev/null
  jq -e '.kind == "PodList"' dump/default/pods.json
  for kind in $(k api-resources -o name | grep -ve events.k8s.io -e metrics.k8s.io); do
    k explain "$kind" >/dev/null
  done
  k explain pods.spec.containers.resources.limits | grep -q 'FIELD: limits'
  fails 'field "nothing" does not exist' k explain pods.spec.nothing
}
