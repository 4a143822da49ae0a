#!/usr/bin/env bats
# orch-image: archives and registries into layers on disk.

setup() {
	BIN=${BIN:-$BATS_TEST_DIRNAME/../../build/bin}
	TOP=$BATS_TEST_DIRNAME/../..
	PATH=$BIN:$PATH
	T=$(mktemp -d)
	image() { orch-image --data "$T/data" "$@"; }
	if [ "$(id -u)" != 0 ]; then skip "needs root: layers keep their owners and devices"; fi
	command -v busybox >/dev/null || skip "needs busybox-static"
}

teardown() {
	if [ -n "${REGISTRY_PID:-}" ]; then kill "$REGISTRY_PID" || true; fi
	rm -rf "$T"
}

busybox_image() { "$TOP/scripts/busybox-image" "$@"; }

# layer ID...: a gzipped OCI layout of hand-made layer tars, in order
layout() { # OUT NAME LAYER.tar...
	local out=$1 name=$2 d diffs='' descs='' sum f
	shift 2
	d=$(mktemp -d -p "$T")
	mkdir -p "$d/blobs/sha256"
	for f; do
		sum=$(sha256sum <"$f"); sum=${sum%% *}
		cp "$f" "$d/blobs/sha256/$sum"
		diffs="$diffs${diffs:+,}\"sha256:$sum\""
		descs="$descs${descs:+,}{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:$sum\",\"size\":$(stat -c %s "$f")}"
	done
	echo "{\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[$diffs]}}" >"$d/config"
	sum=$(sha256sum <"$d/config"); sum=${sum%% *}
	echo "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:$sum\",\"size\":$(stat -c %s "$d/config")},\"layers\":[$descs]}" >"$d/manifest"
	mv "$d/config" "$d/blobs/sha256/$sum"
	sum=$(sha256sum <"$d/manifest"); sum=${sum%% *}
	echo "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:$sum\",\"size\":$(stat -c %s "$d/manifest"),\"annotations\":{\"org.opencontainers.image.ref.name\":\"$name\"}}]}" >"$d/index.json"
	mv "$d/manifest" "$d/blobs/sha256/$sum"
	tar -C "$d" -cf "$out" .
}

layer_dir() { # IMAGE N: the folder of its N-th layer
	echo "$T/data/images/layers/$(jq -r ".rootfs.diff_ids[$2]" "$T/data/images/configs/$(image list "$1" | jq -r '.id[7:]')" | cut -c8-31)"
}

@test "import from a pipe, list, find by any spelling" {
	busybox_image - web:1 /www/index.html=hello | image import | jq -e '.image == "docker.io/library/web:1"'
	image list | jq -e '.layers == 1 and .size > 100000 and .config.Cmd == ["sh"]'
	image list web:1 docker.io/web:1 docker.io/library/web:1 | wc -l | grep -qx 3
	[ "$(image list -o name)" = docker.io/library/web:1 ]
	[ "$(image -o table list | awk 'NR == 1 { print $1, $2, $3, $4 }')" = 'IMAGE ID SIZE ADDED' ]
	run ! image list -o yaml
	[[ "$output" == *"-o 'yaml' is none of table, jsonl, name"* ]]
	image list "$(image list | jq -r .id)" | grep -q web:1
	[ "$(cat "$(layer_dir web:1 0)/www/index.html")" = hello ]
}

@test "importing twice is the same as once" {
	busybox_image "$T/a.tar" web:1
	image import "$T/a.tar" >/dev/null
	image import "$T/a.tar" >/dev/null
	gzip -k "$T/a.tar"
	image import "$T/a.tar.gz" other:2 >/dev/null
	[ "$(image list | wc -l)" = 2 ]
	[ "$(ls "$T/data/images/layers" | wc -l)" = 2 ] # "empty" and one
}

