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

enum { MAX_EVENTS = 1000, MAX_SEEN = 500 };

const struct kind *
core_kind(const char *kind)
{
	return kind_find("", "v1", kind);
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
	if (r == 0 || err.code == ERR_NOT_FOUND || err.code == ERR_CONFLICT)
		return true; /* the pod has gone or is another now: its watch will say so */
	metric_add(k->errors, 1);
	log_line("cannot report pod %s/%s: %s", meta_namespace(pod), meta_name(pod), err.msg);
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
	log_line("cannot delete pod %s/%s: %s", meta_namespace(pod), meta_name(pod), err.msg);
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
	int r = client_get(k->client, core_kind(kind), *ns ? ns : NULL, object, &obj, &err);

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

static void
note_event(void *arg, const json_t *pod, const char *field, const char *type, const char *reason,
    const char *message)
{
	struct kubelet *k = arg;
	json_t *event = pod_event(pod, field, k->name, type, reason, message, clock_now_us());

	if (event && json_array_size(k->events) < MAX_EVENTS)
		json_array_append_new(k->events, event);
	else
		json_decref(event);
}

/* Such events are of the node's name, in "default", as the kubelet has them. */
static void
note_node_event(void *arg, const char *type, const char *reason, const char *message)
{
	struct kubelet *k = arg;
	json_t *event = node_own_event(k->name, type, reason, message, clock_now_us());

	if (event && json_array_size(k->events) < MAX_EVENTS)
		json_array_append_new(k->events, event);
	else
		json_decref(event);
}

void
hooks_post_events(struct kubelet *k)
{
	json_t *event;
	struct err err;
	size_t i;

	json_array_foreach (k->events, i, event)
		if (node_event(k->client, event, pod_event_again, &err) < 0)
			log_more("cannot record an event: %s", err.msg);
	json_array_clear(k->events);
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
