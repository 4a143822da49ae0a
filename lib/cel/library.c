/* Which libraries Kubernetes' expressions have (apiserver's cel/environment/base.go, 1.36). */
#include "cel/library.h"

#include "base/mem.h"
#include "cel/env.h"

static void
add_all(struct cel_env *e)
{
	static const struct cel_function *const libraries[] = { cel_lib_strings, cel_lib_format,
		cel_lib_lists, cel_lib_sets, cel_lib_slices, cel_lib_regex, cel_lib_urls,
		cel_lib_quantity, cel_lib_address, cel_lib_named, cel_lib_semver,
		cel_lib_authorizer };
	static const struct cel_type *const types[] = { &cel_ip_type, &cel_cidr_type };

	for (size_t i = 0; i < COUNT(libraries); i++)
		cel_env_library(e, libraries[i]);
	for (size_t i = 0; i < COUNT(types); i++)
		cel_env_type(e, types[i]);
}

static void
fill(struct cel_env *e)
{
	cel_env_standard(e);
	add_all(e);
}

void
cel_env_kubernetes(struct cel_env *e)
{
	static _Atomic(struct cel_env *) shared;

	if (e->nsets || e->ntypes)
		add_all(e); /* it has functions of its own by now */
	else
		e->base = cel_env_shared(&shared, fill);
}
