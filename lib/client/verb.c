#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "client/http.h"
#include "client/verb.h"

struct verb_options verb_options;

const struct opt verb_opts[] = {
	{ 'f', "filename", "FILE", "the objects of a file, folder or - for stdin",
	    &verb_options.files, true },
	{ 'o', "output", "FORMAT", "instead of lines the objects, in this format",
	    &verb_options.output, false },
	{ 0 },
};

const struct opt write_opts[] = {
	{ 0, "all", NULL, "all objects of the kinds, in the namespace", &verb_options.all, false },
	{ 0, "dry-run", "[MODE]", "change nothing; server (default): let it check; client",
	    &verb_options.dry, false },
	{ 0, "field-manager", "NAME", "who the server is to say has written", &verb_options.manager,
	    false },
	{ 0 },
};

static int
parse_dry(struct verb *v, struct err *err)
{
	const char *dry = verb_options.dry;

	if (dry && *dry && strcmp(dry, "server") != 0 && strcmp(dry, "client") != 0)
		return err_set(
		    err, ERR_BAD_REQUEST, "--dry-run: '%s' is neither server nor client", dry);
	v->dry = !dry ? DRY_NO : strcmp(dry, "client") == 0 ? DRY_CLIENT : DRY_SERVER;
	return 0;
}

int
verb_open(struct verb *v, int n, char *const words[], struct err *err)
{
	const struct printer_options options = { .list = PRINTER_LIST_NEVER };
	int r;

	v->output.f = stdout;
	if ((r = parse_dry(v, err)) < 0)
		return r;
	if (verb_options.output &&
	    (r = output_open(&v->output, stdout, verb_options.output, &options, err)) < 0)
		return r;
	if ((r = client_open(&v->client, err)) < 0)
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
		return err_set(err, ERR_CONFLICT,
		    "it is another one of the same name: its uid is '%s', the input's '%s'",
		    meta_uid(obj), meta_uid(s->obj));
	*ret = steal(obj);
	return 0;
}

/* --- output ------------------------------------------------------------------------------- */

int
verb_report(struct verb *v, const struct subject *s, json_t *obj, const char *what, struct err *err)
{
	autofree char *shown = target_name(s->kind, s->name);
	int r = 0;

	if (verb_options.output)
		r = output_add(&v->output, obj, err);
	else
		fprintf(v->output.f, "%s %s%s\n", shown, what, v->dry ? " (dry run)" : "");
	if (v->flush)
		v->flush();
	return r;
}

char *
verb_query(const struct verb *v)
{
	autobuf struct buf b = BUF_INIT;
	autofree char *own = xasprintf("orch-%s", v->name);

	buf_puts(&b, "");
	query_add(&b, "fieldManager", verb_options.manager ? verb_options.manager : own);
	if (v->dry == DRY_SERVER)
		query_add(&b, "dryRun", "All");
	return xstrdup(b.data + 1); /* without the '?' */
}

int
verb_close(struct verb *v)
{
	struct err err;

	if (v->output.printer && output_close(&v->output, &err) < 0)
		verb_failed(v, v->complain(&err, "cannot print"));
	targets_release(&v->targets);
	client_close(v->client);
	v->client = NULL;
	return v->worst;
}
