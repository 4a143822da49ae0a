/* Types: the simple ones, their printing, signatures of functions. */
#include "cel/type.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const struct cel_type cel_t_dyn = { .kind = CEL_T_DYN, .name = "dyn" },
		      cel_t_null = { .kind = CEL_T_NULL, .name = "null" },
		      cel_t_bool = { .kind = CEL_T_BOOL, .name = "bool" },
		      cel_t_int = { .kind = CEL_T_INT, .name = "int" },
		      cel_t_uint = { .kind = CEL_T_UINT, .name = "uint" },
		      cel_t_double = { .kind = CEL_T_DOUBLE, .name = "double" },
		      cel_t_string = { .kind = CEL_T_STRING, .name = "string" },
		      cel_t_bytes = { .kind = CEL_T_BYTES, .name = "bytes" },
		      cel_t_timestamp = { .kind = CEL_T_TIMESTAMP, .name = "timestamp" },
		      cel_t_duration = { .kind = CEL_T_DURATION, .name = "duration" },
		      cel_t_type = { .kind = CEL_T_TYPE, .name = "type" },
		      cel_t_error = { .kind = CEL_T_ERROR, .name = "!error!" };

static const struct cel_type *
make(struct arena *a, enum cel_type_kind kind, const char *name, const struct cel_type *one,
    const struct cel_type *two)
{
	struct cel_type *t = arena_alloc(a, sizeof *t);

	*t = (struct cel_type){ .kind = kind, .name = name, .of = { one, two } };
	return t;
}

const struct cel_type *
cel_list_type(struct arena *a, const struct cel_type *of)
{
	return make(a, CEL_T_LIST, "list", of, NULL);
}

const struct cel_type *
cel_map_type(struct arena *a, const struct cel_type *key, const struct cel_type *value)
{
	return make(a, CEL_T_MAP, "map", key, value);
}

const struct cel_type *
cel_optional_type(struct arena *a, const struct cel_type *of)
{
	return make(a, CEL_T_OPTIONAL, "optional_type", of, NULL);
}

const struct cel_type *
cel_type_type(struct arena *a, const struct cel_type *of)
{
	return make(a, CEL_T_TYPE, "type", of, NULL);
}

const struct cel_field *
cel_field_of(const struct cel_type *t, const char *name)
{
	for (size_t i = 0; i < t->nfields; i++)
		if (strcmp(t->field[i].name, name) == 0)
			return &t->field[i];
	return NULL;
}

bool
cel_type_same(const struct cel_type *a, const struct cel_type *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->kind != b->kind)
		return false;
	if (a->kind == CEL_T_OBJECT || a->kind == CEL_T_OPAQUE || a->kind == CEL_T_PARAM)
		return strcmp(a->name, b->name) == 0;
	for (int i = 0; i < 2; i++)
		if ((a->of[i] || b->of[i]) && !cel_type_same(a->of[i], b->of[i]))
			return false;
	return true;
}

static const char *
whole_name(const struct cel_type *t)
{
	switch (t->kind) {
	case CEL_T_NULL:
		return "null_type";
	case CEL_T_TIMESTAMP:
		return "google.protobuf.Timestamp";
	case CEL_T_DURATION:
		return "google.protobuf.Duration";
	default:
		return t->name;
	}
}

static void
print(const struct cel_type *t, bool whole, struct buf *out)
{
	if (t->kind == CEL_T_PARAM) {
		buf_printf(out, "_var%zu", t->nfields);
		return;
	}
	buf_puts(out, whole ? whole_name(t) : t->name);
	if (!t->of[0] || t->kind == CEL_T_OBJECT)
		return;
	buf_putc(out, '(');
	print(t->of[0], whole, out);
	if (t->of[1]) {
		buf_puts(out, ", ");
		print(t->of[1], whole, out);
	}
	buf_putc(out, ')');
}

void
cel_type_print(const struct cel_type *t, struct buf *out)
{
	print(t, false, out);
}

void
cel_type_print_name(const struct cel_type *t, struct buf *out)
{
	print(t, true, out);
}

/* --- signatures ------------------------------------------------------------------- */

static const struct cel_type *const simple[] = { &cel_t_dyn, &cel_t_null, &cel_t_bool, &cel_t_int,
	&cel_t_uint, &cel_t_double, &cel_t_string, &cel_t_bytes, &cel_t_timestamp, &cel_t_duration,
	&cel_t_type };

static const struct cel_type *read_type(const char **p, struct arena *a);

static void
expect(const char **p, char c)
{
	if (**p != c)
		abort();
	(*p)++;
	*p += strspn(*p, " ");
}

static const struct cel_type *
read_pair(const char **p, struct arena *a, enum cel_type_kind kind, const char *name)
{
	const struct cel_type *one, *two = NULL;

	expect(p, '(');
	one = read_type(p, a);
	if (**p == ',') {
		expect(p, ',');
		two = read_type(p, a);
	}
	expect(p, ')');
	return make(a, kind, name, one, two);
}

static const struct cel_type *
read_type(const char **p, struct arena *a)
{
	size_t len = 0;
	const char *word;

	/* a dot belongs to the name of an opaque type, but not the one before the arguments */
	while (isalnum((unsigned char)(*p)[len]) || (*p)[len] == '_' ||
	       ((*p)[len] == '.' && (*p)[len + 1] != '('))
		len++;
	if (len == 0)
		abort();
	word = arena_text(a, *p, len);
	*p += len;
	if (len == 1 && isupper((unsigned char)*word))
		return make(a, CEL_T_PARAM, word, NULL, NULL);
	if (strcmp(word, "list") == 0)
		return read_pair(p, a, CEL_T_LIST, "list");
	if (strcmp(word, "map") == 0)
		return read_pair(p, a, CEL_T_MAP, "map");
	if (strcmp(word, "optional") == 0)
		return read_pair(p, a, CEL_T_OPTIONAL, "optional_type");
	if (strcmp(word, "type") == 0 && **p == '(')
		return read_pair(p, a, CEL_T_TYPE, "type");
	for (size_t i = 0; i < COUNT(simple); i++)
		if (strcmp(simple[i]->name, word) == 0)
			return simple[i];
	return make(a, CEL_T_OPAQUE, word, NULL, NULL);
}

void
cel_signature_parse(struct cel_signature *ret, const char *text, struct arena *a)
{
	const char *p = text;

	*ret = (struct cel_signature){ .member = *p != '(' };
	if (ret->member) {
		ret->arg[ret->n++] = read_type(&p, a);
		expect(&p, '.');
	}
	expect(&p, '(');
	while (*p != ')') {
		if (ret->n == COUNT(ret->arg))
			abort();
		ret->arg[ret->n++] = read_type(&p, a);
		if (*p == ',')
			expect(&p, ',');
	}
	expect(&p, ')');
	ret->result = read_type(&p, a);
	if (*p)
		abort();
}
