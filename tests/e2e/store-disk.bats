# orch-store on a full disk: writes are refused with the cause, reads go on, and it recovers.  Needs root (a small tmpfs).

setup() {
	BIN=${BIN:-build/bin}
	case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
	cd "$BATS_TEST_TMPDIR"
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	mkdir disk
	mount -t tmpfs -o size=4m orch-test disk || skip "cannot mount a tmpfs"
	SOCK=$(mktemp -u /tmp/orch-store-disk-XXXXXX.sock)
	NS=http://x/api/v1/namespaces/default
}

teardown() {
	[ -z "${PID:-}" ] || { kill "$PID" 2>/dev/null || true; wait "$PID" || true; }
	umount disk 2>/dev/null || true
	rm -f "$SOCK"
}

start() {
	: >log
	"$BIN/orch-store" --data disk/data --listen "127.0.0.1:${PORT:-0}" --socket "$SOCK" 2>>log 3>&- &
	PID=$!
	for _ in $(seq 500); do
		if grep -q ready: log; then return; fi
		sleep 0.01
	done
	return 1
}

put() { # name
	curl -s -o out -w '%{http_code}' --unix-socket "$SOCK" -H 'Content-Type: application/json' \
		-d "{\"metadata\":{\"name\":\"$1\"},\"data\":{\"k\":\"$(head -c 100000 /dev/zero | tr '\0' x)\"}}" "$NS/configmaps"
}

@test "a full disk refuses writes, keeps what it has, and recovers" {
	start
	head -c 1500000 /dev/zero >disk/ballast
	n=0
	while [ "$(put "c$n")" = 201 ]; do n=$((n + 1)); [ "$n" -lt 100 ]; done
	[ "$n" -gt 2 ]
	jq . out
	[ "$(jq -r .code out)" = 503 ]
	[[ $(jq -r .message out) == *"cannot write 'disk/data/store.db': "*"full"* ]]
	[[ $(cat log) == *"cannot write 'disk/data/store.db'"* ]]
	names() { curl -s --unix-socket "$SOCK" "$NS/configmaps" | jq '.items | length'; }
	[ "$(names)" -eq "$n" ]
	[ "$(put again)" = 503 ]
	rm disk/ballast
	[ "$(put "c$n")" = 201 ]
	[ "$(names)" -eq $((n + 1)) ]
	kill -9 "$PID"; wait "$PID" || true
	start
	[ "$(names)" -eq $((n + 1)) ]
	# without room for the log's index it cannot start, and says so
	PORT=$(sed -n 's/.*:\([0-9]*\), revision.*/\1/p' log)
	kill -9 "$PID"; wait "$PID" || true
	head -c 9999999 /dev/zero >disk/ballast || true
	run start
	[ "$status" -eq 1 ]
	[[ $(cat log) == *"disk/data/store.db': "*"full"* || $(cat log) == *"No space left"* ]]
	rm disk/ballast
	start
	[ "$(names)" -eq $((n + 1)) ]
}

@test "a folder that cannot be written is named" {
	mount -o remount,ro disk
	run "$BIN/orch-store" --data disk/data --listen 127.0.0.1:0
	[ "$status" -eq 3 ]
	[ "$output" = "orch-store: cannot create folder 'disk/data': Read-only file system" ]
}
