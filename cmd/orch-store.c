/*
 * orch-store - the API server: Kubernetes' REST API over one folder of data.
 *
 * reads	DIR/store.db into memory, then requests on a TCP port (TLS) and a unix socket
 * writes	DIR/store.db, DIR/pki, DIR/admin.kubeconfig
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "api/check.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/outcall.h"
#include "store/admission.h"
#include "store/aggregation.h"
#include "store/bootstrap.h"
#include "store/call.h"
#include "store/conversion.h"
#include "store/definitions.h"
#include "store/engine.h"
#include "store/front_proxy.h"
#include "store/pki.h"
#include "store/service.h"
#include "store/tokenfile.h"

static const char *dir_arg, *listen_arg = "127.0.0.1:6443", *socket_arg, *metrics_arg;
static const char *tokens_arg;
static const char *issuer_arg = "https://kubernetes.default.svc", *anonymous_arg = "true";
static struct list names_arg, enable_arg, disable_arg;
static const char *not_ready_arg = "300", *unreachable_arg = "300";
static const char *advertise_arg;
static const char *ranges_arg = "10.96.0.0/16", *ports_arg = "30000-32767";
static const char *history_arg = "5m";
static struct front_options front;
static bool verbose;

static const struct opt opts[] = {
	{ 'd', "data", "DIR", "where everything is kept (made when missing)", &dir_arg, false },
	{ 'l', "listen", "HOST:PORT", "the TLS port (127.0.0.1:6443; port 0: any)", &listen_arg,
	    false },
	{ 0, "socket", "PATH", "the unix socket (DIR/store.sock)", &socket_arg, false },
	{ 0, "metrics", "HOST:PORT", "serve /metrics and /healthz here too, plain", &metrics_arg,
	    false },
	{ 0, "name", "NAME", "one more name or address of this server", &names_arg, true },
	{ 0, "enable-admission-plugins", "NAMES", "switch these admission plugins on", &enable_arg,
	    true },
	{ 0, "disable-admission-plugins", "NAMES", "switch these admission plugins off",
	    &disable_arg, true },
	{ 0, "default-not-ready-toleration-seconds", "N",
	    "how long Pods stay on a node that is not ready (300)", &not_ready_arg, false },
	{ 0, "default-unreachable-toleration-seconds", "N",
	    "how long Pods stay on a silent node (300)", &unreachable_arg, false },
	{ 0, "service-account-issuer", "URL", "whose the tokens of ServiceAccounts are",
	    &issuer_arg, false },
	{ 0, "token-auth-file", "FILE", "more tokens: token,user,uid,\"groups\" a line",
	    &tokens_arg, false },
	{ 0, "anonymous-auth", "BOOL", "answer who does not say who he is (true)", &anonymous_arg,
	    false },
	{ 0, "advertise-address", "IP", "where others reach this server", &advertise_arg, false },
	{ 0, "service-cluster-ip-range", "CIDRS", "the addresses of Services (10.96.0.0/16)",
	    &ranges_arg, false },
	{ 0, "service-node-port-range", "FIRST-LAST", "the node ports of Services (30000-32767)",
	    &ports_arg, false },
	{ 0, "proxy-client-cert-file", "FILE", "as whom requests for other servers are passed on",
	    &front.crt, false },
	{ 0, "proxy-client-key-file", "FILE", "its key", &front.key, false },
	{ 0, "requestheader-client-ca-file", "FILE", "the CA of those who speak for others",
	    &front.ca, false },
	{ 0, "requestheader-allowed-names", "NAMES", "their common names", &front.allowed, true },
	{ 0, "requestheader-username-headers", "NAMES", "whom they speak for (X-Remote-User)",
	    &front.users, true },
	{ 0, "requestheader-uid-headers", "NAMES", "his uid (X-Remote-Uid)", &front.uids, true },
	{ 0, "requestheader-group-headers", "NAMES", "his groups (X-Remote-Group)", &front.groups,
	    true },
	{ 0, "requestheader-extra-headers-prefix", "NAMES", "more of him (X-Remote-Extra-)",
	    &front.extras, true },
	{ 0, "history", "TIME", "how long changes are remembered (5m)", &history_arg, false },
	{ 'v', "verbose", NULL, "say more", &verbose, false },
	{ 0 },
};

const struct program self = {
	.name = "orch-store",
	.synopsis = "--data DIR [--listen HOST:PORT] [--socket PATH] [--metrics HOST:PORT]",
	.summary = "Serve the Kubernetes API from one folder.",
	.opts = opts,
};

static struct history_limits history = {
	.seconds = 300, .events = 200000, .bytes = 48 << 20, .least = 1000, .event_seconds = 3600
};

struct store {
	struct engine *engine;
	struct cache *cache;
	struct commit *commit;
	struct watches *watches;
	struct server *server;
	struct definitions *definitions;
	struct http_server *metrics;
	struct tls *tls;
	int port;
};

/* Ready when the watches exist: the commit thread starts before them. */
static void
changed(void *arg)
{
	struct store *s = arg;
	struct watches *w = __atomic_load_n(&s->watches, __ATOMIC_ACQUIRE);

	if (w)
		watches_changed(w);
	definitions_changed(__atomic_load_n(&s->definitions, __ATOMIC_ACQUIRE));
}

