# Pods with users of their own (hostUsers: false). Real containers.
load node.bash

setup() {
	node_setup
	unshare --user true 2>/dev/null || skip "needs user namespaces"
	case $(stat -f -c %T "$T") in overlay*) skip "the ids of overlays cannot be mapped" ;; esac
}
teardown() { node_teardown; }

apart='restartPolicy: Never
hostUsers: false'
first() { awk '{ print $2 }' <<<"$(logs "$1" | grep -E '^ *0 ')"; } # of the ids of a pod that printed uid_map

@test "a range of 65536 ids each, of users and groups; root inside is nobody outside" {
	{
		pod a 'cat /proc/self/uid_map /proc/self/gid_map; sleep 60' '' "$apart"
		pod b 'cat /proc/self/uid_map; sleep 60' '' "$apart"
		pod host 'cat /proc/self/uid_map; sleep 60'
	} | start_node
	for p in a b host; do until_status $p '.containerStatuses[0].state.running != null'; done
	for p in a b host; do until [ -n "$(logs $p)" ]; do sleep 0.1; done; done
	[ "$(logs host | awk '{ print $2, $3 }')" = "0 4294967295" ]
	[ "$(logs a | awk '{ print $1, $3 }' | sort -u)" = "0 65536" ]
	[ "$(logs a | awk '{ print $2 }' | sort -u | wc -l)" -eq 1 ]
	a=$(first a | head -1) b=$(first b)
	[ $((a % 65536)) -eq 0 ] && [ "$a" -ge 65536 ] && [ "$a" -ne "$b" ]
	for f in "$T"/n/pods/*/containers/c-0/pid; do
		if [ "$(awk '{ print $2 }' "/proc/$(cat "$f")/uid_map")" = "$a" ]; then pid=$(cat "$f"); fi
	done
	[ "$(stat -c %u /proc/"$pid")" -eq "$a" ]
	[ "$(cat /run/orch/ids/"$a")" != "" ] && [ "$(cat /run/orch/ids/"$b")" != "" ]

	# another agent finds the pods as they are, and their ids are theirs alone
	end_node KILL
	{
		cat "$T/pods"
		pod c 'cat /proc/self/uid_map; sleep 60' '' "$apart"
	} >"$T/more"
	start_node <"$T/more"
	until_status c '.containerStatuses[0].state.running != null'
	until [ -n "$(logs c)" ]; do sleep 0.1; done
	[ "$(stat -c %u /proc/"$pid")" -eq "$a" ]
	[ "$(first c)" -ne "$a" ] && [ "$(first c)" -ne "$b" ]
	end_node
	for i in $a $b; do [ ! -e /run/orch/ids/"$i" ]; done
}

@test "files are whose they are for the containers: image, volumes, hosts, termination log, devices" {
	mkdir -p "$T/host/sub" && echo of root >"$T/host/f" && chown 1000:50 "$T/host/sub"
	files='cd /; stat -c "%u:%g %n" /bin/busybox /e /m /c/k /s/k /d/name /p/k /h/f /h/sub /sub /i/www/index.html /etc/hosts /etc/resolv.conf /etc/hostname /dev/shm
cat /c/k /s/k /d/name /h/f /i/www/index.html
echo more >>/h/f && echo x >/h/made && echo y >/sub/made && echo z >/e/made && echo s >/dev/shm/s && echo w >/written
echo out >/dev/stdout; echo err >/dev/stderr; echo null >/dev/null; echo told >/dev/termination-log'
	{
		printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {k: "of the map\\n"}\n---\n'
		printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: "of the secret\\n"}\n'
		pod f "$files" 'volumeMounts: [{name: e, mountPath: /e}, {name: m, mountPath: /m}, {name: c, mountPath: /c}, {name: s, mountPath: /s},
  {name: d, mountPath: /d}, {name: p, mountPath: /p}, {name: h, mountPath: /h}, {name: h, mountPath: /sub, subPath: sub}, {name: i, mountPath: /i}]' "$apart
volumes:
- {name: e, emptyDir: {}}
- {name: m, emptyDir: {medium: Memory}}
- {name: c, configMap: {name: cm}}
- {name: s, secret: {secretName: s}}
- {name: d, downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}
- {name: p, projected: {sources: [{configMap: {name: cm}}]}}
- {name: h, hostPath: {path: $T/host}}
- {name: i, image: {reference: 'web:1', pullPolicy: Never}}"
	} >"$T/in"
	for runtime in crun runc; do
		command -v $runtime >/dev/null || continue
		rm -rf "$T/n/log" "$T/host/made"
		echo of root >"$T/host/f"
		run_pods --runtime $runtime <"$T/in"
		[ "$(status f .phase)" = Succeeded ]
		[ "$(status f '.containerStatuses[0].state.terminated.message')" = told ]
		logs f >"$T/said"
		[ "$(grep -c '^0:0 ' "$T/said")" -eq 13 ]
		[ "$(grep '^1000:50 ' "$T/said")" = "1000:50 /h/sub
1000:50 /sub" ]
		for w in 'of the map' 'of the secret' 'fof root' hello out err; do grep -qx "$w" "$T/said"; done
		[ "$(stat -c %u:%g "$T/host/made" "$T/host/sub/made" | sort -u)" = 0:0 ]
		[ "$(cat "$T/host/f")" = "of root
more" ]
	done
}

@test "users and groups: runAsUser, fsGroup, supplemental groups; what the status says of them" {
	{
		pod u 'id -u; id -G; touch /e/f && stat -c %u:%g /e/f /e; cat /c/k; touch /root/x 2>&1; echo e >/dev/stderr; false' 'securityContext: {runAsUser: 1000, runAsGroup: 50}
volumeMounts: [{name: e, mountPath: /e}, {name: c, mountPath: /c}]' "$apart
securityContext: {fsGroup: 70, supplementalGroups: [80, 81]}
volumes: [{name: e, emptyDir: {}}, {name: c, configMap: {name: cm, defaultMode: 0400}}]"
		printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {k: "map\\n"}\n'
		pod high 'id -u' 'securityContext: {runAsUser: 70000}' "$apart"
	} | start_node
	until_status u '.phase == "Failed"'
	[ "$(logs u)" = "1000
50 70 80 81
1000:70
0:70
map
touch: /root/x: Permission denied
e" ]
	[ "$(status u '.containerStatuses[0].user | tojson')" = '{"linux":{"uid":1000,"gid":50,"supplementalGroups":[50,80,81,70]}}' ]
	until_status high '.containerStatuses[0].state.terminated.reason == "StartError" or .containerStatuses[0].state.waiting.reason == "CreateContainerConfigError"'
}

@test "rights end at the pod: its network is its own, the machine's is not; privileged too" {
	{
		pod p 'ip link add d0 type veth peer name d1 && echo net; hostname other && echo name
mount -t tmpfs x /mnt && echo mounted; mknod /x b 8 0 2>&1; echo 1 >/proc/sys/vm/drop_caches 2>&1; mkdir /n && touch /h/x 2>&1' 'securityContext: {privileged: true}
volumeMounts: [{name: h, mountPath: /h}, {name: m, mountPath: /mnt}]' "$apart
volumes: [{name: h, hostPath: {path: /proc/sys/kernel}}, {name: m, emptyDir: {}}]"
		pod sys 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start; cat /proc/mounts | grep -c "^sysfs /sys .*ro,"' '' "$apart
securityContext: {sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: '81'}]}"
		pod unmasked 'grep -c " /proc/" /proc/self/mounts' 'securityContext: {procMount: Unmasked}' "$apart"
	} | start_node
	until_status sys '.phase == "Succeeded"'
	[ "$(logs sys)" = "81
1" ]
	until_status unmasked '.containerStatuses[0].state.terminated != null'
	[ "$(logs unmasked)" = 0 ]
	until_status p '.containerStatuses[0].state | .waiting.reason == "CreateContainerConfigError" or .terminated != null'
	[[ $(status p '.containerStatuses[0].state.waiting.message') == *"mount '/h': cannot map the ids of '/proc/sys/kernel':"* ]]
}

@test "hooks, probes, sidecars, init containers and one process namespace" {
	{
		cat <<-'END'
		apiVersion: v1
		kind: Pod
		metadata: {name: all}
		spec:
		  hostUsers: false
		  shareProcessNamespace: true
		  restartPolicy: Never
		  terminationGracePeriodSeconds: 5
		  volumes: [{name: e, emptyDir: {}}]
		  initContainers:
		  - {name: i, image: 'web:1', command: [sh, -c, 'echo init >/e/i'], volumeMounts: [&e {name: e, mountPath: /e}]}
		  - name: side
		    image: web:1
		    restartPolicy: Always
		    command: [sh, -c, 'while :; do sleep 0.1; done']
		    startupProbe: {exec: {command: [sh, -c, 'cat /e/i >>/e/probe; id -u >>/e/probe']}, periodSeconds: 1}
		  containers:
		  - name: c
		    image: web:1
		    command: [sh, -c, 'cat /e/i; ps -o pid,comm | grep -c sleep; ps -o comm | head -2 | tail -1; until [ -e /e/post ]; do sleep 0.1; done; cat /e/post; until [ -e /e/web ]; do sleep 0.1; done; trap "cat /e/pre; exit 0" TERM; while :; do sleep 0.1; done']
		    volumeMounts: [*e]
		    lifecycle:
		      postStart: {exec: {command: [sh, -c, 'id -u >/e/post; echo of the hook >/dev/stderr']}}
		      preStop: {exec: {command: [sh, -c, 'echo pre >/e/pre']}}
		  - name: web
		    image: web:1
		    command: [sh, -c, 'touch /e/web; exec httpd -f -p 80 -h /www']
		    readinessProbe: {httpGet: {port: 80, path: /}, periodSeconds: 1}
		    volumeMounts: [*e]
		END
	} >"$T/y"
	sed -i "s/- name: side/&\n    volumeMounts: [{name: e, mountPath: \/e}]/" "$T/y"
	start_node <"$T/y"
	until_status all '.conditions[] | select(.type == "Ready").status == "True"'
	[ "$(curl -s "http://$(status all .podIP)/index.html")" = hello ]
	end_node
	[ "$(logs all c)" = "init
1
pause
0
pre" ]
}

@test "orch-pod: run, and the bundle shows namespace, map and mapped mounts; nothing is left" {
	pod u 'cat /proc/self/uid_map; exit 4' '' "$apart" >"$T/u.yaml"
	set +e
	orch-pod --images "$T/n" --root "$T/pods" run <"$T/u.yaml" >"$T/o" 2>"$T/e"
	code=$?
	set -e
	[ $code -eq 4 ]
	[ "$(awk '{ print $1, $3 }' "$T/o")" = "0 65536" ]
	[ ! -s "$T/e" ]
	before=$(ls /run/orch/ids)
	orch-pod --images "$T/n" --root "$T/pods" bundle <"$T/u.yaml" >"$T/b"
	[ "$(jq -r '.linux.uidMappings == .linux.gidMappings, .linux.uidMappings[0].size, .linux.uidMappings[0].hostID % 65536' "$T/b")" = "true
65536
0" ]
	[[ $(jq -r '.linux.namespaces[] | select(.type == "user").path' "$T/b") == */ns/user ]]
	[ "$(jq -r .root.path "$T/b")" = /run/orch/stage/rootfs ]
	[ "$(jq -r '[.mounts[] | select(.type == "bind").source | startswith("/run/orch/stage/")] | all' "$T/b")" = true ]
	[ "$(ls /run/orch/ids)" = "$before" ]
	[ -z "$(ls "$T/pods")" ]
	! grep -q /run/orch/stage /proc/self/mounts
}

@test "Bidirectional mounts are refused with a reason" {
	mkdir "$T/h"
	pod b true 'securityContext: {privileged: true}
volumeMounts: [{name: h, mountPath: /h, mountPropagation: Bidirectional}]' "$apart
volumes: [{name: h, hostPath: {path: $T/h}}]" | start_node
	until_status b '.containerStatuses[0].state.waiting.reason == "CreateContainerError"'
	[[ $(status b '.containerStatuses[0].state.waiting.message') == *'`hostUsers` is false'* ]]
}

@test "where /run is a file system of its own, and the umask strict" {
	pod a 'cat /proc/self/uid_map; test -r /etc/hosts' '' "$apart" >"$T/in"
	unshare --mount --propagation private sh -c 'mount -t tmpfs -o mode=755 tmpfs /run && umask 077 && exec "$@"' sh \
		timeout 60 orch-node --data "$T/n" --name n --pod-cidr "$CIDR" --pods "$T/in" --once >"$T/out" 2>"$T/err" 3>&-
	[ "$(status a .phase)" = Succeeded ]
	[ "$(first a)" -ge 65536 ]
}
