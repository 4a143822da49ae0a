#!/usr/bin/env bats
# orch-node by itself: real containers, no server.

load node.bash
setup() { node_setup; }
teardown() { node_teardown; }

@test "exit code, reason, logs with their streams, in CRI format" {
	pod one 'echo hello; echo oops >&2; printf "no end"; exit 42' >"$T/in"
	run_pods <"$T/in" && false
	[ "$(status one .phase)" = Failed ]
	[ "$(status one '.containerStatuses[0].state.terminated | "\(.exitCode) \(.reason)"')" = "42 Error" ]
	log=$(echo "$T"/n/log/pods/default_one_*/c/0.log)
	grep -qE '^[0-9-]+T[0-9:.]+(Z|[+-][0-9:]+) stdout F hello$' "$log"
	grep -q ' stderr F oops$' "$log"
	grep -q ' stdout P no end$' "$log"
}

@test "one that succeeds: phases in order, exit status 0" {
	pod ok "sleep 0.3" >"$T/in"
	run_pods <"$T/in"
	[ "$(jq -r .status.phase "$T/out" | uniq | tr '\n' ' ')" = "Pending Running Succeeded " ]
	[ "$(status ok '.containerStatuses[0].state.terminated.reason')" = Completed ]
	[ "$(status ok '.conditions[] | select(.type == "Ready") | .reason')" = PodCompleted ]
	[ "$(status ok '.conditions[] | select(.type == "Initialized") | .status')" = True ]
	[ "$(status ok .qosClass)" = BestEffort ]
	[ "$(status ok '.podIP == .podIPs[0].ip')" = true ]
}

@test "environment, arguments, working directory, user, hostname, files" {
	{
		cat <<-EOF
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: conf}
		data: {greeting: hi there, file.txt: "content"}
		---
		apiVersion: v1
		kind: Secret
		metadata: {name: sec}
		data: {pass: c2VjcmV0}
		EOF
		pod env 'id -u; id -g; pwd; hostname; echo $A $B $PASS $POD $IP; cat /conf/file.txt; echo; stat -Lc %a /sec/pass; cat /sec/pass; echo; grep -c env /etc/hosts; echo kept >/data/x; cat /data/x; touch /nope 2>&1' '
env:
- {name: A, valueFrom: {configMapKeyRef: {name: conf, key: greeting}}}
- {name: B, value: "<$(A)> $(NONE) $$(A)"}
- {name: PASS, valueFrom: {secretKeyRef: {name: sec, key: pass}}}
- {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
workingDir: /tmp
securityContext: {runAsUser: 1000, runAsGroup: 2000, readOnlyRootFilesystem: true}
volumeMounts:
- {name: conf, mountPath: /conf}
- {name: sec, mountPath: /sec, readOnly: true}
- {name: data, mountPath: /data}' 'restartPolicy: Never
volumes:
- {name: conf, configMap: {name: conf}}
- {name: sec, secret: {secretName: sec, defaultMode: 292}}
- {name: data, emptyDir: {medium: Memory}}'
	} >"$T/in"
	run_pods <"$T/in" || true
	ip=$(jq -r 'select(.status.podIP) | .status.podIP' "$T/out" | head -n 1)
	diff <(logs env) - <<-EOF
	1000
	2000
	/tmp
	env
	hi there <hi there> \$(NONE) \$(A) secret env $ip
	content
	444
	secret
	1
	kept
	touch: /nope: Read-only file system
	EOF
}

