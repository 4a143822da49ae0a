#ifndef ORCH_NODE_JOB_H
#define ORCH_NODE_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Slow work in a forked process, so that the node's loop never waits: it works on a copy of the
 * node's memory, may change its own namespaces and working folder, and gives back a JSON value or
 * an error. It dies with the node.
 */
typedef int job_fn(void *arg, json_t **result, struct err *err);

struct job {
	pid_t pid; /* 0: none is running */
	int fd;	   /* readable when there is something to read or it has ended */
	struct buf reply;
};

int job_start(struct job *j, job_fn *work, void *arg, struct err *err);

/* Take what is readable; true when it is done: then job_end must follow. */
bool job_read(struct job *j);
/* The outcome: 0 and *result (the caller's, may be NULL), or what failed. */
int job_end(struct job *j, json_t **result, struct err *err);
void job_kill(struct job *j);

/* In the process itself: what everybody else does goes first. */
void job_behind(void);

/* All in one, waiting for it. */
int job_wait(job_fn *work, void *arg, json_t **result, struct err *err);

#endif
