/* The end of every write: encode, queue, and answer when it is kept. */
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/call.h"
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
	else if (c->answer)
		c->answer(c, o);
	else
		reply_object(c, c->status, o);
}

/* What would have been written: without a version for what is not there, with the old one
 * otherwise. */
static void
reply_dry(struct call *c, json_t *obj)
{
	json_t *meta = json_object_get(obj, "metadata");
	struct draft d = DRAFT_INIT;
	struct object *o;

	json_object_del(meta, "resourceVersion");
	draft_encode(&d, c->kind, obj);
	o = draft_finish(&d, c->old ? c->old->revision : 0);
	if (c->answer) {
		c->answer(c, o);
	} else if (c->old) {
		reply_object(c, c->status, o);
	} else {
		reply_json(c, c->status, obj);
	}
	object_unref(o);
	draft_release(&d);
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
	draft_encode(&w->draft, c->kind, obj);
	json_decref(obj);
	if (!deletes && w->draft.body.len > OBJECT_BYTES) {
		reply_status(c, 413, "RequestEntityTooLarge",
		    "request is too large: an object may have 1572864 bytes", NULL);
		return;
	}
	if (c->old && !deletes &&
	    (draft_same(&w->draft, c->old) ||
		(c->view != c->table && draft_equal(&w->draft, c->old)))) {
		if (c->answer)
			c->answer(c, c->old);
		else
			reply_object(c, c->status, c->old);
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
	struct draft d = DRAFT_INIT;
	json_t *before;

	if (c->dry_run || !update_deletes(c->kind, obj)) {
		write_submit(c, obj, false);
		return;
	}
	draft_encode(&d, c->kind, obj);
	json_decref(obj);
	c->last = draft_finish(&d, c->old->revision);
	draft_release(&d);
	before = object_json(c->old, c->kind);
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