@test "containers of a pod share network and hostname, not processes or files" {
	pod two 'hostname peer 2>&1; sleep 1; wget -qO- http://127.0.0.1/; ps | grep -c httpd; ls /made 2>&1' '' >"$T/in"
	cat >>"$T/in" <<-EOF
	  - name: web
	    image: web:1
	    command: [sh, -c, "touch /made; exec httpd -f -h /www"]
	EOF
	start_node <"$T/in"
	until_status two '.containerStatuses[0].state.terminated != null'
	logs two | grep -qx hello
	logs two | grep -q 'ls: /made'
	[ "$(status two .phase)" = Running ]
	[ "$(wget -qO- "http://$(status two .podIP)/" 2>/dev/null || curl -s "http://$(status two .podIP)/")" = hello ]
}

@test "init containers run one after the other, before the rest" {
	pod init 'cat /d/x' 'volumeMounts: [{name: d, mountPath: /d}]' 'restartPolicy: Never
volumes: [{name: d, emptyDir: {}}]
initContainers:
- {name: a, image: "web:1", command: [sh, -c, "sleep 0.3; echo a >>/d/x"], volumeMounts: [{name: d, mountPath: /d}]}
- {name: b, image: "web:1", command: [sh, -c, "echo b >>/d/x"], volumeMounts: [{name: d, mountPath: /d}]}' >"$T/in"
	run_pods <"$T/in"
	[ "$(logs init | tr '\n' ' ')" = "a b " ]
	jq -es 'any(.status.containerStatuses[0].state.waiting.reason == "PodInitializing")' "$T/out"
	[ "$(status init '[.initContainerStatuses[].ready] | all')" = true ]
}

@test "an init container that fails for good fails the pod" {
	pod init 'echo never' '' 'restartPolicy: Never
initContainers: [{name: a, image: "web:1", command: [sh, -c, "exit 3"]}]' >"$T/in"
	run_pods <"$T/in" && false
	[ "$(status init .phase)" = Failed ]
	[ "$(status init '.initContainerStatuses[0].state.terminated.exitCode')" = 3 ]
	[ "$(status init '.containerStatuses[0].state.waiting.reason')" = PodInitializing ]
}

@test "memory limit: OOMKilled, exit code 137" {
	pod oom 'exec tail /dev/zero' 'resources: {limits: {memory: 32Mi}}' >"$T/in"
	run_pods <"$T/in" && false
	[ "$(status oom '.containerStatuses[0].state.terminated | "\(.exitCode) \(.reason)"')" = "137 OOMKilled" ]
	[ "$(status oom .qosClass)" = Burstable ]
}

@test "cpu limit: a fifth of a processor" {
	pod cpu 't=$(date +%s); while [ $(($(date +%s) - t)) -lt 3 ]; do i=0; while [ $i -lt 500 ]; do i=$((i+1)); done; done; cat /proc/self/cgroup >/dev/null; times' 'resources: {limits: {cpu: 200m}}' >"$T/in"
	run_pods <"$T/in"
	# the second line is that of the children: none to speak of; the first the shell's own
	seconds=$(logs cpu | sed -n 's/^0m\([0-9.]*\)s.*/\1/p' | head -n 1)
	awk -v s="$seconds" 'BEGIN { exit !(s > 0.1 && s < 1.5) }'
}

@test "a pod cannot have more processes than --pod-pids" {
	pod fork 'i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done; echo all' >"$T/in"
	run_pods --pod-pids 20 <"$T/in" || true
	logs fork | grep -q "can't fork"
	logs fork | grep -qx all && false
	pod fork2 'i=0; while [ $i -lt 60 ]; do true & i=$((i+1)); done; wait; echo all' >"$T/in"
	run_pods --pod-pids 200 <"$T/in"
	logs fork2 | grep -qx all
}

@test "restarts: at once, then after a wait that doubles; CrashLoopBackOff; lastState; own logs" {
	pod crash 'echo run; exit 5' '' 'restartPolicy: Always' | start_node --backoff 1s
	until_status crash '.containerStatuses[0].restartCount >= 3'
	[ "$(status crash '.containerStatuses[0].lastState.terminated.exitCode')" = 5 ]
	until_status crash '.containerStatuses[0].state.waiting.reason == "CrashLoopBackOff"'
	status crash '.containerStatuses[0].state.waiting.message' | grep -q 'back-off [24]s restarting failed container=c'
	[ "$(status crash .phase)" = Running ]
	[ "$(logs crash c 2)" = run ]
	said() { date +%s%3N -d "$(cut -d' ' -f1 "$T"/n/log/pods/default_crash_*/c/$1.log)"; }
	[ $(($(said 3) - $(said 2))) -ge 1900 ]
}

@test "OnFailure: again until it succeeds" {
	pod again 'n=$(cat /d/n 2>/dev/null); echo $((n+1)) >/d/n; [ "$n" = 2 ]' 'volumeMounts: [{name: d, mountPath: /d}]' 'restartPolicy: OnFailure
volumes: [{name: d, emptyDir: {}}]' >"$T/in"
	run_pods --backoff 0.1s <"$T/in"
	[ "$(status again .phase)" = Succeeded ]
	[ "$(status again '.containerStatuses[0].restartCount')" = 2 ]
}

@test "graceful end: TERM, the grace period, KILL" {
	{
		pod polite 'trap "echo bye; exit 7" TERM; while :; do sleep 0.1; done'
		pod rude 'trap "" TERM; while :; do sleep 0.1; done'
	} | start_node
	until_status polite '.phase == "Running"'
	until_status rude '.phase == "Running"'
	sleep 0.3
	start=$(date +%s%N)
	end_node
	took=$((($(date +%s%N) - start) / 1000000))
	[ "$(status polite '.containerStatuses[0].state.terminated.exitCode')" = 7 ]
	[ "$(status rude '.containerStatuses[0].state.terminated.exitCode')" = 137 ]
	logs polite | grep -qx bye
	[ $took -ge 1900 ] && [ $took -lt 6000 ]
}

@test "kill -9 of the node: containers run on and are taken over, ends in between are noticed" {
	{
		pod stays 'while :; do date +%s%N; sleep 0.1; done'
		pod ends 'sleep 2; exit 9'
		pod over 'exit 3'
	} >"$T/in"
	start_node <"$T/in"
	until_status stays '.phase == "Running"'
	until_status ends '.phase == "Running"'
	until_status over '.phase == "Failed"'
	id=$(status stays '.containerStatuses[0].containerID')
	end_node KILL
	before=$(logs stays | wc -l)
	sleep 2.5
	[ "$(logs stays | wc -l)" -gt "$before" ]
	: >"$T/out"
	start_node <"$T/in"
	until_status ends '.phase == "Failed"'
	[ "$(status ends '.containerStatuses[0].state.terminated.exitCode')" = 9 ]
	sleep 0.5
	grep -q "container 'c' is still running" "$T/err"
	[ "$(grep -c 'stays.*started in' "$T/err")" = 1 ]
	[ "$(grep -c 'over.*started in' "$T/err")" = 1 ]
	[ "$(jq -r '.status.containerStatuses[0].containerID' "$T"/n/pods/*/state.json | grep -cF "$id")" = 1 ]
	# what is no longer wanted ends
	end_node KILL
	pod other 'sleep 60' | start_node
	for i in $(seq 100); do [ "$(ls "$T/n/pods" | wc -l)" = 1 ] && break; sleep 0.1; done
	[ "$(ls "$T/n/pods" | wc -l)" = 1 ]
}

@test "kill -9 of the node again and again while a pod starts" {
	pod p 'sleep 100' >"$T/in"
	for i in 1 2 3 4 5 6 7 8; do
		start_node <"$T/in"
		sleep 0.0$((i * 12 % 97))
		end_node KILL
	done
	start_node <"$T/in"
	until_status p '.phase == "Running"'
	[ "$(status p '.containerStatuses[0].restartCount')" = 0 ]
	[ "$(processes "$T/n" | wc -l)" = 1 ] # one conmon
}

@test "kill -9 of conmon: the container does not run on unseen" {
	pod p 'sleep 100' '' 'restartPolicy: Always' | start_node
	until_status p '.phase == "Running"'
	kill -9 "$(cat "$T"/n/pods/*/containers/c-0/monitor)"
	until_status p '.containerStatuses[0] | .restartCount == 1 and .state.running != null'
	[ "$(status p '.containerStatuses[0].lastState.terminated.reason')" = ContainerStatusUnknown ]
}

@test "conmon is not in the node's cgroup: a service manager that ends the node does not end it" {
	pod p 'sleep 100' | start_node
	until_status p '.phase == "Running"'
	group=$(sed -nE 's/^(0|[0-9]+:name=systemd)::?(.*)$/\2/p' "/proc/$(cat "$T"/n/pods/*/containers/c-0/monitor)/cgroup" | grep '/orch/n-[^/]*/monitors$' | head -n 1)
	[ -n "$group" ]
	end_node KILL
	orch-node --data "$T/n" --clean
	[ -z "$(find /sys/fs/cgroup -type d -path "*${group%/monitors}")" ]
}

@test "an image that is not there, by policy" {
	{
		pod never true '' | sed 's/image: web:1/image: nope:1\n    imagePullPolicy: Never/'
		pod pull true '' | sed 's,image: web:1,image: 127.0.0.1:1/nope:1,'
		pod bad true '' | sed 's/image: web:1/image: "web:1:2:3"/'
	} | start_node
	until_status never '.containerStatuses[0].state.waiting.reason == "ErrImageNeverPull"'
	until_status bad '.containerStatuses[0].state.waiting.reason == "InvalidImageName"'
	until_status pull '.containerStatuses[0].state.waiting.reason == "ImagePullBackOff"' 40
	status pull '.containerStatuses[0].state.waiting.message' | grep -qE '^Back-off pulling image "127.0.0.1:1/nope:1": ErrImagePull: .*127.0.0.1:1'
	[ "$(status never '.containerStatuses[0].state.waiting.message')" = 'Container image "nope:1" is not present with pull policy of Never' ]
	[ "$(status pull .phase)" = Pending ]
}

@test "a program that is not in the image: StartError, 128" {
	pod nope true | sed 's/command:.*/command: [no-such-program]/' >"$T/in"
	run_pods <"$T/in" && false
	[ "$(status nope '.containerStatuses[0].state.terminated | "\(.exitCode) \(.reason)"')" = "128 StartError" ]
	status nope '.containerStatuses[0].state.terminated.message' | grep -q no-such-program
}

@test "a missing ConfigMap: CreateContainerConfigError names it" {
	pod c true 'env: [{name: A, valueFrom: {configMapKeyRef: {name: absent, key: k}}}]' | start_node
	until_status c '.containerStatuses[0].state.waiting.reason == "CreateContainerConfigError"'
	status c '.containerStatuses[0].state.waiting.message' | grep -q "'absent'"
}

@test "probes: ready when it answers, restarted when it no longer lives" {
	pod p 'sleep 1; touch /ok; httpd -h /www; sleep 2; rm /ok; sleep 60' '
readinessProbe: {httpGet: {port: 80, path: /}, periodSeconds: 1}
livenessProbe: {exec: {command: [ls, /ok]}, periodSeconds: 1, initialDelaySeconds: 2, failureThreshold: 1}' 'restartPolicy: Always' | start_node
	until_status p '.containerStatuses[0].ready'
	jq -se 'any(.metadata.name == "p" and .status.phase == "Running" and .status.containerStatuses[0].ready == false and
	  any(.status.conditions[]; .type == "Ready" and .reason == "ContainersNotReady"))' "$T/out" >/dev/null
	until_status p '.containerStatuses[0].restartCount == 1' 20
	grep -q 'Liveness probe failed' "$T/err"
}

