/* orch-watch - changes as they happen: an event stream out, across lost connections. */
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/cache.h"
#include "client/learned.h"
#include "client/output.h"

static const char *format, *timeout, *resync;
static bool only_new;
static const struct opt opts[] = {
	{ 'o', "output", "FORMAT", "jsonl: events (default); else objects: table, wide, name, ...",
	    &format, false },
	{ 0, "only-new", NULL, "leave out what is there at the start", &only_new, false },
	{ 0, "resync", "TIME", "every so often all objects again, as MODIFIED", &resync, false },
	{ 0, "timeout", "TIME", "end after this long", &timeout, false },
	{ 0 },
};
static const struct opt *const shared[] = { scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-watch",
	.synopsis = "[-A] [-l LABELS] [-o FORMAT] [--only-new] [--resync=TIME] KIND[/NAME]...",
	.summary = "Print objects as they change: an event a line, until told to end.",
	.opts = opts,
	.shared = shared,
	.operands = "kinds",
};

struct watching {
	struct cache *cache;
	struct output output;
	bool events; /* print the event stream; else objects */
};

static void
print(void *arg, const char *type, const json_t *obj, const json_t *old)
{
	struct watching *w = arg;
	struct err err;

	(void)old;
	if (only_new && cache_listing(w->cache))
		return;
	if (w->events) {
		json_auto_t *event = json_pack("{s:s, s:O}", "type", type, "object", obj);

		jsonl_write(stdout, event);
	} else if (output_add(&w->output, (json_t *)obj, &err) < 0) {
		die(&err, "cannot print");
	}
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

/* The seconds left, -1 for no limit. */
static double
left(double end)
{
	double now = clock_monotonic();

	return end < 0 ? -1 : end > now ? end - now : 0;
}

/* When something is due that comes every so often; -1 for never. */
static double
due(const char *name, const char *every)
{
	return every ? clock_monotonic() + cli_duration(name, every) : -1;
}

/* Everything once more, for whoever could not do what a change asked of him then. */
static void
print_all(struct watching *w)
{
	const struct world *world = cache_world(w->cache);

	for (size_t i = 0; world_kind(world, i); i++) {
		struct walk it = world_each(world, world_kind(world, i), NULL);

		for (const json_t *obj; (obj = walk_next(&it));)
			print(w, "MODIFIED", obj, obj);
	}
}

static int
watch(struct watching *w, struct err *err)
{
	double end = due("timeout", timeout), again = due("resync", resync);
	autoclose int gone = output_gone(stdout);
	int r = 0;

	while (r >= 0) {
		double wait = left(end);

		if (again >= 0 && (wait < 0 || left(again) < wait))
			wait = left(again);
		if ((r = cache_wait(w->cache, wait, gone, err)) < 0)
			return r;
		if (again >= 0 && left(again) == 0) {
			print_all(w);
			again = due("resync", resync);
		}
		if (!w->events)
			output_flush(&w->output);
		if (!flush_output() || left(end) == 0 || output_is_gone(gone))
			break;
	}
	return 0;
}

int
main(int argc, char *argv[])
{
	const struct printer_options options = { .list = PRINTER_LIST_NEVER };
	struct watching w = { 0 };
	struct targets targets = { 0 };
	struct learn *learn = learn_new();
	struct client *c;
	struct err err;
	int at = cli_parse(argc, argv), r;

	if (at == argc)
		usage();
	log_open(self.name, 0);
	if (resync && cli_duration("resync", resync) <= 0)
		die(NULL, "--resync: '%s' is no time to wait", resync);
	w.events = !format || strcmp(format, "jsonl") == 0;
	if (!w.events && (r = output_open(&w.output, stdout, format, &options, &err)) < 0)
		die(&err, "cannot print");
	if ((r = client_open(&c, &err)) < 0 ||
	    (r = targets_of_words(&targets, c, argc - at, argv + at, &err)) < 0 ||
	    (r = cache_open(&w.cache, c, &err)) < 0)
		die(&err, "cannot watch");
	if (output_tables(&w.output))
		targets_learn(&targets, c, learn);
	cache_on_change(w.cache, print, &w);
	for (size_t i = 0; i < targets.n; i++)
		if ((r = keep(w.cache, &targets.item[i], &err)) < 0)
			die(&err, "cannot watch");
	if ((r = watch(&w, &err)) < 0)
		die(&err, "cannot watch");
	output_discard(&w.output);
	cache_close(w.cache);
	client_close(c);
	targets_release(&targets);
	learn_free(learn);
	return finish(0);
}
