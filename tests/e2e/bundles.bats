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

@test "bundles: orch-validate refuses the same, with the definitions in the stream" {
  for bundle in $BUNDLES; do
    { cat "$bundle/crds.yaml"; echo ---; cat "$bundle/objects.yaml"; } | orch-parse >all
    [ "$(orch-validate <all | wc -l)" -eq "$(wc -l <all)" ]
    run --separate-stderr bash -c "orch-validate --crds $bundle/crds.yaml <$bundle/invalid.yaml"
    [ "$status" -ne 0 ]
    [ -z "$output" ]
    # every cause is told, but for the note that others were not looked for
    sed -n 's/^# refused: //p' "$bundle/invalid.yaml" | grep -v 'some validation rules were not checked' | while IFS= read -r cause; do
      [[ $stderr == *"$cause"* ]] || { echo "not told: $cause"; echo "$stderr"; exit 1; }
    done
  done
}

# row NAME COMMAND...: the cells of the row that begins with it, one space between.
row() { "${@:2}" | awk -v name="$1" '$1 == name { $1 = $1; print }'; }

@test "certs: columns, conditions, the status, selectors, categories" {
  installed certs
  [ "$(k get certs -n certs | head -n 1 | xargs)" = "NAME READY SECRET ENDS AGE" ]
  [ "$(k get certs -n certs -o wide | head -n 1 | xargs)" = "NAME READY SECRET ISSUER STATUS ENDS AGE" ]
  [[ "$(row root k get cert -n certs --no-headers -o wide)" == "root root public "* ]]
  since=$(date -u -d '-3 hours' +%Y-%m-%dT%H:%M:%SZ)
  k patch cert web -n certs --subresource=status --type=merge -p '{"status":{"notAfter":"'"$since"'","revision":2,"conditions":
    [{"type":"Issuing","status":"False"},{"type":"Ready","status":"True","message":"all is well"}]},"spec":{"secretName":"other"}}'
  [[ "$(row web k get cert -n certs -o wide)" == "web True web-tls own all is well 3h"* ]]
  k wait --for=condition=Ready cert/web -n certs --timeout=5s
  run k wait --for=condition=Issuing cert/web -n certs --timeout=1s
  [ "$status" -eq 1 ]
  [ "$(k get cert web -n certs -o jsonpath='{.metadata.generation}')" = 1 ]
  run k patch cert web -n certs --subresource=status --type=json -p '[{"op":"replace","path":"/status/revision","value":1}]'
  [[ $output == *"status.revision: Invalid value: revisions do not go back" ]]
  run k patch cert web -n certs --subresource=status --type=merge -p '{"status":{"conditions":[{"type":"A","status":"Maybe","reason":"-"}]}}'
  [[ $output == *'status.conditions[0].reason: Invalid value: "-": '*'status.conditions[0].status: Unsupported value: "Maybe": '* ]]
  [ "$(k get certs -A --field-selector spec.issuerRef.kind=ClusterIssuer -o name)" = certificate.certs.example.org/root ]
  [ "$(k get certs -A --field-selector spec.issuerRef.kind!=ClusterIssuer,metadata.name=web -o name)" = certificate.certs.example.org/web ]
  run k get certs -A --field-selector spec.secretName=web-tls
  [[ $output == *"field label not supported: spec.secretName"* ]]
  [ "$(k get challenges -A --field-selector status.presented=false,spec.type=HTTP-01 -o name | wc -l)" -eq 1 ]
  [ "$(k get pki -A -o name | wc -l)" -eq 8 ]
  [ "$(k get all -n certs -o name | sort | xargs)" = "certificate.certs.example.org/root certificate.certs.example.org/web" ]
  k explain cert.spec.privateKey | grep -q 'enum: RSA, ECDSA, Ed25519'
  k explain issuer.spec.acme.solvers.http.ingress.podTemplate.spec --recursive | grep -q seccompProfile
}

