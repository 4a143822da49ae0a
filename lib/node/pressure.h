#ifndef ORCH_NODE_PRESSURE_H
#define ORCH_NODE_PRESSURE_H

#include "node/host.h"

/* How much is left of what may become short. */
struct pressure {
	int64_t available[SIGNALS], capacity[SIGNALS]; /* capacity 0: not known */
};
void pressure_look(const struct host *h, struct pressure *ret);

/*
 * One threshold over time: when less than it was seen first (0: there is enough), and whether that
 * was long enough ago for pods to be evicted.  Once it is `due`, what must be left beyond the
 * threshold is to be there before all is well again.
 */
struct strain {
	double since;
	bool due;
};
/* What `is` means for a signal; true when there is too little by one of its thresholds. */
bool pressure_judge(const struct reserve *r, const struct pressure *is, enum signal_of s,
    struct strain strain[URGENCIES][SIGNALS], double now);

/* What the Node says of it: for reserve.lasts after it was seen last. */
enum condition_of { MEMORY_PRESSURE, DISK_PRESSURE, PID_PRESSURE, CONDITIONS };
bool pressure_felt(const struct host *h, enum condition_of which, int64_t now);

bool pressure_of_disk(enum signal_of s);

#endif
