/* What is known of all nodes at one time. */
#include <string.h>

#include "base/mem.h"
#include "metrics/gather_private.h"

static int
by_pod(const void *a, const void *b)
{
	const struct entry *x = ((const struct snapshot_pod *)a)->entry;
	const struct entry *y = ((const struct snapshot_pod *)b)->entry;
	int d = strcmp(x->ns, y->ns);

	if (d == 0)
		d = strcmp(x->pod, y->pod);
	if (d)
		return d;
	/* a name that two nodes tell of: it has moved, and the later one knows it as it is */
	return (y->point.at > x->point.at) - (y->point.at < x->point.at);
}

static void
add_pods(struct snapshot *s)
{
	size_t most = 0;

	for (size_t i = 0; i < s->n; i++)
		most += s->node[i].figures->n;
	s->pod = xcalloc(most + 1, sizeof *s->pod);
	for (size_t i = 0; i < s->n; i++) {
		const struct figures *f = s->node[i].figures;

		for (size_t k = 0, n; k < f->n; k += n) {
			n = figures_pod(f, k);
			s->pod[s->npods++] = (struct snapshot_pod){ &f->entry[k], n };
		}
	}
	qsort(s->pod, s->npods, sizeof *s->pod, by_pod);
}

void
snapshot_take(struct gather *g, bool pods, struct snapshot *ret)
{
	*ret = (struct snapshot){ 0 };
	pthread_mutex_lock(&g->lock);
	ret->node = xcalloc(g->n + 1, sizeof *ret->node);
	for (size_t i = 0; i < g->n; i++)
		if (g->node[i]->current)
			ret->node[ret->n++] = (struct snapshot_node){ xstrdup(g->node[i]->name),
				figures_ref(g->node[i]->figures) };
	pthread_mutex_unlock(&g->lock);
	if (pods)
		add_pods(ret);
}

void
snapshot_release(struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->node[i].name);
		figures_unref(s->node[i].figures);
	}
	free(s->node);
	free(s->pod);
	*s = (struct snapshot){ 0 };
}

const struct figures *
snapshot_node(const struct snapshot *s, const char *name)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int d = strcmp(s->node[mid].name, name);

		if (d == 0)
			return s->node[mid].figures;
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* The first of what is sorted by pod that does not come before this one. */
static size_t
lower(const struct entry *(*at)(const void *all, size_t i), const void *all, size_t n,
    const char *ns, const char *name)
{
	size_t low = 0;

	while (low < n) {
		size_t mid = (low + n) / 2;
		const struct entry *e = at(all, mid);
		int d = strcmp(e->ns, ns);

		if (d == 0)
			d = strcmp(e->pod, name);
		if (d < 0)
			low = mid + 1;
		else
			n = mid;
	}
	return low;
}

static const struct entry *
entry_at(const void *all, size_t i)
{
	return &((const struct entry *)all)[i];
}

static const struct entry *
pod_at(const void *all, size_t i)
{
	return ((const struct snapshot_pod *)all)[i].entry;
}

static bool
is_of(const struct entry *e, const char *ns, const char *name)
{
	return strcmp(e->ns, ns) == 0 && strcmp(e->pod, name) == 0;
}

bool
snapshot_pod(const struct snapshot *s, const char *ns, const char *name, struct snapshot_pod *ret)
{
	size_t i = lower(pod_at, s->pod, s->npods, ns, name);
	bool found = false;

	if (s->pod && i < s->npods && is_of(s->pod[i].entry, ns, name)) {
		*ret = s->pod[i];
		return true;
	}
	for (size_t k = 0; !s->pod && k < s->n; k++) { /* not gathered: ask each node's */
		const struct figures *f = s->node[k].figures;

		i = lower(entry_at, f->entry, f->n, ns, name);
		if (i == f->n || !is_of(&f->entry[i], ns, name) ||
		    (found && f->entry[i].point.at < ret->entry->point.at))
			continue;
		*ret = (struct snapshot_pod){ &f->entry[i], figures_pod(f, i) };
		found = true;
	}
	return found;
}
