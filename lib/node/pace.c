/*
 * How many pods are worked on at a time.  Starting one is mostly work for the processors: all of a
 * burst at once would take the memory of hundreds of processes and have probes wait behind them,
 * and none of the pods would be ready before the last.  What is slow waits for something else (a
 * registry, a hook, a volume) and is in nobody's way.
 */
#include <unistd.h>

#include "node/agent_state.h"

static const double SLOW = 1; /* seconds */

static size_t
limit(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return (size_t)(processors > 0 ? processors : 1) * 8;
}

bool
pace_allows(struct agent *a, double now)
{
	double next = now + SLOW;
	size_t busy = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct pod *p = a->pod[i];

		if (!p->job.pid || p->doing_since + SLOW <= now)
			continue;
		busy++;
		next = p->doing_since + SLOW < next ? p->doing_since + SLOW : next;
	}
	if (busy < limit())
		return true;
	a->wake = next < a->wake ? next : a->wake;
	return false;
}
