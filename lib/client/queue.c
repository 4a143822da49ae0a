#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "client/queue.h"

/* --- a binary heap by due ------------------------------------------------------ */

static void
set(struct queue *q, size_t at, struct item *it)
{
	q->heap[at] = it;
	it->at = at;
}

static void
rise(struct queue *q, size_t at)
{
	struct item *it = q->heap[at];

	for (; at > 0 && q->heap[(at - 1) / 2]->due > it->due; at = (at - 1) / 2)
		set(q, at, q->heap[(at - 1) / 2]);
	set(q, at, it);
}

static void
sink(struct queue *q, size_t at)
{
	struct item *it = q->heap[at];

	for (size_t child; (child = 2 * at + 1) < q->n; at = child) {
		if (child + 1 < q->n && q->heap[child + 1]->due < q->heap[child]->due)
			child++;
		if (q->heap[child]->due >= it->due)
			break;
		set(q, at, q->heap[child]);
	}
	set(q, at, it);
}

static void
insert(struct queue *q, struct item *it, double due)
{
	if (it->at != SIZE_MAX) {
		if (due < it->due) {
			it->due = due;
			rise(q, it->at);
		}
		return;
	}
	GROW(q->heap, q->n, q->cap);
	it->due = due;
	q->heap[q->n] = it;
	it->at = q->n++;
	rise(q, it->at);
}

/* --- the queue ----------------------------------------------------------------------- */

static void
item_free(void *arg)
{
	struct item *it = arg;

	json_decref(it->held);
	free(it->key);
	free(it);
}

void
queue_release(struct queue *q)
{
	map_release(&q->items, item_free);
	free(q->heap);
	*q = (struct queue){ 0 };
}

struct item *
queue_add(struct queue *q, const void *key, size_t len, double due)
{
	struct map_slot *slot = map_at(&q->items, key, len);
	struct item *it = slot->value;

	if (!it) {
		it = xcalloc(1, sizeof *it);
		it->key = xmalloc(len + 1);
		memcpy(it->key, key, len);
		it->key[len] = '\0';
		it->key_len = len;
		it->at = SIZE_MAX;
		slot->value = it;
	}
	if (it->held)
		it->woken = true;
	else
		insert(q, it, due);
	return it;
}

struct item *
queue_take(struct queue *q, double now)
{
	struct item *first = q->n ? q->heap[0] : NULL;

	if (!first || first->due > now)
		return NULL;
	if (--q->n > 0) {
		set(q, 0, q->heap[q->n]);
		sink(q, 0);
	}
	first->at = SIZE_MAX;
	return first;
}

double
queue_next(const struct queue *q)
{
	return q->n ? q->heap[0]->due : -1;
}

void
queue_forget(struct queue *q, struct item *it)
{
	it->failures = 0;
	if (it->at != SIZE_MAX || it->held)
		return;
	map_take(&q->items, it->key, it->key_len);
	item_free(it);
}

void
queue_retry(struct queue *q, struct item *it, double due)
{
	if (it->held)
		it->woken = true;
	else
		insert(q, it, due);
}

void
queue_hold(struct queue *q, struct item *it, json_t *writes, double until)
{
	it->held = writes;
	it->held_until = until;
	it->woken = false;
	it->prev = NULL;
	it->next = q->held;
	if (q->held)
		q->held->prev = it;
	q->held = it;
	q->nheld++;
}

void
queue_let_go(struct queue *q, struct item *it, double now)
{
	if (it->prev)
		it->prev->next = it->next;
	else
		q->held = it->next;
	if (it->next)
		it->next->prev = it->prev;
	q->nheld--;
	json_decref(it->held);
	it->held = NULL;
	if (it->woken)
		insert(q, it, now);
}
