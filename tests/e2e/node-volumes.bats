#!/usr/bin/env bats
# Volumes of pods on real containers, without a server.

load node.bash
setup() { node_setup; }
teardown() {
	[ -z "${LOOP:-}" ] || losetup -d "$LOOP"
	node_teardown
}

# claim NAME VOLUME [YAML of the claim's spec]
claim() {
	cat <<-EOF
	---
	apiVersion: v1
	kind: PersistentVolumeClaim
	metadata: {name: $1}
	spec:
	  volumeName: $2
	  accessModes: [ReadWriteOnce]
	  resources: {requests: {storage: 1Mi}}
	$(printf '%s\n' "${3:-}" | sed 's/^/  /')
	EOF
}

# volume NAME SOURCE [YAML of its spec]
volume() {
	cat <<-EOF
	---
	apiVersion: v1
	kind: PersistentVolume
	metadata: {name: $1}
	spec:
	  capacity: {storage: 1Mi}
	  accessModes: [ReadWriteOnce]
	  $2
	$(printf '%s\n' "${3:-}" | sed 's/^/  /')
	EOF
}

HERE='nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: ["n"]}]}]}}'
ELSEWHERE='nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [other]}]}]}}'
MOUNT='volumeMounts: [{name: data, mountPath: /data}]'
of_claim() { printf 'restartPolicy: Never\nvolumes: [{name: data, persistentVolumeClaim: {claimName: %s}}]' "$1"; }

# waits NAME TEXT: it does not start, and says why
waits() {
	until_status "$1" ".containerStatuses[0].state.waiting | .reason == \"ContainerCreating\" and (.message // \"\" | contains($(jq -n --arg t "$2" '$t')))"
	[ "$(status "$1" .phase)" = Pending ]
}

@test "claims on a local and a hostPath volume: what is written is there, and stays" {
	mkdir "$T/disk"
	{
		volume local "local: {path: $T/disk}" "$HERE"
		volume host "hostPath: {path: $T/made, type: DirectoryOrCreate}"
		claim a local
		claim b host
		pod one 'echo one >/data/one; echo two >/host/two' 'volumeMounts: [{name: data, mountPath: /data}, {name: host, mountPath: /host}]' 'restartPolicy: Never
volumes: [{name: data, persistentVolumeClaim: {claimName: a}}, {name: host, persistentVolumeClaim: {claimName: b}}]'
	} >"$T/in"
	run_pods <"$T/in"
	[ "$(cat "$T/disk/one")" = one ]
	[ "$(cat "$T/made/two")" = two ]
	[ -z "$(ls "$T/n/pods"/*/volumes 2>/dev/null)" ]
}

@test "claims: readOnly, subPath, and one that names no volume gets the smallest that fits" {
	mkdir -p "$T/big/sub" "$T/small/sub" "$T/tiny"
	echo small >"$T/small/sub/name"
	{
		volume tiny "local: {path: $T/tiny}" "$HERE" | sed 's/1Mi/1Ki/'
		volume big "local: {path: $T/big}" "$HERE" | sed 's/1Mi/1Gi/'
		volume small "local: {path: $T/small}" "$HERE"
		claim any '""'
		pod one 'cat /data/name; touch /data/x 2>&1' 'volumeMounts: [{name: data, mountPath: /data, subPath: sub}]' 'restartPolicy: Never
volumes: [{name: data, persistentVolumeClaim: {claimName: any, readOnly: true}}]'
	} >"$T/in"
	run_pods <"$T/in" || true
	[ "$(logs one)" = "$(printf 'small\ntouch: /data/x: Read-only file system')" ]
}

