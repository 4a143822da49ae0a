# orch-store: what admission plugins add, refuse and say, and the switches.
load ../helper

teardown() { stop_all; rm -rf "$BATS_FILE_TMPDIR"/store*; }

# api METHOD PATH [BODY] [CURL OPTION...]: the answer in $body, its status in $code, its warnings in $warnings
api() {
	local method=$1 path=$2 data=${3:-} type='Content-Type: application/json'
	shift 2; [ $# -eq 0 ] || shift
	[[ "$*" != *Content-Type* ]] || type='X-Other: type'
	code=$(curl -s -o out -D head -w '%{http_code}' --unix-socket "$STORE/socket" -X "$method" \
		${data:+-d "$data"} -H "$type" "$@" "http://x$path")
	body=$(cat out)
	warnings=$(sed -n 's/^Warning: 299 - "\(.*\)"\r$/\1/p' head)
}
merge() { api PATCH "$1" "$2" -H 'Content-Type: application/merge-patch+json'; }
of() { jq -rc "$1" <<<"$body"; }
says() { [ "$code" -eq "$1" ] && [[ "$(of .message)" == $2 ]] || { echo "$code $body" >&2; return 1; }; }
made() { [ "$code" -eq 201 ] || { echo "$code $body" >&2; return 1; }; }
setup() { cd "$BATS_TEST_TMPDIR"; STORE=$BATS_FILE_TMPDIR/store$RANDOM; }

NS=/api/v1/namespaces/default
pod() { printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s"%s},"spec":{"containers":[{"name":"c","image":"i"%s}]%s}}' "$1" "${3:-}" "${4:-}" "${2:-}"; }
put_class() { api POST /apis/scheduling.k8s.io/v1/priorityclasses "{\"metadata\":{\"name\":\"$1\"},\"value\":$2$3}"; }

@test "Pods: tolerations, priority; nobody owns them; what a Pod says itself counts" {
	start_store
	api POST $NS/pods "$(pod a)"; made
	[ "$(of '[.spec.tolerations[] | "\(.key) \(.tolerationSeconds)"]')" = '["node.kubernetes.io/not-ready 300","node.kubernetes.io/unreachable 300"]' ]
	[ "$(of '[.spec.priority, .spec.preemptionPolicy, .spec.priorityClassName]')" = '[0,"PreemptLowerPriority",null]' ]
	[ "$(of '.metadata.managedFields[0].fieldsV1["f:spec"] | has("f:tolerations") or has("f:priority")')" = false ]
	api POST $NS/pods "$(pod b ',"tolerations":[{"operator":"Exists"}]')"; made
	[ "$(of '.spec.tolerations | length')" = 1 ]
	api POST $NS/pods "$(pod c ',"tolerations":[{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":5}]')"; made
	[ "$(of '[.spec.tolerations[].tolerationSeconds]')" = '[5,300]' ]
	# adding one later is allowed, and what is missing comes back with it
	merge $NS/pods/a '{"spec":{"tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},{"key":"x","operator":"Exists"}]}}'
	[ "$code" = 200 ]
}

@test "the seconds of tolerations are an option" {
	start_store --default-not-ready-toleration-seconds 7 --default-unreachable-toleration-seconds=8
	api POST $NS/pods "$(pod a)"
	[ "$(of '[.spec.tolerations[].tolerationSeconds]')" = '[7,8]' ]
}

@test "Priority: the class's number and policy, the default class, the two of the system" {
	start_store
	put_class high 1000 ',"preemptionPolicy":"Never"'; made
	api POST $NS/pods "$(pod a ',"priorityClassName":"high"')"; made
	[ "$(of '[.spec.priority, .spec.preemptionPolicy]')" = '[1000,"Never"]' ]
	api POST $NS/pods "$(pod x ',"priorityClassName":"high","priority":5')"
	says 403 'pods "x" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 1000 from the given PriorityClass name'
	api POST $NS/pods "$(pod x ',"priorityClassName":"high","preemptionPolicy":"PreemptLowerPriority"')"
	says 403 '*the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided*computed Never from*'
	api POST $NS/pods "$(pod x ',"priorityClassName":"none"')"
	says 403 'pods "x" is forbidden: no PriorityClass with name none was found'
	api POST $NS/pods '{"metadata":{"generateName":"gen-"},"spec":{"priorityClassName":"none","containers":[{"name":"c","image":"i"}]}}'
	says 403 'pods "gen-" is forbidden: *'
	api POST /api/v1/namespaces/kube-system/pods "$(pod s ',"priorityClassName":"system-node-critical"')"; made
	[ "$(of .spec.priority)" = 2000001000 ]
	put_class usual 10 ',"globalDefault":true'; made
	put_class usual2 20 ',"globalDefault":true'
	says 403 '*PriorityClass usual is already marked as default. Only one default can exist'
	api POST $NS/pods "$(pod b)"; made
	[ "$(of '[.spec.priorityClassName, .spec.priority]')" = '["usual",10]' ]
	# a replacement that leaves the number out keeps it
	api PUT $NS/pods/b "$(of 'del(.spec.priority, .spec.preemptionPolicy)')"
	[ "$code $(of .spec.priority)" = "200 10" ]
}

