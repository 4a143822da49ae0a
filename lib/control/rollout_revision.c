/* Which ReplicaSet holds a Deployment's current template, and which revision that is. */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "control/name.h"
#include "control/number.h"
#include "control/rollout.h"

#define HASH_LABEL "pod-template-hash"
#define REVISION "deployment.kubernetes.io/revision"
#define HISTORY "deployment.kubernetes.io/revision-history"

enum { HASH_LETTERS = 10, HISTORY_BYTES = 2000, DEFAULT_HISTORY = 10 };

char *
rollout_template_text(const json_t *owner)
{
	json_auto_t *t = json_deep_copy(get(owner, "spec", "template"));
	json_t *labels = get(t, "metadata", "labels");

	json_object_del(labels, HASH_LABEL);
	json_object_del(get(t, "metadata"), "creationTimestamp");
	if (labels && json_object_size(labels) == 0)
		json_object_del(get(t, "metadata"), "labels");
	return name_canonical(t);
}

long long
rollout_revision(const json_t *rs)
{
	const char *s = meta_annotation(rs, REVISION);
	long long n;

	return s && text_int(s, &n) && n < INT64_MAX ? n : 0;
}

/* After a rollback several may hold the template: the oldest counts. */
void
rollout_find_latest(struct rollout *r)
{
	autofree char *want = rollout_template_text(r->deployment);

	for (size_t i = 0; i < r->n; i++) {
		autofree char *have = rollout_template_text(r->set[i].obj);

		if (want && have && strcmp(have, want) == 0) {
			r->latest = &r->set[i];
			return;
		}
	}
}

bool
rollout_private_annotation(const char *key)
{
	static const char *const keys[] = { "kubectl.kubernetes.io/last-applied-configuration",
		REVISION, HISTORY, "deployment.kubernetes.io/desired-replicas",
		"deployment.kubernetes.io/max-replicas", "deprecated.daemonset.template.generation",
		NULL };

	return text_in(key, keys);
}

static void
copy_annotations(struct rollout *r, struct replica_set *s)
{
	const char *key;
	json_t *value;

	json_object_foreach (get(r->deployment, "metadata", "annotations"), key, value) {
		if (rollout_private_annotation(key) ||
		    json_equal(value, get(set_view(s), "metadata", "annotations", key)))
			continue;
		put(set_edit(s), json_incref(value), "metadata", "annotations", key);
	}
}

/* "1,4" and 7 make "1,4,7"; the oldest go when it grows too long. */
static char *
longer_history(const char *history, const char *revision)
{
	while (*history && strlen(history) + 1 + strlen(revision) > HISTORY_BYTES) {
		const char *comma = strchr(history, ',');

		history = comma ? comma + 1 : "";
	}
	return xasprintf("%s%s%s", history, *history ? "," : "", revision);
}

/* The latest ReplicaSet has the highest revision; one that is rolled back to remembers what it was
 * before. */
static void
set_revision(struct rollout *r, struct replica_set *s)
{
	const char *old = meta_annotation(set_view(s), REVISION);
	long long highest = 0;

	for (size_t i = 0; i < r->n; i++)
		if (&r->set[i] != s && rollout_revision(r->set[i].obj) > highest)
			highest = rollout_revision(r->set[i].obj);
	if (rollout_revision(set_view(s)) <= highest) {
		autofree char *revision = xasprintf("%lld", highest + 1);

		if (old) {
			const char *history = meta_annotation(set_view(s), HISTORY);
			autofree char *longer = longer_history(history ? history : "", old);

			put(set_edit(s), json_string(longer), "metadata", "annotations", HISTORY);
		}
		put(set_edit(s), json_string(revision), "metadata", "annotations", REVISION);
	}
}

/* The name's ending and label value of a template: ten letters of a hash. */
static const char *
template_hash(const struct rollout *r, char letters[static HASH_LETTERS + 1])
{
	autofree char *t = rollout_template_text(r->deployment);
	json_int_t collisions = num32(get(r->deployment, "status", "collisionCount"), 0);
	uint64_t hash = name_mix(TEXT_HASH_SEED, t ? t : "");

	if (collisions)
		hash = name_mix_number(hash, collisions);
	return name_letters(hash, HASH_LETTERS, letters);
}

