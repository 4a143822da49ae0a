/* orch-simnode - pretend to be thousands of nodes. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "api/quantity.h"
#include "base/cli.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/text.h"
#include "simnode/sim.h"

static const char *nodes_arg = "10", *prefix = "sim-", *cpu = "4", *memory = "16Gi",
		  *pods_arg = "110", *start_arg = "1s", *run_arg = "10s", *stop_arg = "1s",
		  *failure_arg = "0", *heartbeat_arg = "10s", *fail_node_arg = "0",
		  *fail_time_arg = "1m-2m", *backoff_arg = "10s", *qps_arg = "1000",
		  *connections_arg = "4", *seed_arg = "1", *metrics;
static struct list labels, taints;
static bool removing, verbose;

static const struct opt opts[] = {
	{ 0, "nodes", "N", "how many nodes (10)", &nodes_arg, false },
	{ 0, "prefix", "NAME", "they are NAME0, NAME1, ... (sim-)", &prefix, false },
	{ 0, "cpu", "QUANTITY", "processors of each (4)", &cpu, false },
	{ 0, "memory", "QUANTITY", "memory of each (16Gi)", &memory, false },
	{ 0, "pods", "N", "pods that each takes (110)", &pods_arg, false },
	{ 0, "label", "KEY=VALUE,...", "more labels of the nodes", &labels, true },
	{ 0, "taint", "KEY[=VALUE]:EFFECT", "a taint of the nodes", &taints, true },
	{ 0, "start-delay", "MIN[-MAX]", "until a pod runs (1s)", &start_arg, false },
	{ 0, "run-time", "MIN[-MAX]", "until one ends that is to end (10s)", &run_arg, false },
	{ 0, "stop-delay", "MIN[-MAX]", "until a deleted one has stopped (1s)", &stop_arg, false },
	{ 0, "failure-rate", "P", "chance that a run fails, 0 to 1 (0)", &failure_arg, false },
	{ 0, "backoff", "DURATION", "wait before what failed runs again (10s)", &backoff_arg,
	    false },
	{ 0, "heartbeat", "DURATION", "between two of a node (10s)", &heartbeat_arg, false },
	{ 0, "fail-node", "P", "chance, at a heartbeat, of falling silent (0)", &fail_node_arg,
	    false },
	{ 0, "fail-time", "MIN[-MAX]", "for so long (1m-2m)", &fail_time_arg, false },
	{ 0, "qps", "N", "requests a second, at most (1000)", &qps_arg, false },
	{ 0, "connections", "N", "connections for them (4)", &connections_arg, false },
	{ 0, "seed", "N", "of all that is left to chance (1)", &seed_arg, false },
	{ 0, "remove", NULL, "delete the nodes at the end", &removing, false },
	{ 0, "metrics", "HOST:PORT", "serve figures for Prometheus", &metrics, false },
	{ 'v', "verbose", NULL, "say more", &verbose, false },
	{ 0 },
};
static const struct opt *const shared[] = { client_opts, NULL };

const struct program self = {
	.name = "orch-simnode",
	.synopsis = "[--nodes N] [--prefix NAME] [--cpu QUANTITY] [--memory QUANTITY]\n"
		    "[--start-delay MIN[-MAX]] [--run-time MIN[-MAX]] [--failure-rate P]",
	.summary = "Pretend to be many nodes, and to run the pods that are bound to them.",
	.opts = opts,
	.shared = shared,
};

/* --- options ----------------------------------------------------------------------- */

/* "500ms-2s", or one duration. */
static struct range
range_of(const char *name, const char *value)
{
	const char *dash = strchr(value, '-');
	autofree char *first = dash ? xstrndup(value, (size_t)(dash - value)) : xstrdup(value);
	struct range r;

	r.min = r.max = cli_duration(name, first);
	if (dash)
		r.max = cli_duration(name, dash + 1);
	if (r.min < 0 || r.max < r.min)
		die(NULL, "--%s: '%s' is no range of durations", name, value);
	return r;
}

static double
chance_of(const char *name, const char *value)
{
	char *end;
	double p = strtod(value, &end);

	if (*end || end == value || !(p >= 0 && p <= 1))
		die(NULL, "--%s: '%s' is no number from 0 to 1", name, value);
	return p;
}

static const char *
amount(const char *name, const char *value)
{
	if (!quantity_valid(value))
		die(NULL, "--%s: '%s' is not a quantity", name, value);
	return value;
}

static json_t *
parse_labels(void)
{
	json_t *all = json_object();

	for (size_t i = 0; i < labels.n; i++) {
		autofree char *copy = xstrdup(labels.item[i]);
		char *rest = copy, *word;

		while ((word = strsep(&rest, ","))) {
			char *eq = strchr(word, '=');

			if (!eq || eq == word)
				die(NULL, "--label: '%s' is not KEY=VALUE", word);
			*eq = '\0';
			json_object_set_new(all, word, json_string(eq + 1));
		}
	}
	return all;
}

