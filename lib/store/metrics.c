/* Figures of the store, in Prometheus' text format. */
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/call.h"
#include "store/service.h"

static const char *const verbs[] = { "get", "list", "watch", "create", "update", "patch", "delete",
	"deletecollection" };
static const double bounds[] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5 };

struct series {
	_Atomic uint64_t status[500];		    /* from 100 on */
	_Atomic uint64_t bucket[COUNT(bounds) + 1]; /* the last: all that is longer */
	_Atomic uint64_t microseconds;
};

struct metrics {
	struct series verb[COUNT(verbs)];
};

struct metrics *
metrics_new(void)
{
	return xcalloc(1, sizeof(struct metrics));
}

void
metrics_free(struct metrics *m)
{
	free(m);
}

void
metrics_count(struct metrics *m, const char *verb, int status, double seconds)
{
	size_t v = 0, b = 0;
	struct series *s;

	while (v < COUNT(verbs) - 1 && strcmp(verbs[v], verb) != 0)
		v++;
	while (b < COUNT(bounds) && seconds > bounds[b])
		b++;
	s = &m->verb[v];
	atomic_fetch_add_explicit(&s->status[status >= 100 && status < 600 ? status - 100 : 499], 1,
	    memory_order_relaxed);
	atomic_fetch_add_explicit(&s->bucket[b], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(
	    &s->microseconds, (uint64_t)(seconds * 1e6), memory_order_relaxed);
}

static void
head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
one(struct buf *out, const char *name, const char *type, const char *help, double value)
{
	head(out, name, type, help);
	buf_printf(out, "%s %.17g\n", name, value);
}

static void
print_requests(struct metrics *m, struct buf *out)
{
	head(out, "apiserver_request_total", "counter", "Requests answered, by verb and status.");
	for (size_t v = 0; v < COUNT(verbs); v++)
		for (size_t s = 0; s < COUNT(m->verb[v].status); s++)
			if (m->verb[v].status[s])
				buf_printf(out,
				    "apiserver_request_total{verb=\"%s\",code=\"%zu\"} %llu\n",
				    verbs[v], s + 100, (unsigned long long)m->verb[v].status[s]);
	head(out, "apiserver_request_duration_seconds", "histogram",
	    "Time from a complete request to its answer, by verb.");
	for (size_t v = 0; v < COUNT(verbs); v++) {
		struct series *s = &m->verb[v];
		unsigned long long sum = 0;

		for (size_t b = 0; b <= COUNT(bounds); b++) {
			char le[16] = "+Inf";

			if (b < COUNT(bounds))
				snprintf(le, sizeof le, "%g", bounds[b]);
			sum += s->bucket[b];
			buf_printf(out,
			    "apiserver_request_duration_seconds_bucket{verb=\"%s\",le=\"%s\"} "
			    "%llu\n",
			    verbs[v], le, sum);
		}
		buf_printf(out, "apiserver_request_duration_seconds_sum{verb=\"%s\"} %.6f\n",
		    verbs[v], (double)s->microseconds / 1e6);
		buf_printf(out, "apiserver_request_duration_seconds_count{verb=\"%s\"} %llu\n",
		    verbs[v], sum);
	}
}

static void
print_objects(struct server *s, struct buf *out)
{
	size_t n;
	struct table *t = cache_tables(s->cache, &n);

	head(out, "apiserver_resource_objects", "gauge", "Stored objects, by resource.");
	for (size_t i = 0; i < n; i++) {
		char resource[128];
		size_t count = cache_count(s->cache, &t[i]);

		if (count)
			buf_printf(out,
			    "apiserver_resource_objects{resource=\"%s\",version=\"%s\"} %zu\n",
			    kind_resource(t[i].kind, resource), t[i].kind->version, count);
	}
}

static void
print_services(struct server *s, struct buf *out)
{
	size_t addresses, ports;

	if (!s->services)
		return;
	services_count(s->services, &addresses, &ports);
	one(out, "orch_store_service_addresses", "gauge", "Cluster addresses that are given out.",
	    (double)addresses);
	one(out, "orch_store_service_ports", "gauge", "Node ports that are given out.",
	    (double)ports);
}

void
metrics_print(struct server *s, struct buf *out)
{
	struct commit_stats c;
	struct watch_stats w;
	struct http_stats h;

	commit_stats(s->commit, &c);
	watches_stats(s->watches, &w);
	http_stats(s->http, &h);
	print_requests(s->metrics, out);
	print_objects(s, out);
	one(out, "orch_store_revision", "gauge", "The newest resourceVersion.",
	    (double)cache_revision(s->cache));
	one(out, "orch_store_compacted_revision", "gauge", "History before this one is gone.",
	    (double)cache_compacted(s->cache));
	one(out, "orch_store_commits_total", "counter", "Commits of the engine.",
	    (double)c.commits);
	one(out, "orch_store_writes_total", "counter", "Writes kept.", (double)c.writes);
	one(out, "orch_store_conflicts_total", "counter", "Writes that lost a race.",
	    (double)c.conflicts);
	one(out, "orch_store_failures_total", "counter", "Writes the engine could not keep.",
	    (double)c.failures);
	one(out, "orch_store_watchers", "gauge", "Open watches.", (double)w.watchers);
	one(out, "orch_store_watch_events_total", "counter", "Watch events sent.",
	    (double)w.events);
	one(out, "orch_store_slow_watchers_total", "counter",
	    "Watches ended because they were not read.", (double)w.slow);
	one(out, "orch_store_connections", "gauge", "Open connections.",
	    (double)h.open_connections);
	one(out, "orch_store_http_requests_total", "counter", "HTTP requests.", (double)h.requests);
	one(out, "orch_store_http_refused_total", "counter", "Malformed HTTP requests refused.",
	    (double)h.refused);
	one(out, "orch_store_received_bytes_total", "counter", "Bytes read from clients.",
	    (double)h.bytes_in);
	one(out, "orch_store_sent_bytes_total", "counter", "Bytes written to clients.",
	    (double)h.bytes_out);
	print_services(s, out);
	one(out, "process_uptime_seconds", "gauge", "Since the start.",
	    clock_monotonic() - s->started);
}

void
metrics_handle(struct call *c)
{
	autobuf struct buf out = BUF_INIT;

	metrics_print(c->server, &out);
	reply_text(c, 200, "text/plain; version=0.0.4; charset=utf-8", out.data);
}
