/* The one form in which an object is kept. */
#include <string.h>

#include "api/quantity.h"
#include "api/validate.h"
#include "base/mem.h"
#include "base/text.h"

/* sent: an empty list stays where null is written otherwise. */
static void normalize_value(const struct type *t, json_t *value, bool sent);

/* The replacement for a value that has one (new), or NULL. */
static json_t *
canonical(const struct type *t, const json_t *value)
{
	autofree char *text = NULL, *plain = NULL;

	if (t->class != CLASS_QUANTITY)
		return NULL;
	if (json_is_null(value)) /* in a map; a field would be gone */
		return json_string("0");
	if (json_is_number(value))
		plain = json_dumps(value, JSON_ENCODE_ANY);
	text = quantity_canonical(plain			  ? plain
				  : json_is_string(value) ? json_string_value(value)
							  : "");
	if (!text || (!plain && !strcmp(text, json_string_value(value))))
		return NULL;
	return json_string(text);
}

/* Lists and maps without anything in them are as good as none: defaults see no difference either.
 */
static bool
is_empty(const json_t *v)
{
	return (json_is_array(v) && !json_array_size(v)) ||
	       (json_is_object(v) && !json_object_size(v));
}

/* Some lists and times are written as null when there is nothing in them. */
static bool
null_is_kept(const struct field *f)
{
	return f->dflt && !strcmp(f->dflt, "null");
}

/*
 * Go cannot tell a zero from nothing unless the field is a pointer, and writes neither.  Types
 * without protobuf are not Go's: there zero is a value like any other.
 */
static bool
means_nothing(const struct type *t, const struct field *f, const json_t *v)
{
	static const char *const zeros[] = { "\"\"", "0", "false", NULL };

	if (t->nwire == 0 || f->pointer || f->required || f->type->class > CLASS_INT_OR_STRING ||
	    (f->dflt && text_in(f->dflt, zeros)))
		return false;
	if (json_is_string(v))
		return json_string_length(v) == 0 &&
		       (f->type->class == CLASS_STRING || f->type->class == CLASS_BYTES);
	return json_is_false(v) || (json_is_number(v) && json_number_value(v) == 0);
}

/* Of a schema even no dependencies at all are refused, when it says so. */
static bool
stays(const struct field *f, const json_t *item, bool sent)
{
	return sent &&
	       ((json_is_array(item) && null_is_kept(f)) ||
		   !strcmp(f->type->elem->name, "apiextensions.v1.JSONSchemaPropsOrStringArray"));
}

static void
normalize_struct(const struct type *t, json_t *obj, bool sent)
{
	const char *key;
	void *next;
	json_t *item, *better;

	json_object_foreach_safe(obj, next, key, item)
	{
		const struct field *f = type_field(t, key);

		if (!f || (json_is_null(item) && !null_is_kept(f)) ||
		    (f->type->elem && is_empty(item) && !stays(f, item, sent)) ||
		    means_nothing(t, f, item))
			json_object_del(obj, key);
		else if ((better = canonical(f->type, item)))
			json_object_set_new(obj, key, better);
		else
			normalize_value(f->type, item, sent);
	}
}

/* Of resources nothing less than a thousandth counts. */
static void
round_up(json_t *map, const char *key)
{
	const json_t *v = json_object_get(map, key);
	size_t n = json_string_length(v);
	char unit = n ? json_string_value(v)[n - 1] : '\0';
	autofree char *text = NULL;

	if (unit != 'u' && unit != 'n')
		return;
	text = quantity_print_milli(quantity_milli(v), QUANTITY_DECIMAL);
	json_object_set_new(map, key, json_string(text));
}

/* A null in a map is the element's zero value: "" in a map of strings, "0" in one of quantities. */
static void
normalize_map(const struct type *elem, json_t *map, bool sent)
{
	const char *key;
	json_t *item, *better;

	json_object_foreach (map, key, item) {
		if (json_is_null(item) &&
		    (elem->class == CLASS_STRING || elem->class == CLASS_BYTES))
			json_object_set_new(map, key, json_string(""));
		else if ((better = canonical(elem, item)))
			json_object_set_new(map, key, better);
		else
			normalize_value(elem, item, sent);
		if (elem->class == CLASS_QUANTITY)
			round_up(map, key);
	}
}

static void
normalize_value(const struct type *t, json_t *value, bool sent)
{
	size_t i;
	json_t *item, *better;

	if (t->class == CLASS_STRUCT && json_is_object(value))
		normalize_struct(t, value, sent);
	else if (t->class == CLASS_MAP && json_is_object(value))
		normalize_map(t->elem, value, sent);
	else if (t->class == CLASS_LIST && json_is_array(value))
		json_array_foreach (value, i, item) {
			if ((better = canonical(t->elem, item)))
				json_array_set_new(value, i, better);
			else
				normalize_value(t->elem, item, sent);
		}
}

void
normalize(const struct kind *k, json_t *obj)
{
	if (!k->custom) /* of custom kinds nothing is as good as nothing */
		normalize_value(k->type, obj, false);
}

void
normalize_sent(const struct kind *k, json_t *obj)
{
	if (!k->custom)
		normalize_value(k->type, obj, true);
}

static void
forget_empty(const struct type *t, json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (t->class != CLASS_STRUCT && t->class != CLASS_LIST && t->class != CLASS_MAP)
		return;
	json_array_foreach (value, i, item)
		forget_empty(t->elem, item);
	json_object_foreach (value, key, item) {
		const struct field *f = t->class == CLASS_STRUCT ? type_field(t, key) : NULL;
		const struct type *below = f ? f->type : t->class == CLASS_MAP ? t->elem : NULL;

		if (f && json_is_array(item) && json_array_size(item) == 0 && null_is_kept(f))
			json_object_set_new(value, key, json_null());
		else if (below)
			forget_empty(below, item);
	}
}

void
normalize_kept(const struct kind *k, json_t *obj)
{
	if (!k->custom)
		forget_empty(k->type, obj);
}