@test "an exec probe that takes too long is ended" {
	pod slow 'sleep 100' 'readinessProbe: {exec: {command: [sleep, "7331"]}, periodSeconds: 1, failureThreshold: 1}' | start_node
	for i in $(seq 60); do grep -q "command timed out" "$T/err" && break; sleep 0.1; done
	grep -q "command timed out" "$T/err"
	sleep 2.5
	n=$(for p in $(cat /sys/fs/cgroup/{pids,}/orch/n-*/pod*/c-0/cgroup.procs 2>/dev/null); do tr '\0' ' ' 2>/dev/null <"/proc/$p/cmdline" && echo; done | grep -c 'sleep 7331' || :)
	[ "$n" -le 1 ]
}

@test "an https probe takes any certificate" {
	command -v openssl >/dev/null || skip "needs openssl"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key" -out "$T/crt" -days 1 -subj /CN=x 2>/dev/null
	port=$((20000 + RANDOM % 20000))
	openssl s_server -accept $port -key "$T/key" -cert "$T/crt" -www >/dev/null 2>&1 3>&- &
	echo $! >"$T/tls.pid"
	pod p 'sleep 100' "readinessProbe: {httpGet: {port: $port, scheme: HTTPS, path: /, host: 127.0.0.1}, periodSeconds: 1}" 'restartPolicy: Always' | start_node
	until_status p '.containerStatuses[0].ready'
	kill -9 "$(cat "$T/tls.pid")"
	until_status p '.containerStatuses[0].ready | not'
}

