/* What the pods of a node ask for together. */
#include <string.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/resources.h"
#include "base/log.h"
#include "base/mem.h"
#include "node/admit_room.h"
#include "node/agent_state.h"
#include "node/machine.h"
#include "node/pressure.h"
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

/* Only who wants a certain node costs a question. */
static char *
wrong_node(struct agent *a, const struct pod *p, char **message)
{
	json_auto_t *node = NULL;

	if (!json_object_size(get(p->object, "spec", "nodeSelector")) &&
	    !get(p->object, "spec", "affinity", "nodeAffinity",
		"requiredDuringSchedulingIgnoredDuringExecution"))
		return NULL;
	if (a->hooks.lookup)
		node = a->hooks.lookup(a->hooks.arg, "Node", "", a->host->o.name);
	return json_is_object(node) ? node_refuses(p->object, node, message) : NULL;
}

/* Others may have said that this node has something (extended resources): its Node is asked for
 * what a pod wants and we do not know. */
static void
add_extended(struct agent *a, const json_t *pod, json_t *allocatable, bool ask)
{
	json_auto_t *asked = pod_resources(pod, "requests", false),
		    *most = pod_resources(pod, "limits", false), *node = NULL;
	bool looked = false;
	const char *name;
	json_t *v;

	resources_raise(asked, most);
	json_object_foreach (asked, name, v) {
		if (json_object_get(allocatable, name))
			continue;
		if (ask && !looked && a->hooks.lookup)
			node = a->hooks.lookup(a->hooks.arg, "Node", "", a->host->o.name);
		looked = true;
		if (!ask || json_is_true(node)) /* nobody can say now: the scheduler could */
			json_object_set_new(allocatable, name, json_string("9E"));
		else if (get(node, "status", "allocatable", name))
			json_object_set(
			    allocatable, name, get(node, "status", "allocatable", name));
	}
}

/* What is short has a name in a Node's conditions; they are in the order of these. */
static char *
too_little(const struct agent *a, const struct pod *p, char **message)
{
	static const char *const names[CONDITIONS] = { [MEMORY_PRESSURE] = "MemoryPressure",
		[DISK_PRESSURE] = "DiskPressure",
		[PID_PRESSURE] = "PIDPressure" };
	const char *felt[CONDITIONS + 1] = { 0 };
	size_t n = 0;

	for (int i = 0; i < CONDITIONS; i++)
		if (pressure_felt(a->host, (enum condition_of)i, (int64_t)now_seconds()))
			felt[n++] = names[i];
	return pressure_refuses(p->object, felt, message);
}

char *
weigh_room(struct agent *a, const struct pod *p, const json_t *as, char **message)
{
	autofree const json_t **others = xcalloc(a->n + 1, sizeof *others);
	json_auto_t *allocatable = machine_allocatable(a->host);
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		if (a->pod[i] != p && uses_resources(a->pod[i]))
			others[n++] = a->pod[i]->object;
	add_extended(a, as, allocatable, as == p->object); /* they do not change */
	return room_refuses(as, others, n, allocatable, message);
}

char *
weigh_refuses(struct agent *a, const struct pod *p, char **message)
{
	char *reason;

	if ((reason = too_little(a, p, message)) || (reason = wrong_node(a, p, message)))
		return reason;
	return weigh_room(a, p, p->object, message);
}
