# Accounts, certificates and protected claims: what a cluster's small loops and the node do together.
load cluster

setup_file() {
  need_root || return 0
  cluster_up
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
