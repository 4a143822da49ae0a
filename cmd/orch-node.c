/* orch-node - run the pods that are bound to this machine. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/object.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "client/cache.h"
#include "client/member.h"
#include "node/agent.h"
#include "node/machine.h"
#include "node/objects.h"
#include "node/server.h"

enum { HEARTBEAT = 10, STATUS_EVERY = 300, MAX_EVENTS = 1000 };

static const char *name, *data = "/var/lib/orch", *netns, *pod_cidr, *address, *runtime, *conmon;
static const char *cni_path, *metrics, *pods_file, *pids_arg = "4096", *backoff_arg = "10s",
						   *auth_file, *sync_arg = "1m";
static const char *listen_arg, *client_ca_arg;
static bool clean, once, insecure, verbose;

static const struct opt opts[] = {
	{ 0, "name", "NAME", "the node's name (default: this machine's hostname)", &name, false },
	{ 0, "data", "DIR", "its data folder (default: /var/lib/orch)", &data, false },
	{ 0, "netns", "NAME|PATH", "live in this network namespace", &netns, false },
	{ 0, "pod-cidr", "CIDR", "addresses for pods (default: 10.244.0.0/24)", &pod_cidr, false },
	{ 0, "address", "IP", "the node's address (default: found)", &address, false },
	{ 0, "runtime", "crun|runc|PATH", "the container runtime (default: what works)", &runtime,
	    false },
	{ 0, "conmon", "PATH", "the container monitor", &conmon, false },
	{ 0, "cni-path", "DIR", "where the CNI plugins are", &cni_path, false },
	{ 0, "pods", "FILE", "no server: run the pods of FILE, '-': standard input", &pods_file,
	    false },
	{ 0, "once", NULL, "with --pods: end when all have ended", &once, false },
	{ 0, "clean", NULL, "remove all that ran from this data folder, and end", &clean, false },
	{ 0, "pod-pids", "N", "processes a pod may have, 0: no limit (4096)", &pids_arg, false },
	{ 0, "backoff", "DURATION", "wait before the second restart (10s)", &backoff_arg, false },
	{ 0, "sync-frequency", "DURATION", "wait between looks at ConfigMaps and Secrets (1m)",
	    &sync_arg, false },
	{ 0, "insecure", NULL, "pull in plain HTTP from any registry", &insecure, false },
	{ 0, "auth-file", "FILE", "registry logins (~/.docker/config.json)", &auth_file, false },
	{ 0, "listen", "HOST:PORT", "logs and terminals (ADDRESS:10250, else any)", &listen_arg,
	    false },
	{ 0, "client-ca", "FILE", "whom --listen trusts (the kubeconfig's)", &client_ca_arg,
	    false },
	{ 0, "metrics", "HOST:PORT", "serve figures for Prometheus", &metrics, false },
	{ 'v', "verbose", NULL, "say more", &verbose, false },
	{ 0 },
};
static const struct opt *const shared[] = { client_opts, NULL };

const struct program self = {
	.name = "orch-node",
	.synopsis = "[--name NAME] [--data DIR] [--netns NAME|PATH] [--pod-cidr CIDR]\n"
		    "--pods FILE|- [--once] [--data DIR]\n"
		    "--clean [--data DIR]",
	.summary = "Run the pods that are bound to this machine.",
	.opts = opts,
	.shared = shared,
};

/* Everything that goes on, with a server (client) or without. */
struct node {
	struct host *host;
	struct agent *agent;
	struct client *client;
	struct cache *cache;
	struct world *world; /* ConfigMaps and Secrets out of --pods */
	struct metrics_server *metrics;
	struct node_server server;
	json_t *events;	   /* to be posted when nothing is more urgent */
	double beat, full; /* when the next heartbeat, the next whole status is due */
	bool silent;	   /* the server did not take the last heartbeat: said so */
	bool failed;	   /* --pods: a pod has failed */
	int signals, epoll;
};

static struct metric *pods_metric, *running_metric, *statuses_metric, *errors_metric;

/* --- hooks, with a server ---------------------------------------------------------- */

static const struct kind *
core_kind(const char *kind)
{
	return kind_find("", "v1", kind);
}