@test "certs: patches, and rules about what was there" {
  installed certs
  p() { k patch "$1" -n certs --type="$2" -p "$3"; }
  p cert/web merge '{"spec":{"dnsNames":["web.example.org"],"subject":null,"privateKey":{"algorithm":"Ed25519","size":null}}}'
  [ "$(k get cert web -n certs -o json | jq -c '[.spec.dnsNames, .spec.subject, .spec.privateKey]')" = \
    '[["web.example.org"],null,{"algorithm":"Ed25519","encoding":"PKCS1","rotationPolicy":"Always"}]' ]
  p cert/web json '[{"op":"test","path":"/spec/secretName","value":"web-tls"},{"op":"add","path":"/spec/dnsNames/-","value":"b.example.org"}]'
  run p cert/web strategic '{"spec":{"isCA":false}}'
  [ "$status" -eq 1 ]
  [[ $output == *"application/strategic-merge-patch+json is not supported by certs.example.org/v1"* ]]
  run p cert/web merge '{"spec":{"secretName":"other"}}'
  [[ $output == *"spec.secretName: Forbidden: the Secret cannot be another" ]]
  run p cert/web merge '{"spec":{"dnsnames":[]}}'
  [[ $output == *'unknown field "spec.dnsnames"'* ]]
  run p crs/web-1 merge '{"spec":{"username":"jane"}}'
  [[ $output == *"spec: Invalid value: a request is never changed" ]]
  run p challenge/web-1-1 json '[{"op":"replace","path":"/spec/solver/http/gateway/parentRefs/0/namespace","value":"other"}]'
  [[ $output == *"spec: Invalid value: a challenge is never changed" ]]
  p challenge/web-1-1 merge '{"metadata":{"labels":{"a":"b"}}}'
  k patch crs web-1 -n certs --subresource=status --type=merge -p '{"status":{"conditions":[{"type":"Denied","status":"True"}]}}'
  run k patch crs web-1 -n certs --subresource=status --type=merge -p '{"status":{"conditions":[{"type":"Approved","status":"True"}]}}'
  [[ $output == *"status.conditions: Invalid value: what was denied stays denied" ]]
}

@test "gateways: versions, watches, scale and rules of lists" {
  installed gateways
  run k get gateways.v1beta1.gateways.example.net front -n gateways -o jsonpath='{.apiVersion}'
  [[ $output == *"Warning: gateways.example.net/v1beta1 Gateway is old; use v1"* && $output == *gateways.example.net/v1beta1* ]]
  run k get gateways.v1alpha2.gateways.example.net -n gateways
  [[ $output == *"the server doesn't have a resource type"* ]]
  for version in v1 v1beta1; do
    timeout 20 kubectl get "httproutes.$version.gateways.example.net" -n gateways --watch --output-watch-events -o json >"watch-$version" 2>/dev/null 3>&- &
    echo $! >"watch-$version.pid"
  done
  for version in v1 v1beta1; do
    until [ -s "watch-$version" ]; do sleep 0.1; done
  done
  k patch hroute web -n gateways --type=merge -p '{"spec":{"hostnames":["new.example.net"]}}'
  k delete hroute web -n gateways
  for version in v1 v1beta1; do
    until [ "$(jq -r .type "watch-$version" | xargs)" = "ADDED MODIFIED DELETED" ]; do sleep 0.1; done
    kill "$(cat "watch-$version.pid")"
    [ "$(jq -r .object.apiVersion "watch-$version" | sort -u)" = "gateways.example.net/$version" ]
    [ "$(jq -r '.object.spec.hostnames[0]' "watch-$version" | xargs)" = "web.example.net new.example.net new.example.net" ]
  done
  k scale gtw front -n gateways --replicas=5 --current-replicas=2
  [ "$(k get gtw front -n gateways -o jsonpath='{.spec.replicas} {.metadata.generation}')" = "5 2" ]
  run k scale gtw front -n gateways --replicas=101
  [[ $output == *"spec.replicas: Invalid value: 101: spec.replicas in body should be less than or equal to 100" ]]
  k patch gtw front -n gateways --subresource=status --type=merge -p '{"status":{"replicas":4,"selector":"app=front","addresses":[{"value":"192.0.2.10"}]}}'
  [ "$(k get gtw front -n gateways --subresource=scale -o json | jq -c '[.spec.replicas, .status]')" = '[5,{"replicas":4,"selector":"app=front"}]' ]
  [[ "$(row front k get gtw -n gateways)" == "front plain 192.0.2.10 "* ]]
  [[ "$(row calls k get grpcroute -n gateways)" == 'calls ["calls.example.net"]' ]]
  [[ "$(row plain k get gc -o wide)" == "plain example.net/plain Unknown "*" Nothing special" ]]
  # a narrower network may come, but neither a wider one nor none
  k patch gtw front -n gateways --type=merge -p '{"spec":{"network":"192.0.2.0/25"}}'
  run k patch gtw front -n gateways --type=merge -p '{"spec":{"network":"192.0.2.0/24"}}'
  [[ $output == *"spec.network: Forbidden: 192.0.2.0/24 is not within the network that there was" ]]
  run k patch gtw front -n gateways --type=merge -p '{"spec":{"network":null}}'
  [[ $output == *"spec.network: Required value: a network is not given up" ]]
  # lists that are maps by name are merged by it, and others stay as a whole
  k apply --server-side --field-manager=two -f - <<'END'
apiVersion: gateways.example.net/v1
kind: Gateway
metadata: {name: front, namespace: gateways}
spec: {listeners: [{name: more, port: 9000, protocol: TCP}]}
END
  [ "$(k get gtw front -n gateways -o json | jq -r '.spec.listeners[].name' | xargs)" = "http https tcp more" ]
  run k apply --server-side --field-manager=two -f - <<'END'
apiVersion: gateways.example.net/v1
kind: Gateway
metadata: {name: front, namespace: gateways}
spec: {listeners: [{name: http, port: 81, protocol: HTTP}]}
END
  [[ $output == *'conflict with "kubectl": .spec.listeners[name="http"].port'* ]]
}

