/* LimitRanger: what a namespace says about the size of containers, Pods and claims. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "api/resources.h"
#include "base/mem.h"
#include "store/admission.h"

#define ANNOTATION "kubernetes.io/limit-ranger"

static bool
matters(const struct admission *a)
{
	if (kind_is(a->kind, "", "Pod"))
		return a->op == OP_CREATE ? !*a->sub : strcmp(a->sub, "resize") == 0;
	return kind_is(a->kind, "", "PersistentVolumeClaim") && !*a->sub &&
	       !(a->op == OP_UPDATE && meta_deleting(a->old));
}

/* --- what containers get that say nothing --- */

/* The defaults of all items for containers, of a later one where two have them. */
static json_t *
defaults_of(const json_t *range, const char *key)
{
	json_t *all = json_object(), *limit;
	size_t i;

	json_array_foreach (get(range, "spec", "limits"), i, limit)
		if (strcmp(text(limit, "type"), "Container") == 0 && get(limit, key))
			json_object_update(all, get(limit, key));
	return all;
}

/* Adds what is missing of container.resources[which], and says so. */
static void
fill(json_t *container, const char *which, const json_t *defaults, const char *what,
    const char *kind, struct buf *said)
{
	autofree const char **names = resources_names(defaults);
	bool any = false;

	for (size_t i = 0; names[i]; i++) {
		if (get(container, "resources", which, names[i]))
			continue;
		put(container, json_incref(json_object_get(defaults, names[i])), "resources", which,
		    names[i]);
		buf_printf(said, "%s%s", any ? ", " : said->len ? "; " : "", names[i]);
		any = true;
	}
	if (any)
		buf_printf(said, " %s for %s %s", what, kind, text(container, "name"));
}

static void
fill_pod(json_t *pod, const json_t *range)
{
	static const char *const lists[][2] = { { "containers", "container" },
		{ "initContainers", "init container" } };
	json_auto_t *requests = defaults_of(range, "defaultRequest");
	json_auto_t *limits = defaults_of(range, "default");
	autobuf struct buf said = BUF_INIT;
	autofree char *text = NULL;
	json_t *c;
	size_t i;

	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (get(pod, "spec", lists[l][0]), i, c) {
			fill(c, "requests", requests, "request", lists[l][1], &said);
			fill(c, "limits", limits, "limit", lists[l][1], &said);
		}
	if (!said.len)
		return;
	text = xasprintf("LimitRanger plugin set: %s", said.data);
	put(pod, json_string(text), "metadata", "annotations", ANNOTATION);
}

int
limit_ranger_mutate(struct admission *a)
{
	json_auto_t *ranges = NULL;
	json_t *range;
	size_t i;

	if (!kind_is(a->kind, "", "Pod") || !matters(a))
		return 0;
	ranges = admission_list(a, "", "LimitRange", a->c->target.namespace);
	json_array_foreach (ranges, i, range)
		fill_pod(a->obj, range);
	return 0;
}

/* --- what is too small, too large, or too far apart --- */

/* Everything that is wrong, each sentence once. */
struct faults {
	json_t *list;
};

static void fault(struct faults *f, const char *fmt, ...) PRINTF(2, 3);

static void
fault(struct faults *f, const char *fmt, ...)
{
	autofree char *text = NULL;
	va_list ap;
	json_t *v;
	size_t i;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	json_array_foreach (f->list, i, v)
		if (strcmp(str(v, ""), text) == 0)
			return;
	json_array_append_new(f->list, json_string(text));
}

/* One item of a LimitRange against what a container, a Pod or a claim has. */
struct check {
	const json_t *limit;
	const char *type;
	const json_t *requests, *limits;
	bool claim; /* has only requests */
};

static void
check_min(struct faults *f, const struct check *c, const char *name, const json_t *bound)
{
	json_t *request = json_object_get(c->requests, name);
	json_t *limit = json_object_get(c->limits, name);
	const char *min = str(bound, "");

	if (!request)
		fault(f, "minimum %s usage per %s is %s.  No request is specified", name, c->type,
		    min);
	else if (quantity_milli(request) < quantity_milli(bound))
		fault(f, "minimum %s usage per %s is %s, but request is %s", name, c->type, min,
		    str(request, ""));
	else if (limit && quantity_milli(limit) < quantity_milli(bound))
		fault(f, "minimum %s usage per %s is %s, but limit is %s", name, c->type, min,
		    str(limit, ""));
}

