#ifndef ORCH_CLIENT_QUEUE_H
#define ORCH_CLIENT_QUEUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "control/map.h"

/*
 * The queue of keys of loop.h.  A key is in it once, however often it is woken; it has a time
 * when it is due, its count of failures, and the writes that it waits for.
 */
struct item {
	char *key; /* bytes of key_len, as given to queue_add */
	size_t key_len;
	double due;
	size_t at; /* its place in the heap; SIZE_MAX: not waiting */
	unsigned failures;
	json_t *held; /* writes the cache has not shown yet, or NULL */
	double held_until;
	bool woken;		  /* while it was held */
	struct item *prev, *next; /* among the held ones */
};

struct queue {
	struct map items;
	struct item **heap; /* by due */
	size_t n, cap;
	struct item *held;
	size_t nheld;
};

void queue_release(struct queue *q);

/* Let a key be done at `due` or sooner; the item (borrowed). A held one only notes that it was
 * woken. */
struct item *queue_add(struct queue *q, const void *key, size_t len, double due);
/* The next item that is due at `now`, taken out of the heap, or NULL. */
struct item *queue_take(struct queue *q, double now);
/* When the next one is due; negative when there is none. */
double queue_next(const struct queue *q);

/* After queue_take, one of these: */
void queue_forget(struct queue *q, struct item *it); /* done; freed unless it is waiting or held */
void queue_retry(struct queue *q, struct item *it, double due);
/* Keep it back until queue_let_go(); takes the array of writes. */
void queue_hold(struct queue *q, struct item *it, json_t *writes, double until);
void queue_let_go(struct queue *q, struct item *it, double now);

#endif
