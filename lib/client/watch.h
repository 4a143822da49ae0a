#ifndef ORCH_CLIENT_WATCH_H
#define ORCH_CLIENT_WATCH_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * The bytes of a watch, in chunks of any size, into events: one JSON object a
 * line.  client_watch() and the cache feed it.
 */
struct events {
	struct buf rest; /* an unfinished line */
	int (*each)(void *arg, const char *type, json_t *obj, struct err *err);
	void *arg;
	char *version; /* resourceVersion of the last object seen; NULL at first */
};

void events_init(
    struct events *e, int (*each)(void *, const char *, json_t *, struct err *), void *arg);
void events_release(struct events *e);

/*
 * 0, or what `each` returned, or negative: not JSON, or an ERROR event as the error that its
 * Status tells.  Bookmarks move the version and are handed on too.
 */
int events_feed(struct events *e, const char *data, size_t len, struct err *err);

#endif
