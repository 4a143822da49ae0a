/* orch-create - create objects: those of a stream, or one made from a few options. */
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/object.h"
#include "base/cli.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/address.h"
#include "client/calls.h"
#include "client/generate.h"
#include "client/manifest.h"
#include "client/threeway.h"
#include "client/write.h"

static const char *unknown_arg = "error";
static struct list files;
static const struct opt opts[] = {
	{ 'f', "filename", "FILE", "a file, a folder, or - for stdin (the default)", &files, true },
	{ 0, "unknown", "HOW", "unknown fields: error (default), warn or ignore", &unknown_arg,
	    false },
	{ 'n', "namespace", "NAME", "the namespace to work in", &scope_options.namespace, false },
	{ 0 },
};
static const struct opt *const shared[] = { generate_opts, write_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-create",
	.synopsis = "[-n NAMESPACE] [-f FILE]... < objects\nconfigmap NAME [--from-file=PATH] "
		    "[--from-literal=KEY=VALUE]\nsecret NAME [--type=TYPE] [--from-file=PATH]\n"
		    "namespace|serviceaccount NAME\ndeployment NAME --image=IMAGE [-- COMMAND...]\n"
		    "job NAME --image=IMAGE|--from=CRONJOB [-- COMMAND...]\ncronjob NAME "
		    "--image=IMAGE --schedule=WHEN [-- COMMAND...]\nservice NAME --tcp=PORT:TARGET "
		    "[--type=TYPE]",
	.summary = "Create objects, of a stream or from a few options.",
	.opts = opts,
	.shared = shared,
	.operands = "kinds",
};

struct item {
	json_t *obj, *made;
	char *where;
	const struct kind *kind; /* NULL: not known here, and no server was asked */
	struct err err;
};

struct run {
	struct client *client; /* NULL with --dry-run=client: no server is needed */
	struct writer writer;
	enum unknown unknown;
	struct item *item;
	size_t n, cap;
	int worst;
};

static void
failed(struct run *run, int status)
{
	run->worst = status > run->worst ? status : run->worst;
}

/* --- gathering ------------------------------------------------------------------------------- */

/* Kind and namespace.  What only a server sets is taken out: the new object gets its own. */
static int
prepare(struct run *run, struct item *i, struct err *err)
{
	const char *asked = scope_options.namespace, *ns = asked;
	autofree char *copy = NULL;
	int r = 0;

	if (!run->client)
		i->kind = kind_of_object(text(i->obj, "apiVersion"), text(i->obj, "kind"));
	else if ((r = client_kind_of(run->client, i->obj, &i->kind, err)) >= 0)
		r = target_namespace(run->client, i->kind, i->obj, &ns, err);
	if (r < 0)
		return r;
	strip_server_fields(i->obj);
	if (!i->kind || !i->kind->namespaced || !ns || !*ns)
		return 0;
	if (*meta_namespace(i->obj) && strcmp(meta_namespace(i->obj), ns) != 0)
		return err_set(err, ERR_BAD_REQUEST, "its namespace is '%s', but -n says '%s'",
		    meta_namespace(i->obj), ns);
	copy = xstrdup(ns); /* it may stand in the object that changes */
	put(i->obj, json_string(copy), "metadata", "namespace");
	return 0;
}

static void
add(struct run *run, json_t *obj, const char *where)
{
	struct item i = { .obj = obj, .where = xstrdup(where) };
	struct err err;

	if (prepare(run, &i, &err) < 0)
		i.err = err;
	else if (!*meta_name(obj) && !*text(obj, "metadata", "generateName"))
		err_set(&i.err, ERR_BAD_REQUEST, "metadata.name or generateName is missing");
	GROW(run->item, run->n, run->cap);
	run->item[run->n++] = i;
}

static int
take(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	(void)err;
	add(arg, obj, objects_where(in));
	return 0;
}

static void
read_cronjob(struct run *run, const char *name, json_t **job)
{
	const char *from = generate_options.from;
	const struct kind *k = kind_find("batch", "v1", "CronJob");
	json_auto_t *cronjob = NULL;
	struct err err;

	if (!text_starts(from, "cronjob/") || !client_name_fits(from + strlen("cronjob/")))
		die(NULL, "--from: '%s' is no cronjob/NAME", from);
	if (!run->client && client_open(&run->client, &err) < 0)
		die(&err, "cannot create");
	if (client_get(run->client, k, client_namespace(run->client), from + strlen("cronjob/"),
		&cronjob, &err) < 0)
		die(&err, "cannot read '%s'", from);
	*job = generate_job_of(cronjob, name);
}

static void
add_generated(struct run *run, int n, char *words[])
{
	json_t *obj = NULL;
	struct err err;

	if (files.n > 0)
		die(NULL, "operands and -f do not go together");
	if (generate(n, words, &obj, &err) < 0)
		die(&err, "cannot create");
	if (generate_options.from) {
		json_auto_t *named = obj;

		read_cronjob(run, meta_name(named), &obj);
	}
	add(run, obj, "");
}

