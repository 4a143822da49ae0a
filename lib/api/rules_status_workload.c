/* What the status of a workload must keep to: counts that fit together. */
#include <string.h>

#include "api/rules_status.h"

static const struct path *const top = NULL;

static json_int_t
count(const json_t *obj, const char *key)
{
	return num(get(obj, "status", key), 0);
}

/* keys ends with NULL */
static void
check_counts(struct causes *out, const json_t *obj, const char *const *keys)
{
	for (; *keys; keys++)
		check_not_negative(out, AT(top, "status"), json_object_get(obj, "status"), *keys);
}

static void
check_at_most(
    struct causes *out, const json_t *obj, const char *key, const char *limit, const char *called)
{
	if (count(obj, key) > count(obj, limit))
		refuse_number(out, AT(AT(top, "status"), key), count(obj, key),
		    "cannot be greater than %s", called);
}

/* How often a name was taken only grows. */
static void
check_collisions(struct causes *out, const json_t *obj, const json_t *old)
{
	if (get(old, "status", "collisionCount") &&
	    count(obj, "collisionCount") < count(old, "collisionCount"))
		refuse_number(out, AT(AT(top, "status"), "collisionCount"),
		    count(obj, "collisionCount"), "cannot be decremented");
}

void
deployment_status(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const counts[] = { "observedGeneration", "replicas", "updatedReplicas",
		"readyReplicas", "availableReplicas", "unavailableReplicas", "terminatingReplicas",
		"collisionCount", NULL };

	check_counts(out, obj, counts);
	check_at_most(out, obj, "updatedReplicas", "replicas", "status.replicas");
	check_at_most(out, obj, "readyReplicas", "replicas", "status.replicas");
	check_at_most(out, obj, "availableReplicas", "replicas", "status.replicas");
	check_at_most(out, obj, "availableReplicas", "readyReplicas", "readyReplicas");
	check_collisions(out, obj, old);
}

void
replica_set_status(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const counts[] = { "replicas", "fullyLabeledReplicas", "readyReplicas",
		"availableReplicas", "terminatingReplicas", "observedGeneration", NULL };

	(void)old;
	check_counts(out, obj, counts);
	check_at_most(out, obj, "fullyLabeledReplicas", "replicas", "status.replicas");
	check_at_most(out, obj, "readyReplicas", "replicas", "status.replicas");
	check_at_most(out, obj, "availableReplicas", "replicas", "status.replicas");
	check_at_most(out, obj, "availableReplicas", "readyReplicas", "readyReplicas");
}

void
stateful_set_status(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const counts[] = { "replicas", "readyReplicas", "currentReplicas",
		"updatedReplicas", "availableReplicas", "observedGeneration", "collisionCount",
		NULL };

	check_counts(out, obj, counts);
	check_at_most(out, obj, "readyReplicas", "replicas", "status.replicas");
	check_at_most(out, obj, "currentReplicas", "replicas", "status.replicas");
	check_at_most(out, obj, "updatedReplicas", "replicas", "status.replicas");
	check_at_most(out, obj, "availableReplicas", "replicas", "status.replicas");
	check_at_most(out, obj, "availableReplicas", "readyReplicas", "status.readyReplicas");
	check_collisions(out, obj, old);
}

void
daemon_set_status(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const counts[] = { "currentNumberScheduled", "numberMisscheduled",
		"desiredNumberScheduled", "numberReady", "observedGeneration",
		"updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount",
		NULL };

	check_counts(out, obj, counts);
	check_collisions(out, obj, old);
}

void
autoscaler_status(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const counts[] = { "currentReplicas", "desiredReplicas", NULL };

	(void)old;
	check_counts(out, obj, counts);
}

void
disruption_budget_status(struct causes *out, const json_t *obj, const json_t *old)
{
	static const char *const counts[] = { "disruptionsAllowed", "currentHealthy",
		"desiredHealthy", "expectedPods", NULL };

	(void)old;
	check_conditions(
	    out, AT(AT(top, "status"), "conditions"), get(obj, "status", "conditions"));
	check_counts(out, obj, counts);
}
