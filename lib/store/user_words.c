/* Groups and extras of a user, gathered one by one. */
#include "store/user_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/http_parse.h"

void
words_add(struct words *w, const char *s)
{
	if (w->n == w->room) {
		w->room = w->room ? 2 * w->room : 8;
		w->at = xreallocarray(w->at, w->room, sizeof *w->at);
	}
	w->at[w->n++] = w->text.len;
	buf_add(&w->text, s, strlen(s) + 1);
}

bool
words_has(const struct words *w, const char *s)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->text.data + w->at[i], s) == 0)
			return true;
	return false;
}

void
words_add_key(struct words *w, const char *key)
{
	autofree char *lower = xstrdup(key), *plain = xstrdup(key);

	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	if (!percent_decode(plain, lower, strlen(lower), false))
		strcpy(plain, lower);
	words_add(w, plain);
}

void
words_user(struct words *w, size_t groups, struct user *u)
{
	size_t lists = (w->n + 2) * sizeof(char *); /* a NULL behind each */
	const char **block = xcalloc(1, lists + w->text.len), *text = (char *)block + lists;

	if (w->text.len)
		memcpy((char *)block + lists, w->text.data, w->text.len);
	for (size_t i = 0; i < w->n; i++)
		block[i + (i >= groups)] = text + w->at[i];
	u->groups = block;
	u->extra = w->n > groups ? block + groups + 1 : NULL;
	buf_release(&w->text);
	free(w->at);
	*w = (struct words)WORDS_INIT;
}
