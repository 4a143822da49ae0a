#include <string.h>

#include "api/changes.h"
#include "api/meta.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"

enum { TOPS = 3 };

struct diff {
	struct changes *out;
	size_t width;
	bool secret;
	struct buf path;
};

void
changes_release(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->line[i]);
	free(c->line);
	*c = (struct changes){ 0 };
}

static void
add_value(const struct diff *d, const json_t *v, struct buf *out)
{
	autobuf struct buf b = BUF_INIT;
	size_t len;

	if (json_is_string(v) && json_string_length(v) > 0 &&
	    !strpbrk(json_string_value(v), "\n\t"))
		buf_puts(&b, json_string_value(v));
	else
		json_add(&b, v);
	len = b.len;
	if (d->width && len > d->width) {
		len = d->width;
		while (len > 0 && ((unsigned char)b.data[len] & 0xc0) == 0x80)
			len--; /* not in the middle of a character */
	}
	if (d->secret && text_starts(d->path.data, "data"))
		buf_puts(out, "***");
	else
		buf_add(out, b.data, len);
	if (len < b.len)
		buf_puts(out, "...");
}

static void
add_line(struct diff *d, const json_t *before, const json_t *after)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, !before ? "+" : !after ? "-" : "");
	buf_puts(&b, d->path.data);
	if (after) {
		buf_puts(&b, ": ");
		if (before) {
			add_value(d, before, &b);
			buf_puts(&b, " -> ");
		}
		add_value(d, after, &b);
	}
	GROW(d->out->line, d->out->n, d->out->cap);
	d->out->line[d->out->n++] = buf_detach(&b);
}

/* --- paths ---------------------------------------------------------------------------------- */

static bool
plain_key(const char *key)
{
	return *key && !key[strcspn(key, ".[]\" /")];
}

static size_t
enter_field(struct diff *d, const char *key)
{
	size_t len = d->path.len;

	if (plain_key(key))
		buf_printf(&d->path, "%s%s", len ? "." : "", key);
	else
		buf_printf(&d->path, "[%s]", key);
	return len;
}

static void
leave(struct diff *d, size_t len)
{
	d->path.len = len;
	d->path.data[len] = '\0';
}

/* What the server writes by itself. */
static bool
noise(const char *path)
{
	static const char *const paths[] = { "metadata.managedFields", "metadata.resourceVersion",
		"metadata.generation", "status.observedGeneration",
		"metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]", NULL };

	return text_in(path, paths);
}

/* Labels and annotations are told one by one, also the first and the last of them. */
static bool
tags(const char *path)
{
	return text_ends(path, ".labels") || text_ends(path, ".annotations");
}

/* --- the walk ------------------------------------------------------------------------------- */

static void walk(struct diff *d, const json_t *before, const json_t *after);

static void
walk_object(struct diff *d, const json_t *before, const json_t *after)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)before, key, value) {
		size_t len = enter_field(d, key);

		walk(d, value, json_object_get(after, key));
		leave(d, len);
	}
	json_object_foreach ((json_t *)after, key, value) {
		size_t len = enter_field(d, key);

		if (!json_object_get(before, key))
			walk(d, NULL, value);
		leave(d, len);
	}
}

/* Has every item a text of this name, and no two the same? */
static bool
tells_apart(const json_t *list, const char *key)
{
	json_auto_t *seen = json_object();
	json_t *item;
	size_t i;

	json_array_foreach ((json_t *)list, i, item) {
		const char *name = str(json_object_get(item, key), NULL);

		if (!name || json_object_get(seen, name))
			return false;
		json_object_set_new(seen, name, json_true());
	}
	return true;
}

static const char *
key_of_lists(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "name", "type", "key", "mountPath", "uid", "ip" };

	for (size_t i = 0; i < COUNT(keys); i++)
		if (tells_apart(a, keys[i]) && tells_apart(b, keys[i]))
			return keys[i];
	return NULL;
}

static const json_t *
item_of(const json_t *list, const char *key, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach ((json_t *)list, i, item)
		if (strcmp(text(item, key), name) == 0)
			return item;
	return NULL;
}

