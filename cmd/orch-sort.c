/* orch-sort - objects in the order in which they can be created: what others need comes first. */
#include <stdio.h>
#include <string.h>

#include "api/jsonpath.h"
#include "api/meta.h"
#include "api/object.h"
#include "api/order.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"

static struct list files;
static const char *by_arg;
static struct jsonpath *by;
static bool reverse;

static const struct opt opts[] = {
	{ 'b', "by", "PATH", "sort by a field instead, as in .metadata.name", &by_arg, false },
	{ 'r', "reverse", NULL, "the other way round: the order of deletion", &reverse, false },
	{ 'f', "file", "FILE", "read this file or folder, as an operand does", &files, true },
	{ 0 },
};

const struct program self = {
	.name = "orch-sort",
	.synopsis = "[-r] [-b path] [-f file] [file ...]",
	.summary = "Sort objects into the order in which they can be created, or by a field.",
	.opts = opts,
	.operands = "files",
};

struct item {
	int rank;
	json_t *key; /* with --by: what the field holds, or NULL */
	size_t nth;  /* its place in the input: sorting is stable */
	char *line;
	size_t len;
};

struct items {
	struct item *item;
	size_t n, cap;
};

/* What is sorted by; a path that finds several sorts by the first. */
static int
key_of(json_t *obj, json_t **key, struct err *err)
{
	struct found f = FOUND_INIT;
	int r = jsonpath_find(by, obj, &f, err);

	*key = f.n > 0 ? json_incref(f.item[0]) : NULL;
	found_release(&f);
	return r;
}

/* Lines are kept, not trees: a tenth of the memory. */
static int
take(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	struct items *all = arg;
	struct buf line = BUF_INIT;
	size_t len;
	const char *raw = objects_raw(in, &len);
	struct item it = { .rank = install_rank(text(obj, "apiVersion"), text(obj, "kind")),
		.nth = all->n };

	if (by && key_of(obj, &it.key, err) < 0)
		return -(int)err->code;
	if (raw)
		buf_add(&line, raw, len);
	else
		json_add(&line, obj);
	buf_putc(&line, '\n');
	json_decref(obj);
	it.len = line.len;
	it.line = buf_detach(&line);
	GROW(all->item, all->n, all->cap);
	all->item[all->n++] = it;
	return 0;
}

/* Missing before numbers before text; numbers by size, text by its bytes. */
static int
compare_keys(const json_t *a, const json_t *b)
{
	int class_a = json_is_number(a) ? 1 : json_is_string(a) ? 2 : 0;
	int class_b = json_is_number(b) ? 1 : json_is_string(b) ? 2 : 0;
	double x, y;

	if (class_a != class_b)
		return class_a > class_b ? 1 : -1;
	if (class_a == 2)
		return strcmp(json_string_value(a), json_string_value(b));
	if (class_a == 0)
		return 0;
	x = json_number_value(a);
	y = json_number_value(b);
	return (x > y) - (x < y);
}

static int
compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int c = by ? compare_keys(x->key, y->key) : (x->rank > y->rank) - (x->rank < y->rank);

	if (c != 0)
		return reverse ? -c : c;
	return (x->nth > y->nth) - (x->nth < y->nth);
}

int
main(int argc, char *argv[])
{
	struct items all = { 0 };
	struct err err;
	int r;

	for (int i = cli_parse(argc, argv); i < argc; i++) {
		GROW(files.item, files.n, files.cap);
		files.item[files.n++] = argv[i];
	}
	if (by_arg && jsonpath_parse_path(&by, by_arg, &err) < 0)
		die(&err, "cannot sort by '%s'", by_arg);
	r = objects_each((char *const *)files.item, (int)files.n, ACCEPT_OBJECTS, take, &all, &err);
	if (r < 0)
		die(&err, "cannot sort");
	if (all.n > 0)
		qsort(all.item, all.n, sizeof *all.item, compare);
	for (size_t i = 0; i < all.n; i++) {
		fwrite(all.item[i].line, 1, all.item[i].len, stdout);
		free(all.item[i].line);
		json_decref(all.item[i].key);
	}
	free(all.item);
	free(files.item);
	jsonpath_free(by);
	return finish(0);
}
