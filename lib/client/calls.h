#ifndef ORCH_CLIENT_CALLS_H
#define ORCH_CLIENT_CALLS_H

#include <jansson.h>

#include "base/buf.h"
#include "client/client.h"

/*
 * Many requests at once: over several connections, in one thread.  They start in the order they
 * have and end in any.
 */
struct call {
	const char *method;
	char *path; /* with its query; taken */
	const char *type;
	char *body;		    /* taken; NULL for none */
	const char *const *headers; /* more of them, as in struct request; borrowed, or NULL */
	bool once; /* "too many requests" is an answer as any: not waited for and tried again */

	/* the answer */
	int r; /* 0: there is one; else negative, and err says why not */
	struct err err;
	int status;
	struct buf reply;
	struct buf warnings; /* the server's Warning headers, a line each */
};

enum { CALLS_AT_ONCE = 8 };

/* Send them all; `done` (may be NULL) is told of each as it ends. */
void calls_run(struct client *c, struct call *calls, size_t n,
    void (*done)(void *arg, struct call *call), void *arg);
void call_release(struct call *call);

/* The object that was answered, a new reference; a refusal is an error. */
int call_answer(const struct call *call, json_t **ret, struct err *err);

/* Add "?" or "&" and "key=value", escaped, to a path or query. */
void call_query(struct buf *path, const char *key, const char *value);

#endif
