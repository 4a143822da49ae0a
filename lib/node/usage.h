#ifndef ORCH_NODE_USAGE_H
#define ORCH_NODE_USAGE_H

#include <stdint.h>

#include "node/cgroup.h"

/* What is used on this machine, as the kernel counts it. */
struct usage {
	bool cpu_known, memory_known;
	uint64_t cpu;		     /* nanoseconds of processor time so far */
	uint64_t memory, rss, limit; /* bytes; limit 0: none */
	uint64_t working; /* memory less what can be taken back at once: inactive file pages */
	uint64_t faults, major_faults;
};

/* Of a cgroup with all below it.  What cannot be read is not known. */
void usage_of_group(const struct cgroups *c, const char *path, struct usage *ret);
/* Of the whole machine; limit is its memory. */
void usage_of_machine(const struct cgroups *c, struct usage *ret);
uint64_t usage_processes(const struct cgroups *c, const char *path); /* in it and below */

#endif
