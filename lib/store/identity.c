/* Whose a token is, and whether that still holds. */
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/issuer.h"

enum { LEEWAY = 60 }; /* seconds that clocks may differ */

struct identity *
identity_ref(struct identity *i)
{
	atomic_fetch_add_explicit(&i->refs, 1, memory_order_relaxed);
	return i;
}

void
identity_unref(struct identity *i)
{
	if (!i || atomic_fetch_sub_explicit(&i->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (char **a = i->audiences; a && *a; a++)
		free(*a);
	free(i->groups);
	free(i->audiences);
	free(i->words);
	free(i->name);
	free(i);
}

struct identity *
identity_named(const char *name, const char *uid, const char *groups)
{
	struct identity *i = xcalloc(1, sizeof *i);
	size_t n = 0, room = strlen(uid) + strlen(groups) + 2;
	char *at;

	i->refs = 1;
	i->name = xstrdup(name);
	i->words = xmalloc(room);
	snprintf(i->words, room, "%s%c%s", uid, '\0', groups);
	i->uid = i->words;
	i->groups = xcalloc(strlen(groups) + 2, sizeof *i->groups);
	for (char *word = i->words + strlen(uid) + 1; (at = strsep(&word, ","));)
		if (*at)
			i->groups[n++] = at;
	i->groups[n] = "system:authenticated";
	return i;
}

/* --- from claims --- */

/* One block of words: pointers into it hold once it has stopped growing. */
static const char *
keep(struct buf *words, const char *s, size_t room)
{
	char *at = words->data + words->len;

	if (words->len + strlen(s) + 1 > room)
		abort();
	memcpy(at, s, strlen(s) + 1);
	words->len += strlen(s) + 1;
	return at;
}

static char **
read_audiences(const json_t *aud)
{
	size_t n = json_is_array(aud) ? json_array_size(aud) : 1, used = 0;
	char **list = xcalloc(n + 1, sizeof *list);

	if (json_is_string(aud))
		list[used++] = xstrdup(json_string_value(aud));
	for (size_t i = 0; json_is_array(aud) && i < n; i++)
		list[used++] = xstrdup(str(json_array_get(aud, i), ""));
	return list;
}

struct claim {
	const char *key; /* below "kubernetes.io" */
	const char *kind;
	bool namespaced;
};

static const struct claim claims_of[BOUND_COUNT] = {
	[BOUND_ACCOUNT] = { "serviceaccount", "ServiceAccount", true },
	[BOUND_SECRET] = { "secret", "Secret", true },
	[BOUND_POD] = { "pod", "Pod", true },
	[BOUND_NODE] = { "node", "Node", false },
};

/* More about the user, in the order of the keys. */
static void
add_extra(struct identity *i, const char *credential)
{
	const struct bound *pod = &i->bound[BOUND_POD], *node = &i->bound[BOUND_NODE];
	size_t n = 0;
	const struct {
		const char *key, *value;
	} all[] = { { "authentication.kubernetes.io/credential-id", credential },
		{ "authentication.kubernetes.io/node-name", node->name },
		{ "authentication.kubernetes.io/node-uid", node->uid },
		{ "authentication.kubernetes.io/pod-name", pod->name },
		{ "authentication.kubernetes.io/pod-uid", pod->uid } };

	for (size_t k = 0; k < COUNT(all); k++) {
		if (!all[k].value || !*all[k].value)
			continue;
		i->extra[n++] = all[k].key;
		i->extra[n++] = all[k].value;
	}
}

struct identity *
identity_new(struct cache *cache, const json_t *claims)
{
	struct identity *i = xcalloc(1, sizeof *i);
	const json_t *about = json_object_get(claims, "kubernetes.io");
	const char *ns = text(about, "namespace"), *jti = text(claims, "jti");
	autofree char *all = json_dumps(claims, JSON_COMPACT), *group = NULL, *credential = NULL;
	size_t room = strlen(all) + 4 * strlen(ns) + strlen(jti) + 256;
	struct buf words = { xmalloc(room), 0, room };

	i->refs = 1;
	for (size_t b = 0; b < BOUND_COUNT; b++) {
		const json_t *ref = json_object_get(about, claims_of[b].key);

		if (!ref)
			continue;
		i->bound[b].table = cache_table(cache, kind_find("", "v1", claims_of[b].kind));
		i->bound[b].namespace = claims_of[b].namespaced ? keep(&words, ns, room) : "";
		i->bound[b].name = keep(&words, text(ref, "name"), room);
		i->bound[b].uid = keep(&words, text(ref, "uid"), room);
	}
	i->name = xasprintf("system:serviceaccount:%s:%s", ns,
	    i->bound[BOUND_ACCOUNT].name ? i->bound[BOUND_ACCOUNT].name : "");
	i->uid = i->bound[BOUND_ACCOUNT].uid ? i->bound[BOUND_ACCOUNT].uid : "";
	group = xasprintf("system:serviceaccounts:%s", ns);
	i->groups = xcalloc(4, sizeof *i->groups);
	i->groups[0] = "system:serviceaccounts";
	i->groups[1] = keep(&words, group, room);
	i->groups[2] = "system:authenticated";
	credential = *jti ? xasprintf("JTI=%s", jti) : xstrdup("");
	add_extra(i, keep(&words, credential, room));
	i->words = words.data;
	i->audiences = read_audiences(json_object_get(claims, "aud"));
	i->expires = json_number_value(json_object_get(claims, "exp"));
	i->not_before = json_number_value(json_object_get(claims, "nbf"));
	i->issued = json_number_value(json_object_get(claims, "iat"));
	return i;
}

/* --- does it still hold --- */

static int
gone(const struct identity *i, int which, struct err *err)
{
	const struct bound *b = &i->bound[which];

	if (which == BOUND_ACCOUNT)
		return err_set(err, ERR_UNAUTHORIZED, "serviceaccounts \"%s\" not found", b->name);
	return err_set(err, ERR_UNAUTHORIZED, "service account token has been invalidated");
}

static int
another(const struct identity *i, int which, const char *uid, struct err *err)
{
	const struct bound *b = &i->bound[which];

	if (which == BOUND_ACCOUNT)
		return err_set(err, ERR_UNAUTHORIZED,
		    "service account UID (%s) does not match claim (%s)", uid, b->uid);
	return err_set(err, ERR_UNAUTHORIZED,
	    "%s UID (%s) does not match service account %s ref claim (%s)", claims_of[which].key,
	    uid, claims_of[which].key, b->uid);
}

/* Deleted for more than the leeway, though something still holds it. */
static bool
deleted(const json_t *obj, int64_t now)
{
	int64_t when;

	return meta_deleting(obj) &&
	       time_parse(text(obj, "metadata", "deletionTimestamp"), &when) && when < now - LEEWAY;
}

static int
check_bound(struct identity *i, int which, struct cache *cache, int64_t now, struct err *err)
{
	struct bound *b = &i->bound[which];
	struct object *o = cache_get(cache, b->table, b->namespace, b->name);
	json_auto_t *obj = NULL;
	int r = 0;

	if (!o)
		return gone(i, which, err);
	if (atomic_load_explicit(&b->good, memory_order_relaxed) != o->revision) {
		obj = object_json(o, b->table->kind);
		if (strcmp(meta_uid(obj), b->uid) != 0)
			r = another(i, which, meta_uid(obj), err);
		else if (deleted(obj, now))
			r = which != BOUND_ACCOUNT ? gone(i, which, err)
						   : err_set(err, ERR_UNAUTHORIZED,
							 "service account %s/%s has been deleted",
							 b->namespace, b->name);
		else if (!meta_deleting(obj)) /* which would want looking at again */
			atomic_store_explicit(&b->good, o->revision, memory_order_relaxed);
	}
	object_unref(o);
	return r;
}

int
identity_check(struct identity *i, struct cache *cache, struct err *err)
{
	int64_t now = clock_now();
	int r = 0;

	if ((double)(now - LEEWAY) > i->expires)
		return err_set(err, ERR_UNAUTHORIZED, "service account token has expired");
	if ((double)(now + LEEWAY) < i->not_before)
		return err_set(err, ERR_UNAUTHORIZED, "service account token is not valid yet");
	if ((double)(now + LEEWAY) < i->issued)
		return err_set(
		    err, ERR_UNAUTHORIZED, "service account token is issued in the future");
	for (int b = 0; b < BOUND_COUNT && r == 0; b++) {
		/* the node of a token's Pod is told, and may go */
		if (b == BOUND_NODE && i->bound[BOUND_POD].table)
			continue;
		if (i->bound[b].table)
			r = check_bound(i, b, cache, now, err);
	}
	return r;
}
