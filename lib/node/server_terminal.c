/* Sockets by which terminals and the outputs of containers are had. */
#include "node/server_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

/* A socket's path has 107 bytes; by way of a descriptor of its folder any path is short enough. */
static int
short_path(const char *path, struct sockaddr_un *a, int *folder, struct err *err)
{
	const char *slash = strrchr(path, '/');
	autofree char *dir = xstrndup(path, slash ? (size_t)(slash - path) : 0);

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*folder = -1;
	if (strlen(path) < sizeof a->sun_path) {
		strcpy(a->sun_path, path);
		return 0;
	}
	*folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*folder < 0)
		return err_sys(err, errno, "cannot open '%s'", dir);
	snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/%.60s", *folder, slash + 1);
	return 0;
}

int
terminal_listen(const char *path, int *ret, struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), folder, r;
	struct sockaddr_un a;

	if (fd < 0)
		return err_sys(err, errno, "cannot make a socket");
	if ((r = short_path(path, &a, &folder, err)) == 0 &&
	    (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 1) < 0))
		r = err_sys(err, errno, "cannot listen on '%s'", path);
	if (folder >= 0)
		close(folder);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret = fd;
	return 0;
}

/* The one descriptor that a message carries. */
static int
receive(int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char name[256];
	struct iovec v = { name, sizeof name };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	struct cmsghdr *c;
	int got;

	if (recvmsg(fd, &m, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&got, CMSG_DATA(c), sizeof got);
	return got;
}

int
terminal_accept(int listening, int words, double seconds)
{
	double until = clock_monotonic() + seconds;
	struct pollfd f[2] = { { .fd = listening, .events = POLLIN }, { .fd = words } };
	int fd, got;

	while (poll(f, 2, (int)((until - clock_monotonic()) * 1000) + 1) < 0 && errno == EINTR)
		;
	if (!(f[0].revents & POLLIN))
		return -1;
	if ((fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) < 0)
		return -1;
	got = receive(fd);
	close(fd);
	return got;
}

int
terminal_attach(const char *path, struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), folder, r;
	struct sockaddr_un a;

	if (fd < 0)
		return err_sys(err, errno, "cannot make a socket");
	if ((r = short_path(path, &a, &folder, err)) == 0 &&
	    connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		r = err_sys(err, errno, "cannot attach at '%s'", path);
	if (folder >= 0)
		close(folder);
	if (r < 0) {
		close(fd);
		return r;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}
