/*
 * orch-reconcile - run controllers: once over a pipe, or for ever against an API server.
 *	reads	the object stream, or watches with -w
 *	writes	the action stream, or acts with -w
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "api/meta.h"
#include "api/object.h"
#include "api/schema.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "client/loop.h"
#include "control/control.h"
#include "control/served.h"

static bool watch, exhaustive, list;
static const char *time_arg, *namespace, *ca_arg;
static struct list settings;
static struct loop_options loop;

static const struct opt opts[] = {
	{ 't', "time", "TIME", "the time the controllers see (default: now)", &time_arg, false },
	{ 'n', "namespace", "NAMESPACE", "only the objects of this namespace", &namespace, false },
	{ 0, "exhaustive", NULL, "a kind without objects in the input has none", &exhaustive,
	    false },
	{ 0, "set", "NAME=VALUE", "set what controllers let one tune", &settings, true },
	{ 0, "root-ca", "FILE", "what root-ca publishes: PEM certificates", &ca_arg, false },
	{ 0, "list", NULL, "list the controllers", &list, false },
	{ 'w', "watch", NULL, "run for ever against the API server", &watch, false },
	{ 0, "once", NULL, "with -w: end when nothing is left to do", &loop.once, false },
	{ 0, "step", NULL, "with -w: show each plan and ask before acting", &loop.step, false },
	{ 0, "metrics", "HOST:PORT", "with -w: serve metrics here", &loop.metrics, false },
	{ 0 },
};

const struct program self = {
	.name = "orch-reconcile",
	.synopsis = "[options] CONTROLLER [KIND/NAME] <objects >actions\n"
		    "-w [options] CONTROLLER...\n--list",
	.summary = "Print what controllers would do about the objects on standard input, or do it.",
	.opts = opts,
	.shared = (const struct opt *const[]){ client_opts, NULL },
	.operands = "controllers",
};

/* One object asked for on the command line: "deployment/web". */
struct target {
	char *word;	      /* NULL: every object */
	char group_kind[128]; /* of it */
	const char *shown;    /* the kind, in messages */
	const char *name;
};

/* The controllers the operands name, NULL-terminated; "all" is every one. */
static const struct controller **
find_controllers(char *const *names, size_t n)
{
	const struct controller **which = NULL;
	size_t count = 0, cap = 0;

	for (size_t i = 0; i < n; i++) {
		const struct controller *one = controller_find(names[i]);
		bool all = strcmp(names[i], "all") == 0;

		if (!one && !all)
			die(NULL, "no controller '%s': see --list", names[i]);
		for (size_t j = 0; controllers[j]; j++) {
			if (!all && controllers[j] != one)
				continue;
			GROW(which, count, cap);
			which[count++] = controllers[j];
		}
	}
	GROW(which, count, cap);
	which[count] = NULL;
	return which;
}

static int64_t
parse_time(void)
{
	int64_t at;
	long long seconds;

	if (!time_arg)
		return clock_now();
	if (text_int(time_arg, &seconds))
		return seconds;
	if (!time_parse(time_arg, &at))
		die(NULL, "--time: '%s' is neither RFC 3339 nor seconds", time_arg);
	return at;
}

/* --root-ca is a setting whose value stands in a file. */
static void
read_ca(void)
{
	autobuf struct buf pem = BUF_INIT;
	struct err err;

	if (!ca_arg)
		return;
	if (buf_read_file(&pem, ca_arg, 1 << 20, &err) < 0)
		die(&err, "--root-ca");
	if (!pem.len || strlen(pem.data) != pem.len || !strstr(pem.data, "-----BEGIN CERTIFICATE"))
		die(NULL, "--root-ca: '%s' holds no PEM certificates", ca_arg);
	GROW(settings.item, settings.n, settings.cap);
	settings.item[settings.n++] = xasprintf("root-ca=%s", pem.data); /* for good */
}

/* Put every --set into a world. */
static void
apply_settings(struct world *w)
{
	for (size_t i = 0; i < settings.n; i++) {
		const char *equals = strchr(settings.item[i], '=');
		autofree char *name = NULL;

		if (!equals || equals == settings.item[i])
			die(NULL, "--set: '%s' is not NAME=VALUE", settings.item[i]);
		name = xstrndup(settings.item[i], (size_t)(equals - settings.item[i]));
		world_set(w, name, equals + 1);
	}
}

/* Every object on standard input; a kind that occurs counts as known. */
static struct world *
read_world(void)
{
	struct objects *in = objects_open(stdin, "standard input");
	struct world *w = world_new();
	char kind[128];
	struct err err;
	json_t *obj;
	int r;

	world_set_now(w, parse_time());
	apply_settings(w);
	if (exhaustive)
		world_set_known(w, "*");
	while ((r = objects_read(in, &obj, &err)) > 0) {
		world_set_known(w, meta_group_kind(obj, kind));
		world_put(w, obj);
	}
	if (r < 0)
		die(&err, "cannot read objects");
	objects_close(in);
	return w;
}