@test "monitors: a thousand fields: explained, scaled, selected, kept as they are" {
  installed monitors
  k explain collector --recursive >fields
  [ "$(wc -l <fields)" -gt 1000 ]
  k explain collector.spec.template.spec.volumes.projected.sources.serviceAccountToken | grep -q 'expirationSeconds.*<integer>'
  [[ "$(row main k get col -n monitors -o wide)" == "main 3.1.0 2 30d 0.5 "* ]]
  k scale col main -n monitors --replicas=3
  run k scale col main -n monitors --replicas=33
  [[ $output == *"spec.replicas: Invalid value: 33: spec.replicas in body should be less than or equal to 32"* ]]
  run k scale databases.v1alpha1.monitors.example.com/measures -n monitors --replicas=2
  [ "$status" -eq 1 ]
  [ "$(k get col -A --field-selector spec.replicas=3,spec.paused=false,spec.logLevel=warn -o name | wc -l)" -eq 1 ]
  [ "$(k get col main -n monitors -o json | jq -c '[.spec.serviceMonitorSelector, .spec.template.spec.containers[0].resources.limits.cpu, .spec.alerting.alertmanagers[].port]')" = \
    '[null,2,"web",9093]' ]
  run k patch mdb measures -n monitors --type=merge -p '{"spec":{"storage":{"size":"9Gi"}}}'
  [[ $output == *"spec.storage.size: Forbidden: room is never taken back" ]]
  k patch mdb measures -n monitors --type=merge -p '{"spec":{"storage":{"size":"0.5Ti"}}}'
  run k patch mdb measures -n monitors --type=merge -p '{"spec":{"parameters":{"encoding":null}}}'
  [[ $output == *"spec.parameters: Invalid value: the encoding stays" ]]
  run k patch mdb measures -n monitors --type=json -p '[{"op":"replace","path":"/spec/roles","value":[{"name":"writer","superuser":true},{"name":"new","superuser":true}]}]'
  [[ $output == *"spec.roles[0]: Invalid value: a role stays what it is" ]]
  run k patch mdb measures -n monitors --type=merge -p '{"spec":{"bootstrap":null}}'
  [[ $output == *"spec: Invalid value: a database begins once" ]]
}

# definition BUNDLE NAME: one definition of a bundle, as JSON.
definition() { orch-parse <"$1/crds.yaml" | jq -c --arg name "$2" 'select(.metadata.name == $name)'; }

# change PROGRAM: put a changed definition of databases there, and wait until it counts.
change() {
  definition monitors databases.monitors.example.com | jq "$1" | k replace -f -
  k wait --for=condition=Established --timeout=5s crd/databases.monitors.example.com
}