@test "a root file system, plain or compressed, from a file or a pipe, needs a name" {
	mkdir -p "$T/root/bin" "$T/root/etc"
	cp "$(command -v busybox)" "$T/root/bin/busybox"
	echo mine >"$T/root/etc/motd"
	tar -C "$T/root" -czf "$T/root.tgz" .
	run image import "$T/root.tgz"
	[ "$status" = 2 ]
	[[ $output == *"has no name: give one"* ]]
	orch-image --root "$T/data" import "$T/root.tgz" mine:1 | jq -e '.image == "docker.io/library/mine:1"'
	[ "$(cat "$(layer_dir mine:1 0)/etc/motd")" = mine ]
	tar -C "$T/root" -c bin etc | image import - other:1 >/dev/null
	[ "$(image list other:1 | jq -r .layers)" = 1 ]
	run image import "$T/root.tgz" BAD
	[ "$status" = 2 ]
	[ -z "$(ls -d "$T"/data/images/tmp.* 2>/dev/null)" ]
}

@test "several imports of one image at a time" {
	busybox_image "$T/a.tar" web:1
	for i in 1 2 3 4 5 6; do image import "$T/a.tar" >/dev/null & done
	wait
	[ "$(image list | wc -l)" = 1 ]
	[ -z "$(ls -d "$T"/data/images/tmp.* 2>/dev/null)" ]
}

@test "remove takes what no other image needs" {
	busybox_image - a:1 | image import >/dev/null
	busybox_image - b:1 /x=y | image import >/dev/null
	image remove a:1
	[ "$(image list | jq -r .image)" = docker.io/library/b:1 ]
	[ "$(ls "$T/data/images/layers" | wc -l)" = 2 ]
	run image remove a:1
	[ "$status" = 1 ]
	[[ $output == *"'a:1' is not here"* ]]
}

@test "layers: whiteouts, owners, set-user-id, hard links, capabilities" {
	mkdir -p "$T/l0/dir" "$T/l0/gone" "$T/l1/dir" "$T/l1/keep"
	echo 1 >"$T/l0/dir/old"; echo 2 >"$T/l0/gone/x"; echo 3 >"$T/l0/su"
	ln "$T/l0/su" "$T/l0/hard"
	chown 1000:1001 "$T/l0/dir/old"; chmod 4755 "$T/l0/su"
	touch "$T/l1/dir/.wh..wh..opq" "$T/l1/.wh.gone" "$T/l1/dir/new"
	cp "$(type -P true)" "$T/l1/cap"; setcap cap_net_bind_service+ep "$T/l1/cap" || skip "no file capabilities here"
	tar -C "$T/l0" -cf "$T/0.tar" .
	tar -C "$T/l1" --xattrs --xattrs-include='*' -cf "$T/1.tar" .
	layout "$T/i.tar" t:1 "$T/0.tar" "$T/1.tar"
	image import "$T/i.tar" >/dev/null
	l0=$(layer_dir t:1 0) l1=$(layer_dir t:1 1)
	[ "$(stat -c %u:%g "$l0/dir/old")" = 1000:1001 ]
	[ "$(stat -c %a "$l0/su")" = 4755 ]
	[ "$(stat -c %i "$l0/su")" = "$(stat -c %i "$l0/hard")" ]
	[ "$(stat -c %F "$l1/gone")" = "character special file" ]
	[ ! -e "$l1/.wh.gone" ]
	getcap "$l1/cap" | grep -q cap_net_bind_service
	mkdir "$T/m"
	mount -t overlay -o "lowerdir=$l1:$l0" overlay "$T/m"
	run ls "$T/m" "$T/m/dir"
	umount "$T/m"
	[[ $output != *gone* && $output != *old* && $output == *new* ]]
}

@test "a layer cannot write outside of its folder" {
	mkdir "$T/l"; ln -s "$T" "$T/l/evil"
	tar -C "$T/l" -cf "$T/0.tar" evil
	rm "$T/l/evil"; mkdir "$T/l/evil"; echo x >"$T/l/evil/pwn"; echo y >"$T/l/up"
	tar -C "$T/l" -rf "$T/0.tar" evil/pwn
	layout "$T/i.tar" t:1 "$T/0.tar"
	image import "$T/i.tar" || true
	[ ! -e "$T/pwn" ]
	tar -C "$T/l" -P --transform 's,^up,../../up,' -cf "$T/1.tar" up
	layout "$T/i.tar" t:2 "$T/1.tar"
	run image import "$T/i.tar"
	[ "$status" = 2 ]
	[ ! -e "$T/data/images/up" ] && [ ! -e "$T/up" ]
	# whiteouts do not follow links either
	mkdir "$T/victim"; touch "$T/victim/f"; rm -rf "$T/l"; mkdir "$T/l"; ln -s "$T/victim" "$T/l/d"
	tar -C "$T/l" -cf "$T/2.tar" d
	rm "$T/l/d"; mkdir "$T/l/d"; touch "$T/l/d/.wh..wh..opq" "$T/l/d/.wh.new"
	tar -C "$T/l" -rf "$T/2.tar" d/.wh..wh..opq d/.wh.new
	layout "$T/i.tar" t:3 "$T/2.tar"
	run image import "$T/i.tar"
	[ "$status" -ne 0 ]
	[ ! -e "$T/victim/new" ]
}

