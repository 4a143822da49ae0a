#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/schema.h"
#include "base/mem.h"
#include "base/text.h"
#include "control/served.h"
#include "control/world.h"

static const struct {
	const char *name;
	unsigned bit;
} verbs[] = { { "get", VERB_GET }, { "list", VERB_LIST }, { "watch", VERB_WATCH },
	{ "create", VERB_CREATE }, { "update", VERB_UPDATE }, { "patch", VERB_PATCH },
	{ "delete", VERB_DELETE }, { "deletecollection", VERB_DELETECOLLECTION } };

static unsigned
verbs_of(const json_t *names)
{
	unsigned bits = 0;
	size_t i;
	json_t *name;

	json_array_foreach (names, i, name)
		for (size_t k = 0; k < COUNT(verbs); k++)
			if (strcmp(str(name, ""), verbs[k].name) == 0)
				bits |= verbs[k].bit;
	return bits;
}

/* Is this the version of a built-in kind that its name stands for? */
static bool
is_the_usual(const char *group_kind, const char *version)
{
	const struct kind *k = kind_of_word(group_kind);
	char have[128];

	return k && strcmp(k->version, version) == 0 &&
	       strcmp(kind_group_kind(k, have), group_kind) == 0;
}

const char *
served_group_kind(const struct served *s, char buf[static 128])
{
	snprintf(buf, 128, "%s%s%s", s->kind, *s->group ? "." : "", s->group);
	return buf;
}

static void
add(struct served_table *t, const struct served *s)
{
	char group_kind[128];
	struct map_slot *slot;

	served_group_kind(s, group_kind);
	slot = map_at(&t->by_kind, group_kind, strlen(group_kind));
	if (!slot->value) {
		GROW(t->item, t->n, t->cap);
		t->item[t->n++] = *s;
		slot->value = (void *)(uintptr_t)t->n;
	} else if (is_the_usual(group_kind, s->version)) {
		t->item[(uintptr_t)slot->value - 1] = *s;
	}
}

static void
add_version(struct served_table *t, const char *group, const json_t *version)
{
	const char *name = text(version, "version");
	bool stale = strcmp(text(version, "freshness"), "Stale") == 0;
	json_t *r;
	size_t i;

	if (stale) {
		GROW(t->failing, t->nfailing, t->failing_cap);
		t->failing[t->nfailing++] = xasprintf("%s%s%s", group, *group ? "/" : "", name);
	}
	json_array_foreach (get(version, "resources"), i, r) {
		struct served s = { .group = group,
			.version = name,
			.kind = text(r, "responseKind", "kind"),
			.plural = text(r, "resource"),
			.namespaced = strcmp(text(r, "scope"), "Namespaced") == 0,
			.verbs = verbs_of(get(r, "verbs")),
			.stale = stale };

		if (*s.kind && *s.plural)
			add(t, &s);
	}
}

static void
clear(struct served_table *t)
{
	for (size_t i = 0; i < t->nfailing; i++)
		free(t->failing[i]);
	t->n = t->nfailing = 0;
	map_release(&t->by_kind, NULL);
}

void
served_release(struct served_table *t)
{
	clear(t);
	free(t->item);
	free(t->failing);
	*t = (struct served_table){ 0 };
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Made anew when it is asked for after a group has changed. */
static const struct served_table *
table(const struct world *w)
{
	struct served_table *t = world_served_table(w);
	struct walk it = world_each(w, DISCOVERY, NULL);

	if (t->current)
		return t;
	clear(t);
	for (const json_t *group; (group = walk_next(&it));) {
		json_t *version;
		size_t i;

		json_array_foreach (get(group, "versions"), i, version)
			add_version(t, meta_name(group), version);
	}
	if (t->nfailing)
		qsort(t->failing, t->nfailing, sizeof *t->failing, by_text);
	t->current = true;
	return t;
}

const struct served *
world_served(const struct world *w, const char *group_kind)
{
	const struct served_table *t = table(w);
	uintptr_t at = (uintptr_t)map_get(&t->by_kind, group_kind, strlen(group_kind));

	return at ? &t->item[at - 1] : NULL;
}

const struct served *
world_served_at(const struct world *w, size_t i)
{
	const struct served_table *t = table(w);

	return i < t->n ? &t->item[i] : NULL;
}

bool
world_discovered(const struct world *w)
{
	return table(w)->n > 0;
}

const char *
world_failing(const struct world *w, size_t i)
{
	const struct served_table *t = table(w);

	return i < t->nfailing ? t->failing[i] : NULL;
}

bool
served_is_content(const struct served *s)
{
	return s->namespaced && (~s->verbs & (VERB_LIST | VERB_DELETE)) == 0 &&
	       strcmp(s->kind, "Event") != 0;
}
