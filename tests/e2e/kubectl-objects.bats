# kubectl, unmodified: every kind of object, and every way to look at them, change them and let them go.
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
  kubectl config set-context --current --namespace= 3>&-
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

# count_is N WHAT...: so many there are; for eventually
count_is() { [ "$(k get "${@:2}" -o name | wc -l)" -eq "$1" ]; }
# field_is WANT WHAT... PATH
field_is() { [ "$(k get "${@:2:$#-2}" -o jsonpath="${*: -1}")" = "$1" ]; }

# One of everything that makes up an application, and what belongs to it.
everything() {
  cat <<'END'
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: config}, data: {a: "1"}, binaryData: {b: AAE=}}
---
{apiVersion: v1, kind: Secret, metadata: {name: key}, stringData: {k: v}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: single, labels: {app: single}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: ReplicationController, metadata: {name: old}, spec: {replicas: 0, selector: {app: old}, template: {metadata: {labels: {app: old}}, spec: {containers: [{name: c, image: i}]}}}}
---
{apiVersion: v1, kind: PodTemplate, metadata: {name: form}, template: {spec: {containers: [{name: c, image: i}]}}}
---
{apiVersion: v1, kind: PersistentVolume, metadata: {name: disk}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /tmp/x}, storageClassName: slow}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: claim}, spec: {accessModes: [ReadWriteOnce], storageClassName: slow, resources: {requests: {storage: 1Gi}}}}
---
{apiVersion: v1, kind: LimitRange, metadata: {name: limits}, spec: {limits: [{type: Container, defaultRequest: {cpu: 10m}}]}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: quota}, spec: {hard: {pods: "50"}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}}}}
---
{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: set}, spec: {replicas: 1, selector: {matchLabels: {app: set}}, template: {metadata: {labels: {app: set}}, spec: {containers: [{name: c, image: i}]}}}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent}, spec: {selector: {matchLabels: {app: agent}}, template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: c, image: i}]}}}}
---
{apiVersion: batch/v1, kind: Job, metadata: {name: once}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: often}, spec: {schedule: "*/5 * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}}}
---
{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]}}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web}, spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web}, spec: {rules: [{host: a.b, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: closed}, spec: {podSelector: {}, policyTypes: [Ingress]}}
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: edge}, spec: {controller: x.y/z}}
---
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: slow}, provisioner: x.y/z}
---
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 1000}
---
{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: boxed}, handler: boxed}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: reader}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}, subjects: [{kind: ServiceAccount, name: robot}]}
---
{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: lock}, spec: {holderIdentity: me, leaseDurationSeconds: 10}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: extra, labels: {kubernetes.io/service-name: web}}, addressType: IPv4, endpoints: [{addresses: [10.1.2.3]}], ports: [{port: 80}]}
END
}

