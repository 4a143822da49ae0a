#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/files.h"
#include "node/spec.h"
#include "node/volume.h"

enum { MAX_PASSWD = 4 << 20 };

const json_t *
security(const json_t *pod, const json_t *container, const char *field)
{
	const json_t *v = get(container, "securityContext", field);

	return v ? v : get(pod, "spec", "securityContext", field);
}

/* A file of the image, read as the container would find it. */
static bool
read_inside(const struct making_of *m, const char *path, struct buf *b)
{
	autofree char *rootfs = xasprintf("%s/rootfs", m->bundle);
	autoclose int fd = open_inside(rootfs, path, O_RDONLY | O_NONBLOCK);
	struct err ignored;

	return fd >= 0 && buf_read_fd(b, fd, MAX_PASSWD, &ignored) == 0;
}

/* Fields 2 and 3 of the line of passwd or group whose field 0 is `name` (or whose field 2 is `id`).
 */
static bool
find_line(char *table, const char *name, long long id, long long *second, long long *third)
{
	for (char *line; (line = strsep(&table, "\n"));) {
		char *field[4] = { NULL };

		for (int i = 0; i < 4; i++)
			field[i] = line ? strsep(&line, ":") : NULL;
		if (!field[2] || !text_int(field[2], second))
			continue;
		if (name ? strcmp(field[0], name) == 0 : *second == id) {
			if (!field[3] || !text_int(field[3], third))
				*third = 0;
			return true;
		}
	}
	return false;
}

/* "user", "uid", "user:group", ...: USER of the image configuration. */
static int
image_user(const struct making_of *m, long long *uid, long long *gid, struct err *err)
{
	autofree char *user = xstrdup(text(m->image->config, "config", "User"));
	autobuf struct buf passwd = BUF_INIT, group = BUF_INIT;
	char *colon = strchr(user, ':');
	long long ignored;

	*uid = *gid = 0;
	if (colon)
		*colon++ = '\0';
	if (!*user)
		return 0;
	read_inside(m, "/etc/passwd", &passwd);
	if (text_int(user, uid)) {
		long long same;

		if (passwd.data)
			find_line(passwd.data, NULL, *uid, &same, gid);
	} else if (!passwd.data || !find_line(passwd.data, user, 0, uid, gid)) {
		return err_set(
		    err, ERR_INVALID, "the image's user '%s' is not in its /etc/passwd", user);
	}
	if (!colon || text_int(colon, gid))
		return 0;
	if (!read_inside(m, "/etc/group", &group) ||
	    !find_line(group.data, colon, 0, gid, &ignored))
		return err_set(
		    err, ERR_INVALID, "the image's group '%s' is not in its /etc/group", colon);
	return 0;
}

static bool
member(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
		if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

/* The name of a user in the image's /etc/passwd, a new string, or NULL. */
static char *
user_name(const struct making_of *m, long long uid)
{
	autobuf struct buf passwd = BUF_INIT;
	long long id;
	char *rest;

	if (!read_inside(m, "/etc/passwd", &passwd) || !passwd.data)
		return NULL;
	rest = passwd.data;
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *name = strsep(&line, ":"), *number;

		strsep(&line, ":");
		number = strsep(&line, ":");
		if (number && text_int(number, &id) && id == uid)
			return xstrdup(name);
	}
	return NULL;
}

/* The groups that the image's /etc/group has its user in. */
static void
image_groups(const struct making_of *m, long long uid, json_t *more)
{
	autofree char *name = user_name(m, uid);
	autobuf struct buf group = BUF_INIT;
	long long gid;
	char *rest;

	if (!name || !read_inside(m, "/etc/group", &group) || !group.data)
		return;
	rest = group.data;
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *field[4] = { NULL };

		for (int i = 0; i < 4; i++)
			field[i] = strsep(&line, ":");
		if (field[3] && text_int(field[2], &gid) && member(field[3], name))
			json_array_append_new(more, json_integer(gid));
	}
}

int
user_make(const struct making_of *m, json_t **ret, struct err *err)
{
	const json_t *run_user = security(m->pod, m->container, "runAsUser");
	const json_t *run_group = security(m->pod, m->container, "runAsGroup");
	const json_t *fs_group = get(m->pod, "spec", "securityContext", "fsGroup");
	json_auto_t *more = json_array();
	long long uid, gid;
	json_t *group;
	size_t i;
	int r;

	if ((r = image_user(m, &uid, &gid, err)) < 0 && !run_user)
		return r;
	if (run_user) {
		uid = num(run_user, 0);
		gid = r < 0 ? 0 : gid;
	}
	if (run_group)
		gid = num(run_group, 0);
	if (truth(security(m->pod, m->container, "runAsNonRoot")) && uid == 0)
		return err_set(err, ERR_INVALID,
		    "container has runAsNonRoot and would run as root (image '%s')", m->image->ref);
	json_array_foreach (get(m->pod, "spec", "securityContext", "supplementalGroups"), i, group)
		json_array_append(more, group);
	if (fs_group)
		json_array_append(more, (json_t *)fs_group);
	volume_groups(m->sources, more);
	if (strcmp(text(m->pod, "spec", "securityContext", "supplementalGroupsPolicy"), "Strict") !=
	    0)
		image_groups(m, uid, more);
	*ret = json_pack("{s:I, s:I, s:O}", "uid", (json_int_t)uid, "gid", (json_int_t)gid,
	    "additionalGids", more);
	return 0;
}
