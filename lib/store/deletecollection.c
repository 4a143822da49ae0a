/* DELETE of a collection: every object that is selected, as one batch of writes. */
#include <string.h>

#include "api/custom.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/conversion.h"
#include "store/delete.h"

enum { ATTEMPTS = 20 };

struct many {
	struct call *call;
	struct delete_options options;
	struct object **found;
	struct object **shown; /* as a webhook shows them; else NULL */
	struct write *write;
	size_t n, cap;
	_Atomic size_t pending;
};

static bool
collect(void *arg, struct object *o)
{
	struct many *m = arg;

	GROW(m->found, m->n, m->cap);
	m->found[m->n++] = object_ref(o);
	return true;
}

static void
keep_selected(struct many *m, const struct filter *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (filter_match(f, m->shown ? m->shown[i] : m->found[i])) {
			if (m->shown)
				m->shown[kept] = m->shown[i];
			m->found[kept++] = m->found[i];
			continue;
		}
		object_unref(m->found[i]);
		if (m->shown)
			object_unref(m->shown[i]);
	}
	m->n = kept;
}

static void
many_free(struct many *m)
{
	for (size_t i = 0; i < m->n; i++) {
		object_unref(m->found[i]);
		if (m->shown)
			object_unref(m->shown[i]);
		if (m->write)
			write_release(&m->write[i]);
	}
	free(m->found);
	free(m->shown);
	free(m->write);
	delete_options_release(&m->options);
	free(m);
}

/* The list of what was deleted, in the state it had last. */
static void
answer(struct many *m)
{
	struct call *c = m->call;
	struct bytes **part = xcalloc(2 * m->n + 2, sizeof *part);
	struct bytes *first, *comma;
	autobuf struct buf head = BUF_INIT;
	char version[128];
	size_t n = 1;

	list_openings(c, &first, &comma);
	buf_printf(&head,
	    "{\"kind\":\"%s%s\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%llu\"%s}"
	    ",\"items\":[",
	    c->kind->custom ? c->kind->custom->list_kind : c->kind->kind,
	    c->kind->custom ? "" : "List", kind_api_version(c->kind, version),
	    (unsigned long long)cache_revision(c->server->cache),
	    c->kind->custom ? ",\"continue\":\"\"" : "");
	part[0] = bytes_new(head.data, head.len);
	for (size_t i = 0; i < m->n; i++) {
		struct object *o = m->shown		? m->shown[i]
				   : m->write[i].object ? m->write[i].object
							: m->found[i];

		part[n++] = bytes_ref(i ? comma : first);
		part[n++] = object_body(o, c->kind);
	}
	part[n++] = bytes_new("]}\n", 3);
	reply_parts(c, 200, "application/json", part, n);
	free(part);
	bytes_unref(first);
	bytes_unref(comma);
}

static void retry(struct call *c);

/* Who was changed meanwhile is looked at again; anything else that went wrong is the answer. */
static void
finish(struct many *m)
{
	struct call *c = m->call;
	bool raced = false;

	for (size_t i = 0; i < m->n; i++) {
		struct write *w = &m->write[i];

		if (w->result < 0 && w->result != -ERR_CONFLICT) {
			if (conversion_of(c->kind) && w->err.code == ERR_INTERNAL)
				conversion_refuse(c, &w->err);
			else
				reply_error(c, &w->err);
			many_free(m);
			return;
		}
		raced = raced || w->result < 0;
	}
	if (raced && c->attempts++ < ATTEMPTS) {
		c->state = m;
		if (m->shown)
			conversion_defer(c, retry); /* as they are now, which may be asked for */
		else
			call_defer(c, retry);
		return;
	}
	if (raced)
		reply_status(
		    c, 409, "Conflict", "the objects of the collection change too often", NULL);
	else
		answer(m);
	many_free(m);
}

static void
one_done(struct write *w)
{
	struct many *m = w->arg;

	if (--m->pending == 0)
		finish(m);
}

