/* orch-up - start a cluster on this machine and return when it is ready. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/schema.h"
#include "base/cli.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "client/client.h"
#include "cluster/cluster.h"
#include "control/control.h"

enum { MAX_NODES = 32 };

static const char *data_arg, *listen_arg = "127.0.0.1:6443", *nodes_arg, *timeout_arg = "60s";
static const char *runtime_arg, *scoring_arg = "least";
static struct list set_args;
static int64_t began; /* microseconds; what was heard of a node before is of an earlier cluster */
static bool no_node;
static bool starting; /* this very process starts the cluster, and ends it when that fails */

static const struct opt opts[] = {
	{ 'd', "data", "DIR", "the data folder (/var/lib/orch for root)", &data_arg },
	{ 0, "listen", "HOST:PORT", "where the API is served (127.0.0.1:6443)", &listen_arg },
	{ 0, "no-node", NULL, "store and loops only; needs no root", &no_node },
	{ 0, "nodes", "N", "N nodes, each in a network namespace", &nodes_arg },
	{ 0, "runtime", "NAME", "for the nodes: crun, runc or a path", &runtime_arg },
	{ 0, "scoring", "WORD", "the scheduler spreads (least) or packs (most)", &scoring_arg },
	{ 0, "set", "NAME=VALUE", "a setting for the loops or the store", &set_args, true },
	{ 0, "timeout", "DURATION", "how long to wait until it is ready (60s)", &timeout_arg },
	{ 0 },
};

const struct program self = {
	.name = "orch-up",
	.synopsis = "[--data DIR] [--listen HOST:PORT] [--no-node | --nodes N]",
	.summary = "Start a cluster on this machine and return when it is ready.",
	.opts = opts,
};

static void
make_folders(const struct cluster *c)
{
	static const char *const folders[] = { "run", "log" };
	struct err err;

	for (size_t i = 0; i < COUNT(folders); i++) {
		autofree char *path = cluster_file(c, folders[i]);

		if (mkdir_all(path, 0755, &err) < 0)
			die(&err, "cannot use data folder '%s'", c->dir);
	}
}

/*
 * Processes that a killed keeper left behind would be in the way.  Containers run on, unless their
 * node will not be there, or its network is about to go.
 */
static void
clear_remains(const struct cluster *c)
{
	struct cluster old;
	struct err err;

	cluster_init(&old, c->dir);
	if (cluster_load(&old, &err) == 0) {
		bool stays = !old.namespaces && !c->namespaces && c->nodes > 0;

		warn("ending what an earlier cluster left running in '%s'", c->dir);
		if (cluster_stop(&old, &err) < 0 ||
		    (!stays && cluster_clean_nodes(&old, &err) < 0) ||
		    cluster_network_down(&old, &err) < 0)
			die(&err, "cannot end the earlier cluster");
		if (c->nodes == 0)
			cluster_network_release(&old);
	}
	cluster_release(&old);
}

/* Port 0 would change with every restart of the store: settle it here. */
static char *
settle_port(const char *address)
{
	const char *colon = strrchr(address, ':');
	struct sockaddr_in any = { .sin_family = AF_INET };
	socklen_t len = sizeof any;
	autoclose int fd = -1;

	if (!colon || strcmp(colon, ":0") != 0)
		return xstrdup(address);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) < 0 ||
	    getsockname(fd, (struct sockaddr *)&any, &len) < 0)
		die(NULL, "cannot find a free port: %s", strerror(errno));
	return xasprintf("%.*s:%d", (int)(colon - address), address, ntohs(any.sin_port));
}

/* Settings that are options of the API server, of nodes, or of who gathers their figures. */
static const char *const of_store[] = { "history", "default-not-ready-toleration-seconds",
	"default-unreachable-toleration-seconds", NULL };
static const char *const of_nodes[] = { "sync-frequency", NULL };
static const char *const of_metrics[] = { "metric-resolution", NULL };

static size_t
add_settings(const char **argv, size_t n, size_t max, const char *const *names)
{
	for (size_t k = 0; k < set_args.n && n < max - 1; k++) {
		autofree char *name = xstrndup(set_args.item[k], strcspn(set_args.item[k], "="));

		if (text_in(name, names))
			argv[n++] = xasprintf("--%s", set_args.item[k]); /* for good */
	}
	return n;
}

