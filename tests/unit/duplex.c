/* Connections taken from the server, dialled ones with pinned keys, and relays between them. */
#include <fcntl.h>
#include <pthread.h>

#include "base/buf.h"
#include "http_test.h"
#include "serve/duplex.h"
#include "store/pki.h"

static char folder[] = "/tmp/duplex.XXXXXX";
static _Atomic int running, nulls;
static int echo_port; /* of the TLS server */
static struct duplex_tls to_echo;

/* --- servers: one echoes, one relays to it ---------------------------------- */

static void
echo(struct duplex *d, void *arg)
{
	char room[4096];

	(void)arg;
	if (!d) {
		nulls++;
		return;
	}
	running++;
	duplex_write_all(d, "HTTP/1.1 101 Switching Protocols\r\n\r\n", 36, 5);
	for (;;) {
		struct pollfd f = { .fd = duplex_fd(d), .events = POLLIN };
		ssize_t n = duplex_read(d, room, sizeof room);

		if (n == -EAGAIN) {
			poll(&f, 1, -1);
			continue;
		}
		if (n <= 0 || duplex_write_all(d, room, (size_t)n, 5) < 0)
			break;
	}
	duplex_close(d);
	running--;
}

static void
relay(struct duplex *d, void *arg)
{
	static const char request[] = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";
	struct duplex *to;
	struct err err;

	(void)arg;
	if (!d)
		return;
	running++;
	CHECK(duplex_dial(&to, "127.0.0.1", echo_port, &to_echo, 5, &err) == 0, "%s", err.msg);
	CHECK(duplex_write_all(to, request, sizeof request - 1, 5) == 0, "request");
	duplex_relay(d, to, 0);
	duplex_close(to);
	duplex_close(d);
	running--;
}

static void
handle(struct http_exchange *x, void *arg)
{
	(void)arg;
	if (strcmp(http_request(x)->path, "/echo") == 0)
		http_take(x, echo, NULL);
	else if (strcmp(http_request(x)->path, "/relay") == 0)
		http_take(x, relay, NULL);
	else
		http_reply_text(x, 200, "text/plain", "hello");
}

/* --- clients ------------------------------------------------------------------- */

static void
ask(int fd, const char *path)
{
	autofree char *request = xasprintf("GET %s HTTP/1.1\r\nHost: a\r\n\r\nearly ", path);
	char room[256];

	say(fd, request, strlen(request));
	hear(fd, room, sizeof room, "early ", 5000);
	CHECK(strstr(room, "101 Switching"), "no 101: %s", room);
	CHECK(strstr(room, "early "), "what came behind the request is lost: %s", room);
}

/* 8 MB there and back, written and read at once. */
static void
bulk(int fd)
{
	enum { SIZE = 8 << 20 };
	char *out = xmalloc(SIZE), *in = xmalloc(SIZE);
	size_t sent = 0, got = 0;

	for (size_t i = 0; i < SIZE; i++)
		out[i] = (char)(i * 2654435761u >> 13);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (got < SIZE) {
		struct pollfd f = { .fd = fd,
			.events = (short)(POLLIN | (sent < SIZE ? POLLOUT : 0)) };
		ssize_t n;

		CHECK(poll(&f, 1, 10000) > 0, "stuck at %zu of %zu sent", got, sent);
		if (sent < SIZE && (n = send(fd, out + sent, SIZE - sent, MSG_NOSIGNAL)) > 0)
			sent += (size_t)n;
		if ((n = recv(fd, in + got, SIZE - got, 0)) > 0)
			got += (size_t)n;
		CHECK(n != 0, "closed at %zu", got);
	}
	CHECK(memcmp(in, out, SIZE) == 0, "not what was sent");
	free(in);
	free(out);
	fcntl(fd, F_SETFL, 0);
}

static void
until(_Atomic int *what, int value)
{
	for (int i = 0; i < 500 && *what != value; i++)
		nap(0.01);
	CHECK(*what == value, "%d instead of %d", *what, value);
}

static void
tunnel(int port, const char *path, int threads)
{
	int fd = dial(port);
	char room[64];

	ask(fd, path);
	until(&running, threads);
	bulk(fd);
	shutdown(fd, SHUT_WR); /* the end of our sending goes all the way round */
	CHECK(hear(fd, room, sizeof room, NULL, 5000) == 0, "more than was sent");
	close(fd);
	until(&running, 0);
}

