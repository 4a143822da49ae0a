/* A data folder that kept Events of both groups apart: the newer ones move to the older. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/call.h"

static char dir[] = "/tmp/orch-unit-migrate-XXXXXX";
static const struct history_limits limits = { 300, 100000, 1 << 26, 1000 };

struct store {
	struct engine *engine;
	struct server server;
};

static void
open_store(struct store *s)
{
	struct err err = { 0 };

	s->server.cache = cache_new();
	if (sqlite_open(&s->engine, dir, &err) < 0 ||
	    commit_start(&s->server.commit, s->engine, s->server.cache, &limits, NULL, NULL, &err) <
		0) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
}

static void
close_store(struct store *s)
{
	commit_stop(s->server.commit);
	s->engine->ops->close(s->engine);
	cache_free(s->server.cache);
}

/* An Event as an older release kept it. */
static void
keep_old(struct store *s, const char *name)
{
	const struct kind *k = kind_find("events.k8s.io", "v1", "Event");
	struct table *t = cache_own_table(s->server.cache, k);
	struct write w = { .table = t };
	autofree char *body =
	    xasprintf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\",\"uid\":\"u\","
		      "\"resourceVersion\":\"1\"},\"note\":\"new\",\"regarding\":{\"name\":\"p\"},"
		      "\"reason\":\"R\"}",
		name);
	struct object *o = object_restore(1, k, body + 1, strlen(body) - 1, "", 0);
	struct err err;

	draft_copy(&w.draft, o);
	assert(commit_wait(s->server.commit, &w, &err) == 0);
	write_release(&w);
	object_unref(o);
}

static void
keep_new(struct store *s, const char *name)
{
	const struct kind *k = kind_find("", "v1", "Event");
	struct write w = { .table = cache_table(s->server.cache, k), .draft = DRAFT_INIT };
	json_auto_t *e = json_pack("{s:{s:s,s:s},s:s}", "metadata", "name", name, "namespace",
	    "default", "message", "old");
	struct err err;

	draft_encode(&w.draft, k, e);
	assert(commit_wait(s->server.commit, &w, &err) == 0);
	write_release(&w);
}

static void
check(struct store *s, const char *name, const char *message)
{
	const struct kind *old = kind_find("", "v1", "Event"),
			  *new = kind_find("events.k8s.io", "v1", "Event");
	struct table *t = cache_table(s->server.cache, new);
	struct object *o = cache_get(s->server.cache, t, "default", name);

	assert(o && t == cache_table(s->server.cache, old));
	assert(cache_count(s->server.cache, cache_own_table(s->server.cache, new)) == 0);
	json_auto_t *seen = object_json(o, old), *view = object_json(o, new);
	assert(strcmp(text(seen, "message"), message) == 0);
	assert(strcmp(text(view, "note"), message) == 0);
	if (strcmp(message, "new") == 0)
		assert(strcmp(object_field(o, new, "regarding.name"), "p") == 0);
	object_unref(o);
}

int
main(void)
{
	struct store s = { 0 };
	struct err err;

	assert(mkdtemp(dir));
	open_store(&s);
	keep_old(&s, "a");
	keep_old(&s, "both");
	keep_new(&s, "both");
	close_store(&s);
	for (int i = 0; i < 2; i++) {
		open_store(&s);
		assert(migrate(&s.server, &err) == 0);
		check(&s, "a", "new");
		check(&s, "both", "old");
		close_store(&s);
	}
	autofree char *rm = xasprintf("rm -r %s", dir);
	return system(rm) != 0;
}
