# orch-metrics: what nodes say that they use, as a stream and as an API.

load ../helper
load metrics

A=/apis/metrics.k8s.io/v1beta1
TABLE='Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

setup_file() {
  start_store
  kubelets n1 n2 n3
  orch-create >/dev/null <<<'{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}'
  pods default/web/n1 default/db/n1 other/web/n2
}
teardown_file() { stop_all; }
usual() {
  node n1 '{cores: 1.5, bytes: 209715200, containers: [["default", "web", "c", 0.25, 10485760], ["default", "web", "d", 0.125, 1048576], ["default", "db", "c", 1, 5000000]]}'
  node n2 '{cores: 0.5, bytes: 104857600, containers: [["other", "web", "c", 0.5, 1024], ["other", "unknown", "c", 0.5, 1024]]}'
  node n3 '{cores: 0.0625, bytes: 1000, containers: []}'
}
setup() { usual; }
teardown() {
  if [ -e "$BATS_FILE_TMPDIR/metrics.pid" ]; then
    metrics_down || true
    rm "$BATS_FILE_TMPDIR/metrics.pid"
  fi
}

cpu() { api GET "$A/namespaces/default/pods/$1" | jq -er '.containers[0].usage.cpu'; }
has_web() { cpu web; }
has_no_web() { [ "$(api GET "$A/namespaces/default/pods/web" | jq .code)" = 404 ]; }
names() { jq -r '[.items[].metadata | (.namespace // "") + "/" + .name] | join(" ")'; }

@test "--once: one object a line, with what was used between two looks" {
  orch-metrics --once --metric-resolution 500ms >"$BATS_TEST_TMPDIR/out"
  [ "$(jq -r '.kind + " " + (.metadata.namespace // "") + "/" + .metadata.name' "$BATS_TEST_TMPDIR/out")" = \
    $'NodeMetrics /n1\nNodeMetrics /n2\nNodeMetrics /n3\nPodMetrics default/db\nPodMetrics default/web\nPodMetrics other/web' ]
  jq -se 'all(.[]; .apiVersion == "metrics.k8s.io/v1beta1" and (.window | test("^[0-9.]+m?s$")) and (.timestamp | test("Z$")))' "$BATS_TEST_TMPDIR/out"
  jq -se '.[4].metadata.labels == {app: "web"} and .[0].metadata.labels == {n: "n1"}' "$BATS_TEST_TMPDIR/out"
  between "$(jq -sr '.[0].usage.cpu' "$BATS_TEST_TMPDIR/out")" 1480 1520
  between "$(jq -sr '.[2].usage.cpu' "$BATS_TEST_TMPDIR/out")" 61 64
  [ "$(jq -scr '.[4].containers | map([.name, .usage.memory])' "$BATS_TEST_TMPDIR/out")" = '[["c","10Mi"],["d","1Mi"]]' ]
  [ "$(jq -sr '.[3].containers[0].usage.memory, .[0].usage.memory' "$BATS_TEST_TMPDIR/out")" = $'5M\n200Mi' ] ||
    [ "$(jq -sr '.[3].containers[0].usage.memory, .[0].usage.memory' "$BATS_TEST_TMPDIR/out")" = $'5000000\n200Mi' ]
  between "$(jq -sr '.[4].containers[0].usage.cpu' "$BATS_TEST_TMPDIR/out")" 246 254
  between "$(jq -sr '.[4].containers[1].usage.cpu' "$BATS_TEST_TMPDIR/out")" 123 127
}

@test "--once: only some, and into other programs" {
  one() { orch-metrics --once --metric-resolution 200ms "$@"; }
  [ "$(one nodes -l n=n2 | jq -r .metadata.name)" = n2 ]
  [ "$(one pods -n other | jq -r .metadata.namespace)" = other ]
  [ "$(one pods --field-selector spec.nodeName=n1 -l 'app in (web,x)' | jq -r .metadata.name)" = web ]
  [ -z "$(one pods -l app=nothing)" ]
  [ "$(one pods | orch-select -l app=db | jq -r .metadata.name)" = db ]
  one nodes | orch-print -o yaml | grep -q '^kind: NodeMetrics'
}

