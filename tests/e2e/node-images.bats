#!/usr/bin/env bats
# orch-node and its images: the disk fills up, those that nobody needs go.
load node

setup() {
	node_setup
	mkdir "$T/disk"
	mount -t tmpfs -o size=40m tmpfs "$T/disk" || skip "cannot mount here"
	rm -rf "$T/n"
	mkdir "$T/disk/n"
	ln -s disk/n "$T/n"
	orch-image --data "$T/n" import "$T/image.tar" >/dev/null
}

teardown() {
	NODES=$T/n
	[ ! -e "$T/node.pid" ] || kill -9 "$(cat "$T/node.pid")" || true
	rm -f "$T/node.pid"
	[ ! -d "$T/n/run" ] || orch-node --data "$T/n" --clean
	umount "$T/disk" || umount -l "$T/disk"
	rm -rf "$T"
}

# filler NAME MB DAYS: an image, last used so long ago
filler() {
	mkdir -p "$T/f/bin"
	head -c "$2M" /dev/urandom >"$T/f/bin/$1"
	tar -C "$T/f" -c bin | orch-image --data "$T/n" import - "$1:1" | jq -r '.id[7:]' >"$T/id"
	rm "$T/f/bin/$1"
	touch -d "$3 days ago" "$T/n/images/used/$(cat "$T/id")"
}

images() { orch-image --data "$T/n" list -o name | sed 's,.*/,,' | xargs; }

# until_images NAMES: these are left
until_images() {
	for _ in $(seq 100); do
		if [ "$(images)" = "$1" ]; then return 0; fi
		sleep 0.1
	done
	echo "# there are: $(images)" >&2
	cat "$T/err" >&2
	return 1
}

@test "a full disk: the least recently used images go, until it is low; never a used one" {
	filler newest 8 1
	filler oldest 8 9
	filler older 8 5
	touch -d '30 days ago' "$T/n/images/used/$(orch-image --data "$T/n" list web:1 | jq -r '.id[7:]')"
	pod p 'sleep 100' | start_node --image-gc-high-threshold 60 --image-gc-low-threshold 40 --minimum-image-ttl-duration 0s --image-gc-period 2s
	until_status p '.phase == "Running"'
	until_images 'newest:1 web:1'
	[ "$(find "$T/n/images/layers" -size +7M | wc -l)" = 1 ]
	sleep 2.5
	[ "$(images)" = 'newest:1 web:1' ]
	grep -q 'removed 2 unused images, 16[0-9]* bytes' "$T/err"
	[ "$(status p .phase)" = Running ]
	[ "$(ls "$T/n/images/used" | wc -l)" = 2 ]
}

@test "young images stay: too little to remove is said, then that it failed twice" {
	filler a 12 1
	filler b 12 1
	pod p 'sleep 100' | start_node --image-gc-high-threshold 60 --image-gc-low-threshold 40 --image-gc-period 1s
	for _ in $(seq 60); do grep -q ImageGCFailed "$T/err" && break; sleep 0.1; done
	grep -qE '^.*FreeDiskSpaceFailed: Failed to garbage collect required amount of images. Attempted to free [0-9]+ bytes, but only found 0 bytes eligible to free.$' "$T/err"
	grep -q 'ImageGCFailed: Failed to garbage collect' "$T/err"
	[ "$(images)" = 'a:1 b:1 web:1' ]
}

@test "below the threshold nothing goes; what was not used for long does when that is asked for" {
	filler old 1 9
	filler new 1 1
	run_pods --image-gc-period 100ms --minimum-image-ttl-duration 0s < <(pod p 'sleep 1')
	[ "$(images)" = 'new:1 old:1 web:1' ]
	pod p 'sleep 100' | start_node --image-gc-period 500ms --minimum-image-ttl-duration 0s --image-maximum-gc-age 24h
	sleep 1.5 # they came a moment ago
	[ "$(images)" = 'new:1 old:1 web:1' ]
	end_node KILL
	sed -i -E 's/"added":[0-9]+/"added":1000/' "$T"/n/images/refs/*
	pod p 'sleep 100' | start_node --image-gc-period 500ms --minimum-image-ttl-duration 0s --image-maximum-gc-age 48h
	until_images 'new:1 web:1'
}

@test "pods by hand that use these images keep them" {
	mkdir -p "$T/other/pods/uid"
	echo "{\"imageID\":\"$(orch-image --data "$T/n" list web:1 | jq -r .id)\"}" >"$T/other/pods/uid/state.json"
	ln -s "$T/other" "$T/n/images/users/0"
	run orch-image --data "$T/n" remove web:1
	[ "$status" = 2 ]
	[[ $output == *"is used by a pod"* ]]
	rm -r "$T/other"
	orch-image --data "$T/n" remove web:1
	[ ! -L "$T/n/images/users/0" ]
}

@test "thresholds that make no sense are refused" {
	run orch-node --data "$T/n" --pods - --image-gc-high-threshold 50 --image-gc-low-threshold 50 </dev/null
	[ "$status" = 2 ]
	[[ $output == *"--image-gc-low-threshold 50 is not below"* ]]
}
