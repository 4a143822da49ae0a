/* What a watcher is sent: events, bookmarks, what was there before. */
#include <string.h>

#include "api/protobuf.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "store/call.h"
#include "store/watch_impl.h"

void
watcher_end(struct watcher *w)
{
	if (w->ended)
		return;
	w->ended = true;
	w->sink->end(w->to);
}

static void
queue(struct watcher *w, struct bytes *chunk)
{
	if (w->sink->send(w->to, chunk) > w->allowance) {
		w->hub->stats.slow++;
		watcher_end(w);
	}
}

/* What only this watcher is sent (taken), in the shape it wants. */
static void
send(struct watcher *w, struct bytes *chunk)
{
	if (!shape_is_kept(&w->shape)) {
		struct bytes *other = shape_event(
		    &w->shape, w->view->kind, chunk->data, chunk->len, !w->columns, clock_now());

		bytes_unref(chunk);
		chunk = other;
		w->columns = true;
	}
	queue(w, chunk);
}

void
send_bookmark(struct watcher *w, uint64_t revision, bool end_of_initial)
{
	autobuf struct buf b = BUF_INIT;

	w->told = revision;
	buf_printf(&b,
	    "{\"type\":\"BOOKMARK\",\"object\":%s\"metadata\":{\"resourceVersion\":\"%llu\"%s}}}\n",
	    w->view->open->data, (unsigned long long)revision,
	    end_of_initial ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
	send(w, bytes_new(b.data, b.len));
}

void
send_expired(struct watcher *w, uint64_t since)
{
	autobuf struct buf b = BUF_INIT;

	buf_printf(&b,
	    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\","
	    "\"metadata\":{},"
	    "\"status\":\"Failure\",\"message\":\"too old resource version: %llu "
	    "(%llu)\",\"reason\":\"Expired\","
	    "\"code\":410}}\n",
	    (unsigned long long)since, (unsigned long long)cache_compacted(w->hub->cache));
	send(w, bytes_new(b.data, b.len));
	watcher_end(w);
}

void
send_failed(struct watcher *w, const struct err *err)
{
	json_t *e = json_pack("{s:s,s:o}", "type", "ERROR", "object",
	    status_json(err_http(err->code), err_reason(err->code), err->msg, NULL));
	autobuf struct buf b = BUF_INIT;

	jsonl_add(&b, e);
	json_decref(e);
	send(w, bytes_new(b.data, b.len));
	watcher_end(w);
}

/* {"type":..,"object":..} of a body (taken) of an object like o, in this version. */
static struct bytes *
chunk_of(const struct table *view, enum event_type type, const struct object *o, struct bytes *body)
{
	struct bytes *seen = body_view(o, body, view->kind), *head = view->verb[type];
	struct bytes *b = bytes_alloc(head->len + seen->len + 2);

	memcpy(b->data, head->data, head->len);
	memcpy(b->data + head->len, seen->data, seen->len);
	memcpy(b->data + head->len + seen->len, "}\n", 2);
	bytes_unref(seen);
	bytes_unref(body);
	return b;
}

/* The old object with the resourceVersion of the event, as Kubernetes gives it. */
static struct bytes *
left_body(const struct event *e)
{
	static const char key[] = "\"resourceVersion\":\"";
	autobuf struct buf b = BUF_INIT;
	const char *body = e->old->body->data, *at = strstr(body, key);
	size_t head = (size_t)(at - body) + strlen(key);

	buf_add(&b, body, head);
	buf_printf(&b, "%llu", (unsigned long long)e->revision);
	head += strcspn(body + head, "\"");
	buf_add(&b, body + head, e->old->body->len - head);
	return bytes_new(b.data, b.len);
}

void
chunks_release(struct chunks *c)
{
	struct look *next;

	for (struct look *l = c->looks; l; l = next) {
		next = l->next;
		for (size_t i = 0; i < COUNT(l->chunk); i++)
			bytes_unref(l->chunk[i]);
		free(l);
	}
	c->looks = NULL;
}

/* How a watcher sees the event: with columns, when it was not told yet what they are. */
static struct look *
look_of(struct chunks *c, const struct watcher *w)
{
	bool columns = w->shape.form == FORM_TABLE && !w->columns;
	struct look *l;

	for (l = c->looks; l; l = l->next)
		if (l->kind == w->view->kind && l->columns == columns &&
		    shape_equal(&l->shape, &w->shape))
			return l;
	l = xcalloc(1, sizeof *l);
	*l = (struct look){
		.kind = w->view->kind, .shape = w->shape, .columns = columns, .next = c->looks
	};
	c->looks = l;
	return l;
}

enum { LEFT = 3 };

/* In protobuf, of an object as it is kept; NULL: that is not what is wanted, or not to be had. */
static struct bytes *
message_chunk(const struct watcher *w, enum event_type type, struct object *o)
{
	autobuf struct buf object = BUF_INIT, frame = BUF_INIT;
	struct bytes *message;
	char version[128];
	struct err err;

	if (!w->shape.protobuf || shape_converts(&w->shape) || w->view != w->table ||
	    !(message = object_message(o, w->table->kind, &err)))
		return NULL;
	protobuf_wrap(&object, kind_api_version(w->table->kind, version), w->table->kind->kind,
	    message->data, message->len);
	protobuf_event(&frame, event_name(type), object.data, object.len);
	bytes_unref(message);
	return bytes_new(frame.data, frame.len);
}

static struct bytes *
make_chunk(const struct watcher *w, const struct event *e, int which, bool columns)
{
	struct bytes *message =
	    which == LEFT ? NULL : message_chunk(w, (enum event_type)which, e->object);

	struct bytes *plain, *ret;

	if (message)
		return message;
	plain = which == LEFT ? chunk_of(w->view, EVENT_DELETED, e->old, left_body(e))
			      : chunk_of(w->view, (enum event_type)which, e->object,
				    bytes_ref(e->object->body));

	if (shape_is_kept(&w->shape))
		return plain;
	ret = shape_event(&w->shape, w->view->kind, plain->data, plain->len, columns, clock_now());
	bytes_unref(plain);
	return ret;
}

static void
send_shared(struct watcher *w, const struct event *e, int which, struct chunks *c)
{
	struct look *l = look_of(c, w);

	if (!l->chunk[which])
		l->chunk[which] = make_chunk(w, e, which, l->columns);
	w->columns = true;
	w->hub->stats.events++;
	queue(w, bytes_ref(l->chunk[which]));
}

void
send_event(struct watcher *w, const struct event *e, struct chunks *c)
{
	bool is = e->type != EVENT_DELETED && filter_match(&w->filter, e->object);
	bool was = e->old && filter_match(&w->filter, e->old);

	w->seen = e->revision;
	if (is || was)
		w->told = e->revision;
	if (was && !is && e->type != EVENT_DELETED)
		send_shared(w, e, LEFT, c);
	else if (is || was)
		send_shared(w, e, !is ? EVENT_DELETED : was ? EVENT_MODIFIED : EVENT_ADDED, c);
}

/* --- a new watcher's past --- */

struct found {
	struct filter *filter;
	struct object **object;
	size_t n, cap;
};

static bool
collect(void *arg, struct object *o)
{
	struct found *f = arg;

	if (filter_match(f->filter, o)) {
		GROW(f->object, f->n, f->cap);
		f->object[f->n++] = object_ref(o);
	}
	return true;
}

/* ADDED for what is there: shared pieces, nothing is copied, unless another shape is asked for. */
void
send_added(struct watcher *w, struct object *o)
{
	struct bytes *head = w->view->verb[EVENT_ADDED], *message;

	w->allowance += head->len + o->body->len + 2;
	if ((message = message_chunk(w, EVENT_ADDED, o))) {
		queue(w, message);
		return;
	}
	if (!shape_is_kept(&w->shape) || w->view != w->table || !w->sink->pieces) {
		send(w, chunk_of(w->view, EVENT_ADDED, o, bytes_ref(o->body)));
		return;
	}
	w->sink->send(w->to, bytes_ref(head));
	w->sink->send(w->to, bytes_ref(o->body));
	w->sink->send(w->to, bytes_ref(w->hub->tail));
}

void
send_initial(struct watcher *w)
{
	struct found f = { .filter = &w->filter };
	struct walk walk = { .table = w->table, .namespace = w->filter.namespace };
	struct err err;

	cache_walk(w->hub->cache, &walk, collect, &f, &w->seen, &err);
	for (size_t i = 0; i < f.n; i++) {
		send_added(w, f.object[i]);
		object_unref(f.object[i]);
	}
	w->hub->stats.events += f.n;
	free(f.object);
}

/* What happened since the version it starts from. */
void
send_backlog(struct watcher *w)
{
	struct event e[EVENTS];
	uint64_t since = w->seen;
	int n;

	while ((n = cache_events(w->hub->cache, since, e, EVENTS)) > 0) {
		for (int i = 0; i < n; i++) {
			struct chunks c = { 0 };

			if (e[i].table == w->table && !w->ended) {
				w->allowance += e[i].object->body->len;
				send_event(w, &e[i], &c);
			}
			since = e[i].revision;
			chunks_release(&c);
			event_release(&e[i]);
		}
	}
	if (n < 0)
		send_expired(w, w->seen);
	if (since > w->seen)
		w->seen = since;
}
