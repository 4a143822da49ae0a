/* orch-replace - put whole objects in the place of those that are there. */
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/cache.h"
#include "client/manifest.h"
#include "client/threeway.h"
#include "client/verb.h"

enum { TRIES = 8 };

static const char *subresource, *unknown_arg = "error", *grace, *timeout = "60s";
static bool force;
static const struct opt opts[] = {
	{ 0, "force", NULL, "delete and create anew what cannot be replaced in place", &force,
	    false },
	{ 0, "grace-period", "SECONDS", "with --force: time to end in", &grace, false },
	{ 0, "timeout", "TIME", "with --force: wait for the end no longer than this (60s)",
	    &timeout, false },
	{ 0, "subresource", "NAME", "of this: status, scale, ...", &subresource, false },
	{ 0, "unknown", "HOW", "unknown fields: error (default), warn or ignore", &unknown_arg,
	    false },
	{ 'f', "filename", "FILE", "a file, a folder, or - for stdin (the default)",
	    &verb_options.files, true },
	{ 0 },
};
static const struct opt *const shared[] = { write_opts, scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-replace",
	.synopsis = "[-n NAMESPACE] [--subresource=NAME] [-f FILE]... < objects\n--force "
		    "[--grace-period=SECONDS] [-f FILE]... < objects",
	.summary = "Replace objects as a whole.",
	.opts = opts,
	.shared = shared,
	.operands = "files",
};

struct replacing {
	char *query;
	enum unknown unknown;
};

/* --- in place ------------------------------------------------------------------------------- */

/* An object that says which version it is of replaces only that one; another the one there is. */
static int
put_object(struct verb *v, const struct subject *s, json_t *obj, const char *query, json_t **ret,
    struct err *err)
{
	bool any = !*meta_version(obj);
	int r = 0;

	for (int try = 0; try < TRIES; try++) {
		if (any) {
			json_auto_t *live = NULL;

			if ((r = client_get(v->client, s->kind, s->ns, s->name, &live, err)) < 0)
				return r;
			put(obj, json_string(meta_version(live)), "metadata", "resourceVersion");
		}
		r = client_update(v->client, obj, subresource, query, ret, err);
		if (r != -ERR_CONFLICT || !any)
			return r;
	}
	return r;
}

/* --- with force --------------------------------------------------------------------------------
 */

static int
wait_gone(struct verb *v, const struct subject *s, const char *uid, struct err *err)
{
	autofree char *field = xasprintf("metadata.name=%s", s->name);
	struct list_options o = { .fields = field };
	double end = clock_monotonic() + cli_duration("timeout", timeout), left;
	char group_kind[128];
	struct cache *cache = NULL;
	int r = cache_open(&cache, v->client, err);

	kind_group_kind(s->kind, group_kind);
	if (r >= 0)
		r = cache_add(cache, s->kind, s->ns, &o, err);
	while (r >= 0) {
		const json_t *there = world_get(cache_world(cache), group_kind, s->ns, s->name);

		if (cache_synced(cache) && (!there || strcmp(meta_uid(there), uid) != 0))
			break;
		if ((left = end - clock_monotonic()) <= 0)
			r = err_set(err, ERR_TIMEOUT, "it is still there after %s", timeout);
		else
			r = cache_wait(cache, left, -1, err);
	}
	cache_close(cache);
	return r < 0 ? r : 0;
}

static int
delete_object(struct verb *v, const struct subject *s, const json_t *live, struct err *err)
{
	json_auto_t *options = json_pack("{s:s, s:{s:s, s:s}}", "propagationPolicy", "Background",
	    "preconditions", "uid", meta_uid(live), "resourceVersion", meta_version(live));
	int r;

	if (grace)
		put(options, json_integer(cli_number("grace-period", grace, 0, 1000000000)),
		    "gracePeriodSeconds");
	r = client_delete(v->client, s->kind, s->ns, s->name, options, NULL, err);
	if (r >= 0)
		r = wait_gone(v, s, meta_uid(live), err);
	return r == -ERR_NOT_FOUND ? 0 : r;
}

