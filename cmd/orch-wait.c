/* orch-wait - until objects have what is asked for; on time-out it says what is missing. */
#include <string.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/cache.h"
#include "client/output.h"
#include "client/want.h"

enum { LOOK_SECONDS = 5 };

static const char *what, *timeout = "30s", *format;
static struct list files;
static const struct opt opts[] = {
	{ 0, "for", "WHAT", "condition=C[=V], jsonpath=E[=V], rollout, create or delete", &what,
	    false },
	{ 0, "timeout", "TIME", "give up after this long (30s); -1: never", &timeout, false },
	{ 'f', "filename", "FILE", "wait for the objects of a file, folder or - for stdin", &files,
	    true },
	{ 'o', "output", "FORMAT", "print the objects when they have it", &format, false },
	{ 0 },
};
static const struct opt *const shared[] = { scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-wait",
	.synopsis =
	    "--for=WHAT [--timeout=TIME] KIND[/NAME]...\n--for=WHAT [--timeout=TIME] [-f FILE]",
	.summary = "Wait until objects have a condition, exist or are gone.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

struct wait {
	struct client *client;
	struct cache *cache;
	struct targets targets;
	struct want want;
	char **uids; /* with delete: what was there at the start */
	size_t nuids, cap;
	bool began;
	struct output out;
};

/* --- the objects of a target, as the cache has them -------------------------------------- */

/*
 * The cache may hold more of the kind than this target (another one's), so names and labels are
 * looked at again.
 */
static struct walk
walk_target(const struct wait *w, const struct target *t)
{
	char group_kind[128];

	return world_each(
	    cache_world(w->cache), kind_group_kind(t->kind, group_kind), *t->ns ? t->ns : NULL);
}

static const json_t *
next_member(struct walk *it, const struct target *t, const struct selector *labels)
{
	const json_t *obj;

	while ((obj = walk_next(it)))
		if ((!*t->name || strcmp(t->name, meta_name(obj)) == 0) &&
		    selector_match(labels, meta_labels(obj)))
			break;
	return obj;
}

static void
note_uid(struct wait *w, const json_t *obj)
{
	GROW(w->uids, w->nuids, w->cap);
	w->uids[w->nuids++] = xstrdup(meta_uid(obj));
}

static bool
there_at_start(const struct wait *w, const json_t *obj)
{
	for (size_t i = 0; i < w->nuids; i++)
		if (strcmp(w->uids[i], meta_uid(obj)) == 0)
			return true;
	return false;
}

/* A new object of the same name is not the one whose end is waited for. */
static bool
counts(const struct wait *w, const json_t *obj)
{
	return w->want.kind != WANT_DELETE || !w->began || there_at_start(w, obj);
}

static void
why_still_there(const char *name, const json_t *obj, struct buf *why)
{
	const json_t *finalizers = get(obj, "metadata", "finalizers");

	buf_printf(
	    why, "\n  %s: it is still there%s", name, meta_deleting(obj) ? ", being deleted" : "");
	if (json_array_size(finalizers) > 0)
		buf_printf(why, ", held by finalizer %s", str(json_array_get(finalizers, 0), ""));
}

/* Have all objects of a target what is wanted?  As want_met; why names them. */
static int
target_met(struct wait *w, const struct target *t, const struct selector *labels, struct buf *why,
    struct err *err)
{
	struct walk it = walk_target(w, t);
	bool all = true;
	size_t n = 0;

	for (const json_t *obj; (obj = next_member(&it, t, labels));) {
		autofree char *name = target_name(t->kind, meta_name(obj));
		autobuf struct buf reason = BUF_INIT;
		int r;

		if (!counts(w, obj))
			continue;
		n++;
		if (w->want.kind == WANT_DELETE) {
			why_still_there(name, obj, why);
			continue;
		}
		if ((r = want_met(&w->want, (json_t *)obj, &reason, err)) < 0)
			return err_wrap(err, "%s", name);
		if (r == 0)
			buf_printf(why, "\n  %s: %s", name, reason.data);
		all = all && r > 0;
	}
	if (w->want.kind == WANT_DELETE)
		return n == 0;
	if (n == 0) {
		autofree char *name = t->obj ? target_name(t->kind, t->name) : NULL;

		buf_printf(why, "\n  %s: %s", name ? name : t->where,
		    *t->name ? "it does not exist" : "there is none");
	}
	return n > 0 && all;
}

static int
all_met(struct wait *w, const struct selector *labels, struct buf *why, struct err *err)
{
	int met = 1;

	buf_clear(why);
	for (size_t i = 0; i < w->targets.n; i++) {
		int r = target_met(w, &w->targets.item[i], labels, why, err);

		if (r < 0)
			return r;
		met = met && r;
	}
	return met;
}

/* --- waiting --------------------------------------------------------------------------------- */

static void
begin(struct wait *w, const struct selector *labels)
{
	for (size_t i = 0; i < w->targets.n && w->want.kind == WANT_DELETE; i++) {
		struct walk it = walk_target(w, &w->targets.item[i]);

		for (const json_t *obj; (obj = next_member(&it, &w->targets.item[i], labels));)
			note_uid(w, obj);
	}
	w->began = true;
}

static int
run(struct wait *w, const struct selector *labels, struct err *err)
{
	double seconds = cli_duration("timeout", timeout), start = clock_monotonic();
	autobuf struct buf why = BUF_INIT;
	int r;

	for (;;) {
		/* even with no time at all there is one look, which the listing may take a while
		 * for */
		double limit = w->began || seconds > LOOK_SECONDS ? seconds : LOOK_SECONDS;
		double left = start + limit - clock_monotonic();

		if ((r = cache_wait(w->cache, seconds < 0 ? -1 : left > 0 ? left : 0, -1, err)) < 0)
			return r;
		if (cache_synced(w->cache) && !w->began)
			begin(w, labels);
		if (w->began && (r = all_met(w, labels, &why, err)) != 0)
			return r;
		if (seconds >= 0 && clock_monotonic() >= start + (w->began ? seconds : limit))
			return err_set(err, ERR_TIMEOUT, "not within %s%s%s", timeout,
			    why.len ? ":" : "", why.len ? why.data : ": the server did not answer");
	}
}

static int
keep(struct wait *w, const struct target *t, struct err *err)
{
	struct list_options o = scope_list_options();
	autofree char *field = xasprintf("metadata.name=%s", t->name);

	if (*t->name)
		o.fields = field;
	return cache_add(w->cache, t->kind, t->ns, &o, err);
}

static int
prepare(struct wait *w, int n, char *words[], struct selector **labels, struct err *err)
{
	int r;

	if ((r = client_open(&w->client, err)) < 0 || (r = want_parse(&w->want, what, err)) < 0 ||
	    (r = selector_parse(
		 labels, scope_options.selector ? scope_options.selector : "", err)) < 0 ||
	    (r = targets_gather(&w->targets, w->client, n, words, &files, err)) < 0 ||
	    (r = cache_open(&w->cache, w->client, err)) < 0)
		return r;
	for (size_t i = 0; i < w->targets.n; i++)
		if ((r = keep(w, &w->targets.item[i], err)) < 0)
			return r;
	return 0;
}

static void
print(struct wait *w, const struct selector *labels)
{
	struct err err;

	if (!format || w->want.kind == WANT_DELETE)
		return;
	for (size_t i = 0; i < w->targets.n; i++) {
		struct walk it = walk_target(w, &w->targets.item[i]);

		for (const json_t *obj; (obj = next_member(&it, &w->targets.item[i], labels));)
			if (output_add(&w->out, (json_t *)obj, &err) < 0)
				die(&err, "cannot print");
	}
	if (output_close(&w->out, &err) < 0)
		die(&err, "cannot print");
}

int
main(int argc, char *argv[])
{
	struct wait w = { 0 };
	struct selector *labels = NULL;
	struct err err;
	int at = cli_parse(argc, argv), status = 0;

	if (!what)
		usage();
	log_open(self.name, 0);
	if (format && output_open(&w.out, stdout, format, NULL, &err) < 0)
		die(&err, "cannot print");
	if (prepare(&w, argc - at, argv + at, &labels, &err) < 0 ||
	    (w.targets.n > 0 && run(&w, labels, &err) < 0))
		status = complain(&err, "waited for %s in vain", what);
	else
		print(&w, labels);
	for (size_t i = 0; i < w.nuids; i++)
		free(w.uids[i]);
	free(w.uids);
	cache_close(w.cache);
	client_close(w.client);
	targets_release(&w.targets);
	want_release(&w.want);
	selector_free(labels);
	return finish(status);
}
