#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/jsonl.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/files.h"
#include "node/probe.h"

const char *const probe_fields[PROBES] = { "startupProbe", "livenessProbe", "readinessProbe" };

/* A port as a number or by the name of one of the container's. */
static int
find_port(const struct probing *p, const json_t *port)
{
	json_t *one;
	long long n;
	size_t i;

	if (json_is_integer(port))
		return (int)json_integer_value(port);
	json_array_foreach (get(p->container, "ports"), i, one)
		if (strcmp(text(one, "name"), str(port, "")) == 0)
			return (int)num(get(one, "containerPort"), 0);
	return text_int(str(port, ""), &n) ? (int)n : 0;
}

static int
open_tcp(const struct probing *p, const char *host, const json_t *port, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	char service[16];
	int fd = -1, code;

	snprintf(service, sizeof service, "%d", find_port(p, port));
	host = *host ? host : p->ip;
	if ((code = getaddrinfo(host, service, &hints, &list)) != 0)
		return err_set(
		    err, ERR_UNAVAILABLE, "cannot resolve '%s': %s", host, gai_strerror(code));
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen) < 0) {
		code = err_sys(err, errno, "dial tcp %s:%s", host, service);
		if (fd >= 0)
			close(fd);
		fd = code;
	}
	freeaddrinfo(list);
	return fd;
}

static int
probe_tcp(const struct probing *p, const json_t *how, struct err *err)
{
	int fd = open_tcp(p, text(how, "host"), get(how, "port"), err);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static char *
request_text(const struct probing *p, const json_t *how)
{
	const char *path = text(how, "path");
	autobuf struct buf b = BUF_INIT;
	bool host = false;
	json_t *header;
	size_t i;

	buf_printf(&b, "GET %s%s HTTP/1.1\r\n", *path == '/' ? "" : "/", path);
	json_array_foreach (get(how, "httpHeaders"), i, header) {
		host = host || strcasecmp(text(header, "name"), "host") == 0;
		buf_printf(&b, "%s: %s\r\n", text(header, "name"), text(header, "value"));
	}
	if (!host)
		buf_printf(&b, "Host: %s:%d\r\n", *text(how, "host") ? text(how, "host") : p->ip,
		    find_port(p, get(how, "port")));
	buf_puts(&b,
	    "User-Agent: orch-probe/" ORCH_VERSION "\r\nAccept: */*\r\nConnection: close\r\n\r\n");
	return buf_detach(&b);
}

/* Send the request, take in the first bytes of the answer: its length, or negative. */
static ssize_t
exchange(int fd, const char *request, char *answer, size_t size)
{
	size_t have = 0;
	ssize_t n;

	if (write(fd, request, strlen(request)) < 0)
		return -1;
	while (have < 16 && (n = read(fd, answer + have, size - have)) > 0)
		have += (size_t)n;
	return (ssize_t)have;
}

/* The same over TLS.  Like the kubelet, a probe takes any certificate. */
static ssize_t
exchange_tls(int fd, const char *request, char *answer, size_t size)
{
	gnutls_certificate_credentials_t any;
	gnutls_session_t s;
	ssize_t n = -1;
	int r;

	if (gnutls_certificate_allocate_credentials(&any) < 0 || gnutls_init(&s, GNUTLS_CLIENT) < 0)
		abort();
	gnutls_set_default_priority(s);
	gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, any);
	gnutls_transport_set_int(s, fd);
	do
		r = gnutls_handshake(s);
	while (r < 0 && !gnutls_error_is_fatal(r));
	if (r == 0 && gnutls_record_send(s, request, strlen(request)) > 0)
		while (
		    (n = gnutls_record_recv(s, answer, size)) < 0 && !gnutls_error_is_fatal((int)n))
			;
	gnutls_deinit(s);
	gnutls_certificate_free_credentials(any);
	return n;
}

