#ifndef ORCH_BASE_TERMINAL_H
#define ORCH_BASE_TERMINAL_H

#include "base/err.h"

/* The terminal that a program is used from. */

/* Hand every key on as it is typed.  It is put back when the process exits, also by SIGINT,
 * SIGTERM, SIGHUP, SIGQUIT or SIGPIPE; or by terminal_restore(). */
int terminal_raw(int fd, struct err *err);
void terminal_restore(void);

/* A descriptor that is readable when the terminal has got another size, until terminal_size() is
 * asked with it (-1: only asked).  That is SIGWINCH's, which is blocked. */
int terminal_resizes(struct err *err);
void terminal_size(int resizes, unsigned *rows, unsigned *columns); /* 0: there is no terminal */

#endif
