/* orch-apply - make the cluster hold these objects: create them, or change what differs. */
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/object.h"
#include "api/order.h"
#include "api/selector.h"
#include "base/cli.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/applyset.h"
#include "client/bundle.h"
#include "client/prune.h"
#include "client/write.h"

static const char *applyset_arg, *server_side_arg = "true", *unknown_arg = "error";
static bool prune, exit_code, force, all_or_nothing;
static struct list files;
static const struct opt opts[] = {
	{ 'f', "filename", "FILE", "a file, a folder, or - for stdin (the default)", &files, true },
	{ 0, "force-conflicts", NULL, "take over fields that others manage", &force, false },
	{ 0, "all-or-nothing", NULL, "put everything back when one object is refused",
	    &all_or_nothing, false },
	{ 0, "applyset", "NAME", "record what belongs together in this secret",
	    &applyset_arg, false },
	{ 0, "prune", NULL, "delete what the applyset (or -l) has and the input has not", &prune,
	    false },
	{ 0, "unknown", "HOW", "unknown fields: error (default), warn or ignore", &unknown_arg,
	    false },
	{ 0, "server-side", "BOOL", "false: merge here, as kubectl apply does", &server_side_arg,
	    false },
	{ 0, "exit-code", NULL, "exit 1 when anything changed", &exit_code, false },
	{ 0 },
};
static const struct opt *const shared[] = { write_opts, scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-apply",
	.synopsis = "[-n NAMESPACE] [--dry-run[=MODE]] [-f FILE]... < objects\n--applyset NAME "
		    "--prune [-f FILE]... < objects\n--prune -l LABELS [-f FILE]... < objects",
	.summary = "Create objects, or change what differs from the manifest.",
	.opts = opts,
	.shared = shared,
	.operands = "files",
};

struct run {
	struct client *client;
	struct selector *labels;
	struct applyset set;
	struct bundle bundle;
	struct writer writer;
	size_t read; /* objects in the input */
	bool changed;
	int worst;
};

static void
failed(struct run *run, int status)
{
	/* 1 says that something was changed: what is not there (a namespace) is bad input */
	status = status == 1 ? 2 : status;
	run->worst = status > run->worst ? status : run->worst;
}

/* --- reading -------------------------------------------------------------------------------- */

static int
take(void *arg, struct objects *in, json_t *obj, struct err *err)
{
	struct run *run = arg;
	struct err why;

	(void)err;
	run->read++;
	if (!selector_match(run->labels, meta_labels(obj))) {
		json_decref(obj);
		return 0;
	}
	if (applyset_arg && applyset_label(&run->set, obj, &why) < 0) {
		failed(run, complain(&why, "%s", objects_where(in)));
		json_decref(obj);
	} else if (bundle_add(&run->bundle, obj, objects_where(in), &why) < 0) {
		failed(run, complain(&why, "%s", objects_where(in)));
	}
	return 0;
}

static void
check_options(struct run *run)
{
	struct bundle *b = &run->bundle;
	struct err err;

	if (writer_open(&run->writer, stdout, "orch-apply", &err) < 0)
		die(&err, "cannot apply");
	if (prune && !applyset_arg && (!scope_options.selector || !*scope_options.selector))
		die(NULL,
		    "--prune needs --applyset, or -l LABELS: it deletes what belongs to these "
		    "and is not in the input");
	if (applyset_arg && scope_options.selector)
		die(NULL, "--applyset and -l do not go together");
	if (scope_options.all_namespaces || scope_options.field_selector)
		die(NULL, "-A and --field-selector mean nothing here");
	b->manager = run->writer.manager;
	b->force = force;
	b->guarded = all_or_nothing;
	b->offline = run->writer.dry == DRY_CLIENT;
	b->server_side = cli_bool("server-side", server_side_arg);
	b->unknown = cli_word("unknown", unknown_arg, "error,warn,ignore");
}

static void
start(struct run *run)
{
	const char *labels = scope_options.selector ? scope_options.selector : "";
	struct err err;

	check_options(run);
	if (selector_parse(&run->labels, labels, &err) < 0)
		die(&err, "-l '%s'", scope_options.selector);
	if (client_open(&run->client, &err) < 0)
		die(&err, "cannot apply");
	run->bundle.client = run->client;
	if (applyset_arg && applyset_open(&run->set, run->client, applyset_arg, &err) < 0)
		die(&err, "cannot use applyset '%s'", applyset_arg);
	if (objects_each((char *const *)files.item, (int)files.n, ACCEPT_OBJECTS, take, run, &err) <
	    0)
		die(&err, "nothing is applied");
	if (prune && run->read == 0)
		die(NULL,
		    "the input holds no object, so everything would be pruned; orch-delete -l "
		    "does that");
}

