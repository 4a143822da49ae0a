# orch-top: what is used, as a table and as objects.

load ../helper
load metrics

setup_file() {
  start_store
  kubelets n1 n2
  node n1 '{cores: 1.5, bytes: 209715200, swap: 2097152, containers: [["default", "web", "c", 0.25, 10485760], ["default", "web", "d", 0.125, 31457280], ["default", "db", "c", 0.5, 5242880]]}'
  node n2 '{cores: 0.25, bytes: 104857600, containers: [["other", "web", "c", 0.0625, 1048576]]}'
  orch-create >/dev/null <<<'{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}'
  pods default/web/n1 default/db/n1 other/web/n2
  BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR metrics_up
  wait_for 60 eval '[ "$(orch-top pods -A | wc -l)" = 3 ]'
  wait_for 60 eval '[ "$(orch-top nodes | wc -l)" = 2 ]'
}
teardown_file() { stop_all; }

table() { orch-top "$@" -o table; }
# rough: 248m to 252m is 250m, and so on, for who compares text
rough() { sed -E 's/\b(24[5-9]|25[0-5])m/250m/g; s/\b(12[2-8])m/125m/g; s/\b(37[0-9]|380)m/375m/g; s/\b(49[0-9]|50[0-9]|510)m/500m/g;
  s/\b(6[1-5])m/63m/g; s/\b(14[7-9][0-9]|15[0-3][0-9])m/1500m/g; s/\b(8[5-9]|9[0-9])[0-9]m/900m/g; s/\b(7[3-6])%/75%/g; s/\b(3[6-8])%/37%/g; s/\b(1[1-3])%/12%/g'; }

@test "nodes: with shares of what pods may have, or of all" {
  table nodes | rough >"$BATS_TEST_TMPDIR/out"
  diff - "$BATS_TEST_TMPDIR/out" <<'END'
NAME   CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)
n1     1500m        75%      200Mi           40%
n2     250m         12%      100Mi           20%
END
  table nodes --show-capacity n1 | rough | grep -qx 'n1 *1500m *37% *200Mi *19%'
  [ "$(table nodes --no-headers --sort-by memory | awk '{print $1}')" = $'n1\nn2' ]
  [ "$(table nodes -l n=n2 --no-headers | awk '{print $1}')" = n2 ]
  table nodes/n2 | grep -q ^n2
  table nodes --show-swap | grep -E '^n1 .* 2Mi +<unknown>$'
}

@test "nodes: one that nothing is known of has its row" {
  orch-create >/dev/null <<<'{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n0"}}'
  table nodes | grep -Ex 'n0 +<unknown> +<unknown> +<unknown> +<unknown>'
  orch-top nodes | jq -e .usage.cpu >/dev/null
  run -1 orch-top nodes n0
  [[ "$output" == *"cannot top node 'n0': nodemetrics.metrics.k8s.io \"n0\" not found"* ]]
  orch-delete node/n0
}

@test "pods: of a namespace, of all, their containers, their sum" {
  table pods | rough >"$BATS_TEST_TMPDIR/out"
  diff - "$BATS_TEST_TMPDIR/out" <<'END'
NAME   CPU(cores)   MEMORY(bytes)
db     500m         5Mi
web    375m         40Mi
END
  table pods -A --containers --sum | rough >"$BATS_TEST_TMPDIR/out"
  sed -i 's/ *$//' "$BATS_TEST_TMPDIR/out"
  diff - "$BATS_TEST_TMPDIR/out" <<'END'
NAMESPACE   POD   NAME   CPU(cores)   MEMORY(bytes)
default     db    c      500m         5Mi
default     web   c      250m         10Mi
default     web   d      125m         30Mi
other       web   c      63m          1Mi
                         ________     ________
                         900m         46Mi
END
  [ "$(table pods -n other --no-headers | awk '{print $1}')" = web ]
  [ "$(table pods --no-headers --sort-by memory --containers | awk '{print $1 $2}')" = $'webd\nwebc\ndbc' ]
  [ "$(table pods -A --no-headers --sort-by cpu | awk '{print $2}')" = $'db\nweb\nweb' ]
  [ "$(table pods -A -l app=web --no-headers | wc -l)" = 2 ]
  [ "$(table pods -A --field-selector spec.nodeName=n2 --no-headers | awk '{print $1}')" = other ]
  [ "$(table pods web db --no-headers | awk '{print $1}')" = $'db\nweb' ]
  table po/web --containers | grep -q '^web *d'
}

