/* orch-kinds - list the kinds of the API: names, groups, what can be done with them. */
#include <stdio.h>
#include <string.h>

#include "api/schema.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "client/client.h"
#include "client/crds.h"

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
static const struct opt *const shared[] = { crds_opts, client_opts, NULL };

const struct program self = {
	.name = "orch-kinds",
	.synopsis = "[-o format] [--group group] [--namespaced[=bool]] [--verb verb] [kind ...]",
	.summary = "List the kinds of the API.",
	.opts = opts,
	.shared = shared,
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
wanted(const struct kind *k, const struct kind *const *meant, size_t n)
{
	if (group && strcmp(group, k->group))
		return false;
	if (namespaced && k->namespaced == !strcmp(namespaced, "false"))
		return false;
	if (verb && !(k->verbs & verb_bit(verb)))
		return false;
	if (category && !in_words(k->categories, category))
		return false;
	for (size_t i = 0; i < n; i++)
		if (meant[i] == k)
			return true;
	return n == 0;
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

/* --- which there are ---------------------------------------------------------------------- */

struct kinds {
	const struct kind **item;
	size_t n, cap;
};

static void
keep(struct kinds *all, const struct kind *k)
{
	GROW(all->item, all->n, all->cap);
	all->item[all->n++] = k;
}

/* What is built in and learned, and behind it what only the server has. */
static void
gather(struct kinds *all, struct client *c)
{
	autofree const struct kind **server = NULL;
	struct err err;
	size_t n;
	const struct kind *const *k = schema_kinds(&n);

	for (size_t i = 0; i < n; i++)
		keep(all, k[i]);
	if (c && client_kinds(c, &server, &err) < 0)
		die(&err, "cannot list the server's kinds");
	for (size_t i = 0; server && server[i]; i++)
		if (kind_find(server[i]->group, server[i]->version, server[i]->kind) != server[i])
			keep(all, server[i]);
}

/* The kinds that the words mean. */
static void
look_up(struct kinds *meant, struct client *c, char *words[])
{
	for (char **w = words; *w; w++) {
		const struct kind *k = kind_of_word(*w);
		struct err err = { ERR_NOT_FOUND, "no such kind" };

		if (!k && c && client_kind(c, *w, &k, &err) < 0 && err.code == ERR_BAD_REQUEST)
			err.code = ERR_NOT_FOUND;
		if (!k)
			die(&err, "cannot list '%s'", *w);
		keep(meant, k);
	}
}

/* With --from-server a client, else NULL: discovery knows more than definitions do. */
static struct client *
open_client(void)
{
	struct client *c;
	struct err err;

	if (!crds_options.server)
		return NULL;
	crds_options.server = false;
	if (client_open(&c, &err) < 0)
		die(&err, "cannot list the server's kinds");
	return c;
}

int
main(int argc, char *argv[])
{
	int first = cli_parse(argc, argv);
	const struct format *format = find_format();
	struct kinds all = { 0 }, meant = { 0 };
	struct learn *learn = learn_new();
	struct client *c = open_client();
	size_t shown = 0;
	struct err err;

	if (namespaced && *namespaced && strcmp(namespaced, "true") && strcmp(namespaced, "false"))
		die(NULL, "--namespaced: '%s' is neither true nor false", namespaced);
	if (crds_learn(learn, NULL, warn, &err) < 0)
		die(&err, "cannot list");
	look_up(&meant, c, argv + first);
	gather(&all, c);
	for (size_t i = 0; i < all.n; i++) {
		if (!wanted(all.item[i], meant.item, meant.n))
			continue;
		if (!shown++ && format->print == add_kind && !bare)
			add_header();
		format->print(all.item[i]);
	}
	print_rows();
	free(all.item);
	free(meant.item);
	client_close(c);
	learn_free(learn);
	return finish(shown ? 0 : 1);
}
