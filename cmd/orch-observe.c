/*
 * orch-observe - what a controller needs to know, as an object stream: the objects, and those of
 * the kinds that their controllers read.
 */
#include <string.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "client/address.h"
#include "control/control.h"
#include "control/served.h"

static bool whole;
static const struct opt opts[] = {
	{ 0, "whole", NULL, "leave nothing out that the controller could read", &whole, false },
	{ 0 },
};
static const struct opt *const shared[] = { scope_opts, client_opts, NULL };
const struct program self = {
	.name = "orch-observe",
	.synopsis = "[-n NAMESPACE] [--whole] KIND[/NAME]...\n[-A] CONTROLLER|all",
	.summary = "Print the objects a controller looks at, for orch-reconcile.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

struct observing {
	struct client *client;
	json_t *printed;     /* uid: true */
	json_t *found;	     /* candidates of the kinds read */
	json_t *listed;	     /* "group-kind namespace": true */
	struct world *kinds; /* that the server serves; NULL: not asked yet */
};

/* --- gathering ----------------------------------------------------------------------------- */

static void
print(struct observing *o, const json_t *obj)
{
	if (json_object_get(o->printed, meta_uid(obj)))
		return;
	json_object_set_new(o->printed, meta_uid(obj), json_true());
	jsonl_write(stdout, obj);
}

static int
print_target(void *arg, json_t *obj, struct err *err)
{
	(void)err;
	print(arg, obj);
	json_decref(obj);
	return 0;
}

static int
find(void *arg, json_t *obj, struct err *err)
{
	struct observing *o = arg;

	(void)err;
	json_array_append_new(o->found, obj);
	return 0;
}

/* List a kind once; one that the server does not have has no objects. */
static int
gather(struct observing *o, const struct kind *k, const char *ns, struct err *err)
{
	char group_kind[128];
	autofree char *key =
	    xasprintf("%s %s", kind_group_kind(k, group_kind), k->namespaced ? ns : "");
	int r;

	if (json_object_get(o->listed, key))
		return 0;
	json_object_set_new(o->listed, key, json_true());
	r = client_list(o->client, k, ns, NULL, find, o, NULL, err);
	return r == -ERR_NOT_FOUND || r == -ERR_METHOD ? 0 : r;
}

/* What the server serves goes first, as data: controllers that look at every kind ask for it. */
static int
discover(struct observing *o, struct err *err)
{
	json_auto_t *groups = NULL;
	json_t *group;
	size_t i;
	int r;

	if (o->kinds)
		return 0;
	if ((r = client_groups(o->client, &groups, err)) < 0)
		return r;
	client_learn(o->client, groups);
	o->kinds = world_new();
	json_array_foreach (groups, i, group) {
		jsonl_write(stdout, group);
		world_put(o->kinds, json_incref(group));
	}
	return 0;
}

static int
gather_all(struct observing *o, const char *ns, struct err *err)
{
	const struct served *s;
	int r;

	if ((r = discover(o, err)) < 0)
		return r;
	for (size_t i = 0; (s = world_served_at(o->kinds, i)) && r >= 0; i++) {
		const struct kind *k =
		    client_kind_known(o->client, s->group, s->version, s->plural);

		/* what does not answer says so in what the server serves */
		if (k && (s->verbs & VERB_LIST) && !s->stale && strcmp(s->kind, "Event") != 0 &&
		    (r = gather(o, k, ns, err)) < 0)
			err_wrap(err, "%s", s->plural);
	}
	return r;
}

/* The kinds that a controller reads, where the keys are. */
static int
gather_reads(struct observing *o, const struct controller *c, const char *ns, struct err *err)
{
	int r = 0;

	for (const char *const *word = c->reads; word && *word && r >= 0; word++) {
		const struct kind *k;

		if (strcmp(*word, "*") == 0)
			r = gather_all(o, ns, err);
		else if (strcmp(*word, c->kind) != 0 &&
			 (r = client_kind(o->client, *word, &k, err)) >= 0)
			r = gather(o, k, ns, err);
	}
	return r;
}

/*
 * Print what was found.  For named objects without what belongs to others: an object whose
 * controller is not among the printed ones, unless its controller comes later.
 */
static void
print_found(struct observing *o, bool all)
{
	size_t before, i;
	json_t *obj;

	do {
		before = json_object_size(o->printed);
		json_array_foreach (o->found, i, obj) {
			const char *owner = text(meta_controller(obj), "uid");

			if (all || !*owner || json_object_get(o->printed, owner))
				print(o, obj);
		}
	} while (json_object_size(o->printed) > before);
}

/* --- by object, by controller --------------------------------------------------------------- */

static int
observe_target(struct observing *o, const struct target *t, struct err *err)
{
	char group_kind[128];
	bool any = false;
	int r = target_each(o->client, t, print_target, o, err);

	kind_group_kind(t->kind, group_kind);
	for (size_t i = 0; controllers[i] && r >= 0; i++) {
		if (strcmp(controllers[i]->kind, group_kind) != 0)
			continue;
		any = true;
		r = gather_reads(o, controllers[i], t->ns, err);
	}
	if (r >= 0 && !any)
		return err_set(err, ERR_BAD_REQUEST, "no controller works on %s", t->kind->plural);
	return r;
}

static int
observe_controller(struct observing *o, const struct controller *c, struct err *err)
{
	struct targets t = { 0 };
	const char *ns = scope_options.all_namespaces ? ""
			 : scope_options.namespace    ? scope_options.namespace
						      : client_namespace(o->client);
	char *word = xstrdup(c->kind);
	int r;

	if (strcmp(c->kind, "*") == 0) {
		r = gather_all(o, ns, err);
	} else if ((r = targets_of_words(&t, o->client, 1, &word, err)) >= 0) {
		r = target_each(o->client, &t.item[0], print_target, o, err);
		if (r >= 0)
			r = gather_reads(o, c, t.item[0].ns, err);
	}
	targets_release(&t);
	free(word);
	return r;
}

static const struct controller *
named(const char *word)
{
	for (size_t i = 0; controllers[i]; i++)
		if (strcmp(controllers[i]->name, word) == 0)
			return controllers[i];
	return NULL;
}

static int
observe(struct observing *o, int n, char *words[], bool *all, struct err *err)
{
	struct targets t = { 0 };
	int r = 0;

	*all = whole;
	if (n == 1 && (strcmp(words[0], "all") == 0 || named(words[0]))) {
		*all = true;
		for (size_t i = 0; controllers[i] && r >= 0; i++)
			if (strcmp(words[0], "all") == 0 || controllers[i] == named(words[0]))
				r = observe_controller(o, controllers[i], err);
		return r;
	}
	r = targets_of_words(&t, o->client, n, words, err);
	for (size_t i = 0; i < t.n && r >= 0; i++) {
		r = observe_target(o, &t.item[i], err);
		if (r < 0)
			r = err_wrap(err, "%s", t.item[i].where);
	}
	targets_release(&t);
	return r;
}

int
main(int argc, char *argv[])
{
	struct observing o = {
		.printed = json_object(), .found = json_array(), .listed = json_object()
	};
	struct err err;
	int at = cli_parse(argc, argv);
	bool all;

	if (at == argc)
		usage();
	if (client_open(&o.client, &err) < 0 || observe(&o, argc - at, argv + at, &all, &err) < 0)
		die(&err, "cannot observe");
	print_found(&o, all);
	json_decref(o.printed);
	json_decref(o.found);
	json_decref(o.listed);
	world_free(o.kinds);
	client_close(o.client);
	return finish(0);
}
