/* orch-label - set and remove labels, on the server or in a stream. */
#include <unistd.h>

#include "base/cli.h"
#include "base/mem.h"
#include "client/tag.h"

static const struct opt *const shared[] = { tag_opts, verb_opts, all_opts, write_opts, scope_opts,
	client_opts, NULL };
const struct program self = {
	.name = "orch-label",
	.synopsis = "[--overwrite] KIND/NAME... (KEY=VALUE|KEY-)...\n(-l LABELS|--all) KIND... "
		    "(KEY=VALUE|KEY-)...\n[-f FILE] (KEY=VALUE|KEY-)... < objects\n--local "
		    "(KEY=VALUE|KEY-)... < objects > objects\n--list KIND[/NAME]...",
	.summary = "Set and remove labels of objects.",
	.shared = shared,
	.operands = "objects",
};

static void
check(const struct tagging *t, int nobjects)
{
	bool none = json_object_size(t->edits) == 0;

	if (none && !t->list)
		die(NULL, "nothing to do: say KEY=VALUE or KEY-, or --list");
	if (!none && t->list)
		die(NULL, "--list changes nothing: no KEY=VALUE goes with it");
	if (tag_options.local && (nobjects > 0 || t->list || t->version))
		die(NULL, "--local changes the objects of its input: no operands, --list or "
			  "--resource-version go with it");
	if (nobjects == 0 && verb_options.files.n == 0 && isatty(STDIN_FILENO))
		usage();
}

static int
on_server(struct tagging *t, int nobjects, char *words[])
{
	struct verb v = { .name = "label", .complain = complain, .flush = flush_output };
	struct err err;

	if (verb_open(&v, nobjects, words, &err) < 0 ||
	    (!t->list && verb_needs_names(&v, &err) < 0))
		die(&err, "cannot label");
	t->named = v.targets.n != 1 || !*v.targets.item[0].name;
	verb_each(&v, tag_object, t);
	return verb_close(&v);
}

int
main(int argc, char *argv[])
{
	int at = cli_parse(argc, argv), n = tag_split(argv + at, argc - at), status = 0;
	struct tagging t = {
		.field = &label_field,
		.done = "labeled",
		.version = tag_options.version,
		.overwrite = tag_options.overwrite,
		.list = tag_options.list,
	};
	struct err err;

	if (tags_parse(&t.edits, t.field, argv + at + n, argc - at - n, &err) < 0)
		die(&err, "cannot label");
	check(&t, n);
	if (!tag_options.local)
		status = on_server(&t, n, argv + at);
	else if (tag_stream(&t, &err) < 0)
		status = complain(&err, "cannot label");
	json_decref(t.edits);
	return finish(status);
}
