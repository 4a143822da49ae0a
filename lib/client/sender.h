#ifndef ORCH_CLIENT_SENDER_H
#define ORCH_CLIENT_SENDER_H

#include "client/client.h"

/*
 * Requests that go on beside other work, in one thread: a few at a time over connections that stay
 * open, and one stream (a watch) beside them.  Nothing moves but in sender_wait(), from which the
 * callbacks come; a callback may send again.
 */
struct sender;

int sender_open(struct sender **ret, const struct client *c, unsigned at_once, struct err *err);
void sender_close(struct sender *s); /* gives up what is under way, unheard; accepts NULL */

struct sent {
	int r; /* 0: there is an answer; else negative, and err says why not */
	struct err err;
	int status;
	const char *reply; /* borrowed, with a NUL behind it */
	size_t len;
	long retry_after; /* seconds; 0: the server did not say */
	double seconds;	  /* how long it took */
};

unsigned sender_busy(const struct sender *s); /* requests under way, without the stream */
bool sender_full(const struct sender *s);     /* as many as there may be */

/* One request, when not full; body (NULL for none) is taken. */
void sender_send(struct sender *s, const char *method, const char *path, const char *type,
    char *body, void (*done)(void *arg, const struct sent *answer), void *arg);

/*
 * Begin the stream: `each` has the bytes of an answer of status 200, and ends it by returning
 * non-zero; `ended` is told when it is over: r 0, or negative with err.
 */
struct sender_stream {
	int (*each)(void *arg, const char *data, size_t len, struct err *err);
	void (*ended)(void *arg, int r, const struct err *err);
	void *arg;
};
void sender_follow(struct sender *s, const char *path, const struct sender_stream *how);

/* Let things move for at most `seconds`, or until fd (-1: none) is readable. */
void sender_wait(struct sender *s, double seconds, int fd);

#endif
