#include "client/drain.h"

#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/time.h"
#include "client/cache.h"
#include "client/calls.h"
#include "client/drain_gather.h"

/* Seconds. */
#define FIRST_DELAY 1.0
#define LONGEST_DELAY 10.0
#define AWAY 30.0

/* --- asking --------------------------------------------------------------------------------- */

static bool
waits(const struct drain_pod *p)
{
	return p->state == DRAIN_DUE || p->state == DRAIN_BUDGET;
}

static json_t *
delete_options(const struct drain *d, const struct drain_pod *p, bool dry)
{
	json_t *o = json_pack("{s:{s:s}}", "preconditions", "uid", meta_uid(p->pod));

	if (d->grace >= 0)
		json_object_set_new(o, "gracePeriodSeconds", json_integer(d->grace));
	if (dry)
		json_object_set_new(o, "dryRun", json_pack("[s]", "All"));
	return o;
}

static void
ask_init(struct call *c, const struct drain *d, const struct drain_pod *p, bool dry)
{
	const struct kind *k = kind_find("", "v1", "Pod");
	const char *ns = meta_namespace(p->pod), *name = meta_name(p->pod);
	json_auto_t *options = delete_options(d, p, dry), *body = NULL;
	autofree char *path = client_path(k, ns, name, d->how.deletes ? NULL : "eviction");

	*c = (struct call){ .method = d->how.deletes ? "DELETE" : "POST",
		.path = xasprintf("%s%s", path, dry ? "?dryRun=All" : ""),
		.type = "application/json",
		.once = true };
	if (d->how.deletes)
		json_object_update_new(
		    options, json_pack("{s:s, s:s}", "apiVersion", "v1", "kind", "DeleteOptions"));
	else
		body = json_pack("{s:s, s:s, s:{s:s, s:s}, s:O}", "apiVersion", "policy/v1", "kind",
		    "Eviction", "metadata", "name", name, "namespace", ns, "deleteOptions",
		    options);
	c->body = json_dumps(body ? body : options, JSON_COMPACT);
}

/* Ask for these items at once; their answers. */
static struct call *
ask(struct drain *d, struct drain_pod *const items[], size_t n, bool dry)
{
	struct call *calls = xcalloc(n + 1, sizeof *calls);

	for (size_t i = 0; i < n; i++)
		ask_init(&calls[i], d, items[i], dry);
	calls_run(d->client, calls, n, NULL, NULL);
	return calls;
}

/* The server's refusal of one, as an error; false: it was done. */
static bool
refused(const struct call *c, struct err *err)
{
	if (c->r < 0)
		*err = c->err;
	else if (c->status >= 400)
		client_refusal(c->status, c->reply.data, c->reply.len, err);
	else
		return false;
	return true;
}

/* --- what was answered ---------------------------------------------------------------------- */

static void
later(struct drain_pod *p)
{
	p->delay = p->delay > 0 ? p->delay * 2 : FIRST_DELAY;
	if (p->delay > LONGEST_DELAY)
		p->delay = LONGEST_DELAY;
	p->due = clock_monotonic() + p->delay;
}

static void
answered(struct drain *d, struct drain_pod *p, const struct call *c)
{
	struct err *said = &p->said;

	if (c->r < 0 && d->lost == 0)
		d->lost = clock_monotonic();
	else if (c->r == 0)
		d->lost = 0;
	if (!refused(c, said)) {
		p->said.code = ERR_OK;
		p->state = DRAIN_ENDING;
	} else if (c->status == 404) {
		p->state = DRAIN_ENDING; /* the watch tells */
	} else if (c->status == 403 && c->reply.data &&
		   strstr(c->reply.data, "NamespaceTerminating")) {
		p->state = DRAIN_ENDING; /* with its namespace */
	} else if (c->status == 429 || (c->status == 500 && p->verdict->action == DRAIN_BLOCK)) {
		p->state = DRAIN_BUDGET;
		later(p);
		drain_explain(d, p);
	} else if (c->r < 0 || c->status >= 500 || c->status == 409) {
		p->state = DRAIN_DUE;
		later(p);
	} else {
		p->state = DRAIN_FAILED;
		d->tell(d->arg, p, p->said.msg);
	}
}

static void
ask_due(struct drain *d)
{
	autofree struct drain_pod **due = xcalloc(d->n + 1, sizeof *due);
	double now = clock_monotonic();
	struct call *calls;
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		if (waits(&d->item[i]) && d->item[i].due <= now)
			due[n++] = &d->item[i];
	calls = ask(d, due, n, false);
	for (size_t i = 0; i < n; i++) {
		answered(d, due[i], &calls[i]);
		call_release(&calls[i]);
	}
	free(calls);
}

