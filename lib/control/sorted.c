#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "control/sorted.h"

static int
compare(const struct entry *a, const struct entry *b)
{
	int order = strcmp(a->ns, b->ns);

	if (!order)
		order = strcmp(a->name, b->name);
	return order ? order : strcmp(a->kind, b->kind);
}

static int
compare_p(const void *a, const void *b)
{
	return compare(*(struct entry *const *)a, *(struct entry *const *)b);
}

void
sorted_free(void *arg)
{
	struct sorted *l = arg;

	free(l->at);
	free(l->entry);
	free(l);
}

/* How many of the first n entries come before e. */
static size_t
sorted_position(const struct sorted *l, size_t n, const struct entry *e)
{
	size_t low = 0;

	while (low < n) {
		size_t mid = low + (n - low) / 2;

		if (compare(l->entry[mid], e) < 0)
			low = mid + 1;
		else
			n = mid;
	}
	return low;
}

/* Sort in what was appended: from the largest down, so that every entry moves once at most. */
void
sorted_settle(struct sorted *l)
{
	size_t fresh = l->n - l->sorted, end = l->sorted, to = l->n;
	struct entry **tail;

	if (!fresh)
		return;
	tail = xreallocarray(NULL, fresh, sizeof *tail);
	memcpy(tail, l->entry + l->sorted, fresh * sizeof *tail);
	qsort(tail, fresh, sizeof *tail, compare_p);
	while (fresh > 0) {
		struct entry *e = tail[--fresh];
		size_t at = sorted_position(l, end, e), count = end - at;

		to -= count;
		memmove(l->entry + to, l->entry + at, count * sizeof *l->entry);
		memmove(l->at + to, l->at + at, count * sizeof *l->at);
		to--;
		l->entry[to] = e;
		l->at[to] = e->obj;
		end = at;
	}
	free(tail);
	l->sorted = l->n;
}

void
sorted_add(struct sorted *l, struct entry *e)
{
	if (l->n >= l->cap) {
		l->cap = l->cap ? l->cap * 2 : 4;
		l->at = xreallocarray(l->at, l->cap, sizeof *l->at);
		l->entry = xreallocarray(l->entry, l->cap, sizeof *l->entry);
	}
	if (l->sorted == l->n && (l->n == 0 || compare(l->entry[l->n - 1], e) < 0))
		l->sorted++;
	l->entry[l->n] = e;
	l->at[l->n++] = e->obj;
}

/* Where the entry is; l->n when it is not there. */
size_t
sorted_find(struct sorted *l, const struct entry *e)
{
	size_t i;

	sorted_settle(l);
	i = sorted_position(l, l->n, e);
	return i < l->n && l->entry[i] == e ? i : l->n;
}

void
sorted_remove(struct sorted *l, const struct entry *e)
{
	size_t i = sorted_find(l, e);

	if (i == l->n)
		return;
	l->n--;
	l->sorted--;
	memmove(l->entry + i, l->entry + i + 1, (l->n - i) * sizeof *l->entry);
	memmove(l->at + i, l->at + i + 1, (l->n - i) * sizeof *l->at);
}
