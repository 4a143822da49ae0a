#include <string.h>

#include "api/convert.h"
#include "api/custom.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/cache.h"
#include "store/cache_impl.h"

const char *
event_name(enum event_type type)
{
	static const char *const names[] = { "ADDED", "MODIFIED", "DELETED" };

	return names[type];
}

static struct bytes *
text_bytes(char *s)
{
	struct bytes *b = bytes_new(s, strlen(s));

	free(s);
	return b;
}

static void
table_init(struct table *t, const struct kind *k)
{
	char version[128];

	kind_api_version(k, version);
	t->kind = k;
	t->prefix = xasprintf("%s/%s/%s/", k->group, k->version, k->plural);
	t->prefix_len = strlen(t->prefix);
	t->open =
	    text_bytes(xasprintf("{\"kind\":\"%s\",\"apiVersion\":\"%s\",", k->kind, version));
	for (int i = 0; i < 3; i++)
		t->verb[i] = text_bytes(
		    xasprintf("{\"type\":\"%s\",\"object\":%s", event_name(i), t->open->data));
}

struct cache *
cache_new(void)
{
	struct cache *c = xcalloc(1, sizeof *c);
	const struct kind *const *kinds = schema_kinds(&c->ntables);

	c->kinds = kinds[0]; /* what is built in stands in one array */
	c->table = xcalloc(c->ntables, sizeof *c->table);
	for (size_t i = 0; i < c->ntables; i++)
		table_init(&c->table[i], kinds[i]);
	pthread_rwlock_init(&c->lock, NULL);
	c->seed = 88172645463325252ull;
	return c;
}

static void
table_release(struct table *t)
{
	for (struct node *n = t->head[0], *next; n; n = next) {
		next = n->next[0];
		object_unref(n->object);
		free(n);
	}
	free(t->prefix);
	bytes_unref(t->open);
	for (int i = 0; i < 3; i++)
		bytes_unref(t->verb[i]);
}

static void
free_list(struct table *t)
{
	for (struct table *next; t; t = next) {
		next = t->next;
		table_release(t);
		free(t);
	}
}

void
cache_free(struct cache *c)
{
	if (!c)
		return;
	while (c->first < c->next)
		event_release(&c->ring[c->first++ & (c->cap - 1)]);
	free(c->ring);
	for (size_t i = 0; i < c->ntables; i++)
		table_release(&c->table[i]);
	free(c->table);
	free_list(c->custom);
	free_list(c->views);
	pthread_rwlock_destroy(&c->lock);
	free(c);
}

struct table *
cache_own_table(struct cache *c, const struct kind *k)
{
	return k->custom ? k->custom->view : &c->table[k - c->kinds];
}

struct table *
cache_table(struct cache *c, const struct kind *k)
{
	return k->custom ? k->custom->table : cache_own_table(c, kind_stored(k));
}

struct table *
cache_tables(struct cache *c, size_t *n)
{
	*n = c->ntables;
	return c->table;
}

/* --- custom kinds --- */

const struct kind *
cache_no_kind(void)
{
	static const struct type nothing = { .name = "", .class = CLASS_STRUCT };
	static const char *const none[] = { NULL };
	static const struct kind k = { .group = "",
		.version = "",
		.kind = "",
		.plural = "",
		.singular = "",
		.short_names = none,
		.categories = none,
		.namespaced = true,
		.type = &nothing,
		.summary = "" };

	return &k;
}

static struct table **
bucket(struct cache *c, const char *prefix)
{
	return &c->bucket[text_hash(prefix, strlen(prefix), TEXT_HASH_SEED) % BUCKETS];
}

static struct table *
find_prefix(struct cache *c, const char *prefix)
{
	struct table *t = *bucket(c, prefix);

	while (t && strcmp(t->prefix, prefix) != 0)
		t = t->same;
	return t;
}

static struct table *
add_table(struct cache *c, _Atomic(struct table *) *list, const struct kind *k, char *prefix)
{
	struct table *t = xcalloc(1, sizeof *t), **place = bucket(c, prefix);

	table_init(t, k);
	free(t->prefix);
	t->prefix = prefix;
	t->prefix_len = strlen(prefix);
	t->same = *place;
	*place = t;
	t->next = *list;
	*list = t;
	return t;
}

/* All versions are kept alike, so no version stands in the key. */
struct table *
cache_custom_table(struct cache *c, const char *group, const char *plural)
{
	autofree char *prefix = xasprintf("%s/*/%s/", group, plural);
	struct table *t = find_prefix(c, prefix);

	return t ? t : add_table(c, &c->custom, cache_no_kind(), steal(prefix));
}

struct table *
cache_custom_view(struct cache *c, const struct kind *k)
{
	autofree char *name = xasprintf("%s/%s/%s/%s", k->group, k->version, k->plural, k->kind);
	struct table *t = find_prefix(c, name);

	return t ? t : add_table(c, &c->views, k, steal(name));
}

struct table *
cache_custom_tables(struct cache *c)
{
	return c->custom;
}

