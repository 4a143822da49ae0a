#!/usr/bin/env bats
# The life of pods and their containers, as the kubelet has it. Real containers.

load node.bash

setup() { node_setup; }
teardown() { node_teardown; }

# also NAME COMMAND: one more container, behind what pod() says
also() {
	cat <<-EOF
	  - name: $1
	    image: web:1
	    command: [sh, -c, $(jq -n --arg c "$2" '$c')]
	EOF
}

until_api() { # PATH FILTER [SECONDS]
	local end=$((SECONDS + ${3:-15}))
	while [ $SECONDS -le $end ]; do
		if api "$1" | jq -e "$2" >/dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	echo "# $1: $2 never came true: $(api "$1" | jq -c .status)" >&2
	cat "$T/err" >&2
	return 1
}

@test "ephemeral containers: added to a running pod, once, in the namespaces of their target" {
	with_store
	create web 'echo hello; while :; do sleep 0.1; done' '' 'initContainers: [{name: i, image: "web:1", command: ["true"]}]'
	until_api $pods/web '.status.phase == "Running"'
	TYPE=application/strategic-merge-patch+json api $pods/web/ephemeralcontainers -X PATCH --data-binary '{"spec": {"ephemeralContainers": [
	  {"name": "inside", "image": "web:1", "targetContainerName": "c",
	   "command": ["sh", "-c", "tr \"\\0\" \" \" </proc/1/cmdline; cat /proc/1/root/www/index.html; sleep 1000"]},
	  {"name": "beside", "image": "web:1", "command": ["sh", "-c", "echo $$$$; exit 3"]},
	  {"name": "lost", "image": "web:1", "targetContainerName": "i"}]}}' >/dev/null
	until_api $pods/web '[.status.ephemeralContainerStatuses[].state | keys[0]] == ["running", "terminated", "waiting"]'
	api $pods/web | jq -e '.status.ephemeralContainerStatuses | (.[1].state.terminated.exitCode == 3)
	  and .[1].restartCount == 0 and (.[0].ready | not) and (.[0] | has("started") | not)
	  and .[2].state.waiting.reason == "CreateContainerConfigError"'
	for _ in $(seq 50); do [[ $(logs web inside) == *hello ]] && break; sleep 0.1; done
	[[ $(logs web inside) == "sh -c echo"*hello ]]
	[ "$(logs web beside)" = 1 ] # a PID namespace of its own
	api $pods/web | jq -e '.status.phase == "Running" and .status.containerStatuses[0].restartCount == 0'

	end_node KILL # they go on, and are still known
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
	sleep 1
	until_api $pods/web '[.status.ephemeralContainerStatuses[].state | keys[0]] == ["running", "terminated", "waiting"]'
	api $pods/web -X DELETE >/dev/null
	for _ in $(seq 100); do api $pods/web >/dev/null || break; sleep 0.1; done
	run api $pods/web
	[ "$status" != 0 ]
	[ -z "$(processes "$T/n")" ]
}

@test "ephemeral containers: they do not hold up the end of a pod" {
	pod short 'sleep 1' '' 'restartPolicy: Never
ephemeralContainers: [{name: e, image: "web:1", command: [sleep, "1000"]}]' | run_pods
	[ "$(status short .phase)" = Succeeded ]
	[ "$(status short '.ephemeralContainerStatuses[0].state.terminated.exitCode')" -ge 137 ]
}

@test "shareProcessNamespace: one PID namespace with a first process that reaps, and shows nothing of the machine" {
	{ pod share 'echo c: $(tr "\0" " " </proc/1/cmdline); ls /proc/1/root/ 2>&1 | tail -n 1; id -u; while :; do sleep 0.1; done' \
		'securityContext: {capabilities: {add: [SYS_PTRACE]}}' 'restartPolicy: Always
shareProcessNamespace: true
ephemeralContainers: [{name: e, image: "web:1", targetContainerName: c, command: [sh, -c, "ps -o comm | grep -c ^pause"]}]'
	also d '(sh -c "sleep 0.1 & exit"); sleep 1; ps -o comm,stat >/out; grep -c Z /out; grep -c ^pause /out; grep -c ^sh /out; sleep 1000'
	} | start_node
	until_status share '.phase == "Running"'
	for _ in $(seq 50); do [ "$(logs share d | wc -l)" = 3 ] && break; sleep 0.1; done
	[ "$(logs share)" = $'c: pause\n0' ] # its root is empty
	[ "$(logs share d)" = $'0\n1\n2' ]
	until_status share '.ephemeralContainerStatuses[0].state.terminated != null'
	[ "$(logs share e)" = 1 ]
	pid=$(cat "$T"/n/pods/*/ns/pause)
	[ "$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")" -le 1024 ]
	[ "$(awk '/^Cap(Prm|Eff|Bnd):/ && $1 != "CapBnd:" { print $2 }' "/proc/$pid/status" | sort -u)" = 0000000000000000 ]
	end_node KILL
	kill -0 "$pid"
	orch-node --data "$T/n" --name n --pod-cidr "$CIDR" --pods "$T/pods" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
	sleep 1
	until_status share '.phase == "Running" and .containerStatuses[0].restartCount == 0'
	kill -0 "$pid"
	kill -9 "$pid" # with it all of them; a new sandbox is made
	until_status share '.phase == "Running" and .containerStatuses[0].restartCount > 0 and ([.containerStatuses[].ready] | all)' 30
	end_node
	[ -z "$(processes "$T/n")" ]
	[ -z "$(grep -l "$T/n" /proc/[0-9]*/mountinfo 2>/dev/null)" ]
}

