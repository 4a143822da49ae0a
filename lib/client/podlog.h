#ifndef ORCH_CLIENT_PODLOG_H
#define ORCH_CLIENT_PODLOG_H

#include <jansson.h>
#include <stdio.h>

#include "base/crilog.h"
#include "client/client.h"

/*
 * The log of one container: from the API when it has it, else from the files of a node on this
 * machine.  A node says where those are by its annotation orch.io/log-dir, a folder that holds
 * NAMESPACE_POD_UID/CONTAINER/N.log.
 */
struct podlog {
	const json_t *pod;
	const char *container;
	bool follow, previous;
	struct log_options options;
};

int podlog_print(struct client *c, const struct podlog *l, FILE *out, struct err *err);

#endif
