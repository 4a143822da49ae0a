/*
 * The schema of a value as the expression language sees it (Kubernetes calls it a declType): what
 * is an int or a string is anything, date-time is a timestamp, byte is bytes; fields whose schema
 * is not known are not there; names that are none in the language are escaped.
 */
#include <string.h>

#include "api/structural_rule.h"
#include "base/mem.h"
#include "base/text.h"
#include "cel/type.h"

/* What an object may be at most: sizes follow from it where a schema has no limit. */
enum { REQUEST = 3 * 1024 * 1024 };
enum { LONGEST_NAME = 300 };

/* A type, and how many bytes its shortest value takes. */
struct sized {
	const struct cel_type *type; /* NULL: nothing that expressions can see */
	int64_t least;
};

static struct sized of_node(struct arena *a, const struct node *n, bool resource, const char *name);

/* "a-b" is a__dash__b; NULL for what cannot be written. */
static const char *
escaped(struct arena *a, const char *name)
{
	static const char *const reserved[] = { "true", "false", "null", "in", "as", "break",
		"const", "continue", "else", "for", "function", "if", "import", "let", "loop",
		"package", "namespace", "return", "var", "void", "while", NULL };
	autobuf struct buf b = BUF_INIT;

	if (!*name || (*name >= '0' && *name <= '9'))
		return NULL;
	if (text_in(name, reserved)) {
		buf_printf(&b, "__%s__", name);
		return arena_text(a, b.data, b.len);
	}
	for (const char *p = name; *p; p++) {
		if (p[0] == '_' && p[1] == '_') {
			buf_puts(&b, "__underscores__");
			p++;
		} else if (*p == '.') {
			buf_puts(&b, "__dot__");
		} else if (*p == '-') {
			buf_puts(&b, "__dash__");
		} else if (*p == '/') {
			buf_puts(&b, "__slash__");
		} else if (*p == '_' || (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
			   (*p >= 'A' && *p <= 'Z')) {
			buf_putc(&b, *p);
		} else {
			return NULL;
		}
	}
	return arena_text(a, b.data, b.len);
}

static const char *
below(struct arena *a, const char *name, const char *part)
{
	autofree char *text = NULL;

	if (strlen(name) > LONGEST_NAME)
		return "object";
	text = xasprintf("%s.%s", name, part);
	return arena_text(a, text, strlen(text));
}

/* Of this type, and no longer than that. */
static struct cel_type *
limited(struct arena *a, const struct cel_type *type, int64_t most)
{
	struct cel_type *t = arena_alloc(a, sizeof *t);

	*t = *type;
	t->bounded = true;
	t->most = most < 0 ? 0 : (uint64_t)most;
	return t;
}

static int64_t
longest_choice(const json_t *choices)
{
	size_t i, most = 0;
	json_t *v;

	json_array_foreach (choices, i, v)
		if (json_is_string(v) && json_string_length(v) > most)
			most = json_string_length(v);
	return (int64_t)most;
}

static struct sized
of_string(struct arena *a, const struct node *n)
{
	enum { DATE = 12, TIME_MIN = 22, TIME_MAX = 27, DURATION_MIN = 3, DURATION_MAX = 32 };
	const char *format = n->format ? n->format : "";
	int64_t longest = n->max_length >= 0 ? n->max_length * 4
			  : n->enumeration   ? longest_choice(n->enumeration)
					     : REQUEST - 2;

	if (!strcmp(format, "byte"))
		return (struct sized){ limited(a, &cel_t_bytes,
					   n->max_length >= 0 ? n->max_length : REQUEST - 2),
			2 };
	if (!strcmp(format, "duration"))
		return (struct sized){ limited(a, &cel_t_duration, DURATION_MAX), DURATION_MIN };
	if (!strcmp(format, "date"))
		return (struct sized){ limited(a, &cel_t_timestamp, DATE), DATE };
	if (!strcmp(format, "date-time"))
		return (struct sized){ limited(a, &cel_t_timestamp, TIME_MAX), TIME_MIN };
	return (struct sized){ limited(a, &cel_t_string, longest), 2 };
}

static struct sized
of_list(struct arena *a, const struct node *n, const char *name)
{
	static const char *const none[] = { NULL };
	struct sized item = { NULL, 0 };
	struct cel_type *list;

	if (n->items)
		item = of_node(a, n->items, n->items->embedded, below(a, name, "@idx"));
	if (!item.type)
		return item;
	list = limited(a, cel_list_type(a, item.type),
	    n->max_items >= 0 ? n->max_items : (REQUEST - 2) / (item.least + 1));
	list->keys = n->list == LIST_SET ? none : n->list == LIST_MAP ? n->keys : NULL;
	return (struct sized){ list, 2 };
}

/* Names in a map count for nothing, however long they may be. */
static struct sized
of_map(struct arena *a, const struct node *n, const char *name)
{
	struct sized value =
	    of_node(a, n->additional, n->additional->embedded, below(a, name, "@elem"));

	if (!value.type)
		return value;
	return (struct sized){ limited(a, cel_map_type(a, limited(a, &cel_t_string, 0), value.type),
				   n->max_properties >= 0 ? n->max_properties
							  : (REQUEST - 2) / (value.least + 6)),
		2 };
}

static const struct cel_type *
metadata_type(struct arena *a)
{
	const struct cel_type *text = limited(a, &cel_t_string, REQUEST - 2);
	struct cel_field *field = arena_alloc(a, 2 * sizeof *field);
	struct cel_type *t = arena_alloc(a, sizeof *t);

	field[0] = (struct cel_field){ .name = "generateName", .type = text };
	field[1] = (struct cel_field){ .name = "name", .type = text };
	*t = (struct cel_type){ .kind = CEL_T_OBJECT,
		.name = "selfType.metadata",
		.field = field,
		.nfields = 2,
		.bounded = true };
	return t;
}

/* apiVersion, kind and the names in metadata are there whatever the schema says. */
static size_t
own_fields(struct arena *a, struct cel_field *field)
{
	const struct cel_type *text = limited(a, &cel_t_string, REQUEST - 2);

	field[0] = (struct cel_field){ .name = "apiVersion", .type = text };
	field[1] = (struct cel_field){ .name = "kind", .type = text };
	field[2] = (struct cel_field){ .name = "metadata", .type = metadata_type(a) };
	return 3;
}

static bool
needed(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->nrequired; i++)
		if (!strcmp(n->required[i], name))
			return true;
	return false;
}

