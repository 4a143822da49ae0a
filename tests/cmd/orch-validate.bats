# orch-validate: pass on what an API would accept.
bats_require_minimum_version 1.5.0

setup() {
	BIN=${BIN:-build/bin}
	cd "$BATS_TEST_TMPDIR"
	cat >web.yaml <<-'Y'
	# a comment
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: ok}
	---
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: web}
	spec:
	  replicas: -1
	  selector: {matchLabels: {app: web}}
	  template:
	    metadata: {labels: {app: wrong}}
	    spec: {containers: [{name: c, image: busybox}]}
	Y
	cat >pod.json <<-'J'
	{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"busybox:1"}]}}
	J
}

@test "valid objects go on as they came, invalid ones are named with file, line and field" {
	run --separate-stderr "$BIN/orch-validate" web.yaml
	[ "$status" -eq 2 ]
	[ "$output" = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"ok"}}' ]
	[[ "$stderr" == *'orch-validate: web.yaml:6: Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'* ]]
	[[ "$stderr" == *'web.yaml:6: Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: {"app":"wrong"}: `selector` does not match template `labels`'* ]]
}

@test "a line of JSON is passed on byte for byte" {
	run "$BIN/orch-validate" <pod.json
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat pod.json)" ]
}

@test "-d fills in the defaults, and a second time changes nothing" {
	"$BIN/orch-validate" -d pod.json >once
	[ "$(jq -r '.spec.restartPolicy, .spec.containers[0].imagePullPolicy' once | paste -sd' ')" = "Always IfNotPresent" ]
	"$BIN/orch-validate" -d once >twice
	cmp once twice
}

@test "quantities become canonical under -d, and only then" {
	json='{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","resources":{"limits":{"memory":"1024Mi"}}}]}}'
	[ "$("$BIN/orch-validate" -d <<<"$json" | jq -r '.spec.containers[0].resources.limits.memory')" = 1Gi ]
	[ "$("$BIN/orch-validate" <<<"$json")" = "$json" ]
}

@test "unknown fields: an error with a hint, a warning, or nothing" {
	json='{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"w"},"spec":{"replica":1,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}'
	run --separate-stderr "$BIN/orch-validate" <<<"$json"
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[ "$stderr" = "orch-validate: standard input:1: Deployment.apps \"w\": unknown field \"spec.replica\" (did you mean 'replicas'?)" ]
	run --separate-stderr "$BIN/orch-validate" --unknown=warn <<<"$json"
	[ "$status" -eq 0 ]
	[ "$output" = "$json" ]
	[[ "$stderr" == *'warning: '*'unknown field "spec.replica"'* ]]
	run --separate-stderr "$BIN/orch-validate" --unknown=ignore <<<"$json"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
}

@test "unknown kinds" {
	json='{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"}}'
	run "$BIN/orch-validate" <<<"$json"
	[ "$status" -eq 2 ]
	[[ "$output" == *"Widget.example.com \"w\": no kind 'Widget' in 'example.com/v1'" ]]
	run "$BIN/orch-validate" --unknown ignore <<<"$json"
	[ "$status" -eq 0 ]
	[ "$output" = "$json" ]
}

@test "wrong types" {
	run "$BIN/orch-validate" <<<'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","stdin":"yes"}]}}'
	[ "$status" -eq 2 ]
	[[ "$output" == *'is invalid: json: cannot unmarshal string into Go struct field Container.spec.containers.stdin of type bool' ]]
}

