#include "node/qos.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/huge.h"

int64_t
qos_shares(int64_t milli)
{
	int64_t shares = milli > INT64_MAX / 1024 ? 262144 : milli * 1024 / 1000;

	return shares < 2 ? 2 : shares > 262144 ? 262144 : shares;
}

/* Has every container, or the pod itself, a limit of its own? */
static bool
declared(const json_t *pod, const char *resource)
{
	static const char *const lists[] = { "initContainers", "containers" };
	const json_t *whole = get(pod, "spec", "resources");
	json_t *c;
	size_t i;

	if (quantity_milli(get(whole, "limits", resource)) > 0)
		return true;
	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(pod, "spec", lists[k]), i, c)
			if (quantity_milli(get(c, "resources", "limits", resource)) <= 0)
				return false;
	return true;
}

struct cgroup_limits
qos_limits(const json_t *pod)
{
	bool best_effort = strcmp(pod_qos(pod), "BestEffort") == 0;
	struct cgroup_limits l = { .shares =
				       qos_shares(best_effort ? 0 : pod_request(pod, "cpu")) };

	if (best_effort)
		return l;
	if (declared(pod, "cpu")) {
		int64_t cpu = pod_limit(pod, "cpu");

		l.quota = cpu > INT64_MAX / 100 ? 0 : cpu * 100;
		if (l.quota > 0 && l.quota < 1000)
			l.quota = 1000; /* the kernel takes no less than 1 ms */
	}
	if (declared(pod, "memory"))
		l.memory = pod_limit(pod, "memory");
	return l;
}

int
qos_make(const struct host *h, const json_t *pod, struct err *err)
{
	autofree char *group = host_cgroup_of(h, pod);
	autofree char *least = xasprintf("/orch/%s/besteffort", h->key);
	struct cgroup_limits l = qos_limits(pod);
	int r = 0;

	l.pids = h->o.pids;
	if (strcmp(pod_qos(pod), "BestEffort") == 0 && !cgroup_exists(&h->cgroups, least))
		r = cgroup_create(&h->cgroups, least, &(struct cgroup_limits){ .shares = 2 }, err);
	if (r == 0 && (r = cgroup_create(&h->cgroups, group, &l, err)) == 0)
		r = huge_bound_pod(pod, group, &h->cgroups, err);
	return r;
}

int
qos_weigh(const struct host *h, int64_t burstable, struct err *err)
{
	autofree char *group = xasprintf("/orch/%s/burstable", h->key);
	struct cgroup_limits l = { .shares = qos_shares(burstable) };

	return cgroup_create(&h->cgroups, group, &l, err);
}

int
qos_fence(const struct host *h, struct err *err)
{
	autofree char *group = xasprintf("/orch/%s", h->key);
	const struct reserve *r = &h->o.reserve;
	int64_t memory = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	struct cgroup_limits l = { 0 };
	char line[32];

	if (r->memory > 0 && r->memory < memory)
		l.memory = memory - r->memory;
	if (r->pids > 0 && file_line("/proc/sys/kernel/pid_max", line, sizeof line))
		l.pids = strtoll(line, NULL, 10) - r->pids;
	return l.memory > 0 || l.pids > 0 ? cgroup_create(&h->cgroups, group, &l, err) : 0;
}
