/* The metrics responder: what it answers, and that odd peers do not stop it. */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/metrics.h"

static struct metrics_server *server;

static int
dial(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)metrics_port(server)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert(fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0);
	return fd;
}

static void
serve(void)
{
	struct pollfd p = { .fd = metrics_fd(server), .events = POLLIN };

	while (poll(&p, 1, 20) > 0)
		metrics_serve(server);
}

static const char *
ask(const char *request, size_t len)
{
	static char reply[65536];
	size_t got = 0;
	ssize_t n;
	int fd = dial();

	assert(write(fd, request, len) == (ssize_t)len);
	serve();
	shutdown(fd, SHUT_WR);
	serve();
	while ((n = read(fd, reply + got, sizeof reply - 1 - got)) > 0)
		got += (size_t)n;
	reply[got] = '\0';
	close(fd);
	return reply;
}
#define ASK(text) ask(text, strlen(text))

int
main(void)
{
	struct metric *a = metric_new("x_total", "counter", "Things.", "q=\"1\"");
	struct metric *s = metric_new("x_seconds_total", "counter", "Time.", NULL);
	struct err err;
	static char big[8192];
	int idle[40];

	assert(metrics_open(&server, "nonsense", &err) == -ERR_BAD_REQUEST);
	assert(metrics_open(&server, "127.0.0.1:99999999", &err) < 0);
	assert(metrics_open(&server, "[::1", &err) < 0);
	assert(metrics_open(&server, "127.0.0.1:0", &err) == 0);
	assert(metric_new("x_total", "counter", "Things.", "q=\"1\"") == a);
	metric_add(a, 3);
	metric_add(metric_new("x_total", "counter", "Things.", "q=\"2\""), 1);
	metric_add(s, 1500000);
	assert(strstr(ASK("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"),
	    "# TYPE x_total counter\nx_total{q=\"1\"} 3\nx_total{q=\"2\"} 1\n# HELP "
	    "x_seconds_total"));
	assert(strstr(ASK("GET /metrics?x=1 HTTP/1.0\r\n\r\n"), "x_seconds_total 1.500000\n"));
	assert(strstr(ASK("GET /healthz HTTP/1.1\r\n\r\n"), "\r\n\r\nok\n"));
	assert(strstr(ASK("GET /other HTTP/1.1\r\n\r\n"), " 404 "));
	assert(strstr(ASK("GET /metricsX HTTP/1.1\r\n\r\n"), " 404 "));
	assert(strstr(ASK("POST /metrics HTTP/1.1\r\n\r\n"), " 405 "));
	assert(!*ASK("GET /metrics HTTP/1.1\r\n")); /* gone before it was done */
	memset(big, 'a', sizeof big);
	assert(!*ask(big, sizeof big));
	for (int i = 0; i < 40; i++) /* more than there are places */
		idle[i] = dial();
	serve();
	for (int i = 0; i < 40; i++)
		close(idle[i]);
	serve();
	assert(strstr(ASK("GET /healthz HTTP/1.1\r\n\r\n"), " 200 "));
	metrics_close(server);
	return 0;
}