@test "-q: only the verdict" {
	run --separate-stderr "$BIN/orch-validate" -q web.yaml
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[ -n "$stderr" ]
	run "$BIN/orch-validate" -q pod.json
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "a List is checked item by item" {
	run --separate-stderr "$BIN/orch-validate" <<<'{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}},{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"A"}}]}'
	[ "$status" -eq 2 ]
	[ "$output" = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}' ]
	[[ "$stderr" == *'ConfigMap "A" is invalid: metadata.name: '* ]]
}

@test "a pipe, and files by -f" {
	run bash -c "'$BIN/orch-parse' web.yaml | '$BIN/orch-validate' 2>/dev/null | jq -r .metadata.name"
	[ "$output" = ok ]
	run "$BIN/orch-validate" -q -f pod.json -f pod.json
	[ "$status" -eq 0 ]
}

@test "mistakes" {
	run "$BIN/orch-validate" --unknown=maybe pod.json
	[ "$status" -eq 2 ]
	[[ "$output" == *"--unknown is error, warn or ignore, not 'maybe'"* ]]
	run "$BIN/orch-validate" missing.yaml
	[ "$status" -eq 2 ]
	run "$BIN/orch-validate" <<<'{"a":'
	[ "$status" -eq 2 ]
	run "$BIN/orch-validate" <<<'{"a":1}'
	[ "$status" -eq 2 ]
	run "$BIN/orch-validate" </dev/null
	[ "$status" -eq 0 ]
}

@test "what people write is valid, and stays so with its defaults" {
	manifests=$BATS_TEST_DIRNAME/../manifests/valid.yaml
	run "$BIN/orch-validate" -q "$manifests"
	[ -z "$output" ]
	[ "$status" -eq 0 ]
	"$BIN/orch-validate" -d "$manifests" >once
	"$BIN/orch-validate" -d once >twice
	cmp once twice
	[ "$(wc -l <once)" -eq "$(grep -c '^kind:' "$manifests")" ]
}

# --- custom kinds -----------------------------------------------------------------

crd() { # [EXTRA-FIELD]
	cat <<-Y
	apiVersion: apiextensions.k8s.io/v1
	kind: CustomResourceDefinition
	metadata: {name: widgets.example.com}
	spec:
	  group: example.com
	  scope: Namespaced
	  names: {plural: widgets, kind: Widget}
	  versions:
	  - name: v1
	    served: true
	    storage: true
	    subresources: {status: {}}
	    schema:
	      openAPIV3Schema:
	        type: object
	        required: [spec]
	        properties:
	          spec:
	            type: object
	            required: [size]
	            x-kubernetes-validations:
	            - {rule: "self.size < 10 || has(self.owner)", message: large ones need an owner}
	            properties:
	              size: {type: integer, minimum: 1}
	              color: {type: string, enum: [red, blue], default: red}
	              owner: {type: string}
	              tags: {type: array, items: {type: string}, x-kubernetes-list-type: set}
	              ${1-}
	          status: {type: object, required: [phase], properties: {phase: {type: string}}}
	  - name: v1beta1
	    served: false
	    storage: false
	    schema: {openAPIV3Schema: {type: object}}
	Y
}
widget() { # NAME SPEC
	printf '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"%s"},"spec":%s}\n' "$1" "$2"
}
stream() { # FILE...: as JSON Lines
	"$BIN/orch-parse" "$@"
}

@test "custom: a definition in the stream is what its objects are checked by, before and behind it" {
	crd >crd.yaml
	{
		widget a '{"size":1}'
		widget b '{"size":0,"colour":"red","color":"green","tags":["x","x"]}'
		stream crd.yaml
		widget c '{"size":20}'
		widget d '{"size":20,"owner":"me"}'
	} >all.jsonl
	run --separate-stderr "$BIN/orch-validate" all.jsonl
	[ "$status" -eq 2 ]
	[ "$(jq -r .metadata.name <<<"$output" | paste -sd' ')" = "a widgets.example.com d" ]
	[[ "$stderr" == *"all.jsonl:2: Widget.example.com \"b\": unknown field \"spec.colour\" (did you mean 'color'?)"* ]]
	[[ "$stderr" == *'all.jsonl:2: Widget.example.com "b" is invalid: spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1'* ]]
	[[ "$stderr" == *'"b" is invalid: spec.color: Unsupported value: "green": supported values: "red", "blue"'* ]]
	[[ "$stderr" == *'"b" is invalid: spec.tags[1]: Duplicate value: "x"'* ]]
	[[ "$stderr" == *'all.jsonl:4: Widget.example.com "c" is invalid: spec: Invalid value: '*'large ones need an owner'* ]]
	# as they came
	[ "$(head -1 <<<"$output")" = "$(head -1 all.jsonl)" ]
}

@test "custom: -d fills in the defaults of the definition" {
	crd >crd.yaml
	run bash -c "{ $(declare -f widget); widget a '{\"size\":1}'; '$BIN/orch-parse' crd.yaml; } | '$BIN/orch-validate' -d | jq -r 'select(.kind==\"Widget\").spec.color'"
	[ "$output" = red ]
}

@test "custom: --crds takes files and folders, and of them only the definitions" {
	mkdir crds
	{ crd; echo ---; echo '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"x"}}'; } >crds/b.yaml
	crd | sed 's/idget/adget/g' >crds/a.yml
	echo 'not: an object' >crds/notes.txt
	run --separate-stderr "$BIN/orch-validate" --crds crds < <(widget a '{"size":1}'; widget b '{}')
	[ "$status" -eq 2 ]
	[ "$(jq -r .metadata.name <<<"$output")" = a ]
	[[ "$stderr" == *'standard input:2: Widget.example.com "b" is invalid: spec.size: Required value'* ]]
	run "$BIN/orch-validate" -q --crds crds/a.yml --crds crds/b.yaml < <(widget a "{\"size\":1}"; widget a "{\"size\":1}" | sed s/Widget/Wadget/)
	[ "$status" -eq 0 ]
	run "$BIN/orch-validate" --crds missing.yaml </dev/null
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot open 'missing.yaml'"* ]]
}

@test "custom: a definition that is wrong is told, and why its objects have no kind" {
	crd 'wrong: {type: string, minimum: x, items: {type: string}}' | sed 's/{type: integer, minimum: 1}/{minimum: 1}/; s/minimum: x, //' >crd.yaml
	run --separate-stderr "$BIN/orch-validate" crd.yaml <(widget a '{"size":1}')
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ "$stderr" == *'crd.yaml:1: CustomResourceDefinition.apiextensions.k8s.io "widgets.example.com" is invalid: spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[size].type: Required value'* ]]
	[[ "$stderr" == *"Widget.example.com \"a\": no kind 'Widget' in 'example.com/v1': its definition 'widgets.example.com' (crd.yaml:1) makes no kinds: it is invalid"* ]]
	crd >crd.yaml
	run --separate-stderr "$BIN/orch-validate" -q crd.yaml <(widget a '{"size":1}' | sed s,com/v1,com/v1beta1,)
	[ "$status" -eq 2 ]
	[[ "$stderr" == *"'widgets.example.com' (crd.yaml:1) serves no version 'v1beta1', only v1" ]]
}

