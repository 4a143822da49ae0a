/*
 * Writes through subresources that are about a part of the object: what such a write does not
 * touch is as it was before, and what it leaves to the server is filled in (Kubernetes: the
 * strategies' PrepareForUpdate).
 */
#include <string.h>

#include "api/apply.h"
#include "api/meta.h"
#include "base/mem.h"
#include "store/call.h"

static void
keep(json_t *obj, const json_t *old, const char *key)
{
	json_t *v = json_object_get(old, key);

	if (v)
		json_object_set(obj, key, v);
	else
		json_object_del(obj, key);
}

enum part
call_part(const struct call *c)
{
	if (!*c->target.sub)
		return PART_MAIN;
	return strcmp(c->target.sub, "status") == 0 ? PART_STATUS : PART_OTHER;
}

/* All that a client could have changed. */
static void
keep_metadata(const json_t *old, json_t *obj)
{
	static const char *const all[] = { "labels", "annotations", "finalizers",
		"ownerReferences" };

	for (size_t i = 0; i < COUNT(all); i++)
		keep(json_object_get(obj, "metadata"), json_object_get(old, "metadata"), all[i]);
}

/* --- /status of every kind ------------------------------------------------------------------ */

/* Only status and some metadata count: everything else is as it was. */
static void
keep_all_but_status(const struct kind *k, const json_t *old, json_t *obj)
{
	json_t *meta = json_object_get(obj, "metadata"), *was = json_object_get(old, "metadata");
	const char *key;
	json_t *v;
	void *tmp;

	json_object_foreach_safe(
	    obj, tmp, key, v) if (strcmp(key, "metadata") != 0 && strcmp(key, "status") != 0)
	    json_object_del(obj, key);
	json_object_foreach ((json_t *)old, key, v)
		if (strcmp(key, "metadata") != 0 && strcmp(key, "status") != 0)
			json_object_set(obj, key, v);
	/* of a definition nobody owns metadata by its status, but they are written */
	if (status_keeps_metadata(k) &&
	    !kind_is(k, "apiextensions.k8s.io", "CustomResourceDefinition"))
		keep_metadata(old, obj);
	if (kind_strategy(k) & STATUS_KEEPS_LABELS)
		keep(meta, was, "labels");
	if (kind_is(k, "", "Pod"))
		keep(meta, was, "ownerReferences");
}

/* podIP is the first of podIPs; where both are given and differ, it counts. */
static void
align_addresses(json_t *status)
{
	const char *one = text(status, "podIP");
	json_t *all = json_object_get(status, "podIPs");
	const char *first = text(json_array_get(all, 0), "ip");

	if (*one && strcmp(one, first) != 0)
		json_object_set_new(status, "podIPs", json_pack("[{s:s}]", "ip", one));
	else if (!*one && *first)
		json_object_set_new(status, "podIP", json_string(first));
}

/* --- Pod ------------------------------------------------------------------------------------ */

/* The i-th condition of this type. */
static json_t *
condition_at(const json_t *status, const char *type, size_t n)
{
	size_t i;
	json_t *c;

	json_array_foreach (json_object_get(status, "conditions"), i, c)
		if (strcmp(text(c, "type"), type) == 0 && n-- == 0)
			return c;
	return NULL;
}

/* Who does not know observedGeneration does not clear it. */
static void
keep_generations(const json_t *was, json_t *status)
{
	json_t *list = json_object_get(status, "conditions"), *c;
	size_t i;

	if (num(json_object_get(status, "observedGeneration"), 0) == 0)
		keep(status, was, "observedGeneration");
	json_array_foreach (list, i, c) {
		size_t before = 0;
		json_t *same;

		for (size_t j = 0; j < i; j++)
			before +=
			    strcmp(text(json_array_get(list, j), "type"), text(c, "type")) == 0;
		same = condition_at(was, text(c, "type"), before);
		if (same && num(json_object_get(c, "observedGeneration"), 0) == 0)
			keep(c, same, "observedGeneration");
	}
}

static void
take_pod_status(const json_t *old, json_t *obj)
{
	json_t *status = json_object_get(obj, "status");

	if (!*text(status, "qosClass"))
		keep(status, json_object_get(old, "status"), "qosClass");
	keep_generations(json_object_get(old, "status"), status);
}

/* Nothing but the spec of a Pod, and of it what `take` copies over, may change. */
static void
keep_pod(const json_t *old, json_t *obj)
{
	keep_metadata(old, obj);
	keep(obj, old, "status");
	json_object_set_new(obj, "spec", json_deep_copy(json_object_get(old, "spec")));
}

