#ifndef ORCH_CLIENT_PAST_H
#define ORCH_CLIENT_PAST_H

#include "client/client.h"

/*
 * The states one object has been in, as far back as the server remembers: by a watch from the
 * oldest version that one can begin from, and before it by lists of exactly one version
 * (resourceVersionMatch=Exact).  Any Kubernetes can be asked so; how much it remembers is its
 * affair (some minutes, usually).  Versions are numbers and come from one counter, as Kubernetes
 * has promised since 1.35.
 */
enum version_type { VERSION_CREATED, VERSION_CHANGED, VERSION_DELETED };

struct version {
	unsigned long long number; /* its resourceVersion */
	enum version_type type;
	json_t *obj;	 /* for DELETED its last state */
	const char *who; /* the field manager; borrowed from obj, "" when not known */
	int64_t time;	 /* when it was written, in seconds since the epoch; 0: not known */
};

struct past {
	struct version *item; /* oldest first; none when nothing is remembered of such an object */
	size_t n, cap;
	unsigned long long now;	  /* the newest version of all when it was read */
	unsigned long long begin; /* what was before this one is forgotten; 0: nothing is missing */
};

int past_read(struct past *p, struct client *c, const struct kind *k, const char *ns,
    const char *name, struct err *err);
void past_release(struct past *p);

/* The object as it is now, NULL when it is not. */
json_t *past_current(const struct past *p);

/*
 * The version that is meant by
 *	123			the state at this resourceVersion, of whatever object
 *	~2			two versions before the latest
 *	@1h, @90s		the state so long ago
 *	2026-01-02T03:04:05Z	the state at that time (also with '@' before it)
 * now is seconds since the epoch.  NOT_FOUND when the object did not exist then
 * or that is forgotten, BAD_REQUEST when it is none of these.
 */
int past_find(const struct past *p, const char *text, int64_t now, const struct version **ret,
    struct err *err);

#endif
