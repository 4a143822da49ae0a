/*
 * schema - compile the .kinds files of lib/api/schema into const C tables.
 *
 *	schema FILE.kinds ... > schema.c
 *
 * lib/api/schema/FORMAT describes the language, lib/api/schema.h what comes out.  A
 * mistake is reported as FILE:LINE: and ends with status 1.  It runs once
 * per build and frees nothing.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 64 };

struct pos {
	const char *file;
	int line;
};

struct field {
	struct pos pos;
	char *name, *type, *summary, *dflt, *keys, *merge_key, *values, *wire;
	int number, outer[2];
	bool required, set, map, merge, retain, granular, atomic;
	size_t t; /* index of the type, once resolved */
};

struct type {
	struct pos pos;
	char *package, *name; /* "apps.v1", "apps.v1.Deployment" */
	const char *class;
	size_t elem;
	bool has_elem, named, atomic;
	char *summary;
	struct field *fields;
	size_t nfields, first; /* first: index of its first field in the output */
};

struct line { /* an @ line of a kind, kept as words */
	char *word[MAX_WORDS];
	int n;
	struct pos pos;
};

struct kind {
	struct pos pos;
	char *group, *version, *kind, *plural, *singular, *shorts, *categories;
	bool namespaced;
	unsigned verbs;
	struct line *subs, *columns;
	size_t nsubs, ncolumns, type;
	char *summary;
	const char *named;
};

static struct type *types;
static size_t ntypes;
static struct kind *kinds;
static size_t nkinds;

