/* Resources: their names, and how much of them containers and Pods may ask for. */
#include <stdlib.h>
#include <string.h>

#include "api/label.h"
#include "api/quantity.h"
#include "api/rules_pod.h"
#include "base/mem.h"
#include "base/text.h"

/* Amounts are in their canonical form by now. */
static const char *
amount_text(const json_t *amount)
{
	return str(amount, "0");
}

static bool
huge(const char *resource)
{
	return !strncmp(resource, "hugepages-", 10);
}

/* Kubernetes' own names have no domain, or its. */
static bool
native(const char *name)
{
	return !strchr(name, '/') || strstr(name, "kubernetes.io/");
}

bool
resource_is_extended(const char *name)
{
	autofree char *in_quota = xasprintf("requests.%s", name);
	autofree char *refused = NULL;

	if (native(name) || !strncmp(name, "requests.", 9))
		return false;
	refused = label_key_refused(in_quota);
	return !refused;
}

/* Devices and huge pages cannot be shared: nobody may use more than was asked for. */
bool
resource_may_overcommit(const char *name)
{
	return native(name) && !huge(name);
}

static bool
standard(const char *name)
{
	static const char *const names[] = { "configmaps", "cpu", "ephemeral-storage", "limits.cpu",
		"limits.ephemeral-storage", "limits.memory", "memory", "persistentvolumeclaims",
		"pods", "replicationcontrollers", "requests.cpu", "requests.ephemeral-storage",
		"requests.memory", "requests.storage", "resourcequotas", "secrets", "services",
		"services.loadbalancers", "services.nodeports", "storage", NULL };

	return text_in(name, names) || huge(name) || !strncmp(name, "requests.hugepages-", 19);
}

void
check_resource_name(struct causes *out, const struct path *at, const char *name)
{
	size_t before = out->n;

	check_qualified_name(out, at, name);
	if (out->n == before && !strchr(name, '/') && !standard(name))
		refuse_text(out, at, name, "must be a standard resource type or fully qualified");
}

void
check_container_resource_name(struct causes *out, const struct path *at, const char *name)
{
	static const char *const names[] = { "cpu", "ephemeral-storage", "memory", NULL };

	check_resource_name(out, at, name);
	if (!strchr(name, '/')) {
		if (!text_in(name, names) && !huge(name))
			refuse_text(out, at, name, "must be a standard resource for containers");
	} else if (!native(name) && !resource_is_extended(name)) {
		refuse_text(out, at, name, "doesn't follow extended resource name standard");
	}
}

static void
check_pod_resource_name(struct causes *out, const struct path *at, const char *name)
{
	static const char *const supported[] = { "cpu", "hugepages-", "memory", NULL };
	size_t before = out->n;

	check_resource_name(out, at, name);
	if (out->n == before && strcmp(name, "cpu") && strcmp(name, "memory") && !huge(name))
		refuse_unsupported(out, at, name, supported);
}

static bool
counted(const char *name)
{
	static const char *const names[] = { "configmaps", "persistentvolumeclaims", "pods",
		"replicationcontrollers", "resourcequotas", "secrets", "services",
		"services.loadbalancers", "services.nodeports", NULL };

	return text_in(name, names) || resource_is_extended(name);
}

void
check_amount(struct causes *out, const struct path *at, const char *resource, const json_t *amount)
{
	if (quantity_milli(amount) < 0)
		refuse_value(out, at, amount, "must be greater than or equal to 0");
	if (counted(resource) && quantity_milli(amount) % 1000)
		refuse_value(out, at, amount, "must be an integer");
}

/* Huge pages come in whole pages. */
static void
check_pages(struct causes *out, const struct path *at, const char *name, const json_t *amount)
{
	int64_t page, have = quantity_value(amount);
	struct err err;
	enum quantity_format format;

	if (!huge(name) || quantity_parse(name + 10, &page, &format, &err) < 0 || page < 1000)
		return;
	if (have <= 0 ? have < 0 : have % (page / 1000))
		refuse_value(out, at, amount, "%s is not positive integer multiple of %s",
		    amount_text(amount), name);
}