@test "claims that cannot be had: the pod waits and says why, in the kubelet's words" {
	mkdir "$T/disk"
	{
		volume far "local: {path: $T/disk}" "$ELSEWHERE"
		volume gone "local: {path: $T/gone}" "$HERE"
		volume file "hostPath: {path: /etc/passwd, type: Directory}"
		volume nfs "nfs: {server: x, path: /}"
		claim far far
		claim gone gone
		claim file file
		claim nfs nfs
		claim none nowhere
		for c in far gone file nfs none missing; do pod $c true "$MOUNT" "$(of_claim $c)"; done
	} | start_node
	waits far 'MountVolume.NodeAffinity check failed for volume "far" : no matching NodeSelectorTerms'
	waits gone "MountVolume.NewMounter initialization failed for volume \"gone\" : path \"$T/gone\" does not exist"
	waits file 'MountVolume.SetUp failed for volume "file" : hostPath type check failed: /etc/passwd is not a directory'
	waits nfs 'MountVolume.SetUp failed for volume "nfs" : no volume plugin matched'
	waits none 'Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[data]: error processing PVC default/none: PVC is not bound'
	waits missing 'error processing PVC default/missing: failed to fetch PVC from API server: persistentvolumeclaims "missing" not found'
}

@test "an ephemeral volume: the claim is the pod's own, another's is refused" {
	mkdir "$T/disk"
	spec="restartPolicy: Never
volumes: [{name: data, ephemeral: {volumeClaimTemplate: {spec: {volumeName: PV, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Ki}}}}}}]"
	{
		volume mine "local: {path: $T/disk}" "$HERE"
		volume theirs "local: {path: $T/disk}" "$HERE"
		claim other-data theirs
		pod good 'echo x >/data/x' "$MOUNT" "${spec/PV/mine}"
		pod other true "$MOUNT" "${spec/PV/theirs}"
	} | start_node
	until_status good '.phase == "Succeeded"'
	[ "$(cat "$T/disk/x")" = x ]
	waits other 'PVC default/other-data was not created for pod default/other (pod is not owner)'
}

@test "a block volume is a device in the container" {
	truncate -s 1M "$T/blocks"
	LOOP=$(losetup -f --show "$T/blocks") || skip "needs a loop device"
	{
		volume raw "local: {path: $LOOP}" "volumeMode: Block
$HERE"
		claim raw raw 'volumeMode: Block'
		pod one 'stat -c %F /dev/raw; echo on the disk | dd of=/dev/raw conv=notrunc 2>/dev/null; sync' 'volumeDevices: [{name: data, devicePath: /dev/raw}]' "$(of_claim raw)"
		pod two true "$MOUNT" "$(of_claim raw)"
	} >"$T/in"
	start_node <"$T/in"
	until_status one '.phase == "Succeeded"'
	[ "$(logs one)" = "block special file" ]
	[ "$(head -c 11 "$T/blocks")" = "on the disk" ]
	waits two 'volume data has volumeMode Block, but is specified in volumeMounts'
}

@test "orch-pod with a claim: runs, and the bundle shows where it is; without a volume it ends" {
	mkdir "$T/disk"
	{
		volume v "local: {path: $T/disk}"
		claim c v
		pod one 'echo here >/data/x' "$MOUNT" "$(of_claim c)"
	} >"$T/in"
	orch-pod --images "$T/n" --root "$T/byhand" bundle <"$T/in" >"$T/bundle"
	[ "$(jq -r '.mounts[] | select(.destination == "/data") | .source' "$T/bundle")" = "$T/disk" ]
	orch-pod --images "$T/n" --root "$T/byhand" run <"$T/in"
	[ "$(cat "$T/disk/x")" = here ]
	pod one true "$MOUNT" "$(of_claim c)" >"$T/in"
	run orch-pod --images "$T/n" --root "$T/byhand" run <"$T/in"
	[ "$status" -ne 0 ]
	[[ "$output" == *'persistentvolumeclaims "c" not found'* ]]
}

@test "a volume that no container uses is not made; one that lacks its object waits, others run" {
	{
		pod idle true '' 'restartPolicy: Never
volumes: [{name: x, configMap: {name: none}}]'
		pod conf true 'volumeMounts: [{name: x, mountPath: /x}]' 'restartPolicy: Never
volumes: [{name: x, configMap: {name: none}}]'
		pod sec true 'volumeMounts: [{name: x, mountPath: /x}]' 'restartPolicy: Never
volumes: [{name: x, projected: {sources: [{secret: {name: none}}]}}]'
	} | start_node
	until_status idle '.phase == "Succeeded"'
	waits conf 'MountVolume.SetUp failed for volume "x" : configmap "none" not found'
	waits sec 'MountVolume.SetUp failed for volume "x" : secret "none" not found'
}