@test "a node that is restarted does not make a ready pod unready" {
	pod p 'httpd -f -h /www' 'readinessProbe: {httpGet: {port: 80, path: /}, periodSeconds: 1}' 'restartPolicy: Always' >"$T/in"
	start_node <"$T/in"
	until_status p '.containerStatuses[0].ready'
	end_node KILL
	: >"$T/out"
	start_node <"$T/in"
	sleep 2.5
	! grep -q '"ready":false' "$T/out"
}

@test "hooks: postStart before it counts as running, preStop before TERM" {
	{
		pod p 'trap "echo term; exit 5" TERM; while :; do sleep 0.1; done' '
lifecycle:
  postStart: {exec: {command: [sh, -c, "sleep 1; echo started >/proc/1/fd/1"]}}
  preStop: {exec: {command: [sh, -c, "echo stopping >/proc/1/fd/1; sleep 0.5"]}}'
		pod bad 'sleep 100' 'lifecycle: {postStart: {exec: {command: [sh, -c, "exit 1"]}}}' 'restartPolicy: Never'
	} | start_node
	until_status p '.phase == "Running"'
	[ "$(logs p)" = started ]
	until_status bad '.phase == "Failed"'
	end_node

	[ "$(logs p | tr '\n' ' ')" = "started stopping term " ]
	[ "$(status p '.containerStatuses[0].state.terminated.exitCode')" = 5 ]
}

