#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "node/files.h"
#include "node/payload.h"
#include "node/volume.h"

/* A volume under construction: its files, and what they may be made of. */
struct making {
	const struct host *host;
	const json_t *pod, *sources;
	const char *ip, *folder;
	unsigned mode; /* of files that do not say their own */
	struct payload *files;
};

static int
put_file(const struct making *m, const char *name, const void *data, size_t len, const json_t *mode,
    struct err *err)
{
	return payload_add(m->files, name, data, len, (unsigned)num(mode, m->mode), err);
}

/* All keys, or those that items name, of a ConfigMap or Secret. */
static int
put_source(
    struct making *m, const char *kind, const char *name, const json_t *source, struct err *err)
{
	autofree char *ref = xasprintf("%s/%s", kind, name);
	json_t *obj = json_object_get(m->sources, ref), *items = get(source, "items"), *item;
	bool optional = truth(get(source, "optional"));
	static const char *const maps[] = { "data", "binaryData" };
	const char *key;
	json_t *value;
	size_t i;
	int r;

	if (json_is_true(obj))
		return err_set(err, ERR_UNAVAILABLE, "%s '%s' cannot be had now", kind, name);
	if (!json_is_object(obj))
		return optional ? 0 : err_set(err, ERR_NOT_FOUND, "%s '%s' not found", kind, name);
	json_array_foreach (items, i, item) {
		autobuf struct buf b = BUF_INIT;

		if (!source_value(m->sources, kind, name, text(item, "key"), &b)) {
			if (optional)
				continue;
			return err_set(err, ERR_NOT_FOUND, "%s '%s' has no key '%s'", kind, name,
			    text(item, "key"));
		}
		if ((r = put_file(m, text(item, "path"), b.data ? b.data : "", b.len,
			 get(item, "mode"), err)) < 0)
			return r;
	}
	for (size_t k = 0; k < COUNT(maps) && !items; k++)
		json_object_foreach (get(obj, maps[k]), key, value) {
			autobuf struct buf b = BUF_INIT;

			source_value(m->sources, kind, name, key, &b);
			if ((r = put_file(m, key, b.data ? b.data : "", b.len, NULL, err)) < 0)
				return r;
		}
	return 0;
}

static const json_t *
container_named(const json_t *pod, const char *name)
{
	json_t *c;
	size_t i;

	json_array_foreach (get(pod, "spec", "containers"), i, c)
		if (strcmp(text(c, "name"), name) == 0)
			return c;
	return NULL;
}

static int
put_downward(const struct making *m, const json_t *source, struct err *err)
{
	json_t *item;
	size_t i;
	int r;

	json_array_foreach (get(source, "items"), i, item) {
		json_t *resource = get(item, "resourceFieldRef");
		autofree char *value = NULL;

		if (resource)
			value = container_resource(
			    container_named(m->pod, text(resource, "containerName")), resource);
		else
			value =
			    pod_field(m->host, m->pod, m->ip, text(item, "fieldRef", "fieldPath"));
		if (!value)
			return err_set(err, ERR_INVALID, "field '%s' is not known",
			    text(item, "fieldRef", "fieldPath"));
		if ((r = put_file(
			 m, text(item, "path"), value, strlen(value), get(item, "mode"), err)) < 0)
			return r;
	}
	return 0;
}

static int
put_token(const struct making *m, const json_t *projection, struct err *err)
{
	autofree char *ref = token_ref(projection);
	const char *token = str(json_object_get(m->sources, ref), NULL);

	if (!token && payload_keep(m->files, m->folder, text(projection, "path")))
		return 0; /* the one that is there is good for a while */
	if (!token)
		return err_set(err, ERR_UNAVAILABLE, "there is no token of account '%s'",
		    text(m->pod, "spec", "serviceAccountName"));
	return put_file(m, text(projection, "path"), token, strlen(token), NULL, err);
}

static int
put_projected(struct making *m, const json_t *projected, struct err *err)
{
	json_t *source, *part;
	size_t i;
	int r = 0;

	json_array_foreach (get(projected, "sources"), i, source) {
		if ((part = get(source, "configMap")))
			r = put_source(m, "ConfigMap", text(part, "name"), part, err);
		else if ((part = get(source, "secret")))
			r = put_source(m, "Secret", text(part, "name"), part, err);
		else if ((part = get(source, "downwardAPI")))
			r = put_downward(m, part, err);
		else if ((part = get(source, "serviceAccountToken")))
			r = put_token(m, part, err);
		else
			return err_set(err, ERR_INVALID,
			    "sources[%zu] is none of configMap, secret, downwardAPI, "
			    "serviceAccountToken",
			    i);
		if (r < 0)
			return r;
	}
	return 0;
}

