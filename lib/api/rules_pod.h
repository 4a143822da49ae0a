#ifndef ORCH_API_RULES_POD_H
#define ORCH_API_RULES_POD_H

#include "api/check.h"

/* The parts of a Pod's rules, for each other. */
void check_volumes(struct causes *out, const struct path *at, const json_t *volumes);
void check_containers(struct causes *out, const struct path *at, const json_t *spec);
void check_init_containers(struct causes *out, const struct path *at, const json_t *spec);
void check_field_ref(struct causes *out, const struct path *at, const json_t *ref, bool in_volume);
void check_resource_field_ref(
    struct causes *out, const struct path *at, const json_t *ref, bool in_volume);
void check_env(struct causes *out, const struct path *at, const json_t *env);
void check_env_from(struct causes *out, const struct path *at, const json_t *list);
void check_local_path(struct causes *out, const struct path *at, const char *path);
void check_seccomp(struct causes *out, const struct path *at, const json_t *profile);
void check_user_id(
    struct causes *out, const struct path *at, const json_t *context, const char *key);
void check_tolerations(struct causes *out, const struct path *at, const json_t *tolerations);
void check_affinity(struct causes *out, const struct path *at, const json_t *affinity);
void check_spread(struct causes *out, const struct path *at, const json_t *constraints);
void check_image(struct causes *out, const struct path *at, const json_t *containers);

#endif