static const char *const scalars[][2] = {
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
enum { NSCALARS = sizeof scalars / sizeof *scalars };

static const char *const verbs[] = { "get", "list", "watch", "create", "update", "patch", "delete",
	"deletecollection" };
enum { VERB_LIST = 2, ALL_VERBS = 255 };

_Noreturn static void __attribute__((format(printf, 2, 3)))
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

static void *
grow(void *items, size_t n, size_t size)
{
	void *p = n & (n - 1) ? items : realloc(items, (n ? 2 * n : 1) * size);

	if (!p)
		abort();
	memset((char *)p + n * size, 0, size);
	return p;
}
#define ADD(items, n) ((items) = grow((items), (n), sizeof *(items)), &(items)[(n)++])

static char *
join(const char *a, const char *b, const char *c)
{
	char *s;

	if (asprintf(&s, "%s%s%s", a, b, c) < 0)
		abort();
	return s;
}

/* --- reading --------------------------------------------------------------- */

/*
 * Cut a line into words, in place.  "..." and {...} hold spaces; what follows " -- " is
 * the summary.
 */
static int
split(char *s, char *word[MAX_WORDS], char **summary, struct pos pos)
{
	int n = 0;

	*summary = "";
	for (;;) {
		bool quoted = false, braced = false;

		while (isspace((unsigned char)*s))
			s++;
		if (!*s || *s == '#')
			if (!*s || !isdigit((unsigned char)s[1]))
				return n;
		if (!strncmp(s, "-- ", 3)) {
			*summary = s + 3;
			(*summary)[strcspn(*summary, "\n")] = '\0';
			return n;
		}
		if (n == MAX_WORDS)
			fail(pos, "more than %d words", MAX_WORDS);
		word[n++] = s;
		for (; *s && (quoted || braced || !isspace((unsigned char)*s)); s++) {
			if (*s == '"' && !braced)
				quoted = !quoted;
			else if (!quoted && (*s == '{' || *s == '}'))
				braced = *s == '{';
		}
		if (quoted || braced)
			fail(pos, "missing %s", quoted ? "'\"'" : "'}'");
		if (*s)
			*s++ = '\0';
	}
}

/* The words joined by spaces: the form in which lists of words are kept. */
static char *
joined(char *const word[], int from, int to)
{
	char *s = strdup("");

	for (int i = from; i < to; i++)
		s = join(s, i > from ? " " : "", word[i]);
	return s;
}

/* "merge(name)": the text in parentheses when word starts with `prefix`, else NULL. */
static char *
argument(const char *word, const char *prefix, struct pos pos)
{
	size_t n = strlen(prefix);

	if (strncmp(word, prefix, n) || word[n] != '(')
		return NULL;
	if (word[strlen(word) - 1] != ')')
		fail(pos, "'%s' lacks its ')'", word);
	return strndup(word + n + 1, strlen(word) - n - 2);
}

/* "#4", or "#2.4": number 4 inside the message that is field 2 (up to two of them). */
static void
parse_number(struct field *f, const char *text)
{
	int part[3], n = 0;
	char *end;

	do {
		if (n == 3)
			fail(f->pos, "'#%s' is too deep", text);
		part[n++] = (int)strtol(text, &end, 10);
		if (end == text || (*end && *end != '.') || part[n - 1] <= 0)
			fail(f->pos, "'#%s' is no field number", text);
		text = end + 1;
	} while (*end);
	f->number = part[n - 1];
	for (int i = 0; i + 1 < n; i++)
		f->outer[i] = part[i];
}

static void
parse_attribute(struct field *f, char *w)
{
	char *arg;

	if (*w == '#')
		parse_number(f, w + 1);
	else if (*w == '=')
		f->dflt = strdup(w + 1);
	else if (*w == '{')
		f->values = strndup(w + 1, strcspn(w, "}") - 1);
	else if ((arg = argument(w, "map", f->pos)))
		f->map = true, f->keys = arg;
	else if ((arg = argument(w, "merge", f->pos)))
		f->merge = true, f->merge_key = arg;
	else if ((arg = argument(w, "wire", f->pos)))
		f->wire = arg;
	else if (!strcmp(w, "merge"))
		f->merge = true;
	else if (!strcmp(w, "set"))
		f->set = true;
	else if (!strcmp(w, "retainkeys"))
		f->retain = true;
	else if (!strcmp(w, "granular"))
		f->granular = true;
	else if (!strcmp(w, "atomic"))
		f->atomic = true;
	else
		fail(f->pos, "unknown attribute '%s'", w);
}

static void
add_field(struct type *t, struct field f)
{
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *o = &t->fields[i];

		if (!strcmp(o->name, f.name))
			fail(f.pos, "field '%s' twice in '%s'", f.name, t->name);
		if (f.number && o->number == f.number && !memcmp(o->outer, f.outer, sizeof f.outer))
			fail(f.pos, "'%s' and '%s' have the same number", o->name, f.name);
	}
	*ADD(t->fields, t->nfields) = f;
}

static void
parse_field(struct type *t, char *word[], int n, char *summary, struct pos pos)
{
	struct field f = { .pos = pos, .name = strdup(word[0]), .summary = strdup(summary) };
	size_t len;

	if (n < 2)
		fail(pos, "field '%s' has no type", word[0]);
	f.type = strdup(word[1]);
	len = strlen(f.type);
	if (f.type[len - 1] == '!') {
		f.required = true;
		f.type[len - 1] = '\0';
	}
	for (int i = 2; i < n; i++)
		parse_attribute(&f, word[i]);
	add_field(t, f);
}

/* "@named label" */
static const char *
parse_name_form(const char *word, struct pos pos)
{
	static const char *const forms[][2] = { { "subdomain", "SUBDOMAIN" }, { "label", "LABEL" },
		{ "dns1035", "DNS1035" }, { "path", "PATH" }, { "ip", "IP" } };

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (!strcmp(word, forms[i][0]))
			return forms[i][1];
	fail(pos, "unknown form of name '%s'", word);
}

