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
look_at_disk(const char *folder, enum signal_of bytes, enum signal_of inodes, struct pressure *p)
{
	struct statvfs fs;

	if (statvfs(folder, &fs) < 0)
		return;
	p->capacity[bytes] = (int64_t)(fs.f_blocks * fs.f_frsize);
	p->available[bytes] = (int64_t)(fs.f_bavail * fs.f_frsize);
	p->capacity[inodes] = (int64_t)fs.f_files; /* some know no bound: 0 */
	p->available[inodes] = (int64_t)fs.f_favail;
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
	look_at_disk(h->o.data, NODEFS_AVAILABLE, NODEFS_INODES, ret);
	look_at_disk(images_layers(h->images), IMAGEFS_AVAILABLE, IMAGEFS_INODES, ret);
	look_at_processes(ret);
}

bool
pressure_judge(const struct reserve *r, const struct pressure *is, enum signal_of s,
    struct strain strain[URGENCIES][SIGNALS], double now)
{
	int64_t extra = threshold_value(&r->extra[s], is->capacity[s]);
	bool any = false;

	for (int u = 0; u < URGENCIES; u++) {
		const struct threshold *t = &r->at[u][s];
		struct strain *of = &strain[u][s];
		int64_t least = threshold_value(t, is->capacity[s]);

		if (!t->set || is->capacity[s] <= 0 ||
		    is->available[s] >= least + (of->due ? extra : 0)) {
			*of = (struct strain){ 0 };
			continue;
		}
		if (of->since == 0 || of->since > now) /* the clock was set back */
			of->since = now;
		of->due = of->due || u == HARD || now - of->since >= r->grace[s];
		any = true;
	}
	return any;
}

bool
pressure_of_disk(enum signal_of s)
{
	return s != MEMORY_AVAILABLE && s != PID_AVAILABLE;
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
		if (of[i] == which && h->pressed[i] > 0 &&
		    now < h->pressed[i] + (int64_t)h->o.reserve.lasts)
			return true;
	return false;
}