static void
take_ephemeral(const json_t *old, json_t *obj)
{
	json_auto_t *asked = json_incref(get(obj, "spec", "ephemeralContainers"));

	keep_pod(old, obj);
	if (asked)
		put(obj, json_incref(asked), "spec", "ephemeralContainers");
	else
		json_object_del(json_object_get(obj, "spec"), "ephemeralContainers");
}

/* The same containers in the same order? */
static bool
same_names(const json_t *a, const json_t *b)
{
	size_t i;
	json_t *c;

	json_array_foreach (a, i, c)
		if (strcmp(text(c, "name"), text(json_array_get(b, i), "name")) != 0)
			return false;
	return json_array_size(a) == json_array_size(b);
}

/* Other containers are left as they are asked for, so that the rules refuse them. */
static void
resize_list(json_t *obj, const json_t *asked, const char *list)
{
	json_t *containers = get(obj, "spec", list), *c, *want = json_object_get(asked, list);
	size_t i;

	if (!same_names(want, containers)) {
		put(obj, want ? json_incref(want) : json_array(), "spec", list);
		return;
	}
	json_array_foreach (containers, i, c) {
		keep(c, json_array_get(want, i), "resources");
		keep(c, json_array_get(want, i), "resizePolicy");
	}
}

static void
take_resize(const json_t *old, json_t *obj)
{
	json_auto_t *asked = json_incref(json_object_get(obj, "spec"));

	keep_pod(old, obj);
	keep(json_object_get(obj, "spec"), asked, "resources");
	resize_list(obj, asked, "containers");
	if (json_object_get(asked, "initContainers") || get(old, "spec", "initContainers"))
		resize_list(obj, asked, "initContainers");
}

/* --- CertificateSigningRequest --------------------------------------------------------------- */

/* A condition that was as it is has its time; a new one has changed now. */
static void
stamp_conditions(const json_t *old, json_t *obj)
{
	char now[40];
	size_t i;
	json_t *c;

	call_now(now);
	json_array_foreach (get(obj, "status", "conditions"), i, c) {
		const json_t *same =
		    condition_at(json_object_get(old, "status"), text(c, "type"), 0);
		const char *when = text(same, "lastTransitionTime");

		if (!*text(c, "lastUpdateTime"))
			json_object_set_new(c, "lastUpdateTime", json_string(now));
		if (*text(c, "lastTransitionTime"))
			continue;
		if (!*when || strcmp(text(same, "status"), text(c, "status")) != 0)
			when = now;
		json_object_set_new(c, "lastTransitionTime", json_string(when));
	}
}

static void
take_approval(const json_t *old, json_t *obj)
{
	json_t *status = json_object_get(obj, "status");

	keep(obj, old, "spec");
	if (!status)
		json_object_set_new(obj, "status", status = json_object());
	keep(status, json_object_get(old, "status"), "certificate");
	stamp_conditions(old, obj);
}

/* --- PersistentVolume ------------------------------------------------------------------------ */

static void
take_volume_status(const json_t *old, json_t *obj)
{
	static const char key[] = "lastPhaseTransitionTime";
	json_t *status = json_object_get(obj, "status");
	const char *said = text(status, key);
	char now[40];

	if (strcmp(text(status, "phase"), text(old, "status", "phase")) != 0 &&
	    (!*said || strcmp(said, text(get(old, "status"), key)) == 0))
		json_object_set_new(status, key, json_string(call_now(now)));
}

/* --- which ----------------------------------------------------------------------------------- */

static const struct {
	const char *group, *kind, *sub;
	void (*take)(const json_t *old, json_t *obj);
} parts[] = {
	{ "", "PersistentVolume", "status", take_volume_status },
	{ "", "Pod", "ephemeralcontainers", take_ephemeral },
	{ "", "Pod", "resize", take_resize },
	{ "", "Pod", "status", take_pod_status },
	{ "certificates.k8s.io", "CertificateSigningRequest", "approval", take_approval },
	{ "certificates.k8s.io", "CertificateSigningRequest", "status", stamp_conditions },
};

void
part_enter(const struct call *c, const json_t *old, json_t *obj)
{
	if (call_part(c) != PART_STATUS)
		return;
	keep_all_but_status(c->kind, old, obj);
	if (kind_is(c->kind, "", "Pod"))
		align_addresses(json_object_get(obj, "status"));
}

void
part_take(const struct call *c, const json_t *old, json_t *obj)
{
	for (size_t i = 0; i < COUNT(parts); i++)
		if (kind_is(c->kind, parts[i].group, parts[i].kind) &&
		    strcmp(c->target.sub, parts[i].sub) == 0)
			parts[i].take(old, obj);
}
