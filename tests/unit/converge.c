/*
 * converge CONTROLLER <objects - crash tests for any controller.
 *
 * For every n: the controller dies after its n-th action; started again it must come, in a bounded
 * number of rounds, to where it has nothing to plan, and to the same place as without the crash.
 */
#include "cluster.h"

#include "api/object.h"
#include "base/buf.h"
#include "base/text.h"

enum { ROUNDS = 300, WAITS = 12, MANY = 1000000 };

struct run {
	struct cluster c;
	const struct controller *which;
	long actions; /* carried out */
	long budget;  /* dies when it is used up */
	int64_t again;
	bool crashed;
};

static json_t *input, *settings;
static int64_t start;
static bool complete;

static struct world *
world_of(const struct run *r)
{
	struct world *w = cluster_world(&r->c);
	const char *name;
	json_t *value;

	if (complete)
		world_set_known(w, "*");
	json_object_foreach (settings, name, value)
		world_set(w, name, str(value, ""));
	return w;
}

/* One key: plan from a snapshot, act until the plan ends, an action fails, or death.  Returns
 * actions planned. */
static size_t
reconcile(struct run *r, const struct controller *which, const json_t *obj, bool mortal)
{
	struct world *w = world_of(r);
	autofree char *ref = meta_ref(obj);
	struct plan plan;
	struct err err;
	size_t i, n = 0;
	json_t *action;

	plan_init(&plan, which->name, ref);
	if (which->reconcile(w, obj, &plan, &err) >= 0) {
		n = json_array_size(plan.actions);
		json_array_foreach (plan.actions, i, action) {
			if (mortal && r->actions == r->budget) {
				r->crashed = true;
				break;
			}
			if (mortal)
				r->actions++;
			if (cluster_act(&r->c, action, &err) < 0)
				break;
		}
	}
	if (mortal && plan.again && (!r->again || plan.again < r->again))
		r->again = plan.again;
	plan_release(&plan);
	world_free(w);
	return n;
}

/* Every key of a controller once; returns how many actions were planned. */
static size_t
round_of(struct run *r, const struct controller *which, bool mortal)
{
	json_auto_t *keys = json_copy(r->c.objects);
	char kind[128];
	size_t i, n = 0;
	json_t *key;

	json_array_foreach (keys, i, key) {
		size_t at = cluster_index(&r->c, key);

		if (at == json_array_size(r->c.objects) ||
		    (strcmp(which->kind, "*") != 0 &&
			strcmp(which->kind, meta_group_kind(key, kind)) != 0))
			continue;
		n += reconcile(r, which, json_array_get(r->c.objects, at), mortal);
		if (r->crashed)
			break;
	}
	return n;
}

/* The rest of the cluster: kubelets, and below a Deployment the ReplicaSets' controller. */
static size_t
surroundings(struct run *r)
{
	size_t n = 0;

	if (strcmp(r->which->name, "deployment") == 0)
		n += round_of(r, controller_find("replicaset"), false);
	for (size_t i = json_array_size(r->c.objects); i-- > 0;)
		n += agent_step(&r->c, i);
	return n;
}

/* Until nothing is planned any more, or death. */
static bool
settles(struct run *r)
{
	int waits = 0;

	for (int i = 0; i < ROUNDS; i++) {
		size_t n;

		r->again = 0;
		n = round_of(r, r->which, true);
		if (r->crashed)
			return true;
		n += surroundings(r);
		if (n)
			continue;
		if (!r->again || waits++ == WAITS)
			return true;
		cluster_wait(&r->c, r->again);
	}
	return false;
}

