/* The issuer of ServiceAccount tokens, and what it remembers of those that it has seen. */
#include "store/issuer.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <string.h>

#include "api/meta.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

enum { DIGEST = 32, BUCKETS = 1024, REMEMBERED = 8192 };

struct seen {
	unsigned char digest[DIGEST];
	struct identity *identity;
	struct seen *next;
};

struct issuer {
	struct cache *cache;
	struct jwt_keys *keys;
	char *url;
	pthread_mutex_t lock; /* of what follows */
	struct seen *bucket[BUCKETS];
	size_t n;
};

int
issuer_open(
    struct issuer **ret, struct cache *cache, const char *dir, const char *url, struct err *err)
{
	struct jwt_keys *keys;
	struct issuer *i;
	int r = jwt_keys_open(&keys, dir, err);

	if (r < 0)
		return r;
	i = xcalloc(1, sizeof *i);
	i->cache = cache;
	i->keys = keys;
	i->url = xstrdup(url);
	pthread_mutex_init(&i->lock, NULL);
	*ret = i;
	return 0;
}

/* Forget those that have ended, or all. */
static void
forget(struct issuer *i, bool all)
{
	double now = (double)clock_now();

	for (size_t b = 0; b < BUCKETS; b++) {
		for (struct seen **p = &i->bucket[b]; *p;) {
			struct seen *s = *p;

			if (!all && s->identity->expires > now) {
				p = &s->next;
				continue;
			}
			*p = s->next;
			identity_unref(s->identity);
			free(s);
			i->n--;
		}
	}
}

void
issuer_free(struct issuer *i)
{
	if (!i)
		return;
	forget(i, true);
	jwt_keys_free(i->keys);
	pthread_mutex_destroy(&i->lock);
	free(i->url);
	free(i);
}

const char *
issuer_url(const struct issuer *i)
{
	return i->url;
}

struct jwt_keys *
issuer_keys(struct issuer *i)
{
	return i->keys;
}

/* --- what it has seen --- */

static struct seen **
bucket_of(struct issuer *i, const unsigned char *digest)
{
	return &i->bucket[(digest[0] | (unsigned)digest[1] << 8) % BUCKETS];
}

static struct identity *
recall(struct issuer *i, const unsigned char *digest)
{
	struct identity *found = NULL;

	pthread_mutex_lock(&i->lock);
	for (struct seen *s = *bucket_of(i, digest); s && !found; s = s->next)
		if (memcmp(s->digest, digest, DIGEST) == 0)
			found = identity_ref(s->identity);
	pthread_mutex_unlock(&i->lock);
	return found;
}

/* Two threads may both remember the same token: that does no harm. */
static void
remember(struct issuer *i, const unsigned char *digest, struct identity *identity)
{
	struct seen *s = xcalloc(1, sizeof *s), **bucket = bucket_of(i, digest);

	memcpy(s->digest, digest, DIGEST);
	s->identity = identity_ref(identity);
	pthread_mutex_lock(&i->lock);
	if (i->n >= REMEMBERED)
		forget(i, false);
	if (i->n >= REMEMBERED)
		forget(i, true);
	s->next = *bucket;
	*bucket = s;
	i->n++;
	pthread_mutex_unlock(&i->lock);
}

/* --- checking --- */

/* As Go shows a list of strings: ["a" "b"] */
static void
add_quoted(struct buf *b, const char *word)
{
	buf_printf(b, "%s\"%s\"", b->data[b->len - 1] == '[' ? "" : " ", word);
}

static int
wrong_audience(
    const struct issuer *i, const struct identity *id, const json_t *audiences, struct err *err)
{
	autobuf struct buf b = BUF_INIT;
	json_t *a;
	size_t k;

	buf_puts(&b, "token audiences [");
	for (char **w = id->audiences; *w; w++)
		add_quoted(&b, *w);
	buf_puts(&b, "] is invalid for the target audiences [");
	json_array_foreach (audiences, k, a)
		add_quoted(&b, str(a, ""));
	if (json_array_size(audiences) == 0)
		add_quoted(&b, i->url);
	buf_puts(&b, "]");
	return err_set(err, ERR_UNAUTHORIZED, "%s", b.data);
}

static bool
is_audience(const struct identity *id, const char *word)
{
	for (char **w = id->audiences; *w; w++)
		if (strcmp(*w, word) == 0)
			return true;
	return false;
}

static int
check_audience(
    const struct issuer *i, const struct identity *id, const json_t *audiences, struct err *err)
{
	json_t *a;
	size_t k;

	if (json_array_size(audiences) == 0 && is_audience(id, i->url))
		return 0;
	json_array_foreach (audiences, k, a)
		if (is_audience(id, str(a, "")))
			return 0;
	return wrong_audience(i, id, audiences, err);
}

/* A token not seen before. */
static int
verify(struct issuer *i, const char *token, struct identity **ret, struct err *err)
{
	json_auto_t *claims = jwt_peek(token);
	int r;

	if (strcmp(text(claims, "iss"), i->url) != 0)
		return err_set(err, ERR_UNAUTHORIZED, "%s", "");
	if ((r = jwt_verify(i->keys, token, err)) < 0)
		return r;
	*ret = identity_new(i->cache, claims);
	if ((*ret)->bound[BOUND_ACCOUNT].table)
		return 0;
	identity_unref(*ret); /* signed by us for something else */
	return err_set(err, ERR_UNAUTHORIZED, "%s", "");
}

int
issuer_check(struct issuer *i, const char *token, const json_t *audiences, struct identity **ret,
    struct err *err)
{
	unsigned char digest[DIGEST];
	struct identity *id;
	bool known;
	int r;

	if (strlen(token) > JWT_BYTES ||
	    gnutls_hash_fast(GNUTLS_DIG_SHA256, token, strlen(token), digest) < 0)
		return err_set(err, ERR_UNAUTHORIZED, "%s", "");
	id = recall(i, digest);
	known = id != NULL;
	if (!known && (r = verify(i, token, &id, err)) < 0)
		return r;
	if (!known)
		remember(i, digest, id);
	if ((r = check_audience(i, id, audiences, err)) < 0 ||
	    (r = identity_check(id, i->cache, err)) < 0) {
		identity_unref(id);
		return r;
	}
	*ret = id;
	return 0;
}
