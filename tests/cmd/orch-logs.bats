#!/usr/bin/env bats
load ../helper

setup_file() {
  start_store
  export LOGS=$BATS_FILE_TMPDIR/pods
  orch-apply >/dev/null <<END
{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1","annotations":{"orch.io/log-dir":"$LOGS"}}}
{"apiVersion":"v1","kind":"Node","metadata":{"name":"far"}}
END
  pod web-1 n1 a b
  pod web-2 n1 a
  pod lost far a
  pod pending "" a
}
teardown_file() { stop_all; }

# pod NAME NODE CONTAINER...: runs, has restarted once, and has written a little.
pod() {
  local name=$1 node=$2 uid c dir
  shift 2
  orch-api -d "$(jq -nc --arg n "$name" --arg node "$node" '{apiVersion:"v1",kind:"Pod",metadata:{name:$n,labels:{app:"web"}},
    spec:({containers:[$ARGS.positional[] | {name:.,image:"i"}]} + if $node == "" then {} else {nodeName:$node} end)}' --args "$@")" /api/v1/namespaces/default/pods >/dev/null
  orch-api -X PATCH -d "$(jq -nc '{status:{containerStatuses:[$ARGS.positional[] | {name:.,restartCount:1,image:"i",imageID:"",ready:true,state:{running:{startedAt:"2026-01-01T00:00:00Z"}}}]}}' --args "$@")" "/api/v1/namespaces/default/pods/$name/status" >/dev/null
  uid=$(orch-get "pod/$name" | jq -r .metadata.uid)
  for c; do
    dir=$LOGS/default_${name}_$uid/$c
    mkdir -p "$dir"
    echo "2026-01-01T00:00:00.000000001Z stdout F before" >"$dir/0.log"
    printf '%s\n' "2026-01-01T00:00:01.000000001Z stdout F $name $c one" "2026-01-01T00:00:02.5Z stderr P two" "2026-01-01T00:00:02.6Z stderr F -halves" >"$dir/1.log"
  done
}

@test "the forms of a name" {
  for form in web-2 pod/web-2 pods/web-2 web-2/a pod/web-2/a; do
    [ "$(orch-logs $form)" = $'web-2 a one\ntwo-halves' ]
  done
  [ "$(orch-logs web-1/b)" = $'web-1 b one\ntwo-halves' ]
  [ "$(orch-logs web-1 -c b | head -n 1)" = 'web-1 b one' ]
}

@test "several containers: the first, with a word about it; or all" {
  run -0 --separate-stderr orch-logs web-1
  [ "$output" = $'web-1 a one\ntwo-halves' ]
  [[ $stderr == *"2 containers"* ]]
  [ "$(orch-logs --all-containers web-1 | grep -c one)" -eq 2 ]
  [ "$(orch-logs --prefix --all-containers web-1 | head -n 1)" = "[web-1/a] web-1 a one" ]
}

@test "options" {
  [ "$(orch-logs --previous web-2)" = before ]
  [ "$(orch-logs --tail 0 web-2)" = "" ]
  [ "$(orch-logs --timestamps web-2 | head -n 1)" = "2026-01-01T00:00:01.000000001Z web-2 a one" ]
  [ "$(orch-logs --since 1h web-2)" = "" ]
  run -2 orch-logs --tail many web-2
}

@test "by label; one that cannot be read does not hide the others" {
  run -3 --separate-stderr orch-logs -l app=web
  [[ $output == *"web-1 a one"* && $output == *"web-2 a one"* ]]
  [[ $stderr == *"'lost'"* && $stderr != *"'pending'"* ]] # which has not said anything yet
}

@test "following ends with the container" {
  uid=$(orch-get pod/web-2 | jq -r .metadata.uid)
  orch-logs -f web-2 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  logs=$!
  wait_for 5 grep -q halves "$BATS_TEST_TMPDIR/out"
  echo "2026-01-01T00:00:03Z stdout F three" >>"$LOGS/default_web-2_$uid/a/1.log"
  wait_for 5 grep -qx three "$BATS_TEST_TMPDIR/out"
  echo "2026-01-01T00:00:04Z stdout F last" >>"$LOGS/default_web-2_$uid/a/1.log"
  orch-api -X PATCH -d '{"status":{"containerStatuses":[{"name":"a","restartCount":1,"image":"i","imageID":"","ready":false,"state":{"terminated":{"exitCode":0}}}]}}' /api/v1/namespaces/default/pods/web-2/status >/dev/null
  wait_for 5 not kill -0 "$logs"
  [ "$(tail -n 2 "$BATS_TEST_TMPDIR/out")" = $'three\nlast' ]
}

@test "mistakes" {
  run -2 orch-logs
  run -1 orch-logs none
  run -1 orch-logs web-1/zzz
  run -2 orch-logs web-1/a -c b
  run -2 orch-logs web-1 -l app=web
}

@test "of what selects pods" {
  orch-apply >/dev/null <<<'{"apiVersion":"v1","kind":"Service","metadata":{"name":"front"},"spec":{"selector":{"tier":"front"},"ports":[{"port":80}]}}'
  run -1 orch-logs service/front
  [[ $output == *"service 'front' has no pods"* ]]
  orch-api -X PATCH -d '{"metadata":{"labels":{"tier":"front"}}}' /api/v1/namespaces/default/pods/web-2 >/dev/null
  [ "$(orch-logs svc/front | head -n 1)" = 'web-2 a one' ]
  run -2 orch-logs ns/default
  run -2 orch-logs svc/front/a
}
