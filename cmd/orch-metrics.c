/* orch-metrics - ask nodes what they and their pods use, and serve it as metrics.k8s.io. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/cli.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/lean.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/client.h"
#include "metrics/listing.h"
#include "metrics/register.h"
#include "serve/tls.h"

static const char *resolution_arg, *listen_arg = "127.0.0.1:0", *address_arg;
static const char *crt_arg, *key_arg, *ca_arg, *front_arg;
static const char *ns_arg, *selector_arg, *fields_arg;
static bool once, registering, verbose;

static const struct opt opts[] = {
	{ 0, "once", NULL, "print the objects on stdout and end", &once, false },
	{ 'n', "namespace", "NAME", "--once: pods of this namespace alone", &ns_arg, false },
	{ 'l', "selector", "SELECTOR", "--once: those with these labels", &selector_arg, false },
	{ 0, "field-selector", "SELECTOR", "--once: those with these fields", &fields_arg, false },
	{ 0, "metric-resolution", "DURATION", "between two questions to a node (15s; --once: 1s)",
	    &resolution_arg, false },
	{ 0, "listen", "HOST:PORT", "where it is served (127.0.0.1:0)", &listen_arg, false },
	{ 0, "register", NULL, "tell the API server, with a Service and an APIService",
	    &registering, false },
	{ 0, "address", "HOST", "--register: where the API server finds us", &address_arg, false },
	{ 0, "tls-cert-file", "FILE", "our certificate (default: one made at the start)", &crt_arg,
	    false },
	{ 0, "tls-private-key-file", "FILE", "and its key", &key_arg, false },
	{ 0, "ca-file", "FILE", "--register: who has signed it (default: itself)", &ca_arg, false },
	{ 0, "requestheader-client-ca-file", "FILE", "whose certificates API servers have",
	    &front_arg, false },
	{ 'v', "verbose", NULL, "say more", &verbose, false },
	{ 0 },
};
static const struct opt *const shared[] = { client_opts, NULL };

const struct program self = {
	.name = "orch-metrics",
	.synopsis = "[--listen HOST:PORT] [--register] [--metric-resolution DURATION]\n"
		    "--once [-n NAME] [-l SELECTOR] [nodes | pods]",
	.summary = "Ask nodes what they and their pods use, and serve it as metrics.k8s.io.",
	.opts = opts,
	.shared = shared,
	.commands = "nodes pods",
};

/* What stays at work for as long as the program runs. */
struct run {
	struct client *client;
	struct gather *gather;
	struct metrics_server *server;
	struct metrics_front front;
	double resolution;
	int signals;
	char folder[64]; /* for certificates; "" : none */
	char *crt, *key, *front_ca;
	bool registered;
	bool complained; /* of what did not go well last time */
};

/* --- --once ----------------------------------------------------------------------------------- */

static void
print(void *arg, const json_t *obj)
{
	(void)arg;
	jsonl_write(stdout, obj);
}

static int
print_once(struct run *run, const char *plural)
{
	struct gather_options o = {
		.resolution = run->resolution, .first = run->resolution, .rounds = 2
	};
	struct listing l = {
		.plural = plural, .ns = ns_arg, .selector = selector_arg, .fields = fields_arg
	};
	struct err err;
	size_t failed;

	if (gather_open(&run->gather, run->client, &o, &err) < 0 ||
	    gather_nodes(run->gather, run->client, &err) < 0)
		die(&err, "cannot find the nodes");
	failed = gather_wait(run->gather);
	if (metrics_print(run->gather, run->client, &l, print, NULL, &err) < 0)
		die(&err, "cannot find nodes and pods");
	gather_close(run->gather);
	return failed ? 3 : 0;
}

/* --- certificates ----------------------------------------------------------------------------- */

/* A folder of our own for what is to stand in a file, as long as it is being read. */
static void
make_folder(struct run *run)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(run->folder, sizeof run->folder, "%s/orch-metrics.XXXXXX",
	    tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	if (!mkdtemp(run->folder))
		die(NULL, "cannot make a folder '%s': %s", run->folder, strerror(errno));
	run->front_ca = front_arg ? xstrdup(front_arg) : xasprintf("%s/front.crt", run->folder);
	run->crt = crt_arg ? xstrdup(crt_arg) : xasprintf("%s/self.crt", run->folder);
	run->key = key_arg ? xstrdup(key_arg) : xasprintf("%s/self.key", run->folder);
}

static void
remove_folder(struct run *run)
{
	const char *const made[] = { front_arg ? NULL : run->front_ca, crt_arg ? NULL : run->crt,
		key_arg ? NULL : run->key };

	for (size_t i = 0; i < COUNT(made); i++)
		if (made[i])
			unlink(made[i]);
	if (*run->folder)
		rmdir(run->folder);
	run->folder[0] = '\0';
}

/* --- the daemon ------------------------------------------------------------------------------- */

/* Wait; true when it is time to end. */
static bool
told_to_end(const struct run *run, double seconds)
{
	struct pollfd p = { .fd = run->signals, .events = POLLIN };

	return poll(&p, 1, (int)(seconds * 1000)) > 0;
}

/* Once a row of failures. */
static void
say_failure(struct run *run, const char *what, const struct err *err)
{
	if (!run->complained)
		log_line("%s: %s", what, err->msg);
	run->complained = true;
}

