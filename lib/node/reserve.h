#ifndef ORCH_NODE_RESERVE_H
#define ORCH_NODE_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What of a machine is not for pods, in the kubelet's words. */

/* What may become short. */
enum signal_of {
	MEMORY_AVAILABLE,
	NODEFS_AVAILABLE,
	NODEFS_INODES,
	IMAGEFS_AVAILABLE, /* of the same file system as the others: there is one */
	IMAGEFS_INODES,
	PID_AVAILABLE,
	SIGNALS
};
extern const char *const signal_names[SIGNALS]; /* "memory.available" */

struct threshold {
	bool set;
	int64_t value;	/* bytes, inodes, processes */
	double percent; /* of what there is, when this is not 0 */
};

/* Less than the hard one is left: a pod is evicted at once.  Less than the soft one for as long as
 * `grace`: then, and within its own grace period if that is not longer than `longest`. */
enum { HARD, SOFT, URGENCIES };

struct reserve {
	int64_t cpu, memory, storage, pids; /* cpu in thousandths */
	struct threshold at[URGENCIES][SIGNALS];
	struct threshold extra[SIGNALS]; /* what must be left beyond it before all is well again */
	double grace[SIGNALS];		 /* seconds; of a soft one it is set */
	double longest;			 /* seconds */
	double lasts;			 /* a condition of the Node stays for so many seconds */
};

/* Add "cpu=100m,memory=256Mi,ephemeral-storage=1Gi,pid=1000". */
int reserve_add(struct reserve *r, const char *list, struct err *err);

/* Set "memory.available<100Mi,nodefs.available<10%"; those not in it are not looked at. */
int reserve_thresholds(struct threshold at[static SIGNALS], const char *list, struct err *err);
#define RESERVE_THRESHOLDS "memory.available<100Mi,nodefs.available<1Gi,nodefs.inodesFree<5%"
/* The same with "=": "nodefs.available=500Mi". */
int reserve_extra(struct threshold extra[static SIGNALS], const char *list, struct err *err);
/* "memory.available=1m30s".  Every soft threshold must have one. */
int reserve_grace(struct reserve *r, const char *list, struct err *err);

int64_t threshold_value(const struct threshold *t, int64_t capacity); /* 0: not set */

#endif
