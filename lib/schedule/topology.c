#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "schedule/topology.h"

static int32_t
domain_of(struct topology *t, const struct node *n)
{
	const char *value = meta_label(n->obj, t->key);
	struct map_slot *slot;

	if (!value)
		return NO_DOMAIN;
	slot = map_at(&t->values, value, strlen(value));
	if (!slot->value)
		slot->value = (void *)++t->n;
	return (int32_t)((size_t)slot->value - 1);
}

unsigned
topology_number(struct scheduler *s, const char *key)
{
	unsigned t;

	for (t = 0; t < s->ntopologies; t++)
		if (strcmp(s->topology[t].key, key) == 0)
			return t;
	GROW(s->topology, s->ntopologies, s->topologies_cap);
	s->topology[s->ntopologies++] = (struct topology){ .key = xstrdup(key) };
	for (size_t i = 0; i < s->nnodes; i++) {
		struct node *n = &s->node[i];

		n->domain = xreallocarray(n->domain, s->ntopologies, sizeof *n->domain);
		n->domain[t] = domain_of(&s->topology[t], n);
	}
	return t;
}

void
topology_read(struct scheduler *s, struct node *n)
{
	n->domain = xreallocarray(n->domain, s->ntopologies + 1, sizeof *n->domain);
	for (size_t t = 0; t < s->ntopologies; t++)
		n->domain[t] = domain_of(&s->topology[t], n);
}

void
topologies_release(struct scheduler *s)
{
	for (size_t t = 0; t < s->ntopologies; t++) {
		free(s->topology[t].key);
		map_release(&s->topology[t].values, NULL);
	}
	free(s->topology);
}

void
counts_init(struct counts *c, const struct scheduler *s)
{
	*c = (struct counts){ s, xcalloc(s->ntopologies + 1, sizeof *c->of) };
}

void
counts_release(struct counts *c)
{
	for (size_t t = 0; t < c->s->ntopologies; t++)
		free(c->of[t]);
	free(c->of);
}

void
counts_add(struct counts *c, unsigned topology, const struct node *n, int64_t amount)
{
	if (!n->obj || n->domain[topology] == NO_DOMAIN)
		return;
	if (!c->of[topology])
		c->of[topology] = xcalloc(c->s->topology[topology].n + 1, sizeof *c->of[topology]);
	c->of[topology][n->domain[topology]] += amount;
}

int64_t
counts_get(const struct counts *c, unsigned topology, const struct node *n)
{
	if (!c->of[topology] || n->domain[topology] == NO_DOMAIN)
		return 0;
	return c->of[topology][n->domain[topology]];
}

int64_t
counts_sum(const struct counts *c, const struct node *n)
{
	int64_t sum = 0;

	for (unsigned t = 0; t < c->s->ntopologies; t++)
		sum += counts_get(c, t, n);
	return sum;
}
