# decide.jq - what is to be done about Sites: objects in (Sites and their Deployments, a stream), actions out.
#
# It knows nothing but its input and does nothing but print, like any controller of orch-reconcile: so it can be tried
# by hand.  Each Site gets a ConfigMap with its page, a Deployment that shows it, and an entry in the directory, which
# is a ConfigMap in the namespace "sites".  An owner cannot own across namespaces: the finalizer takes care of that one.

def finalizer: "example.com/directory";
def by_site: "example.com/site";
def by_generation: "example.com/site-generation";

def about($verb; $site; $reason): {action: $verb, object: ., reason: $reason, by: "site-operator",
  for: "\($site.apiVersion)/\($site.kind)/\($site.metadata.namespace)/\($site.metadata.name)"};
def the($fields): {apiVersion, kind, metadata: (.metadata | with_entries(select(.key as $k | $fields | index($k))))};
def entry: {apiVersion: "v1", kind: "ConfigMap", metadata: {namespace: "sites", name: "\(.metadata.namespace).\(.metadata.name)"}};
def child($apiVersion; $kind): {apiVersion: $apiVersion, kind: $kind, metadata: {
  namespace: .metadata.namespace, name: .metadata.name, labels: {(by_site): .metadata.name},
  ownerReferences: [{apiVersion, kind, name: .metadata.name, uid: .metadata.uid, controller: true, blockOwnerDeletion: true}]}};

def page: child("v1"; "ConfigMap") + {data: {"index.html": .spec.content}};
def servers: .metadata.name as $name | .spec as $spec | "\(.metadata.generation)" as $generation
  | child("apps/v1"; "Deployment") | .metadata.annotations = {(by_generation): $generation}
  | .spec = {replicas: $spec.replicas, selector: {matchLabels: {(by_site): $name}}, template: {
      metadata: {labels: {(by_site): $name}},
      spec: {terminationGracePeriodSeconds: 2, volumes: [{name: "page", configMap: {name: $name}}], containers: [{
        name: "httpd", image: $spec.image, command: ["httpd", "-f", "-p", "8080", "-h", "/www"],
        volumeMounts: [{name: "page", mountPath: "/www"}]}]}}};

# What the Deployment has come to; it counts once it is the one that this generation of the Site asks for.
def status($deployment): .metadata.generation as $generation | .spec.replicas as $wanted
  | ($deployment.metadata.annotations[by_generation] == "\($generation)"
     and $deployment.status.observedGeneration >= $deployment.metadata.generation) as $current
  | (if $current then $deployment.status.readyReplicas // 0 else 0 end) as $ready
  | (if $current and $ready >= $wanted then ["True", "AllReady"] elif $current then ["False", "NotAllReady"] else ["False", "Progressing"] end) as $say
  | ((.status.conditions // [])[] | select(.type == "Ready")) // {} | . as $before
  | {observedGeneration: $generation, readyReplicas: $ready, conditions: [{type: "Ready", status: $say[0],
      observedGeneration: $generation, reason: $say[1], message: "\($ready) of \($wanted) servers are ready",
      lastTransitionTime: (if $before.status == $say[0] then $before.lastTransitionTime else now | todate end)}]};

def keep($deployment): . as $site | status($deployment) as $status
  | (entry + {data: {page: .spec.content}} | about("apply"; $site; "the directory has every site")),
    (page | about("apply"; $site; "the page is what the site says")),
    (servers | about("apply"; $site; "\($site.spec.replicas) servers are wanted")),
    (select(.status != $status) | the(["namespace", "name", "uid"]) + {status: $status}
      | about("apply"; $site; $status.conditions[0].message) + {subresource: "status"});

# The patches carry the resourceVersion: a list that has changed meanwhile is not overwritten.
def take_on: . as $site | the(["namespace", "name", "uid", "resourceVersion"])
  | .metadata.finalizers = ($site.metadata.finalizers // []) + [finalizer]
  | about("patch"; $site; "its entry in the directory is to be taken away in the end");
def let_go: . as $site | (entry | about("delete"; $site; "the site goes")),
  (the(["namespace", "name", "uid", "resourceVersion"]) | .metadata.finalizers = $site.metadata.finalizers - [finalizer]
    | about("patch"; $site; "its entry in the directory is gone") + {absent: [$site | entry | {apiVersion, kind} + .metadata]});

[inputs] | map(select(.kind == "Deployment")) as $all
  | (reduce $all[] as $d ({}; .["\($d.metadata.namespace)/\($d.metadata.name)"] = $d)) as $deployments
  | .[] | select(.kind == "Site")
  | (.metadata.finalizers // [] | index(finalizer)) as $ours
  | if .metadata.deletionTimestamp then select($ours) | let_go
    elif $ours | not then take_on
    else keep($deployments["\(.metadata.namespace)/\(.metadata.name)"]) end