static void
add_store(struct cluster *c)
{
	autofree char *prog = proc_sibling("orch-store"), *sock = cluster_file(c, "store.sock");
	const char *argv[64] = { prog, "--data", c->dir, "--listen", c->listen, "--socket", sock,
		"--enable-admission-plugins", "ServiceAccount" };

	add_settings(argv, 9, COUNT(argv), of_store);
	cluster_add(c, "store", argv, NULL);
}

static void
add_loops(struct cluster *c, const char *const *env)
{
	autofree char *reconcile = proc_sibling("orch-reconcile");
	autofree char *schedule = proc_sibling("orch-schedule");
	autofree char *ca = cluster_file(c, "pki/ca.crt");
	const char *sched[] = { schedule, "-w", "--scoring", scoring_arg, NULL };

	for (size_t i = 0; controllers[i]; i++) {
		const char *argv[64] = { reconcile, "-w" };
		size_t n = 2;

		for (size_t k = 0; k < set_args.n && n < COUNT(argv) - 5; k++) {
			argv[n++] = "--set";
			argv[n++] = set_args.item[k];
		}
		if (strcmp(controllers[i]->name, "root-ca") == 0) {
			argv[n++] = "--root-ca";
			argv[n++] = ca;
		}
		argv[n] = controllers[i]->name;
		cluster_add(c, controllers[i]->name, argv, env);
	}
	cluster_add(c, "schedule", sched, env);
}

static void
add_metrics(struct cluster *c, const char *const *env)
{
	autofree char *prog = proc_sibling("orch-metrics"), *ca = cluster_file(c, "pki/ca.crt");
	autofree char *crt = cluster_file(c, "pki/metrics.crt"),
		      *key = cluster_file(c, "pki/metrics.key");
	const char *argv[64] = { prog, "--register", "--ca-file", ca, "--tls-cert-file", crt,
		"--tls-private-key-file", key };

	add_settings(argv, 8, COUNT(argv), of_metrics);
	cluster_add(c, "metrics", argv, env);
}

static void
add_node(struct cluster *c, int node, const char *const *env)
{
	autofree char *prog = proc_sibling("orch-node"), *name = xasprintf("node-%d", node);
	autofree char *dir = cluster_file(c, name), *ns = cluster_netns(c, node);
	autofree char *cidr = xasprintf("10.%d.%d.0/24", c->block, node),
		      *ca = cluster_file(c, "pki/ca.crt");
	const char *argv[64] = { prog, "--name", name, "--data", dir, "--pod-cidr", cidr,
		"--client-ca", ca };
	size_t n = 9;

	if (c->namespaces) {
		argv[n++] = "--netns";
		argv[n++] = ns;
	}
	if (runtime_arg) {
		argv[n++] = "--runtime";
		argv[n++] = runtime_arg;
	}
	add_settings(argv, n, COUNT(argv), of_nodes);
	cluster_add(c, name, argv, env);
}

/* The process that stays: away from the terminal, its words in log/keeper.log. */
static _Noreturn void
keeper(struct cluster *c, int ready)
{
	autofree char *log = cluster_file(c, "log/keeper.log");
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct err err;

	setsid();
	if (out < 0 || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ||
	    chdir("/") < 0)
		_exit(3);
	log_open("orch-up", 0);
	proc_identify(getpid(), &c->keeper);
	if (cluster_keep(c, ready, &err) < 0) {
		log_line("%s", err.msg);
		_exit(3);
	}
	_exit(0);
}

static void
start_keeper(struct cluster *c, int lock)
{
	autobuf struct buf said = BUF_INIT;
	struct err err;
	int fds[2];
	pid_t pid;

	fflush(NULL);
	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		die(NULL, "cannot start the keeper: %s", strerror(errno));
	if (pid == 0) {
		close(fds[0]);
		keeper(c, fds[1]);
	}
	close(fds[1]);
	close(lock); /* the keeper has it too, and keeps it */
	if (buf_read_fd(&said, fds[0], 4096, &err) < 0)
		die(&err, "cannot hear the keeper");
	close(fds[0]);
	if (!said.data || strcmp(said.data, "ok\n") != 0)
		die(NULL, "cannot start the cluster: %.*s", (int)strcspn(said.data, "\n"),
		    said.data);
}

