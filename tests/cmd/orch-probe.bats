# Probes by hand, against small servers on loopback.
BIN=${BIN:-build/bin}

setup() {
	T=$(mktemp -d)
	PIDS=
}

teardown() {
	for p in $PIDS; do
		kill "$p" 2>/dev/null || :
		wait "$p" 2>/dev/null || :
	done
	rm -rf "$T"
}

wait_for() { for _ in $(seq 200); do [ -s "$1" ] && return; sleep 0.05; done; false; }

# http: /ok 200, /bad 500, /local and /round redirect here, /away elsewhere, /echo tells the request
start_http() {
	cat >"$T/web.py" <<'PY'
import http.server, os, sys

class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        to = {"/local": "/ok", "/round": "/round", "/away": "http://127.0.0.2:1/x"}.get(self.path)
        body = b"gone away"
        if self.path.startswith("/echo"):
            with open(sys.argv[2], "w") as f:
                f.write(self.path + "\n" + str(self.headers))
        self.send_response(302 if to else 500 if self.path == "/bad" else 200)
        if to:
            self.send_header("Location", to)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a):
        pass

s = http.server.HTTPServer(("127.0.0.1", 0), H)
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(s.server_port))
os.rename(sys.argv[1] + ".new", sys.argv[1])
s.serve_forever()
PY
	/usr/bin/python3 "$T/web.py" "$T/port" "$T/echo" 3>&- &
	PIDS="$PIDS $!"
	wait_for "$T/port"
	PORT=$(cat "$T/port")
}

start_grpc() {
	/usr/bin/python3 -c 'import grpc' 2>/dev/null || skip "python3-grpcio is not installed"
	/usr/bin/python3 "$BATS_TEST_DIRNAME/health_server.py" "$1" "$T/port" 3>&- &
	PIDS="$PIDS $!"
	wait_for "$T/port"
	PORT=$(cat "$T/port")
}

pod() { # SPEC-OF-PROBES: a pod at 127.0.0.1 with one container
	jq -nc --argjson c "$1" --argjson port "${PORT:-1}" '{apiVersion: "v1", kind: "Pod",
	  metadata: {name: "p", namespace: "n", uid: "u"}, status: {podIP: "127.0.0.1"},
	  spec: {containers: [{name: "app", ports: [{name: "web", containerPort: $port}]} + $c]}}'
}

@test "http: 200 to 399 is health" {
	start_http
	run "$BIN/orch-probe" -t 20s "http://127.0.0.1:$PORT/ok"
	[ "$status" -eq 0 ]
	[ "$(jq -r '[.ok, .url] | @text' <<<"$output")" = "[true,\"http://127.0.0.1:$PORT/ok\"]" ]
	run "$BIN/orch-probe" -t 20s "http://127.0.0.1:$PORT/bad"
	[ "$status" -eq 1 ]
	[ "$(jq -r .message <<<"$output")" = "HTTP probe failed with statuscode: 500" ]
}

@test "http: redirects are followed on the same host, one to elsewhere is health with a word" {
	start_http
	run "$BIN/orch-probe" -t 20s "http://127.0.0.1:$PORT/local"
	[ "$status" -eq 0 ]
	[ "$(jq -r .message <<<"$output")" = null ]
	run "$BIN/orch-probe" -t 20s "http://127.0.0.1:$PORT/away"
	[ "$status" -eq 0 ]
	[ "$(jq -r .message <<<"$output")" = "Probe terminated redirects, Response body: gone away" ]
	run "$BIN/orch-probe" -t 20s "http://127.0.0.1:$PORT/round"
	[ "$status" -eq 1 ]
	[[ $output == *"stopped after 10 redirects"* ]]
}

