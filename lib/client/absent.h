#ifndef ORCH_CLIENT_ABSENT_H
#define ORCH_CLIENT_ABSENT_H

#include "client/client.h"

/*
 * What a plan takes to be gone must be gone when it is carried out, for a cache may not have heard
 * of it yet.  A conflict when it is there after all; another error when nobody can tell, because an
 * extension server does not answer.
 */

/* An array of references to objects (control/control.h, "absent"); NULL for none.  What is of a
 * kind that the server does not have in any version is not there. */
int act_still_absent(struct client *c, const json_t *refs, struct err *err);
/* No object of any kind but Events is in the namespace; "" for none. */
int act_still_empty(struct client *c, const char *ns, struct err *err);

#endif
