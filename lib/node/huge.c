#include "node/huge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/pod.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "node/files.h"

static const char folder[] = "/sys/kernel/mm/hugepages";

static void
name_size(struct huge *h)
{
	static const struct {
		int shift;
		const char *unit, *kernel;
	} units[] = { { 30, "Gi", "GB" }, { 20, "Mi", "MB" }, { 10, "Ki", "KB" } };
	size_t i = 0;

	while (i < COUNT(units) - 1 && h->size < INT64_C(1) << units[i].shift)
		i++;
	snprintf(h->name, sizeof h->name, "hugepages-%lld%s",
	    (long long)(h->size >> units[i].shift), units[i].unit);
	snprintf(h->file, sizeof h->file, "%lld%s", (long long)(h->size >> units[i].shift) % 100000,
	    units[i].kernel);
}

static int
by_size(const void *a, const void *b)
{
	const struct huge *x = a, *y = b;

	return (x->size > y->size) - (x->size < y->size);
}

size_t
huge_sizes(struct huge *ret)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	size_t n = 0;

	while (d && n < HUGE_SIZES && (e = readdir(d))) {
		autofree char *file = xasprintf("%s/%s/nr_hugepages", folder, e->d_name);
		char line[32];
		long long kb;

		if (sscanf(e->d_name, "hugepages-%lldkB", &kb) != 1 || kb <= 0 ||
		    !file_line(file, line, sizeof line))
			continue;
		ret[n] = (struct huge){ .size = kb * 1024, .pages = atoll(line) };
		name_size(&ret[n++]);
	}
	if (d)
		closedir(d);
	qsort(ret, n, sizeof *ret, by_size);
	return n;
}

int64_t
huge_add(json_t *resources, const struct cgroups *c, bool give)
{
	struct huge h[HUGE_SIZES];
	size_t n = huge_sizes(h);
	int64_t all = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t bytes = h[i].pages * h[i].size;
		autofree char *text =
		    quantity_print_value(give && c->huge == HUGE_NONE ? 0 : bytes, QUANTITY_BINARY);

		json_object_set_new(resources, h[i].name, json_string(text));
		all += bytes;
	}
	return all;
}

static bool
any_pages(const struct huge *h, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (h[i].pages > 0)
			return true;
	return false;
}

/* Its own limit, else the pod's: all of its containers together are held to that. */
static int64_t
may_have(const json_t *pod, const json_t *container, const char *name)
{
	json_t *own = get(container, "resources", "limits", name);

	return quantity_value(own ? own : get(pod, "spec", "resources", "limits", name));
}

json_t *
huge_limits(const json_t *pod, const json_t *container, const struct cgroups *c)
{
	struct huge h[HUGE_SIZES];
	size_t n = huge_sizes(h);
	json_t *list;

	if (c->huge != HUGE_RUNTIME || !any_pages(h, n))
		return NULL;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s, s:I}", "pageSize", h[i].file, "limit",
						(json_int_t)may_have(pod, container, h[i].name)));
	return list;
}

/* --- our own ------------------------------------------------------------------------------ */

static const char *
tree_of(const struct cgroups *c)
{
	return c->v2			 ? "/sys/fs/cgroup"
	       : c->huge == HUGE_RUNTIME ? "/sys/fs/cgroup/hugetlb"
					 : "/sys/fs/cgroup/unified";
}

/* With all those above it; in a v2 tree these are to hand the controller down. */
static int
make_group(const struct cgroups *c, const char *group, struct err *err)
{
	bool v1 = !c->v2 && c->huge == HUGE_RUNTIME;
	autobuf struct buf path = BUF_INIT;

	buf_puts(&path, tree_of(c));
	for (const char *p = group; *p;) {
		size_t len = 1 + strcspn(p + 1, "/");
		autofree char *control = xasprintf("%s/cgroup.subtree_control", path.data);
		int r = v1 ? 0 : file_write(control, "+hugetlb", 8, 0, err);

		if (r < 0)
			return r;
		buf_add(&path, p, len);
		if (mkdir(path.data, 0755) < 0 && errno != EEXIST)
			return err_sys(err, errno, "cannot create cgroup '%s'", path.data);
		p += len;
	}
	return 0;
}

