#ifndef ORCH_API_WARN_H
#define ORCH_API_WARN_H

#include "api/cause.h"

/*
 * What a server tells the client about an object that is valid and may still not be meant:
 * deprecated labels and volumes, an environment variable that hides another, an address in an odd
 * form.  Each is a cause with its whole text as the message: "spec.x: deprecated in v1.11".
 */
void warn_create(const struct kind *k, const json_t *obj, struct causes *out);
/* sub: the subresource that is written, "" for the object itself. */
void warn_update(const struct kind *k, const char *sub, const json_t *obj, const json_t *old,
    struct causes *out);

/* --- the parts, for each other --- */
void warn_field(struct causes *out, const struct path *at, const char *fmt, ...) PRINTF(3, 4);
/* The same without a field. */
#define warn_plain(out, ...) cause_add(out, "", "", __VA_ARGS__)

/* warn_address.c: forms of addresses and ranges that a later release will refuse. */
void warn_ip(struct causes *out, const struct path *at, const char *text);
void warn_cidr(struct causes *out, const struct path *at, const char *text);

/* warn_pod.c; at: where "spec" and "metadata" are, NULL for a Pod itself. */
void warn_pod(struct causes *out, const struct path *at, const json_t *pod);
/* warn_container.c: containers of a spec; their ports. */
void warn_containers(struct causes *out, const struct path *at, const json_t *pod);
void warn_ports(struct causes *out, const struct path *at, const json_t *spec);

/* warn_node.c: labels of nodes that are no more. */
const char *label_deprecated(const char *key); /* how, or NULL */
/* A NodeSelectorTerm; `values`: are its values looked at too? */
void warn_term(struct causes *out, const struct path *at, const json_t *term, bool values);
void warn_selector(struct causes *out, const struct path *at, const json_t *selector);

/* warn_network.c */
void warn_service(struct causes *out, const json_t *obj);
void warn_endpoints(struct causes *out, const json_t *obj);
void warn_slice(struct causes *out, const json_t *obj);
void warn_new_slice(struct causes *out, const json_t *obj);
void warn_ingress(struct causes *out, const json_t *obj);
void warn_network_policy(struct causes *out, const json_t *obj);
void warn_status(const struct kind *k, const json_t *obj, struct causes *out);

/* warn_crd.c; old: NULL for a new one. */
void warn_definition(struct causes *out, const json_t *obj, const json_t *old);
void warn_custom(struct causes *out, const json_t *obj, const json_t *old);

/* Quantities of bytes with a fraction, of resources[name]. */
void warn_fraction(
    struct causes *out, const struct path *at, const json_t *resources, const char *name);
void warn_claim_spec(struct causes *out, const struct path *at, const json_t *spec);

#endif