@test "activeDeadlineSeconds: DeadlineExceeded" {
	pod late 'sleep 60' '' 'restartPolicy: Always
activeDeadlineSeconds: 1' >"$T/in"
	run_pods <"$T/in" && false
	[ "$(status late '"\(.phase) \(.reason)"')" = "Failed DeadlineExceeded" ]
}

@test "runc does as well as crun" {
	command -v runc >/dev/null || skip "needs runc"
	pod r 'echo by runc; exit 4' >"$T/in"
	run_pods --runtime runc <"$T/in" && false
	[ "$(status r '.containerStatuses[0].state.terminated.exitCode')" = 4 ]
	[ "$(logs r)" = "by runc" ]
}

@test "what is missing is named, exit 3" {
	run orch-node --data "$T/n" --pods /dev/null --once --runtime "$T/norun"
	[ "$status" = 3 ] && [[ $output == *"$T/norun"* ]]
	run orch-node --data "$T/n" --pods /dev/null --once --conmon "$T/nomon"
	[ "$status" = 3 ] && [[ $output == *"$T/nomon"* ]]
	run orch-node --data "$T/n" --pods /dev/null --once --cni-path "$T/nocni"
	[ "$status" = 3 ] && [[ $output == *"$T/nocni/ptp"* ]]
	printf '#!/bin/sh\necho broken runtime >&2; exit 1\n' >"$T/fake"; chmod +x "$T/fake"
	run orch-node --data "$T/n" --pods /dev/null --once --runtime "$T/fake"
	[ "$status" = 3 ] && [[ $output == *"broken runtime"* ]]
	run orch-node --data "$T/image.tar" --pods /dev/null --once
	[ "$status" = 3 ] && [[ $output == *"$T/image.tar"* ]]
	pod p 'sleep 60' | start_node
	until_status p '.phase == "Running"'
	run orch-node --data "$T/n" --pods /dev/null --once
	[ "$status" = 3 ] && [[ $output == *"another orch-node"* ]]
}

