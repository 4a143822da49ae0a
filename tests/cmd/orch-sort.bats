# orch-sort: the order in which objects can be created.

setup() {
	BIN=${BIN:-build/bin}
	cd "$BATS_TEST_TMPDIR"
	for k in ValidatingWebhookConfiguration Widget Ingress Deployment Service ConfigMap Secret \
	    CustomResourceDefinition Namespace; do
		echo "{\"apiVersion\":\"x/v1\",\"kind\":\"$k\",\"metadata\":{\"name\":\"1\"}}"
	done >objects
}

kinds() { jq -r .kind | paste -sd' '; }

@test "what others need comes first" {
	[ "$("$BIN/orch-sort" objects | kinds)" = "Namespace CustomResourceDefinition Secret ConfigMap Service Deployment Ingress Widget ValidatingWebhookConfiguration" ]
}

@test "-r is the order of deletion" {
	[ "$("$BIN/orch-sort" -r <objects | kinds)" = "ValidatingWebhookConfiguration Widget Ingress Deployment Service ConfigMap Secret CustomResourceDefinition Namespace" ]
}

@test "equal kinds keep their order, both ways" {
	printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s"}}\n' c a b >pods
	[ "$("$BIN/orch-sort" pods | jq -r .metadata.name | paste -sd' ')" = "c a b" ]
	[ "$("$BIN/orch-sort" -r pods | jq -r .metadata.name | paste -sd' ')" = "c a b" ]
}

@test "Lists, YAML and nothing at all" {
	run "$BIN/orch-sort" </dev/null
	[ "$status" -eq 0 ]
	[ "$output" = "" ]
	run "$BIN/orch-sort" <<-'Y'
	apiVersion: v1
	kind: List
	items:
	- {apiVersion: v1, kind: Service}
	- {apiVersion: v1, kind: Namespace}
	Y
	[ "${lines[0]}" = '{"apiVersion":"v1","kind":"Namespace"}' ]
}

@test "nothing is written when the input is broken" {
	run bash -c "(cat objects; echo '{') | '$BIN/orch-sort' 2>/dev/null"
	[ "$status" -eq 2 ]
	[ "$output" = "" ]
}

@test "by a field" {
	cat >n <<-'J'
	{"apiVersion":"v1","kind":"Pod","metadata":{"name":"c"},"spec":{"priority":10}}
	{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"priority":9}}
	{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}
	J
	[ "$("$BIN/orch-sort" -b .metadata.name n | jq -r .metadata.name | paste -sd' ')" = "a b c" ]
	[ "$("$BIN/orch-sort" -b spec.priority -f n | jq -r .metadata.name | paste -sd' ')" = "b a c" ]
	[ "$("$BIN/orch-sort" -r -b '{.spec.priority}' n | jq -r .metadata.name | paste -sd' ')" = "c a b" ]
	run "$BIN/orch-sort" -b '{.a' n
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot sort by '{.a'"* ]]
}

@test "a custom kind that is called as one of Kubernetes' own comes behind its definition" {
	for kind in example.com/v1/Namespace v1/Service example.com/v1/Service example.com/v1/PriorityClass \
	    apiextensions.k8s.io/v1/CustomResourceDefinition scheduling.k8s.io/v1/PriorityClass v1/Namespace; do
		echo "{\"apiVersion\":\"${kind%/*}\",\"kind\":\"${kind##*/}\",\"metadata\":{\"name\":\"1\"}}"
	done >all
	run bash -c "'$BIN/orch-sort' all | jq -r '\"\(.apiVersion)/\(.kind)\"'"
	[ "$output" = "scheduling.k8s.io/v1/PriorityClass
v1/Namespace
apiextensions.k8s.io/v1/CustomResourceDefinition
v1/Service
example.com/v1/Namespace
example.com/v1/Service
example.com/v1/PriorityClass" ]
}
