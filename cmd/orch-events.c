/* orch-events - what has happened to objects, in the order of time. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "api/event.h"
#include "api/grid.h"
#include "api/meta.h"
#include "api/object.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/cache.h"
#include "client/output.h"

static const char *format, *types, *timeout;
static bool follow, no_headers;
static struct list subjects, files;
static const struct opt opts[] = {
	{ 0, "for", "KIND/NAME", "events about this object; the same as an operand", &subjects,
	    true },
	{ 0, "types", "TYPES", "only of these types: Normal, Warning", &types, false },
	{ 'w', "watch", NULL, "go on with those that come", &follow, false },
	{ 0, "timeout", "TIME", "with -w: end after this long", &timeout, false },
	{ 'o', "output", "FORMAT", "table (on a terminal), jsonl (in a pipe), yaml, ...", &format,
	    false },
	{ 'f', "filename", "FILE", "about the objects, or the events, of a file, folder or -",
	    &files, true },
	{ 0, "no-headers", NULL, "table: no line of titles", &no_headers, false },
	{ 0 },
};
static const struct opt *const shared[] = { scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-events",
	.synopsis =
	    "[-A] [-w] [--types=TYPES] [-o FORMAT] [KIND[/NAME]...]\n-f FILE [-w] < objects",
	.summary = "Print what has happened to objects, in the order of time.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

struct run {
	struct client *client;
	struct targets targets; /* what events are to be about; none: anything */
	bool about;		/* only about targets, even when they are none */
	json_t **event;
	size_t n, cap;
	struct grid grid;
	bool table, people, printed;
	struct output output;
	struct cache *cache;
	bool live; /* what was there at the start has been printed */
	int worst;
};

static void
failed(struct run *run, int status)
{
	run->worst = status > run->worst ? status : run->worst;
}

/* --- which ones --------------------------------------------------------------------------- */

static bool
type_wanted(const char *type)
{
	autofree char *copy = types ? xstrdup(types) : NULL;
	char *rest = copy, *word;

	while ((word = strsep(&rest, ",")))
		if (strcasecmp(word, type) == 0)
			return true;
	return !types;
}

static bool
wanted(const struct run *run, const json_t *obj)
{
	struct event_view e;

	event_view(&e, obj);
	if (!type_wanted(e.type))
		return false;
	for (size_t i = 0; i < run->targets.n; i++) {
		const struct target *t = &run->targets.item[i];

		if (event_about(&e, t->kind->group, t->kind->kind, t->ns, t->name,
			t->obj ? meta_uid(t->obj) : ""))
			return true;
	}
	return !run->about;
}

static void
check_types(void)
{
	autofree char *copy = xstrdup(types ? types : "Normal");
	char *rest = copy, *word;

	while ((word = strsep(&rest, ",")))
		if (strcasecmp(word, "Normal") != 0 && strcasecmp(word, "Warning") != 0)
			die(NULL, "--types: '%s' is neither Normal nor Warning", word);
}

/* --- what they are about ------------------------------------------------------------------ */

static void
add_target(struct run *run, const struct kind *k, const char *ns, const char *name, json_t *obj)
{
	struct targets *t = &run->targets;

	GROW(t->item, t->n, t->cap);
	t->item[t->n++] =
	    (struct target){ k, xstrdup(ns), xstrdup(name), json_incref(obj), xstrdup("") };
}

struct listing {
	struct run *run;
	const struct kind *kind;
};

static int
add_listed(void *arg, json_t *obj, struct err *err)
{
	struct listing *l = arg;

	(void)err;
	add_target(l->run, l->kind, meta_namespace(obj), meta_name(obj), obj);
	json_decref(obj);
	return 0;
}

/* With a selector the objects must be asked for; a kind alone is compared by its name. */
static int
add_words(struct run *run, int n, char *const words[], struct err *err)
{
	struct targets named = { 0 };
	bool selects = scope_options.selector || scope_options.field_selector;
	int r = targets_of_words(&named, run->client, n, words, err);

	for (size_t i = 0; i < named.n && r >= 0; i++) {
		const struct target *t = &named.item[i];
		struct listing l = { run, t->kind };

		if (!*t->name && selects)
			r = target_each(run->client, t, add_listed, &l, err);
		else
			add_target(run, t->kind, t->ns, t->name, NULL);
	}
	targets_release(&named);
	return r;
}

