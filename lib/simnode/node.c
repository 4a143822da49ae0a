/* Nodes: each is created, says its status, and renews its Lease. */
#include <string.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "simnode/private.h"

enum { STATUS_EVERY = 300, LEASE_SECONDS = 40, MISSED = 30, AGAIN = 5 };

#define NODES "/api/v1/nodes"
#define LEASES "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
static const char JSON[] = "application/json", MERGE[] = "application/merge-patch+json",
		  STRATEGIC[] = "application/strategic-merge-patch+json";

const char *
sim_node_name(const struct sim *s, unsigned index, char buf[static 256])
{
	snprintf(buf, 256, "%s%u", s->o.prefix, index);
	return buf;
}

int
sim_node_index(const struct sim *s, const char *name, size_t len)
{
	size_t prefix = strlen(s->o.prefix);
	unsigned long n = 0;

	if (len <= prefix || len > prefix + 6 || memcmp(name, s->o.prefix, prefix) != 0 ||
	    (name[prefix] == '0' && len > prefix + 1))
		return -1;
	for (size_t i = prefix; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		n = n * 10 + (unsigned long)(name[i] - '0');
	}
	return n < s->o.nodes ? (int)n : -1;
}

/* --- objects ------------------------------------------------------------------------ */

static json_t *
labels(const struct sim *s, const char *name)
{
	json_t *l = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kubernetes.io/hostname", name,
	    "kubernetes.io/os", "linux", "kubernetes.io/arch", "amd64", "beta.kubernetes.io/os",
	    "linux", "beta.kubernetes.io/arch", "amd64", "orch.io/simulated", "true");

	json_object_update(l, (json_t *)s->o.labels);
	return l;
}

static json_t *
resources(const struct sim *s)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "cpu", s->o.cpu, "memory", s->o.memory,
	    "ephemeral-storage", "100Gi", "pods", json_sprintf("%d", s->o.pods));
}

static json_t *
condition(const char *type, const char *status, const char *reason, const char *message,
    const char *now, bool first)
{
	json_t *c = json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", type, "status", status, "reason",
	    reason, "message", message, "lastHeartbeatTime", now);

	if (first)
		json_object_set_new(c, "lastTransitionTime", json_string(now));
	return c;
}

/* `back`: it may have been thought lost, so that the conditions are another state. */
static json_t *
status(const struct node *n, const char *name, bool back)
{
	static const struct {
		const char *type, *reason, *message;
	} fine[] = {
		{ "MemoryPressure", "KubeletHasSufficientMemory", "there is memory" },
		{ "DiskPressure", "KubeletHasNoDiskPressure", "there is disk space" },
		{ "PIDPressure", "KubeletHasSufficientPID", "there are process ids" },
	};
	char now[TIME_TEXT];
	json_t *all = json_array(), *s;

	time_print(clock_now(), now);
	for (size_t i = 0; i < COUNT(fine); i++)
		json_array_append_new(all,
		    condition(fine[i].type, "False", fine[i].reason, fine[i].message, now, back));
	json_array_append_new(
	    all, condition("Ready", "True", "KubeletReady", "orch-simnode is running", now, back));
	s = json_pack("{s:o, s:o, s:o, s:[{s:s, s:o}, {s:s, s:s}]}", "conditions", all, "capacity",
	    resources(n->sim), "allocatable", resources(n->sim), "addresses", "type", "InternalIP",
	    "address", json_sprintf("10.%u.%u.1", 128 + n->index / 256, n->index % 256), "type",
	    "Hostname", "address", name);
	json_object_set_new(s, "nodeInfo",
	    json_pack("{s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "machineID",
		json_sprintf("simulated-%s", name), "systemUUID",
		json_sprintf("simulated-%s", name), "bootID", json_sprintf("simulated-%s", name),
		"kernelVersion", "simulated", "osImage", "simulated", "containerRuntimeVersion",
		"orch://" ORCH_VERSION "+none", "kubeletVersion", "v1.36.0+orch-" ORCH_VERSION,
		"kubeProxyVersion", "", "operatingSystem", "linux", "architecture", "amd64"));
	return s;
}

