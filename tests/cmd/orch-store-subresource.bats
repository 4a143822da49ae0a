# orch-store: writes through subresources, and what a status must keep to.

setup() {
	BIN=${BIN:-build/bin}
	case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
	cd "$BATS_TEST_TMPDIR"
	DATA=$BATS_TEST_TMPDIR/data
	SOCK=$(mktemp -u /tmp/orch-store-bats-XXXXXX.sock) # a socket's path is short
	"$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0 --socket "$SOCK" 2>log 3>&- &
	PID=$!
	for _ in $(seq 200); do
		grep -q 'ready:' log && return
		kill -0 "$PID" 2>/dev/null || return 1
		sleep 0.02
	done
	return 1
}

teardown() {
	kill "$PID" 2>/dev/null || true
	wait "$PID" || true
	rm -f "$SOCK"
}

# api METHOD PATH [BODY] [CURL OPTION...]: the answer is in $body, its status in $code
api() {
	local method=$1 path=$2 data=${3:-} type='Content-Type: application/json'
	shift 2; [ $# -eq 0 ] || shift
	[[ "$*" != *Content-Type* ]] || type='X-Other: type'
	code=$(curl -s -o out -w '%{http_code}' --unix-socket "$SOCK" -X "$method" \
		${data:+-d "$data"} -H "$type" "$@" "http://x$path")
	body=$(cat out)
}
merge() { api PATCH "$1" "$2" -H 'Content-Type: application/merge-patch+json'; }
strategic() { api PATCH "$1" "$2" -H 'Content-Type: application/strategic-merge-patch+json'; }
apply() { api PATCH "$1?fieldManager=t&force=true" "$2" -H 'Content-Type: application/apply-patch+yaml'; }
of() { jq -r "$1" <<<"$body"; }
fields() { of '[.details.causes[].field] | join(" ")'; }
NS=/api/v1/namespaces/default
PODS=$NS/pods
pod() { printf '{"metadata":{"name":"%s"},"spec":{%s"containers":[{"name":"c","image":"i"%s}]}}' "$1" "${2:-}" "${3:-}"; }

@test "ephemeral containers are added, and stay" {
	api POST $PODS "$(pod p)"
	api GET $PODS/p/ephemeralcontainers; [ "$code $(of .kind)" = "200 Pod" ]
	strategic $PODS/p/ephemeralcontainers '{"metadata":{"labels":{"a":"b"}},"spec":{"nodeName":"n","ephemeralContainers":[{"name":"d","image":"i","targetContainerName":"c"}]}}'
	[ "$code $(of .metadata.generation)" = "200 2" ]
	[ "$(of '[.metadata.labels, .spec.nodeName, .spec.ephemeralContainers[0].imagePullPolicy] | @csv')" = ',,"Always"' ]
	strategic $PODS/p/ephemeralcontainers '{"spec":{"ephemeralContainers":[{"name":"d","image":"other"}]}}'
	[ "$code" = 422 ]
	[[ "$(of '.details.causes[0].message')" == 'Forbidden: existing ephemeral containers "d" may not be changed'* ]]
	merge $PODS/p/ephemeralcontainers '{"spec":{"ephemeralContainers":null}}'
	[[ "$(of '.details.causes[0].message')" == *'"d" may not be removed'* ]]
	# not through the pod itself, and not when it is made
	merge $PODS/p '{"spec":{"ephemeralContainers":[{"name":"e","image":"i"}]}}'; [ "$code" = 422 ]
	api POST $PODS '{"metadata":{"name":"q"},"spec":{"containers":[{"name":"c","image":"i"}],"ephemeralContainers":[{"name":"d","image":"i"}]}}'
	[ "$code $(of '.details.causes[0].message')" = "422 Forbidden: cannot be set on create" ]
	# a pod that has one can still be labelled
	merge $PODS/p '{"metadata":{"labels":{"a":"b"}}}'; [ "$code" = 200 ]
	apply $PODS/p/ephemeralcontainers '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"ephemeralContainers":[{"name":"f","image":"i"}]}}'
	[ "$code $(of '.spec.ephemeralContainers | length')" = "200 2" ]
	api GET $PODS/p
	api PUT $PODS/p/ephemeralcontainers "$(jq -c '.spec.ephemeralContainers += [{"name":"g","image":"i"}]' <<<"$body")"
	[ "$code $(of '.spec.ephemeralContainers | length')" = "200 3" ]
	api DELETE $PODS/p/ephemeralcontainers; [ "$code" = 405 ]
}

@test "what an ephemeral container may not have" {
	api POST $PODS "$(pod p)"
	add() { strategic $PODS/p/ephemeralcontainers "{\"spec\":{\"ephemeralContainers\":[$1]}}"; }
	add '{"name":"d","image":"i","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"1"}},"livenessProbe":{"exec":{"command":["x"]}},"lifecycle":{"preStop":{"exec":{"command":["x"]}}}}'
	[ "$(fields | tr ' ' '\n' | sort | tr '\n' ' ')" = "spec.ephemeralContainers[0].lifecycle spec.ephemeralContainers[0].livenessProbe spec.ephemeralContainers[0].ports spec.ephemeralContainers[0].resources " ]
	add '{"name":"c","image":"i"}'
	[ "$code $(of '.details.causes[0] | .reason + " " + .field')" = "422 FieldValueDuplicate spec.ephemeralContainers[0].name" ]
	add '{"name":"d","image":"i","targetContainerName":"none"}'
	[ "$(of '.details.causes[0] | .reason + " " + .field')" = "FieldValueNotFound spec.ephemeralContainers[0].targetContainerName" ]
	add '{"name":"d"}'; [ "$(fields)" = "spec.ephemeralContainers[0].image" ]
	add '{"name":"d","image":" i"}'; [ "$(fields)" = "spec.ephemeralContainers[0].image" ]
}

@test "a resize changes resources and nothing else" {
	api POST $PODS "$(pod p '' ',"resources":{"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"2","memory":"1Gi"}}')"
	resize() { strategic $PODS/p/resize "{\"spec\":{\"containers\":[{\"name\":\"c\",$1}]}}"; }
	resize '"image":"new","resources":{"requests":{"cpu":"1500m"}},"resizePolicy":[{"resourceName":"cpu","restartPolicy":"RestartContainer"}]'
	[ "$code" = 200 ]
	[ "$(of '[.metadata.generation, .spec.containers[0].image, .spec.containers[0].resources.requests.cpu, .spec.containers[0].resizePolicy[0].restartPolicy] | join(" ")')" = "2 i 1500m RestartContainer" ]
	# a change of nothing counts for nothing
	resize '"image":"other"'; [ "$code $(of .metadata.generation)" = "200 2" ]
	resize '"resources":{"requests":{"cpu":"2","memory":"1Gi"}}'
	[ "$code $(of '.details.causes[0].message')" = '422 Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing' ]
	resize '"resources":{"limits":{"memory":null}}'
	[ "$(of '.details.causes[0].message')" = "Forbidden: resource limits cannot be removed" ]
	resize '"resources":{"requests":{"memory":null}}'
	[ "$code $(of '.spec.containers[0].resources.requests.memory')" = "200 1Gi" ] # a limit is a request
	resize '"resources":{"requests":{"a/b":"1"},"limits":{"a/b":"1"}}'
	[ "$(of '.details.causes[0].message')" = "Forbidden: only cpu and memory resources are mutable" ]
	api POST $PODS "$(pod r '' ',"resources":{"requests":{"cpu":"1"}}')"
	strategic $PODS/r/resize '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":null,"memory":"1"}}}]}}'
	[ "$(of '.details.causes[0].message')" = "Forbidden: resource requests cannot be removed" ]
	strategic $PODS/r/resize '{"spec":{"containers":[{"name":"c","resources":{"limits":{"a/b":"1"}}}]}}'
	[ "$(of '.details.causes[0].message')" = "Forbidden: only cpu and memory resources are mutable" ]
	# a pod's own
	api POST $PODS '{"metadata":{"name":"w"},"spec":{"resources":{"requests":{"cpu":"1"},"limits":{"hugepages-2Mi":"2Mi","memory":"1Gi"}},"containers":[{"name":"c","image":"i"}]}}'
	merge $PODS/w/resize '{"spec":{"resources":{"requests":{"cpu":"1500m"},"limits":{"memory":"2Gi"}}}}'
	[ "$code $(of '[.metadata.generation, .spec.resources.requests.cpu, .spec.resources.limits.memory] | join(" ")')" = "200 2 1500m 2Gi" ]
	merge $PODS/w/resize '{"spec":{"resources":{"limits":{"memory":null}}}}'
	[ "$(of '.details.causes[0].message')" = "Forbidden: resource limits cannot be removed" ]
	merge $PODS/w/resize '{"spec":{"resources":{"requests":{"hugepages-2Mi":"4Mi"},"limits":{"hugepages-2Mi":"4Mi"}}}}'
	[ "$(of '.details.causes[0].message')" = "Forbidden: only cpu and memory resources are mutable" ]
	merge $PODS/w '{"spec":{"resources":{"requests":{"cpu":"2"}}}}'; [ "$code" = 422 ]
	# other containers
	merge $PODS/p/resize '{"spec":{"containers":[{"name":"x","image":"i"}]}}'; [ "$code" = 422 ]
	merge $PODS/p/resize '{"spec":{"containers":[]}}'; [ "$code" = 422 ]
	# not through the pod itself
	strategic $PODS/p '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"1"}}}]}}'; [ "$code" = 422 ]
	api GET $PODS/p/resize; [ "$code $(of .metadata.name)" = "200 p" ]
}

