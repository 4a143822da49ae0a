#ifndef ORCH_STORE_PKI_H
#define ORCH_STORE_PKI_H

#include "base/buf.h"
#include "base/err.h"
#include "serve/tls.h"

#define PKI_NODE_CLIENT "kube-apiserver-kubelet-client"
#define PKI_METRICS "orch-metrics"

/*
 * The certificates of a store's data folder (GnuTLS), made at first start and kept:
 *	DIR/pki/ca.crt ca.key			the authority, 10 years, ECDSA P-256
 *	DIR/pki/server.crt server.key		for localhost, the host's name, 127.0.0.1, ::1,
 *		10.96.0.1, kubernetes.default.svc and the names asked for; renewed when a name is
 *		missing or it is about to end
 *	DIR/pki/admin.crt admin.key		CN=admin O=system:masters
 *	DIR/pki/node-client.crt node-client.key	CN=PKI_NODE_CLIENT O=system:masters, as whom the
 *		store speaks to nodes' servers (which may be kubelets, and ask who that is)
 *	DIR/pki/metrics.crt metrics.key		for the Service kube-system/PKI_METRICS:
 *orch-metrics(1) Keys are mode 0600.
 */
int pki_ensure(const char *dir, const char *const *names, struct err *err);

/*
 * As whom the store passes requests on to extension API servers (front_proxy.h), and the authority
 * by which they know it: DIR/pki/front-proxy-ca.crt and .key, front-proxy-client.crt and .key.
 */
#define PKI_FRONT "front-proxy-client"
int pki_front(const char *dir, struct err *err);

/* A client certificate signed by the CA of `dir`, PEM into *crt and *key; organizations end with
 * NULL. */
int pki_client(const char *dir, const char *common_name, const char *const *organizations,
    struct buf *crt, struct buf *key, struct err *err);

/* Write a kubeconfig (mode 0600) holding CA, client certificate and key. */
int pki_kubeconfig(
    const char *dir, const char *file, const char *server_url, const char *user, struct err *err);

/* Server credentials from DIR/pki (serve/tls.h). */
int pki_tls(struct tls **ret, const char *dir, struct err *err);

#endif
