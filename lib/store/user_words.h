#ifndef ORCH_STORE_USER_WORDS_H
#define ORCH_STORE_USER_WORDS_H

#include "store/call.h"

/* The groups and extras of a user as they are read from headers, and then in one block. */
struct words {
	struct buf text;     /* each ended by a NUL */
	size_t *at, n, room; /* where each begins */
};
#define WORDS_INIT                   \
	{                            \
		BUF_INIT, NULL, 0, 0 \
	}

void words_add(struct words *w, const char *s);
bool words_has(const struct words *w, const char *s);
/* The key of an extra as a header has it: it is in lower case, and what cannot stand in the name of
 * a header is percent-encoded there. */
void words_add_key(struct words *w, const char *key);

/*
 * Into u->groups (one block, to be freed) the first so many words, into u->extra the rest: key,
 * value and so on.  Releases the words.
 */
void words_user(struct words *w, size_t groups, struct user *u);

#endif
