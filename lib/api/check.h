#ifndef ORCH_API_CHECK_H
#define ORCH_API_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/cause.h"
#include "api/meta.h"

/*
 * Checks that many kinds share, in Kubernetes' words (apimachinery validation).  What
 * has the wrong type is skipped: validate_types has reported it.
 */

/* Texts.  "" is refused with the format's message, so ask for required ones first. */
void check_dns_label(struct causes *out, const struct path *at, const char *text); /* RFC 1123 */
void check_dns_subdomain(
    struct causes *out, const struct path *at, const char *text); /* RFC 1123 */
void check_dns_1035(struct causes *out, const struct path *at, const char *text);
void check_qualified_name(
    struct causes *out, const struct path *at, const char *text); /* example.com/name */
void check_label_value(struct causes *out, const struct path *at, const char *text);
void check_path_segment(struct causes *out, const struct path *at, const char *text);
void check_domain(struct causes *out, const struct path *at, const char *text,
    unsigned least); /* of at least 2 or 3 names */
void check_prefixed_path(
    struct causes *out, const struct path *at, const char *text); /* example.com/a/b */
void check_config_key(struct causes *out, const struct path *at, const char *text);
void check_env_name(struct causes *out, const struct path *at, const char *text);
void check_port_name(struct causes *out, const struct path *at, const char *text);
void check_ip(struct causes *out, const struct path *at, const char *text);
bool ip_valid(const char *text);
void check_reachable(
    struct causes *out, const struct path *at, const char *ip); /* not loopback and the like */
void check_cidr(struct causes *out, const struct path *at, const char *text);
void check_network(
    struct causes *out, const struct path *at, const char *text); /* nothing behind the prefix */
bool cidr_valid(const char *text);
bool cidr_inside(const char *part, const char *whole); /* and smaller; both valid */
/* The bytes of an address: 32 or 128 bits of them, 0 when the text is none. */
unsigned ip_bytes(const char *text, uint8_t byte[static 16]);
/* The same of a range, and the length of its prefix. */
unsigned cidr_bytes(const char *text, uint8_t byte[static 16], unsigned *prefix);
bool semver_valid(const char *text); /* "1.2.3-rc.1+build" */
void check_wildcard(
    struct causes *out, const struct path *at, const char *text); /* *.example.com */

/* obj[key] must be there and not ""; says so otherwise. */
bool check_required(struct causes *out, const struct path *at, const json_t *obj, const char *key);
/* obj[key], when there, must be one of values. */
void check_one_of(struct causes *out, const struct path *at, const json_t *obj, const char *key,
    const char *const *values);

/*
 * Sets of words, for what must not stand twice: a json_object, so that a list of any length costs
 * one lookup an item.  "" is never in one.
 */
bool repeats(json_t *set, const char *word); /* was it in?  It is now. */
json_t *set_of(
    const json_t *list, const char *key); /* of list[*][key], or the items for NULL; new */
void check_unique(struct causes *out, const struct path *at, json_t *set, const char *word);

/* Numbers.  A missing obj[key] is fine. */
void check_not_negative(
    struct causes *out, const struct path *at, const json_t *obj, const char *key);
void check_positive(struct causes *out, const struct path *at, const json_t *obj, const char *key);
void check_between(struct causes *out, const struct path *at, const json_t *obj, const char *key,
    json_int_t min, json_int_t max);
void check_port(struct causes *out, const struct path *at, json_int_t port);
void check_port_or_name(
    struct causes *out, const struct path *at, const json_t *value); /* intstr */
/* An int, or a percentage ("25%"), which may be no more than 100% then. */
void check_count_or_percent(struct causes *out, const struct path *at, const json_t *value);
void check_not_over_all(struct causes *out, const struct path *at, const json_t *value);

/* Parts of many objects. */
void check_labels(struct causes *out, const struct path *at, const json_t *labels);
void check_annotations(struct causes *out, const struct path *at, const json_t *annotations);
void check_label_selector(struct causes *out, const struct path *at, const json_t *selector);
void check_immutable(
    struct causes *out, const struct path *at, const json_t *now, const json_t *before);

/* What a Pod template needs, beyond its labels: checked in validate_pod.c. */
void check_pod_spec(struct causes *out, const struct path *at, const json_t *spec);
void check_template_metadata(struct causes *out, const struct path *at, const json_t *pod_template);
void check_pod_template(struct causes *out, const struct path *at, const json_t *pod_template);

/* Are they the same value?  Missing, null and empty are not told apart. */
bool same_value(const json_t *a, const json_t *b);

#endif
