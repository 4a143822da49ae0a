/*
 * ServiceAccount: each namespace has an account named "default".
 *	reads	Namespaces, ServiceAccounts
 *	plans	create ServiceAccount
 *
 * The account is made again when somebody deletes it: Pods that name none run as it, and the
 * store's ServiceAccount admission refuses them without.
 */
#include <string.h>

#include "api/meta.h"
#include "control/control.h"

static int
reconcile(const struct world *w, const json_t *ns, struct plan *out, struct err *err)
{
	const char *name = meta_name(ns);

	(void)err;
	if (meta_deleting(ns) || strcmp(text(ns, "status", "phase"), "Terminating") == 0 ||
	    world_get(w, "ServiceAccount", name, "default"))
		return 0;
	plan_add(out, ACT_CREATE,
	    json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "v1", "kind", "ServiceAccount",
		"metadata", "name", "default", "namespace", name),
	    "namespace %s has no default account", name);
	return 0;
}

static void
wakes(const struct world *w, const json_t *account,
    void (*wake)(void *arg, const char *group_kind, const char *ns, const char *name), void *arg)
{
	const char *ns = meta_namespace(account);

	if (strcmp(meta_name(account), "default") == 0 && world_get(w, "Namespace", "", ns))
		wake(arg, NULL, "", ns);
}

const struct controller serviceaccount_controller = {
	.name = "serviceaccount",
	.kind = "Namespace",
	.reads = (const char *const[]){ "ServiceAccount", NULL },
	.wakes = wakes,
	.reconcile = reconcile,
	.summary = "keep a ServiceAccount named default in each namespace",
};
