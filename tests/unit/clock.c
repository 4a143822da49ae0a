/* A timed wait goes by the clock that is never set back. */
#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/clock.h"

int
main(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t c;
	struct timespec until;
	double began = clock_monotonic();

	clock_cond_init(&c);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	pthread_mutex_lock(&lock);
	assert(pthread_cond_timedwait(&c, &lock, &until) == ETIMEDOUT);
	pthread_mutex_unlock(&lock);
	/* by the other clock that moment passed decades ago, and it would not have waited */
	assert(clock_monotonic() - began > 0.5);
	return 0;
}
