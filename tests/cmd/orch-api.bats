#!/usr/bin/env bats
load ../helper

setup_file() { start_store; }
teardown_file() { stop_all; }

@test "body out, exit by status" {
  [ "$(orch-api /readyz)" = ok ]
  run -1 --separate-stderr orch-api /api/v1/namespaces/none
  [ "$(json .reason <<<"$output")" = NotFound ]
  [[ $stderr == *'namespaces "none" not found'* ]]
  run -1 --separate-stderr orch-api -q /api/v1/namespaces/none
  [ -z "$stderr" ]
  run -2 orch-api api/v1
  run -2 orch-api
  run -2 orch-api / /
}

@test "methods, bodies, headers" {
  configmap a | tail -n 1 | orch-api -d - /api/v1/namespaces/default/configmaps >/dev/null
  run -1 orch-api -q -d "$(configmap a | tail -n 1)" /api/v1/namespaces/default/configmaps
  echo '{"data":{"key":"new"}}' >"$BATS_TEST_TMPDIR/patch"
  [ "$(orch-api -X PATCH -d "@$BATS_TEST_TMPDIR/patch" /api/v1/namespaces/default/configmaps/a | json .data.key)" = new ]
  [ "$(orch-api -H 'Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' /api/v1/namespaces/default/configmaps/a | json .kind)" ]
  orch-api -X DELETE /api/v1/namespaces/default/configmaps/a >/dev/null
  run -2 orch-api -q -d 'no json' /api/v1/namespaces/default/configmaps
  run -2 orch-api -H nonsense /readyz
  run -2 orch-api -d @/nonexistent /readyz || [ "$status" -eq 1 ]
}

@test "a watch comes through as it happens" {
  orch-api '/api/v1/namespaces/default/configmaps?watch=true' >"$BATS_TEST_TMPDIR/out" 3>&- &
  watch=$!
  configmap seen | orch-apply
  wait_for 5 grep -q '"seen"' "$BATS_TEST_TMPDIR/out"
  kill "$watch"
}

# config USER CLUSTER: a kubeconfig of these fields, from the store's own.
config() {
  local server ca crt key
  server=$(sed -n 's/^ *server: *//p' "$KUBECONFIG")
  for part in certificate-authority client-certificate client-key; do
    sed -n "s/^ *$part-data: *//p" "$KUBECONFIG" | base64 -d >"$BATS_TEST_TMPDIR/$part.pem"
  done
  cat >"$BATS_TEST_TMPDIR/config" <<END
{"kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
 "users": [{"name": "u", "user": $1}],
 "clusters": [{"name": "c", "cluster": {"server": "$server", ${2:-\"certificate-authority\": \"certificate-authority.pem\"}}}]}
END
}
api() { orch-api --kubeconfig "$BATS_TEST_TMPDIR/config" "$@"; }
FILES='{"client-certificate": "client-certificate.pem", "client-key": "client-key.pem"}'

@test "credentials: files beside the kubeconfig, in JSON too" {
  config "$FILES"
  [ "$(cd / && api /api/v1/namespaces/default | json .kind)" = Namespace ]
  rm "$BATS_TEST_TMPDIR/client-key.pem"
  run -2 api /version
  [[ $output == *"client-key"* ]]
}

@test "credentials: a plugin prints a certificate" {
  config '{"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "args": ["a b"], "env": [{"name": "X", "value": "y"}]}}'
  cat >"$BATS_TEST_TMPDIR/plugin" <<'END'
#!/bin/sh
[ "$1" = "a b" ] && [ "$X" = y ] && [ -n "$KUBERNETES_EXEC_INFO" ] || exit 9
cd "$(dirname "$0")" && jq -n --rawfile c client-certificate.pem --rawfile k client-key.pem '{kind: "ExecCredential", status: {clientCertificateData: $c, clientKeyData: $k}}'
END
  chmod +x "$BATS_TEST_TMPDIR/plugin"
  [ "$(api /api/v1/namespaces/default | json .kind)" = Namespace ]
  echo 'exit 4' >"$BATS_TEST_TMPDIR/plugin"
  run -2 api /version
  [[ $output == *"plugin' failed"* || $output == *"cannot run"* ]]
  config '{"exec": {"command": "/nonexistent/plugin"}}'
  run -2 api /version
}

@test "trust: only the CA that is named, the name that is meant, or none by request" {
  config "$FILES" '"certificate-authority": "certificate-authority.pem", "tls-server-name": "kubernetes.default.svc"'
  [ "$(api /api/v1/namespaces/default | json .kind)" = Namespace ]
  config "$FILES" '"certificate-authority": "certificate-authority.pem", "tls-server-name": "elsewhere.example"'
  run -2 api /version
  [[ $output == *"cannot trust server"* ]]
  config "$FILES" '"insecure-skip-tls-verify": true'
  [ "$(api /api/v1/namespaces/default | json .kind)" = Namespace ]
  config "$FILES" '"certificate-authority": "/etc/ssl/certs/ca-certificates.crt"'
  [ -r /etc/ssl/certs/ca-certificates.crt ] || skip "no other CA here"
  run -2 api /version
  [[ $output == *"cannot trust server"* ]]
}

@test "a wrong token is refused, a right certificate beside it is not needed" {
  config '{"token": "nonsense"}'
  run -2 api /api/v1/namespaces/default
  echo other >"$BATS_TEST_TMPDIR/token"
  config '{"tokenFile": "token"}'
  run -2 api /api/v1/namespaces/default
  config '{"client-certificate-data": "!!!"}'
  run -2 api /version
  [[ $output == *"not base64"* ]]
}