/* Why a process does not come up stands in the last lines of its log. */
static void
show_log(const struct cluster *c, const char *name)
{
	autofree char *path = xasprintf("%s/log/%s.log", c->dir, name);
	autobuf struct buf text = BUF_INIT;
	struct err err;
	size_t at, lines = 0;

	if (buf_read_file(&text, path, 64 << 20, &err) < 0)
		return;
	for (at = text.len; at > 0 && lines <= 5; at--)
		lines += text.data[at - 1] == '\n';
	fputs(text.data + (lines > 5 ? at + 1 : at), stderr);
}

static _Noreturn void
give_up(const struct cluster *c, const char *name, const char *why)
{
	autofree char *down = proc_sibling("orch-down");
	const char *argv[] = { down, "--data", c->dir, NULL };
	struct err err;

	show_log(c, name);
	if (starting && proc_run(argv, NULL, NULL, &err) < 0)
		warn("%s", err.msg);
	err_set(&err, ERR_UNAVAILABLE, "%s %s; its log is above", name, why);
	die(&err, "cannot start the cluster");
}

/* Has this process ended more often than `times` since the keeper started it? */
static bool
ended(const char *dir, const char *name, unsigned times)
{
	struct cluster now;
	struct err err;
	bool yes = false;

	cluster_init(&now, dir);
	if (cluster_load(&now, &err) == 0)
		for (size_t i = 0; i < now.nprocess; i++)
			if (strcmp(now.process[i].name, name) == 0)
				yes = now.process[i].restarts + !proc_alive(&now.process[i].proc) >
				      times;
	cluster_release(&now);
	return yes;
}

/* Connecting is the only way to learn that somebody else's socket is served. */
static void
wait_store(const struct cluster *c, double until)
{
	struct client *client = NULL;
	struct err err;

	client_options.server = xasprintf("unix:%s/store.sock", c->dir); /* for good */
	if (client_open(&client, &err) < 0)
		die(&err, "cannot reach the store");
	for (useconds_t nap = 2000; clock_monotonic() < until; nap = nap < 50000 ? nap * 2 : nap) {
		autobuf struct buf reply = BUF_INIT;
		int status;

		if (client_request(
			client, "GET", "/readyz", NULL, NULL, 0, &status, &reply, &err) == 0 &&
		    status == 200) {
			client_close(client);
			return;
		}
		if (starting && ended(c->dir, "store", 0))
			give_up(c, "store", "ended");
		usleep(nap);
	}
	give_up(c, "store", "was not ready in time");
}

/* Ready is what the store remembers of the last time, until the node has been heard of again. */
static bool
heard_of(struct client *client, const char *name)
{
	json_auto_t *lease = NULL;
	struct err err;
	int64_t at;

	return client_get(client, kind_find("coordination.k8s.io", "v1", "Lease"),
		   "kube-node-lease", name, &lease, &err) == 0 &&
	       time_parse_micro(text(lease, "spec", "renewTime"), &at) && at >= began;
}

static bool
ready(struct client *client, const char *name)
{
	json_auto_t *node = NULL;
	struct err err;

	return heard_of(client, name) &&
	       client_get(client, kind_find("", "v1", "Node"), NULL, name, &node, &err) == 0 &&
	       node_ready(node);
}

static void
wait_node(const struct cluster *c, struct client *client, const char *name, double until)
{
	for (useconds_t nap = 2000; !ready(client, name); nap = nap < 50000 ? nap * 2 : nap) {
		if (ended(c->dir, name, 2))
			give_up(c, name, "ends again and again");
		if (clock_monotonic() >= until)
			give_up(c, name, "was not ready in time");
		usleep(nap);
	}
}

static void
wait_nodes(const struct cluster *c, double until)
{
	struct client *client;
	struct err err;

	if (client_open(&client, &err) < 0)
		die(&err, "cannot reach the store");
	for (int i = 1; i <= c->nodes; i++) {
		autofree char *name = xasprintf("node-%d", i);

		wait_node(c, client, name, until);
	}
	client_close(client);
}