@test "shareProcessNamespace: what a container leaves running ends with it" {
	{ pod left 'sleep 1000 & sleep 0.5; exit 3' '' 'restartPolicy: Never
shareProcessNamespace: true'
	also d 'sleep 3; ps -o args | grep -c "^sleep 1000"'
	} >"$T/in"
	run run_pods <"$T/in"
	[ "$(status left '.containerStatuses[0].state.terminated.exitCode')" = 3 ]
	[ "$(logs left d)" = 0 ]
}

@test "restart rules: by exit code, over the pod's policy; sidecars end in reverse order after the others" {
	rule='restartPolicy: Never
restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]'
	{
		pod again 'echo run; [ -e /v/x ] && exit 7; touch /v/x; exit 42' "$rule
volumeMounts: [{name: v, mountPath: /v}]" 'restartPolicy: Never
volumes: [{name: v, emptyDir: {}}]'
		side='image: "web:1", restartPolicy: Always, volumeMounts: [{name: v, mountPath: /v}]'
		pod sides 'trap "echo app >>/v/order; exit" TERM; while :; do sleep 0.1; done' 'volumeMounts: [{name: v, mountPath: /v}]' "restartPolicy: Always
volumes: [{name: v, hostPath: {path: $T}}]
initContainers:
- {name: one, $side, command: [sh, -c, 'trap \"sleep 0.3; echo one >>/v/order; exit\" TERM; while :; do sleep 0.1; done']}
- {name: two, $side, command: [sh, -c, 'trap \"sleep 0.3; echo two >>/v/order; exit\" TERM; while :; do sleep 0.1; done']}"
	} | sed 's/Seconds: 2$/Seconds: 10/' | start_node
	until_status again '.phase == "Failed"'
	status again '.containerStatuses[0] | .restartCount == 1 and .state.terminated.exitCode == 7 and .lastState.terminated.exitCode == 42' | grep -qx true
	until_status sides '[.containerStatuses[], .initContainerStatuses[]] | all(.started)'
	end_node
	[ "$(cat "$T/order")" = $'app\ntwo\none' ]
}

@test "names: Services in the environment, the cluster's DNS, hostnames" {
	with_store --cluster-dns 10.96.0.10 --cluster-domain c.local
	api /api/v1/namespaces/default/services --data-binary '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "my-db"},
	  "spec": {"clusterIP": "10.96.7.7", "ports": [{"port": 5432}]}}' >/dev/null
	create named 'echo $MY_DB_SERVICE_HOST $MY_DB_PORT_5432_TCP_PORT $OWN; hostname; cat /etc/resolv.conf; grep -c "named.sub.default.svc.c.local.named$" /etc/hosts; sleep 1000' \
		'env: [{name: OWN, value: "at $(MY_DB_SERVICE_PORT)"}]' 'subdomain: sub
setHostnameAsFQDN: true
dnsConfig: {options: [{name: ndots, value: "2"}]}'
	create bare 'set | grep -c MY_DB; sleep 1000' '' 'enableServiceLinks: false'
	until_api $pods/named '.status.phase == "Running"'
	until_api $pods/bare '.status.phase == "Running"'
	for _ in $(seq 50); do [ "$(logs named | wc -l)" -ge 6 ] && break; sleep 0.1; done
	logs named >"$T/said"
	[ "$(sed -n 1,2p "$T/said")" = $'10.96.7.7 5432 at 5432\nnamed.sub.default.svc.c.local' ]
	grep -q '^search default.svc.c.local svc.c.local c.local' "$T/said"
	grep -qx 'nameserver 10.96.0.10' "$T/said"
	grep -qx 'options ndots:2' "$T/said"
	[ "$(tail -n 1 "$T/said")" = 1 ]
	[ "$(logs bare)" = 0 ]
}

events() { # POD: reason, where, message
	api "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=$1" |
		jq -r '.items | sort_by(.firstTimestamp)[] | "\(.reason) \(.involvedObject.fieldPath) \(.message)"'
}