static char *
node_body(const struct node *n, const char *name)
{
	json_auto_t *cidr = json_sprintf("10.%u.%u.0/24", 128 + n->index / 256, n->index % 256);
	json_auto_t *node = json_pack("{s:s, s:s, s:{s:s, s:o}, s:{s:O, s:[O], s:O*}, s:o}",
	    "apiVersion", "v1", "kind", "Node", "metadata", "name", name, "labels",
	    labels(n->sim, name), "spec", "podCIDR", cidr, "podCIDRs", cidr, "taints",
	    n->sim->o.taints, "status", status(n, name, true));

	return json_dumps(node, JSON_COMPACT);
}

static char *
label_body(const struct node *n, const char *name)
{
	json_auto_t *patch = json_pack("{s:{s:o}}", "metadata", "labels", labels(n->sim, name));

	return json_dumps(patch, JSON_COMPACT);
}

static char *
status_body(const struct node *n, const char *name)
{
	json_auto_t *patch = json_pack("{s:o}", "status", status(n, name, n->back));

	return json_dumps(patch, JSON_COMPACT);
}

/* While its Node's uid is known, the Lease is told to go with it: there may be one of a Node that
 * had the name before. */
static char *
lease_body(const struct node *n, const char *name)
{
	char now[TIME_TEXT];
	json_auto_t *lease = NULL;

	time_print_micro(clock_now_us(), now);
	if (n->step == LEASE_RENEW && !n->uid)
		return xasprintf("{\"spec\":{\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":%d,"
				 "\"renewTime\":\"%s\"}}",
		    name, LEASE_SECONDS, now);
	lease = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:i, s:s}}", "apiVersion",
	    "coordination.k8s.io/v1", "kind", "Lease", "metadata", "name", name, "namespace",
	    "kube-node-lease", "spec", "holderIdentity", name, "leaseDurationSeconds",
	    LEASE_SECONDS, "renewTime", now);
	if (n->uid)
		put(lease,
		    json_pack("[{s:s, s:s, s:s, s:s}]", "apiVersion", "v1", "kind", "Node", "name",
			name, "uid", n->uid),
		    "metadata", "ownerReferences");
	return json_dumps(lease, JSON_COMPACT);
}

/* --- what an answer leads to ---------------------------------------------------------- */

static void
next(struct node *n, enum node_step step, double due)
{
	n->step = step;
	heap_set(&n->sim->nodes_due, &n->timer, due);
}

/* Its place in the round, so that the heartbeats of all are spread evenly. */
static double
next_slot(const struct node *n, double now)
{
	const struct sim *s = n->sim;
	double place = s->began + s->o.heartbeat * n->index / s->o.nodes;
	double rounds = (now + s->o.heartbeat / 2 - place) / s->o.heartbeat;

	return place + s->o.heartbeat * (rounds < 0 ? 0 : (double)((long long)rounds + 1));
}

static void
note_lateness(struct sim *s, int64_t us)
{
	metric_add(s->m.late, us);
	if (us > s->m.latest->value)
		metric_set(s->m.latest, us);
}

/* The Lease is renewed: what comes next, and does the node fall silent now? */
static void
beaten(struct node *n, double now)
{
	struct sim *s = n->sim;
	bool first = !n->heard, missed = !first && now - n->heard > MISSED;
	char name[256];

	if (n->slot > 0)
		note_lateness(s, (int64_t)((now - n->slot) * 1e6));
	n->heard = now;
	sim_node_name(s, n->index, name);
	if (missed) { /* others may have taken it for lost */
		n->back = true;
		n->status = 0;
	}
	if (n->status <= now) {
		next(n, NODE_STATUS, now);
		return;
	}
	n->slot = next_slot(n, now);
	/* one that was silent speaks for an interval at least */
	if (!first && sim_chance(s, "silence", "", name, ++n->beats) < s->o.silence) {
		n->silent = n->back = true;
		n->slot = n->heard = 0;
		metric_add(s->m.silent, 1);
		next(n, NODE_STATUS,
		    now + sim_between(&s->o.silent, sim_chance(s, "silent", "", name, n->beats)));
		log_more("node %s: silent for %.0f s", name, n->timer.due - now);
		return;
	}
	next(n, LEASE_RENEW, n->slot);
}

static void
note_uid(struct node *n, const struct sent *a)
{
	json_auto_t *node = json_loadb(a->reply, a->len, 0, NULL);

	free(n->uid);
	n->uid = *meta_uid(node) ? xstrdup(meta_uid(node)) : NULL;
	if (!n->known)
		metric_add(n->sim->m.nodes, 1);
	n->known = true;
}

