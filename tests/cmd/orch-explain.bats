# orch-explain: what kinds and fields are.

setup() { BIN=${BIN:-build/bin}; }

@test "a kind: names, version and fields" {
	run "$BIN/orch-explain" deploy
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "Deployment  apps/v1, deployments, deploy" ]
	[[ "$output" == *"  spec  DeploymentSpec"* ]]
}

@test "a field: type, default, allowed values" {
	run "$BIN/orch-explain" deployment.spec.strategy.type
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 'deployment.spec.strategy.type  string  = "RollingUpdate"  one of Recreate, RollingUpdate' ]
	run "$BIN/orch-explain" pod.spec.containers.image
	[[ "${lines[0]}" == "pod.spec.containers.image  string"* ]]
}

@test "lists: with an index as in a message, or without; how they are merged" {
	[ "$("$BIN/orch-explain" 'pod.spec.containers[0].ports' | tail -n +2)" = "$("$BIN/orch-explain" pod.spec.containers.ports | tail -n +2)" ]
	run "$BIN/orch-explain" pod.spec.containers
	[[ "$output" == *"patches merge by name"* ]]
	[[ "$output" == *"  name  string  required"* ]]
}

@test "a kind with its group and version, and an older version of one" {
	run "$BIN/orch-explain" ingresses.networking.k8s.io.spec
	[ "$status" -eq 0 ]
	[[ "${lines[0]}" == *"  IngressSpec"* ]]
	run "$BIN/orch-explain" deployments.v1.apps.spec.replicas
	[ "$status" -eq 0 ]
	run "$BIN/orch-explain" hpa.spec.targetCPUUtilizationPercentage
	[ "$status" -eq 1 ]
	run "$BIN/orch-explain" --api-version autoscaling/v1 hpa.spec.targetCPUUtilizationPercentage
	[ "$status" -eq 0 ]
	run "$BIN/orch-explain" --api-version autoscaling/v1 Scale.spec.replicas
	[ "$status" -eq 0 ]
	run "$BIN/orch-explain" --api-version apps/v1 hpa
	[ "$status" -eq 1 ]
}

@test "-r: the whole tree, which ends where a type contains itself" {
	run "$BIN/orch-explain" -r crd
	[ "$status" -eq 0 ]
	[[ "$output" == *"            openAPIV3Schema  JSONSchemaProps"* || "$output" == *"openAPIV3Schema  JSONSchemaProps"* ]]
	[[ "$output" == *"allOf  []JSONSchemaProps ..."* ]]
	[ "${#lines[@]}" -lt 500 ]
}

@test "-o jsonl is for programs" {
	run bash -c "'$BIN/orch-explain' -r -o jsonl pod | jq -r 'select(.path == \"pod.spec.containers.ports.protocol\") | .default, .values[1]'"
	[ "$output" = $'TCP\nTCP' ]
}

@test "every kind has a sentence" {
	for k in $("$BIN/orch-kinds" -o name); do
		"$BIN/orch-explain" "$k" | sed -n 2p | grep -q '^    [A-Z]' || { echo "$k has none"; return 1; }
	done
}

@test "lines fit a terminal" {
	run bash -c "'$BIN/orch-explain' pod.spec deployment.spec service.spec pod.metadata | awk 'length > 100'"
	[ -z "$output" ]
}

@test "what does not exist: 1, with a suggestion" {
	run "$BIN/orch-explain" deployment.spec.strateg
	[ "$status" -eq 1 ]
	[ "$output" = "orch-explain: cannot explain 'deployment.spec.strateg': no field 'strateg' in DeploymentSpec (did you mean 'strategy'?)" ]
	run "$BIN/orch-explain" pod.spec.containers.image.tag
	[ "$status" -eq 1 ]
	[[ "$output" == *"a string has no fields"* ]]
	run "$BIN/orch-explain" gadget
	[ "$status" -eq 1 ]
	[[ "$output" == *"no such kind"* ]]
}

