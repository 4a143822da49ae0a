/*
 * Do those who answer for others' groups answer?  The condition Available, in Kubernetes' reasons
 * and words (its remote availability controller).
 *
 * A few threads, each with one server at a time: one that hangs holds up nobody else's for longer
 * than CHECK_MS, and four of them nobody's for much longer.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/aggregation_private.h"
#include "store/service_way.h"

enum { CHECK_MS = 5000, CHECK_AGAIN = 30, FETCH_AGAIN = 60, ATTEMPTS = 3, MOST = 1 << 20 };

struct verdict {
	const char *status, *reason;
	char *message;
};

static bool
verdict(struct verdict *v, const char *status, const char *reason, char *message)
{
	free(v->message);
	*v = (struct verdict){ status, reason, message };
	return strcmp(status, "True") == 0;
}

/* A Service with a cluster address must have who answers behind its port. */
static bool
check_service(struct aggregation *a, const struct api_service *api, struct verdict *v)
{
	json_auto_t *service = service_object(a->server, "Service", api->namespace, api->service);
	const json_t *entry = service_entry(service, api->port);
	json_auto_t *list = NULL;
	bool known;

	if (!service)
		return verdict(v, "False", "ServiceNotFound",
		    xasprintf("service/%s in \"%s\" is not present", api->service, api->namespace));
	if (strcmp(text(service, "spec", "type"), "ClusterIP") != 0)
		return true;
	if (!entry)
		return verdict(v, "False", "ServicePortError",
		    xasprintf("service/%s in \"%s\" is not listening on port %d", api->service,
			api->namespace, api->port));
	list =
	    service_endpoints(a->server, api->namespace, api->service, text(entry, "name"), &known);
	if (!known)
		return verdict(v, "False", "EndpointsNotFound",
		    xasprintf("cannot find endpointslices for service/%s in \"%s\"", api->service,
			api->namespace));
	if (json_array_size(list) == 0)
		return verdict(v, "False", "MissingEndpoints",
		    xasprintf("endpointslices for service/%s in \"%s\" have no addresses with port "
			      "name \"%s\"",
			api->service, api->namespace, text(entry, "name")));
	return true;
}

/* The document of its group and version is what any such server has.  Its certificate does not
 * matter here: what is asked for is no secret, and whoever asks is shown the truth anyway. */
static bool
check_answer(struct aggregation *a, const struct api_service *api, struct verdict *v)
{
	autofree char *path = *api->group ? xasprintf("/apis/%s/%s", api->group, api->version)
					  : xasprintf("/api/%s", api->version);
	double until = clock_monotonic() + CHECK_MS / 1000.;

	for (int i = 0; i < ATTEMPTS; i++) {
		autobuf struct buf reply = BUF_INIT;
		autofree char *url = NULL;
		struct asking q = { path, "application/json", true,
			(int)((until - clock_monotonic()) * 1000), &url };
		struct err err;
		int status;

		if (i > 0 && (q.timeout_ms < 100 || a->stop))
			break;
		if (aggregation_ask(a, api, &q, &status, &reply, &err) < 0)
			verdict(v, "False", "FailedDiscoveryCheck",
			    url ? xasprintf("failing or missing response from %s: %s", url, err.msg)
				: xstrdup(err.msg));
		else if (status < 200 || status >= 300)
			verdict(v, "False", "FailedDiscoveryCheck",
			    xasprintf("failing or missing response from %s: bad status from %s: %d",
				url, url, status));
		else
			return verdict(v, "True", "Passed", xstrdup("all checks passed"));
	}
	return false;
}

/* --- what it serves --- */

