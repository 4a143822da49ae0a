/*
 * Certificates: who may approve and sign requests of a signer (CertificateApproval,
 * CertificateSigning), and what may not be asked for (CertificateSubjectRestriction).
 */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "store/admission.h"
#include "store/authn.h"

#define CLIENT_SIGNER "kubernetes.io/kube-apiserver-client"

static int
ask(struct admission *a, const char *verb)
{
	const char *signer = text(a->old, "spec", "signerName");

	if (user_may(&a->c->user, verb, "certificates.k8s.io", "signers"))
		return 0;
	return admission_forbid(
	    a, "user not permitted to %s requests with signerName \"%s\"", verb, signer);
}

int
certificate_approval(struct admission *a)
{
	return strcmp(a->sub, "approval") == 0 ? ask(a, "approve") : 0;
}

static bool
same(const struct admission *a, const char *key)
{
	const json_t *now = get(a->obj, "status", key), *was = get(a->old, "status", key);

	return now ? was && json_equal(now, was) : !was;
}

int
certificate_signing(struct admission *a)
{
	if (strcmp(a->sub, "status") != 0 || (same(a, "certificate") && same(a, "conditions")))
		return 0;
	return ask(a, "sign");
}

/* Is one of the subject's organizations this one? */
static bool
organized(gnutls_x509_crq_t crq, const char *group)
{
	char name[256];

	for (unsigned i = 0;; i++) {
		size_t n = sizeof name;
		int r = gnutls_x509_crq_get_dn_by_oid(
		    crq, GNUTLS_OID_X520_ORGANIZATION_NAME, i, 0, name, &n);

		if (r == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue; /* longer than the one that is looked for */
		if (r < 0)
			return false;
		if (n == strlen(group) && memcmp(name, group, n) == 0)
			return true;
	}
}

/* 1: the request's subject is in system:masters, 0: it is not, -1: it cannot be read. */
static int
asks_for_masters(const char *base64)
{
	gnutls_datum_t in = { (unsigned char *)base64, (unsigned)strlen(base64) }, pem = { 0 };
	gnutls_x509_crq_t crq;
	int r = -1;

	if (!in.size || gnutls_base64_decode2(&in, &pem) < 0)
		return -1;
	if (gnutls_x509_crq_init(&crq) < 0)
		abort();
	if (gnutls_x509_crq_import(crq, &pem, GNUTLS_X509_FMT_PEM) >= 0)
		r = organized(crq, "system:masters");
	gnutls_x509_crq_deinit(crq);
	gnutls_free(pem.data);
	return r;
}

int
certificate_subject_restriction(struct admission *a)
{
	int r;

	if (strcmp(text(a->obj, "spec", "signerName"), CLIENT_SIGNER) != 0)
		return 0;
	r = asks_for_masters(text(a->obj, "spec", "request"));
	if (r < 0)
		return admission_forbid(
		    a, "failed to parse CSR: PEM block type must be CERTIFICATE REQUEST");
	if (r > 0)
		return admission_forbid(
		    a, "use of " CLIENT_SIGNER " signer with system:masters group is not allowed");
	return 0;
}