/* An Event in the stream is one to be printed, anything else is what events are to be about. */
static int
take(void *arg, struct objects *in, json_t *taken, struct err *err)
{
	struct run *run = arg;
	json_auto_t *value = taken;
	json_t *obj = object_of(value);
	const struct kind *k;
	const char *ns;
	int r;

	if (event_is(obj)) {
		GROW(run->event, run->n, run->cap);
		run->event[run->n++] = json_incref(obj);
		return 0;
	}
	if ((!run->client && (r = client_open(&run->client, err)) < 0) ||
	    (r = client_kind_of(run->client, obj, &k, err)) < 0 ||
	    (r = target_namespace(run->client, k, obj, &ns, err)) < 0)
		return err_wrap(err, "%s", objects_where(in));
	run->about = true;
	add_target(run, k, ns, meta_name(obj), obj);
	return 0;
}

/* --- printing ----------------------------------------------------------------------------- */

static void
add_row(struct run *run, const json_t *obj)
{
	autobuf struct buf seen = BUF_INIT;
	autofree char *about = NULL;
	struct event_view e;

	event_view(&e, obj);
	event_seen(&e, clock_now(), &seen);
	about = xasprintf("%s/%s", text(e.about, "kind"), text(e.about, "name"));
	if (scope_options.all_namespaces)
		grid_cell(&run->grid, meta_namespace(obj));
	grid_cell(&run->grid, seen.data);
	grid_cell(&run->grid, e.type);
	grid_cell(&run->grid, e.reason);
	grid_cell(&run->grid, about);
	grid_cell(&run->grid, e.message);
}

static void
print(struct run *run, json_t *obj)
{
	struct err err;

	run->printed = true;
	if (run->table)
		add_row(run, obj);
	else if (output_add(&run->output, obj, &err) < 0)
		die(&err, "cannot print");
}

static void
print_rows(struct run *run)
{
	autobuf struct buf out = BUF_INIT;

	if (!run->table || grid_rows(&run->grid) == 0)
		return;
	grid_print(&run->grid, !no_headers, &out);
	fputs(out.data, stdout);
}

/* For people: that there is none, where. */
static void
say_nothing(const struct run *run)
{
	if (run->about || scope_options.all_namespaces || !run->client)
		fprintf(stderr, "%s: no events found\n", self.name);
	else
		fprintf(stderr, "%s: no events found in namespace '%s'\n", self.name,
		    client_namespace(run->client));
}

static int
by_time(const void *a, const void *b)
{
	return event_cmp(*(json_t *const *)a, *(json_t *const *)b);
}

static void
print_gathered(struct run *run)
{
	if (run->n)
		qsort(run->event, run->n, sizeof *run->event, by_time);
	for (size_t i = 0; i < run->n; i++) {
		if (wanted(run, run->event[i]))
			print(run, run->event[i]);
		json_decref(run->event[i]);
	}
	run->n = 0;
	print_rows(run);
}

static void
open_output(struct run *run)
{
	static const char *const columns[] = { "last seen", "type", "reason", "object", "message" };
	const struct printer_options options = { .list = PRINTER_LIST_NEVER };
	struct err err;

	run->people = !format && isatty(STDOUT_FILENO);
	run->table = format ? strcmp(format, "table") == 0 : isatty(STDOUT_FILENO);
	if (!run->table && output_open(&run->output, stdout, format, &options, &err) < 0)
		die(&err, "cannot print");
	grid_init(&run->grid);
	if (scope_options.all_namespaces)
		grid_column(&run->grid, "namespace");
	for (size_t i = 0; i < COUNT(columns); i++)
		grid_column(&run->grid, columns[i]);
}

/* --- from the server ---------------------------------------------------------------------- */

/* The namespaces to look in: of the objects, else of the options.  Events about what is in none
 * are in "default". */
static json_t *
places(const struct run *run)
{
	json_t *set = json_object();

	if (!run->about)
		json_object_set_new(set,
		    scope_options.all_namespaces ? "" : client_namespace(run->client), json_true());
	for (size_t i = 0; i < run->targets.n; i++) {
		const struct target *t = &run->targets.item[i];

		json_object_set_new(set, t->kind->namespaced ? t->ns : "default", json_true());
	}
	if (json_object_get(set, "")) {
		json_object_clear(set);
		json_object_set_new(set, "", json_true());
	}
	return set;
}

