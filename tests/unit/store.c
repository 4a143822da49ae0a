/*
 * The store's core without HTTP: what is committed is there after reopening,
 * conflicts are found, old revisions can be walked, history is compacted.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/commit.h"

static char dir[] = "/tmp/orch-unit-store-XXXXXX";

struct store {
	struct engine *engine;
	struct cache *cache;
	struct commit *commit;
};

static const struct history_limits roomy = { 300, 100000, 1 << 26, 1000 };
static const struct history_limits narrow = { -1, 4, 1 << 26, 4 };

static void
open_store(struct store *s, const struct history_limits *l)
{
	struct err err = { 0 };

	s->cache = cache_new();
	if (sqlite_open(&s->engine, dir, &err) < 0 ||
	    commit_start(&s->commit, s->engine, s->cache, l, NULL, NULL, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
}

static void
close_store(struct store *s)
{
	commit_stop(s->commit);
	s->engine->ops->close(s->engine);
	cache_free(s->cache);
}

static struct table *
pods(struct store *s)
{
	return cache_table(s->cache, kind_find("", "v1", "Pod"));
}

/* Write a pod; returns its revision or the negative code. */
static long long
put_pod(struct store *s, const char *name, const char *node, uint64_t expect, bool deletes)
{
	struct write w = {
		.table = pods(s), .draft = DRAFT_INIT, .expect = expect, .deletes = deletes
	};
	struct err err;
	json_t *pod = json_pack("{s:s,s:s,s:{s:s,s:s,s:{s:s}},s:{s:s}}", "apiVersion", "v1", "kind",
	    "Pod", "metadata", "name", name, "namespace", "default", "labels", "app", "web", "spec",
	    "nodeName", node);
	long long r;

	draft_encode(&w.draft, pods(s)->kind, pod);
	r = commit_wait(s->commit, &w, &err);
	if (r == 0)
		r = (long long)w.object->revision;
	write_release(&w);
	json_decref(pod);
	return r;
}

static bool
note(void *arg, struct object *o)
{
	char *names = arg;

	strcat(names, object_name(o));
	strcat(names, "=");
	strcat(names, object_field(o, kind_find("", "v1", "Pod"), "spec.nodeName"));
	strcat(names, " ");
	return true;
}

static const char *
walk(struct store *s, uint64_t revision)
{
	static char names[1024];
	struct walk w = { .table = pods(s), .namespace = "default", .revision = revision };
	struct err err;
	uint64_t at;

	names[0] = '\0';
	if (cache_walk(s->cache, &w, note, names, &at, &err) < 0)
		return "expired";
	return names;
}

static void
expect_text(const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return;
	fprintf(stderr, "got  '%s'\nwant '%s'\n", got, want);
	abort();
}

static void
test_write_and_reopen(void)
{
	struct store s;
	struct object *o;
	json_t *pod;

	open_store(&s, &roomy);
	assert(put_pod(&s, "b", "n1", 0, false) == 1);
	assert(put_pod(&s, "a", "", 0, false) == 2);
	assert(put_pod(&s, "a", "", 0, false) == -ERR_CONFLICT);
	assert(put_pod(&s, "a", "n2", 1, false) == -ERR_CONFLICT);
	assert(put_pod(&s, "a", "n2", 2, false) == 3);
	assert(put_pod(&s, "c", "n3", 0, false) == 4);
	assert(put_pod(&s, "b", "n1", 1, true) == 5);
	expect_text(walk(&s, 0), "a=n2 c=n3 ");
	expect_text(walk(&s, 4), "a=n2 b=n1 c=n3 ");
	expect_text(walk(&s, 2), "a= b=n1 ");
	expect_text(walk(&s, 1), "b=n1 ");
	close_store(&s);

	open_store(&s, &roomy);
	assert(cache_revision(s.cache) == 5);
	expect_text(walk(&s, 0), "a=n2 c=n3 ");
	expect_text(walk(&s, 2), "a= b=n1 ");
	o = cache_get(s.cache, pods(&s), "default", "a");
	pod = object_json(o, pods(&s)->kind);
	expect_text(meta_version(pod), "3");
	expect_text(meta_label(pod, "app"), "web");
	json_decref(pod);
	object_unref(o);
	close_store(&s);
}

static void
test_filters(void)
{
	struct filter f = { .kind = kind_find("", "v1", "Pod") };
	struct store s;
	struct object *o;
	struct err err;

	open_store(&s, &roomy);
	o = cache_get(s.cache, pods(&s), "default", "a");
	assert(filter_parse(&f, "app in (web,db)", "spec.nodeName=n2,metadata.name!=x", &err) == 0);
	expect_text(f.node, "n2");
	assert(filter_match(&f, o));
	filter_release(&f);
	assert(filter_parse(&f, "app=db", NULL, &err) == 0 && !filter_match(&f, o));
	filter_release(&f);
	assert(filter_parse(&f, NULL, "spec.nodeName=n1", &err) == 0 && !filter_match(&f, o));
	filter_release(&f);
	assert(filter_parse(&f, NULL, "spec.image=n1", &err) == -ERR_BAD_REQUEST);
	filter_release(&f);
	object_unref(o);
	close_store(&s);
}

