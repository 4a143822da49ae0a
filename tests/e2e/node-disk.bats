#!/usr/bin/env bats
# What pods store: limits, and what goes when the disk is short of room.

load node.bash

setup() { node_setup; }
teardown() {
	if [ -n "${T:-}" ] && mountpoint -q "$T/n"; then
		[ ! -e "$T/filler.pid" ] || end filler
		[ ! -e "$T/node.pid" ] || end_node KILL
		[ ! -d "$T/n/run" ] || orch-node --data "$T/n" --clean
		umount "$T/n"
	fi
	node_teardown
}

# small_disk SIZE [OPTION]: the node's folder is on a file system of its own
small_disk() {
	mv "$T/n" "$T/full"
	mkdir "$T/n"
	mount -t tmpfs -o "mode=0711,size=$1${2:+,$2}" orch-test "$T/n" || skip "cannot mount a tmpfs"
	cp -a "$T/full/." "$T/n"
	rm -r "$T/full"
}

# said TEXT [SECONDS]: the node comes to say it
said() {
	local end=$((SECONDS + ${2:-60}))
	while [ $SECONDS -le $end ]; do
		if grep -q -- "$1" "$T/err"; then return 0; fi
		sleep 0.1
	done
	echo "# never said: $1" >&2
	cat "$T/err" >&2
	return 1
}

asks() { echo "resources: {requests: {ephemeral-storage: $1}}"; }

# failed NAME: reason and message of a pod that was evicted
failed() { status "$1" '"\(.reason)|\(.message)"'; }
write() { echo "dd if=/dev/zero of=$1 bs=64k count=$2 2>/dev/null; sleep 1000"; } # PATH TIMES

@test "ephemeral-storage: who stores more than it may is evicted, in the kubelet's words" {
	LIMIT='resources: {limits: {ephemeral-storage: 1Mi}}'
	{
		pod layer "$(write /x 32)" "$LIMIT"
		pod log 'i=0; while [ $i -lt 16 ]; do head -c 131072 /dev/zero | tr "\0" "x"; echo; i=$((i + 1)); done; sleep 1000' "$LIMIT"
		pod volume "$(write /e/x 32)" "$LIMIT
volumeMounts: [{name: e, mountPath: /e}]" 'volumes: [{name: e, emptyDir: {}}]'
		pod memory "$(write /e/x 32)" "$LIMIT
volumeMounts: [{name: e, mountPath: /e}]" 'volumes: [{name: e, emptyDir: {medium: Memory}}]'
		pod fits "$(write /x 12)" "$LIMIT"
		pod free "$(write /x 64)"
		# the pod may have 9 MiB, this container one of them
		pod two "$(write /x 32)" "$LIMIT"
		echo '  - {name: d, image: web:1, command: [sleep, "1000"], resources: {limits: {ephemeral-storage: 8Mi}}}'
		pod critical "$(write /x 32)" "$LIMIT" 'priority: 2000000000'
	} | start_node
	for p in layer log volume; do
		until_status $p '.phase == "Failed"' 90
		[ "$(failed $p)" = 'Evicted|Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ' ]
	done
	until_status two '.phase == "Failed"' 90
	[ "$(failed two)" = 'Evicted|Container c exceeded its local ephemeral storage limit "1Mi". ' ]
	[ "$(status two '[.containerStatuses[].state.terminated.exitCode] | tostring')" = '[137,137]' ]
	sleep 6
	for p in memory fits free critical; do [ "$(status $p .phase)" = Running ]; done
}

@test "ephemeral-storage: folders a thousand deep, moved about, and files of several names" {
	deep="d=\$(yes d/ | head -n 1500 | tr -d '\n'); mkdir -p /e/\$d; cd /e/\$d"
	LIMIT='resources: {limits: {ephemeral-storage: 32Mi}}'
	{
		pod deep "$deep; dd if=/dev/zero of=x bs=1M count=40 2>/dev/null; sleep 1000" "$LIMIT"
		pod moving "$deep; cd /e; while :; do mv d f; mv f d; sleep 0.01; done" "$LIMIT"
		pod linked 'dd if=/dev/zero of=/x bs=1M count=12 2>/dev/null; ln /x /y; ln /x /z; truncate -s 9G /w; sleep 1000' "$LIMIT"
	} | start_node
	until_status deep '.reason == "Evicted"' 90
	sleep 5
	[ "$(status moving .phase)" = Running ]
	[ "$(status linked .phase)" = Running ]
	end_node # and all of it can be removed again
	[ -z "$(ls -A "$T/n/pods")" ]
}

