/* The queue of keys: order, deduplication, holding, against a slow model. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/queue.h"

enum { KEYS = 20, STEPS = 200000 };

static void
in_order(void)
{
	struct queue q = { 0 };
	double last = -1;

	assert(queue_next(&q) < 0 && !queue_take(&q, 1e9));
	for (int i = 0; i < 1000; i++) {
		int key = rand();

		queue_add(&q, &key, sizeof key, rand() % 100);
	}
	for (struct item *it; (it = queue_take(&q, 1e9));) {
		assert(it->due >= last);
		last = it->due;
		queue_forget(&q, it);
	}
	assert(q.items.n == 0);
	queue_release(&q);
}

static void
once(void)
{
	struct queue q = { 0 };
	struct item *it = queue_add(&q, "a", 1, 5);

	assert(queue_add(&q, "a", 1, 9) == it && it->due == 5); /* never later */
	assert(queue_add(&q, "a", 1, 2) == it && it->due == 2); /* sooner */
	assert(!queue_take(&q, 1.9) && queue_take(&q, 2) == it && q.n == 0);
	queue_retry(&q, it, 7);
	assert(queue_next(&q) == 7);
	queue_release(&q);
}

static void
held(void)
{
	struct queue q = { 0 };
	struct item *it;

	queue_add(&q, "a", 1, 0);
	it = queue_take(&q, 0);
	queue_hold(&q, it, json_array(), 10);
	queue_forget(&q, it); /* held ones stay */
	assert(q.nheld == 1 && q.items.n == 1);
	queue_let_go(&q, it, 1);
	assert(q.nheld == 0 && q.n == 0); /* nobody woke it */
	queue_hold(&q, it, json_array(), 10);
	queue_add(&q, "a", 1, 0);
	assert(q.n == 0 && it->woken);
	queue_let_go(&q, it, 3);
	assert(q.n == 1 && queue_next(&q) == 3);
	queue_release(&q);
}

/* Any order of adding, taking, holding: the queue and a plain array must agree. */
static void
model(void)
{
	double due[KEYS]; /* < 0: not waiting */
	struct item *kept[KEYS] = { 0 };
	struct queue q = { 0 };

	for (int i = 0; i < KEYS; i++)
		due[i] = -1;
	for (int step = 0; step < STEPS; step++) {
		int k = rand() % KEYS;
		struct item *it;

		if (rand() % 2) {
			double at = rand() % 50;

			queue_add(&q, &k, sizeof k, at);
			if (!kept[k] && (due[k] < 0 || at < due[k]))
				due[k] = at;
		} else if (kept[k]) {
			due[k] = kept[k]->woken ? 7 : -1;
			it = kept[k];
			queue_let_go(&q, it, 7);
			if (it->at == SIZE_MAX)
				queue_forget(&q, it);
			kept[k] = NULL;
		} else if ((it = queue_take(&q, 25))) {
			memcpy(&k, it->key, sizeof k);
			for (int i = 0; i < KEYS; i++)
				assert(due[i] < 0 || due[i] >= due[k]);
			assert(due[k] >= 0 && due[k] <= 25);
			due[k] = -1;
			if (rand() % 2) {
				queue_hold(&q, it, json_array(), 1);
				kept[k] = it;
			} else {
				queue_forget(&q, it);
			}
		} else {
			for (int i = 0; i < KEYS; i++)
				assert(due[i] < 0 || due[i] > 25);
		}
	}
	queue_release(&q);
}

int
main(void)
{
	in_order();
	once();
	held();
	model();
	return 0;
}