static struct sized
of_object(struct arena *a, const struct node *n, bool resource, const char *name)
{
	static const char *const own[] = { "apiVersion", "kind", "metadata", NULL };
	struct cel_field *field = arena_alloc(a, (n->nproperties + 3) * sizeof *field);
	struct cel_type *t = arena_alloc(a, sizeof *t);
	size_t count = resource ? own_fields(a, field) : 0;
	int64_t least = 2;

	for (size_t i = 0; i < n->nproperties; i++) {
		const struct property *p = &n->property[i];
		struct sized part;
		const char *word;

		if (resource && text_in(p->name, own))
			continue;
		part = of_node(a, p->node, p->node->embedded, below(a, name, p->name));
		if (!part.type)
			continue;
		if ((word = escaped(a, p->name)))
			field[count++] = (struct cel_field){ word, part.type,
				strcmp(word, p->name) ? p->name : NULL };
		if (!p->node->dflt && needed(n, p->name))
			least += (int64_t)strlen(p->name) + part.least + 4;
	}
	*t = (struct cel_type){ .kind = CEL_T_OBJECT,
		.name = name,
		.field = field,
		.nfields = count,
		.bounded = true };
	return (struct sized){ t, least };
}

/* What has neither a length nor items is of no size, as in the real server: comparing whole objects
 * costs as little as comparing numbers. */
static const struct cel_type number = { .kind = CEL_T_DOUBLE, .name = "double", .bounded = true },
			     integer = { .kind = CEL_T_INT, .name = "int", .bounded = true },
			     boolean = { .kind = CEL_T_BOOL, .name = "bool", .bounded = true };

static struct sized
of_node(struct arena *a, const struct node *n, bool resource, const char *name)
{
	if (n->int_or_string)
		return (struct sized){ limited(a, &cel_t_dyn,
					   n->max_length >= 0 ? n->max_length * 4 : REQUEST - 2),
			1 };
	switch (n->types) {
	case IS_ARRAY:
		return of_list(a, n, name);
	case IS_OBJECT:
		return n->additional && !resource ? of_map(a, n, name)
						  : of_object(a, n, resource, name);
	case IS_STRING:
		return of_string(a, n);
	case IS_BOOLEAN:
		return (struct sized){ &boolean, 4 };
	case IS_NUMBER:
		return (struct sized){ &number, 1 };
	case IS_INTEGER:
		return (struct sized){ &integer, 1 };
	default:
		return (struct sized){ NULL, 0 };
	}
}

const struct cel_type *
node_cel_type(struct arena *a, const struct node *n, bool resource, int64_t *least)
{
	struct sized t = of_node(a, n, resource, "selfType");

	*least = t.least;
	return t.type;
}