static void
walk_keyed(struct diff *d, const json_t *before, const json_t *after, const char *key)
{
	size_t i, len = d->path.len;
	json_t *item;

	json_array_foreach ((json_t *)before, i, item) {
		const char *name = text(item, key);

		buf_printf(&d->path, "[%s]", name);
		walk(d, item, item_of(after, key, name));
		leave(d, len);
	}
	json_array_foreach ((json_t *)after, i, item) {
		const char *name = text(item, key);

		buf_printf(&d->path, "[%s]", name);
		if (!item_of(before, key, name))
			walk(d, NULL, item);
		leave(d, len);
	}
}

static void
walk_list(struct diff *d, const json_t *before, const json_t *after)
{
	const char *key = key_of_lists(before, after);
	size_t n = json_array_size(before), m = json_array_size(after), len = d->path.len;

	if (key && n + m > 0) {
		walk_keyed(d, before, after, key);
		return;
	}
	for (size_t i = 0; i < n || i < m; i++) {
		buf_printf(&d->path, "[%zu]", i);
		walk(d, json_array_get(before, i), json_array_get(after, i));
		leave(d, len);
	}
}

static void
walk(struct diff *d, const json_t *before, const json_t *after)
{
	if (noise(d->path.data) || (before && after && json_equal(before, after)))
		return;
	if ((json_is_object(before) && json_is_object(after)) ||
	    (tags(d->path.data) && (!before || !after) && json_is_object(before ? before : after)))
		walk_object(d, before, after);
	else if (json_is_array(before) && json_is_array(after))
		walk_list(d, before, after);
	else
		add_line(d, before, after);
}

/* The part of an object that comes in this turn: what it is meant to be, metadata, status. */
static json_t *
part_of(const json_t *obj, int turn)
{
	static const char *const tops[TOPS] = { NULL, "metadata", "status" };
	json_t *part = json_object(), *value;
	const char *key;

	json_object_foreach ((json_t *)obj, key, value) {
		int at = strcmp(key, "metadata") == 0 ? 1 : strcmp(key, "status") == 0 ? 2 : 0;

		if (at == turn && (!tops[turn] || value))
			json_object_set(part, key, value);
	}
	return part;
}

void
changes_between(struct changes *c, const json_t *before, const json_t *after, size_t width)
{
	struct diff d = { .out = c, .width = width, .path = BUF_INIT };

	d.secret = strcmp(text(after, "kind"), "Secret") == 0;
	buf_puts(&d.path, "");
	for (int turn = 0; turn < TOPS; turn++) {
		json_auto_t *a = part_of(before, turn), *b = part_of(after, turn);

		walk_object(&d, a, b);
	}
	buf_release(&d.path);
}

void
changes_summary(const struct changes *c, size_t most, struct buf *out)
{
	for (size_t i = 0; i < c->n && i < most; i++)
		buf_printf(out, "%s%s", i ? ", " : "", c->line[i]);
	if (c->n > most)
		buf_printf(out, ", and %zu more", c->n - most);
}

/* --- who ------------------------------------------------------------------------------------ */

static bool
same_text(const json_t *a, const json_t *b, const char *key)
{
	return strcmp(text(a, key), text(b, key)) == 0;
}

/*
 * How likely it is that this entry's manager has made the change: 2 when it is new or has a new
 * time, 1 when only its fields are others (it may have lost some, or wrote twice within a second).
 */
static int
likely(const json_t *before, const json_t *entry)
{
	json_t *other;
	size_t i;

	json_array_foreach (get(before, "metadata", "managedFields"), i, other)
		if (same_text(other, entry, "manager") && same_text(other, entry, "operation") &&
		    same_text(other, entry, "subresource") && same_text(other, entry, "time"))
			return json_equal(other, entry) ? 0 : 1;
	return 2;
}

void
changes_by(const json_t *before, const json_t *after, const char **who, const char **when)
{
	const json_t *best = NULL;
	int how = 0;
	json_t *entry;
	size_t i;

	json_array_foreach (get(after, "metadata", "managedFields"), i, entry) {
		int this = likely(before, entry);

		if (best && this < how)
			continue;
		if (!best || this > how || strcmp(text(entry, "time"), text(best, "time")) >= 0)
			best = entry;
		how = this > how ? this : how;
	}
	*who = text(best, "manager");
	*when = text(best, "time");
	if (!before && !**when)
		*when = meta_created(after);
}
