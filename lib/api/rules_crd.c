/* CustomResourceDefinitions: names, versions, conversion, approval (apiextensions validation). */
#include <ctype.h>
#include <string.h>

#include "api/rules.h"
#include "api/rules_status.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

void
check_joined(struct causes *out, const struct path *at, const char *is, const char *prefix,
    void (*check)(struct causes *, const struct path *, const char *), const char *text)
{
	struct causes said = CAUSES_INIT;
	autobuf struct buf b = BUF_INIT, quoted = BUF_INIT;

	text_quote(&quoted, text);
	check(&said, NULL, text);
	for (size_t i = 0; i < said.n; i++) {
		const char *why = said.item[i].message;

		/* behind "Invalid value: "x": " */
		if (text_starts(why, "Invalid value: "))
			why += strlen("Invalid value: ") + quoted.len + 2;
		buf_printf(&b, "%s%s", i ? "," : "", why);
	}
	if (said.n)
		refuse_text(out, at, is, "%s%s", prefix, b.data);
	causes_release(&said);
}

void
check_kind_word(struct causes *out, const struct path *at, const char *kind)
{
	autofree char *lower = xstrdup(kind);

	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	check_joined(out, at, kind,
	    "may have mixed case, but should otherwise match: ", check_dns_1035, lower);
}

static void
check_words(struct causes *out, const struct path *at, const json_t *list)
{
	size_t i;
	json_t *word;

	json_array_foreach (list, i, word)
		check_joined(out, ITEM(at, i), str(word, ""), "", check_dns_1035, str(word, ""));
}

static void
check_names(struct causes *out, const struct path *at, const json_t *names)
{
	const char *kind = text(names, "kind"), *list = text(names, "listKind"),
		   *plural = text(names, "plural"), *singular = text(names, "singular");

	if (*plural)
		check_joined(out, AT(at, "plural"), plural, "", check_dns_1035, plural);
	if (*singular)
		check_joined(out, AT(at, "singular"), singular, "", check_dns_1035, singular);
	if (*kind)
		check_kind_word(out, AT(at, "kind"), kind);
	if (*list)
		check_kind_word(out, AT(at, "listKind"), list);
	check_words(out, AT(at, "shortNames"), json_object_get(names, "shortNames"));
	if (*kind && !strcmp(kind, list))
		refuse_text(out, AT(at, "listKind"), list, "kind and listKind may not be the same");
	check_words(out, AT(at, "categories"), json_object_get(names, "categories"));
}

static void
check_needed_names(struct causes *out, const struct path *at, const json_t *names)
{
	static const char *const needed[] = { "plural", "singular", "kind", "listKind" };

	for (size_t i = 0; i < COUNT(needed); i++)
		if (!*text(names, needed[i]))
			refuse_required(out, AT(at, needed[i]), "");
	check_names(out, at, names);
}

static void
check_group(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const scopes[] = { "Cluster", "Namespaced", NULL };
	const char *group = text(spec, "group"), *scope = text(spec, "scope");
	size_t before = out->n;

	if (!*group)
		refuse_required(out, AT(at, "group"), "");
	else
		check_joined(out, AT(at, "group"), group, "", check_dns_subdomain, group);
	if (*group && out->n == before && !strchr(group, '.'))
		refuse_text(
		    out, AT(at, "group"), group, "should be a domain with at least one dot");
	if (!*scope)
		refuse_required(out, AT(at, "scope"), "");
	else if (!text_in(scope, scopes))
		refuse_unsupported(out, AT(at, "scope"), scope, scopes);
}

/* --- versions ------------------------------------------------------------------------------- */

/* What all versions have in common counts as the definition's own, and causes say it there. */
static bool
in_common(const json_t *versions, const char *key)
{
	const json_t *first = json_object_get(json_array_get(versions, 0), key);
	size_t i;
	json_t *v;

	json_array_foreach (versions, i, v) {
		const json_t *x = json_object_get(v, key);

		if (x != first && !(x && first && json_equal(x, first)))
			return false;
	}
	return true;
}

