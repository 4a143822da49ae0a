/* What can be asked of sets of field paths, and what can be made of two. */
#include "api/fieldset.h"

#include <string.h>

#include "base/mem.h"

bool
fieldset_empty(const struct fieldset *s)
{
	return s->n == 0; /* there are no nodes without anything in them */
}

bool
fieldset_equal(const struct fieldset *a, const struct fieldset *b)
{
	if (a->n != b->n)
		return false;
	if (a->node == b->node)
		return true;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->node[i].member != b->node[i].member ||
		    element_cmp(a->node[i].at, b->node[i].at) != 0 ||
		    !fieldset_equal(&a->node[i].below, &b->node[i].below))
			return false;
	return true;
}

const struct fieldnode *
fieldset_find(const struct fieldset *s, struct element at)
{
	uint32_t from = 0, to = s->n;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;
		int c = element_cmp(at, s->node[mid].at);

		if (c == 0)
			return &s->node[mid];
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return NULL;
}

struct fieldnode *
fieldset_add(struct arena *a, struct fieldset *s, struct element at)
{
	if (s->n == s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 4;
		struct fieldnode *node = arena_alloc(a, cap * sizeof *node);

		if (s->n)
			memcpy(node, s->node, s->n * sizeof *node);
		s->node = node;
		s->cap = cap;
	}
	s->node[s->n] = (struct fieldnode){ .at = at };
	return &s->node[s->n++];
}

static int
by_element(const void *a, const void *b)
{
	return element_cmp(((const struct fieldnode *)a)->at, ((const struct fieldnode *)b)->at);
}

void
fieldset_sort(struct fieldset *s)
{
	for (uint32_t i = 1; i < s->n; i++)
		if (by_element(&s->node[i - 1], &s->node[i]) > 0) {
			qsort(s->node, s->n, sizeof *s->node, by_element);
			return;
		}
}

/* Put a node made of parts at the end, when there is anything in it. */
static void
put_node(struct arena *a, struct fieldset *s, struct element at, bool member, struct fieldset below)
{
	struct fieldnode *node;

	if (!member && !below.n)
		return;
	node = fieldset_add(a, s, at);
	node->member = member;
	node->below = below;
}

/*
 * Two sorted lists walked side by side.  `alone` says whether what stands in x only, and in y
 * only, belongs to the result; `both` makes the node of what stands in both.
 */
typedef void join_both(
    struct arena *a, struct fieldset *ret, const struct fieldnode *x, const struct fieldnode *y);

static struct fieldset
join(struct arena *a, const struct fieldset *x, const struct fieldset *y, bool keep_x, bool keep_y,
    join_both *both)
{
	struct fieldset ret = FIELDSET_EMPTY;
	uint32_t i = 0, j = 0;

	while (i < x->n || j < y->n) {
		int c = i == x->n ? 1 : j == y->n ? -1 : element_cmp(x->node[i].at, y->node[j].at);

		if (c == 0) {
			both(a, &ret, &x->node[i++], &y->node[j++]);
		} else if (c < 0) {
			if (keep_x)
				*fieldset_add(a, &ret, x->node[i].at) = x->node[i];
			i++;
		} else {
			if (keep_y)
				*fieldset_add(a, &ret, y->node[j].at) = y->node[j];
			j++;
		}
	}
	return ret;
}

static void
both_union(
    struct arena *a, struct fieldset *ret, const struct fieldnode *x, const struct fieldnode *y)
{
	put_node(a, ret, x->at, x->member || y->member, fieldset_union(a, &x->below, &y->below));
}

struct fieldset
fieldset_union(struct arena *a, const struct fieldset *x, const struct fieldset *y)
{
	if (!y->n)
		return *x;
	return x->n ? join(a, x, y, true, true, both_union) : *y;
}

static void
both_common(
    struct arena *a, struct fieldset *ret, const struct fieldnode *x, const struct fieldnode *y)
{
	put_node(a, ret, x->at, x->member && y->member, fieldset_common(a, &x->below, &y->below));
}

struct fieldset
fieldset_common(struct arena *a, const struct fieldset *x, const struct fieldset *y)
{
	return join(a, x, y, false, false, both_common);
}

static void
both_minus(
    struct arena *a, struct fieldset *ret, const struct fieldnode *x, const struct fieldnode *y)
{
	put_node(a, ret, x->at, x->member && !y->member, fieldset_minus(a, &x->below, &y->below));
}

struct fieldset
fieldset_minus(struct arena *a, const struct fieldset *x, const struct fieldset *y)
{
	return x->n && y->n ? join(a, x, y, true, false, both_minus) : *x;
}

static void
both_without(
    struct arena *a, struct fieldset *ret, const struct fieldnode *x, const struct fieldnode *y)
{
	if (!y->member)
		put_node(a, ret, x->at, x->member, fieldset_without(a, &x->below, &y->below));
}

struct fieldset
fieldset_without(struct arena *a, const struct fieldset *x, const struct fieldset *y)
{
	return x->n && y->n ? join(a, x, y, true, false, both_without) : *x;
}

bool
fieldset_meets(const struct fieldset *x, const struct fieldset *y)
{
	for (uint32_t i = 0, j = 0; i < x->n && j < y->n;) {
		const struct fieldnode *p = &x->node[i], *q = &y->node[j];
		int c = element_cmp(p->at, q->at);

		if (c == 0 && ((p->member && q->member) || fieldset_meets(&p->below, &q->below)))
			return true;
		i += c <= 0;
		j += c >= 0;
	}
	return false;
}

static void
walk(const struct fieldset *s, struct buf *path, void (*each)(void *arg, const char *path),
    void *arg)
{
	size_t len = path->len;

	for (int members = 1; members >= 0; members--)
		for (uint32_t i = 0; i < s->n; i++) {
			if (members ? !s->node[i].member : !s->node[i].below.n)
				continue;
			element_print(s->node[i].at, path);
			if (members)
				each(arg, path->data);
			else
				walk(&s->node[i].below, path, each, arg);
			path->data[path->len = len] = '\0';
		}
}

void
fieldset_each(const struct fieldset *s, void (*each)(void *arg, const char *path), void *arg)
{
	autobuf struct buf path = BUF_INIT;

	buf_puts(&path, "");
	walk(s, &path, each, arg);
}
