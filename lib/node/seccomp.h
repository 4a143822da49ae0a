#ifndef ORCH_NODE_SECCOMP_H
#define ORCH_NODE_SECCOMP_H

#include "node/host.h"

/*
 * System call filters.  Profiles are files in the format of Docker's and containers-common's
 * seccomp.json: rules that hold for some architectures, capabilities or kernels only; or the OCI
 * runtime's own, which is that without conditions.
 */

/*
 * linux.seccomp of the OCI configuration for a container with these capabilities (["CAP_CHOWN",
 * ...]), by its securityContext.seccompProfile, else the pod's, else the host's default: new, or
 * NULL for none.  Privileged containers have none.  INVALID when the profile cannot be had.
 */
int seccomp_make(const struct host *h, const json_t *pod, const json_t *container,
    const json_t *capabilities, json_t **ret, struct err *err);

/* A profile for one machine: what of its rules holds there.  Pure; INVALID when it is no profile.
 */
struct seccomp_machine {
	const char *arch; /* "amd64", as Go names them */
	int kernel_major, kernel_minor;
	const json_t *capabilities;
};
int seccomp_reduce(
    const json_t *profile, const struct seccomp_machine *m, json_t **ret, struct err *err);

#endif
