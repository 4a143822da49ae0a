/* orch-patch - change some fields of objects, on the server or in a stream. */
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/object.h"
#include "api/pick.h"
#include "api/selector.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "client/patching.h"
#include "client/verb.h"

enum { MAX_PATCH = 16 << 20 };

static const char *patch_arg, *patch_file, *type_arg, *subresource, *version;
static bool local, force;
static const struct opt opts[] = {
	{ 'p', "patch", "PATCH", "the change, JSON or YAML", &patch_arg, false },
	{ 0, "patch-file", "FILE", "the same from a file, - for stdin", &patch_file, false },
	{ 0, "type", "TYPE", "strategic (default), merge, json or apply", &type_arg, false },
	{ 0, "subresource", "NAME", "of this: status, scale, ...", &subresource, false },
	{ 0, "resource-version", "VERSION", "only if the object still has this one", &version,
	    false },
	{ 0, "force-conflicts", NULL, "apply: take over fields that others manage", &force, false },
	{ 0, "local", NULL, "no server: patch the objects of the input, print them all", &local,
	    false },
	{ 0 },
};
static const struct opt *const shared[] = { verb_opts, write_opts, scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-patch",
	.synopsis = "[--type=TYPE] -p PATCH KIND/NAME...\n-p PATCH (-l LABELS|--all) KIND...\n-p "
		    "PATCH [-f FILE] < objects\n--local -p PATCH [KIND[/NAME]...] < objects > "
		    "objects",
	.summary = "Change some fields of objects by a patch.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

static void
read_patch(struct patching *p)
{
	autobuf struct buf text = BUF_INIT;
	struct err err;
	int r = 0;

	if (!patch_arg == !patch_file)
		die(NULL, patch_arg ? "-p and --patch-file do not go together"
				    : "say what to change: -p PATCH or --patch-file FILE");
	if (patch_type_of(type_arg, &p->type, &err) < 0)
		die(&err, "cannot patch");
	if (patch_arg)
		buf_puts(&text, patch_arg);
	else if (strcmp(patch_file, "-") == 0)
		r = buf_read_fd(&text, STDIN_FILENO, MAX_PATCH, &err);
	else
		r = buf_read_file(&text, patch_file, MAX_PATCH, &err);
	if (r < 0 && err_of_input(&err) < 0)
		die(&err, "cannot read the patch");
	if (patching_read(p, text.data ? text.data : "", text.len, &err) < 0)
		die(&err, "cannot patch");
	if (force && p->type != PATCH_APPLY)
		die(NULL, "--force-conflicts is for --type=apply");
	p->force = force;
	p->version = version;
	p->sub = subresource;
}

/* --- on the server ---------------------------------------------------------------------------- */

/* A write that changes nothing leaves the resourceVersion alone; a dry run always does. */
static bool
unchanged(const struct verb *v, const json_t *before, const json_t *after)
{
	return v->writer.dry ? json_equal(before, after)
			     : strcmp(meta_version(before), meta_version(after)) == 0;
}

static int
patch_one(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	const struct patching *p = arg;
	json_auto_t *live = NULL, *after = NULL;
	int r;

	if ((r = verb_read(v, s, &live, err)) < 0)
		return r;
	if (v->writer.dry == DRY_CLIENT)
		r = patching_here(p, kind_of_object(text(live, "apiVersion"), text(live, "kind")),
		    live, &after, err);
	else
		r = patching_send(p, v->client, s->kind, live, v->writer.query, &after, err);
	if (r < 0)
		return r;
	return verb_report(
	    v, s, after, unchanged(v, live, after) ? "patched (no change)" : "patched", err);
}

static int
on_server(struct patching *p, int n, char *words[])
{
	struct verb v = { .name = "patch", .complain = complain, .flush = flush_output };
	struct err err;

	if (n == 0 && verb_options.files.n == 0 &&
	    (isatty(STDIN_FILENO) || (patch_file && strcmp(patch_file, "-") == 0)))
		usage();
	if (verb_open(&v, n, words, &err) < 0 || verb_needs_names(&v, &err) < 0)
		die(&err, "cannot patch");
	p->manager = v.writer.manager;
	verb_each(&v, patch_one, p);
	return verb_close(&v);
}

/* --- in a stream ------------------------------------------------------------------------------ */

struct filter {
	const struct patching *patching;
	struct pick *picked;
	struct selector *labels;
	struct output output;
	bool lines; /* JSON Lines, which any value fits in */
	int worst;
};

static int
print(struct filter *f, json_t *value, struct err *err)
{
	int r = 0;

	if (f->lines)
		jsonl_write(stdout, value);
	else
		r = output_add(&f->output, object_of(value), err);
	json_decref(value);
	return r < 0 ? r : ferror(stdout);
}

/* In an event or action it is the object inside that is patched. */
static int
patch_value(void *arg, struct objects *in, json_t *value, struct err *err)
{
	struct filter *f = arg;
	json_t *obj = object_of(value), *after;
	const char *ns = scope_options.namespace;
	struct err why;

	if (!pick_match(f->picked, obj) || !selector_match(f->labels, meta_labels(obj)) ||
	    (ns && strcmp(ns, meta_namespace(obj)) != 0))
		return print(f, value, err);
	if (patching_here(f->patching, kind_of_object(text(obj, "apiVersion"), text(obj, "kind")),
		obj, &after, &why) < 0) {
		int status = complain(&why, "%s: cannot patch %s '%s'", objects_where(in),
		    text(obj, "kind"), meta_name(obj));

		f->worst = status > f->worst ? status : f->worst;
		json_decref(value);
		return 0;
	}
	if (obj == value) {
		json_decref(value);
		return print(f, after, err);
	}
	json_object_set_new(value, "object", after);
	return print(f, value, err);
}

static int
in_stream(struct patching *p, char *words[])
{
	const struct printer_options options = { .list = PRINTER_LIST_NEVER };
	const char *format = write_options.format ? write_options.format : "jsonl";
	const char *labels = scope_options.selector ? scope_options.selector : "";
	struct filter f = { .patching = p, .picked = pick_new() };
	const struct list *files = &verb_options.files;
	struct err err;
	int r;

	if (subresource || scope_options.field_selector || verb_options.all)
		die(NULL, "--subresource, --field-selector and --all mean nothing with --local");
	p->manager = write_options.manager ? write_options.manager : "orch-patch";
	for (; *words; words++)
		if (pick_add(f.picked, *words, &err) < 0)
			die(&err, "cannot patch");
	if (selector_parse(&f.labels, labels, &err) < 0)
		die(&err, "-l '%s'", labels);
	f.lines = strcmp(format, "jsonl") == 0;
	if (!f.lines && output_open(&f.output, stdout, format, &options, &err) < 0)
		die(&err, "cannot print");
	r = objects_each(
	    (char *const *)files->item, (int)files->n, ACCEPT_EVENTS, patch_value, &f, &err);
	if (r < 0)
		f.worst = complain(&err, "cannot patch");
	if (!f.lines && output_close(&f.output, &err) < 0)
		f.worst = complain(&err, "cannot print");
	pick_free(f.picked);
	selector_free(f.labels);
	return f.worst;
}

int
main(int argc, char *argv[])
{
	int at = cli_parse(argc, argv), status;
	struct patching p = { 0 };

	read_patch(&p);
	status = local ? in_stream(&p, argv + at) : on_server(&p, argc - at, argv + at);
	patching_release(&p);
	return finish(status);
}
