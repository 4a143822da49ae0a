/* Several writes at a time: they are kept with one commit. */
#include <stdlib.h>

#include "api/apply.h"
#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/definitions_private.h"
#include "store/delete.h"

enum { MOST = 64 };

struct shot {
	struct write write;
	struct object *was;
};

/* How many the commit thread has not answered yet. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t over;
	size_t left;
};

static void
landed(struct write *w)
{
	struct waiter *x = w->arg;

	pthread_mutex_lock(&x->lock);
	if (--x->left == 0)
		pthread_cond_signal(&x->over);
	pthread_mutex_unlock(&x->lock);
}

static void
shot_release(struct shot *s)
{
	const struct write *w = &s->write;

	if (w->result < 0 && w->result != -ERR_CONFLICT)
		log_line("cannot write '%s': %s", object_name(s->was), w->err.msg);
	write_release(&s->write);
	object_unref(s->was);
}

void
volley_wait(struct volley *v)
{
	struct waiter x = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, v->n };

	for (size_t i = 0; i < v->n; i++) {
		v->shot[i].write.done = landed;
		v->shot[i].write.arg = &x;
		commit_queue(v->definitions->server->commit, &v->shot[i].write);
	}
	pthread_mutex_lock(&x.lock);
	while (x.left > 0)
		pthread_cond_wait(&x.over, &x.lock);
	pthread_mutex_unlock(&x.lock);
	for (size_t i = 0; i < v->n; i++)
		shot_release(&v->shot[i]);
	free(v->shot);
	v->shot = NULL;
	v->n = v->cap = 0;
}

static struct write *
add(struct volley *v, struct table *t, struct object *was)
{
	struct shot *s;

	if (v->n == MOST)
		volley_wait(v);
	GROW(v->shot, v->n, v->cap);
	s = &v->shot[v->n++];
	*s = (struct shot){ .was = object_ref(was),
		.write = { .table = t, .expect = was->revision, .draft = DRAFT_INIT } };
	return &s->write;
}

void
volley_status(struct volley *v, struct object *was, json_t *crd)
{
	const struct definitions *d = v->definitions;
	json_auto_t *old = object_json(was, d->kind), *new = json_copy(old);
	struct write *w = add(v, d->table, was);
	char now[40];
	struct apply track = { .kind = d->kind,
		.subresource = "status",
		.manager = "kube-apiserver",
		.now = call_now(now) };

	json_object_set(new, "status", json_object_get(crd, "status"));
	json_object_set(new, "metadata", json_object_get(crd, "metadata"));
	apply_track(&track, old, new);
	w->deletes = update_deletes(d->kind, new);
	draft_encode(&w->draft, d->kind, w->deletes ? old : new);
}

void
volley_delete(struct volley *v, struct table *t, struct object *o)
{
	const struct kind *k = object_kind(o, t->kind); /* as it is: nothing is converted for it */
	json_auto_t *obj = object_json_kept(o, k);
	struct delete_options options = {
		.policy = (char *)"", .uid = (char *)"", .version = (char *)""
	};
	enum deletion what = delete_decide(k, obj, &options, clock_now());
	struct write *w;

	if (what == DELETE_UNCHANGED)
		return;
	w = add(v, t, o);
	w->deletes = what == DELETE_NOW;
	draft_encode_as(&w->draft, k, obj);
}
