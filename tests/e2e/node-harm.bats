#!/usr/bin/env bats
# Containers that mean harm: the node stays usable, says what is wrong, and gets rid of them. Real containers.

load node.bash

setup() { node_setup; }
teardown() {
	thaw
	node_teardown
}

# what a frozen container's cgroup says: v1 and v2
freezers() { find /sys/fs/cgroup/freezer/orch /sys/fs/cgroup/orch -path "*$1*" \( -name freezer.state -o -name cgroup.freeze \) 2>/dev/null || true; }
thaw() {
	[ -z "${FROZEN:-}" ] || for f in $(freezers "$FROZEN"); do
		case $f in *state) echo THAWED >"$f" ;; *) echo 0 >"$f" ;; esac
	done
}

# program NAME 'JSON command' [YAML of the container]: Always restarted
program() { pod "$1" x "${3:-}" 'restartPolicy: Always' | sed "s|^    command:.*|    command: $2|"; }

until_api() { # POD FILTER [SECONDS]
	local end=$((SECONDS + ${3:-15}))
	while [ $SECONDS -le $end ]; do
		if api "$pods/$1" | jq -e "$2" >/dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	echo "# $1: $2 never came true: $(api "$pods/$1" | jq -c .status)" >&2
	cat "$T/err" >&2
	return 1
}

# a pod that does nothing wrong starts in normal time beside the others
well_starts() {
	create well 'while :; do sleep 0.1; done'
	until_api well '.status.phase == "Running"' 8
}

gone() { # SECONDS POD...: deleted all at once, all gone by then
	local end=$((SECONDS + $1)) p
	shift
	for p; do api "$pods/$p" -X DELETE >/dev/null; done
	for p; do
		while api "$pods/$p" >/dev/null; do
			[ $SECONDS -le $end ] || { echo "# $p is still there" >&2; cat "$T/err" >&2; return 1; }
			sleep 0.05
		done
	done
}

until_said() { # REGEX: in the node's log
	for _ in $(seq 200); do
		if grep -qE "$1" "$T/err"; then return 0; fi
		sleep 0.05
	done
	echo "# never said: $1" >&2
	cat "$T/err" >&2
	return 1
}

@test "what cannot be started: RunContainerError, StartError and 128, then CrashLoopBackOff" {
	{
		program missing '["/no/such"]'
		program folder '["/etc"]'
		program data '["/etc/passwd"]'
		program cwd '["sleep", "1000"]' 'workingDir: /etc/passwd'
		program script '["/www/index.html"]'
		program made '["sh", "-c", "pwd; sleep 1000"]' 'workingDir: /no/such/folder'
	} | start_node
	for p in missing folder data cwd script; do
		until_status $p '.containerStatuses[0] | .state.waiting.reason == "CrashLoopBackOff" and (.state.waiting.message | startswith("back-off 10s restarting failed container=c")) and
		  .restartCount == 1 and .ready == false and (.lastState.terminated | .exitCode == 128 and .reason == "StartError" and (.message | length > 0))' 20
		jq -se --arg n $p 'any(.[]; .metadata.name == $n and (.status.containerStatuses[0].state.waiting | .reason == "RunContainerError" and (.message | length > 0)))' "$T/out" >/dev/null
		until_said "pod default/$p: spec.containers\{c\}: Back-off restarting failed container c in pod ${p}_default\("
	done
	until_status made '.phase == "Running"'
	[ "$(logs made)" = /no/such/folder ]
}

@test "an OOM loop: OOMKilled, 137, CrashLoopBackOff; a child that is killed alone; others go on" {
	with_store
	create other 'while :; do sleep 0.1; done' '' 'restartPolicy: Always'
	create loop 'x=$(head -c 60m /dev/zero | tr "\0" x); echo $x | wc -c' 'resources: {limits: {memory: 16Mi}}' 'restartPolicy: Always'
	create child 'sh -c "x=\$(head -c 60m /dev/zero | tr \"\\0\" \"x\"); echo \$x" >/dev/null; exit 3' 'resources: {limits: {memory: 16Mi}}'
	until_api loop '.status.containerStatuses[0] | .state.waiting.reason == "CrashLoopBackOff" and .restartCount == 1 and (.lastState.terminated | .reason == "OOMKilled" and .exitCode == 137)'
	until_api child '.status | .phase == "Failed" and (.containerStatuses[0].state.terminated | .reason == "OOMKilled" and (.exitCode == 3 or .exitCode == 137))'
	well_starts
	until_said 'pod default/loop: .*Back-off restarting failed container c in pod loop_default'
	until_api other '.status.containerStatuses[0] | .restartCount == 0 and .ready' 1
}

