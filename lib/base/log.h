#ifndef ORCH_BASE_LOG_H
#define ORCH_BASE_LOG_H

#include "base/err.h"

/*
 * What daemons say on stderr: one line an event, "orch-node: pod default/web-1: started".
 * No timestamps: whoever keeps the log adds them.  The only printing that
 * library code does; one-shot programs stay silent and return errors.
 */
void log_open(const char *program,
    int verbosity); /* -1: nothing; 0: events and errors; 1: more; call once, in main */
void log_line(const char *fmt, ...) PRINTF(1, 2);
void log_more(const char *fmt, ...) PRINTF(1, 2); /* only with verbosity 1 */

#endif
