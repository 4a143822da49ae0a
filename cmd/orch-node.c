/* orch-node - run the pods that are bound to this machine. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/quantity.h"
#include "base/cli.h"
#include "base/lean.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "kubelet/alone.h"
#include "kubelet/kubelet.h"
#include "node/inhibitor.h"
#include "node/machine.h"
#include "node/runtime.h"
#include "node/server.h"

static const char *name, *data = "/var/lib/orch", *netns, *pod_cidr, *address, *runtime, *conmon;
static const char *cni_path, *metrics, *pods_file, *pids_arg = "4096", *backoff_arg = "10s",
						   *auth_file, *sync_arg = "1m";
static const char *log_size_arg = "10Mi", *log_files_arg = "5", *log_every_arg = "10s";
static const char *listen_arg, *client_ca_arg;
static const char *registries, *sysctls, *manifests, *cluster_dns, *cluster_domain;
static const char *kube_reserved = "", *system_reserved = "", *eviction_hard = RESERVE_THRESHOLDS,
		  *max_pods = "110";
static const char *eviction_soft = "", *soft_grace = "", *longest_grace = "0", *reclaim = "",
		  *transition = "5m";
static const char *pull_deadline = "1m";
static const char *gc_high = "85", *gc_low = "80", *gc_ttl = "2m", *gc_age = "0s", *gc_every = "5m";
static const char *grace_arg = "0s", *critical_arg = "0s", *by_priority;
static const char *runtime_timeout = "2m";
static struct list handlers;
static bool clean, once, insecure, seccomp_default, verbose;

static const struct opt opts[] = {
	{ 0, "name", "NAME", "the node's name (default: this machine's hostname)", &name, false },
	{ 0, "data", "DIR", "its data folder (default: /var/lib/orch)", &data, false },
	{ 0, "netns", "NAME|PATH", "live in this network namespace", &netns, false },
	{ 0, "pod-cidr", "CIDR", "addresses for pods (default: 10.244.0.0/24)", &pod_cidr, false },
	{ 0, "cluster-dns", "IP,...", "what pods ask for names (default: what the node asks)",
	    &cluster_dns, false },
	{ 0, "cluster-domain", "NAME", "the cluster's domain (cluster.local)", &cluster_domain,
	    false },
	{ 0, "address", "IP", "the node's address (default: found)", &address, false },
	{ 0, "runtime", "crun|runc|PATH", "the container runtime (default: what works)", &runtime,
	    false },
	{ 0, "runtime-request-timeout", "DURATION", "what a call of it may take (2m)",
	    &runtime_timeout, false },
	{ 0, "runtime-handler", "NAME=PATH", "another, for RuntimeClasses with that handler",
	    &handlers, true },
	{ 0, "conmon", "PATH", "the container monitor", &conmon, false },
	{ 0, "cni-path", "DIR", "where the CNI plugins are", &cni_path, false },
	{ 0, "pods", "FILE", "no server: run the pods of FILE, '-': standard input", &pods_file,
	    false },
	{ 0, "manifests", "DIR", "run the pods of the files in DIR too (static pods)", &manifests,
	    false },
	{ 0, "once", NULL, "with --pods: end when all have ended", &once, false },
	{ 0, "clean", NULL, "remove all that ran from this data folder, and end", &clean, false },
	{ 0, "pod-pids", "N", "processes a pod may have, 0: no limit (4096)", &pids_arg, false },
	{ 0, "max-pods", "N", "pods there may be here (110)", &max_pods, false },
	{ 0, "kube-reserved", "NAME=AMOUNT,...",
	    "not for pods: cpu, memory, ephemeral-storage, pid", &kube_reserved, false },
	{ 0, "system-reserved", "NAME=AMOUNT,...", "the same, added to it", &system_reserved,
	    false },
	{ 0, "eviction-hard", "SIGNAL<AMOUNT,...", "what must be left, amount or percent",
	    &eviction_hard, false },
	{ 0, "eviction-soft", "SIGNAL<AMOUNT,...", "the same, for a while", &eviction_soft, false },
	{ 0, "eviction-soft-grace-period", "SIGNAL=DURATION,...", "for so long", &soft_grace,
	    false },
	{ 0, "eviction-max-pod-grace-period", "SECONDS", "that an evicted pod may have (0)",
	    &longest_grace, false },
	{ 0, "eviction-minimum-reclaim", "SIGNAL=AMOUNT,...", "beyond it before all is well",
	    &reclaim, false },
	{ 0, "eviction-pressure-transition-period", "DURATION", "a condition stays so long (5m)",
	    &transition, false },
	{ 0, "backoff", "DURATION", "wait before the second restart (10s)", &backoff_arg, false },
	{ 0, "sync-frequency", "DURATION", "wait between looks at ConfigMaps and Secrets (1m)",
	    &sync_arg, false },
	{ 0, "container-log-max-size", "QUANTITY", "a log is turned over at (10Mi)", &log_size_arg,
	    false },
	{ 0, "container-log-max-files", "N", "files of one log (5)", &log_files_arg, false },
	{ 0, "container-log-monitor-interval", "DURATION", "between looks at sizes (10s)",
	    &log_every_arg, false },
	{ 0, "seccomp-default", NULL, "RuntimeDefault for who names no seccomp profile",
	    &seccomp_default, false },
	{ 0, "allowed-unsafe-sysctls", "NAME,...", "more sysctls that pods may set", &sysctls,
	    false },
	{ 0, "shutdown-grace-period", "DURATION", "for pods to end before the machine does (0s)",
	    &grace_arg, false },
	{ 0, "shutdown-grace-period-critical-pods", "DURATION", "of it, for critical ones (0s)",
	    &critical_arg, false },
	{ 0, "shutdown-grace-period-by-pod-priority", "PRIORITY=DURATION,...",
	    "in place of both: one after the other", &by_priority, false },
	{ 0, "insecure", NULL, "pull in plain HTTP from any registry", &insecure, false },
	{ 0, "auth-file", "FILE", "registry logins (~/.docker/config.json)", &auth_file, false },
	{ 0, "registries", "FILE", "mirrors and more (DATA/registries)", &registries, false },
	{ 0, "image-pull-progress-deadline", "DURATION", "a pull without progress fails (1m)",
	    &pull_deadline, false },
	{ 0, "image-gc-high-threshold", "PERCENT", "a disk so full loses images (85)", &gc_high,
	    false },
	{ 0, "image-gc-low-threshold", "PERCENT", "until it is at this (80)", &gc_low, false },
	{ 0, "minimum-image-ttl-duration", "DURATION", "images younger than this stay (2m)",
	    &gc_ttl, false },
	{ 0, "image-maximum-gc-age", "DURATION", "unused for so long they go; 0: no (0s)", &gc_age,
	    false },
	{ 0, "image-gc-period", "DURATION", "between looks at the disk (5m)", &gc_every, false },
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

/* Everything that goes on, with a server (kubelet) or without (alone). */
struct node {
	struct host *host;
	struct agent *agent;
	struct kubelet *kubelet;
	struct alone *alone;
	struct metrics_server *metrics;
	struct node_server server;
	struct inhibitor inhibitor;
	int signals, epoll;
};