/* 200 to 399 is health, as Kubernetes has it; a redirect is not followed. */
static int
probe_http(const struct probing *p, const json_t *how, struct err *err)
{
	bool tls = strcmp(text(how, "scheme"), "HTTPS") == 0;
	autofree char *request = request_text(p, how);
	char answer[1024];
	int status = 0, fd;
	ssize_t n;

	if ((fd = open_tcp(p, text(how, "host"), get(how, "port"), err)) < 0)
		return fd;
	n = (tls ? exchange_tls : exchange)(fd, request, answer, sizeof answer - 1);
	close(fd);
	answer[n > 0 ? n : 0] = '\0';
	if (sscanf(answer, "HTTP/%*d.%*d %d", &status) != 1)
		return err_set(err, ERR_UNAVAILABLE, "no %s answer", tls ? "HTTPS" : "HTTP");
	if (status < 200 || status >= 400)
		return err_set(
		    err, ERR_UNAVAILABLE, "HTTP probe failed with statuscode: %d", status);
	return 0;
}

/* Where the runtime says which process it made, for the alarm: nothing else would end that one. */
static char exec_pid[4096];

static void
on_alarm(int sig)
{
	int fd = *exec_pid ? open(exec_pid, O_RDONLY | O_CLOEXEC) : -1;
	char line[32];
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line);
	pid_t pid = 0;

	for (ssize_t i = 0; i < n && line[i] >= '0' && line[i] <= '9'; i++)
		pid = pid * 10 + (line[i] - '0');
	if (pid > 1)
		kill(pid, SIGKILL);
	if (*exec_pid)
		unlink(exec_pid);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* In the container with its own user and rights: plain `exec` would be root. */
static int
probe_exec(const struct probing *p, const json_t *pod_command, const char *bundle, struct err *err)
{
	autofree char *config = xasprintf("%s/config.json", bundle);
	autofree char *file = xasprintf("%s/exec.%d", bundle, (int)getpid());
	const char *args[] = { "exec", "--process", file, "--pid-file", exec_pid, p->id, NULL };
	autobuf struct buf b = BUF_INIT, out = BUF_INIT;
	json_auto_t *whole = NULL;
	json_t *process;
	int r;

	if ((r = buf_read_file(&b, config, 4 << 20, err)) < 0)
		return r;
	whole = json_loadb(b.data, b.len, 0, NULL);
	process = get(whole, "process");
	if (!process)
		return err_set(err, ERR_INTERNAL, "'%s' is damaged", config);
	json_object_set(process, "args", (json_t *)pod_command);
	json_object_set_new(process, "terminal", json_false());
	buf_clear(&b);
	json_add(&b, process);
	if ((r = file_write(file, b.data, b.len, 0600, err)) < 0)
		return r;
	snprintf(exec_pid, sizeof exec_pid, "%s.pid", file);
	r = host_runtime(p->host, args, &out, err);
	unlink(exec_pid);
	unlink(file);
	return r;
}

int
handler_run(const struct probing *p, struct err *err)
{
	const json_t *how;

	if ((how = get(p->probe, "httpGet")))
		return probe_http(p, how, err);
	if ((how = get(p->probe, "tcpSocket")))
		return probe_tcp(p, how, err);
	if ((how = get(p->probe, "exec")))
		return probe_exec(p, get(how, "command"), p->bundle, err);
	if ((how = get(p->probe, "sleep"))) {
		sleep((unsigned)num(get(how, "seconds"), 0));
		return 0;
	}
	return err_set(err, ERR_INVALID, "it is none of exec, httpGet, tcpSocket");
}

int
probe_try(void *arg, json_t **result, struct err *err)
{
	const struct probing *p = arg;

	(void)result;
	signal(SIGALRM, on_alarm);
	alarm((unsigned)num(get(p->probe, "timeoutSeconds"), 1)); /* its signal ends this process */
	return handler_run(p, err);
}

bool
probe_count(struct probe *p, const json_t *spec, bool success, double now)
{
	json_int_t needed =
	    success ? num(get(spec, "successThreshold"), 1) : num(get(spec, "failureThreshold"), 3);
	bool before = p->good, decided = p->decided;

	p->again = now + (double)num(get(spec, "periodSeconds"), 10);
	if (success)
		p->streak = p->streak > 0 ? p->streak + 1 : 1;
	else
		p->streak = p->streak < 0 ? p->streak - 1 : -1;
	if ((success ? p->streak : -p->streak) < needed)
		return false;
	p->good = success;
	p->decided = true;
	return !decided || before != p->good;
}

void
probe_reset(struct probe *p, const json_t *spec, double now)
{
	job_kill(&p->job);
	free(p->message);
	*p = (struct probe){ .job = { .fd = -1 } };
	p->again = now + (double)num(get(spec, "initialDelaySeconds"), 0);
}
