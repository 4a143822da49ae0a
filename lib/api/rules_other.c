/* Events, certificate requests, devices, admission policies. */
#include <string.h>

#include "api/rules.h"
#include "base/mem.h"

static const struct path *const top = NULL;

/* --- Event ------------------------------------------------------------------------- */

/* An Event lives where its object lives; about what has no namespace, in "default". */
static void
check_event_namespace(struct causes *out, const json_t *obj, const char *field)
{
	const char *about = text(obj, field, "namespace"), *ns = meta_namespace(obj);

	if (*ns && strcmp(about, ns) && (*about || strcmp(ns, "default")))
		refuse_text(out, AT(AT(top, "involvedObject"), "namespace"), about,
		    "does not match event.namespace");
}

void
event_create(struct causes *out, const json_t *obj)
{
	check_event_namespace(out, obj, "involvedObject");
}

static void
check_short(struct causes *out, const char *name, const char *value, size_t max)
{
	if (strlen(value) > max)
		refuse_text(out, AT(top, name), "", "can have at most %zu characters", max);
}

/* The newer API asks for more. */
void
event_v1_create(struct causes *out, const json_t *obj)
{
	static const char *const required[] = { "reportingInstance", "action", "reason" };
	static const char *const types[] = { "Normal", "Warning", NULL };
	const json_t *when = json_object_get(obj, "eventTime");
	const char *controller = text(obj, "reportingController");

	check_event_namespace(out, obj, "regarding");
	if (!when || json_is_null(when))
		refuse_required(out, AT(top, "eventTime"), "");
	if (!*controller)
		refuse_required(out, AT(top, "reportingController"), "");
	check_qualified_name(out, AT(top, "reportingController"), controller);
	for (size_t i = 0; i < COUNT(required); i++) {
		const char *value = str(json_object_get(obj, required[i]), "");

		if (!*value)
			refuse_required(out, AT(top, required[i]), "");
		check_short(out, required[i], value, 128);
	}
	/* The field has its old name here, as in Kubernetes. */
	check_short(out, "message", text(obj, "note"), 1024);
	if (strcmp(text(obj, "type"), "Normal") && strcmp(text(obj, "type"), "Warning"))
		refuse_unsupported(out, AT(top, "type"), text(obj, "type"), types);
}

/* --- CertificateSigningRequest ----------------------------------------------------------- */

static void
check_usages(struct causes *out, const struct path *at, const json_t *usages)
{
	static const char *const known[] = { "any", "cert sign", "client auth", "code signing",
		"content commitment", "crl sign", "data encipherment", "decipher only",
		"digital signature", "email protection", "encipher only", "ipsec end system",
		"ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc",
		"netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping",
		NULL };
	json_auto_t *seen = json_object();
	size_t i;
	json_t *usage;

	if (!json_array_size(usages))
		refuse_required(out, at, "usages must be provided");
	json_array_foreach (usages, i, usage) {
		bool found = false;

		for (const char *const *k = known; *k; k++)
			found |= !strcmp(str(usage, ""), *k);
		if (!found)
			refuse_unsupported(out, ITEM(at, i), str(usage, ""), known);
	}
	json_array_foreach (usages, i, usage)
		check_unique(out, ITEM(at, i), seen, str(usage, ""));
}

void
signing_request_create(struct causes *out, const json_t *obj)
{
	/* "-----BEGIN CERTIFICATE REQUEST" in base64, without the last bits. */
	static const char begin[] = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNU";
	const json_t *spec = json_object_get(obj, "spec");
	const char *signer = text(spec, "signerName"), *slash = strchr(signer, '/');
	const json_t *seconds = json_object_get(spec, "expirationSeconds");
	const struct path *at = AT(top, "spec");

	if (strncmp(text(spec, "request"), begin, sizeof begin - 1))
		refuse_text(out, AT(at, "request"), text(spec, "request"),
		    "PEM block type must be CERTIFICATE REQUEST");
	check_usages(out, AT(at, "usages"), json_object_get(spec, "usages"));
	if (!*signer)
		refuse_required(out, AT(at, "signerName"), "");
	else if (!slash || slash == signer || !slash[1] ||
		 !memchr(signer, '.', (size_t)(slash - signer)))
		refuse_text(out, AT(at, "signerName"), signer,
		    "must be a fully qualified domain and path of the form "
		    "'example.com/signer-name'");
	if (seconds && num(seconds, 600) < 600)
		refuse_value(out, AT(at, "expirationSeconds"), seconds,
		    "may not specify a duration less than 600 seconds (10 minutes)");
}

