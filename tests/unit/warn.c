/* Warnings: addresses in odd forms, ports that meet, what a spread says, which updates are looked
 * at. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/schema.h"
#include "api/warn.h"

static const struct {
	const char *text, *said; /* without the field; "": nothing */
} addresses[] = {
	{ "10.0.0.1", "" },
	{ "010.0.0.1", "non-standard IP address \"010.0.0.1\" will be considered invalid in a "
		       "future Kubernetes release: use \"10.0.0.1\"" },
	{ "::ffff:10.0.0.1", "non-standard IP address \"::ffff:10.0.0.1\" will be considered "
			     "invalid in a future Kubernetes release: use \"10.0.0.1\"" },
	{ "2001:db8::1", "" },
	{ "::", "" },
	{ "::1", "" },
	{ "1::", "" },
	{ "2001:db8:0:0:1:0:0:1", "IPv6 address \"2001:db8:0:0:1:0:0:1\" should be in RFC 5952 "
				  "canonical format (\"2001:db8::1:0:0:1\")" },
	{ "2001:db8:0:1:1:1:1:1", "" },
	{ "fe80::0A", "IPv6 address \"fe80::0A\" should be in RFC 5952 canonical format "
		      "(\"fe80::a\")" },
	{ "no address", "" },
};

static const struct {
	const char *text, *said;
} ranges[] = {
	{ "10.0.0.0/8", "" },
	{ "10.1.0.0/8", "CIDR value \"10.1.0.0/8\" is ambiguous in this context (should be "
			"\"10.0.0.0/8\" or \"10.1.0.0/32\"?)" },
	{ "010.0.0.0/8", "non-standard CIDR value \"010.0.0.0/8\" will be considered invalid in a "
			 "future Kubernetes release: use \"10.0.0.0/8\"" },
	{ "2001:DB8::/64", "IPv6 CIDR value \"2001:DB8::/64\" should be in RFC 5952 canonical "
			   "format (\"2001:db8::/64\")" },
	{ "2001:db8::/64", "" },
};

static void
same(const struct causes *c, const char *want, const char *of)
{
	const char *got = c->n ? c->item[0].message : "";

	if (*got)
		got = strstr(got, ": ") + 2;
	if (strcmp(got, want) != 0)
		printf("%s: %s\nnot: %s\n", of, got, want);
	assert(strcmp(got, want) == 0);
}

static void
check_addresses(void)
{
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		struct causes c = CAUSES_INIT;

		warn_ip(&c, AT(NULL, "ip"), addresses[i].text);
		same(&c, addresses[i].said, addresses[i].text);
		causes_release(&c);
	}
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		struct causes c = CAUSES_INIT;

		warn_cidr(&c, AT(NULL, "cidr"), ranges[i].text);
		same(&c, ranges[i].said, ranges[i].text);
		causes_release(&c);
	}
}

/* All warnings about a Pod with this spec, a line each. */
static void
pod_says(const char *spec, const char *want)
{
	struct causes c = CAUSES_INIT;
	struct buf got = BUF_INIT;
	json_error_t e;
	json_t *pod, *parsed = json_loads(spec, 0, &e);

	if (!parsed)
		printf("%s: %s\n", spec, e.text);
	assert(parsed);
	pod = json_pack("{s:{s:s}, s:o}", "metadata", "name", "p", "spec", parsed);
	warn_create(kind_find("", "v1", "Pod"), pod, &c);
	buf_puts(&got, "");
	for (size_t i = 0; i < c.n; i++)
		buf_printf(&got, "%s\n", c.item[i].message);
	if (strcmp(got.data, want) != 0)
		printf("%s\n%snot:\n%s", spec, got.data, want);
	assert(strcmp(got.data, want) == 0);
	buf_release(&got);
	causes_release(&c);
	json_decref(pod);
}

