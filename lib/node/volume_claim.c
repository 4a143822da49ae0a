/* persistentVolumeClaim and ephemeral: by the claim to its PersistentVolume, which is a place on
 * this machine. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/files.h"
#include "node/machine.h"
#include "node/volume_private.h"
#include "schedule/node_terms.h"

bool
volume_claims(const json_t *volume)
{
	return get(volume, "persistentVolumeClaim") || get(volume, "ephemeral");
}

/* Of an ephemeral volume: POD-VOLUME. */
static char *
claim_name(const json_t *pod, const json_t *volume)
{
	if (get(volume, "ephemeral"))
		return xasprintf("%s-%s", meta_name(pod), text(volume, "name"));
	return xstrdup(text(volume, "persistentVolumeClaim", "claimName"));
}

void
claim_sources(json_t *sources, const json_t *pod)
{
	json_t *v;
	size_t i;

	json_array_foreach (get(pod, "spec", "volumes"), i, v)
		if (volume_claims(v)) {
			autofree char *name = claim_name(pod, v);
			autofree char *ref = xasprintf("PersistentVolumeClaim/%s", name);

			json_object_set_new(sources, ref, json_null());
		}
}

static bool
also(json_t *sources, const char *kind, const char *name)
{
	autofree char *ref = xasprintf("%s/%s", kind, name);

	if (!*name || json_object_get(sources, ref))
		return false;
	json_object_set_new(sources, ref, json_null());
	return true;
}

bool
sources_further(json_t *sources, const json_t *pod)
{
	json_t *obj;
	const char *key;
	bool more = false;
	void *tmp;

	json_object_foreach_safe(sources, tmp, key, obj)
	{
		if (text_starts(key, "PersistentVolumeClaim/"))
			more = also(sources, "PersistentVolume", text(obj, "spec", "volumeName")) ||
			       more;
		else if (text_starts(key, "PersistentVolume/") && get(obj, "spec", "nodeAffinity"))
			more = also(sources, "Node", text(pod, "spec", "nodeName")) || more;
	}
	return more;
}

static const json_t *
source(const struct making *m, const char *kind, const char *name)
{
	autofree char *ref = xasprintf("%s/%s", kind, name);

	return json_object_get(m->sources, ref);
}

/* --- from the volume to the PersistentVolume: the kubelet's checks, in its order ------------- */

static bool
controlled_by(const json_t *obj, const json_t *owner)
{
	json_t *ref;
	size_t i;

	json_array_foreach (get(obj, "metadata", "ownerReferences"), i, ref)
		if (truth(get(ref, "controller")) && strcmp(text(ref, "uid"), meta_uid(owner)) == 0)
			return true;
	return false;
}

static int
find_claim(const struct making *m, const char *name, const json_t **ret, struct err *err)
{
	const json_t *claim = source(m, "PersistentVolumeClaim", name);

	if (json_is_true(claim))
		return err_set(err, ERR_UNAVAILABLE,
		    "failed to fetch PVC from API server: the server does not answer");
	if (!json_is_object(claim))
		return err_set(err, ERR_NOT_FOUND,
		    "failed to fetch PVC from API server: persistentvolumeclaims \"%s\" not found",
		    name);
	if (meta_deleting(claim))
		return err_set(err, ERR_CONFLICT, "PVC is being deleted");
	if (strcmp(text(claim, "status", "phase"), "Bound") != 0)
		return err_set(err, ERR_CONFLICT, "PVC is not bound");
	if (!*text(claim, "spec", "volumeName"))
		return err_set(err, ERR_CONFLICT, "PVC has empty pvc.Spec.VolumeName");
	*ret = claim;
	return 0;
}

static int
find_volume(const struct making *m, const json_t *claim, const json_t **ret, struct err *err)
{
	const char *name = text(claim, "spec", "volumeName");
	const json_t *pv = source(m, "PersistentVolume", name);
	const char *uid = text(pv, "spec", "claimRef", "uid");

	if (json_is_true(pv))
		return err_set(err, ERR_UNAVAILABLE,
		    "failed to fetch PV %s from API server: the server does not answer", name);
	if (!json_is_object(pv))
		return err_set(err, ERR_NOT_FOUND,
		    "failed to fetch PV %s from API server: persistentvolumes \"%s\" not found",
		    name, name);
	if (!get(pv, "spec", "claimRef"))
		return err_set(err, ERR_CONFLICT,
		    "found PV object %s but it has a nil pv.Spec.ClaimRef indicating it is not yet "
		    "bound to the claim",
		    name);
	if (strcmp(uid, meta_uid(claim)) != 0)
		return err_set(err, ERR_CONFLICT,
		    "found PV object %s but its pv.Spec.ClaimRef.UID %s does not point to "
		    "claim.UID %s",
		    name, uid, meta_uid(claim));
	*ret = pv;
	return 0;
}

static bool
names_volume(const json_t *list, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (strcmp(text(one, "name"), name) == 0)
			return true;
	return false;
}

/* Is it asked for by this field ("volumeMounts", "volumeDevices") of a container? */
static bool
asked_as(const json_t *pod, const char *field, const char *name)
{
	static const char *const lists[] = { "initContainers", "containers",
		"ephemeralContainers" };
	json_t *c;
	size_t i;

	for (size_t k = 0; k < COUNT(lists); k++)
		json_array_foreach (get(pod, "spec", lists[k]), i, c)
			if (names_volume(get(c, field), name))
				return true;
	return false;
}

bool
volume_used(const json_t *pod, const char *name)
{
	return asked_as(pod, "volumeMounts", name) || asked_as(pod, "volumeDevices", name);
}

