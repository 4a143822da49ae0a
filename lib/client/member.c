#include "client/member.h"
#include "api/meta.h"

static const char MERGE[] = "application/merge-patch+json";

int
node_register(struct client *c, const json_t *node, struct err *err)
{
	const struct kind *k = kind_find("", "v1", "Node");
	json_auto_t *patch = NULL, *got = NULL;
	int r = client_create(c, node, NULL, NULL, err);

	if (r != -ERR_EXISTS)
		return r < 0 ? r : 0;
	if ((r = client_get(c, k, NULL, meta_name(node), &got, err)) < 0)
		return r;
	patch = json_pack("{s:{s:O, s:O}}", "metadata", "labels", get(node, "metadata", "labels"),
	    "annotations", get(node, "metadata", "annotations"));
	if (!*text(got, "spec", "podCIDR"))
		json_object_set(patch, "spec", get(node, "spec"));
	r = client_patch(c, k, NULL, meta_name(node), NULL, MERGE, patch, NULL, NULL, err);
	return r < 0 ? r : 0;
}

int
node_renew(struct client *c, const json_t *lease, struct err *err)
{
	const struct kind *k = kind_find("coordination.k8s.io", "v1", "Lease");
	json_auto_t *patch = json_pack("{s:O}", "spec", get(lease, "spec")), *node = NULL;
	json_auto_t *owned = NULL;
	int r = client_patch(
	    c, k, meta_namespace(lease), meta_name(lease), NULL, MERGE, patch, NULL, NULL, err);

	if (r != -ERR_NOT_FOUND)
		return r;
	if ((r = client_get(c, kind_find("", "v1", "Node"), NULL, meta_name(lease), &node, err)) <
	    0)
		return r;
	owned = json_deep_copy(lease);
	put(owned,
	    json_pack("[{s:s, s:s, s:s, s:s}]", "apiVersion", "v1", "kind", "Node", "name",
		meta_name(node), "uid", meta_uid(node)),
	    "metadata", "ownerReferences");
	return client_create(c, owned, NULL, NULL, err);
}

int
node_event(struct client *c, const json_t *event,
    json_t *(*again)(const json_t *event, const json_t *old), struct err *err)
{
	const struct kind *k = kind_find("", "v1", "Event");
	json_auto_t *old = NULL, *patch = NULL;
	int r = client_create(c, event, NULL, NULL, err);

	if (r != -ERR_EXISTS)
		return r;
	if ((r = client_get(c, k, meta_namespace(event), meta_name(event), &old, err)) < 0)
		return r;
	patch = again(event, old);
	return client_patch(
	    c, k, meta_namespace(event), meta_name(event), NULL, MERGE, patch, NULL, NULL, err);
}
