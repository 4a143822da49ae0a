/* volumeMounts: where in the container a volume is, and how. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/propagate.h"
#include "node/spec.h"
#include "node/volume.h"

static const char *
propagation(const json_t *mount)
{
	const char *how = text(mount, "mountPropagation");

	if (propagates(mount))
		return "rshared";
	return strcmp(how, "HostToContainer") == 0 ? "rslave" : "rprivate";
}

const char *
mount_propagation(const json_t *container)
{
	const char *ret = NULL;
	json_t *mount;
	size_t i;

	json_array_foreach (get(container, "volumeMounts"), i, mount) {
		const char *how = propagation(mount);

		if (strcmp(how, "rprivate") != 0 && (!ret || strcmp(how, "rshared") == 0))
			ret = how;
	}
	return ret;
}

/* Make the folders of a subPath inside the volume, never through a link that leads out of it. */
static int
make_below(const char *volume, const char *sub, struct err *err)
{
	autofree char *part = xstrdup(sub);

	for (char *p = part;; p++) {
		char c = *p;
		autoclose int at = -1;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		at = open_inside(volume, part, O_PATH);
		if (at < 0 && errno == ENOENT) {
			char *slash = strrchr(part, '/');
			autofree char *parent =
			    slash ? xstrndup(part, (size_t)(slash - part)) : xstrdup(".");
			autoclose int up = open_inside(volume, parent, O_PATH | O_DIRECTORY);

			if (up < 0 || mkdirat(up, slash ? slash + 1 : part, 0750) < 0)
				return err_sys(err, errno, "cannot create subPath '%s'", sub);
		}
		*p = c;
		if (c == '\0')
			return 0;
	}
}

/* Is every $(NAME) of it known? */
static bool
expands(const char *expr, const json_t *env)
{
	autofree char *copy = xstrdup(expr), *done = NULL;

	for (char *p = copy; (p = strstr(p, "$$")); p += 2)
		p[0] = p[1] = '_'; /* what stands for itself */
	done = environment_expand(copy, env);
	return strstr(done, "$(") == NULL;
}

/* Swap the path of a volume for that of its subPath.  What the name leads to now is resolved inside
 * the volume and mounted below the bundle: who changes the volume later changes nothing. */
static int
sub_path(const struct making_of *m, const json_t *mount, size_t i, char **path, struct err *err)
{
	const char *expr = text(mount, "subPathExpr");
	autofree char *sub = NULL, *to = xasprintf("%s/sub/%zu", m->bundle, i);
	json_auto_t *env = NULL;
	autoclose int fd = -1;
	int r;

	if (!*text(mount, "subPath") && !*expr)
		return 0;
	if (*expr && (r = environment_make(m, &env, err)) < 0)
		return r;
	sub = *expr ? environment_expand(expr, env) : xstrdup(text(mount, "subPath"));
	if (*expr && !expands(expr, env))
		return err_set(err, ERR_INVALID, "subPathExpr '%s' names what is not set", expr);
	if (!name_is_below(sub))
		return err_set(err, ERR_INVALID, "subPath '%s' leads out of its volume", sub);
	if ((r = make_below(*path, sub, err)) < 0)
		return r;
	if ((fd = open_inside(*path, sub, O_PATH)) < 0)
		return err_sys(err, errno, "cannot open subPath '%s'", sub);
	if ((r = mount_open(fd, to, err)) < 0)
		return err_wrap(err, "subPath '%s'", sub);
	free(*path);
	*path = steal(to);
	return 0;
}

bool
mount_sets_trees(void)
{
	return syscall(SYS_mount_setattr, -1, NULL, 0, NULL, 0) == 0 || errno != ENOSYS;
}

bool
mount_all_readonly(const json_t *mount)
{
	const char *how = text(mount, "recursiveReadOnly");

	return strcmp(how, "Enabled") == 0 ||
	       (strcmp(how, "IfPossible") == 0 && mount_sets_trees() &&
		   truth(get(mount, "readOnly")));
}

/* Another place for what is at *path, read-only with all that is mounted below it: not every
 * runtime can do that. */
static int
seal(const struct making_of *m, size_t i, char **path, struct err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	autofree char *to = xasprintf("%s/sealed/%zu", m->bundle, i);
	autoclose int tree =
	    open_tree(AT_FDCWD, *path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	int r;

	if (tree < 0)
		return err_sys(err, errno, "cannot take hold of '%s'", *path);
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0)
		return err_sys(err, errno, "cannot make '%s' read-only", *path);
	if ((r = mount_attach(tree, to, err)) < 0)
		return r;
	free(*path);
	*path = steal(to);
	return 0;
}

/* The source of volumeMounts[i], made ready. */
static int
place(const struct making_of *m, const json_t *mount, size_t i, char **path, struct err *err)
{
	const char *name = text(mount, "name");
	int r;

	if ((r = volume_path(m->host, m->pod, name, path, err)) < 0)
		return r;
	if (!file_exists(*path) && (!volume_is_host(m->pod, name) || mkdir(*path, 0755) < 0))
		return err_sys(err, errno, "volume '%s': cannot use '%s'", name, *path);
	if (propagates(mount)) {
		free(*path);
		*path = propagate_path(m->bundle, i);
	}
	if ((r = sub_path(m, mount, i, path, err)) < 0 || !mount_all_readonly(mount))
		return r;
	return seal(m, i, path, err);
}

int
volume_mounts(const struct making_of *m, json_t *list, struct err *err)
{
	json_t *mount;
	size_t i;
	int r;

	json_array_foreach (get(m->container, "volumeMounts"), i, mount) {
		autofree char *path = NULL;
		bool all = mount_all_readonly(mount);
		bool readonly =
		    truth(get(mount, "readOnly")) || volume_readonly(m->pod, text(mount, "name"));

		if (all && !mount_sets_trees())
			return err_set(err, ERR_INVALID,
			    "volumeMount '%s': this kernel cannot mount recursively read-only",
			    text(mount, "name"));
		if ((r = place(m, mount, i, &path, err)) < 0)
			return r;
		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s, s:[s, s, s, s*]}", "destination",
			      text(mount, "mountPath"), "type", "bind", "source", path, "options",
			      "rbind", propagation(mount), all || readonly ? "ro" : "rw",
			      volume_noexec(m->pod, text(mount, "name")) ? "noexec" : NULL));
	}
	return 0;
}
