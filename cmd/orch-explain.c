/* orch-explain - what a kind or field is: type, default, allowed values, one sentence. */
#include <stdio.h>
#include <string.h>

#include "api/bounds.h"
#include "api/custom.h"
#include "api/lookup.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "client/crds.h"
#include "client/options.h"

static const char *api_version, *output = "text";
static bool recursive;

static const struct opt opts[] = {
	{ 'r', "recursive", NULL, "all fields below, as an indented tree", &recursive, false },
	{ 'o', "output", "FORMAT", "text, or jsonl: a line for each field below", &output, false },
	{ 0, "api-version", "VERSION", "the kind of this apiVersion, as autoscaling/v1",
	    &api_version, false },
	{ 0 },
};
static const struct opt *const shared[] = { crds_opts, client_opts, NULL };

const struct program self = {
	.name = "orch-explain",
	.synopsis = "[-r] [-o format] [--api-version version] [--crds file] kind[.field] ...",
	.summary = "Explain kinds and fields of the API.",
	.opts = opts,
	.shared = shared,
	.operands = "kinds",
};

enum { WIDTH = 80, DEEPEST = 64 };

/* A text in lines of at most WIDTH, each behind `indent` spaces. */
static void
print_wrapped(const char *text, size_t indent)
{
	size_t column = 0;

	for (size_t n; *text; text += n + strspn(text + n, " ")) {
		n = strcspn(text, " ");
		if (column && column + 1 + n > WIDTH) {
			putchar('\n');
			column = 0;
		}
		if (!column)
			column = (size_t)printf("%*s%.*s", (int)indent, "", (int)n, text);
		else
			column += (size_t)printf(" %.*s", (int)n, text);
	}
	putchar('\n');
}

/* "[]Container" of "[]core.v1.Container": packages say little to people. */
static char *
plain_type(const struct type *t)
{
	const char *prefix = strrchr(t->name, ']'), *dot = strrchr(t->name, '.');

	return xasprintf("%.*s%s", prefix ? (int)(prefix + 1 - t->name) : 0, t->name,
	    dot	     ? dot + 1
	    : prefix ? prefix + 1
		     : t->name);
}

static json_t *
values_json(const struct field *f)
{
	json_t *list = json_array();

	for (const char *const *v = f->values; v && *v; v++)
		json_array_append_new(list, json_string(*v));
	return list;
}

/* An empty struct, or the zero that is written for a required number: no news to people. */
static bool
has_default(const struct field *f)
{
	return f->dflt && strcmp(f->dflt, "null") && strcmp(f->dflt, "{}") &&
	       strcmp(f->dflt, "\"\"") && !(f->required && !strcmp(f->dflt, "0")) &&
	       !(f->required && !strcmp(f->dflt, "false"));
}

/* What there is to know of a field beyond its type: one line. */
static void
add_marks(struct buf *b, const struct field *f)
{
	if (f->required)
		buf_puts(b, "  required");
	if (has_default(f))
		buf_printf(b, "  = %s", f->dflt);
	for (size_t i = 0; f->values && f->values[i]; i++)
		buf_printf(
		    b, "%s%s", i ? ", " : "  one of ", *f->values[i] ? f->values[i] : "\"\"");
}

static void
add_lists(struct buf *b, const struct field *f)
{
	if (f->list == LIST_SET)
		buf_puts(b, "a set: no value twice");
	for (size_t i = 0; f->list == LIST_MAP && f->list_keys[i]; i++)
		buf_printf(b, "%s%s", i ? " and " : "one for each ", f->list_keys[i]);
	if (f->patch & PATCH_MERGE && f->merge_key)
		buf_printf(b, "%spatches merge by %s", b->len ? "; " : "", f->merge_key);
	else if (f->patch & PATCH_MERGE)
		buf_printf(b, "%spatches merge", b->len ? "; " : "");
	if (f->patch & PATCH_REPLACE)
		buf_printf(b, "%spatches replace it as a whole", b->len ? "; " : "");
	if (f->patch & PATCH_RETAIN_KEYS)
		buf_printf(
		    b, "%spatches replace what belongs to another choice", b->len ? "; " : "");
}

static void
print_field(const struct field *f)
{
	autofree char *type = plain_type(f->type);
	autobuf struct buf line = BUF_INIT;

	buf_printf(&line, "%s  %s", f->name, type);
	add_marks(&line, f);
	printf("  %s\n", line.data);
	if (*f->summary)
		print_wrapped(f->summary, 6);
}

static void
print_fields(const struct type *t)
{
	if (t->nfields)
		printf("\nFields:\n");
	for (size_t i = 0; i < t->nfields; i++)
		print_field(&t->fields[i]);
}

/* Fields below, until a type stands inside itself (a schema in a schema). */
static void
print_tree(const struct type *t, const struct type *stack[], size_t depth)
{
	stack[depth] = t;
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		const struct type *inside = type_inside(f->type);
		autofree char *type = plain_type(f->type);
		autobuf struct buf marks = BUF_INIT;
		bool again = depth + 1 == DEEPEST;

		buf_puts(&marks, "");
		add_marks(&marks, f);
		for (size_t d = 0; d <= depth; d++)
			again |= stack[d] == inside;
		printf("%*s%s  %s%s%s\n", (int)(2 * depth + 2), "", f->name, type, marks.data,
		    again && inside->nfields ? " ..." : "");
		if (!again)
			print_tree(inside, stack, depth + 1);
	}
}

