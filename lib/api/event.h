#ifndef ORCH_API_EVENT_H
#define ORCH_API_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * An Event of the API, core/v1 or events.k8s.io/v1, which name the same things differently; and
 * each has an old way of counting and a new one, the series.  Texts are borrowed from the object.
 */
struct event_view {
	const char *type, *reason, *message;
	const json_t *about;	   /* an ObjectReference */
	int64_t first_us, last_us; /* microseconds since the epoch; 0: not known */
	long long count;	   /* how often it happened, 1 at least */
};

bool event_is(const json_t *obj); /* is this object an Event? */
void event_view(struct event_view *e, const json_t *obj);

/* Is it about this object: by kind, group and name, and the uid when both have one?  An empty name
 * stands for all of the kind. */
bool event_about(const struct event_view *e, const char *group, const char *kind, const char *ns,
    const char *name, const char *uid);

/* When it was last seen, as kubectl says it: "2m", "5s (x3 over 10m)"; now in seconds. */
void event_seen(const struct event_view *e, int64_t now, struct buf *out);

/* By the time they were last seen, then by version. */
int event_cmp(const json_t *a, const json_t *b);

#endif