/* --- the applyset's record ---------------------------------------------------------------------
 */

static void
add_set(json_t *to, const json_t *from)
{
	json_object_update(to, (json_t *)from);
}

/* The kinds and namespaces of the input. */
static void
places(const struct bundle *b, json_t *kinds, json_t *namespaces)
{
	char group_kind[128];

	for (size_t n = 0; n < b->n; n++) {
		const struct item *i = &b->item[n];

		if (i->hidden)
			continue;
		json_object_set_new(kinds, kind_group_kind(i->kind, group_kind), json_true());
		if (*item_namespace(i))
			json_object_set_new(namespaces, item_namespace(i), json_true());
	}
}

/* Before anything is written: what was and what will be, so that nothing is forgotten when we are
 * killed.  Its namespace may have to come first. */
static void
add_record(struct run *run, const json_t *kinds, const json_t *namespaces)
{
	struct bundle *b = &run->bundle;
	json_t *parent = applyset_parent(&run->set, kinds, namespaces);
	autofree char *ns = xasprintf("Namespace//%s", run->set.ns);
	struct item *i;
	struct err err;

	if (bundle_add(b, parent, "the applyset's record", &err) < 0)
		die(&err, "cannot use applyset '%s'", applyset_arg);
	i = &b->item[b->n - 1];
	i->hidden = true;
	i->manager = APPLYSET_MANAGER;
	i->client_side = false;
	i->rank = json_object_get(b->keys, ns) ? 2 * install_rank("Namespace") + 1 : -1;
}

static void
begin_record(struct run *run)
{
	json_auto_t *kinds = json_copy(run->set.kinds);
	json_auto_t *namespaces = json_copy(run->set.namespaces);

	places(&run->bundle, kinds, namespaces);
	add_record(run, kinds, namespaces);
}

/* What is pruned need not be looked for again. */
static void
end_record(struct run *run)
{
	struct run last = *run;
	json_auto_t *kinds = json_object(), *namespaces = json_object();
	struct bundle *b = &last.bundle;

	places(&run->bundle, kinds, namespaces);
	*b = (struct bundle){ .client = run->client, .server_side = true };
	b->manager = APPLYSET_MANAGER;
	add_record(&last, kinds, namespaces);
	bundle_look(b);
	bundle_check(b);
	bundle_write(b, false);
	if (bundle_failed(b))
		failed(run, complain(&b->item[0].err, "cannot update the record of applyset '%s'",
				applyset_arg));
	bundle_release(b);
}

/* Members of other sets are not ours to take. */
static void
check_members(struct run *run)
{
	for (size_t n = 0; n < run->bundle.n; n++) {
		struct item *i = &run->bundle.item[n];

		if (i->err.code == ERR_OK && i->live && !i->hidden)
			applyset_may_take(&run->set, i->live, &i->err);
	}
}

/* --- telling ------------------------------------------------------------------------------- */

static void
say_warnings(const struct item *i)
{
	const char *line = i->warnings.data;

	for (size_t len; line && *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		warn("%s: %.*s", i->where, (int)len, line);
	}
}

static void
tell(void *arg, struct item *i)
{
	static const char *const words[] = { [APPLY_UNCHANGED] = "unchanged",
		[APPLY_CREATED] = "created",
		[APPLY_CONFIGURED] = "configured" };
	struct run *run = arg;
	struct err err;

	if (i->err.code != ERR_OK) {
		autofree char *why = item_trouble(i, "apply");

		complain(NULL, "%s", why);
		failed(run, err_exit(i->err.code));
		return;
	}
	if (i->hidden)
		return;
	say_warnings(i);
	run->changed = run->changed || i->result != APPLY_UNCHANGED;
	if (writer_report(
		&run->writer, i->kind, i->after ? i->after : i->obj, words[i->result], &err) < 0)
		die(&err, "cannot print");
	flush_output();
}

static void
tell_all(struct run *run, bool failures_only)
{
	for (size_t n = 0; n < run->bundle.n; n++)
		if (!failures_only || run->bundle.item[n].err.code != ERR_OK)
			tell(run, &run->bundle.item[n]);
}

