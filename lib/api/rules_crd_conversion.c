/* CustomResourceDefinitions: how objects get from one version to another. */
#include <string.h>

#include "api/rules.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"

/* --- authorities ------------------------------------------------------------------------------ */

/* Is it DER of one SEQUENCE, as a certificate is? */
static bool
is_sequence(const unsigned char *p, size_t len)
{
	size_t n = len > 1 ? p[1] & 0x7f : 0, body = 0;

	if (len < 2 || p[0] != 0x30)
		return false;
	if (!(p[1] & 0x80))
		return n + 2 == len;
	if (n == 0 || n > 4 || len < 2 + n)
		return false;
	for (size_t i = 0; i < n; i++)
		body = body << 8 | p[2 + i];
	return body + 2 + n == len;
}

/* The next block of PEM (RFC 7468) behind *text; false: there is none.  label: "CERTIFICATE". */
static bool
next_block(const char **text, char label[static 64], unsigned char **der, size_t *len)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ";
	const char *at = strstr(*text, begin), *body, *stop;
	autofree char *base64 = NULL;
	size_t n;

	if (!at)
		return false;
	at += strlen(begin);
	body = strstr(at, "-----");
	stop = body ? strstr(body, end) : NULL;
	if (!stop || (n = (size_t)(body - at)) >= 64)
		return false;
	memcpy(label, at, n);
	label[n] = '\0';
	body += strlen("-----");
	base64 = xstrndup(body, (size_t)(stop - body));
	*der = bytes_decode(base64, len);
	*text = stop + strlen(end);
	return true;
}

/* What is wrong with a bundle that has not one certificate; NULL: it has. */
static const char *
authorities_fault(const char *pem)
{
	const char *why = NULL;
	char label[64];
	size_t len = 0;

	for (unsigned char *der; next_block(&pem, label, &der, &len); free(der)) {
		bool good = der && is_sequence(der, len);

		if (strcmp(label, "CERTIFICATE") != 0)
			continue;
		if (good) {
			free(der);
			return NULL;
		}
		why = "failed to parse certificate: x509: malformed certificate";
	}
	return why ? why : "unable to parse bytes as PEM block";
}

/* Of bytes in base64; NULL: nothing is wrong, or there are none. */
static const char *
bundle_fault(const json_t *bundle)
{
	size_t len = 0;
	autofree unsigned char *bytes = bytes_decode(str(bundle, ""), &len);
	autofree char *pem = bytes ? xstrndup((const char *)bytes, len) : NULL;

	return pem && *pem ? authorities_fault(pem) : NULL;
}

/* A bundle is looked at only once the definition is served, and when the one before was good. */
static bool
passes_authorities(const json_t *old)
{
	return !old || !condition_true(old, "Established") ||
	       bundle_fault(get(old, "spec", "conversion", "webhook", "clientConfig", "caBundle"));
}

/* Bytes as Go shows them. */
static void
check_authorities(struct causes *out, const struct path *at, const json_t *bundle)
{
	const char *why = bundle_fault(bundle);
	autofree char *field = path_print(at);
	autobuf struct buf shown = BUF_INIT;
	autofree unsigned char *bytes = NULL;
	size_t len;

	if (!why)
		return;
	bytes = bytes_decode(str(bundle, ""), &len);
	for (size_t i = 0; i < len; i++)
		buf_printf(&shown, "%s0x%x", i ? ", " : "", bytes[i]);
	cause_add(out, "FieldValueInvalid", field,
	    "Invalid value: []byte{%s}: unable to load root certificates: %s", shown.data, why);
}

/* --- the webhook ------------------------------------------------------------------------------ */

/* A definition that names no version that we know may go on so. */
static bool
recognizes(const json_t *old)
{
	const json_t *versions =
	    get(old, "spec", "conversion", "webhook", "conversionReviewVersions");
	size_t i;
	json_t *v;

	json_array_foreach (versions, i, v)
		if (!strcmp(str(v, ""), "v1") || !strcmp(str(v, ""), "v1beta1"))
			return true;
	return json_array_size(versions) == 0;
}

static void
check_review_versions(
    struct causes *out, const struct path *at, const json_t *versions, bool recognized)
{
	json_auto_t *seen = json_object();
	bool known = false;
	size_t i;
	json_t *v;

	if (!json_array_size(versions)) {
		refuse_required(out, at, "");
		return;
	}
	json_array_foreach (versions, i, v) {
		if (repeats(seen, str(v, ""))) {
			refuse_value(out, ITEM(at, i), v, "duplicate version");
			continue;
		}
		check_dns_1035(out, ITEM(at, i), str(v, ""));
		known |= !strcmp(str(v, ""), "v1") || !strcmp(str(v, ""), "v1beta1");
	}
	if (!known && recognized)
		refuse_value(out, at, versions, "must include at least one of v1, v1beta1");
}

void
check_conversion(
    struct causes *out, const struct path *at, const json_t *conversion, const json_t *old)
{
	static const char *const strategies[] = { "None", "Webhook", NULL };
	const char *strategy = text(conversion, "strategy");
	const json_t *webhook = json_object_get(conversion, "webhook"),
		     *client = json_object_get(webhook, "clientConfig"),
		     *versions = json_object_get(webhook, "conversionReviewVersions");
	const struct path *here = AT(at, "webhookClientConfig"),
			  *reviews = AT(at, "conversionReviewVersions");

	if (!json_is_object(conversion))
		return;
	if (!*strategy)
		refuse_required(out, AT(at, "strategy"), "");
	else if (!text_in(strategy, strategies))
		refuse_unsupported(out, AT(at, "strategy"), strategy, strategies);
	if (strcmp(strategy, "Webhook")) {
		if (client)
			refuse_forbidden(
			    out, here, "should not be set when strategy is not set to Webhook");
		if (json_array_size(versions))
			refuse_forbidden(
			    out, reviews, "should not be set when strategy is not set to Webhook");
		return;
	}
	if (client) {
		check_webhook_client(out, here, client);
		if (!passes_authorities(old))
			check_authorities(
			    out, AT(here, "caBundle"), json_object_get(client, "caBundle"));
	} else {
		refuse_required(out, here, "required when strategy is set to Webhook");
	}
	check_review_versions(out, reviews, versions, recognizes(old));
}
