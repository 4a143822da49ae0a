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

struct reserve {
	int64_t cpu, memory, storage, pids; /* cpu in thousandths */
	struct threshold hard[SIGNALS];
};

/* Add "cpu=100m,memory=256Mi,ephemeral-storage=1Gi,pid=1000". */
int reserve_add(struct reserve *r, const char *list, struct err *err);

/* Set "memory.available<100Mi,nodefs.available<10%"; those not in it are not looked at. */
int reserve_thresholds(struct reserve *r, const char *list, struct err *err);
#define RESERVE_THRESHOLDS "memory.available<100Mi,nodefs.available<1Gi,nodefs.inodesFree<5%"

int64_t threshold_value(const struct threshold *t, int64_t capacity); /* 0: not set */

#endif