@test "RuntimeClass: it must exist; overhead, node selector and tolerations come from it" {
	start_store
	api POST /apis/node.k8s.io/v1/runtimeclasses '{"metadata":{"name":"vm"},"handler":"vm","overhead":{"podFixed":{"memory":"64Mi"}},"scheduling":{"nodeSelector":{"vm":"yes"},"tolerations":[{"key":"vm","operator":"Exists"}]}}'; made
	api POST $NS/pods "$(pod a ',"runtimeClassName":"vm","nodeSelector":{"disk":"ssd"}')"; made
	[ "$(of '[.spec.overhead.memory, .spec.nodeSelector.vm, .spec.nodeSelector.disk, (.spec.tolerations | map(.key) | index("vm") != null)]')" = '["64Mi","yes","ssd",true]' ]
	api POST $NS/pods "$(pod x ',"runtimeClassName":"none"')"
	says 403 'pods "x" is forbidden: pod rejected: RuntimeClass "none" not found'
	api POST $NS/pods "$(pod x ',"runtimeClassName":"vm","nodeSelector":{"vm":"no"}')"
	says 403 '*conflict: runtimeClass.scheduling.nodeSelector\[vm\] = yes; pod.spec.nodeSelector\[vm\] = no'
	api POST $NS/pods "$(pod x ',"runtimeClassName":"vm","overhead":{"memory":"1Mi"}')"
	says 403 "*pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
	api POST $NS/pods "$(pod x ',"overhead":{"memory":"1Mi"}')"
	says 403 '*pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead'
}

@test "nodes: a new one takes no Pods; its Pods carry its zone" {
	start_store
	api POST /api/v1/nodes '{"metadata":{"name":"n","labels":{"topology.kubernetes.io/zone":"z"}},"spec":{"taints":[{"key":"own","effect":"NoSchedule"}]}}'; made
	[ "$(of '[.spec.taints[] | .key + ":" + .effect]')" = '["own:NoSchedule","node.kubernetes.io/not-ready:NoSchedule"]' ]
	merge /api/v1/nodes/n '{"spec":{"taints":null}}'
	[ "$code $(of .spec.taints)" = "200 null" ]
	api POST $NS/pods "$(pod a ',"nodeName":"n"')"
	[ "$(of '.metadata.labels["topology.kubernetes.io/zone"]')" = z ]
	api POST $NS/pods "$(pod b)"
	api POST $NS/pods/b/binding '{"metadata":{"name":"b"},"target":{"kind":"Node","name":"n"}}'
	api GET $NS/pods/b
	[ "$(of '.metadata.labels["topology.kubernetes.io/zone"]')" = z ]
}