void
drain_try(struct drain *d)
{
	autofree struct drain_pod **these = xcalloc(d->n + 1, sizeof *these);
	struct call *calls;
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		if (waits(&d->item[i]))
			these[n++] = &d->item[i];
	calls = ask(d, these, n, true);
	for (size_t i = 0; i < n; i++) {
		refused(&calls[i], &these[i]->said);
		call_release(&calls[i]);
	}
	free(calls);
}

/* --- waiting -------------------------------------------------------------------------------- */

/* A budget that lets some go again: those that it counts need not wait any longer. */
static void
changed(void *arg, const char *type, const json_t *obj, const json_t *old)
{
	struct drain *d = arg;

	(void)old;
	if (strcmp(text(obj, "kind"), "PodDisruptionBudget") != 0)
		return;
	drain_know(d, obj, strcmp(type, "DELETED") == 0);
	if (strcmp(type, "DELETED") != 0 && num(get(obj, "status", "disruptionsAllowed"), 0) <= 0)
		return;
	for (size_t i = 0; i < d->n; i++)
		if (d->item[i].state == DRAIN_BUDGET &&
		    strcmp(meta_namespace(d->item[i].pod), meta_namespace(obj)) == 0)
			d->item[i].due = 0;
}

static void
move(struct drain *d, struct drain_pod *p, enum drain_state state, const char *why)
{
	p->state = state;
	d->tell(d->arg, p, why);
}

/* Gone, or another one of the same name; or too long on its end. */
static void
look(struct drain *d, struct cache *cache)
{
	int64_t now = clock_now(), since;

	for (size_t i = 0; i < d->n; i++) {
		struct drain_pod *p = &d->item[i];
		const json_t *is;

		if (!waits(p) && p->state != DRAIN_ENDING)
			continue;
		is =
		    world_get(cache_world(cache), "Pod", meta_namespace(p->pod), meta_name(p->pod));
		if (!is || strcmp(meta_uid(is), meta_uid(p->pod)) != 0)
			move(d, p, DRAIN_GONE, NULL);
		else if (d->how.skip_after > 0 && meta_deleting(is) &&
			 time_parse(text(is, "metadata", "deletionTimestamp"), &since) &&
			 now - since > d->how.skip_after)
			move(d, p, DRAIN_LEFT, "too long on its end: not waited for");
	}
}

/* Until when to wait for events; negative: nothing is to be waited for. */
static double
next_due(const struct drain *d, double end)
{
	double due = end;
	bool any = false;

	for (size_t i = 0; i < d->n; i++) {
		const struct drain_pod *p = &d->item[i];

		any = any || waits(p) || p->state == DRAIN_ENDING;
		if (waits(p) && p->due < due)
			due = p->due;
	}
	/* who is not waited for any longer is found by the clock */
	if (d->how.skip_after > 0 && due > clock_monotonic() + 1)
		due = clock_monotonic() + 1;
	return any ? due : -1;
}

static int
over(const struct drain *d, struct err *err)
{
	size_t blocked = 0, ending = 0;

	for (size_t i = 0; i < d->n; i++) {
		blocked += d->item[i].state == DRAIN_BUDGET;
		ending += d->item[i].state == DRAIN_ENDING;
	}
	if (blocked > 0)
		return err_set(err, ERR_DIFFERS,
		    "not within the time: %zu of the pods are held by their budgets", blocked);
	return err_set(
	    err, ERR_TIMEOUT, "not within the time: %zu of the pods have not ended yet", ending);
}

static int
run(struct drain *d, struct cache *cache, struct err *err)
{
	double end = d->timeout > 0 ? clock_monotonic() + d->timeout : 1e18;

	for (;;) {
		double now = clock_monotonic(), due;
		int r;

		if (cache_synced(cache)) {
			ask_due(d);
			look(d, cache);
		}
		if ((due = next_due(d, end)) < 0)
			return 0;
		if (d->lost > 0 && now - d->lost > AWAY)
			return err_set(err, ERR_UNAVAILABLE, "the server does not answer");
		if (now >= end)
			return over(d, err);
		if (!cache_synced(cache))
			due = end < now + 1 ? end : now + 1;
		due = due > 1e17 ? -1 : due > now ? due - now : 0;
		if ((r = cache_wait(cache, due, d->fd, err)) < 0)
			return r;
		if (d->ends && d->ends(d->arg))
			return err_set(err, ERR_TIMEOUT, "interrupted");
	}
}

int
drain_run(struct drain *d, struct err *err)
{
	struct cache *cache = NULL;
	int r;

	if ((r = cache_open(&cache, d->client, err)) < 0)
		return r;
	cache_on_change(cache, changed, d);
	if ((r = drain_keep(d, cache, err)) == 0)
		r = run(d, cache, err);
	cache_close(cache);
	return r;
}
