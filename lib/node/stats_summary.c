/* The Summary of the kubelet's stats/v1alpha1. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "api/meta.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "node/files.h"
#include "node/stats.h"
#include "node/stored.h"

static void
set(json_t *obj, const char *key, uint64_t value)
{
	json_object_set_new(obj, key, json_integer((json_int_t)value));
}

static json_t *
timed(const struct stats *s)
{
	char when[TIME_TEXT];

	return json_pack("{s:s}", "time", time_print(s->at / 1000000, when));
}

static void
set_started(json_t *obj, int64_t started)
{
	char when[TIME_TEXT];

	if (started > 0)
		json_object_set_new(obj, "startTime", json_string(time_print(started, when)));
}

static void
set_usage(const struct stats *s, json_t *obj, const struct usage *u, uint64_t rate)
{
	json_t *cpu = timed(s), *memory = timed(s);

	json_object_set_new(obj, "cpu", cpu);
	if (u->cpu_known) {
		set(cpu, "usageNanoCores", rate);
		set(cpu, "usageCoreNanoSeconds", u->cpu);
	}
	json_object_set_new(obj, "memory", memory);
	if (!u->memory_known)
		return;
	if (u->limit)
		set(memory, "availableBytes", u->limit > u->working ? u->limit - u->working : 0);
	set(memory, "usageBytes", u->memory);
	set(memory, "workingSetBytes", u->working);
	set(memory, "rssBytes", u->rss);
	set(memory, "pageFaults", u->faults);
	set(memory, "majorPageFaults", u->major_faults);
}

/* The file system of a folder: all that is used of it, or what `used` says of a part. */
static json_t *
file_system(const struct stats *s, const char *folder, const json_t *used)
{
	json_t *obj = timed(s);
	struct statvfs fs;

	if (statvfs(folder, &fs) < 0)
		return obj;
	set(obj, "availableBytes", (uint64_t)fs.f_bavail * fs.f_frsize);
	set(obj, "capacityBytes", (uint64_t)fs.f_blocks * fs.f_frsize);
	set(obj, "usedBytes",
	    used ? (uint64_t)stored_bytes(used)
		 : (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize);
	set(obj, "inodesFree", fs.f_ffree);
	set(obj, "inodes", fs.f_files);
	set(obj, "inodesUsed", used ? (uint64_t)stored_inodes(used) : fs.f_files - fs.f_ffree);
	return obj;
}

/* What went over the interfaces that a process has; the first is told by itself too. */
static json_t *
network(const struct stats *s, int pid)
{
	autofree char *path =
	    pid ? xasprintf("/proc/%d/net/dev", pid) : xstrdup("/proc/self/net/dev");
	autofclose FILE *f = fopen(path, "re");
	json_t *obj = timed(s), *all = json_array(), *one;
	unsigned long long in, in_bad, out, out_bad;
	char line[512], name[64];

	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, " %63[^:]: %llu %*u %llu %*u %*u %*u %*u %*u %llu %*u %llu", name,
			&in, &in_bad, &out, &out_bad) != 5 ||
		    strcmp(name, "lo") == 0 || text_starts(name, "veth"))
			continue;
		one = json_pack("{s:s, s:I, s:I, s:I, s:I}", "name", name, "rxBytes",
		    (json_int_t)in, "rxErrors", (json_int_t)in_bad, "txBytes", (json_int_t)out,
		    "txErrors", (json_int_t)out_bad);
		if (json_array_size(all) == 0)
			json_object_update(obj, one);
		json_array_append_new(all, one);
	}
	if (json_array_size(all) == 0)
		json_object_set_new(obj, "name", json_string(""));
	json_object_set_new(obj, "interfaces", all);
	return obj;
}

