/*
 * Does an object fit its schema?  The words are those of the API server's JSON decoder,
 * which names the innermost struct and the fields on the way: "json: cannot unmarshal
 * string into Go struct field Container.spec.containers.stdin of type bool".
 */
#include <stdint.h>
#include <string.h>

#include "api/golang.h"
#include "api/path.h"
#include "api/quantity.h"
#include "api/validate.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/time.h"

struct decoder {
	const struct kind *kind;
	struct causes *unknown; /* may be NULL */
	struct err *err;
	bool tree; /* decoded from a tree, as a strategic merge patch leaves one, not from text */
};

static int decode(struct decoder *d, const struct type *t, const json_t *v, const struct path *at,
    const char *holder);

static int __attribute__((format(printf, 2, 3))) refuse(struct decoder *d, const char *fmt, ...)
{
	autofree char *why = NULL;
	const struct kind *k = d->kind;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&why, fmt, ap) < 0)
		abort();
	va_end(ap);
	return err_set(d->err, ERR_BAD_REQUEST,
	    "%s in version \"%s\" cannot be handled as a %s: %s", k->kind, k->version, k->kind,
	    why);
}

/* "v1.PodSpec" of "core.v1.PodSpec". */
static const char *
short_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	while (dot && dot > name && dot[-1] != '.')
		dot--;
	return dot ? dot : name;
}

/* What Go calls a type: "int32", "[]v1.Container". */
static char *
go_type(const struct type *t)
{
	autofree char *elem = t->elem ? go_type(t->elem) : NULL;

	switch (t->class) {
	case CLASS_LIST:
		return xasprintf("[]%s", elem);
	case CLASS_MAP:
		return xasprintf("map[string]%s", elem);
	case CLASS_DOUBLE:
		return xstrdup("float64");
	case CLASS_BYTES:
		return xstrdup("[]uint8");
	case CLASS_TIME:
	case CLASS_MICROTIME:
	case CLASS_DURATION:
		return xstrdup("string");
	case CLASS_QUANTITY:
		return xstrdup("resource.Quantity");
	case CLASS_INT_OR_STRING:
		return xstrdup("int32");
	case CLASS_RAW:
	case CLASS_ANY:
		return xstrdup("map[string]interface {}");
	default:
		return xstrdup(t->class == CLASS_STRUCT ? short_name(t->name) : t->name);
	}
}

/* What Go calls the type of a value in a tree: its kind, or in full. */
static const char *
tree_type(const json_t *v, bool full)
{
	if (!full && json_is_object(v))
		return "map";
	if (!full && json_is_array(v))
		return "slice";
	return go_value_type(v);
}

/* The words of the converter from trees, which knows of no fields on the way. */
static int
mismatch_in_tree(struct decoder *d, const struct type *t, const json_t *v)
{
	autofree char *type = NULL;

	switch (t->class) {
	case CLASS_STRUCT:
		return refuse(d, "cannot restore struct from: %s", tree_type(v, false));
	case CLASS_MAP:
		return refuse(d, "cannot restore map from %s", tree_type(v, false));
	case CLASS_LIST:
	case CLASS_BYTES:
		return refuse(d, "cannot restore slice from %s", tree_type(v, false));
	case CLASS_STRING:
	case CLASS_BOOL:
	case CLASS_INT32:
	case CLASS_INT64:
	case CLASS_DOUBLE:
		type = go_type(t);
		return refuse(d, "cannot convert %s to %s", tree_type(v, true), type);
	default: /* these read text of their own, also there */
		type = go_type(t);
		return refuse(
		    d, "json: cannot unmarshal %s into Go value of type %s", go_json_type(v), type);
	}
}

static int
mismatch(struct decoder *d, const struct type *t, const json_t *v, const struct path *at,
    const char *holder)
{
	autofree char *type = go_type(t), *fields = path_fields(at), *literal = NULL;
	const char *name = strrchr(holder, '.');

	if (d->tree)
		return mismatch_in_tree(d, t, v);
	/* A number that would not fit is quoted. */
	if (json_is_number(v) && t->class != CLASS_STRING && t->class != CLASS_BOOL && !t->elem &&
	    t->class != CLASS_STRUCT)
		literal = json_dumps(v, JSON_ENCODE_ANY);
	if (!at)
		return refuse(
		    d, "json: cannot unmarshal %s into Go value of type %s", go_json_type(v), type);
	return refuse(d, "json: cannot unmarshal %s%s%s into Go struct field %s.%s of type %s",
	    go_json_type(v), literal ? " " : "", literal ? literal : "", name ? name + 1 : holder,
	    fields, type);
}