@test "subPathExpr and subPath: expanded, made, kept inside the volume whatever the links say" {
	mkdir -p "$T/v/in"
	echo secret >"$T/outside"
	ln -s "$T" "$T/v/abs"
	ln -s ../.. "$T/v/up"
	ln -s in "$T/v/link"
	echo file >"$T/v/in/file"
	volumes="restartPolicy: Never
volumes: [{name: v, hostPath: {path: $T/v}}]"
	{
		pod expr 'echo made >/a/x; cat /b /c' '
env: [{name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: DIR, value: "deep/$(POD)"}]
volumeMounts:
- {name: v, mountPath: /a, subPathExpr: "$(DIR)/$$(x)"}
- {name: v, mountPath: /b, subPath: in/file}
- {name: v, mountPath: /c, subPath: link/file, readOnly: true}' "$volumes"
		pod unset true 'volumeMounts: [{name: v, mountPath: /a, subPathExpr: "$(NONE)/x"}]' "$volumes"
		pod dots true 'volumeMounts: [{name: v, mountPath: /a, subPath: in/../../x}]' "$volumes"
		pod abs 'ls /a' 'volumeMounts: [{name: v, mountPath: /a, subPath: abs/outside}]' "$volumes"
		pod up 'ls /a' 'volumeMounts: [{name: v, mountPath: /a, subPath: up/outside}]' "$volumes"
	} | start_node
	until_status expr '.phase == "Succeeded"'
	[ "$(logs expr)" = "$(printf 'file\nfile')" ]
	[ "$(cat "$T/v/deep/expr/\$(x)/x")" = made ]
	until_status unset '.containerStatuses[0].state.waiting.reason == "CreateContainerConfigError"'
	until_status dots '.containerStatuses[0].state.waiting.message | contains("leads out of its volume")'
	for p in abs up; do # "/" of the volume is meant: what is not there is made there, or refused
		until_status $p '.phase == "Succeeded" or .containerStatuses[0].state.waiting.reason == "CreateContainerConfigError"'
		run logs $p
		[[ "$output" != *outside* && "$output" != *secret* ]]
	done
	[ "$(cat "$T/outside")" = secret ]
}

@test "mounts go both ways for privileged containers alone, and into one that asks" {
	mkdir "$T/both" "$T/from"
	mount --bind "$T/both" "$T/both"
	mount --make-private "$T/both"
	spec="restartPolicy: Never
volumes: [{name: v, hostPath: {path: $T/both}}]"
	BOTH='volumeMounts: [{name: v, mountPath: /v, mountPropagation: Bidirectional}]'
	{
		pod plain true "$BOTH" "$spec"
		pod alone true "securityContext: {privileged: true}
$BOTH" "$spec"
	} | start_node
	until_status plain '.containerStatuses[0].state.waiting.message == "Bidirectional mount propagation is available only to privileged containers"'
	until_status alone ".containerStatuses[0].state.waiting.message == \"path \\\"$T/both\\\" is mounted on \\\"$T/both\\\" but it is not a shared mount\""
	end_node KILL
	orch-node --data "$T/n" --clean
	mount --make-shared "$T/both"
	{
		pod giver 'mkdir /v/new; mount -t tmpfs given /v/new; echo x >/v/new/x; while [ ! -e /v/end ]; do sleep 0.1; done; umount /v/new' "securityContext: {privileged: true}
$BOTH" "$spec"
		pod taker 'while ! grep given /proc/mounts; do sleep 0.1; done; cat /v/new/x; touch /v/end' 'volumeMounts: [{name: v, mountPath: /v, mountPropagation: HostToContainer}]' "$spec"
	} | start_node
	until_status giver '.phase == "Succeeded"' || { umount -l "$T/both/new" "$T/both"; false; }
	run mountpoint -q "$T/both/new"
	umount -l "$T/both"
	[ "$status" -ne 0 ]
	[[ "$(logs taker)" == *x ]]
}