@test "storage: protection, default class, growing" {
	start_store
	claim() { printf '{"metadata":{"name":"%s"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}%s}}' "$1" "${2:-}"; }
	api POST $NS/persistentvolumeclaims "$(claim a)"; made
	[ "$(of '[.metadata.finalizers, .spec.storageClassName]')" = '[["kubernetes.io/pvc-protection"],null]' ]
	class() { api POST /apis/storage.k8s.io/v1/storageclasses "{\"metadata\":{\"name\":\"$1\",\"annotations\":{\"storageclass.kubernetes.io/is-default-class\":\"true\"}},\"provisioner\":\"p\"$2}"; made; }
	class first
	api POST $NS/persistentvolumeclaims "$(claim b)"; [ "$(of .spec.storageClassName)" = first ]
	api POST $NS/persistentvolumeclaims "$(claim c ',"storageClassName":""')"; [ "$(of .spec.storageClassName)" = "" ]
	api POST /api/v1/persistentvolumes '{"metadata":{"name":"v"},"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteOnce"],"hostPath":{"path":"/x"}}}'
	[ "$(of .metadata.finalizers)" = '["kubernetes.io/pv-protection"]' ]
	api DELETE $NS/persistentvolumeclaims/a
	[ "$code" = 200 ]
	api GET $NS/persistentvolumeclaims/a
	[ "$code $(of '.metadata | has("deletionTimestamp")')" = "200 true" ]
	merge $NS/persistentvolumeclaims/b/status '{"status":{"phase":"Bound","capacity":{"storage":"1Gi"}}}'
	merge $NS/persistentvolumeclaims/b '{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}'
	says 403 '*only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize'
	merge /apis/storage.k8s.io/v1/storageclasses/first '{"allowVolumeExpansion":true}'
	merge $NS/persistentvolumeclaims/b '{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}'
	[ "$code" = 200 ]
}

@test "an Ingress gets the default class" {
	start_store
	api POST /apis/networking.k8s.io/v1/ingressclasses '{"metadata":{"name":"k","annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}},"spec":{"controller":"x.io/k"}}'; made
	backend='"defaultBackend":{"service":{"name":"s","port":{"number":80}}}'
	api POST /apis/networking.k8s.io/v1/namespaces/default/ingresses "{\"metadata\":{\"name\":\"a\"},\"spec\":{$backend}}"
	[ "$(of .spec.ingressClassName)" = k ]
	api POST /apis/networking.k8s.io/v1/namespaces/default/ingresses "{\"metadata\":{\"name\":\"b\",\"annotations\":{\"kubernetes.io/ingress.class\":\"old\"}},\"spec\":{$backend}}"
	[ "$(of .spec.ingressClassName)" = null ]
	[[ $warnings == *'kubernetes.io/ingress.class'*'is deprecated'* ]]
}

@test "LimitRanger: fills in, notes it, refuses; templates and updates are not limited" {
	start_store
	api POST $NS/limitranges '{"metadata":{"name":"l"},"spec":{"limits":[{"type":"Container","default":{"cpu":"500m"},"defaultRequest":{"cpu":"250m"},"min":{"cpu":"100m"},"max":{"cpu":"1"}},{"type":"Pod","max":{"cpu":"1500m"}},{"type":"PersistentVolumeClaim","min":{"storage":"1Gi"},"max":{"storage":"2Gi"}}]}}'; made
	api POST $NS/pods "$(pod a)"; made
	[ "$(of '.spec.containers[0].resources | [.requests.cpu, .limits.cpu]')" = '["250m","500m"]' ]
	[ "$(of '.metadata.annotations["kubernetes.io/limit-ranger"]')" = 'LimitRanger plugin set: cpu request for container c; cpu limit for container c' ]
	api POST $NS/pods "$(pod x '' '' ',"resources":{"limits":{"cpu":"2"}}')"
	says 403 'pods "x" is forbidden: \[maximum cpu usage per Container is 1, but limit is 2, maximum cpu usage per Pod is 1500m, but limit is 2\]'
	api POST $NS/pods "$(pod x '' '' ',"resources":{"requests":{"cpu":"50m"}}')"
	says 403 '*minimum cpu usage per Container is 100m, but request is 50m'
	api POST $NS/persistentvolumeclaims '{"metadata":{"name":"x"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"3Gi"}}}}'
	says 403 '*maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi'
	merge $NS/limitranges/l '{"spec":{"limits":[{"type":"Container","max":{"cpu":"100m"}}]}}'
	merge $NS/pods/a '{"metadata":{"labels":{"a":"b"}}}'
	[ "$code" = 200 ]
}