static int
decode_quantity(struct decoder *d, const json_t *v)
{
	autofree char *number = json_is_number(v) ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
	const char *text = number ? number : json_is_string(v) ? json_string_value(v) : "?";
	const char *p = text + (*text == '+' || *text == '-');

	if (quantity_valid(text))
		return 0;
	if (!strspn(p, "0123456789."))
		return refuse(d, "quantities must match the regular expression "
				 "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
	return refuse(d, "unable to parse quantity's suffix");
}

static int
decode_time(struct decoder *d, const struct type *t, const json_t *v, const struct path *at,
    const char *holder)
{
	const char *layout = t->class == CLASS_TIME ? "2006-01-02T15:04:05Z07:00"
						    : "2006-01-02T15:04:05.000000Z07:00";
	int64_t us;

	if (!json_is_string(v))
		return mismatch(d, t, v, at, holder);
	if (time_parse_micro(json_string_value(v), &us))
		return 0;
	return refuse(d, "parsing time \"%s\" as \"%s\": cannot parse \"%s\" as \"2006\"",
	    json_string_value(v), layout, json_string_value(v));
}

static int
decode_bytes(struct decoder *d, const struct type *t, const json_t *v, const struct path *at,
    const char *holder)
{
	size_t bad;

	if (!json_is_string(v))
		return mismatch(d, t, v, at, holder);
	if (bytes_valid(json_string_value(v), &bad))
		return 0;
	return refuse(d, "%sillegal base64 data at input byte %zu",
	    d->tree ? "error decoding from json: " : "", bad);
}

static int
decode_scalar(struct decoder *d, const struct type *t, const json_t *v, const struct path *at,
    const char *holder)
{
	json_int_t n = json_integer_value(v);
	bool fits32 = json_is_integer(v) && n >= INT32_MIN && n <= INT32_MAX, fits;

	switch (t->class) {
	case CLASS_STRING:
	case CLASS_DURATION:
		fits = json_is_string(v);
		break;
	case CLASS_BOOL:
		fits = json_is_boolean(v);
		break;
	case CLASS_INT32:
		fits = fits32;
		break;
	case CLASS_INT64:
		fits = json_is_integer(v);
		break;
	case CLASS_DOUBLE:
		fits = json_is_number(v);
		break;
	case CLASS_INT_OR_STRING:
		fits = fits32 || json_is_string(v);
		break;
	case CLASS_RAW:
		fits = json_is_object(v);
		break;
	default:
		fits = true;
	}
	return fits ? 0 : mismatch(d, t, v, at, holder);
}

static int
decode_struct(struct decoder *d, const struct type *t, const json_t *v, const struct path *at)
{
	const char *key;
	json_t *item;
	int r;

	json_object_foreach ((json_t *)v, key, item) {
		const struct field *f = type_field(t, key);

		if (!f) {
			autofree char *where = d->unknown ? path_print(AT(at, key)) : NULL;

			if (where)
				cause_add(d->unknown, "FieldValueInvalid", where,
				    "unknown field \"%s\"", where);
		} else if ((r = decode(d, f->type, item, AT(at, f->name), t->name)) < 0) {
			return r;
		}
	}
	return 0;
}

/* holder: the name of the innermost struct around v. */
static int
decode(struct decoder *d, const struct type *t, const json_t *v, const struct path *at,
    const char *holder)
{
	const char *key;
	size_t i;
	json_t *item;
	int r = 0;

	if (json_is_null(v))
		return 0;
	switch (t->class) {
	case CLASS_STRUCT:
		if (!json_is_object(v))
			return mismatch(d, t, v, at, holder);
		return decode_struct(d, t, v, at);
	case CLASS_LIST:
		if (!json_is_array(v))
			return mismatch(d, t, v, at, holder);
		json_array_foreach (v, i, item)
			if ((r = decode(d, t->elem, item, ITEM(at, i), holder)) < 0)
				return r;
		return 0;
	case CLASS_MAP:
		if (!json_is_object(v))
			return mismatch(d, t, v, at, holder);
		json_object_foreach ((json_t *)v, key, item)
			if ((r = decode(d, t->elem, item, KEY(at, key), holder)) < 0)
				return r;
		return 0;
	case CLASS_QUANTITY:
		return decode_quantity(d, v);
	case CLASS_TIME:
	case CLASS_MICROTIME:
		return decode_time(d, t, v, at, holder);
	case CLASS_BYTES:
		return decode_bytes(d, t, v, at, holder);
	default:
		return decode_scalar(d, t, v, at, holder);
	}
}

int
validate_types(const struct kind *k, const json_t *obj, struct causes *unknown, struct err *err)
{
	struct decoder d = { k, unknown, err, false };

	return decode(&d, k->type, obj, NULL, k->type->name);
}

int
validate_tree(const struct kind *k, const json_t *obj, struct causes *unknown, struct err *err)
{
	struct decoder d = { k, unknown, err, true };

	return decode(&d, k->type, obj, NULL, k->type->name);
}
