#ifndef ORCH_TESTS_BENCH_H
#define ORCH_TESTS_BENCH_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

/* What the benchmarks share: sockets, requests by hand, the CPU time of another process. */

static inline void
fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A path (with a '/') is a unix socket, digits a port on the loopback. */
static inline int
bench_dial(const char *to)
{
	bool local = strchr(to, '/') != NULL;
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(to)) };
	int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, r;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	snprintf(u.sun_path, sizeof u.sun_path, "%s", to);
	r = local ? connect(fd, (struct sockaddr *)&u, sizeof u)
		  : connect(fd, (struct sockaddr *)&a, sizeof a);
	if (fd < 0 || r < 0)
		fail(to);
	if (!local)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static inline void
bench_send(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			fail("send");
		p += n;
		len -= (size_t)n;
	}
}

/* The CPU seconds a process has used, all its threads. */
static inline double
bench_cpu(pid_t pid)
{
	struct timespec t;
	clockid_t id;

	if (clock_getcpuclockid(pid, &id) != 0 || clock_gettime(id, &t) < 0)
		fail("CPU clock");
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One figure with its aim: "get, unix socket   4.1 us CPU   (aim 50)". */
static inline void
bench_say(const char *what, double figure, const char *unit, double aim)
{
	char room[32];

	snprintf(room, sizeof room, figure < 10 ? "%.2f" : figure < 100 ? "%.1f" : "%.0f", figure);
	printf("  %-44s %10s %-14s", what, room, unit);
	if (aim > 0)
		printf(" aim %g", aim);
	putchar('\n');
	fflush(stdout);
}

#endif