/* --- devices ------------------------------------------------------------------------------- */

static void
check_device_requests(struct causes *out, const struct path *at, const json_t *requests)
{
	json_auto_t *names = json_object();
	size_t i;
	json_t *r;

	json_array_foreach (requests, i, r) {
		const struct path *here = ITEM(at, i);
		const json_t *exactly = json_object_get(r, "exactly");

		check_dns_label(out, AT(here, "name"), text(r, "name"));
		if (!exactly == !json_array_size(json_object_get(r, "firstAvailable")))
			refuse_required(
			    out, here, "exactly one of `exactly` or `firstAvailable` is required");
		else if (exactly)
			check_required(out, AT(here, "exactly"), exactly, "deviceClassName");
	}
	json_array_foreach (requests, i, r)
		check_unique(out, ITEM(at, i), names, text(r, "name"));
}

void
resource_claim_create(struct causes *out, const json_t *obj)
{
	check_device_requests(out, AT(AT(AT(top, "spec"), "devices"), "requests"),
	    get(obj, "spec", "devices", "requests"));
}

void
resource_claim_update(struct causes *out, const json_t *obj, const json_t *old)
{
	check_immutable(
	    out, AT(top, "spec"), json_object_get(obj, "spec"), json_object_get(old, "spec"));
}

void
claim_template_create(struct causes *out, const json_t *obj)
{
	check_device_requests(out, AT(AT(AT(AT(top, "spec"), "spec"), "devices"), "requests"),
	    get(obj, "spec", "spec", "devices", "requests"));
}

void
resource_slice_create(struct causes *out, const json_t *obj)
{
	const json_t *devices = get(obj, "spec", "devices");
	const struct path *at = AT(AT(top, "spec"), "devices");
	json_auto_t *names = json_object();
	size_t i;
	json_t *d;

	json_array_foreach (devices, i, d)
		check_dns_label(out, AT(ITEM(at, i), "name"), text(d, "name"));
	json_array_foreach (devices, i, d)
		check_unique(out, ITEM(at, i), names, text(d, "name"));
}

/* --- admission policies ------------------------------------------------------------------------
 */

void
validating_policy_create(struct causes *out, const json_t *obj)
{
	const json_t *spec = json_object_get(obj, "spec"),
		     *params = json_object_get(spec, "paramKind");
	const json_t *notes = json_object_get(spec, "auditAnnotations");
	const char *version = text(params, "apiVersion"), *slash = strchr(version, '/');
	const struct path *at = AT(top, "spec");
	json_auto_t *keys = json_object();
	size_t i;
	json_t *note;

	if (!json_object_get(spec, "matchConstraints"))
		refuse_required(out, AT(at, "matchConstraints"), "");
	if (params) {
		if (!*version)
			refuse_required(out, AT(AT(at, "paramKind"), "apiVersion"), "");
		else if (slash && strchr(slash + 1, '/'))
			refuse_text(out, AT(AT(at, "paramKind"), "apiVersion"), version,
			    "unexpected GroupVersion string: %s", version);
		check_required(out, AT(at, "paramKind"), params, "kind");
	}
	json_array_foreach (notes, i, note) {
		const struct path *here = ITEM(AT(at, "auditAnnotations"), i);

		if (!*text(note, "valueExpression"))
			refuse_required(
			    out, AT(here, "valueExpression"), "valueExpression is not specified");
		check_unique(out, AT(here, "key"), keys, text(note, "key"));
	}
}