static json_t *
new_object(const struct rollout *r, const char *name, const char *hash)
{
	const json_t *d = r->deployment;
	json_t *t = json_deep_copy(get(d, "spec", "template"));
	json_t *selector = json_deep_copy(get(d, "spec", "selector"));
	json_t *rs;

	put(t, json_string(hash), "metadata", "labels", HASH_LABEL);
	put(selector, json_string(hash), "matchLabels", HASH_LABEL);
	rs = json_pack("{s:s, s:s, s:{s:s, s:s, s:o, s:[o]}, s:{s:i, s:o, s:o}}", "apiVersion",
	    "apps/v1", "kind", "ReplicaSet", "metadata", "name", name, "namespace",
	    meta_namespace(d), "labels", json_deep_copy(get(t, "metadata", "labels")),
	    "ownerReferences", meta_owner_ref(d), "spec", "replicas", 0, "selector", selector,
	    "template", t);
	if (!*meta_namespace(d))
		json_object_del(get(rs, "metadata"), "namespace");
	if (num32(get(d, "spec", "minReadySeconds"), 0))
		put(rs, json_incref(get(d, "spec", "minReadySeconds")), "spec", "minReadySeconds");
	return rs;
}

static void
create(struct rollout *r)
{
	char letters[HASH_LETTERS + 1];
	const char *hash = template_hash(r, letters);
	autofree char *name = xasprintf("%s-%s", meta_name(r->deployment), hash);
	json_int_t collisions = num32(get(r->deployment, "status", "collisionCount"), 0);
	struct replica_set *s;
	json_t *obj;

	if (world_get(r->w, "ReplicaSet.apps", meta_namespace(r->deployment), name)) {
		r->collision = true;
		put(r->next, json_integer(collisions + 1), "status", "collisionCount");
		return;
	}
	obj = new_object(r, name, hash);
	s = rollout_add(r, obj);
	s->edit = obj;
	s->fresh = s->resized = true;
	s->replicas = r->recreate ? r->replicas : rollout_room(r, 0);
	copy_annotations(r, s);
	r->latest = s;
	if (rollout_deadline(r))
		rollout_condition(r, "Progressing", "True", "NewReplicaSetCreated",
		    "Created new replica set \"%s\"", name);
}

void
rollout_sync_revision(struct rollout *r, bool may_create)
{
	const json_t *d = r->deployment;

	rollout_find_latest(r);
	if (r->latest) {
		struct replica_set *s = r->latest;

		copy_annotations(r, s);
		if (num32(get(s->obj, "spec", "minReadySeconds"), 0) !=
		    num32(get(d, "spec", "minReadySeconds"), 0))
			put(set_edit(s), json_integer(num32(get(d, "spec", "minReadySeconds"), 0)),
			    "spec", "minReadySeconds");
		if (rollout_deadline(r) && !condition_find(r->next, "Progressing"))
			rollout_condition(r, "Progressing", "True", "FoundNewReplicaSet",
			    "Found new replica set \"%s\"", meta_name(s->obj));
	} else if (may_create) {
		create(r);
	}
	if (r->latest) {
		set_revision(r, r->latest);
		r->revision = meta_annotation(set_view(r->latest), REVISION);
	}
}

static int
by_revision(const void *a, const void *b)
{
	const struct replica_set *x = *(struct replica_set *const *)a;
	const struct replica_set *y = *(struct replica_set *const *)b;
	long long rx = rollout_revision(x->obj), ry = rollout_revision(y->obj);

	if (rx != ry)
		return rx < ry ? -1 : 1;
	return strcmp(meta_created(x->obj), meta_created(y->obj));
}

/* Only a ReplicaSet that has surely nothing left may go. */
static bool
idle(const struct replica_set *s)
{
	return s->replicas == 0 && s->before == 0 && s->current == 0 && !meta_deleting(s->obj) &&
	       num(get(s->obj, "status", "observedGeneration"), 0) >= meta_generation(s->obj);
}

void
rollout_clean_history(struct rollout *r)
{
	json_int_t limit =
	    num32(get(r->deployment, "spec", "revisionHistoryLimit"), DEFAULT_HISTORY);
	struct replica_set **old = xreallocarray(NULL, r->n + 1, sizeof *old);
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (&r->set[i] != r->latest && !meta_deleting(r->set[i].obj))
			old[n++] = &r->set[i];
	qsort(old, n, sizeof *old, by_revision);
	for (size_t i = 0; limit >= 0 && i + (size_t)limit < n; i++)
		if (idle(old[i]))
			old[i]->doomed = true;
	free(old);
}
