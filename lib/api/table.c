/*
 * Rows as kubectl shows them: which cells a kind has is the schema's, what is in them is here and
 * in the files table_*.c.
 */
#include <stdio.h>
#include <string.h>

#include "api/convert.h"
#include "api/custom.h"
#include "api/jsonpath.h"
#include "api/meta.h"
#include "api/selector.h"
#include "api/table.h"
#include "api/table_cells.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/time.h"

/* Of kinds that say nothing themselves: ours as the API server does, unknown ones as CRDs. */
static const struct column plain_columns[] = {
	{ "Name", "string", "name", 0, ".metadata.name" },
	{ "Created At", "date", "", 0, ".metadata.creationTimestamp" },
};
static const struct column unknown_columns[] = {
	{ "Name", "string", "name", 0, ".metadata.name" },
	{ "Age", "date", "", 0, ".metadata.creationTimestamp" },
};

const struct column *
table_columns(const struct kind *k, size_t *n)
{
	if (k && k->ncolumns > 0) {
		*n = k->ncolumns;
		return k->columns;
	}
	*n = COUNT(plain_columns);
	return k ? plain_columns : unknown_columns;
}

/* --- what the cells have in common ---------------------------------------------- */

const char *
since(const char *time, int64_t now, char buf[static 40])
{
	int64_t then;

	if (!time_parse(time, &then))
		return "<unknown>";
	return duration_print(now - then, buf);
}

json_t *
cell_since(const char *time, int64_t now)
{
	char buf[TIME_TEXT];

	return json_string(since(time, now, buf));
}

json_t *
cell_buf(struct buf *b)
{
	json_t *v = json_stringn(b->len ? b->data : "", b->len);

	buf_release(b);
	return v;
}

void
join(struct buf *b, const char *sep, const char *item)
{
	if (b->len > 0)
		buf_puts(b, sep);
	buf_puts(b, item);
}

void
join_all(struct buf *b, const json_t *list, const char *key)
{
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item) {
		if (i > 0)
			buf_putc(b, ',');
		buf_puts(b, str(key ? json_object_get(item, key) : item, ""));
	}
}

void
add_labels(struct buf *b, const json_t *labels)
{
	size_t n;
	autofree const char **keys = json_sorted_keys(labels, &n);

	if (n == 0)
		buf_puts(b, "<none>");
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%s=%s", i > 0 ? "," : "", keys[i],
		    str(json_object_get(labels, keys[i]), ""));
}

json_t *
cell_selector(const json_t *label_selector)
{
	struct selector *s;
	struct err err;
	char *text;
	json_t *v;

	if (!label_selector)
		return json_string("<none>");
	if (selector_from_json(&s, label_selector, &err) < 0)
		return json_string("<error>");
	text = selector_print(s);
	v = json_string(*text ? text : "<none>");
	free(text);
	selector_free(s);
	return v;
}

json_t *
value_at(const json_t *obj, const char *path)
{
	while (obj && *path) {
		size_t len = strcspn(path, ".");

		obj = json_object_getn(obj, path, len);
		path += len + (path[len] == '.');
	}
	return (json_t *)obj;
}

/* --- one cell ---------------------------------------------------------------------- */

static json_t *
from_field(const struct cell *c, const json_t *obj)
{
	json_t *v = value_at(obj, c->path);

	if (c->type == CELL_INT)
		return json_integer(num(v, c->number));
	if (c->type == CELL_BOOL)
		return json_boolean(json_is_boolean(v) ? json_is_true(v) : c->number != 0);
	if (json_is_number(v))
		return json_incref(v);
	return json_string(*str(v, "") ? str(v, "") : c->text);
}

/* A column that is a path: what a CRD's additionalPrinterColumns say. */
static json_t *
from_path(const struct column *col, const json_t *obj, int64_t now)
{
	struct jsonpath *p;
	struct found f = FOUND_INIT;
	struct err err;
	json_t *v = NULL;

	if (jsonpath_parse_path(&p, col->path, &err) < 0)
		return json_null();
	if (jsonpath_find(p, (json_t *)obj, &f, &err) == 0 && f.n > 0) {
		autobuf struct buf b = BUF_INIT;

		if (f.n == 1 && (json_is_number(f.item[0]) || json_is_boolean(f.item[0]))) {
			v = json_incref(f.item[0]);
		} else if (strcmp(col->type, "date") == 0 && strcmp(col->name, "Created At") != 0) {
			v = cell_since(str(f.item[0], ""), now);
		} else {
			for (size_t i = 0; i < f.n; i++) {
				if (i > 0)
					buf_putc(&b, ',');
				jsonpath_text(&b, f.item[i]);
			}
			v = json_stringn(b.len ? b.data : "", b.len);
		}
	}
	found_release(&f);
	jsonpath_free(p);
	return v ? v : json_null();
}

static const struct cell *
row_of(const struct kind *k)
{
	static const struct cells *const tables[] = { workload_cells, cluster_cells, network_cells,
		storage_cells, scale_cells, admission_cells };

	for (size_t i = 0; i < COUNT(tables); i++)
		for (const struct cells *c = tables[i]; c->kind; c++)
			if (strcmp(c->kind, k->kind) == 0 && strcmp(c->group, k->group) == 0)
				return c->cells;
	return NULL;
}

static json_t *
cell(const struct column *col, const struct cell *row, const json_t *obj, int64_t now)
{
	for (; row && row->column; row++)
		if (strcmp(row->column, col->name) == 0)
			return row->make ? row->make(obj, now) : from_field(row, obj);
	if (strcmp(col->name, "Age") == 0)
		return cell_since(meta_created(obj), now);
	if (strcmp(col->name, "Name") == 0)
		return json_string(meta_name(obj));
	return col->path ? from_path(col, obj, now) : json_string("");
}

json_t *
table_cells(const struct kind *k, const json_t *obj, int64_t now)
{
	bool ours = k && !k->custom;
	json_auto_t *kept = ours ? convert_copy(obj, k, kind_stored(k)) : NULL;
	const struct cell *row = ours ? row_of(kind_stored(k)) : NULL;
	json_t *cells = json_array();
	size_t n;
	const struct column *cols = table_columns(k, &n);

	for (size_t i = 0; i < n; i++) {
		json_t *v = k && k->custom ? custom_cell(&cols[i], obj, now)
					   : cell(&cols[i], row, kept ? kept : obj, now);

		/* a text that was cut inside a character is none */
		json_array_append_new(cells, v ? v : json_null());
	}
	for (; row && row->column; row++)
		if (!*row->column)
			json_array_append_new(cells, row->make(kept ? kept : obj, now));
	return cells;
}

json_t *
table_conditions(const struct kind *k, const json_t *obj)
{
	const char *phase = text(obj, "status", "phase");
	bool done = !strcmp(phase, "Succeeded");

	if (!k || strcmp(k->kind, "Pod") || *k->group || (!done && strcmp(phase, "Failed")))
		return NULL;
	return json_pack("[{s:s,s:s,s:s,s:s}]", "type", "Completed", "status", "True", "reason",
	    phase, "message", done ? "The pod has completed successfully." : "The pod failed.");
}