static json_t *
container(const struct stats *s, const struct stats_container *c, const json_t *stored)
{
	json_t *obj = json_pack("{s:s}", "name", c->name);
	const json_t *mine = json_object_get(get(stored, "containers"), c->name);
	const char *data = s->host->o.data;

	set_started(obj, c->started);
	set_usage(s, obj, &c->use, c->rate);
	if (mine) {
		json_object_set_new(obj, "rootfs", file_system(s, data, get(mine, "rootfs")));
		json_object_set_new(obj, "logs", file_system(s, data, get(mine, "logs")));
	}
	return obj;
}

/* Those that were counted; and claims and those in memory, whose file systems tell it themselves.
 */
static json_t *
volumes(const struct stats *s, const struct stats_pod *p)
{
	json_t *list = json_array(), *v, *one;
	size_t i;

	json_array_foreach (p->volumes, i, v) {
		const char *name = text(v, "name"), *claim = text(v, "claim");
		const char *memory = text(v, "memory"), *path = *memory ? memory : text(v, "path");
		const json_t *used = json_object_get(get(p->stored, "volumes"), name);
		struct stat st;

		if (!used && ((!*claim && !*memory) || stat(path, &st) < 0 || !S_ISDIR(st.st_mode)))
			continue;
		one = file_system(s, path, used);
		json_object_set_new(one, "name", json_string(name));
		if (*claim)
			json_object_set_new(one, "pvcRef",
			    json_pack("{s:s, s:s}", "name", claim, "namespace", p->ns));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *
pod(const struct stats *s, const struct stats_pod *p, bool less)
{
	json_t *list = json_array();
	json_t *obj = json_pack(
	    "{s:{s:s, s:s, s:s}}", "podRef", "name", p->name, "namespace", p->ns, "uid", p->uid);

	set_started(obj, p->started);
	json_object_set_new(obj, "containers", list);
	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(list, container(s, &p->c[i], p->stored));
	set_usage(s, obj, &p->use, p->rate);
	if (less)
		return obj;
	if (p->init)
		json_object_set_new(obj, "network", network(s, p->init));
	json_object_set_new(obj, "volume", volumes(s, p));
	json_object_set_new(
	    obj, "ephemeral-storage", file_system(s, s->host->o.data, get(p->stored, "total")));
	json_object_set_new(
	    obj, "process_stats", json_pack("{s:I}", "process_count", (json_int_t)p->processes));
	return obj;
}

/* Process ids: how many there may be, how many there are. */
static json_t *
limits(const struct stats *s)
{
	json_t *obj = timed(s);
	char line[32];
	struct sysinfo info;

	if (file_line("/proc/sys/kernel/pid_max", line, sizeof line))
		json_object_set_new(obj, "maxpid", json_integer(strtoll(line, NULL, 10)));
	if (sysinfo(&info) == 0)
		set(obj, "curproc", info.procs);
	return obj;
}

json_t *
stats_summary(const struct stats *s, bool only_cpu_and_memory)
{
	json_t *pods = json_array(), *all = json_pack("{s:s}", "name", "pods");
	json_t *node =
	    json_pack("{s:s, s:[o]}", "nodeName", s->host->o.name, "systemContainers", all);
	struct sysinfo info = { 0 };

	sysinfo(&info);
	set_started(node, s->at / 1000000 - info.uptime);
	set_started(all, s->at / 1000000 - info.uptime);
	set_usage(s, all, &s->pods, s->pods_rate);
	set_usage(s, node, &s->node, s->node_rate);
	if (!only_cpu_and_memory) {
		json_object_set_new(node, "network", network(s, 0));
		json_object_set_new(node, "fs", file_system(s, s->host->o.data, NULL));
		json_object_set_new(node, "runtime",
		    json_pack(
			"{s:o}", "imageFs", file_system(s, images_layers(s->host->images), NULL)));
		json_object_set_new(node, "rlimit", limits(s));
	}
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(pods, pod(s, &s->pod[i], only_cpu_and_memory));
	return json_pack("{s:o, s:o}", "node", node, "pods", pods);
}
