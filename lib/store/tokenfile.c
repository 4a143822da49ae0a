#include "store/tokenfile.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum { DIGEST = 32, COLUMNS = 4, FILE_BYTES = 1 << 20 };

struct entry {
	unsigned char digest[DIGEST]; /* of the token: how long a comparison takes tells nothing */
	struct identity *identity;
};

struct tokens {
	struct entry *item;
	size_t n, cap;
};

void
tokens_free(struct tokens *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		identity_unref(t->item[i].identity);
	free(t->item);
	free(t);
}

static void
digest_of(const char *token, unsigned char digest[static DIGEST])
{
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, token, strlen(token), digest) < 0)
		abort();
}

/* Cuts one field off *at, in place (RFC 4180): what stands in quotes may hold commas, and "" for a
 * quote.  NULL at the end of the line. */
static char *
next_field(char **at)
{
	char *field = *at, *to = *at, *p = *at;
	bool quoted;

	if (!field)
		return NULL;
	quoted = *p == '"';
	for (p += quoted; *p && (quoted || *p != ','); p++) {
		if (quoted && *p == '"' && p[1] != '"')
			quoted = false;
		else
			*to++ = quoted && *p == '"' ? *++p : *p;
	}
	*at = *p == ',' ? p + 1 : NULL;
	*to = '\0';
	return field;
}

static int
add_line(struct tokens *t, char *line, const char *file, size_t number, struct err *err)
{
	char none[] = "", *field[COLUMNS] = { none, none, none, none }, *f;
	struct entry *e;
	size_t n = 0;

	for (; (f = next_field(&line)); n++)
		if (n < COLUMNS)
			field[n] = f;
	if (n < COLUMNS - 1)
		return err_set(err, ERR_INVALID,
		    "cannot use '%s': line %zu: needs token, user and uid", file, number);
	if (!*field[0])
		return err_set(err, ERR_INVALID, "cannot use '%s': line %zu: the token is empty",
		    file, number);
	GROW(t->item, t->n, t->cap);
	e = &t->item[t->n++];
	digest_of(field[0], e->digest);
	e->identity = identity_named(field[1], field[2], field[3]);
	return 0;
}

int
tokens_open(struct tokens **ret, const char *file, struct err *err)
{
	struct tokens *t = xcalloc(1, sizeof *t);
	autobuf struct buf b = BUF_INIT;
	char *line, *next;
	size_t number = 0;
	int r;

	r = buf_read_file(&b, file, FILE_BYTES, err);
	for (line = b.data; r >= 0 && line && *line; line = next) {
		size_t n = strcspn(line, "\n");

		next = line + n + (line[n] == '\n');
		line[n] = '\0';
		number++;
		if (n > 0 && line[n - 1] == '\r')
			line[n - 1] = '\0';
		if (*line)
			r = add_line(t, line, file, number, err);
	}
	if (b.data)
		gnutls_memset(b.data, 0, b.len);
	if (r < 0) {
		tokens_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct identity *
tokens_find(const struct tokens *t, const char *token)
{
	unsigned char digest[DIGEST];

	if (!t)
		return NULL;
	digest_of(token, digest);
	for (size_t i = 0; i < t->n; i++)
		if (memcmp(t->item[i].digest, digest, DIGEST) == 0)
			return identity_ref(t->item[i].identity);
	return NULL;
}