@test "who runs on a node that cannot resize is not resized" {
	api POST $PODS "$(pod p '' ',"resources":{"requests":{"cpu":"1"}}')"
	merge $PODS/p/status '{"status":{"containerStatuses":[{"name":"c","image":"i","imageID":"","ready":true,"restartCount":0,"state":{"running":{}}}]}}'
	[ "$code" = 200 ]
	strategic $PODS/p/resize '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"2"}}}]}}'
	[ "$(of '.details.causes[0].message')" = "Forbidden: Pod running on node without support for resize" ]
	merge $PODS/p/status '{"status":{"containerStatuses":[{"name":"c","image":"i","imageID":"","ready":true,"restartCount":0,"state":{"running":{}},"resources":{}}]}}'
	strategic $PODS/p/resize '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"2"}}}]}}'
	[ "$code" = 200 ]
	api POST $PODS '{"metadata":{"name":"w"},"spec":{"os":{"name":"windows"},"containers":[{"name":"c","image":"i"}]}}'
	merge $PODS/w/resize '{"metadata":{"labels":{"a":"b"}}}'
	[[ "$(of .message)" == *"windows pods cannot be resized"* ]]
	# init containers: only those that stay
	api POST $PODS '{"metadata":{"name":"q"},"spec":{"initContainers":[{"name":"s","image":"i","restartPolicy":"Always","resources":{"requests":{"cpu":"1"}}},{"name":"t","image":"i","resources":{"requests":{"cpu":"1"}}}],"containers":[{"name":"c","image":"i"}]}}'
	strategic $PODS/q/resize '{"spec":{"initContainers":[{"name":"s","resources":{"requests":{"cpu":"2"}}}]}}'
	[ "$code" = 200 ]
	strategic $PODS/q/resize '{"spec":{"initContainers":[{"name":"t","resources":{"requests":{"cpu":"2"}}}]}}'
	[ "$(of '.details.causes[0].message')" = "Forbidden: resources for non-sidecar init containers are immutable" ]
}

