/* The remote end of a process, over WebSocket channels or SPDY streams. */
#include "serve/streams.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/spdy.h"
#include "serve/forward.h"
#include "serve/link.h"

enum { OPEN_SECONDS = 30, CLOSE_SIGNAL = 255, PART = 32768 };

static const char *const names[STREAM_COUNT] = { "stdin", "stdout", "stderr", "error", "resize" };
static const char *const websocket_protocols[] = { "v5.channel.k8s.io", "v4.channel.k8s.io", NULL };
static const char *const spdy_protocols[] = { "v5.channel.k8s.io", "v4.channel.k8s.io", NULL };

struct streams {
	struct link link;
	const struct streams_plan *plan;
	struct spdy *spdy;
	uint32_t id[STREAM_COUNT]; /* of SPDY; 0: not open */
	/* what came right behind the last stream's beginning: the next event */
	struct streams_event early;
	bool is_early;
};

/* --- agreeing --------------------------------------------------------------------- */

/* The first of ours that the client lists in one of its headers of this name. */
static const char *
choose(const struct http_exchange *x, const char *header, const char *const *ours)
{
	const struct http_request *r = http_request(x);

	for (; *ours; ours++)
		for (size_t i = 0; i < r->nheaders; i++)
			if (strcasecmp(r->headers[i].name, header) == 0 &&
			    strstr(r->headers[i].value, *ours))
				return *ours;
	return NULL;
}

bool
streams_agree(const struct http_exchange *x, unsigned wanted, struct streams_plan *plan,
    char **head, int *status, const char **why)
{
	const char *upgrade = http_header(x, "Upgrade");

	*plan = (struct streams_plan){ .wanted = wanted | 1u << STREAM_STATUS };
	*status = 400;
	if (!http_upgrades(x)) {
		*why = "unable to upgrade: missing upgrade headers in request";
		return false;
	}
	if (strcasecmp(upgrade, "SPDY/3.1") == 0) {
		plan->spdy = true;
		plan->protocol = choose(x, "X-Stream-Protocol-Version", spdy_protocols);
		*status = 403;
		*why = "unable to upgrade: unable to negotiate protocol: the server has "
		       "v5.channel.k8s.io and v4.channel.k8s.io";
		if (plan->protocol)
			*head =
			    xasprintf("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
				      "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: %s\r\n\r\n",
				plan->protocol);
		return plan->protocol != NULL;
	}
	*why = "unable to upgrade: it is neither a WebSocket of version 13 nor SPDY/3.1";
	if (!websocket_asked(x))
		return false;
	plan->protocol = websocket_protocol(x, websocket_protocols);
	*why = "unable to upgrade: the server has v5.channel.k8s.io and v4.channel.k8s.io";
	if (plan->protocol)
		*head = websocket_accept(x, plan->protocol);
	return plan->protocol != NULL;
}

/* --- opening ---------------------------------------------------------------------- */

static int
wait_for_input(struct streams *s, double until)
{
	struct pollfd f = { .fd = streams_fd(s), .events = POLLIN };
	double left = until - clock_monotonic();

	if (link_ready(&s->link))
		return 1;
	return left <= 0 ? 0 : poll(&f, 1, (int)(left * 1000) + 1);
}

/* A stream of the client's: which one it is to be. */
static int
adopt(struct streams *s, uint32_t id)
{
	const char *type = spdy_header(s->spdy, "streamtype");
	autobuf struct buf b = BUF_INIT;

	for (int i = 0; type && i < STREAM_COUNT; i++) {
		if (strcmp(type, names[i]) != 0 || s->id[i])
			continue;
		s->id[i] = id;
		spdy_accept(s->spdy, &b, id);
		return link_write(&s->link, b.data, b.len);
	}
	spdy_reset(&b, id, 1);
	return link_write(&s->link, b.data, b.len);
}

static bool
complete(const struct streams *s)
{
	for (int i = 0; i < STREAM_COUNT; i++)
		if ((s->plan->wanted & 1u << i) && !s->id[i])
			return false;
	return true;
}

/* A message to the lowest channel that we write tells the client that all is set up. */
static int
announce(struct streams *s)
{
	for (int i = STREAM_OUT; i <= STREAM_STATUS; i++)
		if (s->plan->wanted & 1u << i)
			return streams_send(s, (enum stream)i, "", 0);
	return 0;
}