static int
write_limits(const struct cgroups *c, const char *group, const json_t *pod, const json_t *container,
    struct err *err)
{
	bool v1 = !c->v2 && c->huge == HUGE_RUNTIME;
	struct huge h[HUGE_SIZES];
	size_t n = huge_sizes(h);
	int r = make_group(c, group, err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		autofree char *file = xasprintf("%s%s/hugetlb.%s.%s", tree_of(c), group, h[i].file,
		    v1 ? "limit_in_bytes" : "max");
		int64_t limit =
		    container ? may_have(pod, container, h[i].name) : pod_limit(pod, h[i].name);
		char text[32];

		snprintf(text, sizeof text, "%lld", (long long)limit);
		r = file_write(file, text, strlen(text), 0, err);
	}
	return r;
}

int
huge_bound_pod(const json_t *pod, const char *group, const struct cgroups *c, struct err *err)
{
	struct huge h[HUGE_SIZES];

	if (c->huge == HUGE_NONE || !any_pages(h, huge_sizes(h)))
		return 0;
	return write_limits(c, group, pod, NULL, err);
}

int
huge_open(const json_t *pod, const json_t *container, const char *group, const struct cgroups *c,
    int *fd, struct err *err)
{
	struct huge h[HUGE_SIZES];
	autofree char *path = xasprintf("%s%s", tree_of(c), group);
	int r;

	*fd = -1;
	if (c->huge != HUGE_OURS || !any_pages(h, huge_sizes(h)))
		return 0;
	if ((r = write_limits(c, group, pod, container, err)) < 0)
		return r;
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? err_sys(err, errno, "cannot open cgroup '%s'", path) : 0;
}

int
huge_enter(int fd, pid_t pid, struct err *err)
{
	autoclose int procs = openat(fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	char text[32];
	int n = snprintf(text, sizeof text, "%d", (int)pid);

	if (procs < 0 || write(procs, text, (size_t)n) < 0)
		return err_sys(err, errno, "cannot put process %d into its cgroup", (int)pid);
	return 0;
}

/* Where this process is in the v2 tree, to be written to; -1: it cannot be said. */
static int
here(const struct cgroups *c)
{
	autofclose FILE *f = fopen("/proc/self/cgroup", "re");
	autofree char *path = NULL;
	char line[4096];

	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, "0::", 3) == 0) {
			line[strcspn(line, "\n")] = '\0';
			path = xasprintf("%s%s/cgroup.procs", tree_of(c), line + 3);
			return open(path, O_WRONLY | O_CLOEXEC);
		}
	return -1;
}

int
huge_visit(const struct host *h, const char *bundle, int *back, struct err *err)
{
	const char *name = strrchr(bundle, '/'), *uid = strstr(bundle, "/pods/");
	autofree char *id = uid ? xstrndup(uid + 6, strcspn(uid + 6, "/")) : xstrdup("");
	autofree char *pod = host_cgroup(h, id);
	autofree char *path = xasprintf("%s%s%s", tree_of(&h->cgroups), pod, name ? name : "");
	autoclose int fd = -1;
	struct statfs fs;

	*back = -1;
	if (h->cgroups.huge != HUGE_OURS || !uid ||
	    (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 || fstatfs(fd, &fs) < 0 ||
	    fs.f_type != CGROUP2_SUPER_MAGIC)
		return 0; /* nobody was put there, or it is hidden from this process */
	if ((*back = here(&h->cgroups)) < 0)
		return err_sys(err, errno, "cannot find the cgroup of this process");
	return huge_enter(fd, 0, err);
}

void
huge_return(int *back)
{
	ssize_t ignored;

	if (*back < 0)
		return;
	ignored = write(*back, "0", 1);
	(void)ignored;
	close(*back);
	*back = -1;
}