@test "http: headers of the probe, and our own unless it has them" {
	start_http
	pod "{\"readinessProbe\": {\"httpGet\": {\"port\": \"web\", \"path\": \"echo?a=/../b\", \"httpHeaders\":
	  [{\"name\": \"Host\", \"value\": \"example.com\"}, {\"name\": \"X-A\", \"value\": \"1\"}, {\"name\": \"x-a\", \"value\": \"2\"},
	   {\"name\": \"X-Empty\", \"value\": \"\"}, {\"name\": \"Accept\", \"value\": \"\"}]}}}" | "$BIN/orch-probe" -t 20s
	[ "$(head -n 1 "$T/echo")" = "/echo?a=/../b" ]
	grep -qx 'Host: example.com' "$T/echo"
	grep -qx 'X-A: 1' "$T/echo"
	grep -qx 'x-a: 2' "$T/echo"
	grep -qx 'X-Empty: ' "$T/echo"
	grep -q '^User-Agent: kube-probe/' "$T/echo"
	run grep -i '^Accept:' "$T/echo"
	[ "$status" -eq 1 ]
}

@test "what cannot be reached: refused, not resolved, too slow" {
	run "$BIN/orch-probe" tcp://127.0.0.1:1 http://127.0.0.1:1/x
	[ "$status" -eq 1 ]
	[[ $output == *'dial tcp 127.0.0.1:1: connect: connection refused'* ]]
	[[ $output == *'Get \"http://127.0.0.1:1/x\": dial tcp 127.0.0.1:1: connect: connection refused'* ]]
	/usr/bin/python3 -c '
import socket, sys, time
s = socket.create_server(("127.0.0.1", 0))
open(sys.argv[1], "w").write(str(s.getsockname()[1]))
time.sleep(60)' "$T/deaf" 3>&- &
	PIDS="$PIDS $!"
	wait_for "$T/deaf"
	run "$BIN/orch-probe" -t 1s "http://127.0.0.1:$(cat "$T/deaf")/"
	[ "$status" -eq 1 ]
	[[ $output == *'context deadline exceeded'* ]]
	jq -e '.seconds >= 1 and .seconds < 2' <<<"$output"
}

@test "grpc: SERVING is health; other answers, services and servers are not" {
	start_grpc 1
	run "$BIN/orch-probe" -t 20s "grpc://127.0.0.1:$PORT"
	[ "$status" -eq 0 ]
	run "$BIN/orch-probe" -t 20s "grpc://127.0.0.1:$PORT/other"
	[ "$status" -eq 1 ]
	[[ $output == *'rpc error: code = 5 desc = unknown service'* ]]
	run "$BIN/orch-probe" -t 1s "grpc://127.0.0.1:$PORT/slow"
	[ "$status" -eq 1 ]
	[[ $output == *'timeout: health rpc did not complete within 1s'* ]]
	run "$BIN/orch-probe" -t 20s "http://127.0.0.1:$PORT/"
	[ "$status" -eq 1 ]
	pod "{\"livenessProbe\": {\"grpc\": {\"port\": $PORT, \"service\": \"\"}}}" | "$BIN/orch-probe" -t 20s
}

@test "grpc: NOT_SERVING" {
	start_grpc 2
	run "$BIN/orch-probe" -t 20s "grpc://127.0.0.1:$PORT"
	[ "$status" -eq 1 ]
	[ "$(jq -r .message <<<"$output")" = 'service unhealthy (responded with "NOT_SERVING")' ]
}

@test "grpc: a server without the health service, and one that speaks something else" {
	start_grpc none
	run "$BIN/orch-probe" -t 20s "grpc://127.0.0.1:$PORT"
	[ "$status" -eq 1 ]
	# it answers without reading the request, which curl at times takes for an error of the stream
	[[ $output == *'does not implement the grpc health protocol'* || $output == *'failed to connect service'* ]]
	rm "$T/port"
	start_http
	run "$BIN/orch-probe" -t 20s "grpc://127.0.0.1:$PORT"
	[ "$status" -eq 1 ]
}

@test "pods: every probe of every container, or the ones asked for" {
	start_http
	PROBES='{"startupProbe": {"tcpSocket": {"port": "web"}}, "livenessProbe": {"httpGet": {"port": "web", "path": "/ok"}},
	  "readinessProbe": {"httpGet": {"port": "web", "path": "/bad"}}}'
	run "$BIN/orch-probe" -t 20s < <(pod "$PROBES")
	[ "$status" -eq 1 ]
	[ "$(jq -rs 'map([.pod, .container, .probe, (.ok | tostring)] | join(" ")) | sort | .[]' <<<"$output")" = "n/p app liveness true
n/p app readiness false
n/p app startup true" ]
	run "$BIN/orch-probe" --probe=startup,liveness < <(pod "$PROBES")
	[ "$status" -eq 0 ]
	[ "$(wc -l <<<"$output")" -eq 2 ]
	run "$BIN/orch-probe" -c other < <(pod "$PROBES")
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "watch: verdicts by the thresholds" {
	start_http
	pod '{"readinessProbe": {"httpGet": {"port": "web", "path": "/bad"}, "periodSeconds": 1, "failureThreshold": 2}}' >"$T/in"
	timeout 20 "$BIN/orch-probe" -t 20s -w <"$T/in" | head -n 3 >"$T/out"
	[ "$(jq -r .verdict "$T/out" | paste -sd,)" = "none yet,bad,bad" ]
}

@test "what cannot be tried is named, exit 3" {
	pod '{"livenessProbe": {"httpGet": {"port": 1}}}' | jq -c 'del(.status)' >"$T/in"
	run "$BIN/orch-probe" <"$T/in"
	[ "$status" -eq 3 ]
	[[ $output == *"cannot try the liveness probe of pod 'n/p', container 'app': it has no address yet"* ]]
	pod '{"livenessProbe": {"exec": {"command": ["true"]}}}' >"$T/in"
	run "$BIN/orch-probe" --data "$T/none" --runtime /bin/true <"$T/in"
	[ "$status" -eq 3 ] || [ "$status" -eq 1 ]
	[[ $output == *"cannot use folder '$T/none'"* ]]
}

@test "bad URLs and kinds exit 2, other objects are left out" {
	for url in ftp://x http:// tcp://x tcp://x:0 grpc://x:70000 'tcp://[::1' nothing; do
		run "$BIN/orch-probe" "$url"
		[ "$status" -eq 2 ]
		[[ $output == *"cannot try '$url'"* ]]
	done
	run "$BIN/orch-probe" --probe=health </dev/null
	[ "$status" -eq 2 ]
	run "$BIN/orch-probe" <<<'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}'
	[ "$status" -eq 0 ]
	[[ $output == *"a ConfigMap has no probes"* ]]
	run "$BIN/orch-probe" <<<'{"apiVersion": "v1", "kind": "Pod"'
	[ "$status" -eq 2 ]
}
