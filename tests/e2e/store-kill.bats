# orch-store is killed (SIGKILL) 50 times while clients create, update and delete:
# everything that was acknowledged must be so after the restart.

setup() {
	BIN=${BIN:-build/bin}
	case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
	cd "$BATS_TEST_TMPDIR"
	SOCK=$(mktemp -u /tmp/orch-store-kill-XXXXXX.sock)
	LEASES=/apis/coordination.k8s.io/v1/namespaces/default/leases
}

teardown() {
	[ -z "${PID:-}" ] || kill -9 "$PID" 2>/dev/null || true
	rm -f "$SOCK"
}

start() {
	: >log
	"$BIN/orch-store" --data data --listen 127.0.0.1:0 --socket "$SOCK" 2>>log 3>&- &
	PID=$!
	disown "$PID" # its end by SIGKILL is no news
	for _ in $(seq 500); do
		if grep -q ready: log; then return; fi
		sleep 0.01
	done
	cat log
	return 1
}

# Requests of one round, for curl: new leases, and the deletion of those that are there.
requests() { # round
	awk -v r="$1" -v sock="$SOCK" -v base="http://x$LEASES" '
	function request(method, name, value) {
		if (n++) print "next"
		printf "unix-socket = \"%s\"\nurl = \"%s/%s\"\nrequest = %s\nsilent\noutput = /dev/null\n", sock, base, name, method
		printf "write-out = \"%%{http_code} %s %s %s\\n\"\n", method, name, value
		if (method == "PUT")
			printf "header = \"Content-Type: application/json\"\ndata = \"{\\\"metadata\\\":{\\\"name\\\":\\\"%s\\\"},\\\"spec\\\":{\\\"leaseTransitions\\\":%d}}\"\n", name, value
	}
	{ request("DELETE", $1, 0); request("PUT", "r" r "-" i++, i) }
	END { while (i < 2500) request("PUT", "r" r "-" i++, i) }' there
}

@test "50 kills under load lose nothing that was acknowledged" {
	local acknowledged=0 cut=0 rounds=50
	: >there
	for r in $(seq $rounds); do
		start
		requests "$r" >config
		curl -Z --parallel-max 16 --parallel-immediate -K config >answers 2>/dev/null 3>&- &
		load=$!
		sleep "0.$((RANDOM % 30 + 10))"
		kill -9 "$PID"
		wait $load || true

		# what is certain: PUTs that were answered are there, DELETEs that were answered are gone,
		# DELETEs without an answer may be either
		awk '$1 ~ /^20/ && $2 == "PUT" { print $3 }' answers >put
		awk '$1 ~ /^20/ && $2 == "DELETE" { print $3 }' answers >gone
		awk '$2 == "DELETE" { print $3 }' answers >asked
		cat there put | grep -vxFf asked | sort -u >expected || true
		if grep -q '^000' answers; then cut=$((cut + 1)); fi
		acknowledged=$((acknowledged + $(wc -l <put) + $(wc -l <gone)))

		start
		curl -s --unix-socket "$SOCK" "http://x$LEASES" | jq -r '.items[].metadata.name' | sort >found
		kill -9 "$PID"
		comm -23 expected found >lost
		comm -12 <(sort gone) found >undead
		[ ! -s lost ] || { echo "round $r lost:"; cat lost; return 1; }
		[ ! -s undead ] || { echo "round $r deleted, but there:"; cat undead; return 1; }
		cp found there
	done
	echo "# $acknowledged writes acknowledged, $cut of $rounds kills in the middle of writes" >&3
	[ "$acknowledged" -gt $((rounds * 20)) ] && [ "$cut" -gt $((rounds / 2)) ]
}

@test "kills while it compacts lose nothing, and the file stays bounded" {
	run python3 "$BATS_TEST_DIRNAME/store_compact.py" "$BIN/orch-store" data "$SOCK"
	echo "$output"
	[ "$status" -eq 0 ]
}
