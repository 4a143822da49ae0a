/* pace: so many pods are worked on at a time, and who is slow does not count. */
#include <assert.h>
#include <math.h>
#include <unistd.h>

#include "base/mem.h"
#include "node/agent_state.h"

int
main(void)
{
	size_t most = (size_t)sysconf(_SC_NPROCESSORS_ONLN) * 8, n = most + 3;
	struct agent a = { .n = n, .wake = INFINITY };

	a.pod = xcalloc(n, sizeof *a.pod);
	for (size_t i = 0; i < n; i++)
		a.pod[i] = xcalloc(1, sizeof **a.pod);
	for (size_t i = 0; i < most; i++) {
		assert(pace_allows(&a, 100.5) && isinf(a.wake));
		a.pod[i]->job.pid = 1;
		a.pod[i]->doing_since = i == 0 ? 99.75 : 100.25;
	}
	assert(!pace_allows(&a, 100.5) && a.wake == 100.75); /* when the first of them is slow */
	a.wake = 100.6;
	assert(!pace_allows(&a, 100.5) && a.wake == 100.6); /* never later than it was */
	assert(pace_allows(&a, 100.75));
	a.pod[0]->doing_since = 100.5; /* it has begun something else */
	assert(!pace_allows(&a, 100.75));
	a.pod[3]->job.pid = 0;
	assert(pace_allows(&a, 100.75));
	a.pod[most]->job.pid = 1; /* begun long ago: a pull */
	a.pod[most]->doing_since = 7;
	assert(pace_allows(&a, 100.75));
	for (size_t i = 0; i < n; i++)
		free(a.pod[i]);
	free(a.pod);
	return 0;
}
