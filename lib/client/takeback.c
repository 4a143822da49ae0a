#include "client/takeback.h"

#include <stdbool.h>
#include <string.h>

#include "api/managed.h"
#include "api/meta.h"
#include "base/mem.h"

/* --- content -------------------------------------------------------------------------------- */

static int take_back(const json_t *before, const json_t *after, const json_t *now, json_t **ret,
    const char *path, struct err *err);

static bool
same(const json_t *a, const json_t *b)
{
	return a == b || (a && b && json_equal(a, b));
}

/* One key of the objects: into out. */
static int
take_back_key(const json_t *before, const json_t *after, json_t *out, const char *key,
    const char *path, struct err *err)
{
	const json_t *b = json_object_get(before, key), *a = json_object_get(after, key);
	json_t *n = json_object_get(out, key), *value = NULL;
	autofree char *at = xasprintf("%s.%s", path, key);
	int r;

	if (same(a, b))
		return 0; /* the write left it alone */
	if (a && !n)
		return 0; /* somebody has removed it since */
	if ((r = take_back(b, a, n, &value, at, err)) < 0)
		return r;
	if (value)
		json_object_set_new(out, key, value);
	else
		json_object_del(out, key);
	return 0;
}

static int
take_back_object(const json_t *before, const json_t *after, const json_t *now, json_t **ret,
    const char *path, struct err *err)
{
	json_t *out = json_copy((json_t *)now);
	const char *key;
	json_t *unused;
	int r = 0;

	json_object_foreach ((json_t *)before, key, unused)
		if (r >= 0)
			r = take_back_key(before, after, out, key, path, err);
	json_object_foreach ((json_t *)after, key, unused)
		if (r >= 0 && !json_object_get(before, key))
			r = take_back_key(before, after, out, key, path, err);
	if (r < 0) {
		json_decref(out);
		return r;
	}
	/* an object that the write made goes with what is in it */
	if (!before && json_object_size(out) == 0) {
		json_decref(out);
		out = NULL;
	}
	*ret = out;
	return 0;
}

/* The write has changed it: *ret gets what it is to be, a new reference, NULL for nothing. */
static int
take_back(const json_t *before, const json_t *after, const json_t *now, json_t **ret,
    const char *path, struct err *err)
{
	if (same(now, after)) {
		*ret = json_incref((json_t *)before);
		return 0;
	}
	if (json_is_object(now) && json_is_object(after) && (!before || json_is_object(before)))
		return take_back_object(before, after, now, ret, path, err);
	if (json_is_array(now) && !same(now, before))
		return err_set(err, ERR_GONE, "somebody has changed %s as well", path);
	*ret = json_incref((json_t *)now); /* somebody has set it since */
	return 0;
}

int
takeback_content(
    const json_t *before, const json_t *after, const json_t *now, json_t **ret, struct err *err)
{
	static const char *const kept[] = { "managedFields", "resourceVersion", "generation",
		"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "uid" };
	json_auto_t *b = json_deep_copy(before), *a = json_deep_copy(after);
	json_t *shared = NULL;
	int r;

	for (size_t i = 0; i < COUNT(kept); i++) {
		json_object_del(get(b, "metadata"), kept[i]);
		json_object_del(get(a, "metadata"), kept[i]);
	}
	json_object_del(b, "status");
	json_object_del(a, "status");
	if ((r = take_back_object(b, a, now, &shared, "", err)) < 0)
		return r;
	*ret = json_deep_copy(shared);
	json_decref(shared);
	return 0;
}

/* --- managers ------------------------------------------------------------------------------ */

struct history {
	struct arena arena;
	struct managers before, after, was, now;
	const char *writer;
};

/* Of a status nothing was taken back: as now. */
static void
settle_subresource(struct history *h, struct manager *who)
{
	const struct manager *now = managers_find(&h->now, who);

	if (now)
		*who = *now;
}

/* What others have come to own since is theirs. */
static void
settle_other(struct history *h, struct manager *who)
{
	const struct manager *was = managers_find(&h->was, who),
			     *after = managers_find(&h->after, who),
			     *now = managers_find(&h->now, who);
	struct fieldset more;

	if (was && after && !fieldset_equal(&was->fields, &after->fields))
		*who = *was;
	if (!now)
		return;
	more = fieldset_minus(&h->arena, &now->fields, &who->fields);
	if (fieldset_empty(&more))
		return;
	who->fields = fieldset_union(&h->arena, &who->fields, &more);
	who->time = now->time;
	who->entry = NULL;
}

static void
settle(struct history *h)
{
	for (size_t i = 0; i < h->before.n; i++) {
		struct manager *who = &h->before.item[i];

		if (*who->subresource)
			settle_subresource(h, who);
		else if (!who->applied || strcmp(who->name, h->writer) != 0)
			settle_other(h, who);
	}
	for (size_t i = 0; i < h->now.n; i++) {
		struct manager *who = &h->now.item[i];

		if (managers_find(&h->before, who) || managers_find(&h->after, who) ||
		    strcmp(who->name, TAKEBACK_MANAGER) == 0)
			continue;
		*managers_get(&h->before, who) = *who;
	}
}

static int
read_managers(struct history *h, struct managers *m, const json_t *obj, struct err *err)
{
	return managers_read(m, &h->arena, get(obj, "metadata", "managedFields"), err);
}

int
takeback_managers(const json_t *before, const json_t *after, const json_t *was, const json_t *now,
    const char *writer, json_t **ret, struct err *err)
{
	struct history h = { .writer = writer };
	int r;

	if ((r = read_managers(&h, &h.before, before, err)) >= 0 &&
	    (r = read_managers(&h, &h.after, after, err)) >= 0 &&
	    (r = read_managers(&h, &h.was, was, err)) >= 0 &&
	    (r = read_managers(&h, &h.now, now, err)) >= 0) {
		settle(&h);
		*ret = managers_json(&h.before);
	}
	managers_release(&h.before);
	managers_release(&h.after);
	managers_release(&h.was);
	managers_release(&h.now);
	arena_release(&h.arena);
	return r < 0 ? r : 0;
}
