# bash completion for orch and every orch-*.  It asks the program itself (PROG --complete), so a
# new program or option needs no edit here.

# What leads to the cluster (-n, --kubeconfig ...) among the words typed, for the calls below.
_orch_scope() {
	local i w
	scope=()
	for ((i = first; i < ${#words[@]}; i++)); do
		w=${words[i]}
		case $w in
		-A | --all-namespaces) scope+=("$w") ;;
		--namespace=* | --kubeconfig=* | --context=* | --server=* | -[ns]?*) scope+=("$w") ;;
		-n | -s | --namespace | --kubeconfig | --context | --server)
			((i + 1 < ${#words[@]})) && scope+=("$w" "${words[i + 1]}")
			((i++)) ;;
		esac
	done
}

# COMP_WORDS as the shell will see them: bash breaks words at '=' and ':'.
_orch_words() {
	local i w glue=
	words=() cword=0
	for ((i = 0; i <= COMP_CWORD; i++)); do
		w=${COMP_WORDS[i]}
		if ((i > 0)) && [[ $w == [=:]* || $glue ]] && [[ $glue || ${words[*]: -1} ]]; then
			words[${#words[@]} - 1]+=$w
		else
			words+=("$w")
		fi
		glue=
		[[ $w == [=:] ]] && glue=1
	done
	cword=$((${#words[@]} - 1))
}

_orch_names() { # KIND
	local kind=$1
	[[ $kind == namespaces ]] && scope=("${scope[@]/-A/}")
	"${dir}orch-get" ${scope[@]+"${scope[@]}"} --request-timeout=2s -o name "$kind" 2>/dev/null </dev/null
}

_orch_programs() {
	if [[ $dir ]]; then
		printf '%s\n' "$dir"orch-* | sed 's|.*/orch-||'
	else
		compgen -c orch- | sed 's/^orch-//' | sort -u
	fi
}

# The kinds that the cluster has, or without one those that are built in.
_orch_kinds() {
	local i where=()
	for ((i = 0; i < ${#scope[@]}; i++)); do
		case ${scope[i]} in
		-s | --server | --kubeconfig | --context) where+=("${scope[i]}" "${scope[++i]}") ;;
		-s* | --server=* | --kubeconfig=* | --context=*) where+=("${scope[i]}") ;;
		-n | --namespace) ((i++)) ;;
		esac
	done
	"${dir}orch-kinds" --from-server --request-timeout=2s ${where[@]+"${where[@]}"} -o name 2>/dev/null </dev/null ||
		"${dir}orch-kinds" -o name 2>/dev/null </dev/null
}

# The candidates for the value of an option.
_orch_value() { # OPTION
	case $1 in
	--namespace | -n) _orch_names namespaces | sed 's|.*/||' ;;
	--output | -o) printf '%s\n' table wide yaml json jsonl name jsonpath= custom-columns= ;;
	--scoring) printf '%s\n' least most ;;
	--explain) printf '%s\n' table json ;;
	--dry-run) printf '%s\n' server client none ;;
	--unknown) printf '%s\n' error warn ignore ;;
	--server-side | --wait) printf '%s\n' true false ;;
	--cascade) printf '%s\n' background foreground orphan ;;
	--type)
		case $prog in
		orch-patch) printf '%s\n' strategic merge json apply ;;
		orch-create) printf '%s\n' ClusterIP NodePort LoadBalancer ExternalName Opaque kubernetes.io/tls ;;
		esac ;;
	esac
}

_orch_operand() {
	local what=$1 i w kind= n=0 commands
	commands=$(sed -n 's/^commands	//p' <<<"$told")
	for ((i = first; i < cword; i++)); do
		w=${words[i]}
		case $w in
		-*) [[ $takes == *" $w "* ]] && ((i++)) ;;
		*)
			((n++ == 0)) && kind=$w
			[[ $commands && $n == 2 ]] && kind=$w ;;
		esac
	done
	if [[ $commands ]] && ((n-- == 0)); then
		echo "$commands"
		return
	fi
	case $what in
	programs) _orch_programs ;;
	controllers) "${dir}orch-reconcile" --list 2>/dev/null </dev/null | sed 's/[[:space:]].*//' ;;
	kinds | objects)
		if [[ $what == objects && $cur == */* ]]; then
			_orch_names "${cur%%/*}" | sed "s|^[^/]*/|${cur%%/*}/|"
		elif [[ $what == objects && $n -gt 0 && $kind != */* ]]; then
			_orch_names "$kind" | sed 's|^[^/]*/||'
		else
			_orch_kinds
		fi ;;
	esac
}

_orch() {
	local words cword cur prev prog dir= first=1 told takes what opt option value= scope candidates
	COMPREPLY=()
	_orch_words
	cur=${words[cword]} prev=${words[cword - 1]}
	prog=${words[0]}
	[[ $prog == */* ]] && dir=${prog%/*}/
	prog=${prog##*/}
	if [[ $prog == orch ]]; then
		if ((cword == 1)) || [[ ${words[1]} == help ]]; then
			candidates=$(_orch_programs; ((cword == 1)) && echo help)
			mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$cur")
			return
		fi
		prog=orch-${words[1]} first=2
	fi
	type -P "$dir$prog" >/dev/null || return
	told=$("$dir$prog" --complete 2>/dev/null </dev/null) || return
	# the options that take the next word: a letter follows the long name it stands for
	takes=" $(awk -F'\t' '/^--/ { takes = sub(/=$/, "", $1) } /^-/ && takes { printf "%s ", $1 }' <<<"$told")"
	_orch_scope
	if [[ $cur == --*=* ]]; then
		option=${cur%%=*} value=${cur#*=}
	elif [[ $prev == -* && $takes == *" $prev "* ]]; then
		option=$prev value=$cur
	fi
	if [[ ${option-} ]]; then
		candidates=$(_orch_value "$option")
		if [[ $candidates ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$value")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$value")
			compopt -o filenames 2>/dev/null
		fi
	elif [[ $cur == -* ]]; then
		candidates=$(sed -n 's/^\(-[^	]*\)	.*/\1/p' <<<"$told")
		mapfile -t COMPREPLY < <(compgen -W "$candidates --help --version" -- "$cur")
		[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
		return
	else
		what=$(sed -n 's/^operands	//p' <<<"$told")
		if [[ $what == files ]]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			compopt -o filenames 2>/dev/null
			return
		fi
		mapfile -t COMPREPLY < <(compgen -W "$(_orch_operand "$what")" -- "$cur")
	fi
	# readline replaces only what stands behind its last word break
	if [[ $COMP_WORDBREAKS == *:* && ${value:-$cur} == *:* ]]; then
		local lead=${value:-$cur}
		lead=${lead%"${lead##*:}"}
		COMPREPLY=("${COMPREPLY[@]#"$lead"}")
	fi
}

complete -F _orch orch
# The names on PATH now; others load when they are first asked for, through their own links to this file.
for _orch_program in $(compgen -c orch- | sort -u); do complete -F _orch "$_orch_program"; done
unset _orch_program
[[ ${BASH_SOURCE[0]##*/} == orch-* ]] && complete -F _orch "${BASH_SOURCE[0]##*/}"
:
