/* orch-rollout - Deployments, DaemonSets, StatefulSets: how far, what was, back, again, hold. */
#include <string.h>
#include <unistd.h>

#include "api/grid.h"
#include "api/meta.h"
#include "api/progress.h"
#include "api/selector.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "client/cache.h"
#include "client/revision.h"
#include "client/rework.h"
#include "client/verb.h"

enum { TRIES = 8 };

static const char *watch_arg = "true", *timeout, *revision_arg, *to_revision;
static const struct opt opts[] = {
	{ 'w', "watch", "[BOOL]", "status: follow until it is done (default); =false: once",
	    &watch_arg, false },
	{ 0, "timeout", "TIME", "status: give up after this long", &timeout, false },
	{ 0, "revision", "NUMBER", "history: the template of this revision; status: only it",
	    &revision_arg, false },
	{ 0, "to-revision", "NUMBER", "undo: back to this one (default: the one before)",
	    &to_revision, false },
	{ 0 },
};
static const struct opt *const shared[] = { verb_opts, all_opts, write_opts, scope_opts,
	client_opts, NULL };
const struct program self = {
	.name = "orch-rollout",
	.synopsis = "status [--timeout=TIME] KIND/NAME...\nhistory [--revision=N] KIND/NAME...\n"
		    "undo [--to-revision=N] KIND/NAME...\nrestart|pause|resume KIND/NAME...\n"
		    "COMMAND (-l LABELS|--all) KIND...\nCOMMAND [-f FILE] < objects",
	.summary = "How far rollouts are; their revisions; back, again, hold, on.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
	.commands = "status history undo restart pause resume",
};

static long long revision, target_revision;

/* --- status ------------------------------------------------------------------------------- */

/* One workload that is followed; its Pods too, where they may be seen. */
struct followed {
	const struct kind *kind;
	char *ns, *name, *uid;
	struct selector *pods;
	struct buf said; /* the last line printed */
	bool sees_pods, over;
};

struct status {
	struct followed *item;
	size_t n, cap;
	size_t over;
};

static int
stop(void *arg, json_t *obj, struct err *err)
{
	(void)arg;
	(void)err;
	json_decref(obj);
	return 1;
}

/* A watch that is forbidden would be the end of all: without Pods there are no reasons, that is
 * all. */
static bool
may_list_pods(struct client *c, const char *ns)
{
	struct list_options one = { .limit = 1 };
	struct err ignored;

	return client_list(c, kind_find("", "v1", "Pod"), ns, &one, stop, NULL, NULL, &ignored) >=
	       0;
}

static int
gather(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	struct status *st = arg;
	json_auto_t *obj = NULL;
	struct selector *pods;
	autobuf struct buf ignored = BUF_INIT;
	int r;

	if ((r = rework_fits(s->kind, err)) < 0 || (r = verb_read(v, s, &obj, err)) < 0 ||
	    ((r = progress_of(obj, &ignored, err)) < 0 && r != -ERR_DIFFERS) ||
	    (r = selector_from_json(&pods, get(obj, "spec", "selector"), err)) < 0)
		return r;
	GROW(st->item, st->n, st->cap);
	st->item[st->n++] = (struct followed){ .kind = s->kind,
		.ns = xstrdup(s->ns),
		.name = xstrdup(s->name),
		.uid = xstrdup(meta_uid(obj)),
		.pods = pods,
		.sees_pods = may_list_pods(v->client, s->ns) };
	return 0;
}

static int
keep(struct cache *cache, const struct followed *f, struct err *err)
{
	autofree char *field = xasprintf("metadata.name=%s", f->name);
	autofree char *labels = selector_print(f->pods);
	struct list_options one = { .fields = field }, pods = { .selector = labels };
	int r = cache_add(cache, f->kind, f->ns, &one, err);

	return r < 0 || !f->sees_pods
		   ? r
		   : cache_add(cache, kind_find("", "v1", "Pod"), f->ns, &pods, err);
}

/* Behind the line, in parentheses as kubectl has it: what keeps it from going on. */
static void
add_warning(const struct cache *cache, const struct followed *f, const json_t *obj, struct buf *msg)
{
	struct walk it = world_each(cache_world((struct cache *)cache), "Pod", f->ns);
	const json_t *failure = condition_find(obj, "ReplicaFailure");
	autobuf struct buf why = BUF_INIT;
	bool trouble = false;

	if (truth(get(obj, "spec", "paused")))
		buf_puts(&why, "it is paused");
	else if (strcmp(text(failure, "status"), "True") == 0)
		buf_puts(&why, text(failure, "message"));
	for (const json_t *pod; !why.len && !trouble && (pod = walk_next(&it));)
		if (selector_match(f->pods, meta_labels(pod)) && !meta_deleting(pod))
			trouble = progress_trouble(pod, &why);
	if (why.len)
		buf_printf(msg, " (Warning: %s)", why.data);
}

static int
check_revision(const json_t *obj, struct err *err)
{
	const char *now = meta_annotation(obj, "deployment.kubernetes.io/revision");

	if (revision == 0 || strcmp(text(obj, "kind"), "Deployment") != 0 ||
	    (now && strcmp(now, revision_arg) == 0))
		return 0;
	return err_set(err, ERR_DIFFERS,
	    "desired revision (%lld) is different from the running revision (%s)", revision,
	    now ? now : "none");
}

/* One look: 1 done, 0 going on, negative failed; a line that differs from the last is printed. */
static int
look(struct cache *cache, struct followed *f, struct err *err)
{
	char group_kind[128];
	const json_t *obj =
	    world_get(cache_world(cache), kind_group_kind(f->kind, group_kind), f->ns, f->name);
	autobuf struct buf msg = BUF_INIT;
	int r;

	if (!obj || strcmp(meta_uid(obj), f->uid) != 0)
		return err_set(err, ERR_NOT_FOUND, "it has been deleted");
	if ((r = check_revision(obj, err)) < 0 || (r = progress_of(obj, &msg, err)) < 0)
		return r;
	if (r == 0)
		add_warning(cache, f, obj, &msg);
	if (!f->said.data || strcmp(f->said.data, msg.data) != 0) {
		puts(msg.data);
		flush_output();
		buf_clear(&f->said);
		buf_puts(&f->said, msg.data);
	}
	return r;
}

static void
look_at_all(struct verb *v, struct status *st, struct cache *cache)
{
	struct err err;

	for (size_t i = 0; i < st->n; i++) {
		struct followed *f = &st->item[i];
		autofree char *shown = target_name(f->kind, f->name);
		int r = f->over ? 0 : look(cache, f, &err);

		if (r < 0)
			verb_failed(v, complain(&err, "rollout of %s", shown));
		if (r != 0) {
			f->over = true;
			st->over++;
		}
	}
}

/* Time is up, or one look was asked for: what is not done is named. */
static void
give_up(struct verb *v, const struct status *st, bool asked)
{
	for (size_t i = 0; i < st->n; i++) {
		const struct followed *f = &st->item[i];
		autofree char *shown = target_name(f->kind, f->name);
		struct err err;

		if (f->over)
			continue;
		if (!asked) {
			err_set(&err, ERR_TIMEOUT, "not done within %s%s%s", timeout,
			    f->said.len ? ": " : "", f->said.len ? f->said.data : "");
			complain(&err, "rollout of %s", shown);
		}
		verb_failed(v, err_exit(ERR_TIMEOUT));
	}
}

static int
follow(struct verb *v, struct status *st, struct cache *cache, struct err *err)
{
	double seconds = timeout ? cli_duration("timeout", timeout) : -1;
	double end = clock_monotonic() + seconds;
	bool watches = strcmp(watch_arg, "false") != 0;
	int r;

	for (size_t i = 0; i < st->n; i++)
		if ((r = keep(cache, &st->item[i], err)) < 0)
			return r;
	while (st->over < st->n) {
		/* even with no time at all there is one look */
		double left = !cache_synced(cache) && seconds <= 0 ? -1 : end - clock_monotonic();

		if ((r = cache_wait(cache, seconds < 0 ? -1 : left, -1, err)) < 0)
			return r;
		if (cache_synced(cache))
			look_at_all(v, st, cache);
		if ((cache_synced(cache) && !watches) ||
		    (seconds >= 0 && clock_monotonic() >= end)) {
			give_up(v, st, !watches);
			return 0;
		}
	}
	return 0;
}

static void
status_command(struct verb *v)
{
	struct status st = { 0 };
	struct cache *cache = NULL;
	struct err err;

	verb_each(v, gather, &st);
	if (st.n > 0 &&
	    (cache_open(&cache, v->client, &err) < 0 || follow(v, &st, cache, &err) < 0))
		verb_failed(v, complain(&err, "cannot follow"));
	cache_close(cache);
	for (size_t i = 0; i < st.n; i++) {
		free(st.item[i].ns);
		free(st.item[i].name);
		free(st.item[i].uid);
		selector_free(st.item[i].pods);
		buf_release(&st.item[i].said);
	}
	free(st.item);
}

/* --- history ------------------------------------------------------------------------------ */

static void
print_table(const struct subject *s, const struct revisions *all)
{
	autofree char *shown = target_name(s->kind, s->name);
	autobuf struct buf out = BUF_INIT;
	struct grid g;

	grid_init(&g);
	grid_column(&g, "revision");
	grid_column(&g, "change-cause");
	for (size_t i = 0; i < all->n; i++) {
		const char *cause = meta_annotation(all->item[i].obj, CHANGE_CAUSE);
		json_auto_t *number = json_integer(all->item[i].number);

		grid_value(&g, number);
		grid_cell(&g, cause && *cause ? cause : "<none>");
	}
	grid_print(&g, true, &out);
	grid_release(&g);
	printf("%s\n%s\n", shown, out.data ? out.data : "");
}

static int
print_template(
    const struct subject *s, const json_t *owner, const struct revision *rev, struct err *err)
{
	autofree char *shown = target_name(s->kind, s->name);
	json_auto_t *restored = NULL;
	autobuf struct buf out = BUF_INIT;
	int r;

	if ((r = revision_restored(&restored, s->kind, owner, rev, err)) < 0)
		return r;
	yaml_write_sorted(&out, get(restored, "spec", "template"));
	printf("# %s with revision #%lld\n%s", shown, rev->number, out.data);
	return 0;
}

static int
history(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	json_auto_t *owner = NULL;
	struct revisions all = { 0 };
	const struct revision *one = NULL;
	int r;

	(void)arg;
	if ((r = rework_fits(s->kind, err)) >= 0 && (r = verb_read(v, s, &owner, err)) >= 0 &&
	    (r = revisions_read(&all, v->client, s->kind, owner, err)) >= 0 && revision > 0)
		r = revisions_find(&all, revision, &one, err);
	if (r >= 0 && v->writer.printing) {
		for (size_t i = 0; i < all.n && r >= 0; i++)
			if (!one || one == &all.item[i])
				r = output_add(&v->writer.output, all.item[i].obj, err);
	} else if (r >= 0 && one) {
		r = print_template(s, owner, one, err);
	} else if (r >= 0) {
		print_table(s, &all);
	}
	revisions_release(&all);
	return r;
}

/* --- undo, restart, pause, resume ------------------------------------------------------------ */

enum command { STATUS, HISTORY, UNDO, RESTART, PAUSE, RESUME, COMMANDS };
static const struct {
	const char *name, *done;
} commands[COMMANDS] = {
	[STATUS] = { "status", NULL },
	[HISTORY] = { "history", NULL },
	[UNDO] = { "undo", "rolled back" },
	[RESTART] = { "restart", "restarted" },
	[PAUSE] = { "pause", "paused" },
	[RESUME] = { "resume", "resumed" },
};