static bool
send_status(void *arg, const json_t *pod, const json_t *status)
{
	struct node *n = arg;
	json_auto_t *patch = pod_status_patch(pod, status);
	struct err err;
	int r = client_patch(n->client, core_kind("Pod"), meta_namespace(pod), meta_name(pod),
	    "status", "application/merge-patch+json", patch, NULL, NULL, &err);

	metric_add(statuses_metric, 1);
	if (r == 0 || err.code == ERR_NOT_FOUND || err.code == ERR_CONFLICT)
		return true; /* the pod has gone or is another now: its watch will say so */
	metric_add(errors_metric, 1);
	log_line("cannot report pod %s/%s: %s", meta_namespace(pod), meta_name(pod), err.msg);
	return err.code == ERR_INVALID ||
	       err.code == ERR_BAD_REQUEST; /* saying it again is no use */
}

static bool
delete_pod(void *arg, const json_t *pod)
{
	struct node *n = arg;
	json_auto_t *options = json_pack("{s:s, s:s, s:i, s:{s:s}}", "apiVersion", "v1", "kind",
	    "DeleteOptions", "gracePeriodSeconds", 0, "preconditions", "uid", meta_uid(pod));
	struct err err;

	if (!meta_deleting(pod))
		return true;
	if (client_delete(n->client, core_kind("Pod"), meta_namespace(pod), meta_name(pod), options,
		NULL, &err) == 0 ||
	    err.code == ERR_NOT_FOUND || err.code == ERR_CONFLICT)
		return true;
	metric_add(errors_metric, 1);
	log_line("cannot delete pod %s/%s: %s", meta_namespace(pod), meta_name(pod), err.msg);
	return false;
}

static json_t *
look_up(void *arg, const char *kind, const char *ns, const char *object)
{
	struct node *n = arg;
	json_t *obj = NULL;
	struct err err;

	if (client_get(n->client, core_kind(kind), ns, object, &obj, &err) < 0)
		return NULL;
	return obj;
}

/* A TokenRequest, bound to the pod: the token ends with it. */
static char *
get_token(void *arg, const json_t *pod, const char *audience, json_int_t seconds)
{
	struct node *n = arg;
	json_auto_t *request = json_pack("{s:s, s:s, s:{s:I, s:{s:s, s:s, s:s, s:s}}}",
	    "apiVersion", "authentication.k8s.io/v1", "kind", "TokenRequest", "spec",
	    "expirationSeconds", seconds, "boundObjectRef", "kind", "Pod", "apiVersion", "v1",
	    "name", meta_name(pod), "uid", meta_uid(pod));
	autofree char *path = client_path(core_kind("ServiceAccount"), meta_namespace(pod),
	    text(pod, "spec", "serviceAccountName"), "token");
	autofree char *body = NULL;
	autobuf struct buf reply = BUF_INIT;
	json_auto_t *answer = NULL;
	struct err err = { 0 };
	int status = 0;

	put(request, *audience ? json_pack("[s]", audience) : json_array(), "spec", "audiences");
	body = json_dumps(request, JSON_COMPACT);
	if (client_request(n->client, "POST", path, "application/json", body, strlen(body), &status,
		&reply, &err) == 0)
		answer = json_loadb(reply.data ? reply.data : "", reply.len, 0, NULL);
	if (!*text(answer, "status", "token")) {
		metric_add(errors_metric, 1);
		log_line("cannot get a token for pod %s/%s: %s", meta_namespace(pod),
		    meta_name(pod), *err.msg ? err.msg : text(answer, "message"));
		return NULL;
	}
	return xstrdup(text(answer, "status", "token"));
}

static void
note_event(void *arg, const json_t *pod, const char *type, const char *reason, const char *message)
{
	struct node *n = arg;
	json_t *event = pod_event(pod, name, type, reason, message, clock_now_us());

	if (event && json_array_size(n->events) < MAX_EVENTS)
		json_array_append_new(n->events, event);
	else
		json_decref(event);
}

static void
post_events(struct node *n)
{
	json_t *event;
	struct err err;
	size_t i;

	json_array_foreach (n->events, i, event)
		if (node_event(n->client, event, pod_event_again, &err) < 0)
			log_more("cannot record an event: %s", err.msg);
	json_array_clear(n->events);
}

