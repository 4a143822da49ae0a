#include "store/form.h"

#include <string.h>

#include "api/custom.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "api/table.h"
#include "base/json.h"
#include "base/jsonl.h"
#include "base/text.h"
#include "store/cache.h"

bool
shape_converts(const struct shape *s)
{
	return s->form >= FORM_TABLE;
}

bool
shape_is_kept(const struct shape *s)
{
	return s->form == FORM_JSON && !s->protobuf;
}

bool
shape_equal(const struct shape *a, const struct shape *b)
{
	return a->form == b->form && a->protobuf == b->protobuf && a->include == b->include &&
	       (!shape_converts(a) || strcmp(a->version, b->version) == 0);
}

bool
shape_shows_object(const struct shape *s)
{
	return !shape_converts(s) || (s->form == FORM_TABLE && s->include == INCLUDE_OBJECT);
}

/* The versions of a custom kind have columns each of its own. */
struct table *
shape_table(const struct shape *s, struct table *table, struct table *view)
{
	return shape_shows_object(s) || view->kind->custom ? view : table;
}

/* Metadata as it is inside: what only goes along with it on the wire is not there. */
static json_t *
plain_metadata(const json_t *obj)
{
	static const char wire_only[] = "deprecated.daemonset.template.generation";
	json_t *meta = json_object_get(obj, "metadata"), *notes;

	if (!meta)
		return json_object();
	if (!meta_annotation(obj, wire_only))
		return json_incref(meta);
	meta = json_copy(meta);
	notes = json_copy(json_object_get(meta, "annotations"));
	json_object_del(notes, wire_only);
	if (json_object_size(notes))
		json_object_set(meta, "annotations", notes);
	else
		json_object_del(meta, "annotations");
	json_decref(notes);
	return meta;
}

static json_t *
partial(const struct shape *s, const json_t *obj)
{
	return json_pack("{s:s,s:s,s:o}", "kind", "PartialObjectMetadata", "apiVersion", s->version,
	    "metadata", plain_metadata(obj));
}

json_t *
shape_columns(const struct kind *k)
{
	json_t *list = json_array();
	size_t n;
	const struct column *c = table_columns(k, &n);

	for (size_t i = 0; i < n; i++)
		json_array_append_new(
		    list, json_pack("{s:s,s:s,s:s,s:s,s:i}", "name", c[i].name, "type", c[i].type,
			      "format", c[i].format, "description",
			      k && k->custom ? k->custom->about[i] : c[i].name, "priority",
			      c[i].priority));
	return list;
}

static json_t *
row(const struct shape *s, const struct kind *k, json_t *obj, int64_t now)
{
	char version[128];
	json_t *beside = json_null();

	if (s->include == INCLUDE_METADATA)
		beside = partial(s, obj);
	if (s->include == INCLUDE_OBJECT) {
		json_object_set_new(obj, "kind", json_string(k->kind));
		json_object_set_new(obj, "apiVersion", json_string(kind_api_version(k, version)));
		beside = json_incref(obj);
	}
	return json_pack("{s:o,s:o*,s:o}", "cells", table_cells(k, obj, now), "conditions",
	    table_conditions(k, obj), "object", beside);
}

static json_t *
table(const struct shape *s, const struct kind *k, json_t *v, json_t *items, bool columns,
    int64_t now)
{
	json_t *rows = json_array(), *meta = json_object_get(v, "metadata"), *obj;
	size_t i;

	if (items)
		json_array_foreach (items, i, obj)
			json_array_append_new(rows, row(s, k, obj, now));
	else
		json_array_append_new(rows, row(s, k, v, now));
	return json_pack("{s:s,s:s,s:o,s:o,s:o}", "kind", "Table", "apiVersion", s->version,
	    "metadata",
	    items ? json_incref(meta)
		  : json_pack("{s:s}", "resourceVersion", text(meta, "resourceVersion")),
	    "columnDefinitions", columns ? shape_columns(k) : json_null(), "rows", rows);
}

static json_t *
partial_list(const struct shape *s, const json_t *v, const json_t *items)
{
	json_t *list = json_array(), *obj;
	size_t i;

	json_array_foreach (items, i, obj)
		json_array_append_new(list, partial(s, obj));
	return json_pack("{s:s,s:s,s:O,s:o}", "kind", "PartialObjectMetadataList", "apiVersion",
	    s->version, "metadata", json_object_get(v, "metadata"), "items", list);
}

json_t *
shape_convert(const struct shape *s, const struct kind *k, json_t *v, bool columns, int64_t now)
{
	const char *kind = text(v, "kind");
	json_t *items = text_ends(kind, "List") ? json_object_get(v, "items") : NULL, *out;

	if (strcmp(kind, "Status") == 0 || !k)
		return v;
	if (strcmp(kind, "Scale") == 0)
		k = kind_of_object(text(v, "apiVersion"), kind);
	if (s->form == FORM_TABLE)
		out = table(s, k, v, items, columns, now);
	else if (items)
		out = partial_list(s, v, items);
	else
		out = partial(s, v);
	json_decref(v);
	return out;
}

/* The frame of an event, e = {"type":..,"object":..}. */
static struct bytes *
event_frame(const json_t *e)
{
	autobuf struct buf object = BUF_INIT, frame = BUF_INIT;
	const char *type = text(e, "type");
	struct err err;

	if (protobuf_write(json_object_get(e, "object"), &object, &err) < 0) {
		json_auto_t *status = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i}", "kind", "Status",
		    "apiVersion", "v1", "status", "Failure", "reason", err_reason(err.code),
		    "message", err.msg, "code", err_http(err.code));

		type = "ERROR";
		protobuf_write(status, &object, &err);
	}
	protobuf_event(&frame, type, object.data, object.len);
	return bytes_new(frame.data, frame.len);
}

struct bytes *
shape_event(const struct shape *s, const struct kind *k, const char *event, size_t len,
    bool columns, int64_t now)
{
	struct buf b = BUF_INIT;
	struct bytes *out;
	char msg[128];
	json_t *e, *obj;
	size_t used;

	if (json_decode(event, len, &e, &used, msg) != JSON_FINE)
		return bytes_new(event, len);
	obj = json_incref(json_object_get(e, "object"));
	if (shape_converts(s))
		json_object_set_new(e, "object", shape_convert(s, k, obj, columns, now));
	else
		json_decref(obj);
	if (s->protobuf) {
		out = event_frame(e);
	} else {
		jsonl_add(&b, e);
		out = bytes_new(b.data, b.len);
		buf_release(&b);
	}
	json_decref(e);
	return out;
}
