#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/follow.h"
#include "client/wake.h"
#include "control/served.h"

/* After a change: so soon, as often as it takes no more than a part of the time, and for so long.
 */
#define SOON 0.1
#define SHARE 5
#define LATER 1.0
#define SETTLED 5.0
enum { USUALLY = 30 };

/* --- setting up ------------------------------------------------------------------------ */

static bool
is_all(const char *group_kind)
{
	return strcmp(group_kind, "*") == 0;
}

/* Keep one kind whole, given as group-kind; a second time is fine. */
static int
name(struct follow *f, const char *group_kind, struct err *err)
{
	const struct kind *k;
	int r;

	if (is_all(group_kind)) {
		f->all = true;
		return 0;
	}
	if (json_object_get(f->whole, group_kind))
		return 0;
	json_object_set_new(f->whole, group_kind, json_true());
	if ((r = client_kind(f->client, group_kind, &k, err)) < 0)
		return r;
	return cache_add_kind(f->cache, k, 0, err);
}

int
follow_start(struct follow *f, struct client *c, struct cache *cache,
    const struct controller *const *which, struct err *err)
{
	int r = 0;

	*f = (struct follow){
		.client = c, .cache = cache, .whole = json_object(), .served = json_object()
	};
	for (size_t i = 0; which[i] && r >= 0; i++) {
		r = name(f, which[i]->kind, err);
		for (const char *const *k = which[i]->reads; k && *k && r >= 0; k++)
			r = name(f, *k, err);
	}
	f->due = f->all ? clock_monotonic() : 0;
	return r;
}

void
follow_release(struct follow *f)
{
	json_decref(f->whole);
	json_decref(f->served);
	map_release(&f->fed, NULL);
	*f = (struct follow){ 0 };
}

/* --- when to ask ----------------------------------------------------------------------- */

void
follow_changed(struct follow *f, const json_t *obj)
{
	double now = clock_monotonic(), soon = now + SOON;
	const char *kind = text(obj, "kind");

	if (!f->all || !f->asked ||
	    (strcmp(kind, "CustomResourceDefinition") != 0 && strcmp(kind, "APIService") != 0))
		return;
	f->changed = now;
	/* of many changes one after the other not each is worth reading it all */
	if (soon < now + f->took * SHARE)
		soon = now + f->took * SHARE;
	if (soon < f->due)
		f->due = soon;
}

/* Seconds until it is worth asking again, after an answer. */
static double
pause_of(const struct follow *f, double now)
{
	if (f->failures)
		return f->failures < 5 ? 1 << f->failures : USUALLY;
	if (f->changed > 0 && now - f->changed < LATER)
		return LATER;
	if (f->changed > 0 && now - f->changed < SETTLED)
		return SETTLED;
	return USUALLY;
}

double
follow_due(const struct follow *f)
{
	double left = f->due - clock_monotonic();

	return f->due == 0 ? -1 : left > 0 ? left : 0;
}

/* --- what the answer changes ------------------------------------------------------------- */

static bool
is_followed(const struct follow *f, const struct served *s, const char *group_kind)
{
	return (~s->verbs & (VERB_LIST | VERB_DELETE)) == 0 && strcmp(s->kind, "Event") != 0 &&
	       !json_object_get(f->whole, group_kind);
}

static void
drop(struct follow *f, struct map_slot *slot)
{
	cache_drop(f->cache, slot->value);
	slot->value = NULL;
}

/* Feeds for what is served, of the kind as it is served now. */
static void
add_feeds(struct follow *f)
{
	struct world *w = cache_world(f->cache);
	const struct served *s;
	char group_kind[128];
	struct err err;

	for (size_t i = 0; (s = world_served_at(w, i)); i++) {
		const struct kind *k;
		struct map_slot *slot;

		if (!is_followed(f, s, served_group_kind(s, group_kind)))
			continue;
		k = client_kind_known(f->client, s->group, s->version, s->plural);
		slot = map_at(&f->fed, group_kind, strlen(group_kind));
		/* one whose server does not answer can come when it does */
		if (!k || slot->value == k || (s->stale && !slot->value))
			continue;
		if (slot->value)
			drop(f, slot);
		if (cache_add_kind(f->cache, k, CACHE_META | CACHE_OPTIONAL, &err) == 0)
			slot->value = (void *)k;
		else
			log_line("cannot watch %s: %s", group_kind, err.msg);
	}
}

/* Does a group's server not answer, so that one cannot tell what it serves? */
static bool
group_fails(const struct world *w, const char *group)
{
	const char *failing;
	size_t len = strlen(group);

	for (size_t i = 0; (failing = world_failing(w, i)); i++)
		if (strncmp(failing, group, len) == 0 && failing[len] == '/')
			return true;
	return false;
}

/* What is not served any more has no objects, and that is known. */
static void
drop_feeds(struct follow *f)
{
	const struct world *w = cache_world(f->cache);

	for (size_t i = 0; i < f->fed.cap; i++) {
		struct map_slot *slot = &f->fed.slot[i];
		const struct kind *k = slot->value;

		if (!slot->key || !k || world_served(w, slot->key) || group_fails(w, k->group))
			continue;
		log_line("%s is not served any more", slot->key);
		drop(f, slot);
	}
}

/* The groups of the answer into the world; whether any is not what it was. */
static bool
take_groups(struct follow *f, const json_t *groups, json_t *changed)
{
	struct world *w = cache_world(f->cache);
	json_t *fresh = json_object(), *group;
	const char *named;
	size_t i;

	json_array_foreach (groups, i, group) {
		json_object_set(fresh, meta_name(group), group);
		if (json_equal(json_object_get(f->served, meta_name(group)), group))
			continue;
		world_put(w, json_incref(group));
		json_array_append(changed, group);
	}
	json_object_foreach (f->served, named, group) {
		if (json_object_get(fresh, named))
			continue;
		world_remove(w, DISCOVERY, "", named);
		json_array_append(changed, group);
	}
	json_decref(f->served);
	f->served = fresh;
	return json_array_size(changed) > 0;
}

static int
ask(struct follow *f, json_t *changed, struct err *err)
{
	json_auto_t *groups = NULL;
	int r;

	if ((r = client_groups(f->client, &groups, err)) < 0)
		return r;
	if (take_groups(f, groups, changed)) {
		client_learn(f->client, groups);
		drop_feeds(f);
		add_feeds(f);
	}
	cache_look_again(f->cache);
	f->asked = true;
	return 0;
}

void
follow_ask(struct follow *f, void (*told)(void *arg, const json_t *group), void *arg)
{
	json_auto_t *changed = json_array();
	double began = clock_monotonic(), now;
	struct err err;
	json_t *group;
	size_t i;

	if (f->due == 0 || began < f->due)
		return;
	if (ask(f, changed, &err) < 0) {
		if (f->failures++ == 0)
			log_line("cannot ask which kinds there are: %s; trying again", err.msg);
	} else {
		f->failures = 0;
	}
	now = clock_monotonic();
	f->took = now - began;
	f->due = now + pause_of(f, now);
	json_array_foreach (changed, i, group)
		told(arg, group);
}
