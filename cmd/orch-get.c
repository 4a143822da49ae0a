/* orch-get - objects from the API server: a table for people, an object stream for pipes. */
#include <unistd.h>

#include "base/cli.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/cache.h"
#include "client/learned.h"
#include "client/output.h"

static const char *format, *label_columns;
static bool no_headers, show_labels, ignore_missing, follow;
static struct list files;
static const struct opt opts[] = {
	{ 'o', "output", "FORMAT",
	    "table, wide, yaml, json, jsonl, name, jsonpath=, custom-columns=", &format, false },
	{ 'f', "filename", "FILE", "the objects that a file, folder or - (stdin) names", &files,
	    true },
	{ 'w', "watch", NULL, "go on with what changes, until told to end", &follow, false },
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
	.synopsis =
	    "[-A] [-w] [-l LABELS] [-o FORMAT] KIND[/NAME]...\n[-o FORMAT] KIND NAME...\n[-o "
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

/* --- watching ------------------------------------------------------------------------------- */

static void
changed(void *arg, const char *type, const json_t *obj, const json_t *old)
{
	struct err err;

	(void)type;
	(void)old;
	if (print(arg, json_incref((json_t *)obj), &err) < 0)
		die(&err, "cannot print");
}

static int
keep(struct cache *cache, const struct target *t, struct err *err)
{
	struct list_options o = scope_list_options();
	autofree char *field = xasprintf("metadata.name=%s", t->name);

	if (*t->name)
		o.fields = field;
	return cache_add(cache, t->kind, t->ns, &o, err);
}

static int
watch(struct getting *g, struct client *c, const struct targets *t, struct err *err)
{
	autoclose int gone = output_gone(stdout);
	struct cache *cache;
	int r = cache_open(&cache, c, err);

	if (r < 0)
		return r;
	cache_on_change(cache, changed, g);
	for (size_t i = 0; i < t->n && r >= 0; i++)
		r = keep(cache, &t->item[i], err);
	while (t->n > 0 && r >= 0 && !output_is_gone(gone) &&
	       (r = cache_wait(cache, -1, gone, err)) >= 0) {
		output_flush(&g->output);
		if (!flush_output())
			break;
	}
	cache_close(cache);
	return r;
}

/* --- once ----------------------------------------------------------------------------------- */

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
	struct learn *learn = learn_new();
	struct client *c;
	struct err err;
	int at = cli_parse(argc, argv), worst = 0;
	bool people = format ? false : isatty(STDOUT_FILENO);

	if (at == argc && files.n == 0 && isatty(STDIN_FILENO))
		usage();
	log_open(self.name, 0);
	if (client_open(&c, &err) < 0 ||
	    targets_gather(&targets, c, argc - at, argv + at, &files, &err) < 0)
		die(&err, "cannot get");
	options.no_headers = no_headers;
	options.show_labels = show_labels;
	options.label_columns = label_columns;
	options.show_namespace = scope_options.all_namespaces;
	options.list = follow		      ? PRINTER_LIST_NEVER
		       : one_object(&targets) ? PRINTER_LIST_AUTO
					      : PRINTER_LIST_ALWAYS;
	if (output_open(&g.output, stdout, format, &options, &err) < 0)
		die(&err, "cannot print");
	if (output_tables(&g.output))
		targets_learn(&targets, c, learn);
	if (follow && watch(&g, c, &targets, &err) < 0)
		worst = complain(&err, "cannot watch");
	for (size_t i = 0; i < targets.n && !follow; i++) {
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
	learn_free(learn);
	return finish(worst);
}
