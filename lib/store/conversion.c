/* Conversion webhooks: where each is, and the threads that wait for them. */
#include <string.h>

#include "api/convert.h"
#include "api/custom.h"
#include "api/meta.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/conversion_private.h"
#include "store/service_way.h"

enum {
	MOST_THREADS = 16, /* of one definition */
	IDLE_SECONDS = 5,
	STACK = 8 << 20,
	HTTPS = 443,
};

/* --- all of them -------------------------------------------------------------------------- */

struct conversions *
conversions_new(void)
{
	struct conversions *all = xcalloc(1, sizeof *all);

	all->refs = 1;
	pthread_mutex_init(&all->lock, NULL);
	pthread_mutex_init(&all->cache_lock, NULL);
	clock_cond_init(&all->gone);
	return all;
}

void
conversions_stop(struct conversions *all)
{
	pthread_mutex_lock(&all->lock);
	all->stop = true;
	while (all->threads > 0)
		pthread_cond_wait(&all->gone, &all->lock);
	pthread_mutex_unlock(&all->lock);
}

void
conversions_unref(struct conversions *all)
{
	if (--all->refs > 0)
		return;
	shown_release(all);
	pthread_mutex_destroy(&all->lock);
	pthread_mutex_destroy(&all->cache_lock);
	pthread_cond_destroy(&all->gone);
	free(all);
}

static bool
thread_enter(struct conversions *all)
{
	bool enters;

	pthread_mutex_lock(&all->lock);
	if ((enters = !all->stop))
		all->threads++;
	pthread_mutex_unlock(&all->lock);
	return enters;
}

static void
thread_leave(struct conversions *all)
{
	pthread_mutex_lock(&all->lock);
	if (--all->threads == 0)
		pthread_cond_broadcast(&all->gone);
	pthread_mutex_unlock(&all->lock);
}

bool
conversion_stopping(const struct conversion *v)
{
	return v->all->stop;
}

struct job {
	struct conversions *all;
	void (*fn)(void *arg);
	void *arg;
};

static void *
job_run(void *arg)
{
	struct job *j = arg;

	j->fn(j->arg);
	thread_leave(j->all);
	conversions_unref(j->all);
	free(j);
	return NULL;
}

bool
conversion_thread(struct conversion *v, void (*fn)(void *arg), void *arg)
{
	struct job *j = xcalloc(1, sizeof *j);
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	*j = (struct job){ v->all, fn, arg };
	if (!thread_enter(v->all)) {
		free(j);
		return false;
	}
	v->all->refs++;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	r = pthread_create(&thread, &attr, job_run, j);
	pthread_attr_destroy(&attr);
	if (r == 0)
		return true;
	thread_leave(v->all);
	conversions_unref(v->all);
	free(j);
	return false;
}

/* --- one ------------------------------------------------------------------------------------ */

static char *
decoded(const char *base64)
{
	size_t len;
	autofree unsigned char *data = *base64 ? bytes_decode(base64, &len) : NULL;

	return data && len ? xstrndup((char *)data, len) : NULL;
}

/* The first that it names and we speak. */
static const char *
review_version(const json_t *webhook)
{
	static const char *const known[] = { "v1", "v1beta1" };
	size_t i;
	json_t *one;

	json_array_foreach (json_object_get(webhook, "conversionReviewVersions"), i, one)
		for (size_t k = 0; k < COUNT(known); k++)
			if (strcmp(str(one, ""), known[k]) == 0)
				return known[k];
	return NULL;
}

struct conversion *
conversion_new(struct server *s, const json_t *crd)
{
	const json_t *webhook = get(crd, "spec", "conversion", "webhook"),
		     *client = json_object_get(webhook, "clientConfig"),
		     *service = json_object_get(client, "service");
	struct conversion *v;

	if (strcmp(text(crd, "spec", "conversion", "strategy"), "Webhook") != 0 || !s->conversions)
		return NULL;
	v = xcalloc(1, sizeof *v);
	*v = (struct conversion){ .refs = 1, .all = s->conversions, .server = s };
	v->all->refs++;
	v->name = xstrdup(meta_name(crd));
	if (service) {
		v->namespace = xstrdup(text(service, "namespace"));
		v->service = xstrdup(text(service, "name"));
		v->path = xstrdup(text(service, "path"));
		v->port = (int)num(json_object_get(service, "port"), HTTPS);
	} else {
		v->url = xstrdup(text(client, "url"));
	}
	v->ca = decoded(text(client, "caBundle"));
	v->review = review_version(webhook);
	v->last = &v->first;
	pthread_mutex_init(&v->lock, NULL);
	clock_cond_init(&v->more);
	return v;
}

struct conversion *
conversion_ref(struct conversion *v)
{
	v->refs++;
	return v;
}

void
conversion_unref(struct conversion *v)
{
	if (!v || --v->refs > 0)
		return;
	conversions_unref(v->all);
	free(v->name);
	free(v->url);
	free(v->namespace);
	free(v->service);
	free(v->path);
	free(v->ca);
	pthread_mutex_destroy(&v->lock);
	pthread_cond_destroy(&v->more);
	free(v);
}

