/* What the pods of a node ask for together. */
#include <string.h>

#include "api/pod.h"
#include "base/log.h"
#include "node/agent_state.h"
#include "node/qos.h"

/* One that is to end needs it until it has ended. */
bool
uses_resources(const struct pod *p)
{
	return !p->retired && p->sandbox != SANDBOX_DOWN && (p->sandbox == SANDBOX || !pod_over(p));
}

void
weigh_burstable(struct agent *a)
{
	int64_t sum = 0;
	struct err err;

	for (size_t i = 0; i < a->n; i++) {
		const struct pod *p = a->pod[i];
		int64_t cpu;

		if (!uses_resources(p) || strcmp(pod_qos(p->object), "Burstable") != 0)
			continue;
		cpu = pod_request(p->object, "cpu");
		sum = cpu > INT64_MAX - sum ? INT64_MAX : sum + cpu;
	}
	if (sum == a->weighed)
		return;
	a->weighed = sum;
	if (qos_weigh(a->host, sum, &err) < 0)
		log_line("cannot share out processor time: %s", err.msg);
}
