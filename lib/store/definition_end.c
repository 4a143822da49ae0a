/* The end of a definition: its instances go first. */
#include <string.h>

#include "api/meta.h"
#include "store/definitions_private.h"

static void
drop_finalizer(json_t *crd)
{
	json_t *list = get(crd, "metadata", "finalizers");

	for (size_t i = json_array_size(list); i-- > 0;)
		if (strcmp(str(json_array_get(list, i), ""), DEFINITION_FINALIZER) == 0)
			json_array_remove(list, i);
	if (json_array_size(list) == 0)
		json_object_del(json_object_get(crd, "metadata"), "finalizers");
}

bool
definition_end(
    struct definitions *d, struct known *k, struct object *o, json_t *crd, struct volley *v)
{
	struct table *t = k->definition ? k->definition->custom[0].table : NULL;
	struct gathered g = t ? objects_gather(d, t) : (struct gathered){ 0 };
	char now[40];

	for (size_t i = 0; i < g.n; i++)
		volley_delete(v, t, g.object[i]);
	if (g.n)
		volley_wait(v);
	gathered_release(&g);
	if (t && cache_count(d->server->cache, t) > 0) {
		if (condition_set(crd, "Terminating", "True", "InstanceDeletionInProgress",
			"CustomResource deletion is in progress", call_now(now)))
			volley_status(v, o, crd);
		return true;
	}
	condition_set(crd, "Terminating", "False",
	    t ? "InstanceDeletionCompleted" : "NeverEstablished",
	    t ? "removed all instances" : "resource was never established", call_now(now));
	drop_finalizer(crd);
	volley_status(v, o, crd);
	return false;
}
