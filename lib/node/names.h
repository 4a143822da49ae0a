#ifndef ORCH_NODE_NAMES_H
#define ORCH_NODE_NAMES_H

#include "node/host.h"

/* What a pod is called, and whom it asks for others: its hostname, /etc/hosts, /etc/resolv.conf. */
enum { HOSTNAME_TEXT = 65 }; /* what the kernel takes, and a NUL */

/* By hostnameOverride, hostname or the pod's name; the node's with its network. */
const char *pod_hostname(const struct host *h, const json_t *pod, char buf[static HOSTNAME_TEXT]);
/* "SUBDOMAIN.NAMESPACE.svc.DOMAIN", or NULL; a new string. */
char *pod_domain(const struct host *h, const json_t *pod);
/* What the kernel is told: with setHostnameAsFQDN all of it, which may be too long (INVALID). */
int pod_kernel_name(
    const struct host *h, const json_t *pod, char buf[static HOSTNAME_TEXT], struct err *err);

/* resolv.conf by dnsPolicy and dnsConfig, given that of the node.  *exceeded, a new string or NULL,
 * says what was left out because resolvers would not heed it. */
char *pod_resolver(const struct host *h, const json_t *pod, const char *of_node, char **exceeded);
char *pod_hosts(const struct host *h, const json_t *pod, const char *ip);

/* All of it, below pods/UID/etc. */
char *names_exceeded(const struct host *h, const json_t *pod); /* as pod_resolver says it */
int names_write(const struct host *h, const json_t *pod, const char *ip, struct err *err);

#endif
