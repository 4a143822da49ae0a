#ifndef ORCH_CLIENT_REMOTE_H
#define ORCH_CLIENT_REMOTE_H

#include <jansson.h>

#include "client/client.h"

/*
 * A process in a container, from here: the subresources exec and attach of a pod, in the channel
 * protocol (v5.channel.k8s.io, or v4 with a server from before 1.30, which cannot be told that the
 * input has ended).
 */
struct remote {
	const json_t *pod;
	const char *container;
	char *const *command; /* ended by NULL; NULL: attach to the container's own process */
	bool tty;
	int in;	    /* what to send it; -1: it has no input */
	int resize; /* readable when the terminal here may have another size; -1: never */
	void (*size)(int resize, unsigned *rows, unsigned *columns); /* asked at the start, too */
	/* What it writes, to stdout (1) or stderr (2); non-zero ends the connection and is
	 * returned. */
	int (*each)(void *arg, int fd, const char *data, size_t len, struct err *err);
	void *arg;
};

/* The runtime could not start the command. */
enum { REMOTE_NOT_STARTED = 126 };

/* Until it has ended: *status is its exit status.  A connection that breaks before that is
 * UNAVAILABLE. */
int remote_run(struct client *c, const struct remote *r, int *status, struct err *err);

#endif
