#ifndef ORCH_API_REGISTRY_H
#define ORCH_API_REGISTRY_H

#include <stdint.h>

#include "api/schema.h"

/*
 * The kinds that come and go at run time, beside the built-in tables.
 *
 * Readers take no lock: the functions of api/schema.h look into an immutable snapshot behind an
 * atomic pointer, which a change replaces.  What a change has taken out (the snapshot, its kinds,
 * their types) is freed once nobody can look at it any more, which is counted in epochs: who uses
 * kinds says so between registry_enter() and registry_leave() (a request from its beginning to its
 * answer, a watch's thread while it tells an event), and what was retired in one epoch goes when
 * all who entered in it or before have left.  Who keeps a kind for longer (a watch keeps it for
 * minutes) must be told to let go before the kind is retired.
 *
 * So memory is bounded by what is served now and what was replaced during the longest request.
 * Programs that never change the registry need not enter.
 *
 * One thread at a time changes it.
 */

/* From now on these kinds are served, too: an array in group, version, kind order, of which a copy
 * is taken; no built-in one may be among them. */
void registry_set(const struct kind *const *kinds, size_t n);
/* Grows with every change: who made something of all kinds sees that it is old. */
uint64_t registry_generation(void);

unsigned registry_enter(void);
void registry_leave(unsigned epoch);

/* Call release(what) once nobody who is in now can be in any more; what must be out of the registry
 * already. */
void registry_retire(void (*release)(void *what), void *what);
/* Release what has become free.  Returns how much is still waiting. */
size_t registry_reap(void);

/* --- for schema.c --- */
const struct kind *const *registry_kinds(size_t *n);	 /* all that are served */
const struct kind *const *registry_custom(size_t *n);	 /* in group, version, kind order */
const struct kind *const *registry_resources(size_t *n); /* in group, version, plural order */
bool registry_group(const char *group, const char *version);
/* Where those of a group (of so many bytes), or of a version of it, begin among registry_custom(),
 * or would. */
size_t registry_place(const char *group, size_t len, const char *version);

#endif
