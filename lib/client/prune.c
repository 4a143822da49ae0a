#include "client/prune.h"

#include <string.h>

#include "api/meta.h"
#include "api/order.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "client/apply.h"
#include "client/applyset.h"
#include "client/threeway.h"

void
prune_usual_kinds(json_t *kinds)
{
	static const char *const usual[] = { "ConfigMap", "Endpoints", "PersistentVolumeClaim",
		"Pod", "ReplicationController", "Secret", "Service", "Job.batch", "CronJob.batch",
		"Ingress.networking.k8s.io", "DaemonSet.apps", "Deployment.apps", "ReplicaSet.apps",
		"StatefulSet.apps" };

	for (size_t i = 0; i < COUNT(usual); i++)
		json_object_set_new(kinds, usual[i], json_true());
}

/* Was it applied: by this manager, or client-side as the annotation tells? */
static bool
applied_by(const json_t *obj, const char *manager)
{
	json_t *entry;
	size_t i;

	json_array_foreach (get(obj, "metadata", "managedFields"), i, entry)
		if (strcmp(text(entry, "operation"), "Apply") == 0 &&
		    strcmp(text(entry, "manager"), manager) == 0)
			return true;
	return meta_annotation(obj, LAST_APPLIED) != NULL;
}

struct pruning {
	const struct prune *how;
	const struct kind *kind;
};

static bool
takes(const struct pruning *p, const json_t *obj)
{
	autofree char *key = apply_key(p->kind, meta_namespace(obj), meta_name(obj));
	const char *set = meta_label(obj, APPLYSET_PART_OF);

	if (json_object_get(p->how->kept, key) || meta_controller(obj) || meta_deleting(obj))
		return false;
	if (p->how->applyset)
		return set && strcmp(set, p->how->applyset) == 0;
	return !set && applied_by(obj, p->how->manager);
}

static int
prune_object(void *arg, json_t *taken, struct err *ignored)
{
	struct pruning *p = arg;
	json_auto_t *obj = taken, *options = NULL;
	struct err err = { 0 };
	int r = 0;

	(void)ignored;
	if (!takes(p, obj))
		return 0;
	options = json_pack("{s:s, s:{s:s}}", "propagationPolicy", "Background", "preconditions",
	    "uid", meta_uid(obj));
	if (p->how->dry == DRY_SERVER)
		put(options, json_pack("[s]", "All"), "dryRun");
	if (p->how->dry != DRY_CLIENT)
		r = client_delete(p->how->client, p->kind, meta_namespace(obj), meta_name(obj),
		    options, NULL, &err);
	if (r != -ERR_NOT_FOUND)
		p->how->said(p->how->arg, p->kind, obj, r, &err);
	return 0;
}

/* Is the API group of a kind that the server does not have gone as a whole, with its definition?
 * Nothing of it can be there then.  (A group that is only out of order is still listed.) */
static bool
group_gone(struct client *c, const char *group_kind)
{
	const char *dot = strchr(group_kind, '.');
	autofree char *path = xasprintf("/apis/%s", dot ? dot + 1 : "");
	autobuf struct buf reply = BUF_INIT;
	struct err err;
	int status;

	return dot && client_request(c, "GET", path, NULL, NULL, 0, &status, &reply, &err) >= 0 &&
	       status == 404;
}

static int
prune_kind(const struct prune *how, const char *kind, struct err *err)
{
	struct pruning p = { .how = how };
	struct list_options o = { .selector = how->selector };
	size_t n;
	autofree const char **places = json_sorted_keys(how->namespaces, &n);
	int r = client_kind(how->client, kind, &p.kind, err);

	if (r == -ERR_BAD_REQUEST && group_gone(how->client, kind))
		return 0;
	if (r < 0)
		return r;
	if (!p.kind->namespaced)
		return client_list(how->client, p.kind, "", &o, prune_object, &p, NULL, err);
	for (size_t i = 0; i < n; i++) {
		r = client_list(how->client, p.kind, places[i], &o, prune_object, &p, NULL, err);
		if (r < 0 && r != -ERR_NOT_FOUND)
			return r;
	}
	return 0;
}

/* "Deployment.apps" without its group. */
static int
rank(const char *group_kind)
{
	size_t n = strcspn(group_kind, ".");
	autofree char *kind = xstrndup(group_kind, n);
	autofree char *version = xasprintf("%s/", group_kind + n + (group_kind[n] == '.'));

	return install_rank(version, kind);
}

static int
last_first(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	int c = rank(y) - rank(x);

	return c ? c : strcmp(x, y);
}

int
prune_run(struct prune *p, struct err *err)
{
	size_t n;
	autofree const char **kinds = json_sorted_keys(p->kinds, &n);

	qsort(kinds, n, sizeof *kinds, last_first);
	for (size_t i = 0; i < n; i++)
		if (prune_kind(p, kinds[i], err) < 0)
			return err_wrap(err, "cannot look for what to prune of %s", kinds[i]);
	return 0;
}