@test "pods: objects into a pipe, and other forms" {
  [ "$(orch-top pods -A | jq -r '.kind + " " + .metadata.namespace + "/" + .metadata.name' | sort)" = \
    $'PodMetrics default/db\nPodMetrics default/web\nPodMetrics other/web' ]
  [ "$(orch-top pods --sort-by memory | jq -r .metadata.name)" = $'web\ndb' ]
  [ "$(orch-top pods | orch-select -l app=db | jq -r .metadata.name)" = db ]
  orch-top pods web -o yaml | grep -q '^kind: PodMetrics'
  [ "$(orch-top nodes -o jsonpath='{.metadata.name}{"\n"}' | head -n 1)" = n1 ]
}

@test "what is not there, or too early" {
  run -1 orch-top pods none
  [[ "$output" == "orch-top: cannot top pod 'none': pods \"none\" not found" ]]
  # the others are shown all the same
  run -1 --separate-stderr orch-top pods none web
  [ "$(jq -r .metadata.name <<<"$output")" = web ]
  [ -z "$(orch-top pods -l app=none)" ]
  pods other/early/n2
  run -3 orch-top pods -n other -l app=early
  [[ "$output" == *"no figures yet"* ]]
  api DELETE "/api/v1/namespaces/other/pods/early?gracePeriodSeconds=0" >/dev/null
}

@test "from a stream: no server" {
  { orch-get nodes; orch-metrics --once --metric-resolution 300ms; } >"$BATS_TEST_TMPDIR/all"
  unset KUBECONFIG
  orch-top -f - -o table <"$BATS_TEST_TMPDIR/all" | rough >"$BATS_TEST_TMPDIR/out"
  diff - "$BATS_TEST_TMPDIR/out" <<'END'
NAME   CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)
n1     1500m        75%      200Mi           40%
n2     250m         12%      100Mi           20%

NAMESPACE   NAME   CPU(cores)   MEMORY(bytes)
default     db     500m         5Mi
default     web    375m         40Mi
other       web    63m          1Mi
END
  [ "$(orch-top -f "$BATS_TEST_TMPDIR/all" pods | jq -r .kind | sort -u)" = PodMetrics ]
  grep -v '"kind":"Node"' "$BATS_TEST_TMPDIR/all" | orch-top -f - -o table nodes | grep -E '^n1 +[0-9]+m +<unknown> +200Mi +<unknown>$'
  # a List as kubectl prints it
  jq -s '{kind: "List", apiVersion: "v1", items: .}' "$BATS_TEST_TMPDIR/all" | orch-top -f - nodes -o name | grep -c n
}

@test "again and again: until nobody reads, or it is told to end" {
  [ "$(timeout 60 orch-top pods -w --interval 200ms | head -n 5 | wc -l)" = 5 ]
  again() { # COMMAND...: it prints n1 twice
    "$@" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
    pid=$!
    wait_for 60 eval '[ "$(grep -c n1 "$BATS_TEST_TMPDIR/out")" -ge 2 ]'
    kill "$pid"
    wait_for 30 not kill -0 "$pid"
  }
  again orch-top nodes -w --interval 300ms -o table --no-headers
  command -v script >/dev/null || return 0
  TERM=xterm again script -qec "timeout 70 $BIN/orch-top nodes -w --interval 300ms" --flush /dev/null
  grep -q "$(printf '\033')" "$BATS_TEST_TMPDIR/out"
  grep -q 'NAME .*CPU(cores)' "$BATS_TEST_TMPDIR/out"
}

@test "wrong usage" {
  run -2 orch-top
  run -2 orch-top things
  run -2 orch-top nodes --containers
  run -2 orch-top pods --show-capacity
  run -2 orch-top pods --sort-by name
  run -2 orch-top pods web -l a=b
  run -2 orch-top pods -A web
  run -2 orch-top pods --sum
  run -2 orch-top pods ../x
  run -2 orch-top -f - pods web
  run -2 orch-top pods -l 'a=('
  run -2 orch-top pods -w --interval 1ms
}

@test "no metrics API: 1; one that does not answer, or no server: 3" {
  metrics_down KILL
  wait_for 90 is_available False
  run -3 orch-top pods
  [[ "$output" == *"cannot top pods: "* ]]
  orch-delete apiservice/v1beta1.metrics.k8s.io
  run -1 orch-top nodes
  [ "$output" = "orch-top: cannot top nodes: the server has no metrics API (metrics.k8s.io); see orch-metrics(1)" ]
  run -1 orch-top pods web
  [[ "$output" == *"no metrics API"* ]]
  run -3 orch-top pods -s unix:/nonexistent
}
