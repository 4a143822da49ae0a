#ifndef ORCH_STORE_CHECKPOINT_H
#define ORCH_STORE_CHECKPOINT_H

#include "base/err.h"

/*
 * Moves the write-ahead log of a SQLite database into its file, on a thread and a
 * connection of its own, so that no commit waits for it.  The log starts over only
 * when all of it was moved: the last bit is done by the committing thread, between
 * two commits.
 */
struct checkpoint;
struct sqlite3;

int checkpoint_start(struct checkpoint **ret, const char *path, struct err *err);
void checkpoint_stop(struct checkpoint *c); /* waits for the thread; accepts NULL */
/* After each commit on db: the log has so many pages. */
void checkpoint_after(struct checkpoint *c, struct sqlite3 *db, int pages);

#endif
