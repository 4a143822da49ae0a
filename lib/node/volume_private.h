#ifndef ORCH_NODE_VOLUME_PRIVATE_H
#define ORCH_NODE_VOLUME_PRIVATE_H

#include "node/volume.h"

/* What the files of volumes share; others use volume.h. */

/* A volume under construction, and what it may be made of.  All borrowed. */
struct making {
	const struct host *host;
	const json_t *pod, *sources, *volume;
	const char *ip, *folder;
	unsigned mode; /* of files that do not say their own */
	struct payload *files;
};

/* volume_files.c: the files of a volume that is made of objects, all at once; false in *made: this
 * one is not. */
int volume_write(struct making *m, bool *made, struct err *err);

/* volume_empty.c: the folder is there. */
int volume_empty(const struct making *m, struct err *err);

/* volume_image.c: mounted on the folder. */
int volume_image(const struct making *m, struct err *err);

/* volume_host.c: what hostPath.type asks for ("": nothing), made when it says so. */
int host_path_check(const char *path, const char *type, struct err *err);

/* volume_group.c: all of a folder to a group; not `always`: only when its root is not yet as it
 * should be. */
int volume_own(const char *path, gid_t group, bool always, struct err *err);

/*
 * volume_claim.c: a persistentVolumeClaim or ephemeral volume, whose folder becomes a link to
 * where its PersistentVolume is.  The message is whole, as the kubelet has it.
 */
bool volume_claims(const json_t *volume);
int volume_claim(const struct making *m, struct err *err);
void claim_sources(json_t *sources, const json_t *pod); /* each null */

#endif
