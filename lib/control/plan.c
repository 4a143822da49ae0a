#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "control/control.h"

static const char *const names[] = {
	[ACT_CREATE] = "create",
	[ACT_UPDATE] = "update",
	[ACT_UPDATE_STATUS] = "update-status",
	[ACT_PATCH] = "patch",
	[ACT_APPLY] = "apply",
	[ACT_DELETE] = "delete",
	[ACT_EVICT] = "evict",
	[ACT_BIND] = "bind",
	[ACT_EVENT] = "event",
};

const char *
verb_name(enum verb verb)
{
	return names[verb];
}

int
verb_of_name(const char *name)
{
	for (int v = 0; v < ACT_COUNT; v++)
		if (strcmp(names[v], name) == 0)
			return v;
	return -1;
}

void
plan_init(struct plan *plan, const char *by, const char *for_ref)
{
	*plan = (struct plan){ .actions = json_array(), .by = by, .for_ref = for_ref };
}

void
plan_release(struct plan *plan)
{
	json_decref(plan->actions);
	plan->actions = NULL;
}

static json_t *
add(struct plan *plan, enum verb verb, json_t *object, const char *reason)
{
	json_t *action;

	assert(object && verb < ACT_COUNT);
	action = json_pack("{s:s, s:o, s:s, s:s, s:s}", "action", names[verb], "object", object,
	    "reason", reason, "by", plan->by, "for", plan->for_ref);
	assert(action);
	json_array_append_new(plan->actions, action);
	return action;
}

json_t *
plan_add(struct plan *plan, enum verb verb, json_t *object, const char *reason, ...)
{
	autofree char *sentence = NULL;
	va_list ap;

	va_start(ap, reason);
	if (vasprintf(&sentence, reason, ap) < 0)
		abort();
	va_end(ap);
	return add(plan, verb, object, sentence);
}

void
plan_again(struct plan *plan, int64_t seconds)
{
	if (seconds < 1)
		seconds = 1;
	if (!plan->again || seconds < plan->again)
		plan->again = seconds;
}

json_t *
plan_ref(const json_t *obj)
{
	json_t *ref = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", text(obj, "apiVersion"),
	    "kind", text(obj, "kind"), "metadata", "name", meta_name(obj));

	if (*meta_namespace(obj))
		put(ref, json_string(meta_namespace(obj)), "metadata", "namespace");
	if (*meta_uid(obj))
		put(ref, json_string(meta_uid(obj)), "metadata", "uid");
	return ref;
}

json_t *
plan_ref_version(const json_t *obj)
{
	json_t *ref = plan_ref(obj);

	if (*meta_version(obj))
		put(ref, json_string(meta_version(obj)), "metadata", "resourceVersion");
	return ref;
}

/* The same happening to the same object has the same name: the API counts it instead of keeping
 * two. */
static char *
event_name(const json_t *about, const char *type, const char *reason, const char *message)
{
	const char *part[] = { meta_uid(about), type, reason, message };
	uint64_t hash = TEXT_HASH_SEED;
	size_t len = strnlen(meta_name(about), 200);

	while (len && (meta_name(about)[len] & 0xc0) == 0x80)
		len--; /* never half a character */
	for (size_t i = 0; i < COUNT(part); i++)
		hash = text_hash(part[i], strlen(part[i]) + 1, hash);
	return xasprintf("%.*s.%016" PRIx64, (int)len, meta_name(about), hash);
}

/* An object's fields for involvedObject; a cluster-scoped one has no namespace. */
static json_t *
event_about(const json_t *about)
{
	json_t *ref = json_pack("{s:s, s:s, s:s, s:s}", "apiVersion", text(about, "apiVersion"),
	    "kind", text(about, "kind"), "name", meta_name(about), "uid", meta_uid(about));

	if (*meta_namespace(about))
		put(ref, json_string(meta_namespace(about)), "namespace");
	if (*meta_version(about))
		put(ref, json_string(meta_version(about)), "resourceVersion");
	return ref;
}

void
plan_event(struct plan *plan, const struct world *w, const json_t *about, const char *type,
    const char *reason, const char *message, ...)
{
	autofree char *note = NULL, *name = NULL, *component = NULL;
	const char *ns = meta_namespace(about);
	char when[TIME_TEXT];
	va_list ap;

	va_start(ap, message);
	if (vasprintf(&note, message, ap) < 0)
		abort();
	va_end(ap);
	name = event_name(about, type, reason, note);
	component = xasprintf("%s-controller", plan->by);
	time_print(world_now(w), when);
	add(plan, ACT_EVENT,
	    json_pack("{s:s, s:s, s:{s:s, s:s}, s:o, s:s, s:s, s:s, s:s, s:s, s:i, s:{s:s}, s:s}",
		"apiVersion", "v1", "kind", "Event", "metadata", "name", name, "namespace",
		*ns ? ns : "default", "involvedObject", event_about(about), "type", type, "reason",
		reason, "message", note, "firstTimestamp", when, "lastTimestamp", when, "count", 1,
		"source", "component", component, "reportingComponent", component),
	    note);
}
