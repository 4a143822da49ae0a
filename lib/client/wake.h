#ifndef ORCH_CLIENT_WAKE_H
#define ORCH_CLIENT_WAKE_H

#include "client/queue.h"
#include "control/control.h"

/*
 * Which keys a change wakes: the object itself, its owners (before and after), what a controller's
 * own rule says; for a controller of all kinds also what it owned.
 */
struct waker {
	struct queue *queue;
	const struct controller *const *which;
	struct world *world;
};

/* A cache_on_change() callback; arg is the waker. */
void wake_changed(void *arg, const char *type, const json_t *obj, const json_t *old);

/* A key of the queue: which controller, which object. Borrowed from the item. */
struct key {
	size_t controller;
	const char *group_kind, *ns, *name;
};
struct key wake_key(const struct item *it);

bool wake_for_all(const struct controller *c); /* works on objects of all kinds */

#endif