static void
print_json(const char *path, const struct type *t, const struct type *stack[], size_t depth)
{
	stack[depth] = t;
	for (size_t i = 0; i < t->nfields; i++) {
		const struct field *f = &t->fields[i];
		const struct type *inside = type_inside(f->type);
		autofree char *here = xasprintf("%s.%s", path, f->name),
			      *type = plain_type(f->type);
		json_auto_t *line = json_pack("{s:s, s:s, s:b, s:o*, s:o, s:s}", "path", here,
		    "type", type, "required", f->required, "default",
		    has_default(f) ? json_loads(f->dflt, JSON_DECODE_ANY, NULL) : NULL, "values",
		    values_json(f), "summary", f->summary);
		bool again = depth + 1 == DEEPEST;

		jsonl_write(stdout, line);
		for (size_t d = 0; d <= depth; d++)
			again |= stack[d] == inside;
		if (recursive && !again)
			print_json(here, inside, stack, depth + 1);
	}
}

/* The head: what this is, and what there is to say of it. */
static void
print_head(const char *path, const struct kind *k, const struct field *f)
{
	autofree char *type = plain_type(f ? f->type : k->type);
	autobuf struct buf marks = BUF_INIT, lists = BUF_INIT;
	const char *summary = f ? f->summary : k->summary;
	char version[128];

	buf_puts(&marks, "");
	buf_puts(&lists, "");
	if (f) {
		add_marks(&marks, f);
		add_lists(&lists, f);
		printf("%s  %s%s\n", path, type, marks.data);
	} else {
		printf("%s  %s", k->kind, kind_api_version(k, version));
		if (*k->plural)
			printf(", %s%s", k->plural, k->namespaced ? "" : ", not in namespaces");
		for (const char *const *s = k->short_names; s && *s; s++)
			printf(", %s", *s);
		putchar('\n');
	}
	if (!*summary && f)
		summary = type_inside(f->type)->summary;
	if (*summary)
		print_wrapped(summary, 4);
	if (lists.len)
		print_wrapped(lists.data, 4);
}

/* A custom kind's schema says more than types: bounds, patterns, rules. */
static void
print_bounds(const struct kind *k, const char *path)
{
	json_auto_t *schema = k->custom ? custom_openapi(k, 3) : NULL;
	const json_t *at = bounds_find(schema, path);
	autobuf struct buf b = BUF_INIT;
	char *rest;

	if (at)
		bounds_print(at, &b);
	rest = b.data;
	for (char *line; rest && (line = strsep(&rest, "\n"));)
		if (*line)
			printf("    %s\n", line);
}

/* A Kind as it stands in objects, which need not have a resource of its own: Scale, Status. */
static const struct kind *
find_exactly(const char *text, const char **path)
{
	size_t n = strcspn(text, ".");
	autofree char *word = xstrndup(text, n);

	*path = text + n + (text[n] == '.');
	return kind_of_object(api_version, word);
}

/* With --api-version the word before the first dot is a kind of exactly that version. */
static const struct kind *
find_kind(const char *text, const char **path)
{
	const struct kind *k = kind_of_path(text, path);

	if (!api_version)
		return k;
	return k ? kind_of_object(api_version, k->kind) : find_exactly(text, path);
}

static int
explain(const char *text)
{
	const struct type *stack[DEEPEST], *inside;
	const struct field *f;
	const char *path;
	const struct kind *k = find_kind(text, &path);
	struct err err;

	if (!k)
		return complain(
		    &(struct err){ ERR_NOT_FOUND, "no such kind: orch-kinds lists them" },
		    "cannot explain '%s'", text);
	if (field_at(&f, k->type, path, &err) < 0)
		return complain(&err, "cannot explain '%s'", text);
	inside = f ? type_inside(f->type) : k->type;
	if (!strcmp(output, "jsonl")) {
		print_json(text, inside, stack, 0);
		return 0;
	}
	print_head(text, k, f);
	print_bounds(k, path);
	if (recursive) {
		putchar('\n');
		print_tree(inside, stack, 0);
	} else {
		print_fields(inside);
	}
	return 0;
}

int
main(int argc, char *argv[])
{
	int first = cli_parse(argc, argv), worst = 0;
	struct learn *learn = learn_new();
	struct err err;

	if (first == argc)
		usage();
	if (strcmp(output, "text") && strcmp(output, "jsonl"))
		die(NULL, "no output format '%s': there are text and jsonl", output);
	if (crds_learn(learn, argv + first, warn, &err) < 0)
		die(&err, "cannot explain");
	for (int i = first; i < argc; i++) {
		int status;

		if (i > first && !strcmp(output, "text"))
			putchar('\n');
		status = explain(argv[i]);
		worst = status > worst ? status : worst;
	}
	learn_free(learn);
	return finish(worst);
}