@test "events: in the kubelet's words, at the container they are of; conditions and readiness gates" {
	with_store --backoff 2s
	create web 'while :; do sleep 0.1; done' 'readinessProbe: {exec: {command: ["false"]}, periodSeconds: 1}' 'restartPolicy: Always'
	create crash 'exit 1' '' 'restartPolicy: Always'
	until_api $pods/web '.status.phase == "Running"'
	until_api $pods/crash '.status.containerStatuses[0].state.waiting | .reason == "CrashLoopBackOff" and
	  (.message // "" | test("^back-off [248]s restarting failed container=c pod=crash_default"))'
	for _ in $(seq 50); do events web | grep -q Unhealthy && break; sleep 0.1; done
	events web | grep -Fqx 'Pulled spec.containers{c} Container image "web:1" already present on machine and can be accessed by the pod'
	events web | grep -Fqx 'Created spec.containers{c} Container created'
	events web | grep -Fqx 'Started spec.containers{c} Container started'
	events web | grep -q '^Unhealthy spec.containers{c} Readiness probe failed: '
	events crash | grep -q '^BackOff spec.containers{c} Back-off restarting failed container c in pod crash_default('
	api $pods/web | jq -e '.metadata.generation as $g | .status.conditions | map(select(.type == "Ready"))[0] |
	  .message == "containers with unready status: [c]" and .reason == "ContainersNotReady" and .observedGeneration == $g'
	create gated 'sleep 1000' '' 'readinessGates: [{conditionType: example.com/gate}]'
	until_api $pods/gated '.status.conditions | map(select(.type == "Ready"))[0] | .reason == "ReadinessGatesNotReady" and
	  .message == "corresponding condition of pod readiness gate \"example.com/gate\" does not exist."'
	TYPE=application/strategic-merge-patch+json api $pods/gated/status -X PATCH --data-binary \
		'{"status": {"conditions": [{"type": "example.com/gate", "status": "True"}]}}' >/dev/null
	until_api $pods/gated '.status.conditions | map(select(.type == "Ready"))[0].status == "True"'
	api $pods/web -X DELETE >/dev/null
	for _ in $(seq 100); do api $pods/web >/dev/null || break; sleep 0.05; done
	events web | grep -Fqx 'Killing spec.containers{c} Stopping container c'
}

@test "lifecycle.stopSignal: of the container, before the image's" {
	pod own 'trap "echo usr1; exit 0" USR1; while :; do sleep 0.1; done' 'lifecycle: {stopSignal: SIGUSR1}' | start_node
	until_status own '.phase == "Running" and .containerStatuses[0].stopSignal == "SIGUSR1"'
	end_node
	[ "$(logs own)" = usr1 ]
}

@test "logs are turned over when they are large" {
	pod talk 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "line $i ........................................"; [ $((i % 30)) = 0 ] && sleep 0.1; done; echo end; sleep 1000' |
		start_node --container-log-max-size 30Ki --container-log-max-files 3 --container-log-monitor-interval 500ms
	until_status talk '.phase == "Running"'
	folder=$(echo "$T"/n/log/pods/default_talk_*/c)
	for _ in $(seq 300); do cat "$folder"/0.log* | grep -q 'F end$' && break; sleep 0.1; done
	sleep 1.2 # it may be turned over once more
	cat "$folder"/0.log* | grep -q 'F end$'
	[ "$(find "$folder" -name '0.log.*' | wc -l)" = 2 ]
	[ "$(stat -c %s "$folder/0.log")" -lt 100000 ]
	[ "$(find "$folder" -name '*.tmp' | wc -l)" = 0 ]
	# not one line is missing from one file to the next
	cat "$folder"/0.log.* "$folder/0.log" | sed -n 's/.* F line \([0-9]*\) .*/\1/p' >"$T/numbers"
	[ "$(wc -l <"$T/numbers")" = "$(($(tail -n 1 "$T/numbers") - $(head -n 1 "$T/numbers") + 1))" ]
	[ "$(tail -n 1 "$T/numbers")" = 3000 ]
}

@test "an image that is changed: a container that runs begins again, one that waits for the old one does so no longer" {
	with_store
	orch-image --data "$T/n" import "$T/image.tar" web:2 >/dev/null
	change() { TYPE=application/strategic-merge-patch+json api "$pods/$1" -X PATCH --data-binary "{\"spec\": {\"containers\": [{\"name\": \"c\", \"image\": \"$2\"}]}}" >/dev/null; }
	pod waits 'while :; do sleep 0.1; done' 'imagePullPolicy: IfNotPresent' | sed 's|image: web:1|image: 127.0.0.1:1/x:1|' | orch-parse |
		jq -c '.metadata.namespace = "default" | .spec.nodeName = "n1"' | api $pods --data-binary @- >/dev/null
	create runs 'trap "exit 0" TERM; while :; do sleep 0.1; done' 'imagePullPolicy: IfNotPresent' 'restartPolicy: Never'
	until_api $pods/waits '.status.containerStatuses[0].state.waiting.reason == "ImagePullBackOff"'
	until_api $pods/runs '.status.phase == "Running"'
	change waits web:2
	change runs web:2
	until_api $pods/waits '.status | .phase == "Running" and .containerStatuses[0].image == "docker.io/library/web:2" and .containerStatuses[0].restartCount == 0' 6
	until_api $pods/runs '.status | .phase == "Running" and (.containerStatuses[0] | .image == "docker.io/library/web:2" and .restartCount == 1 and .state.running != null)'
	events runs | grep -Fqx 'Killing spec.containers{c} Container c definition changed, will be restarted'
	api $pods/runs | jq -e '.status.containerStatuses[0].lastState.terminated.exitCode == 0'
}
