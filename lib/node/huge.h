#ifndef ORCH_NODE_HUGE_H
#define ORCH_NODE_HUGE_H

#include <jansson.h>

#include "node/host.h"

/*
 * Huge pages: what the machine has of each size, and who may use how many.  A machine whose cgroups
 * cannot hold anybody to that (no hugetlb controller) has none to give.
 */
struct huge {
	char name[40]; /* "hugepages-2Mi" */
	char file[16]; /* as in the names of the cgroup's files: "2MB" */
	int64_t size, pages;
};
enum { HUGE_SIZES = 8 };
size_t huge_sizes(struct huge *ret); /* at most HUGE_SIZES; in the order of size */

/* Into the resources of a Node: what there is, or what can be given.  The bytes of all sizes. */
int64_t huge_add(json_t *resources, const struct cgroups *c, bool give);

/* hugepageLimits of the OCI configuration of a container; NULL where the runtime is not to set any.
 * New. */
json_t *huge_limits(const json_t *pod, const json_t *container, const struct cgroups *c);

/* Hold the group of a pod to what its containers, or the pod itself, ask for. */
int huge_bound_pod(const json_t *pod, const char *group, const struct cgroups *c, struct err *err);

/*
 * Where the runtime cannot do it, because it must not see the tree that has the controller
 * (cgroups.hide_v2): make the container's group before that tree is hidden, and put its first
 * process there when it is known.  -1: there is nothing to be done.
 */
int huge_open(const json_t *pod, const json_t *container, const char *group,
    const struct cgroups *c, int *fd, struct err *err);
int huge_enter(int fd, pid_t pid, struct err *err);
/* For what is started in a container later: the calling process is in that group from here on, and
 * so is what it starts, until it goes back (-1: it is where it was). */
int huge_visit(const struct host *h, const char *bundle, int *back, struct err *err);
void huge_return(int *back);

#endif
