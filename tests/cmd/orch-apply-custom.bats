# orch-apply: bundles that bring the definitions of their kinds.
load ../helper

setup() { # each has an empty store
  cd "$BATS_TEST_TMPDIR"
  W=$BATS_TEST_DIRNAME/../manifests/widgets.yaml
  STORE=$BATS_TEST_TMPDIR/store start_store
}
teardown() { stop_all; }

widget() { # NAME SPEC [NAMESPACE]
  echo "---"
  echo "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"$1\"${3:+,\"namespace\":\"$3\"}},\"spec\":$2}"
}
shop() { # [SPEC]: objects, their namespace, their definition
  widget one "${1:-{\"size\":3}}" shop
  echo '--- {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}'
  echo ---
  cat "$W"
}

@test "in any order, to an empty store, in one go; and again" {
  run -0 --separate-stderr orch-apply < <(shop)
  [ "$output" = "namespace/shop created
customresourcedefinition.apiextensions.k8s.io/widgets.example.com created
widget.example.com/one created" ]
  [ -z "$stderr" ]
  [ "$(orch-get -n shop wd/one | json .spec)" = '{"size":3,"color":"red"}' ]
  run -0 orch-apply --exit-code < <(shop)
  run -0 orch-diff < <(shop)
}

@test "dry runs of it, by the server and here, check the objects by the definition" {
  for mode in server client; do
    run -0 --separate-stderr orch-apply --dry-run=$mode < <(shop)
    [ "$output" = "namespace/shop created (dry run)
customresourcedefinition.apiextensions.k8s.io/widgets.example.com created (dry run)
widget.example.com/one created (dry run)" ]
    [ $mode = client ] || [ "$stderr" = "orch-apply: warning: the server has no 'widgets.example.com' yet: its objects are checked by it, here" ]
    run -2 --separate-stderr orch-apply --dry-run=$mode < <(shop '{"size":3,"colour":"red"}')
    [ -z "$output" ]
    [[ $stderr == *"standard input:2: cannot apply Widget 'one': unknown field \"spec.colour\""* ]]
    run -2 orch-apply --dry-run=$mode < <(shop '{"size":300}')
    [[ $output == *"Widget.example.com \"one\" is invalid: spec: Invalid value: "*"large ones need an owner"* ]]
  done
  run -1 orch-get crd/widgets.example.com
}

@test "nothing is applied when an object does not fit its definition" {
  run -2 --separate-stderr orch-apply < <(shop '{"size":-1}')
  [ -z "$output" ]
  [[ $stderr == *"cannot apply Widget 'one': Widget.example.com \"one\" is invalid: "*"spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 0"*"nothing is applied"* ]]
  run -1 orch-get crd/widgets.example.com
  run -0 orch-apply --unknown=ignore < <(shop '{"size":1,"colour":"red"}')
  [ "$(orch-get -n shop wd/one | json .spec)" = '{"size":1,"color":"red"}' ]
}

@test "a definition that is wrong, or has no such version, is why its objects have no kind" {
  run -2 orch-apply < <(shop | sed 's/size: {type: integer, minimum: 0/size: {minimum: 0/')
  [[ $output == *"cannot apply CustomResourceDefinition 'widgets.example.com': "*"properties[size].type: Required value"* ]]
  [[ $output == *"cannot apply Widget 'one': the server has no kind 'Widget' in 'example.com/v1': its definition 'widgets.example.com' (standard input:"*" makes no kinds: it cannot be applied"* ]]
  run -2 orch-apply < <(shop | sed '2s,example.com/v1,example.com/v3,')
  [[ $output == *"serves no version 'v3', only v1, v1beta1"* ]]
}

@test "a field that the definition gets and an object that uses it, in one stream" {
  orch-apply < <(shop) >/dev/null
  more() { shop '{"size":4,"maker":"me"}' | sed 's/^\( *\)owner: {type: string}/\1owner: {type: string}\n\1maker: {type: string}/'; }
  run -0 --separate-stderr orch-apply --dry-run < <(more)
  [[ $output == *"widget.example.com/one configured (dry run)"* ]]
  [ "$stderr" = "orch-apply: warning: 'widgets.example.com' would change: its objects are checked by the new one, here" ]
  run -1 orch-diff < <(more)
  [[ $output == *"+  maker: me"* ]]
  run -0 orch-apply < <(more)
  [ "$(orch-get -n shop wd/one | json .spec.maker)" = me ]
  # and one that goes: who still uses it is refused
  run -2 orch-apply < <(shop '{"size":4,"maker":"me"}')
  [[ $output == *"unknown field \"spec.maker\""* ]]
}

@test "names that another definition has: told before, or at once when only the server knows" {
  orch-apply < <(shop) >/dev/null
  gadgets() { sed 's/widget/gadget/g; s/Widget/Gadget/g' "$W"; widget g '{"size":1}' | sed 's/Widget/Gadget/'; }
  run -2 orch-apply --timeout 20s < <(gadgets)
  [[ $output == *"cannot apply Gadget 'g': its definition 'gadgets.example.com' is not accepted: \"wd\" is already in use"* ]]
  run -2 orch-apply < <(gadgets; shop)
  [[ $output == *"cannot apply CustomResourceDefinition 'widgets.example.com': the name 'wd' is in use by 'gadgets.example.com'"*"nothing is applied"* ]]
}

@test "--all-or-nothing takes the definition back, too" {
  run -2 --separate-stderr orch-apply --all-or-nothing < <(shop; widget lost '{"size":1}' nowhere)
  [ -z "$output" ]
  [[ $stderr == *"cannot apply Widget 'lost': namespaces \"nowhere\" not found"* ]]
  [[ $stderr == *"widget.example.com/one deleted again"*"widgets.example.com deleted again"*"namespace/shop deleted again"* ]]
  wait_for 5 not orch-get crd/widgets.example.com
}

@test "an applyset of custom resources, pruned" {
  run -0 orch-apply --applyset toys --prune < <(cat "$W"; widget a '{"size":1}'; widget b '{"size":2}')
  run -0 orch-apply --applyset toys --prune < <(cat "$W"; widget b '{"size":2}')
  [ "$output" = "customresourcedefinition.apiextensions.k8s.io/widgets.example.com unchanged
widget.example.com/b unchanged
widget.example.com/a pruned" ]
  [ "$(orch-get wd -o name)" = widget.example.com/b ]
}

@test "two versions, merged here, and in a namespace that is only made" {
  orch-apply <"$W" >/dev/null
  # the kind is the server's, its namespace comes with the bundle: checked by the server's definition
  run -2 orch-apply < <(widget one '{"size":-1}' shop; echo '--- {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}')
  [[ $output == *"spec.size in body should be greater than or equal to 0"* ]]
  run -0 --separate-stderr orch-apply --server-side=false < <(shop; widget two '{"size":2}' shop | sed 's,com/v1,com/v1beta1,')
  [[ $output == *"widget.example.com/one created"*"widget.example.com/two created"* ]]
  [ "$(orch-get -n shop wd -o name | wc -l)" -eq 2 ]
}