static struct metric *pods_metric, *running_metric;

static void
listen_to(struct node *n, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(n->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		die(NULL, "cannot watch a descriptor: %s", strerror(errno));
}

/* From the beginning: who is not listening yet would die of it. */
static void
keep_power(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPWR);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* One descriptor for all that is not the server: signals, the agent, --metrics. */
static void
open_events(struct node *n)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGPWR);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	n->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	n->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (n->signals < 0 || n->epoll < 0)
		die(NULL, "cannot watch for signals: %s", strerror(errno));
	n->inhibitor.epoll = n->epoll;
	listen_to(n, n->signals);
	listen_to(n, agent_fd(n->agent));
	if (n->metrics)
		listen_to(n, metrics_fd(n->metrics));
}

/* Power fails, or is back: what init says, or a person. */
static void
heed_power(struct node *n, bool fails)
{
	if (!agent_shutdown(n->agent, SHUTDOWN_SIGNAL, fails) && fails)
		log_line("told that the machine goes down: pods run on, for there is no "
			 "--shutdown-grace-period");
}

static bool
told_to_end(struct node *n)
{
	struct signalfd_siginfo info;

	while (read(n->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo != SIGPWR && info.ssi_signo != SIGUSR2)
			return true;
		heed_power(n, info.ssi_signo == SIGPWR);
	}
	return false;
}

/* Agent, figures; the seconds until one of them has something to do by itself. */
static double
turn(struct node *n)
{
	struct err err;
	double wait;

	if (inhibitor_check(&n->inhibitor))
		listen_to(n, n->inhibitor.out);
	inhibitor_step(&n->inhibitor, n->agent);
	agent_step(n->agent);
	if (n->metrics)
		metrics_serve(n->metrics);
	if (server_check(&n->server, n->host, &err) < 0)
		log_line("cannot serve logs and terminals: %s", err.msg);
	metric_set(pods_metric, (int64_t)agent_pods(n->agent));
	metric_set(running_metric, (int64_t)agent_running(n->agent));
	wait = agent_wait(n->agent);
	wait = wait < 0 ? 60 : wait;
	lean_when(agent_pods(n->agent), wait > 1);
	return wait;
}