@test "broken archives: a clear message naming the thing, exit 2" {
	busybox_image "$T/a.tar" web:1
	head -c 300000 "$T/a.tar" >"$T/cut.tar"
	run image import "$T/cut.tar"
	[ "$status" = 2 ]
	[[ $output == *"cannot import '$T/cut.tar'"*runcated* ]]
	run image import "$TOP/Makefile"
	[ "$status" = 2 ]
	tar -C "$TOP" -cf "$T/none.tar" Makefile
	run image import "$T/none.tar"
	[ "$status" = 2 ]
	[[ $output == *index.json* ]]
	run image import "$T/missing.tar"
	[ "$status" = 1 ]
	[ -z "$(image list)" ]
	[ -z "$(ls -d "$T"/data/images/tmp.* 2>/dev/null)" ]
}

@test "a blob that was changed is refused by its digest" {
	busybox_image "$T/a.tar" web:1
	mkdir "$T/x"; tar -C "$T/x" -xf "$T/a.tar"
	big=$(ls -S "$T"/x/blobs/sha256/* | head -n 1)
	printf X | dd of="$big" bs=1 seek=5000 conv=notrunc status=none
	tar -C "$T/x" -cf "$T/b.tar" .
	run image import "$T/b.tar"
	[ "$status" = 2 ]
	[[ $output == *"image 'web:1'"*damaged* ]]
	rm "$big"; tar -C "$T/x" -cf "$T/b.tar" .
	run image import "$T/b.tar"
	[[ $output == *"lacks blob"* ]]
	[ -z "$(image list)" ]
}

@test "docker save archives" {
	mkdir -p "$T/l" "$T/d/abc"; echo hi >"$T/l/hello"
	tar -C "$T/l" -cf "$T/d/abc/layer.tar" .
	sum=$(sha256sum <"$T/d/abc/layer.tar")
	echo "{\"os\":\"linux\",\"config\":{\"Cmd\":[\"/x\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:${sum%% *}\"]}}" >"$T/d/c.json"
	echo '[{"Config":"c.json","RepoTags":["saved:7"],"Layers":["abc/layer.tar"]}]' >"$T/d/manifest.json"
	tar -C "$T/d" -c . | image import | jq -e '.image == "docker.io/library/saved:7"'
	[ "$(cat "$(layer_dir saved:7 0)/hello")" = hi ]
}

@test "wrong usage exits 2" {
	run image
	[ "$status" = 2 ]
	run image frobnicate
	[ "$status" = 2 ]
	run image pull
	[ "$status" = 2 ]
	run image pull 'UPPER/Case'
	[ "$status" = 2 ]
	[[ $output == *"UPPER/Case"* ]]
}

start_registry() { # [htpasswd [what more http: has]]
	command -v docker-registry >/dev/null || skip "needs docker-registry"
	command -v skopeo >/dev/null || skip "needs skopeo"
	for attempt in 1 2 3 4 5; do
		PORT=$((20000 + RANDOM % 20000))
		cat >"$T/registry.yml" <<-EOF
		version: 0.1
		storage: {filesystem: {rootdirectory: $T/registry}, redirect: {disable: true}}
		http: {addr: "127.0.0.1:$PORT"${2:+, $2}}
		${1:+auth: {htpasswd: {realm: test, path: $1\}\}}
		EOF
		docker-registry serve "$T/registry.yml" >"$T/registry.log" 2>&1 3>&- &
		REGISTRY_PID=$!
		for i in $(seq 50); do
			curl -sk -o "$T/null" "http${2:+s}://127.0.0.1:$PORT/v2/" && return 0
			kill -0 "$REGISTRY_PID" 2>/dev/null || break
			sleep 0.1
		done
	done
	return 1
}

@test "pull from a registry: by tag, by digest, missing, gone away" {
	start_registry
	busybox_image "$T/a.tar" web:1 /www/index.html=pulled
	skopeo copy -q --dest-tls-verify=false "oci-archive:$T/a.tar" "docker://127.0.0.1:$PORT/team/web:1"
	image pull "127.0.0.1:$PORT/team/web:1" | jq -e --arg p "$PORT" '.image == "127.0.0.1:\($p)/team/web:1"'
	[ "$(cat "$(layer_dir "127.0.0.1:$PORT/team/web:1" 0)/www/index.html")" = pulled ]
	digest=$(image list | jq -r .digest)
	image pull "127.0.0.1:$PORT/team/web@$digest" >/dev/null
	[ "$(image list | wc -l)" = 2 ]
	run image pull "127.0.0.1:$PORT/team/web:none"
	[ "$status" = 1 ]
	[[ $output == *"team/web"* ]]
	skopeo copy -q --dest-tls-verify=false --format v2s2 "oci-archive:$T/a.tar" "docker://127.0.0.1:$PORT/team/docker:1"
	image pull "127.0.0.1:$PORT/team/docker:1" >/dev/null
	kill "$REGISTRY_PID"; wait "$REGISTRY_PID" || true; REGISTRY_PID=
	run image pull "127.0.0.1:$PORT/team/web:1"
	[ "$status" = 3 ]
	[[ $output == *"127.0.0.1:$PORT"* ]]
}

@test "pull refuses a blob that the registry damaged" {
	start_registry
	busybox_image "$T/a.tar" web:1
	skopeo copy -q --dest-tls-verify=false "oci-archive:$T/a.tar" "docker://127.0.0.1:$PORT/web:1"
	big=$(find "$T/registry" -name data -size +100k)
	printf X | dd of="$big" bs=1 seek=5000 conv=notrunc status=none
	run image pull "127.0.0.1:$PORT/web:1"
	[ "$status" = 2 ]
	[[ $output == *damaged* ]]
	[ -z "$(image list)" ]
}

login_file() { # a bcrypt hash for ann in $T/htpasswd
	command -v htpasswd >/dev/null && htpasswd -Bbn ann secret >"$T/htpasswd" ||
		python3 -c 'import crypt; print("ann:" + crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH)).replace("$2b$", "$2y$"))' >"$T/htpasswd" 2>/dev/null || skip "nothing makes a bcrypt hash"
}

@test "pull with a login" {
	login_file
	start_registry "$T/htpasswd"
	busybox_image "$T/a.tar" web:1
	skopeo copy -q --dest-tls-verify=false --dest-creds ann:secret "oci-archive:$T/a.tar" "docker://127.0.0.1:$PORT/web:1"
	run image pull "127.0.0.1:$PORT/web:1"
	[ "$status" = 2 ]
	[[ $output == *login* ]]
	echo "{\"auths\":{\"127.0.0.1:$PORT\":{\"auth\":\"$(printf ann:secret | base64)\"}}}" >"$T/auth.json"
	image --auth-file "$T/auth.json" pull "127.0.0.1:$PORT/web:1" | jq -e .id
	echo "{\"auths\":{\"127.0.0.1:$PORT\":{\"username\":\"ann\",\"password\":\"wrong\"}}}" >"$T/auth.json"
	run image --auth-file "$T/auth.json" pull "127.0.0.1:$PORT/web:1"
	[ "$status" = 2 ]
}

@test "an image that a pod uses is not removed" {
	busybox_image - a:1 | image import >/dev/null
	mkdir -p "$T/data/pods/uid"
	echo "{\"imageID\":\"docker.io/library/a@$(image list a:1 | jq -r .digest)\"}" >"$T/data/pods/uid/state.json"
	run image remove a:1
	[ "$status" = 2 ]
	[[ $output == *"'a:1' is used by a pod"* ]]
	rm "$T/data/pods/uid/state.json"
	image remove a:1
}

@test "a full disk exits 3, a read-only one 2: named, nothing half left" {
	busybox_image "$T/a.tar" web:1
	mkdir "$T/data"
	mount -t tmpfs -o size=1500k tmpfs "$T/data" || skip "cannot mount here"
	run image import "$T/a.tar"
	left=$(find "$T/data/images" -name 'tmp.*' | wc -l)
	mount -o remount,ro "$T/data"
	second=0; image --data "$T/data" import "$T/a.tar" 2>"$T/said" || second=$?
	umount "$T/data"
	[ "$status" = 3 ]
	[[ $output == *"No space left"* ]]
	[ "$left" = 0 ]
	[ "$second" = 2 ]
	grep -q 'Read-only file system' "$T/said"
}

@test "pull with a token, through a redirect, resuming what broke off" {
	command -v python3 >/dev/null || skip "needs python3"
	busybox_image "$T/a.tar" web:1 /www/index.html=token
	mkdir "$T/x"; tar -C "$T/x" -xf "$T/a.tar"
	python3 "$BATS_TEST_DIRNAME/registry.py" "$T/x" >"$T/port" 2>"$T/served" 3>&- &
	REGISTRY_PID=$!
	for i in $(seq 50); do [ -s "$T/port" ] && break; sleep 0.1; done
	image pull "127.0.0.1:$(cat "$T/port")/team/web:1" | jq -e .id
	[ "$(cat "$(layer_dir "127.0.0.1:$(cat "$T/port")/team/web:1" 0)/www/index.html")" = token ]
	grep -qE 'from [1-9]' "$T/served"
}

@test "inspect: references, layers with their folders, history" {
	mkdir -p "$T/l1" "$T/l2"; echo 1 >"$T/l1/f"; echo 2 >"$T/l2/f"
	tar -C "$T/l1" -cf "$T/1.tar" .; tar -C "$T/l2" -cf "$T/2.tar" .
	layout "$T/i.tar" t:1 "$T/1.tar" "$T/2.tar"
	image import "$T/i.tar" >/dev/null
	image import "$T/i.tar" other:2 >/dev/null
	image inspect t:1 >"$T/out"
	jq -e '.references == ["docker.io/library/other:2", "docker.io/library/t:1"]' "$T/out"
	jq -e '.layers | length == 2 and all(.diffID == .digest and .size > 5000)' "$T/out"
	[ "$(jq -r '.layers[1].folder' "$T/out" | xargs -I{} cat {}/f)" = 2 ]
	busybox_image - web:1 | image import >/dev/null
	image inspect web:1 t:1 | jq -se --arg p "linux/$(uname -m | sed 's/x86_64/amd64/;s/aarch64/arm64/')" '.[0].platform == $p and .[1].image == "docker.io/library/t:1"'
	run image inspect none:1
	[ "$status" = 1 ]
}

@test "prune says what it gave back" {
	busybox_image - a:1 | image import >/dev/null
	image prune | jq -e '. == {removed: 0, bytes: 0}'
	rm "$T"/data/images/refs/*
	image prune | jq -e '.removed == 2 and .bytes > 100000'
	[ "$(ls "$T/data/images/layers")" = empty ]
}

@test "logins: every one that fits is tried, with wildcards and paths, and helpers are asked" {
	login_file
	start_registry "$T/htpasswd"
	busybox_image "$T/a.tar" web:1
	skopeo copy -q --dest-tls-verify=false --dest-creds ann:secret "oci-archive:$T/a.tar" "docker://127.0.0.1:$PORT/team/web:1"
	good=$(printf ann:secret | base64) bad=$(printf ann:wrong | base64)
	try() { image --auth-file "$T/auth.json" pull "127.0.0.1:$PORT/team/web:1"; }
	# the longer key goes first and is refused, the next is let in
	echo "{\"auths\":{\"127.0.0.1:$PORT/team\":{\"auth\":\"$bad\"},\"https://127.0.0.1:$PORT/v2/\":{\"auth\":\"$good\"}}}" >"$T/auth.json"
	try | jq -e .id
	echo "{\"auths\":{\"127.*.0.1:$PORT/team/w\":{\"username\":\"ann\",\"password\":\"secret\"}}}" >"$T/auth.json"
	try | jq -e .id
	for key in "127.*.1:$PORT" "127.*.0.1:1" "127.0.0.1:$PORT/other" "127.0.0.1"; do
		echo "{\"auths\":{\"$key\":{\"auth\":\"$good\"}}}" >"$T/auth.json"
		run try
		[ "$status" = 2 ]
		[[ $output == *"no credentials"* ]]
	done
	mkdir "$T/bin"
	cat >"$T/bin/docker-credential-mine" <<-EOF
	#!/bin/sh
	[ "\$1" = get ] && [ "\$(cat)" = 127.0.0.1:$PORT ] || exit 1
	echo '{"ServerURL": "x", "Username": "ann", "Secret": "secret"}'
	EOF
	chmod +x "$T/bin/docker-credential-mine"
	PATH=$T/bin:$PATH
	echo "{\"credHelpers\":{\"127.0.0.1:$PORT\":\"mine\"}}" >"$T/auth.json"
	try | jq -e .id
	echo '{"credsStore":"mine"}' >"$T/auth.json"
	try | jq -e .id
	echo '{"credsStore":"none"}' >"$T/auth.json"
	run try
	[ "$status" = 2 ]
}

@test "mirrors: in their order, then the registry itself" {
	start_registry
	busybox_image "$T/a.tar" web:1
	skopeo copy -q --dest-tls-verify=false "oci-archive:$T/a.tar" "docker://127.0.0.1:$PORT/library/web:1"
	skopeo copy -q --dest-tls-verify=false "oci-archive:$T/a.tar" "docker://127.0.0.1:$PORT/hub/other/web:1"
	mkdir "$T/data"
	printf '# rules\ndocker.io mirror http://127.0.0.1:1\n\n docker.io\tmirror http://127.0.0.1:%s/ # second\n' "$PORT" >"$T/data/registries"
	image pull web:1 | jq -e '.image == "docker.io/library/web:1"'
	printf 'docker.io mirror http://127.0.0.1:%s/hub/\n127.0.0.1:%s mirror https://127.0.0.1:1\n' "$PORT" "$PORT" >"$T/rules"
	image --registries "$T/rules" pull other/web:1 | jq -e '.image == "docker.io/other/web:1"'
	image --registries "$T/rules" pull "127.0.0.1:$PORT/library/web:1" | jq -e .id
	run image --registries "$T/rules" pull "127.0.0.1:$PORT/library/none:1"
	[ "$status" = 1 ]
	[[ $output == *"no such manifest"*"mirror 'https://127.0.0.1:1'"* ]]
}

@test "rules for registries: what is wrong is named" {
	for rule in 'a' 'a mirror' 'a mirror b' 'a insecure b' 'a frob b' 'a mirror http://b c'; do
		printf 'x insecure\n%s\n' "$rule" >"$T/rules"
		run image --registries "$T/rules" pull web:1
		[ "$status" = 2 ]
		[[ $output == *"'$T/rules' line 2"* ]]
	done
	run image --registries "$T/missing" pull web:1
	[ "$status" = 1 ]
}

@test "a registry with a certificate of its own" {
	command -v openssl >/dev/null || skip "needs openssl"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$T/key.pem" -out "$T/cert.pem" -days 2 \
		-subj /CN=here -addext subjectAltName=DNS:ip6-localhost,DNS:localhost,IP:127.0.0.1 2>/dev/null
	start_registry "" "tls: {certificate: $T/cert.pem, key: $T/key.pem}"
	busybox_image "$T/a.tar" web:1
	skopeo copy -q --dest-tls-verify=false "oci-archive:$T/a.tar" "docker://127.0.0.1:$PORT/library/web:1"
	echo "docker.io mirror https://127.0.0.1:$PORT" >"$T/rules"
	run image --registries "$T/rules" pull web:1
	[ "$status" -ne 0 ]
	[[ $output == *certificate* ]]
	echo "127.0.0.1:$PORT ca $T/cert.pem" >>"$T/rules"
	image --registries "$T/rules" pull web:1 | jq -e .id
	sed -i 's/ca .*/insecure/' "$T/rules"
	image --registries "$T/rules" pull web:1 | jq -e .id
}

# fake_registry [slow]: serves team/web:1 of the layout in $T/x
fake_registry() {
	command -v python3 >/dev/null || skip "needs python3"
	rm -f "$T/port"
	python3 "$BATS_TEST_DIRNAME/registry.py" "$T/x" "$@" >"$T/port" 2>"$T/served" 3>&- &
	REGISTRY_PID=$!
	for i in $(seq 50); do [ -s "$T/port" ] && break; sleep 0.1; done
	WEB=127.0.0.1:$(cat "$T/port")/team/web:1
}

# many_layers N: a layout of so many layers of 400 kB in $T/x
many_layers() {
	local i files=()
	for i in $(seq "$1"); do
		mkdir -p "$T/l$i"
		head -c 400000 /dev/urandom >"$T/l$i/f$i"
		tar -C "$T/l$i" -cf "$T/$i.tar" "f$i"
		files+=("$T/$i.tar")
	done
	layout "$T/many.tar" web:1 "${files[@]}"
	mkdir "$T/x"; tar -C "$T/x" -xf "$T/many.tar"
}

@test "layers come three at a time, those that are twice in it once" {
	many_layers 6
	layout "$T/twice.tar" web:1 "$T"/[1-6].tar "$T/1.tar"
	tar -C "$T/x" -xf "$T/twice.tar"
	fake_registry slow
	image pull "$WEB" | jq -e .id
	[ "$(sed -n 's/^busy \([0-9]*\).*/\1/p' "$T/served" | sort -n | tail -n 1)" = 3 ]
	[ "$(wc -l <"$T/served")" = 7 ]
	[ "$(image list | jq .layers)" = 7 ]
	for i in 1 2 3 4 5 6; do cmp "$T/l$i/f$i" "$(layer_dir "$WEB" $((i - 1)))/f$i"; done
	[ -z "$(ls "$T/data/images/partial")" ]
}

@test "every layer breaks off once and is resumed" {
	many_layers 4
	fake_registry
	image pull "$WEB" | jq -e .id
	[ "$(grep -cE 'from [1-9]' "$T/served")" = 4 ]
	for i in 1 2 3 4; do cmp "$T/l$i/f$i" "$(layer_dir "$WEB" $((i - 1)))/f$i"; done
}

@test "what a killed pull had got is not asked for again" {
	many_layers 3
	fake_registry slow
	orch-image --root "$T/data" pull "$WEB" 3>&- &
	for i in $(seq 100); do [ "$(find "$T/data/images/partial" -size +50k 2>/dev/null | wc -l)" = 3 ] && break; sleep 0.02; done
	kill -9 $!; wait $! || true
	[ "$(ls "$T/data/images/partial" | wc -l)" = 3 ]
	image pull "$WEB" | jq -e .id
	[ "$(grep -cE 'from [1-9]' "$T/served")" -ge 1 ]
	for i in 1 2 3; do cmp "$T/l$i/f$i" "$(layer_dir "$WEB" $((i - 1)))/f$i"; done
	image prune
	[ -z "$(ls -d "$T"/data/images/tmp.* "$T"/data/images/partial/* 2>/dev/null)" ]
}

@test "a partial download that is wrong is refused once, and then begun anew" {
	many_layers 1
	fake_registry slow
	sum=$(sha256sum <"$T/1.tar")
	image list
	head -c 1000 /dev/zero >"$T/data/images/partial/${sum%% *}"
	run image pull "$WEB"
	[ "$status" = 2 ]
	[[ $output == *damaged* ]]
	image pull "$WEB" | jq -e .id
}

@test "progress on a terminal, and none into a pipe" {
	command -v script >/dev/null || skip "needs script"
	many_layers 3
	fake_registry slow
	script -qec "$BIN/orch-image --root $T/data pull $WEB >$T/out" /dev/null </dev/null >"$T/said"
	tr '\r' '\n' <"$T/said" | grep -qE 'team/web:1: [0-9.]+ of 1\.2 MB, [0-9]+ %, [0-9.]+ MB/s, [0-3] of 3 layers'
	jq -e .id "$T/out"
	rm -rf "$T/data"
	image pull "$WEB" >"$T/out" 2>"$T/said"
	[ ! -s "$T/said" ]
}

@test "a full disk while pulling: named, nothing half left" {
	many_layers 3
	fake_registry slow
	mkdir "$T/data"
	mount -t tmpfs -o size=900k tmpfs "$T/data" || skip "cannot mount here"
	run image pull "$WEB"
	left=$(find "$T/data/images" -name 'tmp.*' | wc -l)$(find "$T/data/images/partial" -type f | wc -l)
	umount "$T/data"
	[ "$status" = 3 ]
	[[ $output == *"No space left"* ]]
	[ "$left" = 00 ]
}
