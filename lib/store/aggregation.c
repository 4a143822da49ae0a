/* What APIServices there are: followed write by write, looked up by every request. */
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "api/apply.h"
#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/aggregation_private.h"

/* --- an APIService --- */

struct api_service *
api_service_ref(struct api_service *a)
{
	atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
	return a;
}

void
api_service_unref(struct api_service *a)
{
	if (!a || atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(a->name);
	free(a->group);
	free(a->version);
	free(a->uid);
	free(a->namespace);
	free(a->service);
	free(a->ca);
	free(a);
}

/* The bytes of a "caBundle"; NULL for none. */
static char *
decode(const char *base64)
{
	gnutls_datum_t in = { (unsigned char *)(uintptr_t)base64, (unsigned)strlen(base64) }, out;
	char *text;

	if (!*base64 || gnutls_base64_decode2(&in, &out) < 0)
		return NULL;
	text = xstrndup((const char *)out.data, out.size);
	gnutls_free(out.data);
	return text;
}

static struct api_service *
api_service_new(const json_t *obj)
{
	struct api_service *a = xcalloc(1, sizeof *a);
	const json_t *spec = json_object_get(obj, "spec"), *service = get(spec, "service");
	const json_t *said = condition_find(obj, "Available");
	const char *managed = meta_label(obj, "kube-aggregator.kubernetes.io/automanaged");

	a->refs = 1;
	a->name = xstrdup(meta_name(obj));
	a->uid = xstrdup(meta_uid(obj));
	a->group = xstrdup(text(spec, "group"));
	a->version = xstrdup(text(spec, "version"));
	a->group_priority = (int)num(get(spec, "groupPriorityMinimum"), 0);
	a->version_priority = (int)num(get(spec, "versionPriority"), 0);
	a->local = !json_is_object(service);
	a->managed = managed && strcmp(managed, "true") == 0	  ? MANAGED_ALWAYS
		     : managed && strcmp(managed, "onstart") == 0 ? MANAGED_AT_START
								  : MANAGED_NOT;
	a->available = condition_true(obj, "Available");
	a->said_local = a->available && strcmp(text(said, "reason"), "Local") == 0;
	a->namespace = xstrdup(text(service, "namespace"));
	a->service = xstrdup(text(service, "name"));
	a->port = (int)num(get(service, "port"), 443);
	a->insecure = truth(get(spec, "insecureSkipTLSVerify"));
	a->ca = decode(text(spec, "caBundle"));
	return a;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Does the same server answer, asked the same way? */
static bool
same_way(const struct api_service *a, const struct api_service *b)
{
	return strcmp(a->uid, b->uid) == 0 && a->local == b->local && a->port == b->port &&
	       a->insecure == b->insecure && same_text(a->namespace, b->namespace) &&
	       same_text(a->service, b->service) && same_text(a->ca, b->ca);
}

bool
api_service_passes(const struct api_service *a)
{
	return !a->local && *a->group && strcmp(a->group, "apiregistration.k8s.io") != 0;
}

/* --- members --- */

/* Where it is, or would be. */
static size_t
place(const struct aggregation *a, const char *name, bool *found)
{
	size_t from = 0, to = a->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = strcmp(a->member[mid]->api->name, name);

		if (c == 0) {
			*found = true;
			return mid;
		}
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	*found = false;
	return from;
}

struct member *
member_find(struct aggregation *a, const char *name)
{
	bool found;
	size_t i = place(a, name, &found);

	return found ? a->member[i] : NULL;
}

static void
member_free(struct member *m)
{
	api_service_unref(m->api);
	bytes_unref(m->resources);
	free(m->openapi);
	free(m);
}

static void
forget(struct aggregation *a, const char *name)
{
	bool found;
	size_t i = place(a, name, &found);

	if (!found)
		return;
	a->remote -= !a->member[i]->api->local;
	member_free(a->member[i]);
	memmove(a->member + i, a->member + i + 1, (--a->n - i) * sizeof *a->member);
}

/* Somebody should look at it now. */
static void
hurry(struct aggregation *a, struct member *m)
{
	m->due = 0;
	m->failures = 0;
	m->again = m->busy;
	checkers_start(a);
	pthread_cond_signal(&a->due);
}

/* Takes api. */
static void
note(struct aggregation *a, struct api_service *api)
{
	bool found, same = false, flipped = false;
	size_t i = place(a, api->name, &found);
	struct member *m;

	if (!found) {
		GROW(a->member, a->n, a->cap);
		memmove(a->member + i + 1, a->member + i, (a->n++ - i) * sizeof *a->member);
		a->member[i] = xcalloc(1, sizeof **a->member);
	}
	m = a->member[i];
	if (m->api) {
		a->remote -= !m->api->local;
		same = same_way(m->api, api);
		flipped = m->api->available != api->available;
	}
	if (!same) { /* what another server said is not this one's */
		bytes_unref(m->resources);
		free(m->openapi);
		*m = (struct member){ .api = m->api, .busy = m->busy };
	}
	api_service_unref(m->api);
	m->api = api;
	a->remote += !api->local;
	if (!api->local && (!same || flipped) && !(same && m->busy))
		hurry(a, m);
}

/* --- following --- */

/* Something behind this Service is not as it was. */
static void
touch(struct aggregation *a, const char *namespace, const char *service)
{
	for (size_t i = 0; i < a->n; i++) {
		struct member *m = a->member[i];

		if (!m->api->local && strcmp(m->api->namespace, namespace) == 0 &&
		    strcmp(m->api->service, service) == 0)
			hurry(a, m);
	}
}

static void
touch_slice(struct aggregation *a, const struct write *w)
{
	bool near = false;

	for (size_t i = 0; i < a->n && !near; i++)
		near = strcmp(a->member[i]->api->namespace, object_namespace(w->object)) == 0;
	if (near) { /* reading it is worth it */
		json_auto_t *slice = object_json(w->object, w->table->kind);
		const char *of = meta_label(slice, "kubernetes.io/service-name");

		touch(a, object_namespace(w->object), of ? of : "");
	}
}

static void
wake_keeper(struct aggregation *a)
{
	a->changed = true;
	pthread_cond_signal(&a->wake);
}

void
aggregation_after(struct aggregation *a, const struct write *w)
{
	struct api_service *api = NULL;

	if (!a || (w->table != a->table && !a->remote))
		return;
	if (w->table == a->table && !w->deletes) {
		json_auto_t *obj = object_json(w->object, a->kind);

		api = api_service_new(obj);
	}
	pthread_mutex_lock(&a->lock);
	if (api)
		note(a, api);
	else if (w->table == a->table)
		forget(a, object_name(w->object));
	else if (w->table == a->services || w->table == a->endpoints)
		touch(a, object_namespace(w->object), object_name(w->object));
	else if (w->table == a->slices)
		touch_slice(a, w);
	if (w->table == a->table)
		wake_keeper(a);
	pthread_mutex_unlock(&a->lock);
}

void
aggregation_kinds_changed(struct aggregation *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	wake_keeper(a);
	pthread_mutex_unlock(&a->lock);
}

/* --- looking --- */

void
aggregation_each(struct aggregation *a,
    void (*each)(void *arg, struct api_service *api, const struct api_seen *seen), void *arg)
{
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->n; i++) {
		struct member *m = a->member[i];
		struct api_seen seen = { m->resources, m->current && m->api->available,
			m->openapi };

		each(arg, m->api, &seen);
	}
	pthread_mutex_unlock(&a->lock);
}

struct api_service *
aggregation_find(struct aggregation *a, const char *group, const char *version, bool remote_only)
{
	struct api_service *found = NULL;

	if (!a || (remote_only && !a->remote))
		return NULL;
	pthread_mutex_lock(&a->lock);
	if (group && version) {
		autofree char *name = xasprintf("%s.%s", version, group);
		struct member *m = member_find(a, name);

		if (m && (!remote_only || api_service_passes(m->api)))
			found = api_service_ref(m->api);
	}
	for (size_t i = 0; i < a->n && !found && !(group && version); i++) {
		struct api_service *api = a->member[i]->api;

		if ((!remote_only || api_service_passes(api)) &&
		    (!group || strcmp(api->group, group) == 0))
			found = api_service_ref(api);
	}
	pthread_mutex_unlock(&a->lock);
	return found;
}

/* --- writing --- */

void
aggregation_draft(
    struct aggregation *a, const json_t *old, json_t *obj, const char *part, struct draft *draft)
{
	char now[40];
	struct apply track = { .kind = a->kind,
		.subresource = part,
		.manager = "kube-apiserver",
		.now = call_now(now) };

	apply_track(&track, old, obj);
	draft_encode(draft, a->kind, obj);
}

/* 1: it has changed meanwhile. */
static int
say(struct aggregation *a, const struct api_service *api, const char *status, const char *reason,
    const char *message)
{
	struct object *was = cache_get(a->server->cache, a->table, "", api->name);
	json_auto_t *old = was ? object_json(was, a->kind) : NULL;
	json_auto_t *obj = json_deep_copy(old);
	struct write w = { .table = a->table, .draft = DRAFT_INIT };
	char now[40];
	struct err err;
	int r = 0;

	if (obj && strcmp(meta_uid(obj), api->uid) == 0 && !meta_deleting(obj) &&
	    condition_set(obj, "Available", status, reason, message, call_now(now))) {
		w.expect = was->revision;
		aggregation_draft(a, old, obj, "status", &w.draft);
		r = commit_wait(a->server->commit, &w, &err);
		if (r < 0 && w.result != -ERR_CONFLICT)
			log_line("cannot write '%s': %s", api->name, err.msg);
		r = w.result == -ERR_CONFLICT;
	}
	write_release(&w);
	object_unref(was);
	return r;
}

void
aggregation_say(struct aggregation *a, const struct api_service *api, const char *status,
    const char *reason, const char *message)
{
	for (int tries = 0; tries < 5 && !a->stop; tries++)
		if (say(a, api, status, reason, message) <= 0)
			return;
}

/* --- start and end --- */

static bool
take(void *arg, struct object *o)
{
	struct aggregation *a = arg;
	json_auto_t *obj = object_json(o, a->kind);

	note(a, api_service_new(obj));
	return true;
}

int
aggregation_start(struct server *s, struct err *err)
{
	struct aggregation *a = xcalloc(1, sizeof *a);
	struct walk w;
	uint64_t revision;
	int r;

	a->server = s;
	a->kind = kind_find("apiregistration.k8s.io", "v1", "APIService");
	a->table = cache_table(s->cache, a->kind);
	a->services = cache_table(s->cache, kind_find("", "v1", "Service"));
	a->endpoints = cache_table(s->cache, kind_find("", "v1", "Endpoints"));
	a->slices = cache_table(s->cache, kind_find("discovery.k8s.io", "v1", "EndpointSlice"));
	pthread_mutex_init(&a->lock, NULL);
	clock_cond_init(&a->due);
	clock_cond_init(&a->wake);
	w = (struct walk){ .table = a->table };
	s->aggregation = a; /* nobody else is there yet */
	pthread_mutex_lock(&a->lock);
	r = cache_walk(s->cache, &w, take, a, &revision, err);
	a->changed = true;
	pthread_mutex_unlock(&a->lock);
	if (r == 0 && (r = pthread_create(&a->keeper, NULL, keeper_main, a)) != 0)
		r = err_sys(err, r, "cannot start the thread of APIServices");
	a->keeping = r == 0;
	return r;
}

void
aggregation_stop(struct aggregation *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->due);
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	if (a->keeping)
		pthread_join(a->keeper, NULL);
	for (size_t i = 0; i < a->checkers; i++)
		pthread_join(a->checker[i], NULL);
}

void
aggregation_free(struct aggregation *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n; i++)
		member_free(a->member[i]);
	free(a->member);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->due);
	pthread_cond_destroy(&a->wake);
	free(a);
}
