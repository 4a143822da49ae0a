# The control loops and kinds that are not built in: a store, the loops, and nothing else.
load ../helper

setup_file() {
  start_store
  loops_start
}

teardown_file() { stop_all; }

setup() { cd "$BATS_TEST_TMPDIR"; }

loops_start() {
  orch-reconcile -w namespace garbage resourcequota >>"$STORE.loops" 2>&1 3>&- &
  disown "$!"
  echo "$!" >"$STORE.loops.pid"
  echo "$!" >>"$BATS_FILE_TMPDIR/pids"
}

loops_end() { # [SIGNAL]
  local pid
  pid=$(cat "$STORE.loops.pid")
  kill "-${1:-TERM}" "$pid"
  wait_for 5 not kill -0 "$pid"
}

# definition PLURAL KIND [SCOPE]
definition() {
  cat <<END_OF_IT
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: $1.example.com}
spec:
  group: example.com
  scope: ${3:-Namespaced}
  names: {plural: $1, kind: $2}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
END_OF_IT
}

define() {
  definition "$@" | orch-apply
  orch-wait --for=condition=Established --timeout=10s "crd/$1.example.com"
}

# object APIVERSION KIND NAMESPACE NAME [METADATA]: on stdout; METADATA is more of it, as JSON members.
object() { printf '{"apiVersion": "%s", "kind": "%s", "metadata": {%s "name": "%s"%s}}\n' "$1" "$2" "${3:+\"namespace\": \"$3\", }" "$4" "${5:+, $5}"; }

# owned_by TARGET [MORE]: ownerReferences, for object.
owned_by() {
  orch-get "$1" ${NS:+-n "$NS"} -o jsonl | jq -c --argjson more "{${2:-}}" '[{apiVersion, kind, name: .metadata.name, uid: .metadata.uid} + $more]' | sed 's/^/"ownerReferences": /'
}

gone() { orch-wait --for=delete --timeout=10s "$@"; }

condition() { # TARGET TYPE: "status reason message"
  orch-get "$1" -o jsonl | jq -r --arg t "$2" '.status.conditions[]? | select(.type == $t) | "\(.status) \(.reason) \(.message)"'
}

# For wait_for: a condition.
holds() { eval "$1"; }

@test "a namespace goes with custom objects of a kind that is younger than the loops" {
  define widgets Widget
  object v1 Namespace "" plain | orch-apply
  for i in 1 2 3; do object example.com/v1 Widget plain "w$i"; done | orch-apply
  orch-delete namespace/plain
  gone namespace/plain
}

@test "custom objects with finalizers hold their namespace, which says so" {
  object v1 Namespace "" held | orch-apply
  object example.com/v1 Widget held kept '"finalizers": ["example.com/hold"]' | orch-apply
  object example.com/v1 Widget held free | orch-apply
  orch-delete --wait=false namespace/held
  gone -n held widget/free
  wait_for 10 holds '[[ $(condition namespace/held NamespaceContentRemaining) == *"has 1 resource instances" ]]'
  [ "$(condition namespace/held NamespaceContentRemaining)" = "True SomeResourcesRemain Some resources are remaining: widgets.example.com has 1 resource instances" ]
  [ "$(condition namespace/held NamespaceFinalizersRemaining)" = "True SomeFinalizersRemain Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances" ]
  [ "$(condition namespace/held NamespaceDeletionDiscoveryFailure)" = "False ResourcesDiscovered All resources successfully discovered" ]
  [ "$(condition namespace/held NamespaceDeletionContentFailure)" = "False ContentDeleted All content successfully deleted, may be waiting on finalization" ]
  orch-patch -n held widget/kept -p '{"metadata": {"finalizers": null}}'
  gone namespace/held
}

@test "a namespace is emptied by hand" {
  loops_end
  object v1 Namespace "" hand | orch-apply
  object example.com/v1 Widget hand one | orch-apply
  orch-delete --wait=false namespace/hand
  orch-observe namespace/hand | orch-reconcile namespace >plan
  [ "$(jq -r 'select(.action == "delete") | .object.kind' plan)" = Widget ]
  orch-act <plan
  orch-observe namespace/hand | orch-reconcile --exhaustive namespace >plan
  [ "$(jq -r 'select(.subresource == "finalize") | .empty' plan)" = hand ]
  # a late one, which the plan knows nothing of: it cannot come any more, but it can have been overlooked
  jq -c 'select(.subresource == "finalize") | .empty = "default"' plan >wrong
  object v1 ConfigMap default late | orch-apply
  run -3 orch-act <wrong
  [[ $output == *"namespace 'default' is not empty"* ]]
  orch-act <plan
  gone namespace/hand
  orch-delete configmap/late
  loops_start
}