@test "read-only, recursively: what is mounted below it too, as its status says" {
	mkdir "$T/v"
	mkdir "$T/v/below"
	mount -t tmpfs below "$T/v/below"
	w='touch /v/x 2>/dev/null || echo no; touch /v/below/x 2>/dev/null && echo yes; true'
	spec="restartPolicy: Never
volumes: [{name: v, hostPath: {path: $T/v}}]"
	{
		pod shallow "$w" 'volumeMounts: [{name: v, mountPath: /v, readOnly: true}]' "$spec"
		pod maybe "$w" 'volumeMounts: [{name: v, mountPath: /v, readOnly: true, recursiveReadOnly: IfPossible}]' "$spec"
		pod deep "$w" 'volumeMounts: [{name: v, mountPath: /v, readOnly: true, recursiveReadOnly: Enabled}]' "$spec"
	} >"$T/in"
	run run_pods <"$T/in"
	umount "$T/v/below"
	[ "$status" -eq 0 ] || { cat "$T/err" >&2; false; }
	[ "$(logs shallow)" = "$(printf 'no\nyes')" ]
	[ "$(logs maybe)" = no ]
	[ "$(logs deep)" = no ]
	[ "$(status shallow '.containerStatuses[0].volumeMounts[0] | "\(.name) \(.mountPath) \(.readOnly) \(.recursiveReadOnly)"')" = "v /v true Disabled" ]
	[ "$(status maybe '.containerStatuses[0].volumeMounts[0].recursiveReadOnly')" = Enabled ]
}

@test "fsGroup: a local volume becomes the group's, never what its links lead to; OnRootMismatch looks at the root" {
	mkdir -p "$T/disk/deep/er" "$T/ro"
	echo x >"$T/disk/deep/er/file"
	echo s >"$T/outside"
	chmod 600 "$T/disk/deep/er/file" "$T/outside"
	chmod 700 "$T/disk/deep"
	ln -s "$T/outside" "$T/disk/deep/link"
	group='securityContext: {fsGroup: 4321, runAsUser: 1000, runAsGroup: 1000POLICY}'
	{
		volume d "local: {path: $T/disk}" "$HERE"
		volume r "local: {path: $T/ro}" "$HERE"
		claim d d
		claim r r
		pod one 'id -G; cat /data/deep/er/file; echo y >/data/new; stat -c %g /data/new; echo z >/empty/z; stat -c "%g %a" /empty' '
volumeMounts: [{name: data, mountPath: /data}, {name: ro, mountPath: /ro}, {name: e, mountPath: /empty}]' "restartPolicy: Never
${group/POLICY/}
volumes: [{name: data, persistentVolumeClaim: {claimName: d}}, {name: ro, persistentVolumeClaim: {claimName: r, readOnly: true}}, {name: e, emptyDir: {}}]"
	} >"$T/in"
	run_pods <"$T/in"
	[ "$(logs one)" = "$(printf '1000 4321\nx\n4321\n4321 2777')" ]
	[ "$(stat -c '%g %a' "$T/disk" "$T/disk/deep" "$T/disk/deep/er/file" | tr '\n' ,)" = "4321 2775,4321 2770,4321 660," ]
	[ "$(stat -c '%g %a' "$T/outside")" = "0 600" ]
	[ "$(stat -c %g "$T/ro")" = 0 ]

	chgrp 0 "$T/disk/deep/er/file"
	again() {
		{
			volume d "local: {path: $T/disk}" "$HERE"
			claim d d
			pod "$1" true "$MOUNT" "${group/POLICY/, fsGroupChangePolicy: $2}
$(of_claim d)"
		} >"$T/in"
		run_pods <"$T/in"
	}
	again lazy OnRootMismatch
	[ "$(stat -c %g "$T/disk/deep/er/file")" = 0 ]
	again eager Always
	[ "$(stat -c %g "$T/disk/deep/er/file")" = 4321 ]
}

