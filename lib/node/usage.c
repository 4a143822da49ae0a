#include "node/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "node/files.h"

static const char root[] = "/sys/fs/cgroup";

/* "NAME[:] NUMBER" on a line of its own; false when there is none. */
static bool
field(const char *text, const char *name, uint64_t *ret)
{
	size_t n = strlen(name);

	for (const char *line = text; line; line = (line = strchr(line, '\n')) ? line + 1 : NULL) {
		const char *p = line + n;

		if (strncmp(line, name, n) != 0 || !strchr(": \t", *p) || !*p)
			continue;
		*ret = strtoull(p + strspn(p, ": \t"), NULL, 10);
		return true;
	}
	return false;
}

static bool
read_text(const char *path, struct buf *b)
{
	struct err ignored;

	return buf_read_file(b, path, 1 << 20, &ignored) == 0 && b->data;
}

/* A file of one number; false when it says "max", or is not there. */
static bool
number(const struct cgroups *c, const char *tree, const char *path, const char *file, uint64_t *ret)
{
	autofree char *name = c->v2 ? xasprintf("%s%s/%s", root, path, file)
				    : xasprintf("%s/%s%s/%s", root, tree, path, file);
	char line[64];

	if (!file_line(name, line, sizeof line) || line[0] < '0' || line[0] > '9')
		return false;
	*ret = strtoull(line, NULL, 10);
	return true;
}

static void
read_cpu(const struct cgroups *c, const char *path, struct usage *ret)
{
	autofree char *name = xasprintf("%s%s/cpu.stat", root, path);
	autobuf struct buf b = BUF_INIT;

	if (!c->v2) {
		ret->cpu_known = number(c, "cpuacct", path, "cpuacct.usage", &ret->cpu);
	} else if (read_text(name, &b) && field(b.data, "usage_usec", &ret->cpu)) {
		ret->cpu *= 1000;
		ret->cpu_known = true;
	}
}

static uint64_t
less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void
usage_of_group(const struct cgroups *c, const char *path, struct usage *ret)
{
	autofree char *name = xasprintf("%s%s%s/memory.stat", root, c->v2 ? "" : "/memory", path);
	autobuf struct buf b = BUF_INIT;
	uint64_t inactive = 0;

	*ret = (struct usage){ 0 };
	read_cpu(c, path, ret);
	if (!number(c, "memory", path, c->v2 ? "memory.current" : "memory.usage_in_bytes",
		&ret->memory) ||
	    !read_text(name, &b))
		return;
	ret->memory_known = true;
	field(b.data, c->v2 ? "inactive_file" : "total_inactive_file", &inactive);
	field(b.data, c->v2 ? "anon" : "total_rss", &ret->rss);
	field(b.data, c->v2 ? "pgfault" : "total_pgfault", &ret->faults);
	field(b.data, c->v2 ? "pgmajfault" : "total_pgmajfault", &ret->major_faults);
	ret->working = less(ret->memory, inactive);
	/* v1 says "no limit" with a number that no machine has */
	if (!number(
		c, "memory", path, c->v2 ? "memory.max" : "memory.limit_in_bytes", &ret->limit) ||
	    ret->limit > 1ULL << 60)
		ret->limit = 0;
}

/* Where no cgroup counts for the whole machine. */
static void
cpu_of_all(struct usage *ret)
{
	autofclose FILE *f = fopen("/proc/stat", "re");
	unsigned long long user, nice, system, idle, wait, irq, soft, stolen;
	long tick = sysconf(_SC_CLK_TCK);

	if (!f || tick <= 0 ||
	    fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle,
		&wait, &irq, &soft, &stolen) != 8)
		return;
	ret->cpu = (user + nice + system + irq + soft + stolen) * (1000000000ULL / (uint64_t)tick);
	ret->cpu_known = true;
}

void
usage_of_machine(const struct cgroups *c, struct usage *ret)
{
	autobuf struct buf b = BUF_INIT, pages = BUF_INIT;
	uint64_t unused = 0, inactive = 0;

	*ret = (struct usage){ 0 };
	read_cpu(c, "", ret);
	if (!ret->cpu_known)
		cpu_of_all(ret);
	if (!read_text("/proc/meminfo", &b) || !field(b.data, "MemTotal", &ret->limit))
		return;
	field(b.data, "MemFree", &unused);
	field(b.data, "Inactive(file)", &inactive);
	field(b.data, "AnonPages", &ret->rss);
	ret->limit *= 1024; /* "kB" all of them */
	ret->rss *= 1024;
	ret->memory = less(ret->limit, unused * 1024);
	ret->working = less(ret->memory, inactive * 1024);
	ret->memory_known = true;
	if (read_text("/proc/vmstat", &pages)) {
		field(pages.data, "pgfault", &ret->faults);
		field(pages.data, "pgmajfault", &ret->major_faults);
	}
}

uint64_t
usage_processes(const struct cgroups *c, const char *path)
{
	uint64_t n = 0;

	number(c, "pids", path, "pids.current", &n);
	return n;
}