/* Until a signal; containers run on. */
static int
run_with_server(struct node *n)
{
	struct err err;

	while (!told_to_end(n))
		if (kubelet_step(n->kubelet, turn(n), n->epoll, &err) < 0)
			return complain(&err, "cannot watch the pods of node '%s'", name);
	return 0;
}

/* Until a signal, or with --once until all have ended; nothing runs on. */
static int
run_without(struct node *n)
{
	bool ending = false;

	for (;;) {
		bool told = told_to_end(n);
		double wait = turn(n);
		struct epoll_event e;

		if (told || (!ending && once && agent_idle(n->agent))) {
			ending = true;
			agent_stop_all(n->agent, -1);
			continue;
		}
		if (ending && agent_pods(n->agent) == 0)
			return alone_failed(n->alone);
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
	if (metrics && metrics_open(&n->metrics, metrics, &err) < 0)
		die(&err, "cannot serve figures");
}

/* What makes images go. */
static struct collect_rules
collecting(void)
{
	struct collect_rules rules = {
		.high = (int)cli_number("image-gc-high-threshold", gc_high, 0, 100),
		.low = (int)cli_number("image-gc-low-threshold", gc_low, 0, 100),
		.min_age = cli_duration("minimum-image-ttl-duration", gc_ttl),
		.max_age = cli_duration("image-maximum-gc-age", gc_age),
	};

	if (rules.low >= rules.high)
		die(NULL, "--image-gc-low-threshold %d is not below --image-gc-high-threshold %d",
		    rules.low, rules.high);
	return rules;
}

static int64_t
log_size(void)
{
	enum quantity_format format;
	struct err err;
	int64_t milli;

	if (quantity_parse(log_size_arg, &milli, &format, &err) < 0)
		die(&err, "--container-log-max-size");
	return milli / 1000;
}

static void
read_reserve(struct reserve *r)
{
	struct err err;

	r->lasts = cli_duration("eviction-pressure-transition-period", transition);
	r->longest = (double)cli_number("eviction-max-pod-grace-period", longest_grace, 0, 1 << 30);
	if (reserve_add(r, kube_reserved, &err) < 0)
		die(&err, "cannot read --kube-reserved");
	if (reserve_add(r, system_reserved, &err) < 0)
		die(&err, "cannot read --system-reserved");
	if (reserve_thresholds(r->at[HARD], eviction_hard, &err) < 0)
		die(&err, "cannot read --eviction-hard");
	if (reserve_thresholds(r->at[SOFT], eviction_soft, &err) < 0)
		die(&err, "cannot read --eviction-soft");
	if (reserve_grace(r, soft_grace, &err) < 0)
		die(&err, "cannot read --eviction-soft-grace-period");
	if (reserve_extra(r->extra, reclaim, &err) < 0)
		die(&err, "cannot read --eviction-minimum-reclaim");
}

static void
shutdown_rules(struct shutdown_rules *ret)
{
	double grace = cli_duration("shutdown-grace-period", grace_arg);
	double critical = cli_duration("shutdown-grace-period-critical-pods", critical_arg);
	struct err err;

	if (by_priority && (grace > 0 || critical > 0))
		die(NULL, "--shutdown-grace-period-by-pod-priority stands in place of the others");
	if (by_priority && shutdown_parse(ret, by_priority, &err) < 0)
		die(&err, "cannot read --shutdown-grace-period-by-pod-priority");
	if (!by_priority && shutdown_simple(ret, grace, critical, &err) < 0)
		die(&err, "--shutdown-grace-period-critical-pods");
}

static struct host *
open_host(void)
{
	struct host_options o = { .name = name,
		.data = data,
		.runtime = runtime,
		.handlers = handlers,
		.conmon = conmon,
		.cni_path = cni_path,
		.pod_cidr = pod_cidr,
		.address = address,
		.cluster_dns = cluster_dns,
		.cluster_domain = cluster_domain,
		.auth_file = auth_file,
		.registries = registries,
		.pull_deadline = cli_duration("image-pull-progress-deadline", pull_deadline),
		.insecure = insecure,
		.seccomp_default = seccomp_default,
		.sysctls = sysctls,
		.cleaning = clean,
		.keep_logs = pods_file != NULL,
		.max_pods = (int)cli_number("max-pods", max_pods, 1, 10000),
		.collect = collecting(),
		.collect_every = cli_duration("image-gc-period", gc_every),
		.pids = (long)cli_number("pod-pids", pids_arg, 0, 1 << 22),
		.runtime_timeout = cli_duration("runtime-request-timeout", runtime_timeout),
		.backoff = cli_duration("backoff", backoff_arg),
		.log_size = log_size(),
		.log_files = (long)cli_number("container-log-max-files", log_files_arg, 2, 1 << 20),
		.log_every = cli_duration("container-log-monitor-interval", log_every_arg),
		.renew = cli_duration("sync-frequency", sync_arg) };
	struct host *h;
	struct err err;

	read_reserve(&o.reserve);
	shutdown_rules(&o.shutdown);
	if (host_open(&h, &o, &err) < 0)
		die(&err, "cannot %s", clean ? "clean up" : "start the node");
	return h;
}

/* Before there are connections that its process would inherit. */
static void
start_server(struct node *n)
{
	const char *ca = client_ca_arg ? client_ca_arg : client_ca(kubelet_client(n->kubelet));
	struct err err;

	if (!ca)
		log_line("no logs and terminals for others: there is no --client-ca, nor a "
			 "certificate-authority in the kubeconfig");
	else if (server_start(&n->server, n->host, listen_arg, ca, &err) < 0)
		die(&err, "cannot serve logs and terminals");
}

static void
read_pods(struct node *n)
{
	bool in = strcmp(pods_file, "-") == 0;
	autofclose FILE *f = in ? NULL : fopen(pods_file, "re");
	struct err err;

	if (!in && !f) {
		err_sys(&err, errno, "cannot open");
		die(&err, "cannot read '%s'", pods_file);
	}
	if (alone_read(n->alone, in ? stdin : f, in ? "standard input" : pods_file, &err) < 0)
		die(&err, "cannot read the pods");
}

static int
serve_alone(struct node *n)
{
	struct agent_hooks hooks;
	struct err err;

	runtimes_try(n->host);
	n->alone = alone_new(name);
	read_pods(n);
	hooks = alone_hooks(n->alone);
	if (host_set_cidr(n->host, pod_cidr ? pod_cidr : POD_CIDR, &err) < 0 ||
	    agent_open(&n->agent, n->host, &hooks, &err) < 0)
		die(&err, "cannot start the node");
	open_metrics(n);
	open_events(n);
	if (alone_run(n->alone, n->agent, &err) < 0)
		die(&err, "cannot run the pods");
	agent_settle(n->agent);
	return run_without(n);
}

static int
serve(struct node *n)
{
	struct agent_hooks hooks;
	struct err err;
	int fd;

	runtimes_try(n->host);
	if (kubelet_open(&n->kubelet, n->host, &err) < 0)
		die(&err, "cannot start the node");
	start_server(n);
	if (kubelet_network(n->kubelet, pod_cidr, &err) < 0)
		die(&err, "cannot start the node");
	hooks = kubelet_hooks(n->kubelet);
	if (agent_open(&n->agent, n->host, &hooks, &err) < 0)
		die(&err, "cannot start the node");
	open_metrics(n);
	open_events(n);
	if (manifests && kubelet_manifests(n->kubelet, manifests, &fd, &err) < 0)
		die(&err, "cannot start the node");
	if (manifests)
		listen_to(n, fd);
	log_line("node %s: %s, data in %s", name, n->host->o.runtime, n->host->o.data);
	if (kubelet_run(n->kubelet, n->agent, &err) < 0)
		die(&err, "cannot watch the pods of node '%s'", name);
	return run_with_server(n);
}

int
main(int argc, char *argv[])
{
	struct node n = { .inhibitor = INHIBITOR_INIT };
	autofree char *found = NULL;
	char hostname[256] = "localhost";
	struct err err;
	int status;

	if (argv[cli_parse(argc, argv)])
		usage();
	log_open(self.name, verbose);
	keep_power();
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
	n.inhibitor.seconds = shutdown_seconds(&n.host->o.shutdown);
	if (clean) {
		if (agent_clean(n.host, &err) < 0)
			die(&err, "cannot clean up '%s'", data);
		status = 0;
	} else {
		status = pods_file ? serve_alone(&n) : serve(&n);
	}
	server_stop(&n.server);
	inhibitor_stop(&n.inhibitor);
	agent_close(n.agent);
	kubelet_close(n.kubelet);
	alone_free(n.alone);
	host_close(n.host);
	return finish(status);
}