@test "supplementalGroupsPolicy: the image's groups are merged, or not" {
	printf 'root:x:0:0::/:/bin/sh\nu:x:1000:50::/:/bin/sh\n' >"$T/passwd"
	printf 'root:x:0:\na:x:50:\nb:x:60:other,u\nc:x:70:uu\nd:x:80:u\n' >"$T/group"
	"$TOP/scripts/busybox-image" "$T/groups.tar" groups:1 /etc/passwd="$(cat "$T/passwd")" /etc/group="$(cat "$T/group")"
	orch-image --data "$T/n" import "$T/groups.tar" >/dev/null
	for p in Merge Strict; do
		pod "${p,,}" 'id -G' '' "restartPolicy: Never
securityContext: {runAsUser: 1000, runAsGroup: 50, supplementalGroups: [90], supplementalGroupsPolicy: $p}"
	done | sed '/- name: c/a\    image: groups:1' | sed '/image: web:1/d' >"$T/in"
	run_pods <"$T/in"
	[ "$(logs merge)" = "50 60 80 90" ]
	[ "$(logs strict)" = "50 90" ]
}

@test "emptyDir: more than its sizeLimit on disk, and the pod is evicted" {
	spec='restartPolicy: Always
volumes: [{name: small, emptyDir: {sizeLimit: 1Mi}}, {name: e, emptyDir: {}}]'
	M='volumeMounts: [{name: small, mountPath: /small}, {name: e, mountPath: /e}]'
	{
		pod full 'dd if=/dev/zero of=/small/x bs=64k count=32; sleep 1000' "$M" "$spec"
		pod fits 'dd if=/dev/zero of=/small/x bs=64k count=12; dd if=/dev/zero of=/e/x bs=64k count=32; sleep 1000' "$M" "$spec"
		pod sparse 'truncate -s 1G /small/x; ln /small/x /small/y; sleep 1000' "$M" "$spec"
	} | start_node
	until_status full '.phase == "Failed"' 20
	[ "$(status full '"\(.reason)|\(.message)"')" = 'Evicted|Usage of EmptyDir volume "small" exceeds the limit "1Mi". ' ]
	[ "$(status full '[.conditions[] | select(.type == "DisruptionTarget")] | length')" = 0 ] # its own fault
	sleep 6
	[ "$(status fits .phase)" = Running ]
	[ "$(status sparse .phase)" = Running ]
	[ "$(jq -r 'select(.metadata.name == "full" and .status.phase == "Failed") | 1' "$T/out" | wc -l)" -le 3 ]
}

@test "emptyDir in memory: as large as its limit, the pod's, else the machine; huge pages only where there are some" {
	M='volumeMounts: [{name: m, mountPath: /m}]'
	size="df -k /m | awk 'END { print \$2 }'"
	{
		pod own "$size" "resources: {limits: {memory: 64Mi}}
$M" 'restartPolicy: Never
volumes: [{name: m, emptyDir: {medium: Memory, sizeLimit: 2Mi}}]'
		pod pods "$size" "resources: {limits: {memory: 64Mi}}
$M" 'restartPolicy: Never
volumes: [{name: m, emptyDir: {medium: Memory, sizeLimit: 1Gi}}]'
		pod huge true "$M" 'restartPolicy: Never
volumes: [{name: m, emptyDir: {medium: HugePages-3Mi}}]'
	} | start_node
	until_status own '.phase == "Succeeded"'
	until_status pods '.phase == "Succeeded"'
	[ "$(logs own)" = 2048 ]
	[ "$(logs pods)" = 65536 ]
	waits huge 'MountVolume.SetUp failed for volume "m" : medium HugePages-3Mi: this machine has no huge pages of 3Mi'
}

@test "hostPath: each type, made or refused, in the kubelet's words" {
	mkfifo "$T/fifo"
	touch "$T/file"
	mkdir "$T/dir"
	one() { # NAME TYPE PATH
		pod "$1" true 'volumeMounts: [{name: v, mountPath: /v}]' "restartPolicy: Never
volumes: [{name: v, hostPath: {path: $3, type: $2}}]"
	}
	{
		one dir Directory "$T/dir"
		one newdir DirectoryOrCreate "$T/a/b"
		one file File "$T/file"
		one newfile FileOrCreate "$T/c"
		one char CharDevice /dev/null
		one nodir Directory "$T/file"
		one nofile FileOrCreate "$T/dir"
		one nosock Socket "$T/fifo"
		one nochar CharDevice "$T/file"
		one noblock BlockDevice /dev/null
		one back '""' "$T/dir/../file"
	} | start_node
	for p in dir newdir file newfile char; do until_status $p '.phase == "Succeeded" or .phase == "Failed"'; done
	[ "$(stat -c '%F %a' "$T/a/b")" = "directory 755" ]
	[ "$(stat -c '%F %a' "$T/c")" = "regular empty file 644" ]
	waits nodir "MountVolume.SetUp failed for volume \"v\" : hostPath type check failed: $T/file is not a directory"
	waits nofile "hostPath type check failed: $T/dir is not a file"
	waits nosock "hostPath type check failed: $T/fifo is not a socket file"
	waits nochar "hostPath type check failed: $T/file is not a character device"
	waits noblock "hostPath type check failed: /dev/null is not a block device"
	waits back "invalid HostPath \`$T/dir/../file\`: must not contain '..'"
}