@test "a request for a certificate is decided once, and gets its certificate once" {
	csr=/apis/certificates.k8s.io/v1/certificatesigningrequests
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -subj /CN=x -out req 2>/dev/null
	openssl req -x509 -key key -in req -out crt 2>/dev/null
	api POST $csr "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"request\":\"$(base64 -w0 req)\",\"signerName\":\"example.com/s\",\"usages\":[\"client auth\"]}}"
	[ "$code" = 201 ]
	condition() { printf '{"status":{"conditions":[{"type":"%s","status":"True","reason":"R"}]}}' "$1"; }
	merge $csr/a/status "$(condition Approved)"
	[ "$(of '.details.causes[0].message')" = 'Forbidden: updates may not add a condition of type "Approved"' ]
	merge $csr/a/approval "$(condition Approved)"
	[ "$code" = 200 ]
	[ "$(of '.status.conditions[0] | .lastUpdateTime == .lastTransitionTime')" = true ]
	merge $csr/a/approval "$(condition Denied)"
	[ "$(of '.details.causes[0].message')" = 'Forbidden: updates may not remove a condition of type "Approved"' ]
	# approval does not issue, status does
	merge $csr/a/approval '{"status":{"certificate":"eHg="}}'; [ "$code $(of .status.certificate)" = "200 null" ]
	merge $csr/a/status '{"status":{"certificate":"eHg="}}'
	[ "$(of '.details.causes[0].message')" = 'Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block' ]
	merge $csr/a/status "{\"status\":{\"certificate\":\"$(base64 -w0 key)\"}}"
	[[ "$(of '.details.causes[0].message')" == *'only CERTIFICATE PEM blocks are allowed, found "PRIVATE KEY"' ]]
	merge $csr/a/status "{\"status\":{\"certificate\":\"$(sed 's/^M/X/' crt | base64 -w0)\"}}"; [ "$code" = 422 ]
	merge $csr/a/status "{\"status\":{\"certificate\":\"$(base64 -w0 crt)\"}}"
	[ "$code" = 200 ]
	merge $csr/a/status "{\"status\":{\"certificate\":\"$(cat crt crt | base64 -w0)\"}}"
	[ "$(of '.details.causes[0].message')" = 'Forbidden: updates may not modify existing certificate content' ]
	merge $csr/a '{"status":{"conditions":null},"spec":{"signerName":"example.com/t"}}'
	[ "$code $(of '.status.conditions | length') $(of .spec.signerName)" = "200 1 example.com/s" ]
}

