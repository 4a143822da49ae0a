#include "node/pressure.h"

#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

#include "base/mem.h"
#include "node/files.h"
#include "node/usage.h"

static void
look_at_memory(const struct host *h, struct pressure *p)
{
	struct usage u;

	usage_of_machine(&h->cgroups, &u);
	if (!u.memory_known)
		return;
	p->capacity[MEMORY_AVAILABLE] = (int64_t)u.limit;
	p->available[MEMORY_AVAILABLE] = (int64_t)(u.limit > u.working ? u.limit - u.working : 0);
}

static void
look_at_disk(const struct host *h, struct pressure *p)
{
	static const enum signal_of bytes[] = { NODEFS_AVAILABLE, IMAGEFS_AVAILABLE },
				    inodes[] = { NODEFS_INODES, IMAGEFS_INODES };
	struct statvfs fs;

	if (statvfs(h->o.data, &fs) < 0)
		return;
	for (size_t i = 0; i < COUNT(bytes); i++) {
		p->capacity[bytes[i]] = (int64_t)(fs.f_blocks * fs.f_frsize);
		p->available[bytes[i]] = (int64_t)(fs.f_bavail * fs.f_frsize);
		p->capacity[inodes[i]] = (int64_t)fs.f_files; /* some know no bound: 0 */
		p->available[inodes[i]] = (int64_t)fs.f_favail;
	}
}

static void
look_at_processes(struct pressure *p)
{
	char line[32];
	struct sysinfo info;

	if (sysinfo(&info) < 0 || !file_line("/proc/sys/kernel/pid_max", line, sizeof line))
		return;
	p->capacity[PID_AVAILABLE] = strtoll(line, NULL, 10);
	p->available[PID_AVAILABLE] = p->capacity[PID_AVAILABLE] - info.procs;
}

void
pressure_look(const struct host *h, struct pressure *ret)
{
	*ret = (struct pressure){ 0 };
	look_at_memory(h, ret);
	look_at_disk(h, ret);
	look_at_processes(ret);
	for (size_t i = 0; i < SIGNALS; i++) {
		const struct threshold *t = &h->o.reserve.hard[i];

		ret->met[i] = t->set && ret->capacity[i] > 0 &&
			      ret->available[i] < threshold_value(t, ret->capacity[i]);
	}
}

bool
pressure_felt(const struct host *h, enum condition_of which, int64_t now)
{
	static const enum condition_of of[SIGNALS] = { [MEMORY_AVAILABLE] = MEMORY_PRESSURE,
		[NODEFS_AVAILABLE] = DISK_PRESSURE,
		[NODEFS_INODES] = DISK_PRESSURE,
		[IMAGEFS_AVAILABLE] = DISK_PRESSURE,
		[IMAGEFS_INODES] = DISK_PRESSURE,
		[PID_AVAILABLE] = PID_PRESSURE };

	for (size_t i = 0; i < SIGNALS; i++)
		if (of[i] == which && h->pressed[i] > 0 && now < h->pressed[i] + PRESSURE_LASTS)
			return true;
	return false;
}