static void
refused(struct node *n, const struct sent *a, double now)
{
	char name[256];
	struct err err;

	client_refusal(a->status, a->reply, a->len, &err);
	if (n->step == NODE_CREATE && err_exit(err.code) == 2) {
		n->sim->fatal = err;
		err_wrap(&n->sim->fatal, "cannot create node '%s'", sim_node_name(n->sim, 0, name));
	}
	log_line("node %s: %s", sim_node_name(n->sim, n->index, name), err.msg);
	metric_add(n->sim->m.errors, 1);
	heap_set(&n->sim->nodes_due, &n->timer, now + AGAIN);
}

static void
removed(struct node *n, double now)
{
	if (n->step == NODE_DELETE) {
		next(n, LEASE_DELETE, now);
		return;
	}
	n->sim->removed++;
}

static void
went_well(struct node *n, const struct sent *a, double now)
{
	switch (n->step) {
	case NODE_CREATE:
	case NODE_LABEL:
		note_uid(n, a);
		n->back = true;
		next(n, n->step == NODE_CREATE ? LEASE_CREATE : LEASE_RENEW, now);
		break;
	case NODE_STATUS:
		n->status = now + STATUS_EVERY;
		n->back = false;
		/* its Lease was renewed just now, unless it was silent */
		next(n, LEASE_RENEW, now - n->heard < 1 ? next_slot(n, now) : now);
		break;
	case LEASE_CREATE:
	case LEASE_RENEW:
		free(steal(n->uid));
		beaten(n, now);
		break;
	case NODE_DELETE:
	case LEASE_DELETE:
		removed(n, now);
		break;
	}
}

static void
answered(void *arg, const struct sent *a)
{
	struct node *n = arg;
	double now = clock_monotonic();
	enum sim_request what = n->step >= NODE_DELETE				    ? REQ_DELETE
				: n->step == NODE_STATUS			    ? REQ_STATUS
				: n->step == LEASE_CREATE || n->step == LEASE_RENEW ? REQ_LEASE
										    : REQ_NODE;

	if (!sim_answered(n->sim, what, a))
		heap_set(&n->sim->nodes_due, &n->timer, now); /* in its turn */
	else if (n->sim->removing && n->step < NODE_DELETE)
		next(n, NODE_DELETE, now);
	else if (a->status < 300)
		went_well(n, a, now);
	else if (a->status == 404 && n->step >= NODE_DELETE)
		removed(n, now);
	else if (a->status == 409 && n->step == NODE_CREATE)
		next(n, NODE_LABEL, now);
	else if (a->status == 409 && n->step == LEASE_CREATE)
		next(n, LEASE_RENEW, now);
	else if (a->status == 404 && n->step == LEASE_RENEW && n->uid)
		next(n, LEASE_CREATE, now);
	else if (a->status == 404 && n->step <= LEASE_RENEW && n->step != LEASE_CREATE)
		next(n, NODE_CREATE, now); /* somebody deleted it: it registers again */
	else
		refused(n, a, now);
}

void
node_act(struct node *n, double now)
{
	struct sender *to = n->sim->sender;
	char name[256], path[512];

	(void)now;
	if (n->silent) {
		n->silent = false;
		metric_add(n->sim->m.silent, -1);
	}
	sim_node_name(n->sim, n->index, name);
	snprintf(path, sizeof path, "%s/%s",
	    n->step == LEASE_RENEW || n->step == LEASE_DELETE ? LEASES : NODES, name);
	switch (n->step) {
	case NODE_CREATE:
		sender_send(to, "POST", NODES, JSON, node_body(n, name), answered, n);
		break;
	case NODE_LABEL:
		sender_send(to, "PATCH", path, MERGE, label_body(n, name), answered, n);
		break;
	case NODE_STATUS:
		strcat(path, "/status");
		sender_send(to, "PATCH", path, STRATEGIC, status_body(n, name), answered, n);
		break;
	case LEASE_CREATE:
		sender_send(to, "POST", LEASES, JSON, lease_body(n, name), answered, n);
		break;
	case LEASE_RENEW:
		sender_send(to, "PATCH", path, MERGE, lease_body(n, name), answered, n);
		break;
	case NODE_DELETE:
	case LEASE_DELETE:
		sender_send(to, "DELETE", path, NULL, NULL, answered, n);
		break;
	}
}