@test "the counts of a workload fit together" {
	api POST /apis/apps/v1/namespaces/default/replicasets '{"metadata":{"name":"r"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}'
	rs=/apis/apps/v1/namespaces/default/replicasets/r/status
	merge $rs '{"status":{"replicas":1,"readyReplicas":2,"availableReplicas":3}}'
	[ "$code $(fields)" = "422 status.readyReplicas status.availableReplicas status.availableReplicas" ]
	merge $rs '{"status":{"replicas":-1}}'; [ "$code" = 422 ]
	merge $rs '{"status":{"replicas":2,"readyReplicas":2,"availableReplicas":1}}'; [ "$code" = 200 ]
	api POST /apis/policy/v1/namespaces/default/poddisruptionbudgets '{"metadata":{"name":"b"},"spec":{"minAvailable":1}}'
	merge /apis/policy/v1/namespaces/default/poddisruptionbudgets/b/status '{"status":{"disruptionsAllowed":-1,"conditions":[{"type":"x","status":"Maybe","reason":"-"}]}}'
	[ "$code $(fields)" = "422 status.conditions[0].status status.conditions[0].lastTransitionTime status.conditions[0].reason status.disruptionsAllowed" ]
}

@test "a Job ends once, and whole" {
	jobs=/apis/batch/v1/namespaces/default/jobs
	api POST $jobs '{"metadata":{"name":"j"},"spec":{"completions":3,"completionMode":"Indexed","parallelism":1,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}'
	[ "$code" = 201 ]
	is() { printf '{"type":"%s","status":"True"}' "$1"; }
	status() { merge $jobs/j/status "{\"status\":{$1}}"; }
	status '"active":1,"ready":2,"startTime":"2026-01-01T00:00:00Z"'
	[ "$(of '.details.causes[0].message')" = "Invalid value: 2: cannot set more ready pods than active" ]
	status '"active":1,"ready":1,"startTime":"2026-01-01T00:00:00Z","completedIndexes":"0-5"'
	[ "$(of '.details.causes[0].message')" = 'Invalid value: "0-5": error parsing completedIndexes: too large index: "5"' ]
	status '"active":1,"ready":1,"startTime":"2026-01-01T00:00:00Z","completedIndexes":"2,1"'
	[ "$(of '.details.causes[0].message')" = 'Invalid value: "2,1": error parsing completedIndexes: non-increasing order, previous: 2, current: 1' ]
	status '"active":1,"ready":1,"failed":1,"startTime":"2026-01-01T00:00:00Z","completedIndexes":"0-1"'
	[ "$code" = 200 ]
	status '"failed":0'; [ "$(fields)" = "status.failed" ]
	status '"startTime":null'; [ "$(of '.details.causes[0].message')" = "Required value: startTime cannot be removed for unsuspended job" ]
	status "\"active\":0,\"ready\":0,\"conditions\":[$(is Complete)]"
	[ "$(of '.details.causes | map(.message) | join("; ")')" = "Required value: completionTime is required for Complete jobs; Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition" ]
	status "\"active\":0,\"ready\":0,\"completionTime\":\"2025-01-01T00:00:00Z\",\"conditions\":[$(is Complete),$(is SuccessCriteriaMet)]"
	[ "$(of '.details.causes[0].message')" = 'Invalid value: "2025-01-01T00:00:00Z": completionTime cannot be set before startTime' ]
	status "\"active\":0,\"ready\":0,\"completionTime\":\"2026-01-02T00:00:00Z\",\"conditions\":[$(is Complete),$(is SuccessCriteriaMet)]"
	[ "$code" = 200 ]
	status '"conditions":null'; [ "$code" = 422 ]
}

