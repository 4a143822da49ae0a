/* The schema compiler, writing: C tables in the order that lib/api/schema.c searches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema.h"

static void
put_text(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		putchar(*s);
	}
	putchar('"');
}

static void
put_text_or_null(const char *s)
{
	if (s)
		put_text(s);
	else
		fputs("NULL", stdout);
}

/*
 * "a b c" as a NULL-terminated array; NULL for NULL.  A word with blanks is in quotes; `""` is the
 * empty one.
 */
static void
put_words(const char *s, const char *separators)
{
	if (!s) {
		fputs("NULL", stdout);
		return;
	}
	fputs("(const char *const[]){ ", stdout);
	for (size_t n; *(s += strspn(s, separators)); s += n) {
		bool quoted = *s == '"';

		n = quoted ? 2 + strcspn(s + 1, "\"") : strcspn(s, separators);
		put_text(quoted ? strndup(s + 1, n - 2) : strndup(s, n));
		fputs(", ", stdout);
	}
	fputs("NULL }", stdout);
}

static void
put_field(const struct field *f)
{
	fputs("\t{ ", stdout);
	put_text(f->name);
	printf(", &T[%zu], ", f->t);
	put_text(f->summary);
	printf(", %s, LIST_%s, ", f->required ? "true" : "false",
	    f->map   ? "MAP"
	    : f->set ? "SET"
		     : "ATOMIC");
	put_words(f->keys, ",");
	printf(", %d, ", f->merge | f->retain << 1 | f->replace << 2);
	put_text_or_null(f->merge_key);
	fputs(", ", stdout);
	put_text_or_null(f->dflt);
	fputs(", ", stdout);
	put_words(f->values, " ");
	fputs(", ", stdout);
	put_words(f->shown, " ");
	fputs(", ", stdout);
	put_text_or_null(f->shown_default);
	printf(", %d, { %d, %d }, ", f->number, f->outer[0], f->outer[1]);
	put_text_or_null(f->wire);
	printf(", %s, %s },\n", f->pointer ? "true" : "false",
	    f->granular || f->atomic ? "true" : "false");
}

/* Where a field stands among those of its message: by its outermost number first. */
static int
by_number(const void *a, const void *b, void *fields)
{
	const struct field *f = (struct field *)fields + *(const size_t *)a,
			   *g = (struct field *)fields + *(const size_t *)b;
	const int p[3] = { f->outer[0], f->outer[1], f->number },
		  q[3] = { g->outer[0], g->outer[1], g->number };
	int i = 0, j = 0;

	for (;; i++, j++) {
		while (i < 2 && !p[i])
			i++;
		while (j < 2 && !q[j])
			j++;
		if (p[i] != q[j] || i == 2 || j == 2)
			return p[i] - q[j];
	}
}

/* The fields in the order of their protobuf numbers, as indexes. */
static void
put_wire_order(void)
{
	size_t n = 0, *index = calloc(4096, sizeof *index);

	puts("static const unsigned short W[] = {");
	for (size_t i = 0; i < ntypes; i++) {
		struct type *t = &types[i];

		t->wire = n;
		for (size_t j = 0; j < t->nfields; j++)
			if (t->fields[j].number)
				index[t->nwire++] = j;
		qsort_r(index, t->nwire, sizeof *index, by_number, t->fields);
		for (size_t j = 0; j < t->nwire; j++, n++)
			printf("%zu, ", index[j]);
		if (t->nwire)
			putchar('\n');
	}
	puts("0 };\n");
	free(index);
}

/* The first eight bytes of each field's name, in the order of F. */
static void
put_leads(void)
{
	puts("static const unsigned long long L[] = {");
	for (size_t i = 0; i < ntypes; i++)
		for (size_t j = 0; j < types[i].nfields; j++) {
			const char *name = types[i].fields[j].name;

			fputs("0x", stdout);
			for (size_t k = 0, n = strlen(name); k < 8; k++)
				printf("%02x", k < n ? (unsigned char)name[k] : 0);
			puts(",");
		}
	puts("};\n");
}

void
put_types(void)
{
	size_t n = 0;

	printf("static const struct type T[%zu];\n\nstatic const struct field F[] = {\n", ntypes);
	for (size_t i = 0; i < ntypes; i++) {
		types[i].first = n;
		for (size_t j = 0; j < types[i].nfields; j++, n++)
			put_field(&types[i].fields[j]);
	}
	puts("};\n");
	put_wire_order();
	put_leads();
	printf("static const struct type T[%zu] = {\n", ntypes);
	for (size_t i = 0; i < ntypes; i++) {
		const struct type *t = &types[i];

		fputs("\t{ ", stdout);
		put_text(t->name);
		printf(", CLASS_%s, ", t->class);
		if (t->has_elem)
			printf("&T[%zu], ", t->elem);
		else
			fputs("NULL, ", stdout);
		if (t->nfields)
			printf("&F[%zu], %zu, ", t->first, t->nfields);
		else
			fputs("NULL, 0, ", stdout);
		printf("%s, ", t->atomic ? "true" : "false");
		put_text(t->summary);
		fputs(", ", stdout);
		put_text_or_null(t->discriminator);
		fputs(", ", stdout);
		if (t->nwire)
			printf("&W[%zu], %zu, ", t->wire, t->nwire);
		else
			fputs("NULL, 0, ", stdout);
		printf("&L[%zu] },\n", t->first);
	}
	puts("};\n");
}

