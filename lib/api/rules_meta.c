/* metadata: what every object must keep to (apimachinery api/validation ObjectMeta). */
#include <string.h>

#include "api/rules.h"
#include "base/mem.h"

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
	const char *controller = NULL;
	size_t i;
	json_t *ref;

	json_array_foreach (refs, i, ref) {
		check_owner(out, ITEM(at, i), ref);
		if (!truth(json_object_get(ref, "controller")))
			continue;
		if (controller)
			refuse_value(out, at, refs,
			    "Only one reference can have Controller set to true. Found \"true\" in "
			    "references for %s and %s",
			    controller, text(ref, "name"));
		controller = text(ref, "name");
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

/* What create and update share. */
static void
check_parts(struct causes *out, const struct path *at, const json_t *meta)
{
	check_labels(out, AT(at, "labels"), json_object_get(meta, "labels"));
	check_annotations(out, AT(at, "annotations"), json_object_get(meta, "annotations"));
	check_owners(out, AT(at, "ownerReferences"), json_object_get(meta, "ownerReferences"));
	check_finalizers(out, AT(at, "finalizers"), json_object_get(meta, "finalizers"));
}

void
meta_create(struct causes *out, const struct kind *k, const json_t *obj)
{
	const json_t *meta = json_object_get(obj, "metadata");
	const struct path *at = AT(NULL, "metadata");
	const char *name = meta_name(obj), *prefix = text(meta, "generateName");

	if (*prefix)
		check_prefix(out, AT(at, "generateName"), k->named, prefix);
	if (*name)
		check_name(out, AT(at, "name"), k->named, name);
	else if (!*prefix && k->verbs != VERB_CREATE) /* questions (TokenReview) have no name */
		refuse_required(out, AT(at, "name"), "name or generateName is required");
	if (*meta_namespace(obj) && !k->namespaced)
		refuse_forbidden(out, AT(at, "namespace"), "not allowed on this type");
	else if (*meta_namespace(obj))
		check_dns_label(out, AT(at, "namespace"), meta_namespace(obj));
	check_not_negative(out, at, meta, "generation");
	check_parts(out, at, meta);
}

/* Finalizers are there to hold up a deletion that has not begun. */
static void
check_new_finalizers(
    struct causes *out, const struct path *at, const json_t *now, const json_t *before)
{
	json_auto_t *known = set_of(before, NULL);
	size_t i;
	json_t *item;

	json_array_foreach (now, i, item)
		if (!json_object_get(known, str(item, "")))
			refuse_forbidden(out, at,
			    "no new finalizers can be added if the object is being deleted, found "
			    "new finalizers "
			    "[]string{\"%s\"}",
			    str(item, ""));
}

void
meta_update(struct causes *out, const struct kind *k, const json_t *obj, const json_t *old)
{
	static const char *const fixed[] = { "name", "namespace", "uid", "creationTimestamp",
		"deletionTimestamp", "deletionGracePeriodSeconds" };
	const json_t *meta = json_object_get(obj, "metadata"),
		     *before = json_object_get(old, "metadata");
	const struct path *at = AT(NULL, "metadata");

	(void)k;
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
