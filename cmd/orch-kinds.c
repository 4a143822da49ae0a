/* orch-kinds - list the kinds of the API: names, groups, what can be done with them. */
#include <stdio.h>
#include <string.h>

#include "api/schema.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"

static const char *group, *verb, *category, *output = "table", *namespaced;
static bool bare;

static const struct opt opts[] = {
	{ 'o', "output", "FORMAT", "table, wide, name or jsonl", &output, false },
	{ 0, "group", "GROUP", "only kinds of this group; \"\" is the core group", &group, false },
	{ 0, "namespaced", "[BOOL]", "only kinds in namespaces; with =false those outside",
	    &namespaced, false },
	{ 0, "verb", "VERB", "only kinds that can do this, as in --verb watch", &verb, false },
	{ 0, "category", "NAME", "only kinds of this category, as in --category all", &category,
	    false },
	{ 0, "no-headers", NULL, "no line of column names", &bare, false },
	{ 0 },
};

const struct program self = {
	.name = "orch-kinds",
	.synopsis = "[-o format] [--group group] [--namespaced[=bool]] [--verb verb] [kind ...]",
	.summary = "List the kinds of the API.",
	.opts = opts,
	.operands = "kinds",
};

static const char *const verb_names[] = { "get", "list", "watch", "create", "update", "patch",
	"delete", "deletecollection" };

static bool
in_words(const char *const *words, const char *word)
{
	for (; words && *words; words++)
		if (!strcmp(*words, word))
			return true;
	return false;
}

static unsigned
verb_bit(const char *name)
{
	for (unsigned i = 0; i < COUNT(verb_names); i++)
		if (!strcmp(name, verb_names[i]))
			return 1u << i;
	die(NULL,
	    "no verb '%s': there are get, list, watch, create, update, patch, delete and "
	    "deletecollection",
	    name);
}

static bool
wanted(const struct kind *k, char *words[])
{
	if (group && strcmp(group, k->group))
		return false;
	if (namespaced && k->namespaced == !strcmp(namespaced, "false"))
		return false;
	if (verb && !(k->verbs & verb_bit(verb)))
		return false;
	if (category && !in_words(k->categories, category))
		return false;
	for (char **w = words; *w; w++)
		if (kind_of_word(*w) == k)
			return true;
	return !*words;
}

/* --- the table ------------------------------------------------------------- */

enum { NAME, SHORT, VERSION, NAMESPACED, KIND, VERBS, CATEGORIES, COLUMNS };

struct row {
	char *cell[COLUMNS];
};
static struct row *rows;
static size_t nrows, rows_cap;

static void
add_row(struct row row)
{
	GROW(rows, nrows, rows_cap);
	rows[nrows++] = row;
}

static void
add_header(void)
{
	static const char *const names[COLUMNS] = { "NAME", "SHORT", "APIVERSION", "NAMESPACED",
		"KIND", "VERBS", "CATEGORIES" };
	struct row row;

	for (size_t i = 0; i < COLUMNS; i++)
		row.cell[i] = xstrdup(names[i]);
	add_row(row);
}

static char *
joined(const char *const *words)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, "");
	for (size_t i = 0; words && words[i]; i++)
		buf_printf(&b, "%s%s", i ? "," : "", words[i]);
	return buf_detach(&b);
}

static void
add_kind(const struct kind *k)
{
	const char *verbs[COUNT(verb_names) + 1];
	char version[128];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(verb_names); i++)
		if (k->verbs & 1u << i)
			verbs[n++] = verb_names[i];
	verbs[n] = NULL;
	add_row((struct row){ {
	    xstrdup(k->plural),
	    joined(k->short_names),
	    xstrdup(kind_api_version(k, version)),
	    xstrdup(k->namespaced ? "true" : "false"),
	    xstrdup(k->kind),
	    joined(verbs),
	    joined(k->categories),
	} });
}

/* Two spaces between columns, none at the end of a line. */
static void
print_rows(void)
{
	size_t columns = strcmp(output, "wide") ? VERBS : COLUMNS, width[COLUMNS] = { 0 };

	for (size_t i = 0; i < nrows; i++)
		for (size_t c = 0; c < columns; c++)
			if (strlen(rows[i].cell[c]) > width[c])
				width[c] = strlen(rows[i].cell[c]);
	for (size_t i = 0; i < nrows; i++) {
		size_t pad = 0;

		for (size_t c = 0; c < COLUMNS; c++) {
			const char *cell = rows[i].cell[c];

			if (c < columns && *cell) {
				printf("%*s%s", (int)pad, "", cell);
				pad = 0;
			}
			pad += c < columns ? width[c] + 2 - strlen(cell) : 0;
			free(rows[i].cell[c]);
		}
		putchar('\n');
	}
	free(rows);
}

/* --- other formats ----------------------------------------------------------- */

static json_t *
words_json(const char *const *words)
{
	json_t *list = json_array();

	for (; words && *words; words++)
		json_array_append_new(list, json_string(*words));
	return list;
}

static json_t *
verbs_json(unsigned verbs)
{
	json_t *list = json_array();

	for (size_t i = 0; i < COUNT(verb_names); i++)
		if (verbs & 1u << i)
			json_array_append_new(list, json_string(verb_names[i]));
	return list;
}

static void
print_json(const struct kind *k)
{
	json_t *subresources = json_array();
	char version[128];
	json_auto_t *line = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:s}",
	    "name", k->plural, "singular", k->singular, "kind", k->kind, "apiVersion",
	    kind_api_version(k, version), "group", k->group, "namespaced", k->namespaced,
	    "shortNames", words_json(k->short_names), "categories", words_json(k->categories),
	    "verbs", verbs_json(k->verbs), "subresources", subresources, "summary", k->summary);

	for (size_t i = 0; i < k->nsubresources; i++)
		json_array_append_new(subresources, json_string(k->subresources[i].name));
	jsonl_write(stdout, line);
}

static void
print_name(const struct kind *k)
{
	char name[128];

	puts(kind_resource(k, name));
}

static const struct format {
	const char *name;
	void (*print)(const struct kind *k);
} formats[] = {
	{ "table", add_kind },
	{ "wide", add_kind },
	{ "name", print_name },
	{ "jsonl", print_json },
};

static const struct format *
find_format(void)
{
	for (size_t i = 0; i < COUNT(formats); i++)
		if (!strcmp(output, formats[i].name))
			return &formats[i];
	die(NULL, "no output format '%s': there are table, wide, name and jsonl", output);
}

int
main(int argc, char *argv[])
{
	int first = cli_parse(argc, argv);
	const struct format *format = find_format();
	size_t n, shown = 0;
	const struct kind *const *k = schema_kinds(&n);

	if (namespaced && *namespaced && strcmp(namespaced, "true") && strcmp(namespaced, "false"))
		die(NULL, "--namespaced: '%s' is neither true nor false", namespaced);
	for (char **w = argv + first; *w; w++)
		if (!kind_of_word(*w))
			die(&(struct err){ ERR_NOT_FOUND, "no such kind" }, "cannot list '%s'", *w);
	for (size_t i = 0; i < n; i++) {
		if (!wanted(k[i], argv + first))
			continue;
		if (!shown++ && format->print == add_kind && !bare)
			add_header();
		format->print(k[i]);
	}
	print_rows();
	return finish(shown ? 0 : 1);
}