static bool
wanted(const json_t *obj, const struct target *target)
{
	char have[128];

	if (namespace && strcmp(namespace, meta_namespace(obj)) != 0)
		return false;
	return !target->word || (strcmp(target->name, meta_name(obj)) == 0 &&
				    strcmp(meta_group_kind(obj, have), target->group_kind) == 0);
}

static int
reconcile_one(const struct world *w, const struct controller *c, const json_t *obj)
{
	autofree char *ref = meta_ref(obj);
	struct plan plan;
	struct err err;
	json_t *action;
	size_t i;
	int status = 0;

	plan_init(&plan, c->name, ref);
	if (c->reconcile(w, obj, &plan, &err) < 0)
		status = complain(&err, "cannot reconcile '%s'", ref);
	else
		json_array_foreach (plan.actions, i, action)
			jsonl_write(stdout, action);
	plan_release(&plan);
	return status;
}

/* One controller over all its objects; returns the worst exit status. */
static int
filter(const struct world *w, const struct controller *c, const struct target *target)
{
	bool any = strcmp(c->kind, "*") == 0;
	size_t count = 0;
	int worst = 0;

	for (size_t i = 0; any ? !!world_kind(w, i) : i == 0; i++) {
		struct walk it = world_each(w, any ? world_kind(w, i) : c->kind, NULL);

		for (const json_t *obj; (obj = walk_next(&it));) {
			int status;

			if (!wanted(obj, target))
				continue;
			count++;
			status = reconcile_one(w, c, obj);
			if (status > worst)
				worst = status;
		}
	}
	if (!count && target->word)
		return complain(NULL, "no %s '%s' in the input", target->shown, target->name), 1;
	if (!count)
		warn("controller '%s' has nothing to look at: no %s in the input", c->name,
		    any ? "object" : c->kind);
	return worst;
}

/* Does a word stand for a kind: "widget", "widgets", "widgets.example.com"? */
static bool
stands_for(const char *word, const struct served *s)
{
	size_t len = strcspn(word, ".");

	return (!word[len] || strcasecmp(word + len + 1, s->group) == 0) &&
	       ((strlen(s->plural) == len && strncasecmp(s->plural, word, len) == 0) ||
		   (strlen(s->kind) == len && strncasecmp(s->kind, word, len) == 0));
}

/* The kind of a target: built in, or one that the input says is served. */
static void
find_kind(const struct world *w, struct target *t)
{
	const struct kind *k = t->word ? kind_of_word(t->word) : NULL;
	const struct served *s;

	t->shown = k ? k->singular : t->word;
	if (k) {
		kind_group_kind(k, t->group_kind);
		return;
	}
	for (size_t i = 0; t->word && (s = world_served_at(w, i)); i++)
		if (stands_for(t->word, s)) {
			served_group_kind(s, t->group_kind);
			return;
		}
	if (t->word)
		die(NULL, "no kind '%s'", t->word);
}

static int
run_filter(const struct controller *const *which, struct target *target)
{
	struct world *w = read_world();
	int worst = 0;

	find_kind(w, target);

	for (size_t i = 0; which[i]; i++) {
		int status = filter(w, which[i], target);

		if (status > worst)
			worst = status;
	}
	world_free(w);
	return worst;
}

/* Each kind is watched over a connection of its own. */
static void
raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static int
run_loop(const struct controller *const *which)
{
	struct world *w = world_new();
	struct client *client;
	struct err err;
	int r;

	log_open(self.name, 0);
	apply_settings(w); /* complains about a bad one now */
	world_free(w);
	if (time_arg || exhaustive || namespace)
		die(NULL, "--time, --exhaustive and --namespace are for a pipe, not for --watch");
	if (client_open(&client, &err) < 0)
		die(&err, "cannot open the connection to the API server");
	loop.settings = &settings;
	raise_limit();
	r = loop_run(client, which, &loop, &err);
	if (r < 0)
		die(&err, "cannot go on");
	client_close(client);
	return 0;
}

static int
print_list(void)
{
	for (size_t i = 0; controllers[i]; i++)
		printf("%s\t%s\n", controllers[i]->name, controllers[i]->summary);
	return 0;
}

/* "deployment/web" apart. */
static struct target
parse_target(const char *operand)
{
	const char *slash = strchr(operand, '/');
	struct target t = { .name = slash ? slash + 1 : "" };

	if (!slash || slash == operand || !*t.name)
		die(NULL, "'%s' is not KIND/NAME", operand);
	t.word = xstrndup(operand, (size_t)(slash - operand));
	return t;
}

int
main(int argc, char *argv[])
{
	struct target target = { 0 };
	autofree const struct controller **which = NULL;
	int first = cli_parse(argc, argv), n = argc - first;
	int status;

	if (list)
		return finish(print_list());
	if (n < 1 || (!watch && n > 2))
		usage();
	if (!watch && n == 2) {
		target = parse_target(argv[first + 1]);
		n = 1;
	}
	read_ca();
	which = find_controllers(argv + first, (size_t)n);
	status = watch ? run_loop(which) : run_filter(which, &target);
	free(target.word);
	return finish(status);
}
