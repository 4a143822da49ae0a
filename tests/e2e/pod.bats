# orch-pod: one pod by hand, real containers, and nothing left of them.
BIN=${BIN:-$BATS_TEST_DIRNAME/../../build/bin}

setup_file() {
	export DIR=$(mktemp -d)
	if [ "$(id -u)" = 0 ] && command -v busybox >/dev/null && command -v conmon >/dev/null; then
		"$BATS_TEST_DIRNAME/../../scripts/busybox-image" - web:1 /www/index.html=hello |
			"$BIN/orch-image" --root "$DIR" import - web:1 >/dev/null
	fi
}

teardown_file() { rm -rf "$DIR"; }

setup() {
	[ "$(id -u)" = 0 ] || skip "containers need root"
	command -v busybox >/dev/null || skip "needs busybox-static"
	command -v conmon >/dev/null || skip "needs conmon"
	T=$(mktemp -d)
}

teardown() {
	[ -n "${T:-}" ] || return 0
	pod list | jq -r .metadata.name | while read -r p; do pod --now stop "$p"; done
	rm -rf "$T"
}

pod() { "$BIN/orch-pod" --root "$T" --images "$DIR" "$@"; }

# manifest NAME COMMAND [YAML of the container] [YAML of the spec]
manifest() {
	cat <<-END
	apiVersion: v1
	kind: Pod
	metadata: {name: $1}
	spec:
	  terminationGracePeriodSeconds: 1
	$(printf '%s\n' "${4:-restartPolicy: Never}" | sed 's/^/  /')
	  containers:
	  - name: c
	    image: web:1
	    command: [sh, -c, $(jq -n --arg c "$2" '$c')]
	$(printf '%s\n' "${3:-}" | sed 's/^/    /')
	END
}

clean() { # nothing of the pods below $T is left
	[ -z "$(ls "$T")" ]
	run grep -F "$T" /proc/self/mountinfo
	[ -z "$output" ]
	run grep -slaF "$T" /proc/[0-9]*/cmdline
	[ -z "$(grep -v "/$$/\|/self/" <<<"$output")" ]
}

@test "run: output, streams apart, the container's exit status, nothing left" {
	manifest a 'echo out; echo err >&2; exit 7' >"$T.in"
	status=0
	pod run <"$T.in" >"$T.out" 2>"$T.err" || status=$?
	[ "$status" -eq 7 ]
	[ "$(cat "$T.out")" = out ]
	[ "$(cat "$T.err")" = err ]
	clean
	rm "$T.in" "$T.out" "$T.err"
}

@test "run: several containers by name, init first; OnFailure until it succeeds" {
	cat >"$T.in" <<-'END'
	apiVersion: v1
	kind: Pod
	metadata: {name: b}
	spec:
	  restartPolicy: OnFailure
	  volumes: [{name: v, emptyDir: {}}]
	  initContainers: [{name: i, image: "web:1", command: [sh, -c, "echo first; echo x >/v/n"], volumeMounts: [{name: v, mountPath: /v}]}]
	  containers:
	  - {name: one, image: "web:1", command: [sh, -c, "echo x >>/v/n; wc -l </v/n; [ $(wc -l </v/n) = 3 ]"], volumeMounts: [{name: v, mountPath: /v}]}
	  - {name: two, image: "web:1", command: [echo, hi]}
	END
	run pod run <"$T.in"
	rm "$T.in"
	[ "$status" -eq 0 ]
	[ "$(grep -v ' \[two\]' <<<"$output" | grep '\[i\]\|\[one\]')" = "[i] first
[one] 2
[one] 3" ]
	grep -qx '\[two\] hi' <<<"$output"
	clean
}

@test "run: configuration from the same stream, a Deployment and a Job; what is left out is told" {
	{
		printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: from the map}\n---\n'
		printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: sec}\nstringData: {f: hidden}\n---\n'
		cat <<-'END'
		apiVersion: batch/v1
		kind: Job
		metadata: {name: job}
		spec:
		  completions: 3
		  backoffLimit: 2
		  template:
		    spec:
		      restartPolicy: Never
		      nodeSelector: {disk: ssd}
		      runtimeClassName: fast
		      volumes: [{name: s, secret: {secretName: sec}}]
		      containers:
		      - name: c
		        image: web:1
		        command: [sh, -c, 'echo $V; cat /s/f; echo; hostname']
		        env: [{name: V, valueFrom: {configMapKeyRef: {name: conf, key: k}}}]
		        volumeMounts: [{name: s, mountPath: /s}]
		END
	} >"$T.in"
	pod run <"$T.in" >"$T.out" 2>"$T.err"
	[ "$(cat "$T.out")" = "from the map
hidden
job" ]
	for f in spec.completions spec.backoffLimit 'spec.nodeSelector.disk' 'spec.runtimeClassName'; do
		grep -q "Job 'job': $f is not honoured: " "$T.err"
	done
	[ "$(wc -l <"$T.err")" -eq 4 ]
	pod -q run <"$T.in" 2>"$T.err" >/dev/null
	[ ! -s "$T.err" ]
	rm "$T.in" "$T.out" "$T.err"
}

