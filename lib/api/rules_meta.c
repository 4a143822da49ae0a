/* metadata: what every object must keep to (apimachinery api/validation ObjectMeta). */
#include <stdlib.h>
#include <string.h>

#include "api/rules.h"
#include "api/shown.h"
#include "base/mem.h"
#include "base/text.h"

static void
check_name(struct causes *out, const struct path *at, enum name_form form, const char *name)
{
	static void (*const checks[])(struct causes *, const struct path *, const char *) = {
		[NAME_SUBDOMAIN] = check_dns_subdomain,
		[NAME_LABEL] = check_dns_label,
		[NAME_DNS1035] = check_dns_1035,
		[NAME_PATH] = check_path_segment,
		[NAME_IP] = check_ip,
	};

	checks[form](out, at, name);
}

/* The beginning of a name may end in '-': as if the rest was there already. */
static void
check_prefix(struct causes *out, const struct path *at, enum name_form form, const char *prefix)
{
	autofree char *name = xstrdup(prefix);
	size_t n = strlen(name), before = out->n;

	if (n > 1 && name[n - 1] == '-')
		name[n - 1] = 'a';
	check_name(out, at, form, name);
	if (out->n > before && strcmp(name, prefix)) {
		causes_truncate(out, before);
		check_name(out, at, form, prefix);
	}
}

static void
check_owner(struct causes *out, const struct path *at, const json_t *ref)
{
	static const char *const keys[] = { "kind", "name", "uid" };
	const char *version = text(ref, "apiVersion"), *slash = strchr(version, '/');

	if (!*(slash ? slash + 1 : version))
		refuse_text(out, AT(at, "apiVersion"), version, "version must not be empty");
	for (size_t i = 0; i < COUNT(keys); i++)
		if (!*str(json_object_get(ref, keys[i]), ""))
			refuse_text(out, AT(at, keys[i]), "", "must not be empty");
	if (!strcmp(version, "v1") && !strcmp(text(ref, "kind"), "Event"))
		refuse_value(out, at, ref, "/v1, Kind=Event is disallowed from being an owner");
}

static void
check_owners(struct causes *out, const struct path *at, const json_t *refs)
{
	autofree char *controller = NULL;
	size_t i;
	json_t *ref;

	json_array_foreach (refs, i, ref) {
		autofree char *name = xasprintf("%s/%s", text(ref, "kind"), text(ref, "name"));

		check_owner(out, ITEM(at, i), ref);
		if (!truth(json_object_get(ref, "controller")))
			continue;
		if (controller)
			refuse_shown(out, at, "[]meta.v1.OwnerReference", refs,
			    "Only one reference can have Controller set to true. Found \"true\" in "
			    "references for %s and %s",
			    controller, name);
		else
			controller = steal(name);
	}
}

static void
check_finalizers(struct causes *out, const struct path *at, const json_t *finalizers)
{
	bool orphan = false, foreground = false;
	size_t i;
	json_t *item;

	json_array_foreach (finalizers, i, item) {
		check_qualified_name(out, at, str(item, ""));
		orphan |= !strcmp(str(item, ""), "orphan");
		foreground |= !strcmp(str(item, ""), "foregroundDeletion");
	}
	if (orphan && foreground)
		refuse_value(out, at, finalizers,
		    "finalizer orphan and foregroundDeletion cannot be both set");
}

/* What both questions have in common. */
static void
check_parts(struct causes *out, const struct path *at, const json_t *meta)
{
	check_labels(out, AT(at, "labels"), json_object_get(meta, "labels"));
	check_annotations(out, AT(at, "annotations"), json_object_get(meta, "annotations"));
	check_owners(out, AT(at, "ownerReferences"), json_object_get(meta, "ownerReferences"));
}

/* A word without a domain must be one of Kubernetes' own.  Most kinds ask for this too. */
static void
check_own_finalizers(struct causes *out, const struct path *at, const json_t *finalizers)
{
	static const char *const own[] = { "kubernetes", "orphan", "foregroundDeletion", NULL };
	size_t i;
	json_t *item;

	json_array_foreach (finalizers, i, item)
		if (!strchr(str(item, ""), '/') && !text_in(str(item, ""), own))
			refuse_value(out, ITEM(at, i), item,
			    "name is neither a standard finalizer name nor is it fully qualified");
}

/* Kinds that came with the newer machinery take any finalizer, and so do custom ones. */
static bool
any_finalizer(const struct kind *k)
{
	static const char *const groups[] = { "admissionregistration.k8s.io",
		"apiextensions.k8s.io", "apiregistration.k8s.io", "coordination.k8s.io", NULL };

	return k->custom || text_in(k->group, groups);
}

