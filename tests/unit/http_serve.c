/* Answers, time limits, unix sockets, addresses, running out of descriptors. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "http_test.h"

static char folder[] = "/tmp/http_serve.XXXXXX";

static void
later(struct http_exchange *x, void *arg)
{
	autofree char *v = http_query(x, "x y");

	(void)arg;
	nap(0.01);
	http_reply_text(x, 200, "text/plain", v ? v : "(none)");
}

static void
large(struct http_exchange *x)
{
	static struct bytes *part;
	struct bytes *parts[3000];

	if (!part) {
		part = bytes_alloc(10000);
		memset(part->data, 'p', part->len);
	}
	for (size_t i = 0; i < COUNT(parts); i++)
		parts[i] = bytes_ref(part);
	http_reply(x, 200, NULL, NULL, parts, COUNT(parts));
}

static void
handle(struct http_exchange *x, void *arg)
{
	static const struct http_header extra[] = { { "X-Odd", "a\r\nSet-Cookie: b" },
		{ NULL, NULL } };
	const struct http_request *r = http_request(x);
	struct bytes *b;

	(void)arg;
	if (strcmp(r->path, "/later") == 0) {
		http_defer(x, later, NULL);
	} else if (strcmp(r->path, "/large") == 0) {
		large(x);
	} else if (strcmp(r->path, "/none") == 0) {
		b = bytes_new("not to be sent", 14);
		http_reply(x, 204, NULL, extra, &b, 1);
	} else if (strcmp(r->path, "/peer") == 0) {
		autofree char *t = xasprintf(
		    "local=%d uid=%u pid=%d", r->peer.local, r->peer.uid, (int)r->peer.pid);

		http_reply_text(x, 200, "text/plain", t);
	} else {
		http_reply_text(x, 200, "text/plain", r->len ? r->body : "hello");
	}
}

static int
dial_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, path);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
answers(int port)
{
	static const char requests[] = "GET /later?x+y=1%2B1&x+y=2 HTTP/1.1\r\nHost: a\r\n\r\n"
				       "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
				       "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
				       "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	char heard[8192], *p;
	int fd = dial(port);

	say(fd, requests, sizeof requests - 1);
	hear(fd, heard, sizeof heard, NULL, 2000);
	p = strstr(heard, "\r\n\r\n1+1HTTP/1.1 200 OK\r\n");
	CHECK(p, "in order, though the first takes longer: %s", heard);
	p = strstr(p, "\r\n\r\nhelloHTTP/1.1 200 OK\r\n");
	CHECK(p && strstr(p, "Content-Length: 5\r\n\r\nHTTP/1.1 204 No Content\r\n"), "HEAD: %s",
	    heard);
	p = strstr(p, "204");
	CHECK(!strstr(p, "Length") && !strstr(p, "not to be sent"), "204: %s", heard);
	CHECK(strstr(p, "X-Odd: a  Set-Cookie: b\r\n"), "no header by a line break: %s", heard);
	close(fd);
}

static void
wait_closed(struct http_server *s, const char *what)
{
	struct http_stats st;

	for (int i = 0; i < 400; i++) {
		http_stats(s, &st);
		if (st.open_connections == 0)
			return;
		nap(0.01);
	}
	CHECK(0, "%s: %d connections left", what, (int)st.open_connections);
}

static void
large_answers(struct http_server *s, int port)
{
	static char heard[40 << 20];
	char some[1000];
	int fd;

	for (int i = 0; i < 20; i++) { /* hang up in the middle */
		fd = dial(port);
		say(fd, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n", 33);
		recv(fd, some, sizeof some, 0);
		close(fd);
	}
	wait_closed(s, "large");
	fd = dial(port);
	say(fd, "GET /large HTTP/1.0\r\n\r\n", 23);
	CHECK(hear(fd, heard, sizeof heard, NULL, 2000) > 30000000, "all of it");
	CHECK(strlen(strstr(heard, "\r\n\r\n") + 4) == 30000000, "all of it, exactly");
	close(fd);
}

/* header_seconds and body_seconds are 1, idle_seconds 1, write_seconds 1. */
static void
time_limits(struct http_server *s, int port)
{
	static const char *const starts[] = { "", "GET / HT", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
		"GET /large HTTP/1.1\r\nHost: a\r\n\r\n" };
	static const char *const wants[] = { "", "HTTP/1.1 408", "HTTP/1.1 200", "HTTP/1.1 408",
		NULL };
	int fds[COUNT(starts)];
	char heard[4096];

	for (size_t i = 0; i < COUNT(starts); i++) {
		fds[i] = dial(port);
		say(fds[i], starts[i], strlen(starts[i]));
	}
	for (int i = 0; i < 14; i++) { /* a byte now and then does not help */
		nap(0.1);
		say(fds[1], "x", 1);
		say(fds[3], "x", i < 2);
	}
	for (size_t i = 0; i < COUNT(starts); i++) {
		if (wants[i]) {
			hear(fds[i], heard, sizeof heard, NULL, 1500);
			CHECK(
			    strncmp(heard, wants[i], strlen(wants[i])) == 0, "%zu: '%s'", i, heard);
			close(fds[i]);
		}
	}
	wait_closed(s, "a reader who stands still is hung up on");
	close(fds[4]);
}

