#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "schedule/relate.h"

/* The filters: may this pod be on this node at all?  Named as the scheduler framework's plugins. */

static bool
tolerance(const json_t *t, const char *key, const char *value, const char *effect)
{
	const char *for_effect = text(t, "effect"), *for_key = text(t, "key");

	if (*for_effect && strcmp(for_effect, effect) != 0)
		return false;
	if (*for_key && strcmp(for_key, key) != 0)
		return false;
	if (strcmp(text(t, "operator"), "Exists") == 0)
		return true;
	return *for_key && strcmp(text(t, "value"), value) == 0;
}

bool
tolerates(const json_t *tolerations, const char *key, const char *value, const char *effect)
{
	size_t i;
	json_t *t;

	json_array_foreach (tolerations, i, t)
		if (tolerance(t, key, value, effect))
			return true;
	return false;
}

static const char *
only(const char *why, int i)
{
	return i == 0 ? why : NULL;
}

static bool
unschedulable(
    const struct scheduler *s, const struct class *c, const struct node *n, uint32_t *reason)
{
	(void)s;
	(void)reason;
	return n->unschedulable &&
	       !tolerates(c->tolerations, "node.kubernetes.io/unschedulable", "", "NoSchedule");
}

static const char *
unschedulable_why(const struct scheduler *s, uint32_t reason, int i, char *buf, size_t size)
{
	(void)s, (void)reason, (void)buf, (void)size;
	return only("node(s) were unschedulable", i);
}

static bool
untolerated(
    const struct scheduler *s, const struct class *c, const struct node *n, uint32_t *reason)
{
	(void)s;
	for (size_t i = 0; i < n->ntaints; i++) {
		const struct taint *t = &n->taint[i];

		if (strcmp(t->effect, "NoSchedule") != 0 && strcmp(t->effect, "NoExecute") != 0)
			continue;
		if (tolerates(c->tolerations, t->key, t->value, t->effect))
			continue;
		*reason = t->text;
		return true;
	}
	return false;
}

static const char *
untolerated_why(const struct scheduler *s, uint32_t reason, int i, char *buf, size_t size)
{
	(void)buf, (void)size;
	return only(s->texts[reason], i);
}

static bool
wrong_node(const struct scheduler *s, const struct class *c, const struct node *n, uint32_t *reason)
{
	(void)s, (void)reason;
	return c->selects && !affinity_required(c->pod, n);
}

static const char *
wrong_node_why(const struct scheduler *s, uint32_t reason, int i, char *buf, size_t size)
{
	(void)s, (void)reason, (void)buf, (void)size;
	return only("node(s) didn't match Pod's node affinity/selector", i);
}

/* A port on one address collides with the same on all addresses. */
static bool
ports_collide(const struct port *a, const struct port *b)
{
	bool all_a = !*a->ip || strcmp(a->ip, "0.0.0.0") == 0;
	bool all_b = !*b->ip || strcmp(b->ip, "0.0.0.0") == 0;

	return a->number == b->number && strcmp(a->protocol, b->protocol) == 0 &&
	       (all_a || all_b || strcmp(a->ip, b->ip) == 0);
}

static bool
ports_taken(
    const struct scheduler *s, const struct class *c, const struct node *n, uint32_t *reason)
{
	(void)s, (void)reason;
	for (size_t i = 0; i < (c->nports ? n->members.n : 0); i++) {
		const struct class *other = n->members.item[i]->class;

		for (size_t j = 0; j < other->nports; j++)
			for (size_t k = 0; k < c->nports; k++)
				if (ports_collide(&c->port[k], &other->port[j]))
					return true;
	}
	return false;
}

static const char *
ports_taken_why(const struct scheduler *s, uint32_t reason, int i, char *buf, size_t size)
{
	(void)s, (void)reason, (void)buf, (void)size;
	return only("node(s) didn't have free ports for the requested pod ports", i);
}

/* The reason has a bit for every resource there is not enough of. */
static bool
too_little(const struct scheduler *s, const struct class *c, const struct node *n, uint32_t *reason)
{
	(void)s;
	*reason = 0;
	for (size_t i = 0; i < c->nrequests; i++) {
		unsigned r = c->request[i].resource;

		if (c->request[i].amount > n->can[r] - n->used[r])
			*reason |= UINT32_C(1) << (r < MAX_RESOURCES ? r : MAX_RESOURCES);
	}
	return *reason != 0;
}

static const char *
too_little_why(const struct scheduler *s, uint32_t reason, int i, char *buf, size_t size)
{
	for (unsigned r = 0; r <= MAX_RESOURCES; r++) {
		if (!(reason & UINT32_C(1) << r) || i-- > 0)
			continue;
		if (r == PODS)
			return "Too many pods";
		snprintf(buf, size, "Insufficient %s",
		    r < MAX_RESOURCES ? s->resource[r] : "other resources");
		return buf;
	}
	return NULL;
}

static const char *
spread_why(const struct scheduler *s, uint32_t reason, int i, char *buf, size_t size)
{
	(void)s, (void)buf, (void)size;
	return only(reason == SPREAD_SKEW ? "node(s) didn't match pod topology spread constraints"
					  : "node(s) didn't match pod topology spread constraints "
					    "(missing required label)",
	    i);
}

static const char *
interpod_why(const struct scheduler *s, uint32_t reason, int i, char *buf, size_t size)
{
	static const char *const why[] = {
		[INTERPOD_NEAR] = "node(s) didn't match pod affinity rules",
		[INTERPOD_AWAY] = "node(s) didn't match pod anti-affinity rules",
		[INTERPOD_GUARDED] = "node(s) didn't satisfy existing pods anti-affinity rules",
	};

	(void)s, (void)buf, (void)size;
	return only(why[reason], i);
}

const struct filter filters[] = {
	{ "NodeUnschedulable", unschedulable, unschedulable_why },
	{ "TaintToleration", untolerated, untolerated_why },
	{ "NodeAffinity", wrong_node, wrong_node_why },
	{ "NodePorts", ports_taken, ports_taken_why },
	{ "NodeResourcesFit", too_little, too_little_why },
	{ "PodTopologySpread", NULL, spread_why },
	{ "InterPodAffinity", NULL, interpod_why },
};
