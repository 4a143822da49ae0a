/* What the agent asks and says, by way of the server. */
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/member.h"
#include "kubelet/kubelet_private.h"
#include "kubelet/manifests.h"
#include "node/objects.h"

enum { MAX_EVENTS = 500, BATCH = 20, EVENT_TRIES = 12, EVENT_PAUSE = 5, MAX_SEEN = 500 };

const struct kind *
core_kind(const char *kind)
{
	return kind_find("", "v1", kind);
}

/* Once: it is tried again every second. */
static void
complain(struct kubelet *k, const char *verb, const json_t *pod, const char *why)
{
	if (k->refused || k->silent)
		log_more("cannot %s pod %s/%s: %s", verb, meta_namespace(pod), meta_name(pod), why);
	else
		log_line("cannot %s pod %s/%s: %s", verb, meta_namespace(pod), meta_name(pod), why);
	k->refused = true;
}

static bool
send_status(void *arg, const json_t *pod, const json_t *status)
{
	struct kubelet *k = arg;
	json_auto_t *patch = NULL;
	struct err err;
	int r;

	if (statics_status(k, pod, status))
		return true;
	patch = pod_status_patch(pod, status);
	r = client_patch(k->client, core_kind("Pod"), meta_namespace(pod), meta_name(pod), "status",
	    "application/merge-patch+json", patch, NULL, NULL, &err);
	metric_add(k->statuses, 1);
	if (r == 0)
		k->refused = false;
	if (r == 0 || err.code == ERR_NOT_FOUND || err.code == ERR_CONFLICT)
		return true; /* the pod has gone or is another now: its watch will say so */
	metric_add(k->errors, 1);
	complain(k, "report", pod, err.msg);
	return err.code == ERR_INVALID ||
	       err.code == ERR_BAD_REQUEST; /* saying it again is no use */
}

static bool
delete_pod(void *arg, const json_t *pod)
{
	struct kubelet *k = arg;
	json_auto_t *options = json_pack("{s:s, s:s, s:i, s:{s:s}}", "apiVersion", "v1", "kind",
	    "DeleteOptions", "gracePeriodSeconds", 0, "preconditions", "uid", meta_uid(pod));
	struct err err;

	if (!meta_deleting(pod))
		return true;
	if (client_delete(k->client, core_kind("Pod"), meta_namespace(pod), meta_name(pod), options,
		NULL, &err) == 0 ||
	    err.code == ERR_NOT_FOUND || err.code == ERR_CONFLICT)
		return true;
	metric_add(k->errors, 1);
	complain(k, "delete", pod, err.msg);
	return false;
}

/* Keep it for when the server is away; the one that was asked for longest ago makes room. */
static void
remember(struct kubelet *k, const char *key, json_t *obj)
{
	json_object_del(k->seen, key); /* to the end of the order */
	if (json_object_size(k->seen) >= MAX_SEEN)
		json_object_del(k->seen, json_object_iter_key(json_object_iter(k->seen)));
	json_object_set(k->seen, key, obj);
}

static json_t *
look_up(void *arg, const char *kind, const char *ns, const char *object)
{
	struct kubelet *k = arg;
	autofree char *key = xasprintf("%s/%s/%s", kind, ns, object);
	json_t *obj = NULL;
	struct err err;
	bool class = strcmp(kind, "RuntimeClass") == 0;
	const struct kind *of = class ? kind_find("node.k8s.io", "v1", kind) : core_kind(kind);
	int r = client_get(k->client, of, *ns ? ns : NULL, object, &obj, &err);

	if (r == 0) {
		remember(k, key, obj);
		return obj;
	}
	if (r == -ERR_NOT_FOUND) {
		json_object_del(k->seen, key);
		return NULL;
	}
	metric_add(k->errors, 1);
	log_more("cannot get %s '%s/%s': %s", kind, ns, object, err.msg);
	obj = json_object_get(k->seen, key);
	return obj ? json_incref(obj) : json_true();
}