/* What is to be done with object i; returns whether anything is. */
static bool
prepare(struct many *m, size_t i)
{
	struct call *c = m->call;
	struct write *w = &m->write[i];
	json_t *obj = object_json(m->shown ? m->shown[i] : m->found[i], c->kind);
	json_auto_t *old =
	    json_pack("{s:o}", "metadata", json_copy(json_object_get(obj, "metadata")));
	enum deletion d = delete_decide(c->kind, obj, &m->options, clock_now());

	w->result = 0;
	if (d != DELETE_UNCHANGED && !c->dry_run) {
		draft_release(&w->draft); /* of an attempt before */
		if (m->shown && d == DELETE_NOW)
			draft_copy(&w->draft, m->found[i]);
		else if ((w->result = conversion_encode(&w->draft, c->kind, obj, &w->err)) < 0)
			d = DELETE_UNCHANGED;
		w->table = c->table;
		w->expect = m->found[i]->revision;
		w->deletes = d == DELETE_NOW;
		w->marks = delete_marks(d, old, obj);
		w->done = one_done;
		w->arg = m;
	}
	json_decref(obj);
	return d != DELETE_UNCHANGED && !c->dry_run;
}

/* Prepare and queue those that `wants` says. */
static void
submit(struct many *m, bool (*wants)(struct many *m, size_t i))
{
	bool *queue = xcalloc(m->n + 1, sizeof *queue);

	m->pending = 1; /* ours, until all are queued */
	for (size_t i = 0; i < m->n; i++)
		queue[i] = wants(m, i) && prepare(m, i);
	for (size_t i = 0; i < m->n; i++) {
		if (queue[i]) {
			m->pending++;
			commit_queue(m->call->server->commit, &m->write[i]);
		}
	}
	free(queue);
	if (--m->pending == 0)
		finish(m);
}

static bool
all(struct many *m, size_t i)
{
	(void)m;
	(void)i;
	return true;
}

/* Only who lost a race, in the state it has now; who is gone is done with. */
static bool
raced(struct many *m, size_t i)
{
	struct object *now, *shown;

	if (m->write[i].result == 0)
		return false;
	m->write[i].result = 0;
	now = cache_get(m->call->server->cache, m->call->table, object_namespace(m->found[i]),
	    object_name(m->found[i]));
	if (!now)
		return false;
	object_unref(m->found[i]);
	m->found[i] = now;
	if (!m->shown)
		return true;
	m->write[i].result = conversion_show(m->call->kind, &now, 1, &shown, &m->write[i].err);
	if (m->write[i].result < 0)
		return false;
	object_unref(m->shown[i]);
	m->shown[i] = shown;
	return true;
}

/*
 * How a webhook shows them: what selectors see, and what is answered.  0; negative: it was
 * answered, or begins again on a thread that may wait.
 */
static int
show(struct many *m, void (*again)(struct call *c))
{
	struct call *c = m->call;
	struct object **shown;
	struct err err;

	for (size_t i = 0; i < m->n && !c->waits; i++)
		if (conversion_asks(m->found[i], c->kind)) {
			conversion_defer(c, again);
			return -1;
		}
	shown = xcalloc(m->n + 1, sizeof(struct object *));
	if (conversion_show(c->kind, m->found, m->n, shown, &err) < 0) {
		free(shown);
		return conversion_refuse(c, &err);
	}
	for (size_t i = 0; m->shown && i < m->n; i++)
		object_unref(m->shown[i]);
	free(m->shown);
	m->shown = shown;
	return 0;
}

static void
retry(struct call *c)
{
	struct many *m = c->state;

	submit(m, raced);
}

static void
deletecollection_run(struct call *c)
{
	struct walk walk = { .table = c->table };
	struct many *m = xcalloc(1, sizeof *m);
	struct filter f;
	uint64_t revision;
	struct err err;

	m->call = c;
	if (delete_options_read(c, &m->options) < 0) {
		free(m);
		return;
	}
	if (call_filter(c, &f) < 0) {
		many_free(m);
		return;
	}
	walk.namespace = f.namespace;
	cache_walk(c->server->cache, &walk, collect, m, &revision, &err);
	if (conversion_of(c->kind) && show(m, deletecollection_run) < 0) {
		filter_release(&f);
		many_free(m);
		return;
	}
	keep_selected(m, &f);
	filter_release(&f);
	m->write = xcalloc(m->n + 1, sizeof *m->write);
	for (size_t i = 0; i < m->n; i++)
		m->write[i].draft = (struct draft)DRAFT_INIT;
	submit(m, all);
}

void
deletecollection_handle(struct call *c)
{
	call_defer(c, deletecollection_run);
}