static struct table *
custom_of_key(struct cache *c, const char *key, const char **rest)
{
	const char *star = strstr(key, "/*/"), *slash = star ? strchr(star + 3, '/') : NULL;
	struct table *t = c->found;

	if (!slash)
		return NULL;
	if (!t || strncmp(key, t->prefix, t->prefix_len) != 0) {
		autofree char *group = xstrndup(key, (size_t)(star - key));
		autofree char *plural = xstrndup(star + 3, (size_t)(slash - star - 3));

		c->found = t = cache_custom_table(c, group, plural);
	}
	*rest = key + t->prefix_len;
	return t;
}

struct table *
cache_table_of_key(struct cache *c, const char *key, const char **rest)
{
	for (size_t i = 0; i < c->ntables; i++) {
		/* keys of one kind come in a row: begin with the last one found */
		struct table *t = &c->table[(c->last + i) % c->ntables];

		if (strncmp(key, t->prefix, t->prefix_len) == 0) {
			c->last = (size_t)(t - c->table);
			*rest = key + t->prefix_len;
			return t;
		}
	}
	return custom_of_key(c, key, rest);
}

char *
cache_key(const struct table *t, const struct object *o)
{
	return xasprintf("%s%s/%s", t->prefix, object_namespace(o), object_name(o));
}

/* --- the skip list --- */

static int
compare(const struct object *o, const char *ns, const char *name)
{
	int d = strcmp(object_namespace(o), ns);

	return d ? d : strcmp(object_name(o), name);
}

/* The first node not before the key; path gets the links to it on each level. */
struct node *
table_seek(struct table *t, const char *ns, const char *name, struct node **path[LEVELS])
{
	struct node **links = t->head;
	int level = LEVELS;

	while (level-- > 0) {
		while (links[level] && compare(links[level]->object, ns, name) < 0)
			links = links[level]->next;
		if (path)
			path[level] = &links[level];
	}
	return links[0];
}

static int
random_level(struct cache *c)
{
	int level = 1;

	c->seed ^= c->seed << 13;
	c->seed ^= c->seed >> 7;
	c->seed ^= c->seed << 17;
	for (uint64_t bits = c->seed; level < LEVELS && (bits & 3) == 0; bits >>= 2)
		level++;
	return level;
}

/* Put o in place of what has its key; returns that, with the table's reference, or NULL. */
struct object *
table_put(struct cache *c, struct table *t, struct object *o)
{
	struct node **path[LEVELS];
	struct node *n = table_seek(t, object_namespace(o), object_name(o), path);
	int level;

	t->bytes += o->body->len;
	object_ref(o);
	if (n && compare(n->object, object_namespace(o), object_name(o)) == 0) {
		struct object *old = n->object;

		n->object = o;
		t->bytes -= old->body->len;
		return old;
	}
	level = random_level(c);
	n = xmalloc(sizeof *n + (size_t)level * sizeof n->next[0]);
	n->object = o;
	n->level = level;
	for (int i = 0; i < level; i++) {
		n->next[i] = *path[i];
		*path[i] = n;
	}
	t->count++;
	return NULL;
}

/* Take the object with o's key out; returns it with the table's reference, or NULL. */
struct object *
table_take(struct table *t, const struct object *o)
{
	struct node **path[LEVELS];
	struct node *n = table_seek(t, object_namespace(o), object_name(o), path);
	struct object *old;

	if (!n || compare(n->object, object_namespace(o), object_name(o)) != 0)
		return NULL;
	for (int i = 0; i < n->level; i++)
		*path[i] = n->next[i];
	old = n->object;
	t->bytes -= old->body->len;
	t->count--;
	free(n);
	return old;
}

struct object *
cache_peek(struct table *t, const char *ns, const char *name)
{
	struct node *n = table_seek(t, ns, name, NULL);

	return n && compare(n->object, ns, name) == 0 ? n->object : NULL;
}

struct object *
cache_get(struct cache *c, struct table *t, const char *ns, const char *name)
{
	struct object *o;

	pthread_rwlock_rdlock(&c->lock);
	if ((o = cache_peek(t, ns, name)))
		object_ref(o);
	pthread_rwlock_unlock(&c->lock);
	return o;
}

bool
cache_exists(struct cache *c, struct table *t, const char *ns, const char *name)
{
	bool yes;

	pthread_rwlock_rdlock(&c->lock);
	yes = cache_peek(t, ns, name) != NULL;
	pthread_rwlock_unlock(&c->lock);
	return yes;
}

size_t
cache_count(struct cache *c, struct table *t)
{
	size_t n;

	pthread_rwlock_rdlock(&c->lock);
	n = t->count;
	pthread_rwlock_unlock(&c->lock);
	return n;
}

uint64_t
cache_revision(struct cache *c)
{
	uint64_t r;

	pthread_rwlock_rdlock(&c->lock);
	r = c->revision;
	pthread_rwlock_unlock(&c->lock);
	return r;
}

uint64_t
cache_compacted(struct cache *c)
{
	uint64_t r;

	pthread_rwlock_rdlock(&c->lock);
	r = c->first - 1;
	pthread_rwlock_unlock(&c->lock);
	return r;
}
