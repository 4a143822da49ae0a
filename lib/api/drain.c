#include "api/drain.h"

#include <string.h>

#include "api/drain_budget.h"
#include "api/meta.h"
#include "api/pod.h"
#include "base/mem.h"
#include "base/time.h"

#define MIRROR "kubernetes.io/config.mirror"

const char *
drain_word(enum drain_action a)
{
	static const char *const words[] = { "evict", "wait", "block", "skip", "refuse" };

	return words[a];
}

/* --- what the options say ------------------------------------------------------------------- */

static void
say(struct drain_verdict *v, enum drain_action action, char *reason)
{
	v->action = action;
	v->turn = action == DRAIN_EVICT;
	v->reason = reason;
}

/* Each of these: has it been decided?  What is not goes on to the next. */
typedef bool (*rule)(struct drain_verdict *v, const json_t *pod, const struct drain_options *o);

static bool
ending_for_long(struct drain_verdict *v, const json_t *pod, const struct drain_options *o)
{
	int64_t since;

	if (o->skip_after <= 0 || !meta_deleting(pod) ||
	    !time_parse(text(pod, "metadata", "deletionTimestamp"), &since) ||
	    o->now - since <= o->skip_after)
		return false;
	say(v, DRAIN_SKIP,
	    xasprintf(
		"should have ended %lld seconds ago: not waited for", (long long)(o->now - since)));
	return true;
}

static bool
of_daemon_set(struct drain_verdict *v, const json_t *pod, const struct drain_options *o)
{
	const json_t *owner = meta_controller(pod);
	const char *name = text(owner, "name");
	autofree char *key = xasprintf("%s/%s", meta_namespace(pod), name);

	if (!owner || strcmp(text(owner, "kind"), "DaemonSet") != 0 || pod_finished(pod))
		return false;
	if (o->orphans && json_object_get(o->orphans, key)) {
		if (o->force)
			return false;
		say(v, DRAIN_REFUSE,
		    xasprintf("its DaemonSet %s does not exist (--force evicts it)", name));
	} else if (o->ignore_daemonsets) {
		say(v, DRAIN_SKIP, xasprintf("of DaemonSet %s", name));
	} else {
		say(v, DRAIN_REFUSE,
		    xasprintf("of DaemonSet %s (--ignore-daemonsets leaves it alone)", name));
	}
	return true;
}

static bool
mirror(struct drain_verdict *v, const json_t *pod, const struct drain_options *o)
{
	(void)o;
	if (!meta_annotation(pod, MIRROR))
		return false;
	say(v, DRAIN_SKIP, xstrdup("a mirror pod: its node has it from a file"));
	return true;
}

static bool
local_data(struct drain_verdict *v, const json_t *pod, const struct drain_options *o)
{
	const json_t *list = get(pod, "spec", "volumes");
	json_t *volume;
	size_t i;

	if (pod_finished(pod) || o->delete_emptydir)
		return false;
	json_array_foreach (list, i, volume) {
		if (!json_is_object(get(volume, "emptyDir")))
			continue;
		say(v, DRAIN_REFUSE,
		    xasprintf("what is in its emptyDir %s would be lost (--delete-emptydir-data "
			      "lets it)",
			text(volume, "name")));
		return true;
	}
	return false;
}

static bool
unmanaged(struct drain_verdict *v, const json_t *pod, const struct drain_options *o)
{
	if (pod_finished(pod) || meta_controller(pod) || o->force)
		return false;
	say(v, DRAIN_REFUSE, xstrdup("no controller would make it again (--force evicts it)"));
	return true;
}

static bool
by_options(struct drain_verdict *v, const json_t *pod, const struct drain_options *o)
{
	static const rule rules[] = { ending_for_long, of_daemon_set, mirror, local_data,
		unmanaged };

	for (size_t i = 0; i < COUNT(rules); i++)
		if (rules[i](v, pod, o))
			return true;
	return false;
}

/* --- all ------------------------------------------------------------------------------------ */

void
drain_decide(struct drain_verdict *ret, const json_t *pods, const json_t *budgets,
    const struct drain_options *o)
{
	struct tallies all = { 0 };
	json_t *pod;
	size_t i;

	tallies_init(&all, budgets);
	json_array_foreach (pods, i, pod) {
		ret[i] = (struct drain_verdict){ 0 };
		if (by_options(&ret[i], pod, o))
			continue;
		if (o->deletes)
			say(&ret[i], DRAIN_EVICT, xstrdup("deleted, whatever budgets say"));
		else
			tallies_decide(&all, &ret[i], pod);
	}
	tallies_release(&all);
}

void
drain_release(struct drain_verdict *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i].reason);
	free(v);
}
