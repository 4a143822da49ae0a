/* orch-apply - make the cluster hold these objects: create them, or change what differs. */
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/object.h"
#include "api/selector.h"
#include "base/cli.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/apply.h"
#include "client/write.h"

static bool prune, exit_code;
static struct list files;
static const struct opt opts[] = {
	{ 'f', "filename", "FILE", "a file, a folder, or - for stdin (the default)", &files, true },
	{ 0, "prune", NULL, "with -l: delete what was applied and is not in the input", &prune,
	    false },
	{ 0, "exit-code", NULL, "exit 1 when anything changed", &exit_code, false },
	{ 0 },
};
static const struct opt *const shared[] = { write_opts, scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-apply",
	.synopsis = "[-n NAMESPACE] [--dry-run] [--exit-code] [-f FILE]... < objects\n--prune -l "
		    "LABELS [-f FILE]... < objects",
	.summary = "Create objects, or change what differs from the manifest.",
	.opts = opts,
	.shared = shared,
	.operands = "files",
};

struct manifest {
	json_t *obj;
	char *where;
};

struct run {
	struct client *client;
	struct selector *labels;
	struct manifest *item; /* everything, read before anything is written */
	size_t n, cap;
	json_t *kept;
	struct writer writer;
	bool changed;
	int worst;
};

static int
gather(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	struct run *run = arg;

	(void)err;
	GROW(run->item, run->n, run->cap);
	run->item[run->n++] = (struct manifest){ obj, xstrdup(objects_where(in)) };
	return 0;
}

static void
failed(struct run *run, int status)
{
	/* 1 says that something was changed: what is not there (a namespace) is bad input */
	status = status == 1 ? 2 : status;
	run->worst = status > run->worst ? status : run->worst;
}

static void
report(struct run *run, const struct kind *k, const json_t *obj, const char *what)
{
	struct err err;

	if (writer_report(&run->writer, k, obj, what, &err) < 0)
		die(&err, "cannot print");
	flush_output();
}

/* Kind, namespace, and the fields made ready. */
static int
prepare(struct run *run, const struct manifest *m, const struct kind **k, struct err *err)
{
	const char *ns;
	autofree char *copy = NULL;
	int r;

	if ((r = client_kind_of(run->client, m->obj, k, err)) < 0 ||
	    (r = target_namespace(run->client, *k, m->obj, &ns, err)) < 0)
		return r;
	copy = xstrdup(ns); /* it may stand in the object that changes */
	apply_prepare(m->obj, *k, copy);
	return 0;
}

static void
apply(struct run *run, const struct manifest *m)
{
	static const char *const words[] = { [APPLY_UNCHANGED] = "unchanged",
		[APPLY_CREATED] = "created",
		[APPLY_CONFIGURED] = "configured" };
	json_auto_t *now = NULL;
	autofree char *key = NULL;
	enum apply_result result;
	const struct kind *k;
	struct err err;

	if (!selector_match(run->labels, meta_labels(m->obj)))
		return;
	if (prepare(run, m, &k, &err) < 0 ||
	    apply_object(run->client, k, m->obj, &run->writer, &result, &now, &err) < 0) {
		failed(run, complain(&err, "%s: cannot apply %s '%s'", m->where,
				text(m->obj, "kind"), meta_name(m->obj)));
		return;
	}
	key = apply_key(k, meta_namespace(m->obj), meta_name(m->obj));
	json_object_set_new(run->kept, key, json_true());
	run->changed = run->changed || result != APPLY_UNCHANGED;
	report(run, k, now, words[result]);
}

static void
pruned(void *arg, const struct kind *k, const json_t *obj, int r, const struct err *err)
{
	struct run *run = arg;

	if (r < 0) {
		failed(run, complain(err, "cannot prune %s '%s'", k->singular, meta_name(obj)));
		return;
	}
	run->changed = true;
	report(run, k, obj, "pruned");
}

static void
prune_rest(struct run *run)
{
	const char *ns = client_namespace(run->client);
	struct err err;

	if (run->worst) {
		warn("nothing is pruned, because not everything was applied");
		return;
	}
	if (run->writer.dry == DRY_CLIENT) {
		warn("--dry-run=client does not look for what to prune");
		return;
	}
	if (apply_prune(run->client, run->kept, ns, scope_options.selector,
		run->writer.dry != DRY_NO, pruned, run, &err) < 0)
		failed(run, complain(&err, "cannot prune"));
}

static void
check_options(struct run *run)
{
	struct err err;

	if (writer_open(&run->writer, stdout, "orch-apply", &err) < 0)
		die(&err, "cannot apply");
	if (prune && (!scope_options.selector || !*scope_options.selector))
		die(NULL, "--prune needs -l LABELS: it deletes what has these labels and is not in "
			  "the input");
	if (scope_options.all_namespaces || scope_options.field_selector)
		die(NULL, "-A and --field-selector mean nothing here");
}

static void
start(struct run *run)
{
	struct err err;

	check_options(run);
	if (selector_parse(
		&run->labels, scope_options.selector ? scope_options.selector : "", &err) < 0)
		die(&err, "-l '%s'", scope_options.selector);
	if (objects_each(
		(char *const *)files.item, (int)files.n, ACCEPT_OBJECTS, gather, run, &err) < 0)
		die(&err, "nothing is applied");
	if (prune && run->n == 0)
		die(NULL,
		    "the input holds no object, so everything would be pruned; orch-delete -l "
		    "does that");
	run->kept = json_object();
	if (run->n > 0 && client_open(&run->client, &err) < 0)
		die(&err, "cannot apply");
}

static void
end(struct run *run)
{
	struct err err;

	if (writer_close(&run->writer, &err) < 0)
		failed(run, complain(&err, "cannot print"));
	for (size_t i = 0; i < run->n; i++) {
		json_decref(run->item[i].obj);
		free(run->item[i].where);
	}
	free(run->item);
	json_decref(run->kept);
	selector_free(run->labels);
	client_close(run->client);
}

int
main(int argc, char *argv[])
{
	struct run run = { 0 };

	if (cli_parse(argc, argv) != argc || (files.n == 0 && isatty(STDIN_FILENO)))
		usage();
	start(&run);
	for (size_t i = 0; i < run.n; i++)
		apply(&run, &run.item[i]);
	if (prune)
		prune_rest(&run);
	end(&run);
	return finish(run.worst ? run.worst : exit_code && run.changed ? 1 : 0);
}
