# What a container may do: system calls, sysctls; and what a node refuses. Real containers.
load node.bash

setup() { node_setup; }
teardown() { node_teardown; }

logs() { cat "$T"/n/log/pods/*_"$1"_*/c/*.log | sed 's/^[^ ]* [^ ]* [^ ]* //'; }

@test "seccomp: Unconfined unless somebody asks, RuntimeDefault, none for privileged" {
	command='grep ^Seccomp: /proc/self/status'
	{
		pod plain "$command"
		pod default "$command" 'securityContext: {seccompProfile: {type: RuntimeDefault}}'
		pod ofpod "$command" '' 'restartPolicy: Never
securityContext: {seccompProfile: {type: RuntimeDefault}}'
		pod over "$command" 'securityContext: {seccompProfile: {type: Unconfined}}' 'restartPolicy: Never
securityContext: {seccompProfile: {type: RuntimeDefault}}'
		pod privileged "$command" 'securityContext: {privileged: true, seccompProfile: {type: RuntimeDefault}}'
	} >"$T/in"
	run_pods <"$T/in"
	for p in plain over privileged; do [ "$(logs $p)" = "Seccomp:	0" ]; done
	for p in default ofpod; do [ "$(logs $p)" = "Seccomp:	2" ]; done
	orch-node --data "$T/n" --clean
	rm -rf "$T/n/log"
	run_pods --seccomp-default <"$T/in"
	[ "$(logs plain)" = "Seccomp:	2" ]
	[ "$(logs over)" = "Seccomp:	0" ]
}

@test "seccomp: a profile of the node's, and one that is not there or broken" {
	mkdir -p "$T/n/seccomp/a"
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
	  {"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "excludes": {"caps": ["CAP_CHOWN"]}}]}' >"$T/n/seccomp/a/p.json"
	echo '{"defaultAction"' >"$T/n/seccomp/broken.json"
	profile() { echo "securityContext: {seccompProfile: {type: Localhost, localhostProfile: $1}}"; }
	{
		pod good 'mkdir /x 2>&1; chmod 700 /tmp && echo chmod' "$(profile a/p.json)"
		pod none true "$(profile none.json)"
		pod broken true "$(profile broken.json)"
		pod outside true "$(profile ../../../etc/passwd)"
	} | start_node
	until_status good '.phase == "Succeeded"'
	[ "$(logs good)" = "mkdir: can't create directory '/x': Operation not permitted
chmod" ]
	for p in none broken outside; do
		until_status $p '.containerStatuses[0].state.waiting.reason == "CreateContainerConfigError"'
	done
	[[ $(status broken '.containerStatuses[0].state.waiting.message') == *"seccomp/broken.json:"* ]]
	[[ $(status outside '.containerStatuses[0].state.waiting.message') == *"is not below the node's seccomp folder"* ]]
}

@test "sysctls: safe ones and allowed ones are set, others refused with a reason" {
	sysctl() { printf 'restartPolicy: Never\n%s\nsecurityContext: {sysctls: [{name: %s, value: "%s"}]}' "${3:-}" "$1" "$2"; }
	{
		pod safe 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start' '' "$(sysctl net.ipv4.ip_unprivileged_port_start 80)"
		pod allowed 'cat /proc/sys/kernel/msgmax' '' "$(sysctl kernel/msgmax 9999)"
		pod unsafe true '' "$(sysctl net.core.somaxconn 99)"
		pod machine true '' "$(sysctl vm.swappiness 10)"
		pod shared true '' "$(sysctl net.ipv4.tcp_syncookies 0 'hostNetwork: true')"
	} >"$T/in"
	before=$(cat /proc/sys/vm/swappiness /proc/sys/net/ipv4/tcp_syncookies)
	run_pods --allowed-unsafe-sysctls 'kernel.msg*' <"$T/in" && false
	[ "$(logs safe)" = 80 ]
	[ "$(logs allowed)" = 9999 ]
	for p in unsafe machine shared; do
		[ "$(status $p '[.phase, .reason] | join(" ")')" = "Failed SysctlForbidden" ]
	done
	[ "$(status unsafe .message)" = 'Pod was rejected: forbidden sysctl: "net.core.somaxconn" not allowlisted' ]
	[[ $(status shared .message) == *"not allowed with hostNetwork enabled" ]]
	[ "$before" = "$(cat /proc/sys/vm/swappiness /proc/sys/net/ipv4/tcp_syncookies)" ]
}

@test "AppArmor that cannot be enforced, another operating system, claims of devices: refused, not left out" {
	{
		pod armor true 'securityContext: {appArmorProfile: {type: Localhost, localhostProfile: orch-no-such-profile}}'
		pod free 'echo free' 'securityContext: {appArmorProfile: {type: Unconfined}}'
		pod windows true '' 'restartPolicy: Never
os: {name: windows}'
		pod claims true 'resources: {claims: [{name: gpu}]}' 'restartPolicy: Never
resourceClaims: [{name: gpu, resourceClaimName: mine}]'
	} >"$T/in"
	run_pods <"$T/in" && false
	[ "$(status armor '[.phase, .reason] | join(" ")')" = "Failed AppArmor" ]
	[[ $(status armor .message) == "Pod was rejected: Cannot enforce AppArmor: "* ]]
	[ "$(logs free)" = free ]
	[ "$(status windows '[.phase, .reason] | join(" ")')" = "Failed PodOSNotSupported" ]
	[ "$(status claims '[.phase, .reason] | join(" ")')" = "Failed UnexpectedAdmissionError" ]
	[[ $(status claims .message) == *'resource claim "gpu"'* ]]
}