/* One object is left to the server to select; more are compared here. */
static struct list_options
list_options(const struct run *run, struct buf *fields)
{
	const struct target *t = &run->targets.item[0];

	if (!run->about)
		return scope_list_options();
	if (run->targets.n == 1) {
		buf_printf(fields, "involvedObject.kind=%s", t->kind->kind);
		if (*t->name)
			buf_printf(fields, ",involvedObject.name=%s", t->name);
	}
	return (struct list_options){ .fields = fields->data };
}

static int
gather(void *arg, json_t *obj, struct err *err)
{
	struct run *run = arg;

	(void)err;
	GROW(run->event, run->n, run->cap);
	run->event[run->n++] = obj;
	return 0;
}

static void
changed(void *arg, const char *type, const json_t *obj, const json_t *old)
{
	struct run *run = arg;

	(void)old;
	if (strcmp(type, "DELETED") == 0)
		return; /* it has only been forgotten */
	if (run->live && wanted(run, obj))
		print(run, (json_t *)obj);
	else if (!run->live)
		gather(run, json_incref((json_t *)obj), NULL);
}

static int
watch(struct run *run, struct err *err)
{
	double seconds = timeout ? cli_duration("timeout", timeout) : -1;
	double end = clock_monotonic() + seconds;
	autoclose int gone = output_gone(stdout);
	int r;

	for (;;) {
		double left = seconds < 0 ? -1 : end - clock_monotonic();

		if ((r = cache_wait(run->cache, seconds >= 0 && left < 0 ? 0 : left, gone, err)) <
		    0)
			return r;
		if (cache_synced(run->cache) && !run->live) {
			print_gathered(run);
			run->live = true;
		}
		print_rows(run);
		if (!run->table)
			output_flush(&run->output);
		if (!flush_output() || output_is_gone(gone) ||
		    (seconds >= 0 && clock_monotonic() >= end))
			return 0;
	}
}

static int
read_server(struct run *run, struct err *err)
{
	json_auto_t *set = places(run);
	autobuf struct buf fields = BUF_INIT;
	struct list_options o = list_options(run, &fields);
	const struct kind *k = kind_find("", "v1", "Event");
	const char *ns;
	json_t *value;
	int r = 0;

	if (follow && (r = cache_open(&run->cache, run->client, err)) < 0)
		return r;
	if (follow)
		cache_on_change(run->cache, changed, run);
	json_object_foreach (set, ns, value) {
		if (follow)
			r = cache_add(run->cache, k, ns, &o, err);
		else
			r = client_list(run->client, k, ns, &o, gather, run, NULL, err);
		if (r < 0)
			return r;
	}
	return follow && json_object_size(set) > 0 ? watch(run, err) : 0;
}

/* --- main --------------------------------------------------------------------------------- */

static void
prepare(struct run *run, int n, char *words[])
{
	struct err err;

	if (files.n == 0 && (client_open(&run->client, &err) < 0))
		die(&err, "cannot get events");
	run->about = n > 0 || subjects.n > 0;
	if (add_words(run, n, words, &err) < 0 ||
	    add_words(run, (int)subjects.n, (char *const *)subjects.item, &err) < 0)
		die(&err, "cannot get events");
	if (files.n > 0 && objects_each((char *const *)files.item, (int)files.n, ACCEPT_EVENTS,
			       take, run, &err) < 0)
		die(&err, "cannot get events");
}

int
main(int argc, char *argv[])
{
	struct run run = { 0 };
	struct err err;
	int at = cli_parse(argc, argv);

	check_types();
	if (timeout)
		cli_duration("timeout", timeout);
	if (timeout && !follow)
		die(NULL, "--timeout is for -w");
	if (files.n > 0 && (at < argc || subjects.n > 0 || scope_options.selector ||
			       scope_options.field_selector || scope_options.all_namespaces))
		die(NULL, "-f does not go together with operands, --for, -A or a selector");
	log_open(self.name, 0);
	prepare(&run, argc - at, argv + at);
	open_output(&run);
	if (run.client && read_server(&run, &err) < 0)
		failed(&run, complain(&err, "cannot get events"));
	print_gathered(&run);
	if (run.people && !run.printed && !run.worst)
		say_nothing(&run);
	if (!run.table && output_close(&run.output, &err) < 0)
		failed(&run, complain(&err, "cannot print"));
	grid_release(&run.grid);
	free(run.event);
	cache_close(run.cache);
	targets_release(&run.targets);
	client_close(run.client);
	return finish(run.worst);
}