static void
check_meta(struct causes *out, const struct kind *k, const json_t *obj, enum name_form form)
{
	const json_t *meta = json_object_get(obj, "metadata");
	const struct path *at = AT(NULL, "metadata");
	const char *name = meta_name(obj), *prefix = text(meta, "generateName");

	if (*prefix)
		check_prefix(out, AT(at, "generateName"), form, prefix);
	if (*name)
		check_name(out, AT(at, "name"), form, name);
	else if (!*prefix && k->verbs != VERB_CREATE) /* questions (TokenReview) have no name */
		refuse_required(out, AT(at, "name"), "name or generateName is required");
	if (*meta_namespace(obj) && !k->namespaced)
		refuse_forbidden(out, AT(at, "namespace"), "not allowed on this type");
	else if (*meta_namespace(obj))
		check_dns_label(out, AT(at, "namespace"), meta_namespace(obj));
	check_not_negative(out, at, meta, "generation");
	check_parts(out, at, meta);
	check_finalizers(out, AT(at, "finalizers"), json_object_get(meta, "finalizers"));
}

void
meta_embedded(struct causes *out, const struct path *at, const json_t *meta)
{
	const char *name = str(json_object_get(meta, "name"), ""),
		   *prefix = str(json_object_get(meta, "generateName"), ""),
		   *namespace = str(json_object_get(meta, "namespace"), "");

	if (*prefix)
		check_prefix(out, AT(at, "generateName"), NAME_PATH, prefix);
	if (*name)
		check_name(out, AT(at, "name"), NAME_PATH, name);
	if (*namespace)
		check_dns_label(out, AT(at, "namespace"), namespace);
	check_parts(out, at, meta);
	check_finalizers(out, AT(at, "finalizers"), json_object_get(meta, "finalizers"));
}

void
meta_create(struct causes *out, const struct kind *k, const json_t *obj)
{
	check_meta(out, k, obj, k->named);
	if (!any_finalizer(k))
		check_own_finalizers(out, AT(AT(NULL, "metadata"), "finalizers"),
		    get(obj, "metadata", "finalizers"));
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Finalizers are there to hold up a deletion that has not begun. */
static void
check_new_finalizers(
    struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	json_auto_t *known = set_of(before, NULL);
	const char **added = xcalloc(json_array_size(now) + 1, sizeof *added);
	autobuf struct buf list = BUF_INIT;
	size_t i, n = 0;
	json_t *item;

	json_array_foreach (now, i, item)
		if (!repeats(known, str(item, "")))
			added[n++] = str(item, "");
	qsort(added, n, sizeof *added, by_text);
	for (i = 0; i < n; i++) {
		buf_puts(&list, i ? ", " : "");
		text_quote(&list, added[i]);
	}
	free(added);
	if (n)
		refuse_forbidden(out, at,
		    "no new finalizers can be added if the object is being deleted, found new "
		    "finalizers []string{%s}",
		    list.data);
}

static void
check_change(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const fixed[] = { "name", "namespace", "uid", "creationTimestamp",
		"deletionTimestamp", "deletionGracePeriodSeconds" };
	const json_t *meta = json_object_get(obj, "metadata"),
		     *before = json_object_get(old, "metadata");
	const struct path *at = AT(NULL, "metadata");

	if (meta_deleting(old))
		check_new_finalizers(out, AT(at, "finalizers"), json_object_get(meta, "finalizers"),
		    json_object_get(before, "finalizers"));
	if (meta_generation(obj) && meta_generation(obj) < meta_generation(old))
		refuse_number(
		    out, AT(at, "generation"), meta_generation(obj), "must not be decremented");
	for (size_t i = 0; i < COUNT(fixed); i++)
		if (json_object_get(meta, fixed[i]))
			check_immutable(out, AT(at, fixed[i]), json_object_get(meta, fixed[i]),
			    json_object_get(before, fixed[i]));
	check_parts(out, at, meta);
}

void
meta_update(struct causes *out, const struct kind *k, const json_t *obj, const json_t *old)
{
	check_change(out, obj, old);
	if (!any_finalizer(k))
		check_own_finalizers(out, AT(AT(NULL, "metadata"), "finalizers"),
		    get(obj, "metadata", "finalizers"));
}

void
meta_common(struct causes *out, const struct kind *k, const json_t *obj, const json_t *old)
{
	check_meta(out, k, obj, NAME_PATH);
	check_change(out, obj, old);
}
