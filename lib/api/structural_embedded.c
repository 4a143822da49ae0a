/*
 * Objects within custom objects (x-kubernetes-embedded-resource): apiVersion, kind and metadata
 * are of fixed types whatever the schema says, as at the top.
 */
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/structural_node.h"
#include "base/mem.h"
#include "base/text.h"

struct coerce {
	const struct kind *meta; /* a kind that has the fields of metadata */
	struct buf *unknown;	 /* may be NULL */
	bool drop;		 /* what has the wrong type goes */
	struct err *err;
};

static int coerce(struct coerce *c, const struct node *n, const struct path *at, json_t *value);

static void
note_unknown(struct coerce *c, const struct path *at, const struct causes *paths)
{
	for (size_t i = 0; i < paths->n && c->unknown; i++) {
		autofree char *where = path_print(at),
			      *path = xasprintf("%s.%s", where, paths->item[i].field);

		buf_add(c->unknown, path, strlen(path) + 1);
	}
}

static int
wrong(struct coerce *c, const struct path *at, const json_t *v, const char *why)
{
	struct causes said = CAUSES_INIT;
	int r;

	refuse_value(&said, at, v, "%s", why);
	r = err_set(c->err, ERR_BAD_REQUEST, "%s: %s", said.item[0].field, said.item[0].message);
	causes_release(&said);
	return r;
}

/* What the decoder of metadata says, without the kind that it was asked of. */
static const char *
plain(const struct coerce *c, const char *msg)
{
	static const char unhandled[] = " cannot be handled as a ";
	const char *at = text_starts(msg, c->meta->kind) ? strstr(msg, unhandled) : NULL;

	at = at ? strstr(at + strlen(unhandled), ": ") : NULL;
	return at ? at + 2 : msg;
}

static int
coerce_metadata(struct coerce *c, const struct path *at, json_t *obj)
{
	json_t *m = json_object_get(obj, "metadata");
	struct causes unknown = CAUSES_INIT;
	struct err err;
	int r = 0;

	if (json_is_null(m)) {
		json_object_set_new(obj, "metadata", json_object());
	} else if (validate_types(c->meta, m, &unknown, &err) == 0) {
		note_unknown(c, at, &unknown);
		normalize_sent(c->meta, m);
	} else if (!c->drop) {
		json_auto_t *shown = sorted_copy(m);

		r = wrong(c, at, shown, plain(c, err.msg));
	}
	causes_release(&unknown);
	return r;
}

static int
coerce_resource(struct coerce *c, const struct path *at, json_t *obj)
{
	static const char *const words[] = { "apiVersion", "kind" };

	for (size_t i = 0; i < COUNT(words); i++) {
		const json_t *v = json_object_get(obj, words[i]);

		if (!v || json_is_string(v))
			continue;
		if (!c->drop)
			return wrong(c, AT(at, words[i]), v, "must be a string");
		json_object_del(obj, words[i]);
	}
	return json_object_get(obj, "metadata") ? coerce_metadata(c, AT(at, "metadata"), obj) : 0;
}

static int
coerce_fields(struct coerce *c, const struct node *n, const struct path *at, json_t *obj)
{
	const char *name;
	json_t *v;
	int r = 0;

	for (size_t i = 0; i < n->nproperties && r == 0; i++)
		if ((v = json_object_get(obj, n->property[i].name)))
			r = coerce(c, n->property[i].node, AT(at, n->property[i].name), v);
	if (n->additional)
		json_object_foreach (obj, name, v)
			if (r == 0 && !node_property(n, name))
				r = coerce(c, n->additional, KEY(at, name), v);
	return r;
}

static int
coerce(struct coerce *c, const struct node *n, const struct path *at, json_t *value)
{
	size_t i;
	json_t *item;
	int r = 0;

	if (!n->embedded_inside)
		return 0;
	if (json_is_object(value)) {
		if (n->embedded && at)
			r = coerce_resource(c, at, value);
		return r < 0 ? r : coerce_fields(c, n, at, value);
	}
	if (n->items)
		json_array_foreach (value, i, item)
			if ((r = coerce(c, n->items, ITEM(at, i), item)) < 0)
				break;
	return r;
}

int
structural_coerce(const struct structural *s, const struct kind *meta, json_t *obj,
    struct buf *unknown, struct err *err)
{
	struct coerce c = { meta, unknown, err == NULL, err };

	return coerce(&c, s->root, NULL, obj);
}