@test "--once: a node that does not answer: 3, and the others are there" {
  node n2 '{mode: "fail", cores: 1, bytes: 1, containers: []}'
  run -3 --separate-stderr orch-metrics --once --metric-resolution 200ms nodes
  [ "$(jq -r .metadata.name <<<"$output")" = $'n1\nn3' ]
  [[ "$stderr" == *"cannot ask node 'n2'"* ]]
  node n2 '{mode: "broken", cores: 1, bytes: 1, containers: []}'
  run -3 --separate-stderr orch-metrics --once --metric-resolution 200ms nodes
  [[ "$stderr" == *"cannot ask node 'n2': line 1 is not a figure"* ]]
  # one that hangs costs its own time alone, and no more than it may take
  node n2 '{mode: "hang", cores: 1, bytes: 1, containers: []}'
  run -3 --separate-stderr timeout 60 orch-metrics --once --metric-resolution 200ms --request-timeout 5s nodes
  [ "$(jq -r .metadata.name <<<"$output")" = $'n1\nn3' ]
}

@test "wrong usage, and no server" {
  run -2 orch-metrics nodes
  run -2 orch-metrics --once everything
  run -2 orch-metrics --once --register
  [[ "$output" == *"--once serves nothing"* ]]
  run -2 orch-metrics -l a=b
  run -2 orch-metrics --metric-resolution 1ms
  run -2 orch-metrics --tls-cert-file x
  run -2 orch-metrics --once -l 'a=('
  run -3 orch-metrics --once -s unix:/nonexistent
  run -2 orch-metrics --listen 127.0.0.1:0 --requestheader-client-ca-file /nonexistent
}

