/* A custom kind's schema as tables (api/schema.h), and as what OpenAPI publishes. */
#include <string.h>

#include "api/meta.h"
#include "api/structural_node.h"
#include "api/typed.h"
#include "base/mem.h"

enum { LONGEST = 200 };

static const struct type *of_node(struct arena *a, const struct node *n, bool root);

static const struct type string = { .name = "string", .class = CLASS_STRING, .summary = "" };

static const struct type *
scalar(const struct node *n)
{
	static const struct type
	    integer = { .name = "integer", .class = CLASS_INT64, .summary = "" },
	    real = { .name = "number", .class = CLASS_DOUBLE, .summary = "" },
	    boolean = { .name = "boolean", .class = CLASS_BOOL, .summary = "" },
	    either = { .name = "int-or-string", .class = CLASS_INT_OR_STRING, .summary = "" };

	return n->int_or_string		? &either
	       : n->types == IS_STRING	? &string
	       : n->types == IS_INTEGER ? &integer
	       : n->types == IS_NUMBER	? &real
	       : n->types == IS_BOOLEAN ? &boolean
					: NULL;
}

static char *
printed(struct arena *a, const char *fmt, const char *what)
{
	autofree char *text = NULL;

	if (asprintf(&text, fmt, what) < 0)
		abort();
	return arena_text(a, text, strlen(text));
}

static const char *const *
strings_of(struct arena *a, const json_t *list)
{
	const char **ret;
	size_t i, n = 0;
	json_t *item;

	if (!list)
		return NULL;
	ret = arena_alloc(a, (json_array_size(list) + 1) * sizeof *ret);
	json_array_foreach (list, i, item)
		if (json_is_string(item))
			ret[n++] = json_string_value(item);
	ret[n] = NULL;
	return n == json_array_size(list) ? ret : NULL;
}

static struct field
field_of(struct arena *a, const char *name, const struct node *n)
{
	autofree char *dflt = n->dflt ? json_dumps(n->dflt, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	return (struct field){
		.name = name,
		.type = of_node(a, n, false),
		.summary = n->summary,
		.list = n->list,
		.list_keys = n->list == LIST_MAP ? n->keys : NULL,
		.dflt = dflt ? arena_text(a, dflt, strlen(dflt)) : NULL,
		.values = strings_of(a, n->enumeration),
		.pointer = true,
		.marked = n->list_typed || n->atomic,
	};
}

static unsigned long long
lead_of(const char *name)
{
	unsigned long long lead = 0;
	int i = 0;

	for (; i < 8 && name[i]; i++)
		lead = lead << 8 | (unsigned char)name[i];
	return i ? lead << 8 * (8 - i) % 64 : 0;
}

/* Every object has these, described or not. */
static struct field
own_field(const char *name)
{
	return (struct field){ .name = name,
		.summary = "",
		.pointer = true,
		.type = strcmp(name, "metadata") ? &string : type_find("meta.v1.ObjectMeta") };
}

static bool
has_name(const struct field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(fields[i].name, name))
			return true;
	return false;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct field *)a)->name, ((const struct field *)b)->name);
}

static bool
needed(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->nrequired; i++)
		if (!strcmp(n->required[i], name))
			return true;
	return false;
}

static const struct type *
of_struct(struct arena *a, const struct node *n, bool resource)
{
	static const char *const own[] = { "apiVersion", "kind", "metadata" };
	struct field *fields = arena_alloc(a, (n->nproperties + 3) * sizeof *fields);
	unsigned long long *leads = arena_alloc(a, (n->nproperties + 3) * sizeof *leads);
	struct type *t = arena_alloc(a, sizeof *t);
	size_t count = 0;

	for (size_t i = 0; i < n->nproperties; i++) {
		const char *name = n->property[i].name;

		if (resource && !strcmp(name, "metadata"))
			continue;
		fields[count] = field_of(a, name, n->property[i].node);
		fields[count++].required = needed(n, name);
	}
	for (size_t i = 0; resource && i < COUNT(own); i++)
		if (!has_name(fields, count, own[i]))
			fields[count++] = own_field(own[i]);
	qsort(fields, count, sizeof *fields, by_name);
	for (size_t i = 0; i < count; i++)
		leads[i] = lead_of(fields[i].name);
	*t = (struct type){ .name = "Object",
		.class = CLASS_STRUCT,
		.fields = fields,
		.nfields = count,
		.atomic = n->atomic,
		.summary = n->summary,
		.leads = leads,
		.open = n->preserve || n->open };
	return t;
}

static const struct type *
of_several(struct arena *a, enum type_class class, const struct node *n, const struct node *item)
{
	struct type *t = arena_alloc(a, sizeof *t);
	const struct type *elem = of_node(a, item, false);

	*t = (struct type){
		.class = class, .elem = elem, .atomic = n->atomic, .summary = n->summary
	};
	t->name = printed(a, class == CLASS_LIST ? "[]%s" : "map[string]%s",
	    strlen(elem->name) < LONGEST ? elem->name : "Object");
	return t;
}

static const struct type *
of_node(struct arena *a, const struct node *n, bool root)
{
	const struct type *t = scalar(n);

	if (t)
		return t;
	if (n->types == IS_ARRAY && n->items)
		return of_several(a, CLASS_LIST, n, n->items);
	if (root || n->embedded || n->nproperties)
		return of_struct(a, n, root || n->embedded);
	if (n->additional)
		return of_several(a, CLASS_MAP, n, n->additional);
	if (n->preserve || n->open || n->types != IS_OBJECT) {
		struct type *atomic;

		if (!n->atomic)
			return &type_deduced;
		atomic = arena_alloc(a, sizeof *atomic);
		*atomic = type_deduced;
		return atomic;
	}
	return of_struct(a, n, false);
}

const struct type *
node_type(struct arena *a, const struct node *root)
{
	return of_node(a, root, true);
}
