# Accounts, certificates and protected claims: what a cluster's small loops and the node do together.
load cluster

setup_file() {
  need_root || return 0
  cluster_up --set sync-frequency=1s
  cluster_images
}
teardown_file() { cluster_end; }

# A pod "$1" that shows its account's files and stays; $2: more of its spec.
teller() {
  cat <<END
apiVersion: v1
kind: Pod
metadata: {name: $1}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: c
    image: web:1
    imagePullPolicy: Never
    command: [sh, -c, "cd /var/run/secrets/kubernetes.io/serviceaccount && cat namespace && echo && cat token && echo && cat ca.crt; sleep 1000"]
$2
END
}

there() { orch-get "$@" -o name 2>/dev/null | grep -q .; }
await() { for _ in $(seq 100); do "$@" && return; sleep 0.1; done; return 1; }
gone() { ! there "$@"; }

@test "accounts: a pod has its namespace, a token that the store knows, and the certificates to check it by" {
  teller tells | orch-apply
  orch-wait --for=condition=Ready --timeout=20s pod/tells
  await eval 'orch-logs pod/tells | grep -q "END CERT"'
  orch-logs pod/tells >"$BATS_TEST_TMPDIR/said"
  [ "$(sed -n 1p "$BATS_TEST_TMPDIR/said")" = default ]
  sed -n '3,$p' "$BATS_TEST_TMPDIR/said" >"$BATS_TEST_TMPDIR/ca.crt"
  server=$(jq -r .listen "$DATA/run/cluster.json")
  curl -sSf --cacert "$BATS_TEST_TMPDIR/ca.crt" -H "Authorization: Bearer $(sed -n 2p "$BATS_TEST_TMPDIR/said")" \
    -H 'Content-Type: application/json' -d '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}' \
    "https://$server/apis/authentication.k8s.io/v1/selfsubjectreviews" >"$BATS_TEST_TMPDIR/me"
  [ "$(jq -r .status.userInfo.username "$BATS_TEST_TMPDIR/me")" = system:serviceaccount:default:default ]
}

@test "accounts: one that is deleted comes back; a new namespace has one, and the certificates, at once" {
  uid=$(orch-get serviceaccount/default -o json | jq -r .metadata.uid)
  orch-delete serviceaccount/default
  other() { [ "$(orch-get serviceaccount/default -o json 2>/dev/null | jq -r .metadata.uid)" != "$uid" ] && there serviceaccount/default; }
  await other
  orch-create namespace fresh
  teller early | orch-apply -n fresh # it waits for its account
  await there -n fresh configmap/kube-root-ca.crt
  orch-delete namespace/fresh
  await gone namespace/fresh
}

@test "accounts: a node that starts again does not know how old tokens are, and replaces them" {
  file=$(echo "$DATA"/node-1/pods/"$(orch-get pod/tells -o json | jq -r .metadata.uid)"/volumes/kube-api-access-*/token)
  old=$(cat "$file")
  kill -9 "$(jq -r '.processes[] | select(.name == "node-1").process.pid' "$DATA/run/cluster.json")"
  replaced() { [ "$(cat "$file")" != "$old" ]; }
  await replaced
  server=$(jq -r .listen "$DATA/run/cluster.json")
  for token in "$old" "$(cat "$file")"; do # the old one lives on
    curl -sSfk -o "$BATS_TEST_TMPDIR/out" -H "Authorization: Bearer $token" "https://$server/version"
  done
}

@test "volumes: they follow what they are made of" {
  cat >"$BATS_TEST_TMPDIR/all.yaml" <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: made}
data: {a: one, b: two}
---
apiVersion: v1
kind: Secret
metadata: {name: hidden}
stringData: {key: old}
---
apiVersion: v1
kind: Pod
metadata: {name: follows, labels: {x: first}}
spec:
  terminationGracePeriodSeconds: 1
  volumes:
  - {name: made, configMap: {name: made}}
  - {name: hidden, secret: {secretName: hidden, defaultMode: 0400}}
  - {name: all, projected: {sources: [{downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}, {configMap: {name: made, items: [{key: a, path: deep/a}]}}, {configMap: {name: none, optional: true}}]}}
  containers:
  - name: c
    image: web:1
    imagePullPolicy: Never
    command: [sh, -c, "cd /v; while sleep 0.2; do echo $(cat made/a) $(ls made) $(cat hidden/key) $(cat all/labels) $(cat all/deep/a) $(cat once); done"]
    volumeMounts: [{name: made, mountPath: /v/made}, {name: hidden, mountPath: /v/hidden}, {name: all, mountPath: /v/all}, {name: made, mountPath: /v/once, subPath: a}]
END
  orch-apply <"$BATS_TEST_TMPDIR/all.yaml"
  says() { [ "$(orch-logs pod/follows | tail -n 1)" = "$1" ]; }
  await says 'one a b old x="first" one one'
  printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\ndata: {a: uno, c: "3"}\n' | orch-apply
  printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: hidden}\nstringData: {key: new}\n' | orch-apply
  orch-label --overwrite pod/follows x=second
  await says 'uno a c new x="second" uno one'
  orch-delete configmap/made secret/hidden # what is gone stays as it was
  sleep 1.5
  says 'uno a c new x="second" uno one'
  orch-delete pod/follows
}

@test "claims: one that a pod uses stays until the pod is gone" {
  printf 'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: %s}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n---\n' used idle | orch-apply
  # bound by hand: the pod need not run, only have a node
  teller user '  volumes: [{name: v, persistentVolumeClaim: {claimName: used}}]' |
    sed 's/^spec:/spec:\n  nodeName: node-1/' | orch-apply
  orch-delete pvc/used pvc/idle --wait=false
  await gone pvc/idle
  sleep 0.5
  orch-get pvc/used -o json | jq -e .metadata.deletionTimestamp
  orch-delete pod/user --grace-period=0
  await gone pvc/used
}