/* Fields to select by only go where their schema goes. */
static bool
moved(const json_t *versions, const char *key)
{
	return in_common(versions, key) &&
	       (strcmp(key, "selectableFields") || in_common(versions, "schema"));
}

static const json_t *
part(const json_t *version, const char *key)
{
	const json_t *v = json_object_get(version, key);

	return json_is_null(v) || (json_is_array(v) && !json_array_size(v)) ? NULL : v;
}

/* The letters of Go's struct, in its order, with what is the definition's own left out. */
static json_t *
shown_versions(const json_t *versions)
{
	static const struct {
		const char *shown, *key;
	} parts[] = { { "Schema", "schema" }, { "Subresources", "subresources" },
		{ "AdditionalPrinterColumns", "additionalPrinterColumns" },
		{ "SelectableFields", "selectableFields" } };
	json_t *list = json_array();
	size_t i;
	json_t *v;

	json_array_foreach (versions, i, v) {
		const json_t *warning = part(v, "deprecationWarning");
		json_t *one = json_pack("{s:s, s:b, s:b, s:b, s:O?}", "Name", text(v, "name"),
		    "Served", truth(json_object_get(v, "served")), "Storage",
		    truth(json_object_get(v, "storage")), "Deprecated",
		    truth(json_object_get(v, "deprecated")), "DeprecationWarning", warning);

		if (!warning)
			json_object_set_new(one, "DeprecationWarning", json_null());
		for (size_t k = 0; k < COUNT(parts); k++) {
			const json_t *x =
			    moved(versions, parts[k].key) ? NULL : part(v, parts[k].key);

			json_object_set_new(one, parts[k].shown, crd_shown_part(parts[k].key, x));
		}
		json_array_append_new(list, one);
	}
	return list;
}

/* Was this schema accepted before, as that of the same version? */
static bool
accepted(const json_t *old, const json_t *version)
{
	size_t i;
	json_t *v;

	json_array_foreach (get(old, "spec", "versions"), i, v)
		if (!strcmp(text(v, "name"), text(version, "name")))
			return json_object_get(v, "schema") &&
			       json_equal(json_object_get(v, "schema"),
				   json_object_get(version, "schema"));
	return false;
}

static bool
has_status(const json_t *version)
{
	return get(version, "subresources", "status") != NULL;
}

static void
check_version(struct causes *out, const struct path *at, const json_t *versions,
    const json_t *version, const json_t *old)
{
	const json_t *fields = part(version, "selectableFields"),
		     *schema = get(version, "schema", "openAPIV3Schema");

	check_joined(
	    out, AT(at, "name"), text(version, "name"), "", check_dns_1035, text(version, "name"));
	check_deprecation(out, at, part(version, "deprecationWarning"),
	    truth(json_object_get(version, "deprecated")));
	if (!in_common(versions, "schema"))
		check_custom_schema(out, AT(at, "schema"), json_object_get(version, "schema"),
		    has_status(version), accepted(old, version));
	if (!in_common(versions, "subresources"))
		check_subresources(
		    out, AT(at, "subresources"), json_object_get(version, "subresources"));
	if (!in_common(versions, "additionalPrinterColumns"))
		check_columns(out, AT(at, "additionalPrinterColumns"),
		    json_object_get(version, "additionalPrinterColumns"));
	if (!fields || moved(versions, "selectableFields"))
		return;
	if (schema && !in_common(versions, "schema"))
		check_selectable(out, AT(at, "selectableFields"), fields, schema);
	else
		refuse_text(out, AT(at, "selectableFields"), "",
		    "may only be set when `version.schema.openAPIV3Schema` is not included");
}

static void
check_versions(struct causes *out, const struct path *at, const json_t *versions, const json_t *old)
{
	json_auto_t *seen = json_object(), *list = shown_versions(versions);
	size_t i, stored = 0;
	bool unique = true;
	json_t *v;

	json_array_foreach (versions, i, v)
		if (!get(v, "schema", "openAPIV3Schema"))
			refuse_required(out, AT(AT(ITEM(at, i), "schema"), "openAPIV3Schema"), "");
	json_array_foreach (versions, i, v) {
		stored += truth(json_object_get(v, "storage"));
		unique &= !repeats(seen, text(v, "name"));
		check_version(out, ITEM(at, i), versions, v, old);
	}
	if (!unique)
		refuse_value(out, at, list, "must contain unique version names");
	if (stored != 1)
		refuse_value(
		    out, at, list, "must have exactly one version marked as storage version");
}

