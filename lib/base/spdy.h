#ifndef ORCH_BASE_SPDY_H
#define ORCH_BASE_SPDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * SPDY/3.1 for either side, as far as Kubernetes' streaming uses it, pure: bytes in, events
 * out, and the frames to be sent.  Section numbers are of the draft
 * draft-mbelshe-httpbis-spdy-00.  As in the libraries that Kubernetes' clients use, windows (2.6.8)
 * are not kept: the connection below is what slows a sender down.
 */
struct spdy;

struct spdy *spdy_new(void);	    /* the server's side */
struct spdy *spdy_new_client(void); /* the side that begins streams */
void spdy_free(struct spdy *s);	    /* accepts NULL */

enum spdy_event_type {
	SPDY_OPEN, /* the peer begins a stream; its headers are asked for with spdy_header() */
	SPDY_DATA,
	SPDY_RESET, /* the peer gives a stream up */
	SPDY_CLOSE, /* the peer says good-bye */
};
struct spdy_event {
	enum spdy_event_type type;
	uint32_t stream;
	const char *data; /* borrowed until the next call */
	size_t len;
	bool fin; /* the peer sends nothing more on this stream: with OPEN and DATA */
};
void spdy_feed(struct spdy *s, const void *data, size_t len);
/* 1: an event; 0: more is needed; -1: this is no SPDY/3.1, or beyond the limits (a frame of 1 MiB,
 * headers of 64 KiB).  What must be answered at once (PING) is put into *out. */
int spdy_next(struct spdy *s, struct spdy_event *ret, struct buf *out);
/* A header of the stream that was opened last; NULL: it has none such.  Names are lower case. */
const char *spdy_header(const struct spdy *s, const char *name);

/* Frames, appended to *out. */
/* SYN_STREAM with headers, "name", "value", ... NULL: a client's; its streams have odd numbers. */
void spdy_begin(struct spdy *s, struct buf *out, uint32_t stream, const char *const *headers);
void spdy_accept(struct spdy *s, struct buf *out, uint32_t stream); /* SYN_REPLY */
void spdy_data(struct buf *out, uint32_t stream, const void *data, size_t len, bool fin);
void spdy_reset(struct buf *out, uint32_t stream, uint32_t status); /* 2.6.3 */

#endif