@test "the status of a Pod: what has ended stays so" {
	api POST $PODS "$(pod p '"restartPolicy":"OnFailure",')"
	state() { merge $PODS/p/status "{\"status\":{\"containerStatuses\":[{\"name\":\"c\",\"image\":\"i\",\"imageID\":\"\",\"ready\":false,\"restartCount\":0,\"state\":{$1}}]}}"; }
	state '"terminated":{"exitCode":1}'; [ "$code" = 200 ]
	state '"running":{}'; [ "$code" = 200 ] # failed, and is tried again
	state '"terminated":{"exitCode":0}'; [ "$code" = 200 ]
	state '"running":{}'
	[ "$code $(fields)" = "422 status.containerStatuses[0].state" ]
	merge $PODS/p/status '{"status":{"qosClass":"Guaranteed"}}'; [ "$(fields)" = "status.qosClass" ]
	merge $PODS/p/status '{"status":{"qosClass":null,"podIP":"10.0.0.1"}}'
	[ "$code $(of '.status | [.qosClass, .podIPs[0].ip] | join(" ")')" = "200 BestEffort 10.0.0.1" ]
	merge $PODS/p/status '{"status":{"hostIPs":[{"ip":"10.0.0.2"}]}}'; [ "$(fields)" = "status.hostIPs[0].ip" ]
	merge $PODS/p/status '{"status":{"resourceClaimStatuses":[{"name":"x"}]}}'; [ "$(fields)" = "status.resourceClaimStatuses[0].name" ]
	merge $PODS/p/status '{"status":{"conditions":[{"type":"a b","status":"True","observedGeneration":3}]}}'; [ "$(fields)" = "status.conditions[0].Type" ]
	merge $PODS/p/status '{"status":{"conditions":[{"type":"x","status":"True","observedGeneration":3}]}}'
	merge $PODS/p/status '{"status":{"conditions":[{"type":"x","status":"False"}]}}'
	[ "$(of '.status.conditions[0].observedGeneration')" = 3 ] # who does not know it keeps it
}

