/* From a Service to an address that can be dialled. */
#include "store/service_way.h"

#include <string.h>
#include <sys/random.h>

#include "api/meta.h"
#include "base/mem.h"

json_t *
service_object(struct server *s, const char *kind, const char *ns, const char *name)
{
	const struct kind *k = kind_find("", "v1", kind);
	struct object *o = cache_get(s->cache, cache_table(s->cache, k), ns, name);
	json_t *v = o ? object_json(o, k) : NULL;

	object_unref(o);
	return v;
}

json_t *
service_entry(const json_t *service, int port)
{
	json_t *p;
	size_t i;

	json_array_foreach (get(service, "spec", "ports"), i, p)
		if (num(get(p, "port"), 0) == port)
			return p;
	return NULL;
}

/* --- endpoints --- */

/* The slices of one Service: references, read once the walk is over. */
struct slices {
	struct filter filter;
	struct object **object;
	size_t n, cap;
};

static bool
slice_add(void *arg, struct object *o)
{
	struct slices *all = arg;

	if (filter_match(&all->filter, o)) {
		GROW(all->object, all->n, all->cap);
		all->object[all->n++] = object_ref(o);
	}
	return true;
}

static void
add_address(json_t *list, const char *address, const json_t *port)
{
	if (*address && num(port, 0) > 0)
		json_array_append_new(list,
		    json_pack("{s:s,s:I}", "address", address, "port", json_integer_value(port)));
}

/* Not said is ready: EndpointConditions. */
static void
add_slice(json_t *list, const json_t *slice, const char *name)
{
	json_t *port, *e, *a;
	size_t i, k, m;

	json_array_foreach (get(slice, "ports"), i, port) {
		if (strcmp(text(port, "name"), name) != 0)
			continue;
		json_array_foreach (get(slice, "endpoints"), k, e) {
			if (json_is_false(get(e, "conditions", "ready")))
				continue;
			json_array_foreach (get(e, "addresses"), m, a)
				add_address(list, str(a, ""), get(port, "port"));
		}
	}
}

static void
add_subsets(json_t *list, const json_t *endpoints, const char *name)
{
	json_t *subset, *port, *a;
	size_t i, k, m;

	json_array_foreach (get(endpoints, "subsets"), i, subset) {
		json_array_foreach (get(subset, "ports"), k, port) {
			if (strcmp(text(port, "name"), name) != 0)
				continue;
			json_array_foreach (get(subset, "addresses"), m, a)
				add_address(list, text(a, "ip"), get(port, "port"));
		}
	}
}

json_t *
service_endpoints(struct server *s, const char *ns, const char *name, const char *port, bool *known)
{
	const struct kind *k = kind_find("discovery.k8s.io", "v1", "EndpointSlice");
	autofree char *label = xasprintf("kubernetes.io/service-name=%s", name);
	struct slices all = { .filter.kind = k };
	struct walk w = { .table = cache_table(s->cache, k), .namespace = ns };
	json_t *list = json_array();
	uint64_t revision;
	struct err ignored;

	if (filter_parse(&all.filter, label, NULL, &ignored) == 0)
		(void)cache_walk(s->cache, &w, slice_add, &all, &revision, &ignored);
	filter_release(&all.filter);
	*known = all.n > 0;
	for (size_t i = 0; i < all.n; i++) {
		json_auto_t *slice = object_json(all.object[i], k);

		add_slice(list, slice, port);
		object_unref(all.object[i]);
	}
	free(all.object);
	if (!*known) {
		json_auto_t *old = service_object(s, "Endpoints", ns, name);

		*known = old != NULL;
		add_subsets(list, old, port);
	}
	return list;
}

/* --- the way --- */

static char *
join(const char *address, int port)
{
	bool six = strchr(address, ':') != NULL;

	return xasprintf("%s%s%s:%d", six ? "[" : "", address, six ? "]" : "", port);
}

static char *
pick(const json_t *list)
{
	unsigned chance = 0;
	const json_t *one;

	if (getrandom(&chance, sizeof chance, 0) < 0)
		chance = 0;
	one = json_array_get(list, chance % json_array_size(list));
	return join(text(one, "address"), (int)num(get(one, "port"), 0));
}

/* As Kubernetes resolves them: by endpoint where there are such, else by cluster IP. */
static int
resolve(struct server *s, const json_t *service, int port, char **address, struct err *err)
{
	const char *type = text(service, "spec", "type"), *ip = text(service, "spec", "clusterIP");
	const json_t *entry = service_entry(service, port);
	json_auto_t *list = NULL;
	bool known;

	if (strcmp(type, "ExternalName") == 0) {
		*address = join(text(service, "spec", "externalName"), port);
		return 0;
	}
	if (strcmp(type, "ClusterIP") != 0 && strcmp(type, "NodePort") != 0 &&
	    strcmp(type, "LoadBalancer") != 0)
		return err_set(err, ERR_INTERNAL, "unsupported service type \"%s\"", type);
	if (!entry)
		return err_set(err, ERR_UNAVAILABLE, "no service port %d found for service \"%s\"",
		    port, meta_name(service));
	list = service_endpoints(
	    s, meta_namespace(service), meta_name(service), text(entry, "name"), &known);
	if (json_array_size(list) > 0) {
		*address = pick(list);
		return 0;
	}
	if (known)
		return err_set(err, ERR_UNAVAILABLE, "no endpoints available for service \"%s\"",
		    meta_name(service));
	if (!*ip || strcmp(ip, "None") == 0)
		return err_set(
		    err, ERR_INTERNAL, "cannot route to service with ClusterIP \"None\"");
	*address = join(ip, port);
	return 0;
}

int
service_way(struct server *s, const char *ns, const char *name, int port, char **host,
    char **address, struct err *err)
{
	json_auto_t *service = service_object(s, "Service", ns, name);
	int r;

	if (!service)
		return err_set(err, ERR_NOT_FOUND, "service \"%s\" not found", name);
	if ((r = resolve(s, service, port > 0 ? port : 443, address, err)) == 0)
		*host = xasprintf("%s.%s.svc", name, ns);
	return r;
}
