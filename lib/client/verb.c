#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/verb.h"

struct verb_options verb_options;

const struct opt verb_opts[] = {
	{ 'f', "filename", "FILE", "the objects of a file, folder or - for stdin",
	    &verb_options.files, true },
	{ 0 },
};

const struct opt all_opts[] = {
	{ 0, "all", NULL, "all objects of the kinds, in the namespace", &verb_options.all, false },
	{ 0 },
};

int
verb_open(struct verb *v, int n, char *const words[], struct err *err)
{
	autofree char *manager = xasprintf("orch-%s", v->name);
	int r;

	if ((r = writer_open(&v->writer, stdout, manager, err)) < 0 ||
	    (r = client_open(&v->client, err)) < 0)
		return r;
	return targets_gather(&v->targets, v->client, n, words, &verb_options.files, err);
}

int
verb_needs_names(const struct verb *v, struct err *err)
{
	bool some = verb_options.all || (scope_options.selector && *scope_options.selector) ||
		    (scope_options.field_selector && *scope_options.field_selector);

	for (size_t i = 0; i < v->targets.n && !some; i++)
		if (!*v->targets.item[i].name)
			return err_set(err, ERR_BAD_REQUEST,
			    "'%s' names no object: say which, or -l LABELS, or --all",
			    v->targets.item[i].where);
	return 0;
}

void
verb_failed(struct verb *v, int status)
{
	v->worst = status > v->worst ? status : v->worst;
}

/* --- each --------------------------------------------------------------------------------- */

struct each {
	struct verb *verb;
	const struct target *target;
	int (*one)(struct verb *v, const struct subject *s, void *arg, struct err *err);
	void *arg;
};

static void
run_one(const struct each *e, const struct subject *s)
{
	struct err err;
	autofree char *shown = NULL;

	if (e->one(e->verb, s, e->arg, &err) >= 0)
		return;
	shown = target_name(s->kind, s->name);
	verb_failed(e->verb, e->verb->complain(&err, "cannot %s %s", e->verb->name, shown));
}

static int
run_listed(void *arg, json_t *obj, struct err *err)
{
	const struct each *e = arg;
	struct subject s = { e->target->kind, meta_namespace(obj), meta_name(obj), obj, true,
		e->target->where };

	(void)err;
	run_one(e, &s);
	json_decref(obj);
	return 0;
}

void
verb_each(struct verb *v,
    int (*one)(struct verb *v, const struct subject *s, void *arg, struct err *err), void *arg)
{
	struct err err;

	for (size_t i = 0; i < v->targets.n; i++) {
		const struct target *t = &v->targets.item[i];
		struct each e = { v, t, one, arg };

		if (*t->name) {
			run_one(&e,
			    &(struct subject){ t->kind, t->ns, t->name, t->obj, false, t->where });
		} else if (target_each(v->client, t, run_listed, &e, &err) < 0) {
			verb_failed(v, v->complain(&err, "cannot %s %s", v->name, t->where));
		}
	}
}

int
verb_read(struct verb *v, const struct subject *s, json_t **ret, struct err *err)
{
	json_auto_t *obj = NULL;
	int r;

	if ((r = client_get(v->client, s->kind, s->ns, s->name, &obj, err)) < 0)
		return r;
	if (s->obj && *meta_uid(s->obj) && strcmp(meta_uid(s->obj), meta_uid(obj)) != 0)
		return err_set(err, ERR_GONE,
		    "it is another one of the same name: its uid is '%s', the input's '%s'",
		    meta_uid(obj), meta_uid(s->obj));
	*ret = steal(obj);
	return 0;
}

/* --- output ------------------------------------------------------------------------------- */

int
verb_report(
    struct verb *v, const struct subject *s, const json_t *obj, const char *what, struct err *err)
{
	json_auto_t *named = obj ? NULL : json_pack("{s:{s:s}}", "metadata", "name", s->name);
	int r = writer_report(&v->writer, s->kind, obj ? obj : named, what, err);

	if (v->flush)
		v->flush();
	return r;
}

int
verb_close(struct verb *v)
{
	struct err err;

	if (writer_close(&v->writer, &err) < 0)
		verb_failed(v, v->complain(&err, "cannot print"));
	targets_release(&v->targets);
	client_close(v->client);
	v->client = NULL;
	return v->worst;
}