static int
open_data(struct store *s, struct err *err)
{
	struct definitions *definitions;
	struct watches *w;
	int r;

	if ((r = mkdir_all(dir_arg, 0700, err)) < 0 ||
	    (r = sqlite_open(&s->engine, dir_arg, err)) < 0)
		return r;
	s->cache = cache_new();
	if ((r = commit_start(&s->commit, s->engine, s->cache, &history, changed, s, err)) < 0)
		return r;
	if ((r = watches_start(&w, s->cache, err)) < 0)
		return r;
	__atomic_store_n(&s->watches, w, __ATOMIC_RELEASE);
	s->server = server_new(s->cache, s->commit, w, geteuid());
	if ((r = definitions_start(&definitions, s->server, err)) < 0)
		return r;
	__atomic_store_n(&s->definitions, definitions, __ATOMIC_RELEASE);
	if ((r = migrate(s->server, err)) < 0)
		return r;
	s->server->no_anonymous = strcmp(anonymous_arg, "false") == 0;
	if (tokens_arg && (r = tokens_open(&s->server->tokens, tokens_arg, err)) < 0)
		return r;
	if ((r = issuer_open(&s->server->issuer, s->cache, dir_arg, issuer_arg, err)) < 0)
		return r;
	return server_services(s->server, ranges_arg, ports_arg, err);
}

/* The host clients on this machine use: what --listen says, or the loopback for all addresses. */
static char *
url_host(void)
{
	const char *colon = strrchr(listen_arg, ':');
	size_t n = colon ? (size_t)(colon - listen_arg) : strlen(listen_arg);

	if (n == 0 || strncmp(listen_arg, "0.0.0.0:", 8) == 0 ||
	    strncmp(listen_arg, "[::]:", 5) == 0)
		return xstrdup("127.0.0.1");
	return xstrndup(listen_arg, n);
}

/* A certificate must name what --listen names. */
static int
open_tls(struct store *s, const char *host, struct err *err)
{
	autofree char *address = bootstrap_address(advertise_arg ? advertise_arg : host);
	const char **names = xcalloc(names_arg.n + 4, sizeof *names);
	char kubernetes[INET6_ADDRSTRLEN]; /* where Pods find this server */
	autofree char *bare = xstrndup(host + (*host == '['), strcspn(host + (*host == '['), "]"));
	int r;

	for (size_t i = 0; i < names_arg.n; i++)
		names[i] = names_arg.item[i];
	names[names_arg.n] = bare;
	names[names_arg.n + 1] = address;
	names[names_arg.n + 2] = kubernetes;
	if ((r = services_first(ranges_arg, kubernetes, err)) == 0)
		r = pki_ensure(dir_arg, names, err);
	free(names);
	if (r < 0 || (r = front_proxy_open(&s->server->front, dir_arg, &front, err)) < 0 ||
	    (r = pki_tls(&s->tls, dir_arg, err)) < 0)
		return r;
	return tls_front(s->tls, s->server->front->ca_file, err);
}

/* What only this server knows, once it listens. */
static int
make_objects(struct store *s, const char *host, struct err *err)
{
	autofree char *file = xasprintf("%s/pki/ca.crt", dir_arg);
	autofree char *address = bootstrap_address(advertise_arg ? advertise_arg : host);
	autobuf struct buf ca = BUF_INIT;
	struct bootstrap_facts f = { .address = address, .port = s->port };
	int r;

	if ((r = buf_read_file(&ca, file, 1 << 20, err)) < 0)
		return r;
	buf_putc(&ca, '\0');
	f.ca = ca.data;
	return bootstrap_start(s->server, &f, err);
}

