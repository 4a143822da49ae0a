# orch-store: addresses, ports and families of Services, and the objects that the server makes.

bats_require_minimum_version 1.5.0

setup() {
	BIN=${BIN:-build/bin}
	case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
	cd "$BATS_TEST_TMPDIR"
	DATA=$BATS_TEST_TMPDIR/data
	SOCK=$(mktemp -u /tmp/orch-store-bats-XXXXXX.sock) # a socket's path is short
}

teardown() {
	stop
	rm -f "$SOCK"
}

start() {
	"$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0 --socket "$SOCK" "$@" 2>log 3>&- &
	PID=$!
	for _ in $(seq 200); do
		grep -q 'ready:' log && return
		kill -0 "$PID" 2>/dev/null || return 1
		sleep 0.02
	done
	return 1
}

stop() {
	[ -z "${PID:-}" ] || { kill "$PID" 2>/dev/null || true; wait "$PID" || true; }
	PID=
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
of() { jq -r "$1" <<<"$body"; }
figure() { curl -s --unix-socket "$SOCK" http://x/metrics | sed -n "s/^orch_store_service_$1 //p"; }
addresses() { curl -s --unix-socket "$SOCK" http://x/apis/networking.k8s.io/v1/ipaddresses | jq -r '[.items[].metadata.name] | join(" ")'; }
NS=/api/v1/namespaces/default
# svc NAME [SPEC]: a Service of port 80
svc() { printf '{"metadata":{"name":"%s"},"spec":{"ports":[{"name":"a","port":80}]%s}}' "$1" "${2:+,$2}"; }

@test "an address, its family, and the IPAddress that goes with it" {
	start
	api POST $NS/services "$(svc a)"
	[ "$code" = 201 ]
	ip=$(of .spec.clusterIP)
	[[ $ip == 10.96.* ]]
	[ "$(of '.spec | "\(.clusterIPs == [.clusterIP]) \(.ipFamilies | join(",")) \(.ipFamilyPolicy)"')" = 'true IPv4 SingleStack' ]
	api GET "/apis/networking.k8s.io/v1/ipaddresses/$ip"
	[ "$(of '.spec.parentRef | "\(.resource) \(.namespace) \(.name)"')" = 'services default a' ]
	[ "$(of '.metadata.labels["ipaddress.kubernetes.io/managed-by"]')" = ipallocator.k8s.io ]
	# who takes it away gets it back, as long as there is the Service
	uid=$(of .metadata.uid)
	api DELETE "/apis/networking.k8s.io/v1/ipaddresses/$ip"; [ "$code" = 200 ]
	for _ in $(seq 50); do
		api GET "/apis/networking.k8s.io/v1/ipaddresses/$ip"; [ "$code" != 200 ] || break
		sleep 0.02
	done
	[ "$code" = 200 ]; [ "$(of .metadata.uid)" != "$uid" ]
	api DELETE $NS/services/a; [ "$code" = 200 ]
	[ "$(addresses)" = 10.96.0.1 ]
}

@test "an IPAddress that says it is a Service's and is not goes at the next start" {
	start
	for n in 1 2; do
		[ $n = 1 ] && by=ipallocator.k8s.io || by=me
		api POST /apis/networking.k8s.io/v1/ipaddresses '{"metadata":{"name":"10.96.9.'$n'","labels":{"ipaddress.kubernetes.io/managed-by":"'$by'"}},"spec":{"parentRef":{"resource":"services","namespace":"default","name":"x"}}}'
		[ "$code" = 201 ]
	done
	stop; start
	[ "$(addresses)" = '10.96.0.1 10.96.9.2' ]
}

@test "addresses that are asked for: taken, outside, somebody else's" {
	start
	api POST $NS/services "$(svc a '"clusterIP":"10.96.3.4"')"
	[ "$code $(of '.spec.clusterIPs[0]')" = '201 10.96.3.4' ]
	api POST $NS/services "$(svc b '"clusterIP":"10.96.3.4"')"
	[ "$code" = 422 ]
	[ "$(of '.details.causes[0] | "\(.field): \(.message)"')" = 'spec.clusterIPs: Invalid value: ["10.96.3.4"]: failed to allocate IP 10.96.3.4: provided IP is already allocated' ]
	for ip in 10.97.0.1 10.96.0.0 10.96.255.255; do
		api POST $NS/services "$(svc b "\"clusterIP\":\"$ip\"")"
		[ "$code" = 422 ]; [[ "$(of .message)" == *"failed to allocate IP $ip: the provided network does not match the current range" ]]
	done
	api POST /apis/networking.k8s.io/v1/ipaddresses '{"metadata":{"name":"10.96.3.5"},"spec":{"parentRef":{"resource":"services","namespace":"default","name":"x"}}}'
	[ "$code" = 201 ]
	api POST $NS/services "$(svc b '"clusterIP":"10.96.3.5"')"
	[ "$code" = 422 ]; [[ "$(of .message)" == *'already allocated' ]]
	# nothing of all that is kept
	[ "$(figure addresses)" = 2 ]
	# one more range, one address more
	api POST /apis/networking.k8s.io/v1/servicecidrs '{"metadata":{"name":"more"},"spec":{"cidrs":["10.97.0.0/24"]}}'
	[ "$code" = 201 ]
	api POST $NS/services "$(svc b '"clusterIP":"10.97.0.1"')"; [ "$code" = 201 ]
}

@test "node ports: given, shared by protocols, kept by an update that leaves them out, given back" {
	start
	api POST $NS/services '{"metadata":{"name":"a"},"spec":{"type":"NodePort","ports":[{"name":"t","port":53},{"name":"u","port":53,"protocol":"UDP"},{"name":"x","port":80,"nodePort":30080}]}}'
	[ "$code" = 201 ]
	port=$(of '.spec.ports[0].nodePort')
	[ "$port" -ge 30086 ]; [ "$port" -le 32767 ]
	[ "$(of '.spec.ports | map(.nodePort) | join(" ")')" = "$port $port 30080" ]
	[ "$(figure ports)" = 2 ]
	api POST $NS/services '{"metadata":{"name":"b"},"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30080}]}}'
	[ "$code $(of '.details.causes[0] | "\(.field): \(.message)"')" = '422 spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated' ]
	api POST $NS/services '{"metadata":{"name":"b"},"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":29999}]}}'
	[[ "$(of .message)" == *'The range of valid ports is 30000-32767' ]]
	# a replacement of what is not there makes it
	api PUT $NS/services/b "$(svc b)"; [ "$code" = 201 ]
	# a client that knows nothing of what was given
	api PUT $NS/services/a '{"metadata":{"name":"a"},"spec":{"type":"NodePort","ports":[{"name":"u","port":54,"protocol":"UDP"},{"name":"x","port":80}]}}'
	[ "$code $(of '.spec.ports | map(.nodePort) | join(" ")')" = "200 $port 30080" ]
	[ "$(of '.spec.clusterIP | startswith("10.96.")')" = true ]
	merge $NS/services/a '{"spec":{"type":"ClusterIP"}}'
	[ "$code $(of '.spec | "\([.ports[].nodePort]) \(.externalTrafficPolicy)"')" = '200 [null,null] null' ]
	[ "$(figure ports)" = 0 ]
}

@test "load balancers: a port for health checks, no node ports when they are declined" {
	start
	api POST $NS/services "$(svc a '"type":"LoadBalancer","externalTrafficPolicy":"Local"')"
	[ "$code" = 201 ]; [ "$(of '.spec.healthCheckNodePort > 30000')" = true ]
	[ "$(figure ports)" = 2 ]
	check=$(of .spec.healthCheckNodePort)
	api POST $NS/services "$(svc b "\"type\":\"LoadBalancer\",\"externalTrafficPolicy\":\"Local\",\"healthCheckNodePort\":$check")"
	[ "$code $(of '.reason + ": " + .details.causes[0].message')" = "500 InternalError: failed to allocate requested HealthCheck NodePort $check: provided port is already allocated" ]
	merge $NS/services/a '{"spec":{"externalTrafficPolicy":"Cluster"}}'
	[ "$code $(of .spec.healthCheckNodePort)" = '200 null' ]
	[ "$(figure ports)" = 1 ]
	api POST $NS/services "$(svc c '"type":"LoadBalancer","allocateLoadBalancerNodePorts":false')"
	[ "$code $(of '.spec.ports[0].nodePort')" = '201 null' ]
	merge $NS/services/c/status '{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"},{"hostname":"a.example.com"}]}}}'
	[ "$code $(of '.status.loadBalancer.ingress | map(.ipMode) | join(" ")')" = '200 VIP ' ]
	merge $NS/services/c '{"spec":{"type":"ClusterIP"}}'
	[ "$code $(of '"\(.spec.allocateLoadBalancerNodePorts) \(.status)"')" = '200 null {"loadBalancer":{}}' ]
}

@test "names and headless Services have no address; what a name leaves behind goes" {
	start
	api POST $NS/services '{"metadata":{"name":"n"},"spec":{"type":"ExternalName","externalName":"a.example.com"}}'
	[ "$code $(of '.spec | keys | join(" ")')" = '201 externalName sessionAffinity type' ]
	merge $NS/services/n '{"spec":{"type":"ClusterIP","externalName":null,"ports":[{"port":80}]}}'
	[ "$code $(of '.spec.clusterIP | startswith("10.96.")')" = '200 true' ]
	[ "$(figure addresses)" = 2 ]
	merge $NS/services/n '{"spec":{"type":"ExternalName","externalName":"b.example.com"}}'
	[ "$code $(of '.spec | "\(.clusterIP) \(.clusterIPs) \(.ipFamilies) \(.ipFamilyPolicy) \(.internalTrafficPolicy)"')" = '200 null null null null null' ]
	[ "$(figure addresses)" = 1 ]; [ "$(addresses)" = 10.96.0.1 ]
	api POST $NS/services "$(svc h '"clusterIP":"None","selector":{"a":"b"}')"
	[ "$(of '.spec | "\(.clusterIPs) \(.ipFamilies) \(.ipFamilyPolicy)"')" = '["None"] ["IPv4"] SingleStack' ]
	api POST $NS/services "$(svc i '"clusterIP":"None"')"
	[ "$(of '.spec | "\(.clusterIPs) \(.ipFamilies) \(.ipFamilyPolicy)"')" = '["None"] ["IPv4","IPv6"] RequireDualStack' ]
}

@test "two families: asked for, added, taken away; not where there is one" {
	start
	api POST $NS/services "$(svc a '"ipFamilyPolicy":"RequireDualStack"')"
	[[ "$code $(of .message)" == '422 '*'this cluster is not configured for dual-stack services' ]]
	api POST $NS/services "$(svc a '"ipFamilies":["IPv6"]')"
	[[ "$code $(of .message)" == '422 '*'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster' ]]
	stop
	start --service-cluster-ip-range 10.96.0.0/16,fd00:10:96::/108
	api GET /apis/networking.k8s.io/v1/servicecidrs/kubernetes
	[ "$(of '.spec.cidrs | join(" ")')" = '10.96.0.0/16 fd00:10:96::/108' ]
	api POST $NS/services "$(svc a '"ipFamilyPolicy":"PreferDualStack","ipFamilies":["IPv6"]')"
	[ "$code $(of '.spec.ipFamilies | join(" ")')" = '201 IPv6 IPv4' ]
	[[ "$(of '.spec.clusterIPs | join(" ")')" == 'fd00:10:96::'*' 10.96.'* ]]
	api POST $NS/services "$(svc b)"
	merge $NS/services/b '{"spec":{"ipFamilyPolicy":"RequireDualStack"}}'
	[ "$code $(of '.spec.ipFamilies | join(" ")') $(figure addresses)" = '200 IPv4 IPv6 5' ]
	merge $NS/services/b '{"spec":{"clusterIPs":null,"ipFamilies":["IPv4"]}}'
	[[ "$code $(of .message)" == '422 '*"must be 'SingleStack' to release the secondary IP family"* ]]
	merge $NS/services/b '{"spec":{"ipFamilyPolicy":"SingleStack"}}'
	[ "$code $(of '.spec.clusterIPs | length') $(figure addresses)" = '200 1 4' ]
	api POST $NS/services "$(svc c '"clusterIP":"10.96.0.9","clusterIPs":["10.96.0.9","10.96.0.10"]')"
	[[ "$code $(of .message)" == '422 '*'may specify no more than one IP for each IP family'* ]]
}

@test "an address never changes" {
	start
	api POST $NS/services "$(svc a '"clusterIP":"10.96.3.4"')"
	merge $NS/services/a '{"spec":{"clusterIP":"10.96.3.5"}}'
	[ "$code $(of '.details.causes[0] | "\(.field): \(.message)"')" = '422 spec.clusterIPs[0]: Invalid value: ["10.96.3.5"]: may not change once set' ]
	merge $NS/services/a '{"spec":{"clusterIP":""}}'
	[ "$code $(of .spec.clusterIP)" = '200 10.96.3.4' ]
}

@test "refusals, dry runs, races and deletions of all sorts give back what they took" {
	start --service-cluster-ip-range 10.0.0.0/27 --service-node-port-range 30000-30019
	np='"type":"NodePort"'
	for i in $(seq 40); do
		api POST "$NS/services?dryRun=All" "$(svc d "$np")"; [ "$code" = 201 ]
		api POST $NS/services "$(svc Bad_Name "$np")"; [ "$code" = 422 ]
		api POST $NS/services "$(svc a "$np")"; [ "$code" = 201 ]
		api POST $NS/services "$(svc a "$np")"; [ "$code" = 409 ]
		api DELETE $NS/services/a; [ "$code" = 200 ]
	done
	[ "$(figure addresses) $(figure ports)" = '1 0' ]
	# all there are, by many at once, none twice
	for i in $(seq 40); do
		curl -s --unix-socket "$SOCK" -H 'Content-Type: application/json' -o "out$i" \
			-d "$(svc "s$i")" "http://x$NS/services" &
	done
	wait $(jobs -p | grep -v "^$PID\$")
	[ "$(jq -r 'select(.kind == "Service").spec.clusterIP' out*[0-9] | sort -u | wc -l)" = 29 ]
	[ "$(jq -r 'select(.kind == "Status") | "\(.code) \(.details.causes[0].message)"' out*[0-9] | sort | uniq -c | xargs)" = \
		'11 500 failed to allocate a serviceIP: range is full' ]
	[ "$(figure addresses)" = 30 ]; [ "$(addresses | wc -w)" = 30 ]
	stop
	start --service-cluster-ip-range 10.0.0.0/27
	[ "$(figure addresses)" = 30 ]
	api DELETE $NS/services; [ "$code" = 200 ]
	for _ in $(seq 50); do [ "$(figure addresses)" != 1 ] || break; sleep 0.02; done
	[ "$(figure addresses)" = 1 ]
	[ "$(addresses)" = 10.0.0.1 ] # the Service kubernetes came back
}

@test "a Service that goes takes the Endpoints of its name along" {
	start
	api POST $NS/services "$(svc a)"
	api POST $NS/endpoints '{"metadata":{"name":"a"},"subsets":[{"addresses":[{"ip":"10.1.2.3"}]}]}'; [ "$code" = 201 ]
	api DELETE $NS/services/a
	api GET $NS/endpoints/a; [ "$code" = 404 ]
}

@test "what there is from the start, and once only" {
	start --advertise-address 192.0.2.7
	api GET $NS/services/kubernetes
	[ "$(of '.spec | "\(.clusterIP) \(.ports[0].name) \(.ports[0].port)"')" = '10.96.0.1 https 443' ]
	[ "$(of '.metadata.labels | "\(.component) \(.provider)"')" = 'apiserver kubernetes' ]
	port=$(of '.spec.ports[0].targetPort')
	grep -q "127.0.0.1:$port," log
	api GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes
	[ "$(of '"\(.addressType) \(.endpoints[0].addresses[0]) \(.ports[0].port)"')" = "IPv4 192.0.2.7 $port" ]
	api GET $NS/endpoints/kubernetes
	[ "$(of '.subsets[0] | "\(.addresses[0].ip) \(.ports[0].port)"')" = "192.0.2.7 $port" ]
	api GET /apis/scheduling.k8s.io/v1/priorityclasses
	[ "$(of '.items | map("\(.metadata.name)=\(.value)") | join(" ")')" = 'system-cluster-critical=2000000000 system-node-critical=2000001000' ]
	api GET /apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations
	[ "$(of '.items | map(.metadata.name) | join(" ")')" = 'catch-all exempt global-default leader-election node-high system workload-high workload-low' ]
	api GET /apis/flowcontrol.apiserver.k8s.io/v1/flowschemas
	[ "$(of '.items | length')" = 13 ]
	[ "$(of '[.items[].spec.priorityLevelConfiguration.name] | unique | length')" = 8 ]
	api GET /apis/apiregistration.k8s.io/v1/apiservices
	[ "$(of '.items[] | select(.metadata.name == "v2.autoscaling").spec.groupPriorityMinimum')" = 17500 ]
	[ "$(of '.items[0] | .metadata.name + " " + .status.conditions[0].reason')" = 'v1. Local' ]
	api GET /apis/networking.k8s.io/v1/servicecidrs/kubernetes
	[ "$(of '"\(.spec.cidrs[0]) \(.status.conditions[0] | .type + "=" + .status)"')" = '10.96.0.0/16 Ready=True' ]
	api GET /api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication
	[ "$(of '.data["client-ca-file"]')" = "$(cat "$DATA/pki/ca.crt")" ]
	api GET /api/v1/namespaces; revision=$(of .metadata.resourceVersion)
	stop
	# the same port again: nothing is written
	"$BIN/orch-store" --data "$DATA" --listen "127.0.0.1:$port" --advertise-address 192.0.2.7 --socket "$SOCK" 2>log 3>&- &
	PID=$!
	for _ in $(seq 200); do ! grep -q ready: log || break; sleep 0.02; done
	grep -q "revision $revision\$" log
	stop
	# another address: the two that name it
	"$BIN/orch-store" --data "$DATA" --listen "127.0.0.1:$port" --advertise-address 192.0.2.8 --socket "$SOCK" 2>log 3>&- &
	PID=$!
	for _ in $(seq 200); do ! grep -q ready: log || break; sleep 0.02; done
	grep -q "revision $((revision + 2))\$" log
	api GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes
	[ "$(of '.endpoints[0].addresses | join(" ")')" = 192.0.2.8 ]
}

@test "what is deleted or changed is put right, but for what somebody else looks after" {
	start
	levels=/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations
	api GET $NS/services/kubernetes; uid=$(of .metadata.uid)
	api DELETE $NS/services/kubernetes; [ "$code" = 200 ]
	for _ in $(seq 50); do api GET $NS/services/kubernetes; [ "$code" != 200 ] || break; sleep 0.02; done
	[ "$(of .spec.clusterIP)" = 10.96.0.1 ]; [ "$(of .metadata.uid)" != "$uid" ]
	merge $levels/system '{"spec":{"limited":{"nominalConcurrencyShares":77}}}'; [ "$code" = 200 ]
	for _ in $(seq 50); do api GET $levels/system; [ "$(of .spec.limited.nominalConcurrencyShares)" != 30 ] || break; sleep 0.02; done
	[ "$(of '"\(.spec.limited.nominalConcurrencyShares) \(.metadata.generation)"')" = '30 3' ]
	merge $levels/system '{"metadata":{"annotations":{"apf.kubernetes.io/autoupdate-spec":"false"}},"spec":{"limited":{"nominalConcurrencyShares":78}}}'
	sleep 0.2
	api GET $levels/system; [ "$(of .spec.limited.nominalConcurrencyShares)" = 78 ]
	merge $levels/catch-all '{"metadata":{"annotations":{"apf.kubernetes.io/autoupdate-spec":"false"}}}'
	for _ in $(seq 50); do api GET $levels/catch-all; [ "$(of '.metadata.annotations[]')" != true ] || break; sleep 0.02; done
	[ "$(of '.metadata.annotations["apf.kubernetes.io/autoupdate-spec"]')" = true ]
	stop; start
	api GET $levels/system; [ "$(of .spec.limited.nominalConcurrencyShares)" = 78 ]
	api DELETE /apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical
	[ "$code $(of .message)" = '403 priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted' ]
}

@test "the certificate names the Service kubernetes, wherever its range is" {
	start --service-cluster-ip-range 10.200.0.0/24 --advertise-address 192.0.2.7
	openssl x509 -in "$DATA/pki/server.crt" -noout -ext subjectAltName >names
	for n in 10.200.0.1 192.0.2.7 DNS:kubernetes, DNS:kubernetes.default.svc, DNS:kubernetes.default.svc.cluster.local; do
		grep -qF "$n" names
	done
}

@test "ranges that are none" {
	for bad in 'service-cluster-ip-range 10.0.0.0' 'service-cluster-ip-range 10.0.0.0/16,10.1.0.0/16' \
		'service-cluster-ip-range fd00::/48' 'service-node-port-range 0-9' 'service-node-port-range 9-x' \
		'advertise-address here'; do
		set -- $bad
		run -2 --separate-stderr "$BIN/orch-store" --data "$DATA" --listen 127.0.0.1:0 --socket "$SOCK" "--$1" "$2"
		[[ "$stderr" == *"--$1"* ]]; [[ "$stderr" == *"${2##*,}"* || "$stderr" == *"$2"* ]]
	done
}
