#include "node/subnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "node/files.h"

enum { BASE = 10 << 24 | 85 << 16, SIZE = 16, COUNT_OF = 65536 / SIZE };

static const char folder[] = "/run/orch/subnets";

/* Is there a route into it, or one that covers it (the default route aside)? */
static bool
routed(uint32_t net)
{
	autofclose FILE *f = fopen("/proc/net/route", "re");
	char line[256];

	while (f && fgets(line, sizeof line, f)) {
		unsigned to, mask;

		if (sscanf(line, "%*s %x %*s %*s %*s %*s %*s %x", &to, &mask) != 2 || mask == 0)
			continue;
		to = ntohl(to);
		mask = ntohl(mask);
		if ((to & ~(uint32_t)(SIZE - 1)) == net || (net & mask) == to)
			return true;
	}
	return false;
}

int
subnet_take(char **cidr, int *lock, struct err *err)
{
	int r;

	if ((r = mkdir_all(folder, 0755, err)) < 0)
		return r;
	for (uint32_t i = 0; i < COUNT_OF; i++) {
		uint32_t net = (uint32_t)BASE + i * SIZE;
		autofree char *text =
		    xasprintf("%u.%u.%u.%u", net >> 24, net >> 16 & 255, net >> 8 & 255, net & 255);
		autofree char *path = xasprintf("%s/%s", folder, text);
		autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0)
			return err_sys(err, errno, "cannot open '%s'", path);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0 || routed(net))
			continue;
		*cidr = xasprintf("%s/28", text);
		*lock = dup(fd); /* the same lock */
		fcntl(*lock, F_SETFD, FD_CLOEXEC);
		return 0;
	}
	return err_set(err, ERR_UNAVAILABLE, "every network of 10.85.0.0/16 is taken");
}