static void
check_pods(void)
{
	pod_says("{\"containers\":[{\"name\":\"c\"}]}", "");
	pod_says("{\"containers\":[{\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"},"
		 "{\"containerPort\":80,\"protocol\":\"UDP\"},{\"containerPort\":80,\"protocol\":"
		 "\"TCP\",\"hostPort\":8080}]}]}",
	    "spec.containers[0].ports[2]: overlapping port definition with "
	    "spec.containers[0].ports[0]\n");
	pod_says("{\"containers\":[{\"ports\":[{\"containerPort\":80,\"hostPort\":80,\"hostIP\":"
		 "\"10.0.0.1\"},{\"containerPort\":80,\"hostPort\":80}]}]}",
	    "spec.containers[0].ports[1]: dangerously ambiguous port definition with "
	    "spec.containers[0].ports[0]\n");
	pod_says("{\"containers\":[{\"env\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"A\","
		 "\"value\":\"$(A)2\"},{\"name\":\"A\",\"value\":\"$(A)\"}]}]}",
	    "spec.containers[0].env[2]: hides previous definition of \"A\", which may be dropped "
	    "when using apply\n");
	pod_says("{\"volumes\":[{\"name\":\"a\",\"projected\":{\"sources\":[{"
		 "\"serviceAccountToken\":{\"path\":\"t\"}},{\"configMap\":{\"items\":[{\"path\":"
		 "\"t\"}]}}]}}]}",
	    "spec.volumes[0].projected.sources.configMap[0]: has duplicated path with "
	    "ServiceAccountToken \"t\"\n");
	pod_says("{\"hostAliases\":[{\"ip\":\"1.1.1.1\"},{\"ip\":\"1.1.1.1\"}],"
		 "\"imagePullSecrets\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
	    "spec.hostAliases[1].ip: duplicate ip \"1.1.1.1\"\n"
	    "spec.imagePullSecrets[1].name: duplicate name \"a\"\n");
}

/* A workload is looked at again when its spec changes, a Pod never. */
static void
check_updates(void)
{
	const struct kind *deployment = kind_find("apps", "v1", "Deployment");
	json_t *old = json_pack("{s:{s:s}, s:{s:{s:{s:{s:s}}}}}", "metadata", "name", "d", "spec",
	    "template", "spec", "nodeSelector", "beta.kubernetes.io/os", "linux");
	json_t *now = json_deep_copy(old);
	struct causes c = CAUSES_INIT;

	json_object_set_new(json_object_get(now, "metadata"), "labels", json_object());
	warn_update(deployment, "", now, old, &c);
	assert(c.n == 0);
	json_object_set_new(json_object_get(now, "spec"), "replicas", json_integer(2));
	warn_update(deployment, "scale", now, old, &c);
	assert(c.n == 0);
	warn_update(deployment, "", now, old, &c);
	assert(c.n == 1);
	causes_release(&c);
	json_decref(old);
	json_decref(now);
}

static size_t
told(const struct kind *k, const char *object, const char *before)
{
	struct causes c = CAUSES_INIT;
	json_t *obj = json_loads(object, 0, NULL), *old = json_loads(before, 0, NULL);
	size_t n;

	assert(k && obj);
	if (old)
		warn_update(k, "", obj, old, &c);
	else
		warn_create(k, obj, &c);
	n = c.n;
	causes_release(&c);
	json_decref(old);
	json_decref(obj);
	return n;
}

/* What is told once, and what Kubernetes' own loops are not told. */
static void
check_quiet(void)
{
	const struct kind *account = kind_find("", "v1", "ServiceAccount");
	const struct kind *slice = kind_find("discovery.k8s.io", "v1", "EndpointSlice");
	const struct kind *endpoints = kind_find("", "v1", "Endpoints");
	const char *plain = "{\"metadata\":{}}",
		   *noted = "{\"metadata\":{\"annotations\":{\"kubernetes.io/"
			    "enforce-mountable-secrets\":\"false\"}}}";
	const char *names = "{\"addressType\":\"FQDN\",\"endpoints\":[]}";
#define ODD "\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":[\"010.0.0.1\"]}]}"
#define SUBSET "\"subsets\":[{\"addresses\":[{\"ip\":\"010.0.0.1\"}]}]}"

	assert(told(account, plain, "") == 0);
	assert(told(account, noted, "") == 1);
	assert(told(account, noted, plain) == 1);
	assert(told(account, noted, noted) == 0);
	assert(told(slice, names, "") == 1);
	assert(told(slice, names, names) == 0);
	assert(told(slice, "{" ODD, "") == 1);
	assert(told(slice,
		   "{\"metadata\":{\"labels\":{\"endpointslice.kubernetes.io/managed-by\":"
		   "\"endpointslice-controller.k8s.io\"}}," ODD,
		   "") == 0);
	assert(told(endpoints, "{" SUBSET, "") == 1);
	assert(told(endpoints,
		   "{\"metadata\":{\"labels\":{\"endpoints.kubernetes.io/managed-by\":"
		   "\"endpoint-controller\"}}," SUBSET,
		   "") == 0);
}

int
main(void)
{
	check_addresses();
	check_pods();
	check_updates();
	check_quiet();
	return 0;
}