static void
check_max(struct faults *f, const struct check *c, const char *name, const json_t *bound)
{
	json_t *request = json_object_get(c->requests, name);
	json_t *limit = json_object_get(c->limits, name);
	const char *max = str(bound, "");

	if (!c->claim && !limit)
		fault(
		    f, "maximum %s usage per %s is %s.  No limit is specified", name, c->type, max);
	else if (c->claim && !request)
		fault(f, "maximum %s usage per %s is %s.  No request is specified", name, c->type,
		    max);
	else if (limit && quantity_milli(limit) > quantity_milli(bound))
		fault(f, "maximum %s usage per %s is %s, but limit is %s", name, c->type, max,
		    str(limit, ""));
	else if (request && quantity_milli(request) > quantity_milli(bound))
		fault(f, "maximum %s usage per %s is %s, but request is %s", name, c->type, max,
		    str(request, ""));
}

static void
check_ratio(struct faults *f, const struct check *c, const char *name, const json_t *bound)
{
	int64_t request = quantity_milli(json_object_get(c->requests, name));
	int64_t limit = quantity_milli(json_object_get(c->limits, name));
	const char *what = !request ? "request" : !limit ? "limit" : NULL;

	if (what)
		fault(f,
		    "%s max limit to request ratio per %s is %s, but no %s is specified or %s is 0",
		    name, c->type, str(bound, ""), what, what);
	else if ((double)limit / (double)request * 1000 > (double)quantity_milli(bound))
		fault(f, "%s max limit to request ratio per %s is %s, but provided ratio is %f",
		    name, c->type, str(bound, ""), (double)limit / (double)request);
}

static void
check_all(struct faults *f, const struct check *c)
{
	static const struct {
		const char *key;
		void (*check)(
		    struct faults *f, const struct check *c, const char *name, const json_t *bound);
	} bounds[] = { { "min", check_min }, { "max", check_max },
		{ "maxLimitRequestRatio", check_ratio } };

	for (size_t b = 0; b < COUNT(bounds) - (c->claim ? 1 : 0); b++) {
		const json_t *list = get(c->limit, bounds[b].key);
		autofree const char **names = resources_names(list);

		for (size_t i = 0; names[i]; i++)
			bounds[b].check(f, c, names[i], json_object_get(list, names[i]));
	}
}

static void
check_containers(struct faults *f, const json_t *limit, const json_t *pod)
{
	static const char *const lists[] = { "containers", "initContainers" };
	json_t *container;
	size_t i;

	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (get(pod, "spec", lists[l]), i, container) {
			struct check c = { limit, "Container",
				get(container, "resources", "requests"),
				get(container, "resources", "limits"), false };

			check_all(f, &c);
		}
}

static void
check_item(struct faults *f, const json_t *limit, const struct admission *a)
{
	const char *type = text(limit, "type");
	bool pod = kind_is(a->kind, "", "Pod");

	if (pod && strcmp(type, "Container") == 0) {
		check_containers(f, limit, a->obj);
	} else if (pod && strcmp(type, "Pod") == 0) {
		json_auto_t *requests = pod_resources(a->obj, "requests", false);
		json_auto_t *limits = pod_resources(a->obj, "limits", false);
		struct check c = { limit, type, requests, limits, false };

		check_all(f, &c);
	} else if (!pod && strcmp(type, "PersistentVolumeClaim") == 0) {
		struct check c = { limit, type, get(a->obj, "spec", "resources", "requests"), NULL,
			true };

		check_all(f, &c);
	}
}

static int
refuse(struct admission *a, const struct faults *f)
{
	bool many = json_array_size(f->list) > 1;
	autobuf struct buf all = BUF_INIT;
	json_t *v;
	size_t i;

	json_array_foreach (f->list, i, v)
		buf_printf(&all, "%s%s", i ? ", " : many ? "[" : "", str(v, ""));
	if (many)
		buf_putc(&all, ']');
	return admission_forbid(a, "%s", all.data);
}

int
limit_ranger_validate(struct admission *a)
{
	json_auto_t *ranges = NULL;
	json_t *range, *limit;
	size_t i, k;

	if (!matters(a))
		return 0;
	ranges = admission_list(a, "", "LimitRange", a->c->target.namespace);
	json_array_foreach (ranges, i, range) {
		json_auto_t *list = json_array();
		struct faults f = { list };

		json_array_foreach (get(range, "spec", "limits"), k, limit)
			check_item(&f, limit, a);
		if (json_array_size(list) > 0)
			return refuse(a, &f);
	}
	return 0;
}
