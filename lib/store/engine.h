#ifndef ORCH_STORE_ENGINE_H
#define ORCH_STORE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Where the store keeps its bytes.  An engine holds one log of changes, numbered
 * by the global revision; the objects are the newest change of each key.  It knows
 * nothing of Kubernetes.  One thread at a time uses an engine.
 */
struct change {
	uint64_t revision;
	uint64_t prev; /* the change this one replaces, 0: the key was not there */
	int64_t time;  /* seconds since the epoch */
	bool deleted;  /* data is then the last state */
	const char *key;
	const void *index, *data; /* index: what the cache wants beside the bytes */
	size_t index_len, len;
};

struct engine {
	const struct engine_ops *ops;
};

struct engine_ops {
	/* Every change that is kept, in order.  *compacted: history at and before it is gone. A
	 * negative return of `each` ends the walk. */
	int (*scan)(struct engine *e, uint64_t *compacted,
	    int (*each)(void *arg, const struct change *c, uint64_t compacted, struct err *err),
	    void *arg, struct err *err);
	/* Keep all n changes or none; on return they survive a power cut. */
	int (*commit)(struct engine *e, const struct change *changes, size_t n, struct err *err);
	/* Forget what changes up to `upto` replaced or deleted, looking at no more than `limit` of
	 * them; *compacted gets how far it came. */
	int (*compact)(
	    struct engine *e, uint64_t upto, unsigned limit, uint64_t *compacted, struct err *err);
	void (*close)(struct engine *e);
};

/* The embedded engine: SQLite in DIR/store.db.  DIR/lock keeps a second store out. */
int sqlite_open(struct engine **ret, const char *dir, struct err *err);

#endif
