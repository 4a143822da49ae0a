#include <string.h>

#include "api/meta.h"
#include "api/patch.h"
#include "base/text.h"
#include "base/time.h"
#include "client/revision.h"
#include "client/rework.h"

#define RESTARTED "kubectl.kubernetes.io/restartedAt"

void
rework_release(struct rework *w)
{
	json_decref(w->patch);
	json_decref(w->then);
	*w = (struct rework){ 0 };
}

int
rework_fits(const struct kind *k, struct err *err)
{
	static const char *const kinds[] = { "Deployment.apps", "DaemonSet.apps",
		"StatefulSet.apps", NULL };
	char group_kind[128];

	if (text_in(kind_group_kind(k, group_kind), kinds))
		return 0;
	return err_set(err, ERR_BAD_REQUEST, "a %s has no rollout", k->kind);
}

static int
check_running(const json_t *obj, struct err *err)
{
	if (truth(get(obj, "spec", "paused")))
		return err_set(err, ERR_DIFFERS, "it is paused: resume it first");
	return 0;
}

/* Takes the patch. */
static void
merge(struct rework *w, const json_t *obj, json_t *patch)
{
	w->type = "application/merge-patch+json";
	w->patch = patch;
	w->then = merge_patch(json_deep_copy(obj), patch);
	put(patch, json_string(meta_version(obj)), "metadata", "resourceVersion");
}

int
rework_undo(struct rework *w, struct client *c, const struct kind *k, const json_t *obj,
    long long revision, struct err *err)
{
	struct revisions all = { 0 };
	const struct revision *rev = NULL;
	int r;

	*w = (struct rework){ 0 };
	if ((r = check_running(obj, err)) < 0)
		return r;
	if ((r = revisions_read(&all, c, k, obj, err)) >= 0 &&
	    (r = revisions_find(&all, revision, &rev, err)) >= 0 &&
	    (r = revision_patch(k, obj, rev, &w->type, &w->patch, err)) >= 0) {
		snprintf(w->so, sizeof w->so,
		    "skipped rollback (current template already matches revision %lld)",
		    rev->number);
		if (w->patch)
			r = revision_restored(&w->then, k, obj, rev, err);
	}
	revisions_release(&all);
	return r;
}

int
rework_restart(struct rework *w, const json_t *obj, int64_t now, struct err *err)
{
	const char *last = text(obj, "spec", "template", "metadata", "annotations", RESTARTED);
	char at[TIME_TEXT];
	int r;

	*w = (struct rework){ 0 };
	if ((r = check_running(obj, err)) < 0)
		return r;
	if (strcmp(last, time_print(now, at)) == 0)
		return err_set(err, ERR_TOO_MANY, "it was restarted within this second");
	merge(w, obj,
	    json_pack("{s:{s:{s:{s:{s:s}}}}}", "spec", "template", "metadata", "annotations",
		RESTARTED, at));
	return 0;
}

int
rework_pause(struct rework *w, const json_t *obj, bool paused, struct err *err)
{
	*w = (struct rework){ 0 };
	if (strcmp(text(obj, "kind"), "Deployment") != 0)
		return err_set(err, ERR_BAD_REQUEST, "a %s cannot be paused", text(obj, "kind"));
	snprintf(w->so, sizeof w->so, "already %s", paused ? "paused" : "resumed");
	if (truth(get(obj, "spec", "paused")) != paused)
		merge(w, obj,
		    json_pack("{s:{s:o}}", "spec", "paused", paused ? json_true() : json_null()));
	return 0;
}