@test "the status of other kinds" {
	api POST /apis/networking.k8s.io/v1/namespaces/default/ingresses '{"metadata":{"name":"i"},"spec":{"defaultBackend":{"service":{"name":"s","port":{"number":80}}}}}'
	ing=/apis/networking.k8s.io/v1/namespaces/default/ingresses/i/status
	merge $ing '{"status":{"loadBalancer":{"ingress":[{"ip":"x"},{"hostname":"10.0.0.1"}]}}}'
	[ "$code $(fields)" = "422 status.loadBalancer.ingress[0].ip status.loadBalancer.ingress[1].hostname" ]
	merge $ing '{"status":{"loadBalancer":{"ingress":[{"ip":"10.0.0.1"}]}}}'; [ "$code" = 200 ]
	merge /api/v1/namespaces/default/status '{"status":{"phase":"Terminating"}}'; [ "$(fields)" = "status.Phase" ]
	api POST $NS/persistentvolumeclaims '{"metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}'
	merge $NS/persistentvolumeclaims/c/status '{"status":{"capacity":{"storage":"-1"}}}'; [ "$(fields)" = "status.capacity[storage]" ]
	api POST /api/v1/persistentvolumes '{"metadata":{"name":"v"},"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"hostPath":{"path":"/x"}}}'
	before=$(of .status.lastPhaseTransitionTime)
	sleep 1
	merge /api/v1/persistentvolumes/v/status '{"status":{"phase":"Available"}}'
	[ "$code" = 200 ]
	[ "$(of .status.lastPhaseTransitionTime)" != "$before" ]
	api POST /apis/resource.k8s.io/v1/namespaces/default/resourceclaims '{"metadata":{"name":"d"},"spec":{"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"x"}}]}}}'
	claim=/apis/resource.k8s.io/v1/namespaces/default/resourceclaims/d/status
	merge $claim '{"status":{"reservedFor":[{"resource":"pods","name":"p","uid":"u"}]}}'
	[ "$code $(fields)" = "422 status.reservedFor" ]
	merge $claim '{"status":{"allocation":{"devices":{"results":[{"request":"none","driver":"d.example.com","pool":"p","device":"x"}]}}}}'
	[ "$(fields)" = "status.allocation.devices.results[0].request" ]
	merge $claim '{"status":{"allocation":{"devices":{"results":[{"request":"r","driver":"d.example.com","pool":"p","device":"x"}]}}}}'
	[ "$code" = 200 ]
	merge $claim '{"status":{"allocation":{"devices":{"results":[{"request":"r","driver":"d.example.com","pool":"p","device":"y"}]}}}}'
	[ "$(fields)" = "status.allocation" ]
}

