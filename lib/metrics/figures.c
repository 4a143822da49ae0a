/* The figures of one node: what belongs to what, and what came before. */
#include "metrics/figures.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Below this age a figure since the start says little (metrics-server has the same). */
enum { FRESH_MS = 10000 };

struct figures *
figures_ref(struct figures *f)
{
	f->refs++;
	return f;
}

void
figures_unref(struct figures *f)
{
	if (!f || --f->refs > 0)
		return;
	free(f->entry);
	free(f->words);
	free(f);
}

size_t
figures_pod(const struct figures *f, size_t i)
{
	size_t n = 1;

	while (i + n < f->n && strcmp(f->entry[i + n].pod, f->entry[i].pod) == 0 &&
	       strcmp(f->entry[i + n].ns, f->entry[i].ns) == 0)
		n++;
	return n;
}

static int
compare(const struct entry *a, const struct entry *b)
{
	int d = strcmp(a->ns, b->ns);

	if (d == 0)
		d = strcmp(a->pod, b->pod);
	return d ? d : strcmp(a->container, b->container);
}

static void
set_before(struct point *p, int64_t at, uint64_t cpu)
{
	p->before_at = at;
	p->before_cpu = cpu;
}

/* Is it another run of the same container? */
static bool
began_anew(const struct point *p, const struct point *last)
{
	return p->started > last->at || p->cpu < last->cpu ||
	       (p->started > 0 && last->started > 0 && p->started != last->started);
}

static void
follow(struct point *p, const struct point *last, int64_t resolution)
{
	int64_t age = p->at - p->started;

	set_before(p, 0, 0);
	if (p->started > 0 && age >= FRESH_MS && age < resolution)
		set_before(p, p->started, 0);
	else if (!last || last->at == 0 || began_anew(p, last))
		return;
	else if (p->at > last->at)
		set_before(p, last->at, last->cpu);
	else if (last->before_at > 0 && last->before_at < p->at && last->before_cpu <= p->cpu)
		set_before(p, last->before_at, last->before_cpu);
}

void
figures_follow(struct figures *f, const struct figures *before, int64_t resolution)
{
	size_t k = 0;

	follow(&f->node, before ? &before->node : NULL, resolution);
	for (size_t i = 0; i < f->n; i++) {
		const struct point *last = NULL;
		int d = -1;

		while (
		    before && k < before->n && (d = compare(&before->entry[k], &f->entry[i])) < 0)
			k++;
		if (before && k < before->n && d == 0)
			last = &before->entry[k].point;
		follow(&f->entry[i].point, last, resolution);
	}
}

bool
point_used(const struct point *p, struct used *ret)
{
	int64_t window = p->at - p->before_at;

	if (p->at == 0 || p->before_at == 0 || window <= 0)
		return false;
	*ret = (struct used){ .at = p->at,
		.window = window,
		.cpu = (uint64_t)((double)(p->cpu - p->before_cpu) * 1000 / (double)window),
		.memory = p->memory,
		.swap = p->swap };
	return true;
}
