#ifndef ORCH_CLIENT_CRDS_H
#define ORCH_CLIENT_CRDS_H

#include "api/learn.h"
#include "base/opt.h"

/*
 * Where a filter learns custom kinds from, the same in all of them: --crds FILE (a file or folder,
 * as often as wanted), --from-server (with client_opts, which say where it is), and the stream.
 *
 * Nothing here talks to a server itself: orch-get does, so that a filter stays small.
 */
struct crds_options {
	struct list files;
	bool server;
};
extern struct crds_options crds_options;
extern const struct opt crds_opts[]; /* for program.shared, beside client_opts */

/*
 * Learn by the options: first from the server, then from the files in their order, so that a file
 * counts more.  What cannot be learned is said (base/cli.h's warn()), and its kinds stay unknown.
 * `words` (ended by NULL; or NULL for all): only kinds that one of them may mean, by what stands
 * before its first dot.  Negative when a file cannot be read, or the server not be asked.
 */
int crds_learn(struct learn *l, char *const words[], void (*say)(const char *fmt, ...) PRINTF(1, 2),
    struct err *err);

/* Learn from an object of the input if it is a definition, and say what is odd about it; then have
 * all that is known found.  `where` is objects_where()'s. */
void crds_take(struct learn *l, const json_t *obj, const char *where,
    void (*say)(const char *fmt, ...) PRINTF(1, 2));

#endif
