/* A bundle's writes: rank by rank, several at once within one. */
#include <string.h>
#include <time.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/bundle.h"
#include "client/migrate.h"

enum { TRIES = 8, WAITS = 50 };

/* --- what may still be written ---------------------------------------------------------- */

/* Another writer was quicker: look at what there is now, and try it out again. */
static bool
overtaken(const struct item *i)
{
	return i->err.code == ERR_CONFLICT && !item_contested(i);
}

/* The resource is not there; that a namespace is not will not change. */
static bool
unserved(const struct item *i)
{
	return i->definition && i->err.code == ERR_NOT_FOUND &&
	       strncmp(i->err.msg, "namespaces ", strlen("namespaces ")) != 0;
}

/* In a new namespace the controllers may still be about to make what its objects need; a new kind
 * is not served at once. */
static bool
too_early(const struct item *i)
{
	if (unserved(i))
		return true;
	if (i->renewed && i->waited < WAITS &&
	    (i->err.code == ERR_BAD_REQUEST || i->err.code == ERR_INVALID))
		return true; /* it fits the new definition, maybe not the old one */
	return i->unseen && i->err.code == ERR_FORBIDDEN &&
	       strstr(i->err.msg, "error looking up service account");
}

/* --- telling --------------------------------------------------------------------------- */

/* Of all that are done, up to the first that is not. */
static void
tell(struct bundle *b, size_t up_to)
{
	for (; b->next < up_to; b->next++) {
		struct item *i = &b->item[b->next];

		if (!i->told && b->tell)
			b->tell(b->arg, i);
		i->told = true;
	}
}

/* Is it known what becomes of it?  A failure that will be tried again says nothing yet. */
static bool
through(const struct item *i)
{
	if (i->err.code != ERR_OK)
		return !overtaken(i) && !too_early(i);
	return i->written || i->result == APPLY_UNCHANGED;
}

static void
tell_ready(struct bundle *b)
{
	size_t n = b->next;

	while (n < b->n && through(&b->item[n]))
		n++;
	tell(b, n);
}

/* --- one step ---------------------------------------------------------------------------- */

static bool
to_write(const struct item *i)
{
	return !i->written && i->result != APPLY_UNCHANGED;
}

static bool
stopped(const struct bundle *b)
{
	return b->stop && *b->stop;
}

static bool
begin_migrate(struct bundle *b, struct item *i, struct call *call)
{
	if (stopped(b) || !to_write(i) || !i->migration || i->client_side)
		return false;
	call->method = "PATCH";
	call->type = "application/json-patch+json";
	call->path = client_path(i->kind, item_namespace(i), item_name(i), NULL);
	call->body = json_dumps(i->migration, JSON_COMPACT);
	return true;
}

/* The object's new resourceVersion is what a guarded write goes by. */
static void
end_migrate(struct bundle *b, struct item *i, const struct call *call)
{
	json_t *live = NULL;
	struct err err;

	(void)b;
	if (call_answer(call, &live, &err) < 0) {
		item_refuse(i, call);
		return;
	}
	json_decref(i->migration);
	i->migration = NULL;
	put(i->live, json_string(meta_version(live)), "metadata", "resourceVersion");
	json_decref(i->after);
	i->after = live;
	i->migrated = true;
}

static bool
begin_write(struct bundle *b, struct item *i, struct call *call)
{
	if (stopped(b) || !to_write(i) || i->client_side)
		return false;
	bundle_apply_call(b, i, false, b->force || i->hidden, call);
	return true;
}

static void
end_write(struct bundle *b, struct item *i, const struct call *call)
{
	json_t *after = NULL;
	struct err err;

	if (call_answer(call, &after, &err) < 0) {
		item_refuse(i, call);
		return;
	}
	json_decref(i->after);
	i->after = after;
	i->written = true;
	/* somebody else may have been quicker, with the same */
	if (call->status == 201)
		i->result = APPLY_CREATED;
	else if (i->live && !i->migrated && bundle_same(b, i, after))
		i->result = APPLY_UNCHANGED;
	else
		i->result = APPLY_CONFIGURED;
	tell_ready(b);
}

/* --- trying again -------------------------------------------------------------------------- */

static bool
has_new_kind(const struct item *i)
{
	return i->definition != NULL;
}

static bool
any(const struct bundle *b, size_t from, size_t to, bool (*is)(const struct item *i))
{
	for (size_t n = from; n < to; n++)
		if (is(&b->item[n]))
			return true;
	return false;
}

static void
look_again(struct bundle *b, size_t from, size_t to)
{
	for (size_t n = from; n < to; n++) {
		struct item *i = &b->item[n];

		if (!overtaken(i))
			continue;
		item_forgive(i);
		item_look(b, i);
	}
}

static void
write_once(struct bundle *b, size_t from, size_t to)
{
	bundle_ask(b, from, to, begin_migrate, end_migrate);
	bundle_ask(b, from, to, begin_write, end_write);
}

static void
write_client_side(struct bundle *b, struct item *i)
{
	autofree char *query = xasprintf("fieldManager=%s", b->manager);
	struct writer how = { .dry = DRY_NO, .query = query };
	json_t *after = NULL;
	struct err err;

	if (apply_object(b->client, i->kind, i->obj, &how, &i->result, &after, &err) < 0) {
		i->err = err;
		return;
	}
	json_decref(i->after);
	i->after = after;
	i->written = true;
}

static void
write_rank(struct bundle *b, size_t from, size_t to)
{
	const struct timespec moment = { .tv_nsec = 1000L * 1000 * BUNDLE_MOMENT };

	write_once(b, from, to);
	for (int try = 1; try < TRIES && any(b, from, to, overtaken); try++) {
		look_again(b, from, to);
		write_once(b, from, to);
	}
	for (unsigned wait = 0, most = any(b, from, to, has_new_kind) ? bundle_moments(b) : WAITS;
	     wait < most && !stopped(b) && any(b, from, to, too_early); wait++) {
		nanosleep(&moment, NULL);
		for (size_t n = from; n < to; n++)
			if (too_early(&b->item[n])) {
				item_forgive(&b->item[n]);
				b->item[n].waited++;
			}
		write_once(b, from, to);
	}
	for (size_t n = from; n < to; n++)
		if (unserved(&b->item[n]))
			err_set(&b->item[n].err, ERR_TIMEOUT,
			    "the server has not begun to serve its kind within %gs",
			    bundle_moments(b) * BUNDLE_MOMENT / 1000.0);
	for (size_t n = from; n < to; n++)
		if (b->item[n].client_side && b->item[n].err.code == ERR_OK &&
		    to_write(&b->item[n]))
			write_client_side(b, &b->item[n]);
	bundle_await(b, from, to);
	tell(b, to);
}

void
bundle_write(struct bundle *b, bool stop)
{
	for (size_t from = 0, to; from < b->n; from = to) {
		for (to = from; to < b->n && b->item[to].rank == b->item[from].rank; to++)
			;
		write_rank(b, from, to);
		if (stopped(b) || (stop && bundle_failed(b) > 0))
			return;
	}
}
