#ifndef ORCH_API_RULES_POD_H
#define ORCH_API_RULES_POD_H

#include "api/check.h"

/* The parts of a Pod's rules, for each other. */

/* What the rules of one container ask of the Pod around it. */
struct pod_scope {
	const json_t *spec;
	const json_t *volumes; /* name -> volume, without those that are wrong themselves */
	const json_t *claims;  /* a set of the names in resourceClaims */
	bool whole;	       /* a Pod, not a template */
};

/* rules_pod.c */
void check_pod_annotations(
    struct causes *out, const struct path *at, const json_t *meta, const json_t *spec);

/* rules_volume.c: returns such a map of the good ones, new; pod_name "" for a template */
json_t *check_volumes(
    struct causes *out, const struct path *at, const json_t *volumes, const char *pod_name);
/* Of the metadata of an object to be made only labels and annotations count. */
void check_made_metadata(struct causes *out, const struct path *at, const json_t *meta);
/* rules_volume_source.c: the sources that Pods and PersistentVolumes share.  False: no such one. */
bool check_volume_source(struct causes *out, const struct path *at, const char *name,
    const json_t *source, bool persistent);
void check_driver_name(struct causes *out, const struct path *at, const char *name);
/* must have no '..'; and must be relative; and must not begin with '..' */
void check_no_backsteps(struct causes *out, const struct path *at, const char *path);
void check_local_path(struct causes *out, const struct path *at, const char *path);
void check_own_path(struct causes *out, const struct path *at, const char *path);

/* rules_container.c */
void check_containers(struct causes *out, const struct path *at, const struct pod_scope *pod);
void check_init_containers(struct causes *out, const struct path *at, const struct pod_scope *pod);
void check_ephemeral_containers(
    struct causes *out, const struct path *at, const struct pod_scope *pod);
void check_images(struct causes *out, const struct path *at, const json_t *containers);
/* Every container of every sort with its path: each(ctx, path, container). */
void each_container(const struct path *at, const json_t *spec,
    void (*each)(void *ctx, const struct path *at, const json_t *container), void *ctx);

/* rules_mount.c */
void check_mounts(struct causes *out, const struct path *at, const json_t *container,
    const struct pod_scope *pod);
void check_devices(struct causes *out, const struct path *at, const json_t *container,
    const struct pod_scope *pod);

/* rules_probe.c */
void check_probes(struct causes *out, const struct path *at, const json_t *container,
    const struct pod_scope *pod);

/* rules_env.c */
void check_field_ref(struct causes *out, const struct path *at, const json_t *ref, bool in_volume);
void check_resource_field_ref(
    struct causes *out, const struct path *at, const json_t *ref, bool in_volume);
void check_env(struct causes *out, const struct path *at, const json_t *env);
void check_env_from(struct causes *out, const struct path *at, const json_t *list);

/* rules_security.c */
void check_pod_security(struct causes *out, const struct path *at, const json_t *spec);
void check_container_security(
    struct causes *out, const struct path *at, const json_t *context, const struct pod_scope *pod);
/* What an annotation says of seccomp and AppArmor, and what the fields say, must agree. */
void check_security_annotations(
    struct causes *out, const struct path *at, const json_t *meta, const json_t *spec);
void check_profiles_agree(
    struct causes *out, const struct path *at, const json_t *meta, const json_t *spec);
void check_system(struct causes *out, const struct path *at, const json_t *spec); /* os */

/* rules_scheduling.c */
void check_tolerations(struct causes *out, const struct path *at, const json_t *tolerations);
void check_affinity(struct causes *out, const struct path *at, const json_t *affinity);
void check_spread(struct causes *out, const struct path *at, const json_t *constraints);
void check_taint_value(struct causes *out, const struct path *at, const char *value);
void check_node_selector(struct causes *out, const struct path *at, const json_t *selector);

/* rules_resources.c */
enum resource_use { RESOURCES_OF_CONTAINER, RESOURCES_OF_POD };
void check_resources(struct causes *out, const struct path *at, const json_t *resources,
    enum resource_use use, const json_t *claims);
void check_pod_resources(struct causes *out, const struct path *at, const struct pod_scope *pod);
void check_resource_name(struct causes *out, const struct path *at, const char *name);
void check_container_resource_name(struct causes *out, const struct path *at, const char *name);
bool resource_may_overcommit(const char *name);
bool resource_is_extended(const char *name); /* a device of its maker: example.com/gpu */
/* An amount is not negative, and whole if the resource is counted. */
void check_amount(
    struct causes *out, const struct path *at, const char *resource, const json_t *amount);

#endif