/* A TokenRequest, bound to the pod: the token ends with it. */
static char *
get_token(void *arg, const json_t *pod, const char *audience, json_int_t seconds)
{
	struct kubelet *k = arg;
	json_auto_t *request = json_pack("{s:s, s:s, s:{s:I, s:{s:s, s:s, s:s, s:s}}}",
	    "apiVersion", "authentication.k8s.io/v1", "kind", "TokenRequest", "spec",
	    "expirationSeconds", seconds, "boundObjectRef", "kind", "Pod", "apiVersion", "v1",
	    "name", meta_name(pod), "uid", meta_uid(pod));
	autofree char *path = client_path(core_kind("ServiceAccount"), meta_namespace(pod),
	    text(pod, "spec", "serviceAccountName"), "token");
	autofree char *body = NULL;
	autobuf struct buf reply = BUF_INIT;
	json_auto_t *answer = NULL;
	struct err err = { 0 };
	int status = 0;

	put(request, *audience ? json_pack("[s]", audience) : json_array(), "spec", "audiences");
	body = json_dumps(request, JSON_COMPACT);
	if (client_request(k->client, "POST", path, "application/json", body, strlen(body), &status,
		&reply, &err) == 0)
		answer = json_loadb(reply.data ? reply.data : "", reply.len, 0, NULL);
	if (!*text(answer, "status", "token")) {
		metric_add(k->errors, 1);
		log_line("cannot get a token for pod %s/%s: %s", meta_namespace(pod),
		    meta_name(pod), *err.msg ? err.msg : text(answer, "message"));
		return NULL;
	}
	return xstrdup(text(answer, "status", "token"));
}

/* Said once more before it was told: it is counted.  When there are too many, the oldest goes. */
static void
keep_event(struct kubelet *k, json_t *event)
{
	json_t *one;
	size_t i;

	if (!event)
		return;
	json_array_foreach (k->events, i, one) {
		if (strcmp(meta_name(one), meta_name(event)) != 0 ||
		    strcmp(meta_namespace(one), meta_namespace(event)) != 0)
			continue;
		json_object_set_new(one, "count", json_integer(num(get(one, "count"), 1) + 1));
		json_object_set(one, "lastTimestamp", get(event, "lastTimestamp"));
		json_decref(event);
		return;
	}
	if (json_array_size(k->events) >= MAX_EVENTS)
		json_array_remove(k->events, 0);
	json_array_append_new(k->events, event);
}

static void
note_event(void *arg, const json_t *pod, const char *field, const char *type, const char *reason,
    const char *message)
{
	struct kubelet *k = arg;

	keep_event(k, pod_event(pod, field, k->name, type, reason, message, clock_now_us()));
}

/* Such events are of the node's name, in "default", as the kubelet has them. */
static void
note_node_event(void *arg, const char *type, const char *reason, const char *message)
{
	struct kubelet *k = arg;

	keep_event(k, node_own_event(k->name, type, reason, message, clock_now_us()));
}

/* One could not be told: is it to be tried again, some time?  Not for ever: it may be its own
 * fault.
 */
static bool
keeps(struct kubelet *k, const struct err *err)
{
	log_more("cannot record an event: %s", err->msg);
	if (client_resting(k->client))
		return true;
	if ((err->code != ERR_INTERNAL && err->code != ERR_UNAVAILABLE) ||
	    ++k->event_tries > EVENT_TRIES)
		return false;
	k->events_at = clock_monotonic() + EVENT_PAUSE;
	return true;
}

/* Not all at once when there are many: pods are waiting too. */
bool
hooks_post_events(struct kubelet *k)
{
	struct err err;

	if (client_resting(k->client) || k->events_at > clock_monotonic())
		return false;
	for (int i = 0; i < BATCH && json_array_size(k->events); i++) {
		if (node_event(k->client, json_array_get(k->events, 0), pod_event_again, &err) <
			0 &&
		    keeps(k, &err))
			return false;
		json_array_remove(k->events, 0);
		k->event_tries = 0;
	}
	return json_array_size(k->events) > 0;
}

struct agent_hooks
kubelet_hooks(struct kubelet *k)
{
	return (struct agent_hooks){
		.arg = k,
		.status = send_status,
		.gone = delete_pod,
		.lookup = look_up,
		.services = services_list,
		.event = note_event,
		.node_event = note_node_event,
		.token = get_token,
	};
}
