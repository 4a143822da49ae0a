#ifndef ORCH_NODE_PULL_H
#define ORCH_NODE_PULL_H

#include "node/host.h"
#include "node/image.h"

/*
 * The image of a container by its imagePullPolicy.  On failure *reason is the word Kubernetes has
 * for it (ErrImagePull, ErrImageNeverPull, ImageInspectError, InvalidImageName).  One image is
 * pulled once, however many ask; one that is damaged is pulled again.
 */
int pull_if_needed(const struct host *h, const json_t *pod, const json_t *container,
    const json_t *sources, struct image *ret, const char **reason, struct err *err);

#endif
