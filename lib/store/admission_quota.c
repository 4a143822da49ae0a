/* ResourceQuota: no more than a namespace may have, counted before it is made. */
#include <stdlib.h>
#include <string.h>

#include "api/apply.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "api/quota.h"
#include "api/resources.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/admission.h"

enum { ATTEMPTS = 20 };

/* A quota that counts this object, and what the object adds to it. */
struct bill {
	json_t *quota;
	json_t *more; /* amounts that its hard names; empty: nothing */
};

/* Which writes can use more than before; Events are never counted. */
static bool
matters(const struct admission *a)
{
	if (!a->kind->namespaced || strcmp(a->kind->kind, "Event") == 0)
		return false;
	if (a->op == OP_CREATE)
		return !*a->sub;
	if (kind_is(a->kind, "", "Pod"))
		return strcmp(a->sub, "resize") == 0;
	if (kind_is(a->kind, "", "PersistentVolumeClaim"))
		return !*a->sub || strcmp(a->sub, "status") == 0;
	return kind_is(a->kind, "", "Service") && !*a->sub;
}

/* What the write adds to what was used before, without zeroes; new. */
static json_t *
difference(const struct admission *a)
{
	json_t *more = quota_usage(a->kind, a->obj, clock_now()), *v;
	const char *name;
	void *tmp;

	if (a->op == OP_UPDATE) {
		json_auto_t *was = quota_usage(a->kind, a->old, clock_now());

		resources_subtract(more, was);
	}
	json_object_foreach_safe(more, tmp, name, v) if (quantity_milli(v) == 0)
	    json_object_del(more, name);
	return more;
}

/* "a,b", sorted */
static char *
names_of(const json_t *list)
{
	autofree const char **names = resources_names(list);
	autobuf struct buf out = BUF_INIT;

	for (size_t i = 0; names[i]; i++)
		buf_printf(&out, "%s%s", i ? "," : "", names[i]);
	return buf_detach(&out);
}

static json_t *
mask(const json_t *list, const json_t *names)
{
	json_t *out = json_object(), *v;
	const char *name;

	json_object_foreach ((json_t *)names, name, v)
		if (json_object_get(list, name))
			json_object_set(out, name, json_object_get(list, name));
	return out;
}

static int
refuse_excess(struct admission *a, const json_t *quota, const json_t *more, const json_t *over)
{
	json_auto_t *asked = mask(more, over), *used = mask(get(quota, "status", "used"), over);
	json_auto_t *limit = mask(get(quota, "status", "hard"), over);
	autobuf struct buf asked_text = BUF_INIT, used_text = BUF_INIT, limit_text = BUF_INIT;

	resources_print(asked, &asked_text);
	resources_print(used, &used_text);
	resources_print(limit, &limit_text);
	return admission_forbid(a, "exceeded quota: %s, requested: %s, used: %s, limited: %s",
	    meta_name(quota), asked_text.data ? asked_text.data : "",
	    used_text.data ? used_text.data : "", limit_text.data ? limit_text.data : "");
}

/* May this much more be used?  The new sum of all into *sum, new. */
static int
check_bill(struct admission *a, const struct bill *b, json_t **sum)
{
	const json_t *hard = get(b->quota, "status", "hard");
	json_auto_t *over = json_object();
	const char *name;
	json_t *v;

	*sum = json_object();
	if (get(b->quota, "status", "used"))
		json_object_update(*sum, get(b->quota, "status", "used"));
	resources_add(*sum, b->more);
	json_object_foreach (b->more, name, v)
		if (quantity_milli(json_object_get(*sum, name)) >
		    quantity_milli(json_object_get(hard, name)))
			json_object_set_new(over, name, json_true());
	if (json_object_size(over) == 0)
		return 0;
	json_decref(*sum);
	*sum = NULL;
	return refuse_excess(a, b->quota, b->more, over);
}

