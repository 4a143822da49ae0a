#ifndef ORCH_NODE_CONTAINER_H
#define ORCH_NODE_CONTAINER_H

#include "base/proc.h"
#include "node/host.h"

/*
 * One container: an overlay of its image, an OCI bundle, and conmon beside it, which holds its
 * output and writes its exit status to DATA/run/exits/ID when it ends.  The overlay is mounted in a
 * mount namespace that only conmon and the container hold, so it goes with them.
 *
 * All but the last functions are for forked processes (job.h).
 */

/* 32 hex digits out of pod, name and attempt: the same after a crash. */
const char *container_id(const char *uid, const char *name, unsigned attempt, char buf[static 40]);

struct start {
	const struct host *host;
	const json_t *pod, *container, *sources;
	const char *ip;
	unsigned attempt;  /* 0 for the first */
	unsigned restarts; /* names the log file */
	pid_t target;	   /* whose PID namespace it joins; 0: its own, or the pod's */
};

/*
 * Image (pulled when the policy says so), bundle, conmon, start.  The result is an object: {"pid",
 * "start", "monitor", "monitor_start", "image", "imageID", "user"} or, when it did not work,
 * {"stage": "image" | "config" | "sandbox" | "start", "reason", "message"}.
 */
int container_start(void *start, json_t **result, struct err *err);

/* Remove what there is of an attempt: kill it, the runtime's state, conmon, its folder.  Missing is
 * fine. */
int container_remove(
    const struct host *h, const char *uid, const char *name, unsigned attempt, struct err *err);

/* The processes of an attempt as its pid files say; false when they are not (all) there. */
bool container_processes(const struct host *h, const char *uid, const char *name, unsigned attempt,
    struct proc *init, struct proc *monitor);

/* An attempt that nobody heard the end of: what container_start() said or was about to say of it,
 * when its process was started; else NULL.  "hooked": its postStart hook is through. */
json_t *container_launched(
    const struct host *h, const char *uid, const char *name, unsigned attempt);

/* What conmon wrote at its end: the exit code (128 + signal for a death by one); false when
 * nothing. */
bool container_exit(const struct host *h, const char *id, int *code, double *when);

/* The path of the log of a container's N-th run; a new string. */
char *container_log(const struct host *h, const json_t *pod, const char *name, unsigned restarts);

void log_remove(const char *path); /* and what was put aside of it (rotate.c) */

/* The last words: /dev/termination-log, or the end of the log when the policy says so.  A new
 * string. */
char *container_message(const struct host *h, const json_t *pod, const json_t *container,
    unsigned attempt, unsigned restarts, bool failed);

char *container_cgroup(const struct host *h, const char *uid, const char *name, unsigned attempt);

#endif