static json_t *
parse_taints(void)
{
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute",
		NULL };
	json_t *all = taints.n ? json_array() : NULL;

	for (size_t i = 0; i < taints.n; i++) {
		autofree char *copy = xstrdup(taints.item[i]);
		char *effect = strrchr(copy, ':'), *value;
		json_t *t;

		if (!effect || effect == copy || !text_in(effect + 1, effects))
			die(NULL, "--taint: '%s' is not KEY[=VALUE]:EFFECT", taints.item[i]);
		*effect++ = '\0';
		value = strchr(copy, '=');
		if (value)
			*value++ = '\0';
		t = json_pack("{s:s, s:s}", "key", copy, "effect", effect);
		if (value)
			json_object_set_new(t, "value", json_string(value));
		json_array_append_new(all, t);
	}
	return all;
}

static struct sim_options
read_options(void)
{
	struct sim_options o = {
		.nodes = (unsigned)cli_number("nodes", nodes_arg, 1, SIM_NODES_MOST),
		.prefix = prefix,
		.cpu = amount("cpu", cpu),
		.memory = amount("memory", memory),
		.pods = (int)cli_number("pods", pods_arg, 0, SIM_PODS_MOST),
		.labels = parse_labels(),
		.taints = parse_taints(),
		.start = range_of("start-delay", start_arg),
		.run = range_of("run-time", run_arg),
		.stop = range_of("stop-delay", stop_arg),
		.failure = chance_of("failure-rate", failure_arg),
		.heartbeat = cli_duration("heartbeat", heartbeat_arg),
		.silence = chance_of("fail-node", fail_node_arg),
		.silent = range_of("fail-time", fail_time_arg),
		.backoff = cli_duration("backoff", backoff_arg),
		.qps = (double)cli_number("qps", qps_arg, 1, 1000000),
		.connections = (unsigned)cli_number("connections", connections_arg, 1, 64),
		.seed = (unsigned long long)cli_number("seed", seed_arg, 0, INT64_MAX),
	};
	autofree char *name = xasprintf("%s%u", prefix, o.nodes - 1);

	if (strlen(name) > 253 || !text_dns_subdomain(name, strlen(name)))
		die(NULL, "--prefix: '%s' is no name of a node", name);
	if (o.heartbeat < 0.1)
		die(NULL, "--heartbeat: '%s' is less than 100ms", heartbeat_arg);
	if (o.nodes / o.heartbeat > o.qps)
		die(NULL, "--qps: the heartbeats alone of %u nodes are %.0f requests a second",
		    o.nodes, o.nodes / o.heartbeat);
	return o;
}

/* --- one descriptor for signals and --metrics ---------------------------------------- */

struct events {
	int signals, epoll;
	struct metrics_server *metrics;
};

static void
listen_to(struct events *e, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die(NULL, "cannot watch a descriptor: %s", strerror(errno));
}

static void
open_events(struct events *e)
{
	struct err err;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	e->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (e->signals < 0 || e->epoll < 0)
		die(NULL, "cannot watch for signals: %s", strerror(errno));
	listen_to(e, e->signals);
	if (metrics && metrics_open(&e->metrics, metrics, &err) < 0)
		die(&err, "cannot serve figures");
	if (e->metrics) {
		log_line("metrics on port %d", metrics_port(e->metrics));
		listen_to(e, metrics_fd(e->metrics));
	}
}

static bool
told_to_end(struct events *e)
{
	struct signalfd_siginfo info;

	if (e->metrics)
		metrics_serve(e->metrics);
	return read(e->signals, &info, sizeof info) == (ssize_t)sizeof info;
}

/* Until all have gone, or a second signal. */
static int
remove_all(struct sim *s, struct events *e)
{
	while (!sim_remove(s, e->epoll))
		if (told_to_end(e)) {
			warn("not all nodes were deleted");
			return 3;
		}
	return 0;
}

int
main(int argc, char *argv[])
{
	struct events events = { 0 };
	struct sim_options o;
	struct client *client;
	struct sim *sim;
	struct err err;
	int status = 0;

	if (argv[cli_parse(argc, argv)])
		usage();
	log_open(self.name, verbose);
	o = read_options();
	if (client_open(&client, &err) < 0 || sim_open(&sim, client, &o, &err) < 0)
		die(&err, "cannot start the nodes");
	open_events(&events);
	log_line("nodes %s0 to %s%u at %s", prefix, prefix, o.nodes - 1, client_server(client));
	while (!told_to_end(&events))
		if (sim_step(sim, events.epoll, &err) < 0)
			die(&err, "cannot start the nodes");
	if (removing)
		status = remove_all(sim, &events);
	sim_close(sim);
	client_close(client);
	metrics_close(events.metrics);
	json_decref((json_t *)o.labels);
	json_decref((json_t *)o.taints);
	return finish(status);
}
