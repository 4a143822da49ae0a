# The operator in shell of examples/operator, with containers behind it.
load cluster

setup_file() {
  need_root || return 0
  export DATA=$BATS_FILE_TMPDIR/data
  cluster_up 3>&-
  cluster_images
  example=$BATS_TEST_DIRNAME/../../examples/operator
  orch-apply <"$example/site.yaml"
  RESYNC=5 "$example/operator.sh" >"$BATS_FILE_TMPDIR/operator.log" 2>&1 3>&- &
  disown "$!"
  echo "$!" >"$BATS_FILE_TMPDIR/operator"
}

teardown_file() {
  [ ! -e "$BATS_FILE_TMPDIR/operator" ] || kill "$(cat "$BATS_FILE_TMPDIR/operator")" || :
  cluster_end
}

site() { printf '{apiVersion: example.com/v1, kind: Site, metadata: {name: home}, spec: {content: %s, replicas: %s, image: "web:1"}}\n' "$@"; }

pages() {
  for pod in $(orch-get pods -l example.com/site=home -o jsonl | jq -r .metadata.name); do
    orch-api "/api/v1/namespaces/default/pods/$pod:8080/proxy/"
  done
}

@test "a site is served, follows its content, and goes" {
  site hello 2 | orch-apply
  orch-wait --for=condition=Ready --timeout=60s site/home
  [ "$(pages)" = hellohello ]
  site changed 1 | orch-apply
  for _ in $(seq 100); do [ "$(pages)" != changed ] || break; sleep 1; done
  [ "$(pages)" = changed ]
  orch-wait --for=condition=Ready --timeout=60s site/home
  orch-delete --timeout=30s site/home
  orch-wait --for=delete --timeout=30s pods -l example.com/site=home
}