static void
fetch(struct aggregation *a, const struct api_service *api)
{
	json_auto_t *list = NULL;
	autofree char *text = NULL, *openapi = NULL;
	struct bytes *resources = NULL;
	struct member *m;
	struct err err;
	int r = aggregation_fetch(a, api, &list, &openapi, &err);

	if (r == 0 && (text = json_dumps(list, JSON_COMPACT)) && strlen(text) > MOST)
		r = err_set(&err, ERR_TOO_LARGE, "more than %d bytes", MOST);
	if (r == 0 && text)
		resources = bytes_new(text, strlen(text));
	pthread_mutex_lock(&a->lock);
	m = member_find(a, api->name);
	if (m && strcmp(m->api->uid, api->uid) == 0 && !m->again) {
		if (r < 0 && (m->current || m->fetched == 0))
			log_line("cannot read what '%s' serves: %s", api->name, err.msg);
		m->current = r == 0;
		m->fetched = clock_monotonic();
		if (r == 0) {
			bytes_unref(m->resources);
			free(m->openapi);
			m->resources = steal(resources);
			m->openapi = steal(openapi);
		}
	}
	pthread_mutex_unlock(&a->lock);
	bytes_unref(resources);
}

/* --- the threads --- */

/* Is it led elsewhere, or gone, since somebody began to look? */
static bool
outdated(struct aggregation *a, const struct api_service *api)
{
	struct member *m;
	bool yes;

	pthread_mutex_lock(&a->lock);
	m = member_find(a, api->name);
	yes = !m || m->again || a->stop;
	pthread_mutex_unlock(&a->lock);
	return yes;
}

/* Look at it.  Returns whether it answers. */
static bool
look(struct aggregation *a, const struct api_service *api, bool stale)
{
	struct verdict v = { 0 };
	bool well = check_service(a, api, &v) && check_answer(a, api, &v);

	if (well && stale && api_service_passes(api)) /* before others are told that it is there */
		fetch(a, api);
	if (!outdated(a, api))
		aggregation_say(a, api, v.status, v.reason, v.message);
	free(v.message);
	return well;
}

/* When to look again at one that fails: soon first, then less and less often. */
static double
pause_of(unsigned failures)
{
	double s = 0.1;

	while (failures-- > 1 && s < CHECK_AGAIN)
		s *= 2;
	return s < CHECK_AGAIN ? s : CHECK_AGAIN;
}

/* With the lock: one that is due, or NULL and when one will be. */
static struct member *
next_due(struct aggregation *a, double *when)
{
	double now = clock_monotonic();

	*when = now + 3600;
	for (size_t i = 0; i < a->n; i++) {
		struct member *m = a->member[i];

		if (m->api->local || m->busy)
			continue;
		if (m->due <= now)
			return m;
		if (m->due < *when)
			*when = m->due;
	}
	return NULL;
}

/* With the lock, which it gives back while it looks. */
static void
attend(struct aggregation *a, struct member *m)
{
	struct api_service *api = api_service_ref(m->api);
	double now = clock_monotonic();
	bool stale = !m->current || now - m->fetched >= FETCH_AGAIN, well;

	m->busy = true;
	m->again = false;
	pthread_mutex_unlock(&a->lock);
	well = look(a, api, stale);
	pthread_mutex_lock(&a->lock);
	if ((m = member_find(a, api->name)) && strcmp(m->api->uid, api->uid) == 0) {
		m->busy = false;
		m->current &= well; /* who comes back may serve something else */
		m->failures = well ? 0 : m->failures + 1;
		m->due =
		    m->again ? 0 : clock_monotonic() + (well ? CHECK_AGAIN : pause_of(m->failures));
	}
	api_service_unref(api);
}

static void *
checker_main(void *arg)
{
	struct aggregation *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		double when;
		struct member *m = next_due(a, &when);
		struct timespec until = { (time_t)when,
			(long)((when - (double)(time_t)when) * 1e9) };

		if (m)
			attend(a, m);
		else
			pthread_cond_timedwait(&a->due, &a->lock, &until);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

void
checkers_start(struct aggregation *a)
{
	while (a->checkers < CHECKERS && a->checkers < a->remote && !a->stop) {
		if (pthread_create(&a->checker[a->checkers], NULL, checker_main, a) != 0)
			return;
		a->checkers++;
	}
}
