#ifndef ORCH_SERVE_STREAMS_H
#define ORCH_SERVE_STREAMS_H

#include "serve/duplex.h"
#include "serve/http.h"

/*
 * The remote end of a process: its input, output and error, how it ended, and the size of the
 * terminal, over one connection; in Kubernetes' channel protocol over WebSocket
 * (v5.channel.k8s.io, v4.channel.k8s.io: each message begins with the number of its channel) or as
 * SPDY/3.1 streams, each with a header `streamtype`.
 */
enum stream { STREAM_IN, STREAM_OUT, STREAM_ERR, STREAM_STATUS, STREAM_RESIZE, STREAM_COUNT };

struct streams;

/* Which of them (bits: 1 << STREAM_IN ...) there will be; STATUS and, with a terminal, RESIZE are
 * always among them. */
struct streams_plan {
	bool spdy;
	const char *protocol; /* that was agreed on; static */
	unsigned wanted;
};
/*
 * Can the request become one?  Chooses the protocol and makes the head of the 101 (*head, new);
 * else false, with *status and *why to refuse with.
 */
bool streams_agree(const struct http_exchange *x, unsigned wanted, struct streams_plan *plan,
    char **head, int *status, const char **why);

/* On the connection's own thread, after the head was written: waits until the client has opened
 * what it needs.  NULL when it has gone, or not within 30 seconds.  d is borrowed. */
struct streams *streams_open(struct duplex *d, const struct streams_plan *plan);
void streams_close(struct streams *s); /* says good-bye; accepts NULL */

/* What the client says: 1: data (borrowed) or the end of `which` (IN or RESIZE); 0: nothing now;
 * -1: it has gone. */
struct streams_event {
	enum stream which;
	const char *data;
	size_t len;
	bool end;
};
int streams_next(struct streams *s, struct streams_event *ret);
int streams_fd(const struct streams *s);
bool streams_ready(const struct streams *s); /* look again before poll() */

int streams_send(struct streams *s, enum stream which, const void *data, size_t len); /* 0 or -1 */

#endif
