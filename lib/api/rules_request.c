/* CertificateSigningRequest (Kubernetes: pkg/apis/certificates/validation). */
#include <string.h>

#include "api/rules.h"
#include "base/mem.h"

static const struct path *const top = NULL;

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
		refuse_required(out, at, "");
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

static void
check_labels_of(struct causes *out, const struct path *at, const char *part,
    void (*check)(struct causes *out, const struct path *at, const char *text))
{
	for (const char *p = part;; p++) {
		autofree char *label = xstrndup(p, strcspn(p, "."));
		struct causes wrong = CAUSES_INIT;

		check(&wrong, NULL, label);
		for (size_t i = 0; i < wrong.n; i++) {
			const char *why = strstr(wrong.item[i].message, "\": ");

			refuse_text(out, at, part, "validating label \"%s\": %s", label,
			    why ? why + 3 : wrong.item[i].message);
		}
		p += strlen(label);
		if (wrong.n || !*p) {
			causes_release(&wrong);
			return;
		}
		causes_release(&wrong);
	}
}

static void
check_signer(struct causes *out, const struct path *at, const char *name)
{
	const char *slash = strchr(name, '/');
	autofree char *domain = xstrndup(name, strcspn(name, "/"));

	if (!strcmp(name, "kubernetes.io/legacy-unknown")) {
		refuse_text(
		    out, at, name, "the legacy signerName is not allowed via this API version");
		return;
	}
	if (!*name) {
		refuse_required(out, at, "");
		return;
	}
	if (!slash || strchr(slash + 1, '/')) {
		refuse_text(out, at, name,
		    "must be a fully qualified domain and path of the form "
		    "'example.com/signer-name'");
		return;
	}
	if (strlen(domain) > 253)
		refuse_too_long(out, at, 253);
	check_labels_of(out, at, domain, check_dns_label);
	if (!strchr(domain, '.'))
		refuse_text(out, at, domain,
		    "should be a domain with at least two segments separated by dots");
	check_labels_of(out, at, slash + 1, check_dns_subdomain);
	if (strlen(name) > 253 + 1 + 253 + 1 + 63)
		refuse_too_long(out, at, 253 + 1 + 253 + 1 + 63);
}

void
signing_request_create(struct causes *out, const json_t *obj)
{
	/* "-----BEGIN CERTIFICATE REQUEST" in base64, without the last bits. */
	static const char begin[] = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNU";
	const json_t *spec = json_object_get(obj, "spec");
	const json_t *seconds = json_object_get(spec, "expirationSeconds");
	const struct path *at = AT(top, "spec");

	if (strncmp(text(spec, "request"), begin, sizeof begin - 1))
		refuse_text(out, AT(at, "request"), text(spec, "request"),
		    "PEM block type must be CERTIFICATE REQUEST");
	check_usages(out, AT(at, "usages"), json_object_get(spec, "usages"));
	check_signer(out, AT(at, "signerName"), text(spec, "signerName"));
	if (seconds && num(seconds, 600) < 600)
		refuse_value(out, AT(at, "expirationSeconds"), seconds,
		    "may not specify a duration less than 600 seconds (10 minutes)");
}