/* What all versions have in common. */
static void
check_common(struct causes *out, const struct path *at, const json_t *versions, const json_t *old)
{
	const json_t *first = json_array_get(versions, 0);
	bool status = false;
	size_t i;
	json_t *v;

	json_array_foreach (versions, i, v)
		status |= has_status(v);
	if (in_common(versions, "schema"))
		check_custom_schema(out, AT(at, "validation"), json_object_get(first, "schema"),
		    status, accepted(old, first));
	if (in_common(versions, "subresources"))
		check_subresources(
		    out, AT(at, "subresources"), json_object_get(first, "subresources"));
	if (in_common(versions, "additionalPrinterColumns"))
		check_columns(out, AT(at, "additionalPrinterColumns"),
		    json_object_get(first, "additionalPrinterColumns"));
	if (!moved(versions, "selectableFields") || !part(first, "selectableFields"))
		return;
	if (get(first, "schema", "openAPIV3Schema"))
		check_selectable(out, AT(at, "selectableFields"),
		    json_object_get(first, "selectableFields"),
		    get(first, "schema", "openAPIV3Schema"));
	else
		refuse_text(out, AT(at, "selectableFields"), "",
		    "may only be set when validations.schema is included");
}

/* --- the whole ------------------------------------------------------------------------------ */

static void
check_spec(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(top, "spec");
	const json_t *spec = json_object_get(obj, "spec"),
		     *versions = json_object_get(spec, "versions");
	const char *first = text(json_array_get(versions, 0), "name");

	check_group(out, at, spec);
	check_versions(out, AT(at, "versions"), versions, old);
	if (*first)
		check_joined(out, AT(at, "version"), first, "", check_dns_1035, first);
	check_needed_names(out, AT(at, "names"), json_object_get(spec, "names"));
	check_common(out, at, versions, old);
	check_with_preserve(out, at, spec);
	check_conversion(out, AT(at, "conversion"), json_object_get(spec, "conversion"), old);
}

/* Every version that objects may be kept in must be one that there is. */
static void
check_stored(struct causes *out, const json_t *stored, const json_t *versions)
{
	const struct path *at = AT(AT(top, "status"), "storedVersions");
	json_auto_t *missing = json_object();
	size_t i;
	json_t *v;

	if (!json_array_size(stored)) {
		refuse_value(out, at, json_is_array(stored) ? stored : NULL,
		    "must have at least one stored version");
		return;
	}
	json_array_foreach (stored, i, v)
		json_object_set_new(missing, str(v, ""), json_true());
	json_array_foreach (versions, i, v) {
		const char *name = text(v, "name");

		if (truth(json_object_get(v, "storage")) && !json_object_get(missing, name))
			refuse_value(out, at, stored, "must have the storage version %s", name);
		json_object_del(missing, name);
	}
	json_array_foreach (stored, i, v) {
		const char *name = str(v, "");

		if (json_object_get(missing, name))
			refuse_text(out, ITEM(at, i), name,
			    "missing from spec.versions; %s was previously a storage version, and "
			    "must remain in spec.versions until a storage migration ensures no "
			    "data "
			    "remains persisted in %s and removes %s from status.storedVersions",
			    name, name, name);
		json_object_del(missing, name);
	}
}

enum approval { APPROVAL_MISSING, APPROVAL_INVALID, APPROVAL_GIVEN, APPROVAL_PASSED };

static const char *
approval_text(const json_t *obj)
{
	const char *v = meta_annotation(obj, "api-approved.kubernetes.io");

	return v ? v : "";
}