@test "kubectl: one of everything is created, shown, described, applied again and deleted" {
  k create namespace all
  k config set-context --current --namespace=all
  everything >all.yaml
  [ "$(k apply -f all.yaml | grep -c created)" -eq 29 ]
  k apply -f all.yaml >out # all the same, but kubectl sends what it cannot merge again
  [ "$(grep -v unchanged out)" = 'secret/key configured
statefulset.apps/db configured
poddisruptionbudget.policy/web configured
endpointslice.discovery.k8s.io/extra configured' ]
  k diff -f all.yaml
  k apply --server-side --force-conflicts -f all.yaml
  [ "$(k get -f all.yaml -o name | wc -l)" -eq 29 ]
  k get -f all.yaml -o wide
  k describe -f all.yaml >described
  grep -q 'Selector: *app=web' described
  grep -q 'StorageClass: *slow' described
  eventually field_is 2 deploy web '{.status.replicas}'
  k get all >out
  for name in pod/single service/web daemonset.apps/agent deployment.apps/web replicaset.apps/set statefulset.apps/db \
    horizontalpodautoscaler.autoscaling/web job.batch/once cronjob.batch/often replicationcontroller/old; do
    grep -q "^$name " out
  done
  [[ "$(k get all -A)" == *"service/kubernetes"* ]]
  k replace -f <(k get cm config -o yaml | sed 's/a: "1"/a: "2"/')
  [ "$(k get cm config -o jsonpath='{.data.a}')" = 2 ]
  k label -f all.yaml seen=yes --overwrite >/dev/null
  [ "$(k get sts,ds,jobs,cj -l seen=yes -o name | wc -l)" -eq 4 ]
  k delete -f all.yaml --wait=false --grace-period=0 >/dev/null
  k config set-context --current --namespace=
  k delete namespace all --timeout=25s
}

@test "kubectl: each form of output" {
  k create configmap form --from-literal=a=1 --from-literal=b=2
  k label cm form tier=x
  [ "$(k get cm form -o json | jq -r .data.b)" = 2 ]
  k get cm form -o yaml | grep -q '^  a: "1"$'
  k get cm form -o kyaml | grep -q 'a: "1",'
  [ "$(k get cm form -o name)" = configmap/form ]
  [ "$(k get cm form -o jsonpath='{.data.a}{"\n"}{.metadata.name}')" = $'1\nform' ]
  echo '{.data.b}' >path
  [ "$(k get cm form -o jsonpath-file=path)" = 2 ]
  [ "$(k get cm form -o jsonpath-as-json='{.data}' | jq -c .)" = '[{"a":"1","b":"2"}]' ]
  [ "$(k get cm form -o go-template='{{range $k, $v := .data}}{{$k}}={{$v}};{{end}}')" = "a=1;b=2;" ]
  [ "$(k get cm -l tier=x -o custom-columns=N:.metadata.name,A:.data.a --no-headers | tr -s ' ')" = "form 1" ]
  [[ "$(k get cm form -L tier)" == *TIER*form*x* ]]
  [[ "$(k get cm form --show-labels)" == *tier=x* ]]
  [[ "$(k get cm form --show-kind --no-headers)" == configmap/form* ]]
  [[ "$(k get cm,sa -l tier=x)" == *configmap/form* ]]
  [ "$(k get cm --field-selector metadata.name=form -o name)" = configmap/form ]
  [[ "$(k get cm -A --chunk-size=1 --no-headers)" == *form* ]]
  k get cm form -o json --show-managed-fields | jq -e '.metadata.managedFields | length > 0'
  k get cm form -o json | jq -e '.metadata.managedFields == null'
  k get --raw /api/v1/namespaces/default/configmaps/form | jq -e '.kind == "ConfigMap"'
  [ "$(k get pods 2>&1)" = "No resources found in default namespace." ]
  fails 'field label not supported: spec.nothing' k get pods --field-selector spec.nothing=1
  fails "the server doesn't have a resource type" k get nonsense
  k delete cm form
}

@test "kubectl: edit, also a status; replace --force; set what can be set" {
  k create deployment d --image=i:1 --replicas=0
  EDITOR="sed -i s/replicas:.*/replicas:\ 1/" k edit deploy d
  [ "$(k get deploy d -o jsonpath='{.spec.replicas}')" = 1 ]
  [[ "$(EDITOR=cat k edit deploy d 2>&1)" == *"Edit cancelled, no changes made"* ]]
  EDITOR="sed -i s/replicas:.*/replicas:\ x/" run k edit deploy d
  [ "$status" -ne 0 ]
  k set image deploy/d '*=i:2'
  k set env deploy/d A=1
  k create configmap from --from-literal=b=2
  k set env deploy/d --from=configmap/from
  k set resources deploy/d --requests=cpu=10m
  k set serviceaccount deploy/d robot
  [ "$(k get deploy d -o json | jq -c '.spec.template.spec | [.serviceAccountName, .containers[0].image, (.containers[0].env | length), .containers[0].resources.requests.cpu]')" = '["robot","i:2",2,"10m"]' ]
  k create service clusterip s --tcp=80:80
  k set selector service s a=b
  [ "$(k get service s -o jsonpath='{.spec.selector}')" = '{"a":"b"}' ]
  ip=$(k get service s -o jsonpath='{.spec.clusterIP}')
  fails 'may not change once set' k patch service s -p '{"spec":{"clusterIP":"10.96.77.77","clusterIPs":["10.96.77.77"]}}'
  k get service s -o json | jq '.metadata.labels.x = "y"' | k replace -f -
  k get service s -o json | jq 'del(.metadata.resourceVersion) | .spec.ports[0].port = 81' | k replace --force -f -
  [ "$(k get service s -o jsonpath='{.spec.ports[0].port} {.spec.clusterIP}')" = "81 $ip" ]
  k delete deploy/d cm/from service/s
}

@test "kubectl: delete by name, label and all; cascades, finalizers, waiting" {
  for i in 1 2 3 4; do k create configmap "c$i"; done
  k label cm c1 c2 gone=yes
  [ "$(k delete cm -l gone=yes --dry-run=server | grep -c 'server dry run')" -eq 2 ]
  k delete cm -l gone=yes
  k delete cm c3 --ignore-not-found
  k delete cm c3 --ignore-not-found
  fails 'configmaps "c3" not found' k delete cm c3
  k patch cm c4 -p '{"metadata":{"finalizers":["x.y/z"]}}'
  k delete cm c4 --wait=false
  [ -n "$(k get cm c4 -o jsonpath='{.metadata.deletionTimestamp}')" ]
  fails 'timed out waiting' k wait --for=delete cm/c4 --timeout=1s
  k patch cm c4 --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]'
  k wait --for=delete cm/c4 --timeout=5s

  k create deployment d --image=i --replicas=2
  eventually count_is 2 pods -l app=d
  k delete deploy d --cascade=orphan
  [ "$(k get rs -l app=d -o name | wc -l)" -eq 1 ]
  k delete rs -l app=d --cascade=background
  eventually count_is 0 pods -l app=d
  k create deployment d --image=i --replicas=2
  eventually count_is 2 pods -l app=d
  k delete deploy d --cascade=foreground --timeout=20s
  [ -z "$(k get rs,pods -l app=d -o name)" ]
  k run p --image=i
  k delete pod p --now
  k run p --image=i
  k delete pod p --force --grace-period=0
  (sleep 1; k create configmap late) &
  k wait --for=create configmap/late --timeout=10s
  k delete cm late
}