/* Does a quota count this object at all?  Then its bill, or a refusal (-1). */
static int
make_bill(struct admission *a, json_t *quota, const json_t *more, struct bill *ret)
{
	const json_t *used = get(quota, "status", "used");
	json_auto_t *part = quota_part(a->kind, get(quota, "status", "hard"));
	autofree char *missing = NULL, *names = NULL;
	const char *name;
	json_t *v;

	if (json_object_size(part) == 0 || !quota_covers(quota, a->kind, a->obj))
		return 0;
	if ((missing = quota_missing(a->kind, part, a->obj)))
		return admission_forbid(a, "failed quota: %s: %s", meta_name(quota), missing);
	json_object_foreach (part, name, v)
		if (!json_object_get(used, name)) {
			names = names_of(part);
			return admission_forbid(a, "status unknown for quota: %s, resources: %s",
			    meta_name(quota), names);
		}
	*ret = (struct bill){ quota, mask(more, get(quota, "status", "hard")) };
	return 1;
}

static int
write_quota(struct call *c, struct table *t, const json_t *old, const json_t *sum, struct err *err)
{
	struct write w = { .table = t, .draft = DRAFT_INIT };
	json_auto_t *next = json_deep_copy(old);
	char now[40];
	struct apply track = { .kind = t->kind,
		.subresource = "status",
		.manager = "kube-apiserver",
		.now = call_now(now) };
	int r;

	w.expect = strtoull(meta_version(old), NULL, 10);
	put(next, json_deep_copy(sum), "status", "used");
	apply_track(&track, old, next);
	draft_encode(&w.draft, t->kind, next);
	r = commit_wait(c->server->commit, &w, err);
	write_release(&w);
	return r;
}

/* Writes the new sum down; somebody else may have done so in between. */
static int
charge(struct admission *a, struct bill *b)
{
	struct cache *cache = a->c->server->cache;
	struct table *t = cache_table(cache, kind_find("", "v1", "ResourceQuota"));
	json_auto_t *quota = json_incref(b->quota);
	struct err err;

	for (int i = 0; quota && i < ATTEMPTS; i++) {
		struct bill now = { quota, b->more };
		json_auto_t *sum = NULL;
		int r;

		if (check_bill(a, &now, &sum) < 0)
			return -1;
		if ((r = write_quota(a->c, t, quota, sum, &err)) == 0)
			return 0;
		if (r != -ERR_CONFLICT) {
			reply_error(a->c, &err);
			return -1;
		}
		json_decref(quota);
		quota = admission_get(
		    a, "", "ResourceQuota", a->c->target.namespace, meta_name(b->quota));
	}
	if (!quota) /* it is gone: nothing is bounded any more */
		return 0;
	err_set(&err, ERR_CONFLICT,
	    "Operation cannot be fulfilled on resourcequotas \"%s\": the object has been modified; "
	    "please apply your changes to the latest version and try again",
	    meta_name(b->quota));
	reply_error(a->c, &err);
	return -1;
}

/* All are asked before the first is charged. */
static int
settle(struct admission *a, struct bill *bills, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_auto_t *sum = NULL;

		if (check_bill(a, &bills[i], &sum) < 0)
			return -1;
	}
	for (size_t i = 0; i < n && !a->c->dry_run; i++)
		if (json_object_size(bills[i].more) > 0 && charge(a, &bills[i]) < 0)
			return -1;
	return 0;
}

static int
check(struct admission *a, const json_t *quotas)
{
	struct bill *bills = xcalloc(json_array_size(quotas), sizeof *bills);
	json_auto_t *more = difference(a);
	json_t *quota;
	size_t i, n = 0;
	int r = 0;

	json_array_foreach (quotas, i, quota) {
		if ((r = make_bill(a, quota, more, &bills[n])) < 0)
			break;
		n += (size_t)r;
	}
	if (r >= 0)
		r = json_object_size(more) > 0 ? settle(a, bills, n) : 0;
	for (i = 0; i < n; i++)
		json_decref(bills[i].more);
	free(bills);
	return r < 0 ? -1 : 0;
}

int
resource_quota(struct admission *a)
{
	json_auto_t *quotas = NULL;

	if (!matters(a))
		return 0;
	quotas = admission_list(a, "", "ResourceQuota", a->c->target.namespace);
	return json_array_size(quotas) > 0 ? check(a, quotas) : 0;
}