static void
check_amounts(
    struct causes *out, const struct path *at, const json_t *amounts, enum resource_use use)
{
	const char *name;
	json_t *v;

	json_object_foreach ((json_t *)amounts, name, v) {
		if (use == RESOURCES_OF_POD)
			check_pod_resource_name(out, KEY(at, name), name);
		else
			check_container_resource_name(out, KEY(at, name), name);
		check_amount(out, KEY(at, name), name, v);
		check_pages(out, KEY(at, name), name, v);
	}
}

static void
check_request(struct causes *out, const struct path *at, const char *name, const json_t *request,
    const json_t *limits)
{
	const json_t *limit = json_object_get(limits, name);
	int64_t want = quantity_milli(request), most = quantity_milli(limit);

	if (!limit && !resource_may_overcommit(name))
		refuse_required(
		    out, AT(at, "limits"), "Limit must be set for non overcommitable resources");
	else if (limit && want != most && !resource_may_overcommit(name))
		refuse_value(out, AT(at, "requests"), request, "must be equal to %s limit of %s",
		    name, amount_text(limit));
	else if (limit && want > most)
		refuse_value(out, AT(at, "requests"), request,
		    "must be less than or equal to %s limit of %s", name, amount_text(limit));
}

/* "must be one of the names ...", with the names in order. */
static void
refuse_unknown_claim(
    struct causes *out, const struct path *at, const char *name, const json_t *claims)
{
	json_auto_t *sorted = json_object_size(claims) ? sorted_copy(claims) : NULL;
	autobuf struct buf b = BUF_INIT;
	autofree char *field = path_print(at);
	const char *key;
	size_t n = 0;
	json_t *v;

	text_quote(&b, name);
	buf_puts(&b, ": must be one of the names in pod.spec.resourceClaims");
	buf_puts(&b, sorted ? ": " : " which is empty");
	json_object_foreach (sorted, key, v)
		buf_printf(&b, "%s%s", n++ ? ", " : "", key);
	cause_add(out, "FieldValueNotFound", field, "Not found: %s", b.data);
}

/* Has some request of this claim been named, when the whole is? */
static bool
part_named(const json_t *names, const char *claim)
{
	size_t n = strlen(claim);
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)names, key, v)
		if (!strncmp(key, claim, n) && key[n] == '/')
			return true;
	return false;
}

static void
check_claim(struct causes *out, const struct path *at, const json_t *claim, json_t *names,
    const json_t *claims)
{
	const char *name = text(claim, "name"), *request = text(claim, "request");
	autofree char *key = xasprintf("%s%s%s", name, *request ? "/" : "", request);

	if (!*name) {
		refuse_required(out, at, "");
		return;
	}
	if (json_object_get(names, name)) {
		refuse_duplicate(out, at, name);
	} else {
		if (*request)
			check_dns_label(out, AT(at, "request"), request);
		if (json_object_get(names, key))
			refuse_duplicate(out, at, key);
		else if (!*request && part_named(names, name))
			refuse_duplicate(out, at, name);
		json_object_set_new(names, key, json_true());
	}
	if (!json_object_get(claims, name))
		refuse_unknown_claim(out, at, name, claims);
}

void
check_resources(struct causes *out, const struct path *at, const json_t *resources,
    enum resource_use use, const json_t *claims)
{
	const json_t *limits = json_object_get(resources, "limits");
	const json_t *requests = json_object_get(resources, "requests");
	json_auto_t *names = NULL;
	bool pages = false, rest = false;
	const char *name;
	size_t i;
	json_t *v;