@test "kubectl: prune by label and by applyset, kustomize, several files at once" {
  k create namespace prune
  cm() { printf -- '---\n{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"%s","namespace":"prune","labels":{"group":"g"}}}\n' "$@"; }
  cm a b | k apply -l group=g -f -
  cm b c | k apply --prune -l group=g --prune-allowlist=core/v1/ConfigMap -f - >out
  grep -q 'configmap/a pruned' out
  fails 'configmaps "a" not found' k get cm a -n prune
  cm d e | KUBECTL_APPLYSET=true k apply --server-side --prune --applyset=set -n prune -f -
  cm e | KUBECTL_APPLYSET=true k apply --server-side --prune --applyset=set -n prune -f - >out
  grep -q 'configmap/d pruned' out
  mkdir kustom
  cm f >kustom/f.yaml
  printf 'namePrefix: pre-\nresources: [f.yaml]\n' >kustom/kustomization.yaml
  k apply -k kustom
  [ "$(k get -k kustom -o name)" = configmap/pre-f ]
  k diff -k kustom
  k delete -k kustom
  mkdir many
  cm g >many/g.yaml
  echo '{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "H"}}' >many/h.json
  fails 'ConfigMap "H" is invalid' k apply -R -f many
  k get cm g -n prune
  k delete namespace prune --timeout=20s
}