@test "the API: lists and single objects, by namespace and selector, through the store" {
  metrics_up
  wait_for 60 has_web
  wait_for 60 eval '[ "$(api GET $A/nodes | names)" = "/n1 /n2 /n3" ]'
  [ "$(api GET $A/nodes | jq -c '[.kind, .apiVersion, .metadata]')" = '["NodeMetricsList","metrics.k8s.io/v1beta1",{}]' ]
  [ "$(api GET $A/pods | jq -r .kind)" = PodMetricsList ]
  [ "$(api GET $A/pods | names)" = "default/db default/web other/web" ]
  [ "$(api GET $A/namespaces/other/pods | names)" = other/web ]
  [ "$(api GET $A/namespaces/none/pods | names)" = "" ]
  [ "$(api GET "$A/pods?labelSelector=app%3Dweb" | names)" = "default/web other/web" ]
  [ "$(api GET "$A/pods?fieldSelector=metadata.name%3Dweb,metadata.namespace%3Dother" | names)" = other/web ]
  [ "$(api GET "$A/nodes?labelSelector=n+in+(n2,n3)" | names)" = "/n2 /n3" ]
  [ "$(api GET $A/nodes/n1 | jq -r '.kind + .metadata.name')" = NodeMetricsn1 ]
  wait_for 60 eval 'between "$(cpu web)" 240 260'
  # what is not there, or not known
  [ "$(api GET $A/nodes/none | jq -r '.code, .message')" = $'404\nnodes "none" not found' ]
  [ "$(api GET $A/namespaces/default/pods/none | jq -r '.code, .message')" = $'404\npods "none" not found' ]
  pods default/idle/n3
  [ "$(api GET $A/namespaces/default/pods/idle | jq -r '.code, .message')" = $'404\npodmetrics.metrics.k8s.io "default/idle" not found' ]
  [ "$(api GET "$A/pods?labelSelector=a%3D(" | jq -r '.code, .reason')" = $'400\nBadRequest' ]
  [ "$(api GET $A/pods/web | jq .code)" = 404 ]
  [ "$(api GET $A/namespaces/default/nodes | jq .code)" = 404 ]
  [ "$(api GET $A/things | jq .code)" = 404 ]
  [ "$(api GET "$A/pods?watch=true" | jq -r '.code, .reason')" = $'405\nMethodNotAllowed' ]
  [ "$(api DELETE $A/nodes/n1 | jq -r '.code, .reason')" = $'405\nMethodNotAllowed' ]
  # its kinds are known to who asks what there is
  [ "$(orch-get pods.metrics.k8s.io web -o json | jq -r .kind)" = PodMetrics ]
  orch-kinds --from-server | grep -q PodMetrics
  [ "$(api GET /openapi/v3/apis/metrics.k8s.io/v1beta1 | jq -r '.components.schemas["io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics"]["x-kubernetes-group-version-kind"][0].kind')" = PodMetrics ]
  [ "$(api GET /apis/metrics.k8s.io | jq -r .preferredVersion.version)" = v1beta1 ]
  [ "$(api GET $A | jq -c '[.resources[] | [.name, .kind, .namespaced, .verbs]]')" = '[["nodes","NodeMetrics",false,["get","list"]],["pods","PodMetrics",true,["get","list"]]]' ]
}

@test "the API: Tables" {
  metrics_up
  wait_for 60 has_web
  api GET $A/namespaces/default/pods -H "$TABLE" >"$BATS_TEST_TMPDIR/t"
  [ "$(jq -c '[.kind, .apiVersion, [.columnDefinitions[].name]]' "$BATS_TEST_TMPDIR/t")" = '["Table","meta.k8s.io/v1",["Name","cpu","memory","Window"]]' ]
  # a pod's containers are summed up
  [ "$(jq -c '.rows[1].cells | [.[0], .[2]]' "$BATS_TEST_TMPDIR/t")" = '["web","11Mi"]' ]
  between "$(jq -r '.rows[1].cells[1]' "$BATS_TEST_TMPDIR/t")" 365 385
  [ "$(jq -r '.rows[1].object | .kind + " " + .metadata.name + " " + .metadata.labels.app' "$BATS_TEST_TMPDIR/t")" = "PartialObjectMetadata web web" ]
  [ "$(api GET "$A/nodes/n1?includeObject=Object" -H "$TABLE" | jq -r '.rows[0].object.kind')" = NodeMetrics ]
  [ "$(api GET "$A/nodes?includeObject=None" -H "$TABLE" | jq -c '.rows[0].object')" = null ]
  [ "$(api GET $A/namespaces/none/pods -H "$TABLE" | jq -c '[.rows, (.columnDefinitions | length)]')" = '[[],4]' ]
  # swap space, where nodes tell of it
  node n1 '{cores: 1.5, bytes: 209715200, swap: 4096, containers: [["default", "web", "c", 0.25, 10485760]]}'
  wait_for 60 eval 'api GET $A/namespaces/default/pods -H "$TABLE" | jq -e ".columnDefinitions[3].name == \"swap\" and .rows[0].cells[3] == \"4Ki\""'
}

@test "the API: only for the API server" {
  metrics_up
  port=$(sed -n 's/.*on port \([0-9]*\),.*/\1/p' "$M")
  d=$STORE/pki
  reply() { curl -sS --max-time 10 -k "https://127.0.0.1:$port$A/nodes" -o /dev/null -w '%{http_code}' "$@"; }
  [ "$(reply)" = 401 ]
  [ "$(reply -H 'X-Remote-User: admin')" = 401 ]
  [ "$(reply --cert "$d/front-proxy-client.crt" --key "$d/front-proxy-client.key" -H 'X-Remote-User: joe')" = 200 ]
  # the proxy, for nobody
  [ "$(reply --cert "$d/front-proxy-client.crt" --key "$d/front-proxy-client.key")" = 401 ]
  # an administrator's certificate is of another authority
  run reply --cert "$d/admin.crt" --key "$d/admin.key" -H 'X-Remote-User: joe'
  [ "$status" -ne 0 ] || [ "$output" = 401 ]
  # somebody else of the proxies' authority
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other -keyout "$BATS_TEST_TMPDIR/o.key" -out "$BATS_TEST_TMPDIR/o.csr" 2>/dev/null
  openssl x509 -req -in "$BATS_TEST_TMPDIR/o.csr" -CA "$d/front-proxy-ca.crt" -CAkey "$d/front-proxy-ca.key" -set_serial 7 -days 2 \
    -extfile <(echo extendedKeyUsage=clientAuth) -out "$BATS_TEST_TMPDIR/o.crt" 2>/dev/null
  [ "$(reply --cert "$BATS_TEST_TMPDIR/o.crt" --key "$BATS_TEST_TMPDIR/o.key" -H 'X-Remote-User: joe')" = 401 ]
  [ "$(curl -sSk --max-time 10 "https://127.0.0.1:$port/livez")" = ok ]
  wait_for 60 eval '[ "$(curl -sSk --max-time 10 "https://127.0.0.1:$port/readyz")" = ok ]'
}

@test "a container that starts again: its new run is not compared with the old one" {
  metrics_up
  wait_for 60 has_web
  since=$(date +%s.%N)
  node n1 "{cores: 1.5, bytes: 209715200, since: $since, started: $since, containers: [[\"default\", \"web\", \"c\", 0.5, 10485760]]}"
  for _ in $(seq 200); do
    now=$(cpu web) || continue # between the two there may be none
    if between "$now" 490 510 >/dev/null; then break; fi
    between "$now" 240 260
    sleep 0.05
  done
  wait_for 60 eval 'between "$(cpu web)" 490 510'
  # one container of two was not measured: the pod is not there
  node n1 '{cores: 1.5, bytes: 209715200, containers: [["default", "web", "c", 0.5, 10485760], ["default", "web", "d", 0, 0]]}'
  wait_for 60 has_no_web
}

@test "a node that hangs delays nobody, and has no figures until it answers" {
  metrics_up --request-timeout 5s
  wait_for 60 eval '[ "$(api GET $A/nodes | names)" = "/n1 /n2 /n3" ]'
  node n1 '{mode: "hang", cores: 1, bytes: 1, containers: []}'
  node n2 '{mode: "hang", cores: 1, bytes: 1, containers: []}'
  wait_for 60 eval '[ "$(api GET $A/nodes | names)" = "/n3" ]'
  before=$(asked n3)
  wait_for 60 eval '[ "$(($(asked n3) - before))" -ge 3 ]'
  usual
  wait_for 60 eval '[ "$(api GET $A/nodes | names)" = "/n1 /n2 /n3" ]'
  grep -q "cannot ask node 'n1'" "$M"
  grep -q "node 'n1' answers again" "$M"
}

@test "nodes come and go" {
  metrics_up
  wait_for 60 eval '[ "$(api GET $A/nodes | names)" = "/n1 /n2 /n3" ]'
  orch-get node n3 -o json | jq -c 'del(.metadata.uid, .metadata.resourceVersion)' >"$BATS_TEST_TMPDIR/n3"
  orch-delete node/n3
  [ "$(api GET $A/nodes | names)" = "/n1 /n2" ]
  wait_for 60 eval 'before=$(asked n3); sleep 1.5; [ "$(asked n3)" = "$before" ]'
  orch-create >/dev/null <"$BATS_TEST_TMPDIR/n3"
  jq -c '{status}' "$BATS_TEST_TMPDIR/n3" | api PATCH /api/v1/nodes/n3/status -H 'Content-Type: application/merge-patch+json' --data-binary @- >/dev/null
  wait_for 60 eval '[ "$(api GET $A/nodes | names)" = "/n1 /n2 /n3" ]'
}

@test "--register: made, found again after a crash, taken away at the end; another's is left alone" {
  metrics_up
  [ "$(orch-get -n kube-system service orch-metrics -o json | jq -r '.spec.type + " " + .spec.externalName')" = "ExternalName 127.0.0.1" ]
  port=$(orch-get apiservice v1beta1.metrics.k8s.io -o json | jq .spec.service.port)
  metrics_down KILL
  orch-get apiservice v1beta1.metrics.k8s.io
  metrics_up
  wait_for 60 has_web
  [ "$(orch-get apiservice v1beta1.metrics.k8s.io -o json | jq .spec.service.port)" != "$port" ]
  metrics_down
  rm "$BATS_FILE_TMPDIR/metrics.pid"
  run -1 orch-get apiservice v1beta1.metrics.k8s.io
  run -1 orch-get -n kube-system service orch-metrics
  [ "$(api GET $A/nodes -o /dev/null -w '%{http_code}')" = 404 ]
  orch-create >/dev/null <<<'{"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec":
    {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100, "insecureSkipTLSVerify": true,
    "service": {"namespace": "kube-system", "name": "metrics-server", "port": 443}}}'
  metrics_start
  wait_for 60 grep -q 'cannot register with the API server: APIService .*conflict' "$M"
  kill "$P"
  wait_for 60 not kill -0 "$P"
  [ "$(orch-get apiservice v1beta1.metrics.k8s.io -o json | jq -r .spec.service.name)" = metrics-server ]
  orch-delete apiservice/v1beta1.metrics.k8s.io
}

@test "certificates of one's own" {
  d=$BATS_TEST_TMPDIR
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -keyout "$d/ca.key" -out "$d/ca.crt" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=m -keyout "$d/m.key" -out "$d/m.csr" 2>/dev/null
  openssl x509 -req -in "$d/m.csr" -CA "$d/ca.crt" -CAkey "$d/ca.key" -set_serial 7 -days 2 \
    -extfile <(printf 'subjectAltName=DNS:orch-metrics.kube-system.svc\nextendedKeyUsage=serverAuth') -out "$d/m.crt" 2>/dev/null
  metrics_up --tls-cert-file "$d/m.crt" --tls-private-key-file "$d/m.key" --ca-file "$d/ca.crt"
  wait_for 60 has_web
  [ "$(orch-get apiservice v1beta1.metrics.k8s.io -o json | jq -r .spec.caBundle | base64 -d)" = "$(cat "$d/ca.crt")" ]
  # nothing of those that were given is taken away
  [ -s "$d/m.key" ] && [ -s "$d/m.crt" ]
}
