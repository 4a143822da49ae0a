/* orch-select - pass on the objects that match: grep for the object stream. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "api/object.h"
#include "api/pick.h"
#include "api/selector.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "client/crds.h"
#include "client/options.h"

static struct list files;
static const char *namespace, *labels, *fields, *name;
static bool invert, exit_code;

static const struct opt opts[] = {
	{ 'n', "namespace", "NAMESPACE", "only objects of this namespace", &namespace, false },
	{ 'l', "selector", "SELECTOR", "only objects with such labels", &labels, false },
	{ 0, "field-selector", "SELECTOR", "only objects with such fields", &fields, false },
	{ 'N', "name", "PATTERN", "only objects with such a name (a shell pattern)", &name, false },
	{ 'v', "invert", NULL, "pass on those that do not match", &invert, false },
	{ 'f', "file", "FILE", "read this file or folder instead of standard input", &files, true },
	{ 0, "exit-code", NULL, "exit 1 when nothing was passed on", &exit_code, false },
	{ 0 },
};
static const struct opt *const shared[] = { crds_opts, client_opts, NULL };

const struct program self = {
	.name = "orch-select",
	.synopsis = "[-v] [-n namespace] [-l selector] [-f file] [kind[/name] ...]",
	.summary = "Pass on the objects that match kind, name, namespace, labels and fields.",
	.opts = opts,
	.shared = shared,
	.operands = "kinds",
};

struct filter {
	struct learn *learn;
	struct pick *kinds;
	struct selector *labels, *fields;
	struct buf out;
	unsigned long passed;
};

static bool
matches(const struct filter *f, const json_t *obj)
{
	return pick_match(f->kinds, obj) &&
	       (!namespace || strcmp(meta_namespace(obj), namespace) == 0) &&
	       (!name || fnmatch(name, meta_name(obj), 0) == 0) &&
	       (!f->labels || selector_match(f->labels, meta_labels(obj))) &&
	       (!f->fields || selector_match_fields(f->fields, obj));
}

/* Of an event or action it is the object inside that must match. */
static int
take(void *arg, struct objects *in, json_t *value, struct err *err)
{
	struct filter *f = arg;
	size_t len;
	const char *raw;

	(void)err;
	crds_take(f->learn, object_of(value), objects_where(in), warn);
	if (matches(f, object_of(value)) != invert) {
		f->passed++;
		buf_clear(&f->out);
		if ((raw = objects_raw(in, &len)))
			buf_add(&f->out, raw, len);
		else
			json_add(&f->out, value);
		buf_putc(&f->out, '\n');
		fwrite(f->out.data, 1, f->out.len, stdout);
	}
	json_decref(value);
	return ferror(stdout);
}

static void
setup(struct filter *f, char *words[])
{
	struct err err;

	f->learn = learn_new();
	if (crds_learn(f->learn, NULL, warn, &err) < 0)
		die(&err, "cannot select");
	f->kinds = pick_new();
	for (; *words; words++)
		if (pick_add(f->kinds, *words, &err) < 0)
			die(&err, "cannot select");
	if (labels && selector_parse(&f->labels, labels, &err) < 0)
		die(&err, "cannot select by labels '%s'", labels);
	if (fields && selector_parse_fields(&f->fields, fields, &err) < 0)
		die(&err, "cannot select by fields '%s'", fields);
}

int
main(int argc, char *argv[])
{
	int first = cli_parse(argc, argv), r;
	struct filter f = { .out = BUF_INIT };
	struct err err;

	setup(&f, argv + first);
	r = objects_each((char *const *)files.item, (int)files.n, ACCEPT_EVENTS, take, &f, &err);
	pick_free(f.kinds);
	selector_free(f.labels);
	selector_free(f.fields);
	buf_release(&f.out);
	learn_free(f.learn);
	free(files.item);
	if (r < 0)
		return finish(complain(&err, "cannot select"));
	return finish(exit_code && f.passed == 0 ? 1 : 0);
}
