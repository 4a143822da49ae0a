#!/usr/bin/env bats
# orch-image pull from registries that are broken or mean harm (hostile_registry.py): each refused by
# name, nothing left on the disk, nothing written outside, no login where it does not belong.

setup() {
	BIN=${BIN:-$BATS_TEST_DIRNAME/../../build/bin}
	PATH=$BIN:$PATH
	if [ "$(id -u)" != 0 ]; then skip "needs root: layers keep their owners and devices"; fi
	command -v busybox >/dev/null || skip "needs busybox-static"
	command -v python3 >/dev/null || skip "needs python3"
	T=$(mktemp -d)
	"$BATS_TEST_DIRNAME/../../scripts/busybox-image" "$T/a.tar" web:1 /www/index.html=hello
	mkdir "$T/x"; tar -C "$T/x" -xf "$T/a.tar"
	python3 "$BATS_TEST_DIRNAME/hostile_registry.py" "$T/x" >"$T/port" 2>"$T/asked" 3>&- &
	REGISTRY_PID=$!
	for _ in $(seq 100); do [ -s "$T/port" ] && break; sleep 0.05; done
	read -r PORT _ <"$T/port"
	image() { orch-image --data "$T/data" "$@"; }
}

teardown() {
	if [ -n "${REGISTRY_PID:-}" ]; then kill "$REGISTRY_PID" || true; fi
	rm -rf "$T"
}

pull() { timeout 20 orch-image --data "$T/data" --progress-deadline 1s "${@:2}" pull "127.0.0.1:$PORT/$1/web:1"; }

# refused STATUS MODE WORDS: pulling fails so, and leaves nothing but layers that are whole
refused() {
	run pull "$2"
	[ "$status" = "$1" ] && [[ $output == *"$3"* ]] || { echo "$2: status $status: $output"; return 1; }
	[ -z "$(image list)" ]
	[ -z "$(find "$T/data/images" -name 'tmp.*' -o -path '*/configs/*' -o -path '*/partial/?*')" ] || { find "$T/data/images" -maxdepth 2; return 1; }
	rm -r "$T/data" # a layer that is here already is not asked for
}

# the folder of the topmost layer of a mode's image
top() { image inspect "127.0.0.1:$PORT/$1/web:1" | jq -r '.layers[-1].folder'; }

@test "manifests and descriptors that are wrong" {
	refused 2 wrongdiff "its content has digest"
	refused 2 wrongsize "it has more than its descriptor's"
	refused 2 longer "bytes, its descriptor says"
	refused 2 negative "its descriptor says -5"
	refused 2 nodigest "'../../../etc/passwd' is no sha256 digest"
	refused 2 sha512 "is no sha256 digest"
	refused 2 wrongdigest "is damaged: its digest is"
	refused 2 foreign "may not be distributed"
	refused 2 schema1 "schema version 1"
	refused 2 artifact "no container image: its configuration is of type 'application/vnd.cncf.helm.config.v1+json'"
	refused 2 mips "it is made for mips"
	refused 1 noplatform "it has no variant for linux/"
	refused 1 indexofindex "it has no variant for linux/"
	refused 2 toomany "at most 127 layers"
	refused 2 deep "its manifest is not a JSON object"
	refused 2 html "its manifest is not a JSON object"
	refused 1 noblob "has no such blob"
}

@test "a manifest of 100 MB: no more of it is read than one may have" {
	refused 2 huge "answers with more than 4194304 bytes"
}

@test "layers that would write elsewhere, or are none" {
	echo untouched >"$T/outside"
	refused 2 dotdot "Path contains '..'"
	refused 2 hardlink "Path contains '..'"
	refused 2 hardabsolute "does not exist"
	refused 2 outwhiteout "cannot apply the deletion"
	refused 2 dotwhiteout "bad deletion"
	refused 2 noname "bad archive"
	refused 2 cut "Truncated tar archive"
	refused 2 notar "bad archive"
	refused 2 nested "its content has digest"
	[ ! -e /tmp/escaped ]
}

