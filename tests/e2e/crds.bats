# kubectl, unmodified, and custom resources.
load cluster
load clients

setup_file() {
  clients_fetch >"$BATS_FILE_TMPDIR/why" || return 0
  clients_home "$BATS_FILE_TMPDIR"
  cluster_up --no-node 3>&-
}

teardown_file() {
  cluster_end
}

setup() {
  cd "$BATS_TEST_TMPDIR"
  clients_or_skip
}

k() { timeout 30 kubectl "$@" 3>&-; }

definition() {
  cat <<'END'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gardens.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: gardens, kind: Garden, shortNames: [gdn], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.beds, statusReplicasPath: .status.beds}}
    additionalPrinterColumns:
    - {name: Beds, type: integer, jsonPath: .spec.beds}
    schema:
      openAPIV3Schema:
        description: A place where things grow.
        type: object
        properties:
          spec:
            type: object
            properties:
              beds: {type: integer, minimum: 1, default: 2, description: How many beds there are.}
              plants: {type: array, items: {type: string}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
END
}

@test "a kind is applied, used, explained and deleted" {
  definition | k apply -f -
  k wait --for=condition=Established crd/gardens.example.com --timeout=10s
  k create namespace plots
  printf 'apiVersion: example.com/v1\nkind: Garden\nmetadata: {name: home, namespace: plots}\nspec: {plants: [rose]}\n' >cr
  k apply -f cr
  [ "$(k get gdn -n plots home -o jsonpath='{.spec.beds}')" = 2 ]
  run k get gardens -n plots
  [[ $output == *BEDS* && $output == *home*2* ]]
  k get all -n plots | grep garden.example.com/home
  k explain garden.spec.beds | grep 'How many beds'
  k patch gdn home -n plots --type=merge -p '{"spec":{"beds":3}}'
  k scale gdn home -n plots --replicas=5
  [ "$(k get gdn -n plots home -o jsonpath='{.spec.beds} {.metadata.generation}')" = "5 3" ]
  sed -i 's/rose/tulip/' cr
  k apply -f cr
  k apply --server-side --force-conflicts -f cr
  run k apply -f - <<'END'
{apiVersion: example.com/v1, kind: Garden, metadata: {name: bad, namespace: plots}, spec: {beds: 0, other: 1}}
END
  [ "$status" -ne 0 ] && [[ $output == *'unknown field "spec.other"'* ]]
  k delete gdn -n plots home
  k apply -f cr
  k delete crd gardens.example.com --timeout=10s
  run k get gardens -n plots
  [ "$status" -ne 0 ]
}
