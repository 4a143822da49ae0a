/*
 * Static pods on a node with a server: each has a mirror there, so that others see it.  The mirror
 * is made and removed here, bears the status, and is never run.
 */
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "kubelet/kubelet_private.h"
#include "kubelet/manifests.h"
#include "node/objects.h"

enum { RETRY = 5 };

static char *
label_of(const json_t *pod)
{
	return xasprintf("%s/%s", meta_namespace(pod), meta_name(pod));
}

bool
statics_is_mirror(const json_t *pod)
{
	return meta_annotation(pod, STATIC_MIRROR) != NULL;
}

static bool
is_static(const json_t *pod)
{
	const char *source = meta_annotation(pod, STATIC_SOURCE);

	return source && strcmp(source, "api") != 0 && !statics_is_mirror(pod);
}

static bool
mirrors(const json_t *mirror, const json_t *pod)
{
	const char *hash = meta_annotation(mirror, STATIC_MIRROR);

	return hash && strcmp(hash, meta_uid(pod)) == 0;
}

/* --- status ------------------------------------------------------------------------------- */

static void
send(struct kubelet *k, const json_t *mirror, const json_t *status)
{
	json_auto_t *patch = pod_status_patch(mirror, status);
	struct err err;

	if (client_patch(k->client, core_kind("Pod"), meta_namespace(mirror), meta_name(mirror),
		"status", "application/merge-patch+json", patch, NULL, NULL, &err) < 0)
		log_more("cannot report static pod %s: %s", meta_name(mirror), err.msg);
}

bool
statics_status(struct kubelet *k, const json_t *pod, const json_t *status)
{
	autofree char *label = label_of(pod);
	json_t *mirror = json_object_get(k->mirrors, label);

	if (!is_static(pod))
		return false;
	json_object_set(k->static_status, meta_uid(pod), (json_t *)status);
	if (mirror && mirrors(mirror, pod))
		send(k, mirror, status);
	return true;
}

/* --- mirrors as the server has them --------------------------------------------------------- */

void
statics_mirror(struct kubelet *k, const char *type, const json_t *mirror)
{
	autofree char *label = label_of(mirror);
	const json_t *pod, *status;

	k->mirrors_due = 0;
	if (strcmp(type, "DELETED") == 0) {
		json_object_del(k->mirrors, label);
		return;
	}
	json_object_set(k->mirrors, label, (json_t *)mirror);
	pod = json_object_get(k->statics, text(mirror, "metadata", "annotations", STATIC_MIRROR));
	status = pod ? json_object_get(k->static_status, meta_uid(pod)) : NULL;
	if (status && !get(mirror, "status", "containerStatuses"))
		send(k, mirror, status);
}

static int
make_mirror(struct kubelet *k, const json_t *pod, struct err *err)
{
	json_auto_t *mirror = json_deep_copy(pod), *node = NULL;
	int r;

	if ((r = client_get(k->client, core_kind("Node"), NULL, k->name, &node, err)) < 0)
		return r;
	json_object_del(get(mirror, "metadata"), "uid");
	put(mirror, json_string(meta_uid(pod)), "metadata", "annotations", STATIC_MIRROR);
	put(mirror,
	    json_pack("[{s:s, s:s, s:s, s:s, s:b}]", "apiVersion", "v1", "kind", "Node", "name",
		k->name, "uid", meta_uid(node), "controller", 1),
	    "metadata", "ownerReferences");
	r = client_create(k->client, mirror, NULL, NULL, err);
	return r == -ERR_EXISTS ? 0 : r; /* the watch will show it */
}

static int
remove_mirror(struct kubelet *k, const json_t *mirror, struct err *err)
{
	json_auto_t *options = json_pack("{s:s, s:s, s:i, s:{s:s}}", "apiVersion", "v1", "kind",
	    "DeleteOptions", "gracePeriodSeconds", 0, "preconditions", "uid", meta_uid(mirror));
	int r = client_delete(k->client, core_kind("Pod"), meta_namespace(mirror),
	    meta_name(mirror), options, NULL, err);

	return r == -ERR_NOT_FOUND || r == -ERR_CONFLICT ? 0 : r;
}

/* Mirrors for what has none, none for what is no more.  Who waits to be told of is told once. */
static int
settle_mirrors(struct kubelet *k, struct err *err)
{
	const char *key;
	json_t *pod, *mirror;
	int r;

	json_object_foreach (k->mirrors, key, mirror) {
		const char *uid = meta_annotation(mirror, STATIC_MIRROR);

		if ((!json_object_get(k->statics, uid) || meta_deleting(mirror)) &&
		    (r = remove_mirror(k, mirror, err)) < 0)
			return r;
	}
	json_object_foreach (k->statics, key, pod) {
		autofree char *label = label_of(pod);

		if (!json_object_get(k->mirrors, label) && (r = make_mirror(k, pod, err)) < 0)
			return r;
	}
	return 0;
}

/* --- the pods themselves ---------------------------------------------------------------------- */

static void
take(struct kubelet *k, json_t *pods)
{
	const char *uid;
	json_t *pod;
	struct err err;

	json_object_foreach (k->statics, uid, pod)
		if (!json_object_get(pods, uid)) {
			agent_drop(k->agent, uid);
			json_object_del(k->static_status, uid);
		}
	json_object_foreach (pods, uid, pod)
		if (!json_object_get(k->statics, uid) && agent_set(k->agent, pod, &err) < 0)
			log_line("%s", err.msg);
	json_decref(k->statics);
	k->statics = pods;
	k->mirrors_due = 0;
}

void
statics_step(struct kubelet *k)
{
	json_t *pods = k->manifests ? manifests_read(k->manifests) : NULL;
	double now = clock_monotonic();
	struct err err;

	if (pods)
		take(k, pods);
	if (!k->settled || k->mirrors_due > now || client_resting(k->client))
		return;
	k->mirrors_due = now + 60;
	if (settle_mirrors(k, &err) < 0) {
		log_line("cannot keep the mirrors of static pods: %s", err.msg);
		k->mirrors_due = now + RETRY;
	}
}
