/* Where cluster addresses and node ports come from: ServiceCIDRs, IPAddresses, the pools. */
#include <string.h>

#include "api/meta.h"
#include "base/mem.h"
#include "store/service_private.h"

/* --- ranges --------------------------------------------------------------------------------- */

/* Two of them may be the same: what counts is that a number is in one. */
static void
add_range(struct services *sv, const char *text)
{
	struct range r;
	struct err ignored;

	if (range_of_addresses(&r, text, &ignored) < 0)
		return; /* validation lets nothing else in, but for ranges too small to use */
	sv->range = xreallocarray(sv->range, sv->nrange + 1, sizeof *sv->range);
	sv->range[sv->nrange++] = r;
}

struct found {
	struct object **object;
	size_t n, cap;
};

static bool
collect(void *arg, struct object *o)
{
	struct found *f = arg;

	GROW(f->object, f->n, f->cap);
	f->object[f->n++] = object_ref(o);
	return true;
}

/* Ready unless it says that it is not: there may be no loop that says anything. */
static bool
usable(const json_t *cidr)
{
	const json_t *ready = condition_find(cidr, "Ready");

	return !meta_deleting(cidr) && (!ready || strcmp(text(ready, "status"), "True") == 0);
}

void
service_ranges(struct services *sv)
{
	struct walk walk = { .table = sv->cidrs };
	struct found f = { 0 };
	uint64_t revision;
	struct err err;

	cache_walk(sv->cache, &walk, collect, &f, &revision, &err);
	pthread_mutex_lock(&sv->lock);
	sv->nrange = 0;
	for (size_t i = 0; i < sv->nown && f.n == 0; i++)
		add_range(sv, sv->own[i].text);
	for (size_t i = 0; i < f.n; i++) {
		json_t *obj = object_json(f.object[i], sv->cidrs->kind), *cidr;
		size_t k;

		if (usable(obj))
			json_array_foreach (get(obj, "spec", "cidrs"), k, cidr)
				add_range(sv, str(cidr, ""));
		json_decref(obj);
		object_unref(f.object[i]);
	}
	pthread_mutex_unlock(&sv->lock);
	free(f.object);
}

bool
service_family_known(const struct services *sv, bool v6)
{
	return sv->own[0].v6 == v6 || (sv->nown == 2 && sv->own[1].v6 == v6);
}

/* --- IPAddress objects ------------------------------------------------------------------------ */

bool
service_ip_ours(const json_t *address)
{
	const char *by = meta_label(address, "ipaddress.kubernetes.io/managed-by");

	return by && strcmp(by, "ipallocator.k8s.io") == 0;
}

int
service_ip_object(struct services *sv, const struct number *n)
{
	char name[INET6_ADDRSTRLEN];
	struct object *o = cache_get(sv->cache, sv->addresses, "", number_ip(n, name));
	json_t *obj;
	bool ours;

	if (!o)
		return IP_MISSING;
	obj = object_json(o, sv->addresses->kind);
	ours = service_ip_ours(obj);
	json_decref(obj);
	object_unref(o);
	return ours ? IP_OURS : IP_OTHER;
}

/* Somebody else's IPAddress keeps the address from Services; ours come and go with them. */
static bool
unclaimed(void *arg, const struct number *n)
{
	return service_ip_object(arg, n) != IP_OTHER;
}

/* --- addresses -------------------------------------------------------------------------------- */

const char *
service_take_ip(struct services *sv, struct service_claim *c, const struct number *n)
{
	bool inside = false;

	pthread_mutex_lock(&sv->lock);
	for (size_t i = 0; i < sv->nrange; i++)
		inside = inside || range_has(&sv->range[i], n);
	pthread_mutex_unlock(&sv->lock);
	if (!inside)
		return "the provided network does not match the current range";
	if (!unclaimed(sv, n) || !pool_reserve(sv->ip, n))
		return "provided IP is already allocated";
	c->ip[c->nip++] = *n;
	return NULL;
}

const char *
service_next_ip(struct services *sv, struct service_claim *c, bool v6, struct number *ret)
{
	bool found = false;

	pthread_mutex_lock(&sv->lock);
	for (size_t i = 0; i < sv->nrange && !found; i++)
		found =
		    sv->range[i].v6 == v6 && range_next(&sv->range[i], sv->ip, unclaimed, sv, ret);
	pthread_mutex_unlock(&sv->lock);
	if (!found)
		return "range is full";
	c->ip[c->nip++] = *ret;
	return NULL;
}

/* --- ports ------------------------------------------------------------------------------------ */

static void
note_port(struct service_claim *c, const struct number *n)
{
	GROW(c->port, c->nport, c->cap);
	c->port[c->nport++] = *n;
}

const char *
service_take_port(struct services *sv, struct service_claim *c, unsigned port)
{
	static __thread char why[128];
	struct number n;

	number_of_port(&n, port);
	if (port > UINT16_MAX || !range_has(&sv->ports, &n)) {
		snprintf(why, sizeof why,
		    "provided port is not in the valid range. The range of valid ports is %s",
		    sv->ports.text);
		return why;
	}
	if (!pool_reserve(sv->port, &n))
		return "provided port is already allocated";
	note_port(c, &n);
	return NULL;
}

const char *
service_next_port(struct services *sv, struct service_claim *c, unsigned *ret)
{
	struct number n;

	if (!range_next(&sv->ports, sv->port, NULL, NULL, &n))
		return "range is full";
	note_port(c, &n);
	*ret = number_port(&n);
	return NULL;
}