/* Die by SIGKILL in the middle of writing: what was acknowledged is there. */
static void
test_kill(void)
{
	int pipe_fd[2];
	long long last = 0, seen;
	struct store s;
	pid_t pid;

	assert(pipe(pipe_fd) == 0);
	if ((pid = fork()) == 0) {
		open_store(&s, &roomy);
		for (int i = 0; i < 1000; i++) {
			char name[32];

			snprintf(name, sizeof name, "k%d", i);
			long long r = put_pod(&s, name, "n", 0, false);
			if (write(pipe_fd[1], &r, sizeof r) < 0 || i == 50)
				kill(getpid(), SIGKILL);
		}
	}
	close(pipe_fd[1]);
	while (read(pipe_fd[0], &seen, sizeof seen) == (ssize_t)sizeof seen)
		last = seen;
	close(pipe_fd[0]);
	waitpid(pid, NULL, 0);
	open_store(&s, &roomy);
	assert(cache_revision(s.cache) >= (uint64_t)last && last > 50);
	assert(cache_exists(s.cache, pods(&s), "default", "k50"));
	close_store(&s);
}

static void
test_compaction(void)
{
	struct event e[64];
	struct store s;
	uint64_t now;

	open_store(&s, &narrow);
	for (int i = 0; i < 10; i++) {
		struct object *o = cache_get(s.cache, pods(&s), "default", "a");
		assert(put_pod(&s, "a", "n", o->revision, false) > 0);
		object_unref(o);
	}
	assert(put_pod(&s, "c", "n3", 4, true) > 0);
	now = cache_revision(s.cache);
	for (int i = 0; i < 40 && cache_compacted(s.cache) != now - 4; i++)
		usleep(100000);
	assert(cache_compacted(s.cache) == now - 4);
	assert(cache_events(s.cache, now - 5, e, 64) == -ERR_EXPIRED);
	assert(cache_events(s.cache, now - 4, e, 64) == 4);
	assert(e[3].type == EVENT_DELETED && e[0].type == EVENT_MODIFIED && e[0].old);
	for (int i = 0; i < 4; i++)
		event_release(&e[i]);
	expect_text(walk(&s, 3), "expired");
	usleep(300000);
	close_store(&s);

	open_store(&s, &narrow);
	assert(cache_revision(s.cache) == now);
	assert(!cache_exists(s.cache, pods(&s), "default", "c"));
	assert(cache_exists(s.cache, pods(&s), "default", "a"));
	assert(cache_compacted(s.cache) == now - 4);
	close_store(&s);
}

/* Events go when they were not written for a while; other kinds stay. */
static void
test_expiry(void)
{
	static const struct history_limits brief = { 300, 100000, 1 << 26, 1000, 1 };
	struct store s;
	struct table *events;
	json_t *e = json_pack("{s:{s:s,s:s}}", "metadata", "name", "e", "namespace", "default");
	struct write w = { .draft = DRAFT_INIT };
	struct err err;

	open_store(&s, &brief);
	w.table = events = cache_table(s.cache, kind_find("", "v1", "Event"));
	draft_encode(&w.draft, events->kind, e);
	assert(commit_wait(s.commit, &w, &err) == 0);
	write_release(&w);
	for (int i = 0; i < 60 && cache_exists(s.cache, events, "default", "e"); i++)
		usleep(100000);
	assert(!cache_exists(s.cache, events, "default", "e"));
	assert(cache_exists(s.cache, pods(&s), "default", "a"));
	close_store(&s);
	json_decref(e);
}

/* Random writes; every older state, from any key on, must be walked as it was. */
static void
test_history(void)
{
	enum { STEPS = 300, KEYS = 12 };
	static char states[STEPS + 1][1024];
	uint64_t first, held[KEYS] = { 0 };
	unsigned seed = 7;
	struct store s;

	open_store(&s, &roomy);
	for (int k = 0; k < KEYS; k++)
		(void)put_pod(&s, (char[]){ 'h', (char)('a' + k), 0 }, "x", 0, false);
	for (int k = 0; k < KEYS; k++) {
		struct object *o =
		    cache_get(s.cache, pods(&s), "default", (char[]){ 'h', (char)('a' + k), 0 });
		held[k] = o->revision;
		object_unref(o);
	}
	first = cache_revision(s.cache);
	strcpy(states[0], walk(&s, 0));
	for (int i = 1; i <= STEPS; i++) {
		int k = rand_r(&seed) % KEYS;
		bool deletes = held[k] && rand_r(&seed) % 3 == 0;
		char name[] = { 'h', (char)('a' + k), 0 }, node[16];

		snprintf(node, sizeof node, "n%d", i);
		held[k] = (uint64_t)put_pod(&s, name, node, held[k], deletes);
		assert(held[k] == first + (uint64_t)i);
		if (deletes)
			held[k] = 0;
		strcpy(states[i], walk(&s, 0));
	}
	for (int i = 0; i <= STEPS; i++)
		expect_text(walk(&s, first + (uint64_t)i), states[i]);
	close_store(&s);
	open_store(&s, &roomy);
	for (int i = 0; i <= STEPS; i++)
		expect_text(walk(&s, first + (uint64_t)i), states[i]);
	close_store(&s);
}

static void
test_second(void)
{
	struct engine *other;
	struct store s;
	struct err err;

	open_store(&s, &roomy);
	assert(sqlite_open(&other, dir, &err) < 0);
	assert(strstr(err.msg, "another orch-store is running"));
	close_store(&s);
}

int
main(void)
{
	char *rm;

	assert(mkdtemp(dir));
	test_write_and_reopen();
	test_filters();
	test_kill();
	test_compaction();
	test_history();
	test_expiry();
	test_second();
	rm = xasprintf("rm -rf %s", dir);
	if (system(rm) != 0)
		return 1;
	free(rm);
	return 0;
}
