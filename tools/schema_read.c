/* The schema compiler, reading: lines of words become types and kinds. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema.h"

static const char *const verbs[] = { "get", "list", "watch", "create", "update", "patch", "delete",
	"deletecollection" };
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

/* "{A B}", "checked{A B}": the words, when the word starts with `prefix`. */
static char *
braced(const char *word, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(word, prefix, n) || word[n] != '{')
		return NULL;
	return strndup(word + n + 1, strcspn(word + n, "}") - 1);
}

static void
parse_attribute(struct field *f, char *w)
{
	char *arg;

	if (*w == '#')
		parse_number(f, w + 1);
	else if (*w == '=')
		f->dflt = strdup(w + 1);
	else if ((arg = braced(w, "")))
		f->values = f->shown = arg;
	else if ((arg = braced(w, "checked")))
		f->values = arg;
	else if ((arg = braced(w, "shown")))
		f->shown = arg;
	else if (!strncmp(w, "shown=", 6))
		f->shown_default = strdup(w + 6);
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
	else if (!strcmp(w, "replace"))
		f->replace = true;
	else if (!strcmp(w, "granular"))
		f->granular = true;
	else if (!strcmp(w, "atomic"))
		f->atomic = true;
	else
		fail(f->pos, "unknown attribute '%s'", w);
}

void
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
		f.type[--len] = '\0';
	}
	if (f.type[len - 1] == '?') {
		f.pointer = true;
		f.type[--len] = '\0';
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

unsigned
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

struct type *
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

struct kind *
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

/* "kind NAME [atomic|union|union(FIELD)]", "type NAME [atomic|union|union(FIELD)]", "type NAME =
 * any|raw". */
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
	} else if (n == 3 && !strcmp(word[2], "union")) {
		t->discriminator = "";
	} else if (n == 3 && argument(word[2], "union", pos)) {
		t->discriminator = argument(word[2], "union", pos);
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

void
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
