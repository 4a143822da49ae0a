#ifndef ORCH_CEL_LIBRARY_H
#define ORCH_CEL_LIBRARY_H

#include "cel/cel.h"
#include "cel/function.h"

/*
 * The libraries beyond the standard definitions: tables for cel_env_library().
 */

/* cel-go's, of the versions Kubernetes turns on. */
extern const struct cel_function cel_lib_strings[], cel_lib_format[], cel_lib_sets[],
    cel_lib_slices[];
/* Of later versions, which Kubernetes has not. */
extern const struct cel_function cel_lib_strings_new[], cel_lib_format_new[], cel_lib_encoders[];
/* Kubernetes' own. */
extern const struct cel_function cel_lib_lists[], cel_lib_regex[], cel_lib_urls[];
extern const struct cel_function cel_lib_quantity[], cel_lib_address[], cel_lib_named[],
    cel_lib_semver[];
extern const struct cel_type cel_quantity_type, cel_ip_type, cel_cidr_type, cel_semver_type,
    cel_format_type;
/* What `authorizer` can do: types only, a call is an error. */
extern const struct cel_function cel_lib_authorizer[];
/* jsonpatch.escapeKey(), where patches are made. */
extern const struct cel_function cel_lib_json_patch[];

/* Everything that Kubernetes' expressions have, whatever they are for. */
void cel_env_kubernetes(struct cel_env *e);

/* A quantity out of text, or an error. */
struct cel_value cel_quantity(struct arena *a, const char *p, size_t len);
/* NULL for an absolute URL or path, else what is wrong with it. */
const char *cel_url_refused(struct arena *a, const char *p, size_t len);

/* --- for the tables ---------------------------------------------------------------- */

#define CEL_FN(name)                                                          \
	static struct cel_value name(struct arena *a __attribute__((unused)), \
	    const struct cel_value *arg __attribute__((unused)), size_t n __attribute__((unused)))
#define CEL_COST(name)                                                            \
	static uint64_t name(const struct cel_value *arg __attribute__((unused)), \
	    size_t n __attribute__((unused)), struct cel_value result __attribute__((unused)))

/* What it costs to walk through a value as a tree (Kubernetes' library/cost.go). */
uint64_t cel_cost_walk(const struct cel_value *arg, size_t n, struct cel_value result);
/* A fifth of the size of the first argument, of the result; rounded up. */
uint64_t cel_cost_twice(const struct cel_value *arg, size_t n, struct cel_value result);
uint64_t cel_cost_result(const struct cel_value *arg, size_t n, struct cel_value result);
uint64_t cel_cost_search(const struct cel_value *arg, size_t n, struct cel_value result);

#endif
