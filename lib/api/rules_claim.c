/* PersistentVolumeClaims, and the claims in templates and ephemeral volumes. */
#include <string.h>

#include "api/quantity.h"
#include "api/rules.h"
#include "api/shown.h"
#include "base/mem.h"

static const char class[] = "volumeAttributesClassName";

/* --- the spec --------------------------------------------------------------------------------- */

static void
check_data_source(struct causes *out, const struct path *at, const json_t *source)
{
	const char *group = text(source, "apiGroup"), *kind = text(source, "kind");

	check_required(out, at, source, "name");
	check_required(out, at, source, "kind");
	if (!*group && strcmp(kind, "PersistentVolumeClaim"))
		refuse_text(out, at, kind,
		    "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
	if (*group)
		check_dns_subdomain(out, AT(at, "apiGroup"), group);
	if (*text(source, "namespace"))
		check_dns_label(out, AT(at, "namespace"), text(source, "namespace"));
}

static bool
same_source(const json_t *source, const json_t *ref)
{
	return same_value(json_object_get(source, "apiGroup"), json_object_get(ref, "apiGroup")) &&
	       !strcmp(text(source, "kind"), text(ref, "kind")) &&
	       !strcmp(text(source, "name"), text(ref, "name"));
}

/* What a claim is filled from, told in two fields. */
static void
check_data_sources(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *source = json_object_get(spec, "dataSource");
	const json_t *ref = json_object_get(spec, "dataSourceRef");
	autofree char *field = path_print(at);

	if (source)
		check_data_source(out, AT(at, "dataSource"), source);
	if (ref)
		check_data_source(out, AT(at, "dataSourceRef"), ref);
	/* The value is a path here in Kubernetes, which prints as nothing. */
	if (ref && *text(ref, "namespace") && source)
		cause_add(out, "FieldValueInvalid", field,
		    "Invalid value: {}: may not be specified when dataSourceRef.namespace is "
		    "specified");
	else if (source && ref && !same_source(source, ref))
		cause_add(
		    out, "FieldValueInvalid", field, "Invalid value: {}: must match dataSourceRef");
}

static void
check_storage(struct causes *out, const struct path *at, const json_t *spec)
{
	const json_t *amount = get(spec, "resources", "requests", "storage");

	if (!amount)
		refuse_required(out, at, "");
	else if (quantity_milli(amount) <= 0)
		refuse_value(out, at, amount, "must be greater than zero");
}

void
check_claim_spec(struct causes *out, const struct path *at, const json_t *spec)
{
	static const char *const modes[] = { "Block", "Filesystem", NULL };

	if (json_object_get(spec, "selector"))
		check_label_selector(out, AT(at, "selector"), json_object_get(spec, "selector"));
	check_access_modes(out, AT(at, "accessModes"), json_object_get(spec, "accessModes"),
	    "at least 1 access mode is required");
	check_storage(out, KEY(AT(at, "resources"), "storage"), spec);
	if (*text(spec, "storageClassName"))
		check_dns_subdomain(
		    out, AT(at, "storageClassName"), text(spec, "storageClassName"));
	check_one_of(out, at, spec, "volumeMode", modes);
	check_data_sources(out, at, spec);
	if (*str(json_object_get(spec, class), ""))
		check_dns_subdomain(out, AT(at, class), str(json_object_get(spec, class), ""));
}

void
volume_claim_create(struct causes *out, const json_t *obj)
{
	check_claim_spec(out, AT(NULL, "spec"), json_object_get(obj, "spec"));
}

/* --- updates ---------------------------------------------------------------------------------- */

static void
set_or_delete(json_t *obj, const char *key, json_t *value)
{
	if (value)
		json_object_set(obj, key, value);
	else
		json_object_del(obj, key);
}

/* Its volume is named once, and a class for none. */
static void
set_filled(json_t *has, json_t *had)
{
	if (!*text(had, "volumeName"))
		set_or_delete(had, "volumeName", json_object_get(has, "volumeName"));
	if (!json_object_get(had, "storageClassName"))
		json_object_del(has, "storageClassName");
}

/* A bound claim may grow. */
static void
set_amount(json_t *has, const json_t *had)
{
	json_t *resources = json_object_get(has, "resources");
	json_t *requests = json_object_get(resources, "requests");
	json_t *amount = get(had, "resources", "requests", "storage");

	if (requests)
		set_or_delete(requests, "storage", amount);
}

static void
check_size(struct causes *out, const json_t *now, const json_t *before, const json_t *status)
{
	int64_t want = quantity_milli(get(now, "resources", "requests", "storage"));
	int64_t had = quantity_milli(get(before, "resources", "requests", "storage"));
	const json_t *real = get(status, "capacity", "storage");
	const struct path *at = AT(AT(AT(NULL, "spec"), "resources"), "requests");

	if (want < had && want <= (real ? quantity_milli(real) : 0))
		refuse_forbidden(
		    out, AT(at, "storage"), "field can not be less than status.capacity");
}

static void
check_class_change(
    struct causes *out, const json_t *now, const json_t *before, const json_t *status)
{
	const json_t *has = json_object_get(now, class);
	const char *had = str(json_object_get(before, class), "");

	if (*had && !has && json_object_get(status, "currentVolumeAttributesClassName"))
		refuse_forbidden(out, AT(AT(NULL, "spec"), class),
		    "update to nil is forbidden when status.currentVolumeAttributesClassName is "
		    "not nil");
	else if (*had && has && !*str(has, ""))
		refuse_forbidden(out, AT(AT(NULL, "spec"), class),
		    "update from non-nil value to an empty string is forbidden");
}

void
volume_claim_update(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char beta[] = "volume.beta.kubernetes.io/storage-class";
	const json_t *now = json_object_get(obj, "spec"), *before = json_object_get(old, "spec");
	const json_t *status = json_object_get(old, "status");
	json_auto_t *has = json_deep_copy(now), *had = json_deep_copy(before);

	check_immutable(out, AT(AT(AT(NULL, "metadata"), "annotations"), beta),
	    json_object_get(get(obj, "metadata", "annotations"), beta),
	    json_object_get(get(old, "metadata", "annotations"), beta));
	set_filled(has, had);
	if (!strcmp(text(status, "phase"), "Bound")) {
		set_amount(has, had);
		set_or_delete(has, class, json_object_get(had, class));
	}
	if (!json_equal(has, had)) {
		autofree char *diff = shown_diff("core.v1.PersistentVolumeClaimSpec", had, has);

		refuse_forbidden(out, AT(NULL, "spec"),
		    "spec is immutable after creation except resources.requests and "
		    "volumeAttributesClassName for bound claims\n%s",
		    diff);
	}
	check_size(out, now, before, status);
	check_immutable(out, AT(NULL, "volumeMode"), json_object_get(now, "volumeMode"),
	    json_object_get(before, "volumeMode"));
	check_class_change(out, now, before, status);
}
