#!/usr/bin/env bats
# orch-node's command line; what it does with containers is in tests/e2e/node.bats.

setup() {
	BIN=${BIN:-$BATS_TEST_DIRNAME/../../build/bin}
	PATH=$BIN:$PATH
	T=$(mktemp -d)
}

teardown() {
	rm -rf "$T"
}

root() { [ "$(id -u)" = 0 ] || skip "needs root"; }

@test "without root it says so" {
	[ "$(id -u)" != 0 ] || command -v setpriv >/dev/null || skip "needs setpriv"
	chmod 755 "$T"
	if [ "$(id -u)" = 0 ]; then
		cp "$BIN/orch-node" "$T/orch-node"
		run setpriv --reuid 65534 --clear-groups "$T/orch-node" --data "$T/n"
	else
		run orch-node --data "$T/n"
	fi
	[ "$status" = 2 ]
	[[ $output == *"containers need root"* ]]
}

@test "wrong usage exits 2" {
	run orch-node operand
	[ "$status" = 2 ]
	root
	run orch-node --data "$T/n" --backoff soon --pods /dev/null --once
	[ "$status" = 2 ]
	[[ $output == *backoff*soon* ]]
	run orch-node --data "$T/n" --pod-pids many --pods /dev/null --once
	[ "$status" = 2 ]
}

@test "a namespace that is not there is named" {
	root
	run orch-node --data "$T/n" --netns no-such-namespace --pods /dev/null --once
	[ "$status" = 1 ]
	[[ $output == *"'no-such-namespace'"* ]]
}

@test "broken pods: a message that names file and place, exit 2" {
	root
	command -v conmon >/dev/null || skip "needs conmon"
	echo 'kind: [unclosed' >"$T/bad.yaml"
	run orch-node --data "$T/n" --pods "$T/bad.yaml" --once
	[ "$status" = 2 ]
	[[ $output == *"bad.yaml"* ]]
	echo '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"../x"},"spec":{"containers":[{"name":"c"}]}}' >"$T/evil"
	run orch-node --data "$T/n" --pods "$T/evil" --once
	[ "$status" = 2 ]
	[[ $output == *"../x"* ]]
	echo '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","uid":"../../y"},"spec":{"containers":[{"name":"c"}]}}' >"$T/evil"
	run orch-node --data "$T/n" --pods "$T/evil" --once
	[ "$status" = 2 ]
	echo '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{}}' >"$T/none"
	run orch-node --data "$T/n" --pods "$T/none" --once
	[ "$status" = 2 ]
	[[ $output == *"no containers"* ]]
	run orch-node --data "$T/n" --pods "$T/missing" --once
	[ "$status" = 1 ]
	[[ $output == *"missing"* ]]
	orch-node --data "$T/n" --clean
}

@test "--clean of a folder where nothing was is fine" {
	root
	orch-node --data "$T/n" --clean
	orch-node --data "$T/n" --clean
}

@test "--clean needs no runtime" {
	root
	mkdir -p "$T/n/run" "$T/none"
	PATH=$BIN run orch-node --data "$T/n" --cni-path "$T/none" --clean
	[ "$status" = 0 ]
}