static int
plan(struct verb *v, const struct subject *s, enum command cmd, const json_t *obj, struct rework *w,
    struct err *err)
{
	if (cmd == UNDO)
		return rework_undo(w, v->client, s->kind, obj, target_revision, err);
	if (cmd == RESTART)
		return rework_restart(w, obj, clock_now(), err);
	return rework_pause(w, obj, cmd == PAUSE, err);
}

/* Look, plan, patch, and say it. */
static int
attempt(struct verb *v, const struct subject *s, enum command cmd, struct err *err)
{
	json_auto_t *now = NULL, *reply = NULL;
	struct rework w = { 0 };
	int r;

	if ((r = verb_read(v, s, &now, err)) < 0)
		return r;
	if ((r = plan(v, s, cmd, now, &w, err)) >= 0 && w.patch && v->writer.dry != DRY_CLIENT)
		r = client_patch(v->client, s->kind, s->ns, s->name, NULL, w.type, w.patch,
		    v->writer.query, &reply, err);
	if (r >= 0)
		r = verb_report(v, s,
		    reply    ? reply
		    : w.then ? w.then
			     : now,
		    w.patch ? commands[cmd].done : w.so, err);
	rework_release(&w);
	return r;
}

static int
change(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	int r = rework_fits(s->kind, err);

	if (r < 0)
		return r;
	for (int try = 0; try < TRIES; try++)
		if ((r = attempt(v, s, *(enum command *)arg, err)) != -ERR_CONFLICT)
			break;
	return r;
}

/* --- main ---------------------------------------------------------------------------------- */

static enum command
command_of(const char *word)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(word, commands[i].name) == 0)
			return (enum command)i;
	die(NULL, "'%s' is none of status, history, undo, restart, pause, resume", word);
}

static void
check_options(enum command cmd)
{
	if (timeout)
		cli_duration("timeout", timeout);
	if (timeout && cmd != STATUS)
		die(NULL, "--timeout is for status");
	if (revision_arg && cmd != STATUS && cmd != HISTORY)
		die(NULL, "--revision is for status and history");
	if (to_revision && cmd != UNDO)
		die(NULL, "--to-revision is for undo");
	if (*watch_arg && strcmp(watch_arg, "true") != 0 && strcmp(watch_arg, "false") != 0)
		die(NULL, "--watch: '%s' is neither true nor false", watch_arg);
	if (revision_arg)
		revision = cli_number("revision", revision_arg, 0, INT64_MAX);
	if (to_revision)
		target_revision = cli_number("to-revision", to_revision, 0, INT64_MAX);
}

int
main(int argc, char *argv[])
{
	struct verb v = { .complain = complain, .flush = flush_output };
	enum command cmd;
	struct err err;
	int at = cli_parse(argc, argv);

	if (at == argc)
		usage();
	cmd = command_of(argv[at++]);
	check_options(cmd);
	if (at == argc && verb_options.files.n == 0 && isatty(STDIN_FILENO))
		usage();
	v.name = "rollout"; /* also the field manager */
	log_open(self.name, 0);
	if (verb_open(&v, argc - at, argv + at, &err) < 0)
		die(&err, "cannot %s", commands[cmd].name);
	if (cmd != STATUS && cmd != HISTORY && verb_needs_names(&v, &err) < 0)
		die(&err, "cannot %s", commands[cmd].name);
	v.name = cmd == STATUS	  ? "follow"
		 : cmd == HISTORY ? "show the history of"
				  : commands[cmd].name;
	if (cmd == STATUS)
		status_command(&v);
	else
		verb_each(&v, cmd == HISTORY ? history : change, &cmd);
	return finish(verb_close(&v));
}
