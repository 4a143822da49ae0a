/* Nodes and pods: what the API server has of them, joined with what their nodes told. */
#include <malloc.h>
#include <string.h>
#include <strings.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "metrics/listing.h"
#include "metrics/object.h"
#include "metrics/server_private.h"

enum { LARGE = 1 << 20 };

/* --- the join --------------------------------------------------------------------------------- */

struct join {
	const struct snapshot *s;
	bool pods;
	int64_t now;
	void (*each)(void *arg, const json_t *obj);
	void *arg;
};

/* What is known of one Node or Pod, new; NULL: nothing. */
static json_t *
known(const struct join *j, const json_t *obj)
{
	const json_t *meta = json_object_get(obj, "metadata");
	const struct figures *f;
	struct snapshot_pod p;

	if (j->pods)
		return snapshot_pod(j->s, text(meta, "namespace"), text(meta, "name"), &p)
			   ? metrics_of_pod(p.entry, p.n, meta, j->now)
			   : NULL;
	f = snapshot_node(j->s, text(meta, "name"));
	return f ? metrics_of_node(f, meta, j->now) : NULL;
}

static int
join_one(void *arg, json_t *obj, struct err *err)
{
	const struct join *j = arg;
	json_auto_t *m = known(j, obj);

	(void)err;
	if (m)
		j->each(j->arg, m);
	return 0;
}

int
metrics_print(struct gather *g, struct client *c, const struct listing *l,
    void (*each)(void *arg, const json_t *obj), void *arg, struct err *err)
{
	static const char *const kinds[] = { "nodes", "pods" };
	struct snapshot s;
	int r = 0;

	snapshot_take(g, true, &s);
	for (size_t i = 0; i < COUNT(kinds) && r == 0; i++) {
		struct join j = { &s, i == 1, clock_now(), each, arg };
		struct listing one = *l;

		if (l->plural && strcmp(l->plural, kinds[i]) != 0)
			continue;
		one.plural = kinds[i];
		r = listing_each(c, &one, join_one, &j, err);
	}
	snapshot_release(&s);
	return r;
}

/* --- requests ----------------------------------------------------------------------------------
 */

static const char root[] = "/apis/" METRICS_GROUP "/" METRICS_VERSION "/";

/* The path in its parts, which stay in `path`; false when it is not one of ours. */
static bool
parse(char *path, struct listing *l)
{
	char *rest = path + strlen(root), *part[5] = { 0 };
	size_t n = 0, at = 0;

	while (rest && n < COUNT(part))
		part[n++] = strsep(&rest, "/");
	*l = (struct listing){ 0 };
	if (n >= 3 && strcmp(part[0], "namespaces") == 0) {
		l->ns = part[1];
		at = 2;
	}
	l->plural = part[at];
	l->name = n > at + 1 ? part[at + 1] : NULL;
	if (n > at + 2 || (l->ns && !client_name_fits(l->ns)) ||
	    (l->name && !client_name_fits(l->name)))
		return false;
	if (strcmp(l->plural, "nodes") == 0)
		return !l->ns;
	return strcmp(l->plural, "pods") == 0 && (l->ns || !l->name);
}

bool
metrics_path(const char *path)
{
	autofree char *copy = xstrdup(path);
	struct listing l;

	return text_starts(path, root) && parse(copy, &l);
}

/* Does the first kind of answer that is asked for and that there is be a Table? */
static bool
wants_table(const char *accept)
{
	autofree char *copy = xstrdup(accept ? accept : "");
	char *rest = copy, *one;

	while ((one = strsep(&rest, ","))) {
		one += strspn(one, " ");
		if (strstr(one, "as=Table") && strstr(one, "g=meta.k8s.io") &&
		    text_starts(one, "application/json"))
			return true;
		if (!strstr(one, "as=") &&
		    (text_starts(one, "application/json") || text_starts(one, "*/*")))
			return false;
	}
	return false;
}

/* An answer as it grows: a list, a Table, or one object. */
struct reply {
	struct buf b;
	bool table, swap;
	const char *include;
	size_t n;
};

