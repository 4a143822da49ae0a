#ifndef ORCH_NODE_PRESSURE_H
#define ORCH_NODE_PRESSURE_H

#include "node/host.h"

/* How much is left of what may become short, and what of it is too little by --eviction-hard. */
struct pressure {
	int64_t available[SIGNALS], capacity[SIGNALS]; /* capacity 0: not known */
	bool met[SIGNALS];
};

void pressure_look(const struct host *h, struct pressure *ret);

/* What the Node says of it: for so many seconds after it was seen last. */
enum { PRESSURE_LASTS = 300 };
enum condition_of { MEMORY_PRESSURE, DISK_PRESSURE, PID_PRESSURE, CONDITIONS };
bool pressure_felt(const struct host *h, enum condition_of which, int64_t now);

#endif
