/* A bundle that was written in part, put back. */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/bundle.h"
#include "client/migrate.h"
#include "client/threeway.h"

enum { TRIES = 8 };

/* What was created goes, whoever has touched it since; but not another object of its name. */
static int
undo_created(struct client *c, const struct item *i, const json_t *now, struct err *err)
{
	json_auto_t *options = NULL;

	if (strcmp(meta_uid(now), meta_uid(i->after)) != 0)
		return err_set(err, ERR_GONE, "somebody has replaced it");
	if (meta_deleting(now))
		return 0;
	options = json_pack("{s:s, s:{s:s, s:s}}", "propagationPolicy", "Background",
	    "preconditions", "uid", meta_uid(now), "resourceVersion", meta_version(now));
	return client_delete(c, i->kind, item_namespace(i), item_name(i), options, NULL, err);
}

/* --- what was changed ----------------------------------------------------------------------- */

static bool
same_manager(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "manager", "operation", "subresource", "apiVersion" };

	for (size_t k = 0; k < COUNT(keys); k++)
		if (strcmp(text(a, keys[k]), text(b, keys[k])) != 0)
			return false;
	return true;
}

static json_t *
find_manager(const json_t *list, const json_t *who)
{
	json_t *e;
	size_t i;

	json_array_foreach (list, i, e)
		if (same_manager(e, who))
			return e;
	return NULL;
}

/*
 * The managers as they were; but those whose fields have changed since our write, and those that
 * have come since, stay as they are now.
 */
static json_t *
former_managers(const struct item *i, const json_t *now)
{
	const json_t *before = get(i->live, "metadata", "managedFields"),
		     *ours = get(i->after, "metadata", "managedFields"),
		     *then = get(now, "metadata", "managedFields");
	json_t *out = json_array(), *e;
	size_t n;

	json_array_foreach (before, n, e) {
		json_t *later = find_manager(then, e), *mine = find_manager(ours, e);

		json_array_append(out, later && mine && !json_equal(later, mine) ? later : e);
	}
	json_array_foreach (then, n, e)
		if (!find_manager(before, e) && !find_manager(ours, e))
			json_array_append(out, e);
	return out;
}

/* A write cannot name the owners of what it changes; a second one, that changes nothing else, can.
 */
static int
give_back(
    struct client *c, const struct item *i, const json_t *now, json_t *restored, struct err *err)
{
	json_auto_t *entries = former_managers(i, now);
	json_auto_t *patch = managers_patch(entries, meta_version(restored));

	return client_patch(c, i->kind, item_namespace(i), item_name(i), NULL,
	    "application/json-patch+json", patch, NULL, NULL, err);
}

/* Against what others have done since: only what our write has changed is changed back. */
static int
undo_changed(struct client *c, const struct item *i, const json_t *now, struct err *err)
{
	json_auto_t *former = NULL, *restored = NULL;
	int r;

	if (!i->live)
		return err_set(
		    err, ERR_GONE, "somebody else had created it: what it was is not known");
	if (strcmp(meta_uid(now), meta_uid(i->live)) != 0)
		return err_set(err, ERR_GONE, "somebody has replaced it");
	former = threeway_merge(i->kind, i->after, i->live, now);
	put(former, json_string(meta_version(now)), "metadata", "resourceVersion");
	json_object_del(get(former, "metadata"), "managedFields");
	if ((r = client_update(c, former, NULL, NULL, &restored, err)) < 0)
		return r;
	return give_back(c, i, now, restored, err);
}

static int
undo(struct client *c, const struct item *i, struct err *err)
{
	int r = 0;

	for (int try = 0; try < TRIES; try++) {
		json_auto_t *now = NULL;

		r = client_get(c, i->kind, item_namespace(i), item_name(i), &now, err);
		if (r == -ERR_NOT_FOUND && i->result == APPLY_CREATED)
			return 0;
		if (r < 0)
			return r;
		r = i->result == APPLY_CREATED ? undo_created(c, i, now, err)
					       : undo_changed(c, i, now, err);
		if (r != -ERR_CONFLICT)
			return r == -ERR_NOT_FOUND && i->result == APPLY_CREATED ? 0 : r;
	}
	return r;
}

size_t
bundle_undo(struct bundle *b,
    void (*said)(void *arg, const struct item *i, int r, const struct err *err), void *arg)
{
	size_t failed = 0;

	for (size_t n = b->n; n-- > 0;) {
		const struct item *i = &b->item[n];
		struct err err = { 0 };
		int r;

		if ((!i->written || i->result == APPLY_UNCHANGED) && !i->migrated)
			continue;
		r = undo(b->client, i, &err);
		failed += r < 0;
		said(arg, i, r, &err);
	}
	return failed;
}