static int
make_empty(const json_t *pod, const json_t *v, const char *folder, struct err *err)
{
	json_int_t group = num(get(pod, "spec", "securityContext", "fsGroup"), -1);
	int64_t size = quantity_value(get(v, "emptyDir", "sizeLimit"));
	char options[64] = "mode=0777";

	if (strcmp(text(v, "emptyDir", "medium"), "Memory") == 0) {
		if (size > 0)
			snprintf(options, sizeof options, "mode=0777,size=%lld", (long long)size);
		if (mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
			return err_sys(err, errno, "cannot mount '%s'", folder);
	}
	if (chmod(folder, group >= 0 ? 02777 : 0777) < 0 ||
	    (group >= 0 && chown(folder, (uid_t)-1, (gid_t)group) < 0))
		return err_sys(err, errno, "cannot set the owner of '%s'", folder);
	return 0;
}

/* hostPath.type (empty: no check). */
static int
check_host_path(const json_t *v, struct err *err)
{
	const char *path = text(v, "hostPath", "path"), *type = text(v, "hostPath", "type");
	struct stat st;
	autoclose int fd = -1;
	int r;

	if (strcmp(type, "DirectoryOrCreate") == 0 && (r = mkdir_all(path, 0755, err)) < 0)
		return r;
	if (strcmp(type, "FileOrCreate") == 0 &&
	    (fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) < 0)
		return err_sys(err, errno, "cannot create '%s'", path);
	if (!*type)
		return 0;
	if (stat(path, &st) < 0)
		return err_sys(err, errno, "hostPath '%s'", path);
	if ((strncmp(type, "Directory", 9) == 0 && !S_ISDIR(st.st_mode)) ||
	    (strncmp(type, "File", 4) == 0 && !S_ISREG(st.st_mode)) ||
	    (strcmp(type, "Socket") == 0 && !S_ISSOCK(st.st_mode)) ||
	    (strcmp(type, "CharDevice") == 0 && !S_ISCHR(st.st_mode)) ||
	    (strcmp(type, "BlockDevice") == 0 && !S_ISBLK(st.st_mode)))
		return err_set(err, ERR_INVALID, "hostPath '%s' is no %s", path, type);
	return 0;
}

/* The files of a volume that is made of objects; false in *made: this one is not. */
static int
fill_volume(struct making *m, const json_t *v, bool *made, struct err *err)
{
	static const char *const kinds[] = { "configMap", "secret", "downwardAPI", "projected" };
	json_t *source = NULL;
	size_t i = 0;

	while (i < COUNT(kinds) && !(source = get(v, kinds[i])))
		i++;
	*made = source != NULL;
	if (!source)
		return 0;
	m->mode = (unsigned)num(get(source, "defaultMode"), 0644);
	switch (i) {
	case 0:
		return put_source(m, "ConfigMap", text(source, "name"), source, err);
	case 1:
		return put_source(m, "Secret", text(source, "secretName"), source, err);
	case 2:
		return put_downward(m, source, err);
	default:
		return put_projected(m, source, err);
	}
}

/* Gather the files, then have them in place all at once. */
static int
write_files(struct making *m, const json_t *v, bool *made, struct err *err)
{
	json_int_t group = num(get(m->pod, "spec", "securityContext", "fsGroup"), -1);
	int r;

	m->files = payload_new();
	if ((r = fill_volume(m, v, made, err)) == 0 && *made)
		r = payload_write(m->files, m->folder, (gid_t)group, err);
	payload_free(m->files);
	return r;
}

static int
make_volume(struct making *m, const json_t *v, struct err *err)
{
	bool made;
	int r;

	if (get(v, "hostPath"))
		return check_host_path(v, err);
	if (get(v, "emptyDir") || json_object_size(v) == 1)
		return make_empty(m->pod, v, m->folder, err);
	if ((get(v, "secret") || get(v, "projected")) &&
	    mount("tmpfs", m->folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") < 0)
		return err_sys(
		    err, errno, "cannot mount '%s'", m->folder); /* secrets stay off the disk */
	r = write_files(m, v, &made, err);
	return r < 0 || made ? r
			     : err_set(err, ERR_INVALID, "this kind of volume is not supported");
}

int
volumes_up(
    const struct host *h, const json_t *pod, const json_t *sources, const char *ip, struct err *err)
{
	json_t *v;
	size_t i;
	int r;

	json_array_foreach (get(pod, "spec", "volumes"), i, v) {
		autofree char *folder =
		    host_path(h, "pods/%s/volumes/%s", meta_uid(pod), text(v, "name"));
		struct making m = { h, pod, sources, ip, folder, 0644, NULL };

		if ((r = mkdir_all(folder, 0755, err)) < 0 || (r = make_volume(&m, v, err)) < 0)
			return err_wrap(err, "volume '%s'", text(v, "name"));
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
		struct making m = { h, pod, sources, ip, folder, 0644, NULL };
		bool made;
		int r;

		if ((r = write_files(&m, v, &made, err)) < 0) {
			err_wrap(err, "volume '%s'", text(v, "name"));
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

			umount2(path, MNT_DETACH); /* fails for what is none: fine */
		}
	if (d)
		closedir(d);
}

int
volume_path(const struct host *h, const json_t *pod, const char *name, char **ret, struct err *err)
{
	json_t *v;
	size_t i;

	json_array_foreach (get(pod, "spec", "volumes"), i, v) {
		if (strcmp(text(v, "name"), name) != 0)
			continue;
		*ret = get(v, "hostPath") ? xstrdup(text(v, "hostPath", "path"))
					  : host_path(h, "pods/%s/volumes/%s", meta_uid(pod), name);
		return 0;
	}
	return err_set(err, ERR_INVALID, "the pod has no volume '%s'", name);
}