@test "two nodes on one machine do not touch each other" {
	command -v ip >/dev/null || skip "needs iproute2"
	NS=orch-test-$$-$RANDOM
	ip netns add "$NS"
	ip -n "$NS" link set lo up
	NODES="$T/n $T/n2"
	orch-image --data "$T/n2" import "$T/image.tar" >/dev/null
	pod a 'httpd -f -h /www' | start_node
	pod a 'httpd -f -h /www' >"$T/pods2"
	orch-node --data "$T/n2" --name n --netns "$NS" --pod-cidr "$CIDR" --pods "$T/pods2" >"$T/out2" 2>"$T/err2" 3>&- &
	echo $! >"$T/node2.pid"
	until_status a '.phase == "Running"'
	for i in $(seq 100); do grep -q '"phase":"Running"' "$T/out2" && break; sleep 0.1; done
	ip=$(jq -r 'select(.status.podIP).status.podIP' "$T/out2" | head -n 1)
	[ "$(ip netns exec "$NS" busybox wget -qO- "http://$ip/")" = hello ]
	[ "$(busybox wget -qO- "http://$(status a .podIP)/")" = hello ]
	mv "$T/node.pid" "$T/node1.pid"; mv "$T/node2.pid" "$T/node.pid"
	end_node
	orch-node --data "$T/n2" --clean
	[ "$(busybox wget -qO- "http://$(status a .podIP)/")" = hello ]
	ip netns del "$NS"
}

@test "--clean leaves nothing behind, also of a node that was killed" {
	{
		pod a 'sleep 100' 'volumeMounts: [{name: d, mountPath: /d}]' 'volumes: [{name: d, emptyDir: {medium: Memory}}]'
		pod b 'trap "" TERM; while :; do sleep 1; done'
	} | start_node
	until_status a '.phase == "Running"'
	until_status b '.phase == "Running"'
	ip=$(status a .podIP)
	[ -n "$(ip route show "$ip")" ]
	end_node KILL
	orch-node --data "$T/n" --clean
	[ -z "$(ip route show "$ip")" ] # and with it the interface
	[ -z "$(ls "$T/n/pods")" ] && [ ! -e "$T/n/run" ] && [ ! -e "$T/n/cni" ]
	run grep -F "$T" /proc/self/mountinfo
	[ -z "$output" ]
	[ -z "$(processes "$T/n")" ]
	orch-node --data "$T/n" --clean # once more is fine
	orch-image --data "$T/n" list | grep -q web
}

@test "where only cgroup v2 is mounted" {
	[ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ] || skip "as in every other test here"
	pod v2 'cat /proc/self/cgroup; echo seen' >"$T/in"
	unshare -m sh -c 'mount --make-rprivate / && umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup' ||
		skip "cannot mount cgroup v2"
	unshare -m sh -c 'mount --make-rprivate /; umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; exec "$@"' - \
		timeout 60 orch-node --data "$T/n" --name n --pod-cidr "$CIDR" --pods "$T/in" --once >"$T/out" 2>"$T/err" 3>&-
	[ "$(status v2 .phase)" = Succeeded ]
	logs v2 | grep -qx seen
}

@test "after a reboot: new sandbox, same pod" {
	{
		pod p 'sleep 100' '' 'restartPolicy: Always'
		pod once 'echo first; [ -e /d/x ] || { touch /d/x; sleep 100; }; exit 0' 'volumeMounts: [{name: d, mountPath: /d}]' 'restartPolicy: OnFailure
volumes: [{name: d, hostPath: {path: '"$T"'}}]'
		pod never 'sleep 100'
		pod init 'cat /e/made && sleep 100' 'volumeMounts: [{name: e, mountPath: /e}]' 'restartPolicy: Always
volumes: [{name: e, emptyDir: {}}]
initContainers: [{name: i, image: "web:1", command: [touch, /e/made], volumeMounts: [{name: e, mountPath: /e}]}]'
	} >"$T/in"
	start_node <"$T/in"
	until_status p '.phase == "Running"'
	until_status never '.phase == "Running"'
	until_status init '.phase == "Running"'
	until_status once '.phase == "Running"'
	end_node KILL
	# what a reboot leaves: the disk
	for f in "$T"/n/pods/*/containers/*/pid "$T"/n/pods/*/containers/*/monitor; do kill -9 "$(cat "$f")" 2>/dev/null || :; done
	sleep 0.3
	rm -f "$T"/n/run/exits/*
	awk -v d="$T/n/pods/" 'index($2, d) == 1 { print $2 }' /proc/mounts | xargs umount
	: >"$T/out"
	start_node <"$T/in"
	until_status p '.phase == "Running" and .containerStatuses[0].restartCount == 1 and .containerStatuses[0].state.running != null'
	[ "$(status p '.containerStatuses[0].lastState.terminated.reason')" = ContainerStatusUnknown ]
	until_status once '.phase == "Succeeded"'
	until_status never '.phase == "Failed"'
	until_status init '.phase == "Running" and .containerStatuses[0].ready and .initContainerStatuses[0].restartCount == 1'
	ip=$(status p .podIP)
	[ -n "$(ip route show "$ip")" ]
}

@test "what an image says: user, entrypoint and command, folder, stop signal" {
	IMAGE_CMD='["one","two"]' IMAGE_CONFIG='"User":"nobody","Entrypoint":["/bin/run"],"StopSignal":"SIGUSR1","Env":["FROM=image","PATH=/bin"]' \
		"$TOP/scripts/busybox-image" "$T/i.tar" said:1 "/bin/run=#!/bin/sh
echo \$0 \$* \$FROM \$(id -u):\$(id -g)
trap 'echo usr1; exit 6' USR1
while :; do sleep 0.1; done"
	mkdir "$T/x"; tar -C "$T/x" -xf "$T/i.tar"
	orch-image --data "$T/n" import "$T/i.tar" >/dev/null
	layer=$(echo "$T"/n/images/layers/*/bin/run); chmod 755 "${layer%% *}"
	{
		pod a x | sed 's/image: web:1/image: said:1/; /command:/d'
		pod b x | sed 's/image: web:1/image: said:1/; s/command:.*/args: [three]/'
	} | start_node
	for i in $(seq 100); do logs b 2>/dev/null | grep -q run && break; sleep 0.1; done
	sleep 0.5
	end_node
	[ "$(logs a | head -n 1)" = "/bin/run one two image 65534:65534" ]
	[ "$(logs b | head -n 1)" = "/bin/run three image 65534:65534" ]
	logs a | grep -qx usr1
	[ "$(status a '.containerStatuses[0].state.terminated.exitCode')" = 6 ]
}

@test "runAsNonRoot refuses an image of root" {
	pod r true 'securityContext: {runAsNonRoot: true}' | start_node
	until_status r '.containerStatuses[0].state.waiting.reason == "CreateContainerConfigError"'
	status r '.containerStatuses[0].state.waiting.message' | grep -q runAsNonRoot
}

@test "last words: the termination message, or the end of the log" {
	{
		pod file 'echo because >/dev/termination-log; exit 1'
		pod log 'echo in the log; exit 1' 'terminationMessagePolicy: FallbackToLogsOnError'
	} >"$T/in"
	run_pods <"$T/in" && false
	[ "$(status file '.containerStatuses[0].state.terminated.message')" = because ]
	[ "$(status log '.containerStatuses[0].state.terminated.message')" = "in the log" ]
}

@test "hostPath and subPath; a link in a volume does not lead out of it" {
	mkdir "$T/host"; echo outside >"$T/secret"; ln -s "$T" "$T/host/link"
	{
		pod ok 'cat /h/f; echo made >/s/x' 'volumeMounts:
- {name: h, mountPath: /h}
- {name: h, mountPath: /s, subPath: a/b}' "restartPolicy: Never
volumes: [{name: h, hostPath: {path: $T/host}}]"
		pod evil 'cat /s/secret' 'volumeMounts: [{name: h, mountPath: /s, subPath: link}]' "restartPolicy: Never
volumes: [{name: h, hostPath: {path: $T/host}}]"
		pod up 'cat /s/secret' 'volumeMounts: [{name: h, mountPath: /s, subPath: ../}]' "restartPolicy: Never
volumes: [{name: h, hostPath: {path: $T/host}}]"
	} | start_node
	echo here >"$T/host/f"
	until_status ok '.phase == "Succeeded"'
	[ "$(logs ok)" = here ]
	[ "$(cat "$T/host/a/b/x")" = made ]
	until_status up '.containerStatuses[0].state.waiting.reason == "CreateContainerConfigError"'
	until_status evil '.phase != "Pending" or .containerStatuses[0].state.waiting.reason == "CreateContainerConfigError"'
	! grep -r outside "$T"/n/log/
}

@test "hostNetwork: the node's addresses and name" {
	pod h 'hostname; ip -o addr | wc -l' '' 'restartPolicy: Never
hostNetwork: true' >"$T/in"
	run_pods <"$T/in"
	[ "$(logs h | head -n 1)" = "$(hostname)" ]
	[ "$(status h '.podIP == .hostIP')" = true ]
}

@test "host ports: by TCP and UDP, on every address or one, gone with the pod" {
	[ -x /usr/lib/cni/portmap ] && command -v iptables >/dev/null || skip "needs the CNI plugin portmap and iptables"
	space=orch-hp-$$
	ip netns add $space
	ip -n $space link set lo up
	ip -n $space addr add 192.0.2.7/32 dev lo
	pod web 'httpd -f -h /www' 'ports: [{containerPort: 80, hostPort: 8080}, {containerPort: 80, hostPort: 8081, hostIP: 192.0.2.7}, {containerPort: 53, hostPort: 5353, protocol: UDP}]' 'restartPolicy: Always' |
		start_node --netns $space --address 192.0.2.7
	until_status web '.phase == "Running"'
	inside() { ip netns exec $space "$@"; }
	said=$(for _ in $(seq 50); do inside curl -s --max-time 2 http://192.0.2.7:8080/ && break; sleep 0.1; done)
	one=$(inside curl -s --max-time 2 http://192.0.2.7:8081/)
	other=$(inside curl -s --max-time 2 http://127.0.0.1:8081/ || echo refused)
	udp=$(inside iptables -t nat -S | grep -c 'udp.*5353' || true)
	kill -TERM "$(cat "$T/node.pid")"
	for _ in $(seq 100); do [ -e "/proc/$(cat "$T/node.pid")" ] || break; sleep 0.1; done
	left=$(inside iptables -t nat -S | grep -c 'dport 8080' || true)
	ip netns del $space
	[ "$said" = hello ]
	[ "$one" = hello ]
	[ "$other" = refused ]
	[ "$udp" -ge 1 ]
	[ "$left" = 0 ]
}
