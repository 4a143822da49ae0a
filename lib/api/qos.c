/* A Pod's quality of service: what it is killed for first when memory runs out. */
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/quantity.h"
#include "base/mem.h"

static const char *const names[] = { "cpu", "memory" };

struct sum {
	int64_t requests[2], limits[2]; /* of cpu and memory; 0: nobody says */
	bool limited;			/* by every container, in both */
};

/* What one asks for, which is the limit unless it says, and may have at most; nothing and 0 are
 * the same. */
static void
add(struct sum *s, const json_t *resources)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		json_t *asked = get(resources, "requests", names[i]);
		json_t *most = get(resources, "limits", names[i]);
		int64_t request = quantity_milli(asked ? asked : most);
		int64_t limit = quantity_milli(most);

		s->requests[i] += request > 0 ? request : 0;
		s->limits[i] += limit > 0 ? limit : 0;
		s->limited = s->limited && limit > 0;
	}
}

const char *
pod_qos(const json_t *pod)
{
	static const char *const lists[] = { "containers", "initContainers" };
	struct sum s = { .limited = true };
	bool any = false, same = true;
	json_t *c;
	size_t k;

	if (json_object_size(get(pod, "spec", "resources", "requests")) ||
	    json_object_size(get(pod, "spec", "resources", "limits")))
		add(&s, get(pod, "spec", "resources"));
	else
		for (size_t i = 0; i < COUNT(lists); i++)
			json_array_foreach (json_object_get(get(pod, "spec"), lists[i]), k, c)
				add(&s, json_object_get(c, "resources"));
	for (size_t i = 0; i < COUNT(names); i++) {
		any = any || s.requests[i] || s.limits[i];
		same = same && s.requests[i] == s.limits[i];
	}
	return !any ? "BestEffort" : s.limited && same ? "Guaranteed" : "Burstable";
}
