# orch: the dispatcher, and the completions that ask the programs.

setup() {
	ROOT=$PWD
	BIN=${BIN:-build/bin}
	case $BIN in /*) ;; *) BIN=$PWD/$BIN ;; esac
	TOP=$BATS_TEST_DIRNAME/../..
	# programs that answer like ours, so that this does not depend on which exist
	FAKE=$BATS_TEST_TMPDIR/bin
	mkdir -p "$FAKE"
	cp "$BIN/orch" "$FAKE/orch"
	fake get '--output=\tformat\n-o\tformat\n--all-namespaces\tall\n-A\tall\n--namespace=\tns\n-n\tns\n--server=\turl\n-s\turl\noperands\tobjects\nsummary\tGet things.\n' \
		'case "$*" in *" pods") printf "pod/web-1\npod/web-2\npod/db-1\n";; *" namespaces") printf "namespace/default\nnamespace/kube-system\n";; esac'
	fake kinds 'summary\tKinds.\n' 'case "$*" in *--from-server*) case "$*" in *"unix:x"*) printf "widgets.example.com\n";; esac; case "$*" in *down*) exit 3;; esac;; esac
		printf "deployments.apps\npods\npodtemplates\nservices\n"'
	fake reconcile 'operands\tcontrollers\nsummary\tReconcile.\n' 'printf "deployment\tx\nreplicaset\ty\n"'
	fake rollout '--to=\tn\ncommands\tstatus undo\noperands\tobjects\nsummary\tRoll.\n' :
	fake parse '--any\tany\n-a\tany\noperands\tfiles\nsummary\tParse.\n' 'printf "%s|" "$@"; exit 7'
	fake patch '--type=\thow\noperands\tobjects\nsummary\tPatch.\n' :
	fake create '--type=\tof what\noperands\tfiles\nsummary\tCreate.\n' :
	fake diff '--unknown=\tfields\noperands\tfiles\nsummary\tDiff.\n' :
	cd "$BATS_TEST_TMPDIR"
}

fake() { # name, what --complete says, what else it does
	printf '#!/bin/sh\nif [ "$1" = --complete ]; then printf "%%b" "%s"; exit; fi\n%s\n' "$2" "$3" >"$FAKE/orch-$1"
	chmod +x "$FAKE/orch-$1"
}

@test "runs the program beside it, with its arguments and its exit status" {
	run "$FAKE/orch" parse -a "two words" ''
	[ "$status" -eq 7 ]
	[ "$output" = "-a|two words||" ]
}

@test "finds programs on PATH too" {
	mkdir other
	printf '#!/bin/sh\necho other "$@"\n' >other/orch-extra
	chmod +x other/orch-extra
	PATH=$PWD/other:$PATH run "$FAKE/orch" extra 1
	[ "$status" -eq 0 ]
	[ "$output" = "other 1" ]
	PATH=$PWD/other:$PATH run "$FAKE/orch" help
	[[ "$output" == *"  extra"* ]]
}

@test "help lists the programs with their summaries" {
	run "$FAKE/orch" help
	[ "$status" -eq 0 ]
	[[ "$output" == *"  get          Get things."* ]]
	[[ "$output" == *"  parse        Parse."* ]]
}

@test "help of one program is its --help" {
	run "$BIN/orch" help schedule
	[ "$status" -eq 0 ]
	[[ "$output" == "usage: orch-schedule"* ]]
}

@test "an unknown program exits 2 and names the nearest" {
	run "$FAKE/orch" prase
	[ "$status" -eq 2 ]
	[ "$output" = "orch: there is no program 'prase'; the nearest: parse" ]
	run "$FAKE/orch" completelydifferent
	[ "$status" -eq 2 ]
	[[ "$output" == *"orch help lists them" ]]
	for odd in '' ../parse /bin/sh "$(printf 'x%.0s' $(seq 5000))"; do
		run "$FAKE/orch" "$odd"
		[ "$status" -eq 2 ]
	done
	run "$FAKE/orch"
	[ "$status" -eq 2 ]
}

@test "a program that cannot be run is not called unknown" {
	touch "$FAKE/orch-broken"
	PATH=$FAKE:$PATH run "$FAKE/orch" broken
	[ "$status" -eq 2 ]
	[[ "$output" == *"cannot run"*"orch-broken"* ]]
}

@test "options before the program are orch's own, those behind are not" {
	run "$FAKE/orch" --version
	[[ "$output" == "orch "* ]]
	run "$FAKE/orch" parse --version
	[ "$output" = "--version|" ]
}

# --- completion ------------------------------------------------------------------

bash_complete() { # words typed, the last is being typed
	PATH=$FAKE:$PATH bash --norc -c '
		source "$1"; shift
		# readline breaks at = and : too
		COMP_WORDS=()
		for w; do
			while [[ $w == *[=:]* ]]; do
				lead=${w%%[=:]*}; rest=${w#"$lead"}
				[[ $lead ]] && COMP_WORDS+=("$lead")
				COMP_WORDS+=("${rest:0:1}"); w=${rest:1}
				[[ $w ]] || continue 2
			done
			COMP_WORDS+=("$w")
		done
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_orch 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"' bash "$TOP/completions/orch.bash" "$@" | sort | tr '\n' ' '
}

fish_complete() {
	PATH=$FAKE:$PATH HOME=$BATS_TEST_TMPDIR fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' \
		"$TOP/completions/orch.fish" "$1" | cut -f1 | sort | tr '\n' ' '
}

# zsh completes only on a terminal: here its builtins that take the candidates are played.
zsh_complete() {
	PATH=$FAKE:$PATH zsh -f -c '
		local -a words=(${(z)2}); [[ $2 == *" " ]] && words+=("")
		local CURRENT=$#words PREFIX=$words[-1]
		compadd() { shift; local c; for c; do [[ $c == $PREFIX* ]] && print -r -- $c; done; true }
		compset() { PREFIX=${PREFIX#*=} }
		_files() { print -rl -- $PREFIX*(N) }
		_describe() { local -a all=(${(P)3}); compadd -- ${all%%:*} }
		source $1/_orch' zsh "$TOP/completions" "$1" | sort | tr '\n' ' '
}

same() { # shell, wanted, words
	local shell=$1 want=$2 got
	shift 2
	if [ "$shell" = bash ]; then got=$(bash_complete "$@"); else got=$("${shell}_complete" "$*"); fi
	[ "$got" = "$want" ] || { echo "$shell: $*: got '$got', want '$want'"; false; }
}

completes() { # shell
	same "$1" "parse patch " orch pa
	same "$1" "parse patch " orch help pa
	same "$1" "--all-namespaces " orch-get --all
	same "$1" "--all-namespaces " orch get --all
	same "$1" "deployments.apps pods podtemplates services " orch-get ""
	same "$1" "pods podtemplates " orch-get -A po
	same "$1" "web-1 web-2 " orch-get pods we
	same "$1" "widgets.example.com " orch-get -n default -s unix:x -A w
	same "$1" "pods podtemplates " orch-get -s unix:down po
	same "$1" "web-1 web-2 " orch get -n default pods we
	same "$1" "pods/web-1 pods/web-2 " orch-get pods/we
	same "$1" "json jsonl jsonpath= " orch-get -o js
	same "$1" "kube-system " orch-get -n ku
	same "$1" "deployment replicaset " orch-reconcile ""
	same "$1" "status undo " orch-rollout ""
	same "$1" "undo " orch rollout --to 1 u
	same "$1" "pods podtemplates " orch-rollout undo po
	same "$1" "web-1 web-2 " orch-rollout undo pods we
	same "$1" "pods/web-1 pods/web-2 " orch rollout undo pods/we
	same "$1" "merge " orch-patch --type m
	same "$1" "NodePort " orch-create --type No
	same "$1" "warn " orch diff --unknown w
	touch manifest.yaml
	same "$1" "manifest.yaml " orch-parse mani
}

@test "bash completion" {
	type bash >/dev/null || skip "no bash here"
	completes bash
	same bash "json jsonl jsonpath= " orch-get --output=js
	same bash "--namespace= " orch-get --na
}

@test "fish completion" {
	type fish >/dev/null || skip "no fish here"
	completes fish
	same fish "--output=json --output=jsonl --output=jsonpath= " orch-get --output=js
}

@test "zsh completion" {
	type zsh >/dev/null || skip "no zsh here"
	completes zsh
	same zsh "json jsonl jsonpath= " orch-get --output=js
	# and zsh itself takes the file for these commands
	run zsh -f -c 'fpath=($1 $fpath); autoload -U compinit; compinit -D -u; print $_comps[orch] ${(v)_patcomps[(I)orch*]}' zsh "$TOP/completions"
	[ "$output" = "_orch _orch" ]
}
