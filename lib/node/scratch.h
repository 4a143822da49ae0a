#ifndef ORCH_NODE_SCRATCH_H
#define ORCH_NODE_SCRATCH_H

#include "node/host.h"

/*
 * The folders that a node and its containers' monitors must be able to write to also when the
 * disk of its data is full: how a container ended is written there, and what a probe needs.
 *
 *	DATA/run/runtime/	the OCI runtime's own state
 *	DATA/run/exits/		exit files of conmon
 *	DATA/run/attach/	sockets of conmon
 *	DATA/run/handlers/	the same of other runtimes than the default
 *	DATA/run/exec/		what is to be run in a container, while it is begun
 *
 * Where /run is another file system they are links to folders below /run/orch/nodes.  Nothing in
 * them outlives the machine's next start.
 */
int scratch_open(const struct host *h, struct err *err); /* who holds the node's lock */
void scratch_close(const struct host *h);		 /* they go, when no container is left */
int scratch_remove(const struct host *h, struct err *err);

#endif
