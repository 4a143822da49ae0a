/* orch-taint - set and remove taints of nodes, on the server or in a stream. */
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/taint.h"
#include "base/cli.h"
#include "base/mem.h"
#include "client/node_edit.h"

static bool overwrite, local;
static const char *version;
static const struct opt opts[] = {
	{ 0, "overwrite", NULL, "change also the value of a taint that is there", &overwrite,
	    false },
	{ 0, "resource-version", "VERSION", "only if the node has this version", &version, false },
	{ 0, "local", NULL, "a filter: no server, change the nodes of the input", &local, false },
	{ 0 },
};
static const struct opt *const shared[] = { verb_opts, all_opts, write_opts, scope_opts,
	client_opts, NULL };
const struct program self = {
	.name = "orch-taint",
	.synopsis = "[--overwrite] NODE... TAINT...\n(-l LABELS|--all) TAINT...\n"
		    "[-f FILE] TAINT... < nodes\n--local TAINT... < objects > objects",
	.summary = "Set and remove taints of nodes: KEY[=VALUE]:EFFECT, KEY:EFFECT- or KEY-.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

/* Part the words: nodes first, changes behind them, both in their order; how many nodes. */
static int
split(char *words[], int n)
{
	autofree char **edits = xcalloc((size_t)n + 1, sizeof *edits);
	int nodes = 0, nedits = 0;

	for (int i = 0; i < n; i++) {
		if (taint_word(words[i]))
			edits[nedits++] = words[i];
		else
			words[nodes++] = words[i];
	}
	for (int i = 0; i < nedits; i++)
		words[nodes + i] = edits[i];
	return nodes;
}

static int
taint(
    const struct node_edit *e, const json_t *node, json_t **ret, const char **what, struct err *err)
{
	json_auto_t *then = NULL;
	int r = taint_edit(&then, e->arg, node, overwrite, what, err);

	if (r < 0)
		return r;
	if (strcmp(*what, "unchanged") != 0)
		*ret = steal(then);
	return 0;
}

static int
on_server(struct node_edit *e, int n, char *argv[])
{
	struct verb v = { .name = "taint", .complain = complain, .flush = flush_output };
	char **words = node_words(&n, argv);
	struct err err;

	if (n == 0 && verb_options.files.n == 0 && isatty(STDIN_FILENO))
		usage();
	if (verb_open(&v, n, words, &err) < 0 || node_targets(&v.targets, &err) < 0 ||
	    verb_needs_names(&v, &err) < 0)
		die(&err, "cannot taint");
	verb_each(&v, node_change, e);
	node_words_free(words);
	return verb_close(&v);
}

int
main(int argc, char *argv[])
{
	int at = cli_parse(argc, argv), n = split(argv + at, argc - at), status = 0;
	struct taint_edits edits;
	struct node_edit e = {
		.field = "taints", .edit = taint, .arg = &edits, .whole = true, .version = version
	};
	struct err err;

	if (argc - at - n == 0)
		usage();
	if (taint_parse(&edits, argv + at + n, argc - at - n, &err) < 0)
		die(&err, "cannot taint");
	if (local && (n > 0 || version || verb_options.all))
		die(NULL, "--local changes the nodes of its input: no operands, --all or "
			  "--resource-version go with it");
	if (local && verb_options.files.n == 0 && isatty(STDIN_FILENO))
		usage();
	if (!local)
		status = on_server(&e, n, argv + at);
	else if (node_stream(&e, &err) < 0)
		status = complain(&err, "cannot taint");
	taint_release(&edits);
	return finish(status);
}
