# kubectl against orch-store, with nothing but its admin.kubeconfig.

setup() {
	command -v kubectl >/dev/null || skip "no kubectl"
	BIN=${BIN:-build/bin}
	case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
	cd "$BATS_TEST_TMPDIR"
	export HOME=$BATS_TEST_TMPDIR KUBECONFIG=$BATS_TEST_TMPDIR/data/admin.kubeconfig
	SOCK=$(mktemp -u /tmp/orch-store-kubectl-XXXXXX.sock)
	"$BIN/orch-store" --data data --listen 127.0.0.1:0 --socket "$SOCK" 2>log 3>&- &
	PID=$!
	for _ in $(seq 500); do
		if grep -q ready: log; then break; fi
		sleep 0.01
	done
	cat >web.yaml <<-END
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: web}
		spec:
		  replicas: 2
		  selector: {matchLabels: {app: web}}
		  template:
		    metadata: {labels: {app: web}}
		    spec:
		      containers:
		      - {name: c, image: "busybox:1"}
		      - {name: d, image: "busybox:1"}
	END
}

teardown() {
	[ -z "${PID:-}" ] || { kill "$PID" 2>/dev/null || true; wait "$PID" || true; }
	rm -f "${SOCK:-}"
}

k() { timeout 30 kubectl "$@" 3>&-; }

@test "kubectl: apply, diff, get, change, delete" {
	[ "$(k apply -f web.yaml)" = "deployment.apps/web created" ]
	[ "$(k apply -f web.yaml)" = "deployment.apps/web unchanged" ]
	sed -i 's/name: c, image: "busybox:1"/name: c, image: "busybox:2"/' web.yaml
	run k diff -f web.yaml
	[ "$status" -eq 1 ]
	[[ $output == *"+      - image: busybox:2"* ]]
	[ "$(k apply -f web.yaml)" = "deployment.apps/web configured" ]
	[ "$(k get deploy web -o jsonpath='{.spec.template.spec.containers[*].image}')" = "busybox:2 busybox:1" ]
	[[ "$(k get deploy)" == NAME*READY*"web "*"0/2"* ]]
	k set image deploy/web d=busybox:3
	k scale deploy/web --replicas=4
	k label deploy/web a=b
	k annotate deploy/web c=d
	[ "$(k get deploy web -o jsonpath='{.spec.replicas} {.spec.template.spec.containers[1].image}')" = "4 busybox:3" ]
	[ "$(k delete -f web.yaml)" = 'deployment.apps "web" deleted' ]
	run k get deploy web
	[ "$status" -eq 1 ]
	[ "$output" = 'Error from server (NotFound): deployments.apps "web" not found' ]
}

@test "kubectl: explain, api-resources, wait, a misspelt field" {
	[[ "$(k explain deployment.spec.replicas)" == *"FIELD: replicas <integer>"* ]]
	[[ "$(k api-resources --api-group=apps -o name)" == *deployments.apps* ]]
	k run p --image=i
	k wait --for=jsonpath='{.status.phase}'=Pending pod/p --timeout=5s
	k delete pod p --wait
	sed -i 's/replicas/replicsa/' web.yaml
	run k apply -f web.yaml
	[ "$status" -eq 1 ]
	[[ $output == *'unknown field "spec.replicsa"'* ]]
}