@test "owners and what they own, built in and custom" {
  define shops Shop Cluster
  object v1 Namespace "" chain | orch-apply
  export NS=chain
  object example.com/v1 Widget chain top | orch-apply
  object v1 ConfigMap chain middle "$(owned_by widget/top)" | orch-apply
  object example.com/v1 Widget chain bottom "$(owned_by configmap/middle)" | orch-apply
  object v1 Secret chain leaf "$(owned_by widget/bottom)" | orch-apply
  NS='' object example.com/v1 Shop "" wide | orch-apply
  object v1 ConfigMap chain of-wide "$(NS='' owned_by shop/wide)" | orch-apply
  orch-delete -n chain widget/top
  gone -n chain configmap/middle widget/bottom secret/leaf
  orch-get -n chain configmap/of-wide
  orch-delete shop/wide
  gone -n chain configmap/of-wide
}

@test "what is owned across namespaces goes, and it is told why" {
  object v1 Namespace "" other | orch-apply
  NS=chain
  object example.com/v1 Widget chain far | orch-apply
  uid=$(orch-get -n chain widget/far -o jsonl | jq -r .metadata.uid)
  object v1 ConfigMap other lost "$(owned_by widget/far)" | orch-apply
  gone -n other configmap/lost
  orch-get -n chain widget/far
  wait_for 10 holds '[ -n "$(orch-get events -n other -o jsonl)" ]'
  [ "$(orch-get events -n other -o jsonl | jq -r '"\(.type) \(.reason) \(.message)"')" = \
    "Warning OwnerRefInvalidNamespace ownerRef [example.com/v1/Widget, namespace: other, name: far, uid: $uid] does not exist in namespace \"other\"" ]
}

@test "a custom owner is deleted in the foreground, and orphaning" {
  NS=chain
  for how in foreground orphan; do
    object example.com/v1 Widget chain "$how" | orch-apply
    object example.com/v1 Widget chain "$how-blocks" "$(owned_by "widget/$how" '"blockOwnerDeletion": true'), \"finalizers\": [\"example.com/hold\"]" | orch-apply
    object v1 ConfigMap chain "$how-plain" "$(owned_by "widget/$how")" | orch-apply
  done
  orch-delete -n chain --wait=false --cascade=foreground widget/foreground
  gone -n chain configmap/foreground-plain
  wait_for 10 holds '[ "$(orch-get -n chain widget/foreground-blocks -o jsonl | jq .metadata.deletionTimestamp)" != null ]'
  orch-get -n chain widget/foreground
  orch-patch -n chain widget/foreground-blocks -p '{"metadata": {"finalizers": null}}'
  gone -n chain widget/foreground widget/foreground-blocks
  orch-delete -n chain --cascade=orphan widget/orphan
  gone -n chain widget/orphan
  sleep 0.3
  [ "$(orch-get -n chain widget/orphan-blocks configmap/orphan-plain -o jsonl | jq -c '[.metadata.ownerReferences, .metadata.deletionTimestamp]' | sort -u)" = '[null,null]' ]
  orch-patch -n chain widget/orphan-blocks -p '{"metadata": {"finalizers": null}}'
}

@test "a definition goes while its objects own others and wait for a finalizer" {
  define gates Gate
  NS=chain
  object example.com/v1 Gate chain shut '"finalizers": ["example.com/hold"]' | orch-apply
  object example.com/v1 Gate chain open | orch-apply
  for g in shut open; do
    object v1 ConfigMap chain "of-$g" "$(owned_by "gate/$g")" | orch-apply
    object v1 Pod chain "of-$g" "$(owned_by "gate/$g")" | jq -c '.spec.containers = [{name: "a", image: "a"}]' | orch-apply
  done
  orch-delete --wait=false crd/gates.example.com
  gone -n chain gate/open configmap/of-open pod/of-open
  [ "$(condition crd/gates.example.com Terminating)" = "True InstanceDeletionInProgress CustomResource deletion is in progress" ]
  orch-get -n chain configmap/of-shut pod/of-shut
  definition gates Gate | orch-apply # a change of what ends is taken, and changes nothing about that
  orch-patch -n chain gate/shut -p '{"metadata": {"finalizers": null}}'
  gone crd/gates.example.com
  gone -n chain configmap/of-shut pod/of-shut
}

@test "a kind that comes back is seen again, and its namespace ends" {
  for n in 1 2 3; do
    define gates Gate
    object v1 Namespace "" "again-$n" | orch-apply
    object example.com/v1 Gate "again-$n" one | orch-apply
    object v1 ConfigMap "again-$n" one "$(NS=again-$n owned_by gate/one)" | orch-apply
    orch-delete -n "again-$n" gate/one
    gone -n "again-$n" configmap/one
    orch-delete crd/gates.example.com
    gone crd/gates.example.com
    orch-delete "namespace/again-$n"
    gone "namespace/again-$n"
  done
}

