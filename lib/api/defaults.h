#ifndef ORCH_API_DEFAULTS_H
#define ORCH_API_DEFAULTS_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Between defaults.c and its rules.  A rule fills in one struct, in place.  It may find
 * anything in there, also values of the wrong type, which it leaves alone.
 */
typedef void default_rule(json_t *value);

default_rule *default_rule_of(const char *type); /* "core.v1.Container"; NULL for none */

void default_to(
    json_t *obj, const char *key, json_t *value); /* takes value; only when key is unset */
json_t *default_object(
    json_t *obj, const char *key); /* obj[key], made when unset; NULL when no object */

void default_copy(json_t *obj, const char *key, const json_t *value); /* when field_empty */

bool field_is(const json_t *obj, const char *key, const char *want);
bool field_unset(const json_t *obj, const char *key); /* missing or null */
bool field_empty(const json_t *obj, const char *key); /* or a list or object without anything */

/* defaults_pod.c */
default_rule defaults_of_pod, defaults_of_pod_spec, defaults_of_container, defaults_of_volume;

#endif
