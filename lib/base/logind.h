#ifndef ORCH_BASE_LOGIND_H
#define ORCH_BASE_LOGIND_H

#include <stdbool.h>

#include "base/err.h"

/*
 * systemd-logind, as far as it goes about shutting down: a delay lock that it waits for, and its
 * word that the machine is about to go down.  See org.freedesktop.login1(5), "inhibitor locks".
 *
 *	logind_open(&l, &err);
 *	logind_hold(l, "who", "why", &err);
 *	poll(logind_fd(l), ..., logind_wait(l)), then logind_step(l, &err); logind_shutting_down(l)
 *	logind_release(l);
 */
struct logind;

/* By the system bus; UNAVAILABLE without one, or without logind. */
int logind_open(struct logind **ret, struct err *err);
void logind_close(struct logind *l); /* with the lock; accepts NULL */

int logind_hold(struct logind *l, const char *who, const char *why, struct err *err);
void logind_release(struct logind *l);
bool logind_holds(const struct logind *l);

int logind_fd(const struct logind *l);
int logind_events(const struct logind *l); /* as poll(2) */
int logind_wait(const struct logind *l);   /* milliseconds, -1: for ever */
int logind_step(struct logind *l, struct err *err);

bool logind_shutting_down(const struct logind *l); /* what it said last */

/* For how many seconds it waits for a lock. */
int logind_delay(struct logind *l, double *ret, struct err *err);
/* Have that made so many seconds: by a file of settings, which is read again now. */
int logind_set_delay(struct logind *l, const char *file, double seconds, struct err *err);

#endif