/* --- hooks, without one ------------------------------------------------------------- */

static bool
print_status(void *arg, const json_t *pod, const json_t *status)
{
	struct node *n = arg;
	json_auto_t *shown = json_copy((json_t *)pod);

	json_object_set(shown, "status", (json_t *)status);
	jsonl_write(stdout, shown);
	fflush(stdout);
	n->failed = n->failed || strcmp(text(status, "phase"), "Failed") == 0;
	return true;
}

static bool
let_go(void *arg, const json_t *pod)
{
	(void)arg;
	(void)pod;
	return true;
}

static json_t *
look_up_file(void *arg, const char *kind, const char *ns, const char *object)
{
	struct node *n = arg;

	return json_incref((json_t *)world_get(n->world, kind, ns, object));
}

static void
read_pods(struct node *n)
{
	bool in = strcmp(pods_file, "-") == 0;
	autofclose FILE *f = in ? NULL : fopen(pods_file, "re");
	json_auto_t *pods = json_array();
	struct objects *objects;
	struct err err;
	json_t *obj;
	size_t i;
	int r;

	if (!in && !f) {
		err_sys(&err, errno, "cannot open");
		die(&err, "cannot read '%s'", pods_file);
	}
	objects = objects_open(in ? stdin : f, in ? "standard input" : pods_file);
	while ((r = objects_read(objects, &obj, &err)) > 0) {
		if (strcmp(text(obj, "kind"), "Pod") == 0) {
			pod_complete(obj, name);
			json_array_append_new(pods, obj);
			continue;
		}
		if (!*meta_namespace(obj))
			put(obj, json_string("default"), "metadata", "namespace");
		world_put(n->world, obj);
	}
	objects_close(objects);
	if (r < 0)
		die(&err, "cannot read the pods");
	json_array_foreach (pods, i, obj)
		if (agent_set(n->agent, obj, &err) < 0)
			die(&err, "cannot run the pods");
}

/* --- the Node and its Lease ---------------------------------------------------------- */

static int
register_node(struct node *n, struct err *err)
{
	json_auto_t *node = machine_node(n->host, clock_now());
	int r = node_register(n->client, node, err);

	if (r == 0)
		n->full = 0; /* a create leaves status out */
	return r;
}

/* The server's state is what counts: others (the node controller) write conditions too. */
static int
send_node_status(struct node *n, struct err *err)
{
	json_auto_t *node = NULL, *status = NULL, *patch = NULL;
	double now = clock_monotonic();
	int r;

	if ((r = client_get(n->client, core_kind("Node"), NULL, name, &node, err)) < 0)
		return r;
	status = machine_status(n->host, get(node, "status"), clock_now());
	if (now < n->full && !machine_status_changed(status, get(node, "status")))
		return 0;
	patch = json_pack("{s:O}", "status", status);
	if ((r = client_patch(n->client, core_kind("Node"), NULL, name, "status",
		 "application/merge-patch+json", patch, NULL, NULL, err)) == 0)
		n->full = now + STATUS_EVERY;
	return r;
}

static void
heartbeat(struct node *n)
{
	json_auto_t *lease = node_lease(name, clock_now_us());
	struct err err;
	int r = node_renew(n->client, lease, &err);

	if (r == 0)
		r = send_node_status(n, &err);
	if (r == -ERR_NOT_FOUND && (r = register_node(n, &err)) == 0)
		r = send_node_status(n, &err);
	n->beat = clock_monotonic() + (r == 0 ? HEARTBEAT : 2);
	if (r < 0 && !n->silent)
		log_line("cannot send the heartbeat: %s", err.msg);
	else if (r == 0 && n->silent)
		log_line("the server takes heartbeats again");
	n->silent = r < 0;
	if (r < 0)
		metric_add(errors_metric, 1);
}

/* --- the loop -------------------------------------------------------------------------- */

static void
pod_changed(void *arg, const char *type, const json_t *obj, const json_t *old)
{
	struct node *n = arg;
	struct err err;

	if (old && strcmp(meta_uid(old), meta_uid(obj)) != 0)
		agent_drop(
		    n->agent, meta_uid(old)); /* another pod of the same name took its place */
	if (strcmp(type, "DELETED") == 0)
		agent_drop(n->agent, meta_uid(obj));
	else if (agent_set(n->agent, obj, &err) < 0)
		log_line("%s", err.msg);
}

