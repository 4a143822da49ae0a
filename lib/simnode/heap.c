#include "base/mem.h"
#include "simnode/private.h"

static void
place(struct heap *h, size_t i, struct timer *t)
{
	h->item[i] = t;
	t->at = i + 1;
}

static void
up(struct heap *h, size_t i, struct timer *t)
{
	for (; i > 0 && h->item[(i - 1) / 2]->due > t->due; i = (i - 1) / 2)
		place(h, i, h->item[(i - 1) / 2]);
	place(h, i, t);
}

static void
down(struct heap *h, size_t i, struct timer *t)
{
	for (size_t c; (c = 2 * i + 1) < h->n; i = c) {
		if (c + 1 < h->n && h->item[c + 1]->due < h->item[c]->due)
			c++;
		if (h->item[c]->due >= t->due)
			break;
		place(h, i, h->item[c]);
	}
	place(h, i, t);
}

void
heap_remove(struct heap *h, struct timer *t)
{
	size_t i = t->at - 1;
	struct timer *last;

	if (!t->at)
		return;
	t->at = 0;
	last = h->item[--h->n];
	if (last == t)
		return;
	if (i > 0 && h->item[(i - 1) / 2]->due > last->due)
		up(h, i, last);
	else
		down(h, i, last);
}

void
heap_set(struct heap *h, struct timer *t, double due)
{
	heap_remove(h, t);
	t->due = due;
	GROW(h->item, h->n, h->cap);
	h->n++;
	up(h, h->n - 1, t);
}

struct timer *
heap_first(const struct heap *h)
{
	return h->n ? h->item[0] : NULL;
}