@test "a fork bomb, the deaf, the stopped, the frozen, floods and folders without end: all end in time" {
	with_store --pod-pids 200
	create bomb 'b() { b | b & }; b; sleep 1000' '' 'restartPolicy: Always'
	create deaf 'trap "" TERM INT; while :; do sleep 1000; done'
	create daemons 'for i in 1 2 3; do (setsid sh -c "trap \"\" TERM; sleep 1000 & sleep 2000" &); done; trap "" TERM; sleep 3000 & wait'
	create stopped 'kill -STOP $$; sleep 1000'
	create frozen 'sleep 1000'
	create flood 'yes | tr -d "\n"'
	create zeros 'cat /dev/zero'
	create deep 'cd /v; i=0; while [ $i -lt 3000 ]; do mkdir d && cd d || break; i=$((i + 1)); done; sleep 1000' 'volumeMounts: [{name: v, mountPath: /v}]' 'volumes: [{name: v, emptyDir: {}}]'
	for p in bomb deaf daemons stopped frozen flood zeros deep; do until_api $p '.status.phase == "Running"' 20; done
	FROZEN=$(api $pods/frozen | jq -r .metadata.uid)
	f=$(freezers "$FROZEN" | awk '{ print length, $0 }' | sort -n | tail -n 1 | cut -d' ' -f2)
	case $f in *state) echo FROZEN >"$f" ;; *) echo 1 >"$f" ;; esac
	well_starts
	gone 10 bomb deaf daemons stopped frozen flood zeros deep # grace is 2 s
	until_api well '.status.containerStatuses[0] | .restartCount == 0 and .ready' 1
	gone 6 well
	[ -z "$(processes "$T/n")" ]
	[ -z "$(ls "$T/n/pods")" ]
	[ -z "$(freezers "$FROZEN")" ]
}

@test "exec probes that hang, flood, talk in bytes or leave children behind" {
	s='while :; do sleep 0.1; done'
	{
		pod hangs "$s" 'livenessProbe: {exec: {command: [sh, -c, "sleep 1000"]}, periodSeconds: 1, failureThreshold: 1}' 'restartPolicy: Always'
		pod floods "$s" 'readinessProbe: {exec: {command: [sh, -c, "yes | head -c 50000000; exit 1"]}, periodSeconds: 1, timeoutSeconds: 9}'
		pod bytes "$s" 'readinessProbe: {exec: {command: [sh, -c, "printf \"a\\\\377b\"; exit 3"]}, periodSeconds: 1}'
		pod mute "$s" 'readinessProbe: {exec: {command: [sh, -c, "exit 3"]}, periodSeconds: 1}'
		pod children "$s" 'readinessProbe: {exec: {command: [sh, -c, "sleep 1000 & exit 0"]}, periodSeconds: 1}'
	} | start_node
	until_said 'pod default/hangs: .*: Liveness probe failed: command timed out: "sh -c sleep 1000" timed out after 1s$'
	until_said 'pod default/floods: .*: Readiness probe failed: y$'
	until_said 'pod default/bytes: .*: Readiness probe failed: a�b$'
	until_said 'pod default/mute: .*: Readiness probe failed: command "sh -c exit 3" exited with status 3$'
	until_status children '.containerStatuses[0].ready'
	until_status hangs '.containerStatuses[0].lastState.terminated.exitCode == 137'
	[ "$(grep -c 'default/hangs.*Liveness probe failed' "$T/err")" -le 3 ] # none while it is being ended
}

@test "http probes: slow headers, headers without end, a large page, another protocol" {
	serve() { echo "while :; do { $1; } | nc -l -p 8080; done"; }
	probe='readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}'
	{
		pod slow "$(serve 'printf "HTTP/1.1 200 OK\r\n"; while :; do echo "X: y"; sleep 0.2; done')" "$probe"
		pod endless "$(serve 'printf "HTTP/1.1 200 OK\r\n"; yes "X-Header: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"')" "$probe"
		pod telnet "$(serve 'echo hello')" "$probe"
		pod large 'mkdir /tmp/w; head -c 3000000 /dev/zero >/tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w' "$probe"
	} | start_node
	until_said 'pod default/slow: .*: Readiness probe failed: Get "http://[0-9.]+:8080/": context deadline exceeded'
	until_said 'pod default/endless: .*: Readiness probe failed: Get "http://[0-9.]+:8080/": Too large response headers'
	until_said 'pod default/telnet: .*: Readiness probe failed: Get "http://[0-9.]+:8080/": Received HTTP/0.9'
	until_status large '.containerStatuses[0].ready'
	status slow '.containerStatuses[0].ready' | grep -qx false
}

