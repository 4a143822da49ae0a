#ifndef ORCH_KUBELET_MANIFESTS_H
#define ORCH_KUBELET_MANIFESTS_H

#include <jansson.h>

#include "base/err.h"

/*
 * Static pods: a folder of manifests of Pods that a node runs whoever else wants what.  Files whose
 * names begin with a dot are left alone.  As with the kubelet a pod's name gets the node's behind
 * it, its uid is made of node, file and contents, and annotations say where it comes from: a file
 * that changes makes another pod.
 */
struct manifests;

/* The folder need not be there yet. */
int manifests_open(struct manifests **ret, const char *folder, const char *node, struct err *err);
void manifests_close(struct manifests *m);   /* accepts NULL */
int manifests_fd(const struct manifests *m); /* readable when something may have changed */

/*
 * The pods that the folder asks for now, an object by uid, new; NULL when nothing has changed since
 * the last call.  What is wrong with a file is logged once, and its former pods stay.
 */
json_t *manifests_read(struct manifests *m);

/* The annotations by which a static pod and its mirror on the server know each other. */
#define STATIC_SOURCE "kubernetes.io/config.source"
#define STATIC_HASH "kubernetes.io/config.hash"
#define STATIC_MIRROR "kubernetes.io/config.mirror"

#endif
