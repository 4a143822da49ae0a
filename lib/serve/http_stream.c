/*
 * Streams: chunks queued by any thread, written by the connection's loop.
 */
#include "base/mem.h"
#include "serve/http_private.h"

static void
push(struct http_stream *s, struct bytes *b)
{
	struct chunk *c = xmalloc(sizeof *c);

	c->b = b;
	/* not empty: somebody has posted the stream, and the loop has not come to it yet */
	if (inbox_push(&s->chunks, &c->post))
		loop_post(s->loop, &s->post);
}

size_t
http_stream_send(struct http_stream *s, struct bytes *chunk)
{
	size_t len = chunk->len, queued = atomic_fetch_add(&s->queued, len) + len;

	if (len == 0) /* on the wire it would mean the end */
		bytes_unref(chunk);
	else
		push(s, chunk);
	return queued;
}

void
http_stream_end(struct http_stream *s)
{
	push(s, NULL);
}

void
stream_finish(struct http_stream *s)
{
	if (s->ended)
		return;
	s->ended = true;
	if (s->raw)
		s->conn->close = true;
	else if (!s->mute)
		out_add(&s->conn->out, bytes_new("0\r\n\r\n", 5), SEG_PLAIN);
}

void
stream_stop(struct http_stream *s)
{
	if (!atomic_load(&s->chunks.head))
		stream_finish(s); /* else stream_collect() does, behind what was sent before */
}

static void
drop(struct http_stream *s, struct bytes *b)
{
	atomic_fetch_sub(&s->queued, b->len);
	bytes_unref(b);
}

void
stream_collect(struct http_stream *s)
{
	struct post *next;

	for (struct post *p = inbox_take(&s->chunks); p; p = next) {
		struct chunk *c = (struct chunk *)p;

		next = p->next;
		if (!c->b && !s->over)
			stream_finish(s);
		else if (c->b && (s->over || s->ended || s->mute))
			drop(s, c->b);
		else if (c->b)
			out_add(&s->conn->out, c->b, s->raw ? SEG_RAW : SEG_CHUNK);
		free(c);
	}
	if (s->over) {
		free(s);
		return;
	}
	if (s->conn->stop)
		stream_finish(s);
	conn_run(s->conn);
}

void
stream_over(struct http_stream *s)
{
	s->conn = NULL;
	s->over = true;
	COUNT_DOWN(s->loop->stats.streams, 1);
	if (s->closed)
		s->closed(s->arg);
	/* chunks nobody has collected: the stream is posted, and freed when the loop comes to it */
	if (!atomic_load(&s->chunks.head))
		free(s);
}
