#ifndef ORCH_BASE_TREE_H
#define ORCH_BASE_TREE_H

#include <stddef.h>

#include "base/err.h"

/* A file, or a folder and all that is below it, as a stream of tar. */

/*
 * Write the file `path` to fd, with `as` for its name.  Links are links.  UNAVAILABLE: nobody reads
 * it.
 */
int tree_pack(const char *path, const char *as, int fd, struct err *err);

/*
 * Make what fd brings: the stream is somebody else's, who may want to harm us.  All entries must be
 * `from` or below it, and become `as` (one name) in the working directory.  Modes and times are
 * kept, owners are not.  What is not made: devices, sockets and pipes, links that lead out of the
 * tree; `skip` is told of each, and *skipped counts them.  A stream that names other paths than
 * were asked for is INVALID.
 */
struct tree_reader {
	const char *from, *as;
	void (*skip)(const char *path, const char *why);
	size_t made, skipped;
};
int tree_unpack(struct tree_reader *t, int fd, struct err *err);

#endif