static void
dialling(int port)
{
	struct duplex_tls other = to_echo, any = to_echo;
	struct duplex *d;
	struct err err;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t size = sizeof a;

	other.pin = "00000000000000000000000000000000000000000000000000000000000000";
	any.pin = NULL;
	CHECK(duplex_dial(&d, "127.0.0.1", echo_port, &other, 5, &err) == -ERR_FORBIDDEN, "a pin");
	CHECK(duplex_dial(&d, "127.0.0.1", echo_port, &any, 5, &err) == 0, "%s", err.msg);
	duplex_close(d);
	CHECK(duplex_dial(&d, "127.0.0.1", port, &any, 1, &err) < 0, "TLS to a plain port");
	/* a port that nobody listens on, and that nobody takes meanwhile */
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
		  getsockname(fd, (struct sockaddr *)&a, &size) == 0,
	    "bind");
	CHECK(duplex_dial(&d, "127.0.0.1", ntohs(a.sin_port), NULL, 5, &err) == -ERR_UNAVAILABLE &&
		  strstr(err.msg, "dial tcp 127.0.0.1:") && strstr(err.msg, "connection refused"),
	    "%s", err.msg);
	close(fd);
	CHECK(duplex_dial(&d, "no-such-host.invalid", 1, NULL, 5, &err) < 0 &&
		  strstr(err.msg, "lookup no-such-host.invalid"),
	    "%s", err.msg);
}

static void *
relay_two(void *arg)
{
	int *fd = arg;
	struct duplex *a = duplex_from_fd(fd[0]), *b = duplex_from_fd(fd[1]);

	duplex_relay(a, b, 0);
	duplex_close(a);
	duplex_close(b);
	running--;
	return NULL;
}

/* A client that has gone for good ends the tunnel, though the server never says a word. */
static void
left_alone(void)
{
	int client[2], server[2], near[2];
	pthread_t thread;
	char room[16];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, client) == 0, "a pair");
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, server) == 0, "a pair");
	near[0] = client[1];
	near[1] = server[1];
	running++;
	CHECK(pthread_create(&thread, NULL, relay_two, near) == 0, "a thread");
	say(client[0], "last words", 10);
	close(client[0]);
	CHECK(hear(server[0], room, sizeof room, NULL, 5000) == 10, "what was said before is lost");
	until(&running, 0);
	pthread_join(thread, NULL);
	close(server[0]);
}

int
main(void)
{
	struct http_server *s;
	struct tls *t;
	struct err err;
	int port, fd;

	CHECK(mkdtemp(folder), "folder");
	autofree char *crt = xasprintf("%s/pki/server.crt", folder);
	autofree char *admin = xasprintf("%s/pki/admin.crt", folder);
	autofree char *key = xasprintf("%s/pki/admin.key", folder);
	autofree char *clean = xasprintf("rm -rf %s", folder);
	char pin[TLS_PIN];
	CHECK(pki_ensure(folder, NULL, &err) == 0 && pki_tls(&t, folder, &err) == 0, "%s", err.msg);
	CHECK(tls_pin_file(crt, pin, &err) == 0, "%s", err.msg);
	to_echo = (struct duplex_tls){ .crt = admin, .key = key, .pin = pin };
	CHECK(http_server_new(&s, NULL, 2, 2, handle, NULL, &err) == 0, "%s", err.msg);
	CHECK(http_listen(s, "127.0.0.1:0", NULL, &port, &err) == 0, "%s", err.msg);
	CHECK(http_listen(s, "127.0.0.1:0", t, &echo_port, &err) == 0, "%s", err.msg);
	CHECK(http_server_start(s, &err) == 0, "%s", err.msg);
	tunnel(port, "/echo", 1);
	tunnel(port, "/relay", 2);
	dialling(port);
	left_alone();
	fd = dial(port);
	ask(fd, "/relay");
	until(&running, 2);
	http_server_stop(s, 1); /* with a tunnel open */
	CHECK(running == 0, "%d threads are left", running);
	close(fd);
	http_server_free(s);
	tls_free(t);
	return system(clean);
}