@test "the number of custom objects is a quota's" {
  object v1 Namespace "" counted | orch-apply
  object example.com/v1 Widget counted before | orch-apply
  object v1 ResourceQuota counted q | jq -c '.spec.hard = {"count/widgets.example.com": "2"}' | orch-apply
  wait_for 10 holds '[ "$(orch-get -n counted resourcequota/q -o jsonl | jq -r ".status.used[]?")" = 1 ]'
  object example.com/v1 Widget counted second | orch-apply
  orch-delete -n counted widget/before
  wait_for 10 holds '[ "$(orch-get -n counted resourcequota/q -o jsonl | jq -r ".status.used[]?")" = 1 ]'
}

# The second store is an extension server of the first one.
extension_start() {
  local pki=$STORE/pki
  mkdir -p "$STORE.ext"
  background orch-store --data "$STORE.ext" --listen "127.0.0.1:${EXTENSION_PORT:-0}" --socket "$STORE.ext/socket" \
    --requestheader-client-ca-file="$pki/front-proxy-ca.crt" --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --proxy-client-cert-file="$pki/front-proxy-client.crt" --proxy-client-key-file="$pki/front-proxy-client.key"
  echo "$!" >"$STORE.ext.pid"
  wait_for 10 orch-api -s "unix:$STORE.ext/socket" -q /readyz
  EXTENSION_PORT=$(sed -n 's|.*https://127.0.0.1:||p' "$STORE.ext/admin.kubeconfig")
}

@test "kinds of an extension server are kinds like others; while it is away, it holds back what it could have" {
  extension_start
  orch-apply <<END_OF_IT
{apiVersion: v1, kind: Namespace, metadata: {name: extended}}
---
{apiVersion: v1, kind: Service, metadata: {name: ext, namespace: default}, spec: {type: ExternalName, externalName: localhost}}
---
{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.ext.example.org}, spec: {group: ext.example.org, version: v1,
  groupPriorityMinimum: 1000, versionPriority: 10, insecureSkipTLSVerify: true, service: {namespace: default, name: ext, port: $EXTENSION_PORT}}}
END_OF_IT
  object v1 Namespace "" extended | orch-apply -s "unix:$STORE.ext/socket"
  definition parts Part | sed 's/example.com/ext.example.org/' | orch-apply -s "unix:$STORE.ext/socket"
  orch-wait --for=condition=Available --timeout=30s apiservice/v1.ext.example.org
  wait_for 10 orch-get -A parts
  NS=extended
  object ext.example.org/v1 Part extended owner | orch-apply
  object v1 ConfigMap extended owned "$(owned_by part/owner)" | orch-apply
  object v1 ConfigMap extended dangling "$(owned_by part/owner | sed 's/"uid": *"[^"]*"/"uid":"none"/')" | orch-apply
  gone -n extended configmap/dangling # it is known that there is no such part
  kill "$(cat "$STORE.ext.pid")"
  wait_for 5 not kill -0 "$(cat "$STORE.ext.pid")"
  wait_for 60 holds '[[ $(orch-api -H "Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" /apis | jq -r ".items[] | select(.metadata.name == \"ext.example.org\").versions[0].freshness") == Stale ]]'
  sleep 0.5
  object v1 ConfigMap extended unknown "$(orch-get -n extended configmap/owned -o jsonl | jq -c '.metadata.ownerReferences | .[0].uid = "none"' | sed 's/^/"ownerReferences": /')" | orch-apply
  object v1 ConfigMap extended plain | orch-apply
  orch-delete --wait=false namespace/extended
  gone -n extended configmap/plain # the rest goes all the same
  wait_for 10 holds '[[ $(condition namespace/extended NamespaceDeletionDiscoveryFailure) == "True DiscoveryFailed Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: ext.example.org/v1: stale GroupVersion discovery: ext.example.org/v1" ]]'
  orch-get namespace/extended
  extension_start
  orch-wait --for=delete --timeout=90s namespace/extended
  [ -z "$(orch-get -n extended parts -o jsonl)" ]
  orch-delete apiservice/v1.ext.example.org
}

@test "loops that are killed over and over empty a namespace all the same" {
  object v1 Namespace "" killed | orch-apply
  NS=killed
  for i in $(seq 60); do object example.com/v1 Widget killed "w$i"; done | orch-apply
  for i in $(seq 60); do object v1 ConfigMap killed "c$i" "$(owned_by widget/w1)"; done | orch-apply
  orch-delete --wait=false namespace/killed
  for _ in 1 2 3 4 5; do
    sleep 0.03
    loops_end KILL
    loops_start
  done
  gone namespace/killed
  [ -z "$(orch-get widgets -n killed -o jsonl)" ]
}

@test "kinds that go leave no complaints behind" {
  sleep 1
  ! grep -E 'cannot watch|cannot reach|trying again' "$STORE.loops" | grep -v 'cannot watch parts\|ext.example.org'
  [ "$(grep -c 'cannot watch parts' "$STORE.loops")" -le 2 ] # its server was away
}
