#ifndef ORCH_NODE_CGROUP_H
#define ORCH_NODE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Control groups, whichever way this machine has them: one v2 tree, v1 trees, or both (hybrid).
 * Paths here start below the tree's root: "/orch/NODE/podUID/CONTAINER".
 */
struct cgroups {
	bool v2;  /* one v2 tree at /sys/fs/cgroup */
	bool cpu; /* processor time can be shared out */
	/* Hybrid, and the v2 tree has controllers: crun refuses that, so it must not
	 * see the v2 tree (cgroup_hide_v2). */
	bool hide_v2;
	/* Who holds containers to their huge pages (huge.h): nobody can; the runtime; we do, in the
	 * v2 tree that the runtime must not see. */
	enum { HUGE_NONE, HUGE_RUNTIME, HUGE_OURS } huge;
};

void cgroup_detect(struct cgroups *ret);

/* In a mount namespace of its own: take the v2 tree away.  Nobody else notices. */
int cgroup_hide_v2(const struct cgroups *c, struct err *err);

/* What all in a group may have together; 0: what it has, of the kernel when it is new. */
enum { CGROUP_UNLIMITED = -1 }; /* of quota and memory */
struct cgroup_limits {
	int64_t shares; /* as v1 counts them: 1024 for a whole processor */
	int64_t quota;	/* microseconds of processor time in 100 ms */
	int64_t memory; /* bytes */
	int64_t pids;
};

/* A group with those above it, bounded.  Where it is there already, the bounds are set again. */
int cgroup_create(
    const struct cgroups *c, const char *path, const struct cgroup_limits *l, struct err *err);
bool cgroup_exists(const struct cgroups *c, const char *path);

/* The weight of v2 (1 to 10000) for shares of v1 (2 to 262144), as OCI runtimes convert it. */
int64_t cgroup_weight(int64_t shares);

/* Let what is frozen in it go on: only then it takes signals. */
void cgroup_thaw(const struct cgroups *c, const char *path);
/* Kill what is in it now. */
void cgroup_kill(const struct cgroups *c, const char *path);
/* Kill all in it and below, and remove it from every tree.  Missing is fine. */
int cgroup_remove(const struct cgroups *c, const char *path, struct err *err);

/*
 * Move the calling process to a group of its own, in the trees by which a service manager finds
 * what belongs to a service: what it starts from here on outlives the service.  As far as it goes.
 */
void cgroup_leave_service(const struct cgroups *c, const char *path);

/* Remove it where nothing is in it. */
void cgroup_remove_empty(const struct cgroups *c, const char *path);

/* What a file of the group says, of the v1 tree of a controller or by its name in v2: its first
 * number, -1 for "max" or none; false: it is not there. */
bool cgroup_number(const struct cgroups *c, const char *path, const char *controller,
    const char *v1, const char *v2, int64_t *ret);

bool cgroup_contains(const char *path, pid_t pid); /* is the process in it or below? */
long cgroup_oom_kills(const struct cgroups *c, const char *path); /* so far; 0 when unknown */

#endif
