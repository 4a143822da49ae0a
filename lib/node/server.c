/* The node's own server: its process, who may come in, and which path leads where. */
#include "node/server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "node/server_private.h"

/* --- what the paths share --------------------------------------------------------- */

static struct container *
find_container(struct pod *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->c[i].name, name) == 0)
			return &p->c[i];
	return NULL;
}

/* Is this the one that is meant?  A pod that has taken the name of one on its way out comes first.
 */
static bool
better(const struct pod *p, const struct pod *than)
{
	return !than || (than->leaving && !p->leaving) || (than->stopping && !p->stopping);
}

struct pod *
server_pod(const struct server *s, const char *ns, const char *name, const char *container,
    struct container **c)
{
	autofree char *folder = host_path(s->host, "pods");
	struct pod *found = NULL;
	struct dirent *e;
	DIR *d = opendir(folder);

	while (d && (e = readdir(d))) {
		struct pod *p = NULL;
		struct err err;

		if (e->d_name[0] == '.' || pod_load(&p, s->host, e->d_name, &err) < 0)
			continue;
		if (strcmp(meta_namespace(p->object), ns) != 0 ||
		    strcmp(meta_name(p->object), name) != 0 ||
		    (container && !find_container(p, container)) || !better(p, found)) {
			pod_free(p);
			continue;
		}
		if (found)
			pod_free(found);
		found = p;
	}
	if (d)
		closedir(d);
	if (found && container)
		*c = find_container(found, container);
	return found;
}

void
server_refuse(struct http_exchange *x, int status, const char *fmt, ...)
{
	const char *reason = status == 404   ? "NotFound"
			     : status == 400 ? "BadRequest"
			     : status == 403 ? "Forbidden"
					     : "InternalError";
	autobuf struct buf b = BUF_INIT;
	json_auto_t *answer = NULL;
	autofree char *message = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		abort();
	va_end(ap);
	answer = json_pack("{s:s,s:s,s:{},s:s,s:s,s:s,s:i}", "kind", "Status", "apiVersion", "v1",
	    "metadata", "status", "Failure", "message", message, "reason", reason, "code", status);
	json_add(&b, answer);
	http_reply_text(x, status, "application/json", b.data);
}

/* --- requests ------------------------------------------------------------------------ */

static bool
may_come_in(const struct http_peer *p)
{
	if (!p->tls || !p->common_name)
		return false;
	for (const char *const *o = p->organizations; o && *o; o++)
		if (strcmp(*o, "system:masters") == 0)
			return true;
	return strcmp(p->common_name, "kube-apiserver-kubelet-client") == 0;
}

/* "/exec/NS/POD/CONTAINER" into its parts, which stay in `path`; their number. */
static int
split(char *path, char *part[4])
{
	int n = 0;

	for (char *rest = path + 1, *p; n < 4 && (p = strsep(&rest, "/"));)
		part[n++] = p;
	return n;
}

static const struct {
	const char *name;
	void (*go)(struct server *s, struct http_exchange *x, const char *ns, const char *name,
	    const char *container);
} ways[] = {
	{ "containerLogs", server_log },
	{ "exec", server_exec },
	{ "attach", server_attach },
};

static const struct {
	const char *path;
	void (*go)(struct server *s, struct http_exchange *x);
} figures[] = {
	{ "/stats/summary", server_summary },
	{ "/metrics/resource", server_resource },
	{ "/metrics/cadvisor", server_cadvisor },
};

static void
route(struct http_exchange *x, void *arg)
{
	autofree char *path = xstrdup(http_request(x)->path);
	char *part[4];
	int n = split(path, part);

	for (size_t i = 0; i < COUNT(ways); i++) {
		if (n == 4 && strcmp(part[0], ways[i].name) == 0) {
			ways[i].go(arg, x, part[1], part[2], part[3]);
			return;
		}
	}
	for (size_t i = 0; i < COUNT(figures); i++) {
		if (strcmp(http_request(x)->path, figures[i].path) == 0) {
			figures[i].go(arg, x);
			return;
		}
	}
	if (n == 3 && strcmp(part[0], "portForward") == 0)
		server_forward(arg, x, part[1], part[2]);
	else
		server_refuse(x, 404, "there is nothing at '%s'", http_request(x)->path);
}

static void
handle(struct http_exchange *x, void *arg)
{
	if (strcmp(http_request(x)->path, "/healthz") == 0)
		http_reply_text(x, 200, "text/plain; charset=utf-8", "ok");
	else if (!may_come_in(&http_request(x)->peer))
		server_refuse(x, 403, "this node's server is for the API server");
	else
		http_defer(x, route, arg);
}

