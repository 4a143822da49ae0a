/* orch-forward - ports of a pod, on this machine. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "api/meta.h"
#include "base/cli.h"
#include "base/mem.h"
#include "base/text.h"
#include "client/options.h"
#include "client/pods.h"
#include "client/portforward.h"

static struct list addresses;
static bool executes;
static const struct opt opts[] = {
	{ 0, "address", "ADDRESS", "listen here instead of on 127.0.0.1 and ::1", &addresses,
	    true },
	{ 0, "exec", NULL, "run the command behind -- while it forwards", &executes, false },
	{ 'n', "namespace", "NAME", "look in this namespace", &scope_options.namespace, false },
	{ 0 },
};
static const struct opt *const shared[] = { client_opts, NULL };
const struct program self = {
	.name = "orch-forward",
	.synopsis = "[--address=ADDRESS] [pod/]NAME [LOCAL:]PORT...\n"
		    "[--address=ADDRESS] KIND/NAME [LOCAL:]PORT...\n"
		    "[pod/]NAME|KIND/NAME [LOCAL:]PORT... --exec -- COMMAND [WORD]...",
	.summary = "Reach ports of a pod from this machine.",
	.opts = opts,
	.shared = shared,
	.operands = "objects",
};

/* --- where to ------------------------------------------------------------------------------ */

/* Looked up anew for each connection: pods come and go behind a service. */
struct way {
	char *pod, *ns;
	int port;
};

static void
way_release(struct way *w)
{
	free(w->pod);
	free(w->ns);
}

static int
find_way(struct client *c, const char *word, const char *port, struct way *ret, struct err *err)
{
	const char *slash = strchr(word, '/');
	autofree char *type = slash ? xstrndup(word, (size_t)(slash - word)) : NULL;
	const struct kind *k = type ? kind_of_word(type) : NULL;
	json_auto_t *service = NULL;
	struct pods pods = { 0 };
	const json_t *best;
	int r = 0;

	if (k && strcmp(k->kind, "Service") == 0)
		r = client_get(c, k, client_namespace(c), slash + 1, &service, err);
	if (r >= 0)
		r = pods_of_word(&pods, c, word, err);
	best = pods_best(&pods);
	if (r >= 0 && !best)
		r = err_set(err, ERR_NOT_FOUND, "'%s' has no pods", word);
	if (r >= 0)
		r = portforward_port(best, service, port, &ret->port, err);
	if (r >= 0) {
		ret->pod = xstrdup(meta_name(best));
		ret->ns = xstrdup(meta_namespace(best));
	}
	pods_release(&pods);
	return r;
}

/* --- connections -------------------------------------------------------------------------------
 */

struct listener {
	int fd;
	const char *word, *port; /* of the command line */
	char *address;		 /* "127.0.0.1:8080" */
};

struct connection {
	const struct listener *of;
	struct client *client;
	int fd;
};

/* A thread: from its beginning to its end. */
static void *
carry(void *arg)
{
	struct connection *k = arg;
	struct portforward *p = NULL;
	struct way way = { 0 };
	struct err err;
	int r = find_way(k->client, k->of->word, k->of->port, &way, &err);

	if (r >= 0)
		r = portforward_open(k->client, way.ns, way.pod, way.port, &p, &err);
	if (r >= 0)
		r = portforward_carry(p, k->fd, &err);
	if (r < 0) {
		const struct linger at_once = { .l_onoff = 1 };

		warn("cannot forward to port %s of '%s': %s", k->of->port, k->of->word, err.msg);
		/* a reset: what came is not all */
		setsockopt(k->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	}
	close(k->fd);
	portforward_close(p);
	client_close(k->client);
	way_release(&way);
	free(k);
	return NULL;
}

static void
take(struct client *c, const struct listener *l)
{
	struct connection *k = xcalloc(1, sizeof *k);
	pthread_attr_t detached;
	pthread_t thread;
	struct err err;
	int fault = 0;

	k->of = l;
	k->fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	if (k->fd >= 0 && client_clone(&k->client, c, &err) < 0) {
		close(k->fd);
		warn("cannot forward: %s", err.msg);
		k->fd = -1;
	}
	if (k->fd < 0) {
		free(k);
		return;
	}
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	fault = pthread_create(&thread, &detached, carry, k);
	pthread_attr_destroy(&detached);
	if (fault) {
		warn("cannot forward: %s", strerror(fault));
		close(k->fd);
		client_close(k->client);
		free(k);
	}
}

/* --- listening
 * ------------------------------------------------------------------------------------ */

struct listeners {
	struct listener *item;
	size_t n, cap;
};

/* *port 0: any, and then it is set. */
static int
listen_on(struct listeners *ls, const char *address, int *port, const char *word, const char *to,
    struct err *err)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST,
		.ai_socktype = SOCK_STREAM };
	struct sockaddr_storage got;
	socklen_t len = sizeof got;
	struct addrinfo *info;
	char number[16];
	int fd, one = 1, fault;

	snprintf(number, sizeof number, "%d", *port);
	if (getaddrinfo(address, number, &hints, &info) != 0)
		return err_set(err, ERR_BAD_REQUEST, "'%s' is no IP address", address);
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd >= 0 && info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	fault = fd < 0 || bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, 128) < 0 ||
			getsockname(fd, (struct sockaddr *)&got, &len) < 0
		    ? errno
		    : 0;
	freeaddrinfo(info);
	if (fault && fd >= 0)
		close(fd);
	if (fault)
		return err_sys(err, fault, "cannot listen on %s port %d", address, *port);
	*port = ntohs(got.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&got)->sin6_port
						: ((struct sockaddr_in *)&got)->sin_port);
	GROW(ls->item, ls->n, ls->cap);
	ls->item[ls->n++] = (struct listener){ fd, word, to,
		xasprintf(strchr(address, ':') ? "[%s]:%d" : "%s:%d", address, *port) };
	return 0;
}