struct streams *
streams_open(struct duplex *d, const struct streams_plan *plan)
{
	double until = clock_monotonic() + OPEN_SECONDS;
	struct streams *s = xcalloc(1, sizeof *s);
	int r = 0;

	link_init(&s->link, d, !plan->spdy);
	s->plan = plan;
	if (!plan->spdy) {
		r = announce(s);
	} else {
		s->spdy = spdy_new();
		while (!complete(s) && r == 0)
			if ((r = streams_next(s, &s->early)) == 0 && !complete(s))
				r = wait_for_input(s, until) > 0 ? 0 : -1;
		s->is_early = r > 0;
	}
	if (r < 0 || (plan->spdy && !complete(s))) {
		streams_close(s);
		return NULL;
	}
	return s;
}

void
streams_close(struct streams *s)
{
	autobuf struct buf b = BUF_INIT;

	if (!s)
		return;
	for (int i = 0; s->spdy && i < STREAM_COUNT; i++)
		if (s->id[i])
			spdy_data(&b, s->id[i], "", 0, true);
	if (b.len)
		link_write(&s->link, b.data, b.len);
	link_goodbye(&s->link);
	link_release(&s->link);
	spdy_free(s->spdy);
	free(s);
}

/* --- in use --------------------------------------------------------------------------- */

/* A message of the channel protocol; 1 when it is for us. */
static int
channel_message(const char *data, size_t len, struct streams_event *e)
{
	unsigned char channel;

	if (len == 0)
		return 0;
	channel = (unsigned char)*data;
	if (channel == CLOSE_SIGNAL && len == 2) { /* v5: the client ends a channel */
		*e = (struct streams_event){ .which = (enum stream)data[1], .end = true };
		return data[1] == STREAM_IN;
	}
	*e = (struct streams_event){
		.which = (enum stream)channel, .data = data + 1, .len = len - 1
	};
	return channel == STREAM_IN || channel == STREAM_RESIZE;
}

/* What must be answered at once. */
static int
say(struct streams *s, struct buf *out)
{
	int r = out->len ? link_write(&s->link, out->data, out->len) : 0;

	buf_clear(out);
	return r;
}

static int
spdy_event(struct streams *s, struct streams_event *ret)
{
	autobuf struct buf out = BUF_INIT;
	struct spdy_event e;
	int r;

	while ((r = spdy_next(s->spdy, &e, &out)) > 0) {
		if (say(s, &out) < 0)
			return -1;
		if (e.type == SPDY_CLOSE)
			return -1;
		if (e.type == SPDY_OPEN) {
			if (adopt(s, e.stream) < 0)
				return -1;
			continue;
		}
		for (int i = 0; i < STREAM_COUNT; i++) {
			if (s->id[i] != e.stream || (i != STREAM_IN && i != STREAM_RESIZE))
				continue;
			*ret = (struct streams_event){ (enum stream)i, e.data, e.len,
				e.fin || e.type == SPDY_RESET };
			return 1;
		}
	}
	return say(s, &out) < 0 ? -1 : r;
}

int
streams_next(struct streams *s, struct streams_event *ret)
{
	const char *data;
	size_t len;
	int r;

	if (s->is_early) {
		s->is_early = false;
		*ret = s->early;
		return 1;
	}
	for (;;) {
		if (s->spdy && (r = spdy_event(s, ret)) != 0)
			return r;
		if ((r = link_read(&s->link, &data, &len)) <= 0)
			return r;
		if (s->spdy)
			spdy_feed(s->spdy, data, len);
		else if (channel_message(data, len, ret))
			return 1;
	}
}

int
streams_fd(const struct streams *s)
{
	return duplex_fd(s->link.d);
}

bool
streams_ready(const struct streams *s)
{
	return link_ready(&s->link);
}

int
streams_send(struct streams *s, enum stream which, const void *data, size_t len)
{
	autobuf struct buf b = BUF_INIT;

	if (s->spdy) {
		if (!s->id[which])
			return 0;
		spdy_data(&b, s->id[which], data, len, false);
	} else {
		buf_putc(&b, (char)which);
		buf_add(&b, data, len);
	}
	return link_write(&s->link, b.data, b.len);
}
