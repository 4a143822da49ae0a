#ifndef ORCH_BASE_PROC_H
#define ORCH_BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Processes.  A pid alone is no name for a process (pids are used again): with
 * its start time, in clock ticks since boot, it is.
 */
struct proc {
	pid_t pid;	/* 0: none */
	uint64_t start; /* field 22 of /proc/PID/stat */
};

/* Fill in the start time of a running pid; false when there is no such process. */
bool proc_identify(pid_t pid, struct proc *ret);
bool proc_alive(const struct proc *p); /* the same process still runs (a zombie does not) */

/* Signal it if it is still the same process; 0 also when it is already gone. */
int proc_signal(const struct proc *p, int sig, struct err *err);
/* Wait until it has gone (by pidfd, no polling), also when it is no child; false after `seconds`.
 */
bool proc_wait_gone(const struct proc *p, double seconds);

/*
 * Start a program with stdin from /dev/null, and stdout and stderr appended to the file `log`
 * (NULL: inherited).  It gets its own session when `session`.  env are further "NAME=value"
 * entries (NULL-terminated, may be NULL).  A program that cannot be executed is an error here, not
 * a child that exits.
 */
int proc_spawn(struct proc *ret, const char *const *argv, const char *const *env, const char *log,
    bool session, struct err *err);

/* Start a program with these descriptors as stdin, stdout and stderr. */
int proc_start(
    struct proc *ret, const char *const *argv, int in, int out, int errfd, struct err *err);

/* Run a program to its end with `input` (may be NULL) on stdin; its stderr is the error's
 * message when it fails.  stdout is appended to *out when out is not NULL. */
int proc_run(const char *const *argv, const char *input, struct buf *out, struct err *err);

/* The same, for at most so many seconds: then it is killed with all that it has started, which is
 * TIMEOUT.  0: as long as it takes. */
int proc_run_within(
    const char *const *argv, const char *input, struct buf *out, double seconds, struct err *err);

/* Kill a process and all that descend from it, by what /proc says now. */
void proc_kill_tree(pid_t pid);

/* The path of one of our programs: beside the running one when it is there, else its bare
 * name for PATH.  A new string. */
char *proc_sibling(const char *name);

#endif
