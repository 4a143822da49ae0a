#ifndef ORCH_NODE_SERVER_TERMINAL_H
#define ORCH_NODE_SERVER_TERMINAL_H

#include "base/err.h"

/* Sockets by which terminals and the outputs of containers are had. */

/* Listen on a socket that an OCI runtime is told as --console-socket. */
int terminal_listen(const char *path, int *ret, struct err *err);
/* The terminal that the runtime sends there (SCM_RIGHTS); negative when it closes `words`, its
 * standard error, before, or within the seconds nothing comes. */
int terminal_accept(int listening, int words, double seconds);

/* Connect to conmon's attach socket: packets, the first byte of each 2 (output) or 3 (error). */
int terminal_attach(const char *path, struct err *err);

#endif
