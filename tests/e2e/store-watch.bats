# orch-store: a watch from any revision is exactly the history after it.

setup() {
	BIN=${BIN:-build/bin}
	case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
	MODEL=$BATS_TEST_DIRNAME/watch_model.py
	cd "$BATS_TEST_TMPDIR"
	SOCK=$(mktemp -u /tmp/orch-store-watch-XXXXXX.sock)
}

teardown() {
	[ -z "${PID:-}" ] || { kill "$PID" 2>/dev/null || true; wait "$PID" || true; }
	rm -f "$SOCK"
}

@test "a watch from every revision gives exactly what was written after it" {
	"$BIN/orch-store" --data data --listen 127.0.0.1:0 --socket "$SOCK" 2>log 3>&- &
	PID=$!
	for _ in $(seq 200); do if grep -q ready: log; then break; fi; sleep 0.02; done
	run python3 "$MODEL" "$SOCK"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "1,000 watchers get every event; who does not read is hung up on, and nobody else notices" {
	ulimit -n 4096
	"$BIN/orch-store" --data data --listen 127.0.0.1:0 --socket "$SOCK" 2>log 3>&- &
	PID=$!
	for _ in $(seq 200); do if grep -q ready: log; then break; fi; sleep 0.02; done
	run timeout 120 python3 "${MODEL%/*}/watch_load.py" "$SOCK"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(curl -s --unix-socket "$SOCK" http://x/readyz)" = ok ]
}