/* "@sub scale get patch update = autoscaling/v1 Scale" */
static void
put_subresources(const struct kind *k, size_t index)
{
	if (k->nsubs)
		printf("static const struct subresource S%zu[] = {\n", index);
	for (size_t i = 0; i < k->nsubs; i++) {
		struct line *l = &k->subs[i];
		char *group = "", *version = "", *kind = k->kind, *slash;
		unsigned bits = 0;
		int n = l->n;

		if (n > 3 && !strcmp(l->word[n - 3], "=")) {
			slash = strchr(l->word[n - 2], '/');
			group =
			    slash ? strndup(l->word[n - 2], (size_t)(slash - l->word[n - 2])) : "";
			version = slash ? slash + 1 : l->word[n - 2];
			kind = l->word[n - 1];
			n -= 3;
		}
		for (int w = 1; w < n; w++)
			bits |= parse_verb(l->word[w], l->pos);
		printf("\t{ \"%s\", \"%s\", \"%s\", \"%s\", %u },\n", l->word[0], group, version,
		    kind, bits);
	}
	if (k->nsubs)
		puts("};");
}

/* "@column Restarts integer wide .status.restarts": type, "wide" and path may be missing. */
static void
put_columns(const struct kind *k, size_t index)
{
	if (k->ncolumns)
		printf("static const struct column C%zu[] = {\n", index);
	for (size_t i = 0; i < k->ncolumns; i++) {
		struct line *l = &k->columns[i];
		char *name = l->word[0], *type = "string", *format = "", *path = NULL;
		int wide = 0;

		if (*name == '"')
			name = strndup(name + 1, strlen(name) - 2);
		for (int w = 1; w < l->n; w++) {
			if (*l->word[w] == '.')
				path = l->word[w];
			else if (!strcmp(l->word[w], "wide"))
				wide = 1;
			else
				type = l->word[w];
		}
		if (strchr(type, '/')) {
			format = strchr(type, '/') + 1;
			type = strndup(type, (size_t)(format - 1 - type));
		}
		fputs("\t{ ", stdout);
		put_text(name);
		printf(", \"%s\", \"%s\", %d, ", type, format, wide);
		put_text_or_null(path);
		fputs(" },\n", stdout);
	}
	if (k->ncolumns)
		puts("};");
}

static void
put_kind(const struct kind *k, size_t index)
{
	fputs("\t{ ", stdout);
	put_text(k->group);
	printf(", \"%s\", \"%s\", \"%s\", \"%s\", ", k->version, k->kind, k->plural, k->singular);
	put_words(k->shorts, " ");
	fputs(", ", stdout);
	put_words(k->categories, " ");
	printf(", %s, %u, ", k->namespaced ? "true" : "false", *k->plural ? k->verbs : 0);
	if (k->nsubs)
		printf("S%zu, %zu, ", index, k->nsubs);
	else
		fputs("NULL, 0, ", stdout);
	if (k->ncolumns)
		printf("C%zu, %zu, ", index, k->ncolumns);
	else
		fputs("NULL, 0, ", stdout);
	printf("&T[%zu], ", k->type);
	put_text(k->summary);
	printf(", NAME_%s, NULL },\n", k->named);
}

/* The served kinds first, each part in group, version, kind order. */
static int
by_kind(const void *a, const void *b)
{
	const struct kind *k = a, *l = b;
	int c = !*k->plural - !*l->plural;

	c = c ? c : strcmp(k->group, l->group);
	c = c ? c : strcmp(k->version, l->version);
	return c ? c : strcmp(k->kind, l->kind);
}

static int
by_resource(const void *a, const void *b)
{
	const struct kind *k = &kinds[*(const size_t *)a], *l = &kinds[*(const size_t *)b];
	int c = strcmp(k->group, l->group);

	c = c ? c : strcmp(k->version, l->version);
	return c ? c : strcmp(k->plural, l->plural);
}

static int
by_place(const void *a, const void *b)
{
	const size_t *i = a, *j = b;

	return (*i > *j) - (*i < *j);
}

static int
by_type_name(const void *a, const void *b)
{
	return strcmp(types[*(const size_t *)a].name, types[*(const size_t *)b].name);
}

static void
put_index(const char *declaration, const char *array, size_t *index, size_t n,
    int (*compare)(const void *, const void *))
{
	qsort(index, n, sizeof *index, compare);
	printf("%s[] = {\n", declaration);
	for (size_t i = 0; i < n; i++)
		printf("\t&%s[%zu],\n", array, index[i]);
	puts("};");
}

void
put_kinds(void)
{
	size_t served = 0, named = 0, *index = calloc(ntypes + nkinds, sizeof *index);

	qsort(kinds, nkinds, sizeof *kinds, by_kind);
	for (size_t i = 0; i < nkinds; i++) {
		put_subresources(&kinds[i], i);
		put_columns(&kinds[i], i);
	}
	puts("\nconst struct kind table_of_kinds[] = {");
	for (size_t i = 0; i < nkinds; i++) {
		put_kind(&kinds[i], i);
		if (*kinds[i].plural)
			index[served++] = i;
	}
	puts("};");
	put_index(
	    "const struct kind *const table_of_served", "table_of_kinds", index, served, by_place);
	put_index("const struct kind *const table_of_resources", "table_of_kinds", index, served,
	    by_resource);
	for (size_t i = 0; i < ntypes; i++)
		if (types[i].named)
			index[named++] = i;
	put_index("const struct type *const table_of_types", "T", index, named, by_type_name);
	printf("const size_t served_kinds = %zu, all_kinds = %zu, named_types = %zu;\n", served,
	    nkinds, named);
}