static _Noreturn void
undo_network(struct cluster *c, struct err *why)
{
	autofree char *file = cluster_file(c, "run/cluster.json");
	struct err err;

	if (cluster_network_down(c, &err) == 0) {
		cluster_network_release(c);
		unlink(file);
	}
	die(why, "cannot make the nodes' network");
}

static void
describe(struct cluster *c)
{
	autofree char *server = xasprintf("ORCH_SERVER=unix:%s/store.sock", c->dir);
	const char *env[] = { server, NULL };
	struct err err;

	c->listen = settle_port(listen_arg);
	add_store(c);
	add_loops(c, env);
	add_metrics(c, env);
	if (c->nodes == 0)
		return;
	if (cluster_network_claim(c, &err) < 0 || cluster_save(c, &err) < 0)
		die(&err, "cannot make the nodes' network");
	if (cluster_network_up(c, &err) < 0)
		undo_network(c, &err);
	for (int i = 1; i <= c->nodes; i++)
		add_node(c, i, env);
}

static void
count_nodes(struct cluster *c)
{
	c->nodes = no_node ? 0 : nodes_arg ? (int)cli_number("nodes", nodes_arg, 1, MAX_NODES) : 1;
	c->namespaces = !no_node && nodes_arg;
	if (c->nodes > 0 && geteuid() != 0)
		die(NULL,
		    "cannot start a node: containers need root; --no-node starts store and loops");
}

/* Nodes of an earlier, larger cluster will not come back: their pods belong elsewhere now. */
static void
forget_nodes(const struct cluster *c)
{
	struct client *client;
	struct err err;

	if (c->nodes == 0)
		return;
	if (client_open(&client, &err) < 0)
		die(&err, "cannot reach the store");
	for (int i = c->nodes + 1; i <= MAX_NODES; i++) {
		autofree char *name = xasprintf("node-%d", i), *dir = cluster_file(c, name);

		if (access(dir, F_OK) < 0)
			continue;
		if (client_delete(
			client, kind_find("", "v1", "Node"), NULL, name, NULL, NULL, &err) == 0)
			warn("removed node '%s' of an earlier cluster", name);
		else if (err.code != ERR_NOT_FOUND)
			complain(&err, "cannot remove node '%s'", name);
	}
	client_close(client);
}

/* For eval: the folder may have any name. */
static void
print_export(const struct cluster *c)
{
	autofree char *path = cluster_file(c, "admin.kubeconfig");
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+,:@%";

	fputs("export KUBECONFIG=", stdout);
	if (path[strspn(path, plain)] == '\0') {
		puts(path);
		return;
	}
	putchar('\'');
	for (const char *p = path; *p; p++)
		fputs(*p == '\'' ? "'\\''" : (char[]){ *p, '\0' }, stdout);
	puts("'");
}

int
main(int argc, char *argv[])
{
	autofree char *dir = NULL;
	struct cluster c;
	struct err err;
	double until;
	int lock;

	argv += cli_parse(argc, argv);
	if (argv[0] || (no_node && nodes_arg))
		usage();
	until = clock_monotonic() + cli_duration("timeout", timeout_arg);
	dir = data_arg ? xstrdup(data_arg) : cluster_default_dir();
	cluster_init(&c, dir);
	count_nodes(&c);
	if (cluster_needs(&c, runtime_arg, &err) < 0)
		die(&err, "cannot start a node");
	make_folders(&c);
	if (cluster_lock(&c, true, &lock, &err) == 0) {
		began = clock_now_us();
		starting = true;
		clear_remains(&c);
		describe(&c);
		start_keeper(&c, lock);
		wait_store(&c, until);
		forget_nodes(&c);
		wait_nodes(&c, until);
		fprintf(stderr, "%s: ready: https://%s, %d node%s, logs in %s/log\n", self.name,
		    c.listen, c.nodes, c.nodes == 1 ? "" : "s", c.dir);
	} else if (err.code == ERR_CONFLICT) {
		warn("a cluster is up already in '%s'", c.dir);
		wait_store(&c, until); /* or it is just being started */
		if (cluster_load(&c, &err) == 0)
			wait_nodes(&c, until);
	} else {
		die(&err, "cannot use data folder '%s'", c.dir);
	}
	print_export(&c);
	cluster_release(&c);
	return finish(0);
}
