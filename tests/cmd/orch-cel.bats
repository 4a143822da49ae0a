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

gates() {
  cat <<'EOF'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gates.example.com}
spec:
  group: example.com
  names: {plural: gates, kind: Gate}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        x-kubernetes-validations: [{rule: "self.spec.min <= self.spec.max"}]
        properties:
          spec:
            type: object
            properties:
              min: {type: integer}
              max: {type: integer, default: 5}
              names:
                type: array
                maxItems: 10
                items:
                  type: string
                  maxLength: 20
                  x-kubernetes-validations: [{rule: "self.matches('^[a-z]+$')"}]
EOF
}

@test "orch-cel: what the rules of a definition may cost" {
  gates >"$BATS_TEST_TMPDIR/crd.yaml"
  run -0 cel -n --crd "$BATS_TEST_TMPDIR/crd.yaml"
  [ "${lines[0]}" = $'190\tfine\texample.com/v1\tspec.names[*]\t"self.matches(\'^[a-z]+$\')"' ]
  [ "${lines[1]}" = $'7\tfine\texample.com/v1\t.\t"self.spec.min <= self.spec.max"' ]
  run -0 cel -n --crd "$BATS_TEST_TMPDIR/crd.yaml" --path spec
  [ "${#lines[@]}" = 1 ]
  run -1 cel -n --crd - < <(gates | sed '/maxItems/d; s/maxLength: 20/description: any/')
  [[ "${lines[0]}" == *$'\tdear\t'* ]]
  run -1 cel -n --crd - < <(gates | sed 's/spec.min/spec.least/')
  [[ "$output" == *$'-\tbroken\texample.com/v1\t.\t'* && "$output" == *"undefined field 'least'"* ]]
}

@test "orch-cel: what the rules of a definition cost on objects" {
  gates >"$BATS_TEST_TMPDIR/crd.yaml"
  run -1 cel --crd "$BATS_TEST_TMPDIR/crd.yaml" <<'EOF'
apiVersion: example.com/v1
kind: Gate
metadata: {name: one}
spec: {min: 1, names: [ab, C]}
EOF
  [ "${lines[0]}" = $'7\ttrue\tone\t.\t"self.spec.min <= self.spec.max"' ]
  [ "${lines[2]}" = $'3\tfalse\tone\tspec.names[1]\t"self.matches(\'^[a-z]+$\')"' ]
  run -0 cel --crd "$BATS_TEST_TMPDIR/crd.yaml" </dev/null
  [ -z "$output" ]
  run -1 cel --crd "$BATS_TEST_TMPDIR/crd.yaml" <<<'{"apiVersion": "v1", "kind": "Pod"}'
  [[ "$output" == *"it is no Gate"* ]]
}

@test "orch-cel: definitions that are none" {
  run -2 cel -n --crd /dev/null
  [[ "$output" == *"it has no schema"* ]]
  run -2 cel -n --crd - <<<'{"kind": "Pod"}'
  [[ "$output" == *"it is no CustomResourceDefinition"* ]]
  run -2 cel -n --crd - < <(gates | sed 's/type: array/type: list/')
  [[ "$output" == *"cannot use the schema of v1"* ]]
  run -2 cel -n --crd "$BATS_TEST_TMPDIR/none"
  run -2 cel -n --path spec 1
  run -2 cel -n --crd /dev/null 1
}

@test "orch-cel: odd input" {
  run -0 cel 'self' </dev/null
  [ -z "$output" ]
  run -0 cel 'self.size()' < <(head -c 3000000 /dev/zero | tr '\0' 'a' | sed 's/.*/"&"/')
  [ "$output" = 3000000 ]
  run -2 cel 'self' < <(printf '{"a": "\xff"}')
  run -2 cel -n "$(printf "'a' + \xff")"
  run -2 cel -n "$(printf 'a%.0s' $(seq 1 300) | sed 's/a/(/g')"
  [[ "$output" == *"expression recursion limit exceeded: 250"* ]]
  run -3 bash -c 'orch-cel -n 1 >/dev/full 3>&-'
}

@test "orch-cel: lists, and messages that are values" {
  [ "$(cel -n "['b', 'a', 'b'].distinct().sort()")" = '["a","b"]' ]
  [ "$(cel -n "[{'n': 2}, {'n': 1}].sortBy(x, x.n).first().value().n")" = 1 ]
  [ "$(cel -n 'google.protobuf.Int64Value{value: 3} + 1')" = 4 ]
}

@test "orch-cel: what a server has not" {
  [ "$(cel -n "base64.encode(b'hello') + string(base64.decode('aGVsbG8'))")" = '"aGVsbG8=hello"' ]
  run -1 cel -n "base64.decode('a?')"
  [ "$(cel -n "'%.1f %e %s'.format([1234.5, 1500.0, ['a', 1.5]])")" = '"1234.5 1.500000e+03 [a, 1.5]"' ]
  [ "$(cel -n "cel.bind(x, 'ab', x.reverse())")" = '"ba"' ]
  run -1 cel -n "'ab'.indexOf('a', 3)"
}
