#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "base/mem.h"
#include "base/time.h"
#include "schedule/snapshot.h"

/* Which pods are to be placed, in which order, and what is planned for each. */

bool
schedule_wants(const struct scheduler *s, const json_t *pod)
{
	return !*text(pod, "spec", "nodeName") && pod_active(pod) &&
	       strcmp(str(get(pod, "spec", "schedulerName"), "default-scheduler"), s->name) == 0 &&
	       json_array_size(get(pod, "spec", "schedulingGates")) == 0 &&
	       !placed_find(s, meta_namespace(pod), meta_name(pod));
}

static int
by_urgency(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	json_int_t px = num(get(x, "spec", "priority"), 0), py = num(get(y, "spec", "priority"), 0);
	int order;

	if (px != py)
		return px > py ? -1 : 1;
	if ((order = strcmp(meta_created(x), meta_created(y))) != 0)
		return order;
	if ((order = strcmp(meta_namespace(x), meta_namespace(y))) != 0)
		return order;
	return strcmp(meta_name(x), meta_name(y));
}

const json_t **
schedule_pending(const struct scheduler *s, const struct world *w, size_t *n)
{
	struct walk it = world_on_node(w, "");
	const json_t **pods = xcalloc(it.n + 1, sizeof *pods);
	const json_t *pod;

	*n = 0;
	while ((pod = walk_next(&it)))
		if (schedule_wants(s, pod) && !placed_find(s, meta_namespace(pod), meta_name(pod)))
			pods[(*n)++] = pod;
	if (*n)
		qsort(pods, *n, sizeof *pods, by_urgency);
	return pods;
}

/* Events of the scheduler carry its own name. */
static void
name_source(const struct scheduler *s, struct plan *out)
{
	json_t *last = json_array_get(out->actions, json_array_size(out->actions) - 1);
	json_t *event = get(last, "object");

	put(event, json_string(s->name), "source", "component");
	put(event, json_string(s->name), "reportingComponent");
}

static void
plan_bind(struct scheduler *s, const struct world *w, const json_t *pod, const char *node,
    size_t fits, struct plan *out)
{
	json_t *meta =
	    json_pack("{s:s, s:s}", "name", meta_name(pod), "namespace", meta_namespace(pod));

	if (*meta_uid(pod))
		json_object_set_new(meta, "uid", json_string(meta_uid(pod)));
	plan_add(out, ACT_BIND,
	    json_pack("{s:s, s:s, s:o, s:{s:s, s:s, s:s}}", "apiVersion", "v1", "kind", "Binding",
		"metadata", meta, "target", "apiVersion", "v1", "kind", "Node", "name", node),
	    "%s is the best of %zu that fit, of %zu nodes", node, fits, s->known);
	plan_event(out, w, pod, "Normal", "Scheduled", "Successfully assigned %s%s%s to %s",
	    meta_namespace(pod), *meta_namespace(pod) ? "/" : "", meta_name(pod), node);
	name_source(s, out);
}

static void
plan_refusal(struct scheduler *s, const struct world *w, const json_t *pod, const char *message,
    struct plan *out)
{
	json_t *changed = json_deep_copy(pod);
	char now[TIME_TEXT];

	time_print(world_now(w), now);
	if (!condition_set(changed, "PodScheduled", "False", "Unschedulable", message, now)) {
		json_decref(changed);
		return;
	}
	plan_add(out, ACT_UPDATE_STATUS, changed, "%s", message);
	plan_event(out, w, pod, "Warning", "FailedScheduling", "%s", message);
	name_source(s, out);
}

const char *
schedule_pod(
    struct scheduler *s, const struct world *w, const json_t *pod, struct plan *out, json_t **why)
{
	struct class *c = class_of(s, pod);
	autofree char *ref = meta_ref(pod);
	const char *by_ref = out->for_ref, *node = NULL;
	autofree char *message = NULL;
	struct choice choice;

	out->for_ref = ref;
	decide(s, c, pod, &choice);
	if (why)
		*why = explain(s, c, pod, &choice);
	if (choice.node < s->nnodes) {
		node = s->node[choice.node].name;
		message = xasprintf("%s is the best of %zu that fit", node, choice.fits);
		plan_bind(s, w, pod, node, choice.fits, out);
		place(s, pod, node, true);
	} else {
		message = refusal(s, &choice);
		plan_refusal(s, w, pod, message, out);
	}
	if (why)
		json_object_set_new(*why, "message", json_string(message));
	choice_release(&choice);
	class_put(s, c);
	out->for_ref = by_ref;
	return node;
}
