/* Figures of the store, in Prometheus' text format. */
#include <string.h>

#include "api/convert.h"
#include "api/registry.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/aggregation.h"
#include "store/call.h"
#include "store/service.h"

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
print_table(struct server *s, struct buf *out, struct table *t, bool by_group)
{
	const struct kind *k = t->kind;
	unsigned long long n = cache_count(s->cache, t);
	char resource[128];

	if (!*k->plural || !(k->verbs & VERB_WATCH)) /* its definition is gone; nothing is kept */
		return;
	if (by_group)
		buf_printf(out, "apiserver_resource_objects{group=\"%s\",resource=\"%s\"} %llu\n",
		    k->group, k->plural, n);
	else
		buf_printf(out, "apiserver_storage_objects{resource=\"%s\"} %llu\n",
		    kind_resource(k, resource), n);
}

static void
print_tables(struct server *s, struct buf *out, bool by_group)
{
	size_t n;
	struct table *t = cache_tables(s->cache, &n);

	for (size_t i = 0; i < n; i++)
		if (kind_stored(t[i].kind) == t[i].kind) /* else a view of what is kept elsewhere */
			print_table(s, out, &t[i], by_group);
	for (t = cache_custom_tables(s->cache); t; t = t->next)
		print_table(s, out, t, by_group);
}

/* The older of the two is the one that Kubernetes promises. */
static void
print_objects(struct server *s, struct buf *out)
{
	unsigned epoch = registry_enter();

	head(out, "apiserver_storage_objects", "gauge", "Stored objects, by resource.");
	print_tables(s, out, false);
	head(out, "apiserver_resource_objects", "gauge", "Stored objects, by group and resource.");
	print_tables(s, out, true);
	registry_leave(epoch);
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

static void
print_api_service(void *arg, struct api_service *api, const struct api_seen *seen)
{
	(void)seen;
	buf_printf(
	    arg, "aggregator_unavailable_apiservice{name=\"%s\"} %d\n", api->name, !api->available);
}

static void
print_api_services(struct server *s, struct buf *out)
{
	if (!s->aggregation)
		return;
	head(out, "aggregator_unavailable_apiservice", "gauge",
	    "APIServices whose server does not answer: 1.");
	aggregation_each(s->aggregation, print_api_service, out);
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
	metrics_print_requests(s->metrics, out);
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
	print_api_services(s, out);
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