/* "[LOCAL:]PORT"; a port with a name is listened for on any. */
static void
listen_for(struct listeners *ls, const char *word, const char *spec)
{
	const char *colon = strchr(spec, ':'), *to = colon ? colon + 1 : spec;
	autofree char *left = colon ? xstrndup(spec, (size_t)(colon - spec)) : xstrdup(spec);
	long long local = 0;
	struct err err;
	int port;

	if (!*to || (*left && !text_int(left, &local) && colon) || local < 0 || local > 65535)
		die(NULL, "'%s' is not [LOCAL:]PORT", spec);
	port = (int)local;
	for (size_t i = 0; i < addresses.n; i++)
		if (listen_on(ls, addresses.item[i], &port, word, to, &err) < 0)
			die(&err, "cannot forward '%s'", spec);
	if (addresses.n)
		return;
	if (listen_on(ls, "127.0.0.1", &port, word, to, &err) < 0)
		die(&err, "cannot forward '%s'", spec);
	listen_on(ls, "::1", &port, word, to, &err); /* where there is none, 127.0.0.1 will do */
}

/* One line each; the first connection would find out what is wrong, but here it is told at once. */
static void
check(struct client *c, const struct listeners *ls)
{
	for (size_t i = 0; i < ls->n; i++) {
		const struct listener *l = &ls->item[i];
		struct way way = { 0 };
		autofree char *to = NULL;
		json_auto_t *line = NULL;
		struct err err;

		if (find_way(c, l->word, l->port, &way, &err) < 0)
			die(&err, "cannot forward to port %s of '%s'", l->port, l->word);
		to = xasprintf("pod/%s:%d", way.pod, way.port);
		line = json_pack("{s:s, s:s}", "address", l->address, "to", to);
		if (!executes) {
			json_dumpf(line, stdout, JSON_COMPACT);
			putchar('\n');
		}
		way_release(&way);
	}
	if (!flush_output())
		exit(finish(3));
}

/* --- until the end
 * ---------------------------------------------------------------------------------- */

static pid_t
execute(char *argv[], const char *address, const sigset_t *before)
{
	pid_t pid = fork();

	if (pid < 0)
		die(NULL, "cannot run '%s': %s", argv[0], strerror(errno));
	if (pid > 0)
		return pid;
	sigprocmask(SIG_SETMASK, before, NULL);
	setenv("ORCH_FORWARD_ADDRESS", address, 1);
	execvp(argv[0], argv);
	warn("cannot run '%s': %s", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* -1: go on; else the exit status. */
static int
signalled(int fd, pid_t child)
{
	struct signalfd_siginfo told;
	int status;

	if (read(fd, &told, sizeof told) != sizeof told)
		return -1;
	if (told.ssi_signo == SIGCHLD) {
		if (waitpid(child, &status, WNOHANG) != child)
			return -1;
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	if (child == 0)
		return 0;
	kill(child, (int)told.ssi_signo); /* its end is ours */
	return -1;
}

static int
serve(struct client *c, const struct listeners *ls, int signals, pid_t child)
{
	autofree struct pollfd *p = xcalloc(ls->n + 1, sizeof *p);

	for (;;) {
		int status = -1;

		for (size_t i = 0; i < ls->n; i++)
			p[i] = (struct pollfd){ .fd = ls->item[i].fd, .events = POLLIN };
		p[ls->n] = (struct pollfd){ .fd = signals, .events = POLLIN };
		if (poll(p, ls->n + 1, -1) < 0)
			continue;
		for (size_t i = 0; i < ls->n; i++)
			if (p[i].revents)
				take(c, &ls->item[i]);
		if (p[ls->n].revents && (status = signalled(signals, child)) >= 0)
			return status;
	}
}

int
main(int argc, char *argv[])
{
	struct listeners ls = { 0 };
	sigset_t ours, before;
	int behind = 0, at, end;
	pid_t child = 0;
	struct client *c;
	struct err err;

	while (behind < argc && strcmp(argv[behind], "--") != 0)
		behind++;
	behind = behind < argc ? argc - behind - 1 : 0; /* words behind -- */
	at = cli_parse(argc, argv);
	end = argc - behind;
	if (end - at < 2 || executes != (behind > 0))
		usage();
	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ours, &before);
	if (client_open(&c, &err) < 0)
		die(&err, "cannot forward to '%s'", argv[at]);
	for (int i = at + 1; i < end; i++)
		listen_for(&ls, argv[at], argv[i]);
	check(c, &ls);
	if (executes)
		child = execute(argv + end, ls.item[0].address, &before);
	/* threads may be under way: nothing is taken down in their sight */
	_exit(finish(serve(c, &ls, signalfd(-1, &ours, SFD_CLOEXEC), child)));
}
