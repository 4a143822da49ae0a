#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/huge.h"
#include "node/qos.h"
#include "node/spec.h"

static int64_t
amount(const json_t *container, const char *group, const char *name)
{
	const json_t *q = get(container, "resources", group, name);

	return strcmp(name, "cpu") == 0 ? quantity_milli(q) : quantity_value(q);
}

/* What a container asks for: a limit alone is a request too. */
static int64_t
asked(const json_t *container, const char *name)
{
	return get(container, "resources", "requests", name) ? amount(container, "requests", name)
							     : amount(container, "limits", name);
}

json_t *
container_limit(const json_t *pod, const json_t *container, const char *resource)
{
	json_t *own = get(container, "resources", "limits", resource);

	return own ? own : get(pod, "spec", "resources", "limits", resource);
}

json_t *
resources_make(const json_t *pod, const json_t *container, const struct cgroups *groups)
{
	json_t *huge = huge_limits(pod, container, groups);
	int64_t cpu = asked(container, "cpu"),
		cpu_limit = quantity_milli(container_limit(pod, container, "cpu"));
	int64_t memory = quantity_value(container_limit(pod, container, "memory"));
	int64_t quota = cpu_limit > INT64_MAX / 100 ? 0 : cpu_limit * 100; /* no bound at all */
	json_t *r = json_pack("{s:[{s:b, s:s}]}", "devices", "allow", 0, "access", "rwm");

	if (groups->cpu ||
	    cpu > 0) /* a weight is no promise: a machine without is fine when nobody asks */
		put(r, json_integer(qos_shares(cpu)), "cpu", "shares");
	if (quota > 0) { /* per period of 100 ms; the kernel takes no less than 1 ms */
		put(r, json_integer(quota < 1000 ? 1000 : quota), "cpu", "quota");
		put(r, json_integer(100000), "cpu", "period");
	}
	if (huge)
		json_object_set_new(r, "hugepageLimits", huge);
	if (memory > 0)
		put(r, json_integer(memory), "memory", "limit");
	if (memory > 0 &&
	    groups->v2) { /* as the kubelet has it: no swap; one process too many ends all */
		put(r, json_integer(memory), "memory", "swap");
		put(r, json_string("1"), "unified", "memory.oom.group");
	}
	return r;
}

/*
 * What counts as asked for by a container of a pod that asks as a whole (KEP-2837): what the pod
 * asks for beyond its containers is shared out evenly.
 */
static int64_t
memory_asked(const json_t *pod, const json_t *container)
{
	int64_t rest = quantity_value(get(pod, "spec", "resources", "requests", "memory"));
	int64_t own = asked(container, "memory");
	int64_t n = 0;
	json_t *c;
	size_t i;

	if (rest == 0)
		return own;
	json_array_foreach (get(pod, "spec", "containers"), i, c) {
		rest -= asked(c, "memory");
		n++;
	}
	json_array_foreach (get(pod, "spec", "initContainers"), i, c)
		if (strcmp(text(c, "restartPolicy"), "Always") == 0) {
			rest -= asked(c, "memory");
			n++;
		}
	return rest > 0 && n > 0 ? own + rest / n : own;
}

/* A sidecar goes no sooner than the container that asks for least. */
static int64_t
at_least(const json_t *pod, const json_t *container, int64_t memory)
{
	int64_t least = INT64_MAX;
	json_t *c;
	size_t i;

	if (strcmp(text(container, "restartPolicy"), "Always") != 0)
		return memory;
	json_array_foreach (get(pod, "spec", "containers"), i, c) {
		int64_t other = memory_asked(pod, c);

		least = other < least ? other : least;
	}
	return least != INT64_MAX && least > memory ? least : memory;
}

/* Who the kernel kills first (kubelet's QoS policy), never below what we may set ourselves. */
int
oom_score(const json_t *pod, const json_t *container)
{
	const char *qos = pod_qos(pod);
	int64_t machine = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	int64_t score = 1000;
	char line[32];

	if (strcmp(qos, "Guaranteed") == 0)
		score = -997;
	else if (strcmp(qos, "Burstable") == 0 && machine > 0) {
		int64_t memory = at_least(pod, container, memory_asked(pod, container));

		score = memory >= machine ? 3 : 1000 - memory * 1000 / machine;
		score = score < 3 ? 3 : score > 999 ? 999 : score;
	}
	if (file_line("/proc/self/oom_score_adj", line, sizeof line) && score < atoi(line))
		score = atoi(line);
	return (int)score;
}
