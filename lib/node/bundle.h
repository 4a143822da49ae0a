#ifndef ORCH_NODE_BUNDLE_H
#define ORCH_NODE_BUNDLE_H

#include "node/container.h"

/* What the OCI runtime is given of a container: the folder with its root and config.json. */

/* The layers of the image mounted at bundle/rootfs, and bundle/config.json; *user gets the user of
 * its process. In a forked process that has its own mounts. */
int bundle_make(const struct start *s, const struct image *image, const char *bundle, json_t **user,
    struct err *err);

/* The configuration alone, as it would be, for a forked process (job.h): nothing stays.  s is a
 * struct start, whose host holds no such pod; its image is pulled when its policy says so. */
int bundle_describe(void *start, json_t **result, struct err *err);

#endif