@test "layers that are odd, and right" {
	for mode in ok attested many empty absolute symlink whiteout names twice; do
		pull $mode >"$T/out" || { echo $mode; return 1; }
	done
	[ "$(image inspect "127.0.0.1:$PORT/many/web:1" | jq '.layers | length')" = 127 ]
	[ "$(cat "$(top absolute)/etc/absolute")" = x ]
	[ "$(cat "$(top symlink)/out/escaped")" = x ] && [ ! -e /tmp/escaped ]
	[ "$(cat "$(top names)/Főtanúsítvány")" = name ]
	[ "$(readlink "$(top names)/l")" = ő ]
	[ -n "$(find "$(top names)/d" -name "$(printf 'x%.0s' $(seq 200))")" ]
	[ "$(cat "$(top twice)/x")" = 3 ]
	[ -c "$(top whiteout)/gone" ]
	[ "$(getfattr --only-values -n trusted.overlay.opaque "$(top whiteout)/opaque" 2>/dev/null)" = y ] || ! command -v getfattr
	[ "$(cat "$(top whiteout)/opaque/new")" = 4 ]
}

@test "zstd, bzip2, xz and plain layers" {
	command -v zstd >/dev/null || skip "needs zstd"
	d=$(find "$T/x/blobs" -size +100k)
	gunzip <"$d" >"$T/layer"
	for how in zstd bzip2 xz cat; do
		command -v $how >/dev/null || continue
		$how <"$T/layer" >"$T/blob"
		sum=$(sha256sum <"$T/blob"); sum=${sum%% *}
		cp "$T/blob" "$T/x/blobs/sha256/$sum"
		m=$(jq -r '.manifests[0].digest[7:]' "$T/x/index.json")
		jq -c --arg d "sha256:$sum" --argjson s "$(stat -c %s "$T/blob")" '.layers[0] |= {mediaType: "application/vnd.oci.image.layer.v1.tar+zstd", digest: $d, size: $s}' "$T/x/blobs/sha256/$m" >"$T/manifest"
		sum=$(sha256sum <"$T/manifest"); sum=${sum%% *}
		cp "$T/manifest" "$T/x/blobs/sha256/$sum"
		rm -rf "$T/data"
		orch-image --data "$T/data" pull "127.0.0.1:$PORT/ok/web@sha256:$sum" >"$T/out" || { echo $how; return 1; }
		[ "$(cat "$(image inspect "$(image list -o name)" | jq -r '.layers[0].folder')/www/index.html")" = hello ]
	done
}

@test "logins: broken realms are named; what is Basic here goes to no other host" {
	refused 2 norealm "names no realm"
	refused 2 badrealm "no http or https URL"
	refused 2 filerealm "no http or https URL"
	refused 2 tokenloop "the registry gives no token (HTTP 401)"
	refused 2 tokenbroken "sends no token"
	refused 2 tokenlines "a token that is none"
	refused 2 loop "answers HTTP 401"
	refused 3 redirects "Maximum (10) redirects"
	refused 3 redirectfile "not supported"
	echo "{\"auths\":{\"127.0.0.1:$PORT\":{\"username\":\"a\",\"password\":\"b\"}}}" >"$T/auth"
	pull private --auth-file "$T/auth"
	grep -q "/v2/private/.* Basic" "$T/asked"
	grep -qE "^$(cut -d' ' -f2 "$T/port") /x/" "$T/asked"
	! grep LEAKED "$T/asked"
}

@test "registries that are down, hang, are slow or break off: a reason, and no waiting without end" {
	refused 3 busy "answers HTTP 429 for such manifest: slow down"
	pull busy
	rm -r "$T/data"
	refused 3 broken "answers HTTP 500"
	refused 3 brokenblob "answers HTTP 500 for such blob"
	refused 3 hang "Operation too slow"
	for mode in truncated stall trickle; do
		{ pull $mode 2>"$T/$mode" || echo $? >"$T/$mode.status"; } &
	done
	wait $(jobs -p | grep -vx "$REGISTRY_PID")
	for mode in truncated stall trickle; do [ "$(cat "$T/$mode.status")" = 3 ] || { cat "$T/$mode" "$T/$mode.status"; return 1; }; done
	grep -q "cannot get blob sha256:" "$T/truncated"
	grep -q "Operation too slow" "$T/stall"
	grep -q "Operation too slow" "$T/trickle"
	run orch-image --data "$T/data" pull 127.0.0.1:1/x
	[ "$status" = 3 ] && [[ $output == *"Connection refused"* || $output == *"Couldn't connect"* || $output == *"Failed to connect"* ]]
	run orch-image --data "$T/data" pull nowhere.invalid/x
	[ "$status" = 3 ] && [[ $output == *"Could not resolve"* ]]
}