static void
say_fallback(const struct bundle *b)
{
	const struct kind *last = NULL;

	for (size_t n = 0; b->server_side && n < b->n; n++) {
		const struct item *i = &b->item[n];
		char name[128];

		if (i->unchecked)
			warn("%s: %s '%s' cannot be tried out: an admission webhook takes no dry "
			     "run",
			    i->where, i->kind->kind, item_name(i));
		if (!i->client_side || i->kind == last)
			continue;
		last = i->kind;
		warn("the server has no server-side apply for %s: merging here",
		    kind_resource(i->kind, name));
	}
}

/* --- the steps -------------------------------------------------------------------------------- */

static bool
check(struct run *run)
{
	struct bundle *b = &run->bundle;

	if (applyset_arg)
		begin_record(run);
	bundle_sort(b);
	bundle_look(b);
	if (applyset_arg)
		check_members(run);
	bundle_check(b);
	say_fallback(b);
	if (bundle_failed(b) == 0 && !run->worst)
		return true;
	tell_all(run, true);
	complain(NULL, "nothing is applied, as not everything can be");
	return false;
}

static void
undone(void *arg, const struct item *i, int r, const struct err *err)
{
	struct run *run = arg;
	autofree char *name = target_name(i->kind, item_name(i));

	if (r < 0) {
		complain(err, "cannot put %s back", name);
		failed(run, 3);
	} else if (!i->hidden) {
		fprintf(stderr, "%s: %s %s\n", self.name, name,
		    i->result == APPLY_CREATED && i->written ? "deleted again" : "put back");
	}
}

static void
write_all(struct run *run)
{
	struct bundle *b = &run->bundle;

	if (!all_or_nothing) {
		b->tell = tell;
		b->arg = run;
	}
	bundle_write(b, all_or_nothing);
	if (!all_or_nothing)
		return;
	tell_all(run, bundle_failed(b) > 0);
	if (bundle_failed(b) > 0 && bundle_undo(b, undone, run) > 0)
		complain(NULL, "not everything could be put back");
}

static void
pruned(void *arg, const struct kind *k, const json_t *obj, int r, const struct err *err)
{
	struct run *run = arg;
	struct err why;

	if (r < 0) {
		failed(run, complain(err, "cannot prune %s '%s'", k->singular, meta_name(obj)));
		return;
	}
	run->changed = true;
	if (writer_report(&run->writer, k, obj, "pruned", &why) < 0)
		die(&why, "cannot print");
	flush_output();
}

static void
prune_rest(struct run *run)
{
	json_auto_t *kinds = json_object(), *namespaces = json_object();
	autofree char *members = NULL;
	struct prune p = { .client = run->client,
		.selector = scope_options.selector,
		.manager = run->writer.manager,
		.kept = run->bundle.keys,
		.kinds = kinds,
		.namespaces = namespaces,
		.dry = run->writer.dry,
		.said = pruned,
		.arg = run };
	struct err err;

	if (applyset_arg) {
		p.applyset = run->set.id;
		p.selector = members = xasprintf(APPLYSET_PART_OF "=%s", run->set.id);
		add_set(kinds, run->set.kinds);
		add_set(namespaces, run->set.namespaces);
	} else {
		prune_usual_kinds(kinds);
		json_object_set_new(namespaces, client_namespace(run->client), json_true());
	}
	places(&run->bundle, kinds, namespaces);
	if (prune_run(&p, &err) < 0)
		failed(run, complain(&err, "cannot prune"));
}

static void
apply(struct run *run)
{
	if (!check(run))
		return;
	if (run->writer.dry)
		tell_all(run, false);
	else
		write_all(run);
	if (prune && run->worst)
		warn("nothing is pruned, because not everything was applied");
	else if (prune)
		prune_rest(run);
	if (applyset_arg && prune && !run->writer.dry && !run->worst)
		end_record(run);
}

int
main(int argc, char *argv[])
{
	struct run run = { 0 };
	struct err err;

	if (cli_parse(argc, argv) != argc || (files.n == 0 && isatty(STDIN_FILENO)))
		usage();
	start(&run);
	if (run.bundle.n > 0 || prune || run.worst)
		apply(&run);
	if (writer_close(&run.writer, &err) < 0)
		failed(&run, complain(&err, "cannot print"));
	bundle_release(&run.bundle);
	applyset_release(&run.set);
	selector_free(run.labels);
	client_close(run.client);
	return finish(run.worst ? run.worst : exit_code && run.changed ? 1 : 0);
}
