/* The end of every write: encode, queue, and answer when it is kept. */
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/conversion.h"
#include "store/service.h"

enum {
	OBJECT_BYTES = 3 << 19, /* 1.5 MiB, as etcd's limit on a request */
	NAME_ATTEMPTS = 8,
	RACE_ATTEMPTS = 100,
};

static void
lost_race(struct call *c)
{
	autofree char *name =
	    xstrdup(c->write.draft.text.data + strlen(c->write.draft.text.data) + 1);
	bool again = c->applying && !c->old ? c->attempts < RACE_ATTEMPTS
		     : c->old		    ? !c->conditional && c->attempts < RACE_ATTEMPTS
					    : c->generated && c->attempts < NAME_ATTEMPTS;
	struct err err;

	if (!c->old && strcmp(c->req->method, "PUT") == 0 && c->attempts++ < RACE_ATTEMPTS) {
		update_handle(c); /* it would have made what somebody else has made meanwhile */
		return;
	}
	if (again) {
		c->attempts++;
		services_cancel(c);
		object_unref(c->old);
		object_unref(c->last);
		c->old = c->last = NULL;
		call_defer(c, c->run);
		return;
	}
	if (c->old)
		fail_modified(c, name, &err);
	else
		fail_exists(c, name, &err);
	reply_error(c, &err);
}

static void
write_done(struct write *w)
{
	struct call *c = w->arg;
	struct object *o = c->last ? c->last : w->object;

	if (w->result == -ERR_CONFLICT)
		lost_race(c);
	else if (w->result < 0)
		reply_error(c, &w->err);
	else
		answer_object(c, o);
}

/* What would have been written: without a version for what is not there, with the old one
 * otherwise. */
static void
reply_dry(struct call *c, json_t *obj)
{
	json_t *meta = json_object_get(obj, "metadata");
	struct draft d = DRAFT_INIT;
	json_auto_t *back = NULL;
	struct object *o;
	struct err err;

	json_object_del(meta, "resourceVersion");
	if (conversion_encode(&d, c->kind, obj, &err) < 0) {
		conversion_refuse(c, &err);
		return;
	}
	o = draft_finish(&d, c->old ? c->old->revision : 0);
	if (c->answer || c->old) {
		answer_object(c, o);
	} else if (!conversion_asks(o, c->kind)) {
		reply_json(c, c->status, obj);
	} else if (conversion_json(o, c->kind, &back, &err) < 0) {
		conversion_refuse(c, &err);
	} else { /* with what is lost on the way there and back */
		json_object_del(json_object_get(back, "metadata"), "resourceVersion");
		reply_json(c, c->status, back);
	}
	object_unref(o);
	draft_release(&d);
}

/* obj (taken) as it is to be kept; answers and returns -1. */
static int
encode(struct call *c, json_t *obj, bool deletes)
{
	struct draft *d = &c->write.draft;
	struct err err;
	int r = 0;

	if (deletes && conversion_of(c->kind)) { /* it need not go there and back to go */
		draft_release(d);
		draft_copy(d, c->old);
	} else {
		r = conversion_encode(d, c->kind, obj, &err);
	}
	json_decref(obj);
	return r < 0 ? conversion_refuse(c, &err) : 0;
}

void
write_submit(struct call *c, json_t *obj, bool deletes)
{
	struct write *w = &c->write;

	if (c->dry_run) {
		reply_dry(c, obj);
		json_decref(obj);
		return;
	}
	if (encode(c, obj, deletes) < 0)
		return;
	if (!deletes && w->draft.body.len > OBJECT_BYTES) {
		reply_status(c, 413, "RequestEntityTooLarge",
		    "request is too large: an object may have 1572864 bytes", NULL);
		return;
	}
	/* one that is kept in an old version is written again, as the version is part of it */
	if (c->old && !deletes && (!c->kind->custom || draft_like(&w->draft, c->old)) &&
	    (draft_same(&w->draft, c->old) ||
		(c->view != c->table && draft_equal(&w->draft, c->old)))) {
		answer_object(c, c->old);
		return;
	}
	w->table = c->table;
	w->expect = c->old ? c->old->revision : 0;
	w->deletes = deletes;
	w->done = write_done;
	w->arg = c;
	commit_queue(c->server->commit, w);
}

void
update_submit(struct call *c, json_t *obj)
{
	bool asks = conversion_of(c->kind);
	struct draft d = DRAFT_INIT;
	json_t *before;

	if (c->dry_run || !update_deletes(c->kind, obj)) {
		write_submit(c, obj, false);
		return;
	}
	if (asks)
		draft_encode_as(&d, c->kind, obj);
	else
		draft_encode(&d, c->kind, obj);
	json_decref(obj);
	c->last = draft_finish(&d, c->old->revision);
	c->last->shown = asks;
	draft_release(&d);
	before = asks ? json_object() : object_json(c->old, c->kind);
	write_submit(c, before, true);
}

int
call_current(struct call *c)
{
	struct err err;

	c->old = cache_get(c->server->cache, c->table, c->target.namespace, c->target.name);
	if (c->old)
		return 0;
	fail_not_found(c, c->target.name, &err);
	reply_error(c, &err);
	return -1;
}

int
call_old(struct call *c, json_t **ret)
{
	struct err err;

	return conversion_json(c->old, c->kind, ret, &err) < 0 ? conversion_refuse(c, &err) : 0;
}

const char *
call_now(char buf[static 40])
{
	return time_print(clock_now(), buf);
}

void
call_rename(struct call *c, const struct kind *k, const char *name)
{
	autofree char *path = NULL;
	char version[128];

	kind_api_version(k, version);
	path =
	    *c->target.namespace
		? xasprintf("/%s/%s/namespaces/%s/%s/%s", *k->group ? "apis" : "api", version,
		      c->target.namespace, k->plural, name)
		: xasprintf("/%s/%s/%s/%s", *k->group ? "apis" : "api", version, k->plural, name);
	target_release(&c->target);
	target_parse(&c->target, path);
	c->kind = k;
	c->table = cache_table(c->server->cache, k);
	c->view = cache_own_table(c->server->cache, k);
}