static void
listen_to(struct node *n, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(n->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		die(NULL, "cannot watch a descriptor: %s", strerror(errno));
}

/* One descriptor for all that is not the server: signals, the agent, --metrics. */
static void
open_events(struct node *n)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	n->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	n->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (n->signals < 0 || n->epoll < 0)
		die(NULL, "cannot watch for signals: %s", strerror(errno));
	listen_to(n, n->signals);
	listen_to(n, agent_fd(n->agent));
	if (n->metrics)
		listen_to(n, metrics_fd(n->metrics));
}

static bool
told_to_end(struct node *n)
{
	struct signalfd_siginfo info;

	return read(n->signals, &info, sizeof info) == (ssize_t)sizeof info;
}

/* Agent, figures; the seconds until one of them has something to do by itself. */
static double
turn(struct node *n)
{
	struct err err;
	double wait;

	agent_step(n->agent);
	if (n->client)
		post_events(n);
	if (n->metrics)
		metrics_serve(n->metrics);
	if (server_check(&n->server, n->host, &err) < 0)
		log_line("cannot serve logs and terminals: %s", err.msg);
	metric_set(pods_metric, (int64_t)agent_pods(n->agent));
	metric_set(running_metric, (int64_t)agent_running(n->agent));
	wait = agent_wait(n->agent);
	return wait < 0 ? 60 : wait;
}

/* Until a signal; containers run on. */
static int
run_with_server(struct node *n)
{
	bool settled = false;
	struct err err;

	while (!told_to_end(n)) {
		double wait = turn(n), beat = n->beat - clock_monotonic();

		if (beat <= 0) {
			heartbeat(n);
			continue;
		}
		if (cache_wait(n->cache, wait < beat ? wait : beat, n->epoll, &err) < 0)
			return complain(&err, "cannot watch the pods of node '%s'", name);
		if (!settled && cache_synced(n->cache)) {
			settled = true;
			agent_settle(n->agent);
		}
	}
	return 0;
}

/* Until a signal, or with --once until all have ended; nothing runs on. */
static int
run_without(struct node *n)
{
	bool ending = false;

	for (;;) {
		double wait = turn(n);
		struct epoll_event e;

		if (told_to_end(n) || (!ending && once && agent_idle(n->agent))) {
			ending = true;
			agent_stop_all(n->agent);
			continue;
		}
		if (ending && agent_pods(n->agent) == 0)
			return n->failed;
		epoll_wait(n->epoll, &e, 1, (int)ceil(wait * 1000));
	}
}

static void
open_metrics(struct node *n)
{
	struct err err;

	pods_metric =
	    metric_new("orch_node_pods", "gauge", "Pods on this node, also ending ones.", NULL);
	running_metric =
	    metric_new("orch_node_running_containers", "gauge", "Containers that run.", NULL);
	statuses_metric = metric_new(
	    "orch_node_status_updates_total", "counter", "Statuses sent to the server.", NULL);
	errors_metric = metric_new(
	    "orch_node_errors_total", "counter", "Requests to the server that failed.", NULL);
	if (metrics && metrics_open(&n->metrics, metrics, &err) < 0)
		die(&err, "cannot serve figures");
}

static struct host *
open_host(void)
{
	struct host_options o = { .name = name,
		.data = data,
		.runtime = runtime,
		.conmon = conmon,
		.cni_path = cni_path,
		.pod_cidr = pod_cidr,
		.address = address,
		.auth_file = auth_file,
		.insecure = insecure,
		.cleaning = clean,
		.keep_logs = pods_file != NULL,
		.pids = (long)cli_number("pod-pids", pids_arg, 0, 1 << 22),
		.backoff = cli_duration("backoff", backoff_arg),
		.renew = cli_duration("sync-frequency", sync_arg) };
	struct host *h;
	struct err err;

	if (host_open(&h, &o, &err) < 0)
		die(&err, "cannot %s", clean ? "clean up" : "start the node");
	return h;
}

