#include "node/idrange.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/files.h"

static int
parse_line(const char *file, char *line, struct id_range *ret, struct err *err)
{
	const char *user = strsep(&line, ":"), *first = strsep(&line, ":");
	long long from, count;

	if (!first || !line || !text_int(first, &from) || !text_int(line, &count) || from < 0 ||
	    count < 0 || from + count > 1LL << 32)
		return err_set(
		    err, ERR_INVALID, "'%s': the line of user '%s' is broken", file, user);
	if (from % IDS_PER_POD || count % IDS_PER_POD || from < IDS_PER_POD || count == 0)
		return err_set(err, ERR_INVALID,
		    "'%s': the ids of user '%s' are not a multiple of %d, from %d", file, user,
		    IDS_PER_POD, IDS_PER_POD);
	*ret = (struct id_range){ (unsigned)from, (unsigned)count };
	return 0;
}

int
id_range_read(const char *file, const char *user, struct id_range *ret, struct err *err)
{
	autobuf struct buf b = BUF_INIT;
	size_t n = strlen(user);
	char *rest;

	if (!file_exists(file))
		return 0;
	if (buf_read_file(&b, file, 1 << 20, err) < 0)
		return -(int)err->code;
	rest = b.len ? b.data : NULL;
	for (char *line; (line = strsep(&rest, "\n"));)
		if (strncmp(line, user, n) == 0 && line[n] == ':')
			return parse_line(file, line, ret, err);
	return 0;
}

static int
range(struct id_range *ret, struct err *err)
{
	struct id_range users = { IDS_PER_POD, (1u << 31) - IDS_PER_POD }, groups = users;
	int r;

	if ((r = id_range_read("/etc/subuid", "kubelet", &users, err)) < 0 ||
	    (r = id_range_read("/etc/subgid", "kubelet", &groups, err)) < 0)
		return r;
	if (users.first != groups.first || users.count != groups.count)
		return err_set(err, ERR_INVALID,
		    "'/etc/subuid' and '/etc/subgid' give different ids to user 'kubelet'");
	*ret = users;
	return 0;
}

static char *
note_of(const char *pod)
{
	return xasprintf("%s/ns/ids", pod);
}

static bool
noted(const char *pod, unsigned *first)
{
	autofree char *path = note_of(pod);
	char line[32];

	if (!file_line(path, line, sizeof line) || !*line)
		return false;
	*first = (unsigned)strtoul(line, NULL, 10);
	return *first >= IDS_PER_POD;
}

bool
ids_have(const struct host *h, const char *uid, unsigned *first)
{
	autofree char *pod = host_path(h, "pods/%s", uid);

	return noted(pod, first);
}

/* Has somebody these ids? */
static bool
taken(unsigned first)
{
	autofree char *path = xasprintf(IDS_FOLDER "/%u", first);
	char pod[4096];
	unsigned its;

	return file_line(path, pod, sizeof pod) && noted(pod, &its) && its == first;
}

/* The first that are free, from a place that the pod's uid chooses: what one left is not the
 * next one's at once. */
static int
take(const char *pod, const char *uid, unsigned *first, struct err *err)
{
	autofree char *path = note_of(pod);
	struct id_range all = { 0 };
	unsigned n, start;
	char line[32];
	int r;

	if ((r = range(&all, err)) < 0)
		return r;
	n = all.count / IDS_PER_POD;
	start = (unsigned)(text_hash(uid, strlen(uid), TEXT_HASH_SEED) % n);
	for (unsigned i = 0; i < n; i++) {
		unsigned at = all.first + (start + i) % n * IDS_PER_POD;
		autofree char *entry = xasprintf(IDS_FOLDER "/%u", at);

		if (taken(at))
			continue;
		*first = at;
		snprintf(line, sizeof line, "%u\n", at);
		if ((r = file_write(entry, pod, strlen(pod), 0600, err)) < 0)
			return r;
		return file_write(path, line, strlen(line), 0600, err);
	}
	return err_set(err, ERR_UNAVAILABLE,
	    "could not find an empty slot to allocate a user "
	    "namespace");
}

int
ids_take(const struct host *h, const char *uid, unsigned *first, struct err *err)
{
	autofree char *pod = host_path(h, "pods/%s", uid);
	autoclose int lock = -1;
	int r;

	if (noted(pod, first))
		return 0;
	if ((r = mkdir_all(IDS_FOLDER, 0755, err)) < 0)
		return r;
	lock = open(IDS_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return err_sys(err, errno, "cannot lock '%s'", IDS_FOLDER);
	return take(pod, uid, first, err);
}

void
ids_free(const struct host *h, const char *uid)
{
	autofree char *pod = host_path(h, "pods/%s", uid), *path = note_of(pod);
	unsigned first;

	if (noted(pod, &first)) {
		autofree char *entry = xasprintf(IDS_FOLDER "/%u", first);
		char owner[4096];

		if (file_line(entry, owner, sizeof owner) && strcmp(owner, pod) == 0)
			unlink(entry);
	}
	unlink(path);
}
