/* A bundle that was written in part, put back. */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/bundle.h"
#include "client/migrate.h"
#include "client/takeback.h"

enum { TRIES = 20 };

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

struct undo {
	struct bundle *bundle;
	const struct item *item;
	json_t *was; /* before the content was taken back */
};

/* What our write has changed as it was, in *now.  There may be nothing left to do. */
static int
give_content(struct undo *u, json_t **now, struct err *err)
{
	const struct item *i = u->item;
	json_auto_t *former = NULL;
	json_t *restored = NULL;
	int r = takeback_content(i->live, i->after, *now, &former, err);

	if (r < 0 || json_equal(former, *now))
		return r;
	json_object_del(get(former, "metadata"), "managedFields");
	r = client_update(
	    u->bundle->client, former, NULL, "fieldManager=" TAKEBACK_MANAGER, &restored, err);
	if (r < 0)
		return r;
	json_decref(*now);
	*now = restored;
	return 0;
}

/* A write cannot name the owners of what it changes; a second one, that changes nothing else, can.
 */
static int
give_managers(const struct undo *u, const json_t *now, struct err *err)
{
	const struct item *i = u->item;
	const char *writer = i->manager ? i->manager : u->bundle->manager;
	json_auto_t *entries = NULL, *patch = NULL;
	int r = takeback_managers(i->live, i->after, u->was, now, writer, &entries, err);

	if (r < 0)
		return r;
	patch = managers_patch(entries, meta_version(now));
	return client_patch(u->bundle->client, i->kind, item_namespace(i), item_name(i), NULL,
	    "application/json-patch+json", patch, "fieldManager=" TAKEBACK_MANAGER, NULL, err);
}

static int
undo_changed(struct undo *u, json_t **now, struct err *err)
{
	const struct item *i = u->item;
	int r;

	if (!i->live)
		return err_set(
		    err, ERR_GONE, "somebody else had created it: what it was is not known");
	if (strcmp(meta_uid(*now), meta_uid(i->live)) != 0)
		return err_set(err, ERR_GONE, "somebody has replaced it");
	if (!u->was)
		u->was = json_incref(*now);
	r = give_content(u, now, err);
	return r < 0 ? r : give_managers(u, *now, err);
}

/* Controllers write while we do: their status must not keep us from it. */
static int
undo(struct bundle *b, const struct item *i, struct err *err)
{
	struct undo u = { .bundle = b, .item = i };
	bool created = i->result == APPLY_CREATED;
	int r = 0;

	for (int try = 0; try < TRIES; try++) {
		json_t *now = NULL;

		r = client_get(b->client, i->kind, item_namespace(i), item_name(i), &now, err);
		if (r >= 0)
			r = created ? undo_created(b->client, i, now, err)
				    : undo_changed(&u, &now, err);
		json_decref(now);
		if (r == -ERR_NOT_FOUND && created)
			r = 0;
		if (r != -ERR_CONFLICT)
			break;
	}
	json_decref(u.was);
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
		r = undo(b, i, &err);
		failed += r < 0;
		said(arg, i, r, &err);
	}
	return failed;
}
