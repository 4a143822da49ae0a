/* The chain of admission plugins: which there are, which are on, and how they refuse. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/admission.h"

/*
 * ServiceAccount is the one plugin of Kubernetes' default set that is off here until it is asked
 * for: it needs the loop that makes a "default" account in each namespace, and a store may well run
 * without any loop.
 */
static struct plugin {
	const char *name;
	bool on;
	unsigned ops;
	const char *group, *kind; /* NULL: any kind */
	int (*mutate)(struct admission *a);
	int (*validate)(struct admission *a);
} plugins[] = {
	{ "NamespaceLifecycle", true, OP_CREATE, NULL, NULL, admit_namespace, NULL },
};

static bool
concerns(const struct plugin *p, const struct admission *a)
{
	return p->on && (p->ops & a->op) && (!p->kind || kind_is(a->kind, p->group, p->kind));
}

int
admission_mutate(struct call *c, enum operation op, const json_t *old, json_t *obj)
{
	struct admission a = { c, op, c->kind, c->target.sub, old, obj };

	for (size_t i = 0; i < COUNT(plugins); i++)
		if (plugins[i].mutate && concerns(&plugins[i], &a) && plugins[i].mutate(&a) < 0)
			return -1;
	return 0;
}

int
admission_validate(struct call *c, enum operation op, const json_t *old, json_t *obj)
{
	struct admission a = { c, op, c->kind, c->target.sub, old, obj };

	for (size_t i = 0; i < COUNT(plugins); i++)
		if (plugins[i].validate && concerns(&plugins[i], &a) && plugins[i].validate(&a) < 0)
			return -1;
	return 0;
}

static struct plugin *
find(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(plugins); i++)
		if (strlen(plugins[i].name) == len && memcmp(plugins[i].name, name, len) == 0)
			return &plugins[i];
	return NULL;
}

static int
choose(const struct list *lists, bool on, struct err *err)
{
	for (size_t i = 0; i < lists->n; i++) {
		for (const char *p = lists->item[i]; *p;) {
			size_t len = strcspn(p, ",");
			struct plugin *plugin = find(p, len);

			if (!plugin)
				return err_set(err, ERR_BAD_REQUEST,
				    "cannot %s admission plugin '%.*s': there is none of that name",
				    on ? "enable" : "disable", (int)len, p);
			plugin->on = on;
			p += len + (p[len] == ',');
		}
	}
	return 0;
}

int
admission_choose(const struct list *enable, const struct list *disable, struct err *err)
{
	int r = choose(enable, true, err);

	return r < 0 ? r : choose(disable, false, err);
}

int
admission_forbid(struct admission *a, const char *fmt, ...)
{
	const char *name = meta_name(a->obj);
	json_t *d = json_pack("{s:s}", "kind", a->kind->plural);
	autofree char *why = NULL, *msg = NULL;
	char resource[128];
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&why, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (*name)
		json_object_set_new(d, "name", json_string(name));
	if (*a->kind->group)
		json_object_set_new(d, "group", json_string(a->kind->group));
	msg = xasprintf("%s \"%s\" is forbidden: %s", call_resource(a->c, resource), name, why);
	reply_status(a->c, 403, "Forbidden", msg, d);
	return -1;
}
