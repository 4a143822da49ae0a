/*
 * IPAddress objects, once at the start: Services and theirs are kept together, but a store of
 * before knew of none, and anybody may have made one that looks like ours.
 */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/service_private.h"

struct owner {
	struct number ip;
	struct object *service;
};

struct repair {
	struct services *sv;
	struct pool *there; /* addresses that have an object */
	struct object **orphan;
	size_t norphans, orphan_cap;
	struct owner *owner; /* of addresses that have none */
	size_t nowners, owner_cap;
};

static bool
note_address(void *arg, struct object *o)
{
	struct repair *r = arg;
	struct number n;

	if (!number_of_ip(&n, object_name(o)))
		return true;
	pool_hold(r->there, &n);
	if (pool_has(r->sv->ip, &n))
		return true;
	GROW(r->orphan, r->norphans, r->orphan_cap);
	r->orphan[r->norphans++] = object_ref(o);
	return true;
}

static bool
note_service(void *arg, struct object *o)
{
	struct repair *r = arg;
	struct holding h;

	holding_load(r->sv, o, &h);
	for (size_t i = 0; i < h.nip; i++) {
		if (pool_has(r->there, &h.ip[i]))
			continue;
		GROW(r->owner, r->nowners, r->owner_cap);
		r->owner[r->nowners++] = (struct owner){ h.ip[i], object_ref(o) };
	}
	holding_release(&h);
	return true;
}

/* The write that drops it, before next; next when it is somebody else's. */
static struct write *
drop_orphan(struct services *sv, struct object *o, struct write *next)
{
	json_auto_t *obj = object_json(o, sv->addresses->kind);
	struct write *w;

	if (!service_ip_ours(obj))
		return next;
	w = service_write(sv->addresses, o->revision, next);
	w->deletes = true;
	draft_copy(&w->draft, o);
	return w;
}

void
services_repair(struct services *sv)
{
	struct repair r = { .sv = sv, .there = pool_new() };
	struct walk walk = { .table = sv->addresses };
	struct write *list = NULL;
	uint64_t revision;
	struct err err;

	cache_walk(sv->cache, &walk, note_address, &r, &revision, &err);
	walk.table = sv->table;
	cache_walk(sv->cache, &walk, note_service, &r, &revision, &err);
	for (size_t i = 0; i < r.norphans; i++) {
		list = drop_orphan(sv, r.orphan[i], list);
		object_unref(r.orphan[i]);
	}
	for (size_t i = 0; i < r.nowners; i++) {
		struct object *o = r.owner[i].service;

		list = service_claim_write(
		    sv, &r.owner[i].ip, object_namespace(o), object_name(o), list);
		object_unref(o);
	}
	/* the commit thread begins with the first of them: nothing is looked at from here on */
	while (list) {
		struct write *next = list->next;

		commit_queue(sv->commit, list);
		list = next;
	}
	pool_free(r.there);
	free(r.orphan);
	free(r.owner);
}
