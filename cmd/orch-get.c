/* orch-get - objects from the API server: a table for people, an object stream for pipes. */
#include <unistd.h>

#include "base/cli.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/output.h"

static const char *format, *label_columns;
static bool no_headers, show_labels, ignore_missing;
static struct list files;
static const struct opt opts[] = {
	{ 'o', "output", "FORMAT",
	    "table, wide, yaml, json, jsonl, name, jsonpath=, custom-columns=", &format, false },
	{ 'f', "filename", "FILE", "the objects that a file, folder or - (stdin) names", &files,
	    true },
	{ 'L', "label-columns", "KEYS", "table: a column for each of these labels", &label_columns,
	    false },
	{ 0, "show-labels", NULL, "table: a last column with all labels", &show_labels, false },
	{ 0, "no-headers", NULL, "table: no line of titles", &no_headers, false },
	{ 0, "ignore-not-found", NULL, "what does not exist is no failure", &ignore_missing,
	    false },
	{ 0 },
};
static const struct opt *const shared[] = { scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-get",
	.synopsis = "[-A] [-l LABELS] [-o FORMAT] KIND[/NAME]...\n[-o FORMAT] KIND NAME...\n[-o "
		    "FORMAT] [-f FILE] < objects",
	.summary = "Print objects: a table on a terminal, JSON Lines into a pipe.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

struct getting {
	struct output output;
	size_t n;
};

static int
print(void *arg, json_t *obj, struct err *err)
{
	struct getting *g = arg;
	int r = output_add(&g->output, obj, err);

	json_decref(obj);
	g->n++;
	return r;
}

static bool
one_object(const struct targets *t)
{
	return t->n == 1 && *t->item[0].name;
}

static void
say_nothing(const struct client *c)
{
	const char *ns = client_namespace(c);

	if (scope_options.all_namespaces)
		fprintf(stderr, "%s: nothing found\n", self.name);
	else
		fprintf(stderr, "%s: nothing found in namespace '%s'\n", self.name, ns);
}

int
main(int argc, char *argv[])
{
	struct printer_options options = { .no_headers = no_headers };
	struct getting g = { 0 };
	struct targets targets = { 0 };
	struct client *c;
	struct err err;
	int at = cli_parse(argc, argv), worst = 0;
	bool people = format ? false : isatty(STDOUT_FILENO);

	if (at == argc && files.n == 0 && isatty(STDIN_FILENO))
		usage();
	if (client_open(&c, &err) < 0 ||
	    targets_gather(&targets, c, argc - at, argv + at, &files, &err) < 0)
		die(&err, "cannot get");
	options.no_headers = no_headers;
	options.show_labels = show_labels;
	options.label_columns = label_columns;
	options.show_namespace = scope_options.all_namespaces;
	options.list = one_object(&targets) ? PRINTER_LIST_AUTO : PRINTER_LIST_ALWAYS;
	if (output_open(&g.output, stdout, format, &options, &err) < 0)
		die(&err, "cannot print");
	for (size_t i = 0; i < targets.n; i++) {
		int r = target_each(c, &targets.item[i], print, &g, &err), status;

		if (r >= 0 || (r == -ERR_NOT_FOUND && ignore_missing))
			continue;
		status = complain(&err, "cannot get %s", targets.item[i].where);
		worst = status > worst ? status : worst;
	}
	/* nothing found and nothing asked for by name: no List of none after a failure */
	if ((g.n > 0 || worst == 0) && output_close(&g.output, &err) < 0)
		die(&err, "cannot print");
	output_discard(&g.output);
	if (people && g.n == 0 && worst == 0)
		say_nothing(c);
	targets_release(&targets);
	client_close(c);
	return finish(worst);
}