@test "hooks: one that hangs holds up nobody else and ends politely; one that fails is told, and preStop runs" {
	with_store
	create hangs 'trap "echo asked; exit 0" TERM; while :; do sleep 0.1; done' 'lifecycle: {postStart: {exec: {command: [sleep, "1000"]}}, preStop: {exec: {command: [sh, -c, "echo before >/proc/1/fd/1"]}}}'
	create fails 'while :; do sleep 0.1; done' 'lifecycle: {postStart: {exec: {command: [sh, -c, "echo no; exit 7"]}}, preStop: {exec: {command: [sh, -c, "echo stopped >/proc/1/fd/1"]}}}'
	create late 'while :; do sleep 0.1; done' 'lifecycle: {preStop: {exec: {command: [sleep, "1000"]}}}'
	until_said 'pod default/fails: .*: PostStartHook failed: no$'
	until_api fails '.status.phase == "Failed"'
	[ "$(logs fails)" = stopped ]
	well_starts
	until_api late '.status.phase == "Running"'
	until_api hangs '.status | .phase == "Pending" and .containerStatuses[0].state.waiting.reason == "ContainerCreating"'
	cp -rl "$T"/n/log/pods/default_hangs_* "$T/hangs" # they go with the pod
	gone 9 hangs late fails
	[ "$(sed -E 's/^[^ ]+ [a-z]+ F //' "$T"/hangs/c/0.log)" = "before
asked" ]
	until_said 'pod default/late: .*: PreStopHook failed: not done within the grace period'
	api "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=fails" | jq -e '[.items[] | "\(.reason) \(.message)"] | contains(["Killing FailedPostStartHook", "FailedPostStartHook PostStartHook failed: no"])'
}

registry() { # a registry that means harm (hostile_registry.py), on $PORT
	command -v python3 >/dev/null || skip "needs python3"
	mkdir "$T/x"; tar -C "$T/x" -xf "$T/image.tar"
	python3 "$BATS_TEST_DIRNAME/../cmd/hostile_registry.py" "$T/x" >"$T/port" 2>"$T/asked" 3>&- &
	echo $! >"$T/registry.pid"
	for _ in $(seq 100); do [ -s "$T/port" ] && break; sleep 0.05; done
	read -r PORT _ <"$T/port"
}

# pulls NAME MODE [POLICY]: a pod of an image of that registry
pulls() { pod "$1" 'while :; do sleep 0.1; done' "imagePullPolicy: ${3:-IfNotPresent}" | sed "s|image: web:1|image: 127.0.0.1:$PORT/$2/web:1|"; }

@test "pulls that fail: each with its reason and cause, none holds up another, and they recover" {
	registry
	: >"$T/x/down"
	{
		pulls hangs hang
		pulls slow trickle
		pulls broken broken
		pulls bad wrongdigest
		pulls escapes dotdot
		pulls down down
		pulls never attested Never
		pulls name 'UPPER//'
		pulls ok ok
	} | start_node --image-pull-progress-deadline 1s
	until_status ok '.phase == "Running"' 10
	until_status broken '.containerStatuses[0].state.waiting | .reason == "ImagePullBackOff" and (.message | test("^Back-off pulling image \"127.0.0.1:.*/broken/web:1\": ErrImagePull: .*answers HTTP 500"))'
	until_status bad '.containerStatuses[0].state.waiting | .reason == "ImagePullBackOff" and (.message | test("is damaged: its digest is"))'
	until_status escapes '.containerStatuses[0].state.waiting.message | test("cannot unpack .*escaped")'
	until_status hangs '.containerStatuses[0].state.waiting | .reason == "ImagePullBackOff" and (.message | test("Operation too slow"))'
	until_status never '.containerStatuses[0].state.waiting | .reason == "ErrImageNeverPull"'
	until_status name '.containerStatuses[0].state.waiting | .reason == "InvalidImageName"'
	for p in hangs broken bad escapes down; do
		jq -se --arg n $p 'any(.[]; .metadata.name == $n and .status.containerStatuses[0].state.waiting.reason == "ErrImagePull")' "$T/out" >/dev/null
		until_said "pod default/$p: .*: Failed to pull image \"127.0.0.1:$PORT/.*/web:1\": "
		until_said "pod default/$p: .*: Error: ErrImagePull"
		until_said "pod default/$p: .*: Error: ImagePullBackOff"
	done
	rm "$T/x/down"
	until_status down '.phase == "Running"' 20
	until_status slow '.containerStatuses[0].state.waiting.message | test("Operation too slow")' 20
}

@test "another image while the old one is pulled, which would take for ever: it is not waited for" {
	registry
	with_store
	pulls p hang | orch-parse | jq -c '.metadata.namespace = "default" | .spec.nodeName = "n1"' | api $pods --data-binary @- >/dev/null
	for _ in $(seq 300); do grep -q hang/web "$T/asked" && break; sleep 0.1; done
	grep hang/web "$T/asked"
	TYPE=application/strategic-merge-patch+json api $pods/p -X PATCH \
		--data-binary '{"spec": {"containers": [{"name": "c", "image": "web:1"}]}}' >/dev/null
	until_api p '.status.phase == "Running" and (.status.containerStatuses[0] | .image == "docker.io/library/web:1" and .restartCount == 0)' 40
	api $pods/p | jq -e '.status.containerStatuses[0].lastState == {}'
}

@test "an image that was damaged behind the node's back: pulled again; Never says what is wrong" {
	registry
	orch-image --data "$T/n" pull "127.0.0.1:$PORT/ok/web:1" >/dev/null
	rm -rf "$T"/n/images/layers/[0-9a-f]*
	{ pulls again ok; pulls never ok Never; pod imported 'sleep 1000'; } | start_node
	until_status again '.phase == "Running"'
	# the layer came back with it, for all who share it
	until_status never '.phase == "Running" or (.containerStatuses[0].state.waiting | .reason == "ImageInspectError" and (.message | test("layer sha256:[0-9a-f]+ is gone")))'
	end_node
	rm -rf "$T"/n/images/layers/[0-9a-f]* "$T"/n/pods
	{ pulls never ok Never; pod imported 'sleep 1000'; } | start_node
	until_status never '.containerStatuses[0].state.waiting | .reason == "ImageInspectError" and (.message | test("layer sha256:[0-9a-f]+ is gone"))'
	until_said 'pod default/never: .*: Failed to inspect image "127.0.0.1:.*/ok/web:1": image .* is damaged: layer sha256:[0-9a-f]+ is gone'
	until_status imported '.containerStatuses[0].state.waiting.message | test("cannot pull image .web:1. again: .*is damaged: layer sha256:[0-9a-f]+ is gone")'
}

@test "a container took all inotify instances: the node starts, static pods too, logs are followed" {
	command -v cc >/dev/null || skip "needs a C compiler"
	echo '#include <errno.h>
	int inotify_init1(int flags) { (void)flags; errno = EMFILE; return -1; }' | cc -shared -fPIC -x c -o "$T/none.so" -
	mkdir "$T/static"
	pod fixed 'for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 0.3; done; while :; do sleep 0.1; done' >"$T/static/a.yaml"
	LD_PRELOAD=$T/none.so with_store --manifests "$T/static"
	until_api fixed-n1 '.status.phase == "Running"'
	LD_PRELOAD=$T/none.so timeout 10 orch-logs -s "unix:$T/sock" -f pod/fixed-n1 >"$T/followed" 2>"$T/said" 3>&- &
	for _ in $(seq 100); do grep -qx 9 "$T/followed" && break; sleep 0.1; done
	[ "$(tr -d '\n' <"$T/followed")" = 123456789 ] || { cat "$T/said" "$T/err"; return 1; }
	kill $!
}

@test "huge numbers: 12 containers, 1,000 variables, long arguments, a ConfigMap of 2,000 keys" {
	with_store
	jq -nc '{kind: "ConfigMap", apiVersion: "v1", metadata: {name: "big"}, data: ([range(2000) | {key: "k\(.)", value: ("v" * 90)}] | from_entries)}' |
		api /api/v1/namespaces/default/configmaps --data-binary @- >/dev/null
	make_pod() { orch-parse | jq -c --argjson n 12 '.metadata.namespace = "default" | .spec.nodeName = "n1" | '"$1" | api $pods --data-binary @- >/dev/null; }
	pod many x | make_pod '.spec.containers = [range($n) as $i | .spec.containers[0] | .name = "c\($i)" | .command = ["sleep", "1000"]]'
	pod env x | make_pod '.spec.containers[0] |= (.env = [range(1000) | {name: "E\(.)", value: ("x" * 100)}] | .command = ["sh", "-c", "env | grep -c ^E"])'
	pod args x | make_pod '.spec.containers[0].command = (["sh", "-c", "echo $# ${#1}", "sh"] + [range(200) | ("a" * 4096)])'
	pod files 'ls /v | wc -l; cat /v/k1999 | wc -c' 'volumeMounts: [{name: v, mountPath: /v}]' 'restartPolicy: Never
volumes: [{name: v, configMap: {name: big}}]' | make_pod .
	pod keys 'env | grep -c ^k' 'envFrom: [{configMapRef: {name: big}}]' | make_pod .
	for p in env args files keys; do until_api $p '.status.phase == "Succeeded"' 30; done
	until_api many '[.status.containerStatuses[] | select(.ready)] | length == 12' 30
	[ "$(logs env)" = 1000 ] && [ "$(logs args)" = "200 4096" ] && [ "$(logs keys)" = 2000 ]
	[ "$(logs files)" = "2000
90" ]
	gone 15 many
}
