/*
 * The APIServices of what this server answers by itself: one for each group and version of custom
 * kinds, which comes and goes with them, and the condition of all.  Those of built-in kinds are
 * among the bootstrap objects (bootstrap_api.c).
 *
 * Kubernetes' rules (its autoregister controller): whoever takes the label "automanaged" away has
 * the object for himself; as long as it is there its spec is put right, and it goes when there is
 * nothing left that it stands for.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/custom.h"
#include "api/meta.h"
#include "api/registry.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/aggregation_private.h"
#include "store/bootstrap.h"

#define AUTOMANAGED "kube-aggregator.kubernetes.io/automanaged"

/* --- writes, all of which are handed in before the first is waited for --- */

struct batch {
	pthread_mutex_t lock;
	pthread_cond_t over;
	size_t pending;
	bool again; /* something has changed meanwhile, or could not be kept */
};

struct pending {
	struct write write;
	struct batch *batch;
};

static void
pending_done(struct write *w)
{
	struct pending *c = w->arg;
	struct batch *b = c->batch;

	if (w->result < 0 && w->result != -ERR_CONFLICT)
		log_line("cannot write an APIService: %s", w->err.msg);
	pthread_mutex_lock(&b->lock);
	b->again |= w->result < 0;
	if (--b->pending == 0)
		pthread_cond_signal(&b->over);
	pthread_mutex_unlock(&b->lock);
	write_release(w);
	free(c);
}

static struct pending *
pending_new(struct aggregation *a, struct batch *b, struct object *was)
{
	struct pending *c = xcalloc(1, sizeof *c);

	c->write = (struct write){ .table = a->table,
		.draft = DRAFT_INIT,
		.expect = was ? was->revision : 0,
		.done = pending_done,
		.arg = c };
	c->batch = b;
	return c;
}

static void
submit(struct aggregation *a, struct pending *c)
{
	pthread_mutex_lock(&c->batch->lock);
	c->batch->pending++;
	pthread_mutex_unlock(&c->batch->lock);
	commit_queue(a->server->commit, &c->write);
}

/* --- one of them --- */

enum { GROUP_PRIORITY = 1000, VERSION_PRIORITY = 100 }; /* of custom kinds: behind all others */

/* It should be there, and as it should be. */
static void
make(struct aggregation *a, struct batch *b, const char *group, const char *version)
{
	autofree char *name = xasprintf("%s.%s", version, group);
	struct object *was = cache_get(a->server->cache, a->table, "", name);
	json_auto_t *old = was ? object_json(was, a->kind) : NULL, *obj = NULL;
	json_auto_t *spec = json_pack("{s:s,s:s,s:i,s:i}", "group", group, "version", version,
	    "groupPriorityMinimum", GROUP_PRIORITY, "versionPriority", VERSION_PRIORITY);
	const char *managed = old ? meta_label(old, AUTOMANAGED) : NULL;

	if (!old)
		obj = json_pack("{s:s,s:s,s:{s:s,s:{s:s}},s:O}", "apiVersion",
		    "apiregistration.k8s.io/v1", "kind", "APIService", "metadata", "name", name,
		    "labels", AUTOMANAGED, "true", "spec", spec);
	else if (managed && strcmp(managed, "true") == 0 && !meta_deleting(old)) {
		obj = json_deep_copy(old);
		json_object_set(obj, "spec", spec);
	}
	if (obj) {
		struct pending *c = pending_new(a, b, was);

		server_object(a->kind, "kube-apiserver", old, obj);
		draft_encode(&c->write.draft, a->kind, obj);
		submit(a, c);
	}
	object_unref(was);
}

/* It stands for nothing any more. */
static void
drop(struct aggregation *a, struct batch *b, const char *name)
{
	struct object *was = cache_get(a->server->cache, a->table, "", name);
	json_auto_t *old = was ? object_json(was, a->kind) : NULL;

	if (old && meta_label(old, AUTOMANAGED) && !meta_deleting(old) &&
	    json_array_size(get(old, "metadata", "finalizers")) == 0) {
		struct pending *c = pending_new(a, b, was);

		c->write.deletes = true;
		draft_encode(&c->write.draft, a->kind, old);
		submit(a, c);
	}
	object_unref(was);
}