@test "a definition changes: a new version, a new default, a tighter field, a column" {
  installed monitors
  spec='.spec.versions[].schema.openAPIV3Schema.properties.spec.properties'
  db() { k get mdb measures -n monitors -o jsonpath="$1"; }
  before=$(db '{.metadata.resourceVersion}')
  change "$spec.team = {type: \"string\", default: \"nobody\", maxLength: 8} | $spec.backup.properties.schedule.pattern = \"^@daily\$\"
    | .spec.versions += [.spec.versions[0] | .name = \"v2\" | .storage = false | .additionalPrinterColumns = [{name: \"Team\", type: \"string\", jsonPath: \".spec.team\"}]]"
  for _ in $(seq 50); do [ "$(db '{.spec.team}')" != nobody ] || break; sleep 0.1; done
  # what is kept is shown with the default, and has not been written
  [ "$(db '{.spec.team}') $(db '{.metadata.resourceVersion}')" = "nobody $before" ]
  # the schedule does not fit any more, but was there before
  k patch mdb measures -n monitors --type=merge -p '{"spec":{"instances":5}}'
  run k patch mdb measures -n monitors --type=merge -p '{"spec":{"backup":{"schedule":"@hourly"}}}'
  [[ $output == *"spec.backup.schedule: Invalid value: \"@hourly\": spec.backup.schedule in body should match '^@daily"* ]]
  run k patch mdb measures -n monitors --type=merge -p '{"spec":{"team":"too many of us"}}'
  [[ $output == *"spec.team: Too long: may not be more than 8 bytes"* ]]
  k patch mdb measures -n monitors --type=merge -p '{"spec":{"backup":{"schedule":"@daily"},"team":"one"}}'
  # the newest stable version is the preferred one, once kubectl has looked
  rm -rf "$KUBECACHEDIR/discovery"
  [ "$(k get mdb measures -n monitors -o jsonpath='{.apiVersion}')" = monitors.example.com/v2 ]
  [ "$(row measures k get mdb -n monitors)" = "measures one" ]
  # another version is stored from now on; the old one stays in the record
  change "$spec.team = {type: \"string\", default: \"nobody\"}
    | .spec.versions += [.spec.versions[0] | .name = \"v2\"] | .spec.versions[0].storage = false"
  [ "$(k get crd databases.monitors.example.com -o jsonpath='{.status.storedVersions}')" = '["v1","v2"]' ]
  run change '.'
  [[ $output == *'status.storedVersions[1]: Invalid value: "v2": missing from spec.versions; '* ]]
  change "$spec.team = {type: \"string\", default: \"nobody\"}
    | .spec.versions += [.spec.versions[0] | .name = \"v2\"] | .spec.versions[0].storage = false | .spec.versions[1].served = false"
  rm -rf "$KUBECACHEDIR/discovery"
  run k get databases.v1alpha1.monitors.example.com
  [ "$status" -eq 1 ]
  # what cannot change
  run change '.spec.scope = "Cluster"'
  [[ $output == *'spec.scope: Invalid value: "Cluster": field is immutable'* ]]
}

@test "bundles: definitions go with their objects, but wait for a finalizer" {
  for_each_bundle installed
  k delete -f gateways/crds.yaml --timeout=20s
  k delete -f monitors/crds.yaml --timeout=20s
  run k get gateways,collectors -A
  [[ $output == *"the server doesn't have a resource type"* ]]
  run k delete -f certs/crds.yaml --timeout=2s
  [ "$status" -eq 1 ]
  [ "$(k get crd -o name)" = customresourcedefinition.apiextensions.k8s.io/challenges.acme.certs.example.org ]
  k wait --for=condition=Terminating crd/challenges.acme.certs.example.org
  [ -n "$(k get challenge web-1-1 -n certs -o jsonpath='{.metadata.deletionTimestamp}')" ]
  run k create -f certs/objects.yaml
  [[ $output == *'challenges.acme.certs.example.org "web-1-1" is forbidden: '* || $output == *"create not allowed while custom resource definition is terminating"* ]]
  k patch challenge web-1-1 -n certs --type=merge -p '{"metadata":{"finalizers":null}}'
  k wait --for=delete crd/challenges.acme.certs.example.org --timeout=10s
  # and all of it may come again
  orch-apply -f certs/crds.yaml -f certs/objects.yaml -f gateways/crds.yaml -f gateways/objects.yaml
}

@test "bundles: a helm chart with definitions is installed, upgraded and taken away" {
  for bundle in $BUNDLES; do
    mkdir -p "$bundle/chart/crds" "$bundle/chart/templates"
    printf '{apiVersion: v2, name: %s, version: 0.1.0}\n' "$bundle" >"$bundle/chart/Chart.yaml"
    echo 'word: one' >"$bundle/chart/values.yaml"
    cp "$bundle/crds.yaml" "$bundle/chart/crds/"
    sed 's/{{/{{ "{{" }}/g' "$bundle/objects.yaml" >"$bundle/chart/templates/objects.yaml"
    printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {word: {{ .Values.word }}}\n' "$bundle" >>"$bundle/chart/templates/objects.yaml"
    timeout 60 helm install "$bundle" "$bundle/chart" 3>&-
    k get -f "$bundle/objects.yaml"
    timeout 60 helm upgrade "$bundle" "$bundle/chart" --set word=two 3>&-
    [ "$(k get configmap "$bundle" -o jsonpath='{.data.word}')" = two ]
  done
  k patch challenge web-1-1 -n certs --type=merge -p '{"metadata":{"finalizers":null}}'
  for bundle in $BUNDLES; do
    timeout 60 helm uninstall "$bundle" 3>&-
    # helm leaves definitions alone
    k get -f "$bundle/crds.yaml" >/dev/null
  done
  [ "$(k get pki,gateways,monitors -A -o name | wc -l)" -eq 0 ]
}
