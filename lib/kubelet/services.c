/* The Services of the cluster, as far as environments tell of them.  There may be thousands, and a
 * node needs those of a few namespaces: what is told of one is kept as text until it is asked for.
 */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "kubelet/kubelet_private.h"
#include "kubelet/manifests.h"

json_t *
object_identity(const json_t *obj)
{
	json_t *kind = get(obj, "kind"), *version = get(obj, "apiVersion");

	return json_pack("{s:O?, s:O?, s:{s:s, s:s, s:s, s:s}}", "apiVersion", version, "kind",
	    kind, "metadata", "name", meta_name(obj), "namespace", meta_namespace(obj), "uid",
	    meta_uid(obj), "resourceVersion", meta_version(obj));
}

json_t *
services_keep(const json_t *service)
{
	static const char *const kept[] = { "name", "port", "protocol" };
	const char *ip = text(service, "spec", "clusterIP");
	json_t *less = object_identity(service), *port;
	json_auto_t *spec = NULL;
	autofree char *said = NULL;
	size_t i;

	if (!*ip || strcmp(ip, "None") == 0) /* nothing is told of it */
		return less;
	spec = json_pack("{s:s, s:[]}", "clusterIP", ip, "ports");
	json_array_foreach (get(service, "spec", "ports"), i, port) {
		json_t *one = json_object();

		for (size_t k = 0; k < COUNT(kept); k++)
			if (get(port, kept[k]))
				json_object_set(one, kept[k], get(port, kept[k]));
		json_array_append_new(get(spec, "ports"), one);
	}
	said = json_dumps(spec, JSON_COMPACT);
	json_object_set_new(less, "spec", json_string(said));
	return less;
}

/* As it is when it is not kept. */
static void
add(json_t *list, const json_t *kept)
{
	json_t *service = json_copy((json_t *)kept);
	json_t *spec = json_loads(str(get(kept, "spec"), "{}"), 0, NULL);

	json_object_set_new(service, "spec", spec ? spec : json_object());
	json_array_append_new(list, service);
}

/* Only static pods do not wait for the server. */
json_t *
services_list(void *arg, const json_t *pod)
{
	struct kubelet *k = arg;
	const char *ns = meta_namespace(pod);
	const char *source = text(pod, "metadata", "annotations", STATIC_SOURCE);
	const json_t *master, *one;
	struct walk walk;
	json_t *list;

	if ((!k->joined || !cache_synced(k->cache)) && (!*source || strcmp(source, "api") == 0))
		return NULL;
	list = json_array();
	if (!k->joined)
		return list;
	master = world_get(cache_world(k->cache), "Service", "default", "kubernetes");
	if (master && strcmp(ns, "default") != 0)
		add(list, master);
	walk = world_each(cache_world(k->cache), "Service", ns);
	while ((one = walk_next(&walk)))
		add(list, one);
	return list;
}
