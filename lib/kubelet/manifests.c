#include "kubelet/manifests.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "api/meta.h"
#include "api/object.h"
#include "api/validate.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/digest.h"

/* LOOK: containers of root may have taken all instances of inotify that there are; then the folder
 * is looked at in this many seconds, the kubelet's --file-check-frequency. */
enum { MAX_MANIFEST = 8 << 20, LOOK = 20 };

struct manifests {
	char *folder, *node;
	int fd, watch; /* inotify and its watch; or a timer, and -1 */
	bool timer;
	bool read;     /* once at least */
	json_t *files; /* by name: {"hash", "pods": {uid: pod}} */
};

int
manifests_open(struct manifests **ret, const char *folder, const char *node, struct err *err)
{
	struct itimerspec every = { { LOOK, 0 }, { LOOK, 0 } };
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	bool timer = fd < 0;

	if (timer && ((fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) < 0 ||
			 timerfd_settime(fd, 0, &every, NULL) < 0))
		return err_sys(err, errno, "cannot watch '%s'", folder);
	*ret = xcalloc(1, sizeof **ret);
	**ret = (struct manifests){ xstrdup(folder), xstrdup(node), fd, -1, timer, false,
		json_object() };
	return 0;
}

void
manifests_close(struct manifests *m)
{
	if (!m)
		return;
	close(m->fd);
	json_decref(m->files);
	free(m->folder);
	free(m->node);
	free(m);
}

int
manifests_fd(const struct manifests *m)
{
	return m->fd;
}

/* Has something happened in the folder since this was last asked? */
static bool
stirred(struct manifests *m)
{
	char events[4096];
	bool some = !m->read;
	ssize_t n;

	while ((n = read(m->fd, events, sizeof events)) > 0) {
		for (char *p = events; !m->timer && p < events + n;) {
			const struct inotify_event *e = (const void *)p;

			if (e->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF))
				m->watch = -1;
			p += sizeof *e + e->len;
		}
		some = true;
	}
	if (m->watch < 0 && !m->timer) {
		m->watch = inotify_add_watch(m->fd, m->folder,
		    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF |
			IN_MOVE_SELF);
		some = some || m->watch >= 0;
	}
	m->read = true;
	return some;
}

/* What the kubelet makes of a Pod out of a file. */
static int
complete(struct manifests *m, const char *file, json_t *pod, struct err *err)
{
	const struct kind *k = kind_find("", "v1", "Pod");
	struct causes causes = CAUSES_INIT;
	autofree char *name = xasprintf("%s-%s", meta_name(pod), m->node);
	autofree char *text_of = json_dumps(pod, JSON_COMPACT | JSON_SORT_KEYS);
	autofree char *whole = xasprintf("%s\n%s\n%s", m->node, file, text_of);
	char digest[DIGEST_TEXT], uid[33];
	int r;

	digest_of(whole, strlen(whole), digest);
	snprintf(uid, sizeof uid, "%.32s", digest_hex(digest));
	if (!*meta_namespace(pod))
		put(pod, json_string("default"), "metadata", "namespace");
	if ((r = validate_types(k, pod, NULL, err)) < 0)
		return r;
	normalize(k, pod);
	put(pod, json_string(name), "metadata", "name");
	put(pod, json_string(uid), "metadata", "uid");
	put(pod, json_string("file"), "metadata", "annotations", STATIC_SOURCE);
	put(pod, json_string(uid), "metadata", "annotations", STATIC_HASH);
	put(pod, json_string(m->node), "spec", "nodeName");
	/* it stays whatever befalls the node */
	put(pod, json_pack("[{s:s, s:s}]", "operator", "Exists", "effect", "NoExecute"), "spec",
	    "tolerations");
	json_object_del(pod, "status");
	defaults_apply(k, pod);
	validate_create(k, pod, &causes);
	r = causes.n ? causes_err(&causes, k, meta_name(pod), err) : 0;
	causes_release(&causes);
	return r;
}

static int
read_file(
    struct manifests *m, const char *file, const struct buf *raw, json_t *pods, struct err *err)
{
	autofclose FILE *f = fmemopen(raw->data, raw->len, "r");
	struct objects *in = objects_open(f, file);
	json_t *obj;
	int r;

	while ((r = objects_read(in, &obj, err)) > 0) {
		if (strcmp(text(obj, "kind"), "Pod") != 0)
			r = err_set(err, ERR_INVALID, "%s: a %s is no Pod", objects_where(in),
			    text(obj, "kind"));
		else
			r = complete(m, file, obj, err);
		if (r == 0)
			json_object_set(pods, meta_uid(obj), obj);
		json_decref(obj);
		if (r < 0)
			break;
	}
	objects_close(in);
	return r;
}

/* One file into `files`: read again when it is another, its former pods when it cannot be read. */
static void
take_file(struct manifests *m, const char *file, json_t *files)
{
	autofree char *path = xasprintf("%s/%s", m->folder, file);
	json_t *before = json_object_get(m->files, file);
	autobuf struct buf raw = BUF_INIT;
	json_auto_t *pods = json_object(), *now = NULL;
	char digest[DIGEST_TEXT];
	struct err err;
	int r;

	if ((r = buf_read_file(&raw, path, MAX_MANIFEST, &err)) == -ERR_NOT_FOUND)
		return;
	digest_of(raw.data ? raw.data : "", r < 0 ? 0 : raw.len, digest);
	if (before && strcmp(text(before, "hash"), digest) == 0) {
		json_object_set(files, file, before);
		return;
	}
	if (r == 0 && raw.len)
		r = read_file(m, file, &raw, pods, &err);
	if (r < 0)
		log_line("cannot use manifest '%s': %s", path, err.msg);
	now = json_pack(
	    "{s:s, s:O}", "hash", digest, "pods", r < 0 && before ? get(before, "pods") : pods);
	json_object_set(files, file, now);
}

json_t *
manifests_read(struct manifests *m)
{
	json_t *files, *pods, *entry;
	struct dirent *e;
	const char *file;
	DIR *d;

	if (!stirred(m))
		return NULL;
	files = json_object();
	d = opendir(m->folder);
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && e->d_type != DT_DIR)
			take_file(m, e->d_name, files);
	if (d)
		closedir(d);
	json_decref(m->files);
	m->files = files;
	pods = json_object();
	json_object_foreach (files, file, entry)
		json_object_update(pods, get(entry, "pods"));
	return pods;
}