/* --- the process ------------------------------------------------------------------------ */

enum { NODE_PORT = 10250, AGAIN_SECONDS = 30 };

struct hello {
	int code; /* of the error that kept it from starting, 0: none */
	int port;
	char pin[TLS_PIN];
	char message[1024];
};

static int
open_server(struct server *s, const char *listen, struct hello *hello, struct err *err)
{
	autofree char *crt = host_path(s->host, "server.crt"),
		      *key = host_path(s->host, "server.key");
	struct http_server *http;
	struct tls *tls;
	int r;

	if ((r = host_private_mounts(s->host, err)) < 0 ||
	    (r = tls_self_signed(crt, key, s->host->o.name, err)) < 0 ||
	    (r = tls_pin_file(crt, hello->pin, err)) < 0 ||
	    (r = tls_new(&tls, s->client_ca, crt, key, err)) < 0 ||
	    (r = http_server_new(&http, NULL, 1, 2, handle, s, err)) < 0 ||
	    (r = http_listen(http, listen, tls, &hello->port, err)) < 0)
		return r;
	return http_server_start(http, err);
}

_Noreturn static void
be_server(struct host *h, const char *listen, const char *client_ca, int out)
{
	static struct server s;
	struct hello hello = { 0 };
	struct err err;

	close(h->lock); /* it is the node's: the next one need not wait for our end */
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_IGN); /* a terminal's ^C is for the node to act on */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	s = (struct server){ h, client_ca };
	if (open_server(&s, listen, &hello, &err) < 0) {
		hello.code = err.code;
		snprintf(hello.message, sizeof hello.message, "%s", err.msg);
	}
	if (write(out, &hello, sizeof hello) != (ssize_t)sizeof hello || hello.code)
		_exit(3);
	close(out);
	for (;;)
		pause();
}

static int
hear(int in, struct hello *hello, struct err *err)
{
	ssize_t n;

	do
		n = read(in, hello, sizeof *hello);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof *hello)
		return err_set(err, ERR_INTERNAL, "the node's server has ended at once");
	if (hello->code)
		return err_set(err, (enum err_code)hello->code, "%s", hello->message);
	return 0;
}

static int
begin(struct node_server *s, struct host *h, const char *listen, struct err *err)
{
	pid_t parent = getpid(), pid;
	struct hello hello;
	sigset_t none;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	if ((pid = fork()) < 0) {
		close(fds[0]);
		close(fds[1]);
		return err_sys(err, errno, "cannot fork");
	}
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(3);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		close(fds[0]);
		be_server(h, listen, s->client_ca, fds[1]);
	}
	close(fds[1]);
	r = hear(fds[0], &hello, err);
	close(fds[0]);
	if (r < 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return r;
	}
	s->pid = pid;
	s->port = hello.port;
	host_set_server(h, hello.port, hello.pin);
	return 0;
}

/* "10.0.0.1:10250", "[fd00::1]:10250" */
static char *
at(const char *address, int port)
{
	bool six = strchr(address, ':') != NULL;

	return xasprintf("%s%s%s:%d", six ? "[" : "", address, six ? "]" : "", port);
}

int
server_start(struct node_server *s, struct host *h, const char *listen, const char *client_ca,
    struct err *err)
{
	autofree char *usual = at(h->o.address, NODE_PORT), *any = at(h->o.address, 0);

	s->listen = xstrdup(listen ? listen : any);
	s->client_ca = xstrdup(client_ca);
	if (!listen && begin(s, h, usual, err) == 0)
		return 0;
	return begin(s, h, s->listen, err);
}

int
server_check(struct node_server *s, struct host *h, struct err *err)
{
	autofree char *same = NULL;

	if (!s->listen || (s->pid > 0 && waitpid(s->pid, NULL, WNOHANG) != s->pid))
		return 0;
	if (s->pid == 0 && clock_monotonic() < s->again)
		return 0;
	s->pid = 0;
	s->again = clock_monotonic() + AGAIN_SECONDS;
	same = xasprintf("%.*s:%d", (int)(strrchr(s->listen, ':') - s->listen), s->listen, s->port);
	return begin(s, h, same, err);
}

void
server_stop(struct node_server *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	free(s->listen);
	free(s->client_ca);
	*s = (struct node_server){ 0 };
}
