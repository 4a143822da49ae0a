#ifndef ORCH_TESTS_HTTP_TEST_H
#define ORCH_TESTS_HTTP_TEST_H

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/http.h"

/* Small clients for the tests of the HTTP server. */
static inline int
dial(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
	return fd;
}

static inline void
say(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

/* Read until the other end closes, `stop` appears (may be NULL), or `ms` pass without a byte. */
static inline size_t
hear(int fd, char *room, size_t size, const char *stop, int ms)
{
	size_t len = 0;

	while (len + 1 < size) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, ms) <= 0)
			break;
		n = recv(fd, room + len, size - 1 - len, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
		room[len] = '\0';
		if (stop && strstr(room, stop))
			break;
	}
	room[len] = '\0';
	return len;
}

static inline void
nap(double seconds)
{
	usleep((useconds_t)(seconds * 1e6));
}

#define CHECK(cond, ...)                                                \
	do {                                                            \
		if (!(cond)) {                                          \
			fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
			fprintf(stderr, __VA_ARGS__);                   \
			fprintf(stderr, "\n");                          \
			exit(1);                                        \
		}                                                       \
	} while (0)

#endif
