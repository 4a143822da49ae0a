/* What has been decided about a CertificateSigningRequest, and the certificate it got. */
#include <string.h>

#include "api/rules_status.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

static const struct path *const top = NULL;

/* --- conditions ------------------------------------------------------------------------------ */

static const char *const decided[] = { "Approved", "Denied", "Failed", NULL };

static void
check_condition_status(struct causes *out, const struct path *at, const json_t *c)
{
	static const char *const yes[] = { "True", NULL };
	static const char *const any[] = { "False", "True", "Unknown", NULL };
	const char *const *allowed = text_in(text(c, "type"), decided) ? yes : any;

	if (!*text(c, "status"))
		refuse_required(out, at, "");
	else if (!text_in(text(c, "status"), allowed))
		refuse_unsupported(out, at, text(c, "status"), allowed);
}

static void
check_decisions(struct causes *out, const json_t *obj)
{
	const struct path *at = AT(AT(top, "status"), "conditions");
	bool approved = false, denied = false;
	json_auto_t *types = json_object();
	size_t i;
	json_t *c;

	json_array_foreach (get(obj, "status", "conditions"), i, c) {
		const char *type = text(c, "type");
		bool contrary =
		    (!strcmp(type, "Approved") && denied) || (!strcmp(type, "Denied") && approved);

		approved |= !strcmp(type, "Approved");
		denied |= !strcmp(type, "Denied");
		if (!*type)
			refuse_required(out, AT(ITEM(at, i), "type"), "");
		check_condition_status(out, AT(ITEM(at, i), "status"), c);
		if (contrary)
			refuse_text(
			    out, at, type, "Approved and Denied conditions are mutually exclusive");
		check_unique(out, AT(ITEM(at, i), "type"), types, type);
	}
}

/* --- the certificate ------------------------------------------------------------------------- */

/* Base64 of RFC 4648, section 4, with line ends anywhere; false when it is none. */
static bool
decode(const char *s, size_t len, struct buf *out)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned v = 0;
	int bits = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at = s[i] ? strchr(alphabet, s[i]) : NULL;

		if (s[i] == '=' || s[i] == '\n' || s[i] == '\r')
			continue;
		if (!at)
			return false;
		v = (v & 0x3f) << 6 | (unsigned)(at - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_putc(out, (char)(v >> bits & 255));
		}
	}
	return true;
}

/* A SEQUENCE (X.690) that is as long as it says; what is in it is for those who use it. */
static bool
is_sequence(const struct buf *der)
{
	const unsigned char *p = (const unsigned char *)der->data;
	size_t len, n;

	if (der->len < 2 || p[0] != 0x30)
		return false;
	if (p[1] < 0x80)
		return der->len == (size_t)p[1] + 2;
	n = p[1] & 0x7f;
	if (n == 0 || n > 4 || der->len < n + 2)
		return false;
	len = 0;
	for (size_t i = 0; i < n; i++)
		len = len << 8 | p[2 + i];
	return der->len == len + 2 + n;
}

/* The next block of RFC 7468: its label and what is between; *at moves behind it. */
static bool
next_block(const char **at, char label[static 64], const char **body, size_t *len)
{
	const char *begin = strstr(*at, "-----BEGIN "), *dashes, *end;

	if (!begin || !(dashes = strstr(begin + 11, "-----")) || dashes - begin - 11 > 63)
		return false;
	snprintf(label, 64, "%.*s", (int)(dashes - begin - 11), begin + 11);
	*body = dashes + 5;
	if (!(end = strstr(*body, "-----END ")))
		return false;
	*len = (size_t)(end - *body);
	*at = end + 9;
	return true;
}

/* Why it is no chain of certificates, NULL when it is one. */
static const char *
certificate_fault(const char *base64, char room[static 128])
{
	autobuf struct buf pem = BUF_INIT;
	const char *at, *body;
	char label[64];
	size_t blocks = 0, len;

	if (!decode(base64, strlen(base64), &pem) || pem.len == 0)
		return "must contain at least one CERTIFICATE PEM block";
	for (at = pem.data; next_block(&at, label, &body, &len); blocks++) {
		autobuf struct buf der = BUF_INIT;

		if (strcmp(label, "CERTIFICATE")) {
			snprintf(room, 128, "only CERTIFICATE PEM blocks are allowed, found \"%s\"",
			    label);
			return room;
		}
		if (memchr(body, ':', len))
			return "no PEM block headers are permitted";
		if (!decode(body, len, &der) || !is_sequence(&der))
			return "x509: malformed certificate";
	}
	return blocks ? NULL : "must contain at least one CERTIFICATE PEM block";
}

/* One that stood there already may stay. */
static void
check_certificate(struct causes *out, const json_t *obj, const json_t *old)
{
	const char *now = text(obj, "status", "certificate"), *why;
	char room[128];

	if (!*now || !strcmp(now, text(old, "status", "certificate")))
		return;
	if ((why = certificate_fault(now, room)))
		refuse_text(
		    out, AT(AT(top, "status"), "certificate"), "<certificate data>", "%s", why);
}

/* --- who may change what ------------------------------------------------------------------- */

static json_t *
of_type(const json_t *obj, const char *type)
{
	json_t *list = json_array(), *c;
	size_t i;

	json_array_foreach (get(obj, "status", "conditions"), i, c)
		if (!strcmp(text(c, "type"), type))
			json_array_append(list, c);
	return list;
}

static void
check_kept(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(AT(top, "status"), "conditions");

	for (const char *const *t = decided; *t; t++) {
		json_auto_t *now = of_type(obj, *t), *was = of_type(old, *t);

		if (json_array_size(now) < json_array_size(was))
			refuse_forbidden(
			    out, at, "updates may not remove a condition of type \"%s\"", *t);
	}
}

/* Only /approval decides. */
static void
check_undecided(struct causes *out, const json_t *obj, const json_t *old)
{
	const struct path *at = AT(AT(top, "status"), "conditions");

	for (size_t i = 0; i < 2; i++) {
		json_auto_t *now = of_type(obj, decided[i]), *was = of_type(old, decided[i]);

		if (json_array_size(now) > json_array_size(was))
			refuse_forbidden(
			    out, at, "updates may not add a condition of type \"%s\"", decided[i]);
		else if (json_array_size(now) == json_array_size(was) && !json_equal(now, was))
			refuse_forbidden(out, at,
			    "updates may not modify a condition of type \"%s\"", decided[i]);
	}
}

static void
check_issued(struct causes *out, const json_t *obj, const json_t *old, bool issues)
{
	const char *now = text(obj, "status", "certificate");
	const char *was = text(old, "status", "certificate");
	const struct path *at = AT(AT(top, "status"), "certificate");

	if (!strcmp(now, was))
		return;
	if (!issues)
		refuse_forbidden(out, at, "updates may not set certificate content");
	else if (*was)
		refuse_forbidden(out, at, "updates may not modify existing certificate content");
}

static void
check_change(struct causes *out, const json_t *obj, const json_t *old, bool decides, bool issues)
{
	check_decisions(out, obj);
	check_certificate(out, obj, old);
	check_kept(out, obj, old);
	if (!decides)
		check_undecided(out, obj, old);
	check_issued(out, obj, old, issues);
}

void
signing_request_status(struct causes *out, const json_t *obj, const json_t *old)
{
	check_change(out, obj, old, false, true);
}

void
signing_request_approval(struct causes *out, const json_t *obj, const json_t *old)
{
	check_change(out, obj, old, true, false);
}