@test "a binding gives a Pod its node, labels and annotations" {
	api POST $PODS "$(pod p '"schedulingGates":[{"name":"g"}],')"
	bind() { api POST $PODS/p/binding "{\"metadata\":{\"name\":\"p\"$1},\"target\":{\"name\":\"n\"${2:-}}}"; }
	bind; [ "$code $(of .details.kind)" = "409 pods/binding" ]
	merge $PODS/p '{"spec":{"schedulingGates":null}}'
	version=$(of .metadata.resourceVersion)
	bind ',"resourceVersion":"1"'
	[ "$code" = 409 ]
	[[ "$(of .message)" == *"Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: $version" ]]
	merge $PODS/p/status '{"status":{"nominatedNodeName":"m"}}'
	bind '' ',"kind":"Pod"'; [ "$code" = 500 ]
	api POST $PODS/p/binding '{"metadata":{"name":"p"},"target":{"kind":"Pod"}}'
	[ "$(of .message)" = '[target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>", target.name: Required value]' ]
	api POST $PODS/p/binding '{"kind":"Pod","apiVersion":"v1"}'; [ "$code" = 400 ]
	api POST "$PODS/p/binding?dryRun=All" '{"metadata":{"name":"p"},"target":{"name":"n"}}'; [ "$code" = 201 ]
	api GET $PODS/p; [ "$(of .spec.nodeName)" = null ]
	bind ',"labels":{"a":"b"},"annotations":{"c":"d"}'; [ "$code" = 201 ]
	api GET $PODS/p
	[ "$(of '[.spec.nodeName, .metadata.labels.a, .metadata.annotations.c, .status.nominatedNodeName] | @csv')" = '"n","b","d",' ]
	# the one condition there was has become the other
	[ "$(of '[.status.conditions[] | .type + .status + (.reason // "")] | join(" ")')" = PodScheduledTrue ]
	# by name, and with names that would lead elsewhere
	for name in '' . .. a/b p/eviction '%2e'; do
		api POST $NS/bindings "{\"metadata\":{\"name\":\"$name\"},\"target\":{\"name\":\"n\"}}"
		[ "$code $(of .reason)" = "400 BadRequest" ]
	done
	api POST $NS/bindings '{"metadata":{"name":"none"},"target":{"name":"n"}}'; [ "$code" = 404 ]
}

@test "an eviction is told by a condition, and dies with its preconditions" {
	api POST $PODS "$(pod p '"nodeName":"n",')"
	uid=$(of .metadata.uid) version=$(of .metadata.resourceVersion)
	evict() { api POST $PODS/p/eviction "{\"metadata\":{\"name\":\"p\"}${1:+,\"deleteOptions\":{$1\}}}"; }
	evict '"preconditions":{"resourceVersion":"1"}'; [ "$code" = 409 ]
	evict '"gracePeriodSeconds":"x"'; [ "$code" = 400 ]
	evict '"dryRun":["Some"]'; [ "$code" = 422 ]
	evict '"dryRun":["All"]'; [ "$code" = 201 ]
	api GET $PODS/p; [ "$(of .metadata.resourceVersion)" = "$version" ]
	api POST $PODS/p/eviction '{}'; [ "$code" = 400 ]
	api POST $PODS/p/eviction '{"kind":"Pod","apiVersion":"v1"}'; [ "$code" = 400 ]
	evict "\"preconditions\":{\"uid\":\"$uid\",\"resourceVersion\":\"$version\"},\"gracePeriodSeconds\":7"
	[ "$code" = 201 ]
	api GET $PODS/p
	[ "$(of '.metadata.deletionGracePeriodSeconds, (.status.conditions[] | select(.type == "DisruptionTarget").reason)' | tr '\n' ' ')" = "7 EvictionByEvictionAPI " ]
	api POST "$PODS/none/eviction" '{"metadata":{"name":"none"}}'; [ "$code" = 404 ]
}

@test "nothing is bound, evicted or given tokens in a namespace that leaves" {
	api POST /api/v1/namespaces '{"metadata":{"name":"go"}}'
	api POST /api/v1/namespaces/go/pods "$(pod p)"
	api POST /api/v1/namespaces/go/serviceaccounts '{"metadata":{"name":"a"}}'
	api DELETE /api/v1/namespaces/go
	for what in pods/p/binding:p pods/p/eviction:p serviceaccounts/a/token:a; do
		api POST "/api/v1/namespaces/go/${what%:*}" "{\"metadata\":{\"name\":\"${what#*:}\"}$([ "$what" = pods/p/binding:p ] && echo ',"target":{"name":"n"}')}"
		[ "$code $(of '.details.causes[0].reason')" = "403 NamespaceTerminating" ]
	done
}
