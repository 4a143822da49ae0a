/* Volumes of a pod, one after the other. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/volume_private.h"

static int
make_volume(struct making *m, struct err *err)
{
	const json_t *v = m->volume;
	bool made;
	int r;

	if (get(v, "hostPath"))
		return host_path_check(
		    text(v, "hostPath", "path"), text(v, "hostPath", "type"), err);
	if ((r = mkdir_all(m->folder, 0755, err)) < 0)
		return r;
	if (get(v, "image"))
		return volume_image(m, err);
	if (get(v, "emptyDir") || json_object_size(v) == 1)
		return volume_empty(m, err);
	if ((get(v, "secret") || get(v, "projected")) &&
	    mount("tmpfs", m->folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") < 0)
		return err_sys(
		    err, errno, "cannot mount '%s'", m->folder); /* secrets stay off the disk */
	r = volume_write(m, &made, err);
	return r < 0 || made ? r : err_set(err, ERR_INVALID, "no volume plugin matched");
}

/* With the message that the kubelet has for it. */
static int
set_up(struct making *m, struct err *err)
{
	int r;

	if (volume_claims(m->volume))
		return volume_claim(m, err);
	if ((r = make_volume(m, err)) < 0)
		err_wrap(
		    err, "MountVolume.SetUp failed for volume \"%s\" ", text(m->volume, "name"));
	return r;
}

int
volumes_up(
    const struct host *h, const json_t *pod, const json_t *sources, const char *ip, struct err *err)
{
	autofree char *all = host_path(h, "pods/%s/volumes", meta_uid(pod));
	autofree char *images = host_path(h, "pods/%s/" VOLUME_IMAGES, meta_uid(pod));
	json_t *v;
	size_t i;
	int r;

	if ((r = mkdir_all(all, 0755, err)) < 0)
		return r;
	unlink(images);
	json_array_foreach (get(pod, "spec", "volumes"), i, v) {
		autofree char *folder = xasprintf("%s/%s", all, text(v, "name"));
		struct making m = { h, pod, sources, v, ip, folder, 0644, NULL };

		if (volume_used(pod, text(v, "name")) && (r = set_up(&m, err)) < 0)
			return r;
	}
	return 0;
}

int
volumes_renew(
    const struct host *h, const json_t *pod, const json_t *sources, const char *ip, struct err *err)
{
	json_t *v;
	size_t i;
	int ret = 0;

	json_array_foreach (get(pod, "spec", "volumes"), i, v) {
		autofree char *folder =
		    host_path(h, "pods/%s/volumes/%s", meta_uid(pod), text(v, "name"));
		struct making m = { h, pod, sources, v, ip, folder, 0644, NULL };
		bool made;
		int r;

		if (volume_used(pod, text(v, "name")) && (r = volume_write(&m, &made, err)) < 0) {
			err_wrap(
			    err, "MountVolume.SetUp failed for volume \"%s\" ", text(v, "name"));
			ret = r;
		}
	}
	return ret;
}

void
volumes_down(const struct host *h, const char *uid)
{
	autofree char *folder = host_path(h, "pods/%s/volumes", uid);
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.') {
			autofree char *path = xasprintf("%s/%s", folder, e->d_name);

			umount2(
			    path, MNT_DETACH | UMOUNT_NOFOLLOW); /* fails for what is none: fine */
		}
	if (d)
		closedir(d);
}

/* Where a link leads to, else the path itself; a new string. */
static char *
followed(const char *path)
{
	char to[4096];
	ssize_t n = readlink(path, to, sizeof to);

	return n > 0 && n < (ssize_t)sizeof to ? xstrndup(to, (size_t)n) : xstrdup(path);
}

static const json_t *
volume_named(const json_t *pod, const char *name)
{
	json_t *v;
	size_t i;

	json_array_foreach (get(pod, "spec", "volumes"), i, v)
		if (strcmp(text(v, "name"), name) == 0)
			return v;
	return NULL;
}

int
volume_path(const struct host *h, const json_t *pod, const char *name, char **ret, struct err *err)
{
	autofree char *path = host_path(h, "pods/%s/volumes/%s", meta_uid(pod), name);
	const json_t *v = volume_named(pod, name);

	if (!v)
		return err_set(err, ERR_INVALID, "the pod has no volume '%s'", name);
	*ret = get(v, "hostPath") ? xstrdup(text(v, "hostPath", "path")) : followed(path);
	return 0;
}

bool
volume_is_host(const json_t *pod, const char *name)
{
	return get(volume_named(pod, name), "hostPath") != NULL;
}

bool
volume_is_image(const json_t *pod, const char *name)
{
	return get(volume_named(pod, name), "image") != NULL;
}

bool
volume_noexec(const json_t *pod, const char *name)
{
	return volume_is_image(pod, name);
}

bool
volume_readonly(const json_t *pod, const char *name)
{
	const json_t *v = volume_named(pod, name);

	return truth(get(v, "persistentVolumeClaim", "readOnly")) || get(v, "configMap") ||
	       get(v, "secret") || get(v, "image") || get(v, "downwardAPI") || get(v, "projected");
}