/* Who may come in: of the API server, as soon as it answers.  False: it is time to end. */
static bool
read_front(struct run *run)
{
	struct err err;

	if (front_arg) {
		run->front = (struct metrics_front){ xstrdup(front_arg), json_array(),
			json_pack("[s]", "X-Remote-User") };
		return true;
	}
	while (metrics_front_read(run->client, run->front_ca, &run->front, &err) < 0) {
		say_failure(run, "cannot learn who speaks for the API server", &err);
		if (err_exit(err.code) == 2)
			die(&err, "cannot learn who speaks for the API server");
		if (told_to_end(run, 0.5))
			return false;
	}
	run->complained = false;
	return true;
}

/* HOST of HOST:PORT, or this machine's name where that is any address; a new string. */
static char *
own_address(void)
{
	autofree char *host = xstrndup(listen_arg, strcspn(listen_arg, ":"));
	char name[256] = "";

	if (address_arg)
		return xstrdup(address_arg);
	if (*host && strcmp(host, "0.0.0.0") != 0 && *host != '[')
		return steal(host);
	gethostname(name, sizeof name - 1);
	return xstrdup(name);
}

static void
make_known(struct run *run, int port, const char *ca)
{
	autofree char *host = own_address();
	struct err err;

	if (!registering || run->registered)
		return;
	if (metrics_register(run->client, host, port, ca, &err) < 0) {
		say_failure(run, "cannot register with the API server", &err);
		return;
	}
	run->registered = true;
	run->complained = false;
}

static void
follow_nodes(struct run *run, int port, const char *ca)
{
	double began = clock_monotonic(), pause;
	bool starting = true;
	struct err err;

	do {
		if (gather_nodes(run->gather, run->client, &err) < 0)
			say_failure(run, "cannot find the nodes", &err);
		else if (run->registered || !registering)
			run->complained = false;
		make_known(run, port, ca);
		/* nodes that start with us are not to wait */
		pause = clock_monotonic() - began < 30 || run->complained ? 1 : run->resolution;
		if (starting && clock_monotonic() - began >= 30) {
			lean_down(); /* what TLS and registering took */
			starting = false;
		}
	} while (!told_to_end(run, pause < run->resolution ? pause : run->resolution));
}

static void
serve(struct run *run)
{
	double first = run->resolution / 5;
	struct gather_options o = { .resolution = run->resolution,
		.first = run->resolution < 1 ? run->resolution
			 : first < 1	     ? 1
					     : first };
	autobuf struct buf ca = BUF_INIT;
	struct err err;
	int port;

	make_folder(run);
	if (!read_front(run))
		return;
	if ((!crt_arg && tls_self_signed(run->crt, run->key, METRICS_HOST, &err) < 0) ||
	    buf_read_file(&ca, ca_arg ? ca_arg : run->crt, 1 << 20, &err) < 0 ||
	    gather_open(&run->gather, run->client, &o, &err) < 0 ||
	    metrics_server_open(&run->server, run->gather, run->client, &run->front, listen_arg,
		run->crt, run->key, &port, &err) < 0) {
		remove_folder(run);
		die(&err, "cannot serve");
	}
	remove_folder(run);
	log_line("metrics.k8s.io on port %d, from %s", port, client_server(run->client));
	follow_nodes(run, port, ca.data);
	if (run->registered)
		metrics_unregister(run->client);
}

static void
catch_signals(struct run *run)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	run->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (run->signals < 0)
		die(NULL, "cannot watch for signals: %s", strerror(errno));
}

/* What was named must be there: nobody waits for it. */
static void
check_file(const char *file)
{
	autobuf struct buf b = BUF_INIT;
	struct err err;

	if (file && buf_read_file(&b, file, 1 << 20, &err) < 0) {
		err_of_input(&err);
		die(&err, "cannot serve");
	}
}

static void
check_options(struct run *run, char *const *operand)
{
	if (!operand[0] ? false
			: !once || operand[1] ||
			      (strcmp(operand[0], "nodes") != 0 && strcmp(operand[0], "pods") != 0))
		usage();
	if (!once && (ns_arg || selector_arg || fields_arg))
		die(NULL, "-n, -l and --field-selector are for --once");
	if (once && (registering || address_arg || crt_arg || key_arg || ca_arg || front_arg))
		die(NULL, "--once serves nothing");
	if (!crt_arg != !key_arg)
		die(NULL, "--tls-cert-file and --tls-private-key-file go together");
	check_file(crt_arg);
	check_file(key_arg);
	check_file(ca_arg);
	check_file(front_arg);
	if (!resolution_arg)
		resolution_arg = once ? "1s" : "15s";
	run->resolution = cli_duration("metric-resolution", resolution_arg);
	if (run->resolution < 0.1)
		die(NULL, "--metric-resolution: '%s' is less than 100ms", resolution_arg);
	if (!client_options.timeout) /* a node that hangs is given up */
		client_options.timeout = "10s";
}

int
main(int argc, char *argv[])
{
	struct run run = { .signals = -1 };
	struct err err;
	int status = 0;

	argv += cli_parse(argc, argv);
	check_options(&run, argv);
	log_open(self.name, verbose);
	if (!once)
		catch_signals(&run);
	if (client_open(&run.client, &err) < 0)
		die(&err, "cannot reach the API server");
	if (once) {
		status = print_once(&run, argv[0]);
	} else {
		serve(&run);
		metrics_server_close(run.server);
		gather_close(run.gather);
		metrics_front_release(&run.front);
		remove_folder(&run);
	}
	free(run.crt);
	free(run.key);
	free(run.front_ca);
	client_close(run.client);
	return finish(status);
}
