# Every verb on a custom kind, by all its names, at a real server.
load ../helper

setup_file() {
  start_store
  orch-apply <"$BATS_TEST_DIRNAME/../manifests/widgets.yaml" >/dev/null
}
teardown_file() { stop_all; }
setup()         { cd "$BATS_TEST_TMPDIR"; widget one '{"size":3}' | orch-apply >/dev/null; }
teardown()      { orch-delete wd --all --wait=false >/dev/null; }

widget() { # NAME SPEC
  echo "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"$1\"},\"spec\":$2}"
}
status() { # STATUS: through the subresource
  orch-patch wd/one --subresource status --type merge -p "{\"status\":$1}" >/dev/null
}

@test "all names of the kind, its categories and versions" {
  for word in wd widget widgets Widget widgets.example.com widget.example.com widgets.v1.example.com toys; do
    run -0 orch-get "$word" -o name
    [ "$output" = widget.example.com/one ]
  done
  orch-get all -o name | grep -qx widget.example.com/one
  [ "$(orch-get widgets.v1beta1.example.com/one -o json | json .apiVersion)" = example.com/v1beta1 ]
  [ "$(orch-get wd one -o json | json .apiVersion)" = example.com/v1 ]
}

@test "tables have the columns of the definition" {
  run -0 orch-get wd -o table
  [ "$output" = $'NAME   SIZE\none    3' ]
  run -0 orch-get wd -o wide
  [ "$output" = $'NAME   SIZE   COLOR\none    3      red' ]
  run -0 orch-watch wd -o table --timeout 0.2s
  [ "$output" = $'NAME   SIZE\none    3' ]
  run -0 bash -c 'orch-get wd | orch-print --from-server -o wide'
  [ "$output" = $'NAME   SIZE   COLOR\none    3      red' ]
}

@test "filters learn from the server, wherever it is said to be" {
  run -2 orch-validate -q --from-server < <(widget x '{"size":200}')
  [[ $output == *"large ones need an owner"* ]]
  run -0 env -u KUBECONFIG orch-validate -q --from-server -s "unix:$STORE/socket" < <(widget x '{"size":1}')
  run -0 env -u KUBECONFIG orch-validate -q --from-server --kubeconfig "$KUBECONFIG" < <(widget x '{"size":1}')
  run -0 bash -c "$(declare -f widget); widget x '{}' | orch-select --from-server toys"
  [ -n "$output" ]
  run orch-validate -q --from-server -s unix:/nowhere < <(widget x '{"size":1}')
  [ "$status" -ge 2 ]
  [[ $output == *"cannot ask the server for its definitions"* ]]
}

@test "explain and kinds, from the server" {
  run -0 orch-explain --from-server wd.spec.size
  [ "$output" = $'wd.spec.size  integer  required\n    How large it is.\n    at least 0' ]
  run -1 orch-explain --from-server gizmo
  run -0 orch-kinds --from-server --no-headers wd
  [[ $output =~ ^widgets\ +wd\ +example.com/v1\ +true\ +Widget$ ]]
  orch-kinds --from-server -o name | grep -qx widgets.example.com
  run -1 orch-kinds --from-server gizmo
  [ "$output" = "orch-kinds: cannot list 'gizmo': the server has no kind 'gizmo'" ]
}

@test "completion offers its name and its objects" {
  run bash --norc -c 'source "$1"; COMP_WORDS=(orch-get wid); COMP_CWORD=1; _orch; echo "${COMPREPLY[@]}"
    COMP_WORDS=(orch-get wd o); COMP_CWORD=2; _orch; echo "${COMPREPLY[@]}"' bash "$BATS_TEST_DIRNAME/../../completions/orch.bash"
  [ "$output" = $'widgets.example.com\none' ]
}

@test "patches: merge, JSON and apply; a strategic one is refused with a way out" {
  run -0 orch-patch wd/one -p '{"spec":{"size":4}}'
  run -0 orch-patch wd/one --type json -p '[{"op":"replace","path":"/spec/size","value":5}]'
  run -0 orch-patch wd/one --type apply --force-conflicts -p 'spec: {size: 6, tags: [a]}'
  [ "$(orch-get wd/one | json .spec)" = '{"size":6,"color":"red","tags":["a"]}' ]
  run -2 orch-patch wd/one --type strategic -p '{"spec":{"size":4}}'
  [ "$output" = "orch-patch: cannot patch widget.example.com/one: strategic patches are for built-in kinds, and a Widget is none: --type=merge, or --type=apply, which merges lists by their keys, too" ]
  run -2 orch-patch wd/one -p '{"spec":{"size":-1}}'
  [[ $output == *"spec.size in body should be greater than or equal to 0"* ]]
}

@test "label, annotate, scale, replace, create, delete" {
  run -0 orch-label wd/one a=b
  run -0 orch-annotate wd one c=d
  run -0 orch-scale wd/one --replicas 7
  [ "$(orch-get wd -l a=b | json '[.spec.size, .metadata.annotations.c]')" = '[7,"d"]' ]
  widget two '{"size":1}' | orch-create
  run -2 orch-replace < <(widget two '{"size":200}')
  [[ $output == *"large ones need an owner"* ]]
  run -0 orch-replace < <(widget two '{"size":2}')
  run -0 orch-delete wd/two widget.example.com/one
  [ "$output" = $'widget.example.com/two deleted\nwidget.example.com/one deleted' ]
}

@test "wait, tree, history, observe, events; a rollout it has not" {
  run -3 orch-wait wd/one --for=condition=Ready --timeout 0.2s
  [[ $output == *"it has no condition Ready"* ]]
  status '{"size":3,"conditions":[{"type":"Ready","status":"True"}]}'
  run -0 orch-wait wd/one --for=condition=Ready --timeout 5s
  run -0 orch-wait wd/one --for='jsonpath={.status.size}=3' --timeout 5s
  uid=$(orch-get wd/one | json .metadata.uid)
  widget child '{"size":1}' | jq -c ".metadata.ownerReferences = [{apiVersion: \"example.com/v1\", kind: \"Widget\", name: \"one\", uid: \"$uid\"}]" | orch-create
  run -0 orch-tree wd/one
  [[ $output == *widget.example.com/one*widget.example.com/child* ]]
  run -0 orch-history wd/one -o jsonl
  [ "$(tail -1 <<<"$output" | json '[.type, .object.status.size]')" = '["MODIFIED",3]' ]
  run -0 --separate-stderr orch-watch wd --timeout 0.2s
  [ "$(json .object.metadata.name <<<"$output" | sort | paste -sd' ')" = "child one" ]
  run -2 orch-rollout restart wd/one
  [ "$output" = "orch-rollout: cannot restart widget.example.com/one: a Widget has no rollout" ]
}

@test "a difference, against the schema of the server" {
  run -1 orch-diff < <(widget one '{"size":4}')
  [[ $output == *$'-  size: 3\n+  size: 4'* ]]
  run -2 orch-diff < <(widget one '{"size":4,"colour":"red"}')
  run -2 orch-apply --dry-run=client < <(widget new '{"size":4,"colour":"red"}')
  [[ $output == *"unknown field \"spec.colour\""* ]]
}
