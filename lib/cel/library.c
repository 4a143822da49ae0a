/* Which libraries Kubernetes' expressions have (apiserver's cel/environment/base.go, 1.36). */
#include "cel/library.h"

#include "base/mem.h"

void
cel_env_kubernetes(struct cel_env *e)
{
	static const struct cel_function *const libraries[] = { cel_lib_strings, cel_lib_format,
		cel_lib_lists, cel_lib_sets, cel_lib_regex, cel_lib_urls, cel_lib_quantity,
		cel_lib_address, cel_lib_named, cel_lib_semver, cel_lib_authorizer };
	static const struct cel_type *const types[] = { &cel_ip_type, &cel_cidr_type };

	for (size_t i = 0; i < COUNT(libraries); i++)
		cel_env_library(e, libraries[i]);
	for (size_t i = 0; i < COUNT(types); i++)
		cel_env_type(e, types[i]);
}
