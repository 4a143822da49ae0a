/* The status of CustomResourceDefinitions. */
#include "store/definition_names.h"

#include <stdlib.h>
#include <string.h>

#include "api/cause.h"
#include "api/meta.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

/* --- who has which --- */

struct groups {
	struct group {
		char *name;
		struct taken taken;
	} * item; /* in the order of their names */
	size_t n, cap;
};

struct groups *
groups_new(void)
{
	return xcalloc(1, sizeof(struct groups));
}

static void
group_release(struct group *g)
{
	free(g->name);
	json_decref(g->taken.resources);
	json_decref(g->taken.kinds);
}

void
groups_free(struct groups *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->n; i++)
		group_release(&g->item[i]);
	free(g->item);
	free(g);
}

/* Where the group is, or belongs. */
static size_t
place_of(const struct groups *g, const char *name, bool *there)
{
	size_t from = 0, to = g->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (strcmp(g->item[mid].name, name) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	*there = from < g->n && strcmp(g->item[from].name, name) == 0;
	return from;
}

static void
count_name(json_t *set, const char *name, int by)
{
	json_int_t had = json_integer_value(json_object_get(set, name));

	if (!*name)
		return;
	if (had + by > 0)
		json_object_set_new(set, name, json_integer(had + by));
	else
		json_object_del(set, name);
}

static void
count_names(struct taken *t, const json_t *names, int by)
{
	size_t i;
	json_t *v;

	count_name(t->resources, text(names, "plural"), by);
	count_name(t->resources, text(names, "singular"), by);
	json_array_foreach (json_object_get(names, "shortNames"), i, v)
		count_name(t->resources, str(v, ""), by);
	count_name(t->kinds, text(names, "kind"), by);
	count_name(t->kinds, text(names, "listKind"), by);
}

void
groups_add(struct groups *g, const char *group, const json_t *names)
{
	bool there;
	size_t at = place_of(g, group, &there);

	if (!json_object_size(names))
		return;
	if (!there) {
		GROW(g->item, g->n, g->cap);
		memmove(g->item + at + 1, g->item + at, (g->n++ - at) * sizeof *g->item);
		g->item[at] = (struct group){ xstrdup(group), { json_object(), json_object() } };
	}
	count_names(&g->item[at].taken, names, 1);
}

void
groups_remove(struct groups *g, const char *group, const json_t *names)
{
	bool there;
	size_t at = place_of(g, group, &there);
	struct taken *t = there ? &g->item[at].taken : NULL;

	if (!t || !json_object_size(names))
		return;
	count_names(t, names, -1);
	if (json_object_size(t->resources) || json_object_size(t->kinds))
		return;
	group_release(&g->item[at]);
	memmove(g->item + at, g->item + at + 1, (--g->n - at) * sizeof *g->item);
}

struct taken
groups_taken(const struct groups *g, const char *group)
{
	bool there;
	size_t at = place_of(g, group, &there);

	return there ? g->item[at].taken : (struct taken){ NULL, NULL };
}

/* --- names --- */

struct naming {
	const json_t *spec, *before; /* requested; accepted so far */
	json_t *names;		     /* accepted from now on */
	const char *reason;	     /* the last conflict; NULL: none */
	struct buf message;
};

static void
conflict(struct naming *n, const char *reason, const char *name)
{
	n->reason = reason;
	buf_clear(&n->message);
	text_quote(&n->message, name);
	buf_puts(&n->message, " is already in use");
}

static void
settle_name(struct naming *n, const json_t *taken, const char *key, const char *reason)
{
	const char *want = text(n->spec, key);

	if (strcmp(want, text(n->before, key)) != 0 && json_object_get(taken, want))
		conflict(n, reason, want);
	else if (*want)
		json_object_set_new(n->names, key, json_string(want));
	else
		json_object_del(n->names, key);
}

static bool
has_word(const json_t *list, const char *word)
{
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v)
		if (strcmp(str(v, ""), word) == 0)
			return true;
	return false;
}

/* All of them or none. */
static void
settle_short_names(struct naming *n, const json_t *taken)
{
	const json_t *mine = json_object_get(n->before, "shortNames");
	json_t *want = json_object_get(n->spec, "shortNames"), *v;
	autobuf struct buf all = BUF_INIT;
	size_t i, refused = 0;

	json_array_foreach (want, i, v) {
		if (has_word(mine, str(v, "")) || !json_object_get(taken, str(v, "")))
			continue;
		buf_puts(&all, refused++ ? ", " : "");
		text_quote(&all, str(v, ""));
		buf_puts(&all, " is already in use");
	}
	if (refused) {
		n->reason = "ShortNamesConflict";
		buf_clear(&n->message);
		buf_printf(&n->message, refused > 1 ? "[%s]" : "%s", all.data);
	} else if (json_array_size(want)) {
		json_object_set(n->names, "shortNames", want);
	} else {
		json_object_del(n->names, "shortNames");
	}
}