@test "mistakes" {
	run "$BIN/orch-explain"
	[ "$status" -eq 2 ]
	run "$BIN/orch-explain" -o yaml pod
	[ "$status" -eq 2 ]
	run "$BIN/orch-explain" ''
	[ "$status" -eq 1 ]
}

@test "custom kinds: from a file, from the stream, in their best version or another" {
	crd=$BATS_TEST_DIRNAME/../manifests/widgets.yaml
	run "$BIN/orch-explain" --crds "$crd" widgets
	[ "${lines[0]}" = "Widget  example.com/v1, widgets, wd" ]
	[ "${lines[1]}" = "    A thing of some size." ]
	run "$BIN/orch-explain" --crds "$crd" widgets.v1beta1.example.com
	[ "${lines[0]}" = "Widget  example.com/v1beta1, widgets, wd" ]
	run "$BIN/orch-explain" --crds - wd.spec <"$crd"
	[[ "$output" == *'  color  string  = "red"  one of red, blue'* ]]
	[[ "$output" == *$'  size  integer  required\n      How large it is.'* ]]
	run "$BIN/orch-explain" --crds "$crd" widget.example.com.spec.tags
	[[ "$output" == *"a set: no value twice"* ]]
	run "$BIN/orch-explain" -r -o jsonl --crds "$crd" widget
	[ "$(jq -r 'select(.path == "widget.status.conditions.type").required' <<<"$output")" = true ]
	run "$BIN/orch-explain" --crds "$crd" widget.spec.colour
	[ "$status" -eq 1 ]
	[[ "$output" == *"(did you mean 'color'?)" ]]
	run "$BIN/orch-explain" widget
	[ "$status" -eq 1 ]
	[ "$output" = "orch-explain: cannot explain 'widget': no such kind: orch-kinds lists them" ]
}

@test "what a custom kind's schema allows: bounds, patterns, rules" {
	cat >"$BATS_TEST_TMPDIR/crd.yaml" <<-'END'
	apiVersion: apiextensions.k8s.io/v1
	kind: CustomResourceDefinition
	metadata: {name: bounds.example.com}
	spec:
	  group: example.com
	  scope: Namespaced
	  names: {plural: bounds, kind: Bound}
	  versions:
	  - name: v1
	    served: true
	    storage: true
	    schema:
	      openAPIV3Schema:
	        type: object
	        properties:
	          spec:
	            type: object
	            x-kubernetes-validations: [{rule: "self.count < 7 || has(self.names)", message: large ones need names}]
	            properties:
	              count: {type: integer, minimum: 1, maximum: 9, multipleOf: 2, exclusiveMaximum: true, nullable: true}
	              names: {type: array, minItems: 1, maxItems: 3, items: {type: string, maxLength: 63, pattern: "^[a-z]+$"}}
	              when: {type: object, additionalProperties: {type: string, format: date-time}}
	END
	run "$BIN/orch-explain" --crds "$BATS_TEST_TMPDIR/crd.yaml" bound.spec
	[[ $output == *"rule: self.count < 7 || has(self.names)"*"large ones need names"* ]]
	run "$BIN/orch-explain" --crds "$BATS_TEST_TMPDIR/crd.yaml" bound.spec.count
	[ "$(tail -n +2 <<<"$output")" = "    1 to 9
    a multiple of 2
    less than the maximum
    may be null" ]
	run "$BIN/orch-explain" --crds "$BATS_TEST_TMPDIR/crd.yaml" bound.spec.names
	[ "$(tail -n +2 <<<"$output")" = "    1 to 3 items
    each: at most 63 characters
    each: matches ^[a-z]+$" ]
	run "$BIN/orch-explain" --crds "$BATS_TEST_TMPDIR/crd.yaml" bound.spec.when
	[[ $output == *"each: format date-time"* ]]
}