@test "custom: the same definition twice, another of that name, and one that wants a name twice" {
	crd >crd.yaml
	run --separate-stderr "$BIN/orch-validate" -q crd.yaml crd.yaml <(widget a '{"size":1}')
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	crd 'extra: {type: string}' >other.yaml
	run --separate-stderr "$BIN/orch-validate" -q crd.yaml <(widget a '{"size":1,"extra":"x"}') other.yaml <(widget b '{"size":1,"extra":"x"}')
	[ "$status" -eq 2 ]
	[[ "$stderr" == *'"a": unknown field "spec.extra"'* ]]
	[[ "$stderr" == *'other.yaml:1: CustomResourceDefinition.apiextensions.k8s.io "widgets.example.com" is another one than at crd.yaml:1, and counts from here on' ]]
	[[ "$stderr" != *'"b"'* ]]
	crd | sed 's/plural: widgets, kind: Widget/plural: gizmos, kind: Widget/; s/name: widgets/name: gizmos/' >gizmo.yaml
	run --separate-stderr "$BIN/orch-validate" -q crd.yaml gizmo.yaml <(widget a '{"size":1}')
	[[ "$stderr" == *"\"gizmos.example.com\" makes no kinds: the name 'widget' is in use by 'widgets.example.com'" ]]
}

@test "custom: a status with a subresource of its own is not asked, but its fields are known" {
	crd >crd.yaml
	run "$BIN/orch-validate" -q crd.yaml <(widget a '{"size":1}' | sed 's/}}$/},"status":{}}/')
	[ "$status" -eq 0 ]
	run "$BIN/orch-validate" -q crd.yaml <(widget a '{"size":1}' | sed 's/}}$/},"status":{"fase":1}}/')
	[[ "$output" == *"unknown field \"status.fase\""* ]]
}

@test "custom: who ignores unknown kinds waits for no definition" {
	crd >crd.yaml
	mkfifo in
	"$BIN/orch-validate" --unknown=ignore in >out 3>&- &
	exec 4>in
	widget a '{}' >&4
	for ((i = 0; i < 100; i++)); do [ -s out ] && break; sleep 0.05; done
	[ -s out ]
	exec 4>&-
	wait
}

@test "custom: the bundles of examples/crds are valid in any order, and refused with the causes of a server" {
	examples=$BATS_TEST_DIRNAME/../../examples/crds
	case $BIN in /*) ;; *) BIN=$BATS_TEST_DIRNAME/../../$BIN ;; esac
	for bundle in certs gateways monitors; do
		BIN=$BIN "$examples/expand" "$bundle" >crds.yaml
		run "$BIN/orch-validate" -q "$examples/$bundle/objects.yaml" crds.yaml
		[ "$status" -eq 0 ]
		run --separate-stderr "$BIN/orch-validate" --crds crds.yaml "$examples/$bundle/invalid.yaml"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		diff <(sed -n 's/^# refused: //p' "$examples/$bundle/invalid.yaml") <(sed 's/^.* is invalid: //' <<<"$stderr")
	done
}

@test "users of its own: not with the machine's namespaces, nor with devices; /proc unmasked only so" {
	pod() { printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers: [{name: c, image: i%s}]\n%s\n' "$1" "$2"; }
	run "$BIN/orch-validate" < <(pod '' '  hostUsers: false')
	[ "$status" -eq 0 ]
	for f in hostNetwork hostPID hostIPC; do
		run "$BIN/orch-validate" < <(pod '' "  {hostUsers: false, $f: true}" | sed 's/^  {\(.*\), \(.*\)}/  \1\n  \2/')
		[ "$status" -eq 2 ]
		[[ $output == *"spec.$f: Forbidden: when \`hostUsers\` is false" ]]
	done
	run "$BIN/orch-validate" < <(pod ', volumeDevices: [{name: b, devicePath: /dev/b}]' '  hostUsers: false
  volumes: [{name: b, persistentVolumeClaim: {claimName: c}}]')
	[ "$status" -eq 2 ]
	[[ $output == *'spec.containers[0].volumeDevices: Forbidden: when `hostUsers` is false' ]]
	run "$BIN/orch-validate" < <(pod ', securityContext: {procMount: Unmasked}' '')
	[ "$status" -eq 2 ]
	[[ $output == *'`hostUsers` must be false to use `Unmasked`' ]]
	run "$BIN/orch-validate" < <(pod ', securityContext: {procMount: Unmasked}' '  hostUsers: false')
	[ "$status" -eq 0 ]
}
