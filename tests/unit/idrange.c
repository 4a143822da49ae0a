/* The ids that /etc/subuid and /etc/subgid give. */
#include "node/idrange.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
try(const char *content, struct id_range *r, struct err *err)
{
	char path[] = "/tmp/idrange.XXXXXX";
	int fd = mkstemp(path), ret;

	assert(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	close(fd);
	*r = (struct id_range){ 1, 2 };
	ret = id_range_read(path, "kubelet", r, err);
	unlink(path);
	return ret;
}

static void
gives(const char *content, unsigned first, unsigned count)
{
	struct id_range r;
	struct err err;

	assert(try(content, &r, &err) == 0);
	assert(r.first == first && r.count == count);
}

static void
refuses(const char *content)
{
	struct id_range r;
	struct err err;

	assert(try(content, &r, &err) < 0);
	assert(err.code == ERR_INVALID && strstr(err.msg, "'kubelet'"));
}

int
main(void)
{
	struct id_range r = { 1, 2 };
	struct err err;

	assert(id_range_read("/nowhere/subuid", "kubelet", &r, &err) == 0 && r.first == 1);
	gives("", 1, 2);
	gives("root:100000:65536\nkubelets:65536:65536\n", 1, 2);
	gives("root:100000:65536\nkubelet:65536:7208960\nkubelet:0:1\n", 65536, 7208960);
	gives("kubelet:131072:65536", 131072, 65536);
	gives("kubelet:65536:4294901760\n", 65536, 4294901760);
	refuses("kubelet:65536:65535\n");
	refuses("kubelet:65537:65536\n");
	refuses("kubelet:0:65536\n");
	refuses("kubelet:65536:0\n");
	refuses("kubelet:65536\n");
	refuses("kubelet:\n");
	refuses("kubelet:-65536:65536\n");
	refuses("kubelet:65536:65536:1\n");
	refuses("kubelet:65536:4294967296\n");
	refuses("kubelet:a:b\n");
	return 0;
}