@test "when the disk is short, who stores more than asked for goes, one at a time" {
	small_disk 40m
	{
		pod hog "$(write /x 192)" "$(asks 1Mi)" # 12 MiB
		pod within "$(write /x 192)" "$(asks 16Mi)"
		pod modest "$(write /x 48)"
		pod dear "$(write /x 64)" '' 'priority: 10'
	} | start_node --eviction-hard 'nodefs.available<12Mi' --minimum-image-ttl-duration 1h
	for p in hog within modest dear; do until_status $p '.phase == "Running"' 60; done
	until_status hog '.phase == "Failed" and .containerStatuses[0].state.terminated.exitCode == 137' 90
	[[ $(failed hog) =~ ^Evicted\|The\ node\ was\ low\ on\ resource:\ ephemeral-storage\.\ Threshold\ quantity:\ 12Mi,\ available:\ [0-9]+(Ki|Mi)\.\ Container\ c\ was\ using\ 12(Mi|[0-9]+Ki),\ request\ is\ 1Mi,\ has\ larger\ consumption\ of\ ephemeral-storage\.\ $ ]]
	[ "$(status hog '.conditions[] | select(.type == "DisruptionTarget") | .status + .reason')" = TrueTerminationByKubelet ]
	grep -q 'EvictionThresholdMet: Attempting to reclaim ephemeral-storage' "$T/err"
	grep -q 'NodeHasDiskPressure: Node n status is now: NodeHasDiskPressure' "$T/err"
	sleep 12 # what it had is free again
	for p in within modest dear; do [ "$(status $p .phase)" = Running ]; done
}

@test "when inodes are short, who has most of them goes" {
	small_disk 40m nr_inodes=2000
	{
		pod hog 'i=0; while [ $i -lt 1200 ]; do : >/$i; i=$((i + 1)); done; sleep 1000'
		pod large "$(write /x 192)"
	} | start_node --eviction-hard 'nodefs.inodesFree<50%' --minimum-image-ttl-duration 1h
	until_status hog '.phase == "Failed"' 90
	[[ $(failed hog) =~ ^Evicted\|The\ node\ was\ low\ on\ resource:\ inodes\.\ Threshold\ quantity:\ 1k,\ available:\ [0-9]+\.\ $ ]]
	[ "$(status large .phase)" = Running ]
}

@test "images that nobody uses and logs of runs that have ended go before any pod" {
	small_disk 40m
	mkdir -p "$T/root/usr"
	head -c 8000000 /dev/urandom >"$T/root/usr/blob"
	tar -C "$T/root" -c . | orch-image --data "$T/n" import - other:1 >/dev/null
	orch-image --data "$T/n" list | grep -q other:1
	{
		pod talks 'if [ -e /e/x ]; then exec sleep 1000; fi; touch /e/x; head -c 6000000 /dev/zero | tr "\0" "x"; echo' \
			'volumeMounts: [{name: e, mountPath: /e}]' 'volumes: [{name: e, emptyDir: {}}]'
		pod stores "$(write /x 176)" # 11 MiB
	} | start_node --eviction-hard 'nodefs.available<14Mi' --minimum-image-ttl-duration 0s --container-log-max-size 100Mi --backoff 0.1s
	until_status talks '.containerStatuses[0].restartCount == 1 and .phase == "Running"'
	said 'no pod has to go' 90
	run orch-image --data "$T/n" list
	[[ $output != *other:1* && $output == *web:1* ]]
	[ ! -e "$T"/n/log/pods/default_talks_*/c/0.log ]
	[ -e "$T"/n/log/pods/default_talks_*/c/1.log ]
	sleep 12
	[ "$(status talks .phase)$(status stores .phase)" = RunningRunning ]
}

@test "a soft threshold: a pod goes when it is met for so long, and has time to end" {
	small_disk 40m
	pod polite 'trap "echo bye; exit 0" TERM; dd if=/dev/zero of=/x bs=64k count=300 2>/dev/null; while :; do sleep 0.1; done' '' \
		'terminationGracePeriodSeconds: 60' | grep -v 'GracePeriodSeconds: 2$' | start_node --eviction-hard '' --eviction-soft 'nodefs.available<60%' \
		--eviction-soft-grace-period nodefs.available=5s --eviction-max-pod-grace-period 8 --minimum-image-ttl-duration 1h
	until_status polite '.phase == "Running"'
	said NodeHasDiskPressure 60 # at once
	[ "$(status polite .phase)" = Running ]
	until_status polite '.phase == "Failed"' 90
	[[ $(failed polite) == "Evicted|The node was low on resource: ephemeral-storage. Threshold quantity: 24Mi, available: "* ]]
	[ "$(status polite '.containerStatuses[0].state.terminated.exitCode')" = 0 ]
	[ "$(logs polite)" = bye ]
}

@test "soft thresholds that cannot be read" {
	for o in --eviction-soft='nodefs.available<1Gi' '--eviction-soft=x<1' '--eviction-soft-grace-period=nodefs.available=x' \
		'--eviction-minimum-reclaim=nodefs.available<1' '--eviction-minimum-reclaim=disk=1'; do
		run orch-node --data "$T/n" --name n --pods /dev/null "$o"
		[ "$status" != 0 ]
		[[ $output == *"cannot read --eviction-"* ]]
	done
}

end() { # NAME: of a process that the test began
	kill "$(cat "$T/$1.pid")"
	wait "$(cat "$T/$1.pid")" || true
	rm "$T/$1.pid"
}

# keep_full: whatever becomes free is taken at once
keep_full() {
	while head -c 1000000 /dev/zero >>"$T/n/ballast" 2>/dev/null || sleep 0.05; do :; done 3>&- &
	echo $! >"$T/filler.pid"
}

