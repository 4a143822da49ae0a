/* orch-apply - make the cluster hold these objects: create them, or change what differs. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/intake.h"

static bool exit_code, all_or_nothing;
static const char *timeout = "30s";
static const struct opt opts[] = {
	{ 0, "all-or-nothing", NULL, "put everything back when one object is refused",
	    &all_or_nothing, false },
	{ 0, "exit-code", NULL, "exit 1 when anything changed", &exit_code, false },
	{ 0, "timeout", "TIME", "wait so long for a new kind to be served (30s)", &timeout, false },
	{ 0 },
};
static const struct opt *const shared[] = { intake_opts, write_opts, scope_opts, client_opts,
	NULL };
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
	struct intake in;
	struct writer writer;
	bool changed;
};

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
		intake_failed(&run->in, err_exit(i->err.code));
		return;
	}
	if (i->hidden)
		return;
	say_warnings(i);
	if (i->live && meta_deleting(i->live))
		warn("%s: %s '%s' is being deleted", i->where, i->kind->kind, item_name(i));
	run->changed = run->changed || i->result != APPLY_UNCHANGED;
	if (writer_report(
		&run->writer, i->kind, i->after ? i->after : i->obj, words[i->result], &err) < 0)
		die(&err, "cannot print");
	flush_output();
}

static void
tell_all(struct run *run, bool failures_only)
{
	for (size_t n = 0; n < run->in.bundle.n; n++)
		if (!failures_only || run->in.bundle.item[n].err.code != ERR_OK)
			tell(run, &run->in.bundle.item[n]);
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

/* Of which kinds the server could not try objects out. */
static void
say_definitions(const struct bundle *b)
{
	const struct item *last = NULL;

	for (size_t n = 0; n < b->n; n++) {
		const struct item *i = &b->item[n];

		if (!i->definition || !i->unseen || i->err.code != ERR_OK || i->definition == last)
			continue;
		last = i->definition;
		warn(i->renewed ? "'%s' would change: its objects are checked by the new one, here"
				: "the server has no '%s' yet: its objects are checked by it, here",
		    item_name(last));
	}
}

/* --- the steps -------------------------------------------------------------------------------- */

static bool
check(struct run *run)
{
	intake_check(&run->in, true);
	say_fallback(&run->in.bundle);
	if (run->writer.dry == DRY_SERVER)
		say_definitions(&run->in.bundle);
	if (bundle_failed(&run->in.bundle) == 0 && !run->in.worst)
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
		intake_failed(&run->in, 3);
	} else if (!i->hidden) {
		fprintf(stderr, "%s: %s %s\n", self.name, name,
		    i->result == APPLY_CREATED && i->written ? "deleted again" : "put back");
	}
}

static volatile sig_atomic_t interrupted;

static void
interrupt(int sig)
{
	interrupted = sig;
}

/* Who breaks it off wants nothing as well: what is under way is waited for, and taken back. */
static void
write_or_undo(struct run *run)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = interrupt }, before;
	struct bundle *b = &run->in.bundle;
	bool whole;

	for (size_t i = 0; i < COUNT(signals); i++) {
		sigaction(signals[i], NULL, &before);
		if (before.sa_handler != SIG_IGN) /* nohup */
			sigaction(signals[i], &sa, NULL);
	}
	b->stop = &interrupted;
	bundle_write(b, true);
	whole = bundle_failed(b) == 0 && !interrupted;
	tell_all(run, !whole);
	if (whole)
		return;
	if (interrupted)
		complain(NULL, "interrupted"), intake_failed(&run->in, 3);
	if (bundle_undo(b, undone, run) > 0)
		complain(NULL, "not everything could be put back");
}

static void
write_all(struct run *run)
{
	struct bundle *b = &run->in.bundle;

	b->tell = tell;
	b->arg = run;
	bundle_write(b, false);
}

static void
pruned(void *arg, const struct kind *k, const json_t *obj, int r, const struct err *err)
{
	struct run *run = arg;
	struct err why;

	if (r < 0) {
		intake_failed(
		    &run->in, complain(err, "cannot prune %s '%s'", k->singular, meta_name(obj)));
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
	struct prune p = { .dry = run->writer.dry, .said = pruned, .arg = run };
	struct err err;

	if (intake_prune(&run->in, &p, &err) < 0)
		intake_failed(&run->in, complain(&err, "cannot prune"));
}

static void
apply(struct run *run)
{
	struct err err;

	if (!check(run))
		return;
	if (run->writer.dry)
		tell_all(run, false);
	else if (all_or_nothing)
		write_or_undo(run);
	else
		write_all(run);
	if (!intake_options.prune)
		return;
	if (run->in.worst) {
		warn("nothing is pruned, because not everything was applied");
		return;
	}
	prune_rest(run);
	if (run->in.set.id && !run->writer.dry && !run->in.worst &&
	    intake_record(&run->in, &err) < 0)
		intake_failed(&run->in, complain(&err, "cannot update the applyset's record"));
}

int
main(int argc, char *argv[])
{
	struct run run = { .in = { .complain = complain } };
	struct intake *in = &run.in;
	struct err err;

	if (cli_parse(argc, argv) != argc || (intake_options.files.n == 0 && isatty(STDIN_FILENO)))
		usage();
	if (writer_open(&run.writer, stdout, "orch-apply", &err) < 0)
		die(&err, "cannot apply");
	in->manager = run.writer.manager;
	in->guarded = all_or_nothing;
	in->offline = run.writer.dry == DRY_CLIENT;
	in->patience = cli_duration("timeout", timeout);
	if (intake_open(in, &err) < 0)
		die(&err, "nothing is applied");
	if (in->bundle.n > 0 || intake_options.prune || in->worst)
		apply(&run);
	if (writer_close(&run.writer, &err) < 0)
		intake_failed(in, complain(&err, "cannot print"));
	intake_close(in);
	return finish(in->worst ? in->worst : exit_code && run.changed ? 1 : 0);
}
