# For bats: a node of its own for every test, without a server, and nothing left of it afterwards.

node_setup() {
	BIN=${BIN:-$BATS_TEST_DIRNAME/../../build/bin}
	TOP=$BATS_TEST_DIRNAME/../..
	PATH=$BIN:$PATH
	[ "$(id -u)" = 0 ] || skip "containers need root"
	command -v busybox >/dev/null || skip "needs busybox-static"
	command -v conmon >/dev/null || skip "needs conmon"
	[ -x /usr/lib/cni/ptp ] || [ -x /opt/cni/bin/ptp ] || skip "needs the CNI plugins"
	T=$(mktemp -d)
	NODES=$T/n
	CIDR=10.$((100 + RANDOM % 90)).$((RANDOM % 256)).0/24
	"$TOP/scripts/busybox-image" "$T/image.tar" web:1 /www/index.html=hello
	orch-image --data "$T/n" import "$T/image.tar" >/dev/null
}

# clean_up DATA: bats goes on in a teardown whatever fails
clean_up() {
	for _ in 1 2 3 4 5; do
		! orch-node --data "$1" --clean || return 0
		sleep 1
	done
	return 1
}

node_teardown() {
	[ -n "${T:-}" ] || return 0
	for f in "$T"/*.pid; do
		[ -e "$f" ] && kill -9 "$(cat "$f")" 2>/dev/null || true
	done
	for d in $NODES; do
		[ ! -d "$d/run" ] || clean_up "$d" || return
	done
	rm -rf "$T"
}

# pod NAME COMMAND [YAML of the container] [YAML of the spec]: one container "c" that runs a shell command
pod() {
	cat <<-EOF
	---
	apiVersion: v1
	kind: Pod
	metadata: {name: $1}
	spec:
	  terminationGracePeriodSeconds: 2
	$(printf '%s\n' "${4:-restartPolicy: Never}" | sed 's/^/  /')
	  containers:
	  - name: c
	    image: web:1
	    command: [sh, -c, $(jq -n --arg c "$2" '$c')]
	$(printf '%s\n' "${3:-}" | sed 's/^/    /')
	EOF
}

# run_pods [OPTION...] < pods: to their end; statuses in $T/out
run_pods() {
	timeout 60 orch-node --data "$T/n" --name n --pod-cidr "$CIDR" --pods - --once "$@" >"$T/out" 2>"$T/err" 3>&-
}

# start_node [OPTION...] < pods: in the background
start_node() {
	cat >"$T/pods"
	orch-node --data "$T/n" --name n --pod-cidr "$CIDR" --pods "$T/pods" "$@" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
}

# status NAME FILTER: of the newest status of a pod
status() {
	jq -s --arg n "$1" 'map(select(.metadata.name == $n)) | last | .status' "$T/out" | jq -r "$2"
}

# until_status NAME FILTER [SECONDS]: wait until the filter says true
until_status() {
	local end=$((SECONDS + ${3:-15}))
	while [ $SECONDS -le $end ]; do
		if [ "$(status "$1" "$2" 2>/dev/null)" = true ]; then return 0; fi
		sleep 0.05
	done
	echo "# $1: $2 never came true: $(status "$1" .)" >&2
	cat "$T/err" >&2
	return 1
}

logs() { # POD [CONTAINER [N]]: what it said, lines put together again
	sed -E 's/^[^ ]+ [a-z]+ //' "$T"/n/log/pods/default_"$1"_*/"${2:-c}"/"${3:-0}".log |
		awk '{ printf "%s%s", substr($0, 3), /^P/ ? "" : "\n" }'
}

end_node() { # [SIGNAL]: and wait for its end
	kill -"${1:-TERM}" "$(cat "$T/node.pid")"
	while kill -0 "$(cat "$T/node.pid")" 2>/dev/null; do sleep 0.02; done
	rm "$T/node.pid"
}

# the processes (conmon, the runtime) that know a path of this node
processes() { grep -al "$1[/]" /proc/[0-9]*/cmdline 2>/dev/null || true; }

# --- with a server ---

with_store() { # a store, and a node of it
	orch-store --data "$T/store" --listen 127.0.0.1:0 --socket "$T/sock" 2>"$T/store.log" 3>&- &
	echo $! >"$T/store.pid"
	for _ in $(seq 100); do [ -S "$T/sock" ] && api /readyz >/dev/null 2>&1 && break; sleep 0.1; done
	orch-node -s "unix:$T/sock" --name n1 --data "$T/n" --pod-cidr "$CIDR" "$@" >>"$T/out" 2>>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
}
api() { curl -s --fail-with-body --unix-socket "$T/sock" -H "Content-Type: ${TYPE:-application/json}" "http://orch$1" "${@:2}"; }
pods=/api/v1/namespaces/default/pods

create() { # NAME COMMAND [YAML] [YAML]: bound to n1
	pod "$@" | orch-parse | jq -c '.metadata.namespace = "default" | .spec.nodeName = "n1"' |
		api $pods --data-binary @- >/dev/null
}