/* The pod network: --pod-cidr, else what the server has for this node, else the default. */
static void
choose_cidr(struct node *n)
{
	json_auto_t *node = NULL;
	const char *cidr = pod_cidr;
	struct err err;

	if (!cidr && n->client)
		client_get(n->client, core_kind("Node"), NULL, name, &node, &err);
	if (!cidr)
		cidr = *text(node, "spec", "podCIDR") ? text(node, "spec", "podCIDR")
						      : "10.244.0.0/24";
	if (host_set_cidr(n->host, cidr, &err) < 0)
		die(&err, "cannot start the node");
}

/* Before there are connections that its process would inherit. */
static void
start_server(struct node *n)
{
	const char *ca = client_ca_arg ? client_ca_arg : client_ca(n->client);
	struct err err;

	if (!ca)
		log_line("no logs and terminals for others: there is no --client-ca, nor a "
			 "certificate-authority in the kubeconfig");
	else if (server_start(&n->server, n->host, listen_arg, ca, &err) < 0)
		die(&err, "cannot serve logs and terminals");
}

/* Be known to the server before anything else; wait for it as long as it takes. */
static void
join(struct node *n)
{
	bool said = false;
	struct err err;

	if (client_open(&n->client, &err) < 0)
		die(&err, "cannot start the node");
	start_server(n);
	for (;;) {
		json_auto_t *ignored = NULL;
		int r = client_get(n->client, core_kind("Node"), NULL, name, &ignored, &err);

		if (r == 0 || r == -ERR_NOT_FOUND)
			break;
		if (err_exit(err.code) != 3)
			die(&err, "cannot register node '%s'", name);
		if (!said)
			log_line("waiting for %s: %s", client_server(n->client), err.msg);
		said = true;
		sleep(1);
	}
	choose_cidr(n);
	if (register_node(n, &err) < 0)
		die(&err, "cannot register node '%s'", name);
}

static void
follow(struct node *n)
{
	autofree char *fields = xasprintf("spec.nodeName=%s", name);
	struct list_options o = { .fields = fields };
	struct err err;

	if (cache_open(&n->cache, n->client, &err) < 0 ||
	    cache_add(n->cache, core_kind("Pod"), NULL, &o, &err) < 0)
		die(&err, "cannot watch the pods of node '%s'", name);
	cache_on_change(n->cache, pod_changed, n);
}

static int
serve(struct node *n)
{
	struct agent_hooks with = { n, send_status, delete_pod, look_up, note_event, get_token };
	struct agent_hooks without = { n, print_status, let_go, look_up_file, NULL, NULL };
	struct err err;

	if (pods_file)
		choose_cidr(n);
	else
		join(n);
	if (agent_open(&n->agent, n->host, pods_file ? &without : &with, &err) < 0)
		die(&err, "cannot start the node");
	open_metrics(n);
	open_events(n);
	if (pods_file) {
		n->world = world_new();
		read_pods(n);
		agent_settle(n->agent);
		return run_without(n);
	}
	follow(n);
	log_line("node %s: %s, pods in %s, data in %s", name, n->host->o.runtime,
	    n->host->o.pod_cidr, n->host->o.data);
	return run_with_server(n);
}

int
main(int argc, char *argv[])
{
	struct node n = { .events = json_array() };
	autofree char *found = NULL;
	char hostname[256] = "localhost";
	struct err err;
	int status;

	if (argv[cli_parse(argc, argv)])
		usage();
	log_open(self.name, verbose);
	if (geteuid() != 0)
		die(NULL, "cannot start the node: containers need root");
	gethostname(hostname, sizeof hostname - 1);
	if (!name && !clean)
		name = hostname;
	if (netns && machine_enter_netns(netns, &err) < 0)
		die(&err, "cannot start the node");
	if (!address && !clean)
		address = found = machine_address();
	n.host = open_host();
	if (clean) {
		if (agent_clean(n.host, &err) < 0)
			die(&err, "cannot clean up '%s'", data);
		status = 0;
	} else {
		status = serve(&n);
	}
	server_stop(&n.server);
	agent_close(n.agent);
	cache_close(n.cache);
	client_close(n.client);
	world_free(n.world);
	json_decref(n.events);
	host_close(n.host);
	return finish(status);
}