/* --- creating -------------------------------------------------------------------------------- */

static void
check_here(struct run *run, struct item *i)
{
	autobuf struct buf warnings = BUF_INIT;
	char *rest, *line;

	if (i->kind)
		manifest_check(i->kind, i->obj, run->unknown, &warnings, &i->err);
	rest = warnings.data;
	while (warnings.len > 0 && (line = strsep(&rest, "\n")))
		if (*line)
			warn("%s%s%s", i->where, *i->where ? ": " : "", line);
}

static void
fill_call(const struct run *run, const struct item *i, struct call *call)
{
	autofree char *path = client_path(i->kind, meta_namespace(i->obj), NULL, NULL);

	*call = (struct call){ .method = "POST",
		.type = "application/json",
		.path = xasprintf("%s?%s&fieldValidation=%s", path, run->writer.query,
		    unknown_validation(run->unknown)),
		.body = json_dumps(i->obj, JSON_COMPACT) };
}

static void
take_answer(struct item *i, struct call *call)
{
	char *rest = call->warnings.data, *line;
	struct err err;

	while (call->warnings.len > 0 && (line = strsep(&rest, "\n")))
		if (*line)
			warn("%s%s%s", i->where, *i->where ? ": " : "", line);
	if (call_answer(call, &i->made, &err) < 0)
		i->err = err;
	call_release(call);
}

static void
report(struct run *run, const struct item *i)
{
	struct err err;

	if (i->err.code != ERR_OK) {
		failed(run, complain(&i->err, "%s%scannot create %s '%s'", i->where,
				*i->where ? ": " : "", text(i->obj, "kind"), meta_name(i->obj)));
		return;
	}
	if (writer_report(&run->writer, i->kind, i->made ? i->made : i->obj, "created", &err) < 0)
		die(&err, "cannot print");
	flush_output();
}

/* Those of one kind that follow one another go out together; the order of the input is kept
 * otherwise. */
static void
create_run(struct run *run, size_t from, size_t to)
{
	struct call *calls = xcalloc(to - from, sizeof *calls);
	size_t n = 0;

	for (size_t k = from; k < to; k++) {
		struct item *i = &run->item[k];

		if (run->writer.dry == DRY_CLIENT && i->err.code == ERR_OK)
			check_here(run, i);
		else if (i->err.code == ERR_OK)
			fill_call(run, i, &calls[n++]);
	}
	if (n > 0)
		calls_run(run->client, calls, n, NULL, NULL);
	n = 0;
	for (size_t k = from; k < to; k++) {
		struct item *i = &run->item[k];

		if (i->err.code == ERR_OK && run->writer.dry != DRY_CLIENT)
			take_answer(i, &calls[n++]);
		report(run, i);
	}
	free(calls);
}

static void
create_all(struct run *run)
{
	for (size_t from = 0, to; from < run->n; from = to) {
		for (to = from + 1; to < run->n && run->item[to].kind == run->item[from].kind &&
				    run->item[from].kind;
		     to++)
			;
		create_run(run, from, to);
	}
}

/* Without a server there is nothing to tell but the manifest. */
static void
setup(struct run *run)
{
	struct err err;

	if (write_options.dry && strcmp(write_options.dry, "client") == 0 && !write_options.format)
		write_options.format = isatty(STDOUT_FILENO) ? "yaml" : "jsonl";
	if (writer_open(&run->writer, stdout, "orch-create", &err) < 0 ||
	    unknown_of(unknown_arg, &run->unknown, &err) < 0)
		die(&err, "cannot create");
	if (scope_options.namespace && !client_name_fits(scope_options.namespace))
		die(NULL, "-n: '%s' cannot be the name of a namespace", scope_options.namespace);
	if (run->writer.dry != DRY_CLIENT && client_open(&run->client, &err) < 0)
		die(&err, "cannot create");
}

int
main(int argc, char *argv[])
{
	int at = cli_parse(argc, argv);
	struct run run = { 0 };
	struct err err;

	if (at == argc && files.n == 0 && isatty(STDIN_FILENO))
		usage();
	setup(&run);
	if (at < argc)
		add_generated(&run, argc - at, argv + at);
	else if (objects_each(
		     (char *const *)files.item, (int)files.n, ACCEPT_OBJECTS, take, &run, &err) < 0)
		die(&err, "nothing is created");
	create_all(&run);
	if (writer_close(&run.writer, &err) < 0)
		failed(&run, complain(&err, "cannot print"));
	for (size_t i = 0; i < run.n; i++) {
		json_decref(run.item[i].obj);
		json_decref(run.item[i].made);
		free(run.item[i].where);
	}
	free(run.item);
	client_close(run.client);
	return finish(run.worst);
}
