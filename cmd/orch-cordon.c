/* orch-cordon - no new pods for a node, and again some. */
#include <unistd.h>

#include "base/cli.h"
#include "client/node_edit.h"

static bool undo;
static const struct opt opts[] = {
	{ 0, "undo", NULL, "let new pods be placed there again", &undo, false },
	{ 0 },
};
static const struct opt *const shared[] = { verb_opts, all_opts, write_opts, scope_opts,
	client_opts, NULL };
const struct program self = {
	.name = "orch-cordon",
	.synopsis = "[--undo] NODE...\n[--undo] (-l LABELS|--all)\n[--undo] [-f FILE] < nodes",
	.summary = "Place no new pods on nodes.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

int
main(int argc, char *argv[])
{
	struct verb v = { .name = "cordon", .complain = complain, .flush = flush_output };
	int at = cli_parse(argc, argv), n = argc - at;
	char **words = node_words(&n, argv + at);
	struct node_edit e = node_cordon(undo);
	struct err err;

	if (n == 0 && verb_options.files.n == 0 && isatty(STDIN_FILENO))
		usage();
	if (verb_open(&v, n, words, &err) < 0 || node_targets(&v.targets, &err) < 0 ||
	    verb_needs_names(&v, &err) < 0)
		die(&err, undo ? "cannot uncordon" : "cannot cordon");
	if (undo)
		v.name = "uncordon";
	verb_each(&v, node_change, &e);
	node_words_free(words);
	return finish(verb_close(&v));
}
