#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "schedule/relate.h"
#include "schedule/topology.h"

/*
 * PodTopologySpread.  For each constraint the pods that it means are counted by domain of its
 * topology; a node is judged by how far its domain would get ahead of the emptiest.
 */
struct spreading {
	const struct scheduler *s;
	const struct class *class;
	const json_t *pod;
	const struct spread *c;
	struct counts pods;
	struct counts nodes; /* that the constraint looks at: without one a domain does not exist */
	bool *looks;	     /* by place */
};

/* Are the pods on this node counted at all? */
static bool
looks_at(const struct spreading *p, const struct node *n)
{
	const struct class *of = p->class;
	const struct related *r = of->related;

	if (!n->obj)
		return false;
	for (size_t i = 0; i < r->nspread; i++) /* it must have the keys of all constraints */
		if (!p->c->owner && r->spread[i].hard == p->c->hard &&
		    n->domain[r->spread[i].topology] == NO_DOMAIN)
			return false;
	if (p->c->honor_affinity && of->selects && !affinity_required(of->pod, n))
		return false;
	for (size_t i = 0; p->c->honor_taints && i < n->ntaints; i++)
		if (strcmp(n->taint[i].effect, "PreferNoSchedule") != 0 &&
		    !tolerates(
			of->tolerations, n->taint[i].key, n->taint[i].value, n->taint[i].effect))
			return false;
	return true;
}

/* Does the constraint mean these pods? */
static bool
means(const struct spreading *p, const json_t *other)
{
	if (strcmp(meta_namespace(other), meta_namespace(p->pod)) != 0)
		return false;
	if (p->c->owner)
		return strcmp(text(meta_controller(other), "uid"), p->c->owner) == 0;
	return p->c->selector && selector_match(p->c->selector, meta_labels(other));
}

static void
count_group(struct spreading *p, const struct group *g)
{
	if (!means(p, g->pod))
		return;
	for (size_t i = 0; i < g->members.n; i++) {
		const struct placed *one = g->members.item[i];

		if (p->looks[one->node] && !one->leaving)
			counts_add(&p->pods, p->c->topology, &p->s->node[one->node], 1);
	}
}

static void
count_pods(struct spreading *p)
{
	const struct map *groups = &p->s->groups;

	counts_init(&p->pods, p->s);
	counts_init(&p->nodes, p->s);
	p->looks = xcalloc(p->s->nnodes + 1, sizeof *p->looks);
	for (size_t i = 0; i < p->s->nnodes; i++) {
		p->looks[i] = looks_at(p, &p->s->node[i]);
		if (p->looks[i])
			counts_add(&p->nodes, p->c->topology, &p->s->node[i], 1);
	}
	for (size_t i = 0; i < groups->cap; i++)
		if (groups->slot[i].key)
			count_group(p, groups->slot[i].value);
}

static void
forget_counts(struct spreading *p)
{
	counts_release(&p->pods);
	counts_release(&p->nodes);
	free(p->looks);
}

/* How many domains there are, and the pods in the emptiest. */
static size_t
domains(const struct spreading *p, int64_t *fewest)
{
	const int64_t *nodes = p->nodes.of[p->c->topology], *pods = p->pods.of[p->c->topology];
	size_t n = 0;

	*fewest = INT64_MAX;
	for (size_t d = 0; nodes && d < p->s->topology[p->c->topology].n; d++) {
		int64_t have = pods ? pods[d] : 0;

		if (!nodes[d])
			continue;
		n++;
		if (have < *fewest)
			*fewest = have;
	}
	if (n == 0)
		*fewest = 0;
	return n;
}

static void
filter_by(struct spreading *p, struct verdict *v)
{
	bool me = p->c->selector && selector_match(p->c->selector, meta_labels(p->pod));
	int64_t fewest;

	count_pods(p);
	if ((int64_t)domains(p, &fewest) < p->c->min_domains)
		fewest = 0;
	for (size_t i = 0; i < p->s->nnodes; i++) {
		const struct node *n = &p->s->node[i];

		if (v[i].filter)
			continue;
		if (n->domain[p->c->topology] == NO_DOMAIN)
			v[i].reason = SPREAD_MISSING_LABEL;
		else if (counts_get(&p->pods, p->c->topology, n) + me - fewest > p->c->max_skew)
			v[i].reason = SPREAD_SKEW;
		else
			continue;
		v[i].filter = FILTER_SPREAD;
	}
	forget_counts(p);
}

/* Add a constraint's cost to every node: pods in its domain, more where there are many domains. */
static void
cost_of(struct spreading *p, const struct verdict *v, double *cost)
{
	int64_t fewest;
	double weight;

	count_pods(p);
	weight = log10((double)domains(p, &fewest) + 2) * M_LN10; /* the natural logarithm */
	for (size_t i = 0; i < p->s->nnodes; i++)
		if (!v[i].filter)
			cost[i] +=
			    weight * (double)counts_get(&p->pods, p->c->topology, &p->s->node[i]) +
			    (double)(p->c->max_skew - 1);
	forget_counts(p);
}

/* Does the node have the keys of all constraints that only cost? */
static bool
rated(const struct related *r, const struct node *n)
{
	for (size_t i = 0; i < r->nspread; i++)
		if (!r->spread[i].hard && !r->spread[i].owner &&
		    n->domain[r->spread[i].topology] == NO_DOMAIN)
			return false;
	return true;
}

/* 100 for the cheapest, less in proportion; nothing for nodes that lack a key. */
static void
score_all(const struct scheduler *s, const struct related *r, const double *cost, struct verdict *v)
{
	double low = HUGE_VAL, high = 0;

	for (size_t i = 0; i < s->nnodes; i++) {
		if (v[i].filter || !rated(r, &s->node[i]))
			continue;
		low = cost[i] < low ? cost[i] : low;
		high = cost[i] > high ? cost[i] : high;
	}
	for (size_t i = 0; i < s->nnodes; i++)
		if (!v[i].filter && rated(r, &s->node[i]))
			v[i].spread =
			    (int16_t)(high > 0 ? 100 * (high + low - cost[i]) / high : 100);
}

void
spread_judge(const struct scheduler *s, const struct class *c, const json_t *pod, struct verdict *v)
{
	const struct related *r = c->related;
	struct spreading p = { .s = s, .class = c, .pod = pod };
	double *cost;
	bool soft = false;

	for (size_t i = 0; i < r->nspread; i++) {
		p.c = &r->spread[i];
		soft = soft || !p.c->hard;
		if (p.c->hard)
			filter_by(&p, v);
	}
	if (!soft)
		return;
	cost = xcalloc(s->nnodes + 1, sizeof *cost);
	for (size_t i = 0; i < r->nspread; i++) {
		p.c = &r->spread[i];
		if (!p.c->hard)
			cost_of(&p, v, cost);
	}
	for (size_t i = 0; i < s->nnodes; i++)
		cost[i] = round(cost[i]);
	score_all(s, r, cost, v);
	free(cost);
}
