#!/usr/bin/env bats
# Holding up a shutdown: against a logind that is only pretended.

load ../logind.bash

setup() {
	bats_require_minimum_version 1.5.0
	BIN=${BIN:-$PWD/build/bin}
	PATH=$BIN:$PATH
	T=$(mktemp -d)
}
teardown() {
	[ ! -e "$T/pid" ] || kill "$(cat "$T/pid")" 2>/dev/null || true
	logind_down "$T"
	rm -rf "$T"
}

# start [OPTION...]: its input is the pipe $T/in, which descriptor 9 keeps open
start() {
	mkfifo "$T/in"
	orch-inhibit "$@" <"$T/in" >"$T/out" 2>"$T/err" 3>&- &
	echo $! >"$T/pid"
	exec 9>"$T/in"
}
until_said() { # LINES
	for _ in $(seq 100); do [ "$(jq -r .type "$T/out" | xargs)" = "$1" ] && return; sleep 0.05; done
	cat "$T/out" "$T/err" >&2
	return 1
}
ended() { for _ in $(seq 100); do kill -0 "$(cat "$T/pid")" 2>/dev/null || return 0; sleep 0.05; done; return 1; }

@test "no bus, no logind: said in one line, exit 3" {
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=$T/none run -3 --separate-stderr orch-inhibit </dev/null
	[ -z "$output" ]
	[[ "$stderr" == "orch-inhibit: cannot hold up a shutdown: cannot reach the system bus: "* ]]
	logind_up "$T"
	kill -9 "$(cat "$T/logind.pid")"
	for _ in $(seq 100); do kill -0 "$(cat "$T/logind.pid")" 2>/dev/null || break; sleep 0.05; done
	run -3 --separate-stderr orch-inhibit </dev/null
	[[ "$stderr" == "orch-inhibit: cannot hold up a shutdown: cannot ask logind: "* ]]
}

@test "the lock is held, let go at a line, taken again when the shutdown is cancelled" {
	logind_up "$T"
	start --who me --delay 10s
	until_said INHIBITED
	[ "$(logind locks)" = "shutdown me delay" ]
	[ ! -s "$T/err" ]
	echo too early >&9 # nothing is to be let go
	logind prepare true
	until_said "INHIBITED SHUTDOWN"
	[ "$(logind locks)" = "shutdown me delay" ]
	echo go >&9
	until_locks 0
	logind prepare false
	until_said "INHIBITED SHUTDOWN CANCELLED INHIBITED"
	until_locks 1
	exec 9>&-
	ended
	until_locks 0
}

@test "the reader has gone: so does the lock, with --linger not in the middle of a shutdown" {
	logind_up "$T"
	start --linger --delay 3s
	until_said INHIBITED
	logind prepare true
	until_said "INHIBITED SHUTDOWN"
	exec 9>&-
	sleep 1
	[ "$(logind locks | wc -l)" = 1 ]
	ended
	until_locks 0
	# who comes while the machine goes down is told so, and holds nothing
	rm "$T/in"
	start
	until_said SHUTDOWN
	[ "$(logind locks | wc -l)" = 0 ]
	logind prepare false
	until_said "SHUTDOWN CANCELLED INHIBITED"
	exec 9>&-
}

@test "a command runs when it is time, and the lock is held as long; its status is ours" {
	logind_up "$T"
	orch-inhibit --delay 5s sh -c 'echo ran; sleep 2; exit 7' >"$T/out" 2>"$T/err" 3>&- &
	pid=$!
	echo $pid >"$T/pid"
	until_locks 1
	sleep 0.5
	[ ! -s "$T/out" ]
	logind prepare true
	for _ in $(seq 100); do [ -s "$T/out" ] && break; sleep 0.05; done
	[ "$(cat "$T/out")" = ran ]
	[ "$(logind locks | wc -l)" = 1 ]
	status=0
	wait $pid || status=$?
	[ $status = 7 ]
	until_locks 0
	run -127 orch-inhibit no-such-program # it goes down already
}

@test "too short a time: logind's settings are written, and what it does not heed is said" {
	logind_up "$T" 5
	start --delay 1h --conf "$T/conf.d/90.conf"
	until_said INHIBITED
	[ "$(cat "$T/conf.d/90.conf")" = "[Login]
InhibitDelayMaxSec=3600" ]
	[[ "$(cat "$T/err")" == "orch-inhibit: logind waits for 5 s only, not 3600: "* ]]
	exec 9>&-
	ended
}

@test "it says INHIBITED only when it does: the bus ends, and it ends with 3" {
	logind_up "$T"
	mkfifo "$T/in"
	orch-inhibit <"$T/in" >"$T/out" 2>"$T/err" 3>&- &
	pid=$!
	exec 9>"$T/in"
	until_said INHIBITED
	kill -9 "$(cat "$T/bus.pid")"
	status=0
	wait $pid || status=$?
	[ $status = 3 ]
	[[ "$(cat "$T/err")" == "orch-inhibit: cannot hold up a shutdown any longer: "* ]]
	exec 9>&-
}
