#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "schedule/relate.h"

/* One decision: the class's verdicts brought up to date, then the best of the nodes that fit. */

enum { NO_NODE = 255 };

static void
judge(const struct scheduler *s, const struct class *c, const struct node *n, struct verdict *v)
{
	*v = (struct verdict){ 0 };
	if (!n->obj) {
		v->filter = NO_NODE;
		return;
	}
	for (size_t i = 0; i < OWN_FILTERS; i++)
		if (filters[i].refuses(s, c, n, &v->reason)) {
			v->filter = (unsigned char)(i + 1);
			return;
		}
	v->score = WEIGHT_FIT * score_fit(s, c, n) + WEIGHT_BALANCED * score_balanced(c, n) +
		   WEIGHT_IMAGES * score_images(s, c, n);
	v->taints = score_taints(c, n);
	v->affinity = c->prefers ? affinity_preferred(c->pod, n) : 0;
}

static void
catch_up(struct scheduler *s, struct class *c)
{
	/* a table that had to grow has places that were never judged; they are in the log */
	bool all = !c->verdict || c->epoch != s->epoch || s->nlog - c->seen >= s->nnodes;

	class_table(s, c);
	if (all)
		for (size_t i = 0; i < s->nnodes; i++)
			judge(s, c, &s->node[i], &c->verdict[i]);
	else
		for (size_t i = c->seen; i < s->nlog; i++)
			judge(s, c, &s->node[s->log[i]], &c->verdict[s->log[i]]);
	c->seen = s->nlog;
	c->epoch = s->epoch;
}

int32_t
total(const struct choice *choice, const struct verdict *v)
{
	return v->score + WEIGHT_SPREAD * v->spread + WEIGHT_INTERPOD * v->interpod +
	       WEIGHT_TAINTS * score_normal(v->taints, choice->most_taints, true) +
	       WEIGHT_AFFINITY * score_normal(v->affinity, choice->most_affinity, false);
}

/* Who wins among equals: looks random from pod to pod, yet follows from the two names alone. */
static uint64_t
lot(const struct choice *choice, const struct node *n)
{
	uint64_t x = choice->seed ^ n->hash;

	x = (x ^ (x >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
	return x ^ (x >> 29);
}

static uint64_t
seed_of(const json_t *pod)
{
	const char *uid = meta_uid(pod);
	uint64_t h;

	if (*uid)
		return text_hash(uid, strlen(uid), TEXT_HASH_SEED);
	h = text_hash(meta_namespace(pod), strlen(meta_namespace(pod)) + 1, TEXT_HASH_SEED);
	return text_hash(meta_name(pod), strlen(meta_name(pod)), h);
}

/* What depends on where other pods are is worked out on a copy, for this decision alone. */
static void
relate(struct scheduler *s, const struct class *c, const json_t *pod, struct choice *choice)
{
	choice->verdict = c->verdict;
	if (!c->related && !s->nguards)
		return;
	choice->own = xreallocarray(NULL, s->nnodes + 1, sizeof *choice->own);
	memcpy(choice->own, c->verdict, s->nnodes * sizeof *choice->own);
	if (c->related && c->related->nspread)
		spread_judge(s, c, pod, choice->own);
	if (s->nguards || c->related->between)
		interpod_judge(s, c, pod, choice->own);
	choice->verdict = choice->own;
}

void
choice_release(struct choice *choice)
{
	free(choice->own);
}

void
decide(struct scheduler *s, struct class *c, const json_t *pod, struct choice *choice)
{
	int32_t best = -1;
	uint64_t best_lot = 0;

	catch_up(s, c);
	*choice = (struct choice){ .node = s->nnodes, .seed = seed_of(pod) };
	relate(s, c, pod, choice);
	for (size_t i = 0; i < s->nnodes; i++) {
		const struct verdict *v = &choice->verdict[i];

		if (v->filter)
			continue;
		choice->fits++;
		if (v->taints > choice->most_taints)
			choice->most_taints = v->taints;
		if (v->affinity > choice->most_affinity)
			choice->most_affinity = v->affinity;
	}
	for (size_t i = 0; choice->fits && i < s->nnodes; i++) {
		const struct verdict *v = &choice->verdict[i];
		int32_t t;
		uint64_t l;

		if (v->filter || (t = total(choice, v)) < best)
			continue;
		l = lot(choice, &s->node[i]);
		if (t == best && l >= best_lot)
			continue;
		best = t;
		best_lot = l;
		choice->node = i;
	}
}

/* --- saying why ----------------------------------------------------------- */

struct tally {
	char *text;
	size_t count;
};
struct tallies {
	struct tally *item;
	size_t n, cap;
};

static void
add_tally(struct tallies *all, const char *text, size_t count)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->item[i].text, text) == 0) {
			all->item[i].count += count;
			return;
		}
	GROW(all->item, all->n, all->cap);
	all->item[all->n++] = (struct tally){ xstrdup(text), count };
}