@test "a full disk: containers run on, how they end is known, what is new waits, and with room all goes on" {
	small_disk 24m
	OPTIONS=(--eviction-hard '' --backoff 1s)
	PODS=$(
		pod calm 'i=0; while :; do echo $i; i=$((i + 1)); sleep 0.5; done' 'livenessProbe: {exec: {command: ["true"]}, periodSeconds: 1, failureThreshold: 1}'
		pod ends 'sleep 40; exit 7'
		pod again 'sleep 40; exit 3' '' 'restartPolicy: Always'
	)
	start_node "${OPTIONS[@]}" <<<"$PODS"
	for p in calm ends again; do until_status $p '.phase == "Running"' 60; done
	keep_full
	until_status ends '.phase == "Failed"' 90
	[ "$(status ends '.containerStatuses[0].state.terminated | "\(.exitCode) \(.reason)"')" = '7 Error' ]
	until_status again '.containerStatuses[0].state.waiting.reason == "CreateContainerError"' 90
	[[ $(status again '.containerStatuses[0].state.waiting.message') == *'No space left on device' ]]
	said 'Cannot record the state of the pod: .*No space left on device'

	# a node that is killed and starts on the full disk
	end_node KILL
	start_node "${OPTIONS[@]}" <<<"$PODS
$(pod late 'sleep 1000')"
	said "container 'c' is still running"
	until_status late '.phase == "Pending"' 90
	said 'pod default/late: Failed to create pod sandbox: .*No space left on device'
	[[ $(status late '.containerStatuses[0].state.waiting.message') == *'No space left on device' ]]
	[ "$(status calm '.containerStatuses[0] | "\(.restartCount) \(.state | keys[0])"')" = '0 running' ]
	[ -z "$(find "$T/n/pods" "$T/n/run" -name '*.new')" ]
	for f in "$T"/n/pods/*/*.json; do jq -e . "$f" >/dev/null; done

	end filler
	rm "$T/n/ballast"
	until_status late '.phase == "Running"' 90
	until_status again '.containerStatuses[0].state.running != null' 90
	[ "$(status ends .phase)" = Failed ]
	[ "$(status calm '.containerStatuses[0].restartCount')" = 0 ]
	# its log has a gap at most
	last=$(logs calm | tail -n 1)
	sleep 2
	[ "$(logs calm | tail -n 1)" -gt "$last" ]
	end_node
	[ -z "$(ls -A "$T/n/pods")" ]
	[ ! -L "$T/n/run/exits" ] || [ ! -e "$T/n/run/exits" ] # nothing of it is left in /run
}

@test "a container that floods its log goes, and nobody with it" {
	small_disk 24m
	{
		pod flood 'sleep 5; while :; do head -c 100000 /dev/zero | tr "\0" x; echo; done'
		pod calm 'while :; do echo $((i++)); sleep 0.5; done' 'livenessProbe: {exec: {command: ["true"]}, periodSeconds: 1, failureThreshold: 1}'
	} | start_node --eviction-hard 'nodefs.available<4Mi' --minimum-image-ttl-duration 1h --container-log-max-size 100Mi
	until_status flood '.phase == "Failed"' 90
	[[ $(failed flood) == 'Evicted|The node was low on resource: ephemeral-storage. Threshold quantity: 4Mi, available: '*'Container c was using '*', request is 0, has larger consumption of ephemeral-storage. ' ]]
	sleep 22 # its log is what goes next
	[ "$(status calm '.phase + (.containerStatuses[0].restartCount | tostring)')" = Running0 ]
	[ "$(df --output=avail -B1M "$T/n" | tail -n 1)" -gt 12 ]
}

@test "an image for which there is no room: the pod says so, nothing of it stays, and it comes when there is" {
	command -v python3 >/dev/null || skip "needs python3"
	small_disk 24m
	mkdir "$T/x"
	tar -C "$T/x" -xf "$T/image.tar"
	python3 "$TOP/tests/cmd/registry.py" "$T/x" >"$T/port" 2>"$T/served" 3>&- &
	echo $! >"$T/registry.pid"
	for _ in $(seq 50); do [ -s "$T/port" ] && break; sleep 0.1; done
	orch-image --data "$T/n" remove web:1 >/dev/null
	orch-image --data "$T/n" prune >/dev/null
	head -c "$(($(df --output=avail -B1K "$T/n" | tail -n 1) - 700))k" /dev/zero >"$T/n/ballast"
	pod big 'sleep 1000' | sed "s,web:1,127.0.0.1:$(cat "$T/port")/team/web:1," | start_node --eviction-hard ''
	until_status big '.containerStatuses[0].state.waiting.reason | test("^(ErrImagePull|ImagePullBackOff)$")' 90
	[[ $(status big '.containerStatuses[0].state.waiting.message') == *'No space left on device'* ]]
	[ -z "$(ls -A "$T/n/images/partial")" ]
	[ -z "$(find "$T/n/images" -name 'tmp.*')" ]
	rm "$T/n/ballast"
	until_status big '.phase == "Running"' 90
}
