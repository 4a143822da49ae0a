#ifndef ORCH_NODE_REGISTRY_RULES_H
#define ORCH_NODE_REGISTRY_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * Where the images of a registry are got: a file of one rule a line, words between blanks, "#"
 * begins a comment.
 *
 *	HOST mirror URL		ask there first; several are asked in their order
 *	HOST insecure		plain HTTP; TLS without checks where a mirror's URL says https
 *	HOST ca FILE		whom to trust (PEM) instead of the machine's own list
 */
struct endpoint {
	char *domain; /* "127.0.0.1:5000": whose logins and whose name in messages */
	char *root;   /* "http://127.0.0.1:5000", without a slash at its end */
	char *prefix; /* before the repository: "hub/" or "" */
	char *ca;     /* or NULL */
	bool insecure;
};

struct endpoints {
	struct endpoint *item;
	size_t n, cap;
};

/*
 * The mirrors of a registry by `file` (which may be missing unless `must`), then itself.
 * `insecure`: all of them are.  A line that is wrong is INVALID and named.
 */
int endpoints_find(struct endpoints *ret, const char *file, bool must, const char *domain,
    bool insecure, struct err *err);
void endpoints_release(struct endpoints *e);

#endif
