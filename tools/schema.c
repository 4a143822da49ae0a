/*
 * schema - compile the .kinds files of lib/api/schema into const C tables.
 *
 *	schema FILE.kinds ... > schema.c
 *
 * lib/api/schema/FORMAT describes the language, lib/api/schema.h what comes out.  A
 * mistake is reported as FILE:LINE: and ends with status 1.
 */
#include "schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct type *types;
size_t ntypes;
struct kind *kinds;
size_t nkinds;

const char *const scalars[NSCALARS][2] = {
	{ "string", "STRING" },
	{ "bool", "BOOL" },
	{ "int32", "INT32" },
	{ "int64", "INT64" },
	{ "double", "DOUBLE" },
	{ "bytes", "BYTES" },
	{ "time", "TIME" },
	{ "microtime", "MICROTIME" },
	{ "duration", "DURATION" },
	{ "quantity", "QUANTITY" },
	{ "intstr", "INT_OR_STRING" },
	{ "any", "ANY" },
	{ "raw", "RAW" },
};
void
fail(struct pos pos, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", pos.file, pos.line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void *
grow(void *items, size_t n, size_t size)
{
	void *p = n & (n - 1) ? items : realloc(items, (n ? 2 * n : 1) * size);

	if (!p)
		abort();
	memset((char *)p + n * size, 0, size);
	return p;
}
char *
join(const char *a, const char *b, const char *c)
{
	char *s;

	if (asprintf(&s, "%s%s%s", a, b, c) < 0)
		abort();
	return s;
}

/* Every kind that can be listed has a FooList, which nobody should have to write. */
static void
add_lists(void)
{
	size_t n = nkinds;

	for (size_t i = 0; i < n; i++) {
		const struct kind *k = &kinds[i];
		struct reader r = { k->group, k->version, types[k->type].package, true, true };
		char *name = join(k->kind, "List", "");
		struct pos pos = k->pos;
		struct type *t;

		if (!*k->plural || !(k->verbs & VERB_LIST))
			continue;
		t = new_type(&r, name, "STRUCT", "", pos);
		add_field(
		    t, (struct field){ .pos = pos,
			   .name = "metadata",
			   .type = "meta.ListMeta",
			   .number = 1,
			   .summary =
			       "Where the list stands: its resourceVersion, and how to go on." });
		add_field(t, (struct field){ .pos = pos,
				 .name = "items",
				 .type = join("[]", k->kind, ""),
				 .number = 2,
				 .required = true,
				 .summary = "The objects." });
		new_kind(&r, name, join("A list of ", k->kind, " objects."), pos);
	}
}

/* A type by the name a field gives it: "PodSpec" of the same package, or "core.PodSpec". */
static size_t
find_named(const char *name, const char *package, struct pos pos)
{
	const char *dot = strchr(name, '.');
	char *want = dot ? NULL : join(package, ".", name);
	size_t found = 0, n = 0;

	for (size_t i = 0; i < ntypes; i++) {
		const struct type *t = &types[i];
		const char *last = t->name ? strrchr(t->name, '.') : NULL;

		if (!t->named || !last)
			continue;
		if (want
			? !strcmp(t->name, want)
			: !strncmp(t->name, name, (size_t)(dot + 1 - name)) && !strcmp(last, dot)) {
			found = i;
			n++;
		}
	}
	if (n != 1)
		fail(pos, n ? "type '%s' is in more than one version" : "unknown type '%s'", name);
	return found;
}

static size_t
intern(char *name, const char *class, size_t elem, bool atomic)
{
	for (size_t i = 0; i < ntypes; i++)
		if (!types[i].named && !strcmp(types[i].name, name) && types[i].atomic == atomic)
			return i;
	*ADD(types, ntypes) = (struct type){ .name = name,
		.class = class,
		.elem = elem,
		.has_elem = true,
		.atomic = atomic,
		.summary = "" };
	return ntypes - 1;
}

static size_t
resolve(const char *name, const char *package, bool atomic, struct pos pos)
{
	size_t elem;

	if (!strncmp(name, "[]", 2)) {
		elem = resolve(name + 2, package, false, pos);
		return intern(join("[]", types[elem].name, ""), "LIST", elem, false);
	}
	if (!strncmp(name, "{}", 2)) {
		elem = resolve(name + 2, package, false, pos);
		return intern(join("map[string]", types[elem].name, ""), "MAP", elem, atomic);
	}
	for (size_t i = 0; i < NSCALARS; i++)
		if (!strcmp(name, scalars[i][0]))
			return i;
	return find_named(name, package, pos);
}

/* The same struct, but owned field by field in this one place. */
static size_t
granular(size_t t, struct pos pos)
{
	struct type *copy;

	if (strcmp(types[t].class, "STRUCT"))
		return t; /* a map is so anyway, and only says it */
	if (!types[t].atomic)
		fail(pos, "'%s' is not atomic anyway", types[t].name);
	copy = ADD(types, ntypes);
	*copy = types[t];
	copy->named = copy->atomic = false;
	return ntypes - 1;
}

static bool
has_field(const struct type *t, const char *name, size_t len)
{
	for (size_t i = 0; i < t->nfields; i++)
		if (strlen(t->fields[i].name) == len && !strncmp(t->fields[i].name, name, len))
			return true;
	return false;
}

static void
check_keys(const struct type *list, const char *keys, struct pos pos)
{
	if (strcmp(list->class, "LIST") || strcmp(types[list->elem].class, "STRUCT"))
		fail(pos, "keys are for lists of structs");
	for (size_t n; *keys; keys += n + (keys[n] == ',')) {
		n = strcspn(keys, ",");
		if (!has_field(&types[list->elem], keys, n))
			fail(pos, "'%s' has no field '%.*s'", types[list->elem].name, (int)n, keys);
	}
}

static int
by_field_name(const void *a, const void *b)
{
	return strcmp(((const struct field *)a)->name, ((const struct field *)b)->name);
}

static void
resolve_all(void)
{
	size_t named = ntypes;

	for (size_t i = 0; i < named; i++) {
		if (types[i].nfields)
			qsort(types[i].fields, types[i].nfields, sizeof *types[i].fields,
			    by_field_name);
		for (size_t j = 0; j < types[i].nfields; j++) {
			struct field *f = &types[i].fields[j];
			size_t t = resolve(f->type, types[i].package, f->atomic, f->pos);

			f->t = f->granular ? granular(t, f->pos) : t;
		}
	}
	for (size_t i = 0; i < named; i++)
		for (size_t j = 0; j < types[i].nfields; j++) {
			const struct field *f = &types[i].fields[j];

			if (f->keys)
				check_keys(&types[f->t], f->keys, f->pos);
			if (f->merge_key)
				check_keys(&types[f->t], f->merge_key, f->pos);
		}
}

int
main(int argc, char *argv[])
{
	for (size_t i = 0; i < NSCALARS; i++)
		*ADD(types, ntypes) = (struct type){
			.name = (char *)scalars[i][0], .class = scalars[i][1], .summary = ""
		};
	for (int i = 1; i < argc; i++)
		parse_file(argv[i]);
	add_lists();
	resolve_all();
	puts("/* Made by tools/schema.c from lib/api/schema: edit there. */\n#include "
	     "\"api/tables.h\"\n");
	put_types();
	put_kinds();
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