static void
run_init(struct run *r, const struct controller *which, long budget)
{
	size_t i;
	json_t *obj;

	*r = (struct run){ .which = which, .budget = budget };
	cluster_init(&r->c, start);
	r->c.version = 1000;
	json_array_foreach (input, i, obj)
		cluster_add(&r->c, json_deep_copy(obj));
	cluster_find_alive(&r->c, 40);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What a cluster comes to, without names and times: a line per object, sorted. */
static char *
essence(const struct cluster *c)
{
	size_t n = json_array_size(c->objects), i;
	char **line = xcalloc(n + 1, sizeof *line);
	struct buf all = BUF_INIT;
	json_t *obj;

	json_array_foreach (c->objects, i, obj)
		line[i] =
		    xasprintf("%s %s replicas=%lld ready=%lld deleting=%d owners=%zu taints=%zu\n",
			text(obj, "kind"), meta_namespace(obj),
			(long long)num(get(obj, "spec", "replicas"), -1),
			(long long)num(get(obj, "status", "readyReplicas"), 0), meta_deleting(obj),
			json_array_size(get(obj, "metadata", "ownerReferences")),
			json_array_size(get(obj, "spec", "taints")));
	qsort(line, n, sizeof *line, by_text);
	for (i = 0; i < n; i++) {
		buf_puts(&all, line[i]);
		free(line[i]);
	}
	free(line);
	buf_reserve(&all, 0);
	return buf_detach(&all);
}

/* Die after n actions, go on; returns whether there was an n-th action. */
static bool
crash_at(const struct controller *which, long n, const char *goal)
{
	autofree char *reached = NULL;
	struct run r;
	bool crashed;

	run_init(&r, which, n);
	if (!settles(&r)) {
		printf("no end before the crash at action %ld\n", n);
		exit(1);
	}
	crashed = r.crashed;
	r.crashed = false;
	r.budget = MANY;
	if (crashed && !settles(&r)) {
		printf("no end after a crash at action %ld\n", n);
		exit(1);
	}
	reached = essence(&r.c);
	cluster_release(&r.c);
	if (goal && strcmp(reached, goal) != 0) {
		printf("after a crash at action %ld:\n%sinstead of:\n%s", n, reached, goal);
		exit(1);
	}
	return crashed;
}

/* Options in "#:" lines, as tests/golden/run reads them. */
static void
read_options(char *words)
{
	for (char *word = strtok(words, " \t"); word; word = strtok(NULL, " \t")) {
		char *next = NULL, *equals;

		if (strcmp(word, "--exhaustive") == 0)
			complete = true;
		else if ((next = strtok(NULL, " \t")) && strcmp(word, "--time") == 0)
			assert(time_parse(next, &start));
		else if (next && strcmp(word, "--set") == 0 && (equals = strchr(next, '='))) {
			*equals = '\0';
			json_object_set_new(settings, next, json_string(equals + 1));
		}
	}
}

static void
read_input(void)
{
	struct buf all = BUF_INIT;
	struct objects *in;
	struct err err;
	json_t *obj;
	FILE *f;
	int r;

	input = json_array();
	settings = json_object();
	time_parse("2026-01-01T00:00:00Z", &start);
	assert(buf_read_fd(&all, 0, 1 << 24, &err) >= 0);
	for (const char *line = all.data; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (text_starts(line, "#:")) {
			char *words = xstrndup(line + 2, strcspn(line + 2, "\n"));

			read_options(words);
			free(words);
		}
	}
	f = fmemopen(all.data, all.len, "r");
	in = objects_open(f, "standard input");
	while ((r = objects_read(in, &obj, &err)) > 0)
		json_array_append_new(input, obj);
	if (r < 0)
		printf("%s\n", err.msg);
	assert(r == 0);
	objects_close(in);
	fclose(f);
	buf_release(&all);
}

int
main(int argc, char *argv[])
{
	const struct controller *which = argc > 1 ? controller_find(argv[1]) : NULL;
	autofree char *goal = NULL;
	struct run r;
	long n = 0, step;

	if (!which)
		return 0; /* make unit, and folders that hold no controller's inputs */
	read_input();
	run_init(&r, which, MANY);
	if (!settles(&r)) {
		printf("no end without a crash\n");
		return 1;
	}
	goal = essence(&r.c);
	cluster_release(&r.c);
	step = r.actions / 100 + 1; /* of very many actions only some */
	while (crash_at(which, n, goal))
		n += step;
	printf("ok %s: %ld crash points\n", which->name, n / step);
	json_decref(input);
	json_decref(settings);
	return 0;
}
