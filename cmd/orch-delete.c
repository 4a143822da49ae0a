/* orch-delete - delete objects and, unless told otherwise, wait until they are gone. */
#include <string.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/address.h"
#include "client/cache.h"
#include "client/output.h"
#include "client/write.h"

static const char *grace, *cascade = "background", *wait_arg = "true", *timeout, *format, *dry_arg;
static bool all, now, ignore_missing;
static enum dry dry;
static struct list files;
static const struct opt opts[] = {
	{ 'f', "filename", "FILE", "the objects of a file, folder or - for stdin", &files, true },
	{ 0, "all", NULL, "all objects of the kinds, in the namespace", &all, false },
	{ 0, "ignore-not-found", NULL, "what does not exist is no failure", &ignore_missing,
	    false },
	{ 0, "grace-period", "SECONDS", "time to end in, instead of the object's own", &grace,
	    false },
	{ 0, "now", NULL, "the same as --grace-period=1", &now, false },
	{ 0, "cascade", "HOW", "background (default), foreground or orphan", &cascade, false },
	{ 0, "wait", "BOOL", "false: do not wait until they are gone", &wait_arg, false },
	{ 0, "timeout", "TIME", "wait no longer than this", &timeout, false },
	{ 0, "dry-run", "[MODE]", "change nothing: server (default), client; none: do change",
	    &dry_arg, false },
	{ 'o', "output", "FORMAT", "instead of lines the objects as they were, in this format",
	    &format, false },
	{ 0 },
};
static const struct opt *const shared[] = { scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-delete",
	.synopsis = "[--wait=false] KIND/NAME...\n(-l LABELS|--all) KIND...\n[-f FILE] < objects",
	.summary = "Delete objects and wait until they are gone.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

/* One object that is going. */
struct going {
	const struct kind *kind;
	char *ns, *name, *uid;
};

struct deleting {
	struct client *client;
	struct target *target;
	json_t *options;
	struct output output;
	struct going *item; /* to be waited for */
	size_t n, cap;
	int worst;
};

static json_t *
delete_options(void)
{
	static const char *const policies[][2] = { { "background", "Background" },
		{ "foreground", "Foreground" }, { "orphan", "Orphan" } };
	json_t *options = json_pack("{s:s, s:s}", "apiVersion", "v1", "kind", "DeleteOptions");
	struct err err;

	if (now && grace)
		die(NULL, "--now and --grace-period do not go together");
	if (now || grace)
		put(options,
		    json_integer(now ? 1 : cli_number("grace-period", grace, 0, 1000000000)),
		    "gracePeriodSeconds");
	for (size_t i = 0; i < COUNT(policies); i++)
		if (strcmp(cascade, policies[i][0]) == 0)
			put(options, json_string(policies[i][1]), "propagationPolicy");
	if (!get(options, "propagationPolicy"))
		die(NULL, "--cascade: '%s' is none of background, foreground, orphan", cascade);
	if (dry_of(dry_arg, &dry, &err) < 0)
		die(&err, "cannot delete");
	if (dry)
		put(options, json_pack("[s]", "All"), "dryRun");
	return options;
}

static void
report(struct deleting *d, const struct kind *k, const char *name, json_t *obj)
{
	autofree char *shown = target_name(k, name);
	struct err err;

	if (!format)
		printf("%s deleted%s\n", shown, dry ? " (dry run)" : "");
	else if (output_add(&d->output, obj, &err) < 0)
		die(&err, "cannot print");
	flush_output();
}

static void
note(
    struct deleting *d, const struct kind *k, const char *ns, const char *name, const json_t *reply)
{
	const char *uid = strcmp(text(reply, "kind"), "Status") == 0 ? text(reply, "details", "uid")
								     : meta_uid(reply);

	GROW(d->item, d->n, d->cap);
	d->item[d->n++] = (struct going){ k, xstrdup(ns), xstrdup(name), xstrdup(uid) };
}

static void
failed(struct deleting *d, int status)
{
	d->worst = status > d->worst ? status : d->worst;
}

/* Delete one; uid "" for whichever has that name.  obj, which -o prints, is read when it is NULL.
 */
static void
delete_one(struct deleting *d, const struct kind *k, const char *ns, const char *name,
    const char *uid, json_t *obj)
{
	json_auto_t *options = json_deep_copy(d->options), *reply = NULL, *read = NULL;
	struct err err;
	int r = 0;

	if ((format || dry == DRY_CLIENT) && !obj &&
	    (r = client_get(d->client, k, ns, name, &read, &err)) >= 0) {
		obj = read;
		if (*uid && strcmp(uid, meta_uid(obj)) != 0)
			r = err_set(&err, ERR_CONFLICT, "it is another one: its uid is '%s'",
			    meta_uid(obj));
		uid = *uid ? uid : meta_uid(obj);
	}
	if (*uid)
		put(options, json_string(uid), "preconditions", "uid");
	if (r >= 0 && dry != DRY_CLIENT)
		r = client_delete(d->client, k, ns, name, options, &reply, &err);
	if (r == -ERR_NOT_FOUND && ignore_missing)
		return;
	if (r < 0) {
		autofree char *shown = target_name(k, name);

		failed(d, complain(&err, "cannot delete %s", shown));
		return;
	}
	report(d, k, name, obj);
	note(d, k, ns, name, reply);
}

static int
delete_listed(void *arg, json_t *obj, struct err *err)
{
	struct deleting *d = arg;

	(void)err;
	delete_one(d, d->target->kind, meta_namespace(obj), meta_name(obj), meta_uid(obj), obj);
	json_decref(obj);
	return 0;
}

static void
delete_target(struct deleting *d, struct target *t)
{
	struct err err;

	d->target = t;
	if (*t->name) {
		delete_one(d, t->kind, t->ns, t->name, t->obj ? meta_uid(t->obj) : "", NULL);
	} else if (target_each(d->client, t, delete_listed, d, &err) < 0) {
		failed(d, complain(&err, "cannot delete %s", t->where));
	}
}

/* --- waiting --------------------------------------------------------------------------------- */

static bool
gone(struct cache *cache, const struct going *g)
{
	char group_kind[128];
	const json_t *obj =
	    world_get(cache_world(cache), kind_group_kind(g->kind, group_kind), g->ns, g->name);

	return !obj || (*g->uid && strcmp(g->uid, meta_uid(obj)) != 0);
}

/* One watch for each collection that has more than one object to go, else for the object. */
static int
keep(struct deleting *d, struct cache *cache, size_t i, struct err *err)
{
	const struct going *g = &d->item[i];
	autofree char *field = xasprintf("metadata.name=%s", g->name);
	struct list_options o = { .fields = field };

	for (size_t k = 0; k < d->n; k++) {
		const struct going *other = &d->item[k];

		if (k == i || other->kind != g->kind || strcmp(other->ns, g->ns) != 0)
			continue;
		if (k < i)
			return 0; /* watched already */
		o.fields = NULL;
	}
	return cache_add(cache, g->kind, g->ns, &o, err);
}

static int
wait_gone(struct deleting *d, struct cache *cache, struct err *err)
{
	double end = timeout ? clock_monotonic() + cli_duration("timeout", timeout) : -1;
	size_t at = 0;
	int r;

	for (size_t i = 0; i < d->n; i++)
		if ((r = keep(d, cache, i, err)) < 0)
			return r;
	for (;;) {
		double left = end < 0 ? -1 : end - clock_monotonic();

		if (end >= 0 && left <= 0)
			return err_set(err, ERR_TIMEOUT, "%s '%s' is still there after %s",
			    d->item[at].kind->singular, d->item[at].name, timeout);
		if ((r = cache_wait(cache, left, -1, err)) < 0)
			return r;
		while (cache_synced(cache) && at < d->n && gone(cache, &d->item[at]))
			at++;
		if (at == d->n)
			return 0;
	}
}

static void
wait_all(struct deleting *d)
{
	struct cache *cache = NULL;
	struct err err;

	if (cache_open(&cache, d->client, &err) < 0 || wait_gone(d, cache, &err) < 0)
		failed(d, complain(&err, "cannot wait for the end"));
	cache_close(cache);
}

/* An empty selector, of a variable that is not set, does not mean everything here. */
static bool
given(const char *selector)
{
	return selector && *selector;
}

static void
check_targets(const struct targets *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!*t->item[i].name && !all && !given(scope_options.selector) &&
		    !given(scope_options.field_selector))
			die(NULL, "'%s' names no object: say which, or -l LABELS, or --all",
			    t->item[i].where);
}

