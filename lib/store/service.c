/* Who holds which addresses and ports, and the IPAddress objects that say so. */
#include "store/service.h"

#include <string.h>

#include "api/meta.h"
#include "api/rules.h"
#include "base/mem.h"
#include "store/service_private.h"

/* --- options -------------------------------------------------------------------------------- */

static int
read_ranges(struct range own[static 2], const char *text, struct err *err)
{
	size_t n = 0;
	int r;

	for (const char *p = text; *p; p += *p == ',') {
		size_t len = strcspn(p, ",");
		autofree char *one = xstrndup(p, len);

		if (n == 2)
			return err_set(err, ERR_BAD_REQUEST, "'%s' has more than two ranges", text);
		if ((r = range_of_addresses(&own[n], one, err)) < 0)
			return r;
		n++;
		p += len;
	}
	if (n == 0)
		return err_set(err, ERR_BAD_REQUEST, "there is no range of addresses");
	if (n == 2 && own[0].v6 == own[1].v6)
		return err_set(
		    err, ERR_BAD_REQUEST, "'%s' has two ranges of one address family", text);
	return (int)n;
}

int
services_first(const char *ranges, char buf[static INET6_ADDRSTRLEN], struct err *err)
{
	struct range own[2];
	struct number n;
	int r = read_ranges(own, ranges, err);

	if (r < 0)
		return err_wrap(err, "cannot use --service-cluster-ip-range");
	range_at(&own[0], own[0].first, &n);
	number_ip(&n, buf);
	return 0;
}

const char *
services_range(const struct services *sv, size_t i)
{
	return i < sv->nown ? sv->own[i].text : NULL;
}

int
services_new(struct services **ret, struct cache *cache, struct commit *commit, const char *ranges,
    const char *ports, struct err *err)
{
	struct services *sv = xcalloc(1, sizeof *sv);
	int r;

	if ((r = read_ranges(sv->own, ranges, err)) < 0) {
		err_wrap(err, "cannot use --service-cluster-ip-range");
	} else {
		sv->nown = (size_t)r;
		if ((r = range_of_ports(&sv->ports, ports, err)) < 0)
			err_wrap(err, "cannot use --service-node-port-range");
	}
	if (r < 0) {
		free(sv);
		return r;
	}
	sv->cache = cache;
	sv->commit = commit;
	sv->table = cache_table(cache, kind_find("", "v1", "Service"));
	sv->endpoints = cache_table(cache, kind_find("", "v1", "Endpoints"));
	sv->addresses = cache_table(cache, kind_find("networking.k8s.io", "v1", "IPAddress"));
	sv->cidrs = cache_table(cache, kind_find("networking.k8s.io", "v1", "ServiceCIDR"));
	pthread_mutex_init(&sv->lock, NULL);
	sv->ip = pool_new();
	sv->port = pool_new();
	*ret = sv;
	return 0;
}

void
services_free(struct services *sv)
{
	if (!sv)
		return;
	pthread_mutex_destroy(&sv->lock);
	pool_free(sv->ip);
	pool_free(sv->port);
	free(sv->range);
	free(sv);
}

void
services_count(struct services *sv, size_t *addresses, size_t *ports)
{
	*addresses = pool_count(sv->ip);
	*ports = pool_count(sv->port);
}

bool
services_hold_back(struct services *sv, const struct number *ip)
{
	return pool_reserve(sv->ip, ip);
}

void
services_unreserve(struct services *sv, const struct number *ip)
{
	pool_cancel(sv->ip, ip);
}

/* --- what a Service has ------------------------------------------------------------------------
 */

static void
add_ip(struct holding *h, const char *ip)
{
	struct number n;

	if (h->nip == COUNT(h->ip) || !number_of_ip(&n, ip) ||
	    (h->nip && memcmp(&h->ip[0], &n, sizeof n) == 0))
		return;
	h->ip[h->nip++] = n;
}

static void
add_port(struct holding *h, json_int_t port)
{
	struct number n;

	if (port <= 0 || port > UINT16_MAX)
		return;
	number_of_port(&n, (unsigned)port);
	for (size_t i = 0; i < h->nport; i++)
		if (memcmp(&h->port[i], &n, sizeof n) == 0)
			return; /* two protocols of one port share it */
	GROW(h->port, h->nport, h->cap);
	h->port[h->nport++] = n;
}

void
holding_read(struct holding *h, const json_t *obj)
{
	const json_t *ips = get(obj, "spec", "clusterIPs");
	size_t i;
	json_t *v;

	*h = (struct holding){ 0 };
	if (!service_is(obj, "ExternalName")) {
		json_array_foreach (ips, i, v)
			add_ip(h, str(v, ""));
		/* what was stored before there were two */
		if (!ips)
			add_ip(h, text(obj, "spec", "clusterIP"));
	}
	json_array_foreach (get(obj, "spec", "ports"), i, v)
		add_port(h, num(json_object_get(v, "nodePort"), 0));
	if (service_has_check(obj))
		add_port(h, num(get(obj, "spec", "healthCheckNodePort"), 0));
}

void
holding_release(struct holding *h)
{
	free(h->port);
	*h = (struct holding){ 0 };
}

void
holding_begin(struct services *sv, const struct holding *h)
{
	for (size_t i = 0; i < h->nip; i++)
		pool_hold(sv->ip, &h->ip[i]);
	for (size_t i = 0; i < h->nport; i++)
		pool_hold(sv->port, &h->port[i]);
}

void
holding_end(struct services *sv, const struct holding *h)
{
	for (size_t i = 0; i < h->nip; i++)
		pool_drop(sv->ip, &h->ip[i]);
	for (size_t i = 0; i < h->nport; i++)
		pool_drop(sv->port, &h->port[i]);
}

/* Most have one address and no port: their index entry says all of it, and nothing is parsed. */
static bool
one_address(const struct services *sv, const struct object *o, struct holding *h)
{
	static const char two[] = "DualStack";
	const struct kind *k = sv->table->kind;

	if (strcmp(object_field(o, k, "spec.type"), "ClusterIP") != 0 ||
	    memmem(o->body->data, o->body->len, two, sizeof two - 1))
		return false;
	add_ip(h, object_field(o, k, "spec.clusterIP"));
	return true;
}

void
holding_load(const struct services *sv, const struct object *o, struct holding *h)
{
	*h = (struct holding){ 0 };
	if (!one_address(sv, o, h)) {
		json_auto_t *obj = object_json(o, sv->table->kind);

		holding_read(h, obj);
	}
}

static bool
load_one(void *arg, struct object *o)
{
	struct services *sv = arg;
	struct holding h;

	holding_load(sv, o, &h);
	holding_begin(sv, &h);
	holding_release(&h);
	return true;
}

void
services_load(struct services *sv)
{
	struct walk walk = { .table = sv->table };
	uint64_t revision;
	struct err err;

	cache_walk(sv->cache, &walk, load_one, sv, &revision, &err);
	service_ranges(sv);
}
