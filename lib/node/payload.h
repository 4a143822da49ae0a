#ifndef ORCH_NODE_PAYLOAD_H
#define ORCH_NODE_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * The files of a volume that is made of objects.  They change all at once for who reads them by
 * their names, as Kubernetes' AtomicWriter has it:
 *
 *	FOLDER/NAME	-> ..data/NAME	(of a name with slashes, its first part)
 *	FOLDER/..data	-> ..2026_11_23_10_11_12.123456789	replaced by rename
 *	FOLDER/..2026_11_23_10_11_12.123456789/	the files themselves
 */
struct payload;

struct payload *payload_new(void);
void payload_free(struct payload *p); /* accepts NULL */

/* One file; the data are copied.  The last of two of the same name counts.  INVALID for a name
 * that is not below the folder. */
int payload_add(struct payload *p, const char *name, const void *data, size_t len, unsigned mode,
    struct err *err);
/* The file of that name as the folder has it now; false when it has none. */
bool payload_keep(struct payload *p, const char *folder, const char *name);

/* Make the folder hold these files and no others, of a group ((gid_t)-1: leave it), which may read
 * them then; nothing is written when it does already. */
int payload_write(const struct payload *p, const char *folder, gid_t group, struct err *err);

#endif