@test "ResourceQuota: counted by the loop, enforced by the store" {
	start_store
	api POST $NS/resourcequotas '{"metadata":{"name":"q"},"spec":{"hard":{"pods":"2","requests.cpu":"1","configmaps":"1","services.nodeports":"1"}}}'; made
	api POST $NS/configmaps '{"metadata":{"name":"before"}}'; made # nobody has counted yet
	orch-reconcile -w --once resourcequota
	api GET $NS/resourcequotas/q
	[ "$(of '[.status.used.configmaps, .status.used.pods]')" = '["1","0"]' ]
	api POST $NS/configmaps '{"metadata":{"name":"x"}}'
	says 403 'configmaps "x" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1'
	api POST $NS/pods "$(pod x)"
	says 403 'pods "x" is forbidden: failed quota: q: must specify requests.cpu for: c'
	cpu() { pod "$1" '' '' ",\"resources\":{\"requests\":{\"cpu\":\"$2\"}}"; }
	api POST "$NS/pods?dryRun=All" "$(cpu a 600m)"; made
	api POST $NS/pods "$(cpu a 600m)"; made
	api POST $NS/pods "$(cpu x 600m)"
	says 403 '*exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1'
	api POST $NS/pods "$(cpu b 400m)"; made
	api POST $NS/pods "$(cpu x 0)"
	says 403 '*exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'
	api POST $NS/services '{"metadata":{"name":"s"},"spec":{"type":"NodePort","ports":[{"port":80}]}}'; made
	merge $NS/services/s '{"spec":{"ports":[{"name":"a","port":80},{"name":"b","port":81}]}}'
	says 403 '*exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1'
	# what goes is counted down by the loop, a little later
	api DELETE $NS/pods/a '{"gracePeriodSeconds":0}'
	down() { orch-reconcile -w --once resourcequota && [ "$(orch-get resourcequota/q -o json | jq -r .status.used.pods)" = 1 ]; }
	wait_for 10 down
	api POST $NS/pods "$(cpu c 600m)"; made
}

@test "ResourceQuota: two at once cannot both have the last one" {
	start_store
	api POST $NS/resourcequotas '{"metadata":{"name":"q"},"spec":{"hard":{"count/configmaps":"5"}}}'
	orch-reconcile -w --once resourcequota
	seq 20 | xargs -P 8 -I{} curl -s -o /dev/null --unix-socket "$STORE/socket" -H 'Content-Type: application/json' \
		-d '{"metadata":{"name":"m{}"}}' "http://x$NS/configmaps"
	api GET $NS/configmaps
	[ "$(of '.items | length')" = 5 ]
}

