/* Counting what pods have on the disk, and what they may have there. */
#include "node/stored.h"

#include <dirent.h>
#include <string.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "api/resources.h"
#include "base/mem.h"
#include "node/volume.h"

static json_t *
pair(const struct stored *s)
{
	return json_pack("[I, I]", (json_int_t)s->bytes, (json_int_t)s->inodes);
}

int64_t
stored_bytes(const json_t *p)
{
	return json_integer_value(json_array_get(p, 0));
}

int64_t
stored_inodes(const json_t *p)
{
	return json_integer_value(json_array_get(p, 1));
}

static void
add(struct stored *sum, const struct stored *more)
{
	sum->bytes += more->bytes;
	sum->inodes += more->inodes;
}

/* --- counting ------------------------------------------------------------------------------- */

static void
count_container(const struct host *h, const struct pod *p, const struct container *c, double until,
    json_t *ret, struct stored *sum)
{
	autofree char *upper =
	    host_path(h, "pods/%s/containers/%s-%u/upper", p->uid, c->name, c->attempt);
	autofree char *logs = host_path(h, "log/pods/%s_%s_%s/%s", meta_namespace(p->object),
	    meta_name(p->object), p->uid, c->name);
	struct stored root = { 0 }, log = { 0 };

	stored_below(upper, until, &root);
	stored_below(logs, until, &log);
	json_object_set_new(
	    ret, c->name, json_pack("{s:o, s:o}", "rootfs", pair(&root), "logs", pair(&log)));
	add(sum, &root);
	add(sum, &log);
}

/* Writable layers of runs that have ended: they stay until the next one, or the pod's end. */
static void
count_former(const struct host *h, const struct pod *p, double until, struct stored *sum)
{
	autofree char *folder = host_path(h, "pods/%s/containers", p->uid);
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		autofree char *upper = xasprintf("%s/%s/upper", folder, e->d_name);
		bool known = e->d_name[0] == '.';

		for (size_t i = 0; i < p->n && !known; i++) {
			autofree char *now = xasprintf("%s-%u", p->c[i].name, p->c[i].attempt);

			known = strcmp(now, e->d_name) == 0;
		}
		if (!known)
			stored_below(upper, until, sum);
	}
	if (d)
		closedir(d);
}

bool
stored_here(const json_t *volume)
{
	const json_t *empty = get(volume, "emptyDir");

	return (empty && !*text(empty, "medium")) || get(volume, "configMap");
}

/* The node makes its folder, so it is the node's to count; what is in memory says itself how much
 * that is. */
static bool
counted(const json_t *volume)
{
	static const char *const kinds[] = { "configMap", "secret", "downwardAPI", "projected" };

	if (stored_here(volume))
		return true;
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (get(volume, kinds[i]))
			return true;
	return false;
}

json_t *
stored_of(const struct host *h, const struct pod *p, double until)
{
	json_t *ret = json_pack("{s:{}, s:{}}", "containers", "volumes"), *v;
	struct stored sum = { 0 };
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->c[i].begun)
			count_container(h, p, &p->c[i], until, get(ret, "containers"), &sum);
	count_former(h, p, until, &sum);
	json_array_foreach (get(p->object, "spec", "volumes"), i, v) {
		const char *name = text(v, "name");
		autofree char *folder = host_path(h, "pods/%s/volumes/%s", p->uid, name);
		struct stored one = { 0 };

		if (!counted(v) || !volume_used(p->object, name))
			continue;
		stored_below(folder, until, &one);
		json_object_set_new(get(ret, "volumes"), name, pair(&one));
		if (stored_here(v))
			add(&sum, &one);
	}
	json_object_set_new(ret, "total", pair(&sum));
	return ret;
}

/* --- limits --------------------------------------------------------------------------------- */

static const json_t *
volume_limit(const json_t *volume)
{
	const json_t *limit = get(volume, "emptyDir", "sizeLimit");

	return stored_here(volume) && quantity_value(limit) > 0 ? limit : NULL;
}

static const json_t *
container_limit(const json_t *c)
{
	const json_t *limit = get(c, "resources", "limits", "ephemeral-storage");

	return quantity_value(limit) > 0 ? limit : NULL;
}

bool
stored_limited(const json_t *pod)
{
	json_auto_t *limits = pod_resources(pod, "limits", false);
	json_t *v;
	size_t i;

	json_array_foreach (get(pod, "spec", "volumes"), i, v)
		if (volume_limit(v) && volume_used(pod, text(v, "name")))
			return true;
	return get(limits, "ephemeral-storage") != NULL;
}

static char *
canonical(const json_t *quantity)
{
	char *ret = quantity_canonical(str(quantity, ""));

	return ret ? ret : xasprintf("%lld", (long long)quantity_value(quantity));
}

static char *
volume_exceeds(const json_t *pod, const json_t *stored)
{
	json_t *v;
	size_t i;

	json_array_foreach (get(pod, "spec", "volumes"), i, v) {
		const json_t *limit = volume_limit(v), *has = get(stored, "volumes");
		autofree char *amount = NULL;

		if (!limit ||
		    stored_bytes(json_object_get(has, text(v, "name"))) <= quantity_value(limit))
			continue;
		amount = canonical(limit);
		return xasprintf("Usage of EmptyDir volume \"%s\" exceeds the limit \"%s\". ",
		    text(v, "name"), amount);
	}
	return NULL;
}

/* The kubelet's order: a volume, the pod, a container.  As there the pod's limit is the sum of
 * those that are set. */
char *
stored_exceeds(const json_t *pod, const json_t *stored)
{
	json_auto_t *limits = pod_resources(pod, "limits", false);
	const json_t *limit = get(limits, "ephemeral-storage");
	char *ret = volume_exceeds(pod, stored);
	autofree char *amount = NULL;
	json_t *c;
	size_t i;

	if (ret)
		return ret;
	if (limit && stored_bytes(get(stored, "total")) > quantity_value(limit)) {
		amount = canonical(limit);
		return xasprintf("Pod ephemeral local storage usage exceeds the total limit of "
				 "containers %s. ",
		    amount);
	}
	json_array_foreach (get(pod, "spec", "containers"), i, c) {
		const json_t *has = json_object_get(get(stored, "containers"), text(c, "name"));

		limit = container_limit(c);
		if (!limit || stored_bytes(get(has, "rootfs")) + stored_bytes(get(has, "logs")) <=
				  quantity_value(limit))
			continue;
		amount = canonical(limit);
		return xasprintf("Container %s exceeded its local ephemeral storage limit \"%s\". ",
		    text(c, "name"), amount);
	}
	return NULL;
}