static unsigned
parse_verb(const char *word, struct pos pos)
{
	for (unsigned i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (!strcmp(word, verbs[i]))
			return 1u << i;
	fail(pos, "unknown verb '%s'", word);
}

/* "@resource deployments deploy" and the other lines that say how a kind is served. */
static void
parse_directive(struct kind *k, char *word[], int n, struct pos pos)
{
	if (!strcmp(word[0], "@resource") && n > 1) {
		k->plural = strdup(word[1]);
		k->shorts = joined(word, 2, n);
	} else if (!strcmp(word[0], "@cluster") && n == 1) {
		k->namespaced = false;
	} else if (!strcmp(word[0], "@named") && n == 2) {
		k->named = parse_name_form(word[1], pos);
	} else if (!strcmp(word[0], "@in") && n > 1) {
		k->categories = joined(word, 1, n);
	} else if (!strcmp(word[0], "@verbs") && n > 1) {
		k->verbs = 0;
		for (int i = 1; i < n; i++)
			k->verbs |= parse_verb(word[i], pos);
	} else if ((!strcmp(word[0], "@sub") || !strcmp(word[0], "@column")) && n > 1) {
		struct line *l =
		    word[0][1] == 's' ? ADD(k->subs, k->nsubs) : ADD(k->columns, k->ncolumns);

		l->pos = pos;
		for (l->n = 0; l->n + 1 < n; l->n++)
			l->word[l->n] = strdup(word[l->n + 1]);
	} else {
		fail(pos, "cannot understand '%s'", word[0]);
	}
}

struct reader {
	char *group, *version, *package; /* of the last "api" line */
	bool in_kind, in_type;
};

/* "api apps/v1 apps.v1"; "api v1 core.v1" is the core group. */
static void
parse_api(struct reader *r, char *word[], int n, struct pos pos)
{
	char *slash;

	if (n != 3)
		fail(pos, "want 'api GROUP/VERSION PACKAGE'");
	slash = strchr(word[1], '/');
	r->group = slash ? strndup(word[1], (size_t)(slash - word[1])) : strdup("");
	r->version = strdup(slash ? slash + 1 : word[1]);
	r->package = strdup(word[2]);
	r->in_kind = r->in_type = false;
}

static struct type *
new_type(struct reader *r, const char *name, const char *class, const char *summary, struct pos pos)
{
	struct type *t;
	char *full;

	if (!r->package)
		fail(pos, "no 'api' line before '%s'", name);
	full = join(r->package, ".", name);
	for (size_t i = 0; i < ntypes; i++)
		if (types[i].name && !strcmp(types[i].name, full))
			fail(pos, "'%s' is already in %s:%d", full, types[i].pos.file,
			    types[i].pos.line);
	t = ADD(types, ntypes);
	*t = (struct type){ .pos = pos,
		.package = r->package,
		.name = full,
		.class = class,
		.named = true,
		.summary = strdup(summary) };
	return t;
}

static struct kind *
new_kind(struct reader *r, const char *name, const char *summary, struct pos pos)
{
	struct kind *k = ADD(kinds, nkinds);

	*k = (struct kind){ .pos = pos,
		.group = r->group,
		.version = r->version,
		.kind = strdup(name),
		.plural = "",
		.singular = strdup(name),
		.shorts = "",
		.categories = "",
		.namespaced = true,
		.named = "SUBDOMAIN",
		.verbs = ALL_VERBS,
		.type = ntypes - 1,
		.summary = strdup(summary) };
	for (char *p = k->singular; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	add_field(
	    &types[k->type], (struct field){ .pos = pos,
				 .name = "apiVersion",
				 .type = "string",
				 .summary = "The group and version this object is written in." });
	add_field(&types[k->type], (struct field){ .pos = pos,
				       .name = "kind",
				       .type = "string",
				       .summary = "What kind of object this is." });
	return k;
}

/* "kind NAME [atomic]", "type NAME [atomic]", "type NAME = any|raw". */
static void
parse_block(struct reader *r, char *word[], int n, char *summary, struct pos pos)
{
	struct type *t;

	r->in_kind = !strcmp(word[0], "kind");
	r->in_type = true;
	if (n < 2)
		fail(pos, "'%s' needs a name", word[0]);
	t = new_type(r, word[1], "STRUCT", summary, pos);
	if (r->in_kind)
		new_kind(r, word[1], summary, pos);
	if (n == 4 && !strcmp(word[2], "=")) {
		t->class = !strcmp(word[3], "any") ? "ANY" : !strcmp(word[3], "raw") ? "RAW" : NULL;
		if (!t->class)
			fail(pos, "'%s' can only be 'any' or 'raw'", word[1]);
		r->in_type = false;
	} else if (n == 3 && !strcmp(word[2], "atomic")) {
		t->atomic = true;
	} else if (n != 2) {
		fail(pos, "cannot understand '%s'", word[2]);
	}
}

static void
parse_line(struct reader *r, char *line, struct pos pos)
{
	bool indented = isspace((unsigned char)*line);
	char *word[MAX_WORDS], *summary;
	int n = split(line, word, &summary, pos);

	if (!n)
		return;
	if (!indented && !strcmp(word[0], "api"))
		parse_api(r, word, n, pos);
	else if (!indented && (!strcmp(word[0], "kind") || !strcmp(word[0], "type")))
		parse_block(r, word, n, summary, pos);
	else if (!indented)
		fail(pos, "want 'api', 'kind' or 'type', not '%s'", word[0]);
	else if (*word[0] == '@' && r->in_kind)
		parse_directive(&kinds[nkinds - 1], word, n, pos);
	else if (*word[0] == '@' || !r->in_type)
		fail(pos, "'%s' does not belong here", word[0]);
	else
		parse_field(&types[ntypes - 1], word, n, summary, pos);
}

static void
parse_file(const char *path)
{
	struct pos pos = { strrchr(path, '/') ? path : path, 0 };
	struct reader r = { 0 };
	char *line = NULL;
	size_t cap = 0;
	FILE *f = fopen(path, "r");

	if (!f)
		fail(pos, "cannot open");
	while (getline(&line, &cap, f) >= 0) {
		pos.line++;
		parse_line(&r, line, pos);
	}
	if (ferror(f))
		fail(pos, "cannot read");
	fclose(f);
	free(line);
}

/* --- checking ---------------------------------------------------------------- */

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
		return t;
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

/* --- writing ------------------------------------------------------------------- */

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

/* "a b c" as a NULL-terminated array; NULL for NULL.  `""` stands for the empty word. */
static void
put_words(const char *s, const char *separators)
{
	if (!s) {
		fputs("NULL", stdout);
		return;
	}
	fputs("(const char *const[]){ ", stdout);
	for (size_t n; *(s += strspn(s, separators)); s += n) {
		char *word = strndup(s, n = strcspn(s, separators));

		put_text(strcmp(word, "\"\"") ? word : "");
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
	printf(", %d, ", f->merge | f->retain << 1);
	put_text_or_null(f->merge_key);
	fputs(", ", stdout);
	put_text_or_null(f->dflt);
	fputs(", ", stdout);
	put_words(f->values, " ");
	printf(", %d, { %d, %d }, ", f->number, f->outer[0], f->outer[1]);
	put_text_or_null(f->wire);
	fputs(" },\n", stdout);
}

static void
put_types(void)
{
	size_t n = 0;

	printf("static const struct type T[%zu];\n\nstatic const struct field F[] = {\n", ntypes);
	for (size_t i = 0; i < ntypes; i++) {
		types[i].first = n;
		for (size_t j = 0; j < types[i].nfields; j++, n++)
			put_field(&types[i].fields[j]);
	}
	printf("};\n\nstatic const struct type T[%zu] = {\n", ntypes);
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
		fputs(", NULL },\n", stdout);
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
	printf(", NAME_%s },\n", k->named);
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

static void
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
	put_index("const struct kind *const table_of_resources", "table_of_kinds", index, served,
	    by_resource);
	for (size_t i = 0; i < ntypes; i++)
		if (types[i].named)
			index[named++] = i;
	put_index("const struct type *const table_of_types", "T", index, named, by_type_name);
	printf("const size_t served_kinds = %zu, all_kinds = %zu, named_types = %zu;\n", served,
	    nkinds, named);
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