	check_amounts(out, AT(at, "limits"), limits, use);
	check_amounts(out, AT(at, "requests"), requests, use);
	json_object_foreach ((json_t *)requests, name, v) {
		check_request(out, at, name, v, limits);
		pages |= huge(name);
		rest |= !strcmp(name, "cpu") || !strcmp(name, "memory");
	}
	json_object_foreach ((json_t *)limits, name, v) {
		pages |= huge(name);
		rest |= !strcmp(name, "cpu") || !strcmp(name, "memory");
	}
	if (pages && !rest)
		refuse_forbidden(out, at, "HugePages require cpu or memory");
	json_array_foreach (json_object_get(resources, "claims"), i, v) {
		names = names ? names : json_object();
		check_claim(out, ITEM(AT(at, "claims"), i), v, names, claims);
	}
}

/* --- a Pod as a whole -------------------------------------------------------------------- */

static bool
pod_level(const char *name)
{
	return !strcmp(name, "cpu") || !strcmp(name, "memory") || huge(name);
}

/* What the containers ask for, and what those that start before them and stay do, together. */
static int64_t
sum_requests(const json_t *spec, const char *name)
{
	int64_t sum = 0, sidecars = 0, most = 0;
	size_t i;
	json_t *c;

	json_array_foreach (json_object_get(spec, "containers"), i, c)
		sum += quantity_milli(get(c, "resources", "requests", name));
	json_array_foreach (json_object_get(spec, "initContainers"), i, c) {
		int64_t want = quantity_milli(get(c, "resources", "requests", name));

		if (!strcmp(text(c, "restartPolicy"), "Always")) {
			sidecars += want;
			want = 0;
		}
		most = want + sidecars > most ? want + sidecars : most;
	}
	return sum + sidecars > most ? sum + sidecars : most;
}

static void
check_sums(struct causes *out, const struct path *at, const json_t *spec, json_t *names)
{
	const char *name;
	json_t *any;

	json_object_foreach (names, name, any) {
		const json_t *whole = get(spec, "resources", "requests", name);
		json_auto_t *zero = json_string("0");
		int64_t sum = sum_requests(spec, name);

		if (sum > quantity_milli(whole)) {
			autofree char *want = quantity_print_milli(sum, QUANTITY_DECIMAL);
			autofree char *same = quantity_canonical(amount_text(any));

			refuse_value(out, KEY(AT(at, "requests"), name), whole ? whole : zero,
			    "must be greater than or equal to aggregate container requests of %s",
			    quantity_milli(any) == sum && same ? same : want);
		}
	}
}

/* Every resource that some container asks for, with one of the amounts. */
static json_t *
requested(const json_t *spec)
{
	static const char *const lists[] = { "containers", "initContainers" };
	json_t *names = json_object(), *c, *v;
	const char *name;
	size_t i;

	for (size_t l = 0; l < COUNT(lists); l++)
		json_array_foreach (json_object_get(spec, lists[l]), i, c)
			json_object_foreach (get(c, "resources", "requests"), name, v)
				if (pod_level(name) && !json_object_get(names, name))
					json_object_set(names, name, v);
	return names;
}

void
check_pod_resources(struct causes *out, const struct path *at, const struct pod_scope *pod)
{
	const json_t *resources = json_object_get(pod->spec, "resources");
	json_auto_t *names = NULL;
	const char *name;
	size_t i;
	json_t *c, *v;

	if (!json_is_object(resources))
		return;
	if (json_object_get(resources, "claims"))
		refuse_forbidden(
		    out, AT(at, "claims"), "claims cannot be set for Resources at pod-level");
	check_resources(out, at, resources, RESOURCES_OF_POD, pod->claims);
	names = requested(pod->spec);
	check_sums(out, at, pod->spec, names);
	json_array_foreach (json_object_get(pod->spec, "containers"), i, c)
		json_object_foreach (get(c, "resources", "limits"), name, v) {
			const json_t *most = get(resources, "limits", name);

			if (most && quantity_milli(v) > quantity_milli(most))
				refuse_value(out,
				    AT(KEY(ITEM(AT(at, "containers"), i), name), "limits"), v,
				    "must be less than or equal to pod limits of %s",
				    amount_text(most));
		}
}
