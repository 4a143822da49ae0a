# orch-cel: expressions by hand; the language itself is in lib/cel.

bats_require_minimum_version 1.5.0

setup() {
  BIN=${BIN:-build/bin}
  case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
  PATH=$BIN:$PATH
}

cel() { orch-cel "$@" 3>&-; }

@test "orch-cel: a value a line" {
  run cel -n '[1, 2, 3].map(x, x * 2)'
  [ "$output" = "[2,4,6]" ]
  run cel 'self.a + object.a' <<<$'{"a": 1}\n{"a": 20}'
  [ "$output" = $'2\n40' ]
  run cel 'self.metadata.name' <<<$'metadata: {name: one}\n---\nmetadata: {name: two}'
  [ "$output" = $'"one"\n"two"' ]
}

@test "orch-cel: what JSON cannot say" {
  [ "$(cel -n 'type(1)')" = '"int"' ]
  [ "$(cel -n '0.0 / 0.0')" = nan ] || [ "$(cel -n '0.0 / 0.0')" = -nan ]
  [ "$(cel -n "timestamp('2024-02-29T12:00:00.5Z') + duration('1h')")" = '"2024-02-29T13:00:00.5Z"' ]
}

@test "orch-cel: variables" {
  [ "$(cel -n --var 'a={"b": [1, 2]}' --var c=2 'a.b[1] == c')" = true ]
  run -2 cel -n --var a 1
  [[ $output == *"cannot use --var 'a': it is not NAME=JSON"* ]]
  run -2 cel -n --var 'a={' 1
}

@test "orch-cel: a filter" {
  run cel -s 'self.n > 1' <<<$'{"n": 1}\n{"n": 2}\n{"n": 3}'
  [ "$output" = $'{"n": 2}\n{"n": 3}' ]
}

@test "orch-cel: exit status" {
  run -1 cel -ne 'false'
  run -1 cel -ne 'null'
  run -0 cel -ne '0'
  run -1 cel 'self.a.b' <<<$'{"a": {}}\n{"a": {"b": 7}}'
  [[ $output == *"no such key: b"* && $output == *7* ]]
  run -2 cel 'self.a' <<<'{'
  run -2 cel
  run -2 cel 1 2
  run -2 cel -ns 1
}

@test "orch-cel: what is wrong and where" {
  run -2 cel -n $'1 +\n  nobody'
  [ "${lines[0]}" = "ERROR: <input>:2:3: undeclared reference to 'nobody' (in container '')" ]
  [ "${lines[1]}" = " |   nobody" ]
  [ "${lines[2]}" = " | ..^" ]
  run -2 cel -n '1 + "a"'
  [ "${lines[0]}" = "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'" ]
}

@test "orch-cel: types and cost" {
  [ "$(cel --check '[1].map(x, string(x))')" = "list(string)" ]
  [ "$(cel -c 'self.a.b' <<<'{"a": {"b": 1}}')" = $'3\t1' ]
  run -1 cel --cost-limit 100 '[1,2,3,4,5,6,7,8].exists(x, [1,2,3,4].exists(y, x + y == 100))' <<<'{}'
  [[ $output == *"operation cancelled: actual cost limit exceeded"* ]]
}

@test "orch-cel: mistakes that show when they are come to" {
  run -2 cel -n 'nothing || true'
  [[ "$output" == *"undeclared reference to 'nothing'"* ]]
  [ "$(cel -n -u 'nothing || true')" = true ]
  run -1 cel -n -u 'nothing || false'
  [[ "$output" == *"undeclared reference to 'nothing'"* ]]
}

@test "orch-cel: Kubernetes' libraries" {
  [ "$(cel -n "quantity('1.5Gi').isGreaterThan(quantity('1G')) && ip('::1').isLoopback()")" = true ]
  [ "$(cel -n "url('https://example.com:80/').getPort() + semver('v1.2', true).minor().string()" 2>&1 | head -c 5)" = ERROR ]
  [ "$(cel -n -c "'a,b'.split(',').isSorted()")" = $'1\ttrue' ]
}
