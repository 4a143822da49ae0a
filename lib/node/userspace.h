#ifndef ORCH_NODE_USERSPACE_H
#define ORCH_NODE_USERSPACE_H

#include "node/host.h"

/*
 * The user namespace of a pod (spec.hostUsers: false), pinned at DATA/pods/UID/ns/user: its ids 0
 * to 65535 are the pod's own range of the machine's (idrange.h), and it owns the pod's other
 * namespaces.
 *
 * Files keep the ids that containers see: layers of images and volumes are mounted through that
 * map (mount_setattr(2), MOUNT_ATTR_IDMAP), whatever the runtime can do itself.
 */
bool pod_maps_users(const json_t *pod);

/* Ids, and a user namespace with them, for a pod whose folder ns is there; together with new ones
 * of `flags` (CLONE_NEWNET, ...), which belong to it and which this process enters. */
int userspace_make(const struct host *h, const char *uid, int flags, struct err *err);
char *userspace_path(const struct host *h, const char *uid); /* where it is pinned, new */
bool userspace_alive(const struct host *h, const char *uid);
void userspace_end(const struct host *h, const char *uid); /* and its ids are free */

/* Can layers and what is below DATA/pods be mounted through a map of ids on this machine? */
int userspace_possible(const struct host *h, struct err *err);

/*
 * Mount what is at `from` at `to` as well, which is made, with its ids mapped as in the user
 * namespace at `users`.  What is mounted below `from` comes along as it is.
 */
int idmap_mount(const char *users, const char *from, const char *to, struct err *err);

#endif