@test "a mirror that fails is left for the next" {
	printf 'example.org mirror http://127.0.0.1:%s/broken\nexample.org mirror http://127.0.0.1:%s/busyever\nexample.org mirror http://127.0.0.1:%s/hang\nexample.org mirror http://127.0.0.1:%s/ok\n' "$PORT" "$PORT" "$PORT" "$PORT" >"$T/rules"
	image --progress-deadline 1s --registries "$T/rules" pull example.org/web:1 | jq -e '.image == "example.org/web:1"'
}

# damage WHAT: of the image of mode ok, behind the store's back
damage() {
	local d=$T/data/images
	case $1 in
	ref) echo "{" >"$(echo "$d"/refs/*ok*)" ;;
	ref-empty) : >"$(echo "$d"/refs/*ok*)" ;;
	config) rm "$d"/configs/* ;;
	config-flipped) printf X | dd of="$(echo "$d"/configs/*)" bs=1 seek=30 conv=notrunc status=none ;;
	config-cut) truncate -s 100 "$d"/configs/* ;;
	layer) rm -rf "$d"/layers/[0-9a-f]* ;;
	esac
}

@test "an image that was damaged on the disk: named, left out, pulled again, or removed" {
	for what in ref ref-empty config config-flipped config-cut; do
		rm -rf "$T/data"
		pull ok >/dev/null
		damage $what
		orch-image --data "$T/data" import "$T/a.tar" web:2 >/dev/null # another goes on
		[[ $what != config* ]] || damage $what # they share it
		run image -o name list
		[ "$status" = 3 ] && [[ $output == *"cannot list the images: "*"'$T/data/images/"* ]] || { echo "$what: $output"; return 1; }
		[[ $what == config* || $output == *"docker.io/library/web:2"* ]]
		pull ok >/dev/null # mended
		image -o name list "127.0.0.1:$PORT/ok/web:1" web:2
		[ "$(cat "$(top ok)/www/index.html")" = hello ]
		damage $what
		image remove "127.0.0.1:$PORT/ok/web:1"
		[[ $what == config* ]] || image remove web:2 # went with it
		[ -z "$(image list)" ]
		[ -z "$(ls "$T/data/images/configs")" ]
	done
}

@test "a damaged image that a pod runs from keeps its layers; another damaged one goes with the next prune" {
	pull ok >/dev/null
	id=$(image list | jq -r .id)
	mkdir -p "$T/data/pods/uid"
	echo "{\"image\": \"127.0.0.1:$PORT/ok/web:1\", \"imageID\": \"$id\"}" >"$T/data/pods/uid/state.json"
	for what in config ref; do
		damage $what
		image prune >/dev/null
		[ "$(ls "$T/data/images/layers" | grep -vc empty)" = 1 ]
		[ "$(ls "$T/data/images/refs" | wc -l)" = 1 ]
	done
	rm -r "$T/data/pods/uid"
	image prune >/dev/null
	[ -z "$(ls "$T/data/images/layers" | grep -v empty)" ]
	[ -z "$(ls "$T/data/images/refs")" ]
}

@test "an image that cannot be read just now is not forgotten" {
	pull ok >/dev/null
	config=$(echo "$T/data/images/configs/"*)
	ref=$(echo "$T/data/images/refs/"*)
	for what in "$config" "$ref"; do
		mv "$what" "$T/kept"
		ln -s /proc/self/mem "$what" # EIO
		run image prune
		[ "$status" = 3 ] && [[ $output == *"nput/output error"* ]]
		run image remove "127.0.0.1:$PORT/ok/web:1"
		[ "$status" = 3 ] && [[ $output == *"nput/output error"* ]]
		[ -L "$what" ] # sweep() took nothing away
		mv "$T/kept" "$what"
		image list "127.0.0.1:$PORT/ok/web:1" | grep -q .
	done
	[ "$(cat "$(top ok)/www/index.html")" = hello ]
}

@test "an image of a pod whose state cannot be read is in use" {
	pull ok >/dev/null
	mkdir -p "$T/data/pods/uid"
	ln -s /proc/self/mem "$T/data/pods/uid/state.json"
	run image remove "127.0.0.1:$PORT/ok/web:1"
	[ "$status" = 2 ] && [[ $output == *"is used by a pod"* ]]
	rm -r "$T/data/pods/uid"
	image remove "127.0.0.1:$PORT/ok/web:1"
}
