/* emptyDir: on disk, in memory, in huge pages. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "api/resources.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/files.h"
#include "node/volume_private.h"

/* The least of what the volume, the pod and the machine may have. */
static int
mount_memory(const struct making *m, struct err *err)
{
	json_auto_t *limits = pod_resources(m->pod, "limits", false);
	int64_t limit = quantity_value(get(m->volume, "emptyDir", "sizeLimit"));
	int64_t pods = quantity_value(get(limits, "memory"));
	int64_t size = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	char options[64];

	if (pods > 0 && pods < size)
		size = pods;
	if (limit > 0 && limit < size)
		size = limit;
	snprintf(options, sizeof options, "mode=0777,size=%lld", (long long)size);
	if (mount("tmpfs", m->folder, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
		return err_sys(err, errno, "cannot mount '%s'", m->folder);
	return 0;
}

/* The one size of huge pages that a pod's containers ask for: "2Mi"; NULL: none, or several. */
static const char *
asked_size(const json_t *limits)
{
	const char *key, *ret = NULL;
	json_t *v;

	json_object_foreach ((json_t *)limits, key, v) {
		if (!text_starts(key, "hugepages-"))
			continue;
		if (ret)
			return NULL;
		ret = key + strlen("hugepages-");
	}
	return ret;
}

static int
mount_huge(const struct making *m, const char *medium, struct err *err)
{
	json_auto_t *limits = pod_resources(m->pod, "limits", false); /* as much is asked for */
	const char *size =
	    text_starts(medium, "HugePages-") ? medium + strlen("HugePages-") : asked_size(limits);
	json_auto_t *text_size = size ? json_string(size) : NULL;
	int64_t bytes = size ? quantity_value(text_size) : 0;
	autofree char *file = NULL;
	char options[64], line[32];

	if (bytes <= 0)
		return err_set(err, ERR_INVALID,
		    "medium %s: the pod must ask for huge pages of one size", medium);
	file = xasprintf(
	    "/sys/kernel/mm/hugepages/hugepages-%lldkB/nr_hugepages", (long long)(bytes / 1024));
	if (!file_line(file, line, sizeof line) || atoll(line) <= 0)
		return err_set(err, ERR_INVALID, "medium %s: this machine has no huge pages of %s",
		    medium, size);
	snprintf(options, sizeof options, "mode=0777,pagesize=%lld", (long long)bytes);
	if (mount("nodev", m->folder, "hugetlbfs", MS_NOSUID | MS_NODEV, options) < 0)
		return err_sys(err, errno, "cannot mount '%s'", m->folder);
	return 0;
}

int
volume_empty(const struct making *m, struct err *err)
{
	json_int_t group = num(get(m->pod, "spec", "securityContext", "fsGroup"), -1);
	const char *medium = text(m->volume, "emptyDir", "medium");
	int r = 0;

	if (strcmp(medium, "Memory") == 0)
		r = mount_memory(m, err);
	else if (text_starts(medium, "HugePages"))
		r = mount_huge(m, medium, err);
	else if (*medium)
		r = err_set(err, ERR_INVALID, "unknown storage medium \"%s\"", medium);
	if (r < 0)
		return r;
	if ((group >= 0 && chown(m->folder, (uid_t)-1, (gid_t)group) < 0) ||
	    chmod(m->folder, group >= 0 ? 02777 : 0777) < 0)
		return err_sys(err, errno, "cannot set the owner of '%s'", m->folder);
	return 0;
}