/* Verdicts that say the same, counted before they are put into words. */
struct same {
	unsigned char filter;
	uint32_t reason;
	size_t count;
};

static void
count_same(struct same **list, size_t *n, size_t *cap, const struct verdict *v)
{
	for (size_t i = 0; i < *n; i++)
		if ((*list)[i].filter == v->filter && (*list)[i].reason == v->reason) {
			(*list)[i].count++;
			return;
		}
	GROW(*list, *n, *cap);
	(*list)[(*n)++] = (struct same){ v->filter, v->reason, 1 };
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "2 Insufficient cpu, 1 Too many pods": sorted as text, which is how Kubernetes does it. */
static void
print_tallies(struct buf *b, struct tallies *all)
{
	char **line = xcalloc(all->n + 1, sizeof *line);

	for (size_t i = 0; i < all->n; i++) {
		line[i] = xasprintf("%zu %s", all->item[i].count, all->item[i].text);
		free(all->item[i].text);
	}
	free(all->item);
	if (all->n)
		qsort(line, all->n, sizeof *line, by_text);
	for (size_t i = 0; i < all->n; i++) {
		buf_printf(b, "%s %s", i ? "," : ":", line[i]);
		free(line[i]);
	}
	free(line);
}

char *
refusal(const struct scheduler *s, const struct choice *choice)
{
	struct tallies all = { 0 };
	struct same *same = NULL;
	size_t n = 0, cap = 0;
	struct buf b = BUF_INIT;
	char text[320];
	const char *why;

	if (s->known == 0)
		return xstrdup("no nodes available to schedule pods");
	for (size_t i = 0; i < s->nnodes; i++)
		if (choice->verdict[i].filter && choice->verdict[i].filter != NO_NODE)
			count_same(&same, &n, &cap, &choice->verdict[i]);
	for (size_t i = 0; i < n; i++) {
		const struct filter *f = &filters[same[i].filter - 1];

		for (int k = 0; (why = f->why(s, same[i].reason, k, text, sizeof text)); k++)
			add_tally(&all, why, same[i].count);
	}
	free(same);
	buf_printf(&b, "0/%zu nodes are available", s->known);
	print_tallies(&b, &all);
	buf_putc(&b, '.');
	return buf_detach(&b);
}

static json_t *
explain_node(const struct scheduler *s, const struct class *c, const struct node *n,
    const struct verdict *v, const struct choice *choice)
{
	char text[320];
	json_t *reason;
	const char *why;

	if (!v->filter)
		return json_pack("{s:s, s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i}, s:i}", "node",
		    n->name, "scores", "TaintToleration",
		    WEIGHT_TAINTS * score_normal(v->taints, choice->most_taints, true),
		    "NodeAffinity",
		    WEIGHT_AFFINITY * score_normal(v->affinity, choice->most_affinity, false),
		    "NodeResourcesFit", WEIGHT_FIT * score_fit(s, c, n), "PodTopologySpread",
		    WEIGHT_SPREAD * v->spread, "InterPodAffinity", WEIGHT_INTERPOD * v->interpod,
		    "NodeResourcesBalancedAllocation", WEIGHT_BALANCED * score_balanced(c, n),
		    "ImageLocality", WEIGHT_IMAGES * score_images(s, c, n), "total",
		    total(choice, v));
	reason = json_array();
	for (int k = 0; (why = filters[v->filter - 1].why(s, v->reason, k, text, sizeof text)); k++)
		json_array_append_new(reason, json_string(why));
	return json_pack("{s:s, s:s, s:o}", "node", n->name, "filter", filters[v->filter - 1].name,
	    "reasons", reason);
}

static int
by_node(const void *a, const void *b)
{
	return strcmp(text(*(json_t *const *)a, "node"), text(*(json_t *const *)b, "node"));
}

json_t *
explain(const struct scheduler *s, const struct class *c, const json_t *pod,
    const struct choice *choice)
{
	autofree char *name = xasprintf("%s/%s", meta_namespace(pod), meta_name(pod));
	json_t **line = xcalloc(s->nnodes + 1, sizeof *line), *nodes = json_array();
	size_t n = 0;

	for (size_t i = 0; i < s->nnodes; i++)
		if (s->node[i].obj)
			line[n++] = explain_node(s, c, &s->node[i], &choice->verdict[i], choice);
	if (n)
		qsort(line, n, sizeof *line, by_node);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(nodes, line[i]);
	free(line);
	return json_pack("{s:s, s:o, s:o}", "pod", name, "node",
	    choice->node < s->nnodes ? json_string(s->node[choice->node].name) : json_null(),
	    "nodes", nodes);
}