@test "a volume out of an image: to be read, not written nor run, also a part of it; it keeps the image" {
	"$TOP/scripts/busybox-image" "$T/data.tar" data:1 /model/name=small >/dev/null
	orch-image --data "$T/n" import "$T/data.tar" >/dev/null
	spec='restartPolicy: Never
volumes: [{name: i, image: {reference: data:1, pullPolicy: Never}}]'
	{
		pod one 'cat /i/model/name /part/name; touch /i/x 2>&1; /i/bin/busybox true 2>&1; while [ ! -e /end ]; do sleep 0.1; done' '
volumeMounts: [{name: i, mountPath: /i}, {name: i, mountPath: /part, subPath: model}]' "$spec"
		pod none true 'volumeMounts: [{name: i, mountPath: /i}]' "${spec/data:1/missing:1}"
	} | start_node
	until_status one '.phase == "Running"'
	waits none 'MountVolume.SetUp failed for volume "i" : ErrImageNeverPull: '
	for _ in 1 2 3 4 5 6 7 8 9 10; do logs one | grep -q denied && break; sleep 0.2; done
	[ "$(logs one | head -n 3)" = "$(printf 'small\nsmall\ntouch: /i/x: Read-only file system')" ]
	[[ "$(logs one | tail -n 1)" == *'Permission denied' ]]
	run orch-image --data "$T/n" remove data:1
	[ "$status" -ne 0 ]
	[[ "$output" == *'is used by a pod'* ]]
}

@test "with a server: waits for its claim, with an event, and runs when that is bound" {
	command -v kubectl >/dev/null || skip "needs kubectl"
	orch-store -d "$T/store" -l 127.0.0.1:0 >/dev/null 2>"$T/store.err" 3>&- &
	echo $! >"$T/store.pid"
	export KUBECONFIG=$T/store/admin.kubeconfig
	for _ in $(seq 100); do orch-get namespaces >/dev/null 2>&1 && break; sleep 0.1; done
	mkdir "$T/disk"
	orch-node --data "$T/n" --name n --pod-cidr "$CIDR" >"$T/out" 2>"$T/err" 3>&- &
	echo $! >"$T/node.pid"
	{
		printf 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default}\n'
		volume v "local: {path: $T/disk}" "$HERE"
		claim c v 'storageClassName: ""'
		pod p 'echo x >/data/x; sleep 1000' "imagePullPolicy: Never
$MOUNT" "nodeName: \"n\"
$(of_claim c)"
	} | orch-apply >/dev/null
	for _ in $(seq 100); do
		said=$(orch-get -o jsonl events | jq -r 'select(.reason == "FailedMount") | .message')
		[ -n "$said" ] && break
		sleep 0.1
	done
	[[ "$said" == *'error processing PVC default/c: PVC is not bound' ]]
	[ "$(orch-get -o jsonl pods p | jq -r .status.phase)" = Pending ]
	kubectl patch pv v --type=merge -p "{\"spec\":{\"claimRef\":{\"kind\":\"PersistentVolumeClaim\",\"namespace\":\"default\",\"name\":\"c\",\"uid\":\"$(orch-get -o jsonl pvc c | jq -r .metadata.uid)\"}}}" >/dev/null
	kubectl patch pvc c --subresource=status --type=merge -p '{"status":{"phase":"Bound"}}' >/dev/null
	for _ in $(seq 100); do [ -s "$T/disk/x" ] && break; sleep 0.2; done
	[ "$(cat "$T/disk/x")" = x ]
}