/* held_bytes is 1 MB: who sends a body while others hold that much is told to come later. */
static void
bodies(struct http_server *s, int port)
{
	static char big[300000];
	char head[128], heard[4096];
	int fds[4], refused = 0;

	snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
	    sizeof big + 1);
	for (int i = 0; i < 4; i++) {
		fds[i] = dial(port);
		say(fds[i], head, strlen(head));
		say(fds[i], big, sizeof big);
	}
	for (int i = 0; i < 4; i++)
		refused += hear(fds[i], heard, sizeof heard, "HTTP/1.1 503", 100) > 0;
	CHECK(refused >= 1 && refused <= 3, "%d of 4 refused", refused);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	wait_closed(s, "bodies");
	fds[0] = dial(port);
	say(fds[0], head, strlen(head));
	say(fds[0], big, sizeof big);
	say(fds[0], "x", 1);
	hear(fds[0], heard, sizeof heard, "\r\n\r\n", 1000);
	CHECK(strncmp(heard, "HTTP/1.1 200", 12) == 0, "and is welcome later: %s", heard);
	close(fds[0]);
}

static struct http_server *
server(int *port)
{
	struct http_limits l = { .header_seconds = 1,
		.body_seconds = 1,
		.idle_seconds = 1,
		.write_seconds = 1,
		.held_bytes = 1000000 };
	struct http_server *s;
	struct err err;

	CHECK(http_server_new(&s, &l, 2, 2, handle, NULL, &err) == 0, "%s", err.msg);
	if (port) {
		CHECK(http_listen(s, "127.0.0.1:0", NULL, port, &err) == 0, "%s", err.msg);
		CHECK(http_server_start(s, &err) == 0, "%s", err.msg);
	}
	return s;
}

static void
unix_sockets(void)
{
	autofree char *path = xasprintf("%s/s", folder);
	struct http_server *s = server(NULL), *other = server(NULL);
	char heard[4096], want[64];
	struct err err;
	struct stat st;
	int fd;

	CHECK(http_listen_unix(s, path, 0600, &err) == 0, "%s", err.msg);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "mode");
	CHECK(http_server_start(s, &err) == 0, "%s", err.msg);
	CHECK(http_listen_unix(other, path, 0600, &err) == -ERR_EXISTS, "a live one is kept");
	fd = dial_unix(path);
	say(fd, "GET /peer HTTP/1.0\r\n\r\n", 22);
	hear(fd, heard, sizeof heard, NULL, 1000);
	snprintf(want, sizeof want, "local=1 uid=%u pid=%d", getuid(), (int)getpid());
	CHECK(strstr(heard, want), "peer: %s", heard);
	close(fd);
	http_server_stop(s, 0);
	http_server_free(s);
	CHECK(stat(path, &st) < 0, "removed");
	/* a stale one: bound by somebody who has died */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	strcpy(a.sun_path, path);
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof a) == 0, "bind");
	close(fd);
	CHECK(http_listen_unix(other, path, 0660, &err) == 0, "stale: %s", err.msg);
	CHECK(http_listen_unix(other, "/nowhere/s", 0600, &err) == -ERR_NOT_FOUND, "no folder");
	CHECK(http_listen_unix(other, folder, 0600, &err) == -ERR_EXISTS, "no socket");
	http_server_free(other);
}

static void
addresses(void)
{
	static const char *const bad[] = { "", ":", "x", "1.2.3.4", "::1:80", "localhost:http",
		"no.such.host.invalid:1", "127.0.0.1:99999x" };
	struct http_server *s = server(NULL);
	autofree char *taken = NULL;
	struct err err;
	int port;

	for (size_t i = 0; i < COUNT(bad); i++)
		CHECK(http_listen(s, bad[i], NULL, NULL, &err) < 0, "'%s'", bad[i]);
	CHECK(http_listen(s, ":0", NULL, &port, &err) == 0 && port > 0, "%s", err.msg);
	CHECK(http_listen(s, "localhost:0", NULL, &port, &err) == 0, "%s", err.msg);
	taken = xasprintf("localhost:%d", port);
	CHECK(
	    http_listen(s, taken, NULL, &port, &err) < 0 && strstr(err.msg, taken), "%s", err.msg);
	http_server_free(s);
}

/* More clients than descriptors: those too many are hung up on, the server lives, and recovers. */
static void
descriptors(void)
{
	struct rlimit old, few;
	struct http_server *s;
	int port, status, probe;
	pid_t child;

	probe = open("/dev/null", O_RDONLY);
	close(probe);
	getrlimit(RLIMIT_NOFILE, &old);
	s = server(&port);
	few = old;
	few.rlim_cur = (rlim_t)probe + 40;
	child = fork();
	if (child == 0) {
		int fds[100], served = 0;
		char heard[1000];

		for (int i = 0; i < 100; i++)
			fds[i] = dial(port);
		for (int i = 0; i < 100; i++) {
			say(fds[i], "GET / HTTP/1.0\r\n\r\n", 18);
			served += hear(fds[i], heard, sizeof heard, "hello", 2000) > 0;
			close(fds[i]);
		}
		_exit(served > 10 ? 0 : 1);
	}
	setrlimit(RLIMIT_NOFILE, &few);
	CHECK(waitpid(child, &status, 0) == child && status == 0, "some are served");
	setrlimit(RLIMIT_NOFILE, &old);
	answers(port);
	http_server_stop(s, 0);
	http_server_free(s);
}

int
main(void)
{
	struct http_server *s;
	int port;

	CHECK(mkdtemp(folder), "folder");
	descriptors();
	s = server(&port);
	answers(port);
	large_answers(s, port);
	bodies(s, port);
	time_limits(s, port);
	http_server_stop(s, 1);
	http_server_free(s);
	unix_sockets();
	addresses();
	rmdir(folder);
	return 0;
}
