#ifndef ORCH_NODE_SPEC_H
#define ORCH_NODE_SPEC_H

#include "node/host.h"
#include "node/image.h"

/* What a container is made from. All borrowed. */
struct making_of {
	const struct host *host;
	const json_t *pod, *container, *sources;
	const struct image *image;
	const char *ip;	    /* the pod's */
	const char *bundle; /* the folder with rootfs, mounted */
	const char *cgroup; /* of the container */
	pid_t target;	    /* whose PID namespace it joins (container.h) */
};

/* The environment as an array of "NAME=value" (environment.c): the image's, then envFrom and env,
 * with
 * $(NAME) replaced.  A source that is missing is INVALID, with its name. */
int environment_make(const struct making_of *m, json_t **ret, struct err *err);
/* NAME=value in place of an earlier one of that name. */
void environment_set(json_t *env, const char *name, const char *value);
/* What Services a container is told of (links.c): those of its pod's namespace unless the pod wants
 * none, and "kubernetes". */
void environment_links(json_t *env, const json_t *pod, const json_t *services);
/* $(NAME) from an array of "NAME=value"; "$$(" is a literal "$(".  A new string. */
char *environment_expand(const char *text, const json_t *env);

/* process.user (user.c): runAsUser and the like, else the image's USER, by the names in its
 * /etc/passwd and /etc/group. */
int user_make(const struct making_of *m, json_t **ret, struct err *err);

/* mounts of the OCI configuration (mounts.c), the volumes checked and subPaths made. */
int mounts_make(const struct making_of *m, json_t **ret, struct err *err);

/* Of the container's volumes (mount_volume.c), into an array. */
int volume_mounts(const struct making_of *m, json_t *list, struct err *err);
/* How the root's mounts are to be tied to the machine's for some volumeMount: NULL, not at all. */
const char *mount_propagation(const json_t *container);
bool mount_sets_trees(void); /* has the kernel mount_setattr(2)? */
/* Is a volumeMount read-only with all that is mounted below it? */
bool mount_all_readonly(const json_t *mount);

/* linux.resources (resources.c), and the OOM score of process. */
/* The limit of a container, else that of its pod: it is never more.  Borrowed, or NULL. */
json_t *container_limit(const json_t *pod, const json_t *container, const char *resource);

json_t *resources_make(const json_t *pod, const json_t *container, const struct cgroups *groups);
int oom_score(const json_t *pod, const json_t *container);

/* linux.devices for volumeDevices (devices.c), and that they may be used. */
int devices_add(const struct making_of *m, json_t *spec, struct err *err);

/* The whole config.json of the OCI runtime specification. */
int spec_make(const struct making_of *m, json_t **ret, struct err *err);

/* A field that a container's securityContext has, else the pod's. */
const json_t *security(const json_t *pod, const json_t *container, const char *field);

#endif