static void
settle_names(struct naming *n, const struct taken *taken)
{
	json_t *categories = json_object_get(n->spec, "categories");

	settle_name(n, taken->resources, "plural", "PluralConflict");
	settle_name(n, taken->resources, "singular", "SingularConflict");
	settle_short_names(n, taken->resources);
	settle_name(n, taken->kinds, "kind", "KindConflict");
	settle_name(n, taken->kinds, "listKind", "ListKindConflict");
	if (json_array_size(categories))
		json_object_set(n->names, "categories", categories);
	else
		json_object_del(n->names, "categories");
}

bool
definition_condition(const json_t *crd, const char *type)
{
	size_t i;
	json_t *c;

	json_array_foreach (get(crd, "status", "conditions"), i, c)
		if (strcmp(text(c, "type"), type) == 0)
			return strcmp(text(c, "status"), "True") == 0;
	return false;
}

bool
definition_established(const json_t *crd)
{
	return definition_condition(crd, "Established");
}

/* Groups of Kubernetes itself are not for everybody. */
static void
approve(json_t *crd, const char *now)
{
	static const char type[] = "KubernetesAPIApprovalPolicyConformant";
	const char *group = text(crd, "spec", "group");
	const char *said = meta_annotation(crd, "api-approved.kubernetes.io");
	autofree char *msg = NULL;

	if (!text_ends(group, ".k8s.io") && !text_ends(group, ".kubernetes.io") &&
	    strcmp(group, "k8s.io") != 0 && strcmp(group, "kubernetes.io") != 0)
		return;
	if (said && text_starts(said, "unapproved")) {
		msg = xasprintf("not approved: \"%s\"", said);
		condition_set(crd, type, "False", "UnapprovedAnnotation", msg, now);
	} else if (said && *said) {
		msg = xasprintf("approved in %s", said);
		condition_set(crd, type, "True", "ApprovedAnnotation", msg, now);
	}
}

bool
definition_settle(json_t *crd, const struct taken *taken, const char *now)
{
	json_auto_t *before = json_deep_copy(json_object_get(crd, "status"));
	struct naming n = { .spec = get(crd, "spec", "names"),
		.before = json_object_get(before, "acceptedNames"),
		.message = BUF_INIT };

	n.names = n.before ? json_deep_copy(n.before) : json_object();
	settle_names(&n, taken);
	put(crd, n.names, "status", "acceptedNames");
	if (!json_is_array(get(crd, "status", "conditions")))
		put(crd, json_array(), "status", "conditions");
	condition_set(crd, "NamesAccepted", n.reason ? "False" : "True",
	    n.reason ? n.reason : "NoConflicts", n.reason ? n.message.data : "no conflicts found",
	    now);
	if (!definition_established(crd))
		condition_set(crd, "Established", n.reason ? "False" : "True",
		    n.reason ? "NotAccepted" : "InitialNamesAccepted",
		    n.reason ? "not all names are accepted"
			     : "the initial names have been accepted",
		    now);
	approve(crd, now);
	buf_release(&n.message);
	return !json_equal(before, json_object_get(crd, "status"));
}

/* --- strategies --- */

static const char *
storage_version(const json_t *crd)
{
	size_t i;
	json_t *v;

	json_array_foreach (get(crd, "spec", "versions"), i, v)
		if (truth(json_object_get(v, "storage")))
			return text(v, "name");
	return NULL;
}

void
definition_create(json_t *crd)
{
	const char *version = storage_version(crd);

	json_object_set_new(crd, "status",
	    json_pack("{s:n,s:{s:s,s:s},s:o}", "conditions", "acceptedNames", "plural", "", "kind",
		"", "storedVersions", version ? json_pack("[s]", version) : json_array()));
}

void
definition_update(const json_t *old, json_t *crd)
{
	const char *version = storage_version(crd);
	json_t *stored = get(crd, "status", "storedVersions");

	(void)old;
	if (!version || has_word(stored, version))
		return;
	stored = stored ? json_deep_copy(stored) : json_array();
	json_array_append_new(stored, json_string(version));
	put(crd, stored, "status", "storedVersions");
}

void
definition_ends(json_t *crd, const char *now)
{
	json_t *finalizers = get(crd, "metadata", "finalizers");

	if (!has_word(finalizers, DEFINITION_FINALIZER)) {
		finalizers = finalizers ? json_deep_copy(finalizers) : json_array();
		json_array_append_new(finalizers, json_string(DEFINITION_FINALIZER));
		put(crd, finalizers, "metadata", "finalizers");
	}
	if (!json_is_array(get(crd, "status", "conditions")))
		put(crd, json_array(), "status", "conditions");
	condition_set(crd, "Terminating", "True", "InstanceDeletionPending",
	    "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
	    now);
}