static void
add(void *arg, const json_t *obj)
{
	struct reply *r = arg;
	json_auto_t *row = r->table ? metrics_row(obj, r->swap, r->include) : NULL;

	if (r->n++ > 0)
		buf_putc(&r->b, ',');
	json_add(&r->b, row ? row : obj);
}

static bool
any_swap(const struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (figures_swap(s->node[i].figures))
			return true;
	return false;
}

static void
begin(struct reply *r, const struct listing *l)
{
	json_auto_t *columns = NULL;

	if (r->table) {
		columns = metrics_columns(r->swap);
		buf_puts(&r->b,
		    "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{},"
		    "\"columnDefinitions\":");
		json_add(&r->b, columns);
		buf_puts(&r->b, ",\"rows\":[");
	} else if (!l->name) {
		buf_printf(&r->b,
		    "{\"kind\":\"%s\",\"apiVersion\":\"" METRICS_GROUP "/" METRICS_VERSION
		    "\",\"metadata\":{},\"items\":[",
		    strcmp(l->plural, "nodes") == 0 ? "NodeMetricsList" : "PodMetricsList");
	}
}

static void
not_found(struct http_exchange *x, const struct listing *l)
{
	const char *resource = l->ns ? "podmetrics" : "nodemetrics";
	autofree char *name = l->ns ? xasprintf("%s/%s", l->ns, l->name) : xstrdup(l->name);
	autofree char *message = xasprintf("%s." METRICS_GROUP " \"%s\" not found", resource, name);

	metrics_refuse(x, ERR_NOT_FOUND, resource, name, message);
}

static void
finish(struct http_exchange *x, struct reply *r, const struct listing *l)
{
	struct bytes *part;

	if (l->name && r->n == 0) {
		not_found(x, l);
		return;
	}
	buf_puts(&r->b, r->table || !l->name ? "]}\n" : "\n");
	part = bytes_new(r->b.data, r->b.len);
	http_reply(x, 200, "application/json", NULL, &part, 1);
}

static void
answer(struct http_exchange *x, struct metrics_server *s, struct client *c, const struct listing *l)
{
	autofree char *include = http_query(x, "includeObject");
	struct reply r = { .b = BUF_INIT,
		.table = wants_table(http_header(x, "Accept")),
		.include = include ? include : "" };
	struct snapshot known;
	struct join j = { &known, strcmp(l->plural, "pods") == 0, clock_now(), add, &r };
	struct err err;
	size_t size;

	snapshot_take(s->gather, j.pods && !l->name, &known);
	r.swap = r.table && any_swap(&known);
	begin(&r, l);
	if (listing_each(c, l, join_one, &j, &err) < 0)
		metrics_refuse(x, err.code, NULL, NULL, err.msg);
	else
		finish(x, &r, l);
	snapshot_release(&known);
	size = r.b.cap;
	buf_release(&r.b);
	if (size > LARGE) /* what was needed once is not kept */
		malloc_trim(0);
}

static bool
is_watch(struct http_exchange *x)
{
	autofree char *watch = http_query(x, "watch");

	return watch && (strcmp(watch, "true") == 0 || strcmp(watch, "1") == 0);
}

void
metrics_answer(struct http_exchange *x, void *server)
{
	autofree char *path = xstrdup(http_request(x)->path), *message = NULL;
	autofree char *selector = http_query(x, "labelSelector");
	autofree char *fields = http_query(x, "fieldSelector");
	struct client *c;
	struct listing l;
	struct err err;

	if (!parse(path, &l)) {
		metrics_discovery(x);
		return;
	}
	if (is_watch(x)) {
		message = xasprintf(
		    "watch is not supported on resources of kind \"%s." METRICS_GROUP "\"",
		    l.plural);
		metrics_refuse(x, ERR_METHOD, NULL, NULL, message);
		return;
	}
	l.selector = selector;
	l.fields = fields;
	if (!(c = server_borrow(server, &err))) {
		metrics_refuse(x, err.code, NULL, NULL, err.msg);
		return;
	}
	answer(x, server, c, &l);
	server_give_back(server, c);
}
