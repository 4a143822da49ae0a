/* Groups and versions in the order of their priorities. */
#include "store/discovery_groups.h"

#include <stdlib.h>
#include <string.h>

#include "api/version.h"
#include "base/mem.h"
#include "store/bootstrap.h"

/* --- gathering --- */

struct gathering {
	struct api_groups *to;
	const char *group;
	size_t cap, sorted; /* the first so many stand in group, version order */
};

static bool
wanted(const struct gathering *g, const char *group)
{
	return g->group ? strcmp(group, g->group) == 0 : *group != '\0';
}

static struct api_version *
add(struct gathering *g, const char *group, const char *version)
{
	struct api_groups *to = g->to;

	GROW(to->version, to->nversions, g->cap);
	to->version[to->nversions] = (struct api_version){ .group = xstrdup(group),
		.version = xstrdup(version),
		.name = xasprintf("%s.%s", version, group) };
	return &to->version[to->nversions++];
}

static void
add_ours(struct gathering *g)
{
	const struct kind *last = NULL;
	size_t n;
	const struct kind *const *k = schema_kinds(&n);

	/* the kinds of one group and version stand together */
	for (size_t i = 0; i < n; i++) {
		struct api_version *v;

		if (last && strcmp(k[i]->group, last->group) == 0 &&
		    strcmp(k[i]->version, last->version) == 0)
			continue;
		last = k[i];
		if (!wanted(g, last->group))
			continue;
		v = add(g, last->group, last->version);
		v->ours = true;
		api_priorities(last->group, last->version, &v->group_priority, &v->priority);
	}
	g->sorted = g->to->nversions;
}

static int
by_place(const void *a, const void *b)
{
	const struct api_version *v = a, *w = b;
	int c = strcmp(v->group, w->group);

	return c ? c : strcmp(v->version, w->version);
}

static void
add_theirs(void *arg, struct api_service *api, const struct api_seen *seen)
{
	struct gathering *g = arg;
	struct api_version key = { .group = api->group, .version = api->version }, *v;

	if (!wanted(g, api->group))
		return;
	v = g->sorted ? bsearch(&key, g->to->version, g->sorted, sizeof key, by_place) : NULL;
	if (!v && api->local && api->managed != MANAGED_NOT)
		return; /* it is about to go */
	if (!v)
		v = add(g, api->group, api->version);
	v->group_priority = api->group_priority;
	v->priority = api->version_priority;
	if (api_service_passes(api)) {
		v->remote = true;
		v->ours = false;
		v->resources = seen->resources ? bytes_ref(seen->resources) : NULL;
		v->current = seen->current;
	}
}

/* --- ordering --- */

static int
by_priority(const void *a, const void *b)
{
	const struct api_version *v = a, *w = b;

	if (v->priority != w->priority)
		return v->priority > w->priority ? -1 : 1;
	return version_order(v->version, w->version);
}

static int
by_weight(const struct api_version *v, const struct api_version *w)
{
	if (v->group_priority != w->group_priority)
		return v->group_priority > w->group_priority ? -1 : 1;
	return strcmp(v->name, w->name);
}

static int
by_leader(const void *a, const void *b)
{
	return by_weight(
	    ((const struct api_group *)a)->leader, ((const struct api_group *)b)->leader);
}

static int
by_leader_and_name(const void *a, const void *b)
{
	const struct api_version *v = ((const struct api_group *)a)->leader;
	const struct api_version *w = ((const struct api_group *)b)->leader;

	if (v->group_priority != w->group_priority)
		return v->group_priority > w->group_priority ? -1 : 1;
	return strcmp(v->group, w->group);
}

static void
order_versions(struct api_group *g)
{
	qsort(g->version, g->n, sizeof *g->version, by_priority);
	g->leader = g->version;
	for (size_t i = 1; i < g->n; i++)
		if (by_weight(&g->version[i], g->leader) < 0)
			g->leader = &g->version[i];
}

static void
into_groups(struct api_groups *g)
{
	size_t cap = 0;

	for (size_t i = 0; i < g->nversions; i++) {
		if (i == 0 || strcmp(g->version[i].group, g->version[i - 1].group) != 0) {
			GROW(g->group, g->n, cap);
			g->group[g->n++] = (struct api_group){ &g->version[i], 0, NULL };
		}
		g->group[g->n - 1].n++;
	}
}

void
api_groups_list(struct api_groups *ret, struct server *s, const char *group, bool by_name)
{
	struct gathering g = { ret, group, 0, 0 };

	*ret = (struct api_groups){ 0 };
	add_ours(&g);
	if (s->aggregation)
		aggregation_each(s->aggregation, add_theirs, &g);
	if (!ret->nversions)
		return;
	qsort(ret->version, ret->nversions, sizeof *ret->version, by_place);
	into_groups(ret);
	for (size_t i = 0; i < ret->n; i++)
		order_versions(&ret->group[i]);
	qsort(ret->group, ret->n, sizeof *ret->group, by_name ? by_leader_and_name : by_leader);
}

void
api_groups_release(struct api_groups *g)
{
	for (size_t i = 0; i < g->nversions; i++) {
		free(g->version[i].group);
		free(g->version[i].version);
		free(g->version[i].name);
		bytes_unref(g->version[i].resources);
	}
	free(g->version);
	free(g->group);
}
