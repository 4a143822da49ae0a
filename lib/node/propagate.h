#ifndef ORCH_NODE_PROPAGATE_H
#define ORCH_NODE_PROPAGATE_H

#include "node/host.h"

/*
 * Mounts that go both ways (mountPropagation Bidirectional).  A container is started in a mount
 * namespace to which the machine's mounts come, but from which none go back; a volume that is to
 * give its mounts back is taken hold of before that, and put below the bundle again inside.
 */
struct held {
	int *fd; /* of each of the container's volumeMounts; -1: not such a one */
	size_t n;
};

/* Before host_private_mounts.  INVALID for who may not, or where the machine's mount is not shared.
 */
int propagate_hold(struct held *ret, const struct host *h, const json_t *pod,
    const json_t *container, struct err *err);
/* After it. */
int propagate_place(const struct held *held, const char *bundle, struct err *err);
void propagate_release(struct held *held);

/* Where volumeMounts[i] is then; a new string. */
char *propagate_path(const char *bundle, size_t i);
bool propagates(const json_t *mount);

/* Put a detached tree of mounts at a path, which is made. */
int mount_attach(int tree, const char *path, struct err *err);
/* Put a file or folder that is open (O_PATH) at a path, for this mount namespace. */
int mount_open(int fd, const char *path, struct err *err);

#endif
