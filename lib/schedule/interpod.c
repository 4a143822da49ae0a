#include <stdlib.h>

#include "api/meta.h"
#include "base/mem.h"
#include "schedule/relate.h"
#include "schedule/topology.h"

/*
 * InterPodAffinity.  Every pod that a term means counts for the domain of its node in the term's
 * topology; a node is judged by the counts of the domains it belongs to.  Terms are held against
 * groups of pods with the same labels, and classes of pods with the same terms, not pod by pod.
 */
struct judging {
	const struct scheduler *s;
	const struct related *mine; /* or NULL */
	const json_t *pod;
	struct counts near;    /* pods that all my affinity terms mean */
	struct counts away;    /* pods that one of my anti-affinity terms means */
	struct counts guarded; /* pods whose anti-affinity means me */
	struct counts points;
	bool anyone_near, guards, scores;
};

static void
add_all(struct judging *j, struct counts *c, const struct term *t, const struct members *pods,
    int64_t amount)
{
	for (size_t i = 0; i < pods->n; i++)
		counts_add(c, t->topology, &j->s->node[pods->item[i]->node], amount);
}

/* What my terms say of a group of pods. */
static void
weigh_group(struct judging *j, const struct group *g)
{
	const struct related *r = j->mine;
	size_t unmet = r->nterms[TERM_NEAR];

	for (size_t i = 0; i < r->nterms[TERM_NEAR]; i++)
		unmet -= term_matches(j->s, &r->term[TERM_NEAR][i], j->pod, g->pod);
	for (size_t i = 0; unmet == 0 && i < r->nterms[TERM_NEAR]; i++) {
		add_all(j, &j->near, &r->term[TERM_NEAR][i], &g->members, 1);
		j->anyone_near = true;
	}
	for (size_t i = 0; i < r->nterms[TERM_AWAY]; i++)
		if (term_matches(j->s, &r->term[TERM_AWAY][i], j->pod, g->pod))
			add_all(j, &j->away, &r->term[TERM_AWAY][i], &g->members, 1);
	for (int kind = TERM_PREFER; kind <= TERM_AVOID; kind++)
		for (size_t i = 0; i < r->nterms[kind]; i++) {
			const struct term *t = &r->term[kind][i];

			if (!term_matches(j->s, t, j->pod, g->pod))
				continue;
			add_all(j, &j->points, t, &g->members,
			    kind == TERM_PREFER ? t->weight : -t->weight);
			j->scores = true;
		}
}

/* What the terms of a class of pods say of me. */
static void
weigh_class(struct judging *j, const struct class *c)
{
	static const int sign[TERM_KINDS] = {
		[TERM_NEAR] = 1, [TERM_PREFER] = 1, [TERM_AVOID] = -1
	};
	const struct related *r = c->related;

	for (int kind = 0; kind < TERM_KINDS; kind++)
		for (size_t i = 0; i < r->nterms[kind]; i++) {
			const struct term *t = &r->term[kind][i];

			if (!term_matches(j->s, t, c->pod, j->pod))
				continue;
			if (kind == TERM_AWAY) {
				add_all(j, &j->guarded, t, &c->members, 1);
				j->guards = true;
				continue;
			}
			add_all(j, &j->points, t, &c->members, sign[kind] * t->weight);
			j->scores = true;
		}
}

static void
weigh_all(struct judging *j)
{
	const struct map *groups = &j->s->groups;

	for (size_t i = 0; j->mine && j->mine->between && i < groups->cap; i++)
		if (groups->slot[i].key)
			weigh_group(j, groups->slot[i].value);
	for (size_t i = 0; i < j->s->nguards; i++)
		weigh_class(j, j->s->guard[i]);
}

/* The first pod of a group that wants to be near itself has to start somewhere. */
static bool
near_itself(const struct judging *j)
{
	for (size_t i = 0; i < j->mine->nterms[TERM_NEAR]; i++)
		if (!term_matches(j->s, &j->mine->term[TERM_NEAR][i], j->pod, j->pod))
			return false;
	return true;
}

static bool
near_enough(const struct judging *j, const struct node *n, bool first)
{
	for (size_t i = 0; i < j->mine->nterms[TERM_NEAR]; i++) {
		unsigned t = j->mine->term[TERM_NEAR][i].topology;

		if (n->domain[t] == NO_DOMAIN || (!first && counts_get(&j->near, t, n) == 0))
			return false;
	}
	return true;
}

static bool
far_enough(const struct judging *j, const struct node *n)
{
	for (size_t i = 0; i < j->mine->nterms[TERM_AWAY]; i++)
		if (counts_get(&j->away, j->mine->term[TERM_AWAY][i].topology, n) > 0)
			return false;
	return true;
}

static void
filter_all(struct judging *j, struct verdict *v)
{
	bool first = j->mine && !j->anyone_near && near_itself(j);

	for (size_t i = 0; i < j->s->nnodes; i++) {
		const struct node *n = &j->s->node[i];

		if (v[i].filter)
			continue;
		if (j->mine && !near_enough(j, n, first))
			v[i].reason = INTERPOD_NEAR;
		else if (j->mine && !far_enough(j, n))
			v[i].reason = INTERPOD_AWAY;
		else if (j->guards && counts_sum(&j->guarded, n) > 0)
			v[i].reason = INTERPOD_GUARDED;
		else
			continue;
		v[i].filter = FILTER_INTERPOD;
	}
}

/* 0 for the lowest, 100 for the highest sum of points. */
static void
score_all(struct judging *j, struct verdict *v)
{
	int64_t *points = xcalloc(j->s->nnodes + 1, sizeof *points);
	int64_t low = INT64_MAX, high = INT64_MIN;

	for (size_t i = 0; i < j->s->nnodes; i++) {
		if (v[i].filter)
			continue;
		points[i] = counts_sum(&j->points, &j->s->node[i]);
		low = points[i] < low ? points[i] : low;
		high = points[i] > high ? points[i] : high;
	}
	for (size_t i = 0; i < j->s->nnodes; i++)
		if (!v[i].filter && high > low)
			v[i].interpod = (int16_t)(100 * (points[i] - low) / (high - low));
	free(points);
}

void
interpod_judge(
    const struct scheduler *s, const struct class *c, const json_t *pod, struct verdict *v)
{
	struct judging j = { .s = s, .mine = c->related, .pod = pod };
	struct counts *all[] = { &j.near, &j.away, &j.guarded, &j.points };

	for (size_t i = 0; i < COUNT(all); i++)
		counts_init(all[i], s);
	weigh_all(&j);
	filter_all(&j, v);
	if (j.scores)
		score_all(&j, v);
	for (size_t i = 0; i < COUNT(all); i++)
		counts_release(all[i]);
}