@test "PodSecurity: enforced on Pods, warned of on workloads, told when a namespace becomes stricter" {
	start_store
	api POST $NS/pods "$(pod old '' '' ',"securityContext":{"privileged":true}')"; made
	merge /api/v1/namespaces/default '{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}'
	[ "$warnings" = 'existing pods in namespace \"default\" violate the new PodSecurity enforce level \"baseline:latest\"
old: privileged' ]
	api POST $NS/pods "$(pod x ',"hostNetwork":true' '' ',"securityContext":{"privileged":true,"capabilities":{"add":["NET_ADMIN"]}}')"
	says 403 'pods "x" is forbidden: violates PodSecurity "baseline:latest": non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add), host namespaces (hostNetwork=true), privileged (container "c" must not set securityContext.privileged=true)'
	api POST $NS/pods "$(pod fine)"; made
	merge $NS/pods/old '{"metadata":{"labels":{"a":"b"}}}'; [ "$code" = 200 ]
	merge $NS/pods/old '{"spec":{"containers":[{"name":"c","image":"new","securityContext":{"privileged":true}}]}}'; [ "$code" = 403 ]
	merge /api/v1/namespaces/default '{"metadata":{"labels":{"pod-security.kubernetes.io/warn":"restricted","pod-security.kubernetes.io/warn-version":"v1.18"}}}'
	[ "$code" = 200 ]
	api POST /apis/apps/v1/namespaces/default/deployments '{"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}'; made
	[ "$warnings" = 'would violate PodSecurity \"restricted:v1.18\": allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true)' ]
	merge /api/v1/namespaces/default '{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"loose"}}}'
	says 422 'Namespace "default" is invalid: metadata.labels\[pod-security.kubernetes.io/enforce\]: Invalid value: "loose": must be one of privileged, baseline, restricted'
}

@test "ServiceAccount: off by default; on, Pods have an account and its token" {
	start_store
	api POST $NS/pods "$(pod a)"; made
	[ "$(of '.spec.serviceAccountName, .spec.volumes')" = 'null
null' ]
	stop_store
	start_store --enable-admission-plugins ServiceAccount
	api POST $NS/pods "$(pod x)"
	says 403 'pods "x" is forbidden: error looking up service account default/default: serviceaccount "default" not found'
	# the account that is about to be made is waited for
	{ sleep 0.3; orch-api -q -X POST -d '{"metadata":{"name":"default"}}' $NS/serviceaccounts; } 3>&- &
	api POST $NS/pods "$(pod b)"; made
	[ "$(of .spec.serviceAccountName)" = default ]
	[[ "$(of '.spec.volumes[0].name')" == kube-api-access-????? ]]
	[ "$(of '[.spec.containers[0].volumeMounts[0] | .mountPath, .readOnly]')" = '["/var/run/secrets/kubernetes.io/serviceaccount",true]' ]
	api POST $NS/pods "$(pod c ',"automountServiceAccountToken":false')"; made
	[ "$(of .spec.volumes)" = null ]
	wait
}

@test "certificates: nobody asks for the masters' group" {
	start_store
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -subj "/O=system:masters/CN=me" -out csr 2>/dev/null || skip "needs openssl"
	csr() { printf '{"metadata":{"name":"%s"},"spec":{"request":"%s","signerName":"%s","usages":["client auth"]}}' "$1" "$(base64 -w0 csr)" "$2"; }
	api POST /apis/certificates.k8s.io/v1/certificatesigningrequests "$(csr a kubernetes.io/kube-apiserver-client)"
	says 403 '*use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed'
	api POST /apis/certificates.k8s.io/v1/certificatesigningrequests "$(csr b example.com/other)"; made
}

@test "warnings about what is valid" {
	start_store
	api POST $NS/pods "$(pod a.b ',"nodeSelector":{"beta.kubernetes.io/os":"linux"}' '' ',"env":[{"name":"A","value":"1"},{"name":"A","value":"2"}],"resources":{"limits":{"memory":"100m"}}')"; made
	[[ $warnings == *'a DNS label is recommended: [must not contain dots]'* ]]
	[[ $warnings == *'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead'* ]]
	[[ $warnings == *'spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when using apply'* ]]
	[[ $warnings == *'spec.containers[0].resources.limits[memory]: fractional byte value \"100m\" is invalid, must be an integer'* ]]
	merge $NS/pods/a.b '{"metadata":{"labels":{"a":"b"}}}'
	[ -z "$warnings" ] # of Pods only when they are made
	api POST $NS/services '{"metadata":{"name":"s"},"spec":{"clusterIP":"None","ports":[{"port":80}],"loadBalancerIP":"010.0.0.1"}}'; made
	[[ $warnings == *'spec.loadBalancerIP is ignored for headless services'*'non-standard IP address \"010.0.0.1\"'*'use \"10.0.0.1\"'* ]]
	api POST $NS/secrets '{"metadata":{"name":"t"},"type":"kubernetes.io/tls","data":{"tls.crt":"","tls.key":""}}'; made
	[ "$warnings" = 'tls: failed to find any PEM data in certificate input' ]
	api POST /apis/networking.k8s.io/v1/namespaces/default/networkpolicies '{"metadata":{"name":"n"},"spec":{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.1/8"}}]}]}}'; made
	[ "$warnings" = 'spec.ingress[0].from[0].ipBlock.cidr: CIDR value \"10.0.0.1/8\" is ambiguous in this context (should be \"10.0.0.0/8\" or \"10.0.0.1/32\"?)' ]
	api POST $NS/endpoints '{"metadata":{"name":"e"},"subsets":[{"addresses":[{"ip":"2001:DB8:0:0::1"}],"ports":[{"port":80}]}]}'; made
	[[ $warnings == *'IPv6 address \"2001:DB8:0:0::1\" should be in RFC 5952 canonical format (\"2001:db8::1\")'* ]]
}

@test "so many warnings as a client's headers hold: cut, then left out" {
	start_store
	many() { jq -nc --argjson n "$1" --argjson len "$2" '{metadata:{name:"m"}} + ([range($n) | {key: ("x\(. + 100)" + "y" * $len), value: 1}] | from_entries)'; }
	api POST "$NS/configmaps?dryRun=All&fieldValidation=Warn" "$(many 10 300)"; made
	[ "$(wc -l <<<"$warnings")" = 10 ]
	[ "$(head -n 1 <<<"$warnings" | wc -c)" = $((300 + 4 + 19)) ] # x100, unknown field, quotes with backslashes, the newline
	api POST "$NS/configmaps?dryRun=All&fieldValidation=Warn" "$(many 40 300)"; made
	[ "$(wc -l <<<"$warnings")" = 16 ] # of 256 characters each
	[ "$(head -n 1 <<<"$warnings" | wc -c)" = $((256 + 2)) ]
	api POST "$NS/configmaps?dryRun=All&fieldValidation=Warn" '{"metadata":{"name":"m"},"a\nb":1,"c\"d":1}'; made
	[ "$warnings" = 'unknown field \"a\\nb\"
unknown field \"c\\\"d\"' ]
}

@test "plugins that are off until they are asked for" {
	start_store --enable-admission-plugins AlwaysPullImages,DenyServiceExternalIPs,ExtendedResourceToleration --enable-admission-plugins LimitPodHardAntiAffinityTopology,PodNodeSelector
	api POST $NS/pods "$(pod a ',"volumes":[{"name":"v","image":{"reference":"r","pullPolicy":"Never"}}],"initContainers":[{"name":"i","image":"i:1"}]' '' ',"resources":{"limits":{"example.com/b":"1"},"requests":{"example.com/b":"1"}}')"; made
	[ "$(of '[.spec.containers[0].imagePullPolicy, .spec.initContainers[0].imagePullPolicy, .spec.volumes[0].image.pullPolicy]')" = '["Always","Always","Always"]' ]
	[ "$(of '[.spec.tolerations[] | select(.effect == "NoSchedule")]')" = '[{"key":"example.com/b","operator":"Exists","effect":"NoSchedule"}]' ]
	anti() { pod "$1" ",\"affinity\":{\"podAntiAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"labelSelector\":{},\"topologyKey\":\"$2\"}]}}"; }
	api POST $NS/pods "$(anti b kubernetes.io/hostname)"; made
	api POST $NS/pods "$(anti x zone)"
	says 403 'pods "x" is forbidden: affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey zone but only key kubernetes.io/hostname is allowed'
	merge /api/v1/namespaces/default '{"metadata":{"annotations":{"scheduler.alpha.kubernetes.io/node-selector":"disk=ssd, zone=a"}}}'
	api POST $NS/pods "$(pod c ',"nodeSelector":{"disk":"ssd","x":"y"}')"; made
	[ "$(of '.spec.nodeSelector | [.disk, .zone, .x]')" = '["ssd","a","y"]' ]
	api POST $NS/pods "$(pod x ',"nodeSelector":{"disk":"slow"}')"
	says 403 'pods "x" is forbidden: pod node label selector conflicts with its namespace node label selector'
	merge /api/v1/namespaces/default '{"metadata":{"annotations":{"scheduler.alpha.kubernetes.io/node-selector":"a=b,c"}}}'
	api POST $NS/pods "$(pod x)"
	says 500 'invalid selector: \[c\]'
	api POST $NS/services '{"metadata":{"name":"s"},"spec":{"ports":[{"port":80}],"externalIPs":["10.0.0.1"]}}'
	says 403 'services "s" is forbidden: Use of external IPs is denied by admission control'
	api POST $NS/services '{"metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}}'; made
	merge $NS/services/s '{"spec":{"externalIPs":["10.0.0.1"]}}'
	says 403 '*Use of external IPs*'
}

@test "plugins can be switched off, and misspelt ones are refused" {
	start_store --disable-admission-plugins Priority,DefaultTolerationSeconds --disable-admission-plugins TaintNodesByCondition
	api POST $NS/pods "$(pod a)"; made
	[ "$(of '[.spec.priority, .spec.tolerations]')" = '[null,null]' ]
	api POST /api/v1/nodes '{"metadata":{"name":"n"}}'
	[ "$(of .spec.taints)" = null ]
	run -2 orch-store --data "$BATS_TEST_TMPDIR/d" --disable-admission-plugins Priorty
	[[ $output == *"cannot disable admission plugin 'Priorty': there is none of that name"* ]]
	run -2 orch-store --data "$BATS_TEST_TMPDIR/d" --enable-admission-plugins NodeRestriction
	[[ $output == *"cannot enable admission plugin 'NodeRestriction': orch does not have it"* ]]
	stop_all
	start_store --disable-admission-plugins ValidatingAdmissionWebhook # off as it is
}
