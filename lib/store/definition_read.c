/* Reading definitions. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/definitions_private.h"

static bool
gather_one(void *arg, struct object *o)
{
	struct gathered *g = arg;

	GROW(g->object, g->n, g->cap);
	g->object[g->n++] = object_ref(o);
	return true;
}

struct gathered
objects_gather(struct definitions *d, struct table *t)
{
	struct gathered g = { 0 };
	struct walk w = { .table = t };
	uint64_t revision;
	struct err err;

	(void)cache_walk(d->server->cache, &w, gather_one, &g, &revision, &err);
	return g;
}

void
gathered_release(struct gathered *g)
{
	for (size_t i = 0; i < g->n; i++)
		object_unref(g->object[i]);
	free(g->object);
}

/* --- without schemas --- */

/* Behind the string that begins at p. */
static const char *
string_end(const char *p)
{
	do {
		p += 1 + strcspn(p + 1, "\"\\");
		if (*p == '\\')
			p++;
	} while (*p && *p != '"');
	return *p ? p + 1 : p;
}

/* Behind the object or array that begins at p. */
static const char *
value_end(const char *p)
{
	size_t depth = 0;

	for (;;) {
		p += strcspn(p, "\"{}[]");
		if (*p == '"') {
			p = string_end(p);
			continue;
		}
		if (!*p)
			return p;
		depth += *p == '{' || *p == '[' ? 1 : -1;
		p++;
		if (depth == 0)
			return p;
	}
}

json_t *
definition_outline(const struct object *o)
{
	static const char key[] = "\"openAPIV3Schema\":{";
	autobuf struct buf b = BUF_INIT;
	const char *p = o->body->data, *from = p;
	char fault[128];
	size_t used;
	json_t *v = NULL;

	buf_putc(&b, '{');
	while (*(p += strcspn(p, "\""))) {
		if (strncmp(p, key, strlen(key)) != 0) {
			p = string_end(p);
			continue;
		}
		p += strlen(key) - 1;
		buf_add(&b, from, (size_t)(p - from));
		buf_puts(&b, "{}");
		from = p = value_end(p);
	}
	buf_add(&b, from, (size_t)(p - from));
	if (json_decode(b.data, b.len, &v, &used, fault) != JSON_FINE)
		return json_object(); /* what we have written ourselves can be read */
	return v;
}