static int
open_metrics(struct store *s, struct err *err)
{
	int r;

	if (!metrics_arg)
		return 0;
	if ((r = http_server_new(&s->metrics, NULL, 1, 1, server_metrics_only, s->server, err)) <
		0 ||
	    (r = http_listen(s->metrics, metrics_arg, NULL, NULL, err)) < 0)
		return r;
	return http_server_start(s->metrics, err);
}

static int
open_doors(struct store *s, struct err *err)
{
	autofree char *host = url_host(), *url = NULL,
		      *kubeconfig = xasprintf("%s/admin.kubeconfig", dir_arg);
	autofree char *socket =
	    socket_arg ? xstrdup(socket_arg) : xasprintf("%s/store.sock", dir_arg);
	int r;

	autofree char *crt = xasprintf("%s/pki/node-client.crt", dir_arg);
	autofree char *key = xasprintf("%s/pki/node-client.key", dir_arg);

	server_node_client(s->server, crt, key);
	if ((r = open_tls(s, host, err)) < 0 || (r = aggregation_start(s->server, err)) < 0 ||
	    (r = http_server_new(&s->server->http, NULL, 2, 2, server_handle, s->server, err)) < 0)
		return r;
	http_refusals(s->server->http, refusal_words);
	if ((r = http_listen(s->server->http, listen_arg, s->tls, &s->port, err)) < 0 ||
	    (r = http_listen_unix(s->server->http, socket, 0666, err)) < 0)
		return r;
	if ((r = make_objects(s, host, err)) < 0)
		return r;
	url = xasprintf("https://%s:%d", host, s->port);
	if ((r = pki_kubeconfig(dir_arg, kubeconfig, url, "admin", err)) < 0 ||
	    (r = open_metrics(s, err)) < 0)
		return r;
	s->server->url = xstrdup(url);
	s->server->ready = true;
	if ((r = http_server_start(s->server->http, err)) < 0)
		return r;
	log_line("ready: %s, revision %llu", url, (unsigned long long)cache_revision(s->cache));
	return 0;
}

static void
shut(struct store *s)
{
	s->server->ready = false;
	conversions_stop(s->server->conversions);
	watches_stop(s->watches);
	http_server_stop(s->server->http, 5);
	if (s->metrics)
		http_server_stop(s->metrics, 1);
	aggregation_stop(s->server->aggregation);
	definitions_stop(s->definitions);
	commit_stop(s->commit);
	s->engine->ops->close(s->engine);
	http_server_free(s->server->http);
	if (s->metrics)
		http_server_free(s->metrics);
	tls_free(s->tls);
	server_free(s->server);
	outcall_forget();
	watches_free(s->watches);
	cache_free(s->cache);
	definitions_free(s->definitions);
}

/* Broken data is "later" only in the sense that no other command line would help. */
static int
fail(const struct err *err)
{
	log_line("%s", err->msg);
	return err_exit(err->code) == 2 && err->code != ERR_FORBIDDEN ? 2 : 3;
}

/* Every watch is a connection; the usual 1,024 descriptors would be few. */
static void
raise_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

int
main(int argc, char *argv[])
{
	struct store s = { 0 };
	sigset_t ends;
	struct err err;
	int sig;

	if (cli_parse(argc, argv) < argc)
		usage();
	if (!dir_arg)
		die(NULL, "--data is missing");
	if (strcmp(anonymous_arg, "true") != 0 && strcmp(anonymous_arg, "false") != 0)
		die(NULL, "--anonymous-auth is true or false, not '%s'", anonymous_arg);
	if (advertise_arg && !ip_valid(advertise_arg))
		die(NULL, "--advertise-address: '%s' is no address", advertise_arg);
	if ((history.seconds = (int64_t)cli_duration("history", history_arg)) < 0)
		die(NULL, "--history: '%s' is in the future", history_arg);
	log_open(self.name, verbose);
	umask(077);
	raise_descriptors();
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	admission_tolerations(
	    cli_number("default-not-ready-toleration-seconds", not_ready_arg, 0, INT32_MAX),
	    cli_number("default-unreachable-toleration-seconds", unreachable_arg, 0, INT32_MAX));
	if (admission_choose(&enable_arg, &disable_arg, &err) < 0 || open_data(&s, &err) < 0 ||
	    open_doors(&s, &err) < 0)
		_exit(fail(&err));
	sigwait(&ends, &sig);
	shut(&s);
	return finish(0);
}
