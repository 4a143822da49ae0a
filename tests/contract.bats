# What every program promises.  Programs are found by cmd/*.c: a new one needs no edit here.

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	BIN=${BIN:-build/bin}
	export BIN
}
setup() { cd "$BATS_TEST_DIRNAME/.."; }

# Ask every program; all that fail are named.
each() {
	local p bad=
	for p in cmd/*.c; do
		p=$(basename "$p" .c)
		"$@" "$p" || bad="$bad $p"
	done
	[ -z "$bad" ] || { echo "fails:$bad"; return 1; }
}

ran() { timeout 20 "$BIN/$@" </dev/null; }
options() { ran "$1" --complete | sed -n 's/^\(--*[^=	]*\)=\{0,1\}	.*/\1/p'; }
man_page() { mandoc -T ascii "man/$1.1" | col -b; }

helps() { [[ "$(ran "$1" --help 2>/dev/null | head -n 1)" == "usage: $1"* ]] && [ -z "$(ran "$1" --help 2>&1 >/dev/null)" ]; }
narrow() { ! ran "$1" --help | grep -E '.{81}'; }
tabless() { ! ran "$1" --help | grep -q '	'; }
versioned() { [[ "$(ran "$1" --version)" =~ ^"$1 "[0-9.]+$ ]]; }
summarized() { [ -n "$(ran "$1" --complete | sed -n 's/^summary	//p')" ]; }
operands() { ran "$1" --complete | sed -n 's/^operands	//p' | grep -qxvE 'kinds|objects|files|programs|controllers' && return 1 || true; }
once() { [ -z "$(ran "$1" --complete | grep '^-' | cut -f1 | tr -d = | sort | uniq -d)" ] && ! options "$1" | grep -qxE -- '--(help|version|complete)'; }

refuses() {
	local status=0 out
	out=$(ran "$1" --no-such-option 2>&1 >/dev/null) || status=$?
	[ "$status" -eq 2 ] && [[ "$out" == "$1: "* ]]
}
quiet() { [ -z "$(ran "$1" --no-such-option 2>/dev/null)" ]; }
full() {
	local option status
	for option in --help --version --complete; do
		status=0
		timeout 20 "$BIN/$1" $option </dev/null >/dev/full 2>/dev/null || status=$?
		[ "$status" -eq 3 ] || return 1
	done
}
# Killed by a signal is 128 and more; 124 is a timeout.
closed() {
	local status=0
	timeout 20 "$BIN/$1" --help <&- >/dev/null || status=$?
	[ "$status" -eq 0 ] || return 1
	timeout 20 "$BIN/$1" --no-such-option <&- >/dev/null 2>&1 || status=$?
	[ "$status" -eq 2 ]
}
# A filter without any input: closed stdin is like an empty one or an error, never a crash or a hang.
unread() {
	local status=0
	[ "$(ran "$1" --complete | sed -n 's/^operands	//p')" = files ] || return 0
	ORCH_SERVER=unix:/nonexistent timeout 20 "$BIN/$1" <&- >/dev/null 2>&1 || status=$?
	[ "$status" -lt 124 ]
}

manned() { [ -f "man/$1.1" ]; }
linted() { mandoc -T lint -W warning "man/$1.1"; }
titled() { grep -qx ".Dt ${1^^} 1" "man/$1.1" && grep -qx ".Nm $1" "man/$1.1"; }
sections() {
	local s
	for s in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
		grep -qx ".Sh $s" "man/$1.1" || { echo "$1: no section $s"; return 1; }
	done
}
documented() {
	local o page
	page=$(man_page "$1")
	for o in $(options "$1") --help --version; do
		grep -qE -- "(^|[^-[:alnum:]])$o([^-[:alnum:]]|$)" <<<"$page" || { echo "$1: $o is not in the man page"; return 1; }
	done
}
tested() { [ -f "tests/cmd/$1.bats" ]; }

@test "--help begins with usage, on stdout only" { each helps; }
@test "--help fits 80 columns" { each narrow; }
@test "--help has no tabs" { each tabless; }
@test "--version says name and version" { each versioned; }
@test "--complete ends with the summary" { each summarized; }
@test "--complete names operands that the shells know" { each operands; }
@test "no option twice" { each once; }
@test "an unknown option exits 2 with a message" { each refuses; }
@test "an unknown option leaves stdout alone" { each quiet; }
@test "a full disk is noticed and exits 3" { each full; }
@test "closed stdin does no harm" { each closed; }
@test "a filter with closed stdin ends" { each unread; }
@test "there is a man page" { each manned; }
@test "man pages pass mandoc's lint" { each linted; }
@test "man pages are titled" { each titled; }
@test "man pages have the sections" { each sections; }
@test "every option is in the man page" { each documented; }
@test "there are tests" { each tested; }

@test "no man page without a program" {
	for page in man/*.1; do
		[ -f "cmd/$(basename "$page" .1).c" ] || { echo "$page"; false; }
	done
}

@test "overview pages pass mandoc's lint" {
	for page in man/*.[578]; do
		[ ! -e "$page" ] || mandoc -T lint -W warning "$page"
	done
}
