/* Which keys a change wakes, beyond the owner of what has changed. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/meta.h"
#include "base/buf.h"
#include "base/mem.h"
#include "control/control.h"

static struct world *w;

static void
add(const char *text_of)
{
	json_t *obj = json_loads(text_of, 0, NULL);

	assert(obj);
	world_put(w, obj);
}

static void
note(void *arg, const char *group_kind, const char *ns, const char *name)
{
	buf_printf(arg, "%s%s/%s ", group_kind ? group_kind : "", ns, name);
}

/* Changing this object wakes these keys of the controller. */
static void
expect(const char *controller, const char *changed, const char *keys)
{
	const struct controller *c = controller_find(controller);
	json_auto_t *obj = json_loads(changed, 0, NULL);
	autobuf struct buf woken = BUF_INIT;

	assert(c && obj);
	buf_puts(&woken, "");
	c->wakes(w, obj, note, &woken);
	if (strcmp(woken.data, keys) != 0) {
		fprintf(
		    stderr, "%s: %s wakes '%s', not '%s'\n", controller, changed, woken.data, keys);
		exit(1);
	}
}

#define META(name, more) "\"metadata\": {\"namespace\": \"a\", \"name\": \"" name "\"" more "}"
#define LABELS(app) ", \"labels\": {\"app\": \"" app "\"}"
#define OWNER(uid) ", \"ownerReferences\": [{\"uid\": \"" uid "\", \"controller\": true}]"
#define UID(uid) ", \"uid\": \"" uid "\""
#define SELECT "\"selector\": {\"matchLabels\": {\"app\": \"web\"}}"
#define TEMPLATE "\"template\": {\"metadata\": {\"labels\": {\"app\": \"web\"}}}"
#define APPS(kind) "{\"apiVersion\": \"apps/v1\", \"kind\": \"" kind "\", "
#define CORE(kind) "{\"apiVersion\": \"v1\", \"kind\": \"" kind "\", "

static void
workloads(void)
{
	add(APPS("Deployment") META(
	    "slow", UID("d1")) ", \"spec\": {\"strategy\": {\"type\": \"Recreate\"}, " SELECT "}}");
	add(APPS("Deployment") META("roll", UID("d2")) ", \"spec\": {" SELECT "}}");
	add(APPS("Deployment") META("every", "") ", \"spec\": {\"selector\": {}}}");
	add(APPS("Deployment") META(
	    "other", "") ", \"spec\": {\"selector\": {\"matchLabels\": {\"app\": \"db\"}}}}");
	add(APPS("ReplicaSet") META("slow-1", UID("r1") OWNER("d1")) ", \"spec\": {" SELECT
								     ", " TEMPLATE "}}");
	add(APPS("ReplicaSet") META("roll-1", UID("r2") OWNER("d2")) ", \"spec\": {" SELECT
								     ", " TEMPLATE "}}");
	/* a Pod matters to a Deployment that waits for the old ones to go, whatever its own labels
	 */
	expect("deployment", CORE("Pod") META("p", OWNER("r1")) "}", "a/slow ");
	expect("deployment", CORE("Pod") META("p", OWNER("r2")) "}", "");
	expect("deployment", CORE("Pod") META("p", LABELS("web")) "}", "");
	/* orphans wake who might adopt them */
	expect("deployment", APPS("ReplicaSet") META("r", LABELS("web")) "}", "a/roll a/slow ");
	expect("deployment", APPS("ReplicaSet") META("r", LABELS("web") OWNER("d1")) "}", "");
	expect("replicaset", CORE("Pod") META("p", LABELS("web")) "}", "a/roll-1 a/slow-1 ");
	expect("replicaset", CORE("Pod") META("p", LABELS("db")) "}", "");
	expect("replicaset", CORE("Pod") META("p", LABELS("web") OWNER("r1")) "}", "");
}

static void
namespaces(void)
{
	add(CORE("Namespace") "\"metadata\": {\"name\": \"a\"}}");
	expect("namespace", CORE("Pod") META("p", "") "}", "");
	add(CORE("Namespace") "\"metadata\": {\"name\": \"a\", \"deletionTimestamp\": "
			      "\"2026-01-01T00:00:00Z\"}}");
	expect("namespace", CORE("Pod") META("p", "") "}", "/a ");
	expect("namespace", CORE("Node") "\"metadata\": {\"name\": \"n1\"}}", "");
}

static void
nodes(void)
{
	add(CORE("Pod") META("p1", "") ", \"spec\": {\"nodeName\": \"n1\"}}");
	add(CORE("Pod") META("p2", "") ", \"spec\": {\"nodeName\": \"n1\"}}");
	add(CORE("Pod") META("p3", "") ", \"spec\": {\"nodeName\": \"n2\"}}");
	expect("node", CORE("Pod") META("p", "") ", \"spec\": {\"nodeName\": \"n1\"}}", "/n1 ");
	expect("node", CORE("Pod") META("p", "") "}", "");
	expect("node",
	    "{\"kind\": \"Lease\", \"metadata\": {\"namespace\": \"kube-node-lease\", \"name\": "
	    "\"n1\"}}",
	    "/n1 ");
	expect("node",
	    "{\"kind\": \"Lease\", \"metadata\": {\"namespace\": \"a\", \"name\": \"n1\"}}", "");
	expect("podgc", CORE("Node") "\"metadata\": {\"name\": \"n1\"}}", "a/p1 a/p2 ");
	add(CORE("Node") "\"metadata\": {\"name\": \"n1\"}}");
	expect("podgc", CORE("Node") "\"metadata\": {\"name\": \"n1\"}}", "");
	expect("podgc",
	    CORE("Node") "\"metadata\": {\"name\": \"n1\"}, \"spec\": {\"taints\": [{\"key\": "
			 "\"node.kubernetes.io/out-of-service\"}]}}",
	    "a/p1 a/p2 ");
}

static void
budgets(void)
{
	expect("disruption", CORE("Pod") META("p", "") "}", "");
	add("{\"apiVersion\": \"policy/v1\", \"kind\": \"PodDisruptionBudget\", " META(
	    "b", "") "}");
	expect("disruption", CORE("Pod") META("p", "") "}", "a/b ");
	expect("disruption", APPS("Deployment") META("d", "") "}", "a/b ");
	expect(
	    "disruption", CORE("Pod") "\"metadata\": {\"namespace\": \"z\", \"name\": \"p\"}}", "");
}

int
main(void)
{
	w = world_new();
	workloads();
	namespaces();
	nodes();
	budgets();
	world_free(w);
	return 0;
}
