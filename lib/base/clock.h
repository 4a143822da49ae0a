#ifndef ORCH_BASE_CLOCK_H
#define ORCH_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

/* The only readers of the clock.  Decisions get the time handed in (world_now). */
int64_t clock_now(void);      /* seconds since the epoch */
int64_t clock_now_us(void);   /* microseconds since the epoch */
double clock_monotonic(void); /* seconds since some start, never set back: for timeouts */
/* Seconds since the machine was started, also those it slept; never set, so a record can hold them
 * for the next process. */
double clock_boot(void);
/* What clock_boot() said at a time since the epoch, if the clock was not set since; not after now.
 */
double clock_boot_at(double epoch);

/* A condition whose timed waits go by CLOCK_MONOTONIC: one set back by an hour would hold them up
 * for as long. */
void clock_cond_init(pthread_cond_t *c);

#endif
