/* How many requests there were, of what, and how long they took. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/call.h"

/* Kinds come and go, what is counted stays: behind so many series the rest goes into one. */
enum { SLOTS = 1024, MOST_SERIES = 10000, CODES = 8 };
static const double bounds[] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5 };

/* Requests that have all labels in common but the status. */
struct series {
	char *labels;			    /* component="apiserver",... */
	uint64_t bucket[COUNT(bounds) + 1]; /* the last: all that is longer */
	double seconds;
	struct code {
		int status;
		uint64_t n;
	} code[CODES]; /* the last one takes what has no place */
	struct series *next;
};

struct metrics {
	pthread_mutex_t lock;
	struct series *slot[SLOTS];
	size_t n;
};

struct metrics *
metrics_new(void)
{
	struct metrics *m = xcalloc(1, sizeof *m);

	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void
metrics_free(struct metrics *m)
{
	for (size_t i = 0; m && i < SLOTS; i++)
		for (struct series *s = m->slot[i], *next; s; s = next) {
			next = s->next;
			free(s->labels);
			free(s);
		}
	if (m)
		pthread_mutex_destroy(&m->lock);
	free(m);
}

/* --- labels --- */

static const char *
shown_verb(const struct call *c)
{
	static const char *const verbs[][2] = { { "get", "GET" }, { "list", "LIST" },
		{ "watch", "WATCH" }, { "create", "POST" }, { "update", "PUT" },
		{ "patch", "PATCH" }, { "delete", "DELETE" },
		{ "deletecollection", "DELETECOLLECTION" } };
	static const char *const connecting[] = { "attach", "exec", "portforward", "proxy", NULL };

	if (c->kind && text_in(c->target.sub, connecting))
		return "CONNECT";
	if (c->applying)
		return "APPLY";
	for (size_t i = 0; c->verb && i < COUNT(verbs); i++)
		if (strcmp(c->verb, verbs[i][0]) == 0)
			return verbs[i][1];
	return "GET";
}

static const char *
shown_scope(const struct call *c)
{
	if (!c->kind)
		return "";
	if (*c->target.name || (c->verb && strcmp(c->verb, "create") == 0))
		return "resource";
	return *c->target.namespace ? "namespace" : "cluster";
}

/* Only what is known becomes a label: clients do not make new ones. */
static void
print_labels(const struct call *c, struct buf *out)
{
	const struct kind *k = c->kind;
	const char *sub =
	    k && *c->target.sub && kind_subresource(k, c->target.sub) ? c->target.sub : "";

	buf_printf(out,
	    "component=\"apiserver\",dry_run=\"%s\",group=\"%s\",resource=\"%s\",scope=\"%s\","
	    "subresource=\"%s\",verb=\"%s\",version=\"%s\"",
	    c->dry_run ? "All" : "", k ? k->group : "", k ? k->plural : "", shown_scope(c), sub,
	    shown_verb(c), k ? k->version : "");
}

/* --- counting --- */

static struct series *
find(struct metrics *m, const char *labels)
{
	uint32_t hash = 2166136261u;
	struct series **link;

	for (const char *p = labels; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	for (link = &m->slot[hash % SLOTS]; *link; link = &(*link)->next)
		if (strcmp((*link)->labels, labels) == 0)
			return *link;
	if (m->n >= MOST_SERIES && *labels)
		return find(m, "");
	*link = xcalloc(1, sizeof **link);
	(*link)->labels = xstrdup(labels);
	m->n++;
	return *link;
}

static void
count(struct series *s, int status, double seconds)
{
	size_t b = 0, i = 0;

	while (b < COUNT(bounds) && seconds > bounds[b])
		b++;
	s->bucket[b]++;
	s->seconds += seconds;
	while (i < CODES - 1 && s->code[i].n && s->code[i].status != status)
		i++;
	s->code[i].status = status;
	s->code[i].n++;
}

void
metrics_count(struct call *c, int status)
{
	struct metrics *m = c->server->metrics;
	double seconds = clock_monotonic() - c->began;
	autobuf struct buf labels = BUF_INIT;

	print_labels(c, &labels);
	pthread_mutex_lock(&m->lock);
	count(find(m, labels.data), status, seconds);
	pthread_mutex_unlock(&m->lock);
}

/* --- the page --- */

static void
print_total(struct buf *out, const struct series *s)
{
	const char *comma = *s->labels ? "," : "";

	for (size_t i = 0; i < CODES && s->code[i].n; i++)
		buf_printf(out, "apiserver_request_total{code=\"%d\"%s%s} %llu\n",
		    s->code[i].status, comma, s->labels, (unsigned long long)s->code[i].n);
}

static void
print_duration(struct buf *out, const struct series *s)
{
	const char *comma = *s->labels ? "," : "";
	unsigned long long sum = 0;

	for (size_t b = 0; b <= COUNT(bounds); b++) {
		char le[16] = "+Inf";

		if (b < COUNT(bounds))
			snprintf(le, sizeof le, "%g", bounds[b]);
		sum += s->bucket[b];
		buf_printf(out, "apiserver_request_duration_seconds_bucket{%s%sle=\"%s\"} %llu\n",
		    s->labels, comma, le, sum);
	}
	buf_printf(out, "apiserver_request_duration_seconds_sum{%s} %.6f\n", s->labels, s->seconds);
	buf_printf(out, "apiserver_request_duration_seconds_count{%s} %llu\n", s->labels, sum);
}

static void
print_each(
    struct metrics *m, struct buf *out, void (*print)(struct buf *out, const struct series *s))
{
	for (size_t i = 0; i < SLOTS; i++)
		for (const struct series *s = m->slot[i]; s; s = s->next)
			print(out, s);
}

void
metrics_print_requests(struct metrics *m, struct buf *out)
{
	pthread_mutex_lock(&m->lock);
	buf_puts(out, "# HELP apiserver_request_total Requests answered.\n"
		      "# TYPE apiserver_request_total counter\n");
	print_each(m, out, print_total);
	buf_puts(out,
	    "# HELP apiserver_request_duration_seconds Time from a complete request to its "
	    "answer.\n"
	    "# TYPE apiserver_request_duration_seconds histogram\n");
	print_each(m, out, print_duration);
	pthread_mutex_unlock(&m->lock);
}
