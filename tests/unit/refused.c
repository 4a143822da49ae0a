/* What controllers say when the API refuses their plan, and that they take it back when all is
 * well. */
#include "cluster.h"

/* A namespace says what cannot be deleted, and all else that there is to say, once. */
static void
namespaces(void)
{
	const struct controller *c = controller_find("namespace");
	struct err why = { ERR_FORBIDDEN, "no, because" }, err;
	json_auto_t *delete = json_pack("{s:s}", "action", "delete");
	struct cluster cluster;
	struct world *w;
	struct plan plan;
	const json_t *status;

	cluster_init(&cluster, 1767225600);
	cluster_add(
	    &cluster, json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:[s]}}", "apiVersion", "v1", "kind",
			  "Namespace", "metadata", "name", "old", "deletionTimestamp",
			  "2026-01-01T00:00:00Z", "spec", "finalizers", "kubernetes"));
	cluster_add(&cluster, json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "example.com/v1",
				  "kind", "Widget", "metadata", "name", "a", "namespace", "old"));
	w = cluster_world(&cluster);
	plan_init(&plan, c->name, "test");
	c->refused(w, world_get(w, "Namespace", "", "old"), delete, &why, &plan);
	assert(json_array_size(plan.actions) == 1);
	status = get(json_array_get(plan.actions, 0), "object");
	assert(condition_true(status, "NamespaceDeletionContentFailure"));
	assert(condition_true(status, "NamespaceContentRemaining"));
	assert(strcmp(text(condition_find(status, "NamespaceDeletionContentFailure"), "message"),
		   "Failed to delete all resource types, 1 remaining: no, because") == 0);
	assert(cluster_act(&cluster, json_array_get(plan.actions, 0), &err) == 0);
	plan_release(&plan);
	world_free(w);

	w = cluster_world(&cluster);
	plan_init(&plan, c->name, "test");
	c->refused(w, world_get(w, "Namespace", "", "old"), delete, &why, &plan);
	assert(json_array_size(plan.actions) == 0);
	plan_release(&plan);
	world_free(w);
	cluster_release(&cluster);
}

int
main(void)
{
	const struct controller *c = controller_find("replicaset");
	struct err why = { ERR_FORBIDDEN, "exceeded quota" }, err;
	json_auto_t *create = json_pack("{s:s}", "action", "create");
	json_auto_t *patch = json_pack("{s:s}", "action", "patch");
	struct cluster cluster;
	struct world *w;
	struct plan plan;
	const json_t *rs;

	cluster_init(&cluster, 1767225600);
	cluster_add(
	    &cluster, json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:i, s:{s:{s:s}}, s:{s:{s:{s:s}}}}}",
			  "apiVersion", "apps/v1", "kind", "ReplicaSet", "metadata", "name", "web",
			  "namespace", "default", "spec", "replicas", 1, "selector", "matchLabels",
			  "app", "web", "template", "metadata", "labels", "app", "web"));
	w = cluster_world(&cluster);
	rs = world_get(w, "ReplicaSet.apps", "default", "web");
	plan_init(&plan, c->name, "test");
	c->refused(w, rs, patch, &why, &plan);
	assert(json_array_size(plan.actions) == 0); /* a conflict of an adoption is no failure */
	c->refused(w, rs, create, &why, &plan);
	assert(json_array_size(plan.actions) == 2);
	assert(
	    strcmp(text(json_array_get(plan.actions, 0), "object", "reason"), "FailedCreate") == 0);
	assert(strcmp(text(json_array_get(plan.actions, 0), "object", "message"),
		   "Error creating: exceeded quota") == 0);
	assert(cluster_act(&cluster, json_array_get(plan.actions, 1), &err) == 0);
	plan_release(&plan);
	world_free(w);

	rs = json_array_get(cluster.objects, 0);
	assert(condition_true(rs, "ReplicaFailure"));
	w = cluster_world(&cluster);
	plan_init(&plan, c->name, "test");
	c->refused(w, rs, create, &why, &plan);
	assert(json_array_size(plan.actions) == 1); /* the same again is only counted */
	plan_release(&plan);
	world_free(w);
	cluster_release(&cluster);
	namespaces();
	return 0;
}
