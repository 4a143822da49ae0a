#ifndef ORCH_NODE_FILES_H
#define ORCH_NODE_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Small file work that the node does often. */

/* Remove a file or a whole folder; what is missing is fine.  Never leaves the file system
 * it starts on: something still mounted below makes it fail rather than be emptied. */
int tree_remove(const char *path, struct err *err);

/* Write a file in one go (no fsync: for what a restart makes again). */
int file_write(const char *path, const void *data, size_t len, unsigned mode, struct err *err);

/* The same in place of what is there, all or nothing. */
int file_swap(const char *path, const void *data, size_t len, unsigned mode, struct err *err);

/* The first line of a small file (a pid, an exit code, a limit) into buf, without its end.
 * False when it cannot be read. */
bool file_line(const char *path, char *buf, size_t size);

bool file_exists(const char *path);

/* May a name from outside become a path below a folder: relative and without ".."? */
bool name_is_below(const char *name);

/* Open a path inside `root` as a container sees it: links and ".." stay inside.  flags as open(2),
 * a descriptor or -1 with errno. */
int open_inside(const char *root, const char *path, int flags);

#endif
