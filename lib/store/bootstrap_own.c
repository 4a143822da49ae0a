/* The objects by which a server tells where it is and whom it trusts. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "api/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/bootstrap_private.h"
#include "store/front_proxy.h"
#include "store/service.h"

static const char me[] = "kube-apiserver";

/* --- addresses ---------------------------------------------------------------------------------
 */

static bool
leads_here(const char *ip)
{
	struct number n;
	static const unsigned char nothing[16], loopback[16] = { [15] = 1 };

	if (!number_of_ip(&n, ip))
		return false;
	if (number_is_v6(&n))
		return memcmp(n.byte, nothing, 16) != 0 && memcmp(n.byte, loopback, 16) != 0;
	return n.byte[12] != 127 && n.byte[12] != 0;
}

/* The address that packets to the world would leave from: nothing is sent (192.0.2.1 is nobody's,
 * RFC 5737). */
static bool
way_out(char ip[static INET6_ADDRSTRLEN])
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) }, from;
	socklen_t len = sizeof from;
	autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "192.0.2.1", &to.sin_addr);
	return fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
	       getsockname(fd, (struct sockaddr *)&from, &len) == 0 &&
	       inet_ntop(AF_INET, &from.sin_addr, ip, INET6_ADDRSTRLEN) && leads_here(ip);
}

/* Any address of this machine. */
static bool
some_address(char ip[static INET6_ADDRSTRLEN])
{
	struct ifaddrs *all, *a;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (a = all; a && !found; a = a->ifa_next) {
		const struct sockaddr_in *in = (const void *)a->ifa_addr;

		if (in && in->sin_family == AF_INET && (a->ifa_flags & IFF_UP))
			found = inet_ntop(AF_INET, &in->sin_addr, ip, INET6_ADDRSTRLEN) &&
				leads_here(ip);
	}
	freeifaddrs(all);
	return found;
}

char *
bootstrap_address(const char *host)
{
	autofree char *bare = xstrndup(host + (*host == '['), strcspn(host + (*host == '['), "]"));
	char ip[INET6_ADDRSTRLEN];

	if (leads_here(bare))
		return steal(bare);
	return xstrdup(way_out(ip) || some_address(ip) ? ip : "127.0.0.1");
}

/* --- objects -----------------------------------------------------------------------------------
 */

static json_t *
metadata(const char *namespace, const char *name)
{
	return *namespace ? json_pack("{s:s,s:s}", "name", name, "namespace", namespace)
			  : json_pack("{s:s}", "name", name);
}

static void
want_service(struct bootstrap *b, const struct bootstrap_facts *f)
{
	const struct services *sv = b->server->services;
	char ip[INET6_ADDRSTRLEN];
	struct err ignored;
	json_t *o = json_pack("{s:s,s:s,s:o}", "apiVersion", "v1", "kind", "Service", "metadata",
	    metadata("default", "kubernetes"));

	services_first(services_range(sv, 0), ip, &ignored);
	put(o, json_pack("{s:s,s:s}", "component", "apiserver", "provider", "kubernetes"),
	    "metadata", "labels");
	put(o,
	    json_pack("{s:s,s:s,s:[s],s:[s],s:s,s:s,s:[{s:s,s:s,s:i,s:i}]}", "type", "ClusterIP",
		"clusterIP", ip, "clusterIPs", ip, "ipFamilies", strchr(ip, ':') ? "IPv6" : "IPv4",
		"ipFamilyPolicy", "SingleStack", "sessionAffinity", "None", "ports", "name",
		"https", "protocol", "TCP", "port", 443, "targetPort", f->port),
	    "spec");
	bootstrap_want(b, o, CARE_FIELDS, me);
}

static void
want_endpoints(struct bootstrap *b, const struct bootstrap_facts *f)
{
	json_t *slice = json_pack("{s:s,s:s,s:o,s:s,s:[{s:[s],s:{s:b}}],s:[{s:s,s:i,s:s}]}",
	    "apiVersion", "discovery.k8s.io/v1", "kind", "EndpointSlice", "metadata",
	    metadata("default", "kubernetes"), "addressType",
	    strchr(f->address, ':') ? "IPv6" : "IPv4", "endpoints", "addresses", f->address,
	    "conditions", "ready", 1, "ports", "name", "https", "port", f->port, "protocol", "TCP");
	json_t *old =
	    json_pack("{s:s,s:s,s:o,s:[{s:[{s:s}],s:[{s:s,s:i,s:s}]}]}", "apiVersion", "v1", "kind",
		"Endpoints", "metadata", metadata("default", "kubernetes"), "subsets", "addresses",
		"ip", f->address, "ports", "name", "https", "port", f->port, "protocol", "TCP");

	put(slice, json_string("kubernetes"), "metadata", "labels", "kubernetes.io/service-name");
	put(old, json_string("true"), "metadata", "labels",
	    "endpointslice.kubernetes.io/skip-mirror");
	bootstrap_want(b, slice, CARE_FIELDS, me);
	bootstrap_want(b, old, CARE_FIELDS, me);
}

static void
want_cidr(struct bootstrap *b)
{
	const struct services *sv = b->server->services;
	json_t *cidrs = json_array(), *o;
	char now[40];

	for (size_t i = 0; services_range(sv, i); i++)
		json_array_append_new(cidrs, json_string(services_range(sv, i)));
	o = json_pack("{s:s,s:s,s:{s:s,s:[s]},s:{s:o}}", "apiVersion", "networking.k8s.io/v1",
	    "kind", "ServiceCIDR", "metadata", "name", "kubernetes", "finalizers",
	    "networking.k8s.io/service-cidr-finalizer", "spec", "cidrs", cidrs);
	condition_set(
	    o, "Ready", "True", "", "Kubernetes default Service CIDR is ready", call_now(now));
	bootstrap_want(b, o, CARE_FIELDS, me);
}

static void
want_config(struct bootstrap *b, const struct bootstrap_facts *f)
{
	static const char tokens[] = "kube-apiserver-legacy-service-account-token-tracking";
	time_t now = (time_t)clock_now();
	struct tm tm;
	char day[16];
	json_t *o;

	strftime(day, sizeof day, "%Y-%m-%d", gmtime_r(&now, &tm));
	o = json_pack("{s:s,s:s,s:o,s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata",
	    metadata("kube-system", tokens), "data", "since", day);
	bootstrap_want(b, o, CARE_EXISTS, me);
	if (!f->ca)
		return;
	o = json_pack("{s:s,s:s,s:o,s:o}", "apiVersion", "v1", "kind", "ConfigMap", "metadata",
	    metadata("kube-system", "extension-apiserver-authentication"), "data",
	    b->server->front ? front_proxy_data(b->server->front) : json_object());
	put(o, json_string(f->ca), "data", "client-ca-file");
	bootstrap_want(b, o, CARE_FIELDS, me);
}

void
bootstrap_own(struct bootstrap *b, const struct bootstrap_facts *f)
{
	want_config(b, f);
	want_cidr(b);
	want_service(b, f);
	want_endpoints(b, f);
}
