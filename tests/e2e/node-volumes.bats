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