int
main(int argc, char *argv[])
{
	struct deleting d = { 0 };
	struct targets targets = { 0 };
	struct err err;
	int at = cli_parse(argc, argv);
	bool waits = strcmp(wait_arg, "false") != 0;

	if (timeout)
		cli_duration("timeout", timeout); /* a wrong one deletes nothing */
	if (waits && strcmp(wait_arg, "true") != 0)
		die(NULL, "--wait: '%s' is neither true nor false", wait_arg);
	if (format && output_open(&d.output, stdout, format, NULL, &err) < 0)
		die(&err, "cannot print");
	log_open(self.name, 0);
	d.options = delete_options();
	if (client_open(&d.client, &err) < 0 ||
	    targets_gather(&targets, d.client, argc - at, argv + at, &files, &err) < 0)
		die(&err, "cannot delete");
	check_targets(&targets);
	for (size_t i = 0; i < targets.n; i++)
		delete_target(&d, &targets.item[i]);
	if (format && output_close(&d.output, &err) < 0)
		die(&err, "cannot print");
	if (waits && !dry && d.n > 0) {
		flush_output();
		wait_all(&d);
	}
	for (size_t i = 0; i < d.n; i++) {
		free(d.item[i].ns);
		free(d.item[i].name);
		free(d.item[i].uid);
	}
	free(d.item);
	json_decref(d.options);
	targets_release(&targets);
	client_close(d.client);
	return finish(d.worst);
}
