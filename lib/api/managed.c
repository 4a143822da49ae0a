/* metadata.managedFields, read and written. */
#include "api/managed.h"

#include <string.h>

#include "api/cause.h"
#include "api/meta.h"
#include "base/mem.h"
#include "base/time.h"

static int
read_entry(struct arena *a, const json_t *entry, size_t i, struct manager *ret, struct err *err)
{
	const char *operation = text(entry, "operation"), *type = text(entry, "fieldsType");
	const json_t *fields = json_object_get(entry, "fieldsV1");

	*ret = (struct manager){
		.name = text(entry, "manager"),
		.version = text(entry, "apiVersion"),
		.subresource = text(entry, "subresource"),
		.time = text(entry, "time"),
		.applied = strcmp(operation, "Apply") == 0,
		.entry = entry,
	};
	if (!ret->applied && strcmp(operation, "Update") != 0)
		return err_set(err, ERR_INVALID, "operation must be `Apply` or `Update`");
	if (!*ret->version)
		return err_set(err, ERR_INVALID, "apiVersion must not be empty");
	if (!*type)
		return err_set(
		    err, ERR_INVALID, "missing fieldsType in managed fields entry %zu", i);
	if (strcmp(type, "FieldsV1") != 0)
		return err_set(err, ERR_INVALID,
		    "invalid fieldsType \"%s\" in managed fields entry %zu", type, i);
	return fields ? fieldset_read(a, fields, &ret->fields, err) : 0;
}

int
managers_read(struct managers *m, struct arena *a, const json_t *entries, struct err *err)
{
	struct managers ret = { .arena = a };
	json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		struct manager who, *there;
		int r = read_entry(a, entry, i, &who, err);

		if (r < 0) {
			managers_release(&ret);
			return r;
		}
		if ((there = managers_find(&ret, &who))) {
			*there = who;
			continue;
		}
		GROW(ret.item, ret.n, ret.cap);
		ret.item[ret.n++] = who;
	}
	*m = ret;
	return 0;
}

void
managers_release(struct managers *m)
{
	free(m->item);
	m->item = NULL;
	m->n = m->cap = 0;
}

struct manager *
managers_find(struct managers *m, const struct manager *who)
{
	for (size_t i = 0; i < m->n; i++) {
		struct manager *one = &m->item[i];

		if (one->applied == who->applied && strcmp(one->name, who->name) == 0 &&
		    strcmp(one->subresource, who->subresource) == 0 &&
		    (one->applied || strcmp(one->version, who->version) == 0))
			return one;
	}
	return NULL;
}

struct manager *
managers_get(struct managers *m, const struct manager *who)
{
	struct manager *one = managers_find(m, who);

	if (one)
		return one;
	GROW(m->item, m->n, m->cap);
	m->item[m->n] = *who;
	m->item[m->n].fields = (struct fieldset)FIELDSET_EMPTY;
	m->item[m->n].entry = NULL;
	return &m->item[m->n++];
}

void
managers_drop_empty(struct managers *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (!fieldset_empty(&m->item[i].fields))
			m->item[n++] = m->item[i];
	m->n = n;
}

/* Seconds are what counts: that is how exact times are kept. */
static int64_t
seconds(const struct manager *who)
{
	int64_t t = 0;

	return *who->time && time_parse(who->time, &t) ? t : 0;
}

int
manager_cmp(const struct manager *a, const struct manager *b)
{
	int c = strcmp(a->name, b->name);

	c = c ? c : b->applied - a->applied;
	c = c || a->applied ? c : strcmp(a->version, b->version);
	return c ? c : strcmp(a->subresource, b->subresource);
}

static int
by_age(const void *a, const void *b)
{
	const struct manager *x = *(struct manager *const *)a, *y = *(struct manager *const *)b;
	int64_t s = seconds(x), t = seconds(y);

	return s != t ? (s < t ? -1 : 1) : manager_cmp(x, y);
}

/* The oldest updates with the same version become one, until there are few enough. */
void
managers_cap(struct managers *m)
{
	struct manager **old = arena_alloc(m->arena, (m->n + 1) * sizeof(struct manager *));
	size_t n = 0, left;

	for (size_t i = 0; i < m->n; i++)
		if (!m->item[i].applied)
			old[n++] = &m->item[i];
	if (n <= MANAGERS_UPDATING)
		return;
	qsort(old, n, sizeof(struct manager *), by_age);
	left = n;
	for (size_t i = 1; i < n && left > MANAGERS_UPDATING; i++)
		for (size_t j = 0; j < i; j++) {
			if (!old[j]->fields.n || strcmp(old[i]->version, old[j]->version) != 0)
				continue;
			old[j]->name = "ancient-changes";
			old[j]->subresource = "";
			old[j]->time = old[i]->time;
			old[j]->entry = NULL;
			old[j]->fields = fieldset_union(m->arena, &old[j]->fields, &old[i]->fields);
			old[i]->fields = (struct fieldset)FIELDSET_EMPTY;
			left--;
			break;
		}
	managers_drop_empty(m);
}

void
manager_print(const struct manager *who, struct buf *out)
{
	text_quote(out, who->name);
	if (*who->subresource) {
		buf_puts(out, " with subresource ");
		text_quote(out, who->subresource);
	}
	if (!who->applied)
		buf_printf(out, " using %s", who->version);
}

/* By operation, time, manager, version, subresource. */
static int
by_place(const void *a, const void *b)
{
	const struct manager *x = a, *y = b;
	int64_t s, t;
	int c;

	if (x->applied != y->applied)
		return y->applied - x->applied;
	s = seconds(x);
	t = seconds(y);
	if (s != t)
		return s < t ? -1 : 1;
	c = strcmp(x->name, y->name);
	c = c ? c : strcmp(x->version, y->version);
	return c ? c : strcmp(x->subresource, y->subresource);
}

static json_t *
write_entry(const struct manager *who)
{
	json_t *e = json_object();

	if (*who->name)
		json_object_set_new(e, "manager", json_string(who->name));
	json_object_set_new(e, "operation", json_string(who->applied ? "Apply" : "Update"));
	json_object_set_new(e, "apiVersion", json_string(who->version));
	if (*who->time)
		json_object_set_new(e, "time", json_string(who->time));
	json_object_set_new(e, "fieldsType", json_string("FieldsV1"));
	json_object_set_new(e, "fieldsV1", fieldset_json(&who->fields));
	if (*who->subresource)
		json_object_set_new(e, "subresource", json_string(who->subresource));
	return e;
}

json_t *
managers_json(struct managers *m)
{
	json_t *ret;

	if (!m->n)
		return NULL;
	ret = json_array();
	qsort(m->item, m->n, sizeof *m->item, by_place);
	for (size_t i = 0; i < m->n; i++)
		json_array_append_new(ret, m->item[i].entry
					       ? json_incref((json_t *)m->item[i].entry)
					       : write_entry(&m->item[i]));
	return ret;
}
