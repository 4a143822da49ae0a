#ifndef ORCH_NODE_ADMIT_H
#define ORCH_NODE_ADMIT_H

#include "node/host.h"

#define APPARMOR "/sys/kernel/security/apparmor" /* there when the kernel has it */

/*
 * Can this machine do what a pod asks for?  When not, the pod fails as a whole, with a reason, and
 * is never begun: what cannot be honoured is not left out.
 */

/* NULL, or the reason ("SysctlForbidden"; static), and *message: new. */
const char *admit_refuses(const struct host *h, const json_t *pod, char **message);

/* The profile by name that a container is to be under; NULL: the one it is born with. */
const char *apparmor_profile(const json_t *pod, const json_t *container);

#endif
