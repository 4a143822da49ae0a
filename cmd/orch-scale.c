/* orch-scale - how many replicas: set it, and wait until it is so. */
#include <string.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/cache.h"
#include "client/scale.h"
#include "client/verb.h"

static const char *replicas, *current, *version, *timeout;
static const struct opt opts[] = {
	{ 0, "replicas", "NUMBER", "how many there are to be", &replicas, false },
	{ 0, "current-replicas", "NUMBER", "only what has this many now", &current, false },
	{ 0, "resource-version", "VERSION", "only if the object has this version", &version,
	    false },
	{ 0, "timeout", "TIME", "wait this long until there are as many; -1: for ever", &timeout,
	    false },
	{ 0 },
};
static const struct opt *const shared[] = { verb_opts, all_opts, write_opts, scope_opts,
	client_opts, NULL };
const struct program self = {
	.name = "orch-scale",
	.synopsis = "--replicas=N [--timeout=TIME] KIND/NAME...\n--replicas=N (-l LABELS|--all) "
		    "KIND...\n--replicas=N [-f FILE] < objects",
	.summary = "Set how many replicas objects have.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

/* One object that was scaled. */
struct scaled {
	const struct kind *kind;
	char *ns, *name;
	char *seen; /* resourceVersion at the last look; NULL: none yet */
	bool reached;
};

struct run {
	struct scaling how;
	struct scaled *item; /* to be waited for */
	size_t n, cap;
};

static int
report(
    struct verb *v, const struct subject *s, const struct run *run, bool changed, struct err *err)
{
	json_auto_t *obj = NULL;
	int r;

	if (v->writer.printing) {
		if ((r = client_get(v->client, s->kind, s->ns, s->name, &obj, err)) < 0)
			return r;
		if (v->writer.dry) /* the server has not written it */
			put(obj, json_integer(run->how.replicas), "spec", "replicas");
	}
	return verb_report(v, s, obj, changed ? "scaled" : "unchanged", err);
}

static int
scale(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	struct run *run = arg;
	int r;

	run->how.uid = s->obj ? meta_uid(s->obj) : NULL;
	if ((r = scale_object(v->client, s->kind, s->ns, s->name, &run->how, err)) < 0)
		return r;
	GROW(run->item, run->n, run->cap);
	run->item[run->n++] =
	    (struct scaled){ .kind = s->kind, .ns = xstrdup(s->ns), .name = xstrdup(s->name) };
	return report(v, s, run, r > 0, err);
}

/* --- waiting --------------------------------------------------------------------------------- */

static int
keep(struct cache *cache, const struct scaled *s, struct err *err)
{
	autofree char *field = xasprintf("metadata.name=%s", s->name);
	struct list_options o = { .fields = field };

	return cache_add(cache, s->kind, s->ns, &o, err);
}

/* Look again when the object has changed; the number is read where every kind has it. */
static int
look(struct verb *v, struct cache *cache, struct scaled *s, const struct run *run, struct buf *why,
    struct err *err)
{
	autofree char *shown = target_name(s->kind, s->name);
	autobuf struct buf reason = BUF_INIT;
	char group_kind[128];
	const json_t *obj =
	    world_get(cache_world(cache), kind_group_kind(s->kind, group_kind), s->ns, s->name);
	int r;

	if (!obj)
		return err_set(err, ERR_NOT_FOUND, "%s has been deleted", shown);
	if (s->seen && strcmp(s->seen, meta_version(obj)) == 0)
		return 0;
	free(s->seen);
	s->seen = xstrdup(meta_version(obj));
	r = scale_reached(v->client, s->kind, s->ns, s->name, run->how.replicas, &reason, err);
	if (r < 0)
		return err_wrap(err, "%s", shown);
	s->reached = r > 0;
	if (!s->reached) {
		buf_clear(why);
		buf_printf(why, "%s: %s", shown, reason.data);
	}
	return 0;
}

static int
wait(struct verb *v, struct cache *cache, struct run *run, struct err *err)
{
	double seconds = cli_duration("timeout", timeout), end = clock_monotonic() + seconds;
	autobuf struct buf why = BUF_INIT;
	int r;

	for (size_t i = 0; i < run->n; i++)
		if ((r = keep(cache, &run->item[i], err)) < 0)
			return r;
	for (size_t at = 0;;) {
		double left = seconds < 0 ? -1 : end - clock_monotonic();

		if (seconds >= 0 && left <= 0)
			return err_set(err, ERR_TIMEOUT, "not within %s%s%s", timeout,
			    why.len ? ": " : "", why.len ? why.data : "");
		if ((r = cache_wait(cache, left, -1, err)) < 0)
			return r;
		while (cache_synced(cache) && at < run->n) {
			if ((r = look(v, cache, &run->item[at], run, &why, err)) < 0)
				return r;
			if (!run->item[at].reached)
				break;
			at++;
		}
		if (at == run->n)
			return 0;
	}
}

static void
wait_all(struct verb *v, struct run *run)
{
	struct cache *cache = NULL;
	struct err err;

	if (cache_open(&cache, v->client, &err) < 0 || wait(v, cache, run, &err) < 0)
		verb_failed(v, complain(&err, "waited for %s replicas in vain", replicas));
	cache_close(cache);
}

int
main(int argc, char *argv[])
{
	struct verb v = { .name = "scale", .complain = complain, .flush = flush_output };
	struct run run = { .how = { .current = -1 } };
	struct err err;
	int at = cli_parse(argc, argv);

	if (!replicas)
		usage();
	run.how.replicas = cli_number("replicas", replicas, 0, INT32_MAX);
	if (current)
		run.how.current = cli_number("current-replicas", current, 0, INT32_MAX);
	run.how.version = version;
	if (timeout)
		cli_duration("timeout", timeout); /* a wrong one scales nothing */
	log_open(self.name, 0);
	if (verb_open(&v, argc - at, argv + at, &err) < 0 || verb_needs_names(&v, &err) < 0)
		die(&err, "cannot scale");
	run.how.query = v.writer.query;
	run.how.look = v.writer.dry == DRY_CLIENT;
	verb_each(&v, scale, &run);
	if (timeout && !v.writer.dry && run.n > 0) {
		flush_output();
		wait_all(&v, &run);
	}
	for (size_t i = 0; i < run.n; i++) {
		free(run.item[i].ns);
		free(run.item[i].name);
		free(run.item[i].seen);
	}
	free(run.item);
	return finish(verb_close(&v));
}
