#ifndef ORCH_NODE_VOLUME_H
#define ORCH_NODE_VOLUME_H

#include "node/host.h"

/*
 * A pod's volumes: emptyDir (on disk or in memory), hostPath, configMap, secret, downwardAPI,
 * projected, image, and claims on PersistentVolumes of the kinds local and hostPath.  Those that
 * are made live in DATA/pods/UID/volumes/NAME, which is a link to where a PersistentVolume is.  One
 * that no container uses is not made.
 */

/* "ConfigMap/name", "Secret/name" or "PersistentVolumeClaim/name" of everything that a pod's
 * volumes and environment refer to, "Token/seconds/audience" of the tokens that its volumes hold:
 * an object with these keys, each null.  Filled in: the object, null when there is none, true when
 * that cannot be said now. */
json_t *pod_sources(const json_t *pod);
json_t *volume_sources(const json_t *pod); /* of its volumes alone, without claims */
/* Add what those that are there lead to ("PersistentVolume/name", "Node/name"), null; false when
 * there is no more. */
bool sources_further(json_t *sources, const json_t *pod);
enum { TOKEN_SECONDS = 3600 }; /* of a projection that does not say it */
/* The key of one projection's token; its value is the token's text.  New. */
char *token_ref(const json_t *projection);

/* A message is as the kubelet has it ("MountVolume.SetUp failed for volume ..."). */
int volumes_up(const struct host *h, const json_t *pod, const json_t *sources, const char *ip,
    struct err *err);
/*
 * Bring what volumes_up has made up to what the sources hold now, each volume all at once
 * (payload.h).  One that needs what is missing, or cannot be had now, stays as it is.  All volumes
 * are done, whatever befalls one.
 */
int volumes_renew(const struct host *h, const json_t *pod, const json_t *sources, const char *ip,
    struct err *err);
void volumes_down(
    const struct host *h, const char *uid); /* unmount; the files go with the pod's folder */

/* Where a volume of the pod is on this machine, a new string; INVALID when it has no such volume.
 */
int volume_path(
    const struct host *h, const json_t *pod, const char *name, char **ret, struct err *err);

/* The groups that PersistentVolumes among the sources ask for (annotation
 * pv.beta.kubernetes.io/gid), into an array of numbers. */
void volume_groups(const json_t *sources, json_t *groups);

bool volume_is_host(const json_t *pod, const char *name); /* a hostPath, which may be missing */
bool volume_used(const json_t *pod, const char *name);	  /* by some container */
bool volume_is_image(const json_t *pod, const char *name);
/* Is nothing in it to be run? */
bool volume_noexec(const json_t *pod, const char *name);
/* May nobody write to it, whatever a container says? */
bool volume_readonly(const json_t *pod, const char *name);

/* One value of a source: text of a ConfigMap key, decoded bytes of a Secret key.  1 found, 0 not
 * there. */
int source_value(
    const json_t *sources, const char *kind, const char *name, const char *key, struct buf *out);

/* What an API server does with a Secret: its stringData become data. */
void secret_complete(json_t *secret);

/* The text of a fieldRef ("metadata.labels['app']", "status.podIP"); NULL when the path is not
 * known. A new string. */
char *pod_field(const struct host *h, const json_t *pod, const char *ip, const char *path);
/* A resourceFieldRef of a container. */
char *container_resource(const struct host *h, const json_t *container, const json_t *ref);

#endif