@test "run: an image that is not there, a missing ConfigMap, a refused sysctl: named, nothing left" {
	run pod run < <(manifest a true | sed 's/web:1/none:1\n    imagePullPolicy: Never/')
	[ "$status" -eq 2 ]
	[[ $output == *"none:1"* ]]
	run pod run < <(manifest a true 'envFrom: [{configMapRef: {name: absent}}]')
	[ "$status" -eq 2 ]
	[[ $output == *"ConfigMap 'absent' not found"* ]]
	run pod run < <(manifest a true '' 'restartPolicy: Never
securityContext: {sysctls: [{name: vm.swappiness, value: "1"}]}')
	[ "$status" -eq 2 ]
	[[ $output == *SysctlForbidden* ]]
	clean
}

@test "run: SIGTERM ends it within its grace period, a second one at once" {
	manifest a 'trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.1; done' >"$T.in"
	"$BIN/orch-pod" --root "$T" --images "$DIR" run <"$T.in" >"$T.out" 3>&- &
	pid=$!
	for _ in $(seq 200); do grep -q up "$T.out" && break; sleep 0.05; done
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ "$status" -eq 5 ]
	grep -qx bye "$T.out"
	sed -i 's/terminationGracePeriodSeconds: 1/terminationGracePeriodSeconds: 300/' "$T.in"
	sed -i 's/exit 5/:/' "$T.in"
	"$BIN/orch-pod" --root "$T" --images "$DIR" run <"$T.in" >"$T.out" 3>&- &
	pid=$!
	for _ in $(seq 200); do grep -q up "$T.out" && break; sleep 0.05; done
	kill -TERM $pid
	for _ in $(seq 200); do grep -q bye "$T.out" && break; sleep 0.05; done
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ "$status" -eq 137 ]
	clean
	rm "$T.in" "$T.out"
}

@test "start, list, logs, stop; two pods have two addresses" {
	for p in a b; do
		[ "$(pod start < <(manifest $p 'echo I am $(hostname); httpd -f -h /www' '' 'restartPolicy: Always'))" = $p ]
	done
	[ "$(pod list | jq -r '[.metadata.name, .status.phase] | join(" ")')" = "a Running
b Running" ]
	for ip in $(pod list | jq -r .status.podIP); do [ "$(curl -s --max-time 5 "http://$ip/")" = hello ]; done
	[ "$(pod list | jq -r .status.podIP | sort -u | wc -l)" -eq 2 ]
	for _ in $(seq 100); do [ -n "$(pod logs a)" ] && break; sleep 0.05; done
	[ "$(pod logs a)" = "I am a" ]
	run pod start < <(manifest a true)
	[ "$status" -eq 2 ]
	[[ $output == *"pod 'a' is running already"* ]]
	pod stop a b
	clean
}

@test "start: one that has ended can be looked at; its name is free again" {
	pod start < <(manifest a 'echo one; exit 3') >/dev/null
	[ "$(pod -f logs a)" = one ]
	for _ in $(seq 100); do [ "$(pod list | jq -r .status.phase)" = Failed ] && break; sleep 0.05; done
	[ "$(pod list | jq -r '.status.containerStatuses[0].state.terminated.exitCode')" = 3 ]
	pod start < <(manifest a 'echo two') >/dev/null
	[ "$(pod -f logs a)" = two ]
	run pod start < <(manifest bad true | sed 's/web:1/none:1\n    imagePullPolicy: Never/')
	[ "$status" -eq 2 ]
	[[ $output == *"cannot start pod 'bad'"*none:1* ]]
	[ "$(pod list | jq -r .metadata.name)" = a ]
	pod stop a
	clean
}

@test "a keeper that is killed: stop removes what it left" {
	pod start < <(manifest a 'sleep 1000' '' 'restartPolicy: Always') >/dev/null
	kill -9 "$(jq .pid "$T/a/keeper.json")"
	pod stop a
	clean
}

@test "bundle: what the runtime would be told, and nothing is made" {
	pod bundle < <(manifest a 'echo $X' 'env: [{name: X, value: "1"}]
securityContext: {runAsUser: 5, readOnlyRootFilesystem: true}
resources: {limits: {memory: 64Mi}}') >"$T.out"
	jq -e '.process.args == ["sh", "-c", "echo $X"] and .process.user.uid == 5 and .root.readonly and
	  .linux.resources.memory.limit == 67108864 and (.process.env | index("X=1") != null) and
	  ([.linux.namespaces[].type] | index("network") != null)' "$T.out"
	grep -qF "$T/a/pods/" "$T.out"
	clean
	run pod -c other bundle < <(manifest a true)
	[ "$status" -eq 2 ]
	rm "$T.out"
}