static enum approval
approval_of(const json_t *obj)
{
	const char *words = approval_text(obj), *host = strstr(words, "://");

	if (!*words)
		return APPROVAL_MISSING;
	if (text_starts(words, "unapproved"))
		return APPROVAL_PASSED;
	return host && host > words && host[3] && host[3] != '/' && !strpbrk(words, " \t\n")
		   ? APPROVAL_GIVEN
		   : APPROVAL_INVALID;
}

/* Groups that belong to Kubernetes need a word of somebody there. */
static void
check_approval(struct causes *out, const json_t *obj, const json_t *old)
{
	const char *group = text(obj, "spec", "group");
	const struct path *at =
	    KEY(AT(AT(top, "metadata"), "annotations"), "api-approved.kubernetes.io");
	enum approval now = approval_of(obj);

	if (strcmp(group, "k8s.io") && strcmp(group, "kubernetes.io") &&
	    !text_ends(group, ".k8s.io") && !text_ends(group, ".kubernetes.io"))
		return;
	if (old && approval_of(old) == now)
		return;
	if (now == APPROVAL_MISSING)
		refuse_required(out, at,
		    "protected groups must have approval annotation "
		    "\"api-approved.kubernetes.io\", "
		    "see https://github.com/kubernetes/enhancements/pull/1111");
	else if (now == APPROVAL_INVALID)
		refuse_text(out, at, approval_text(obj),
		    "protected groups must have approval annotation \"api-approved.kubernetes.io\" "
		    "with either a URL or a reason starting with \"unapproved\", see "
		    "https://github.com/kubernetes/enhancements/pull/1111");
}

static void
check_preserve(struct causes *out, const json_t *obj, const json_t *old)
{
	const json_t *preserve = get(obj, "spec", "preserveUnknownFields");

	if (truth(preserve) && !(old && truth(get(old, "spec", "preserveUnknownFields"))))
		refuse_value(out, AT(AT(top, "spec"), "preserveUnknownFields"), preserve,
		    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
		    "spec.versions[*].schema instead");
}

void
crd_create(struct causes *out, const json_t *obj)
{
	const json_t *versions = get(obj, "spec", "versions");
	autofree char *name =
	    xasprintf("%s.%s", text(obj, "spec", "names", "plural"), text(obj, "spec", "group"));
	json_auto_t *stored = NULL;
	size_t i;
	json_t *v;

	if (*meta_name(obj) && strcmp(meta_name(obj), name))
		refuse_text(out, AT(AT(top, "metadata"), "name"), meta_name(obj),
		    "must be spec.names.plural+\".\"+spec.group");
	check_spec(out, obj, NULL);
	/* what its status will begin with */
	json_array_foreach (versions, i, v)
		if (!stored && truth(json_object_get(v, "storage")))
			stored = json_pack("[s]", text(v, "name"));
	check_stored(out, stored, versions);
	check_approval(out, obj, NULL);
	check_preserve(out, obj, NULL);
}

void
crd_update(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(top, "spec");
	const json_t *spec = json_object_get(obj, "spec"), *before = json_object_get(old, "spec");

	check_spec(out, obj, old);
	if (condition_true(old, "Established")) {
		check_immutable(out, AT(at, "scope"), json_object_get(spec, "scope"),
		    json_object_get(before, "scope"));
		check_immutable(out, AT(AT(at, "names"), "kind"), get(spec, "names", "kind"),
		    get(before, "names", "kind"));
	}
	check_immutable(
	    out, AT(at, "group"), json_object_get(spec, "group"), json_object_get(before, "group"));
	check_immutable(out, AT(AT(at, "names"), "plural"), get(spec, "names", "plural"),
	    get(before, "names", "plural"));
	crd_status(out, obj, old);
	check_stored(out, get(obj, "status", "storedVersions"), json_object_get(spec, "versions"));
	check_approval(out, obj, old);
	check_preserve(out, obj, old);
}

void
crd_status(struct causes *out, const json_t *obj, const json_t *old)
{
	(void)old;
	check_names(
	    out, AT(AT(top, "status"), "acceptedNames"), get(obj, "status", "acceptedNames"));
}
