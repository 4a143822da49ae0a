/* What went wrong with a call to another server, in the words that clients of Kubernetes know. */
#include <ctype.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/outcall_private.h"

int
outcall_named(const struct outcall *o, struct err *err)
{
	autobuf struct buf method = BUF_INIT;

	buf_puts(&method, o->method);
	for (size_t i = 1; i < method.len; i++)
		method.data[i] = (char)tolower((unsigned char)method.data[i]);
	return err_wrap(err, "%s \"%.400s\"", method.data, o->url);
}

/* The host of the URL, without brackets. */
static char *
host_of(const char *url)
{
	const char *p = strstr(url, "://");
	size_t len;

	if (!p)
		return xstrdup(url);
	p += 3;
	if (*p == '[')
		return xstrndup(p + 1, strcspn(p + 1, "]"));
	len = strcspn(p, "/?#");
	if (memchr(p, ':', len))
		len = strcspn(p, ":");
	return xstrndup(p, len);
}

static int
port_of(const char *url)
{
	const char *p = strstr(url, "://"), *end, *colon;

	if (!p)
		return 0;
	end = p + 3 + strcspn(p + 3, "/?#");
	colon = memrchr(p + 3, ':', (size_t)(end - p - 3));
	if (colon && !memchr(colon, ']', (size_t)(end - colon)))
		return atoi(colon + 1);
	return text_starts(url, "https:") ? 443 : 80;
}

/* What was dialled. */
static char *
address_of(const struct transfer *t, CURL *easy)
{
	autofree char *host = host_of(t->o->url);
	const char *name = host;
	char *ip = NULL;

	if (t->o->connect)
		return xstrdup(t->o->connect);
	if (curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK && ip && *ip)
		name = ip;
	return xasprintf(strchr(name, ':') ? "[%s]:%d" : "%s:%d", name, port_of(t->o->url));
}

/* --- certificates ------------------------------------------------------------------ */

/* One name of the certificate, as text; false: it is of another sort. */
static bool
add_name(struct buf *out, unsigned type, const unsigned char *name, size_t len)
{
	if (type == GNUTLS_SAN_DNSNAME) {
		buf_printf(out, "%s%.*s", out->len ? ", " : "", (int)len, (const char *)name);
	} else if (type == GNUTLS_SAN_IPADDRESS && len == 4) {
		buf_printf(
		    out, "%s%d.%d.%d.%d", out->len ? ", " : "", name[0], name[1], name[2], name[3]);
	} else {
		return false;
	}
	return true;
}

/* The names that a certificate in PEM is for, as a message shows them. */
static void
names_of(const char *pem, struct buf *out)
{
	gnutls_datum_t text_of = { (unsigned char *)(uintptr_t)pem, (unsigned)strlen(pem) };
	unsigned char name[512];
	gnutls_x509_crt_t crt;

	if (gnutls_x509_crt_init(&crt) < 0)
		return;
	if (gnutls_x509_crt_import(crt, &text_of, GNUTLS_X509_FMT_PEM) == 0)
		for (unsigned i = 0; i < 100 && out->len < 400; i++) {
			size_t len = sizeof name;
			unsigned type;
			int r =
			    gnutls_x509_crt_get_subject_alt_name2(crt, i, name, &len, &type, NULL);

			if (r < 0)
				break;
			add_name(out, type, name, len);
		}
	gnutls_x509_crt_deinit(crt);
}

/* What the server showed, in PEM; NULL: nothing is known of it. */
static const char *
shown(CURL *easy)
{
	struct curl_certinfo *info = NULL;

	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK || !info ||
	    info->num_of_certs < 1)
		return NULL;
	for (const struct curl_slist *l = info->certinfo[0]; l; l = l->next)
		if (text_starts(l->data, "Cert:"))
			return l->data + strlen("Cert:");
	return NULL;
}

static int
wrong_name(const struct transfer *t, CURL *easy, struct err *err)
{
	static const char start[] = "tls: failed to verify certificate: x509: certificate is";
	autofree char *host = host_of(t->o->url);
	autobuf struct buf names = BUF_INIT;
	const char *pem = shown(easy);

	if (pem)
		names_of(pem, &names);
	if (names.len > 0)
		return err_set(
		    err, ERR_UNAUTHORIZED, "%s valid for %s, not %s", start, names.data, host);
	return err_set(err, ERR_UNAUTHORIZED, "%s not valid for any names, but wanted to match %s",
	    start, host);
}

static int
untrusted(const struct transfer *t, CURL *easy, struct err *err)
{
	long flags = 0;
	const char *why = "certificate signed by unknown authority";

	if (strstr(t->said, "does not match"))
		return wrong_name(t, easy, err);
	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &flags);
	if (flags & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED) ||
	    strstr(t->said, "expired") || strstr(t->said, "not activated"))
		why = "certificate has expired or is not yet valid";
	return err_set(err, ERR_UNAUTHORIZED, "tls: failed to verify certificate: x509: %s", why);
}

/* --- everything else ------------------------------------------------------------------- */

static int
not_connected(const struct transfer *t, CURL *easy, struct err *err)
{
	autofree char *address = address_of(t, easy);
	autobuf struct buf why = BUF_INIT;
	long errnum = 0;

	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &errnum);
	buf_puts(&why, errnum ? strerror((int)errnum) : "no connection");
	*why.data = (char)tolower((unsigned char)*why.data);
	return err_set(err, ERR_UNAVAILABLE, "dial tcp %s: connect: %s", address, why.data);
}

static int
cause(const struct transfer *t, CURL *easy, CURLcode code, struct err *err)
{
	autofree char *host = host_of(t->o->url);

	if (t->too_long || code == CURLE_FILESIZE_EXCEEDED)
		return err_set(err, ERR_TOO_LARGE, "the answer is longer than %zu bytes", t->most);
	switch (code) {
	case CURLE_ABORTED_BY_CALLBACK:
		return err_set(err, ERR_UNAVAILABLE, "context canceled");
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, ERR_TIMEOUT, "context deadline exceeded");
	case CURLE_COULDNT_RESOLVE_HOST:
		return err_set(err, ERR_UNAVAILABLE, "dial tcp: lookup %s: no such host", host);
	case CURLE_COULDNT_CONNECT:
		return not_connected(t, easy, err);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return untrusted(t, easy, err);
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(
		    err, ERR_UNAUTHORIZED, "unable to load root certificates: %s", t->said);
	case CURLE_UNSUPPORTED_PROTOCOL: /* an answer that is none says so, too */
		if (text_starts(t->o->url, "http"))
			return err_set(err, ERR_UNAVAILABLE, "malformed HTTP response");
		return err_set(err, ERR_BAD_REQUEST, "unsupported protocol scheme");
	case CURLE_URL_MALFORMAT:
		return err_set(
		    err, ERR_BAD_REQUEST, "%s", *t->said ? t->said : curl_easy_strerror(code));
	case CURLE_GOT_NOTHING:
		return err_set(err, ERR_UNAVAILABLE, "EOF");
	case CURLE_PARTIAL_FILE:
		return err_set(err, ERR_UNAVAILABLE, "unexpected EOF");
	default:
		return err_set(
		    err, ERR_UNAVAILABLE, "%s", *t->said ? t->said : curl_easy_strerror(code));
	}
}

int
outcall_trouble(const struct transfer *t, CURL *easy, CURLcode code, struct err *err)
{
	cause(t, easy, code, err);
	return outcall_named(t->o, err);
}