void
conversion_retire(struct conversion *v)
{
	if (!v)
		return;
	shown_drop(v);
	conversion_unref(v);
}

/* A path as Go joins it: no '/' at its end. */
static char *
url_of(const char *start, const char *path)
{
	size_t n = strlen(path);

	while (n > 0 && path[n - 1] == '/')
		n--;
	return xasprintf(
	    "%s%s%.*s?timeout=30s", start, n == 0 || *path != '/' ? "/" : "", (int)n, path);
}

int
conversion_way(const struct conversion *v, char **url, char **address, struct err *err)
{
	autofree char *host = NULL, *start = NULL;
	int r;

	*address = NULL;
	if (v->url) {
		const char *rest = strstr(v->url, "://");
		size_t n =
		    rest ? (size_t)(rest - v->url) + 3 + strcspn(rest + 3, "/?#") : strlen(v->url);

		start = xstrndup(v->url, n);
		*url = url_of(start, v->url + n);
		return 0;
	}
	start = xasprintf("https://%s.%s.svc:%d", v->service, v->namespace, v->port);
	r = service_way(v->server, v->namespace, v->service, v->port, &host, address, err);
	*url = url_of(start, v->path);
	return r < 0 ? err_wrap(err, "Post \"%s\"", *url) : 0;
}

/* --- threads that may wait ------------------------------------------------------------------ */

/* The next call; waits a while for one.  NULL: the thread is not needed any more. */
static struct task *
next_task(struct conversion *v)
{
	struct timespec until;
	struct task *t;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_SECONDS;
	pthread_mutex_lock(&v->lock);
	v->idle++;
	while (!v->first && !v->all->stop)
		if (pthread_cond_timedwait(&v->more, &v->lock, &until) != 0)
			break;
	v->idle--;
	if ((t = v->first)) {
		v->first = t->next;
		if (!v->first)
			v->last = &v->first;
		v->queued--;
	} else {
		v->threads--;
	}
	pthread_mutex_unlock(&v->lock);
	return t;
}

static void
work(void *arg)
{
	struct conversion *v = arg;
	struct task *t;

	while ((t = next_task(v))) {
		struct call *c = t->call;

		free(t);
		c->run(c);
	}
	conversion_unref(v);
}

/* Whoever asked while the server stops is told so here. */
static void
too_late(struct call *c)
{
	struct err err;

	err_set(&err, ERR_UNAVAILABLE, "the server is stopping");
	reply_error(c, &err);
}

void
conversion_defer(struct call *c, void (*run)(struct call *c))
{
	struct conversion *v = c->kind->custom->conversion;
	struct task *t = xcalloc(1, sizeof *t);
	bool grow, queued = true;

	c->run = run;
	c->waits = true;
	t->call = c;
	pthread_mutex_lock(&v->lock);
	grow = v->idle <= v->queued && v->threads < MOST_THREADS;
	if (grow && conversion_thread(conversion_ref(v), work, v)) {
		v->threads++;
	} else if (grow) {
		v->refs--; /* the caller's is left */
		queued = v->threads > 0;
	}
	if (queued) {
		*v->last = t;
		v->last = &t->next;
		v->queued++;
		pthread_cond_signal(&v->more);
	}
	pthread_mutex_unlock(&v->lock);
	if (!queued) {
		free(t);
		too_late(c);
	}
}

/* --- who needs them -------------------------------------------------------------------------- */

bool
conversion_of(const struct kind *k)
{
	return k->custom && k->custom->conversion;
}

bool
conversion_asks(const struct object *o, const struct kind *k)
{
	const char *version;

	if (!conversion_of(k) || o->shown)
		return false;
	version = object_version(o);
	return strcmp(*version ? version : k->custom->stored->version, k->version) != 0;
}

/* Somebody owns fields in another version: "apiVersion":"stable.example.com/v2" stands there. */
static bool
has_other_owners(const struct object *o, const struct kind *k)
{
	autofree char *key = xasprintf("\"apiVersion\":\"%s/", k->group);
	size_t n = strlen(key), own = strlen(k->version);

	for (const char *p = o->body->data; (p = strstr(p, key)); p += n)
		if (strncmp(p + n, k->version, own) != 0 || p[n + own] != '"')
			return true;
	return false;
}

bool
conversion_near(struct call *c)
{
	const struct kind *k = c->kind;
	struct object *o;
	bool near;

	if (!k || !conversion_of(k) || k->custom->nall < 2)
		return false;
	if (k != k->custom->stored || !*c->target.name)
		return k != k->custom->stored;
	if (!(o = cache_get(c->server->cache, c->table, c->target.namespace, c->target.name)))
		return false;
	near = conversion_asks(o, k) || has_other_owners(o, k);
	object_unref(o);
	return near;
}

int
conversion_refuse(struct call *c, const struct err *err)
{
	reply_status(c, 500, NULL, err->msg, NULL);
	return -1;
}
