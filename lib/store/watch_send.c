/* What a watcher is sent: events, bookmarks, what was there before. */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/watch_impl.h"

void
watcher_end(struct watcher *w)
{
	if (w->ended)
		return;
	w->ended = true;
	http_stream_end(w->stream);
}

static void
queue(struct watcher *w, struct bytes *chunk)
{
	if (http_stream_send(w->stream, chunk) > w->allowance) {
		w->hub->stats.slow++;
		watcher_end(w);
	}
}

static void
send(struct watcher *w, struct bytes *chunk)
{
	if (!shape_is_kept(&w->shape)) {
		struct bytes *other = shape_event(
		    &w->shape, w->table->kind, chunk->data, chunk->len, !w->columns, clock_now());

		bytes_unref(chunk);
		chunk = other;
		w->columns = true;
	}
	queue(w, chunk);
}

/* One that many are sent: what it is in protobuf is kept in *frame. */
static void
send_shared(struct watcher *w, struct bytes *chunk, struct bytes **frame)
{
	w->hub->stats.events++;
	if (!w->shape.protobuf || shape_converts(&w->shape)) {
		send(w, bytes_ref(chunk));
		return;
	}
	if (!*frame)
		*frame = shape_event(&w->shape, w->table->kind, chunk->data, chunk->len, false, 0);
	queue(w, bytes_ref(*frame));
}

void
send_bookmark(struct watcher *w, uint64_t revision, bool end_of_initial)
{
	autobuf struct buf b = BUF_INIT;

	w->told = revision;
	buf_printf(&b,
	    "{\"type\":\"BOOKMARK\",\"object\":%s\"metadata\":{\"resourceVersion\":\"%llu\"%s}}}\n",
	    w->table->open->data, (unsigned long long)revision,
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

static struct bytes *
whole_chunk(const struct event *e, enum event_type type)
{
	const struct bytes *head = e->table->verb[type], *body = e->object->body;
	struct bytes *b = bytes_alloc(head->len + body->len + 2);

	memcpy(b->data, head->data, head->len);
	memcpy(b->data + head->len, body->data, body->len);
	memcpy(b->data + head->len + body->len, "}\n", 2);
	return b;
}

/* The old object with the resourceVersion of the event, as Kubernetes gives it. */
static struct bytes *
left_chunk(const struct event *e)
{
	static const char key[] = "\"resourceVersion\":\"";
	autobuf struct buf b = BUF_INIT;
	const char *body = e->old->body->data, *at = strstr(body, key);
	size_t head = (size_t)(at - body) + strlen(key);

	buf_add(&b, e->table->verb[EVENT_DELETED]->data, e->table->verb[EVENT_DELETED]->len);
	buf_add(&b, body, head);
	buf_printf(&b, "%llu", (unsigned long long)e->revision);
	head += strcspn(body + head, "\"");
	buf_add(&b, body + head, e->old->body->len - head);
	buf_puts(&b, "}\n");
	return bytes_new(b.data, b.len);
}

void
chunks_release(struct chunks *c)
{
	for (int i = 0; i < 3; i++)
		bytes_unref(c->whole[i]);
	bytes_unref(c->left);
	for (int i = 0; i < 4; i++)
		bytes_unref(c->frame[i]);
}

void
send_event(struct watcher *w, const struct event *e, struct chunks *c)
{
	bool is = e->type != EVENT_DELETED && filter_match(&w->filter, e->object);
	bool was = e->old && filter_match(&w->filter, e->old);

	w->seen = e->revision;
	if (is || was)
		w->told = e->revision;
	if (was && !is && e->type != EVENT_DELETED) {
		if (!c->left)
			c->left = left_chunk(e);
		send_shared(w, c->left, &c->frame[3]);
		return;
	}
	if (!is && !was)
		return;

	enum event_type type = !is ? EVENT_DELETED : was ? EVENT_MODIFIED : EVENT_ADDED;
	if (!c->whole[type])
		c->whole[type] = whole_chunk(e, type);
	send_shared(w, c->whole[type], &c->frame[type]);
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
static void
send_added(struct watcher *w, struct object *o)
{
	struct bytes *head = w->table->verb[EVENT_ADDED];

	w->allowance += head->len + o->body->len + 2;
	if (!shape_is_kept(&w->shape)) {
		struct event e = { .table = w->table, .object = o };

		send(w, whole_chunk(&e, EVENT_ADDED));
		return;
	}
	http_stream_send(w->stream, bytes_ref(head));
	http_stream_send(w->stream, bytes_ref(o->body));
	http_stream_send(w->stream, bytes_ref(w->hub->tail));
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
