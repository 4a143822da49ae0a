#include <string.h>

#include "node/objects.h"

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

enum { LEASE_SECONDS = 40 };

json_t *
pod_status_patch(const json_t *pod, const json_t *status)
{
	static const char *const optional[] = { "reason", "message", "initContainerStatuses",
		"ephemeralContainerStatuses" };
	json_t *patch = json_pack("{s:{s:s}, s:o}", "metadata", "uid", meta_uid(pod), "status",
	    json_copy((json_t *)status));

	for (size_t i = 0; i < COUNT(optional); i++)
		if (!get(status, optional[i]) && get(pod, "status", optional[i]))
			put(patch, json_null(), "status", optional[i]);
	return patch;
}

/* about: what it is of, with kind, name and uid; taken. */
static json_t *
new_event(json_t *about, const char *ns, const char *node, const char *type, const char *reason,
    const char *message, int64_t now_us)
{
	json_auto_t *of = about;
	autofree char *what =
	    xasprintf("%s %s %s %s", text(about, "uid"), text(about, "fieldPath"), reason, message);
	uint64_t hash = text_hash(what, strlen(what), TEXT_HASH_SEED);
	json_auto_t *meta = json_pack("{s:o, s:s}", "name",
	    json_sprintf("%.200s.%016llx", text(about, "name"), (unsigned long long)hash),
	    "namespace", ns);
	char when[TIME_TEXT];

	time_print(now_us / 1000000, when);
	return json_pack(
	    "{s:s, s:s, s:O, s:O, s:s, s:s, s:s, s:s, s:s, s:i, s:{s:s, s:s}, s:s, s:s}",
	    "apiVersion", "v1", "kind", "Event", "metadata", meta, "involvedObject", of, "type",
	    type, "reason", reason, "message", message, "firstTimestamp", when, "lastTimestamp",
	    when, "count", 1, "source", "component", "orch-node", "host", node,
	    "reportingComponent", "orch-node", "reportingInstance", node);
}

json_t *
pod_event(const json_t *pod, const char *field, const char *node, const char *type,
    const char *reason, const char *message, int64_t now_us)
{
	json_t *about = json_pack("{s:s, s:s, s:s, s:s, s:s}", "apiVersion", "v1", "kind", "Pod",
	    "name", meta_name(pod), "namespace", meta_namespace(pod), "uid", meta_uid(pod));

	if (field)
		json_object_set_new(about, "fieldPath", json_string(field));
	return new_event(about, meta_namespace(pod), node, type, reason, message, now_us);
}

json_t *
node_own_event(
    const char *node, const char *type, const char *reason, const char *message, int64_t now_us)
{
	return new_event(json_pack("{s:s, s:s, s:s, s:s}", "apiVersion", "v1", "kind", "Node",
			     "name", node, "uid", node),
	    "default", node, type, reason, message, now_us);
}

json_t *
pod_event_again(const json_t *event, const json_t *old)
{
	return json_pack("{s:I, s:O}", "count",
	    num(get(old, "count"), 1) + num(get(event, "count"), 1), "lastTimestamp",
	    get(event, "lastTimestamp"));
}

json_t *
node_lease(const char *node, int64_t now_us)
{
	char when[TIME_TEXT];

	return json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:i, s:s}}", "apiVersion",
	    "coordination.k8s.io/v1", "kind", "Lease", "metadata", "name", node, "namespace",
	    "kube-node-lease", "spec", "holderIdentity", node, "leaseDurationSeconds",
	    LEASE_SECONDS, "renewTime", time_print_micro(now_us, when));
}

void
pod_complete(json_t *pod, const char *node)
{
	autofree char *whole = NULL;

	if (!*meta_namespace(pod))
		put(pod, json_string("default"), "metadata", "namespace");
	whole = xasprintf("%s/%s", meta_namespace(pod), meta_name(pod));
	if (!*meta_uid(pod))
		put(pod,
		    json_sprintf("static-%016llx",
			(unsigned long long)text_hash(whole, strlen(whole), TEXT_HASH_SEED)),
		    "metadata", "uid");
	put(pod, json_string(node), "spec", "nodeName");
}