/* --- all of them --- */

/* What is to be done: looked up with the lock, done without. */
struct task {
	enum { MAKE, DROP, SAY } what;
	struct api_service *api;     /* of DROP and SAY */
	const char *group, *version; /* of MAKE: the registry's */
};
struct tasks {
	struct task *item;
	size_t n, cap;
};

static void
add_task(struct tasks *t, struct task task)
{
	GROW(t->item, t->n, t->cap);
	t->item[t->n++] = task;
}

static bool
is_right(const struct api_service *api)
{
	return api->local && !api->ca && !api->insecure && api->group_priority == GROUP_PRIORITY &&
	       api->version_priority == VERSION_PRIORITY;
}

static void
gather_missing(struct aggregation *a, struct tasks *t)
{
	size_t n;
	const struct kind *const *k = registry_custom(&n);

	for (size_t i = 0; i < n; i++) {
		autofree char *name = NULL;
		struct member *m;

		if (i > 0 && strcmp(k[i]->group, k[i - 1]->group) == 0 &&
		    strcmp(k[i]->version, k[i - 1]->version) == 0)
			continue;
		name = xasprintf("%s.%s", k[i]->version, k[i]->group);
		m = member_find(a, name);
		if (!m || (m->api->managed == MANAGED_ALWAYS && !is_right(m->api)))
			add_task(t,
			    (struct task){ MAKE, .group = k[i]->group, .version = k[i]->version });
	}
}

/* Those of an older release's groups are only looked for at the start. */
static void
gather_wrong(struct aggregation *a, struct tasks *t, bool first)
{
	for (size_t i = 0; i < a->n; i++) {
		struct api_service *api = a->member[i]->api;
		bool ours =
		    api->managed == MANAGED_ALWAYS || (first && api->managed == MANAGED_AT_START);

		if (ours && !schema_group(api->group, api->version))
			add_task(t, (struct task){ DROP, api_service_ref(api), NULL, NULL });
		else if (api->local && !api->said_local)
			add_task(t, (struct task){ SAY, api_service_ref(api), NULL, NULL });
	}
}

/* Returns whether it has to be done again. */
static bool
keep(struct aggregation *a, bool first)
{
	struct batch b = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false };
	unsigned epoch = registry_enter();
	struct tasks t = { 0 };

	pthread_mutex_lock(&a->lock);
	gather_missing(a, &t);
	gather_wrong(a, &t, first);
	pthread_mutex_unlock(&a->lock);
	for (size_t i = 0; i < t.n; i++) {
		if (t.item[i].what == MAKE)
			make(a, &b, t.item[i].group, t.item[i].version);
		else if (t.item[i].what == DROP)
			drop(a, &b, t.item[i].api->name);
	}
	registry_leave(epoch);
	pthread_mutex_lock(&b.lock);
	while (b.pending > 0)
		pthread_cond_wait(&b.over, &b.lock);
	pthread_mutex_unlock(&b.lock);
	for (size_t i = 0; i < t.n; i++) {
		if (t.item[i].what == SAY)
			aggregation_say(a, t.item[i].api, "True", "Local",
			    "Local APIServices are always available");
		api_service_unref(t.item[i].api);
	}
	free(t.item);
	return b.again;
}

/* With the lock: until there is something to do, or for a second when something failed. */
static void
wait_for_work(struct aggregation *a, bool again)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	while (!a->changed && !a->stop) {
		if (!again)
			pthread_cond_wait(&a->wake, &a->lock);
		else if (pthread_cond_timedwait(&a->wake, &a->lock, &until) != 0)
			break;
	}
	a->changed = false;
}

void *
keeper_main(void *arg)
{
	struct aggregation *a = arg;
	bool again = false, first = true;

	pthread_mutex_lock(&a->lock);
	for (;;) {
		wait_for_work(a, again);
		if (a->stop)
			break;
		pthread_mutex_unlock(&a->lock);
		again = keep(a, first);
		first = false;
		pthread_mutex_lock(&a->lock);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}
