# fish completion for orch and every orch-*.  It asks the program itself (PROG --complete), so a
# new program or option needs no edit here.

# The program that the command line runs: orch-get for both `orch-get ...` and `orch get ...`.
function __orch_program
    set -l words (commandline -opc)
    if string match -qr '(^|/)orch$' -- $words[1]
        set -q words[2]; or return 1
        string replace -r 'orch$' "orch-$words[2]" -- $words[1]
    else
        echo $words[1]
    end
end

# The words behind the program.
function __orch_words
    set -l words (commandline -opc)
    set -l first 2
    string match -qr '(^|/)orch$' -- $words[1]; and set first 3
    set -q words[$first]; and printf '%s\n' $words[$first..-1]
end

function __orch_told
    set -l program (__orch_program); or return
    $program --complete 2>/dev/null </dev/null
end

# Options as fish takes them: name TAB description.
function __orch_options
    __orch_told | string match -r '^-.*' | string replace -r '=\t' '\t'
    printf '%s\t%s\n' --help 'show this help' --version 'show the version'
end

# What leads to the cluster among the words typed.
function __orch_scope
    set -l words (__orch_words)
    set -l i 1
    while test $i -le (count $words)
        switch $words[$i]
            case -A --all-namespaces '--namespace=*' '--kubeconfig=*' '--context=*' '--server=*'
                printf '%s\n' $words[$i]
            case -n -s --namespace --kubeconfig --context --server
                set -l next (math $i + 1)
                set -q words[$next]; and printf '%s\n' $words[$i] $words[$next]
                set i $next
        end
        set i (math $i + 1)
    end
end

# The options that take the next word: a letter follows the long name it stands for.
function __orch_takes
    __orch_told | awk -F'\t' '/^--/ { takes = sub(/=$/, "", $1) } /^-/ && takes { print $1 }'
end

function __orch_names # KIND
    set -l get (__orch_program | string replace -r '[^/]*$' orch-get)
    $get (__orch_scope) --request-timeout=2s -o name $argv[1] 2>/dev/null </dev/null
end

# The kinds that the cluster has, or without one those that are built in.
function __orch_kinds
    set -l kinds (__orch_program | string replace -r '[^/]*$' orch-kinds)
    set -l where
    set -l next
    for word in (__orch_scope)
        if test "$next" = keep
            set -a where $word
            set next
        else if test "$next" = skip
            set next
        else
            switch $word
                case -n --namespace
                    set next skip
                case -s --server --kubeconfig --context
                    set -a where $word
                    set next keep
                case '-s*' '--server=*' '--kubeconfig=*' '--context=*'
                    set -a where $word
            end
        end
    end
    $kinds --from-server --request-timeout=2s $where -o name 2>/dev/null </dev/null
    or $kinds -o name 2>/dev/null </dev/null
end

function __orch_programs
    set -l words (commandline -opc)
    set -l folder (string match -r '^.*/' -- $words[1])
    set -q folder[1]; or set folder $PATH
    for program in $folder/orch-*
        string replace -r '.*/orch-' '' -- $program
    end | sort -u
end

# The option whose value is being typed, if it is one.
function __orch_option
    set -l now (commandline -ct)
    if string match -qr '^--.*=' -- $now
        string replace -r '=.*' '' -- $now
        return
    end
    set -l words (__orch_words)
    set -q words[1]; or return 1
    set -l last $words[-1]
    contains -- $last (__orch_takes); or return 1
    printf '%s\n' $last # echo would take -n for itself
end

function __orch_value # OPTION
    set -l lead (commandline -ct | string match -r '^--.*?=')
    switch $argv[1]
        case --namespace -n
            string replace -r '.*/' "$lead" -- (__orch_names namespaces)
        case --output -o
            printf "$lead%s\n" table wide yaml json jsonl name jsonpath= custom-columns=
        case --scoring
            printf "$lead%s\n" least most
        case --explain
            printf "$lead%s\n" table json
        case --dry-run
            printf "$lead%s\n" server client none
        case --unknown
            printf "$lead%s\n" error warn ignore
        case --server-side --wait
            printf "$lead%s\n" true false
        case --cascade
            printf "$lead%s\n" background foreground orphan
        case --type
            switch (__orch_program)
                case '*orch-patch'
                    printf "$lead%s\n" strategic merge json apply
                case '*orch-create'
                    printf "$lead%s\n" ClusterIP NodePort LoadBalancer ExternalName Opaque kubernetes.io/tls
            end
        case '*'
            __fish_complete_path (string replace -r '^--.*?=' '' -- (commandline -ct))
    end
end

function __orch_operands
    set -l takes (__orch_takes)
    set -l commands (__orch_told | string replace -rf '^commands\t' '' | string split ' ')
    set -l command
    set -l kind
    set -l skip 0
    for word in (__orch_words)
        if test $skip = 1
            set skip 0
        else if string match -q -- '-*' $word
            contains -- $word $takes; and set skip 1
        else if set -q commands[1]; and test -z "$command"
            set command $word
        else if test -z "$kind"
            set kind $word
        end
    end
    if set -q commands[1]; and test -z "$command"
        printf '%s\n' $commands
        return
    end
    set -l now (commandline -ct)
    set -l what (__orch_told | string replace -rf '^operands\t' '')
    switch "$what"
        case files
            __fish_complete_path $now
        case programs
            __orch_programs
        case controllers
            set -l reconcile (__orch_program | string replace -r '[^/]*$' orch-reconcile)
            $reconcile --list 2>/dev/null </dev/null | string replace -r '\s.*' ''
        case kinds objects
            if test $what = objects; and string match -q '*/*' -- $now
                set -l of (string replace -r '/.*' '' -- $now)
                __orch_names $of | string replace -r '^[^/]*/' "$of/"
            else if test $what = objects; and test -n "$kind"; and not string match -q '*/*' -- $kind
                __orch_names $kind | string replace -r '^[^/]*/' ''
            else
                __orch_kinds
            end
    end
end

function __orch_complete
    set -l words (commandline -opc)
    if string match -qr '(^|/)orch$' -- $words[1]; and begin
            test (count $words) = 1; or test "$words[2]" = help
        end
        test (count $words) = 1; and echo help
        __orch_programs
        return
    end
    if set -l option (__orch_option)
        __orch_value $option
    else if string match -q -- '-*' (commandline -ct)
        __orch_options
    else
        __orch_operands
    end
end

complete -c orch -f -a '(__orch_complete)'
for __orch_each in $PATH/orch-*
    complete -c (string replace -r '.*/' '' -- $__orch_each) -f -a '(__orch_complete)'
end
set -e __orch_each
