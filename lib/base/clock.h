#ifndef ORCH_BASE_CLOCK_H
#define ORCH_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

/* The only readers of the clock.  Decisions get the time handed in (world_now). */
int64_t clock_now(void);      /* seconds since the epoch */
int64_t clock_now_us(void);   /* microseconds since the epoch */
double clock_monotonic(void); /* seconds since some start, never set back: for timeouts */

/* A condition whose timed waits go by CLOCK_MONOTONIC: one set back by an hour would hold them up
 * for as long. */
void clock_cond_init(pthread_cond_t *c);

#endif