/* The new one was refused: what was there comes back, and in the worst case goes to the user. */
static int
put_back(struct verb *v, const json_t *former, struct err *err)
{
	struct err why;

	if (client_create(v->client, former, v->writer.query, NULL, &why) >= 0)
		return err_wrap(err, "the former one is there again, with a new uid");
	complain(&why, "cannot put back what was deleted; here it is");
	jsonl_write(stderr, former);
	return -(int)err->code;
}

static int
recreate(struct verb *v, const struct subject *s, json_t *obj, const char *query, json_t **ret,
    const char **what, struct err *err)
{
	json_auto_t *live = NULL, *former = NULL;
	int r = client_get(v->client, s->kind, s->ns, s->name, &live, err);

	strip_server_fields(obj);
	if (r < 0 && r != -ERR_NOT_FOUND)
		return r;
	if (!live) {
		*what = "created";
		return client_create(v->client, obj, query, ret, err);
	}
	if (v->writer.dry) {
		*ret = json_incref(obj); /* the server cannot try out a name that is taken */
		return 0;
	}
	former = json_deep_copy(live);
	strip_server_fields(former);
	if ((r = delete_object(v, s, live, err)) < 0)
		return r;
	if ((r = client_create(v->client, obj, query, ret, err)) < 0)
		return put_back(v, former, err);
	return 0;
}

/* --- each ------------------------------------------------------------------------------------ */

static void
say_warnings(const struct subject *s, struct buf *warnings)
{
	char *rest = warnings->data, *line;

	while (warnings->len > 0 && (line = strsep(&rest, "\n")))
		if (*line)
			warn("%s: %s", s->where, line);
}

static int
replace_one(struct verb *v, const struct subject *s, void *arg, struct err *err)
{
	const struct replacing *how = arg;
	json_auto_t *obj = json_deep_copy(s->obj), *ret = NULL;
	autobuf struct buf warnings = BUF_INIT;
	const char *what = "replaced";
	int r = 0;

	if (s->kind->namespaced)
		put(obj, json_string(s->ns), "metadata", "namespace");
	/* what is deleted first must be able to come again */
	if (!subresource && (force || v->writer.dry == DRY_CLIENT))
		r = manifest_check(s->kind, obj, how->unknown, &warnings, err);
	else if (how->unknown == UNKNOWN_WARN)
		r = manifest_fits(s->kind, obj, how->unknown, &warnings, err);
	if (r < 0)
		return r;
	say_warnings(s, &warnings);
	if (v->writer.dry == DRY_CLIENT)
		ret = json_incref(obj), r = 0;
	else if (force)
		r = recreate(v, s, obj, how->query, &ret, &what, err);
	else
		r = put_object(v, s, obj, how->query, &ret, err);
	if (r < 0)
		return r;
	if (!v->writer.dry && strcmp(meta_version(obj), meta_version(ret)) == 0)
		what = "replaced (no change)";
	return verb_report(v, s, ret, what, err);
}

static void
check_options(struct replacing *how)
{
	struct err err;

	if (unknown_of(unknown_arg, &how->unknown, &err) < 0)
		die(&err, "cannot replace");
	if (force && subresource)
		die(NULL, "--force and --subresource do not go together");
	if (grace && !force)
		die(NULL, "--grace-period is for --force");
	cli_duration("timeout", timeout); /* a wrong one deletes nothing */
	if (grace)
		cli_number("grace-period", grace, 0, 1000000000);
	if (scope_options.selector || scope_options.all_namespaces || scope_options.field_selector)
		die(NULL,
		    "-l, -A and --field-selector mean nothing here: objects come by a stream");
}

int
main(int argc, char *argv[])
{
	struct verb v = { .name = "replace", .complain = complain, .flush = flush_output };
	struct replacing how = { 0 };
	struct err err;

	if (cli_parse(argc, argv) != argc || (verb_options.files.n == 0 && isatty(STDIN_FILENO)))
		usage();
	check_options(&how);
	log_open(self.name, 0);
	if (verb_open(&v, 0, NULL, &err) < 0)
		die(&err, "nothing is replaced");
	how.query =
	    xasprintf("%s&fieldValidation=%s", v.writer.query, unknown_validation(how.unknown));
	verb_each(&v, replace_one, &how);
	free(how.query);
	return finish(verb_close(&v));
}