static bool
is_block(const json_t *pv)
{
	return strcmp(text(pv, "spec", "volumeMode"), "Block") == 0;
}

static int
check_mode(const struct making *m, const json_t *pv, struct err *err)
{
	const char *name = text(m->volume, "name");

	if (is_block(pv) && asked_as(m->pod, "volumeMounts", name))
		return err_set(err, ERR_INVALID,
		    "volume %s has volumeMode Block, but is specified in volumeMounts", name);
	if (!is_block(pv) && asked_as(m->pod, "volumeDevices", name))
		return err_set(err, ERR_INVALID,
		    "volume %s has volumeMode Filesystem, but is specified in volumeDevices", name);
	return 0;
}

static int
resolve(const struct making *m, const char *name, const json_t **pv, struct err *err)
{
	const json_t *claim = NULL;
	int r;

	if ((r = find_claim(m, name, &claim, err)) < 0)
		return r;
	if (get(m->volume, "ephemeral") && !controlled_by(claim, m->pod))
		return err_set(err, ERR_CONFLICT,
		    "PVC %s/%s was not created for pod %s/%s (pod is not owner)",
		    meta_namespace(claim), name, meta_namespace(m->pod), meta_name(m->pod));
	if ((r = find_volume(m, claim, pv, err)) < 0)
		return r;
	return check_mode(m, *pv, err);
}

/* --- from the PersistentVolume to a place ----------------------------------------------------- */

/* spec.nodeAffinity of the volume: is it on this node? */
static bool
is_here(const struct making *m, const json_t *pv)
{
	const json_t *required = get(pv, "spec", "nodeAffinity", "required");
	const json_t *known = source(m, "Node", text(m->pod, "spec", "nodeName"));
	json_auto_t *self = NULL;

	if (!required)
		return true;
	if (!json_is_object(known)) /* no server says what its labels are */
		known = self = machine_node(m->host, 0);
	return node_terms_match(get(required, "nodeSelectorTerms"), known);
}

static int
check_local(const char *path, bool block, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(err, ERR_NOT_FOUND, "path \"%s\" does not exist", path);
	if (block && !S_ISBLK(st.st_mode))
		return err_set(err, ERR_INVALID, "path \"%s\" is not a block device", path);
	if (!block && !S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "path \"%s\" is not a directory", path);
	return 0;
}

static int
find_place(const json_t *pv, const char **path, struct err *err)
{
	const json_t *local = get(pv, "spec", "local"), *host = get(pv, "spec", "hostPath");
	const char *name = meta_name(pv);
	int r;

	if (!local && (!host || is_block(pv)))
		return err_set(err, ERR_INVALID,
		    "MountVolume.SetUp failed for volume \"%s\" : no volume plugin matched", name);
	*path = text(local ? local : host, "path");
	if (host) {
		r = host_path_check(*path, text(host, "type"), err);
		return r < 0 ? err_wrap(err, "MountVolume.SetUp failed for volume \"%s\" ", name)
			     : 0;
	}
	r = check_local(*path, is_block(pv), err);
	return r < 0 ? err_wrap(err, "%s.NewMounter initialization failed for volume \"%s\" ",
			   is_block(pv) ? "MapVolume" : "MountVolume", name)
		     : 0;
}

/* fsGroup, for who may write there. */
static int
give_to_group(const struct making *m, const json_t *pv, const char *path, struct err *err)
{
	const json_t *security = get(m->pod, "spec", "securityContext");
	json_int_t group = num(get(security, "fsGroup"), -1);
	bool always = strcmp(text(security, "fsGroupChangePolicy"), "OnRootMismatch") != 0;
	int r;

	if (group < 0 || !get(pv, "spec", "local") || is_block(pv) ||
	    volume_readonly(m->pod, text(m->volume, "name")))
		return 0;
	if ((r = volume_own(path, (gid_t)group, always, err)) < 0)
		return err_wrap(err,
		    "MountVolume.SetUp failed for volume \"%s\" : applyFSGroup failed",
		    meta_name(pv));
	return 0;
}

void
volume_groups(const json_t *sources, json_t *groups)
{
	const char *key;
	json_t *obj;
	long long gid;

	json_object_foreach ((json_t *)sources, key, obj)
		if (text_starts(key, "PersistentVolume/") &&
		    text_int(
			text(obj, "metadata", "annotations", "pv.beta.kubernetes.io/gid"), &gid) &&
		    gid >= 0)
			json_array_append_new(groups, json_integer(gid));
}

int
volume_claim(const struct making *m, struct err *err)
{
	autofree char *name = claim_name(m->pod, m->volume);
	const char *v = text(m->volume, "name"), *path = NULL;
	const json_t *pv = NULL;
	int r;

	if ((r = resolve(m, name, &pv, err)) < 0)
		return err_wrap(err,
		    "Unable to attach or mount volumes: unmounted volumes=[%s], unattached "
		    "volumes=[], failed to process volumes=[%s]: error processing PVC %s/%s",
		    v, v, meta_namespace(m->pod), name);
	if (!is_here(m, pv))
		return err_set(err, ERR_CONFLICT,
		    "MountVolume.NodeAffinity check failed for volume \"%s\" : no matching "
		    "NodeSelectorTerms",
		    meta_name(pv));
	if ((r = find_place(pv, &path, err)) < 0 || (r = give_to_group(m, pv, path, err)) < 0)
		return r;
	unlink(m->folder);
	if (symlink(path, m->folder) < 0)
		return err_sys(err, errno, "cannot make '%s'", m->folder);
	return 0;
}
